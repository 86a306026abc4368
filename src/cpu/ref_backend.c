/* Device "cpu:ref": checks an entry's element types, hands it to the kernels of that type. Work is done on the caller's
 * thread. */
#include "queue.h"
#include "ref.h"

#include "shared/builtin_backends.h"
#include "shared/clip.h"
#include "shared/guard.h"
#include "shared/map_kind.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *ref_dtype_name(int dtype)
{
    return dtype == LSTMAE_F32 ? "f32" : dtype == LSTMAE_F64 ? "f64" : dtype == LSTMAE_I64 ? "i64" : "unknown";
}

/* Kernels of an element type; NULL with the error text set where there are none. */
static const ref_kernels *ref_kernels_of(const lstmae_queue *queue, const char *entry, int dtype)
{
    if (dtype == LSTMAE_F32) return &ref_kernels_f32;
    if (dtype == LSTMAE_F64) return &ref_kernels_f64;
    queue->host->fail(LSTMAE_ERR_UNSUPPORTED, "%s: expected element type f32 or f64, got %s", entry,
                      ref_dtype_name(dtype));
    return NULL;
}

/* The same for an entry with several views (NULLs are skipped), which have to agree. */
static const ref_kernels *ref_kernels_of_views(const lstmae_queue *queue, const char *entry, int count,
                                               const lstmae_view *const *views)
{
    for (int v = 1; v < count; v++) {
        if (!views[v] || views[v]->dtype == views[0]->dtype) continue;
        queue->host->fail(LSTMAE_ERR_UNSUPPORTED, "%s: expected one element type, got %s and %s", entry,
                          ref_dtype_name(views[0]->dtype), ref_dtype_name(views[v]->dtype));
        return NULL;
    }
    return ref_kernels_of(queue, entry, views[0]->dtype);
}

#define REF_KERNELS(entry, count, ...)                                                             \
    const ref_kernels *kernels =                                                                   \
        ref_kernels_of_views(queue, (entry), (count), (const lstmae_view *const[]){ __VA_ARGS__ });                    \
    if (!kernels) return LSTMAE_ERR_UNSUPPORTED

static lstmae_status ref_check_kind(const lstmae_queue *queue, const char *entry, int kind, int last)
{
    if (kind >= 0 && kind <= last) return LSTMAE_OK;
    return queue->host->fail(LSTMAE_ERR_UNSUPPORTED, "%s: expected a kind from 0 to %d, got %d", entry, last, kind);
}

static int ref_device_count(void)
{
    return 1;
}

static lstmae_status ref_device_info(int index, lstmae_device_info *info)
{
    (void)index;
    info->threads = 1;
    info->memory_bytes = 0;
    snprintf(info->name, sizeof(info->name), "cpu:ref");
    snprintf(info->description, sizeof(info->description), "plain reference loops");
    return LSTMAE_OK;
}

static lstmae_status ref_queue_create(lstmae_queue **out, const lstmae_queue_options *options)
{
    const lstmae_memory *memory = &options->memory;
    *out = NULL;
    if (options->precision != LSTMAE_PRECISION_FP32)
        return options->host->fail(LSTMAE_ERR_UNSUPPORTED, "cpu:ref: expected precision 0 (fp32), got %d",
                                   options->precision);
    lstmae_queue *queue = memory->alloc(sizeof(*queue), 64, memory->payload);
    *out = queue;
    if (!queue) return options->host->fail(LSTMAE_ERR_NO_MEMORY, "cpu:ref: no memory for a queue");
    memset(queue, 0, sizeof(*queue));
    queue->host = options->host;
    queue->memory = *memory;
    return LSTMAE_OK;
}

static void ref_queue_destroy(lstmae_queue *queue)
{
    if (!queue) return;
    lstmae_memory memory = queue->memory;
    memory.release(queue, sizeof(*queue), memory.payload);
}

static int32_t ref_queue_threads(const lstmae_queue *queue)
{
    (void)queue;
    return 1;
}

static lstmae_status ref_entry_upload(lstmae_queue *queue, void *dst, const void *src, size_t bytes)
{
    (void)queue;
    memcpy(dst, src, bytes);
    return LSTMAE_OK;
}

static lstmae_status ref_entry_alloc(lstmae_queue *queue, size_t bytes, void **out)
{
    *out = queue->memory.alloc(bytes, 64, queue->memory.payload);
    if (*out) return LSTMAE_OK;
    return queue->host->fail(LSTMAE_ERR_NO_MEMORY, "cpu: no memory for %zu bytes", bytes);
}

static void ref_entry_release(lstmae_queue *queue, void *ptr, size_t bytes)
{
    if (ptr) queue->memory.release(ptr, bytes, queue->memory.payload);
}

