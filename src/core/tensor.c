#include "ops.h"
#include "ops_image.h"
#include "size.h"

void lae_tensor_touch(lstmae_tensor *tensor)
{
    tensor->storage->version++;
}

uint64_t lae_tensor_version(const lstmae_tensor *tensor)
{
    return tensor->storage->version;
}

/* ---- storage ---- */

static lstmae_status storage_new(lae_storage **out, lstmae_context *context, size_t bytes)
{
    lae_storage *storage = lae_calloc(&context->memory, 1, sizeof *storage);
    if (!storage) return LAE_FAIL(ERR_NO_MEMORY, "tensor: out of memory");
    lstmae_status status = lae_op_alloc(context, bytes, &storage->data);
    if (status != LSTMAE_OK) {
        lae_free(&context->memory, storage, sizeof *storage);
        return status;
    }
    atomic_init(&storage->references, 1);
    storage->owned = 1;
    storage->bytes = bytes;
    storage->version = 1;
    storage->context = lae_context_retain(context);
    *out = storage;
    return LSTMAE_OK;
}

static void storage_release(lae_storage *storage)
{
    if (atomic_fetch_sub_explicit(&storage->references, 1, memory_order_acq_rel) != 1) return;
    lstmae_context *context = storage->context;
    if (storage->owned) lae_op_release(context, storage->data, storage->bytes);
    lae_free(&context->memory, storage, sizeof *storage);
    lae_context_release(context);
}

/* ---- tensors ---- */

/* Takes over the caller's reference on `storage`, also on failure. */
static lstmae_status tensor_new(lstmae_tensor **out, lae_storage *storage, const lstmae_view *view)
{
    lstmae_tensor *tensor = lae_calloc(&storage->context->memory, 1, sizeof *tensor);
    if (!tensor) {
        storage_release(storage);
        return LAE_FAIL(ERR_NO_MEMORY, "tensor: out of memory");
    }
    atomic_init(&tensor->references, 1);
    tensor->storage = storage;
    tensor->view = *view;
    *out = tensor;
    return LSTMAE_OK;
}

static lstmae_status tensor_check_shape(const char *function, lstmae_dtype dtype, int ndim, const int64_t *dims,
                                        size_t *bytes)
{
    int64_t numel;
    size_t size = lae_dtype_size(dtype);
    if (size == 0) return LAE_FAIL(ERR_DTYPE, "%s: unknown dtype %d", function, (int)dtype);
    if (ndim < 0 || ndim > LSTMAE_MAX_DIMS)
        return LAE_FAIL(ERR_INVALID_ARG, "%s: ndim is %d, expected 0 to %d", function, ndim, LSTMAE_MAX_DIMS);
    if (ndim > 0 && !dims) return LAE_FAIL(ERR_INVALID_ARG, "%s: dims is NULL", function);
    if (!lae_product(&numel, ndim, dims) || (uint64_t)numel > SIZE_MAX / size || numel > INT64_MAX / 16)
        return LAE_FAIL(ERR_SHAPE, "%s: a size is negative or their product overflows", function);
    *bytes = (size_t)numel * size;
    return LSTMAE_OK;
}

lstmae_status lae_view_of_shape(lstmae_view *view, const char *function, lstmae_dtype dtype, int ndim,
                                const int64_t *dims)
{
    size_t bytes;
    LAE_TRY(tensor_check_shape(function, dtype, ndim, dims, &bytes));
    *view = lae_view_of(NULL, dtype, ndim, dims);
    return LSTMAE_OK;
}

static lstmae_status tensor_create_raw(lstmae_tensor **out, lstmae_context *context, lstmae_dtype dtype, int ndim,
                                       const int64_t *dims)
{
    size_t bytes;
    LAE_TRY(tensor_check_shape("tensor_create", dtype, ndim, dims, &bytes));
    lae_storage *storage = NULL;
    LAE_TRY(storage_new(&storage, context, bytes));
    lstmae_view view = lae_view_of(storage->data, dtype, ndim, dims);
    return tensor_new(out, storage, &view);
}

