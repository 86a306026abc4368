/* Which items form which batch, and how they lie in it. No thread, no device: what the loader's thread runs. */
#ifndef LAE_BATCHER_H
#define LAE_BATCHER_H

#include "dataset.h"

typedef struct lae_batcher {
    lstmae_dataset *dataset; /* retained */
    lstmae_dtype dtype;      /* of the batches: float32, or float64 for contexts that compute in it */
    uint64_t seed;
    int shuffle;
    int endless;          /* epochs follow each other through the items */
    int64_t items;        /* of an epoch */
    int64_t batch;        /* items of a full batch */
    int64_t last;         /* items of a smaller last batch; 0: none */
    int64_t batches;      /* of an epoch */
    int64_t steps, width; /* an item is [steps,width] and a batch of B items [steps,B,width]; steps 1: [B,width] */
    size_t bytes;         /* of a full batch */
    float *item, *scratch;
} lae_batcher;

/** Plans batches; `batcher` must be zero. After a failure, too, lae_batcher_free() is to be called. */
lstmae_status lae_batcher_init(lae_batcher *batcher, lstmae_context *context, lstmae_dataset *dataset,
                               const lstmae_loader_options *options);
void lae_batcher_free(lae_batcher *batcher);

/** Items of batch `batch`. */
int64_t lae_batcher_count(const lae_batcher *batcher, int64_t batch);

/** Writes batch `batch` of epoch `epoch` to `out`. Allocates nothing. */
lstmae_status lae_batcher_fill(lae_batcher *batcher, int64_t epoch, int64_t batch, void *out);

#endif
