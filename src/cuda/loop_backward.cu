/*
 * Closed loops, backward: the gradients of all that forward left, for each step t from the last to the first, all
 * decoders at once. With [dx|dh] the gradients of a row:
 *
 *   dy_t += dx_{t+1} map'(y_t)                 of layer 0 (loop_feed.cu)
 *   dh(top) += dy W_out                        one launch of products, onto what step t+1 left
 *   cell, da; [dx|dh] = da [W_ih|W_hh]         for each layer from the top; step 0 of layer 0 leaves dx out
 *
 * 2 L + 2 launches a step; dropout and the sum of a cell's two gradients are the cell's. Floor: reading the weights
 * once a step, as forward.
 */
#include "entries.h"
#include "gemm.h"
#include "loop.h"
#include "loop_feed.h"
#include "lstm_cell.h"

struct backward_run {
    lstmae_queue *queue;
    const lstmae_loop_args *args;
    int type;   /* of factors */
    int c_type; /* of arrays and sums */
    lae_cu_loop_rows rows; /* [dx|dh] */
    void *factor; /* da [count,B,4H] or dy [count,B,F], rows rounded */
};

/* The final states have no gradient: dc starts from zero, dh is not read before it was written. */
static lstmae_status backward_start(const backward_run *run)
{
    const lstmae_loop_args *args = run->args;
    lae_cu_loop_moves moves = { run->queue, run->c_type, 0, {} };
    for (int64_t i = 0; i < args->count * args->L; i++) {
        const lae_cu_rows dc = lae_cu_even_rows(args->layers[i].dc, run->c_type, args->H, NULL, 0, args->B, args->H);
        LAE_CU_TRY(lae_cu_loop_move(&moves, &dc));
    }
    return lae_cu_loop_flush(&moves);
}

static lstmae_status backward_finish(const backward_run *run)
{
    const lstmae_loop_args *args = run->args;
    lae_cu_loop_moves moves = { run->queue, run->c_type, 0, {} };
    for (int64_t d = 0; d < args->count; d++) {
        for (int64_t l = 0; l < args->L; l++) {
            const void *from = lae_cu_loop_at(&run->rows, l, d, lae_cu_loop_h(args, l));
            const lae_cu_rows dh = lae_cu_even_rows(lae_cu_loop_layer(args, l, d)->dh, run->c_type, args->H, from,
                                                    lae_cu_loop_row(args, l), args->B, args->H);
            LAE_CU_TRY(lae_cu_loop_move(&moves, &dh));
        }
    }
    return lae_cu_loop_flush(&moves);
}

static lstmae_status backward_feed(const backward_run *run, int64_t t)
{
    const lstmae_loop_args *args = run->args;
    const int64_t outputs = args->B * args->F, row = lae_cu_loop_round(args->F);
    const int last = t + 1 == args->K;
    for (int64_t d = 0; d < args->count; d += LAE_CU_FEED_PARTS) {
        lae_cu_feed_gradient feed = {};
        feed.B = args->B;
        feed.F = args->F;
        feed.dtype = args->dtype;
        feed.map = args->map;
        if (!last) feed.dx = { lae_cu_loop_at(&run->rows, 0, d, 0), lae_cu_loop_row(args, 0), run->c_type };
        feed.factor = { lae_cu_at(run->factor, d * args->B * row, run->type), row, run->type };
        for (int64_t k = d; k < args->count && feed.parts < LAE_CU_FEED_PARTS; k++) {
            const lstmae_loop_decoder *decoder = &args->decoders[k];
            lae_cu_feed_gradient_part *part = &feed.part[feed.parts++];
            part->dy = lae_cu_at(decoder->dy, t * outputs, run->c_type);
            if (decoder->inputs && !last) part->fed = lae_cu_at(decoder->inputs, (t + 1) * outputs, run->c_type);
        }
        LAE_CU_TRY(lae_cu_feed_gradient_run(run->queue, &feed));
    }
    return LSTMAE_OK;
}

static lstmae_status backward_output(const backward_run *run, int64_t t)
{
    const lstmae_loop_args *args = run->args;
    const int64_t top = args->L - 1, row = lae_cu_loop_row(args, top);
    lae_cu_product_args product = {};
    product.type = run->type;
    product.c_type = run->c_type;
    product.M = args->B;
    product.N = args->H;
    product.K = args->F;
    product.a = run->factor;
    product.lda = lae_cu_loop_round(args->F);
    product.b = args->weights[args->L];
    product.ldb = lae_cu_loop_round(args->H);
    product.c = lae_cu_loop_at(&run->rows, top, 0, lae_cu_loop_h(args, top));
    product.ldc = row;
    product.batch = args->count;
    product.a_step = args->B * product.lda;
    product.b_step = lae_cu_loop_weights(args->F, 0, args->H, run->type);
    product.c_step = args->B * row;
    product.beta = t + 1 == args->K ? 0.0 : 1.0;
    return lae_cu_product(run->queue, &product);
}

