#include "fit_rig.h"

#include "context_internal.h"
#include "device.h"
#include "optim_internal.h"
#include "schedule_internal.h"
#include "train_internal.h"

#include <stdlib.h>
#include <string.h>

void rig_data(float *data, int64_t count)
{
    test_fill(data, (size_t)count * RIG_ITEM, 11, 1.0f);
}

lstmae_loader *rig_loader(lstmae_context *context, const float *data, int64_t count, int64_t batch, uint32_t flags)
{
    const int64_t dims[] = { RIG_STEPS, RIG_FEATURES };
    lstmae_loader_options options = LSTMAE_LOADER_OPTIONS_INIT;
    lstmae_dataset *dataset = NULL;
    lstmae_loader *loader = NULL;
    options.flags = flags | LSTMAE_LOADER_TIME_MAJOR;
    options.batch = batch;
    options.input_steps = RIG_INPUT;
    options.seed = 5;
    assert_ok(lstmae_dataset_from_memory(&dataset, context, data, count, 2, dims));
    assert_ok(lstmae_loader_create(&loader, context, dataset, &options));
    lstmae_dataset_destroy(dataset);
    return loader;
}

static void rig_open_model(rig *r)
{
    lstmae_lstm_options encoder = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_decoder_options past = LSTMAE_DECODER_OPTIONS_INIT, future = LSTMAE_DECODER_OPTIONS_INIT;
    encoder.layers = 2;
    encoder.dropout = 0.3;
    future.target = LSTMAE_DECODE_FUTURE;
    future.steps = RIG_STEPS - RIG_INPUT;
    assert_ok(lstmae_seq2seq_create(&r->model, r->context, RIG_FEATURES, 6, &encoder));
    assert_ok(lstmae_seq2seq_add_decoder(r->model, &past));
    assert_ok(lstmae_seq2seq_add_decoder(r->model, &future));
    assert_ok(lstmae_loss_create(&r->loss, r->context, NULL));
    assert_ok(lstmae_task_seq2seq(&r->task, r->model, r->loss));
}

void rig_open(rig *r, const float *data, int64_t count, uint32_t loader_flags)
{
    static float own[RIG_ITEMS * RIG_ITEM];
    lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
    lstmae_optimizer_options adam = LSTMAE_ADAM_OPTIONS_INIT;
    lstmae_schedule_options plateau = LSTMAE_SCHEDULE_OPTIONS_INIT;
    const char *device = getenv("LSTMAE_TEST_DEVICE");
    memset(r, 0, sizeof *r);
    rig_data(own, RIG_ITEMS);
    options.threads = 1;
    options.alloc = test_heap_alloc;
    options.release = test_heap_free;
    options.alloc_payload = &r->heap;
    options.seed = 3;
    adam.clip_norm = 0.5;
    if (device && strncmp(device, "cpu", 3) != 0) options.precision = test_device_precision();
    plateau.kind = LSTMAE_SCHEDULE_PLATEAU;
    plateau.lr = 0.02;
    plateau.factor = 0.5;
    plateau.patience = 0;
    plateau.threshold = 0.02; /* so coarse that some validations reduce the rate */
    plateau.warmup = 3;
    assert_ok(lstmae_context_create(&r->context, device ? device : "cpu", &options));
    r->loader = rig_loader(r->context, data ? data : own, data ? count : RIG_ITEMS, RIG_BATCH, loader_flags);
    r->validation = rig_loader(r->context, own, 6, RIG_BATCH, 0);
    rig_open_model(r);
    assert_ok(lstmae_optimizer_create(&r->optimizer, lstmae_seq2seq_module(r->model), &adam));
    assert_ok(lstmae_schedule_create(&r->schedule, &plateau));
    assert_ok(lstmae_fit_state_create(&r->state, r->context));
}

void rig_close(rig *r)
{
    lstmae_context_destroy(r->context);
    lstmae_loader_destroy(r->loader);
    lstmae_loader_destroy(r->validation);
    lstmae_seq2seq_destroy(r->model);
    lstmae_loss_destroy(r->loss);
    lstmae_task_destroy(r->task);
    lstmae_optimizer_destroy(r->optimizer);
    lstmae_schedule_destroy(r->schedule);
    lstmae_fit_state_destroy(r->state);
    assert_int_equal(r->heap.live, 0);
}

static void rig_transfer_best(rig *to, rig *from)
{
    for (size_t i = 0; i < lae_fit_state_best_count(from->state); i++) {
        lstmae_tensor *source, *target;
        assert_ok(lae_fit_state_best_slot(from->state, lstmae_seq2seq_module(from->model), i, NULL, 0, &source));
        assert_ok(lae_fit_state_best_slot(to->state, lstmae_seq2seq_module(to->model), i, NULL, 0, &target));
        assert_ok(lstmae_tensor_copy(target, source));
    }
}

