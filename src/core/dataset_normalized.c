/* Mean and standard deviation of a data set's channels, and data sets moved and scaled by them. */
#include "dataset.h"
#include "size.h"

#include <math.h>
#include <string.h>

/* An item as [outer, channels, inner]. */
typedef struct channel_layout {
    int64_t outer, channels, inner;
} channel_layout;

static lstmae_status channel_layout_of(channel_layout *layout, const lstmae_dataset *dataset, int axis,
                                       const char *function)
{
    if (axis < -1 || axis >= dataset->ndim)
        return LAE_FAIL(ERR_INVALID_ARG, "%s: expected axis -1 or an axis of %d, got %d", function, dataset->ndim,
                        axis);
    *layout = (channel_layout){ 1, axis < 0 ? 1 : dataset->dim[axis], 1 };
    for (int i = 0; i < axis; i++) layout->outer *= dataset->dim[i];
    for (int i = axis + 1; i < dataset->ndim; i++) layout->inner *= dataset->dim[i];
    return LSTMAE_OK;
}

typedef struct dataset_normalized {
    lstmae_dataset base;
    lstmae_dataset *of; /* retained */
    channel_layout layout;
    double *mean, *scale; /* one block, owned: [channels] each; scale is 1 / deviation */
} dataset_normalized;

static lstmae_status dataset_normalized_read(const lstmae_dataset *dataset, int64_t index, float *item, float *scratch)
{
    const dataset_normalized *normalized = (const dataset_normalized *)dataset;
    const channel_layout *layout = &normalized->layout;
    LAE_TRY(normalized->of->kind->read(normalized->of, index, item, scratch));
    for (int64_t o = 0; o < layout->outer; o++) {
        for (int64_t c = 0; c < layout->channels; c++, item += layout->inner) {
            double mean = normalized->mean[c], scale = normalized->scale[c];
            for (int64_t i = 0; i < layout->inner; i++) item[i] = (float)(((double)item[i] - mean) * scale);
        }
    }
    return LSTMAE_OK;
}

static int64_t dataset_normalized_label(const lstmae_dataset *dataset, int64_t index)
{
    const lstmae_dataset *of = ((const dataset_normalized *)dataset)->of;
    return of->label(of, index);
}

static size_t normalized_bytes(const channel_layout *layout)
{
    return 2 * (size_t)layout->channels * sizeof(double);
}

static void dataset_normalized_destroy(lstmae_dataset *dataset)
{
    dataset_normalized *normalized = (dataset_normalized *)dataset;
    lae_free(lae_context_memory(dataset->context), normalized->mean, normalized_bytes(&normalized->layout));
    lstmae_dataset_destroy(normalized->of);
}

static const lae_dataset_kind dataset_normalized_kind = { dataset_normalized_read, dataset_normalized_destroy };

static lstmae_status normalized_check(const channel_layout *layout, const double *mean, const double *deviation)
{
    for (int64_t c = 0; c < layout->channels; c++) {
        if (!isfinite(mean[c]))
            return LAE_FAIL(ERR_INVALID_ARG, "dataset_normalized: channel %lld: expected a finite mean, got %g",
                            (long long)c, mean[c]);
        if (!(deviation[c] > 0) || !isfinite(deviation[c]) || !isfinite(1.0 / deviation[c]))
            return LAE_FAIL(ERR_INVALID_ARG, "dataset_normalized: channel %lld: expected a deviation above 0, got %g",
                            (long long)c, deviation[c]);
    }
    return LSTMAE_OK;
}

