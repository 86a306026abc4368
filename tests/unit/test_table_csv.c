/* CSV: what is accepted and which values it becomes, and what is said about what is refused. */
#include "faults.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE { NULL, 0 }
#define TEXT(literal) { literal, sizeof literal - 1 }

typedef struct csv_text {
    const char *text;
    size_t bytes;
} csv_text;

static lstmae_context *context;

static int csv_setup(void **state)
{
    (void)state;
    context = test_context("cpu:ref", LSTMAE_F32);
    return 0;
}

static int csv_teardown(void **state)
{
    (void)state;
    lstmae_context_destroy(context);
    return 0;
}

/* Parses a copy of its exact size, so that a sanitizer sees reads beyond it. */
static lstmae_status parse(lstmae_table **table, csv_text csv, const lstmae_table_options *options)
{
    char *copy = malloc(csv.bytes + 1);
    assert_non_null(copy);
    memcpy(copy, csv.text, csv.bytes);
    char *exact = realloc(copy, csv.bytes > 0 ? csv.bytes : 1);
    assert_non_null(exact);
    lstmae_status status = lstmae_table_parse(table, context, exact, csv.bytes, options);
    free(exact);
    return status;
}

/* ---- refused ---- */

#define BAD LSTMAE_ERR_FORMAT
#define SHAPE LSTMAE_ERR_SHAPE
#define H LSTMAE_TABLE_HEADER
#define N LSTMAE_TABLE_NO_HEADER

