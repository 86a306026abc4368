/* Schedules against PyTorch's schedulers and the formulas of schedule.h. */
#include "support.h"

#include "schedule_internal.h"

#include "../golden/schedules.h"

#include <math.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

/* A rate is a handful of roundings of doubles away from PyTorch's, which multiplies step by step. */
static const double relative = 1e-13;

static lstmae_schedule *make(const lstmae_schedule_options *options)
{
    lstmae_schedule *schedule = NULL;
    assert_ok(lstmae_schedule_create(&schedule, options));
    return schedule;
}

static void assert_rate(double got, double want)
{
    if (fabs(got - want) <= relative * fabs(want)) return;
    fail_msg("rate %.17g, wanted %.17g", got, want);
}

static void check_rates(const lstmae_schedule_options *options, const double *want, int count)
{
    lstmae_schedule *schedule = make(options);
    for (int i = 0; i < count; i++) assert_rate(lstmae_schedule_lr(schedule, i), want[i]);
    lstmae_schedule_destroy(schedule);
}

static lstmae_schedule_options options_of(lstmae_schedule_kind kind)
{
    lstmae_schedule_options options = LSTMAE_SCHEDULE_OPTIONS_INIT;
    options.kind = (int32_t)kind;
    options.lr = 0.05;
    return options;
}

static void constant_by_default(void **state)
{
    (void)state;
    lstmae_schedule *schedule = make(NULL);
    assert_rate(lstmae_schedule_lr(schedule, 0), 1e-3);
    assert_rate(lstmae_schedule_lr(schedule, INT64_MAX), 1e-3);
    assert_rate(lstmae_schedule_lr(schedule, -5), 1e-3);
    lstmae_schedule_destroy(schedule);
}

static void steps_like_torch(void **state)
{
    (void)state;
    lstmae_schedule_options options = options_of(LSTMAE_SCHEDULE_STEP);
    options.factor = 0.5;
    options.period = 7;
    check_rates(&options, torch_step, COUNT(torch_step));
    options.kind = LSTMAE_SCHEDULE_EXPONENTIAL;
    options.flags = LSTMAE_SCHEDULE_STAIRCASE;
    check_rates(&options, torch_step, COUNT(torch_step));
}

static void exponential_like_torch(void **state)
{
    (void)state;
    lstmae_schedule_options options = options_of(LSTMAE_SCHEDULE_EXPONENTIAL);
    options.factor = 0.93;
    check_rates(&options, torch_exponential, COUNT(torch_exponential));
    options.period = 4;
    options.factor = pow(0.93, 4);
    check_rates(&options, torch_exponential, COUNT(torch_exponential));
}

static void cosine_like_torch(void **state)
{
    (void)state;
    lstmae_schedule_options options = options_of(LSTMAE_SCHEDULE_COSINE);
    options.min_lr = 0.004;
    options.total = COUNT(torch_cosine);
    check_rates(&options, torch_cosine, COUNT(torch_cosine));

    options.warmup = 5;
    check_rates(&options, torch_warmup_cosine, COUNT(torch_warmup_cosine));
    lstmae_schedule *schedule = make(&options);
    assert_rate(lstmae_schedule_lr(schedule, options.total), 0.004);
    assert_rate(lstmae_schedule_lr(schedule, options.total + 1), 0.004);
    assert_rate(lstmae_schedule_lr(schedule, 10 * options.total), 0.004);
    lstmae_schedule_destroy(schedule);
}

static void warms_up_any_kind(void **state)
{
    (void)state;
    for (int kind = LSTMAE_SCHEDULE_CONSTANT; kind <= LSTMAE_SCHEDULE_PLATEAU; kind++) {
        lstmae_schedule_options options = options_of((lstmae_schedule_kind)kind);
        options.warmup = 4;
        options.total = 10;
        lstmae_schedule *schedule = make(&options);
        for (int i = 0; i < 4; i++) assert_rate(lstmae_schedule_lr(schedule, i), 0.05 * (i + 1) / 4);
        assert_rate(lstmae_schedule_lr(schedule, 4), 0.05);
        lstmae_schedule_destroy(schedule);
    }
}

