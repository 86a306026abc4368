/* Sessions: one stream over a frozen model. */
#include "session_internal.h"

#include "options.h"

#include "shared/float_mode.h"

#include <math.h>
#include <string.h>

/* ---- creation ---- */

static lstmae_status session_build(lstmae_session *session, const lstmae_session_options *o)
{
    const lae_plan *plan = &session->frozen->plan;
    const int64_t compared = o->compare == LSTMAE_COMPARE_NONE ? 0 : plan->outputs;
    if (compared > plan->features)
        return LAE_FAIL(ERR_SHAPE, "session_create: outputs of %lld values cannot be compared with samples of %lld",
                        (long long)plan->outputs, (long long)plan->features);
    LAE_TRY(lae_context_fork(&session->context, session->frozen->context, o->threads > 1 ? o->threads : 1,
                             LSTMAE_QUEUE_FLUSH));
    LAE_TRY(lae_judge_init(&session->judge, session->context, o, plan->features, compared));
    LAE_TRY(lae_runner_init(&session->runner, session->context, plan));
    if (!o->scaler || plan->outputs > plan->features) return LSTMAE_OK;
    LAE_TRY(lae_buffer_reserve(&session->arrays, session->context, (size_t)plan->outputs, sizeof(float)));
    session->shown = session->arrays.data;
    return LSTMAE_OK;
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
    lae_judge_release(&session->judge);
    lae_buffer_release(&session->arrays);
    lae_context_release(session->context);
    lae_free(&frozen->context->memory, session, sizeof *session);
    lstmae_frozen_destroy(frozen);
}

/* ---- pushing ---- */

static lstmae_status session_step(lstmae_session *session, const float *sample, uint32_t *flags)
{
    lae_judge *judge = &session->judge;
    lae_runner *runner = &session->runner;
    const int32_t compare = judge->options.compare;
    LAE_TRY(lae_judge_take(judge, sample, session->count, flags));
    if (compare == LSTMAE_COMPARE_NEXT && session->count > 0) LAE_TRY(lae_judge_score(judge, runner->y, flags));
    memcpy(runner->x, judge->sample, (size_t)judge->features * sizeof(float));
    LAE_TRY(lae_runner_run(runner));
    if (compare == LSTMAE_COMPARE_SAME) LAE_TRY(lae_judge_score(judge, runner->y, flags));
    session->count++;
    return lae_judge_learn(judge, sample, *flags);
}

static lstmae_status session_report(const lstmae_session *session, uint32_t flags, lstmae_push_result *result)
{
    const lae_judge *judge = &session->judge;
    lstmae_push_result values = LSTMAE_PUSH_RESULT_INIT;
    values.flags = flags;
    values.index = session->count - 1;
    values.score = judge->verdict.score;
    values.raw_score = judge->verdict.raw_score;
    values.threshold = lae_judge_threshold(judge);
    values.error = judge->channels > 0 ? judge->error : NULL;
    values.contribution = judge->channels > 0 ? judge->contribution : NULL;
    values.code = session->runner.code;
    values.output = session->runner.y;
    if (session->shown) {
        lae_judge_show(judge, session->runner.y, session->frozen->plan.outputs, session->shown);
        values.output = session->shown;
    }
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
    lstmae_status status = session_step(session, sample, &flags);
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
