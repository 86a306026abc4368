/* The training loop's accounting: epochs, validation, stopping, best weights, schedules. */
#include "fit_script.h"

#include "train_internal.h"

#include <math.h>
#include <string.h>

/* ---- where it ends ---- */

static void one_epoch_by_default(void **state)
{
    (void)state;
    script s;
    script_open(&s, NULL, 0);
    assert_ok(script_fit(&s, NULL));
    assert_int_equal(s.trained, 5);
    assert_int_equal(lstmae_fit_state_iteration(s.state), 5);
    assert_true(isnan(lstmae_fit_state_best(s.state)));
    assert_true(script_weight(&s) == -5.0f);
    assert_ok(script_fit(&s, NULL)); /* one epoch in all: there is nothing left */
    assert_int_equal(s.trained, 5);
    assert_ok(lstmae_fit(&s.objective, s.loader, s.optimizer, NULL, NULL)); /* a training of its own */
    assert_int_equal(s.trained, 10);
    script_close(&s);
}

static void ends_at_whatever_comes_first(void **state)
{
    (void)state;
    const struct {
        int64_t iterations, epochs, accumulate;
        int updates, batches;
    } cases[] = { { 7, 0, 1, 7, 7 },  { 7, 3, 1, 7, 7 },        { 7, 1, 1, 5, 5 }, { 0, 3, 1, 15, 15 },
                  { 0, 2, 2, 6, 10 }, { 0, 2, 3, 4, 10 },       { 4, 0, 2, 4, 7 }, { 0, 1, 5, 1, 5 },
                  { 0, 1, 9, 1, 5 },  { 1, 0, INT64_MAX, 1, 5 } };
    for (int i = 0; i < COUNT(cases); i++) {
        script s;
        recorder r;
        lstmae_fit_options options = recorded(&r);
        options.iterations = cases[i].iterations;
        options.epochs = cases[i].epochs;
        options.accumulate = cases[i].accumulate;
        script_open(&s, NULL, 0);
        assert_ok(script_fit(&s, &options));
        assert_int_equal(s.trained, cases[i].batches);
        assert_int_equal(r.count, cases[i].updates);
        /* every update has the gradient's mean over its batches, here 1 */
        assert_true(fabsf(script_weight(&s) + (float)cases[i].updates) < 1e-5f);
        for (int k = 0; k < r.count; k++) {
            assert_int_equal(r.events[k].stage, LSTMAE_FIT_ITERATION);
            assert_int_equal(r.events[k].iteration, k + 1);
            assert_int_equal(r.events[k].iterations, cases[i].updates);
            assert_true(fabs(r.events[k].loss - 2.5) < 1e-12);
        }
        script_close(&s);
    }
}

static void counts_epochs_from_where_it_begins(void **state)
{
    (void)state;
    script s;
    recorder r;
    lstmae_fit_options options = recorded(&r);
    const int epochs[] = { 0, 0, 1, 1, 1, 1, 1, 2 };
    options.epochs = 2;
    script_open(&s, NULL, 0);
    assert_ok(lstmae_loader_seek(s.loader, 4, 2));
    assert_ok(script_fit(&s, &options));
    assert_int_equal(r.count, COUNT(epochs));
    for (int i = 0; i < r.count; i++) {
        assert_int_equal(r.events[i].epoch, epochs[i]);
        assert_int_equal(r.events[i].iterations, COUNT(epochs));
        assert_true(isnan(r.events[i].validation) && isnan(r.events[i].best));
        assert_true(r.events[i].seconds >= 0.0 && r.events[i].seconds < 60.0);
    }
    script_close(&s);
}

static void huge_numbers_of_epochs_do_not_overflow(void **state)
{
    (void)state;
    script s;
    recorder r;
    lstmae_fit_options options = recorded(&r);
    options.epochs = INT64_MAX;
    r.stop_after = 1;
    script_open(&s, NULL, 0);
    assert_fails(script_fit(&s, &options), ERR_CANCELLED);
    assert_int_equal(r.events[0].iterations, INT64_MAX);
    script_close(&s);
}

/* ---- validation ---- */

