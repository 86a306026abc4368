/* The devices linked into the library itself. */
#ifndef LAE_BUILTIN_BACKENDS_H
#define LAE_BUILTIN_BACKENDS_H

#include <lstmae/backend.h>

/** Device "cpu": SIMD kernels chosen for this machine; NULL if `host` speaks another ABI. */
const lstmae_backend_api *lae_backend_cpu(const lstmae_host *host);

/** Device "cpu:ref": plain loops on one thread, float and double; NULL if `host` speaks another ABI. */
const lstmae_backend_api *lae_backend_cpu_ref(const lstmae_host *host);

#endif
