/*
 * A small training on the stand-in, in which one call of the runtime or of cuBLAS fails: each of them, with each kind
 * of failure. What comes out is the status that the library promises for it; nothing is kept, and after a fault that
 * takes the device's context with it no call is made but those that give something back.
 */
#include "stand_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FRAMES = 3, FEATURES = 5, ITEMS = 10, BATCH = 4, UNITS = 6, WEIGHTS = 2048 };

static stand_in host;

/* ---- the training ---- */

typedef struct fault_scene {
    lstmae_context *context;
    lstmae_dataset *data;
    lstmae_loader *loader;
    lstmae_seq2seq *model;
    lstmae_loss *loss;
    lstmae_task *task;
    lstmae_optimizer *optimizer;
    float weights[WEIGHTS]; /* of the first parameter, read after the first update */
    int read;
} fault_scene;

static lstmae_status scene_open(fault_scene *s)
{
    static float items[ITEMS][2 * FRAMES][FEATURES];
    const int64_t dims[2] = { 2 * FRAMES, FEATURES };
    lstmae_loader_options loader = LSTMAE_LOADER_OPTIONS_INIT;
    lstmae_lstm_options encoder = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_decoder_options decoder = LSTMAE_DECODER_OPTIONS_INIT;
    lstmae_status status = lstmae_context_create(&s->context, "cuda:0", NULL);
    test_fill(&items[0][0][0], sizeof items / sizeof(float), 3, 1.0f);
    loader.flags = LSTMAE_LOADER_TIME_MAJOR | LSTMAE_LOADER_SHUFFLE;
    loader.batch = BATCH;
    loader.input_steps = FRAMES;
    encoder.dropout = 0.2;
    encoder.layers = 2;
    decoder.input = LSTMAE_INPUT_OUTPUT;
    if (status == LSTMAE_OK)
        status = lstmae_dataset_from_memory(&s->data, s->context, &items[0][0][0], ITEMS, 2, dims);
    if (status == LSTMAE_OK) status = lstmae_loader_create(&s->loader, s->context, s->data, &loader);
    if (status == LSTMAE_OK) status = lstmae_seq2seq_create(&s->model, s->context, FEATURES, UNITS, &encoder);
    for (int i = 0; i < 2 && status == LSTMAE_OK; i++) {
        decoder.target = i == 0 ? LSTMAE_DECODE_REVERSED : LSTMAE_DECODE_FUTURE;
        decoder.steps = i == 0 ? 0 : FRAMES;
        status = lstmae_seq2seq_add_decoder(s->model, &decoder);
    }
    if (status == LSTMAE_OK) status = lstmae_loss_create(&s->loss, s->context, NULL);
    if (status == LSTMAE_OK) status = lstmae_task_seq2seq(&s->task, s->model, s->loss);
    if (status == LSTMAE_OK)
        status = lstmae_optimizer_create(&s->optimizer, lstmae_seq2seq_module(s->model), NULL);
    return status;
}

static lstmae_status scene_updates(fault_scene *s, int64_t updates)
{
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    options.iterations = updates;
    return lstmae_fit(lstmae_task_objective(s->task), s->loader, s->optimizer, &options, NULL);
}

/* One update by calls, more of them by graphs, and the weights between. */
static lstmae_status scene_train(fault_scene *s)
{
    lstmae_status status = scene_open(s);
    if (status == LSTMAE_OK) status = scene_updates(s, 1);
    if (status == LSTMAE_OK) {
        const lstmae_tensor *first = lstmae_module_param(lstmae_seq2seq_module(s->model), 0);
        status = lstmae_tensor_read(first, s->weights, (size_t)lstmae_tensor_numel(first) * sizeof(float));
        s->read = status == LSTMAE_OK;
    }
    if (status == LSTMAE_OK) status = scene_updates(s, 8);
    if (status == LSTMAE_OK) status = lstmae_context_synchronize(s->context);
    return status;
}

static void scene_close(fault_scene *s)
{
    lstmae_context_destroy(s->context);
    lstmae_loader_destroy(s->loader);
    lstmae_dataset_destroy(s->data);
    lstmae_task_destroy(s->task);
    lstmae_optimizer_destroy(s->optimizer);
    lstmae_loss_destroy(s->loss);
    lstmae_seq2seq_destroy(s->model);
}

/* ---- what fails ---- */

/* Numbers of cudaError_t and cublasStatus_t, and what they are to the library; sticky ones take the device along. */
typedef struct fault_kind {
    const char *name;
    int cuda, blas;
    lstmae_status from_cuda, from_blas;
    int sticky;
} fault_kind;

static const fault_kind kinds[] = {
    { "out of memory, allocation failed", 2, 3, LSTMAE_ERR_DEVICE_MEMORY, LSTMAE_ERR_DEVICE_MEMORY, 0 },
    { "not supported, not initialized", 801, 1, LSTMAE_ERR_UNSUPPORTED, LSTMAE_ERR_UNSUPPORTED, 0 },
    { "invalid value, internal error", 1, 14, LSTMAE_ERR_INTERNAL, LSTMAE_ERR_INTERNAL, 0 },
    { "launch failure, execution failed", 719, 13, LSTMAE_ERR_DEVICE, LSTMAE_ERR_DEVICE, 1 },
    { "illegal address, invalid value", 700, 7, LSTMAE_ERR_DEVICE, LSTMAE_ERR_INTERNAL, 1 },
};

static int named(const char *call, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(call, *names) == 0) return 1;
    return 0;
}

