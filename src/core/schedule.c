/*
 * Learning rates. With n = step - warmup and every rate raised to min_lr where it is below:
 *
 *   step < warmup   r (step + 1) / warmup, where r is lr, or the reduced rate of PLATEAU
 *   CONSTANT        lr
 *   STEP            lr factor^floor(n / period)
 *   EXPONENTIAL     lr factor^(n / period)
 *   COSINE          min_lr + (lr - min_lr) (1 + cos(pi n / N)) / 2 up to n = N = total - warmup, then min_lr
 *   PLATEAU         r, lr at first; r <- r factor whenever more than `patience` reports in a row have not
 *                   improved on the best by more than threshold |best|
 */
#include "schedule_internal.h"

#include "memory.h"
#include "options.h"

#include <math.h>

#define SCHEDULE_PI 3.14159265358979323846

struct lstmae_schedule {
    lstmae_schedule_options options;
    /* PLATEAU */
    double rate, best;
    int64_t bad; /* reports in a row without improvement */
};

static lstmae_status schedule_check_rates(const lstmae_schedule_options *options)
{
    if (!(options->lr >= 0.0) || !isfinite(options->lr))
        return LAE_FAIL(ERR_INVALID_ARG, "schedule: expected lr of 0 or more, got %g", options->lr);
    if (!(options->min_lr >= 0.0 && options->min_lr <= options->lr))
        return LAE_FAIL(ERR_INVALID_ARG, "schedule: expected min_lr in [0,%g], got %g", options->lr, options->min_lr);
    if (options->warmup < 0)
        return LAE_FAIL(ERR_INVALID_ARG, "schedule: expected warmup of 0 or more, got %lld",
                        (long long)options->warmup);
    return LSTMAE_OK;
}

static lstmae_status schedule_check_decay(const lstmae_schedule_options *options)
{
    if (!(options->factor > 0.0) || !isfinite(options->factor))
        return LAE_FAIL(ERR_INVALID_ARG, "schedule: expected factor above 0, got %g", options->factor);
    if (options->period < 1)
        return LAE_FAIL(ERR_INVALID_ARG, "schedule: expected period of 1 or more, got %lld",
                        (long long)options->period);
    return LSTMAE_OK;
}

static lstmae_status schedule_check_plateau(const lstmae_schedule_options *options)
{
    if (!(options->factor > 0.0 && options->factor < 1.0))
        return LAE_FAIL(ERR_INVALID_ARG, "schedule: expected plateau factor in (0,1), got %g", options->factor);
    if (options->patience < 0)
        return LAE_FAIL(ERR_INVALID_ARG, "schedule: expected patience of 0 or more, got %d", options->patience);
    if (!(options->threshold >= 0.0) || !isfinite(options->threshold))
        return LAE_FAIL(ERR_INVALID_ARG, "schedule: expected threshold of 0 or more, got %g", options->threshold);
    return LSTMAE_OK;
}

static lstmae_status schedule_check(const lstmae_schedule_options *options)
{
    if (options->kind < LSTMAE_SCHEDULE_CONSTANT || options->kind > LSTMAE_SCHEDULE_PLATEAU)
        return LAE_FAIL(ERR_INVALID_ARG, "schedule: expected kind in [0,4], got %d", options->kind);
    if (options->flags & ~(LSTMAE_SCHEDULE_STAIRCASE | LSTMAE_SCHEDULE_MAXIMIZE))
        return LAE_FAIL(ERR_INVALID_ARG, "schedule: expected known flags, got 0x%x", options->flags);
    LAE_TRY(schedule_check_rates(options));
    if (options->kind == LSTMAE_SCHEDULE_STEP || options->kind == LSTMAE_SCHEDULE_EXPONENTIAL)
        return schedule_check_decay(options);
    if (options->kind == LSTMAE_SCHEDULE_COSINE && options->total <= options->warmup)
        return LAE_FAIL(ERR_INVALID_ARG, "schedule: expected total above warmup %lld, got %lld",
                        (long long)options->warmup, (long long)options->total);
    if (options->kind == LSTMAE_SCHEDULE_PLATEAU) return schedule_check_plateau(options);
    return LSTMAE_OK;
}

lstmae_status lstmae_schedule_create(lstmae_schedule **out, const lstmae_schedule_options *options)
{
    static const lstmae_schedule_options defaults = LSTMAE_SCHEDULE_OPTIONS_INIT;
    lstmae_schedule_options read;
    LAE_CHECK_ARG(out != NULL, "schedule_create");
    *out = NULL;
    LAE_TRY(lae_options_read(&read, &defaults, sizeof read, options, sizeof read, "schedule options"));
    LAE_TRY(schedule_check(&read));
    lstmae_schedule *schedule = lae_calloc(lae_memory_default(), 1, sizeof *schedule);
    if (!schedule) return LAE_FAIL(ERR_NO_MEMORY, "schedule: no memory for %zu bytes", sizeof *schedule);
    schedule->options = read;
    schedule->rate = read.lr;
    schedule->best = read.flags & LSTMAE_SCHEDULE_MAXIMIZE ? -INFINITY : INFINITY;
    *out = schedule;
    return LSTMAE_OK;
}

