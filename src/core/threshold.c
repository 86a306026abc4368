#include "context_internal.h"
#include "copies.h"
#include "options.h"
#include "scaler_internal.h"
#include "select.h"
#include "size.h"
#include "threshold_rules.h"

#include <math.h>
#include <string.h>

#define THRESHOLD_WINDOW_MOST (INT64_C(1) << 31)
#define THRESHOLD_LEAST_EXCESSES 10

/* Numbers of a state; the kept scores follow. */
enum {
    STATE_KIND,
    STATE_WINDOW,
    STATE_VALUE, /* NaN: not fitted */
    STATE_USED,  /* kept scores */
    STATE_NEXT,  /* place of the next one */
    STATE_SINCE, /* DYNAMIC: scores since the last evaluation */
    STATE_ROWS,  /* SIGMA, SPOT: scores seen */
    STATE_FIRST, /* SIGMA: mean; SPOT: level over which there are excesses */
    STATE_SECOND, /* SIGMA: variance; SPOT: excesses seen */
    STATE_FRONT
};

struct lstmae_threshold {
    lstmae_context *context; /* retained */
    lstmae_threshold_options options;
    int64_t capacity;      /* scores that are kept; 0: none */
    double *state;         /* [STATE_FRONT + capacity] */
    double *kept;          /* in it */
    double *scratch;       /* [capacity] */
    lae_dynamic_run *runs; /* [(capacity + 1) / 2], DYNAMIC */
};

static int64_t threshold_runs(const lstmae_threshold *threshold)
{
    return threshold->options.kind == LSTMAE_THRESHOLD_DYNAMIC ? (threshold->capacity + 1) / 2 : 0;
}

static lstmae_status threshold_check_options(const lstmae_threshold_options *o)
{
    const int quantile = o->kind == LSTMAE_THRESHOLD_QUANTILE, spot = o->kind == LSTMAE_THRESHOLD_SPOT;
    const int dynamic = o->kind == LSTMAE_THRESHOLD_DYNAMIC, online = (o->flags & LSTMAE_THRESHOLD_ONLINE) != 0;
    LAE_CHECK_ARG((o->flags & ~LSTMAE_THRESHOLD_ONLINE) == 0 && o->reserved == 0, "threshold_create");
    LAE_CHECK_ARG(o->kind >= LSTMAE_THRESHOLD_QUANTILE && o->kind <= LSTMAE_THRESHOLD_DYNAMIC, "threshold_create");
    LAE_CHECK_ARG(o->memory >= 0, "threshold_create");
    if (quantile || spot) LAE_CHECK_ARG(o->quantile >= 0.0 && o->quantile <= 1.0, "threshold_create");
    if (quantile || o->kind == LSTMAE_THRESHOLD_SIGMA)
        LAE_CHECK_ARG(o->factor >= 0.0 && isfinite(o->factor), "threshold_create");
    if (spot) LAE_CHECK_ARG(o->risk > 0.0 && o->risk < 1.0 - o->quantile, "threshold_create");
    if (spot || dynamic || (quantile && online))
        LAE_CHECK_ARG(o->window >= 1 && o->window <= THRESHOLD_WINDOW_MOST, "threshold_create");
    if (!dynamic) return LSTMAE_OK;
    LAE_CHECK_ARG(o->prune >= 0.0 && o->prune < 1.0, "threshold_create");
    LAE_CHECK_ARG(isfinite(o->z_low) && isfinite(o->z_high) && o->z_low < o->z_high, "threshold_create");
    LAE_CHECK_ARG(o->z_step > 0.0 && (o->z_high - o->z_low) / o->z_step <= 1000.0, "threshold_create");
    LAE_CHECK_ARG(o->batch >= 1 && o->batch <= o->window, "threshold_create");
    return LSTMAE_OK;
}

