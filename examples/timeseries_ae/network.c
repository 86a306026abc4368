#include "network.h"

#include <stdlib.h>
#include <string.h>

#include "../common/report.h"

/* ---- sequence models ---- */

static int network_code(ts_network *n, const ts_settings *s)
{
    lstmae_code_options code = LSTMAE_CODE_OPTIONS_INIT;
    lstmae_latent_options latent = LSTMAE_LATENT_OPTIONS_INIT;
    code.size = latent.size = s->code;
    latent.beta = s->beta;
    n->code = s->code > 0 ? s->code : s->hidden * (s->both_ways ? 2 : 1);
    if (s->kind == TS_VAE) return ex_status(lstmae_seq2seq_set_latent(n->sequence, &latent));
    return s->code > 0 ? ex_status(lstmae_seq2seq_set_code(n->sequence, &code)) : 0;
}

static int network_sequence(ts_network *n, const ts_settings *s)
{
    lstmae_lstm_options encoder = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_decoder_options decoder = LSTMAE_DECODER_OPTIONS_INIT;
    encoder.layers = s->layers;
    encoder.flags = (s->peepholes ? LSTMAE_LSTM_PEEPHOLE : 0) | (s->both_ways ? LSTMAE_LSTM_BIDIRECTIONAL : 0);
    EX_TRY(lstmae_seq2seq_create(&n->sequence, n->context, n->channels, s->hidden, &encoder));
    if (network_code(n, s) != 0) return -1;
    decoder.flags = s->peepholes ? LSTMAE_LSTM_PEEPHOLE : 0;
    if (s->cells) decoder.flags |= LSTMAE_DECODER_SHARED;
    if (s->input == LSTMAE_INPUT_CODE) decoder.flags |= LSTMAE_DECODER_ZERO_STATE;
    if (!s->cells) decoder.hidden = s->hidden;
    decoder.target = s->order;
    decoder.input = s->input;
    EX_TRY(lstmae_seq2seq_add_decoder(n->sequence, &decoder));
    return ex_status(lstmae_task_seq2seq(&n->task, n->sequence, n->loss));
}

/* ---- chains ---- */

/* Appends what a create function made; the chain owns it then. */
static int network_append(lstmae_module *chain, lstmae_status created, lstmae_module *module)
{
    if (ex_status(created) != 0) return -1;
    if (ex_status(lstmae_sequential_append(chain, module)) == 0) return 0;
    lstmae_module_destroy(module);
    return -1;
}

static int network_linear(lstmae_module *chain, lstmae_context *context, int64_t in, int64_t out)
{
    lstmae_module *module = NULL;
    lstmae_status status = lstmae_linear_create(&module, context, in, out, 0);
    return network_append(chain, status, module);
}

static int network_relu(lstmae_module *chain, lstmae_context *context)
{
    lstmae_module *module = NULL;
    lstmae_status status = lstmae_activation_create(&module, context, LSTMAE_ACTIVATION_RELU);
    return network_append(chain, status, module);
}

/* [B,T,C] to [B,C,T] or back. */
static int network_permute(lstmae_module *chain, lstmae_context *context)
{
    const int axes[3] = {0, 2, 1};
    lstmae_module *module = NULL;
    lstmae_status status = lstmae_permute_create(&module, context, 3, axes);
    return network_append(chain, status, module);
}

/* Kernels of 5; `stride` halves the steps, `output_padding` as T wants it on the way back. */
static int network_conv(lstmae_module *chain, lstmae_context *context, int64_t in, int64_t out, int64_t stride,
                        int transposed, int64_t output_padding)
{
    lstmae_conv_options options = LSTMAE_CONV_OPTIONS_INIT;
    lstmae_module *module = NULL;
    options.kernel[0] = 5;
    options.padding[0] = 2;
    options.stride[0] = stride;
    options.output_padding[0] = output_padding;
    lstmae_status status = transposed ? lstmae_conv_transpose1d_create(&module, context, in, out, &options)
                                      : lstmae_conv1d_create(&module, context, in, out, &options);
    return network_append(chain, status, module);
}

