/*
 * The Skoltech Anomaly Benchmark (Katser and Kozitsin 2020): 34 recordings of a water circuit, 8 sensors at 1 Hz, in
 * which a valve closes, water leaks, and the like. A model of each recording learns its first 400 rows; what it says of
 * the rows after them is compared with the labels, all recordings together.
 */
#ifndef TS_SKAB_H
#define TS_SKAB_H

#include "series.h"

#define TS_SKAB_NORMAL 400 /* rows that are learnt from */

/** One recording. */
typedef struct ts_recording {
    char name[64]; /* "valve1/0" */
    int chosen;    /* of the part that our default was chosen on */
    int64_t rows, channels;
    float *values; /* [rows,channels] */
    unsigned char *truth;
} ts_recording;

typedef struct ts_recordings {
    ts_recording *items;
    int count;
} ts_recordings;

/** Reads the folders valve1, valve2 and other below settings->data, or the one of settings->part. */
int ts_skab_open(ts_recordings *recordings, lstmae_context *context, const ts_settings *settings);
void ts_skab_close(ts_recordings *recordings);

/** What a way to find anomalies says of one recording: alarms[rows], zeros before. `seed` is a run's. */
typedef int (*ts_skab_fn)(const ts_recording *recording, lstmae_context *context, const ts_settings *settings,
                          unsigned char *alarms);

/** The LSTM autoencoder with the settings that were published, and its rule. */
int ts_skab_published(const ts_recording *recording, lstmae_context *context, const ts_settings *settings,
                      unsigned char *alarms);

/** The detector of this program, with the settings it is given. */
int ts_skab_ours(const ts_recording *recording, lstmae_context *context, const ts_settings *settings,
                 unsigned char *alarms);

/** Principal components of the window, the published rule. */
int ts_skab_linear(const ts_recording *recording, lstmae_context *context, const ts_settings *settings,
                   unsigned char *alarms);

/** Principal components of the window, with everything around the network as in ours. */
int ts_skab_linear_ours(const ts_recording *recording, lstmae_context *context, const ts_settings *settings,
                        unsigned char *alarms);

/** The command. */
int ts_bench_skab(lstmae_context *context, const ts_settings *settings);

#endif
