/*
 * Stateful sessions: outputs are those of the module over the whole series, scores those worked out from them, and a
 * state that was saved goes on where it was.
 */
#include "stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SERIES = 60 };

/* ---- against the module ---- */

typedef struct session_case {
    stream_shape shape;
    int32_t compare, score;
} session_case;

static const session_case session_cases[] = {
    { { .I = 1, .H = 1, .layers = 1 }, LSTMAE_COMPARE_SAME, LSTMAE_SESSION_SQUARED },
    { { .I = 8, .H = 64, .layers = 1, .head = 1 }, LSTMAE_COMPARE_NEXT, LSTMAE_SESSION_SQUARED },
    { { .I = 5, .H = 17, .layers = 3, .head = 1, .flags = LSTMAE_LSTM_PEEPHOLE },
      LSTMAE_COMPARE_NEXT, LSTMAE_SESSION_ABSOLUTE },
    { { .I = 70, .H = 33, .layers = 2, .head = 1, .activation = 1, .flags = LSTMAE_LSTM_NO_BIAS },
      LSTMAE_COMPARE_SAME, LSTMAE_SESSION_ABSOLUTE },
    { { .I = 3, .H = 530, .layers = 2, .head = 1 }, LSTMAE_COMPARE_SAME, LSTMAE_SESSION_SQUARED },
};

/* Outputs of the whole series in one forward, [SERIES,O]. */
static float *module_outputs(const stream_model *model, const float *series)
{
    const int64_t I = model->shape.I, dims[3] = { SERIES, 1, I };
    const lstmae_tensor *y = NULL;
    lstmae_tensor *x = NULL;
    assert_ok(lstmae_tensor_create(&x, model->context, LSTMAE_F32, 3, dims));
    assert_ok(lstmae_tensor_write(x, series, (size_t)(SERIES * I) * sizeof(float)));
    assert_ok(lstmae_module_set_training(model->module, 0));
    assert_ok(lstmae_module_forward(model->module, x, &y));
    const size_t bytes = (size_t)lstmae_tensor_numel(y) * sizeof(float);
    float *out = malloc(bytes);
    assert_non_null(out);
    assert_ok(lstmae_tensor_read(y, out, bytes));
    lstmae_tensor_destroy(x);
    return out;
}

static double score_of(const session_case *c, const float *x, const float *y, int64_t channels)
{
    double sum = 0.0;
    for (int64_t f = 0; f < channels; f++) {
        double e = (double)x[f] - (double)y[f];
        sum += c->score == LSTMAE_SESSION_SQUARED ? e * e : fabs(e);
    }
    return sum / (double)channels;
}

static void check_case(const session_case *c, const char *device)
{
    const int exact = strcmp(device, "cpu") == 0;
    stream_model model;
    stream_open(&model, &c->shape, device);
    const int64_t I = c->shape.I, O = stream_outputs(&c->shape);
    float *series = stream_series(I, SERIES), *outputs = module_outputs(&model, series);
    lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
    options.compare = c->compare;
    options.score = c->score;
    lstmae_session *session = NULL;
    assert_ok(lstmae_session_create(&session, model.frozen, &options));
    for (int64_t t = 0; t < SERIES; t++) {
        lstmae_push_result result = LSTMAE_PUSH_RESULT_INIT;
        const float *x = series + t * I, *y = outputs + t * O;
        assert_ok(lstmae_session_push(session, x, &result));
        assert_int_equal(result.index, t);
        if (exact) assert_memory_equal(result.output, y, (size_t)O * sizeof(float));
        assert_close("output", result.output, y, (size_t)O, 1e-6, 0.0);
        if (c->shape.head == 0) assert_ptr_equal(result.code, result.output);
        const float *compared = c->compare == LSTMAE_COMPARE_SAME ? y : y - O;
        if (c->compare == LSTMAE_COMPARE_NEXT && t == 0) {
            assert_int_equal(result.flags, LSTMAE_PUSH_EVALUATED);
            continue;
        }
        assert_int_equal(result.flags, LSTMAE_PUSH_SCORED | LSTMAE_PUSH_EVALUATED);
        assert_true(fabs(result.score - score_of(c, x, compared, O)) <= 1e-6);
        for (int64_t f = 0; f < O; f++) {
            const float e = result.error[f], part = c->score == LSTMAE_SESSION_SQUARED ? e * e : fabsf(e);
            assert_true(fabsf(e - (x[f] - compared[f])) <= 1e-6f);
            assert_true(result.contribution[f] == part);
        }
    }
    lstmae_session_destroy(session);
    stream_close(&model);
    free(outputs);
    free(series);
}

