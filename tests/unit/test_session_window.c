/*
 * Sessions over windows: whatever the model, they say what it says about the same window outside, to the bit, at the
 * right moments, and of the right samples.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { T = 6, F = 3, SERIES = 40, STEPS = 4 };

/* ---- models ---- */

typedef struct watched {
    lstmae_context *context;
    lstmae_seq2seq *seq2seq;
    lstmae_autoencoder *autoencoder;
    lstmae_module *module; /* borrowed where one of the others is set */
    lstmae_frozen *frozen;
    int32_t layout;
} watched;

static void add(lstmae_module *chain, lstmae_module *child)
{
    assert_ok(lstmae_sequential_append(chain, child));
}

static void make_lstm_autoencoder(watched *w)
{
    lstmae_lstm_options encoder = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_decoder_options decoder = LSTMAE_DECODER_OPTIONS_INIT;
    encoder.layers = 2;
    encoder.flags = LSTMAE_LSTM_PEEPHOLE;
    encoder.dropout = 0.5;
    encoder.forget_bias = 1.0;
    decoder.layers = 1;
    decoder.hidden = 9;
    decoder.forget_bias = 1.0;
    assert_ok(lstmae_seq2seq_create(&w->seq2seq, w->context, F, 7, &encoder));
    assert_ok(lstmae_seq2seq_add_decoder(w->seq2seq, &decoder));
    decoder.target = LSTMAE_DECODE_FUTURE;
    decoder.steps = STEPS;
    decoder.input = LSTMAE_INPUT_CODE;
    decoder.feedback = LSTMAE_ACTIVATION_TANH;
    assert_ok(lstmae_seq2seq_add_decoder(w->seq2seq, &decoder));
    w->module = lstmae_seq2seq_module(w->seq2seq);
}

/* A variational one, bidirectional, with cells that are shared. */
static void make_lstm_vae(watched *w)
{
    lstmae_lstm_options encoder = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_decoder_options decoder = LSTMAE_DECODER_OPTIONS_INIT;
    lstmae_latent_options latent = LSTMAE_LATENT_OPTIONS_INIT;
    latent.size = 4;
    decoder.flags = LSTMAE_DECODER_SHARED;
    decoder.target = LSTMAE_DECODE_FORWARD;
    assert_ok(lstmae_seq2seq_create(&w->seq2seq, w->context, F, 5, &encoder));
    assert_ok(lstmae_seq2seq_set_latent(w->seq2seq, &latent));
    assert_ok(lstmae_seq2seq_add_decoder(w->seq2seq, &decoder));
    w->module = lstmae_seq2seq_module(w->seq2seq);
}

static void make_code_model(watched *w)
{
    lstmae_lstm_options encoder = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_decoder_options decoder = LSTMAE_DECODER_OPTIONS_INIT;
    lstmae_code_options code = LSTMAE_CODE_OPTIONS_INIT;
    encoder.flags = LSTMAE_LSTM_BIDIRECTIONAL | LSTMAE_LSTM_NO_BIAS;
    code.size = 2;
    code.activation = LSTMAE_ACTIVATION_TANH;
    decoder.input = LSTMAE_INPUT_CODE;
    decoder.flags = LSTMAE_DECODER_ZERO_STATE;
    decoder.hidden = 6;
    assert_ok(lstmae_seq2seq_create(&w->seq2seq, w->context, F, 5, &encoder));
    assert_ok(lstmae_seq2seq_set_code(w->seq2seq, &code));
    assert_ok(lstmae_seq2seq_add_decoder(w->seq2seq, &decoder));
    w->module = lstmae_seq2seq_module(w->seq2seq);
}

