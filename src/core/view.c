#include "view.h"

#include <stdio.h>

size_t lae_dtype_size(int dtype)
{
    switch (dtype) {
    case LSTMAE_F32: return 4;
    case LSTMAE_F64: return 8;
    case LSTMAE_I64: return 8;
    default: return 0;
    }
}

const char *lae_dtype_name(int dtype)
{
    switch (dtype) {
    case LSTMAE_F32: return "f32";
    case LSTMAE_F64: return "f64";
    case LSTMAE_I64: return "i64";
    default: return "unknown";
    }
}

int64_t lae_view_numel(const lstmae_view *view)
{
    int64_t numel = 1;
    for (int i = 0; i < view->ndim; i++) numel *= view->dim[i];
    return numel;
}

int lae_view_contiguous(const lstmae_view *view)
{
    int64_t expected = 1;
    for (int i = view->ndim - 1; i >= 0; i--) {
        if (view->dim[i] != 1 && view->stride[i] != expected) return 0;
        expected *= view->dim[i];
    }
    return 1;
}

lstmae_view lae_view_of(void *data, int dtype, int ndim, const int64_t *dims)
{
    lstmae_view view = { .data = data, .ndim = ndim, .dtype = dtype };
    int64_t stride = 1;
    for (int i = ndim - 1; i >= 0; i--) {
        view.dim[i] = dims[i];
        view.stride[i] = stride;
        stride *= dims[i];
    }
    return view;
}

lstmae_view lae_view_channels_last_of(void *data, int dtype, int ndim, const int64_t *dims)
{
    lstmae_view view = { .data = data, .ndim = ndim, .dtype = dtype };
    int64_t stride = dims[1];
    view.dim[1] = dims[1];
    view.stride[1] = 1;
    for (int i = ndim - 1; i >= 0; i--) {
        if (i == 1) continue;
        view.dim[i] = dims[i];
        view.stride[i] = stride;
        stride *= dims[i];
    }
    return view;
}

int lae_view_channels_last(const lstmae_view *view)
{
    if (view->ndim < 3) return 0;
    lstmae_view wanted = lae_view_channels_last_of(view->data, view->dtype, view->ndim, view->dim);
    for (int i = 0; i < view->ndim; i++)
        if (view->dim[i] != 1 && view->stride[i] != wanted.stride[i]) return 0;
    return 1;
}

lstmae_view lae_view_image(const lstmae_view *view)
{
    lstmae_view image = *view;
    for (int i = 2; i < 4; i++) {
        const int from = i - (4 - view->ndim); /* a signal is one row */
        image.dim[i] = from >= 2 ? view->dim[from] : 1;
        image.stride[i] = from >= 2 ? view->stride[from] : 0;
    }
    image.ndim = 4;
    return image;
}

int lae_view_same_shape(const lstmae_view *a, const lstmae_view *b)
{
    if (a->ndim != b->ndim) return 0;
    for (int i = 0; i < a->ndim; i++)
        if (a->dim[i] != b->dim[i]) return 0;
    return 1;
}

int lae_view_rows(const lstmae_view *view, int64_t *rows, int64_t *row_stride)
{
    int last = view->ndim - 1;
    int64_t count = 1, stride = 0;
    if (last < 0 || (view->dim[last] > 1 && view->stride[last] != 1)) return 0;
    for (int i = last - 1; i >= 0; i--) {
        if (view->dim[i] == 1) continue;
        if (count == 1) stride = view->stride[i];
        else if (view->stride[i] != stride * count) return 0;
        count *= view->dim[i];
    }
    *rows = count;
    *row_stride = count == 1 ? view->dim[last] : stride;
    return 1;
}

const char *lae_shape_text(char *text, size_t size, const lstmae_view *view)
{
    int used = snprintf(text, size, "[");
    for (int i = 0; i < view->ndim && used > 0 && (size_t)used < size; i++)
        used += snprintf(text + used, size - (size_t)used, "%s%lld", i ? "," : "", (long long)view->dim[i]);
    if (used > 0 && (size_t)used < size) snprintf(text + used, size - (size_t)used, "]");
    return text;
}
