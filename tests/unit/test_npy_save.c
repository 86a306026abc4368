/* Tensors written as .npy: the bytes NumPy writes, and what our own reader makes of them. */
#include "faults.h"
#include "png_read.h"

#include <lstmae/npy.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static lstmae_context *context;

static int setup(void **state)
{
    (void)state;
    context = test_context("cpu", LSTMAE_F32);
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

/* Headers as numpy.save() writes them, padded to 118 bytes (their length, 0x76, stands before). */
static void headers(void **state)
{
    (void)state;
    static const struct {
        lstmae_dtype dtype;
        int ndim;
        int64_t dims[4];
        const char *text;
    } cases[] = {
        { LSTMAE_F32, 2, { 3, 4 }, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }" },
        { LSTMAE_F64, 1, { 5 }, "{'descr': '<f8', 'fortran_order': False, 'shape': (5,), }" },
        { LSTMAE_I64, 0, { 0 }, "{'descr': '<i8', 'fortran_order': False, 'shape': (), }" },
        { LSTMAE_F32, 4, { 2, 0, 7, 1 }, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0, 7, 1), }" },
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        lstmae_tensor *tensor;
        size_t size, text = strlen(cases[k].text);
        assert_ok(lstmae_tensor_create(&tensor, context, cases[k].dtype, cases[k].ndim, cases[k].dims));
        assert_ok(lstmae_npy_save(test_path("head.npy"), tensor));
        unsigned char *bytes = test_file_read(test_path("head.npy"), &size);
        assert_int_equal(size, 128 + (size_t)lstmae_tensor_numel(tensor) * (cases[k].dtype == LSTMAE_F32 ? 4 : 8));
        assert_memory_equal(bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
        if (memcmp(bytes + 10, cases[k].text, text) != 0) fail_msg("%.118s", (const char *)bytes + 10);
        for (size_t i = 10 + text; i < 127; i++) assert_int_equal(bytes[i], ' ');
        assert_int_equal(bytes[127], '\n');
        free(bytes);
        lstmae_tensor_destroy(tensor);
    }
}

/* More than one chunk, and a tensor that lies in memory the other way round. */
static void comes_back(void **state)
{
    (void)state;
    enum { ROWS = 300, WIDTH = 70 };
    static float values[ROWS * WIDTH], item[WIDTH];
    const int64_t dims[2] = { WIDTH, ROWS };
    lstmae_tensor *stored, *turned;
    lstmae_dataset *dataset;
    test_fill(values, ROWS * WIDTH, 1, 1.0f);
    assert_ok(lstmae_tensor_create(&stored, context, LSTMAE_F32, 2, dims));
    assert_ok(lstmae_tensor_write(stored, values, sizeof values));
    assert_ok(lstmae_tensor_transpose(&turned, stored, 0, 1));
    assert_ok(lstmae_npy_save(test_path("turned.npy"), turned));
    assert_ok(lstmae_dataset_open(&dataset, context, test_path("turned.npy"), NULL));
    assert_int_equal(lstmae_dataset_count(dataset), ROWS);
    for (int r = 0; r < ROWS; r++) {
        assert_ok(lstmae_dataset_read(dataset, r, item, WIDTH));
        for (int c = 0; c < WIDTH; c++) assert_true(item[c] == values[c * ROWS + r]);
    }
    lstmae_dataset_destroy(dataset);
    lstmae_tensor_destroy(stored);
    lstmae_tensor_destroy(turned);
}

/* Each file call and each allocation fails once: an error, the file that was there stays, nothing is leaked. */
static void failing_calls(void **state)
{
    (void)state;
    char path[256];
    const int64_t dims[2] = { 3, 2 };
    test_heap heap = { 0 };
    lstmae_context *watched;
    lstmae_tensor *stored, *turned;
    snprintf(path, sizeof path, "%s", test_file("kept.npy", "before", 6));
    assert_ok(test_heap_context(&watched, &heap));
    assert_ok(lstmae_tensor_create(&stored, watched, LSTMAE_F32, 2, dims));
    assert_ok(lstmae_tensor_transpose(&turned, stored, 0, 1));
    long live = heap.live;
    lae_io_swap(&test_io_table);
    for (long at = 1;; at++) {
        size_t size;
        test_io = (test_io_state){ { at, 1, 0 }, TEST_IO_ERROR, ENOSPC, 0 };
        lstmae_status status = lstmae_npy_save(path, turned);
        assert_int_equal(test_io.open, 0);
        assert_int_equal(heap.live, live);
        if (status == LSTMAE_OK) break;
        assert_int_equal(status, LSTMAE_ERR_IO);
        unsigned char *bytes = test_file_read(path, &size);
        assert_true(size == 6 || test_io.fault.uses > 8); /* the directory's fsync fails after the replacement */
        free(bytes);
    }
    lae_io_swap(NULL);
    for (long at = 1; at <= 4; at++) {
        heap.fault = (test_fault){ at, 0, 0 };
        lstmae_status status = lstmae_npy_save(path, turned);
        assert_true(status == LSTMAE_ERR_NO_MEMORY || status == LSTMAE_ERR_DEVICE_MEMORY);
        assert_int_equal(heap.live, live);
    }
    heap.fault = (test_fault){ 0, 0, 0 };
    assert_fails(lstmae_npy_save("/no/such/folder/x.npy", turned), ERR_NOT_FOUND);
    lstmae_tensor_destroy(stored);
    lstmae_tensor_destroy(turned);
    lstmae_context_destroy(watched);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers),
        cmocka_unit_test(comes_back),
        cmocka_unit_test_teardown(failing_calls, restore_io),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
