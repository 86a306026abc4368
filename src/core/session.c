/* Sessions: one stream over a frozen model. */
#include "session_internal.h"

#include "options.h"

#include "shared/float_mode.h"

#include <math.h>
#include <string.h>

/* ---- creation ---- */

static lstmae_status session_check(const lstmae_session_options *o)
{
    if (o->flags & ~LSTMAE_SESSION_HOLD)
        return LAE_FAIL(ERR_UNSUPPORTED, "session options: unknown flags 0x%x", o->flags & ~LSTMAE_SESSION_HOLD);
    if (o->compare < LSTMAE_COMPARE_SAME || o->compare > LSTMAE_COMPARE_NONE)
        return LAE_FAIL(ERR_INVALID_ARG, "session options: unknown compare %d", o->compare);
    if (o->measure < LSTMAE_MEASURE_SQUARED || o->measure > LSTMAE_MEASURE_ABSOLUTE)
        return LAE_FAIL(ERR_INVALID_ARG, "session options: unknown measure %d", o->measure);
    if (o->threads < 0 || o->threads > 256)
        return LAE_FAIL(ERR_INVALID_ARG, "session options: threads is %d, expected 0 to 256", o->threads);
    if (o->reserved != 0) return LAE_FAIL(ERR_INVALID_ARG, "session options: reserved is %d, expected 0", o->reserved);
    if (!(o->smoothing >= 0.0 && o->smoothing < 1.0))
        return LAE_FAIL(ERR_INVALID_ARG, "session options: smoothing is %g, expected [0,1)", o->smoothing);
    if (isnan(o->threshold)) return LAE_FAIL(ERR_INVALID_ARG, "session options: threshold is not a number");
    return LSTMAE_OK;
}

static lstmae_status session_check_scaling(const lstmae_session_options *o, int64_t features)
{
    for (int64_t f = 0; o->offset && f < features; f++)
        if (!isfinite(o->offset[f]))
            return LAE_FAIL(ERR_INVALID_ARG, "session options: offset %lld is not finite", (long long)f);
    for (int64_t f = 0; o->scale && f < features; f++)
        if (!isfinite(o->scale[f]) || o->scale[f] == 0.0f)
            return LAE_FAIL(ERR_INVALID_ARG, "session options: scale %lld is %g, expected finite and not 0",
                            (long long)f, (double)o->scale[f]);
    return LSTMAE_OK;
}

/* Copies `values` to *free, or fills with `fallback`; advances *free. */
static const float *session_take_values(float **free, const float *values, float fallback, int64_t count)
{
    float *taken = *free;
    for (int64_t f = 0; f < count; f++) taken[f] = values ? values[f] : fallback;
    *free += count;
    return taken;
}

static lstmae_status session_reserve(lstmae_session *session)
{
    lstmae_session_options *o = &session->options;
    const lae_plan *plan = &session->frozen->plan;
    const int64_t F = plan->features, O = plan->outputs;
    const int scaled = o->offset || o->scale;
    const size_t floats = (size_t)(2 * F + session->compared + O), bytes = floats * sizeof(float) + (size_t)F;
    LAE_TRY(lae_buffer_reserve(&session->arrays, session->context, bytes, 1));
    memset(session->arrays.data, 0, bytes);
    float *free = session->arrays.data;
    o->offset = session_take_values(&free, o->offset, 0.0f, F);
    o->scale = session_take_values(&free, o->scale, 1.0f, F);
    session->error = free;
    free += session->compared;
    session->shown = scaled && O <= F ? free : NULL;
    free += O;
    session->missing = (unsigned char *)free;
    return LSTMAE_OK;
}

static lstmae_status session_build(lstmae_session *session)
{
    const lae_plan *plan = &session->frozen->plan;
    const lstmae_session_options *o = &session->options;
    if (o->compare != LSTMAE_COMPARE_NONE) session->compared = plan->outputs;
    if (session->compared > plan->features)
        return LAE_FAIL(ERR_SHAPE, "session_create: outputs of %lld values cannot be compared with samples of %lld",
                        (long long)plan->outputs, (long long)plan->features);
    LAE_TRY(session_check_scaling(o, plan->features));
    LAE_TRY(lae_context_fork(&session->context, session->frozen->context, o->threads > 1 ? o->threads : 1,
                             LSTMAE_QUEUE_FLUSH));
    LAE_TRY(session_reserve(session));
    return lae_runner_init(&session->runner, session->context, plan);
}

lstmae_status lstmae_session_create(lstmae_session **out, lstmae_frozen *frozen, const lstmae_session_options *options)
{
    static const lstmae_session_options defaults = LSTMAE_SESSION_OPTIONS_INIT;
    LAE_CHECK_ARG(out != NULL, "session_create");
    *out = NULL;
    LAE_CHECK_ARG(frozen != NULL, "session_create");
    lstmae_session_options o;
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "session options"));
    LAE_TRY(session_check(&o));
    lstmae_session *session = lae_calloc(&frozen->context->memory, 1, sizeof *session);
    if (!session) return LAE_FAIL(ERR_NO_MEMORY, "session_create: out of memory");
    atomic_fetch_add_explicit(&frozen->references, 1, memory_order_relaxed);
    session->frozen = frozen;
    session->options = o;
    lstmae_status status = session_build(session);
    if (status != LSTMAE_OK) {
        lstmae_session_destroy(session);
        return status;
    }
    *out = session;
    return LSTMAE_OK;
}