lstmae_status lstmae_tensor_create(lstmae_tensor **out, lstmae_context *context, lstmae_dtype dtype, int ndim,
                                   const int64_t *dims)
{
    LAE_CHECK_ARG(out != NULL, "tensor_create");
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, "tensor_create");
    lstmae_tensor *tensor;
    LAE_TRY(tensor_create_raw(&tensor, context, dtype, ndim, dims));
    lstmae_status status = lae_op_fill(context, &tensor->view, 0.0);
    if (status != LSTMAE_OK) {
        lstmae_tensor_destroy(tensor);
        return status;
    }
    *out = tensor;
    return LSTMAE_OK;
}

/* Lowest and highest element offset a view touches; 0 when they overflow. An empty view touches none. */
static int tensor_extent(int ndim, const int64_t *dims, const int64_t *strides, int64_t *low, int64_t *high)
{
    *low = *high = 0;
    for (int i = 0; i < ndim; i++)
        if (dims[i] == 0) return 1;
    for (int i = 0; i < ndim; i++) {
        int64_t steps = dims[i] - 1, stride = strides[i];
        if (stride == INT64_MIN) return 0;
        int64_t magnitude = stride < 0 ? -stride : stride;
        if (steps != 0 && magnitude > (INT64_MAX / 8) / steps) return 0;
        int64_t reach = steps * magnitude;
        int64_t *end = stride < 0 ? low : high;
        if (reach > INT64_MAX / 4 - (stride < 0 ? -*low : *high)) return 0;
        *end += stride < 0 ? -reach : reach;
    }
    return 1;
}

lstmae_status lstmae_tensor_wrap(lstmae_tensor **out, lstmae_context *context, lstmae_dtype dtype, void *data,
                                 int64_t elements, int ndim, const int64_t *dims, const int64_t *strides)
{
    LAE_CHECK_ARG(out != NULL, "tensor_wrap");
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, "tensor_wrap");
    LAE_CHECK_ARG(elements >= 0, "tensor_wrap");
    size_t bytes;
    LAE_TRY(tensor_check_shape("tensor_wrap", dtype, ndim, dims, &bytes));
    LAE_CHECK_ARG(data != NULL || bytes == 0, "tensor_wrap");
    size_t size = lae_dtype_size(dtype);
    if ((uint64_t)elements > SIZE_MAX / size) return LAE_FAIL(ERR_SHAPE, "tensor_wrap: elements overflow");
    if ((uintptr_t)data % size != 0)
        return LAE_FAIL(ERR_INVALID_ARG, "tensor_wrap: data is not aligned to its %zu byte elements", size);
    lstmae_view view = lae_view_of(data, dtype, ndim, dims);
    if (strides)
        for (int i = 0; i < ndim; i++) view.stride[i] = strides[i];
    int64_t low, high;
    if (!tensor_extent(ndim, view.dim, view.stride, &low, &high) || low < 0 ||
        (bytes != 0 && high >= elements))
        return LAE_FAIL(ERR_SHAPE, "tensor_wrap: the shape reaches outside of the %lld elements", (long long)elements);
    lae_storage *storage = lae_calloc(&context->memory, 1, sizeof *storage);
    if (!storage) return LAE_FAIL(ERR_NO_MEMORY, "tensor: out of memory");
    atomic_init(&storage->references, 1);
    storage->context = lae_context_retain(context);
    storage->data = data;
    storage->bytes = (size_t)elements * size;
    storage->version = 1;
    return tensor_new(out, storage, &view);
}

static lstmae_status tensor_view_at(lstmae_tensor **out, lstmae_tensor *base, lstmae_view view, int64_t offset)
{
    int64_t low, high, size = (int64_t)lae_dtype_size(view.dtype);
    int64_t start = ((char *)base->view.data - (char *)base->storage->data) / size;
    int64_t limit = (int64_t)base->storage->bytes / size;
    int empty = lae_view_numel(&view) == 0;
    if (!tensor_extent(view.ndim, view.dim, view.stride, &low, &high) || offset > limit || offset < -limit ||
        (!empty && (start + offset + low < 0 || start + offset + high >= limit)))
        return LAE_FAIL(ERR_SHAPE, "tensor_view: the view reaches outside of its storage");
    view.data = empty ? base->view.data : (char *)base->view.data + offset * size;
    atomic_fetch_add_explicit(&base->storage->references, 1, memory_order_relaxed);
    return tensor_new(out, base->storage, &view);
}

