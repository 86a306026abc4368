/* Sessions at rest: reset, and states saved to and restored from the caller's memory. */
#include "session_internal.h"

#include "crc32c.h"

#include <string.h>

/* What a saved state begins with. A machine of the other byte order sees another version. */
typedef struct state_header {
    char magic[8];
    uint32_t version;
    uint32_t checksum;    /* of all bytes after this member */
    uint64_t bytes;       /* of all */
    uint32_t fingerprint; /* of the model */
    uint32_t settings;    /* checksum of the options a state depends on */
    lae_progress progress;
} state_header;

static const char state_magic[8] = "LSTMAEss";

#define STATE_VERSION 1u
#define STATE_CHECKED offsetof(state_header, bytes)

lstmae_status lstmae_session_reset(lstmae_session *session)
{
    LAE_CHECK_ARG(session != NULL, "session_reset");
    memset(&session->progress, 0, sizeof session->progress);
    memset(session->error, 0, (size_t)session->compared * sizeof(float));
    lae_runner_reset(&session->runner);
    return LSTMAE_OK;
}

static uint32_t state_settings(const lstmae_session *session)
{
    const lstmae_session_options *o = &session->options;
    const size_t bytes = (size_t)session->frozen->plan.features * sizeof(float);
    int32_t kinds[3] = { (int32_t)o->flags, o->compare, o->measure };
    uint32_t sum = lae_crc32c(0, kinds, sizeof kinds);
    sum = lae_crc32c(sum, &o->smoothing, sizeof o->smoothing);
    sum = lae_crc32c(sum, o->offset, bytes);
    return lae_crc32c(sum, o->scale, bytes);
}

size_t lstmae_session_state_bytes(const lstmae_session *session)
{
    if (!session) return 0;
    const size_t floats = lae_runner_state_floats(&session->runner) + (size_t)session->compared;
    return sizeof(state_header) + floats * sizeof(float);
}

lstmae_status lstmae_session_save(const lstmae_session *session, void *memory, size_t bytes)
{
    LAE_CHECK_ARG(session != NULL, "session_save");
    LAE_CHECK_ARG(memory != NULL, "session_save");
    const size_t all = lstmae_session_state_bytes(session), errors = (size_t)session->compared * sizeof(float);
    if (bytes < all) return LAE_FAIL(ERR_INVALID_ARG, "session_save: expected %zu bytes, got %zu", all, bytes);
    char *out = memory;
    state_header header = { .version = STATE_VERSION, .bytes = all };
    memcpy(header.magic, state_magic, sizeof header.magic);
    header.fingerprint = session->frozen->plan.fingerprint;
    header.settings = state_settings(session);
    header.progress = session->progress;
    memcpy(out + sizeof header, session->error, errors);
    lae_runner_store(&session->runner, out + sizeof header + errors);
    memcpy(out, &header, sizeof header);
    header.checksum = lae_crc32c(0, out + STATE_CHECKED, all - STATE_CHECKED);
    memcpy(out, &header, sizeof header);
    return LSTMAE_OK;
}

static lstmae_status state_check(const lstmae_session *session, const char *memory, size_t bytes)
{
    state_header header;
    if (bytes < sizeof header) return LAE_FAIL(ERR_FORMAT, "session_restore: %zu bytes are no state", bytes);
    memcpy(&header, memory, sizeof header);
    if (memcmp(header.magic, state_magic, sizeof header.magic) != 0 || header.version != STATE_VERSION)
        return LAE_FAIL(ERR_FORMAT, "session_restore: expected a state of version %u", STATE_VERSION);
    if (header.bytes > bytes || header.bytes < sizeof header)
        return LAE_FAIL(ERR_FORMAT, "session_restore: expected %llu bytes, got %zu", (unsigned long long)header.bytes,
                        bytes);
    if (header.checksum != lae_crc32c(0, memory + STATE_CHECKED, (size_t)header.bytes - STATE_CHECKED))
        return LAE_FAIL(ERR_FORMAT, "session_restore: the checksum does not match");
    if (header.fingerprint != session->frozen->plan.fingerprint)
        return LAE_FAIL(ERR_STATE, "session_restore: the state is of another model");
    if (header.settings != state_settings(session) || header.bytes != lstmae_session_state_bytes(session))
        return LAE_FAIL(ERR_STATE, "session_restore: the state is of a session with other options");
    return LSTMAE_OK;
}

lstmae_status lstmae_session_restore(lstmae_session *session, const void *memory, size_t bytes)
{
    LAE_CHECK_ARG(session != NULL, "session_restore");
    LAE_CHECK_ARG(memory != NULL, "session_restore");
    LAE_TRY(state_check(session, memory, bytes));
    const size_t errors = (size_t)session->compared * sizeof(float);
    const char *in = memory;
    state_header header;
    memcpy(&header, in, sizeof header);
    session->progress = header.progress;
    memcpy(session->error, in + sizeof header, errors);
    lae_runner_load(&session->runner, in + sizeof header + errors);
    return LSTMAE_OK;
}
