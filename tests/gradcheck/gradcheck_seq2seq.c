/* Sequence-to-sequence models: every parameter, through the weighted sum of the decoders' losses. */
#include "check.h"

#include "context_internal.h"

typedef struct model_config {
    const char *name;
    int64_t T, B, F, H, layers;
    uint32_t flags;
    int loss, reduction;
    double dropout;
    const int64_t *lengths;
    size_t count;
    struct {
        int target, input, feedback, layers;
        int64_t hidden, steps;
        double truth, weight;
        uint32_t flags;
    } decoders[3];
} model_config;

#define REVERSED LSTMAE_DECODE_REVERSED
#define FORWARD LSTMAE_DECODE_FORWARD
#define FUTURE LSTMAE_DECODE_FUTURE
#define NOTHING LSTMAE_INPUT_NOTHING
#define OUTPUT LSTMAE_INPUT_OUTPUT
#define CODE LSTMAE_INPUT_CODE
#define TRUTH LSTMAE_INPUT_TRUTH
#define TANH LSTMAE_ACTIVATION_TANH
#define SIGMOID LSTMAE_ACTIVATION_SIGMOID
#define BIDI LSTMAE_LSTM_BIDIRECTIONAL
#define PEEP LSTMAE_LSTM_PEEPHOLE
#define NOBIAS LSTMAE_LSTM_NO_BIAS
#define ZERO LSTMAE_DECODER_ZERO_STATE
#define SHARED LSTMAE_DECODER_SHARED
#define MEAN LSTMAE_REDUCTION_MEAN
#define SUM LSTMAE_REDUCTION_SUM
#define BATCH LSTMAE_REDUCTION_BATCH_MEAN
#define MSE LSTMAE_LOSS_MSE
#define HUBER LSTMAE_LOSS_HUBER
#define BCE LSTMAE_LOSS_BCE_LOGITS

static const int64_t lengths_three[] = { 2, 4, 1 }, lengths_empty[] = { 3, 0, 2 };

