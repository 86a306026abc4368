/* Data sets made from others: parts, random parts, other shapes, and with labels from elsewhere. */
#include "dataset.h"
#include "permute.h"

#include <math.h>

/* Stream of the random order of a split. */
#define DERIVED_SPLIT (UINT64_C(0xD5) << 56)

typedef struct dataset_derived {
    lstmae_dataset base;
    lstmae_dataset *of; /* retained */
    int64_t start;
    int shuffled;
    uint64_t seed;
} dataset_derived;

/* The item of the other data set that is item `index` here. */
static int64_t derived_index(const dataset_derived *derived, int64_t index)
{
    int64_t at = derived->start + index;
    if (!derived->shuffled) return at;
    return (int64_t)lae_permute(derived->seed, DERIVED_SPLIT, (uint64_t)at, (uint64_t)derived->of->count);
}

static lstmae_status dataset_derived_read(const lstmae_dataset *dataset, int64_t index, float *item, float *scratch)
{
    const dataset_derived *derived = (const dataset_derived *)dataset;
    return derived->of->kind->read(derived->of, derived_index(derived, index), item, scratch);
}

static int64_t dataset_derived_label(const lstmae_dataset *dataset, int64_t index)
{
    const dataset_derived *derived = (const dataset_derived *)dataset;
    return derived->of->label(derived->of, derived_index(derived, index));
}

static void dataset_derived_destroy(lstmae_dataset *dataset)
{
    lstmae_dataset_destroy(((dataset_derived *)dataset)->of);
}

static const lae_dataset_kind dataset_derived_kind = { dataset_derived_read, dataset_derived_destroy };

static lstmae_status derived_create(lstmae_dataset **out, lstmae_dataset *base, int64_t start, int64_t count, int ndim,
                                    const int64_t *dims)
{
    LAE_TRY(lae_dataset_create(out, sizeof(dataset_derived), &dataset_derived_kind, base->context, count, ndim, dims));
    dataset_derived *derived = (dataset_derived *)*out;
    derived->base.scratch = base->scratch;
    derived->base.label = base->label ? dataset_derived_label : NULL;
    derived->of = lae_dataset_retain(base);
    derived->start = start;
    return LSTMAE_OK;
}

lstmae_status lstmae_dataset_range(lstmae_dataset **out, lstmae_dataset *base, int64_t start, int64_t count)
{
    LAE_CHECK_ARG(out, "dataset_range");
    *out = NULL;
    LAE_CHECK_ARG(base, "dataset_range");
    if (start < 0 || count < 0 || start > base->count || count > base->count - start)
        return LAE_FAIL(ERR_INVALID_ARG, "dataset_range: expected a part of %lld items, got %lld from %lld on",
                        (long long)base->count, (long long)count, (long long)start);
    return derived_create(out, base, start, count, base->ndim, base->dim);
}

lstmae_status lstmae_dataset_split(lstmae_dataset **first, lstmae_dataset **second, lstmae_dataset *base,
                                   int64_t count, uint64_t seed)
{
    LAE_CHECK_ARG(first, "dataset_split");
    *first = NULL;
    LAE_CHECK_ARG(second, "dataset_split");
    *second = NULL;
    LAE_CHECK_ARG(base, "dataset_split");
    if (base->count == INT64_MAX)
        return LAE_FAIL(ERR_INVALID_ARG, "dataset_split: expected data that ends, got endless data");
    if (count < 0 || count > base->count)
        return LAE_FAIL(ERR_INVALID_ARG, "dataset_split: expected a part of %lld items, got %lld",
                        (long long)base->count, (long long)count);
    LAE_TRY(derived_create(first, base, 0, count, base->ndim, base->dim));
    lstmae_status status = derived_create(second, base, count, base->count - count, base->ndim, base->dim);
    if (status < 0) {
        lstmae_dataset_destroy(*first);
        *first = NULL;
        return status;
    }
    for (int i = 0; i < 2; i++) {
        dataset_derived *part = (dataset_derived *)(i == 0 ? *first : *second);
        part->shuffled = 1;
        part->seed = seed;
    }
    return LSTMAE_OK;
}

