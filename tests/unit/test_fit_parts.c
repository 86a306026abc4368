/* The training loop with its parts: accumulated gradients, memory, evaluation, tasks, its state, misuse. */
#include "fit_script.h"

#include "train_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- accumulation ---- */

/* Two batches of four accumulated are one of eight, up to the order of sums in float32. */
static void accumulation_equals_a_larger_batch(void **state)
{
    (void)state;
    static float data[16 * RIG_ITEM], first[RIG_MOST_WEIGHTS], second[RIG_MOST_WEIGHTS];
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    size_t n = 0;
    rig_data(data, 16);
    for (int large = 0; large <= 1; large++) {
        rig r;
        lstmae_module *linear, *tanh, *chain;
        lstmae_loss *loss;
        lstmae_task *task;
        lstmae_optimizer *optimizer;
        rig_open(&r, NULL, 0, 0);
        lstmae_loader *loader = rig_loader(r.context, data, 16, large ? 8 : 4, 0);
        assert_ok(lstmae_sequential_create(&chain, r.context));
        assert_ok(lstmae_linear_create(&linear, r.context, RIG_FEATURES, RIG_FEATURES, 0));
        assert_ok(lstmae_activation_create(&tanh, r.context, LSTMAE_ACTIVATION_TANH));
        assert_ok(lstmae_sequential_append(chain, linear));
        assert_ok(lstmae_sequential_append(chain, tanh));
        assert_ok(lstmae_loss_create(&loss, r.context, NULL));
        assert_ok(lstmae_task_autoencoder(&task, chain, loss));
        assert_ok(lstmae_optimizer_create(&optimizer, chain, NULL));
        options.iterations = 12;
        options.accumulate = large ? 1 : 2;
        assert_ok(lstmae_fit(lstmae_task_objective(task), loader, optimizer, &options, NULL));
        n = rig_weights(chain, large ? second : first);
        lstmae_loader_destroy(loader);
        lstmae_module_destroy(chain);
        lstmae_loss_destroy(loss);
        lstmae_task_destroy(task);
        lstmae_optimizer_destroy(optimizer);
        rig_close(&r);
    }
    assert_close("weights", first, second, n, 1e-6, 1e-5);
}

/* ---- memory ---- */

typedef struct counter {
    lstmae_context *context;
    int validations; /* until they are counted */
    uint64_t allocations;
    int events;
} counter;

static int count_allocations(const lstmae_fit_event *event, void *payload)
{
    counter *c = payload;
    lstmae_memory_info info = LSTMAE_MEMORY_INFO_INIT;
    assert_ok(lstmae_context_memory(c->context, &info));
    if (c->validations == 0) {
        assert_int_equal(info.allocations, c->allocations);
        c->events++;
    } else if (event->stage == LSTMAE_FIT_VALIDATION) {
        c->validations--;
        c->allocations = info.allocations;
    }
    return 0;
}

/*
 * A GPU records an update when it comes for the second time: that of the last batch, which is smaller, in the second
 * epoch, and later those that find weights as an evaluation has left them.
 */
static void allocates_nothing_after_the_first_epochs(void **state)
{
    (void)state;
    rig r;
    const char *device = getenv("LSTMAE_TEST_DEVICE");
    const int first = device && strncmp(device, "cuda", 4) == 0 ? 4 : 1;
    counter c = { .validations = first };
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    rig_open(&r, NULL, 0, LSTMAE_LOADER_SHUFFLE);
    c.context = r.context;
    options.flags = LSTMAE_FIT_KEEP_BEST;
    options.validation = r.validation;
    options.epochs = 5;
    options.callback = count_allocations;
    options.payload = &c;
    assert_ok(rig_fit(&r, &options));
    assert_int_equal(c.events, (5 - first) * (RIG_BATCHES + 1));
    rig_close(&r);
}

/* ---- evaluation ---- */

static lstmae_status index_step(const lstmae_batch *batch, int train, double scale, double *loss, void *payload)
{
    const script *s = payload;
    (void)scale;
    assert_int_equal(train, 0);
    assert_int_equal(lstmae_module_training(s->module), 0);
    *loss = (double)(batch->index + 1);
    return LSTMAE_OK;
}

