/* What a decoder is to say, and which frames of it count. */
#include "ops.h"
#include "seq2seq_internal.h"

#include <string.h>

int64_t lae_decoder_steps(const lae_decoder *decoder, int64_t T)
{
    return decoder->options.target == LSTMAE_DECODE_FUTURE ? decoder->options.steps : T;
}

/* The first `steps` frames of a view [T,B,F], last frame first. */
static lstmae_view target_reversed(const lstmae_view *x, int64_t steps)
{
    lstmae_view reversed = *x;
    reversed.data = lae_at(x->data, (steps - 1) * x->stride[0], x->dtype);
    reversed.stride[0] = -x->stride[0];
    reversed.dim[0] = steps;
    return reversed;
}

/* Every sample reversed within its own length, zeros after it. */
static lstmae_status target_reversed_lengths(lstmae_seq2seq *model, lae_decoder *decoder, const lstmae_view *x)
{
    lstmae_context *context = model->base.context;
    LAE_TRY(lae_tensor_ensure(&decoder->target, context, context->dtype, 3, x->dim));
    LAE_TRY(lae_op_fill(context, &decoder->target->view, 0.0));
    for (size_t b = 0; b < model->lengths_count; b++) {
        lstmae_view from = *x, to = decoder->target->view;
        if (model->lengths[b] == 0) continue;
        from.dim[1] = to.dim[1] = 1;
        from.data = lae_at(x->data, (int64_t)b * x->stride[1], x->dtype);
        to.data = lae_at(to.data, (int64_t)b * to.stride[1], to.dtype);
        from = target_reversed(&from, model->lengths[b]);
        to.dim[0] = model->lengths[b];
        LAE_TRY(lae_op_copy(context, &to, &from));
    }
    return LSTMAE_OK;
}

lstmae_status lae_seq2seq_target(lstmae_seq2seq *model, lae_decoder *decoder, const lstmae_tensor *x,
                                 const lstmae_tensor *future, lstmae_view *target)
{
    switch (decoder->options.target) {
    case LSTMAE_DECODE_FUTURE:
        *target = future->view;
        target->dim[0] = decoder->options.steps;
        return LSTMAE_OK;
    case LSTMAE_DECODE_FORWARD:
        *target = x->view;
        return LSTMAE_OK;
    default:
        if (model->lengths_count == 0 || x->view.dim[0] == 0) {
            *target = x->view.dim[0] == 0 ? x->view : target_reversed(&x->view, x->view.dim[0]);
            return LSTMAE_OK;
        }
        LAE_TRY(target_reversed_lengths(model, decoder, &x->view));
        *target = decoder->target->view;
        return LSTMAE_OK;
    }
}

/* Writes 1 where frame t of sample b is within its length. */
static void target_fill_mask(const lstmae_seq2seq *model, int64_t T, void *mask, int dtype)
{
    int64_t B = (int64_t)model->lengths_count;
    for (int64_t t = 0; t < T; t++) {
        for (int64_t b = 0; b < B; b++) {
            int counts = t < model->lengths[b];
            if (dtype == LSTMAE_F64) ((double *)mask)[t * B + b] = counts;
            else ((float *)mask)[t * B + b] = (float)counts;
        }
    }
}

lstmae_status lae_seq2seq_mask(lstmae_seq2seq *model, int64_t T, lstmae_view *mask)
{
    lstmae_context *context = model->base.context;
    int64_t dims[2] = { T, (int64_t)model->lengths_count };
    if (model->mask_steps != T) {
        LAE_TRY(lae_tensor_ensure(&model->mask, context, context->dtype, 2, dims));
        size_t bytes = (size_t)lae_view_numel(&model->mask->view) * lae_dtype_size((int)context->dtype);
        void *host = lae_alloc(&context->memory, bytes);
        if (!host) return LAE_FAIL(ERR_NO_MEMORY, "seq2seq: out of memory");
        target_fill_mask(model, T, host, (int)context->dtype);
        lstmae_status status = lstmae_tensor_write(model->mask, host, bytes);
        lae_free(&context->memory, host, bytes);
        LAE_TRY(status);
        model->mask_steps = T;
        model->mask_sum = 0.0;
        for (size_t b = 0; b < model->lengths_count; b++) model->mask_sum += (double)model->lengths[b];
    }
    *mask = model->mask->view;
    mask->ndim = 3;
    mask->dim[2] = 1;
    mask->stride[2] = 0;
    return LSTMAE_OK;
}
