/* Sums of the "cpu" device, in double, in an order that the shapes alone decide: reduce, sum_squares, loss. */
#include "cpu_arrays.h"

#include "kernels.h"
#include "walk.h"

/* ---- one number from all elements ---- */

static double sums_total(const double *sums, int64_t count)
{
    double total = 0.0;
    for (int64_t i = 0; i < count; i++) total += sums[i];
    return total;
}

static double *sums_scratch(lstmae_queue *queue, int64_t count)
{
    return lae_scratch_get(queue, LAE_SCRATCH_POINTWISE, (size_t)(count > 0 ? count : 1) * sizeof(double));
}

static void sums_stretch(const void *arg, float *const *at, int64_t first, int64_t n, lae_lanes *lanes)
{
    (void)first;
    ((const lae_pointwise *)arg)->sum(lanes, at[0], n);
}

static void sums_squares_stretch(const void *arg, float *const *at, int64_t first, int64_t n, lae_lanes *lanes)
{
    (void)first;
    ((const lae_pointwise *)arg)->sum_squares(lanes, at[0], n);
}

typedef struct sums_squares_task {
    const lae_pointwise *loops;
    const lstmae_view *views;
    int64_t count;
    int64_t units; /* of all views */
    double *sums;
} sums_squares_task;

/* The thread's part of the units of all views, as if they lay one after the other. */
static void sums_squares_share(void *arg, int thread, int threads)
{
    const sums_squares_task *task = arg;
    int64_t begin, end, before = 0;
    lae_pool_part(task->units, thread, threads, &begin, &end);
    for (int64_t v = 0; v < task->count && before < end; v++) {
        const lstmae_view *view = &task->views[v];
        lae_walk walk;
        lae_walk_start_any(&walk, 1, &view, 1u, 0);
        int64_t from = begin > before ? begin - before : 0;
        int64_t to = end - before < walk.units ? end - before : walk.units;
        lae_walk_units(&walk, from, to, sums_squares_stretch, task->loops, task->sums + before);
        before += walk.units;
    }
}

lstmae_status cpu_sum_squares(lstmae_queue *queue, const lstmae_view *views, int64_t count, double *out)
{
    sums_squares_task task = { .loops = lae_pointwise_of(queue->kernels->isa), .views = views, .count = count };
    int64_t elements = 0;
    for (int64_t v = 0; v < count; v++) {
        const lstmae_view *view = &views[v];
        lae_walk walk;
        if (!CPU_ALL_FLOATS(1, view)) return cpu_reference(queue)->sum_squares(queue, views, count, out);
        lae_walk_start_any(&walk, 1, &view, 1u, 0);
        task.units += walk.units;
        elements += lae_walk_numel(&walk);
    }
    task.sums = sums_scratch(queue, task.units);
    if (!task.sums) return LSTMAE_ERR_NO_MEMORY;
    int wanted = lae_pool_wanted(queue->pool, elements, LAE_POOL_GRAIN_ELEMENTS);
    lae_pool_run(queue->pool, wanted, sums_squares_share, &task);
    *out = sums_total(task.sums, task.units);
    return LSTMAE_OK;
}

/* ---- losses ---- */

/* What an element costs, in moved ones. */
#define LOSS_COST 2
#define LOSS_COST_BCE 12

typedef struct loss_call {
    const lae_pointwise *loops;
    lae_loss_stretch stretch;
} loss_call;

static void loss_stretch(const void *arg, float *const *at, int64_t first, int64_t n, lae_lanes *lanes)
{
    const loss_call *call = arg;
    lae_loss_stretch stretch = call->stretch;
    (void)first;
    stretch.pred = at[0];
    stretch.target = at[1];
    stretch.mask = at[2];
    stretch.grad = at[3];
    call->loops->loss(lanes, &stretch, n);
}