static void validates_when_due(void **state)
{
    (void)state;
    const double losses[] = { 4.0, 3.0, 5.0, 2.0 };
    const int by_count[] = { 3, 6, 9, 12 }, by_epoch[] = { 5, 10 };
    for (int every = 0; every <= 3; every += 3) {
        script s;
        recorder r;
        lstmae_fit_options options = recorded(&r);
        options.epochs = 2;
        options.iterations = every ? 12 : 0;
        options.epochs = every ? 0 : 2;
        options.validate_every = every;
        script_open(&s, losses, COUNT(losses));
        options.validation = s.validation;
        assert_ok(script_fit(&s, &options));
        int seen = 0;
        double best = INFINITY;
        for (int i = 0; i < r.count; i++) {
            const lstmae_fit_event *event = &r.events[i];
            if (event->stage != LSTMAE_FIT_VALIDATION) continue;
            assert_int_equal(event->iteration, every ? by_count[seen] : by_epoch[seen]);
            assert_int_equal(r.events[i - 1].iteration, event->iteration);
            assert_true(event->validation == losses[seen]);
            best = fmin(best, losses[seen]);
            assert_true(event->best == best);
            assert_true(event->loss == 2.5);
            seen++;
        }
        assert_int_equal(seen, every ? 4 : 2);
        assert_true(lstmae_fit_state_best(s.state) == best);
        script_close(&s);
    }
}

static void validation_reads_the_same_batches_every_time(void **state)
{
    (void)state;
    const double losses[] = { 1.0 };
    static float data[RIG_ITEMS * RIG_ITEM];
    int64_t epoch, batch;
    script s;
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    script_open(&s, losses, 1);
    lstmae_loader *several = rig_loader(s.context, data, 12, RIG_BATCH, LSTMAE_LOADER_SHUFFLE);
    assert_ok(lstmae_loader_seek(several, 2, 1));
    options.validation = several;
    options.validation_batches = 2;
    options.epochs = 3;
    assert_ok(script_fit(&s, &options));
    assert_int_equal(s.validated, 3); /* batch 0 once in each */
    assert_ok(lstmae_loader_position(several, &epoch, &batch));
    assert_int_equal(epoch, 2);
    assert_int_equal(batch, 1);
    lstmae_loader_destroy(several);
    script_close(&s);
}

static void stops_early(void **state)
{
    (void)state;
    const double losses[] = { 5.0, 4.0, 4.5, 3.99, 3.98, 3.97, 1.0 };
    const struct {
        int64_t patience;
        double min_delta;
        int validations;
    } cases[] = { { 1, 0.0, 3 }, { 2, 0.0, 7 }, { 3, 0.1, 5 }, { 0, 0.0, 7 }, { 4, 0.1, 6 }, { 5, 0.1, 7 } };
    for (int i = 0; i < COUNT(cases); i++) {
        script s;
        lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
        script_open(&s, losses, COUNT(losses));
        options.validation = s.validation;
        options.validate_every = 1;
        options.iterations = 7;
        options.patience = cases[i].patience;
        options.min_delta = cases[i].min_delta;
        assert_ok(script_fit(&s, &options));
        assert_int_equal(s.validated, cases[i].validations);
        assert_int_equal(s.trained, cases[i].validations);
        assert_ok(script_fit(&s, &options)); /* over is over */
        assert_int_equal(s.trained, cases[i].validations);
        script_close(&s);
    }
}

static void a_validation_that_is_nan_is_no_improvement(void **state)
{
    (void)state;
    const double losses[] = { NAN, 2.0, NAN, INFINITY };
    script s;
    recorder r;
    lstmae_fit_options options = recorded(&r);
    script_open(&s, losses, COUNT(losses));
    options.flags = LSTMAE_FIT_KEEP_BEST;
    options.validation = s.validation;
    options.validate_every = 1;
    options.iterations = 9;
    options.patience = 2;
    assert_ok(script_fit(&s, &options));
    assert_int_equal(s.validated, 4);
    assert_true(isnan(r.events[1].best) && isnan(r.events[1].validation));
    assert_true(lstmae_fit_state_best(s.state) == 2.0);
    assert_true(script_weight(&s) == -2.0f);
    script_close(&s);
}

