/*
 * Weight gradients of an LSTM layer from dL/da of all steps, one product for each matrix over all T B rows:
 *
 *   dW_ih = beta dW_ih + sum over (s, b) of da x^T,   dW_hh = beta dW_hh + sum over (s, b) of da h_before^T
 *
 * Rows whose state is known to be zero are left out; of an input that repeats, dL/da is summed over the steps first.
 * In bf16 both factors are rounded to that type, in one launch; sums are float32. lstm_sums.cu has the biases.
 */
#include "entries.h"
#include "lstm_steps.h"
#include "lstm_sums.h"

struct weight_run {
    const lstmae_lstm_args *args;
    lae_cu_factors factors;
    lae_cu_factor da, x, h;
    int inputs, states; /* there are rows for dW_ih, for dW_hh */
    int repeats;
    int64_t skipped;    /* rows of known zeros */
    lae_cu_factor sums; /* da over the steps; in scratch */
};

static void weight_plan(weight_run *run, const lstmae_queue *queue, const lstmae_lstm_args *args)
{
    const int64_t B = args->B, G = 4 * args->H, rows = args->T * B;
    run->args = args;
    run->factors = lae_cu_factors_of(queue, args->dtype);
    run->skipped = lae_cu_step_has_state(args, 0) ? 0 : B;
    run->inputs = args->dw_ih && args->x && args->I > 0 && rows > 0;
    run->states = args->dw_hh && rows > run->skipped;
    run->repeats = run->inputs && lae_cu_input_repeats(args);
    if (run->inputs) run->x = lae_cu_factor_input(&run->factors, args);
    if (run->states)
        run->h = lae_cu_factor_of(&run->factors, lae_cu_lstm_at(args, args->hs, run->skipped * args->H), 1,
                                  rows - run->skipped, args->H, 0, args->H);
    if (run->states || (run->inputs && !run->repeats))
        run->da = lae_cu_factor_of(&run->factors, args->gates, 1, rows, G, 0, G);
    if (!run->repeats) return;
    run->sums = { NULL, 0, lae_cu_factor_row(G) };
    run->sums.offset = lae_cu_factors_room(&run->factors, B * run->sums.row, run->factors.type);
}

/* dW [4H,N] = beta dW + da^T y over `rows` rows. Nothing to add up: beta dW. */
static lstmae_status weight_product(lstmae_queue *queue, const weight_run *run, void *dw, int64_t N, int64_t rows,
                                    const lae_cu_factor *da, int64_t da_first, const lae_cu_factor *y)
{
    const lstmae_lstm_args *args = run->args;
    const int64_t G = 4 * args->H;
    lae_cu_product_args product = lae_cu_factors_product(&run->factors, LSTMAE_GEMM_TRANS_A, G, N, rows);
    product.a = lae_cu_factor_at(&run->factors, da, da_first);
    product.lda = da->row;
    product.b = lae_cu_factor_at(&run->factors, y, 0);
    product.ldb = y->row;
    product.c = dw;
    product.ldc = N;
    product.beta = args->beta;
    return lae_cu_product(queue, &product);
}

static lstmae_status weight_nothing(lstmae_queue *queue, const lstmae_lstm_args *args, void *dw, int64_t count)
{
    if (args->beta != 0.0) return LSTMAE_OK;
    const int type = lae_cu_type_of(args->dtype);
    const lae_cu_rows rows = lae_cu_even_rows(dw, type, count, NULL, 0, 1, count);
    return lae_cu_move_rows(queue, type, &rows, 1);
}

static lstmae_status weight_inputs(lstmae_queue *queue, const weight_run *run)
{
    const lstmae_lstm_args *args = run->args;
    if (!run->inputs) return weight_nothing(queue, args, args->dw_ih, 4 * args->H * args->I);
    if (!run->repeats)
        return weight_product(queue, run, args->dw_ih, args->I, args->T * args->B, &run->da, 0, &run->x);
    LAE_CU_TRY(lae_cu_lstm_sum_steps(queue, args, lae_cu_factors_at(&run->factors, run->sums.offset), run->sums.row,
                                     run->factors.type));
    return weight_product(queue, run, args->dw_ih, args->I, args->B, &run->sums, 0, &run->x);
}

lstmae_status lae_cu_lstm_weight_gradient(lstmae_queue *queue, const lstmae_lstm_args *args)
{
    weight_run run = {};
    LAE_CU_TRY(lae_cu_usable(queue));
    if (args->H == 0) return LSTMAE_OK;
    weight_plan(&run, queue, args);
    LAE_CU_TRY(lae_cu_factors_move(queue, &run.factors));
    if (args->dw_ih) LAE_CU_TRY(weight_inputs(queue, &run));
    if (run.states)
        LAE_CU_TRY(weight_product(queue, &run, args->dw_hh, args->H, args->T * args->B - run.skipped, &run.da,
                                  run.skipped, &run.h));
    else if (args->dw_hh)
        LAE_CU_TRY(weight_nothing(queue, args, args->dw_hh, 4 * args->H * args->H));
    return args->db_ih || args->db_hh || args->dpeephole ? lae_cu_lstm_sums(queue, args) : LSTMAE_OK;
}
