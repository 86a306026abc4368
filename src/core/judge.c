#include "judge.h"

#include "copies.h"
#include "crc32c.h"
#include "scaler_internal.h"

#include <math.h>
#include <string.h>

/* ---- creation ---- */

lstmae_status lae_judge_check(const lstmae_session_options *o)
{
    const uint32_t known = LSTMAE_SESSION_HOLD | LSTMAE_SESSION_REFIT;
    if (o->flags & ~known)
        return LAE_FAIL(ERR_UNSUPPORTED, "session options: unknown flags 0x%x", o->flags & ~known);
    if (o->compare < LSTMAE_COMPARE_SAME || o->compare > LSTMAE_COMPARE_NONE)
        return LAE_FAIL(ERR_INVALID_ARG, "session options: unknown compare %d", o->compare);
    if (o->score < LSTMAE_SESSION_SQUARED || o->score > LSTMAE_SESSION_DENSITY)
        return LAE_FAIL(ERR_INVALID_ARG, "session options: unknown score %d", o->score);
    if (o->threads < 0 || o->threads > 256)
        return LAE_FAIL(ERR_INVALID_ARG, "session options: threads is %d, expected 0 to 256", o->threads);
    if (o->window_score < LSTMAE_WINDOW_LAST || o->window_score > LSTMAE_WINDOW_MOST)
        return LAE_FAIL(ERR_INVALID_ARG, "session options: unknown window_score %d", o->window_score);
    if (o->every < 1)
        return LAE_FAIL(ERR_INVALID_ARG, "session options: every is %lld, expected 1 or more", (long long)o->every);
    if (!(o->alpha >= 0.0 && o->alpha <= 1.0))
        return LAE_FAIL(ERR_INVALID_ARG, "session options: alpha is %g, expected [0,1]", o->alpha);
    if (isnan(o->level)) return LAE_FAIL(ERR_INVALID_ARG, "session options: level is not a number");
    if (o->flags & LSTMAE_SESSION_REFIT && !o->scaler)
        return LAE_FAIL(ERR_INVALID_ARG, "session options: REFIT needs a scaler");
    if (o->flags & LSTMAE_SESSION_REFIT && lae_scaler_kind(o->scaler) == LSTMAE_SCALING_ROBUST)
        return LAE_FAIL(ERR_UNSUPPORTED, "session options: REFIT expected a STANDARD or MINMAX scaler, got ROBUST");
    if (o->threshold && !lae_threshold_ready(o->threshold))
        return LAE_FAIL(ERR_STATE, "session options: the threshold was not fitted");
    if (o->score < LSTMAE_SESSION_MAHALANOBIS) return LSTMAE_OK;
    if (!o->gaussian) return LAE_FAIL(ERR_INVALID_ARG, "session options: score %d needs a gaussian", o->score);
    if (!lae_gaussian_fitted(o->gaussian))
        return LAE_FAIL(ERR_STATE, "session options: the gaussian was not fitted");
    return LSTMAE_OK;
}

/* The distribution never changes: a checksum stands for it in saved states. */
static lstmae_status judge_sum_gaussian(lae_judge *judge, lstmae_context *context)
{
    lae_buffer numbers = { NULL, NULL, 0 };
    const int64_t count = lstmae_gaussian_state_count(judge->gaussian);
    LAE_TRY(lae_buffer_reserve(&numbers, context, (size_t)count, sizeof(double)));
    lstmae_status status = lstmae_gaussian_get_state(judge->gaussian, numbers.data, count);
    judge->gaussian_sum = lae_crc32c(0, numbers.data, (size_t)count * sizeof(double));
    lae_buffer_release(&numbers);
    return status;
}

