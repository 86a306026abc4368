/*
 * Values of rows from overlapping windows. A ring of `length` rows holds what is known of those that windows may still
 * contain: a sum, a maximum or the first value, or for the median all values, of which a row gets at most
 * ceil(length / stride).
 */
#include "context_internal.h"
#include "options.h"
#include "select.h"
#include "size.h"

#include <lstmae/score.h>

#include <math.h>

struct lstmae_points {
    lstmae_context *context; /* retained */
    lstmae_points_options options;
    int64_t depth;    /* values of a row and channel that are kept: 1, or for the median all */
    int64_t windows;  /* pushed since the recording began */
    int64_t first;    /* place in the ring of the row that the next window begins with */
    double *sum;      /* [length, channels]; NULL for the median */
    float *values;    /* [length, channels, depth], for the median */
    int64_t *count;   /* [length]: windows that have contained the row */
};

static size_t points_cells(const lstmae_points_options *options)
{
    return (size_t)options->length * (size_t)options->channels;
}

static lstmae_status points_check(lstmae_points_options *o, const lstmae_points_options *options)
{
    static const lstmae_points_options defaults = LSTMAE_POINTS_OPTIONS_INIT;
    LAE_TRY(lae_options_read(o, &defaults, sizeof *o, options, sizeof *o, "points options"));
    LAE_CHECK_ARG(o->flags == 0 && o->reserved == 0, "points");
    LAE_CHECK_ARG(o->rule >= LSTMAE_POINT_MEAN && o->rule <= LSTMAE_POINT_MAX, "points");
    LAE_CHECK_ARG(o->length >= 1 && o->channels >= 1, "points");
    LAE_CHECK_ARG(o->stride >= 1 && o->stride <= o->length, "points");
    return LSTMAE_OK;
}

lstmae_status lstmae_points_create(lstmae_points **out, lstmae_context *context, const lstmae_points_options *options)
{
    lstmae_points_options o;
    LAE_CHECK_ARG(out, "points_create");
    *out = NULL;
    LAE_CHECK_ARG(context, "points_create");
    LAE_TRY(points_check(&o, options));
    int64_t depth = o.rule == LSTMAE_POINT_MEDIAN ? (o.length - 1) / o.stride + 1 : 1, all;
    const int64_t sizes[4] = { o.length, o.channels, depth, (int64_t)sizeof(double) };
    if (!lae_product(&all, 4, sizes) || all > PTRDIFF_MAX)
        return LAE_FAIL(ERR_SHAPE, "points_create: expected windows that fit in memory, got %lld rows of %lld",
                        (long long)o.length, (long long)o.channels);
    lae_memory *memory = lae_context_memory(context);
    lstmae_points *points = lae_calloc(memory, 1, sizeof *points);
    if (!points) return LAE_FAIL(ERR_NO_MEMORY, "points_create: no memory for %zu bytes", sizeof *points);
    points->context = lae_context_retain(context);
    points->options = o;
    points->depth = depth;
    points->count = lae_calloc(memory, (size_t)o.length, sizeof *points->count);
    if (o.rule == LSTMAE_POINT_MEDIAN)
        points->values = lae_alloc(memory, points_cells(&o) * (size_t)depth * sizeof *points->values);
    else
        points->sum = lae_alloc(memory, points_cells(&o) * sizeof *points->sum);
    if (!points->count || (!points->values && !points->sum)) {
        lstmae_points_destroy(points);
        return LAE_FAIL(ERR_NO_MEMORY, "points_create: no memory for %lld bytes", (long long)all);
    }
    *out = points;
    return LSTMAE_OK;
}

void lstmae_points_destroy(lstmae_points *points)
{
    if (!points) return;
    lstmae_context *context = points->context;
    lae_memory *memory = lae_context_memory(context);
    const lstmae_points_options *o = &points->options;
    lae_free(memory, points->count, (size_t)o->length * sizeof *points->count);
    lae_free(memory, points->values, points_cells(o) * (size_t)points->depth * sizeof *points->values);
    lae_free(memory, points->sum, points_cells(o) * sizeof *points->sum);
    lae_free(memory, points, sizeof *points);
    lae_context_release(context);
}

