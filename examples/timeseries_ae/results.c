#include "results.h"

#include <stdio.h>
#include <string.h>

#include "../common/files.h"
#include "../common/report.h"

/* A cell of CSV: in quotes where it has to be. */
static void report_cell(FILE *stream, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, stream);
        return;
    }
    fputc('"', stream);
    for (; *text != '\0'; text++) {
        if (*text == '"') fputc('"', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

/* row, labels of the file, score, threshold, alarm, the column that contributes most */
static int report_table(const ts_series *series, const ts_model *model, const ts_scores *scores, const char *path)
{
    ex_file file;
    int64_t C = scores->channels, labels = lstmae_table_label_columns(series->file);
    double threshold = lstmae_threshold_value(model->detector.threshold);
    if (ex_file_open(&file, path) != 0) return -1;
    fputs("row,", file.stream);
    for (int64_t l = 0; l < labels; l++) {
        report_cell(file.stream, lstmae_table_label_name(series->file, l));
        fputc(',', file.stream);
    }
    fputs("score,threshold,alarm,column\n", file.stream);
    for (int64_t r = 0; r < scores->rows; r++) {
        fprintf(file.stream, "%lld,", (long long)r);
        for (int64_t l = 0; l < labels; l++) {
            report_cell(file.stream, lstmae_table_label(series->file, l, r));
            fputc(',', file.stream);
        }
        fprintf(file.stream, "%.6g,%.6g,%d,", (double)scores->scores[r], threshold, scores->alarms[r]);
        report_cell(file.stream, model->names[ts_detector_blame(scores->parts + r * C, C)]);
        fputc('\n', file.stream);
    }
    return ex_file_commit(&file);
}

int ts_report_files(const ts_series *series, const ts_model *model, const ts_scores *scores, const ts_settings *s)
{
    char table[EX_PATH_SIZE], picture[EX_PATH_SIZE];
    if (ex_path(table, sizeof table, s->out, "scores.csv") != 0 ||
        ex_path(picture, sizeof picture, s->out, "scores") != 0)
        return -1;
    if (report_table(series, model, scores, table) != 0) return -1;
    printf("wrote %s\n", table);
    return ts_picture(series, model, scores, picture);
}

int ts_report_truth(const ts_series *series, const ts_scores *scores)
{
    lstmae_detection found = LSTMAE_DETECTION_INIT;
    if (series->truth == NULL) return 0;
    EX_TRY(lstmae_detection_add(&found, series->truth, scores->alarms, scores->rows));
    printf("found %lld of %lld events, on average %.1f rows after they begin; %lld alarms elsewhere\n",
           (long long)found.found_events, (long long)found.events, found.mean_delay, (long long)found.false_events);
    printf("truth: events=%lld found=%lld false_events=%lld delay=%.1f f1=%.4f precision=%.4f recall=%.4f far=%.2f "
           "mar=%.2f\n",
           (long long)found.events, (long long)found.found_events, (long long)found.false_events, found.mean_delay,
           found.point.f1, found.point.precision, found.point.recall, 100 * found.false_alarm_rate,
           100 * found.missed_alarm_rate);
    return 0;
}