lstmae_status lstmae_dataset_normalized(lstmae_dataset **out, lstmae_dataset *base, int axis, const double *mean,
                                        const double *deviation)
{
    channel_layout layout = { 1, 1, 1 };
    LAE_CHECK_ARG(out, "dataset_normalized");
    *out = NULL;
    LAE_CHECK_ARG(base, "dataset_normalized");
    LAE_CHECK_ARG(mean, "dataset_normalized");
    LAE_CHECK_ARG(deviation, "dataset_normalized");
    LAE_TRY(channel_layout_of(&layout, base, axis, "dataset_normalized"));
    LAE_TRY(normalized_check(&layout, mean, deviation));
    lae_memory *memory = lae_context_memory(base->context);
    size_t bytes = normalized_bytes(&layout);
    double *values = lae_alloc(memory, bytes);
    if (!values) return LAE_FAIL(ERR_NO_MEMORY, "dataset_normalized: no memory for %zu bytes", bytes);
    lstmae_status status = lae_dataset_create(out, sizeof(dataset_normalized), &dataset_normalized_kind, base->context,
                                              base->count, base->ndim, base->dim);
    if (status < 0) {
        lae_free(memory, values, bytes);
        return status;
    }
    dataset_normalized *normalized = (dataset_normalized *)*out;
    normalized->base.scratch = base->scratch;
    normalized->base.label = base->label ? dataset_normalized_label : NULL;
    normalized->of = lae_dataset_retain(base);
    normalized->layout = layout;
    normalized->mean = values;
    normalized->scale = values + layout.channels;
    for (int64_t c = 0; c < layout.channels; c++) {
        normalized->mean[c] = mean[c];
        normalized->scale[c] = 1.0 / deviation[c];
    }
    return LSTMAE_OK;
}

/* Adds to sum[c] the values of an item, or with `mean` the squares of their distances from it. */
static void moments_add(const channel_layout *layout, const float *item, const double *mean, double *sum)
{
    for (int64_t o = 0; o < layout->outer; o++) {
        for (int64_t c = 0; c < layout->channels; c++, item += layout->inner) {
            double part = 0.0, from = mean ? mean[c] : 0.0;
            if (mean)
                for (int64_t i = 0; i < layout->inner; i++) part += (item[i] - from) * (item[i] - from);
            else
                for (int64_t i = 0; i < layout->inner; i++) part += item[i];
            sum[c] += part;
        }
    }
}

static lstmae_status moments_pass(const lstmae_dataset *dataset, const channel_layout *layout, float *item,
                                  const double *mean, double *sum)
{
    double values = (double)dataset->count * (double)layout->outer * (double)layout->inner;
    memset(sum, 0, (size_t)layout->channels * sizeof *sum);
    for (int64_t n = 0; n < dataset->count; n++) {
        LAE_TRY(dataset->kind->read(dataset, n, item, item + dataset->elements));
        moments_add(layout, item, mean, sum);
    }
    for (int64_t c = 0; c < layout->channels; c++) sum[c] /= values;
    return LSTMAE_OK;
}

lstmae_status lstmae_dataset_moments(const lstmae_dataset *dataset, int axis, double *mean, double *deviation)
{
    channel_layout layout = { 1, 1, 1 };
    LAE_CHECK_ARG(dataset, "dataset_moments");
    LAE_CHECK_ARG(mean, "dataset_moments");
    LAE_CHECK_ARG(deviation, "dataset_moments");
    LAE_TRY(channel_layout_of(&layout, dataset, axis, "dataset_moments"));
    if (dataset->count == 0 || dataset->count == INT64_MAX)
        return LAE_FAIL(ERR_INVALID_ARG, "dataset_moments: expected data with items and an end, got %s",
                        dataset->count == 0 ? "no items" : "endless data");
    lae_memory *memory = lae_context_memory(dataset->context);
    size_t bytes;
    if (!lae_add_size(&bytes, dataset->elements, dataset->scratch) || !lae_mul_size(&bytes, bytes, sizeof(float)))
        return LAE_FAIL(ERR_SHAPE, "dataset_moments: expected items that fit in memory");
    float *item = lae_alloc(memory, bytes);
    if (!item) return LAE_FAIL(ERR_NO_MEMORY, "dataset_moments: no memory for %zu bytes", bytes);
    lstmae_status status = moments_pass(dataset, &layout, item, NULL, mean);
    if (status == LSTMAE_OK) status = moments_pass(dataset, &layout, item, mean, deviation);
    if (status == LSTMAE_OK)
        for (int64_t c = 0; c < layout.channels; c++) deviation[c] = sqrt(deviation[c]);
    lae_free(memory, item, bytes);
    return status;
}
