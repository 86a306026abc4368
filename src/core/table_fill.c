/* Missing values: HOLD and INTERPOLATE. One pass over the rows; for each column it knows the last row with a value. */
#include "table_internal.h"

#include <math.h>
#include <string.h>

/* Fills rows (before, row) of a column, both of which have values; before may be -1. */
static void fill_gap(const lstmae_table *table, int64_t column, int64_t before, int64_t row, int32_t missing)
{
    float *values = table->values + column;
    int64_t stride = table->columns;
    float right = values[row * stride], left = before < 0 ? right : values[before * stride];
    for (int64_t r = before + 1; r < row; r++) {
        double share = missing == LSTMAE_MISSING_HOLD ? 0.0 : (double)(r - before) / (double)(row - before);
        values[r * stride] = (float)((1.0 - share) * (double)left + share * (double)right);
    }
}

/* Fills what follows the last value of a column. */
static lstmae_status fill_end(const lstmae_table *table, const char *name, int64_t column, int64_t before)
{
    char label[LAE_LABEL_BYTES];
    if (before < 0)
        return LAE_FAIL(ERR_FORMAT, "%s: column '%s': expected a value in one row or more, got none", name,
                        lae_label(label, table->names[column], strlen(table->names[column])));
    for (int64_t r = before + 1; r < table->rows; r++)
        table->values[r * table->columns + column] = table->values[before * table->columns + column];
    return LSTMAE_OK;
}

static lstmae_status fill_columns(lstmae_table *table, const char *name, int32_t missing, int64_t *last)
{
    const float *value = table->values;
    for (int64_t column = 0; column < table->columns; column++) last[column] = -1;
    for (int64_t row = 0; row < table->rows; row++) {
        for (int64_t column = 0; column < table->columns; column++, value++) {
            if (isnan(*value)) continue;
            if (last[column] < row - 1) fill_gap(table, column, last[column], row, missing);
            last[column] = row;
        }
    }
    for (int64_t column = 0; column < table->columns; column++)
        LAE_TRY(fill_end(table, name, column, last[column]));
    return LSTMAE_OK;
}

lstmae_status lae_table_fill(lstmae_table *table, const char *name, int32_t missing)
{
    lae_memory *memory = lae_context_memory(table->context);
    for (int64_t i = 0; i < table->rows * table->columns; i++) table->missing += isnan(table->values[i]) != 0;
    if (table->missing == 0) return LSTMAE_OK;
    size_t bytes = (size_t)table->columns * sizeof(int64_t);
    int64_t *last = lae_alloc(memory, bytes);
    if (!last) return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for %zu bytes", name, bytes);
    lstmae_status status = fill_columns(table, name, missing, last);
    lae_free(memory, last, bytes);
    return status;
}
