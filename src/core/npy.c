/*
 * NumPy's .npy, versions 1.0 to 3.0: 93 "NUMPY", version, length of the header (16 bits little-endian in version 1,
 * else 32), the header, the elements. The header is a Python dict of exactly descr, fortran_order and shape, padded by
 * spaces and ended by a newline. Read here: the dict literals that NumPy writes and their variations in white space,
 * quotes and order of keys.
 */
#include "array.h"

#include <string.h>

typedef struct npy_text {
    const char *name;
    const unsigned char *bytes;
    size_t at, end;
} npy_text;

/* ERR_FORMAT at the place reached, with what was found there. */
static lstmae_status npy_fail(const npy_text *text, const char *expected)
{
    if (text->at >= text->end)
        return LAE_FAIL(ERR_FORMAT, "%s: byte %zu: npy header: expected %s, got its end", text->name, text->at,
                        expected);
    unsigned char c = text->bytes[text->at];
    return LAE_FAIL(ERR_FORMAT, "%s: byte %zu: npy header: expected %s, got '%c' (%02x)", text->name, text->at,
                    expected, c >= 32 && c < 127 ? c : '?', c);
}

static int npy_peek(npy_text *text)
{
    while (text->at < text->end && memchr(" \t\r\n", text->bytes[text->at], 4)) text->at++;
    return text->at < text->end ? text->bytes[text->at] : -1;
}

/* Takes `c` if it comes next, white space aside. */
static int npy_take(npy_text *text, int c)
{
    if (npy_peek(text) != c) return 0;
    text->at++;
    return 1;
}

/* A quoted string of printable ASCII without escapes. */
static lstmae_status npy_string(npy_text *text, const char *expected, const char **string, size_t *length)
{
    int quote = npy_peek(text);
    if (quote != '\'' && quote != '"') return npy_fail(text, expected);
    size_t start = ++text->at;
    for (; text->at < text->end; text->at++) {
        unsigned char c = text->bytes[text->at];
        if (c == quote) {
            *string = (const char *)text->bytes + start;
            *length = text->at++ - start;
            return LSTMAE_OK;
        }
        if (c < 32 || c > 126 || c == '\\') break;
    }
    return npy_fail(text, "printable ASCII and a closing quote");
}

static int npy_equal(const char *string, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(string, word, length) == 0;
}

/* 'descr': byte order, kind and width, such as '<f4'. */
static lstmae_status npy_descr(npy_text *text, lae_array *array)
{
    static const struct {
        const char *code;
        lae_element element;
    } types[] = { { "u1", LAE_U8 },  { "i1", LAE_I8 },  { "u2", LAE_U16 }, { "i2", LAE_I16 }, { "u4", LAE_U32 },
                  { "i4", LAE_I32 }, { "u8", LAE_U64 }, { "i8", LAE_I64 }, { "f4", LAE_R32 }, { "f8", LAE_R64 } };
    const char *string = NULL;
    size_t length = 0;
    if (npy_peek(text) == '[')
        return LAE_FAIL(ERR_UNSUPPORTED, "%s: byte %zu: npy header: expected a plain number type, got a structure",
                        text->name, text->at);
    size_t at = text->at;
    LAE_TRY(npy_string(text, "an element type", &string, &length));
    if (length >= 2 && (string[0] == 'O' || string[1] == 'O'))
        return LAE_FAIL(ERR_UNSUPPORTED, "%s: byte %zu: npy header: expected a plain number type, got Python objects",
                        text->name, at);
    if (length == 3 && memchr("<>|", string[0], 3)) {
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
            if (memcmp(string + 1, types[i].code, 2) != 0) continue;
            if (string[0] == '|' && lae_element_size(types[i].element) > 1) break;
            array->element = types[i].element;
            array->big = string[0] == '>';
            return LSTMAE_OK;
        }
    }
    return LAE_FAIL(ERR_UNSUPPORTED,
                    "%s: byte %zu: npy header: expected an element type of u1, i1, u2, i2, u4, i4, u8, i8, f4 or f8 "
                    "after < or >, got '%.*s'",
                    text->name, at, (int)(length < 32 ? length : 32), string);
}

static lstmae_status npy_order(npy_text *text, lae_array *array)
{
    (void)npy_peek(text);
    size_t left = text->end - text->at;
    const unsigned char *word = text->bytes + text->at;
    if (left >= 4 && memcmp(word, "True", 4) == 0) {
        array->fortran = 1;
        text->at += 4;
    } else if (left >= 5 && memcmp(word, "False", 5) == 0) {
        array->fortran = 0;
        text->at += 5;
    } else {
        return npy_fail(text, "True or False");
    }
    return LSTMAE_OK;
}

static int npy_digit(const npy_text *text)
{
    return text->at < text->end && text->bytes[text->at] >= '0' && text->bytes[text->at] <= '9';
}

