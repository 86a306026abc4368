/* Nearest neighbours against looking at every vector in double: the same rows in the same order, always. */
#include "faults.h"
#include "values.h"

#include <lstmae/neighbors.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* What the vectors are like. */
enum {
    PLAIN,
    SHIFTED,   /* far from zero and close together: products cancel almost wholly */
    REPEATED,  /* each comes several times */
    GRID,      /* few whole numbers: many equal distances */
    HUGE_ONES, /* products overflow float32 */
    TINY_ONES, /* products vanish in float32 */
    MIXED,     /* of all sizes, and zeros */
    KINDS
};

static void draw(float *out, int64_t rows, int64_t width, int kind, uint64_t seed)
{
    test_fill(out, (size_t)(rows * width), seed, 1.0f);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < width; c++) {
            float *v = &out[r * width + c];
            switch (kind) {
            case SHIFTED: *v = 1000.0f + 0.01f * *v; break;
            case REPEATED: *v = out[r % (rows / 4 + 1) * width + c]; break;
            case GRID: *v = roundf(1.5f * *v); break;
            case HUGE_ONES: *v *= 1e30f; break;
            case TINY_ONES: *v *= 1e-30f; break;
            case MIXED: *v *= r % 7 == 0 ? 0.0f : powf(10.0f, (float)(r % 11) - 5.0f); break;
            default: break;
            }
        }
    }
}

typedef struct found {
    double distance;
    int64_t index;
} found;

