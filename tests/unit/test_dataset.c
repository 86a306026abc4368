/* Data sets: from memory, from files of every kind, ranges, drawn digits; and all that can go wrong with files. */
#include "faults.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef LAE_HAVE_ZLIB
#include <zlib.h>
#endif

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

static void assert_text(const char *part)
{
    if (strstr(lstmae_last_error(), part)) return;
    print_error("\"%s\" lacks \"%s\"\n", lstmae_last_error(), part);
    fail();
}

static void from_memory(void **state)
{
    (void)state;
    const float data[12] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
    const int64_t dims[2] = { 2, 2 };
    float item[4];
    lstmae_dataset *dataset;
    assert_ok(lstmae_dataset_from_memory(&dataset, context, data, 3, 2, dims));
    assert_int_equal(lstmae_dataset_count(dataset), 3);
    assert_int_equal(lstmae_dataset_ndim(dataset), 2);
    assert_int_equal(lstmae_dataset_dim(dataset, 1), 2);
    assert_int_equal(lstmae_dataset_dim(dataset, 2), 0);
    assert_int_equal(lstmae_dataset_dim(dataset, -1), 0);
    assert_ok(lstmae_dataset_read(dataset, 2, item, 4));
    assert_memory_equal(item, data + 8, sizeof item);
    assert_fails(lstmae_dataset_read(dataset, 3, item, 4), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_read(dataset, -1, item, 4), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_read(dataset, 0, item, 3), ERR_SHAPE);
    assert_text("room for 4 elements, got 3");
    assert_fails(lstmae_dataset_read(dataset, 0, NULL, 4), ERR_INVALID_ARG);
    lstmae_dataset_destroy(dataset);
    assert_ok(lstmae_dataset_from_memory(&dataset, context, data, 12, 0, NULL));
    assert_ok(lstmae_dataset_read(dataset, 11, item, 1));
    assert_true(item[0] == 11);
    lstmae_dataset_destroy(dataset);
    assert_ok(lstmae_dataset_from_memory(&dataset, context, NULL, 0, 2, dims));
    assert_int_equal(lstmae_dataset_count(dataset), 0);
    lstmae_dataset_destroy(dataset);
}

