/* What batch and layer normalisation share. */
#ifndef LAE_CPU_NORM_H
#define LAE_CPU_NORM_H

#include <stddef.h>
#include <stdint.h>

/* Rows are summed in blocks whose size follows from the shape alone. */
#define LAE_NORM_BLOCK 16384 /* elements of a block, about */
#define LAE_NORM_BLOCKS 256  /* most blocks */

static inline int64_t lae_norm_block_rows(int64_t rows, int64_t columns)
{
    int64_t block = LAE_NORM_BLOCK / columns > 0 ? LAE_NORM_BLOCK / columns : 1;
    return rows / block >= LAE_NORM_BLOCKS ? rows / LAE_NORM_BLOCKS + 1 : block;
}

/** An entry of an array that may be absent. */
static inline double lae_norm_entry(const void *array, int64_t index, double otherwise)
{
    return array ? (double)((const float *)array)[index] : otherwise;
}

/** A parameter's gradient, where it is wanted. */
static inline void lae_norm_store(void *array, int64_t index, double value, double beta)
{
    float *entry = array ? (float *)array + index : NULL;
    if (entry) *entry = (float)(value + (beta != 0.0 ? beta * (double)*entry : 0.0));
}

#endif
