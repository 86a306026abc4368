/* Autoencoders, noise and latents called wrongly. */
#include "misuse.h"

#include <math.h>

/** A fresh layer from 4 to 4 values. */
static lstmae_module *square(lstmae_context *context)
{
    lstmae_module *module = NULL;
    assert_ok(lstmae_linear_create(&module, context, 4, 4, 0));
    return module;
}

void misuse_autoencoder_sizes(void **state)
{
    misuse_objects *o = *state;
    lstmae_module *noise = NULL, *encoder = square(o->context), *decoder = square(o->context);
    lstmae_autoencoder *stack = NULL;
    REFUSES_SIZES(lstmae_noise_options, LSTMAE_NOISE_OPTIONS_INIT, lstmae_noise_create(&noise, o->context, options));
    REFUSES_SIZES(lstmae_autoencoder_options, LSTMAE_AUTOENCODER_OPTIONS_INIT,
                  lstmae_autoencoder_create(&stack, encoder, decoder, options));
    assert_ok(lstmae_autoencoder_create_stacked(&stack, &encoder, &decoder, 1, NULL));
    REFUSES_SIZES(lstmae_pretrain_options, LSTMAE_PRETRAIN_OPTIONS_INIT,
                  lstmae_pretrain(stack, o->loss, o->loader, options));
    lstmae_autoencoder_destroy(stack);
    assert_null(noise);
}

void misuse_noise(void **state)
{
    misuse_objects *o = *state;
    lstmae_module *out = NULL;
    lstmae_noise_options options = LSTMAE_NOISE_OPTIONS_INIT;
    REFUSED(ERR_INVALID_ARG, noise_create, NULL, o->context, NULL);
    REFUSED(ERR_INVALID_ARG, noise_create, &out, NULL, NULL);
    options.kind = 3;
    REFUSED(ERR_INVALID_ARG, noise_create, &out, o->context, &options);
    options.kind = LSTMAE_NOISE_GAUSSIAN;
    options.amount = -1.0;
    REFUSED(ERR_INVALID_ARG, noise_create, &out, o->context, &options);
    options.amount = INFINITY;
    REFUSED(ERR_INVALID_ARG, noise_create, &out, o->context, &options);
    options.kind = LSTMAE_NOISE_MASKING;
    options.amount = 1.01;
    REFUSED(ERR_INVALID_ARG, noise_create, &out, o->context, &options);
    options.amount = 0.5;
    options.low = NAN;
    REFUSED(ERR_INVALID_ARG, noise_create, &out, o->context, &options);
    assert_null(out);
}

/** Options that name what cannot be. */
static void refused_options(lstmae_module *encoder, lstmae_module *decoder)
{
    lstmae_autoencoder *out = NULL;
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    lstmae_noise_options noise = LSTMAE_NOISE_OPTIONS_INIT;
    lstmae_latent_options latent = LSTMAE_LATENT_OPTIONS_INIT;
    options.output = 4;
    REFUSED(ERR_INVALID_ARG, autoencoder_create, &out, encoder, decoder, &options);
    options.output = 0;
    options.noise = &noise;
    noise.kind = -1;
    REFUSED(ERR_INVALID_ARG, autoencoder_create, &out, encoder, decoder, &options);
    options.noise = NULL;
    options.latent = &latent;
    latent.features = 4;
    REFUSED(ERR_INVALID_ARG, autoencoder_create, &out, encoder, decoder, &options);
    latent.size = 2;
    latent.features = 0;
    REFUSED(ERR_INVALID_ARG, autoencoder_create, &out, encoder, decoder, &options);
    latent.features = INT64_MAX;
    REFUSED(ERR_INVALID_ARG, autoencoder_create, &out, encoder, decoder, &options);
    latent.features = 4;
    latent.beta = -0.1;
    REFUSED(ERR_INVALID_ARG, autoencoder_create, &out, encoder, decoder, &options);
    latent.beta = NAN;
    REFUSED(ERR_INVALID_ARG, autoencoder_create, &out, encoder, decoder, &options);
    latent.beta = 1.0;
    latent.warmup = -1;
    REFUSED(ERR_INVALID_ARG, autoencoder_create, &out, encoder, decoder, &options);
    latent.warmup = 0;
    latent.flags = 1;
    REFUSED(ERR_UNSUPPORTED, autoencoder_create, &out, encoder, decoder, &options);
    latent.flags = 0;
    latent.struct_size = 0;
    REFUSED(ERR_INVALID_ARG, autoencoder_create, &out, encoder, decoder, &options);
    assert_null(out);
}

