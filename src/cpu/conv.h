/*
 * What the convolution entries share. One form covers both directions: a forward convolution and the transposed one
 * compute an image `out` from an image `in`, and for every position of out along an axis a run of taps, in the order in
 * which the weights are packed, meets evenly spaced positions of in. Positions with the same run of taps are a class;
 * borders are classes with fewer taps, the phases of a transposed convolution are classes with different ones. So
 * neither padding nor inserted zeros are ever multiplied. 3x3 convolutions of stride 1 have another way beside this
 * one, see conv_winograd.h.
 */
#ifndef LAE_CPU_CONV_H
#define LAE_CPU_CONV_H

#include "conv_kernels.h"
#include "pointwise.h"
#include "product.h"
#include "queue.h"

/** Floats with adjacent channels: where they are, and the strides of the other axes. */
typedef struct lae_conv_image {
    float *data;
    int64_t batch, row, column;
} lae_conv_image;

/** One axis of a convolution. transposed: `in` is the small side, [B,K,P,Q]. */
typedef struct lae_conv_rule {
    int transposed;
    int64_t in, out; /* sizes */
    int64_t taps, stride, padding, dilation;
} lae_conv_rule;

/** What runs along an axis: filled by lae_conv_axis_plan(). */
typedef struct lae_conv_axis {
    int64_t step;            /* positions of in from one tap of a run to the next */
    int64_t classes;
    const int64_t *tap;      /* [classes]: first tap of the run, as packed */
    const int64_t *taps;     /* [classes]: length of the run, may be 0 */
    const int64_t *begin;    /* [classes + 1]: where the positions of a class start in `members` */
    const int64_t *members;  /* [out]: positions of out, by class, ascending */
    const int64_t *class_of; /* [out] */
    const int64_t *source;   /* [out]: position of in under the first tap */
} lae_conv_axis;

/**
 * A convolution in one direction as the kernels see it. A depthwise one, of groups of one channel to one, is a single
 * group with `diagonal`: channel n of out is made of channel n of in alone, and depth is 1.
 */
typedef struct lae_conv_shape {
    lae_conv_rule height, width;
    int diagonal;
    int64_t batch, groups;
    int64_t depth;    /* channels of in, for each group: summed over */
    int64_t features; /* channels of out, for each group */
    int64_t depth_stride, feature_stride, group_stride; /* of the weight as it came, in floats */
} lae_conv_shape;

/** transposed: conv_backward_data. */
lae_conv_shape lae_conv_shape_of(const lstmae_conv_args *args, int transposed);

/** Where tap `tap` stands in the packed order. Taps that meet the same positions of out are side by side. */
int64_t lae_conv_tap_position(const lae_conv_rule *rule, int64_t tap);

/** int64_t elements that lae_conv_axis_plan() wants for its arrays. */
size_t lae_conv_axis_words(const lae_conv_rule *rule);

void lae_conv_axis_plan(lae_conv_axis *axis, const lae_conv_rule *rule, int64_t *memory);

/** Taps of a kernel. */
static inline int64_t lae_conv_taps(const lae_conv_shape *shape)
{
    return shape->height.taps * shape->width.taps;
}

/** Channels of in, for each group. */
static inline int64_t lae_conv_in_channels(const lae_conv_shape *shape)
{
    return shape->diagonal ? shape->features : shape->depth;
}

/** Panels of one group, and floats of each group's panels. */
int64_t lae_conv_panels(const lae_conv_kernels *kernels, const lae_conv_shape *shape);
int64_t lae_conv_group_floats(const lae_conv_kernels *kernels, const lae_conv_shape *shape);

/** One panel of one group. */
typedef struct lae_conv_strip {
    int64_t group;
    int64_t in, out;  /* its first channel of the images */
    int64_t weights;  /* where it begins among all panels */
    int64_t vectors, last; /* see lae_conv_sweep */
    int64_t channels; /* of out */
} lae_conv_strip;

/** Strip `index` of groups * panels. */
lae_conv_strip lae_conv_strip_of(const lae_conv_kernels *kernels, const lae_conv_shape *shape, int64_t index);

/** What forward and backward_data are to compute, brought to where the kernels can work on it. */
typedef struct lae_conv_call {
    const lae_conv_kernels *kernels;
    const lae_pointwise *loops;
    lae_conv_shape shape;
    lae_conv_image in, out;  /* out receives the sums with bias, then f of them */
    lae_conv_image linear;   /* receives the sums with bias; data NULL: not wanted */
    int derivative;          /* out receives the sums times f' of `linear`, which is read */
    int stream;              /* linear is larger than what the caches should keep for the backward pass */
    const float *panels, *bias;
    int map;
    float param; /* of map */
} lae_conv_call;

/** linear = out, out = f(out), or out = out f'(linear), on columns [begin, end) of a row, channels [c0, c1). */
void lae_conv_finish(const lae_conv_call *call, int64_t image, int64_t row, int64_t begin, int64_t end, int64_t c0,
                     int64_t c1);

/** Both compute everything of a call: the first any, the second where lae_conv_narrow_fits(). */
lstmae_status lae_conv_wide_run(lstmae_queue *queue, const lae_conv_call *call);
lstmae_status lae_conv_narrow_run(lstmae_queue *queue, const lae_conv_call *call);

/** 1 for few channels of out, where pixels fill a vector better. */
int lae_conv_narrow_fits(const lae_conv_call *call);

/** Multiplications of a call, borders and all. */
int64_t lae_conv_products(const lae_conv_shape *shape);

/** The cut between threads whose largest part is smallest; units, of pixels, before strips. */
lae_grid lae_conv_grid(int64_t units, int64_t strips, int threads);

/**
 * A weight as the kernels read it, packed by all threads: panels, or where tiles fit (conv_winograd.h) a first cache
 * line that says which panels follow, and these. Floats, and what the kernels read of them.
 */
int64_t lae_conv_packed_floats(const lae_conv_kernels *kernels, const lae_conv_shape *shape);
void lae_conv_pack(lstmae_queue *queue, const lae_conv_kernels *kernels, const lae_conv_shape *shape, float *packed,
                   const float *w);
const float *lae_conv_packed_panels(const lae_conv_shape *shape, const float *packed, int *tiles);

/** 1 if none of them is infinite or NaN. */
int lae_conv_finite(const float *weights, int64_t count);

/** `value` between 1 and `most`. */
static inline int64_t lae_conv_limit(int64_t value, int64_t most)
{
    return value < 1 ? 1 : value < most ? value : most;
}

/** `floats` in whole cache lines. */
static inline int64_t lae_conv_lines(int64_t floats)
{
    return (floats + 15) / 16 * 16;
}

/** 1 if the view's channels are adjacent, or single: *image is where they are. */
int lae_conv_image_of(lae_conv_image *image, const lstmae_view *view);

/** The same for any view; others are copied to scratch memory. */
lstmae_status lae_conv_image_bring(lstmae_queue *queue, lae_scratch_use use, lae_conv_image *image,
                                   const lstmae_view *view);

/** An image shaped as `like` in scratch memory, and its view. */
lstmae_status lae_conv_image_scratch(lstmae_queue *queue, lae_scratch_use use, lae_conv_image *image,
                                     lstmae_view *view, const lstmae_view *like);

#endif
