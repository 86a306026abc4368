/*
 * axpby: y = alpha x + beta y. multiply: y = a b + beta y. select: y = mask != 0 ? a : b. In float the last two terms
 * are added by one fused multiply-add, as on the CPU.
 */
#include "entries.h"
#include "pointwise.h"

template <typename T>
struct axpby_op {
    using element = T;
    static constexpr int inputs = 1;
    T alpha, beta;
    int reads_output() const { return beta != 0; }
    template <int N>
    __device__ void operator()(T (&y)[N], const T (&in)[1][N]) const
    {
        for (int i = 0; i < N; i++) y[i] = beta == 0 ? alpha * in[0][i] : fma(alpha, in[0][i], beta * y[i]);
    }
};

template <typename T>
struct multiply_op {
    using element = T;
    static constexpr int inputs = 2;
    T beta;
    int reads_output() const { return beta != 0; }
    template <int N>
    __device__ void operator()(T (&y)[N], const T (&in)[2][N]) const
    {
        for (int i = 0; i < N; i++) y[i] = beta == 0 ? in[0][i] * in[1][i] : fma(in[0][i], in[1][i], beta * y[i]);
    }
};

template <typename T>
struct select_op {
    using element = T;
    static constexpr int inputs = 3;
    int reads_output() const { return 0; }
    template <int N>
    __device__ void operator()(T (&y)[N], const T (&in)[3][N]) const
    {
        for (int i = 0; i < N; i++) y[i] = in[0][i] != 0 ? in[1][i] : in[2][i];
    }
};

lstmae_status lae_cu_axpby(lstmae_queue *queue, const lstmae_view *y, double alpha, const lstmae_view *x, double beta)
{
    const lstmae_view *const views[2] = { y, x };
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_TRY(lae_cu_check_types(queue, "axpby", 2, views));
    const lae_cu_layout layout = lae_cu_layout_sorted(2, views);
    if (y->dtype == LSTMAE_F64)
        return lae_cu_pointwise(queue, "axpby", layout, axpby_op<double>{ alpha, beta });
    return lae_cu_pointwise(queue, "axpby", layout, axpby_op<float>{ (float)alpha, (float)beta });
}

lstmae_status lae_cu_multiply(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *a, const lstmae_view *b,
                              double beta)
{
    const lstmae_view *const views[3] = { y, a, b };
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_TRY(lae_cu_check_types(queue, "multiply", 3, views));
    const lae_cu_layout layout = lae_cu_layout_sorted(3, views);
    if (y->dtype == LSTMAE_F64) return lae_cu_pointwise(queue, "multiply", layout, multiply_op<double>{ beta });
    return lae_cu_pointwise(queue, "multiply", layout, multiply_op<float>{ (float)beta });
}

lstmae_status lae_cu_select(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *mask, const lstmae_view *a,
                            const lstmae_view *b)
{
    const lstmae_view *const views[4] = { y, mask, a, b };
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_TRY(lae_cu_check_types(queue, "select", 4, views));
    const lae_cu_layout layout = lae_cu_layout_sorted(4, views);
    if (y->dtype == LSTMAE_F64) return lae_cu_pointwise(queue, "select", layout, select_op<double>{});
    return lae_cu_pointwise(queue, "select", layout, select_op<float>{});
}
