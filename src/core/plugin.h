/* Loading a backend from a shared object beside the library. */
#ifndef LAE_PLUGIN_H
#define LAE_PLUGIN_H

#include "error.h"

#include <lstmae/backend.h>

/**
 * Opens liblstmae-<name>.so and asks it for its table. It is looked for in the folder that $LSTMAE_BACKEND_PATH names
 * (not by programs with more rights than their user), in lstmae/ beside this library, and in the installation's plugin
 * folder; the first file there is counts. Never searches the current directory, never closes what it opened.
 *
 * @return OK; ERR_UNSUPPORTED when there is no file, it cannot be loaded (cuBLAS is missing), or it declines (no
 *         driver, no device), with its reason; ERR_ABI when it was built for another version of the library
 */
lstmae_status lae_plugin_load(const char *name, const lstmae_host *host, const lstmae_backend_api **out);

#endif
