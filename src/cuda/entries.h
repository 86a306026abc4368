/* The entries of the backend's table, by the file they are in. See <lstmae/backend.h> for what each does. */
#ifndef LAE_CUDA_ENTRIES_H
#define LAE_CUDA_ENTRIES_H

#include "queue.h"

/* device.cu */
int lae_cu_device_count(void);
lstmae_status lae_cu_device_info(int index, lstmae_device_info *info);
lstmae_status lae_cu_queue_create(lstmae_queue **out, const lstmae_queue_options *options);
void lae_cu_queue_destroy(lstmae_queue *queue);
lstmae_status lae_cu_queue_sync(lstmae_queue *queue);
int32_t lae_cu_queue_threads(const lstmae_queue *queue);

/* memory.cu */
lstmae_status lae_cu_alloc(lstmae_queue *queue, size_t bytes, void **out);
void lae_cu_release(lstmae_queue *queue, void *ptr, size_t bytes);
lstmae_status lae_cu_upload(lstmae_queue *queue, void *dst, const void *src, size_t bytes);
lstmae_status lae_cu_download(lstmae_queue *queue, void *dst, const void *src, size_t bytes);
void *lae_cu_host_alloc(lstmae_queue *queue, size_t bytes);
void lae_cu_host_release(lstmae_queue *queue, void *ptr, size_t bytes);

/* copy.cu */
lstmae_status lae_cu_copy(lstmae_queue *queue, const lstmae_view *dst, const lstmae_view *src);
lstmae_status lae_cu_fill(lstmae_queue *queue, const lstmae_view *dst, double value);

/* map.cu */
lstmae_status lae_cu_map(lstmae_queue *queue, int kind, double param, const lstmae_view *y, const lstmae_view *x);
lstmae_status lae_cu_map_backward(lstmae_queue *queue, int kind, double param, const lstmae_view *dx,
                                  const lstmae_view *dy, const lstmae_view *x, const lstmae_view *y);

/* arith.cu */
lstmae_status lae_cu_axpby(lstmae_queue *queue, const lstmae_view *y, double alpha, const lstmae_view *x, double beta);
lstmae_status lae_cu_multiply(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *a, const lstmae_view *b,
                              double beta);
lstmae_status lae_cu_select(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *mask, const lstmae_view *a,
                            const lstmae_view *b);

/* random.cu */
lstmae_status lae_cu_random(lstmae_queue *queue, int kind, const lstmae_view *out, double a, double b,
                            const lstmae_random_key *key);
lstmae_status lae_cu_dropout(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *x, double p,
                             const lstmae_random_key *key);

/* gemm.cu */
lstmae_status lae_cu_gemm(lstmae_queue *queue, const lstmae_gemm_args *args);

/* prepare.cu */
size_t lae_cu_prepare_bytes(const lstmae_queue *queue, int kind, int64_t N, int64_t K, int dtype);
lstmae_status lae_cu_prepare(lstmae_queue *queue, int kind, void *dst, const void *w, int64_t N, int64_t K, int dtype);

/* lstm_steps.cu */
lstmae_status lae_cu_lstm_cell_forward(lstmae_queue *queue, const lstmae_lstm_args *args, int64_t s);
lstmae_status lae_cu_lstm_cell_backward(lstmae_queue *queue, const lstmae_lstm_args *args, int64_t s);

/* lstm_forward.cu, lstm_backward.cu, lstm_weight.cu */
lstmae_status lae_cu_lstm_forward(lstmae_queue *queue, const lstmae_lstm_args *args);
lstmae_status lae_cu_lstm_backward(lstmae_queue *queue, const lstmae_lstm_args *args);
lstmae_status lae_cu_lstm_weight_gradient(lstmae_queue *queue, const lstmae_lstm_args *args);

/* pool.cu */
lstmae_status lae_cu_pool_forward(lstmae_queue *queue, const lstmae_pool_args *args);
lstmae_status lae_cu_pool_backward(lstmae_queue *queue, const lstmae_pool_args *args);

/* upsample.cu */
lstmae_status lae_cu_upsample_forward(lstmae_queue *queue, const lstmae_upsample_args *args);
lstmae_status lae_cu_upsample_backward(lstmae_queue *queue, const lstmae_upsample_args *args);

/* batch_norm.cu, layer_norm.cu */
lstmae_status lae_cu_batch_norm_forward(lstmae_queue *queue, const lstmae_norm_args *args);
lstmae_status lae_cu_batch_norm_backward(lstmae_queue *queue, const lstmae_norm_args *args);
lstmae_status lae_cu_layer_norm_forward(lstmae_queue *queue, const lstmae_norm_args *args);
lstmae_status lae_cu_layer_norm_backward(lstmae_queue *queue, const lstmae_norm_args *args);

/* conv.cu */
lstmae_status lae_cu_conv_forward(lstmae_queue *queue, const lstmae_conv_args *args);
lstmae_status lae_cu_conv_backward_data(lstmae_queue *queue, const lstmae_conv_args *args);
size_t lae_cu_conv_prepare_bytes(const lstmae_queue *queue, int kind, const lstmae_conv_args *args);
lstmae_status lae_cu_conv_prepare(lstmae_queue *queue, int kind, void *dst, const lstmae_conv_args *args);

/* conv_weight.cu */
lstmae_status lae_cu_conv_weight_gradient(lstmae_queue *queue, const lstmae_conv_args *args);

/* reduce.cu, sum_squares.cu, loss.cu, update.cu */
lstmae_status lae_cu_reduce(lstmae_queue *queue, int kind, const lstmae_view *out, const lstmae_view *in, double beta);
lstmae_status lae_cu_sum_squares(lstmae_queue *queue, const lstmae_view *views, int64_t count, double *out);
lstmae_status lae_cu_loss(lstmae_queue *queue, const lstmae_loss_args *args);
lstmae_status lae_cu_update(lstmae_queue *queue, const lstmae_update_args *args);
/* graph.cu */
lstmae_status lae_cu_capture_begin(lstmae_queue *queue);
lstmae_status lae_cu_capture_end(lstmae_queue *queue, lstmae_graph **out);
lstmae_status lae_cu_graph_launch(lstmae_queue *queue, lstmae_graph *graph, const lstmae_step_values *values);
void lae_cu_graph_release(lstmae_queue *queue, lstmae_graph *graph);

/* transfer.cu */
lstmae_status lae_cu_upload_begin(lstmae_queue *queue, void *dst, const void *src, size_t bytes);
lstmae_status lae_cu_upload_end(lstmae_queue *queue);

/* loop_prepare.cu */
size_t lae_cu_loop_prepare_bytes(const lstmae_queue *queue, int64_t N, int64_t I, int64_t H, int dtype);
lstmae_status lae_cu_loop_prepare(lstmae_queue *queue, void *dst, const void *w_x, const void *w_h, int64_t N,
                                  int64_t I, int64_t H, int dtype);

/* loop_forward.cu, loop_backward.cu */
lstmae_status lae_cu_loop_forward(lstmae_queue *queue, const lstmae_loop_args *args);
lstmae_status lae_cu_loop_backward(lstmae_queue *queue, const lstmae_loop_args *args);

/* side.cu */
lstmae_status lae_cu_lane_step(lstmae_queue *queue, int step);

#endif
