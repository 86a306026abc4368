/*
 * Sessions where the model is (LSTMAE_FROZEN_DEVICE, on $LSTMAE_TEST_DEVICE) say what sessions on the CPU say, streams
 * beside each other do not meet, and a saved state goes on in either.
 */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

enum { SERIES = 24 };

static const stream_shape shapes[] = {
    { .I = 1, .H = 1, .layers = 1 },
    { .I = 5, .H = 17, .layers = 3, .head = 1, .flags = LSTMAE_LSTM_PEEPHOLE },
    { .I = 12, .H = 32, .layers = 2, .head = 1, .activation = 1, .flags = LSTMAE_LSTM_NO_BIAS },
    { .I = 64, .H = 64, .layers = 2 },
};

static lstmae_session *open_session(lstmae_frozen *frozen)
{
    lstmae_session *session = NULL;
    assert_ok(lstmae_session_create(&session, frozen, NULL));
    return session;
}

/* Pushes sample t of a series to both; they agree. */
static void push_both(const stream_model *model, lstmae_session *device, lstmae_session *host, const float *series,
                      int64_t t)
{
    lstmae_push_result a = LSTMAE_PUSH_RESULT_INIT, b = LSTMAE_PUSH_RESULT_INIT;
    assert_ok(lstmae_session_push(device, series + t * model->shape.I, &a));
    assert_ok(lstmae_session_push(host, series + t * model->shape.I, &b));
    assert_int_equal(a.flags, b.flags);
    assert_close("output", a.output, b.output, (size_t)stream_outputs(&model->shape), 2e-6, 0.0);
    assert_close("code", a.code, b.code, (size_t)model->shape.H, 2e-6, 0.0);
}

/* The state of one session, in another. */
static void carry(lstmae_session *from, lstmae_session *to)
{
    const size_t bytes = lstmae_session_state_bytes(from);
    void *memory = malloc(bytes);
    assert_non_null(memory);
    assert_ok(lstmae_session_save(from, memory, bytes));
    assert_ok(lstmae_session_restore(to, memory, bytes));
    free(memory);
}

static void check_shape(const stream_shape *shape)
{
    stream_model model;
    lstmae_frozen *frozen = NULL;
    lstmae_frozen_options options = LSTMAE_FROZEN_OPTIONS_INIT;
    lstmae_frozen_info a = LSTMAE_FROZEN_INFO_INIT, b = LSTMAE_FROZEN_INFO_INIT;
    options.flags = LSTMAE_FROZEN_DEVICE;
    assert_ok(stream_open_on(&model, shape, test_context("cpu", LSTMAE_F32)));
    assert_ok(lstmae_frozen_create(&frozen, model.module, &options));
    assert_ok(lstmae_frozen_describe(frozen, &a));
    assert_ok(lstmae_frozen_describe(model.frozen, &b));
    assert_int_equal(a.fingerprint, b.fingerprint);

    float *series = stream_series(shape->I, 2 * SERIES), *other = series + SERIES * shape->I;
    lstmae_session *device[2] = { open_session(frozen), open_session(frozen) };
    lstmae_session *host[2] = { open_session(model.frozen), open_session(model.frozen) };
    for (int64_t t = 0; t < SERIES / 2; t++) {
        push_both(&model, device[0], host[0], series, t);
        push_both(&model, device[1], host[1], other, t);
    }
    carry(device[0], host[1]);
    carry(host[0], device[1]);
    for (int64_t t = SERIES / 2; t < SERIES; t++) {
        push_both(&model, device[0], host[1], series, t);
        push_both(&model, device[1], host[0], series, t);
    }
    assert_ok(lstmae_session_reset(device[0]));
    assert_ok(lstmae_session_reset(host[0]));
    for (int64_t t = 0; t < 3; t++) push_both(&model, device[0], host[0], other, t);
    for (int k = 0; k < 2; k++) {
        lstmae_session_destroy(device[k]);
        lstmae_session_destroy(host[k]);
    }
    lstmae_frozen_destroy(frozen);
    stream_close(&model);
    free(series);
}

static void device_and_host(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) check_shape(&shapes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(device_and_host) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
