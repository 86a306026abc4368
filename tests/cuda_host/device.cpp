#include "device.h"

#include "block.h"
#include "stream.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

device_state device;

static thread_local cudaError_t error_last;
static pid_t device_process; /* that loaded the plugin: not its children */

void error_set(cudaError_t error)
{
    if (error != cudaSuccess) error_last = error;
}

static uint64_t device_number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, nullptr, 10) : otherwise;
}

void device_configure()
{
    static bool done;
    if (done) return;
    done = true;
    const char *order = getenv("LSTMAE_CUDA_HOST_ORDER"), *driver = getenv("LSTMAE_CUDA_HOST_DRIVER");
    device_process = getpid();
    device.capacity = device_number("LSTMAE_CUDA_HOST_MEMORY", uint64_t(4) << 30);
    device.eager = order && strcmp(order, "eager") == 0;
    device.failed_call = "";
    if (driver && strcmp(driver, "none") == 0) device.driver = cudaErrorNoDevice;
    if (driver && strcmp(driver, "old") == 0) device.driver = cudaErrorInsufficientDriver;
    shuffle_seed(device_number("LSTMAE_CUDA_HOST_SEED", 1));
}

/* A program that ends without having given everything back fails. */
__attribute__((destructor)) static void device_judge()
{
    const lae_cuda_host_state *held = &device.counts;
    if (device_process != getpid() || held->lost != 0) return;
    if (held->device_blocks + held->pinned_blocks + held->streams + held->events + held->handles + held->graphs == 0 &&
        held->broken_guards == 0)
        return;
    fprintf(stderr, "cuda_host: not given back: %llu blocks of device memory, %llu of pinned memory, %llu streams, "
            "%llu events, %llu cuBLAS handles, %llu graphs; %llu blocks written beside\n",
            (unsigned long long)held->device_blocks, (unsigned long long)held->pinned_blocks,
            (unsigned long long)held->streams, (unsigned long long)held->events, (unsigned long long)held->handles,
            (unsigned long long)held->graphs, (unsigned long long)held->broken_guards);
    fflush(nullptr);
    _exit(23);
}

/* Errors after which the device's context is unusable. */
static bool error_sticky(cudaError_t error)
{
    return (error >= cudaErrorIllegalAddress && error <= cudaErrorLaunchTimeout &&
            error != cudaErrorLaunchOutOfResources) ||
           (error >= cudaErrorContextIsDestroyed && error <= cudaErrorLaunchFailure) ||
           error == cudaErrorECCUncorrectable || error == cudaErrorExternalDevice;
}

void device_lose(cudaError_t error, const char *text)
{
    if (device.counts.lost == 0) snprintf(device.fault, sizeof device.fault, "%s", text);
    if (device.counts.lost == 0) device.counts.lost = error;
    order_release(&device);
}

/* Whether this call is the one that a test wants to fail. */
static bool call_fails(const char *name)
{
    device.counts.calls++;
    if (device.fail_in == 0 || --device.fail_in > 0) return false;
    device.failed_call = name;
    return true;
}

api_call::api_call(const char *name, unsigned flags) : hold_(device.lock), error_(cudaSuccess)
{
    device_configure();
    if (device.driver != cudaSuccess) {
        error_ = device.driver;
        return;
    }
    if (device.counts.lost != 0) {
        if (!(flags & CALL_RELEASES)) device.counts.calls_after_loss++;
        error_ = static_cast<cudaError_t>(device.counts.lost);
        return;
    }
    if (call_fails(name)) {
        error_ = static_cast<cudaError_t>(device.fail_cuda);
        if (error_sticky(error_)) device_lose(error_, name);
        return;
    }
    if (flags & CALL_UNSAFE) error_ = capture_refuse();
}

cudaError_t api_call::done(cudaError_t error) const
{
    if (refused()) error = error_;
    error_set(error);
    return error;
}

