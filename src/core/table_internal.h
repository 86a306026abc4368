/* Inside of a table, and what its readers share. */
#ifndef LAE_TABLE_INTERNAL_H
#define LAE_TABLE_INTERNAL_H

#include "source.h"
#include "texts.h"

#include <lstmae/table.h>

struct lstmae_table {
    atomic_int references;
    lstmae_context *context; /* retained */
    int64_t rows, columns, labels;
    int64_t missing;
    float *values;           /* [rows, columns] */
    const char **names;      /* [columns + labels], in texts */
    const char **label;      /* [rows, labels], in texts */
    size_t values_bytes, names_bytes, label_bytes;
    lae_texts *texts;
};

/**
 * A table with room for everything: values undefined, names and labels NULL.
 * @param name for messages
 * @return OK; ERR_SHAPE where it does not fit in memory; ERR_NO_MEMORY
 */
lstmae_status lae_table_create(lstmae_table **out, lstmae_context *context, const char *name, int64_t rows,
                               int64_t columns, int64_t labels);
lstmae_table *lae_table_retain(lstmae_table *table);

/** Copies a name of column or, behind the columns, of labels; ERR_NO_MEMORY. */
lstmae_status lae_table_set_name(lstmae_table *table, int64_t column, const char *name, size_t bytes);

/** The same with the number `place` as a name. */
lstmae_status lae_table_number_name(lstmae_table *table, int64_t column, int64_t place);

/**
 * Fills in the values that are NaN by HOLD or INTERPOLATE and counts them.
 * @return OK; ERR_FORMAT for a column without any value; ERR_NO_MEMORY
 */
lstmae_status lae_table_fill(lstmae_table *table, const char *name, int32_t missing);

/**
 * Finds what a user calls a column: a name among `names` (NULL: there are none), or "#" and a place below `count`.
 * @return its place; -1: there is none; -2: several have the name
 */
int64_t lae_table_place(const char *wanted, const char *const *names, int64_t count);

/**
 * Checks `count` parts of recordings, one or more, and sums their rows.
 * @return OK; ERR_SHAPE for a table of other than `columns` columns; ERR_INVALID_ARG for rows that are not there
 */
lstmae_status lae_rows_check(const lstmae_rows *parts, int64_t count, int64_t columns, const char *function,
                             int64_t *rows);

/** ERR_INVALID_ARG for what cannot stand between numbers. */
lstmae_status lae_table_check_delimiter(int32_t delimiter, uint32_t flags);

/** The readers. Options were checked. */
lstmae_status lae_table_read_csv(lstmae_table **out, lstmae_context *context, lae_source *source,
                                 const lstmae_table_options *options);
lstmae_status lae_table_read_npy(lstmae_table **out, lstmae_context *context, lae_source *source,
                                 const lstmae_table_options *options);

#endif
