/* Convolutions against PyTorch: outputs and every gradient, of arrays in several layouts. */
#include "golden.h"

#include <stdio.h>

typedef lstmae_status (*conv_create_fn)(lstmae_module **out, lstmae_context *context, int64_t in, int64_t out_channels,
                                        const lstmae_conv_options *options);

static void read_pair(const golden_file *file, const char *name, int64_t *pair)
{
    char key[32];
    for (int axis = 0; axis < 2; axis++) {
        snprintf(key, sizeof(key), "%s%d", name, axis);
        pair[axis] = golden_int(file, key, pair[axis]);
    }
}

static lstmae_module *conv_of(golden_file *file)
{
    static const conv_create_fn creates[2][2] = {
        { lstmae_conv1d_create, lstmae_conv2d_create },
        { lstmae_conv_transpose1d_create, lstmae_conv_transpose2d_create },
    };
    const int64_t transposed = golden_int(file, "transposed", 0), axes = golden_int(file, "axes", 2);
    lstmae_conv_options options = LSTMAE_CONV_OPTIONS_INIT;
    lstmae_module *conv = NULL;
    read_pair(file, "kernel", options.kernel);
    read_pair(file, "stride", options.stride);
    read_pair(file, "padding", options.padding);
    read_pair(file, "output_padding", options.output_padding);
    read_pair(file, "dilation", options.dilation);
    options.groups = golden_int(file, "groups", 1);
    if (!golden_int(file, "bias", 1)) options.flags |= LSTMAE_CONV_NO_BIAS;
    assert_ok(creates[transposed][axes - 1](&conv, file->context, golden_int(file, "in", 0),
                                            golden_int(file, "out", 0), &options));
    golden_load_params(file, "param.", conv);
    return conv;
}

/* The same numbers with the last two axes of an image swapped in memory. */
static lstmae_tensor *turned(golden_file *file, const char *name)
{
    lstmae_tensor *plain = golden_tensor(file, name), *storage = NULL, *view = NULL, *swapped = NULL;
    const int last = lstmae_tensor_ndim(plain) - 1;
    int64_t dims[LSTMAE_MAX_DIMS];
    assert_ok(lstmae_tensor_transpose(&swapped, plain, last - 1, last));
    for (int axis = 0; axis <= last; axis++) dims[axis] = lstmae_tensor_dim(swapped, axis);
    storage = values_tensor(file->context, last + 1, dims, NULL);
    assert_ok(lstmae_tensor_copy(storage, swapped));
    assert_ok(lstmae_tensor_transpose(&view, storage, last - 1, last));
    lstmae_tensor_destroy(storage);
    lstmae_tensor_destroy(swapped);
    lstmae_tensor_destroy(plain);
    return view;
}

static lstmae_module *with_map(golden_file *file, lstmae_module *conv)
{
    const int64_t map = golden_int(file, "map", 0);
    lstmae_module *chain = NULL, *activation = NULL;
    if (map == 0) return conv;
    assert_ok(lstmae_sequential_create(&chain, file->context));
    assert_ok(lstmae_activation_create(&activation, file->context, (lstmae_activation)map));
    assert_ok(lstmae_sequential_append(chain, conv));
    assert_ok(lstmae_sequential_append(chain, activation));
    return chain;
}

static void conv_case(golden_file *file, int plain)
{
    lstmae_module *conv = conv_of(file), *module = with_map(file, conv);
    lstmae_tensor *x = plain ? golden_tensor(file, "x") : turned(file, "x");
    lstmae_tensor *dy = plain ? golden_tensor(file, "dy") : turned(file, "dy");
    const lstmae_tensor *y = NULL, *dx = NULL;
    assert_ok(lstmae_module_forward(module, x, &y));
    golden_compare(file, "y", y);
    assert_ok(lstmae_module_backward(module, dy, &dx));
    golden_compare(file, "dx", dx);
    golden_compare_grads(file, conv);
    assert_ok(lstmae_module_set_training(module, 0));
    assert_ok(lstmae_module_forward(module, x, &y));
    golden_compare(file, "y", y);
    lstmae_tensor_destroy(x);
    lstmae_tensor_destroy(dy);
    lstmae_module_destroy(module);
}

static void test_conv(void **state)
{
    golden_file file;
    golden_open(&file, "conv", *state);
    while (golden_next(&file)) {
        conv_case(&file, 1);
        conv_case(&file, 0);
    }
    golden_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = { GOLDEN_TESTS(test_conv) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
