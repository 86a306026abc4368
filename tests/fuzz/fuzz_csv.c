/*
 * Any bytes as CSV: what is accepted is a table of finite numbers whose texts can all be read, and the same again from
 * a second reading; what is refused says why in one line. The first two bytes choose the options.
 */
#include "fuzz.h"

#include <lstmae/lstmae.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void fuzz_require(int holds)
{
    if (!holds) abort();
}

static void fuzz_options(lstmae_table_options *options, uint8_t first, uint8_t second)
{
    static const int32_t delimiters[] = { 0, ',', ';', '\t', ' ', '|', ':', 'x' };
    options->flags = first & 15u;
    if ((options->flags & 3u) == 3u) options->flags &= ~3u;
    options->missing = (first >> 4) % 3;
    options->delimiter = delimiters[second & 7];
    if ((options->flags & LSTMAE_TABLE_DECIMAL_COMMA) && options->delimiter == ',') options->delimiter = ';';
    options->skip_lines = (second >> 3) & 3;
    options->missing_text = second & 32 ? "-9" : NULL;
    if (second & 64) {
        static const char *const columns[] = { "#1", "a" };
        options->columns = columns;
        options->column_count = second & 128 ? 2 : 1;
    }
}

static void fuzz_table(const lstmae_table *table)
{
    int64_t rows = lstmae_table_rows(table), columns = lstmae_table_columns(table);
    fuzz_require(rows >= 1 && columns >= 1);
    for (int64_t i = 0; i < rows * columns; i++) fuzz_require(isfinite(lstmae_table_values(table)[i]));
    for (int64_t i = 0; i < columns; i++) fuzz_require(lstmae_table_name(table, i) != NULL);
    for (int64_t i = 0; i < lstmae_table_label_columns(table); i++) {
        fuzz_require(lstmae_table_label_name(table, i) != NULL);
        for (int64_t row = 0; row < rows; row++) fuzz_require(strlen(lstmae_table_label(table, i, row)) < 1 << 20);
    }
}

static void fuzz_line(const uint8_t *bytes, size_t length)
{
    float values[4];
    char *line = malloc(length + 1);
    fuzz_require(line != NULL);
    memcpy(line, bytes, length);
    line[length] = '\0';
    lstmae_status status = lstmae_csv_line(line, ',', 0, NULL, 4, values);
    fuzz_require(status >= 0 || status == LSTMAE_ERR_FORMAT);
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static lstmae_context *context;
    lstmae_table_options options = LSTMAE_TABLE_OPTIONS_INIT;
    lstmae_table *table = NULL, *again = NULL;
    if (!context) fuzz_require(lstmae_context_create(&context, "cpu:ref", NULL) == LSTMAE_OK);
    if (length < 2) return 0;
    fuzz_options(&options, bytes[0], bytes[1]);
    fuzz_line(bytes + 2, length - 2);
    lstmae_status status = lstmae_table_parse(&table, context, bytes + 2, length - 2, &options);
    if (status < 0) {
        const char *text = lstmae_last_error();
        fuzz_require(!table && strncmp(text, "table", 5) == 0 && !strchr(text, '\n'));
        fuzz_require(status == LSTMAE_ERR_FORMAT || status == LSTMAE_ERR_SHAPE || status == LSTMAE_ERR_UNSUPPORTED ||
                     status == LSTMAE_ERR_NOT_FOUND || status == LSTMAE_ERR_INVALID_ARG);
        return 0;
    }
    fuzz_table(table);
    fuzz_require(lstmae_table_parse(&again, context, bytes + 2, length - 2, &options) == LSTMAE_OK);
    fuzz_require(lstmae_table_rows(again) == lstmae_table_rows(table));
    fuzz_require(memcmp(lstmae_table_values(again), lstmae_table_values(table),
                        (size_t)(lstmae_table_rows(table) * lstmae_table_columns(table)) * sizeof(float)) == 0);
    lstmae_table_destroy(again);
    lstmae_table_destroy(table);
    return 0;
}