static void evaluates_the_mean_over_items(void **state)
{
    (void)state;
    script s;
    double loss;
    int64_t epoch, batch;
    script_open(&s, NULL, 0);
    s.objective.step = index_step;
    assert_ok(lstmae_loader_seek(s.loader, 3, 2));
    for (int i = 0; i < 2; i++) {
        assert_ok(lstmae_evaluate(&s.objective, s.loader, 0, &loss)); /* batches of 4, 4, 4, 4, 2 */
        assert_true(fabs(loss - (4 * (1 + 2 + 3 + 4) + 2 * 5) / 18.0) < 1e-12);
        assert_ok(lstmae_evaluate(&s.objective, s.loader, 2, &loss));
        assert_true(loss == 1.5);
        assert_ok(lstmae_evaluate(&s.objective, s.loader, 6, &loss)); /* on into the next epoch */
        assert_true(fabs(loss - (4 * (1 + 2 + 3 + 4) + 2 * 5 + 4 * 1) / 22.0) < 1e-12);
        assert_int_equal(lstmae_module_training(s.module), 1);
        assert_ok(lstmae_loader_position(s.loader, &epoch, &batch));
        assert_int_equal(epoch, 3);
        assert_int_equal(batch, 2);
    }
    script_close(&s);
}

/* ---- tasks ---- */

static void tasks_keep_their_parts_alive(void **state)
{
    (void)state;
    rig r;
    double before, after;
    rig_open(&r, NULL, 0, 0);
    const lstmae_objective *objective = lstmae_task_objective(r.task);
    assert_ptr_equal(objective->module, lstmae_seq2seq_module(r.model));
    lstmae_seq2seq_destroy(r.model);
    lstmae_loss_destroy(r.loss);
    r.model = NULL;
    r.loss = NULL;
    assert_ok(lstmae_evaluate(objective, r.loader, 0, &before));
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    options.epochs = 20;
    assert_ok(rig_fit(&r, &options));
    assert_ok(lstmae_evaluate(objective, r.loader, 0, &after));
    assert_true(after < before);
    rig_close(&r);
}

/* The autoencoder's step is loss(module(x), x): value and gradient as by hand. */
static void autoencoder_equals_the_parts(void **state)
{
    (void)state;
    script s;
    lstmae_loss *loss;
    lstmae_module *linear;
    lstmae_task *task;
    lstmae_batch batch = LSTMAE_BATCH_INIT;
    const lstmae_tensor *y, *grad;
    float data[6 * RIG_ITEM], by_hand[RIG_FEATURES * RIG_FEATURES], by_task[RIG_FEATURES * RIG_FEATURES];
    double value, want;
    rig_data(data, 6);
    script_open(&s, NULL, 0);
    lstmae_loader *loader = rig_loader(s.context, data, 6, RIG_BATCH, 0);
    assert_int_equal(lstmae_loader_next(loader, &batch), 1);
    assert_ok(lstmae_linear_create(&linear, s.context, RIG_FEATURES, RIG_FEATURES, 0));
    assert_ok(lstmae_loss_create(&loss, s.context, NULL));
    assert_ok(lstmae_task_autoencoder(&task, linear, loss));

    assert_ok(lstmae_module_forward(linear, batch.x, &y));
    assert_ok(lstmae_loss_compute(loss, y, batch.x, NULL, &want, &grad));
    assert_ok(lstmae_module_backward(linear, grad, NULL));
    assert_ok(lstmae_tensor_read(lstmae_module_param_grad(linear, 0), by_hand, sizeof by_hand));
    assert_ok(lstmae_module_zero_grad(linear));

    const lstmae_objective *objective = lstmae_task_objective(task);
    assert_ok(objective->step(&batch, 1, 0.5, &value, objective->payload));
    assert_ok(objective->step(&batch, 1, 0.5, &value, objective->payload));
    assert_ok(lstmae_tensor_read(lstmae_module_param_grad(linear, 0), by_task, sizeof by_task));
    assert_true(value == want);
    assert_close("gradient", by_task, by_hand, RIG_FEATURES * RIG_FEATURES, 1e-8, 1e-6);
    assert_ok(lstmae_module_set_training(linear, 0));
    lstmae_module_destroy(linear);
    lstmae_loss_destroy(loss);
    assert_ok(objective->step(&batch, 0, 1.0, &value, objective->payload));
    assert_true(value == want);
    lstmae_task_destroy(task);
    lstmae_loader_destroy(loader);
    script_close(&s);
}

