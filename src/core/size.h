/* Checked size arithmetic: every size that comes from a caller or a file goes through here. */
#ifndef LAE_SIZE_H
#define LAE_SIZE_H

#include <stddef.h>
#include <stdint.h>

/** out = a * b; 0 if it does not fit. */
static inline int lae_mul_size(size_t *out, size_t a, size_t b)
{
    if (b != 0 && a > SIZE_MAX / b) return 0;
    *out = a * b;
    return 1;
}

/** out = a + b; 0 if it does not fit. */
static inline int lae_add_size(size_t *out, size_t a, size_t b)
{
    if (a > SIZE_MAX - b) return 0;
    *out = a + b;
    return 1;
}

/** Product of `count` sizes of 0 or more; 0 if one is negative or the product leaves int64_t. */
static inline int lae_product(int64_t *out, int count, const int64_t *dims)
{
    int64_t product = 1;
    for (int i = 0; i < count; i++) {
        if (dims[i] < 0) return 0;
        if (dims[i] != 0 && product > INT64_MAX / dims[i]) return 0;
        product *= dims[i];
    }
    *out = product;
    return 1;
}

#endif
