/**
 * @file threshold.h
 * When a score is an alarm. A threshold is fitted to scores of normal operation and may go on learning from a stream.
 * A score is an alarm when it is above the threshold.
 */
#ifndef LSTMAE_THRESHOLD_H
#define LSTMAE_THRESHOLD_H

#include <lstmae/context.h>

LSTMAE_BEGIN_DECLS

typedef enum lstmae_threshold_kind {
    /** factor times the quantile: of n sorted scores that at place q (n - 1), interpolated linearly. */
    LSTMAE_THRESHOLD_QUANTILE = 0,
    /** mean + factor * standard deviation (of n, not n-1). */
    LSTMAE_THRESHOLD_SIGMA = 1,
    /**
     * Peaks over threshold (Siffer et al. 2017, Anomaly Detection in Streams with Extreme Value Theory): a generalised
     * Pareto distribution, fitted by Grimshaw's maximum likelihood to the excesses over the quantile, says which score
     * is passed with probability `risk`. SPOT where it is updated.
     */
    LSTMAE_THRESHOLD_SPOT = 2,
    /**
     * Hundman et al. 2018 (Detecting Spacecraft Anomalies Using LSTMs and Nonparametric Dynamic Thresholding): of
     * mean + z * standard deviation over the last `window` scores, the one that, were the scores above it removed,
     * would lower mean and deviation most for the fewest of them; `prune` removes alarms that hardly stand out. For
     * scores of 0 or more.
     */
    LSTMAE_THRESHOLD_DYNAMIC = 3
} lstmae_threshold_kind;

/**
 * QUANTILE, SIGMA: updates learn too, a quantile from all scores (those above it are what makes it one), SIGMA from
 * those that are no alarms. SPOT and DYNAMIC always learn.
 */
#define LSTMAE_THRESHOLD_ONLINE 1u

typedef struct lstmae_threshold_options {
    uint32_t struct_size;
    uint32_t flags;         /**< LSTMAE_THRESHOLD_ONLINE */
    int32_t kind;           /**< an lstmae_threshold_kind */
    int32_t reserved;
    double quantile;        /**< QUANTILE, SPOT: in [0,1] */
    double factor;          /**< QUANTILE, SIGMA: 0 or more */
    double risk;            /**< SPOT: probability of a score above the threshold, above 0 and below 1 - quantile */
    double prune;           /**< DYNAMIC: least relative step down from alarms to the rest; 0: prunes none */
    double z_low, z_high, z_step; /**< DYNAMIC: the z that are tried, z_low + i * z_step below z_high */
    int64_t window;         /**< the latest scores that are kept: DYNAMIC and QUANTILE ONLINE look at no others, also
                                 when they are fitted; of SPOT, the latest excesses */
    int64_t batch;          /**< DYNAMIC: scores between two evaluations of the rule */
    int64_t memory;         /**< SIGMA ONLINE: forgets exponentially, as if there were so many scores; 0: never */
} lstmae_threshold_options;

#define LSTMAE_THRESHOLD_QUANTILE_INIT \
    { sizeof(lstmae_threshold_options), 0, LSTMAE_THRESHOLD_QUANTILE, 0, 0.99, 1.0, 0, 0, 0, 0, 0, 1000, 0, 0 }
#define LSTMAE_THRESHOLD_SIGMA_INIT \
    { sizeof(lstmae_threshold_options), 0, LSTMAE_THRESHOLD_SIGMA, 0, 0, 3.0, 0, 0, 0, 0, 0, 0, 0, 0 }
#define LSTMAE_THRESHOLD_SPOT_INIT \
    { sizeof(lstmae_threshold_options), 0, LSTMAE_THRESHOLD_SPOT, 0, 0.98, 0, 1e-4, 0, 0, 0, 0, 1000, 0, 0 }
#define LSTMAE_THRESHOLD_DYNAMIC_INIT \
    { sizeof(lstmae_threshold_options), 0, LSTMAE_THRESHOLD_DYNAMIC, 0, 0, 0, 0, 0.13, 2.5, 12.0, 0.5, 2100, 70, 0 }

/** Takes all memory it needs, but for fitting. NULL options: QUANTILE. ERR_INVALID_ARG, ERR_NO_MEMORY. */
LSTMAE_API lstmae_status lstmae_threshold_create(lstmae_threshold **out, lstmae_context *context,
                                                 const lstmae_threshold_options *options);
LSTMAE_API void lstmae_threshold_destroy(lstmae_threshold *threshold); /**< NULL is fine */

/**
 * Fits to `count` scores, forgetting what was before. DYNAMIC keeps the last `window` of them.
 * @return OK; ERR_NUMERIC for scores that are not finite; ERR_INVALID_ARG, also where SPOT finds fewer than 10
 *         excesses; ERR_NO_MEMORY (for a copy of the scores). After an error the threshold is as it was
 */
LSTMAE_API lstmae_status lstmae_threshold_fit(lstmae_threshold *threshold, const float *scores, int64_t count);

/** The threshold now; NaN before it was fitted, and for NULL. */
LSTMAE_API double lstmae_threshold_value(const lstmae_threshold *threshold);

/**
 * The next score of a stream. Allocates nothing, and takes time of the order of `window` at most: of all kinds SPOT's
 * fit takes longest, below a microsecond for each excess that is kept.
 *
 * SPOT learns from every score that is no alarm, DYNAMIC from all, and evaluates its rule anew after each `batch`.
 * @return 1: an alarm; 0: none; ERR_STATE before it was fitted, except DYNAMIC, which begins without alarms;
 *         ERR_NUMERIC for a score that is not finite, with nothing changed; ERR_INVALID_ARG
 */
LSTMAE_API lstmae_status lstmae_threshold_update(lstmae_threshold *threshold, double score);

/**
 * Marks the alarms among the scores of a recording: alarms[i] becomes 1 or 0.
 *
 * All but DYNAMIC compare with the threshold as it is, and learn nothing. DYNAMIC needs no fit: it evaluates its rule
 * over the first `window` scores, prunes, and marks what is left; then likewise for each further `batch` of them, over
 * the window that ends with it.
 * @return OK; ERR_STATE before it was fitted; ERR_NUMERIC; ERR_INVALID_ARG
 */
LSTMAE_API lstmae_status lstmae_threshold_apply(lstmae_threshold *threshold, const float *scores, int64_t count,
                                                unsigned char *alarms);

/**
 * The state as numbers, to be kept with a model. Setting checks that it comes from a threshold of the same kind and
 * sizes: ERR_STATE, ERR_SHAPE or ERR_FORMAT, with nothing changed.
 */
LSTMAE_API int64_t lstmae_threshold_state_count(const lstmae_threshold *threshold);
LSTMAE_API lstmae_status lstmae_threshold_get_state(const lstmae_threshold *threshold, double *state, int64_t count);
LSTMAE_API lstmae_status lstmae_threshold_set_state(lstmae_threshold *threshold, const double *state, int64_t count);

LSTMAE_END_DECLS

#endif