static lstmae_status ref_entry_sync(lstmae_queue *queue)
{
    (void)queue;
    return LSTMAE_OK;
}

static lstmae_status ref_copy_i64(const lstmae_view *dst, const lstmae_view *src)
{
    ref_cursor at;
    REF_FOR_EACH(at, 2, dst, src) ((int64_t *)dst->data)[at.offset[0]] = ((const int64_t *)src->data)[at.offset[1]];
    return LSTMAE_OK;
}

static lstmae_status ref_fill_i64(const lstmae_view *dst, double value)
{
    ref_cursor at;
    REF_FOR_EACH(at, 1, dst) ((int64_t *)dst->data)[at.offset[0]] = (int64_t)value;
    return LSTMAE_OK;
}

static lstmae_status ref_entry_copy(lstmae_queue *queue, const lstmae_view *dst, const lstmae_view *src)
{
    if (dst->dtype == LSTMAE_I64 && src->dtype == LSTMAE_I64) return ref_copy_i64(dst, src);
    REF_KERNELS("copy", 2, dst, src);
    kernels->copy(dst, src);
    return LSTMAE_OK;
}

static lstmae_status ref_entry_fill(lstmae_queue *queue, const lstmae_view *dst, double value)
{
    if (dst->dtype == LSTMAE_I64) return ref_fill_i64(dst, value);
    REF_KERNELS("fill", 1, dst);
    kernels->fill(dst, value);
    return LSTMAE_OK;
}

static lstmae_status ref_entry_gemm(lstmae_queue *queue, const lstmae_gemm_args *args)
{
    const ref_kernels *kernels = ref_kernels_of(queue, "gemm", args->dtype);
    if (!kernels) return LSTMAE_ERR_UNSUPPORTED;
    kernels->gemm(args);
    return LSTMAE_OK;
}

static lstmae_status ref_entry_map(lstmae_queue *queue, int kind, double param, const lstmae_view *y,
                                   const lstmae_view *x)
{
    REF_KERNELS("map", 2, y, x);
    lstmae_status status = ref_check_kind(queue, "map", kind, LSTMAE_MAP_EXP);
    if (status == LSTMAE_OK) kernels->map(kind, param, y, x);
    return status;
}

static lstmae_status ref_entry_map_backward(lstmae_queue *queue, int kind, double param, const lstmae_view *dx,
                                            const lstmae_view *dy, const lstmae_view *x, const lstmae_view *y)
{
    const lstmae_view *from = lae_map_reads_input(kind) ? x : y;
    REF_KERNELS("map_backward", 3, dx, dy, from);
    lstmae_status status = ref_check_kind(queue, "map_backward", kind, LSTMAE_MAP_EXP);
    if (status == LSTMAE_OK) kernels->map_backward(kind, param, dx, dy, from);
    return status;
}

static lstmae_status ref_entry_axpby(lstmae_queue *queue, const lstmae_view *y, double alpha, const lstmae_view *x,
                                     double beta)
{
    REF_KERNELS("axpby", 2, y, x);
    kernels->axpby(y, alpha, x, beta);
    return LSTMAE_OK;
}

static lstmae_status ref_entry_multiply(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *a,
                                        const lstmae_view *b, double beta)
{
    REF_KERNELS("multiply", 3, y, a, b);
    kernels->multiply(y, a, b, beta);
    return LSTMAE_OK;
}

static lstmae_status ref_entry_select(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *mask,
                                      const lstmae_view *a, const lstmae_view *b)
{
    REF_KERNELS("select", 4, y, mask, a, b);
    kernels->select(y, mask, a, b);
    return LSTMAE_OK;
}

static lstmae_status ref_entry_reduce(lstmae_queue *queue, int kind, const lstmae_view *out, const lstmae_view *in,
                                      double beta)
{
    REF_KERNELS("reduce", 2, out, in);
    lstmae_status status = ref_check_kind(queue, "reduce", kind, LSTMAE_REDUCE_MAX);
    if (status == LSTMAE_OK) kernels->reduce(kind, out, in, beta);
    return status;
}

static lstmae_status ref_entry_sum_squares(lstmae_queue *queue, const lstmae_view *views, int64_t count, double *out)
{
    double sum = 0.0;
    for (int64_t v = 0; v < count; v++) {
        REF_KERNELS("sum_squares", 1, &views[v]);
        sum += kernels->sum_squares(&views[v]);
    }
    *out = sum;
    return LSTMAE_OK;
}

static lstmae_status ref_entry_random(lstmae_queue *queue, int kind, const lstmae_view *out, double a, double b,
                                      const lstmae_random_key *key)
{
    REF_KERNELS("random", 1, out);
    lstmae_status status = ref_check_kind(queue, "random", kind, LSTMAE_RANDOM_BERNOULLI);
    if (status == LSTMAE_OK) kernels->random(kind, out, a, b, key);
    return status;
}

