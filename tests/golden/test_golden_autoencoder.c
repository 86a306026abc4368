/* Fifteen updates of autoencoders and of sequence models with a latent against PyTorch: noise, draws, KL, gradients. */
#include "golden_model.h"

#include <stdio.h>
#include <stdlib.h>

#define STEPS 15

/** What is trained in a case: one of the two kinds. */
typedef struct trained {
    lstmae_autoencoder *object;
    lstmae_seq2seq *sequences;
    lstmae_module *module;
    lstmae_loss *loss;
} trained;

/** As the state's, in which nothing has been drawn yet: streams follow from the order in which things are made. */
static lstmae_context *fresh(const lstmae_context *like)
{
    lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
    lstmae_context *context = NULL;
    options.dtype = (int32_t)lstmae_context_dtype(like);
    assert_ok(lstmae_context_create(&context, lstmae_context_device(like), &options));
    return context;
}

static lstmae_module *chain_of(lstmae_context *context, int64_t in, int64_t hidden, int64_t out)
{
    lstmae_module *chain = NULL, *part = NULL;
    assert_ok(lstmae_sequential_create(&chain, context));
    assert_ok(lstmae_linear_create(&part, context, in, hidden, 0));
    assert_ok(lstmae_sequential_append(chain, part));
    assert_ok(lstmae_activation_create(&part, context, LSTMAE_ACTIVATION_TANH));
    assert_ok(lstmae_sequential_append(chain, part));
    assert_ok(lstmae_linear_create(&part, context, hidden, out, 0));
    assert_ok(lstmae_sequential_append(chain, part));
    return chain;
}

static void open_object(golden_file *file, trained *t)
{
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    lstmae_noise_options noise = LSTMAE_NOISE_OPTIONS_INIT;
    lstmae_latent_options latent = LSTMAE_LATENT_OPTIONS_INIT;
    lstmae_loss_options loss = LSTMAE_LOSS_OPTIONS_INIT;
    noise.kind = (int32_t)golden_int(file, "noise", -1);
    noise.amount = golden_number(file, "amount", 0);
    latent.size = golden_int(file, "latent", 0);
    latent.features = 3;
    latent.beta = golden_number(file, "beta", 1);
    loss.kind = (int32_t)golden_int(file, "loss", LSTMAE_LOSS_MSE);
    loss.reduction = LSTMAE_REDUCTION_BATCH_MEAN;
    loss.batch_axis = 0;
    if (noise.kind >= 0) options.noise = &noise;
    if (latent.size > 0) options.latent = &latent;
    lstmae_module *encoder = chain_of(file->context, 8, 7, 3);
    lstmae_module *decoder = chain_of(file->context, latent.size > 0 ? latent.size : 3, 7, 8);
    assert_ok(lstmae_autoencoder_create(&t->object, encoder, decoder, &options));
    assert_ok(lstmae_loss_create(&t->loss, file->context, &loss));
    t->module = lstmae_autoencoder_module(t->object);
    golden_load_params(file, "param.", t->module);
}

static void trained_open(golden_file *file, trained *t)
{
    *t = (trained){ NULL, NULL, NULL, NULL };
    if (!golden_int(file, "sequence", 0)) {
        open_object(file, t);
        return;
    }
    t->sequences = golden_model(file);
    t->module = lstmae_seq2seq_module(t->sequences);
    t->loss = golden_loss(file);
}

static void trained_close(trained *t)
{
    lstmae_loss_destroy(t->loss);
    lstmae_autoencoder_destroy(t->object);
    lstmae_seq2seq_destroy(t->sequences);
}

/** Entry `step` of an array [STEPS,...] as a tensor; NULL for one that is not there. */
static lstmae_tensor *entry(golden_file *file, const char *name, int step)
{
    golden_array array = golden_get(file, name);
    if (!array.values) return NULL;
    size_t each = array.count / STEPS;
    return values_tensor(file->context, array.ndim - 1, array.dim + 1, array.values + (size_t)step * each);
}

static void trained_step(golden_file *file, trained *t, int step, double parts[2])
{
    lstmae_batch batch = LSTMAE_BATCH_INIT;
    double value = 0;
    batch.x = entry(file, "x", step);
    lstmae_tensor *future = entry(file, "future", step);
    if (t->object) {
        assert_ok(lstmae_autoencoder_step(t->object, t->loss, &batch, 1.0, NULL));
        assert_ok(lstmae_autoencoder_parts(t->object, &parts[0], &parts[1]));
    } else {
        assert_ok(lstmae_seq2seq_step(t->sequences, t->loss, batch.x, future, 1.0, &value));
        assert_ok(lstmae_seq2seq_kl(t->sequences, &parts[1]));
        parts[0] = value - golden_number(file, "beta", 1) * parts[1];
    }
    lstmae_tensor_destroy(batch.x);
    lstmae_tensor_destroy(future);
}

static void compare_final(golden_file *file, lstmae_module *module)
{
    char name[192];
    for (size_t i = 0; i < lstmae_module_param_count(module); i++) {
        snprintf(name, sizeof(name), "final.%s", lstmae_module_param_name(module, i));
        double *values = values_read(lstmae_module_param(module, i));
        golden_compare_values(file, name, values, (size_t)lstmae_tensor_numel(lstmae_module_param(module, i)),
                              GOLDEN_LIMIT_CURVE);
        free(values);
    }
}

static void train_case(golden_file *file)
{
    double parts[STEPS][2];
    lstmae_optimizer_options adam = LSTMAE_ADAM_OPTIONS_INIT;
    lstmae_optimizer *optimizer = NULL;
    trained t;
    adam.lr = 0.01;
    trained_open(file, &t);
    assert_ok(lstmae_optimizer_create(&optimizer, t.module, &adam));
    for (int step = 0; step < STEPS; step++) {
        assert_ok(lstmae_module_zero_grad(t.module));
        trained_step(file, &t, step, parts[step]);
        if (step == 0) golden_compare_grads(file, t.module);
        assert_ok(lstmae_optimizer_step(optimizer));
    }
    golden_compare_values(file, "parts", parts[0], (size_t)2 * STEPS, GOLDEN_LIMIT_CURVE);
    compare_final(file, t.module);
    lstmae_optimizer_destroy(optimizer);
    trained_close(&t);
}

static void test_autoencoder(void **state)
{
    golden_file file;
    int cases = 0;
    golden_open(&file, "autoencoder", *state);
    while (golden_next(&file)) {
        file.context = fresh(*state);
        train_case(&file);
        lstmae_context_destroy(file.context);
        cases++;
    }
    assert_int_equal(cases, 9);
    golden_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = { GOLDEN_TESTS(test_autoencoder) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