void misuse_autoencoder_create(void **state)
{
    misuse_objects *o = *state;
    lstmae_autoencoder *out = NULL, *first = NULL;
    lstmae_module *encoder = square(o->context), *decoder = square(o->context), *foreign = square(o->other);
    lstmae_module *pair[] = { encoder, encoder }, *none[] = { encoder, NULL }, *others[] = { decoder, foreign };
    REFUSED(ERR_INVALID_ARG, autoencoder_create, NULL, encoder, decoder, NULL);
    REFUSED(ERR_INVALID_ARG, autoencoder_create, &out, NULL, decoder, NULL);
    REFUSED(ERR_INVALID_ARG, autoencoder_create, &out, encoder, NULL, NULL);
    REFUSED(ERR_INVALID_ARG, autoencoder_create, &out, encoder, encoder, NULL);
    REFUSED(ERR_INVALID_ARG, autoencoder_create, &out, encoder, foreign, NULL);
    REFUSED(ERR_INVALID_ARG, autoencoder_create_stacked, NULL, pair, others, 1, NULL);
    REFUSED(ERR_INVALID_ARG, autoencoder_create_stacked, &out, NULL, others, 1, NULL);
    REFUSED(ERR_INVALID_ARG, autoencoder_create_stacked, &out, pair, NULL, 1, NULL);
    REFUSED(ERR_INVALID_ARG, autoencoder_create_stacked, &out, pair, others, 0, NULL);
    REFUSED(ERR_INVALID_ARG, autoencoder_create_stacked, &out, none, others, 2, NULL);
    REFUSED(ERR_INVALID_ARG, autoencoder_create_stacked, &out, pair, others, 2, NULL);
    REFUSED(ERR_STATE, autoencoder_create_stacked, &out, pair, pair, 1, NULL);
    pair[1] = decoder;
    REFUSED(ERR_STATE, autoencoder_create_stacked, &out, pair, pair, 2, NULL);
    refused_options(encoder, decoder);
    /* what was refused so often is still in no container */
    assert_ok(lstmae_autoencoder_create(&first, encoder, decoder, NULL));
    REFUSED(ERR_STATE, autoencoder_create, &out, encoder, decoder, NULL);
    assert_null(out);
    lstmae_autoencoder_destroy(first);
    lstmae_module_destroy(foreign);
}

/** A plain autoencoder, or one with a latent. */
static lstmae_autoencoder *object(lstmae_context *context, int variational)
{
    lstmae_autoencoder *out = NULL;
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    lstmae_latent_options latent = LSTMAE_LATENT_OPTIONS_INIT;
    latent.size = latent.features = 4;
    if (variational) options.latent = &latent;
    assert_ok(lstmae_autoencoder_create(&out, square(context), square(context), &options));
    return out;
}

