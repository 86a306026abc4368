#include "bench_workloads.h"

#include "bench_count.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bench_check(lstmae_status status)
{
    if (status >= 0) return;
    fprintf(stderr, "lstmae_bench: %s: %s\n", lstmae_status_name(status), lstmae_last_error());
    exit(1);
}

/* A linear congruential generator: the values only have to be ordinary. */
lstmae_tensor *bench_tensor(lstmae_context *context, int ndim, const int64_t *dims)
{
    lstmae_tensor *tensor = NULL;
    uint32_t state = 12345;
    bench_check(lstmae_tensor_create(&tensor, context, LSTMAE_F32, ndim, dims));
    size_t count = (size_t)lstmae_tensor_numel(tensor);
    float *values = malloc(count * sizeof(float));
    if (!values) exit(1);
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        values[i] = (float)(state >> 8) / 16777216.0f;
    }
    bench_check(lstmae_tensor_write(tensor, values, count * sizeof(float)));
    free(values);
    return tensor;
}

static lstmae_tensor *sequence(lstmae_context *context, int64_t T, int64_t B, int64_t F)
{
    const int64_t dims[] = { T, B, F };
    return bench_tensor(context, 3, dims);
}

void bench_model_release(bench_model *model)
{
    lstmae_tensor *tensors[] = { model->x, model->future, model->y, model->dy };
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++) lstmae_tensor_destroy(tensors[i]);
    lstmae_optimizer_destroy(model->optimizer);
    lstmae_loss_destroy(model->loss);
    lstmae_session_destroy(model->session);
    free(model->sample);
    lstmae_seq2seq_destroy(model->seq2seq);
    lstmae_module_destroy(model->module);
    memset(model, 0, sizeof(*model));
}

void bench_finish(void *payload)
{
    const bench_model *model = payload;
    bench_check(lstmae_context_synchronize(model->context));
}

int bench_on_device(const lstmae_context *context)
{
    return strncmp(lstmae_context_device(context), "cpu", 3) != 0;
}

bench_mode *bench_add_mode(bench_model *model, const char *name, void (*run)(void *), double operations,
                           double weights)
{
    bench_mode *mode = &model->modes[model->mode_count++];
    *mode = (bench_mode){ .name = name, .run = run, .operations = operations, .weights = weights };
    return mode;
}

/* An update in a loop of one's own. */
static void run_train(void *payload)
{
    bench_model *model = payload;
    double value = 0;
    bench_check(lstmae_module_zero_grad(model->seq2seq ? lstmae_seq2seq_module(model->seq2seq) : model->module));
    bench_check(model->step(model, 1.0, &value));
    bench_check(lstmae_optimizer_step(model->optimizer));
}

void bench_add_training(bench_model *model, double operations, const bench_floor *floor)
{
    for (int fit = bench_on_device(model->context); fit >= 0; fit--) {
        bench_mode *mode = bench_add_mode(model, fit ? "fit" : "train", run_train, operations, 0);
        mode->fit = fit;
        if (floor) mode->floor = *floor;
    }
}

/* --- sequence-to-sequence models --------------------------------------------------------------------------------- */

static lstmae_status seq2seq_step(bench_model *model, double scale, double *loss)
{
    return lstmae_seq2seq_step(model->seq2seq, model->loss, model->x, model->future, scale, loss);
}

static void run_generate(void *payload)
{
    bench_model *model = payload;
    bench_check(lstmae_seq2seq_generate(model->seq2seq, model->x, model->y));
}

static void run_reconstruct(void *payload)
{
    bench_model *model = payload;
    bench_check(lstmae_seq2seq_reconstruct(model->seq2seq, model->x, model->y));
}

static void add_decoder(bench_model *model, int target, int64_t steps, uint32_t flags)
{
    lstmae_decoder_options options = LSTMAE_DECODER_OPTIONS_INIT;
    options.target = target;
    options.steps = steps;
    options.flags = flags;
    bench_check(lstmae_seq2seq_add_decoder(model->seq2seq, &options));
}

static void create_seq2seq(const bench_workload *w, bench_model *model, lstmae_context *context, uint32_t flags)
{
    lstmae_lstm_options encoder = LSTMAE_LSTM_OPTIONS_INIT;
    encoder.layers = w->layers;
    encoder.flags = flags;
    bench_check(lstmae_seq2seq_create(&model->seq2seq, context, w->I, w->H, &encoder));
    bench_check(lstmae_loss_create(&model->loss, context, NULL));
    model->step = seq2seq_step;
    add_decoder(model, LSTMAE_DECODE_REVERSED, 0, flags);
    model->x = sequence(context, w->T, w->B, w->I);
    model->y = sequence(context, w->T, w->B, w->I);
}

