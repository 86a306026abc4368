#include "json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define JSON_TEXT_BYTES 384

lstmae_status lae_json_fail(const lae_json *json, size_t at, const char *format, ...)
{
    char text[JSON_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return LAE_FAIL(ERR_FORMAT, "%s: byte %llu: %s", json->file, (unsigned long long)(json->origin + at), text);
}

/* Fails where `at` does not hold `wanted`, saying what is there instead. */
static lstmae_status json_unexpected(const lae_json *json, size_t at, const char *wanted)
{
    if (at >= json->size) return lae_json_fail(json, at, "expected %s, got the end of the text", wanted);
    unsigned char c = (unsigned char)json->text[at];
    if (c >= 0x20 && c < 0x7f) return lae_json_fail(json, at, "expected %s, got '%c'", wanted, c);
    return lae_json_fail(json, at, "expected %s, got byte 0x%02x", wanted, c);
}

int lae_json_peek(lae_json *json)
{
    while (json->at < json->size) {
        char c = json->text[json->at];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return (unsigned char)c;
        json->at++;
    }
    return -1;
}

lstmae_status lae_json_expect(lae_json *json, char character)
{
    const char wanted[4] = { '\'', character, '\'', '\0' };
    if (lae_json_peek(json) != (unsigned char)character) return json_unexpected(json, json->at, wanted);
    json->at++;
    return LSTMAE_OK;
}

lstmae_status lae_json_member(lae_json *json, int *first, char close)
{
    int next = lae_json_peek(json);
    if (next == (unsigned char)close) {
        json->at++;
        return 0;
    }
    if (!*first) LAE_TRY(lae_json_expect(json, ','));
    *first = 0;
    return 1;
}

/* Length of the UTF-8 sequence at `s`, 0 if it is none (RFC 3629: no overlong forms, surrogates or beyond U+10FFFF). */
static size_t utf8_length(const unsigned char *s, size_t size)
{
    if (s[0] < 0x80) return 1;
    size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || size < length) return 0;
    unsigned low = 0x80, high = 0xbf; /* what the second byte may be */
    if (s[0] == 0xe0) low = 0xa0;
    if (s[0] == 0xed) high = 0x9f;
    if (s[0] == 0xf0) low = 0x90;
    if (s[0] == 0xf4) high = 0x8f;
    if (s[1] < low || s[1] > high) return 0;
    for (size_t i = 2; i < length; i++) {
        if (s[i] < 0x80 || s[i] > 0xbf) return 0;
    }
    return length;
}

int lae_utf8_valid(const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t length = utf8_length((const unsigned char *)text + at, size - at);
        if (length == 0) return 0;
        at += length;
    }
    return 1;
}

