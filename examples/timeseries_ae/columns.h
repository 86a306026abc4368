/* Which cells of a line of CSV are a model's columns: found in a header, or in the order of the model's. */
#ifndef TS_COLUMNS_H
#define TS_COLUMNS_H

#include <stdint.h>

typedef struct ts_columns {
    const char *const *names; /* [count], borrowed */
    int64_t count;
    int32_t delimiter;
    int known;       /* the first line was seen */
    int64_t *places; /* [count] of the cells, ascending; NULL: the first ones */
    int64_t *order;  /* [count] which column each of them is */
    float *cells;    /* [count] */
} ts_columns;

/** @param delimiter the library's number; LSTMAE_DELIMITER_AUTO: found out from the first line */
int ts_columns_create(ts_columns *columns, const char *const *names, int64_t count, int32_t delimiter);
void ts_columns_destroy(ts_columns *columns);

/**
 * The sample in a line, values [count] in the model's order, NaN where a cell is empty.
 * Returns 1; 0 where the line is a header or empty; -1 after a message.
 */
int ts_columns_read(ts_columns *columns, char *line, long long number, float *values);

#endif
