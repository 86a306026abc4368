/*
 * Out of memory at every point: a life of each kind of model is run once to count its N allocations, then 2 N times
 * more, failing allocation k alone and from k on. Each run must end with OK or an out-of-memory status, leave nothing
 * allocated, and, where only one allocation failed, reach the same weights to the bit when the failed call is repeated.
 */
#include "faults.h"

#include "context_internal.h"

#include <stdio.h>
#include <string.h>

enum { STEPS = 3, FEATURES = 3, BATCH = 2, FRAMES = 4, MOST_WEIGHTS = 4096 };

typedef struct life {
    test_heap heap;
    lstmae_context *context;
    lstmae_seq2seq *model;
    lstmae_module *chain; /* the other kind of model */
    lstmae_autoencoder *object; /* and the third */
    lstmae_loss *loss;
    lstmae_optimizer *optimizer;
    lstmae_tensor *x, *future, *code, *out;
    float weights[MOST_WEIGHTS];
    size_t weight_count;
    int failures; /* calls that ran out of memory */
    long built;   /* allocations until the model was there: a repeated create draws other numbers */
} life;

/*
 * Runs a call; where it runs out of memory and the fault was a single one, runs it again, with the random numbers it
 * had, as lstmae_fit() does.
 */
#define LIVE(call)                                                                               \
    do {                                                                                         \
        uint64_t draws = lae_context_draws(l->context);                                          \
        lstmae_status got = (call);                                                              \
        if (got == LSTMAE_ERR_NO_MEMORY || got == LSTMAE_ERR_DEVICE_MEMORY) {                    \
            l->failures++;                                                                       \
            if (l->heap.fault.keep) return got;                                                  \
            lae_context_set_draws(l->context, draws);                                            \
            got = (call);                                                                        \
        }                                                                                        \
        if (got != LSTMAE_OK) {                                                                  \
            print_error("%s: %s \"%s\"\n", #call, lstmae_status_name(got), lstmae_last_error()); \
            return got;                                                                          \
        }                                                                                        \
    } while (0)

static lstmae_status add_tensor(life *l, lstmae_tensor **out, int64_t a, int64_t b, int64_t c, int ndim)
{
    int64_t dims[3] = { a, b, c };
    float values[64];
    test_fill(values, 64, (uint64_t)(a + b), 1.0f);
    LIVE(lstmae_tensor_create(out, l->context, LSTMAE_F32, ndim, dims));
    return lstmae_tensor_write(*out, values, (size_t)lstmae_tensor_numel(*out) * sizeof(float));
}

static lstmae_status keep_weights(life *l, lstmae_module *module)
{
    l->weight_count = 0;
    for (size_t i = 0; i < lstmae_module_param_count(module); i++) {
        lstmae_tensor *param = lstmae_module_param(module, i);
        size_t n = (size_t)lstmae_tensor_numel(param);
        if (l->weight_count + n > MOST_WEIGHTS) return LSTMAE_ERR_INTERNAL;
        lstmae_status status = lstmae_tensor_read(param, l->weights + l->weight_count, n * sizeof(float));
        if (status != LSTMAE_OK) return status;
        l->weight_count += n;
    }
    return LSTMAE_OK;
}

static lstmae_status build_sequences(life *l)
{
    lstmae_lstm_options encoder = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_decoder_options decoder = LSTMAE_DECODER_OPTIONS_INIT;
    encoder.layers = 2;
    encoder.flags = LSTMAE_LSTM_PEEPHOLE | LSTMAE_LSTM_BIDIRECTIONAL;
    encoder.forget_bias = 1.0;
    LIVE(lstmae_seq2seq_create(&l->model, l->context, FEATURES, 3, &encoder));
    LIVE(lstmae_seq2seq_add_decoder(l->model, &decoder));
    decoder.target = LSTMAE_DECODE_FUTURE;
    decoder.steps = 2;
    decoder.hidden = 5;
    decoder.layers = 1;
    LIVE(lstmae_seq2seq_add_decoder(l->model, &decoder));
    return LSTMAE_OK;
}

static lstmae_status sequence_step(life *l)
{
    lstmae_status status = lstmae_module_zero_grad(lstmae_seq2seq_module(l->model));
    if (status == LSTMAE_OK) status = lstmae_seq2seq_step(l->model, l->loss, l->x, l->future, 1.0, NULL);
    return status;
}

static lstmae_status live_sequences(life *l, const char *path)
{
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    LIVE(build_sequences(l));
    l->built = l->heap.fault.uses;
    LIVE(lstmae_loss_create(&l->loss, l->context, NULL));
    LIVE(lstmae_optimizer_create(&l->optimizer, lstmae_seq2seq_module(l->model), NULL));
    LIVE(add_tensor(l, &l->x, FRAMES, BATCH, FEATURES, 3));
    LIVE(add_tensor(l, &l->future, 2, BATCH, FEATURES, 3));
    LIVE(add_tensor(l, &l->code, BATCH, 6, 0, 2));
    LIVE(add_tensor(l, &l->out, 5, BATCH, FEATURES, 3));
    for (int i = 0; i < STEPS; i++) {
        LIVE(sequence_step(l));
        LIVE(lstmae_optimizer_step(l->optimizer));
    }
    content.module = lstmae_seq2seq_module(l->model);
    content.optimizer = l->optimizer;
    LIVE(lstmae_checkpoint_save(path, &content));
    LIVE(lstmae_checkpoint_load(path, &content));
    LIVE(lstmae_seq2seq_encode(l->model, l->x, l->code));
    LIVE(lstmae_seq2seq_generate(l->model, l->x, l->out));
    return keep_weights(l, lstmae_seq2seq_module(l->model));
}

static lstmae_status append(life *l, lstmae_status created, lstmae_module **child)
{
    if (created != LSTMAE_OK) return created;
    lstmae_status status = lstmae_sequential_append(l->chain, *child);
    if (status != LSTMAE_OK) lstmae_module_destroy(*child); /* still ours */
    *child = NULL;
    return status;
}

static lstmae_status chain_step(life *l)
{
    const lstmae_tensor *y = NULL, *grad = NULL, *dx = NULL;
    lstmae_status status = lstmae_module_zero_grad(l->chain);
    if (status == LSTMAE_OK) status = lstmae_module_forward(l->chain, l->x, &y);
    if (status == LSTMAE_OK) status = lstmae_loss_compute(l->loss, y, l->x, NULL, NULL, &grad);
    if (status == LSTMAE_OK) status = lstmae_module_backward(l->chain, grad, &dx);
    return status;
}

/* A linear layer, an activation and an LSTM in a row, trained to repeat its input. */
static lstmae_status live_chain(life *l, const char *path)
{
    lstmae_module *child = NULL;
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    options.layers = 2;
    options.dropout = 0.5;
    LIVE(lstmae_sequential_create(&l->chain, l->context));
    LIVE(append(l, lstmae_linear_create(&child, l->context, FEATURES, 4, 0), &child));
    LIVE(append(l, lstmae_activation_create(&child, l->context, LSTMAE_ACTIVATION_TANH), &child));
    LIVE(append(l, lstmae_lstm_create(&child, l->context, 4, FEATURES, &options), &child));
    l->built = l->heap.fault.uses;
    LIVE(lstmae_loss_create(&l->loss, l->context, NULL));
    LIVE(lstmae_optimizer_create(&l->optimizer, l->chain, NULL));
    LIVE(add_tensor(l, &l->x, FRAMES, BATCH, FEATURES, 3));
    for (int i = 0; i < STEPS; i++) {
        LIVE(chain_step(l));
        LIVE(lstmae_optimizer_step(l->optimizer));
    }
    content.module = l->chain;
    content.optimizer = l->optimizer;
    LIVE(lstmae_checkpoint_save(path, &content));
    LIVE(lstmae_checkpoint_load(path, &content));
    return keep_weights(l, l->chain);
}

static lstmae_status image_step(life *l)
{
    const lstmae_tensor *y = NULL, *dx = NULL;
    lstmae_status status = lstmae_module_zero_grad(l->chain);
    if (status == LSTMAE_OK) status = lstmae_module_forward(l->chain, l->x, &y);
    if (status == LSTMAE_OK) status = lstmae_module_backward(l->chain, y, &dx);
    return status;
}

/* A convolution whose activation needs what came before it, and a transposed one, trained towards zero. */
static lstmae_status live_images(life *l, const char *path)
{
    const int64_t dims[4] = { BATCH, 1, 5, 3 }, planes[2] = { 1, 4 };
    float values[30];
    lstmae_module *child = NULL;
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    lstmae_conv_options options = LSTMAE_CONV_OPTIONS_INIT;
    options.stride[0] = options.stride[1] = 2;
    LIVE(lstmae_sequential_create(&l->chain, l->context));
    LIVE(append(l, lstmae_conv2d_create(&child, l->context, 1, 4, &options), &child));
    LIVE(append(l, lstmae_activation_create(&child, l->context, LSTMAE_ACTIVATION_GELU), &child));
    LIVE(append(l, lstmae_conv_transpose2d_create(&child, l->context, 4, 2, &options), &child));
    LIVE(append(l, lstmae_batch_norm_create(&child, l->context, 2, NULL), &child));
    LIVE(append(l, lstmae_activation_create(&child, l->context, LSTMAE_ACTIVATION_RELU), &child));
    LIVE(append(l, lstmae_dropout_create(&child, l->context, 0.1), &child));
    LIVE(append(l, lstmae_max_pool2d_create(&child, l->context, NULL), &child));
    LIVE(append(l, lstmae_upsample2d_create(&child, l->context, NULL), &child));
    LIVE(append(l, lstmae_avg_pool2d_create(&child, l->context, NULL), &child));
    LIVE(append(l, lstmae_flatten_create(&child, l->context, 1, -1), &child));
    LIVE(append(l, lstmae_unflatten_create(&child, l->context, 1, 2, planes), &child));
    LIVE(append(l, lstmae_layer_norm_create(&child, l->context, 1, planes + 1, NULL), &child));
    l->built = l->heap.fault.uses;
    LIVE(lstmae_optimizer_create(&l->optimizer, l->chain, NULL));
    LIVE(lstmae_tensor_create(&l->x, l->context, LSTMAE_F32, 4, dims));
    test_fill(values, 30, 1, 1.0f);
    LIVE(lstmae_tensor_write(l->x, values, sizeof values));
    for (int i = 0; i < STEPS; i++) {
        LIVE(image_step(l));
        LIVE(lstmae_optimizer_step(l->optimizer));
    }
    content.module = l->chain;
    content.optimizer = l->optimizer;
    LIVE(lstmae_checkpoint_save(path, &content));
    LIVE(lstmae_checkpoint_load(path, &content));
    return keep_weights(l, l->chain);
}

/** Two linear layers each way, the decoders behind the encoders. */
static lstmae_status build_object(life *l)
{
    static const int64_t widths[4][2] = { { FEATURES, 4 }, { 4, 3 }, { 4, FEATURES }, { 2, 4 } };
    lstmae_module *parts[4] = { NULL, NULL, NULL, NULL };
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    lstmae_noise_options noise = LSTMAE_NOISE_OPTIONS_INIT;
    lstmae_latent_options latent = LSTMAE_LATENT_OPTIONS_INIT;
    lstmae_status status = LSTMAE_OK;
    noise.kind = LSTMAE_NOISE_SALT_PEPPER;
    latent.size = 2;
    latent.features = 3;
    options.noise = &noise;
    options.latent = &latent;
    options.output = LSTMAE_ACTIVATION_SIGMOID;
    for (int i = 0; i < 4 && status == LSTMAE_OK; i++)
        status = lstmae_linear_create(&parts[i], l->context, widths[i][0], widths[i][1], 0);
    if (status == LSTMAE_OK) status = lstmae_autoencoder_create_stacked(&l->object, parts, parts + 2, 2, &options);
    for (int i = 0; i < 4 && status != LSTMAE_OK; i++) lstmae_module_destroy(parts[i]); /* still ours */
    return status;
}

static lstmae_status object_step(life *l, int layer)
{
    lstmae_batch batch = LSTMAE_BATCH_INIT;
    lstmae_autoencoder *trained = layer ? lstmae_autoencoder_layer(l->object, 0) : l->object;
    batch.x = l->x;
    lstmae_status status = lstmae_module_zero_grad(lstmae_autoencoder_module(l->object));
    if (status == LSTMAE_OK) status = lstmae_autoencoder_step(trained, l->loss, &batch, 1.0, NULL);
    return status;
}

static lstmae_status live_object(life *l, const char *path)
{
    const lstmae_tensor *y = NULL, *variance = NULL;
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    LIVE(build_object(l));
    content.module = lstmae_autoencoder_module(l->object);
    l->built = l->heap.fault.uses;
    LIVE(lstmae_loss_create(&l->loss, l->context, NULL));
    LIVE(lstmae_optimizer_create(&l->optimizer, content.module, NULL));
    LIVE(add_tensor(l, &l->x, FRAMES, FEATURES, 0, 2));
    for (int i = 0; i < STEPS; i++) {
        LIVE(object_step(l, i == 0));
        LIVE(lstmae_optimizer_step(l->optimizer));
    }
    content.optimizer = l->optimizer;
    LIVE(lstmae_checkpoint_save(path, &content));
    LIVE(lstmae_checkpoint_load(path, &content));
    LIVE(lstmae_autoencoder_reconstruct(l->object, l->x, &y));
    LIVE(lstmae_autoencoder_posterior(l->object, l->x, &y, &variance));
    LIVE(lstmae_autoencoder_sample(l->object, 0, 9, &y));
    return keep_weights(l, content.module);
}

/** The smallest sequence model with a latent. */
static lstmae_status live_latent(life *l, const char *path)
{
    lstmae_latent_options latent = LSTMAE_LATENT_OPTIONS_INIT;
    (void)path;
    latent.size = 2;
    LIVE(lstmae_seq2seq_create(&l->model, l->context, FEATURES, 3, NULL));
    LIVE(lstmae_seq2seq_set_latent(l->model, &latent));
    LIVE(lstmae_seq2seq_add_decoder(l->model, NULL));
    l->built = l->heap.fault.uses;
    LIVE(lstmae_loss_create(&l->loss, l->context, NULL));
    LIVE(lstmae_optimizer_create(&l->optimizer, lstmae_seq2seq_module(l->model), NULL));
    LIVE(add_tensor(l, &l->x, FRAMES, BATCH, FEATURES, 3));
    LIVE(add_tensor(l, &l->code, BATCH, 2, 0, 2));
    LIVE(add_tensor(l, &l->out, FRAMES, 3, FEATURES, 3));
    for (int i = 0; i < STEPS; i++) {
        LIVE(sequence_step(l));
        LIVE(lstmae_optimizer_step(l->optimizer));
    }
    LIVE(lstmae_seq2seq_encode(l->model, l->x, l->code));
    LIVE(lstmae_seq2seq_sample(l->model, 0, l->out));
    return keep_weights(l, lstmae_seq2seq_module(l->model));
}

/** The smallest with a code and the encoder's cells. */
static lstmae_status live_code(life *l, const char *path)
{
    lstmae_code_options code = LSTMAE_CODE_OPTIONS_INIT;
    lstmae_decoder_options decoder = LSTMAE_DECODER_OPTIONS_INIT;
    (void)path;
    code.size = 2;
    code.activation = LSTMAE_ACTIVATION_TANH;
    decoder.flags = LSTMAE_DECODER_SHARED;
    LIVE(lstmae_seq2seq_create(&l->model, l->context, FEATURES, 3, NULL));
    LIVE(lstmae_seq2seq_set_code(l->model, &code));
    LIVE(lstmae_seq2seq_add_decoder(l->model, &decoder));
    l->built = l->heap.fault.uses;
    LIVE(lstmae_loss_create(&l->loss, l->context, NULL));
    LIVE(lstmae_optimizer_create(&l->optimizer, lstmae_seq2seq_module(l->model), NULL));
    LIVE(add_tensor(l, &l->x, FRAMES, BATCH, FEATURES, 3));
    LIVE(add_tensor(l, &l->code, BATCH, 2, 0, 2));
    LIVE(add_tensor(l, &l->out, FRAMES, BATCH, FEATURES, 3));
    for (int i = 0; i < STEPS; i++) {
        LIVE(sequence_step(l));
        LIVE(lstmae_optimizer_step(l->optimizer));
    }
    LIVE(lstmae_seq2seq_encode(l->model, l->x, l->code));
    LIVE(lstmae_seq2seq_reconstruct(l->model, l->x, l->out));
    return keep_weights(l, lstmae_seq2seq_module(l->model));
}

typedef lstmae_status (*life_fn)(life *l, const char *path);

static lstmae_status run_life(life *l, life_fn live, const char *path, long at, int keep)
{
    memset(l, 0, sizeof *l);
    l->heap.fault.at = at;
    l->heap.fault.keep = keep;
    lstmae_status status = test_heap_context(&l->context, &l->heap);
    if (status == LSTMAE_OK)
        status = live(l, path);
    else
        l->failures++;
    lstmae_context_destroy(l->context);
    lstmae_optimizer_destroy(l->optimizer);
    lstmae_loss_destroy(l->loss);
    lstmae_seq2seq_destroy(l->model);
    lstmae_module_destroy(l->chain);
    lstmae_autoencoder_destroy(l->object);
    lstmae_tensor *tensors[] = { l->x, l->future, l->code, l->out };
    for (int i = 0; i < 4; i++) lstmae_tensor_destroy(tensors[i]);
    return status;
}

static void torture(life_fn live, const char *path)
{
    static life calm, run;
    long repeated = 0;
    assert_int_equal(run_life(&calm, live, path, 0, 0), LSTMAE_OK);
    assert_int_equal(calm.heap.live, 0);
    long n = calm.heap.fault.uses;
    assert_true(n > 50 && calm.weight_count > 0);
    for (long k = 1; k <= n; k++) {
        for (int keep = 0; keep < 2; keep++) {
            lstmae_status status = run_life(&run, live, path, k, keep);
            int memory = status == LSTMAE_ERR_NO_MEMORY || status == LSTMAE_ERR_DEVICE_MEMORY;
            if (status != LSTMAE_OK && !memory) fail_msg("allocation %ld of %ld: %s", k, n, lstmae_status_name(status));
            if (run.heap.live != 0) fail_msg("allocation %ld of %ld: %ld blocks left", k, n, run.heap.live);
            if (keep || status != LSTMAE_OK || run.failures == 0) continue;
            int same = memcmp(run.weights, calm.weights, calm.weight_count * sizeof(float)) == 0;
            if (k > calm.built && !same) fail_msg("allocation %ld of %ld: the repeated call differs", k, n);
            repeated += same;
        }
    }
    print_message("%ld allocations, %ld failed calls repeated to the same bits\n", n, repeated);
    assert_true(repeated * 2 > n);
}

static void sequences(void **state)
{
    torture(live_sequences, *state);
}

static void chain(void **state)
{
    torture(live_chain, *state);
}

static void images(void **state)
{
    torture(live_images, *state);
}

static void object(void **state)
{
    torture(live_object, *state);
}

static void coded(void **state)
{
    torture(live_code, *state);
}

static void latent(void **state)
{
    torture(live_latent, *state);
}

static int setup(void **state)
{
    static char path[256];
    snprintf(path, sizeof path, "%s", test_path("model.safetensors"));
    *state = path;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(sequences), cmocka_unit_test(chain),
                                        cmocka_unit_test(images), cmocka_unit_test(object),
                                        cmocka_unit_test(latent), cmocka_unit_test(coded) };
    return cmocka_run_group_tests(tests, setup, NULL);
}
