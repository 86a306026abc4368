/*
 * Sequence models on a device against the reference: losses, outputs and all gradients of two accumulated steps, and
 * the parameters after optimizer steps. What is of interest are the orders of work that a device may choose where the
 * reference goes step by step: closed loops of several decoders at once, weight gradients beside what comes after them.
 */
#include "device.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DECODERS 3

typedef struct model_decoder {
    int target, input;
    int64_t steps, hidden;
    uint32_t flags;
    double truth;
} model_decoder;

typedef struct model_case {
    int64_t T, B, F, H, L;
    int dtype, feedback;
    double dropout;
    uint32_t flags; /* of encoder and decoders */
    int count;
    model_decoder decoder[DECODERS];
} model_case;

/* A case on one device. */
typedef struct model_run {
    lstmae_context *context;
    lstmae_seq2seq *model;
    lstmae_loss *loss;
    lstmae_tensor *x, *future;
    lstmae_optimizer *optimizer;
} model_run;

/* ---- making ---- */

static lstmae_context *run_context(const char *device, const model_case *c)
{
    lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
    lstmae_context *context = NULL;
    options.dtype = c->dtype;
    options.seed = 11;
    if (strncmp(device, "cpu", 3) != 0 && c->dtype == LSTMAE_F32) options.precision = test_device_precision();
    lstmae_status status = lstmae_context_create(&context, device, &options);
    if (status == LSTMAE_ERR_UNSUPPORTED) {
        print_message("no device \"%s\" here: %s\n", device, lstmae_last_error());
        exit(77);
    }
    assert_int_equal(status, LSTMAE_OK);
    return context;
}

static lstmae_tensor *run_sequence(const model_run *run, const model_case *c, uint64_t seed)
{
    const int64_t dims[3] = { c->T, c->B, c->F };
    const size_t count = (size_t)(c->T * c->B * c->F);
    float *values = malloc(count * sizeof *values);
    double *wide = malloc(count * sizeof *wide);
    lstmae_tensor *tensor = NULL;
    assert_non_null(values);
    assert_non_null(wide);
    test_fill(values, count, seed, 0.5f);
    for (size_t i = 0; i < count; i++) {
        values[i] += 0.5f; /* a target of cross-entropy too */
        wide[i] = values[i];
    }
    assert_ok(lstmae_tensor_create(&tensor, run->context, (lstmae_dtype)c->dtype, 3, dims));
    if (c->dtype == LSTMAE_F32) assert_ok(lstmae_tensor_write(tensor, values, count * sizeof *values));
    else assert_ok(lstmae_tensor_write(tensor, wide, count * sizeof *wide));
    free(values);
    free(wide);
    return tensor;
}

static void run_add_decoder(const model_run *run, const model_case *c, const model_decoder *decoder)
{
    lstmae_decoder_options options = LSTMAE_DECODER_OPTIONS_INIT;
    options.target = decoder->target;
    options.input = decoder->input;
    options.feedback = c->feedback;
    options.steps = decoder->steps;
    options.hidden = decoder->hidden;
    options.dropout = decoder->flags & LSTMAE_DECODER_SHARED ? 0.0 : c->dropout;
    options.truth = decoder->truth;
    options.flags = c->flags | decoder->flags;
    assert_ok(lstmae_seq2seq_add_decoder(run->model, &options));
}

static model_run run_open(const char *device, const model_case *c)
{
    lstmae_lstm_options encoder = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_loss_options loss = LSTMAE_LOSS_OPTIONS_INIT;
    lstmae_optimizer_options sgd = LSTMAE_SGD_OPTIONS_INIT;
    model_run run = { .context = run_context(device, c) };
    encoder.layers = c->L;
    encoder.dropout = c->dropout;
    encoder.flags = c->flags;
    assert_ok(lstmae_seq2seq_create(&run.model, run.context, c->F, c->H, &encoder));
    for (int i = 0; i < c->count; i++) run_add_decoder(&run, c, &c->decoder[i]);
    if (c->feedback == LSTMAE_ACTIVATION_SIGMOID) loss.kind = LSTMAE_LOSS_BCE_LOGITS;
    assert_ok(lstmae_loss_create(&run.loss, run.context, &loss));
    run.x = run_sequence(&run, c, 1);
    run.future = run_sequence(&run, c, 2);
    sgd.lr = 0.1;
    sgd.momentum = 0.9;
    sgd.clip_norm = c->count == 2 ? 0.05 : 0.0;
    assert_ok(lstmae_optimizer_create(&run.optimizer, lstmae_seq2seq_module(run.model), &sgd));
    return run;
}

static void run_close(model_run *run)
{
    lstmae_optimizer_destroy(run->optimizer);
    lstmae_tensor_destroy(run->x);
    lstmae_tensor_destroy(run->future);
    lstmae_loss_destroy(run->loss);
    lstmae_seq2seq_destroy(run->model);
    lstmae_context_destroy(run->context);
}

/* ---- comparing ---- */

