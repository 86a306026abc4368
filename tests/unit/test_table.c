/* Tables: from memory, .npy and files of all sizes; labels, selections, parts; memory, and files that fail. */
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

static int table_setup(void **state)
{
    (void)state;
    context = test_context("cpu:ref", LSTMAE_F32);
    return 0;
}

static int table_teardown(void **state)
{
    (void)state;
    lstmae_context_destroy(context);
    return 0;
}

static int table_restore_io(void **state)
{
    (void)state;
    lae_io_swap(NULL);
    return 0;
}

static void assert_text(const char *part)
{
    if (!strstr(lstmae_last_error(), part)) fail_msg("\"%s\" lacks \"%s\"", lstmae_last_error(), part);
}

/* ---- memory ---- */

static void table_is_copied_from_memory(void **state)
{
    static const char *const names[] = { "a", "b" };
    float values[] = { 1, 2, NAN, 4, 5, 8 };
    lstmae_table *table = NULL;
    int64_t column = -1;
    (void)state;
    assert_fails(lstmae_table_from_memory(&table, context, values, 3, 2, names, LSTMAE_MISSING_REFUSE), ERR_FORMAT);
    assert_text("row 1, column #0: expected a finite number, got NaN");
    assert_ok(lstmae_table_from_memory(&table, context, values, 3, 2, names, LSTMAE_MISSING_INTERPOLATE));
    values[0] = 9;
    static const float want[] = { 1, 2, 3, 4, 5, 8 };
    assert_memory_equal(lstmae_table_values(table), want, sizeof want);
    assert_int_equal(lstmae_table_missing(table), 1);
    assert_ok(lstmae_table_find(table, "b", &column));
    assert_int_equal(column, 1);
    assert_ok(lstmae_table_find(table, "#0", &column));
    assert_int_equal(column, 0);
    assert_fails(lstmae_table_find(table, "#2", &column), ERR_NOT_FOUND);
    assert_fails(lstmae_table_find(table, "", &column), ERR_NOT_FOUND);
    assert_null(lstmae_table_name(table, 2));
    assert_null(lstmae_table_label(table, 0, 0));
    lstmae_table_destroy(table);
    values[3] = INFINITY;
    assert_fails(lstmae_table_from_memory(&table, context, values, 3, 2, NULL, LSTMAE_MISSING_HOLD), ERR_FORMAT);
    assert_fails(lstmae_table_from_memory(&table, context, values, 0, 2, NULL, 0), ERR_SHAPE);
    assert_fails(lstmae_table_from_memory(&table, context, values, 1, 0, NULL, 0), ERR_SHAPE);
    assert_fails(lstmae_table_from_memory(&table, context, values, INT64_MAX, 2, NULL, 0), ERR_SHAPE);
    assert_null(table);
}

static void table_selections_outlive_their_table(void **state)
{
    static const char text[] = "t,a,b,c\nx,1,2,3\ny,4,5,6\n";
    static const int64_t columns[] = { 2, 0, 2 }, beyond[] = { 3 };
    lstmae_table *table = NULL, *chosen = NULL;
    (void)state;
    assert_ok(lstmae_table_parse(&table, context, text, sizeof text - 1, NULL));
    assert_fails(lstmae_table_select(&chosen, table, beyond, 1), ERR_INVALID_ARG);
    assert_ok(lstmae_table_select(&chosen, table, columns, 3));
    lstmae_table_destroy(table);
    static const float want[] = { 3, 1, 3, 6, 4, 6 };
    assert_memory_equal(lstmae_table_values(chosen), want, sizeof want);
    assert_string_equal(lstmae_table_name(chosen, 1), "a");
    assert_string_equal(lstmae_table_label_name(chosen, 0), "t");
    assert_string_equal(lstmae_table_label(chosen, 0, 1), "y");
    assert_null(lstmae_table_label(chosen, 0, 2));
    assert_null(lstmae_table_label(chosen, 1, 0));
    lstmae_table_destroy(chosen);
}

