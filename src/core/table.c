#include "table_internal.h"

#include "options.h"
#include "size.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static lstmae_status table_sizes(lstmae_table *table, const char *name)
{
    int64_t values, labels, names, dims[2] = { table->rows, table->columns }, texts[2] = { table->rows, table->labels };
    if (!lae_product(&values, 2, dims) || !lae_product(&labels, 2, texts) ||
        values > PTRDIFF_MAX / (int64_t)sizeof(float) || labels > PTRDIFF_MAX / (int64_t)sizeof(char *))
        return LAE_FAIL(ERR_SHAPE, "%s: expected a table that fits in memory, got %lld rows of %lld values and %lld "
                        "labels", name, (long long)table->rows, (long long)table->columns, (long long)table->labels);
    names = table->columns + table->labels;
    table->values_bytes = (size_t)values * sizeof(float);
    table->label_bytes = (size_t)labels * sizeof(char *);
    table->names_bytes = (size_t)names * sizeof(char *);
    return LSTMAE_OK;
}

lstmae_status lae_table_create(lstmae_table **out, lstmae_context *context, const char *name, int64_t rows,
                               int64_t columns, int64_t labels)
{
    lae_memory *memory = lae_context_memory(context);
    *out = NULL;
    lstmae_table *table = lae_calloc(memory, 1, sizeof *table);
    if (!table) return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for %zu bytes", name, sizeof *table);
    atomic_init(&table->references, 1);
    table->context = lae_context_retain(context);
    table->rows = rows;
    table->columns = columns;
    table->labels = labels;
    lstmae_status status;
    LAE_TRY_DONE(table_sizes(table, name));
    LAE_TRY_DONE(lae_texts_create(&table->texts, context));
    table->values = lae_alloc(memory, table->values_bytes);
    table->names = lae_calloc(memory, 1, table->names_bytes);
    table->label = lae_calloc(memory, 1, table->label_bytes);
    if (!table->values || !table->names || !table->label)
        status = LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for %zu bytes", name, table->values_bytes + table->label_bytes);
done:
    if (status == LSTMAE_OK)
        *out = table;
    else
        lstmae_table_destroy(table);
    return status;
}

lstmae_table *lae_table_retain(lstmae_table *table)
{
    atomic_fetch_add_explicit(&table->references, 1, memory_order_relaxed);
    return table;
}

void lstmae_table_destroy(lstmae_table *table)
{
    if (!table || atomic_fetch_sub_explicit(&table->references, 1, memory_order_acq_rel) != 1) return;
    lstmae_context *context = table->context;
    lae_memory *memory = lae_context_memory(context);
    lae_free(memory, table->values, table->values_bytes);
    lae_free(memory, table->names, table->names_bytes);
    lae_free(memory, table->label, table->label_bytes);
    lae_texts_release(table->texts);
    lae_free(memory, table, sizeof *table);
    lae_context_release(context);
}

/* ---- names ---- */

lstmae_status lae_table_set_name(lstmae_table *table, int64_t column, const char *name, size_t bytes)
{
    char *text = lae_texts_add(table->texts, bytes);
    if (!text) return LAE_FAIL(ERR_NO_MEMORY, "table: no memory for a name of %zu bytes", bytes);
    if (bytes > 0) memcpy(text, name, bytes);
    table->names[column] = text;
    return LSTMAE_OK;
}

lstmae_status lae_table_number_name(lstmae_table *table, int64_t column, int64_t place)
{
    char text[24];
    int bytes = snprintf(text, sizeof text, "%lld", (long long)place);
    return lae_table_set_name(table, column, text, (size_t)bytes);
}

int64_t lae_table_place(const char *wanted, const char *const *names, int64_t count)
{
    int64_t found = -1, place = 0;
    for (int64_t i = 0; names && i < count; i++) {
        if (strcmp(names[i], wanted) != 0) continue;
        if (found >= 0) return -2;
        found = i;
    }
    if (found >= 0 || wanted[0] != '#' || wanted[1] == '\0') return found;
    for (const char *p = wanted + 1; *p; p++) {
        if (*p < '0' || *p > '9' || place >= count) return -1;
        place = 10 * place + (*p - '0');
    }
    return place < count ? place : -1;
}

