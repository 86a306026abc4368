/* A number for an array's bits, to commit instead of the array. */
#ifndef LAE_TEST_CHECKSUM_H
#define LAE_TEST_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** FNV-1a over the float32 bit patterns, most significant byte first: the same on every machine. */
static inline uint64_t test_checksum(const float *values, size_t count)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        for (int shift = 24; shift >= 0; shift -= 8) sum = (sum ^ ((bits >> shift) & 0xff)) * UINT64_C(0x100000001b3);
    }
    return sum;
}

#endif
