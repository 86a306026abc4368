/* Elementwise entries of the "cpu" device: float stretches to the vector loops, all else to the reference. */
#include "cpu_arrays.h"

#include "kernels.h"
#include "walk.h"

#include "shared/builtin_backends.h"
#include "shared/map_kind.h"

#include <string.h>

/* How much more than moving an element computing it costs, for the share of work that is worth a thread. */
#define ARRAYS_COST_MOVE 1
#define ARRAYS_COST_EXP 8

#define VIEW(v) (1u << (v))

typedef struct arrays_call {
    const lae_pointwise *loops;
    int kind;
    float alpha, beta; /* factors; alpha is a map's param */
} arrays_call;

static arrays_call arrays_call_of(const lstmae_queue *queue)
{
    return (arrays_call){ .loops = lae_pointwise_of(queue->kernels->isa) };
}

const lstmae_backend_api *cpu_reference(const lstmae_queue *queue)
{
    return lae_backend_cpu_ref(queue->host);
}

int cpu_all_floats(int count, const lstmae_view *const *views)
{
    for (int v = 0; v < count; v++)
        if (views[v] && views[v]->dtype != LSTMAE_F32) return 0;
    return 1;
}

static void arrays_copy(const void *arg, float *const *at, int64_t first, int64_t n, lae_lanes *lanes)
{
    (void)arg;
    (void)first;
    (void)lanes;
    memcpy(at[0], at[1], (size_t)n * sizeof(float));
}

lstmae_status cpu_copy(lstmae_queue *queue, const lstmae_view *dst, const lstmae_view *src)
{
    lae_walk walk;
    if (!CPU_ALL_FLOATS(2, dst, src)) return cpu_reference(queue)->copy(queue, dst, src);
    lae_walk_start_any(&walk, 2, (const lstmae_view *const[]){ dst, src }, VIEW(1), VIEW(0));
    lae_walk_run(queue, &walk, ARRAYS_COST_MOVE, arrays_copy, NULL, NULL);
    return LSTMAE_OK;
}

static void arrays_fill(const void *arg, float *const *at, int64_t first, int64_t n, lae_lanes *lanes)
{
    float value = ((const arrays_call *)arg)->alpha;
    (void)first;
    (void)lanes;
    for (int64_t i = 0; i < n; i++) at[0][i] = value;
}

lstmae_status cpu_fill(lstmae_queue *queue, const lstmae_view *dst, double value)
{
    lae_walk walk;
    if (!CPU_ALL_FLOATS(1, dst)) return cpu_reference(queue)->fill(queue, dst, value);
    arrays_call call = { .alpha = (float)value };
    lae_walk_start_any(&walk, 1, &dst, 0, VIEW(0));
    lae_walk_run(queue, &walk, ARRAYS_COST_MOVE, arrays_fill, &call, NULL);
    return LSTMAE_OK;
}

static int64_t arrays_map_cost(int kind)
{
    int moves = kind == LSTMAE_MAP_IDENTITY || kind == LSTMAE_MAP_RELU || kind == LSTMAE_MAP_LEAKY_RELU;
    return moves ? ARRAYS_COST_MOVE : ARRAYS_COST_EXP;
}

static void arrays_map(const void *arg, float *const *at, int64_t first, int64_t n, lae_lanes *lanes)
{
    const arrays_call *call = arg;
    (void)first;
    (void)lanes;
    call->loops->map(call->kind, call->alpha, at[0], at[1], n);
}

lstmae_status cpu_map(lstmae_queue *queue, int kind, double param, const lstmae_view *y, const lstmae_view *x)
{
    lae_walk walk;
    if (!CPU_ALL_FLOATS(2, y, x) || kind < 0 || kind >= LAE_MAP_KINDS)
        return cpu_reference(queue)->map(queue, kind, param, y, x);
    arrays_call call = arrays_call_of(queue);
    call.kind = kind;
    call.alpha = (float)param;
    lae_walk_start_any(&walk, 2, (const lstmae_view *const[]){ y, x }, VIEW(1), VIEW(0));
    lae_walk_run(queue, &walk, arrays_map_cost(kind), arrays_map, &call, NULL);
    return LSTMAE_OK;
}