static void table_parts_touch(void **state)
{
    float values[1000] = { 0 };
    static const double ends[] = { 0.0, 0.1, 0.29, 0.7, 0.85, 1.0 };
    lstmae_table *table = NULL;
    lstmae_rows part;
    int64_t next = 0;
    (void)state;
    assert_ok(lstmae_table_from_memory(&table, context, values, 997, 1, NULL, 0));
    for (int i = 0; i < 5; i++) {
        assert_ok(lstmae_rows_part(&part, table, ends[i], ends[i + 1]));
        assert_int_equal(part.first, next);
        next = part.first + part.count;
    }
    assert_int_equal(next, 997);
    assert_fails(lstmae_rows_part(&part, table, 0.5, 0.4), ERR_INVALID_ARG);
    assert_fails(lstmae_rows_part(&part, table, -0.1, 0.4), ERR_INVALID_ARG);
    assert_fails(lstmae_rows_part(&part, table, 0.1, 1.1), ERR_INVALID_ARG);
    assert_fails(lstmae_rows_part(&part, table, NAN, 1.0), ERR_INVALID_ARG);
    lstmae_table_destroy(table);
}

/* ---- .npy ---- */

/* A version 1.0 file around `data`; returns its length. */
static size_t npy(unsigned char *out, const char *descr, const char *order, const char *shape, const void *data,
                  size_t bytes)
{
    memcpy(out, "\x93NUMPY\x01\x00\x76\x00", 10);
    memset(out + 10, ' ', 118);
    char dict[119];
    int used = snprintf(dict, sizeof dict, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr, order, shape);
    memcpy(out + 10, dict, (size_t)used);
    out[127] = '\n';
    memcpy(out + 128, data, bytes);
    return 128 + bytes;
}

static void table_reads_npy(void **state)
{
    static const double doubles[] = { 1, 2, 3, 4, 5, 6 };
    static const float floats[] = { 1, NAN, 3 };
    static const char *const columns[] = { "#2", "#0" }, *const absent[] = { "a" };
    lstmae_table_options options = LSTMAE_TABLE_OPTIONS_INIT;
    unsigned char file[256];
    lstmae_table *table = NULL;
    (void)state;
    size_t length = npy(file, "<f8", "False", "(2, 3)", doubles, sizeof doubles);
    options.columns = columns;
    options.column_count = 2;
    assert_ok(lstmae_table_parse(&table, context, file, length, &options));
    static const float rows[] = { 3, 1, 6, 4 };
    assert_memory_equal(lstmae_table_values(table), rows, sizeof rows);
    assert_string_equal(lstmae_table_name(table, 0), "2");
    lstmae_table_destroy(table);
    length = npy(file, "<f8", "True", "(2, 3)", doubles, sizeof doubles);
    assert_ok(lstmae_table_parse(&table, context, file, length, NULL));
    static const float fortran[] = { 1, 3, 5, 2, 4, 6 };
    assert_memory_equal(lstmae_table_values(table), fortran, sizeof fortran);
    lstmae_table_destroy(table);
    options.columns = absent;
    options.column_count = 1;
    assert_fails(lstmae_table_parse(&table, context, file, length, &options), ERR_NOT_FOUND);
    length = npy(file, "<f4", "False", "(3,)", floats, sizeof floats);
    assert_fails(lstmae_table_parse(&table, context, file, length, NULL), ERR_FORMAT);
    assert_text("row 1, column #0: expected a finite number, got NaN");
    options = (lstmae_table_options)LSTMAE_TABLE_OPTIONS_INIT;
    options.missing = LSTMAE_MISSING_HOLD;
    assert_ok(lstmae_table_parse(&table, context, file, length, &options));
    assert_int_equal(lstmae_table_columns(table), 1);
    assert_true(lstmae_table_values(table)[1] == 1.0f);
    lstmae_table_destroy(table);
}

