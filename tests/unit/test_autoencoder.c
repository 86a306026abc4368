/* Autoencoders as objects: parts and names, noise, latents, what evaluations draw, layers trained one by one. */
#include "autoencoder_internal.h"
#include "shared/random.h"
#include "faults.h"
#include "values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 12, BATCH = 4, VALUES = 6, CODE = 3 };

/* A few roundings of numbers near 1. */
#define ROUNDING 2e-6

/* ---- a small autoencoder and its data ---- */

typedef struct rig {
    lstmae_context *context;
    lstmae_autoencoder *object;
    lstmae_loss *loss;
    lstmae_loader *loader;
    lstmae_tensor *x;
} rig;

static lstmae_module *linear(lstmae_context *context, int64_t in, int64_t out)
{
    lstmae_module *module = NULL;
    assert_ok(lstmae_linear_create(&module, context, in, out, 0));
    return module;
}

static lstmae_module *dense(lstmae_context *context, int64_t in, int64_t out)
{
    lstmae_module *chain = NULL, *tanh = NULL;
    assert_ok(lstmae_sequential_create(&chain, context));
    assert_ok(lstmae_sequential_append(chain, linear(context, in, out)));
    assert_ok(lstmae_activation_create(&tanh, context, LSTMAE_ACTIVATION_TANH));
    assert_ok(lstmae_sequential_append(chain, tanh));
    return chain;
}

static void rig_open_data(rig *r, const char *device)
{
    float values[ITEMS * VALUES];
    const int64_t item = VALUES, dims[] = { BATCH, VALUES };
    lstmae_loader_options loader = LSTMAE_LOADER_OPTIONS_INIT;
    lstmae_loss_options loss = LSTMAE_LOSS_OPTIONS_INIT;
    lstmae_dataset *data = NULL;
    r->context = test_context(device, LSTMAE_F32);
    loader.batch = BATCH;
    loss.reduction = LSTMAE_REDUCTION_BATCH_MEAN;
    loss.batch_axis = 0;
    test_fill(values, ITEMS * VALUES, 4, 1.0f);
    assert_ok(lstmae_dataset_from_memory(&data, r->context, values, ITEMS, 1, &item));
    assert_ok(lstmae_loader_create(&r->loader, r->context, data, &loader));
    lstmae_dataset_destroy(data);
    assert_ok(lstmae_loss_create(&r->loss, r->context, &loss));
    assert_ok(lstmae_tensor_create(&r->x, r->context, LSTMAE_F32, 2, dims));
    assert_ok(lstmae_tensor_write(r->x, values, BATCH * VALUES * sizeof(float)));
}

static void rig_open(rig *r, const char *device, const lstmae_autoencoder_options *options)
{
    memset(r, 0, sizeof *r);
    rig_open_data(r, device);
    lstmae_module *encoder = dense(r->context, VALUES, CODE), *decoder = dense(r->context, CODE, VALUES);
    assert_ok(lstmae_autoencoder_create(&r->object, encoder, decoder, options));
}

static void rig_open_stacked(rig *r, const lstmae_autoencoder_options *options)
{
    memset(r, 0, sizeof *r);
    rig_open_data(r, "cpu");
    lstmae_module *encoders[] = { dense(r->context, VALUES, 5), dense(r->context, 5, 4), dense(r->context, 4, CODE) };
    lstmae_module *decoders[] = { dense(r->context, 5, VALUES), dense(r->context, 4, 5), dense(r->context, CODE, 4) };
    assert_ok(lstmae_autoencoder_create_stacked(&r->object, encoders, decoders, 3, options));
}

static void rig_close(rig *r)
{
    lstmae_context_destroy(r->context);
    lstmae_loader_destroy(r->loader);
    lstmae_loss_destroy(r->loss);
    lstmae_autoencoder_destroy(r->object);
    lstmae_tensor_destroy(r->x);
}

