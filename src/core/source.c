#include "source.h"

#include <string.h>

lstmae_status lae_source_open(lae_source *source, const char *path, lae_memory *memory)
{
    unsigned char front[2];
    *source = (lae_source)LAE_SOURCE_CLOSED;
    source->name = path;
    source->memory = memory;
    LAE_TRY(lae_file_open(&source->file, path));
    source->size = source->file.size;
    size_t length = source->size < sizeof front ? (size_t)source->size : sizeof front;
    lstmae_status status = lae_file_read(&source->file, 0, front, length);
    if (status == LSTMAE_OK && lae_gzip_is(front, length)) status = lae_gzip_open(&source->gzip, &source->file, memory);
    if (status < 0) lae_source_close(source);
    return status;
}

lstmae_status lae_source_memory(lae_source *source, const char *name, const void *bytes, size_t size,
                                lae_memory *memory)
{
    *source = (lae_source)LAE_SOURCE_CLOSED;
    if (lae_gzip_is(bytes, size))
        return LAE_FAIL(ERR_UNSUPPORTED, "%s: expected content that is not compressed, got gzip", name);
    source->name = name;
    source->memory = memory;
    source->bytes = bytes;
    source->size = size;
    return LSTMAE_OK;
}

lstmae_status lae_source_read(lae_source *source, void *buffer, size_t bytes, size_t *got)
{
    if (source->gzip) return lae_gzip_read(source->gzip, buffer, bytes, got);
    uint64_t left = source->size - source->at;
    *got = left < bytes ? (size_t)left : bytes;
    if (*got == 0) return LSTMAE_OK;
    if (source->bytes)
        memcpy(buffer, source->bytes + source->at, *got);
    else
        LAE_TRY(lae_file_read(&source->file, source->at, buffer, *got));
    source->at += *got;
    return LSTMAE_OK;
}

lstmae_status lae_source_rewind(lae_source *source)
{
    source->at = 0;
    if (!source->gzip) return LSTMAE_OK;
    lae_gzip_close(source->gzip);
    source->gzip = NULL;
    return lae_gzip_open(&source->gzip, &source->file, source->memory);
}

void lae_source_close(lae_source *source)
{
    lae_gzip_close(source->gzip);
    lae_file_close(&source->file);
    *source = (lae_source)LAE_SOURCE_CLOSED;
}
