/* LSTM: all parameters, the input and the initial states. */
#include "check.h"

#include "context_internal.h"

typedef struct lstm_config {
    const char *name;
    int64_t T, B, I, H, layers;
    uint32_t flags;
    int state;
    double dropout;
    const int64_t *lengths;
} lstm_config;

#define BIDI LSTMAE_LSTM_BIDIRECTIONAL
#define PEEP LSTMAE_LSTM_PEEPHOLE

static const int64_t lengths_three[] = { 2, 4, 1 }, lengths_empty[] = { 3, 0, 5 }, lengths_two[] = { 1, 3 };

static const lstm_config configs[] = {
    { "lstm one of each", 1, 1, 1, 1, 1, 0, 0, 0, NULL },
    { "lstm one step", 1, 3, 2, 5, 1, 0, 1, 0, NULL },
    { "lstm one sample", 5, 1, 3, 3, 1, 0, 0, 0, NULL },
    { "lstm plain", 4, 3, 3, 5, 1, 0, 0, 0, NULL },
    { "lstm state", 3, 2, 3, 4, 1, 0, 1, 0, NULL },
    { "lstm two layers", 4, 2, 3, 3, 2, 0, 0, 0, NULL },
    { "lstm two layers state", 3, 3, 1, 3, 2, 0, 1, 0, NULL },
    { "lstm three layers", 3, 1, 2, 3, 3, 0, 1, 0, NULL },
    { "lstm no bias", 4, 2, 3, 5, 1, LSTMAE_LSTM_NO_BIAS, 0, 0, NULL },
    { "lstm no bias two layers", 3, 2, 2, 3, 2, LSTMAE_LSTM_NO_BIAS, 1, 0, NULL },
    { "lstm bidirectional", 4, 2, 3, 3, 1, BIDI, 0, 0, NULL },
    { "lstm bidirectional one step", 1, 1, 3, 2, 1, BIDI, 1, 0, NULL },
    { "lstm bidirectional two layers", 3, 2, 2, 3, 2, BIDI, 1, 0, NULL },
    { "lstm bidirectional no bias", 3, 2, 2, 3, 2, BIDI | LSTMAE_LSTM_NO_BIAS, 0, 0, NULL },
    { "lstm peephole", 4, 3, 3, 5, 1, PEEP, 0, 0, NULL },
    { "lstm peephole one step", 1, 2, 3, 3, 1, PEEP, 1, 0, NULL },
    { "lstm peephole one sample", 5, 1, 7, 3, 1, PEEP, 1, 0, NULL },
    { "lstm peephole two layers", 3, 2, 3, 3, 2, PEEP, 1, 0, NULL },
    { "lstm peephole bidirectional", 3, 2, 3, 3, 2, PEEP | BIDI, 1, 0, NULL },
    { "lstm peephole no bias", 3, 2, 3, 3, 1, PEEP | LSTMAE_LSTM_NO_BIAS, 0, 0, NULL },
    { "lstm lengths", 4, 3, 3, 4, 1, 0, 0, 0, lengths_three },
    { "lstm lengths state", 5, 3, 2, 3, 1, 0, 1, 0, lengths_three },
    { "lstm lengths empty sequence", 5, 3, 2, 3, 2, 0, 1, 0, lengths_empty },
    { "lstm lengths bidirectional", 4, 3, 2, 3, 2, BIDI, 1, 0, lengths_three },
    { "lstm lengths peephole", 5, 3, 2, 3, 1, PEEP, 1, 0, lengths_empty },
    { "lstm lengths peephole bidirectional", 3, 2, 3, 2, 2, PEEP | BIDI, 1, 0, lengths_two },
    { "lstm dropout", 4, 3, 2, 5, 2, 0, 0, 0.4, NULL },
    { "lstm dropout three layers", 3, 2, 2, 4, 3, 0, 1, 0.3, NULL },
    { "lstm dropout bidirectional", 3, 2, 2, 3, 2, BIDI, 1, 0.3, NULL },
    { "lstm dropout lengths peephole", 4, 3, 2, 3, 2, PEEP, 1, 0.3, lengths_three },
    { "lstm carry", 3, 2, 3, 4, 2, LSTMAE_LSTM_CARRY, 1, 0, NULL },
    { "lstm sixteen units", 2, 2, 5, 17, 1, 0, 1, 0, NULL },
};

/** A run: value = sum(y dy) + sum(h_n dh) + sum(c_n dc). */
typedef struct lstm_run {
    lstmae_context *context;
    lstmae_module *lstm;
    lstmae_tensor *x, *h0, *c0, *dy, *dh, *dc;
} lstm_run;

static double lstm_value(void *payload)
{
    lstm_run *run = payload;
    const lstmae_tensor *y = NULL, *h = NULL, *c = NULL;
    lae_context_set_draws(run->context, 0);
    if (run->h0) assert_ok(lstmae_lstm_set_state(run->lstm, run->h0, run->c0));
    assert_ok(lstmae_module_forward(run->lstm, run->x, &y));
    assert_ok(lstmae_lstm_state(run->lstm, &h, &c));
    return check_dot(y, run->dy) + check_dot(h, run->dh) + check_dot(c, run->dc);
}

static void lstm_backward(lstm_run *run, check *c)
{
    const lstmae_tensor *dx = NULL, *dh0 = NULL, *dc0 = NULL;
    (void)lstm_value(run);
    assert_ok(lstmae_lstm_set_state_grad(run->lstm, run->dh, run->dc));
    assert_ok(lstmae_module_backward(run->lstm, run->dy, &dx));
    check_add_params(c, run->lstm);
    check_add(c, "the input", run->x, dx);
    if (!run->h0) return;
    assert_ok(lstmae_lstm_state_grad(run->lstm, &dh0, &dc0));
    check_add(c, "h0", run->h0, dh0);
    check_add(c, "c0", run->c0, dc0);
}

static void lstm_check(const lstm_config *config)
{
    int64_t D = config->flags & BIDI ? 2 : 1;
    int64_t x[] = { config->T, config->B, config->I }, y[] = { config->T, config->B, D * config->H };
    int64_t h[] = { config->layers * D, config->B, config->H };
    lstm_run run = { .context = check_context() };
    check c = { .name = config->name, .value = lstm_value, .payload = &run };
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    options.layers = config->layers;
    options.flags = config->flags;
    options.dropout = config->dropout;
    assert_ok(lstmae_lstm_create(&run.lstm, run.context, config->I, config->H, &options));
    check_draw_params(run.lstm, 0.8);
    if (config->lengths) assert_ok(lstmae_lstm_set_lengths(run.lstm, config->lengths, config->B));
    run.x = check_draw(run.context, 3, x, 1, 1.0);
    run.h0 = config->state ? check_draw(run.context, 3, h, 2, 1.0) : NULL;
    run.c0 = config->state ? check_draw(run.context, 3, h, 3, 1.0) : NULL;
    run.dy = check_draw(run.context, 3, y, 4, 1.0);
    run.dh = check_draw(run.context, 3, h, 5, 1.0);
    run.dc = check_draw(run.context, 3, h, 6, 1.0);
    lstm_backward(&run, &c);
    check_run(&c);
    lstmae_tensor *all[] = { run.x, run.h0, run.c0, run.dy, run.dh, run.dc };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) lstmae_tensor_destroy(all[i]);
    lstmae_module_destroy(run.lstm);
    lstmae_context_destroy(run.context);
}

void test_gradcheck_lstm(void **state)
{
    (void)state;
    int before = check_all.failures;
    for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) lstm_check(&configs[i]);
    assert_int_equal(check_all.failures, before);
}
