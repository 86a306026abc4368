/* The maps of backend.h and their derivatives of one double; of a float: shared/map_value.h. */
#ifndef LAE_CUDA_MAP_DOUBLE_H
#define LAE_CUDA_MAP_DOUBLE_H

#include "shared/map_value.h"

/* Factors of a vanishing exponential are bounded, so that infinities have the limit as their value; NaN stays. */
static inline LAE_HD double lae_cu_bounded(double x, double limit)
{
    return x < -limit ? -limit : x > limit ? limit : x;
}

static inline LAE_HD double lae_cu_sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static inline LAE_HD double lae_cu_normal_cdf(double x)
{
    return 0.5 * erfc(-x * 0.70710678118654752);
}

/* sqrt(8 / pi) (x + 0.044715 x^3): what the approximate GELU takes the sigmoid of. */
static inline LAE_HD double lae_cu_gelu_inner(double x)
{
    return 1.5957691216057308 * (x + 0.044715 * x * x * x);
}

/** f(x). */
static inline LAE_HD double lae_map_value(int kind, double param, double x)
{
    switch (kind) {
    case LSTMAE_MAP_RELU: return x <= 0.0 ? 0.0 : x;
    case LSTMAE_MAP_TANH: return tanh(x);
    case LSTMAE_MAP_SIGMOID: return lae_cu_sigmoid(x);
    case LSTMAE_MAP_LEAKY_RELU: return x > 0.0 ? x : param * x;
    case LSTMAE_MAP_ELU: return x > 0.0 ? x : param * expm1(x);
    case LSTMAE_MAP_SILU: return (x < 0.0 ? lae_cu_bounded(x, 800.0) : x) * lae_cu_sigmoid(x);
    case LSTMAE_MAP_GELU: return (x < 0.0 ? lae_cu_bounded(x, 40.0) : x) * lae_cu_normal_cdf(x);
    case LSTMAE_MAP_GELU_TANH:
        return (x < 0.0 ? lae_cu_bounded(x, 40.0) : x) * lae_cu_sigmoid(lae_cu_gelu_inner(lae_cu_bounded(x, 40.0)));
    case LSTMAE_MAP_SOFTPLUS: return param * x > LAE_SOFTPLUS_LINEAR ? x : log1p(exp(param * x)) / param;
    case LSTMAE_MAP_EXP: return exp(param * x);
    default: return x;
    }
}

/* s(v) + x s(v) (1 - s(v)) dv/dx, with 1 - s(v) = s(-v) */
static inline LAE_HD double lae_cu_times_sigmoid_slope(double x, double v, double slope)
{
    return lae_cu_sigmoid(v) + x * lae_cu_sigmoid(v) * lae_cu_sigmoid(-v) * slope;
}

/** dy f'(x): `from` is x or y = f(x), as lae_map_reads_input() says of the kind. */
static inline LAE_HD double lae_map_slope(int kind, double param, double dy, double from)
{
    double x = lae_cu_bounded(from, kind == LSTMAE_MAP_SILU ? 800.0 : 40.0);
    switch (kind) {
    case LSTMAE_MAP_RELU: return from <= 0.0 ? 0.0 : dy;
    case LSTMAE_MAP_TANH: return dy * (1.0 - from * from);
    case LSTMAE_MAP_SIGMOID: return dy * (from * (1.0 - from));
    case LSTMAE_MAP_LEAKY_RELU: return from > 0.0 ? dy : param * dy;
    case LSTMAE_MAP_ELU: return from > 0.0 ? dy : dy * param * exp(from);
    case LSTMAE_MAP_SILU: return dy * lae_cu_times_sigmoid_slope(x, x, 1.0);
    case LSTMAE_MAP_GELU: return dy * (lae_cu_normal_cdf(x) + x * exp(-0.5 * x * x) * 0.3989422804014327);
    case LSTMAE_MAP_GELU_TANH:
        return dy * lae_cu_times_sigmoid_slope(x, lae_cu_gelu_inner(x),
                                               1.5957691216057308 * (1.0 + 0.134145 * x * x));
    case LSTMAE_MAP_SOFTPLUS: return param * from > LAE_SOFTPLUS_LINEAR ? dy : dy * lae_cu_sigmoid(param * from);
    case LSTMAE_MAP_EXP: return dy * param * from;
    default: return dy;
    }
}

#endif
