/*
 * The maps of lstmae_map_kind and their derivatives, of VL floats, from simd.h; the equations stand at the functions of
 * the same name in shared/activation.h. `kind` is a constant where these are called, so that its case alone is left.
 */
#ifndef LAE_SIMD_MAPS_H
#define LAE_SIMD_MAPS_H

#include "simd_log.h"
#include "simd_math.h"

#include <lstmae/backend.h>

/** x below 0 to 0; NaN stays. */
LAE_INLINE vf vf_relu(vf x)
{
    return vf_select(vf_less(x, vf_zero()), vf_zero(), x);
}

/** log(1 + e^x). */
LAE_INLINE vf vf_softplus(vf x)
{
    return vf_add(vf_relu(x), vf_log1p_unit(vf_exp(vf_neg(vf_abs(x)))));
}

/** x sigmoid(v) with e = e^-|v|, for v of the sign of x, and `low` for x below 0, bounded so that 0 times it is 0. */
LAE_INLINE vf vf_times_sigmoid(vf x, vf low, vf e)
{
    vf negative = vf_mul(low, e);
    return vf_div(vf_select(vf_less(x, vf_zero()), negative, x), vf_add(vf_set1(1.0f), e));
}

/** x sigmoid(x). */
LAE_INLINE vf vf_silu(vf x)
{
    return vf_times_sigmoid(x, vf_max(vf_set1(-120.0f), x), vf_exp(vf_neg(vf_abs(x))));
}

/* As lae_normal_tail(): *e = e^(-z^2 / 2), and m with m e the tail of the standard normal distribution beyond z. */
LAE_INLINE vf vf_normal_tail(vf z, vf *e)
{
    vf n, square = vf_mul(z, z), rest = vf_square_rest(z, square), half = vf_set1(-0.5f), one = vf_set1(1.0f);
    vf r = vf_fma(rest, half, vf_exp_reduce(vf_mul(half, square), &n));
    *e = vf_ldexp(vf_add(one, vf_expm1_reduced(r)), n);
    vf p = vf_fma(vf_set1(0x1.0e43b6p-8f), z, vf_set1(0x1.4d4940p-5f));
    p = vf_fma(p, z, vf_set1(0x1.779368p-3f));
    p = vf_fma(p, z, vf_set1(0x1.c105f0p-2f));
    p = vf_fma(p, z, vf_set1(0.5f));
    vf q = vf_fma(vf_set1(0x1.52b8f2p-7f), z, vf_set1(0x1.a1bd04p-4f));
    q = vf_fma(q, z, vf_set1(0x1.e125c2p-2f));
    q = vf_fma(q, z, vf_set1(0x1.340076p+0f));
    q = vf_fma(q, z, vf_set1(0x1.acc528p+0f));
    q = vf_fma(q, z, vf_set1(1.0f));
    return vf_div(p, q);
}

/** |x| up to where the normal distribution has no tail in float. */
LAE_INLINE vf vf_normal_size(vf x)
{
    return vf_min(vf_set1(14.5f), vf_abs(x));
}

/** x Phi(x) with Phi(x) = (1 + erf(x / sqrt 2)) / 2. */
LAE_INLINE vf vf_gelu(vf x)
{
    vf e, z = vf_normal_size(x), m = vf_normal_tail(z, &e);
    return vf_fnma(vf_mul(z, m), e, vf_relu(x));
}

/** Phi(x) + x e^(-x^2 / 2) / sqrt(2 pi). */
LAE_INLINE vf vf_gelu_derivative(vf x)
{
    vf e, z = vf_normal_size(x), m = vf_normal_tail(z, &e), slope = vf_fnma(z, vf_set1(0x1.988454p-2f), m);
    return vf_select(vf_less(x, vf_zero()), vf_mul(slope, e), vf_fnma(slope, e, vf_set1(1.0f)));
}

/** |x| up to where the approximate GELU is 0 or x; its v / |x| with v = sqrt(8 / pi) (x + 0.044715 x^3), and e^-|v|. */
LAE_INLINE vf vf_gelu_tanh_parts(vf x, vf *square, vf *e)
{
    vf z = vf_min(vf_set1(16.0f), vf_abs(x));
    *square = vf_mul(z, z);
    *e = vf_exp(vf_neg(vf_mul(z, vf_fma(vf_set1(0x1.2444f2p-4f), *square, vf_set1(0x1.988454p+0f)))));
    return z;
}

LAE_INLINE vf vf_gelu_tanh(vf x)
{
    vf square, e, z = vf_gelu_tanh_parts(x, &square, &e);
    return vf_times_sigmoid(x, vf_neg(z), e);
}

/** s + x s (1 - s) w, with s and 1 - s from e = e^-|v| and of full accuracy both. */
LAE_INLINE vf vf_times_sigmoid_derivative(vf x, vf z_w, vf e)
{
    vf large = vf_div(vf_set1(1.0f), vf_add(vf_set1(1.0f), e)), small = vf_mul(e, large);
    vf bend = vf_mul(vf_mul(large, small), z_w);
    return vf_select(vf_less(x, vf_zero()), vf_sub(small, bend), vf_add(large, bend));
}

