/* Scores: errors, overlapping windows, the distribution of errors, smoothing; against NumPy and SciPy. */
#include "faults.h"

#include "../golden/timeseries.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOWS = 9, LENGTH = 6, CHANNELS = 2, ERRORS = 60, NEW = 10, D = 3 };

static lstmae_context *context;

static int score_setup(void **state)
{
    (void)state;
    context = test_context("cpu:ref", LSTMAE_F32);
    return 0;
}

static int score_teardown(void **state)
{
    (void)state;
    lstmae_context_destroy(context);
    return 0;
}

/* Values rounded once to float from double. */
static void near_floats(const char *what, const float *got, const double *want, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - want[i]) <= 6e-8 * fabs(want[i]) + 1e-12))
            fail_msg("%s: %d: got %.9g, wanted %.17g", what, (int)i, (double)got[i], want[i]);
}

/* ---- errors ---- */

static void score_errors_of_each_kind(void **state)
{
    const float x[] = { 1, -2, 0.5f, 7 }, y[] = { 3, -2, -0.5f, 6.5f };
    static const float want[3][4] = { { 2, 0, 1, 0.5f }, { 4, 0, 1, 0.25f }, { -2, 0, 1, 0.5f } };
    float out[4], scores[2];
    (void)state;
    for (int32_t kind = 0; kind < 3; kind++) {
        assert_ok(lstmae_errors(kind, x, y, 4, out));
        assert_memory_equal(out, want[kind], sizeof out);
    }
    memcpy(out, x, sizeof out);
    assert_ok(lstmae_errors(LSTMAE_ERROR_ABSOLUTE, out, y, 4, out));
    assert_memory_equal(out, want[0], sizeof out);
    assert_ok(lstmae_error_scores(want[1], 2, 2, scores));
    assert_true(scores[0] == 2.0f && scores[1] == 0.625f);
    assert_ok(lstmae_error_scores(want[1], 1, 4, scores));
    assert_true(scores[0] == 1.3125f);
}

/* ---- overlapping windows ---- */

static const double *const points_want[4][3] = {
    { ts_points_mean_1, ts_points_mean_2, ts_points_mean_4 },
    { ts_points_median_1, ts_points_median_2, ts_points_median_4 },
    { ts_points_last_1, ts_points_last_2, ts_points_last_4 },
    { ts_points_max_1, ts_points_max_2, ts_points_max_4 },
};

static void score_points_equal_the_definition(void **state)
{
    static const int64_t strides[] = { 1, 2, 4 };
    (void)state;
    for (int32_t rule = 0; rule < 4; rule++) {
        for (int s = 0; s < 3; s++) {
            float rows[(8 * 4 + LENGTH) * CHANNELS];
            lstmae_points_options options = LSTMAE_POINTS_OPTIONS_INIT;
            options.rule = rule;
            options.length = LENGTH;
            options.stride = strides[s];
            options.channels = CHANNELS;
            assert_ok(lstmae_points_join(context, &options, ts_windows, WINDOWS, rows));
            near_floats("points", rows, points_want[rule][s], (8 * strides[s] + LENGTH) * CHANNELS);
        }
    }
}

/* Windows as they lie in a batch [T,B,F], two recordings one after the other. */
static void score_points_are_pushed_one_by_one(void **state)
{
    enum { PITCH = 5 };
    float spread[LENGTH * PITCH], rows[14 * CHANNELS];
    (void)state;
    for (int32_t rule = 0; rule < 4; rule++) {
        lstmae_points_options options = LSTMAE_POINTS_OPTIONS_INIT;
        lstmae_points *points = NULL;
        options.rule = rule;
        options.length = LENGTH;
        options.channels = CHANNELS;
        assert_ok(lstmae_points_create(&points, context, &options));
        assert_fails(lstmae_points_finish(points, rows), ERR_STATE);
        for (int recording = 0; recording < 2; recording++) {
            for (int n = 0; n < WINDOWS; n++) {
                for (int t = 0; t < LENGTH; t++)
                    memcpy(spread + t * PITCH, ts_windows + (n * LENGTH + t) * CHANNELS, CHANNELS * sizeof(float));
                assert_ok(lstmae_points_push(points, spread, PITCH, rows + n * CHANNELS));
            }
            assert_ok(lstmae_points_finish(points, rows + WINDOWS * CHANNELS));
            near_floats("points", rows, points_want[rule][0], 14 * CHANNELS);
        }
        lstmae_points_destroy(points);
    }
}