static void table_refuses_other_npy(void **state)
{
    static const double huge[] = { 1e300, 1 };
    static const char *const labels[] = { "#0" }, *const twice[] = { "#1", "#1" };
    lstmae_table_options options = LSTMAE_TABLE_OPTIONS_INIT;
    unsigned char file[256], zeros[64] = { 0 };
    lstmae_table *table = NULL;
    (void)state;
    assert_fails(lstmae_table_parse(&table, context, file, npy(file, "<f4", "False", "(2, 2, 2)", zeros, 32), NULL),
                 ERR_SHAPE);
    assert_fails(lstmae_table_parse(&table, context, file, npy(file, "<f4", "False", "()", zeros, 4), NULL), ERR_SHAPE);
    assert_fails(lstmae_table_parse(&table, context, file, npy(file, "<f4", "False", "(0, 3)", zeros, 0), NULL),
                 ERR_SHAPE);
    assert_fails(lstmae_table_parse(&table, context, file, npy(file, "<f4", "False", "(2, 2)", zeros, 15), NULL),
                 ERR_FORMAT);
    assert_fails(lstmae_table_parse(&table, context, file, npy(file, "<f4", "False", "(2, 2)", zeros, 17), NULL),
                 ERR_FORMAT);
    assert_fails(lstmae_table_parse(&table, context, file, npy(file, "<f2", "False", "(2, 2)", zeros, 8), NULL),
                 ERR_UNSUPPORTED);
    assert_fails(lstmae_table_parse(&table, context, file, npy(file, "<f8", "False", "(2, 1)", huge, 16), NULL),
                 ERR_FORMAT);
    assert_text("row 0, column #0: expected a finite number, got one beyond float32's range");
    options.labels = labels;
    options.label_count = 1;
    assert_fails(lstmae_table_parse(&table, context, file, npy(file, "<f4", "False", "(2, 2)", zeros, 16), &options),
                 ERR_INVALID_ARG);
    options.label_count = 0;
    options.columns = twice;
    options.column_count = 2;
    assert_fails(lstmae_table_parse(&table, context, file, npy(file, "<f4", "False", "(2, 2)", zeros, 16), &options),
                 ERR_INVALID_ARG);
    unsigned char *wide = calloc(1, 128 + 65537);
    assert_non_null(wide);
    (void)npy(wide, "|u1", "False", "(1, 65537)", zeros, 0);
    assert_fails(lstmae_table_parse(&table, context, wide, 128 + 65537, NULL), ERR_SHAPE);
    free(wide);
    assert_null(table);
}

/* ---- large files ---- */

enum { LARGE_ROWS = 120000, LARGE_COLUMNS = 5 };

static float large_value(int64_t row, int64_t column)
{
    return (float)((row * 7919 + column * 104729) % 100003) / (float)(1 << (row % 11));
}

/* Several times the reader's buffer; lines of all lengths, quoted cells with line ends, any of the line ends. */
static char *large_text(size_t *bytes, const char *line_end)
{
    size_t room = (size_t)LARGE_ROWS * 120;
    char *text = malloc(room), *p = text;
    assert_non_null(text);
    p += sprintf(p, "label,a,b,c,d,e%s", line_end);
    for (int64_t row = 0; row < LARGE_ROWS; row++) {
        p += sprintf(p, row % 3 ? "n%lld" : "\"q\n\"\"%lld\"", (long long)(row / 2));
        for (int64_t column = 0; column < LARGE_COLUMNS; column++)
            p += sprintf(p, row % 5 == 4 ? ", \"%.9g\" " : ",%.9g", (double)large_value(row, column));
        p += sprintf(p, "%s%s", line_end, row % 100 == 7 ? line_end : "");
    }
    *bytes = (size_t)(p - text);
    assert_true(*bytes < room && *bytes > (size_t)4 << 20);
    return text;
}

