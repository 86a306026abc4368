#include "select.h"

#include "sort.h"

#include <math.h>

/* Partitions that may turn out badly before sorting takes over, which is never slow. */
#define SELECT_ROUNDS 64

static int select_compare(const void *a, const void *b, const void *payload)
{
    float x = *(const float *)a, y = *(const float *)b;
    (void)payload;
    return (x > y) - (x < y);
}

static float select_median(float a, float b, float c)
{
    float low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

void lae_select(float *values, size_t count, size_t k)
{
    size_t low = 0, high = count - 1;
    for (int round = 0; low < high; round++) {
        if (round == SELECT_ROUNDS) {
            lae_sort(values + low, high - low + 1, sizeof *values, select_compare, NULL);
            return;
        }
        /* Hoare's partition: [low, j] <= pivot <= [i, high], what lies between is the pivot */
        float pivot = select_median(values[low], values[low + (high - low) / 2], values[high]);
        size_t i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot) i++;
            while (values[j] > pivot) j--;
            if (i > j) break;
            float kept = values[i];
            values[i++] = values[j];
            values[j] = kept;
            if (j == 0) break;
            j--;
        }
        if (k <= j && j < i)
            high = j;
        else if (k >= i)
            low = i;
        else
            return;
    }
}

double lae_quantile(float *values, size_t count, double q)
{
    double place = q * (double)(count - 1);
    size_t k = (size_t)floor(place);
    double share = place - (double)k;
    lae_select(values, count, k);
    if (share == 0.0 || k + 1 >= count) return (double)values[k];
    float next = values[k + 1];
    for (size_t i = k + 2; i < count; i++)
        if (values[i] < next) next = values[i];
    return (double)values[k] + share * ((double)next - (double)values[k]);
}