static lstmae_status judge_copy(lae_judge *judge, lstmae_context *context, const lstmae_session_options *o)
{
    if (o->scaler) {
        if (lstmae_scaler_columns(o->scaler) != judge->features)
            return LAE_FAIL(ERR_SHAPE, "session options: the scaler has %lld columns, samples have %lld",
                            (long long)lstmae_scaler_columns(o->scaler), (long long)judge->features);
        LAE_TRY(lae_scaler_copy(&judge->scaler, o->scaler, context));
    }
    if (o->score >= LSTMAE_SESSION_MAHALANOBIS && judge->channels > 0) {
        if (lae_gaussian_channels(o->gaussian) != judge->channels)
            return LAE_FAIL(ERR_SHAPE, "session options: the gaussian has %lld channels, %lld are compared",
                            (long long)lae_gaussian_channels(o->gaussian), (long long)judge->channels);
        LAE_TRY(lae_gaussian_copy(&judge->gaussian, o->gaussian, context));
        LAE_TRY(judge_sum_gaussian(judge, context));
    }
    return o->threshold ? lae_threshold_copy(&judge->threshold, o->threshold, context) : LSTMAE_OK;
}

/* Numbers in the states of scaler and threshold together. */
static size_t judge_numbers(const lae_judge *judge)
{
    return (size_t)lstmae_scaler_state_count(judge->scaler) + (size_t)lstmae_threshold_state_count(judge->threshold);
}

lstmae_status lae_judge_init(lae_judge *judge, lstmae_context *context, const lstmae_session_options *options,
                             int64_t features, int64_t channels)
{
    judge->options = *options;
    judge->features = features;
    judge->channels = channels;
    LAE_TRY(judge_copy(judge, context, options));
    const size_t numbers = judge_numbers(judge), F = (size_t)features, C = (size_t)channels;
    const size_t bytes = 2 * numbers * sizeof(double) + (F + 2 * C) * sizeof(float) + F;
    LAE_TRY(lae_buffer_reserve(&judge->arrays, context, bytes, 1));
    memset(judge->arrays.data, 0, bytes);
    judge->spare = judge->arrays.data;
    judge->kept = judge->spare + numbers;
    judge->sample = (float *)(judge->kept + numbers);
    judge->error = judge->sample + F;
    judge->contribution = judge->error + C;
    judge->missing = (unsigned char *)(judge->contribution + C);
    lae_judge_reset(judge);
    return LSTMAE_OK;
}

void lae_judge_release(lae_judge *judge)
{
    lstmae_scaler_destroy(judge->scaler);
    lstmae_gaussian_destroy(judge->gaussian);
    lstmae_threshold_destroy(judge->threshold);
    lae_buffer_release(&judge->arrays);
}

void lae_judge_reset(lae_judge *judge)
{
    const lstmae_ewma none = LSTMAE_EWMA_INIT;
    judge->verdict = (lae_verdict){ .average = none };
    judge->verdict.average.alpha = judge->options.alpha > 0.0 ? judge->options.alpha : 1.0;
    memset(judge->sample, 0, (size_t)(judge->features + 2 * judge->channels) * sizeof(float));
}

/* ---- samples ---- */

/* Value f as the model sees it. */
static float judge_scaled(const double *numbers, const float *sample, int64_t features, int64_t f)
{
    float value = sample[f];
    if (numbers) lae_scale(numbers + f, numbers + features + f, 1, sample + f, 1, &value);
    return value;
}

lstmae_status lae_judge_take(lae_judge *judge, const float *sample, int64_t index, uint32_t *flags)
{
    const double *numbers = judge->scaler ? lae_scaler_numbers(judge->scaler) : NULL;
    const int64_t F = judge->features;
    int holes = 0;
    for (int64_t f = 0; f < F; f++) {
        const int missing = !isfinite(judge_scaled(numbers, sample, F, f));
        judge->missing[f] = missing ? 1 : 0;
        holes |= missing;
    }
    if (holes && !(judge->options.flags & LSTMAE_SESSION_HOLD))
        return LAE_FAIL(ERR_NUMERIC, "session_push: sample %lld holds a value that is not finite", (long long)index);
    for (int64_t f = 0; f < F; f++)
        if (!judge->missing[f]) judge->sample[f] = judge_scaled(numbers, sample, F, f);
    if (holes) *flags |= LSTMAE_PUSH_HELD;
    return LSTMAE_OK;
}

