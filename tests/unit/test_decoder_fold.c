/*
 * Folded closed loops say what loops run step by step say: one sequence is too little work to be folded, copies of it
 * side by side are enough, and nothing else differs.
 */
#include "support.h"

#include "decoder_fold.h"

#include <string.h>

enum { T = 7, F = 9, H = 11, COPIES = 5, MOST = 1024 };

typedef struct fold_case {
    uint32_t encoder, decoder;
    int32_t target;
    int64_t hidden, steps;
} fold_case;

static const fold_case cases[] = {
    { 0, 0, LSTMAE_DECODE_REVERSED, 0, 0 },
    { LSTMAE_LSTM_PEEPHOLE, LSTMAE_LSTM_PEEPHOLE, LSTMAE_DECODE_FORWARD, 0, 0 },
    { LSTMAE_LSTM_NO_BIAS, LSTMAE_LSTM_NO_BIAS, LSTMAE_DECODE_FUTURE, 6, T },
    { LSTMAE_LSTM_BIDIRECTIONAL, 0, LSTMAE_DECODE_REVERSED, H, 0 },
    { LSTMAE_LSTM_PEEPHOLE, LSTMAE_LSTM_PEEPHOLE | LSTMAE_DECODER_SHARED, LSTMAE_DECODE_FUTURE, 0, T },
};

typedef struct fold_run {
    lstmae_context *context;
    lstmae_seq2seq *model;
    lstmae_loss *loss;
    lstmae_optimizer *optimizer;
    lstmae_tensor *x, *future;
    int64_t B;
} fold_run;

/* A sequence of [T,B,F] with every sample the same. */
static lstmae_tensor *copies(lstmae_context *context, int64_t B, uint64_t seed)
{
    const int64_t dims[3] = { T, B, F };
    float one[T * F], all[T * COPIES * F];
    double wide[T * COPIES * F];
    lstmae_tensor *tensor = NULL;
    const lstmae_dtype dtype = lstmae_context_dtype(context);
    test_fill(one, T * F, seed, 1.0f);
    for (int64_t i = 0; i < T * B * F; i++) {
        all[i] = one[i / (B * F) * F + i % F];
        wide[i] = (double)all[i];
    }
    assert_ok(lstmae_tensor_create(&tensor, context, dtype, 3, dims));
    const size_t count = (size_t)(T * B * F);
    assert_ok(lstmae_tensor_write(tensor, dtype == LSTMAE_F32 ? (void *)all : (void *)wide,
                                  count * (dtype == LSTMAE_F32 ? sizeof(float) : sizeof(double))));
    return tensor;
}

static void open_run(fold_run *run, const fold_case *c, const char *device, lstmae_dtype dtype, int64_t B)
{
    lstmae_context_options context = LSTMAE_CONTEXT_OPTIONS_INIT;
    lstmae_lstm_options encoder = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_decoder_options decoder = LSTMAE_DECODER_OPTIONS_INIT;
    lstmae_optimizer_options sgd = LSTMAE_SGD_OPTIONS_INIT;
    context.dtype = (int32_t)dtype;
    context.seed = 3;
    encoder.flags = c->encoder;
    decoder.flags = c->decoder;
    decoder.target = c->target;
    decoder.hidden = c->hidden;
    decoder.steps = c->steps;
    sgd.lr = 0.05;
    assert_ok(lstmae_context_create(&run->context, device, &context));
    assert_ok(lstmae_seq2seq_create(&run->model, run->context, F, H, &encoder));
    assert_ok(lstmae_seq2seq_add_decoder(run->model, &decoder));
    assert_ok(lstmae_loss_create(&run->loss, run->context, NULL)); /* the mean: copies leave gradients as they are */
    assert_ok(lstmae_optimizer_create(&run->optimizer, lstmae_seq2seq_module(run->model), &sgd));
    run->x = copies(run->context, B, 1);
    run->future = copies(run->context, B, 2);
    run->B = B;
}

static void close_run(fold_run *run)
{
    lstmae_tensor_destroy(run->x);
    lstmae_tensor_destroy(run->future);
    lstmae_optimizer_destroy(run->optimizer);
    lstmae_loss_destroy(run->loss);
    lstmae_seq2seq_destroy(run->model);
    lstmae_context_destroy(run->context);
}

static size_t read_floats(const lstmae_tensor *tensor, float *out)
{
    static double wide[4 * MOST];
    const size_t count = (size_t)lstmae_tensor_numel(tensor);
    assert_true(count <= 4 * MOST);
    if (lstmae_tensor_dtype(tensor) == LSTMAE_F32) {
        assert_ok(lstmae_tensor_read(tensor, out, count * sizeof *out));
        return count;
    }
    assert_ok(lstmae_tensor_read(tensor, wide, count * sizeof *wide));
    for (size_t i = 0; i < count; i++) out[i] = (float)wide[i];
    return count;
}

