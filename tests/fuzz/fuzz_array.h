/* A parser of array files on any bytes: what it accepts must lie within them, and every item must be readable. */
#ifndef LAE_FUZZ_ARRAY_H
#define LAE_FUZZ_ARRAY_H

#include "array.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

typedef lstmae_status (*fuzz_array_parse)(lae_array *array, const char *name, const unsigned char *prefix,
                                          size_t length);

#define FUZZ_ARRAY_LARGEST 4096 /* elements of an item that is read */

static void fuzz_require(int holds)
{
    if (!holds) abort();
}

static void fuzz_array_items(const lae_array *array, const unsigned char *bytes, int axis)
{
    static float item[FUZZ_ARRAY_LARGEST];
    lae_items items;
    int64_t count = array->dim[axis], elements = 1;
    if (array->bytes == 0) return;
    for (int i = 0; i < array->ndim; i++)
        if (i != axis) elements *= array->dim[i];
    if (elements > FUZZ_ARRAY_LARGEST) return;
    lae_items_layout(&items, array, bytes + array->offset, axis, 1.0);
    for (int64_t n = 0; n < count; n++) lae_items_read(&items, n, item);
}

static void fuzz_array(fuzz_array_parse parse, const uint8_t *bytes, size_t length)
{
    lae_array array;
    lstmae_status status = parse(&array, "fuzz", bytes, length < LAE_ARRAY_PREFIX ? length : LAE_ARRAY_PREFIX);
    if (status == LSTMAE_OK) {
        fuzz_require(array.ndim >= 0 && array.ndim <= LAE_ARRAY_DIMS);
        for (int i = 0; i < array.ndim; i++) fuzz_require(array.dim[i] >= 0 && array.dim[i] <= LAE_ARRAY_MAX_DIM);
        fuzz_require(array.offset <= length && array.offset <= LAE_ARRAY_PREFIX);
        status = lae_array_check_size(&array, "fuzz", length);
    }
    if (status < 0) {
        const char *text = lstmae_last_error();
        fuzz_require(status == LSTMAE_ERR_FORMAT || status == LSTMAE_ERR_UNSUPPORTED);
        fuzz_require(strncmp(text, "fuzz: byte ", 11) == 0 && !strchr(text, '\n'));
        return;
    }
    fuzz_require(array.offset + array.bytes == length);
    for (int axis = 0; axis < array.ndim; axis++) fuzz_array_items(&array, bytes, axis);
}

#endif
