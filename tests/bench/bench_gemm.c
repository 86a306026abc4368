#include "bench_gemm.h"

#include "bench_measure.h"
#include "bench_workloads.h"

#ifdef LAE_HAVE_OPENBLAS
#include <cblas.h>
#include <stdlib.h>
#endif

enum { GEMM_SIZE = 2048 };

static double gemm_rate(bench_time time)
{
    const double n = GEMM_SIZE;
    return 2.0 * n * n * n / (1e6 * time.median_ms);
}

static void run_linear(void *payload)
{
    bench_model *model = payload;
    bench_check(lstmae_module_forward(model->module, model->x, NULL));
}

double bench_gemm_gflops(int threads, int quick)
{
    const int64_t dims[] = { GEMM_SIZE, GEMM_SIZE };
    lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
    lstmae_context *context = NULL;
    bench_model model = { 0 };
    options.threads = threads;
    bench_check(lstmae_context_create(&context, "cpu", &options));
    bench_check(lstmae_linear_create(&model.module, context, GEMM_SIZE, GEMM_SIZE, LSTMAE_LINEAR_NO_BIAS));
    bench_check(lstmae_module_set_training(model.module, 0));
    model.x = bench_tensor(context, 2, dims);
    double rate = gemm_rate(bench_measure(run_linear, &model, quick));
    bench_model_release(&model);
    lstmae_context_destroy(context);
    return rate;
}

#ifdef LAE_HAVE_OPENBLAS

static void run_sgemm(void *payload)
{
    const float *a = payload, *b = a + GEMM_SIZE * GEMM_SIZE;
    float *c = (float *)payload + 2 * GEMM_SIZE * GEMM_SIZE;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, GEMM_SIZE, GEMM_SIZE, GEMM_SIZE, 1.0f, a, GEMM_SIZE, b,
                GEMM_SIZE, 0.0f, c, GEMM_SIZE);
}

double bench_blas_gflops(int threads, int quick)
{
    const size_t count = (size_t)3 * GEMM_SIZE * GEMM_SIZE;
    float *matrices = malloc(count * sizeof(float));
    int before = openblas_get_num_threads();
    if (!matrices) return 0;
    for (size_t i = 0; i < count; i++) matrices[i] = (float)(i % 7) - 3.0f;
    openblas_set_num_threads(threads);
    double rate = gemm_rate(bench_measure(run_sgemm, matrices, quick));
    openblas_set_num_threads(before);
    free(matrices);
    return rate;
}

#else

double bench_blas_gflops(int threads, int quick)
{
    (void)threads;
    (void)quick;
    return 0;
}

#endif
