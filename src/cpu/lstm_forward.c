/*
 * The LSTM over a whole sequence. Products with the input need no state: they come first, for all steps at once, and
 * are left in the gates. Then, step by step, each thread computes its panels of four gates of VL units: the recurrent
 * product stays in an accumulator of its own and the cell follows at once, so that one barrier a step is enough.
 * Sequences of one step (closed loops, streaming) do all of it in one go.
 */
#include "cpu_entries.h"
#include "lstm_rows.h"

typedef struct forward_job {
    const lae_kernels *kernels;
    lae_pool *pool;
    const lstmae_lstm_args *args;
    lae_columns columns;
    const float *ih, *hh;    /* panels; ih is NULL when the input's products are already there */
    const float *start;      /* those products, rows of 4H; NULL: none */
    int64_t start_step;      /* from one step to the next */
    float *tiles;            /* accumulators, one per thread */
    int64_t tile_floats;
} forward_job;

/* Rows [m, m + rows) of panel p at step s: sums of products, then the cell. */
static void forward_rows(const forward_job *job, float *tile, int64_t s, int64_t p, int64_t m, int64_t rows)
{
    const lstmae_lstm_args *args = job->args;
    const int64_t B = args->B, H = args->H, lanes = job->kernels->lanes, each = lae_panel_columns(job->kernels);
    const int64_t t = lae_step_time(args, s), u = p * lanes, at = (s * B + m) * H + u;
    lae_sweep sweep = { 0 };
    sweep.vectors = LAE_PANEL_VECTORS;
    sweep.most = sweep.last = H - u < lanes ? H - u : lanes;
    sweep.rows = rows;
    sweep.c = tile;
    sweep.c_row = each;
    sweep.c_vec = lanes;
    if (job->start) {
        sweep.c_in = job->start + s * job->start_step + m * 4 * H + u;
        sweep.in_row = 4 * H;
        sweep.in_vec = H;
    }
    const int recurrent = s > 0 || !(args->flags & LSTMAE_SEQ_ZERO_STATE);
    const float *before = (const float *)args->hs + (s * B + m) * H;
    if (job->ih)
        lae_step_sweep(job->kernels, &sweep, (const float *)args->x + t * args->x_step + m * args->x_batch,
                       args->x_batch, job->ih + p * each * args->I, args->I);
    if (recurrent) lae_step_sweep(job->kernels, &sweep, before, H, job->hh + p * each * H, H);
    if (sweep.c_in != tile) job->kernels->sweep(&sweep); /* no products: brings the start, or zeros, into the tile */

    lae_cell cell = { 0 };
    cell.rows = rows;
    cell.units = sweep.last;
    cell.H = H;
    cell.gates = (float *)args->gates + (s * B + m) * 4 * H + u;
    cell.c_before = (const float *)args->cs + at;
    cell.h_before = (const float *)args->hs + at;
    cell.c = (float *)args->cs + at + B * H;
    cell.h = (float *)args->hs + at + B * H;
    cell.peephole = args->peephole ? (const float *)args->peephole + u : NULL;
    cell.lengths = args->lengths ? args->lengths + m : NULL;
    cell.time = t;
    cell.sums = tile;
    cell.b_ih = args->b_ih ? (const float *)args->b_ih + u : NULL;
    cell.b_hh = args->b_hh ? (const float *)args->b_hh + u : NULL;
    cell.y = args->y ? (float *)args->y + t * args->y_step + m * args->y_batch + u : NULL;
    cell.y_row = args->y_batch;
    job->kernels->cell_forward(&cell);
}

static void forward_steps(void *payload, int thread, int threads)
{
    const forward_job *job = payload;
    const int64_t B = job->args->B, panels = lae_panel_count(job->kernels, job->columns);
    float *tile = job->tiles + thread * job->tile_floats;
    int64_t p0, p1, m0, m1;
    lae_grid_part(lae_grid_of(B, panels, threads), B, panels, thread, &p0, &p1, &m0, &m1);
    for (int64_t s = 0; s < job->args->T; s++) {
        if (s) lae_pool_barrier(job->pool, threads); /* this step reads every unit of the last one */
        for (int64_t p = p0; p < p1; p++) {
            for (int64_t m = m0; m < m1; m += LAE_STEP_ROWS)
                forward_rows(job, tile, s, p, m, m1 - m < LAE_STEP_ROWS ? m1 - m : LAE_STEP_ROWS);
        }
    }
}

