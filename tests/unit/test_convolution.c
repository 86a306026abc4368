/* Convolution modules in chains: fusion with activations, layouts between layers, initialisation, shapes, summaries. */
#include "support.h"

#include "module_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static lstmae_module *conv(lstmae_context *context, int transposed, int64_t in, int64_t out, int64_t stride)
{
    lstmae_conv_options options = LSTMAE_CONV_OPTIONS_INIT;
    lstmae_module *module = NULL;
    options.stride[0] = options.stride[1] = stride;
    options.padding[0] = options.padding[1] = 1;
    if (transposed) options.output_padding[0] = options.output_padding[1] = stride - 1;
    if (transposed) assert_ok(lstmae_conv_transpose2d_create(&module, context, in, out, &options));
    else assert_ok(lstmae_conv2d_create(&module, context, in, out, &options));
    return module;
}

static lstmae_module *activation(lstmae_context *context, lstmae_activation kind)
{
    lstmae_module *module = NULL;
    assert_ok(lstmae_activation_create(&module, context, kind));
    return module;
}

static lstmae_module *chain_of(lstmae_context *context, size_t count, lstmae_module *const *children)
{
    lstmae_module *chain = NULL;
    assert_ok(lstmae_sequential_create(&chain, context));
    for (size_t i = 0; i < count; i++) assert_ok(lstmae_sequential_append(chain, children[i]));
    return chain;
}

static lstmae_module *tower(lstmae_context *context, lstmae_activation kind)
{
    lstmae_module *layers[] = { conv(context, 0, 3, 16, 2), activation(context, kind), conv(context, 0, 16, 20, 1),
                                activation(context, kind), conv(context, 1, 20, 3, 2), activation(context, kind) };
    return chain_of(context, 6, layers);
}

static lstmae_tensor *image(lstmae_context *context, int64_t B, int64_t C, int64_t H, int64_t W)
{
    const int64_t dims[4] = { B, C, H, W };
    lstmae_tensor *tensor = NULL;
    assert_ok(lstmae_tensor_create(&tensor, context, LSTMAE_F32, 4, dims));
    test_fill(lstmae_tensor_data(tensor), (size_t)lstmae_tensor_numel(tensor), 7, 1.0f);
    return tensor;
}

static float *content(const lstmae_tensor *tensor)
{
    const size_t bytes = (size_t)lstmae_tensor_numel(tensor) * sizeof(float);
    float *values = malloc(bytes);
    assert_non_null(values);
    assert_ok(lstmae_tensor_read(tensor, values, bytes));
    return values;
}

static void same_bits(const lstmae_tensor *a, const lstmae_tensor *b, const char *what)
{
    float *left = content(a), *right = content(b);
    assert_int_equal(lstmae_tensor_numel(a), lstmae_tensor_numel(b));
    if (memcmp(left, right, (size_t)lstmae_tensor_numel(a) * sizeof(float)) != 0) fail_msg("%s differs", what);
    free(left);
    free(right);
}

/* The same layers, as a chain that fuses and one after the other. */
static void check_fused(const char *device, lstmae_activation kind)
{
    lstmae_context *contexts[2] = { test_context(device, LSTMAE_F32), test_context(device, LSTMAE_F32) };
    lstmae_module *chain = tower(contexts[0], kind), *single[6];
    const lstmae_tensor *fused = NULL, *plain = NULL, *dx = NULL, *dsingle = NULL;
    lstmae_tensor *x[2] = { image(contexts[0], 3, 3, 10, 9), image(contexts[1], 3, 3, 10, 9) };
    for (int i = 0; i < 6; i++)
        single[i] = i % 2 ? activation(contexts[1], kind)
                          : conv(contexts[1], i == 4, i == 0 ? 3 : i == 2 ? 16 : 20, i == 0 ? 16 : i == 2 ? 20 : 3,
                                 i == 2 ? 1 : 2);
    for (int training = 1; training >= 0; training--) {
        assert_ok(lstmae_module_set_training(chain, training));
        assert_ok(lstmae_module_forward(chain, x[0], &fused));
        plain = x[1];
        for (int i = 0; i < 6; i++) {
            assert_ok(lstmae_module_set_training(single[i], training));
            assert_ok(lstmae_module_forward(single[i], plain, &plain));
        }
        same_bits(fused, plain, "the output");
        if (!training) continue;
        assert_ok(lstmae_module_backward(chain, fused, &dx));
        dsingle = plain;
        for (int i = 5; i >= 0; i--) assert_ok(lstmae_module_backward(single[i], dsingle, &dsingle));
        same_bits(dx, dsingle, "the gradient of the input");
        for (size_t p = 0; p < 6; p++)
            same_bits(lstmae_module_param_grad(chain, p), lstmae_module_param_grad(single[p / 2 * 2], p % 2),
                      "the gradient of a parameter");
        assert_fails(lstmae_module_backward(chain, fused, NULL), ERR_STATE);
    }
    assert_fails(lstmae_module_backward(chain, fused, NULL), ERR_STATE);
    for (int i = 0; i < 6; i++) lstmae_module_destroy(single[i]);
    lstmae_module_destroy(chain);
    for (int i = 0; i < 2; i++) {
        lstmae_tensor_destroy(x[i]);
        lstmae_context_destroy(contexts[i]);
    }
}

