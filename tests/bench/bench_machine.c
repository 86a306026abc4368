#include "bench_machine.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__aarch64__)
#include <arm_neon.h>
#endif

#define MACHINE_MOST_THREADS 256
#define MACHINE_REPETITIONS 8
#define MACHINE_CHAINS 12
#define MACHINE_BYTES ((size_t)256 << 20) /* per thread: beyond every cache */

double bench_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#if defined(__clang__)
#define MACHINE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define MACHINE_UNROLL _Pragma("GCC unroll 16")
#endif

/*
 * Each loop runs `turns` rounds of MACHINE_CHAINS independent multiply-adds and returns its lanes; x*a + b goes to 1.
 * Chains begin apart, or a compiler would compute one of them for all.
 */
#define MACHINE_LOOP(type, set1, fma, lanes_of_type, add_all)                                      \
    type chain[MACHINE_CHAINS];                                                                    \
    const type a = set1(0.5f), b = set1(0.5f);                                                     \
    MACHINE_UNROLL                                                                                 \
    for (int i = 0; i < MACHINE_CHAINS; i++) chain[i] = set1((float)i);                            \
    for (int64_t turn = 0; turn < turns; turn++) {                                                 \
        MACHINE_UNROLL                                                                             \
        for (int i = 0; i < MACHINE_CHAINS; i++) chain[i] = fma(chain[i], a, b);                   \
    }                                                                                              \
    type total = chain[0];                                                                         \
    MACHINE_UNROLL                                                                                 \
    for (int i = 1; i < MACHINE_CHAINS; i++) total = add_all(total, chain[i]);                     \
    memcpy(sink, &total, sizeof total);                                                            \
    return lanes_of_type;

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static int machine_loop_avx512(int64_t turns, float *sink)
{
    MACHINE_LOOP(__m512, _mm512_set1_ps, _mm512_fmadd_ps, 16, _mm512_add_ps)
}

__attribute__((target("avx2,fma"))) static int machine_loop_avx2(int64_t turns, float *sink)
{
    MACHINE_LOOP(__m256, _mm256_set1_ps, _mm256_fmadd_ps, 8, _mm256_add_ps)
}
#endif

#if defined(__aarch64__)
static float32x4_t machine_neon_fma(float32x4_t x, float32x4_t a, float32x4_t b)
{
    return vfmaq_f32(b, x, a);
}

static int machine_loop_neon(int64_t turns, float *sink)
{
    MACHINE_LOOP(float32x4_t, vdupq_n_f32, machine_neon_fma, 4, vaddq_f32)
}
#endif

typedef float machine_vector __attribute__((vector_size(16)));

static machine_vector machine_set1(float x)
{
    return (machine_vector){ x, x, x, x };
}

static machine_vector machine_fma(machine_vector x, machine_vector a, machine_vector b)
{
    return x * a + b;
}

static machine_vector machine_add(machine_vector a, machine_vector b)
{
    return a + b;
}

static int machine_loop_plain(int64_t turns, float *sink)
{
    MACHINE_LOOP(machine_vector, machine_set1, machine_fma, 4, machine_add)
}

typedef int (*machine_loop_fn)(int64_t turns, float *sink);

static machine_loop_fn machine_best_loop(const char **name)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return *name = "avx512", machine_loop_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return *name = "avx2", machine_loop_avx2;
#elif defined(__aarch64__)
    return *name = "neon", machine_loop_neon;
#endif
    return *name = "plain", machine_loop_plain;
}

const char *bench_peak_isa(void)
{
    const char *name;
    machine_best_loop(&name);
    return name;
}

typedef struct machine_job {
    pthread_barrier_t *start;
    void (*work)(struct machine_job *job);
    int64_t turns;
    int lanes;
    double begin, end;
    float sink[16];
    uint64_t *from, *to; /* MACHINE_BYTES each */
} machine_job;

static void machine_compute(machine_job *job)
{
    const char *name;
    job->lanes = machine_best_loop(&name)(job->turns, job->sink);
}

