/* Every file call and every allocation of a checkpoint fails in turn, once and from then on. */
#include "checkpoint_internal.h"
#include "faults.h"
#include "saved.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Two trainings a few updates apart, and one to load into. */
static trainee old_state, new_state, scratch;
static uint32_t old_hash, new_hash;

static int setup(void **state)
{
    (void)state;
    trainee_options options = TRAINEE_OPTIONS_INIT;
    assert_ok(trainee_create(&old_state, &options));
    assert_ok(trainee_create(&new_state, &options));
    assert_ok(trainee_create(&scratch, &options));
    assert_ok(trainee_train(&old_state, 3));
    assert_ok(trainee_train(&new_state, 6));
    old_hash = trainee_hash(&old_state);
    new_hash = trainee_hash(&new_state);
    assert_true(old_hash != new_hash);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lae_io_swap(NULL);
    trainee_destroy(&old_state);
    trainee_destroy(&new_state);
    trainee_destroy(&scratch);
    return 0;
}

/* ---- file calls ---- */

/* Watches the order of calls: a file whose fsync failed must not be synced again nor put in place. */
static int sync_failed, wrong_after_sync;

static int watched_sync(int fd)
{
    wrong_after_sync += sync_failed;
    int result = test_io_table.sync(fd);
    if (result != 0 && errno != EINTR) sync_failed = 1;
    return result;
}

static int watched_rename(const char *from, const char *to)
{
    wrong_after_sync += sync_failed;
    return test_io_table.rename(from, to);
}

static lae_io watched;

static void io_begin(test_io_mode mode, int code, long at, int keep)
{
    watched = test_io_table;
    watched.sync = watched_sync;
    watched.rename = watched_rename;
    sync_failed = wrong_after_sync = 0;
    test_io = (test_io_state){ .fault = { at, keep, 0 }, .mode = mode, .code = code };
    lae_io_swap(&watched);
}

static void io_end(void)
{
    lae_io_swap(NULL);
    assert_int_equal(test_io.open, 0);
    assert_int_equal(wrong_after_sync, 0);
}

/* Saves the new state over the old one with one fault. Returns 0 when the fault lay beyond the last call. */
static int save_with_fault(int code, long at, int keep, long *failures)
{
    saved_clear();
    assert_ok(saved_save(&old_state));
    io_begin(TEST_IO_ERROR, code, at, keep);
    lstmae_status status = saved_save(&new_state);
    char text[512];
    snprintf(text, sizeof text, "%s", lstmae_last_error());
    io_end();
    uint32_t found = saved_assert(&scratch, old_hash, new_hash);
    if (status == LSTMAE_OK) {
        assert_int_equal(found, new_hash);
    } else {
        ++*failures;
        assert_true(status == LSTMAE_ERR_IO || status == LSTMAE_ERR_NOT_FOUND);
        if (found == new_hash) /* in place, but not known to last: only the directory's fsync may leave that */
            assert_true(strstr(text, "lstmae-test") && !strstr(text, "saved.safetensors"));
        else
            assert_non_null(strstr(text, saved_path()));
        char reason[64];
        snprintf(reason, sizeof reason, "%s", strerror(code));
        assert_non_null(strstr(text, reason));
    }
    assert_ok(saved_save(&old_state)); /* cleans up */
    assert_int_equal(saved_files(), 1);
    (void)saved_assert(&scratch, old_hash, old_hash);
    return test_io.fault.uses >= at;
}

static void test_save_faults(void **state)
{
    (void)state;
    static const struct {
        int code, keep, stride;
    } kinds[] = { { EIO, 0, 1 }, { EIO, 1, 1 }, { ENOSPC, 0, 1 }, { EDQUOT, 1, 5 }, { EROFS, 0, 7 }, { EACCES, 0, 9 } };
    long runs = 0, failures = 0, calls = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (long at = 1; save_with_fault(kinds[i].code, at, kinds[i].keep, &failures); at += kinds[i].stride) runs++;
        if (i == 0) calls = runs;
    }
    print_message("%ld file calls, %ld saves with a fault, %ld of them failed\n", calls, runs, failures);
    assert_true(calls >= 12);
    assert_true(failures >= runs - 10); /* closing what was only looked at may fail */
}

/* Interruptions and short transfers are no faults. */
static void test_save_interruptions(void **state)
{
    (void)state;
    const struct {
        test_io_mode mode;
        int code;
    } kinds[] = { { TEST_IO_ERROR, EINTR }, { TEST_IO_SHORT, 0 } };
    for (int kind = 0; kind < 2; kind++) {
        for (long at = 1; at < 40; at++) {
            saved_clear();
            io_begin(kinds[kind].mode, kinds[kind].code, at, 0);
            lstmae_status status = saved_save(&new_state);
            io_end();
            /* rename and unlink are never interrupted; all else is repeated */
            if (status != LSTMAE_OK)
                assert_non_null(strstr(lstmae_last_error(), "replace"));
            else
                (void)saved_assert(&scratch, new_hash, new_hash);
        }
    }
    io_begin(TEST_IO_ERROR, EINTR, 4, 1); /* for ever: must end */
    assert_fails(saved_save(&new_state), ERR_IO);
    io_end();
}

