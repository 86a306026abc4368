/**
 * @file scaler.h
 * Scaling of columns, fitted on the rows it is given and on no others: y = (x - center) / spread for each column,
 * computed in double and rounded once.
 *
 * A scaler belongs to one thread at a time; transforming alone may be done from several.
 */
#ifndef LSTMAE_SCALER_H
#define LSTMAE_SCALER_H

#include <lstmae/table.h>

LSTMAE_BEGIN_DECLS

typedef enum lstmae_scaling {
    LSTMAE_SCALING_STANDARD = 0, /**< center: mean; spread: standard deviation (of n, not n-1) */
    LSTMAE_SCALING_MINMAX = 1,   /**< the least value becomes `low`, the largest `high` */
    LSTMAE_SCALING_ROBUST = 2    /**< center: median; spread: between the quartiles, interpolated linearly */
} lstmae_scaling;

typedef struct lstmae_scaler_options {
    uint32_t struct_size;
    uint32_t flags;   /**< 0 */
    int32_t kind;     /**< an lstmae_scaling */
    int32_t reserved;
    double low, high; /**< MINMAX: low < high */
    int64_t memory;   /**< STANDARD: updates forget exponentially, as if there were at most so many rows; 0: never */
} lstmae_scaler_options;

#define LSTMAE_SCALER_OPTIONS_INIT { sizeof(lstmae_scaler_options), 0, LSTMAE_SCALING_STANDARD, 0, 0.0, 1.0, 0 }

/** A scaler of `columns` columns that changes nothing until it is fitted. ERR_INVALID_ARG, ERR_NO_MEMORY. */
LSTMAE_API lstmae_status lstmae_scaler_create(lstmae_scaler **out, lstmae_context *context, int64_t columns,
                                              const lstmae_scaler_options *options);
LSTMAE_API void lstmae_scaler_destroy(lstmae_scaler *scaler); /**< NULL is fine */

/**
 * Fits to the rows of one or several recordings together, forgetting what was before. A column that is constant there
 * has spread 1 (for MINMAX: it becomes `low`), so it becomes one constant and nothing is divided by zero.
 * @return OK; ERR_SHAPE for a table of another number of columns, or no rows; ERR_NO_MEMORY (ROBUST takes memory for
 *         one column); ERR_INVALID_ARG. After an error the scaler is as it was
 */
LSTMAE_API lstmae_status lstmae_scaler_fit(lstmae_scaler *scaler, const lstmae_rows *parts, int64_t count);

/**
 * Takes `rows` more rows [rows, columns] into account, as if they had been there when it was fitted; a scaler that was
 * not fitted begins with them. Allocates nothing.
 * @return OK; ERR_UNSUPPORTED for ROBUST, whose median needs all rows at once; ERR_NUMERIC for a value that is not
 *         finite, with nothing changed; ERR_INVALID_ARG
 */
LSTMAE_API lstmae_status lstmae_scaler_update(lstmae_scaler *scaler, const float *values, int64_t rows);

/** Scales [rows, columns], and back. `out` may be `values`. ERR_INVALID_ARG. */
LSTMAE_API lstmae_status lstmae_scaler_transform(const lstmae_scaler *scaler, const float *values, int64_t rows,
                                                 float *out);
LSTMAE_API lstmae_status lstmae_scaler_inverse(const lstmae_scaler *scaler, const float *values, int64_t rows,
                                               float *out);

LSTMAE_API int64_t lstmae_scaler_columns(const lstmae_scaler *scaler);                /**< 0 for NULL */
LSTMAE_API double lstmae_scaler_center(const lstmae_scaler *scaler, int64_t column); /**< 0 out of range */
LSTMAE_API double lstmae_scaler_spread(const lstmae_scaler *scaler, int64_t column); /**< 1 out of range */

/**
 * The state as numbers, to be kept with a model (lstmae_checkpoint.arrays). Setting checks that it comes from a scaler
 * of the same kind and columns: ERR_STATE, ERR_SHAPE or ERR_FORMAT, with nothing changed.
 */
LSTMAE_API int64_t lstmae_scaler_state_count(const lstmae_scaler *scaler);
LSTMAE_API lstmae_status lstmae_scaler_get_state(const lstmae_scaler *scaler, double *state, int64_t count);
LSTMAE_API lstmae_status lstmae_scaler_set_state(lstmae_scaler *scaler, const double *state, int64_t count);

LSTMAE_END_DECLS

#endif