/* ---- the state's numbers ---- */

static void state_refuses_impossible_counters(void **state)
{
    (void)state;
    const double good[LAE_FIT_COUNTERS] = { 10, 0, 8, 2, 1, NAN, INFINITY, 3.0 };
    const struct {
        int index;
        double value;
    } wrong[] = { { 0, -1 }, { 0, 0.5 }, { 0, NAN }, { 0, 1e300 }, { 1, -2 },  { 1, 0.5 }, { 2, -2 },
                  { 2, 11 }, { 3, -1 },  { 3, NAN }, { 4, -1 },    { 4, 1.5 }, { 6, NAN }, { 7, NAN } };
    double counters[LAE_FIT_COUNTERS];
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_fit_state *s;
    assert_ok(lstmae_fit_state_create(&s, context));
    for (int i = 0; i < COUNT(wrong); i++) {
        memcpy(counters, good, sizeof good);
        counters[wrong[i].index] = wrong[i].value;
        assert_fails(lae_fit_state_set(s, counters, 1), ERR_FORMAT);
        assert_int_equal(lstmae_fit_state_iteration(s), 0);
    }
    assert_ok(lae_fit_state_set(s, good, 0));
    assert_int_equal(lstmae_fit_state_iteration(s), 0);
    assert_ok(lae_fit_state_set(s, good, 1));
    assert_int_equal(lstmae_fit_state_iteration(s), 10);
    assert_true(isnan(lstmae_fit_state_best(s)));
    lae_fit_state_get(s, counters);
    assert_memory_equal(counters, good, 5 * sizeof *good);
    assert_true(isnan(counters[5]) && counters[6] == INFINITY && counters[7] == 3.0);
    lstmae_fit_state_destroy(s);
    lstmae_context_destroy(context);
}

static void best_slots_have_names(void **state)
{
    (void)state;
    script s;
    char name[32];
    lstmae_tensor *slot;
    lstmae_module *other;
    script_open(&s, NULL, 0);
    assert_ok(lstmae_linear_create(&other, s.context, 1, 1, 0));
    assert_int_equal(lae_fit_state_best_count(s.state), 0);
    assert_ok(lae_fit_state_best_slot(s.state, s.module, 0, name, sizeof name, &slot));
    assert_string_equal(name, "best.weight");
    assert_int_equal(lstmae_tensor_numel(slot), 1);
    assert_int_equal(lae_fit_state_best_count(s.state), 1);
    assert_fails(lae_fit_state_best_slot(s.state, s.module, 0, name, 11, &slot), ERR_INTERNAL);
    assert_fails(lae_fit_state_best_slot(s.state, s.module, 1, NULL, 0, &slot), ERR_INTERNAL);
    assert_fails(lae_fit_state_best_slot(s.state, other, 1, NULL, 0, &slot), ERR_STATE);
    lae_fit_state_drop_best(s.state);
    assert_int_equal(lae_fit_state_best_count(s.state), 0);
    lstmae_module_destroy(other);
    script_close(&s);
}

/* ---- misuse ---- */

#define REFUSE(member, wrong)                                    \
    do {                                                         \
        lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;    \
        options.member = (wrong);                                \
        assert_fails(script_fit(&s, &options), ERR_INVALID_ARG); \
    } while (0)

