/* Device "cuda": the table, and the one symbol that this plugin exports. */
#include "entries.h"

static lstmae_backend_api backend_table;

static void backend_fill(lstmae_backend_api *table)
{
    table->struct_size = sizeof *table;
    table->abi = LSTMAE_BACKEND_ABI;
    table->name = "cuda";
    table->flags = LSTMAE_BACKEND_CHANNELS_LAST | LSTMAE_BACKEND_PREPARE_ONCE;
    table->device_count = lae_cu_device_count;
    table->device_info = lae_cu_device_info;
    table->queue_create = lae_cu_queue_create;
    table->queue_destroy = lae_cu_queue_destroy;
    table->queue_sync = lae_cu_queue_sync;
    table->queue_threads = lae_cu_queue_threads;
    table->alloc = lae_cu_alloc;
    table->release = lae_cu_release;
    table->upload = lae_cu_upload;
    table->download = lae_cu_download;
    table->pool_forward = lae_cu_pool_forward;
    table->pool_backward = lae_cu_pool_backward;
    table->upsample_forward = lae_cu_upsample_forward;
    table->upsample_backward = lae_cu_upsample_backward;
    table->batch_norm_forward = lae_cu_batch_norm_forward;
    table->batch_norm_backward = lae_cu_batch_norm_backward;
    table->layer_norm_forward = lae_cu_layer_norm_forward;
    table->layer_norm_backward = lae_cu_layer_norm_backward;
    table->host_alloc = lae_cu_host_alloc;
    table->host_release = lae_cu_host_release;
    table->capture_begin = lae_cu_capture_begin;
    table->capture_end = lae_cu_capture_end;
    table->graph_launch = lae_cu_graph_launch;
    table->graph_release = lae_cu_graph_release;
    table->upload_begin = lae_cu_upload_begin;
    table->upload_end = lae_cu_upload_end;
    table->copy = lae_cu_copy;
    table->fill = lae_cu_fill;
    table->map = lae_cu_map;
    table->map_backward = lae_cu_map_backward;
    table->axpby = lae_cu_axpby;
    table->multiply = lae_cu_multiply;
    table->select = lae_cu_select;
    table->random = lae_cu_random;
    table->dropout = lae_cu_dropout;
    table->gemm = lae_cu_gemm;
    table->prepare_bytes = lae_cu_prepare_bytes;
    table->prepare = lae_cu_prepare;
    table->lstm_cell_forward = lae_cu_lstm_cell_forward;
    table->lstm_cell_backward = lae_cu_lstm_cell_backward;
    table->conv_forward = lae_cu_conv_forward;
    table->conv_backward_data = lae_cu_conv_backward_data;
    table->conv_weight_gradient = lae_cu_conv_weight_gradient;
    table->conv_prepare_bytes = lae_cu_conv_prepare_bytes;
    table->conv_prepare = lae_cu_conv_prepare;
    table->reduce = lae_cu_reduce;
    table->sum_squares = lae_cu_sum_squares;
    table->loss = lae_cu_loss;
    table->update = lae_cu_update;
    table->lstm_forward = lae_cu_lstm_forward;
    table->lstm_backward = lae_cu_lstm_backward;
    table->lstm_weight_gradient = lae_cu_lstm_weight_gradient;
    table->loop_prepare_bytes = lae_cu_loop_prepare_bytes;
    table->loop_prepare = lae_cu_loop_prepare;
    table->loop_forward = lae_cu_loop_forward;
    table->loop_backward = lae_cu_loop_backward;
    table->lane = lae_cu_lane_step;
}

/* The registry calls this under its lock. */
#define BACKEND_EXPORT extern "C" __attribute__((visibility("default")))

BACKEND_EXPORT const lstmae_backend_api *lstmae_backend_entry(uint32_t host_abi, const lstmae_host *host)
{
    int count = 0;
    if (host_abi != LSTMAE_BACKEND_ABI) return NULL;
    cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess || count == 0) {
        (void)cudaGetLastError();
        (void)host->fail(LSTMAE_ERR_UNSUPPORTED, "%s", error == cudaSuccess ? "no device" : cudaGetErrorString(error));
        return NULL;
    }
    backend_fill(&backend_table);
    return &backend_table;
}
