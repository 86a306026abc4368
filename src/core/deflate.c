#include "deflate.h"

#define DEFLATE_STORED 65535 /* bytes of a stored block, at most */
#define DEFLATE_ADLER 65521  /* the largest prime below 2^16 */
#define DEFLATE_SUMS 5552    /* bytes whose sums stay below 2^32 */

static uint32_t deflate_adler(const unsigned char *data, size_t size)
{
    uint32_t a = 1, b = 0;
    for (size_t i = 0; i < size;) {
        size_t end = size - i < DEFLATE_SUMS ? size : i + DEFLATE_SUMS;
        for (; i < end; i++) {
            a += data[i];
            b += a;
        }
        a %= DEFLATE_ADLER;
        b %= DEFLATE_ADLER;
    }
    return b << 16 | a;
}

/* 78 01, blocks of "last?", length, its complement, bytes; then the checksum. */
static void deflate_store(lae_bytes *out, const unsigned char *data, size_t size)
{
    size_t at = 0;
    lae_bytes_big(out, 0x7801, 2);
    do {
        size_t count = size - at < DEFLATE_STORED ? size - at : DEFLATE_STORED;
        lae_bytes_little(out, at + count == size, 1);
        lae_bytes_little(out, count, 2);
        lae_bytes_little(out, ~(uint64_t)count, 2);
        lae_bytes_put(out, data + at, count);
        at += count;
    } while (at < size);
    lae_bytes_big(out, deflate_adler(data, size), 4);
}

#ifdef LAE_HAVE_ZLIB

#include "zlib_memory.h"

#define DEFLATE_CHUNK 65536

int lae_deflate_level(void)
{
    return 6;
}

static int deflate_pack(lae_bytes *out, z_stream *stream, const unsigned char *data, size_t size)
{
    int code = Z_OK;
    while (code == Z_OK) {
        size_t count = size < DEFLATE_CHUNK ? size : DEFLATE_CHUNK;
        unsigned char chunk[DEFLATE_CHUNK / 16];
        if (stream->avail_in == 0) {
            stream->next_in = (Bytef *)(uintptr_t)data;
            stream->avail_in = (uInt)count;
            data += count;
            size -= count;
        }
        stream->next_out = chunk;
        stream->avail_out = sizeof chunk;
        code = deflate(stream, size == 0 ? Z_FINISH : Z_NO_FLUSH);
        lae_bytes_put(out, chunk, sizeof chunk - stream->avail_out);
    }
    return code == Z_STREAM_END;
}

void lae_deflate(lae_bytes *out, const unsigned char *data, size_t size, int level)
{
    z_stream stream = { 0 };
    if (level == 0) {
        deflate_store(out, data, size);
        return;
    }
    lae_zlib_memory(&stream, out->memory);
    if (deflateInit(&stream, level) != Z_OK) {
        out->failed = 1;
        return;
    }
    if (!deflate_pack(out, &stream, data, size)) out->failed = 1;
    (void)deflateEnd(&stream);
}

#else

int lae_deflate_level(void)
{
    return 0;
}

void lae_deflate(lae_bytes *out, const unsigned char *data, size_t size, int level)
{
    (void)level;
    deflate_store(out, data, size);
}

#endif
