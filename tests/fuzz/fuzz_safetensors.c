/* The reader of safetensors files over bytes: what it accepts must hold what its header says. */
#include "fuzz.h"

#include "safetensors.h"

#include <stdlib.h>
#include <string.h>

/* Everything a reader may rely on. */
static void check_accepted(const lae_safetensors *st, size_t size)
{
    uint64_t reached = 0;
    if (st->data + st->data_bytes != size) abort();
    for (size_t i = 0; i < st->count; i++) {
        const lae_safetensors_tensor *tensor = &st->tensors[i];
        int64_t dim[LAE_SAFETENSORS_MAX_RANK];
        uint64_t bytes = lae_safetensors_type_size(tensor->type);
        lae_safetensors_shape(st, tensor, dim);
        for (int axis = 0; axis < tensor->rank; axis++) bytes *= (uint64_t)dim[axis];
        if (tensor->begin != reached || tensor->end - tensor->begin != bytes) abort();
        if (lae_safetensors_find(st, lae_safetensors_name(st, tensor)) != tensor) abort();
        reached = tensor->end;
    }
    if (reached != st->data_bytes) abort();
    for (size_t i = 0; i < st->pair_count; i++) {
        const char *key = st->text + st->pairs[i].key;
        if (lae_safetensors_metadata(st, key) != st->text + st->pairs[i].value) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lae_memory memory;
    lae_safetensors st;
    lae_memory_init(&memory, NULL, NULL, NULL, 0);
    lstmae_status status = lae_safetensors_parse(&st, &memory, "input", data, size);
    if (status == LSTMAE_OK) {
        check_accepted(&st, size);
        (void)lae_safetensors_verify_header(&st);
        lae_safetensors_close(&st);
    } else if (status != LSTMAE_ERR_FORMAT || !strstr(lstmae_last_error(), "input: byte ")) {
        abort();
    }
    if (atomic_load(&memory.current) != 0 || atomic_load(&memory.peak) > 2 * size + 1024) abort();
    return 0;
}
