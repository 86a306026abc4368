/*
 * Denormal numbers cost some processors a hundred times the cycles of others. Between lae_flush_begin() and
 * lae_flush_end() this thread counts them as zero, in operands and results; what the caller had is restored. Calls
 * through pointers or into other files lie between, so the compiler moves no arithmetic across.
 */
#ifndef LAE_FLOAT_MODE_H
#define LAE_FLOAT_MODE_H

#include <stdint.h>

#if defined(__SSE2__)
#include <immintrin.h>

/* MXCSR: bit 15 flushes results, bit 6 counts denormal operands as zero. */
static inline uint64_t lae_flush_begin(void)
{
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040u);
    return before;
}

static inline void lae_flush_end(uint64_t before)
{
    _mm_setcsr((unsigned)before);
}

#elif defined(__aarch64__)

/* FPCR: bit 24 does both. */
static inline uint64_t lae_flush_begin(void)
{
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | (UINT64_C(1) << 24)));
    return before;
}

static inline void lae_flush_end(uint64_t before)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(before));
}

#else

static inline uint64_t lae_flush_begin(void)
{
    return 0;
}

static inline void lae_flush_end(uint64_t before)
{
    (void)before;
}

#endif

#endif