static void large_check(const lstmae_table *table)
{
    const float *value = lstmae_table_values(table);
    char label[32];
    assert_int_equal(lstmae_table_rows(table), LARGE_ROWS);
    assert_int_equal(lstmae_table_columns(table), LARGE_COLUMNS);
    for (int64_t row = 0; row < LARGE_ROWS; row++) {
        snprintf(label, sizeof label, row % 3 ? "n%lld" : "q\n\"%lld", (long long)(row / 2));
        assert_string_equal(lstmae_table_label(table, 0, row), label);
        for (int64_t column = 0; column < LARGE_COLUMNS; column++)
            if (*value++ != large_value(row, column)) fail_msg("row %d, column %d", (int)row, (int)column);
    }
}

/* The test shifts the text by a byte at a time, so that other places of a record meet the end of the buffer. */
static void table_reads_large_files(void **state)
{
    static const char *const ends[] = { "\n", "\r\n", "\r" };
    (void)state;
    for (int i = 0; i < 3; i++) {
        size_t bytes;
        char *text = large_text(&bytes, ends[i]);
        lstmae_table *table = NULL;
        assert_ok(lstmae_table_parse(&table, context, text, bytes, NULL));
        large_check(table);
        lstmae_table_destroy(table);
        free(text);
    }
}

static void table_records_may_end_anywhere_in_the_buffer(void **state)
{
    const size_t buffer = (size_t)1 << 20, front = buffer - 60;
    char *text = malloc(front + 200);
    (void)state;
    assert_non_null(text);
    for (size_t shift = 0; shift < 64; shift++) {
        size_t filler = front + shift;
        memset(text, ' ', filler); /* a long line of blanks, then records */
        int more = sprintf(text + filler, "1,2\r\n\"3\",\"4\"\r\n\"5\" , 6.5e1\r\n\r\n7,-8e-1\r\n");
        lstmae_table_options options = LSTMAE_TABLE_OPTIONS_INIT;
        lstmae_table *table = NULL;
        options.delimiter = ',';
        memcpy(text, "0,0\r\n", 5);
        text[filler - 1] = '\n';
        assert_ok(lstmae_table_parse(&table, context, text, filler + (size_t)more, &options));
        static const float want[] = { 0, 0, 1, 2, 3, 4, 5, 65, 7, -0.8f };
        assert_int_equal(lstmae_table_rows(table), 5);
        assert_memory_equal(lstmae_table_values(table), want, sizeof want);
        lstmae_table_destroy(table);
        more += sprintf(text + filler + more, "x,1\r\n");
        assert_fails(lstmae_table_parse(&table, context, text, filler + (size_t)more, &options), ERR_FORMAT);
        assert_text("line 8, column #0: expected a number, got 'x'");
    }
    free(text);
}

/* Lines that are skipped may be longer than the buffer, and end anywhere in it. */
static void table_skips_lines_of_any_length(void **state)
{
    const size_t buffer = (size_t)1 << 20;
    lstmae_table_options options = LSTMAE_TABLE_OPTIONS_INIT;
    lstmae_table *table = NULL;
    char *text = malloc(3 * buffer + 64);
    (void)state;
    assert_non_null(text);
    options.skip_lines = 2;
    for (size_t more = 0; more < 6; more++) {
        size_t length = 2 * buffer - 3 + more;
        memset(text, '"', length);
        int rest = sprintf(text + length, "\r\nskipped\r\n1,2\r\n3,x\r\n");
        assert_fails(lstmae_table_parse(&table, context, text, length + (size_t)rest, &options), ERR_FORMAT);
        assert_text("line 4, column #1: expected a number, got 'x'");
    }
    options.skip_lines = 1;
    assert_fails(lstmae_table_parse(&table, context, text, 2 * buffer - 8, &options), ERR_SHAPE);
    free(text);
}