static double rig_step(rig *r, int64_t index)
{
    lstmae_batch batch = LSTMAE_BATCH_INIT;
    double value = NAN;
    batch.x = r->x;
    batch.index = index;
    assert_ok(lstmae_module_zero_grad(lstmae_autoencoder_module(r->object)));
    assert_ok(lstmae_autoencoder_step(r->object, r->loss, &batch, 1.0, &value));
    return value;
}

static void assert_same(const lstmae_tensor *a, const lstmae_tensor *b, int same)
{
    double *left = values_read(a), *right = values_read(b);
    const size_t bytes = (size_t)lstmae_tensor_numel(a) * sizeof *left;
    assert_int_equal(lstmae_tensor_numel(a), lstmae_tensor_numel(b));
    assert_int_equal(memcmp(left, right, bytes) == 0, same);
    free(left);
    free(right);
}

static const lstmae_latent_options variational = { sizeof(lstmae_latent_options), 0, CODE, CODE, 1.0, 0 };

/* ---- parts ---- */

static void assert_names(lstmae_module *module, const char *const *names, size_t count)
{
    assert_int_equal(lstmae_module_param_count(module), count);
    for (size_t i = 0; i < count; i++) assert_string_equal(lstmae_module_param_name(module, i), names[i]);
}

static void test_names(void **state)
{
    static const char *const names[] = { "encoder.0.weight", "encoder.0.bias", "mean.weight", "mean.bias",
                                         "log_variance.weight", "log_variance.bias", "decoder.0.weight",
                                         "decoder.0.bias" };
    static const char *const stacked[] = { "encoder.0.0.weight", "encoder.0.0.bias", "encoder.1.0.weight",
                                           "encoder.1.0.bias", "encoder.2.0.weight", "encoder.2.0.bias",
                                           "decoder.0.0.weight", "decoder.0.0.bias", "decoder.1.0.weight",
                                           "decoder.1.0.bias", "decoder.2.0.weight", "decoder.2.0.bias" };
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    rig r;
    (void)state;
    options.latent = &variational;
    rig_open(&r, "cpu", &options);
    assert_names(lstmae_autoencoder_module(r.object), names, 8);
    rig_close(&r);
    rig_open_stacked(&r, NULL);
    lstmae_module *whole = lstmae_autoencoder_module(r.object);
    assert_names(whole, stacked, 12);
    assert_int_equal(lstmae_autoencoder_layers(r.object), 3);
    lstmae_module *last = lstmae_autoencoder_module(lstmae_autoencoder_layer(r.object, 2));
    assert_ptr_equal(lstmae_module_param(last, 0), lstmae_module_param(whole, 4)); /* encoder.2, then decoder.0 */
    assert_ptr_equal(lstmae_module_param(last, 2), lstmae_module_param(whole, 6));
    rig_close(&r);
}

/** Reconstruction is the decoded code, is what the module gives in inference mode, and leaves the mode alone. */
static void test_reconstruct(void **state)
{
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    const lstmae_tensor *y = NULL, *code = NULL;
    lstmae_tensor *kept = NULL;
    const int64_t dims[] = { BATCH, VALUES };
    rig r;
    (void)state;
    for (int latent = 0; latent < 2; latent++) {
        options.latent = latent ? &variational : NULL;
        rig_open(&r, "cpu", &options);
        lstmae_module *module = lstmae_autoencoder_module(r.object);
        assert_ok(lstmae_tensor_create(&kept, r.context, LSTMAE_F32, 2, dims));
        assert_ok(lstmae_autoencoder_reconstruct(r.object, r.x, &y));
        assert_ok(lstmae_tensor_copy(kept, y));
        assert_ok(lstmae_autoencoder_encode(r.object, r.x, &code));
        assert_int_equal(lstmae_tensor_dim(code, 1), CODE);
        assert_ok(lstmae_autoencoder_decode(r.object, code, &y));
        assert_same(y, kept, 1);
        assert_int_equal(lstmae_module_training(module), 1);
        assert_int_equal(r.object->encoder->training && r.object->decoder->training, 1);
        assert_ok(lstmae_module_forward(module, r.x, &y));
        assert_same(y, kept, !latent); /* a draw, where there is a latent */
        assert_ok(lstmae_module_set_training(module, 0));
        assert_ok(lstmae_module_forward(module, r.x, &y));
        assert_same(y, kept, 1);
        lstmae_tensor_destroy(kept);
        rig_close(&r);
    }
}

