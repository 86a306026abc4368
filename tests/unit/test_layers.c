/* What shapes, modes and settings do to normalisation, pooling, upsampling, reshaping and dropout; numbers are compared
 * with PyTorch in tests/golden. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static lstmae_tensor *tensor(lstmae_context *context, int ndim, int64_t a, int64_t b, int64_t c, int64_t d)
{
    const int64_t dims[4] = { a, b, c, d };
    lstmae_tensor *out = NULL;
    assert_ok(lstmae_tensor_create(&out, context, LSTMAE_F32, ndim, dims));
    const size_t count = (size_t)lstmae_tensor_numel(out);
    float *values = malloc((count + 1) * sizeof(float));
    assert_non_null(values);
    test_fill(values, count, 1, 1.0f);
    assert_ok(lstmae_tensor_write(out, values, count * sizeof(float)));
    free(values);
    return out;
}

/* The module refuses the tensor, which it takes, in these words. */
static void refuses(lstmae_module *module, lstmae_tensor *x, const char *words)
{
    assert_fails(lstmae_module_forward(module, x, NULL), ERR_SHAPE);
    if (strcmp(lstmae_last_error(), words) != 0) fail_msg("got \"%s\", want \"%s\"", lstmae_last_error(), words);
    lstmae_tensor_destroy(x);
}

static void test_words(void **state)
{
    lstmae_context *c = *state;
    const int64_t dims[2] = { 3, 4 }, sizes[2] = { 2, 3 };
    lstmae_module *module = NULL;
    lstmae_pool_options pool = LSTMAE_POOL_OPTIONS_INIT;
    assert_ok(lstmae_batch_norm_create(&module, c, 16, NULL));
    refuses(module, tensor(c, 4, 2, 3, 5, 5), "batch_norm: input is [2,3,5,5], layer wants 16 channels");
    refuses(module, tensor(c, 1, 16, 0, 0, 0), "batch_norm: input is [16], layer wants [B,16], [B,16,L] or [B,16,H,W]");
    refuses(module, tensor(c, 2, 1, 16, 0, 0),
            "batch_norm: input is [1,16], layer wants 2 values of each channel for its statistics");
    refuses(module, tensor(c, 4, 0, 16, 3, 3),
            "batch_norm: input is [0,16,3,3], layer wants 2 values of each channel for its statistics");
    lstmae_module_destroy(module);
    assert_ok(lstmae_layer_norm_create(&module, c, 2, dims, NULL));
    refuses(module, tensor(c, 3, 2, 4, 3, 0), "layer_norm: input is [2,4,3], layer wants last axes [3,4]");
    lstmae_module_destroy(module);
    pool.kernel[0] = 6;
    assert_ok(lstmae_max_pool2d_create(&module, c, &pool));
    refuses(module, tensor(c, 4, 2, 3, 5, 5), "max_pool2d: input is [2,3,5,5], axis 2 is too short for the window");
    refuses(module, tensor(c, 3, 2, 3, 5, 0), "max_pool2d: input is [2,3,5], layer wants [B,C,H,W]");
    lstmae_module_destroy(module);
    assert_ok(lstmae_upsample1d_create(&module, c, NULL));
    refuses(module, tensor(c, 2, 2, 3, 0, 0), "upsample1d: input is [2,3], layer wants [B,C,L]");
    lstmae_module_destroy(module);
    assert_ok(lstmae_unflatten_create(&module, c, 1, 2, sizes));
    refuses(module, tensor(c, 2, 2, 5, 0, 0), "unflatten: input is [2,5], layer wants axis 1 to be [2,3] in a row");
    refuses(module, tensor(c, 4, 2, 6, 1, 1), "unflatten: input is [2,6,1,1], with axis 1 as [2,3] it would have more "
                                              "than 4 axes");
    lstmae_module_destroy(module);
}

