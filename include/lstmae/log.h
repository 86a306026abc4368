/**
 * @file log.h
 * Where the library's messages go. It prints nothing by itself.
 */
#ifndef LSTMAE_LOG_H
#define LSTMAE_LOG_H

#include <lstmae/base.h>

LSTMAE_BEGIN_DECLS

typedef enum lstmae_log_level {
    LSTMAE_LOG_NONE = 0,
    LSTMAE_LOG_WARNING = 1, /**< something the user should know, such as a fallback taken */
    LSTMAE_LOG_INFO = 2,    /**< once per object: device chosen, kernels chosen */
    LSTMAE_LOG_DEBUG = 3    /**< once per step */
} lstmae_log_level;

/** Receives one line without a newline; `message` is valid during the call only. May be called from any thread. */
typedef void (*lstmae_log_fn)(lstmae_log_level level, const char *message, void *payload);

/**
 * Sets the process-wide log callback; NULL (the default) silences the library.
 * Messages above `max_level` are not formatted. Not to be changed while other threads are inside the library.
 */
LSTMAE_API void lstmae_set_log(lstmae_log_fn fn, lstmae_log_level max_level, void *payload);

LSTMAE_END_DECLS

#endif