/* Dense, with normalisation, noise and dropout, and a latent. */
static void make_dense_vae(watched *w)
{
    const int64_t wide[1] = { 8 };
    lstmae_module *encoder = NULL, *decoder = NULL, *part = NULL;
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    lstmae_latent_options latent = LSTMAE_LATENT_OPTIONS_INIT;
    lstmae_noise_options noise = LSTMAE_NOISE_OPTIONS_INIT;
    latent.features = 8;
    latent.size = 3;
    options.latent = &latent;
    options.noise = &noise;
    options.output = LSTMAE_ACTIVATION_TANH;
    assert_ok(lstmae_sequential_create(&encoder, w->context));
    assert_ok(lstmae_linear_create(&part, w->context, T * F, 8, LSTMAE_LINEAR_NO_BIAS)), add(encoder, part);
    assert_ok(lstmae_batch_norm_create(&part, w->context, 8, NULL)), add(encoder, part);
    assert_ok(lstmae_activation_create(&part, w->context, LSTMAE_ACTIVATION_ELU)), add(encoder, part);
    assert_ok(lstmae_layer_norm_create(&part, w->context, 1, wide, NULL)), add(encoder, part);
    assert_ok(lstmae_sequential_create(&decoder, w->context));
    assert_ok(lstmae_linear_create(&part, w->context, 3, 8, 0)), add(decoder, part);
    assert_ok(lstmae_dropout_create(&part, w->context, 0.5)), add(decoder, part);
    assert_ok(lstmae_noise_create(&part, w->context, NULL)), add(decoder, part);
    assert_ok(lstmae_linear_create(&part, w->context, 8, T * F, 0)), add(decoder, part);
    assert_ok(lstmae_autoencoder_create(&w->autoencoder, encoder, decoder, &options));
    w->module = lstmae_autoencoder_module(w->autoencoder);
    w->layout = LSTMAE_WINDOW_FLAT;
}

static void make_convolutions(watched *w)
{
    lstmae_module *part = NULL;
    lstmae_conv_options conv = LSTMAE_CONV_OPTIONS_INIT;
    lstmae_pool_options pool = LSTMAE_POOL_OPTIONS_INIT;
    lstmae_upsample_options twice = LSTMAE_UPSAMPLE_OPTIONS_INIT;
    conv.kernel[0] = 3;
    conv.padding[0] = 1;
    pool.kernel[0] = 2;
    twice.factor[0] = 2;
    assert_ok(lstmae_sequential_create(&w->module, w->context));
    assert_ok(lstmae_conv1d_create(&part, w->context, F, 5, &conv)), add(w->module, part);
    assert_ok(lstmae_batch_norm_create(&part, w->context, 5, NULL)), add(w->module, part);
    assert_ok(lstmae_activation_create(&part, w->context, LSTMAE_ACTIVATION_RELU)), add(w->module, part);
    assert_ok(lstmae_max_pool1d_create(&part, w->context, &pool)), add(w->module, part);
    assert_ok(lstmae_upsample1d_create(&part, w->context, &twice)), add(w->module, part);
    assert_ok(lstmae_conv_transpose1d_create(&part, w->context, 5, F, &conv)), add(w->module, part);
    w->layout = LSTMAE_WINDOW_CHANNELS;
}

/* Recurrent and pointwise layers, and some that only move things, over [T,1,F]. */
static void make_chain(watched *w)
{
    const int there[3] = { 1, 0, 2 };
    const int64_t sizes[2] = { T, F };
    lstmae_module *part = NULL;
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    options.flags = LSTMAE_LSTM_BIDIRECTIONAL;
    assert_ok(lstmae_sequential_create(&w->module, w->context));
    assert_ok(lstmae_lstm_create(&part, w->context, F, 4, &options)), add(w->module, part);
    assert_ok(lstmae_linear_create(&part, w->context, 8, F, 0)), add(w->module, part);
    assert_ok(lstmae_permute_create(&part, w->context, 3, there)), add(w->module, part);
    assert_ok(lstmae_flatten_create(&part, w->context, 1, -1)), add(w->module, part);
    assert_ok(lstmae_unflatten_create(&part, w->context, 1, 2, sizes)), add(w->module, part);
    assert_ok(lstmae_permute_create(&part, w->context, 3, there)), add(w->module, part);
}

static void (*const makers[])(watched *) = { make_lstm_autoencoder, make_lstm_vae,     make_code_model,
                                             make_dense_vae,        make_convolutions, make_chain };

enum { KINDS = sizeof(makers) / sizeof(makers[0]) };

static lstmae_status freeze(watched *w, int64_t features)
{
    lstmae_frozen_options options = LSTMAE_FROZEN_OPTIONS_INIT;
    options.window = T;
    options.features = features;
    options.layout = w->layout;
    return lstmae_frozen_create(&w->frozen, w->module, &options);
}

