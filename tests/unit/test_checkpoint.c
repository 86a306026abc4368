/* Checkpoints: what is saved comes back to the bit, and a resumed training goes the same way. */
#include "checkpoint_rig.h"
#include "context_internal.h"
#include "faults.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PYTHON_FILE LAE_TEST_GOLDEN "/safetensors_python.safetensors"

enum { UPDATES = 14 };

static void test_comes_back(void **state)
{
    (void)state;
    trainee a, b;
    trainee_options options = adam();
    assert_ok(trainee_create(&a, &options));
    create_other(&b, options);
    assert_ok(trainee_train(&a, 7));
    uint32_t hash = trainee_hash(&a);
    assert_true(hash != trainee_hash(&b));
    save(&a, path_a);
    assert_int_equal(trainee_hash(&a), hash);
    load(&b, path_a);
    assert_int_equal(trainee_hash(&b), hash);
    save(&b, path_b);
    assert_same_files(path_a, path_b);
    trainee_destroy(&a);
    trainee_destroy(&b);
}

/* Weights read straight into place, as in large files, are the same as those read to host memory first. */
static void test_unstaged(void **state)
{
    (void)state;
    trainee a, b;
    trainee_options options = adam();
    options.hidden = 150; /* a weight of 90,000 elements: more than one piece */
    assert_ok(trainee_create(&a, &options));
    create_other(&b, options);
    save(&a, path_a);
    lstmae_checkpoint content = trainee_content(&b);
    assert_ok(lae_checkpoint_load_staged(path_a, &content, 0));
    assert_int_equal(trainee_hash(&b), trainee_hash(&a));
    trainee_destroy(&b);
    create_other(&b, options);
    load(&b, path_a);
    assert_int_equal(trainee_hash(&b), trainee_hash(&a));
    trainee_destroy(&a);
    trainee_destroy(&b);
}

/* Trains to `at`, saves, and goes on from the file with objects made anew; the losses of all updates. */
static uint32_t resumed_hash(const trainee_options *options, int64_t at, double *losses, int forget_draws)
{
    trainee first, second;
    assert_ok(trainee_create(&first, options));
    first.losses = losses;
    first.stop = at; /* stopped on the way: to train to an end restores the best weights */
    assert_ok(trainee_train(&first, UPDATES));
    save(&first, path_a);
    trainee_destroy(&first);
    create_other(&second, *options);
    second.losses = losses;
    load(&second, path_a);
    if (forget_draws) lae_context_set_draws(second.context, 0);
    assert_ok(trainee_train(&second, UPDATES));
    uint32_t hash = trainee_hash(&second);
    trainee_destroy(&second);
    return hash;
}

static void check_resume(lstmae_optimizer_options optimizer)
{
    trainee_options options = options_of(optimizer);
    trainee whole;
    double losses[UPDATES];
    assert_ok(trainee_create(&whole, &options));
    whole.losses = losses;
    assert_ok(trainee_train(&whole, UPDATES));
    uint32_t hash = trainee_hash(&whole);
    trainee_destroy(&whole);
    for (int64_t at = 1; at < UPDATES; at++) {
        double again[UPDATES] = { 0 };
        uint32_t got = resumed_hash(&options, at, again, 0);
        for (int i = 0; i < UPDATES; i++) {
            if (memcmp(&again[i], &losses[i], sizeof losses[i]) == 0) continue;
            print_error("resumed at %d: loss of update %d is %.17g, was %.17g\n", (int)at, i, again[i], losses[i]);
            fail();
        }
        assert_int_equal(got, hash);
        /* and the comparison can tell */
        if (at == 5) assert_true(resumed_hash(&options, at, again, 1) != hash);
    }
}

static void test_resume_sgd(void **state)
{
    (void)state;
    lstmae_optimizer_options plain = LSTMAE_SGD_OPTIONS_INIT, momentum = LSTMAE_SGD_OPTIONS_INIT;
    check_resume(plain);
    momentum.momentum = 0.9;
    momentum.flags = LSTMAE_OPTIMIZER_NESTEROV;
    momentum.weight_decay = 1e-3;
    check_resume(momentum);
}

