/*
 * Entries of the "cpu" device that are products or contain some, gemm.c, prepare.c, lstm_*.c, conv_*.c; and those of
 * other layers, cpu_norm.c, cpu_layer_norm.c, cpu_pool.c, cpu_upsample.c. See backend.h.
 */
#ifndef LAE_CPU_ENTRIES_H
#define LAE_CPU_ENTRIES_H

#include <lstmae/backend.h>

/* Float only: ERR_UNSUPPORTED without a text for other types. */
lstmae_status cpu_gemm(lstmae_queue *queue, const lstmae_gemm_args *args);
lstmae_status cpu_lstm_forward(lstmae_queue *queue, const lstmae_lstm_args *args);
lstmae_status cpu_lstm_backward(lstmae_queue *queue, const lstmae_lstm_args *args);
lstmae_status cpu_lstm_weight_gradient(lstmae_queue *queue, const lstmae_lstm_args *args);

/* 0 bytes for other types. */
size_t cpu_prepare_bytes(const lstmae_queue *queue, int kind, int64_t N, int64_t K, int dtype);
lstmae_status cpu_prepare(lstmae_queue *queue, int kind, void *dst, const void *w, int64_t N, int64_t K, int dtype);

/* Other types go to the reference; the two about preparing answer as those above. */
lstmae_status cpu_conv_forward(lstmae_queue *queue, const lstmae_conv_args *args);
lstmae_status cpu_conv_backward_data(lstmae_queue *queue, const lstmae_conv_args *args);
lstmae_status cpu_conv_weight_gradient(lstmae_queue *queue, const lstmae_conv_args *args);
size_t cpu_conv_prepare_bytes(const lstmae_queue *queue, int kind, const lstmae_conv_args *args);
lstmae_status cpu_conv_prepare(lstmae_queue *queue, int kind, void *dst, const lstmae_conv_args *args);

/* Other types, and layouts that are not theirs, go to the reference. */
lstmae_status cpu_batch_norm_forward(lstmae_queue *queue, const lstmae_norm_args *args);
lstmae_status cpu_batch_norm_backward(lstmae_queue *queue, const lstmae_norm_args *args);
lstmae_status cpu_layer_norm_forward(lstmae_queue *queue, const lstmae_norm_args *args);
lstmae_status cpu_layer_norm_backward(lstmae_queue *queue, const lstmae_norm_args *args);
lstmae_status cpu_pool_forward(lstmae_queue *queue, const lstmae_pool_args *args);
lstmae_status cpu_pool_backward(lstmae_queue *queue, const lstmae_pool_args *args);
lstmae_status cpu_upsample_forward(lstmae_queue *queue, const lstmae_upsample_args *args);
lstmae_status cpu_upsample_backward(lstmae_queue *queue, const lstmae_upsample_args *args);

#endif