/** What is shown goes through `output`; the module's output, of which the loss is, does not. */
static void test_output(void **state)
{
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    const lstmae_tensor *y = NULL;
    rig r;
    (void)state;
    options.output = LSTMAE_ACTIVATION_SIGMOID;
    rig_open(&r, "cpu", &options);
    assert_ok(lstmae_module_forward(lstmae_autoencoder_module(r.object), r.x, &y));
    double *plain = values_read(y);
    assert_ok(lstmae_autoencoder_reconstruct(r.object, r.x, &y));
    double *shown = values_read(y);
    for (int i = 0; i < BATCH * VALUES; i++) assert_true(fabs(shown[i] - 1 / (1 + exp(-plain[i]))) < ROUNDING);
    free(plain);
    free(shown);
    rig_close(&r);
}

/* ---- noise ---- */

enum { MANY = 20000 };

static double *noisy(const char *device, int kind, double amount, int times)
{
    lstmae_context *context = test_context(device, LSTMAE_F32);
    lstmae_noise_options options = LSTMAE_NOISE_OPTIONS_INIT;
    lstmae_module *noise = NULL;
    const int64_t dims[] = { MANY / 50, 50 };
    const lstmae_tensor *y = NULL;
    lstmae_tensor *x = values_tensor(context, 2, dims, NULL);
    options.kind = kind;
    options.amount = amount;
    options.low = -2.0;
    options.high = 3.0;
    assert_ok(lstmae_tensor_fill(x, 0.5));
    assert_ok(lstmae_noise_create(&noise, context, &options));
    for (int i = 0; i < times; i++) assert_ok(lstmae_module_forward(noise, x, &y));
    double *values = values_read(y);
    assert_ok(lstmae_module_set_training(noise, 0));
    assert_ok(lstmae_module_forward(noise, x, &y));
    assert_ptr_equal(y, x);
    lstmae_module_destroy(noise);
    lstmae_tensor_destroy(x);
    lstmae_context_destroy(context);
    return values;
}

/** Shares and moments within four deviations, every value one of those it may be. */
static void test_noise(void **state)
{
    double low = 0, high = 0, sum = 0, squares = 0;
    (void)state;
    double *gaussian = noisy("cpu", LSTMAE_NOISE_GAUSSIAN, 0.25, 1);
    double *masked = noisy("cpu", LSTMAE_NOISE_MASKING, 0.3, 1);
    double *salted = noisy("cpu", LSTMAE_NOISE_SALT_PEPPER, 0.4, 1);
    for (int i = 0; i < MANY; i++) {
        sum += gaussian[i] - 0.5;
        squares += (gaussian[i] - 0.5) * (gaussian[i] - 0.5);
        assert_true(masked[i] == -2.0 || masked[i] == 0.5);
        low += masked[i] == -2.0;
    }
    assert_true(fabs(sum / MANY) < 4 * 0.25 / sqrt(MANY));
    assert_true(fabs(squares / MANY / 0.0625 - 1) < 4 * sqrt(2.0 / MANY));
    assert_true(fabs(low / MANY - 0.3) < 4 * sqrt(0.3 * 0.7 / MANY));
    low = 0;
    for (int i = 0; i < MANY; i++) {
        assert_true(salted[i] == -2.0 || salted[i] == 0.5 || salted[i] == 3.0);
        low += salted[i] == -2.0;
        high += salted[i] == 3.0;
    }
    assert_true(fabs(low / MANY - 0.2) < 4 * sqrt(0.2 * 0.8 / MANY));
    assert_true(fabs(high / MANY - 0.2) < 4 * sqrt(0.2 * 0.8 / MANY));
    free(gaussian);
    free(masked);
    free(salted);
}

