#include "error.h"

#include <lstmae/base.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ERROR_TEXT_BYTES 512

static _Thread_local char error_text[ERROR_TEXT_BYTES];
static _Thread_local int error_has_name; /* the text begins with that of a part */

static lstmae_log_fn log_fn;
static lstmae_log_level log_level;
static void *log_payload;

lstmae_status lae_fail(lstmae_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error_text, sizeof error_text, format, args);
    va_end(args);
    error_has_name = 0;
    return status;
}

lstmae_status lae_fail_in(lstmae_status status, const char *name)
{
    if (status != LSTMAE_ERR_SHAPE) return status;
    const char *between = error_has_name ? "." : ": ";
    const size_t length = strlen(name), gap = strlen(between), text = strlen(error_text);
    if (length + gap + text >= sizeof error_text) return status;
    memmove(error_text + length + gap, error_text, text + 1);
    memcpy(error_text, name, length);
    memcpy(error_text + length, between, gap);
    error_has_name = 1;
    return status;
}

void lae_log(int level, const char *format, ...)
{
    if (!log_fn || level > (int)log_level) return;
    char text[ERROR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_fn((lstmae_log_level)level, text, log_payload);
}

const char *lae_label(char label[LAE_LABEL_BYTES], const char *text, size_t size)
{
    size_t kept = size < LAE_LABEL_BYTES ? size : LAE_LABEL_BYTES - 4;
    for (size_t i = 0; i < kept; i++) {
        unsigned char c = (unsigned char)text[i];
        label[i] = (char)(c < 0x20 || c >= 0x7f ? '?' : c);
    }
    memcpy(label + kept, kept < size ? "..." : "", kept < size ? 4 : 1);
    return label;
}

void lstmae_set_log(lstmae_log_fn fn, lstmae_log_level max_level, void *payload)
{
    log_fn = fn;
    log_level = max_level;
    log_payload = payload;
}

const char *lstmae_last_error(void)
{
    return error_text;
}

const char *lstmae_status_name(lstmae_status status)
{
    switch (status) {
#define STATUS_NAME(name, value, text)                                                             \
    case value:                                                                                    \
        return "LSTMAE_" #name;
        LSTMAE_STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
    default:
        return "LSTMAE_UNKNOWN";
    }
}

const char *lstmae_status_text(lstmae_status status)
{
    switch (status) {
#define STATUS_TEXT(name, value, text)                                                             \
    case value:                                                                                    \
        return text;
        LSTMAE_STATUS_LIST(STATUS_TEXT)
#undef STATUS_TEXT
    default:
        return "unknown status";
    }
}

int lstmae_version(void)
{
    return LSTMAE_VERSION;
}

#define VERSION_TEXT2(major, minor, patch) #major "." #minor "." #patch
#define VERSION_TEXT(major, minor, patch) VERSION_TEXT2(major, minor, patch)

const char *lstmae_version_string(void)
{
    return VERSION_TEXT(LSTMAE_VERSION_MAJOR, LSTMAE_VERSION_MINOR, LSTMAE_VERSION_PATCH);
}
