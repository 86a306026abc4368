/* State that is not learned: names, files, best weights, updates left out. Batch norm has it. */
#include "faults.h"
#include "train_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FEATURES = 4, ITEMS = 24, BATCH = 6, BUFFERS = 3 };

typedef struct rig {
    lstmae_context *context;
    lstmae_module *model;
} rig;

/* linear, batch norm, tanh, linear; another seed gives other weights. */
static rig rig_open(uint64_t seed)
{
    rig r = { 0 };
    lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
    lstmae_module *layers[4] = { NULL };
    options.seed = seed;
    options.threads = 1;
    assert_ok(lstmae_context_create(&r.context, "cpu", &options));
    assert_ok(lstmae_linear_create(&layers[0], r.context, FEATURES, 3, 0));
    assert_ok(lstmae_batch_norm_create(&layers[1], r.context, 3, NULL));
    assert_ok(lstmae_activation_create(&layers[2], r.context, LSTMAE_ACTIVATION_TANH));
    assert_ok(lstmae_linear_create(&layers[3], r.context, 3, FEATURES, 0));
    assert_ok(lstmae_sequential_create(&r.model, r.context));
    for (int i = 0; i < 4; i++) assert_ok(lstmae_sequential_append(r.model, layers[i]));
    return r;
}

static void rig_close(rig *r)
{
    lstmae_module_destroy(r->model);
    lstmae_context_destroy(r->context);
}

/* Means, variances and the number of batches. */
typedef struct statistics {
    float mean[3], variance[3];
    int64_t batches;
} statistics;

static statistics statistics_of(const rig *r)
{
    statistics s;
    memset(&s, 0, sizeof(s));
    assert_ok(lstmae_tensor_read(lstmae_module_buffer(r->model, 0), s.mean, sizeof(s.mean)));
    assert_ok(lstmae_tensor_read(lstmae_module_buffer(r->model, 1), s.variance, sizeof(s.variance)));
    assert_ok(lstmae_tensor_read(lstmae_module_buffer(r->model, 2), &s.batches, sizeof(s.batches)));
    return s;
}

static void assert_same(const statistics *a, const statistics *b)
{
    assert_memory_equal(a, b, sizeof(*a));
}

/* Training forwards over `count` batches. */
static void train(const rig *r, int count, uint64_t seed)
{
    const int64_t dims[2] = { BATCH, FEATURES };
    float values[BATCH * FEATURES];
    lstmae_tensor *x = NULL;
    assert_ok(lstmae_tensor_create(&x, r->context, LSTMAE_F32, 2, dims));
    for (int i = 0; i < count; i++) {
        test_fill(values, BATCH * FEATURES, seed + (uint64_t)i, 2.0f);
        assert_ok(lstmae_tensor_write(x, values, sizeof(values)));
        assert_ok(lstmae_module_forward(r->model, x, NULL));
    }
    lstmae_tensor_destroy(x);
}

static void test_names(void **state)
{
    (void)state;
    static const char *const names[BUFFERS] = { "1.running_mean", "1.running_var", "1.num_batches_tracked" };
    rig r = rig_open(1);
    statistics s = statistics_of(&r);
    assert_int_equal(lstmae_module_buffer_count(r.model), BUFFERS);
    for (size_t i = 0; i < BUFFERS; i++) assert_string_equal(lstmae_module_buffer_name(r.model, i), names[i]);
    assert_null(lstmae_module_buffer_name(r.model, BUFFERS));
    assert_null(lstmae_module_buffer(r.model, BUFFERS));
    assert_int_equal(lstmae_tensor_dtype(lstmae_module_buffer(r.model, 2)), LSTMAE_I64);
    assert_int_equal(lstmae_tensor_ndim(lstmae_module_buffer(r.model, 2)), 0);
    for (int c = 0; c < 3; c++) assert_true(s.mean[c] == 0.0f && s.variance[c] == 1.0f);
    assert_int_equal(s.batches, 0);
    assert_int_equal(lstmae_module_param_count(r.model), 6); /* buffers are no parameters */
    rig_close(&r);
}

