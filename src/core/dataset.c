/* Data sets: the common part, and arrays in memory and from files. */
#include "dataset.h"

#include "array.h"
#include "options.h"
#include "size.h"

#include <math.h>
#include <string.h>

/* Reading through lstmae_dataset_read() takes scratch from the stack up to this many floats (16 KB). */
#define DATASET_STACK 4096

lstmae_status lae_dataset_create(lstmae_dataset **out, size_t bytes, const lae_dataset_kind *kind,
                                 lstmae_context *context, int64_t count, int ndim, const int64_t *dims)
{
    int64_t elements = 0;
    *out = NULL;
    if (!lae_product(&elements, ndim, dims) || elements < 1 || elements > INT64_MAX / (int64_t)sizeof(double))
        return LAE_FAIL(ERR_SHAPE, "dataset: expected items with 1 element or more that fit in memory");
    lstmae_dataset *dataset = lae_calloc(lae_context_memory(context), 1, bytes);
    if (!dataset) return LAE_FAIL(ERR_NO_MEMORY, "dataset: no memory for %zu bytes", bytes);
    atomic_init(&dataset->references, 1);
    dataset->kind = kind;
    dataset->context = lae_context_retain(context);
    dataset->bytes = bytes;
    dataset->count = count;
    dataset->ndim = ndim;
    for (int i = 0; i < ndim; i++) dataset->dim[i] = dims[i];
    dataset->elements = (size_t)elements;
    *out = dataset;
    return LSTMAE_OK;
}

lstmae_dataset *lae_dataset_retain(lstmae_dataset *dataset)
{
    atomic_fetch_add_explicit(&dataset->references, 1, memory_order_relaxed);
    return dataset;
}

void lstmae_dataset_destroy(lstmae_dataset *dataset)
{
    if (!dataset || atomic_fetch_sub_explicit(&dataset->references, 1, memory_order_acq_rel) != 1) return;
    lstmae_context *context = dataset->context;
    if (dataset->kind->destroy) dataset->kind->destroy(dataset);
    lae_free(lae_context_memory(context), dataset, dataset->bytes);
    lae_context_release(context);
}

int64_t lstmae_dataset_count(const lstmae_dataset *dataset)
{
    return dataset ? dataset->count : 0;
}

int lstmae_dataset_ndim(const lstmae_dataset *dataset)
{
    return dataset ? dataset->ndim : 0;
}

int64_t lstmae_dataset_dim(const lstmae_dataset *dataset, int axis)
{
    return dataset && axis >= 0 && axis < dataset->ndim ? dataset->dim[axis] : 0;
}

static lstmae_status dataset_check_index(const lstmae_dataset *dataset, int64_t index, const char *function)
{
    if (index >= 0 && index < dataset->count) return LSTMAE_OK;
    return LAE_FAIL(ERR_INVALID_ARG, "%s: expected an index in [0,%lld), got %lld", function,
                    (long long)dataset->count, (long long)index);
}

int lstmae_dataset_labelled(const lstmae_dataset *dataset)
{
    return dataset && dataset->label ? 1 : 0;
}

lstmae_status lstmae_dataset_label(const lstmae_dataset *dataset, int64_t index, int64_t *label)
{
    LAE_CHECK_ARG(dataset, "dataset_label");
    LAE_CHECK_ARG(label, "dataset_label");
    LAE_TRY(dataset_check_index(dataset, index, "dataset_label"));
    if (!dataset->label) return LAE_FAIL(ERR_STATE, "dataset_label: expected a data set with labels, got one without");
    *label = dataset->label(dataset, index);
    return LSTMAE_OK;
}

lstmae_status lstmae_dataset_read(const lstmae_dataset *dataset, int64_t index, float *item, size_t elements)
{
    LAE_CHECK_ARG(dataset, "dataset_read");
    LAE_CHECK_ARG(item, "dataset_read");
    LAE_TRY(dataset_check_index(dataset, index, "dataset_read"));
    if (elements != dataset->elements)
        return LAE_FAIL(ERR_SHAPE, "dataset_read: expected room for %zu elements, got %zu", dataset->elements,
                        elements);
    if (dataset->scratch <= DATASET_STACK) {
        float scratch[DATASET_STACK];
        return dataset->kind->read(dataset, index, item, scratch);
    }
    lae_memory *memory = lae_context_memory(dataset->context);
    size_t bytes = dataset->scratch * sizeof(float);
    float *scratch = lae_alloc(memory, bytes);
    if (!scratch) return LAE_FAIL(ERR_NO_MEMORY, "dataset_read: no memory for %zu bytes", bytes);
    lstmae_status status = dataset->kind->read(dataset, index, item, scratch);
    lae_free(memory, scratch, bytes);
    return status;
}

/* Arrays in memory. */

typedef struct dataset_array {
    lstmae_dataset base;
    lae_items items;
    void *data; /* owned */
    size_t data_bytes;
} dataset_array;

static lstmae_status dataset_array_read(const lstmae_dataset *dataset, int64_t index, float *item, float *scratch)
{
    (void)scratch;
    lae_items_read(&((const dataset_array *)dataset)->items, index, item);
    return LSTMAE_OK;
}

