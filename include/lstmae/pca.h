/**
 * @file pca.h
 * Principal components: the directions in which data varies most. For looking at codes in two dimensions, and as the
 * linear autoencoder that others are measured against.
 */
#ifndef LSTMAE_PCA_H
#define LSTMAE_PCA_H

#include <lstmae/tensor.h>

LSTMAE_BEGIN_DECLS

typedef struct lstmae_pca lstmae_pca;

/**
 * Finds the first k principal components of the rows of `data` [N,D], float32 or float64, finite, N at least 2: the
 * eigenvectors of their covariance (divided by N-1) with the largest eigenvalues. Computed in double on the host, in
 * a fixed order: Householder's tridiagonal form, then QR with implicit shifts. Time grows with N D^2 + D^3, memory with
 * D^2: 500 columns take a fraction of a second. A component's element of largest size (the first of such) is positive.
 *
 * @param k 1 to D
 * @return OK; ERR_SHAPE; ERR_DTYPE; ERR_NUMERIC naming the row that is not finite; ERR_INVALID_ARG; ERR_NO_MEMORY
 */
LSTMAE_API lstmae_status lstmae_pca_create(lstmae_pca **out, const lstmae_tensor *data, int64_t k);

/** NULL is fine. */
LSTMAE_API void lstmae_pca_destroy(lstmae_pca *pca);

/** k and D; 0 for NULL. */
LSTMAE_API int64_t lstmae_pca_count(const lstmae_pca *pca);
LSTMAE_API int64_t lstmae_pca_width(const lstmae_pca *pca);

/** The components [k,D], orthonormal rows; the mean [D]; the variance along each component [k], largest first. Borrowed
 * as long as `pca` lives; NULL for NULL. */
LSTMAE_API const double *lstmae_pca_components(const lstmae_pca *pca);
LSTMAE_API const double *lstmae_pca_mean(const lstmae_pca *pca);
LSTMAE_API const double *lstmae_pca_variance(const lstmae_pca *pca);

/** The variance of the data in all directions together; a component explains its variance divided by this. */
LSTMAE_API double lstmae_pca_total_variance(const lstmae_pca *pca);

/**
 * Coordinates z [M,k] of rows x [M,D]: z = components (x - mean). Either may be float32 or float64. Called again with
 * as many rows it allocates nothing.
 * @return OK; ERR_SHAPE; ERR_DTYPE; ERR_INVALID_ARG; ERR_NO_MEMORY
 */
LSTMAE_API lstmae_status lstmae_pca_transform(lstmae_pca *pca, const lstmae_tensor *x, lstmae_tensor *z);

/** The rows x [M,D] with the coordinates z [M,k]: x = mean + components' z, the nearest that a linear code can come. */
LSTMAE_API lstmae_status lstmae_pca_inverse(lstmae_pca *pca, const lstmae_tensor *z, lstmae_tensor *x);

LSTMAE_END_DECLS

#endif
