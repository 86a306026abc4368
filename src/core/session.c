/* Sessions: one stream over a frozen model. */
#include "session_internal.h"

#include "module_twin.h"
#include "options.h"

#include "shared/float_mode.h"

#include <math.h>
#include <string.h>

/* ---- creation ---- */

/* What is compared, or why it cannot be. */
static lstmae_status session_compared(const lstmae_frozen_info *info, int32_t compare, int64_t *compared)
{
    const int forecasts = info->window > 0 && compare == LSTMAE_COMPARE_NEXT;
    *compared = compare == LSTMAE_COMPARE_NONE ? 0 : forecasts ? info->features : info->outputs;
    if (forecasts && info->forecast == 0)
        return LAE_FAIL(ERR_INVALID_ARG, "session_create: the model forecasts nothing that NEXT could compare with");
    if (compare != LSTMAE_COMPARE_NONE && *compared == 0)
        return LAE_FAIL(ERR_INVALID_ARG, "session_create: the model reconstructs nothing that SAME could compare with");
    if (*compared > info->features)
        return LAE_FAIL(ERR_SHAPE, "session_create: outputs of %lld values cannot be compared with samples of %lld",
                        (long long)info->outputs, (long long)info->features);
    return LSTMAE_OK;
}

/* Memory for outputs in the samples' own units. */
static lstmae_status session_reserve_shown(lstmae_session *session)
{
    const lstmae_frozen_info *info = &session->frozen->info;
    const int64_t outputs = info->outputs <= info->features ? info->outputs : 0;
    const int64_t floats = outputs + info->forecast * info->features;
    if (floats == 0) return LSTMAE_OK;
    LAE_TRY(lae_buffer_reserve(&session->arrays, session->context, (size_t)floats, sizeof(float)));
    if (outputs > 0) session->shown = session->arrays.data;
    if (info->forecast > 0) session->shown_forecast = (float *)session->arrays.data + outputs;
    return LSTMAE_OK;
}

static lstmae_status session_build_window(lstmae_session *session)
{
    lstmae_module *twin = NULL;
    LAE_TRY(lae_module_twin(&twin, session->frozen->master, session->context, 0));
    lstmae_status status = lae_window_init(&session->window, twin, &session->frozen->shape);
    lstmae_module_destroy(twin);
    return status;
}

static lstmae_status session_build(lstmae_session *session, const lstmae_session_options *o)
{
    const lstmae_frozen_info *info = &session->frozen->info;
    int64_t compared;
    LAE_TRY(session_compared(info, o->compare, &compared));
    LAE_TRY(lae_context_fork(&session->context, session->frozen->context, o->threads > 1 ? o->threads : 1,
                             LSTMAE_QUEUE_FLUSH));
    LAE_TRY(lae_judge_init(&session->judge, session->context, o, info->features, compared));
    if (o->scaler) LAE_TRY(session_reserve_shown(session));
    if (lae_session_windows(session)) return session_build_window(session);
    if (lae_context_is_host(session->frozen->place)) session->place = lae_context_retain(session->context);
    else LAE_TRY(lae_context_fork_device(&session->place, session->frozen->place));
    return lae_runner_init(&session->runner, session->place, &session->frozen->plan);
}

lstmae_status lstmae_session_create(lstmae_session **out, lstmae_frozen *frozen, const lstmae_session_options *options)
{
    static const lstmae_session_options defaults = LSTMAE_SESSION_OPTIONS_INIT;
    LAE_CHECK_ARG(out != NULL, "session_create");
    *out = NULL;
    LAE_CHECK_ARG(frozen != NULL, "session_create");
    lstmae_session_options o;
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "session options"));
    LAE_TRY(lae_judge_check(&o));
    lstmae_session *session = lae_calloc(&frozen->context->memory, 1, sizeof *session);
    if (!session) return LAE_FAIL(ERR_NO_MEMORY, "session_create: out of memory");
    atomic_fetch_add_explicit(&frozen->references, 1, memory_order_relaxed);
    session->frozen = frozen;
    lstmae_status status = session_build(session, &o);
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
    lae_window_release(&session->window);
    lae_judge_release(&session->judge);
    lae_buffer_release(&session->arrays);
    lae_context_release(session->place);
    lae_context_release(session->context);
    lae_free(&frozen->context->memory, session, sizeof *session);
    lstmae_frozen_destroy(frozen);
}

/* ---- pushing ---- */

