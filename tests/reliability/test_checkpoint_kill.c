/*
 * A process that trains and saves without pause is killed: at random instants, and before each of its file calls. The
 * file is always a state of the undisturbed training, not older than the last save that was reported, and the training
 * goes on from it.
 *
 * LSTMAE_TEST_KILLS sets the number of random kills.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "faults.h"
#include "saved.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { UPDATES = 400, KILLS = 100, CONTROL_KILLS = 40 };

/* Shared with the child: updates whose save has been reported. */
static volatile int64_t *reported;

/* Hash of the undisturbed training after each update. */
static uint32_t hashes[UPDATES + 1];

static trainee scratch;

/* How long a child takes to start and save twice, in microseconds: the random instants lie within. */
static long lifetime;

static double seconds_now(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* One more update; stopped by the callback, so that the best weights stay where they are. */
static lstmae_status train_one(trainee *t)
{
    t->stop = lstmae_fit_state_iteration(t->state) + 1;
    return trainee_train(t, 10 * UPDATES);
}

static int setup(void **state)
{
    (void)state;
    trainee t;
    trainee_options options = TRAINEE_OPTIONS_INIT;
    double begin = seconds_now();
    assert_ok(trainee_create(&t, &options));
    assert_ok(saved_save(&t));
    assert_ok(saved_save(&t));
    lifetime = 1000 + (long)(2e6 * (seconds_now() - begin));
    if (lifetime > 900000) lifetime = 900000;
    hashes[0] = trainee_hash(&t);
    for (int i = 1; i <= UPDATES; i++) {
        assert_ok(train_one(&t));
        hashes[i] = trainee_hash(&t);
    }
    trainee_destroy(&t);
    assert_ok(trainee_create(&scratch, &options));
    void *memory = mmap(NULL, sizeof *reported, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    reported = memory;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    trainee_destroy(&scratch);
    return 0;
}

/* The child: goes on from the file where there is one, and saves after every update. */
static void train_and_save(void)
{
    trainee t;
    trainee_options options = TRAINEE_OPTIONS_INIT;
    if (trainee_create(&t, &options) != LSTMAE_OK) _exit(1);
    lstmae_status status = saved_load(&t);
    if (status != LSTMAE_OK && status != LSTMAE_ERR_NOT_FOUND) _exit(2);
    while (lstmae_fit_state_iteration(t.state) < UPDATES) {
        if (train_one(&t) != LSTMAE_OK || saved_save(&t) != LSTMAE_OK) _exit(3);
        *reported = lstmae_fit_state_iteration(t.state);
    }
    trainee_destroy(&t);
    _exit(0);
}

static pid_t start_child(const lae_io *table)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        lae_io_swap(table);
        train_and_save();
    }
    return pid;
}

/* Waits for a child that was killed (1) or had finished (0). */
static int child_was_killed(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return 1;
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    return 0;
}

/* Updates of the state on disk; -1 where there is no file, -2 where it is none of the states. */
static int64_t state_on_disk(void)
{
    lstmae_status status = saved_load(&scratch);
    if (status == LSTMAE_ERR_NOT_FOUND) return -1;
    if (status != LSTMAE_OK) return -2;
    int64_t updates = lstmae_fit_state_iteration(scratch.state);
    return updates <= UPDATES && trainee_hash(&scratch) == hashes[updates] ? updates : -2;
}

static void wait_random(unsigned *seed, long most_microseconds)
{
    struct timespec pause = { 0, 0 };
    *seed = *seed * 1664525u + 1013904223u;
    pause.tv_nsec = (long)(*seed >> 8) % most_microseconds * 1000;
    nanosleep(&pause, NULL);
}