/** An encoder, a decoder for the input and one for as many frames after it; MSE, Adam. */
static void create_composite(const bench_workload *w, bench_model *model, lstmae_context *context)
{
    lstmae_optimizer_options adam = LSTMAE_ADAM_OPTIONS_INIT;
    bench_ops encoder = bench_count_lstm(w->T, w->B, w->I, w->H, w->layers, BENCH_ZERO_STATE);
    bench_ops decoder = bench_count_decoder(w->T, w->B, w->I, w->H, w->layers);
    create_seq2seq(w, model, context, 0);
    add_decoder(model, LSTMAE_DECODE_FUTURE, w->T, 0);
    model->future = sequence(context, w->T, w->B, w->I);
    adam.lr = 5e-4;
    bench_check(lstmae_optimizer_create(&model->optimizer, lstmae_seq2seq_module(model->seq2seq), &adam));
    bench_ops all = bench_ops_sum(encoder, bench_ops_sum(decoder, decoder));
    const bench_floor training = bench_floor_composite(w->T, w->B, w->I, w->H, w->layers);
    bench_add_training(model, bench_ops_total(all), &training);
    bench_mode *generate = bench_add_mode(model, "generate", run_generate, encoder.forward + decoder.forward, 0);
    generate->floor = bench_floor_generate(w->T, w->B, w->I, w->H, w->layers);
}

/** A recurrent autoencoder of one sequence; TensorFlow 1's RMSProp. */
static void create_peephole(const bench_workload *w, bench_model *model, lstmae_context *context)
{
    lstmae_optimizer_options rmsprop = LSTMAE_RMSPROP_TF1_OPTIONS_INIT;
    bench_ops encoder = bench_count_lstm(w->T, w->B, w->I, w->H, w->layers, BENCH_ZERO_STATE);
    bench_ops all = bench_ops_sum(encoder, bench_count_decoder(w->T, w->B, w->I, w->H, w->layers));
    create_seq2seq(w, model, context, LSTMAE_LSTM_PEEPHOLE);
    bench_check(lstmae_optimizer_create(&model->optimizer, lstmae_seq2seq_module(model->seq2seq), &rmsprop));
    bench_add_training(model, bench_ops_total(all), NULL);
    bench_add_mode(model, "reconstruct", run_reconstruct, all.forward, 0);
}

/* --- one LSTM ---------------------------------------------------------------------------------------------------- */

static void run_forward(void *payload)
{
    bench_model *model = payload;
    bench_check(lstmae_module_set_training(model->module, 0));
    bench_check(lstmae_module_forward(model->module, model->x, NULL));
}

static void run_forward_backward(void *payload)
{
    bench_model *model = payload;
    bench_check(lstmae_module_set_training(model->module, 1));
    bench_check(lstmae_module_zero_grad(model->module));
    bench_check(lstmae_module_forward(model->module, model->x, NULL));
    bench_check(lstmae_module_backward(model->module, model->dy, NULL));
}

/** A layer over whole sequences; the gradient of its input is not wanted. */
static void create_layer(const bench_workload *w, bench_model *model, lstmae_context *context)
{
    bench_ops ops = bench_count_lstm(w->T, w->B, w->I, w->H, w->layers, BENCH_ZERO_STATE);
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    options.layers = w->layers;
    bench_check(lstmae_lstm_create(&model->module, context, w->I, w->H, &options));
    model->x = sequence(context, w->T, w->B, w->I);
    model->dy = sequence(context, w->T, w->B, w->H);
    bench_mode *forward = bench_add_mode(model, "forward", run_forward, ops.forward, 0);
    bench_mode *both = bench_add_mode(model, "train", run_forward_backward, bench_ops_total(ops), 0);
    bench_floor_add(&forward->floor, 1, ops.forward, 0, 0);
    bench_floor_add(&both->floor, 1, bench_ops_total(ops), 0, 0);
}

const bench_workload bench_workloads[] = {
    { "composite_b16_h256", create_composite, 10, 16, 4096, 256, 2 },
    { "composite_b32_h512", create_composite, 10, 32, 4096, 512, 2 },
    { "composite_b128_h2048", create_composite, 10, 128, 4096, 2048, 2 },
    { "peephole_b1_t25_i385_h15", create_peephole, 25, 1, 385, 15, 1 },
    { "lstm_b64_t100_i512_h512", create_layer, 100, 64, 512, 512, 1 },
    { "stream_i8_h64", bench_create_stream, 1, 1, 8, 64, 1 },
    { "stream_i32_h128_l2", bench_create_stream, 1, 1, 32, 128, 2 },
    { "stream_i64_h512_l2", bench_create_stream, 1, 1, 64, 512, 2 },
    { "stream_i4096_h1024_l2", bench_create_stream, 1, 1, 4096, 1024, 2 },
    { "stream_i4096_h2048_l2", bench_create_stream, 1, 1, 4096, 2048, 2 },
    { .name = "cifar_uva_b256", .create = bench_create_cifar_uva, .B = 256 },
    { .name = "cifar_uva_b1", .create = bench_create_cifar_uva, .B = 1 },
    { .name = "mnist_conv_b256", .create = bench_create_mnist_conv, .B = 256 },
    { .name = "mnist_linear_b256", .create = bench_create_mnist_linear, .B = 256 },
};

const int bench_workload_count = (int)(sizeof(bench_workloads) / sizeof(bench_workloads[0]));
