/* The matrix product of the CPU device against a double loop: every transposition, instruction set and thread count. */
#include "cpu/cpu_entries.h"
#include "cpu_queue.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

#define MOST_THREADS 3

typedef struct gemm_case {
    int64_t M, N, K;
    int64_t pad; /* added to every leading stride */
    double beta;
    int bias;
} gemm_case;

static const gemm_case cases[] = {
    { 1, 1, 1, 0, 0.0, 0 },       { 1, 1, 0, 0, 0.0, 1 },        { 1, 3, 7, 0, 1.0, 0 },
    { 1, 200, 70, 0, 0.0, 1 },    { 2, 64, 16, 0, 0.0, 0 },      { 3, 17, 33, 2, 0.0, 1 },
    { 4, 65, 9, 1, 1.0, 1 },      { 5, 31, 130, 3, 0.5, 0 },     { 6, 64, 64, 0, 0.0, 0 },
    { 7, 130, 513, 5, 1.0, 0 },   { 13, 48, 512, 0, 0.0, 1 },    { 25, 60, 385, 0, 0.0, 1 },
    { 60, 385, 25, 0, 1.0, 0 },   { 64, 100, 1025, 7, -2.0, 1 }, { 145, 97, 40, 0, 0.0, 0 },
    { 300, 260, 129, 1, 1.0, 0 }, { 20, 70, 5000, 0, 0.0, 0 },   { 128, 192, 256, 0, 0.0, 1 },
    { 0, 5, 5, 0, 0.0, 0 },       { 17, 0, 5, 0, 0.0, 0 },
};

static float *filled(size_t count, uint64_t seed)
{
    float *values = malloc((count + 1) * sizeof(float));
    assert_non_null(values);
    test_fill(values, count, seed, 1.0f);
    return values;
}

/* Terms of the sum are below 1: K of them, each rounded twice, stay within K * 2^-23; the blocks of k halve that
 * often. */
static void check(const lstmae_gemm_args *args, const float *got, const float *before, const char *what)
{
    const float *a = args->a, *b = args->b, *bias = args->bias;
    const double tolerance = 1e-6 * (8.0 + (double)args->K / 16.0);
    for (int64_t m = 0; m < args->M; m++) {
        for (int64_t n = 0; n < args->N; n++) {
            double sum = bias ? (double)bias[n] : 0.0;
            if (args->beta != 0.0) sum += args->beta * (double)before[m * args->ldc + n];
            for (int64_t k = 0; k < args->K; k++) {
                float left = args->flags & LSTMAE_GEMM_TRANS_A ? a[k * args->lda + m] : a[m * args->lda + k];
                float right = args->flags & LSTMAE_GEMM_TRANS_B ? b[n * args->ldb + k] : b[k * args->ldb + n];
                sum += (double)left * (double)right;
            }
            float want = (float)sum;
            assert_close(what, got + m * args->ldc + n, &want, 1, tolerance, 0.0);
        }
    }
}

static void fill_args(lstmae_gemm_args *args, const gemm_case *c, unsigned flags)
{
    memset(args, 0, sizeof(*args));
    args->struct_size = sizeof(*args);
    args->flags = flags;
    args->M = c->M;
    args->N = c->N;
    args->K = c->K;
    args->lda = (flags & LSTMAE_GEMM_TRANS_A ? c->M : c->K) + c->pad;
    args->ldb = (flags & LSTMAE_GEMM_TRANS_B ? c->K : c->N) + c->pad;
    args->ldc = c->N + c->pad;
    args->beta = c->beta;
    args->dtype = LSTMAE_F32;
}

/* One product on 1 .. MOST_THREADS threads: the first is checked, the others must have its bits. */
static void run_case(const gemm_case *c, unsigned flags, lae_isa isa)
{
    lstmae_gemm_args args;
    fill_args(&args, c, flags);
    size_t a_floats = (size_t)((flags & LSTMAE_GEMM_TRANS_A ? c->K : c->M) * args.lda);
    size_t b_floats = (size_t)((flags & LSTMAE_GEMM_TRANS_B ? c->N : c->K) * args.ldb);
    size_t c_floats = (size_t)(c->M * args.ldc);
    float *a = filled(a_floats, 1), *b = filled(b_floats, 2), *bias = filled((size_t)c->N, 3);
    float *before = filled(c_floats, 4), *first = filled(c_floats, 4), *got = filled(c_floats, 4);
    args.a = a;
    args.b = b;
    args.bias = c->bias ? bias : NULL;
    if (c->beta == 0.0) /* what must be ignored */
        for (int64_t m = 0; m < c->M; m++) memset(first + m * args.ldc, 0xff, (size_t)c->N * sizeof(float));
    memcpy(got, first, c_floats * sizeof(float));
    float *restore = filled(c_floats, 4);
    memcpy(restore, first, c_floats * sizeof(float));
    for (int threads = 1; threads <= MOST_THREADS; threads++) {
        lstmae_queue queue;
        if (!cpu_queue_open(&queue, isa, threads)) break;
        args.c = threads == 1 ? first : got;
        memcpy(args.c, restore, c_floats * sizeof(float));
        assert_ok(cpu_gemm(&queue, &args));
        if (threads == 1)
            check(&args, first, before, lae_isa_name(isa));
        else
            assert_memory_equal(first, got, c_floats * sizeof(float));
        cpu_queue_close(&queue);
    }
    float *all[] = { a, b, bias, before, first, got, restore };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) free(all[i]);
}

