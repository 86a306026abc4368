/* Activations, normalisation, pooling, upsampling and reshaping against PyTorch, of arrays in two layouts. */
#include "golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ACTIVATION, BATCH_NORM, LAYER_NORM, MAX_POOL, AVG_POOL, UPSAMPLE, FLATTEN, UNFLATTEN };

/* Statistics of batches are sums in double, rounded once, and two roundings more when they are mixed in. */
#define LAYERS_STATISTICS_LIMIT 1e-6

typedef lstmae_status (*pool_create_fn)(lstmae_module **out, lstmae_context *context,
                                        const lstmae_pool_options *options);

static void read_sizes(const golden_file *file, const char *name, int64_t *sizes, int count)
{
    char key[32];
    for (int axis = 0; axis < count; axis++) {
        snprintf(key, sizeof(key), "%s%d", name, axis);
        sizes[axis] = golden_int(file, key, sizes[axis]);
    }
}

static lstmae_module *activation_of(golden_file *file)
{
    lstmae_module *module = NULL;
    const lstmae_activation which = (lstmae_activation)golden_int(file, "which", 0);
    const double param = golden_number(file, "param", 0);
    if (param != 0) assert_ok(lstmae_activation_create_param(&module, file->context, which, param));
    else assert_ok(lstmae_activation_create(&module, file->context, which));
    return module;
}

static lstmae_module *batch_norm_of(golden_file *file)
{
    lstmae_batch_norm_options options = LSTMAE_BATCH_NORM_OPTIONS_INIT;
    lstmae_module *module = NULL;
    golden_array x = golden_get(file, "x");
    options.eps = golden_number(file, "eps", 0);
    options.momentum = golden_number(file, "momentum", 0);
    if (!golden_int(file, "affine", 1)) options.flags |= LSTMAE_BATCH_NORM_NO_AFFINE;
    if (!golden_int(file, "running", 1)) options.flags |= LSTMAE_BATCH_NORM_NO_RUNNING;
    if (golden_int(file, "cumulative", 0)) options.flags |= LSTMAE_BATCH_NORM_CUMULATIVE;
    assert_ok(lstmae_batch_norm_create(&module, file->context, x.dim[1], &options));
    return module;
}

static lstmae_module *layer_norm_of(golden_file *file)
{
    lstmae_layer_norm_options options = LSTMAE_LAYER_NORM_OPTIONS_INIT;
    lstmae_module *module = NULL;
    golden_array x = golden_get(file, "x");
    const int axes = (int)golden_int(file, "axes", 1);
    options.eps = golden_number(file, "eps", 0);
    if (!golden_int(file, "affine", 1)) options.flags |= LSTMAE_LAYER_NORM_NO_AFFINE;
    if (!golden_int(file, "bias", 1)) options.flags |= LSTMAE_LAYER_NORM_NO_BIAS;
    assert_ok(lstmae_layer_norm_create(&module, file->context, axes, x.dim + x.ndim - axes, &options));
    return module;
}

static lstmae_module *pool_of(golden_file *file, int kind)
{
    static const pool_create_fn creates[2][2] = { { lstmae_max_pool1d_create, lstmae_max_pool2d_create },
                                                  { lstmae_avg_pool1d_create, lstmae_avg_pool2d_create } };
    lstmae_pool_options options = LSTMAE_POOL_OPTIONS_INIT;
    lstmae_module *module = NULL;
    const int axes = (int)golden_int(file, "axes", 2);
    read_sizes(file, "kernel", options.kernel, axes);
    read_sizes(file, "stride", options.stride, axes);
    read_sizes(file, "padding", options.padding, axes);
    read_sizes(file, "dilation", options.dilation, axes);
    if (golden_int(file, "ceil", 0)) options.flags |= LSTMAE_POOL_CEIL;
    if (golden_int(file, "exclude", 0)) options.flags |= LSTMAE_POOL_EXCLUDE_PADDING;
    assert_ok(creates[kind == AVG_POOL][axes - 1](&module, file->context, &options));
    return module;
}

static lstmae_module *upsample_of(golden_file *file)
{
    lstmae_upsample_options options = LSTMAE_UPSAMPLE_OPTIONS_INIT;
    lstmae_module *module = NULL;
    const int axes = (int)golden_int(file, "axes", 2);
    options.mode = (int32_t)golden_int(file, "mode", 0);
    read_sizes(file, "factor", options.factor, axes);
    read_sizes(file, "size", options.size, axes);
    if (axes == 1) assert_ok(lstmae_upsample1d_create(&module, file->context, &options));
    else assert_ok(lstmae_upsample2d_create(&module, file->context, &options));
    return module;
}