/* One value of each channel is enough where there are running statistics, and nothing at all. */
static void test_inference_of_little(void **state)
{
    lstmae_context *c = *state;
    lstmae_module *module = NULL;
    const lstmae_tensor *y = NULL;
    lstmae_tensor *one = tensor(c, 2, 1, 3, 0, 0), *none = tensor(c, 4, 0, 3, 2, 2);
    assert_ok(lstmae_batch_norm_create(&module, c, 3, NULL));
    assert_ok(lstmae_module_set_training(module, 0));
    assert_ok(lstmae_module_forward(module, one, &y));
    assert_ok(lstmae_module_forward(module, none, &y));
    assert_int_equal(lstmae_tensor_numel(y), 0);
    lstmae_module_destroy(module);
    lstmae_tensor_destroy(one);
    lstmae_tensor_destroy(none);
}

/* Batches without samples pass through everything that has no statistics of them. */
static void test_empty(void **state)
{
    lstmae_context *c = *state;
    const int64_t dims[1] = { 4 };
    lstmae_module *modules[7] = { NULL };
    lstmae_tensor *x = tensor(c, 4, 0, 3, 4, 4);
    assert_ok(lstmae_layer_norm_create(&modules[0], c, 1, dims, NULL));
    assert_ok(lstmae_max_pool2d_create(&modules[1], c, NULL));
    assert_ok(lstmae_avg_pool2d_create(&modules[2], c, NULL));
    assert_ok(lstmae_upsample2d_create(&modules[3], c, NULL));
    assert_ok(lstmae_flatten_create(&modules[4], c, 1, -1));
    assert_ok(lstmae_dropout_create(&modules[5], c, 0.5));
    assert_ok(lstmae_activation_create(&modules[6], c, LSTMAE_ACTIVATION_GELU));
    for (int i = 0; i < 7; i++) {
        const lstmae_tensor *y = NULL, *dx = NULL;
        assert_ok(lstmae_module_forward(modules[i], x, &y));
        assert_int_equal(lstmae_tensor_dim(y, 0), 0);
        assert_ok(lstmae_module_backward(modules[i], y, &dx));
        assert_int_equal(lstmae_tensor_ndim(dx), 4);
        lstmae_module_destroy(modules[i]);
    }
    lstmae_tensor_destroy(x);
}

/* A row-major array is seen in its new shape where it is; one with other strides is put in order. */
static void test_flatten(void **state)
{
    lstmae_context *c = *state;
    lstmae_module *flatten = NULL;
    const lstmae_tensor *y = NULL;
    lstmae_tensor *x = tensor(c, 4, 2, 3, 4, 5), *turned = NULL;
    float want[120], got[120];
    assert_ok(lstmae_flatten_create(&flatten, c, 1, -1));
    assert_ok(lstmae_module_forward(flatten, x, &y));
    assert_int_equal(lstmae_tensor_ndim(y), 2);
    assert_int_equal(lstmae_tensor_dim(y, 1), 60);
    assert_ptr_equal(lstmae_tensor_data((lstmae_tensor *)(uintptr_t)y), lstmae_tensor_data(x));
    assert_ok(lstmae_tensor_transpose(&turned, x, 1, 3));
    assert_ok(lstmae_tensor_read(turned, want, sizeof(want)));
    assert_ok(lstmae_module_forward(flatten, turned, &y));
    assert_ok(lstmae_tensor_read(y, got, sizeof(got)));
    assert_memory_equal(got, want, sizeof(got));
    lstmae_tensor_destroy(x); /* the output holds what it shows */
    lstmae_tensor_destroy(turned);
    assert_ok(lstmae_tensor_read(y, got, sizeof(got)));
    lstmae_module_destroy(flatten);
}

