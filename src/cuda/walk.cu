/* Layouts of views, on the host. */
#include "walk.h"

#include <string.h>

static size_t walk_element_bytes(int dtype)
{
    return dtype == LSTMAE_F32 ? sizeof(float) : sizeof(double);
}

/* Adds an axis inside of those there are, or widens the last one where all strides allow it. */
static void layout_push(lae_cu_layout *layout, int64_t dim, const int64_t *stride)
{
    int last = layout->axes - 1, merges = last >= 0;
    for (int v = 0; v < layout->views && merges; v++) merges = layout->stride[v][last] == stride[v] * dim;
    int at = merges ? last : layout->axes++;
    layout->dim[at] = merges ? layout->dim[at] * dim : dim;
    for (int v = 0; v < layout->views; v++) layout->stride[v][at] = stride[v];
}

static lae_cu_layout layout_over(int count, const lstmae_view *const *views, const int *order, int turn)
{
    lae_cu_layout layout;
    memset(&layout, 0, sizeof layout);
    layout.views = count;
    layout.element_bytes = (int)walk_element_bytes(views[0]->dtype);
    for (int v = 0; v < count; v++) layout.data[v] = static_cast<char *>(views[v]->data);
    for (int i = 0; i < views[0]->ndim; i++) {
        const int axis = order[i];
        const int64_t dim = views[0]->dim[axis];
        int64_t stride[LAE_CU_VIEWS];
        if (dim == 1) continue;
        for (int v = 0; v < count; v++) stride[v] = views[v]->stride[axis];
        if (turn && stride[0] < 0) {
            for (int v = 0; v < count; v++) {
                layout.data[v] += stride[v] * (dim - 1) * layout.element_bytes;
                stride[v] = -stride[v];
            }
        }
        layout_push(&layout, dim, stride);
    }
    if (layout.axes == 0) layout.dim[layout.axes++] = 1;
    return layout;
}

lae_cu_layout lae_cu_layout_of(int count, const lstmae_view *const *views)
{
    static const int row_major[LSTMAE_MAX_DIMS] = { 0, 1, 2, 3 };
    return layout_over(count, views, row_major, 0);
}

static int64_t layout_distance(const lstmae_view *view, int axis)
{
    return view->stride[axis] < 0 ? -view->stride[axis] : view->stride[axis];
}

lae_cu_layout lae_cu_layout_sorted(int count, const lstmae_view *const *views)
{
    int order[LSTMAE_MAX_DIMS];
    for (int axis = 0; axis < views[0]->ndim; axis++) {
        int at = axis;
        for (; at > 0 && layout_distance(views[0], order[at - 1]) < layout_distance(views[0], axis); at--)
            order[at] = order[at - 1];
        order[at] = axis;
    }
    return layout_over(count, views, order, 1);
}

int64_t lae_cu_layout_numel(const lae_cu_layout *layout)
{
    int64_t numel = 1;
    for (int axis = 0; axis < layout->axes; axis++) numel *= layout->dim[axis];
    return numel;
}

/* At a multiple of 4, so that what was aligned stays so. */
void lae_cu_layout_halve(lae_cu_layout *layout, lae_cu_layout *rest)
{
    int axis = 0;
    while (layout->dim[axis] < 2) axis++;
    int64_t kept = layout->dim[axis] / 2;
    if (kept > 4) kept -= kept % 4;
    *rest = *layout;
    layout->dim[axis] = kept;
    rest->dim[axis] -= kept;
    for (int v = 0; v < rest->views; v++) rest->data[v] += kept * rest->stride[v][axis] * rest->element_bytes;
}

static int layout_view_packs(const lae_cu_layout *layout, int v, int width)
{
    const int inner = layout->axes - 1;
    if (layout->stride[v][inner] == 0) return v > 0;
    if (layout->stride[v][inner] != 1 || reinterpret_cast<uintptr_t>(layout->data[v]) % 16 != 0) return 0;
    for (int axis = 0; axis < inner; axis++)
        if (layout->stride[v][axis] % width != 0) return 0;
    return 1;
}

int lae_cu_layout_packs(const lae_cu_layout *layout, int width)
{
    const int inner = layout->axes - 1;
    if (layout->dim[inner] < width || (layout->dim[inner] % width != 0 && inner > 0)) return 0;
    for (int v = 0; v < layout->views; v++)
        if (!layout_view_packs(layout, v, width)) return 0;
    return 1;
}

lae_cu_walk lae_cu_walk_of(const lae_cu_layout *layout, int width)
{
    const int inner = layout->axes - 1;
    lae_cu_walk walk;
    memset(&walk, 0, sizeof walk);
    walk.axes = layout->axes;
    walk.units = 1;
    for (int axis = 0; axis <= inner; axis++) {
        int64_t dim = layout->dim[axis] / (axis == inner ? width : 1);
        walk.units *= (uint32_t)dim;
        walk.dim[axis] = lae_divisor_of((uint32_t)dim);
        for (int v = 0; v < layout->views; v++)
            walk.stride[v][axis] = layout->stride[v][axis] * (axis == inner ? width : 1);
    }
    walk.tail = (uint32_t)(layout->dim[inner] % width);
    for (int v = 0; v < layout->views; v++) {
        walk.data[v] = layout->data[v];
        if (layout->stride[v][inner] == 0) walk.repeated |= 1u << v;
    }
    return walk;
}

unsigned lae_cu_walk_grid(const lstmae_queue *queue, int64_t units)
{
    /* four waves of blocks, so that a slow multiprocessor does not hold up the rest by much */
    const int64_t most = (int64_t)queue->multiprocessors * 32;
    const int64_t blocks = (units + LAE_CU_WALK_BLOCK - 1) / LAE_CU_WALK_BLOCK;
    return (unsigned)(blocks < most ? blocks : most);
}

static const char *walk_dtype_name(int dtype)
{
    return dtype == LSTMAE_F32 ? "f32" : dtype == LSTMAE_F64 ? "f64" : dtype == LSTMAE_I64 ? "i64" : "unknown";
}

lstmae_status lae_cu_check_types(const lstmae_queue *queue, const char *entry, int count,
                                 const lstmae_view *const *views)
{
    const int dtype = views[0]->dtype;
    for (int v = 1; v < count; v++)
        if (views[v] && views[v]->dtype != dtype)
            return queue->host->fail(LSTMAE_ERR_UNSUPPORTED, "%s: expected one element type, got %s and %s", entry,
                                     walk_dtype_name(dtype), walk_dtype_name(views[v]->dtype));
    return lae_cu_check_dtype(queue, entry, dtype);
}

lstmae_status lae_cu_check_dtype(const lstmae_queue *queue, const char *entry, int dtype)
{
    if (dtype == LSTMAE_F32 || dtype == LSTMAE_F64) return LSTMAE_OK;
    return queue->host->fail(LSTMAE_ERR_UNSUPPORTED, "%s: expected element type f32 or f64, got %s", entry,
                             walk_dtype_name(dtype));
}

lstmae_status lae_cu_check_kind(const lstmae_queue *queue, const char *entry, int kind, int last)
{
    if (kind >= 0 && kind <= last) return LSTMAE_OK;
    return queue->host->fail(LSTMAE_ERR_UNSUPPORTED, "%s: expected a kind from 0 to %d, got %d", entry, last, kind);
}
