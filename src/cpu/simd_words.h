/*
 * Beside simd.h: vw, VL / 2 lanes of 64 bits, for products of 32-bit words. Only what random numbers need; the upper
 * half of a lane is ignored by vw_mul and may hold anything.
 */
#ifndef LAE_SIMD_WORDS_H
#define LAE_SIMD_WORDS_H

#include "simd.h"

#define VW (VL / 2)

#if defined(LAE_SIMD_AVX512)
typedef __m512i vw;

LAE_INLINE vw vw_set1(uint64_t x) { return _mm512_set1_epi64((int64_t)x); }
LAE_INLINE vw vw_load(const uint64_t *p) { return _mm512_loadu_si512(p); }
LAE_INLINE void vw_store(uint64_t *p, vw a) { _mm512_storeu_si512(p, a); }
LAE_INLINE vw vw_xor(vw a, vw b) { return _mm512_xor_si512(a, b); }
LAE_INLINE vw vw_mul(vw a, vw b) { return _mm512_mul_epu32(a, b); }
LAE_INLINE vw vw_high(vw a) { return _mm512_srli_epi64(a, 32); }

#elif defined(LAE_SIMD_AVX2)
typedef __m256i vw;

LAE_INLINE vw vw_set1(uint64_t x) { return _mm256_set1_epi64x((int64_t)x); }
LAE_INLINE vw vw_load(const uint64_t *p) { return _mm256_loadu_si256((const __m256i *)(const void *)p); }
LAE_INLINE void vw_store(uint64_t *p, vw a) { _mm256_storeu_si256((__m256i *)(void *)p, a); }
LAE_INLINE vw vw_xor(vw a, vw b) { return _mm256_xor_si256(a, b); }
LAE_INLINE vw vw_mul(vw a, vw b) { return _mm256_mul_epu32(a, b); }
LAE_INLINE vw vw_high(vw a) { return _mm256_srli_epi64(a, 32); }

#elif defined(LAE_SIMD_NEON)
typedef uint64x2_t vw;

LAE_INLINE vw vw_set1(uint64_t x) { return vdupq_n_u64(x); }
LAE_INLINE vw vw_load(const uint64_t *p) { return vld1q_u64(p); }
LAE_INLINE void vw_store(uint64_t *p, vw a) { vst1q_u64(p, a); }
LAE_INLINE vw vw_xor(vw a, vw b) { return veorq_u64(a, b); }
LAE_INLINE vw vw_mul(vw a, vw b) { return vmull_u32(vmovn_u64(a), vmovn_u64(b)); }
LAE_INLINE vw vw_high(vw a) { return vshrq_n_u64(a, 32); }

#else
typedef uint64_t vw __attribute__((vector_size(16)));

LAE_INLINE vw vw_set1(uint64_t x) { return (vw){ x, x }; }

LAE_INLINE vw vw_load(const uint64_t *p)
{
    vw a;
    memcpy(&a, p, sizeof a);
    return a;
}

LAE_INLINE void vw_store(uint64_t *p, vw a) { memcpy(p, &a, sizeof a); }
LAE_INLINE vw vw_xor(vw a, vw b) { return a ^ b; }
LAE_INLINE vw vw_mul(vw a, vw b) { return (a & 0xffffffffu) * (b & 0xffffffffu); }
LAE_INLINE vw vw_high(vw a) { return a >> 32; }
#endif

#endif
