/*
 * Data gradients of an LSTM over a whole sequence. dL/dh of a step is dL/da of the next one times W_hh: each thread
 * computes it for its panels of units, into an accumulator of its own, and goes on with the cell of those units at
 * once; one barrier a step. dL/dx follows at the end, for all steps in one product.
 */
#include "cpu_entries.h"
#include "lstm_rows.h"

typedef struct backward_job {
    const lae_kernels *kernels;
    lae_pool *pool;
    const lstmae_lstm_args *args;
    lae_columns columns; /* H, plain */
    const float *hh;     /* panels of W_hh */
    float *tiles;
    int64_t tile_floats;
} backward_job;

/* The cell of step s, rows [m, m + rows), panel p: dL/dh_s comes from dh_in, dL/da_s goes to the gates. */
static void backward_cell(const backward_job *job, int64_t s, int64_t p, int64_t m, int64_t rows, const float *dh_in,
                          int64_t dh_in_row)
{
    const lstmae_lstm_args *args = job->args;
    const int64_t B = args->B, H = args->H, each = lae_panel_columns(job->kernels);
    const int64_t t = lae_step_time(args, s), u = p * each, at = (s * B + m) * H + u;
    lae_cell cell = { 0 };
    cell.rows = rows;
    cell.units = H - u < each ? H - u : each;
    cell.H = H;
    cell.gates = (float *)args->gates + (s * B + m) * 4 * H + u;
    cell.c_before = (const float *)args->cs + at;
    cell.c = (float *)args->cs + at + B * H;
    cell.peephole = args->peephole ? (const float *)args->peephole + u : NULL;
    cell.lengths = args->lengths ? args->lengths + m : NULL;
    cell.time = t;
    cell.dh_in = dh_in;
    cell.dh_in_row = dh_in_row;
    cell.dh = (float *)args->dh + m * H + u;
    cell.dc = (float *)args->dc + m * H + u;
    cell.dy = args->dy ? (const float *)args->dy + t * args->dy_step + m * args->dy_batch + u : NULL;
    cell.dy_row = args->dy_batch;
    job->kernels->cell_backward(&cell);
}

/* c = da_s W_hh for some rows and panel p, plus what passed the cell by (ended samples). */
static void backward_product(const backward_job *job, int64_t s, int64_t p, int64_t m, int64_t rows, float *c,
                             int64_t c_row)
{
    const lstmae_lstm_args *args = job->args;
    const int64_t B = args->B, H = args->H, each = lae_panel_columns(job->kernels);
    lae_sweep sweep = { 0 };
    lae_sweep_columns(job->kernels, &sweep, job->columns, p, c, NULL);
    sweep.c = c;
    sweep.c_row = c_row;
    sweep.rows = rows;
    if (args->lengths) {
        sweep.c_in = (const float *)args->dh + m * H + p * each;
        sweep.in_row = H;
    }
    lae_step_sweep(job->kernels, &sweep, (const float *)args->gates + (s * B + m) * 4 * H, 4 * H,
                   job->hh + p * each * 4 * H, 4 * H);
}

/* One panel and some rows at step s, given dL/da of step s + 1. */
static void backward_rows(const backward_job *job, float *tile, int64_t s, int64_t p, int64_t m, int64_t rows)
{
    const lstmae_lstm_args *args = job->args;
    const int64_t H = args->H, each = lae_panel_columns(job->kernels);
    float *dh = (float *)args->dh + m * H + p * each;
    if (s == args->T - 1) {
        backward_cell(job, s, p, m, rows, dh, H);
    } else if (s >= 0) {
        backward_product(job, s + 1, p, m, rows, tile, each);
        backward_cell(job, s, p, m, rows, tile, each);
    } else {
        backward_product(job, 0, p, m, rows, dh, H);
    }
}

static void backward_steps(void *payload, int thread, int threads)
{
    const backward_job *job = payload;
    const lstmae_lstm_args *args = job->args;
    const int64_t B = args->B, panels = lae_panel_count(job->kernels, job->columns);
    const int64_t last = args->flags & LSTMAE_SEQ_NO_STATE_GRAD ? 0 : -1; /* -1: the gradient of the initial state */
    float *tile = job->tiles + thread * job->tile_floats;
    int64_t p0, p1, m0, m1;
    lae_grid_part(lae_grid_of(B, panels, threads), B, panels, thread, &p0, &p1, &m0, &m1);
    for (int64_t s = args->T - 1; s >= last; s--) {
        if (s < args->T - 1) lae_pool_barrier(job->pool, threads); /* this step reads every dL/da of the one after */
        for (int64_t p = p0; p < p1; p++) {
            for (int64_t m = m0; m < m1; m += LAE_STEP_ROWS)
                backward_rows(job, tile, s, p, m, m1 - m < LAE_STEP_ROWS ? m1 - m : LAE_STEP_ROWS);
        }
    }
}

static lstmae_status backward_inputs(lstmae_queue *queue, const lstmae_lstm_args *args)
{
    lae_gemm gemm = { 0 };
    gemm.M = args->T * args->B;
    gemm.N = args->I;
    gemm.K = 4 * args->H;
    gemm.a = args->gates;
    gemm.a_rows = lae_even_rows(gemm.K);
    gemm.b = args->w_ih;
    gemm.b_rows = lae_even_rows(args->I);
    gemm.prepared = args->prepared_ih;
    gemm.c = (float *)args->dx + lae_step_time(args, 0) * args->dx_step;
    gemm.c_rows = lae_step_rows(args, args->dx_step, args->dx_batch);
    gemm.columns.count = args->I;
    return lae_gemm_run(queue, &gemm);
}

lstmae_status cpu_lstm_backward(lstmae_queue *queue, const lstmae_lstm_args *args)
{
    if (args->dtype != LSTMAE_F32) return LSTMAE_ERR_UNSUPPORTED;
    const int64_t H = args->H, steps = args->T;
    if (steps == 0 || args->B == 0 || H == 0) return LSTMAE_OK;
    backward_job job = { 0 };
    job.kernels = queue->kernels;
    job.pool = queue->pool;
    job.args = args;
    job.columns.count = H;
    job.hh = args->prepared_hh;
    if (!job.hh) {
        void *packed = lae_scratch_get(queue, LAE_SCRATCH_PACK_W,
                                       cpu_prepare_bytes(queue, LSTMAE_PREPARE_BACKWARD, 4 * H, H, LSTMAE_F32));
        if (!packed) return LSTMAE_ERR_NO_MEMORY;
        cpu_prepare(queue, LSTMAE_PREPARE_BACKWARD, packed, args->w_hh, 4 * H, H, LSTMAE_F32);
        job.hh = packed;
    }
    const int threads = lae_step_threads(queue, steps, args->B * 4 * H * H);
    job.tiles = lae_step_tiles(queue, args->B, threads);
    if (!job.tiles) return LSTMAE_ERR_NO_MEMORY;
    job.tile_floats = (args->B < LAE_STEP_ROWS ? args->B : LAE_STEP_ROWS) * lae_panel_columns(queue->kernels);
    lae_pool_run(queue->pool, threads, backward_steps, &job);
    return args->dx && args->I > 0 ? backward_inputs(queue, args) : LSTMAE_OK;
}
