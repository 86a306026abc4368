#include "array.h"

#include "size.h"

#include <string.h>

int lae_host_big(void)
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 0;
}

size_t lae_element_size(lae_element element)
{
    static const unsigned char sizes[] = { 1, 1, 2, 2, 4, 4, 8, 8, 4, 8 };
    return sizes[element];
}

int lae_array_measure(lae_array *array)
{
    /* Empty axes count as 1 first: strides of the others are computed from this product too. */
    size_t bytes = lae_element_size(array->element);
    int empty = 0;
    for (int i = 0; i < array->ndim; i++) {
        if (array->dim[i] == 0)
            empty = 1;
        else if (!lae_mul_size(&bytes, bytes, (size_t)array->dim[i]))
            return 0;
    }
    if (bytes > (size_t)PTRDIFF_MAX) return 0;
    array->bytes = empty ? 0 : bytes;
    return 1;
}

lstmae_status lae_array_parse(lae_array *array, const char *name, const unsigned char *prefix, size_t length)
{
    if (length >= 1 && prefix[0] == 0x93) return lae_npy_parse(array, name, prefix, length);
    if (length >= 1 && prefix[0] == 0) return lae_idx_parse(array, name, prefix, length);
    if (length == 0) return LAE_FAIL(ERR_FORMAT, "%s: byte 0: expected IDX, .npy or gzip, got an empty file", name);
    return LAE_FAIL(ERR_FORMAT, "%s: byte 0: expected 00 (IDX), 93 (.npy) or 1f (gzip), got %02x", name, prefix[0]);
}

lstmae_status lae_array_check_size(const lae_array *array, const char *name, uint64_t content)
{
    uint64_t expected = (uint64_t)array->offset + array->bytes;
    if (content == expected) return LSTMAE_OK;
    return LAE_FAIL(ERR_FORMAT, "%s: byte %llu: expected the end at byte %llu, got %s", name,
                    (unsigned long long)(content < expected ? content : expected), (unsigned long long)expected,
                    content < expected ? "it early" : "more bytes");
}

void lae_items_layout(lae_items *items, const lae_array *array, const void *data, int item_axis, double scale)
{
    int64_t stride[LAE_ARRAY_DIMS] = { 0 }, step = (int64_t)lae_element_size(array->element);
    for (int i = 0; i < array->ndim; i++) {
        int axis = array->fortran ? i : array->ndim - 1 - i;
        stride[axis] = step;
        if (array->dim[axis] > 0) step *= array->dim[axis];
    }
    *items = (lae_items){ .data = data, .element = array->element, .big = array->big, .scale = scale };
    items->item_stride = stride[item_axis];
    for (int axis = 0; axis < array->ndim; axis++) {
        int last = items->ndim - 1;
        if (axis == item_axis) continue;
        if (last >= 0 && items->stride[last] == stride[axis] * array->dim[axis]) {
            items->dim[last] *= array->dim[axis];
            items->stride[last] = stride[axis];
        } else {
            items->dim[items->ndim] = array->dim[axis];
            items->stride[items->ndim++] = stride[axis];
        }
    }
}

static uint16_t array_load16(const unsigned char *p, int big)
{
    return (uint16_t)(big ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
}

static uint32_t array_load32(const unsigned char *p, int big)
{
    uint32_t a = p[0], b = p[1], c = p[2], d = p[3];
    return big ? a << 24 | b << 16 | c << 8 | d : d << 24 | c << 16 | b << 8 | a;
}

static uint64_t array_load64(const unsigned char *p, int big)
{
    uint64_t first = array_load32(p, big), second = array_load32(p + 4, big);
    return big ? first << 32 | second : second << 32 | first;
}

static double array_real32(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double array_real64(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#define ARRAY_EACH(value)                                                                            \
    for (int64_t i = 0; i < count; i++, p += stride) out[i] = (float)((double)(value)*items->scale); \
    break

/* `count` elements from `p`, `stride` bytes apart. */
static void array_convert(const lae_items *items, const unsigned char *p, int64_t stride, int64_t count, float *out)
{
    int big = items->big;
    switch (items->element) {
    case LAE_U8:
        if (stride == 1) { /* images: a loop that compilers make vectors of */
            for (int64_t i = 0; i < count; i++) out[i] = (float)((double)p[i] * items->scale);
            break;
        }
        ARRAY_EACH(*p);
    case LAE_I8: ARRAY_EACH((int8_t)*p);
    case LAE_U16: ARRAY_EACH(array_load16(p, big));
    case LAE_I16: ARRAY_EACH((int16_t)array_load16(p, big));
    case LAE_U32: ARRAY_EACH(array_load32(p, big));
    case LAE_I32: ARRAY_EACH((int32_t)array_load32(p, big));
    case LAE_U64: ARRAY_EACH(array_load64(p, big));
    case LAE_I64: ARRAY_EACH((int64_t)array_load64(p, big));
    case LAE_R32: ARRAY_EACH(array_real32(array_load32(p, big)));
    case LAE_R64: ARRAY_EACH(array_real64(array_load64(p, big)));
    }
}

void lae_items_read(const lae_items *items, int64_t index, float *out)
{
    const unsigned char *row = items->data + index * items->item_stride;
    int64_t at[LAE_ARRAY_DIMS] = { 0 };
    if (items->ndim == 0) {
        array_convert(items, row, 0, 1, out);
        return;
    }
    int inner = items->ndim - 1;
    for (;;) {
        array_convert(items, row, items->stride[inner], items->dim[inner], out);
        out += items->dim[inner];
        int axis = inner - 1;
        for (; axis >= 0; axis--) {
            row += items->stride[axis];
            if (++at[axis] < items->dim[axis]) break;
            row -= at[axis] * items->stride[axis];
            at[axis] = 0;
        }
        if (axis < 0) return;
    }
}
