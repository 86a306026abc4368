#include "stand_in.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Functions come from dlsym as data pointers. */
static void stand_in_set(void *object, const char *name, void *function)
{
    void *found = dlsym(object, name);
    if (!found) exit(77);
    memcpy(function, &found, sizeof found);
}

stand_in stand_in_find(void)
{
    stand_in found;
    char path[4096];
    const char *folder = getenv("LSTMAE_BACKEND_PATH");
    if (!folder) exit(77);
    snprintf(path, sizeof path, "%s/liblstmae-cuda.so", folder);
    void *object = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    if (!object) exit(77);
    stand_in_set(object, "lae_cuda_host_state_get", &found.state_get);
    stand_in_set(object, "lae_cuda_host_fail_at", &found.fail_at);
    stand_in_set(object, "lae_cuda_host_failed_call", &found.failed_call);
    stand_in_set(object, "lae_cuda_host_reset", &found.reset);
    stand_in_set(object, "lae_cuda_host_seed", &found.seed);
    stand_in_set(object, "lae_cuda_host_log", &found.log);
    stand_in_set(object, "lae_cuda_host_log_count", &found.log_count);
    stand_in_set(object, "lae_cuda_host_log_get", &found.log_get);
    dlclose(object); /* the library keeps it */
    return found;
}
