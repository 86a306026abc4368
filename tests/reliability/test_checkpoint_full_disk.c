/* Disks that are really full: limits on the size of files, and a small file system of its own. */
#define _GNU_SOURCE /* unshare */
#include "faults.h"
#include "saved.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS = 64, HIDDEN = 40, SKIPPED = 77 };

static trainee old_state, new_state, scratch;
static uint32_t old_hash, new_hash;
static size_t file_size;

static int setup(void **state)
{
    (void)state;
    struct stat st;
    trainee_options options = TRAINEE_OPTIONS_INIT;
    options.hidden = HIDDEN;
    assert_ok(trainee_create(&old_state, &options));
    assert_ok(trainee_create(&new_state, &options));
    assert_ok(trainee_train(&old_state, 1));
    assert_ok(trainee_train(&new_state, 3));
    old_hash = trainee_hash(&old_state);
    new_hash = trainee_hash(&new_state);
    assert_ok(saved_save(&new_state));
    assert_int_equal(stat(saved_path(), &st), 0);
    file_size = (size_t)st.st_size;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    trainee_destroy(&old_state);
    trainee_destroy(&new_state);
    return 0;
}

/* In the child: what is saved is loaded into objects of its own, since a loader's thread does not survive a fork. */
static int child(int (*body)(void))
{
    trainee_options options = TRAINEE_OPTIONS_INIT;
    options.hidden = HIDDEN;
    if (trainee_create(&scratch, &options) != LSTMAE_OK) return 1;
    int result = body();
    trainee_destroy(&scratch);
    fflush(NULL);
    return result;
}

/* Runs `body` in a child process and returns what it returns, 1 if it does not come that far. */
static int in_child(int (*body)(void))
{
    int status;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) _exit(child(body));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* After a failed save: the old file is there and nothing else; after a good one, the new file. */
static int outcome_is_right(lstmae_status status, int reason, int *failures)
{
    uint32_t want = status == LSTMAE_OK ? new_hash : old_hash;
    if (status != LSTMAE_OK) {
        ++*failures;
        if (status != LSTMAE_ERR_IO || !strstr(lstmae_last_error(), strerror(reason))) {
            print_error("%s: %s\n", lstmae_status_name(status), lstmae_last_error());
            return 0;
        }
    }
    return saved_load(&scratch) == LSTMAE_OK && trainee_hash(&scratch) == want && saved_files() == 1;
}

/* The system refuses to write beyond a size: every 1/64 of the file. */
static int limited_saves(void)
{
    int failures = 0;
    (void)signal(SIGXFSZ, SIG_IGN);
    for (size_t step = 0; step <= STEPS; step++) {
        struct rlimit unlimited, limit;
        if (getrlimit(RLIMIT_FSIZE, &unlimited) != 0 || saved_save(&old_state) != LSTMAE_OK) return 1;
        limit = unlimited;
        limit.rlim_cur = (rlim_t)(file_size * step / STEPS);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
        lstmae_status status = saved_save(&new_state);
        if (setrlimit(RLIMIT_FSIZE, &unlimited) != 0) return 1;
        if (!outcome_is_right(status, EFBIG, &failures)) return 1;
    }
    print_message("%d saves beyond a limit\n", failures);
    return failures == STEPS ? 0 : 1;
}

static void test_size_limit(void **state)
{
    (void)state;
    assert_int_equal(in_child(limited_saves), 0);
}

/* File systems from the size of one file, the old one, to that of three. */
static int small_disks(void)
{
    char directory[256], options[64];
    int failures = 0;
    snprintf(directory, sizeof directory, "%.*s", (int)(strrchr(saved_path(), '/') - saved_path()), saved_path());
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return SKIPPED;
    for (size_t step = 0; step < STEPS; step++) {
        snprintf(options, sizeof options, "size=%zu", file_size + 8192 + 2 * file_size * step / STEPS);
        if (mount("tmpfs", directory, "tmpfs", 0, options) != 0) return SKIPPED;
        if (saved_save(&old_state) != LSTMAE_OK) return 1;
        lstmae_status status = saved_save(&new_state);
        int right = outcome_is_right(status, ENOSPC, &failures);
        saved_clear();
        if (umount(directory) != 0 || !right) return 1;
    }
    print_message("%d saves to a full disk, %d that found room\n", failures, STEPS - failures);
    return failures >= STEPS / 4 && failures <= STEPS * 3 / 4 ? 0 : 1;
}

static void test_small_disks(void **state)
{
    (void)state;
    int result = in_child(small_disks);
    if (result == SKIPPED) {
        print_message("no right to mount a file system\n");
        skip();
    }
    assert_int_equal(result, 0);
}

/* The directory may not be written to. A superuser may all the same. */
static int forbidden_saves(void)
{
    char directory[256];
    int failures = 0;
    snprintf(directory, sizeof directory, "%.*s", (int)(strrchr(saved_path(), '/') - saved_path()), saved_path());
    if (geteuid() == 0 && (chown(directory, 65534, 65534) != 0 || setuid(65534) != 0)) return SKIPPED;
    if (saved_save(&old_state) != LSTMAE_OK || chmod(directory, 0500) != 0) return 1;
    lstmae_status status = saved_save(&new_state);
    int right = outcome_is_right(status, EACCES, &failures);
    if (chmod(directory, 0700) != 0) return 1;
    return right && failures == 1 && saved_save(&new_state) == LSTMAE_OK ? 0 : 1;
}

static void test_forbidden(void **state)
{
    (void)state;
    saved_clear();
    int result = in_child(forbidden_saves);
    if (result == SKIPPED) skip();
    assert_int_equal(result, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size_limit),
        cmocka_unit_test(test_small_disks),
        cmocka_unit_test(test_forbidden),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