blas_call::blas_call(const char *name, unsigned flags) : hold_(device.lock), status_(CUBLAS_STATUS_SUCCESS)
{
    device_configure();
    if (device.counts.lost != 0) {
        if (!(flags & CALL_RELEASES)) device.counts.calls_after_loss++;
        status_ = CUBLAS_STATUS_EXECUTION_FAILED;
    } else if (call_fails(name)) {
        status_ = static_cast<cublasStatus_t>(device.fail_blas);
    }
}

/* ---- errors ---- */

#define ERROR_TEXTS(X)                                                                             \
    X(cudaSuccess, "no error")                                                                     \
    X(cudaErrorInvalidValue, "invalid argument")                                                   \
    X(cudaErrorMemoryAllocation, "out of memory")                                                  \
    X(cudaErrorInvalidConfiguration, "invalid configuration argument")                             \
    X(cudaErrorInvalidMemcpyDirection, "invalid copy direction for memcpy")                        \
    X(cudaErrorInsufficientDriver, "CUDA driver version is insufficient for CUDA runtime version") \
    X(cudaErrorNoDevice, "no CUDA-capable device is detected")                                     \
    X(cudaErrorInvalidDevice, "invalid device ordinal")                                            \
    X(cudaErrorECCUncorrectable, "uncorrectable ECC error encountered")                            \
    X(cudaErrorInvalidResourceHandle, "invalid resource handle")                                   \
    X(cudaErrorNotReady, "device not ready")                                                       \
    X(cudaErrorIllegalAddress, "an illegal memory access was encountered")                         \
    X(cudaErrorLaunchOutOfResources, "too many resources requested for launch")                    \
    X(cudaErrorLaunchFailure, "unspecified launch failure")                                        \
    X(cudaErrorNotSupported, "operation not supported")                                            \
    X(cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing")       \
    X(cudaErrorStreamCaptureInvalidated, "operation failed due to a previous error during capture") \
    X(cudaErrorStreamCaptureUnmatched, "capture was not initiated in this stream")                 \
    X(cudaErrorStreamCaptureUnjoined, "capture sequence contains a fork that was not joined to the primary stream") \
    X(cudaErrorStreamCaptureIsolation, "dependency created on uncaptured work in another stream")  \
    X(cudaErrorCapturedEvent, "operation not permitted on an event last recorded in a capturing stream") \
    X(cudaErrorGraphExecUpdateFailure, "the graph update was not performed because it included changes which violated " \
                                       "constraints specific to instantiated graph update")

const char *cudaGetErrorName(cudaError_t error)
{
    switch (error) {
#define ERROR_NAME(code, text) \
    case code: return #code;
        ERROR_TEXTS(ERROR_NAME)
    default: return "unrecognized error code";
    }
}

const char *cudaGetErrorString(cudaError_t error)
{
    switch (error) {
#define ERROR_STRING(code, text) \
    case code: return text;
        ERROR_TEXTS(ERROR_STRING)
    default: return "unrecognized error code";
    }
}

/* Errors that are sticky stay. */
cudaError_t cudaGetLastError()
{
    std::lock_guard<std::recursive_mutex> hold(device.lock);
    cudaError_t error = device.counts.lost ? static_cast<cudaError_t>(device.counts.lost) : error_last;
    error_last = cudaSuccess;
    return error;
}

cudaError_t cudaPeekAtLastError()
{
    std::lock_guard<std::recursive_mutex> hold(device.lock);
    return device.counts.lost ? static_cast<cudaError_t>(device.counts.lost) : error_last;
}

/* ---- devices: there is one, with the limits that all shipped architectures have ---- */

cudaError_t cudaGetDeviceCount(int *count)
{
    api_call call("cudaGetDeviceCount");
    *count = call.refused() ? 0 : 1;
    return call.done();
}

static cudaError_t device_check(int index)
{
    return index == 0 ? cudaSuccess : cudaErrorInvalidDevice;
}

cudaError_t cudaSetDevice(int index)
{
    api_call call("cudaSetDevice");
    return call.done(device_check(index));
}

cudaError_t cudaGetDevice(int *index)
{
    api_call call("cudaGetDevice");
    *index = 0;
    return call.done();
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int index)
{
    api_call call("cudaGetDeviceProperties");
    if (call.refused() || index != 0) return call.done(device_check(index));
    memset(properties, 0, sizeof *properties);
    snprintf(properties->name, sizeof properties->name, "Host build");
    properties->totalGlobalMem = device.capacity;
    properties->sharedMemPerBlock = SHARED_BYTES_DEFAULT;
    properties->sharedMemPerBlockOptin = SHARED_BYTES_MOST;
    properties->sharedMemPerMultiprocessor = SHARED_BYTES_MOST + 1024;
    properties->major = 8;
    properties->minor = 6;
    properties->multiProcessorCount = 4;
    properties->warpSize = warpSize;
    properties->maxThreadsPerBlock = BLOCK_THREADS;
    properties->maxThreadsPerMultiProcessor = 1536;
    properties->regsPerBlock = properties->regsPerMultiprocessor = 65536;
    properties->maxThreadsDim[0] = properties->maxThreadsDim[1] = BLOCK_THREADS;
    properties->maxThreadsDim[2] = 64;
    properties->maxGridSize[0] = 2147483647;
    properties->maxGridSize[1] = properties->maxGridSize[2] = 65535;
    properties->l2CacheSize = 6 << 20;
    properties->pciBusID = 1;
    return call.done();
}

cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int index)
{
    api_call call("cudaDeviceGetAttribute");
    if (call.refused() || index != 0) return call.done(device_check(index));
    switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock: *value = BLOCK_THREADS; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: *value = SHARED_BYTES_DEFAULT; break;
    case cudaDevAttrWarpSize: *value = warpSize; break;
    case cudaDevAttrMultiProcessorCount: *value = 4; break;
    case cudaDevAttrL2CacheSize: *value = 6 << 20; break;
    case cudaDevAttrMaxThreadsPerMultiProcessor: *value = 1536; break;
    case cudaDevAttrComputeCapabilityMajor: *value = 8; break;
    case cudaDevAttrComputeCapabilityMinor: *value = 6; break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor: *value = SHARED_BYTES_MOST + 1024; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = SHARED_BYTES_MOST; break;
    default: return call.done(cudaErrorInvalidValue);
    }
    return call.done();
}

