#include "detector.h"

#include <stdlib.h>
#include <string.h>

#include "../common/report.h"

#define DETECTOR_BLOCK 64 /* windows that go through the network at once */

static lstmae_threshold_options detector_threshold(const ts_settings *s)
{
    static const lstmae_threshold_options defaults[] = {LSTMAE_THRESHOLD_QUANTILE_INIT, LSTMAE_THRESHOLD_SIGMA_INIT,
                                                        LSTMAE_THRESHOLD_SPOT_INIT};
    lstmae_threshold_options options = defaults[s->threshold];
    if (options.kind != LSTMAE_THRESHOLD_SIGMA) options.quantile = s->quantile;
    if (options.kind == LSTMAE_THRESHOLD_SPOT)
        options.risk = 0.01 * (1 - s->quantile);
    else
        options.factor = s->factor;
    return options;
}

int ts_detector_create(ts_detector *d, lstmae_context *context, const ts_settings *s, int64_t channels)
{
    lstmae_scaler_options scaler = LSTMAE_SCALER_OPTIONS_INIT;
    const lstmae_threshold_options threshold = detector_threshold(s);
    memset(d, 0, sizeof *d);
    d->channels = channels;
    d->smoothing = s->smoothing;
    d->drift = calloc((size_t)channels, sizeof *d->drift);
    d->averages = calloc((size_t)channels, sizeof *d->averages);
    d->smoothed = calloc((size_t)channels, sizeof *d->smoothed);
    d->parts = calloc((size_t)channels, sizeof *d->parts);
    if (d->drift == NULL || d->averages == NULL || d->smoothed == NULL || d->parts == NULL)
        return ex_fail("out of memory for %lld columns", (long long)channels);
    scaler.kind = s->scaling;
    EX_TRY(lstmae_scaler_create(&d->scaler, context, channels, &scaler));
    EX_TRY(lstmae_gaussian_create(&d->gaussian, context, channels, NULL));
    return ex_status(lstmae_threshold_create(&d->threshold, context, &threshold));
}

void ts_detector_destroy(ts_detector *d)
{
    lstmae_threshold_destroy(d->threshold);
    lstmae_gaussian_destroy(d->gaussian);
    lstmae_scaler_destroy(d->scaler);
    free(d->drift);
    free(d->averages);
    free(d->smoothed);
    free(d->parts);
    memset(d, 0, sizeof *d);
}

/* ---- errors ---- */

static int scores_create(ts_scores *s, int64_t rows, int64_t channels)
{
    size_t count = (size_t)(rows * channels);
    memset(s, 0, sizeof *s);
    s->rows = rows;
    s->channels = channels;
    s->scaled = malloc(count * sizeof(float));
    s->errors = malloc(count * sizeof(float));
    s->parts = calloc(count, sizeof(float));
    s->scores = calloc((size_t)rows, sizeof(float));
    s->alarms = calloc((size_t)rows, 1);
    if (s->scaled && s->errors && s->parts && s->scores && s->alarms) return 0;
    return ex_fail("out of memory for %lld rows", (long long)rows);
}

void ts_scores_free(ts_scores *s)
{
    free(s->scaled);
    free(s->errors);
    free(s->parts);
    free(s->scores);
    free(s->alarms);
    memset(s, 0, sizeof *s);
}

/* Pushes windows [first,last) of the recording through network and `points`; the last block reaches back. */
static int detector_windows(ts_network *n, lstmae_points *points, ts_scores *s, float *given, int64_t block)
{
    int64_t T = n->window, C = n->channels, windows = s->rows - T + 1;
    for (int64_t done = 0; done < windows;) {
        int64_t first = done + block <= windows ? done : windows - block;
        if (ts_network_reconstruct(n, s->scaled + first * C, block, given) != 0) return -1;
        for (int64_t w = done; w < first + block; w++) {
            float *window = given + (w - first) * T * C;
            EX_TRY(lstmae_errors(LSTMAE_ERROR_SIGNED, s->scaled + w * C, window, T * C, window));
            EX_TRY(lstmae_points_push(points, window, 0, s->errors + w * C));
        }
        done = first + block;
    }
    return ex_status(lstmae_points_finish(points, s->errors + windows * C));
}

