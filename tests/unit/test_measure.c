/* Measures of images against numbers computed elsewhere (tests/golden/make_measures.py), and by their definitions. */
#include "faults.h"

#include <lstmae/measure.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../golden/measures.h"

enum { LARGEST = 4 * 3 * 32 * 32 };

static lstmae_context *context, *wide;

static int setup(void **state)
{
    (void)state;
    context = test_context("cpu", LSTMAE_F32);
    wide = test_context("cpu:ref", LSTMAE_F64);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lstmae_context_destroy(context);
    lstmae_context_destroy(wide);
    return 0;
}

/* The images of make_measures.py. */
static void draw(float *out, const int64_t dims[4], int which, double range)
{
    for (int64_t i = 0; i < dims[0] * dims[1] * dims[2] * dims[3]; i++) {
        int64_t x = i % dims[3], y = i / dims[3] % dims[2];
        int64_t wave = (x * x * 3 + y * 5 + i / (dims[2] * dims[3]) * 17) % 200;
        int64_t more = which == 0 ? (i * 7919 + 104729) % 101 / 2 : i * i % 97 / 2;
        out[i] = (float)((double)(wave + more) / 256.0 * range);
    }
}

static lstmae_tensor *tensor(lstmae_context *of, lstmae_dtype dtype, int ndim, const int64_t *dims, const float *values)
{
    lstmae_tensor *out;
    assert_ok(lstmae_tensor_create(&out, of, dtype, ndim, dims));
    size_t n = (size_t)lstmae_tensor_numel(out);
    if (dtype == LSTMAE_F32) {
        assert_ok(lstmae_tensor_write(out, values, n * sizeof *values));
    } else {
        double *converted = malloc((n + 1) * sizeof *converted);
        assert_non_null(converted);
        for (size_t i = 0; i < n; i++) converted[i] = (double)values[i];
        assert_ok(lstmae_tensor_write(out, converted, n * sizeof *converted));
        free(converted);
    }
    return out;
}

static void assert_near(double got, double want)
{
    if (fabs(got - want) <= 1e-12 * fabs(want)) return;
    print_error("%.17g, wanted %.17g\n", got, want);
    fail();
}

static void compare(const lstmae_tensor *y, const lstmae_tensor *target, size_t k)
{
    double each[3][4], mean[3], sum[3] = { 0 };
    int64_t count = measure_cases[k].dims[0];
    assert_ok(lstmae_measure_mse(y, target, each[0], &mean[0]));
    assert_ok(lstmae_measure_psnr(y, target, measure_cases[k].range, each[1], &mean[1]));
    assert_ok(lstmae_measure_ssim(y, target, measure_cases[k].range, each[2], &mean[2]));
    for (int what = 0; what < 3; what++) {
        for (int64_t i = 0; i < count; i++) {
            assert_near(each[what][i], measure_cases[k].want[i][what]);
            sum[what] += measure_cases[k].want[i][what];
        }
        assert_near(mean[what], sum[what] / (double)count);
    }
}

/* Both element types, and tensors whose channels lie innermost. */
static void known_answers(void **state)
{
    (void)state;
    static float a[LARGEST], b[LARGEST];
    for (size_t k = 0; k < sizeof measure_cases / sizeof measure_cases[0]; k++) {
        const int64_t *dims = measure_cases[k].dims, inner[4] = { dims[0], dims[3], dims[2], dims[1] };
        draw(a, dims, 0, measure_cases[k].range);
        draw(b, dims, 1, measure_cases[k].range);
        lstmae_tensor *y = tensor(context, LSTMAE_F32, 4, dims, a), *target = tensor(wide, LSTMAE_F64, 4, dims, b);
        lstmae_tensor *stored = tensor(context, LSTMAE_F32, 4, inner, a), *strided;
        assert_ok(lstmae_tensor_transpose(&strided, stored, 1, 3));
        assert_ok(lstmae_tensor_copy(strided, y));
        compare(y, target, k);
        compare(strided, target, k);
        lstmae_tensor_destroy(strided);
        lstmae_tensor_destroy(stored);
        lstmae_tensor_destroy(y);
        lstmae_tensor_destroy(target);
    }
}

static void equal_images(void **state)
{
    (void)state;
    static float a[3 * 12 * 12], b[3 * 12 * 12];
    const int64_t dims[4] = { 2, 1, 12, 12 };
    double each[2], mean;
    test_fill(a, 2 * 144, 1, 1.0f);
    memcpy(b, a, sizeof b);
    b[200] += 0.5f;
    lstmae_tensor *x = tensor(context, LSTMAE_F32, 4, dims, a), *y = tensor(context, LSTMAE_F32, 4, dims, b);
    assert_ok(lstmae_measure_mse(x, x, each, &mean));
    assert_true(each[0] == 0 && each[1] == 0 && mean == 0);
    assert_ok(lstmae_measure_ssim(x, x, 2.0, each, &mean));
    assert_near(each[0], 1);
    assert_near(mean, 1);
    assert_ok(lstmae_measure_psnr(x, y, 2.0, each, &mean));
    assert_true(isinf(each[0]) && each[0] > 0 && isinf(mean) && isfinite(each[1]));
    lstmae_tensor_destroy(y);
    b[200] = (float)NAN;
    y = tensor(context, LSTMAE_F32, 4, dims, b);
    assert_ok(lstmae_measure_ssim(y, x, 2.0, each, NULL));
    assert_near(each[0], 1);
    assert_true(isnan(each[1]));
    assert_ok(lstmae_measure_psnr(y, x, 2.0, NULL, &mean));
    assert_true(isnan(mean));
    lstmae_tensor_destroy(x);
    lstmae_tensor_destroy(y);
}

