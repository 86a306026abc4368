/* What lstmae_fit() promises to the bit: the loop by hand, resuming from anywhere, batches left out. */
#include "fit_rig.h"

#include <math.h>
#include <string.h>

#define UPDATES 20

/* ---- the loop by hand ---- */

static void hand_update(rig *r, int accumulate)
{
    int64_t epoch, position;
    assert_ok(lstmae_loader_position(r->loader, &epoch, &position));
    int left = (int)(RIG_BATCHES - position % RIG_BATCHES);
    if (left > accumulate) left = accumulate;
    assert_ok(lstmae_module_zero_grad(lstmae_seq2seq_module(r->model)));
    for (int i = 0; i < left; i++) {
        lstmae_batch batch = LSTMAE_BATCH_INIT;
        if (lstmae_loader_next(r->loader, &batch) == 0) assert_int_equal(lstmae_loader_next(r->loader, &batch), 1);
        assert_ok(lstmae_seq2seq_step(r->model, r->loss, batch.x, batch.target, 1.0 / left, NULL));
    }
    assert_ok(
        lstmae_optimizer_set_lr(r->optimizer, lstmae_schedule_lr(r->schedule, lstmae_optimizer_steps(r->optimizer))));
    assert_ok(lstmae_optimizer_step(r->optimizer));
}

static void equals_the_loop_by_hand(void **state)
{
    (void)state;
    for (int accumulate = 1; accumulate <= 4; accumulate++) {
        rig a, b;
        lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
        options.iterations = UPDATES;
        options.accumulate = accumulate;
        rig_open(&a, NULL, 0, LSTMAE_LOADER_SHUFFLE);
        rig_open(&b, NULL, 0, LSTMAE_LOADER_SHUFFLE);
        assert_ok(rig_fit(&a, &options));
        for (int i = 0; i < UPDATES; i++) hand_update(&b, accumulate);
        assert_true(rig_same_weights(&a, &b));
        assert_int_equal(lstmae_optimizer_steps(a.optimizer), UPDATES);
        assert_int_equal(lstmae_fit_state_iteration(a.state), UPDATES);
        rig_close(&a);
        rig_close(&b);
    }
}

/* ---- resuming ---- */

typedef struct stopper {
    int stage;
    int64_t at;
} stopper;

static int stop_at(const lstmae_fit_event *event, void *payload)
{
    const stopper *stop = payload;
    return event->stage == stop->stage && event->iteration == stop->at;
}

static lstmae_fit_options rig_options(rig *r, int64_t validate_every)
{
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    options.flags = LSTMAE_FIT_KEEP_BEST;
    options.iterations = UPDATES;
    options.accumulate = 2;
    options.validate_every = validate_every;
    options.validation = r->validation;
    return options;
}

/* Stops a training at an event, moves all a checkpoint holds to new objects, ends it there. */
static void check_resume(rig *straight, int64_t validate_every, int stage, int64_t at)
{
    rig first, second;
    stopper stop = { stage, at };
    rig_open(&first, NULL, 0, LSTMAE_LOADER_SHUFFLE);
    rig_open(&second, NULL, 0, LSTMAE_LOADER_SHUFFLE);
    lstmae_fit_options options = rig_options(&first, validate_every);
    options.callback = stop_at;
    options.payload = &stop;
    assert_fails(rig_fit(&first, &options), ERR_CANCELLED);
    assert_int_equal(lstmae_fit_state_iteration(first.state), at);
    rig_transfer(&second, &first, 1);
    options = rig_options(&second, validate_every);
    assert_ok(rig_fit(&second, &options));
    rig_assert_same(straight, &second);
    rig_close(&first);
    rig_close(&second);
}

static void resumes_from_every_update(void **state)
{
    (void)state;
    const int64_t every[] = { 0, 2 };
    for (int i = 0; i < 2; i++) {
        rig straight;
        rig_open(&straight, NULL, 0, LSTMAE_LOADER_SHUFFLE);
        lstmae_fit_options options = rig_options(&straight, every[i]);
        assert_ok(rig_fit(&straight, &options));
        for (int64_t at = 1; at < UPDATES; at++) check_resume(&straight, every[i], LSTMAE_FIT_ITERATION, at);
        for (int64_t at = 6; at < UPDATES; at += 6) check_resume(&straight, every[i], LSTMAE_FIT_VALIDATION, at);
        rig_close(&straight);
    }
}

