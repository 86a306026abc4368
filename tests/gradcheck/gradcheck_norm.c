/* Normalisation, pooling, upsampling and reshaping: parameters and inputs. */
#include "check.h"

#include <stdlib.h>

static lstmae_module *batch_norm(lstmae_context *context, int64_t channels, uint32_t flags)
{
    lstmae_batch_norm_options options = LSTMAE_BATCH_NORM_OPTIONS_INIT;
    lstmae_module *module = NULL;
    options.flags = flags;
    assert_ok(lstmae_batch_norm_create(&module, context, channels, &options));
    return module;
}

static lstmae_module *layer_norm(lstmae_context *context, int ndim, const int64_t *dims, uint32_t flags)
{
    lstmae_layer_norm_options options = LSTMAE_LAYER_NORM_OPTIONS_INIT;
    lstmae_module *module = NULL;
    options.flags = flags;
    options.eps = 0.01;
    assert_ok(lstmae_layer_norm_create(&module, context, ndim, dims, &options));
    return module;
}

static lstmae_module *pair(lstmae_module *first, lstmae_module *second)
{
    lstmae_module *chain = NULL;
    assert_ok(lstmae_sequential_create(&chain, lstmae_module_context(first)));
    assert_ok(lstmae_sequential_append(chain, first));
    assert_ok(lstmae_sequential_append(chain, second));
    return chain;
}

static void check_norms(lstmae_context *context)
{
    const int64_t flat[] = { 5, 3 }, signal[] = { 2, 3, 4 }, image[] = { 2, 3, 3, 2 }, last[] = { 3, 2 };
    lstmae_module *tanh = NULL;
    check_layer("batch norm of vectors", batch_norm(context, 3, 0), 2, flat, 0);
    check_layer("batch norm of signals", batch_norm(context, 3, LSTMAE_BATCH_NORM_NO_AFFINE), 3, signal, 0);
    check_layer("batch norm of images", batch_norm(context, 3, LSTMAE_BATCH_NORM_NO_RUNNING), 4, image, 0);
    assert_ok(lstmae_activation_create(&tanh, context, LSTMAE_ACTIVATION_TANH));
    check_layer("batch norm and tanh in one pass", pair(batch_norm(context, 3, 0), tanh), 4, image, 0);
    check_layer("layer norm", layer_norm(context, 1, flat + 1, 0), 2, flat, 0);
    check_layer("layer norm, no bias", layer_norm(context, 1, last + 1, LSTMAE_LAYER_NORM_NO_BIAS), 4, image, 0);
    check_layer("layer norm of planes", layer_norm(context, 2, last, 0), 4, image, 0);
    check_layer("layer norm, plain", layer_norm(context, 2, last, LSTMAE_LAYER_NORM_NO_AFFINE), 4, image, 0);
    assert_ok(lstmae_activation_create(&tanh, context, LSTMAE_ACTIVATION_SIGMOID));
    check_layer("layer norm and sigmoid in one pass", pair(layer_norm(context, 2, last, 0), tanh), 4, image, 0);
}

/* Values that lie further apart than differences reach, so that the largest stays the largest. */
static lstmae_tensor *apart(lstmae_context *context, int ndim, const int64_t *dims)
{
    lstmae_tensor *tensor = values_tensor(context, ndim, dims, NULL);
    double *x = values_read(tensor);
    for (int64_t i = 0; i < lstmae_tensor_numel(tensor); i++) x[i] = 0.11 * (double)(i * 7 % 19) - 1.0;
    values_write(tensor, x);
    free(x);
    return tensor;
}

