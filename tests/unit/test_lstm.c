/* The LSTM module: states, lengths, carrying, modes, and what it refuses. */
#include "support.h"

#include <string.h>

enum { T = 5, B = 3, I = 4, H = 6 };

/* The same sums in another order: a few roundings of values near 1. */
#define ROUNDING 1e-5

static lstmae_module *new_lstm(lstmae_context *context, uint32_t flags, int64_t layers, double dropout)
{
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_module *lstm = NULL;
    options.flags = flags;
    options.layers = layers;
    options.dropout = dropout;
    assert_ok(lstmae_lstm_create(&lstm, context, I, H, &options));
    return lstm;
}

static lstmae_tensor *new_tensor(lstmae_context *context, int64_t a, int64_t b, int64_t c, uint64_t seed)
{
    lstmae_tensor *tensor = NULL;
    int64_t dims[3] = { a, b, c };
    float values[1024];
    size_t n = (size_t)(a * b * c);
    assert_true(n <= 1024);
    assert_ok(lstmae_tensor_create(&tensor, context, LSTMAE_F32, 3, dims));
    test_fill(values, n, seed, 1.0f);
    assert_ok(lstmae_tensor_write(tensor, values, n * sizeof(float)));
    return tensor;
}

static void read_all(const lstmae_tensor *tensor, float *out)
{
    assert_ok(lstmae_tensor_read(tensor, out, (size_t)lstmae_tensor_numel(tensor) * sizeof(float)));
}

/* Frame by frame with CARRY gives what one run over the sequence gives. */
static void test_carry_equals_whole(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_module *whole = new_lstm(context, 0, 2, 0.0), *carry = new_lstm(context, LSTMAE_LSTM_CARRY, 2, 0.0);
    lstmae_tensor *x = new_tensor(context, T, B, I, 1), *frame = NULL;
    const lstmae_tensor *y = NULL;
    float want[T * B * H], got[B * H];
    for (size_t i = 0; i < lstmae_module_param_count(whole); i++)
        assert_ok(lstmae_tensor_copy(lstmae_module_param(carry, i), lstmae_module_param(whole, i)));
    assert_ok(lstmae_module_forward(whole, x, &y));
    read_all(y, want);
    for (int repeat = 0; repeat < 2; repeat++) {
        for (int t = 0; t < T; t++) {
            assert_ok(lstmae_tensor_slice(&frame, x, 0, t, 1));
            assert_ok(lstmae_module_forward(carry, frame, &y));
            read_all(y, got);
            assert_close("carried step", got, want + t * B * H, B * H, 1e-6, ROUNDING);
            lstmae_tensor_destroy(frame);
        }
        assert_ok(lstmae_lstm_set_state(carry, NULL, NULL)); /* from the start again */
    }
    lstmae_tensor_destroy(x);
    lstmae_module_destroy(whole);
    lstmae_module_destroy(carry);
    lstmae_context_destroy(context);
}

/* Batch-major data through a transposed view gives the same bits as time-major data. */
static void test_batch_major_view(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_module *lstm = new_lstm(context, LSTMAE_LSTM_BIDIRECTIONAL, 1, 0.0);
    lstmae_tensor *batch_major = new_tensor(context, B, T, I, 2), *view = NULL, *dense = NULL;
    const lstmae_tensor *y = NULL;
    int64_t dims[3] = { T, B, I };
    float want[T * B * 2 * H], got[T * B * 2 * H];
    assert_ok(lstmae_tensor_transpose(&view, batch_major, 0, 1));
    assert_ok(lstmae_tensor_create(&dense, context, LSTMAE_F32, 3, dims));
    assert_ok(lstmae_tensor_copy(dense, view));
    assert_ok(lstmae_module_forward(lstm, dense, &y));
    read_all(y, want);
    assert_ok(lstmae_module_forward(lstm, view, &y));
    read_all(y, got);
    assert_memory_equal(got, want, sizeof got);
    lstmae_tensor_destroy(view);
    lstmae_tensor_destroy(dense);
    lstmae_tensor_destroy(batch_major);
    lstmae_module_destroy(lstm);
    lstmae_context_destroy(context);
}