/* The same test must notice what it is there to notice. */
static void resuming_without_the_random_position_differs(void **state)
{
    (void)state;
    rig straight, first, second;
    rig_open(&straight, NULL, 0, 0);
    rig_open(&first, NULL, 0, 0);
    rig_open(&second, NULL, 0, 0);
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    options.iterations = 10;
    assert_ok(rig_fit(&straight, &options));
    options.iterations = 4;
    assert_ok(rig_fit(&first, &options));
    rig_transfer(&second, &first, 0);
    options.iterations = 10;
    assert_ok(rig_fit(&second, &options));
    assert_false(rig_same_weights(&straight, &second));
    rig_close(&straight);
    rig_close(&first);
    rig_close(&second);
}

/* Raising the number of updates goes on as if it had been higher at once, in the same objects too. */
static void continues_after_the_end(void **state)
{
    (void)state;
    rig straight, pieces;
    rig_open(&straight, NULL, 0, LSTMAE_LOADER_SHUFFLE);
    rig_open(&pieces, NULL, 0, LSTMAE_LOADER_SHUFFLE);
    lstmae_fit_options options = rig_options(&straight, 0);
    options.flags = 0;
    assert_ok(rig_fit(&straight, &options));
    options.validation = pieces.validation;
    for (options.iterations = 1; options.iterations <= UPDATES; options.iterations += 1)
        assert_ok(rig_fit(&pieces, &options));
    rig_assert_same(&straight, &pieces);
    rig_close(&straight);
    rig_close(&pieces);
}

/* ---- errors of a step ---- */

typedef struct faulty {
    const lstmae_objective *objective;
    int calls, fail_at;
} faulty;

static lstmae_status faulty_step(const lstmae_batch *batch, int train, double scale, double *loss, void *payload)
{
    faulty *f = payload;
    lstmae_status status = f->objective->step(batch, train, scale, loss, f->objective->payload);
    return ++f->calls == f->fail_at ? LSTMAE_ERR_IO : status;
}

/* An update cut short by an error gives its batches and random numbers back: calling again loses nothing. */
static void an_error_in_a_step_loses_nothing(void **state)
{
    (void)state;
    rig straight, broken;
    rig_open(&straight, NULL, 0, LSTMAE_LOADER_SHUFFLE);
    lstmae_fit_options options = rig_options(&straight, 0);
    options.schedule = straight.schedule;
    assert_ok(rig_fit(&straight, &options));
    for (int fail_at = 1; fail_at < 12; fail_at++) {
        rig_open(&broken, NULL, 0, LSTMAE_LOADER_SHUFFLE);
        faulty f = { lstmae_task_objective(broken.task), 0, fail_at };
        lstmae_objective objective = LSTMAE_OBJECTIVE_INIT;
        objective.module = lstmae_seq2seq_module(broken.model);
        objective.step = faulty_step;
        objective.payload = &f;
        options.schedule = broken.schedule;
        options.validation = broken.validation;
        assert_int_equal(lstmae_fit(&objective, broken.loader, broken.optimizer, &options, broken.state),
                         LSTMAE_ERR_IO);
        assert_int_equal(lstmae_module_training(objective.module), 1);
        assert_ok(lstmae_fit(&objective, broken.loader, broken.optimizer, &options, broken.state));
        rig_assert_same(&straight, &broken);
        rig_close(&broken);
    }
    rig_close(&straight);
}

/* The same when any one allocation fails, at whatever point of a training. */
static void running_out_of_memory_loses_nothing(void **state)
{
    (void)state;
    rig straight, starved;
    rig_open(&straight, NULL, 0, LSTMAE_LOADER_SHUFFLE);
    lstmae_fit_options options = rig_options(&straight, 0);
    options.iterations = 8;
    assert_ok(rig_fit(&straight, &options));
    int failures = 0, done = 0;
    for (long at = 1; !done; at++) {
        rig_open(&starved, NULL, 0, LSTMAE_LOADER_SHUFFLE);
        starved.heap.fault = (test_fault){ .at = at };
        options.validation = starved.validation;
        lstmae_status status = rig_fit(&starved, &options);
        done = starved.heap.fault.uses < at;
        if (!done && status != LSTMAE_OK) {
            assert_true(status == LSTMAE_ERR_NO_MEMORY || status == LSTMAE_ERR_DEVICE_MEMORY);
            failures++;
            status = rig_fit(&starved, &options);
        }
        assert_int_equal(status, LSTMAE_OK);
        rig_assert_same(&straight, &starved);
        rig_close(&starved);
    }
    assert_true(failures > 20);
    rig_close(&straight);
}

