/* Steps that are recorded, captured and launched do what the same calls do one by one: the operation layer's side. */
#include "stand_in.h"

#include "context_internal.h"
#include "ops.h"
#include "record.h"
#include "replay.h"

#include <string.h>

#define ELEMENTS 37
#define ARRAYS 3

/* Three arrays, and what a step does with them. */
typedef struct bench {
    lstmae_context *context;
    lstmae_tensor *array[ARRAYS];
    lae_replay *replay;
    double alpha;     /* of a step */
    int read;         /* a step reads an array back in its middle */
    int stop;         /* a step ends before its last call */
    float middle[ELEMENTS];
} bench;

static void bench_open(bench *b, int eager)
{
    const int64_t dims[1] = { ELEMENTS };
    float values[ELEMENTS];
    memset(b, 0, sizeof *b);
    b->context = test_context("cuda", LSTMAE_F32);
    b->context->eager = eager;
    b->alpha = 0.5;
    test_fill(values, ELEMENTS, 3, 1.0f);
    for (int i = 0; i < ARRAYS; i++) {
        assert_ok(lstmae_tensor_create(&b->array[i], b->context, LSTMAE_F32, 1, dims));
        assert_ok(lstmae_tensor_write(b->array[i], values, sizeof values));
    }
    assert_ok(lae_replay_create(&b->replay, b->context));
}

static void bench_close(bench *b)
{
    lae_replay_destroy(b->replay);
    for (int i = 0; i < ARRAYS; i++) lstmae_tensor_destroy(b->array[i]);
    lstmae_context_destroy(b->context);
}

/* a = noise; b = alpha a + b; c = dropout(tanh b); b = c + b / 2 */
static lstmae_status bench_calls(bench *b)
{
    const lstmae_view *v[ARRAYS] = { &b->array[0]->view, &b->array[1]->view, &b->array[2]->view };
    const uint64_t first = lae_context_new_draw(b->context), second = lae_context_new_draw(b->context);
    const lstmae_random_key noise = { 5, lae_random_stream(2, first), 0 };
    const lstmae_random_key mask = { 5, lae_random_stream(3, second), 0 };
    LAE_TRY(lae_op_random(b->context, LSTMAE_RANDOM_NORMAL, v[0], 0.0, 1.0, &noise));
    LAE_TRY(lae_op_axpby(b->context, v[1], b->alpha, v[0], 1.0));
    LAE_TRY(lae_op_map(b->context, LSTMAE_MAP_TANH, 0.0, v[2], v[1]));
    if (b->read) LAE_TRY(lae_op_download(b->context, b->middle, v[2]->data, sizeof b->middle));
    LAE_TRY(lae_op_dropout(b->context, v[2], v[2], 0.3, &mask));
    return b->stop ? LSTMAE_OK : lae_op_axpby(b->context, v[1], 1.0, v[2], 0.5);
}

static lstmae_status bench_step(bench *b)
{
    lae_replay_begin(b->replay);
    return lae_replay_end(b->replay, bench_calls(b));
}

static void assert_same(bench *a, bench *b)
{
    float got[ELEMENTS], want[ELEMENTS];
    for (int i = 0; i < ARRAYS; i++) {
        assert_ok(lstmae_tensor_read(a->array[i], got, sizeof got));
        assert_ok(lstmae_tensor_read(b->array[i], want, sizeof want));
        assert_memory_equal(got, want, sizeof got);
    }
    assert_memory_equal(a->middle, b->middle, sizeof a->middle);
}

/* Two benches, one of which is told to run every step call by call. */
typedef struct pair {
    bench replayed, eager;
} pair;

static void pair_open(pair *p)
{
    bench_open(&p->replayed, 0);
    bench_open(&p->eager, 1);
    assert_non_null(p->replayed.replay);
    assert_null(p->eager.replay);
}

static void pair_step(pair *p)
{
    assert_ok(bench_step(&p->replayed));
    assert_ok(bench_step(&p->eager));
    assert_same(&p->replayed, &p->eager);
}

