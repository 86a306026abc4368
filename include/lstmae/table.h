/**
 * @file table.h
 * Tables of numbers: columns of sensor readings from CSV and .npy files or from memory, one row per moment.
 *
 * A table is [rows, columns] of finite float32 values, row-major, beside texts that label its rows. Once made it does
 * not change. Files are untrusted; docs/formats.md says what is accepted, and how much memory reading takes.
 */
#ifndef LSTMAE_TABLE_H
#define LSTMAE_TABLE_H

#include <lstmae/context.h>

LSTMAE_BEGIN_DECLS

/** What becomes of a value that is missing: of a cell that is empty or says NA, or of a NaN. */
typedef enum lstmae_missing {
    LSTMAE_MISSING_REFUSE = 0,     /**< ERR_FORMAT, naming its place */
    LSTMAE_MISSING_HOLD = 1,       /**< the value before it in its column; at the beginning the first that comes */
    LSTMAE_MISSING_INTERPOLATE = 2 /**< on a line between its neighbours, by row; at either end the nearest value */
} lstmae_missing;

#define LSTMAE_TABLE_HEADER 1u        /**< CSV: the first line holds names; without either flag this is found out */
#define LSTMAE_TABLE_NO_HEADER 2u     /**< CSV: it holds values */
#define LSTMAE_TABLE_NO_LABELS 4u     /**< columns of texts are passed over */
#define LSTMAE_TABLE_DECIMAL_COMMA 8u /**< CSV: numbers are written 1,5 */

/** Most columns of values or of labels that can be asked for. */
#define LSTMAE_TABLE_MAX_COLUMNS 65536

/** Delimiters beside one character: found out from the first lines; and any run of blanks. */
#define LSTMAE_DELIMITER_AUTO 0
#define LSTMAE_DELIMITER_BLANKS 32

/**
 * Columns are asked for by their names, or as "#0", "#1", ... by their places in the file; a column that is called
 * "#1" is found by its name first.
 */
typedef struct lstmae_table_options {
    uint32_t struct_size;
    uint32_t flags;               /**< LSTMAE_TABLE_... */
    const char *const *columns;   /**< columns of values, in this order; NULL: all of numbers that are no labels */
    int64_t column_count;
    const char *const *labels;    /**< columns kept as texts; NULL: those of texts. A CSV file alone has them */
    int64_t label_count;
    const char *missing_text;     /**< CSV: one more text that means a missing value, such as "-999"; NULL: none */
    int32_t missing;              /**< an lstmae_missing */
    int32_t delimiter;            /**< CSV: an ASCII character, or one of LSTMAE_DELIMITER_... */
    int64_t skip_lines;           /**< CSV: lines at the beginning that are passed over unread */
} lstmae_table_options;

#define LSTMAE_TABLE_OPTIONS_INIT { sizeof(lstmae_table_options), 0, NULL, 0, NULL, 0, NULL, 0, 0, 0 }

/**
 * Reads a CSV file, or a .npy file of one or two axes, either also compressed by gzip; told apart by content.
 *
 * Beside the table itself (4 bytes a value; for labels 8 bytes each and their texts) reading takes about 2 MiB.
 * @return OK; ERR_NOT_FOUND for a missing file or naming a column; ERR_IO; ERR_FORMAT naming line and column, or the
 *         byte of a .npy file; ERR_SHAPE for a file without values; ERR_UNSUPPORTED for UTF-16, for element types of
 *         .npy files and for gzip in a build without zlib; ERR_NO_MEMORY; ERR_INVALID_ARG
 */
LSTMAE_API lstmae_status lstmae_table_open(lstmae_table **out, lstmae_context *context, const char *path,
                                           const lstmae_table_options *options);

/** The same for the content of such a file, `bytes` bytes in memory, which are read during the call alone. */
LSTMAE_API lstmae_status lstmae_table_parse(lstmae_table **out, lstmae_context *context, const void *content,
                                            size_t bytes, const lstmae_table_options *options);