/* clang-format off */
static const model_config configs[] = {
    { "reversed nothing", 3, 2, 3, 4, 1, 0, MSE, SUM, 0, NULL, 1, { { REVERSED, NOTHING, 0, 0, 0, 0, 1, 1, 0 } } },
    { "reversed output", 3, 2, 3, 4, 1, 0, MSE, SUM, 0, NULL, 1, { { REVERSED, OUTPUT, 0, 0, 0, 0, 1, 1, 0 } } },
    { "reversed tanh", 3, 2, 3, 4, 1, 0, MSE, BATCH, 0, NULL, 1, { { REVERSED, OUTPUT, TANH, 0, 0, 0, 1, 1, 0 } } },
    { "reversed sigmoid", 4, 2, 3, 3, 1, 0, BCE, BATCH, 0, NULL, 1,
      { { REVERSED, OUTPUT, SIGMOID, 0, 0, 0, 1, 1, 0 } } },
    { "reversed code", 3, 2, 3, 4, 1, 0, MSE, SUM, 0, NULL, 1, { { REVERSED, CODE, 0, 0, 0, 0, 1, 1, 0 } } },
    { "reversed truth", 3, 2, 3, 4, 1, 0, MSE, SUM, 0, NULL, 1, { { REVERSED, TRUTH, 0, 0, 0, 0, 1, 1, 0 } } },
    { "forward nothing", 3, 3, 2, 3, 1, 0, MSE, MEAN, 0, NULL, 1, { { FORWARD, NOTHING, 0, 0, 0, 0, 1, 1, 0 } } },
    { "forward output", 3, 3, 2, 3, 1, 0, MSE, MEAN, 0, NULL, 1, { { FORWARD, OUTPUT, 0, 0, 0, 0, 1, 1, 0 } } },
    { "forward sigmoid", 3, 3, 2, 3, 1, 0, BCE, MEAN, 0, NULL, 1, { { FORWARD, OUTPUT, SIGMOID, 0, 0, 0, 1, 1, 0 } } },
    { "forward code", 3, 3, 2, 3, 1, 0, MSE, MEAN, 0, NULL, 1, { { FORWARD, CODE, 0, 0, 0, 0, 1, 1, 0 } } },
    { "forward truth", 3, 3, 2, 3, 1, 0, MSE, MEAN, 0, NULL, 1, { { FORWARD, TRUTH, 0, 0, 0, 0, 1, 1, 0 } } },
    { "future nothing", 2, 2, 3, 3, 1, 0, MSE, SUM, 0, NULL, 1, { { FUTURE, NOTHING, 0, 0, 0, 3, 1, 1, 0 } } },
    { "future output", 2, 2, 3, 3, 1, 0, MSE, SUM, 0, NULL, 1, { { FUTURE, OUTPUT, 0, 0, 0, 4, 1, 1, 0 } } },
    { "future sigmoid", 2, 2, 3, 3, 1, 0, BCE, SUM, 0, NULL, 1, { { FUTURE, OUTPUT, SIGMOID, 0, 0, 3, 1, 1, 0 } } },
    { "future code", 2, 2, 3, 3, 1, 0, MSE, SUM, 0, NULL, 1, { { FUTURE, CODE, 0, 0, 0, 3, 1, 1, 0 } } },
    { "future truth", 2, 2, 3, 3, 1, 0, MSE, SUM, 0, NULL, 1, { { FUTURE, TRUTH, 0, 0, 0, 3, 1, 1, 0 } } },
    { "one of each", 1, 1, 1, 1, 1, 0, MSE, SUM, 0, NULL, 1, { { REVERSED, OUTPUT, 0, 0, 0, 0, 1, 1, 0 } } },
    { "one step", 1, 3, 3, 2, 2, 0, MSE, SUM, 0, NULL, 2,
      { { REVERSED, OUTPUT, 0, 0, 0, 0, 1, 1, 0 }, { FUTURE, OUTPUT, 0, 0, 0, 1, 1, 1, 0 } } },
    { "one sample", 4, 1, 3, 3, 1, 0, MSE, SUM, 0, NULL, 2,
      { { REVERSED, OUTPUT, 0, 0, 0, 0, 1, 1, 0 }, { FUTURE, OUTPUT, 0, 0, 0, 2, 1, 1, 0 } } },
    { "composite", 3, 2, 3, 3, 1, 0, MSE, BATCH, 0, NULL, 2,
      { { REVERSED, OUTPUT, 0, 0, 0, 0, 1, 1, 0 }, { FUTURE, OUTPUT, 0, 0, 0, 5, 1, 1, 0 } } },
    { "composite two layers", 3, 2, 3, 3, 2, 0, MSE, BATCH, 0, NULL, 2,
      { { REVERSED, OUTPUT, 0, 0, 0, 0, 1, 1, 0 }, { FUTURE, OUTPUT, 0, 0, 0, 2, 1, 1, 0 } } },
    { "composite weights", 3, 2, 3, 3, 1, 0, HUBER, SUM, 0, NULL, 2,
      { { FORWARD, OUTPUT, TANH, 0, 0, 0, 1, 0.25, 0 }, { FUTURE, OUTPUT, TANH, 0, 0, 2, 1, 3.0, 0 } } },
    { "composite mixed inputs", 3, 2, 3, 3, 2, 0, MSE, SUM, 0, NULL, 3,
      { { REVERSED, NOTHING, 0, 0, 0, 0, 1, 1, 0 }, { FORWARD, CODE, 0, 0, 0, 0, 1, 1, 0 },
        { FUTURE, TRUTH, 0, 0, 0, 3, 1, 1, 0 } } },
    { "narrow decoder", 3, 2, 3, 4, 1, 0, MSE, SUM, 0, NULL, 1, { { REVERSED, OUTPUT, 0, 0, 3, 0, 1, 1, 0 } } },
    { "wide decoder", 3, 2, 3, 3, 2, 0, MSE, SUM, 0, NULL, 1, { { REVERSED, OUTPUT, 0, 0, 5, 0, 1, 1, 0 } } },
    { "wide decoder code", 3, 2, 3, 3, 1, 0, MSE, SUM, 0, NULL, 1, { { FORWARD, CODE, 0, 0, 5, 0, 1, 1, 0 } } },
    { "two widths", 3, 2, 3, 3, 2, 0, MSE, SUM, 0, NULL, 2,
      { { REVERSED, OUTPUT, 0, 0, 2, 0, 1, 1, 0 }, { FUTURE, NOTHING, 0, 0, 4, 2, 1, 1, 0 } } },
    { "shallow decoder", 3, 2, 3, 3, 2, 0, MSE, SUM, 0, NULL, 1, { { REVERSED, OUTPUT, 0, 1, 0, 0, 1, 1, 0 } } },
    { "deep decoder", 3, 2, 3, 3, 1, 0, MSE, SUM, 0, NULL, 1, { { REVERSED, OUTPUT, 0, 2, 0, 0, 1, 1, 0 } } },
    { "deep narrow decoder", 3, 2, 3, 3, 1, 0, MSE, SUM, 0, NULL, 1, { { FUTURE, OUTPUT, 0, 3, 2, 3, 1, 1, 0 } } },
    { "bidirectional", 3, 2, 3, 2, 1, BIDI, MSE, SUM, 0, NULL, 1, { { REVERSED, OUTPUT, 0, 0, 0, 0, 1, 1, 0 } } },
    { "bidirectional code", 3, 2, 3, 2, 2, BIDI, MSE, SUM, 0, NULL, 1, { { REVERSED, CODE, 0, 0, 0, 0, 1, 1, 0 } } },
    { "bidirectional other width", 3, 2, 3, 2, 1, BIDI, MSE, SUM, 0, NULL, 2,
      { { REVERSED, OUTPUT, 0, 0, 3, 0, 1, 1, 0 }, { FUTURE, CODE, 0, 0, 3, 2, 1, 1, 0 } } },
    { "peephole", 3, 2, 3, 3, 1, PEEP, MSE, SUM, 0, NULL, 1, { { REVERSED, OUTPUT, 0, 0, 0, 0, 1, 1, PEEP } } },
    { "peephole composite", 3, 1, 3, 3, 2, PEEP, BCE, BATCH, 0, NULL, 2,
      { { REVERSED, OUTPUT, SIGMOID, 0, 0, 0, 1, 1, PEEP }, { FUTURE, OUTPUT, SIGMOID, 0, 0, 2, 1, 1, PEEP } } },
    { "peephole decoder alone", 3, 2, 3, 3, 1, 0, MSE, SUM, 0, NULL, 1,
      { { FORWARD, OUTPUT, 0, 0, 0, 0, 1, 1, PEEP } } },
    { "folded peephole", 4, 3, 5, 3, 1, PEEP, MSE, SUM, 0, NULL, 1, { { REVERSED, OUTPUT, 0, 0, 0, 0, 1, 1, PEEP } } },
    { "folded without biases", 4, 3, 2, 3, 1, 0, MSE, MEAN, 0, NULL, 2,
      { { FORWARD, OUTPUT, 0, 0, 0, 0, 1, 1, NOBIAS }, { FUTURE, OUTPUT, 0, 0, 2, 5, 1, 1, NOBIAS | PEEP } } },
    { "folded bidirectional", 5, 3, 3, 2, 1, BIDI, MSE, SUM, 0, lengths_three, 1,
      { { REVERSED, OUTPUT, 0, 0, 3, 0, 1, 1, 0 } } },
    { "folded shared", 4, 3, 2, 3, 1, PEEP, MSE, SUM, 0, NULL, 2,
      { { REVERSED, OUTPUT, 0, 0, 0, 0, 1, 1, SHARED | PEEP }, { FUTURE, OUTPUT, 0, 0, 0, 5, 0.5, 1, SHARED } } },
    { "repeated code", 3, 2, 3, 4, 1, 0, MSE, SUM, 0, NULL, 1, { { FORWARD, CODE, 0, 0, 0, 0, 1, 1, ZERO } } },
    { "repeated code composite", 3, 2, 2, 3, 2, PEEP, MSE, SUM, 0, NULL, 2,
      { { REVERSED, CODE, 0, 1, 5, 0, 1, 1, ZERO }, { FUTURE, CODE, 0, 0, 0, 2, 1, 1, ZERO | PEEP } } },
    { "repeated code bidirectional", 3, 2, 3, 2, 2, BIDI, MSE, SUM, 0, NULL, 1,
      { { FORWARD, CODE, 0, 0, 3, 0, 1, 1, ZERO } } },
    { "shared cell", 3, 2, 3, 4, 1, 0, MSE, SUM, 0, NULL, 1, { { REVERSED, OUTPUT, 0, 0, 0, 0, 1, 1, SHARED } } },
    { "shared cell nothing", 3, 2, 3, 4, 2, PEEP, MSE, SUM, 0, NULL, 1,
      { { REVERSED, NOTHING, 0, 0, 0, 0, 1, 1, SHARED } } },
    { "shared cell of all", 3, 2, 2, 3, 2, PEEP, MSE, SUM, 0, NULL, 3,
      { { REVERSED, OUTPUT, TANH, 2, 3, 0, 1, 1, SHARED | PEEP }, { FUTURE, OUTPUT, 0, 0, 0, 2, 1, 1, SHARED },
        { FORWARD, TRUTH, 0, 0, 0, 0, 0.5, 1, PEEP } } },
    { "shared cell repeated code", 3, 2, 3, 3, 2, LSTMAE_LSTM_NO_BIAS, MSE, SUM, 0, NULL, 1,
      { { FORWARD, CODE, 0, 0, 0, 0, 1, 1, SHARED | ZERO } } },
    { "shared cell lengths dropout", 4, 3, 2, 3, 2, 0, MSE, SUM, 0.3, lengths_three, 1,
      { { REVERSED, OUTPUT, 0, 0, 0, 0, 1, 1, SHARED } } },
    { "no bias", 3, 2, 3, 3, 1, LSTMAE_LSTM_NO_BIAS, MSE, SUM, 0, NULL, 1,
      { { REVERSED, OUTPUT, 0, 0, 0, 0, 1, 1, LSTMAE_LSTM_NO_BIAS } } },
    { "lengths", 4, 3, 2, 3, 1, 0, MSE, SUM, 0, lengths_three, 1, { { REVERSED, OUTPUT, 0, 0, 0, 0, 1, 1, 0 } } },
    { "lengths forward mean", 4, 3, 2, 3, 1, 0, MSE, MEAN, 0, lengths_three, 1,
      { { FORWARD, OUTPUT, 0, 0, 0, 0, 1, 1, 0 } } },
    { "lengths truth batch", 4, 3, 2, 3, 2, 0, MSE, BATCH, 0, lengths_three, 1,
      { { REVERSED, TRUTH, 0, 0, 0, 0, 1, 1, 0 } } },
    { "lengths composite", 3, 3, 2, 3, 1, PEEP, MSE, SUM, 0, lengths_empty, 2,
      { { REVERSED, NOTHING, 0, 0, 0, 0, 1, 1, 0 }, { FUTURE, OUTPUT, 0, 0, 0, 2, 1, 1, 0 } } },
    { "lengths bidirectional", 4, 3, 2, 2, 2, BIDI, MSE, SUM, 0, lengths_three, 1,
      { { REVERSED, OUTPUT, 0, 0, 3, 0, 1, 1, 0 } } },
    { "scheduled sampling", 5, 3, 2, 3, 1, 0, MSE, SUM, 0, NULL, 1, { { REVERSED, TRUTH, 0, 0, 0, 0, 0.5, 1, 0 } } },
    { "scheduled sampling sigmoid", 4, 3, 2, 3, 1, 0, BCE, SUM, 0, NULL, 2,
      { { FORWARD, TRUTH, SIGMOID, 0, 0, 0, 0.5, 1, 0 }, { FUTURE, TRUTH, SIGMOID, 0, 0, 4, 0.3, 1, 0 } } },
    { "no truth", 4, 2, 2, 3, 1, 0, MSE, SUM, 0, NULL, 1, { { FORWARD, TRUTH, 0, 0, 0, 0, 0.0, 1, 0 } } },
    { "dropout", 3, 2, 3, 4, 2, 0, MSE, SUM, 0.4, NULL, 1, { { REVERSED, OUTPUT, 0, 0, 0, 0, 1, 1, 0 } } },
    { "dropout composite", 3, 2, 2, 4, 2, 0, MSE, SUM, 0.3, NULL, 2,
      { { REVERSED, NOTHING, 0, 0, 0, 0, 1, 1, 0 }, { FUTURE, OUTPUT, TANH, 0, 3, 3, 1, 1, 0 } } },
    { "dropout scheduled sampling", 4, 3, 2, 3, 2, 0, MSE, SUM, 0.3, NULL, 1,
      { { REVERSED, TRUTH, 0, 0, 0, 0, 0.5, 1, 0 } } },
};

