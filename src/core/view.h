/* Element types and strided views: sizes, shapes, layouts. Owns nothing. */
#ifndef LAE_VIEW_H
#define LAE_VIEW_H

#include <lstmae/backend.h>

/** Bytes of an element; 0 for no dtype. */
size_t lae_dtype_size(int dtype);
const char *lae_dtype_name(int dtype);

/** Elements of a view. */
int64_t lae_view_numel(const lstmae_view *view);

/** 1 if the view is row-major without gaps. */
int lae_view_contiguous(const lstmae_view *view);

/** A row-major view of `data`. */
lstmae_view lae_view_of(void *data, int dtype, int ndim, const int64_t *dims);

/** The same with axis 1, the channels of [B,C,..], innermost in memory. */
lstmae_view lae_view_channels_last_of(void *data, int dtype, int ndim, const int64_t *dims);

/** 1 if the view has three axes or more and is what lae_view_channels_last_of() makes. */
int lae_view_channels_last(const lstmae_view *view);

/** [B,C], [B,C,L] or [B,C,H,W] as an image [B,C,H,W]; what is missing has size 1. */
lstmae_view lae_view_image(const lstmae_view *view);

/** 1 if shapes are equal. */
int lae_view_same_shape(const lstmae_view *a, const lstmae_view *b);

/** Seen as rows of the last axis: 1 and their number and distance if they lie evenly with unit stride inside, else
 * 0. */
int lae_view_rows(const lstmae_view *view, int64_t *rows, int64_t *row_stride);

/** Address `offset` elements into a tensor or sequence of `dtype`. */
static inline void *lae_at(const void *base, int64_t offset, int dtype)
{
    return (char *)(uintptr_t)base + offset * (int64_t)lae_dtype_size(dtype);
}

/** Writes "[2,3,4]" and returns text. */
const char *lae_shape_text(char *text, size_t size, const lstmae_view *view);
#define LAE_SHAPE_TEXT 96

#endif