static void pair_close(pair *p)
{
    bench_close(&p->replayed);
    bench_close(&p->eager);
}

/* ---- the recording table ---- */

/* An entry that record.c does not know would silently be composed: every pointer of the table has its recorder. */
static void every_entry_is_recorded(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cuda", LSTMAE_F32);
    lstmae_backend_api table;
    const size_t first = offsetof(lstmae_backend_api, queue_sync), each = sizeof(void (*)(void));
    lae_record_table(&table, context->api);
    for (size_t at = first; at < sizeof table; at += each) {
        const int captures = at >= offsetof(lstmae_backend_api, capture_begin) &&
                             at <= offsetof(lstmae_backend_api, graph_release);
        void (*there)(void), (*recorded)(void);
        memcpy(&there, (const char *)context->api + at, each);
        memcpy(&recorded, (const char *)&table + at, each);
        if (captures) assert_true(recorded == NULL);
        else if ((there == NULL) != (recorded == NULL)) fail_msg("the entry at %zu is not recorded", at);
    }
    lstmae_context_destroy(context);
}

/* ---- steps ---- */

static void a_step_is_captured_when_it_repeats_itself(void **state)
{
    (void)state;
    pair p;
    pair_open(&p);
    for (int i = 0; i < 6; i++) pair_step(&p);
    assert_int_equal(p.replayed.replay->captures, 1);
    assert_int_equal(p.replayed.replay->launches, 5);
    pair_close(&p);
}

static void other_numbers_are_another_step(void **state)
{
    (void)state;
    pair p;
    pair_open(&p);
    for (int i = 0; i < 12; i++) {
        p.replayed.alpha = p.eager.alpha = i % 3 == 2 ? 0.25 : 0.5;
        pair_step(&p);
    }
    assert_int_equal(p.replayed.replay->captures, 2);
    assert_int_equal(p.replayed.replay->launches, 10);
    pair_close(&p);
}

static void a_step_may_end_early(void **state)
{
    (void)state;
    pair p;
    pair_open(&p);
    for (int i = 0; i < 9; i++) {
        p.replayed.stop = p.eager.stop = i % 3 == 2;
        pair_step(&p);
    }
    assert_int_equal(p.replayed.replay->captures, 2);
    assert_int_equal(p.replayed.replay->launches, 7);
    pair_close(&p);
}

/* What was put off is made before the host looks. */
static void reading_in_the_middle_sees_all_before_it(void **state)
{
    (void)state;
    pair p;
    pair_open(&p);
    for (int i = 0; i < 6; i++) {
        p.replayed.read = p.eager.read = i == 3;
        pair_step(&p);
    }
    assert_int_equal(p.replayed.replay->launches, 4);
    pair_close(&p);
}

/* A device that says no to a capture runs the step call by call, and is not asked for ever. */
static void a_refused_capture_runs_call_by_call(void **state)
{
    (void)state;
    pair p;
    stand_in in;
    pair_open(&p);
    const int fails = stand_in_find(&in);
    pair_step(&p);
    for (int i = 0; fails && i < 5; i++) {
        if (i < 3) in.fail_at(1, 801, 0); /* cudaErrorNotSupported, of the capture's first call: choosing the device */
        assert_ok(bench_step(&p.replayed));
        in.fail_at(0, 0, 0);
        assert_ok(bench_step(&p.eager));
        assert_same(&p.replayed, &p.eager);
    }
    if (fails) assert_int_equal(p.replayed.replay->refused, 3);
    assert_int_equal(p.replayed.replay->launches, 0);
    pair_close(&p);
    if (!fails) skip();
}

