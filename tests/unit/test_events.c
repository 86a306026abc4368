/*
 * Event files, read back by a reader of our own that checks every length and checksum; what TensorBoard's writer makes
 * of the same events, to the byte; disks that are full. `test_events FOLDER` writes files for tensorboard.sh.
 */
#include "faults.h"
#include "png_read.h"

#include "histogram.h"

#include <dirent.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* ---- a reader ---- */

typedef struct part {
    const unsigned char *at;
    size_t size;
} part;

static uint64_t little(const unsigned char *p, int count)
{
    uint64_t value = 0;
    for (int i = count - 1; i >= 0; i--) value = value << 8 | p[i];
    return value;
}

/* CRC-32C bit by bit, masked. */
static uint32_t masked(const unsigned char *p, size_t size)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
    }
    crc = ~crc;
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

/* The next record's data; 0 at the end. */
static int next_record(part *file, part *data)
{
    if (file->size == 0) return 0;
    assert_true(file->size >= 16);
    uint64_t length = little(file->at, 8);
    assert_true(length <= file->size - 16);
    assert_true(masked(file->at, 8) == little(file->at + 8, 4));
    *data = (part){ file->at + 12, (size_t)length };
    assert_true(masked(data->at, data->size) == little(data->at + length, 4));
    file->at += 16 + length;
    file->size -= 16 + (size_t)length;
    return 1;
}

static uint64_t varint(part *p)
{
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        assert_true(p->size > 0 && shift < 70);
        unsigned char byte = *p->at;
        p->at++;
        p->size--;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return value;
    }
}

typedef struct field {
    int number, type;
    uint64_t value;
    part content;
} field;

static int next_field(part *message, field *f)
{
    if (message->size == 0) return 0;
    uint64_t key = varint(message);
    *f = (field){ (int)(key >> 3), (int)(key & 7), 0, { NULL, 0 } };
    size_t size = f->type == 1 ? 8 : f->type == 5 ? 4 : 0;
    if (f->type == 0) f->value = varint(message);
    if (f->type == 2) size = (size_t)varint(message);
    assert_true(f->type == 0 || f->type == 1 || f->type == 2 || f->type == 5);
    assert_true(size <= message->size);
    if (f->type != 0 && f->type != 2) f->value = little(message->at, (int)size);
    f->content = (part){ message->at, size };
    message->at += size;
    message->size -= size;
    return 1;
}

/* The one field of this number. */
static field get(part message, int number)
{
    field f, found = { 0, 0, 0, { NULL, 0 } };
    while (next_field(&message, &f)) {
        if (f.number != number) continue;
        assert_int_equal(found.number, 0);
        found = f;
    }
    assert_int_equal(found.number, number);
    return found;
}

static double real(field f)
{
    double value;
    assert_int_equal(f.type, 1);
    memcpy(&value, &f.value, sizeof value);
    return value;
}

