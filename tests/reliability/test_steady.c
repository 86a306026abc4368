/* After the first step of a shape nothing is allocated: training, inference, and streaming. */
#include "kinds.h"

#define ROUNDS 4

static uint64_t allocations(const lstmae_context *context)
{
    lstmae_memory_info info = LSTMAE_MEMORY_INFO_INIT;
    assert_ok(lstmae_context_memory(context, &info));
    assert_true(info.allocations > 0);
    return info.allocations;
}

static void check_training(int kind, const char *device, int threads)
{
    kind_run run;
    kind_open(&run, kind, device, threads, 3);
    kind_step(&run, 0);
    uint64_t before = allocations(run.context);
    for (int step = 1; step <= ROUNDS; step++) {
        kind_step(&run, step);
        if (allocations(run.context) != before) fail_msg("%s on %s: step %d allocates", kind_name(kind), device, step);
    }
    kind_close(&run);
}

static void check_inference(int kind, const char *device, int threads)
{
    kind_run run;
    kind_open(&run, kind, device, threads, 3);
    kind_infer(&run);
    uint64_t before = allocations(run.context);
    for (int round = 1; round <= ROUNDS; round++) {
        kind_infer(&run);
        if (allocations(run.context) != before) fail_msg("%s on %s: inference allocates", kind_name(kind), device);
    }
    kind_close(&run);
}

/** Both in turn: neither takes away what the other needs. */
static void check_alternating(int kind, const char *device, int threads)
{
    kind_run run;
    kind_open(&run, kind, device, threads, 3);
    kind_step(&run, 0);
    kind_infer(&run);
    kind_step(&run, 1);
    uint64_t before = allocations(run.context);
    for (int round = 2; round <= ROUNDS; round++) {
        kind_step(&run, round);
        kind_infer(&run);
        if (allocations(run.context) != before)
            fail_msg("%s on %s: training and inference in turn allocate", kind_name(kind), device);
    }
    kind_close(&run);
}

static void check_kinds(void (*check)(int kind, const char *device, int threads))
{
    for (int kind = 0; kind < KINDS; kind++) {
        check(kind, "cpu", 1);
        check(kind, "cpu", 2);
        if (kind != KIND_WIDE) check(kind, "cpu:ref", 1);
    }
}

static void test_training(void **state)
{
    (void)state;
    check_kinds(check_training);
}

static void test_inference(void **state)
{
    (void)state;
    check_kinds(check_inference);
}

static void test_alternating(void **state)
{
    (void)state;
    check_kinds(check_alternating);
}

/** An LSTM that goes on from its last state, one step at a time. */
static void check_streaming(const char *device)
{
    const int64_t dims[] = { 1, 1, 9 };
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_context *context = test_context(device, LSTMAE_F32);
    lstmae_module *lstm = NULL;
    lstmae_tensor *x = NULL;
    options.layers = 2;
    options.flags = LSTMAE_LSTM_CARRY;
    assert_ok(lstmae_lstm_create(&lstm, context, 9, 31, &options));
    assert_ok(lstmae_module_set_training(lstm, 0));
    assert_ok(lstmae_tensor_create(&x, context, LSTMAE_F32, 3, dims));
    assert_ok(lstmae_module_forward(lstm, x, NULL));
    uint64_t before = allocations(context);
    for (int step = 0; step < 20; step++) assert_ok(lstmae_module_forward(lstm, x, NULL));
    assert_int_equal(allocations(context), before);
    lstmae_tensor_destroy(x);
    lstmae_module_destroy(lstm);
    lstmae_context_destroy(context);
}

static void test_streaming(void **state)
{
    (void)state;
    check_streaming("cpu");
    check_streaming("cpu:ref");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_training), cmocka_unit_test(test_inference),
                                        cmocka_unit_test(test_alternating), cmocka_unit_test(test_streaming) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
