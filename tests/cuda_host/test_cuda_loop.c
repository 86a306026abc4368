/*
 * What a training step of a sequence model queues on the device, from the stand-in's list of operations: how many
 * launches a step of closed loops takes, and what runs beside what.
 */
#include "support.h"

#include "cuda_host.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the stand-in's list ---- */

static struct {
    void (*log)(int on);
    size_t (*count)(void);
    int (*get)(size_t index, lae_cuda_host_operation *operation);
    void (*fail_at)(uint64_t k, int cuda, int blas);
    const char *(*failed_call)(void);
} host;

static void *host_symbol(void *plugin, const char *name)
{
    void *symbol = dlsym(plugin, name);
    assert_non_null(symbol);
    return symbol;
}

/* The plugin is loaded with the first context. */
static int host_open(void **state)
{
    char path[4096];
    const char *folder = getenv("LSTMAE_BACKEND_PATH");
    (void)state;
    lstmae_context_destroy(test_context("cuda", LSTMAE_F32));
    snprintf(path, sizeof path, "%s/liblstmae-cuda.so", folder ? folder : "");
    void *plugin = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    if (!plugin) return -1;
    *(void **)&host.log = host_symbol(plugin, "lae_cuda_host_log");
    *(void **)&host.count = host_symbol(plugin, "lae_cuda_host_log_count");
    *(void **)&host.get = host_symbol(plugin, "lae_cuda_host_log_get");
    *(void **)&host.fail_at = host_symbol(plugin, "lae_cuda_host_fail_at");
    *(void **)&host.failed_call = host_symbol(plugin, "lae_cuda_host_failed_call");
    dlclose(plugin);
    return 0;
}

static lae_cuda_host_operation host_operation(size_t index)
{
    lae_cuda_host_operation operation;
    assert_true(host.get(index, &operation));
    return operation;
}

/* Operations of a kind, on a stream or (0) on any. */
static int host_operations(char kind, uint64_t stream)
{
    int count = 0;
    for (size_t i = 0; i < host.count(); i++) {
        const lae_cuda_host_operation operation = host_operation(i);
        count += operation.kind == kind && (stream == 0 || operation.stream == stream);
    }
    return count;
}

/* Index of the operation of `kind` number `number` from 0. */
static size_t host_find(char kind, int number)
{
    for (size_t i = 0; i < host.count(); i++)
        if (host_operation(i).kind == kind && number-- == 0) return i;
    fail_msg("no such operation of kind %c", kind);
    return 0;
}

/* ---- a model ---- */

typedef struct loop_model {
    lstmae_context *context;
    lstmae_seq2seq *model;
    lstmae_loss *loss;
    lstmae_optimizer *optimizer;
    lstmae_tensor *x, *future;
} loop_model;

static lstmae_tensor *loop_sequence(lstmae_context *context, int64_t steps)
{
    const int64_t dims[3] = { steps, 4, 8 };
    lstmae_tensor *tensor = NULL;
    assert_ok(lstmae_tensor_create(&tensor, context, LSTMAE_F32, 3, dims));
    assert_ok(lstmae_tensor_fill(tensor, 0.25));
    return tensor;
}

/* `count` predictors of `steps` frames with `layers` layers: their loops alone depend on the steps. */
static loop_model loop_open(int count, int64_t layers, int64_t steps, double dropout, double clip_norm)
{
    loop_model m = { .context = test_context("cuda", LSTMAE_F32) };
    lstmae_lstm_options encoder = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_decoder_options decoder = LSTMAE_DECODER_OPTIONS_INIT;
    lstmae_optimizer_options sgd = LSTMAE_SGD_OPTIONS_INIT;
    encoder.layers = layers;
    encoder.dropout = dropout;
    decoder.dropout = dropout;
    decoder.target = LSTMAE_DECODE_FUTURE;
    decoder.feedback = LSTMAE_ACTIVATION_SIGMOID;
    decoder.steps = steps;
    sgd.clip_norm = clip_norm;
    assert_ok(lstmae_seq2seq_create(&m.model, m.context, 8, 16, &encoder));
    for (int i = 0; i < count; i++) assert_ok(lstmae_seq2seq_add_decoder(m.model, &decoder));
    assert_ok(lstmae_loss_create(&m.loss, m.context, NULL));
    assert_ok(lstmae_optimizer_create(&m.optimizer, lstmae_seq2seq_module(m.model), &sgd));
    m.x = loop_sequence(m.context, 2);
    m.future = loop_sequence(m.context, steps);
    return m;
}

