/*
 * Loading an array file. Everything is checked before memory for the elements is taken: a plain file's length against
 * its header; a compressed file by decompressing it once into nowhere, so that what it claims was seen to arrive.
 */
#include "array.h"
#include "gzip.h"

static lstmae_status array_alloc(void **data, const lae_array *array, const char *path, lae_memory *memory)
{
    *data = lae_alloc(memory, array->bytes);
    return *data ? LSTMAE_OK : LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for %zu bytes", path, array->bytes);
}

static lstmae_status array_load_plain(lae_array *array, void **data, const lae_file *file, unsigned char *buffer,
                                      size_t length, lae_memory *memory)
{
    LAE_TRY(lae_array_parse(array, file->path, buffer, length));
    LAE_TRY(lae_array_check_size(array, file->path, file->size));
    LAE_TRY(array_alloc(data, array, file->path, memory));
    return lae_file_read(file, array->offset, *data, array->bytes);
}

/* First pass: understand the header and count the content, no further than it should go, through `buffer`. */
static lstmae_status array_measure_gzip(lae_array *array, lae_gzip *gzip, const lae_file *file, unsigned char *buffer)
{
    size_t got = 0;
    LAE_TRY(lae_gzip_read(gzip, buffer, LAE_ARRAY_PREFIX, &got));
    uint64_t content = got;
    LAE_TRY(lae_array_parse(array, file->path, buffer, got));
    uint64_t expected = (uint64_t)array->offset + array->bytes;
    while (got > 0 && content <= expected) {
        LAE_TRY(lae_gzip_read(gzip, buffer, LAE_ARRAY_PREFIX, &got));
        content += got;
    }
    return lae_array_check_size(array, file->path, content);
}

/* Second pass: the file is what the first pass saw, unless someone is writing to it. */
static lstmae_status array_read_gzip(const lae_array *array, void *data, lae_gzip *gzip, const lae_file *file,
                                     unsigned char *buffer)
{
    size_t front = 0, got = 0, more = 0;
    LAE_TRY(lae_gzip_read(gzip, buffer, array->offset, &front));
    LAE_TRY(lae_gzip_read(gzip, data, array->bytes, &got));
    LAE_TRY(lae_gzip_read(gzip, buffer, 1, &more)); /* reaches the end and with it the checksum */
    if (front == array->offset && got == array->bytes && more == 0) return LSTMAE_OK;
    return LAE_FAIL(ERR_IO, "%s: the file changed while it was read", file->path);
}

static lstmae_status array_load_gzip(lae_array *array, void **data, const lae_file *file, unsigned char *buffer,
                                     lae_memory *memory)
{
    lae_gzip *gzip = NULL;
    LAE_TRY(lae_gzip_open(&gzip, file, memory));
    lstmae_status status = array_measure_gzip(array, gzip, file, buffer);
    lae_gzip_close(gzip);
    if (status < 0) return status;
    LAE_TRY(lae_gzip_open(&gzip, file, memory));
    status = array_alloc(data, array, file->path, memory);
    if (status == LSTMAE_OK) status = array_read_gzip(array, *data, gzip, file, buffer);
    lae_gzip_close(gzip);
    return status;
}

lstmae_status lae_array_load(lae_array *array, void **data, const char *path, lae_memory *memory)
{
    unsigned char buffer[LAE_ARRAY_PREFIX];
    lae_file file = LAE_FILE_CLOSED;
    *data = NULL;
    LAE_TRY(lae_file_open(&file, path));
    size_t length = file.size < sizeof buffer ? (size_t)file.size : sizeof buffer;
    lstmae_status status = lae_file_read(&file, 0, buffer, length);
    if (status == LSTMAE_OK && lae_gzip_is(buffer, length))
        status = array_load_gzip(array, data, &file, buffer, memory);
    else if (status == LSTMAE_OK)
        status = array_load_plain(array, data, &file, buffer, length, memory);
    lae_file_close(&file);
    if (status < 0 && *data) {
        lae_free(memory, *data, array->bytes);
        *data = NULL;
    }
    return status;
}
