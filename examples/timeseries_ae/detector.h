/*
 * From what a network gives back to scores and alarms:
 *
 *   e_t = x_t - y_t of the window that ends with row t, channel by channel and with its sign
 *   s_t = smoothing s_(t-1) + (1 - smoothing) e_t, from zeros
 *   score_t = Mahalanobis distance of s_t from those of normal rows; an alarm is a score above the threshold
 *
 * Smoothing errors before their signs are lost finds small shifts that last: a multivariate EWMA chart (Lowry, Woodall,
 * Champ and Rigdon, Technometrics 34, 1992) of the errors. Large ones are found at once.
 */
#ifndef TS_DETECTOR_H
#define TS_DETECTOR_H

#include "network.h"

typedef struct ts_detector {
    int64_t channels;
    double smoothing;
    double *drift; /* [channels] not 0: the network sees differences */
    lstmae_scaler *scaler;
    lstmae_gaussian *gaussian;
    lstmae_threshold *threshold;
    lstmae_ewma *averages;   /* [channels] */
    float *smoothed, *parts; /* [channels] of the latest row */
} ts_detector;

/** A recording through network and detector. Rows are all of the recording's. */
typedef struct ts_scores {
    int64_t rows, channels;
    float *scaled;         /* [rows,channels] as the network sees them */
    float *errors;         /* [rows,channels] scaled - given back */
    float *scores;         /* [rows] */
    float *parts;          /* [rows,channels] of the square of the score */
    unsigned char *alarms; /* [rows] */
} ts_scores;

int ts_detector_create(ts_detector *detector, lstmae_context *context, const ts_settings *settings, int64_t channels);
void ts_detector_destroy(ts_detector *detector);

/** Errors of all rows [rows,channels], which are prepared but not scaled. Scores and alarms are zeros yet. */
int ts_detector_errors(const ts_detector *detector, ts_network *network, const float *rows, int64_t count,
                       ts_scores *out);

/** Fits to the first `rows` rows, which are normal, but for those in which the average is still new. */
int ts_detector_fit(ts_detector *detector, ts_scores *scores, int64_t rows);

/** Scores and alarms of all rows, from their errors. */
int ts_detector_score(ts_detector *detector, ts_scores *scores);

/** The same for a stream: forgets the rows before, and takes the errors [channels] of the next one. */
void ts_detector_restart(ts_detector *detector);
int ts_detector_next(ts_detector *detector, const float *errors, float *score);

/** The channel that contributes most to a score, by its parts [channels]. */
int64_t ts_detector_blame(const float *parts, int64_t channels);

void ts_scores_free(ts_scores *scores);

#endif
