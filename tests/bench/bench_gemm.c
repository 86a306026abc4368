#include "bench_gemm.h"

#include "bench_measure.h"
#include "bench_workloads.h"

#ifdef LAE_HAVE_OPENBLAS
#include <cblas.h>
#include <stdlib.h>
#endif

static double gemm_rate(bench_time time, double n)
{
    return 2.0 * n * n * n / (1e6 * time.median_ms);
}

static void run_linear(void *payload)
{
    bench_model *model = payload;
    bench_check(lstmae_module_forward(model->module, model->x, NULL));
}

double bench_gemm_gflops(lstmae_context *context, int64_t size, const bench_effort *effort)
{
    const int64_t dims[] = { size, size };
    bench_model model = { .context = context };
    const bench_run run = { run_linear, bench_finish, &model };
    bench_check(lstmae_linear_create(&model.module, context, size, size, LSTMAE_LINEAR_NO_BIAS));
    bench_check(lstmae_module_set_training(model.module, 0));
    model.x = bench_tensor(context, 2, dims);
    double rate = gemm_rate(bench_measure(&run, effort), (double)size);
    bench_model_release(&model);
    return rate;
}

static void run_copy(void *payload)
{
    bench_model *model = payload;
    bench_check(lstmae_tensor_copy(model->y, model->x));
}

double bench_device_copy_gbytes(lstmae_context *context, double bytes, const bench_effort *effort)
{
    const int64_t dims[] = { (int64_t)(bytes / sizeof(float)) };
    bench_model model = { .context = context, .x = bench_tensor(context, 1, dims) };
    const bench_run run = { run_copy, bench_finish, &model };
    bench_check(lstmae_tensor_create(&model.y, context, LSTMAE_F32, 1, dims));
    bench_time time = bench_measure(&run, effort);
    bench_model_release(&model);
    return 2.0 * bytes / (1e6 * time.median_ms);
}

#ifdef LAE_HAVE_OPENBLAS

static void run_sgemm(void *payload)
{
    const int n = BENCH_GEMM_SIZE;
    const float *a = payload, *b = a + n * n;
    float *c = (float *)payload + 2 * n * n;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, n, n, 1.0f, a, n, b, n, 0.0f, c, n);
}

double bench_blas_gflops(int threads, const bench_effort *effort)
{
    const size_t count = (size_t)3 * BENCH_GEMM_SIZE * BENCH_GEMM_SIZE;
    float *matrices = malloc(count * sizeof(float));
    const bench_run run = { run_sgemm, NULL, matrices };
    int before = openblas_get_num_threads();
    if (!matrices) return 0;
    for (size_t i = 0; i < count; i++) matrices[i] = (float)(i % 7) - 3.0f;
    openblas_set_num_threads(threads);
    double rate = gemm_rate(bench_measure(&run, effort), BENCH_GEMM_SIZE);
    openblas_set_num_threads(before);
    free(matrices);
    return rate;
}

#else

double bench_blas_gflops(int threads, const bench_effort *effort)
{
    (void)threads;
    (void)effort;
    return 0;
}

#endif
