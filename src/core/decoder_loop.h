/*
 * Closed loops of several decoders in one call of the device, where it has that (lstmae_loop_args). Decoders of equal
 * sizes that stand side by side in a model form a row. Its first decoder keeps the weights of all in the device's form,
 * those of a layer behind each other. So any decoders of a row that stand side by side can run together.
 */
#ifndef LAE_DECODER_LOOP_H
#define LAE_DECODER_LOOP_H

#include "buffer.h"

struct lae_decoder;

typedef struct lae_loop {
    int row;                        /* decoders of the row; 0: not made yet, or not the row's first decoder */
    int64_t L;
    size_t row_bytes;               /* of all decoders' weights */
    lae_buffer weights;
    uint64_t *versions;             /* [row] of the weights that were prepared; 0: none */
    /* arguments, made anew for each call */
    lstmae_loop_layer *layers;      /* [row,L] */
    lstmae_loop_decoder *decoders;  /* [row] */
    const void **prepared;          /* [L+1] */
} lae_loop;

void lae_loop_release(lae_loop *loop, lae_memory *memory);

/** 1 if weights of decoders that ran in loops last time have changed since. */
int lae_loop_is_stale(const struct lae_decoder *decoders, int count);

/** Prepares them, ahead of the next run. */
lstmae_status lae_loop_refresh(struct lae_decoder *decoders, int count);

/**
 * Runs the closed loops of decoders[first] and of those behind it, up to decoders[last], that can run together with it;
 * each was begun.
 *
 * @param count of the model's decoders
 * @param done  receives how many ran; 0: the device has no such entry, or declined
 */
lstmae_status lae_loop_forward(struct lae_decoder *decoders, int count, int first, int last, int *done);

/** The same for the data gradients of those that ran with decoders[first]. */
lstmae_status lae_loop_backward(struct lae_decoder *decoders, int count, int first, int *done);

#endif
