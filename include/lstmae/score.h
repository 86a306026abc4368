/**
 * @file score.h
 * From what a model gives back to a score for every moment: errors, their distribution, overlapping windows, smoothing.
 * Larger scores are stranger. Arrays are the caller's, in host memory and row-major; sums are taken in double.
 */
#ifndef LSTMAE_SCORE_H
#define LSTMAE_SCORE_H

#include <lstmae/context.h>

LSTMAE_BEGIN_DECLS

/** Error of a value x that was expected to be y. */
typedef enum lstmae_error {
    LSTMAE_ERROR_ABSOLUTE = 0, /**< |x - y| */
    LSTMAE_ERROR_SQUARED = 1,  /**< (x - y)^2 */
    LSTMAE_ERROR_SIGNED = 2    /**< x - y */
} lstmae_error;

/** errors[i] is the error of x[i] against y[i]; it may be either of them. ERR_INVALID_ARG. */
LSTMAE_API lstmae_status lstmae_errors(int32_t kind, const float *x, const float *y, int64_t count, float *errors);

/** scores[r] is the mean of the errors [rows, channels] of row r: each channel contributes its share. */
LSTMAE_API lstmae_status lstmae_error_scores(const float *errors, int64_t rows, int64_t channels, float *scores);

/* ---- the distribution of errors ---- */

typedef enum lstmae_gaussian_score {
    LSTMAE_GAUSSIAN_MAHALANOBIS = 0, /**< d = sqrt((e - mu)' S^-1 (e - mu)) */
    LSTMAE_GAUSSIAN_DENSITY = 1      /**< -log N(e; mu, S) = (d^2 + log det S + D log 2 pi) / 2 */
} lstmae_gaussian_score;

typedef struct lstmae_gaussian_options {
    uint32_t struct_size;
    uint32_t flags;        /**< 0 */
    double regularisation; /**< r of 0 or more: S = C + r t I, where C is the covariance and t its mean variance */
    int64_t memory;        /**< updates forget exponentially, as if there were at most so many errors; 0: never */
} lstmae_gaussian_options;

#define LSTMAE_GAUSSIAN_OPTIONS_INIT { sizeof(lstmae_gaussian_options), 0, 1e-6, 0 }

/**
 * A normal distribution N(mu, S) of error vectors of `channels` (1 to 4096) elements, by which new ones are scored
 * (Malhotra et al. 2016, LSTM-based Encoder-Decoder for Multi-sensor Anomaly Detection). mu and C are those of maximum
 * likelihood: sums over n errors divided by n.
 * @return OK; ERR_INVALID_ARG; ERR_NO_MEMORY
 */
LSTMAE_API lstmae_status lstmae_gaussian_create(lstmae_gaussian **out, lstmae_context *context, int64_t channels,
                                                const lstmae_gaussian_options *options);
LSTMAE_API void lstmae_gaussian_destroy(lstmae_gaussian *gaussian); /**< NULL is fine */

/**
 * Fits to errors [rows, channels], forgetting what was before; update adds to them instead. Neither allocates; each
 * costs channels^3/6 multiplications beside rows * channels^2.
 * @return OK; ERR_NUMERIC where an error is not finite, or S is not positive definite because some do not vary and
 *         there is no regularisation, or none vary; after any error the distribution is as it was
 */
LSTMAE_API lstmae_status lstmae_gaussian_fit(lstmae_gaussian *gaussian, const float *errors, int64_t rows);
LSTMAE_API lstmae_status lstmae_gaussian_update(lstmae_gaussian *gaussian, const float *errors, int64_t rows);

/**
 * Scores errors [rows, channels]. Allocates nothing.
 * @param kind          an lstmae_gaussian_score
 * @param scores        receives [rows]
 * @param contributions receives [rows, channels], channel j's part (e - mu)_j (S^-1 (e - mu))_j of d^2, whose sum over
 *                      channels is d^2; it can be negative where channels are correlated. NULL: not wanted
 * @return OK; ERR_STATE before it was fitted; ERR_INVALID_ARG
 */
LSTMAE_API lstmae_status lstmae_gaussian_score_errors(lstmae_gaussian *gaussian, int32_t kind, const float *errors,
                                                      int64_t rows, float *scores, float *contributions);

