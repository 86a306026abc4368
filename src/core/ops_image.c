#include "ops_image.h"

int lae_op_channels_last(const lstmae_context *context, int dtype)
{
    return dtype == LSTMAE_F32 && (context->api->flags & LSTMAE_BACKEND_CHANNELS_LAST) != 0;
}

lstmae_status lae_op_conv_forward(lstmae_context *context, const lstmae_conv_args *args)
{
    if (lae_view_numel(&args->y) == 0) return LSTMAE_OK;
    return context->api->conv_forward(context->queue, args);
}

lstmae_status lae_op_conv_backward_data(lstmae_context *context, const lstmae_conv_args *args)
{
    if (lae_view_numel(&args->x) == 0) return LSTMAE_OK;
    return context->api->conv_backward_data(context->queue, args);
}

lstmae_status lae_op_conv_weight_gradient(lstmae_context *context, const lstmae_conv_args *args)
{
    return context->api->conv_weight_gradient(context->queue, args);
}

size_t lae_op_conv_prepare_bytes(const lstmae_context *context, int kind, const lstmae_conv_args *args)
{
    if (!context->api->conv_prepare_bytes) return 0;
    return context->api->conv_prepare_bytes(context->queue, kind, args);
}

lstmae_status lae_op_conv_prepare(lstmae_context *context, int kind, void *dst, const lstmae_conv_args *args)
{
    return context->api->conv_prepare(context->queue, kind, dst, args);
}

lstmae_status lae_op_pool_forward(lstmae_context *context, const lstmae_pool_args *args)
{
    if (lae_view_numel(&args->y) == 0) return LSTMAE_OK;
    return context->api->pool_forward(context->queue, args);
}

lstmae_status lae_op_pool_backward(lstmae_context *context, const lstmae_pool_args *args)
{
    if (lae_view_numel(&args->x) == 0) return LSTMAE_OK;
    return context->api->pool_backward(context->queue, args);
}

lstmae_status lae_op_upsample_forward(lstmae_context *context, const lstmae_upsample_args *args)
{
    if (lae_view_numel(&args->y) == 0) return LSTMAE_OK;
    return context->api->upsample_forward(context->queue, args);
}

lstmae_status lae_op_upsample_backward(lstmae_context *context, const lstmae_upsample_args *args)
{
    if (lae_view_numel(&args->x) == 0) return LSTMAE_OK;
    return context->api->upsample_backward(context->queue, args);
}

lstmae_status lae_op_batch_norm_forward(lstmae_context *context, const lstmae_norm_args *args)
{
    return context->api->batch_norm_forward(context->queue, args);
}

lstmae_status lae_op_batch_norm_backward(lstmae_context *context, const lstmae_norm_args *args)
{
    return context->api->batch_norm_backward(context->queue, args);
}

lstmae_status lae_op_layer_norm_forward(lstmae_context *context, const lstmae_norm_args *args)
{
    return context->api->layer_norm_forward(context->queue, args);
}

lstmae_status lae_op_layer_norm_backward(lstmae_context *context, const lstmae_norm_args *args)
{
    return context->api->layer_norm_backward(context->queue, args);
}
