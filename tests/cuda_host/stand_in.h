/* The stand-in's functions (cuda_host.h), found in the plugin that a context has loaded. */
#ifndef LAE_TEST_STAND_IN_H
#define LAE_TEST_STAND_IN_H

#include "support.h"

#include "cuda_host.h"

typedef struct stand_in {
    void (*state_get)(lae_cuda_host_state *state);
    void (*fail_at)(uint64_t k, int cuda, int blas);
    const char *(*failed_call)(void);
    void (*reset)(void);
    void (*seed)(uint64_t seed);
    void (*log)(int on);
    size_t (*log_count)(void);
    int (*log_get)(size_t index, lae_cuda_host_operation *operation);
} stand_in;

/** After a context on the device was made. 0 where the plugin has no such functions: on a GPU. */
int stand_in_find(stand_in *in);

#endif
