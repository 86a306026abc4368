/*
 * Scalar products of a few rows of a weight with a few vectors, by one warp: what is left of a matrix product where
 * reading the weight is all the time. A lane reads 16 bytes of each row, the warp 512 in one piece, so with four rows
 * it has 2 KB under way; vectors come from the nearest cache, where the warps of a multiprocessor share them.
 *
 * Order of a sum: each lane adds its products in the order of k, then lanes join in pairs.
 */
#ifndef LAE_CUDA_DOTS_H
#define LAE_CUDA_DOTS_H

#include "types.h"

/* Elements of 16 bytes, as floats. */
static __device__ inline void dots_load(float (&to)[4], const float *from)
{
    const float4 v = __ldg(reinterpret_cast<const float4 *>(from));
    to[0] = v.x;
    to[1] = v.y;
    to[2] = v.z;
    to[3] = v.w;
}

static __device__ inline void dots_load(float (&to)[8], const __nv_bfloat16 *from)
{
    const uint4 v = __ldg(reinterpret_cast<const uint4 *>(from));
    const unsigned pairs[4] = { v.x, v.y, v.z, v.w };
    for (int i = 0; i < 4; i++) {
        to[2 * i] = lae_cu_bf16_low(pairs[i]);
        to[2 * i + 1] = lae_cu_bf16_high(pairs[i]);
    }
}

static __device__ inline void dots_load(float (&to)[8], const float *from)
{
    for (int half = 0; half < 2; half++) {
        float part[4];
        dots_load(part, from + 4 * half);
        for (int i = 0; i < 4; i++) to[4 * half + i] = part[i];
    }
}

static __device__ inline float dots_value(float value)
{
    return value;
}

static __device__ inline float dots_value(__nv_bfloat16 value)
{
    return __bfloat162float(value);
}

/**
 * Adds this lane's part of w[r] . x[m] over K elements to sums[r][m]. Elements before `whole`, a multiple of a 16-byte
 * piece, are read in such pieces: all rows and vectors must be aligned then. Row r is at w + r w_row, vector m at
 * x + m x_row; those that are not there, from `vectors` on, are the last one again.
 */
template <class W, int R, int M>
static __device__ inline void dots_add(float (&sums)[R][M], const W *w, int64_t w_row, const float *x, int64_t x_row,
                                       int vectors, int64_t K, int64_t whole, int lane)
{
    constexpr int EACH = 16 / (int)sizeof(W);
    for (int64_t k = (int64_t)lane * EACH; k < whole; k += 32 * EACH) {
        float weights[R][EACH], values[EACH];
        for (int r = 0; r < R; r++) dots_load(weights[r], w + r * w_row + k);
        for (int m = 0; m < M; m++) {
            dots_load(values, x + (m < vectors ? m : vectors - 1) * x_row + k);
            for (int r = 0; r < R; r++)
                for (int i = 0; i < EACH; i++) sums[r][m] = fmaf(weights[r][i], values[i], sums[r][m]);
        }
    }
    for (int64_t k = whole + lane; k < K; k += 32)
        for (int m = 0; m < M; m++) {
            const float value = x[(m < vectors ? m : vectors - 1) * x_row + k];
            for (int r = 0; r < R; r++) sums[r][m] = fmaf(dots_value(w[r * w_row + k]), value, sums[r][m]);
        }
}

/** The whole sums, in every lane. */
template <int R, int M> static __device__ inline void dots_join(float (&sums)[R][M])
{
    for (int distance = 16; distance > 0; distance /= 2)
        for (int r = 0; r < R; r++)
            for (int m = 0; m < M; m++) sums[r][m] += __shfl_xor_sync(0xffffffffu, sums[r][m], distance);
}

/** Elements that dots_add() may read in 16-byte pieces; on the host. */
inline int64_t lae_cu_dots_whole(const void *w, int64_t w_row, int w_type, const float *x, int64_t x_row, int64_t K)
{
    const int64_t each = w_type == LAE_CU_BF16 ? 8 : 4;
    if (!lae_cu_aligned(w, w_row, w_type, 16) || !lae_cu_aligned(x, x_row, LAE_CU_F32, 16)) return 0;
    return K / each * each;
}

#endif