static lae_cu_cell_backward_part backward_cell_of(const backward_run *run, int64_t l, int64_t d, int64_t t)
{
    const lstmae_loop_args *args = run->args;
    const lstmae_loop_layer *layer = lae_cu_loop_layer(args, l, d);
    const int64_t states = args->B * args->H, wide = lae_cu_loop_round(4 * args->H);
    lae_cu_cell_backward_part p = {};
    p.da = lae_cu_at(layer->gates, t * 4 * states, run->c_type);
    p.gates = p.da;
    p.c_before = lae_cu_at(layer->cs, t * states, run->c_type);
    p.c = lae_cu_at(layer->cs, (t + 1) * states, run->c_type);
    p.peephole = layer->peephole;
    if (t + 1 < args->K || l + 1 == args->L) p.dh_in = lae_cu_loop_at(&run->rows, l, d, lae_cu_loop_h(args, l));
    p.dh_in_row = lae_cu_loop_row(args, l);
    if (l + 1 < args->L) {
        p.dy = lae_cu_loop_at(&run->rows, l + 1, d, 0);
        p.dy_row = lae_cu_loop_row(args, l + 1);
    }
    if (layer->dropped) {
        lstmae_random_key key = layer->key;
        key.first += (uint64_t)(t * states);
        p.dropout = lae_cu_cell_dropout_of(run->queue, args->dropout, &key);
    }
    p.dc = layer->dc;
    p.da_copy = { lae_cu_at(run->factor, d * args->B * wide, run->type), wide, run->type };
    return p;
}

static lstmae_status backward_cells(const backward_run *run, int64_t l, int64_t t)
{
    const lstmae_loop_args *args = run->args;
    for (int64_t d = 0; d < args->count; d += LAE_CU_CELL_PARTS) {
        lae_cu_cell_backward cell = {};
        cell.B = args->B;
        cell.H = args->H;
        cell.dtype = args->dtype;
        for (int64_t k = d; k < args->count && cell.parts < LAE_CU_CELL_PARTS; k++)
            cell.part[cell.parts++] = backward_cell_of(run, l, k, t);
        LAE_CU_TRY(lae_cu_cell_backward_run(run->queue, &cell));
    }
    return LSTMAE_OK;
}

static lstmae_status backward_product(const backward_run *run, int64_t l, int64_t t)
{
    const lstmae_loop_args *args = run->args;
    const int64_t row = lae_cu_loop_row(args, l), first = l == 0 && t == 0 ? lae_cu_loop_h(args, l) : 0;
    lae_cu_product_args product = {};
    product.type = run->type;
    product.c_type = run->c_type;
    product.M = args->B;
    product.N = lae_cu_loop_h(args, l) + args->H - first;
    product.K = 4 * args->H;
    product.a = run->factor;
    product.lda = lae_cu_loop_round(4 * args->H);
    product.b = lae_cu_at(args->weights[l], first, run->type);
    product.ldb = row;
    product.c = lae_cu_loop_at(&run->rows, l, 0, first);
    product.ldc = row;
    product.batch = args->count;
    product.a_step = args->B * product.lda;
    product.b_step = lae_cu_loop_weights(4 * args->H, l == 0 ? args->F : args->H, args->H, run->type);
    product.c_step = args->B * row;
    return lae_cu_product(run->queue, &product);
}

lstmae_status lae_cu_loop_backward(lstmae_queue *queue, const lstmae_loop_args *args)
{
    LAE_CU_TRY(lae_cu_usable(queue));
    if (!lae_cu_loop_serves(args)) return LSTMAE_ERR_UNSUPPORTED;
    backward_run run = { queue, args, lae_cu_factor_type(queue, args->dtype), lae_cu_type_of(args->dtype), {}, NULL };
    const int64_t widest = args->F > 4 * args->H ? args->F : 4 * args->H;
    size_t bytes = 0;
    void *scratch;
    run.rows = lae_cu_loop_room(args, run.c_type, &bytes);
    const size_t factor = lae_cu_room(&bytes, args->count * args->B * lae_cu_loop_round(widest), run.type);
    LAE_CU_TRY(lae_cu_scratch(queue, bytes, &scratch));
    run.rows.scratch = scratch;
    run.factor = static_cast<char *>(scratch) + factor;
    LAE_CU_TRY(backward_start(&run));
    for (int64_t t = args->K - 1; t >= 0; t--) {
        LAE_CU_TRY(backward_feed(&run, t));
        LAE_CU_TRY(backward_output(&run, t));
        for (int64_t l = args->L - 1; l >= 0; l--) {
            LAE_CU_TRY(backward_cells(&run, l, t));
            LAE_CU_TRY(backward_product(&run, l, t));
        }
    }
    return backward_finish(&run);
}
