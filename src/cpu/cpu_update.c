/* Optimizer updates of the "cpu" device: one pass over all tensors, in pieces that threads share. */
#include "cpu_arrays.h"

#include "kernels.h"
#include "pointwise.h"
#include "queue.h"

#include "shared/clip.h"
#include "shared/guard.h"

/* Elements of a piece: long enough for memory to stream, short enough to share evenly. */
#define UPDATE_PIECE 16384

typedef struct update_task {
    const lae_pointwise *loops;
    const lstmae_update_args *args;
    lae_update_stretch stretch; /* what all tensors share */
    int64_t pieces;
} update_task;

static int64_t update_pieces(const lstmae_update_tensor *tensor)
{
    return (tensor->count + UPDATE_PIECE - 1) / UPDATE_PIECE;
}

static lae_update_stretch update_numbers(const lstmae_update_args *args)
{
    int adam = args->kind == LSTMAE_UPDATE_ADAM;
    lae_update_stretch stretch = {
        .kind = args->kind,
        .flags = args->flags,
        .clip_factor = (float)(args->max_norm > 0.0 ? lae_clip_factor(*args->norm_sq, args->max_norm) : 1.0),
        .value_clip = args->value_clip > 0.0 ? (float)args->value_clip : INFINITY,
        .velocity_clip = args->velocity_clip > 0.0 ? (float)args->velocity_clip : INFINITY,
        .lr = (float)(adam ? args->lr / args->bias1 : args->lr),
        .momentum = (float)args->momentum,
        .beta1 = (float)args->beta1,
        .rest1 = (float)(1.0 - args->beta1),
        .beta2 = (float)args->beta2,
        .rest2 = (float)(1.0 - args->beta2),
        .rho = (float)args->rho,
        .rest_rho = (float)(1.0 - args->rho),
        .eps = (float)args->eps,
        .root_bias2 = adam ? (float)sqrt(args->bias2) : 1.0f,
    };
    return stretch;
}

/* Elements [begin, end) of a tensor. */
static void update_tensor(const update_task *task, const lstmae_update_tensor *tensor, int64_t begin, int64_t end)
{
    lae_update_stretch stretch = task->stretch;
    int decoupled = (task->args->flags & LSTMAE_UPDATE_DECOUPLED_DECAY) != 0;
    stretch.decay = decoupled ? 0.0f : (float)tensor->weight_decay;
    stretch.shrink = decoupled ? (float)(1.0 - task->args->lr * tensor->weight_decay) : 1.0f;
    stretch.param = (float *)tensor->param + begin;
    stretch.grad = (const float *)tensor->grad + begin;
    stretch.m = tensor->m ? (float *)tensor->m + begin : NULL;
    stretch.v = tensor->v ? (float *)tensor->v + begin : NULL;
    stretch.a = tensor->a ? (float *)tensor->a + begin : NULL;
    task->loops->update(&stretch, end - begin);
}

/* The thread's part of the pieces of all tensors, as if they lay one after the other. */
static void update_share(void *arg, int thread, int threads)
{
    const update_task *task = arg;
    int64_t begin, end, before = 0;
    lae_pool_part(task->pieces, thread, threads, &begin, &end);
    for (int64_t k = 0; k < task->args->count && before < end; k++) {
        const lstmae_update_tensor *tensor = &task->args->tensors[k];
        int64_t pieces = update_pieces(tensor);
        int64_t from = begin > before ? (begin - before) * UPDATE_PIECE : 0;
        int64_t to = end - before < pieces ? (end - before) * UPDATE_PIECE : tensor->count;
        if (from < to) update_tensor(task, tensor, from, to);
        before += pieces;
    }
}

lstmae_status cpu_update(lstmae_queue *queue, const lstmae_update_args *args)
{
    int64_t elements = 0;
    if (args->dtype != LSTMAE_F32 || args->kind < 0 || args->kind > LSTMAE_UPDATE_RMSPROP)
        return cpu_reference(queue)->update(queue, args);
    if (lae_update_left_out(args->flags, args->norm_sq, args->guard, args->guard_count)) return LSTMAE_OK;
    update_task task = { .loops = lae_pointwise_of(queue->kernels->isa), .args = args };
    task.stretch = update_numbers(args);
    for (int64_t k = 0; k < args->count; k++) {
        task.pieces += update_pieces(&args->tensors[k]);
        elements += args->tensors[k].count;
    }

    int wanted = lae_pool_wanted(queue->pool, elements, 2 * LAE_POOL_GRAIN_ELEMENTS);
    lae_pool_run(queue->pool, wanted, update_share, &task);
    return LSTMAE_OK;
}
