/*
 * One vector type per instruction set, behind one set of names. A kernel is written once against these names and
 * compiled several times, each time by a small .c file with the flags of its instruction set; everything here is
 * static, so no copy can be linked into the wrong place.
 *
 *   vf   VL floats          vd   VL / 2 doubles          vm   VL truth values
 *
 * vf_min(a, b) and vf_max(a, b) give b where either is NaN. vf_load_n and vf_store_n touch the first n floats only,
 * 0 <= n <= VL; loads fill the rest with 0. Operations are IEEE single operations, rounded once, in every set, except
 * that the plain set has no fused multiply-add: vf_fma rounds twice there.
 */
#ifndef LAE_SIMD_H
#define LAE_SIMD_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(LAE_SIMD_GENERIC)
#define LAE_SIMD_PLAIN 1
#elif defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define LAE_SIMD_AVX512 1
#elif defined(__AVX2__) && defined(__FMA__)
#define LAE_SIMD_AVX2 1
#elif defined(__aarch64__) && defined(__ARM_NEON)
#define LAE_SIMD_NEON 1
#else
#define LAE_SIMD_PLAIN 1
#endif

#define LAE_INLINE static inline __attribute__((always_inline, unused))

#if defined(LAE_SIMD_AVX512)
#include "simd_avx512.h"
#elif defined(LAE_SIMD_AVX2)
#include "simd_avx2.h"
#elif defined(LAE_SIMD_NEON)
#include "simd_neon.h"
#else
#include "simd_plain.h"
#endif

#if !defined(LAE_SIMD_AVX512)
/* Vectors smaller than a cache line are not worth streaming past the caches. */
LAE_INLINE void vf_stream(float *p, vf a) { vf_store(p, a); }
LAE_INLINE int vf_can_stream(const float *p) { return p == NULL; }
LAE_INLINE void vf_stream_end(void) {}
#endif

/** c - a * b, rounded once where vf_fma is. */
LAE_INLINE vf vf_fnma(vf a, vf b, vf c)
{
    return vf_fma(vf_neg(a), b, c);
}

/** n of 1 to VL floats, the rest 0; all of them without a mask. */
LAE_INLINE vf vf_load_part(const float *p, int64_t n)
{
    return n == VL ? vf_load(p) : vf_load_n(p, n);
}

LAE_INLINE void vf_store_part(float *p, vf a, int64_t n)
{
    if (n == VL) vf_store(p, a);
    else vf_store_n(p, a, n);
}

/** Visits 0 .. n by vectors: `count` is VL but for what is left at the end. */
#define VF_FOR_EACH(i, count, n)                                                                   \
    for (int64_t i = 0, count = (n) < VL ? (n) : VL; i < (n); i += VL, count = (n) - i < VL ? (n) - i : VL)

/** x * x - square, where `square` is x * x rounded: what the rounding took. */
LAE_INLINE vf vf_square_rest(vf x, vf square)
{
#if defined(LAE_SIMD_PLAIN)
    /* Dekker's product: x in two halves of 12 bits, whose products are exact. */
    vf scaled = vf_mul(x, vf_set1(4097.0f)), high = vf_sub(scaled, vf_sub(scaled, x)), low = vf_sub(x, high);
    vf rest = vf_sub(vf_mul(high, high), square), cross = vf_mul(high, low);
    return vf_add(vf_add(rest, vf_add(cross, cross)), vf_mul(low, low));
#else
    return vf_fma(x, x, vf_neg(square));
#endif
}

/** Sum of all elements, pairs first: the order depends on VL alone. */
LAE_INLINE float vf_sum(vf a)
{
    float x[VL];
    vf_store(x, a);
    for (int half = VL / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) x[i] += x[i + half];
    return x[0];
}

LAE_INLINE double vd_sum(vd a)
{
    double x[VL / 2];
    vd_store(x, a);
    for (int half = VL / 4; half > 0; half /= 2)
        for (int i = 0; i < half; i++) x[i] += x[i + half];
    return x[0];
}

#endif
