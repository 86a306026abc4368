#include "options.h"

#include <string.h>

static lstmae_status options_size(const void *user, size_t first_size, const char *name, uint32_t *size)
{
    memcpy(size, user, sizeof *size);
    if (*size < first_size)
        return LAE_FAIL(ERR_INVALID_ARG, "%s: struct_size is %u, at least %zu expected; use the _INIT macro", name,
                        *size, first_size);
    return LSTMAE_OK;
}

lstmae_status lae_options_read(void *out, const void *defaults, size_t known_size, const void *user, size_t first_size,
                               const char *name)
{
    memcpy(out, defaults, known_size);
    if (!user) return LSTMAE_OK;
    uint32_t size;
    LAE_TRY(options_size(user, first_size, name, &size));
    for (size_t i = known_size; i < size; i++)
        if (((const unsigned char *)user)[i] != 0)
            return LAE_FAIL(ERR_UNSUPPORTED, "%s: byte %zu is set but this library knows only %zu bytes", name, i,
                            known_size);
    memcpy(out, user, size < known_size ? size : known_size);
    return LSTMAE_OK;
}

lstmae_status lae_options_write(void *user, const void *values, size_t known_size, size_t first_size, const char *name)
{
    uint32_t size;
    LAE_TRY(options_size(user, first_size, name, &size));
    size_t copied = size < known_size ? size : known_size;
    memcpy((unsigned char *)user + sizeof size, (const unsigned char *)values + sizeof size, copied - sizeof size);
    return LSTMAE_OK;
}
