#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/report.h"
#include "../common/signals.h"
#include "columns.h"
#include "commands.h"
#include "lines.h"
#include "modelfile.h"

typedef struct watch {
    ts_model model;
    ts_columns columns;
    ts_lines lines;
    int missing;
    float *raw, *before; /* [columns] the sample, and the one before */
    float *window;       /* [T,columns] the latest samples as the network sees them */
    float *given;        /* [T,columns] */
    int64_t rows, alarms, alarm_rows;
    int alarmed; /* the row before was an alarm */
} watch;

static int watch_open(watch *w, lstmae_context *context, const ts_settings *s)
{
    if (ts_model_open(&w->model, context, s, s->from) != 0) return -1;
    if (!w->model.trained) return ex_fail("%s: its training was stopped; train --resume %s goes on", s->from, s->from);
    size_t C = (size_t)w->model.count, T = (size_t)w->model.network.window;
    w->raw = malloc(C * sizeof *w->raw);
    w->before = calloc(C, sizeof *w->before);
    w->window = malloc(T * C * sizeof *w->window);
    w->given = malloc(T * C * sizeof *w->given);
    if (!w->raw || !w->before || !w->window || !w->given)
        return ex_fail("out of memory for %lld columns", (long long)w->model.count);
    w->missing = s->missing;
    ts_lines_open(&w->lines, STDIN_FILENO);
    ts_detector_restart(&w->model.detector);
    int32_t delimiter;
    if (ts_settings_delimiter(s, &delimiter) != 0) return -1;
    return ts_columns_create(&w->columns, (const char *const *)w->model.names, w->model.count, delimiter);
}

static void watch_close(watch *w)
{
    ts_columns_destroy(&w->columns);
    ts_lines_close(&w->lines);
    ts_model_destroy(&w->model);
    free(w->raw);
    free(w->before);
    free(w->window);
    free(w->given);
}

/* What is missing in the sample is held, or refused. */
static int watch_fill(watch *w)
{
    for (int64_t c = 0; c < w->model.count; c++) {
        if (isfinite(w->raw[c])) continue;
        if (w->missing == LSTMAE_MISSING_REFUSE || w->rows == 0)
            return ex_fail("standard input: line %lld: column '%s' has no value", w->lines.number, w->model.names[c]);
        w->raw[c] = w->before[c];
    }
    return 0;
}

/* Puts the sample, as the network sees it, at the end of the window. */
static int watch_push(watch *w)
{
    const ts_detector *d = &w->model.detector;
    int64_t C = w->model.count, T = w->model.network.window;
    int64_t at = w->rows < T ? w->rows : T - 1;
    float *row = w->window + at * C;
    if (w->rows >= T) memmove(w->window, w->window + C, (size_t)((T - 1) * C) * sizeof *row);
    for (int64_t c = 0; c < C; c++) row[c] = d->drift[c] == 0 ? w->raw[c] : w->rows == 0 ? 0 : w->raw[c] - w->before[c];
    memcpy(w->before, w->raw, (size_t)C * sizeof *w->raw);
    w->rows++;
    return ex_status(lstmae_scaler_transform(d->scaler, row, 1, row));
}

/* A line at the beginning of each alarm. */
static void watch_judge(watch *w, int64_t row, double score)
{
    const ts_detector *d = &w->model.detector;
    double threshold = lstmae_threshold_value(d->threshold);
    int alarm = score > threshold;
    w->alarm_rows += alarm;
    if (alarm && !w->alarmed) {
        w->alarms++;
        printf("alarm row=%lld score=%.4g threshold=%.4g column=%s\n", (long long)row, score, threshold,
               w->model.names[ts_detector_blame(d->parts, d->channels)]);
        fflush(stdout);
    }
    w->alarmed = alarm;
}

/* The errors of the latest row; of all rows in the first window, before which nothing can be said. */
static int watch_look(watch *w)
{
    int64_t C = w->model.count, T = w->model.network.window;
    if (w->rows < T) return 0;
    if (ts_network_reconstruct(&w->model.network, w->window, 1, w->given) != 0) return -1;
    EX_TRY(lstmae_errors(LSTMAE_ERROR_SIGNED, w->window, w->given, T * C, w->given));
    for (int64_t t = w->rows == T ? 0 : T - 1; t < T; t++) {
        float score;
        if (ts_detector_next(&w->model.detector, w->given + t * C, &score) != 0) return -1;
        watch_judge(w, w->rows - T + t, score);
    }
    return 0;
}

static int watch_run(watch *w)
{
    char *line;
    int more;
    while ((more = ts_lines_next(&w->lines, &line)) > 0) {
        int sample = ts_columns_read(&w->columns, line, w->lines.number, w->raw);
        if (sample < 0) return -1;
        if (sample == 0) continue;
        if (watch_fill(w) != 0 || watch_push(w) != 0 || watch_look(w) != 0) return -1;
    }
    if (more < 0) return -1;
    printf("result: rows=%lld alarms=%lld alarm_rows=%lld\n", (long long)w->rows, (long long)w->alarms,
           (long long)w->alarm_rows);
    return ex_signals_caught();
}

int ts_command_watch(lstmae_context *context, ts_settings *s)
{
    watch w;
    memset(&w, 0, sizeof w);
    int result = watch_open(&w, context, s);
    if (result == 0) result = watch_run(&w);
    watch_close(&w);
    return result;
}