LAE_INLINE vf vf_silu_derivative(vf x)
{
    vf z = vf_min(vf_set1(120.0f), vf_abs(x));
    return vf_times_sigmoid_derivative(x, z, vf_exp(vf_neg(z)));
}

LAE_INLINE vf vf_gelu_tanh_derivative(vf x)
{
    vf square, e, z = vf_gelu_tanh_parts(x, &square, &e);
    vf w = vf_fma(vf_set1(0x1.b6676cp-3f), square, vf_set1(0x1.988454p+0f));
    return vf_times_sigmoid_derivative(x, vf_mul(z, w), e);
}

/** f(x). A NaN stays one through every kind. */
LAE_INLINE vf vf_map(const int kind, vf param, vf x)
{
    vf zero = vf_zero();
    switch (kind) {
    case LSTMAE_MAP_RELU: return vf_select(vf_less_equal(x, zero), zero, x);
    case LSTMAE_MAP_TANH: return vf_tanh(x);
    case LSTMAE_MAP_SIGMOID: return vf_sigmoid(x);
    case LSTMAE_MAP_LEAKY_RELU: return vf_select(vf_less(zero, x), x, vf_mul(param, x));
    case LSTMAE_MAP_ELU: return vf_select(vf_less(zero, x), x, vf_mul(param, vf_expm1(vf_min(zero, x))));
    case LSTMAE_MAP_SILU: return vf_silu(x);
    case LSTMAE_MAP_GELU: return vf_gelu(x);
    case LSTMAE_MAP_GELU_TANH: return vf_gelu_tanh(x);
    case LSTMAE_MAP_SOFTPLUS: {
        vf scaled = vf_mul(param, x);
        return vf_select(vf_less(vf_set1(20.0f), scaled), x, vf_div(vf_softplus(scaled), param));
    }
    case LSTMAE_MAP_EXP: return vf_exp(vf_mul(param, x));
    default: return x;
    }
}

/** dy f'(x), from y = f(x) or from x: `from` is the one that lae_map_reads_input() of shared/map_kind.h names. */
LAE_INLINE vf vf_map_backward(const int kind, vf param, vf dy, vf from)
{
    vf one = vf_set1(1.0f), zero = vf_zero();
    switch (kind) {
    case LSTMAE_MAP_RELU: return vf_select(vf_less_equal(from, zero), zero, dy);
    case LSTMAE_MAP_TANH: return vf_mul(dy, vf_fnma(from, from, one));
    case LSTMAE_MAP_SIGMOID: return vf_mul(dy, vf_mul(from, vf_sub(one, from)));
    case LSTMAE_MAP_LEAKY_RELU: return vf_select(vf_less(zero, from), dy, vf_mul(param, dy));
    case LSTMAE_MAP_ELU: return vf_select(vf_less(zero, from), dy, vf_mul(dy, vf_mul(param, vf_exp(from))));
    case LSTMAE_MAP_SILU: return vf_mul(dy, vf_silu_derivative(from));
    case LSTMAE_MAP_GELU: return vf_mul(dy, vf_gelu_derivative(from));
    case LSTMAE_MAP_GELU_TANH: return vf_mul(dy, vf_gelu_tanh_derivative(from));
    case LSTMAE_MAP_SOFTPLUS: {
        vf scaled = vf_mul(param, from);
        return vf_select(vf_less(vf_set1(20.0f), scaled), dy, vf_mul(dy, vf_sigmoid(scaled)));
    }
    case LSTMAE_MAP_EXP: return vf_mul(dy, vf_mul(param, from));
    default: return dy;
    }
}

/** Runs `use(kind)` with the kind as a constant. */
#define LAE_MAP_SWITCH(kind, use)                                                                  \
    switch (kind) {                                                                                \
    case LSTMAE_MAP_RELU: use(LSTMAE_MAP_RELU); break;                                             \
    case LSTMAE_MAP_TANH: use(LSTMAE_MAP_TANH); break;                                             \
    case LSTMAE_MAP_SIGMOID: use(LSTMAE_MAP_SIGMOID); break;                                       \
    case LSTMAE_MAP_LEAKY_RELU: use(LSTMAE_MAP_LEAKY_RELU); break;                                 \
    case LSTMAE_MAP_ELU: use(LSTMAE_MAP_ELU); break;                                               \
    case LSTMAE_MAP_SILU: use(LSTMAE_MAP_SILU); break;                                             \
    case LSTMAE_MAP_GELU: use(LSTMAE_MAP_GELU); break;                                             \
    case LSTMAE_MAP_GELU_TANH: use(LSTMAE_MAP_GELU_TANH); break;                                   \
    case LSTMAE_MAP_SOFTPLUS: use(LSTMAE_MAP_SOFTPLUS); break;                                     \
    case LSTMAE_MAP_EXP: use(LSTMAE_MAP_EXP); break;                                               \
    default: use(LSTMAE_MAP_IDENTITY); break;                                                      \
    }

#endif