static void arrays_map_backward(const void *arg, float *const *at, int64_t first, int64_t n, lae_lanes *lanes)
{
    const arrays_call *call = arg;
    (void)first;
    (void)lanes;
    call->loops->map_backward(call->kind, call->alpha, at[0], at[1], at[2], n);
}

lstmae_status cpu_map_backward(lstmae_queue *queue, int kind, double param, const lstmae_view *dx,
                               const lstmae_view *dy, const lstmae_view *x, const lstmae_view *y)
{
    lae_walk walk;
    const lstmae_view *from = lae_map_reads_input(kind) ? x : y;
    if (!from) from = dy; /* IDENTITY does not look at it */
    if (!CPU_ALL_FLOATS(3, dx, dy, from) || kind < 0 || kind >= LAE_MAP_KINDS)
        return cpu_reference(queue)->map_backward(queue, kind, param, dx, dy, x, y);
    arrays_call call = arrays_call_of(queue);
    call.kind = kind;
    call.alpha = (float)param;
    int64_t cost = lae_map_reads_input(kind) ? arrays_map_cost(kind) : ARRAYS_COST_MOVE;
    lae_walk_start_any(&walk, 3, (const lstmae_view *const[]){ dx, dy, from }, VIEW(1) | VIEW(2), VIEW(0));
    lae_walk_run(queue, &walk, cost, arrays_map_backward, &call, NULL);
    return LSTMAE_OK;
}

static void arrays_axpby(const void *arg, float *const *at, int64_t first, int64_t n, lae_lanes *lanes)
{
    const arrays_call *call = arg;
    (void)first;
    (void)lanes;
    call->loops->axpby(at[0], call->alpha, at[1], call->beta, n);
}

lstmae_status cpu_axpby(lstmae_queue *queue, const lstmae_view *y, double alpha, const lstmae_view *x, double beta)
{
    lae_walk walk;
    if (!CPU_ALL_FLOATS(2, y, x)) return cpu_reference(queue)->axpby(queue, y, alpha, x, beta);
    arrays_call call = arrays_call_of(queue);
    call.alpha = (float)alpha;
    call.beta = (float)beta;
    lae_walk_start_any(&walk, 2, (const lstmae_view *const[]){ y, x }, VIEW(0) | VIEW(1), VIEW(0));
    lae_walk_run(queue, &walk, ARRAYS_COST_MOVE, arrays_axpby, &call, NULL);
    return LSTMAE_OK;
}

static void arrays_multiply(const void *arg, float *const *at, int64_t first, int64_t n, lae_lanes *lanes)
{
    const arrays_call *call = arg;
    (void)first;
    (void)lanes;
    call->loops->multiply(at[0], at[1], at[2], call->beta, n);
}

lstmae_status cpu_multiply(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *a, const lstmae_view *b,
                           double beta)
{
    lae_walk walk;
    if (!CPU_ALL_FLOATS(3, y, a, b)) return cpu_reference(queue)->multiply(queue, y, a, b, beta);
    arrays_call call = arrays_call_of(queue);
    call.beta = (float)beta;
    lae_walk_start_any(&walk, 3, (const lstmae_view *const[]){ y, a, b }, VIEW(0) | VIEW(1) | VIEW(2), VIEW(0));
    lae_walk_run(queue, &walk, ARRAYS_COST_MOVE, arrays_multiply, &call, NULL);
    return LSTMAE_OK;
}

static void arrays_select(const void *arg, float *const *at, int64_t first, int64_t n, lae_lanes *lanes)
{
    const arrays_call *call = arg;
    (void)first;
    (void)lanes;
    call->loops->select(at[0], at[1], at[2], at[3], n);
}

lstmae_status cpu_select(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *mask, const lstmae_view *a,
                         const lstmae_view *b)
{
    lae_walk walk;
    if (!CPU_ALL_FLOATS(4, y, mask, a, b)) return cpu_reference(queue)->select(queue, y, mask, a, b);
    arrays_call call = arrays_call_of(queue);
    lae_walk_start_any(&walk, 4, (const lstmae_view *const[]){ y, mask, a, b }, VIEW(1) | VIEW(2) | VIEW(3), VIEW(0));
    lae_walk_run(queue, &walk, ARRAYS_COST_MOVE, arrays_select, &call, NULL);
    return LSTMAE_OK;
}
