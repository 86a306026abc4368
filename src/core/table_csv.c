/*
 * Tables from CSV. The text is read twice: first its records are counted, so that memory for exactly the values in
 * them is taken, then they are understood. What a cell holds, and which columns are wanted, is found out before.
 */
#include "csv.h"
#include "number.h"
#include "table_internal.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* What becomes of a column: a value's place in the row; SLOT_SKIP; or a label, SLOT_LABEL - its place. */
#define SLOT_SKIP (-1)
#define SLOT_LABEL (-2)
#define SLOT_UNKNOWN INT32_MIN

/* Records that are looked at to learn what columns hold. */
#define CSV_SAMPLE 1000

typedef struct csv_reader {
    lae_csv csv;
    const lstmae_table_options *options;
    lstmae_context *context;
    char point;
    int header;        /* the first record holds names */
    int64_t fields;    /* of every record */
    int64_t values, labels;
    int32_t *slot;     /* [fields] */
    const char **name; /* [fields] */
    lae_texts *texts;  /* of the names */
    lstmae_table *table;
} csv_reader;

/* ---- cells ---- */

static int csv_equal(const lae_csv_cell *cell, const char *word)
{
    return strlen(word) == cell->bytes && memcmp(word, cell->text, cell->bytes) == 0;
}

/* The same for letters of either case; `word` is in lower case. */
static int csv_equal_fold(const lae_csv_cell *cell, const char *word)
{
    if (strlen(word) != cell->bytes) return 0;
    for (size_t i = 0; i < cell->bytes; i++) {
        char c = cell->text[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c + ('a' - 'A'));
        if (c != word[i]) return 0;
    }
    return 1;
}

