/*
 * How fast a CSV file of sensor readings becomes a table, and in how much memory.
 * Usage: bench_csv [ROWS [FILE]]; writes FILE (default: bench.csv here) with 8 columns, reads it, and removes it.
 */
#include <lstmae/lstmae.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { COLUMNS = 8, READINGS = 3 };

/* Of the clock on the wall, or of this process's work. */
static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Readings as instruments write them: six significant digits of values of different sizes. @return bytes, or -1 */
static long write_file(const char *path, long rows)
{
    static const double sizes[COLUMNS] = { 0.03, 0.13, 1.3, 0.05, 92.0, 26.0, 220.0, 76.0 };
    uint32_t state = 12345;
    FILE *file = fopen(path, "w");
    if (!file) return -1;
    fputs("a,b,c,d,e,f,g,h\n", file);
    for (long row = 0; row < rows; row++) {
        for (int i = 0; i < COLUMNS; i++) {
            state = state * 1664525u + 1013904223u;
            fprintf(file, "%.6g%c", sizes[i] * (0.5 + (double)(state >> 8) / 16777216.0), i < COLUMNS - 1 ? ',' : '\n');
        }
    }
    long bytes = ferror(file) ? -1 : ftell(file);
    return fclose(file) == 0 ? bytes : -1;
}

int main(int argc, char **argv)
{
    long rows = argc > 1 ? atol(argv[1]) : 10000000;
    const char *path = argc > 2 ? argv[2] : "bench.csv";
    long bytes = rows > 0 ? write_file(path, rows) : -1;
    double best = 1e30;
    if (bytes < 0) {
        fprintf(stderr, "bench_csv: cannot write %ld rows to %s\n", rows, path);
        return 1;
    }
    for (int i = 0; i < READINGS; i++) {
        lstmae_context *context = NULL;
        lstmae_table *table = NULL;
        lstmae_memory_info memory = LSTMAE_MEMORY_INFO_INIT;
        double start = seconds(CLOCK_MONOTONIC), work = seconds(CLOCK_PROCESS_CPUTIME_ID);
        if (lstmae_context_create(&context, "cpu:ref", NULL) || lstmae_table_open(&table, context, path, NULL) ||
            lstmae_context_memory(context, &memory) || lstmae_table_rows(table) != rows) {
            fprintf(stderr, "bench_csv: %s\n", lstmae_last_error());
            return 1;
        }
        double took = seconds(CLOCK_MONOTONIC) - start, values = 4.0 * COLUMNS * (double)rows;
        work = seconds(CLOCK_PROCESS_CPUTIME_ID) - work;
        if (took < best) best = took;
        printf("%.3f s (%.3f s of one core), %.0f MB/s, memory %.1f MB at most for %.1f MB of values\n", took, work,
               1e-6 * (double)bytes / took, 1e-6 * (double)memory.peak, 1e-6 * values);
        lstmae_table_destroy(table);
        lstmae_context_destroy(context);
    }
    remove(path);
    printf("result: csv_mb_per_s=%.0f file_mb=%.1f\n", 1e-6 * (double)bytes / best, 1e-6 * (double)bytes);
    return 0;
}