static void test_fused_is_what_it_was(void **state)
{
    (void)state;
    for (int kind = LSTMAE_ACTIVATION_IDENTITY; kind <= LSTMAE_ACTIVATION_SOFTPLUS; kind++) {
        check_fused("cpu", (lstmae_activation)kind);
        check_fused("cpu:ref", (lstmae_activation)kind);
    }
}

/* The convolution's own output exists only where the activation's derivative is made of it. */
static void test_fused_keeps_no_second_output(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_memory_info before = LSTMAE_MEMORY_INFO_INIT, after = LSTMAE_MEMORY_INFO_INIT;
    lstmae_module *layers[] = { conv(context, 0, 1, 64, 1), activation(context, LSTMAE_ACTIVATION_RELU) };
    lstmae_module *chain = chain_of(context, 2, layers);
    lstmae_tensor *x = image(context, 4, 1, 64, 64);
    const size_t output = (size_t)4 * 64 * 64 * 64 * sizeof(float);
    assert_ok(lstmae_context_memory(context, &before));
    assert_ok(lstmae_module_forward(chain, x, NULL));
    assert_ok(lstmae_context_memory(context, &after));
    assert_true(after.current - before.current >= output);
    assert_true(after.current - before.current < 2 * output);
    lstmae_module_destroy(chain);
    lstmae_tensor_destroy(x);
    lstmae_context_destroy(context);
}

/* Channels lie innermost between layers on "cpu", rows on "cpu:ref"; sizes are always [B,C,H,W]. */
static void test_images_between_layers(void **state)
{
    (void)state;
    for (int ref = 0; ref < 2; ref++) {
        lstmae_context *context = test_context(ref ? "cpu:ref" : "cpu", LSTMAE_F32);
        lstmae_module *module = conv(context, 0, 3, 16, 1), *relu = activation(context, LSTMAE_ACTIVATION_RELU);
        lstmae_tensor *x = image(context, 2, 3, 5, 7);
        const lstmae_tensor *y = NULL, *z = NULL, *dx = NULL;
        assert_ok(lstmae_module_forward(module, x, &y));
        assert_ok(lstmae_module_forward(relu, y, &z));
        assert_ok(lstmae_module_backward(module, y, &dx));
        const lstmae_tensor *images[] = { y, z };
        for (int i = 0; i < 2; i++) {
            assert_int_equal(lstmae_tensor_dim(images[i], 1), 16);
            assert_int_equal(lstmae_tensor_stride(images[i], 1), ref ? 35 : 1);
            assert_int_equal(lstmae_tensor_stride(images[i], 3), ref ? 1 : 16);
        }
        assert_int_equal(lstmae_tensor_stride(dx, 1), ref ? 35 : 1);
        lstmae_module_destroy(module);
        lstmae_module_destroy(relu);
        lstmae_tensor_destroy(x);
        lstmae_context_destroy(context);
    }
}

