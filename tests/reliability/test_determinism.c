/* Same seed, same bits: run after run, for every number of threads, and after saving and loading. */
#include "kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** Trains twice and compares. */
static void compare_runs(int kind, const char *device, int threads, const char *what)
{
    kind_run first, second;
    kind_train(&first, kind, device, 1, 7);
    kind_train(&second, kind, device, threads, 7);
    kind_assert_same(&first, &second, what);
    kind_close(&first);
    kind_close(&second);
}

static void test_two_runs(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        compare_runs(kind, "cpu", 1, "two runs");
        if (kind != KIND_WIDE) compare_runs(kind, "cpu:ref", 1, "two runs");
    }
}

static void test_threads(void **state)
{
    const int threads[] = { 2, 3 };
    char what[32];
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
            snprintf(what, sizeof(what), "1 and %d threads", threads[i]);
            compare_runs(kind, "cpu", threads[i], what);
        }
    }
}

/** What other runs are compared with must depend on the seed, or the tests above show nothing. */
static void test_another_seed(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        kind_run first, second;
        size_t count = 0;
        kind_train(&first, kind, "cpu", 1, 7);
        kind_train(&second, kind, "cpu", 1, 8);
        float *left = kind_weights(&first, &count), *right = kind_weights(&second, &count);
        assert_int_not_equal(memcmp(left, right, count * sizeof(float)), 0);
        free(left);
        free(right);
        kind_close(&first);
        kind_close(&second);
    }
}

/** Inference between training steps leaves no trace in what follows. */
static void test_inference_between(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        kind_run straight, visited;
        kind_train(&straight, kind, "cpu", 1, 7);
        kind_open(&visited, kind, "cpu", 1, 7);
        for (int step = 0; step < KIND_STEPS; step++) {
            kind_step(&visited, step);
            kind_infer(&visited);
        }
        kind_assert_same(&straight, &visited, "with inference between steps");
        kind_close(&straight);
        kind_close(&visited);
    }
}

static void test_resumed(void **state)
{
    char path[] = "/tmp/lstmae-determinism-XXXXXX";
    int file = mkstemp(path);
    (void)state;
    assert_true(file >= 0);
    close(file);
    for (int kind = 0; kind < KINDS; kind++) {
        kind_assert_resumes(kind, "cpu", 1, path);
        kind_assert_resumes(kind, "cpu", 2, path);
    }
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_runs),          cmocka_unit_test(test_threads), cmocka_unit_test(test_another_seed),
        cmocka_unit_test(test_inference_between), cmocka_unit_test(test_resumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
