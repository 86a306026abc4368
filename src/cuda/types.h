/*
 * Element types of device memory: the backend's, and bfloat16, which only this device's own copies have: the upper half
 * of a float32, rounded to nearest even.
 */
#ifndef LAE_CUDA_TYPES_H
#define LAE_CUDA_TYPES_H

#include "queue.h"

#include <cuda_bf16.h>

#include <string.h>

enum lae_cu_type { LAE_CU_F32, LAE_CU_F64, LAE_CU_BF16 };

inline size_t lae_cu_type_size(int type)
{
    return type == LAE_CU_F32 ? 4 : type == LAE_CU_F64 ? 8 : 2;
}

inline int lae_cu_type_of(int dtype)
{
    return dtype == LSTMAE_F64 ? LAE_CU_F64 : LAE_CU_F32;
}

/** What the factors of a product of a context's arrays are. */
inline int lae_cu_factor_type(const lstmae_queue *queue, int dtype)
{
    return dtype == LSTMAE_F32 && queue->precision == LSTMAE_PRECISION_BF16 ? LAE_CU_BF16 : lae_cu_type_of(dtype);
}

/** Element `offset` of an array. */
inline void *lae_cu_at(const void *base, int64_t offset, int type)
{
    return const_cast<char *>(static_cast<const char *>(base)) + offset * (int64_t)lae_cu_type_size(type);
}

/** 1 if vectors of `bytes` may be read at `base` and at every multiple of `stride` elements from there. */
inline int lae_cu_aligned(const void *base, int64_t stride, int type, size_t bytes)
{
    return (reinterpret_cast<uintptr_t>(base) | ((size_t)stride * lae_cu_type_size(type))) % bytes == 0;
}

/** Adds an array of `count` elements to what is wanted of lae_cu_scratch() in one call; returns where it begins. */
inline size_t lae_cu_room(size_t *total, int64_t count, int type)
{
    size_t offset = *total;
    *total += ((size_t)count * lae_cu_type_size(type) + 255) / 256 * 256;
    return offset;
}

/* ---- in kernels ---- */

/** Two values as they lie in memory, `low` first. */
static inline __device__ unsigned lae_cu_bf16_pair(float low, float high)
{
    __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
    unsigned bits;
    memcpy(&bits, &pair, sizeof bits);
    return bits;
}

static inline __device__ float lae_cu_bf16_low(unsigned pair)
{
    return __uint_as_float(pair << 16);
}

static inline __device__ float lae_cu_bf16_high(unsigned pair)
{
    return __uint_as_float(pair & 0xffff0000u);
}

#endif
