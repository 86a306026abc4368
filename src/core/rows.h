/* Tensors read on the host, one stretch of their first axis after the other, as doubles. */
#ifndef LAE_ROWS_H
#define LAE_ROWS_H

#include "tensor_internal.h"

/** Start from zeros. */
typedef struct lae_rows {
    const lstmae_tensor *tensor; /* borrowed, row-major */
    lstmae_tensor *copy;         /* where the caller's tensor is not row-major */
    int64_t count, width;        /* rows, elements of one */
    lae_memory *memory;
    void *staging; /* rows of a float32 tensor as they are */
    size_t bytes;   /* of staging */
} lae_rows;

/**
 * Prepares reading `tensor`, of one axis or more, in stretches of `most` rows at most. What an earlier call took is
 * used again where it suffices; all tensors must be of one context. Close `rows` in the end, also after a failure.
 * @param name begins error texts
 * @return OK; ERR_DTYPE unless float32 or float64; ERR_SHAPE where there is no axis; ERR_NO_MEMORY; ERR_DEVICE_MEMORY
 */
lstmae_status lae_rows_open(lae_rows *rows, const lstmae_tensor *tensor, int64_t most, const char *name);

/** Rows [first, first+count), row-major. */
lstmae_status lae_rows_read(lae_rows *rows, int64_t first, int64_t count, double *out);

void lae_rows_close(lae_rows *rows);

#endif
