/* Thresholds against NumPy, direct searches for the largest likelihood, and the papers' rules in plain Python. */
#include "faults.h"

#include "../golden/timeseries.h"
#include "select.h"
#include "threshold_rules.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FITTED = 400, ALL = 600, DYNAMIC = 800 };

static lstmae_context *context;

static int threshold_setup(void **state)
{
    (void)state;
    context = test_context("cpu:ref", LSTMAE_F32);
    return 0;
}

static int threshold_teardown(void **state)
{
    (void)state;
    lstmae_context_destroy(context);
    return 0;
}

static void near(const char *what, double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance * (1.0 + fabs(want)))) fail_msg("%s: got %.17g, wanted %.17g", what, got, want);
}

static lstmae_threshold *new_threshold(const lstmae_threshold_options *options)
{
    lstmae_threshold *threshold = NULL;
    assert_ok(lstmae_threshold_create(&threshold, context, options));
    assert_true(isnan(lstmae_threshold_value(threshold)));
    return threshold;
}

static void threshold_quantiles_equal_numpy(void **state)
{
    static const double q[] = { 0.0, 0.25, 0.5, 0.9, 0.99, 0.995, 1.0 };
    (void)state;
    for (int i = 0; i < 7; i++) {
        lstmae_threshold_options options = LSTMAE_THRESHOLD_QUANTILE_INIT;
        options.quantile = q[i];
        options.factor = 1.5;
        lstmae_threshold *threshold = new_threshold(&options);
        assert_ok(lstmae_threshold_fit(threshold, ts_scores, FITTED));
        near("quantile", lstmae_threshold_value(threshold), 1.5 * ts_quantiles[i], 1e-15);
        lstmae_threshold_destroy(threshold);
    }
}

/* Orders that are worst for simple ways of selecting. */
static void threshold_selection_is_right_for_any_order(void **state)
{
    float values[1000];
    (void)state;
    for (int order = 0; order < 5; order++) {
        for (size_t k = 0; k < 1000; k += 37) {
            for (int i = 0; i < 1000; i++)
                values[i] = (float)(order == 0 ? i : order == 1 ? 999 - i : order == 2 ? i * 7919 % 1000
                                    : order == 3 ? (i < 500 ? 2 * i : 2 * (999 - i) + 1) : i % 3);
            lae_select(values, 1000, k);
            if (order < 4) assert_true(values[k] == (float)k);
            for (size_t i = 0; i < 1000; i++) assert_true(i < k ? values[i] <= values[k] : values[i] >= values[k]);
        }
    }
    /* the median of first, middle and last is the second largest of what is left, every time (McIlroy 1999) */
    for (int i = 0; i < 1000; i++) values[i] = (float)(i == 999 ? 1 : i % 2 ? i + 2 : i);
    lae_select(values, 1000, 998);
    assert_true(values[998] == 998.0f && values[999] == 999.0f);
}

static void threshold_sigma_equals_numpy(void **state)
{
    lstmae_threshold_options options = LSTMAE_THRESHOLD_SIGMA_INIT;
    lstmae_threshold *threshold = new_threshold(&options);
    unsigned char alarms[ALL];
    (void)state;
    assert_fails(lstmae_threshold_update(threshold, 1.0), ERR_STATE);
    assert_fails(lstmae_threshold_apply(threshold, ts_scores, ALL, alarms), ERR_STATE);
    assert_ok(lstmae_threshold_fit(threshold, ts_scores, FITTED));
    near("sigma", lstmae_threshold_value(threshold), TS_SIGMA_3, 1e-14);
    double value = lstmae_threshold_value(threshold);
    assert_ok(lstmae_threshold_apply(threshold, ts_scores, ALL, alarms));
    for (int i = 0; i < ALL; i++) {
        assert_int_equal(alarms[i], (double)ts_scores[i] > TS_SIGMA_3);
        assert_int_equal(lstmae_threshold_update(threshold, (double)ts_scores[i]), alarms[i]);
    }
    assert_true(lstmae_threshold_value(threshold) == value); /* not ONLINE */
    assert_int_equal(lstmae_threshold_update(threshold, value), 0); /* not above */
    lstmae_threshold_destroy(threshold);
}

