/* The only loops here that take time: optimised in every build, and without sanitizers, which blas.cpp serves. */
#include "gemm.h"

constexpr size_t GEMM_ROWS = 64, GEMM_COLUMNS = 4; /* sums held at once: they fit in the first-level cache */

template <class T>
static void gemm_tile(size_t m, size_t rows, size_t columns, size_t k, const T *a, const T *b, T *c)
{
    T sum[GEMM_COLUMNS][GEMM_ROWS] = {};
    for (size_t p = 0; p < k; p++)
        for (size_t j = 0; j < columns; j++) {
            T factor = b[j * k + p];
            for (size_t i = 0; i < rows; i++) sum[j][i] += a[p * m + i] * factor;
        }
    for (size_t j = 0; j < columns; j++)
        for (size_t i = 0; i < rows; i++) c[j * m + i] = sum[j][i];
}

template <class T> static void gemm_all(size_t m, size_t n, size_t k, const T *a, const T *b, T *c)
{
    for (size_t i = 0; i < m; i += GEMM_ROWS)
        for (size_t j = 0; j < n; j += GEMM_COLUMNS)
            gemm_tile(m, m - i < GEMM_ROWS ? m - i : GEMM_ROWS, n - j < GEMM_COLUMNS ? n - j : GEMM_COLUMNS, k, a + i,
                      b + j * k, c + j * m + i);
}

void gemm_packed(size_t m, size_t n, size_t k, const float *a, const float *b, float *c)
{
    gemm_all(m, n, k, a, b, c);
}

void gemm_packed(size_t m, size_t n, size_t k, const double *a, const double *b, double *c)
{
    gemm_all(m, n, k, a, b, c);
}
