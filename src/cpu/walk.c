#include "walk.h"

#include <stddef.h>

/* Most elements that are gathered at once. */
#define WALK_GATHER 1024

static void walk_push_axis(lae_walk *walk, int64_t dim, const int64_t stride[LAE_WALK_VIEWS])
{
    int last = walk->axes - 1, merges = last >= 0;
    for (int v = 0; v < walk->views && merges; v++) merges = walk->stride[v][last] == stride[v] * dim;
    if (merges) walk->dim[last] *= dim;
    else walk->dim[walk->axes] = dim;
    for (int v = 0; v < walk->views; v++) walk->stride[v][merges ? last : walk->axes] = stride[v];
    if (!merges) walk->axes++;
}

static void walk_cut(lae_walk *walk)
{
    walk->rows = 1;
    for (int axis = 0; axis < walk->axes; axis++) walk->rows *= walk->dim[axis];
    walk->rows_per_unit = walk->units_per_row = 1;
    if (walk->inner >= LAE_WALK_UNIT) walk->units_per_row = (walk->inner + LAE_WALK_UNIT - 1) / LAE_WALK_UNIT;
    else if (walk->inner > 0) walk->rows_per_unit = LAE_WALK_UNIT / walk->inner;
    walk->units = walk->inner == 0 ? 0 : (walk->rows + walk->rows_per_unit - 1) / walk->rows_per_unit;
    walk->units *= walk->units_per_row;
}

/* Over the axes in this order. */
static void walk_build(lae_walk *walk, int count, const lstmae_view *const *views, const int *order)
{
    walk->views = count;
    walk->axes = 0;
    for (int v = 0; v < count; v++) walk->data[v] = views[v] ? views[v]->data : NULL;
    for (int i = 0; i < views[0]->ndim; i++) {
        const int axis = order[i];
        int64_t stride[LAE_WALK_VIEWS];
        if (views[0]->dim[axis] == 1) continue;
        for (int v = 0; v < count; v++) stride[v] = views[v] ? views[v]->stride[axis] : 0;
        walk_push_axis(walk, views[0]->dim[axis], stride);
    }
    walk->inner = 1;
    if (walk->axes > 0) walk->inner = walk->dim[--walk->axes];
    for (int v = 0; v < count; v++) walk->inner_stride[v] = walk->inner > 1 ? walk->stride[v][walk->axes] : 1;
    walk_cut(walk);
}

void lae_walk_start(lae_walk *walk, int count, const lstmae_view *const *views, unsigned read, unsigned written)
{
    static const int row_major[LSTMAE_MAX_DIMS] = { 0, 1, 2, 3 };
    walk->read = read;
    walk->written = written;
    walk_build(walk, count, views, row_major);
}

/* What an element costs, about, in moved ones: starting a row is dear, and so is an element that is gathered. */
static double walk_cost(const lae_walk *walk)
{
    double cost = walk->inner > 0 ? 64.0 / (double)walk->inner : 0.0;
    for (int v = 0; v < walk->views; v++) cost += !walk->data[v] ? 0.0 : walk->inner_stride[v] == 1 ? 1.0 : 3.0;
    return cost;
}

/* Axes in the order in which a view lies in memory, widest strides first. */
static void walk_order(int *order, const lstmae_view *view)
{
    for (int axis = 0; axis < view->ndim; axis++) {
        const int64_t stride = view->stride[axis] < 0 ? -view->stride[axis] : view->stride[axis];
        int at = axis;
        for (; at > 0; at--) {
            const int64_t before = view->stride[order[at - 1]];
            if ((before < 0 ? -before : before) >= stride) break;
            order[at] = order[at - 1];
        }
        order[at] = axis;
    }
}

void lae_walk_start_any(lae_walk *walk, int count, const lstmae_view *const *views, unsigned read, unsigned written)
{
    lae_walk_start(walk, count, views, read, written);
    if (walk->axes == 0) return;
    for (int v = 0; v < count; v++) {
        lae_walk other;
        int order[LSTMAE_MAX_DIMS];
        if (!views[v]) continue;
        walk_order(order, views[v]);
        walk_build(&other, count, views, order);
        other.read = read;
        other.written = written;
        if (walk_cost(&other) < walk_cost(walk)) *walk = other;
    }
}

int64_t lae_walk_numel(const lae_walk *walk)
{
    return walk->rows * walk->inner;
}