static void threshold_learns_online(void **state)
{
    lstmae_threshold_options sigma = LSTMAE_THRESHOLD_SIGMA_INIT, quantile = LSTMAE_THRESHOLD_QUANTILE_INIT;
    (void)state;
    sigma.flags = quantile.flags = LSTMAE_THRESHOLD_ONLINE;
    sigma.factor = 2.0;
    quantile.quantile = 0.95;
    quantile.factor = 1.1;
    quantile.window = 100;
    lstmae_threshold *a = new_threshold(&sigma), *b = new_threshold(&quantile);
    assert_ok(lstmae_threshold_fit(a, ts_scores, FITTED));
    assert_ok(lstmae_threshold_fit(b, ts_scores, FITTED));
    for (int i = 0; i < 50; i++) {
        double score = (double)ts_scores[FITTED + i];
        assert_true(lstmae_threshold_update(a, score) >= 0);
        near("sigma", lstmae_threshold_value(a), ts_sigma_online[i], 1e-13);
        assert_true(lstmae_threshold_update(b, score) >= 0);
        near("quantile", lstmae_threshold_value(b), ts_quantile_online[i], 1e-15);
    }
    lstmae_threshold_destroy(a);
    lstmae_threshold_destroy(b);
}

/* ---- peaks over threshold ---- */

static void check_pareto(const char *what, const double *sample, int64_t count, const double *want)
{
    lae_pareto fit = lae_pareto_fit(sample, count);
    double likelihood = lae_pareto_likelihood(fit, sample, count);
    /* the search's own precision is that of a likelihood in double: about 1e-15 of it, the root in the parameters */
    near(what, likelihood, want[2], 1e-12);
    near(what, fit.shape, want[0], 1e-6);
    near(what, fit.scale, want[1], 1e-6);
}

static void threshold_pareto_has_the_largest_likelihood(void **state)
{
    double excesses[FITTED];
    float copy[FITTED];
    int64_t count = 0;
    (void)state;
    memcpy(copy, ts_scores, sizeof copy);
    double level = lae_quantile(copy, FITTED, 0.9);
    for (int i = 0; i < FITTED; i++)
        if ((double)ts_scores[i] > level) excesses[count++] = (double)ts_scores[i] - level;
    assert_int_equal(count, 40);
    check_pareto("scores", excesses, count, ts_pareto);
    check_pareto("ended", ts_pareto_ended_sample, 80, ts_pareto_ended);
    check_pareto("heavy", ts_pareto_heavy_sample, 80, ts_pareto_heavy);
    check_pareto("exponential", ts_pareto_exponential_sample, 80, ts_pareto_exponential);
}

