/**
 * @file detection.h
 * How good alarms and scores are where the truth is known. Truth and alarms are arrays of 0 and 1 (anything else), one
 * per moment; an event is a longest run of 1.
 */
#ifndef LSTMAE_DETECTION_H
#define LSTMAE_DETECTION_H

#include <lstmae/context.h>

LSTMAE_BEGIN_DECLS

/** Precision TP / (TP + FP), recall TP / (TP + FN), and their harmonic mean 2 TP / (2 TP + FP + FN); 0/0 is 0. */
typedef struct lstmae_f1 {
    double precision, recall, f1;
} lstmae_f1;

/** Counts of one or several recordings, and the measures they make. */
typedef struct lstmae_detection {
    uint32_t struct_size;
    uint32_t reserved;
    int64_t true_positives, false_positives, true_negatives, false_negatives; /**< moments */
    int64_t adjusted_true_positives; /**< with every moment of an event counted as found when one of them is */
    int64_t events, found_events;    /**< of the truth; those with an alarm inside */
    int64_t false_events;            /**< of the alarms: those that touch no event of the truth */
    int64_t delay_sum, delay_max;    /**< moments from the beginning of each found event to its first alarm */
    lstmae_f1 point;                 /**< of moments */
    lstmae_f1 adjusted;              /**< of moments with whole events found or missed (Xu et al. 2018) */
    lstmae_f1 event;                 /**< of events: found, missed, false */
    double false_alarm_rate;         /**< FP / (FP + TN) */
    double missed_alarm_rate;        /**< FN / (FN + TP) */
    double mean_delay;               /**< over found events; 0 without any */
} lstmae_detection;

#define LSTMAE_DETECTION_INIT                                                              \
    {                                                                                      \
        sizeof(lstmae_detection), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, { 0, 0, 0 }, { 0, 0, 0 }, \
        { 0, 0, 0 }, 0, 0, 0                                                               \
    }

/**
 * Adds a recording's counts to `detection` and computes the measures of all so far: start from the INIT value. Events
 * do not continue from one recording to the next. ERR_INVALID_ARG.
 */
LSTMAE_API lstmae_status lstmae_detection_add(lstmae_detection *detection, const unsigned char *truth,
                                              const unsigned char *alarms, int64_t count);

/** How well scores alone rank moments of events above others, whatever the threshold. */
typedef struct lstmae_ranking {
    uint32_t struct_size;
    uint32_t reserved;
    double auc_roc;        /**< probability that a moment of an event has the larger score, ties counting half */
    double auc_pr;         /**< average precision: sum of (R_n - R_(n-1)) P_n over the distinct scores, from the top */
    double best_f1;        /**< the largest F1 of moments that any threshold gives: it knows the truth */
    double best_threshold; /**< an alarm is a score of this or more; the largest such threshold */
} lstmae_ranking;

#define LSTMAE_RANKING_INIT { sizeof(lstmae_ranking), 0, 0, 0, 0, 0 }

/**
 * Measures scores against the truth, in n log n time.
 * @return OK; ERR_NUMERIC for a score that is NaN, or where the truth has moments of one kind alone; ERR_NO_MEMORY;
 *         ERR_INVALID_ARG
 */
LSTMAE_API lstmae_status lstmae_ranking_measure(lstmae_ranking *out, lstmae_context *context,
                                                const unsigned char *truth, const float *scores, int64_t count);

LSTMAE_END_DECLS

#endif
