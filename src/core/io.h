/*
 * Files: every system call the library makes on a file goes through one table, so that tests can make any of them
 * fail. The lae_file functions above it deal with interruption and short transfers and word the errors.
 */
#ifndef LAE_IO_H
#define LAE_IO_H

#include "error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct lae_io_info {
    uint64_t size;
    int regular; /* 0: a directory, device, pipe or socket */
} lae_io_info;

/** The system calls: as in POSIX they return -1 and set errno. `read` takes the offset to read from. */
typedef struct lae_io {
    int (*open)(const char *path, int flags, unsigned mode);
    int (*info)(int fd, lae_io_info *info);
    ssize_t (*read)(int fd, void *buffer, size_t bytes, uint64_t offset);
    ssize_t (*write)(int fd, const void *buffer, size_t bytes);
    int (*sync)(int fd);
    int (*close)(int fd);
    int (*rename)(const char *from, const char *to);
    int (*unlink)(const char *path);
    int (*make_directory)(const char *path, unsigned mode);
} lae_io;

/** The operating system's calls, for tables that hand on what they do not fail. */
extern const lae_io lae_io_system;

/** Makes `table` (NULL: the system's) the one in use and returns the one before. For tests, while no file is open. */
const lae_io *lae_io_swap(const lae_io *table);

/**
 * An open file. `path` is borrowed and must outlive it; errors name it. A file that is not open has fd -1: start
 * from LAE_FILE_CLOSED, then lae_file_close() is right wherever a function leaves.
 */
typedef struct lae_file {
    int fd;
    uint64_t size; /* when it was opened */
    const char *path;
} lae_file;

#define LAE_FILE_CLOSED { -1, 0, NULL }

/**
 * Opens a regular file for reading and learns its size.
 * @return OK; ERR_NOT_FOUND; ERR_IO, also for anything that is not a regular file (without blocking on a pipe)
 */
lstmae_status lae_file_open(lae_file *file, const char *path);

/** Reads exactly `bytes` bytes at `offset`; fewer there is ERR_IO. */
lstmae_status lae_file_read(const lae_file *file, uint64_t offset, void *buffer, size_t bytes);

/** Creates a file for writing that must not exist yet (O_EXCL), with permissions `mode` less the umask. */
lstmae_status lae_file_create(lae_file *file, const char *path, unsigned mode);

/** Writes all of it at the end. After a failure file->size says how much of it is there. */
lstmae_status lae_file_write(lae_file *file, const void *buffer, size_t bytes);

/** fsync. After a failure the file's content is unknown: discard it, do not call again. */
lstmae_status lae_file_sync(const lae_file *file);

/** Closes a written file and reports errors that only closing shows. The file is closed in any case. */
lstmae_status lae_file_finish(lae_file *file);

/** Closes without a report; nothing for a file that is not open. Keeps errno and the error text. */
void lae_file_close(lae_file *file);

/** Replaces `to` by `from` in one step. */
lstmae_status lae_file_rename(const char *from, const char *to);

/** Removes a file; ERR_NOT_FOUND where there is none. */
lstmae_status lae_file_unlink(const char *path);

/** Creates a directory and those above it that are missing, with permissions 0777 less the umask. One that is there is
 * fine. */
lstmae_status lae_directory_create(const char *path);

/** fsync of the directory that holds `path`, which makes a rename there last through a power cut. */
lstmae_status lae_file_sync_directory(const char *path);

#endif
