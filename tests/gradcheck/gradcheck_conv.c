/* Convolutions and transposed ones of images and signals: weights, biases and inputs. */
#include "check.h"

typedef lstmae_status (*conv_create_fn)(lstmae_module **out, lstmae_context *context, int64_t in, int64_t out_channels,
                                        const lstmae_conv_options *options);

typedef struct conv_plan {
    const char *name;
    conv_create_fn create;
    int ndim;
    int64_t x[4], out;
    lstmae_conv_options options;
} conv_plan;

#define OPTIONS(...) { sizeof(lstmae_conv_options), __VA_ARGS__ }

static const conv_plan plans[] = {
    { "conv2d of a pixel", lstmae_conv2d_create, 4, { 1, 1, 1, 1 }, 1,
      OPTIONS(0, { 1, 1 }, { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 }, 1) },
    { "conv2d", lstmae_conv2d_create, 4, { 2, 3, 5, 4 }, 4,
      OPTIONS(0, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 1) },
    { "conv2d with strides", lstmae_conv2d_create, 4, { 1, 2, 7, 6 }, 3,
      OPTIONS(0, { 3, 2 }, { 2, 3 }, { 1, 0 }, { 0, 0 }, { 1, 1 }, 1) },
    { "conv2d with dilation, no bias", lstmae_conv2d_create, 4, { 2, 2, 6, 7 }, 2,
      OPTIONS(LSTMAE_CONV_NO_BIAS, { 2, 3 }, { 1, 2 }, { 2, 1 }, { 0, 0 }, { 3, 2 }, 1) },
    { "conv2d in groups", lstmae_conv2d_create, 4, { 2, 6, 4, 5 }, 4,
      OPTIONS(0, { 3, 3 }, { 2, 1 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 2) },
    { "conv2d of each channel", lstmae_conv2d_create, 4, { 1, 3, 5, 5 }, 6,
      OPTIONS(0, { 3, 3 }, { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 }, 3) },
    { "conv1d", lstmae_conv1d_create, 3, { 2, 3, 9 }, 2,
      OPTIONS(0, { 3, 0 }, { 2, 0 }, { 2, 0 }, { 0, 0 }, { 2, 0 }, 1) },
    { "conv_transpose2d", lstmae_conv_transpose2d_create, 4, { 2, 3, 3, 4 }, 2,
      OPTIONS(0, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 1) },
    { "conv_transpose2d with output padding", lstmae_conv_transpose2d_create, 4, { 1, 4, 3, 2 }, 3,
      OPTIONS(0, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1) },
    { "conv_transpose2d in groups, no bias", lstmae_conv_transpose2d_create, 4, { 2, 4, 3, 3 }, 6,
      OPTIONS(LSTMAE_CONV_NO_BIAS, { 2, 3 }, { 3, 2 }, { 0, 2 }, { 2, 0 }, { 1, 2 }, 2) },
    { "conv_transpose2d, more output padding than stride", lstmae_conv_transpose2d_create, 4, { 1, 2, 3, 3 }, 2,
      OPTIONS(0, { 2, 2 }, { 1, 2 }, { 0, 1 }, { 2, 2 }, { 3, 3 }, 1) },
    { "conv_transpose1d", lstmae_conv_transpose1d_create, 3, { 1, 3, 5 }, 2,
      OPTIONS(0, { 4, 0 }, { 3, 0 }, { 1, 0 }, { 2, 0 }, { 1, 0 }, 1) },
};

/* With an activation behind it in a chain, which the layer computes too; tanh keeps only the result. */
static lstmae_module *activated(lstmae_module *layer)
{
    lstmae_context *context = lstmae_module_context(layer);
    lstmae_module *chain = NULL, *tanh = NULL;
    assert_ok(lstmae_sequential_create(&chain, context));
    assert_ok(lstmae_activation_create(&tanh, context, LSTMAE_ACTIVATION_TANH));
    assert_ok(lstmae_sequential_append(chain, layer));
    assert_ok(lstmae_sequential_append(chain, tanh));
    return chain;
}

void test_gradcheck_conv(void **state)
{
    (void)state;
    int before = check_all.failures;
    lstmae_context *context = check_context();
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        const conv_plan *plan = &plans[i];
        for (int with_tanh = 0; with_tanh < 2; with_tanh++) {
            lstmae_module *layer = NULL;
            assert_ok(plan->create(&layer, context, plan->x[1], plan->out, &plan->options));
            check_layer(plan->name, with_tanh ? activated(layer) : layer, plan->ndim, plan->x, 0);
        }
    }
    lstmae_context_destroy(context);
    assert_int_equal(check_all.failures, before);
}