static void loop_close(loop_model *m)
{
    lstmae_tensor_destroy(m->x);
    lstmae_tensor_destroy(m->future);
    lstmae_optimizer_destroy(m->optimizer);
    lstmae_loss_destroy(m->loss);
    lstmae_seq2seq_destroy(m->model);
    lstmae_context_destroy(m->context);
}

/* And one copy, for which all work is waited for. */
static void loop_step(loop_model *m)
{
    float bias[8];
    size_t index;
    lstmae_module *module = lstmae_seq2seq_module(m->model);
    assert_ok(lstmae_module_zero_grad(module));
    assert_ok(lstmae_seq2seq_step(m->model, m->loss, m->x, m->future, 1.0, NULL));
    assert_ok(lstmae_optimizer_step(m->optimizer));
    assert_ok(lstmae_module_param_index(module, "decoders.0.out.bias", &index));
    assert_ok(lstmae_tensor_read(lstmae_module_param(module, index), bias, sizeof bias));
}

/* The list of a second step. */
static void loop_list(loop_model *m)
{
    loop_step(m);
    host.log(1);
    loop_step(m);
    host.log(0);
}

/* ---- tests ---- */

static void loop_count(int count, int64_t layers, int64_t steps, int *kernels, int *products)
{
    loop_model m = loop_open(count, layers, steps, 0.2, 0.0);
    loop_list(&m);
    *kernels = host_operations('k', 0);
    *products = host_operations('g', 0);
    assert_int_equal(host_operations('c', 0), 1);
    loop_close(&m);
}

/* For each step of the loops one product for each layer and one for the output, and as many other launches; for as many
 * decoders as fit in a launch of cells. Backward the same. */
static void a_step_of_loops_takes_few_launches(void **state)
{
    (void)state;
    for (int count = 1; count <= 2; count++)
        for (int64_t layers = 1; layers <= 3; layers++) {
            int kernels[2], products[2], each = 2 * (int)layers + 2;
            loop_count(count, layers, 3, &kernels[0], &products[0]);
            loop_count(count, layers, 5, &kernels[1], &products[1]);
            assert_int_equal(products[1] - products[0], 2 * each);
            assert_int_equal(kernels[1] - kernels[0], 2 * each);
        }
}

/* What is forked off: from which operation on, on which stream, and which operation of the other one waits for it. */
typedef struct loop_side {
    size_t forked, joined;
    uint64_t main, side;
} loop_side;

static loop_side loop_fork(int number)
{
    loop_side s = { .forked = host_find('r', 2 * number), .joined = host_find('w', 2 * number + 1) };
    s.main = host_operation(s.forked).stream;
    s.side = host_operation(host_find('w', 2 * number)).stream;
    assert_true(s.main != s.side);
    assert_true(host_operation(host_find('r', 2 * number + 1)).stream == s.side);
    assert_true(host_operation(s.joined).stream == s.main);
    return s;
}

/* Operations of a kind whose name has `part` in it, on a stream and before the join. */
static int loop_operations(const loop_side *s, char kind, uint64_t stream, const char *part)
{
    int count = 0;
    for (size_t i = s->forked; i < s->joined; i++) {
        const lae_cuda_host_operation operation = host_operation(i);
        count += operation.kind == kind && operation.stream == stream && strstr(operation.name, part);
    }
    return count;
}

