/* Linear layers, activations and chains: all parameters and the input. */
#include "check.h"

static lstmae_module *linear(lstmae_context *context, int64_t in, int64_t out, uint32_t flags)
{
    lstmae_module *module = NULL;
    assert_ok(lstmae_linear_create(&module, context, in, out, flags));
    return module;
}

static lstmae_module *activation(lstmae_context *context, lstmae_activation kind)
{
    lstmae_module *module = NULL;
    assert_ok(lstmae_activation_create(&module, context, kind));
    return module;
}

static lstmae_module *lstm(lstmae_context *context, int64_t in, int64_t hidden, uint32_t flags)
{
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_module *module = NULL;
    options.flags = flags;
    assert_ok(lstmae_lstm_create(&module, context, in, hidden, &options));
    return module;
}

static lstmae_module *chain(lstmae_context *context, size_t count, lstmae_module *const *children)
{
    lstmae_module *module = NULL;
    assert_ok(lstmae_sequential_create(&module, context));
    for (size_t i = 0; i < count; i++) assert_ok(lstmae_sequential_append(module, children[i]));
    return module;
}

static void check_linear(lstmae_context *context)
{
    const int64_t one[] = { 1, 1 }, two[] = { 3, 5 }, three[] = { 2, 3, 5 }, four[] = { 2, 1, 3, 7 };
    check_layer("linear 1 to 1", linear(context, 1, 1, 0), 2, one, 0);
    check_layer("linear", linear(context, 5, 7, 0), 2, two, 0);
    check_layer("linear over sequences", linear(context, 5, 3, 0), 3, three, 0);
    check_layer("linear over four axes", linear(context, 7, 2, 0), 4, four, 0);
    check_layer("linear no bias", linear(context, 5, 3, LSTMAE_LINEAR_NO_BIAS), 3, three, 0);
}

static void check_activations(lstmae_context *context)
{
    const int64_t two[] = { 3, 7 }, four[] = { 1, 2, 3, 5 };
    check_layer("identity", activation(context, LSTMAE_ACTIVATION_IDENTITY), 2, two, 0);
    check_layer("relu", activation(context, LSTMAE_ACTIVATION_RELU), 4, four, 0.1);
    check_layer("tanh", activation(context, LSTMAE_ACTIVATION_TANH), 2, two, 0);
    check_layer("sigmoid", activation(context, LSTMAE_ACTIVATION_SIGMOID), 4, four, 0);
    check_layer("leaky relu", activation(context, LSTMAE_ACTIVATION_LEAKY_RELU), 2, two, 0.1);
    check_layer("elu", activation(context, LSTMAE_ACTIVATION_ELU), 4, four, 0.1);
    check_layer("silu", activation(context, LSTMAE_ACTIVATION_SILU), 2, two, 0);
    check_layer("gelu", activation(context, LSTMAE_ACTIVATION_GELU), 4, four, 0);
    check_layer("gelu tanh", activation(context, LSTMAE_ACTIVATION_GELU_TANH), 2, two, 0);
    check_layer("softplus", activation(context, LSTMAE_ACTIVATION_SOFTPLUS), 4, four, 0);
    lstmae_module *module = NULL;
    assert_ok(lstmae_activation_create_param(&module, context, LSTMAE_ACTIVATION_LEAKY_RELU, -0.5));
    check_layer("leaky relu, negative slope", module, 2, two, 0.1);
    assert_ok(lstmae_activation_create_param(&module, context, LSTMAE_ACTIVATION_ELU, -0.7));
    check_layer("elu, negative alpha", module, 2, two, 0.1);
    assert_ok(lstmae_activation_create_param(&module, context, LSTMAE_ACTIVATION_SOFTPLUS, 2.5));
    check_layer("softplus, beta 2.5", module, 2, two, 0);
}

static lstmae_module *permute(lstmae_context *context, int ndim, const int *axes)
{
    lstmae_module *module = NULL;
    assert_ok(lstmae_permute_create(&module, context, ndim, axes));
    return module;
}

static lstmae_module *signal(lstmae_context *context, int64_t in, int64_t out, int transposed)
{
    lstmae_conv_options options = LSTMAE_CONV_OPTIONS_INIT;
    lstmae_module *module = NULL;
    options.stride[0] = 2;
    options.padding[0] = 1;
    options.output_padding[0] = transposed;
    assert_ok(transposed ? lstmae_conv_transpose1d_create(&module, context, in, out, &options)
                         : lstmae_conv1d_create(&module, context, in, out, &options));
    return module;
}

/* Alone, and around the convolutions of an autoencoder over windows [B,T,F]. */
static void check_permutes(lstmae_context *context)
{
    const int axes[] = { 2, 0, 3, 1 }, swap[] = { 0, 2, 1 };
    const int64_t four[] = { 2, 3, 1, 4 }, windows[] = { 2, 6, 3 };
    lstmae_module *chained[] = { permute(context, 3, swap), signal(context, 3, 4, 0),
                                 activation(context, LSTMAE_ACTIVATION_TANH), signal(context, 4, 3, 1),
                                 permute(context, 3, swap) };
    check_layer("permute", permute(context, 4, axes), 4, four, 0);
    check_layer("convolutions over windows", chain(context, 5, chained), 3, windows, 0);
}

static void check_chains(lstmae_context *context)
{
    const int64_t flat[] = { 5, 3 }, sequence[] = { 4, 2, 3 }, step[] = { 1, 1, 3 };
    lstmae_module *dense[] = { linear(context, 3, 7, 0), activation(context, LSTMAE_ACTIVATION_TANH),
                               linear(context, 7, 5, LSTMAE_LINEAR_NO_BIAS),
                               activation(context, LSTMAE_ACTIVATION_SIGMOID), linear(context, 5, 3, 0) };
    lstmae_module *recurrent[] = { lstm(context, 3, 5, 0), linear(context, 5, 2, 0),
                                   activation(context, LSTMAE_ACTIVATION_SIGMOID) };
    lstmae_module *both[] = { linear(context, 3, 4, 0), lstm(context, 4, 3, LSTMAE_LSTM_BIDIRECTIONAL),
                              lstm(context, 6, 3, LSTMAE_LSTM_PEEPHOLE) };
    lstmae_module *inner[] = { linear(context, 3, 4, 0), activation(context, LSTMAE_ACTIVATION_TANH) };
    lstmae_module *nested[] = { chain(context, 2, inner), lstm(context, 4, 3, 0) };
    check_layer("chain of dense layers", chain(context, 5, dense), 2, flat, 0);
    check_layer("chain of lstm and linear", chain(context, 3, recurrent), 3, sequence, 0);
    check_layer("chain of linear and lstms", chain(context, 3, both), 3, step, 0);
    check_layer("chain in a chain", chain(context, 2, nested), 3, sequence, 0);
}

void test_gradcheck_layers(void **state)
{
    (void)state;
    int before = check_all.failures;
    lstmae_context *context = check_context();
    check_linear(context);
    check_activations(context);
    check_permutes(context);
    check_chains(context);
    lstmae_context_destroy(context);
    assert_int_equal(check_all.failures, before);
}