static void test_session_equals_module(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(session_cases) / sizeof(session_cases[0]); i++) {
        check_case(&session_cases[i], "cpu");
        check_case(&session_cases[i], "cpu:ref");
    }
}

/* A model on two threads, large enough that both work. */
static void test_session_threads(void **state)
{
    (void)state;
    static const stream_shape shape = { .I = 40, .H = 300, .layers = 2, .head = 1 };
    stream_model model;
    stream_open(&model, &shape, "cpu");
    float *series = stream_series(shape.I, SERIES), *outputs = module_outputs(&model, series);
    lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
    lstmae_session *session = NULL;
    options.threads = 2;
    assert_ok(lstmae_session_create(&session, model.frozen, &options));
    for (int64_t t = 0; t < SERIES; t++) {
        lstmae_push_result result = LSTMAE_PUSH_RESULT_INIT;
        assert_ok(lstmae_session_push(session, series + t * shape.I, &result));
        assert_memory_equal(result.output, outputs + t * shape.I, (size_t)shape.I * sizeof(float));
    }
    lstmae_session_destroy(session);
    stream_close(&model);
    free(outputs);
    free(series);
}

/* ---- options ---- */

static const stream_shape small = { .I = 4, .H = 9, .layers = 2, .head = 1 };

/* A session over `model` that has seen nothing. */
static lstmae_session *open_session(const stream_model *model, const lstmae_session_options *options)
{
    lstmae_session *session = NULL;
    assert_ok(lstmae_session_create(&session, model->frozen, options));
    return session;
}

/* A scaler that has seen a series of four channels in other units. */
static lstmae_scaler *fitted_scaler(lstmae_context *context, int32_t kind, int64_t memory)
{
    lstmae_scaler_options options = LSTMAE_SCALER_OPTIONS_INIT;
    lstmae_scaler *scaler = NULL;
    float rows[4 * SERIES];
    options.kind = kind;
    options.memory = memory;
    test_fill(rows, 4 * SERIES, 77, 3.0f);
    for (int i = 0; i < 4 * SERIES; i++) rows[i] += (float)(i % 4) * 10.0f;
    assert_ok(lstmae_scaler_create(&scaler, context, 4, &options));
    assert_ok(lstmae_scaler_update(scaler, rows, SERIES));
    return scaler;
}

/* What the model sees is what the scaler makes of samples, and outputs come back in the samples' units. */
static void test_session_scaling(void **state)
{
    (void)state;
    stream_model model;
    stream_open(&model, &small, "cpu");
    float *series = stream_series(4, SERIES);
    lstmae_scaler *scaler = fitted_scaler(model.context, LSTMAE_SCALING_STANDARD, 0);
    lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
    lstmae_session *plain = open_session(&model, &options);
    options.scaler = scaler;
    lstmae_session *scaled = open_session(&model, &options);
    for (int t = 0; t < SERIES; t++) {
        lstmae_push_result a = LSTMAE_PUSH_RESULT_INIT, b = LSTMAE_PUSH_RESULT_INIT;
        float seen[4], own[4];
        assert_ok(lstmae_scaler_transform(scaler, series + 4 * t, 1, seen));
        assert_ok(lstmae_session_push(plain, seen, &a));
        assert_ok(lstmae_session_push(scaled, series + 4 * t, &b));
        assert_true(a.score == b.score);
        assert_memory_equal(a.error, b.error, sizeof seen);
        assert_ok(lstmae_scaler_inverse(scaler, a.output, 1, own));
        assert_memory_equal(b.output, own, sizeof own);
    }
    lstmae_session_destroy(plain);
    lstmae_session_destroy(scaled);
    lstmae_scaler_destroy(scaler);
    stream_close(&model);
    free(series);
}