static void score_points_without_overlap_are_the_windows(void **state)
{
    float rows[WINDOWS * LENGTH * CHANNELS];
    (void)state;
    for (int32_t rule = 0; rule < 4; rule++) {
        lstmae_points_options options = LSTMAE_POINTS_OPTIONS_INIT;
        options.rule = rule;
        options.length = options.stride = LENGTH;
        options.channels = CHANNELS;
        assert_ok(lstmae_points_join(context, &options, ts_windows, WINDOWS, rows));
        assert_memory_equal(rows, ts_windows, sizeof rows);
    }
}

static void score_points_hand_nan_on(void **state)
{
    const float windows[] = { 1, NAN, 3, 5, NAN, 4 }; /* three of two rows */
    (void)state;
    for (int32_t rule = 0; rule < 4; rule++) {
        float rows[4];
        lstmae_points_options options = LSTMAE_POINTS_OPTIONS_INIT;
        options.rule = rule;
        options.length = 2;
        assert_ok(lstmae_points_join(context, &options, windows, 3, rows));
        assert_true(isnan(rows[1]) && rows[0] == 1.0f && rows[3] == 4.0f);
        assert_true(rule == LSTMAE_POINT_LAST ? rows[2] == 5.0f : isnan(rows[2]));
    }
}

/* ---- the distribution of errors ---- */

static lstmae_gaussian *new_gaussian(double regularisation, int64_t memory)
{
    lstmae_gaussian_options options = LSTMAE_GAUSSIAN_OPTIONS_INIT;
    lstmae_gaussian *gaussian = NULL;
    options.regularisation = regularisation;
    options.memory = memory;
    assert_ok(lstmae_gaussian_create(&gaussian, context, D, &options));
    return gaussian;
}

static void score_gaussian_equals_scipy(void **state)
{
    lstmae_gaussian *gaussian = new_gaussian(1e-3, 0);
    float scores[NEW], parts[NEW * D];
    (void)state;
    assert_fails(lstmae_gaussian_score_errors(gaussian, 0, ts_errors, 1, scores, NULL), ERR_STATE);
    assert_ok(lstmae_gaussian_fit(gaussian, ts_errors, ERRORS));
    const float *new_errors = ts_errors + ERRORS * D;
    assert_ok(lstmae_gaussian_score_errors(gaussian, LSTMAE_GAUSSIAN_DENSITY, new_errors, NEW, scores, NULL));
    near_floats("density", scores, ts_gaussian_density, NEW);
    assert_ok(lstmae_gaussian_score_errors(gaussian, LSTMAE_GAUSSIAN_MAHALANOBIS, new_errors, NEW, scores, parts));
    near_floats("mahalanobis", scores, ts_gaussian_mahalanobis, NEW);
    near_floats("contributions", parts, ts_gaussian_contributions, NEW * D);
    for (int i = 0; i < NEW; i += 5) assert_ok(lstmae_gaussian_update(gaussian, new_errors + i * D, 5));
    assert_ok(lstmae_gaussian_score_errors(gaussian, LSTMAE_GAUSSIAN_DENSITY, new_errors, NEW, scores, NULL));
    near_floats("updated", scores, ts_gaussian_updated, NEW);
    lstmae_gaussian_destroy(gaussian);
}

