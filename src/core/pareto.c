/*
 * Maximum likelihood of the generalised Pareto distribution (Grimshaw 1993, Computing Maximum Likelihood Estimates for
 * the Generalized Pareto Distribution). With theta = shape / scale, the likelihood is stationary where
 *
 *   w(theta) = u v - 1 = 0,  u = mean 1 / (1 + theta y),  v = 1 + mean log(1 + theta y)
 *
 * and there shape = v - 1, scale = shape / theta. theta lies above -1 / max y; w is positive above
 * 2 (mean y - min y) / (min y)^2; and theta = 0, always a root, stands for the exponential distribution.
 * Roots are looked for between the points of a grid, finer towards the ends and 0, and the likelihood chooses.
 */
#include "threshold_rules.h"

#include <math.h>

#define PARETO_GRID 24    /* intervals of a half of either range */
#define PARETO_EDGE 1e-8  /* share of the negative range where its grid begins and ends */
#define PARETO_LEAST 1e-6 /* the positive grid, in units of 1 / mean y */
#define PARETO_MOST 1e6
#define PARETO_ROUNDS 100 /* of narrowing an interval down */
#define PARETO_PRECISION 1e-12

typedef struct pareto_sample {
    const double *y;
    int64_t count;
    double least, most, mean;
} pareto_sample;

typedef struct pareto_search {
    const pareto_sample *sample;
    lae_pareto best;
    double likelihood;
} pareto_search;

static double pareto_w(const pareto_sample *sample, double theta, double *shape)
{
    double u = 0.0, v = 0.0, product = 1.0; /* one logarithm for many terms */
    for (int64_t i = 0; i < sample->count; i++) {
        double term = 1.0 + theta * sample->y[i];
        u += 1.0 / term;
        product *= term;
        if (product > 1e-100 && product < 1e100) continue;
        v += log(product);
        product = 1.0;
    }
    v += log(product);
    *shape = v / (double)sample->count;
    return u / (double)sample->count * (1.0 + *shape) - 1.0;
}

double lae_pareto_likelihood(lae_pareto pareto, const double *excesses, int64_t count)
{
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++) {
        double term = pareto.shape / pareto.scale * excesses[i];
        if (!(1.0 + term > 0.0)) return -INFINITY;
        sum += pareto.shape == 0.0 ? excesses[i] / pareto.scale : (1.0 + 1.0 / pareto.shape) * log1p(term);
    }
    return -(double)count * log(pareto.scale) - sum;
}

/* A root's distribution, where it is one. Below shape -1 the likelihood has no maximum but grows without bound. */
static void pareto_candidate(pareto_search *search, double theta)
{
    double shape = 0.0;
    for (int64_t i = 0; i < search->sample->count; i++) shape += log1p(theta * search->sample->y[i]);
    shape /= (double)search->sample->count;
    lae_pareto pareto = { shape, shape / theta };
    if (!(shape > -1.0) || !(pareto.scale > 0.0)) return;
    double likelihood = lae_pareto_likelihood(pareto, search->sample->y, search->sample->count);
    if (!(likelihood > search->likelihood)) return;
    search->likelihood = likelihood;
    search->best = pareto;
}

/* A root between two places where w has opposite signs: false position, Illinois variant. */
static void pareto_root(pareto_search *search, double a, double wa, double b, double wb)
{
    double shape;
    for (int i = 0; i < PARETO_ROUNDS && fabs(b - a) > PARETO_PRECISION * fabs(b); i++) {
        double c = (a * wb - b * wa) / (wb - wa);
        double wc = pareto_w(search->sample, c, &shape);
        if ((wc > 0.0) != (wb > 0.0)) {
            a = b;
            wa = wb;
        } else {
            wa *= 0.5;
        }
        b = c;
        wb = wc;
        if (wc == 0.0) break;
    }
    pareto_candidate(search, b);
}

/* The next place of the grid: looks for a root between it and the one before; *before is 0 at the beginning. */
static void pareto_step(pareto_search *search, double theta, double *before, double *w_before)
{
    double shape, w = pareto_w(search->sample, theta, &shape);
    if (*before != 0.0 && isfinite(w) && isfinite(*w_before) && (w > 0.0) != (*w_before > 0.0))
        pareto_root(search, *before, *w_before, theta, w);
    *before = theta;
    *w_before = w;
}

/* Roots between -1 / max y and 0: the distribution has an end. */
static void pareto_negative(pareto_search *search)
{
    const double end = -1.0 / search->sample->most, step = pow(0.5 / PARETO_EDGE, 1.0 / PARETO_GRID);
    double before = 0.0, w = 0.0, share = PARETO_EDGE;
    for (int i = 0; i < PARETO_GRID; i++, share *= step) pareto_step(search, end * share, &before, &w);
    for (int i = 0; i <= PARETO_GRID; i++, share /= step) pareto_step(search, end * (1.0 - share), &before, &w);
}

/* Roots above 0: the distribution has a heavy tail, of shape 14 at most. */
static void pareto_positive(pareto_search *search)
{
    const pareto_sample *sample = search->sample;
    double end = 2.0 * (sample->mean - sample->least) / (sample->least * sample->least);
    if (!(end < PARETO_MOST / sample->mean)) end = PARETO_MOST / sample->mean;
    const double step = pow(PARETO_LEAST / PARETO_MOST, 1.0 / (2 * PARETO_GRID));
    double before = 0.0, w = 0.0;
    for (int i = 0; i <= 2 * PARETO_GRID; i++, end *= step) pareto_step(search, end, &before, &w);
}

lae_pareto lae_pareto_fit(const double *excesses, int64_t count)
{
    pareto_sample sample = { excesses, count, excesses[0], excesses[0], 0.0 };
    for (int64_t i = 0; i < count; i++) {
        if (excesses[i] < sample.least) sample.least = excesses[i];
        if (excesses[i] > sample.most) sample.most = excesses[i];
        sample.mean += excesses[i];
    }
    sample.mean /= (double)count;
    pareto_search search = { &sample, { 0.0, sample.mean }, 0.0 };
    search.likelihood = lae_pareto_likelihood(search.best, excesses, count);
    if (!(sample.most > sample.least)) return search.best;
    pareto_negative(&search);
    pareto_positive(&search);
    return search.best;
}

double lae_pareto_quantile(lae_pareto pareto, double tail)
{
    if (pareto.shape == 0.0) return -pareto.scale * log(tail);
    return pareto.scale / pareto.shape * expm1(-pareto.shape * log(tail));
}
