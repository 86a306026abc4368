/*
 * Sessions on the stand-in's device: what a push queues, and that each call of the runtime may fail: what comes out is
 * a status, what was said until then is right, and nothing is kept.
 */
#include "stand_in.h"
#include "../support/stream.h" /* not the one of this folder */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PUSHES = 6 };

static const stream_shape shape = { .I = 6, .H = 10, .layers = 2, .head = 1 };
static stand_in host;
static float expected[PUSHES][6];

/* ---- the stream ---- */

typedef struct session_scene {
    stream_model model;
    lstmae_frozen *frozen;
    lstmae_session *session;
    unsigned char state[4096];
    int pushed;
} session_scene;

static lstmae_status scene_open(session_scene *s)
{
    lstmae_context *context = NULL;
    lstmae_frozen_options options = LSTMAE_FROZEN_OPTIONS_INIT;
    options.flags = LSTMAE_FROZEN_DEVICE;
    lstmae_status status = lstmae_context_create(&context, "cuda:0", NULL);
    if (status == LSTMAE_OK) status = stream_open_on(&s->model, &shape, context);
    if (status == LSTMAE_OK) status = lstmae_frozen_create(&s->frozen, s->model.module, &options);
    if (status == LSTMAE_OK) status = lstmae_session_create(&s->session, s->frozen, NULL);
    return status;
}

/* Pushes the next sample; what is said about it is kept, or compared with what was kept. */
static lstmae_status scene_push(session_scene *s, const float *series, int keep)
{
    lstmae_push_result result = LSTMAE_PUSH_RESULT_INIT;
    lstmae_status status = lstmae_session_push(s->session, series + s->pushed * shape.I, &result);
    if (status != LSTMAE_OK) return status;
    if (keep) memcpy(expected[s->pushed], result.output, sizeof expected[0]);
    assert_memory_equal(result.output, expected[s->pushed], sizeof expected[0]);
    s->pushed++;
    return LSTMAE_OK;
}

/* Half of the series, its state out and in again, and the other half. */
static lstmae_status scene_run(session_scene *s, const float *series, int keep)
{
    lstmae_status status = scene_open(s);
    while (status == LSTMAE_OK && s->pushed < PUSHES / 2) status = scene_push(s, series, keep);
    if (status == LSTMAE_OK) status = lstmae_session_save(s->session, s->state, sizeof s->state);
    if (status == LSTMAE_OK) status = lstmae_session_reset(s->session);
    if (status == LSTMAE_OK) status = lstmae_session_restore(s->session, s->state, sizeof s->state);
    while (status == LSTMAE_OK && s->pushed < PUSHES) status = scene_push(s, series, keep);
    return status;
}

static void scene_close(session_scene *s)
{
    lstmae_session_destroy(s->session);
    lstmae_frozen_destroy(s->frozen);
    stream_close(&s->model);
}

/* ---- tests ---- */

/* Pushes that repeat themselves are a copy in, the steps as a graph, and a copy out that is waited for. */
static void a_push_is_one_graph(void **state)
{
    static const char kinds[] = { 'c', 'k', 'G', 'c', 'h' };
    session_scene s = { 0 };
    float *series = stream_series(shape.I, PUSHES);
    (void)state;
    assert_ok(scene_run(&s, series, 1));
    host.log(1);
    assert_ok(lstmae_session_push(s.session, series, NULL));
    assert_int_equal(host.log_count(), sizeof kinds);
    for (size_t i = 0; i < sizeof kinds; i++) {
        lae_cuda_host_operation operation;
        assert_int_equal(host.log_get(i, &operation), 1);
        assert_int_equal(operation.kind, kinds[i]);
    }
    host.log(0);
    scene_close(&s);
    free(series);
}

/* Runs the scene with call k failing; 0 where it has fewer calls. */
static int run_with(uint64_t k, int error, const float *series)
{
    session_scene s = { 0 };
    lae_cuda_host_state now;
    host.reset();
    host.fail_at(k, error, 1);
    lstmae_status status = scene_run(&s, series, 0);
    char call[64];
    snprintf(call, sizeof call, "%s", host.failed_call());
    if (call[0] == 0) assert_ok(status);
    scene_close(&s);
    host.fail_at(0, 0, 0);
    host.state_get(&now);
    assert_int_equal(now.broken_guards, 0);
    /* what cannot be given back, for that very call failed or the device went with it, is kept */
    if (!now.lost && !strstr(call, "Free") && !strstr(call, "Destroy"))
        assert_int_equal(now.device_blocks + now.streams + now.events + now.handles + now.graphs, 0);
    return call[0] != 0;
}

/* Out of memory, and a fault that takes the device along. */
static void every_call_fails(void **state)
{
    static const int errors[] = { 2, 719 };
    float *series = stream_series(shape.I, PUSHES);
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        uint64_t k = 1;
        while (run_with(k, errors[i], series)) k += k < 60 ? 1 : 7;
        assert_true(k > 60);
    }
    host.reset();
    free(series);
}

static int open_plugin(void **state)
{
    lstmae_context *context = NULL;
    (void)state;
    if (lstmae_context_create(&context, "cuda:0", NULL) < 0) exit(77);
    if (!stand_in_find(&host)) exit(77);
    lstmae_context_destroy(context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_push_is_one_graph),
        cmocka_unit_test(every_call_fails),
    };
    return cmocka_run_group_tests(tests, open_plugin, NULL);
}