/* A sample of length n gives what a run over its first n frames alone gives; beyond it outputs are zero. */
static void test_lengths(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_module *lstm = new_lstm(context, LSTMAE_LSTM_BIDIRECTIONAL, 2, 0.0);
    lstmae_tensor *x = new_tensor(context, T, B, I, 3), *h0 = new_tensor(context, 4, B, H, 4);
    lstmae_tensor *c0 = new_tensor(context, 4, B, H, 5);
    const int64_t lengths[B] = { 2, 0, 5 };
    const lstmae_tensor *y = NULL, *hn = NULL, *cn = NULL;
    float all[T * B * 2 * H], states[4 * B * H], one[T * 2 * H], start[4 * B * H], single[4 * H];
    assert_ok(lstmae_lstm_set_lengths(lstm, lengths, B));
    assert_ok(lstmae_lstm_set_state(lstm, h0, c0));
    assert_ok(lstmae_module_forward(lstm, x, &y));
    read_all(y, all);
    assert_ok(lstmae_lstm_state(lstm, &hn, &cn));
    read_all(hn, states);
    read_all(h0, start);
    for (int64_t b = 0; b < B; b++) {
        for (int64_t t = lengths[b]; t < T; t++)
            for (int64_t j = 0; j < 2 * H; j++) assert_true(all[(t * B + b) * 2 * H + j] == 0.0f);
        if (lengths[b] == 0) { /* final states are the initial ones */
            for (int64_t k = 0; k < 4; k++)
                assert_memory_equal(states + (k * B + b) * H, start + (k * B + b) * H, H * sizeof(float));
            continue;
        }
        lstmae_tensor *sample = NULL, *part = NULL, *h = NULL, *c = NULL;
        assert_ok(lstmae_tensor_slice(&part, x, 0, 0, lengths[b]));
        assert_ok(lstmae_tensor_slice(&sample, part, 1, b, 1));
        assert_ok(lstmae_tensor_slice(&h, h0, 1, b, 1));
        assert_ok(lstmae_tensor_slice(&c, c0, 1, b, 1));
        assert_ok(lstmae_lstm_set_lengths(lstm, NULL, 0));
        assert_ok(lstmae_lstm_set_state(lstm, h, c));
        assert_ok(lstmae_module_forward(lstm, sample, &y));
        read_all(y, one);
        assert_ok(lstmae_lstm_state(lstm, &hn, NULL));
        read_all(hn, single);
        for (int64_t t = 0; t < lengths[b]; t++)
            assert_close("output", all + (t * B + b) * 2 * H, one + t * 2 * H, 2 * H, 1e-6, ROUNDING);
        for (int64_t k = 0; k < 4; k++)
            assert_close("final state", states + (k * B + b) * H, single + k * H, H, 1e-6, ROUNDING);
        lstmae_tensor *borrowed[] = { sample, part, h, c };
        for (int i = 0; i < 4; i++) lstmae_tensor_destroy(borrowed[i]);
    }
    lstmae_tensor_destroy(x);
    lstmae_tensor_destroy(h0);
    lstmae_tensor_destroy(c0);
    lstmae_module_destroy(lstm);
    lstmae_context_destroy(context);
}

/* Dropout acts in training mode only, differs from draw to draw, and is repeated by the same seed. */
static void test_dropout_modes(void **state)
{
    (void)state;
    float runs[3][T * B * H], again[T * B * H], frozen[2][T * B * H];
    for (int attempt = 0; attempt < 2; attempt++) {
        lstmae_context *context = test_context("cpu", LSTMAE_F32);
        assert_ok(lstmae_context_set_seed(context, 77));
        lstmae_module *lstm = new_lstm(context, 0, 2, 0.5);
        lstmae_tensor *x = new_tensor(context, T, B, I, 6);
        const lstmae_tensor *y = NULL;
        for (int run = 0; run < 3; run++) {
            assert_ok(lstmae_module_forward(lstm, x, &y));
            read_all(y, attempt ? again : runs[run]);
            if (attempt) assert_memory_equal(again, runs[run], sizeof again);
        }
        assert_ok(lstmae_module_set_training(lstm, 0));
        for (int run = 0; run < 2; run++) {
            assert_ok(lstmae_module_forward(lstm, x, &y));
            read_all(y, frozen[run]);
        }
        assert_memory_equal(frozen[0], frozen[1], sizeof frozen[0]);
        assert_fails(lstmae_module_backward(lstm, y, NULL), ERR_STATE);
        lstmae_tensor_destroy(x);
        lstmae_module_destroy(lstm);
        lstmae_context_destroy(context);
    }
    assert_memory_not_equal(runs[0], runs[1], sizeof runs[0]);
    assert_memory_not_equal(runs[0], frozen[0], sizeof runs[0]);
}