static const struct {
    const char *what;
    lstmae_status status;
    const char *says;
    csv_text csv;
    uint32_t flags;
    int32_t delimiter;
} refused[] = {
    { "nothing", BAD, "got nothing", TEXT(""), 0, 0 },
    { "blanks alone", SHAPE, "expected records, got none", TEXT("  \n\t\n\r\n"), 0, 0 },
    { "a byte order mark alone", SHAPE, "expected records", TEXT("\xef\xbb\xbf"), 0, 0 },
    { "a header alone", SHAPE, "expected rows of values", TEXT("a,b\n"), 0, 0 },
    { "a header and empty lines", SHAPE, "expected rows of values", TEXT("a,b\n\n  \n"), 0, 0 },
    { "texts alone", SHAPE, "got 0, and 2 of texts", TEXT("a,b\nx,y\n"), 0, 0 },
    { "UTF-16, little-endian", LSTMAE_ERR_UNSUPPORTED, "UTF-16", TEXT("\xff\xfe" "1\0,\0"), 0, 0 },
    { "UTF-16, big-endian", LSTMAE_ERR_UNSUPPORTED, "UTF-16", TEXT("\xfe\xff\0" "1\0,"), 0, 0 },
    { "gzip in memory", LSTMAE_ERR_UNSUPPORTED, "gzip", TEXT("\x1f\x8b\x08"), 0, 0 },
    { "a NUL for a number", BAD, "line 2, column #1: expected text, got a NUL", TEXT("1,2\n3,\0"), N, 0 },
    { "a NUL in a number", BAD, "line 1, column #0: expected text, got a NUL", TEXT("1\0,2\n"), N, ',' },
    { "a NUL in quotes", BAD, "line 1, column #0: expected text, got a NUL", TEXT("\"a\0\",1\n"), N, ',' },
    { "a NUL between blanks", BAD, "got a NUL", TEXT("1 2\n3\0 4\n"), N, ' ' },
    { "a NUL in the header", BAD, "line 1, column #0: expected text, got a NUL", TEXT("a\0,b\n1,2\n"), H, ',' },
    { "too few cells", BAD, "line 3: expected 3 cells, got 2", TEXT("a,b,c\n1,2,3\n4,5\n"), 0, 0 },
    { "too many cells", BAD, "line 3: expected 2 cells, got more than 2", TEXT("a,b\n1,2\n4,5,6\n"), 0, 0 },
    { "a delimiter too many", BAD, "line 2: expected 2 cells, got more", TEXT("1,2\n4,5,\n"), N, ',' },
    { "fewer names than cells", BAD, "line 2: expected 1 cells, got more than 1", TEXT("a\n1,2\n"), H, ',' },
    { "one cell in a wide table", BAD, "line 2: expected 3 cells, got 1", TEXT("1,2,3\n4\n5,6,7\n"), N, ',' },
    { "a word for a number", BAD, "line 3, column #1 'b': expected a number, got 'abc'", TEXT("a,b\n1,2\n3,abc\n"), 0,
      0 },
    { "a date for a number", BAD, "line 2, column #0: expected a number, got '2020-03-01'",
      TEXT("1;2\n2020-03-01;3\n"), N, 0 },
    { "two points", BAD, "column #0: expected a number, got '1.2.3'", TEXT("1;2\n1.2.3;4\n"), N, 0 },
    { "two signs", BAD, "got '--1'", TEXT("1;2\n--1;4\n"), N, 0 },
    { "a sign alone", BAD, "got '+'", TEXT("1;2\n+;4\n"), N, 0 },
    { "a point alone", BAD, "got '.'", TEXT("1;2\n.;4\n"), N, 0 },
    { "an exponent without digits", BAD, "got '1e'", TEXT("1;2\n1e;4\n"), N, 0 },
    { "an exponent with a fraction", BAD, "got '1e2.5'", TEXT("1;2\n1e2.5;4\n"), N, 0 },
    { "hexadecimal", BAD, "got '0x10'", TEXT("1;2\n0x10;4\n"), N, 0 },
    { "a hexadecimal float", BAD, "got '0x1p3'", TEXT("1;2\n0x1p3;4\n"), N, 0 },
    { "a nan with a payload", BAD, "got 'nan(1)'", TEXT("1;2\nnan(1);4\n"), N, 0 },
    { "infinity", BAD, "got 'inf'", TEXT("1;2\ninf;4\n"), N, 0 },
    { "minus infinity in words", BAD, "got '-Infinity'", TEXT("1;2\n-Infinity;4\n"), N, 0 },
    { "beyond float32", BAD, "in the range of float32, got '3.5e38'", TEXT("1;2\n3.5e38;4\n"), N, 0 },
    { "far beyond", BAD, "in the range of float32, got '-1e400'", TEXT("1;2\n-1e400;4\n"), N, 0 },
    { "far beyond at the line's end", BAD, "line 1, column #1: expected a number in the range", TEXT("1;1e999999\n"), N,
      0 },
    { "blanks inside of a number", BAD, "got '1 2'", TEXT("1;2\n1 2;4\n"), N, 0 },
    { "blanks inside of quotes", BAD, "got ' 3 '", TEXT("1;2\n\" 3 \";4\n"), N, 0 },
    { "thousands' separators", BAD, "got '1'000'", TEXT("1;2\n1'000;4\n"), N, 0 },
    { "a decimal comma", BAD, "got '1,5'", TEXT("1;2\n1,5;4\n"), N, 0 },
    { "a unit", BAD, "got '5C'", TEXT("1;2\n5C;4\n"), N, 0 },
    { "a full-width digit", BAD, "got '?""?""?'", TEXT("1;2\n\xef\xbc\x91;4\n"), N, 0 },
    { "a control byte", BAD, "got '?1'", TEXT("1;2\n\x01" "1;4\n"), N, 0 },
    { "an empty cell", BAD, "line 2, column #1: expected a number, got a missing value ''", TEXT("1,2\n3,\n"), N, 0 },
    { "an empty cell in quotes", BAD, "got a missing value ''", TEXT("1,2\n3,\"\"\n"), N, 0 },
    { "NA", BAD, "line 2, column #0: expected a number, got a missing value 'NA'", TEXT("1,2\nNA,3\n"), N, 0 },
    { "NaN", BAD, "got a missing value 'NaN'", TEXT("1,2\nNaN,3\n"), N, 0 },
    { "null", BAD, "got a missing value 'null'", TEXT("1,2\nnull,3\n"), N, 0 },
    { "a quote inside of a cell", BAD, "line 2, column #0: expected quotes around the whole cell",
      TEXT("1;2\n1\"2;3\n"), N, 0 },
    { "a quote at a cell's end", BAD, "expected quotes around", TEXT("1;2\n12\";3\n"), N, 0 },
    { "text after a quote", BAD, "line 2, column #0: expected a delimiter or the line's end after the closing quote, "
      "got 'x'", TEXT("1;2\n\"1\"x;3\n"), N, ';' },
    { "a quote that is not closed", BAD, "line 2, column #1: expected a closing quote, got the end",
      TEXT("1;2\n3;\"4\n5;6\n"), N, ';' },
    { "a quote that is opened at the end", BAD, "line 3, column #0: expected a closing quote", TEXT("1;2\n3;4\n\""), N,
      ';' },
    { "a quote escaped by a backslash", BAD, "after the closing quote", TEXT("a;b\n\"x\\\"y\";1\n"), H, ';' },
    { "an odd number of quotes", BAD, "expected a closing quote", TEXT("a;b\n\"\"\";1\n"), H, ';' },
    { "a name with a quote inside", BAD, "line 1, column #1: expected quotes around", TEXT("a;b\"\n1;2\n"), H, ';' },
    { "lines counted through CRLF", BAD, "line 4, column #0", TEXT("1;2\r\n\r\n3;4\r\nx;5\r\n"), N, ';' },
    { "lines counted through CR", BAD, "line 4, column #0", TEXT("1;2\r\r3;4\rx;5\r"), N, ';' },
    { "lines counted through quotes", BAD, "line 6, column #1 'b'", TEXT("a;b\n\"x\ny\r\nz\rz\";1\n\"w\";x\n"), H,
      ';' },
    { "lines counted behind a byte order mark", BAD, "line 2, column #0", TEXT("\xef\xbb\xbf" "1;2\nx;3\n"), N, ';' },
    { "a name in the message is one line", BAD, "column #0 'a?b'", TEXT("\"a\nb\";c\n1;2\nx;2\n"), H, ';' },
};

