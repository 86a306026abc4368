/* Contexts and tensors: shapes, views, strides, ownership, limits. */
#include "support.h"

#include <string.h>

static void test_create_is_zero(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_tensor *tensor = NULL;
    int64_t dims[3] = { 2, 3, 5 };
    float values[30];
    assert_ok(lstmae_tensor_create(&tensor, context, LSTMAE_F32, 3, dims));
    lstmae_context_destroy(context); /* the tensor holds it */
    assert_int_equal(lstmae_tensor_numel(tensor), 30);
    assert_int_equal(lstmae_tensor_ndim(tensor), 3);
    assert_int_equal(lstmae_tensor_dim(tensor, 1), 3);
    assert_int_equal(lstmae_tensor_dim(tensor, 3), 0);
    assert_int_equal(lstmae_tensor_stride(tensor, 0), 15);
    assert_int_equal(lstmae_tensor_dtype(tensor), LSTMAE_F32);
    assert_ok(lstmae_tensor_read(tensor, values, sizeof values));
    for (int i = 0; i < 30; i++) assert_true(values[i] == 0.0f);
    lstmae_tensor_destroy(tensor);
}

static void test_scalar_and_empty(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_tensor *scalar = NULL, *empty = NULL;
    int64_t dims[2] = { 4, 0 };
    float value = 3.0f, got = 0.0f;
    assert_ok(lstmae_tensor_create(&scalar, context, LSTMAE_F32, 0, NULL));
    assert_int_equal(lstmae_tensor_numel(scalar), 1);
    assert_ok(lstmae_tensor_write(scalar, &value, sizeof value));
    assert_ok(lstmae_tensor_read(scalar, &got, sizeof got));
    assert_true(got == 3.0f);
    assert_ok(lstmae_tensor_create(&empty, context, LSTMAE_F32, 2, dims));
    assert_int_equal(lstmae_tensor_numel(empty), 0);
    assert_ok(lstmae_tensor_fill(empty, 1.0));
    assert_ok(lstmae_tensor_write(empty, NULL, 0));
    lstmae_tensor_destroy(empty);
    lstmae_tensor_destroy(scalar);
    lstmae_context_destroy(context);
}

static void test_views(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_tensor *base = NULL, *slice = NULL, *swapped = NULL, *reversed = NULL, *repeated = NULL;
    int64_t dims[2] = { 3, 4 };
    float values[12], part[8], turned[12];
    for (int i = 0; i < 12; i++) values[i] = (float)i;
    assert_ok(lstmae_tensor_create(&base, context, LSTMAE_F32, 2, dims));
    assert_ok(lstmae_tensor_write(base, values, sizeof values));

    assert_ok(lstmae_tensor_slice(&slice, base, 0, 1, 2));
    assert_ok(lstmae_tensor_read(slice, part, sizeof part));
    assert_memory_equal(part, values + 4, sizeof part);

    assert_ok(lstmae_tensor_transpose(&swapped, base, 0, 1));
    assert_ok(lstmae_tensor_read(swapped, turned, sizeof turned));
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 3; j++) assert_true(turned[i * 3 + j] == values[j * 4 + i]);

    int64_t strides[2] = { -4, 1 };
    assert_ok(lstmae_tensor_view(&reversed, base, 2, dims, strides, 8));
    assert_ok(lstmae_tensor_read(reversed, turned, sizeof turned));
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 4; j++) assert_true(turned[i * 4 + j] == values[(2 - i) * 4 + j]);

    int64_t zero[2] = { 0, 1 };
    assert_ok(lstmae_tensor_view(&repeated, base, 2, dims, zero, 4));
    assert_ok(lstmae_tensor_read(repeated, turned, sizeof turned));
    for (int i = 0; i < 3; i++) assert_memory_equal(turned + 4 * i, values + 4, 4 * sizeof(float));

    /* a view outlives its base, and writing through one is seen by the other */
    lstmae_tensor_destroy(base);
    assert_ok(lstmae_tensor_fill(slice, 7.0));
    assert_ok(lstmae_tensor_read(swapped, turned, sizeof turned));
    assert_true(turned[1] == 7.0f && turned[0] == 0.0f);
    lstmae_tensor_destroy(slice);
    lstmae_tensor_destroy(swapped);
    lstmae_tensor_destroy(reversed);
    lstmae_tensor_destroy(repeated);
    lstmae_context_destroy(context);
}

