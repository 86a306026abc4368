/* Measures of alarms and scores against scikit-learn, and what is by definition. */
#include "faults.h"

#include "../golden/timeseries.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RECORDINGS = 2, LENGTH = 150 };

static void near(const char *what, double got, double want)
{
    if (!(fabs(got - want) <= 1e-14)) fail_msg("%s: got %.17g, wanted %.17g", what, got, want);
}

static void near_f1(const char *what, lstmae_f1 got, const double *want)
{
    near(what, got.precision, want[0]);
    near(what, got.recall, want[1]);
    near(what, got.f1, want[2]);
}

static void detection_equals_sklearn(void **state)
{
    lstmae_detection d = LSTMAE_DETECTION_INIT;
    (void)state;
    for (int i = 0; i < RECORDINGS; i++)
        assert_ok(lstmae_detection_add(&d, ts_truth + i * LENGTH, ts_alarms + i * LENGTH, LENGTH));
    assert_int_equal(d.true_positives, ts_counts[0]);
    assert_int_equal(d.false_positives, ts_counts[1]);
    assert_int_equal(d.true_negatives, ts_counts[2]);
    assert_int_equal(d.false_negatives, ts_counts[3]);
    assert_int_equal(d.events, ts_events[0]);
    assert_int_equal(d.found_events, ts_events[1]);
    assert_int_equal(d.false_events, ts_events[2]);
    assert_int_equal(d.delay_sum, ts_events[3]);
    assert_int_equal(d.delay_max, ts_events[4]);
    near_f1("point", d.point, ts_f1_point);
    near_f1("adjusted", d.adjusted, ts_f1_adjusted);
    near_f1("event", d.event, ts_f1_event);
    near("false alarms", d.false_alarm_rate, ts_rates[0]);
    near("missed alarms", d.missed_alarm_rate, ts_rates[1]);
    near("delay", d.mean_delay, (double)ts_events[3] / ts_events[1]);
}

/* Nothing to find, nothing found, everything an event: no division by zero. */
static void detection_of_one_kind_alone(void **state)
{
    static const unsigned char none[5] = { 0 }, all[5] = { 1, 2, 255, 1, 1 };
    lstmae_detection d = LSTMAE_DETECTION_INIT;
    (void)state;
    assert_ok(lstmae_detection_add(&d, NULL, NULL, 0));
    assert_ok(lstmae_detection_add(&d, none, none, 5));
    assert_true(d.point.f1 == 0 && d.event.f1 == 0 && d.false_alarm_rate == 0 && d.missed_alarm_rate == 0);
    assert_int_equal(d.true_negatives, 5);
    d = (lstmae_detection)LSTMAE_DETECTION_INIT;
    assert_ok(lstmae_detection_add(&d, all, all, 5));
    assert_true(d.point.f1 == 1 && d.adjusted.f1 == 1 && d.event.f1 == 1 && d.mean_delay == 0);
    assert_int_equal(d.events, 1);
    assert_ok(lstmae_detection_add(&d, all, all, 5)); /* another recording: another event */
    assert_int_equal(d.events, 2);
    d = (lstmae_detection)LSTMAE_DETECTION_INIT;
    assert_ok(lstmae_detection_add(&d, all, none, 5));
    assert_true(d.point.f1 == 0 && d.missed_alarm_rate == 1 && d.mean_delay == 0);
    d = (lstmae_detection)LSTMAE_DETECTION_INIT;
    assert_ok(lstmae_detection_add(&d, none, all, 5));
    assert_true(d.point.f1 == 0 && d.false_alarm_rate == 1 && d.false_events == 1);
}

