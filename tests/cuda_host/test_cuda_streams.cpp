/* Memory, streams, events, graphs, cuBLAS and injected failures of the stand-in. */
#include "host_test.h"

#include "include/cuda_bf16.h"

#include <string.h>
#include <string>

static __global__ void add_kernel(float *y, const float *x, float value)
{
    y[threadIdx.x] = x[threadIdx.x] + value;
}

/* ---- memory ---- */

static void test_memory_is_poisoned_and_counted(void **)
{
    float *x = device_array<float>(100);
    assert_int_equal(reinterpret_cast<uintptr_t>(x) % 256, 0);
    for (float value : device_read(x, 100)) assert_true(isnan(value));
    assert_int_equal(host_state().device_bytes, 400);
    assert_int_equal(cudaFree(x + 1), cudaErrorInvalidValue);
    assert_cuda(cudaFree(x));
    assert_int_equal(cudaFree(x), cudaErrorInvalidValue);
    assert_cuda(cudaFree(nullptr));
    assert_int_equal(host_state().device_bytes, 0);
    assert_int_equal(host_state().peak_bytes, 400);
    (void)cudaGetLastError();
}

static void test_memory_has_an_end(void **)
{
    size_t available, total;
    void *some = nullptr, *more = nullptr;
    lae_cuda_host_memory(1000);
    assert_cuda(cudaMalloc(&some, 600));
    assert_int_equal(cudaMalloc(&more, 401), cudaErrorMemoryAllocation);
    assert_null(more);
    assert_int_equal(cudaGetLastError(), cudaErrorMemoryAllocation);
    assert_cuda(cudaGetLastError()); /* not one that stays */
    assert_cuda(cudaMemGetInfo(&available, &total));
    assert_int_equal(available, 400);
    assert_int_equal(total, 1000);
    assert_cuda(cudaFree(some));
    lae_cuda_host_memory(uint64_t(1) << 30);
}

static void test_copies_know_their_ends(void **)
{
    float host[8] = { 1 }, *x = device_array<float>(8), *y = device_array<float>(8);
    cudaPointerAttributes attributes;
    assert_int_equal(cudaMemcpyAsync(host, x, 32, cudaMemcpyHostToDevice, 0), cudaErrorInvalidValue);
    assert_int_equal(cudaMemcpyAsync(x, host, 32, cudaMemcpyDeviceToDevice, 0), cudaErrorInvalidValue);
    assert_int_equal(cudaMemcpyAsync(y, x, 32, cudaMemcpyDeviceToHost, 0), cudaErrorInvalidValue);
    assert_int_equal(cudaMemcpyAsync(x, host, 33, cudaMemcpyHostToDevice, 0), cudaErrorInvalidValue);
    assert_int_equal(cudaMemsetAsync(x + 1, 0, 32, 0), cudaErrorInvalidValue);
    assert_int_equal(cudaMemsetAsync(host, 0, 32, 0), cudaErrorInvalidValue);
    assert_cuda(cudaMemcpyAsync(y, x, 32, cudaMemcpyDefault, 0));
    assert_cuda(cudaPointerGetAttributes(&attributes, x + 3));
    assert_int_equal(attributes.type, cudaMemoryTypeDevice);
    assert_cuda(cudaPointerGetAttributes(&attributes, host));
    assert_int_equal(attributes.type, cudaMemoryTypeUnregistered);
    assert_cuda(cudaFree(x));
    assert_cuda(cudaFree(y));
    (void)cudaGetLastError();
}

static void test_rectangles(void **)
{
    std::vector<float> content(6 * 5);
    float *x = device_array<float>(4 * 7);
    for (size_t i = 0; i < content.size(); i++) content[i] = float(i);
    assert_cuda(cudaMemset2DAsync(x, 28, 0, 12, 4));
    assert_cuda(cudaMemcpy2DAsync(x + 7, 28, content.data() + 5, 20, 12, 2, cudaMemcpyHostToDevice));
    std::vector<float> got = device_read(x, 28);
    for (size_t i = 0; i < 28; i++) {
        size_t row = i / 7, column = i % 7;
        if (column > 2)
            assert_true(isnan(got[i]));
        else
            assert_true(got[i] == (row == 1 || row == 2 ? float(5 * row + column) : 0.0f));
    }
    assert_int_equal(cudaMemset2DAsync(x, 28, 0, 29, 2), cudaErrorInvalidPitchValue);
    assert_int_equal(cudaMemset2DAsync(x, 28, 0, 28, 5), cudaErrorInvalidValue);
    assert_cuda(cudaFree(x));
    (void)cudaGetLastError();
}

