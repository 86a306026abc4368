/* gemm, alone and with prepared weights. */
#include "conformance.h"

#include <math.h>
#include <stdio.h>

typedef struct gemm_case {
    int64_t M, N, K;
    uint32_t flags;
    int pad;  /* elements after every row */
    double beta;
    int bias;
    int prepare; /* 0 or an lstmae_prepare_kind */
} gemm_case;

/* views: c, a, b, bias. Rows of a and b as they lie in memory. */
static lstmae_status run_gemm(const test_device *device, const lstmae_view *views, const void *args)
{
    const gemm_case *g = args;
    const lstmae_backend_api *api = device->api;
    lstmae_gemm_args gemm = { .struct_size = sizeof(gemm), .flags = g->flags, .M = g->M, .N = g->N, .K = g->K,
                              .a = views[1].data, .b = views[2].data, .c = views[0].data, .lda = views[1].stride[0],
                              .ldb = views[2].stride[0], .ldc = views[0].stride[0], .beta = g->beta,
                              .bias = g->bias ? views[3].data : NULL, .dtype = views[0].dtype };
    int64_t rows = views[2].dim[0], columns = views[2].dim[1];
    void *prepared = NULL;
    size_t bytes = 0;
    if (g->prepare && api->prepare_bytes)
        bytes = api->prepare_bytes(device->queue, g->prepare, rows, columns, views[0].dtype);
    if (bytes > 0) {
        assert_ok(api->alloc(device->queue, bytes, &prepared));
        assert_ok(api->prepare(device->queue, g->prepare, prepared, gemm.b, rows, columns, gemm.dtype));
        gemm.prepared = prepared;
    }
    lstmae_status status = api->gemm(device->queue, &gemm);
    if (prepared) {
        assert_ok(api->queue_sync(device->queue));
        api->release(device->queue, prepared, bytes);
    }
    return status;
}

static test_array gemm_matrix(int dtype, int64_t rows, int64_t columns, int pad, uint64_t seed)
{
    const int64_t dims[] = { rows, columns }, strides[] = { columns + pad, 1 };
    return test_array_strided(dtype, 2, dims, strides, seed, 1);
}

static void check_gemm(gemm_case g, int dtype)
{
    int trans_a = (g.flags & LSTMAE_GEMM_TRANS_A) != 0, trans_b = (g.flags & LSTMAE_GEMM_TRANS_B) != 0;
    conformance_case c = { .run = run_gemm, .args = &g };
    test_tolerance in_double = { 0, 1e-13 };
    snprintf(c.what, sizeof(c.what), "gemm %lld x %lld x %lld, flags %u, pad %d, beta %g, bias %d, prepared %d",
             (long long)g.M, (long long)g.N, (long long)g.K, g.flags, g.pad, g.beta, g.bias, g.prepare);
    conformance_output(&c, gemm_matrix(dtype, g.M, g.N, g.pad, 1),
                       dtype == LSTMAE_F32 ? test_device_tolerance(tolerance_gemm) : in_double);
    conformance_input(&c, gemm_matrix(dtype, trans_a ? g.K : g.M, trans_a ? g.M : g.K, g.pad, 2));
    conformance_input(&c, gemm_matrix(dtype, trans_b ? g.N : g.K, trans_b ? g.K : g.N, g.prepare ? 0 : g.pad, 3));
    conformance_input(&c, gemm_matrix(dtype, 1, g.N, 0, 4));
    if (g.beta == 0) test_array_set(&c.array[0], 0, NAN);
    conformance_check(&c);
}

static const int64_t sizes[][3] = {
    { 1, 1, 1 },      { 1, 17, 5 },     { 5, 1, 33 },    { 3, 5, 7 },       { 16, 64, 16 },
    { 7, 61, 64 },    { 6, 256, 32 },   { 13, 65, 129 }, { 32, 60, 15 },    { 61, 127, 67 },
    { 1, 1000, 300 }, { 97, 33, 2048 }, { 2, 3, 2100 },  { 130, 129, 131 },
};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void products(void **state)
{
    (void)state;
    static const double betas[] = { 0, 1, -0.5 };
    for (size_t k = 0; k < SIZES; k++)
        for (uint32_t flags = 0; flags < 4; flags++)
            for (int variant = 0; variant < 6; variant++) {
                gemm_case g = { .M = sizes[k][0], .N = sizes[k][1], .K = sizes[k][2], .flags = flags,
                                .pad = variant % 2 * 3, .beta = betas[variant % 3], .bias = variant / 3 };
                check_gemm(g, LSTMAE_F32);
            }
    for (uint32_t flags = 0; flags < 4; flags++)
        check_gemm((gemm_case){ .M = 5, .N = 7, .K = 11, .flags = flags, .pad = 1, .beta = 1, .bias = 1 }, LSTMAE_F64);
}

/* Nothing to add up: beta * C + bias is left. */
static void empty_sums(void **state)
{
    (void)state;
    for (int variant = 0; variant < 6; variant++) {
        gemm_case g = { .M = 7, .N = 33, .K = 0, .beta = variant % 3 * 0.5, .bias = variant / 3 };
        check_gemm(g, LSTMAE_F32);
    }
}

static void prepared_products(void **state)
{
    (void)state;
    for (size_t k = 0; k < SIZES; k++)
        for (int variant = 0; variant < 4; variant++) {
            gemm_case g = { .M = sizes[k][0], .N = sizes[k][1], .K = sizes[k][2], .flags = LSTMAE_GEMM_TRANS_B,
                            .pad = variant, .beta = variant % 2, .bias = variant / 2,
                            .prepare = LSTMAE_PREPARE_FORWARD };
            check_gemm(g, LSTMAE_F32);
            g.flags = 0;
            g.prepare = LSTMAE_PREPARE_BACKWARD;
            check_gemm(g, LSTMAE_F32);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products),
        cmocka_unit_test(empty_sums),
        cmocka_unit_test(prepared_products),
    };
    return cmocka_run_group_tests(tests, conformance_open, conformance_close);
}
