#include "ops.h"

#include "lstm_compose.h"
#include "side.h"

/* Calls the entry, after the side's work where that has ended. */
#define OPS_RETURN(entry, ...)                                                                     \
    do {                                                                                           \
        LAE_TRY(lae_side_join(context));                                                           \
        return context->api->entry(context->queue, __VA_ARGS__);                                   \
    } while (0)

lstmae_status lae_op_alloc(lstmae_context *context, size_t bytes, void **out)
{
    return context->api->alloc(context->queue, bytes ? bytes : 1, out);
}

void lae_op_release(lstmae_context *context, void *ptr, size_t bytes)
{
    if (ptr) context->api->release(context->queue, ptr, bytes ? bytes : 1);
}

lstmae_status lae_op_upload(lstmae_context *context, void *dst, const void *src, size_t bytes)
{
    if (bytes == 0) return LSTMAE_OK;
    OPS_RETURN(upload, dst, src, bytes);
}

lstmae_status lae_op_download(lstmae_context *context, void *dst, const void *src, size_t bytes)
{
    if (bytes == 0) return LSTMAE_OK;
    OPS_RETURN(download, dst, src, bytes);
}

lstmae_status lae_op_sync(lstmae_context *context)
{
    return context->api->queue_sync(context->queue);
}

void *lae_op_host_alloc(lstmae_context *context, size_t bytes)
{
    return context->api->host_alloc ? context->api->host_alloc(context->queue, bytes) : NULL;
}

void lae_op_host_release(lstmae_context *context, void *ptr, size_t bytes)
{
    context->api->host_release(context->queue, ptr, bytes);
}

int lae_op_uploads_beside(const lstmae_context *context)
{
    return context->api->upload_begin != NULL;
}

lstmae_status lae_op_upload_begin(lstmae_context *context, void *dst, const void *src, size_t bytes)
{
    OPS_RETURN(upload_begin, dst, src, bytes);
}

lstmae_status lae_op_upload_end(lstmae_context *context)
{
    return context->api->upload_end(context->queue);
}

int lae_op_captures(const lstmae_context *context)
{
    return context->api->capture_begin != NULL;
}

/* Elementwise work on images that all lie channels last follows their memory: views[v] then points to flat[v]. */
static void ops_in_memory_order(int count, const lstmae_view **views, lstmae_view *flat)
{
    const int64_t numel = lae_view_numel(views[0]);
    for (int v = 0; v < count; v++)
        if (views[v] && !lae_view_channels_last(views[v])) return;
    for (int v = 0; v < count; v++) {
        if (!views[v]) continue;
        flat[v] = lae_view_of(views[v]->data, views[v]->dtype, 1, &numel);
        views[v] = &flat[v];
    }
}

lstmae_status lae_op_copy(lstmae_context *context, const lstmae_view *dst, const lstmae_view *src)
{
    const lstmae_view *v[2] = { dst, src };
    lstmae_view flat[2];
    if (lae_view_numel(dst) == 0) return LSTMAE_OK;
    ops_in_memory_order(2, v, flat);
    OPS_RETURN(copy, v[0], v[1]);
}

lstmae_status lae_op_fill(lstmae_context *context, const lstmae_view *dst, double value)
{
    if (lae_view_numel(dst) == 0) return LSTMAE_OK;
    OPS_RETURN(fill, dst, value);
}

lstmae_status lae_op_zero(lstmae_context *context, void *data, int dtype, int64_t count)
{
    lstmae_view view = lae_view_of(data, dtype, 1, &count);
    return lae_op_fill(context, &view, 0.0);
}

lstmae_status lae_op_gemm(lstmae_context *context, const lstmae_gemm_args *args)
{
    if (args->M == 0 || args->N == 0) return LSTMAE_OK;
    OPS_RETURN(gemm, args);
}

lstmae_status lae_op_map(lstmae_context *context, int kind, double param, const lstmae_view *y, const lstmae_view *x)
{
    const lstmae_view *v[2] = { y, x };
    lstmae_view flat[2];
    if (lae_view_numel(y) == 0) return LSTMAE_OK;
    ops_in_memory_order(2, v, flat);
    OPS_RETURN(map, kind, param, v[0], v[1]);
}

lstmae_status lae_op_map_backward(lstmae_context *context, int kind, double param, const lstmae_view *dx,
                                  const lstmae_view *dy, const lstmae_view *x, const lstmae_view *y)
{
    const lstmae_view *v[4] = { dx, dy, x, y };
    lstmae_view flat[4];
    if (lae_view_numel(dx) == 0) return LSTMAE_OK;
    ops_in_memory_order(4, v, flat);
    OPS_RETURN(map_backward, kind, param, v[0], v[1], v[2], v[3]);
}

lstmae_status lae_op_axpby(lstmae_context *context, const lstmae_view *y, double alpha, const lstmae_view *x,
                           double beta)
{
    const lstmae_view *v[2] = { y, x };
    lstmae_view flat[2];
    if (lae_view_numel(y) == 0) return LSTMAE_OK;
    ops_in_memory_order(2, v, flat);
    OPS_RETURN(axpby, v[0], alpha, v[1], beta);
}

lstmae_status lae_op_multiply(lstmae_context *context, const lstmae_view *y, const lstmae_view *a, const lstmae_view *b,
                              double beta)
{
    const lstmae_view *v[3] = { y, a, b };
    lstmae_view flat[3];
    if (lae_view_numel(y) == 0) return LSTMAE_OK;
    ops_in_memory_order(3, v, flat);
    OPS_RETURN(multiply, v[0], v[1], v[2], beta);
}