/** The same on both devices, another one in the next forward. */
static void test_noise_repeats(void **state)
{
    (void)state;
    for (int kind = LSTMAE_NOISE_GAUSSIAN; kind <= LSTMAE_NOISE_SALT_PEPPER; kind++) {
        double *first = noisy("cpu", kind, 0.5, 1), *other = noisy("cpu:ref", kind, 0.5, 1);
        double *second = noisy("cpu", kind, 0.5, 2);
        assert_memory_equal(first, other, MANY * sizeof *first);
        assert_memory_not_equal(first, second, MANY * sizeof *first);
        free(first);
        free(other);
        free(second);
    }
}

/** The clean input is the target: without any error but the noise the loss is that of the clean reconstruction. */
static void test_denoising_target(void **state)
{
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    lstmae_noise_options noise = LSTMAE_NOISE_OPTIONS_INIT;
    const lstmae_tensor *y = NULL;
    rig r;
    (void)state;
    noise.kind = LSTMAE_NOISE_MASKING;
    noise.amount = 1.0; /* nothing of x is seen */
    options.noise = &noise;
    rig_open(&r, "cpu", &options);
    double value = rig_step(&r, 0), want = 0, *x = values_read(r.x);
    lstmae_tensor *zero = NULL;
    const int64_t dims[] = { BATCH, VALUES };
    assert_ok(lstmae_tensor_create(&zero, r.context, LSTMAE_F32, 2, dims));
    assert_ok(lstmae_autoencoder_reconstruct(r.object, zero, &y));
    double *blind = values_read(y);
    for (int i = 0; i < BATCH * VALUES; i++) want += (blind[i] - x[i]) * (blind[i] - x[i]) / BATCH;
    assert_true(fabs(value - want) < ROUNDING * want);
    free(x);
    free(blind);
    lstmae_tensor_destroy(zero);
    rig_close(&r);
}

/* ---- latent ---- */

/** The KL of two heads' outputs, from its definition. */
static double divergence(const lstmae_tensor *mean, const lstmae_tensor *log_variance)
{
    double sum = 0, *m = values_read(mean), *v = values_read(log_variance);
    for (int64_t i = 0; i < lstmae_tensor_numel(mean); i++) sum += 0.5 * (m[i] * m[i] + exp(v[i]) - 1 - v[i]);
    free(m);
    free(v);
    return sum / (double)lstmae_tensor_dim(mean, 0);
}

static void test_parts(void **state)
{
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    lstmae_latent_options latent = variational;
    const lstmae_tensor *mean = NULL, *log_variance = NULL;
    double reconstruction = NAN, kl = NAN;
    rig r;
    (void)state;
    latent.beta = 0.75;
    options.latent = &latent;
    rig_open(&r, "cpu", &options);
    double value = rig_step(&r, 0);
    assert_ok(lstmae_autoencoder_parts(r.object, &reconstruction, &kl));
    assert_ok(lstmae_autoencoder_posterior(r.object, r.x, &mean, &log_variance));
    assert_true(fabs(kl - divergence(mean, log_variance)) < 1e-6);
    assert_true(kl > 1e-3 && reconstruction > 1e-3);
    assert_true(fabs(value - (reconstruction + 0.75 * kl)) < 1e-12);
    assert_ok(lstmae_autoencoder_set_beta(r.object, 0.0));
    value = rig_step(&r, 0);
    assert_ok(lstmae_autoencoder_parts(r.object, &reconstruction, NULL));
    assert_true(value == reconstruction);
    rig_close(&r);
}

/** z = m + exp(v / 2) e with the numbers docs/numerics.md names. */
static void test_draw(void **state)
{
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    rig r;
    (void)state;
    options.latent = &variational;
    rig_open(&r, "cpu", &options);
    (void)rig_step(&r, 0);
    const lae_latent *latent = r.object->latent;
    double *m = values_read(latent->mean), *v = values_read(latent->log_variance), *z = values_read(latent->z);
    uint64_t stream = lae_random_stream(latent->site.training, 0);
    for (int i = 0; i < BATCH * CODE; i++) {
        double e = lae_philox_normal(lstmae_context_seed(r.context), stream, (uint64_t)i);
        assert_true(fabs(z[i] - (m[i] + exp(v[i] / 2) * e)) < ROUNDING);
    }
    free(m);
    free(v);
    free(z);
    rig_close(&r);
}

