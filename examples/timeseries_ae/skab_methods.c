/* What is compared on the benchmark, one recording at a time. */
#include <stdlib.h>
#include <string.h>

#include "../common/report.h"
#include "skab.h"
#include "training.h"

/* The rule of the published results. */
#define RULE_WINDOW 10
#define RULE_QUANTILE 0.99
#define RULE_FACTOR 1.5

/* Chosen on valve1, as our default was: components of the window and factor under the published rule, and components
 * and factor with everything else as in ours. */
#define LINEAR_RULE_CODE 16
#define LINEAR_RULE_FACTOR 1.0
#define LINEAR_OURS_CODE 8
#define LINEAR_OURS_FACTOR 2.0

/* A recording with a model of it that has learnt the normal rows. */
typedef struct skab_run {
    ts_series series;
    ts_model model;
    ts_scores scores;
} skab_run;

static int run_open(skab_run *run, const ts_recording *recording, lstmae_context *context, ts_settings *s)
{
    static const char *const names[] = {"0", "1", "2", "3", "4", "5", "6", "7"};
    lstmae_table *table = NULL;
    ts_trained trained;
    memset(run, 0, sizeof *run);
    EX_TRY(lstmae_table_from_memory(&table, context, recording->values, recording->rows, recording->channels, NULL,
                                    LSTMAE_MISSING_REFUSE));
    ts_series_adopt(&run->series, table, NULL);
    if (ts_model_create(&run->model, context, s, names, recording->channels) != 0) return -1;
    ts_series_drift(&run->series, TS_SKAB_NORMAL, s->drift, run->model.detector.drift);
    if (ts_series_prepare(&run->series, context, run->model.detector.drift) != 0) return -1;
    return ts_train(&run->model, run->series.prepared, TS_SKAB_NORMAL, s, NULL, NULL, &trained);
}

static void run_close(skab_run *run)
{
    ts_scores_free(&run->scores);
    ts_model_destroy(&run->model);
    ts_series_close(&run->series);
}

/* ---- the published rule ---- */

/* The score of a window: its mean absolute error, summed over the channels. */
static int rule_scores(skab_run *run, float *scores, int64_t windows)
{
    int64_t T = RULE_WINDOW, C = run->series.columns;
    const float *rows = lstmae_table_values(run->series.prepared);
    float *scaled = malloc((size_t)(run->series.rows * C) * sizeof *scaled);
    float *given = malloc((size_t)(windows * T * C) * sizeof *given);
    int result = scaled != NULL && given != NULL ? 0 : ex_fail("out of memory for %lld windows", (long long)windows);
    if (result == 0)
        result = ex_status(lstmae_scaler_transform(run->model.detector.scaler, rows, run->series.rows, scaled));
    if (result == 0) result = ts_network_reconstruct(&run->model.network, scaled, windows, given);
    for (int64_t w = 0; w < windows && result == 0; w++) {
        double sum = 0;
        for (int64_t i = 0; i < T * C; i++) {
            double e = (double)scaled[w * C + i] - given[w * T * C + i];
            sum += e < 0 ? -e : e;
        }
        scores[w] = (float)(sum / (double)T);
    }
    free(given);
    free(scaled);
    return result;
}

/* Row i is an alarm where the windows that begin with rows i-9 to i-1 all pass the threshold. */
static void rule_alarms(const float *scores, int64_t windows, double threshold, unsigned char *alarms)
{
    int64_t above = 0; /* windows in a row that pass it, up to the one before row i */
    for (int64_t i = 1; i + RULE_WINDOW <= windows; i++) {
        above = scores[i - 1] > threshold ? above + 1 : 0;
        alarms[i] = above >= RULE_WINDOW - 1;
    }
}

static int rule_apply(skab_run *run, lstmae_context *context, double factor, unsigned char *alarms)
{
    int64_t windows = run->series.rows - RULE_WINDOW + 1;
    lstmae_threshold_options options = LSTMAE_THRESHOLD_QUANTILE_INIT;
    lstmae_threshold *threshold = NULL;
    float *scores = malloc((size_t)windows * sizeof *scores);
    options.quantile = RULE_QUANTILE;
    options.factor = factor;
    int result = scores != NULL ? rule_scores(run, scores, windows) : ex_fail("out of memory");
    if (result == 0) result = ex_status(lstmae_threshold_create(&threshold, context, &options));
    if (result == 0) result = ex_status(lstmae_threshold_fit(threshold, scores, TS_SKAB_NORMAL - RULE_WINDOW + 1));
    if (result == 0) rule_alarms(scores, windows, lstmae_threshold_value(threshold), alarms);
    lstmae_threshold_destroy(threshold);
    free(scores);
    return result;
}

static int rule_run(const ts_recording *recording, lstmae_context *context, ts_settings *s, double factor,
                    unsigned char *alarms)
{
    skab_run run;
    s->window = RULE_WINDOW;
    s->drift = TS_DRIFT_NONE;
    s->scaling = LSTMAE_SCALING_STANDARD;
    int result = run_open(&run, recording, context, s);
    if (result == 0) result = rule_apply(&run, context, factor, alarms);
    run_close(&run);
    return result;
}

int ts_skab_published(const ts_recording *recording, lstmae_context *context, const ts_settings *settings,
                      unsigned char *alarms)
{
    ts_settings s;
    ts_settings_defaults(&s);
    s.seed = settings->seed;
    s.hidden = 100;
    s.code = 0;
    s.loss = LSTMAE_LOSS_MAE;
    s.lr = 1e-3;
    s.epochs = 100;
    s.patience = 5;
    s.keep_best = 0;
    return rule_run(recording, context, &s, RULE_FACTOR, alarms);
}

int ts_skab_linear(const ts_recording *recording, lstmae_context *context, const ts_settings *settings,
                   unsigned char *alarms)
{
    ts_settings s = *settings;
    s.kind = TS_LINEAR;
    s.code = LINEAR_RULE_CODE;
    return rule_run(recording, context, &s, LINEAR_RULE_FACTOR, alarms);
}

/* ---- ours ---- */

int ts_skab_ours(const ts_recording *recording, lstmae_context *context, const ts_settings *settings,
                 unsigned char *alarms)
{
    ts_settings s = *settings;
    skab_run run;
    int result = run_open(&run, recording, context, &s);
    if (result == 0)
        result = ts_detector_errors(&run.model.detector, &run.model.network, lstmae_table_values(run.series.prepared),
                                    run.series.rows, &run.scores);
    if (result == 0) result = ts_detector_fit(&run.model.detector, &run.scores, TS_SKAB_NORMAL);
    if (result == 0) result = ts_detector_score(&run.model.detector, &run.scores);
    if (result == 0) memcpy(alarms, run.scores.alarms, (size_t)recording->rows);
    run_close(&run);
    return result;
}

int ts_skab_linear_ours(const ts_recording *recording, lstmae_context *context, const ts_settings *settings,
                        unsigned char *alarms)
{
    ts_settings s = *settings;
    s.kind = TS_LINEAR;
    s.code = LINEAR_OURS_CODE;
    s.factor = LINEAR_OURS_FACTOR;
    return ts_skab_ours(recording, context, &s, alarms);
}