static void test_load_faults(void **state)
{
    (void)state;
    saved_clear();
    assert_ok(saved_save(&new_state));
    long runs = 0;
    for (int keep = 0; keep < 2; keep++) {
        for (long at = 1;; at++, runs++) {
            uint32_t before = trainee_hash(&old_state);
            io_begin(TEST_IO_ERROR, EIO, at, keep);
            lstmae_status status = saved_load(&old_state);
            io_end();
            if (test_io.fault.uses < at) break;
            if (status == LSTMAE_OK) continue; /* closing a file that was read */
            assert_int_equal(status, LSTMAE_ERR_IO);
            assert_int_equal(trainee_hash(&old_state), before);
        }
        /* the last run met no fault: it loaded; start again from what it was */
        assert_int_equal(trainee_hash(&old_state), new_hash);
        trainee_destroy(&old_state);
        trainee_options options = TRAINEE_OPTIONS_INIT;
        assert_ok(trainee_create(&old_state, &options));
        assert_ok(trainee_train(&old_state, 3));
    }
    print_message("%ld loads with a fault\n", runs);
    assert_true(runs >= 20);
}

/* Weights read straight into place: a disk that fails then is reported, though some of them are new. */
static void test_unstaged_load_faults(void **state)
{
    (void)state;
    saved_clear();
    assert_ok(saved_save(&new_state));
    lstmae_checkpoint content = trainee_content(&old_state);
    long runs = 0, unnoticed = 0;
    for (long at = 1;; at++, runs++) {
        io_begin(TEST_IO_ERROR, EIO, at, 0);
        lstmae_status status = lae_checkpoint_load_staged(saved_path(), &content, 0);
        io_end();
        if (test_io.fault.uses < at) break;
        if (status == LSTMAE_OK)
            unnoticed++;
        else
            assert_int_equal(status, LSTMAE_ERR_IO);
    }
    assert_int_equal(trainee_hash(&old_state), new_hash);
    assert_int_equal(unnoticed, 1); /* closing a file that was read */
    assert_true(runs >= 200);       /* every tensor is read twice */
}

/* ---- what is at the path ---- */

static void test_stale_files(void **state)
{
    (void)state;
    char name[300];
    saved_clear();
    assert_ok(saved_save(&old_state));
    /* a temporary file of a process that ended: a child that is killed in the middle of its save leaves one */
    io_begin(TEST_IO_ERROR, EIO, 6, 1); /* from a write on, unlink too: it stays */
    assert_fails(saved_save(&new_state), ERR_IO);
    io_end();
    assert_int_equal(saved_files(), 2);
    /* of another host, of a living process, and names that only look alike: none of our business */
    static const char *const alike[] = { ".tmp-00000000-999999-0", ".tmp", ".tmp-", ".bak", ".tmp-xyz-1-1" };
    for (size_t i = 0; i < sizeof alike / sizeof alike[0]; i++) {
        snprintf(name, sizeof name, "saved.safetensors%s", alike[i]);
        (void)test_file(name, "x", 1);
    }
    assert_ok(saved_save(&new_state));
    assert_int_equal(saved_files(), 1 + (int)(sizeof alike / sizeof alike[0]));
    (void)saved_assert(&scratch, new_hash, new_hash);
}

static void test_other_things_at_the_path(void **state)
{
    (void)state;
    char link[300], target[300];
    lstmae_checkpoint content = trainee_content(&new_state);
    assert_fails(lstmae_checkpoint_save("/dev/full", &content), ERR_IO);
    assert_fails(lstmae_checkpoint_save("/dev/null", &content), ERR_IO);
    snprintf(link, sizeof link, "%s", test_path("link"));
    assert_int_equal(symlink("/dev/full", link), 0);
    assert_fails(lstmae_checkpoint_save(link, &content), ERR_IO);
    assert_int_equal(readlink(link, target, sizeof target), 9);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink("nowhere", link), 0);
    assert_ok(lstmae_checkpoint_save(link, &content)); /* replaces the link */
    assert_ok(lstmae_checkpoint_load(link, &content));
    assert_int_equal(unlink(link), 0);
    char directory[300];
    snprintf(directory, sizeof directory, "%s", test_path(""));
    assert_fails(lstmae_checkpoint_save(directory, &content), ERR_IO);
    char longest[5000];
    memset(longest, 'x', sizeof longest);
    longest[4999] = '\0';
    assert_fails(lstmae_checkpoint_save(longest, &content), ERR_IO);
    longest[300] = '\0'; /* a name the file system does not take */
    assert_fails(lstmae_checkpoint_save(longest, &content), ERR_IO);
    assert_fails(lstmae_checkpoint_load(longest, &content), ERR_IO);
}

