/* What passes from a step's output to the input of the next one in closed loops, and its gradient on the way back. */
#ifndef LAE_CUDA_LOOP_FEED_H
#define LAE_CUDA_LOOP_FEED_H

#include "types.h"

/** Decoders of one launch. */
constexpr int LAE_CU_FEED_PARTS = 4;

/** Rows of `row` elements for the samples of the decoders, which follow each other. */
struct lae_cu_feed_rows {
    void *data; /* NULL: none */
    int64_t row;
    int type;
};

struct lae_cu_feed_part {
    const void *b_out; /* [F] */
    void *y;           /* [B,F] */
    void *x;           /* [B,F]; NULL: not wanted */
};

/** y = sums + b_out;  x = map(y), into `next` as well. Arrays are of `dtype`. */
struct lae_cu_feed {
    int64_t B, F;
    int dtype, map, parts;
    const void *sums; /* [parts,B,F] */
    lae_cu_feed_rows next;
    lae_cu_feed_part part[LAE_CU_FEED_PARTS];
};

lstmae_status lae_cu_feed_run(lstmae_queue *queue, const lae_cu_feed *feed);

struct lae_cu_feed_gradient_part {
    void *dy;        /* [B,F] */
    const void *fed; /* [B,F]: map(y); read where the map is not IDENTITY */
};

/** dy += dx map'(y), into `factor` as well. */
struct lae_cu_feed_gradient {
    int64_t B, F;
    int dtype, map, parts;
    lae_cu_feed_rows dx; /* of the dtype; NULL: y was not fed */
    lae_cu_feed_rows factor;
    lae_cu_feed_gradient_part part[LAE_CU_FEED_PARTS];
};

lstmae_status lae_cu_feed_gradient_run(lstmae_queue *queue, const lae_cu_feed_gradient *feed);

#endif
