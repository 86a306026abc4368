/*
 * Data gradients of an LSTM layer over a whole sequence. A step is its cell, which replaces the gates by dL/da, and the
 * product da_s W_hh, which is dL/dh of the step before; with lengths it is added to what passes ended samples by. At
 * the end dL/dx is one product over all T B rows, moved to its place where that is not evenly spaced.
 *
 * In bf16 the cell leaves dL/da in that type too, for both products; gates, dh and dc are float32.
 */
#include "entries.h"
#include "lstm_steps.h"

struct backward_run {
    const lstmae_lstm_args *args;
    lae_cu_factors factors;
    lae_cu_factor w_ih, w_hh, da;
    int inputs;     /* dL/dx is wanted */
    int dx_moves;   /* and is computed in scratch, at dx */
    int64_t dx_row;
    size_t dx;
};

static int backward_rounds(const backward_run *run)
{
    return run->factors.type != run->factors.from_type;
}

/* 1 if the product with W_hh after step s is wanted. */
static int backward_has_product(const lstmae_lstm_args *args, int64_t s)
{
    return s > 0 || !(args->flags & LSTMAE_SEQ_NO_STATE_GRAD);
}

static void backward_plan(backward_run *run, const lstmae_queue *queue, const lstmae_lstm_args *args)
{
    const int64_t T = args->T, B = args->B, H = args->H, I = args->I;
    run->args = args;
    run->factors = lae_cu_factors_of(queue, args->dtype);
    run->inputs = args->dx && I > 0;
    run->da = { args->gates, 0, 4 * H };
    if (backward_rounds(run)) {
        run->da = { NULL, 0, lae_cu_factor_row(4 * H) };
        run->da.offset = lae_cu_factors_room(&run->factors, (run->inputs ? T : 1) * B * run->da.row, run->factors.type);
    }
    if (backward_has_product(args, T - 1))
        run->w_hh = lae_cu_factor_weight(&run->factors, args->w_hh, args->prepared_hh, 4 * H, H);
    if (!run->inputs) return;
    const lae_cu_rows rows = lae_cu_step_rows(args, args->dx, args->dx_step, args->dx_batch);
    run->w_ih = lae_cu_factor_weight(&run->factors, args->w_ih, args->prepared_ih, 4 * H, I);
    run->dx_moves = !lae_cu_rows_are_even(T, B, I, rows.src_outer, rows.src_inner, &run->dx_row);
    if (!run->dx_moves) return;
    run->dx_row = lae_cu_factor_row(I);
    run->dx = lae_cu_factors_room(&run->factors, T * B * run->dx_row, run->factors.from_type);
}

/* Rows of dL/da from step s on, where products read them. */
static const void *backward_da(const backward_run *run, int64_t s)
{
    const int64_t first = backward_rounds(run) && !run->inputs ? 0 : s * run->args->B;
    return lae_cu_factor_at(&run->factors, &run->da, first);
}

static lstmae_status backward_step(lstmae_queue *queue, const backward_run *run, int64_t s)
{
    const lstmae_lstm_args *args = run->args;
    const int64_t B = args->B, H = args->H;
    lae_cu_cell_backward cell = lae_cu_step_backward(args, s);
    lae_cu_cell_backward_part *part = &cell.part[0];
    const int product_follows = backward_has_product(args, s);
    if (!args->lengths || !product_follows) part->dh = NULL;
    if (backward_rounds(run) && (product_follows || run->inputs))
        part->da_copy = { const_cast<void *>(backward_da(run, s)), run->da.row, run->factors.type };
    LAE_CU_TRY(lae_cu_cell_backward_run(queue, &cell));
    if (!product_follows) return LSTMAE_OK;
    lae_cu_product_args product = lae_cu_factors_product(&run->factors, 0, B, H, 4 * H);
    product.a = backward_da(run, s);
    product.lda = run->da.row;
    product.b = lae_cu_factor_at(&run->factors, &run->w_hh, 0);
    product.ldb = run->w_hh.row;
    product.c = args->dh;
    product.ldc = H;
    product.beta = args->lengths ? 1.0 : 0.0;
    return lae_cu_product(queue, &product);
}

/* dL/dx = da W_ih, in the order of steps, then in the order of time. */
static lstmae_status backward_inputs(lstmae_queue *queue, const backward_run *run)
{
    const lstmae_lstm_args *args = run->args;
    const int64_t rows = args->T * args->B, I = args->I;
    lae_cu_rows move = lae_cu_step_rows(args, args->dx, args->dx_step, args->dx_batch);
    lae_cu_product_args product = lae_cu_factors_product(&run->factors, 0, rows, I, 4 * args->H);
    product.a = backward_da(run, 0);
    product.lda = run->da.row;
    product.b = lae_cu_factor_at(&run->factors, &run->w_ih, 0);
    product.ldb = run->w_ih.row;
    product.c = run->dx_moves ? lae_cu_factors_at(&run->factors, run->dx) : const_cast<void *>(move.src);
    product.ldc = run->dx_row;
    LAE_CU_TRY(lae_cu_product(queue, &product));
    if (!run->dx_moves) return LSTMAE_OK;
    move.dst = const_cast<void *>(move.src);
    move.dst_outer = move.src_outer;
    move.dst_inner = move.src_inner;
    move.dst_type = run->factors.from_type;
    move.src = product.c;
    move.src_outer = args->B * run->dx_row;
    move.src_inner = run->dx_row;
    move.columns = I;
    return lae_cu_move_rows(queue, run->factors.from_type, &move, 1);
}

lstmae_status lae_cu_lstm_backward(lstmae_queue *queue, const lstmae_lstm_args *args)
{
    backward_run run = {};
    LAE_CU_TRY(lae_cu_usable(queue));
    if (args->T == 0 || args->B == 0 || args->H == 0) return LSTMAE_OK;
    backward_plan(&run, queue, args);
    LAE_CU_TRY(lae_cu_factors_move(queue, &run.factors));
    for (int64_t s = args->T - 1; s >= 0; s--) LAE_CU_TRY(backward_step(queue, &run, s));
    return run.inputs ? backward_inputs(queue, &run) : LSTMAE_OK;
}
