#include "protobuf.h"

#include <string.h>

enum { PROTO_VARINT = 0, PROTO_FIXED64 = 1, PROTO_LENGTH = 2, PROTO_FIXED32 = 5 };

#define PROTO_VARINT_BYTES 10

/* Seven bits a byte, the lowest first; the top bit says that more follow. */
static size_t proto_varint(unsigned char *out, uint64_t value)
{
    size_t count = 0;
    do {
        out[count] = (unsigned char)((value & 127) | (value > 127 ? 128 : 0));
        value >>= 7;
        count++;
    } while (value > 0);
    return count;
}

static void proto_put(lae_bytes *out, uint64_t value)
{
    unsigned char bytes[PROTO_VARINT_BYTES];
    lae_bytes_put(out, bytes, proto_varint(bytes, value));
}

static void proto_key(lae_bytes *out, int field, int type)
{
    proto_put(out, (uint64_t)field << 3 | (uint64_t)type);
}

void lae_proto_int(lae_bytes *out, int field, int64_t value)
{
    proto_key(out, field, PROTO_VARINT);
    proto_put(out, (uint64_t)value);
}

void lae_proto_float(lae_bytes *out, int field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    proto_key(out, field, PROTO_FIXED32);
    lae_bytes_little(out, bits, 4);
}

static void proto_double(lae_bytes *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    lae_bytes_little(out, bits, 8);
}

void lae_proto_double(lae_bytes *out, int field, double value)
{
    proto_key(out, field, PROTO_FIXED64);
    proto_double(out, value);
}

void lae_proto_string(lae_bytes *out, int field, const char *text)
{
    size_t length = strlen(text);
    proto_key(out, field, PROTO_LENGTH);
    proto_put(out, length);
    lae_bytes_put(out, text, length);
}

void lae_proto_doubles(lae_bytes *out, int field, const double *values, size_t count)
{
    proto_key(out, field, PROTO_LENGTH);
    proto_put(out, count * sizeof *values);
    for (size_t i = 0; i < count; i++) proto_double(out, values[i]);
}

size_t lae_proto_begin(lae_bytes *out, int field)
{
    proto_key(out, field, PROTO_LENGTH);
    return out->size;
}

/* The length goes before the content, which makes room for it. */
void lae_proto_end(lae_bytes *out, size_t begin)
{
    unsigned char length[PROTO_VARINT_BYTES];
    size_t content = out->size - begin, count = proto_varint(length, content);
    if (!lae_bytes_extend(out, count)) return;
    memmove(out->data + begin + count, out->data + begin, content);
    memcpy(out->data + begin, length, count);
}
