/* Runs and tables of the benchmark. */
#include "skab.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/progress.h"
#include "../common/report.h"
#include "../common/signals.h"

#define SKAB_THREADS 256

/* ---- one run: all recordings, several at a time ---- */

typedef struct skab_job {
    const ts_recordings *recordings;
    const ts_settings *settings;
    ts_skab_fn method;
    unsigned char **alarms; /* of each recording */
    atomic_int next, failed;
} skab_job;

/* Each recording has a context of one thread and a seed of its own, so that results do not depend on how many run. */
static int job_recording(skab_job *job, int index)
{
    lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
    lstmae_context *context = NULL;
    ts_settings s = *job->settings;
    s.seed = job->settings->seed * 1000 + index;
    options.threads = 1;
    options.seed = (uint64_t)s.seed;
    options.precision = s.precision;
    EX_TRY(lstmae_context_create(&context, s.device, &options));
    int result = job->method(&job->recordings->items[index], context, &s, job->alarms[index]);
    lstmae_context_destroy(context);
    return result;
}

static void *job_work(void *payload)
{
    skab_job *job = payload;
    while (!atomic_load(&job->failed) && ex_signals_caught() == 0) {
        int index = atomic_fetch_add(&job->next, 1);
        if (index >= job->recordings->count) break;
        if (job_recording(job, index) != 0) atomic_store(&job->failed, 1);
    }
    return NULL;
}

static int job_run(skab_job *job, int threads)
{
    pthread_t workers[SKAB_THREADS];
    int started = 0;
    if (threads > SKAB_THREADS) threads = SKAB_THREADS;
    while (started < threads - 1 && pthread_create(&workers[started], NULL, job_work, job) == 0) started++;
    job_work(job);
    for (int i = 0; i < started; i++) pthread_join(workers[i], NULL);
    return atomic_load(&job->failed) || ex_signals_caught() != 0 ? -1 : 0;
}

/* ---- what came of it ---- */

enum {
    SKAB_F1,
    SKAB_FAR,
    SKAB_MAR,
    SKAB_CHOSEN,
    SKAB_UNSEEN,
    SKAB_UNSEEN_FAR,
    SKAB_UNSEEN_MAR,
    SKAB_SECONDS,
    SKAB_NUMBERS
};

/* Means and standard deviations over seeds. */
typedef struct skab_result {
    double mean[SKAB_NUMBERS], spread[SKAB_NUMBERS];
    int64_t runs;
} skab_result;

/* Measures of the rows after the normal ones: of all recordings, of those our default was chosen on, of the others. */
static int skab_measure(const skab_job *job, double *numbers)
{
    lstmae_detection all = LSTMAE_DETECTION_INIT, chosen = LSTMAE_DETECTION_INIT, unseen = LSTMAE_DETECTION_INIT;
    for (int i = 0; i < job->recordings->count; i++) {
        const ts_recording *r = &job->recordings->items[i];
        const unsigned char *truth = r->truth + TS_SKAB_NORMAL, *alarms = job->alarms[i] + TS_SKAB_NORMAL;
        EX_TRY(lstmae_detection_add(&all, truth, alarms, r->rows - TS_SKAB_NORMAL));
        EX_TRY(lstmae_detection_add(r->chosen ? &chosen : &unseen, truth, alarms, r->rows - TS_SKAB_NORMAL));
    }
    numbers[SKAB_F1] = all.point.f1;
    numbers[SKAB_FAR] = 100 * all.false_alarm_rate;
    numbers[SKAB_MAR] = 100 * all.missed_alarm_rate;
    numbers[SKAB_CHOSEN] = chosen.point.f1;
    numbers[SKAB_UNSEEN] = unseen.point.f1;
    numbers[SKAB_UNSEEN_FAR] = 100 * unseen.false_alarm_rate;
    numbers[SKAB_UNSEEN_MAR] = 100 * unseen.missed_alarm_rate;
    return 0;
}