void rig_transfer(rig *to, rig *from, int draws)
{
    double schedule[LAE_SCHEDULE_STATE], counters[LAE_FIT_COUNTERS];
    lstmae_module *source = lstmae_seq2seq_module(from->model), *target = lstmae_seq2seq_module(to->model);
    int64_t epoch, batch;
    for (size_t i = 0; i < lstmae_module_param_count(source); i++)
        assert_ok(lstmae_tensor_copy(lstmae_module_param(target, i), lstmae_module_param(source, i)));
    for (size_t i = 0; i < lae_optimizer_slot_count(from->optimizer); i++) {
        lstmae_tensor *old, *new;
        assert_ok(lae_optimizer_slot(from->optimizer, i, NULL, 0, &old));
        assert_ok(lae_optimizer_slot(to->optimizer, i, NULL, 0, &new));
        assert_ok(lstmae_tensor_copy(new, old));
    }
    lae_optimizer_set_steps(to->optimizer, lstmae_optimizer_steps(from->optimizer));
    lae_schedule_get_state(from->schedule, schedule);
    assert_ok(lae_schedule_set_state(to->schedule, schedule, 1));
    lae_fit_state_get(from->state, counters);
    assert_ok(lae_fit_state_set(to->state, counters, 1));
    rig_transfer_best(to, from);
    assert_ok(lstmae_loader_position(from->loader, &epoch, &batch));
    assert_ok(lstmae_loader_seek(to->loader, epoch, batch));
    if (draws) lae_context_set_draws(to->context, lae_context_draws(from->context));
}

static size_t rig_append(lstmae_tensor *tensor, float *out, size_t used)
{
    size_t count = (size_t)lstmae_tensor_numel(tensor);
    assert_true(used + count <= RIG_MOST_WEIGHTS);
    assert_ok(lstmae_tensor_read(tensor, out + used, count * sizeof *out));
    return used + count;
}

size_t rig_weights(lstmae_module *module, float *weights)
{
    size_t used = 0;
    for (size_t i = 0; i < lstmae_module_param_count(module); i++)
        used = rig_append(lstmae_module_param(module, i), weights, used);
    return used;
}

int rig_same_weights(rig *a, rig *b)
{
    static float x[RIG_MOST_WEIGHTS], y[RIG_MOST_WEIGHTS];
    size_t n = rig_weights(lstmae_seq2seq_module(a->model), x);
    assert_int_equal(n, rig_weights(lstmae_seq2seq_module(b->model), y));
    return memcmp(x, y, n * sizeof *x) == 0;
}

static void rig_assert_same_tensor(lstmae_tensor *a, lstmae_tensor *b)
{
    static float x[RIG_MOST_WEIGHTS], y[RIG_MOST_WEIGHTS];
    size_t n = rig_append(a, x, 0);
    assert_int_equal(n, rig_append(b, y, 0));
    assert_memory_equal(x, y, n * sizeof *x);
}

void rig_assert_same(rig *a, rig *b)
{
    double x[LAE_FIT_COUNTERS], y[LAE_FIT_COUNTERS], s[LAE_SCHEDULE_STATE], t[LAE_SCHEDULE_STATE];
    int64_t epoch[2], batch[2];
    assert_true(rig_same_weights(a, b));
    for (size_t i = 0; i < lae_optimizer_slot_count(a->optimizer); i++) {
        lstmae_tensor *first, *second;
        assert_ok(lae_optimizer_slot(a->optimizer, i, NULL, 0, &first));
        assert_ok(lae_optimizer_slot(b->optimizer, i, NULL, 0, &second));
        rig_assert_same_tensor(first, second);
    }
    assert_int_equal(lae_fit_state_best_count(a->state), lae_fit_state_best_count(b->state));
    for (size_t i = 0; i < lae_fit_state_best_count(a->state); i++) {
        lstmae_tensor *first, *second;
        assert_ok(lae_fit_state_best_slot(a->state, lstmae_seq2seq_module(a->model), i, NULL, 0, &first));
        assert_ok(lae_fit_state_best_slot(b->state, lstmae_seq2seq_module(b->model), i, NULL, 0, &second));
        rig_assert_same_tensor(first, second);
    }
    lae_fit_state_get(a->state, x);
    lae_fit_state_get(b->state, y);
    assert_memory_equal(x, y, sizeof x);
    lae_schedule_get_state(a->schedule, s);
    lae_schedule_get_state(b->schedule, t);
    assert_memory_equal(s, t, sizeof s);
    assert_int_equal(lstmae_optimizer_steps(a->optimizer), lstmae_optimizer_steps(b->optimizer));
    assert_int_equal(lae_context_draws(a->context), lae_context_draws(b->context));
    assert_ok(lstmae_loader_position(a->loader, &epoch[0], &batch[0]));
    assert_ok(lstmae_loader_position(b->loader, &epoch[1], &batch[1]));
    assert_int_equal(epoch[0], epoch[1]);
    assert_int_equal(batch[0], batch[1]);
}

lstmae_status rig_fit(rig *r, const lstmae_fit_options *options)
{
    lstmae_fit_options full = *options;
    full.schedule = r->schedule;
    return lstmae_fit(lstmae_task_objective(r->task), r->loader, r->optimizer, &full, r->state);
}
