/* What device code calls: indices, barriers, warp primitives, intrinsics. See ../block.cpp for how a block runs. */
#ifndef LAE_HOST_DEVICE_FUNCTIONS_H
#define LAE_HOST_DEVICE_FUNCTIONS_H

#include "vector_types.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <type_traits>

#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
#define LAE_HOST_HIDDEN __attribute__((visibility("hidden")))

extern LAE_HOST_HIDDEN uint3 threadIdx, blockIdx;
extern LAE_HOST_HIDDEN dim3 blockDim, gridDim;
constexpr int warpSize = 32;

/* ---- shared memory ---- */

/* One array of one kernel: where it is in the block that runs. */
struct lae_host_site {
    uint64_t block;
    void *memory;
};
extern LAE_HOST_HIDDEN uint64_t lae_host_block; /* number of the block that runs, never 0 */
LAE_HOST_HIDDEN void *lae_host_shared_take(lae_host_site *site, size_t bytes);
LAE_HOST_HIDDEN void *lae_host_shared_dynamic();

__attribute__((no_sanitize("thread"))) inline void *lae_host_shared(lae_host_site *site, size_t bytes)
{
    return site->block == lae_host_block ? site->memory : lae_host_shared_take(site, bytes);
}

/* ---- barriers: `line` tells one from another ---- */

enum { LAE_HOST_BARRIER, LAE_HOST_BARRIER_OR, LAE_HOST_BARRIER_AND, LAE_HOST_BARRIER_COUNT };
LAE_HOST_HIDDEN int lae_host_barrier(int kind, int line, int predicate);
LAE_HOST_HIDDEN void lae_host_trap(const char *text);

#define __syncthreads() ((void)lae_host_barrier(LAE_HOST_BARRIER, __LINE__, 0))
#define __syncthreads_or(predicate) lae_host_barrier(LAE_HOST_BARRIER_OR, __LINE__, (predicate))
#define __syncthreads_and(predicate) lae_host_barrier(LAE_HOST_BARRIER_AND, __LINE__, (predicate))
#define __syncthreads_count(predicate) lae_host_barrier(LAE_HOST_BARRIER_COUNT, __LINE__, (predicate))
#define __trap() lae_host_trap("__trap()")

inline void __threadfence() {}
inline void __threadfence_block() {}

/* ---- warps ---- */

enum { LAE_HOST_WARP_SYNC, LAE_HOST_WARP_SHUFFLE, LAE_HOST_WARP_BALLOT };
/* Waits for the lanes of mask; gives the value of lane `source`, or the ballot of all values. */
LAE_HOST_HIDDEN uint64_t lae_host_warp(int kind, unsigned mask, uint64_t value, int source);
LAE_HOST_HIDDEN int lae_host_lane();
LAE_HOST_HIDDEN unsigned lae_host_active();

inline void __syncwarp(unsigned mask = 0xffffffffu) { (void)lae_host_warp(LAE_HOST_WARP_SYNC, mask, 0, 0); }
inline unsigned __activemask() { return lae_host_active(); }
inline unsigned __ballot_sync(unsigned mask, int predicate)
{
    return (unsigned)lae_host_warp(LAE_HOST_WARP_BALLOT, mask, predicate != 0, 0);
}
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, !predicate) == 0; }

template <class T> inline T lae_host_shuffle(unsigned mask, T value, int source)
{
    static_assert(sizeof(T) == 4 || sizeof(T) == 8 || sizeof(T) == 2, "what shuffles take");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    bits = lae_host_warp(LAE_HOST_WARP_SHUFFLE, mask, bits, source);
    memcpy(&value, &bits, sizeof value);
    return value;
}

template <class T> inline T __shfl_sync(unsigned mask, T value, int lane, int width = 32)
{
    return lae_host_shuffle(mask, value, (lae_host_lane() & ~(width - 1)) | (lane & (width - 1)));
}
template <class T> inline T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32)
{
    int lane = lae_host_lane(), last = lane | (width - 1), source = lane ^ bits;
    return lae_host_shuffle(mask, value, source > last ? lane : source);
}
template <class T> inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32)
{
    int lane = lae_host_lane(), last = lane | (width - 1), source = lane + (int)delta;
    return lae_host_shuffle(mask, value, source > last ? lane : source);
}
template <class T> inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32)
{
    int lane = lae_host_lane(), first = lane & ~(width - 1), source = lane - (int)delta;
    return lae_host_shuffle(mask, value, source < first ? lane : source);
}

