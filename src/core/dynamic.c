/*
 * The dynamic rule of Hundman et al. 2018. For every z, epsilon = mu + z sigma; e_a are the scores above it, E_seq
 * their runs. Chosen is the epsilon of the largest
 *
 *   (delta mu / mu + delta sigma / sigma) / (|e_a| + |E_seq|^2)
 *
 * where delta mu and delta sigma are what mu and sigma would lose without e_a; of equals the one of the largest z.
 *
 * Pruning: the runs' largest scores in descending order, and behind them the largest score that is in none of them. The
 * runs before the last step down of at least the share `prune` stay; those behind it hardly stand out and go.
 */
#include "threshold_rules.h"

#include "sort.h"

#include <math.h>

/* Mean and deviation of the scores that are not above `limit`. @return how many they are */
static int64_t dynamic_moments(const double *scores, int64_t count, double limit, double *mean, double *deviation)
{
    double sum = 0.0, square = 0.0;
    int64_t n = 0;
    for (int64_t i = 0; i < count; i++) {
        if (scores[i] > limit) continue;
        sum += scores[i];
        n++;
    }
    *mean = n > 0 ? sum / (double)n : 0.0;
    for (int64_t i = 0; i < count; i++)
        if (!(scores[i] > limit)) square += (scores[i] - *mean) * (scores[i] - *mean);
    *deviation = n > 0 ? sqrt(square / (double)n) : 0.0;
    return n;
}

static int64_t dynamic_count_runs(const double *scores, int64_t count, double limit)
{
    int64_t runs = 0;
    for (int64_t i = 0; i < count; i++) runs += scores[i] > limit && (i == 0 || !(scores[i - 1] > limit));
    return runs;
}

double lae_dynamic_threshold(const lstmae_threshold_options *options, const double *scores, int64_t count)
{
    double mean, deviation, best = -INFINITY, threshold;
    (void)dynamic_moments(scores, count, INFINITY, &mean, &deviation);
    threshold = mean + options->z_high * deviation;
    for (int64_t i = 0;; i++) {
        double z = options->z_low + (double)i * options->z_step, rest_mean, rest_deviation;
        if (!(z < options->z_high)) return threshold;
        double epsilon = mean + z * deviation;
        int64_t left = dynamic_moments(scores, count, epsilon, &rest_mean, &rest_deviation);
        if (left == count || left == 0) continue;
        double runs = (double)dynamic_count_runs(scores, count, epsilon);
        double gain = ((mean - rest_mean) / mean + (deviation - rest_deviation) / deviation) /
                      ((double)(count - left) + runs * runs);
        if (!(gain >= best)) continue;
        best = gain;
        threshold = epsilon;
    }
}

static int dynamic_compare(const void *a, const void *b, const void *payload)
{
    double x = ((const lae_dynamic_run *)a)->most, y = ((const lae_dynamic_run *)b)->most;
    (void)payload;
    return (x < y) - (x > y);
}

int64_t lae_dynamic_runs(const double *scores, int64_t count, double threshold, double prune, lae_dynamic_run *runs)
{
    int64_t found = 0, kept = 0;
    double rest = 0.0;
    for (int64_t i = 0; i < count; i++) {
        if (!(scores[i] > threshold)) {
            if (scores[i] > rest) rest = scores[i];
        } else if (i > 0 && scores[i - 1] > threshold) {
            runs[found - 1].last = i;
            if (scores[i] > runs[found - 1].most) runs[found - 1].most = scores[i];
        } else {
            runs[found++] = (lae_dynamic_run){ i, i, scores[i] };
        }
    }
    if (!(prune > 0.0)) return found;
    lae_sort(runs, (size_t)found, sizeof *runs, dynamic_compare, NULL);
    for (int64_t i = 0; i < found; i++) {
        double below = i + 1 < found ? runs[i + 1].most : rest;
        if (runs[i].most - below >= prune * runs[i].most) kept = i + 1;
    }
    return kept;
}