static void test_resume_adam(void **state)
{
    (void)state;
    lstmae_optimizer_options plain = LSTMAE_ADAM_OPTIONS_INIT, decoupled = LSTMAE_ADAMW_OPTIONS_INIT;
    check_resume(plain);
    check_resume(decoupled);
}

static void test_resume_rmsprop(void **state)
{
    (void)state;
    lstmae_optimizer_options torch = LSTMAE_RMSPROP_OPTIONS_INIT, tensorflow = LSTMAE_RMSPROP_TF1_OPTIONS_INIT;
    torch.flags = LSTMAE_OPTIMIZER_CENTERED;
    torch.momentum = 0.5;
    check_resume(torch);
    check_resume(tensorflow);
}

/* A resumed run of several threads agrees too: results do not depend on their number. */
static void test_resume_threads(void **state)
{
    (void)state;
    trainee one, three;
    trainee_options options = adam();
    lstmae_context_options threads = LSTMAE_CONTEXT_OPTIONS_INIT;
    options.device = "cpu";
    assert_ok(trainee_create(&one, &options));
    assert_ok(trainee_train(&one, 4));
    save(&one, path_a);
    load(&one, path_a);
    assert_ok(trainee_train(&one, 9));
    threads.threads = 3;
    options.context = &threads;
    assert_ok(trainee_create(&three, &options));
    load(&three, path_a);
    assert_ok(trainee_train(&three, 9));
    assert_int_equal(trainee_hash(&one), trainee_hash(&three));
    trainee_destroy(&one);
    trainee_destroy(&three);
}

/* ---- what is refused ---- */

/* Loading must fail with `code` and change nothing. */
static void assert_refused(const trainee *t, const lstmae_checkpoint *content, const char *path, lstmae_status code,
                           const char *says)
{
    uint32_t before = trainee_hash(t);
    for (int stage = 0; stage < 2; stage++) {
        lstmae_status status = lae_checkpoint_load_staged(path, content, stage ? UINT64_MAX : 0);
        if (status != code || !strstr(lstmae_last_error(), says)) {
            print_error("%s: \"%s\", wanted %s with \"%s\"\n", lstmae_status_name(status), lstmae_last_error(),
                        lstmae_status_name(code), says);
            fail();
        }
    }
    assert_int_equal(trainee_hash(t), before);
}

static void test_refuses_other_models(void **state)
{
    (void)state;
    trainee a, wider, sgd;
    trainee_options options = adam(), wide = adam();
    lstmae_optimizer_options momentum = LSTMAE_SGD_OPTIONS_INIT;
    trainee_options other = options_of(momentum);
    wide.hidden = 6;
    assert_ok(trainee_create(&a, &options));
    assert_ok(trainee_create(&wider, &wide));
    assert_ok(trainee_create(&sgd, &other));
    assert_ok(trainee_train(&a, 3));
    save(&a, path_a);
    lstmae_checkpoint content = trainee_content(&wider);
    assert_refused(&wider, &content, path_a, LSTMAE_ERR_SHAPE, "expected shape [24,4], got [20,4]");
    content = trainee_content(&sgd);
    assert_refused(&sgd, &content, path_a, LSTMAE_ERR_STATE, "expected optimizer adam, got sgd");
    trainee_destroy(&wider);
    trainee_destroy(&sgd);

    /* parts that the file lacks */
    lstmae_checkpoint weights = LSTMAE_CHECKPOINT_INIT;
    weights.module = lstmae_seq2seq_module(a.model);
    assert_ok(lstmae_checkpoint_save(path_b, &weights));
    content = weights;
    content.optimizer = a.optimizer;
    assert_refused(&a, &content, path_b, LSTMAE_ERR_NOT_FOUND, "'lstmae.optimizer'");
    content = weights;
    content.loader = a.loader;
    assert_refused(&a, &content, path_b, LSTMAE_ERR_NOT_FOUND, "'lstmae.loader'");
    content = weights;
    content.schedule = a.schedule;
    assert_refused(&a, &content, path_b, LSTMAE_ERR_NOT_FOUND, "'lstmae.schedule'");
    content = weights;
    content.state = a.state;
    assert_refused(&a, &content, path_b, LSTMAE_ERR_NOT_FOUND, "'lstmae.fit'");
    content = trainee_content(&a);
    assert_refused(&a, &content, test_path("missing"), LSTMAE_ERR_NOT_FOUND, "cannot open");
    assert_refused(&a, &content, "/tmp", LSTMAE_ERR_IO, "regular file");
    trainee_destroy(&a);
}

