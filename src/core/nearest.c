#include "nearest.h"

#include "sort.h"

#include <math.h>

static int nearest_compare(const void *a, const void *b, const void *payload)
{
    const lae_neighbor *x = a, *y = b;
    (void)payload;
    if (x->distance != y->distance) return x->distance < y->distance ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

double lae_nearest_limit(const lae_nearest *nearest)
{
    return nearest->count < nearest->most ? (double)INFINITY : nearest->kept[0].distance;
}

/* Lets the element at `at` rise above nearer ones. */
static void nearest_rise(lae_neighbor *kept, int64_t at)
{
    for (int64_t parent; at > 0; at = parent) {
        parent = (at - 1) / 2;
        if (nearest_compare(&kept[parent], &kept[at], NULL) >= 0) return;
        lae_neighbor other = kept[parent];
        kept[parent] = kept[at];
        kept[at] = other;
    }
}

/* Lets the first element sink below farther ones. */
static void nearest_sink(lae_neighbor *kept, int64_t count)
{
    for (int64_t at = 0, child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && nearest_compare(&kept[child], &kept[child + 1], NULL) < 0) child++;
        if (nearest_compare(&kept[at], &kept[child], NULL) >= 0) return;
        lae_neighbor other = kept[child];
        kept[child] = kept[at];
        kept[at] = other;
    }
}

void lae_nearest_offer(lae_nearest *nearest, double distance, int64_t index)
{
    lae_neighbor neighbor = { distance, index };
    if (nearest->count < nearest->most) {
        nearest->kept[nearest->count] = neighbor;
        nearest_rise(nearest->kept, nearest->count++);
    } else if (nearest_compare(&neighbor, &nearest->kept[0], NULL) < 0) {
        nearest->kept[0] = neighbor;
        nearest_sink(nearest->kept, nearest->count);
    }
}

void lae_nearest_sort(lae_nearest *nearest)
{
    lae_sort(nearest->kept, (size_t)nearest->count, sizeof *nearest->kept, nearest_compare, NULL);
}