/* The scaler learns from samples that are whole and no alarms; the caller's stays what it was. */
static void check_refit(int32_t kind, int64_t memory)
{
    stream_model model;
    stream_open(&model, &small, "cpu");
    float *series = stream_series(4, SERIES);
    lstmae_scaler *scaler = fitted_scaler(model.context, kind, memory);
    lstmae_scaler *mine = fitted_scaler(model.context, kind, memory);
    lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
    lstmae_session *plain = open_session(&model, &options);
    options.scaler = scaler;
    options.flags = LSTMAE_SESSION_REFIT | LSTMAE_SESSION_HOLD;
    options.level = 0.5;
    const double center = lstmae_scaler_center(scaler, 1);
    lstmae_session *session = open_session(&model, &options);
    int alarms = 0;
    for (int t = 0; t < SERIES; t++) {
        lstmae_push_result a = LSTMAE_PUSH_RESULT_INIT, b = LSTMAE_PUSH_RESULT_INIT;
        float seen[4], sample[4];
        for (int f = 0; f < 4; f++) sample[f] = series[4 * t + f] * (t % 7 == 5 ? 40.0f : 3.0f) + 10.0f * (float)f;
        assert_ok(lstmae_scaler_transform(mine, sample, 1, seen));
        assert_ok(lstmae_session_push(plain, seen, &a));
        assert_ok(lstmae_session_push(session, sample, &b));
        assert_true(a.score == b.score);
        alarms += (b.flags & LSTMAE_PUSH_ALARM) != 0;
        if (!(b.flags & LSTMAE_PUSH_ALARM)) assert_ok(lstmae_scaler_update(mine, sample, 1));
    }
    assert_in_range(alarms, 1, SERIES - 1);
    assert_true(lstmae_scaler_center(scaler, 1) == center);
    if (kind == LSTMAE_SCALING_STANDARD) assert_true(lstmae_scaler_center(mine, 1) != center);
    lstmae_session_destroy(plain);
    lstmae_session_destroy(session);
    lstmae_scaler_destroy(scaler);
    lstmae_scaler_destroy(mine);
    stream_close(&model);
    free(series);
}

static void test_session_refit(void **state)
{
    (void)state;
    check_refit(LSTMAE_SCALING_STANDARD, 0);
    check_refit(LSTMAE_SCALING_STANDARD, 20);
    check_refit(LSTMAE_SCALING_MINMAX, 0);
}

static void test_session_averages_and_level(void **state)
{
    (void)state;
    stream_model model;
    stream_open(&model, &small, "cpu");
    float *series = stream_series(4, SERIES);
    lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
    lstmae_ewma average = LSTMAE_EWMA_INIT;
    options.alpha = average.alpha = 0.25;
    options.level = 0.3;
    lstmae_session *session = open_session(&model, &options);
    int alarms = 0;
    for (int t = 0; t < SERIES; t++) {
        lstmae_push_result result = LSTMAE_PUSH_RESULT_INIT;
        if (t == SERIES / 2) assert_ok(lstmae_session_set_level(session, 0.25));
        assert_ok(lstmae_session_push(session, series + 4 * t, &result));
        assert_true(result.score == lstmae_ewma_update(&average, result.raw_score));
        assert_true(result.threshold == (t < SERIES / 2 ? 0.3 : 0.25));
        assert_int_equal((result.flags & LSTMAE_PUSH_ALARM) != 0, result.score > result.threshold);
        alarms += (result.flags & LSTMAE_PUSH_ALARM) != 0;
    }
    assert_in_range(alarms, 1, SERIES - 1);
    lstmae_session_destroy(session);
    stream_close(&model);
    free(series);
}

