/* Layers of images, called wrongly. */
#include "misuse.h"

#include <string.h>

static void refuses_shape(lstmae_module *module, int ndim, const int64_t *dims, const char *text)
{
    int64_t sizes[LSTMAE_MAX_DIMS];
    int out = 0;
    assert_fails(lstmae_module_output_shape(module, ndim, dims, &out, sizes), ERR_SHAPE);
    assert_string_equal(lstmae_last_error(), text);
}

/* What a user reads who chained the wrong layers. */
static void shapes_that_do_not_fit(lstmae_context *context)
{
    const int64_t grey[4] = { 16, 1, 28, 28 }, flat[2] = { 16, 784 }, small[4] = { 2, 3, 2, 8 };
    const int64_t empty[4] = { 2, 3, 0, 8 }, signal[3] = { 2, 4, 9 }, none[4] = { 0, 3, 8, 8 };
    const int64_t huge[4] = { INT64_C(1) << 20, 3, INT64_C(1) << 18, INT64_C(1) << 18 };
    lstmae_conv_options options = LSTMAE_CONV_OPTIONS_INIT;
    lstmae_module *module = NULL;
    int64_t sizes[LSTMAE_MAX_DIMS];
    int ndim = 0;
    assert_ok(lstmae_conv2d_create(&module, context, 3, 1 << 20, &options));
    refuses_shape(module, 4, grey, "conv2d: input is [16,1,28,28], layer wants 3 channels");
    refuses_shape(module, 2, flat, "conv2d: input is [16,784], layer wants [B,3,H,W]");
    refuses_shape(module, 4, small, "conv2d: input is [2,3,2,8], padded to 2 along axis 2, the kernel reaches over 3");
    refuses_shape(module, 4, empty, "conv2d: input is [2,3,0,8], layer wants 1 to 2^40 pixels along an axis");
    refuses_shape(module, 4, huge, "conv2d: the sizes of the output overflow");
    assert_ok(lstmae_module_output_shape(module, 4, none, &ndim, sizes));
    assert_int_equal(sizes[0], 0);
    lstmae_module_destroy(module);
    assert_ok(lstmae_conv1d_create(&module, context, 3, 5, &options));
    refuses_shape(module, 3, signal, "conv1d: input is [2,4,9], layer wants 3 channels");
    refuses_shape(module, 4, grey, "conv1d: input is [16,1,28,28], layer wants [B,3,L]");
    lstmae_module_destroy(module);
    const int order[] = { 0, 2, 1 };
    assert_ok(lstmae_permute_create(&module, context, 3, order));
    refuses_shape(module, 2, flat, "permute: input is [16,784], layer wants 3 axes");
    lstmae_module_destroy(module);
    options.padding[0] = 3;
    assert_ok(lstmae_conv_transpose2d_create(&module, context, 3, 5, &options));
    refuses_shape(module, 4, grey, "conv_transpose2d: input is [16,1,28,28], layer wants 3 channels");
    refuses_shape(module, 4, small,
                  "conv_transpose2d: input is [2,3,2,8], axis 2 of the output would have -2 pixels");
    lstmae_module_destroy(module);
}

typedef lstmae_status (*create_fn)(lstmae_module **out, lstmae_context *context, int64_t in, int64_t out_channels,
                                   const lstmae_conv_options *options);

static void refuses_options(lstmae_context *context, lstmae_conv_options options, lstmae_status code, const char *text)
{
    lstmae_module *module = NULL;
    test_assert_status(lstmae_conv2d_create(&module, context, 4, 6, &options), code, text, __FILE__, __LINE__);
    assert_null(module);
    assert_non_null(strstr(lstmae_last_error(), text));
}