/* ---- batches left out ---- */

#define GUARD_ITEMS (8 * RIG_BATCH)

/* Data of eight batches; without the batches in `left_out`, or with their items turned to NaN. */
static int64_t guard_data(float *data, const int *left_out, int count, int poison)
{
    static float all[GUARD_ITEMS * RIG_ITEM];
    const size_t size = RIG_BATCH * RIG_ITEM;
    int64_t items = 0;
    rig_data(all, GUARD_ITEMS);
    for (int b = 0; b < 8; b++) {
        int bad = 0;
        for (int i = 0; i < count; i++) bad |= left_out[i] == b;
        if (bad && !poison) continue;
        float *to = data + (size_t)items * RIG_ITEM;
        memcpy(to, all + (size_t)b * size, size * sizeof *all);
        if (bad) to[size / 2] = NAN;
        items += RIG_BATCH;
    }
    return items;
}

typedef struct tally {
    int updates, skips, validations;
    double last_skipped_loss;
} tally;

static int count_events(const lstmae_fit_event *event, void *payload)
{
    tally *t = payload;
    t->updates += event->stage == LSTMAE_FIT_ITERATION;
    t->skips += event->stage == LSTMAE_FIT_SKIPPED;
    t->validations += event->stage == LSTMAE_FIT_VALIDATION;
    if (event->stage == LSTMAE_FIT_SKIPPED) t->last_skipped_loss = event->loss;
    return 0;
}

/* Batches of `poison` are found; those of `absent` are then left out. */
static void check_left_out(const int *poison, int count, const int *absent, int absent_count, int64_t accumulate)
{
    static float data[GUARD_ITEMS * RIG_ITEM];
    rig poisoned, clean;
    tally t = { 0 };
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    options.epochs = 3;
    options.accumulate = accumulate;
    rig_open(&clean, data, guard_data(data, absent, absent_count, 0), 0);
    assert_ok(rig_fit(&clean, &options));
    options.callback = count_events;
    options.payload = &t;
    rig_open(&poisoned, data, guard_data(data, poison, count, 1), 0);
    assert_ok(rig_fit(&poisoned, &options));
    assert_true(rig_same_weights(&clean, &poisoned));
    assert_int_equal(lstmae_fit_state_iteration(clean.state), lstmae_fit_state_iteration(poisoned.state));
    assert_int_equal(lstmae_optimizer_steps(clean.optimizer), lstmae_optimizer_steps(poisoned.optimizer));
    assert_int_equal(t.skips, 3 * count);
    assert_int_equal(t.updates, lstmae_fit_state_iteration(clean.state));
    assert_true(isnan(t.last_skipped_loss));
    rig_close(&poisoned);
    rig_close(&clean);
}

static void poisoned_batches_are_as_if_absent(void **state)
{
    (void)state;
    check_left_out((const int[]){ 2 }, 1, (const int[]){ 2 }, 1, 1);
    check_left_out((const int[]){ 0, 5, 6 }, 3, (const int[]){ 0, 5, 6 }, 3, 1);
    check_left_out((const int[]){ 3, 7 }, 2, (const int[]){ 3, 7 }, 2, 1);
    /* the first of a group by itself, the second with the first */
    check_left_out((const int[]){ 2, 5 }, 2, (const int[]){ 2, 5 }, 2, 2);
    check_left_out((const int[]){ 3 }, 1, (const int[]){ 2, 3 }, 2, 2);
}

/* A finite loss with a gradient that is not: found at the step, with the same result. */
static lstmae_status spoil_gradient(const lstmae_batch *batch, int train, double scale, double *loss, void *payload)
{
    faulty *f = payload;
    float value = INFINITY;
    lstmae_tensor *grad, *part;
    lstmae_status status = f->objective->step(batch, train, scale, loss, f->objective->payload);
    if (status != LSTMAE_OK || !train || f->calls++ % f->fail_at != 1) return status;
    grad = lstmae_module_param_grad(f->objective->module, 3);
    assert_ok(lstmae_tensor_view(&part, grad, 1, (const int64_t[]){ 1 }, NULL, 2));
    assert_ok(lstmae_tensor_write(part, &value, sizeof value));
    lstmae_tensor_destroy(part);
    return LSTMAE_OK;
}

