/* Same seed, same bits on a GPU: twenty runs of every kind of model, step by step and in lstmae_fit(), and resumed. */
#include "gpu.h"
#include "kinds.h"
#include "trainee.h"

#include <stdio.h>
#include <unistd.h>

#define UPDATES 14

static int runs = 20; /* or as many as the first argument says */

static void test_runs(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        kind_run first, again;
        char what[32];
        kind_train(&first, kind, gpu_name(), 1, 7);
        for (int i = 1; i < runs; i++) {
            snprintf(what, sizeof(what), "run %d", i + 1);
            kind_train(&again, kind, gpu_name(), 1, 7);
            kind_assert_same(&first, &again, what);
            kind_close(&again);
        }
        kind_close(&first);
    }
}

static void check_resumed(int kind, const char *path)
{
    kind_assert_resumes(kind, gpu_name(), 1, path);
}

static void with_file(void (*check)(int kind, const char *path), int kinds)
{
    char path[] = "/tmp/lstmae-gpu-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    for (int kind = 0; kind < kinds; kind++) check(kind, path);
    remove(path);
}

static void test_resumed(void **state)
{
    (void)state;
    with_file(check_resumed, KINDS);
}

/* ---- lstmae_fit(): loader, captured steps, schedule, validation ---- */

static void open_trainee(trainee *t, uint64_t seed)
{
    trainee_options options = TRAINEE_OPTIONS_INIT;
    lstmae_context_options context = LSTMAE_CONTEXT_OPTIONS_INIT;
    context.seed = seed;
    context.precision = test_device_precision();
    options.context = &context;
    options.device = gpu_name();
    options.hidden = 32;
    assert_ok(trainee_create(t, &options));
}

static uint32_t fit_hash(void)
{
    trainee t;
    open_trainee(&t, 11);
    assert_ok(trainee_train(&t, UPDATES));
    uint32_t hash = trainee_hash(&t);
    trainee_destroy(&t);
    return hash;
}

static void test_fits(void **state)
{
    (void)state;
    const uint32_t first = fit_hash();
    for (int i = 1; i < runs; i++) assert_int_equal(fit_hash(), first);
}

static void check_fit_resumed(int kind, const char *path)
{
    trainee before, after;
    (void)kind;
    open_trainee(&before, 11);
    before.stop = UPDATES / 2;
    assert_ok(trainee_train(&before, UPDATES));
    lstmae_checkpoint content = trainee_content(&before);
    assert_ok(lstmae_checkpoint_save(path, &content));
    trainee_destroy(&before);
    open_trainee(&after, 99);
    content = trainee_content(&after);
    assert_ok(lstmae_checkpoint_load(path, &content));
    assert_ok(trainee_train(&after, UPDATES));
    assert_int_equal(trainee_hash(&after), fit_hash());
    trainee_destroy(&after);
}

static void test_fit_resumed(void **state)
{
    (void)state;
    with_file(check_fit_resumed, 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_runs), cmocka_unit_test(test_resumed),
                                        cmocka_unit_test(test_fits), cmocka_unit_test(test_fit_resumed) };
    if (argc > 1) runs = atoi(argv[1]);
    gpu_need();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
