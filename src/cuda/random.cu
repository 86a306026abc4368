/*
 * random and dropout: the CPU's very numbers. Element e of the view in row-major order has the counter first + e, and
 * takes word counter mod 4 of the Philox block counter / 4: one thread draws a block and fills its four elements.
 *
 *   uniform    a + (b - a) u,  u = (bits >> 8) / 2^24
 *   normal     a + b z,  z from pairs of words by Box and Muller in double (shared/random.h)
 *   bernoulli  1 where u < a, else 0
 *   dropout    u < p ? 0 : x / (1 - p)
 *
 * In a captured step the key's stream is moved on by what lae_cu_step holds. Floor: the memory's bandwidth for all but
 * normal numbers, whose series are in double.
 */
#include "entries.h"
#include "pointwise.h"

#include "shared/random.h"

#include <math.h>

struct random_call {
    lae_cu_walk walk;
    const lae_cu_step *step;
    lstmae_random_key key;
    int kind;
    uint32_t threshold; /* of the upper 24 bits */
    double a, b;        /* dropout: b = 1 / (1 - p) */
    int packed;         /* elements lie densely, and those of a block aligned to 16 bytes */
};

/* What a kernel fills: random numbers, or the product of x and a mask. */
enum random_use { RANDOM_NUMBERS, RANDOM_DROPOUT };

static __device__ __forceinline__ void random_uniform(float *y, uint32_t bits, double a, double b)
{
    *y = lae_uniform_float(bits, a, b);
}

static __device__ __forceinline__ void random_uniform(double *y, uint32_t bits, double a, double b)
{
    *y = lae_uniform_double(bits, a, b);
}

template <typename T>
static __device__ __forceinline__ void random_values(T (&y)[4], const random_call &call, const lae_philox_block &block)
{
    if (call.kind == LSTMAE_RANDOM_NORMAL) {
        for (int i = 0; i < 4; i += 2) {
            double pair[2];
            lae_normal_pair(block.word[i], block.word[i + 1], pair);
            y[i] = (T)(call.a + call.b * pair[0]);
            y[i + 1] = (T)(call.a + call.b * pair[1]);
        }
    } else if (call.kind == LSTMAE_RANDOM_UNIFORM) {
        for (int i = 0; i < 4; i++) random_uniform(&y[i], block.word[i], call.a, call.b);
    } else {
        for (int i = 0; i < 4; i++) y[i] = block.word[i] >> 8 < call.threshold ? 1 : 0;
    }
}

template <typename T>
static __device__ __forceinline__ void random_dropout(T (&y)[4], const T (&x)[4], const random_call &call,
                                                      const lae_philox_block &block)
{
    for (int i = 0; i < 4; i++) y[i] = block.word[i] >> 8 < call.threshold ? 0 : x[i] * (T)call.b;
}

/* The four elements from `first` on, all of them in the view, which lies densely. */
template <random_use USE>
static __device__ __forceinline__ void random_pack(const random_call &call, int64_t first,
                                                   const lae_philox_block &block)
{
    float x[4], y[4];
    if constexpr (USE == RANDOM_DROPOUT) {
        lae_cu_load(x, static_cast<const float *>(call.walk.data[1]) + first, 0);
        random_dropout(y, x, call, block);
    } else {
        random_values(y, call, block);
    }
    lae_cu_store(static_cast<float *>(call.walk.data[0]) + first, y);
}

/* Those of the four elements from `first` on that are in the view, which may lie as it likes. */
template <typename T, random_use USE>
static __device__ __forceinline__ void random_scatter(const random_call &call, int64_t first,
                                                      const lae_philox_block &block)
{
    T x[4] = { 0, 0, 0, 0 }, y[4];
    int64_t offset[4][USE == RANDOM_DROPOUT ? 2 : 1];
    const auto inside = [&](int i) { return first + i >= 0 && first + i < call.walk.units; };
    for (int i = 0; i < 4; i++) {
        if (!inside(i)) continue;
        lae_cu_walk_to(call.walk, (uint32_t)(first + i), offset[i]);
        if constexpr (USE == RANDOM_DROPOUT) x[i] = static_cast<const T *>(call.walk.data[1])[offset[i][1]];
    }
    if constexpr (USE == RANDOM_DROPOUT) random_dropout(y, x, call, block);
    else random_values(y, call, block);
    for (int i = 0; i < 4; i++)
        if (inside(i)) static_cast<T *>(call.walk.data[0])[offset[i][0]] = y[i];
}

