#include "eigen.h"

#include "dot.h"

#include <math.h>
#include <string.h>

/* Most QR steps for one eigenvalue; two or three are usual. */
#define EIGEN_STEPS 60

/*
 * Reflects the column below the diagonal of column j to a multiple of its first unit vector: H = I - scale v v', with v
 * left in the column and scale returned; *off receives the element that remains.
 */
static double eigen_reflector(double *column, int64_t count, double *off)
{
    double most = 0.0, sum = 0.0;
    for (int64_t i = 0; i < count; i++) most = fabs(column[i]) > most ? fabs(column[i]) : most;
    *off = count > 0 ? column[0] : 0.0;
    if (count < 2 || most == 0.0) return 0.0;
    for (int64_t i = 0; i < count; i++) sum += (column[i] / most) * (column[i] / most);
    double norm = most * sqrt(sum), first = column[0];
    *off = first > 0 ? -norm : norm;
    double pivot = first - *off; /* no cancellation: their signs differ */
    for (int64_t i = 1; i < count; i++) column[i] /= pivot;
    column[0] = 1.0;
    return -pivot / *off; /* 2 / v'v */
}

/* A := H A H for the trailing block [m,m] of rows `stride` apart: A - v w' - w v' with p = scale A v and
 * w = p - scale/2 (p'v) v. Both triangles are kept, so that rows are whole. */
static void eigen_two_sided(double *block, int64_t stride, int64_t m, const double *v, double scale, double *w)
{
    for (int64_t i = 0; i < m; i++) w[i] = scale * lae_dot(block + i * stride, v, m);
    double half = 0.5 * scale * lae_dot(w, v, m);
    for (int64_t i = 0; i < m; i++) w[i] -= half * v[i];
    for (int64_t i = 0; i < m; i++) {
        double *row = block + i * stride, vi = v[i], wi = w[i];
        for (int64_t k = 0; k < m; k++) row[k] -= vi * w[k] + wi * v[k];
    }
}

/*
 * A = Q T Q': the diagonal of T to d, what stands beside it to e, the reflectors' vectors as rows of the upper triangle
 * of a (row j from column j+1 on) and their scales to the diagonal of a.
 */
static void eigen_reduce(double *a, double *d, double *e, double *work, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = i + 1; k < n; k++) a[i * n + k] = a[k * n + i];
    for (int64_t j = 0; j < n; j++) {
        int64_t m = n - j - 1;
        double *v = a + j * n + j + 1;
        d[j] = a[j * n + j];
        double scale = eigen_reflector(v, m, &e[j]);
        a[j * n + j] = scale;
        if (scale != 0.0) eigen_two_sided(a + (j + 1) * n + j + 1, n, m, v, scale, work);
    }
}

/* vectors := Q', from the last reflector to the first: only the block they change so far. */
static void eigen_unfold(const double *a, double *vectors, int64_t n)
{
    memset(vectors, 0, (size_t)(n * n) * sizeof *vectors);
    for (int64_t i = 0; i < n; i++) vectors[i * n + i] = 1.0;
    for (int64_t j = n - 2; j >= 0; j--) {
        const double *v = a + j * n + j + 1;
        double scale = a[j * n + j];
        int64_t m = n - j - 1;
        if (scale == 0.0) continue;
        for (int64_t i = j + 1; i < n; i++) {
            double *row = vectors + i * n + j + 1, factor = scale * lae_dot(row, v, m);
            for (int64_t k = 0; k < m; k++) row[k] -= factor * v[k];
        }
    }
}

/* Rows x and y become c x + s y and c y - s x. */
static void eigen_rotate(double *x, double *y, double c, double s, int64_t n)
{
    for (int64_t k = 0; k < n; k++) {
        double above = x[k], below = y[k];
        x[k] = c * above + s * below;
        y[k] = c * below - s * above;
    }
}

/*
 * One QR step on the rows low to high of the tridiagonal matrix, shifted by the eigenvalue of its last 2 x 2 block that
 * is nearer to the last element (Wilkinson). The first rotation makes an element beside the three diagonals, the others
 * chase it out at the end.
 */
static void eigen_step(double *d, double *e, double *vectors, int64_t low, int64_t high, int64_t n)
{
    double half = 0.5 * (d[high - 1] - d[high]), last = e[high - 1];
    double shift = d[high] - last * last / (half + copysign(hypot(half, last), half));
    double x = d[low] - shift, z = e[low];
    for (int64_t k = low; k < high; k++) {
        double r = hypot(x, z), c = r > 0 ? x / r : 1.0, s = r > 0 ? z / r : 0.0;
        if (k > low) e[k - 1] = r;
        /* [d_k e_k; e_k d_k+1] between the rotation and its transpose */
        double change = s * (d[k + 1] - d[k]) + 2.0 * c * e[k];
        d[k] += s * change;
        d[k + 1] -= s * change;
        e[k] = c * change - e[k];
        eigen_rotate(vectors + k * n, vectors + (k + 1) * n, c, s, n);
        if (k + 1 < high) {
            x = e[k];
            z = s * e[k + 1];
            e[k + 1] *= c;
        }
    }
}

/* 1 if e[k] may be taken for zero: beside its neighbours, or beside the matrix, whose largest element was 1. */
static int eigen_negligible(const double *d, const double *e, int64_t k)
{
    double size = fabs(e[k]);
    return size <= 0x1p-53 * (fabs(d[k]) + fabs(d[k + 1])) || size <= 0x1p-60;
}

/* QR steps on the last block that is not diagonal yet, until none is left. */
static lstmae_status eigen_iterate(double *d, double *e, double *vectors, int64_t n)
{
    int64_t high = n - 1;
    for (int steps = 0; high > 0;) {
        if (eigen_negligible(d, e, high - 1)) {
            high--;
            steps = 0;
            continue;
        }
        if (steps++ == EIGEN_STEPS)
            return LAE_FAIL(ERR_NUMERIC, "eigenvalues: expected convergence in %d steps", EIGEN_STEPS);
        int64_t low = high - 1;
        while (low > 0 && !eigen_negligible(d, e, low - 1)) low--;
        eigen_step(d, e, vectors, low, high, n);
    }
    return LSTMAE_OK;
}

static void eigen_swap(double *x, double *y, int64_t n)
{
    for (int64_t k = 0; k < n; k++) {
        double kept = x[k];
        x[k] = y[k];
        y[k] = kept;
    }
}

/* Largest first. */
static void eigen_sort(double *values, double *vectors, int64_t n)
{
    for (int64_t i = 0; i < n - 1; i++) {
        int64_t best = i;
        for (int64_t k = i + 1; k < n; k++)
            if (values[k] > values[best]) best = k;
        if (best == i) continue;
        eigen_swap(values + i, values + best, 1);
        eigen_swap(vectors + i * n, vectors + best * n, n);
    }
}

lstmae_status lae_eigen_symmetric(double *a, double *values, double *vectors, double *work, int64_t n)
{
    double most = 0.0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k <= i; k++) {
            double size = fabs(a[i * n + k]);
            if (!isfinite(size)) return LAE_FAIL(ERR_NUMERIC, "eigenvalues: expected finite elements, got %g", size);
            if (size > most) most = size;
        }
    if (most > 0)
        for (int64_t i = 0; i < n * n; i++) a[i] /= most;
    eigen_reduce(a, values, work, work + n, n);
    eigen_unfold(a, vectors, n);
    LAE_TRY(eigen_iterate(values, work, vectors, n));
    for (int64_t i = 0; i < n; i++) values[i] *= most;
    eigen_sort(values, vectors, n);
    return LSTMAE_OK;
}
