/* Images of any strides brought to where the kernels can read them. */
#include "conv.h"

#include <stddef.h>

int lae_conv_image_of(lae_conv_image *image, const lstmae_view *view)
{
    *image = (lae_conv_image){ view->data, view->stride[0], view->stride[2], view->stride[3] };
    return view->stride[1] == 1 || view->dim[1] == 1;
}

lstmae_status lae_conv_image_scratch(lstmae_queue *queue, lae_scratch_use use, lae_conv_image *image,
                                     lstmae_view *view, const lstmae_view *like)
{
    const int64_t C = like->dim[1], H = like->dim[2], W = like->dim[3];
    *view = *like;
    view->stride[0] = H * W * C;
    view->stride[1] = 1;
    view->stride[2] = W * C;
    view->stride[3] = C;
    view->data = lae_scratch_get(queue, use, (size_t)(like->dim[0] * view->stride[0]) * sizeof(float));
    if (!view->data) return LSTMAE_ERR_NO_MEMORY;
    lae_conv_image_of(image, view);
    return LSTMAE_OK;
}

typedef struct image_copy {
    const lstmae_view *dst, *src;
} image_copy;

/* Threads share the rows of all images. Planes with even rows are read channel by channel. */
static void image_task(void *payload, int thread, int threads)
{
    const image_copy *copy = payload;
    const lstmae_view *dst = copy->dst, *src = copy->src;
    const int64_t C = src->dim[1], H = src->dim[2], W = src->dim[3];
    int64_t begin, end;
    lae_pool_part(src->dim[0] * H, thread, threads, &begin, &end);
    for (int64_t row = begin; row < end; row++) {
        float *to = (float *)dst->data + row * dst->stride[2];
        const float *from = (const float *)src->data + row / H * src->stride[0] + row % H * src->stride[2];
        for (int64_t c = 0; c < C; c++)
            for (int64_t w = 0; w < W; w++) to[w * C + c] = from[c * src->stride[1] + w * src->stride[3]];
    }
}

lstmae_status lae_conv_image_bring(lstmae_queue *queue, lae_scratch_use use, lae_conv_image *image,
                                   const lstmae_view *view)
{
    if (lae_conv_image_of(image, view)) return LSTMAE_OK;
    lstmae_view dense;
    const lstmae_status status = lae_conv_image_scratch(queue, use, image, &dense, view);
    if (status < 0) return status;
    image_copy copy = { &dense, view };
    const int64_t elements = view->dim[0] * dense.stride[0];
    lae_pool_run(queue->pool, lae_pool_wanted(queue->pool, elements, LAE_POOL_GRAIN_ELEMENTS), image_task, &copy);
    return LSTMAE_OK;
}
