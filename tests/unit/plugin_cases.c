/* Plugins that a library meets: PLUGIN_CASE says which of them this one is. */
#include <lstmae/backend.h>

#define PLUGIN_EXPORT __attribute__((visibility("default")))

#define NO_ENTRY 0
#define GOOD 1
#define DECLINES 2
#define DECLINES_WITH_REASON 3
#define OTHER_ABI 4
#define SHORT_TABLE 5
#define NEEDS_LIBRARY 6 /* that is not installed */

#if PLUGIN_CASE == NEEDS_LIBRARY
int lae_absent_library(void);
#endif

PLUGIN_EXPORT const lstmae_backend_api *
#if PLUGIN_CASE == NO_ENTRY
another_entry(uint32_t host_abi, const lstmae_host *host);
PLUGIN_EXPORT const lstmae_backend_api *another_entry(uint32_t host_abi, const lstmae_host *host)
#else
lstmae_backend_entry(uint32_t host_abi, const lstmae_host *host);
PLUGIN_EXPORT const lstmae_backend_api *lstmae_backend_entry(uint32_t host_abi, const lstmae_host *host)
#endif
{
    static lstmae_backend_api table;
    table.struct_size = sizeof table;
    table.abi = LSTMAE_BACKEND_ABI;
    table.name = "case";
#if PLUGIN_CASE == NEEDS_LIBRARY
    table.flags = (uint32_t)lae_absent_library();
#elif PLUGIN_CASE == DECLINES_WITH_REASON
    (void)host->fail(LSTMAE_ERR_UNSUPPORTED, "no such device");
#elif PLUGIN_CASE == OTHER_ABI
    table.abi = LSTMAE_BACKEND_ABI + 1;
#elif PLUGIN_CASE == SHORT_TABLE
    table.struct_size = 64;
#endif
    (void)host;
    if (host_abi != LSTMAE_BACKEND_ABI || PLUGIN_CASE == DECLINES || PLUGIN_CASE == DECLINES_WITH_REASON) return NULL;
    return &table;
}
