/* Autoencoders: the whole objective with noise and the KL, for every parameter, with the same draws every time. */
#include "check.h"

#include "context_internal.h"

typedef struct object_config {
    const char *name;
    int noise; /* lstmae_noise_kind; -1: none */
    int64_t latent;
    double beta;
    int loss, reduction;
    size_t layers; /* stacked; 0: not */
} object_config;

/* clang-format off */
static const object_config configs[] = {
    { "autoencoder", -1, 0, 0, LSTMAE_LOSS_MSE, LSTMAE_REDUCTION_MEAN, 0 },
    { "denoising gaussian", LSTMAE_NOISE_GAUSSIAN, 0, 0, LSTMAE_LOSS_MSE, LSTMAE_REDUCTION_BATCH_MEAN, 0 },
    { "denoising masking", LSTMAE_NOISE_MASKING, 0, 0, LSTMAE_LOSS_MSE, LSTMAE_REDUCTION_SUM, 0 },
    { "denoising salt and pepper", LSTMAE_NOISE_SALT_PEPPER, 0, 0, LSTMAE_LOSS_BCE_LOGITS, LSTMAE_REDUCTION_SUM, 0 },
    { "variational", -1, 3, 1.0, LSTMAE_LOSS_MSE, LSTMAE_REDUCTION_BATCH_MEAN, 0 },
    { "variational one latent", -1, 1, 2.5, LSTMAE_LOSS_BCE_LOGITS, LSTMAE_REDUCTION_BATCH_MEAN, 0 },
    { "variational without KL", -1, 3, 0.0, LSTMAE_LOSS_MSE, LSTMAE_REDUCTION_SUM, 0 },
    { "variational denoising", LSTMAE_NOISE_MASKING, 2, 0.3, LSTMAE_LOSS_HUBER, LSTMAE_REDUCTION_MEAN, 0 },
    { "stacked", -1, 0, 0, LSTMAE_LOSS_MSE, LSTMAE_REDUCTION_SUM, 2 },
    { "stacked variational", LSTMAE_NOISE_GAUSSIAN, 2, 0.5, LSTMAE_LOSS_MSE, LSTMAE_REDUCTION_SUM, 2 },
};
/* clang-format on */

enum { ITEMS = 4, VALUES = 5, CODE = 3 };

typedef struct object_run {
    lstmae_autoencoder *object;
    lstmae_loss *loss;
    lstmae_batch batch;
} object_run;

static double object_value(void *payload)
{
    object_run *run = payload;
    double value = 0;
    lae_context_set_draws(lstmae_tensor_context(run->batch.x), 0);
    assert_ok(lstmae_autoencoder_step(run->object, run->loss, &run->batch, 1.0, &value));
    return value;
}

/** A linear layer and a tanh. */
static lstmae_module *dense(lstmae_context *context, int64_t in, int64_t out)
{
    lstmae_module *chain = NULL, *part = NULL;
    assert_ok(lstmae_sequential_create(&chain, context));
    assert_ok(lstmae_linear_create(&part, context, in, out, 0));
    assert_ok(lstmae_sequential_append(chain, part));
    assert_ok(lstmae_activation_create(&part, context, LSTMAE_ACTIVATION_TANH));
    assert_ok(lstmae_sequential_append(chain, part));
    return chain;
}

static void object_create(const object_config *config, lstmae_context *context, object_run *run)
{
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    lstmae_noise_options noise = LSTMAE_NOISE_OPTIONS_INIT;
    lstmae_latent_options latent = LSTMAE_LATENT_OPTIONS_INIT;
    lstmae_loss_options loss = LSTMAE_LOSS_OPTIONS_INIT;
    const int64_t top = config->latent > 0 ? config->latent : CODE;
    noise.kind = config->noise;
    noise.amount = 0.4;
    latent.size = config->latent;
    latent.features = CODE;
    latent.beta = config->beta;
    loss.kind = config->loss;
    loss.reduction = config->reduction;
    loss.batch_axis = 0;
    loss.delta = 10.0;
    if (config->noise >= 0) options.noise = &noise;
    if (config->latent > 0) options.latent = &latent;
    assert_ok(lstmae_loss_create(&run->loss, context, &loss));
    if (config->layers == 0) {
        assert_ok(lstmae_autoencoder_create(&run->object, dense(context, VALUES, CODE), dense(context, top, VALUES),
                                            &options));
        return;
    }
    lstmae_module *encoders[] = { dense(context, VALUES, 4), dense(context, 4, CODE) };
    lstmae_module *decoders[] = { dense(context, 4, VALUES), dense(context, top, 4) };
    assert_ok(lstmae_autoencoder_create_stacked(&run->object, encoders, decoders, 2, &options));
}

static void object_check(const object_config *config)
{
    const int64_t dims[] = { ITEMS, VALUES };
    lstmae_context *context = check_context();
    object_run run = { .batch = LSTMAE_BATCH_INIT };
    check c = { .name = config->name, .value = object_value, .payload = &run };
    object_create(config, context, &run);
    check_draw_params(lstmae_autoencoder_module(run.object), 0.8);
    run.batch.x = check_draw(context, 2, dims, 1, 1.0);
    (void)object_value(&run);
    check_add_params(&c, lstmae_autoencoder_module(run.object));
    check_run(&c);
    lstmae_tensor_destroy(run.batch.x);
    lstmae_loss_destroy(run.loss);
    lstmae_autoencoder_destroy(run.object);
    lstmae_context_destroy(context);
}

/* The noise as a layer: its input's gradient goes where the input went. */

typedef struct layer_run {
    lstmae_module *module;
    lstmae_tensor *x, *dy;
} layer_run;

static double layer_value(void *payload)
{
    layer_run *run = payload;
    const lstmae_tensor *y = NULL;
    lae_context_set_draws(lstmae_module_context(run->module), 0);
    assert_ok(lstmae_module_forward(run->module, run->x, &y));
    return check_dot(y, run->dy);
}

static void noise_check(const char *name, int kind)
{
    const int64_t dims[] = { 3, 4, 2 };
    lstmae_context *context = check_context();
    lstmae_noise_options options = LSTMAE_NOISE_OPTIONS_INIT;
    layer_run run = { NULL, NULL, NULL };
    check c = { .name = name, .value = layer_value, .payload = &run };
    const lstmae_tensor *dx = NULL;
    options.kind = kind;
    options.amount = 0.3;
    assert_ok(lstmae_noise_create(&run.module, context, &options));
    run.x = check_draw(context, 3, dims, 1, 1.0);
    run.dy = check_draw(context, 3, dims, 2, 1.0);
    (void)layer_value(&run);
    assert_ok(lstmae_module_backward(run.module, run.dy, &dx));
    check_add(&c, "the input", run.x, dx);
    check_run(&c);
    lstmae_tensor_destroy(run.x);
    lstmae_tensor_destroy(run.dy);
    lstmae_module_destroy(run.module);
    lstmae_context_destroy(context);
}

void test_gradcheck_autoencoder(void **state)
{
    (void)state;
    int before = check_all.failures;
    for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) object_check(&configs[i]);
    noise_check("gaussian noise", LSTMAE_NOISE_GAUSSIAN);
    noise_check("masking noise", LSTMAE_NOISE_MASKING);
    noise_check("salt and pepper", LSTMAE_NOISE_SALT_PEPPER);
    assert_int_equal(check_all.failures, before);
}