/* The decoders' weights are prepared while the encoder runs: of each those of two layers and of the output. */
static void weights_are_prepared_beside(void **state)
{
    (void)state;
    loop_model m = loop_open(2, 2, 3, 0.2, 0.0);
    loop_list(&m);
    const loop_side s = loop_fork(0);
    assert_int_equal(loop_operations(&s, 'k', s.side, ""), 6);
    assert_int_equal(loop_operations(&s, 'k', s.side, "rows_move"), 6);
    assert_true(loop_operations(&s, 'k', s.main, "lstm") + loop_operations(&s, 'k', s.main, "cell") > 0);
    loop_close(&m);
}

/* While the encoder's backward is on the main stream, the weight gradients of decoders are on the other one; updates
 * follow each. */
static void weight_gradients_run_beside(void **state)
{
    (void)state;
    loop_model m = loop_open(2, 2, 3, 0.2, 0.0);
    loop_list(&m);
    assert_int_equal(host_operations('r', 0), 4);
    assert_int_equal(host_operations('w', 0), 4);
    const loop_side s = loop_fork(1);
    /* of two decoders: those of both layers' inputs and states, and the output's */
    assert_int_equal(loop_operations(&s, 'g', s.side, ""), 10);
    assert_true(loop_operations(&s, 'g', s.main, "") >= 4);
    assert_true(loop_operations(&s, 'k', s.side, "update") > 0);
    assert_true(loop_operations(&s, 'k', s.main, "update") > 0);
    loop_close(&m);
}

/* Where the norm of the gradient is wanted, its sums run beside; all updates wait for both. */
static void updates_wait_for_the_norm(void **state)
{
    (void)state;
    loop_model m = loop_open(2, 2, 3, 0.2, 0.5);
    loop_list(&m);
    const loop_side s = loop_fork(1);
    assert_true(loop_operations(&s, 'k', s.side, "squares") > 0);
    assert_true(loop_operations(&s, 'k', s.main, "squares") > 0);
    for (size_t i = 0; i < host.count(); i++) {
        const lae_cuda_host_operation operation = host_operation(i);
        if (strstr(operation.name, "update")) assert_true(i > s.joined && operation.stream == s.main);
    }
    loop_close(&m);
}

static lstmae_status loop_gradients(loop_model *m, double *value, double *norm)
{
    lstmae_status status = lstmae_module_zero_grad(lstmae_seq2seq_module(m->model));
    if (status == LSTMAE_OK) status = lstmae_seq2seq_step(m->model, m->loss, m->x, m->future, 1.0, value);
    return status == LSTMAE_OK ? lstmae_optimizer_grad_norm(m->optimizer, norm) : status;
}

/* Whichever call fails, on either stream: the step says so, and the next one is as if nothing had been. */
static void a_step_recovers_from_any_failure(void **state)
{
    enum { OUT_OF_MEMORY = 2, BLAS_OUT_OF_MEMORY = 3 };
    (void)state;
    loop_model m = loop_open(2, 2, 2, 0.0, 0.0);
    double value, norm, want_value, want_norm;
    loop_step(&m);
    assert_ok(lstmae_optimizer_set_lr(m.optimizer, 0.0));
    assert_ok(loop_gradients(&m, &want_value, &want_norm));
    for (uint64_t k = 1;; k++) {
        assert_true(k < 1000);
        assert_ok(lstmae_optimizer_step(m.optimizer)); /* the weights count as changed */
        host.fail_at(k, OUT_OF_MEMORY, BLAS_OUT_OF_MEMORY);
        lstmae_status status = loop_gradients(&m, &value, &norm);
        host.fail_at(0, 0, 0);
        if (status == LSTMAE_OK && host.failed_call()[0] == 0) break;
        assert_true(status < 0);
        assert_ok(loop_gradients(&m, &value, &norm));
        assert_true(value == want_value && norm == want_norm);
    }
    loop_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_of_loops_takes_few_launches),
        cmocka_unit_test(weights_are_prepared_beside),
        cmocka_unit_test(weight_gradients_run_beside),
        cmocka_unit_test(updates_wait_for_the_norm),
        cmocka_unit_test(a_step_recovers_from_any_failure),
    };
    return cmocka_run_group_tests(tests, host_open, NULL);
}
