#include "sort.h"

#include <string.h>

static void sort_swap(char *a, char *b, size_t size)
{
    char kept[64];
    memcpy(kept, a, size);
    memcpy(a, b, size);
    memcpy(b, kept, size);
}

/* Lets the element at `root` sink until no child of it in the first `count` elements is greater. */
static void sort_sink(char *base, size_t root, size_t count, size_t size, lae_compare_fn compare, const void *payload)
{
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && compare(base + child * size, base + (child + 1) * size, payload) < 0) child++;
        if (compare(base + root * size, base + child * size, payload) >= 0) return;
        sort_swap(base + root * size, base + child * size, size);
    }
}

void lae_sort(void *base, size_t count, size_t size, lae_compare_fn compare, const void *payload)
{
    for (size_t root = count / 2; root-- > 0;) sort_sink(base, root, count, size, compare, payload);
    for (size_t last = count; last-- > 1;) {
        sort_swap(base, (char *)base + last * size, size);
        sort_sink(base, 0, last, size, compare, payload);
    }
}
