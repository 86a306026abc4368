/*
 * Images [B,C,H,W] of any strides in kernels. A thread takes units of the image that it writes: an element, or a pack
 * of four channels where those lie next to each other in all images. Neighbouring threads take neighbouring units in
 * memory, so that floats with channels innermost are moved 16 bytes at a time.
 */
#ifndef LAE_CUDA_IMAGE_H
#define LAE_CUDA_IMAGE_H

#include "launch.h"
#include "pointwise.h"
#include "queue.h"

/** Strides in elements. */
template <typename T>
struct lae_cu_image {
    T *data;
    int64_t b, c, h, w;
};

template <typename T>
lae_cu_image<T> lae_cu_image_of(const lstmae_view *view)
{
    return { static_cast<T *>(view->data), view->stride[0], view->stride[1], view->stride[2], view->stride[3] };
}

template <typename T>
static __device__ __forceinline__ T *lae_cu_pixel(const lae_cu_image<T> &image, int64_t b, int64_t c, int64_t h,
                                                  int64_t w)
{
    return image.data + b * image.b + c * image.c + h * image.h + w * image.w;
}

/** How the units of an image are numbered. */
struct lae_cu_units {
    int64_t count;
    int64_t packs, rows, columns; /* packs of channels */
    int channels_inner;           /* channels are innermost, then columns; else columns, then rows */
};

/** A unit: its first channel and its pixel. */
struct lae_cu_unit {
    int64_t b, c, h, w;
};

/* n / by; mostly both are below 2^32, for which a GPU needs a third of the time. */
static __device__ __forceinline__ int64_t lae_cu_split(int64_t n, int64_t by, int64_t *rest)
{
    const int64_t quotient = static_cast<uint64_t>(n | by) >> 32
                                 ? n / by
                                 : static_cast<int64_t>(static_cast<uint32_t>(n) / static_cast<uint32_t>(by));
    *rest = n - quotient * by;
    return quotient;
}

/** Unit `index` of packs of N channels. */
template <int N>
static __device__ __forceinline__ lae_cu_unit lae_cu_unit_at(const lae_cu_units &units, int64_t index)
{
    lae_cu_unit unit;
    if (units.channels_inner) {
        index = lae_cu_split(index, units.packs, &unit.c);
        index = lae_cu_split(index, units.columns, &unit.w);
        unit.b = lae_cu_split(index, units.rows, &unit.h);
    } else {
        index = lae_cu_split(index, units.columns, &unit.w);
        index = lae_cu_split(index, units.rows, &unit.h);
        unit.b = lae_cu_split(index, units.packs, &unit.c);
    }
    unit.c *= N;
    return unit;
}

/** Units of `image` in packs of `width` channels. */
static inline lae_cu_units lae_cu_units_of(const lstmae_view *image, int width)
{
    lae_cu_units units = { 0, image->dim[1] / width, image->dim[2], image->dim[3], image->stride[1] == 1 };
    units.count = image->dim[0] * units.packs * units.rows * units.columns;
    return units;
}

/** 1 where packs of LAE_CU_PACK channels can be moved as 16 bytes. */
static inline int lae_cu_image_packs(const lstmae_view *image)
{
    if (image->dtype != LSTMAE_F32 || image->stride[1] != 1 || image->dim[1] % LAE_CU_PACK != 0 ||
        reinterpret_cast<uintptr_t>(image->data) % (LAE_CU_PACK * sizeof(float)) != 0)
        return 0;
    for (int axis = 0; axis < 4; axis++)
        if (axis != 1 && image->dim[axis] != 1 && image->stride[axis] % LAE_CU_PACK != 0) return 0;
    return 1;
}

#endif