/* A decimal number without sign; Python 2 may have written an L behind it. */
static lstmae_status npy_number(npy_text *text, int64_t *out)
{
    (void)npy_peek(text);
    size_t start = text->at;
    if (!npy_digit(text)) return npy_fail(text, "a size of 0 or more");
    for (*out = 0; npy_digit(text); text->at++) {
        *out = *out * 10 + (text->bytes[text->at] - '0');
        if (*out > LAE_ARRAY_MAX_DIM)
            return LAE_FAIL(ERR_FORMAT, "%s: byte %zu: npy header: expected an axis of at most %lld, got more",
                            text->name, start, (long long)LAE_ARRAY_MAX_DIM);
    }
    if (text->bytes[start] == '0' && text->at > start + 1) {
        text->at = start;
        return npy_fail(text, "a number without leading zeros");
    }
    if (text->at < text->end && text->bytes[text->at] == 'L') text->at++;
    return LSTMAE_OK;
}

/* A tuple: (), (5,), (5, 6) or (5, 6,). */
static lstmae_status npy_shape(npy_text *text, lae_array *array)
{
    int comma = 1;
    if (!npy_take(text, '(')) return npy_fail(text, "a shape in parentheses");
    for (array->ndim = 0; !npy_take(text, ')'); array->ndim++) {
        if (!comma) return npy_fail(text, "a comma or )");
        if (array->ndim == LAE_ARRAY_DIMS)
            return LAE_FAIL(ERR_FORMAT, "%s: byte %zu: npy header: expected at most %d axes, got more", text->name,
                            text->at, LAE_ARRAY_DIMS);
        LAE_TRY(npy_number(text, &array->dim[array->ndim]));
        comma = npy_take(text, ',');
    }
    if (array->ndim == 1 && !comma) {
        text->at--;
        return npy_fail(text, "a comma, as in (5,)");
    }
    return LSTMAE_OK;
}

static lstmae_status npy_dict(npy_text *text, lae_array *array)
{
    static const char *const keys[] = { "descr", "fortran_order", "shape" };
    unsigned seen = 0;
    int comma = 1;
    if (!npy_take(text, '{')) return npy_fail(text, "{");
    while (!npy_take(text, '}')) {
        const char *key = NULL;
        size_t length = 0;
        if (!comma) return npy_fail(text, "a comma or }");
        LAE_TRY(npy_string(text, "a key", &key, &length));
        unsigned which = 0;
        while (which < 3 && !npy_equal(key, length, keys[which])) which++;
        if (which == 3 || (seen & 1u << which)) {
            text->at -= length + 2;
            return npy_fail(text, "each of descr, fortran_order and shape once");
        }
        seen |= 1u << which;
        if (!npy_take(text, ':')) return npy_fail(text, "a colon");
        if (which == 0)
            LAE_TRY(npy_descr(text, array));
        else if (which == 1)
            LAE_TRY(npy_order(text, array));
        else
            LAE_TRY(npy_shape(text, array));
        comma = npy_take(text, ',');
    }
    if (seen != 7) {
        text->at--;
        return npy_fail(text, "descr, fortran_order and shape");
    }
    if (npy_peek(text) != -1) return npy_fail(text, "spaces to the end");
    if (text->bytes[text->end - 1] != '\n') {
        text->at = text->end - 1;
        return npy_fail(text, "a newline at the end");
    }
    return LSTMAE_OK;
}

lstmae_status lae_npy_parse(lae_array *array, const char *name, const unsigned char *prefix, size_t length)
{
    static const unsigned char magic[6] = { 0x93, 'N', 'U', 'M', 'P', 'Y' };
    *array = (lae_array){ .ndim = 0 };
    for (size_t i = 0; i < sizeof magic && i < length; i++)
        if (prefix[i] != magic[i])
            return LAE_FAIL(ERR_FORMAT, "%s: byte %zu: npy: expected %02x, got %02x", name, i, magic[i], prefix[i]);
    if (length < 10)
        return LAE_FAIL(ERR_FORMAT, "%s: byte %zu: npy: expected at least 10 bytes, got %zu", name, length, length);
    if (prefix[6] < 1 || prefix[6] > 3 || prefix[7] != 0)
        return LAE_FAIL(ERR_UNSUPPORTED, "%s: byte 6: npy: expected version 1.0, 2.0 or 3.0, got %d.%d", name,
                        prefix[6], prefix[7]);
    size_t start = prefix[6] == 1 ? 10 : 12;
    if (length < start)
        return LAE_FAIL(ERR_FORMAT, "%s: byte %zu: npy: expected at least 12 bytes, got %zu", name, length, length);
    uint32_t size = (uint32_t)prefix[8] | (uint32_t)prefix[9] << 8;
    if (start == 12) size |= (uint32_t)prefix[10] << 16 | (uint32_t)prefix[11] << 24;
    if (size > LAE_NPY_HEADER)
        return LAE_FAIL(ERR_FORMAT, "%s: byte 8: npy: expected a header of at most %d bytes, got %lu", name,
                        LAE_NPY_HEADER, (unsigned long)size);
    if (size > length - start)
        return LAE_FAIL(ERR_FORMAT, "%s: byte %zu: npy: expected a header of %lu bytes, got %zu", name, length,
                        (unsigned long)size, length - start);
    npy_text text = { name, prefix, start, start + size };
    LAE_TRY(npy_dict(&text, array));
    array->offset = text.end;
    if (!lae_array_measure(array))
        return LAE_FAIL(ERR_FORMAT, "%s: byte %zu: npy: expected a shape that fits in memory, got more", name, start);
    return LSTMAE_OK;
}