/* Training changes them, inference does not. */
static void test_change(void **state)
{
    (void)state;
    rig r = rig_open(1);
    train(&r, 3, 1);
    statistics before = statistics_of(&r);
    assert_int_equal(before.batches, 3);
    assert_true(before.mean[0] != 0.0f && before.variance[0] != 1.0f);
    assert_ok(lstmae_module_set_training(r.model, 0));
    train(&r, 2, 7);
    statistics after = statistics_of(&r);
    assert_same(&before, &after);
    rig_close(&r);
}

static void test_saved(void **state)
{
    (void)state;
    rig a = rig_open(1), b = rig_open(2);
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    const char *path = test_path("buffers.safetensors");
    train(&a, 5, 1);
    train(&b, 2, 40);
    content.module = a.model;
    assert_ok(lstmae_checkpoint_save(path, &content));
    content.module = b.model;
    assert_ok(lstmae_checkpoint_load(path, &content));
    statistics first = statistics_of(&a), second = statistics_of(&b);
    assert_same(&first, &second);
    train(&a, 1, 90); /* the number of batches goes on from what was loaded */
    train(&b, 1, 90);
    first = statistics_of(&a);
    second = statistics_of(&b);
    assert_int_equal(second.batches, 6);
    assert_same(&first, &second);
    rig_close(&a);
    rig_close(&b);
}

/* ---- files from elsewhere ---- */

typedef struct foreign_tensor {
    const char *name, *type, *shape;
    size_t bytes;
} foreign_tensor;

/* A file as another program writes it; values are 0 but for the count, which is 12. */
static const char *foreign_file(const foreign_tensor *tensors, size_t count)
{
    char header[1024] = "{", data[512] = { 0 };
    size_t used = 1, at = 0;
    unsigned char bytes[2048];
    for (size_t i = 0; i < count; i++) {
        used += (size_t)snprintf(header + used, sizeof(header) - used,
                                 "%s\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}", i ? "," : "",
                                 tensors[i].name, tensors[i].type, tensors[i].shape, at, at + tensors[i].bytes);
        if (strstr(tensors[i].name, "tracked")) data[at] = 12;
        at += tensors[i].bytes;
    }
    used += (size_t)snprintf(header + used, sizeof(header) - used, "}");
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(used >> 8 * i);
    memcpy(bytes + 8, header, used);
    memcpy(bytes + 8 + used, data, at);
    return test_file("foreign.safetensors", bytes, 8 + used + at);
}

static const foreign_tensor torch_tensors[] = {
    { "0.weight", "F32", "[3,4]", 48 },       { "0.bias", "F32", "[3]", 12 },
    { "1.weight", "F32", "[3]", 12 },         { "1.bias", "F32", "[3]", 12 },
    { "1.running_mean", "F32", "[3]", 12 },   { "1.running_var", "F64", "[3]", 24 },
    { "3.weight", "F32", "[4,3]", 48 },       { "3.bias", "F32", "[4]", 16 },
    { "1.num_batches_tracked", "I64", "[]", 8 },
};
#define TORCH_TENSORS (sizeof(torch_tensors) / sizeof(torch_tensors[0]))

/* As PyTorch's state_dict() has it: the count is a whole number without axes. */
static void test_torch_file(void **state)
{
    (void)state;
    rig r = rig_open(1);
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    content.module = r.model;
    train(&r, 2, 1);
    assert_ok(lstmae_checkpoint_load(foreign_file(torch_tensors, TORCH_TENSORS), &content));
    statistics s = statistics_of(&r);
    assert_int_equal(s.batches, 12);
    assert_true(s.mean[1] == 0.0f && s.variance[2] == 0.0f);
    train(&r, 1, 1);
    assert_int_equal(statistics_of(&r).batches, 13);
    rig_close(&r);
}