/* Samples without an inner maximum, or hardly any spread: something finite comes out. */
static void threshold_pareto_survives_odd_samples(void **state)
{
    static const double samples[][6] = {
        { 1, 1, 1, 1, 1, 1 }, { 1e-300, 1e-300, 2e-300, 1e-300, 1e-300, 3e-300 }, { 1e300, 2e300, 3e300, 4e299, 1, 1 },
        { 1e-12, 1, 1, 1, 1, 1 }, { 1, 2, 3, 4, 5, 6 }, { 1, 1, 1, 1, 1, 1.0000000000000002 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        lae_pareto fit = lae_pareto_fit(samples[i], 6);
        if (!isfinite(fit.shape) || !(fit.scale > 0.0) || !isfinite(lae_pareto_quantile(fit, 0.1)))
            fail_msg("sample %d: shape %g, scale %g", (int)i, fit.shape, fit.scale);
    }
    lae_pareto one = lae_pareto_fit(samples[4], 1), exponential = { 0.0, 2.0 };
    assert_true(one.shape == 0.0 && one.scale == 1.0);
    near("exponential", lae_pareto_quantile(exponential, 0.01), -2.0 * log(0.01), 1e-15);
}

static void threshold_spot_follows_the_paper(void **state)
{
    lstmae_threshold_options options = LSTMAE_THRESHOLD_SPOT_INIT;
    (void)state;
    options.quantile = 0.9;
    options.risk = 1e-3;
    lstmae_threshold *threshold = new_threshold(&options);
    assert_fails(lstmae_threshold_fit(threshold, ts_scores, 90), ERR_INVALID_ARG); /* 9 excesses */
    assert_true(isnan(lstmae_threshold_value(threshold)));
    assert_ok(lstmae_threshold_fit(threshold, ts_scores, FITTED));
    for (int i = 0; i < 100; i++) {
        assert_int_equal(lstmae_threshold_update(threshold, (double)ts_spot_stream[i]), ts_spot_alarms[i]);
        near("spot", lstmae_threshold_value(threshold), ts_spot_values[i], 1e-6);
    }
    lstmae_threshold_destroy(threshold);
}

/* ---- the dynamic rule ---- */

static lstmae_threshold_options dynamic_options(double prune)
{
    lstmae_threshold_options options = LSTMAE_THRESHOLD_DYNAMIC_INIT;
    options.window = 200;
    options.batch = 50;
    options.prune = prune;
    return options;
}

static void threshold_dynamic_follows_the_paper(void **state)
{
    (void)state;
    for (int pruned = 0; pruned < 2; pruned++) {
        lstmae_threshold_options options = dynamic_options(pruned ? 0.13 : 0.0);
        lstmae_threshold *threshold = new_threshold(&options);
        unsigned char alarms[DYNAMIC];
        int differ = 0;
        assert_ok(lstmae_threshold_apply(threshold, ts_dynamic_scores, DYNAMIC, alarms));
        assert_memory_equal(alarms, pruned ? ts_dynamic_alarms_13 : ts_dynamic_alarms_0, sizeof alarms);
        for (int i = 0; i < DYNAMIC; i++) differ += ts_dynamic_alarms_13[i] != ts_dynamic_alarms_0[i];
        assert_true(differ > 0);
        lstmae_threshold_destroy(threshold);
    }
}

static void threshold_dynamic_weighs_runs(void **state)
{
    int runs = 0, pruned = 0;
    (void)state;
    for (int n = 0; n < 24; n++) {
        lstmae_threshold_options options = dynamic_options(0.2);
        const float *scores = ts_dynamic_small + 40 * n;
        unsigned char alarms[40];
        options.z_low = 0.5;
        options.z_high = 4.0;
        options.z_step = 0.125;
        lstmae_threshold *threshold = new_threshold(&options);
        assert_ok(lstmae_threshold_apply(threshold, scores, 40, alarms));
        assert_memory_equal(alarms, ts_dynamic_small_alarms + 40 * n, sizeof alarms);
        assert_ok(lstmae_threshold_fit(threshold, scores, 40));
        near("epsilon", lstmae_threshold_value(threshold), ts_dynamic_small_values[n], 1e-13);
        for (int i = 0; i < 40; i++) {
            int above = (double)scores[i] > ts_dynamic_small_values[n];
            runs += alarms[i] && (i == 0 || !alarms[i - 1]);
            pruned += above && !alarms[i];
        }
        lstmae_threshold_destroy(threshold);
    }
    assert_true(runs > 15 && pruned > 15);
}

/* In a stream the threshold is evaluated after each batch, over the same windows. */
static void threshold_dynamic_moves_with_a_stream(void **state)
{
    lstmae_threshold_options options = dynamic_options(0.13);
    lstmae_threshold *threshold = new_threshold(&options), *fitted = new_threshold(&options);
    (void)state;
    for (int i = 0; i < DYNAMIC; i++) {
        double before = lstmae_threshold_value(threshold), score = (double)ts_dynamic_scores[i];
        assert_int_equal(lstmae_threshold_update(threshold, score), score > before);
        if (i >= 199 && (i + 1) % 50 == 0)
            near("dynamic", lstmae_threshold_value(threshold), ts_dynamic_values[(i - 199) / 50], 1e-13);
    }
    assert_ok(lstmae_threshold_fit(fitted, ts_dynamic_scores, DYNAMIC));
    assert_true(lstmae_threshold_value(fitted) == lstmae_threshold_value(threshold));
    lstmae_threshold_destroy(threshold);
    lstmae_threshold_destroy(fitted);
}

static void threshold_dynamic_without_anomalies_has_no_alarms(void **state)
{
    lstmae_threshold_options options = dynamic_options(0.13);
    lstmae_threshold *threshold = new_threshold(&options);
    float scores[120];
    unsigned char alarms[120];
    (void)state;
    for (int i = 0; i < 120; i++) scores[i] = 1.0f;
    assert_ok(lstmae_threshold_apply(threshold, scores, 120, alarms));
    for (int i = 0; i < 120; i++) assert_int_equal(alarms[i], 0);
    for (int i = 0; i < 120; i++) scores[i] = (float)(1 + i % 7);
    assert_ok(lstmae_threshold_apply(threshold, scores, 120, alarms));
    for (int i = 0; i < 120; i++) assert_int_equal(alarms[i], 0);
    assert_ok(lstmae_threshold_apply(threshold, scores, 0, alarms));
    lstmae_threshold_destroy(threshold);
}

/* ---- state, errors, memory ---- */

enum { KINDS = 5 };

static lstmae_threshold_options kind_options(int kind)
{
    lstmae_threshold_options quantile = LSTMAE_THRESHOLD_QUANTILE_INIT, sigma = LSTMAE_THRESHOLD_SIGMA_INIT;
    lstmae_threshold_options spot = LSTMAE_THRESHOLD_SPOT_INIT;
    quantile.window = spot.window = 30;
    spot.quantile = 0.9;
    if (kind == 1) quantile.flags = LSTMAE_THRESHOLD_ONLINE;
    sigma.flags = LSTMAE_THRESHOLD_ONLINE;
    return kind <= 1 ? quantile : kind == 2 ? sigma : kind == 3 ? spot : dynamic_options(0.13);
}

static void threshold_state_moves_to_another(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        lstmae_threshold_options options = kind_options(kind), different = kind_options(kind == 2 ? 3 : 2);
        lstmae_threshold *threshold = new_threshold(&options), *other = new_threshold(&options);
        lstmae_threshold *wrong = new_threshold(&different);
        double numbers[256], again[256];
        int64_t count = lstmae_threshold_state_count(threshold);
        assert_ok(lstmae_threshold_get_state(threshold, numbers, count)); /* not fitted */
        assert_ok(lstmae_threshold_set_state(other, numbers, count));
        assert_ok(lstmae_threshold_fit(threshold, ts_scores, 350));
        for (int i = 350; i < 377; i++) assert_true(lstmae_threshold_update(threshold, (double)ts_scores[i]) >= 0);
        assert_ok(lstmae_threshold_get_state(threshold, numbers, count));
        assert_fails(lstmae_threshold_get_state(threshold, numbers, count - 1), ERR_SHAPE);
        assert_fails(lstmae_threshold_set_state(other, numbers, count + 1), ERR_SHAPE);
        assert_true(lstmae_threshold_set_state(wrong, numbers, count) < 0);
        for (int64_t i = 0; i < count; i++) {
            memcpy(again, numbers, sizeof again);
            again[i] = i == 2 ? INFINITY : NAN;
            assert_true(lstmae_threshold_set_state(other, again, count) < 0);
            assert_true(isnan(lstmae_threshold_value(other)));
        }
        assert_ok(lstmae_threshold_set_state(other, numbers, count));
        for (int i = 377; i < ALL; i++) {
            double score = (double)ts_scores[i];
            assert_int_equal(lstmae_threshold_update(threshold, score), lstmae_threshold_update(other, score));
            assert_true(lstmae_threshold_value(threshold) == lstmae_threshold_value(other));
        }
        lstmae_threshold_destroy(threshold);
        lstmae_threshold_destroy(other);
        lstmae_threshold_destroy(wrong);
    }
}

