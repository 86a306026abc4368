/* CIFAR-10 files: pixels, labels, folders, and all that can be wrong with them. */
#include "faults.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD = 3073 };

static lstmae_context *context;

static int setup(void **state)
{
    (void)state;
    context = test_context("cpu:ref", LSTMAE_F32);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lstmae_context_destroy(context);
    return 0;
}

static int restore_io(void **state)
{
    (void)state;
    lae_io_swap(NULL);
    return 0;
}

static unsigned char pixel(int record, int at)
{
    return (unsigned char)(at * 7 + at / 256 + 31 * record);
}

/* Record n has label n % 10. */
static void make_records(unsigned char *out, int first, int count)
{
    for (int n = first; n < first + count; n++) {
        *out++ = (unsigned char)(n % 10);
        for (int i = 0; i < RECORD - 1; i++) *out++ = pixel(n, i);
    }
}

static void assert_record(const lstmae_dataset *dataset, int64_t index, int record)
{
    static float item[RECORD - 1];
    int64_t label = -1;
    assert_ok(lstmae_dataset_read(dataset, index, item, RECORD - 1));
    for (int i = 0; i < RECORD - 1; i++) assert_true(item[i] == (float)pixel(record, i) / 255.0f);
    assert_ok(lstmae_dataset_label(dataset, index, &label));
    assert_int_equal(label, record % 10);
}

/* Names of files in the test's folder that last until the next call. */
static const char *record_file(const char *name, int first, int count, size_t less)
{
    static unsigned char bytes[12 * RECORD];
    make_records(bytes, first, count);
    return test_file(name, bytes, (size_t)count * RECORD - less);
}

static void folder_path(char *out, size_t size)
{
    snprintf(out, size, "%s", test_path("x"));
    *strrchr(out, '/') = '\0';
}

static void reads_a_folder(void **state)
{
    (void)state;
    char folder[256], name[32];
    lstmae_dataset *dataset;
    const int counts[5] = { 2, 1, 3, 1, 4 };
    for (int i = 0, first = 0; i < 5; first += counts[i++]) {
        snprintf(name, sizeof name, "data_batch_%d.bin", i + 1);
        record_file(name, first, counts[i], 0);
    }
    record_file("test_batch.bin", 20, 2, 0);
    folder_path(folder, sizeof folder);
    assert_ok(lstmae_dataset_cifar10(&dataset, context, folder, LSTMAE_CIFAR10_TRAIN));
    assert_int_equal(lstmae_dataset_count(dataset), 11);
    assert_int_equal(lstmae_dataset_ndim(dataset), 3);
    assert_int_equal(lstmae_dataset_dim(dataset, 0), 3);
    assert_int_equal(lstmae_dataset_dim(dataset, 1), 32);
    assert_int_equal(lstmae_dataset_dim(dataset, 2), 32);
    assert_int_equal(lstmae_dataset_labelled(dataset), 1);
    for (int n = 0; n < 11; n++) assert_record(dataset, n, n);
    lstmae_dataset_destroy(dataset);
    assert_ok(lstmae_dataset_cifar10(&dataset, context, folder, LSTMAE_CIFAR10_TEST));
    assert_int_equal(lstmae_dataset_count(dataset), 2);
    assert_record(dataset, 1, 21);
    lstmae_dataset_destroy(dataset);
    remove(test_path("data_batch_4.bin"));
    assert_fails(lstmae_dataset_cifar10(&dataset, context, folder, LSTMAE_CIFAR10_TRAIN), ERR_NOT_FOUND);
    assert_non_null(strstr(lstmae_last_error(), "data_batch_4.bin: cannot open"));
    assert_null(dataset);
    assert_fails(lstmae_dataset_cifar10(&dataset, context, "/no/such/folder", LSTMAE_CIFAR10_TEST), ERR_NOT_FOUND);
}

/* What reading a file of these bytes behind a good one says. */
static void refuse(const unsigned char *bytes, size_t length, const char *text)
{
    char good[256], bad[256];
    snprintf(good, sizeof good, "%s", record_file("good.bin", 0, 2, 0));
    snprintf(bad, sizeof bad, "%s", test_file("bad.bin", bytes, length));
    const char *paths[2] = { good, bad };
    lstmae_dataset *dataset;
    assert_fails(lstmae_dataset_cifar10_files(&dataset, context, paths, 2), ERR_FORMAT);
    assert_null(dataset);
    const char *said = strstr(lstmae_last_error(), "bad.bin: byte ");
    if (said && strcmp(said, text) == 0) return;
    print_error("wanted \"%s\", got \"%s\"\n", text, lstmae_last_error());
    fail();
}

static void bad_files(void **state)
{
    (void)state;
    static unsigned char bytes[3 * RECORD + 1];
    make_records(bytes, 0, 3);
    refuse(bytes, 0, "bad.bin: byte 0: CIFAR-10: expected records of 3073 bytes, got an empty file");
    refuse(bytes, 1, "bad.bin: byte 0: CIFAR-10: expected a record of 3073 bytes, got 1");
    refuse(bytes, 3 * RECORD - 1, "bad.bin: byte 6146: CIFAR-10: expected a record of 3073 bytes, got 3072");
    refuse(bytes, 3 * RECORD + 1, "bad.bin: byte 9219: CIFAR-10: expected a record of 3073 bytes, got 1");
    bytes[2 * RECORD] = 10;
    refuse(bytes, 3 * RECORD, "bad.bin: byte 6146: CIFAR-10: expected a label of 0 to 9, got 10");
    bytes[0] = 255;
    refuse(bytes, 3 * RECORD, "bad.bin: byte 0: CIFAR-10: expected a label of 0 to 9, got 255");
}