static lstmae_status ref_entry_dropout(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *x, double p,
                                       const lstmae_random_key *key)
{
    REF_KERNELS("dropout", 2, y, x);
    kernels->dropout(y, x, p, key);
    return LSTMAE_OK;
}

static lstmae_status ref_entry_loss(lstmae_queue *queue, const lstmae_loss_args *args)
{
    REF_KERNELS("loss", 4, &args->pred, &args->target, args->mask, args->grad);
    lstmae_status status = ref_check_kind(queue, "loss", args->op, LSTMAE_LOSS_OP_BCE_LOGITS);
    if (status == LSTMAE_OK) *args->value += args->scale * kernels->loss(args);
    return status;
}

static lstmae_status ref_entry_update(lstmae_queue *queue, const lstmae_update_args *args)
{
    const ref_kernels *kernels = ref_kernels_of(queue, "update", args->dtype);
    if (!kernels) return LSTMAE_ERR_UNSUPPORTED;
    lstmae_status status = ref_check_kind(queue, "update", args->kind, LSTMAE_UPDATE_RMSPROP);
    if (status != LSTMAE_OK) return status;
    if (lae_update_left_out(args->flags, args->norm_sq, args->guard, args->guard_count)) return LSTMAE_OK;
    double factor = args->max_norm > 0.0 ? lae_clip_factor(*args->norm_sq, args->max_norm) : 1.0;
    for (int64_t k = 0; k < args->count; k++) kernels->update(args, &args->tensors[k], factor);
    return LSTMAE_OK;
}

static lstmae_status ref_entry_lstm_cell_forward(lstmae_queue *queue, const lstmae_lstm_args *args, int64_t s)
{
    const ref_kernels *kernels = ref_kernels_of(queue, "lstm_cell_forward", args->dtype);
    if (!kernels) return LSTMAE_ERR_UNSUPPORTED;
    kernels->lstm_cell_forward(args, s);
    return LSTMAE_OK;
}

static lstmae_status ref_entry_lstm_cell_backward(lstmae_queue *queue, const lstmae_lstm_args *args, int64_t s)
{
    const ref_kernels *kernels = ref_kernels_of(queue, "lstm_cell_backward", args->dtype);
    if (!kernels) return LSTMAE_ERR_UNSUPPORTED;
    kernels->lstm_cell_backward(args, s);
    return LSTMAE_OK;
}

/* Where the sums go before they are mapped. */
static const lstmae_view *ref_conv_sums(const lstmae_conv_args *args, const lstmae_view *y)
{
    return args->linear && !(args->flags & LSTMAE_CONV_DERIVATIVE) ? args->linear : y;
}

/* y = f(linear), where the linear part was left in `linear` or in y itself; or y times the derivative. */
static lstmae_status ref_conv_map(lstmae_queue *queue, const lstmae_conv_args *args, const lstmae_view *y)
{
    if (args->flags & LSTMAE_CONV_DERIVATIVE)
        return ref_entry_map_backward(queue, args->map, args->param, y, y, args->linear, args->linear);
    if (args->map == LSTMAE_MAP_IDENTITY && !args->linear) return LSTMAE_OK;
    return ref_entry_map(queue, args->map, args->param, y, args->linear ? args->linear : y);
}

static lstmae_status ref_entry_conv_forward(lstmae_queue *queue, const lstmae_conv_args *args)
{
    REF_KERNELS("conv_forward", 3, &args->x, &args->y, args->linear);
    kernels->conv_forward(args, ref_conv_sums(args, &args->y));
    return ref_conv_map(queue, args, &args->y);
}

static lstmae_status ref_entry_conv_backward_data(lstmae_queue *queue, const lstmae_conv_args *args)
{
    REF_KERNELS("conv_backward_data", 3, &args->x, &args->y, args->linear);
    kernels->conv_backward_data(args, ref_conv_sums(args, &args->x));
    return ref_conv_map(queue, args, &args->x);
}

static lstmae_status ref_entry_conv_weight_gradient(lstmae_queue *queue, const lstmae_conv_args *args)
{
    REF_KERNELS("conv_weight_gradient", 2, &args->x, &args->y);
    kernels->conv_weight_gradient(args);
    return LSTMAE_OK;
}

static lstmae_status ref_pool(lstmae_queue *queue, const lstmae_pool_args *args, int backward)
{
    REF_KERNELS("pool", 2, &args->x, &args->y);
    lstmae_status status = ref_check_kind(queue, "pool", args->kind, LSTMAE_POOL_AVERAGE);
    if (status == LSTMAE_OK) (backward ? kernels->pool_backward : kernels->pool_forward)(args);
    return status;
}

