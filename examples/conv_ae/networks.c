/*
 * uva           University of Amsterdam deep learning course, tutorial 9: strided convolutions and GELU down to an
 *               eighth of the sides, a linear code, transposed convolutions back; tanh at the end
 * mnist-conv    convolutions with batch norm after ReLU and maximum pooling, transposed convolutions back; its code are
 *               256 channels at a quarter of the sides
 * mnist-linear  one linear layer each way
 * vae           512 ReLU units each way and a normal latent; cross-entropy
 * denoising     grey images: 512 and 128 ReLU units each way; colour images: the layers of uva
 * stacked       1000, 500, 250 sigmoid units and a code, trained layer by layer first (Hinton and Salakhutdinov,
 *               Science 2006, with autoencoders in place of their Boltzmann machines)
 */
#include "networks.h"

#include <stdio.h>

#include "../common/report.h"

enum { UVA_CHANNELS = 32, VAE_UNITS = 512, DENOISING_UNITS = 128 };

/* A chain under construction: the first failure is kept, what follows is destroyed. */
typedef struct chain {
    lstmae_context *context;
    lstmae_module *module;
    lstmae_status status;
} chain;

static chain chain_begin(lstmae_context *context)
{
    chain c = {context, NULL, LSTMAE_OK};
    c.status = lstmae_sequential_create(&c.module, context);
    return c;
}

/* Appends what a creation gave. */
static void chain_add(chain *c, lstmae_status created, lstmae_module **part)
{
    if (c->status == LSTMAE_OK) c->status = created;
    if (c->status == LSTMAE_OK) c->status = lstmae_sequential_append(c->module, *part);
    if (c->status != LSTMAE_OK) lstmae_module_destroy(*part);
}

static void chain_linear(chain *c, int64_t in, int64_t out)
{
    lstmae_module *part = NULL;
    chain_add(c, lstmae_linear_create(&part, c->context, in, out, 0), &part);
}

static void chain_activation(chain *c, lstmae_activation kind)
{
    lstmae_module *part = NULL;
    chain_add(c, lstmae_activation_create(&part, c->context, kind), &part);
}

static void chain_flatten(chain *c)
{
    lstmae_module *part = NULL;
    chain_add(c, lstmae_flatten_create(&part, c->context, 1, -1), &part);
}

static void chain_unflatten(chain *c, int64_t channels, int64_t height, int64_t width)
{
    const int64_t dims[3] = {channels, height, width};
    lstmae_module *part = NULL;
    chain_add(c, lstmae_unflatten_create(&part, c->context, 1, 3, dims), &part);
}

/* 3x3 with padding 1. */
static void chain_conv(chain *c, int64_t in, int64_t out, int64_t stride)
{
    lstmae_module *part = NULL;
    lstmae_conv_options options = LSTMAE_CONV_OPTIONS_INIT;
    options.padding[0] = options.padding[1] = 1;
    options.stride[0] = options.stride[1] = stride;
    chain_add(c, lstmae_conv2d_create(&part, c->context, in, out, &options), &part);
}

/* The reverse, from sides `from` to `to`: what the stride leaves open is output padding. */
static void chain_up(chain *c, int64_t in, int64_t out, int64_t stride, const int64_t from[2], const int64_t to[2])
{
    lstmae_module *part = NULL;
    lstmae_conv_options options = LSTMAE_CONV_OPTIONS_INIT;
    for (int i = 0; i < 2; i++) {
        options.padding[i] = 1;
        options.stride[i] = stride;
        options.output_padding[i] = to[i] - ((from[i] - 1) * stride + 1);
    }
    chain_add(c, lstmae_conv_transpose2d_create(&part, c->context, in, out, &options), &part);
}

static void chain_norm(chain *c, int64_t channels)
{
    lstmae_module *part = NULL;
    chain_add(c, lstmae_batch_norm_create(&part, c->context, channels, NULL), &part);
}

static void chain_pool(chain *c)
{
    lstmae_module *part = NULL;
    chain_add(c, lstmae_max_pool2d_create(&part, c->context, NULL), &part);
}

/* ---- the networks ---- */

typedef struct network {
    const ca_settings *settings;
    lstmae_context *context;
    const int64_t *dims; /* C, H, W */
    int64_t pixels;
    chain encoder, decoder;
} network;

/* Sides after each halving by a strided convolution, [0] those of the image. */
static void uva_sides(const int64_t *dims, int64_t sides[4][2])
{
    for (int i = 0; i < 2; i++) {
        sides[0][i] = dims[1 + i];
        for (int level = 1; level < 4; level++) sides[level][i] = (sides[level - 1][i] + 1) / 2;
    }
}

