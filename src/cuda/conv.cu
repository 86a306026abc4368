/* The entries that compute images: which way a convolution goes. Weight gradients are conv_weight.cu's. */
#include "conv_plan.h"
#include "entries.h"
#include "walk.h"

static lstmae_status conv_entry(lstmae_queue *queue, const char *name, const lstmae_conv_args *args, int transposed)
{
    const lstmae_view *const views[3] = { &args->x, &args->y, args->linear };
    const int64_t *dim = transposed ? args->x.dim : args->y.dim;
    lae_cu_conv_task task;
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_TRY(lae_cu_check_types(queue, name, 3, views));
    LAE_CU_TRY(lae_cu_check_kind(queue, name, args->map, LSTMAE_MAP_EXP));
    if (dim[0] == 0 || dim[1] == 0 || dim[2] == 0 || dim[3] == 0) return LSTMAE_OK;
    if (args->dtype != LSTMAE_F32 || !lae_cu_conv_plan(&task, args, transposed))
        return lae_cu_conv_plain(queue, args, transposed);
    task.weights = static_cast<const float *>(args->prepared);
    if (!task.weights) {
        void *memory;
        LAE_CU_TRY(lae_cu_scratch(queue, static_cast<size_t>(lae_cu_conv_prepared(&task)) * sizeof(float), &memory));
        float *weights = static_cast<float *>(memory);
        LAE_CU_TRY(lae_cu_conv_pack(queue, &task, weights, static_cast<const float *>(args->w)));
        task.weights = weights;
    }
    return lae_cu_conv_narrow_fits(&task) ? lae_cu_conv_narrow(queue, &task) : lae_cu_conv_tiles(queue, &task);
}

lstmae_status lae_cu_conv_forward(lstmae_queue *queue, const lstmae_conv_args *args)
{
    return conv_entry(queue, "conv_forward", args, 0);
}

lstmae_status lae_cu_conv_backward_data(lstmae_queue *queue, const lstmae_conv_args *args)
{
    return conv_entry(queue, "conv_backward_data", args, 1);
}

size_t lae_cu_conv_prepare_bytes(const lstmae_queue *queue, int kind, const lstmae_conv_args *args)
{
    lae_cu_conv_task task;
    (void)queue;
    if (args->dtype != LSTMAE_F32 || !lae_cu_conv_plan(&task, args, kind == LSTMAE_CONV_PREPARE_BACKWARD)) return 0;
    return static_cast<size_t>(lae_cu_conv_prepared(&task)) * sizeof(float);
}

lstmae_status lae_cu_conv_prepare(lstmae_queue *queue, int kind, void *dst, const lstmae_conv_args *args)
{
    lae_cu_conv_task task;
    LAE_CU_TRY(lae_cu_usable(queue));
    if (!lae_cu_conv_plan(&task, args, kind == LSTMAE_CONV_PREPARE_BACKWARD)) return LSTMAE_OK;
    return lae_cu_conv_pack(queue, &task, static_cast<float *>(dst), static_cast<const float *>(args->w));
}
