/*
 * Replacing a file in one step: whoever opens it at any moment, after any failure or kill, finds the old content or the
 * new one, whole.
 *
 * The new content goes to "PATH.tmp-HOST-PID-N" in the same directory; then fsync, close, rename, fsync of the
 * directory. HOST is a checksum of the host's name and N counts within the process. What a process that no longer lives
 * has left there is removed at the next begin. A new file gets permissions 0644 less the umask. A symbolic link at PATH
 * to a regular file is itself replaced; anything else that is no regular file is refused.
 */
#ifndef LAE_REPLACE_H
#define LAE_REPLACE_H

#include "io.h"

#include <limits.h>

typedef struct lae_replacement {
    lae_file file;    /* write here */
    const char *path; /* borrowed */
    char temporary[PATH_MAX];
} lae_replacement;

/** @return OK; ERR_NOT_FOUND where the directory is missing; ERR_IO */
lstmae_status lae_replace_begin(lae_replacement *replacement, const char *path);

/** Puts the written file in place. After an error from the directory's fsync the new file is there, but may not survive
 *  a power cut; after any other the old one is there. */
lstmae_status lae_replace_commit(lae_replacement *replacement);

/** All of the above for content that is in memory. */
lstmae_status lae_replace_content(const char *path, const void *data, size_t size);

/** Drops what was written and keeps the error text. Nothing after a commit. */
void lae_replace_abort(lae_replacement *replacement);

#endif
