#include "batcher.h"

#include "permute.h"
#include "size.h"
#include "tensor_internal.h"

#include <string.h>

/* Stream of the random order of an epoch; orders repeat after 2^48 epochs. */
#define BATCHER_STREAM (UINT64_C(0xD4) << 56)
#define BATCHER_EPOCHS (UINT64_C(1) << 48)

static lstmae_status batcher_plan_items(lae_batcher *batcher, const lstmae_loader_options *options)
{
    int64_t count = batcher->dataset->count;
    batcher->endless = count == INT64_MAX;
    batcher->items = options->epoch_items > 0 ? options->epoch_items : count;
    if (count == 0) return LAE_FAIL(ERR_INVALID_ARG, "loader_create: expected a data set with items, got none");
    if (batcher->endless && options->epoch_items == 0)
        return LAE_FAIL(ERR_INVALID_ARG, "loader_create: expected epoch_items for endless data, got 0");
    if (batcher->items > count)
        return LAE_FAIL(ERR_INVALID_ARG, "loader_create: expected epoch_items of at most %lld, got %lld",
                        (long long)count, (long long)batcher->items);
    if ((options->flags & LSTMAE_LOADER_DROP_LAST) && options->batch > batcher->items)
        return LAE_FAIL(ERR_INVALID_ARG, "loader_create: expected a full batch of %lld, got %lld items",
                        (long long)options->batch, (long long)batcher->items);
    batcher->batch = options->batch < batcher->items ? options->batch : batcher->items;
    batcher->batches = batcher->items / batcher->batch;
    batcher->last = batcher->items % batcher->batch;
    if (options->flags & LSTMAE_LOADER_DROP_LAST) batcher->last = 0;
    if (batcher->last > 0) batcher->batches++;
    return LSTMAE_OK;
}

static lstmae_status batcher_plan_layout(lae_batcher *batcher, const lstmae_loader_options *options)
{
    const lstmae_dataset *dataset = batcher->dataset;
    batcher->steps = 1;
    if (options->flags & LSTMAE_LOADER_TIME_MAJOR) {
        if (dataset->ndim < 1)
            return LAE_FAIL(ERR_SHAPE, "loader_create: expected items with a time axis, got numbers");
        batcher->steps = dataset->dim[0];
        if (options->input_steps > batcher->steps)
            return LAE_FAIL(ERR_SHAPE, "loader_create: expected input_steps of at most %lld, got %lld",
                            (long long)batcher->steps, (long long)options->input_steps);
    } else {
        if (options->input_steps != 0)
            return LAE_FAIL(ERR_INVALID_ARG, "loader_create: expected input_steps 0 without TIME_MAJOR, got %lld",
                            (long long)options->input_steps);
        if (dataset->ndim >= LSTMAE_MAX_DIMS)
            return LAE_FAIL(ERR_SHAPE, "loader_create: expected items of at most %d axes, got %d", LSTMAE_MAX_DIMS - 1,
                            dataset->ndim);
    }
    batcher->width = (int64_t)dataset->elements / batcher->steps;
    return LSTMAE_OK;
}

lstmae_status lae_batcher_init(lae_batcher *batcher, lstmae_context *context, lstmae_dataset *dataset,
                               const lstmae_loader_options *options)
{
    lae_memory *memory = lae_context_memory(dataset->context);
    batcher->dataset = lae_dataset_retain(dataset);
    batcher->dtype = lstmae_context_dtype(context);
    batcher->seed = options->seed;
    batcher->shuffle = (options->flags & LSTMAE_LOADER_SHUFFLE) != 0;
    LAE_TRY(batcher_plan_items(batcher, options));
    LAE_TRY(batcher_plan_layout(batcher, options));
    if (!lae_mul_size(&batcher->bytes, dataset->elements * lae_dtype_size((int)batcher->dtype),
                      (size_t)batcher->batch) ||
        batcher->bytes > (size_t)PTRDIFF_MAX)
        return LAE_FAIL(ERR_SHAPE, "loader_create: expected batches that fit in memory, got %lld items of %zu elements",
                        (long long)batcher->batch, dataset->elements);
    batcher->item = lae_alloc(memory, dataset->elements * sizeof(float));
    batcher->scratch = lae_alloc(memory, dataset->scratch * sizeof(float));
    if (!batcher->item || !batcher->scratch)
        return LAE_FAIL(ERR_NO_MEMORY, "loader_create: no memory for an item of %zu elements", dataset->elements);
    return LSTMAE_OK;
}

void lae_batcher_free(lae_batcher *batcher)
{
    lstmae_dataset *dataset = batcher->dataset;
    if (!dataset) return;
    lae_memory *memory = lae_context_memory(dataset->context);
    lae_free(memory, batcher->item, dataset->elements * sizeof(float));
    lae_free(memory, batcher->scratch, dataset->scratch * sizeof(float));
    lstmae_dataset_destroy(dataset);
    batcher->dataset = NULL;
}

int64_t lae_batcher_count(const lae_batcher *batcher, int64_t batch)
{
    return batcher->last > 0 && batch == batcher->batches - 1 ? batcher->last : batcher->batch;
}

/* The item at place `at` of an epoch. */
static int64_t batcher_index(const lae_batcher *batcher, int64_t epoch, int64_t at)
{
    int64_t among = batcher->endless ? batcher->items : batcher->dataset->count;
    if (batcher->shuffle) {
        uint64_t stream = BATCHER_STREAM + (uint64_t)epoch % BATCHER_EPOCHS;
        at = (int64_t)lae_permute(batcher->seed, stream, (uint64_t)at, (uint64_t)among);
    }
    return batcher->endless ? epoch * batcher->items + at : at;
}

/* Puts item `place` of `count` into the batch: its step t becomes row [t,place]. */
static void batcher_scatter(const lae_batcher *batcher, int64_t place, int64_t count, void *out)
{
    const float *from = batcher->item;
    int64_t width = batcher->width;
    for (int64_t t = 0; t < batcher->steps; t++, from += width) {
        int64_t row = (t * count + place) * width;
        if (batcher->dtype == LSTMAE_F64)
            for (int64_t i = 0; i < width; i++) ((double *)out)[row + i] = (double)from[i];
        else
            memcpy((float *)out + row, from, (size_t)width * sizeof(float));
    }
}

lstmae_status lae_batcher_fill(lae_batcher *batcher, int64_t epoch, int64_t batch, void *out)
{
    const lstmae_dataset *dataset = batcher->dataset;
    int64_t count = lae_batcher_count(batcher, batch);
    if (batcher->endless && epoch > INT64_MAX / batcher->items - 1)
        return LAE_FAIL(ERR_STATE, "loader: epoch %lld lies beyond the last item", (long long)epoch);
    for (int64_t i = 0; i < count; i++) {
        int64_t index = batcher_index(batcher, epoch, batch * batcher->batch + i);
        LAE_TRY(dataset->kind->read(dataset, index, batcher->item, batcher->scratch));
        batcher_scatter(batcher, i, count, out);
    }
    return LSTMAE_OK;
}