static void csv_refuses_what_is_malformed(void **state)
{
    int failed = 0;
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        lstmae_table_options options = LSTMAE_TABLE_OPTIONS_INIT;
        lstmae_table *table = NULL;
        options.flags = refused[i].flags;
        options.delimiter = refused[i].delimiter;
        lstmae_status status = parse(&table, refused[i].csv, &options);
        const char *text = status < 0 ? lstmae_last_error() : "";
        if (status == refused[i].status && !table && strstr(text, refused[i].says) && !strchr(text, '\n')) continue;
        print_error("%s: wanted %s \"%s\", got %s \"%s\"\n", refused[i].what, lstmae_status_name(refused[i].status),
                    refused[i].says, lstmae_status_name(status), text);
        lstmae_table_destroy(table);
        failed++;
    }
    assert_int_equal(failed, 0);
}

/* ---- accepted ---- */

#define ANY 0
#define HOLD LSTMAE_MISSING_HOLD
#define LINE LSTMAE_MISSING_INTERPOLATE

static const struct {
    const char *what;
    csv_text csv;
    uint32_t flags;
    int32_t delimiter, missing;
    int64_t rows, columns, labels;
    float values[8];
    const char *names;  /* of all columns, each with a comma behind */
    const char *label;  /* of the last row, likewise */
} accepted[] = {
    { "commas", TEXT("a,b\n1,2\n3,4\n"), 0, 0, 0, 2, 2, 0, { 1, 2, 3, 4 }, "a,b,", "" },
    { "semicolons", TEXT("a;b\n1;2\n3;4\n"), 0, 0, 0, 2, 2, 0, { 1, 2, 3, 4 }, "a,b,", "" },
    { "tabs", TEXT("a\tb\n1\t2\n3\t4\n"), 0, 0, 0, 2, 2, 0, { 1, 2, 3, 4 }, "a,b,", "" },
    { "bars", TEXT("a|b\n1|2\n3|4\n"), 0, 0, 0, 2, 2, 0, { 1, 2, 3, 4 }, "a,b,", "" },
    { "blanks", TEXT("a b\n 1  2\n3\t 4 \n"), 0, 0, 0, 2, 2, 0, { 1, 2, 3, 4 }, "a,b,", "" },
    { "a delimiter of one's own", TEXT("a:b\n1:2\n"), 0, ':', 0, 1, 2, 0, { 1, 2 }, "a,b,", "" },
    { "one column", TEXT("a\n1\n2\n3\n"), 0, 0, 0, 3, 1, 0, { 1, 2, 3 }, "a,", "" },
    { "one number", TEXT("7"), 0, 0, 0, 1, 1, 0, { 7 }, "0,", "" },
    { "no header", TEXT("1,2\n3,4\n"), 0, 0, 0, 2, 2, 0, { 1, 2, 3, 4 }, "0,1,", "" },
    { "no line end at the end", TEXT("a,b\n1,2\n3,4"), 0, 0, 0, 2, 2, 0, { 1, 2, 3, 4 }, "a,b,", "" },
    { "CRLF", TEXT("a,b\r\n1,2\r\n3,4\r\n"), 0, 0, 0, 2, 2, 0, { 1, 2, 3, 4 }, "a,b,", "" },
    { "CR", TEXT("a,b\r1,2\r3,4\r"), 0, 0, 0, 2, 2, 0, { 1, 2, 3, 4 }, "a,b,", "" },
    { "line ends of all kinds", TEXT("a,b\r1,2\n3,4\r\n"), 0, 0, 0, 2, 2, 0, { 1, 2, 3, 4 }, "a,b,", "" },
    { "empty lines", TEXT("\n\na,b\n\n1,2\n  \n\t\n3,4\n\n"), 0, 0, 0, 2, 2, 0, { 1, 2, 3, 4 }, "a,b,", "" },
    { "a byte order mark", TEXT("\xef\xbb\xbf" "a,b\n1,2\n"), 0, 0, 0, 1, 2, 0, { 1, 2 }, "a,b,", "" },
    { "blanks around cells", TEXT(" a ,\tb \n 1 , 2\t\n"), 0, ',', 0, 1, 2, 0, { 1, 2 }, "a,b,", "" },
    { "numbers of all forms", TEXT("1.,.5,+3,-4e0,5E+0,6e-0,007,8.000000000000000000000000\n"), 0, 0, 0, 1, 8, 0,
      { 1, 0.5f, 3, -4, 5, 6, 7, 8 }, "0,1,2,3,4,5,6,7,", "" },
    { "numbers in quotes", TEXT("\"1\",\"2.5\"\n\"3\",4\n"), N, 0, HOLD, 2, 2, 0, { 1, 2.5f, 3, 4 }, "0,1,", "" },
    { "quoted names", TEXT("\"a,b\",\"c\"\"d\"\n1,2\n"), 0, 0, 0, 1, 2, 0, { 1, 2 }, "a,b,c\"d,", "" },
    { "names over two lines", TEXT("\"a\nb\",c\n1,2\n"), 0, 0, 0, 1, 2, 0, { 1, 2 }, "a\nb,c,", "" },
    { "blanks before and after quotes", TEXT(" \"a\" , \"b\"\n1 , \"2\" \n"), 0, 0, 0, 1, 2, 0, { 1, 2 }, "a,b,", "" },
    { "an empty name", TEXT(",b\n1,2\n"), 0, 0, 0, 1, 2, 0, { 1, 2 }, "0,b,", "" },
    { "equal names", TEXT("a,a\n1,2\n"), 0, 0, 0, 1, 2, 0, { 1, 2 }, "a,a,", "" },
    { "names that are numbers", TEXT("1,2\n3,4\n"), H, 0, 0, 1, 2, 0, { 3, 4 }, "1,2,", "" },
    { "dates are labels", TEXT("time;v\n2020-03-01 15:44:06;1\n2020-03-01 15:44:07;2\n"), 0, 0, 0, 2, 1, 1, { 1, 2 },
      "v,time,", "2020-03-01 15:44:07," },
    { "texts are labels", TEXT("1,x,\"a \"\"b\"\", c\"\n2,x,\n"), 0, 0, 0, 2, 1, 2, { 1, 2 }, "0,1,2,", "x,," },
    { "labels are passed over", TEXT("t,v\nx,1\n"), LSTMAE_TABLE_NO_LABELS, 0, 0, 1, 1, 0, { 1 }, "v,", "" },
    { "a column that begins with missing values", TEXT("a,b\nNA,x\n1,y\n"), 0, 0, HOLD, 2, 1, 1, { 1, 1 }, "a,b,",
      "y," },
    { "a decimal comma", TEXT("a;b\n1,5;-2,25e1\n"), LSTMAE_TABLE_DECIMAL_COMMA, 0, 0, 1, 2, 0, { 1.5f, -22.5f },
      "a,b,", "" },
    { "a decimal comma in a single column", TEXT("1,5\n2,5\n"), LSTMAE_TABLE_DECIMAL_COMMA, 0, 0, 2, 1, 0,
      { 1.5f, 2.5f }, "0,", "" },
    { "hold", TEXT("1,2\n,\n3,NA\n,4\n"), 0, 0, HOLD, 4, 2, 0, { 1, 2, 1, 2, 3, 2, 3, 4 }, "0,1,", "" },
    { "hold at both ends", TEXT("a\nNaN\n-\n5\n?\n"), 0, 0, HOLD, 4, 1, 0, { 5, 5, 5, 5 }, "a,", "" },
    { "interpolate", TEXT("1,8\n,\n,n/a\n7,5\n"), 0, 0, LINE, 4, 2, 0, { 1, 8, 3, 7, 5, 6, 7, 5 }, "0,1,", "" },
    { "interpolate at both ends", TEXT("a\nnull\n4\nNONE\n6\n-nan\n"), 0, 0, LINE, 5, 1, 0, { 4, 4, 5, 6, 6 }, "a,",
      "" },
    { "missing values that are numbers", TEXT("1,-999\n2,3\n"), 0, ',', HOLD, 2, 2, 0, { 1, 3, 2, 3 }, "0,1,", "" },
    { "tabs keep empty cells", TEXT("1\t\t3\n"), N, '\t', HOLD, -1, 0, 0, { 0 }, "", "" },
    { "tiny numbers", TEXT("1e-400,1e-45\n"), 0, 0, 0, 1, 2, 0, { 0, 1e-45f }, "0,1,", "" },
};