static int skab_once(const ts_recordings *recordings, const ts_settings *settings, ts_skab_fn method, int threads,
                     unsigned char **alarms, double *numbers)
{
    skab_job job = {.recordings = recordings, .settings = settings, .method = method, .alarms = alarms};
    for (int i = 0; i < recordings->count; i++) memset(alarms[i], 0, (size_t)recordings->items[i].rows);
    double began = ex_seconds();
    if (job_run(&job, threads) != 0) return -1;
    numbers[SKAB_SECONDS] = ex_seconds() - began;
    return skab_measure(&job, numbers);
}

static int skab_seeds(const ts_recordings *recordings, const ts_settings *settings, ts_skab_fn method, int64_t seeds,
                      int threads, unsigned char **alarms, skab_result *result)
{
    double sum[SKAB_NUMBERS] = {0}, squares[SKAB_NUMBERS] = {0}, numbers[SKAB_NUMBERS];
    ts_settings s = *settings;
    for (int64_t i = 0; i < seeds; i++, s.seed++) {
        if (skab_once(recordings, &s, method, threads, alarms, numbers) != 0) return -1;
        for (int k = 0; k < SKAB_NUMBERS; k++) {
            sum[k] += numbers[k];
            squares[k] += numbers[k] * numbers[k];
        }
    }
    result->runs = seeds;
    for (int k = 0; k < SKAB_NUMBERS; k++) {
        result->mean[k] = sum[k] / (double)seeds;
        double variance = squares[k] / (double)seeds - result->mean[k] * result->mean[k];
        result->spread[k] = seeds > 1 && variance > 0 ? sqrt(variance * (double)seeds / (double)(seeds - 1)) : 0;
    }
    return 0;
}

/* ---- the table ---- */

static void table_row(const char *name, const skab_result *r)
{
    const double *m = r->mean;
    printf("%-50s %5.3f ", name, m[SKAB_F1]);
    if (r->runs > 1)
        printf("+-%5.3f", r->spread[SKAB_F1]);
    else
        printf("       ");
    printf(" %6.2f %6.2f   %5.3f   %5.3f %6.2f %6.2f %7.1f\n", m[SKAB_FAR], m[SKAB_MAR], m[SKAB_CHOSEN], m[SKAB_UNSEEN],
           m[SKAB_UNSEEN_FAR], m[SKAB_UNSEEN_MAR], m[SKAB_SECONDS]);
    fflush(stdout);
}

