/* The files of the benchmark. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/files.h"
#include "../common/report.h"
#include "skab.h"

#define DATA_PARTS 3
#define DATA_CHANNELS 8
#define DATA_FILES 1024 /* in one folder, at most */

static const char *const data_parts[DATA_PARTS] = {"valve1", "valve2", "other"};

static int data_copy(ts_recording *r, const ts_series *series)
{
    size_t count = (size_t)(series->rows * series->columns);
    r->rows = series->rows;
    r->channels = series->columns;
    r->values = malloc(count * sizeof *r->values);
    r->truth = malloc((size_t)series->rows);
    if (r->values == NULL || r->truth == NULL) return ex_fail("out of memory for %lld rows", (long long)r->rows);
    memcpy(r->values, lstmae_table_values(series->table), count * sizeof *r->values);
    memcpy(r->truth, series->truth, (size_t)series->rows);
    return 0;
}

static int data_read(ts_recording *r, lstmae_context *context, const ts_settings *settings, const char *part,
                     int number)
{
    char path[EX_PATH_SIZE];
    ts_settings s = *settings;
    ts_series series;
    s.columns[0] = '\0';
    snprintf(s.ignore, sizeof s.ignore, "anomaly,changepoint");
    snprintf(s.truth, sizeof s.truth, "anomaly");
    snprintf(r->name, sizeof r->name, "%s/%d", part, number);
    snprintf(path, sizeof path, "%.1100s/%s.csv", settings->data, r->name);
    r->chosen = strcmp(part, data_parts[0]) == 0;
    int result = ts_series_open(&series, context, path, &s, NULL, 0);
    if (result == 0 && series.columns != DATA_CHANNELS)
        result = ex_fail("%s: expected %d sensors, got %lld", path, DATA_CHANNELS, (long long)series.columns);
    if (result == 0 && series.truth == NULL) result = ex_fail("%s: no column 'anomaly'", path);
    if (result == 0 && series.rows <= TS_SKAB_NORMAL)
        result = ex_fail("%s: expected more than %d rows, got %lld", path, TS_SKAB_NORMAL, (long long)series.rows);
    if (result == 0) result = data_copy(r, &series);
    ts_series_close(&series);
    return result;
}

static int data_compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Numbers of the files "N.csv" in a folder, in order. */
static int data_list(const char *folder, int *numbers, int *count)
{
    DIR *listing = opendir(folder);
    *count = 0;
    if (listing == NULL) return ex_fail("%s: %s", folder, strerror(errno));
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL && *count < DATA_FILES;) {
        char *end;
        long number = strtol(entry->d_name, &end, 10);
        if (end != entry->d_name && number >= 0 && number < 100000 && strcmp(end, ".csv") == 0)
            numbers[(*count)++] = (int)number;
    }
    closedir(listing);
    qsort(numbers, (size_t)*count, sizeof *numbers, data_compare);
    return *count > 0 ? 0 : ex_fail("%s: no recordings like 0.csv there", folder);
}

static int data_part(ts_recordings *all, lstmae_context *context, const ts_settings *s, const char *part)
{
    char folder[EX_PATH_SIZE];
    int numbers[DATA_FILES], count;
    if (ex_path(folder, sizeof folder, s->data, part) != 0 || data_list(folder, numbers, &count) != 0) return -1;
    ts_recording *grown = realloc(all->items, (size_t)(all->count + count) * sizeof *grown);
    if (grown == NULL) return ex_fail("out of memory for %d recordings", all->count + count);
    all->items = grown;
    memset(grown + all->count, 0, (size_t)count * sizeof *grown);
    for (int i = 0; i < count; i++)
        if (data_read(&grown[all->count++], context, s, part, numbers[i]) != 0) return -1;
    return 0;
}

int ts_skab_open(ts_recordings *all, lstmae_context *context, const ts_settings *s)
{
    memset(all, 0, sizeof *all);
    if (s->part[0] != '\0') return data_part(all, context, s, s->part);
    for (int i = 0; i < DATA_PARTS; i++)
        if (data_part(all, context, s, data_parts[i]) != 0) return -1;
    return 0;
}

void ts_skab_close(ts_recordings *all)
{
    for (int i = 0; i < all->count; i++) {
        free(all->items[i].values);
        free(all->items[i].truth);
    }
    free(all->items);
    memset(all, 0, sizeof *all);
}
