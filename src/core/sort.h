/* Sorting in place: heapsort, so n log n in the worst case, no recursion and no memory. Not stable. */
#ifndef LAE_SORT_H
#define LAE_SORT_H

#include <stddef.h>

/** Negative, 0 or positive as *a comes before, with or after *b. */
typedef int (*lae_compare_fn)(const void *a, const void *b, const void *payload);

/** Sorts `count` elements of `size` bytes, at most 64. */
void lae_sort(void *base, size_t count, size_t size, lae_compare_fn compare, const void *payload);

#endif