/* Another batch size: the position in an epoch would mean other items. */
static void test_refuses_other_batches(void **state)
{
    (void)state;
    trainee a;
    trainee_options options = adam();
    lstmae_loader_options loader = LSTMAE_LOADER_OPTIONS_INIT;
    lstmae_loader *other;
    assert_ok(trainee_create(&a, &options));
    save(&a, path_a);
    loader.batch = 4;
    loader.flags = LSTMAE_LOADER_DROP_LAST;
    loader.epoch_items = 8;
    assert_ok(lstmae_loader_create(&other, a.context, a.data, &loader));
    lstmae_checkpoint content = trainee_content(&a);
    content.loader = other;
    assert_refused(&a, &content, path_a, LSTMAE_ERR_STATE, "expected 3 batches in an epoch, got 2");
    lstmae_loader_destroy(other);
    trainee_destroy(&a);
}

static void test_arguments(void **state)
{
    (void)state;
    trainee a;
    trainee_options options = adam();
    char *text = path_a;
    assert_ok(trainee_create(&a, &options));
    lstmae_checkpoint content = trainee_content(&a), none = LSTMAE_CHECKPOINT_INIT;
    assert_fails(lstmae_checkpoint_save(NULL, &content), ERR_INVALID_ARG);
    assert_fails(lstmae_checkpoint_save(path_a, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_checkpoint_load(NULL, &content), ERR_INVALID_ARG);
    assert_fails(lstmae_checkpoint_load(path_a, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_checkpoint_save(path_a, &none), ERR_INVALID_ARG);
    assert_fails(lstmae_checkpoint_load(path_a, &none), ERR_INVALID_ARG);
    assert_fails(lstmae_checkpoint_config(NULL, &text), ERR_INVALID_ARG);
    assert_null(text);
    assert_fails(lstmae_checkpoint_config(path_a, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_checkpoint_config(test_path("missing"), &text), ERR_NOT_FOUND);
    lstmae_checkpoint_config_free(NULL);
    lstmae_checkpoint bad = content;
    bad.struct_size = 8;
    assert_true(lstmae_checkpoint_save(path_a, &bad) < 0);
    bad = content;
    bad.flags = 4;
    assert_fails(lstmae_checkpoint_load(path_a, &bad), ERR_UNSUPPORTED);
    bad.flags = LSTMAE_CHECKPOINT_PARTIAL; /* with an optimizer */
    assert_fails(lstmae_checkpoint_load(path_a, &bad), ERR_INVALID_ARG);
    bad.optimizer = NULL; /* with a state */
    assert_fails(lstmae_checkpoint_load(path_a, &bad), ERR_INVALID_ARG);
    bad = content;
    bad.config = "\xff";
    assert_fails(lstmae_checkpoint_save(path_a, &bad), ERR_INVALID_ARG);
    assert_fails(lstmae_checkpoint_save("/nowhere/at/all", &content), ERR_NOT_FOUND);
    assert_fails(lstmae_checkpoint_save("/tmp", &content), ERR_IO);
    assert_fails(lstmae_checkpoint_save("", &content), ERR_NOT_FOUND);
    trainee_destroy(&a);
}

/* ---- parts and kinds ---- */

static void test_weights_of_a_full_checkpoint(void **state)
{
    (void)state;
    trainee a, b;
    trainee_options options = adam();
    assert_ok(trainee_create(&a, &options));
    create_other(&b, options);
    assert_ok(trainee_train(&a, 5));
    save(&a, path_a);
    lstmae_checkpoint weights = LSTMAE_CHECKPOINT_INIT;
    weights.module = lstmae_seq2seq_module(b.model);
    assert_ok(lstmae_checkpoint_load(path_a, &weights));
    assert_int_equal(lstmae_context_seed(b.context), 99); /* random numbers stay without a training to continue */
    weights.module = lstmae_seq2seq_module(a.model);
    assert_ok(lstmae_checkpoint_save(path_a, &weights));
    lae_context_set_draws(b.context, lae_context_draws(a.context));
    assert_ok(lstmae_context_set_seed(b.context, lstmae_context_seed(a.context)));
    weights.module = lstmae_seq2seq_module(b.model);
    assert_ok(lstmae_checkpoint_save(path_b, &weights));
    assert_same_files(path_a, path_b);
    trainee_destroy(&a);
    trainee_destroy(&b);
}

/* Best weights go when the file has none, and come when it has. */
static void test_best_weights(void **state)
{
    (void)state;
    trainee a, b;
    trainee_options options = adam();
    assert_ok(trainee_create(&a, &options));
    create_other(&b, options);
    uint32_t fresh = trainee_hash(&a);
    save(&a, path_a);
    assert_ok(trainee_train(&b, 6));
    load(&b, path_a);
    assert_int_equal(trainee_hash(&b), fresh);
    assert_ok(trainee_train(&a, 6));
    save(&a, path_b);
    load(&b, path_b);
    assert_int_equal(trainee_hash(&b), trainee_hash(&a));
    trainee_destroy(&a);
    trainee_destroy(&b);
}

static float first_weight(lstmae_module *module, size_t index)
{
    float values[64];
    lstmae_tensor *tensor = lstmae_module_param(module, index);
    assert_ok(lstmae_tensor_read(tensor, values, (size_t)lstmae_tensor_numel(tensor) * 4));
    return values[0];
}

static void test_partial(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu:ref", LSTMAE_F32);
    lstmae_module *two = chain(context, 2), *three = chain(context, 3), *other = linear(context, 3, 3);
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    content.module = two;
    assert_ok(lstmae_checkpoint_save(path_a, &content));
    content.module = three;
    assert_ok(lstmae_checkpoint_save(path_b, &content));
    float kept = first_weight(three, 4);
    assert_fails(lstmae_checkpoint_load(path_a, &content), ERR_NOT_FOUND);
    assert_non_null(strstr(lstmae_last_error(), "it has no tensor '2.weight'"));
    content.flags = LSTMAE_CHECKPOINT_PARTIAL;
    assert_ok(lstmae_checkpoint_load(path_a, &content));
    assert_true(first_weight(three, 0) == first_weight(two, 0) && first_weight(three, 4) == kept);
    content.module = two;
    content.flags = 0;
    assert_fails(lstmae_checkpoint_load(path_b, &content), ERR_NOT_FOUND);
    assert_non_null(strstr(lstmae_last_error(), "nothing takes its tensor '2."));
    content.flags = LSTMAE_CHECKPOINT_PARTIAL;
    assert_ok(lstmae_checkpoint_load(path_b, &content));
    content.module = other; /* "weight" and "bias": not one in common */
    assert_fails(lstmae_checkpoint_load(path_b, &content), ERR_NOT_FOUND);
    assert_non_null(strstr(lstmae_last_error(), "none of the module's"));
    lstmae_module_destroy(two);
    lstmae_module_destroy(three);
    lstmae_module_destroy(other);
    lstmae_context_destroy(context);
}

static int warnings;

static void count_warnings(lstmae_log_level level, const char *message, void *payload)
{
    (void)payload;
    if (level == LSTMAE_LOG_WARNING && strstr(message, "last bits may differ")) warnings++;
}

/* Element types convert; another build's file is told apart where that matters. */
static void test_other_dtype(void **state)
{
    (void)state;
    trainee a, b;
    trainee_options options = adam();
    lstmae_context_options wide = LSTMAE_CONTEXT_OPTIONS_INIT;
    lstmae_checkpoint content;
    assert_ok(trainee_create(&a, &options));
    save(&a, path_a);
    wide.dtype = LSTMAE_F64;
    options.context = &wide;
    assert_ok(trainee_create(&b, &options));
    content = trainee_content(&b);
    content.flags = LSTMAE_CHECKPOINT_SAME_BUILD;
    assert_refused(&b, &content, path_a, LSTMAE_ERR_UNSUPPORTED, "written by");
    lstmae_set_log(count_warnings, LSTMAE_LOG_WARNING, NULL);
    warnings = 0;
    content.flags = 0;
    assert_ok(lstmae_checkpoint_load(path_a, &content));
    assert_int_equal(warnings, 1);
    save(&b, path_b); /* every F32 is an F64 and back */
    load(&a, path_b);
    assert_int_equal(warnings, 2);
    save(&a, path_b);
    assert_same_files(path_a, path_b);
    content = trainee_content(&a);
    content.flags = LSTMAE_CHECKPOINT_SAME_BUILD;
    assert_ok(lstmae_checkpoint_load(path_a, &content));
    assert_int_equal(warnings, 2);
    lstmae_set_log(NULL, LSTMAE_LOG_NONE, NULL);
    trainee_destroy(&a);
    trainee_destroy(&b);
}

static void test_config(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu:ref", LSTMAE_F32);
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    char *text, *large = malloc(100001);
    assert_non_null(large);
    memset(large, '"', 100000);
    large[100000] = '\0';
    const char *const texts[] = { "", "{\"a\": [1, 2]}\n\t\\ \x7f \x01", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
                                  large };
    content.module = linear(context, 2, 2);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        content.config = texts[i];
        assert_ok(lstmae_checkpoint_save(path_a, &content));
        assert_ok(lstmae_checkpoint_config(path_a, &text));
        assert_string_equal(text, texts[i]);
        lstmae_checkpoint_config_free(text);
        assert_ok(lstmae_checkpoint_load(path_a, &content));
    }
    content.config = NULL;
    assert_ok(lstmae_checkpoint_save(path_a, &content));
    assert_ok(lstmae_checkpoint_config(path_a, &text));
    assert_string_equal(text, "");
    lstmae_checkpoint_config_free(text);
    free(large);
    lstmae_module_destroy(content.module);
    lstmae_context_destroy(context);
}

/* A file from elsewhere, built here from its parts. */
static void write_foreign(const char *header, const void *data, size_t bytes)
{
    unsigned char file[2000];
    uint64_t length = strlen(header);
    memcpy(file, &length, 8);
    memcpy(file + 8, header, (size_t)length);
    memcpy(file + 8 + length, data, bytes);
    (void)test_file("a.safetensors", file, 8 + (size_t)length + bytes);
}

#define FOREIGN_TENSORS(type, weight, end)                                                                           \
    "\"bias\":{\"dtype\":\"" type "\",\"shape\":[1],\"data_offsets\":[0," #weight "]},\"weight\":{\"dtype\":\"" type \
    "\",\"shape\":[1,2],\"data_offsets\":[" #weight "," #end "]}}"
#define FOREIGN(type, weight, end) "{\"__metadata__\":{\"format\":\"pt\"}," FOREIGN_TENSORS(type, weight, end)

static void check_foreign(lstmae_checkpoint *content, const char *header, const void *data, size_t bytes)
{
    float weight[2], bias;
    write_foreign(header, data, bytes);
    assert_ok(lstmae_checkpoint_load(path_a, content));
    assert_ok(lstmae_tensor_read(lstmae_module_param(content->module, 0), weight, sizeof weight));
    assert_ok(lstmae_tensor_read(lstmae_module_param(content->module, 1), &bias, sizeof bias));
    assert_true(bias == 1.5f && weight[0] == -2.0f && weight[1] == 0.25f);
    assert_ok(lstmae_tensor_fill(lstmae_module_param(content->module, 0), 0.0));
    assert_ok(lstmae_tensor_fill(lstmae_module_param(content->module, 1), 0.0));
}

static void test_foreign(void **state)
{
    (void)state;
    static const float f32[] = { 1.5f, -2.0f, 0.25f };
    static const double f64[] = { 1.5, -2.0, 0.25 };
    static const uint16_t f16[] = { 0x3e00, 0xc000, 0x3400 }, bf16[] = { 0x3fc0, 0xc000, 0x3e80 };
    lstmae_context *context = test_context("cpu:ref", LSTMAE_F32);
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    char *text;
    content.module = linear(context, 2, 1);
    check_foreign(&content, FOREIGN("F32", 4, 12), f32, sizeof f32);
    check_foreign(&content, FOREIGN("F64", 8, 24), f64, sizeof f64);
    check_foreign(&content, FOREIGN("F16", 2, 6), f16, sizeof f16);
    check_foreign(&content, FOREIGN("BF16", 2, 6), bf16, sizeof bf16);
    assert_ok(lstmae_checkpoint_config(path_a, &text));
    assert_string_equal(text, "");
    lstmae_checkpoint_config_free(text);
    write_foreign(FOREIGN("I32", 4, 12), f32, sizeof f32);
    assert_fails(lstmae_checkpoint_load(path_a, &content), ERR_DTYPE);
    /* a tensor too many, before the others */
    write_foreign("{\"0\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}," FOREIGN_TENSORS("F32", 4, 12), f32,
                  sizeof f32);
    assert_fails(lstmae_checkpoint_load(path_a, &content), ERR_NOT_FOUND);
    assert_non_null(strstr(lstmae_last_error(), "nothing takes its tensor '0'"));
    /* one key of ours and no checksums: ours, and damaged */
    write_foreign("{\"__metadata__\":{\"lstmae.format\":\"1\"}}", "", 0);
    assert_fails(lstmae_checkpoint_load(path_a, &content), ERR_FORMAT);
    assert_fails(lstmae_checkpoint_config(path_a, &text), ERR_FORMAT);
    lstmae_module_destroy(content.module);
    lstmae_context_destroy(context);
}

/* Names of 255 bytes are kept, longer ones refused. */
static void test_long_names(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu:ref", LSTMAE_F32);
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    lstmae_module *inner = linear(context, 1, 1);
    for (size_t length = strlen("weight") + 2;; length += 2) { /* "0.0.0.weight" */
        assert_ok(lstmae_sequential_create(&content.module, context));
        assert_ok(lstmae_sequential_append(content.module, inner));
        inner = content.module;
        assert_int_equal(strlen(lstmae_module_param_name(inner, 0)), length);
        if (length >= LAE_CHECKPOINT_NAME) break;
        if (length + 2 < LAE_CHECKPOINT_NAME) continue;
        assert_ok(lstmae_optimizer_create(&content.optimizer, inner, NULL)); /* names with more before them */
        assert_ok(lstmae_checkpoint_save(path_a, &content));
        assert_ok(lstmae_checkpoint_load(path_a, &content));
        lstmae_optimizer_destroy(content.optimizer);
        content.optimizer = NULL;
    }
    assert_fails(lstmae_checkpoint_save(path_a, &content), ERR_INVALID_ARG);
    assert_fails(lstmae_checkpoint_load(path_a, &content), ERR_INVALID_ARG);
    lstmae_module_destroy(inner);
    lstmae_context_destroy(context);
}

/* A file written by Python's safetensors package, of four element types: see make_safetensors.py. */
static void test_python_file(void **state)
{
    (void)state;
    static const float want[4][6] = {
        { 1.5f, -2.0f, 0.25f, 0.0f, -0.0f, 96.0f }, { -0.5f, 3.0f }, { 0.125f, -7.0f }, { 0x1p-24f }
    };
    static const size_t counts[] = { 6, 2, 2, 1 };
    lstmae_context *context = test_context("cpu:ref", LSTMAE_F32);
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    assert_ok(lstmae_sequential_create(&content.module, context));
    assert_ok(lstmae_sequential_append(content.module, linear(context, 3, 2)));
    assert_ok(lstmae_sequential_append(content.module, linear(context, 2, 1)));
    assert_ok(lstmae_checkpoint_load(PYTHON_FILE, &content));
    for (size_t i = 0; i < 4; i++) {
        float got[6];
        assert_ok(lstmae_tensor_read(lstmae_module_param(content.module, i), got, counts[i] * sizeof got[0]));
        assert_memory_equal(got, want[i], counts[i] * sizeof got[0]);
    }
    lstmae_module_destroy(content.module);
    lstmae_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_back),
        cmocka_unit_test(test_unstaged),
        cmocka_unit_test(test_resume_sgd),
        cmocka_unit_test(test_resume_adam),
        cmocka_unit_test(test_resume_rmsprop),
        cmocka_unit_test(test_resume_threads),
        cmocka_unit_test(test_refuses_other_models),
        cmocka_unit_test(test_refuses_other_batches),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_weights_of_a_full_checkpoint),
        cmocka_unit_test(test_best_weights),
        cmocka_unit_test(test_partial),
        cmocka_unit_test(test_other_dtype),
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_python_file),
    };
    return cmocka_run_group_tests(tests, setup_paths, NULL);
}
