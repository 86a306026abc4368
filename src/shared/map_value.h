/*
 * The maps of backend.h and their derivatives, of one float: the bits of the CPU's vector kernels (cpu/simd_maps.h) on
 * every device with fused multiply-add. Shared between C and CUDA, host and device. `kind` is checked by the caller.
 */
#ifndef LAE_MAP_VALUE_H
#define LAE_MAP_VALUE_H

#include "activation.h"
#include "map_kind.h"

/** f(x). A NaN stays one through every kind. */
static inline LAE_HD float lae_map_value(int kind, float param, float x)
{
    switch (kind) {
    case LSTMAE_MAP_RELU: return x <= 0.0f ? 0.0f : x;
    case LSTMAE_MAP_TANH: return lae_tanh(x);
    case LSTMAE_MAP_SIGMOID: return lae_sigmoid(x);
    case LSTMAE_MAP_LEAKY_RELU: return x > 0.0f ? x : param * x;
    case LSTMAE_MAP_ELU: return x > 0.0f ? x : param * lae_expm1(x);
    case LSTMAE_MAP_SILU: return lae_silu(x);
    case LSTMAE_MAP_GELU: return lae_gelu(x);
    case LSTMAE_MAP_GELU_TANH: return lae_gelu_tanh(x);
    case LSTMAE_MAP_SOFTPLUS: return param * x > (float)LAE_SOFTPLUS_LINEAR ? x : lae_softplus(param * x) / param;
    case LSTMAE_MAP_EXP: return lae_exp(param * x);
    default: return x;
    }
}

/** Phi(x) + x e^(-x^2 / 2) / sqrt(2 pi), with Phi the standard normal distribution. */
static inline LAE_HD float lae_gelu_slope(float x)
{
    float e, z = LAE_NORMAL_LIMIT < fabsf(x) ? LAE_NORMAL_LIMIT : fabsf(x);
    if (x != x) return x;
    float m = lae_normal_tail(z, &e), slope = fmaf(-z, 0x1.988454p-2f, m);
    return x < 0.0f ? slope * e : fmaf(-slope, e, 1.0f);
}

/**
 * s + x s (1 - s) w with s = 1 / (1 + e^-v), for v of the sign of x: from e = e^-|v| and z_w = |x| w, with s and 1 - s
 * of full accuracy both.
 */
static inline LAE_HD float lae_times_sigmoid_slope(float x, float z_w, float e)
{
    float large = 1.0f / (1.0f + e), small = e * large, bend = large * small * z_w;
    return x < 0.0f ? small - bend : large + bend;
}

static inline LAE_HD float lae_silu_slope(float x)
{
    float z = 120.0f < fabsf(x) ? 120.0f : fabsf(x);
    return lae_times_sigmoid_slope(x, z, lae_exp(-z));
}

static inline LAE_HD float lae_gelu_tanh_slope(float x)
{
    float z = 16.0f < fabsf(x) ? 16.0f : fabsf(x), square = z * z;
    float e = lae_exp(-(z * fmaf(0x1.2444f2p-4f, square, 0x1.988454p+0f)));
    return lae_times_sigmoid_slope(x, z * fmaf(0x1.b6676cp-3f, square, 0x1.988454p+0f), e);
}

/** dy f'(x): `from` is x or y = f(x), as lae_map_reads_input() says of the kind. */
static inline LAE_HD float lae_map_slope(int kind, float param, float dy, float from)
{
    switch (kind) {
    case LSTMAE_MAP_RELU: return from <= 0.0f ? 0.0f : dy;
    case LSTMAE_MAP_TANH: return dy * fmaf(-from, from, 1.0f);
    case LSTMAE_MAP_SIGMOID: return dy * (from * (1.0f - from));
    case LSTMAE_MAP_LEAKY_RELU: return from > 0.0f ? dy : param * dy;
    case LSTMAE_MAP_ELU: return from > 0.0f ? dy : dy * (param * lae_exp(from));
    case LSTMAE_MAP_SILU: return dy * lae_silu_slope(from);
    case LSTMAE_MAP_GELU: return dy * lae_gelu_slope(from);
    case LSTMAE_MAP_GELU_TANH: return dy * lae_gelu_tanh_slope(from);
    case LSTMAE_MAP_SOFTPLUS: return param * from > (float)LAE_SOFTPLUS_LINEAR ? dy : dy * lae_sigmoid(param * from);
    case LSTMAE_MAP_EXP: return dy * (param * from);
    default: return dy;
    }
}

#endif
