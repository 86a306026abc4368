/* Which source positions an upsampled position is made of, along one axis. */
#ifndef LAE_CPU_UPSAMPLE_TAPS_H
#define LAE_CPU_UPSAMPLE_TAPS_H

#include <lstmae/backend.h>

/** (1 - share) x[low] + share x[high] */
typedef struct lae_upsample_tap {
    int64_t low, high;
    double share;
} lae_upsample_tap;

static inline lae_upsample_tap lae_upsample_tap_of(int kind, int64_t in, int64_t out, int64_t p)
{
    lae_upsample_tap tap = { 0, 0, 0.0 };
    if (kind == LSTMAE_UPSAMPLE_NEAREST) {
        tap.low = tap.high = p * in / out;
        return tap;
    }
    double at = ((double)p + 0.5) * (double)in / (double)out - 0.5;
    if (at < 0.0) at = 0.0;
    tap.low = (int64_t)at < in ? (int64_t)at : in - 1;
    tap.high = tap.low + 1 < in ? tap.low + 1 : tap.low;
    tap.share = at - (double)tap.low;
    return tap;
}

/** Output positions [first, end) that contain all of those that source position `from` takes part in. */
typedef struct lae_upsample_range {
    int64_t first, end;
} lae_upsample_range;

static inline lae_upsample_range lae_upsample_range_of(int64_t in, int64_t out, int64_t from)
{
    lae_upsample_range range = { (from - 1) * out / in - 1, (from + 2) * out / in + 2 };
    if (range.first < 0 || from == 0) range.first = 0;
    if (range.end > out) range.end = out;
    return range;
}

#endif