void lstmae_session_destroy(lstmae_session *session)
{
    if (!session) return;
    lstmae_frozen *frozen = session->frozen;
    lae_runner_release(&session->runner);
    lae_buffer_release(&session->arrays);
    lae_context_release(session->context);
    lae_free(&frozen->context->memory, session, sizeof *session);
    lstmae_frozen_destroy(frozen);
}

/* ---- pushing ---- */

/* 1 if all values are finite as the model will see them. */
static int session_all_finite(const lstmae_session *session, const float *sample)
{
    const lstmae_session_options *o = &session->options;
    int finite = 1;
    for (int64_t f = 0; f < session->frozen->plan.features; f++)
        finite &= isfinite((sample[f] - o->offset[f]) * o->scale[f]) != 0;
    return finite;
}

/* The sample as the model sees it; values that are not finite stay what they were. */
static uint32_t session_scale(lstmae_session *session, const float *sample)
{
    const lstmae_session_options *o = &session->options;
    uint32_t flags = 0;
    for (int64_t f = 0; f < session->frozen->plan.features; f++) {
        float x = (sample[f] - o->offset[f]) * o->scale[f];
        const int missing = !isfinite(x);
        session->missing[f] = missing ? 1 : 0;
        if (missing) flags = LSTMAE_PUSH_HELD;
        else session->runner.x[f] = x;
    }
    return flags;
}

/* Compares the sample with the model's last output. */
static uint32_t session_score(lstmae_session *session)
{
    const lstmae_session_options *o = &session->options;
    const float *x = session->runner.x, *y = session->runner.y;
    lae_progress *progress = &session->progress;
    double sum = 0.0;
    int64_t valid = 0;
    for (int64_t f = 0; f < session->compared; f++) {
        float error = session->missing[f] ? 0.0f : x[f] - y[f];
        double e = (double)error;
        session->error[f] = error;
        sum += o->measure == LSTMAE_MEASURE_SQUARED ? e * e : fabs(e);
        valid += !session->missing[f];
    }
    if (valid == 0) return 0;
    double before = progress->scored ? progress->score : sum / (double)valid;
    progress->raw_score = sum / (double)valid;
    progress->score = o->smoothing * before + (1.0 - o->smoothing) * progress->raw_score;
    progress->scored = 1;
    return progress->score > o->threshold ? LSTMAE_PUSH_SCORED | LSTMAE_PUSH_ALARM : LSTMAE_PUSH_SCORED;
}

static lstmae_status session_step(lstmae_session *session, const float *sample, uint32_t *flags)
{
    const int32_t compare = session->options.compare;
    *flags = session_scale(session, sample);
    if (compare == LSTMAE_COMPARE_NEXT && session->progress.count > 0) *flags |= session_score(session);
    LAE_TRY(lae_runner_run(&session->runner));
    if (compare == LSTMAE_COMPARE_SAME) *flags |= session_score(session);
    session->progress.count++;
    return LSTMAE_OK;
}

/* The output in the sample's own units. */
static const float *session_show(const lstmae_session *session)
{
    const lstmae_session_options *o = &session->options;
    const float *y = session->runner.y;
    if (!session->shown) return y;
    for (int64_t f = 0; f < session->frozen->plan.outputs; f++) session->shown[f] = y[f] / o->scale[f] + o->offset[f];
    return session->shown;
}

static lstmae_status session_report(const lstmae_session *session, uint32_t flags, lstmae_push_result *result)
{
    const lae_progress *progress = &session->progress;
    lstmae_push_result values = LSTMAE_PUSH_RESULT_INIT;
    values.flags = flags;
    values.index = progress->count - 1;
    values.score = progress->score;
    values.raw_score = progress->raw_score;
    values.threshold = session->options.threshold;
    values.error = session->compared > 0 ? session->error : NULL;
    values.code = session->runner.code;
    values.output = session_show(session);
    return lae_options_write(result, &values, sizeof values, sizeof values, "push result");
}

lstmae_status lstmae_session_push(lstmae_session *session, const float *sample, lstmae_push_result *result)
{
    LAE_CHECK_ARG(session != NULL, "session_push");
    LAE_CHECK_ARG(sample != NULL, "session_push");
    if (result && result->struct_size < sizeof *result)
        return LAE_FAIL(ERR_INVALID_ARG, "push result: struct_size is %u, at least %zu expected; use the _INIT macro",
                        result->struct_size, sizeof *result);
    if (!(session->options.flags & LSTMAE_SESSION_HOLD) && !session_all_finite(session, sample))
        return LAE_FAIL(ERR_NUMERIC, "session_push: sample %lld holds a value that is not finite",
                        (long long)session->progress.count);
    uint32_t flags = 0;
    uint64_t mode = lae_flush_begin();
    lstmae_status status = session_step(session, sample, &flags);
    if (status == LSTMAE_OK && result) status = session_report(session, flags, result);
    lae_flush_end(mode);
    return status;
}

lstmae_status lstmae_session_set_threshold(lstmae_session *session, double threshold)
{
    LAE_CHECK_ARG(session != NULL, "session_set_threshold");
    LAE_CHECK_ARG(!isnan(threshold), "session_set_threshold");
    session->options.threshold = threshold;
    return LSTMAE_OK;
}