/* Behind a norm, so that every input has a gradient. */
static void check_max_pools(lstmae_context *context)
{
    const int64_t image[] = { 2, 2, 3, 5 }, signal[] = { 2, 2, 9 };
    lstmae_pool_options options = LSTMAE_POOL_OPTIONS_INIT;
    lstmae_module *pool = NULL;
    assert_ok(lstmae_max_pool2d_create(&pool, context, &options));
    pool = pair(layer_norm(context, 2, image + 2, LSTMAE_LAYER_NORM_NO_AFFINE), pool);
    check_layer_at("max pool", pool, apart(context, 4, image));
    options = (lstmae_pool_options){ sizeof options, LSTMAE_POOL_CEIL, { 3, 2 }, { 1, 2 }, { 1, 0 }, { 1, 2 } };
    assert_ok(lstmae_max_pool2d_create(&pool, context, &options));
    pool = pair(layer_norm(context, 2, image + 2, LSTMAE_LAYER_NORM_NO_AFFINE), pool);
    check_layer_at("max pool that overlaps", pool, apart(context, 4, image));
    assert_ok(lstmae_max_pool1d_create(&pool, context, &options));
    pool = pair(layer_norm(context, 1, signal + 2, LSTMAE_LAYER_NORM_NO_AFFINE), pool);
    check_layer_at("max pool of signals", pool, apart(context, 3, signal));
}

static void check_avg_pools(lstmae_context *context)
{
    const int64_t image[] = { 2, 2, 5, 4 }, signal[] = { 1, 3, 7 };
    lstmae_pool_options options = LSTMAE_POOL_OPTIONS_INIT;
    lstmae_module *pool = NULL;
    assert_ok(lstmae_avg_pool2d_create(&pool, context, NULL));
    check_layer("average pool", pool, 4, image, 0);
    options = (lstmae_pool_options){ sizeof options, LSTMAE_POOL_CEIL, { 3, 2 }, { 2, 1 }, { 1, 1 }, { 1, 1 } };
    assert_ok(lstmae_avg_pool2d_create(&pool, context, &options));
    check_layer("average pool that overlaps", pool, 4, image, 0);
    options.flags |= LSTMAE_POOL_EXCLUDE_PADDING;
    assert_ok(lstmae_avg_pool1d_create(&pool, context, &options));
    check_layer("average pool of signals", pool, 3, signal, 0);
}

static void check_upsamples(lstmae_context *context)
{
    const int64_t image[] = { 2, 2, 3, 4 }, signal[] = { 1, 3, 5 };
    lstmae_upsample_options options = LSTMAE_UPSAMPLE_OPTIONS_INIT;
    lstmae_module *up = NULL;
    for (int mode = LSTMAE_INTERPOLATE_NEAREST; mode <= LSTMAE_INTERPOLATE_LINEAR; mode++) {
        options = (lstmae_upsample_options){ sizeof options, mode, { 2, 3 }, { 0, 0 } };
        assert_ok(lstmae_upsample2d_create(&up, context, &options));
        check_layer("upsample", up, 4, image, 0);
        options.size[0] = 4;
        options.size[1] = 7;
        assert_ok(lstmae_upsample2d_create(&up, context, &options));
        check_layer("upsample to a size", up, 4, image, 0);
        assert_ok(lstmae_upsample1d_create(&up, context, &options));
        check_layer("upsample of signals", up, 3, signal, 0);
    }
}

static void check_reshapes(lstmae_context *context)
{
    const int64_t image[] = { 2, 3, 2, 2 }, sizes[] = { 2, 6 };
    lstmae_module *flatten = NULL, *unflatten = NULL, *dropout = NULL;
    assert_ok(lstmae_flatten_create(&flatten, context, 1, -1));
    assert_ok(lstmae_unflatten_create(&unflatten, context, 1, 2, sizes));
    check_layer("flatten and unflatten", pair(flatten, unflatten), 4, image, 0);
    assert_ok(lstmae_dropout_create(&dropout, context, 0.0));
    check_layer("dropout of nothing", dropout, 4, image, 0);
}

void test_gradcheck_norm(void **state)
{
    (void)state;
    int before = check_all.failures;
    lstmae_context *context = check_context();
    check_norms(context);
    check_max_pools(context);
    check_avg_pools(context);
    check_upsamples(context);
    check_reshapes(context);
    lstmae_context_destroy(context);
    assert_int_equal(check_all.failures, before);
}