static void stays_above_the_minimum(void **state)
{
    (void)state;
    lstmae_schedule_options options = options_of(LSTMAE_SCHEDULE_EXPONENTIAL);
    options.min_lr = 0.02;
    options.warmup = 10;
    lstmae_schedule *schedule = make(&options);
    assert_rate(lstmae_schedule_lr(schedule, 0), 0.02);
    assert_rate(lstmae_schedule_lr(schedule, 9), 0.05);
    assert_rate(lstmae_schedule_lr(schedule, 11), 0.02);
    lstmae_schedule_destroy(schedule);
}

static lstmae_schedule_options plateau_options(void)
{
    lstmae_schedule_options options = options_of(LSTMAE_SCHEDULE_PLATEAU);
    options.factor = 0.3;
    options.patience = 2;
    options.threshold = 1e-3;
    options.min_lr = 2e-3;
    return options;
}

static void plateau_like_torch(void **state)
{
    (void)state;
    lstmae_schedule_options options = plateau_options();
    lstmae_schedule *low = make(&options);
    options.flags = LSTMAE_SCHEDULE_MAXIMIZE;
    lstmae_schedule *high = make(&options);
    for (int i = 0; i < COUNT(plateau_metrics); i++) {
        assert_ok(lstmae_schedule_report(low, plateau_metrics[i]));
        assert_ok(lstmae_schedule_report(high, 2.0 - plateau_metrics[i]));
        assert_rate(lstmae_schedule_lr(low, i), torch_plateau[i]);
        assert_rate(lstmae_schedule_lr(high, i), torch_plateau_max[i]);
    }
    lstmae_schedule_destroy(low);
    lstmae_schedule_destroy(high);
}

/* Below zero an improvement is still one by threshold times the size of the best. */
static void plateau_of_negative_metrics(void **state)
{
    (void)state;
    lstmae_schedule_options options = plateau_options();
    options.patience = 0;
    options.threshold = 0.1;
    lstmae_schedule *schedule = make(&options);
    assert_ok(lstmae_schedule_report(schedule, -10.0));
    assert_ok(lstmae_schedule_report(schedule, -11.5));
    assert_rate(lstmae_schedule_lr(schedule, 0), 0.05);
    assert_ok(lstmae_schedule_report(schedule, -12.0));
    assert_rate(lstmae_schedule_lr(schedule, 0), 0.015);
    lstmae_schedule_destroy(schedule);
}

static void plateau_resumes(void **state)
{
    (void)state;
    double saved[LAE_SCHEDULE_STATE];
    lstmae_schedule_options options = plateau_options();
    for (int cut = 0; cut <= COUNT(plateau_metrics); cut++) {
        lstmae_schedule *first = make(&options), *second = make(&options);
        for (int i = 0; i < cut; i++) assert_ok(lstmae_schedule_report(first, plateau_metrics[i]));
        lae_schedule_get_state(first, saved);
        assert_ok(lae_schedule_set_state(second, saved, 1));
        for (int i = cut; i < COUNT(plateau_metrics); i++) {
            assert_ok(lstmae_schedule_report(second, plateau_metrics[i]));
            assert_rate(lstmae_schedule_lr(second, i), torch_plateau[i]);
        }
        lstmae_schedule_destroy(first);
        lstmae_schedule_destroy(second);
    }
}

static void refuses_a_wrong_state(void **state)
{
    (void)state;
    const double wrong[][LAE_SCHEDULE_STATE] = { { NAN, 1, 0 }, { -1, 1, 0 },  { INFINITY, 1, 0 }, { 1, NAN, 0 },
                                                 { 1, 1, -1 },  { 1, 1, 0.5 }, { 1, 1, NAN },      { 1, 1, 1e300 } };
    lstmae_schedule_options options = plateau_options();
    lstmae_schedule *plateau = make(&options), *constant = make(NULL);
    double before[LAE_SCHEDULE_STATE], after[LAE_SCHEDULE_STATE];
    lae_schedule_get_state(plateau, before);
    for (int i = 0; i < COUNT(wrong); i++) assert_fails(lae_schedule_set_state(plateau, wrong[i], 1), ERR_FORMAT);
    assert_ok(lae_schedule_set_state(plateau, (const double[]){ 0.01, 1, 1 }, 0));
    lae_schedule_get_state(plateau, after);
    assert_memory_equal(before, after, sizeof before);
    assert_fails(lae_schedule_set_state(constant, before, 1), ERR_FORMAT);
    lae_schedule_get_state(constant, after);
    assert_ok(lae_schedule_set_state(constant, after, 1));
    lstmae_schedule_destroy(plateau);
    lstmae_schedule_destroy(constant);
}

