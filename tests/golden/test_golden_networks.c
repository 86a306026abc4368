/*
 * Two tutorials' networks whole: fifteen updates by Adam against PyTorch, then an output in inference mode. Weights and
 * images are drawn here as make_networks.py draws them.
 */
#include "golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 15
#define PICKED 48

/* In float64 what is left is the rounding of the golden values. */
#define LIMIT_DOUBLE 1e-6

/*
 * How far a network is trained and compared. ReLU and maxima under batch norm amplify roundings at every kink,
 * step by step: in float32 PyTorch itself leaves its float64 run by 1e-4 in the losses and 1e-2 in the weights. So
 * that network shows its first steps in float32, and all of them in float64.
 */
#define FIRST 4

/* ---- numbers of make_networks.py ---- */

/* In [-1, 1): the finaliser of MurmurHash3 over the element's number and a salt. */
static double hashed(uint32_t element, uint32_t salt)
{
    uint32_t h = element + salt * UINT32_C(0x9E3779B9);
    h = (h ^ (h >> 16)) * UINT32_C(0x85EBCA6B);
    h = (h ^ (h >> 13)) * UINT32_C(0xC2B2AE35);
    h = h ^ (h >> 16);
    return (double)(h >> 8) / 8388608.0 - 1.0;
}

/* Matrices and kernels, and the bias behind each, uniform in +-1/sqrt(inputs); batch norm keeps its ones and zeros. */
static void draw_weights(lstmae_module *network)
{
    double bound = 0;
    for (size_t p = 0; p < lstmae_module_param_count(network); p++) {
        lstmae_tensor *param = lstmae_module_param(network, p);
        const char *name = lstmae_module_param_name(network, p);
        const size_t count = (size_t)lstmae_tensor_numel(param);
        const int is_weight = strcmp(name + strlen(name) - strlen("weight"), "weight") == 0;
        if (is_weight) {
            const double inputs = (double)count / (double)lstmae_tensor_dim(param, 0);
            bound = lstmae_tensor_ndim(param) > 1 ? (double)(float)(1.0 / sqrt(inputs)) : 0.0;
        }
        if (bound == 0.0) continue;
        double *values = malloc(count * sizeof *values);
        assert_non_null(values);
        for (size_t i = 0; i < count; i++)
            values[i] = (double)(float)(hashed((uint32_t)i, (uint32_t)p + 1) * bound);
        values_write(param, values);
        free(values);
    }
}

static void draw_images(lstmae_tensor *x, int step, int positive)
{
    const size_t count = (size_t)lstmae_tensor_numel(x);
    double *values = malloc(count * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++) {
        values[i] = hashed((uint32_t)i, 1000 + (uint32_t)step);
        if (positive) values[i] = (values[i] + 1) / 2;
    }
    values_write(x, values);
    free(values);
}

/* ---- the networks ---- */

typedef struct builder {
    lstmae_context *context;
    lstmae_module *part; /* that layers are appended to */
} builder;

static void append(builder *b, lstmae_status created, lstmae_module *layer)
{
    assert_ok(created);
    assert_ok(lstmae_sequential_append(b->part, layer));
}

static void conv(builder *b, int transposed, int64_t in, int64_t out, int64_t stride)
{
    lstmae_conv_options options = LSTMAE_CONV_OPTIONS_INIT;
    lstmae_module *layer = NULL;
    for (int axis = 0; axis < 2; axis++) {
        options.stride[axis] = stride;
        options.padding[axis] = 1;
        if (transposed) options.output_padding[axis] = stride - 1;
    }
    lstmae_status status = transposed ? lstmae_conv_transpose2d_create(&layer, b->context, in, out, &options)
                                      : lstmae_conv2d_create(&layer, b->context, in, out, &options);
    append(b, status, layer);
}

static void linear(builder *b, int64_t in, int64_t out)
{
    lstmae_module *layer = NULL;
    lstmae_status status = lstmae_linear_create(&layer, b->context, in, out, 0);
    append(b, status, layer);
}

static void activation(builder *b, lstmae_activation kind)
{
    lstmae_module *layer = NULL;
    lstmae_status status = lstmae_activation_create(&layer, b->context, kind);
    append(b, status, layer);
}