/* Batch norms have seen data, so that their statistics are not those of creation. */
static void open_watched(watched *w, int kind, const char *device)
{
    memset(w, 0, sizeof *w);
    assert_ok(lstmae_context_create(&w->context, device, NULL));
    assert_ok(lstmae_context_set_seed(w->context, 4));
    makers[kind](w);
    if (!w->seq2seq) {
        const int64_t flat[2] = { 5, T * F }, channels[3] = { 5, F, T }, sequence[3] = { T, 5, F };
        const int64_t *const dims[3] = { sequence, flat, channels };
        float values[5 * T * F];
        lstmae_tensor *x = NULL;
        test_fill(values, 5 * T * F, 8, 1.0f);
        assert_ok(lstmae_tensor_create(&x, w->context, LSTMAE_F32, w->layout == LSTMAE_WINDOW_FLAT ? 2 : 3,
                                       dims[w->layout]));
        assert_ok(lstmae_tensor_write(x, values, sizeof values));
        assert_ok(lstmae_module_forward(w->module, x, NULL));
        lstmae_tensor_destroy(x);
    }
    assert_ok(freeze(w, w->seq2seq ? 0 : F));
}

static void close_watched(watched *w)
{
    lstmae_frozen_destroy(w->frozen);
    if (w->seq2seq) lstmae_seq2seq_destroy(w->seq2seq);
    else if (w->autoencoder) lstmae_autoencoder_destroy(w->autoencoder);
    else lstmae_module_destroy(w->module);
    lstmae_context_destroy(w->context);
}

/* ---- what the model itself says ---- */

typedef struct said {
    float y[T * F], forecast[STEPS * F], code[32];
} said;

static lstmae_tensor *new_tensor(lstmae_context *context, int ndim, const int64_t *dims, const float *values)
{
    lstmae_tensor *tensor = NULL;
    assert_ok(lstmae_tensor_create(&tensor, context, LSTMAE_F32, ndim, dims));
    if (values) assert_ok(lstmae_tensor_write(tensor, values, (size_t)lstmae_tensor_numel(tensor) * sizeof(float)));
    return tensor;
}

static void read_and_destroy(lstmae_tensor *tensor, float *out)
{
    assert_ok(lstmae_tensor_read(tensor, out, (size_t)lstmae_tensor_numel(tensor) * sizeof(float)));
    lstmae_tensor_destroy(tensor);
}

static void ask_seq2seq(watched *w, const float *window, const lstmae_frozen_info *info, said *out)
{
    const int64_t sequence[3] = { T, 1, F }, future[3] = { STEPS, 1, F }, dims[2] = { 1, info->code };
    lstmae_tensor *x = new_tensor(w->context, 3, sequence, window), *y = new_tensor(w->context, 3, sequence, NULL);
    lstmae_tensor *code = new_tensor(w->context, 2, dims, NULL);
    assert_ok(lstmae_seq2seq_reconstruct(w->seq2seq, x, y));
    assert_ok(lstmae_seq2seq_encode(w->seq2seq, x, code));
    read_and_destroy(y, out->y);
    read_and_destroy(code, out->code);
    if (info->forecast > 0) {
        y = new_tensor(w->context, 3, future, NULL);
        assert_ok(lstmae_seq2seq_generate(w->seq2seq, x, y));
        read_and_destroy(y, out->forecast);
    }
    lstmae_tensor_destroy(x);
}

static void ask(watched *w, const float *window, const lstmae_frozen_info *info, said *out)
{
    const int64_t flat[2] = { 1, T * F }, channels[3] = { 1, F, T }, sequence[3] = { T, 1, F };
    const lstmae_tensor *y = NULL, *code = NULL;
    float turned[T * F], back[T * F];
    if (w->seq2seq) {
        ask_seq2seq(w, window, info, out);
        return;
    }
    for (int i = 0; i < T * F; i++) turned[i % F * T + i / F] = window[i];
    const int by_channels = w->layout == LSTMAE_WINDOW_CHANNELS, by_item = w->layout == LSTMAE_WINDOW_FLAT;
    lstmae_tensor *x = new_tensor(w->context, by_item ? 2 : 3, by_item ? flat : by_channels ? channels : sequence,
                                  by_channels ? turned : window);
    assert_ok(lstmae_module_set_training(w->module, 0));
    if (w->autoencoder) {
        assert_ok(lstmae_autoencoder_encode(w->autoencoder, x, &code));
        assert_ok(lstmae_tensor_read(code, out->code, 3 * sizeof(float)));
        assert_ok(lstmae_autoencoder_reconstruct(w->autoencoder, x, &y));
    } else {
        assert_ok(lstmae_module_forward(w->module, x, &y));
    }
    assert_ok(lstmae_tensor_read(y, back, sizeof back));
    for (int i = 0; i < T * F; i++) out->y[i] = by_channels ? back[i % F * T + i / F] : back[i];
    lstmae_tensor_destroy(x);
}

