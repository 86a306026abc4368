/*
 * An LSTM layer over a whole sequence, forward.
 *
 * Products with the input need no state: they come first, for all T B rows at once, into the gates. Then each step is a
 * product with the state, added to them, and the cell. One input for all steps is multiplied once and added by every
 * cell. Up to 4 samples: a step is one launch that reads each weight once (lstm_few.cu), the product with the input
 * included where the sequence has no more rows than that. States known to be zero are not multiplied.
 *
 * In bf16 the cell leaves h in that type for the next product; gates, c and the h that is kept are float32.
 */
#include "entries.h"
#include "lstm_few.h"
#include "lstm_steps.h"

/* How a call runs, and where its factors are. */
struct forward_run {
    const lstmae_lstm_args *args;
    int few;    /* steps by lae_cu_lstm_few() */
    int inputs; /* the steps multiply the input themselves */
    int ahead;  /* its products are in the gates, or, one for all steps, at `start` */
    lae_cu_factors factors;
    lae_cu_factor x, w_ih, w_hh;
    lae_cu_factor h; /* of the state before a step; in scratch in bf16 */
    size_t start;
};

static int forward_rounds(const forward_run *run)
{
    return run->factors.type != run->factors.from_type;
}

static void forward_plan(forward_run *run, const lstmae_queue *queue, const lstmae_lstm_args *args)
{
    const int64_t B = args->B, H = args->H;
    const int has_input = args->x && args->I > 0;
    run->args = args;
    run->factors = lae_cu_factors_of(queue, args->dtype);
    run->few = args->dtype == LSTMAE_F32 && B <= LAE_CU_FEW;
    run->inputs = has_input && run->few && args->T * B <= LAE_CU_FEW;
    run->ahead = has_input && !run->inputs;
    if (run->ahead) {
        run->x = lae_cu_factor_input(&run->factors, args);
        run->w_ih = lae_cu_factor_weight(&run->factors, args->w_ih, args->prepared_ih, 4 * H, args->I);
        if (lae_cu_input_repeats(args))
            run->start = lae_cu_factors_room(&run->factors, B * 4 * H, run->factors.from_type);
    }
    if (run->few || (args->T == 1 && !lae_cu_step_has_state(args, 0))) return;
    run->w_hh = lae_cu_factor_weight(&run->factors, args->w_hh, args->prepared_hh, 4 * H, H);
    run->h = { args->hs, 0, H };
    if (!forward_rounds(run)) return;
    if (lae_cu_step_has_state(args, 0)) {
        run->h = lae_cu_factor_of(&run->factors, args->hs, 1, B, H, 0, H);
    } else {
        run->h = { NULL, 0, lae_cu_factor_row(H) };
        run->h.offset = lae_cu_factors_room(&run->factors, B * run->h.row, run->factors.type);
    }
}

/* W_ih x for all rows. */
static lstmae_status forward_inputs(lstmae_queue *queue, const forward_run *run)
{
    const lstmae_lstm_args *args = run->args;
    const int repeats = lae_cu_input_repeats(args);
    lae_cu_product_args product = lae_cu_factors_product(&run->factors, LSTMAE_GEMM_TRANS_B,
                                                         repeats ? args->B : args->T * args->B, 4 * args->H, args->I);
    product.a = lae_cu_factor_at(&run->factors, &run->x, 0);
    product.lda = run->x.row;
    product.b = lae_cu_factor_at(&run->factors, &run->w_ih, 0);
    product.ldb = run->w_ih.row;
    product.c = repeats ? lae_cu_factors_at(&run->factors, run->start) : args->gates;
    product.ldc = 4 * args->H;
    return lae_cu_product(queue, &product);
}

static lstmae_status forward_few(lstmae_queue *queue, const forward_run *run, const lae_cu_cell_forward *cell,
                                 int64_t s)
{
    const lstmae_lstm_args *args = run->args;
    const int rounded = forward_rounds(run);
    lae_cu_lstm_few_args few = {};
    few.cell = *cell;
    /* one type for both: what is not prepared is multiplied as it is */
    const int prepared = rounded && args->prepared_hh && (args->prepared_ih || !run->inputs);
    few.w_type = prepared ? LAE_CU_BF16 : LAE_CU_F32;
    if (run->inputs) {
        few.w_ih = prepared ? args->prepared_ih : args->w_ih;
        few.x = static_cast<const float *>(lae_cu_lstm_at(args, args->x, lae_cu_step_time(args, s) * args->x_step));
        few.x_row = args->x_batch;
        few.I = args->I;
    }
    if (lae_cu_step_has_state(args, s)) few.w_hh = prepared ? args->prepared_hh : args->w_hh;
    few.h = static_cast<const float *>(lae_cu_lstm_at(args, args->hs, s * args->B * args->H));
    return lae_cu_lstm_few(queue, &few);
}

/* The product with the state, added to that with the input where it is in the gates, then the cell. */
static lstmae_status forward_step(lstmae_queue *queue, const forward_run *run, lae_cu_cell_forward *cell, int64_t s)
{
    const lstmae_lstm_args *args = run->args;
    const int64_t B = args->B, H = args->H;
    lae_cu_cell_forward_part *part = &cell->part[0];
    if (lae_cu_step_has_state(args, s)) {
        lae_cu_product_args product = lae_cu_factors_product(&run->factors, LSTMAE_GEMM_TRANS_B, B, 4 * H, H);
        product.a = lae_cu_factor_at(&run->factors, &run->h, forward_rounds(run) ? 0 : s * B);
        product.lda = run->h.row;
        product.b = lae_cu_factor_at(&run->factors, &run->w_hh, 0);
        product.ldb = run->w_hh.row;
        product.c = part->gates;
        product.ldc = 4 * H;
        product.beta = part->sums ? 1.0 : 0.0;
        LAE_CU_TRY(lae_cu_product(queue, &product));
        part->sums = part->gates;
    }
    if (forward_rounds(run) && s + 1 < args->T)
        part->next = { lae_cu_factors_at(&run->factors, run->h.offset), run->h.row, run->factors.type };
    return lae_cu_cell_forward_run(queue, cell);
}

lstmae_status lae_cu_lstm_forward(lstmae_queue *queue, const lstmae_lstm_args *args)
{
    forward_run run = {};
    LAE_CU_TRY(lae_cu_usable(queue));
    if (args->T == 0 || args->B == 0 || args->H == 0) return LSTMAE_OK;
    forward_plan(&run, queue, args);
    LAE_CU_TRY(lae_cu_factors_move(queue, &run.factors));
    if (run.ahead) LAE_CU_TRY(forward_inputs(queue, &run));
    const int repeats = run.ahead && lae_cu_input_repeats(args);
    for (int64_t s = 0; s < args->T; s++) {
        lae_cu_cell_forward cell = lae_cu_step_forward(args, s);
        if (!run.ahead || repeats) cell.part[0].sums = NULL;
        if (repeats) cell.part[0].start = lae_cu_factors_at(&run.factors, run.start);
        LAE_CU_TRY(run.few ? forward_few(queue, &run, &cell, s) : forward_step(queue, &run, &cell, s));
    }
    return LSTMAE_OK;
}
