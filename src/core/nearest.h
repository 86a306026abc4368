/* The k nearest seen so far. */
#ifndef LAE_NEAREST_H
#define LAE_NEAREST_H

#include <stdint.h>

typedef struct lae_neighbor {
    double distance;
    int64_t index;
} lae_neighbor;

/** A heap: the farthest, of equally far ones that with the highest index, stands first. */
typedef struct lae_nearest {
    lae_neighbor *kept; /* [most] */
    int64_t most, count;
} lae_nearest;

/** The distance beyond which nothing is taken any more. */
double lae_nearest_limit(const lae_nearest *nearest);

/** Takes the neighbor if it is among the `most` nearest. */
void lae_nearest_offer(lae_nearest *nearest, double distance, int64_t index);

/** Puts the nearest first; nothing may be offered after that. */
void lae_nearest_sort(lae_nearest *nearest);

#endif
