/*
 * The recurrent autoencoder that TensorFlow 1 made popular: 25 steps of 385 features to 15 units with peepholes and
 * back, one window at a time, RMSProp with a staircase of rates. Its losses over 200 updates are those of a loop in
 * float64 (make_peephole.py), to a ten-thousandth.
 */
#include "golden.h"
#include "peephole.h"

#include <math.h>
#include <string.h>

enum { T = 25, F = 385, H = 15, UPDATES = sizeof(peephole_losses) / sizeof(peephole_losses[0]) };

static double window[T * F];

static void fill_window(int n)
{
    const double pi = 3.14159265358979323846;
    for (int t = 0; t < T; t++) {
        for (int f = 0; f < F; f++) {
            const double turns = (double)((t + 3 * n) * (1 + f % 7)) / 40.0 + (double)f / F;
            window[t * F + f] = (double)(float)(0.5 + 0.4 * sin(2.0 * pi * turns));
        }
    }
}

/* Uniform in +-1/sqrt(H), as make_peephole.py draws it. */
static void draw_params(lstmae_module *module)
{
    static double values[4 * H * F];
    for (size_t i = 0; i < lstmae_module_param_count(module); i++) {
        lstmae_tensor *param = lstmae_module_param(module, i);
        uint32_t state = (uint32_t)i + 1;
        for (int64_t k = 0; k < lstmae_tensor_numel(param); k++) {
            state = state * 1664525u + 1013904223u;
            values[k] = (double)(float)(((double)(state >> 8) / 8388608.0 - 1.0) / sqrt((double)H));
        }
        values_write(param, values);
    }
}

static void test_peephole_curve(void **state)
{
    (void)state;
    const int64_t dims[3] = { T, 1, F };
    lstmae_lstm_options encoder = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_decoder_options decoder = LSTMAE_DECODER_OPTIONS_INIT;
    lstmae_optimizer_options rmsprop = LSTMAE_RMSPROP_TF1_OPTIONS_INIT;
    lstmae_schedule_options staircase = LSTMAE_SCHEDULE_OPTIONS_INIT;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_seq2seq *model = NULL;
    lstmae_loss *loss = NULL;
    lstmae_optimizer *optimizer = NULL;
    lstmae_schedule *schedule = NULL;
    double worst = 0.0;
    encoder.flags = decoder.flags = LSTMAE_LSTM_PEEPHOLE;
    staircase.kind = LSTMAE_SCHEDULE_EXPONENTIAL;
    staircase.flags = LSTMAE_SCHEDULE_STAIRCASE;
    staircase.lr = 2e-3;
    staircase.factor = 0.7;
    staircase.period = 40;
    assert_ok(lstmae_seq2seq_create(&model, context, F, H, &encoder));
    assert_ok(lstmae_seq2seq_add_decoder(model, &decoder));
    draw_params(lstmae_seq2seq_module(model));
    assert_ok(lstmae_loss_create(&loss, context, NULL));
    assert_ok(lstmae_optimizer_create(&optimizer, lstmae_seq2seq_module(model), &rmsprop));
    assert_ok(lstmae_schedule_create(&schedule, &staircase));
    lstmae_tensor *x = values_tensor(context, 3, dims, NULL);
    for (int n = 0; n < UPDATES; n++) {
        double value = 0.0;
        fill_window(n);
        values_write(x, window);
        assert_ok(lstmae_module_zero_grad(lstmae_seq2seq_module(model)));
        assert_ok(lstmae_seq2seq_step(model, loss, x, NULL, 1.0, &value));
        assert_ok(lstmae_optimizer_set_lr(optimizer, lstmae_schedule_lr(schedule, n)));
        assert_ok(lstmae_optimizer_step(optimizer));
        worst = fmax(worst, fabs(value - peephole_losses[n]) / peephole_losses[n]);
    }
    print_message("largest error %.2e\n", worst);
    assert_true(worst <= GOLDEN_LIMIT_CURVE);
    lstmae_tensor_destroy(x);
    lstmae_schedule_destroy(schedule);
    lstmae_optimizer_destroy(optimizer);
    lstmae_loss_destroy(loss);
    lstmae_seq2seq_destroy(model);
    lstmae_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_peephole_curve) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