static void batch_norm(builder *b, int64_t channels)
{
    lstmae_module *layer = NULL;
    lstmae_status status = lstmae_batch_norm_create(&layer, b->context, channels, NULL);
    append(b, status, layer);
}

static void max_pool(builder *b)
{
    lstmae_module *layer = NULL;
    lstmae_status status = lstmae_max_pool2d_create(&layer, b->context, NULL);
    append(b, status, layer);
}

static lstmae_module *join(builder *b, lstmae_module *encoder)
{
    lstmae_module *decoder = b->part;
    assert_ok(lstmae_sequential_create(&b->part, b->context));
    append(b, LSTMAE_OK, encoder);
    append(b, LSTMAE_OK, decoder);
    return b->part;
}

static lstmae_module *begin(builder *b)
{
    lstmae_module *done = b->part;
    assert_ok(lstmae_sequential_create(&b->part, b->context));
    return done;
}

/* University of Amsterdam, deep learning course, tutorial 9: CIFAR-10, a code of 128. */
static lstmae_module *uva(lstmae_context *context)
{
    static const int64_t down[][3] = { { 3, 32, 2 }, { 32, 32, 1 }, { 32, 64, 2 }, { 64, 64, 1 }, { 64, 64, 2 } };
    const int64_t image[] = { 64, 4, 4 };
    builder b = { context, NULL };
    lstmae_module *layer = NULL;
    begin(&b);
    for (int i = 0; i < 5; i++) {
        conv(&b, 0, down[i][0], down[i][1], down[i][2]);
        activation(&b, LSTMAE_ACTIVATION_GELU);
    }
    lstmae_status status = lstmae_flatten_create(&layer, context, 1, -1);
    append(&b, status, layer);
    linear(&b, 1024, 128);
    lstmae_module *encoder = begin(&b);
    linear(&b, 128, 1024);
    activation(&b, LSTMAE_ACTIVATION_GELU);
    status = lstmae_unflatten_create(&layer, context, 1, 3, image);
    append(&b, status, layer);
    for (int i = 4; i >= 0; i--) {
        conv(&b, down[i][2] == 2, down[i][1], down[i][0], down[i][2]);
        activation(&b, i > 0 ? LSTMAE_ACTIVATION_GELU : LSTMAE_ACTIVATION_TANH);
    }
    return join(&b, encoder);
}

static void block(builder *b, int transposed, int64_t in, int64_t out, int64_t stride)
{
    conv(b, transposed, in, out, stride);
    activation(b, LSTMAE_ACTIVATION_RELU);
}

static void normed(builder *b, int transposed, int64_t in, int64_t out, int64_t stride)
{
    block(b, transposed, in, out, stride);
    batch_norm(b, out);
}

/* MNIST: batch norm after ReLU, and pooling; transposed convolutions back. 16 is the tutorial's width. */
static lstmae_module *mnist(lstmae_context *context, int64_t w)
{
    builder b = { context, NULL };
    begin(&b);
    normed(&b, 0, 1, w, 1);
    normed(&b, 0, w, 2 * w, 1);
    normed(&b, 0, 2 * w, 4 * w, 1);
    max_pool(&b);
    normed(&b, 0, 4 * w, 8 * w, 1);
    max_pool(&b);
    block(&b, 0, 8 * w, 16 * w, 1);
    lstmae_module *encoder = begin(&b);
    normed(&b, 1, 16 * w, 8 * w, 2);
    normed(&b, 1, 8 * w, 4 * w, 1);
    normed(&b, 1, 4 * w, w, 1);
    block(&b, 1, w, 1, 2);
    return join(&b, encoder);
}

/* ---- comparing ---- */

static void compare_picked(golden_file *file, const char *name, const lstmae_tensor *tensor, double limit)
{
    double picked[PICKED], *values = values_read(tensor);
    const size_t count = (size_t)lstmae_tensor_numel(tensor), kept = count < PICKED ? count : PICKED;
    for (size_t i = 0; i < kept; i++) picked[i] = values[i * count / kept];
    golden_compare_values(file, name, picked, kept, limit);
    free(values);
}