static void detection_events_at_the_edges(void **state)
{
    static const unsigned char truth[] = { 1, 1, 0, 1, 1, 1, 0, 0, 1 }, alarms[] = { 0, 1, 1, 0, 0, 0, 0, 1, 0 };
    lstmae_detection d = LSTMAE_DETECTION_INIT;
    (void)state;
    assert_ok(lstmae_detection_add(&d, truth, alarms, 9));
    assert_int_equal(d.events, 3);
    assert_int_equal(d.found_events, 1);
    assert_int_equal(d.false_events, 1); /* 1..2 touches the first event */
    assert_int_equal(d.delay_sum, 1);
    assert_int_equal(d.adjusted_true_positives, 2);
    assert_int_equal(d.true_positives, 1);
}

static void ranking_equals_sklearn(void **state)
{
    lstmae_context *context = test_context("cpu:ref", LSTMAE_F32);
    lstmae_ranking ranking = LSTMAE_RANKING_INIT;
    (void)state;
    assert_ok(lstmae_ranking_measure(&ranking, context, ts_truth, ts_ranked_scores, RECORDINGS * LENGTH));
    near("auc_roc", ranking.auc_roc, ts_ranking[0]);
    near("auc_pr", ranking.auc_pr, ts_ranking[1]);
    near("best_f1", ranking.best_f1, ts_ranking[2]);
    near("best_threshold", ranking.best_threshold, ts_ranking[3]);
    lstmae_context_destroy(context);
}

static void ranking_of_simple_cases(void **state)
{
    static const unsigned char truth[] = { 0, 0, 1, 1 };
    static const float right[] = { 1, 2, 3, 4 }, wrong[] = { 4, 3, 2, 1 }, equal[] = { 5, 5, 5, 5 };
    static const float infinite[] = { -INFINITY, 0, INFINITY, INFINITY };
    float nan[] = { 1, 2, 3, NAN };
    lstmae_context *context = test_context("cpu:ref", LSTMAE_F32);
    lstmae_ranking r = LSTMAE_RANKING_INIT;
    (void)state;
    assert_ok(lstmae_ranking_measure(&r, context, truth, right, 4));
    assert_true(r.auc_roc == 1 && r.auc_pr == 1 && r.best_f1 == 1 && r.best_threshold == 3);
    assert_ok(lstmae_ranking_measure(&r, context, truth, infinite, 4));
    assert_true(r.auc_roc == 1 && r.best_f1 == 1);
    assert_ok(lstmae_ranking_measure(&r, context, truth, wrong, 4));
    assert_true(r.auc_roc == 0 && fabs(r.auc_pr - 5.0 / 12.0) < 1e-15);
    assert_ok(lstmae_ranking_measure(&r, context, truth, equal, 4));
    assert_true(r.auc_roc == 0.5 && r.auc_pr == 0.5 && r.best_threshold == 5);
    assert_fails(lstmae_ranking_measure(&r, context, truth, nan, 4), ERR_NUMERIC);
    assert_fails(lstmae_ranking_measure(&r, context, truth, right, 2), ERR_NUMERIC);
    assert_fails(lstmae_ranking_measure(&r, context, truth + 2, right, 2), ERR_NUMERIC);
    lstmae_context_destroy(context);
}

static void ranking_survives_memory_that_runs_out(void **state)
{
    lstmae_ranking ranking = LSTMAE_RANKING_INIT;
    lstmae_context *context = NULL;
    test_heap heap;
    (void)state;
    memset(&heap, 0, sizeof heap);
    assert_ok(test_heap_context(&context, &heap));
    heap.fault.at = heap.fault.uses + 1;
    assert_fails(lstmae_ranking_measure(&ranking, context, ts_truth, ts_ranked_scores, 300), ERR_NO_MEMORY);
    assert_ok(lstmae_ranking_measure(&ranking, context, ts_truth, ts_ranked_scores, 300));
    lstmae_context_destroy(context);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(detection_equals_sklearn),
        cmocka_unit_test(detection_of_one_kind_alone),
        cmocka_unit_test(detection_events_at_the_edges),
        cmocka_unit_test(ranking_equals_sklearn),
        cmocka_unit_test(ranking_of_simple_cases),
        cmocka_unit_test(ranking_survives_memory_that_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