/* Thresholds of every kind say in a session what they say to the same scores outside. */
static void check_threshold(const stream_model *model, const lstmae_threshold_options *kind)
{
    lstmae_threshold *threshold = NULL, *mine = NULL;
    lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
    float scores[400], *series = stream_series(4, SERIES);
    test_fill(scores, 400, 9, 0.2f);
    for (int i = 0; i < 400; i++) scores[i] = fabsf(scores[i]) + 0.1f;
    assert_ok(lstmae_threshold_create(&threshold, model->context, kind));
    assert_ok(lstmae_threshold_create(&mine, model->context, kind));
    assert_ok(lstmae_threshold_fit(threshold, scores, 400));
    assert_ok(lstmae_threshold_fit(mine, scores, 400));
    options.threshold = threshold;
    lstmae_session *session = open_session(model, &options);
    const double fitted = lstmae_threshold_value(threshold);
    for (int t = 0; t < SERIES; t++) {
        lstmae_push_result result = LSTMAE_PUSH_RESULT_INIT;
        assert_ok(lstmae_session_push(session, series + 4 * t, &result));
        assert_int_equal((result.flags & LSTMAE_PUSH_ALARM) != 0, lstmae_threshold_update(mine, result.score));
        assert_true(result.threshold == lstmae_threshold_value(mine));
    }
    assert_true(lstmae_threshold_value(threshold) == fitted);
    assert_fails(lstmae_session_set_level(session, 1.0), ERR_STATE);
    lstmae_session_destroy(session);
    lstmae_threshold_destroy(threshold);
    lstmae_threshold_destroy(mine);
    free(series);
}

static void test_session_thresholds(void **state)
{
    (void)state;
    lstmae_threshold_options kinds[] = { LSTMAE_THRESHOLD_QUANTILE_INIT, LSTMAE_THRESHOLD_SIGMA_INIT,
                                         LSTMAE_THRESHOLD_SPOT_INIT, LSTMAE_THRESHOLD_DYNAMIC_INIT,
                                         LSTMAE_THRESHOLD_QUANTILE_INIT };
    stream_model model;
    stream_open(&model, &small, "cpu");
    kinds[2].quantile = 0.9;
    kinds[3].batch = 7;
    kinds[4].flags = LSTMAE_THRESHOLD_ONLINE;
    for (int i = 0; i < 5; i++) check_threshold(&model, &kinds[i]);
    stream_close(&model);
}

/* Scores by the distribution of errors. */
static void check_gaussian(const stream_model *model, int32_t score, int32_t kind)
{
    lstmae_gaussian *gaussian = NULL;
    lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
    float errors[4 * SERIES], *series = stream_series(4, SERIES);
    test_fill(errors, 4 * SERIES, 21, 0.7f);
    assert_ok(lstmae_gaussian_create(&gaussian, model->context, 4, NULL));
    assert_ok(lstmae_gaussian_fit(gaussian, errors, SERIES));
    options.score = score;
    options.gaussian = gaussian;
    lstmae_session *session = open_session(model, &options);
    for (int t = 0; t < SERIES; t++) {
        lstmae_push_result result = LSTMAE_PUSH_RESULT_INIT;
        float want, contributions[4];
        assert_ok(lstmae_session_push(session, series + 4 * t, &result));
        assert_ok(lstmae_gaussian_score_errors(gaussian, kind, result.error, 1, &want, contributions));
        assert_true(result.score == (double)want);
        assert_memory_equal(result.contribution, contributions, sizeof contributions);
    }
    lstmae_session_destroy(session);
    lstmae_gaussian_destroy(gaussian);
    free(series);
}

static void test_session_gaussian(void **state)
{
    (void)state;
    stream_model model;
    stream_open(&model, &small, "cpu");
    check_gaussian(&model, LSTMAE_SESSION_MAHALANOBIS, LSTMAE_GAUSSIAN_MAHALANOBIS);
    check_gaussian(&model, LSTMAE_SESSION_DENSITY, LSTMAE_GAUSSIAN_DENSITY);
    stream_close(&model);
}

