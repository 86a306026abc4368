/* Products and distances in double, in an order that compilers make vectors of and that is the same everywhere. */
#ifndef LAE_DOT_H
#define LAE_DOT_H

#include <stdint.h>

/** Eight running sums, joined in pairs. */
static inline double lae_dot(const double *a, const double *b, int64_t n)
{
    double s[8] = { 0.0 };
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++) s[k] += a[i + k] * b[i + k];
    for (int k = 0; i < n; i++, k++) s[k] += a[i] * b[i];
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/** The sum of (a_i - b_i)^2, in the same order. */
static inline double lae_distance_squared(const double *a, const double *b, int64_t n)
{
    double s[8] = { 0.0 };
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++) s[k] += (a[i + k] - b[i + k]) * (a[i + k] - b[i + k]);
    for (int k = 0; i < n; i++, k++) s[k] += (a[i] - b[i]) * (a[i] - b[i]);
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

#endif