static void options_that_make_no_sense(lstmae_context *context)
{
    const lstmae_conv_options plain = LSTMAE_CONV_OPTIONS_INIT;
    lstmae_conv_options o;
    o = plain, o.flags = 2;
    refuses_options(context, o, LSTMAE_ERR_UNSUPPORTED, "conv2d options: unknown flags 0x2");
    o = plain, o.kernel[1] = 0;
    refuses_options(context, o, LSTMAE_ERR_INVALID_ARG, "conv2d options: kernel is 0, expected 1 to 65536");
    o = plain, o.stride[0] = -1;
    refuses_options(context, o, LSTMAE_ERR_INVALID_ARG, "conv2d options: stride is -1");
    o = plain, o.padding[0] = INT64_MAX;
    refuses_options(context, o, LSTMAE_ERR_INVALID_ARG, "conv2d options: padding is 9223372036854775807");
    o = plain, o.dilation[1] = 65537;
    refuses_options(context, o, LSTMAE_ERR_INVALID_ARG, "conv2d options: dilation is 65537");
    o = plain, o.output_padding[1] = 1;
    refuses_options(context, o, LSTMAE_ERR_INVALID_ARG, "output_padding is for transposed convolutions");
    o = plain, o.groups = 3;
    refuses_options(context, o, LSTMAE_ERR_INVALID_ARG, "groups is 3, expected a divisor of 4 and 6 channels");
    o = plain, o.groups = 0;
    refuses_options(context, o, LSTMAE_ERR_INVALID_ARG, "groups is 0");
    o = plain, o.kernel[0] = o.kernel[1] = 65536;
    lstmae_module *module = NULL;
    assert_fails(lstmae_conv2d_create(&module, context, 1 << 28, 1 << 28, &o), ERR_SHAPE);
    o = plain, o.output_padding[0] = 2, o.stride[0] = 2;
    assert_fails(lstmae_conv_transpose2d_create(&module, context, 1, 1, &o), ERR_INVALID_ARG);
    assert_string_equal(lstmae_last_error(), "conv_transpose2d options: output_padding is 2, expected less than stride "
                                             "2 or dilation 1");
    assert_null(module);
}

void misuse_convolutions(void **state)
{
    misuse_objects *o = *state;
    lstmae_module *out = NULL;
    REFUSED(ERR_INVALID_ARG, conv2d_create, NULL, o->context, 1, 1, NULL);
    REFUSED(ERR_INVALID_ARG, conv2d_create, &out, NULL, 1, 1, NULL);
    REFUSED(ERR_INVALID_ARG, conv2d_create, &out, o->context, 0, 1, NULL);
    REFUSED(ERR_INVALID_ARG, conv2d_create, &out, o->context, 1, INT64_MAX, NULL);
    REFUSED(ERR_INVALID_ARG, conv_transpose2d_create, NULL, o->context, 1, 1, NULL);
    REFUSED(ERR_INVALID_ARG, conv_transpose2d_create, &out, NULL, 1, 1, NULL);
    REFUSED(ERR_INVALID_ARG, conv_transpose2d_create, &out, o->context, 1, -1, NULL);
    REFUSED(ERR_INVALID_ARG, conv1d_create, NULL, o->context, 1, 1, NULL);
    REFUSED(ERR_INVALID_ARG, conv1d_create, &out, NULL, 1, 1, NULL);
    REFUSED(ERR_INVALID_ARG, conv1d_create, &out, o->context, 1, 0, NULL);
    REFUSED(ERR_INVALID_ARG, conv_transpose1d_create, NULL, o->context, 1, 1, NULL);
    REFUSED(ERR_INVALID_ARG, conv_transpose1d_create, &out, NULL, 1, 1, NULL);
    REFUSED(ERR_INVALID_ARG, conv_transpose1d_create, &out, o->context, INT64_MIN, 1, NULL);
    static const create_fn creates[] = { lstmae_conv2d_create, lstmae_conv_transpose2d_create, lstmae_conv1d_create,
                                         lstmae_conv_transpose1d_create };
    for (int i = 0; i < 4; i++)
        REFUSES_SIZES(lstmae_conv_options, LSTMAE_CONV_OPTIONS_INIT, creates[i](&out, o->context, 1, 1, options));
    options_that_make_no_sense(o->context);
    shapes_that_do_not_fit(o->context);
    assert_null(out);
}

