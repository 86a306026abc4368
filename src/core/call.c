#include "call.h"

#include <string.h>

/* ---- bytes ---- */

/* How a call is kept: this, its argument struct, its views, its lists. All sizes are multiples of 8. */
typedef struct call_head {
    size_t bytes; /* of all */
    lae_call call; /* its pointers to host memory are NULL where there is nothing, else not looked at */
} call_head;

static size_t call_bytes(const lae_call *call)
{
    size_t bytes = sizeof(call_head) + call->args_bytes;
    for (int v = 0; v < LAE_CALL_VIEWS; v++) bytes += call->views[v] ? sizeof(lstmae_view) : 0;
    for (int l = 0; l < LAE_CALL_LISTS; l++) bytes += call->list_bytes[l];
    return bytes;
}

/* What is compared: no status, no addresses of host memory. */
static call_head call_head_of(const lae_call *call)
{
    static const char there;
    call_head head;
    memset(&head, 0, sizeof head);
    head.bytes = call_bytes(call);
    head.call = *call;
    head.call.status = LSTMAE_OK;
    if (call->args) head.call.args = &there;
    for (int l = 0; l < LAE_CALL_LISTS; l++)
        if (call->lists[l]) head.call.lists[l] = &there;
    for (int v = 0; v < LAE_CALL_VIEWS; v++)
        if (call->views[v]) head.call.views[v] = (const lstmae_view *)(const void *)&there;
    return head;
}

static int calls_grow(lae_calls *calls, lae_memory *memory, size_t room)
{
    if (room <= calls->room) return 1;
    if (room < 2 * calls->room) room = 2 * calls->room;
    unsigned char *grown = lae_alloc(memory, room);
    if (!grown) return 0;
    if (calls->size > 0) memcpy(grown, calls->bytes, calls->size);
    lae_free(memory, calls->bytes, calls->room);
    calls->bytes = grown;
    calls->room = room;
    return 1;
}

static unsigned char *calls_put(unsigned char *at, const void *bytes, size_t count)
{
    if (count > 0) memcpy(at, bytes, count);
    return at + count;
}

int lae_calls_append(lae_calls *calls, lae_memory *memory, const lae_call *call)
{
    call_head head = call_head_of(call);
    if (!calls_grow(calls, memory, calls->size + head.bytes)) return 0;
    head.call.status = call->status;
    unsigned char *at = calls_put(calls->bytes + calls->size, &head, sizeof head);
    at = calls_put(at, call->args, call->args_bytes);
    for (int v = 0; v < LAE_CALL_VIEWS; v++)
        at = calls_put(at, call->views[v], call->views[v] ? sizeof(lstmae_view) : 0);
    for (int l = 0; l < LAE_CALL_LISTS; l++) at = calls_put(at, call->lists[l], call->list_bytes[l]);
    calls->size += head.bytes;
    return 1;
}

size_t lae_calls_at(const lae_calls *calls, size_t offset, lae_call *call)
{
    const call_head *head = (const call_head *)(const void *)(calls->bytes + offset);
    const unsigned char *at = calls->bytes + offset + sizeof *head;
    *call = head->call;
    if (call->args) call->args = at;
    at += call->args_bytes;
    for (int v = 0; v < LAE_CALL_VIEWS; v++) {
        if (!call->views[v]) continue;
        call->views[v] = (const lstmae_view *)(const void *)at;
        at += sizeof(lstmae_view);
    }
    for (int l = 0; l < LAE_CALL_LISTS; l++) {
        if (!call->lists[l]) continue;
        call->lists[l] = at;
        at += call->list_bytes[l];
    }
    return offset + head->bytes;
}

static int call_same(const void *a, const void *b, size_t bytes)
{
    return bytes == 0 || memcmp(a, b, bytes) == 0;
}

size_t lae_calls_match(const lae_calls *calls, size_t offset, lae_call *call)
{
    call_head wanted = call_head_of(call);
    lae_call kept;
    if (offset >= calls->size) return 0;
    size_t next = lae_calls_at(calls, offset, &kept);
    const call_head *head = (const call_head *)(const void *)(calls->bytes + offset);
    wanted.call.status = kept.status;
    if (memcmp(head, &wanted, sizeof wanted) != 0) return 0;
    if (!call_same(kept.args, call->args, call->args_bytes)) return 0;
    for (int v = 0; v < LAE_CALL_VIEWS; v++)
        if (!call_same(kept.views[v], call->views[v], call->views[v] ? sizeof(lstmae_view) : 0)) return 0;
    for (int l = 0; l < LAE_CALL_LISTS; l++)
        if (!call_same(kept.lists[l], call->lists[l], call->list_bytes[l])) return 0;
    call->status = kept.status;
    return next;
}

int lae_calls_assign(lae_calls *calls, lae_memory *memory, const lae_calls *other, size_t size)
{
    calls->size = 0;
    if (!calls_grow(calls, memory, size)) return 0;
    if (size > 0) memcpy(calls->bytes, other->bytes, size);
    calls->size = size;
    return 1;
}

void lae_calls_release(lae_calls *calls, lae_memory *memory)
{
    lae_free(memory, calls->bytes, calls->room);
    *calls = (lae_calls){ NULL, 0, 0 };
}

/* ---- calls ---- */

static lstmae_status call_update(const lae_call *call, const lstmae_backend_api *api, lstmae_queue *queue,
                                 const lstmae_step_values *values)
{
    lstmae_update_args args = *(const lstmae_update_args *)call->args;
    args.tensors = call->lists[0];
    args.lr = values->lr;
    args.bias1 = values->bias1;
    args.bias2 = values->bias2;
    return api->update(queue, &args);
}

