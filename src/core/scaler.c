/*
 * Scaling of columns. STANDARD keeps mean and variance, MINMAX least and largest value, and both give center and spread
 * anew with every update:
 *
 *   STANDARD  fit: mean = sum x / n, variance = sum (x - mean)^2 / n
 *             update, with a = 1 / n (at least 1 / memory) and d = x - mean:
 *             mean <- mean + a d, variance <- (1 - a) (variance + a d^2), which for a = 1 / n is the same
 *   MINMAX    spread = (largest - least) / (high - low), center = least - low spread
 */
#include "copies.h"
#include "scaler_internal.h"

#include "options.h"
#include "select.h"
#include "table_internal.h"

#include <math.h>
#include <string.h>

/* What stands in a state before the columns' numbers. */
enum { SCALER_KIND, SCALER_COLUMNS, SCALER_LOW, SCALER_HIGH, SCALER_ROWS, SCALER_FRONT };

struct lstmae_scaler {
    lstmae_context *context; /* retained */
    lstmae_scaler_options options;
    int64_t columns;
    double rows;             /* taken into account */
    double *numbers;         /* owned: the four below */
    double *center, *spread;
    double *first, *second;  /* mean and variance; least and largest value */
};

static size_t scaler_bytes(const lstmae_scaler *scaler)
{
    return 4 * (size_t)scaler->columns * sizeof(double);
}

lstmae_status lstmae_scaler_create(lstmae_scaler **out, lstmae_context *context, int64_t columns,
                                   const lstmae_scaler_options *options)
{
    static const lstmae_scaler_options defaults = LSTMAE_SCALER_OPTIONS_INIT;
    lstmae_scaler_options o;
    LAE_CHECK_ARG(out, "scaler_create");
    *out = NULL;
    LAE_CHECK_ARG(context, "scaler_create");
    LAE_CHECK_ARG(columns >= 1 && columns <= LSTMAE_TABLE_MAX_COLUMNS, "scaler_create");
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "scaler options"));
    LAE_CHECK_ARG(o.flags == 0 && o.reserved == 0, "scaler_create");
    LAE_CHECK_ARG(o.kind >= LSTMAE_SCALING_STANDARD && o.kind <= LSTMAE_SCALING_ROBUST, "scaler_create");
    LAE_CHECK_ARG(isfinite(o.low) && isfinite(o.high) && o.low < o.high, "scaler_create");
    LAE_CHECK_ARG(o.memory >= 0, "scaler_create");
    lae_memory *memory = lae_context_memory(context);
    lstmae_scaler *scaler = lae_calloc(memory, 1, sizeof *scaler);
    if (!scaler) return LAE_FAIL(ERR_NO_MEMORY, "scaler_create: no memory for %zu bytes", sizeof *scaler);
    scaler->context = lae_context_retain(context);
    scaler->options = o;
    scaler->columns = columns;
    scaler->numbers = lae_calloc(memory, 1, scaler_bytes(scaler));
    if (!scaler->numbers) {
        lstmae_scaler_destroy(scaler);
        return LAE_FAIL(ERR_NO_MEMORY, "scaler_create: no memory for %lld columns", (long long)columns);
    }
    scaler->center = scaler->numbers;
    scaler->spread = scaler->center + columns;
    scaler->first = scaler->spread + columns;
    scaler->second = scaler->first + columns;
    for (int64_t i = 0; i < columns; i++) scaler->spread[i] = 1.0;
    *out = scaler;
    return LSTMAE_OK;
}

lstmae_status lae_scaler_copy(lstmae_scaler **out, const lstmae_scaler *scaler, lstmae_context *context)
{
    LAE_TRY(lstmae_scaler_create(out, context, scaler->columns, &scaler->options));
    (*out)->rows = scaler->rows;
    memcpy((*out)->numbers, scaler->numbers, scaler_bytes(scaler));
    return LSTMAE_OK;
}

lstmae_scaling lae_scaler_kind(const lstmae_scaler *scaler)
{
    return (lstmae_scaling)scaler->options.kind;
}