static lstmae_module *reshape_of(golden_file *file, int kind)
{
    lstmae_module *module = NULL;
    int64_t sizes[LSTMAE_MAX_DIMS] = { 0 };
    const int axes = (int)golden_int(file, "axes", 1);
    if (kind == FLATTEN) {
        assert_ok(lstmae_flatten_create(&module, file->context, (int)golden_int(file, "first", 0),
                                        (int)golden_int(file, "last", 0)));
        return module;
    }
    read_sizes(file, "size", sizes, axes);
    assert_ok(lstmae_unflatten_create(&module, file->context, (int)golden_int(file, "axis", 0), axes, sizes));
    return module;
}

static lstmae_module *layer_of(golden_file *file)
{
    const int kind = (int)golden_int(file, "kind", -1);
    switch (kind) {
    case ACTIVATION: return activation_of(file);
    case BATCH_NORM: return batch_norm_of(file);
    case LAYER_NORM: return layer_norm_of(file);
    case UPSAMPLE: return upsample_of(file);
    case FLATTEN:
    case UNFLATTEN: return reshape_of(file, kind);
    default: return pool_of(file, kind);
    }
}

/* An array of the case, row-major or with axis 1 innermost in memory; the caller destroys it. */
static lstmae_tensor *laid(golden_file *file, const char *name, int channels_last)
{
    lstmae_tensor *plain = golden_tensor(file, name), *storage = NULL, *view = NULL;
    const int ndim = lstmae_tensor_ndim(plain);
    if (!channels_last || ndim < 3) return plain;
    int64_t dims[LSTMAE_MAX_DIMS], strides[LSTMAE_MAX_DIMS], stride = lstmae_tensor_dim(plain, 1);
    for (int axis = ndim - 1; axis >= 0; axis--) {
        dims[axis] = lstmae_tensor_dim(plain, axis);
        strides[axis] = axis == 1 ? 1 : stride;
        if (axis != 1) stride *= dims[axis];
    }
    storage = values_tensor(file->context, ndim, dims, NULL);
    assert_ok(lstmae_tensor_view(&view, storage, ndim, dims, strides, 0));
    assert_ok(lstmae_tensor_copy(view, plain));
    lstmae_tensor_destroy(storage);
    lstmae_tensor_destroy(plain);
    return view;
}

static void forward(golden_file *file, lstmae_module *layer, const char *from, int channels_last, const char *to)
{
    const lstmae_tensor *y = NULL;
    lstmae_tensor *x = laid(file, from, channels_last);
    assert_ok(lstmae_module_forward(layer, x, &y));
    if (to) golden_compare(file, to, y);
    lstmae_tensor_destroy(x);
}

static void compare_buffers(golden_file *file, lstmae_module *layer)
{
    char name[64];
    for (size_t i = 0; i < lstmae_module_buffer_count(layer); i++) {
        lstmae_tensor *buffer = lstmae_module_buffer(layer, i);
        snprintf(name, sizeof(name), "buffer.%s", lstmae_module_buffer_name(layer, i));
        if (lstmae_tensor_dtype(buffer) == LSTMAE_I64) {
            int64_t count = 0;
            assert_ok(lstmae_tensor_read(buffer, &count, sizeof(count)));
            assert_int_equal(count, (int64_t)golden_get(file, name).values[0]);
            continue;
        }
        double *values = values_read(buffer);
        golden_compare_values(file, name, values, (size_t)lstmae_tensor_numel(buffer), LAYERS_STATISTICS_LIMIT);
        free(values);
    }
}

static void layer_case(golden_file *file, int channels_last)
{
    lstmae_module *layer = layer_of(file);
    const lstmae_tensor *y = NULL, *dx = NULL;
    const int batches = golden_int(file, "kind", 0) == BATCH_NORM;
    golden_load_params(file, "param.", layer);
    if (batches) {
        forward(file, layer, "before0", channels_last, NULL);
        forward(file, layer, "before1", !channels_last, NULL);
    }
    lstmae_tensor *x = laid(file, "x", channels_last), *dy = laid(file, "dy", channels_last);
    assert_ok(lstmae_module_forward(layer, x, &y));
    golden_compare(file, "y", y);
    assert_ok(lstmae_module_backward(layer, dy, &dx));
    golden_compare(file, "dx", dx);
    golden_compare_grads(file, layer);
    compare_buffers(file, layer);
    assert_ok(lstmae_module_set_training(layer, 0));
    forward(file, layer, "x", channels_last, batches ? "inference" : "y");
    compare_buffers(file, layer);
    lstmae_tensor_destroy(x);
    lstmae_tensor_destroy(dy);
    lstmae_module_destroy(layer);
}

static void test_layers(void **state)
{
    golden_file file;
    golden_open(&file, "layers_image", *state);
    while (golden_next(&file)) {
        layer_case(&file, 0);
        layer_case(&file, 1);
    }
    golden_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = { GOLDEN_TESTS(test_layers) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