static void dataset_array_destroy(lstmae_dataset *dataset)
{
    dataset_array *array = (dataset_array *)dataset;
    lae_free(lae_context_memory(dataset->context), array->data, array->data_bytes);
}

static const lae_dataset_kind dataset_array_kind = { dataset_array_read, dataset_array_destroy };

/* Takes over `data` when it succeeds. */
static lstmae_status dataset_array_create(lstmae_dataset **out, lstmae_context *context, const lae_array *array,
                                          void *data, int item_axis, double scale)
{
    int64_t dims[LAE_ARRAY_DIMS];
    int ndim = 0;
    for (int axis = 0; axis < array->ndim; axis++)
        if (axis != item_axis) dims[ndim++] = array->dim[axis];
    LAE_TRY(lae_dataset_create(out, sizeof(dataset_array), &dataset_array_kind, context, array->dim[item_axis], ndim,
                               dims));
    dataset_array *dataset = (dataset_array *)*out;
    lae_items_layout(&dataset->items, array, data, item_axis, scale);
    dataset->data = data;
    dataset->data_bytes = array->bytes;
    return LSTMAE_OK;
}

lstmae_status lstmae_dataset_from_memory(lstmae_dataset **out, lstmae_context *context, const float *data,
                                         int64_t count, int ndim, const int64_t *dims)
{
    LAE_CHECK_ARG(out, "dataset_from_memory");
    *out = NULL;
    LAE_CHECK_ARG(context, "dataset_from_memory");
    LAE_CHECK_ARG(count >= 0, "dataset_from_memory");
    LAE_CHECK_ARG(data || count == 0, "dataset_from_memory");
    LAE_CHECK_ARG(ndim >= 0 && ndim <= LSTMAE_MAX_DIMS, "dataset_from_memory");
    LAE_CHECK_ARG(dims || ndim == 0, "dataset_from_memory");
    lae_array array = { .element = LAE_R32, .big = lae_host_big(), .ndim = ndim + 1 };
    array.dim[0] = count;
    for (int i = 0; i < ndim; i++) {
        if (dims[i] < 1)
            return LAE_FAIL(ERR_SHAPE, "dataset_from_memory: expected sizes of 1 or more, got dims[%d]=%lld", i,
                            (long long)dims[i]);
        array.dim[i + 1] = dims[i];
    }
    if (!lae_array_measure(&array))
        return LAE_FAIL(ERR_SHAPE, "dataset_from_memory: expected a size that fits in memory, got more");
    lae_memory *memory = lae_context_memory(context);
    void *copy = lae_alloc(memory, array.bytes);
    if (!copy) return LAE_FAIL(ERR_NO_MEMORY, "dataset_from_memory: no memory for %zu bytes", array.bytes);
    if (array.bytes > 0) memcpy(copy, data, array.bytes);
    lstmae_status status = dataset_array_create(out, context, &array, copy, 0, 1.0);
    if (status < 0) lae_free(memory, copy, array.bytes);
    return status;
}

/* What a file's array must be beyond valid to be a data set. */
static lstmae_status dataset_check_array(const lae_array *array, const char *path, int item_axis)
{
    if (array->ndim < 1 || array->ndim > LSTMAE_MAX_DIMS + 1)
        return LAE_FAIL(ERR_SHAPE, "%s: expected 1 to %d axes, got %d", path, LSTMAE_MAX_DIMS + 1, array->ndim);
    if (item_axis >= array->ndim)
        return LAE_FAIL(ERR_SHAPE, "%s: expected more than %d axes, as item_axis says, got %d", path, item_axis,
                        array->ndim);
    for (int axis = 0; axis < array->ndim; axis++)
        if (axis != item_axis && array->dim[axis] == 0)
            return LAE_FAIL(ERR_SHAPE, "%s: expected items of 1 element or more, got axis %d of size 0", path, axis);
    return LSTMAE_OK;
}

lstmae_status lstmae_dataset_open(lstmae_dataset **out, lstmae_context *context, const char *path,
                                  const lstmae_file_options *options)
{
    static const lstmae_file_options defaults = LSTMAE_FILE_OPTIONS_INIT;
    lstmae_file_options o;
    lae_array array;
    void *data = NULL;
    LAE_CHECK_ARG(out, "dataset_open");
    *out = NULL;
    LAE_CHECK_ARG(context, "dataset_open");
    LAE_CHECK_ARG(path, "dataset_open");
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "file options"));
    LAE_CHECK_ARG(o.flags == 0 && o.reserved == 0, "dataset_open");
    LAE_CHECK_ARG(o.item_axis >= 0 && o.item_axis < LAE_ARRAY_DIMS, "dataset_open");
    LAE_CHECK_ARG(isfinite(o.scale), "dataset_open");
    lae_memory *memory = lae_context_memory(context);
    LAE_TRY(lae_array_load(&array, &data, path, memory));
    double scale = o.scale;
    if (scale == 0) scale = lae_element_size(array.element) == 1 ? 1.0 / 255.0 : 1.0;
    lstmae_status status = dataset_check_array(&array, path, o.item_axis);
    if (status == LSTMAE_OK) status = dataset_array_create(out, context, &array, data, o.item_axis, scale);
    if (status < 0) lae_free(memory, data, array.bytes);
    return status;
}