/* ---- best weights ---- */

static void keeps_the_best_weights(void **state)
{
    (void)state;
    const double losses[] = { 4.0, 2.0, 3.0, 2.0 };
    script s;
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    for (int keep = 0; keep <= 1; keep++) {
        script_open(&s, losses, COUNT(losses));
        options.flags = keep ? LSTMAE_FIT_KEEP_BEST : 0;
        options.validation = s.validation;
        options.validate_every = 1;
        options.iterations = 4;
        assert_ok(script_fit(&s, &options));
        assert_true(script_weight(&s) == (keep ? -2.0f : -4.0f));
        assert_int_equal(lae_fit_state_best_count(s.state), keep);
        script_close(&s);
    }
}

/* A better model that was not kept makes what was kept worthless. */
static void forgets_weights_that_are_no_longer_the_best(void **state)
{
    (void)state;
    const double losses[] = { 4.0, 3.0, 5.0 };
    script s;
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    script_open(&s, losses, COUNT(losses));
    options.validation = s.validation;
    options.validate_every = 1;
    options.flags = LSTMAE_FIT_KEEP_BEST;
    options.iterations = 1;
    assert_ok(script_fit(&s, &options));
    options.flags = 0;
    options.iterations = 2;
    assert_ok(script_fit(&s, &options));
    assert_int_equal(lae_fit_state_best_count(s.state), 0);
    options.flags = LSTMAE_FIT_KEEP_BEST;
    options.iterations = 3;
    assert_ok(script_fit(&s, &options));
    assert_true(script_weight(&s) == -3.0f);
    script_close(&s);
}

static void a_cancelled_training_keeps_its_current_weights(void **state)
{
    (void)state;
    const double losses[] = { 1.0, 2.0, 3.0 };
    script s;
    recorder r;
    lstmae_fit_options options = recorded(&r);
    r.stop_after = 4;
    script_open(&s, losses, COUNT(losses));
    options.flags = LSTMAE_FIT_KEEP_BEST;
    options.validation = s.validation;
    options.validate_every = 1;
    options.iterations = 3;
    assert_fails(script_fit(&s, &options), ERR_CANCELLED);
    assert_true(script_weight(&s) == -2.0f);
    assert_ok(script_fit(&s, &options));
    assert_true(script_weight(&s) == -1.0f);
    script_close(&s);
}

/* ---- stopping ---- */

static void a_stop_request_ends_after_the_update(void **state)
{
    (void)state;
    script s;
    recorder r;
    lstmae_fit_options options = recorded(&r);
    script_open(&s, NULL, 0);
    r.stop_after = 3;
    r.request = s.context;
    assert_fails(script_fit(&s, &options), ERR_CANCELLED);
    assert_int_equal(s.trained, 3);
    assert_int_equal(lstmae_fit_state_iteration(s.state), 3);
    assert_int_equal(lstmae_context_stop_requested(s.context), 1);
    assert_ok(script_fit(&s, &options)); /* the request of before is forgotten */
    assert_int_equal(s.trained, 5);
    script_close(&s);
}

static lstmae_status stopping_step(const lstmae_batch *batch, int train, double scale, double *loss, void *payload)
{
    script *s = payload;
    if (!train && batch->index == 1 && s->validated == 1) lstmae_context_request_stop(s->context);
    return script_step(batch, train, scale, loss, payload);
}

/* A validation that was interrupted is made up for, and counts once. */
static void a_stop_request_ends_a_validation(void **state)
{
    (void)state;
    const double losses[] = { 1.0, 2.0 };
    static float data[RIG_ITEMS * RIG_ITEM];
    script s;
    recorder r;
    lstmae_fit_options options = recorded(&r);
    script_open(&s, losses, COUNT(losses));
    lstmae_loader *several = rig_loader(s.context, data, 12, RIG_BATCH, 0);
    s.objective.step = stopping_step;
    options.validation = several;
    assert_fails(script_fit(&s, &options), ERR_CANCELLED);
    assert_int_equal(s.trained, 5);
    assert_int_equal(r.count, 5);
    assert_int_equal(lstmae_module_training(s.module), 1);
    assert_ok(script_fit(&s, &options));
    assert_int_equal(s.trained, 5);
    assert_int_equal(r.count, 6);
    assert_int_equal(r.events[5].stage, LSTMAE_FIT_VALIDATION);
    assert_ok(script_fit(&s, &options));
    assert_int_equal(r.count, 6);
    lstmae_loader_destroy(several);
    script_close(&s);
}