static void test_views_outside_are_refused(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_tensor *base = NULL, *view = NULL;
    int64_t dims[2] = { 3, 4 }, more[2] = { 3, 5 }, strides[2] = { 4, 1 }, back[2] = { -4, 1 };
    int64_t huge[2] = { INT64_MAX, 1 }, huge_dims[2] = { 2, INT64_MAX / 2 };
    assert_ok(lstmae_tensor_create(&base, context, LSTMAE_F32, 2, dims));
    assert_fails(lstmae_tensor_view(&view, base, 2, more, strides, 0), ERR_SHAPE);
    assert_null(view);
    assert_fails(lstmae_tensor_view(&view, base, 2, dims, strides, 1), ERR_SHAPE);
    assert_fails(lstmae_tensor_view(&view, base, 2, dims, strides, -1), ERR_SHAPE);
    assert_fails(lstmae_tensor_view(&view, base, 2, dims, back, 7), ERR_SHAPE);
    assert_fails(lstmae_tensor_view(&view, base, 2, dims, huge, 0), ERR_SHAPE);
    assert_fails(lstmae_tensor_view(&view, base, 2, huge_dims, NULL, 0), ERR_SHAPE);
    assert_fails(lstmae_tensor_view(&view, base, 2, dims, NULL, INT64_MAX), ERR_SHAPE);
    assert_fails(lstmae_tensor_view(&view, base, 2, dims, NULL, INT64_MIN + 1), ERR_SHAPE);
    assert_fails(lstmae_tensor_slice(&view, base, 0, 2, 2), ERR_SHAPE);
    assert_fails(lstmae_tensor_slice(&view, base, 1, -1, 2), ERR_SHAPE);
    assert_fails(lstmae_tensor_slice(&view, base, 2, 0, 1), ERR_INVALID_ARG);
    assert_ok(lstmae_tensor_slice(&view, base, 0, 3, 0));
    assert_int_equal(lstmae_tensor_numel(view), 0);
    lstmae_tensor_destroy(view);
    lstmae_tensor_destroy(base);
    lstmae_context_destroy(context);
}

static void test_wrap(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    float data[12] = { 0 };
    lstmae_tensor *wrapped = NULL, *copy = NULL;
    int64_t dims[2] = { 4, 3 }, columns[2] = { 3, 4 }, strides[2] = { 1, 3 };
    if (strncmp(lstmae_context_device(context), "cpu", 3) != 0) {
        lstmae_context_destroy(context);
        skip(); /* the memory is the host's */
    }
    assert_ok(lstmae_tensor_wrap(&wrapped, context, LSTMAE_F32, data, 12, 2, columns, strides));
    assert_ok(lstmae_tensor_create(&copy, context, LSTMAE_F32, 2, columns));
    data[5] = 2.0f; /* row 1, column 2 of [4,3] */
    assert_ok(lstmae_tensor_copy(copy, wrapped));
    float got[12];
    assert_ok(lstmae_tensor_read(copy, got, sizeof got));
    assert_true(got[2 * 4 + 1] == 2.0f);
    lstmae_tensor_destroy(wrapped);
    wrapped = NULL;
    assert_fails(lstmae_tensor_wrap(&wrapped, context, LSTMAE_F32, data, 11, 2, dims, NULL), ERR_SHAPE);
    assert_fails(lstmae_tensor_wrap(&wrapped, context, LSTMAE_F32, (char *)data + 1, 4, 2, dims, NULL),
                 ERR_INVALID_ARG);
    assert_fails(lstmae_tensor_wrap(&wrapped, context, LSTMAE_F32, NULL, 12, 2, dims, NULL), ERR_INVALID_ARG);
    lstmae_tensor_destroy(copy);
    lstmae_context_destroy(context);
}