/* Elements [begin, begin + n) of a row, whose first elements are at row[v]. */
static void walk_gathered(const lae_walk *walk, float *const *row, int64_t first, int64_t begin, int64_t n,
                          lae_stretch_fn fn, const void *arg, lae_lanes *lanes)
{
    float buffer[LAE_WALK_VIEWS][WALK_GATHER], *at[LAE_WALK_VIEWS];
    for (int v = 0; v < walk->views; v++) {
        int64_t stride = walk->inner_stride[v];
        float *from = row[v] ? row[v] + begin * stride : NULL;
        at[v] = from && stride != 1 ? buffer[v] : from;
        if (at[v] == from || !(walk->read & 1u << v)) continue;
        for (int64_t i = 0; i < n; i++) buffer[v][i] = from[i * stride];
    }
    fn(arg, at, first, n, lanes);
    for (int v = 0; v < walk->views; v++) {
        int64_t stride = walk->inner_stride[v];
        if (at[v] != buffer[v] || !(walk->written & 1u << v)) continue;
        for (int64_t i = 0; i < n; i++) row[v][(begin + i) * stride] = buffer[v][i];
    }
}

static void walk_stretch(const lae_walk *walk, float *const *row, int64_t first, int64_t begin, int64_t end,
                         lae_stretch_fn fn, const void *arg, lae_lanes *lanes)
{
    float *at[LAE_WALK_VIEWS];
    int contiguous = 1;
    for (int v = 0; v < walk->views; v++) {
        at[v] = row[v] ? row[v] + begin : NULL;
        contiguous &= !row[v] || walk->inner_stride[v] == 1;
    }
    if (contiguous) {
        fn(arg, at, first + begin, end - begin, lanes);
        return;
    }
    for (; begin < end; begin += WALK_GATHER) {
        int64_t n = end - begin < WALK_GATHER ? end - begin : WALK_GATHER;
        walk_gathered(walk, row, first + begin, begin, n, fn, arg, lanes);
    }
}

/* Where row `index` starts in every view. */
static void walk_row(const lae_walk *walk, int64_t index, float **row)
{
    int64_t offset[LAE_WALK_VIEWS] = { 0 };
    for (int axis = walk->axes - 1; axis >= 0; axis--) {
        int64_t at = axis > 0 ? index % walk->dim[axis] : index;
        index /= walk->dim[axis];
        for (int v = 0; v < walk->views; v++) offset[v] += at * walk->stride[v][axis];
    }
    for (int v = 0; v < walk->views; v++) row[v] = walk->data[v] ? walk->data[v] + offset[v] : NULL;
}

void lae_walk_units(const lae_walk *walk, int64_t begin, int64_t end, lae_stretch_fn fn, const void *arg, double *sums)
{
    lae_lanes lanes;
    for (int64_t unit = begin; unit < end; unit++) {
        int64_t row = unit / walk->units_per_row * walk->rows_per_unit;
        int64_t last = row + walk->rows_per_unit < walk->rows ? row + walk->rows_per_unit : walk->rows;
        int64_t from = unit % walk->units_per_row * LAE_WALK_UNIT;
        int64_t to = walk->inner - from < LAE_WALK_UNIT ? walk->inner : from + LAE_WALK_UNIT;
        if (sums) lanes = (lae_lanes){ { 0 } };
        for (; row < last; row++) {
            float *start[LAE_WALK_VIEWS];
            walk_row(walk, row, start);
            walk_stretch(walk, start, row * walk->inner, from, to, fn, arg, sums ? &lanes : NULL);
        }
        if (sums) sums[unit] = lae_lanes_sum(&lanes);
    }
}

typedef struct walk_task {
    const lae_walk *walk;
    lae_stretch_fn fn;
    const void *arg;
    double *sums;
} walk_task;

static void walk_share(void *arg, int thread, int threads)
{
    const walk_task *task = arg;
    int64_t begin, end;
    lae_pool_part(task->walk->units, thread, threads, &begin, &end);
    lae_walk_units(task->walk, begin, end, task->fn, task->arg, task->sums);
}

void lae_walk_run(lstmae_queue *queue, const lae_walk *walk, int64_t cost, lae_stretch_fn fn, const void *arg,
                  double *sums)
{
    walk_task task = { walk, fn, arg, sums };
    int wanted = lae_pool_wanted(queue->pool, lae_walk_numel(walk) * cost, LAE_POOL_GRAIN_ELEMENTS);
    lae_pool_run(queue->pool, wanted, walk_share, &task);
}