/* ---- tests ---- */

static double row_score(const float *x, const float *y, float *error)
{
    double sum = 0.0;
    for (int f = 0; f < F; f++) {
        error[f] = x[f] - y[f];
        sum += (double)error[f] * (double)error[f];
    }
    return sum / F;
}

/* The score of a window by rule, and the errors that come with it. */
static double window_score(int32_t rule, const float *x, const float *y, float *error)
{
    double sum = 0.0, most = -1.0;
    int at = T - 1;
    for (int t = 0; t < T; t++) {
        const double score = row_score(x + t * F, y + t * F, error);
        sum += score;
        if (score > most) {
            most = score;
            at = t;
        }
    }
    if (rule != LSTMAE_WINDOW_MOST) at = T - 1;
    const double chosen = row_score(x + at * F, y + at * F, error);
    return rule == LSTMAE_WINDOW_MEAN ? sum / T : chosen;
}

static void fill_series(float *series)
{
    test_fill(series, SERIES * F, 31, 1.0f);
}

static void check_kind(int kind, const char *device, int32_t rule, int64_t every)
{
    watched w;
    lstmae_frozen_info info = LSTMAE_FROZEN_INFO_INIT;
    lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
    lstmae_session *session = NULL;
    float series[SERIES * F];
    said want;
    open_watched(&w, kind, device);
    fill_series(series);
    assert_ok(lstmae_frozen_describe(w.frozen, &info));
    assert_int_equal(info.window, T);
    assert_int_equal(info.outputs, F);
    options.window_score = rule;
    options.every = every;
    assert_ok(lstmae_session_create(&session, w.frozen, &options));
    for (int t = 0; t < SERIES; t++) {
        lstmae_push_result result = LSTMAE_PUSH_RESULT_INIT;
        assert_ok(lstmae_session_push(session, series + t * F, &result));
        const int due = t + 1 >= T && (t + 1 - T) % every == 0;
        assert_int_equal(result.flags, due ? LSTMAE_PUSH_SCORED | LSTMAE_PUSH_EVALUATED : 0);
        if (!due) continue;
        const float *window = series + (t + 1 - T) * F;
        float error[F];
        ask(&w, window, &info, &want);
        assert_memory_equal(result.output, want.y + (T - 1) * F, F * sizeof(float));
        if (info.code > 0) assert_memory_equal(result.code, want.code, (size_t)info.code * sizeof(float));
        else assert_null(result.code);
        if (info.forecast > 0) assert_memory_equal(result.forecast, want.forecast, sizeof want.forecast);
        else assert_null(result.forecast);
        assert_true(fabs(result.score - window_score(rule, window, want.y, error)) <= 1e-12);
        assert_memory_equal(result.error, error, sizeof error);
    }
    lstmae_session_destroy(session);
    close_watched(&w);
}

static void test_window_equals_module(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        check_kind(kind, "cpu", LSTMAE_WINDOW_LAST, 1);
        check_kind(kind, "cpu:ref", LSTMAE_WINDOW_MEAN, 3);
        check_kind(kind, "cpu", LSTMAE_WINDOW_MOST, 8);
    }
}

