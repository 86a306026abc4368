/* The queue of the CPU devices: work runs at once, on the caller and the pool. */
#ifndef LAE_CPU_QUEUE_H
#define LAE_CPU_QUEUE_H

#include "pool.h"

#include <lstmae/backend.h>

typedef struct lae_kernels lae_kernels;

/** What a piece of scratch memory is for; two uses that live at the same time have different names. */
typedef enum lae_scratch_use {
    LAE_SCRATCH_PACK_A,   /* left operand of a product, in tiles */
    LAE_SCRATCH_PACK_B,   /* right operand of a product, in panels */
    LAE_SCRATCH_PACK_W,   /* a second one: recurrent weights that came unprepared */
    LAE_SCRATCH_TILES,    /* accumulators, one piece per thread */
    LAE_SCRATCH_ROWS,     /* rows gathered from, or to be scattered to, uneven strides */
    LAE_SCRATCH_POINTWISE, /* elementwise entries and reductions */
    LAE_SCRATCH_CONV,     /* where the pixels of a convolution are */
    LAE_SCRATCH_IMAGE_X,  /* images with other strides than a convolution reads or writes */
    LAE_SCRATCH_IMAGE_Y,
    LAE_SCRATCH_USES
} lae_scratch_use;

typedef struct lae_scratch {
    void *data;
    size_t bytes;
} lae_scratch;

struct lstmae_queue {
    lae_pool *pool;             /* NULL: one thread */
    const lae_kernels *kernels; /* NULL in the reference device */
    const lstmae_host *host;
    lstmae_memory memory;
    lae_scratch scratch[LAE_SCRATCH_USES];
};

/**
 * At least `bytes` bytes, aligned to 64, kept until the queue is closed: grows, never shrinks, loses its content when
 * it grows. NULL when there is no memory, with the thread's error text set. Not from inside a task.
 */
void *lae_scratch_get(lstmae_queue *queue, lae_scratch_use use, size_t bytes);

/** Gives all scratch memory back. */
void lae_scratch_release(lstmae_queue *queue);

#endif