static void leaves_the_mode_as_it_was(void **state)
{
    (void)state;
    script s;
    script_open(&s, NULL, 0);
    assert_ok(lstmae_module_set_training(s.module, 0));
    assert_ok(script_fit(&s, NULL));
    assert_int_equal(lstmae_module_training(s.module), 0);
    script_close(&s);
}

/* ---- updates left out ---- */

static void skips_are_counted_in_a_row(void **state)
{
    (void)state;
    const double losses[] = { 1.0 };
    script s;
    recorder r;
    lstmae_fit_options options = recorded(&r);
    script_open(&s, losses, 1);
    s.train_loss = INFINITY;
    options.max_skips = 2;
    options.epochs = 3;
    options.validation = s.validation;
    assert_fails(script_fit(&s, &options), ERR_NUMERIC);
    assert_int_equal(r.count, 2);
    assert_int_equal(r.events[1].stage, LSTMAE_FIT_SKIPPED);
    assert_true(isinf(r.events[1].loss));
    assert_int_equal(r.events[1].iteration, 0);
    assert_fails(script_fit(&s, &options), ERR_NUMERIC); /* counted anew */
    assert_int_equal(r.count, 4);
    r.stop_after = 5;
    assert_fails(script_fit(&s, &options), ERR_CANCELLED);
    assert_int_equal(r.count, 5);
    assert_int_equal(s.validated, 0); /* an epoch without an update has nothing to validate */
    assert_true(script_weight(&s) == 0.0f);
    script_close(&s);
}

/* ---- schedules ---- */

static void sets_the_rate_before_each_update(void **state)
{
    (void)state;
    const double losses[] = { 1.0 };
    script s;
    recorder r;
    lstmae_fit_options options = recorded(&r);
    lstmae_schedule_options step = LSTMAE_SCHEDULE_OPTIONS_INIT;
    step.kind = LSTMAE_SCHEDULE_PLATEAU;
    step.lr = 0.5;
    step.factor = 0.5;
    step.patience = 1;
    step.warmup = 2;
    script_open(&s, losses, 1);
    assert_ok(lstmae_schedule_create(&options.schedule, &step));
    options.iterations = 8;
    options.validation = s.validation;
    options.validate_every = 1;
    assert_ok(script_fit(&s, &options));
    /* the first report is the best, the third and fifth reduce */
    const double want[] = { 0.25, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.0625 };
    float sum = 0.0f;
    for (int i = 0; i < 16; i++) {
        assert_true(r.events[i].lr == want[i / 2]);
        if (i % 2 == 0) sum -= (float)want[i / 2];
    }
    assert_true(script_weight(&s) == sum);
    assert_true(lstmae_optimizer_lr(s.optimizer) == 0.0625);
    lstmae_schedule_destroy(options.schedule);
    script_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_epoch_by_default),
        cmocka_unit_test(ends_at_whatever_comes_first),
        cmocka_unit_test(counts_epochs_from_where_it_begins),
        cmocka_unit_test(huge_numbers_of_epochs_do_not_overflow),
        cmocka_unit_test(validates_when_due),
        cmocka_unit_test(validation_reads_the_same_batches_every_time),
        cmocka_unit_test(stops_early),
        cmocka_unit_test(a_validation_that_is_nan_is_no_improvement),
        cmocka_unit_test(keeps_the_best_weights),
        cmocka_unit_test(forgets_weights_that_are_no_longer_the_best),
        cmocka_unit_test(a_cancelled_training_keeps_its_current_weights),
        cmocka_unit_test(a_stop_request_ends_after_the_update),
        cmocka_unit_test(a_stop_request_ends_a_validation),
        cmocka_unit_test(leaves_the_mode_as_it_was),
        cmocka_unit_test(skips_are_counted_in_a_row),
        cmocka_unit_test(sets_the_rate_before_each_update),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
