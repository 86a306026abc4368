/* Failing and forwarding: the one way errors leave a function. */
#ifndef LAE_ERROR_H
#define LAE_ERROR_H

#include <lstmae/log.h>
#include <lstmae/status.h>

#include <stddef.h>

#if defined(__GNUC__)
#define LAE_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define LAE_PRINTF(text, first)
#endif

/** Sets this thread's error text and returns `status`. Never allocates. */
lstmae_status lae_fail(lstmae_status status, const char *format, ...) LAE_PRINTF(2, 3);

/**
 * Where a call for a part has failed for its shapes, puts the part's name before the text, and those of outer parts
 * before that: "encoder.2: conv2d: …". Returns `status`; other failures are left as they are.
 */
lstmae_status lae_fail_in(lstmae_status status, const char *name);

/** Formats a message for the log callback, if one wants its level. */
void lae_log(int level, const char *format, ...) LAE_PRINTF(2, 3);

/** Copies a name or text for a message: one line of at most LAE_LABEL_BYTES - 1 bytes. Returns `label`. */
#define LAE_LABEL_BYTES 72
const char *lae_label(char label[LAE_LABEL_BYTES], const char *text, size_t size);

/** return LAE_FAIL(ERR_SHAPE, "lstm: input is %s, …", …); */
#define LAE_FAIL(code, ...) lae_fail(LSTMAE_##code, __VA_ARGS__)

/** Returns from the calling function with the status of a failed call. */
#define LAE_TRY(call)                                                                              \
    do {                                                                                           \
        lstmae_status lae_try_status = (call);                                                     \
        if (lae_try_status < 0) return lae_try_status;                                             \
    } while (0)

/** In functions that clean up at `done:` and return a variable called `status`. */
#define LAE_TRY_DONE(call)                                                                         \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status < 0) goto done;                                                                 \
    } while (0)

/** Public functions check what they are given: the name of the function's noun_verb comes first in the text. */
#define LAE_CHECK_ARG(condition, function)                                                         \
    do {                                                                                           \
        if (!(condition)) return LAE_FAIL(ERR_INVALID_ARG, "%s: %s does not hold", function, #condition); \
    } while (0)

#endif
