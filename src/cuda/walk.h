/*
 * How elementwise entries cross their arrays: views of one shape become a layout of as few axes as their strides allow,
 * in the order in which the first view lies in memory; a kernel is given the layout as a walk, and finds an element's
 * place in every view from its number.
 */
#ifndef LAE_CUDA_WALK_H
#define LAE_CUDA_WALK_H

#include "queue.h"

#include "shared/divide.h"

constexpr int LAE_CU_VIEWS = 4;

/** Units that one launch crosses: numbers stay below 2^31 so that 32 bits count them. */
constexpr int64_t LAE_CU_WALK_MOST = int64_t(1) << 30;

/** Divides 1024, 1536 and 2048, the threads that multiprocessors hold from 7.5 on. */
constexpr int LAE_CU_WALK_BLOCK = 256;

struct lae_cu_layout {
    int views, axes; /* axes: 1 or more, outermost first */
    int element_bytes;
    int64_t dim[LSTMAE_MAX_DIMS];
    int64_t stride[LAE_CU_VIEWS][LSTMAE_MAX_DIMS]; /* in elements */
    char *data[LAE_CU_VIEWS];
};

/** What a kernel is given. A unit is an element, or a pack: some neighbours of the innermost axis, 16 bytes. */
struct lae_cu_walk {
    uint32_t units, tail; /* tail: elements behind the last pack */
    int axes;
    unsigned repeated; /* bit v: view v has one element for all of a pack */
    lae_divisor dim[LSTMAE_MAX_DIMS];
    int64_t stride[LAE_CU_VIEWS][LSTMAE_MAX_DIMS]; /* in elements, innermost: to the next unit */
    void *data[LAE_CU_VIEWS];
};

/** Where unit `index` is in each of the first VIEWS views. */
template <int VIEWS>
static __device__ __forceinline__ void lae_cu_walk_to(const lae_cu_walk &walk, uint32_t index, int64_t (&offset)[VIEWS])
{
    for (int v = 0; v < VIEWS; v++) offset[v] = 0;
#pragma unroll
    for (int axis = LSTMAE_MAX_DIMS - 1; axis >= 0; axis--) {
        if (axis >= walk.axes) continue;
        uint32_t at = index;
        if (axis > 0) index = lae_divide(index, walk.dim[axis], &at);
        for (int v = 0; v < VIEWS; v++) offset[v] += walk.stride[v][axis] * at;
    }
}

/** In row-major order, for entries to which an element's position matters. */
lae_cu_layout lae_cu_layout_of(int count, const lstmae_view *const *views);

/** In the order in which the first view lies in memory, none of its strides negative. */
lae_cu_layout lae_cu_layout_sorted(int count, const lstmae_view *const *views);

int64_t lae_cu_layout_numel(const lae_cu_layout *layout);

/** Cuts the outermost axis: `layout`, of two elements or more, keeps the first half, *rest receives what follows it. */
void lae_cu_layout_halve(lae_cu_layout *layout, lae_cu_layout *rest);

/**
 * 1 where packs of `width` elements can be moved as 16 bytes: the first view lies densely, the others as well or with
 * one element for a whole row, all aligned.
 */
int lae_cu_layout_packs(const lae_cu_layout *layout, int width);

/** For units of `width` elements; no more than LAE_CU_WALK_MOST. */
lae_cu_walk lae_cu_walk_of(const lae_cu_layout *layout, int width);

/** Blocks for `units` threads' work, each of which steps through the rest: as many as keep the device busy. */
unsigned lae_cu_walk_grid(const lstmae_queue *queue, int64_t units);

/** OK where all views, NULLs aside, are of one type of floats; else ERR_UNSUPPORTED. */
lstmae_status lae_cu_check_types(const lstmae_queue *queue, const char *entry, int count,
                                 const lstmae_view *const *views);

/** OK for float32 and float64, else ERR_UNSUPPORTED. */
lstmae_status lae_cu_check_dtype(const lstmae_queue *queue, const char *entry, int dtype);

/** OK for kinds from 0 to `last`, else ERR_UNSUPPORTED. */
lstmae_status lae_cu_check_kind(const lstmae_queue *queue, const char *entry, int kind, int last);

#endif