static void join(char *out, size_t size, const char *text)
{
    size_t used = strlen(out);
    snprintf(out + used, size - used, "%s,", text);
}

static void check_accepted(size_t i, const lstmae_table *table)
{
    char names[256] = "", label[256] = "";
    int64_t columns = lstmae_table_columns(table), rows = lstmae_table_rows(table);
    int64_t labels = lstmae_table_label_columns(table);
    for (int64_t c = 0; c < columns; c++) join(names, sizeof names, lstmae_table_name(table, c));
    for (int64_t c = 0; c < labels; c++) {
        join(names, sizeof names, lstmae_table_label_name(table, c));
        join(label, sizeof label, lstmae_table_label(table, c, rows - 1));
    }
    if (rows != accepted[i].rows || columns != accepted[i].columns || labels != accepted[i].labels ||
        strcmp(names, accepted[i].names) != 0 || strcmp(label, accepted[i].label) != 0)
        fail_msg("%s: got [%d,%d], %d labels, names %s label %s", accepted[i].what, (int)rows, (int)columns,
                 (int)labels, names, label);
    for (int64_t k = 0; k < rows * columns; k++)
        if (lstmae_table_values(table)[k] != accepted[i].values[k])
            fail_msg("%s: value %d is %g", accepted[i].what, (int)k, (double)lstmae_table_values(table)[k]);
}

