/* Device "cpu": the reference's table, with faster entries laid over it, and a queue with worker threads. */
#include "cores.h"
#include "cpu_arrays.h"
#include "cpu_entries.h"
#include "kernels.h"
#include "queue.h"

#include "shared/builtin_backends.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static lstmae_status cpu_device_info(int index, lstmae_device_info *info)
{
    (void)index;
    info->threads = lae_usable_cores();
    info->memory_bytes = 0;
    snprintf(info->name, sizeof(info->name), "cpu");
    snprintf(info->description, sizeof(info->description), "%d cores, %s instructions", info->threads,
             lae_isa_name(lae_isa_best()));
    return LSTMAE_OK;
}

static void cpu_queue_destroy(lstmae_queue *queue)
{
    if (!queue) return;
    lstmae_memory memory = queue->memory;
    lae_pool_destroy(queue->pool);
    lae_scratch_release(queue);
    memory.release(queue, sizeof(*queue), memory.payload);
}

static lstmae_status cpu_queue_create(lstmae_queue **out, const lstmae_queue_options *options)
{
    const lstmae_memory *memory = &options->memory;
    int threads = options->threads > 0 ? options->threads : lae_usable_cores();
    *out = NULL;
    if (options->precision != LSTMAE_PRECISION_FP32)
        return options->host->fail(LSTMAE_ERR_UNSUPPORTED, "cpu: expected precision 0 (fp32), got %d",
                                   options->precision);
    lstmae_queue *queue = memory->alloc(sizeof(*queue), 64, memory->payload);
    if (!queue) return options->host->fail(LSTMAE_ERR_NO_MEMORY, "cpu: no memory for a queue");
    memset(queue, 0, sizeof(*queue));
    queue->host = options->host;
    queue->memory = *memory;
    queue->kernels = lae_kernels_of(lae_isa_best());
    if (threads > 1) {
        queue->pool = lae_pool_create(threads, &queue->memory);
        if (!queue->pool) {
            cpu_queue_destroy(queue);
            return options->host->fail(LSTMAE_ERR_NO_MEMORY, "cpu: no memory for %d threads", threads);
        }
        if (options->flags & LSTMAE_QUEUE_FLUSH) lae_pool_set_flush(queue->pool);
    }
    *out = queue;
    return LSTMAE_OK;
}

static int32_t cpu_queue_threads(const lstmae_queue *queue)
{
    return lae_pool_threads(queue->pool);
}

static lstmae_status cpu_any_gemm(lstmae_queue *queue, const lstmae_gemm_args *args)
{
    return args->dtype == LSTMAE_F32 ? cpu_gemm(queue, args) : cpu_reference(queue)->gemm(queue, args);
}

static lstmae_backend_api cpu_table;
static pthread_once_t cpu_once = PTHREAD_ONCE_INIT;

/* Entries set here are this device's own; all others stay the reference's. */
static void cpu_table_fill(void)
{
    static const lstmae_host any = { .struct_size = sizeof(any), .abi = LSTMAE_BACKEND_ABI };
    lstmae_backend_api table = *lae_backend_cpu_ref(&any);
    table.name = "cpu";
    table.flags |= LSTMAE_BACKEND_CHANNELS_LAST;
    table.device_info = cpu_device_info;
    table.queue_create = cpu_queue_create;
    table.queue_destroy = cpu_queue_destroy;
    table.queue_threads = cpu_queue_threads;
    table.copy = cpu_copy;
    table.fill = cpu_fill;
    table.gemm = cpu_any_gemm;
    table.prepare_bytes = cpu_prepare_bytes;
    table.prepare = cpu_prepare;
    table.lstm_forward = cpu_lstm_forward;
    table.lstm_backward = cpu_lstm_backward;
    table.lstm_weight_gradient = cpu_lstm_weight_gradient;
    table.conv_forward = cpu_conv_forward;
    table.conv_backward_data = cpu_conv_backward_data;
    table.conv_weight_gradient = cpu_conv_weight_gradient;
    table.conv_prepare_bytes = cpu_conv_prepare_bytes;
    table.conv_prepare = cpu_conv_prepare;
    table.batch_norm_forward = cpu_batch_norm_forward;
    table.batch_norm_backward = cpu_batch_norm_backward;
    table.layer_norm_forward = cpu_layer_norm_forward;
    table.layer_norm_backward = cpu_layer_norm_backward;
    table.pool_forward = cpu_pool_forward;
    table.pool_backward = cpu_pool_backward;
    table.upsample_forward = cpu_upsample_forward;
    table.upsample_backward = cpu_upsample_backward;
    table.map = cpu_map;
    table.map_backward = cpu_map_backward;
    table.axpby = cpu_axpby;
    table.multiply = cpu_multiply;
    table.select = cpu_select;
    table.reduce = cpu_reduce;
    table.sum_squares = cpu_sum_squares;
    table.random = cpu_random;
    table.dropout = cpu_dropout;
    table.loss = cpu_loss;
    table.update = cpu_update;
    cpu_table = table;
}

const lstmae_backend_api *lae_backend_cpu(const lstmae_host *host)
{
    if (host->abi != LSTMAE_BACKEND_ABI) return NULL;
    pthread_once(&cpu_once, cpu_table_fill);
    return &cpu_table;
}