lstmae_status lstmae_table_find(const lstmae_table *table, const char *name, int64_t *column)
{
    char label[LAE_LABEL_BYTES];
    LAE_CHECK_ARG(table, "table_find");
    LAE_CHECK_ARG(name, "table_find");
    LAE_CHECK_ARG(column, "table_find");
    int64_t place = lae_table_place(name, table->names, table->columns);
    if (place < 0)
        return LAE_FAIL(ERR_NOT_FOUND, "table_find: expected the name of one column, got '%s'",
                        lae_label(label, name, strlen(name)));
    *column = place;
    return LSTMAE_OK;
}

/* ---- what a table says of itself ---- */

int64_t lstmae_table_rows(const lstmae_table *table)
{
    return table ? table->rows : 0;
}

int64_t lstmae_table_columns(const lstmae_table *table)
{
    return table ? table->columns : 0;
}

const float *lstmae_table_values(const lstmae_table *table)
{
    return table ? table->values : NULL;
}

const char *lstmae_table_name(const lstmae_table *table, int64_t column)
{
    return table && column >= 0 && column < table->columns ? table->names[column] : NULL;
}

int64_t lstmae_table_missing(const lstmae_table *table)
{
    return table ? table->missing : 0;
}

int64_t lstmae_table_label_columns(const lstmae_table *table)
{
    return table ? table->labels : 0;
}

const char *lstmae_table_label_name(const lstmae_table *table, int64_t label)
{
    return table && label >= 0 && label < table->labels ? table->names[table->columns + label] : NULL;
}

const char *lstmae_table_label(const lstmae_table *table, int64_t label, int64_t row)
{
    if (!table || label < 0 || label >= table->labels || row < 0 || row >= table->rows) return NULL;
    return table->label[row * table->labels + label];
}

lstmae_status lstmae_rows_part(lstmae_rows *out, lstmae_table *table, double begin, double end)
{
    LAE_CHECK_ARG(out, "rows_part");
    LAE_CHECK_ARG(table, "rows_part");
    LAE_CHECK_ARG(begin >= 0 && begin <= end && end <= 1, "rows_part");
    int64_t first = (int64_t)floor(begin * (double)table->rows), last = (int64_t)floor(end * (double)table->rows);
    *out = (lstmae_rows){ table, first, last - first };
    return LSTMAE_OK;
}

lstmae_status lae_rows_check(const lstmae_rows *parts, int64_t count, int64_t columns, const char *function,
                             int64_t *rows)
{
    *rows = 0;
    LAE_CHECK_ARG(parts && count >= 1, function);
    for (int64_t i = 0; i < count; i++) {
        const lstmae_table *table = parts[i].table;
        int64_t first = parts[i].first, part = parts[i].count;
        LAE_CHECK_ARG(table, function);
        if (table->columns != columns)
            return LAE_FAIL(ERR_SHAPE, "%s: expected tables of %lld columns, got %lld", function, (long long)columns,
                            (long long)table->columns);
        if (first < 0 || part < 0 || first > table->rows || part > table->rows - first || part > INT64_MAX - *rows)
            return LAE_FAIL(ERR_INVALID_ARG, "%s: expected rows among the %lld of part %lld, got %lld from %lld on",
                            function, (long long)table->rows, (long long)i, (long long)part, (long long)first);
        *rows += part;
    }
    return LSTMAE_OK;
}

/* ---- tables from memory and from tables ---- */

static lstmae_status table_names(lstmae_table *table, const char *const *names)
{
    for (int64_t i = 0; i < table->columns; i++) {
        if (names)
            LAE_TRY(lae_table_set_name(table, i, names[i], strlen(names[i])));
        else
            LAE_TRY(lae_table_number_name(table, i, i));
    }
    return LSTMAE_OK;
}

