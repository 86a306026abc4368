/* The operation layer's doors to the image entries of a backend's table; see ops.h. */
#ifndef LAE_OPS_IMAGE_H
#define LAE_OPS_IMAGE_H

#include "tensor_internal.h"

/** 1 if images of this element type had better be [B,H,W,C] in memory. */
int lae_op_channels_last(const lstmae_context *context, int dtype);

lstmae_status lae_op_conv_forward(lstmae_context *context, const lstmae_conv_args *args);
lstmae_status lae_op_conv_backward_data(lstmae_context *context, const lstmae_conv_args *args);
lstmae_status lae_op_conv_weight_gradient(lstmae_context *context, const lstmae_conv_args *args);

lstmae_status lae_op_pool_forward(lstmae_context *context, const lstmae_pool_args *args);
lstmae_status lae_op_pool_backward(lstmae_context *context, const lstmae_pool_args *args);
lstmae_status lae_op_upsample_forward(lstmae_context *context, const lstmae_upsample_args *args);
lstmae_status lae_op_upsample_backward(lstmae_context *context, const lstmae_upsample_args *args);

/* x must have elements: there is no mean of nothing */
lstmae_status lae_op_batch_norm_forward(lstmae_context *context, const lstmae_norm_args *args);
lstmae_status lae_op_batch_norm_backward(lstmae_context *context, const lstmae_norm_args *args);
lstmae_status lae_op_layer_norm_forward(lstmae_context *context, const lstmae_norm_args *args);
lstmae_status lae_op_layer_norm_backward(lstmae_context *context, const lstmae_norm_args *args);

/* prepared weights; 0 bytes where the backend takes weights as they are */
size_t lae_op_conv_prepare_bytes(const lstmae_context *context, int kind, const lstmae_conv_args *args);
lstmae_status lae_op_conv_prepare(lstmae_context *context, int kind, void *dst, const lstmae_conv_args *args);

#endif