void lstmae_scaler_destroy(lstmae_scaler *scaler)
{
    if (!scaler) return;
    lstmae_context *context = scaler->context;
    lae_memory *memory = lae_context_memory(context);
    lae_free(memory, scaler->numbers, scaler_bytes(scaler));
    lae_free(memory, scaler, sizeof *scaler);
    lae_context_release(context);
}

/* Center and spread of a column from what is kept of it. */
static void scaler_derive(lstmae_scaler *scaler, int64_t column)
{
    const lstmae_scaler_options *o = &scaler->options;
    double first = scaler->first[column], second = scaler->second[column];
    double spread = o->kind == LSTMAE_SCALING_STANDARD ? sqrt(second) : (second - first) / (o->high - o->low);
    if (!(spread > 0.0)) spread = 1.0; /* constant */
    scaler->spread[column] = spread;
    scaler->center[column] = o->kind == LSTMAE_SCALING_STANDARD ? first : first - o->low * spread;
}

/* ---- fitting ---- */

static const float *scaler_row(const lstmae_rows *part, int64_t row)
{
    return part->table->values + (part->first + row) * part->table->columns;
}

static void scaler_fit_range(lstmae_scaler *scaler, const lstmae_rows *parts, int64_t count)
{
    for (int64_t i = 0; i < scaler->columns; i++) {
        scaler->first[i] = INFINITY;
        scaler->second[i] = -INFINITY;
    }
    for (int64_t p = 0; p < count; p++) {
        for (int64_t row = 0; row < parts[p].count; row++) {
            const float *x = scaler_row(&parts[p], row);
            for (int64_t i = 0; i < scaler->columns; i++) {
                if ((double)x[i] < scaler->first[i]) scaler->first[i] = (double)x[i];
                if ((double)x[i] > scaler->second[i]) scaler->second[i] = (double)x[i];
            }
        }
    }
}

/* Two passes; a column that is constant keeps its value as mean, whatever its sum was rounded to. */
static void scaler_fit_moments(lstmae_scaler *scaler, const lstmae_rows *parts, int64_t count)
{
    scaler_fit_range(scaler, parts, count);
    double *mean = scaler->center, *variance = scaler->spread;
    memset(mean, 0, (size_t)scaler->columns * sizeof *mean);
    memset(variance, 0, (size_t)scaler->columns * sizeof *variance);
    for (int64_t p = 0; p < count; p++)
        for (int64_t row = 0; row < parts[p].count; row++)
            for (int64_t i = 0; i < scaler->columns; i++) mean[i] += (double)scaler_row(&parts[p], row)[i];
    for (int64_t i = 0; i < scaler->columns; i++)
        mean[i] = scaler->first[i] < scaler->second[i] ? mean[i] / scaler->rows : scaler->first[i];
    for (int64_t p = 0; p < count; p++) {
        for (int64_t row = 0; row < parts[p].count; row++) {
            const float *x = scaler_row(&parts[p], row);
            for (int64_t i = 0; i < scaler->columns; i++)
                variance[i] += ((double)x[i] - mean[i]) * ((double)x[i] - mean[i]);
        }
    }
    for (int64_t i = 0; i < scaler->columns; i++) {
        scaler->first[i] = mean[i];
        scaler->second[i] = variance[i] / scaler->rows;
    }
}

static void scaler_fit_quartiles(lstmae_scaler *scaler, const lstmae_rows *parts, int64_t count, float *values)
{
    for (int64_t i = 0; i < scaler->columns; i++) {
        size_t used = 0;
        for (int64_t p = 0; p < count; p++)
            for (int64_t row = 0; row < parts[p].count; row++) values[used++] = scaler_row(&parts[p], row)[i];
        scaler->center[i] = lae_quantile(values, used, 0.5);
        double low = lae_quantile(values, used, 0.25), high = lae_quantile(values, used, 0.75);
        scaler->spread[i] = high > low ? high - low : 1.0;
    }
}