static lstmae_status table_check_values(const float *values, int64_t rows, int64_t columns, int32_t missing)
{
    for (int64_t i = 0; i < rows * columns; i++) {
        if (isfinite(values[i]) || (isnan(values[i]) && missing != LSTMAE_MISSING_REFUSE)) continue;
        return LAE_FAIL(ERR_FORMAT, "table_from_memory: row %lld, column #%lld: expected a finite number, got %s",
                        (long long)(i / columns), (long long)(i % columns), isnan(values[i]) ? "NaN" : "infinity");
    }
    return LSTMAE_OK;
}

lstmae_status lstmae_table_from_memory(lstmae_table **out, lstmae_context *context, const float *values, int64_t rows,
                                       int64_t columns, const char *const *names, int32_t missing)
{
    LAE_CHECK_ARG(out, "table_from_memory");
    *out = NULL;
    LAE_CHECK_ARG(context, "table_from_memory");
    LAE_CHECK_ARG(values, "table_from_memory");
    LAE_CHECK_ARG(missing >= LSTMAE_MISSING_REFUSE && missing <= LSTMAE_MISSING_INTERPOLATE, "table_from_memory");
    if (rows < 1 || columns < 1 || columns > LSTMAE_TABLE_MAX_COLUMNS)
        return LAE_FAIL(ERR_SHAPE, "table_from_memory: expected 1 row or more of 1 to %d columns, got %lld of %lld",
                        LSTMAE_TABLE_MAX_COLUMNS, (long long)rows, (long long)columns);
    for (int64_t i = 0; names && i < columns; i++) LAE_CHECK_ARG(names[i], "table_from_memory");
    lstmae_table *table = NULL;
    LAE_TRY(lae_table_create(&table, context, "table_from_memory", rows, columns, 0));
    lstmae_status status;
    LAE_TRY_DONE(table_check_values(values, rows, columns, missing));
    LAE_TRY_DONE(table_names(table, names));
    memcpy(table->values, values, table->values_bytes);
    LAE_TRY_DONE(lae_table_fill(table, "table_from_memory", missing));
    *out = table;
    return LSTMAE_OK;
done:
    lstmae_table_destroy(table);
    return status;
}

static lstmae_status table_select_columns(lstmae_table *table, const lstmae_table *from, const int64_t *columns)
{
    for (int64_t i = 0; i < table->columns; i++)
        LAE_TRY(lae_table_set_name(table, i, from->names[columns[i]], strlen(from->names[columns[i]])));
    for (int64_t i = 0; i < table->labels; i++) {
        const char *name = from->names[from->columns + i];
        LAE_TRY(lae_table_set_name(table, table->columns + i, name, strlen(name)));
    }
    float *out = table->values;
    for (int64_t row = 0; row < table->rows; row++)
        for (int64_t i = 0; i < table->columns; i++) *out++ = from->values[row * from->columns + columns[i]];
    return LSTMAE_OK;
}

/* Labels lie in the texts of the other table, which are shared; names are added to them. */
lstmae_status lstmae_table_select(lstmae_table **out, const lstmae_table *table, const int64_t *columns,
                                  int64_t column_count)
{
    LAE_CHECK_ARG(out, "table_select");
    *out = NULL;
    LAE_CHECK_ARG(table, "table_select");
    LAE_CHECK_ARG(columns, "table_select");
    LAE_CHECK_ARG(column_count >= 1 && column_count <= LSTMAE_TABLE_MAX_COLUMNS, "table_select");
    for (int64_t i = 0; i < column_count; i++)
        if (columns[i] < 0 || columns[i] >= table->columns)
            return LAE_FAIL(ERR_INVALID_ARG, "table_select: expected columns in [0,%lld), got %lld",
                            (long long)table->columns, (long long)columns[i]);
    lstmae_table *chosen = NULL;
    LAE_TRY(lae_table_create(&chosen, table->context, "table_select", table->rows, column_count, table->labels));
    lae_texts_release(chosen->texts);
    chosen->texts = lae_texts_retain(table->texts);
    if (table->label_bytes > 0) memcpy(chosen->label, table->label, table->label_bytes);
    lstmae_status status = table_select_columns(chosen, table, columns);
    if (status == LSTMAE_OK)
        *out = chosen;
    else
        lstmae_table_destroy(chosen);
    return status;
}

/* ---- tables from files ---- */

