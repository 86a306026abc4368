#include "kinds.h"

#include <stdlib.h>
#include <string.h>

#define IMAGES (-1) /* convolutions of B images of F channels to H features and back */
#define NORMED (-3) /* the same with batch and layer norm, pooling, dropout and upsampling between */
#define DENSE (-2)  /* a variational denoising autoencoder of B items of F values, with H units */
#define LATENT (1u << 31) /* beside the flags of an LSTM: a latent behind the encoder */
#define CODE (1u << 30)   /* the same: a linear layer */
#define SHARED (1u << 29) /* the reconstructing decoder has the encoder's cells, the other starts from zeros */
#define CODE_SIZE 7

typedef struct kind_plan {
    const char *name;
    int64_t T, B, F, H, layers;
    uint32_t flags;
    double dropout;
    int loss;
    int optimizer; /* lstmae_optimizer_kind */
    int decoders;  /* 0: an LSTM and a linear layer in a chain; or IMAGES, NORMED, DENSE */
    int inputs[2]; /* of a reconstructing and a predicting decoder */
    int feedback;
    int64_t hidden; /* of the decoders */
    int lengths;
} kind_plan;

/* Odd sizes, and one wide enough that products and cells are divided among threads. */
static const kind_plan plans[KINDS] = {
    { "composite with dropout and scheduled sampling",
      5,
      6,
      19,
      24,
      2,
      0,
      0.2,
      LSTMAE_LOSS_MSE,
      LSTMAE_ADAM,
      2,
      { LSTMAE_INPUT_OUTPUT, LSTMAE_INPUT_TRUTH },
      LSTMAE_ACTIVATION_IDENTITY,
      0,
      0 },
    { "peepholes and cross-entropy",
      7,
      3,
      13,
      9,
      1,
      LSTMAE_LSTM_PEEPHOLE,
      0,
      LSTMAE_LOSS_BCE_LOGITS,
      LSTMAE_RMSPROP_TF1,
      2,
      { LSTMAE_INPUT_OUTPUT, LSTMAE_INPUT_CODE },
      LSTMAE_ACTIVATION_SIGMOID,
      0,
      0 },
    { "bidirectional with lengths and bridges",
      6,
      5,
      7,
      11,
      2,
      LSTMAE_LSTM_BIDIRECTIONAL,
      0.3,
      LSTMAE_LOSS_HUBER,
      LSTMAE_ADAMW,
      2,
      { LSTMAE_INPUT_TRUTH, LSTMAE_INPUT_NOTHING },
      LSTMAE_ACTIVATION_TANH,
      17,
      1 },
    { "wide composite",
      4,
      33,
      301,
      130,
      2,
      0,
      0.1,
      LSTMAE_LOSS_MSE,
      LSTMAE_ADAM,
      2,
      { LSTMAE_INPUT_OUTPUT, LSTMAE_INPUT_OUTPUT },
      LSTMAE_ACTIVATION_IDENTITY,
      0,
      0 },
    { "chain of LSTM and linear", 9, 17, 65, 48, 2, 0, 0.25, LSTMAE_LOSS_MAE, LSTMAE_SGD, 0, { 0, 0 }, 0, 0, 0 },
    { "convolutions", 0, 5, 3, 20, 0, 0, 0, LSTMAE_LOSS_MSE, LSTMAE_ADAM, IMAGES, { 0, 0 }, 0, 0, 0 },
    { "sequences with a latent",
      6,
      5,
      11,
      17,
      2,
      LATENT,
      0.2,
      LSTMAE_LOSS_MSE,
      LSTMAE_ADAM,
      2,
      { LSTMAE_INPUT_OUTPUT, LSTMAE_INPUT_CODE },
      LSTMAE_ACTIVATION_IDENTITY,
      13,
      0 },
    { "shared cells and a repeated code",
      6,
      9,
      14,
      23,
      2,
      CODE | SHARED | LSTMAE_LSTM_PEEPHOLE,
      0.2,
      LSTMAE_LOSS_MAE,
      LSTMAE_ADAM,
      2,
      { LSTMAE_INPUT_OUTPUT, LSTMAE_INPUT_CODE },
      LSTMAE_ACTIVATION_IDENTITY,
      0,
      0 },
    { "variational denoising", 0, 135, 83, 37, 0, 0, 0, LSTMAE_LOSS_BCE_LOGITS, LSTMAE_ADAM, DENSE, { 0, 0 }, 0, 0, 0 },
    { "normalised images", 0, 5, 3, 20, 0, 0, 0.2, LSTMAE_LOSS_MSE, LSTMAE_ADAM, NORMED, { 0, 0 }, 0, 0, 0 },
};

