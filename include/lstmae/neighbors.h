/**
 * @file neighbors.h
 * The nearest of many vectors to given ones: which images have codes like this one's? Exact, not approximate.
 */
#ifndef LSTMAE_NEIGHBORS_H
#define LSTMAE_NEIGHBORS_H

#include <lstmae/tensor.h>

LSTMAE_BEGIN_DECLS

typedef struct lstmae_neighbors lstmae_neighbors;

/** How far apart vectors are. */
typedef enum lstmae_metric {
    LSTMAE_METRIC_EUCLIDEAN = 0, /**< sqrt of the sum of (a_i - b_i)^2 */
    LSTMAE_METRIC_COSINE = 1     /**< 1 - a'b / (|a| |b|), from 0 to 2; 1 where a vector is zero */
} lstmae_metric;

/**
 * Prepares for searching among the rows of `vectors` [N,D], N and D at least 1, finite float32 or float64. A row-major
 * tensor is kept, not copied, and must not change as long as the object lives; of others a copy is made.
 *
 * @return OK; ERR_SHAPE; ERR_DTYPE; ERR_NUMERIC naming the row that is not finite; ERR_INVALID_ARG; ERR_NO_MEMORY;
 *         ERR_DEVICE_MEMORY
 */
LSTMAE_API lstmae_status lstmae_neighbors_create(lstmae_neighbors **out, lstmae_tensor *vectors, lstmae_metric metric);

/** NULL is fine. */
LSTMAE_API void lstmae_neighbors_destroy(lstmae_neighbors *neighbors);

/**
 * The k rows nearest to each row of `queries` [Q,D], of the type and context of the vectors.
 *
 * The device's products only say which rows cannot be among the nearest, by a bound on their rounding errors; the
 * others' distances are computed in double, in a fixed order. So the result is that of the slow way, the same for every
 * device and number of threads. Called again with as many queries and neighbors it allocates nothing.
 *
 * @param k         1 to N
 * @param indices   receives [Q,k] row numbers, nearest first; of equally near ones the lower comes first
 * @param distances receives their distances [Q,k]; NULL where they are not wanted
 * @return OK; ERR_SHAPE; ERR_DTYPE; ERR_NUMERIC naming the query that is not finite; ERR_INVALID_ARG; ERR_NO_MEMORY;
 *         ERR_DEVICE_MEMORY
 */
LSTMAE_API lstmae_status lstmae_neighbors_find(lstmae_neighbors *neighbors, const lstmae_tensor *queries, int64_t k,
                                               int64_t *indices, double *distances);

LSTMAE_END_DECLS

#endif
