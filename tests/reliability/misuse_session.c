/* Frozen models and sessions, called wrongly. */
#include "misuse.h"

#include <math.h>

static void misuse_session_options(lstmae_frozen *frozen)
{
    lstmae_session *out = NULL;
    const float bad[4] = { 1, 1, NAN, 1 }, zero[4] = { 1, 0, 1, 1 };
    const lstmae_session_options init = LSTMAE_SESSION_OPTIONS_INIT;
    lstmae_session_options o = init;
    REFUSES_SIZES(lstmae_session_options, LSTMAE_SESSION_OPTIONS_INIT, lstmae_session_create(&out, frozen, options));
    o.flags = 0x80;
    REFUSED(ERR_UNSUPPORTED, session_create, &out, frozen, &o);
#define REFUSED_WITH(member, value) (o = init, o.member = (value), \
                                     assert_fails(lstmae_session_create(&out, frozen, &o), ERR_INVALID_ARG))
    REFUSED_WITH(compare, 3);
    REFUSED_WITH(compare, -1);
    REFUSED_WITH(measure, 2);
    REFUSED_WITH(threads, -1);
    REFUSED_WITH(threads, 257);
    REFUSED_WITH(reserved, 1);
    REFUSED_WITH(smoothing, 1.0);
    REFUSED_WITH(smoothing, -0.1);
    REFUSED_WITH(smoothing, (double)NAN);
    REFUSED_WITH(threshold, (double)NAN);
    REFUSED_WITH(offset, bad);
    REFUSED_WITH(scale, bad);
    REFUSED_WITH(scale, zero);
#undef REFUSED_WITH
    assert_null(out);
}

void misuse_sessions(void **state)
{
    misuse_objects *o = *state;
    lstmae_frozen *frozen = NULL;
    lstmae_session *session = NULL;
    lstmae_module *lstm = NULL;
    lstmae_frozen_info info = LSTMAE_FROZEN_INFO_INIT;
    lstmae_push_result result = LSTMAE_PUSH_RESULT_INIT;
    const float sample[4] = { 0 };
    unsigned char memory[16] = { 0 };
    assert_ok(lstmae_lstm_create(&lstm, o->context, 4, 4, NULL));
    REFUSED(ERR_INVALID_ARG, frozen_create, NULL, lstm);
    REFUSED(ERR_INVALID_ARG, frozen_create, &frozen, NULL);
    assert_ok(lstmae_frozen_create(&frozen, lstm));
    REFUSED(ERR_INVALID_ARG, frozen_describe, NULL, &info);
    REFUSED(ERR_INVALID_ARG, frozen_describe, frozen, NULL);
    info.struct_size = 4;
    REFUSED(ERR_INVALID_ARG, frozen_describe, frozen, &info);
    ACCEPTS_NULL(frozen_destroy);
    REFUSED(ERR_INVALID_ARG, session_create, NULL, frozen, NULL);
    REFUSED(ERR_INVALID_ARG, session_create, &session, NULL, NULL);
    misuse_session_options(frozen);
    assert_ok(lstmae_session_create(&session, frozen, NULL));
    REFUSED(ERR_INVALID_ARG, session_push, NULL, sample, NULL);
    REFUSED(ERR_INVALID_ARG, session_push, session, NULL, NULL);
    result.struct_size = 8;
    REFUSED(ERR_INVALID_ARG, session_push, session, sample, &result);
    REFUSED(ERR_NUMERIC, session_push, session, (float[4]){ 0, INFINITY, 0, 0 }, NULL);
    REFUSED(ERR_INVALID_ARG, session_set_threshold, NULL, 1.0);
    REFUSED(ERR_INVALID_ARG, session_set_threshold, session, (double)NAN);
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