lstmae_status lstmae_tensor_view(lstmae_tensor **out, lstmae_tensor *base, int ndim, const int64_t *dims,
                                 const int64_t *strides, int64_t offset)
{
    LAE_CHECK_ARG(out != NULL, "tensor_view");
    *out = NULL;
    LAE_CHECK_ARG(base != NULL, "tensor_view");
    size_t bytes;
    LAE_TRY(tensor_check_shape("tensor_view", (lstmae_dtype)base->view.dtype, ndim, dims, &bytes));
    lstmae_view view = lae_view_of(NULL, base->view.dtype, ndim, dims);
    if (strides)
        for (int i = 0; i < ndim; i++) view.stride[i] = strides[i];
    return tensor_view_at(out, base, view, offset);
}

lstmae_status lstmae_tensor_slice(lstmae_tensor **out, lstmae_tensor *base, int axis, int64_t start, int64_t length)
{
    LAE_CHECK_ARG(out != NULL, "tensor_slice");
    *out = NULL;
    LAE_CHECK_ARG(base != NULL, "tensor_slice");
    LAE_CHECK_ARG(axis >= 0 && axis < base->view.ndim, "tensor_slice");
    if (start < 0 || length < 0 || start > base->view.dim[axis] || length > base->view.dim[axis] - start)
        return LAE_FAIL(ERR_SHAPE, "tensor_slice: [%lld, +%lld) of an axis of %lld", (long long)start,
                        (long long)length, (long long)base->view.dim[axis]);
    lstmae_view view = base->view;
    view.dim[axis] = length;
    return tensor_view_at(out, base, view, start * view.stride[axis]);
}

lstmae_status lstmae_tensor_transpose(lstmae_tensor **out, lstmae_tensor *base, int axis0, int axis1)
{
    LAE_CHECK_ARG(out != NULL, "tensor_transpose");
    *out = NULL;
    LAE_CHECK_ARG(base != NULL, "tensor_transpose");
    LAE_CHECK_ARG(axis0 >= 0 && axis0 < base->view.ndim, "tensor_transpose");
    LAE_CHECK_ARG(axis1 >= 0 && axis1 < base->view.ndim, "tensor_transpose");
    lstmae_view view = base->view;
    view.dim[axis0] = base->view.dim[axis1];
    view.dim[axis1] = base->view.dim[axis0];
    view.stride[axis0] = base->view.stride[axis1];
    view.stride[axis1] = base->view.stride[axis0];
    return tensor_view_at(out, base, view, 0);
}

lstmae_tensor *lae_tensor_retain(lstmae_tensor *tensor)
{
    atomic_fetch_add_explicit(&tensor->references, 1, memory_order_relaxed);
    return tensor;
}

void lstmae_tensor_destroy(lstmae_tensor *tensor)
{
    if (!tensor || atomic_fetch_sub_explicit(&tensor->references, 1, memory_order_acq_rel) != 1) return;
    lae_storage *storage = tensor->storage;
    lae_free(&storage->context->memory, tensor, sizeof *tensor);
    storage_release(storage);
}

lstmae_status lae_tensor_ensure(lstmae_tensor **tensor, lstmae_context *context, lstmae_dtype dtype, int ndim,
                                const int64_t *dims)
{
    size_t bytes;
    LAE_TRY(tensor_check_shape("tensor", dtype, ndim, dims, &bytes));
    lstmae_tensor *old = *tensor;
    if (old && old->storage->bytes >= bytes) {
        old->view = lae_view_of(old->storage->data, dtype, ndim, dims);
        return LSTMAE_OK;
    }
    lstmae_tensor *grown;
    LAE_TRY(tensor_create_raw(&grown, context, dtype, ndim, dims));
    if (!old) {
        *tensor = grown;
        return LSTMAE_OK;
    }
    /* The old handle stays valid for whoever borrowed it: it takes over the new storage. */
    lae_storage *storage = old->storage;
    old->storage = grown->storage;
    old->view = grown->view;
    grown->storage = storage;
    lstmae_tensor_destroy(grown);
    return LSTMAE_OK;
}