static void refused_use(misuse_objects *o, lstmae_autoencoder *plain, lstmae_autoencoder *latent)
{
    const lstmae_tensor *y = NULL;
    REFUSED(ERR_INVALID_ARG, autoencoder_encode, NULL, o->flat, &y);
    REFUSED(ERR_INVALID_ARG, autoencoder_encode, plain, NULL, &y);
    REFUSED(ERR_INVALID_ARG, autoencoder_encode, plain, o->flat, NULL);
    REFUSED(ERR_INVALID_ARG, autoencoder_encode, plain, o->foreign, &y);
    REFUSED(ERR_DTYPE, autoencoder_encode, plain, o->integers, &y);
    REFUSED(ERR_SHAPE, autoencoder_encode, latent, o->x, &y);
    REFUSED(ERR_INVALID_ARG, autoencoder_decode, NULL, o->flat, &y);
    REFUSED(ERR_INVALID_ARG, autoencoder_decode, plain, NULL, &y);
    REFUSED(ERR_INVALID_ARG, autoencoder_decode, plain, o->flat, NULL);
    REFUSED(ERR_INVALID_ARG, autoencoder_reconstruct, NULL, o->flat, &y);
    REFUSED(ERR_INVALID_ARG, autoencoder_reconstruct, plain, NULL, &y);
    REFUSED(ERR_INVALID_ARG, autoencoder_reconstruct, plain, o->flat, NULL);
    REFUSED(ERR_INVALID_ARG, autoencoder_posterior, NULL, o->flat, &y, &y);
    REFUSED(ERR_INVALID_ARG, autoencoder_posterior, latent, NULL, &y, &y);
    REFUSED(ERR_STATE, autoencoder_posterior, plain, o->flat, &y, &y);
    REFUSED(ERR_INVALID_ARG, autoencoder_sample, NULL, 0, 1, &y);
    REFUSED(ERR_INVALID_ARG, autoencoder_sample, latent, 0, 1, NULL);
    REFUSED(ERR_STATE, autoencoder_sample, plain, 0, 1, &y);
    REFUSED(ERR_INVALID_ARG, autoencoder_sample, latent, -1, 1, &y);
    REFUSED(ERR_INVALID_ARG, autoencoder_sample, latent, 0, 0, &y);
    REFUSED(ERR_INVALID_ARG, autoencoder_sample, latent, INT64_MAX, 1, &y);
    REFUSED(ERR_INVALID_ARG, autoencoder_sample, latent, 0, INT64_MAX, &y);
    assert_null(y);
}

static void refused_steps(misuse_objects *o, lstmae_autoencoder *plain)
{
    lstmae_batch batch = LSTMAE_BATCH_INIT;
    lstmae_loss *foreign = NULL;
    double value = 0;
    assert_ok(lstmae_loss_create(&foreign, o->other, NULL));
    REFUSED(ERR_INVALID_ARG, autoencoder_step, plain, o->loss, &batch, 1.0, &value);
    batch.x = o->flat;
    REFUSED(ERR_INVALID_ARG, autoencoder_step, NULL, o->loss, &batch, 1.0, &value);
    REFUSED(ERR_INVALID_ARG, autoencoder_step, plain, NULL, &batch, 1.0, &value);
    REFUSED(ERR_INVALID_ARG, autoencoder_step, plain, o->loss, NULL, 1.0, &value);
    REFUSED(ERR_INVALID_ARG, autoencoder_step, plain, foreign, &batch, 1.0, &value);
    batch.index = -1;
    REFUSED(ERR_INVALID_ARG, autoencoder_step, plain, o->loss, &batch, 1.0, &value);
    REFUSES_SIZES(lstmae_batch, LSTMAE_BATCH_INIT, lstmae_autoencoder_step(plain, o->loss, options, 1.0, &value));
    REFUSED(ERR_INVALID_ARG, autoencoder_parts, NULL, &value, &value);
    REFUSED(ERR_STATE, autoencoder_parts, plain, &value, &value);
    REFUSED(ERR_INVALID_ARG, autoencoder_evaluate, NULL, o->loss, o->loader, 0, &value, &value);
    REFUSED(ERR_INVALID_ARG, autoencoder_evaluate, plain, NULL, o->loader, 0, &value, &value);
    REFUSED(ERR_INVALID_ARG, autoencoder_evaluate, plain, foreign, o->loader, 0, &value, &value);
    REFUSED(ERR_INVALID_ARG, autoencoder_evaluate, plain, o->loss, NULL, 0, &value, &value);
    REFUSED(ERR_INVALID_ARG, autoencoder_evaluate, plain, o->loss, o->loader, -1, &value, &value);
    lstmae_loss_destroy(foreign);
}