static int network_dense(const ts_network *n, const ts_settings *s, lstmae_module *encoder, lstmae_module *decoder)
{
    int64_t values = n->window * n->channels;
    if (network_linear(encoder, n->context, values, s->hidden) != 0 || network_relu(encoder, n->context) != 0 ||
        network_linear(encoder, n->context, s->hidden, s->code) != 0)
        return -1;
    if (network_linear(decoder, n->context, s->code, s->hidden) != 0 || network_relu(decoder, n->context) != 0)
        return -1;
    return network_linear(decoder, n->context, s->hidden, values);
}

/* Half the steps, then the code's channels at each of them. */
static int network_convolutions(const ts_network *n, const ts_settings *s, lstmae_module *encoder,
                                lstmae_module *decoder)
{
    lstmae_context *c = n->context;
    if (network_permute(encoder, c) != 0 || network_conv(encoder, c, n->channels, s->hidden, 2, 0, 0) != 0 ||
        network_relu(encoder, c) != 0 || network_conv(encoder, c, s->hidden, s->code, 1, 0, 0) != 0)
        return -1;
    if (network_conv(decoder, c, s->code, s->hidden, 1, 1, 0) != 0 || network_relu(decoder, c) != 0 ||
        network_conv(decoder, c, s->hidden, n->channels, 2, 1, (n->window + 1) % 2) != 0)
        return -1;
    return network_permute(decoder, c);
}

/* What principal components make of a window is a linear layer, and the way back is another. */
static int network_linear_pair(const ts_network *n, const ts_settings *s, lstmae_module *encoder,
                               lstmae_module *decoder)
{
    int64_t values = n->window * n->channels;
    if (s->code > values)
        return ex_fail("--code: expected at most the %lld values of a window, got %lld", (long long)values,
                       (long long)s->code);
    if (network_linear(encoder, n->context, values, s->code) != 0) return -1;
    return network_linear(decoder, n->context, s->code, values);
}

static int network_chains(const ts_network *n, const ts_settings *s, lstmae_module *encoder, lstmae_module *decoder)
{
    if (n->kind == TS_DENSE) return network_dense(n, s, encoder, decoder);
    if (n->kind == TS_LINEAR) return network_linear_pair(n, s, encoder, decoder);
    return network_convolutions(n, s, encoder, decoder);
}

static int network_layers(ts_network *n, const ts_settings *s)
{
    lstmae_module *encoder = NULL, *decoder = NULL;
    int result = ex_status(lstmae_sequential_create(&encoder, n->context));
    if (result == 0) result = ex_status(lstmae_sequential_create(&decoder, n->context));
    if (result == 0) result = network_chains(n, s, encoder, decoder);
    n->code = n->kind == TS_CONV ? s->code * ((n->window + 1) / 2) : s->code;
    if (result == 0) result = ex_status(lstmae_autoencoder_create(&n->layers, encoder, decoder, NULL));
    if (n->layers == NULL) {
        lstmae_module_destroy(encoder);
        lstmae_module_destroy(decoder);
        return -1;
    }
    return ex_status(lstmae_task_autoencoder(&n->task, lstmae_autoencoder_module(n->layers), n->loss));
}

/* ---- all kinds ---- */

int ts_network_create(ts_network *n, lstmae_context *context, const ts_settings *s, int64_t channels)
{
    lstmae_loss_options loss = LSTMAE_LOSS_OPTIONS_INIT;
    lstmae_optimizer_options adam = LSTMAE_ADAM_OPTIONS_INIT;
    memset(n, 0, sizeof *n);
    n->context = context;
    n->kind = s->kind;
    n->window = s->window;
    n->channels = channels;
    loss.kind = s->loss;
    EX_TRY(lstmae_loss_create(&n->loss, context, &loss));
    if ((s->kind == TS_LSTM || s->kind == TS_VAE ? network_sequence(n, s) : network_layers(n, s)) != 0) return -1;
    adam.lr = s->lr;
    return ex_status(lstmae_optimizer_create(&n->optimizer, ts_network_module(n), &adam));
}