static void check_uniform(lstmae_module *module, size_t index, double bound)
{
    const lstmae_tensor *param = lstmae_module_param(module, index);
    float *values = content(param);
    const int64_t count = lstmae_tensor_numel(param);
    double largest = 0, sum = 0;
    for (int64_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs((double)values[i]));
        sum += (double)values[i] * (double)values[i];
    }
    assert_true(largest <= bound);
    if (count >= 1000) {
        assert_true(largest > 0.99 * bound);
        assert_true(fabs(sum / (double)count / (bound * bound / 3) - 1) < 0.1); /* variance; deviation below 0.03 */
    }
    free(values);
}

/* 1/sqrt of the inputs that PyTorch counts: the weight's second axis times the kernel, in both directions. */
static void test_initialisation(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_conv_options options = LSTMAE_CONV_OPTIONS_INIT;
    lstmae_module *module = NULL;
    options.kernel[1] = 5;
    options.groups = 2;
    assert_ok(lstmae_conv2d_create(&module, context, 16, 32, &options));
    check_uniform(module, 0, 1 / sqrt(8 * 15.0));
    check_uniform(module, 1, 1 / sqrt(8 * 15.0));
    assert_string_equal(lstmae_module_param_name(module, 0), "weight");
    assert_string_equal(lstmae_module_param_name(module, 1), "bias");
    lstmae_module_destroy(module);
    assert_ok(lstmae_conv_transpose2d_create(&module, context, 16, 32, &options));
    check_uniform(module, 0, 1 / sqrt(16 * 15.0));
    check_uniform(module, 1, 1 / sqrt(16 * 15.0));
    assert_int_equal(lstmae_tensor_dim(lstmae_module_param(module, 0), 0), 16);
    assert_int_equal(lstmae_tensor_dim(lstmae_module_param(module, 0), 1), 16);
    lstmae_module_destroy(module);
    options.kernel[1] = 0; /* not looked at */
    options.flags = LSTMAE_CONV_NO_BIAS;
    assert_ok(lstmae_conv_transpose1d_create(&module, context, 16, 64, &options));
    check_uniform(module, 0, 1 / sqrt(32 * 3.0));
    assert_int_equal(lstmae_module_param_count(module), 1);
    assert_int_equal(lstmae_tensor_ndim(lstmae_module_param(module, 0)), 3);
    lstmae_module_destroy(module);
    lstmae_context_destroy(context);
}

/* What was prepared of a weight is made anew when it changes, whoever changes it. */
static void test_weights_may_change(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_module *module = conv(context, 0, 3, 16, 1);
    lstmae_tensor *x = image(context, 1, 3, 6, 6);
    const lstmae_tensor *y = NULL;
    for (int turn = 0; turn < 2; turn++) {
        assert_ok(lstmae_module_forward(module, x, &y));
        float *values = content(y);
        for (int i = 0; i < 16 * 36; i++) assert_true((values[i] != 0.0f) == (turn == 0));
        free(values);
        assert_ok(lstmae_tensor_fill(lstmae_module_param(module, 0), 0.0));
        assert_ok(lstmae_tensor_fill(lstmae_module_param(module, 1), 0.0));
    }
    lstmae_module_destroy(module);
    lstmae_tensor_destroy(x);
    lstmae_context_destroy(context);
}

/* One module, images of one size after the other, none of them with leftovers of another. */
static void test_sizes_may_change(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = { { 2, 8, 8 }, { 1, 5, 11 }, { 0, 8, 8 }, { 3, 9, 4 }, { 2, 8, 8 } };
    lstmae_context *context = test_context("cpu", LSTMAE_F32), *ref = test_context("cpu:ref", LSTMAE_F32);
    lstmae_module *fast = tower(context, LSTMAE_ACTIVATION_TANH), *slow = tower(ref, LSTMAE_ACTIVATION_TANH);
    for (size_t p = 0; p < lstmae_module_param_count(fast); p++)
        assert_ok(lstmae_tensor_copy(lstmae_module_param(fast, p), lstmae_module_param(slow, p)));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        lstmae_tensor *x = image(context, sizes[i][0], 3, sizes[i][1], sizes[i][2]);
        lstmae_tensor *x_ref = image(ref, sizes[i][0], 3, sizes[i][1], sizes[i][2]);
        const lstmae_tensor *y = NULL, *want = NULL, *dx = NULL, *dwant = NULL;
        assert_ok(lstmae_module_forward(fast, x, &y));
        assert_ok(lstmae_module_forward(slow, x_ref, &want));
        assert_ok(lstmae_module_backward(fast, y, &dx));
        assert_ok(lstmae_module_backward(slow, want, &dwant));
        float *got_y = content(y), *want_y = content(want), *got_dx = content(dx), *want_dx = content(dwant);
        assert_close("output", got_y, want_y, (size_t)lstmae_tensor_numel(y), 1e-5, 1e-5);
        assert_close("gradient", got_dx, want_dx, (size_t)lstmae_tensor_numel(dx), 1e-5, 1e-5);
        free(got_y);
        free(want_y);
        free(got_dx);
        free(want_dx);
        lstmae_tensor_destroy(x);
        lstmae_tensor_destroy(x_ref);
    }
    lstmae_module_destroy(fast);
    lstmae_module_destroy(slow);
    lstmae_context_destroy(context);
    lstmae_context_destroy(ref);
}