/* ---- atomics: on integers alone, since the order of float sums would show ---- */

inline unsigned atomicAdd(unsigned *at, unsigned value) { return __atomic_fetch_add(at, value, __ATOMIC_RELAXED); }
inline int atomicAdd(int *at, int value) { return __atomic_fetch_add(at, value, __ATOMIC_RELAXED); }
inline unsigned atomicInc(unsigned *at, unsigned limit)
{
    unsigned old = __atomic_load_n(at, __ATOMIC_RELAXED);
    __atomic_store_n(at, old >= limit ? 0u : old + 1u, __ATOMIC_RELAXED);
    return old;
}
inline unsigned atomicExch(unsigned *at, unsigned value) { return __atomic_exchange_n(at, value, __ATOMIC_RELAXED); }
inline int atomicExch(int *at, int value) { return __atomic_exchange_n(at, value, __ATOMIC_RELAXED); }
inline unsigned atomicOr(unsigned *at, unsigned value) { return __atomic_fetch_or(at, value, __ATOMIC_RELAXED); }
inline int atomicOr(int *at, int value) { return __atomic_fetch_or(at, value, __ATOMIC_RELAXED); }

/* ---- loads and stores with cache hints ---- */

template <class T> inline T __ldg(const T *at) { return *at; }
template <class T> inline T __ldcg(const T *at) { return *at; }
template <class T> inline T __ldcs(const T *at) { return *at; }
template <class T> inline void __stcg(T *at, T value) { *at = value; }
template <class T> inline void __stcs(T *at, T value) { *at = value; }
template <class T> inline void __stwt(T *at, T value) { *at = value; }

/* ---- bits ---- */

template <class To, class From> inline To lae_host_bits(From value)
{
    static_assert(sizeof(To) == sizeof(From), "same size");
    To bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}
inline int __float_as_int(float value) { return lae_host_bits<int>(value); }
inline unsigned __float_as_uint(float value) { return lae_host_bits<unsigned>(value); }
inline float __int_as_float(int value) { return lae_host_bits<float>(value); }
inline float __uint_as_float(unsigned value) { return lae_host_bits<float>(value); }
inline long long __double_as_longlong(double value) { return lae_host_bits<long long>(value); }
inline double __longlong_as_double(long long value) { return lae_host_bits<double>(value); }
inline int __popc(unsigned value) { return __builtin_popcount(value); }
inline int __popcll(unsigned long long value) { return __builtin_popcountll(value); }
inline int __clz(int value) { return value ? __builtin_clz((unsigned)value) : 32; }
inline int __clzll(long long value) { return value ? __builtin_clzll((unsigned long long)value) : 64; }
inline int __ffs(int value) { return __builtin_ffs(value); }
inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)(((unsigned long long)a * b) >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b)
{
    return (unsigned long long)(((unsigned __int128)a * b) >> 64);
}

/* ---- arithmetic with a stated rounding, and functions that C does not have ---- */

inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fsqrt_rn(float a) { return sqrtf(a); }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }
inline int __float2int_rn(float a) { return (int)lrintf(a); }
inline float __int2float_rn(int a) { return (float)a; }
inline float __uint2float_rn(unsigned a) { return (float)a; }
inline float rsqrtf(float a) { return 1.0f / sqrtf(a); }
inline double rsqrt(double a) { return 1.0 / sqrt(a); }

inline int min(int a, int b) { return b < a ? b : a; }
inline int max(int a, int b) { return a < b ? b : a; }
inline unsigned min(unsigned a, unsigned b) { return b < a ? b : a; }
inline unsigned max(unsigned a, unsigned b) { return a < b ? b : a; }
inline long min(long a, long b) { return b < a ? b : a; }
inline long max(long a, long b) { return a < b ? b : a; }
inline unsigned long min(unsigned long a, unsigned long b) { return b < a ? b : a; }
inline unsigned long max(unsigned long a, unsigned long b) { return a < b ? b : a; }
inline long long min(long long a, long long b) { return b < a ? b : a; }
inline long long max(long long a, long long b) { return a < b ? b : a; }
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }

#endif
