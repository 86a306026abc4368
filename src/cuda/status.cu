/* The statuses of the CUDA runtime and of cuBLAS in the library's words. */
#include "queue.h"

#include <unistd.h>

lstmae_status lae_cu_usable(lstmae_queue *queue)
{
    if (queue->lost)
        return queue->host->fail(LSTMAE_ERR_DEVICE, "cuda:%d: the device failed before; what is in host memory can "
                                 "still be saved, this context can only be destroyed", queue->device);
    if (queue->process != getpid())
        return queue->host->fail(LSTMAE_ERR_STATE, "cuda:%d: the context stayed in the process that forked; create "
                                 "another one here", queue->device);
    /* the current device belongs to the calling thread, which may have come from another context */
    return lae_cu_check(queue, cudaSetDevice(queue->device), "cudaSetDevice");
}

/* Errors after which every call into the device's context fails: see the runtime's documentation of cudaError_t. */
static int status_sticky(cudaError_t error)
{
    switch (error) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorLaunchTimeout:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorAssert:
    case cudaErrorECCUncorrectable:
    case cudaErrorContextIsDestroyed:
    case cudaErrorExternalDevice: return 1;
    default: return 0;
    }
}

static lstmae_status status_of(cudaError_t error)
{
    switch (error) {
    case cudaErrorMemoryAllocation: return LSTMAE_ERR_DEVICE_MEMORY;
    case cudaErrorNotSupported:
    case cudaErrorNoDevice:
    case cudaErrorInsufficientDriver:
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorUnsupportedPtxVersion: return LSTMAE_ERR_UNSUPPORTED;
    default: return status_sticky(error) ? LSTMAE_ERR_DEVICE : LSTMAE_ERR_INTERNAL;
    }
}

lstmae_status lae_cu_check(lstmae_queue *queue, cudaError_t error, const char *what)
{
    if (error == cudaSuccess) return LSTMAE_OK;
    (void)cudaGetLastError(); /* those that pass are not to be found again by the next launch */
    if (status_sticky(error)) queue->lost = 1;
    return queue->host->fail(status_of(error), "cuda:%d: %s: %s (%s)", queue->device, what, cudaGetErrorString(error),
                             cudaGetErrorName(error));
}

lstmae_status lae_cu_launched(lstmae_queue *queue, const char *kernel)
{
    return lae_cu_check(queue, cudaGetLastError(), kernel);
}

lstmae_status lae_cu_check_blas(lstmae_queue *queue, cublasStatus_t error, const char *what)
{
    lstmae_status status = LSTMAE_ERR_INTERNAL;
    if (error == CUBLAS_STATUS_SUCCESS) return LSTMAE_OK;
    /* a failed execution is mostly an earlier kernel's fault, which then has the better name */
    if (error == CUBLAS_STATUS_EXECUTION_FAILED || error == CUBLAS_STATUS_INTERNAL_ERROR)
        LAE_CU_TRY(lae_cu_check(queue, cudaGetLastError(), what));
    if (error == CUBLAS_STATUS_ALLOC_FAILED) status = LSTMAE_ERR_DEVICE_MEMORY;
    if (error == CUBLAS_STATUS_NOT_INITIALIZED || error == CUBLAS_STATUS_ARCH_MISMATCH ||
        error == CUBLAS_STATUS_NOT_SUPPORTED)
        status = LSTMAE_ERR_UNSUPPORTED;
    if (error == CUBLAS_STATUS_EXECUTION_FAILED) {
        status = LSTMAE_ERR_DEVICE;
        queue->lost = 1;
    }
    return queue->host->fail(status, "cuda:%d: %s: cuBLAS status %d", queue->device, what, (int)error);
}
