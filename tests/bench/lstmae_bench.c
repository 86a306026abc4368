/* How fast the library is on this machine, next to what the machine can do. docs/benchmarks.md explains the figures. */
#include "bench_gemm.h"
#include "bench_machine.h"
#include "bench_report.h"
#include "bench_workloads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct bench_options {
    const char *json, *filter, *mode, *device, *precision;
    bench_effort effort;
    int threads, machine; /* machine: and nothing else */
} bench_options;

#define BENCH_MAX_RESULTS 64

static const char usage[] =
    "usage: lstmae_bench [options]\n"
    "\n"
    "Measures the machine's FMA peak, matrix products and memory, then training steps and inference.\n"
    "\n"
    "  --json FILE     also write the results there\n"
    "  --filter TEXTS  only workloads whose name contains one of TEXTS, which commas separate; of the CPU, only the\n"
"                  FMA peak\n"
    "  --mode NAME     only this mode: train, fit, infer, generate, reconstruct, forward, step\n"
"  --device NAME   cpu (the default), cuda, cuda:1, ...\n"
"  --precision P   fp32 (the default), tf32 or bf16; of a device other than the CPU\n"
    "  --threads N     threads; default: one per core this process may use\n"
    "  --machine       only the machine\n"
    "  --seconds X     for each mode; default: 2\n"
"  --quick         few repetitions: shows that it works, not how fast\n"
    "  --list          name the workloads and end\n"
    "  --help          this text\n";

static void list_workloads(void)
{
    for (int i = 0; i < bench_workload_count; i++) printf("%s\n", bench_workloads[i].name);
    exit(0);
}

static const char *option_value(int argc, char **argv, int *i)
{
    if (*i + 1 < argc) return argv[++*i];
    fprintf(stderr, "lstmae_bench: %s wants a value\n", argv[*i]);
    exit(2);
}

/** Where the value of an option with a text goes; NULL for other options. */
static const char **text_option(bench_options *options, const char *name)
{
    if (strcmp(name, "--json") == 0) return &options->json;
    if (strcmp(name, "--filter") == 0) return &options->filter;
    if (strcmp(name, "--mode") == 0) return &options->mode;
    if (strcmp(name, "--device") == 0) return &options->device;
    if (strcmp(name, "--precision") == 0) return &options->precision;
    return NULL;
}

static void other_option(bench_options *options, const char *name)
{
    if (strcmp(name, "--quick") == 0) {
        options->effort = (bench_effort){ 0.05, 1 };
    } else if (strcmp(name, "--machine") == 0) {
        options->machine = 1;
    } else if (strcmp(name, "--list") == 0) {
        list_workloads();
    } else if (strcmp(name, "--help") == 0) {
        fputs(usage, stdout);
        exit(0);
    } else {
        fprintf(stderr, "lstmae_bench: unknown option %s\n\n%s", name, usage);
        exit(2);
    }
}

static bench_options read_options(int argc, char **argv)
{
    bench_options options = { .filter = "", .device = "cpu", .precision = "fp32", .effort = { 2.0, 0 } };
    for (int i = 1; i < argc; i++) {
        const char **text = text_option(&options, argv[i]);
        if (text) {
            *text = option_value(argc, argv, &i);
        } else if (strcmp(argv[i], "--threads") == 0) {
            options.threads = atoi(option_value(argc, argv, &i));
        } else if (strcmp(argv[i], "--seconds") == 0) {
            options.effort.seconds = atof(option_value(argc, argv, &i));
        } else {
            other_option(&options, argv[i]);
        }
    }
    return options;
}

static int32_t precision_of(const char *name)
{
    static const char *const names[] = { "fp32", "tf32", "bf16" };
    for (int32_t i = 0; i < 3; i++)
        if (strcmp(name, names[i]) == 0) return i;
    fprintf(stderr, "lstmae_bench: expected precision fp32, tf32 or bf16, got %s\n", name);
    exit(2);
}

static lstmae_context *open_context(const bench_options *from)
{
    lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
    lstmae_context *context = NULL;
    options.threads = from->threads;
    options.precision = precision_of(from->precision);
    options.seed = 1;
    bench_check(lstmae_context_create(&context, from->device, &options));
    return context;
}

static void measure_cpu(bench_machine_info *machine, const bench_options *options, lstmae_context *context)
{
    machine->peak_gflops = bench_peak_gflops(machine->threads);
    if (options->filter[0] != '\0') return;
    machine->gemm_gflops = bench_gemm_gflops(context, BENCH_GEMM_SIZE, &options->effort);
    machine->blas_gflops = bench_blas_gflops(machine->threads, &options->effort);
    machine->read_gbytes = bench_read_gbytes(machine->threads);
    machine->copy_gbytes = bench_copy_gbytes(machine->threads);
}

