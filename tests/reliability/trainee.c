#include "trainee.h"

#include "context_internal.h"
#include "crc32c.h"
#include "optim_internal.h"
#include "schedule_internal.h"
#include "train_internal.h"

#include <stdlib.h>
#include <string.h>

enum { ITEMS = 12, FRAMES = 5, FEATURES = 4, INPUT_FRAMES = 3 };

static lstmae_status create_data(trainee *t)
{
    static const int64_t dims[] = { FRAMES, FEATURES };
    float values[ITEMS * FRAMES * FEATURES];
    lstmae_loader_options loader = LSTMAE_LOADER_OPTIONS_INIT;
    test_fill(values, sizeof values / sizeof values[0], 3, 1.0f);
    lstmae_status status = lstmae_dataset_from_memory(&t->data, t->context, values, ITEMS, 2, dims);
    loader.flags = LSTMAE_LOADER_SHUFFLE | LSTMAE_LOADER_TIME_MAJOR;
    loader.batch = 5; /* the last batch of an epoch is smaller */
    loader.input_steps = INPUT_FRAMES;
    if (status == LSTMAE_OK) status = lstmae_loader_create(&t->loader, t->context, t->data, &loader);
    loader.flags = LSTMAE_LOADER_TIME_MAJOR;
    if (status == LSTMAE_OK) status = lstmae_loader_create(&t->validation, t->context, t->data, &loader);
    return status;
}

static lstmae_status create_model(trainee *t, int64_t hidden)
{
    lstmae_lstm_options encoder = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_decoder_options decoder = LSTMAE_DECODER_OPTIONS_INIT;
    lstmae_loss_options loss = LSTMAE_LOSS_OPTIONS_INIT;
    encoder.layers = 2;
    encoder.dropout = decoder.dropout = 0.3;
    lstmae_status status = lstmae_seq2seq_create(&t->model, t->context, FEATURES, hidden, &encoder);
    if (status == LSTMAE_OK) status = lstmae_seq2seq_add_decoder(t->model, &decoder);
    decoder.target = LSTMAE_DECODE_FUTURE;
    decoder.input = LSTMAE_INPUT_TRUTH; /* sampled: draws random numbers too */
    decoder.truth = 0.5;
    decoder.steps = FRAMES - INPUT_FRAMES;
    if (status == LSTMAE_OK) status = lstmae_seq2seq_add_decoder(t->model, &decoder);
    if (status == LSTMAE_OK) status = lstmae_loss_create(&t->loss, t->context, &loss);
    if (status == LSTMAE_OK) status = lstmae_task_seq2seq(&t->task, t->model, t->loss);
    return status;
}

lstmae_status trainee_create(trainee *t, const trainee_options *options)
{
    lstmae_context_options plain = LSTMAE_CONTEXT_OPTIONS_INIT;
    lstmae_schedule_options schedule = LSTMAE_SCHEDULE_OPTIONS_INIT;
    memset(t, 0, sizeof *t);
    plain.threads = 1;
    plain.seed = 11;
    schedule.kind = LSTMAE_SCHEDULE_PLATEAU;
    schedule.patience = 0;
    schedule.factor = 0.5;
    schedule.lr = options->optimizer.lr;
    schedule.threshold = 0.05;
    lstmae_status status = lstmae_context_create(&t->context, options->device ? options->device : "cpu:ref",
                                                 options->context ? options->context : &plain);
    if (status == LSTMAE_OK) status = create_data(t);
    if (status == LSTMAE_OK) status = create_model(t, options->hidden ? options->hidden : 5);
    if (status == LSTMAE_OK)
        status = lstmae_optimizer_create(&t->optimizer, lstmae_seq2seq_module(t->model), &options->optimizer);
    if (status == LSTMAE_OK) status = lstmae_schedule_create(&t->schedule, &schedule);
    if (status == LSTMAE_OK) status = lstmae_fit_state_create(&t->state, t->context);
    return status;
}