/* From memory that is not pinned a copy is taken at once; pinned memory is read when the copy runs. */
static void test_staging(void **)
{
    float *x = device_array<float>(2), *pinned = nullptr, host = 1.0f;
    assert_cuda(cudaMallocHost(reinterpret_cast<void **>(&pinned), sizeof *pinned));
    *pinned = 1.0f;
    assert_cuda(cudaMemcpyAsync(x, &host, 4, cudaMemcpyHostToDevice, 0));
    assert_cuda(cudaMemcpyAsync(x + 1, pinned, 4, cudaMemcpyHostToDevice, 0));
    host = *pinned = 2.0f;
    std::vector<float> got = device_read(x, 2);
    assert_true(got[0] == 1.0f && got[1] == 2.0f);
    assert_cuda(cudaFree(x));
    assert_cuda(cudaFreeHost(pinned));
}

/* ---- streams ---- */

struct two_streams {
    cudaStream_t a, b;
    cudaEvent_t event;
    float *x, *y, *z;
};

static two_streams streams_open()
{
    two_streams s = {};
    assert_cuda(cudaStreamCreateWithFlags(&s.a, cudaStreamNonBlocking));
    assert_cuda(cudaStreamCreateWithFlags(&s.b, cudaStreamNonBlocking));
    assert_cuda(cudaEventCreateWithFlags(&s.event, cudaEventDisableTiming));
    s.x = device_array<float>(32);
    s.y = device_array<float>(32);
    s.z = device_array<float>(32);
    assert_cuda(cudaMemsetAsync(s.x, 0, 128, s.a));
    assert_cuda(cudaStreamSynchronize(s.a));
    return s;
}

static void streams_close(const two_streams &s)
{
    assert_cuda(cudaFree(s.x));
    assert_cuda(cudaFree(s.y));
    assert_cuda(cudaFree(s.z));
    assert_cuda(cudaEventDestroy(s.event));
    assert_cuda(cudaStreamDestroy(s.a));
    assert_cuda(cudaStreamDestroy(s.b));
    lae_cuda_host_state state = host_state();
    assert_int_equal(state.streams + state.events + state.graphs + state.device_blocks + state.broken_guards, 0);
}

/* y = x + 1 on one stream, z = y + 1 on the other */
static bool streams_meet(bool ordered)
{
    two_streams s = streams_open();
    LAE_LAUNCH(add_kernel, 1, 32, 0, s.a, s.y, s.x, 1.0f);
    if (ordered) {
        assert_cuda(cudaEventRecord(s.event, s.a));
        assert_cuda(cudaStreamWaitEvent(s.b, s.event));
    }
    LAE_LAUNCH(add_kernel, 1, 32, 0, s.b, s.z, s.y, 1.0f);
    bool right = true;
    for (float value : device_read(s.z, 32, s.b)) right = right && value == 2.0f;
    streams_close(s);
    return right;
}

static void test_events_order_streams(void **)
{
    int luck = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        lae_cuda_host_seed(seed);
        assert_true(streams_meet(true));
        luck += streams_meet(false);
    }
    assert_true(luck < 20); /* without the event it goes wrong for some seeds */
}

static void test_waiting_for_events(void **)
{
    two_streams s = streams_open();
    float milliseconds;
    cudaEvent_t timed[2];
    for (cudaEvent_t &event : timed) assert_cuda(cudaEventCreate(&event));
    assert_cuda(cudaEventRecord(timed[0], s.a));
    LAE_LAUNCH(add_kernel, 1, 32, 0, s.a, s.y, s.x, 1.0f);
    assert_cuda(cudaEventRecord(timed[1], s.a));
    assert_int_equal(cudaEventElapsedTime(&milliseconds, timed[0], timed[1]), cudaErrorNotReady);
    int turns = 0;
    while (cudaEventQuery(timed[1]) == cudaErrorNotReady) turns++;
    assert_in_range(turns, 1, 10);
    assert_cuda(cudaEventSynchronize(timed[1]));
    assert_cuda(cudaEventElapsedTime(&milliseconds, timed[0], timed[1]));
    assert_true(milliseconds > 0.0f);
    for (cudaEvent_t event : timed) assert_cuda(cudaEventDestroy(event));
    assert_int_equal(cudaEventSynchronize(timed[0]), cudaErrorInvalidResourceHandle);
    (void)cudaGetLastError();
    streams_close(s);
}

