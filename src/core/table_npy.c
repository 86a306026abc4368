/* Tables from .npy files of one axis [rows] or two [rows, columns], read in blocks and in the order of the file. */
#include "array.h"
#include "size.h"
#include "table_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the largest element, times elements of a block: 1 MiB, and half of it again as float32. */
#define NPY_BLOCK 131072

typedef struct npy_reader {
    lae_source *source;
    const lstmae_table_options *options;
    lae_array array;
    int64_t rows, columns; /* of the file */
    int32_t *slot;         /* [columns]: place in the table, or -1 */
    unsigned char *bytes;  /* of a block */
    float *block;
    lstmae_table *table;
} npy_reader;

static lstmae_status npy_shape(npy_reader *reader)
{
    const lae_array *array = &reader->array;
    const char *name = reader->source->name;
    if (array->ndim != 1 && array->ndim != 2)
        return LAE_FAIL(ERR_SHAPE, "%s: expected 1 or 2 axes, got %d", name, array->ndim);
    reader->rows = array->dim[0];
    reader->columns = array->ndim == 2 ? array->dim[1] : 1;
    if (reader->rows < 1 || reader->columns < 1)
        return LAE_FAIL(ERR_SHAPE, "%s: expected 1 row and 1 column or more, got %lld and %lld", name,
                        (long long)reader->rows, (long long)reader->columns);
    if (reader->options->column_count == 0 && reader->columns > LSTMAE_TABLE_MAX_COLUMNS)
        return LAE_FAIL(ERR_SHAPE, "%s: expected at most %d columns, got %lld", name, LSTMAE_TABLE_MAX_COLUMNS,
                        (long long)reader->columns);
    return LSTMAE_OK;
}

/* Header, and for compressed files, whose length is not known, all of the content once. */
static lstmae_status npy_measure(npy_reader *reader)
{
    lae_source *source = reader->source;
    unsigned char *prefix = reader->bytes;
    size_t got = 0;
    LAE_TRY(lae_source_read(source, prefix, LAE_ARRAY_PREFIX, &got));
    uint64_t content = got;
    LAE_TRY(lae_npy_parse(&reader->array, source->name, prefix, got));
    LAE_TRY(npy_shape(reader));
    uint64_t expected = (uint64_t)reader->array.offset + reader->array.bytes;
    if (!source->gzip) return lae_array_check_size(&reader->array, source->name, source->size);
    while (got > 0 && content <= expected) {
        LAE_TRY(lae_source_read(source, prefix, NPY_BLOCK * sizeof(double), &got));
        content += got;
    }
    return lae_array_check_size(&reader->array, source->name, content);
}

static lstmae_status npy_columns(npy_reader *reader, lstmae_context *context)
{
    const lstmae_table_options *o = reader->options;
    const char *name = reader->source->name;
    char label[LAE_LABEL_BYTES];
    int64_t count = o->columns ? o->column_count : reader->columns;
    if (o->label_count > 0) return LAE_FAIL(ERR_INVALID_ARG, "%s: expected no labels of a .npy file", name);
    if (count == 0) return LAE_FAIL(ERR_SHAPE, "%s: expected 1 column or more to be asked for, got none", name);
    reader->slot = lae_alloc(lae_context_memory(context), (size_t)reader->columns * sizeof *reader->slot);
    if (!reader->slot) return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for its columns", name);
    for (int64_t i = 0; i < reader->columns; i++) reader->slot[i] = -1;
    LAE_TRY(lae_table_create(&reader->table, context, name, reader->rows, count, 0));
    for (int64_t i = 0; i < count; i++) {
        int64_t place = o->columns ? lae_table_place(o->columns[i], NULL, reader->columns) : i;
        if (place < 0)
            return LAE_FAIL(ERR_NOT_FOUND, "%s: expected a column of '#0' to '#%lld', got '%s'", name,
                            (long long)reader->columns - 1, lae_label(label, o->columns[i], strlen(o->columns[i])));
        if (reader->slot[place] != -1)
            return LAE_FAIL(ERR_INVALID_ARG, "%s: expected each column once, got '#%lld' again", name,
                            (long long)place);
        reader->slot[place] = (int32_t)i;
        LAE_TRY(lae_table_number_name(reader->table, i, place));
    }
    return LSTMAE_OK;
}