lstmae_status cpu_loss(lstmae_queue *queue, const lstmae_loss_args *args)
{
    lae_walk walk;
    const lstmae_view *views[] = { &args->pred, &args->target, args->mask, args->grad };
    if (!cpu_all_floats(4, views) || args->op < 0 || args->op > LSTMAE_LOSS_OP_BCE_LOGITS)
        return cpu_reference(queue)->loss(queue, args);
    loss_call call = { .loops = lae_pointwise_of(queue->kernels->isa),
                       .stretch = { .op = args->op, .delta = (float)args->delta,
                                    .grad_scale = (float)args->grad_scale } };
    lae_walk_start_any(&walk, 4, views, 7u, 8u);
    double *sums = sums_scratch(queue, walk.units);
    if (!sums) return LSTMAE_ERR_NO_MEMORY;
    int64_t cost = args->op == LSTMAE_LOSS_OP_BCE_LOGITS ? LOSS_COST_BCE : LOSS_COST;
    lae_walk_run(queue, &walk, cost, loss_stretch, &call, sums);
    *args->value += args->scale * sums_total(sums, walk.units);
    return LSTMAE_OK;
}

/* ---- reduce ---- */

/* Columns that a thread sums at once, and rows after which a new sum begins. */
#define REDUCE_COLUMNS 2048
#define REDUCE_ROWS 256

/*
 * in as a matrix [rows][columns] with columns next to each other, one of its axes summed away; where the columns go,
 * perhaps as several such matrices that are added.
 */
typedef struct reduce_matrix {
    const lae_pointwise *loops;
    const float *in;
    float *out;
    int64_t rows, columns, row_stride;
    int64_t planes, plane_stride;
    int64_t out_stride;  /* along the axis that stays */
    int64_t row_blocks, column_blocks;
    double scale, beta;
    double *sums; /* [row_blocks][columns] */
} reduce_matrix;

/* How the axes of a walk over both make the matrix; 0 where more of them are left after merging than fit. */
static int reduce_axes(reduce_matrix *m, int *columns_go, const lae_walk *walk)
{
    /* With two axes before the columns, one is that of the rows and stays. */
    const int row = walk->axes == 2 && walk->stride[1][0] != 0 ? 0 : walk->axes - 1;
    int64_t row_out = walk->axes > 0 ? walk->stride[1][row] : 0, column_out = walk->inner_stride[1];
    *columns_go = column_out == 0;
    if (walk->axes > 2 || walk->inner_stride[0] != 1 || (row_out != 0 && column_out != 0)) return 0;
    if (walk->axes == 2 && (column_out != 0 || row_out == 0 || walk->stride[1][1 - row] != 0)) return 0;
    m->rows = walk->axes > 0 ? walk->dim[row] : 1;
    m->columns = walk->inner;
    m->row_stride = walk->axes > 0 ? walk->stride[0][row] : 0;
    m->planes = walk->axes == 2 ? walk->dim[1 - row] : 1;
    m->plane_stride = walk->axes == 2 ? walk->stride[0][1 - row] : 0;
    m->out_stride = *columns_go ? row_out : column_out;
    return 1;
}

/* At least one axis stays. 0: the reference takes over. */
static int reduce_shape(reduce_matrix *m, int *columns_go, const lstmae_view *out, const lstmae_view *in)
{
    lae_walk walk;
    lstmae_view spread = *out;
    const lstmae_view *views[] = { in, &spread };
    for (int axis = 0; axis < in->ndim; axis++) {
        spread.dim[axis] = in->dim[axis];
        if (out->dim[axis] == 1) spread.stride[axis] = 0;
    }
    m->in = in->data;
    lae_walk_start(&walk, 2, views, 0, 0);
    if (reduce_axes(m, columns_go, &walk)) return 1;
    lae_walk_start_any(&walk, 2, views, 0, 0);
    return reduce_axes(m, columns_go, &walk);
}

static void reduce_store(const reduce_matrix *m, int64_t index, double sum)
{
    float *out = m->out + index * m->out_stride;
    double value = sum * m->scale;
    if (m->beta != 0.0) value += m->beta * (double)*out;
    *out = (float)value;
}

/* Each row, of all planes, to one number. */
static void reduce_rows_share(void *arg, int thread, int threads)
{
    const reduce_matrix *m = arg;
    int64_t begin, end;
    lae_pool_part(m->rows, thread, threads, &begin, &end);
    for (int64_t row = begin; row < end; row++) {
        lae_lanes lanes = { { 0 } };
        for (int64_t plane = 0; plane < m->planes; plane++)
            m->loops->sum(&lanes, m->in + row * m->row_stride + plane * m->plane_stride, m->columns);
        reduce_store(m, row, lae_lanes_sum(&lanes));
    }
}

