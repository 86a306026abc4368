#include "ops_image.h"

#include "ops.h"
#include "side.h"

int lae_op_channels_last(const lstmae_context *context, int dtype)
{
    return dtype == LSTMAE_F32 && (context->api->flags & LSTMAE_BACKEND_CHANNELS_LAST) != 0;
}

typedef lstmae_status (*image_conv_fn)(lstmae_queue *queue, const lstmae_conv_args *args);

/* Computes `out`; a derivative that the device does not multiply with is left to its map_backward(). */
static lstmae_status image_conv(lstmae_context *context, image_conv_fn entry, const lstmae_conv_args *args,
                                const lstmae_view *out)
{
    if (lae_view_numel(out) == 0) return LSTMAE_OK;
    LAE_TRY(lae_side_join(context));
    lstmae_status status = entry(context->queue, args);
    if (status != LSTMAE_ERR_UNSUPPORTED || !(args->flags & LSTMAE_CONV_DERIVATIVE)) return status;
    lstmae_conv_args sums = *args;
    sums.flags &= ~LSTMAE_CONV_DERIVATIVE;
    sums.map = LSTMAE_MAP_IDENTITY;
    sums.linear = NULL;
    LAE_TRY(entry(context->queue, &sums));
    return lae_op_map_backward(context, args->map, args->param, out, out, args->linear, args->linear);
}

lstmae_status lae_op_conv_forward(lstmae_context *context, const lstmae_conv_args *args)
{
    return image_conv(context, context->api->conv_forward, args, &args->y);
}

lstmae_status lae_op_conv_backward_data(lstmae_context *context, const lstmae_conv_args *args)
{
    return image_conv(context, context->api->conv_backward_data, args, &args->x);
}

lstmae_status lae_op_conv_weight_gradient(lstmae_context *context, const lstmae_conv_args *args)
{
    LAE_TRY(lae_side_join(context));
    return context->api->conv_weight_gradient(context->queue, args);
}

size_t lae_op_conv_prepare_bytes(const lstmae_context *context, int kind, const lstmae_conv_args *args)
{
    if (!context->api->conv_prepare_bytes) return 0;
    return context->api->conv_prepare_bytes(context->queue, kind, args);
}

lstmae_status lae_op_conv_prepare(lstmae_context *context, int kind, void *dst, const lstmae_conv_args *args)
{
    LAE_TRY(lae_side_join(context));
    return context->api->conv_prepare(context->queue, kind, dst, args);
}

lstmae_status lae_op_pool_forward(lstmae_context *context, const lstmae_pool_args *args)
{
    if (lae_view_numel(&args->y) == 0) return LSTMAE_OK;
    LAE_TRY(lae_side_join(context));
    return context->api->pool_forward(context->queue, args);
}

lstmae_status lae_op_pool_backward(lstmae_context *context, const lstmae_pool_args *args)
{
    if (lae_view_numel(&args->x) == 0) return LSTMAE_OK;
    LAE_TRY(lae_side_join(context));
    return context->api->pool_backward(context->queue, args);
}

lstmae_status lae_op_upsample_forward(lstmae_context *context, const lstmae_upsample_args *args)
{
    if (lae_view_numel(&args->y) == 0) return LSTMAE_OK;
    LAE_TRY(lae_side_join(context));
    return context->api->upsample_forward(context->queue, args);
}

lstmae_status lae_op_upsample_backward(lstmae_context *context, const lstmae_upsample_args *args)
{
    if (lae_view_numel(&args->x) == 0) return LSTMAE_OK;
    LAE_TRY(lae_side_join(context));
    return context->api->upsample_backward(context->queue, args);
}

lstmae_status lae_op_batch_norm_forward(lstmae_context *context, const lstmae_norm_args *args)
{
    LAE_TRY(lae_side_join(context));
    return context->api->batch_norm_forward(context->queue, args);
}

lstmae_status lae_op_batch_norm_backward(lstmae_context *context, const lstmae_norm_args *args)
{
    LAE_TRY(lae_side_join(context));
    return context->api->batch_norm_backward(context->queue, args);
}

lstmae_status lae_op_layer_norm_forward(lstmae_context *context, const lstmae_norm_args *args)
{
    LAE_TRY(lae_side_join(context));
    return context->api->layer_norm_forward(context->queue, args);
}

lstmae_status lae_op_layer_norm_backward(lstmae_context *context, const lstmae_norm_args *args)
{
    LAE_TRY(lae_side_join(context));
    return context->api->layer_norm_backward(context->queue, args);
}