void lstmae_schedule_destroy(lstmae_schedule *schedule)
{
    lae_free(lae_memory_default(), schedule, sizeof *schedule);
}

/* The rate `n` steps after the warm-up. */
static double schedule_rate(const lstmae_schedule *schedule, int64_t n)
{
    const lstmae_schedule_options *options = &schedule->options;
    double periods = (double)n / (double)options->period;
    int64_t length = options->total - options->warmup;
    switch (options->kind) {
    case LSTMAE_SCHEDULE_STEP:
        return options->lr * pow(options->factor, (double)(n / options->period));
    case LSTMAE_SCHEDULE_EXPONENTIAL:
        if (options->flags & LSTMAE_SCHEDULE_STAIRCASE) periods = (double)(n / options->period);
        return options->lr * pow(options->factor, periods);
    case LSTMAE_SCHEDULE_COSINE:
        if (n >= length) return options->min_lr;
        return options->min_lr +
               (options->lr - options->min_lr) * (1.0 + cos(SCHEDULE_PI * (double)n / (double)length)) / 2.0;
    case LSTMAE_SCHEDULE_PLATEAU:
        return schedule->rate;
    default:
        return options->lr;
    }
}

double lstmae_schedule_lr(const lstmae_schedule *schedule, int64_t step)
{
    if (!schedule) return 0.0;
    const lstmae_schedule_options *options = &schedule->options;
    if (step < 0) step = 0;
    double rate;
    if (step < options->warmup)
        rate = schedule->rate * ((double)step + 1.0) / (double)options->warmup;
    else
        rate = schedule_rate(schedule, step - options->warmup);
    return rate < options->min_lr ? options->min_lr : rate;
}

/* The best so far is infinite before the first report; a NaN never improves. */
static int schedule_improved(const lstmae_schedule *schedule, double metric)
{
    double margin = isinf(schedule->best) ? 0.0 : schedule->options.threshold * fabs(schedule->best);
    if (schedule->options.flags & LSTMAE_SCHEDULE_MAXIMIZE) return metric > schedule->best + margin;
    return metric < schedule->best - margin;
}

lstmae_status lstmae_schedule_report(lstmae_schedule *schedule, double metric)
{
    LAE_CHECK_ARG(schedule != NULL, "schedule_report");
    const lstmae_schedule_options *options = &schedule->options;
    if (options->kind != LSTMAE_SCHEDULE_PLATEAU) return LSTMAE_OK;
    if (schedule_improved(schedule, metric)) {
        schedule->best = metric;
        schedule->bad = 0;
    } else if (++schedule->bad > options->patience) {
        schedule->rate *= options->factor;
        schedule->bad = 0;
    }
    return LSTMAE_OK;
}

void lae_schedule_get_state(const lstmae_schedule *schedule, double state[LAE_SCHEDULE_STATE])
{
    int plateau = schedule->options.kind == LSTMAE_SCHEDULE_PLATEAU;
    state[0] = plateau ? schedule->rate : 0.0;
    state[1] = plateau ? schedule->best : 0.0;
    state[2] = plateau ? (double)schedule->bad : 0.0;
}

lstmae_status lae_schedule_set_state(lstmae_schedule *schedule, const double state[LAE_SCHEDULE_STATE], int apply)
{
    double rate = state[0], best = state[1], bad = state[2];
    if (schedule->options.kind != LSTMAE_SCHEDULE_PLATEAU) {
        if (rate != 0.0 || best != 0.0 || bad != 0.0)
            return LAE_FAIL(ERR_FORMAT, "schedule: the stored state is a plateau's, the schedule is of kind %d",
                            schedule->options.kind);
        return LSTMAE_OK;
    }
    if (!(rate >= 0.0) || isinf(rate) || isnan(best) || !(bad >= 0.0 && bad <= INT32_MAX) || bad != floor(bad))
        return LAE_FAIL(ERR_FORMAT, "schedule: expected a plateau's state, got rate %g, best %g, bad %g", rate, best,
                        bad);
    if (!apply) return LSTMAE_OK;
    schedule->rate = rate;
    schedule->best = best;
    schedule->bad = (int64_t)bad;
    return LSTMAE_OK;
}