static void threshold_refuses_what_is_not_finite(void **state)
{
    float scores[ALL];
    unsigned char alarms[ALL];
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        lstmae_threshold_options options = kind_options(kind);
        lstmae_threshold *threshold = new_threshold(&options);
        assert_ok(lstmae_threshold_fit(threshold, ts_scores, FITTED));
        double value = lstmae_threshold_value(threshold);
        memcpy(scores, ts_scores, sizeof scores);
        scores[77] = NAN;
        assert_fails(lstmae_threshold_fit(threshold, scores, FITTED), ERR_NUMERIC);
        assert_fails(lstmae_threshold_apply(threshold, scores, FITTED, alarms), ERR_NUMERIC);
        assert_fails(lstmae_threshold_update(threshold, NAN), ERR_NUMERIC);
        assert_fails(lstmae_threshold_update(threshold, INFINITY), ERR_NUMERIC);
        assert_true(lstmae_threshold_value(threshold) == value);
        lstmae_threshold_destroy(threshold);
    }
}

static lstmae_status life(test_heap *heap, int kind)
{
    lstmae_threshold_options options = kind_options(kind);
    lstmae_context *with = NULL;
    lstmae_threshold *threshold = NULL;
    unsigned char alarms[ALL];
    lstmae_status status = test_heap_context(&with, heap);
    if (status == LSTMAE_OK) status = lstmae_threshold_create(&threshold, with, &options);
    if (status == LSTMAE_OK) status = lstmae_threshold_fit(threshold, ts_scores, FITTED);
    if (status == LSTMAE_OK) {
        long uses = heap->fault.uses; /* a stream allocates nothing */
        for (int i = 0; i < ALL; i++) assert_true(lstmae_threshold_update(threshold, (double)ts_scores[i]) >= 0);
        assert_ok(lstmae_threshold_apply(threshold, ts_scores, ALL, alarms));
        assert_int_equal(heap->fault.uses, uses);
    }
    lstmae_context_destroy(with);
    lstmae_threshold_destroy(threshold);
    return status;
}