lstmae_status lae_judge_learn(lae_judge *judge, const float *sample, uint32_t flags)
{
    if (!(judge->options.flags & LSTMAE_SESSION_REFIT) || flags & (LSTMAE_PUSH_ALARM | LSTMAE_PUSH_HELD))
        return LSTMAE_OK;
    return lstmae_scaler_update(judge->scaler, sample, 1);
}

void lae_judge_show(const lae_judge *judge, const float *y, int64_t count, float *shown)
{
    const double *center = lae_scaler_numbers(judge->scaler), *spread = center + judge->features;
    for (int64_t f = 0; f < count; f++) shown[f] = (float)((double)y[f] * spread[f] + center[f]);
}

/* ---- scores ---- */

/* 1 and the score of one sample, or 0 where all of it is missing. Leaves its errors and contributions. */
static int judge_measure(lae_judge *judge, const float *x, const float *y, const unsigned char *missing, double *score)
{
    const int squared = judge->options.score == LSTMAE_SESSION_SQUARED;
    double sum = 0.0;
    int64_t valid = 0;
    float found;
    for (int64_t c = 0; c < judge->channels; c++) {
        const float error = missing[c] ? 0.0f : x[c] - y[c];
        const double e = (double)error, part = squared ? e * e : fabs(e);
        judge->error[c] = error;
        judge->contribution[c] = (float)part;
        sum += part;
        valid += !missing[c];
    }
    if (valid == 0) return 0;
    *score = sum / (double)valid;
    if (!judge->gaussian) return 1;
    const int kind = judge->options.score == LSTMAE_SESSION_DENSITY ? LSTMAE_GAUSSIAN_DENSITY
                                                                     : LSTMAE_GAUSSIAN_MAHALANOBIS;
    lstmae_gaussian_score_errors(judge->gaussian, kind, judge->error, 1, &found, judge->contribution);
    *score = (double)found;
    return 1;
}

/* 1 and the score of several samples, or 0 where nothing is there to be scored. */
static int judge_measure_rows(lae_judge *judge, const float *x, const float *y, const unsigned char *missing,
                              int64_t rows, double *score)
{
    const int64_t F = judge->features, last = rows - 1;
    const int32_t rule = judge->options.window_score;
    double sum = 0.0, most = 0.0, found;
    int64_t scored = 0, at = last;
    if (rows == 1 || rule == LSTMAE_WINDOW_LAST)
        return judge_measure(judge, x + last * F, y + last * F, missing + last * F, score);
    for (int64_t r = 0; r < rows; r++) {
        if (!judge_measure(judge, x + r * F, y + r * F, missing + r * F, &found)) continue;
        if (scored == 0 || found > most) {
            most = found;
            at = r;
        }
        sum += found;
        scored++;
    }
    if (scored == 0) return 0;
    *score = rule == LSTMAE_WINDOW_MEAN ? sum / (double)scored : most;
    if (rule == LSTMAE_WINDOW_MOST) judge_measure(judge, x + at * F, y + at * F, missing + at * F, &found);
    return 1;
}

/* A score that is no number, or infinite, is an alarm that nothing is learned from. */
static lstmae_status judge_alarm(lae_judge *judge, uint32_t *flags)
{
    const double score = judge->verdict.score;
    int alarm = !isfinite(score) || score > judge->options.level;
    if (judge->threshold && isfinite(score)) {
        alarm = lstmae_threshold_update(judge->threshold, score);
        LAE_TRY(alarm);
    }
    *flags |= alarm ? LSTMAE_PUSH_SCORED | LSTMAE_PUSH_ALARM : LSTMAE_PUSH_SCORED;
    return LSTMAE_OK;
}

lstmae_status lae_judge_score(lae_judge *judge, const float *x, const float *y, const unsigned char *missing,
                              int64_t rows, uint32_t *flags)
{
    lae_verdict *verdict = &judge->verdict;
    if (!judge_measure_rows(judge, x, y, missing, rows, &verdict->raw_score)) return LSTMAE_OK;
    verdict->score = lstmae_ewma_update(&verdict->average, verdict->raw_score);
    return judge_alarm(judge, flags);
}

double lae_judge_threshold(const lae_judge *judge)
{
    return judge->threshold ? lstmae_threshold_value(judge->threshold) : judge->options.level;
}
