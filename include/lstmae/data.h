/**
 * @file data.h
 * Data sets: numbered items of one shape, in memory, from files, or made on the fly; and the loader that batches them.
 *
 * An item is an array of float32 of the data set's shape; a sequence's first axis is time. Files are untrusted: sizes
 * are checked against the file before anything is allocated, and errors name file and byte.
 */
#ifndef LSTMAE_DATA_H
#define LSTMAE_DATA_H

#include <lstmae/tensor.h>

LSTMAE_BEGIN_DECLS

/** Gives up one reference; a loader holds its own. NULL is fine. */
LSTMAE_API void lstmae_dataset_destroy(lstmae_dataset *dataset);

/** Number of items; INT64_MAX where they are made on the fly. */
LSTMAE_API int64_t lstmae_dataset_count(const lstmae_dataset *dataset);
LSTMAE_API int lstmae_dataset_ndim(const lstmae_dataset *dataset);
LSTMAE_API int64_t lstmae_dataset_dim(const lstmae_dataset *dataset, int axis);

/**
 * Writes item `index` to `item`, `elements` floats. The same index always gives the same bits. Thread-safe.
 * @return OK; ERR_INVALID_ARG for an index outside [0,count); ERR_SHAPE unless `elements` is an item's size
 */
LSTMAE_API lstmae_status lstmae_dataset_read(const lstmae_dataset *dataset, int64_t index, float *item,
                                             size_t elements);

/**
 * `count` items of shape dims[ndim] copied from row-major `data`.
 * @return OK; ERR_SHAPE unless every size is 1 or more and all fits in memory; ERR_NO_MEMORY; ERR_INVALID_ARG
 */
LSTMAE_API lstmae_status lstmae_dataset_from_memory(lstmae_dataset **out, lstmae_context *context, const float *data,
                                                    int64_t count, int ndim, const int64_t *dims);

typedef struct lstmae_file_options {
    uint32_t struct_size;
    uint32_t flags;
    int32_t item_axis; /**< which axis numbers the items; 1 for mnist_test_seq.npy (20,10000,64,64) */
    int32_t reserved;
    double scale;      /**< every value is multiplied by it; 0: 1/255 for 8-bit data (labels want 1), else 1 */
} lstmae_file_options;

#define LSTMAE_FILE_OPTIONS_INIT { sizeof(lstmae_file_options), 0, 0, 0, 0.0 }

/**
 * Opens an IDX or .npy file, or either compressed by gzip; told apart by content. Items keep their stored width in
 * memory and become float32 when read. docs/formats.md says what is accepted.
 *
 * @return OK; ERR_NOT_FOUND; ERR_IO, also for what is not a regular file; ERR_FORMAT naming the byte (of the
 *         decompressed content where that is at fault); ERR_UNSUPPORTED for valid files of other element types and for
 *         a .gz in a build without zlib; ERR_SHAPE where the axes do not make items; ERR_NO_MEMORY; ERR_INVALID_ARG
 */
LSTMAE_API lstmae_status lstmae_dataset_open(lstmae_dataset **out, lstmae_context *context, const char *path,
                                             const lstmae_file_options *options);

#define LSTMAE_CIFAR10_TRAIN 0 /**< data_batch_1.bin to data_batch_5.bin */
#define LSTMAE_CIFAR10_TEST 1  /**< test_batch.bin */

/**
 * CIFAR-10 (Krizhevsky 2009) from a folder with the files of its binary version: items [3,32,32] in [0,1], red plane
 * first, with labels 0 to 9. docs/formats.md says what is checked.
 *
 * @param part LSTMAE_CIFAR10_TRAIN or LSTMAE_CIFAR10_TEST
 * @return OK; ERR_NOT_FOUND; ERR_IO; ERR_FORMAT naming file and byte; ERR_NO_MEMORY; ERR_INVALID_ARG
 */
LSTMAE_API lstmae_status lstmae_dataset_cifar10(lstmae_dataset **out, lstmae_context *context, const char *folder,
                                                int part);

/** The same from `count` files of that format, one behind the other. */
LSTMAE_API lstmae_status lstmae_dataset_cifar10_files(lstmae_dataset **out, lstmae_context *context,
                                                      const char *const *paths, size_t count);