/* Kept elements are 1 / (1 - p), also in the gradient; each forward draws anew; inference passes all. */
static void test_dropout(void **state)
{
    lstmae_context *c = *state;
    enum { COUNT = 4000 };
    static float first[COUNT], second[COUNT], gradient[COUNT];
    lstmae_module *module = NULL;
    const lstmae_tensor *y = NULL, *dx = NULL;
    lstmae_tensor *x = tensor(c, 2, 40, COUNT / 40, 0, 0);
    int kept = 0, changed = 0;
    assert_ok(lstmae_tensor_fill(x, 1.0));
    assert_ok(lstmae_dropout_create(&module, c, 0.25));
    assert_ok(lstmae_module_forward(module, x, &y));
    assert_ok(lstmae_tensor_read(y, first, sizeof(first)));
    assert_ok(lstmae_module_backward(module, x, &dx));
    assert_ok(lstmae_tensor_read(dx, gradient, sizeof(gradient)));
    assert_memory_equal(first, gradient, sizeof(first));
    assert_ok(lstmae_module_forward(module, x, &y));
    assert_ok(lstmae_tensor_read(y, second, sizeof(second)));
    for (int i = 0; i < COUNT; i++) {
        assert_true(first[i] == 0.0f || first[i] == (float)(1.0 / 0.75));
        kept += first[i] != 0.0f;
        changed += first[i] != second[i];
    }
    assert_true(kept > 2880 && kept < 3120); /* 3000 expected, deviation 27 */
    assert_true(changed > 1350 && changed < 1650); /* 1500 expected, deviation 31 */
    assert_ok(lstmae_module_set_training(module, 0));
    assert_ok(lstmae_module_forward(module, x, &y));
    assert_ok(lstmae_tensor_read(y, second, sizeof(second)));
    for (int i = 0; i < COUNT; i++) assert_true(second[i] == 1.0f);
    lstmae_module_destroy(module);
    lstmae_tensor_destroy(x);
}

/* The summary names kinds with their settings. */
static void test_summary(void **state)
{
    lstmae_context *c = *state;
    static const char *const words[] = { "batch_norm 8",      "leaky_relu, slope 0.01", "max_pool2d 2x2, stride 2",
                                         "dropout 0.5",       "upsample2d nearest by 2, by 2", "layer_norm [6,6]",
                                         "avg_pool2d 3x3, stride 1", "flatten",           "unflatten [8,16]" };
    const int64_t plane[2] = { 6, 6 }, sizes[2] = { 8, 16 }, dims[4] = { 2, 8, 7, 6 };
    lstmae_pool_options pool = LSTMAE_POOL_OPTIONS_INIT;
    lstmae_module *chain = NULL, *layers[9] = { NULL };
    char text[4096];
    pool.kernel[0] = pool.kernel[1] = 3;
    pool.stride[0] = pool.stride[1] = 1;
    assert_ok(lstmae_batch_norm_create(&layers[0], c, 8, NULL));
    assert_ok(lstmae_activation_create(&layers[1], c, LSTMAE_ACTIVATION_LEAKY_RELU));
    assert_ok(lstmae_max_pool2d_create(&layers[2], c, NULL));
    assert_ok(lstmae_dropout_create(&layers[3], c, 0.5));
    assert_ok(lstmae_upsample2d_create(&layers[4], c, NULL));
    assert_ok(lstmae_layer_norm_create(&layers[5], c, 2, plane, NULL));
    assert_ok(lstmae_avg_pool2d_create(&layers[6], c, &pool));
    assert_ok(lstmae_flatten_create(&layers[7], c, 1, -1));
    assert_ok(lstmae_unflatten_create(&layers[8], c, 1, 2, sizes));
    assert_ok(lstmae_sequential_create(&chain, c));
    for (int i = 0; i < 9; i++) assert_ok(lstmae_sequential_append(chain, layers[i]));
    assert_ok(lstmae_module_summary(chain, 4, dims, text, sizeof(text), NULL));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (!strstr(text, words[i])) fail_msg("no \"%s\" in\n%s", words[i], text);
    lstmae_module_destroy(chain);
}

static int setup(void **state)
{
    *state = test_context("cpu", LSTMAE_F32);
    return 0;
}

static int teardown(void **state)
{
    lstmae_context_destroy(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),   cmocka_unit_test(test_inference_of_little), cmocka_unit_test(test_empty),
        cmocka_unit_test(test_flatten), cmocka_unit_test(test_dropout),             cmocka_unit_test(test_summary),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