static void test_session_missing_values(void **state)
{
    (void)state;
    stream_model model;
    stream_open(&model, &small, "cpu");
    float *series = stream_series(4, SERIES);
    lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
    lstmae_session *strict = open_session(&model, &options), *filled = open_session(&model, &options);
    options.flags = LSTMAE_SESSION_HOLD;
    lstmae_session *held = open_session(&model, &options);
    for (int t = 0; t < SERIES; t++) {
        lstmae_push_result a = LSTMAE_PUSH_RESULT_INIT, b = LSTMAE_PUSH_RESULT_INIT;
        float whole[4], holes[4];
        memcpy(whole, series + 4 * t, sizeof whole);
        memcpy(holes, whole, sizeof holes);
        if (t % 5 == 3) {
            holes[t % 4] = t % 2 ? NAN : -INFINITY;
            whole[t % 4] = series[4 * (t - 1) + t % 4];
            assert_fails(lstmae_session_push(strict, holes, NULL), ERR_NUMERIC);
        }
        assert_ok(lstmae_session_push(strict, whole, NULL));
        assert_ok(lstmae_session_push(filled, whole, &a));
        assert_ok(lstmae_session_push(held, holes, &b));
        assert_memory_equal(a.output, b.output, sizeof whole);
        assert_int_equal((b.flags & LSTMAE_PUSH_HELD) != 0, t % 5 == 3);
        if (t % 5 == 3) assert_true(b.error[t % 4] == 0.0f);
        if (t % 5 != 3) assert_true(a.score == b.score);
    }
    const float nothing[4] = { NAN, NAN, NAN, NAN };
    lstmae_push_result last = LSTMAE_PUSH_RESULT_INIT, a = LSTMAE_PUSH_RESULT_INIT, b = LSTMAE_PUSH_RESULT_INIT;
    assert_ok(lstmae_session_push(held, nothing, &last));
    assert_int_equal(last.flags, LSTMAE_PUSH_HELD | LSTMAE_PUSH_EVALUATED);
    assert_ok(lstmae_session_push(strict, series, &a)); /* refusals left it as it was */
    assert_ok(lstmae_session_push(filled, series, &b));
    assert_memory_equal(a.output, b.output, sizeof nothing);
    lstmae_session_destroy(strict);
    lstmae_session_destroy(filled);
    lstmae_session_destroy(held);
    stream_close(&model);
    free(series);
}

static void test_session_compare_none(void **state)
{
    (void)state;
    static const stream_shape wide = { .I = 2, .H = 20, .layers = 1 };
    stream_model model;
    stream_open(&model, &wide, "cpu");
    lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
    lstmae_session *session = NULL;
    assert_fails(lstmae_session_create(&session, model.frozen, &options), ERR_SHAPE);
    options.compare = LSTMAE_COMPARE_NONE;
    session = open_session(&model, &options);
    lstmae_push_result result = LSTMAE_PUSH_RESULT_INIT;
    assert_ok(lstmae_session_push(session, (float[]){ 1.0f, 2.0f }, &result));
    assert_int_equal(result.flags, LSTMAE_PUSH_EVALUATED);
    assert_null(result.error);
    lstmae_session_destroy(session);
    stream_close(&model);
}

/* ---- frozen ---- */