/* The weights in panels, packed here if they did not come so; NULL without memory. */
static const float *forward_weights(lstmae_queue *queue, lae_scratch_use use, const void *prepared, const void *w,
                                    int64_t N, int64_t K)
{
    if (prepared) return prepared;
    void *packed = lae_scratch_get(queue, use, cpu_prepare_bytes(queue, LSTMAE_PREPARE_GATES, N, K, LSTMAE_F32));
    if (packed) cpu_prepare(queue, LSTMAE_PREPARE_GATES, packed, w, N, K, LSTMAE_F32);
    return packed;
}

/* W_ih x for all steps into the gates; for one input that repeats, once, into rows of their own. */
static lstmae_status forward_inputs(lstmae_queue *queue, forward_job *job)
{
    const lstmae_lstm_args *args = job->args;
    const int repeated = args->x_step == 0;
    lae_gemm gemm = { 0 };
    gemm.M = repeated ? args->B : args->T * args->B;
    gemm.N = 4 * args->H;
    gemm.K = args->I;
    gemm.a = (const float *)args->x + lae_step_time(args, 0) * args->x_step;
    gemm.a_rows = repeated ? lae_even_rows(args->x_batch) : lae_step_rows(args, args->x_step, args->x_batch);
    gemm.prepared = job->ih;
    gemm.c = args->gates;
    gemm.c_rows = lae_even_rows(gemm.N);
    gemm.columns = job->columns;
    if (repeated) {
        gemm.c = lae_scratch_get(queue, LAE_SCRATCH_ROWS, (size_t)(gemm.M * gemm.N) * sizeof(float));
        if (!gemm.c) return LSTMAE_ERR_NO_MEMORY;
    }
    job->start = gemm.c;
    job->start_step = repeated ? 0 : args->B * gemm.N;
    job->ih = NULL;
    return lae_gemm_run(queue, &gemm);
}

static void forward_step(void *payload, int thread, int threads)
{
    const forward_job *job = payload;
    const lstmae_lstm_args *args = job->args;
    const int64_t H = args->H;
    lae_step step = { .I = args->I, .H = H, .x = args->x, .ih = job->ih, .hh = job->hh };
    int64_t p0, p1;
    step.h_before = args->flags & LSTMAE_SEQ_ZERO_STATE ? NULL : args->hs;
    step.c_before = args->cs;
    step.b_ih = args->b_ih;
    step.b_hh = args->b_hh;
    step.peephole = args->peephole;
    step.gates = args->gates;
    step.h = (float *)args->hs + H;
    step.c = (float *)args->cs + H;
    step.y = args->y;
    lae_pool_part(lae_panel_count(job->kernels, job->columns), thread, threads, &p0, &p1);
    job->kernels->step(&step, p0, p1);
}

lstmae_status cpu_lstm_forward(lstmae_queue *queue, const lstmae_lstm_args *args)
{
    if (args->dtype != LSTMAE_F32) return LSTMAE_ERR_UNSUPPORTED;
    const int64_t G = 4 * args->H, steps = args->T;
    if (steps == 0 || args->B == 0 || args->H == 0) return LSTMAE_OK;
    forward_job job = { 0 };
    job.kernels = queue->kernels;
    job.pool = queue->pool;
    job.args = args;
    job.columns = (lae_columns){ G, args->H };
    job.hh = forward_weights(queue, LAE_SCRATCH_PACK_W, args->prepared_hh, args->w_hh, G, args->H);
    if (!job.hh) return LSTMAE_ERR_NO_MEMORY;
    if (args->x && args->I > 0) {
        job.ih = forward_weights(queue, LAE_SCRATCH_PACK_B, args->prepared_ih, args->w_ih, G, args->I);
        if (!job.ih) return LSTMAE_ERR_NO_MEMORY;
        if (steps > 1) {
            lstmae_status status = forward_inputs(queue, &job);
            if (status < 0) return status;
        }
    }
    const int64_t depth = args->H + (job.ih ? args->I : 0);
    const int threads = lae_step_threads(queue, steps, args->B * G * depth);
    if (steps == 1 && args->B == 1 && !args->lengths) {
        lae_pool_run(queue->pool, threads, forward_step, &job);
        return LSTMAE_OK;
    }
    job.tiles = lae_step_tiles(queue, args->B, threads);
    if (!job.tiles) return LSTMAE_ERR_NO_MEMORY;
    job.tile_floats = (args->B < LAE_STEP_ROWS ? args->B : LAE_STEP_ROWS) * lae_panel_columns(queue->kernels);
    lae_pool_run(queue->pool, threads, forward_steps, &job);
    return LSTMAE_OK;
}