void misuse_autoencoder(void **state)
{
    misuse_objects *o = *state;
    lstmae_autoencoder *plain = object(o->context, 0), *latent = object(o->context, 1);
    lstmae_pretrain_options pretrain = LSTMAE_PRETRAIN_OPTIONS_INIT;
    lstmae_task *task = NULL;
    refused_use(o, plain, latent);
    refused_steps(o, plain);
    REFUSED(ERR_INVALID_ARG, autoencoder_set_beta, NULL, 1.0);
    REFUSED(ERR_STATE, autoencoder_set_beta, plain, 1.0);
    REFUSED(ERR_INVALID_ARG, autoencoder_set_beta, latent, -1.0);
    ACCEPTS_NULL(autoencoder_destroy);
    GIVES(NULL, autoencoder_module, NULL);
    GIVES(0, autoencoder_layers, NULL);
    GIVES(NULL, autoencoder_layer, NULL, 0);
    GIVES(NULL, autoencoder_layer, plain, 0);
    REFUSED(ERR_INVALID_ARG, task_autoencoder_layer, NULL, plain, 0, o->loss);
    REFUSED(ERR_INVALID_ARG, task_autoencoder_layer, &task, NULL, 0, o->loss);
    REFUSED(ERR_INVALID_ARG, task_autoencoder_layer, &task, plain, 0, NULL);
    REFUSED(ERR_INVALID_ARG, task_autoencoder_layer, &task, plain, 0, o->loss);
    assert_null(task);
    REFUSED(ERR_INVALID_ARG, pretrain, NULL, o->loss, o->loader, &pretrain);
    REFUSED(ERR_INVALID_ARG, pretrain, plain, NULL, o->loader, &pretrain);
    REFUSED(ERR_INVALID_ARG, pretrain, plain, o->loss, NULL, &pretrain);
    REFUSED(ERR_STATE, pretrain, plain, o->loss, o->loader, &pretrain);
    lstmae_autoencoder_destroy(latent);
    lstmae_autoencoder_destroy(plain);
}

void misuse_pretrain_options(void **state)
{
    misuse_objects *o = *state;
    lstmae_module *encoder = square(o->context), *decoder = square(o->context);
    lstmae_autoencoder *stack = NULL;
    lstmae_pretrain_options options = LSTMAE_PRETRAIN_OPTIONS_INIT;
    lstmae_fit_options fit = LSTMAE_FIT_OPTIONS_INIT;
    lstmae_schedule_options schedule = LSTMAE_SCHEDULE_OPTIONS_INIT;
    assert_ok(lstmae_autoencoder_create_stacked(&stack, &encoder, &decoder, 1, NULL));
    options.flags = 1;
    REFUSED(ERR_UNSUPPORTED, pretrain, stack, o->loss, o->loader, &options);
    options.flags = 0;
    options.first = 1;
    REFUSED(ERR_INVALID_ARG, pretrain, stack, o->loss, o->loader, &options);
    options.first = -1;
    REFUSED(ERR_INVALID_ARG, pretrain, stack, o->loss, o->loader, &options);
    options.first = 0;
    options.fit = &fit;
    fit.schedule = o->schedule;
    REFUSED(ERR_INVALID_ARG, pretrain, stack, o->loss, o->loader, &options);
    fit.schedule = NULL;
    fit.epochs = -1;
    REFUSED(ERR_INVALID_ARG, pretrain, stack, o->loss, o->loader, &options);
    fit.epochs = 1;
    options.schedule = &schedule;
    schedule.kind = 99;
    REFUSED(ERR_INVALID_ARG, pretrain, stack, o->loss, o->loader, &options);
    lstmae_autoencoder_destroy(stack);
}

