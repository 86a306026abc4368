#include "gzip.h"

int lae_gzip_is(const unsigned char *prefix, size_t length)
{
    return length >= 2 && prefix[0] == 0x1f && prefix[1] == 0x8b;
}

#ifdef LAE_HAVE_ZLIB

#include "zlib_memory.h"

#define GZIP_CHUNK 65536

struct lae_gzip {
    lae_memory *memory;
    const lae_file *file;
    uint64_t next; /* byte of the file to read next */
    int inside;    /* 0: between two gzip members */
    z_stream stream;
    unsigned char chunk[GZIP_CHUNK];
};

lstmae_status lae_gzip_open(lae_gzip **out, const lae_file *file, lae_memory *memory)
{
    *out = NULL;
    lae_gzip *gzip = lae_calloc(memory, 1, sizeof *gzip);
    if (!gzip) return LAE_FAIL(ERR_NO_MEMORY, "%s: gzip: no memory for %zu bytes", file->path, sizeof *gzip);
    gzip->memory = memory;
    gzip->file = file;
    gzip->inside = 1;
    lae_zlib_memory(&gzip->stream, memory);
    int code = inflateInit2(&gzip->stream, 16 + MAX_WBITS); /* 16: gzip, not zlib's own wrapping */
    if (code != Z_OK) {
        lae_free(memory, gzip, sizeof *gzip);
        if (code == Z_MEM_ERROR) return LAE_FAIL(ERR_NO_MEMORY, "%s: gzip: no memory for zlib", file->path);
        return LAE_FAIL(ERR_UNSUPPORTED, "%s: gzip: zlib %s does not work here", file->path, zlibVersion());
    }
    *out = gzip;
    return LSTMAE_OK;
}

void lae_gzip_close(lae_gzip *gzip)
{
    if (!gzip) return;
    (void)inflateEnd(&gzip->stream);
    lae_free(gzip->memory, gzip, sizeof *gzip);
}

/* Byte of the compressed file that zlib looks at next. */
static unsigned long long gzip_at(const lae_gzip *gzip)
{
    return (unsigned long long)(gzip->next - gzip->stream.avail_in);
}

/* Sees to it that there is input; *end is 1 where the file is used up. */
static lstmae_status gzip_fill(lae_gzip *gzip, int *end)
{
    uint64_t left = gzip->file->size - gzip->next;
    *end = 0;
    if (gzip->stream.avail_in > 0) return LSTMAE_OK;
    if (left == 0) {
        *end = 1;
        return LSTMAE_OK;
    }
    size_t bytes = left < GZIP_CHUNK ? (size_t)left : GZIP_CHUNK;
    LAE_TRY(lae_file_read(gzip->file, gzip->next, gzip->chunk, bytes));
    gzip->next += bytes;
    gzip->stream.next_in = gzip->chunk;
    gzip->stream.avail_in = (uInt)bytes;
    return LSTMAE_OK;
}

static lstmae_status gzip_inflate(lae_gzip *gzip)
{
    const char *path = gzip->file->path;
    unsigned long long at = gzip_at(gzip);
    if (!gzip->inside) {
        if (inflateReset(&gzip->stream) != Z_OK) return LAE_FAIL(ERR_INTERNAL, "%s: gzip: zlib lost its state", path);
        gzip->inside = 1;
    }
    int code = inflate(&gzip->stream, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {
        gzip->inside = 0;
    } else if (code == Z_MEM_ERROR) {
        return LAE_FAIL(ERR_NO_MEMORY, "%s: gzip: no memory for zlib", path);
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
        const char *why = gzip->stream.msg ? gzip->stream.msg : "not gzip data";
        return LAE_FAIL(ERR_FORMAT, "%s: byte %llu: gzip: expected intact data, got \"%s\"", path, at, why);
    }
    return LSTMAE_OK;
}

lstmae_status lae_gzip_read(lae_gzip *gzip, void *buffer, size_t bytes, size_t *got)
{
    unsigned char *to = buffer;
    *got = 0;
    while (*got < bytes) {
        int end = 0;
        LAE_TRY(gzip_fill(gzip, &end));
        if (end && !gzip->inside) return LSTMAE_OK;
        if (end)
            return LAE_FAIL(ERR_FORMAT, "%s: byte %llu: gzip: expected more data, got the end of the file",
                            gzip->file->path, gzip_at(gzip));
        size_t room = bytes - *got < GZIP_CHUNK ? bytes - *got : GZIP_CHUNK;
        gzip->stream.next_out = to + *got;
        gzip->stream.avail_out = (uInt)room;
        LAE_TRY(gzip_inflate(gzip));
        *got += room - gzip->stream.avail_out;
    }
    return LSTMAE_OK;
}

#else

lstmae_status lae_gzip_open(lae_gzip **out, const lae_file *file, lae_memory *memory)
{
    (void)memory;
    *out = NULL;
    return LAE_FAIL(ERR_UNSUPPORTED, "%s: gzip: this build has no zlib; decompress the file first", file->path);
}

lstmae_status lae_gzip_read(lae_gzip *gzip, void *buffer, size_t bytes, size_t *got)
{
    (void)gzip, (void)buffer, (void)bytes;
    *got = 0;
    return LAE_FAIL(ERR_INTERNAL, "gzip: this build has no zlib");
}

void lae_gzip_close(lae_gzip *gzip)
{
    (void)gzip;
}

#endif
