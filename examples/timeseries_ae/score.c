#include <stdio.h>
#include <string.h>

#include "../common/report.h"
#include "commands.h"
#include "results.h"

static int score_open(ts_series *series, ts_model *model, lstmae_context *context, const ts_settings *s)
{
    if (ts_model_open(model, context, s, s->from) != 0) return -1;
    if (!model->trained) return ex_fail("%s: its training was stopped; train --resume %s goes on", s->from, s->from);
    if (ts_series_open(series, context, s->data, s, (const char *const *)model->names, model->count) != 0) return -1;
    return ts_series_prepare(series, context, model->detector.drift);
}

static int score_run(ts_series *series, ts_model *model, const ts_settings *s)
{
    ts_scores scores;
    int64_t alarms = 0, events = 0;
    int result = ts_detector_errors(&model->detector, &model->network, lstmae_table_values(series->prepared),
                                    series->rows, &scores);
    if (result == 0) result = ts_detector_score(&model->detector, &scores);
    if (result == 0) result = ts_report_files(series, model, &scores, s);
    if (result == 0) result = ts_report_truth(series, &scores);
    for (int64_t r = 0; r < scores.rows && result == 0; r++) {
        alarms += scores.alarms[r];
        events += scores.alarms[r] && (r == 0 || !scores.alarms[r - 1]);
    }
    if (result == 0)
        printf("result: rows=%lld alarms=%lld alarm_rows=%lld threshold=%.6g\n", (long long)scores.rows,
               (long long)events, (long long)alarms, lstmae_threshold_value(model->detector.threshold));
    ts_scores_free(&scores);
    return result;
}

int ts_command_score(lstmae_context *context, ts_settings *s)
{
    ts_series series;
    ts_model model;
    memset(&series, 0, sizeof series);
    memset(&model, 0, sizeof model);
    int result = score_open(&series, &model, context, s);
    if (result == 0) result = score_run(&series, &model, s);
    ts_model_destroy(&model);
    ts_series_close(&series);
    return result;
}
