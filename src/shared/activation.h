/*
 * exp, sigmoid, tanh and log(1+e) of one float, by the polynomials of the CPU's vector kernels; shared between C and
 * CUDA, host and device. Errors, measured over all float32 inputs by the tests: exp below 1.5 ulp, the others
 * below 2.5; where sigmoid is below 2^-128 it may be 0. NaN gives NaN; exp(-Inf) = 0, exp(Inf) = Inf; sigmoid(+-Inf) =
 * 1, 0; tanh(+-Inf) = +-1, tanh(-0) = -0.
 */
#ifndef LAE_ACTIVATION_H
#define LAE_ACTIVATION_H

#include "philox.h"

#include <math.h>

/*
 * x = n ln 2 + r with |r| <= ln 2 / 2: *n and, as the result, expm1(r) = r + r^2 q(r). q has degree 4 and the least
 * greatest relative error of exp(r), 3e-9. ln 2 in two parts, the first with 9 trailing zero bits, so n * high is
 * exact.
 */
static inline LAE_HD float lae_expm1_reduced(float x, float *n)
{
    *n = rintf(x * 0x1.715476p+0f);
    float r = fmaf(*n, -0x1.62e400p-1f, x);
    r = fmaf(*n, -0x1.7f7d1cp-20f, r);
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
    float p = lae_expm1_reduced(inside, &n);
    return inside == inside ? ldexpf(1.0f + p, (int)n) : x;
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
    float p = lae_expm1_reduced(twice, &n), power = ldexpf(1.0f, (int)n);
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

#endif
