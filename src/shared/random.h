/*
 * Distributions over the bits of philox.h. Only additions, products, one division and square roots of double, so every
 * device that rounds as IEEE 754 says, and does not contract products into fused ones, gives the same numbers.
 */
#ifndef LAE_RANDOM_H
#define LAE_RANDOM_H

#include "philox.h"

#include <math.h>
#include <string.h>

/** (bits >> 8) / 2^24 < p is (bits >> 8) < this: ceil(2^24 p), without a rounding in either. */
static inline LAE_HD uint32_t lae_unit_threshold(double p)
{
    if (!(p > 0.0)) return 0;
    return p >= 1.0 ? 1u << 24 : (uint32_t)ceil(p * 16777216.0);
}

/** Uniform in [low, high): low + (high - low) u with u from the upper 24 bits. Float draws are this, rounded. */
static inline LAE_HD double lae_uniform_double(uint32_t bits, double low, double high)
{
    return low + (high - low) * (double)lae_unit_float(bits);
}

/** The same in float; a value that rounds up to `high` becomes the largest float below it. */
static inline LAE_HD float lae_uniform_float(uint32_t bits, double low, double high)
{
    float value = (float)lae_uniform_double(bits, low, high);
    return value >= (float)high && low < high ? nextafterf((float)high, (float)low) : value;
}

/** ln(x) for normal x > 0: x = m 2^k, m in [sqrt(1/2), sqrt(2)), ln m = 2 artanh s with s = (m-1)/(m+1), by its
 * series. */
static inline LAE_HD double lae_random_log(double x)
{
    uint64_t bits;
    double m;
    memcpy(&bits, &x, sizeof bits);
    int64_t k = (int64_t)(bits >> 52) - 1023;
    bits = (bits & 0x000fffffffffffffu) | 0x3ff0000000000000u;
    memcpy(&m, &bits, sizeof m);
    k += m > 1.41421356237309505;
    m = m > 1.41421356237309505 ? 0.5 * m : m;
    double s = (m - 1.0) / (m + 1.0), z = s * s, sum = 1.0 / 23;
    sum = sum * z + 1.0 / 21;
    sum = sum * z + 1.0 / 19;
    sum = sum * z + 1.0 / 17;
    sum = sum * z + 1.0 / 15;
    sum = sum * z + 1.0 / 13;
    sum = sum * z + 1.0 / 11;
    sum = sum * z + 1.0 / 9;
    sum = sum * z + 1.0 / 7;
    sum = sum * z + 1.0 / 5;
    sum = sum * z + 1.0 / 3;
    return (double)k * 0.69314718055994531 + 2.0 * s * (1.0 + sum * z);
}

/** sin and cos of 2 pi bits / 2^32: the upper bits choose the quadrant, Taylor series inside [-pi/4, pi/4]. */
static inline LAE_HD void lae_random_sincos(uint32_t bits, double *sine, double *cosine)
{
    uint32_t quadrant = (bits + 0x20000000u) >> 30;
    int32_t within = (int32_t)(bits - (quadrant << 30));
    double x = (double)within * (6.28318530717958648 / 4294967296.0), z = x * x;
    double s = 1.0 - z * (1.0 / 272), c = 1.0 - z * (1.0 / 306);
    s = 1.0 - z * (1.0 / 210) * s;
    s = 1.0 - z * (1.0 / 156) * s;
    s = 1.0 - z * (1.0 / 110) * s;
    s = 1.0 - z * (1.0 / 72) * s;
    s = 1.0 - z * (1.0 / 42) * s;
    s = 1.0 - z * (1.0 / 20) * s;
    s = x * (1.0 - z * (1.0 / 6) * s);
    c = 1.0 - z * (1.0 / 240) * c;
    c = 1.0 - z * (1.0 / 182) * c;
    c = 1.0 - z * (1.0 / 132) * c;
    c = 1.0 - z * (1.0 / 90) * c;
    c = 1.0 - z * (1.0 / 56) * c;
    c = 1.0 - z * (1.0 / 30) * c;
    c = 1.0 - z * (1.0 / 12) * c;
    c = 1.0 - z * (1.0 / 2) * c;
    double swapped_s = quadrant & 1u ? c : s, swapped_c = quadrant & 1u ? s : c;
    *sine = quadrant & 2u ? -swapped_s : swapped_s;
    *cosine = (quadrant + 1u) & 2u ? -swapped_c : swapped_c;
}

/**
 * Two standard normal numbers from two words, by Box and Muller: r = sqrt(-2 ln((first + 1/2) / 2^32)),
 * angle 2 pi second / 2^32; pair[0] = r cos, pair[1] = r sin. |result| < 6.8.
 */
static inline LAE_HD void lae_normal_pair(uint32_t first, uint32_t second, double pair[2])
{
    double sine, cosine;
    double r = sqrt(-2.0 * lae_random_log(((double)first + 0.5) * (1.0 / 4294967296.0)));
    lae_random_sincos(second, &sine, &cosine);
    pair[0] = r * cosine;
    pair[1] = r * sine;
}

/** Standard normal number of element `element`: elements 2i and 2i+1 share the pair made of their two words. */
static inline LAE_HD double lae_philox_normal(uint64_t seed, uint64_t stream, uint64_t element)
{
    lae_philox_block block = lae_philox(seed, stream, element >> 2);
    double pair[2];
    lae_normal_pair(block.word[element & 2], block.word[(element & 2) + 1], pair);
    return pair[element & 1];
}

#endif
