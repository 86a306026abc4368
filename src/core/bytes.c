#include "bytes.h"

#include "size.h"

#include <stdio.h>
#include <string.h>

#define BYTES_LEAST 256

static int bytes_grow(lae_bytes *bytes, size_t size)
{
    size_t room = bytes->room < BYTES_LEAST ? BYTES_LEAST : bytes->room;
    while (room < size)
        if (!lae_mul_size(&room, room, 2)) return 0;
    unsigned char *data = lae_alloc(bytes->memory, room);
    if (!data) return 0;
    if (bytes->size > 0) memcpy(data, bytes->data, bytes->size);
    lae_free(bytes->memory, bytes->data, bytes->room);
    bytes->data = data;
    bytes->room = room;
    return 1;
}

unsigned char *lae_bytes_extend(lae_bytes *bytes, size_t count)
{
    size_t size;
    if (bytes->failed) return NULL;
    if (!lae_add_size(&size, bytes->size, count) || (size > bytes->room && !bytes_grow(bytes, size))) {
        bytes->failed = 1;
        return NULL;
    }
    unsigned char *end = bytes->data + bytes->size;
    bytes->size = size;
    return end;
}

void lae_bytes_put(lae_bytes *bytes, const void *data, size_t count)
{
    if (count == 0) return;
    unsigned char *to = lae_bytes_extend(bytes, count);
    if (to) memcpy(to, data, count);
}

void lae_bytes_text(lae_bytes *bytes, const char *text)
{
    lae_bytes_put(bytes, text, strlen(text));
}

/* What the C library prints between the digits differs from locale to locale, and may be several bytes. */
void lae_bytes_real(lae_bytes *bytes, double value, int digits)
{
    char text[64], point[64];
    size_t used = 0;
    int inside = 0;
    snprintf(text, sizeof text, "%.*g", digits, value);
    for (const char *c = text; *c; c++) {
        if (strchr("0123456789+-e", *c)) {
            point[used++] = *c;
            inside = 0;
        } else if (!inside) {
            point[used++] = '.';
            inside = 1;
        }
    }
    lae_bytes_put(bytes, point, used);
}

void lae_bytes_little(lae_bytes *bytes, uint64_t value, int count)
{
    unsigned char number[8];
    for (int i = 0; i < count; i++) number[i] = (unsigned char)(value >> (8 * i));
    lae_bytes_put(bytes, number, (size_t)count);
}

void lae_bytes_big(lae_bytes *bytes, uint64_t value, int count)
{
    unsigned char number[8];
    for (int i = 0; i < count; i++) number[i] = (unsigned char)(value >> (8 * (count - 1 - i)));
    lae_bytes_put(bytes, number, (size_t)count);
}

void lae_bytes_drop(lae_bytes *bytes, size_t count)
{
    bytes->size -= count;
    if (count > 0 && bytes->size > 0) memmove(bytes->data, bytes->data + count, bytes->size);
}

void lae_bytes_cut(lae_bytes *bytes, size_t size)
{
    bytes->size = size;
    bytes->failed = 0;
}

lstmae_status lae_bytes_status(const lae_bytes *bytes, const char *name)
{
    if (!bytes->failed) return LSTMAE_OK;
    return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for more than %zu bytes", name, bytes->room);
}

void lae_bytes_free(lae_bytes *bytes)
{
    lae_free(bytes->memory, bytes->data, bytes->room);
    *bytes = (lae_bytes)LAE_BYTES_OF(bytes->memory);
}
