/* Timing: warm up, repeat, and say what is in the middle and at the ends; memory at its highest. */
#ifndef LAE_BENCH_MEASURE_H
#define LAE_BENCH_MEASURE_H

#include <stdint.h>

typedef struct bench_time {
    double median_ms, min_ms, max_ms; /* of one run */
    int repetitions;
} bench_time;

typedef struct bench_run {
    void (*run)(void *payload);
    void (*finish)(void *payload); /* waits for a device that computes by itself; NULL: nothing to wait for */
    void *payload;
} bench_run;

/** How long to repeat. */
typedef struct bench_effort {
    double seconds; /* about two unless told otherwise */
    int quick;      /* few repetitions: shows that it works, not how fast */
} bench_effort;

/** Median, least and most of `count` times in milliseconds, which are sorted. */
bench_time bench_time_of(double *times, int count);

/**
 * Times a run: twice to warm up (once where it takes seconds), then at least 3 times (5 where it is quick) and for
 * the seconds of `effort`. Runs shorter than a fifth of a millisecond are timed in groups, of which the mean counts as
 * one time. A device is waited for at the end of each time, after a group that is.
 */
bench_time bench_measure(const bench_run *run, const bench_effort *effort);

/** Begins a new peak of the process's resident memory, where the system can do that. */
void bench_rss_reset(void);

/** Highest resident memory since then in bytes; 0 where unknown. */
uint64_t bench_rss_peak(void);

#endif