/**
 * `count` glyphs [size,size] (8 to 4096) in [0,1]: the digits 0 to 9 in turn, drawn by strokes with jitter from `seed`;
 * the digit is the label. The same bits on every machine.
 */
LSTMAE_API lstmae_status lstmae_dataset_strokes(lstmae_dataset **out, lstmae_context *context, int64_t count,
                                                int64_t size, uint64_t seed);

#define LSTMAE_SHAPES_CLASSES 8 /**< disk, ring, square, frame, triangle, cross, crescent, bars */

/**
 * `count` pictures [channels,size,size] (1 or 3 channels, 8 to 1024 pixels) in [0,1]: a shape of any size, place,
 * slight turn and colour on a shaded ground, from `seed`. The classes come in turn and are the labels. The same bits
 * on every machine.
 */
LSTMAE_API lstmae_status lstmae_dataset_shapes(lstmae_dataset **out, lstmae_context *context, int64_t count,
                                               int channels, int64_t size, uint64_t seed);

/** 1 if the items have labels, which data sets made from this one keep; else 0, also for NULL. */
LSTMAE_API int lstmae_dataset_labelled(const lstmae_dataset *dataset);

/** The label of item `index`. ERR_STATE where there are none; ERR_INVALID_ARG for an index outside [0,count). */
LSTMAE_API lstmae_status lstmae_dataset_label(const lstmae_dataset *dataset, int64_t index, int64_t *label);

/*
 * Data sets made from others, which they keep alive.
 */

/** Items [start, start+count) of another data set. ERR_INVALID_ARG unless all of them exist. */
LSTMAE_API lstmae_status lstmae_dataset_range(lstmae_dataset **out, lstmae_dataset *base, int64_t start, int64_t count);

/**
 * Deals the items of `base` at random into `count` for *first and the others for *second, for training and validation.
 * Equal seeds give equal splits, on every machine. ERR_INVALID_ARG unless count is in [0, items of base], or where
 * `base` has no end.
 */
LSTMAE_API lstmae_status lstmae_dataset_split(lstmae_dataset **first, lstmae_dataset **second, lstmae_dataset *base,
                                              int64_t count, uint64_t seed);

/** The same items in another shape: [28,28] as [1,28,28] or [784]. ERR_SHAPE unless the sizes agree. */
LSTMAE_API lstmae_status lstmae_dataset_reshape(lstmae_dataset **out, lstmae_dataset *base, int ndim,
                                                const int64_t *dims);

/**
 * The items of `base` with labels from `labels`, an equal number of items that are one whole number each: an IDX file
 * of labels opened with scale 1, say.
 * @return OK; ERR_SHAPE where numbers of items differ or a label is more than one element; ERR_FORMAT for a label that
 *         is not a whole number below 2^24 in size; ERR_NO_MEMORY; ERR_INVALID_ARG
 */
LSTMAE_API lstmae_status lstmae_dataset_with_labels(lstmae_dataset **out, lstmae_dataset *base,
                                                    const lstmae_dataset *labels);

/**
 * The items x of `base` as (x - mean) / deviation, computed in double and rounded once.
 *
 * @param axis the axis of an item that numbers the channels: 0 for [C,H,W], 1 for [T,F]; -1: one channel
 * @param mean,deviation one number per channel; finite, deviations above 0
 */
LSTMAE_API lstmae_status lstmae_dataset_normalized(lstmae_dataset **out, lstmae_dataset *base, int axis,
                                                   const double *mean, const double *deviation);

/**
 * Mean and standard deviation (divided by the number of values) of each channel over all items, in two passes.
 * @param axis as above. ERR_INVALID_ARG where there are no items, or no end of them
 */
LSTMAE_API lstmae_status lstmae_dataset_moments(const lstmae_dataset *dataset, int axis, double *mean,
                                                double *deviation);

typedef struct lstmae_moving_options {
    uint32_t struct_size;
    uint32_t flags;
    int64_t frames;  /**< per item */
    int64_t size;    /**< side of the square frame in pixels */
    int32_t digits;  /**< in each frame, 1 to 64 */
    int32_t reserved;
    double speed;    /**< share of the free range per frame, 0 to 1 */
    uint64_t seed;
} lstmae_moving_options;