/* Samples are compared with the forecast of their distance. */
static void test_window_forecasts(void **state)
{
    (void)state;
    watched w;
    lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
    lstmae_session *session = NULL;
    float series[SERIES * F], forecast[STEPS * F], error[F];
    open_watched(&w, 0, "cpu");
    fill_series(series);
    options.compare = LSTMAE_COMPARE_NEXT;
    options.every = STEPS + 1;
    assert_ok(lstmae_session_create(&session, w.frozen, &options));
    int since = -1;
    for (int t = 0; t < SERIES; t++) {
        lstmae_push_result result = LSTMAE_PUSH_RESULT_INIT;
        assert_ok(lstmae_session_push(session, series + t * F, &result));
        const int scored = since >= 0 && since < STEPS;
        assert_int_equal((result.flags & LSTMAE_PUSH_SCORED) != 0, scored);
        if (scored) assert_true(fabs(result.score - row_score(series + t * F, forecast + since * F, error)) <= 1e-12);
        if (since >= 0) since++;
        if (!(result.flags & LSTMAE_PUSH_EVALUATED)) continue;
        since = 0;
        memcpy(forecast, result.forecast, sizeof forecast);
    }
    lstmae_session_destroy(session);
    close_watched(&w);
    open_watched(&w, 1, "cpu"); /* forecasts nothing */
    assert_fails(lstmae_session_create(&session, w.frozen, &options), ERR_INVALID_ARG);
    close_watched(&w);
}

/* The scaler is on both sides of the model; values that were held are without error. */
static void test_window_scales_and_holds(void **state)
{
    (void)state;
    watched w;
    lstmae_scaler *scaler = NULL;
    lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
    lstmae_session *plain = NULL, *scaled = NULL;
    float series[SERIES * F], raw[SERIES * F], own[STEPS * F];
    open_watched(&w, 0, "cpu");
    fill_series(series);
    for (int i = 0; i < SERIES * F; i++) raw[i] = series[i] * 5.0f + 100.0f * (float)(i % F);
    assert_ok(lstmae_scaler_create(&scaler, w.context, F, NULL));
    assert_ok(lstmae_scaler_update(scaler, raw, SERIES));
    options.window_score = LSTMAE_WINDOW_MEAN;
    options.flags = LSTMAE_SESSION_HOLD;
    assert_ok(lstmae_session_create(&plain, w.frozen, &options));
    options.scaler = scaler;
    assert_ok(lstmae_session_create(&scaled, w.frozen, &options));
    for (int t = 0; t < SERIES; t++) {
        lstmae_push_result a = LSTMAE_PUSH_RESULT_INIT, b = LSTMAE_PUSH_RESULT_INIT;
        float seen[F], sample[F];
        memcpy(sample, raw + t * F, sizeof sample);
        assert_ok(lstmae_scaler_transform(scaler, sample, 1, seen));
        if (t % 9 == 4) sample[1] = seen[1] = NAN;
        assert_ok(lstmae_session_push(plain, seen, &a));
        assert_ok(lstmae_session_push(scaled, sample, &b));
        assert_int_equal(a.flags, b.flags);
        assert_true(a.score == b.score);
        if (t % 9 == 4 && t >= T) assert_true(b.error[1] == 0.0f);
        if (!(b.flags & LSTMAE_PUSH_EVALUATED)) continue;
        assert_ok(lstmae_scaler_inverse(scaler, a.output, 1, own));
        assert_memory_equal(b.output, own, F * sizeof(float));
        assert_ok(lstmae_scaler_inverse(scaler, a.forecast, STEPS, own));
        assert_memory_equal(b.forecast, own, sizeof own);
        assert_memory_equal(a.code, b.code, 7 * sizeof(float));
    }
    lstmae_session_destroy(plain);
    lstmae_session_destroy(scaled);
    lstmae_scaler_destroy(scaler);
    close_watched(&w);
}

/* Later changes of the model reach neither frozen model nor sessions. */
static void test_window_is_a_copy(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        watched w;
        lstmae_frozen *before = NULL;
        lstmae_frozen_info a = LSTMAE_FROZEN_INFO_INIT, b = LSTMAE_FROZEN_INFO_INIT;
        lstmae_session *one = NULL, *two = NULL;
        float series[SERIES * F];
        open_watched(&w, kind, "cpu");
        fill_series(series);
        before = w.frozen;
        assert_ok(lstmae_session_create(&one, before, NULL));
        for (size_t i = 0; i < lstmae_module_param_count(w.module); i++)
            assert_ok(lstmae_tensor_fill(lstmae_module_param(w.module, i), 0.1));
        assert_ok(freeze(&w, F));
        assert_ok(lstmae_frozen_describe(before, &a));
        assert_ok(lstmae_frozen_describe(w.frozen, &b));
        assert_int_not_equal(a.fingerprint, b.fingerprint);
        lstmae_frozen_destroy(w.frozen);
        w.frozen = before;
        close_watched(&w); /* the session keeps what it needs */
        open_watched(&w, kind, "cpu");
        assert_ok(lstmae_session_create(&two, w.frozen, NULL));
        for (int t = 0; t < SERIES; t++) {
            lstmae_push_result x = LSTMAE_PUSH_RESULT_INIT, y = LSTMAE_PUSH_RESULT_INIT;
            assert_ok(lstmae_session_push(one, series + t * F, &x));
            assert_ok(lstmae_session_push(two, series + t * F, &y));
            assert_true(x.score == y.score);
        }
        lstmae_session_destroy(one);
        lstmae_session_destroy(two);
        close_watched(&w);
    }
}

