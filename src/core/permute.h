/* Shuffling by counter: the place of any index in a random order, without storing the order. */
#ifndef LAE_PERMUTE_H
#define LAE_PERMUTE_H

#include <stdint.h>

/**
 * Where index (0 <= index < count) goes in the permutation of [0,count) that seed and stream choose.
 * For equal seed and stream, different indices go to different places.
 */
uint64_t lae_permute(uint64_t seed, uint64_t stream, uint64_t index, uint64_t count);

#endif