void misuse_norms(void **state)
{
    misuse_objects *o = *state;
    lstmae_module *out = NULL, *batch = NULL, *layer = NULL;
    const int64_t dims[2] = { 2, 4 }, none[1] = { 0 }, huge[3] = { INT64_MAX / 2, 4, 4 };
    lstmae_batch_norm_options batches = LSTMAE_BATCH_NORM_OPTIONS_INIT;
    lstmae_layer_norm_options layers = LSTMAE_LAYER_NORM_OPTIONS_INIT;
    REFUSES_SIZES(lstmae_batch_norm_options, LSTMAE_BATCH_NORM_OPTIONS_INIT,
                  lstmae_batch_norm_create(&out, o->context, 2, options));
    REFUSES_SIZES(lstmae_layer_norm_options, LSTMAE_LAYER_NORM_OPTIONS_INIT,
                  lstmae_layer_norm_create(&out, o->context, 2, dims, options));
    REFUSED(ERR_INVALID_ARG, batch_norm_create, NULL, o->context, 2, NULL);
    REFUSED(ERR_INVALID_ARG, batch_norm_create, &out, NULL, 2, NULL);
    REFUSED(ERR_INVALID_ARG, batch_norm_create, &out, o->context, 0, NULL);
    REFUSED(ERR_INVALID_ARG, batch_norm_create, &out, o->context, INT64_MAX, NULL);
    batches.momentum = 1.5;
    REFUSED(ERR_INVALID_ARG, batch_norm_create, &out, o->context, 2, &batches);
    batches.momentum = 0.5;
    batches.eps = 0;
    REFUSED(ERR_INVALID_ARG, batch_norm_create, &out, o->context, 2, &batches);
    batches.eps = 1;
    batches.flags = 64;
    REFUSED(ERR_UNSUPPORTED, batch_norm_create, &out, o->context, 2, &batches);
    REFUSED(ERR_INVALID_ARG, layer_norm_create, NULL, o->context, 2, dims, NULL);
    REFUSED(ERR_INVALID_ARG, layer_norm_create, &out, NULL, 2, dims, NULL);
    REFUSED(ERR_INVALID_ARG, layer_norm_create, &out, o->context, 2, NULL, NULL);
    REFUSED(ERR_INVALID_ARG, layer_norm_create, &out, o->context, 0, dims, NULL);
    REFUSED(ERR_INVALID_ARG, layer_norm_create, &out, o->context, 5, dims, NULL);
    REFUSED(ERR_INVALID_ARG, layer_norm_create, &out, o->context, 1, none, NULL);
    REFUSED(ERR_SHAPE, layer_norm_create, &out, o->context, 3, huge, NULL);
    layers.eps = -1;
    REFUSED(ERR_INVALID_ARG, layer_norm_create, &out, o->context, 2, dims, &layers);
    layers.eps = 1;
    layers.flags = 64;
    REFUSED(ERR_UNSUPPORTED, layer_norm_create, &out, o->context, 2, dims, &layers);
    assert_null(out);
    assert_ok(lstmae_batch_norm_create(&batch, o->context, 2, NULL));
    assert_ok(lstmae_layer_norm_create(&layer, o->context, 2, dims, NULL));
    REFUSED(ERR_SHAPE, module_forward, batch, o->flat, NULL); /* 4 channels */
    REFUSED(ERR_INVALID_ARG, module_forward, layer, o->foreign, NULL);
    lstmae_module_destroy(batch);
    lstmae_module_destroy(layer);
}

void misuse_pools(void **state)
{
    misuse_objects *o = *state;
    lstmae_module *out = NULL, *pool = NULL, *up = NULL;
    lstmae_pool_options pools = LSTMAE_POOL_OPTIONS_INIT;
    lstmae_upsample_options more = LSTMAE_UPSAMPLE_OPTIONS_INIT;
    REFUSES_SIZES(lstmae_pool_options, LSTMAE_POOL_OPTIONS_INIT, lstmae_max_pool2d_create(&out, o->context, options));
    REFUSES_SIZES(lstmae_upsample_options, LSTMAE_UPSAMPLE_OPTIONS_INIT,
                  lstmae_upsample2d_create(&out, o->context, options));
    REFUSED(ERR_INVALID_ARG, max_pool2d_create, NULL, o->context, NULL);
    REFUSED(ERR_INVALID_ARG, max_pool2d_create, &out, NULL, NULL);
    REFUSED(ERR_INVALID_ARG, max_pool1d_create, NULL, o->context, NULL);
    REFUSED(ERR_INVALID_ARG, avg_pool2d_create, NULL, o->context, NULL);
    REFUSED(ERR_INVALID_ARG, avg_pool1d_create, NULL, o->context, NULL);
    pools.padding[1] = 2;
    REFUSED(ERR_INVALID_ARG, max_pool2d_create, &out, o->context, &pools);
    pools.padding[1] = 0;
    pools.kernel[0] = 0;
    REFUSED(ERR_INVALID_ARG, avg_pool2d_create, &out, o->context, &pools);
    pools.kernel[0] = INT64_MAX;
    REFUSED(ERR_INVALID_ARG, avg_pool1d_create, &out, o->context, &pools);
    pools.kernel[0] = 2;
    pools.stride[0] = -1;
    REFUSED(ERR_INVALID_ARG, max_pool1d_create, &out, o->context, &pools);
    pools.stride[0] = 1;
    pools.dilation[1] = 2;
    REFUSED(ERR_INVALID_ARG, avg_pool2d_create, &out, o->context, &pools);
    pools.dilation[1] = 1;
    pools.flags = LSTMAE_POOL_EXCLUDE_PADDING;
    REFUSED(ERR_UNSUPPORTED, max_pool2d_create, &out, o->context, &pools);
    REFUSED(ERR_INVALID_ARG, upsample2d_create, NULL, o->context, NULL);
    REFUSED(ERR_INVALID_ARG, upsample2d_create, &out, NULL, NULL);
    REFUSED(ERR_INVALID_ARG, upsample1d_create, NULL, o->context, NULL);
    more.mode = 9;
    REFUSED(ERR_INVALID_ARG, upsample2d_create, &out, o->context, &more);
    more.mode = LSTMAE_INTERPOLATE_LINEAR;
    more.factor[1] = 0;
    REFUSED(ERR_INVALID_ARG, upsample2d_create, &out, o->context, &more);
    more.size[1] = -5;
    REFUSED(ERR_INVALID_ARG, upsample2d_create, &out, o->context, &more);
    more.size[0] = INT64_MAX;
    REFUSED(ERR_INVALID_ARG, upsample1d_create, &out, o->context, &more);
    assert_null(out);
    pools = (lstmae_pool_options)LSTMAE_POOL_OPTIONS_INIT;
    pools.kernel[0] = 9;
    assert_ok(lstmae_max_pool1d_create(&pool, o->context, &pools));
    assert_ok(lstmae_upsample2d_create(&up, o->context, NULL));
    REFUSED(ERR_SHAPE, module_forward, pool, o->x, NULL); /* 4 long */
    REFUSED(ERR_SHAPE, module_forward, pool, o->flat, NULL);
    REFUSED(ERR_SHAPE, module_forward, up, o->x, NULL);
    lstmae_module_destroy(pool);
    lstmae_module_destroy(up);
}