static void test_copy(void **state)
{
    (void)state;
    lstmae_context *a = test_context("cpu", LSTMAE_F32), *b = test_context("cpu:ref", LSTMAE_F32);
    lstmae_tensor *from = NULL, *to = NULL, *wide = NULL, *front = NULL, *back = NULL;
    int64_t dims[2] = { 3, 4 }, other[2] = { 4, 3 };
    float values[12], got[12];
    test_fill(values, 12, 1, 1.0f);
    assert_ok(lstmae_tensor_create(&from, a, LSTMAE_F32, 2, dims));
    assert_ok(lstmae_tensor_create(&to, b, LSTMAE_F32, 2, dims));
    assert_ok(lstmae_tensor_create(&wide, a, LSTMAE_F64, 2, dims));
    assert_ok(lstmae_tensor_write(from, values, sizeof values));
    assert_ok(lstmae_tensor_copy(to, from)); /* across contexts */
    assert_ok(lstmae_tensor_read(to, got, sizeof got));
    assert_memory_equal(got, values, sizeof got);
    assert_fails(lstmae_tensor_copy(wide, from), ERR_DTYPE);
    assert_ok(lstmae_tensor_slice(&front, from, 0, 0, 2));
    assert_ok(lstmae_tensor_slice(&back, from, 0, 1, 2));
    assert_fails(lstmae_tensor_copy(front, back), ERR_INVALID_ARG); /* overlap */
    assert_fails(lstmae_tensor_copy(to, front), ERR_SHAPE);
    lstmae_tensor_destroy(wide);
    assert_ok(lstmae_tensor_create(&wide, a, LSTMAE_F32, 2, other));
    assert_fails(lstmae_tensor_copy(wide, from), ERR_SHAPE);
    lstmae_tensor *all[] = { from, to, wide, front, back };
    for (int i = 0; i < 5; i++) lstmae_tensor_destroy(all[i]);
    lstmae_context_destroy(a);
    lstmae_context_destroy(b);
}

static void test_bad_shapes(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_tensor *tensor = NULL;
    int64_t negative[1] = { -1 }, overflow[2] = { INT64_MAX / 2, 3 }, large[2] = { INT64_C(1) << 40, 1 << 20 };
    assert_fails(lstmae_tensor_create(&tensor, context, LSTMAE_F32, 1, negative), ERR_SHAPE);
    assert_fails(lstmae_tensor_create(&tensor, context, LSTMAE_F32, 2, overflow), ERR_SHAPE);
    assert_fails(lstmae_tensor_create(&tensor, context, LSTMAE_F32, 2, large), ERR_SHAPE);
    assert_fails(lstmae_tensor_create(&tensor, context, LSTMAE_F32, 5, negative), ERR_INVALID_ARG);
    assert_fails(lstmae_tensor_create(&tensor, context, (lstmae_dtype)9, 0, NULL), ERR_DTYPE);
    assert_fails(lstmae_tensor_create(&tensor, context, LSTMAE_F32, 2, NULL), ERR_INVALID_ARG);
    assert_null(tensor);
    lstmae_context_destroy(context);
}

static void test_devices(void **state)
{
    (void)state;
    lstmae_context *context = NULL;
    lstmae_device_info info = LSTMAE_DEVICE_INFO_INIT;
    assert_true(lstmae_device_count() >= 2);
    assert_ok(lstmae_device_query(&info, 0));
    assert_string_equal(info.name, "cpu");
    assert_true(info.description[0] != '\0');
    assert_fails(lstmae_device_query(&info, -1), ERR_NOT_FOUND);
    assert_fails(lstmae_context_create(&context, "tpu", NULL), ERR_NOT_FOUND);
    assert_fails(lstmae_context_create(&context, "cuda:x", NULL), ERR_NOT_FOUND);
    assert_fails(lstmae_context_create(&context, "cpu:fast", NULL), ERR_NOT_FOUND);
    assert_null(context);
    assert_ok(lstmae_context_create(&context, "auto", NULL));
    assert_true(lstmae_context_threads(context) >= 1);
    lstmae_context_destroy(context);
}

static void test_memory_limit(void **state)
{
    (void)state;
    lstmae_context *context = NULL;
    lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
    lstmae_memory_info info = LSTMAE_MEMORY_INFO_INIT;
    lstmae_tensor *small = NULL, *large = NULL;
    int64_t fits[1] = { 1000 }, exceeds[1] = { 3000000 };
    options.memory_limit = 8000000;
    options.threads = 1;
    assert_ok(lstmae_context_create(&context, "cpu", &options));
    assert_ok(lstmae_tensor_create(&small, context, LSTMAE_F32, 1, fits));
    assert_int_not_equal(lstmae_tensor_create(&large, context, LSTMAE_F32, 1, exceeds), LSTMAE_OK);
    assert_null(large);
    assert_ok(lstmae_context_memory(context, &info));
    assert_true(info.current >= 4000 && info.current < 8000000 && info.peak <= 8000000 && info.allocations > 0);
    lstmae_tensor_destroy(small);
    assert_ok(lstmae_tensor_create(&small, context, LSTMAE_F32, 1, fits)); /* still usable */
    lstmae_tensor_destroy(small);
    lstmae_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_is_zero),
        cmocka_unit_test(test_scalar_and_empty),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_views_outside_are_refused),
        cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_bad_shapes),
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_memory_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