/* Their failure changes nothing for the caller: giving back, pinned memory, and graphs, which are there for speed. */
static int is_harmless(const char *call)
{
    static const char *const names[] = { "cudaFree", "cudaFreeHost", "cudaStreamDestroy", "cudaEventDestroy",
                                         "cublasDestroy", "cudaHostAlloc", "cudaStreamBeginCapture",
                                         "cudaStreamEndCapture", "cudaGraphInstantiate", "cudaGraphExecDestroy",
                                         "cudaGraphDestroy", NULL };
    return named(call, names);
}

static void check_outcome(const fault_kind *kind, uint64_t k, fault_scene *s, lstmae_status status, const char *call)
{
    lstmae_status want = strncmp(call, "cublas", 6) == 0 ? kind->from_blas : kind->from_cuda;
    int lost = want == LSTMAE_ERR_DEVICE;
    if (strcmp(call, "cudaGetDeviceCount") == 0) { /* no device then, and no context */
        if (status != LSTMAE_ERR_UNSUPPORTED && status != LSTMAE_ERR_NOT_FOUND)
            fail_msg("%s, call %d, %s: status %d", kind->name, (int)k, call, status);
        return;
    }
    if (status == LSTMAE_OK && !lost) return; /* taken care of: compared with the weights below */
    if (status == LSTMAE_OK && is_harmless(call)) return;
    if (status != want)
        fail_msg("%s, call %d, %s: expected status %d, got %d (%s)", kind->name, (int)k, call, want, status,
                 lstmae_last_error());
    if (lost && s->context) {
        assert_int_equal(lstmae_context_synchronize(s->context), LSTMAE_ERR_DEVICE);
        if (s->optimizer) assert_int_equal(scene_updates(s, 20), LSTMAE_ERR_DEVICE);
    }
}

/* What was read before the fault goes into a file. */
static void check_saves(const fault_scene *s)
{
    lstmae_context *context = NULL;
    lstmae_tensor *tensor = NULL;
    const int64_t count = 4 * UNITS * FEATURES;
    char path[64];
    if (!s->read) return;
    snprintf(path, sizeof path, "cuda_faults_%d.npy", (int)getpid());
    assert_ok(lstmae_context_create(&context, "cpu", NULL));
    assert_ok(lstmae_tensor_create(&tensor, context, LSTMAE_F32, 1, &count));
    assert_ok(lstmae_tensor_write(tensor, s->weights, (size_t)count * sizeof(float)));
    assert_ok(lstmae_npy_save(path, tensor));
    assert_int_equal(unlink(path), 0);
    lstmae_tensor_destroy(tensor);
    lstmae_context_destroy(context);
}

static void check_balance(const fault_kind *kind, uint64_t k, const char *call)
{
    lae_cuda_host_state now;
    host.state_get(&now);
    uint64_t held = now.device_blocks + now.pinned_blocks + now.streams + now.events + now.handles + now.graphs;
    /* what could not be given back, for that very call failed, or for the device took it along */
    if (held > 0 && !kind->sticky && !is_harmless(call))
        fail_msg("%s, call %d, %s: %d things were kept", kind->name, (int)k, call, (int)held);
    if (now.lost && now.calls_after_loss > 0)
        fail_msg("%s, call %d, %s: %d calls to a lost device", kind->name, (int)k, call, (int)now.calls_after_loss);
    assert_int_equal(now.broken_guards, 0);
}

/* Runs the scene with call k failing; 0 where it has fewer calls. */
static int run_with(const fault_kind *kind, uint64_t k)
{
    fault_scene s = { 0 };
    char call[64];
    host.reset();
    host.fail_at(k, kind->cuda, kind->blas);
    lstmae_status status = scene_train(&s);
    snprintf(call, sizeof call, "%s", host.failed_call());
    if (call[0] == 0) {
        host.fail_at(0, 0, 0);
        assert_ok(status);
        scene_close(&s);
        return 0;
    }
    check_outcome(kind, k, &s, status, call);
    if (kind->sticky) check_saves(&s);
    scene_close(&s);
    host.fail_at(0, 0, 0);
    check_balance(kind, k, call);
    return 1;
}

/* ---- tests ---- */

/* With LSTMAE_TEST_FAULTS=all each call; else all of the first ones, which open the device, and every 97th then. */
static void every_call_fails(void **state)
{
    const fault_kind *kind = *state;
    const char *wanted = getenv("LSTMAE_TEST_FAULTS");
    uint64_t step = wanted && strcmp(wanted, "all") == 0 ? 1 : 97, k = 1, runs = 0;
    while (run_with(kind, k)) {
        runs++;
        k += k < 40 ? 1 : step;
        assert_true(k < 100000);
    }
    print_message("%s: %d runs, up to call %d\n", kind->name, (int)runs, (int)k);
    assert_true(runs > 50);
    host.reset();
}

static int open_plugin(void **state)
{
    lstmae_context *context = NULL;
    (void)state;
    if (lstmae_context_create(&context, "cuda:0", NULL) < 0) exit(77);
    if (!stand_in_find(&host)) exit(77);
    lstmae_context_destroy(context);
    return 0;
}

int main(void)
{
    struct CMUnitTest tests[sizeof kinds / sizeof *kinds];
    memset(tests, 0, sizeof tests);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        tests[i].name = kinds[i].name;
        tests[i].test_func = every_call_fails;
        tests[i].initial_state = (void *)(uintptr_t)&kinds[i];
    }
    return cmocka_run_group_tests(tests, open_plugin, NULL);
}
