#include "permute.h"

#include "shared/philox.h"

/*
 * A Feistel network on b bits, 2^b >= count, walked until the result is below count (Black and Rogaway, "Ciphers with
 * arbitrary finite domains", CT-RSA 2002). Each half-round replaces one half by itself xor a random function of the
 * other, which any function keeps reversible. 2^b is below 2 count, so two walks are expected at most; but not
 * below 64, because the permutations of a network on very few bits are too few to be taken for all of them.
 */
#define PERMUTE_HALF_ROUNDS 8
#define PERMUTE_MIN_BITS 6

uint64_t lae_permute(uint64_t seed, uint64_t stream, uint64_t index, uint64_t count)
{
    unsigned bits = PERMUTE_MIN_BITS;
    while (bits < 64 && (count - 1) >> bits) bits++;
    unsigned low_bits = bits / 2;
    uint64_t low_mask = (UINT64_C(1) << low_bits) - 1, high_mask = (UINT64_C(1) << (bits - low_bits)) - 1;
    do {
        uint64_t low = index & low_mask, high = index >> low_bits;
        for (uint64_t round = 0; round < PERMUTE_HALF_ROUNDS; round += 2) {
            low ^= lae_philox(seed, stream, round << 32 | high).word[0] & low_mask;
            high ^= lae_philox(seed, stream, (round + 1) << 32 | low).word[0] & high_mask;
        }
        index = high << low_bits | low;
    } while (index >= count);
    return index;
}