static void test_frozen_is_a_copy(void **state)
{
    (void)state;
    stream_model model, same;
    lstmae_frozen *later = NULL;
    lstmae_frozen_info a = LSTMAE_FROZEN_INFO_INIT, b = LSTMAE_FROZEN_INFO_INIT, c = LSTMAE_FROZEN_INFO_INIT;
    stream_open(&model, &small, "cpu");
    stream_open(&same, &small, "cpu");
    lstmae_session *before = open_session(&model, NULL), *other = open_session(&same, NULL);
    assert_ok(lstmae_tensor_fill(lstmae_module_param(model.module, 0), 0.125));
    assert_ok(lstmae_frozen_create(&later, model.module, NULL));
    assert_ok(lstmae_frozen_describe(model.frozen, &a));
    assert_ok(lstmae_frozen_describe(same.frozen, &b));
    assert_ok(lstmae_frozen_describe(later, &c));
    assert_int_equal(a.fingerprint, b.fingerprint);
    assert_int_not_equal(a.fingerprint, c.fingerprint);
    assert_int_equal(a.features, 4);
    assert_int_equal(a.outputs, 4);
    assert_int_equal(a.code, 9);
    assert_true(a.bytes >= 4 * (4 * 9 * (4 + 9 + 9 + 9) + 4 * 9));
    stream_close(&model); /* the session needs neither model nor handle */
    const float *series = (float[]){ 0.1f, 0.2f, 0.3f, 0.4f };
    for (int t = 0; t < 5; t++) {
        lstmae_push_result x = LSTMAE_PUSH_RESULT_INIT, y = LSTMAE_PUSH_RESULT_INIT;
        assert_ok(lstmae_session_push(before, series, &x));
        assert_ok(lstmae_session_push(other, series, &y));
        assert_memory_equal(x.output, y.output, 4 * sizeof(float));
    }
    lstmae_frozen_destroy(later);
    lstmae_session_destroy(before);
    lstmae_session_destroy(other);
    stream_close(&same);
}

static void test_frozen_refuses(void **state)
{
    (void)state;
    lstmae_context *context = NULL, *wide = NULL;
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_module *both = NULL, *empty = NULL, *map = NULL, *f64 = NULL;
    lstmae_seq2seq *seq2seq = NULL;
    lstmae_frozen *frozen = NULL;
    lstmae_context_options doubles = LSTMAE_CONTEXT_OPTIONS_INIT;
    doubles.dtype = LSTMAE_F64;
    assert_ok(lstmae_context_create(&context, "cpu", NULL));
    assert_ok(lstmae_context_create(&wide, "cpu:ref", &doubles));
    options.flags = LSTMAE_LSTM_BIDIRECTIONAL;
    assert_ok(lstmae_lstm_create(&both, context, 3, 4, &options));
    assert_ok(lstmae_linear_create(&f64, wide, 3, 4, 0));
    assert_ok(lstmae_sequential_create(&empty, context));
    assert_ok(lstmae_activation_create(&map, context, LSTMAE_ACTIVATION_TANH));
    assert_ok(lstmae_seq2seq_create(&seq2seq, context, 3, 4, NULL));
    assert_fails(lstmae_frozen_create(&frozen, both, NULL), ERR_UNSUPPORTED);
    assert_fails(lstmae_frozen_create(&frozen, f64, NULL), ERR_DTYPE);
    assert_fails(lstmae_frozen_create(&frozen, empty, NULL), ERR_UNSUPPORTED);
    assert_fails(lstmae_frozen_create(&frozen, map, NULL), ERR_UNSUPPORTED);
    assert_fails(lstmae_frozen_create(&frozen, lstmae_seq2seq_module(seq2seq), NULL), ERR_UNSUPPORTED);
    assert_null(frozen);
    lstmae_module *linear = NULL, *lstm = NULL;
    assert_ok(lstmae_linear_create(&linear, context, 3, 4, 0));
    assert_ok(lstmae_lstm_create(&lstm, context, 3, 4, NULL));
    assert_ok(lstmae_sequential_append(empty, linear));
    assert_ok(lstmae_sequential_append(empty, lstm));
    assert_fails(lstmae_frozen_create(&frozen, empty, NULL), ERR_SHAPE);
    lstmae_module_destroy(both);
    lstmae_module_destroy(empty);
    lstmae_module_destroy(map);
    lstmae_module_destroy(f64);
    lstmae_seq2seq_destroy(seq2seq);
    lstmae_context_destroy(context);
    lstmae_context_destroy(wide);
}

/* ---- states ---- */

/* Pushes samples [from, to) and keeps outputs and scores. */
static void push_range(lstmae_session *session, const float *series, int from, int to, float *outputs, double *scores)
{
    for (int t = from; t < to; t++) {
        lstmae_push_result result = LSTMAE_PUSH_RESULT_INIT;
        assert_ok(lstmae_session_push(session, series + 4 * t, &result));
        memcpy(outputs + 4 * t, result.output, 4 * sizeof(float));
        scores[t] = result.score;
    }
}