const char *kind_name(int kind)
{
    return plans[kind].name;
}

static void add_decoder(kind_run *run, const kind_plan *plan, int target, int input)
{
    lstmae_decoder_options options = LSTMAE_DECODER_OPTIONS_INIT;
    options.target = target;
    options.input = input;
    options.feedback = plan->feedback;
    options.hidden = plan->hidden;
    options.steps = target == LSTMAE_DECODE_FUTURE ? run->K : 0;
    options.dropout = plan->dropout;
    options.truth = 0.5;
    options.flags = plan->flags & LSTMAE_LSTM_PEEPHOLE;
    if (plan->flags & SHARED)
        options.flags |= target == LSTMAE_DECODE_FUTURE ? LSTMAE_DECODER_ZERO_STATE : LSTMAE_DECODER_SHARED;
    assert_ok(lstmae_seq2seq_add_decoder(run->seq2seq, &options));
}

static void open_seq2seq(kind_run *run, const kind_plan *plan, const lstmae_lstm_options *encoder)
{
    int64_t directions = plan->flags & LSTMAE_LSTM_BIDIRECTIONAL ? 2 : 1;
    const int64_t future[] = { run->K, run->B, run->F };
    const int64_t code[] = { run->B, plan->flags & (LATENT | CODE) ? CODE_SIZE : directions * plan->H };
    const int64_t frames[] = { run->T, run->B, run->F };
    assert_ok(lstmae_seq2seq_create(&run->seq2seq, run->context, plan->F, plan->H, encoder));
    if (plan->flags & LATENT) {
        lstmae_latent_options latent = LSTMAE_LATENT_OPTIONS_INIT;
        latent.size = CODE_SIZE;
        assert_ok(lstmae_seq2seq_set_latent(run->seq2seq, &latent));
    }
    if (plan->flags & CODE) {
        lstmae_code_options layer = LSTMAE_CODE_OPTIONS_INIT;
        layer.size = CODE_SIZE;
        layer.activation = LSTMAE_ACTIVATION_TANH;
        assert_ok(lstmae_seq2seq_set_code(run->seq2seq, &layer));
    }
    add_decoder(run, plan, LSTMAE_DECODE_REVERSED, plan->inputs[0]);
    add_decoder(run, plan, LSTMAE_DECODE_FUTURE, plan->inputs[1]);
    run->module = lstmae_seq2seq_module(run->seq2seq);
    assert_ok(lstmae_tensor_create(&run->future, run->context, LSTMAE_F32, 3, future));
    assert_ok(lstmae_tensor_create(&run->code, run->context, LSTMAE_F32, 2, code));
    assert_ok(lstmae_tensor_create(&run->frames, run->context, LSTMAE_F32, 3, frames));
}

static void open_chain(kind_run *run, const kind_plan *plan, const lstmae_lstm_options *options)
{
    lstmae_module *lstm = NULL, *linear = NULL;
    assert_ok(lstmae_sequential_create(&run->module, run->context));
    assert_ok(lstmae_lstm_create(&lstm, run->context, plan->F, plan->H, options));
    assert_ok(lstmae_sequential_append(run->module, lstm));
    assert_ok(lstmae_linear_create(&linear, run->context, plan->H, plan->F, 0));
    assert_ok(lstmae_sequential_append(run->module, linear));
}

static void open_images(kind_run *run, const kind_plan *plan)
{
    lstmae_conv_options down = LSTMAE_CONV_OPTIONS_INIT, same = LSTMAE_CONV_OPTIONS_INIT;
    lstmae_module *layers[5] = { NULL };
    const int64_t x[] = { run->B, run->F, 14, 13 };
    down.stride[0] = down.stride[1] = 2;
    down.padding[0] = down.padding[1] = same.padding[0] = same.padding[1] = 1;
    assert_ok(lstmae_conv2d_create(&layers[0], run->context, plan->F, plan->H, &down));
    assert_ok(lstmae_activation_create(&layers[1], run->context, LSTMAE_ACTIVATION_GELU));
    assert_ok(lstmae_conv2d_create(&layers[2], run->context, plan->H, 33, &same));
    assert_ok(lstmae_activation_create(&layers[3], run->context, LSTMAE_ACTIVATION_RELU));
    down.output_padding[0] = 1;
    assert_ok(lstmae_conv_transpose2d_create(&layers[4], run->context, 33, plan->F, &down));
    assert_ok(lstmae_sequential_create(&run->module, run->context));
    for (int i = 0; i < 5; i++) assert_ok(lstmae_sequential_append(run->module, layers[i]));
    assert_ok(lstmae_tensor_create(&run->x, run->context, LSTMAE_F32, 4, x));
}