static void spoiled_gradients_are_as_if_absent(void **state)
{
    (void)state;
    static float data[GUARD_ITEMS * RIG_ITEM];
    rig spoiled, clean;
    tally t = { 0 };
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    options.epochs = 2;
    rig_open(&clean, data, guard_data(data, (const int[]){ 1 }, 1, 0), 0);
    assert_ok(rig_fit(&clean, &options));
    rig_open(&spoiled, data, guard_data(data, NULL, 0, 0), 0);
    faulty f = { lstmae_task_objective(spoiled.task), 0, 8 };
    lstmae_objective objective = LSTMAE_OBJECTIVE_INIT;
    objective.module = lstmae_seq2seq_module(spoiled.model);
    objective.step = spoil_gradient;
    objective.payload = &f;
    options.schedule = spoiled.schedule;
    options.callback = count_events;
    options.payload = &t;
    assert_ok(lstmae_fit(&objective, spoiled.loader, spoiled.optimizer, &options, spoiled.state));
    assert_int_equal(t.skips, 2);
    assert_true(isfinite(t.last_skipped_loss));
    assert_true(rig_same_weights(&clean, &spoiled));
    rig_close(&spoiled);
    rig_close(&clean);
}

static void gives_up_after_skips_in_a_row(void **state)
{
    (void)state;
    static float data[GUARD_ITEMS * RIG_ITEM];
    static float before[RIG_MOST_WEIGHTS], after[RIG_MOST_WEIGHTS];
    rig r, two;
    tally t = { 0 };
    int64_t epoch, batch;
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    options.callback = count_events;
    options.payload = &t;
    options.iterations = 2;
    rig_open(&two, data, guard_data(data, (const int[]){ 2, 3, 4 }, 3, 1), 0);
    assert_ok(rig_fit(&two, &options));
    size_t n = rig_weights(lstmae_seq2seq_module(two.model), before);
    t = (tally){ 0 };
    options.iterations = 8;
    rig_open(&r, data, guard_data(data, (const int[]){ 2, 3, 4 }, 3, 1), 0);
    assert_fails(rig_fit(&r, &options), ERR_NUMERIC);
    assert_int_equal(t.skips, 3);
    assert_int_equal(lstmae_fit_state_iteration(r.state), 2);
    assert_int_equal(lstmae_optimizer_steps(r.optimizer), 2);
    rig_weights(lstmae_seq2seq_module(r.model), after);
    assert_memory_equal(before, after, n * sizeof *before);
    assert_ok(lstmae_loader_position(r.loader, &epoch, &batch));
    assert_int_equal(batch, 5);
    options.max_skips = 4;
    assert_ok(rig_fit(&r, &options));
    assert_int_equal(lstmae_fit_state_iteration(r.state), 8);
    rig_close(&r);
    rig_close(&two);
}

static void without_the_guard_nan_reaches_the_caller(void **state)
{
    (void)state;
    static float data[GUARD_ITEMS * RIG_ITEM], weights[RIG_MOST_WEIGHTS];
    rig r;
    tally t = { 0 };
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    options.flags = LSTMAE_FIT_NO_NAN_GUARD;
    options.callback = count_events;
    options.payload = &t;
    rig_open(&r, data, guard_data(data, (const int[]){ 2 }, 1, 1), 0);
    assert_ok(rig_fit(&r, &options));
    assert_int_equal(t.skips, 0);
    assert_int_equal(t.updates, 8);
    rig_weights(lstmae_seq2seq_module(r.model), weights);
    assert_true(isnan(weights[0]));
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_loop_by_hand),
        cmocka_unit_test(resumes_from_every_update),
        cmocka_unit_test(resuming_without_the_random_position_differs),
        cmocka_unit_test(continues_after_the_end),
        cmocka_unit_test(an_error_in_a_step_loses_nothing),
        cmocka_unit_test(running_out_of_memory_loses_nothing),
        cmocka_unit_test(poisoned_batches_are_as_if_absent),
        cmocka_unit_test(spoiled_gradients_are_as_if_absent),
        cmocka_unit_test(gives_up_after_skips_in_a_row),
        cmocka_unit_test(without_the_guard_nan_reaches_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