/**
 * Copies rows * columns values.
 * @param names of the columns; NULL: "0", "1", ...
 * @param missing an lstmae_missing, for values that are NaN
 * @return OK; ERR_SHAPE unless there are 1 row and 1 column or more and all fits in memory; ERR_FORMAT naming row and
 *         column of a value that is infinite, or missing and refused; ERR_NO_MEMORY; ERR_INVALID_ARG
 */
LSTMAE_API lstmae_status lstmae_table_from_memory(lstmae_table **out, lstmae_context *context, const float *values,
                                                  int64_t rows, int64_t columns, const char *const *names,
                                                  int32_t missing);

/**
 * A table of some columns of another, in the order of `columns`; its labels come along.
 * @return OK; ERR_INVALID_ARG for a column that is not there; ERR_NO_MEMORY
 */
LSTMAE_API lstmae_status lstmae_table_select(lstmae_table **out, const lstmae_table *table, const int64_t *columns,
                                             int64_t column_count);

/** Gives up one reference; data sets hold their own. NULL is fine. */
LSTMAE_API void lstmae_table_destroy(lstmae_table *table);

LSTMAE_API int64_t lstmae_table_rows(const lstmae_table *table);    /**< 0 for NULL */
LSTMAE_API int64_t lstmae_table_columns(const lstmae_table *table); /**< 0 for NULL */

/** The values [rows, columns], borrowed as long as the table lives; NULL for NULL. */
LSTMAE_API const float *lstmae_table_values(const lstmae_table *table);

/** Name of a column, borrowed; without a header its place in the file, "0"; NULL out of range. */
LSTMAE_API const char *lstmae_table_name(const lstmae_table *table, int64_t column);

/** Finds a column by name, or by "#" and its number in the table; ERR_NOT_FOUND, ERR_INVALID_ARG. */
LSTMAE_API lstmae_status lstmae_table_find(const lstmae_table *table, const char *name, int64_t *column);

/** Values that were missing and are filled in. */
LSTMAE_API int64_t lstmae_table_missing(const lstmae_table *table);

/** Columns of labels; the name of one, and its text for a row; borrowed, NULL out of range. */
LSTMAE_API int64_t lstmae_table_label_columns(const lstmae_table *table);
LSTMAE_API const char *lstmae_table_label_name(const lstmae_table *table, int64_t label);
LSTMAE_API const char *lstmae_table_label(const lstmae_table *table, int64_t label, int64_t row);

/** Rows [first, first+count) of a table: a recording, or a part of one. */
typedef struct lstmae_rows {
    lstmae_table *table; /**< borrowed */
    int64_t first;
    int64_t count;
} lstmae_rows;

/**
 * The part of a table's rows from the share `begin` to the share `end`, both in [0,1]: rows floor(begin * rows) to
 * before floor(end * rows). Parts that share a boundary touch without overlapping: how a recording is split in time
 * into rows for training, validation and test.
 * @return OK, also for a part without rows; ERR_INVALID_ARG
 */
LSTMAE_API lstmae_status lstmae_rows_part(lstmae_rows *out, lstmae_table *table, double begin, double end);

/**
 * Reads one line of CSV, for samples that arrive one by one. Allocates nothing.
 *
 * The rules are those of files, with the delimiter given: a missing value becomes NaN. A line end is not needed.
 * @param delimiter an ASCII character or LSTMAE_DELIMITER_BLANKS
 * @param flags     LSTMAE_TABLE_DECIMAL_COMMA or 0
 * @param places    which of the line's cells are wanted, counted from 0 and in ascending order; NULL: the first `count`
 * @param values    receives `count` values, NaN where the line is too short
 * @return the number of cells in the line, 0 for an empty one; ERR_FORMAT naming the column; ERR_INVALID_ARG
 */
LSTMAE_API lstmae_status lstmae_csv_line(const char *line, int32_t delimiter, uint32_t flags, const int64_t *places,
                                         int64_t count, float *values);

LSTMAE_END_DECLS

#endif
