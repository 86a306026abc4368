/* Launches: checked as the runtime checks them, then queued. */
#include "stream.h"

#include <map>
#include <stdio.h>

/* What cudaFuncSetAttribute allowed a kernel. */
static std::map<const void *, size_t> &kernel_dynamic_bytes = *new std::map<const void *, size_t>;

cudaError_t cudaFuncSetAttribute(const void *kernel, cudaFuncAttribute attribute, int value)
{
    api_call call("cudaFuncSetAttribute");
    if (call.refused() || !kernel) return call.done(cudaErrorInvalidDeviceFunction);
    if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return call.done();
    if (value < 0 || static_cast<size_t>(value) > SHARED_BYTES_MOST) return call.done(cudaErrorInvalidValue);
    kernel_dynamic_bytes[kernel] = static_cast<size_t>(value);
    return call.done();
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, const void *kernel, int threads,
                                                          size_t dynamic_bytes)
{
    api_call call("cudaOccupancyMaxActiveBlocksPerMultiprocessor");
    if (call.refused() || !kernel || threads < 1) return call.done(cudaErrorInvalidValue);
    *blocks = dynamic_bytes > SHARED_BYTES_MOST || threads > static_cast<int>(BLOCK_THREADS) ? 0 : 1536 / threads;
    return call.done();
}

static cudaError_t kernel_check(const lae_host_kernel *kernel, dim3 grid, dim3 block, size_t dynamic_bytes)
{
    uint64_t threads = uint64_t(block.x) * block.y * block.z;
    if (threads == 0 || block.x > BLOCK_THREADS || block.y > BLOCK_THREADS || block.z > 64 || threads > BLOCK_THREADS)
        return cudaErrorInvalidConfiguration;
    if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 2147483647u || grid.y > 65535u || grid.z > 65535u)
        return cudaErrorInvalidConfiguration;
    auto allowed = kernel_dynamic_bytes.find(kernel->function);
    size_t most = allowed == kernel_dynamic_bytes.end() ? 0 : allowed->second;
    if (dynamic_bytes > SHARED_BYTES_DEFAULT && dynamic_bytes > most) return cudaErrorInvalidValue;
    return cudaSuccess;
}

static void kernel_run(const lae_host_kernel &kernel, dim3 grid, dim3 block, size_t dynamic_bytes, lane &place)
{
    device.counts.kernels++;
    const char *failure = grid_run(&kernel, grid, block, dynamic_bytes, place.blocks);
    if (!failure) return;
    fprintf(stderr, "cuda_host: %s\n", failure);
    device_lose(cudaErrorLaunchFailure, failure);
}

void lae_host_launch_kernel(lae_host_kernel *taken, dim3 grid, dim3 block, size_t dynamic_bytes, cudaStream_t handle)
{
    std::shared_ptr<const lae_host_kernel> kernel(taken);
    api_call call(kernel->name);
    CUstream_st *stream = stream_find(handle);
    if (call.refused()) return (void)call.done();
    cudaError_t error = stream ? kernel_check(taken, grid, block, dynamic_bytes) : cudaErrorInvalidResourceHandle;
    if (error != cudaSuccess) return (void)call.done(error);
    (void)call.done(stream_queue(stream, { 'k', kernel->name, 0, kernel->function,
                                           [kernel = std::move(kernel), grid, block, dynamic_bytes](lane &place) {
                                               kernel_run(*kernel, grid, block, dynamic_bytes, place);
                                           } }));
}