static void table_refuses_records_beyond_the_buffer(void **state)
{
    const size_t buffer = (size_t)1 << 20;
    lstmae_table *table = NULL;
    char *text = malloc(2 * buffer);
    (void)state;
    assert_non_null(text);
    memset(text, '1', 2 * buffer);
    memcpy(text, "1,2\n3,", 6);
    assert_fails(lstmae_table_parse(&table, context, text, 2 * buffer, NULL), ERR_FORMAT);
    assert_text("line 2: expected a record of at most 1048575 bytes, got more");
    memset(text, ' ', 2 * buffer);
    memcpy(text, "1,2\n", 4);
    assert_fails(lstmae_table_parse(&table, context, text, 2 * buffer, NULL), ERR_FORMAT);
    /* the longest that is read: 3, and zeros behind a point */
    memset(text, '0', buffer);
    memcpy(text, "1,2\n3,4.", 8);
    assert_ok(lstmae_table_parse(&table, context, text, buffer - 1 + 4, NULL));
    assert_true(lstmae_table_values(table)[3] == 4.0f);
    lstmae_table_destroy(table);
    free(text);
}

/* A short line below a very wide one must not make room for as many wide ones as there are bytes. */
static void table_memory_is_bounded_by_the_file(void **state)
{
    const size_t wide = 60000, lines = 300000;
    test_heap heap;
    lstmae_context *counted = NULL;
    lstmae_table *table = NULL;
    char *text = malloc(2 * wide + 2 * lines), *p = text;
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < wide; i++, p += 2) memcpy(p, i < wide - 1 ? "1," : "1\n", 2);
    for (size_t i = 0; i < lines; i++, p += 2) memcpy(p, "1\n", 2);
    memset(&heap, 0, sizeof heap);
    assert_ok(test_heap_context(&counted, &heap));
    assert_fails(lstmae_table_parse(&table, counted, text, (size_t)(p - text), NULL), ERR_FORMAT);
    assert_text("line 2: expected 60000 cells, got 1");
    assert_true(heap.peak < (size_t)12 << 20);
    lstmae_context_destroy(counted);
    assert_int_equal(heap.live, 0);
    free(text);
}

static void table_memory_is_that_of_its_values(void **state)
{
    size_t bytes;
    test_heap heap;
    char *text = large_text(&bytes, "\n");
    lstmae_context *counted = NULL;
    lstmae_table *table = NULL;
    lstmae_table_options options = LSTMAE_TABLE_OPTIONS_INIT;
    (void)state;
    options.flags = LSTMAE_TABLE_NO_LABELS;
    memset(&heap, 0, sizeof heap);
    assert_ok(test_heap_context(&counted, &heap));
    size_t before = heap.bytes;
    heap.peak = before;
    assert_ok(lstmae_table_parse(&table, counted, text, bytes, &options));
    assert_true(heap.peak - before < (size_t)LARGE_ROWS * LARGE_COLUMNS * sizeof(float) + ((size_t)2 << 20));
    lstmae_table_destroy(table);
    lstmae_context_destroy(counted);
    free(text);
}

/* ---- files ---- */

static const char small[] = "t;a;b\nx;1;2\n\"y;z\";3;\nw;5;6\n";

static lstmae_status open_small(lstmae_table **table, lstmae_context *with, const char *path)
{
    lstmae_table_options options = LSTMAE_TABLE_OPTIONS_INIT;
    options.missing = LSTMAE_MISSING_INTERPOLATE;
    return lstmae_table_open(table, with, path, &options);
}

