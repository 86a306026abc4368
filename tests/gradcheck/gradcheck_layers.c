/* Linear layers, activations and chains: all parameters and the input. */
#include "check.h"

#include <math.h>

typedef struct layer_run {
    lstmae_module *module;
    lstmae_tensor *x, *dy;
} layer_run;

static double layer_value(void *payload)
{
    layer_run *run = payload;
    const lstmae_tensor *y = NULL;
    assert_ok(lstmae_module_forward(run->module, run->x, &y));
    return check_dot(y, run->dy);
}

/** Takes the module; the input is kept `gap` away from 0, where ReLU has no derivative. */
static void layer_check(const char *name, lstmae_module *module, int ndim, const int64_t *dims, double gap)
{
    layer_run run = { .module = module };
    check c = { .name = name, .value = layer_value, .payload = &run };
    lstmae_context *context = lstmae_module_context(module);
    const lstmae_tensor *y = NULL, *dx = NULL;
    int64_t out[LSTMAE_MAX_DIMS];
    run.x = check_draw(context, ndim, dims, 1, 1.5);
    double *x = lstmae_tensor_data(run.x);
    for (int64_t i = 0; i < lstmae_tensor_numel(run.x); i++) x[i] += copysign(gap, x[i]);
    check_draw_params(module, 0.9);
    assert_ok(lstmae_module_forward(module, run.x, &y));
    for (int axis = 0; axis < ndim; axis++) out[axis] = lstmae_tensor_dim(y, axis);
    run.dy = check_draw(context, ndim, out, 2, 1.0);
    assert_ok(lstmae_module_backward(module, run.dy, &dx));
    check_add_params(&c, module);
    check_add(&c, "the input", run.x, dx);
    check_run(&c);
    lstmae_tensor_destroy(run.x);
    lstmae_tensor_destroy(run.dy);
    lstmae_module_destroy(module);
}

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
    layer_check("linear 1 to 1", linear(context, 1, 1, 0), 2, one, 0);
    layer_check("linear", linear(context, 5, 7, 0), 2, two, 0);
    layer_check("linear over sequences", linear(context, 5, 3, 0), 3, three, 0);
    layer_check("linear over four axes", linear(context, 7, 2, 0), 4, four, 0);
    layer_check("linear no bias", linear(context, 5, 3, LSTMAE_LINEAR_NO_BIAS), 3, three, 0);
}

static void check_activations(lstmae_context *context)
{
    const int64_t two[] = { 3, 7 }, four[] = { 1, 2, 3, 5 };
    layer_check("identity", activation(context, LSTMAE_ACTIVATION_IDENTITY), 2, two, 0);
    layer_check("relu", activation(context, LSTMAE_ACTIVATION_RELU), 4, four, 0.1);
    layer_check("tanh", activation(context, LSTMAE_ACTIVATION_TANH), 2, two, 0);
    layer_check("sigmoid", activation(context, LSTMAE_ACTIVATION_SIGMOID), 4, four, 0);
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
    layer_check("chain of dense layers", chain(context, 5, dense), 2, flat, 0);
    layer_check("chain of lstm and linear", chain(context, 3, recurrent), 3, sequence, 0);
    layer_check("chain of linear and lstms", chain(context, 3, both), 3, step, 0);
    layer_check("chain in a chain", chain(context, 2, nested), 3, sequence, 0);
}

void test_gradcheck_layers(void **state)
{
    (void)state;
    int before = check_all.failures;
    lstmae_context *context = check_context();
    check_linear(context);
    check_activations(context);
    check_chains(context);
    lstmae_context_destroy(context);
    assert_int_equal(check_all.failures, before);
}
