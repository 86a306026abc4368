/* Eigenvalues by what defines them; principal components by what they must do to data. */
#include "faults.h"
#include "values.h"

#include "eigen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 100 };

static lstmae_context *context;

static int setup(void **state)
{
    (void)state;
    context = test_context("cpu", LSTMAE_F32);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lstmae_context_destroy(context);
    return 0;
}

/* A v = lambda v, orthonormal v, lambda falling: all of it to a few roundings of the largest element. */
static void assert_eigen(const char *what, const double *a, int64_t n)
{
    static double work[MOST * MOST], vectors[MOST * MOST], values[MOST], more[2 * MOST];
    double size = 0, worst = 0, trace = 0, sum = 0;
    for (int64_t i = 0; i < n * n; i++) size = fmax(size, fabs(a[i]));
    memcpy(work, a, (size_t)(n * n) * sizeof *work);
    assert_ok(lae_eigen_symmetric(work, values, vectors, more, n));
    for (int64_t i = 0; i < n; i++) {
        trace += a[i * n + i];
        sum += values[i];
        if (i > 0) assert_true(values[i] <= values[i - 1]);
        for (int64_t r = 0; r < n; r++) {
            double product = 0, dot = 0;
            for (int64_t c = 0; c < n; c++) {
                product += a[r * n + c] * vectors[i * n + c];
                dot += vectors[r * n + c] * vectors[i * n + c];
            }
            if (size > 0) worst = fmax(worst, fabs(product - values[i] * vectors[i * n + r]) / size);
            worst = fmax(worst, fabs(dot - (r == i)));
        }
    }
    if (size > 0) worst = fmax(worst, fabs(trace - sum) / size);
    if (!(worst <= 2e-15 * (double)n + 2e-15)) fail_msg("%s of %d: %g", what, (int)n, worst);
}

static double random_value(int64_t i, int64_t k)
{
    return sin((double)(i * 131 + k * 37 + i * k)) + (double)((i * 7 + k * 3) % 5);
}

static double matrix_value(int kind, int64_t i, int64_t k, int64_t n)
{
    double d = (double)i - (double)k;
    switch (kind) {
    case 0: return random_value(i > k ? i : k, i > k ? k : i);
    case 1: return 0;
    case 2: return i == k;
    case 3: return i == k ? (double)((i * 7) % 4) : 0;              /* equal ones, out of order */
    case 4: return (double)(i + 1) * (double)(k + 1);               /* one that is not zero */
    case 5: return 1.0 / (double)(i + k + 1);                       /* Hilbert: down to rounding */
    case 6: return i == k ? fabs((double)(2 * i - n + 1)) / 2 : fabs(d) == 1 ? 1 : 0; /* Wilkinson: near pairs */
    case 7: return 1e150 * matrix_value(0, i, k, n);
    case 8: return 1e-150 * matrix_value(0, i, k, n);
    case 9: return matrix_value(0, i, k, n) * pow(10, -(double)(i + k) / 4); /* graded */
    case 10: return i == k ? -1.0 : 0.25;
    default: return i + k == n - 1; /* reverses: 1 and -1 */
    }
}

static void eigenvalues(void **state)
{
    (void)state;
    static double a[MOST * MOST];
    const int64_t sizes[] = { 1, 2, 3, 7, 8, 9, 24, MOST };
    for (int kind = 0; kind <= 11; kind++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            int64_t n = sizes[s];
            char what[16] = "matrix ";
            what[7] = (char)('a' + kind);
            for (int64_t i = 0; i < n; i++)
                for (int64_t k = 0; k < n; k++) a[i * n + k] = matrix_value(kind, i, k, n);
            assert_eigen(what, a, n);
        }
    }
}

static void eigenvalues_of_no_numbers(void **state)
{
    (void)state;
    double a[9] = { 1, 0, 0, 0, 2, 0, 0, (double)NAN, 3 }, values[3], vectors[9], work[6];
    assert_fails(lae_eigen_symmetric(a, values, vectors, work, 3), ERR_NUMERIC);
    a[7] = (double)INFINITY;
    assert_fails(lae_eigen_symmetric(a, values, vectors, work, 3), ERR_NUMERIC);
}