static void network_uva(network *n)
{
    const int64_t c = UVA_CHANNELS, latent = n->settings->latent, in = n->dims[0];
    int64_t sides[4][2];
    uva_sides(n->dims, sides);
    const int64_t widths[][3] = {{in, c, 2}, {c, c, 1}, {c, 2 * c, 2}, {2 * c, 2 * c, 1}, {2 * c, 2 * c, 2}};
    for (int i = 0; i < 5; i++) {
        chain_conv(&n->encoder, widths[i][0], widths[i][1], widths[i][2]);
        chain_activation(&n->encoder, LSTMAE_ACTIVATION_GELU);
    }
    const int64_t flat = 2 * c * sides[3][0] * sides[3][1];
    chain_flatten(&n->encoder);
    chain_linear(&n->encoder, flat, latent);
    chain_linear(&n->decoder, latent, flat);
    chain_activation(&n->decoder, LSTMAE_ACTIVATION_GELU);
    chain_unflatten(&n->decoder, 2 * c, sides[3][0], sides[3][1]);
    chain_up(&n->decoder, 2 * c, 2 * c, 2, sides[3], sides[2]);
    chain_activation(&n->decoder, LSTMAE_ACTIVATION_GELU);
    chain_conv(&n->decoder, 2 * c, 2 * c, 1);
    chain_activation(&n->decoder, LSTMAE_ACTIVATION_GELU);
    chain_up(&n->decoder, 2 * c, c, 2, sides[2], sides[1]);
    chain_activation(&n->decoder, LSTMAE_ACTIVATION_GELU);
    chain_conv(&n->decoder, c, c, 1);
    chain_activation(&n->decoder, LSTMAE_ACTIVATION_GELU);
    chain_up(&n->decoder, c, in, 2, sides[1], sides[0]);
    chain_activation(&n->decoder, LSTMAE_ACTIVATION_TANH);
}

static void network_mnist_conv(network *n)
{
    const int64_t down[4][2] = {{n->dims[0], 16}, {16, 32}, {32, 64}, {64, 128}};
    const int64_t up[4][2] = {{256, 128}, {128, 64}, {64, 16}, {16, n->dims[0]}};
    int64_t sides[3][2]; /* of the image, after each pooling */
    for (int i = 0; i < 2; i++) {
        for (int level = 0; level < 3; level++) sides[level][i] = n->dims[1 + i] >> level;
    }
    for (int i = 0; i < 4; i++) {
        chain_conv(&n->encoder, down[i][0], down[i][1], 1);
        chain_activation(&n->encoder, LSTMAE_ACTIVATION_RELU);
        chain_norm(&n->encoder, down[i][1]);
        if (i >= 2) chain_pool(&n->encoder);
    }
    chain_conv(&n->encoder, 128, 256, 1);
    chain_activation(&n->encoder, LSTMAE_ACTIVATION_RELU);
    for (int i = 0; i < 4; i++) {
        const int64_t *from = sides[i == 0 ? 2 : 1], *to = sides[i < 3 ? 1 : 0];
        chain_up(&n->decoder, up[i][0], up[i][1], i == 0 || i == 3 ? 2 : 1, from, to);
        chain_activation(&n->decoder, LSTMAE_ACTIVATION_RELU);
        if (i < 3) chain_norm(&n->decoder, up[i][1]);
    }
}

/* Linear layers of these widths with ReLU between them, from images and back. */
static void network_dense(network *n, const int64_t *widths, int count)
{
    chain_flatten(&n->encoder);
    for (int i = 0; i + 1 < count; i++) {
        chain_linear(&n->encoder, widths[i], widths[i + 1]);
        if (i + 2 < count) chain_activation(&n->encoder, LSTMAE_ACTIVATION_RELU);
    }
    for (int i = count - 1; i > 0; i--) {
        chain_linear(&n->decoder, widths[i], widths[i - 1]);
        if (i > 1) chain_activation(&n->decoder, LSTMAE_ACTIVATION_RELU);
    }
    chain_unflatten(&n->decoder, n->dims[0], n->dims[1], n->dims[2]);
}

/* The latent's heads are the encoder's last layer. */
static void network_vae(network *n)
{
    chain_flatten(&n->encoder);
    chain_linear(&n->encoder, n->pixels, VAE_UNITS);
    chain_activation(&n->encoder, LSTMAE_ACTIVATION_RELU);
    chain_linear(&n->decoder, n->settings->latent, VAE_UNITS);
    chain_activation(&n->decoder, LSTMAE_ACTIVATION_RELU);
    chain_linear(&n->decoder, VAE_UNITS, n->pixels);
    chain_unflatten(&n->decoder, n->dims[0], n->dims[1], n->dims[2]);
}

static void network_layers(network *n)
{
    const int64_t latent = n->settings->latent;
    const int64_t denoising[] = {n->pixels, VAE_UNITS, DENOISING_UNITS, latent}, linear[] = {n->pixels, latent};
    switch (n->settings->model) {
    case CA_UVA: network_uva(n); break;
    case CA_MNIST_CONV: network_mnist_conv(n); break;
    case CA_MNIST_LINEAR: network_dense(n, linear, 2); break;
    case CA_VAE: network_vae(n); break;
    default:
        if (ca_network_signed(n->settings)) network_uva(n);
        else network_dense(n, denoising, 4);
        break;
    }
}

