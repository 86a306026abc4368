#include "rows.h"

#include "ops.h"
#include "size.h"

static lstmae_status rows_staging(lae_rows *rows, int64_t most, const char *name)
{
    size_t bytes;
    if (rows->tensor->view.dtype != LSTMAE_F32) return LSTMAE_OK;
    if (most > rows->count) most = rows->count;
    if (!lae_mul_size(&bytes, (size_t)most, (size_t)rows->width) || !lae_mul_size(&bytes, bytes, sizeof(float)))
        return LAE_FAIL(ERR_SHAPE, "%s: expected rows that fit in memory", name);
    if (!lae_grow(rows->memory, &rows->staging, &rows->bytes, bytes))
        return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for %zu bytes", name, bytes);
    return LSTMAE_OK;
}

lstmae_status lae_rows_open(lae_rows *rows, const lstmae_tensor *tensor, int64_t most, const char *name)
{
    const lstmae_view *view = &tensor->view;
    if (view->dtype != LSTMAE_F32 && view->dtype != LSTMAE_F64)
        return LAE_FAIL(ERR_DTYPE, "%s: expected float32 or float64, got %s", name, lae_dtype_name(view->dtype));
    if (view->ndim < 1) return LAE_FAIL(ERR_SHAPE, "%s: expected rows, got a single number", name);
    if (!rows->memory) rows->memory = lae_context_memory(tensor->storage->context);
    LAE_TRY(lae_tensor_contiguous(&rows->tensor, tensor, &rows->copy));
    rows->count = view->dim[0];
    rows->width = 1;
    for (int i = 1; i < view->ndim; i++) rows->width *= view->dim[i];
    return rows_staging(rows, most, name);
}

lstmae_status lae_rows_read(lae_rows *rows, int64_t first, int64_t count, double *out)
{
    const lstmae_view *view = &rows->tensor->view;
    lstmae_context *context = rows->tensor->storage->context;
    size_t elements = (size_t)(count * rows->width), each = lae_dtype_size(view->dtype);
    const char *from = (const char *)view->data + (size_t)(first * rows->width) * each;
    if (view->dtype == LSTMAE_F64) return lae_op_download(context, out, from, elements * each);
    LAE_TRY(lae_op_download(context, rows->staging, from, elements * each));
    const float *values = rows->staging;
    for (size_t i = 0; i < elements; i++) out[i] = (double)values[i];
    return LSTMAE_OK;
}

void lae_rows_close(lae_rows *rows)
{
    if (rows->staging) lae_free(rows->memory, rows->staging, rows->bytes);
    lstmae_tensor_destroy(rows->copy);
    *rows = (lae_rows){ .count = 0 };
}