static double real_at(part p, size_t i)
{
    uint64_t bits = little(p.at + 8 * i, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The value message of an event, whose step and tag are as said. */
static part value_of(part event, int64_t step, const char *tag)
{
    assert_true(get(event, 2).value == (uint64_t)step);
    assert_true(real(get(event, 1)) > 1.6e9);
    part value = get(get(event, 5).content, 1).content;
    part name = get(value, 1).content;
    if (name.size != strlen(tag) || memcmp(name.at, tag, name.size) != 0) fail_msg("no %s", tag);
    return value;
}

typedef struct file {
    unsigned char *bytes;
    part rest;
} file;

/* A file with its first record taken. */
static file open_file(const char *path)
{
    file f;
    part data;
    size_t size;
    f.bytes = test_file_read(path, &size);
    f.rest = (part){ f.bytes, size };
    assert_true(next_record(&f.rest, &data));
    part version = get(data, 3).content;
    assert_true(version.size == 13 && memcmp(version.at, "brain.Event:2", 13) == 0);
    return f;
}

/* ---- folders ---- */

static void folder_name(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%s", test_path(name));
}

static int empty_folder(const char *path, int remove_it)
{
    int files = 0;
    DIR *listing = opendir(path);
    if (!listing) return 0;
    for (struct dirent *entry; (entry = readdir(listing));) {
        char name[1024];
        if (entry->d_name[0] == '.') continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        files++;
        if (remove_it) unlink(name);
    }
    closedir(listing);
    if (remove_it) rmdir(path);
    return files;
}

static lstmae_tensor *tensor(lstmae_context *of, int ndim, const int64_t *dims, const float *values)
{
    lstmae_tensor *out;
    assert_ok(lstmae_tensor_create(&out, of, LSTMAE_F32, ndim, dims));
    assert_ok(lstmae_tensor_write(out, values, (size_t)lstmae_tensor_numel(out) * sizeof *values));
    return out;
}

/* ---- tests ---- */

static int hex(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Records of TensorBoard's own writer, at the time 1700000000.25: ours are the same but for the time and what follows
 * from it. */
static void the_same_bytes(void **state)
{
    (void)state;
    static const char *const want[2] = {
        "1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d2fe9",
        "2a00000000000000ae8d91f50900001040fc54d94110fdffffffffffffffff012a140a120a0b6c6f73732f7472c3a4696e15"
        "0000003f5f9949d1"
    };
    char folder[256];
    lstmae_events *events;
    size_t size;
    folder_name(folder, sizeof folder, "bytes");
    assert_ok(lstmae_events_create(&events, context, folder, NULL));
    assert_ok(lstmae_events_scalar(events, "loss/tr\xc3\xa4in", -3, 0.5));
    assert_ok(lstmae_events_flush(events));
    unsigned char *bytes = test_file_read(lstmae_events_path(events), &size), *at = bytes;
    lstmae_events_destroy(events);
    assert_int_equal(size, (strlen(want[0]) + strlen(want[1])) / 2);
    for (int i = 0; i < 2; i++) {
        unsigned char wanted[128];
        size_t length = strlen(want[i]) / 2;
        part theirs = { wanted, length }, data;
        for (size_t k = 0; k < length; k++)
            wanted[k] = (unsigned char)(hex(want[i][2 * k]) * 16 + hex(want[i][2 * k + 1]));
        assert_true(next_record(&theirs, &data)); /* their checksums are right by our reader */
        memcpy(wanted + 13, at + 13, 8);
        memcpy(wanted + length - 4, at + length - 4, 4);
        assert_memory_equal(at, wanted, length);
        at += length;
    }
    free(bytes);
    empty_folder(folder, 1);
}

static void scalars_come_back(void **state)
{
    (void)state;
    char folder[256], deep[300];
    const double values[] = { 1.5, -0.25, 0, 3e38, (double)NAN, (double)INFINITY, 1e-40, 1e300 };
    lstmae_events *events;
    part event;
    folder_name(folder, sizeof folder, "scalars");
    snprintf(deep, sizeof deep, "%s/a/b", folder); /* made on the way */
    assert_ok(lstmae_events_create(&events, context, deep, NULL));
    for (int i = 0; i < 4000; i++) assert_ok(lstmae_events_scalar(events, "a tag", i * 1000000007LL, values[i % 8]));
    char path[512];
    snprintf(path, sizeof path, "%s", lstmae_events_path(events));
    lstmae_events_destroy(events); /* writes the rest */
    file f = open_file(path);
    for (int i = 0; i < 4000; i++) {
        assert_true(next_record(&f.rest, &event));
        field number = get(value_of(event, i * 1000000007LL, "a tag"), 2);
        float want = (float)values[i % 8];
        uint32_t bits;
        memcpy(&bits, &want, sizeof bits);
        assert_true(number.type == 5 && (number.value == bits || want != want));
    }
    assert_false(next_record(&f.rest, &event));
    free(f.bytes);
    empty_folder(deep, 1);
    snprintf(deep, sizeof deep, "%s/a", folder);
    empty_folder(deep, 1);
    empty_folder(folder, 1);
}

static void images_come_back(void **state)
{
    (void)state;
    static const int64_t dims[4] = { 5, 3, 6, 4 };
    char folder[256];
    float values[360];
    lstmae_events *events;
    lstmae_grid_options options = LSTMAE_GRID_OPTIONS_INIT;
    part event;
    folder_name(folder, sizeof folder, "images");
    test_fill(values, 360, 1, 1.0f);
    options.low = -1;
    lstmae_tensor *images = tensor(context, 4, dims, values);
    assert_ok(lstmae_grid_save(test_path("same.png"), images, &options));
    test_png same = test_png_read(test_path("same.png"));
    assert_ok(lstmae_events_create(&events, context, folder, NULL));
    assert_ok(lstmae_events_image(events, "pictures", 7, images, &options));
    assert_ok(lstmae_events_flush(events));
    file f = open_file(lstmae_events_path(events));
    assert_true(next_record(&f.rest, &event));
    part image = get(value_of(event, 7, "pictures"), 4).content;
    assert_int_equal(get(image, 1).value, same.height);
    assert_int_equal(get(image, 2).value, same.width);
    assert_int_equal(get(image, 3).value, 3);
    part png = get(image, 4).content;
    test_png got = test_png_decode(png.at, png.size);
    assert_true(got.width == same.width && got.height == same.height && got.channels == 3);
    assert_memory_equal(got.pixels, same.pixels, (size_t)(got.width * got.height * 3));
    free(got.pixels);
    free(same.pixels);
    free(f.bytes);
    lstmae_events_destroy(events);
    lstmae_tensor_destroy(images);
    empty_folder(folder, 1);
}

/* Each value lies below its bucket's limit and not below the one before; empty buckets stand alone. */
static void histograms_come_back(void **state)
{
    (void)state;
    enum { N = 20000 };
    static float values[N];
    static const int64_t flat[1] = { N }, wide[3] = { 2, 100, 100 };
    char folder[256];
    lstmae_events *events;
    part event;
    test_fill(values, N, 1, 2.0f);
    for (int i = 0; i < N; i++) values[i] = i % 50 == 0 ? 0 : values[i] * powf(10.0f, (float)(i % 40) - 20.0f);
    values[1] = FLT_MAX;
    values[2] = -FLT_MAX;
    values[3] = 1e-45f;
    folder_name(folder, sizeof folder, "histograms");
    assert_ok(lstmae_events_create(&events, context, folder, NULL));
    lstmae_tensor *shapes[2] = { tensor(context, 1, flat, values), tensor(context, 3, wide, values) };
    for (int i = 0; i < 2; i++) assert_ok(lstmae_events_histogram(events, "weights", i, shapes[i]));
    assert_ok(lstmae_events_flush(events));
    file f = open_file(lstmae_events_path(events));
    for (int i = 0; i < 2; i++) {
        double counts[2000] = { 0 }, sum = 0, squares = 0;
        assert_true(next_record(&f.rest, &event));
        part h = get(value_of(event, i, "weights"), 5).content, limits = get(h, 6).content, buckets = get(h, 7).content;
        size_t n = limits.size / 8;
        assert_true(limits.size == buckets.size && n > 100 && n < 2000);
        for (int k = 0; k < N; k++) {
            size_t b = 0;
            while (!((double)values[k] < real_at(limits, b))) b++;
            counts[b]++;
            sum += (double)values[k];
            squares += (double)values[k] * (double)values[k];
        }
        for (size_t b = 0; b < n; b++) {
            assert_true(real_at(buckets, b) == counts[b]);
            if (b > 0) assert_true(real_at(limits, b) > real_at(limits, b - 1) && (counts[b] > 0 || counts[b - 1] > 0));
        }
        assert_true(real_at(limits, n - 1) == DBL_MAX);
        assert_true(real(get(h, 1)) == -(double)FLT_MAX && real(get(h, 2)) == (double)FLT_MAX);
        assert_true(real(get(h, 3)) == N && real(get(h, 4)) == sum && real(get(h, 5)) == squares);
    }
    free(f.bytes);
    for (int i = 0; i < 2; i++) lstmae_tensor_destroy(shapes[i]);
    lstmae_events_destroy(events);
    empty_folder(folder, 1);
}

/* Limits as TensorFlow makes them, by multiplying; the ends, zero and the largest doubles. */
static void buckets(void **state)
{
    (void)state;
    static lae_histogram h;
    lae_histogram_clear(&h);
    assert_true(h.limit[0] == -DBL_MAX && h.limit[LAE_HISTOGRAM_BUCKETS - 1] == DBL_MAX);
    assert_true(h.limit[LAE_HISTOGRAM_SIDE] == 0 && h.limit[LAE_HISTOGRAM_SIDE + 1] == 1e-12);
    assert_true(h.limit[LAE_HISTOGRAM_BUCKETS - 2] < 1e20 && h.limit[LAE_HISTOGRAM_BUCKETS - 2] * 1.1 >= 1e20);
    for (int i = 1; i < LAE_HISTOGRAM_BUCKETS; i++) assert_true(h.limit[i] > h.limit[i - 1]);
    const double values[] = { -DBL_MAX, -1, -1e-12, -1e-13, 0, 1e-13, 1e-12, 1, 1e20, DBL_MAX };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        lae_histogram_clear(&h);
        lae_histogram_add(&h, values[i]);
        int b = 0;
        while (h.bucket[b] <= 0) b++;
        assert_true(values[i] < h.limit[b] || values[i] == DBL_MAX);
        assert_true(b == 0 || values[i] >= h.limit[b - 1]);
        int n = lae_histogram_compact(&h);
        assert_true(n >= 2 && n <= 3);
    }
}

/* Files of one second, one process, one folder: each its own. */
static void names_are_free(void **state)
{
    (void)state;
    char folder[256];
    lstmae_events *events[5];
    folder_name(folder, sizeof folder, "names");
    for (int i = 0; i < 5; i++) assert_ok(lstmae_events_create(&events[i], context, folder, NULL));
    assert_int_equal(empty_folder(folder, 0), 5);
    assert_non_null(strstr(lstmae_events_path(events[0]), "/names/events.out.tfevents."));
    /* A file that has the next number's name already, as another machine of the same name may have left it. */
    char next[512], *dot;
    snprintf(next, sizeof next, "%s", lstmae_events_path(events[4]));
    dot = strrchr(next, '.');
    unsigned number = (unsigned)strtoul(dot + 1, NULL, 10) + 1;
    snprintf(dot + 1, 16, "%u", number);
    FILE *there = fopen(next, "wb");
    assert_non_null(there);
    fputs("theirs", there);
    fclose(there);
    for (int i = 0; i < 5; i++) lstmae_events_destroy(events[i]);
    assert_ok(lstmae_events_create(&events[0], context, folder, NULL));
    assert_string_not_equal(lstmae_events_path(events[0]), next);
    lstmae_events_destroy(events[0]);
    size_t size;
    unsigned char *theirs = test_file_read(next, &size);
    assert_true(size == 6 && memcmp(theirs, "theirs", 6) == 0);
    free(theirs);
    empty_folder(folder, 1);
}

/* Waiting: nothing new in the file before a flush; with 0 seconds, everything at once; 64 KiB at the latest. */
static void when_it_is_written(void **state)
{
    (void)state;
    char folder[256];
    struct stat before, after;
    lstmae_events *events;
    lstmae_events_options options = LSTMAE_EVENTS_OPTIONS_INIT;
    folder_name(folder, sizeof folder, "waiting");
    options.flush_seconds = 1e9;
    assert_ok(lstmae_events_create(&events, context, folder, &options));
    assert_int_equal(stat(lstmae_events_path(events), &before), 0);
    assert_ok(lstmae_events_scalar(events, "x", 1, 1));
    assert_int_equal(stat(lstmae_events_path(events), &after), 0);
    assert_true(before.st_size == after.st_size);
    assert_ok(lstmae_events_flush(events));
    assert_int_equal(stat(lstmae_events_path(events), &after), 0);
    assert_true(after.st_size > before.st_size);
    for (int i = 0; i < 2000; i++) assert_ok(lstmae_events_scalar(events, "x", i, 1));
    assert_int_equal(stat(lstmae_events_path(events), &after), 0);
    assert_true(after.st_size > 65536);
    lstmae_events_destroy(events);
    options.flush_seconds = 0;
    assert_ok(lstmae_events_create(&events, context, folder, &options));
    assert_int_equal(stat(lstmae_events_path(events), &before), 0);
    assert_ok(lstmae_events_scalar(events, "x", 1, 1));
    assert_int_equal(stat(lstmae_events_path(events), &after), 0);
    assert_true(after.st_size > before.st_size);
    lstmae_events_destroy(events);
    empty_folder(folder, 1);
}

static long disk_left; /* bytes that the disk takes until it is full */

static ssize_t limited_write(int fd, const void *buffer, size_t bytes)
{
    if (disk_left <= 0) {
        errno = ENOSPC;
        return -1;
    }
    size_t taken = bytes < (size_t)disk_left ? bytes : (size_t)disk_left;
    disk_left -= (long)taken;
    return lae_io_system.write(fd, buffer, taken);
}

/* The disk is full in the middle of a record, calls fail, then there is room again: every record is there, once. */
static void full_disk(void **state)
{
    (void)state;
    char folder[256];
    lstmae_events *events;
    lstmae_events_options options = LSTMAE_EVENTS_OPTIONS_INIT;
    lae_io table = lae_io_system;
    part event;
    int failed = 0;
    folder_name(folder, sizeof folder, "full");
    options.flush_seconds = 0;
    table.write = limited_write;
    disk_left = 40 + 41 * 10 + 17;
    lae_io_swap(&table);
    assert_ok(lstmae_events_create(&events, context, folder, &options));
    for (int i = 0; i < 30; i++) {
        lstmae_status status = lstmae_events_scalar(events, "loss", i, i);
        assert_true(status == LSTMAE_OK || status == LSTMAE_ERR_IO);
        if (status == LSTMAE_ERR_IO) assert_non_null(strstr(lstmae_last_error(), "cannot write: No space left"));
        failed += status != LSTMAE_OK;
    }
    assert_true(failed > 10 && failed < 25);
    assert_fails(lstmae_events_flush(events), ERR_IO);
    disk_left = 5; /* less than what waits */
    assert_fails(lstmae_events_flush(events), ERR_IO);
    disk_left = 1 << 20;
    assert_ok(lstmae_events_flush(events));
    file f = open_file(lstmae_events_path(events));
    for (int i = 0; i < 30; i++) {
        assert_true(next_record(&f.rest, &event));
        (void)value_of(event, i, "loss");
    }
    assert_false(next_record(&f.rest, &event));
    free(f.bytes);
    /* What waits is bounded: beyond that, calls are refused and take nothing. */
    disk_left = 0;
    for (int i = 0; i < 5000; i++) assert_fails(lstmae_events_scalar(events, "loss", i, i), ERR_IO);
    lstmae_memory_info info = LSTMAE_MEMORY_INFO_INIT;
    assert_ok(lstmae_context_memory(context, &info));
    assert_true(info.current < 1 << 20);
    lstmae_events_destroy(events); /* what waits is lost, in silence */
    assert_fails(lstmae_events_create(&events, context, folder, &options), ERR_IO);
    assert_null(events);
    lae_io_swap(NULL);
    empty_folder(folder, 1);
}

static lstmae_status one_of_each(lstmae_context *of, const char *folder, const lstmae_tensor *images)
{
    lstmae_events *events;
    lstmae_status status = lstmae_events_create(&events, of, folder, NULL);
    if (status == LSTMAE_OK) status = lstmae_events_scalar(events, "a", 1, 1);
    if (status == LSTMAE_OK) status = lstmae_events_image(events, "b", 1, images, NULL);
    if (status == LSTMAE_OK) status = lstmae_events_histogram(events, "c", 1, images);
    if (status == LSTMAE_OK) status = lstmae_events_flush(events);
    lstmae_events_destroy(events);
    return status;
}

/* Each file call and each allocation fails once: an error, nothing leaked, no descriptor left; and a value that did not
 * get memory leaves a file of whole records. */
static void failing_calls(void **state)
{
    (void)state;
    static const int64_t dims[4] = { 1, 1, 30, 30 };
    float values[900];
    char folder[256];
    test_heap heap = { 0 };
    lstmae_context *watched;
    folder_name(folder, sizeof folder, "failing");
    test_fill(values, 900, 1, 1.0f);
    assert_ok(test_heap_context(&watched, &heap));
    lstmae_tensor *images = tensor(watched, 4, dims, values);
    long live = heap.live, uses = 0;
    lae_io_swap(&test_io_table);
    for (long at = 1;; at++) {
        test_io = (test_io_state){ { at, 0, 0 }, TEST_IO_ERROR, EACCES, 0 };
        lstmae_status status = one_of_each(watched, folder, images);
        assert_int_equal(test_io.open, 0);
        assert_int_equal(heap.live, live);
        if (test_io.fault.uses < at) break;
        assert_true(status == LSTMAE_ERR_IO || status == LSTMAE_OK); /* closing, and looking whether a name is free */
    }
    lae_io_swap(NULL);
    for (long at = 0; at <= uses; at++) {
        heap.fault = (test_fault){ at, 0, 0 };
        lstmae_status status = one_of_each(watched, folder, images);
        if (at == 0) uses = heap.fault.uses;
        assert_int_equal(status, at == 0 ? LSTMAE_OK : LSTMAE_ERR_NO_MEMORY);
        assert_int_equal(heap.live, live);
    }
    assert_true(uses >= 8);
    heap.fault = (test_fault){ 0, 0, 0 };
    lstmae_tensor_destroy(images);
    lstmae_context_destroy(watched);
    assert_int_equal(heap.live, 0);
    empty_folder(folder, 1);
}

static void misused(void **state)
{
    (void)state;
    static const int64_t empty[2] = { 3, 0 }, four[1] = { 4 };
    float values[4] = { 1, 2, 3, (float)INFINITY };
    char folder[256];
    lstmae_events *events;
    folder_name(folder, sizeof folder, "misused");
    assert_fails(lstmae_events_create(&events, context, "", NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_events_create(&events, context, test_file("a-file", "x", 1), NULL), ERR_NOT_FOUND);
    assert_null(events);
    assert_ok(lstmae_events_create(&events, context, folder, NULL));
    assert_fails(lstmae_events_scalar(events, "", 0, 1), ERR_INVALID_ARG);
    assert_fails(lstmae_events_scalar(events, "\xff", 0, 1), ERR_INVALID_ARG);
    lstmae_tensor *none, *single, *whole, *infinite = tensor(context, 1, four, values);
    assert_ok(lstmae_tensor_create(&none, context, LSTMAE_F32, 2, empty));
    assert_ok(lstmae_tensor_create(&single, context, LSTMAE_F32, 0, NULL));
    assert_ok(lstmae_tensor_create(&whole, context, LSTMAE_I64, 1, four));
    assert_fails(lstmae_events_histogram(events, "h", 0, none), ERR_SHAPE);
    assert_fails(lstmae_events_histogram(events, "h", 0, single), ERR_SHAPE);
    assert_fails(lstmae_events_histogram(events, "h", 0, whole), ERR_DTYPE);
    assert_fails(lstmae_events_histogram(events, "h", 0, infinite), ERR_NUMERIC);
    assert_non_null(strstr(lstmae_last_error(), "element 3: expected a finite number, got inf"));
    assert_fails(lstmae_events_image(events, "i", 0, infinite, NULL), ERR_SHAPE);
    file f = open_file(lstmae_events_path(events));
    part event;
    assert_false(next_record(&f.rest, &event));
    free(f.bytes);
    lstmae_tensor *all[] = { none, single, whole, infinite };
    for (int i = 0; i < 4; i++) lstmae_tensor_destroy(all[i]);
    lstmae_events_destroy(events);
    empty_folder(folder, 1);
}

/* ---- for tensorboard.sh ---- */

static int write_examples(const char *folder)
{
    static const int64_t dims[4] = { 6, 3, 8, 8 }, flat[1] = { 1000 };
    static float values[1152];
    lstmae_events *events = NULL;
    lstmae_tensor *images = NULL, *weights = NULL;
    lstmae_status status = lstmae_context_create(&context, "cpu", NULL);
    test_fill(values, 1152, 1, 1.0f);
    if (status == LSTMAE_OK) status = lstmae_tensor_create(&images, context, LSTMAE_F32, 4, dims);
    if (status == LSTMAE_OK) status = lstmae_tensor_create(&weights, context, LSTMAE_F32, 1, flat);
    if (status == LSTMAE_OK) status = lstmae_tensor_write(images, values, sizeof values);
    if (status == LSTMAE_OK) status = lstmae_tensor_write(weights, values, 4000);
    if (status == LSTMAE_OK) status = lstmae_events_create(&events, context, folder, NULL);
    for (int i = 0; i < 10 && status == LSTMAE_OK; i++) {
        status = lstmae_events_scalar(events, "loss/train", i, 1.0 / (1 + i));
        if (status == LSTMAE_OK) status = lstmae_events_histogram(events, "weights", i, weights);
    }
    if (status == LSTMAE_OK) status = lstmae_events_image(events, "images", 3, images, NULL);
    if (status == LSTMAE_OK) status = lstmae_events_flush(events);
    if (status < 0) fprintf(stderr, "%s\n", lstmae_last_error());
    lstmae_events_destroy(events);
    lstmae_tensor_destroy(images);
    lstmae_tensor_destroy(weights);
    lstmae_context_destroy(context);
    return status < 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bytes),
        cmocka_unit_test(scalars_come_back),
        cmocka_unit_test(images_come_back),
        cmocka_unit_test(histograms_come_back),
        cmocka_unit_test(buckets),
        cmocka_unit_test(names_are_free),
        cmocka_unit_test(when_it_is_written),
        cmocka_unit_test_teardown(full_disk, restore_io),
        cmocka_unit_test_teardown(failing_calls, restore_io),
        cmocka_unit_test(misused),
    };
    if (argc == 2) return write_examples(argv[1]);
    return cmocka_run_group_tests(tests, setup, teardown);
}
