/* Frozen models and sessions, called wrongly. */
#include "misuse.h"

#include <math.h>

/* Scalers, distributions and thresholds that do not fit, or are not ready. */
static void misuse_session_judges(lstmae_context *context, lstmae_frozen *frozen)
{
    lstmae_session *out = NULL;
    lstmae_scaler *narrow = NULL, *robust = NULL;
    lstmae_gaussian *gaussian = NULL;
    lstmae_threshold *threshold = NULL;
    lstmae_scaler_options median = LSTMAE_SCALER_OPTIONS_INIT;
    const lstmae_session_options init = LSTMAE_SESSION_OPTIONS_INIT;
    lstmae_session_options o = init;
    const float errors[6] = { 1, 2, 3, 3, 2, 5 };
    median.kind = LSTMAE_SCALING_ROBUST;
    assert_ok(lstmae_scaler_create(&narrow, context, 3, NULL));
    assert_ok(lstmae_scaler_create(&robust, context, 4, &median));
    assert_ok(lstmae_gaussian_create(&gaussian, context, 3, NULL));
    assert_ok(lstmae_threshold_create(&threshold, context, NULL));
    o.scaler = narrow;
    REFUSED(ERR_SHAPE, session_create, &out, frozen, &o);
    o.scaler = robust;
    o.flags = LSTMAE_SESSION_REFIT;
    REFUSED(ERR_UNSUPPORTED, session_create, &out, frozen, &o);
    o = init;
    o.threshold = threshold;
    REFUSED(ERR_STATE, session_create, &out, frozen, &o);
    o = init;
    o.score = LSTMAE_SESSION_MAHALANOBIS;
    o.gaussian = gaussian;
    REFUSED(ERR_STATE, session_create, &out, frozen, &o);
    assert_ok(lstmae_gaussian_fit(gaussian, errors, 2));
    REFUSED(ERR_SHAPE, session_create, &out, frozen, &o);
    assert_null(out);
    lstmae_scaler_destroy(narrow);
    lstmae_scaler_destroy(robust);
    lstmae_gaussian_destroy(gaussian);
    lstmae_threshold_destroy(threshold);
}

static void misuse_session_options(lstmae_frozen *frozen)
{
    lstmae_session *out = NULL;
    const lstmae_session_options init = LSTMAE_SESSION_OPTIONS_INIT;
    lstmae_session_options o = init;
    REFUSES_SIZES(lstmae_session_options, LSTMAE_SESSION_OPTIONS_INIT, lstmae_session_create(&out, frozen, options));
    o.flags = 0x80;
    REFUSED(ERR_UNSUPPORTED, session_create, &out, frozen, &o);
#define REFUSED_WITH(member, value) (o = init, o.member = (value), \
                                     assert_fails(lstmae_session_create(&out, frozen, &o), ERR_INVALID_ARG))
    REFUSED_WITH(compare, 3);
    REFUSED_WITH(compare, -1);
    REFUSED_WITH(score, 4);
    REFUSED_WITH(score, LSTMAE_SESSION_DENSITY);
    REFUSED_WITH(threads, -1);
    REFUSED_WITH(threads, 257);
    REFUSED_WITH(window_score, 3);
    REFUSED_WITH(every, 0);
    REFUSED_WITH(alpha, 1.5);
    REFUSED_WITH(alpha, -0.1);
    REFUSED_WITH(alpha, (double)NAN);
    REFUSED_WITH(level, (double)NAN);
    REFUSED_WITH(flags, LSTMAE_SESSION_REFIT);
#undef REFUSED_WITH
    assert_null(out);
}

void misuse_sessions(void **state)
{
    misuse_objects *o = *state;
    lstmae_frozen *frozen = NULL;
    lstmae_session *session = NULL;
    lstmae_module *lstm = NULL;
    lstmae_frozen_options options = LSTMAE_FROZEN_OPTIONS_INIT;
    lstmae_frozen_info info = LSTMAE_FROZEN_INFO_INIT;
    lstmae_push_result result = LSTMAE_PUSH_RESULT_INIT;
    const float sample[4] = { 0 };
    unsigned char memory[16] = { 0 };
    assert_ok(lstmae_lstm_create(&lstm, o->context, 4, 4, NULL));
    REFUSED(ERR_INVALID_ARG, frozen_create, NULL, lstm, NULL);
    REFUSED(ERR_INVALID_ARG, frozen_create, &frozen, NULL, NULL);
    options.flags = LSTMAE_FROZEN_DEVICE << 1;
    REFUSED(ERR_INVALID_ARG, frozen_create, &frozen, lstm, &options);
    options.flags = LSTMAE_FROZEN_DEVICE;
    options.window = 3;
    REFUSED(ERR_UNSUPPORTED, frozen_create, &frozen, lstm, &options);
    assert_ok(lstmae_frozen_create(&frozen, lstm, NULL));
    REFUSED(ERR_INVALID_ARG, frozen_describe, NULL, &info);
    REFUSED(ERR_INVALID_ARG, frozen_describe, frozen, NULL);
    info.struct_size = 4;
    REFUSED(ERR_INVALID_ARG, frozen_describe, frozen, &info);
    ACCEPTS_NULL(frozen_destroy);
    REFUSED(ERR_INVALID_ARG, session_create, NULL, frozen, NULL);
    REFUSED(ERR_INVALID_ARG, session_create, &session, NULL, NULL);
    misuse_session_options(frozen);
    misuse_session_judges(o->context, frozen);
    assert_ok(lstmae_session_create(&session, frozen, NULL));
    REFUSED(ERR_INVALID_ARG, session_push, NULL, sample, NULL);
    REFUSED(ERR_INVALID_ARG, session_push, session, NULL, NULL);
    result.struct_size = 8;
    REFUSED(ERR_INVALID_ARG, session_push, session, sample, &result);
    REFUSED(ERR_NUMERIC, session_push, session, (float[4]){ 0, INFINITY, 0, 0 }, NULL);
    REFUSED(ERR_INVALID_ARG, session_set_level, NULL, 1.0);
    REFUSED(ERR_INVALID_ARG, session_set_level, session, (double)NAN);
    REFUSED(ERR_INVALID_ARG, session_reset, NULL);
    GIVES(0, session_state_bytes, NULL);
    REFUSED(ERR_INVALID_ARG, session_save, NULL, memory, sizeof memory);
    REFUSED(ERR_INVALID_ARG, session_save, session, NULL, sizeof memory);
    REFUSED(ERR_INVALID_ARG, session_save, session, memory, sizeof memory);
    REFUSED(ERR_INVALID_ARG, session_restore, NULL, memory, sizeof memory);
    REFUSED(ERR_INVALID_ARG, session_restore, session, NULL, sizeof memory);
    REFUSED(ERR_FORMAT, session_restore, session, memory, sizeof memory);
    ACCEPTS_NULL(session_destroy);
    lstmae_session_destroy(session);
    lstmae_frozen_destroy(frozen);
    lstmae_module_destroy(lstm);
}