static void table_opens_files(void **state)
{
    lstmae_table *table = NULL;
    (void)state;
    assert_ok(open_small(&table, context, test_file("a.csv", small, sizeof small - 1)));
    static const float want[] = { 1, 2, 3, 4, 5, 6 };
    assert_memory_equal(lstmae_table_values(table), want, sizeof want);
    assert_string_equal(lstmae_table_label(table, 0, 1), "y;z");
    lstmae_table_destroy(table);
    assert_fails(lstmae_table_open(&table, context, test_path("absent.csv"), NULL), ERR_NOT_FOUND);
    assert_fails(lstmae_table_open(&table, context, "/tmp", NULL), ERR_IO);
    assert_fails(lstmae_table_open(&table, context, test_file("bad.csv", "1;2\n3;x\n", 8), NULL), ERR_FORMAT);
    assert_text("bad.csv: line 2, column #1: expected a number, got 'x'");
    assert_null(table);
}

static void table_opens_compressed_files(void **state)
{
    (void)state;
#ifdef LAE_HAVE_ZLIB
    static const double doubles[] = { 1, 2, 3, 4 };
    unsigned char file[256];
    size_t length = npy(file, "<f8", "False", "(2, 2)", doubles, sizeof doubles);
    lstmae_table *table = NULL;
    gzFile out = gzopen(test_path("a.csv.gz"), "wb");
    assert_true(out && gzwrite(out, small, sizeof small - 1) > 0 && gzclose(out) == Z_OK);
    assert_ok(open_small(&table, context, test_path("a.csv.gz")));
    assert_true(lstmae_table_values(table)[5] == 6.0f);
    lstmae_table_destroy(table);
    out = gzopen(test_path("a.npy.gz"), "wb");
    assert_true(out && gzwrite(out, file, (unsigned)length) > 0 && gzclose(out) == Z_OK);
    assert_ok(open_small(&table, context, test_path("a.npy.gz")));
    assert_true(lstmae_table_values(table)[3] == 4.0f);
    lstmae_table_destroy(table);
    out = gzopen(test_path("b.npy.gz"), "wb");
    assert_true(out && gzwrite(out, file, (unsigned)length - 1) > 0 && gzclose(out) == Z_OK);
    assert_fails(open_small(&table, context, test_path("b.npy.gz")), ERR_FORMAT);
#else
    skip();
#endif
}

static void table_survives_files_that_fail(void **state)
{
    char path[256];
    lstmae_table *table = NULL;
    (void)state;
    snprintf(path, sizeof path, "%s", test_file("a.csv", small, sizeof small - 1));
    lae_io_swap(&test_io_table);
    memset(&test_io, 0, sizeof test_io);
    assert_ok(open_small(&table, context, path));
    lstmae_table_destroy(table);
    long uses = test_io.fault.uses;
    assert_true(uses >= 5);
    for (long at = 1; at < uses; at++) { /* the last use closes */
        test_io = (test_io_state){ { at, 0, 0 }, TEST_IO_ERROR, EIO, 0 };
        assert_fails(open_small(&table, context, path), ERR_IO);
        assert_null(table);
        assert_int_equal(test_io.open, 0);
    }
    test_io = (test_io_state){ { 1, 1, 0 }, TEST_IO_SHORT, 0, 0 };
    assert_ok(open_small(&table, context, path));
    assert_true(lstmae_table_values(table)[4] == 5.0f);
    lstmae_table_destroy(table);
}

/* A file that gives another content of the same length to the third reading of its beginning. */
static const char *changed_to;
static int changed_reads;

static ssize_t changed_read(int fd, void *buffer, size_t bytes, uint64_t offset)
{
    if (offset == 0 && bytes > 2) changed_reads++;
    if (changed_reads < 4) return lae_io_system.read(fd, buffer, bytes, offset);
    memcpy(buffer, changed_to + offset, bytes);
    return (ssize_t)bytes;
}