cudaError_t cudaDeviceGetPCIBusId(char *id, int bytes, int index)
{
    api_call call("cudaDeviceGetPCIBusId");
    if (call.refused() || index != 0) return call.done(device_check(index));
    snprintf(id, static_cast<size_t>(bytes), "0000:01:00.0");
    return call.done();
}

static cudaError_t device_version(const api_call &call, int *version)
{
    *version = CUDART_VERSION;
    return call.done();
}

cudaError_t cudaDriverGetVersion(int *version)
{
    return device_version(api_call("cudaDriverGetVersion"), version);
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    return device_version(api_call("cudaRuntimeGetVersion"), version);
}

/* ---- what tests ask for ---- */

void lae_cuda_host_state_get(lae_cuda_host_state *state)
{
    std::lock_guard<std::recursive_mutex> hold(device.lock);
    *state = device.counts;
}

void lae_cuda_host_fail_at(uint64_t k, int cuda, int blas)
{
    std::lock_guard<std::recursive_mutex> hold(device.lock);
    device.fail_in = k;
    device.fail_cuda = cuda;
    device.fail_blas = blas;
    device.failed_call = "";
}

const char *lae_cuda_host_failed_call(void)
{
    return device.failed_call;
}

const char *lae_cuda_host_fault(void)
{
    return device.fault;
}

void lae_cuda_host_reset(void)
{
    std::lock_guard<std::recursive_mutex> hold(device.lock);
    device_configure();
    streams_reset();
    memory_reset();
    device.counts = lae_cuda_host_state();
    device.fail_in = 0;
    device.failed_call = "";
    device.fault[0] = '\0';
    error_last = cudaSuccess;
}

void lae_cuda_host_memory(uint64_t bytes)
{
    std::lock_guard<std::recursive_mutex> hold(device.lock);
    device_configure();
    device.capacity = bytes;
}

void lae_cuda_host_seed(uint64_t seed)
{
    std::lock_guard<std::recursive_mutex> hold(device.lock);
    device_configure();
    shuffle_seed(seed);
}
