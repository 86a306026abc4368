#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often an interrupted call is repeated without progress before it counts as failed: no fault may hang us. */
#define IO_RETRIES 1000

static int system_open(const char *path, int flags, unsigned mode)
{
    return open(path, flags, (mode_t)mode);
}

static int system_info(int fd, lae_io_info *info)
{
    struct stat st;
    if (fstat(fd, &st) != 0) return -1;
    info->regular = S_ISREG(st.st_mode);
    info->size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
    return 0;
}

static ssize_t system_read(int fd, void *buffer, size_t bytes, uint64_t offset)
{
    if (offset > (uint64_t)INT64_MAX) {
        errno = EINVAL;
        return -1;
    }
    return pread(fd, buffer, bytes, (off_t)offset);
}

static ssize_t system_write(int fd, const void *buffer, size_t bytes)
{
    return write(fd, buffer, bytes);
}

static int system_sync(int fd)
{
    return fsync(fd);
}

static int system_close(int fd)
{
    return close(fd);
}

static int system_rename(const char *from, const char *to)
{
    return rename(from, to);
}

static int system_unlink(const char *path)
{
    return unlink(path);
}

static int system_make_directory(const char *path, unsigned mode)
{
    return mkdir(path, (mode_t)mode);
}

const lae_io lae_io_system = { system_open,  system_info,   system_read,   system_write,         system_sync,
                               system_close, system_rename, system_unlink, system_make_directory };

static _Atomic(const lae_io *) io_table = &lae_io_system;

const lae_io *lae_io_swap(const lae_io *table)
{
    return atomic_exchange(&io_table, table ? table : &lae_io_system);
}

static const lae_io *io_current(void)
{
    return atomic_load(&io_table);
}

/* "FILE: cannot DO: REASON", from errno as the failed call left it. */
static lstmae_status io_fail(const char *path, const char *what)
{
    int code = errno;
    char reason[128];
    if (strerror_r(code, reason, sizeof reason) != 0) snprintf(reason, sizeof reason, "error %d", code);
    if (code == ENOENT || code == ENOTDIR) return LAE_FAIL(ERR_NOT_FOUND, "%s: cannot %s: %s", path, what, reason);
    return LAE_FAIL(ERR_IO, "%s: cannot %s: %s", path, what, reason);
}

static int io_open(const char *path, int flags, unsigned mode)
{
    int fd = -1;
    for (int retry = 0; retry < IO_RETRIES; retry++) {
        fd = io_current()->open(path, flags | O_CLOEXEC, mode);
        if (fd >= 0 || errno != EINTR) break;
    }
    return fd;
}

static int io_sync(int fd)
{
    int result = -1;
    for (int retry = 0; retry < IO_RETRIES; retry++) {
        result = io_current()->sync(fd);
        if (result == 0 || errno != EINTR) break;
    }
    return result;
}

/* An interrupted close has closed the descriptor on Linux; repeating it could close another thread's. */
static int io_close(int fd)
{
    int result = io_current()->close(fd);
    return result != 0 && errno == EINTR ? 0 : result;
}

lstmae_status lae_file_open(lae_file *file, const char *path)
{
    lae_io_info info = { 0, 0 };
    *file = (lae_file)LAE_FILE_CLOSED;
    /* O_NONBLOCK: opening a pipe that nobody writes to must fail below, not wait. Regular files ignore it. */
    int fd = io_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0) return io_fail(path, "open");
    if (io_current()->info(fd, &info) != 0) {
        lstmae_status status = io_fail(path, "learn its size");
        (void)io_close(fd);
        return status;
    }
    if (!info.regular) {
        (void)io_close(fd);
        return LAE_FAIL(ERR_IO, "%s: expected a regular file", path);
    }
    *file = (lae_file){ fd, info.size, path };
    return LSTMAE_OK;
}

lstmae_status lae_file_read(const lae_file *file, uint64_t offset, void *buffer, size_t bytes)
{
    unsigned char *to = buffer;
    size_t done = 0;
    for (int retry = 0; done < bytes;) {
        size_t want = bytes - done < SSIZE_MAX ? bytes - done : SSIZE_MAX;
        ssize_t got = io_current()->read(file->fd, to + done, want, offset + done);
        if (got > 0) {
            done += (size_t)got;
            retry = 0;
        } else if (got == 0) {
            return LAE_FAIL(ERR_IO, "%s: expected %zu bytes at byte %llu, got %zu", file->path, bytes,
                            (unsigned long long)offset, done);
        } else if (errno != EINTR || ++retry >= IO_RETRIES) {
            return io_fail(file->path, "read");
        }
    }
    return LSTMAE_OK;
}

lstmae_status lae_file_create(lae_file *file, const char *path, unsigned mode)
{
    *file = (lae_file)LAE_FILE_CLOSED;
    int fd = io_open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY, mode);
    if (fd < 0) return io_fail(path, "create");
    *file = (lae_file){ fd, 0, path };
    return LSTMAE_OK;
}

lstmae_status lae_file_write(lae_file *file, const void *buffer, size_t bytes)
{
    const unsigned char *from = buffer;
    size_t done = 0;
    for (int retry = 0; done < bytes;) {
        size_t want = bytes - done < SSIZE_MAX ? bytes - done : SSIZE_MAX;
        ssize_t put = io_current()->write(file->fd, from + done, want);
        if (put > 0) {
            done += (size_t)put;
            file->size += (uint64_t)put;
            retry = 0;
        } else if (++retry >= IO_RETRIES || (put < 0 && errno != EINTR)) {
            if (put == 0) errno = EIO; /* a device that takes nothing and says nothing */
            return io_fail(file->path, "write");
        }
    }
    return LSTMAE_OK;
}

lstmae_status lae_file_sync(const lae_file *file)
{
    return io_sync(file->fd) == 0 ? LSTMAE_OK : io_fail(file->path, "sync");
}

lstmae_status lae_file_finish(lae_file *file)
{
    int fd = file->fd;
    file->fd = -1;
    return io_close(fd) == 0 ? LSTMAE_OK : io_fail(file->path, "close");
}

void lae_file_close(lae_file *file)
{
    if (file->fd < 0) return;
    int code = errno;
    (void)io_close(file->fd);
    file->fd = -1;
    errno = code;
}

lstmae_status lae_file_rename(const char *from, const char *to)
{
    return io_current()->rename(from, to) == 0 ? LSTMAE_OK : io_fail(to, "replace");
}

lstmae_status lae_file_unlink(const char *path)
{
    return io_current()->unlink(path) == 0 ? LSTMAE_OK : io_fail(path, "remove");
}

lstmae_status lae_directory_create(const char *path)
{
    char part[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof part) return LAE_FAIL(ERR_IO, "%.64s...: path is longer than %d bytes", path, PATH_MAX);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0') continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (io_current()->make_directory(part, 0777) != 0 && errno != EEXIST) return io_fail(part, "create");
    }
    return LSTMAE_OK;
}

lstmae_status lae_file_sync_directory(const char *path)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    if (length >= sizeof directory) return LAE_FAIL(ERR_IO, "%s: path is longer than %d bytes", path, PATH_MAX);
    if (!slash) {
        memcpy(directory, ".", 2);
    } else if (length == 0) {
        memcpy(directory, "/", 2);
    } else {
        memcpy(directory, path, length);
        directory[length] = '\0';
    }
    int fd = io_open(directory, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) return io_fail(directory, "open");
    lstmae_status status = io_sync(fd) == 0 ? LSTMAE_OK : io_fail(directory, "sync");
    if (io_close(fd) != 0 && status == LSTMAE_OK) status = io_fail(directory, "close");
    return status;
}