/* Gradients add up over backwards, and zero_grad forgets them also where one of them was looked at in between. */
static void test_gradients_accumulate(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_module *lstm = new_lstm(context, LSTMAE_LSTM_PEEPHOLE, 1, 0.0);
    lstmae_tensor *x = new_tensor(context, T, B, I, 7), *dy = new_tensor(context, T, B, H, 8);
    float once[4 * H * H], twice[4 * H * H];
    for (size_t p = 0; p < lstmae_module_param_count(lstm); p++) {
        size_t n = (size_t)lstmae_tensor_numel(lstmae_module_param(lstm, p));
        assert_ok(lstmae_module_zero_grad(lstm));
        read_all(lstmae_module_param_grad(lstm, p), once);
        for (size_t i = 0; i < n; i++) assert_true(once[i] == 0.0f);
        assert_ok(lstmae_module_forward(lstm, x, NULL));
        assert_ok(lstmae_module_backward(lstm, dy, NULL));
        read_all(lstmae_module_param_grad(lstm, p), once);
        assert_ok(lstmae_module_forward(lstm, x, NULL));
        assert_ok(lstmae_module_backward(lstm, dy, NULL));
        read_all(lstmae_module_param_grad(lstm, p), twice);
        double sum = 0.0;
        for (size_t i = 0; i < n; i++) {
            once[i] *= 2.0f;
            sum += (double)(once[i] * once[i]);
        }
        assert_true(sum > 0.0);
        assert_close(lstmae_module_param_name(lstm, p), twice, once, n, 1e-5, ROUNDING);
    }
    lstmae_tensor_destroy(x);
    lstmae_tensor_destroy(dy);
    lstmae_module_destroy(lstm);
    lstmae_context_destroy(context);
}