int ts_detector_errors(const ts_detector *d, ts_network *n, const float *rows, int64_t count, ts_scores *out)
{
    lstmae_points_options options = LSTMAE_POINTS_OPTIONS_INIT;
    lstmae_points *points = NULL;
    int64_t windows = count - n->window + 1, block = windows < DETECTOR_BLOCK ? windows : DETECTOR_BLOCK;
    memset(out, 0, sizeof *out);
    if (windows < 1)
        return ex_fail("expected at least one window of %lld rows, got %lld rows", (long long)n->window,
                       (long long)count);
    if (scores_create(out, count, d->channels) != 0) return -1;
    EX_TRY(lstmae_scaler_transform(d->scaler, rows, count, out->scaled));
    float *given = malloc((size_t)(block * n->window * d->channels) * sizeof *given);
    if (given == NULL) return ex_fail("out of memory for %lld windows", (long long)block);
    options.rule = LSTMAE_POINT_LAST;
    options.length = n->window;
    options.channels = d->channels;
    int result = ex_status(lstmae_points_create(&points, n->context, &options));
    if (result == 0) result = detector_windows(n, points, out, given, block);
    lstmae_points_destroy(points);
    free(given);
    return result;
}

/* ---- scores ---- */

/* The average begins at zero, where the errors of normal rows lie. */
void ts_detector_restart(ts_detector *d)
{
    const lstmae_ewma fresh = LSTMAE_EWMA_INIT;
    for (int64_t c = 0; c < d->channels; c++) {
        d->averages[c] = fresh;
        d->averages[c].alpha = 1 - d->smoothing;
        d->averages[c].weight = 1;
    }
}

static void detector_smooth(ts_detector *d, const float *errors)
{
    for (int64_t c = 0; c < d->channels; c++) d->smoothed[c] = (float)lstmae_ewma_update(&d->averages[c], errors[c]);
}

int ts_detector_next(ts_detector *d, const float *errors, float *score)
{
    detector_smooth(d, errors);
    return ex_status(
        lstmae_gaussian_score_errors(d->gaussian, LSTMAE_GAUSSIAN_MAHALANOBIS, d->smoothed, 1, score, d->parts));
}

/* Rows at the beginning that the fit leaves out: the average's memory, at most a quarter of all. */
static int64_t detector_warm_up(const ts_detector *d, int64_t rows)
{
    double memory = 1 / (1 - d->smoothing);
    return memory < (double)rows / 4 ? (int64_t)memory : rows / 4;
}

int ts_detector_fit(ts_detector *d, ts_scores *s, int64_t rows)
{
    int64_t C = d->channels, first = detector_warm_up(d, rows);
    float *smoothed = malloc((size_t)(rows * C) * sizeof *smoothed);
    if (smoothed == NULL) return ex_fail("out of memory for %lld rows", (long long)rows);
    ts_detector_restart(d);
    for (int64_t r = 0; r < rows; r++) {
        detector_smooth(d, s->errors + r * C);
        memcpy(smoothed + r * C, d->smoothed, (size_t)C * sizeof *smoothed);
    }
    int result = ex_status(lstmae_gaussian_fit(d->gaussian, smoothed + first * C, rows - first));
    free(smoothed);
    if (result == 0) result = ts_detector_score(d, s);
    if (result == 0) result = ex_status(lstmae_threshold_fit(d->threshold, s->scores + first, rows - first));
    return result;
}

int ts_detector_score(ts_detector *d, ts_scores *s)
{
    ts_detector_restart(d);
    double threshold = lstmae_threshold_value(d->threshold);
    for (int64_t r = 0; r < s->rows; r++) {
        if (ts_detector_next(d, s->errors + r * d->channels, &s->scores[r]) != 0) return -1;
        memcpy(s->parts + r * d->channels, d->parts, (size_t)d->channels * sizeof *d->parts);
        s->alarms[r] = s->scores[r] > threshold;
    }
    return 0;
}

int64_t ts_detector_blame(const float *parts, int64_t channels)
{
    int64_t most = 0;
    for (int64_t c = 1; c < channels; c++)
        if (parts[c] > parts[most]) most = c;
    return most;
}
