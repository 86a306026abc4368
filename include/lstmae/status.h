/**
 * @file status.h
 * Status codes and the text of the last failure.
 */
#ifndef LSTMAE_STATUS_H
#define LSTMAE_STATUS_H

#include <lstmae/base.h>

LSTMAE_BEGIN_DECLS

/** Every status code once: X(name, value, meaning). Values never change. */
#define LSTMAE_STATUS_LIST(X)                                                                      \
    X(OK, 0, "success")                                                                            \
    X(ERR_INVALID_ARG, -1, "an argument is NULL or out of its range")                              \
    X(ERR_SHAPE, -2, "a tensor's shape does not fit")                                              \
    X(ERR_DTYPE, -3, "a tensor's element type does not fit")                                       \
    X(ERR_STATE, -4, "the call does not fit the object's state")                                   \
    X(ERR_NO_MEMORY, -5, "out of host memory")                                                     \
    X(ERR_DEVICE_MEMORY, -6, "out of device memory")                                               \
    X(ERR_DEVICE, -7, "the device failed; its context can only be destroyed")                      \
    X(ERR_NOT_FOUND, -8, "no such file, parameter or device")                                      \
    X(ERR_UNSUPPORTED, -9, "not supported by this build, device or version")                       \
    X(ERR_IO, -10, "reading or writing a file failed")                                             \
    X(ERR_FORMAT, -11, "a file's content is not valid")                                            \
    X(ERR_ABI, -12, "header, library or plugin versions do not match")                             \
    X(ERR_CANCELLED, -13, "stopped by a callback or a stop request")                               \
    X(ERR_NUMERIC, -14, "a loss or gradient is not finite")                                        \
    X(ERR_INTERNAL, -15, "a defect in the library")

#define LSTMAE_STATUS_ENUM(name, value, text) LSTMAE_##name = value,
enum { LSTMAE_STATUS_LIST(LSTMAE_STATUS_ENUM) LSTMAE_STATUS_RESERVED = -1000 };
#undef LSTMAE_STATUS_ENUM

/** 0 is success, negative values are errors; positive values are counts where a function says so. */
typedef int lstmae_status;

/** Name of a code, "LSTMAE_ERR_SHAPE"; "LSTMAE_UNKNOWN" for a value that is no code. Static, never NULL. */
LSTMAE_API const char *lstmae_status_name(lstmae_status status);

/** One line that says what a code means. Static, never NULL. */
LSTMAE_API const char *lstmae_status_text(lstmae_status status);

/**
 * Text of this thread's most recent failure, one line that says what was expected and what came.
 * Valid until this thread's next failing call; "" before the first. Never NULL, never allocates.
 */
LSTMAE_API const char *lstmae_last_error(void);

LSTMAE_END_DECLS

#endif
