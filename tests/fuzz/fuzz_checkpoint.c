/*
 * Loading a checkpoint from bytes through a file table of its own: whatever the bytes are, an error changes nothing.
 * The digest of the header is set right first, or no change would get past it.
 */
#include "fuzz.h"
#include "memory_file.h"

#include "safetensors.h"

#include <lstmae/lstmae.h>

#include <stdlib.h>
#include <string.h>

enum { WEIGHTS = 3 * 2 + 3 };

/* Made once: what is tested is the file. */
static lstmae_module *module;
static lstmae_optimizer *optimizer;

static void make_objects(void)
{
    lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
    lstmae_context *context = NULL;
    options.threads = 1;
    if (lstmae_context_create(&context, "cpu:ref", &options) != LSTMAE_OK ||
        lstmae_linear_create(&module, context, 2, 3, 0) != LSTMAE_OK ||
        lstmae_optimizer_create(&optimizer, module, NULL) != LSTMAE_OK)
        abort();
    lstmae_context_destroy(context);
}

static void read_weights(float *values)
{
    if (lstmae_tensor_read(lstmae_module_param(module, 0), values, 6 * sizeof *values) != LSTMAE_OK) abort();
    if (lstmae_tensor_read(lstmae_module_param(module, 1), values + 6, 3 * sizeof *values) != LSTMAE_OK) abort();
}

/* Puts right the checksums of a header that has ours, so that what is behind them is reached. */
static void repair(uint8_t *bytes, size_t size)
{
    const size_t at = sizeof LAE_SAFETENSORS_PREFIX - 1;
    uint64_t length;
    if (size < 8 + at + 8) return;
    memcpy(&length, bytes, 8);
    if (length > size - 8 || length < at + 8 || memcmp(bytes + 8, LAE_SAFETENSORS_PREFIX, at) != 0) return;
    uint32_t digest = lae_safetensors_header_digest((const char *)bytes + 8, (size_t)length);
    for (int i = 0; i < 8; i++) bytes[8 + at + (size_t)i] = (uint8_t) "0123456789abcdef"[digest >> (28 - 4 * i) & 15];
}

static void load_all(void)
{
    float before[WEIGHTS], after[WEIGHTS];
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    char *text = NULL;
    content.module = module;
    for (int with = 0; with < 2; with++) {
        content.optimizer = with ? optimizer : NULL;
        read_weights(before);
        lstmae_status status = lstmae_checkpoint_load("input", &content);
        read_weights(after);
        if (status < 0 && memcmp(before, after, sizeof before) != 0) abort();
    }
    lstmae_status status = lstmae_checkpoint_config("input", &text);
    if ((status == LSTMAE_OK) != (text != NULL)) abort();
    lstmae_checkpoint_config_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    if (!bytes) return 0;
    memcpy(bytes, data, size);
    repair(bytes, size);
    if (!module) make_objects();
    memory_file_begin(bytes, size);
    load_all();
    memory_file_end();
    free(bytes);
    return 0;
}
