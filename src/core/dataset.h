/* Inside of a data set: counted, immutable once made, a kind with a few functions. */
#ifndef LAE_DATASET_H
#define LAE_DATASET_H

#include "context_internal.h"

#include <lstmae/data.h>

typedef struct lae_dataset_kind {
    /** Writes item `index`, in range, to `item`; `scratch` has dataset->scratch floats. From any thread; no
     * allocation. */
    lstmae_status (*read)(const lstmae_dataset *dataset, int64_t index, float *item, float *scratch);
    /** Frees what the kind's own members hold; NULL where that is nothing. */
    void (*destroy)(lstmae_dataset *dataset);
} lae_dataset_kind;

/** The label of item `index`, which is in range. From any thread. */
typedef int64_t (*lae_dataset_label_fn)(const lstmae_dataset *dataset, int64_t index);

/** First member of every kind's struct. */
struct lstmae_dataset {
    atomic_int references;
    const lae_dataset_kind *kind;
    lae_dataset_label_fn label; /* NULL: items have none */
    lstmae_context *context; /* retained */
    size_t bytes;            /* of the whole object */
    int64_t count;
    int ndim;
    int64_t dim[LSTMAE_MAX_DIMS];
    size_t elements; /* of an item, at least 1 */
    size_t scratch;  /* floats that reading an item needs */
};

/**
 * Makes a data set of `bytes` bytes, zero after the members above.
 * @return OK; ERR_SHAPE if an item's shape is empty or does not fit; ERR_NO_MEMORY
 */
lstmae_status lae_dataset_create(lstmae_dataset **out, size_t bytes, const lae_dataset_kind *kind,
                                 lstmae_context *context, int64_t count, int ndim, const int64_t *dims);

lstmae_dataset *lae_dataset_retain(lstmae_dataset *dataset);

#endif
