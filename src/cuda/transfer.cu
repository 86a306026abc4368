/*
 * Uploads beside the work of the lanes, on a stream of their own. One begins when what lane MAIN was given before it
 * is done, which may still read where it goes to. Its end is waited for by the host, whose memory is then free, and
 * by lane MAIN. Where a step of work lies between the two, neither waits.
 */
#include "entries.h"

lstmae_status lae_cu_transfer_open(lstmae_queue *queue)
{
    lae_cu_transfer *transfer = &queue->transfer;
    LAE_CU_CALL(queue, cudaStreamCreateWithFlags(&transfer->stream, cudaStreamNonBlocking));
    LAE_CU_CALL(queue, cudaEventCreateWithFlags(&transfer->free, cudaEventDisableTiming));
    LAE_CU_CALL(queue, cudaEventCreateWithFlags(&transfer->arrived, cudaEventDisableTiming));
    return LSTMAE_OK;
}

void lae_cu_transfer_close(lstmae_queue *queue)
{
    const lae_cu_transfer *transfer = &queue->transfer;
    if (queue->lost) return;
    if (transfer->stream) {
        (void)lae_cu_check(queue, cudaStreamSynchronize(transfer->stream), "destroy");
        (void)lae_cu_check(queue, cudaStreamDestroy(transfer->stream), "cudaStreamDestroy");
    }
    if (transfer->free) (void)lae_cu_check(queue, cudaEventDestroy(transfer->free), "cudaEventDestroy");
    if (transfer->arrived) (void)lae_cu_check(queue, cudaEventDestroy(transfer->arrived), "cudaEventDestroy");
}

lstmae_status lae_cu_upload_begin(lstmae_queue *queue, void *dst, const void *src, size_t bytes)
{
    lae_cu_transfer *transfer = &queue->transfer;
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_CALL(queue, cudaEventRecord(transfer->free, queue->lanes[LAE_CU_MAIN].stream));
    LAE_CU_CALL(queue, cudaStreamWaitEvent(transfer->stream, transfer->free, 0));
    transfer->underway = 1;
    LAE_CU_CALL(queue, cudaMemcpyAsync(dst, src, bytes, cudaMemcpyHostToDevice, transfer->stream));
    LAE_CU_CALL(queue, cudaEventRecord(transfer->arrived, transfer->stream));
    return LSTMAE_OK;
}

lstmae_status lae_cu_upload_end(lstmae_queue *queue)
{
    lae_cu_transfer *transfer = &queue->transfer;
    LAE_CU_TRY(lae_cu_usable(queue));
    if (!transfer->underway) return LSTMAE_OK;
    LAE_CU_CALL(queue, cudaStreamWaitEvent(queue->lanes[LAE_CU_MAIN].stream, transfer->arrived, 0));
    LAE_CU_CALL(queue, cudaStreamSynchronize(transfer->stream));
    transfer->underway = 0;
    return LSTMAE_OK;
}