void misuse_reshapes(void **state)
{
    misuse_objects *o = *state;
    lstmae_module *out = NULL, *flatten = NULL, *unflatten = NULL, *dropout = NULL;
    const int64_t sizes[4] = { 2, 2, 1, 1 }, none[1] = { 0 }, huge[2] = { INT64_MAX, 2 };
    REFUSED(ERR_INVALID_ARG, flatten_create, NULL, o->context, 1, -1);
    REFUSED(ERR_INVALID_ARG, flatten_create, &out, NULL, 1, -1);
    REFUSED(ERR_INVALID_ARG, flatten_create, &out, o->context, 4, -1);
    REFUSED(ERR_INVALID_ARG, flatten_create, &out, o->context, 1, -5);
    REFUSED(ERR_INVALID_ARG, unflatten_create, NULL, o->context, 1, 2, sizes);
    REFUSED(ERR_INVALID_ARG, unflatten_create, &out, NULL, 1, 2, sizes);
    REFUSED(ERR_INVALID_ARG, unflatten_create, &out, o->context, 9, 2, sizes);
    REFUSED(ERR_INVALID_ARG, unflatten_create, &out, o->context, 1, 2, NULL);
    REFUSED(ERR_INVALID_ARG, unflatten_create, &out, o->context, 1, 0, sizes);
    REFUSED(ERR_INVALID_ARG, unflatten_create, &out, o->context, 1, 1, none);
    REFUSED(ERR_SHAPE, unflatten_create, &out, o->context, 1, 2, huge);
    REFUSED(ERR_INVALID_ARG, dropout_create, NULL, o->context, 0.5);
    REFUSED(ERR_INVALID_ARG, dropout_create, &out, NULL, 0.5);
    REFUSED(ERR_INVALID_ARG, dropout_create, &out, o->context, 1.0);
    REFUSED(ERR_INVALID_ARG, dropout_create, &out, o->context, -0.1);
    assert_null(out);
    assert_ok(lstmae_flatten_create(&flatten, o->context, 2, 1));
    assert_ok(lstmae_unflatten_create(&unflatten, o->context, -1, 4, sizes));
    REFUSED(ERR_SHAPE, module_forward, flatten, o->x, NULL); /* the last before the first */
    REFUSED(ERR_SHAPE, module_forward, unflatten, o->flat, NULL); /* five axes */
    REFUSED(ERR_SHAPE, module_forward, unflatten, o->x, NULL);
    assert_ok(lstmae_dropout_create(&dropout, o->context, 0.5));
    REFUSED(ERR_STATE, module_backward, dropout, o->x, NULL);
    lstmae_module_destroy(flatten);
    lstmae_module_destroy(unflatten);
    lstmae_module_destroy(dropout);
}
