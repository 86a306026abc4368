/*
 * Philox4x32-10, counter-based random numbers (Salmon, Moraes, Dror, Shaw, SC 2011). The same numbers on every device:
 * shared between C and CUDA, host and device.
 *
 * Element e of stream s under seed k takes word e mod 4 of the block with counter (e/4 low, e/4 high, s low, s high)
 * and key (k low, k high).
 */
#ifndef LAE_PHILOX_H
#define LAE_PHILOX_H

#include <stdint.h>

#ifdef __CUDACC__
#define LAE_HD __host__ __device__
#else
#define LAE_HD
#endif

typedef struct lae_philox_block {
    uint32_t word[4];
} lae_philox_block;

/** Ten rounds over one counter. */
static inline LAE_HD lae_philox_block lae_philox(uint64_t seed, uint64_t stream, uint64_t block)
{
    uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32);
    uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    lae_philox_block out;
    out.word[0] = c0;
    out.word[1] = c1;
    out.word[2] = c2;
    out.word[3] = c3;
    return out;
}

/** 32 random bits of element `element`. */
static inline LAE_HD uint32_t lae_philox_bits(uint64_t seed, uint64_t stream, uint64_t element)
{
    return lae_philox(seed, stream, element >> 2).word[element & 3];
}

/** [0,1) from the upper 24 bits: exact in float. */
static inline LAE_HD float lae_unit_float(uint32_t bits)
{
    return (float)(bits >> 8) * (1.0f / 16777216.0f);
}

/** Uniform [0,1) of element `element` with 53 random bits: words 0,1 of block `element`. For host-side draws. */
static inline LAE_HD double lae_philox_unit(uint64_t seed, uint64_t stream, uint64_t element)
{
    lae_philox_block b = lae_philox(seed, stream, element);
    uint64_t bits = ((uint64_t)b.word[0] << 21) ^ (b.word[1] >> 11);
    return (double)bits * (1.0 / 9007199254740992.0);
}

#endif
