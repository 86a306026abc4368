/*
 * With device memory that the host cannot reach (LSTMAE_CUDA_HOST_PROTECT=1): a touch ends the program; models on a GPU
 * are frozen, and sessions made of them, as if they had been on the CPU.
 */
#include "../support/stream.h" /* not the one of this folder */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PUSHES 60

/* ---- the protection ---- */

/* Ends by itself with 0 where the memory could be read. */
static void touch(lstmae_tensor *tensor)
{
    if (!freopen("/dev/null", "w", stderr)) _exit(0); /* what a sanitizer says is not for the log */
    volatile float *data = lstmae_tensor_data(tensor);
    data[0] = data[0] + 1.0f;
    _exit(0);
}

static void a_touch_ends_the_program(void **state)
{
    (void)state;
    const int64_t dims[1] = { 5 };
    float values[5] = { 1, 2, 3, 4, 5 }, got[5];
    lstmae_context *context = test_context("cuda", LSTMAE_F32);
    lstmae_tensor *tensor = NULL;
    int ended = 0;
    assert_ok(lstmae_tensor_create(&tensor, context, LSTMAE_F32, 1, dims));
    assert_ok(lstmae_tensor_write(tensor, values, sizeof values));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) touch(tensor);
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_false(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    assert_ok(lstmae_tensor_read(tensor, got, sizeof got));
    assert_memory_equal(got, values, sizeof got);
    lstmae_tensor_destroy(tensor);
    lstmae_context_destroy(context);
}

/* ---- models ---- */

static void append(lstmae_module *chain, lstmae_module *part)
{
    assert_ok(lstmae_sequential_append(chain, part));
}

/* Layers of images over windows of 8 samples of 3 features, as channels. */
static void make_convolutions(stream_model *model)
{
    lstmae_conv_options conv = LSTMAE_CONV_OPTIONS_INIT;
    lstmae_pool_options pool = LSTMAE_POOL_OPTIONS_INIT;
    lstmae_upsample_options twice = LSTMAE_UPSAMPLE_OPTIONS_INIT;
    lstmae_module *part = NULL;
    lstmae_context *context = model->context;
    conv.kernel[0] = 3;
    conv.padding[0] = 1;
    pool.kernel[0] = 2;
    twice.factor[0] = 2;
    assert_ok(lstmae_sequential_create(&model->module, context));
    assert_ok(lstmae_conv1d_create(&part, context, 3, 5, &conv)), append(model->module, part);
    assert_ok(lstmae_batch_norm_create(&part, context, 5, NULL)), append(model->module, part);
    assert_ok(lstmae_activation_create(&part, context, LSTMAE_ACTIVATION_RELU)), append(model->module, part);
    assert_ok(lstmae_max_pool1d_create(&part, context, &pool)), append(model->module, part);
    assert_ok(lstmae_upsample1d_create(&part, context, &twice)), append(model->module, part);
    assert_ok(lstmae_conv_transpose1d_create(&part, context, 5, 3, &conv)), append(model->module, part);
}

static const stream_shape shapes[] = {
    { .I = 3, .H = 9, .layers = 2, .head = 1 },
    { .I = 3, .H = 8, .layers = 1, .flags = LSTMAE_LSTM_PEEPHOLE, .head = 1, .activation = 1 },
    { .I = 3, .H = 7, .layers = 1, .window = 6 },
    { .I = 3 }, /* convolutions */
};

enum { KINDS = sizeof(shapes) / sizeof(shapes[0]) };

static void make(stream_model *model, int kind, const char *device)
{
    lstmae_context *context = NULL;
    assert_ok(lstmae_context_create(&context, device, NULL));
    if (shapes[kind].H > 0) {
        assert_ok(stream_open_on(model, &shapes[kind], context));
        lstmae_frozen_destroy(model->frozen);
        model->frozen = NULL;
        return;
    }
    memset(model, 0, sizeof *model);
    model->context = context;
    make_convolutions(model);
}

static void freeze(stream_model *model, int kind)
{
    lstmae_frozen_options options = LSTMAE_FROZEN_OPTIONS_INIT;
    lstmae_frozen_destroy(model->frozen);
    options.window = shapes[kind].window;
    if (shapes[kind].H == 0) {
        options.window = 8;
        options.features = 3;
        options.layout = LSTMAE_WINDOW_CHANNELS;
    }
    assert_ok(lstmae_frozen_create(&model->frozen, model->module, &options));
}