static void test_output_shapes(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_module *lstm = NULL, *linear = NULL, *chain = tower(context, LSTMAE_ACTIVATION_RELU);
    const int64_t x[4] = { 256, 3, 32, 32 }, sequence[3] = { 7, 2, 5 };
    int64_t y[LSTMAE_MAX_DIMS];
    int ndim = 0;
    assert_ok(lstmae_module_output_shape(chain, 4, x, &ndim, y));
    assert_int_equal(ndim, 4);
    for (int i = 0; i < 4; i++) assert_int_equal(y[i], x[i]);
    options.flags = LSTMAE_LSTM_BIDIRECTIONAL;
    assert_ok(lstmae_lstm_create(&lstm, context, 5, 6, &options));
    assert_ok(lstmae_module_output_shape(lstm, 3, sequence, &ndim, y));
    assert_int_equal(ndim, 3);
    assert_int_equal(y[2], 12);
    assert_ok(lstmae_linear_create(&linear, context, 5, 4, 0));
    assert_ok(lstmae_module_output_shape(linear, 3, sequence, &ndim, y));
    assert_int_equal(y[0], 7);
    assert_int_equal(y[2], 4);
    lstmae_module_destroy(lstm);
    lstmae_module_destroy(linear);
    lstmae_module_destroy(chain);
    lstmae_context_destroy(context);
}

static void test_summary(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_module *linear = NULL;
    assert_ok(lstmae_linear_create(&linear, context, 16, 8, LSTMAE_LINEAR_NO_BIAS));
    lstmae_module *inner[] = { conv(context, 1, 32, 3, 2), activation(context, LSTMAE_ACTIVATION_TANH) };
    lstmae_module *outer[] = { conv(context, 0, 3, 32, 2), activation(context, LSTMAE_ACTIVATION_RELU),
                               chain_of(context, 2, inner), linear };
    lstmae_module *chain = chain_of(context, 4, outer);
    const int64_t dims[4] = { 128, 3, 16, 16 };
    char text[1024], cut[20];
    size_t length = 0, again = 0;
    assert_ok(lstmae_module_summary(chain, 4, dims, text, sizeof text, &length));
    assert_string_equal(text, "    layer                                    output         parameters\n"
                              "0   conv2d 3 to 32, 3x3, stride 2            [128,32,8,8]          896\n"
                              "1   relu                                     [128,32,8,8]            0\n"
                              "2.0 conv_transpose2d 32 to 3, 3x3, stride 2  [128,3,16,16]         867\n"
                              "2.1 tanh                                     [128,3,16,16]           0\n"
                              "3   linear 16 to 8                           [128,3,16,8]          128\n"
                              "    all                                                           1891\n"
                              "parameters 7.4 KiB, outputs 2.9 MiB; their gradients in training as much again\n");
    assert_int_equal(length, strlen(text));
    assert_ok(lstmae_module_summary(chain, 4, dims, cut, sizeof cut, &again));
    assert_int_equal(again, length);
    assert_int_equal(strlen(cut), sizeof cut - 1);
    assert_memory_equal(cut, text, sizeof cut - 1);
    assert_ok(lstmae_module_summary(chain, 4, dims, NULL, 0, NULL));
    lstmae_module_destroy(chain);
    lstmae_context_destroy(context);
}

