#include "bench_report.h"

#include <lstmae/context.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void bench_cpu_name(char *name, int size)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];
    snprintf(name, (size_t)size, "unknown");
    if (!file) return;
    while (fgets(line, sizeof(line), file)) {
        const char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !value) continue;
        snprintf(name, (size_t)size, "%.*s", (int)strcspn(value + 2, "\n\"\\"), value + 2);
        break;
    }
    fclose(file);
}

void bench_device_name(const char *context, char *name, int size)
{
    snprintf(name, (size_t)size, "%s", context);
    for (int i = 0; i < lstmae_device_count(); i++) {
        lstmae_device_info info = LSTMAE_DEVICE_INFO_INIT;
        if (lstmae_device_query(&info, i) != LSTMAE_OK || strcmp(info.name, context) != 0) continue;
        snprintf(name, (size_t)size, "%s, %s", info.name, info.description);
    }
}

static void print_rate(const char *what, double value, const char *unit, double of)
{
    if (value <= 0) return;
    printf("  %-28s %9.1f %s", what, value, unit);
    if (of > 0) printf("  (%.0f %% of the peak)", 100 * value / of);
    printf("\n");
}

void bench_print_machine(const bench_machine_info *machine)
{
    printf("lstmae %s on %s, %d threads, %s\n", machine->library, machine->cpu, machine->threads, machine->isa);
    if (machine->device[0] != '\0') printf("  %s, %s\n", machine->device, machine->precision);
    print_rate("FMA peak", machine->peak_gflops, "GFLOP/s", 0);
    char gemm[40];
    snprintf(gemm, sizeof(gemm), "our GEMM, %" PRId64 "^3", machine->gemm_size);
    print_rate(gemm, machine->gemm_gflops, "GFLOP/s", machine->peak_gflops);
    print_rate("OpenBLAS sgemm, 2048^3", machine->blas_gflops, "GFLOP/s", machine->peak_gflops);
    print_rate("memory, reading", machine->read_gbytes, "GB/s", 0);
    print_rate("memory, copying", machine->copy_gbytes, "GB/s", 0);
}

void bench_print_heading(void)
{
    printf("\n%-26s %-12s %12s %12s %12s %9s %7s %8s %9s %10s %10s\n", "workload", "mode", "median ms", "min ms",
           "max ms", "GFLOP/s", "peak", "GB/s", "floor ms", "held MB", "RSS MB");
}

void bench_print_result(const bench_result *r)
{
    printf("%-26s %-12s %12.4f %12.4f %12.4f %9.1f %6.1f%%", r->name, r->mode, r->time.median_ms, r->time.min_ms,
           r->time.max_ms, r->gflops, 100 * r->share);
    if (r->gbytes > 0)
        printf(" %8.1f", r->gbytes);
    else
        printf(" %8s", "");
    if (r->floor_ms > 0)
        printf(" %9.4f", r->floor_ms);
    else
        printf(" %9s", "");
    printf(" %10.1f %10.1f\n", (double)r->peak_bytes / 1e6, (double)r->peak_rss / 1e6);
    fflush(stdout);
}

static void write_number(FILE *file, const char *key, double value, const char *end)
{
    if (value > 0)
        fprintf(file, "    \"%s\": %.6g%s\n", key, value, end);
    else
        fprintf(file, "    \"%s\": null%s\n", key, end);
}

static void write_machine(FILE *file, const bench_machine_info *machine)
{
    fprintf(file,
            "  \"machine\": {\n    \"library\": \"%s\",\n    \"cpu\": \"%s\",\n    \"isa\": \"%s\",\n"
            "    \"threads\": %d,\n    \"device\": \"%s\",\n    \"precision\": \"%s\",\n"
            "    \"gemm_size\": %" PRId64 ",\n",
            machine->library, machine->cpu, machine->isa, machine->threads,
            machine->device[0] != '\0' ? machine->device : "cpu", machine->precision, machine->gemm_size);
    write_number(file, "fma_peak_gflops", machine->peak_gflops, ",");
    write_number(file, "gemm_gflops", machine->gemm_gflops, ",");
    write_number(file, "openblas_sgemm_gflops", machine->blas_gflops, ",");
    write_number(file, "read_gbytes_per_s", machine->read_gbytes, ",");
    write_number(file, "copy_gbytes_per_s", machine->copy_gbytes, "");
    fprintf(file, "  },\n");
}

static void write_result(FILE *file, const bench_result *r, const char *end)
{
    fprintf(file, "    {\"name\": \"%s\", \"mode\": \"%s\", \"median_ms\": %.6g, \"min_ms\": %.6g, \"max_ms\": %.6g, ",
            r->name, r->mode, r->time.median_ms, r->time.min_ms, r->time.max_ms);
    fprintf(file, "\"repetitions\": %d, \"gflops\": %.6g, \"share_of_peak\": %.4f, ", r->time.repetitions, r->gflops,
            r->share);
    if (r->gbytes > 0) fprintf(file, "\"gbytes_per_s\": %.6g, ", r->gbytes);
    if (r->floor_ms > 0) fprintf(file, "\"floor_ms\": %.6g, ", r->floor_ms);
    fprintf(file, "\"peak_bytes\": %" PRIu64 ", \"peak_rss_bytes\": %" PRIu64 "}%s\n", r->peak_bytes, r->peak_rss, end);
}

int bench_write_json(const char *path, const bench_machine_info *machine, const bench_result *results, int count)
{
    FILE *file = fopen(path, "w");
    if (!file) return 0;
    fprintf(file, "{\n");
    write_machine(file, machine);
    fprintf(file, "  \"workloads\": [\n");
    for (int i = 0; i < count; i++) write_result(file, &results[i], i + 1 < count ? "," : "");
    fprintf(file, "  ]\n}\n");
    return fclose(file) == 0;
}