lstmae_status lae_tensor_ensure_image(lstmae_tensor **tensor, lstmae_context *context, lstmae_dtype dtype, int ndim,
                                      const int64_t *dims)
{
    LAE_TRY(lae_tensor_ensure(tensor, context, dtype, ndim, dims));
    if (lae_op_channels_last(context, dtype))
        (*tensor)->view = lae_view_channels_last_of((*tensor)->storage->data, dtype, ndim, dims);
    return LSTMAE_OK;
}

lstmae_status lae_tensor_ensure_like(lstmae_tensor **tensor, lstmae_context *context, const lstmae_view *like)
{
    LAE_TRY(lae_tensor_ensure(tensor, context, (lstmae_dtype)like->dtype, like->ndim, like->dim));
    if (lae_view_channels_last(like))
        (*tensor)->view = lae_view_channels_last_of((*tensor)->storage->data, like->dtype, like->ndim, like->dim);
    return LSTMAE_OK;
}

lstmae_status lae_tensor_alias(lstmae_tensor **alias, const lstmae_tensor *base, const lstmae_view *view)
{
    lae_storage *storage = base->storage;
    atomic_fetch_add_explicit(&storage->references, 1, memory_order_relaxed);
    if (!*alias) return tensor_new(alias, storage, view);
    storage_release((*alias)->storage);
    (*alias)->storage = storage;
    (*alias)->view = *view;
    return LSTMAE_OK;
}

lstmae_status lae_tensor_contiguous(const lstmae_tensor **out, const lstmae_tensor *tensor, lstmae_tensor **copy)
{
    *out = tensor;
    if (lae_view_contiguous(&tensor->view)) return LSTMAE_OK;
    lstmae_context *context = tensor->storage->context;
    LAE_TRY(lae_tensor_ensure(copy, context, (lstmae_dtype)tensor->view.dtype, tensor->view.ndim, tensor->view.dim));
    LAE_TRY(lae_op_copy(context, &(*copy)->view, &tensor->view));
    *out = *copy;
    return LSTMAE_OK;
}

/* ---- content ---- */

static lstmae_status tensor_check_bytes(const char *function, const lstmae_tensor *tensor, const void *host,
                                        size_t bytes)
{
    LAE_CHECK_ARG(tensor != NULL, function);
    size_t expected = (size_t)lae_view_numel(&tensor->view) * lae_dtype_size(tensor->view.dtype);
    if (bytes != expected)
        return LAE_FAIL(ERR_SHAPE, "%s: %zu bytes given, the tensor has %zu", function, bytes, expected);
    LAE_CHECK_ARG(host != NULL || bytes == 0, function);
    return LSTMAE_OK;
}

lstmae_status lstmae_tensor_write(lstmae_tensor *tensor, const void *host, size_t bytes)
{
    LAE_TRY(tensor_check_bytes("tensor_write", tensor, host, bytes));
    lstmae_context *context = tensor->storage->context;
    lae_tensor_touch(tensor);
    if (lae_view_contiguous(&tensor->view)) return lae_op_upload(context, tensor->view.data, host, bytes);
    lstmae_tensor *staging;
    LAE_TRY(
        tensor_create_raw(&staging, context, (lstmae_dtype)tensor->view.dtype, tensor->view.ndim, tensor->view.dim));
    lstmae_status status = lae_op_upload(context, staging->view.data, host, bytes);
    if (status == LSTMAE_OK) status = lae_op_copy(context, &tensor->view, &staging->view);
    if (status == LSTMAE_OK) status = lae_op_sync(context);
    lstmae_tensor_destroy(staging);
    return status;
}

lstmae_status lstmae_tensor_read(const lstmae_tensor *tensor, void *host, size_t bytes)
{
    LAE_TRY(tensor_check_bytes("tensor_read", tensor, host, bytes));
    lstmae_context *context = tensor->storage->context;
    if (lae_view_contiguous(&tensor->view)) return lae_op_download(context, host, tensor->view.data, bytes);
    lstmae_tensor *staging;
    LAE_TRY(
        tensor_create_raw(&staging, context, (lstmae_dtype)tensor->view.dtype, tensor->view.ndim, tensor->view.dim));
    lstmae_status status = lae_op_copy(context, &staging->view, &tensor->view);
    if (status == LSTMAE_OK) status = lae_op_download(context, host, staging->view.data, bytes);
    lstmae_tensor_destroy(staging);
    return status;
}