static lstmae_status ref_entry_pool_forward(lstmae_queue *queue, const lstmae_pool_args *args)
{
    return ref_pool(queue, args, 0);
}

static lstmae_status ref_entry_pool_backward(lstmae_queue *queue, const lstmae_pool_args *args)
{
    return ref_pool(queue, args, 1);
}

static lstmae_status ref_upsample(lstmae_queue *queue, const lstmae_upsample_args *args, int backward)
{
    REF_KERNELS("upsample", 2, &args->x, &args->y);
    lstmae_status status = ref_check_kind(queue, "upsample", args->kind, LSTMAE_UPSAMPLE_BILINEAR);
    if (status == LSTMAE_OK) (backward ? kernels->upsample_backward : kernels->upsample_forward)(args);
    return status;
}

static lstmae_status ref_entry_upsample_forward(lstmae_queue *queue, const lstmae_upsample_args *args)
{
    return ref_upsample(queue, args, 0);
}

static lstmae_status ref_entry_upsample_backward(lstmae_queue *queue, const lstmae_upsample_args *args)
{
    return ref_upsample(queue, args, 1);
}

static lstmae_status ref_entry_batch_norm_forward(lstmae_queue *queue, const lstmae_norm_args *args)
{
    REF_KERNELS("batch_norm", 2, &args->x, &args->y);
    lstmae_status status = ref_check_kind(queue, "batch_norm", args->map, LSTMAE_MAP_EXP);
    if (status == LSTMAE_OK) kernels->batch_norm_forward(args);
    return status;
}

static lstmae_status ref_entry_batch_norm_backward(lstmae_queue *queue, const lstmae_norm_args *args)
{
    REF_KERNELS("batch_norm", 3, &args->x, &args->dy, args->dx.data ? &args->dx : NULL);
    kernels->batch_norm_backward(args);
    return LSTMAE_OK;
}

static lstmae_status ref_entry_layer_norm_forward(lstmae_queue *queue, const lstmae_norm_args *args)
{
    REF_KERNELS("layer_norm", 2, &args->x, &args->y);
    lstmae_status status = ref_check_kind(queue, "layer_norm", args->map, LSTMAE_MAP_EXP);
    if (status == LSTMAE_OK) kernels->layer_norm_forward(args);
    return status;
}

static lstmae_status ref_entry_layer_norm_backward(lstmae_queue *queue, const lstmae_norm_args *args)
{
    REF_KERNELS("layer_norm", 3, &args->x, &args->dy, args->dx.data ? &args->dx : NULL);
    kernels->layer_norm_backward(args);
    return LSTMAE_OK;
}

static const lstmae_backend_api ref_table = {
    .struct_size = sizeof(lstmae_backend_api),
    .abi = LSTMAE_BACKEND_ABI,
    .name = "cpu:ref",
    .device_count = ref_device_count,
    .device_info = ref_device_info,
    .queue_create = ref_queue_create,
    .queue_destroy = ref_queue_destroy,
    .queue_sync = ref_entry_sync,
    .queue_threads = ref_queue_threads,
    .alloc = ref_entry_alloc,
    .release = ref_entry_release,
    .upload = ref_entry_upload,
    .download = ref_entry_upload,
    .copy = ref_entry_copy,
    .fill = ref_entry_fill,
    .gemm = ref_entry_gemm,
    .map = ref_entry_map,
    .map_backward = ref_entry_map_backward,
    .axpby = ref_entry_axpby,
    .multiply = ref_entry_multiply,
    .select = ref_entry_select,
    .reduce = ref_entry_reduce,
    .sum_squares = ref_entry_sum_squares,
    .random = ref_entry_random,
    .dropout = ref_entry_dropout,
    .loss = ref_entry_loss,
    .update = ref_entry_update,
    .lstm_cell_forward = ref_entry_lstm_cell_forward,
    .lstm_cell_backward = ref_entry_lstm_cell_backward,
    .conv_forward = ref_entry_conv_forward,
    .conv_backward_data = ref_entry_conv_backward_data,
    .conv_weight_gradient = ref_entry_conv_weight_gradient,
    .pool_forward = ref_entry_pool_forward,
    .pool_backward = ref_entry_pool_backward,
    .upsample_forward = ref_entry_upsample_forward,
    .upsample_backward = ref_entry_upsample_backward,
    .batch_norm_forward = ref_entry_batch_norm_forward,
    .batch_norm_backward = ref_entry_batch_norm_backward,
    .layer_norm_forward = ref_entry_layer_norm_forward,
    .layer_norm_backward = ref_entry_layer_norm_backward,
};

const lstmae_backend_api *lae_backend_cpu_ref(const lstmae_host *host)
{
    return host->abi == LSTMAE_BACKEND_ABI ? &ref_table : NULL;
}