/** An evaluation draws by the batch's number alone and leaves the training's numbers where they were. */
static void test_evaluation_repeats(void **state)
{
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    lstmae_noise_options noise = LSTMAE_NOISE_OPTIONS_INIT;
    rig r;
    (void)state;
    options.latent = &variational;
    options.noise = &noise;
    rig_open(&r, "cpu", &options);
    lstmae_module *module = lstmae_autoencoder_module(r.object);
    (void)rig_step(&r, 0);
    const uint64_t draws = lae_context_draws(r.context);
    assert_ok(lstmae_module_set_training(module, 0));
    double first = rig_step(&r, 0), other = rig_step(&r, 1), again = rig_step(&r, 0);
    assert_true(first == again && first != other);
    assert_int_equal(lae_context_draws(r.context), draws);
    double reconstruction = NAN, kl = NAN, mean = NAN;
    lstmae_task *task = NULL;
    assert_ok(lstmae_task_autoencoder(&task, module, r.loss));
    assert_ok(lstmae_evaluate(lstmae_task_objective(task), r.loader, 0, &mean));
    assert_ok(lstmae_autoencoder_evaluate(r.object, r.loss, r.loader, 0, &reconstruction, &kl));
    assert_true(fabs(mean - (reconstruction + kl)) < 1e-9);
    lstmae_task_destroy(task);
    rig_close(&r);
}

/** Item n of the prior is the same whatever is drawn with it. */
static void test_sample(void **state)
{
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    const lstmae_tensor *y = NULL;
    rig r;
    (void)state;
    options.latent = &variational;
    rig_open(&r, "cpu", &options);
    assert_ok(lstmae_autoencoder_sample(r.object, 0, 7, &y));
    double *all = values_read(y);
    assert_ok(lstmae_autoencoder_sample(r.object, 5, 2, &y));
    double *two = values_read(y);
    assert_int_equal(lstmae_tensor_dim(y, 1), VALUES);
    for (int i = 0; i < 2 * VALUES; i++) assert_true(fabs(two[i] - all[5 * VALUES + i]) < ROUNDING);
    assert_memory_not_equal(all, all + VALUES, VALUES * sizeof *all);
    free(all);
    free(two);
    rig_close(&r);
}

/** The same of sequences: y [T,B,F] holds numbers first to first + B - 1, in the order of the input. */
static void test_sample_sequences(void **state)
{
    enum { STEPS = 3, MANY_OF_THEM = 5, FEW = 2 };
    const int64_t many[] = { STEPS, MANY_OF_THEM, VALUES }, few[] = { STEPS, FEW, VALUES };
    const int64_t lengths[] = { 1, 2 };
    lstmae_context *context = test_context("cpu:ref", LSTMAE_F32);
    lstmae_latent_options latent = LSTMAE_LATENT_OPTIONS_INIT;
    lstmae_tensor *all = NULL, *some = NULL;
    lstmae_seq2seq *model = NULL;
    (void)state;
    latent.size = CODE;
    assert_ok(lstmae_seq2seq_create(&model, context, VALUES, 5, NULL));
    assert_ok(lstmae_seq2seq_set_latent(model, &latent));
    assert_ok(lstmae_seq2seq_add_decoder(model, NULL));
    assert_ok(lstmae_tensor_create(&all, context, LSTMAE_F32, 3, many));
    assert_ok(lstmae_tensor_create(&some, context, LSTMAE_F32, 3, few));
    assert_ok(lstmae_seq2seq_sample(model, 0, all));
    assert_ok(lstmae_seq2seq_set_lengths(model, lengths, FEW)); /* of inputs, of which there is none */
    assert_ok(lstmae_seq2seq_sample(model, 3, some));
    double *a = values_read(all), *b = values_read(some);
    for (int i = 0; i < STEPS * FEW * VALUES; i++) {
        const int t = i / (FEW * VALUES), rest = i % (FEW * VALUES);
        assert_true(fabs(a[(t * MANY_OF_THEM + 3) * VALUES + rest] - b[i]) < ROUNDING);
    }
    assert_memory_not_equal(a, a + VALUES, VALUES * sizeof *a);
    free(a);
    free(b);
    lstmae_tensor_destroy(all);
    lstmae_tensor_destroy(some);
    lstmae_seq2seq_destroy(model);
    lstmae_context_destroy(context);
}

