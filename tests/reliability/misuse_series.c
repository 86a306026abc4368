/* Tables of readings and what is made of them, called wrongly. */
#include "misuse.h"

#include <math.h>

void misuse_tables(void **state)
{
    misuse_objects *o = *state;
    static const float values[4] = { 0 };
    static const int64_t columns[2] = { 0, 2 };
    static const char *const names[2] = { "a", NULL };
    lstmae_table *out = NULL, *table = NULL;
    lstmae_table_options asked = LSTMAE_TABLE_OPTIONS_INIT;
    lstmae_rows part;
    int64_t place;
    float value;
    REFUSES_SIZES(lstmae_table_options, LSTMAE_TABLE_OPTIONS_INIT,
                  lstmae_table_open(&out, o->context, "absent", options));
    assert_ok(lstmae_table_from_memory(&table, o->context, values, 2, 2, NULL, 0));
    REFUSED(ERR_INVALID_ARG, table_from_memory, NULL, o->context, values, 2, 2, NULL, 0);
    REFUSED(ERR_INVALID_ARG, table_from_memory, &out, NULL, values, 2, 2, NULL, 0);
    REFUSED(ERR_INVALID_ARG, table_from_memory, &out, o->context, NULL, 2, 2, NULL, 0);
    REFUSED(ERR_INVALID_ARG, table_from_memory, &out, o->context, values, 2, 2, names, 0);
    REFUSED(ERR_INVALID_ARG, table_from_memory, &out, o->context, values, 2, 2, NULL, 3);
    REFUSED(ERR_INVALID_ARG, table_from_memory, &out, o->context, values, 2, 2, NULL, -1);
    REFUSED(ERR_SHAPE, table_from_memory, &out, o->context, values, -1, 2, NULL, 0);
    REFUSED(ERR_SHAPE, table_from_memory, &out, o->context, values, 2, INT64_MAX, NULL, 0);
    REFUSED(ERR_INVALID_ARG, table_open, NULL, o->context, "x", NULL);
    REFUSED(ERR_INVALID_ARG, table_open, &out, NULL, "x", NULL);
    REFUSED(ERR_INVALID_ARG, table_open, &out, o->context, NULL, NULL);
    REFUSED(ERR_NOT_FOUND, table_open, &out, o->context, "/nonexistent/file", NULL);
    REFUSED(ERR_INVALID_ARG, table_parse, NULL, o->context, "1", 1, NULL);
    REFUSED(ERR_INVALID_ARG, table_parse, &out, NULL, "1", 1, NULL);
    REFUSED(ERR_INVALID_ARG, table_parse, &out, o->context, NULL, 1, NULL);
    REFUSED(ERR_FORMAT, table_parse, &out, o->context, NULL, 0, NULL);
    asked.flags = 64;
    REFUSED(ERR_UNSUPPORTED, table_parse, &out, o->context, "1", 1, &asked);
    asked.flags = LSTMAE_TABLE_HEADER | LSTMAE_TABLE_NO_HEADER;
    REFUSED(ERR_INVALID_ARG, table_parse, &out, o->context, "1", 1, &asked);
    asked.flags = LSTMAE_TABLE_DECIMAL_COMMA;
    static const int32_t delimiters[] = { -1, 1, '5', '-', 'e', '"', '\n', '\r', 127, 300, ',' };
    for (size_t i = 0; i < sizeof delimiters / sizeof *delimiters; i++) {
        asked.delimiter = delimiters[i];
        REFUSED(ERR_INVALID_ARG, table_parse, &out, o->context, "1", 1, &asked);
    }
    asked = (lstmae_table_options)LSTMAE_TABLE_OPTIONS_INIT;
    asked.missing = 3;
    REFUSED(ERR_INVALID_ARG, table_parse, &out, o->context, "1", 1, &asked);
    asked.missing = 0;
    asked.skip_lines = -1;
    REFUSED(ERR_INVALID_ARG, table_parse, &out, o->context, "1", 1, &asked);
    asked.skip_lines = 0;
    asked.column_count = 1;
    REFUSED(ERR_INVALID_ARG, table_parse, &out, o->context, "1", 1, &asked);
    asked.columns = names;
    asked.column_count = 2;
    REFUSED(ERR_INVALID_ARG, table_parse, &out, o->context, "1", 1, &asked);
    asked.column_count = -1;
    REFUSED(ERR_INVALID_ARG, table_parse, &out, o->context, "1", 1, &asked);
    asked.columns = NULL;
    asked.column_count = 0;
    asked.label_count = INT64_MAX;
    asked.labels = names;
    REFUSED(ERR_INVALID_ARG, table_parse, &out, o->context, "1", 1, &asked);
    REFUSED(ERR_INVALID_ARG, table_select, NULL, table, columns, 1);
    REFUSED(ERR_INVALID_ARG, table_select, &out, NULL, columns, 1);
    REFUSED(ERR_INVALID_ARG, table_select, &out, table, NULL, 1);
    REFUSED(ERR_INVALID_ARG, table_select, &out, table, columns, 0);
    REFUSED(ERR_INVALID_ARG, table_select, &out, table, columns, 2);
    ACCEPTS_NULL(table_destroy);
    GIVES(0, table_rows, NULL);
    GIVES(0, table_columns, NULL);
    GIVES(NULL, table_values, NULL);
    GIVES(NULL, table_name, NULL, 0);
    GIVES(NULL, table_name, table, -1);
    REFUSED(ERR_INVALID_ARG, table_find, NULL, "a", &place);
    REFUSED(ERR_INVALID_ARG, table_find, table, NULL, &place);
    REFUSED(ERR_INVALID_ARG, table_find, table, "a", NULL);
    REFUSED(ERR_NOT_FOUND, table_find, table, "a", &place);
    GIVES(0, table_missing, NULL);
    GIVES(0, table_label_columns, NULL);
    GIVES(NULL, table_label_name, NULL, 0);
    GIVES(NULL, table_label_name, table, 0);
    GIVES(NULL, table_label, NULL, 0, 0);
    GIVES(NULL, table_label, table, 0, 0);
    REFUSED(ERR_INVALID_ARG, rows_part, NULL, table, 0, 1);
    REFUSED(ERR_INVALID_ARG, rows_part, &part, NULL, 0, 1);
    REFUSED(ERR_INVALID_ARG, rows_part, &part, table, 0, 2);
    REFUSED(ERR_INVALID_ARG, csv_line, NULL, ',', 0, NULL, 1, &value);
    REFUSED(ERR_INVALID_ARG, csv_line, "1", 0, 0, NULL, 1, &value);
    REFUSED(ERR_INVALID_ARG, csv_line, "1", '"', 0, NULL, 1, &value);
    REFUSED(ERR_INVALID_ARG, csv_line, "1", '\n', 0, NULL, 1, &value);
    REFUSED(ERR_INVALID_ARG, csv_line, "1", 200, 0, NULL, 1, &value);
    REFUSED(ERR_INVALID_ARG, csv_line, "1", ',', 1, NULL, 1, &value);
    REFUSED(ERR_INVALID_ARG, csv_line, "1", ',', 0, NULL, -1, &value);
    REFUSED(ERR_INVALID_ARG, csv_line, "1", ',', 0, NULL, 1, NULL);
    assert_null(out);
    lstmae_table_destroy(table);
}