/* Through host memory, for tensors of different contexts. */
static lstmae_status tensor_copy_across(lstmae_tensor *dst, const lstmae_tensor *src)
{
    size_t bytes = (size_t)lae_view_numel(&src->view) * lae_dtype_size(src->view.dtype);
    lae_memory *memory = &dst->storage->context->memory;
    void *host = lae_alloc(memory, bytes);
    if (!host) return LAE_FAIL(ERR_NO_MEMORY, "tensor_copy: out of memory for %zu bytes", bytes);
    lstmae_status status = lstmae_tensor_read(src, host, bytes);
    if (status == LSTMAE_OK) status = lstmae_tensor_write(dst, host, bytes);
    lae_free(memory, host, bytes);
    return status;
}

static int tensor_overlap(const lstmae_view *a, const lstmae_view *b)
{
    int64_t low_a, high_a, low_b, high_b, size = (int64_t)lae_dtype_size(a->dtype);
    tensor_extent(a->ndim, a->dim, a->stride, &low_a, &high_a);
    tensor_extent(b->ndim, b->dim, b->stride, &low_b, &high_b);
    const char *start_a = (const char *)a->data + low_a * size, *end_a = (const char *)a->data + (high_a + 1) * size;
    const char *start_b = (const char *)b->data + low_b * size, *end_b = (const char *)b->data + (high_b + 1) * size;
    return start_a < end_b && start_b < end_a;
}

lstmae_status lstmae_tensor_copy(lstmae_tensor *dst, const lstmae_tensor *src)
{
    LAE_CHECK_ARG(dst != NULL, "tensor_copy");
    LAE_CHECK_ARG(src != NULL, "tensor_copy");
    if (dst->view.dtype != src->view.dtype)
        return LAE_FAIL(ERR_DTYPE, "tensor_copy: destination is %s, source is %s", lae_dtype_name(dst->view.dtype),
                        lae_dtype_name(src->view.dtype));
    if (!lae_view_same_shape(&dst->view, &src->view)) {
        char a[LAE_SHAPE_TEXT], b[LAE_SHAPE_TEXT];
        return LAE_FAIL(ERR_SHAPE, "tensor_copy: destination is %s, source is %s",
                        lae_shape_text(a, sizeof a, &dst->view), lae_shape_text(b, sizeof b, &src->view));
    }
    if (lae_view_numel(&dst->view) == 0) return LSTMAE_OK;
    if (dst->storage->context != src->storage->context) return tensor_copy_across(dst, src);
    if (dst->storage == src->storage && tensor_overlap(&dst->view, &src->view))
        return LAE_FAIL(ERR_INVALID_ARG, "tensor_copy: source and destination overlap");
    lae_tensor_touch(dst);
    return lae_op_copy(dst->storage->context, &dst->view, &src->view);
}

lstmae_status lstmae_tensor_fill(lstmae_tensor *tensor, double value)
{
    LAE_CHECK_ARG(tensor != NULL, "tensor_fill");
    lae_tensor_touch(tensor);
    return lae_op_fill(tensor->storage->context, &tensor->view, value);
}

/* ---- getters ---- */

lstmae_dtype lstmae_tensor_dtype(const lstmae_tensor *tensor)
{
    return tensor ? (lstmae_dtype)tensor->view.dtype : LSTMAE_F32;
}

int lstmae_tensor_ndim(const lstmae_tensor *tensor)
{
    return tensor ? tensor->view.ndim : 0;
}

int64_t lstmae_tensor_dim(const lstmae_tensor *tensor, int axis)
{
    return tensor && axis >= 0 && axis < tensor->view.ndim ? tensor->view.dim[axis] : 0;
}

int64_t lstmae_tensor_stride(const lstmae_tensor *tensor, int axis)
{
    return tensor && axis >= 0 && axis < tensor->view.ndim ? tensor->view.stride[axis] : 0;
}

int64_t lstmae_tensor_numel(const lstmae_tensor *tensor)
{
    return tensor ? lae_view_numel(&tensor->view) : 0;
}

lstmae_context *lstmae_tensor_context(const lstmae_tensor *tensor)
{
    return tensor ? tensor->storage->context : NULL;
}

void *lstmae_tensor_data(lstmae_tensor *tensor)
{
    if (!tensor) return NULL;
    lae_tensor_touch(tensor);
    return tensor->view.data;
}