static void machine_read(machine_job *job)
{
    uint64_t sum[8] = { 0 };
    for (size_t i = 0; i < MACHINE_BYTES / sizeof *job->from; i += 8)
        for (size_t j = 0; j < 8; j++) sum[j] ^= job->from[i + j];
    job->sink[0] = (float)(sum[0] ^ sum[1] ^ sum[2] ^ sum[3] ^ sum[4] ^ sum[5] ^ sum[6] ^ sum[7]);
}

static void machine_copy(machine_job *job)
{
    memcpy(job->to, job->from, MACHINE_BYTES);
}

static void *machine_thread(void *payload)
{
    machine_job *job = payload;
    pthread_barrier_wait(job->start);
    job->begin = bench_seconds();
    job->work(job);
    job->end = bench_seconds();
    return NULL;
}

/*
 * Seconds that `threads` threads need for job->work at once, from the first one's begin to the last one's end; 0 when
 * threads cannot be started. They read the clock themselves: on a busy machine this thread may be woken too late.
 */
static double machine_time(machine_job *jobs, int threads, void (*work)(machine_job *job))
{
    pthread_barrier_t start;
    pthread_t handle[MACHINE_MOST_THREADS];
    if (pthread_barrier_init(&start, NULL, (unsigned)threads) != 0) return 0.0;
    for (int i = 0; i < threads; i++) {
        jobs[i].start = &start;
        jobs[i].work = work;
        if (pthread_create(&handle[i], NULL, machine_thread, &jobs[i]) != 0) abort();
    }
    for (int i = 0; i < threads; i++) pthread_join(handle[i], NULL);
    pthread_barrier_destroy(&start);
    double begin = jobs[0].begin, end = jobs[0].end;
    for (int i = 1; i < threads; i++) {
        if (jobs[i].begin < begin) begin = jobs[i].begin;
        if (jobs[i].end > end) end = jobs[i].end;
    }
    return end - begin;
}

static int machine_threads(int threads)
{
    return threads < 1 ? 1 : threads > MACHINE_MOST_THREADS ? MACHINE_MOST_THREADS : threads;
}

double bench_peak_gflops(int threads)
{
    static machine_job jobs[MACHINE_MOST_THREADS];
    threads = machine_threads(threads);
    double best = 0.0;
    int64_t turns = (int64_t)1 << 20;
    for (int i = 0; i < MACHINE_REPETITIONS; i++) {
        for (int t = 0; t < threads; t++) jobs[t].turns = turns;
        double seconds = machine_time(jobs, threads, machine_compute);
        double operations = 2.0 * MACHINE_CHAINS * (double)turns * jobs[0].lanes * threads;
        if (seconds > 0.0 && operations / seconds > best) best = operations / seconds;
        if (seconds > 0.0) turns = (int64_t)((double)turns * 0.05 / seconds) + 1;
    }
    return best * 1e-9;
}

static double machine_stream(int threads, void (*work)(machine_job *job), double bytes)
{
    static machine_job jobs[MACHINE_MOST_THREADS];
    threads = machine_threads(threads);
    double best = 0.0;
    int ready = 1;
    for (int t = 0; t < threads; t++) {
        jobs[t].from = malloc(MACHINE_BYTES);
        jobs[t].to = malloc(MACHINE_BYTES);
        ready = ready && jobs[t].from && jobs[t].to;
        if (jobs[t].from) memset(jobs[t].from, 1, MACHINE_BYTES);
        if (jobs[t].to) memset(jobs[t].to, 2, MACHINE_BYTES);
    }
    for (int i = 0; ready && i < MACHINE_REPETITIONS; i++) {
        double seconds = machine_time(jobs, threads, work);
        if (seconds > 0.0 && bytes * threads / seconds > best) best = bytes * threads / seconds;
    }
    for (int t = 0; t < threads; t++) {
        free(jobs[t].from);
        free(jobs[t].to);
    }
    return best * 1e-9;
}

double bench_read_gbytes(int threads)
{
    return machine_stream(threads, machine_read, (double)MACHINE_BYTES);
}

double bench_copy_gbytes(int threads)
{
    return machine_stream(threads, machine_copy, 2.0 * (double)MACHINE_BYTES);
}