/** The state as numbers, to be kept with a model; setting checks: ERR_SHAPE or ERR_FORMAT, with nothing changed. */
LSTMAE_API int64_t lstmae_gaussian_state_count(const lstmae_gaussian *gaussian);
LSTMAE_API lstmae_status lstmae_gaussian_get_state(const lstmae_gaussian *gaussian, double *state, int64_t count);
LSTMAE_API lstmae_status lstmae_gaussian_set_state(lstmae_gaussian *gaussian, const double *state, int64_t count);

/* ---- overlapping windows ---- */

/** What a moment's value is, of those it has in all windows that contain it. */
typedef enum lstmae_point_rule {
    LSTMAE_POINT_MEAN = 0,
    LSTMAE_POINT_MEDIAN = 1, /**< of an even number: the mean of the two in the middle */
    LSTMAE_POINT_LAST = 2,   /**< of the first window that contains it, where it stands last: what a stream knows when
                                  the moment comes */
    LSTMAE_POINT_MAX = 3
} lstmae_point_rule;

typedef struct lstmae_points_options {
    uint32_t struct_size;
    uint32_t flags;    /**< 0 */
    int32_t rule;      /**< an lstmae_point_rule */
    int32_t reserved;
    int64_t length;    /**< rows of a window */
    int64_t stride;    /**< rows from the beginning of one to that of the next, 1 to length */
    int64_t channels;  /**< values of a row */
} lstmae_points_options;

#define LSTMAE_POINTS_OPTIONS_INIT { sizeof(lstmae_points_options), 0, LSTMAE_POINT_MEAN, 0, 1, 1, 1 }

/**
 * Joins the windows of one recording, pushed in order, to values of its rows: errors of channels or scores.
 * @return OK; ERR_INVALID_ARG; ERR_SHAPE where it does not fit; ERR_NO_MEMORY
 */
LSTMAE_API lstmae_status lstmae_points_create(lstmae_points **out, lstmae_context *context,
                                              const lstmae_points_options *options);
LSTMAE_API void lstmae_points_destroy(lstmae_points *points); /**< NULL is fine */

/**
 * Takes the next window. No later one contains its first `stride` rows: they are done. Allocates nothing.
 * @param window     [length, channels], row t at window + t * row_stride; 0: channels
 * @param rows       receives [stride, channels]: after n windows these are rows (n-1) * stride and following
 * @return OK; ERR_INVALID_ARG
 */
LSTMAE_API lstmae_status lstmae_points_push(lstmae_points *points, const float *window, int64_t row_stride,
                                            float *rows);

/**
 * The remaining rows of the recording; the next push begins another one.
 * @param rows receives [length - stride, channels]; may be NULL where that is empty
 * @return OK; ERR_STATE where no window was pushed; ERR_INVALID_ARG
 */
LSTMAE_API lstmae_status lstmae_points_finish(lstmae_points *points, float *rows);

/** All of one recording: windows [count, length, channels] become rows [(count - 1) * stride + length, channels]. */
LSTMAE_API lstmae_status lstmae_points_join(lstmae_context *context, const lstmae_points_options *options,
                                            const float *windows, int64_t count, float *rows);

/* ---- smoothing ---- */

/** Without it the first value is the first average, as in pandas with adjust=False; with it, adjust=True. */
#define LSTMAE_EWMA_ADJUST 1u

/**
 * Exponentially weighted moving average of x_0, x_1, ...: plain data that may be copied.
 *
 *   plain   y_0 = x_0, y_t = (1 - alpha) y_(t-1) + alpha x_t
 *   ADJUST  y_t = sum of (1 - alpha)^i x_(t-i) / sum of (1 - alpha)^i, i from 0 to t
 *
 * A span of n samples is alpha = 2 / (n + 1).
 */
typedef struct lstmae_ewma {
    uint32_t struct_size;
    uint32_t flags; /**< LSTMAE_EWMA_ADJUST */
    double alpha;   /**< above 0, at most 1 */
    double value;   /**< y_t */
    double weight;  /**< the sum that divides; 0: before the first value */
} lstmae_ewma;

#define LSTMAE_EWMA_INIT { sizeof(lstmae_ewma), 0, 0.3, 0.0, 0.0 }

/** The next average. One of a value that is not finite is NaN, and leaves the state as it was; so does misuse. */
LSTMAE_API double lstmae_ewma_update(lstmae_ewma *ewma, double value);

LSTMAE_END_DECLS

#endif