/* Rows around a mean, with directions of falling weight. */
static double *make_rows(int64_t n, int64_t d)
{
    double *rows = malloc((size_t)(n * d) * sizeof *rows), *noise = malloc((size_t)(n * d) * sizeof *noise);
    assert_true(rows && noise);
    values_draw(noise, (size_t)(n * d), 3, 1.0);
    for (int64_t r = 0; r < n; r++)
        for (int64_t c = 0; c < d; c++) {
            double sum = (double)(c % 5);
            for (int64_t k = 0; k < d && k < 4; k++)
                sum += noise[r * d + k] * cos((double)(c * (k + 1))) * 4.0 / (double)(k + 1);
            rows[r * d + c] = (double)(float)(sum + 0.1 * noise[r * d + c]);
        }
    free(noise);
    return rows;
}

static double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static void assert_components(const lstmae_pca *pca, const double *rows, int64_t n, int64_t d, int64_t k)
{
    const double *w = lstmae_pca_components(pca), *mean = lstmae_pca_mean(pca), *variance = lstmae_pca_variance(pca);
    double total = 0, size = 0;
    double *projected = malloc((size_t)n * sizeof *projected), *row = malloc((size_t)d * sizeof *row);
    assert_true(projected && row);
    assert_int_equal(lstmae_pca_count(pca), k);
    assert_int_equal(lstmae_pca_width(pca), d);
    for (int64_t c = 0; c < d; c++) {
        double sum = 0, square = 0;
        for (int64_t r = 0; r < n; r++) sum += rows[r * d + c];
        assert_true(fabs(mean[c] - sum / (double)n) < 1e-13 * 10);
        for (int64_t r = 0; r < n; r++) square += pow(rows[r * d + c] - mean[c], 2);
        total += square / (double)(n - 1);
    }
    size = total;
    assert_true(fabs(lstmae_pca_total_variance(pca) - total) < 1e-12 * total);
    for (int64_t i = 0; i < k; i++) {
        double most = 0, square = 0;
        for (int64_t j = 0; j < k; j++) assert_true(fabs(dot(w + i * d, w + j * d, d) - (i == j)) < 1e-13);
        for (int64_t c = 0; c < d; c++) most = fabs(w[i * d + c]) > fabs(most) ? w[i * d + c] : most;
        assert_true(most > 0);
        for (int64_t r = 0; r < n; r++) {
            for (int64_t c = 0; c < d; c++) row[c] = rows[r * d + c] - mean[c];
            projected[r] = dot(row, w + i * d, d);
            square += projected[r] * projected[r];
        }
        assert_true(variance[i] >= 0 && fabs(variance[i] - square / (double)(n - 1)) < 1e-13 * size);
        if (i > 0) assert_true(variance[i] <= variance[i - 1]);
        total -= variance[i];
    }
    if (k == d) assert_true(fabs(total) < 1e-12 * size);
    free(projected);
    free(row);
}

/* More rows than columns, fewer, all components and few; stretches of rows that are full and not. */
static void components_of_data(void **state)
{
    (void)state;
    static const int64_t cases[][3] = { { 300, 10, 10 }, { 64, 5, 2 },  { 20, 50, 50 }, { 65, 33, 1 },
                                        { 2, 3, 3 },     { 50, 1, 1 }, { 129, 8, 3 } };
    for (size_t s = 0; s < sizeof cases / sizeof cases[0]; s++) {
        int64_t n = cases[s][0], d = cases[s][1], k = cases[s][2], dims[2] = { n, d };
        double *rows = make_rows(n, d);
        lstmae_tensor *data = values_tensor(context, 2, dims, rows);
        lstmae_pca *pca;
        assert_ok(lstmae_pca_create(&pca, data, k));
        lstmae_tensor_destroy(data);
        assert_components(pca, rows, n, d, k);
        lstmae_pca_destroy(pca);
        free(rows);
    }
}

static lstmae_tensor *empty_tensor(lstmae_context *of, lstmae_dtype dtype, int64_t a, int64_t b)
{
    lstmae_tensor *tensor;
    const int64_t dims[2] = { a, b };
    assert_ok(lstmae_tensor_create(&tensor, of, dtype, 2, dims));
    return tensor;
}