void misuse_seq2seq_code(void **state)
{
    misuse_objects *o = *state;
    lstmae_seq2seq *model = NULL;
    lstmae_code_options code = LSTMAE_CODE_OPTIONS_INIT;
    lstmae_latent_options latent = LSTMAE_LATENT_OPTIONS_INIT;
    latent.size = 3;
    assert_ok(lstmae_seq2seq_create(&model, o->context, 4, 5, NULL));
    REFUSES_SIZES(lstmae_code_options, LSTMAE_CODE_OPTIONS_INIT, lstmae_seq2seq_set_code(model, options));
    REFUSED(ERR_INVALID_ARG, seq2seq_set_code, NULL, &code);
    REFUSED(ERR_INVALID_ARG, seq2seq_set_code, model, NULL); /* a size of 0 */
    code.size = INT64_MAX;
    REFUSED(ERR_INVALID_ARG, seq2seq_set_code, model, &code);
    code.size = 3;
    code.activation = LSTMAE_ACTIVATION_GELU;
    REFUSED(ERR_INVALID_ARG, seq2seq_set_code, model, &code);
    code.activation = LSTMAE_ACTIVATION_TANH;
    assert_int_equal(lstmae_module_param_count(lstmae_seq2seq_module(model)), 4); /* the encoder's */
    assert_ok(lstmae_seq2seq_set_code(model, &code));
    REFUSED(ERR_STATE, seq2seq_set_code, model, &code);
    REFUSED(ERR_STATE, seq2seq_set_latent, model, &latent);
    lstmae_seq2seq_destroy(model);
    assert_ok(lstmae_seq2seq_create(&model, o->context, 4, 5, NULL));
    assert_ok(lstmae_seq2seq_add_decoder(model, NULL));
    REFUSED(ERR_STATE, seq2seq_set_code, model, &code);
    REFUSED(ERR_STATE, seq2seq_set_latent, model, &latent);
    lstmae_seq2seq_destroy(model);
}

void misuse_seq2seq_latent(void **state)
{
    misuse_objects *o = *state;
    lstmae_seq2seq *model = NULL;
    lstmae_latent_options latent = LSTMAE_LATENT_OPTIONS_INIT;
    lstmae_code_options code = LSTMAE_CODE_OPTIONS_INIT;
    double value = 0;
    assert_ok(lstmae_seq2seq_create(&model, o->context, 4, 5, NULL));
    REFUSES_SIZES(lstmae_latent_options, LSTMAE_LATENT_OPTIONS_INIT, lstmae_seq2seq_set_latent(model, options));
    REFUSED(ERR_INVALID_ARG, seq2seq_set_latent, NULL, &latent);
    REFUSED(ERR_INVALID_ARG, seq2seq_set_latent, model, NULL);
    latent.size = 3;
    code.size = 3;
    latent.features = 5;
    REFUSED(ERR_INVALID_ARG, seq2seq_set_latent, model, &latent);
    latent.features = 0;
    REFUSED(ERR_STATE, seq2seq_set_beta, model, 1.0);
    REFUSED(ERR_STATE, seq2seq_kl, model, &value);
    REFUSED(ERR_STATE, seq2seq_sample, model, 0, o->x);
    assert_ok(lstmae_seq2seq_set_latent(model, &latent));
    REFUSED(ERR_STATE, seq2seq_set_latent, model, &latent);
    REFUSED(ERR_STATE, seq2seq_set_code, model, &code);
    REFUSED(ERR_INVALID_ARG, seq2seq_set_beta, NULL, 1.0);
    REFUSED(ERR_INVALID_ARG, seq2seq_set_beta, model, NAN);
    REFUSED(ERR_INVALID_ARG, seq2seq_kl, NULL, &value);
    REFUSED(ERR_INVALID_ARG, seq2seq_kl, model, NULL);
    REFUSED(ERR_STATE, seq2seq_kl, model, &value);
    REFUSED(ERR_INVALID_ARG, seq2seq_sample, NULL, 0, o->x);
    REFUSED(ERR_INVALID_ARG, seq2seq_sample, model, 0, NULL);
    REFUSED(ERR_SHAPE, seq2seq_sample, model, 0, o->flat);
    REFUSED(ERR_STATE, seq2seq_sample, model, 0, o->x);
    assert_ok(lstmae_seq2seq_add_decoder(model, NULL));
    REFUSED(ERR_INVALID_ARG, seq2seq_sample, model, -1, o->x);
    lstmae_seq2seq_destroy(model);
}