static void test_products(void **state)
{
    (void)state;
    for (int isa = 0; isa < LAE_ISA_COUNT; isa++) {
        if (!lae_isa_available((lae_isa)isa)) continue;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
            for (unsigned flags = 0; flags < 4; flags++) run_case(&cases[i], flags, (lae_isa)isa);
    }
}

/* A prepared operand gives the bits of the same product without. */
static void run_prepared(const gemm_case *c, int kind, lae_isa isa)
{
    lstmae_gemm_args args;
    lstmae_queue queue;
    if (!cpu_queue_open(&queue, isa, 2)) return;
    fill_args(&args, c, kind == LSTMAE_PREPARE_FORWARD ? LSTMAE_GEMM_TRANS_B : 0);
    args.ldb = kind == LSTMAE_PREPARE_FORWARD ? c->K : c->N;
    int64_t rows = kind == LSTMAE_PREPARE_FORWARD ? c->N : c->K;
    size_t bytes = cpu_prepare_bytes(&queue, kind, rows, args.ldb, LSTMAE_F32), c_floats = (size_t)(c->M * args.ldc);
    float *a = filled((size_t)(c->M * args.lda), 1), *b = filled((size_t)(c->N * c->K), 2),
          *bias = filled((size_t)c->N, 3);
    float *want = filled(c_floats, 4), *got = filled(c_floats, 4);
    void *prepared = malloc(bytes + 1);
    assert_non_null(prepared);
    args.a = a;
    args.b = b;
    args.bias = c->bias ? bias : NULL;
    args.c = want;
    assert_ok(cpu_gemm(&queue, &args));
    assert_ok(cpu_prepare(&queue, kind, prepared, b, rows, args.ldb, LSTMAE_F32));
    args.prepared = prepared;
    args.c = got;
    args.b = NULL;
    assert_ok(cpu_gemm(&queue, &args));
    assert_memory_equal(want, got, c_floats * sizeof(float));
    float *all[] = { a, b, bias, want, got, prepared };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) free(all[i]);
    cpu_queue_close(&queue);
}

static void test_prepared(void **state)
{
    (void)state;
    for (int isa = 0; isa < LAE_ISA_COUNT; isa++) {
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
            run_prepared(&cases[i], LSTMAE_PREPARE_FORWARD, (lae_isa)isa);
            run_prepared(&cases[i], LSTMAE_PREPARE_BACKWARD, (lae_isa)isa);
        }
    }
}

/* Each row's bits are those it has in a product of one row. */
static void test_rows_alone(void **state)
{
    (void)state;
    enum { M = 23, N = 70, K = 600 };
    for (int isa = 0; isa < LAE_ISA_COUNT; isa++) {
        lstmae_queue queue;
        if (!cpu_queue_open(&queue, (lae_isa)isa, 1)) continue;
        lstmae_gemm_args args;
        fill_args(&args, &(gemm_case){ M, N, K, 0, 0.0, 0 }, LSTMAE_GEMM_TRANS_B);
        float *a = filled(M * K, 1), *b = filled(N * K, 2), *all = filled(M * N, 3), *one = filled(N, 4);
        args.a = a;
        args.b = b;
        args.c = all;
        assert_ok(cpu_gemm(&queue, &args));
        args.M = 1;
        args.c = one;
        for (int m = 0; m < M; m++) {
            args.a = a + m * K;
            assert_ok(cpu_gemm(&queue, &args));
            assert_memory_equal(all + m * N, one, N * sizeof(float));
        }
        float *buffers[] = { a, b, all, one };
        for (size_t i = 0; i < sizeof(buffers) / sizeof(*buffers); i++) free(buffers[i]);
        cpu_queue_close(&queue);
    }
}

static void test_other_types(void **state)
{
    (void)state;
    lstmae_queue queue;
    lstmae_gemm_args args;
    assert_true(cpu_queue_open(&queue, lae_isa_best(), 1));
    fill_args(&args, &(gemm_case){ 1, 1, 1, 0, 0.0, 0 }, 0);
    args.dtype = LSTMAE_F64;
    assert_int_equal(cpu_gemm(&queue, &args), LSTMAE_ERR_UNSUPPORTED);
    assert_int_equal(cpu_prepare_bytes(&queue, LSTMAE_PREPARE_FORWARD, 4, 4, LSTMAE_F64), 0);
    cpu_queue_close(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_prepared),
        cmocka_unit_test(test_rows_alone),
        cmocka_unit_test(test_other_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
