#if !defined(_WIN32) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* dladdr */
#endif
#include "plugin.h"

#include <stdio.h>
#include <string.h>

#ifdef _WIN32

lstmae_status lae_plugin_load(const char *name, const lstmae_host *host, const lstmae_backend_api **out)
{
    (void)host;
    (void)out;
    return LAE_FAIL(ERR_UNSUPPORTED, "device %s: plugins are not supported on this system", name);
}

#else

#include <dlfcn.h>

#define PLUGIN_PATH_BYTES 1024

/* Directory of the object this code is in; of the program when linked statically. */
static lstmae_status plugin_path(const char *name, char *path, size_t size)
{
    Dl_info info;
    static const char anchor;
    if (!dladdr(&anchor, &info) || !info.dli_fname)
        return LAE_FAIL(ERR_UNSUPPORTED, "device %s: cannot tell where the library was loaded from", name);
    const char *slash = strrchr(info.dli_fname, '/');
    if (!slash)
        return LAE_FAIL(ERR_UNSUPPORTED, "device %s: no plugin directory beside \"%s\"", name, info.dli_fname);
    int length =
        snprintf(path, size, "%.*s/lstmae/liblstmae-%s.so", (int)(slash - info.dli_fname), info.dli_fname, name);
    if (length < 0 || (size_t)length >= size)
        return LAE_FAIL(ERR_UNSUPPORTED, "device %s: the plugin's path is longer than %zu bytes", name, size);
    return LSTMAE_OK;
}

lstmae_status lae_plugin_load(const char *name, const lstmae_host *host, const lstmae_backend_api **out)
{
    char path[PLUGIN_PATH_BYTES];
    LAE_TRY(plugin_path(name, path, sizeof path));
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object) return LAE_FAIL(ERR_UNSUPPORTED, "device %s: %s", name, dlerror());
    void *symbol = dlsym(object, LSTMAE_BACKEND_ENTRY);
    if (!symbol) return LAE_FAIL(ERR_ABI, "device %s: %s exports no " LSTMAE_BACKEND_ENTRY, name, path);
    lstmae_backend_entry_fn entry;
    memcpy(&entry, &symbol, sizeof entry);
    const lstmae_backend_api *api = entry(LSTMAE_BACKEND_ABI, host);
    if (!api) return LAE_FAIL(ERR_UNSUPPORTED, "device %s: %s finds no driver or device", name, path);
    if (api->abi != LSTMAE_BACKEND_ABI || api->struct_size < sizeof *api)
        return LAE_FAIL(ERR_ABI, "device %s: %s has table version %u of %u bytes, this library wants %d of %zu", name,
                        path, api->abi, api->struct_size, LSTMAE_BACKEND_ABI, sizeof *api);
    *out = api;
    return LSTMAE_OK;
}

#endif