static void check_refused(lstmae_schedule_options options)
{
    lstmae_schedule *schedule = (lstmae_schedule *)1;
    assert_fails(lstmae_schedule_create(&schedule, &options), ERR_INVALID_ARG);
    assert_null(schedule);
}

#define REFUSE(kind, member, value)                         \
    do {                                                    \
        lstmae_schedule_options options = options_of(kind); \
        options.member = (value);                           \
        check_refused(options);                             \
    } while (0)

static void refuses_misuse(void **state)
{
    (void)state;
    assert_fails(lstmae_schedule_create(NULL, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_schedule_report(NULL, 1.0), ERR_INVALID_ARG);
    assert_true(lstmae_schedule_lr(NULL, 1) == 0.0);
    lstmae_schedule_destroy(NULL);

    REFUSE(LSTMAE_SCHEDULE_CONSTANT, struct_size, 0);
    REFUSE(LSTMAE_SCHEDULE_CONSTANT, struct_size, sizeof(lstmae_schedule_options) - 1);
    REFUSE(LSTMAE_SCHEDULE_CONSTANT, kind, -1);
    REFUSE(LSTMAE_SCHEDULE_CONSTANT, kind, 5);
    REFUSE(LSTMAE_SCHEDULE_CONSTANT, flags, 4u);
    REFUSE(LSTMAE_SCHEDULE_CONSTANT, lr, -1.0);
    REFUSE(LSTMAE_SCHEDULE_CONSTANT, lr, (double)NAN);
    REFUSE(LSTMAE_SCHEDULE_CONSTANT, lr, (double)INFINITY);
    REFUSE(LSTMAE_SCHEDULE_CONSTANT, min_lr, 0.06);
    REFUSE(LSTMAE_SCHEDULE_CONSTANT, min_lr, -0.01);
    REFUSE(LSTMAE_SCHEDULE_CONSTANT, warmup, -1);
    REFUSE(LSTMAE_SCHEDULE_STEP, factor, 0.0);
    REFUSE(LSTMAE_SCHEDULE_STEP, factor, (double)INFINITY);
    REFUSE(LSTMAE_SCHEDULE_STEP, period, 0);
    REFUSE(LSTMAE_SCHEDULE_EXPONENTIAL, period, -3);
    REFUSE(LSTMAE_SCHEDULE_COSINE, total, 0);
    REFUSE(LSTMAE_SCHEDULE_COSINE, warmup, 1);
    REFUSE(LSTMAE_SCHEDULE_PLATEAU, factor, 1.0);
    REFUSE(LSTMAE_SCHEDULE_PLATEAU, patience, -1);
    REFUSE(LSTMAE_SCHEDULE_PLATEAU, threshold, -1.0);
}

/* A caller built against a later release may pass a longer struct, as long as what is unknown here is zero. */
static void reads_longer_options(void **state)
{
    (void)state;
    struct {
        lstmae_schedule_options known;
        uint64_t later;
    } longer = { LSTMAE_SCHEDULE_OPTIONS_INIT, 0 };
    longer.known.struct_size = sizeof longer;
    longer.known.lr = 0.5;
    lstmae_schedule *schedule = make(&longer.known);
    assert_rate(lstmae_schedule_lr(schedule, 0), 0.5);
    lstmae_schedule_destroy(schedule);
    longer.later = 1;
    assert_fails(lstmae_schedule_create(&schedule, &longer.known), ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_by_default),    cmocka_unit_test(steps_like_torch),
        cmocka_unit_test(exponential_like_torch), cmocka_unit_test(cosine_like_torch),
        cmocka_unit_test(warms_up_any_kind),      cmocka_unit_test(stays_above_the_minimum),
        cmocka_unit_test(plateau_like_torch),     cmocka_unit_test(plateau_of_negative_metrics),
        cmocka_unit_test(plateau_resumes),        cmocka_unit_test(refuses_a_wrong_state),
        cmocka_unit_test(refuses_misuse),         cmocka_unit_test(reads_longer_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