static void open_normed(kind_run *run, const kind_plan *plan)
{
    const int64_t x[] = { run->B, run->F, 14, 13 }, plane[] = { 14, 13 };
    lstmae_conv_options conv = LSTMAE_CONV_OPTIONS_INIT;
    lstmae_pool_options overlap = LSTMAE_POOL_OPTIONS_INIT;
    lstmae_upsample_options up = LSTMAE_UPSAMPLE_OPTIONS_INIT;
    lstmae_module *layers[11] = { NULL };
    conv.padding[0] = conv.padding[1] = 1;
    overlap = (lstmae_pool_options){ sizeof(overlap), 0, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 } };
    up = (lstmae_upsample_options){ sizeof(up), LSTMAE_INTERPOLATE_LINEAR, { 1, 1 }, { 14, 13 } };
    assert_ok(lstmae_conv2d_create(&layers[0], run->context, plan->F, plan->H, &conv));
    assert_ok(lstmae_batch_norm_create(&layers[1], run->context, plan->H, NULL));
    assert_ok(lstmae_activation_create(&layers[2], run->context, LSTMAE_ACTIVATION_RELU));
    assert_ok(lstmae_max_pool2d_create(&layers[3], run->context, NULL));
    assert_ok(lstmae_dropout_create(&layers[4], run->context, plan->dropout));
    assert_ok(lstmae_conv2d_create(&layers[5], run->context, plan->H, 33, &conv));
    assert_ok(lstmae_avg_pool2d_create(&layers[6], run->context, &overlap));
    assert_ok(lstmae_activation_create(&layers[7], run->context, LSTMAE_ACTIVATION_SILU));
    assert_ok(lstmae_upsample2d_create(&layers[8], run->context, &up));
    assert_ok(lstmae_conv2d_create(&layers[9], run->context, 33, plan->F, &conv));
    assert_ok(lstmae_layer_norm_create(&layers[10], run->context, 2, plane, NULL));
    assert_ok(lstmae_sequential_create(&run->module, run->context));
    for (int i = 0; i < 11; i++) assert_ok(lstmae_sequential_append(run->module, layers[i]));
    assert_ok(lstmae_tensor_create(&run->x, run->context, LSTMAE_F32, 4, x));
}

/** With a latent between and noise before. */
static void open_dense(kind_run *run, const kind_plan *plan)
{
    lstmae_module *encoder = NULL, *decoder = NULL;
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    lstmae_noise_options noise = LSTMAE_NOISE_OPTIONS_INIT;
    lstmae_latent_options latent = LSTMAE_LATENT_OPTIONS_INIT;
    const int64_t x[] = { run->B, run->F };
    noise.kind = LSTMAE_NOISE_SALT_PEPPER;
    latent.size = CODE_SIZE;
    latent.features = plan->H;
    options.noise = &noise;
    options.latent = &latent;
    options.output = LSTMAE_ACTIVATION_SIGMOID;
    assert_ok(lstmae_linear_create(&encoder, run->context, plan->F, plan->H, 0));
    assert_ok(lstmae_linear_create(&decoder, run->context, CODE_SIZE, plan->F, 0));
    assert_ok(lstmae_autoencoder_create(&run->autoencoder, encoder, decoder, &options));
    run->module = lstmae_autoencoder_module(run->autoencoder);
    assert_ok(lstmae_tensor_create(&run->x, run->context, LSTMAE_F32, 2, x));
}

static void open_optimizer(kind_run *run, int kind)
{
    const lstmae_optimizer_options sgd = LSTMAE_SGD_OPTIONS_INIT, adam = LSTMAE_ADAM_OPTIONS_INIT;
    const lstmae_optimizer_options rmsprop = LSTMAE_RMSPROP_TF1_OPTIONS_INIT;
    lstmae_optimizer_options options = kind == LSTMAE_SGD ? sgd : kind == LSTMAE_RMSPROP_TF1 ? rmsprop : adam;
    options.kind = kind;
    options.lr = 1e-2;
    options.clip_norm = 1.0;
    if (kind == LSTMAE_SGD) options.momentum = 0.9;
    assert_ok(lstmae_optimizer_create(&run->optimizer, run->module, &options));
}

