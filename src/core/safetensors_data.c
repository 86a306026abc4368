#include "safetensors.h"

#include "crc32c.h"
#include "json.h"

#include <string.h>

/* 1 if some key of the metadata is one of ours: such a file must carry its checksums. */
static int file_is_ours(const lae_safetensors *st)
{
    for (size_t i = 0; i < st->pair_count; i++) {
        const char *key = st->text + st->pairs[i].key;
        if (strncmp(key, LAE_SAFETENSORS_OWN_KEYS, sizeof LAE_SAFETENSORS_OWN_KEYS - 1) == 0) return 1;
    }
    return 0;
}

static lstmae_status file_checksum(const lae_safetensors *st, const lae_safetensors_tensor *tensor,
                                   const lae_file *file, void *buffer, size_t bytes, uint32_t *crc)
{
    *crc = 0;
    for (uint64_t at = tensor->begin; at < tensor->end;) {
        size_t part = tensor->end - at < bytes ? (size_t)(tensor->end - at) : bytes;
        LAE_TRY(lae_file_read(file, st->data + at, buffer, part));
        *crc = lae_crc32c(*crc, buffer, part);
        at += part;
    }
    return LSTMAE_OK;
}

lstmae_status lae_safetensors_verify_header(const lae_safetensors *st)
{
    if (!file_is_ours(st)) return 0;
    const char *sums = lae_safetensors_metadata(st, LAE_SAFETENSORS_SUMS_KEY);
    if (!st->has_digest || st->digest != st->digest_stored)
        return LAE_FAIL(ERR_FORMAT, "%s: byte 8: checksum of the header does not agree: damaged or edited", st->file);
    if (!sums || strlen(sums) != st->count * 8)
        return LAE_FAIL(ERR_FORMAT, "%s: byte 8: expected checksums of %zu tensors", st->file, st->count);
    return 1;
}

lstmae_status lae_safetensors_verify_data(const lae_safetensors *st, const lae_file *file, void *buffer, size_t bytes)
{
    const char *sums = lae_safetensors_metadata(st, LAE_SAFETENSORS_SUMS_KEY);
    for (size_t i = 0; i < st->count; i++) {
        const lae_safetensors_tensor *tensor = &st->tensors[i];
        char label[LAE_LABEL_BYTES];
        const char *name = lae_safetensors_name(st, tensor);
        uint32_t crc;
        uint64_t stored;
        LAE_TRY(file_checksum(st, tensor, file, buffer, bytes, &crc));
        if (!lae_parse_hex(sums + 8 * i, 8, &stored) || crc != stored)
            return LAE_FAIL(ERR_FORMAT, "%s: bytes %llu to %llu: checksum of '%s' does not agree: damaged", st->file,
                            (unsigned long long)(st->data + tensor->begin),
                            (unsigned long long)(st->data + tensor->end), lae_label(label, name, strlen(name)));
    }
    return LSTMAE_OK;
}

int lae_safetensors_type_of(lstmae_dtype dtype)
{
    switch (dtype) {
    case LSTMAE_F64: return LAE_SAFETENSORS_F64;
    case LSTMAE_I64: return LAE_SAFETENSORS_I64;
    default: return LAE_SAFETENSORS_F32;
    }
}

int lae_safetensors_converts(lstmae_dtype dtype, int type)
{
    if (dtype == LSTMAE_I64) return type == LAE_SAFETENSORS_I64;
    return type == LAE_SAFETENSORS_F32 || type == LAE_SAFETENSORS_F64 || type == LAE_SAFETENSORS_F16 ||
           type == LAE_SAFETENSORS_BF16;
}

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits; every value fits binary32 exactly. */
static float float_of_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 0x1f, fraction = half & 0x3ff;
    if (exponent == 0) return float_of_bits(sign | 0x3f800000) * ((float)fraction * (1.0f / 16777216.0f));
    if (exponent == 0x1f) return float_of_bits(sign | 0x7f800000 | fraction << 13);
    return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

/* Element i of numbers that a file holds. */
static double real_at(const unsigned char *from, int type, size_t i)
{
    uint16_t half;
    float single;
    double value;
    switch (type) {
    case LAE_SAFETENSORS_F64: memcpy(&value, from + 8 * i, 8); return value;
    case LAE_SAFETENSORS_F32: memcpy(&single, from + 4 * i, 4); return (double)single;
    case LAE_SAFETENSORS_F16: memcpy(&half, from + 2 * i, 2); return (double)float_of_half(half);
    default: /* BF16: the upper half of a binary32 */
        memcpy(&half, from + 2 * i, 2);
        return (double)float_of_bits((uint32_t)half << 16);
    }
}

void lae_safetensors_convert(void *to, lstmae_dtype dtype, const void *from, int type, size_t count)
{
    if (type == lae_safetensors_type_of(dtype)) {
        memcpy(to, from, count * lae_safetensors_type_size(type));
    } else if (dtype == LSTMAE_F64) {
        for (size_t i = 0; i < count; i++) ((double *)to)[i] = real_at(from, type, i);
    } else {
        for (size_t i = 0; i < count; i++) ((float *)to)[i] = (float)real_at(from, type, i);
    }
}
