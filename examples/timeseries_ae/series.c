#include "series.h"

#include <stdlib.h>
#include <string.h>

#include "../common/report.h"

#define DRIFT_BLOCKS 8
#define DRIFT_SHARE 0.05

/* Whether `name` is one of the words of "a,b,c". */
static int series_named(const char *list, const char *name)
{
    size_t length = strlen(name);
    while (*list != '\0') {
        size_t word = strcspn(list, ",");
        if (word == length && memcmp(list, name, word) == 0) return 1;
        list += word + (list[word] == ',');
    }
    return 0;
}

/* Columns that the settings choose: --columns in its order, or all but those that are ignored. */
static int series_choose(const ts_series *series, const ts_settings *s, int64_t *chosen, int64_t *count)
{
    int64_t columns = lstmae_table_columns(series->file);
    *count = 0;
    if (s->columns[0] == '\0') {
        for (int64_t c = 0; c < columns; c++)
            if (!series_named(s->ignore, lstmae_table_name(series->file, c))) chosen[(*count)++] = c;
        return *count > 0 ? 0 : ex_fail("%s: no column with numbers is left after --ignore %s", s->data, s->ignore);
    }
    const char *list = s->columns;
    while (*list != '\0' && *count < columns) {
        char name[EX_TEXT_SIZE];
        size_t word = strcspn(list, ",");
        memcpy(name, list, word);
        name[word] = '\0';
        EX_TRY(lstmae_table_find(series->file, name, &chosen[(*count)++]));
        list += word + (list[word] == ',');
    }
    return *list == '\0' ? 0 : ex_fail("--columns: more names than the file has columns with numbers");
}

/* The truth, where there is such a column. */
static int series_truth(ts_series *series, const char *name)
{
    int64_t column, columns = lstmae_table_columns(series->file);
    const float *values = lstmae_table_values(series->file);
    if (lstmae_table_find(series->file, name, &column) != LSTMAE_OK) return 0;
    series->truth = malloc((size_t)series->rows);
    if (series->truth == NULL) return ex_fail("out of memory for %lld rows", (long long)series->rows);
    for (int64_t r = 0; r < series->rows; r++) series->truth[r] = values[r * columns + column] != 0;
    return 0;
}

int ts_series_open(ts_series *series, lstmae_context *context, const char *path, const ts_settings *s,
                   const char *const *names, int64_t count)
{
    lstmae_table_options options = LSTMAE_TABLE_OPTIONS_INIT;
    memset(series, 0, sizeof *series);
    options.missing = s->missing;
    if (ts_settings_delimiter(s, &options.delimiter) != 0) return -1;
    EX_TRY(lstmae_table_open(&series->file, context, path, &options));
    series->rows = lstmae_table_rows(series->file);
    int64_t columns = lstmae_table_columns(series->file);
    if (names != NULL && count > columns)
        return ex_fail("%s: the model wants %lld columns, the file has %lld with numbers", path, (long long)count,
                       (long long)columns);
    int64_t *chosen = malloc((size_t)columns * sizeof *chosen);
    if (chosen == NULL) return ex_fail("out of memory for %lld columns", (long long)columns);
    int result = names == NULL ? series_choose(series, s, chosen, &series->columns) : 0;
    for (int64_t c = 0; names != NULL && c < count && result == 0; c++)
        result = ex_status(lstmae_table_find(series->file, names[c], &chosen[c]));
    if (names != NULL) series->columns = count;
    if (result == 0) result = ex_status(lstmae_table_select(&series->table, series->file, chosen, series->columns));
    free(chosen);
    return result == 0 ? series_truth(series, s->truth) : result;
}

void ts_series_adopt(ts_series *series, lstmae_table *table, unsigned char *truth)
{
    memset(series, 0, sizeof *series);
    series->table = table;
    series->truth = truth;
    series->rows = lstmae_table_rows(table);
    series->columns = lstmae_table_columns(table);
}

/* ---- drift ---- */

static double series_mean(const float *values, int64_t first, int64_t count, int64_t columns, int64_t c)
{
    double sum = 0;
    for (int64_t r = first; r < first + count; r++) sum += values[r * columns + c];
    return sum / (double)count;
}

static int series_column_drifts(const float *values, int64_t rows, int64_t columns, int64_t c)
{
    const int64_t block = rows / DRIFT_BLOCKS;
    const double mean = series_mean(values, 0, rows, columns, c);
    double variance = 0, steps = 0, between = 0;
    for (int64_t r = 0; r < rows; r++) {
        double x = values[r * columns + c], step = r > 0 ? x - values[(r - 1) * columns + c] : 0;
        variance += (x - mean) * (x - mean) / (double)rows;
        steps += step * step / (double)rows;
    }
    for (int64_t k = 0; k < DRIFT_BLOCKS && block > 0; k++) {
        double x = series_mean(values, k * block, block, columns, c) - mean;
        between += x * x / DRIFT_BLOCKS;
    }
    return steps < variance && between > DRIFT_SHARE * variance;
}

void ts_series_drift(const ts_series *series, int64_t rows, int drift, double *flags)
{
    const float *values = lstmae_table_values(series->table);
    for (int64_t c = 0; c < series->columns; c++) {
        int drifts =
            drift == TS_DRIFT_AUTO ? series_column_drifts(values, rows, series->columns, c) : drift == TS_DRIFT_ALL;
        flags[c] = drifts;
    }
}

int ts_series_prepare(ts_series *series, lstmae_context *context, const double *flags)
{
    const float *values = lstmae_table_values(series->table);
    int64_t C = series->columns;
    float *prepared = malloc((size_t)(series->rows * C) * sizeof *prepared);
    if (prepared == NULL) return ex_fail("out of memory for %lld rows", (long long)series->rows);
    for (int64_t i = 0; i < series->rows * C; i++) {
        if (flags[i % C] == 0)
            prepared[i] = values[i];
        else
            prepared[i] = i < C ? 0 : values[i] - values[i - C];
    }
    int result = ex_status(
        lstmae_table_from_memory(&series->prepared, context, prepared, series->rows, C, NULL, LSTMAE_MISSING_REFUSE));
    free(prepared);
    return result;
}

void ts_series_close(ts_series *series)
{
    lstmae_table_destroy(series->prepared);
    lstmae_table_destroy(series->table);
    lstmae_table_destroy(series->file);
    free(series->truth);
    memset(series, 0, sizeof *series);
}