static void test_the_list_of_operations(void **)
{
    two_streams s = streams_open();
    lae_cuda_host_operation operation;
    std::string kinds;
    lae_cuda_host_log(1);
    LAE_LAUNCH(add_kernel, 1, 32, 0, s.a, s.y, s.x, 1.0f);
    assert_cuda(cudaEventRecord(s.event, s.a));
    assert_cuda(cudaStreamWaitEvent(s.b, s.event));
    assert_cuda(cudaMemcpyAsync(s.z, s.y, 128, cudaMemcpyDeviceToDevice, s.b));
    lae_cuda_host_log(0);
    for (size_t i = 0; i < lae_cuda_host_log_count(); i++) {
        assert_true(lae_cuda_host_log_get(i, &operation));
        kinds += operation.kind;
        kinds += char('0' + operation.stream);
    }
    assert_string_equal(kinds.c_str(), "k1r1w2c2");
    assert_int_equal(operation.bytes, 128);
    streams_close(s);
}

/* ---- graphs ---- */

static cudaGraphExec_t graph_captured(const two_streams &s, float value)
{
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    size_t nodes;
    assert_cuda(cudaStreamBeginCapture(s.a, cudaStreamCaptureModeThreadLocal));
    LAE_LAUNCH(add_kernel, 1, 32, 0, s.a, s.y, s.x, value);
    assert_cuda(cudaEventRecord(s.event, s.a));
    assert_cuda(cudaStreamWaitEvent(s.b, s.event));
    LAE_LAUNCH(add_kernel, 1, 32, 0, s.b, s.z, s.y, value);
    assert_cuda(cudaEventRecord(s.event, s.b));
    assert_cuda(cudaStreamWaitEvent(s.a, s.event));
    LAE_LAUNCH(add_kernel, 1, 32, 0, s.a, s.x, s.z, 0.0f);
    assert_cuda(cudaStreamEndCapture(s.a, &graph));
    assert_cuda(cudaGraphGetNodes(graph, nullptr, &nodes));
    assert_int_equal(nodes, 3);
    assert_cuda(cudaGraphInstantiate(&exec, graph));
    assert_cuda(cudaGraphDestroy(graph));
    return exec;
}

static void test_graphs_replay(void **)
{
    two_streams s = streams_open();
    cudaGraphExec_t exec = graph_captured(s, 1.0f);
    for (float value : device_read(s.x, 32, s.a)) assert_true(value == 0.0f); /* nothing ran yet */
    for (int i = 0; i < 3; i++) assert_cuda(cudaGraphLaunch(exec, s.b));
    for (float value : device_read(s.x, 32, s.b)) assert_true(value == 6.0f);
    assert_cuda(cudaGraphExecDestroy(exec));
    streams_close(s);
}

static void test_graphs_are_updated(void **)
{
    two_streams s = streams_open();
    cudaGraph_t graph;
    cudaGraphExecUpdateResultInfo info;
    cudaGraphExec_t exec = graph_captured(s, 1.0f);
    assert_cuda(cudaGraphLaunch(exec, s.a));
    assert_cuda(cudaStreamBeginCapture(s.a, cudaStreamCaptureModeThreadLocal));
    LAE_LAUNCH(add_kernel, 1, 32, 0, s.a, s.y, s.x, 5.0f);
    assert_cuda(cudaStreamEndCapture(s.a, &graph));
    assert_int_equal(cudaGraphExecUpdate(exec, graph, &info), cudaErrorGraphExecUpdateFailure);
    assert_int_equal(info.result, cudaGraphExecUpdateErrorTopologyChanged);
    cudaGraphExec_t other;
    assert_cuda(cudaGraphInstantiate(&other, graph));
    assert_cuda(cudaGraphExecUpdate(other, graph, &info));
    assert_int_equal(info.result, cudaGraphExecUpdateSuccess);
    assert_cuda(cudaGraphDestroy(graph));
    assert_cuda(cudaGraphExecDestroy(other));
    assert_cuda(cudaGraphExecDestroy(exec));
    (void)cudaGetLastError();
    streams_close(s);
}