static void test_refusals(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32), *other = test_context("cpu", LSTMAE_F32);
    lstmae_module *lstm = new_lstm(context, 0, 1, 0.0), *linear = NULL, *bad = NULL;
    lstmae_tensor *x = new_tensor(context, T, B, I, 9), *wrong = new_tensor(context, T, B, I + 1, 9);
    lstmae_tensor *foreign = new_tensor(other, T, B, I, 9), *h = new_tensor(context, 1, B + 1, H, 9);
    lstmae_tensor *dy = new_tensor(context, T, B, H, 9);
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    const int64_t lengths[B] = { 1, 2, T + 1 }, negative[B] = { 1, -2, 3 };
    assert_fails(lstmae_module_backward(lstm, dy, NULL), ERR_STATE);
    assert_fails(lstmae_lstm_state(lstm, NULL, NULL), ERR_STATE);
    assert_fails(lstmae_lstm_state_grad(lstm, NULL, NULL), ERR_STATE);
    assert_fails(lstmae_lstm_set_state_grad(lstm, h, h), ERR_STATE);
    assert_fails(lstmae_module_forward(lstm, wrong, NULL), ERR_SHAPE);
    assert_string_equal(lstmae_last_error(), "lstm: input is [5,3,5], layer wants [T,B,4]");
    assert_fails(lstmae_module_forward(lstm, foreign, NULL), ERR_INVALID_ARG);
    assert_ok(lstmae_lstm_set_state(lstm, h, h));
    assert_fails(lstmae_module_forward(lstm, x, NULL), ERR_SHAPE);
    assert_fails(lstmae_lstm_set_state(lstm, h, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_lstm_set_state(lstm, x, x), ERR_SHAPE);
    assert_ok(lstmae_lstm_set_state(lstm, NULL, NULL));
    assert_ok(lstmae_lstm_set_lengths(lstm, lengths, B));
    assert_fails(lstmae_module_forward(lstm, x, NULL), ERR_SHAPE);
    assert_ok(lstmae_lstm_set_lengths(lstm, lengths, 2));
    assert_fails(lstmae_module_forward(lstm, x, NULL), ERR_SHAPE);
    assert_fails(lstmae_lstm_set_lengths(lstm, negative, B), ERR_INVALID_ARG);
    assert_fails(lstmae_lstm_set_lengths(lstm, lengths, 0), ERR_INVALID_ARG);
    assert_ok(lstmae_lstm_set_lengths(lstm, NULL, 0));
    assert_ok(lstmae_module_forward(lstm, x, NULL));
    assert_fails(lstmae_module_backward(lstm, x, NULL), ERR_SHAPE);
    assert_ok(lstmae_module_backward(lstm, dy, NULL));
    assert_fails(lstmae_module_backward(lstm, dy, NULL), ERR_STATE); /* used up */
    assert_ok(lstmae_linear_create(&linear, context, 2, 2, 0));
    assert_fails(lstmae_lstm_set_state(linear, NULL, NULL), ERR_INVALID_ARG);

    options.dropout = 1.0;
    assert_fails(lstmae_lstm_create(&bad, context, I, H, &options), ERR_INVALID_ARG);
    options.dropout = 0.0;
    options.layers = 0;
    assert_fails(lstmae_lstm_create(&bad, context, I, H, &options), ERR_INVALID_ARG);
    options.layers = 1;
    options.flags = 1u << 20;
    assert_fails(lstmae_lstm_create(&bad, context, I, H, &options), ERR_UNSUPPORTED);
    options.flags = LSTMAE_LSTM_NO_BIAS;
    options.forget_bias = 1.0;
    assert_fails(lstmae_lstm_create(&bad, context, I, H, &options), ERR_INVALID_ARG);
    assert_fails(lstmae_lstm_create(&bad, context, 0, H, NULL), ERR_INVALID_ARG);
    assert_null(bad);

    lstmae_tensor *tensors[] = { x, wrong, foreign, h, dy };
    for (int i = 0; i < 5; i++) lstmae_tensor_destroy(tensors[i]);
    lstmae_module_destroy(linear);
    lstmae_module_destroy(lstm);
    lstmae_context_destroy(other);
    lstmae_context_destroy(context);
}

/* Parameters bear PyTorch's names and shapes, and a forget bias shows in bias_ih alone. */
static void test_parameters(void **state)
{
    (void)state;
    static const char *const names[] = { "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "peephole_l0",
                                         "weight_ih_l0_reverse", "weight_hh_l0_reverse", "bias_ih_l0_reverse",
                                         "bias_hh_l0_reverse", "peephole_l0_reverse" };
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_module *lstm = NULL;
    float bias[4 * H], bound = 0.40825f; /* 1/sqrt(6) */
    size_t index = 0;
    options.flags = LSTMAE_LSTM_BIDIRECTIONAL | LSTMAE_LSTM_PEEPHOLE;
    options.forget_bias = 2.0;
    assert_ok(lstmae_lstm_create(&lstm, context, I, H, &options));
    assert_int_equal(lstmae_module_param_count(lstm), 10);
    for (size_t i = 0; i < 10; i++) assert_string_equal(lstmae_module_param_name(lstm, i), names[i]);
    assert_int_equal(lstmae_module_param_elements(lstm), 2 * (4 * H * I + 4 * H * H + 8 * H + 3 * H));
    assert_ok(lstmae_module_param_index(lstm, "bias_ih_l0", &index));
    read_all(lstmae_module_param(lstm, index), bias);
    for (int j = 0; j < 4 * H; j++) {
        float center = j >= H && j < 2 * H ? 2.0f : 0.0f;
        assert_true(bias[j] >= center - bound && bias[j] <= center + bound && bias[j] != center);
    }
    assert_fails(lstmae_module_param_index(lstm, "bias_ih_l1", &index), ERR_NOT_FOUND);
    assert_null(lstmae_module_param(lstm, 10));
    assert_null(lstmae_module_param_name(lstm, 10));
    lstmae_module_destroy(lstm);
    lstmae_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_carry_equals_whole), cmocka_unit_test(test_batch_major_view),
        cmocka_unit_test(test_lengths),            cmocka_unit_test(test_dropout_modes),
        cmocka_unit_test(test_gradients_accumulate), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