static int csv_missing(const csv_reader *reader, const lae_csv_cell *cell)
{
    static const char *const words[] = { "", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "-", "?" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (csv_equal_fold(cell, words[i])) return 1;
    return reader->options->missing_text && csv_equal(cell, reader->options->missing_text);
}

/* 1 if the cell is a number, which may be infinite. */
static int csv_number(const lae_csv_cell *cell, char point, float *value)
{
    return lae_number_read(cell->text, point, value) == cell->text + cell->bytes;
}

static lstmae_status csv_value(const csv_reader *reader, const lae_csv_cell *cell, float *value)
{
    char label[LAE_LABEL_BYTES];
    int number = csv_number(cell, reader->point, value);
    if (reader->options->missing_text && csv_equal(cell, reader->options->missing_text)) number = 0;
    if (number && isfinite(*value)) return LSTMAE_OK;
    lae_label(label, cell->text, cell->bytes);
    if (number)
        return lae_csv_fail(&reader->csv, cell->line, "expected a number in the range of float32, got '%s'", label);
    if (!csv_missing(reader, cell))
        return lae_csv_fail(&reader->csv, cell->line, "expected a number, got '%s'", label);
    if (reader->options->missing == LSTMAE_MISSING_REFUSE)
        return lae_csv_fail(&reader->csv, cell->line, "expected a number, got a missing value '%s'", label);
    *value = NAN;
    return LSTMAE_OK;
}

/* Equal labels in rows that follow each other are kept once. */
static lstmae_status csv_label(const csv_reader *reader, const lae_csv_cell *cell, const char **label,
                               const char *before)
{
    if (before && !cell->escaped && csv_equal(cell, before)) {
        *label = before;
        return LSTMAE_OK;
    }
    char *text = lae_texts_add(reader->table->texts, cell->bytes);
    if (!text)
        return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for a label of %zu bytes", reader->csv.source->name, cell->bytes);
    text[lae_csv_unescape(text, cell)] = '\0';
    *label = text;
    return LSTMAE_OK;
}

static lstmae_status csv_check_width(const csv_reader *reader, int more)
{
    const lae_csv *csv = &reader->csv;
    if (csv->field == reader->fields && !more) return LSTMAE_OK;
    return LAE_FAIL(ERR_FORMAT, "%s: line %lld: expected %lld cells, got %s%lld", csv->source->name,
                    (long long)csv->record_line, (long long)reader->fields, more ? "more than " : "",
                    (long long)csv->field);
}

/* ---- which columns there are, and which are wanted ---- */

/* Goes through the record and hands each cell to `take`, if there is one; LAE_CSV_MORE does not come out. */
typedef lstmae_status (*csv_take_fn)(csv_reader *reader, const lae_csv_cell *cell);

static lstmae_status csv_each(csv_reader *reader, csv_take_fn take)
{
    for (lstmae_status next;;) {
        lae_csv_cell cell;
        next = lae_csv_cell_read(&reader->csv, &cell);
        if (next < 0) return next;
        if (next == LAE_CSV_MORE) {
            LAE_TRY(lae_csv_more(&reader->csv));
            continue;
        }
        if (take) LAE_TRY(take(reader, &cell));
        if (next == LAE_CSV_END) return LSTMAE_OK;
    }
}

/* Of the first record: counts cells, and learns whether they can be names. */
static lstmae_status csv_take_first(csv_reader *reader, const lae_csv_cell *cell)
{
    float value;
    if (reader->csv.field == 1) reader->header = 0;
    if (csv_number(cell, reader->point, &value))
        reader->header = -1;
    else if (reader->header == 0 && !csv_missing(reader, cell))
        reader->header = 1;
    reader->fields = reader->csv.field;
    return LSTMAE_OK;
}

static lstmae_status csv_take_name(csv_reader *reader, const lae_csv_cell *cell)
{
    char *text = lae_texts_add(reader->texts, cell->bytes);
    if (!text) return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for names", reader->csv.source->name);
    text[lae_csv_unescape(text, cell)] = '\0';
    reader->name[reader->csv.field - 1] = text;
    return LSTMAE_OK;
}

/* Of a sample: a number makes a column one of values, another text one of labels. */
static lstmae_status csv_take_kind(csv_reader *reader, const lae_csv_cell *cell)
{
    float value;
    int64_t field = reader->csv.field - 1;
    if (field >= reader->fields) return csv_check_width(reader, 1);
    if (reader->slot[field] != SLOT_UNKNOWN || csv_missing(reader, cell)) return LSTMAE_OK;
    reader->slot[field] = csv_number(cell, reader->point, &value) ? 0 : SLOT_LABEL;
    return LSTMAE_OK;
}

/* Errors found here are not reported: the second reading meets them, or others before them, again. */
static void csv_sample(csv_reader *reader)
{
    for (int64_t i = 0; i < reader->fields; i++) reader->slot[i] = SLOT_UNKNOWN;
    for (int records = 0; records < CSV_SAMPLE && lae_csv_next(&reader->csv) == 1; records++)
        if (csv_each(reader, csv_take_kind) < 0) return;
}

static lstmae_status csv_resolve(const csv_reader *reader, const char *wanted, int64_t *place)
{
    char label[LAE_LABEL_BYTES];
    *place = lae_table_place(wanted, reader->header ? reader->name : NULL, reader->fields);
    if (*place >= 0) return LSTMAE_OK;
    return LAE_FAIL(ERR_NOT_FOUND, "%s: expected one column '%s', got %s", reader->csv.source->name,
                    lae_label(label, wanted, strlen(wanted)), *place == -1 ? "none" : "several");
}

/* Gives the columns asked for their slots, first + step * i. */
static lstmae_status csv_choose(csv_reader *reader, const char *const *wanted, int64_t count, int32_t first,
                                int32_t step)
{
    char label[LAE_LABEL_BYTES];
    for (int64_t i = 0; i < count; i++) {
        int64_t place;
        LAE_TRY(csv_resolve(reader, wanted[i], &place));
        if (reader->slot[place] != SLOT_SKIP)
            return LAE_FAIL(ERR_INVALID_ARG, "%s: expected each column once, got '%s' again", reader->csv.source->name,
                            lae_label(label, wanted[i], strlen(wanted[i])));
        reader->slot[place] = first + step * (int32_t)i;
    }
    return LSTMAE_OK;
}

/* Where nothing was asked for, every column of a kind gets a slot, in the order of the file. */
static lstmae_status csv_choose_all(csv_reader *reader, const unsigned char *text)
{
    const lstmae_table_options *o = reader->options;
    int auto_labels = !o->labels && !(o->flags & LSTMAE_TABLE_NO_LABELS);
    reader->values = o->column_count;
    reader->labels = o->label_count;
    for (int64_t i = 0; i < reader->fields; i++) {
        if (reader->slot[i] != SLOT_SKIP) continue;
        if (text[i] && auto_labels)
            reader->slot[i] = SLOT_LABEL - (int32_t)reader->labels++;
        else if (!text[i] && !o->columns)
            reader->slot[i] = (int32_t)reader->values++;
    }
    if (reader->values >= 1 && reader->values <= LSTMAE_TABLE_MAX_COLUMNS && reader->labels <= LSTMAE_TABLE_MAX_COLUMNS)
        return LSTMAE_OK;
    return LAE_FAIL(ERR_SHAPE, "%s: expected 1 to %d columns of numbers, got %lld, and %lld of texts",
                    reader->csv.source->name, LSTMAE_TABLE_MAX_COLUMNS, (long long)reader->values,
                    (long long)reader->labels);
}

static lstmae_status csv_columns(csv_reader *reader)
{
    const lstmae_table_options *o = reader->options;
    lae_memory *memory = lae_context_memory(reader->context);
    csv_sample(reader);
    unsigned char *text = lae_alloc(memory, (size_t)reader->fields);
    if (!text) return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for its columns", reader->csv.source->name);
    for (int64_t i = 0; i < reader->fields; i++) {
        text[i] = reader->slot[i] == SLOT_LABEL;
        reader->slot[i] = SLOT_SKIP;
    }
    lstmae_status status = csv_choose(reader, o->columns, o->column_count, 0, 1);
    if (status == LSTMAE_OK) status = csv_choose(reader, o->labels, o->label_count, SLOT_LABEL, -1);
    if (status == LSTMAE_OK) status = csv_choose_all(reader, text);
    lae_free(memory, text, (size_t)reader->fields);
    return status;
}

/* Delimiter, header, width, names and slots. Leaves the reader somewhere. */
static lstmae_status csv_understand(csv_reader *reader)
{
    const lstmae_table_options *o = reader->options;
    lae_csv *csv = &reader->csv;
    lae_memory *memory = lae_context_memory(reader->context);
    LAE_TRY(lae_csv_rewind(csv));
    lae_csv_set_delimiter(csv, o->delimiter != LSTMAE_DELIMITER_AUTO ? (char)o->delimiter
                                                                    : lae_csv_guess_delimiter(csv, reader->point));
    lstmae_status status = lae_csv_next(csv);
    if (status < 0) return status;
    if (status == 0) return LAE_FAIL(ERR_SHAPE, "%s: expected records, got none", csv->source->name);
    LAE_TRY(csv_each(reader, csv_take_first));
    reader->header = o->flags & LSTMAE_TABLE_HEADER ? 1 : o->flags & LSTMAE_TABLE_NO_HEADER ? 0 : reader->header > 0;
    reader->slot = lae_calloc(memory, (size_t)reader->fields, sizeof *reader->slot);
    reader->name = lae_calloc(memory, (size_t)reader->fields, sizeof *reader->name);
    if (!reader->slot || !reader->name)
        return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for %lld columns", csv->source->name, (long long)reader->fields);
    LAE_TRY(lae_texts_create(&reader->texts, reader->context));
    LAE_TRY(lae_csv_rewind(csv));
    if (reader->header) {
        LAE_TRY(lae_csv_next(csv));
        LAE_TRY(csv_each(reader, csv_take_name));
        csv->names = reader->name;
        csv->name_count = reader->fields;
    }
    return csv_columns(reader);
}

/* ---- reading ---- */

/* Goes to the first record of values. */
static lstmae_status csv_begin(csv_reader *reader)
{
    LAE_TRY(lae_csv_rewind(&reader->csv));
    if (!reader->header) return LSTMAE_OK;
    LAE_TRY(lae_csv_next(&reader->csv));
    return csv_each(reader, NULL);
}

static lstmae_status csv_make_table(csv_reader *reader)
{
    const char *name = reader->csv.source->name;
    int64_t rows = 0;
    LAE_TRY(csv_begin(reader));
    LAE_TRY(lae_csv_count(&reader->csv, &rows));
    /* A record has a byte for each cell. Where there seem to be more, one of them is not as wide, and is reported. */
    int64_t most = (int64_t)(reader->csv.read / (uint64_t)reader->fields) + 1;
    if (rows > most) rows = most;
    if (rows == 0) return LAE_FAIL(ERR_SHAPE, "%s: expected rows of values, got none", name);
    LAE_TRY(lae_table_create(&reader->table, reader->context, name, rows, reader->values, reader->labels));
    for (int64_t i = 0; i < reader->fields; i++) {
        if (reader->slot[i] == SLOT_SKIP) continue;
        int64_t place = reader->slot[i] >= 0 ? reader->slot[i] : reader->values + SLOT_LABEL - reader->slot[i];
        if (reader->name[i] && reader->name[i][0])
            LAE_TRY(lae_table_set_name(reader->table, place, reader->name[i], strlen(reader->name[i])));
        else
            LAE_TRY(lae_table_number_name(reader->table, place, i));
    }
    return LSTMAE_OK;
}

/* A cell of column `field` that is no plain number before a delimiter. */
static lstmae_status csv_store(const csv_reader *reader, const lae_csv_cell *cell, int64_t field, int64_t row)
{
    const lstmae_table *table = reader->table;
    int32_t slot = reader->slot[field];
    if (slot >= 0) return csv_value(reader, cell, &table->values[row * table->columns + slot]);
    if (slot == SLOT_SKIP) return LSTMAE_OK;
    const char **label = &table->label[row * table->labels + (SLOT_LABEL - slot)];
    return csv_label(reader, cell, label, row > 0 ? label[-table->labels] : NULL);
}

/* The record as a row; LAE_CSV_MORE where it is not whole in the buffer. */
static lstmae_status csv_record(csv_reader *reader, int64_t row)
{
    lae_csv *csv = &reader->csv;
    float *values = reader->table->values + row * reader->table->columns;
    const char delimiter = csv->delimiter == ' ' ? '\0' : csv->delimiter;
    for (;;) {
        int64_t field = csv->field;
        if (field == reader->fields) return csv_check_width(reader, 1);
        int32_t slot = reader->slot[field];
        if (slot >= 0 && delimiter && !reader->options->missing_text) {
            /* the usual cell: a number that ends where the cell does */
            float value;
            const char *end = lae_number_read(csv->at, reader->point, &value);
            if (end && *end == delimiter && fabsf(value) <= FLT_MAX) {
                values[slot] = value;
                csv->at += end + 1 - csv->at;
                csv->field++;
                continue;
            }
        }
        lae_csv_cell cell;
        lstmae_status next = lae_csv_cell_read(csv, &cell);
        if (next < 0 || next == LAE_CSV_MORE) return next;
        LAE_TRY(csv_store(reader, &cell, field, row));
        if (next == LAE_CSV_END) return csv_check_width(reader, 0);
    }
}

static lstmae_status csv_fill_table(csv_reader *reader)
{
    lstmae_status status;
    int64_t row = 0;
    LAE_TRY(csv_begin(reader));
    while ((status = lae_csv_next(&reader->csv)) == 1) {
        if (row == reader->table->rows) break;
        while ((status = csv_record(reader, row)) == LAE_CSV_MORE) LAE_TRY(lae_csv_more(&reader->csv));
        if (status < 0) return status;
        row++;
    }
    if (status < 0) return status;
    if (status == 1 || row < reader->table->rows)
        return LAE_FAIL(ERR_IO, "%s: the file changed while it was read", reader->csv.source->name);
    return lae_table_fill(reader->table, reader->csv.source->name, reader->options->missing);
}

lstmae_status lae_table_read_csv(lstmae_table **out, lstmae_context *context, lae_source *source,
                                 const lstmae_table_options *options)
{
    lae_memory *memory = lae_context_memory(context);
    csv_reader reader = { .options = options, .context = context };
    reader.point = options->flags & LSTMAE_TABLE_DECIMAL_COMMA ? ',' : '.';
    lstmae_status status = lae_csv_open(&reader.csv, source, options->skip_lines);
    if (status == LSTMAE_OK) status = csv_understand(&reader);
    if (status == LSTMAE_OK) status = csv_make_table(&reader);
    if (status == LSTMAE_OK) status = csv_fill_table(&reader);
    lae_csv_close(&reader.csv);
    lae_free(memory, reader.slot, (size_t)reader.fields * sizeof *reader.slot);
    lae_free(memory, reader.name, (size_t)reader.fields * sizeof *reader.name);
    lae_texts_release(reader.texts);
    if (status == LSTMAE_OK)
        *out = reader.table;
    else
        lstmae_table_destroy(reader.table);
    return status;
}

/* ---- single lines ---- */

lstmae_status lstmae_csv_line(const char *line, int32_t delimiter, uint32_t flags, const int64_t *places, int64_t count,
                              float *values)
{
    LAE_CHECK_ARG(line, "csv_line");
    LAE_CHECK_ARG((flags & ~LSTMAE_TABLE_DECIMAL_COMMA) == 0, "csv_line");
    LAE_TRY(lae_table_check_delimiter(delimiter, flags));
    LAE_CHECK_ARG(count >= 0 && count <= LSTMAE_TABLE_MAX_COLUMNS, "csv_line");
    LAE_CHECK_ARG(values || count == 0, "csv_line");
    lae_source source = { .name = "csv_line" };
    lstmae_table_options options = LSTMAE_TABLE_OPTIONS_INIT;
    options.missing = LSTMAE_MISSING_HOLD;
    csv_reader reader = { .options = &options, .point = flags & LSTMAE_TABLE_DECIMAL_COMMA ? ',' : '.' };
    reader.csv.source = &source;
    lae_csv_set_delimiter(&reader.csv, (char)delimiter);
    lae_csv_text(&reader.csv, line);
    for (int64_t i = 0; i < count; i++) {
        LAE_CHECK_ARG(!places || places[i] > (i > 0 ? places[i - 1] : -1), "csv_line");
        values[i] = NAN;
    }
    if (lae_csv_next(&reader.csv) == 0) return 0;
    int64_t taken = 0;
    for (lstmae_status next = LAE_CSV_DELIMITER; next != LAE_CSV_END;) {
        lae_csv_cell cell;
        next = lae_csv_cell_read(&reader.csv, &cell);
        if (next < 0) return next;
        if (taken == count || (places && places[taken] != reader.csv.field - 1)) continue;
        LAE_TRY(csv_value(&reader, &cell, &values[taken++]));
    }
    if (lae_csv_next(&reader.csv) == 1) return LAE_FAIL(ERR_FORMAT, "csv_line: expected one line, got another");
    return (lstmae_status)reader.csv.field;
}