static void threshold_survives_memory_that_runs_out(void **state)
{
    test_heap heap;
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        memset(&heap, 0, sizeof heap);
        assert_int_equal(life(&heap, kind), LSTMAE_OK);
        long uses = heap.fault.uses;
        for (long at = 1; at <= uses; at++) {
            memset(&heap, 0, sizeof heap);
            heap.fault.at = at;
            assert_int_equal(life(&heap, kind), LSTMAE_ERR_NO_MEMORY);
            assert_int_equal(heap.live, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threshold_quantiles_equal_numpy),
        cmocka_unit_test(threshold_selection_is_right_for_any_order),
        cmocka_unit_test(threshold_sigma_equals_numpy),
        cmocka_unit_test(threshold_learns_online),
        cmocka_unit_test(threshold_pareto_has_the_largest_likelihood),
        cmocka_unit_test(threshold_pareto_survives_odd_samples),
        cmocka_unit_test(threshold_spot_follows_the_paper),
        cmocka_unit_test(threshold_dynamic_follows_the_paper),
        cmocka_unit_test(threshold_dynamic_weighs_runs),
        cmocka_unit_test(threshold_dynamic_moves_with_a_stream),
        cmocka_unit_test(threshold_dynamic_without_anomalies_has_no_alarms),
        cmocka_unit_test(threshold_state_moves_to_another),
        cmocka_unit_test(threshold_refuses_what_is_not_finite),
        cmocka_unit_test(threshold_survives_memory_that_runs_out),
    };
    return cmocka_run_group_tests(tests, threshold_setup, threshold_teardown);
}