lstmae_status lstmae_scaler_fit(lstmae_scaler *scaler, const lstmae_rows *parts, int64_t count)
{
    int64_t rows = 0;
    LAE_CHECK_ARG(scaler, "scaler_fit");
    LAE_TRY(lae_rows_check(parts, count, scaler->columns, "scaler_fit", &rows));
    if (rows == 0) return LAE_FAIL(ERR_SHAPE, "scaler_fit: expected 1 row or more, got none");
    if (scaler->options.kind == LSTMAE_SCALING_ROBUST) {
        lae_memory *memory = lae_context_memory(scaler->context);
        float *values = lae_alloc(memory, (size_t)rows * sizeof *values);
        if (!values) return LAE_FAIL(ERR_NO_MEMORY, "scaler_fit: no memory for %lld rows", (long long)rows);
        scaler->rows = (double)rows;
        scaler_fit_quartiles(scaler, parts, count, values);
        lae_free(memory, values, (size_t)rows * sizeof *values);
        return LSTMAE_OK;
    }
    scaler->rows = (double)rows;
    if (scaler->options.kind == LSTMAE_SCALING_STANDARD)
        scaler_fit_moments(scaler, parts, count);
    else
        scaler_fit_range(scaler, parts, count);
    for (int64_t i = 0; i < scaler->columns; i++) scaler_derive(scaler, i);
    return LSTMAE_OK;
}

static void scaler_update_row(lstmae_scaler *scaler, const float *x)
{
    double memory = (double)scaler->options.memory;
    scaler->rows += 1.0;
    double share = 1.0 / (memory > 0.0 && scaler->rows > memory ? memory : scaler->rows);
    for (int64_t i = 0; i < scaler->columns; i++) {
        double value = (double)x[i], *first = &scaler->first[i], *second = &scaler->second[i];
        if (scaler->options.kind == LSTMAE_SCALING_STANDARD) {
            double d = value - *first;
            *first += share * d;
            *second = (1.0 - share) * (*second + share * d * d);
        } else {
            if (scaler->rows == 1.0 || value < *first) *first = value;
            if (scaler->rows == 1.0 || value > *second) *second = value;
        }
    }
}

lstmae_status lstmae_scaler_update(lstmae_scaler *scaler, const float *values, int64_t rows)
{
    LAE_CHECK_ARG(scaler, "scaler_update");
    LAE_CHECK_ARG(rows >= 0 && rows <= INT64_MAX / scaler->columns, "scaler_update");
    LAE_CHECK_ARG(values || rows == 0, "scaler_update");
    if (scaler->options.kind == LSTMAE_SCALING_ROBUST)
        return LAE_FAIL(ERR_UNSUPPORTED, "scaler_update: expected STANDARD or MINMAX, got ROBUST");
    for (int64_t i = 0; i < rows * scaler->columns; i++)
        if (!isfinite(values[i]))
            return LAE_FAIL(ERR_NUMERIC, "scaler_update: row %lld, column %lld: expected a finite value, got %g",
                            (long long)(i / scaler->columns), (long long)(i % scaler->columns), (double)values[i]);
    for (int64_t row = 0; row < rows; row++) scaler_update_row(scaler, values + row * scaler->columns);
    if (rows > 0)
        for (int64_t i = 0; i < scaler->columns; i++) scaler_derive(scaler, i);
    return LSTMAE_OK;
}

/* ---- scaling ---- */

void lae_scale(const double *center, const double *spread, int64_t columns, const float *values, int64_t rows,
               float *out)
{
    for (int64_t row = 0; row < rows; row++, values += columns, out += columns)
        for (int64_t i = 0; i < columns; i++) out[i] = (float)(((double)values[i] - center[i]) / spread[i]);
}

lstmae_status lstmae_scaler_transform(const lstmae_scaler *scaler, const float *values, int64_t rows, float *out)
{
    LAE_CHECK_ARG(scaler, "scaler_transform");
    LAE_CHECK_ARG(rows >= 0, "scaler_transform");
    LAE_CHECK_ARG((values && out) || rows == 0, "scaler_transform");
    lae_scale(scaler->center, scaler->spread, scaler->columns, values, rows, out);
    return LSTMAE_OK;
}

