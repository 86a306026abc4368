#include "saved.h"

#include "faults.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[256];

const char *saved_path(void)
{
    if (path[0] == '\0') snprintf(path, sizeof path, "%s", test_path("saved.safetensors"));
    return path;
}

/* Counts the files, removing them where asked. */
static int visit_files(int clear)
{
    char directory[256], file[600];
    int count = 0;
    snprintf(directory, sizeof directory, "%.*s", (int)(strrchr(saved_path(), '/') - path), path);
    const char *base = strrchr(path, '/') + 1;
    DIR *listing = opendir(directory);
    assert_non_null(listing);
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (strncmp(entry->d_name, base, strlen(base)) != 0) continue;
        count++;
        if (!clear) continue;
        snprintf(file, sizeof file, "%s/%s", directory, entry->d_name);
        assert_int_equal(unlink(file), 0);
    }
    closedir(listing);
    return count;
}

int saved_files(void)
{
    return visit_files(0);
}

void saved_clear(void)
{
    (void)visit_files(1);
}

lstmae_status saved_save(const trainee *t)
{
    lstmae_checkpoint content = trainee_content(t);
    return lstmae_checkpoint_save(saved_path(), &content);
}

lstmae_status saved_load(const trainee *t)
{
    lstmae_checkpoint content = trainee_content(t);
    return lstmae_checkpoint_load(saved_path(), &content);
}

uint32_t saved_assert(const trainee *scratch, uint32_t a, uint32_t b)
{
    assert_ok(saved_load(scratch));
    uint32_t hash = trainee_hash(scratch);
    assert_true(hash == a || hash == b);
    return hash;
}
