/* Eigenvalues and eigenvectors of real symmetric matrices. */
#ifndef LAE_EIGEN_H
#define LAE_EIGEN_H

#include "error.h"

#include <stdint.h>

/**
 * All eigenvalues of the symmetric matrix a [n,n], largest first, and orthonormal eigenvectors as the rows of `vectors`
 * [n,n]. Only the lower triangle of `a` is read, and all of it is overwritten. `work` is [2 n].
 *
 * Householder's reduction to a tridiagonal matrix and QR with implicit shifts (Golub and Van Loan, "Matrix
 * computations", 8.3). Backward stable; about 10 n^3 operations.
 *
 * @return OK; ERR_NUMERIC for elements that are not finite
 */
lstmae_status lae_eigen_symmetric(double *a, double *values, double *vectors, double *work, int64_t n);

#endif