static void from_memory_misused(void **state)
{
    (void)state;
    const float data[4] = { 0 };
    const int64_t good[1] = { 2 }, zero[1] = { 0 }, negative[1] = { -1 };
    const int64_t huge[4] = { INT64_C(1) << 20, INT64_C(1) << 20, INT64_C(1) << 20, 8 };
    lstmae_dataset *dataset = (lstmae_dataset *)&dataset;
    assert_fails(lstmae_dataset_from_memory(NULL, context, data, 2, 1, good), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_from_memory(&dataset, NULL, data, 2, 1, good), ERR_INVALID_ARG);
    assert_null(dataset);
    assert_fails(lstmae_dataset_from_memory(&dataset, context, NULL, 2, 1, good), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_from_memory(&dataset, context, data, -1, 1, good), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_from_memory(&dataset, context, data, 2, 1, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_from_memory(&dataset, context, data, 2, 5, huge), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_from_memory(&dataset, context, data, 2, -1, good), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_from_memory(&dataset, context, data, 2, 1, zero), ERR_SHAPE);
    assert_fails(lstmae_dataset_from_memory(&dataset, context, data, 2, 1, negative), ERR_SHAPE);
    assert_fails(lstmae_dataset_from_memory(&dataset, context, data, 2, 4, huge), ERR_SHAPE);
    assert_fails(lstmae_dataset_from_memory(&dataset, context, data, INT64_MAX, 1, good), ERR_SHAPE);
    assert_int_equal(lstmae_dataset_count(NULL), 0);
    assert_int_equal(lstmae_dataset_ndim(NULL), 0);
    assert_int_equal(lstmae_dataset_dim(NULL, 0), 0);
    assert_fails(lstmae_dataset_read(NULL, 0, (float *)&dataset, 1), ERR_INVALID_ARG);
    lstmae_dataset_destroy(NULL);
}

/* Ranges of ranges, and data sets destroyed before what was made of them. */
static void ranges(void **state)
{
    (void)state;
    const float data[6] = { 0, 1, 2, 3, 4, 5 };
    float item;
    lstmae_dataset *all, *part, *inner, *bad;
    assert_ok(lstmae_dataset_from_memory(&all, context, data, 6, 0, NULL));
    assert_ok(lstmae_dataset_range(&part, all, 1, 4));
    assert_ok(lstmae_dataset_range(&inner, part, 2, 2));
    assert_fails(lstmae_dataset_range(&bad, part, 2, 3), ERR_INVALID_ARG);
    assert_text("a part of 4 items, got 3 from 2 on");
    assert_null(bad);
    assert_fails(lstmae_dataset_range(&bad, part, -1, 2), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_range(&bad, part, 0, -1), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_range(&bad, part, INT64_MAX, INT64_MAX), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_range(NULL, part, 0, 1), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_range(&bad, NULL, 0, 1), ERR_INVALID_ARG);
    assert_ok(lstmae_dataset_range(&bad, part, 4, 0));
    lstmae_dataset_destroy(bad);
    lstmae_dataset_destroy(all);
    lstmae_dataset_destroy(part);
    assert_int_equal(lstmae_dataset_count(inner), 2);
    assert_ok(lstmae_dataset_read(inner, 1, &item, 1));
    assert_true(item == 4);
    assert_fails(lstmae_dataset_read(inner, 2, &item, 1), ERR_INVALID_ARG);
    lstmae_dataset_destroy(inner);
}

/* IDX of [3,2,2] bytes 0..11. */
static const unsigned char idx_bytes[] = { 0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0,  0,
                                           0, 2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255 };

static void opens_idx(void **state)
{
    (void)state;
    float item[4];
    lstmae_dataset *dataset;
    const char *path = test_file("a.idx", idx_bytes, sizeof idx_bytes);
    lstmae_file_options options = LSTMAE_FILE_OPTIONS_INIT;
    assert_ok(lstmae_dataset_open(&dataset, context, path, NULL));
    assert_int_equal(lstmae_dataset_count(dataset), 3);
    assert_int_equal(lstmae_dataset_ndim(dataset), 2);
    assert_ok(lstmae_dataset_read(dataset, 2, item, 4));
    assert_true(item[3] == 1.0f && item[0] == 8.0f / 255.0f);
    lstmae_dataset_destroy(dataset);
    options.scale = 2;
    options.item_axis = 2;
    assert_ok(lstmae_dataset_open(&dataset, context, path, &options));
    assert_int_equal(lstmae_dataset_count(dataset), 2);
    assert_int_equal(lstmae_dataset_dim(dataset, 0), 3);
    float column[6];
    assert_ok(lstmae_dataset_read(dataset, 1, column, 6));
    assert_true(column[0] == 2 && column[1] == 6 && column[2] == 10 && column[5] == 510);
    lstmae_dataset_destroy(dataset);
}

/* All 256 bytes become what dividing by 255 in float32 gives. */
static void bytes_become_shares_of_255(void **state)
{
    (void)state;
    unsigned char bytes[8 + 256] = { 0, 0, 8, 1, 0, 0, 1, 0 };
    for (int i = 0; i < 256; i++) bytes[8 + i] = (unsigned char)i;
    lstmae_dataset *dataset;
    assert_ok(lstmae_dataset_open(&dataset, context, test_file("bytes.idx", bytes, sizeof bytes), NULL));
    for (int i = 0; i < 256; i++) {
        float item;
        assert_ok(lstmae_dataset_read(dataset, i, &item, 1));
        assert_true(item == (float)i / 255.0f);
    }
    lstmae_dataset_destroy(dataset);
}

/* A version 1.0 .npy file of 128 bytes of header and zeros behind it. */
static size_t npy_file(unsigned char *out, const char *type, const char *shape, size_t data)
{
    memset(out, 0, 128 + data);
    memset(out + 10, ' ', 118);
    memcpy(out, "\x93NUMPY\x01\x00\x76\x00", 10);
    char dict[118];
    int length = snprintf(dict, sizeof dict, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
    memcpy(out + 10, dict, (size_t)length);
    out[127] = '\n';
    return 128 + data;
}

/* Sequences numbered by the second axis, as in mnist_test_seq.npy: frame t of item n holds 10 t + n. */
static void opens_npy_by_item_axis(void **state)
{
    (void)state;
    unsigned char bytes[512];
    float item[12];
    lstmae_dataset *dataset;
    lstmae_file_options options = LSTMAE_FILE_OPTIONS_INIT;
    size_t length = npy_file(bytes, "|u1", "(3, 5, 2, 2)", 60);
    for (int i = 0; i < 60; i++) bytes[128 + i] = (unsigned char)(i / 20 * 10 + i / 4 % 5);
    const char *path = test_file("seq.npy", bytes, length);
    options.item_axis = 1;
    options.scale = 1;
    assert_ok(lstmae_dataset_open(&dataset, context, path, &options));
    assert_int_equal(lstmae_dataset_count(dataset), 5);
    assert_int_equal(lstmae_dataset_ndim(dataset), 3);
    assert_int_equal(lstmae_dataset_dim(dataset, 0), 3);
    for (int n = 0; n < 5; n++) {
        assert_ok(lstmae_dataset_read(dataset, n, item, 12));
        for (int i = 0; i < 12; i++) assert_true(item[i] == (float)(i / 4 * 10 + n));
    }
    lstmae_dataset_destroy(dataset);
}

static void open_misused(void **state)
{
    (void)state;
    char path[256], flat[256], empty[256], number[256], six[256], other[256];
    unsigned char bytes[512];
    lstmae_dataset *dataset;
    lstmae_file_options options = LSTMAE_FILE_OPTIONS_INIT;
    snprintf(path, sizeof path, "%s", test_file("a.idx", idx_bytes, sizeof idx_bytes));
    snprintf(flat, sizeof flat, "%s", test_file("flat.npy", bytes, npy_file(bytes, "<f4", "(3,)", 12)));
    snprintf(empty, sizeof empty, "%s", test_file("empty.npy", bytes, npy_file(bytes, "<f4", "(3, 0)", 0)));
    snprintf(number, sizeof number, "%s", test_file("number.npy", bytes, npy_file(bytes, "<f4", "()", 4)));
    snprintf(six, sizeof six, "%s", test_file("six.npy", bytes, npy_file(bytes, "|u1", "(1, 1, 1, 1, 1, 1)", 1)));
    snprintf(other, sizeof other, "%s", test_file("other", "text", 4));
    assert_fails(lstmae_dataset_open(NULL, context, path, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_open(&dataset, NULL, path, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_open(&dataset, context, NULL, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_open(&dataset, context, "/no/such/file", NULL), ERR_NOT_FOUND);
    assert_fails(lstmae_dataset_open(&dataset, context, "/tmp", NULL), ERR_IO);
    assert_fails(lstmae_dataset_open(&dataset, context, other, NULL), ERR_FORMAT);
    assert_text("other: byte 0: expected 00 (IDX), 93 (.npy) or 1f (gzip), got 74");
    assert_fails(lstmae_dataset_open(&dataset, context, empty, NULL), ERR_SHAPE);
    assert_text("axis 1 of size 0");
    assert_fails(lstmae_dataset_open(&dataset, context, number, NULL), ERR_SHAPE);
    assert_fails(lstmae_dataset_open(&dataset, context, six, NULL), ERR_SHAPE);
    assert_null(dataset);
    options.item_axis = 1;
    assert_fails(lstmae_dataset_open(&dataset, context, flat, &options), ERR_SHAPE);
    assert_ok(lstmae_dataset_open(&dataset, context, empty, &options));
    assert_int_equal(lstmae_dataset_count(dataset), 0);
    lstmae_dataset_destroy(dataset);
    const lstmae_file_options bad[] = {
        { 0, 0, 0, 0, 0 },
        { sizeof(lstmae_file_options) - 1, 0, 0, 0, 0 },
        { sizeof(lstmae_file_options), 1, 0, 0, 0 },
        { sizeof(lstmae_file_options), 0, -1, 0, 0 },
        { sizeof(lstmae_file_options), 0, 8, 0, 0 },
        { sizeof(lstmae_file_options), 0, 0, 1, 0 },
        { sizeof(lstmae_file_options), 0, 0, 0, (double)NAN },
        { sizeof(lstmae_file_options), 0, 0, 0, (double)INFINITY },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_fails(lstmae_dataset_open(&dataset, context, path, &bad[i]), ERR_INVALID_ARG);
}

#ifdef LAE_HAVE_ZLIB

static size_t pack(unsigned char *out, size_t room, const void *bytes, size_t length)
{
    z_stream stream = { 0 };
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)bytes;
    stream.avail_in = (uInt)length;
    stream.next_out = out;
    stream.avail_out = (uInt)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t size = room - stream.avail_out;
    deflateEnd(&stream);
    return size;
}

static void opens_gzip(void **state)
{
    (void)state;
    unsigned char packed[1024];
    float item[4];
    lstmae_dataset *dataset;
    size_t size = pack(packed, sizeof packed, idx_bytes, sizeof idx_bytes);
    assert_ok(lstmae_dataset_open(&dataset, context, test_file("a.idx.gz", packed, size), NULL));
    assert_ok(lstmae_dataset_read(dataset, 2, item, 4));
    assert_true(item[3] == 1.0f);
    lstmae_dataset_destroy(dataset);
    /* two members in a row are one file */
    size = pack(packed, sizeof packed, idx_bytes, 5);
    size += pack(packed + size, sizeof packed - size, idx_bytes + 5, sizeof idx_bytes - 5);
    assert_ok(lstmae_dataset_open(&dataset, context, test_file("two.gz", packed, size), NULL));
    assert_ok(lstmae_dataset_read(dataset, 2, item, 4));
    assert_true(item[3] == 1.0f);
    lstmae_dataset_destroy(dataset);
}

static void refuse_gzip(const char *what, const void *bytes, size_t size, lstmae_status code, const char *text)
{
    lstmae_dataset *dataset;
    lstmae_status status = lstmae_dataset_open(&dataset, context, test_file("bad.gz", bytes, size), NULL);
    if (status == code && strstr(lstmae_last_error(), text) && strstr(lstmae_last_error(), "bad.gz: byte ")) return;
    print_error("%s: %s \"%s\"\n", what, lstmae_status_name(status), lstmae_last_error());
    fail();
}

static void bad_gzip(void **state)
{
    (void)state;
    unsigned char packed[1024], inner[1024], changed[1024];
    const lstmae_status bad = LSTMAE_ERR_FORMAT;
    size_t size = pack(packed, sizeof packed, idx_bytes, sizeof idx_bytes);
    /* cut anywhere, and any byte of the checksum, length or data changed */
    for (size_t length = 2; length < size; length++)
        refuse_gzip("cut", packed, length, bad, "expected more data, got the end of the file");
    for (size_t at = 10; at < size; at++) {
        memcpy(changed, packed, size);
        changed[at] ^= 0xff; /* all bits: the last byte of the data has unused ones */
        refuse_gzip("changed", changed, size, bad, "byte");
    }
    memcpy(changed, packed, size);
    changed[2] = 7;
    refuse_gzip("method", changed, size, bad, "unknown compression method");
    memcpy(changed, packed, size);
    changed[size - 5] ^= 1;
    refuse_gzip("checksum", changed, size, bad, "incorrect data check");
    memcpy(changed, packed, size);
    changed[size] = 0;
    refuse_gzip("a byte behind", changed, size + 1, bad, "more data, got the end of the file");
    memset(changed + size, 0, 32);
    refuse_gzip("zeros behind", changed, size + 32, bad, "incorrect header check");
    /* valid compression of wrong content */
    size_t again = pack(inner, sizeof inner, packed, size);
    refuse_gzip("gzip in gzip", inner, again, bad, "byte 0: expected 00 (IDX), 93 (.npy) or 1f (gzip), got 1f");
    again = pack(inner, sizeof inner, idx_bytes, sizeof idx_bytes - 1);
    refuse_gzip("content short", inner, again, bad, "byte 27: expected the end at byte 28, got it early");
    again = pack(inner, sizeof inner, "", 0);
    refuse_gzip("nothing inside", inner, again, bad, "an empty file");
    unsigned char longer[sizeof idx_bytes + 1] = { 0 };
    memcpy(longer, idx_bytes, sizeof idx_bytes);
    again = pack(inner, sizeof inner, longer, sizeof longer);
    refuse_gzip("content long", inner, again, bad, "byte 28: expected the end at byte 28, got more bytes");
}

/* Claims far beyond the content, and content far beyond the claim, cost next to no memory. */
static void gzip_bombs(void **state)
{
    (void)state;
    enum { ZEROS = 16 << 20, ROOM = 64 << 10 };
    unsigned char *zeros = calloc(1, ZEROS), *packed = malloc(ROOM);
    assert_non_null(zeros);
    assert_non_null(packed);
    const unsigned char claims[3][8] = {
        { 0, 0, 8, 1, 0x7f, 0xff, 0xff, 0xff }, /* 2 GiB, then 16 MiB */
        { 0, 0, 8, 1, 0x00, 0xff, 0xff, 0xf9 }, /* one byte more than comes */
        { 0, 0, 8, 1, 0x00, 0x00, 0x00, 0x01 }, /* one byte, then 16 MiB */
    };
    for (int i = 0; i < 3; i++) {
        test_heap heap = { 0 };
        lstmae_context *counted;
        lstmae_dataset *dataset;
        memcpy(zeros, claims[i], 8);
        size_t size = pack(packed, ROOM, zeros, ZEROS);
        assert_ok(test_heap_context(&counted, &heap));
        size_t before = heap.bytes;
        heap.peak = before;
        heap.largest = 0;
        assert_fails(lstmae_dataset_open(&dataset, counted, test_file("bomb.gz", packed, size), NULL), ERR_FORMAT);
        assert_true(heap.peak - before < 256 << 10);
        assert_true(heap.largest < 128 << 10);
        assert_int_equal(heap.bytes, before);
        lstmae_context_destroy(counted);
        assert_int_equal(heap.live, 0);
        /* nothing is decompressed beyond the claim: that the file is cut there stays unseen */
        if (i == 2) refuse_gzip("bomb", packed, size / 2, LSTMAE_ERR_FORMAT, "byte 9: expected the end at byte 9");
    }
    free(zeros);
    free(packed);
}

#else

static void gzip_is_refused(void **state)
{
    (void)state;
    lstmae_dataset *dataset;
    const char *path = test_file("a.gz", "\x1f\x8b\x08", 3);
    assert_fails(lstmae_dataset_open(&dataset, context, path, NULL), ERR_UNSUPPORTED);
    assert_text("no zlib");
}

#endif

/* Plain files: nothing is allocated before the length was checked, and then no more than the file's size. */
static void memory_is_bounded(void **state)
{
    (void)state;
    unsigned char bytes[512];
    const char *shapes[] = { "(2147483648, 2147483648)", "(150000000, 8)", "(5,)", "(3,)" };
    for (size_t i = 0; i < 4; i++) {
        test_heap heap = { 0 };
        lstmae_context *counted;
        lstmae_dataset *dataset;
        const char *path = test_file("claim.npy", bytes, npy_file(bytes, "|u1", shapes[i], 4));
        assert_ok(test_heap_context(&counted, &heap));
        long before = heap.fault.uses;
        assert_fails(lstmae_dataset_open(&dataset, counted, path, NULL), ERR_FORMAT);
        assert_int_equal(heap.fault.uses, before);
        lstmae_context_destroy(counted);
    }
}

/* What the fault tests open: a file and a compressed one, read to the end. */
static lstmae_status open_and_read(lstmae_context *with, const char *path)
{
    lstmae_dataset *dataset, *part;
    float item[4];
    LAE_TRY(lstmae_dataset_open(&dataset, with, path, NULL));
    lstmae_status status = lstmae_dataset_range(&part, dataset, 1, 2);
    lstmae_dataset_destroy(dataset);
    if (status < 0) return status;
    status = lstmae_dataset_read(part, 1, item, 4);
    if (status == LSTMAE_OK) assert_true(item[3] == 1.0f);
    lstmae_dataset_destroy(part);
    return status;
}

static int fault_files(char paths[2][256])
{
    snprintf(paths[0], 256, "%s", test_file("a.idx", idx_bytes, sizeof idx_bytes));
#ifdef LAE_HAVE_ZLIB
    unsigned char packed[1024];
    size_t size = pack(packed, sizeof packed, idx_bytes, sizeof idx_bytes);
    snprintf(paths[1], 256, "%s", test_file("a.idx.gz", packed, size));
    return 2;
#else
    return 1;
#endif
}

/* Every file call fails, once or from then on: ERR_IO with path and reason, no descriptor or block left. */
static void every_file_call_fails(void **state)
{
    (void)state;
    char paths[2][256];
    int files = fault_files(paths), points = 0;
    const int codes[] = { EIO, EACCES, EINTR };
    for (int f = 0; f < files; f++) {
        for (int c = 0; c < 3; c++) {
            for (int keep = 0; keep < 2; keep++) {
                for (long at = 1;; at++) {
                    test_io = (test_io_state){ .fault = { at, keep, 0 }, .code = codes[c] };
                    lae_io_swap(&test_io_table);
                    lstmae_status status = open_and_read(context, paths[f]);
                    lae_io_swap(NULL);
                    assert_int_equal(test_io.open, 0);
                    if (test_io.fault.uses < at) {
                        assert_ok(status);
                        break;
                    }
                    points++;
                    /* closing after reading has nothing to report; single interruptions of open and read are repeated
                     */
                    if (status == LSTMAE_OK) continue;
                    assert_int_equal(status, LSTMAE_ERR_IO);
                    assert_text(paths[f]);
                    assert_text(strerror(codes[c]));
                }
            }
        }
    }
    assert_true(points > 25);
}

/* Transfers of a byte at a time change nothing. */
static void short_reads_are_continued(void **state)
{
    (void)state;
    char paths[2][256];
    for (int f = 0, files = fault_files(paths); f < files; f++) {
        test_io = (test_io_state){ .fault = { 1, 1, 0 }, .mode = TEST_IO_SHORT };
        lae_io_swap(&test_io_table);
        assert_ok(open_and_read(context, paths[f]));
        lae_io_swap(NULL);
        assert_true(test_io.fault.uses > (long)sizeof idx_bytes);
    }
}

/* Every allocation fails, once or from then on: ERR_NO_MEMORY, nothing left, and the context still works. */
static void every_allocation_fails(void **state)
{
    (void)state;
    char paths[2][256];
    for (int f = 0, files = fault_files(paths); f < files; f++) {
        test_heap heap = { 0 };
        lstmae_context *counted;
        assert_ok(test_heap_context(&counted, &heap));
        long live = heap.live, points = 0;
        for (int keep = 0; keep < 2; keep++) {
            for (long at = 1;; at++) {
                heap.fault = (test_fault){ at, keep, 0 };
                lstmae_status status = open_and_read(counted, paths[f]);
                heap.fault.at = 0;
                assert_int_equal(heap.live, live);
                if (heap.fault.uses < at) {
                    assert_ok(status);
                    break;
                }
                assert_int_equal(status, LSTMAE_ERR_NO_MEMORY);
                assert_ok(open_and_read(counted, paths[f]));
                points++;
            }
        }
        assert_true(points >= 6);
        lstmae_context_destroy(counted);
        assert_int_equal(heap.live, 0);
    }
}

/* The context goes before the data set made from it. */
static void outlives_its_context(void **state)
{
    (void)state;
    test_heap heap = { 0 };
    lstmae_context *counted;
    lstmae_dataset *dataset;
    float item[4];
    assert_ok(test_heap_context(&counted, &heap));
    assert_ok(lstmae_dataset_open(&dataset, counted, test_file("a.idx", idx_bytes, sizeof idx_bytes), NULL));
    lstmae_context_destroy(counted);
    assert_ok(lstmae_dataset_read(dataset, 0, item, 4));
    lstmae_dataset_destroy(dataset);
    assert_int_equal(heap.live, 0);
}

/* Official MNIST, where it is: 60000 images of 28 x 28, mean 0.1307, and the digits that everyone knows come first. */
static void real_mnist(void **state)
{
    (void)state;
    static const int first[10] = { 5, 0, 4, 1, 9, 2, 1, 3, 1, 4 };
    const char *given = getenv("LSTMAE_TEST_DATA");
    char path[512];
    float image[784], label;
    lstmae_dataset *images, *labels;
    lstmae_file_options options = LSTMAE_FILE_OPTIONS_INIT;
    snprintf(path, sizeof path, "%s/mnist/train-images-idx3-ubyte.gz", given ? given : LAE_TEST_DATA);
    lstmae_status status = lstmae_dataset_open(&images, context, path, NULL);
    if (status == LSTMAE_ERR_NOT_FOUND || status == LSTMAE_ERR_UNSUPPORTED) {
        print_message("skipped: %s\n", lstmae_last_error());
        skip();
    }
    assert_ok(status);
    assert_int_equal(lstmae_dataset_count(images), 60000);
    assert_int_equal(lstmae_dataset_ndim(images), 2);
    double sum = 0, first_sum = 0;
    for (int n = 0; n < 60000; n++) {
        assert_ok(lstmae_dataset_read(images, n, image, 784));
        for (int i = 0; i < 784; i++) sum += (double)image[i];
        if (n == 0) first_sum = sum;
    }
    assert_true(fabs(sum / (60000.0 * 784.0) - 0.1307) < 5e-5); /* four digits are known */
    assert_true(fabs(first_sum * 255 - 27525) < 0.01);
    lstmae_dataset_destroy(images);
    options.scale = 1;
    snprintf(path, sizeof path, "%s/mnist/train-labels-idx1-ubyte.gz", given ? given : LAE_TEST_DATA);
    assert_ok(lstmae_dataset_open(&labels, context, path, &options));
    for (int n = 0; n < 10; n++) {
        assert_ok(lstmae_dataset_read(labels, n, &label, 1));
        assert_true(label == (float)first[n]);
    }
    lstmae_dataset_destroy(labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_memory),
        cmocka_unit_test(from_memory_misused),
        cmocka_unit_test(ranges),
        cmocka_unit_test(opens_idx),
        cmocka_unit_test(bytes_become_shares_of_255),
        cmocka_unit_test(opens_npy_by_item_axis),
        cmocka_unit_test(open_misused),
#ifdef LAE_HAVE_ZLIB
        cmocka_unit_test(opens_gzip),
        cmocka_unit_test(bad_gzip),
        cmocka_unit_test(gzip_bombs),
#else
        cmocka_unit_test(gzip_is_refused),
#endif
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test_teardown(every_file_call_fails, restore_io),
        cmocka_unit_test_teardown(short_reads_are_continued, restore_io),
        cmocka_unit_test(every_allocation_fails),
        cmocka_unit_test(outlives_its_context),
        cmocka_unit_test(real_mnist),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
