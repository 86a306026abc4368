/*
 * IDX, the format of the MNIST files: 00 00, element type, number of axes, the axes' sizes as 32-bit big-endian
 * numbers, then the elements, row-major and big-endian.
 */
#include "array.h"

lstmae_status lae_idx_parse(lae_array *array, const char *name, const unsigned char *prefix, size_t length)
{
    static const struct {
        unsigned char code;
        lae_element element;
    } types[] = { { 0x08, LAE_U8 },  { 0x09, LAE_I8 },  { 0x0B, LAE_I16 },
                  { 0x0C, LAE_I32 }, { 0x0D, LAE_R32 }, { 0x0E, LAE_R64 } };
    const int known = (int)(sizeof types / sizeof types[0]);
    *array = (lae_array){ .big = 1 };
    if (length < 4)
        return LAE_FAIL(ERR_FORMAT, "%s: byte %zu: IDX: expected a header of 4 bytes, got %zu", name, length, length);
    for (size_t i = 0; i < 2; i++)
        if (prefix[i] != 0) return LAE_FAIL(ERR_FORMAT, "%s: byte %zu: IDX: expected 00, got %02x", name, i, prefix[i]);
    int type = 0;
    while (type < known && types[type].code != prefix[2]) type++;
    if (type == known)
        return LAE_FAIL(ERR_FORMAT, "%s: byte 2: IDX: expected element type 08, 09, 0b, 0c, 0d or 0e, got %02x", name,
                        prefix[2]);
    array->element = types[type].element;
    array->ndim = prefix[3];
    if (array->ndim < 1 || array->ndim > 4)
        return LAE_FAIL(ERR_FORMAT, "%s: byte 3: IDX: expected 1 to 4 axes, got %d", name, array->ndim);
    array->offset = 4 + 4 * (size_t)array->ndim;
    if (length < array->offset)
        return LAE_FAIL(ERR_FORMAT, "%s: byte %zu: IDX: expected a header of %zu bytes, got %zu", name, length,
                        array->offset, length);
    for (int i = 0; i < array->ndim; i++) {
        const unsigned char *p = prefix + 4 + 4 * i;
        array->dim[i] = (int64_t)p[0] << 24 | (int64_t)p[1] << 16 | (int64_t)p[2] << 8 | (int64_t)p[3];
        if (array->dim[i] > LAE_ARRAY_MAX_DIM)
            return LAE_FAIL(ERR_FORMAT, "%s: byte %d: IDX: expected an axis of at most %lld, got %lld", name, 4 + 4 * i,
                            (long long)LAE_ARRAY_MAX_DIM, (long long)array->dim[i]);
    }
    if (!lae_array_measure(array))
        return LAE_FAIL(ERR_FORMAT, "%s: byte 4: IDX: expected a size that fits in memory, got more", name);
    return LSTMAE_OK;
}