static void fit_refuses_misuse(void **state)
{
    (void)state;
    script s;
    script_open(&s, NULL, 0);
    lstmae_context *other = test_context("cpu", LSTMAE_F32);
    lstmae_fit_state *foreign;
    lstmae_objective wrong = s.objective;
    assert_ok(lstmae_fit_state_create(&foreign, other));
    assert_fails(lstmae_fit(NULL, s.loader, s.optimizer, NULL, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_fit(&s.objective, NULL, s.optimizer, NULL, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_fit(&s.objective, s.loader, NULL, NULL, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_fit(&s.objective, s.loader, s.optimizer, NULL, foreign), ERR_INVALID_ARG);
    wrong.struct_size = 0;
    assert_fails(lstmae_fit(&wrong, s.loader, s.optimizer, NULL, NULL), ERR_INVALID_ARG);
    wrong = s.objective;
    wrong.module = NULL;
    assert_fails(lstmae_fit(&wrong, s.loader, s.optimizer, NULL, NULL), ERR_INVALID_ARG);
    wrong = s.objective;
    wrong.step = NULL;
    assert_fails(lstmae_fit(&wrong, s.loader, s.optimizer, NULL, NULL), ERR_INVALID_ARG);
    REFUSE(struct_size, 0);
    REFUSE(struct_size, sizeof(lstmae_fit_options) - 1);
    REFUSE(flags, 4u);
    REFUSE(iterations, -1);
    REFUSE(epochs, -1);
    REFUSE(accumulate, 0);
    REFUSE(validate_every, -1);
    REFUSE(validation_batches, -1);
    REFUSE(patience, -1);
    REFUSE(min_delta, -1.0);
    REFUSE(min_delta, (double)NAN);
    REFUSE(max_skips, 0);
    REFUSE(validation, s.loader);
    assert_int_equal(s.trained, 0);
    assert_int_equal(lstmae_fit_state_iteration(s.state), 0);
    lstmae_fit_state_destroy(foreign);
    lstmae_context_destroy(other);
    script_close(&s);
}

static void others_refuse_misuse(void **state)
{
    (void)state;
    script s;
    double loss;
    lstmae_loss *good, *foreign;
    lstmae_seq2seq *model;
    lstmae_task *task;
    lstmae_fit_state *made;
    lstmae_context *other = test_context("cpu", LSTMAE_F32);
    script_open(&s, NULL, 0);
    assert_fails(lstmae_evaluate(NULL, s.loader, 0, &loss), ERR_INVALID_ARG);
    assert_fails(lstmae_evaluate(&s.objective, NULL, 0, &loss), ERR_INVALID_ARG);
    assert_fails(lstmae_evaluate(&s.objective, s.loader, -1, &loss), ERR_INVALID_ARG);
    assert_fails(lstmae_evaluate(&s.objective, s.loader, 0, NULL), ERR_INVALID_ARG);

    assert_ok(lstmae_loss_create(&good, s.context, NULL));
    assert_ok(lstmae_loss_create(&foreign, other, NULL));
    assert_ok(lstmae_seq2seq_create(&model, s.context, 3, 4, NULL));
    assert_fails(lstmae_task_seq2seq(NULL, model, good), ERR_INVALID_ARG);
    assert_fails(lstmae_task_seq2seq(&task, NULL, good), ERR_INVALID_ARG);
    assert_fails(lstmae_task_seq2seq(&task, model, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_task_seq2seq(&task, model, foreign), ERR_INVALID_ARG);
    assert_null(task);
    assert_fails(lstmae_task_autoencoder(NULL, s.module, good), ERR_INVALID_ARG);
    assert_fails(lstmae_task_autoencoder(&task, NULL, good), ERR_INVALID_ARG);
    assert_fails(lstmae_task_autoencoder(&task, s.module, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_task_autoencoder(&task, s.module, foreign), ERR_INVALID_ARG);
    assert_null(task);
    assert_null(lstmae_task_objective(NULL));
    lstmae_task_destroy(NULL);

    assert_fails(lstmae_fit_state_create(NULL, s.context), ERR_INVALID_ARG);
    assert_fails(lstmae_fit_state_create(&made, NULL), ERR_INVALID_ARG);
    assert_null(made);
    assert_int_equal(lstmae_fit_state_iteration(NULL), 0);
    assert_true(isnan(lstmae_fit_state_best(NULL)));
    lstmae_fit_state_destroy(NULL);
    lstmae_loss_destroy(good);
    lstmae_loss_destroy(foreign);
    lstmae_seq2seq_destroy(model);
    lstmae_context_destroy(other);
    script_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accumulation_equals_a_larger_batch),
        cmocka_unit_test(allocates_nothing_after_the_first_epochs),
        cmocka_unit_test(evaluates_the_mean_over_items),
        cmocka_unit_test(tasks_keep_their_parts_alive),
        cmocka_unit_test(autoencoder_equals_the_parts),
        cmocka_unit_test(state_refuses_impossible_counters),
        cmocka_unit_test(best_slots_have_names),
        cmocka_unit_test(fit_refuses_misuse),
        cmocka_unit_test(others_refuse_misuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
