/* Sessions at rest: reset, and states saved to and restored from the caller's memory. */
#include "session_internal.h"

#include "crc32c.h"

#include <string.h>

/* What a saved state begins with; the judge's part and the model's follow. A machine of the other byte order sees
 * another version. */
typedef struct state_header {
    char magic[8];
    uint32_t version;
    uint32_t checksum;    /* of all bytes after this member */
    uint64_t bytes;       /* of all */
    uint32_t fingerprint; /* of the model */
    uint32_t settings;    /* checksum of the options a state depends on */
    int64_t count;        /* samples taken */
} state_header;

static const char state_magic[8] = "LSTMAEss";

#define STATE_VERSION 1u
#define STATE_CHECKED offsetof(state_header, bytes)

lstmae_status lstmae_session_reset(lstmae_session *session)
{
    LAE_CHECK_ARG(session != NULL, "session_reset");
    session->count = 0;
    lae_judge_reset(&session->judge);
    if (lae_session_windows(session)) lae_window_reset(&session->window);
    else return lae_runner_reset(&session->runner);
    return LSTMAE_OK;
}

size_t lstmae_session_state_bytes(const lstmae_session *session)
{
    if (!session) return 0;
    const size_t model = lae_session_windows(session) ? lae_window_state_bytes(&session->window)
                                                      : lae_runner_state_floats(&session->runner) * sizeof(float);
    return sizeof(state_header) + lae_judge_state_bytes(&session->judge) + model;
}

lstmae_status lstmae_session_save(const lstmae_session *session, void *memory, size_t bytes)
{
    LAE_CHECK_ARG(session != NULL, "session_save");
    LAE_CHECK_ARG(memory != NULL, "session_save");
    const size_t all = lstmae_session_state_bytes(session);
    if (bytes < all) return LAE_FAIL(ERR_INVALID_ARG, "session_save: expected %zu bytes, got %zu", all, bytes);
    char *out = memory, *judge = out + sizeof(state_header);
    state_header header = { .version = STATE_VERSION, .bytes = all, .count = session->count };
    memcpy(header.magic, state_magic, sizeof header.magic);
    header.fingerprint = session->frozen->info.fingerprint;
    header.settings = lae_judge_settings(&session->judge);
    LAE_TRY(lae_judge_store(&session->judge, judge));
    char *model = judge + lae_judge_state_bytes(&session->judge);
    if (lae_session_windows(session)) lae_window_store(&session->window, model);
    else LAE_TRY(lae_runner_store(&session->runner, model));
    memcpy(out, &header, sizeof header);
    header.checksum = lae_crc32c(0, out + STATE_CHECKED, all - STATE_CHECKED);
    memcpy(out, &header, sizeof header);
    return LSTMAE_OK;
}

static lstmae_status state_read(const lstmae_session *session, const char *memory, size_t bytes, state_header *header)
{
    if (bytes < sizeof *header) return LAE_FAIL(ERR_FORMAT, "session_restore: %zu bytes are no state", bytes);
    memcpy(header, memory, sizeof *header);
    if (memcmp(header->magic, state_magic, sizeof header->magic) != 0 || header->version != STATE_VERSION)
        return LAE_FAIL(ERR_FORMAT, "session_restore: expected a state of version %u", STATE_VERSION);
    if (header->bytes > bytes || header->bytes < sizeof *header)
        return LAE_FAIL(ERR_FORMAT, "session_restore: expected %llu bytes, got %zu", (unsigned long long)header->bytes,
                        bytes);
    if (header->checksum != lae_crc32c(0, memory + STATE_CHECKED, (size_t)header->bytes - STATE_CHECKED))
        return LAE_FAIL(ERR_FORMAT, "session_restore: the checksum does not match");
    if (header->count < 0) return LAE_FAIL(ERR_FORMAT, "session_restore: %lld samples", (long long)header->count);
    if (header->fingerprint != session->frozen->info.fingerprint)
        return LAE_FAIL(ERR_STATE, "session_restore: the state is of another model");
    if (header->settings != lae_judge_settings(&session->judge) ||
        header->bytes != lstmae_session_state_bytes(session))
        return LAE_FAIL(ERR_STATE, "session_restore: the state is of a session with other options");
    return LSTMAE_OK;
}

lstmae_status lstmae_session_restore(lstmae_session *session, const void *memory, size_t bytes)
{
    LAE_CHECK_ARG(session != NULL, "session_restore");
    LAE_CHECK_ARG(memory != NULL, "session_restore");
    const char *judge = (const char *)memory + sizeof(state_header);
    state_header header;
    LAE_TRY(state_read(session, memory, bytes, &header));
    const char *model = judge + lae_judge_state_bytes(&session->judge);
    if (lae_session_windows(session)) LAE_TRY(lae_window_check(&session->window, model));
    LAE_TRY(lae_judge_load(&session->judge, judge));
    if (lae_session_windows(session)) lae_window_load(&session->window, model);
    else LAE_TRY(lae_runner_load(&session->runner, model));
    session->count = header.count;
    return LSTMAE_OK;
}
