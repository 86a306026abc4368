/* A thousand steps in float32 beside the same steps in float64: rounding must not pile up over time. */
#include "values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { T = 1000, B = 3, I = 5, H = 24, LAYERS = 2 };

/* Gates forget: the state of step t carries roundings of the last few dozen steps, each 6e-8 of values near 1. */
#define DRIFT_LIMIT 2e-6
/* With a forget bias they live for a hundred steps and feed back; the plain float32 loops are at 3e-6 then. */
#define DRIFT_LONG_LIMIT 1e-5
/* A gradient of a weight is a sum over 3000 rows; the limit of all golden comparisons. */
#define DRIFT_GRADIENT_LIMIT 2e-5

typedef struct drift_run {
    double *y, *dx;
    size_t param_count;
    double *params[16]; /* gradients */
    size_t counts[16];
} drift_run;

static double *drawn(size_t count, uint64_t seed, double scale)
{
    double *values = malloc(count * sizeof(double));
    assert_non_null(values);
    values_draw(values, count, seed, scale);
    return values;
}

static lstmae_tensor *drawn_tensor(lstmae_context *context, const int64_t dims[3], uint64_t seed, double scale)
{
    double *values = drawn((size_t)(dims[0] * dims[1] * dims[2]), seed, scale);
    lstmae_tensor *tensor = values_tensor(context, 3, dims, values);
    free(values);
    return tensor;
}

/** Adds `forget_bias` to the forget part of every bias_ih. */
static void draw_params(lstmae_module *module, double scale, double forget_bias)
{
    for (size_t i = 0; i < lstmae_module_param_count(module); i++) {
        lstmae_tensor *param = lstmae_module_param(module, i);
        double *values = drawn((size_t)lstmae_tensor_numel(param), 10 + i, scale);
        if (strstr(lstmae_module_param_name(module, i), "bias_ih"))
            for (int n = H; n < 2 * H; n++) values[n] += forget_bias;
        values_write(param, values);
        free(values);
    }
}

static lstmae_context *context_of(const char *device, lstmae_dtype dtype)
{
    lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
    lstmae_context *context = NULL;
    options.dtype = dtype;
    assert_ok(lstmae_context_create(&context, device, &options));
    return context;
}

static drift_run run_lstm(lstmae_context *context, uint32_t flags, double forget_bias)
{
    const int64_t in[] = { T, B, I }, out[] = { T, B, H };
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_module *lstm = NULL;
    const lstmae_tensor *y = NULL, *dx = NULL;
    drift_run run = { 0 };
    options.layers = LAYERS;
    options.flags = flags;
    assert_ok(lstmae_lstm_create(&lstm, context, I, H, &options));
    draw_params(lstm, 0.3, forget_bias);
    lstmae_tensor *x = drawn_tensor(context, in, 1, 1.0), *dy = drawn_tensor(context, out, 2, 1.0);
    assert_ok(lstmae_module_forward(lstm, x, &y));
    run.y = values_read(y);
    assert_ok(lstmae_module_backward(lstm, dy, &dx));
    run.dx = values_read(dx);
    run.param_count = lstmae_module_param_count(lstm);
    for (size_t i = 0; i < run.param_count; i++) {
        run.params[i] = values_read(lstmae_module_param_grad(lstm, i));
        run.counts[i] = (size_t)lstmae_tensor_numel(lstmae_module_param(lstm, i));
    }
    lstmae_tensor_destroy(x);
    lstmae_tensor_destroy(dy);
    lstmae_module_destroy(lstm);
    return run;
}

static void free_run(drift_run *run)
{
    for (size_t i = 0; i < run->param_count; i++) free(run->params[i]);
    free(run->y);
    free(run->dx);
}

/** Errors of the first and last tenth of an array [T,B,width]. */
static void assert_no_drift(const char *what, const double *got, const double *want, size_t width, double limit)
{
    size_t row = B * width, tenth = T / 10 * row, last = T * row - tenth;
    double first_error = values_error(got, want, tenth), last_error = values_error(got + last, want + last, tenth);
    double error = values_error(got, want, T * row);
    print_message("%s: error %.2e, of the first tenth %.2e, of the last %.2e\n", what, error, first_error, last_error);
    assert_true(error <= limit);
}

static void compare_lstm(uint32_t flags, double forget_bias, double limit)
{
    lstmae_context *single = test_context("cpu", LSTMAE_F32), *wide = context_of("cpu:ref", LSTMAE_F64);
    drift_run got = run_lstm(single, flags, forget_bias), want = run_lstm(wide, flags, forget_bias);
    assert_no_drift("outputs", got.y, want.y, H, limit);
    assert_no_drift("input gradients", got.dx, want.dx, I, limit);
    for (size_t i = 0; i < got.param_count; i++)
        assert_true(values_error(got.params[i], want.params[i], got.counts[i]) <= DRIFT_GRADIENT_LIMIT);
    free_run(&got);
    free_run(&want);
    lstmae_context_destroy(single);
    lstmae_context_destroy(wide);
}

static void test_drift_lstm(void **state)
{
    (void)state;
    compare_lstm(0, 0.0, DRIFT_LIMIT);
}

static void test_drift_peephole(void **state)
{
    (void)state;
    compare_lstm(LSTMAE_LSTM_PEEPHOLE, 0.0, DRIFT_LIMIT);
}

/** Forget gates near 0.95: what happened a hundred steps ago still counts. */
static void test_drift_long_memory(void **state)
{
    (void)state;
    compare_lstm(0, 3.0, DRIFT_LONG_LIMIT);
}

/** Ten frames in, a thousand frames out, each made from the one before. */
static double *run_generate(lstmae_context *context)
{
    const int64_t in[] = { 10, B, I }, out[] = { T, B, I };
    lstmae_lstm_options encoder = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_decoder_options decoder = LSTMAE_DECODER_OPTIONS_INIT;
    lstmae_seq2seq *model = NULL;
    encoder.layers = LAYERS;
    decoder.target = LSTMAE_DECODE_FUTURE;
    decoder.steps = 10;
    assert_ok(lstmae_seq2seq_create(&model, context, I, H, &encoder));
    assert_ok(lstmae_seq2seq_add_decoder(model, &decoder));
    draw_params(lstmae_seq2seq_module(model), 0.3, 0.0);
    lstmae_tensor *x = drawn_tensor(context, in, 1, 1.0), *y = values_tensor(context, 3, out, NULL);
    assert_ok(lstmae_seq2seq_generate(model, x, y));
    double *values = values_read(y);
    lstmae_tensor_destroy(x);
    lstmae_tensor_destroy(y);
    lstmae_seq2seq_destroy(model);
    return values;
}

static void test_drift_generate(void **state)
{
    (void)state;
    lstmae_context *single = test_context("cpu", LSTMAE_F32), *wide = context_of("cpu:ref", LSTMAE_F64);
    double *got = run_generate(single), *want = run_generate(wide);
    assert_no_drift("generated frames", got, want, I, DRIFT_GRADIENT_LIMIT);
    free(got);
    free(want);
    lstmae_context_destroy(single);
    lstmae_context_destroy(wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_drift_lstm), cmocka_unit_test(test_drift_peephole),
                                        cmocka_unit_test(test_drift_long_memory),
                                        cmocka_unit_test(test_drift_generate) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
