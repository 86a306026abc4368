/* Files: whole reads and writes through interruptions and short transfers, refusals, error texts. */
#include "faults.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int teardown(void **state)
{
    (void)state;
    lae_io_swap(NULL);
    memset(&test_io, 0, sizeof test_io);
    return 0;
}

static void use_faults(test_io_mode mode, int code, long at, int keep)
{
    test_io = (test_io_state){ .fault = { at, keep, 0 }, .mode = mode, .code = code };
    lae_io_swap(&test_io_table);
}

static void assert_text(const char *part)
{
    if (strstr(lstmae_last_error(), part)) return;
    print_error("\"%s\" lacks \"%s\"\n", lstmae_last_error(), part);
    fail();
}

static lstmae_status write_file(const char *path, const void *bytes, size_t length)
{
    lae_file file;
    LAE_TRY(lae_file_create(&file, path, 0600));
    lstmae_status status = lae_file_write(&file, bytes, length / 2);
    if (status == LSTMAE_OK) status = lae_file_write(&file, (const char *)bytes + length / 2, length - length / 2);
    if (status == LSTMAE_OK) status = lae_file_sync(&file);
    if (status == LSTMAE_OK) return lae_file_finish(&file);
    lae_file_close(&file);
    return status;
}

static lstmae_status read_file(const char *path, void *bytes, size_t length)
{
    lae_file file;
    LAE_TRY(lae_file_open(&file, path));
    lstmae_status status = lae_file_read(&file, 0, bytes, length);
    lae_file_close(&file);
    return status;
}

