/*
 * The operation layer: the only door to a backend's table. Checks what it can, forwards the rest, and marks what it
 * changes. One function per entry of the table; views come first to last as in backend.h.
 */
#ifndef LAE_OPS_H
#define LAE_OPS_H

#include "tensor_internal.h"

/* memory */
lstmae_status lae_op_alloc(lstmae_context *context, size_t bytes, void **out);
void lae_op_release(lstmae_context *context, void *ptr, size_t bytes);
lstmae_status lae_op_upload(lstmae_context *context, void *dst, const void *src, size_t bytes);
lstmae_status lae_op_download(lstmae_context *context, void *dst, const void *src, size_t bytes);
lstmae_status lae_op_copy(lstmae_context *context, const lstmae_view *dst, const lstmae_view *src);
lstmae_status lae_op_fill(lstmae_context *context, const lstmae_view *dst, double value);
lstmae_status lae_op_zero(lstmae_context *context, void *data, int dtype, int64_t count);
lstmae_status lae_op_sync(lstmae_context *context);

/** Host memory that moves fast to and from the device; NULL where there is none. */
void *lae_op_host_alloc(lstmae_context *context, size_t bytes);
void lae_op_host_release(lstmae_context *context, void *ptr, size_t bytes);

/** Uploads beside the queue's work: see upload_begin in backend.h. Only where the device has them. */
int lae_op_uploads_beside(const lstmae_context *context);
lstmae_status lae_op_upload_begin(lstmae_context *context, void *dst, const void *src, size_t bytes);
lstmae_status lae_op_upload_end(lstmae_context *context);

/** Whether the device captures steps (replay.h). */
int lae_op_captures(const lstmae_context *context);

/* arithmetic */
lstmae_status lae_op_gemm(lstmae_context *context, const lstmae_gemm_args *args);
lstmae_status lae_op_map(lstmae_context *context, int kind, double param, const lstmae_view *y, const lstmae_view *x);
lstmae_status lae_op_map_backward(lstmae_context *context, int kind, double param, const lstmae_view *dx,
                                  const lstmae_view *dy, const lstmae_view *x, const lstmae_view *y);
lstmae_status lae_op_axpby(lstmae_context *context, const lstmae_view *y, double alpha, const lstmae_view *x,
                           double beta);
lstmae_status lae_op_multiply(lstmae_context *context, const lstmae_view *y, const lstmae_view *a, const lstmae_view *b,
                              double beta);
lstmae_status lae_op_select(lstmae_context *context, const lstmae_view *y, const lstmae_view *mask,
                            const lstmae_view *a, const lstmae_view *b);
lstmae_status lae_op_reduce(lstmae_context *context, int kind, const lstmae_view *out, const lstmae_view *in,
                            double beta);
lstmae_status lae_op_sum_squares(lstmae_context *context, const lstmae_view *views, int64_t count, double *out);
lstmae_status lae_op_random(lstmae_context *context, int kind, const lstmae_view *out, double a, double b,
                            const lstmae_random_key *key);
lstmae_status lae_op_dropout(lstmae_context *context, const lstmae_view *y, const lstmae_view *x, double p,
                             const lstmae_random_key *key);
lstmae_status lae_op_loss(lstmae_context *context, const lstmae_loss_args *args);
lstmae_status lae_op_update(lstmae_context *context, const lstmae_update_args *args);

/* recurrent: the backend's own sequence entries, or composed from gemm and the cell (lstm_compose.c) */
lstmae_status lae_op_lstm_forward(lstmae_context *context, const lstmae_lstm_args *args);
lstmae_status lae_op_lstm_backward(lstmae_context *context, const lstmae_lstm_args *args);
lstmae_status lae_op_lstm_weight_gradient(lstmae_context *context, const lstmae_lstm_args *args);
lstmae_status lae_op_lstm_cell_forward(lstmae_context *context, const lstmae_lstm_args *args, int64_t s);
lstmae_status lae_op_lstm_cell_backward(lstmae_context *context, const lstmae_lstm_args *args, int64_t s);

/* prepared weights; 0 bytes where the backend takes weights as they are */
size_t lae_op_prepare_bytes(const lstmae_context *context, int kind, int64_t N, int64_t K, int dtype);
lstmae_status lae_op_prepare(lstmae_context *context, int kind, void *dst, const void *w, int64_t N, int64_t K,
                             int dtype);
/** What to prepare a weight for that is wanted for `kind`: what is made for the one may serve for others. */
int lae_op_prepare_kind(const lstmae_context *context, int kind);

/* closed loops of decoders, where the backend has its own: ERR_UNSUPPORTED for what it does not do */
int lae_op_has_loop(const lstmae_context *context);
size_t lae_op_loop_prepare_bytes(const lstmae_context *context, int64_t N, int64_t I, int64_t H, int dtype);
lstmae_status lae_op_loop_prepare(lstmae_context *context, void *dst, const void *w_x, const void *w_h, int64_t N,
                                  int64_t I, int64_t H, int dtype);
lstmae_status lae_op_loop_forward(lstmae_context *context, const lstmae_loop_args *args);
lstmae_status lae_op_loop_backward(lstmae_context *context, const lstmae_loop_args *args);

/* a second order of work, where the backend has one: side.h alone calls it */
int lae_op_has_lanes(const lstmae_context *context);
lstmae_status lae_op_lane(lstmae_context *context, int step);

#endif