/* Vectors and sequences have an error too. */
static void any_shape(void **state)
{
    (void)state;
    const float a[6] = { 1, 2, 3, 4, 5, 6 }, b[6] = { 1, 2, 5, 4, 4, 4 };
    const int64_t pair[2] = { 2, 3 }, flat[1] = { 6 };
    double each[6], mean;
    lstmae_tensor *x = tensor(context, LSTMAE_F32, 2, pair, a), *y = tensor(context, LSTMAE_F32, 2, pair, b);
    assert_ok(lstmae_measure_mse(x, y, each, &mean));
    assert_near(each[0], 4.0 / 3);
    assert_near(each[1], 5.0 / 3);
    assert_near(mean, 1.5);
    lstmae_tensor_destroy(x);
    lstmae_tensor_destroy(y);
    x = tensor(context, LSTMAE_F32, 1, flat, a);
    y = tensor(context, LSTMAE_F32, 1, flat, b);
    assert_ok(lstmae_measure_mse(x, y, each, NULL));
    assert_true(each[2] == 4 && each[4] == 1 && each[5] == 4 && each[0] == 0);
    lstmae_tensor_destroy(x);
    lstmae_tensor_destroy(y);
}

static void misused(void **state)
{
    (void)state;
    const int64_t dims[4] = { 1, 1, 11, 11 }, narrow[4] = { 1, 1, 11, 10 }, none[4] = { 0, 1, 11, 11 };
    double mean;
    static const float zeros[121];
    lstmae_tensor *good = tensor(context, LSTMAE_F32, 4, dims, zeros);
    lstmae_tensor *small = tensor(context, LSTMAE_F32, 4, narrow, zeros);
    lstmae_tensor *empty = tensor(context, LSTMAE_F32, 4, none, zeros);
    lstmae_tensor *single = tensor(context, LSTMAE_F32, 0, NULL, zeros), *whole;
    assert_ok(lstmae_tensor_create(&whole, context, LSTMAE_I64, 4, dims));
    assert_fails(lstmae_measure_mse(good, small, NULL, &mean), ERR_SHAPE);
    assert_non_null(strstr(lstmae_last_error(), "measure_mse: y is [1,1,11,11], target [1,1,11,10]"));
    assert_fails(lstmae_measure_ssim(small, small, 1, NULL, &mean), ERR_SHAPE);
    assert_non_null(strstr(lstmae_last_error(), "H and W of 11 or more, got [1,1,11,10]"));
    assert_ok(lstmae_measure_psnr(small, small, 1, NULL, &mean));
    assert_fails(lstmae_measure_mse(empty, empty, NULL, &mean), ERR_SHAPE);
    assert_fails(lstmae_measure_mse(single, single, NULL, &mean), ERR_SHAPE);
    assert_fails(lstmae_measure_mse(whole, whole, NULL, &mean), ERR_DTYPE);
    const double bad[] = { 0, -1, (double)NAN, (double)INFINITY };
    for (size_t i = 0; i < 4; i++) {
        assert_fails(lstmae_measure_psnr(good, good, bad[i], NULL, &mean), ERR_INVALID_ARG);
        assert_fails(lstmae_measure_ssim(good, good, bad[i], NULL, &mean), ERR_INVALID_ARG);
    }
    lstmae_tensor *all[] = { good, small, empty, single, whole };
    for (size_t i = 0; i < 5; i++) lstmae_tensor_destroy(all[i]);
}

static void allocations_fail(void **state)
{
    (void)state;
    static const float zeros[2 * 144];
    const int64_t dims[4] = { 2, 12, 12, 1 };
    test_heap heap = { 0 };
    lstmae_context *watched;
    lstmae_tensor *x, *y;
    assert_ok(test_heap_context(&watched, &heap));
    x = tensor(watched, LSTMAE_F32, 4, dims, zeros);
    assert_ok(lstmae_tensor_transpose(&y, x, 1, 3));
    long before = heap.live, uses = 0;
    double mean;
    for (long at = 0; at <= uses; at++) {
        heap.fault = (test_fault){ at, 0, 0 };
        lstmae_status status = lstmae_measure_ssim(y, y, 1.0, NULL, &mean);
        if (at == 0) uses = heap.fault.uses;
        assert_true(status == (at == 0 ? LSTMAE_OK : LSTMAE_ERR_NO_MEMORY) || status == LSTMAE_ERR_DEVICE_MEMORY);
        assert_int_equal(heap.live, before);
    }
    assert_true(uses >= 5);
    heap.fault = (test_fault){ 0, 0, 0 };
    lstmae_tensor_destroy(x);
    lstmae_tensor_destroy(y);
    lstmae_context_destroy(watched);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers), cmocka_unit_test(equal_images), cmocka_unit_test(any_shape),
        cmocka_unit_test(misused),       cmocka_unit_test(allocations_fail),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
