/**
 * @file events.h
 * Files for TensorBoard: numbers, images and histograms over the steps of a training. Point it at the folder:
 * `tensorboard --logdir FOLDER`. docs/formats.md says what is written.
 *
 * Tags are names as TensorBoard shows them, UTF-8, with slashes for groups: "loss/train". What is added waits in memory
 * for lstmae_events_flush(), 64 KiB or `flush_seconds`, whichever is first. A write that fails, on a full disk say,
 * makes the call fail; what it could not write stays in memory and goes out once, in order, when writing works again.
 */
#ifndef LSTMAE_EVENTS_H
#define LSTMAE_EVENTS_H

#include <lstmae/image.h>

LSTMAE_BEGIN_DECLS

typedef struct lstmae_events lstmae_events;

typedef struct lstmae_events_options {
    uint32_t struct_size;
    uint32_t flags;
    double flush_seconds; /**< 0: every call writes */
} lstmae_events_options;

#define LSTMAE_EVENTS_OPTIONS_INIT { sizeof(lstmae_events_options), 0, 10.0 }

/**
 * Begins a new file events.out.tfevents.SECONDS.HOST.PID.N in `folder`, which is created where it is missing. Files of
 * other runs there stay: a resumed training goes on in a file of its own, and TensorBoard joins them.
 *
 * @return OK; ERR_IO; ERR_NOT_FOUND where part of the path is no folder; ERR_NO_MEMORY; ERR_INVALID_ARG
 */
LSTMAE_API lstmae_status lstmae_events_create(lstmae_events **out, lstmae_context *context, const char *folder,
                                              const lstmae_events_options *options);

/** Writes what waits, as far as possible, and closes the file; call lstmae_events_flush() first to learn of failures.
 * NULL is fine. */
LSTMAE_API void lstmae_events_destroy(lstmae_events *events);

/** The file's path, borrowed as long as `events` lives; "" for NULL. */
LSTMAE_API const char *lstmae_events_path(const lstmae_events *events);

/** Hands what waits to the system. ERR_IO where that fails. */
LSTMAE_API lstmae_status lstmae_events_flush(lstmae_events *events);

/**
 * Adds a number at a step.
 * @return OK; ERR_IO; ERR_NO_MEMORY; ERR_INVALID_ARG for a tag that is empty or not UTF-8
 */
LSTMAE_API lstmae_status lstmae_events_scalar(lstmae_events *events, const char *tag, int64_t step, double value);

/**
 * Adds images [B,C,H,W] as one picture, a grid as lstmae_grid_save() makes it; or one image [C,H,W] or [H,W] (with the
 * default options it gets a gap around it, too: set gap 0).
 * @return as above; ERR_SHAPE; ERR_DTYPE
 */
LSTMAE_API lstmae_status lstmae_events_image(lstmae_events *events, const char *tag, int64_t step,
                                             const lstmae_tensor *images, const lstmae_grid_options *options);

/**
 * Adds a histogram of a tensor's elements, in the buckets that TensorBoard's own writers use: limits 1e-12 * 1.1^k on
 * either side of zero.
 * @return as above; ERR_SHAPE for no elements or no axis; ERR_DTYPE unless float; ERR_NUMERIC if some are not finite
 */
LSTMAE_API lstmae_status lstmae_events_histogram(lstmae_events *events, const char *tag, int64_t step,
                                                 const lstmae_tensor *values);

LSTMAE_END_DECLS

#endif