/* Call number k of the step that is captured fails: the step is made, or it fails as a whole and can be repeated. */
static void any_call_of_a_capture_may_fail(void **state)
{
    (void)state;
    int fails = 1, can_fail = 1;
    for (uint64_t k = 1; fails; k++) {
        pair p;
        stand_in in;
        pair_open(&p);
        can_fail = stand_in_find(&in);
        pair_step(&p);
        if (can_fail) in.fail_at(k, 2, 3); /* out of memory, here and in cuBLAS */
        lstmae_status status = bench_step(&p.replayed);
        fails = can_fail && in.failed_call()[0] != 0;
        if (can_fail) in.fail_at(0, 0, 0);
        if (status == LSTMAE_OK) {
            assert_ok(bench_step(&p.eager));
            assert_same(&p.replayed, &p.eager);
        }
        assert_ok(bench_step(&p.replayed));
        pair_close(&p);
    }
    if (!can_fail) skip();
}

static void steps_that_never_repeat_are_left_alone(void **state)
{
    (void)state;
    pair p;
    pair_open(&p);
    for (int i = 0; i < 40; i++) {
        p.replayed.alpha = p.eager.alpha = 0.5 / (i + 1);
        pair_step(&p);
    }
    assert_int_equal(p.replayed.replay->captures, 0);
    assert_true(p.replayed.replay->rest > 0);
    p.replayed.alpha = p.eager.alpha = 0.5;
    for (int64_t i = p.replayed.replay->rest + 3; i > 0; i--) pair_step(&p);
    assert_int_equal(p.replayed.replay->captures, 1);
    pair_close(&p);
}

/* More steps than are kept: those used longest ago give their graphs back. */
static void graphs_make_room(void **state)
{
    (void)state;
    pair p;
    stand_in in;
    lae_cuda_host_state counts = { 0 };
    pair_open(&p);
    const int counted = stand_in_find(&in);
    for (int i = 0; i < 2 * (LAE_REPLAY_STEPS + 2); i++) {
        p.replayed.alpha = p.eager.alpha = 0.1 * (1 + i / 2);
        pair_step(&p);
    }
    if (counted) in.state_get(&counts);
    if (counted) assert_int_equal(counts.graphs, LAE_REPLAY_STEPS);
    assert_int_equal(p.replayed.replay->captures, LAE_REPLAY_STEPS + 2);
    pair_close(&p);
    if (counted) in.state_get(&counts);
    assert_int_equal(counts.graphs, 0);
}

/* ---- uploads beside the work ---- */

static void an_upload_lands_beside_the_work(void **state)
{
    (void)state;
    bench b;
    bench_open(&b, 0);
    float *host = lae_op_host_alloc(b.context, 2 * ELEMENTS * sizeof(float));
    assert_non_null(host);
    for (int round = 0; round < 20; round++) {
        float got[ELEMENTS];
        test_fill(host, ELEMENTS, 100 + (uint64_t)round, 1.0f);
        /* the copy below read the array before this upload writes it */
        assert_ok(lae_op_upload_begin(b.context, b.array[0]->view.data, host, ELEMENTS * sizeof(float)));
        assert_ok(lae_op_map(b.context, LSTMAE_MAP_TANH, 0.0, &b.array[2]->view, &b.array[2]->view));
        assert_ok(lae_op_upload_end(b.context));
        assert_ok(lae_op_copy(b.context, &b.array[1]->view, &b.array[0]->view));
        memcpy(host + ELEMENTS, host, ELEMENTS * sizeof(float));
        test_fill(host, ELEMENTS, 7, 9.0f);
        assert_ok(lstmae_tensor_read(b.array[1], got, sizeof got));
        assert_memory_equal(got, host + ELEMENTS, sizeof got);
    }
    lae_op_host_release(b.context, host, 2 * ELEMENTS * sizeof(float));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_entry_is_recorded),
        cmocka_unit_test(a_step_is_captured_when_it_repeats_itself),
        cmocka_unit_test(other_numbers_are_another_step),
        cmocka_unit_test(a_step_may_end_early),
        cmocka_unit_test(reading_in_the_middle_sees_all_before_it),
        cmocka_unit_test(a_refused_capture_runs_call_by_call),
        cmocka_unit_test(any_call_of_a_capture_may_fail),
        cmocka_unit_test(steps_that_never_repeat_are_left_alone),
        cmocka_unit_test(graphs_make_room),
        cmocka_unit_test(an_upload_lands_beside_the_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