/* ---- making them ---- */

/* What the settings say of noise and latent; the pointers are into the structs given. */
static lstmae_autoencoder_options network_options(const ca_settings *s, lstmae_noise_options *noise,
                                                  lstmae_latent_options *latent, double low)
{
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    if (s->noise > 0) {
        noise->kind = s->noise - 1;
        noise->amount = s->noise_amount;
        noise->low = low;
        options.noise = noise;
    }
    if (s->model == CA_VAE) {
        latent->size = s->latent;
        latent->features = VAE_UNITS;
        latent->beta = s->beta;
        latent->warmup = s->kl_warmup;
        options.latent = latent;
    }
    if (ca_network_logits(s)) options.output = LSTMAE_ACTIVATION_SIGMOID;
    return options;
}

/* Each layer a linear map and a sigmoid both ways, but for the code itself and the image, which are not bent. */
static int network_stacked(lstmae_autoencoder **out, const network *n, const lstmae_autoencoder_options *options)
{
    const int64_t widths[CA_STACK_LAYERS + 1] = {n->pixels, 1000, 500, 250, n->settings->latent};
    lstmae_module *encoders[CA_STACK_LAYERS] = {NULL}, *decoders[CA_STACK_LAYERS] = {NULL};
    lstmae_status status = LSTMAE_OK;
    for (int i = 0; i < CA_STACK_LAYERS; i++) {
        chain encoder = chain_begin(n->context), decoder = chain_begin(n->context);
        if (i == 0) chain_flatten(&encoder);
        chain_linear(&encoder, widths[i], widths[i + 1]);
        if (i + 1 < CA_STACK_LAYERS) chain_activation(&encoder, LSTMAE_ACTIVATION_SIGMOID);
        chain_linear(&decoder, widths[i + 1], widths[i]);
        if (i > 0) chain_activation(&decoder, LSTMAE_ACTIVATION_SIGMOID);
        if (i == 0) chain_unflatten(&decoder, n->dims[0], n->dims[1], n->dims[2]);
        encoders[i] = encoder.module;
        decoders[i] = decoder.module;
        if (status == LSTMAE_OK) status = encoder.status;
        if (status == LSTMAE_OK) status = decoder.status;
    }
    if (status == LSTMAE_OK)
        status = lstmae_autoencoder_create_stacked(out, encoders, decoders, CA_STACK_LAYERS, options);
    for (int i = 0; status != LSTMAE_OK && i < CA_STACK_LAYERS; i++) {
        lstmae_module_destroy(encoders[i]);
        lstmae_module_destroy(decoders[i]);
    }
    return ex_status(status);
}

static int network_check(const ca_settings *s, const int64_t dims[3])
{
    if (s->model == CA_MNIST_CONV && (dims[1] % 4 != 0 || dims[2] % 4 != 0))
        return ex_fail("--model mnist-conv: expected images with sides that 4 divides, got %lld by %lld",
                       (long long)dims[1], (long long)dims[2]);
    return 0;
}

int ca_network_create(lstmae_autoencoder **out, lstmae_context *context, const ca_settings *s, const int64_t dims[3])
{
    lstmae_noise_options noise = LSTMAE_NOISE_OPTIONS_INIT;
    lstmae_latent_options latent = LSTMAE_LATENT_OPTIONS_INIT;
    const double low = ca_network_signed(s) ? -1.0 : 0.0;
    const lstmae_autoencoder_options options = network_options(s, &noise, &latent, low);
    if (network_check(s, dims) != 0) return -1;
    network n = {s, context, dims, dims[0] * dims[1] * dims[2], {0}, {0}};
    if (s->model == CA_STACKED) return network_stacked(out, &n, &options);
    n.encoder = chain_begin(context);
    n.decoder = chain_begin(context);
    network_layers(&n);
    lstmae_status status = n.encoder.status != LSTMAE_OK ? n.encoder.status : n.decoder.status;
    if (status == LSTMAE_OK) status = lstmae_autoencoder_create(out, n.encoder.module, n.decoder.module, &options);
    if (status == LSTMAE_OK) return 0;
    lstmae_module_destroy(n.encoder.module);
    lstmae_module_destroy(n.decoder.module);
    return ex_status(status);
}

int ca_network_signed(const ca_settings *s)
{
    const int colour = s->dataset == CA_CIFAR10 || s->dataset == CA_IMAGES;
    return s->model == CA_UVA || (s->model == CA_DENOISING && colour);
}

int ca_network_logits(const ca_settings *s)
{
    return s->model == CA_VAE;
}
