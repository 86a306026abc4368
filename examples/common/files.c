#include "files.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

int ex_path(char *out, size_t size, const char *folder, const char *name)
{
    int n = snprintf(out, size, "%s/%s", folder, name);
    return n >= 0 && (size_t)n < size ? 0 : ex_fail("%s/%s: the path is too long", folder, name);
}

int ex_folder(const char *path)
{
    char part[EX_PATH_SIZE];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof part) return ex_fail("'%s': not a folder's name", path);
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != '\0') continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST) return ex_fail("%s: cannot create: %s", part, strerror(errno));
    }
    struct stat info;
    if (stat(path, &info) != 0) return ex_fail("%s: %s", path, strerror(errno));
    if (!S_ISDIR(info.st_mode)) return ex_fail("%s: not a folder", path);
    if (access(path, W_OK | X_OK) != 0) return ex_fail("%s: cannot write there: %s", path, strerror(errno));
    return 0;
}

int ex_file_open(ex_file *file, const char *path)
{
    memset(file, 0, sizeof *file);
    if (strlen(path) >= sizeof file->path) return ex_fail("%s: the path is too long", path);
    snprintf(file->path, sizeof file->path, "%s", path);
    snprintf(file->temporary, sizeof file->temporary, "%s.%ld~", path, (long)getpid());
    file->stream = fopen(file->temporary, "wb");
    if (file->stream == NULL) return ex_fail("%s: cannot write: %s", path, strerror(errno));
    return 0;
}

int ex_file_commit(ex_file *file)
{
    int failed = ferror(file->stream);
    if (fclose(file->stream) != 0) failed = 1;
    file->stream = NULL;
    if (!failed && rename(file->temporary, file->path) == 0) return 0;
    ex_fail("%s: cannot write: %s", file->path, strerror(errno));
    unlink(file->temporary);
    return -1;
}

void ex_file_abandon(ex_file *file)
{
    if (file->stream != NULL) fclose(file->stream);
    file->stream = NULL;
    unlink(file->temporary);
}
