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
