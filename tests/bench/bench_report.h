/* Results for people and, as JSON, for programs. */
#ifndef LAE_BENCH_REPORT_H
#define LAE_BENCH_REPORT_H

#include "bench_measure.h"

#include <stdint.h>

typedef struct bench_machine_info {
    char cpu[96];
    char device[128]; /* name and model; "": the CPU */
    const char *isa, *library, *precision;
    int threads;
    int width;         /* bytes of a factor of the device's products */
    int64_t gemm_size; /* that gemm_gflops was measured at */
    double peak_gflops;
    double gemm_gflops, blas_gflops; /* 0: not measured */
    double read_gbytes, copy_gbytes; /* 0: not measured */
} bench_machine_info;

typedef struct bench_result {
    const char *name, *mode;
    bench_time time;
    double gflops, gbytes; /* per second */
    double floor_ms;       /* reading the weights from memory; 0: not what limits it, or they fit the caches */
    double share;          /* of the machine's peak */
    uint64_t peak_bytes;   /* held by the context */
    uint64_t peak_rss;     /* of the process, including what it held before */
} bench_result;

/** The device that a context's name means, in words. */
void bench_device_name(const char *context, char *name, int size);

/** Model name of this machine's processor; "unknown" where the system does not say. */
void bench_cpu_name(char *name, int size);

void bench_print_machine(const bench_machine_info *machine);
void bench_print_heading(void);
void bench_print_result(const bench_result *result);

/** Writes {"machine": {...}, "workloads": [...]}. @return 1, or 0 when the file cannot be written */
int bench_write_json(const char *path, const bench_machine_info *machine, const bench_result *results, int count);

#endif
