#include "bench_measure.h"

#include "bench_machine.h"

#include <stdio.h>
#include <stdlib.h>

#define MEASURE_MAX_TIMES 2000
#define MEASURE_GROUP_SECONDS 2e-4

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double measure_group(const bench_run *run, int64_t group)
{
    double start = bench_seconds();
    for (int64_t i = 0; i < group; i++) run->run(run->payload);
    if (run->finish) run->finish(run->payload);
    return (bench_seconds() - start) / (double)group;
}

/** Runs that together take long enough for the clock. */
static int64_t measure_group_size(const bench_run *run)
{
    int64_t group = 1;
    while (measure_group(run, group) * (double)group < MEASURE_GROUP_SECONDS && group < INT64_C(1) << 20) group *= 2;
    return group;
}

bench_time bench_time_of(double *times, int count)
{
    qsort(times, (size_t)count, sizeof(times[0]), compare_doubles);
    double median = 0.5 * (times[count / 2] + times[(count - 1) / 2]);
    return (bench_time){ median, times[0], times[count - 1], count };
}

bench_time bench_measure(const bench_run *run, const bench_effort *effort)
{
    static double times[MEASURE_MAX_TIMES];
    const int quick = effort->quick;
    int count = 0, least = quick ? 3 : 5, most = quick ? 10 : MEASURE_MAX_TIMES;
    if (measure_group(run, 1) > 2.0) least = 3;
    else measure_group(run, 1);
    int64_t group = measure_group_size(run);
    double start = bench_seconds();
    while (count < least || (count < most && bench_seconds() - start < effort->seconds))
        times[count++] = 1e3 * measure_group(run, group);
    return bench_time_of(times, count);
}

void bench_rss_reset(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (!file) return;
    fputs("5", file);
    fclose(file);
}

uint64_t bench_rss_peak(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    unsigned long long kilobytes = 0;
    if (!file) return 0;
    while (fgets(line, sizeof(line), file) && sscanf(line, "VmHWM: %llu", &kilobytes) != 1) continue;
    fclose(file);
    return (uint64_t)kilobytes * 1024;
}