/* What makes the code: a latent, or a linear layer with an activation. */
typedef struct model_code {
    int64_t size; /* 0: the encoder's state is the code */
    int activation; /* LATENT: a latent */
    double beta;
} model_code;

#define LATENT (-1)

static const struct {
    model_code code;
    model_config model;
} coded[] = {
    { { 2, 0, 0 }, { "code", 3, 2, 3, 4, 1, 0, MSE, BATCH, 0, NULL, 1,
      { { REVERSED, OUTPUT, 0, 0, 0, 0, 1, 1, 0 } } } },
    { { 2, TANH, 0 }, { "code tanh composite", 3, 2, 3, 3, 2, 0, MSE, SUM, 0, NULL, 3,
      { { REVERSED, NOTHING, 0, 0, 0, 0, 1, 1, 0 }, { FUTURE, CODE, 0, 1, 5, 2, 1, 0.5, PEEP },
        { FORWARD, CODE, 0, 0, 0, 0, 1, 1, ZERO } } } },
    { { 3, 0, 0 }, { "code repeated", 4, 3, 3, 4, 1, 0, MSE, MEAN, 0, NULL, 1,
      { { FORWARD, CODE, 0, 0, 0, 0, 1, 1, ZERO } } } },
    { { 3, SIGMOID, 0 }, { "code repeated into shared cells", 4, 2, 3, 5, 1, PEEP, MSE, MEAN, 0, NULL, 2,
      { { FORWARD, CODE, 0, 0, 0, 0, 1, 1, ZERO | SHARED }, { REVERSED, OUTPUT, 0, 0, 0, 0, 1, 1, SHARED } } } },
    { { 5, 0, 0 }, { "code bidirectional wider", 4, 3, 2, 2, 2, BIDI, BCE, BATCH, 0, lengths_three, 1,
      { { FORWARD, CODE, 0, 0, 3, 0, 1, 1, 0 } } } },
    { { 2, LATENT, 1.0 }, { "latent repeated", 3, 2, 3, 4, 1, 0, MSE, BATCH, 0, NULL, 1,
      { { FORWARD, CODE, 0, 0, 0, 0, 1, 1, ZERO } } } },
    { { 2, LATENT, 1.0 },
      { "latent", 3, 2, 3, 4, 1, 0, MSE, BATCH, 0, NULL, 1, { { REVERSED, OUTPUT, 0, 0, 0, 0, 1, 1, 0 } } } },
    { { 3, LATENT, 0.3 }, { "latent composite", 3, 2, 3, 3, 2, 0, MSE, SUM, 0, NULL, 2,
      { { REVERSED, OUTPUT, 0, 0, 0, 0, 1, 1, 0 }, { FUTURE, OUTPUT, TANH, 1, 5, 2, 1, 0.5, 0 } } } },
    { { 1, LATENT, 2.0 }, { "latent bidirectional code", 4, 3, 2, 2, 2, BIDI, BCE, BATCH, 0, lengths_three, 1,
      { { FORWARD, CODE, 0, 0, 0, 0, 1, 1, 0 } } } },
    { { 4, LATENT, 1.0 }, { "latent dropout peephole", 3, 2, 3, 3, 2, PEEP, MSE, SUM, 0.3, NULL, 1,
      { { REVERSED, TRUTH, 0, 0, 0, 0, 0.5, 1, PEEP } } } },
};
/* clang-format on */