/* ---- training ---- */

typedef struct warmup_seen {
    rig *r;
    double weights[8];
} warmup_seen;

static int see_weight(const lstmae_fit_event *event, void *payload)
{
    warmup_seen *seen = payload;
    if (event->stage == LSTMAE_FIT_ITERATION) seen->weights[event->iteration - 1] = seen->r->object->latent->weight;
    return 0;
}

static void fit(rig *r, int64_t iterations, lstmae_fit_state *progress, lstmae_fit_fn callback, void *payload)
{
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    lstmae_optimizer *optimizer = NULL;
    lstmae_task *task = NULL;
    options.iterations = iterations;
    options.callback = callback;
    options.payload = payload;
    assert_ok(lstmae_task_autoencoder(&task, lstmae_autoencoder_module(r->object), r->loss));
    assert_ok(lstmae_optimizer_create(&optimizer, lstmae_autoencoder_module(r->object), NULL));
    assert_ok(lstmae_fit(lstmae_task_objective(task), r->loader, optimizer, &options, progress));
    lstmae_optimizer_destroy(optimizer);
    lstmae_task_destroy(task);
}

/** The weight rises by the number of the update, also in a training that goes on. */
static void test_warmup(void **state)
{
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    lstmae_latent_options latent = variational;
    lstmae_fit_state *progress = NULL;
    rig r;
    warmup_seen seen = { &r, { 0 } };
    (void)state;
    latent.beta = 2.0;
    latent.warmup = 4;
    options.latent = &latent;
    rig_open(&r, "cpu", &options);
    assert_ok(lstmae_fit_state_create(&progress, r.context));
    fit(&r, 3, progress, see_weight, &seen);
    fit(&r, 6, progress, see_weight, &seen);
    const double want[] = { 0.5, 1.0, 1.5, 2.0, 2.0, 2.0 };
    assert_memory_equal(seen.weights, want, sizeof want);
    lstmae_fit_state_destroy(progress);
    rig_close(&r);
}

static double *weights_of(lstmae_module *module, size_t *count)
{
    double *all = NULL;
    *count = 0;
    for (size_t i = 0; i < lstmae_module_param_count(module); i++) {
        size_t n = (size_t)lstmae_tensor_numel(lstmae_module_param(module, i));
        double *values = values_read(lstmae_module_param(module, i));
        all = realloc(all, (*count + n) * sizeof *all);
        assert_non_null(all);
        memcpy(all + *count, values, n * sizeof *all);
        *count += n;
        free(values);
    }
    return all;
}

typedef struct stage_log {
    rig *r;
    int events[3]; /* for each layer */
    double loss[3][2]; /* first, last */
    double *others[3]; /* weights of the whole when the layer's first update was done */
} stage_log;

static int log_stage(size_t layer, const lstmae_fit_event *event, void *payload)
{
    stage_log *log = payload;
    size_t count;
    if (event->stage != LSTMAE_FIT_ITERATION) return 0;
    log->loss[layer][log->events[layer] > 0] = event->loss;
    if (log->events[layer]++ == 0) log->others[layer] = weights_of(lstmae_autoencoder_module(log->r->object), &count);
    return 0;
}