lstmae_status lstmae_scaler_inverse(const lstmae_scaler *scaler, const float *values, int64_t rows, float *out)
{
    LAE_CHECK_ARG(scaler, "scaler_inverse");
    LAE_CHECK_ARG(rows >= 0, "scaler_inverse");
    LAE_CHECK_ARG((values && out) || rows == 0, "scaler_inverse");
    for (int64_t row = 0; row < rows; row++, values += scaler->columns, out += scaler->columns)
        for (int64_t i = 0; i < scaler->columns; i++)
            out[i] = (float)((double)values[i] * scaler->spread[i] + scaler->center[i]);
    return LSTMAE_OK;
}

int64_t lstmae_scaler_columns(const lstmae_scaler *scaler)
{
    return scaler ? scaler->columns : 0;
}

double lstmae_scaler_center(const lstmae_scaler *scaler, int64_t column)
{
    return scaler && column >= 0 && column < scaler->columns ? scaler->center[column] : 0.0;
}

double lstmae_scaler_spread(const lstmae_scaler *scaler, int64_t column)
{
    return scaler && column >= 0 && column < scaler->columns ? scaler->spread[column] : 1.0;
}

const double *lae_scaler_numbers(const lstmae_scaler *scaler)
{
    return scaler->center;
}

/* ---- state ---- */

int64_t lstmae_scaler_state_count(const lstmae_scaler *scaler)
{
    return scaler ? SCALER_FRONT + 4 * scaler->columns : 0;
}

lstmae_status lstmae_scaler_get_state(const lstmae_scaler *scaler, double *state, int64_t count)
{
    LAE_CHECK_ARG(scaler, "scaler_get_state");
    LAE_CHECK_ARG(state, "scaler_get_state");
    LAE_TRY(lae_state_check_count(count, lstmae_scaler_state_count(scaler), "scaler_get_state"));
    state[SCALER_KIND] = (double)scaler->options.kind;
    state[SCALER_COLUMNS] = (double)scaler->columns;
    state[SCALER_LOW] = scaler->options.low;
    state[SCALER_HIGH] = scaler->options.high;
    state[SCALER_ROWS] = scaler->rows;
    memcpy(state + SCALER_FRONT, scaler->numbers, scaler_bytes(scaler));
    return LSTMAE_OK;
}

static int scaler_state_possible(const lstmae_scaler *scaler, const double *state)
{
    int64_t n = scaler->columns;
    const double *spread = state + SCALER_FRONT + n, *first = spread + n, *second = first + n;
    if (!(state[SCALER_ROWS] >= 0.0) || !(state[SCALER_LOW] < state[SCALER_HIGH])) return 0;
    for (int64_t i = 0; i < SCALER_FRONT + 4 * n; i++)
        if (!isfinite(state[i])) return 0;
    for (int64_t i = 0; i < n; i++) {
        double least = scaler->options.kind == LSTMAE_SCALING_MINMAX ? first[i] : 0.0;
        if (!(spread[i] > 0.0) || second[i] < least) return 0;
    }
    return 1;
}

lstmae_status lstmae_scaler_set_state(lstmae_scaler *scaler, const double *state, int64_t count)
{
    LAE_CHECK_ARG(scaler, "scaler_set_state");
    LAE_CHECK_ARG(state, "scaler_set_state");
    LAE_TRY(lae_state_check_count(count, lstmae_scaler_state_count(scaler), "scaler_set_state"));
    if (state[SCALER_KIND] != (double)scaler->options.kind)
        return LAE_FAIL(ERR_STATE, "scaler_set_state: expected kind %d, got %g", (int)scaler->options.kind,
                        state[SCALER_KIND]);
    if (state[SCALER_COLUMNS] != (double)scaler->columns || !scaler_state_possible(scaler, state))
        return LAE_FAIL(ERR_FORMAT, "scaler_set_state: expected the state of a scaler of %lld columns, got other "
                        "numbers", (long long)scaler->columns);
    scaler->options.low = state[SCALER_LOW];
    scaler->options.high = state[SCALER_HIGH];
    scaler->rows = state[SCALER_ROWS];
    memcpy(scaler->numbers, state + SCALER_FRONT, scaler_bytes(scaler));
    return LSTMAE_OK;
}