void kind_open(kind_run *run, int kind, const char *device, int threads, uint64_t seed)
{
    const kind_plan *plan = &plans[kind];
    lstmae_context_options context = LSTMAE_CONTEXT_OPTIONS_INIT;
    lstmae_lstm_options lstm = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_loss_options loss = LSTMAE_LOSS_OPTIONS_INIT;
    *run = (kind_run){ .kind = kind, .T = plan->T, .B = plan->B, .F = plan->F, .K = 3 };
    const int64_t x[] = { run->T, run->B, run->F };
    context.threads = threads;
    context.seed = seed;
    if (strncmp(device, "cpu", 3) != 0) context.precision = test_device_precision();
    assert_ok(lstmae_context_create(&run->context, device, &context));
    lstm.layers = plan->layers;
    lstm.flags = plan->flags & ~(LATENT | CODE | SHARED);
    lstm.dropout = plan->dropout;
    loss.kind = plan->loss;
    if (plan->decoders > 0)
        open_seq2seq(run, plan, &lstm);
    else if (plan->decoders == IMAGES)
        open_images(run, plan);
    else if (plan->decoders == NORMED)
        open_normed(run, plan);
    else if (plan->decoders == DENSE)
        open_dense(run, plan);
    else
        open_chain(run, plan, &lstm);
    assert_ok(lstmae_loss_create(&run->loss, run->context, &loss));
    open_optimizer(run, plan->optimizer);
    if (!run->x) assert_ok(lstmae_tensor_create(&run->x, run->context, LSTMAE_F32, 3, x));
    if (plan->lengths) {
        const int64_t lengths[] = { 6, 2, 5, 1, 3 };
        assert_ok(lstmae_seq2seq_set_lengths(run->seq2seq, lengths, run->B));
    }
}

void kind_close(kind_run *run)
{
    lstmae_tensor *tensors[] = { run->x, run->future, run->code, run->frames };
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++) lstmae_tensor_destroy(tensors[i]);
    lstmae_optimizer_destroy(run->optimizer);
    lstmae_loss_destroy(run->loss);
    if (run->seq2seq)
        lstmae_seq2seq_destroy(run->seq2seq);
    else if (run->autoencoder)
        lstmae_autoencoder_destroy(run->autoencoder);
    else
        lstmae_module_destroy(run->module);
    lstmae_context_destroy(run->context);
}

/** In [0,1), where cross-entropy wants its targets. */
static void draw_into(lstmae_tensor *tensor, uint64_t seed)
{
    size_t count = (size_t)lstmae_tensor_numel(tensor);
    float *values = malloc(count * sizeof(float));
    assert_non_null(values);
    test_fill(values, count, seed, 0.5f);
    for (size_t i = 0; i < count; i++) values[i] += 0.5f;
    assert_ok(lstmae_tensor_write(tensor, values, count * sizeof(float)));
    free(values);
}

static void chain_step(kind_run *run)
{
    const lstmae_tensor *y = NULL, *grad = NULL;
    assert_ok(lstmae_module_forward(run->module, run->x, &y));
    assert_ok(lstmae_loss_compute(run->loss, y, run->x, NULL, &run->last_loss, &grad));
    assert_ok(lstmae_module_backward(run->module, grad, NULL));
}

static void autoencoder_step(kind_run *run, int64_t index)
{
    lstmae_batch batch = LSTMAE_BATCH_INIT;
    batch.x = run->x;
    batch.index = index;
    assert_ok(lstmae_autoencoder_step(run->autoencoder, run->loss, &batch, 1.0, &run->last_loss));
}

void kind_step(kind_run *run, int step)
{
    draw_into(run->x, 2 * (uint64_t)step);
    assert_ok(lstmae_module_set_training(run->module, 1));
    assert_ok(lstmae_module_zero_grad(run->module));
    if (run->seq2seq) {
        draw_into(run->future, 2 * (uint64_t)step + 1);
        assert_ok(lstmae_seq2seq_step(run->seq2seq, run->loss, run->x, run->future, 1.0, &run->last_loss));
    } else if (run->autoencoder) {
        autoencoder_step(run, 0);
    } else {
        chain_step(run);
    }
    assert_ok(lstmae_optimizer_step(run->optimizer));
}