/* Value of four hexadecimal digits, or -1. */
static int32_t json_hex4(const char *s)
{
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        int32_t digit;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if (c >= 'a' && c <= 'f')
            digit = c - 'a' + 10;
        else if (c >= 'A' && c <= 'F')
            digit = c - 'A' + 10;
        else
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* Length of the escape sequence at `at` (a backslash), a surrogate pair taken as one; 0 if it is not valid. */
static size_t json_escape_length(const lae_json *json, size_t at)
{
    const char *s = json->text + at;
    size_t left = json->size - at;
    if (left < 2) return 0;
    if (s[1] != 'u') return s[1] != '\0' && strchr("\"\\/bfnrt", s[1]) ? 2 : 0;
    int32_t unit = left >= 6 ? json_hex4(s + 2) : -1;
    if (unit <= 0) return 0;
    if (unit < 0xd800 || unit > 0xdfff) return 6;
    if (unit > 0xdbff || left < 12 || s[6] != '\\' || s[7] != 'u') return 0;
    int32_t second = json_hex4(s + 8);
    return second >= 0xdc00 && second <= 0xdfff ? 12 : 0;
}

lstmae_status lae_json_string(lae_json *json, lae_json_span *span)
{
    LAE_TRY(lae_json_expect(json, '"'));
    size_t start = json->at;
    for (size_t at = start;;) {
        if (at >= json->size) return json_unexpected(json, at, "'\"'");
        unsigned char c = (unsigned char)json->text[at];
        size_t length;
        if (c == '"') {
            *span = (lae_json_span){ start, at - start };
            json->at = at + 1;
            return LSTMAE_OK;
        }
        if (c == '\\') {
            length = json_escape_length(json, at);
            if (length == 0) return lae_json_fail(json, at, "not a valid escape");
        } else {
            if (c < 0x20) return lae_json_fail(json, at, "control character 0x%02x in a string", c);
            length = utf8_length((const unsigned char *)json->text + at, json->size - at);
            if (length == 0) return lae_json_fail(json, at, "not valid UTF-8");
        }
        at += length;
    }
}

lstmae_status lae_json_uint(lae_json *json, uint64_t most, uint64_t *value)
{
    int c = lae_json_peek(json);
    size_t start = json->at;
    if (c < '0' || c > '9') return json_unexpected(json, start, "a whole number of 0 or more");
    uint64_t total = 0;
    for (; json->at < json->size; json->at++) {
        c = json->text[json->at];
        if (c < '0' || c > '9') break;
        uint64_t digit = (uint64_t)(c - '0');
        if (total > most / 10 || (total * 10) > most - digit || digit > most)
            return lae_json_fail(json, start, "number is over %llu", (unsigned long long)most);
        total = total * 10 + digit;
        if (total == 0 && json->at + 1 < json->size && json->text[json->at + 1] >= '0' &&
            json->text[json->at + 1] <= '9')
            return lae_json_fail(json, start, "number begins with 0");
    }
    if (json->at < json->size && (c == '.' || c == 'e' || c == 'E'))
        return lae_json_fail(json, json->at, "expected a whole number");
    *value = total;
    return LSTMAE_OK;
}

/* Writes the UTF-8 form of a code point. */
static size_t utf8_encode(char *out, uint32_t code)
{
    unsigned char bytes[4];
    size_t length;
    if (code < 0x80) {
        bytes[0] = (unsigned char)code;
        length = 1;
    } else if (code < 0x800) {
        bytes[0] = (unsigned char)(0xc0 | (code >> 6));
        length = 2;
    } else if (code < 0x10000) {
        bytes[0] = (unsigned char)(0xe0 | (code >> 12));
        length = 3;
    } else {
        bytes[0] = (unsigned char)(0xf0 | (code >> 18));
        length = 4;
    }
    for (size_t i = length - 1; i > 0; i--) {
        bytes[i] = (unsigned char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    memcpy(out, bytes, length);
    return length;
}

/* An escape is never shorter than what it stands for, so writing stays behind reading. */
size_t lae_json_unescape(char *out, const char *string, size_t size)
{
    static const char named[][2] = { { '"', '"' },  { '\\', '\\' }, { '/', '/' },  { 'b', '\b' },
                                     { 'f', '\f' }, { 'n', '\n' },  { 'r', '\r' }, { 't', '\t' } };
    size_t used = 0;
    for (size_t at = 0; at < size;) {
        if (string[at] != '\\') {
            out[used++] = string[at++];
        } else if (string[at + 1] == 'u') {
            uint32_t code = (uint32_t)json_hex4(string + at + 2);
            at += 6;
            if (code >= 0xd800 && code <= 0xdbff) {
                uint32_t second = (uint32_t)json_hex4(string + at + 2);
                code = 0x10000 + ((code - 0xd800) << 10) + (second - 0xdc00);
                at += 6;
            }
            used += utf8_encode(out + used, code);
        } else {
            for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
                if (named[i][0] == string[at + 1]) {
                    out[used++] = named[i][1];
                    break;
                }
            }
            at += 2;
        }
    }
    return used;
}

int lae_json_is(const lae_json *json, lae_json_span span, const char *want)
{
    char plain[6 * 32]; /* an escape takes at most six bytes for one */
    if (span.size > sizeof plain) return 0;
    size_t size = lae_json_unescape(plain, json->text + span.at, span.size);
    return size == strlen(want) && memcmp(plain, want, size) == 0;
}

int lae_parse_hex(const char *text, int digits, uint64_t *value)
{
    static const char all[] = "0123456789abcdef";
    *value = 0;
    for (int i = 0; i < digits; i++) {
        const char *digit = text[i] != '\0' ? strchr(all, text[i]) : NULL;
        if (!digit) return 0;
        *value = *value << 4 | (uint64_t)(digit - all);
    }
    return 1;
}

static void text_add(lae_text *text, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++, text->used++) {
        if (text->used < text->size) text->data[text->used] = data[i];
    }
}

void lae_text_put(lae_text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void lae_text_uint(lae_text *text, uint64_t value)
{
    char digits[20];
    size_t count = 0;
    do {
        digits[sizeof digits - ++count] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    text_add(text, digits + sizeof digits - count, count);
}

void lae_text_hex(lae_text *text, uint64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) text_add(text, &"0123456789abcdef"[(value >> (4 * i)) & 15], 1);
}

void lae_text_json(lae_text *text, const char *string)
{
    text_add(text, "\"", 1);
    for (const char *s = string; *s; s++) {
        if ((unsigned char)*s < 0x20) {
            text_add(text, "\\u", 2);
            lae_text_hex(text, (unsigned char)*s, 4);
        } else {
            if (*s == '"' || *s == '\\') text_add(text, "\\", 1);
            text_add(text, s, 1);
        }
    }
    text_add(text, "\"", 1);
}