/* Options with a scaler and a threshold that learn. */
static lstmae_session_options learning_options(lstmae_context *context, int32_t compare)
{
    lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
    lstmae_threshold_options sigma = LSTMAE_THRESHOLD_SIGMA_INIT;
    lstmae_threshold *threshold = NULL;
    const float scores[4] = { 0.1f, 0.3f, 0.2f, 0.25f };
    sigma.flags = LSTMAE_THRESHOLD_ONLINE;
    sigma.memory = 30;
    assert_ok(lstmae_threshold_create(&threshold, context, &sigma));
    assert_ok(lstmae_threshold_fit(threshold, scores, 4));
    options.compare = compare;
    options.alpha = 0.5;
    options.flags = LSTMAE_SESSION_REFIT;
    options.scaler = fitted_scaler(context, LSTMAE_SCALING_STANDARD, 25);
    options.threshold = threshold;
    return options;
}

/* A series in the units of fitted_scaler(). */
static float *series_in_units(void)
{
    float *series = stream_series(4, SERIES);
    for (int i = 0; i < 4 * SERIES; i++) series[i] = series[i] * 1.5f + (float)(i % 4) * 10.0f;
    return series;
}

static void free_learning_options(lstmae_session_options *options)
{
    lstmae_scaler_destroy((lstmae_scaler *)(uintptr_t)options->scaler);
    lstmae_threshold_destroy((lstmae_threshold *)(uintptr_t)options->threshold);
}

static void check_states(const char *device, int32_t compare)
{
    stream_model model;
    stream_open(&model, &small, device);
    float *series = series_in_units(), whole[4 * SERIES], parts[4 * SERIES];
    double whole_scores[SERIES], part_scores[SERIES];
    lstmae_session_options options = learning_options(model.context, compare);
    lstmae_session *one = open_session(&model, &options), *two = open_session(&model, &options);
    const size_t bytes = lstmae_session_state_bytes(one);
    unsigned char *memory = malloc(bytes + 1);
    assert_non_null(memory);
    push_range(one, series, 0, SERIES, whole, whole_scores);
    push_range(two, series, 0, 20, parts, part_scores);
    assert_ok(lstmae_session_save(two, memory + 1, bytes));
    push_range(two, series, 3, 9, parts, part_scores); /* somewhere else entirely */
    assert_ok(lstmae_session_restore(two, memory + 1, bytes));
    push_range(two, series, 20, SERIES, parts, part_scores);
    lstmae_session *three = open_session(&model, &options); /* a session that never saw a sample */
    push_range(three, series, 0, 20, parts, part_scores);
    assert_memory_equal(parts, whole, sizeof whole);
    assert_memory_equal(part_scores, whole_scores, sizeof whole_scores);
    lstmae_session_destroy(three);
    three = open_session(&model, &options);
    assert_ok(lstmae_session_restore(three, memory + 1, bytes));
    memset(parts, 0, sizeof parts);
    push_range(three, series, 20, SERIES, parts, part_scores);
    assert_memory_equal(parts + 80, whole + 80, sizeof whole - 80 * sizeof *whole);
    lstmae_session_destroy(one);
    lstmae_session_destroy(two);
    lstmae_session_destroy(three);
    free_learning_options(&options);
    stream_close(&model);
    free(memory);
    free(series);
}