static double step(fold_run *run)
{
    double value = 0.0;
    assert_ok(lstmae_module_zero_grad(lstmae_seq2seq_module(run->model)));
    assert_ok(lstmae_seq2seq_step(run->model, run->loss, run->x, run->future, 1.0, &value));
    return value;
}

/* Losses, gradients and outputs of three updates; the weights change in between. */
static void compare(const fold_case *c, const char *device, lstmae_dtype dtype, double tolerance)
{
    static float a[4 * MOST], b[4 * MOST];
    fold_run one, many;
    open_run(&one, c, device, dtype, 1);
    open_run(&many, c, device, dtype, COPIES);
    const int64_t hidden = c->hidden > 0 ? c->hidden : H;
    assert_false(lae_fold_pays(T, 1, hidden));
    assert_true(lae_fold_pays(T, COPIES, hidden));
    for (int update = 0; update < 3; update++) {
        const double loss = step(&one), folded = step(&many);
        assert_true(loss - folded <= tolerance && folded - loss <= tolerance);
        lstmae_module *modules[2] = { lstmae_seq2seq_module(one.model), lstmae_seq2seq_module(many.model) };
        for (size_t i = 0; i < lstmae_module_param_count(modules[0]); i++) {
            const size_t count = read_floats(lstmae_module_param_grad(modules[0], i), a);
            read_floats(lstmae_module_param_grad(modules[1], i), b);
            assert_close(lstmae_module_param_name(modules[0], i), b, a, count, tolerance, 0.0);
        }
        assert_ok(lstmae_optimizer_step(one.optimizer));
        assert_ok(lstmae_optimizer_step(many.optimizer));
    }
    for (int training = 0; training < 2; training++) {
        assert_ok(lstmae_module_set_training(lstmae_seq2seq_module(one.model), training));
        assert_ok(lstmae_module_set_training(lstmae_seq2seq_module(many.model), training));
        assert_ok(lstmae_seq2seq_forward(one.model, one.x, one.future));
        assert_ok(lstmae_seq2seq_forward(many.model, many.x, many.future));
        read_floats(lstmae_seq2seq_output(one.model, 0), a);
        read_floats(lstmae_seq2seq_output(many.model, 0), b);
        for (int64_t t = 0; t < T; t++)
            for (int64_t n = 0; n < COPIES; n++)
                assert_close("y", b + (t * COPIES + n) * F, a + t * F, F, tolerance, 0.0);
    }
    close_run(&one);
    close_run(&many);
}

static void test_fold_equals_steps(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        compare(&cases[i], "cpu:ref", LSTMAE_F64, 1e-12);
        compare(&cases[i], "cpu", LSTMAE_F32, 1e-6);
    }
}

/* A weight that is changed from outside is seen by the next forward. */
static void test_fold_follows_weights(void **state)
{
    (void)state;
    static float before[4 * MOST], after[4 * MOST];
    fold_run run;
    open_run(&run, &cases[0], "cpu", LSTMAE_F32, COPIES);
    lstmae_module *module = lstmae_seq2seq_module(run.model);
    assert_ok(lstmae_seq2seq_forward(run.model, run.x, NULL));
    const size_t count = read_floats(lstmae_seq2seq_output(run.model, 0), before);
    for (size_t i = 0; i < lstmae_module_param_count(module); i++) {
        static float kept[4 * MOST];
        if (strncmp(lstmae_module_param_name(module, i), "decoders.", 9) != 0) continue;
        lstmae_tensor *param = lstmae_module_param(module, i);
        const size_t bytes = read_floats(param, kept) * sizeof(float);
        assert_ok(lstmae_tensor_fill(param, 0.25));
        assert_ok(lstmae_seq2seq_forward(run.model, run.x, NULL));
        read_floats(lstmae_seq2seq_output(run.model, 0), after);
        assert_memory_not_equal(after + 2 * COPIES * F, before + 2 * COPIES * F, COPIES * F * sizeof(float));
        assert_ok(lstmae_tensor_write(param, kept, bytes));
        assert_ok(lstmae_seq2seq_forward(run.model, run.x, NULL));
        read_floats(lstmae_seq2seq_output(run.model, 0), after);
        assert_memory_equal(after, before, count * sizeof(float));
    }
    close_run(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fold_equals_steps),
        cmocka_unit_test(test_fold_follows_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
