/* The worker threads: everyone runs once, barriers order memory, sleepers wake, signals and forks leave them alone. */
#include "cpu/pool.h"

#include "cpu_queue.h"
#include "support.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 2000 };

typedef struct pool_case {
    lae_pool *pool;
    int calls[THREADS];
    int threads;
    int64_t value[2][THREADS]; /* written by one thread each, read by all after a barrier */
    int wrong;
    pthread_t id[THREADS];
    sigset_t mask[THREADS];
} pool_case;

static int setup(void **state)
{
    static lstmae_queue queue;
    static pool_case c;
    if (!cpu_queue_open(&queue, LAE_ISA_PLAIN, THREADS)) return -1;
    memset(&c, 0, sizeof(c));
    c.pool = queue.pool;
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    lae_pool_destroy(((pool_case *)*state)->pool);
    return 0;
}

static void count_call(void *arg, int thread, int threads)
{
    pool_case *c = arg;
    c->calls[thread]++;
    if (thread == 0) c->threads = threads;
}

static void test_everyone_runs_once(void **state)
{
    pool_case *c = *state;
    assert_int_equal(lae_pool_threads(c->pool), THREADS);
    for (int round = 0; round < ROUNDS; round++) {
        int wanted = round % (THREADS + 2);
        memset(c->calls, 0, sizeof(c->calls));
        lae_pool_run(c->pool, wanted, count_call, c);
        int ran = wanted < 1 ? 1 : wanted > THREADS ? THREADS : wanted;
        assert_int_equal(c->threads, ran);
        for (int i = 0; i < THREADS; i++) assert_int_equal(c->calls[i], i < ran);
    }
}

/* Every thread adds up what all wrote before the barrier; two buffers, so that one barrier a round is enough. */
static void add_up(void *arg, int thread, int threads)
{
    pool_case *c = arg;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t *value = c->value[round & 1], sum = 0;
        value[thread] = round + thread;
        lae_pool_barrier(c->pool, threads);
        for (int i = 0; i < threads; i++) sum += value[i];
        if (sum != (int64_t)threads * round + threads * (threads - 1) / 2) c->wrong = 1;
    }
}

static void test_barriers(void **state)
{
    pool_case *c = *state;
    for (int threads = 1; threads <= THREADS; threads++) lae_pool_run(c->pool, threads, add_up, c);
    assert_int_equal(c->wrong, 0);
}

static void test_sleepers_wake(void **state)
{
    pool_case *c = *state;
    for (int round = 0; round < 20; round++) {
        struct timespec pause = { 0, 2000000 };
        memset(c->calls, 0, sizeof(c->calls));
        lae_pool_run(c->pool, THREADS, count_call, c);
        for (int i = 0; i < THREADS; i++) assert_int_equal(c->calls[i], 1);
        nanosleep(&pause, NULL);
    }
}

static void read_mask(void *arg, int thread, int threads)
{
    pool_case *c = arg;
    (void)threads;
    c->id[thread] = pthread_self();
    pthread_sigmask(SIG_SETMASK, NULL, &c->mask[thread]);
}

static void test_signals_are_blocked(void **state)
{
    pool_case *c = *state;
    sigset_t before, after;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    lae_pool_run(c->pool, THREADS, read_mask, c);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    assert_int_equal(sigismember(&before, SIGINT), sigismember(&after, SIGINT));
    assert_true(pthread_equal(c->id[0], pthread_self()));
    for (int i = 1; i < THREADS; i++) {
        assert_false(pthread_equal(c->id[i], c->id[0]));
        assert_int_equal(sigismember(&c->mask[i], SIGINT), 1);
        assert_int_equal(sigismember(&c->mask[i], SIGTERM), 1);
        assert_int_equal(sigismember(&c->mask[i], SIGUSR1), 1);
    }
}

/* A child has no workers: it computes alone, and can close the pool. */
static void test_fork(void **state)
{
    pool_case *c = *state;
    lae_pool_run(c->pool, THREADS, count_call, c);
    pid_t child = fork();
    if (child == 0) {
        memset(c->calls, 0, sizeof(c->calls));
        alarm(20);
        lae_pool_run(c->pool, THREADS, count_call, c);
        int fine = c->threads == 1 && c->calls[0] == 1 && c->calls[1] == 0;
        lae_pool_destroy(c->pool);
        _exit(fine ? 0 : 1);
    }
    int status = -1;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    lae_pool_run(c->pool, THREADS, count_call, c);
    assert_int_equal(c->threads, THREADS);
}

static void test_no_pool(void **state)
{
    pool_case c;
    (void)state;
    memset(&c, 0, sizeof(c));
    lae_pool_run(NULL, 5, count_call, &c);
    assert_int_equal(c.threads, 1);
    assert_int_equal(c.calls[0], 1);
    assert_int_equal(lae_pool_threads(NULL), 1);
    lae_pool_destroy(NULL);
}

static void test_parts(void **state)
{
    (void)state;
    for (int64_t count = 0; count < 20; count++) {
        for (int threads = 1; threads < 8; threads++) {
            int64_t next = 0, begin, end;
            for (int i = 0; i < threads; i++) {
                lae_pool_part(count, i, threads, &begin, &end);
                assert_true(begin == next && end >= begin && end - begin <= count / threads + 1);
                next = end;
            }
            assert_true(next == count);
        }
    }
}

static void *no_memory(size_t bytes, size_t alignment, void *payload)
{
    (void)bytes;
    (void)alignment;
    (void)payload;
    return NULL;
}

static void test_without_memory(void **state)
{
    (void)state;
    lstmae_memory memory = { no_memory, NULL, NULL, NULL, NULL };
    assert_null(lae_pool_create(2, &memory));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_everyone_runs_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_barriers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sleepers_wake, setup, teardown),
        cmocka_unit_test_setup_teardown(test_signals_are_blocked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fork, setup, teardown),
        cmocka_unit_test(test_no_pool),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
