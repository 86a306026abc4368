/**
 * @file schedule.h
 * Learning rates over time.
 */
#ifndef LSTMAE_SCHEDULE_H
#define LSTMAE_SCHEDULE_H

#include <lstmae/status.h>

LSTMAE_BEGIN_DECLS

/** In the formulas n is the step counted from the end of the warm-up. */
typedef enum lstmae_schedule_kind {
    LSTMAE_SCHEDULE_CONSTANT = 0,
    LSTMAE_SCHEDULE_STEP = 1,        /**< lr * factor^(n / period), whole part, as torch StepLR */
    LSTMAE_SCHEDULE_EXPONENTIAL = 2, /**< lr * factor^(n / period), real; with STAIRCASE as STEP */
    LSTMAE_SCHEDULE_COSINE = 3,      /**< from lr to min_lr at step `total`, along half a cosine; then min_lr */
    LSTMAE_SCHEDULE_PLATEAU = 4      /**< times factor when the metric has not improved for more than `patience` reports
                                          in a row, as torch ReduceLROnPlateau without cooldown */
} lstmae_schedule_kind;

#define LSTMAE_SCHEDULE_STAIRCASE 1u
#define LSTMAE_SCHEDULE_MAXIMIZE 2u /**< PLATEAU: a larger metric is better */

typedef struct lstmae_schedule_options {
    uint32_t struct_size;
    int32_t kind; /**< lstmae_schedule_kind */
    uint32_t flags;
    int32_t patience;
    double lr;        /**< base rate */
    double min_lr;    /**< never below */
    double factor;    /**< above 0; PLATEAU: below 1 too */
    int64_t period;   /**< steps, at least 1, for STEP and EXPONENTIAL */
    int64_t total;    /**< steps, for COSINE, warm-up included; above warmup */
    int64_t warmup;   /**< step s below it has the rate lr (s + 1) / warmup; any kind */
    double threshold; /**< PLATEAU: improvement that counts, as a part of the best metric's size */
} lstmae_schedule_options;

#define LSTMAE_SCHEDULE_OPTIONS_INIT                                                               \
    { sizeof(lstmae_schedule_options), LSTMAE_SCHEDULE_CONSTANT, 0, 10, 1e-3, 0, 0.1, 1, 1, 0, 1e-4 }

/** @param options NULL for defaults. @return OK; ERR_INVALID_ARG naming the option out of range; ERR_NO_MEMORY */
LSTMAE_API lstmae_status lstmae_schedule_create(lstmae_schedule **out, const lstmae_schedule_options *options);

/** NULL is fine. */
LSTMAE_API void lstmae_schedule_destroy(lstmae_schedule *schedule);

/** Rate for update number `step`, counted from 0 (below 0 counts as 0). NULL gives 0. */
LSTMAE_API double lstmae_schedule_lr(const lstmae_schedule *schedule, int64_t step);

/** Tells PLATEAU the metric of one validation, which is no improvement if NaN; other kinds ignore it. */
LSTMAE_API lstmae_status lstmae_schedule_report(lstmae_schedule *schedule, double metric);

LSTMAE_END_DECLS

#endif