void trainee_destroy(trainee *t)
{
    lstmae_fit_state_destroy(t->state);
    lstmae_schedule_destroy(t->schedule);
    lstmae_optimizer_destroy(t->optimizer);
    lstmae_task_destroy(t->task);
    lstmae_loss_destroy(t->loss);
    lstmae_seq2seq_destroy(t->model);
    lstmae_loader_destroy(t->validation);
    lstmae_loader_destroy(t->loader);
    lstmae_dataset_destroy(t->data);
    lstmae_context_destroy(t->context);
    memset(t, 0, sizeof *t);
}

static int trainee_event(const lstmae_fit_event *event, void *payload)
{
    const trainee *t = payload;
    if (event->stage != LSTMAE_FIT_ITERATION) return 0;
    if (t->losses) t->losses[event->iteration - 1] = event->loss;
    return t->stop > 0 && event->iteration >= t->stop;
}

lstmae_status trainee_train(trainee *t, int64_t iterations)
{
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    options.flags = LSTMAE_FIT_KEEP_BEST;
    options.iterations = iterations;
    options.epochs = 0;
    options.accumulate = 2;
    options.validate_every = 3;
    options.validation = t->validation;
    options.schedule = t->schedule;
    options.callback = trainee_event;
    options.payload = t;
    lstmae_status status = lstmae_fit(lstmae_task_objective(t->task), t->loader, t->optimizer, &options, t->state);
    return status == LSTMAE_ERR_CANCELLED && t->stop > 0 ? LSTMAE_OK : status;
}

lstmae_checkpoint trainee_content(const trainee *t)
{
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    content.module = lstmae_seq2seq_module(t->model);
    content.optimizer = t->optimizer;
    content.schedule = t->schedule;
    content.loader = t->loader;
    content.state = t->state;
    return content;
}

static uint32_t hash_tensor(uint32_t crc, lstmae_tensor *tensor)
{
    size_t bytes = (size_t)lstmae_tensor_numel(tensor) * (lstmae_tensor_dtype(tensor) == LSTMAE_F64 ? 8 : 4);
    void *values = malloc(bytes + 1);
    assert_non_null(values);
    assert_ok(lstmae_tensor_read(tensor, values, bytes));
    crc = lae_crc32c(crc, values, bytes);
    free(values);
    return crc;
}

uint32_t trainee_hash(const trainee *t)
{
    lstmae_module *module = lstmae_seq2seq_module(t->model);
    double counters[LAE_FIT_COUNTERS], schedule[LAE_SCHEDULE_STATE];
    double lr = lstmae_optimizer_lr(t->optimizer);
    uint64_t random[2] = { lstmae_context_seed(t->context), lae_context_draws(t->context) };
    int64_t place[3] = { 0, 0, lstmae_optimizer_steps(t->optimizer) };
    size_t best = lae_fit_state_best_count(t->state);
    uint32_t crc = 0;
    for (size_t i = 0; i < lstmae_module_param_count(module); i++)
        crc = hash_tensor(crc, lstmae_module_param(module, i));
    for (size_t i = 0; i < lae_optimizer_slot_count(t->optimizer) + best; i++) {
        lstmae_tensor *tensor;
        if (i < best)
            assert_ok(lae_fit_state_best_slot(t->state, module, i, NULL, 0, &tensor));
        else
            assert_ok(lae_optimizer_slot(t->optimizer, i - best, NULL, 0, &tensor));
        crc = hash_tensor(crc, tensor);
    }
    assert_ok(lstmae_loader_position(t->loader, &place[0], &place[1]));
    lae_fit_state_get(t->state, counters);
    lae_schedule_get_state(t->schedule, schedule);
    crc = lae_crc32c(crc, random, sizeof random);
    crc = lae_crc32c(crc, place, sizeof place);
    crc = lae_crc32c(crc, &lr, sizeof lr);
    crc = lae_crc32c(crc, counters, sizeof counters);
    return lae_crc32c(crc, schedule, sizeof schedule);
}