static lstmae_status call_loss(const lae_call *call, const lstmae_backend_api *api, lstmae_queue *queue)
{
    lstmae_loss_args args = *(const lstmae_loss_args *)call->args;
    args.mask = call->views[0];
    args.grad = call->views[1];
    return api->loss(queue, &args);
}

static lstmae_conv_args call_conv_args(const lae_call *call)
{
    lstmae_conv_args args = *(const lstmae_conv_args *)call->args;
    args.linear = call->views[0];
    return args;
}

static lstmae_status call_convolution(const lae_call *call, const lstmae_backend_api *api, lstmae_queue *queue)
{
    const lstmae_conv_args args = call_conv_args(call);
    switch (call->entry) {
#define CALL_CASE(name)                                                                            \
    case LAE_CALL_##name: return api->name(queue, &args);
        LAE_CALLS_OF_CONVOLUTIONS(CALL_CASE)
#undef CALL_CASE
    default: return api->conv_prepare(queue, (int)call->kind, call->to, &args);
    }
}

void lae_call_loop_keys(lstmae_loop_layer *layers, int64_t count, uint64_t draws)
{
    for (int64_t i = 0; i < count; i++)
        if (layers[i].dropped) layers[i].key.stream += draws;
}

static lstmae_status call_loop(const lae_call *call, const lstmae_backend_api *api, lstmae_queue *queue,
                               const lstmae_step_values *values)
{
    lstmae_loop_args args = *(const lstmae_loop_args *)call->args;
    lstmae_loop_layer *layers = (lstmae_loop_layer *)(uintptr_t)call->lists[0];
    args.layers = layers;
    args.decoders = call->lists[1];
    args.weights = call->lists[2];
    lae_call_loop_keys(layers, args.count * args.L, values->draws);
    lstmae_status status = call->entry == LAE_CALL_loop_forward ? api->loop_forward(queue, &args)
                                                                : api->loop_backward(queue, &args);
    lae_call_loop_keys(layers, args.count * args.L, UINT64_C(0) - values->draws);
    return status;
}

static lstmae_status call_loop_prepare(const lae_call *call, const lstmae_backend_api *api, lstmae_queue *queue)
{
    const int64_t *sizes = call->sizes;
    return api->loop_prepare(queue, call->to, call->beside, call->from, sizes[0], sizes[1], sizes[2], (int)sizes[3]);
}

static lstmae_status call_of_arrays(const lae_call *call, const lstmae_backend_api *api, lstmae_queue *queue,
                                    const lstmae_random_key *key)
{
    const lstmae_view *const *v = call->views;
    const int kind = (int)call->kind;
    const double a = call->numbers[0], b = call->numbers[1];
    switch (call->entry) {
    case LAE_CALL_copy: return api->copy(queue, v[0], v[1]);
    case LAE_CALL_fill: return api->fill(queue, v[0], a);
    case LAE_CALL_map: return api->map(queue, kind, a, v[0], v[1]);
    case LAE_CALL_map_backward: return api->map_backward(queue, kind, a, v[0], v[1], v[2], v[3]);
    case LAE_CALL_axpby: return api->axpby(queue, v[0], a, v[1], b);
    case LAE_CALL_multiply: return api->multiply(queue, v[0], v[1], v[2], a);
    case LAE_CALL_select: return api->select(queue, v[0], v[1], v[2], v[3]);
    case LAE_CALL_reduce: return api->reduce(queue, kind, v[0], v[1], a);
    case LAE_CALL_random: return api->random(queue, kind, v[0], a, b, key);
    case LAE_CALL_dropout: return api->dropout(queue, v[0], v[1], a, key);
    case LAE_CALL_sum_squares: return api->sum_squares(queue, call->lists[0], call->sizes[0], call->to);
    default:
        return api->prepare(queue, kind, call->to, call->from, call->sizes[0], call->sizes[1], (int)call->sizes[2]);
    }
}

lstmae_status lae_call_make(const lae_call *call, const lstmae_backend_api *api, lstmae_queue *queue,
                            const lstmae_step_values *values)
{
    lstmae_random_key key = call->key;
    key.stream += values->draws;
    switch (call->entry) {
#define CALL_CASE(name, ...)                                                                       \
    case LAE_CALL_##name: return api->name(queue, call->args);
        LAE_CALLS_OF_ARGS(CALL_CASE)
#undef CALL_CASE
#define CALL_CASE(name)                                                                            \
    case LAE_CALL_##name: return api->name(queue, call->args, call->sizes[0]);
        LAE_CALLS_OF_CELLS(CALL_CASE)
#undef CALL_CASE
    case LAE_CALL_update: return call_update(call, api, queue, values);
    case LAE_CALL_loss: return call_loss(call, api, queue);
    case LAE_CALL_loop_forward:
    case LAE_CALL_loop_backward: return call_loop(call, api, queue, values);
    case LAE_CALL_loop_prepare: return call_loop_prepare(call, api, queue);
    case LAE_CALL_lane: return api->lane(queue, (int)call->kind);
    case LAE_CALL_conv_forward:
    case LAE_CALL_conv_backward_data:
    case LAE_CALL_conv_weight_gradient:
    case LAE_CALL_conv_prepare: return call_convolution(call, api, queue);
    default: return call_of_arrays(call, api, queue, &key);
    }
}
