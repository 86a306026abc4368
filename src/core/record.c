#include "record.h"

#include "replay.h"

#include <string.h>

static lae_replay *record_of(const lstmae_queue *queue)
{
    return (lae_replay *)(uintptr_t)queue;
}

/* ---- entries that are taken down ---- */

#define RECORD_ARGS(name, type)                                                                    \
    static lstmae_status record_##name(lstmae_queue *queue, const type *args)                      \
    {                                                                                              \
        lae_call call = { .entry = LAE_CALL_##name, .args = args, .args_bytes = sizeof *args };    \
        return lae_replay_take(record_of(queue), &call);                                           \
    }
LAE_CALLS_OF_ARGS(RECORD_ARGS)

#define RECORD_CELL(name)                                                                          \
    static lstmae_status record_##name(lstmae_queue *queue, const lstmae_lstm_args *args, int64_t s) \
    {                                                                                              \
        lae_call call = { .entry = LAE_CALL_##name, .args = args, .args_bytes = sizeof *args };    \
        call.sizes[0] = s;                                                                         \
        return lae_replay_take(record_of(queue), &call);                                           \
    }
LAE_CALLS_OF_CELLS(RECORD_CELL)

static lstmae_status record_conv(lstmae_queue *queue, int entry, int kind, void *to, const lstmae_conv_args *args)
{
    lstmae_conv_args kept = *args;
    lae_call call = { .entry = entry, .kind = kind, .to = to, .args = &kept, .args_bytes = sizeof kept };
    call.views[0] = args->linear;
    kept.linear = NULL;
    return lae_replay_take(record_of(queue), &call);
}

#define RECORD_CONVOLUTION(name)                                                                   \
    static lstmae_status record_##name(lstmae_queue *queue, const lstmae_conv_args *args)          \
    {                                                                                              \
        return record_conv(queue, LAE_CALL_##name, 0, NULL, args);                                 \
    }
LAE_CALLS_OF_CONVOLUTIONS(RECORD_CONVOLUTION)

static lstmae_status record_conv_prepare(lstmae_queue *queue, int kind, void *dst, const lstmae_conv_args *args)
{
    return record_conv(queue, LAE_CALL_conv_prepare, kind, dst, args);
}

static lstmae_status record_prepare(lstmae_queue *queue, int kind, void *dst, const void *w, int64_t N, int64_t K,
                                    int dtype)
{
    lae_call call = { .entry = LAE_CALL_prepare, .kind = kind, .sizes = { N, K, dtype }, .to = dst, .from = w };
    return lae_replay_take(record_of(queue), &call);
}

static lstmae_status record_loop_prepare(lstmae_queue *queue, void *dst, const void *w_x, const void *w_h, int64_t N,
                                         int64_t I, int64_t H, int dtype)
{
    lae_call call = { .entry = LAE_CALL_loop_prepare, .sizes = { N, I, H, dtype }, .to = dst, .from = w_h };
    call.beside = w_x;
    return lae_replay_take(record_of(queue), &call);
}

/* The layers are copied: their keys are to be without the step's draws. */
static lstmae_status record_loop(lstmae_queue *queue, int entry, const lstmae_loop_args *args)
{
    lae_replay *replay = record_of(queue);
    const size_t layers = (size_t)(args->count * args->L);
    lstmae_loop_args kept = *args;
    lae_call call = { .entry = entry, .args = &kept, .args_bytes = sizeof kept };
    call.list_bytes[0] = layers * sizeof *args->layers;
    call.list_bytes[1] = (size_t)args->count * sizeof *args->decoders;
    call.list_bytes[2] = (size_t)(args->L + 1) * sizeof *args->weights;
    if (!lae_grow(&replay->context->memory, &replay->layers, &replay->layers_bytes, call.list_bytes[0]))
        return LAE_FAIL(ERR_NO_MEMORY, "replay: no memory for %zu layers", layers);
    memcpy(replay->layers, args->layers, call.list_bytes[0]);
    lae_call_loop_keys(replay->layers, args->count * args->L, UINT64_C(0) - replay->values.draws);
    call.lists[0] = replay->layers;
    call.lists[1] = args->decoders;
    call.lists[2] = args->weights;
    kept.layers = NULL;
    kept.decoders = NULL;
    kept.weights = NULL;
    return lae_replay_take(replay, &call);
}

static lstmae_status record_loop_forward(lstmae_queue *queue, const lstmae_loop_args *args)
{
    return record_loop(queue, LAE_CALL_loop_forward, args);
}

static lstmae_status record_loop_backward(lstmae_queue *queue, const lstmae_loop_args *args)
{
    return record_loop(queue, LAE_CALL_loop_backward, args);
}

static lstmae_status record_lane(lstmae_queue *queue, int step)
{
    lae_call call = { .entry = LAE_CALL_lane, .kind = step };
    return lae_replay_take(record_of(queue), &call);
}

static lstmae_status record_copy(lstmae_queue *queue, const lstmae_view *dst, const lstmae_view *src)
{
    lae_call call = { .entry = LAE_CALL_copy, .views = { dst, src } };
    return lae_replay_take(record_of(queue), &call);
}

static lstmae_status record_fill(lstmae_queue *queue, const lstmae_view *dst, double value)
{
    lae_call call = { .entry = LAE_CALL_fill, .numbers = { value }, .views = { dst } };
    return lae_replay_take(record_of(queue), &call);
}

static lstmae_status record_map(lstmae_queue *queue, int kind, double param, const lstmae_view *y, const lstmae_view *x)
{
    lae_call call = { .entry = LAE_CALL_map, .kind = kind, .numbers = { param }, .views = { y, x } };
    return lae_replay_take(record_of(queue), &call);
}

static lstmae_status record_map_backward(lstmae_queue *queue, int kind, double param, const lstmae_view *dx,
                                         const lstmae_view *dy, const lstmae_view *x, const lstmae_view *y)
{
    lae_call call = { .entry = LAE_CALL_map_backward, .kind = kind, .numbers = { param }, .views = { dx, dy, x, y } };
    return lae_replay_take(record_of(queue), &call);
}

static lstmae_status record_axpby(lstmae_queue *queue, const lstmae_view *y, double alpha, const lstmae_view *x,
                                  double beta)
{
    lae_call call = { .entry = LAE_CALL_axpby, .numbers = { alpha, beta }, .views = { y, x } };
    return lae_replay_take(record_of(queue), &call);
}

static lstmae_status record_multiply(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *a,
                                     const lstmae_view *b, double beta)
{
    lae_call call = { .entry = LAE_CALL_multiply, .numbers = { beta }, .views = { y, a, b } };
    return lae_replay_take(record_of(queue), &call);
}

static lstmae_status record_select(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *mask,
                                   const lstmae_view *a, const lstmae_view *b)
{
    lae_call call = { .entry = LAE_CALL_select, .views = { y, mask, a, b } };
    return lae_replay_take(record_of(queue), &call);
}

static lstmae_status record_reduce(lstmae_queue *queue, int kind, const lstmae_view *out, const lstmae_view *in,
                                   double beta)
{
    lae_call call = { .entry = LAE_CALL_reduce, .kind = kind, .numbers = { beta }, .views = { out, in } };
    return lae_replay_take(record_of(queue), &call);
}

static lstmae_status record_sum_squares(lstmae_queue *queue, const lstmae_view *views, int64_t count, double *out)
{
    lae_call call = { .entry = LAE_CALL_sum_squares, .sizes = { count }, .to = out, .lists = { views } };
    call.list_bytes[0] = (size_t)count * sizeof *views;
    return lae_replay_take(record_of(queue), &call);
}

static lstmae_status record_random(lstmae_queue *queue, int kind, const lstmae_view *out, double a, double b,
                                   const lstmae_random_key *key)
{
    lae_call call = { .entry = LAE_CALL_random, .kind = kind, .numbers = { a, b }, .key = *key, .views = { out } };
    return lae_replay_take(record_of(queue), &call);
}

static lstmae_status record_dropout(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *x, double p,
                                    const lstmae_random_key *key)
{
    lae_call call = { .entry = LAE_CALL_dropout, .numbers = { p }, .key = *key, .views = { y, x } };
    return lae_replay_take(record_of(queue), &call);
}

static lstmae_status record_loss(lstmae_queue *queue, const lstmae_loss_args *args)
{
    lstmae_loss_args kept = *args;
    lae_call call = { .entry = LAE_CALL_loss, .args = &kept, .args_bytes = sizeof kept };
    call.views[0] = args->mask;
    call.views[1] = args->grad;
    kept.mask = kept.grad = NULL;
    return lae_replay_take(record_of(queue), &call);
}

static lstmae_status record_update(lstmae_queue *queue, const lstmae_update_args *args)
{
    lstmae_update_args kept = *args;
    const lstmae_step_values values = { .lr = args->lr, .bias1 = args->bias1, .bias2 = args->bias2 };
    lae_call call = { .entry = LAE_CALL_update, .args = &kept, .args_bytes = sizeof kept };
    call.lists[0] = args->tensors;
    call.list_bytes[0] = (size_t)args->count * sizeof *args->tensors;
    kept.tensors = NULL;
    kept.lr = kept.bias1 = kept.bias2 = 0.0;
    return lae_replay_take_update(record_of(queue), &call, &values);
}

/* ---- entries that the host is part of: what was taken down is made first ---- */

static lstmae_status record_queue_sync(lstmae_queue *queue)
{
    lae_replay *replay = record_of(queue);
    LAE_TRY(lae_replay_break(replay));
    return replay->api->queue_sync(replay->queue);
}

static lstmae_status record_upload(lstmae_queue *queue, void *dst, const void *src, size_t bytes)
{
    lae_replay *replay = record_of(queue);
    LAE_TRY(lae_replay_break(replay));
    return replay->api->upload(replay->queue, dst, src, bytes);
}

static lstmae_status record_download(lstmae_queue *queue, void *dst, const void *src, size_t bytes)
{
    lae_replay *replay = record_of(queue);
    LAE_TRY(lae_replay_break(replay));
    return replay->api->download(replay->queue, dst, src, bytes);
}

static lstmae_status record_upload_begin(lstmae_queue *queue, void *dst, const void *src, size_t bytes)
{
    lae_replay *replay = record_of(queue);
    LAE_TRY(lae_replay_break(replay));
    return replay->api->upload_begin(replay->queue, dst, src, bytes);
}

static lstmae_status record_upload_end(lstmae_queue *queue)
{
    lae_replay *replay = record_of(queue);
    LAE_TRY(lae_replay_break(replay));
    return replay->api->upload_end(replay->queue);
}

/* What was taken down may use this memory. An error of it is met again by the calls that follow. */
static void record_release(lstmae_queue *queue, void *ptr, size_t bytes)
{
    lae_replay *replay = record_of(queue);
    lae_replay_settle(replay);
    replay->api->release(replay->queue, ptr, bytes);
}

static void record_host_release(lstmae_queue *queue, void *ptr, size_t bytes)
{
    lae_replay *replay = record_of(queue);
    replay->api->host_release(replay->queue, ptr, bytes);
}

/* ---- entries that have no place in the order of work ---- */

static lstmae_status record_alloc(lstmae_queue *queue, size_t bytes, void **out)
{
    lae_replay *replay = record_of(queue);
    return replay->api->alloc(replay->queue, bytes, out);
}

static void *record_host_alloc(lstmae_queue *queue, size_t bytes)
{
    lae_replay *replay = record_of(queue);
    return replay->api->host_alloc(replay->queue, bytes);
}

static int32_t record_queue_threads(const lstmae_queue *queue)
{
    const lae_replay *replay = record_of(queue);
    return replay->api->queue_threads(replay->queue);
}

static size_t record_prepare_bytes(const lstmae_queue *queue, int kind, int64_t N, int64_t K, int dtype)
{
    const lae_replay *replay = record_of(queue);
    return replay->api->prepare_bytes(replay->queue, kind, N, K, dtype);
}

static size_t record_loop_prepare_bytes(const lstmae_queue *queue, int64_t N, int64_t I, int64_t H, int dtype)
{
    const lae_replay *replay = record_of(queue);
    return replay->api->loop_prepare_bytes(replay->queue, N, I, H, dtype);
}

static size_t record_conv_prepare_bytes(const lstmae_queue *queue, int kind, const lstmae_conv_args *args)
{
    const lae_replay *replay = record_of(queue);
    return replay->api->conv_prepare_bytes(replay->queue, kind, args);
}

/* ---- the table ---- */

void lae_record_table(lstmae_backend_api *table, const lstmae_backend_api *api)
{
    *table = (lstmae_backend_api){ .struct_size = sizeof *table, .abi = api->abi, .name = api->name };
    table->flags = api->flags;
#define RECORD_SET(entry, ...) table->entry = api->entry ? record_##entry : NULL;
    LAE_CALLS_OF_ARGS(RECORD_SET)
    LAE_CALLS_OF_CELLS(RECORD_SET)
    LAE_CALLS_OF_CONVOLUTIONS(RECORD_SET)
    LAE_CALLS_OF_THEIR_OWN(RECORD_SET)
    RECORD_SET(queue_sync)
    RECORD_SET(queue_threads)
    RECORD_SET(alloc)
    RECORD_SET(release)
    RECORD_SET(upload)
    RECORD_SET(download)
    RECORD_SET(upload_begin)
    RECORD_SET(upload_end)
    RECORD_SET(host_alloc)
    RECORD_SET(host_release)
    RECORD_SET(prepare_bytes)
    RECORD_SET(conv_prepare_bytes)
    RECORD_SET(loop_prepare_bytes)
#undef RECORD_SET
}