/** Each layer learns, in its turn and without the others, and the whole is better than before. */
static void test_pretrain(void **state)
{
    lstmae_pretrain_options options = LSTMAE_PRETRAIN_OPTIONS_INIT;
    lstmae_optimizer_options adam = LSTMAE_ADAM_OPTIONS_INIT;
    lstmae_fit_options epochs = LSTMAE_FIT_OPTIONS_INIT;
    rig r;
    stage_log log = { &r, { 0 }, { { 0 } }, { NULL } };
    size_t count;
    (void)state;
    adam.lr = 0.02;
    epochs.epochs = 15;
    options.fit = &epochs;
    options.optimizer = &adam;
    options.callback = log_stage;
    options.payload = &log;
    rig_open_stacked(&r, NULL);
    double before = rig_step(&r, 0);
    assert_ok(lstmae_pretrain(r.object, r.loss, r.loader, &options));
    double *after = weights_of(lstmae_autoencoder_module(r.object), &count);
    const size_t first_layer = 5 * VALUES + 5, second_layer = 4 * 5 + 4;
    for (int k = 0; k < 3; k++) {
        assert_int_equal(log.events[k], 45);
        assert_true(log.loss[k][1] < log.loss[k][0]);
    }
    /* the first encoder did not change after its own stage, and the second began with its own */
    assert_memory_equal(log.others[1], after, first_layer * sizeof *after);
    assert_memory_equal(log.others[2], after, (first_layer + second_layer) * sizeof *after);
    assert_memory_not_equal(log.others[1] + first_layer, after + first_layer, second_layer * sizeof *after);
    assert_true(rig_step(&r, 0) < before);
    for (int k = 0; k < 3; k++) free(log.others[k]);
    free(after);
    rig_close(&r);
}

/** A layer's stage stopped, saved, and continued elsewhere ends with the bits of one that ran through. */
static void train_layer(rig *r, int64_t iterations, const char *load, const char *save)
{
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    lstmae_module *layer = lstmae_autoencoder_module(lstmae_autoencoder_layer(r->object, 1));
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    lstmae_task *task = NULL;
    options.iterations = iterations;
    options.epochs = 0;
    options.validation = NULL;
    content.module = lstmae_autoencoder_module(r->object);
    content.loader = r->loader;
    assert_ok(lstmae_task_autoencoder_layer(&task, r->object, 1, r->loss));
    assert_ok(lstmae_optimizer_create(&content.optimizer, layer, NULL));
    assert_ok(lstmae_fit_state_create(&content.state, r->context));
    if (load) assert_ok(lstmae_checkpoint_load(load, &content));
    assert_ok(lstmae_fit(lstmae_task_objective(task), r->loader, content.optimizer, &options, content.state));
    if (save) assert_ok(lstmae_checkpoint_save(save, &content));
    lstmae_fit_state_destroy(content.state);
    lstmae_optimizer_destroy(content.optimizer);
    lstmae_task_destroy(task);
}

static void test_layer_resumes(void **state)
{
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    lstmae_noise_options noise = LSTMAE_NOISE_OPTIONS_INIT;
    const char *path = test_path("layer.safetensors");
    rig straight, before, after;
    size_t count;
    (void)state;
    options.noise = &noise;
    rig_open_stacked(&straight, &options);
    rig_open_stacked(&before, &options);
    rig_open_stacked(&after, &options);
    train_layer(&straight, 7, NULL, NULL);
    train_layer(&before, 4, NULL, path);
    train_layer(&after, 7, path, NULL);
    double *want = weights_of(lstmae_autoencoder_module(straight.object), &count);
    double *got = weights_of(lstmae_autoencoder_module(after.object), &count);
    assert_memory_equal(want, got, count * sizeof *want);
    free(want);
    free(got);
    rig_close(&straight);
    rig_close(&before);
    rig_close(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_reconstruct),
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_noise_repeats),
        cmocka_unit_test(test_denoising_target),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_draw),
        cmocka_unit_test(test_evaluation_repeats),
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_sample_sequences),
        cmocka_unit_test(test_warmup),
        cmocka_unit_test(test_pretrain),
        cmocka_unit_test(test_layer_resumes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