static lstmae_status threshold_memory(lstmae_threshold *threshold)
{
    lae_memory *memory = lae_context_memory(threshold->context);
    const lstmae_threshold_options *o = &threshold->options;
    int keeps = o->kind == LSTMAE_THRESHOLD_SPOT || o->kind == LSTMAE_THRESHOLD_DYNAMIC ||
                (o->kind == LSTMAE_THRESHOLD_QUANTILE && (o->flags & LSTMAE_THRESHOLD_ONLINE));
    threshold->capacity = keeps ? o->window : 0;
    size_t capacity = (size_t)threshold->capacity, runs = (size_t)threshold_runs(threshold);
    threshold->state = lae_calloc(memory, STATE_FRONT + capacity, sizeof *threshold->state);
    threshold->scratch = lae_calloc(memory, capacity, sizeof *threshold->scratch);
    threshold->runs = lae_calloc(memory, runs, sizeof *threshold->runs);
    if (!threshold->state || !threshold->scratch || !threshold->runs)
        return LAE_FAIL(ERR_NO_MEMORY, "threshold_create: no memory for %zu scores", capacity);
    threshold->kept = threshold->state + STATE_FRONT;
    threshold->state[STATE_KIND] = (double)o->kind;
    threshold->state[STATE_WINDOW] = (double)threshold->capacity;
    threshold->state[STATE_VALUE] = NAN;
    return LSTMAE_OK;
}

lstmae_status lstmae_threshold_create(lstmae_threshold **out, lstmae_context *context,
                                      const lstmae_threshold_options *options)
{
    static const lstmae_threshold_options defaults = LSTMAE_THRESHOLD_QUANTILE_INIT;
    lstmae_threshold_options o;
    LAE_CHECK_ARG(out, "threshold_create");
    *out = NULL;
    LAE_CHECK_ARG(context, "threshold_create");
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "threshold options"));
    LAE_TRY(threshold_check_options(&o));
    lstmae_threshold *threshold = lae_calloc(lae_context_memory(context), 1, sizeof *threshold);
    if (!threshold) return LAE_FAIL(ERR_NO_MEMORY, "threshold_create: no memory for %zu bytes", sizeof *threshold);
    threshold->context = lae_context_retain(context);
    threshold->options = o;
    lstmae_status status = threshold_memory(threshold);
    if (status == LSTMAE_OK)
        *out = threshold;
    else
        lstmae_threshold_destroy(threshold);
    return status;
}

lstmae_status lae_threshold_copy(lstmae_threshold **out, const lstmae_threshold *threshold, lstmae_context *context)
{
    const size_t capacity = (size_t)threshold->capacity;
    LAE_TRY(lstmae_threshold_create(out, context, &threshold->options));
    memcpy((*out)->state, threshold->state, (STATE_FRONT + capacity) * sizeof(double));
    if (capacity > 0) memcpy((*out)->scratch, threshold->scratch, capacity * sizeof(double));
    return LSTMAE_OK;
}

int lae_threshold_ready(const lstmae_threshold *threshold)
{
    return threshold->options.kind == LSTMAE_THRESHOLD_DYNAMIC || !isnan(threshold->state[STATE_VALUE]);
}

void lstmae_threshold_destroy(lstmae_threshold *threshold)
{
    if (!threshold) return;
    lstmae_context *context = threshold->context;
    lae_memory *memory = lae_context_memory(context);
    size_t capacity = (size_t)threshold->capacity;
    lae_free(memory, threshold->state, (STATE_FRONT + capacity) * sizeof *threshold->state);
    lae_free(memory, threshold->scratch, capacity * sizeof *threshold->scratch);
    lae_free(memory, threshold->runs, (size_t)threshold_runs(threshold) * sizeof *threshold->runs);
    lae_free(memory, threshold, sizeof *threshold);
    lae_context_release(context);
}

double lstmae_threshold_value(const lstmae_threshold *threshold)
{
    return threshold ? threshold->state[STATE_VALUE] : NAN;
}

/* ---- the kept scores ---- */