lstmae_status lstmae_dataset_reshape(lstmae_dataset **out, lstmae_dataset *base, int ndim, const int64_t *dims)
{
    LAE_CHECK_ARG(out, "dataset_reshape");
    *out = NULL;
    LAE_CHECK_ARG(base, "dataset_reshape");
    LAE_CHECK_ARG(ndim >= 0 && ndim <= LSTMAE_MAX_DIMS, "dataset_reshape");
    LAE_CHECK_ARG(dims || ndim == 0, "dataset_reshape");
    LAE_TRY(derived_create(out, base, 0, base->count, ndim, dims));
    if ((*out)->elements == base->elements) return LSTMAE_OK;
    lstmae_status status = LAE_FAIL(ERR_SHAPE, "dataset_reshape: expected a shape of %zu elements, got one of %zu",
                                    base->elements, (*out)->elements);
    lstmae_dataset_destroy(*out);
    *out = NULL;
    return status;
}

/* Labels. */

typedef struct dataset_labels {
    dataset_derived derived;
    int32_t *labels; /* owned, one per item */
} dataset_labels;

static int64_t dataset_labels_label(const lstmae_dataset *dataset, int64_t index)
{
    return ((const dataset_labels *)dataset)->labels[index];
}

static void dataset_labels_destroy(lstmae_dataset *dataset)
{
    size_t bytes = (size_t)dataset->count * sizeof(int32_t);
    lae_free(lae_context_memory(dataset->context), ((dataset_labels *)dataset)->labels, bytes);
    dataset_derived_destroy(dataset);
}

static const lae_dataset_kind dataset_labels_kind = { dataset_derived_read, dataset_labels_destroy };

/* Float32 holds whole numbers up to this size exactly. */
#define LABELS_LIMIT 16777216.0f

static lstmae_status labels_fill(int32_t *out, const lstmae_dataset *labels)
{
    for (int64_t i = 0; i < labels->count; i++) {
        float value;
        LAE_TRY(lstmae_dataset_read(labels, i, &value, 1));
        if (!(fabsf(value) < LABELS_LIMIT) || value != floorf(value))
            return LAE_FAIL(ERR_FORMAT, "dataset_with_labels: item %lld: expected a whole number below 2^24, got %g",
                            (long long)i, (double)value);
        out[i] = (int32_t)value;
    }
    return LSTMAE_OK;
}

lstmae_status lstmae_dataset_with_labels(lstmae_dataset **out, lstmae_dataset *base, const lstmae_dataset *labels)
{
    LAE_CHECK_ARG(out, "dataset_with_labels");
    *out = NULL;
    LAE_CHECK_ARG(base, "dataset_with_labels");
    LAE_CHECK_ARG(labels, "dataset_with_labels");
    if (base->count == INT64_MAX || labels->count != base->count)
        return LAE_FAIL(ERR_SHAPE, "dataset_with_labels: expected %lld labels, got %lld", (long long)base->count,
                        (long long)labels->count);
    if (labels->elements != 1)
        return LAE_FAIL(ERR_SHAPE, "dataset_with_labels: expected labels of 1 element, got %zu", labels->elements);
    lae_memory *memory = lae_context_memory(base->context);
    size_t bytes = (size_t)base->count * sizeof(int32_t);
    int32_t *values = lae_alloc(memory, bytes);
    if (!values) return LAE_FAIL(ERR_NO_MEMORY, "dataset_with_labels: no memory for %zu bytes", bytes);
    lstmae_status status = labels_fill(values, labels);
    if (status == LSTMAE_OK)
        status = lae_dataset_create(out, sizeof(dataset_labels), &dataset_labels_kind, base->context, base->count,
                                    base->ndim, base->dim);
    if (status < 0) {
        lae_free(memory, values, bytes);
        return status;
    }
    dataset_labels *dataset = (dataset_labels *)*out;
    dataset->derived.base.scratch = base->scratch;
    dataset->derived.base.label = dataset_labels_label;
    dataset->derived.of = lae_dataset_retain(base);
    dataset->labels = values;
    return LSTMAE_OK;
}
