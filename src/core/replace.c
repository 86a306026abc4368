#include "replace.h"

#include "crc32c.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REPLACE_MODE 0644

/* Removing may fail too; what the caller reports is the failure before it. */
static void replace_unlink(const char *path)
{
    char text[512];
    snprintf(text, sizeof text, "%s", lstmae_last_error());
    if (lae_file_unlink(path) < 0) (void)lae_fail(LSTMAE_ERR_IO, "%s", text);
}

static uint32_t replace_host(void)
{
    char name[256] = { 0 };
    (void)gethostname(name, sizeof name - 1);
    return lae_crc32c(0, name, strlen(name));
}

/* Reads a decimal number up to `end`; -1 if that is not what is there. */
static long replace_number(const char **text, char end)
{
    long value = 0;
    const char *start = *text;
    while (**text >= '0' && **text <= '9' && value < INT_MAX / 10) value = value * 10 + (*(*text)++ - '0');
    if (*text == start || **text != end) return -1;
    *text += end != '\0';
    return value;
}

/* 1 if `name` is a temporary file for `base` that this host's process `pid` left: it ended, or it is this one. */
static int replace_is_stale(const char *name, const char *base, uint32_t host)
{
    char begin[NAME_MAX + 32];
    int length = snprintf(begin, sizeof begin, "%s.tmp-%08x-", base, host);
    if (length < 0 || (size_t)length >= sizeof begin || strncmp(name, begin, (size_t)length) != 0) return 0;
    const char *rest = name + length;
    long pid = replace_number(&rest, '-');
    if (pid <= 0 || replace_number(&rest, '\0') < 0) return 0;
    return pid == (long)getpid() || (kill((pid_t)pid, 0) != 0 && errno == ESRCH);
}

/* Best effort: a directory that cannot be listed keeps what it has. */
static void replace_clean(const char *path, uint32_t host)
{
    char stale[PATH_MAX], directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    int length = (int)(base - path);
    snprintf(directory, sizeof directory, "%.*s", length > 0 ? length : 2, length > 0 ? path : "./");
    DIR *listing = opendir(directory);
    if (!listing) return;
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (!replace_is_stale(entry->d_name, base, host)) continue;
        if (snprintf(stale, sizeof stale, "%.*s%s", length, path, entry->d_name) < (int)sizeof stale)
            replace_unlink(stale);
    }
    closedir(listing);
}

/* A device or directory at `path` must not be replaced. */
static lstmae_status replace_check(const char *path)
{
    lae_file old;
    lstmae_status status = lae_file_open(&old, path);
    lae_file_close(&old);
    return status == LSTMAE_ERR_NOT_FOUND ? LSTMAE_OK : status;
}

lstmae_status lae_replace_begin(lae_replacement *replacement, const char *path)
{
    static atomic_uint count;
    replacement->file = (lae_file)LAE_FILE_CLOSED;
    replacement->path = path;
    uint32_t host = replace_host();
    int length = snprintf(replacement->temporary, sizeof replacement->temporary, "%s.tmp-%08x-%ld-%u", path, host,
                          (long)getpid(), atomic_fetch_add(&count, 1) % 1000000);
    if (length < 0 || (size_t)length >= sizeof replacement->temporary)
        return LAE_FAIL(ERR_IO, "%.64s...: path is longer than %d bytes", path, PATH_MAX);
    LAE_TRY(replace_check(path));
    replace_clean(path, host);
    return lae_file_create(&replacement->file, replacement->temporary, REPLACE_MODE);
}

lstmae_status lae_replace_commit(lae_replacement *replacement)
{
    lstmae_status status = lae_file_sync(&replacement->file);
    if (status < 0) goto failed;
    status = lae_file_finish(&replacement->file);
    if (status == LSTMAE_OK) status = lae_file_rename(replacement->temporary, replacement->path);
    if (status < 0) goto failed;
    return lae_file_sync_directory(replacement->path);

failed:
    lae_file_close(&replacement->file);
    replace_unlink(replacement->temporary);
    return status;
}

void lae_replace_abort(lae_replacement *replacement)
{
    if (replacement->file.fd < 0) return;
    lae_file_close(&replacement->file);
    replace_unlink(replacement->temporary);
}

lstmae_status lae_replace_content(const char *path, const void *data, size_t size)
{
    lae_replacement replacement;
    LAE_TRY(lae_replace_begin(&replacement, path));
    lstmae_status status = lae_file_write(&replacement.file, data, size);
    if (status == LSTMAE_OK) return lae_replace_commit(&replacement);
    lae_replace_abort(&replacement);
    return status;
}