lstmae_status lae_op_select(lstmae_context *context, const lstmae_view *y, const lstmae_view *mask,
                            const lstmae_view *a, const lstmae_view *b)
{
    if (lae_view_numel(y) == 0) return LSTMAE_OK;
    OPS_RETURN(select, y, mask, a, b);
}

lstmae_status lae_op_reduce(lstmae_context *context, int kind, const lstmae_view *out, const lstmae_view *in,
                            double beta)
{
    if (lae_view_numel(out) == 0) return LSTMAE_OK;
    OPS_RETURN(reduce, kind, out, in, beta);
}

lstmae_status lae_op_sum_squares(lstmae_context *context, const lstmae_view *views, int64_t count, double *out)
{
    OPS_RETURN(sum_squares, views, count, out);
}

lstmae_status lae_op_random(lstmae_context *context, int kind, const lstmae_view *out, double a, double b,
                            const lstmae_random_key *key)
{
    if (lae_view_numel(out) == 0) return LSTMAE_OK;
    OPS_RETURN(random, kind, out, a, b, key);
}

lstmae_status lae_op_dropout(lstmae_context *context, const lstmae_view *y, const lstmae_view *x, double p,
                             const lstmae_random_key *key)
{
    if (lae_view_numel(y) == 0) return LSTMAE_OK;
    OPS_RETURN(dropout, y, x, p, key);
}

lstmae_status lae_op_loss(lstmae_context *context, const lstmae_loss_args *args)
{
    if (lae_view_numel(&args->pred) == 0) return LSTMAE_OK;
    OPS_RETURN(loss, args);
}

lstmae_status lae_op_update(lstmae_context *context, const lstmae_update_args *args)
{
    OPS_RETURN(update, args);
}

lstmae_status lae_op_lstm_cell_forward(lstmae_context *context, const lstmae_lstm_args *args, int64_t s)
{
    OPS_RETURN(lstm_cell_forward, args, s);
}

lstmae_status lae_op_lstm_cell_backward(lstmae_context *context, const lstmae_lstm_args *args, int64_t s)
{
    OPS_RETURN(lstm_cell_backward, args, s);
}

/* A backend may lack a sequence entry or decline a case of it; the composition then takes over. */
#define OPS_OWN_OR_COMPOSED(entry)                                                                 \
    if (args->B == 0 || args->H == 0) return LSTMAE_OK;                                            \
    LAE_TRY(lae_side_join(context));                                                               \
    if (context->api->entry) {                                                                     \
        lstmae_status status = context->api->entry(context->queue, args);                          \
        if (status != LSTMAE_ERR_UNSUPPORTED) return status;                                       \
    }                                                                                              \
    return lae_compose_##entry(context, args)

lstmae_status lae_op_lstm_forward(lstmae_context *context, const lstmae_lstm_args *args)
{
    OPS_OWN_OR_COMPOSED(lstm_forward);
}

lstmae_status lae_op_lstm_backward(lstmae_context *context, const lstmae_lstm_args *args)
{
    OPS_OWN_OR_COMPOSED(lstm_backward);
}

lstmae_status lae_op_lstm_weight_gradient(lstmae_context *context, const lstmae_lstm_args *args)
{
    OPS_OWN_OR_COMPOSED(lstm_weight_gradient);
}

size_t lae_op_prepare_bytes(const lstmae_context *context, int kind, int64_t N, int64_t K, int dtype)
{
    if (!context->api->prepare_bytes) return 0;
    return context->api->prepare_bytes(context->queue, kind, N, K, dtype);
}

int lae_op_prepare_kind(const lstmae_context *context, int kind)
{
    return context->api->flags & LSTMAE_BACKEND_PREPARE_ONCE ? LSTMAE_PREPARE_FORWARD : kind;
}

lstmae_status lae_op_prepare(lstmae_context *context, int kind, void *dst, const void *w, int64_t N, int64_t K,
                             int dtype)
{
    OPS_RETURN(prepare, kind, dst, w, N, K, dtype);
}

int lae_op_has_loop(const lstmae_context *context)
{
    return context->api->loop_forward != NULL;
}

size_t lae_op_loop_prepare_bytes(const lstmae_context *context, int64_t N, int64_t I, int64_t H, int dtype)
{
    return context->api->loop_prepare_bytes(context->queue, N, I, H, dtype);
}

lstmae_status lae_op_loop_prepare(lstmae_context *context, void *dst, const void *w_x, const void *w_h, int64_t N,
                                  int64_t I, int64_t H, int dtype)
{
    OPS_RETURN(loop_prepare, dst, w_x, w_h, N, I, H, dtype);
}

lstmae_status lae_op_loop_forward(lstmae_context *context, const lstmae_loop_args *args)
{
    OPS_RETURN(loop_forward, args);
}

lstmae_status lae_op_loop_backward(lstmae_context *context, const lstmae_loop_args *args)
{
    OPS_RETURN(loop_backward, args);
}

int lae_op_has_lanes(const lstmae_context *context)
{
    return context->api->lane != NULL;
}

lstmae_status lae_op_lane(lstmae_context *context, int step)
{
    return context->api->lane(context->queue, step);
}