static size_t shrunk_from; /* bytes that files have from their second opening on; 0: as they are */
static int opened;

static int shrinking_info(int fd, lae_io_info *info)
{
    int result = lae_io_system.info(fd, info);
    if (++opened > 1 && shrunk_from > 0) info->size = shrunk_from;
    return result;
}

/* A file that changes between the two looks at it is noticed, whichever way. */
static void changing_file(void **state)
{
    (void)state;
    char path[256];
    snprintf(path, sizeof path, "%s", record_file("changing.bin", 0, 3, 0));
    const char *paths[1] = { path };
    const size_t sizes[] = { RECORD, 2 * RECORD, 3 * RECORD - 1, 4 * RECORD };
    lae_io table = lae_io_system;
    table.info = shrinking_info;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        lstmae_dataset *dataset;
        shrunk_from = sizes[i];
        opened = 0;
        lae_io_swap(&table);
        assert_fails(lstmae_dataset_cifar10_files(&dataset, context, paths, 1), ERR_IO);
        lae_io_swap(NULL);
        assert_non_null(strstr(lstmae_last_error(), "the file changed while it was read"));
    }
}

/* Each file call fails once, and each allocation: an error every time, nothing left behind. */
static void failing_calls(void **state)
{
    (void)state;
    char paths[2][256];
    test_heap heap = { 0 };
    lstmae_context *watched;
    snprintf(paths[0], sizeof paths[0], "%s", record_file("one.bin", 0, 1, 0));
    snprintf(paths[1], sizeof paths[1], "%s", record_file("two.bin", 1, 2, 0));
    const char *files[2] = { paths[0], paths[1] };
    assert_ok(test_heap_context(&watched, &heap));
    long before = heap.live;
    lae_io_swap(&test_io_table);
    for (long at = 1;; at++) {
        lstmae_dataset *dataset;
        test_io = (test_io_state){ { at, 1, 0 }, TEST_IO_ERROR, EIO, 0 };
        lstmae_status status = lstmae_dataset_cifar10_files(&dataset, watched, files, 2);
        assert_int_equal(test_io.open, 0);
        if (status == LSTMAE_OK) {
            assert_true(at > 8);
            lstmae_dataset_destroy(dataset);
            break;
        }
        assert_true(status == LSTMAE_ERR_IO && !dataset);
        assert_int_equal(heap.live, before);
    }
    test_io = (test_io_state){ { 0, 0, 0 }, TEST_IO_SHORT, 0, 0 };
    lae_io_swap(NULL);
    for (long at = 1; at <= 2; at++) {
        lstmae_dataset *dataset;
        heap.fault = (test_fault){ at, 0, 0 };
        assert_fails(lstmae_dataset_cifar10_files(&dataset, watched, files, 2), ERR_NO_MEMORY);
        assert_null(dataset);
        assert_int_equal(heap.live, before);
    }
    heap.fault = (test_fault){ 0, 0, 0 };
    lstmae_context_destroy(watched);
    assert_int_equal(heap.live, 0);
}

/* Loaders make [B,C,H,W] of images. */
static void batches_of_images(void **state)
{
    (void)state;
    char path[256];
    static float values[4 * (RECORD - 1)], item[RECORD - 1];
    lstmae_dataset *dataset;
    lstmae_loader *loader;
    lstmae_loader_options options = LSTMAE_LOADER_OPTIONS_INIT;
    lstmae_batch batch = LSTMAE_BATCH_INIT;
    snprintf(path, sizeof path, "%s", record_file("ten.bin", 0, 10, 0));
    const char *paths[1] = { path };
    assert_ok(lstmae_dataset_cifar10_files(&dataset, context, paths, 1));
    options.batch = 4;
    options.flags = LSTMAE_LOADER_DROP_LAST;
    assert_ok(lstmae_loader_create(&loader, context, dataset, &options));
    for (int b = 0; b < 2; b++) {
        assert_int_equal(lstmae_loader_next(loader, &batch), 1);
        const int64_t dims[4] = { 4, 3, 32, 32 };
        assert_int_equal(lstmae_tensor_ndim(batch.x), 4);
        for (int i = 0; i < 4; i++) assert_int_equal(lstmae_tensor_dim(batch.x, i), dims[i]);
        assert_ok(lstmae_tensor_read(batch.x, values, sizeof values));
        for (int i = 0; i < 4; i++) {
            assert_ok(lstmae_dataset_read(dataset, 4 * b + i, item, RECORD - 1));
            assert_memory_equal(values + i * (RECORD - 1), item, sizeof item);
        }
    }
    assert_int_equal(lstmae_loader_next(loader, &batch), 0);
    lstmae_loader_destroy(loader);
    lstmae_dataset_destroy(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_folder),
        cmocka_unit_test(bad_files),
        cmocka_unit_test_teardown(changing_file, restore_io),
        cmocka_unit_test_teardown(failing_calls, restore_io),
        cmocka_unit_test(batches_of_images),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
