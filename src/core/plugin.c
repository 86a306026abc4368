#if !defined(_WIN32) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* dladdr, secure_getenv */
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
#include <stdlib.h>
#include <unistd.h>

#define PLUGIN_PATH_BYTES 1024
#define PLUGIN_FOLDERS 3

/* secure_getenv() where there is one: a program with more rights than its user takes no folder from them. */
static const char *plugin_environment(void)
{
#ifdef __GLIBC__
    return secure_getenv("LSTMAE_BACKEND_PATH");
#else
    return geteuid() == getuid() && getegid() == getgid() ? getenv("LSTMAE_BACKEND_PATH") : NULL;
#endif
}

/* Folder of the object this code is in, of the program when linked statically; its length. */
static size_t plugin_home(const char **folder)
{
    Dl_info info;
    static const char anchor;
    *folder = NULL;
    if (!dladdr(&anchor, &info) || !info.dli_fname) return 0;
    const char *slash = strrchr(info.dli_fname, '/');
    if (!slash) return 0;
    *folder = info.dli_fname;
    return (size_t)(slash - info.dli_fname);
}

/* Folder number `place` of the search, then the plugin's file name; an empty path: there is no such folder. */
static lstmae_status plugin_path(int place, const char *name, char *path, size_t size)
{
    const char *folder = NULL, *inside = "";
    size_t length = 0;
    if (place == 0) folder = plugin_environment();
    if (place == 1) length = plugin_home(&folder), inside = "/lstmae";
    if (place == 2) folder = LAE_PLUGIN_DIR;
    if (folder && place != 1) length = strlen(folder);
    path[0] = '\0';
    if (!folder || length == 0) return LSTMAE_OK;
    if (folder[0] != '/' && place == 0)
        return LAE_FAIL(ERR_UNSUPPORTED, "device %s: LSTMAE_BACKEND_PATH: expected an absolute path, got \"%.200s\"",
                        name, folder);
    int bytes = snprintf(path, size, "%.*s%s/liblstmae-%s.so", (int)length, folder, inside, name);
    if (bytes < 0 || length >= size || (size_t)bytes >= size)
        return LAE_FAIL(ERR_UNSUPPORTED, "device %s: the plugin's path is longer than %zu bytes", name, size);
    return LSTMAE_OK;
}

/* Opens the first file there is; path receives its name. */
static lstmae_status plugin_open(const char *name, char *path, size_t size, void **out)
{
    for (int place = 0; place < PLUGIN_FOLDERS; place++) {
        LAE_TRY(plugin_path(place, name, path, size));
        if (path[0] == '\0' || access(path, F_OK) != 0) continue;
        *out = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        return *out ? LSTMAE_OK : LAE_FAIL(ERR_UNSUPPORTED, "device %s: %s", name, dlerror());
    }
    return LAE_FAIL(ERR_UNSUPPORTED, "device %s: no plugin liblstmae-%s.so in LSTMAE_BACKEND_PATH, lstmae/ beside the "
                    "library, or " LAE_PLUGIN_DIR, name, name);
}

lstmae_status lae_plugin_load(const char *name, const lstmae_host *host, const lstmae_backend_api **out)
{
    char path[PLUGIN_PATH_BYTES];
    void *object = NULL;
    LAE_TRY(plugin_open(name, path, sizeof path, &object));
    void *symbol = dlsym(object, LSTMAE_BACKEND_ENTRY);
    if (!symbol) return LAE_FAIL(ERR_ABI, "device %s: %s exports no " LSTMAE_BACKEND_ENTRY, name, path);
    lstmae_backend_entry_fn entry;
    memcpy(&entry, &symbol, sizeof entry);
    (void)LAE_FAIL(ERR_UNSUPPORTED, "%s declines table version %d", path, LSTMAE_BACKEND_ABI);
    const lstmae_backend_api *api = entry(LSTMAE_BACKEND_ABI, host);
    if (!api) {
        snprintf(path, sizeof path, "%s", lstmae_last_error()); /* the plugin's reason, where it gave one */
        return LAE_FAIL(ERR_UNSUPPORTED, "device %s: %s", name, path);
    }
    if (api->abi != LSTMAE_BACKEND_ABI || api->struct_size < sizeof *api)
        return LAE_FAIL(ERR_ABI, "device %s: %s has table version %u of %u bytes, this library wants %d of %zu", name,
                        path, api->abi, api->struct_size, LSTMAE_BACKEND_ABI, sizeof *api);
    *out = api;
    return LSTMAE_OK;
}

#endif
