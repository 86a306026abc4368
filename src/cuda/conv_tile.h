/*
 * Sums of a tile of M by N products, kept in the registers of the four warps of a block, made of slices of 16 products
 * in shared memory:
 *
 *   A  M x 16, M being pixels: "rows", [M][16], 16 in order; or, M being taps and channels: "columns", [16][M + 8]
 *   B  16 x N: [16][N + 8]
 *
 * where columns have k at place (k % 4) 4 + k / 4, for both: then lane t of a tensor product takes k = 4t .. 4t + 3
 * from a row with one load of 16 bytes, and nothing meets a bank twice in either layout. Which k of a slice a fragment
 * calls its first is free, as long as A and B agree.
 *
 * float32 is computed by threads of (M / 16) x (N / 8) sums with fused multiply-adds, k ascending; tf32 and bf16 by
 * warps with tensor products.
 */
#ifndef LAE_CUDA_CONV_TILE_H
#define LAE_CUDA_CONV_TILE_H

#include "conv_plan.h"
#include "launch.h"
#include "mma.h"

#include <limits.h>

/** Products of a slice. */
constexpr int LAE_CU_SLICE = 16;

/** Where product k of a slice stands among columns. */
static __device__ __forceinline__ int lae_cu_slice_place(int k)
{
    return k % 4 * 4 + k / 4;
}

static __device__ __forceinline__ float4 lae_cu_float4(const float *from)
{
    return *reinterpret_cast<const float4 *>(from);
}

static __device__ __forceinline__ float lae_cu_part(const float4 &v, int i)
{
    return i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w;
}

template <int PRECISION, int M_, int N_, bool COLUMNS_>
struct lae_cu_tile;

/* Thread (tx, ty) of 8 by 16: columns 4 tx + 32 j + 0..3; rows ty + 16 i, or of columns 4 ty + 64 i + 0..3. */
template <int M_, int N_, bool COLUMNS_>
struct lae_cu_tile<LSTMAE_PRECISION_FP32, M_, N_, COLUMNS_> {
    static constexpr int M = M_, N = N_;
    static constexpr bool COLUMNS = COLUMNS_;
    static constexpr int HEIGHT = M / 16, WIDTH = N / 8;
    float sum[HEIGHT][WIDTH];

    __device__ __forceinline__ void clear()
    {
#pragma unroll
        for (int i = 0; i < HEIGHT; i++)
#pragma unroll
            for (int j = 0; j < WIDTH; j++) sum[i][j] = 0.0f;
    }

    __device__ __forceinline__ void add(const float (&left)[HEIGHT], const float *b)
    {
        const int tx = threadIdx.x % 8;
#pragma unroll
        for (int j = 0; j < WIDTH; j += 4) {
            const float4 right = lae_cu_float4(b + 4 * tx + 8 * j);
#pragma unroll
            for (int i = 0; i < HEIGHT; i++)
#pragma unroll
                for (int c = 0; c < 4; c++) sum[i][j + c] = fmaf(left[i], lae_cu_part(right, c), sum[i][j + c]);
        }
    }

    __device__ __forceinline__ void multiply(const float *a, const float *b)
    {
        const int ty = threadIdx.x / 8;
#pragma unroll
        for (int quad = 0; quad < LAE_CU_SLICE; quad += 4) {
            float4 rows[COLUMNS ? 1 : HEIGHT];
#pragma unroll
            for (int i = 0; !COLUMNS && i < HEIGHT; i++)
                rows[i] = lae_cu_float4(a + (ty + 16 * i) * LAE_CU_SLICE + quad);
#pragma unroll
            for (int c = 0; c < 4; c++) {
                const int place = lae_cu_slice_place(quad + c);
                float left[HEIGHT];
#pragma unroll
                for (int i = 0; i < HEIGHT; i++) {
                    if (!COLUMNS) left[i] = lae_cu_part(rows[i], c);
                    else if (i % 4 == 0) {
                        const float4 column = lae_cu_float4(a + place * (M + 8) + 4 * ty + 16 * i);
                        left[i] = column.x;
                        left[i + 1] = column.y;
                        left[i + 2] = column.z;
                        left[i + 3] = column.w;
                    }
                }
                add(left, b + place * (N + 8));
            }
        }
    }

