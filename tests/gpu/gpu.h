/* The device that these tests run on. */
#ifndef LAE_TEST_GPU_H
#define LAE_TEST_GPU_H

#include "device.h"

#include <stdlib.h>
#include <string.h>

/** $LSTMAE_TEST_DEVICE where it names a GPU, else "cuda". */
static inline const char *gpu_name(void)
{
    const char *name = getenv("LSTMAE_TEST_DEVICE");
    return name && strncmp(name, "cuda", 4) == 0 ? name : "cuda";
}

/** A context there, in the precision of $LSTMAE_TEST_PRECISION. */
static inline lstmae_status gpu_context(lstmae_context **out, uint64_t seed)
{
    lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
    options.seed = seed;
    options.precision = test_device_precision();
    return lstmae_context_create(out, gpu_name(), &options);
}

/** Ends the program as skipped where there is no GPU; opens nothing that stays. */
static inline void gpu_need(void)
{
    lstmae_context *context = NULL;
    if (gpu_context(&context, 1) == LSTMAE_ERR_UNSUPPORTED) {
        print_message("%s\n", lstmae_last_error());
        exit(77);
    }
    lstmae_context_destroy(context);
}

#endif