static double *values_of(const lstmae_tensor *tensor, size_t *count)
{
    *count = (size_t)lstmae_tensor_numel(tensor);
    double *values = malloc((*count + 1) * sizeof *values);
    assert_non_null(values);
    if (lstmae_tensor_dtype(tensor) == LSTMAE_F64) {
        assert_ok(lstmae_tensor_read(tensor, values, *count * sizeof *values));
        return values;
    }
    float *narrow = malloc((*count + 1) * sizeof *narrow);
    assert_non_null(narrow);
    assert_ok(lstmae_tensor_read(tensor, narrow, *count * sizeof *narrow));
    for (size_t i = 0; i < *count; i++) values[i] = narrow[i];
    free(narrow);
    return values;
}

static void compare(const model_case *c, const char *what, const lstmae_tensor *got, const lstmae_tensor *want)
{
    /* doubles in another order; floats over steps that pass each other's errors on */
    test_tolerance allowed = { 0, 1e-11 };
    if (c->dtype == LSTMAE_F32) allowed = test_device_tolerance((test_tolerance){ 0, 3e-5 });
    size_t count, same;
    double largest = 0.0, worst = 0.0, *a = values_of(got, &count), *b = values_of(want, &same);
    assert_int_equal(count, same);
    for (size_t i = 0; i < count; i++) {
        double error = fabs(a[i] - b[i]);
        if (!(error <= worst)) worst = error;
        if (fabs(b[i]) > largest) largest = fabs(b[i]);
    }
    if (!(worst <= 3.0 * allowed.of_largest * largest)) {
        print_error("%s of T %d B %d F %d H %d L %d, %d decoders: off by %g, the largest is %g\n", what, (int)c->T,
                    (int)c->B, (int)c->F, (int)c->H, (int)c->L, c->count, worst, largest);
        fail();
    }
    free(a);
    free(b);
}

static void compare_params(const model_case *c, const model_run *got, const model_run *want, int gradients)
{
    lstmae_module *a = lstmae_seq2seq_module(got->model), *b = lstmae_seq2seq_module(want->model);
    assert_int_equal(lstmae_module_param_count(a), lstmae_module_param_count(b));
    for (size_t i = 0; i < lstmae_module_param_count(a); i++) {
        const char *name = lstmae_module_param_name(a, i);
        if (gradients) compare(c, name, lstmae_module_param_grad(a, i), lstmae_module_param_grad(b, i));
        else compare(c, name, lstmae_module_param(a, i), lstmae_module_param(b, i));
    }
}

static void compare_losses(const model_case *c, const model_run *got, const model_run *want)
{
    const double part = c->dtype == LSTMAE_F64 ? 1e-11 : test_device_tolerance((test_tolerance){ 0, 1e-5 }).of_largest;
    for (int i = 0; i < c->count; i++) {
        double a, b;
        assert_ok(lstmae_seq2seq_decoder_loss(got->model, i, &a));
        assert_ok(lstmae_seq2seq_decoder_loss(want->model, i, &b));
        assert_true(fabs(a - b) <= part * fabs(b));
        compare(c, "output", lstmae_seq2seq_output(got->model, i), lstmae_seq2seq_output(want->model, i));
    }
}

static void step(const model_run *run, double scale)
{
    assert_ok(lstmae_seq2seq_step(run->model, run->loss, run->x, run->future, scale, NULL));
}

static void check(const model_case *c)
{
    model_run got = run_open(test_device_name(), c), want = run_open("cpu:ref", c);
    compare_params(c, &got, &want, 0);
    for (int i = 0; i < 2; i++) {
        step(&got, 0.5);
        step(&want, 0.5);
        compare_losses(c, &got, &want);
    }
    compare_params(c, &got, &want, 1);
    for (int i = 0; i < 3; i++) {
        /* straight from backward to the update, and through a look at the gradients */
        double a, b;
        if (i == 1) {
            assert_ok(lstmae_optimizer_grad_norm(got.optimizer, &a));
            assert_ok(lstmae_optimizer_grad_norm(want.optimizer, &b));
            assert_true(fabs(a - b) <= 0.05 * b);
        }
        assert_ok(i < 2 ? lstmae_optimizer_step(got.optimizer) : lstmae_optimizer_step_guarded(got.optimizer));
        assert_ok(i < 2 ? lstmae_optimizer_step(want.optimizer) : lstmae_optimizer_step_guarded(want.optimizer));
        assert_ok(lstmae_module_zero_grad(lstmae_seq2seq_module(got.model)));
        assert_ok(lstmae_module_zero_grad(lstmae_seq2seq_module(want.model)));
        step(&got, 1.0);
        step(&want, 1.0);
    }
    compare_params(c, &got, &want, 0);
    /* inference, of one decoder alone */
    if (c->decoder[0].target != LSTMAE_DECODE_FUTURE) {
        lstmae_tensor *a = run_sequence(&got, c, 3), *b = run_sequence(&want, c, 3);
        assert_ok(lstmae_seq2seq_reconstruct(got.model, got.x, a));
        assert_ok(lstmae_seq2seq_reconstruct(want.model, want.x, b));
        compare(c, "reconstruction", a, b);
        lstmae_tensor_destroy(a);
        lstmae_tensor_destroy(b);
    }
    run_close(&got);
    run_close(&want);
}