static int compare_found(const void *a, const void *b)
{
    const found *x = a, *y = b;
    if (x->distance != y->distance) return x->distance < y->distance ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

/* By the definition, in long double so that nothing is taken from the library's order of sums. */
static double distance(const float *a, const float *b, int64_t width, lstmae_metric metric)
{
    long double sum = 0, aa = 0, bb = 0, ab = 0;
    for (int64_t i = 0; i < width; i++) {
        long double x = (long double)a[i], y = (long double)b[i];
        sum += (x - y) * (x - y);
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    if (metric == LSTMAE_METRIC_EUCLIDEAN) return (double)sqrtl(sum);
    return aa > 0 && bb > 0 ? (double)(1 - ab / (sqrtl(aa) * sqrtl(bb))) : 1.0;
}

static lstmae_tensor *tensor(lstmae_context *of, lstmae_dtype dtype, int64_t rows, int64_t width, const float *values)
{
    lstmae_tensor *out;
    const int64_t dims[2] = { rows, width };
    assert_ok(lstmae_tensor_create(&out, of, dtype, 2, dims));
    if (!values) return out;
    size_t n = (size_t)(rows * width);
    double *wide = malloc((n + 1) * sizeof *wide);
    assert_non_null(wide);
    for (size_t i = 0; i < n; i++) wide[i] = (double)values[i];
    const void *from = dtype == LSTMAE_F32 ? (const void *)values : (const void *)wide;
    assert_ok(lstmae_tensor_write(out, from, n * (dtype == LSTMAE_F32 ? sizeof(float) : sizeof(double))));
    free(wide);
    return out;
}

/*
 * Distances must be right to a few roundings of double, indices those of the slow way unless two distances are that
 * close; rows that are equal to the bit must come in their order.
 */
static void check(const float *vectors, int64_t n, const float *queries, int64_t asked, int64_t width, int64_t k,
                  lstmae_metric metric, const int64_t *indices, const double *distances)
{
    found *all = malloc((size_t)n * sizeof *all);
    assert_non_null(all);
    for (int64_t q = 0; q < asked; q++) {
        const float *query = queries + q * width;
        for (int64_t i = 0; i < n; i++) all[i] = (found){ distance(query, vectors + i * width, width, metric), i };
        qsort(all, (size_t)n, sizeof *all, compare_found);
        for (int64_t i = 0; i < k; i++) {
            int64_t index = indices[q * k + i], before = i > 0 ? indices[q * k + i - 1] : -1;
            double got = distances[q * k + i], want = all[i].distance, near = 1e-13 * want + 1e-14 * (metric != 0);
            assert_true(index >= 0 && index < n);
            assert_true(fabs(got - want) <= near);
            assert_true(fabs(got - distance(query, vectors + index * width, width, metric)) <= near);
            if (i == 0) continue;
            double nearer = distances[q * k + i - 1];
            assert_true(got > nearer || (got == nearer && index > before));
        }
    }
    free(all);
}

static void run(lstmae_dtype dtype, int64_t n, int64_t asked, int64_t width, int64_t k, int kind, lstmae_metric metric)
{
    float *vectors = malloc((size_t)(n * width) * sizeof *vectors);
    float *queries = malloc((size_t)(asked * width) * sizeof *queries);
    int64_t *indices = malloc((size_t)(asked * k) * sizeof *indices);
    int64_t *again = malloc((size_t)(asked * k) * sizeof *again);
    double *distances = malloc((size_t)(asked * k) * sizeof *distances);
    assert_true(vectors && queries && indices && again && distances);
    draw(vectors, n, width, kind, 1);
    draw(queries, asked, width, kind, 2);
    memcpy(queries, vectors + (n / 2) * width, (size_t)width * sizeof *queries); /* one that is there */
    lstmae_tensor *v = tensor(context, dtype, n, width, vectors), *q = tensor(context, dtype, asked, width, queries);
    lstmae_neighbors *neighbors;
    assert_ok(lstmae_neighbors_create(&neighbors, v, metric));
    lstmae_tensor_destroy(v);
    assert_ok(lstmae_neighbors_find(neighbors, q, k, indices, distances));
    check(vectors, n, queries, asked, width, k, metric, indices, distances);
    assert_ok(lstmae_neighbors_find(neighbors, q, k, again, NULL));
    assert_memory_equal(indices, again, (size_t)(asked * k) * sizeof *indices);
    lstmae_tensor_destroy(q);
    lstmae_neighbors_destroy(neighbors);
    free(vectors);
    free(queries);
    free(indices);
    free(again);
    free(distances);
}

static void as_the_slow_way(void **state)
{
    (void)state;
    static const int64_t shapes[][4] = { { 1, 1, 1, 1 },    { 5, 3, 1, 5 },     { 300, 20, 2, 7 }, { 700, 65, 17, 3 },
                                         { 500, 1, 128, 500 }, { 4100, 2, 9, 10 } };
    for (int metric = 0; metric < 2; metric++)
        for (int kind = 0; kind < KINDS; kind++)
            for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
                for (int wide = 0; wide < 2; wide++)
                    run(wide ? LSTMAE_F64 : LSTMAE_F32, shapes[s][0], shapes[s][1], shapes[s][2], shapes[s][3], kind,
                        (lstmae_metric)metric);
}

/* Equal vectors: the lowest numbers, in order. */
static void ties_by_number(void **state)
{
    (void)state;
    static float vectors[100 * 6];
    int64_t indices[7];
    double distances[7];
    for (int i = 0; i < 600; i++) vectors[i] = (float)(i % 6);
    for (int metric = 0; metric < 2; metric++) {
        lstmae_neighbors *neighbors;
        lstmae_tensor *v = tensor(context, LSTMAE_F32, 100, 6, vectors);
        lstmae_tensor *q = tensor(context, LSTMAE_F32, 1, 6, vectors);
        assert_ok(lstmae_neighbors_create(&neighbors, v, (lstmae_metric)metric));
        assert_ok(lstmae_neighbors_find(neighbors, q, 7, indices, distances));
        for (int i = 0; i < 7; i++) assert_int_equal(indices[i], i);
        assert_true(distances[0] == distances[6] && fabs(distances[0]) < 1e-15);
        lstmae_tensor_destroy(v);
        lstmae_tensor_destroy(q);
        lstmae_neighbors_destroy(neighbors);
    }
}

/* The same bits on the reference device and on any number of threads. */
static void devices_agree(void **state)
{
    (void)state;
    enum { N = 3000, Q = 30, D = 50, K = 9 };
    static float vectors[N * D], queries[Q * D];
    static int64_t indices[3][Q * K];
    static double distances[3][Q * K];
    draw(vectors, N, D, SHIFTED, 1);
    draw(queries, Q, D, SHIFTED, 2);
    for (int i = 0; i < 3; i++) {
        lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
        lstmae_context *other;
        lstmae_neighbors *neighbors;
        options.threads = i;
        assert_ok(lstmae_context_create(&other, i == 0 ? "cpu:ref" : "cpu", i == 0 ? NULL : &options));
        lstmae_tensor *v = tensor(other, LSTMAE_F32, N, D, vectors), *q = tensor(other, LSTMAE_F32, Q, D, queries);
        assert_ok(lstmae_neighbors_create(&neighbors, v, LSTMAE_METRIC_EUCLIDEAN));
        assert_ok(lstmae_neighbors_find(neighbors, q, K, indices[i], distances[i]));
        lstmae_context_destroy(other);
        lstmae_tensor_destroy(v);
        lstmae_tensor_destroy(q);
        lstmae_neighbors_destroy(neighbors);
    }
    for (int i = 1; i < 3; i++) {
        assert_memory_equal(indices[0], indices[i], sizeof indices[0]);
        assert_memory_equal(distances[0], distances[i], sizeof distances[0]);
    }
}

/* Columns of a stored matrix as vectors and queries; a second call allocates nothing. */
static void strided_and_steady(void **state)
{
    (void)state;
    enum { N = 200, D = 12, K = 4 };
    static float rows[N * D], columns[N * D];
    static int64_t indices[N * K];
    static double distances[N * K];
    lstmae_memory_info info = LSTMAE_MEMORY_INFO_INIT;
    draw(rows, N, D, PLAIN, 5);
    for (int i = 0; i < N * D; i++) columns[i % D * N + i / D] = rows[i];
    lstmae_tensor *stored = tensor(context, LSTMAE_F32, D, N, columns), *view;
    lstmae_neighbors *neighbors;
    assert_ok(lstmae_tensor_transpose(&view, stored, 0, 1));
    assert_ok(lstmae_neighbors_create(&neighbors, view, LSTMAE_METRIC_COSINE));
    for (int i = 0; i < 2; i++) {
        assert_ok(lstmae_context_memory(context, &info));
        uint64_t before = info.allocations;
        assert_ok(lstmae_neighbors_find(neighbors, view, K, indices, distances));
        assert_ok(lstmae_context_memory(context, &info));
        if (i == 1) assert_true(info.allocations == before);
    }
    check(rows, N, rows, N, D, K, LSTMAE_METRIC_COSINE, indices, distances);
    for (int i = 0; i < N; i++) assert_int_equal(indices[i * K], i);
    lstmae_neighbors_destroy(neighbors);
    lstmae_tensor_destroy(view);
    lstmae_tensor_destroy(stored);
}

static void misused(void **state)
{
    (void)state;
    float values[12] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
    int64_t indices[12];
    lstmae_neighbors *neighbors;
    const int64_t line[1] = { 12 };
    lstmae_tensor *v = tensor(context, LSTMAE_F32, 4, 3, values), *wide = tensor(context, LSTMAE_F64, 4, 3, values);
    lstmae_tensor *empty = tensor(context, LSTMAE_F32, 0, 3, NULL), *other = tensor(context, LSTMAE_F32, 2, 6, values);
    lstmae_tensor *whole = tensor(context, LSTMAE_I64, 4, 3, NULL), *flat;
    assert_ok(lstmae_tensor_create(&flat, context, LSTMAE_F32, 1, line));
    assert_fails(lstmae_neighbors_create(&neighbors, empty, LSTMAE_METRIC_COSINE), ERR_SHAPE);
    assert_non_null(strstr(lstmae_last_error(), "expected [N,D] with one row or more, got [0,3]"));
    assert_fails(lstmae_neighbors_create(&neighbors, flat, LSTMAE_METRIC_COSINE), ERR_SHAPE);
    assert_fails(lstmae_neighbors_create(&neighbors, whole, LSTMAE_METRIC_COSINE), ERR_DTYPE);
    assert_null(neighbors);
    assert_ok(lstmae_neighbors_create(&neighbors, v, LSTMAE_METRIC_EUCLIDEAN));
    assert_fails(lstmae_neighbors_find(neighbors, v, 5, indices, NULL), ERR_INVALID_ARG);
    assert_non_null(strstr(lstmae_last_error(), "expected 1 to 4 neighbors, got 5"));
    assert_fails(lstmae_neighbors_find(neighbors, v, 0, indices, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_neighbors_find(neighbors, wide, 1, indices, NULL), ERR_DTYPE);
    assert_fails(lstmae_neighbors_find(neighbors, other, 1, indices, NULL), ERR_SHAPE);
    assert_non_null(strstr(lstmae_last_error(), "expected [Q,3], got [2,6]"));
    assert_ok(lstmae_neighbors_find(neighbors, empty, 4, indices, NULL));
    values[7] = (float)NAN;
    lstmae_tensor *bad = tensor(context, LSTMAE_F32, 4, 3, values);
    assert_fails(lstmae_neighbors_find(neighbors, bad, 1, indices, NULL), ERR_NUMERIC);
    assert_non_null(strstr(lstmae_last_error(), "query 2: expected finite numbers, got "));
    lstmae_neighbors_destroy(neighbors);
    assert_fails(lstmae_neighbors_create(&neighbors, bad, LSTMAE_METRIC_EUCLIDEAN), ERR_NUMERIC);
    assert_non_null(strstr(lstmae_last_error(), "row 2: expected finite numbers, got "));
    lstmae_tensor *all[] = { v, wide, empty, other, whole, flat, bad };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) lstmae_tensor_destroy(all[i]);
}

static lstmae_status make_and_find(lstmae_tensor *vectors)
{
    int64_t indices[20];
    lstmae_neighbors *neighbors;
    lstmae_status status = lstmae_neighbors_create(&neighbors, vectors, LSTMAE_METRIC_COSINE);
    if (status == LSTMAE_OK) status = lstmae_neighbors_find(neighbors, vectors, 2, indices, NULL);
    lstmae_neighbors_destroy(neighbors);
    return status;
}

static void allocations_fail(void **state)
{
    (void)state;
    float values[60];
    test_heap heap = { 0 };
    lstmae_context *watched;
    assert_ok(test_heap_context(&watched, &heap));
    test_fill(values, 60, 1, 1.0f);
    lstmae_tensor *stored = tensor(watched, LSTMAE_F32, 6, 10, values), *view;
    assert_ok(lstmae_tensor_transpose(&view, stored, 0, 1));
    long before = heap.live, uses = 0;
    for (long at = 0; at <= uses; at++) {
        heap.fault = (test_fault){ at, 0, 0 };
        lstmae_status status = make_and_find(view);
        if (at == 0) uses = heap.fault.uses;
        if (at == 0) assert_int_equal(status, LSTMAE_OK);
        if (at > 0) assert_true(status == LSTMAE_ERR_NO_MEMORY || status == LSTMAE_ERR_DEVICE_MEMORY);
        assert_int_equal(heap.live, before);
    }
    assert_true(uses >= 12);
    heap.fault = (test_fault){ 0, 0, 0 };
    lstmae_tensor_destroy(stored);
    lstmae_tensor_destroy(view);
    lstmae_context_destroy(watched);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_slow_way),    cmocka_unit_test(ties_by_number), cmocka_unit_test(devices_agree),
        cmocka_unit_test(strided_and_steady), cmocka_unit_test(misused),        cmocka_unit_test(allocations_fail),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