/* Element `at` of the file. */
static lstmae_status npy_store(const npy_reader *reader, int64_t at, float value)
{
    int64_t row = reader->array.fortran ? at % reader->rows : at / reader->columns;
    int64_t column = reader->array.fortran ? at / reader->rows : at % reader->columns;
    if (reader->slot[column] < 0) return LSTMAE_OK;
    if (!isfinite(value) && (!isnan(value) || reader->options->missing == LSTMAE_MISSING_REFUSE))
        return LAE_FAIL(ERR_FORMAT, "%s: row %lld, column #%lld: expected a finite number, got %s",
                        reader->source->name, (long long)row, (long long)column,
                        isnan(value) ? "NaN" : "one beyond float32's range");
    reader->table->values[row * reader->table->columns + reader->slot[column]] = value;
    return LSTMAE_OK;
}

static lstmae_status npy_read_values(npy_reader *reader)
{
    lae_source *source = reader->source;
    int64_t count = reader->rows * reader->columns;
    size_t width = lae_element_size(reader->array.element), got = 0;
    LAE_TRY(lae_source_rewind(source));
    LAE_TRY(lae_source_read(source, reader->bytes, reader->array.offset, &got));
    lstmae_status changed = got == reader->array.offset ? LSTMAE_OK : LSTMAE_ERR_IO;
    for (int64_t at = 0; at < count && changed == LSTMAE_OK;) {
        int64_t part = count - at < NPY_BLOCK ? count - at : NPY_BLOCK;
        LAE_TRY(lae_source_read(source, reader->bytes, (size_t)part * width, &got));
        if (got != (size_t)part * width) {
            changed = LSTMAE_ERR_IO;
            break;
        }
        lae_array flat = { .element = reader->array.element, .big = reader->array.big, .ndim = 2, .dim = { 1, part } };
        lae_items items;
        lae_items_layout(&items, &flat, reader->bytes, 0, 1.0);
        lae_items_read(&items, 0, reader->block);
        for (int64_t i = 0; i < part; i++) LAE_TRY(npy_store(reader, at + i, reader->block[i]));
        at += part;
    }
    if (changed < 0) return LAE_FAIL(ERR_IO, "%s: the file changed while it was read", source->name);
    return lae_table_fill(reader->table, source->name, reader->options->missing);
}

lstmae_status lae_table_read_npy(lstmae_table **out, lstmae_context *context, lae_source *source,
                                 const lstmae_table_options *options)
{
    lae_memory *memory = lae_context_memory(context);
    const size_t bytes = NPY_BLOCK * sizeof(double), block_bytes = NPY_BLOCK * sizeof(float);
    npy_reader reader = { .source = source, .options = options };
    reader.bytes = lae_alloc(memory, bytes);
    reader.block = lae_alloc(memory, block_bytes);
    lstmae_status status;
    if (!reader.bytes || !reader.block) {
        status = LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for %zu bytes", source->name, bytes + block_bytes);
        goto done;
    }
    LAE_TRY_DONE(npy_measure(&reader));
    LAE_TRY_DONE(npy_columns(&reader, context));
    LAE_TRY_DONE(npy_read_values(&reader));
    *out = reader.table;
    reader.table = NULL;
done:
    lstmae_table_destroy(reader.table);
    lae_free(memory, reader.slot, (size_t)reader.columns * sizeof *reader.slot);
    lae_free(memory, reader.block, block_bytes);
    lae_free(memory, reader.bytes, bytes);
    return status;
}
