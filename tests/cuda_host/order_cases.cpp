/*
 * order_cases CASE: two streams, a graph or the host share memory, with what orders them or without. Built with
 * ThreadSanitizer, which must report the second kind and not the first; see order.sh.
 */
#include "host_test.h"

#include <stdio.h>
#include <string.h>

static __global__ void add_kernel(float *y, const float *x, float value)
{
    y[threadIdx.x] = x[threadIdx.x] + value;
}

static struct rig {
    cudaStream_t a, b;
    cudaEvent_t event, back;
    float *x, *y, *z, *pinned;
} r;

static void check(cudaError_t error)
{
    if (error == cudaSuccess) return;
    fprintf(stderr, "%s\n", cudaGetErrorName(error));
    exit(1);
}

static void fork_join(cudaEvent_t event, cudaStream_t from, cudaStream_t to)
{
    check(cudaEventRecord(event, from));
    check(cudaStreamWaitEvent(to, event));
}

static void streams(bool ordered)
{
    LAE_LAUNCH(add_kernel, 1, 32, 0, r.a, r.y, r.x, 1.0f);
    if (ordered) fork_join(r.event, r.a, r.b);
    LAE_LAUNCH(add_kernel, 1, 32, 0, r.b, r.z, r.y, 1.0f);
}

/* Two streams that share nothing need no event. */
static void independent(bool ordered)
{
    LAE_LAUNCH(add_kernel, 2, 32, 0, r.a, r.y, r.x, 1.0f);
    LAE_LAUNCH(add_kernel, 2, 32, 0, r.b, ordered ? r.z : r.y, r.x, 1.0f);
}

/* The event is there, but was recorded before the kernel that it should tell of. */
static void event_too_early(bool ordered)
{
    if (!ordered) check(cudaEventRecord(r.event, r.a));
    LAE_LAUNCH(add_kernel, 1, 32, 0, r.a, r.y, r.x, 1.0f);
    if (ordered) check(cudaEventRecord(r.event, r.a));
    check(cudaStreamWaitEvent(r.b, r.event));
    LAE_LAUNCH(add_kernel, 1, 32, 0, r.b, r.z, r.y, 1.0f);
}

/* A buffer is written again while another stream still reads it. */
static void reuse(bool ordered)
{
    LAE_LAUNCH(add_kernel, 1, 32, 0, r.a, r.y, r.x, 1.0f);
    fork_join(r.event, r.a, r.b);
    check(cudaMemcpyAsync(r.z, r.y, 128, cudaMemcpyDeviceToDevice, r.b));
    if (ordered) fork_join(r.back, r.b, r.a);
    check(cudaMemsetAsync(r.y, 0, 128, r.a));
}

static void graph(bool ordered)
{
    cudaGraph_t captured;
    cudaGraphExec_t exec;
    check(cudaStreamBeginCapture(r.a, cudaStreamCaptureModeThreadLocal));
    fork_join(r.event, r.a, r.b); /* before the kernel whose result b reads */
    LAE_LAUNCH(add_kernel, 1, 32, 0, r.a, r.y, r.x, 1.0f);
    if (ordered) fork_join(r.event, r.a, r.b);
    LAE_LAUNCH(add_kernel, 1, 32, 0, r.b, r.z, r.y, 1.0f);
    fork_join(r.back, r.b, r.a);
    check(cudaStreamEndCapture(r.a, &captured));
    check(cudaGraphInstantiate(&exec, captured));
    for (int i = 0; i < 3; i++) check(cudaGraphLaunch(exec, r.a));
    check(cudaGraphExecDestroy(exec));
    check(cudaGraphDestroy(captured));
}

/* The host reads what a stream writes to pinned memory, or writes what it still reads. */
static void host_reads(bool ordered)
{
    check(cudaMemcpyAsync(r.pinned, r.x, 128, cudaMemcpyDeviceToHost, r.a));
    check(cudaEventRecord(r.event, r.a));
    check(ordered ? cudaEventSynchronize(r.event) : cudaStreamSynchronize(r.b));
    if (r.pinned[0] != 0.0f) puts("not zero");
}

static void host_writes(bool ordered)
{
    check(cudaMemcpyAsync(r.x, r.pinned, 128, cudaMemcpyHostToDevice, r.a));
    check(cudaEventRecord(r.event, r.a));
    if (ordered) check(cudaEventSynchronize(r.event));
    r.pinned[3] = 1.0f;
}

/* Two products at once want two workspaces. */
static void workspaces(bool ordered)
{
    cublasHandle_t one, two;
    void *workspace[2];
    float alpha = 1.0f, beta = 0.0f;
    for (void *&each : workspace) check(cudaMalloc(&each, 4096));
    cublasCreate(&one);
    cublasCreate(&two);
    cublasSetStream(one, r.a);
    cublasSetStream(two, r.b);
    cublasSetWorkspace(one, workspace[0], 4096);
    cublasSetWorkspace(two, workspace[ordered], 4096);
    cublasSgemm(one, CUBLAS_OP_N, CUBLAS_OP_N, 4, 4, 2, &alpha, r.x, 4, r.x, 2, &beta, r.y, 4);
    cublasSgemm(two, CUBLAS_OP_N, CUBLAS_OP_N, 4, 4, 2, &alpha, r.x, 4, r.x, 2, &beta, r.z, 4);
    cublasDestroy(one);
    cublasDestroy(two);
    for (void *each : workspace) check(cudaFree(each));
}

static const struct {
    const char *name;
    void (*run)(bool ordered);
} cases[] = { { "streams", streams },       { "independent", independent },
              { "event_too_early", event_too_early },
              { "reuse", reuse },           { "graph", graph },
              { "host_reads", host_reads }, { "host_writes", host_writes },
              { "workspaces", workspaces } };

/* order_cases: the names; order_cases NAME ordered|unordered: one of them */
int main(int argc, char **argv)
{
    if (argc != 3) {
        for (const auto &each : cases) puts(each.name);
        return 0;
    }
    check(cudaStreamCreateWithFlags(&r.a, cudaStreamNonBlocking));
    check(cudaStreamCreateWithFlags(&r.b, cudaStreamNonBlocking));
    check(cudaEventCreateWithFlags(&r.event, cudaEventDisableTiming));
    check(cudaEventCreateWithFlags(&r.back, cudaEventDisableTiming));
    for (float **each : { &r.x, &r.y, &r.z }) check(cudaMalloc(each, 128));
    check(cudaMallocHost(reinterpret_cast<void **>(&r.pinned), 128));
    memset(r.pinned, 0, 128);
    check(cudaMemsetAsync(r.x, 0, 128, r.a));
    check(cudaStreamSynchronize(r.a));
    for (const auto &each : cases)
        if (strcmp(each.name, argv[1]) == 0) each.run(strcmp(argv[2], "ordered") == 0);
    check(cudaStreamSynchronize(r.a));
    check(cudaStreamSynchronize(r.b));
    check(cudaFreeHost(r.pinned));
    for (float *each : { r.x, r.y, r.z }) check(cudaFree(each));
    check(cudaEventDestroy(r.event));
    check(cudaEventDestroy(r.back));
    check(cudaStreamDestroy(r.a));
    check(cudaStreamDestroy(r.b));
    return 0;
}
