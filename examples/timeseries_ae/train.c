#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/device.h"
#include "../common/files.h"
#include "../common/report.h"
#include "../common/signals.h"
#include "commands.h"
#include "own.h"
#include "results.h"
#include "training.h"

typedef struct train_run {
    ts_series series;
    ts_model model;
    ts_scores scores;
    int64_t rows;            /* that are trained on */
    int own;                 /* the series is ours */
    char path[EX_PATH_SIZE]; /* of the model file */
} train_run;

/* A new series of our own is written down, for the other commands to be tried on. */
static int train_own(train_run *run, lstmae_context *context, const ts_settings *s)
{
    char path[EX_PATH_SIZE];
    run->own = 1;
    if (ts_own_series(&run->series, context, (uint64_t)s->seed) != 0) return -1;
    if (ex_path(path, sizeof path, s->out, "series.csv") != 0 || ts_own_save(&run->series, path) != 0) return -1;
    printf("wrote %s\n", path);
    return 0;
}

static int train_names(ts_model *model, lstmae_context *context, const ts_settings *s, const ts_series *series)
{
    const char **names = malloc((size_t)series->columns * sizeof *names);
    if (names == NULL) return ex_fail("out of memory for %lld columns", (long long)series->columns);
    for (int64_t c = 0; c < series->columns; c++) names[c] = lstmae_table_name(series->table, c);
    int result = ts_model_create(model, context, s, names, series->columns);
    free(names);
    return result;
}

static int train_open(train_run *run, lstmae_context *context, ts_settings *s)
{
    int resumed = s->resume[0] != '\0';
    if (resumed && ts_model_open(&run->model, context, s, s->resume) != 0) return -1;
    if (resumed && run->model.trained) return ex_fail("%s: its training is done", s->resume);
    int result = s->data[0] == '\0' ? train_own(run, context, s)
                                    : ts_series_open(&run->series, context, s->data, s,
                                                     (const char *const *)run->model.names, run->model.count);
    if (result != 0) return result;
    run->rows = s->rows > 0 ? s->rows : run->own ? TS_OWN_NORMAL : run->series.rows;
    if (run->rows > run->series.rows)
        return ex_fail("--rows: the file has %lld rows, got %lld", (long long)run->series.rows, (long long)run->rows);
    if (!resumed) {
        if (train_names(&run->model, context, s, &run->series) != 0) return -1;
        ts_series_drift(&run->series, run->rows, s->drift, run->model.detector.drift);
    }
    if (ex_path(run->path, sizeof run->path, s->out, TS_MODEL_FILE) != 0) return -1;
    return ts_series_prepare(&run->series, context, run->model.detector.drift);
}

static void train_describe(const train_run *run, const ts_settings *s, lstmae_context *context)
{
    char kind[16], device[EX_DEVICE_SIZE];
    int64_t drifting = 0;
    ex_word(TS_KINDS, s->kind, kind, sizeof kind);
    for (int64_t c = 0; c < run->series.columns; c++) drifting += run->model.detector.drift[c] != 0;
    printf("data: %lld rows, the first %lld of them to learn from, %lld columns, %lld as differences\n",
           (long long)run->series.rows, (long long)run->rows, (long long)run->series.columns, (long long)drifting);
    ex_device(context, device, sizeof device);
    printf("model: %s over windows of %lld rows, %lld parameters, on %s\n", kind, (long long)s->window,
           (long long)lstmae_module_param_elements(ts_network_module(&run->model.network)), device);
}

/* Fits the detector, saves, and says what the alarms on all rows are. */
static int train_finish(train_run *run, ts_settings *s, const ts_trained *trained)
{
    ts_detector *d = &run->model.detector;
    int64_t alarms = 0;
    if (ts_detector_errors(d, &run->model.network, lstmae_table_values(run->series.prepared), run->series.rows,
                           &run->scores) != 0 ||
        ts_detector_fit(d, &run->scores, run->rows) != 0 || ts_detector_score(d, &run->scores) != 0)
        return -1;
    run->model.trained = 1;
    if (ts_model_save(&run->model, s, NULL, run->path) != 0) return -1;
    printf("wrote %s\n", run->path);
    for (int64_t r = 0; r < run->rows; r++) alarms += run->scores.alarms[r];
    if (run->own && ts_report_files(&run->series, &run->model, &run->scores, s) != 0) return -1;
    if (run->own && ts_report_truth(&run->series, &run->scores) != 0) return -1;
    printf("result: rows=%lld columns=%lld windows=%lld updates=%lld loss=%.6g held_out=%.6g threshold=%.6g "
           "alarms_in_training=%lld\n",
           (long long)run->rows, (long long)run->series.columns, (long long)trained->windows,
           (long long)trained->updates, trained->loss, trained->best, lstmae_threshold_value(d->threshold),
           (long long)alarms);
    return 0;
}

int ts_command_train(lstmae_context *context, ts_settings *s)
{
    train_run run;
    ts_trained trained;
    memset(&run, 0, sizeof run);
    int result = train_open(&run, context, s);
    if (result == 0) {
        train_describe(&run, s, context);
        result = ts_train(&run.model, run.series.prepared, run.rows, s, stdout, run.path, &trained);
    }
    ex_signals_release();
    if (result == 0) result = train_finish(&run, s, &trained);
    ts_scores_free(&run.scores);
    ts_model_destroy(&run.model);
    ts_series_close(&run.series);
    return result;
}
