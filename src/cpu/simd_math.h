/*
 * exp, expm1, sigmoid and tanh of VL floats, from simd.h, by the polynomials of shared/activation.h. Errors, measured
 * over all float32 inputs by the tests: exp below 1.5 ulp, expm1 and sigmoid below 2.5, tanh below 3.
 * NaN gives NaN; exp(-Inf) = 0, exp(Inf) = Inf; sigmoid(+-Inf) = 1, 0; tanh(+-Inf) = +-1, tanh(-0) = -0.
 */
#ifndef LAE_SIMD_MATH_H
#define LAE_SIMD_MATH_H

#include "simd.h"

/* x = n ln 2 + r with |r| <= ln 2 / 2. ln 2 in two parts, the first with 9 trailing zero bits, so n * high is exact. */
LAE_INLINE vf vf_exp_reduce(vf x, vf *n)
{
    *n = vf_round(vf_mul(x, vf_set1(0x1.715476p+0f)));
    return vf_fma(*n, vf_set1(-0x1.7f7d1cp-20f), vf_fma(*n, vf_set1(-0x1.62e400p-1f), x));
}

/* expm1(r) = r + r^2 q(r) for |r| <= ln 2 / 2. q has degree 4 and the least greatest relative error of exp(r), 3e-9. */
LAE_INLINE vf vf_expm1_reduced(vf r)
{
    vf q = vf_fma(vf_set1(0x1.6db480p-10f), r, vf_set1(0x1.123b92p-7f));
    q = vf_fma(q, r, vf_set1(0x1.55545ep-5f));
    q = vf_fma(q, r, vf_set1(0x1.55548ep-3f));
    q = vf_fma(q, r, vf_set1(0.5f));
    return vf_fma(vf_mul(r, r), q, r);
}

/** e^x; results below 2^-126 are denormal. */
LAE_INLINE vf vf_exp(vf x)
{
    vf n, inside = vf_max(vf_set1(-104.0f), vf_min(vf_set1(89.0f), x));
    vf p = vf_expm1_reduced(vf_exp_reduce(inside, &n));
    return vf_ldexp(vf_add(vf_set1(1.0f), p), n);
}

/** e^x - 1 for x <= 0. */
LAE_INLINE vf vf_expm1(vf x)
{
    vf n, p = vf_expm1_reduced(vf_exp_reduce(vf_max(vf_set1(-104.0f), x), &n)), power = vf_ldexp(vf_set1(1.0f), n);
    return vf_fma(power, p, vf_sub(power, vf_set1(1.0f)));
}

/** 1 / (1 + e^-x). */
LAE_INLINE vf vf_sigmoid(vf x)
{
    vf one = vf_set1(1.0f);
    return vf_div(one, vf_add(one, vf_exp(vf_neg(x))));
}

/** e / (e + 2) with e = expm1(2|x|) = 2^n expm1(r) + (2^n - 1), which loses nothing near 0; 1 from 9.1 on. */
LAE_INLINE vf vf_tanh(vf x)
{
    vf n, twice = vf_min(vf_set1(18.2f), vf_add(vf_abs(x), vf_abs(x)));
    vf p = vf_expm1_reduced(vf_exp_reduce(twice, &n)), power = vf_ldexp(vf_set1(1.0f), n);
    vf e = vf_fma(power, p, vf_sub(power, vf_set1(1.0f)));
    return vf_copysign(vf_div(e, vf_add(e, vf_set1(2.0f))), x);
}

#endif
