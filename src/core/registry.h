/* Which backends there are, and how a device string finds one. */
#ifndef LAE_REGISTRY_H
#define LAE_REGISTRY_H

#include "error.h"

#include <lstmae/backend.h>

/** What backends are lent. */
const lstmae_host *lae_registry_host(void);

/** The table of backend `name` ("cpu", "cpu:ref", or a plugin's), or NULL. */
const lstmae_backend_api *lae_registry_find(const char *name);

/** Resolves a device string. `device` receives its full name, "cpu" or "cuda:0". */
lstmae_status lae_registry_resolve(const char *device, const lstmae_backend_api **api, int *index, char *name,
                                   size_t name_size);

#endif