static void infer_autoencoder(kind_run *run)
{
    const lstmae_tensor *y = NULL, *variance = NULL;
    const double loss = run->last_loss;
    assert_ok(lstmae_autoencoder_reconstruct(run->autoencoder, run->x, &y));
    assert_ok(lstmae_autoencoder_posterior(run->autoencoder, run->x, &y, &variance));
    assert_ok(lstmae_autoencoder_sample(run->autoencoder, 5, run->B, &y));
    autoencoder_step(run, 3);
    run->last_loss = loss;
}

void kind_infer(kind_run *run)
{
    assert_ok(lstmae_module_set_training(run->module, 0));
    if (run->autoencoder) {
        infer_autoencoder(run);
        return;
    }
    if (!run->seq2seq) {
        assert_ok(lstmae_module_forward(run->module, run->x, NULL));
        return;
    }
    assert_ok(lstmae_seq2seq_encode(run->seq2seq, run->x, run->code));
    assert_ok(lstmae_seq2seq_reconstruct(run->seq2seq, run->x, run->frames));
    assert_ok(lstmae_seq2seq_generate(run->seq2seq, run->x, run->frames));
    if (plans[run->kind].flags & LATENT) assert_ok(lstmae_seq2seq_sample(run->seq2seq, 2, run->frames));
}

/** An I64 without axes counts as two floats of the same bits. */
static size_t floats_of(const lstmae_tensor *tensor)
{
    return (size_t)lstmae_tensor_numel(tensor) * (lstmae_tensor_dtype(tensor) == LSTMAE_I64 ? 2 : 1);
}

float *kind_weights(const kind_run *run, size_t *count)
{
    const size_t params = lstmae_module_param_count(run->module), buffers = lstmae_module_buffer_count(run->module);
    size_t at = 0;
    *count = (size_t)lstmae_module_param_elements(run->module);
    for (size_t i = 0; i < buffers; i++) *count += floats_of(lstmae_module_buffer(run->module, i));
    float *weights = malloc(*count * sizeof(float));
    assert_non_null(weights);
    for (size_t i = 0; i < params + buffers; i++) {
        const lstmae_tensor *tensor =
            i < params ? lstmae_module_param(run->module, i) : lstmae_module_buffer(run->module, i - params);
        assert_ok(lstmae_tensor_read(tensor, weights + at, floats_of(tensor) * sizeof(float)));
        at += floats_of(tensor);
    }
    return weights;
}

void kind_assert_same(const kind_run *a, const kind_run *b, const char *what)
{
    size_t count = 0, other = 0, different = 0;
    float *left = kind_weights(a, &count), *right = kind_weights(b, &other);
    assert_int_equal(count, other);
    for (size_t i = 0; i < count; i++) different += memcmp(&left[i], &right[i], sizeof(float)) != 0;
    free(left);
    free(right);
    if (different > 0) fail_msg("%s: %s: %zu of %zu weights differ", kind_name(a->kind), what, different, count);
    if (memcmp(&a->last_loss, &b->last_loss, sizeof(double)) != 0)
        fail_msg("%s: %s: the loss is %.17g and %.17g", kind_name(a->kind), what, a->last_loss, b->last_loss);
}

void kind_train(kind_run *run, int kind, const char *device, int threads, uint64_t seed)
{
    kind_open(run, kind, device, threads, seed);
    for (int step = 0; step < KIND_STEPS; step++) kind_step(run, step);
}

static void checkpoint(kind_run *run, const char *path, int load)
{
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    content.module = run->module;
    content.optimizer = run->optimizer;
    assert_ok(load ? lstmae_checkpoint_load(path, &content) : lstmae_checkpoint_save(path, &content));
}

void kind_assert_resumes(int kind, const char *device, int threads, const char *path)
{
    kind_run straight, before, after;
    kind_train(&straight, kind, device, 1, 7);
    kind_open(&before, kind, device, 1, 7);
    for (int step = 0; step < KIND_STEPS / 2; step++) kind_step(&before, step);
    checkpoint(&before, path, 0);
    kind_close(&before);
    kind_open(&after, kind, device, threads, 99);
    checkpoint(&after, path, 1);
    for (int step = KIND_STEPS / 2; step < KIND_STEPS; step++) kind_step(&after, step);
    kind_assert_same(&straight, &after, "resumed");
    kind_close(&straight);
    kind_close(&after);
}