/* Sums of REDUCE_COLUMNS columns over REDUCE_ROWS rows. */
static void reduce_columns_share(void *arg, int thread, int threads)
{
    const reduce_matrix *m = arg;
    int64_t begin, end;
    lae_pool_part(m->row_blocks * m->column_blocks, thread, threads, &begin, &end);
    for (int64_t block = begin; block < end; block++) {
        int64_t column = block % m->column_blocks * REDUCE_COLUMNS, row = block / m->column_blocks * REDUCE_ROWS;
        int64_t n = m->columns - column < REDUCE_COLUMNS ? m->columns - column : REDUCE_COLUMNS;
        int64_t last = m->rows - row < REDUCE_ROWS ? m->rows : row + REDUCE_ROWS;
        double *sums = m->sums + block / m->column_blocks * m->columns + column;
        for (int64_t j = 0; j < n; j++) sums[j] = 0.0;
        m->loops->add_rows(sums, m->in + row * m->row_stride + column, m->row_stride, last - row, n);
    }
}

static lstmae_status reduce_columns(lstmae_queue *queue, reduce_matrix *m, int wanted)
{
    m->row_blocks = (m->rows + REDUCE_ROWS - 1) / REDUCE_ROWS;
    m->column_blocks = (m->columns + REDUCE_COLUMNS - 1) / REDUCE_COLUMNS;
    m->sums = sums_scratch(queue, m->row_blocks * m->columns);
    if (!m->sums) return LSTMAE_ERR_NO_MEMORY;
    lae_pool_run(queue->pool, wanted, reduce_columns_share, m);
    for (int64_t j = 0; j < m->columns; j++) {
        double sum = 0.0;
        for (int64_t block = 0; block < m->row_blocks; block++) sum += m->sums[block * m->columns + j];
        reduce_store(m, j, sum);
    }
    return LSTMAE_OK;
}

static lstmae_status reduce_all(lstmae_queue *queue, reduce_matrix *m, const lstmae_view *in)
{
    lae_walk walk;
    lae_walk_start_any(&walk, 1, &in, 1u, 0);
    double *sums = sums_scratch(queue, walk.units);
    if (!sums) return LSTMAE_ERR_NO_MEMORY;
    lae_walk_run(queue, &walk, 1, sums_stretch, m->loops, sums);
    reduce_store(m, 0, sums_total(sums, walk.units));
    return LSTMAE_OK;
}

static int64_t reduce_numel(const lstmae_view *view)
{
    int64_t numel = 1;
    for (int axis = 0; axis < view->ndim; axis++) numel *= view->dim[axis];
    return numel;
}

lstmae_status cpu_reduce(lstmae_queue *queue, int kind, const lstmae_view *out, const lstmae_view *in, double beta)
{
    int64_t in_numel = reduce_numel(in), out_numel = reduce_numel(out);
    int sums = kind == LSTMAE_REDUCE_SUM || kind == LSTMAE_REDUCE_MEAN, columns_go;
    reduce_matrix m = { .loops = lae_pointwise_of(queue->kernels->isa), .scale = 1.0, .beta = beta };
    if (!CPU_ALL_FLOATS(2, out, in) || !sums || in_numel == 0)
        return cpu_reference(queue)->reduce(queue, kind, out, in, beta);
    if (kind == LSTMAE_REDUCE_MEAN) m.scale = (double)out_numel / (double)in_numel;
    m.out = out->data;
    if (out_numel == 1) return reduce_all(queue, &m, in);
    if (!reduce_shape(&m, &columns_go, out, in)) return cpu_reference(queue)->reduce(queue, kind, out, in, beta);
    int wanted = lae_pool_wanted(queue->pool, in_numel, LAE_POOL_GRAIN_ELEMENTS);
    if (!columns_go) return reduce_columns(queue, &m, wanted);
    lae_pool_run(queue->pool, wanted, reduce_rows_share, &m);
    return LSTMAE_OK;
}