/* Adds a window's row to the row at `place` of the ring. */
static void points_add(lstmae_points *points, int64_t place, const float *row)
{
    const int64_t channels = points->options.channels, count = points->count[place]++;
    for (int64_t i = 0; i < channels; i++) {
        if (points->values) {
            points->values[(place * channels + i) * points->depth + count] = row[i];
            continue;
        }
        double *sum = &points->sum[place * channels + i], value = (double)row[i];
        if (count == 0)
            *sum = value;
        else if (points->options.rule == LSTMAE_POINT_MEAN)
            *sum += value;
        else if (points->options.rule == LSTMAE_POINT_MAX && (value > *sum || isnan(value)))
            *sum = value;
    }
}

/* The median of a row's values, which are reordered. NaN among them gives NaN. */
static float points_median(float *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (isnan(values[i])) return NAN;
    return (float)lae_quantile(values, (size_t)count, 0.5);
}

/* Writes the row at `place` of the ring, which no later window contains, and frees its place. */
static void points_take(lstmae_points *points, int64_t place, float *row)
{
    const int64_t channels = points->options.channels, count = points->count[place];
    points->count[place] = 0;
    for (int64_t i = 0; i < channels; i++) {
        int64_t cell = place * channels + i;
        if (points->values)
            row[i] = points_median(points->values + cell * points->depth, count);
        else if (points->options.rule == LSTMAE_POINT_MEAN)
            row[i] = (float)(points->sum[cell] / (double)count);
        else
            row[i] = (float)points->sum[cell];
    }
}

/* Hands out the next `count` rows. */
static void points_advance(lstmae_points *points, int64_t count, float *rows)
{
    for (int64_t t = 0; t < count; t++) {
        points_take(points, points->first, rows + t * points->options.channels);
        points->first = points->first + 1 == points->options.length ? 0 : points->first + 1;
    }
}

lstmae_status lstmae_points_push(lstmae_points *points, const float *window, int64_t row_stride, float *rows)
{
    LAE_CHECK_ARG(points, "points_push");
    LAE_CHECK_ARG(window, "points_push");
    LAE_CHECK_ARG(rows, "points_push");
    const lstmae_points_options *o = &points->options;
    int64_t stride = row_stride == 0 ? o->channels : row_stride;
    LAE_CHECK_ARG(stride >= o->channels, "points_push");
    for (int64_t t = 0; t < o->length; t++)
        points_add(points, (points->first + t) % o->length, window + t * stride);
    points->windows++;
    points_advance(points, o->stride, rows);
    return LSTMAE_OK;
}

lstmae_status lstmae_points_finish(lstmae_points *points, float *rows)
{
    LAE_CHECK_ARG(points, "points_finish");
    int64_t left = points->options.length - points->options.stride;
    LAE_CHECK_ARG(rows || left == 0, "points_finish");
    if (points->windows == 0) return LAE_FAIL(ERR_STATE, "points_finish: expected a window before, got none");
    points_advance(points, left, rows);
    points->windows = 0;
    return LSTMAE_OK;
}

lstmae_status lstmae_points_join(lstmae_context *context, const lstmae_points_options *options, const float *windows,
                                 int64_t count, float *rows)
{
    lstmae_points_options o;
    lstmae_points *points = NULL;
    LAE_CHECK_ARG(context, "points_join");
    LAE_CHECK_ARG(windows && rows, "points_join");
    LAE_CHECK_ARG(count >= 1, "points_join");
    LAE_TRY(points_check(&o, options));
    LAE_TRY(lstmae_points_create(&points, context, &o));
    lstmae_status status = LSTMAE_OK;
    for (int64_t i = 0; i < count && status == LSTMAE_OK; i++)
        status = lstmae_points_push(points, windows + i * o.length * o.channels, 0, rows + i * o.stride * o.channels);
    if (status == LSTMAE_OK) status = lstmae_points_finish(points, rows + count * o.stride * o.channels);
    lstmae_points_destroy(points);
    return status;
}