#define LSTMAE_MOVING_OPTIONS_INIT { sizeof(lstmae_moving_options), 0, 20, 64, 2, 0, 0.1, 0 }

/**
 * Moving MNIST, endless: glyphs of `images` (items [h,w]) bounce inside a frame; items are [frames, size, size].
 * The rule of the original code of Srivastava et al.: position and direction uniform, move first, reflect at walls by
 * clamping, paste by element-wise maximum. Item n depends on seed and n alone; each digit of a frame goes through all
 * images in a shuffled order before any comes again.
 *
 * @return OK; ERR_SHAPE unless `images` holds items [h,w] that fit in the frame; ERR_INVALID_ARG; ERR_NO_MEMORY
 */
LSTMAE_API lstmae_status lstmae_dataset_moving(lstmae_dataset **out, lstmae_dataset *images,
                                               const lstmae_moving_options *options);

#define LSTMAE_LOADER_SHUFFLE 1u   /**< each epoch in its own order, by counter */
#define LSTMAE_LOADER_DROP_LAST 2u /**< leave out a last, smaller batch */
#define LSTMAE_LOADER_TIME_MAJOR 4u /**< items are sequences: batches are [T,B,F], other axes flattened into F */

typedef struct lstmae_loader_options {
    uint32_t struct_size;
    uint32_t flags;
    int64_t batch;
    int64_t input_steps; /**< TIME_MAJOR: this many frames are the input, the rest the target; 0: all are input */
    int64_t epoch_items; /**< items per epoch; 0: all. Needed for endless data. Of other data, SHUFFLE picks them anew
                              for each epoch, else they are the first */
    uint64_t seed;       /**< of the shuffle */
} lstmae_loader_options;

#define LSTMAE_LOADER_OPTIONS_INIT { sizeof(lstmae_loader_options), 0, 32, 0, 0, 0 }

typedef struct lstmae_batch {
    uint32_t struct_size;
    uint32_t reserved;
    lstmae_tensor *x;      /**< [T,B,F], or [B,...] */
    lstmae_tensor *target; /**< the remaining frames [K,B,F]; NULL where there are none */
    int64_t count;         /**< B */
    int64_t index;         /**< number of the batch in its epoch */
} lstmae_batch;

#define LSTMAE_BATCH_INIT { sizeof(lstmae_batch), 0, NULL, NULL, 0, 0 }

/**
 * A loader that prepares the next batch on a thread of its own, from the first call of lstmae_loader_next() on; where
 * no thread can be had it prepares batches when asked for, and logs a warning. Batches have the context's dtype.
 * Endless data advances from epoch to epoch: epoch e holds items e*epoch_items and following.
 *
 * @return OK; ERR_SHAPE where items do not fit the layout; ERR_INVALID_ARG; ERR_NO_MEMORY; ERR_DEVICE_MEMORY
 */
LSTMAE_API lstmae_status lstmae_loader_create(lstmae_loader **out, lstmae_context *context, lstmae_dataset *dataset,
                                              const lstmae_loader_options *options);
LSTMAE_API void lstmae_loader_destroy(lstmae_loader *loader);

/**
 * The next batch; its tensors are borrowed until the next call. Allocates nothing.
 * @return 1 with a batch; 0 at the end of an epoch, after which the next epoch begins; or an error, after which the
 *         position is as before and the call may be repeated; ERR_STATE in a process forked after the loader was made
 */
LSTMAE_API lstmae_status lstmae_loader_next(lstmae_loader *loader, lstmae_batch *batch);

/** Batches in an epoch. */
LSTMAE_API int64_t lstmae_loader_batches(const lstmae_loader *loader);

/** Position as (epoch, batches taken in it); seek sets it, so that a resumed run sees the same batches. */
LSTMAE_API lstmae_status lstmae_loader_position(const lstmae_loader *loader, int64_t *epoch, int64_t *batch);
LSTMAE_API lstmae_status lstmae_loader_seek(lstmae_loader *loader, int64_t epoch, int64_t batch);

LSTMAE_END_DECLS

#endif