    /** put(row, column, value, value of the next column), for all sums of this thread. */
    template <class Put>
    __device__ __forceinline__ void each(Put put) const
    {
        const int tx = threadIdx.x % 8, ty = threadIdx.x / 8;
#pragma unroll
        for (int i = 0; i < HEIGHT; i++)
#pragma unroll
            for (int j = 0; j < WIDTH; j += 2)
                put(COLUMNS ? 4 * ty + i / 4 * 64 + i % 4 : ty + 16 * i, 4 * tx + j / 4 * 32 + j % 4, sum[i][j],
                    sum[i][j + 1]);
    }
};

/* Warps share the tile as 2 by 2, or 4 by 1 where it is four times as high as wide; their parts are of 16 by 8. */
template <int PRECISION, int M_, int N_, bool COLUMNS_>
struct lae_cu_tile {
    static constexpr int M = M_, N = N_;
    static constexpr bool COLUMNS = COLUMNS_;
    static constexpr int ACROSS = M == 4 * N ? 1 : 2; /* warps along N */
    static constexpr int HEIGHT = M / (4 / ACROSS) / 16, WIDTH = N / ACROSS / 8;
    float sum[HEIGHT][WIDTH][4];

    static __device__ __forceinline__ int top() { return static_cast<int>(threadIdx.x) / 32 / ACROSS * HEIGHT * 16; }
    static __device__ __forceinline__ int left() { return static_cast<int>(threadIdx.x) / 32 % ACROSS * WIDTH * 8; }

    __device__ __forceinline__ void clear()
    {
#pragma unroll
        for (int i = 0; i < HEIGHT; i++)
#pragma unroll
            for (int j = 0; j < WIDTH; j++)
#pragma unroll
                for (int r = 0; r < 4; r++) sum[i][j][r] = 0.0f;
    }

    /* a[row g or g + 8][4t .. 4t + 3] */
    static __device__ __forceinline__ float4 load_a(const float *a, int row, int t)
    {
        if (!COLUMNS) return lae_cu_float4(a + row * LAE_CU_SLICE + 4 * t);
        const float *from = a + t * (M + 8) + row;
        return make_float4(from[0], from[4 * (M + 8)], from[8 * (M + 8)], from[12 * (M + 8)]);
    }

    __device__ __forceinline__ void multiply(const float *a, const float *b)
    {
        const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
        constexpr int STEPS = PRECISION == LSTMAE_PRECISION_TF32 ? 2 : 1;
        uint32_t right[WIDTH][STEPS][2];
#pragma unroll
        for (int j = 0; j < WIDTH; j++) {
            const float *from = b + t * (N + 8) + left() + 8 * j + g;
            const float v[4] = { from[0], from[4 * (N + 8)], from[8 * (N + 8)], from[12 * (N + 8)] };
            if constexpr (PRECISION == LSTMAE_PRECISION_TF32) {
#pragma unroll
                for (int r = 0; r < 4; r++) /* prepared weights are rounded */
                    right[j][r / 2][r % 2] = COLUMNS ? lae_cu_tf32(v[r]) : __float_as_uint(v[r]);
            } else {
                right[j][0][0] = lae_cu_bf16_pair(v[0], v[1]);
                right[j][0][1] = lae_cu_bf16_pair(v[2], v[3]);
            }
        }
#pragma unroll
        for (int i = 0; i < HEIGHT; i++) {
            const float4 upper = load_a(a, top() + 16 * i + g, t), lower = load_a(a, top() + 16 * i + g + 8, t);
            if constexpr (PRECISION == LSTMAE_PRECISION_TF32) {
                const uint32_t first[4] = { lae_cu_tf32(upper.x), lae_cu_tf32(lower.x), lae_cu_tf32(upper.y),
                                            lae_cu_tf32(lower.y) };
                const uint32_t second[4] = { lae_cu_tf32(upper.z), lae_cu_tf32(lower.z), lae_cu_tf32(upper.w),
                                             lae_cu_tf32(lower.w) };
#pragma unroll
                for (int j = 0; j < WIDTH; j++) {
                    lae_cu_mma_tf32(sum[i][j], first, right[j][0]);
                    lae_cu_mma_tf32(sum[i][j], second, right[j][1]);
                }
            } else {
                const uint32_t all[4] = { lae_cu_bf16_pair(upper.x, upper.y), lae_cu_bf16_pair(lower.x, lower.y),
                                          lae_cu_bf16_pair(upper.z, upper.w), lae_cu_bf16_pair(lower.z, lower.w) };
#pragma unroll
                for (int j = 0; j < WIDTH; j++) lae_cu_mma_bf16(sum[i][j], all, right[j][0]);
            }
        }
    }