/* What must not be done while a stream is captured ends the capture. */
static void test_captures_refuse(void **)
{
    two_streams s = streams_open();
    cudaGraph_t graph;
    cudaStreamCaptureStatus status;
    void *memory = nullptr;
    float host[32];
    for (int what = 0; what < 5; what++) {
        assert_cuda(cudaStreamBeginCapture(s.a, cudaStreamCaptureModeThreadLocal));
        assert_cuda(cudaStreamIsCapturing(s.a, &status));
        assert_int_equal(status, cudaStreamCaptureStatusActive);
        cudaError_t error = what == 0   ? cudaStreamSynchronize(s.a)
                            : what == 1 ? cudaMalloc(&memory, 16)
                            : what == 2 ? cudaMemcpyAsync(host, s.x, 128, cudaMemcpyDeviceToHost, s.a)
                            : what == 3 ? cudaDeviceSynchronize()
                                        : cudaStreamQuery(s.a);
        assert_int_equal(error, cudaErrorStreamCaptureUnsupported);
        assert_cuda(cudaStreamIsCapturing(s.a, &status));
        assert_int_equal(status, cudaStreamCaptureStatusInvalidated);
        assert_int_equal(cudaStreamEndCapture(s.a, &graph), cudaErrorStreamCaptureInvalidated);
        assert_null(graph);
    }
    assert_cuda(cudaStreamBeginCapture(s.a, cudaStreamCaptureModeRelaxed));
    assert_cuda(cudaMalloc(&memory, 16));
    assert_cuda(cudaFree(memory));
    assert_cuda(cudaStreamEndCapture(s.a, &graph));
    assert_cuda(cudaGraphDestroy(graph));
    (void)cudaGetLastError();
    streams_close(s);
}

static void test_captures_need_a_join(void **)
{
    two_streams s = streams_open();
    cudaGraph_t graph;
    assert_cuda(cudaStreamBeginCapture(s.a, cudaStreamCaptureModeThreadLocal));
    assert_cuda(cudaEventRecord(s.event, s.a));
    assert_cuda(cudaStreamWaitEvent(s.b, s.event));
    LAE_LAUNCH(add_kernel, 1, 32, 0, s.b, s.y, s.x, 1.0f);
    assert_int_equal(cudaStreamEndCapture(s.b, &graph), cudaErrorStreamCaptureUnmatched);
    assert_int_equal(cudaStreamEndCapture(s.a, &graph), cudaErrorStreamCaptureUnjoined);
    assert_cuda(cudaStreamBeginCapture(s.a, cudaStreamCaptureModeThreadLocal));
    assert_int_equal(cudaEventSynchronize(s.event), cudaErrorCapturedEvent);
    assert_cuda(cudaEventRecord(s.event, s.b)); /* b is not captured */
    assert_int_equal(cudaStreamWaitEvent(s.a, s.event), cudaErrorStreamCaptureIsolation);
    assert_int_equal(cudaStreamEndCapture(s.a, &graph), cudaErrorStreamCaptureInvalidated);
    (void)cudaGetLastError();
    streams_close(s);
}

/* ---- products ---- */

struct product_case {
    cublasOperation_t transa, transb;
    int m, n, k;
    cublasComputeType_t compute;
};

