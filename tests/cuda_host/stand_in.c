#include "stand_in.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Functions come from dlsym as data pointers. */
static int stand_in_set(void *object, const char *name, void *function)
{
    void *found = dlsym(object, name);
    memcpy(function, &found, sizeof found);
    return found != NULL;
}

int stand_in_find(stand_in *in)
{
    char path[4096];
    const char *folder = getenv("LSTMAE_BACKEND_PATH");
    if (!folder) return 0;
    snprintf(path, sizeof path, "%s/liblstmae-cuda.so", folder);
    void *object = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    if (!object) return 0;
    const int found = stand_in_set(object, "lae_cuda_host_state_get", &in->state_get) &&
                      stand_in_set(object, "lae_cuda_host_fail_at", &in->fail_at) &&
                      stand_in_set(object, "lae_cuda_host_failed_call", &in->failed_call) &&
                      stand_in_set(object, "lae_cuda_host_reset", &in->reset) &&
                      stand_in_set(object, "lae_cuda_host_seed", &in->seed) &&
                      stand_in_set(object, "lae_cuda_host_log", &in->log) &&
                      stand_in_set(object, "lae_cuda_host_log_count", &in->log_count) &&
                      stand_in_set(object, "lae_cuda_host_log_get", &in->log_get);
    dlclose(object); /* the library keeps it */
    return found;
}
