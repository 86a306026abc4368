/*
 * Which source positions an upsampled position is made of, along one axis, in whole numbers. Shared between C and
 * CUDA, host and device.
 */
#ifndef LAE_UPSAMPLE_TAPS_H
#define LAE_UPSAMPLE_TAPS_H

#include "philox.h"

#include <lstmae/backend.h>

/** (1 - share) x[low] + share x[high] with share = part / whole */
typedef struct lae_upsample_tap {
    int64_t low, high, part, whole;
} lae_upsample_tap;

/* Both below 2^32, as nearly always: division of 64 bits takes a GPU three times as long. */
static inline LAE_HD int64_t lae_upsample_quotient(int64_t n, int64_t by)
{
    return (uint64_t)(n | by) >> 32 ? n / by : (int64_t)((uint32_t)n / (uint32_t)by);
}

/** Linear: at (p + 0.5) in / out - 0.5 = ((2 p + 1) in - out) / (2 out), not below 0. */
static inline LAE_HD lae_upsample_tap lae_upsample_tap_of(int kind, int64_t in, int64_t out, int64_t p)
{
    lae_upsample_tap tap = { 0, 0, 0, 2 * out };
    if (kind == LSTMAE_UPSAMPLE_NEAREST) {
        tap.low = tap.high = lae_upsample_quotient(p * in, out);
        return tap;
    }
    int64_t at = (2 * p + 1) * in - out;
    if (at < 0) at = 0;
    tap.low = lae_upsample_quotient(at, tap.whole);
    tap.high = tap.low + 1 < in ? tap.low + 1 : tap.low;
    tap.part = at - tap.low * tap.whole;
    return tap;
}

static inline LAE_HD double lae_upsample_share(lae_upsample_tap tap)
{
    return (double)tap.part / (double)tap.whole;
}

/** Output positions [first, end): all of those that source position `from` may take part in. */
typedef struct lae_upsample_range {
    int64_t first, end;
} lae_upsample_range;

/* The least p from 0 to out with p >= n / by. */
static inline LAE_HD int64_t lae_upsample_least(int64_t n, int64_t by, int64_t out)
{
    int64_t p = n <= 0 ? 0 : lae_upsample_quotient(n + by - 1, by);
    return p < out ? p : out;
}

/** Nearest: from <= p in / out < from + 1. Linear: low is from - 1 or from, so from - 1 <= at < from + 1. */
static inline LAE_HD lae_upsample_range lae_upsample_range_of(int kind, int64_t in, int64_t out, int64_t from)
{
    lae_upsample_range range;
    if (kind == LSTMAE_UPSAMPLE_NEAREST) {
        range.first = lae_upsample_least(from * out, in, out);
        range.end = lae_upsample_least((from + 1) * out, in, out);
        return range;
    }
    range.first = from <= 1 ? 0 : lae_upsample_least((2 * from - 1) * out - in, 2 * in, out);
    range.end = from + 1 >= in ? out : lae_upsample_least((2 * from + 3) * out - in, 2 * in, out);
    return range;
}

#endif