static void score_gaussian_keeps_what_it_was_after_errors(void **state)
{
    lstmae_gaussian *gaussian = new_gaussian(0, 0);
    float flat[4 * D], scores[NEW], before[NEW];
    (void)state;
    assert_ok(lstmae_gaussian_fit(gaussian, ts_errors, ERRORS));
    assert_ok(lstmae_gaussian_score_errors(gaussian, 0, ts_errors, NEW, before, NULL));
    for (int i = 0; i < 4 * D; i++) flat[i] = i % D == 1 ? 5.0f : (float)(i * i % 7);
    assert_fails(lstmae_gaussian_fit(gaussian, flat, 4), ERR_NUMERIC); /* a channel is constant */
    for (int i = 0; i < 4 * D; i++) flat[i] = 2.5f;
    assert_fails(lstmae_gaussian_fit(gaussian, flat, 4), ERR_NUMERIC); /* all are */
    flat[5] = INFINITY;
    assert_fails(lstmae_gaussian_fit(gaussian, flat, 4), ERR_NUMERIC);
    assert_fails(lstmae_gaussian_update(gaussian, flat, 4), ERR_NUMERIC);
    assert_ok(lstmae_gaussian_score_errors(gaussian, 0, ts_errors, NEW, scores, NULL));
    assert_memory_equal(scores, before, sizeof scores);
    lstmae_gaussian_destroy(gaussian);
}

/* Channels that do not vary, or are sums of others, are what regularisation is for. */
static void score_gaussian_regularisation_allows_singular(void **state)
{
    lstmae_gaussian *gaussian = new_gaussian(1e-6, 0), *strict = new_gaussian(0, 0);
    float errors[20 * D], score;
    (void)state;
    for (int i = 0; i < 20; i++) {
        errors[i * D] = (float)(i * 7 % 20);
        errors[i * D + 1] = (float)(i * 3 % 20);
        errors[i * D + 2] = errors[i * D] + errors[i * D + 1];
    }
    assert_fails(lstmae_gaussian_fit(strict, errors, 20), ERR_NUMERIC);
    assert_ok(lstmae_gaussian_fit(gaussian, errors, 20));
    assert_ok(lstmae_gaussian_score_errors(gaussian, 1, errors, 1, &score, NULL));
    assert_true(isfinite(score));
    lstmae_gaussian_destroy(gaussian);
    lstmae_gaussian_destroy(strict);
}

static void score_gaussian_state_moves_to_another(void **state)
{
    lstmae_gaussian *gaussian = new_gaussian(1e-3, 40), *other = new_gaussian(0.5, 40);
    double numbers[32], broken[32];
    float want[NEW], got[NEW];
    int64_t count = lstmae_gaussian_state_count(gaussian);
    (void)state;
    assert_int_equal(count, 3 + 3 + 6);
    assert_ok(lstmae_gaussian_get_state(gaussian, numbers, count)); /* not fitted */
    assert_ok(lstmae_gaussian_fit(other, ts_errors, ERRORS));
    assert_ok(lstmae_gaussian_set_state(other, numbers, count));
    assert_fails(lstmae_gaussian_score_errors(other, 0, ts_errors, 1, got, NULL), ERR_STATE);
    assert_ok(lstmae_gaussian_fit(gaussian, ts_errors, ERRORS));
    assert_ok(lstmae_gaussian_get_state(gaussian, numbers, count));
    assert_fails(lstmae_gaussian_get_state(gaussian, numbers, count + 1), ERR_SHAPE);
    assert_fails(lstmae_gaussian_set_state(other, numbers, count - 1), ERR_SHAPE);
    for (int64_t i = 0; i < count; i++) {
        memcpy(broken, numbers, sizeof broken);
        broken[i] = i == 0 ? 4 : i < 3 ? -1 : NAN;
        assert_fails(lstmae_gaussian_set_state(other, broken, count), ERR_FORMAT);
    }
    memcpy(broken, numbers, sizeof broken);
    broken[7] = 100.0 * sqrt(numbers[6] * numbers[8]); /* a correlation above 1 */
    assert_fails(lstmae_gaussian_set_state(other, broken, count), ERR_FORMAT);
    assert_fails(lstmae_gaussian_score_errors(other, 0, ts_errors, 1, got, NULL), ERR_STATE);
    assert_ok(lstmae_gaussian_set_state(other, numbers, count));
    assert_ok(lstmae_gaussian_update(gaussian, ts_errors + ERRORS * D, NEW));
    assert_ok(lstmae_gaussian_update(other, ts_errors + ERRORS * D, NEW));
    assert_ok(lstmae_gaussian_score_errors(gaussian, 1, ts_errors, NEW, want, NULL));
    assert_ok(lstmae_gaussian_score_errors(other, 1, ts_errors, NEW, got, NULL));
    assert_memory_equal(got, want, sizeof got);
    lstmae_gaussian_destroy(gaussian);
    lstmae_gaussian_destroy(other);
}