static void threshold_keep(lstmae_threshold *threshold, double score)
{
    double *state = threshold->state;
    threshold->kept[(int64_t)state[STATE_NEXT]] = score;
    state[STATE_NEXT] = state[STATE_NEXT] + 1.0 < (double)threshold->capacity ? state[STATE_NEXT] + 1.0 : 0.0;
    if (state[STATE_USED] < (double)threshold->capacity) state[STATE_USED] += 1.0;
}

/* Copies them to the scratch memory in the order in which they came; returns how many. */
static int64_t threshold_recent(lstmae_threshold *threshold)
{
    int64_t used = (int64_t)threshold->state[STATE_USED], next = (int64_t)threshold->state[STATE_NEXT];
    int64_t oldest = used < threshold->capacity ? 0 : next;
    for (int64_t i = 0; i < used; i++) threshold->scratch[i] = threshold->kept[(oldest + i) % threshold->capacity];
    return used;
}

/* ---- the rules ---- */

/* Where a value belongs among sorted ones: before the first that is not smaller. */
static int64_t threshold_place(const double *sorted, int64_t count, double value)
{
    int64_t low = 0, high = count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (sorted[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static double threshold_sorted_quantile(const double *sorted, int64_t count, double q)
{
    double place = q * (double)(count - 1);
    int64_t k = (int64_t)floor(place);
    if (k + 1 >= count) return sorted[count - 1];
    return sorted[k] + (place - (double)k) * (sorted[k + 1] - sorted[k]);
}

/* Keeps a score and puts it among the sorted ones, in the scratch memory, in place of the oldest. */
static void threshold_slide(lstmae_threshold *threshold, double score)
{
    double *sorted = threshold->scratch, *state = threshold->state;
    int64_t used = (int64_t)state[STATE_USED];
    if (used == threshold->capacity) {
        int64_t gone = threshold_place(sorted, used, threshold->kept[(int64_t)state[STATE_NEXT]]);
        memmove(sorted + gone, sorted + gone + 1, (size_t)(used - gone - 1) * sizeof *sorted);
        used--;
    }
    int64_t place = threshold_place(sorted, used, score);
    memmove(sorted + place + 1, sorted + place, (size_t)(used - place) * sizeof *sorted);
    sorted[place] = score;
    threshold_keep(threshold, score);
    state[STATE_VALUE] = threshold->options.factor *
                         threshold_sorted_quantile(sorted, (int64_t)state[STATE_USED], threshold->options.quantile);
}

static void threshold_sigma(lstmae_threshold *threshold)
{
    double *state = threshold->state;
    state[STATE_VALUE] = state[STATE_FIRST] + threshold->options.factor * sqrt(state[STATE_SECOND]);
}

/* As the scaler's update. */
static void threshold_sigma_add(lstmae_threshold *threshold, double score)
{
    double *state = threshold->state, memory = (double)threshold->options.memory;
    state[STATE_ROWS] += 1.0;
    double share = 1.0 / (memory > 0.0 && state[STATE_ROWS] > memory ? memory : state[STATE_ROWS]);
    double d = score - state[STATE_FIRST];
    state[STATE_FIRST] += share * d;
    state[STATE_SECOND] = (1.0 - share) * (state[STATE_SECOND] + share * d * d);
    threshold_sigma(threshold);
}

/* level + the excess that is passed with probability risk, of excesses that come with probability N / n. */
static void threshold_spot(lstmae_threshold *threshold)
{
    double *state = threshold->state;
    lae_pareto pareto = lae_pareto_fit(threshold->kept, (int64_t)state[STATE_USED]);
    double tail = threshold->options.risk * state[STATE_ROWS] / state[STATE_SECOND];
    state[STATE_VALUE] = state[STATE_FIRST] + lae_pareto_quantile(pareto, tail < 1.0 ? tail : 1.0);
}

static void threshold_spot_add(lstmae_threshold *threshold, double score)
{
    double *state = threshold->state;
    state[STATE_ROWS] += 1.0;
    if (!(score > state[STATE_FIRST])) return;
    state[STATE_SECOND] += 1.0;
    threshold_keep(threshold, score - state[STATE_FIRST]);
    threshold_spot(threshold);
}

static void threshold_dynamic(lstmae_threshold *threshold)
{
    int64_t count = threshold_recent(threshold);
    threshold->state[STATE_VALUE] = lae_dynamic_threshold(&threshold->options, threshold->scratch, count);
    threshold->state[STATE_SINCE] = 0.0;
}

/* ---- fitting ---- */

static void threshold_forget(lstmae_threshold *threshold)
{
    for (int i = STATE_USED; i < STATE_FRONT; i++) threshold->state[i] = 0.0;
}

static lstmae_status threshold_fit_spot(lstmae_threshold *threshold, const float *scores, int64_t count, double level)
{
    int64_t excesses = 0;
    for (int64_t i = 0; i < count; i++) excesses += (double)scores[i] > level;
    if (excesses < THRESHOLD_LEAST_EXCESSES)
        return LAE_FAIL(ERR_INVALID_ARG, "threshold_fit: expected %d scores or more above the quantile %g, got %lld",
                        THRESHOLD_LEAST_EXCESSES, threshold->options.quantile, (long long)excesses);
    threshold_forget(threshold);
    threshold->state[STATE_ROWS] = (double)count;
    threshold->state[STATE_FIRST] = level;
    threshold->state[STATE_SECOND] = (double)excesses;
    for (int64_t i = 0; i < count; i++)
        if ((double)scores[i] > level) threshold_keep(threshold, (double)scores[i] - level);
    threshold_spot(threshold);
    return LSTMAE_OK;
}

/* Rules that begin with the quantile of all scores. */
static lstmae_status threshold_fit_quantile(lstmae_threshold *threshold, const float *scores, int64_t count)
{
    lae_memory *memory = lae_context_memory(threshold->context);
    size_t bytes;
    float *copy = lae_mul_size(&bytes, (size_t)count, sizeof *copy) ? lae_alloc(memory, bytes) : NULL;
    if (!copy) return LAE_FAIL(ERR_NO_MEMORY, "threshold_fit: no memory for %lld scores", (long long)count);
    memcpy(copy, scores, bytes);
    double quantile = lae_quantile(copy, (size_t)count, threshold->options.quantile);
    lae_free(memory, copy, bytes);
    if (threshold->options.kind == LSTMAE_THRESHOLD_SPOT)
        return threshold_fit_spot(threshold, scores, count, quantile);
    threshold->state[STATE_VALUE] = threshold->options.factor * quantile;
    return LSTMAE_OK;
}

static void threshold_fit_sigma(lstmae_threshold *threshold, const float *scores, int64_t count)
{
    double sum = 0.0, square = 0.0;
    for (int64_t i = 0; i < count; i++) sum += (double)scores[i];
    double mean = sum / (double)count;
    for (int64_t i = 0; i < count; i++) square += ((double)scores[i] - mean) * ((double)scores[i] - mean);
    threshold->state[STATE_ROWS] = (double)count;
    threshold->state[STATE_FIRST] = mean;
    threshold->state[STATE_SECOND] = square / (double)count;
    threshold_sigma(threshold);
}

static lstmae_status threshold_check_scores(const float *scores, int64_t count, const char *function)
{
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(scores[i]))
            return LAE_FAIL(ERR_NUMERIC, "%s: expected finite scores, got %g at %lld", function, (double)scores[i],
                            (long long)i);
    return LSTMAE_OK;
}

lstmae_status lstmae_threshold_fit(lstmae_threshold *threshold, const float *scores, int64_t count)
{
    LAE_CHECK_ARG(threshold, "threshold_fit");
    LAE_CHECK_ARG(scores && count >= 1, "threshold_fit");
    LAE_TRY(threshold_check_scores(scores, count, "threshold_fit"));
    int64_t first = count > threshold->capacity ? count - threshold->capacity : 0;
    switch (threshold->options.kind) {
    case LSTMAE_THRESHOLD_SIGMA:
        threshold_fit_sigma(threshold, scores, count);
        return LSTMAE_OK;
    case LSTMAE_THRESHOLD_DYNAMIC:
        threshold_forget(threshold);
        for (int64_t i = first; i < count; i++) threshold_keep(threshold, (double)scores[i]);
        threshold_dynamic(threshold);
        return LSTMAE_OK;
    case LSTMAE_THRESHOLD_QUANTILE:
        if (threshold->capacity == 0) return threshold_fit_quantile(threshold, scores, count);
        threshold_forget(threshold);
        for (int64_t i = first; i < count; i++) threshold_slide(threshold, (double)scores[i]);
        return LSTMAE_OK;
    default:
        return threshold_fit_quantile(threshold, scores, count);
    }
}

/* ---- alarms ---- */

static lstmae_status threshold_check_fitted(const lstmae_threshold *threshold, const char *function)
{
    if (!isnan(threshold->state[STATE_VALUE])) return LSTMAE_OK;
    return LAE_FAIL(ERR_STATE, "%s: expected a fit before, got none", function);
}

lstmae_status lstmae_threshold_update(lstmae_threshold *threshold, double score)
{
    LAE_CHECK_ARG(threshold, "threshold_update");
    const lstmae_threshold_options *o = &threshold->options;
    if (!isfinite(score)) return LAE_FAIL(ERR_NUMERIC, "threshold_update: expected a finite score, got %g", score);
    if (o->kind != LSTMAE_THRESHOLD_DYNAMIC) LAE_TRY(threshold_check_fitted(threshold, "threshold_update"));
    int alarm = score > threshold->state[STATE_VALUE];
    if (o->kind == LSTMAE_THRESHOLD_DYNAMIC) {
        threshold_keep(threshold, score);
        threshold->state[STATE_SINCE] += 1.0;
        if (threshold->state[STATE_SINCE] >= (double)o->batch) threshold_dynamic(threshold);
    } else if (!alarm && o->kind == LSTMAE_THRESHOLD_SPOT) {
        threshold_spot_add(threshold, score);
    } else if (o->kind == LSTMAE_THRESHOLD_QUANTILE && threshold->capacity > 0) {
        threshold_slide(threshold, score);
    } else if (!alarm && o->kind == LSTMAE_THRESHOLD_SIGMA && (o->flags & LSTMAE_THRESHOLD_ONLINE)) {
        threshold_sigma_add(threshold, score);
    }
    return alarm;
}

/* Marks alarms among scores [marked, end), by the rule over the window that ends there. */
static void threshold_mark(lstmae_threshold *threshold, const float *scores, int64_t marked, int64_t end,
                           unsigned char *alarms)
{
    int64_t first = end > threshold->capacity ? end - threshold->capacity : 0, count = end - first;
    for (int64_t i = 0; i < count; i++) threshold->scratch[i] = (double)scores[first + i];
    double epsilon = lae_dynamic_threshold(&threshold->options, threshold->scratch, count);
    int64_t runs = lae_dynamic_runs(threshold->scratch, count, epsilon, threshold->options.prune, threshold->runs);
    for (int64_t r = 0; r < runs; r++)
        for (int64_t i = first + threshold->runs[r].first; i <= first + threshold->runs[r].last; i++)
            if (i >= marked) alarms[i] = 1;
}

lstmae_status lstmae_threshold_apply(lstmae_threshold *threshold, const float *scores, int64_t count,
                                     unsigned char *alarms)
{
    LAE_CHECK_ARG(threshold, "threshold_apply");
    LAE_CHECK_ARG(count >= 0, "threshold_apply");
    LAE_CHECK_ARG((scores && alarms) || count == 0, "threshold_apply");
    LAE_TRY(threshold_check_scores(scores, count, "threshold_apply"));
    if (threshold->options.kind != LSTMAE_THRESHOLD_DYNAMIC) {
        LAE_TRY(threshold_check_fitted(threshold, "threshold_apply"));
        for (int64_t i = 0; i < count; i++) alarms[i] = (double)scores[i] > threshold->state[STATE_VALUE];
        return LSTMAE_OK;
    }
    if (count == 0) return LSTMAE_OK;
    memset(alarms, 0, (size_t)count);
    for (int64_t marked = 0, end = threshold->capacity; marked < count; marked = end, end += threshold->options.batch) {
        if (end > count) end = count;
        threshold_mark(threshold, scores, marked, end, alarms);
    }
    return LSTMAE_OK;
}

/* ---- state ---- */

int64_t lstmae_threshold_state_count(const lstmae_threshold *threshold)
{
    return threshold ? STATE_FRONT + threshold->capacity : 0;
}

lstmae_status lstmae_threshold_get_state(const lstmae_threshold *threshold, double *state, int64_t count)
{
    LAE_CHECK_ARG(threshold, "threshold_get_state");
    LAE_CHECK_ARG(state, "threshold_get_state");
    LAE_TRY(lae_state_check_count(count, lstmae_threshold_state_count(threshold), "threshold_get_state"));
    memcpy(state, threshold->state, (size_t)count * sizeof *state);
    return LSTMAE_OK;
}

static int threshold_whole(double value, double most)
{
    return value >= 0.0 && value <= most && value == floor(value);
}

static int threshold_state_possible(const lstmae_threshold *threshold, const double *state)
{
    const double capacity = (double)threshold->capacity, used = state[STATE_USED], next = state[STATE_NEXT];
    const int fitted = !isnan(state[STATE_VALUE]), spot = threshold->options.kind == LSTMAE_THRESHOLD_SPOT;
    if (!threshold_whole(used, capacity) || !threshold_whole(next, fmax(capacity - 1.0, 0.0))) return 0;
    if (!threshold_whole(state[STATE_SINCE], (double)threshold->options.batch)) return 0;
    if (used < capacity && next != used) return 0;
    if (fitted && (isinf(state[STATE_VALUE]) || (capacity > 0.0 && used < 1.0))) return 0;
    for (int64_t i = STATE_ROWS; i < STATE_FRONT + threshold->capacity; i++)
        if (!isfinite(state[i])) return 0;
    if (state[STATE_ROWS] < 0.0) return 0;
    if (threshold->options.kind == LSTMAE_THRESHOLD_SIGMA) return state[STATE_SECOND] >= 0.0;
    if (!spot || !fitted) return 1;
    for (int64_t i = 0; i < (int64_t)used; i++)
        if (!(state[STATE_FRONT + i] > 0.0)) return 0;
    return state[STATE_SECOND] >= 1.0 && state[STATE_SECOND] <= state[STATE_ROWS];
}

lstmae_status lstmae_threshold_set_state(lstmae_threshold *threshold, const double *state, int64_t count)
{
    LAE_CHECK_ARG(threshold, "threshold_set_state");
    LAE_CHECK_ARG(state, "threshold_set_state");
    LAE_TRY(lae_state_check_count(count, lstmae_threshold_state_count(threshold), "threshold_set_state"));
    if (state[STATE_KIND] != (double)threshold->options.kind)
        return LAE_FAIL(ERR_STATE, "threshold_set_state: expected kind %d, got %g", (int)threshold->options.kind,
                        state[STATE_KIND]);
    if (state[STATE_WINDOW] != (double)threshold->capacity || !threshold_state_possible(threshold, state))
        return LAE_FAIL(ERR_FORMAT, "threshold_set_state: expected the state of a threshold that keeps %lld scores, "
                        "got other numbers", (long long)threshold->capacity);
    memcpy(threshold->state, state, (size_t)count * sizeof *state);
    if (threshold->options.kind != LSTMAE_THRESHOLD_QUANTILE || threshold->capacity == 0) return LSTMAE_OK;
    /* the sorted scores, as if they had come one by one */
    int64_t used = (int64_t)state[STATE_USED];
    for (int64_t i = 0; i < used; i++) {
        double score = threshold->kept[i];
        int64_t place = threshold_place(threshold->scratch, i, score);
        memmove(threshold->scratch + place + 1, threshold->scratch + place, (size_t)(i - place) * sizeof score);
        threshold->scratch[place] = score;
    }
    return LSTMAE_OK;
}
