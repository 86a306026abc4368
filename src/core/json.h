/*
 * JSON in files from outside: a scanner without recursion or allocation for the few shapes we read, and a writer.
 *
 * Strict RFC 8259: UTF-8 without overlong forms or surrogates, no control characters in strings, no U+0000, no trailing
 * commas; numbers are whole and not negative, because no file of ours needs others. Errors name the byte of the file.
 */
#ifndef LAE_JSON_H
#define LAE_JSON_H

#include "error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct lae_json {
    const char *text;
    size_t size;
    size_t at;       /* next byte to read */
    uint64_t origin; /* byte of the file where text begins */
    const char *file;
} lae_json;

/** What stands between the quotes of a string, escapes and all. */
typedef struct lae_json_span {
    size_t at, size;
} lae_json_span;

/** Fails with ERR_FORMAT: "FILE: byte N: ...", N counted in the file from the text's byte `at`. */
lstmae_status lae_json_fail(const lae_json *json, size_t at, const char *format, ...) LAE_PRINTF(3, 4);

/** Skips white space and returns the byte that follows it, -1 at the end. */
int lae_json_peek(lae_json *json);

/** Takes one punctuation character, white space before it included. */
lstmae_status lae_json_expect(lae_json *json, char character);

/**
 * The way through an object or array: call before each member with *first at 1 at the start; takes the comma, or the
 * closing bracket.
 * @return 1 if a member follows, 0 after the end, or ERR_FORMAT
 */
lstmae_status lae_json_member(lae_json *json, int *first, char close);

/** Takes a string. */
lstmae_status lae_json_string(lae_json *json, lae_json_span *span);

/** Takes a number from 0 to `most`, without sign, fraction or exponent. */
lstmae_status lae_json_uint(lae_json *json, uint64_t most, uint64_t *value);

/** 1 if a string that was taken is `want` once its escapes are resolved. `want` has fewer than 32 bytes. */
int lae_json_is(const lae_json *json, lae_json_span span, const char *want);

/** Resolves the escapes of a string that was taken, into `out`, which may be where it stands. @return bytes, no NUL */
size_t lae_json_unescape(char *out, const char *string, size_t size);

/** 1 if `text` is valid UTF-8. */
int lae_utf8_valid(const char *text, size_t size);

/** Reads `digits` lower-case hexadecimal digits, at most 16; 0 if they are not all there. */
int lae_parse_hex(const char *text, int digits, uint64_t *value);

/** Text being written. Beyond `size` nothing is stored but `used` goes on: a first pass with size 0 measures. */
typedef struct lae_text {
    char *data;
    size_t size, used;
} lae_text;

void lae_text_put(lae_text *text, const char *string);
void lae_text_uint(lae_text *text, uint64_t value);

/** `digits` lower-case hexadecimal digits. */
void lae_text_hex(lae_text *text, uint64_t value, int digits);

/** `string`, valid UTF-8, in quotes with escapes. */
void lae_text_json(lae_text *text, const char *string);

#endif