/* Parameters that no initialisation has, and statistics of data. */
static void change(stream_model *model, int kind)
{
    const int64_t dims[3] = { 5, 3, 8 };
    float values[5 * 3 * 8];
    lstmae_tensor *x = NULL;
    for (size_t i = 0; i < lstmae_module_param_count(model->module); i++) {
        lstmae_tensor *param = lstmae_module_param(model->module, i);
        const size_t count = (size_t)lstmae_tensor_numel(param);
        float *numbers = malloc(count * sizeof *numbers);
        assert_non_null(numbers);
        test_fill(numbers, count, 40 + i, 0.4f);
        assert_ok(lstmae_tensor_write(param, numbers, count * sizeof *numbers));
        free(numbers);
    }
    if (shapes[kind].H > 0) return;
    test_fill(values, 5 * 3 * 8, 8, 1.0f);
    assert_ok(lstmae_tensor_create(&x, model->context, LSTMAE_F32, 3, dims));
    assert_ok(lstmae_tensor_write(x, values, sizeof values));
    assert_ok(lstmae_module_forward(model->module, x, NULL));
    lstmae_tensor_destroy(x);
}

/* All that a model learnt, from one device to another. */
static void carry(stream_model *from, stream_model *to)
{
    char path[] = "/tmp/lstmae-reach-XXXXXX";
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    const int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    content.module = from->module;
    assert_ok(lstmae_checkpoint_save(path, &content));
    content.module = to->module;
    assert_ok(lstmae_checkpoint_load(path, &content));
    unlink(path);
}

/* ---- sessions ---- */

static void same(const float *a, const float *b, int64_t count)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a) assert_memory_equal(a, b, (size_t)count * sizeof *a);
}

static void compare(lstmae_frozen *gpu, lstmae_frozen *cpu)
{
    lstmae_frozen_info a = LSTMAE_FROZEN_INFO_INIT, b = LSTMAE_FROZEN_INFO_INIT;
    lstmae_session *sessions[2] = { NULL, NULL };
    float *series = stream_series(3, PUSHES);
    assert_ok(lstmae_frozen_describe(gpu, &a));
    assert_ok(lstmae_frozen_describe(cpu, &b));
    assert_int_equal(a.fingerprint, b.fingerprint);
    assert_ok(lstmae_session_create(&sessions[0], gpu, NULL));
    assert_ok(lstmae_session_create(&sessions[1], cpu, NULL));
    for (int t = 0; t < PUSHES; t++) {
        lstmae_push_result x = LSTMAE_PUSH_RESULT_INIT, y = LSTMAE_PUSH_RESULT_INIT;
        assert_ok(lstmae_session_push(sessions[0], series + t * 3, &x));
        assert_ok(lstmae_session_push(sessions[1], series + t * 3, &y));
        assert_int_equal(x.flags, y.flags);
        assert_true(x.score == y.score);
        same(x.output, y.output, a.outputs);
        same(x.code, y.code, a.code);
        same(x.forecast, y.forecast, a.forecast * a.features);
    }
    for (int i = 0; i < 2; i++) lstmae_session_destroy(sessions[i]);
    free(series);
}

static void sessions_are_those_of_the_cpu(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        stream_model gpu, cpu;
        make(&gpu, kind, "cuda");
        make(&cpu, kind, "cpu");
        change(&gpu, kind);
        carry(&gpu, &cpu);
        freeze(&gpu, kind);
        freeze(&cpu, kind);
        compare(gpu.frozen, cpu.frozen);
        stream_close(&gpu);
        stream_close(&cpu);
    }
}

/* What is frozen stays as it was, and needs its model and the device no more. */
static void a_frozen_model_is_a_copy(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        stream_model gpu, cpu;
        make(&gpu, kind, "cuda");
        make(&cpu, kind, "cpu");
        change(&gpu, kind);
        carry(&gpu, &cpu);
        freeze(&gpu, kind);
        freeze(&cpu, kind);
        lstmae_frozen *frozen = gpu.frozen;
        gpu.frozen = NULL;
        for (size_t i = 0; i < lstmae_module_param_count(gpu.module); i++)
            assert_ok(lstmae_tensor_fill(lstmae_module_param(gpu.module, i), 0.1));
        stream_close(&gpu);
        compare(frozen, cpu.frozen);
        lstmae_frozen_destroy(frozen);
        stream_close(&cpu);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_touch_ends_the_program),
        cmocka_unit_test(sessions_are_those_of_the_cpu),
        cmocka_unit_test(a_frozen_model_is_a_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
