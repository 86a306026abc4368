/* A file table in which every file is the same bytes in memory. */
#ifndef LAE_FUZZ_MEMORY_FILE_H
#define LAE_FUZZ_MEMORY_FILE_H

#include "io.h"

#include <string.h>

static const uint8_t *memory_file_bytes;
static size_t memory_file_size;

static int memory_file_open(const char *path, int flags, unsigned mode)
{
    (void)path;
    (void)flags;
    (void)mode;
    return 1000;
}

static int memory_file_info(int fd, lae_io_info *info)
{
    (void)fd;
    *info = (lae_io_info){ memory_file_size, 1 };
    return 0;
}

static ssize_t memory_file_read(int fd, void *buffer, size_t bytes, uint64_t offset)
{
    (void)fd;
    if (offset >= memory_file_size) return 0;
    if (bytes > memory_file_size - offset) bytes = memory_file_size - (size_t)offset;
    memcpy(buffer, memory_file_bytes + offset, bytes);
    return (ssize_t)bytes;
}

static int memory_file_close(int fd)
{
    (void)fd;
    return 0;
}

/** From here on files are `bytes`, which are borrowed; writing is not expected. */
static void memory_file_begin(const uint8_t *bytes, size_t size)
{
    static const lae_io table = { .open = memory_file_open,
                                  .info = memory_file_info,
                                  .read = memory_file_read,
                                  .close = memory_file_close };
    memory_file_bytes = bytes;
    memory_file_size = size;
    lae_io_swap(&table);
}

static void memory_file_end(void)
{
    lae_io_swap(NULL);
}

#endif