static void csv_reads_what_is_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        lstmae_table_options options = LSTMAE_TABLE_OPTIONS_INIT;
        lstmae_table *table = NULL;
        options.flags = accepted[i].flags;
        options.delimiter = accepted[i].delimiter;
        options.missing = accepted[i].missing;
        options.missing_text = "-999";
        lstmae_status status = parse(&table, accepted[i].csv, &options);
        if (accepted[i].rows < 0) { /* a column without values */
            assert_int_equal(status, LSTMAE_ERR_FORMAT);
            assert_non_null(strstr(lstmae_last_error(), "expected a value in one row or more"));
            continue;
        }
        if (status != LSTMAE_OK) fail_msg("%s: %s", accepted[i].what, lstmae_last_error());
        check_accepted(i, table);
        lstmae_table_destroy(table);
    }
}

/* ---- columns asked for ---- */

static const char records[] = "time,a,b,c,2\n2020,1,2,3,4\n2021,5,6,7,8\n";

static lstmae_status parse_columns(lstmae_table **table, const char *const *columns, int64_t count,
                                   const char *const *labels, int64_t label_count)
{
    lstmae_table_options options = LSTMAE_TABLE_OPTIONS_INIT;
    options.columns = columns;
    options.column_count = count;
    options.labels = labels;
    options.label_count = label_count;
    options.flags = LSTMAE_TABLE_HEADER;
    return lstmae_table_parse(table, context, records, sizeof records - 1, &options);
}

static void csv_takes_the_columns_asked_for(void **state)
{
    static const char *const columns[] = { "c", "#1", "2" }, *const labels[] = { "time" };
    static const char *const absent[] = { "d" }, *const beyond[] = { "#5" }, *const odd[] = { "#" };
    static const char *const twice[] = { "a", "#1" }, *const huge[] = { "#99999999999999999999999" };
    lstmae_table *table = NULL;
    (void)state;
    assert_ok(parse_columns(&table, columns, 3, labels, 1));
    static const float want[] = { 3, 1, 4, 7, 5, 8 };
    assert_memory_equal(lstmae_table_values(table), want, sizeof want);
    assert_string_equal(lstmae_table_name(table, 1), "a");
    assert_string_equal(lstmae_table_label_name(table, 0), "time");
    assert_string_equal(lstmae_table_label(table, 0, 1), "2021");
    lstmae_table_destroy(table);
    assert_fails(parse_columns(&table, absent, 1, NULL, 0), ERR_NOT_FOUND);
    assert_fails(parse_columns(&table, beyond, 1, NULL, 0), ERR_NOT_FOUND);
    assert_fails(parse_columns(&table, odd, 1, NULL, 0), ERR_NOT_FOUND);
    assert_fails(parse_columns(&table, huge, 1, NULL, 0), ERR_NOT_FOUND);
    assert_fails(parse_columns(&table, twice, 2, NULL, 0), ERR_INVALID_ARG);
    assert_fails(parse_columns(&table, columns, 3, columns, 1), ERR_INVALID_ARG);
    assert_ok(parse_columns(&table, NULL, 0, labels, 1)); /* all others are values */
    assert_int_equal(lstmae_table_columns(table), 4);
    lstmae_table_destroy(table);
    assert_ok(parse_columns(&table, NULL, 0, labels, 0)); /* no labels at all */
    assert_int_equal(lstmae_table_columns(table), 5);
    lstmae_table_destroy(table);
}