static void test_random_instants(void **state)
{
    (void)state;
    const char *wanted = getenv("LSTMAE_TEST_KILLS");
    int kills = 0, most = wanted ? atoi(wanted) : KILLS, orphans = 0;
    int64_t updates = 0, progress = 0;
    unsigned seed = 1;
    long longest = lifetime; /* follows the machine's pace, which other work on it changes */
    saved_clear();
    *reported = 0;
    while (kills < most) {
        pid_t pid = start_child(NULL);
        wait_random(&seed, longest);
        (void)kill(pid, SIGKILL);
        kills += child_was_killed(pid);
        int64_t found = state_on_disk();
        assert_true(found >= *reported || (found == -1 && *reported == 0));
        orphans += saved_files() - (found >= 0);
        progress += found > updates ? found - updates : 0;
        longest += found > updates ? -longest / 16 : longest / 16 + 1;
        updates = found > 0 ? found : 0;
        if (updates == UPDATES) {
            saved_clear();
            *reported = updates = 0;
        }
    }
    assert_ok(saved_save(&scratch));
    assert_int_equal(saved_files(), 1);
    print_message("%d kills, %d temporary files left by them, %d updates made between\n", kills, orphans,
                  (int)progress);
    assert_true(progress > kills / 10 && orphans > 0); /* the instants were neither all early nor all late */
}

/* The child ends itself before file call number `deadline`. */
static long deadline, calls;

static void tick(void)
{
    if (++calls == deadline) (void)raise(SIGKILL);
}

static int killed_open(const char *path, int flags, unsigned mode)
{
    tick();
    return lae_io_system.open(path, flags, mode);
}

static ssize_t killed_write(int fd, const void *buffer, size_t bytes)
{
    tick();
    return lae_io_system.write(fd, buffer, bytes);
}

static int killed_sync(int fd)
{
    tick();
    return lae_io_system.sync(fd);
}

static int killed_close(int fd)
{
    tick();
    return lae_io_system.close(fd);
}

static int killed_rename(const char *from, const char *to)
{
    tick();
    return lae_io_system.rename(from, to);
}

static void test_every_call(void **state)
{
    (void)state;
    lae_io table = lae_io_system;
    table.open = killed_open;
    table.write = killed_write;
    table.sync = killed_sync;
    table.close = killed_close;
    table.rename = killed_rename;
    int64_t first = -1;
    int old_files = 0, new_files = 0;
    saved_clear();
    trainee_options options = TRAINEE_OPTIONS_INIT;
    trainee_destroy(&scratch);
    assert_ok(trainee_create(&scratch, &options));
    for (deadline = 1; deadline < 300; deadline++) {
        assert_ok(train_one(&scratch)); /* the state that the child starts from */
        first = lstmae_fit_state_iteration(scratch.state);
        if (first > UPDATES - 3) break;
        assert_ok(saved_save(&scratch));
        assert_int_equal(saved_files(), 1); /* what the one before left is gone */
        *reported = first;
        assert_true(child_was_killed(start_child(&table)));
        int64_t found = state_on_disk();
        assert_true(found >= *reported && found <= *reported + 1);
        old_files += found == first;
        new_files += found > first;
    }
    print_message("%d files were the old one, %d a newer one\n", old_files, new_files);
    assert_true(old_files > 100 && new_files > 20);
}

/* ---- the control: a save in place must be caught ---- */

static int in_place_open(const char *path, int flags, unsigned mode)
{
    char target[300];
    const char *temporary = strstr(path, ".tmp-");
    if (!(flags & O_CREAT) || !temporary) return lae_io_system.open(path, flags, mode);
    snprintf(target, sizeof target, "%.*s", (int)(temporary - path), path);
    return lae_io_system.open(target, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

static int in_place_rename(const char *from, const char *to)
{
    (void)from;
    (void)to;
    return 0;
}

static void test_control(void **state)
{
    (void)state;
    lae_io table = lae_io_system;
    table.open = in_place_open;
    table.rename = in_place_rename;
    unsigned seed = 7;
    int torn = 0;
    for (int kills = 0; kills < CONTROL_KILLS;) {
        saved_clear();
        *reported = 0;
        pid_t pid = start_child(&table);
        while (*reported == 0) wait_random(&seed, 500);
        wait_random(&seed, 5000);
        (void)kill(pid, SIGKILL);
        kills += child_was_killed(pid);
        torn += state_on_disk() < 0;
    }
    saved_clear();
    print_message("saved in place: %d of %d files torn\n", torn, CONTROL_KILLS);
    assert_true(torn > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_instants),
        cmocka_unit_test(test_every_call),
        cmocka_unit_test(test_control),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
