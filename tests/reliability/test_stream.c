/*
 * What a stream promises to the program around it: no allocation, no system call, the same bits on any thread, floating
 * point modes as they were, and a clean end when memory runs out.
 */
#include "faults.h"
#include "stream.h"

#include <fenv.h>
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__linux__)
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

static const stream_shape shapes[] = {
    { .I = 8, .H = 64, .layers = 1, .head = 1 },
    { .I = 5, .H = 33, .layers = 2, .head = 1, .activation = 1, .flags = LSTMAE_LSTM_PEEPHOLE },
    { .I = 8, .H = 10, .layers = 1, .window = 12 },
    { .I = 2, .H = 9, .layers = 2, .window = 5, .flags = LSTMAE_LSTM_BIDIRECTIONAL },
    { .I = 3, .H = 600, .layers = 1, .head = 1 },
};

enum { SMALL = 4 }; /* the first so many */

#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static lstmae_session *open_session(const stream_model *model, int threads)
{
    lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
    lstmae_session *session = NULL;
    options.compare = LSTMAE_COMPARE_NEXT;
    options.threads = threads;
    options.alpha = 0.5;
    options.level = 0.1;
    assert_ok(lstmae_session_create(&session, model->frozen, &options));
    return session;
}

/* ---- allocations ---- */

static void check_allocations(const stream_shape *shape, const char *device, int threads)
{
    stream_model model;
    lstmae_memory_info info = LSTMAE_MEMORY_INFO_INIT;
    stream_open(&model, shape, device);
    float *series = stream_series(shape->I, 20);
    lstmae_session *session = open_session(&model, threads);
    const size_t bytes = lstmae_session_state_bytes(session);
    void *state = malloc(bytes);
    assert_ok(lstmae_context_memory(model.context, &info));
    const uint64_t before = info.allocations;
    for (int t = 0; t < 20; t++) {
        lstmae_push_result result = LSTMAE_PUSH_RESULT_INIT;
        assert_ok(lstmae_session_push(session, series + t * shape->I, &result));
        if (t == 10) assert_ok(lstmae_session_save(session, state, bytes));
        if (t == 15) assert_ok(lstmae_session_restore(session, state, bytes));
    }
    assert_ok(lstmae_session_reset(session));
    assert_ok(lstmae_context_memory(model.context, &info));
    assert_int_equal(info.allocations, before);
    lstmae_session_destroy(session);
    stream_close(&model);
    free(series);
    free(state);
}

static void test_stream_allocates_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++) {
        check_allocations(&shapes[i], "cpu", 1);
        check_allocations(&shapes[i], "cpu", 2);
        check_allocations(&shapes[i], "cpu:ref", 1);
    }
}

/* ---- system calls ---- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__linux__)
#define STREAM_TRAPS 0
#else
#define STREAM_TRAPS 1
#endif

#if STREAM_TRAPS

/* From now on a system call of this thread other than exit_group kills the process. 0: there is no such trap. */
static int forbid_system_calls(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

enum { FINE = 0, FAILED = 1, NOT_OFFERED = 2 };

/* In a child of its own: opens a session, then pushes, saves, restores and resets with system calls forbidden. */
static int child_without_system_calls(const stream_shape *shape, int misbehave)
{
    pid_t child = fork();
    if (child != 0) {
        int status = 0;
        assert_true(child > 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        return WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
    }
    stream_model model;
    lstmae_push_result result = LSTMAE_PUSH_RESULT_INIT;
    stream_open(&model, shape, "cpu");
    float *series = stream_series(shape->I, 50);
    lstmae_session *session = open_session(&model, 1);
    const size_t bytes = lstmae_session_state_bytes(session);
    void *memory = malloc(bytes);
    int failed = !memory;
    if (!forbid_system_calls()) _exit(NOT_OFFERED);
    if (misbehave) (void)getppid();
    for (int t = 0; t < 50; t++) failed |= lstmae_session_push(session, series + t * shape->I, &result) != LSTMAE_OK;
    failed |= lstmae_session_save(session, memory, bytes) != LSTMAE_OK;
    failed |= lstmae_session_restore(session, memory, bytes) != LSTMAE_OK;
    failed |= lstmae_session_reset(session) != LSTMAE_OK;
    failed |= lstmae_session_push(session, series, NULL) != LSTMAE_OK;
    syscall(SYS_exit_group, failed ? FAILED : FINE);
    return FAILED;
}

static void test_stream_makes_no_system_call(void **state)
{
    (void)state;
    if (child_without_system_calls(&shapes[0], 0) == NOT_OFFERED) skip();
    assert_int_equal(child_without_system_calls(&shapes[0], 1), FAILED); /* the trap works */
    for (size_t i = 0; i < SHAPES; i++) assert_int_equal(child_without_system_calls(&shapes[i], 0), FINE);
}

#else

static void test_stream_makes_no_system_call(void **state)
{
    (void)state;
    skip();
}

#endif

/* ---- threads ---- */

enum { SESSIONS = 1000, SAMPLES = 40 };

typedef struct crowd {
    const stream_model *model;
    const float *series;
    int first, last;              /* sessions */
    double scores[SESSIONS];      /* of the last sample */
    float outputs[SESSIONS][8];
    lstmae_status status;
} crowd;

/* Session n sees the series from sample n on, around its end. */
static lstmae_status crowd_sample(crowd *c, lstmae_session **sessions, int n, int t)
{
    const int64_t I = c->model->shape.I;
    lstmae_push_result result = LSTMAE_PUSH_RESULT_INIT;
    lstmae_status status = lstmae_session_push(sessions[n - c->first], c->series + (n + t) % SAMPLES * I, &result);
    if (status != LSTMAE_OK) return status;
    c->scores[n] = result.score;
    memcpy(c->outputs[n], result.output, (size_t)I * sizeof(float));
    return LSTMAE_OK;
}

/* Creates the sessions of a part, pushes to them in turn, and destroys them: all on this thread. */
static void *crowd_run(void *payload)
{
    crowd *c = payload;
    const int count = c->last - c->first;
    lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
    lstmae_session **sessions = calloc((size_t)count, sizeof(lstmae_session *));
    options.compare = LSTMAE_COMPARE_NEXT;
    if (!sessions) return NULL;
    c->status = LSTMAE_OK;
    for (int i = 0; i < count && c->status == LSTMAE_OK; i++)
        c->status = lstmae_session_create(&sessions[i], c->model->frozen, &options);
    for (int t = 0; t < SAMPLES; t++)
        for (int n = c->first; n < c->last && c->status == LSTMAE_OK; n++) c->status = crowd_sample(c, sessions, n, t);
    for (int i = 0; i < count; i++) lstmae_session_destroy(sessions[i]);
    free(sessions);
    return NULL;
}

static crowd *new_crowd(const stream_model *model, const float *series, int first, int last)
{
    crowd *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->model = model;
    c->series = series;
    c->first = first;
    c->last = last;
    c->status = LSTMAE_ERR_NO_MEMORY;
    return c;
}

static void check_crowd(const stream_shape *shape)
{
    stream_model model;
    stream_open(&model, shape, "cpu");
    float *series = stream_series(8, SAMPLES);
    crowd *parts[2] = { new_crowd(&model, series, 0, 500), new_crowd(&model, series, 500, SESSIONS) };
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&threads[i], NULL, crowd_run, parts[i]), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_ok(parts[i]->status);
    }
    crowd *alone = new_crowd(&model, series, 0, 1); /* one at a time, on this thread */
    for (int n = 0; n < SESSIONS; n++) {
        alone->first = n;
        alone->last = n + 1;
        crowd_run(alone);
        assert_ok(alone->status);
        const crowd *part = parts[n / 500];
        assert_true(alone->scores[n] == part->scores[n]);
        assert_memory_equal(alone->outputs[n], part->outputs[n], sizeof part->outputs[n]);
    }
    free(parts[0]);
    free(parts[1]);
    free(alone);
    stream_close(&model);
    free(series);
}