/* Parts that have names; the heads of a variational autoencoder are one. */
static void test_summary_of_a_variational_autoencoder(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_latent_options latent = LSTMAE_LATENT_OPTIONS_INIT;
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    lstmae_module *encoder = NULL, *decoder = NULL;
    lstmae_autoencoder *object = NULL;
    const int64_t dims[2] = { 128, 784 };
    char text[1024];
    assert_ok(lstmae_linear_create(&encoder, context, 784, 512, 0));
    assert_ok(lstmae_linear_create(&decoder, context, 20, 784, 0));
    latent.features = 512;
    latent.size = 20;
    options.latent = &latent;
    assert_ok(lstmae_autoencoder_create(&object, encoder, decoder, &options));
    assert_ok(lstmae_module_summary(lstmae_autoencoder_module(object), 2, dims, text, sizeof text, NULL));
    assert_string_equal(text, "        layer              output     parameters\n"
                              "encoder linear 784 to 512  [128,512]      401920\n"
                              "latent  latent 512 to 20   [128,20]        20520\n"
                              "decoder linear 20 to 784   [128,784]       16464\n"
                              "        all                               438904\n"
                              "parameters 1.7 MiB, outputs 658.0 KiB; their gradients in training as much again\n");
    lstmae_autoencoder_destroy(object);
    lstmae_context_destroy(context);
}

/* A layer that does not fit is named as its parameters are, whichever call meets it. */
static void test_errors_name_the_layer(void **state)
{
    (void)state;
    static const char wants[] = "encoder.1.2: conv2d: input is [2,8,6,6], layer wants 9 channels";
    const int64_t dims[4] = { 2, 3, 6, 6 };
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_module *wrong[] = { conv(context, 0, 4, 8, 1), activation(context, LSTMAE_ACTIVATION_TANH),
                               conv(context, 0, 9, 3, 1) };
    lstmae_module *outer[] = { conv(context, 0, 3, 4, 1), chain_of(context, 3, wrong) };
    lstmae_module *encoder = chain_of(context, 2, outer), *decoder = conv(context, 0, 3, 3, 1);
    lstmae_autoencoder *object = NULL;
    lstmae_tensor *x = NULL;
    const lstmae_tensor *y = NULL;
    int64_t sizes[LSTMAE_MAX_DIMS];
    int ndim = 0;
    assert_ok(lstmae_autoencoder_create(&object, encoder, decoder, NULL));
    lstmae_module *module = lstmae_autoencoder_module(object);
    assert_ok(lstmae_tensor_create(&x, context, LSTMAE_F32, 4, dims));
    assert_fails(lstmae_module_forward(module, x, &y), ERR_SHAPE);
    assert_string_equal(lstmae_last_error(), wants);
    assert_fails(lstmae_autoencoder_encode(object, x, &y), ERR_SHAPE);
    assert_string_equal(lstmae_last_error(), wants);
    assert_fails(lstmae_module_output_shape(module, 4, dims, &ndim, sizes), ERR_SHAPE);
    assert_string_equal(lstmae_last_error(), wants);
    assert_fails(lstmae_module_summary(module, 4, dims, NULL, 0, NULL), ERR_SHAPE);
    assert_string_equal(lstmae_last_error(), wants);
    assert_fails(lstmae_module_forward(decoder, NULL, &y), ERR_INVALID_ARG); /* the next error is by itself */
    assert_null(strstr(lstmae_last_error(), "encoder"));
    lstmae_tensor_destroy(x);
    lstmae_autoencoder_destroy(object);
    lstmae_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fused_is_what_it_was),
        cmocka_unit_test(test_fused_keeps_no_second_output),
        cmocka_unit_test(test_images_between_layers),
        cmocka_unit_test(test_initialisation),
        cmocka_unit_test(test_weights_may_change),
        cmocka_unit_test(test_sizes_may_change),
        cmocka_unit_test(test_output_shapes),
        cmocka_unit_test(test_summary),
        cmocka_unit_test(test_summary_of_a_variational_autoencoder),
        cmocka_unit_test(test_errors_name_the_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