void ts_network_destroy(ts_network *n)
{
    lstmae_tensor_destroy(n->x);
    lstmae_tensor_destroy(n->y);
    lstmae_tensor_destroy(n->codes);
    lstmae_optimizer_destroy(n->optimizer);
    lstmae_task_destroy(n->task);
    lstmae_loss_destroy(n->loss);
    lstmae_autoencoder_destroy(n->layers);
    lstmae_seq2seq_destroy(n->sequence);
    free(n->values);
    memset(n, 0, sizeof *n);
}

lstmae_module *ts_network_module(const ts_network *n)
{
    return n->sequence != NULL ? lstmae_seq2seq_module(n->sequence) : lstmae_autoencoder_module(n->layers);
}

/* Windows are rows of numbers to it. */
static int network_flat(const ts_network *n)
{
    return n->kind == TS_DENSE || n->kind == TS_LINEAR;
}

int ts_network_loader(const ts_network *n, lstmae_loader **out, lstmae_dataset *windows, int64_t batch, int shuffle,
                      uint64_t seed)
{
    const int64_t flat = n->window * n->channels;
    lstmae_loader_options options = LSTMAE_LOADER_OPTIONS_INIT;
    lstmae_dataset *shaped = NULL;
    options.flags = (shuffle ? LSTMAE_LOADER_SHUFFLE : 0) | (n->sequence != NULL ? LSTMAE_LOADER_TIME_MAJOR : 0);
    options.batch = batch;
    options.seed = seed;
    if (!network_flat(n)) return ex_status(lstmae_loader_create(out, n->context, windows, &options));
    EX_TRY(lstmae_dataset_reshape(&shaped, windows, 1, &flat));
    int result = ex_status(lstmae_loader_create(out, n->context, shaped, &options));
    lstmae_dataset_destroy(shaped);
    return result;
}

/* ---- principal components ---- */

static int network_write_param(const ts_network *n, size_t index, const float *values, int64_t count)
{
    lstmae_tensor *param = lstmae_module_param(ts_network_module(n), index);
    return ex_status(lstmae_tensor_write(param, values, (size_t)count * sizeof *values));
}

/* code = P (x - mean) and x = P' code + mean, P [K,D]. */
static int network_set_linear(const ts_network *n, const lstmae_pca *pca, float *values)
{
    const double *p = lstmae_pca_components(pca), *mean = lstmae_pca_mean(pca);
    int64_t K = lstmae_pca_count(pca), D = lstmae_pca_width(pca);
    for (int64_t i = 0; i < K * D; i++) values[i] = (float)p[i];
    if (network_write_param(n, 0, values, K * D) != 0) return -1;
    for (int64_t i = 0; i < K * D; i++) values[i % D * K + i / D] = (float)p[i];
    if (network_write_param(n, 2, values, K * D) != 0) return -1;
    for (int64_t d = 0; d < D; d++) values[d] = (float)mean[d];
    if (network_write_param(n, 3, values, D) != 0) return -1;
    for (int64_t k = 0; k < K; k++) {
        double sum = 0;
        for (int64_t d = 0; d < D; d++) sum += p[k * D + d] * mean[d];
        values[k] = (float)-sum;
    }
    return network_write_param(n, 1, values, K);
}

int ts_network_fit_linear(ts_network *n, const lstmae_dataset *windows)
{
    const int64_t dims[2] = {lstmae_dataset_count(windows), n->window * n->channels};
    size_t count = (size_t)(dims[0] > n->code ? dims[0] : n->code) * (size_t)dims[1];
    float *values = malloc(count * sizeof *values);
    lstmae_tensor *data = NULL;
    lstmae_pca *pca = NULL;
    int result = values != NULL ? 0 : ex_fail("out of memory for %lld windows", (long long)dims[0]);
    for (int64_t i = 0; i < dims[0] && result == 0; i++)
        result = ex_status(lstmae_dataset_read(windows, i, values + i * dims[1], (size_t)dims[1]));
    if (result == 0) result = ex_status(lstmae_tensor_create(&data, n->context, LSTMAE_F32, 2, dims));
    if (result == 0)
        result = ex_status(lstmae_tensor_write(data, values, (size_t)(dims[0] * dims[1]) * sizeof *values));
    if (result == 0) result = ex_status(lstmae_pca_create(&pca, data, n->code));
    if (result == 0) result = network_set_linear(n, pca, values);
    lstmae_pca_destroy(pca);
    lstmae_tensor_destroy(data);
    free(values);
    return result;
}

