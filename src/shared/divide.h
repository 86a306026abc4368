/*
 * Division of numbers below 2^31 by a number known beforehand, as a multiplication (Granlund and Montgomery, PLDI
 * 1994): n / d = (n + floor(n m / 2^32)) >> s with s = ceil(log2 d) and m = floor(2^32 (2^s - d) / d) + 1. Shared
 * between C and CUDA, host and device.
 */
#ifndef LAE_DIVIDE_H
#define LAE_DIVIDE_H

#include "philox.h"

typedef struct lae_divisor {
    uint32_t number, multiplier, shift;
} lae_divisor;

/** For `number` from 1 to 2^31. */
static inline lae_divisor lae_divisor_of(uint32_t number)
{
    lae_divisor divisor = { number, 0, 0 };
    while (((uint64_t)1 << divisor.shift) < number) divisor.shift++;
    uint64_t above = ((uint64_t)1 << divisor.shift) - number;
    divisor.multiplier = (uint32_t)((above << 32) / number + 1);
    return divisor;
}

/** n / divisor for n < 2^31; *rest is what is left. */
static inline LAE_HD uint32_t lae_divide(uint32_t n, lae_divisor divisor, uint32_t *rest)
{
    uint32_t quotient = (n + (uint32_t)(((uint64_t)n * divisor.multiplier) >> 32)) >> divisor.shift;
    *rest = n - quotient * divisor.number;
    return quotient;
}

#endif