static void test_refused_files(void **state)
{
    (void)state;
    rig r = rig_open(1);
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    foreign_tensor tensors[TORCH_TENSORS];
    content.module = r.model;
    train(&r, 2, 1);
    statistics before = statistics_of(&r);
    assert_fails(lstmae_checkpoint_load(foreign_file(torch_tensors, TORCH_TENSORS - 1), &content), ERR_NOT_FOUND);
    assert_non_null(strstr(lstmae_last_error(), "1.num_batches_tracked"));
    memcpy(tensors, torch_tensors, sizeof(tensors));
    tensors[TORCH_TENSORS - 1].type = "F64"; /* a count is a whole number */
    assert_fails(lstmae_checkpoint_load(foreign_file(tensors, TORCH_TENSORS), &content), ERR_DTYPE);
    tensors[TORCH_TENSORS - 1].type = "I64";
    tensors[4].type = "I32"; /* and a mean is none */
    assert_fails(lstmae_checkpoint_load(foreign_file(tensors, TORCH_TENSORS), &content), ERR_DTYPE);
    tensors[4].type = "F32";
    tensors[TORCH_TENSORS - 1].shape = "[1]";
    assert_fails(lstmae_checkpoint_load(foreign_file(tensors, TORCH_TENSORS), &content), ERR_SHAPE);
    statistics after = statistics_of(&r);
    assert_same(&before, &after);
    content.flags = LSTMAE_CHECKPOINT_PARTIAL;
    assert_ok(lstmae_checkpoint_load(foreign_file(torch_tensors, TORCH_TENSORS - 1), &content));
    assert_int_equal(statistics_of(&r).batches, 2);
    rig_close(&r);
}

/* ---- training ---- */

typedef struct training {
    rig rig;
    float data[ITEMS * FEATURES];
    lstmae_loader *loader, *validation;
    lstmae_loss *loss;
    lstmae_task *task;
    lstmae_optimizer *optimizer;
    lstmae_fit_state *state;
    double best;
    statistics at_best;
} training;

static lstmae_loader *loader_of(training *t, uint32_t flags)
{
    const int64_t dims[1] = { FEATURES };
    lstmae_loader_options options = LSTMAE_LOADER_OPTIONS_INIT;
    lstmae_dataset *dataset = NULL;
    lstmae_loader *loader = NULL;
    options.batch = BATCH;
    options.flags = flags;
    assert_ok(lstmae_dataset_from_memory(&dataset, t->rig.context, t->data, ITEMS, 1, dims));
    assert_ok(lstmae_loader_create(&loader, t->rig.context, dataset, &options));
    lstmae_dataset_destroy(dataset);
    return loader;
}

static void training_open(training *t, double lr)
{
    lstmae_optimizer_options options = LSTMAE_SGD_OPTIONS_INIT;
    memset(t, 0, sizeof(*t));
    t->rig = rig_open(5);
    t->best = INFINITY;
    test_fill(t->data, ITEMS * FEATURES, 3, 1.0f);
    t->loader = loader_of(t, LSTMAE_LOADER_SHUFFLE);
    t->validation = loader_of(t, 0);
    options.lr = lr;
    assert_ok(lstmae_loss_create(&t->loss, t->rig.context, NULL));
    assert_ok(lstmae_task_autoencoder(&t->task, t->rig.model, t->loss));
    assert_ok(lstmae_optimizer_create(&t->optimizer, t->rig.model, &options));
    assert_ok(lstmae_fit_state_create(&t->state, t->rig.context));
}

static void training_close(training *t)
{
    lstmae_fit_state_destroy(t->state);
    lstmae_optimizer_destroy(t->optimizer);
    lstmae_task_destroy(t->task);
    lstmae_loss_destroy(t->loss);
    lstmae_loader_destroy(t->loader);
    lstmae_loader_destroy(t->validation);
    rig_close(&t->rig);
}

static int note_best(const lstmae_fit_event *event, void *payload)
{
    training *t = payload;
    if (event->stage != LSTMAE_FIT_VALIDATION || !(event->validation < t->best)) return 0;
    t->best = event->validation;
    t->at_best = statistics_of(&t->rig);
    return 0;
}