static void csv_columns_of_equal_names_go_by_place(void **state)
{
    static const char *const name[] = { "a" }, *const place[] = { "#1" };
    static const char text[] = "a,a\n1,2\n";
    lstmae_table_options options = LSTMAE_TABLE_OPTIONS_INIT;
    lstmae_table *table = NULL;
    (void)state;
    options.columns = name;
    options.column_count = 1;
    assert_fails(lstmae_table_parse(&table, context, text, sizeof text - 1, &options), ERR_NOT_FOUND);
    assert_non_null(strstr(lstmae_last_error(), "got several"));
    options.columns = place;
    assert_ok(lstmae_table_parse(&table, context, text, sizeof text - 1, &options));
    assert_true(lstmae_table_values(table)[0] == 2.0f);
    lstmae_table_destroy(table);
}

static void csv_skips_lines(void **state)
{
    static const char text[] = "# a \"preamble\r\n;;;\r\rx\na,b\n1,2\n";
    lstmae_table_options options = LSTMAE_TABLE_OPTIONS_INIT;
    lstmae_table *table = NULL;
    (void)state;
    options.skip_lines = 4;
    assert_ok(lstmae_table_parse(&table, context, text, sizeof text - 1, &options));
    assert_string_equal(lstmae_table_name(table, 0), "a");
    assert_int_equal(lstmae_table_rows(table), 1);
    lstmae_table_destroy(table);
    options.skip_lines = 1000;
    assert_fails(lstmae_table_parse(&table, context, text, sizeof text - 1, &options), ERR_SHAPE);
}

/* ---- lines by themselves ---- */

static void csv_lines_are_read(void **state)
{
    static const int64_t places[] = { 1, 3 }, unsorted[] = { 3, 1 };
    float v[4];
    (void)state;
    assert_int_equal(lstmae_csv_line("1;2;3", ';', 0, NULL, 2, v), 3);
    assert_true(v[0] == 1 && v[1] == 2);
    assert_int_equal(lstmae_csv_line("2020-03-01 10:00;5;\"x;y\";6\r\n", ';', 0, places, 2, v), 4);
    assert_true(v[0] == 5 && v[1] == 6);
    assert_int_equal(lstmae_csv_line("1,5 NA", ' ', LSTMAE_TABLE_DECIMAL_COMMA, NULL, 3, v), 2);
    assert_true(v[0] == 1.5f && isnan(v[1]) && isnan(v[2]));
    assert_int_equal(lstmae_csv_line(" \n", ',', 0, NULL, 1, v), 0);
    assert_int_equal(lstmae_csv_line("", ',', 0, NULL, 0, NULL), 0);
    assert_fails(lstmae_csv_line("1,x", ',', 0, NULL, 2, v), ERR_FORMAT);
    assert_string_equal(lstmae_last_error(), "csv_line: line 1, column #1: expected a number, got 'x'");
    assert_fails(lstmae_csv_line("1,2\n3,4\n", ',', 0, NULL, 2, v), ERR_FORMAT);
    assert_fails(lstmae_csv_line("1,\"2", ',', 0, NULL, 2, v), ERR_FORMAT);
    assert_fails(lstmae_csv_line("1,2", ',', 0, unsorted, 2, v), ERR_INVALID_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_refuses_what_is_malformed),
        cmocka_unit_test(csv_reads_what_is_valid),
        cmocka_unit_test(csv_takes_the_columns_asked_for),
        cmocka_unit_test(csv_columns_of_equal_names_go_by_place),
        cmocka_unit_test(csv_skips_lines),
        cmocka_unit_test(csv_lines_are_read),
    };
    return cmocka_run_group_tests(tests, csv_setup, csv_teardown);
}