static void table_notices_files_that_change(void **state)
{
    static const char before[] = "1,2\n3,4\n5,6\n7,8\n";
    static const char *const after[] = { "1,2\n3,4\n5,6\n    ", "1,2\n3,4\n5,6\n7,8,", "1,2\n3,4\n5,\n6,8\n" };
    char path[256];
    lae_io table_io = lae_io_system;
    lstmae_table *table = NULL;
    (void)state;
    table_io.read = changed_read;
    snprintf(path, sizeof path, "%s", test_file("c.csv", before, sizeof before - 1));
    lae_io_swap(&table_io);
    for (int i = 0; i < 3; i++) {
        changed_to = after[i];
        changed_reads = 0;
        lstmae_status status = lstmae_table_open(&table, context, path, NULL);
        if (status != LSTMAE_ERR_IO && status != LSTMAE_ERR_FORMAT) fail_msg("case %d: %d", i, status);
        assert_null(table);
    }
    assert_true(changed_reads >= 4);
}

/* ---- memory that runs out ---- */

static lstmae_status life(test_heap *heap, const char *path)
{
    static const int64_t column = 1;
    lstmae_context *with = NULL;
    lstmae_table *table = NULL, *chosen = NULL, *copy = NULL;
    lstmae_status status = test_heap_context(&with, heap);
    if (status == LSTMAE_OK) status = open_small(&table, with, path);
    if (status == LSTMAE_OK) status = lstmae_table_select(&chosen, table, &column, 1);
    if (status == LSTMAE_OK) {
        float values[] = { 1, NAN, 2 };
        status = lstmae_table_from_memory(&copy, with, values, 3, 1, NULL, LSTMAE_MISSING_HOLD);
    }
    lstmae_context_destroy(with);
    lstmae_table_destroy(table);
    lstmae_table_destroy(copy);
    lstmae_table_destroy(chosen);
    return status;
}

static void table_survives_memory_that_runs_out(void **state)
{
    unsigned char file[256];
    double doubles[6] = { 1, 2, 3, 4, 5, 6 };
    char paths[2][256];
    test_heap heap;
    (void)state;
    snprintf(paths[0], sizeof paths[0], "%s", test_file("m.csv", small, sizeof small - 1));
    size_t length = npy(file, "<f8", "False", "(3, 2)", doubles, sizeof doubles);
    snprintf(paths[1], sizeof paths[1], "%s", test_file("m.npy", file, length));
    for (int i = 0; i < 2; i++) {
        memset(&heap, 0, sizeof heap);
        assert_int_equal(life(&heap, paths[i]), LSTMAE_OK);
        long uses = heap.fault.uses;
        for (long at = 1; at <= uses; at++) {
            memset(&heap, 0, sizeof heap);
            heap.fault.at = at;
            lstmae_status status = life(&heap, paths[i]);
            if (status != LSTMAE_ERR_NO_MEMORY)
                fail_msg("allocation %ld of %ld: %s", at, uses, lstmae_status_name(status));
            if (heap.live != 0) fail_msg("allocation %ld of %ld: %ld blocks left", at, uses, heap.live);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_copied_from_memory),
        cmocka_unit_test(table_selections_outlive_their_table),
        cmocka_unit_test(table_parts_touch),
        cmocka_unit_test(table_reads_npy),
        cmocka_unit_test(table_refuses_other_npy),
        cmocka_unit_test(table_reads_large_files),
        cmocka_unit_test(table_records_may_end_anywhere_in_the_buffer),
        cmocka_unit_test(table_skips_lines_of_any_length),
        cmocka_unit_test(table_refuses_records_beyond_the_buffer),
        cmocka_unit_test(table_memory_is_bounded_by_the_file),
        cmocka_unit_test(table_memory_is_that_of_its_values),
        cmocka_unit_test(table_opens_files),
        cmocka_unit_test(table_opens_compressed_files),
        cmocka_unit_test_teardown(table_survives_files_that_fail, table_restore_io),
        cmocka_unit_test_teardown(table_notices_files_that_change, table_restore_io),
        cmocka_unit_test(table_survives_memory_that_runs_out),
    };
    return cmocka_run_group_tests(tests, table_setup, table_teardown);
}
