#include "names.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "files.h"
#include "report.h"

static int names_end(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);
    if (n < m) return 0;
    for (size_t i = 0; i < m; i++) {
        if (tolower((unsigned char)name[n - m + i]) != tolower((unsigned char)ending[i])) return 0;
    }
    return 1;
}

static int names_put(ex_names *names, const char *path)
{
    char **grown = realloc(names->paths, (names->count + 1) * sizeof *grown);
    if (grown == NULL) return ex_fail("out of memory for %zu names", names->count + 1);
    names->paths = grown;
    size_t size = strlen(path) + 1;
    char *copy = malloc(size);
    if (copy == NULL) return ex_fail("out of memory for %zu names", names->count + 1);
    memcpy(copy, path, size);
    names->paths[names->count++] = copy;
    return 0;
}

static int names_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int ex_names_add(ex_names *names, const char *folder, int kind, const char *ending)
{
    size_t before = names->count;
    int result = 0;
    DIR *listing = opendir(folder);
    if (listing == NULL) return ex_fail("%s: cannot open: %s", folder, strerror(errno));
    for (const struct dirent *entry; result == 0 && (entry = readdir(listing)) != NULL;) {
        char path[EX_PATH_SIZE];
        struct stat info;
        if (entry->d_name[0] == '.' || !names_end(entry->d_name, ending)) continue;
        result = ex_path(path, sizeof path, folder, entry->d_name);
        if (result != 0 || stat(path, &info) != 0) continue;
        if (kind == EX_NAMES_FOLDERS ? S_ISDIR(info.st_mode) : S_ISREG(info.st_mode)) result = names_put(names, path);
    }
    closedir(listing);
    if (names->count > before)
        qsort(names->paths + before, names->count - before, sizeof *names->paths, names_compare);
    return result;
}

int ex_names_remove(const char *folder, const char *beginning)
{
    struct stat info;
    ex_names files = {NULL, 0};
    if (stat(folder, &info) != 0) return 0;
    int result = ex_names_add(&files, folder, EX_NAMES_FILES, "");
    for (size_t i = 0; result == 0 && i < files.count; i++) {
        const char *path = files.paths[i];
        if (strncmp(ex_name(path), beginning, strlen(beginning)) != 0) continue;
        if (remove(path) != 0) result = ex_fail("%s: cannot remove: %s", path, strerror(errno));
    }
    ex_names_free(&files);
    return result;
}

const char *ex_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

void ex_names_free(ex_names *names)
{
    for (size_t i = 0; i < names->count; i++) free(names->paths[i]);
    free(names->paths);
    names->paths = NULL;
    names->count = 0;
}