static void test_products(void **)
{
    const product_case cases[] = {
        { CUBLAS_OP_N, CUBLAS_OP_N, 70, 5, 9, CUBLAS_COMPUTE_32F },
        { CUBLAS_OP_T, CUBLAS_OP_N, 3, 66, 31, CUBLAS_COMPUTE_32F_FAST_TF32 },
        { CUBLAS_OP_N, CUBLAS_OP_T, 130, 7, 1, CUBLAS_COMPUTE_32F },
        { CUBLAS_OP_T, CUBLAS_OP_T, 1, 1, 40, CUBLAS_COMPUTE_32F_FAST_16BF },
    };
    cublasHandle_t handle;
    assert_int_equal(cublasCreate(&handle), CUBLAS_STATUS_SUCCESS);
    for (const product_case &c : cases) {
        int lda = (c.transa ? c.k : c.m) + 2, ldb = (c.transb ? c.n : c.k) + 1, ldc = c.m + 3;
        std::vector<float> a(size_t(lda * (c.transa ? c.m : c.k))), b(size_t(ldb * (c.transb ? c.k : c.n)));
        std::vector<float> old(size_t(ldc * c.n));
        float alpha = 2.0f, beta = 0.5f, *x = device_array<float>(a.size()), *y = device_array<float>(b.size());
        float *z = device_array<float>(old.size());
        for (size_t i = 0; i < a.size(); i++) a[i] = float(i % 11) - 5.0f; /* products and sums are exact */
        for (size_t i = 0; i < b.size(); i++) b[i] = float(i % 7) - 3.0f;
        for (size_t i = 0; i < old.size(); i++) old[i] = float(i % 5);
        device_write(x, a);
        device_write(y, b);
        device_write(z, old);
        assert_int_equal(cublasGemmEx(handle, c.transa, c.transb, c.m, c.n, c.k, &alpha, x, CUDA_R_32F, lda, y,
                                      CUDA_R_32F, ldb, &beta, z, CUDA_R_32F, ldc, c.compute, CUBLAS_GEMM_DEFAULT),
                         CUBLAS_STATUS_SUCCESS);
        alpha = 100.0f; /* was read by then */
        std::vector<float> got = device_read(z, old.size());
        for (int j = 0; j < c.n; j++)
            for (int i = 0; i < ldc; i++) {
                float sum = 0.0f, before = old[size_t(i + j * ldc)];
                for (int p = 0; p < c.k && i < c.m; p++)
                    sum += a[size_t(c.transa ? p + i * lda : i + p * lda)] *
                           b[size_t(c.transb ? j + p * ldb : p + j * ldb)];
                assert_true(got[size_t(i + j * ldc)] == (i < c.m ? 2.0f * sum + 0.5f * before : before));
            }
        assert_cuda(cudaFree(x));
        assert_cuda(cudaFree(y));
        assert_cuda(cudaFree(z));
    }
    assert_int_equal(cublasDestroy(handle), CUBLAS_STATUS_SUCCESS);
    assert_int_equal(host_state().handles, 0);
}

/* TF32 and bfloat16 round the factors: 1 + 2^-11 is 1 in both, and 1 + 2^-9 in the latter alone. */
static void test_products_round(void **)
{
    const cublasComputeType_t computes[] = { CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_32F_FAST_TF32,
                                             CUBLAS_COMPUTE_32F_FAST_16BF };
    const float wanted[3][2] = { { 1.00048828125f - 0x1p-13f, 1.001953125f },
                                 { 1.0f, 1.001953125f },
                                 { 1.0f, 1.0f } };
    float one = 1.0f, zero = 0.0f, *x = device_array<float>(2), *y = device_array<float>(1);
    cublasHandle_t handle;
    assert_int_equal(cublasCreate(&handle), CUBLAS_STATUS_SUCCESS);
    device_write(x, std::vector<float>{ wanted[0][0], wanted[0][1] });
    device_write(y, std::vector<float>{ 1.0f });
    for (int i = 0; i < 3; i++) {
        float *z = device_array<float>(2); /* not a number, which beta 0 ignores */
        assert_int_equal(cublasGemmEx(handle, CUBLAS_OP_N, CUBLAS_OP_N, 2, 1, 1, &one, x, CUDA_R_32F, 2, y, CUDA_R_32F,
                                      1, &zero, z, CUDA_R_32F, 2, computes[i], CUBLAS_GEMM_DEFAULT),
                         CUBLAS_STATUS_SUCCESS);
        std::vector<float> got = device_read(z, 2);
        assert_true(got[0] == wanted[i][0] && got[1] == wanted[i][1]);
        assert_cuda(cudaFree(z));
    }
    assert_true(float(__nv_bfloat16(1.00390625f)) == 1.0f); /* ties to even */
    assert_true(float(__nv_bfloat16(1.01171875f)) == 1.015625f);
    assert_int_equal(__bfloat16_as_ushort(__nv_bfloat16(NAN)), 0x7fff);
    assert_true(float(__nv_bfloat16(3.4e38f)) == INFINITY);
    assert_cuda(cudaFree(x));
    assert_cuda(cudaFree(y));
    assert_int_equal(cublasDestroy(handle), CUBLAS_STATUS_SUCCESS);
}

