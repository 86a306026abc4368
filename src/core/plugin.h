/* Loading a backend from a shared object beside the library. */
#ifndef LAE_PLUGIN_H
#define LAE_PLUGIN_H

#include "error.h"

#include <lstmae/backend.h>

/**
 * Opens <directory of this library>/lstmae/liblstmae-<name>.so and asks it for its table. Never searches the current
 * directory, never closes what it opened.
 *
 * @return OK; ERR_UNSUPPORTED when the file is absent or declines (no driver, no device); ERR_ABI when it was built
 *         for another version of the library
 */
lstmae_status lae_plugin_load(const char *name, const lstmae_host *host, const lstmae_backend_api **out);

#endif