static void test_window_states(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        watched w;
        lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
        lstmae_session *one = NULL, *two = NULL;
        float series[SERIES * F];
        double scores[SERIES];
        open_watched(&w, kind, "cpu");
        fill_series(series);
        options.every = 3;
        options.alpha = 0.5;
        assert_ok(lstmae_session_create(&one, w.frozen, &options));
        assert_ok(lstmae_session_create(&two, w.frozen, &options));
        const size_t bytes = lstmae_session_state_bytes(one);
        unsigned char *memory = malloc(bytes);
        assert_non_null(memory);
        for (int t = 0; t < SERIES; t++) {
            lstmae_push_result result = LSTMAE_PUSH_RESULT_INIT;
            if (t == 17) assert_ok(lstmae_session_save(one, memory, bytes));
            assert_ok(lstmae_session_push(one, series + t * F, &result));
            scores[t] = result.score;
        }
        assert_ok(lstmae_session_push(two, series, NULL));
        assert_ok(lstmae_session_restore(two, memory, bytes));
        assert_ok(lstmae_session_reset(one));
        for (int t = 0; t < SERIES; t++) {
            lstmae_push_result x = LSTMAE_PUSH_RESULT_INIT, y = LSTMAE_PUSH_RESULT_INIT;
            assert_ok(lstmae_session_push(one, series + t * F, &x));
            assert_true(x.score == scores[t]);
            if (t < 17) continue;
            assert_ok(lstmae_session_push(two, series + t * F, &y));
            assert_true(y.score == scores[t]);
            assert_memory_equal(x.output, y.output, F * sizeof(float));
        }
        for (size_t i = 0; i < bytes; i += 7) {
            memory[i] ^= 1;
            assert_fails(lstmae_session_restore(two, memory, bytes), ERR_FORMAT);
            memory[i] ^= 1;
        }
        free(memory);
        lstmae_session_destroy(one);
        lstmae_session_destroy(two);
        close_watched(&w);
    }
}

static void test_window_refuses(void **state)
{
    (void)state;
    watched w;
    lstmae_frozen_options options = LSTMAE_FROZEN_OPTIONS_INIT;
    lstmae_frozen *frozen = NULL;
    open_watched(&w, 0, "cpu");
#define REFUSES(code, member, value)                                                               \
    (options = (lstmae_frozen_options)LSTMAE_FROZEN_OPTIONS_INIT, options.window = T, options.member = (value),        \
     assert_fails(lstmae_frozen_create(&frozen, w.module, &options), code))
    REFUSES(ERR_INVALID_ARG, window, -1);
    REFUSES(ERR_INVALID_ARG, window, INT64_C(1) << 40);
    REFUSES(ERR_INVALID_ARG, layout, 3);
    REFUSES(ERR_SHAPE, layout, LSTMAE_WINDOW_FLAT);
    REFUSES(ERR_SHAPE, features, F + 1);
    close_watched(&w);
    open_watched(&w, 5, "cpu");
    REFUSES(ERR_INVALID_ARG, features, 0);
    REFUSES(ERR_SHAPE, features, F + 1);
    REFUSES(ERR_INVALID_ARG, features, INT64_C(1) << 40);
#undef REFUSES
    assert_null(frozen);
    close_watched(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window_equals_module), cmocka_unit_test(test_window_forecasts),
        cmocka_unit_test(test_window_scales_and_holds), cmocka_unit_test(test_window_is_a_copy),
        cmocka_unit_test(test_window_states), cmocka_unit_test(test_window_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
