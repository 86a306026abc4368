/*
 * map: y = f(x). map_backward: dx = dy f'(x), from x or y. One kernel for all kinds: the kind is the same for a whole
 * launch, so its branch costs nothing, and what it computes hides behind the memory.
 */
#include "entries.h"
#include "map_double.h"
#include "pointwise.h"

template <typename T>
struct map_op {
    using element = T;
    static constexpr int inputs = 1;
    int kind;
    T param;
    int reads_output() const { return 0; }
    template <int N>
    __device__ void operator()(T (&y)[N], const T (&in)[1][N]) const
    {
        for (int i = 0; i < N; i++) y[i] = lae_map_value(kind, param, in[0][i]);
    }
};

template <typename T>
struct map_backward_op {
    using element = T;
    static constexpr int inputs = 2;
    int kind;
    T param;
    int reads_output() const { return 0; }
    template <int N>
    __device__ void operator()(T (&dx)[N], const T (&in)[2][N]) const
    {
        for (int i = 0; i < N; i++) dx[i] = lae_map_slope(kind, param, in[0][i], in[1][i]);
    }
};

lstmae_status lae_cu_map(lstmae_queue *queue, int kind, double param, const lstmae_view *y, const lstmae_view *x)
{
    const lstmae_view *const views[2] = { y, x };
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_TRY(lae_cu_check_types(queue, "map", 2, views));
    LAE_CU_TRY(lae_cu_check_kind(queue, "map", kind, LAE_MAP_KINDS - 1));
    const lae_cu_layout layout = lae_cu_layout_sorted(2, views);
    if (y->dtype == LSTMAE_F64) return lae_cu_pointwise(queue, "map", layout, map_op<double>{ kind, param });
    return lae_cu_pointwise(queue, "map", layout, map_op<float>{ kind, (float)param });
}

lstmae_status lae_cu_map_backward(lstmae_queue *queue, int kind, double param, const lstmae_view *dx,
                                  const lstmae_view *dy, const lstmae_view *x, const lstmae_view *y)
{
    const lstmae_view *from = lae_map_reads_input(kind) ? x : y;
    if (!from) from = dy; /* IDENTITY does not look at it */
    const lstmae_view *const views[3] = { dx, dy, from };
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_TRY(lae_cu_check_types(queue, "map_backward", 3, views));
    LAE_CU_TRY(lae_cu_check_kind(queue, "map_backward", kind, LAE_MAP_KINDS - 1));
    const lae_cu_layout layout = lae_cu_layout_sorted(3, views);
    if (dx->dtype == LSTMAE_F64)
        return lae_cu_pointwise(queue, "map_backward", layout, map_backward_op<double>{ kind, param });
    return lae_cu_pointwise(queue, "map_backward", layout, map_backward_op<float>{ kind, (float)param });
}