/* All components give the data back; two leave what the others explain. */
static void there_and_back(void **state)
{
    (void)state;
    const int64_t n = 150, d = 12, dims[2] = { n, d };
    double *rows = make_rows(n, d);
    lstmae_tensor *data = values_tensor(context, 2, dims, rows);
    for (int64_t k = 2; k <= d; k += d - 2) {
        lstmae_pca *pca;
        lstmae_tensor *z = empty_tensor(context, LSTMAE_F64, n, k), *x = empty_tensor(context, LSTMAE_F64, n, d);
        assert_ok(lstmae_pca_create(&pca, data, k));
        assert_ok(lstmae_pca_transform(pca, data, z));
        assert_ok(lstmae_pca_inverse(pca, z, x));
        double *codes = values_read(z), *back = values_read(x), error = 0, left = lstmae_pca_total_variance(pca);
        for (int64_t i = 0; i < n * d; i++) error += pow(back[i] - rows[i], 2) / (double)(n - 1);
        for (int64_t i = 0; i < k; i++) left -= lstmae_pca_variance(pca)[i];
        assert_true(fabs(error - left) < 1e-11);
        for (int64_t i = 0; i < k; i++) {
            const double *w = lstmae_pca_components(pca) + i * d;
            double want = dot(rows + 7 * d, w, d) - dot(lstmae_pca_mean(pca), w, d);
            assert_true(fabs(codes[7 * k + i] - want) < 1e-12);
        }
        free(codes);
        free(back);
        lstmae_tensor_destroy(z);
        lstmae_tensor_destroy(x);
        lstmae_pca_destroy(pca);
    }
    lstmae_tensor_destroy(data);
    free(rows);
}

/* Element types, views with strides, and a second call that allocates nothing. */
static void kinds_of_tensors(void **state)
{
    (void)state;
    const int64_t n = 100, d = 9, dims[2] = { n, d }, turned[2] = { d, n };
    double *rows = make_rows(n, d), *columns = malloc((size_t)(n * d) * sizeof *columns);
    assert_non_null(columns);
    for (int64_t i = 0; i < n * d; i++) columns[i % d * n + i / d] = rows[i];
    lstmae_tensor *data = values_tensor(context, 2, dims, rows), *stored = values_tensor(context, 2, turned, columns);
    lstmae_tensor *view, *wide = empty_tensor(context, LSTMAE_F64, n, d);
    lstmae_tensor *z32 = empty_tensor(context, LSTMAE_F32, n, 3), *z64 = empty_tensor(context, LSTMAE_F64, n, 3);
    lstmae_pca *pca[3];
    assert_ok(lstmae_tensor_transpose(&view, stored, 0, 1));
    assert_ok(lstmae_tensor_write(wide, rows, (size_t)(n * d) * sizeof *rows));
    const lstmae_tensor *from[3] = { data, view, wide };
    for (int i = 0; i < 3; i++) assert_ok(lstmae_pca_create(&pca[i], from[i], 3));
    for (int i = 1; i < 3; i++) {
        assert_memory_equal(lstmae_pca_components(pca[0]), lstmae_pca_components(pca[i]), 27 * sizeof(double));
        assert_memory_equal(lstmae_pca_variance(pca[0]), lstmae_pca_variance(pca[i]), 3 * sizeof(double));
    }
    for (int i = 0; i < 3; i++) {
        lstmae_memory_info info = LSTMAE_MEMORY_INFO_INIT;
        assert_ok(lstmae_pca_transform(pca[0], from[i], z64));
        assert_ok(lstmae_pca_transform(pca[0], from[i], z32));
        assert_ok(lstmae_context_memory(context, &info));
        uint64_t before = info.allocations;
        assert_ok(lstmae_pca_transform(pca[0], from[i], z32));
        assert_ok(lstmae_context_memory(context, &info));
        assert_true(info.allocations == before);
        double *a = values_read(z32), *b = values_read(z64);
        for (int64_t k = 0; k < 3 * n; k++) assert_true((float)a[k] == (float)b[k]);
        free(a);
        free(b);
    }
    lstmae_tensor *all[] = { data, stored, view, wide, z32, z64 };
    for (int i = 0; i < 6; i++) lstmae_tensor_destroy(all[i]);
    for (int i = 0; i < 3; i++) lstmae_pca_destroy(pca[i]);
    free(rows);
    free(columns);
}

