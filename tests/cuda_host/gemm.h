/* Products of packed matrices: a [k][m], b [n][k], c [n][m], each dense. Sums in T, in the order of k. */
#ifndef LAE_HOST_GEMM_H
#define LAE_HOST_GEMM_H

#include <stddef.h>

void gemm_packed(size_t m, size_t n, size_t k, const float *a, const float *b, float *c);
void gemm_packed(size_t m, size_t n, size_t k, const double *a, const double *b, double *c);

#endif
