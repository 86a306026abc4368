/* LSTM stacks and layers without memory against PyTorch: outputs, final states and every gradient. */
#include "golden.h"

#include <stdlib.h>

static lstmae_module *lstm_of(golden_file *file)
{
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_module *lstm = NULL;
    options.layers = golden_int(file, "layers", 1);
    if (golden_int(file, "bidirectional", 0)) options.flags |= LSTMAE_LSTM_BIDIRECTIONAL;
    if (!golden_int(file, "bias", 1)) options.flags |= LSTMAE_LSTM_NO_BIAS;
    assert_ok(lstmae_lstm_create(&lstm, file->context, golden_int(file, "I", 0), golden_int(file, "H", 0), &options));
    golden_load_params(file, "param.", lstm);
    return lstm;
}

static void set_lengths(golden_file *file, lstmae_module *lstm)
{
    int64_t lengths[32];
    golden_array array = golden_get(file, "lengths");
    if (!array.values) return;
    assert_true(array.count <= 32);
    for (size_t i = 0; i < array.count; i++) lengths[i] = (int64_t)array.values[i];
    assert_ok(lstmae_lstm_set_lengths(lstm, lengths, (int64_t)array.count));
}

/** The same numbers stored [B,T,F] and seen as [T,B,F]. */
static lstmae_tensor *batch_major(golden_file *file, const char *name)
{
    lstmae_tensor *time_major = golden_tensor(file, name), *swapped = NULL, *storage = NULL, *view = NULL;
    assert_ok(lstmae_tensor_transpose(&swapped, time_major, 0, 1));
    int64_t dims[3] = { lstmae_tensor_dim(swapped, 0), lstmae_tensor_dim(swapped, 1), lstmae_tensor_dim(swapped, 2) };
    storage = values_tensor(file->context, 3, dims, NULL);
    assert_ok(lstmae_tensor_copy(storage, swapped));
    assert_ok(lstmae_tensor_transpose(&view, storage, 0, 1));
    lstmae_tensor_destroy(storage);
    lstmae_tensor_destroy(swapped);
    lstmae_tensor_destroy(time_major);
    return view;
}

/** A state of zeros that is set like any other, in place of none. */
static lstmae_tensor *zero_state(golden_file *file)
{
    golden_array h = golden_get(file, "h");
    return values_tensor(file->context, h.ndim, h.dim, NULL);
}

/** @param plain input as it is and no state where it is zero; else input through strides, and zeros as a set state */
static void lstm_case(golden_file *file, int plain)
{
    lstmae_module *lstm = lstm_of(file);
    lstmae_tensor *x = plain ? golden_tensor(file, "x") : batch_major(file, "x");
    lstmae_tensor *dy = plain ? golden_tensor(file, "dy") : batch_major(file, "dy");
    lstmae_tensor *dh = golden_tensor(file, "dh"), *dc = golden_tensor(file, "dc");
    lstmae_tensor *h0 = golden_tensor(file, "h0"), *c0 = golden_tensor(file, "c0");
    const lstmae_tensor *y = NULL, *dx = NULL, *h = NULL, *c = NULL, *dh0 = NULL, *dc0 = NULL;

    if (!h0 && !plain) {
        h0 = zero_state(file);
        c0 = zero_state(file);
    }
    if (h0) assert_ok(lstmae_lstm_set_state(lstm, h0, c0));
    set_lengths(file, lstm);
    assert_ok(lstmae_module_forward(lstm, x, &y));
    assert_ok(lstmae_lstm_state(lstm, &h, &c));
    golden_compare(file, "y", y);
    golden_compare(file, "h", h);
    golden_compare(file, "c", c);
    assert_ok(lstmae_lstm_set_state_grad(lstm, dh, dc));
    assert_ok(lstmae_module_backward(lstm, dy, &dx));
    golden_compare(file, "dx", dx);
    golden_compare_grads(file, lstm);
    if (h0) {
        assert_ok(lstmae_lstm_state_grad(lstm, &dh0, &dc0));
        golden_compare(file, "dh0", dh0);
        golden_compare(file, "dc0", dc0);
    }

    assert_ok(lstmae_module_set_training(lstm, 0));
    assert_ok(lstmae_module_forward(lstm, x, &y));
    golden_compare(file, "y", y);

    lstmae_tensor *all[] = { x, dy, dh, dc, h0, c0 };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) lstmae_tensor_destroy(all[i]);
    lstmae_module_destroy(lstm);
}

static void test_lstm(void **state)
{
    golden_file file;
    golden_open(&file, "lstm", *state);
    while (golden_next(&file)) {
        lstm_case(&file, 1);
        lstm_case(&file, 0);
    }
    golden_close(&file);
}

static void append(lstmae_module *chain, lstmae_module *child)
{
    assert_ok(lstmae_sequential_append(chain, child));
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

static lstmae_module *dense_chain(lstmae_context *context)
{
    lstmae_module *chain = NULL;
    assert_ok(lstmae_sequential_create(&chain, context));
    append(chain, linear(context, 6, 9, 0));
    append(chain, activation(context, LSTMAE_ACTIVATION_RELU));
    append(chain, linear(context, 9, 5, 0));
    append(chain, activation(context, LSTMAE_ACTIVATION_TANH));
    append(chain, linear(context, 5, 6, 0));
    append(chain, activation(context, LSTMAE_ACTIVATION_SIGMOID));
    return chain;
}

static lstmae_module *lstm_chain(lstmae_context *context)
{
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_module *chain = NULL, *lstm = NULL;
    options.layers = 2;
    assert_ok(lstmae_sequential_create(&chain, context));
    assert_ok(lstmae_lstm_create(&lstm, context, 4, 5, &options));
    append(chain, lstm);
    append(chain, linear(context, 5, 3, 0));
    return chain;
}

/** What make_golden.py numbers as `kind`. */
static lstmae_module *layer_of(golden_file *file)
{
    lstmae_context *context = file->context;
    switch (golden_int(file, "kind", -1)) {
    case 0: return linear(context, 5, 7, 0);
    case 1: return linear(context, 5, 7, LSTMAE_LINEAR_NO_BIAS);
    case 2: return activation(context, LSTMAE_ACTIVATION_RELU);
    case 3: return activation(context, LSTMAE_ACTIVATION_TANH);
    case 4: return activation(context, LSTMAE_ACTIVATION_SIGMOID);
    case 5: return dense_chain(context);
    case 6: return lstm_chain(context);
    default: fail_msg("%s: unknown kind", file->name);
    }
    return NULL;
}

static void test_layers(void **state)
{
    golden_file file;
    golden_open(&file, "layers", *state);
    while (golden_next(&file)) {
        lstmae_module *module = layer_of(&file);
        lstmae_tensor *x = golden_tensor(&file, "x"), *dy = golden_tensor(&file, "dy");
        const lstmae_tensor *y = NULL, *dx = NULL;
        golden_load_params(&file, "param.", module);
        assert_ok(lstmae_module_forward(module, x, &y));
        golden_compare(&file, "y", y);
        assert_ok(lstmae_module_backward(module, dy, &dx));
        golden_compare(&file, "dx", dx);
        golden_compare_grads(&file, module);
        lstmae_tensor_destroy(x);
        lstmae_tensor_destroy(dy);
        lstmae_module_destroy(module);
    }
    golden_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = { GOLDEN_TESTS(test_lstm), GOLDEN_TESTS(test_layers) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