/* After a reset the model has seen nothing, and what was learned is still there. */
static void test_session_reset(void **state)
{
    (void)state;
    stream_model model;
    stream_open(&model, &small, "cpu");
    float *series = series_in_units(), first[4 * SERIES], again[4 * SERIES];
    double first_scores[SERIES], again_scores[SERIES];
    lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
    options.compare = LSTMAE_COMPARE_NEXT;
    options.alpha = 0.3;
    lstmae_session *session = open_session(&model, &options);
    push_range(session, series, 0, SERIES, first, first_scores);
    assert_ok(lstmae_session_reset(session));
    push_range(session, series, 0, SERIES, again, again_scores);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_equal(first_scores, again_scores, sizeof first_scores);
    lstmae_session_destroy(session);

    options = learning_options(model.context, LSTMAE_COMPARE_SAME);
    session = open_session(&model, &options);
    lstmae_push_result before = LSTMAE_PUSH_RESULT_INIT, after = LSTMAE_PUSH_RESULT_INIT;
    assert_ok(lstmae_session_push(session, series, &before));
    push_range(session, series, 1, SERIES, first, first_scores);
    assert_ok(lstmae_session_reset(session));
    assert_ok(lstmae_session_push(session, series, &after));
    assert_int_equal(after.index, 0);
    assert_true(after.threshold != before.threshold);
    lstmae_session_destroy(session);
    free_learning_options(&options);
    stream_close(&model);
    free(series);
}

static void test_session_states(void **state)
{
    (void)state;
    check_states("cpu", LSTMAE_COMPARE_SAME);
    check_states("cpu", LSTMAE_COMPARE_NEXT);
    check_states("cpu:ref", LSTMAE_COMPARE_NEXT);
}

static void test_session_refuses_states(void **state)
{
    (void)state;
    stream_model model, other;
    lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
    stream_open(&model, &small, "cpu");
    stream_open(&other, &(stream_shape){ .I = 4, .H = 9, .layers = 1, .head = 1 }, "cpu");
    lstmae_session *session = open_session(&model, &options), *foreign = open_session(&other, &options);
    options.alpha = 0.5;
    lstmae_session *smooth = open_session(&model, &options);
    const size_t bytes = lstmae_session_state_bytes(session);
    unsigned char *memory = malloc(bytes), *before = malloc(bytes), *after = malloc(bytes);
    assert_true(memory && before && after);
    assert_ok(lstmae_session_push(session, (float[]){ 1.0f, 2.0f, 3.0f, 4.0f }, NULL));
    assert_fails(lstmae_session_save(session, memory, bytes - 1), ERR_INVALID_ARG);
    assert_ok(lstmae_session_save(session, memory, bytes));
    assert_fails(lstmae_session_restore(foreign, memory, bytes), ERR_STATE);
    assert_fails(lstmae_session_restore(smooth, memory, bytes), ERR_STATE);
    assert_ok(lstmae_session_push(session, (float[]){ 4.0f, 3.0f, 2.0f, 1.0f }, NULL));
    assert_ok(lstmae_session_save(session, before, bytes));
    for (size_t cut = 0; cut < bytes; cut++) assert_fails(lstmae_session_restore(session, memory, cut), ERR_FORMAT);
    for (size_t i = 0; i < bytes; i++) {
        memory[i] ^= 0x10;
        assert_fails(lstmae_session_restore(session, memory, bytes), ERR_FORMAT);
        memory[i] ^= 0x10;
    }
    assert_ok(lstmae_session_save(session, after, bytes));
    assert_memory_equal(after, before, bytes);
    assert_ok(lstmae_session_restore(session, memory, bytes));
    lstmae_session_destroy(session);
    lstmae_session_destroy(foreign);
    lstmae_session_destroy(smooth);
    stream_close(&model);
    stream_close(&other);
    free(memory);
    free(before);
    free(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session_equals_module),
        cmocka_unit_test(test_session_threads),
        cmocka_unit_test(test_session_scaling),
        cmocka_unit_test(test_session_refit),
        cmocka_unit_test(test_session_averages_and_level),
        cmocka_unit_test(test_session_thresholds),
        cmocka_unit_test(test_session_gaussian),
        cmocka_unit_test(test_session_missing_values),
        cmocka_unit_test(test_session_compare_none),
        cmocka_unit_test(test_frozen_is_a_copy),
        cmocka_unit_test(test_frozen_refuses),
        cmocka_unit_test(test_session_states),
        cmocka_unit_test(test_session_reset),
        cmocka_unit_test(test_session_refuses_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
