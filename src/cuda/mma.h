/*
 * Instructions that CUDA C++ has no names for: products of small matrices by a warp, rounding to what they take, and
 * copies to shared memory that run on while the thread does. All PTX of this plugin is here (PTX ISA, sections
 * "Matrix multiply-accumulate operation using mma instruction" and "cp.async"). From compute capability 8.0 on;
 * before, copies are loads and stores, and there are no products. The host build computes the same from the documented
 * layout of fragments.
 *
 * In a fragment lane l has g = l / 4 and t = l % 4. For d [16,8] += a [16,K] b [K,8]:
 *
 *   d: rows g, g + 8 (registers 0-1, 2-3), columns 2t, 2t + 1
 *   tf32, K = 8:  a0..3 = a[g][t], a[g+8][t], a[g][t+4], a[g+8][t+4];  b0..1 = b[t][g], b[t+4][g]
 *   bf16, K = 16: pairs, the first in the lower half: a[g][2t,2t+1], a[g+8][2t,2t+1], a[g][2t+8,2t+9],
 *                 a[g+8][2t+8,2t+9];  b[2t,2t+1][g], b[2t+8,2t+9][g]
 */
#ifndef LAE_CUDA_MMA_H
#define LAE_CUDA_MMA_H

#include <cuda_runtime.h>

#include <stdint.h>

#if !defined(__CUDACC__) || !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
#define LAE_CU_HAS_MMA 1
#else
#define LAE_CU_HAS_MMA 0
#endif

/** What the products above need. */
constexpr int LAE_CU_MMA_CAPABILITY = 80;

#if defined(__CUDACC__)

/** Bits of `value` rounded to tf32: to nearest, ties away from 0; NaN stays one. */
static __device__ __forceinline__ uint32_t lae_cu_tf32(float value)
{
#if LAE_CU_HAS_MMA
    uint32_t bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
    return bits;
#else
    return __float_as_uint(value);
#endif
}

/** Two bfloat16, rounded to nearest even; `low` in the lower half. */
static __device__ __forceinline__ uint32_t lae_cu_bf16_pair(float low, float high)
{
#if LAE_CU_HAS_MMA
    uint32_t bits;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
    return bits;
#else
    return __float_as_uint(low) >> 16 | (__float_as_uint(high) & 0xffff0000u);
#endif
}

/** d += a b, of tf32. All lanes of the warp. */
static __device__ __forceinline__ void lae_cu_mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2])
{
#if LAE_CU_HAS_MMA
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
                 "{%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    __trap();
#endif
}

/** d += a b, of bf16. All lanes of the warp. */
static __device__ __forceinline__ void lae_cu_mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2])
{
#if LAE_CU_HAS_MMA
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
                 "{%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    __trap();
#endif
}

/**
 * Copies BYTES (4 or 16) from global to shared memory, both aligned to that, or sets them to zero where not `valid`;
 * `from` is an address that may be formed either way. The copies before a lae_cu_copy_commit() are a group;
 * lae_cu_copy_wait<N>() waits for this thread's groups but the last N.
 */
template <int BYTES>
static __device__ __forceinline__ void lae_cu_copy_async(float *to, const float *from, bool valid)
{
    static_assert(BYTES == 4 || BYTES == 16, "a float, or four");
#if LAE_CU_HAS_MMA
    const uint32_t shared = static_cast<uint32_t>(__cvta_generic_to_shared(to));
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;"
                 :
                 : "r"(shared), "l"(__cvta_generic_to_global(from)), "n"(BYTES), "r"(valid ? BYTES : 0)
                 : "memory");
#else
    if (BYTES == 16)
        *reinterpret_cast<float4 *>(to) = valid ? *reinterpret_cast<const float4 *>(from) : make_float4(0, 0, 0, 0);
    else *to = valid ? *from : 0.0f;
#endif
}

static __device__ __forceinline__ void lae_cu_copy_commit()
{
#if LAE_CU_HAS_MMA
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

template <int N>
static __device__ __forceinline__ void lae_cu_copy_wait()
{
#if LAE_CU_HAS_MMA
    asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
#endif
}

#else

#include <cuda_bf16.h>
#include <string.h>

static inline uint32_t lae_cu_tf32(float value)
{
    const uint32_t bits = __float_as_uint(value);
    return (bits & 0x7f800000u) == 0x7f800000u ? bits : (bits + 0x1000u) & ~0x1fffu;
}

static inline uint32_t lae_cu_bf16_pair(float low, float high)
{
    const uint32_t upper = __bfloat16_as_ushort(__float2bfloat16_rn(high));
    return upper << 16 | __bfloat16_as_ushort(__float2bfloat16_rn(low));
}

/* The fragments of a warp, laid out as matrices by each lane for its part. Warps of one block may take turns. */
struct lae_cu_host_fragments {
    float a[16][16], b[16][8];
};

static lae_cu_host_fragments lae_cu_host_warps[32];

static inline lae_cu_host_fragments *lae_cu_host_fragments_of_warp()
{
    return &lae_cu_host_warps[(threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) / 32];
}

/* Everything is exact but the sums, which the device does not state the order of. */
static inline void lae_cu_host_mma(float (&d)[4], int depth)
{
    const lae_cu_host_fragments *warp = lae_cu_host_fragments_of_warp();
    const int g = lae_host_lane() / 4, t = lae_host_lane() % 4;
    __syncwarp();
    for (int r = 0; r < 4; r++) {
        double sum = 0.0;
        for (int k = 0; k < depth; k++)
            sum += static_cast<double>(warp->a[g + r / 2 * 8][k]) * static_cast<double>(warp->b[k][2 * t + r % 2]);
        d[r] = static_cast<float>(static_cast<double>(d[r]) + sum);
    }
    __syncwarp();
}

static inline void lae_cu_mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2])
{
    lae_cu_host_fragments *warp = lae_cu_host_fragments_of_warp();
    const int g = lae_host_lane() / 4, t = lae_host_lane() % 4;
    for (int r = 0; r < 4; r++) warp->a[g + r % 2 * 8][t + r / 2 * 4] = __uint_as_float(a[r] & ~0x1fffu);
    for (int r = 0; r < 2; r++) warp->b[t + r * 4][g] = __uint_as_float(b[r] & ~0x1fffu);
    lae_cu_host_mma(d, 8);
}

static inline void lae_cu_mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2])
{
    lae_cu_host_fragments *warp = lae_cu_host_fragments_of_warp();
    const int g = lae_host_lane() / 4, t = lae_host_lane() % 4;
    for (int half = 0; half < 2; half++) {
        const int shift = half * 16, k = 2 * t + half;
        for (int r = 0; r < 4; r++)
            warp->a[g + r % 2 * 8][k + r / 2 * 8] = __uint_as_float((a[r] >> shift) << 16);
        for (int r = 0; r < 2; r++) warp->b[k + r * 8][g] = __uint_as_float((b[r] >> shift) << 16);
    }
    lae_cu_host_mma(d, 16);
}

template <int BYTES>
static inline void lae_cu_copy_async(float *to, const float *from, bool valid)
{
    static_assert(BYTES == 4 || BYTES == 16, "a float, or four");
    if ((reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from)) % BYTES != 0) __trap();
    if (valid) memcpy(to, from, BYTES);
    else memset(to, 0, BYTES);
}

static inline void lae_cu_copy_commit() {}

template <int N>
static inline void lae_cu_copy_wait()
{
}

#endif

#endif