template <typename T, random_use USE>
static __global__ void __launch_bounds__(LAE_CU_WALK_BLOCK) random_kernel(const random_call call)
{
    const uint64_t stream = call.key.stream + (call.step ? call.step->draws : 0);
    const int64_t skipped = call.key.first & 3, blocks = (skipped + call.walk.units + 3) / 4;
    const int64_t step = (int64_t)gridDim.x * blockDim.x;
    for (int64_t index = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; index < blocks; index += step) {
        const lae_philox_block block = lae_philox(call.key.seed, stream, (call.key.first >> 2) + (uint64_t)index);
        const int64_t first = 4 * index - skipped;
        if (sizeof(T) == sizeof(float) && call.packed && first >= 0 && first + 4 <= call.walk.units)
            random_pack<USE>(call, first, block);
        else
            random_scatter<T, USE>(call, first, block);
    }
}

/* Whether the elements of each block but the first and last are 16 bytes that can be moved at once. */
static int random_packed(const lae_cu_layout *layout, uint64_t first)
{
    if (layout->axes > 1) return 0;
    for (int v = 0; v < layout->views; v++) {
        const uintptr_t at = reinterpret_cast<uintptr_t>(layout->data[v]) / sizeof(float);
        if (layout->stride[v][0] != 1 || (at - first) % 4 != 0) return 0;
    }
    return 1;
}

template <typename T, random_use USE>
static lstmae_status random_run(lstmae_queue *queue, const char *name, lae_cu_layout layout, random_call call)
{
    const int64_t numel = lae_cu_layout_numel(&layout);
    if (numel == 0) return LSTMAE_OK;
    if (numel > LAE_CU_WALK_MOST) {
        lae_cu_layout rest;
        lae_cu_layout_halve(&layout, &rest);
        LAE_CU_TRY((random_run<T, USE>(queue, name, layout, call)));
        call.key.first += (uint64_t)lae_cu_layout_numel(&layout);
        return random_run<T, USE>(queue, name, rest, call);
    }
    call.walk = lae_cu_walk_of(&layout, 1);
    call.packed = sizeof(T) == sizeof(float) && random_packed(&layout, call.key.first);
    call.step = lae_cu_step_of(queue);
    LAE_LAUNCH((random_kernel<T, USE>), lae_cu_walk_grid(queue, numel / 4 + 2), LAE_CU_WALK_BLOCK, 0,
               lae_cu_stream(queue), call);
    return lae_cu_launched(queue, name);
}

lstmae_status lae_cu_random(lstmae_queue *queue, int kind, const lstmae_view *out, double a, double b,
                            const lstmae_random_key *key)
{
    random_call call = {};
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_TRY(lae_cu_check_types(queue, "random", 1, &out));
    LAE_CU_TRY(lae_cu_check_kind(queue, "random", kind, LSTMAE_RANDOM_BERNOULLI));
    call.key = *key;
    call.kind = kind;
    call.threshold = lae_unit_threshold(a);
    call.a = a;
    call.b = b;
    const lae_cu_layout layout = lae_cu_layout_of(1, &out);
    if (out->dtype == LSTMAE_F64) return random_run<double, RANDOM_NUMBERS>(queue, "random", layout, call);
    return random_run<float, RANDOM_NUMBERS>(queue, "random", layout, call);
}

lstmae_status lae_cu_dropout(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *x, double p,
                             const lstmae_random_key *key)
{
    const lstmae_view *const views[2] = { y, x };
    random_call call = {};
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_TRY(lae_cu_check_types(queue, "dropout", 2, views));
    call.key = *key;
    call.threshold = lae_unit_threshold(p);
    call.b = 1.0 / (1.0 - p);
    const lae_cu_layout layout = lae_cu_layout_of(2, views);
    if (y->dtype == LSTMAE_F64) return random_run<double, RANDOM_DROPOUT>(queue, "dropout", layout, call);
    return random_run<float, RANDOM_DROPOUT>(queue, "dropout", layout, call);
}