/* What goes out comes back, with every transfer cut to one byte and with single interruptions anywhere. */
static void writes_and_reads_whole(void **state)
{
    (void)state;
    char content[300], back[300], path[256];
    for (size_t i = 0; i < sizeof content; i++) content[i] = (char)(i * 7);
    snprintf(path, sizeof path, "%s", test_path("whole"));
    const struct {
        test_io_mode mode;
        int code, keep;
        long at;
    } cases[] = { { TEST_IO_ERROR, 0, 0, 0 },     { TEST_IO_SHORT, 0, 1, 1 },     { TEST_IO_ERROR, EINTR, 0, 1 },
                  { TEST_IO_ERROR, EINTR, 0, 2 }, { TEST_IO_ERROR, EINTR, 0, 3 }, { TEST_IO_ERROR, EINTR, 0, 4 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memset(back, 0, sizeof back);
        use_faults(cases[i].mode, cases[i].code, cases[i].at, cases[i].keep);
        assert_ok(write_file(path, content, sizeof content));
        test_io.fault.uses = 0;
        if (cases[i].at != 2 || cases[i].mode != TEST_IO_ERROR)
            assert_ok(read_file(path, back, sizeof back));
        else { /* learning the size is never interrupted: it counts as failed */
            assert_fails(read_file(path, back, sizeof back), ERR_IO);
            test_io.fault.at = 0;
            assert_ok(read_file(path, back, sizeof back));
        }
        assert_memory_equal(content, back, sizeof content);
        assert_int_equal(test_io.open, 0);
        assert_ok(lae_file_unlink(path));
    }
}

/* Interruptions without end are an error, not a hang. */
static void endless_interruption_ends(void **state)
{
    (void)state;
    char back[4];
    const char *path = test_file("endless", "abcd", 4);
    use_faults(TEST_IO_ERROR, EINTR, 3, 1);
    assert_fails(read_file(path, back, 4), ERR_IO);
    assert_int_equal(test_io.open, 0);
}

static ssize_t write_nothing(int fd, const void *buffer, size_t bytes)
{
    (void)fd, (void)buffer, (void)bytes;
    return 0;
}

static void writing_nothing_ends(void **state)
{
    (void)state;
    lae_io table = lae_io_system;
    table.write = write_nothing;
    lae_io_swap(&table);
    assert_fails(write_file(test_path("nothing"), "abcd", 4), ERR_IO);
    assert_ok(lae_file_unlink(test_path("nothing")));
}

/* Each failing call gives its error, names the path and the reason, and leaves no descriptor. */
static void failures_are_named(void **state)
{
    (void)state;
    char path[256];
    snprintf(path, sizeof path, "%s", test_path("named"));
    const int codes[] = { EIO, ENOSPC, EDQUOT, EROFS, EACCES };
    for (size_t c = 0; c < sizeof codes / sizeof codes[0]; c++) {
        for (int keep = 0; keep < 2; keep++) {
            long points = 0;
            for (long at = 1;; at++) {
                use_faults(TEST_IO_ERROR, codes[c], at, keep);
                lstmae_status status = write_file(path, "content", 7);
                assert_int_equal(test_io.open, 0);
                lae_io_swap(NULL);
                (void)unlink(path);
                if (status == LSTMAE_OK) break;
                assert_int_equal(status, LSTMAE_ERR_IO);
                assert_text(path);
                assert_text(strerror(codes[c]));
                points++;
            }
            assert_int_equal(points, 5); /* open, two writes, sync, close */
        }
    }
}

static void refuses_what_is_no_file(void **state)
{
    (void)state;
    char byte;
    assert_fails(read_file(test_path("absent"), &byte, 1), ERR_NOT_FOUND);
    assert_text("absent: cannot open");
    assert_fails(read_file("/tmp", &byte, 1), ERR_IO);
    assert_text("/tmp: expected a regular file");
    assert_fails(read_file("/dev/zero", &byte, 1), ERR_IO);
    assert_int_equal(mkfifo(test_path("pipe"), 0600), 0);
    assert_fails(read_file(test_path("pipe"), &byte, 1), ERR_IO);
    assert_text("pipe: expected a regular file");
    assert_fails(lae_file_unlink(test_path("absent")), ERR_NOT_FOUND);
}

static void reading_past_the_end_fails(void **state)
{
    (void)state;
    char back[8];
    lae_file file;
    assert_ok(lae_file_open(&file, test_file("short", "abcd", 4)));
    assert_int_equal(file.size, 4);
    assert_ok(lae_file_read(&file, 1, back, 3));
    assert_memory_equal(back, "bcd", 3);
    assert_ok(lae_file_read(&file, 4, back, 0));
    assert_fails(lae_file_read(&file, 1, back, 4), ERR_IO);
    assert_text("expected 4 bytes at byte 1, got 3");
    lae_file_close(&file);
    lae_file_close(&file);
}

static void creates_only_what_is_new(void **state)
{
    (void)state;
    lae_file file;
    char from[256], back[3];
    snprintf(from, sizeof from, "%s", test_file("old", "old", 3));
    assert_fails(lae_file_create(&file, from, 0600), ERR_IO);
    assert_int_equal(file.fd, -1);
    assert_ok(lae_file_rename(from, test_path("new")));
    assert_ok(read_file(test_path("new"), back, 3));
    assert_fails(lae_file_rename(from, test_path("new")), ERR_NOT_FOUND);
}

static void syncs_directories(void **state)
{
    (void)state;
    assert_ok(lae_file_sync_directory(test_path("any")));
    assert_ok(lae_file_sync_directory("here"));
    assert_ok(lae_file_sync_directory("/root"));
    assert_fails(lae_file_sync_directory("/no/such/place/file"), ERR_NOT_FOUND);
    for (long at = 1; at <= 3; at++) {
        use_faults(TEST_IO_ERROR, EIO, at, 0);
        assert_fails(lae_file_sync_directory(test_path("any")), ERR_IO);
        assert_int_equal(test_io.open, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(writes_and_reads_whole, teardown),
        cmocka_unit_test_teardown(endless_interruption_ends, teardown),
        cmocka_unit_test_teardown(writing_nothing_ends, teardown),
        cmocka_unit_test_teardown(failures_are_named, teardown),
        cmocka_unit_test(refuses_what_is_no_file),
        cmocka_unit_test(reading_past_the_end_fails),
        cmocka_unit_test(creates_only_what_is_new),
        cmocka_unit_test_teardown(syncs_directories, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