lstmae_status lae_table_check_delimiter(int32_t delimiter, uint32_t flags)
{
    int known = delimiter == '\t' || (delimiter >= 32 && delimiter < 127 && delimiter != '"');
    int number = known && (strchr("0123456789+-eE", delimiter) ||
                           delimiter == (flags & LSTMAE_TABLE_DECIMAL_COMMA ? ',' : '.'));
    if (known && !number) return LSTMAE_OK;
    return LAE_FAIL(ERR_INVALID_ARG, "table: expected a delimiter in ASCII that is no part of numbers, got %d",
                    (int)delimiter);
}

static lstmae_status table_check_list(const char *const *names, int64_t count)
{
    LAE_CHECK_ARG(names ? count >= 0 && count <= LSTMAE_TABLE_MAX_COLUMNS : count == 0, "table");
    for (int64_t i = 0; i < count; i++) LAE_CHECK_ARG(names[i], "table");
    return LSTMAE_OK;
}

static lstmae_status table_options(lstmae_table_options *o, const lstmae_table_options *options)
{
    static const lstmae_table_options defaults = LSTMAE_TABLE_OPTIONS_INIT;
    const uint32_t header = LSTMAE_TABLE_HEADER | LSTMAE_TABLE_NO_HEADER;
    const uint32_t known = header | LSTMAE_TABLE_NO_LABELS | LSTMAE_TABLE_DECIMAL_COMMA;
    LAE_TRY(lae_options_read(o, &defaults, sizeof *o, options, sizeof *o, "table options"));
    if (o->flags & ~known) return LAE_FAIL(ERR_UNSUPPORTED, "table: unknown flags 0x%x", o->flags & ~known);
    LAE_CHECK_ARG((o->flags & header) != header, "table");
    LAE_CHECK_ARG(o->missing >= LSTMAE_MISSING_REFUSE && o->missing <= LSTMAE_MISSING_INTERPOLATE, "table");
    LAE_CHECK_ARG(o->skip_lines >= 0, "table");
    if (o->delimiter != LSTMAE_DELIMITER_AUTO) LAE_TRY(lae_table_check_delimiter(o->delimiter, o->flags));
    LAE_TRY(table_check_list(o->columns, o->column_count));
    return table_check_list(o->labels, o->label_count);
}

/* Closes the source. */
static lstmae_status table_read(lstmae_table **out, lstmae_context *context, lae_source *source,
                                const lstmae_table_options *options)
{
    unsigned char front = 0;
    size_t got = 0;
    lstmae_status status = lae_source_read(source, &front, 1, &got);
    if (status == LSTMAE_OK && got == 0)
        status = LAE_FAIL(ERR_FORMAT, "%s: expected CSV, .npy or gzip, got nothing", source->name);
    if (status == LSTMAE_OK) status = lae_source_rewind(source);
    if (status == LSTMAE_OK)
        status = (front == 0x93 ? lae_table_read_npy : lae_table_read_csv)(out, context, source, options);
    lae_source_close(source);
    return status;
}

lstmae_status lstmae_table_open(lstmae_table **out, lstmae_context *context, const char *path,
                                const lstmae_table_options *options)
{
    lstmae_table_options o;
    lae_source source;
    LAE_CHECK_ARG(out, "table_open");
    *out = NULL;
    LAE_CHECK_ARG(context, "table_open");
    LAE_CHECK_ARG(path, "table_open");
    LAE_TRY(table_options(&o, options));
    LAE_TRY(lae_source_open(&source, path, lae_context_memory(context)));
    return table_read(out, context, &source, &o);
}

lstmae_status lstmae_table_parse(lstmae_table **out, lstmae_context *context, const void *content, size_t bytes,
                                 const lstmae_table_options *options)
{
    lstmae_table_options o;
    lae_source source;
    LAE_CHECK_ARG(out, "table_parse");
    *out = NULL;
    LAE_CHECK_ARG(context, "table_parse");
    LAE_CHECK_ARG(content || bytes == 0, "table_parse");
    LAE_TRY(table_options(&o, options));
    LAE_TRY(lae_source_memory(&source, "table_parse", content, bytes, lae_context_memory(context)));
    return table_read(out, context, &source, &o);
}