typedef struct model_run {
    lstmae_context *context;
    lstmae_seq2seq *model;
    lstmae_loss *loss;
    lstmae_tensor *x, *future;
} model_run;

static double model_value(void *payload)
{
    model_run *run = payload;
    double value = 0;
    lae_context_set_draws(run->context, 0);
    assert_ok(lstmae_seq2seq_step(run->model, run->loss, run->x, run->future, 1.0, &value));
    return value;
}

static void model_set_code(const model_code *code, model_run *run)
{
    lstmae_latent_options latent = LSTMAE_LATENT_OPTIONS_INIT;
    lstmae_code_options linear = LSTMAE_CODE_OPTIONS_INIT;
    latent.size = linear.size = code->size;
    latent.beta = code->beta;
    linear.activation = code->activation;
    assert_ok(code->activation == LATENT ? lstmae_seq2seq_set_latent(run->model, &latent)
                                         : lstmae_seq2seq_set_code(run->model, &linear));
}

static void model_create(const model_config *config, const model_code *code, model_run *run)
{
    lstmae_lstm_options encoder = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_loss_options loss = LSTMAE_LOSS_OPTIONS_INIT;
    encoder.layers = config->layers;
    encoder.flags = config->flags;
    encoder.dropout = config->dropout;
    loss.kind = config->loss;
    loss.reduction = config->reduction;
    loss.delta = 10.0; /* far from where Huber's second derivative jumps */
    assert_ok(lstmae_loss_create(&run->loss, run->context, &loss));
    assert_ok(lstmae_seq2seq_create(&run->model, run->context, config->F, config->H, &encoder));
    if (code->size > 0) model_set_code(code, run);
    for (size_t i = 0; i < config->count; i++) {
        lstmae_decoder_options decoder = LSTMAE_DECODER_OPTIONS_INIT;
        decoder.flags = config->decoders[i].flags;
        decoder.target = config->decoders[i].target;
        decoder.input = config->decoders[i].input;
        decoder.feedback = config->decoders[i].feedback;
        decoder.layers = config->decoders[i].layers;
        decoder.hidden = config->decoders[i].hidden;
        decoder.steps = config->decoders[i].steps;
        decoder.dropout = config->dropout;
        decoder.truth = config->decoders[i].truth;
        decoder.weight = config->decoders[i].weight;
        assert_ok(lstmae_seq2seq_add_decoder(run->model, &decoder));
    }
    check_draw_params(lstmae_seq2seq_module(run->model), 0.8);
    if (config->lengths) assert_ok(lstmae_seq2seq_set_lengths(run->model, config->lengths, config->B));
}

static void model_check(const model_config *config, const model_code *code)
{
    int64_t x[] = { config->T, config->B, config->F }, future[] = { 5, config->B, config->F };
    model_run run = { .context = check_context() };
    check c = { .name = config->name, .value = model_value, .payload = &run };
    model_create(config, code, &run);
    run.x = check_draw(run.context, 3, x, 1, 1.0);
    run.future = check_draw(run.context, 3, future, 2, 1.0);
    (void)model_value(&run);
    check_add_params(&c, lstmae_seq2seq_module(run.model));
    check_run(&c);
    lstmae_tensor_destroy(run.x);
    lstmae_tensor_destroy(run.future);
    lstmae_loss_destroy(run.loss);
    lstmae_seq2seq_destroy(run.model);
    lstmae_context_destroy(run.context);
}

void test_gradcheck_seq2seq(void **state)
{
    (void)state;
    int before = check_all.failures;
    const model_code none = { 0, 0, 0.0 };
    for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) model_check(&configs[i], &none);
    for (size_t i = 0; i < sizeof(coded) / sizeof(coded[0]); i++) model_check(&coded[i].model, &coded[i].code);
    assert_int_equal(check_all.failures, before);
}