/* The outlier table of the benchmark's authors. */
static void table_published(void)
{
    static const struct {
        const char *name;
        double f1, far, mar;
    } rows[] = {
        {"convolutional autoencoder, published", 0.78, 13.55, 28.02},
        {"MSET, published", 0.78, 39.73, 14.13},
        {"T2 and Q, published", 0.76, 26.62, 24.92},
        {"LSTM autoencoder, published", 0.74, 29.96, 25.92},
        {"LSTM variational autoencoder, published", 0.56, 9.13, 55.03},
        {"isolation forest, published", 0.29, 2.56, 82.89},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        printf("%-50s %5.2f         %6.2f %6.2f\n", rows[i].name, rows[i].f1, rows[i].far, rows[i].mar);
}

static void table_compare(const char *what, const char *where, double ours, double other)
{
    double difference = ours - other;
    if (fabs(difference) < 0.0005)
        printf("ours is as good as %s %s\n", what, where);
    else
        printf("ours is %s than %s %s: F1 %+.3f\n", difference > 0 ? "better" : "worse", what, where, difference);
}

enum { SKAB_OURS, SKAB_LINEAR_OURS, SKAB_PUBLISHED, SKAB_LINEAR, SKAB_METHODS };

/* The program's result: what ours came to, then the others where they were run. */
static void table_result(const skab_result *r, int methods)
{
    const skab_result *o = &r[SKAB_OURS];
    printf("\nresult: f1=%.4f f1_spread=%.4f far=%.2f mar=%.2f f1_unseen=%.4f seconds=%.2f", o->mean[SKAB_F1],
           o->spread[SKAB_F1], o->mean[SKAB_FAR], o->mean[SKAB_MAR], o->mean[SKAB_UNSEEN], o->mean[SKAB_SECONDS]);
    if (methods == SKAB_METHODS)
        printf(" published_f1=%.4f published_spread=%.4f published_seconds=%.2f linear_f1=%.4f linear_f1_unseen=%.4f "
               "rule_linear_f1=%.4f",
               r[SKAB_PUBLISHED].mean[SKAB_F1], r[SKAB_PUBLISHED].spread[SKAB_F1], r[SKAB_PUBLISHED].mean[SKAB_SECONDS],
               r[SKAB_LINEAR_OURS].mean[SKAB_F1], r[SKAB_LINEAR_OURS].mean[SKAB_UNSEEN], r[SKAB_LINEAR].mean[SKAB_F1]);
    putchar('\n');
}

static void table_words(const skab_result *r)
{
    const skab_result *o = &r[SKAB_OURS];
    putchar('\n');
    table_compare("principal components with the same scores", "over all", o->mean[SKAB_F1],
                  r[SKAB_LINEAR_OURS].mean[SKAB_F1]);
    table_compare("principal components with the same scores", "over the unseen", o->mean[SKAB_UNSEEN],
                  r[SKAB_LINEAR_OURS].mean[SKAB_UNSEEN]);
    table_compare("principal components by the published rule", "over all", o->mean[SKAB_F1],
                  r[SKAB_LINEAR].mean[SKAB_F1]);
}

static int skab_methods(const ts_recordings *recordings, const ts_settings *s, int threads, unsigned char **alarms)
{
    static const struct {
        const char *name;
        ts_skab_fn method;
        int random;
    } methods[SKAB_METHODS] = {
        {"ours", ts_skab_ours, 1},
        {"principal components, everything else as ours", ts_skab_linear_ours, 0},
        {"LSTM autoencoder, published settings and rule", ts_skab_published, 1},
        {"principal components, published rule", ts_skab_linear, 0},
    };
    skab_result results[SKAB_METHODS];
    printf("%d recordings, %d at a time, %lld seeds\n\n", recordings->count, threads, (long long)s->seeds);
    printf("%-50s %-13s %6s %6s  %6s  %6s %6s %6s %7s\n", "", "F1", "FAR %", "MAR %", "valve1", "unseen", "FAR %",
           "MAR %", "seconds");
    int count = s->compare == 0 ? SKAB_METHODS : 1;
    for (int i = 0; i < count; i++) {
        if (skab_seeds(recordings, s, methods[i].method, methods[i].random ? s->seeds : 1, threads, alarms,
                       &results[i]) != 0)
            return -1;
        table_row(methods[i].name, &results[i]);
    }
    if (count == SKAB_METHODS) {
        table_published();
        table_words(results);
    }
    table_result(results, count);
    return 0;
}

int ts_bench_skab(lstmae_context *context, const ts_settings *s)
{
    ts_recordings recordings;
    int result = ts_skab_open(&recordings, context, s);
    unsigned char **alarms = calloc((size_t)recordings.count + 1, sizeof *alarms);
    if (alarms == NULL) result = ex_fail("out of memory");
    for (int i = 0; i < recordings.count && result == 0; i++)
        if ((alarms[i] = malloc((size_t)recordings.items[i].rows)) == NULL) result = ex_fail("out of memory");
    if (result == 0) result = skab_methods(&recordings, s, lstmae_context_threads(context), alarms);
    for (int i = 0; alarms != NULL && i < recordings.count; i++) free(alarms[i]);
    free(alarms);
    ts_skab_close(&recordings);
    return ex_signals_caught() != 0 ? ex_signals_caught() : result;
}