static void test_products_refuse(void **)
{
    float one = 1.0f, *x = device_array<float>(64);
    cublasHandle_t handle;
    assert_int_equal(cublasCreate(&handle), CUBLAS_STATUS_SUCCESS);
#define SGEMM(m, n, k, lda, ldb, ldc, a)                                                           \
    cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, m, n, k, &one, a, lda, x, ldb, &one, x, ldc)
    assert_int_equal(SGEMM(4, 4, 4, 3, 4, 4, x), CUBLAS_STATUS_INVALID_VALUE);
    assert_int_equal(SGEMM(4, 4, 4, 4, 3, 4, x), CUBLAS_STATUS_INVALID_VALUE);
    assert_int_equal(SGEMM(4, 4, 4, 4, 4, 3, x), CUBLAS_STATUS_INVALID_VALUE);
    assert_int_equal(SGEMM(-1, 4, 4, 4, 4, 4, x), CUBLAS_STATUS_INVALID_VALUE);
    assert_int_equal(SGEMM(4, 0, 4, 4, 4, 4, x), CUBLAS_STATUS_SUCCESS);
    assert_int_equal(cublasGemmEx(handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one, x, CUDA_R_32F, 1, x, CUDA_R_16BF, 1,
                                  &one, x, CUDA_R_32F, 1, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
                     CUBLAS_STATUS_NOT_SUPPORTED);
    assert_int_equal(cublasSetWorkspace(handle, reinterpret_cast<char *>(x) + 16, 16), CUBLAS_STATUS_INVALID_VALUE);
    assert_int_equal(SGEMM(9, 1, 9, 9, 9, 9, x), CUBLAS_STATUS_SUCCESS); /* 81 of 64 elements */
    assert_int_equal(cudaStreamSynchronize(0), cudaErrorIllegalAddress);
    assert_int_equal(SGEMM(4, 4, 4, 4, 4, 4, x), CUBLAS_STATUS_EXECUTION_FAILED);
    assert_int_equal(host_state().calls_after_loss, 1);
    assert_int_equal(cublasDestroy(handle), CUBLAS_STATUS_EXECUTION_FAILED);
    assert_int_equal(host_state().handles, 0);
}

/* ---- failures ---- */

static void test_a_call_fails_once(void **)
{
    float *x = nullptr;
    uint64_t before = host_state().calls;
    lae_cuda_host_fail_at(2, cudaErrorNotSupported, CUBLAS_STATUS_INTERNAL_ERROR);
    assert_cuda(cudaMalloc(&x, 64));
    assert_int_equal(cudaMemsetAsync(x, 0, 64), cudaErrorNotSupported);
    assert_string_equal(lae_cuda_host_failed_call(), "cudaMemsetAsync");
    assert_int_equal(cudaGetLastError(), cudaErrorNotSupported);
    assert_cuda(cudaMemsetAsync(x, 0, 64));
    lae_cuda_host_fail_at(1, cudaErrorNotSupported, CUBLAS_STATUS_INTERNAL_ERROR);
    LAE_LAUNCH(add_kernel, 1, 16, 0, 0, x, x, 1.0f);
    assert_int_equal(cudaGetLastError(), cudaErrorNotSupported);
    lae_cuda_host_fail_at(1, cudaErrorNotSupported, CUBLAS_STATUS_INTERNAL_ERROR);
    assert_int_equal(cudaFree(x), cudaErrorNotSupported); /* and is free nevertheless */
    assert_int_equal(host_state().device_blocks, 0);
    assert_int_equal(host_state().calls - before, 5);
    lae_cuda_host_fail_at(1, cudaErrorIllegalAddress, CUBLAS_STATUS_INTERNAL_ERROR);
    assert_int_equal(cudaDeviceSynchronize(), cudaErrorIllegalAddress);
    assert_int_equal(cudaMalloc(&x, 64), cudaErrorIllegalAddress);
    assert_int_equal(host_state().calls_after_loss, 1);
    lae_cuda_host_reset();
    assert_cuda(cudaMalloc(&x, 64));
    assert_cuda(cudaFree(x));
}

int main()
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_memory_is_poisoned_and_counted, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_memory_has_an_end, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_copies_know_their_ends, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_rectangles, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_staging, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_events_order_streams, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_waiting_for_events, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_the_list_of_operations, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_graphs_replay, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_graphs_are_updated, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_captures_refuse, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_captures_need_a_join, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_products, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_products_round, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_products_refuse, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_a_call_fails_once, host_begin, host_end),
    };
    return cmocka_run_group_tests_name("streams", tests, nullptr, nullptr);
}
