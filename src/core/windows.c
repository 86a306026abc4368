/* Data sets of windows over recordings. Windows are numbered recording by recording; none reaches beyond its part. */
#include "dataset.h"
#include "options.h"
#include "scaler_internal.h"
#include "table_internal.h"

#include <lstmae/windows.h>

#include <string.h>

typedef struct windows_part {
    lstmae_table *table; /* retained */
    int64_t first;       /* row */
    int64_t before;      /* windows in the parts before this one */
} windows_part;

typedef struct dataset_windows {
    lstmae_dataset base;
    int64_t stride;
    int64_t part_count;
    windows_part *part;
    double *scale; /* centers, then spreads; NULL: values are taken as they are */
} dataset_windows;

/* The part that window `index` belongs to: the last that begins at or before it. */
static const windows_part *windows_find(const dataset_windows *windows, int64_t index)
{
    int64_t low = 0, high = windows->part_count - 1;
    while (low < high) {
        int64_t middle = low + (high - low + 1) / 2;
        if (windows->part[middle].before <= index)
            low = middle;
        else
            high = middle - 1;
    }
    return &windows->part[low];
}

static lstmae_status windows_read(const lstmae_dataset *dataset, int64_t index, float *item, float *scratch)
{
    const dataset_windows *windows = (const dataset_windows *)dataset;
    const windows_part *part = windows_find(windows, index);
    int64_t columns = dataset->dim[1], row = part->first + (index - part->before) * windows->stride;
    const float *values = part->table->values + row * columns;
    (void)scratch;
    if (windows->scale)
        lae_scale(windows->scale, windows->scale + columns, columns, values, dataset->dim[0], item);
    else
        memcpy(item, values, dataset->elements * sizeof *item);
    return LSTMAE_OK;
}

static size_t windows_part_bytes(const dataset_windows *windows)
{
    return (size_t)windows->part_count * sizeof *windows->part;
}

static size_t windows_scale_bytes(const dataset_windows *windows)
{
    return 2 * (size_t)windows->base.dim[1] * sizeof *windows->scale;
}

static void windows_destroy(lstmae_dataset *dataset)
{
    dataset_windows *windows = (dataset_windows *)dataset;
    lae_memory *memory = lae_context_memory(dataset->context);
    for (int64_t i = 0; windows->part && i < windows->part_count; i++) lstmae_table_destroy(windows->part[i].table);
    lae_free(memory, windows->part, windows_part_bytes(windows));
    lae_free(memory, windows->scale, windows_scale_bytes(windows));
}

static const lae_dataset_kind windows_kind = { windows_read, windows_destroy };

/* Windows that fit in `rows` rows. */
static int64_t windows_in(const lstmae_windows_options *options, int64_t rows)
{
    return rows < options->length ? 0 : (rows - options->length) / options->stride + 1;
}

static lstmae_status windows_fill(dataset_windows *windows, const lstmae_rows *parts,
                                  const lstmae_windows_options *options)
{
    lae_memory *memory = lae_context_memory(windows->base.context);
    windows->part = lae_calloc(memory, 1, windows_part_bytes(windows));
    if (options->scaler) windows->scale = lae_alloc(memory, windows_scale_bytes(windows));
    if (!windows->part || (options->scaler && !windows->scale))
        return LAE_FAIL(ERR_NO_MEMORY, "dataset_windows: no memory for %lld parts", (long long)windows->part_count);
    if (options->scaler) memcpy(windows->scale, lae_scaler_numbers(options->scaler), windows_scale_bytes(windows));
    int64_t before = 0;
    for (int64_t i = 0; i < windows->part_count; i++) {
        windows->part[i] = (windows_part){ lae_table_retain(parts[i].table), parts[i].first, before };
        before += windows_in(options, parts[i].count);
    }
    return LSTMAE_OK;
}

lstmae_status lstmae_dataset_windows(lstmae_dataset **out, const lstmae_rows *parts, int64_t count,
                                     const lstmae_windows_options *options)
{
    static const lstmae_windows_options defaults = LSTMAE_WINDOWS_OPTIONS_INIT;
    lstmae_windows_options o;
    int64_t rows = 0, total = 0, columns = 0;
    LAE_CHECK_ARG(out, "dataset_windows");
    *out = NULL;
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "windows options"));
    LAE_CHECK_ARG(o.flags == 0, "dataset_windows");
    LAE_CHECK_ARG(o.length >= 1 && o.stride >= 1, "dataset_windows");
    LAE_CHECK_ARG(parts && count >= 1 && parts[0].table, "dataset_windows");
    columns = parts[0].table->columns;
    LAE_TRY(lae_rows_check(parts, count, columns, "dataset_windows", &rows));
    if (o.scaler && lstmae_scaler_columns(o.scaler) != columns)
        return LAE_FAIL(ERR_SHAPE, "dataset_windows: expected a scaler of %lld columns, got %lld", (long long)columns,
                        (long long)lstmae_scaler_columns(o.scaler));
    for (int64_t i = 0; i < count; i++) total += windows_in(&o, parts[i].count);
    if (total == 0)
        return LAE_FAIL(ERR_SHAPE, "dataset_windows: expected a part of %lld rows or more, got none",
                        (long long)o.length);
    lstmae_dataset *dataset = NULL;
    int64_t dims[2] = { o.length, columns };
    LAE_TRY(lae_dataset_create(&dataset, sizeof(dataset_windows), &windows_kind, parts[0].table->context, total, 2,
                               dims));
    ((dataset_windows *)dataset)->stride = o.stride;
    ((dataset_windows *)dataset)->part_count = count;
    lstmae_status status = windows_fill((dataset_windows *)dataset, parts, &o);
    if (status == LSTMAE_OK)
        *out = dataset;
    else
        lstmae_dataset_destroy(dataset);
    return status;
}

lstmae_status lstmae_windows_place(const lstmae_dataset *dataset, int64_t index, int64_t *part, int64_t *row)
{
    LAE_CHECK_ARG(dataset, "windows_place");
    LAE_CHECK_ARG(part && row, "windows_place");
    if (dataset->kind != &windows_kind)
        return LAE_FAIL(ERR_INVALID_ARG, "windows_place: expected a data set of windows, got another kind");
    if (index < 0 || index >= dataset->count)
        return LAE_FAIL(ERR_INVALID_ARG, "windows_place: expected an index in [0,%lld), got %lld",
                        (long long)dataset->count, (long long)index);
    const dataset_windows *windows = (const dataset_windows *)dataset;
    const windows_part *found = windows_find(windows, index);
    *part = found - windows->part;
    *row = found->first + (index - found->before) * windows->stride;
    return LSTMAE_OK;
}
