/* The entries for convolutions and transposed ones: operands are brought, weights packed, and a kernel chosen. */
#include "conv_winograd.h"
#include "cpu_arrays.h"
#include "cpu_entries.h"
#include "kernels.h"

#include <string.h>

/* Pre-activations of this size and more go past the caches: what comes next reads the activations. */
#define DATA_STREAM_FLOATS ((int64_t)1 << 19)

int64_t lae_conv_products(const lae_conv_shape *shape)
{
    const lae_conv_rule *height = &shape->height, *width = &shape->width;
    const int64_t pixels = height->transposed ? height->in * width->in : height->out * width->out;
    return shape->batch * pixels * lae_conv_taps(shape) * shape->groups * shape->depth * shape->features;
}

/* n floats that are next to each other in both. */
static void data_finish(const lae_conv_call *call, float *out, float *linear, int64_t n)
{
    if (call->derivative) {
        call->loops->map_backward(call->map, call->param, out, out, linear, n);
        return;
    }
    if (linear && call->stream) call->kernels->stream(linear, out, n);
    else if (linear) memcpy(linear, out, (size_t)n * sizeof(float));
    if (call->map != LSTMAE_MAP_IDENTITY) call->loops->map(call->map, call->param, out, out, n);
}

void lae_conv_finish(const lae_conv_call *call, int64_t image, int64_t row, int64_t begin, int64_t end, int64_t c0,
                     int64_t c1)
{
    const lae_conv_image *to = &call->out, *also = &call->linear;
    const int64_t channels = call->shape.groups * call->shape.features;
    if (call->map == LSTMAE_MAP_IDENTITY && !also->data) return;
    float *out = to->data + image * to->batch + row * to->row + begin * to->column + c0;
    float *linear = also->data ? also->data + image * also->batch + row * also->row + begin * also->column + c0 : NULL;
    if (c1 - c0 == channels && to->column == channels && (!linear || also->column == channels)) {
        data_finish(call, out, linear, (end - begin) * channels);
        return;
    }
    for (int64_t i = begin; i < end; i++, out += to->column) {
        data_finish(call, out, linear, c1 - c0);
        if (linear) linear += also->column;
    }
}

static lstmae_status data_run(lstmae_queue *queue, lae_conv_call *call, const lstmae_conv_args *args)
{
    const float *packed = args->prepared;
    int tiles;
    if (!packed) {
        const int64_t floats = lae_conv_packed_floats(call->kernels, &call->shape);
        float *fresh = lae_scratch_get(queue, LAE_SCRATCH_PACK_W, (size_t)floats * sizeof(float));
        if (!fresh) return LSTMAE_ERR_NO_MEMORY;
        lae_conv_pack(queue, call->kernels, &call->shape, fresh, args->w);
        packed = fresh;
    }
    call->panels = lae_conv_packed_panels(&call->shape, packed, &tiles);
    if (tiles) return lae_winograd_run(queue, call);
    if (lae_conv_narrow_fits(call)) return lae_conv_narrow_run(queue, call);
    return lae_conv_wide_run(queue, call);
}

/* Outputs whose channels are not adjacent are computed in scratch memory and copied. */
static lstmae_status data_run_elsewhere(lstmae_queue *queue, lae_conv_call *call, const lstmae_conv_args *args,
                                        const lstmae_view *y)
{
    lstmae_view dense;
    lstmae_status status = lae_conv_image_scratch(queue, LAE_SCRATCH_IMAGE_Y, &call->out, &dense, y);
    if (status < 0) return status;
    call->linear.data = NULL;
    call->derivative = 0;
    if (args->linear) call->map = LSTMAE_MAP_IDENTITY;
    status = data_run(queue, call, args);
    const int derivative = (args->flags & LSTMAE_CONV_DERIVATIVE) != 0;
    if (status >= 0) status = cpu_copy(queue, args->linear && !derivative ? args->linear : y, &dense);
    if (status < 0 || !args->linear) return status;
    return derivative ? cpu_map_backward(queue, args->map, args->param, y, y, args->linear, args->linear)
                      : cpu_map(queue, args->map, args->param, y, args->linear);
}

static lstmae_status data_entry(lstmae_queue *queue, const lstmae_conv_args *args, int transposed)
{
    const lstmae_view *x = transposed ? &args->y : &args->x, *y = transposed ? &args->x : &args->y;
    lae_conv_call call = { .kernels = lae_conv_kernels_of(queue->kernels->isa),
                           .loops = lae_pointwise_of(queue->kernels->isa),
                           .shape = lae_conv_shape_of(args, transposed),
                           .bias = args->bias,
                           .map = args->map,
                           .param = (float)args->param,
                           .derivative = (args->flags & LSTMAE_CONV_DERIVATIVE) != 0 };
    const lstmae_status status = lae_conv_image_bring(queue, LAE_SCRATCH_IMAGE_X, &call.in, x);
    if (status < 0) return status;
    if (!lae_conv_image_of(&call.out, y) || (args->linear && !lae_conv_image_of(&call.linear, args->linear)))
        return data_run_elsewhere(queue, &call, args, y);
    call.stream = y->dim[0] * y->dim[1] * y->dim[2] * y->dim[3] >= DATA_STREAM_FLOATS;
    return data_run(queue, &call, args);
}

lstmae_status cpu_conv_forward(lstmae_queue *queue, const lstmae_conv_args *args)
{
    if (args->dtype != LSTMAE_F32) return cpu_reference(queue)->conv_forward(queue, args);
    return data_entry(queue, args, 0);
}

lstmae_status cpu_conv_backward_data(lstmae_queue *queue, const lstmae_conv_args *args)
{
    if (args->dtype != LSTMAE_F32) return cpu_reference(queue)->conv_backward_data(queue, args);
    return data_entry(queue, args, 1);
}
