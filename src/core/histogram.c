#include "histogram.h"

#include <float.h>
#include <string.h>

void lae_histogram_clear(lae_histogram *histogram)
{
    double limit = 1e-12;
    memset(histogram, 0, sizeof *histogram);
    histogram->least = DBL_MAX;
    histogram->most = -DBL_MAX;
    for (int i = 0; i < LAE_HISTOGRAM_SIDE; i++, limit *= 1.1) {
        double end = i < LAE_HISTOGRAM_SIDE - 1 ? limit : DBL_MAX;
        histogram->limit[LAE_HISTOGRAM_SIDE + 1 + i] = end;
        histogram->limit[LAE_HISTOGRAM_SIDE - 1 - i] = -end;
    }
}

/* The first bucket whose limit is above the value; the last one takes the largest double, too. */
static int histogram_place(const lae_histogram *histogram, double value)
{
    int low = 0, high = LAE_HISTOGRAM_BUCKETS - 1;
    while (low < high) {
        int middle = (low + high) / 2;
        if (histogram->limit[middle] > value)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

void lae_histogram_add(lae_histogram *histogram, double value)
{
    if (value < histogram->least) histogram->least = value;
    if (value > histogram->most) histogram->most = value;
    histogram->count += 1.0;
    histogram->sum += value;
    histogram->squares += value * value;
    histogram->bucket[histogram_place(histogram, value)] += 1.0;
}

int lae_histogram_compact(lae_histogram *histogram)
{
    int kept = 0;
    for (int i = 0; i < LAE_HISTOGRAM_BUCKETS; i++) {
        int empty = histogram->bucket[i] <= 0;
        if (empty && kept > 0 && histogram->bucket[kept - 1] <= 0) kept--;
        histogram->limit[kept] = histogram->limit[i];
        histogram->bucket[kept++] = histogram->bucket[i];
    }
    return kept;
}