/* A device's peak is what the library's own products and copies reach at a size that suits them. */
static void measure_device(bench_machine_info *machine, const bench_options *options, lstmae_context *context)
{
    const int quick = options->effort.quick;
    bench_device_name(lstmae_context_device(context), machine->device, (int)sizeof(machine->device));
    machine->width = precision_of(options->precision) == LSTMAE_PRECISION_BF16 ? 2 : 4;
    machine->gemm_size = quick ? BENCH_GEMM_QUICK_SIZE : BENCH_GEMM_DEVICE_SIZE;
    machine->gemm_gflops = bench_gemm_gflops(context, machine->gemm_size, &options->effort);
    machine->copy_gbytes =
        bench_device_copy_gbytes(context, quick ? BENCH_COPY_QUICK_BYTES : BENCH_COPY_BYTES, &options->effort);
}

static bench_machine_info measure_machine(const bench_options *options)
{
    bench_machine_info machine = { .isa = bench_peak_isa(), .library = lstmae_version_string(),
                                   .precision = options->precision, .gemm_size = BENCH_GEMM_SIZE };
    lstmae_context *context = open_context(options);
    machine.threads = lstmae_context_threads(context);
    bench_cpu_name(machine.cpu, (int)sizeof(machine.cpu));
    if (bench_on_device(context)) measure_device(&machine, options, context);
    else measure_cpu(&machine, options, context);
    lstmae_context_destroy(context);
    return machine;
}

/* Weights of this size and more come from memory in every step. */
#define BENCH_FLOOR_BYTES 64e6

/* Where reading weights is the limit, memory is measured right before and right after. */
static bench_result measure_cpu_mode(const bench_mode *mode, const bench_run *run, const bench_machine_info *machine,
                                     const bench_effort *effort)
{
    const double bytes = mode->weights * (double)sizeof(float);
    const int floors = bytes >= BENCH_FLOOR_BYTES;
    const double before = floors ? bench_read_gbytes(machine->threads) : 0;
    bench_result result = { .mode = mode->name, .time = bench_measure(run, effort) };
    const double after = floors ? bench_read_gbytes(machine->threads) : 0;
    if (floors) result.floor_ms = 1e-6 * bytes / (after > before ? after : before);
    return result;
}

static bench_result measure_mode(const bench_mode *mode, bench_model *model, const bench_machine_info *machine,
                                 const bench_effort *effort)
{
    const bench_run run = { mode->run, bench_finish, model };
    const int device = machine->device[0] != '\0', width = device ? machine->width : (int)sizeof(float);
    const double peak = device ? machine->gemm_gflops : machine->peak_gflops;
    bench_result result = { .mode = mode->name };
    if (!device) result = measure_cpu_mode(mode, &run, machine, effort);
    else result.time = mode->fit ? bench_measure_fit(model, effort) : bench_measure(&run, effort);
    if (device && mode->floor.count > 0)
        result.floor_ms = bench_floor_ms(&mode->floor, machine->gemm_gflops, machine->copy_gbytes, width);
    double seconds = 1e-3 * result.time.median_ms;
    result.gflops = 1e-9 * mode->operations / seconds;
    result.gbytes = 1e-9 * mode->weights * width / seconds;
    result.share = peak > 0 ? result.gflops / peak : 0;
    return result;
}

/** Appends a result for each mode; each workload has a context of its own. */
static int run_workload(const bench_workload *workload, const bench_options *options, const bench_machine_info *machine,
                        bench_result *results)
{
    lstmae_context *context = open_context(options);
    lstmae_memory_info memory = LSTMAE_MEMORY_INFO_INIT;
    bench_model model = { .context = context };
    int count = 0;
    bench_rss_reset();
    workload->create(workload, &model, context);
    for (int i = 0; i < model.mode_count; i++) {
        if (options->mode && strcmp(options->mode, model.modes[i].name) != 0) continue;
        results[count] = measure_mode(&model.modes[i], &model, machine, &options->effort);
        results[count].name = workload->name;
        bench_check(lstmae_context_memory(context, &memory));
        results[count].peak_bytes = memory.peak;
        results[count].peak_rss = bench_rss_peak();
        bench_print_result(&results[count++]);
    }
    bench_model_release(&model);
    lstmae_context_destroy(context);
    return count;
}

/* 1 where the name contains one of the texts that commas separate; "" is in every name. */
static int chosen(const char *name, const char *texts)
{
    char text[64];
    for (;;) {
        const size_t length = strcspn(texts, ",");
        snprintf(text, sizeof(text), "%.*s", (int)length, texts);
        if (strstr(name, text)) return 1;
        if (texts[length] == '\0') return 0;
        texts += length + 1;
    }
}

int main(int argc, char **argv)
{
    static bench_result results[BENCH_MAX_RESULTS];
    bench_options options = read_options(argc, argv);
    bench_machine_info machine = measure_machine(&options);
    int count = 0;
    bench_print_machine(&machine);
    if (!options.machine) bench_print_heading();
    for (int i = 0; i < bench_workload_count && !options.machine; i++) {
        if (!chosen(bench_workloads[i].name, options.filter)) continue;
        count += run_workload(&bench_workloads[i], &options, &machine, results + count);
    }
    if (options.json && !bench_write_json(options.json, &machine, results, count)) {
        fprintf(stderr, "lstmae_bench: cannot write %s\n", options.json);
        return 1;
    }
    return 0;
}