/* ---- smoothing ---- */

static void score_ewma_equals_the_sums(void **state)
{
    lstmae_ewma plain = LSTMAE_EWMA_INIT, adjusted = LSTMAE_EWMA_INIT;
    (void)state;
    plain.alpha = adjusted.alpha = 2.0 / (7 + 1);
    adjusted.flags = LSTMAE_EWMA_ADJUST;
    for (int i = 0; i < 25; i++) {
        if (i == 9) {
            assert_true(isnan(lstmae_ewma_update(&plain, NAN)));
            assert_true(isnan(lstmae_ewma_update(&adjusted, INFINITY)));
        }
        assert_true(fabs(lstmae_ewma_update(&plain, ts_ewma_values[i]) - ts_ewma_plain[i]) < 1e-14);
        assert_true(fabs(lstmae_ewma_update(&adjusted, ts_ewma_values[i]) - ts_ewma_adjusted[i]) < 1e-14);
    }
}

/* ---- memory ---- */

static lstmae_status life(test_heap *heap)
{
    lstmae_context *with = NULL;
    lstmae_gaussian *gaussian = NULL;
    lstmae_points *mean = NULL, *median = NULL;
    lstmae_points_options options = LSTMAE_POINTS_OPTIONS_INIT;
    float rows[14 * CHANNELS], score;
    lstmae_status status = test_heap_context(&with, heap);
    options.length = LENGTH;
    options.channels = CHANNELS;
    if (status == LSTMAE_OK) status = lstmae_gaussian_create(&gaussian, with, D, NULL);
    if (status == LSTMAE_OK) status = lstmae_points_create(&mean, with, &options);
    if (status == LSTMAE_OK) status = lstmae_points_join(with, &options, ts_windows, WINDOWS, rows);
    options.rule = LSTMAE_POINT_MEDIAN;
    if (status == LSTMAE_OK) status = lstmae_points_create(&median, with, &options);
    if (status == LSTMAE_OK) {
        long uses = heap->fault.uses; /* from here on nothing is allocated */
        assert_ok(lstmae_gaussian_fit(gaussian, ts_errors, ERRORS));
        assert_ok(lstmae_gaussian_update(gaussian, ts_errors, 2));
        assert_ok(lstmae_gaussian_score_errors(gaussian, 0, ts_errors, 1, &score, NULL));
        for (int i = 0; i < 20; i++) {
            assert_ok(lstmae_points_push(mean, ts_windows, 0, rows));
            assert_ok(lstmae_points_push(median, ts_windows, 0, rows));
        }
        assert_ok(lstmae_points_finish(median, rows));
        assert_int_equal(heap->fault.uses, uses);
    }
    lstmae_context_destroy(with);
    lstmae_gaussian_destroy(gaussian);
    lstmae_points_destroy(mean);
    lstmae_points_destroy(median);
    return status;
}

static void score_survives_memory_that_runs_out(void **state)
{
    test_heap heap;
    (void)state;
    memset(&heap, 0, sizeof heap);
    assert_int_equal(life(&heap), LSTMAE_OK);
    long uses = heap.fault.uses;
    for (long at = 1; at <= uses; at++) {
        memset(&heap, 0, sizeof heap);
        heap.fault.at = at;
        assert_int_equal(life(&heap), LSTMAE_ERR_NO_MEMORY);
        assert_int_equal(heap.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(score_errors_of_each_kind),
        cmocka_unit_test(score_points_equal_the_definition),
        cmocka_unit_test(score_points_are_pushed_one_by_one),
        cmocka_unit_test(score_points_without_overlap_are_the_windows),
        cmocka_unit_test(score_points_hand_nan_on),
        cmocka_unit_test(score_gaussian_equals_scipy),
        cmocka_unit_test(score_gaussian_keeps_what_it_was_after_errors),
        cmocka_unit_test(score_gaussian_regularisation_allows_singular),
        cmocka_unit_test(score_gaussian_state_moves_to_another),
        cmocka_unit_test(score_ewma_equals_the_sums),
        cmocka_unit_test(score_survives_memory_that_runs_out),
    };
    return cmocka_run_group_tests(tests, score_setup, score_teardown);
}