static lstmae_status training_run(training *t, int64_t iterations, uint32_t flags)
{
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    options.flags = flags;
    options.iterations = iterations;
    options.validate_every = 1;
    options.validation = t->validation;
    options.callback = note_best;
    options.payload = t;
    options.max_skips = 100;
    return lstmae_fit(lstmae_task_objective(t->task), t->loader, t->optimizer, &options, t->state);
}

/* The rate is so large that later updates are worse: what is restored is not what was last. */
static void test_best_weights(void **state)
{
    (void)state;
    training t;
    double loss = NAN;
    training_open(&t, 2.0);
    assert_ok(training_run(&t, 12, 0));
    const int64_t last = statistics_of(&t.rig).batches;
    training_close(&t);
    training_open(&t, 2.0);
    assert_ok(training_run(&t, 12, LSTMAE_FIT_KEEP_BEST));
    statistics restored = statistics_of(&t.rig);
    assert_true(restored.batches < last);
    assert_same(&restored, &t.at_best);
    assert_ok(lstmae_evaluate(lstmae_task_objective(t.task), t.validation, 0, &loss));
    assert_true(loss == t.best); /* weights and statistics belong together */
    training_close(&t);
}

/* With files of best weights too: what is loaded goes the same way. */
static void test_resumed(void **state)
{
    (void)state;
    training a, b;
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    const char *path = test_path("resumed.safetensors");
    training_open(&a, 0.3);
    training_open(&b, 0.3);
    train(&b.rig, 3, 8); /* so that what is loaded is not there already */
    assert_ok(training_run(&a, 7, 0));
    content = (lstmae_checkpoint){ .struct_size = sizeof(content), .module = a.rig.model, .optimizer = a.optimizer,
                                   .loader = a.loader, .state = a.state };
    assert_ok(lstmae_checkpoint_save(path, &content));
    content = (lstmae_checkpoint){ .struct_size = sizeof(content), .module = b.rig.model, .optimizer = b.optimizer,
                                   .loader = b.loader, .state = b.state };
    assert_ok(lstmae_checkpoint_load(path, &content));
    assert_ok(training_run(&a, 15, LSTMAE_FIT_KEEP_BEST));
    assert_ok(training_run(&b, 15, LSTMAE_FIT_KEEP_BEST));
    statistics first = statistics_of(&a.rig), second = statistics_of(&b.rig);
    assert_same(&first, &second);
    content.module = b.rig.model;
    assert_ok(lstmae_checkpoint_save(path, &content));
    training_close(&a);
    training_open(&a, 0.3);
    content = (lstmae_checkpoint){ .struct_size = sizeof(content), .module = a.rig.model, .optimizer = a.optimizer,
                                   .loader = a.loader, .state = a.state };
    assert_ok(lstmae_checkpoint_load(path, &content));
    assert_int_equal(lae_fit_state_best_count(a.state), 6 + BUFFERS);
    first = statistics_of(&a.rig);
    assert_same(&first, &second);
    training_close(&a);
    training_close(&b);
}

/* A batch with a NaN in it would spoil the statistics for good. */
static void test_left_out(void **state)
{
    (void)state;
    training t;
    training_open(&t, 0.1);
    assert_ok(training_run(&t, 3, 0));
    statistics before = statistics_of(&t.rig);
    lstmae_loader_destroy(t.loader);
    t.data[5 * FEATURES] = NAN; /* item 5 */
    t.loader = loader_of(&t, 0);
    t.data[5 * FEATURES] = 0.0f;
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    options.iterations = 100;
    options.max_skips = 1;
    assert_fails(lstmae_fit(lstmae_task_objective(t.task), t.loader, t.optimizer, &options, t.state), ERR_NUMERIC);
    statistics after = statistics_of(&t.rig);
    assert_same(&before, &after);
    training_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),         cmocka_unit_test(test_change),  cmocka_unit_test(test_saved),
        cmocka_unit_test(test_torch_file),    cmocka_unit_test(test_refused_files),
        cmocka_unit_test(test_best_weights),  cmocka_unit_test(test_resumed), cmocka_unit_test(test_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
