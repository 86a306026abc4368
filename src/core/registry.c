#include "registry.h"

#include "plugin.h"

#include "shared/builtin_backends.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const lstmae_host registry_host = { sizeof(lstmae_host), LSTMAE_BACKEND_ABI, lae_fail, lae_log };

const lstmae_host *lae_registry_host(void)
{
    return &registry_host;
}

/* Plugins that loaded; a failure is not remembered, so that a driver may appear later. */
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static const lstmae_backend_api *registry_cuda;

static lstmae_status registry_plugin(const char *name, const lstmae_backend_api **out)
{
    lstmae_status status = LSTMAE_OK;
    pthread_mutex_lock(&registry_lock);
    if (!registry_cuda) status = lae_plugin_load(name, &registry_host, &registry_cuda);
    *out = registry_cuda;
    pthread_mutex_unlock(&registry_lock);
    return status;
}

const lstmae_backend_api *lae_registry_find(const char *name)
{
    const lstmae_backend_api *api = NULL;
    if (strcmp(name, "cpu") == 0) return lae_backend_cpu(&registry_host);
    if (strcmp(name, "cpu:ref") == 0) return lae_backend_cpu_ref(&registry_host);
    if (strcmp(name, "cuda") == 0 && registry_plugin(name, &api) == LSTMAE_OK) return api;
    return NULL;
}

static lstmae_status registry_cuda_device(const char *device, const lstmae_backend_api **api, int *index, char *name,
                                          size_t name_size)
{
    int number = 0;
    const char *digits = device + strlen("cuda");
    if (*digits == ':') {
        digits++;
        if (*digits == '\0' || strlen(digits) > 4 || strspn(digits, "0123456789") != strlen(digits))
            return LAE_FAIL(ERR_NOT_FOUND, "device \"%s\": expected cuda or cuda:N", device);
        for (; *digits; digits++) number = number * 10 + (*digits - '0');
    } else if (*digits != '\0') {
        return LAE_FAIL(ERR_NOT_FOUND, "device \"%s\": expected cuda or cuda:N", device);
    }
    LAE_TRY(registry_plugin("cuda", api));
    int count = (*api)->device_count();
    if (number >= count) return LAE_FAIL(ERR_NOT_FOUND, "device \"%s\": there are %d CUDA devices", device, count);
    *index = number;
    snprintf(name, name_size, "cuda:%d", number);
    return LSTMAE_OK;
}

lstmae_status lae_registry_resolve(const char *device, const lstmae_backend_api **api, int *index, char *name,
                                   size_t name_size)
{
    if (!device || strcmp(device, "auto") == 0) {
        if (registry_cuda_device("cuda", api, index, name, name_size) == LSTMAE_OK) return LSTMAE_OK;
        lae_log(LSTMAE_LOG_INFO, "auto: using cpu (%s)", lstmae_last_error());
        device = "cpu";
    }
    if (strncmp(device, "cuda", 4) == 0) return registry_cuda_device(device, api, index, name, name_size);
    if (strcmp(device, "cpu") != 0 && strcmp(device, "cpu:ref") != 0)
        return LAE_FAIL(ERR_NOT_FOUND, "device \"%s\": expected auto, cpu, cpu:ref, cuda or cuda:N", device);
    *api = lae_registry_find(device);
    *index = 0;
    snprintf(name, name_size, "%s", device);
    return LSTMAE_OK;
}

int lstmae_device_count(void)
{
    const lstmae_backend_api *cuda = lae_registry_find("cuda");
    return 2 + (cuda ? cuda->device_count() : 0);
}

lstmae_status lstmae_device_query(lstmae_device_info *info, int index)
{
    if (!info) return LAE_FAIL(ERR_INVALID_ARG, "device_query: info is NULL");
    if (index < 0 || index >= lstmae_device_count())
        return LAE_FAIL(ERR_NOT_FOUND, "device_query: index %d, there are %d devices", index, lstmae_device_count());
    const lstmae_backend_api *api = lae_registry_find(index == 0 ? "cpu" : index == 1 ? "cpu:ref" : "cuda");
    return api->device_info(index < 2 ? 0 : index - 2, info);
}