/* ---- use ---- */

/* Room for `count` windows at once. */
static int network_reserve(ts_network *n, int64_t count)
{
    const int64_t time_major[3] = {n->window, count, n->channels}, windows[3] = {count, n->window, n->channels};
    const int64_t flat[2] = {count, n->window * n->channels}, codes[2] = {count, n->code};
    if (n->batch == count) return 0;
    n->batch = 0;
    lstmae_tensor **tensors[3] = {&n->x, &n->y, &n->codes};
    for (int i = 0; i < 3; i++) {
        lstmae_tensor_destroy(*tensors[i]);
        *tensors[i] = NULL;
    }
    free(n->values);
    n->values = malloc((size_t)(count * flat[1]) * sizeof(float));
    if (n->values == NULL) return ex_fail("out of memory for %lld windows", (long long)count);
    int ndim = network_flat(n) ? 2 : 3;
    const int64_t *dims = n->sequence != NULL ? time_major : network_flat(n) ? flat : windows;
    EX_TRY(lstmae_tensor_create(&n->x, n->context, LSTMAE_F32, ndim, dims));
    EX_TRY(lstmae_tensor_create(&n->y, n->context, LSTMAE_F32, ndim, dims));
    EX_TRY(lstmae_tensor_create(&n->codes, n->context, LSTMAE_F32, 2, codes));
    n->batch = count;
    return 0;
}

static int network_write(ts_network *n, const float *rows, int64_t count)
{
    int64_t T = n->window, C = n->channels;
    if (network_reserve(n, count) != 0) return -1;
    for (int64_t b = 0; b < count; b++) {
        for (int64_t t = 0; t < T; t++) {
            float *to = n->values + (n->sequence != NULL ? t * count + b : b * T + t) * C;
            memcpy(to, rows + (b + t) * C, (size_t)C * sizeof *to);
        }
    }
    return ex_status(lstmae_tensor_write(n->x, n->values, (size_t)(count * T * C) * sizeof(float)));
}

int ts_network_reconstruct(ts_network *n, const float *rows, int64_t count, float *out)
{
    int64_t T = n->window, C = n->channels;
    size_t bytes = (size_t)(count * T * C) * sizeof *out;
    if (network_write(n, rows, count) != 0) return -1;
    if (n->sequence == NULL) {
        const lstmae_tensor *y;
        EX_TRY(lstmae_autoencoder_reconstruct(n->layers, n->x, &y));
        return ex_status(lstmae_tensor_read(y, out, bytes));
    }
    EX_TRY(lstmae_seq2seq_reconstruct(n->sequence, n->x, n->y));
    EX_TRY(lstmae_tensor_read(n->y, n->values, bytes));
    for (int64_t b = 0; b < count; b++)
        for (int64_t t = 0; t < T; t++)
            memcpy(out + (b * T + t) * C, n->values + (t * count + b) * C, (size_t)C * sizeof *out);
    return 0;
}

int ts_network_encode(ts_network *n, const float *rows, int64_t count, float *out)
{
    size_t bytes = (size_t)(count * n->code) * sizeof *out;
    if (network_write(n, rows, count) != 0) return -1;
    if (n->sequence == NULL) {
        const lstmae_tensor *codes;
        EX_TRY(lstmae_autoencoder_encode(n->layers, n->x, &codes));
        return ex_status(lstmae_tensor_read(codes, out, bytes));
    }
    EX_TRY(lstmae_seq2seq_encode(n->sequence, n->x, n->codes));
    return ex_status(lstmae_tensor_read(n->codes, out, bytes));
}