static void misused(void **state)
{
    (void)state;
    const int64_t dims[2] = { 4, 3 }, line[1] = { 4 };
    double values[12] = { 1, 2, 3, 4, 5, 6, 7, 8, 1, 0, 1, 0 };
    lstmae_pca *pca;
    lstmae_tensor *data = values_tensor(context, 2, dims, values), *flat = values_tensor(context, 1, line, values);
    lstmae_tensor *single = empty_tensor(context, LSTMAE_F32, 1, 3), *none = empty_tensor(context, LSTMAE_F32, 4, 0);
    lstmae_tensor *whole = empty_tensor(context, LSTMAE_I64, 4, 3), *z = empty_tensor(context, LSTMAE_F32, 4, 2);
    assert_fails(lstmae_pca_create(&pca, data, 0), ERR_INVALID_ARG);
    assert_fails(lstmae_pca_create(&pca, data, 4), ERR_INVALID_ARG);
    assert_non_null(strstr(lstmae_last_error(), "expected 1 to 3 components, got 4"));
    assert_fails(lstmae_pca_create(&pca, flat, 1), ERR_SHAPE);
    assert_fails(lstmae_pca_create(&pca, single, 1), ERR_SHAPE);
    assert_non_null(strstr(lstmae_last_error(), "[N,D] with N of 2 or more, got [1,3]"));
    assert_fails(lstmae_pca_create(&pca, none, 1), ERR_SHAPE);
    assert_fails(lstmae_pca_create(&pca, whole, 1), ERR_DTYPE);
    assert_null(pca);
    assert_ok(lstmae_pca_create(&pca, data, 2));
    assert_fails(lstmae_pca_transform(pca, data, data), ERR_SHAPE);
    assert_non_null(strstr(lstmae_last_error(), "expected [M,3] and [M,2], got [4,3] and [4,3]"));
    assert_fails(lstmae_pca_inverse(pca, data, z), ERR_SHAPE);
    assert_fails(lstmae_pca_inverse(pca, z, whole), ERR_DTYPE);
    assert_fails(lstmae_pca_transform(pca, whole, z), ERR_DTYPE);
    assert_fails(lstmae_pca_transform(pca, single, z), ERR_SHAPE);
    lstmae_context *other = test_context("cpu", LSTMAE_F32);
    lstmae_tensor *foreign = empty_tensor(other, LSTMAE_F32, 4, 3);
    assert_fails(lstmae_pca_transform(pca, foreign, z), ERR_INVALID_ARG);
    lstmae_tensor_destroy(foreign);
    lstmae_context_destroy(other);
    lstmae_pca_destroy(pca);
    values[7] = (double)NAN;
    values_write(data, values);
    assert_fails(lstmae_pca_create(&pca, data, 2), ERR_NUMERIC);
    assert_non_null(strstr(lstmae_last_error(), "row 2: expected finite numbers, got "));
    lstmae_tensor *all[] = { data, flat, single, none, whole, z };
    for (int i = 0; i < 6; i++) lstmae_tensor_destroy(all[i]);
}

static lstmae_status fit_and_use(const lstmae_tensor *data, lstmae_tensor *z)
{
    lstmae_pca *pca = NULL;
    lstmae_status status = lstmae_pca_create(&pca, data, 2);
    if (status == LSTMAE_OK) status = lstmae_pca_transform(pca, data, z);
    lstmae_pca_destroy(pca);
    return status;
}

static void allocations_fail(void **state)
{
    (void)state;
    test_heap heap = { 0 };
    lstmae_context *watched;
    assert_ok(test_heap_context(&watched, &heap));
    lstmae_tensor *stored = empty_tensor(watched, LSTMAE_F32, 5, 70), *data;
    lstmae_tensor *z = empty_tensor(watched, LSTMAE_F32, 70, 2);
    assert_ok(lstmae_tensor_transpose(&data, stored, 0, 1));
    long before = heap.live, uses = 0;
    for (long at = 0; at <= uses; at++) {
        heap.fault = (test_fault){ at, 0, 0 };
        lstmae_status status = fit_and_use(data, z);
        if (at == 0) uses = heap.fault.uses;
        if (at == 0) assert_int_equal(status, LSTMAE_OK);
        if (at > 0) assert_true(status == LSTMAE_ERR_NO_MEMORY || status == LSTMAE_ERR_DEVICE_MEMORY);
        assert_int_equal(heap.live, before);
    }
    assert_true(uses >= 8);
    heap.fault = (test_fault){ 0, 0, 0 };
    lstmae_tensor_destroy(stored);
    lstmae_tensor_destroy(data);
    lstmae_tensor_destroy(z);
    lstmae_context_destroy(watched);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eigenvalues),      cmocka_unit_test(eigenvalues_of_no_numbers),
        cmocka_unit_test(components_of_data), cmocka_unit_test(there_and_back),
        cmocka_unit_test(kinds_of_tensors), cmocka_unit_test(misused),
        cmocka_unit_test(allocations_fail),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
