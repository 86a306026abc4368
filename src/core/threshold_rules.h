/* The rules behind thresholds: a tail's distribution, and the choice among mean + z deviations. No allocation. */
#ifndef LAE_THRESHOLD_RULES_H
#define LAE_THRESHOLD_RULES_H

#include <lstmae/threshold.h>

/** A generalised Pareto distribution: P(Y > y) = (1 + shape y / scale)^(-1 / shape), e^(-y / scale) for shape 0. */
typedef struct lae_pareto {
    double shape, scale;
} lae_pareto;

/** That of largest likelihood for one excess or more, all above 0. */
lae_pareto lae_pareto_fit(const double *excesses, int64_t count);

/** The log-likelihood of excesses; -infinity where one of them is impossible. */
double lae_pareto_likelihood(lae_pareto pareto, const double *excesses, int64_t count);

/** The excess that is passed with probability `tail` in (0,1]. */
double lae_pareto_quantile(lae_pareto pareto, double tail);

/** mean + z deviation of the scores for the best z of the options; for the largest where none has scores above it. */
double lae_dynamic_threshold(const lstmae_threshold_options *options, const double *scores, int64_t count);

/** A longest run of scores above the threshold, and the largest of them. */
typedef struct lae_dynamic_run {
    int64_t first, last;
    double most;
} lae_dynamic_run;

/**
 * Finds the runs above `threshold` and removes those that pruning removes; in any order.
 * @param runs room for (count + 1) / 2
 * @return how many are left
 */
int64_t lae_dynamic_runs(const double *scores, int64_t count, double threshold, double prune, lae_dynamic_run *runs);

#endif