static void test_stream_thousand_sessions(void **state)
{
    (void)state;
    check_crowd(&shapes[0]);
    check_crowd(&shapes[2]);
}

/* ---- floating point ---- */

/* Modes and flags of the caller are as they were, also where inputs are denormal and results would be. */
static void test_stream_restores_modes(void **state)
{
    (void)state;
    stream_model model;
    stream_open(&model, &shapes[1], "cpu");
    lstmae_session *session = open_session(&model, 1);
    const float tiny[5] = { 1e-40f, -1e-44f, FLT_MIN / 2, 0.0f, 1e-39f };
    volatile float denormal = FLT_MIN;
    feclearexcept(FE_ALL_EXCEPT);
    assert_int_equal(fesetround(FE_UPWARD), 0);
    for (int t = 0; t < 300; t++) {
        lstmae_push_result result = LSTMAE_PUSH_RESULT_INIT;
        assert_ok(lstmae_session_push(session, tiny, &result));
        assert_true(isfinite(result.score));
    }
    assert_int_equal(fegetround(), FE_UPWARD);
    assert_int_equal(fesetround(FE_TONEAREST), 0);
    denormal /= 4.0f;
    assert_true(denormal > 0.0f); /* still there */
    lstmae_session_destroy(session);
    stream_close(&model);
}

/* ---- out of memory ---- */

/* A life of a model and two sessions. 1 if all went well, 0 if memory ran out. */
static int live(test_heap *heap, const stream_shape *shape)
{
    lstmae_context *context = NULL;
    lstmae_session *sessions[2] = { NULL, NULL };
    stream_model model = { .context = NULL };
    lstmae_status status = test_heap_context(&context, heap);
    if (status == LSTMAE_OK) status = stream_open_on(&model, shape, context);
    for (int i = 0; i < 2 && status == LSTMAE_OK; i++) status = lstmae_session_create(&sessions[i], model.frozen, NULL);
    for (int i = 0; i < 24 && status == LSTMAE_OK; i++)
        status = lstmae_session_push(sessions[i % 2], (float[8]){ 0.5f }, NULL);
    lstmae_session_destroy(sessions[0]);
    stream_close(&model);
    lstmae_session_destroy(sessions[1]);
    assert_true(status == LSTMAE_OK || status == LSTMAE_ERR_NO_MEMORY);
    return status == LSTMAE_OK;
}

static void test_stream_out_of_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < SMALL; i++) {
        test_heap heap = { .live = 0 };
        assert_true(live(&heap, &shapes[i]));
        assert_int_equal(heap.live, 0);
        const long uses = heap.fault.uses;
        for (long at = 1; at <= uses; at++) {
            for (int keep = 0; keep < 2; keep++) {
                test_heap failing = { .fault = { .at = at, .keep = keep } };
                assert_false(live(&failing, &shapes[i]));
                assert_int_equal(failing.live, 0);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream_allocates_nothing),
        cmocka_unit_test(test_stream_makes_no_system_call),
        cmocka_unit_test(test_stream_thousand_sessions),
        cmocka_unit_test(test_stream_restores_modes),
        cmocka_unit_test(test_stream_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