/* ---- cases ---- */

#define REVERSED(...) { .target = LSTMAE_DECODE_REVERSED, .input = LSTMAE_INPUT_OUTPUT, __VA_ARGS__ }
#define FORWARD(...) { .target = LSTMAE_DECODE_FORWARD, .input = LSTMAE_INPUT_OUTPUT, __VA_ARGS__ }
#define FUTURE(n, ...) { .target = LSTMAE_DECODE_FUTURE, .input = LSTMAE_INPUT_OUTPUT, .steps = n, __VA_ARGS__ }

/* As many decoders as there are, of equal sizes: all of them in one loop. */
static void test_seq2seq_loops(void **state)
{
    (void)state;
    for (int count = 1; count <= DECODERS; count++)
        for (int64_t L = 1; L <= 3; L++)
            for (int64_t K = 1; K <= 5; K += 2)
                for (int dtype = LSTMAE_F32; dtype <= LSTMAE_F64; dtype++) {
                    const int odd = (count + (int)L) % 2;
                    model_case c = { .T = K, .B = odd ? 3 : 2, .F = odd ? 5 : 8, .H = odd ? 7 : 12, .L = L,
                                     .dtype = dtype, .count = count,
                                     .decoder = { REVERSED(0), FUTURE(K), FORWARD(0) } };
                    c.feedback = (K + L) % 2 ? LSTMAE_ACTIVATION_SIGMOID : LSTMAE_ACTIVATION_IDENTITY;
                    c.dropout = K > 1 ? 0.3 : 0.0;
                    if (L == 2) c.flags = LSTMAE_LSTM_PEEPHOLE;
                    if (L == 3) c.flags = LSTMAE_LSTM_NO_BIAS;
                    check(&c);
                }
}

/* Sizes that whole vectors fit in, and one decoder more than fit in a launch. */
static void test_seq2seq_wide_loops(void **state)
{
    (void)state;
    model_case c = { .T = 4, .B = 16, .F = 32, .H = 24, .L = 2, .dtype = LSTMAE_F32, .dropout = 0.5, .count = 3,
                     .decoder = { REVERSED(0), FUTURE(4), FORWARD(0) } };
    check(&c);
    c.feedback = LSTMAE_ACTIVATION_TANH;
    c.flags = LSTMAE_LSTM_PEEPHOLE;
    check(&c);
}

/* Neighbours that cannot run together: other sizes, other steps, inputs by draw, a fold, and what is fed the truth. */
static void test_seq2seq_mixed_loops(void **state)
{
    (void)state;
    for (int dtype = LSTMAE_F32; dtype <= LSTMAE_F64; dtype++) {
        const model_case cases[] = {
            { .T = 4, .B = 3, .F = 5, .H = 7, .L = 2, .dropout = 0.2, .count = 3,
              .decoder = { REVERSED(0), FUTURE(4, .hidden = 6), FORWARD(0) } },
            { .T = 4, .B = 3, .F = 5, .H = 7, .L = 2, .dropout = 0.2, .count = 3,
              .decoder = { REVERSED(0), FUTURE(2), FORWARD(0) } },
            { .T = 4, .B = 3, .F = 5, .H = 7, .L = 2, .dropout = 0.2, .count = 3,
              .decoder = { REVERSED(0), { LSTMAE_DECODE_FORWARD, LSTMAE_INPUT_TRUTH, 0, 0, 0, 0.5 }, FORWARD(0) } },
            { .T = 4, .B = 3, .F = 5, .H = 7, .L = 2, .dropout = 0.2, .count = 3,
              .decoder = { { LSTMAE_DECODE_FORWARD, LSTMAE_INPUT_TRUTH, 0, 0, 0, 1.0 }, FORWARD(0), REVERSED(0) } },
            { .T = 6, .B = 8, .F = 9, .H = 5, .L = 1, .count = 2, .decoder = { REVERSED(0), FUTURE(2) } },
            { .T = 4, .B = 3, .F = 5, .H = 7, .L = 2, .count = 3,
              .decoder = { REVERSED(0), FUTURE(4, .flags = LSTMAE_DECODER_SHARED), FORWARD(0) } },
            { .T = 4, .B = 3, .F = 5, .H = 7, .L = 2, .count = 3,
              .decoder = { REVERSED(0), { LSTMAE_DECODE_FORWARD, LSTMAE_INPUT_CODE, 0, 0, 0, 0 }, FORWARD(0) } },
        };
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            model_case c = cases[i];
            c.dtype = dtype;
            check(&c);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seq2seq_loops),
        cmocka_unit_test(test_seq2seq_wide_loops),
        cmocka_unit_test(test_seq2seq_mixed_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