/* One step of a model with a state. */
static lstmae_status session_step(lstmae_session *session, uint32_t *flags)
{
    lae_judge *judge = &session->judge;
    lae_runner *runner = &session->runner;
    const int32_t compare = judge->options.compare;
    if (compare == LSTMAE_COMPARE_NEXT && session->count > 0)
        LAE_TRY(lae_judge_score(judge, judge->sample, runner->y, judge->missing, 1, flags));
    memcpy(runner->x, judge->sample, (size_t)judge->features * sizeof(float));
    LAE_TRY(lae_runner_run(runner));
    *flags |= LSTMAE_PUSH_EVALUATED;
    if (compare != LSTMAE_COMPARE_SAME) return LSTMAE_OK;
    return lae_judge_score(judge, judge->sample, runner->y, judge->missing, 1, flags);
}

/* One sample more in the window, and where it is time an evaluation. */
static lstmae_status session_slide(lstmae_session *session, uint32_t *flags)
{
    lae_judge *judge = &session->judge;
    lae_window *window = &session->window;
    const int32_t compare = judge->options.compare;
    const int64_t since = window->place.since;
    if (compare == LSTMAE_COMPARE_NEXT && since >= 0 && since < window->shape.forecast)
        LAE_TRY(lae_judge_score(judge, judge->sample, lae_window_values(window->forecast) + since * judge->features,
                                judge->missing, 1, flags));
    lae_window_put(window, judge->sample, judge->missing);
    if (!lae_window_due(window, judge->options.every)) return LSTMAE_OK;
    LAE_TRY(lae_window_run(window));
    *flags |= LSTMAE_PUSH_EVALUATED;
    if (compare != LSTMAE_COMPARE_SAME) return LSTMAE_OK;
    return lae_judge_score(judge, lae_window_values(window->x), lae_window_values(window->y), window->holes,
                           window->shape.T, flags);
}

static lstmae_status session_take(lstmae_session *session, const float *sample, uint32_t *flags)
{
    lae_judge *judge = &session->judge;
    LAE_TRY(lae_judge_take(judge, sample, session->count, flags));
    LAE_TRY(lae_session_windows(session) ? session_slide(session, flags) : session_step(session, flags));
    session->count++;
    return lae_judge_learn(judge, sample, *flags);
}

/* Output and forecast in the samples' own units. */
static void session_show(const lstmae_session *session, lstmae_push_result *values)
{
    const lstmae_frozen_info *info = &session->frozen->info;
    const int64_t F = info->features;
    if (session->shown) {
        lae_judge_show(&session->judge, values->output, info->outputs, session->shown);
        values->output = session->shown;
    }
    if (!session->shown_forecast) return;
    for (int64_t k = 0; k < info->forecast; k++)
        lae_judge_show(&session->judge, values->forecast + k * F, F, session->shown_forecast + k * F);
    values->forecast = session->shown_forecast;
}

static lstmae_status session_report(const lstmae_session *session, uint32_t flags, lstmae_push_result *result)
{
    const lae_judge *judge = &session->judge;
    const lae_window *window = &session->window;
    const int windows = lae_session_windows(session);
    lstmae_push_result values = LSTMAE_PUSH_RESULT_INIT;
    values.flags = flags;
    values.index = session->count - 1;
    values.score = judge->verdict.score;
    values.raw_score = judge->verdict.raw_score;
    values.threshold = lae_judge_threshold(judge);
    values.error = judge->channels > 0 ? judge->error : NULL;
    values.contribution = judge->channels > 0 ? judge->contribution : NULL;
    values.code = windows ? lae_window_values(window->code) : session->runner.code;
    values.output = windows ? lae_window_last(window) : session->runner.y;
    values.forecast = lae_window_values(window->forecast);
    session_show(session, &values);
    return lae_options_write(result, &values, sizeof values, sizeof values, "push result");
}

lstmae_status lstmae_session_push(lstmae_session *session, const float *sample, lstmae_push_result *result)
{
    LAE_CHECK_ARG(session != NULL, "session_push");
    LAE_CHECK_ARG(sample != NULL, "session_push");
    if (result && result->struct_size < sizeof *result)
        return LAE_FAIL(ERR_INVALID_ARG, "push result: struct_size is %u, at least %zu expected; use the _INIT macro",
                        result->struct_size, sizeof *result);
    uint32_t flags = 0;
    uint64_t mode = lae_flush_begin();
    lstmae_status status = session_take(session, sample, &flags);
    if (status == LSTMAE_OK && result) status = session_report(session, flags, result);
    lae_flush_end(mode);
    return status;
}

lstmae_status lstmae_session_set_level(lstmae_session *session, double level)
{
    LAE_CHECK_ARG(session != NULL, "session_set_level");
    LAE_CHECK_ARG(!isnan(level), "session_set_level");
    if (session->judge.threshold)
        return LAE_FAIL(ERR_STATE, "session_set_level: the session has a threshold of its own");
    session->judge.options.level = level;
    return LSTMAE_OK;
}