/* A path without a directory is in the current one. */
static void test_relative_path(void **state)
{
    (void)state;
    char before[4096], directory[300];
    assert_non_null(getcwd(before, sizeof before));
    snprintf(directory, sizeof directory, "%s", test_path(""));
    assert_int_equal(chdir(directory), 0);
    lstmae_checkpoint content = trainee_content(&new_state);
    assert_ok(lstmae_checkpoint_save("relative.safetensors", &content));
    assert_ok(lstmae_checkpoint_load("./relative.safetensors", &content));
    assert_int_equal(unlink("relative.safetensors"), 0);
    assert_int_equal(chdir(before), 0);
}

/* ---- allocations ---- */

static lstmae_status make_heaped(trainee *t, test_heap *heap)
{
    lstmae_context_options context = LSTMAE_CONTEXT_OPTIONS_INIT;
    trainee_options options = TRAINEE_OPTIONS_INIT;
    context.threads = 1;
    context.seed = 5;
    context.alloc = test_heap_alloc;
    context.release = test_heap_free;
    context.alloc_payload = heap;
    options.context = &context;
    return trainee_create(t, &options);
}

static void test_allocations_in_save_and_load(void **state)
{
    (void)state;
    test_heap heap = { .live = 0 };
    trainee t;
    long failures[2] = { 0, 0 };
    assert_ok(make_heaped(&t, &heap));
    assert_ok(trainee_train(&t, 4));
    uint32_t hash = trainee_hash(&t);
    saved_clear();
    assert_ok(saved_save(&old_state));
    for (int loading = 0; loading < 2; loading++) {
        for (int keep = 0; keep < 2; keep++) {
            for (long at = 1;; at++) {
                long live = heap.live;
                heap.fault = (test_fault){ at, keep, 0 };
                lstmae_status status = loading ? saved_load(&t) : saved_save(&t);
                heap.fault.at = 0;
                if (status == LSTMAE_OK) break;
                assert_int_equal(status, LSTMAE_ERR_NO_MEMORY);
                assert_true(heap.live == live);
                assert_int_equal(trainee_hash(&t), hash);
                failures[loading]++;
            }
            if (loading) (void)saved_load(&t);
            hash = trainee_hash(&t);
            (void)saved_assert(&scratch, hash, hash);
        }
    }
    trainee_destroy(&t);
    assert_int_equal(heap.live, 0);
    print_message("%ld saves and %ld loads without memory\n", failures[0], failures[1]);
    assert_true(failures[0] >= 12 && failures[1] >= 12);
}

static lstmae_status whole_life(test_heap *heap)
{
    trainee t;
    lstmae_status status = make_heaped(&t, heap);
    if (status == LSTMAE_OK) status = trainee_train(&t, 3);
    if (status == LSTMAE_OK) status = saved_save(&t);
    if (status == LSTMAE_OK) status = saved_load(&t);
    if (status == LSTMAE_OK) status = trainee_train(&t, 5);
    trainee_destroy(&t);
    return status;
}

/* A whole training with everything that belongs to one: create, fit, save, load, fit on, destroy. */
static void test_allocations_in_training(void **state)
{
    (void)state;
    long failures = 0, calls = 0;
    for (int keep = 0; keep < 2; keep++) {
        for (long at = 1;; at++) {
            test_heap heap = { .fault = { at, keep, 0 } };
            lstmae_status status = whole_life(&heap);
            assert_int_equal(heap.live, 0);
            calls = heap.fault.uses;
            if (status == LSTMAE_OK && heap.fault.uses < at) break;
            if (status == LSTMAE_OK) continue; /* something that can be done without */
            assert_true(status == LSTMAE_ERR_NO_MEMORY || status == LSTMAE_ERR_DEVICE_MEMORY);
            failures++;
        }
    }
    print_message("%ld allocations, %ld runs failed\n", calls, failures);
    assert_true(failures >= calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_save_faults),
        cmocka_unit_test(test_save_interruptions),
        cmocka_unit_test(test_load_faults),
        cmocka_unit_test(test_unstaged_load_faults),
        cmocka_unit_test(test_stale_files),
        cmocka_unit_test(test_other_things_at_the_path),
        cmocka_unit_test(test_relative_path),
        cmocka_unit_test(test_allocations_in_save_and_load),
        cmocka_unit_test(test_allocations_in_training),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
