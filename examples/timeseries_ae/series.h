/* A recording: chosen columns of a table, the truth about it where a column tells it, and what the model sees of it. */
#ifndef TS_SERIES_H
#define TS_SERIES_H

#include <lstmae/lstmae.h>

#include "settings.h"

typedef struct ts_series {
    lstmae_table *file;     /* as read: its labels */
    lstmae_table *table;    /* the chosen columns */
    lstmae_table *prepared; /* the same with differences in place of columns that drift */
    unsigned char *truth;   /* [rows] 1 where something is wrong; NULL: not known */
    int64_t rows, columns;
} ts_series;

/**
 * Reads a file. Without `names` the columns are those that the settings choose.
 *
 * @param names of `count` columns, which must be there
 */
int ts_series_open(ts_series *series, lstmae_context *context, const char *path, const ts_settings *settings,
                   const char *const *names, int64_t count);

/** Takes over a table whose columns are all wanted, and a truth from malloc() or NULL. */
void ts_series_adopt(ts_series *series, lstmae_table *table, unsigned char *truth);

/**
 * Which columns drift, by the first `rows` rows: those whose mean squared step is below their variance (von Neumann's
 * ratio is below 1; The Annals of Mathematical Statistics 12, 1941) and whose mean wanders: those of eight blocks, one
 * after the other, hold more than a twentieth of the variance. flags[columns] become 0 or 1.
 */
void ts_series_drift(const ts_series *series, int64_t rows, int drift, double *flags);

/** Makes series->prepared: columns whose flag is not 0 become differences to the row before, 0 in the first row. */
int ts_series_prepare(ts_series *series, lstmae_context *context, const double *flags);

void ts_series_close(ts_series *series);

#endif
