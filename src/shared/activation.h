/*
 * Activations and what they are made of, of one float, by the polynomials of the CPU's vector kernels; shared between C
 * and CUDA, host and device. Errors, measured over all float32 inputs by the tests, are in docs/numerics.md: exp below
 * 1.5 ulp, sigmoid, log1p and expm1 below 2.5, tanh below 3; where sigmoid is below 2^-128 it may be 0. NaN gives NaN;
 * exp(-Inf) = 0, exp(Inf) = Inf; sigmoid(+-Inf) = 1, 0; tanh(+-Inf) = +-1, tanh(-0) = -0.
 */
#ifndef LAE_ACTIVATION_H
#define LAE_ACTIVATION_H

#include "philox.h"

#include <math.h>

/* x = n ln 2 + r with |r| <= ln 2 / 2. ln 2 in two parts, the first with 9 trailing zero bits, so n * high is exact. */
static inline LAE_HD float lae_exp_reduce(float x, float *n)
{
    *n = rintf(x * 0x1.715476p+0f);
    return fmaf(*n, -0x1.7f7d1cp-20f, fmaf(*n, -0x1.62e400p-1f, x));
}

/* expm1(r) = r + r^2 q(r) for |r| <= ln 2 / 2. q has degree 4 and the least greatest relative error of exp(r), 3e-9. */
static inline LAE_HD float lae_expm1_reduced(float r)
{
    float q = fmaf(0x1.6db480p-10f, r, 0x1.123b92p-7f);
    q = fmaf(q, r, 0x1.55545ep-5f);
    q = fmaf(q, r, 0x1.55548ep-3f);
    q = fmaf(q, r, 0.5f);
    return fmaf(r * r, q, r);
}

/** e^x; results below 2^-126 are denormal. */
static inline LAE_HD float lae_exp(float x)
{
    float n, inside = 89.0f < x ? 89.0f : x;
    inside = -104.0f > inside ? -104.0f : inside;
    float p = lae_expm1_reduced(lae_exp_reduce(inside, &n));
    return inside == inside ? ldexpf(1.0f + p, (int)n) : x;
}

/** e^x - 1 for x <= 0. */
static inline LAE_HD float lae_expm1(float x)
{
    float n, inside = -104.0f > x ? -104.0f : x;
    if (x != x) return x;
    float p = lae_expm1_reduced(lae_exp_reduce(inside, &n)), power = ldexpf(1.0f, (int)n);
    return fmaf(power, p, power - 1.0f);
}

/** 1 / (1 + e^-x). */
static inline LAE_HD float lae_sigmoid(float x)
{
    return 1.0f / (1.0f + lae_exp(-x));
}

/** e / (e + 2) with e = expm1(2|x|) = 2^n expm1(r) + (2^n - 1), which loses nothing near 0; 1 from 9.1 on. */
static inline LAE_HD float lae_tanh(float x)
{
    float n, twice = fabsf(x) + fabsf(x);
    if (x != x) return x;
    twice = 18.2f < twice ? 18.2f : twice;
    float p = lae_expm1_reduced(lae_exp_reduce(twice, &n)), power = ldexpf(1.0f, (int)n);
    float e = fmaf(power, p, power - 1.0f);
    return copysignf(e / (e + 2.0f), x);
}

/**
 * log(1 + e) for e in [0, 1]: with s = e / (2 + e), 2 artanh s = 2 s (1 + s^2 q(s^2)); q has degree 4
 * and a relative error of the result of 1e-9.
 */
static inline LAE_HD float lae_log1p_unit(float e)
{
    float s = e / (2.0f + e), z = s * s;
    float q = fmaf(0x1.dbef8ep-4f, z, 0x1.bc7be0p-4f);
    q = fmaf(q, z, 0x1.24c9bep-3f);
    q = fmaf(q, z, 0x1.9998d2p-3f);
    q = fmaf(q, z, 0x1.555556p-2f);
    float twice = s + s;
    return fmaf(twice * z, q, twice);
}

/** log(1 + e^x) for any x: 0 below -104. */
static inline LAE_HD float lae_softplus(float x)
{
    return (x < 0.0f ? 0.0f : x) + lae_log1p_unit(lae_exp(-fabsf(x)));
}

/**
 * x / (1 + e^-x). With e = e^-|x| nothing overflows; 0 at -Inf. Below 2^-119 it has the error of denormal numbers,
 * times |x|.
 */
static inline LAE_HD float lae_silu(float x)
{
    float low = -120.0f > x ? -120.0f : x, e = lae_exp(-fabsf(x));
    return (x < 0.0f ? low * e : x) / (1.0f + e);
}

/** The tail of the standard normal distribution from here on is 0 in float. */
#define LAE_NORMAL_LIMIT 14.5f

/**
 * For z in [0, LAE_NORMAL_LIMIT]: *e = e^(-z^2 / 2) and, as the result, m with m e = (1 - erf(z / sqrt 2)) / 2, the
 * tail of the standard normal distribution. m is a quotient of polynomials with positive coefficients and, among those
 * of degrees 4 and 5, the least greatest relative error, 6e-9 (1.2e-8 with coefficients in float). z^2 is taken in two
 * parts, for a rounding of z^2 / 2 is up to 100 of its exponential's.
 */
static inline LAE_HD float lae_normal_tail(float z, float *e)
{
    float n, square = z * z, rest = fmaf(z, z, -square);
    float r = fmaf(rest, -0.5f, lae_exp_reduce(-0.5f * square, &n));
    *e = ldexpf(1.0f + lae_expm1_reduced(r), (int)n);
    float p = fmaf(0x1.0e43b6p-8f, z, 0x1.4d4940p-5f);
    p = fmaf(p, z, 0x1.779368p-3f);
    p = fmaf(p, z, 0x1.c105f0p-2f);
    p = fmaf(p, z, 0.5f);
    float q = fmaf(0x1.52b8f2p-7f, z, 0x1.a1bd04p-4f);
    q = fmaf(q, z, 0x1.e125c2p-2f);
    q = fmaf(q, z, 0x1.340076p+0f);
    q = fmaf(q, z, 0x1.acc528p+0f);
    q = fmaf(q, z, 1.0f);
    return p / q;
}

/** x (1 + erf(x / sqrt 2)) / 2, as max(x, 0) - |x| tail(|x|); 0 at -Inf. */
static inline LAE_HD float lae_gelu(float x)
{
    float e, z = LAE_NORMAL_LIMIT < fabsf(x) ? LAE_NORMAL_LIMIT : fabsf(x);
    if (x != x) return x;
    float m = lae_normal_tail(z, &e);
    return fmaf(-(z * m), e, x < 0.0f ? 0.0f : x);
}

/** x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 = x / (1 + e^-v) with v = sqrt(8 / pi) (x + 0.044715 x^3). */
static inline LAE_HD float lae_gelu_tanh(float x)
{
    float z = 16.0f < fabsf(x) ? 16.0f : fabsf(x), low = -16.0f > x ? -16.0f : x;
    float e = lae_exp(-(z * fmaf(0x1.2444f2p-4f, z * z, 0x1.988454p+0f)));
    return (x < 0.0f ? low * e : x) / (1.0f + e);
}

#endif