    /** put(row, column, value, value of the next column), for all sums of this thread. */
    template <class Put>
    __device__ __forceinline__ void each(Put put) const
    {
        const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
        for (int i = 0; i < HEIGHT; i++)
#pragma unroll
            for (int j = 0; j < WIDTH; j++) {
                const int row = top() + 16 * i + g, column = left() + 8 * j + 2 * t;
                put(row, column, sum[i][j][0], sum[i][j][1]);
                put(row + 8, column, sum[i][j][2], sum[i][j][3]);
            }
    }
};

/** What a block keeps of a tile's slices: a ring, so that copies of the next ones run during the products. */
template <class Tile>
struct lae_cu_ring {
    /* three hide a copy behind two slices' products; small tiles have less to do in each */
    static constexpr int SLICES = Tile::M > 64 ? 3 : 4;
    static constexpr int A = Tile::COLUMNS ? LAE_CU_SLICE * (Tile::M + 8) : LAE_CU_SLICE * Tile::M;
    static constexpr int B = LAE_CU_SLICE * (Tile::N + 8);
    static constexpr int FLOATS = SLICES * (A + B);
    /* of a multiprocessor, so many fit: 170, 102 or 85 registers a thread */
    static constexpr int BLOCKS = Tile::M == 64 ? 6 : Tile::N == 32 ? 5 : 3;
};

/**
 * Adds `slices` slices to the tile: load(slice, a, b) starts the copies of one; a barrier is between it and all loads
 * before, but not between the first SLICES - 1. Ends with all of them done, and all threads past their last read of the
 * ring.
 */
template <class Tile, class Load>
static __device__ __forceinline__ void lae_cu_ring_run(Tile &tile, float *ring, int slices, Load load)
{
    using Ring = lae_cu_ring<Tile>;
    constexpr int AHEAD = Ring::SLICES - 1, EACH = Ring::A + Ring::B;
    for (int slice = 0; slice < AHEAD; slice++) {
        if (slice < slices) load(slice, ring + slice * EACH, ring + slice * EACH + Ring::A);
        lae_cu_copy_commit();
    }
    int now = 0, next = AHEAD;
    for (int slice = 0; slice < slices; slice++) {
        lae_cu_copy_wait<AHEAD - 1>();
        __syncthreads();
        if (slice + AHEAD < slices) load(slice + AHEAD, ring + next * EACH, ring + next * EACH + Ring::A);
        lae_cu_copy_commit();
        tile.multiply(ring + now * EACH, ring + now * EACH + Ring::A);
        now = now + 1 == Ring::SLICES ? 0 : now + 1;
        next = next + 1 == Ring::SLICES ? 0 : next + 1;
    }
    lae_cu_copy_wait<0>();
    __syncthreads();
}

/** A pixel of `in` under the first tap: its offset, and where it is; far outside where there is none. */
struct alignas(16) lae_cu_conv_pixel {
    int64_t offset;
    int y, x;
};

constexpr int LAE_CU_CONV_NOWHERE = INT_MIN / 2;

#endif