static void compare_state(golden_file *file, lstmae_module *network, double limit)
{
    char name[192];
    for (size_t p = 0; p < lstmae_module_param_count(network); p++) {
        snprintf(name, sizeof name, "final.%s", lstmae_module_param_name(network, p));
        compare_picked(file, name, lstmae_module_param(network, p), limit);
    }
    for (size_t i = 0; i < lstmae_module_buffer_count(network); i++) {
        const lstmae_tensor *buffer = lstmae_module_buffer(network, i);
        if (lstmae_tensor_dtype(buffer) == LSTMAE_I64) continue; /* counts batches */
        snprintf(name, sizeof name, "final.%s", lstmae_module_buffer_name(network, i));
        compare_picked(file, name, buffer, limit);
    }
}

/* FIRST steps and their losses, or all, and then the weights and an output too. */
static void network_case(golden_file *file, const char *name, lstmae_module *network, int positive, int steps,
                         double limit)
{
    lstmae_loss_options options = LSTMAE_LOSS_OPTIONS_INIT;
    lstmae_optimizer *optimizer = NULL;
    lstmae_loss *loss = NULL;
    double losses[STEPS];
    golden_select(file, name);
    const int64_t dims[4] = { golden_int(file, "B", 0), golden_int(file, "C", 0), golden_int(file, "H", 0),
                              golden_int(file, "W", 0) };
    lstmae_tensor *x = values_tensor(file->context, 4, dims, NULL);
    const lstmae_tensor *y = NULL, *grad = NULL;
    options.batch_axis = 0;
    options.reduction = positive ? LSTMAE_REDUCTION_MEAN : LSTMAE_REDUCTION_BATCH_MEAN;
    draw_weights(network);
    assert_ok(lstmae_loss_create(&loss, file->context, &options));
    assert_ok(lstmae_optimizer_create(&optimizer, network, NULL));
    for (int step = 0; step < steps; step++) {
        draw_images(x, step, positive);
        assert_ok(lstmae_module_zero_grad(network));
        assert_ok(lstmae_module_forward(network, x, &y));
        assert_ok(lstmae_loss_compute(loss, y, x, NULL, &losses[step], &grad));
        assert_ok(lstmae_module_backward(network, grad, NULL));
        assert_ok(lstmae_optimizer_step(optimizer));
    }
    golden_compare_values(file, steps == STEPS ? "losses" : "first", losses, (size_t)steps, limit);
    if (steps == STEPS) {
        compare_state(file, network, limit);
        assert_ok(lstmae_module_set_training(network, 0));
        draw_images(x, STEPS, positive);
        assert_ok(lstmae_module_forward(network, x, &y));
        compare_picked(file, "output", y, limit);
    }
    lstmae_optimizer_destroy(optimizer);
    lstmae_loss_destroy(loss);
    lstmae_tensor_destroy(x);
    lstmae_module_destroy(network);
}

static void test_networks(void **state)
{
    golden_file file;
    golden_open(&file, "networks", *state);
    network_case(&file, "uva", uva(*state), 0, STEPS, GOLDEN_LIMIT_CURVE);
    network_case(&file, "mnist", mnist(*state, 16), 1, FIRST, GOLDEN_LIMIT_CURVE);
    golden_close(&file);
}

static void test_in_double(void **state)
{
    golden_file file;
    golden_open(&file, "networks", *state);
    network_case(&file, "mnist_narrow", mnist(*state, 2), 1, STEPS, LIMIT_DOUBLE);
    golden_close(&file);
}

static void test_whole_in_double(void **state)
{
    golden_file file;
    golden_open(&file, "networks", *state);
    network_case(&file, "uva", uva(*state), 0, STEPS, LIMIT_DOUBLE);
    network_case(&file, "mnist", mnist(*state, 16), 1, STEPS, LIMIT_DOUBLE);
    golden_close(&file);
}

/* With an argument: the whole networks on the reference kernels, which take their time. */
int main(int argc, char **argv)
{
    const struct CMUnitTest quick[] = {
        { "networks on cpu", test_networks, golden_setup_cpu, golden_teardown, NULL },
        { "a narrow network in float64", test_in_double, golden_setup_ref_f64, golden_teardown, NULL },
    };
    const struct CMUnitTest slow[] = {
        { "networks in float64", test_whole_in_double, golden_setup_ref_f64, golden_teardown, NULL },
    };
    (void)argv;
    return argc > 1 ? cmocka_run_group_tests(slow, NULL, NULL) : cmocka_run_group_tests(quick, NULL, NULL);
}
