#include "faults.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int test_fault_now(test_fault *fault)
{
    long use = ++fault->uses;
    return fault->at > 0 && (use == fault->at || (fault->keep && use > fault->at));
}

/* The loader allocates nothing on its thread, but a context may be used by several. */
static pthread_mutex_t heap_lock = PTHREAD_MUTEX_INITIALIZER;

void *test_heap_alloc(size_t bytes, size_t alignment, void *payload)
{
    test_heap *heap = payload;
    void *ptr = NULL;
    pthread_mutex_lock(&heap_lock);
    if (bytes > heap->largest) heap->largest = bytes;
    if (!test_fault_now(&heap->fault) && posix_memalign(&ptr, alignment, bytes) == 0) {
        heap->live++;
        heap->bytes += bytes;
        if (heap->bytes > heap->peak) heap->peak = heap->bytes;
    }
    pthread_mutex_unlock(&heap_lock);
    return ptr;
}

void test_heap_free(void *ptr, size_t bytes, void *payload)
{
    test_heap *heap = payload;
    pthread_mutex_lock(&heap_lock);
    heap->live--;
    heap->bytes -= bytes;
    pthread_mutex_unlock(&heap_lock);
    free(ptr);
}

lstmae_status test_heap_context(lstmae_context **out, test_heap *heap)
{
    lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
    options.alloc = test_heap_alloc;
    options.release = test_heap_free;
    options.alloc_payload = heap;
    options.threads = 1;
    return lstmae_context_create(out, "cpu:ref", &options);
}

test_io_state test_io;

static int io_fails(void)
{
    if (test_io.mode != TEST_IO_ERROR || !test_fault_now(&test_io.fault)) return 0;
    errno = test_io.code;
    return 1;
}

static size_t io_room(size_t bytes)
{
    if (test_io.mode != TEST_IO_SHORT || bytes == 0) return bytes;
    return test_fault_now(&test_io.fault) ? 1 : bytes;
}

static int io_open(const char *path, int flags, unsigned mode)
{
    int fd = io_fails() ? -1 : lae_io_system.open(path, flags, mode);
    if (fd >= 0) test_io.open++;
    return fd;
}

static int io_info(int fd, lae_io_info *info)
{
    return io_fails() ? -1 : lae_io_system.info(fd, info);
}

static ssize_t io_read(int fd, void *buffer, size_t bytes, uint64_t offset)
{
    return io_fails() ? -1 : lae_io_system.read(fd, buffer, io_room(bytes), offset);
}

static ssize_t io_write(int fd, const void *buffer, size_t bytes)
{
    return io_fails() ? -1 : lae_io_system.write(fd, buffer, io_room(bytes));
}

static int io_sync(int fd)
{
    return io_fails() ? -1 : lae_io_system.sync(fd);
}

/* A failing close closes all the same. */
static int io_close(int fd)
{
    int fails = io_fails(), code = errno;
    test_io.open--;
    if (lae_io_system.close(fd) != 0) return -1;
    errno = code;
    return fails ? -1 : 0;
}

static int io_rename(const char *from, const char *to)
{
    return io_fails() ? -1 : lae_io_system.rename(from, to);
}

static int io_unlink(const char *path)
{
    return io_fails() ? -1 : lae_io_system.unlink(path);
}

static int io_make_directory(const char *path, unsigned mode)
{
    return io_fails() ? -1 : lae_io_system.make_directory(path, mode);
}

const lae_io test_io_table = { io_open,  io_info,   io_read,   io_write,         io_sync,
                               io_close, io_rename, io_unlink, io_make_directory };

static char path_directory[64];
static char path_text[PATH_MAX];
static pid_t path_owner;

static void path_remove(void)
{
    if (path_owner != getpid()) return;
    DIR *directory = opendir(path_directory);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        (void)unlink(test_path(entry->d_name));
    }
    if (directory) closedir(directory);
    (void)rmdir(path_directory);
}

const char *test_path(const char *name)
{
    if (path_directory[0] == '\0') {
        snprintf(path_directory, sizeof path_directory, "/tmp/lstmae-test-XXXXXX");
        assert_non_null(mkdtemp(path_directory));
        path_owner = getpid();
        atexit(path_remove);
    }
    snprintf(path_text, sizeof path_text, "%s/%s", path_directory, name);
    return path_text;
}

const char *test_file(const char *name, const void *bytes, size_t length)
{
    FILE *file = fopen(test_path(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    return path_text;
}
