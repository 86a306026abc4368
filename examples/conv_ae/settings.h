/* What one run of the program does: sub-command, options, and the text that a checkpoint carries. */
#ifndef CA_SETTINGS_H
#define CA_SETTINGS_H

#include "../common/options.h"

#define CA_COMMANDS "train|eval|sweep|reconstruct|ood|sample|similar|export-embeddings"
enum { CA_TRAIN, CA_EVAL, CA_SWEEP, CA_RECONSTRUCT, CA_OOD, CA_SAMPLE, CA_SIMILAR, CA_EXPORT };

#define CA_DATASETS "cifar10|mnist|fashion|images"
enum { CA_CIFAR10, CA_MNIST, CA_FASHION, CA_IMAGES };

#define CA_MODELS "uva|mnist-conv|mnist-linear|vae|denoising|stacked"
enum { CA_UVA, CA_MNIST_CONV, CA_MNIST_LINEAR, CA_VAE, CA_DENOISING, CA_STACKED };

/** The first word, then the library's kinds of noise. */
#define CA_NOISES "none|gaussian|masking|salt-pepper"

#define CA_METRICS "euclidean|cosine"

#define CA_SWEEP_MOST 32

#define CA_MODEL_FILE "model.safetensors"
#define CA_CHECKPOINT_FILE "checkpoint.safetensors"

/** How far a training is: kept in checkpoints. */
typedef struct ca_done {
    int64_t stage;   /* what is trained: layers of a stacked autoencoder, then the whole */
    int64_t updates; /* of the stages before */
    double elapsed;  /* seconds of training before this run */
    double val_loss; /* lowest validation loss of the last stage; 0 before it ended */
    double loss_sum; /* of the updates since the last validation */
    int64_t loss_count;
} ca_done;

typedef struct ca_settings {
    int command;
    char out[EX_TEXT_SIZE], from[EX_TEXT_SIZE], resume[EX_TEXT_SIZE], data[EX_TEXT_SIZE], device[EX_TEXT_SIZE];
    int precision; /* lstmae_precision */
    int64_t seed, threads;

    int dataset, model;
    int64_t images, validation, split_seed;

    int64_t latent, pretrain_epochs;
    int noise;
    double noise_amount, beta;
    int64_t kl_warmup;

    int64_t epochs, batch, lr_patience, save_every; /* batch 0: see ca_settings_settle() */
    double lr, lr_factor, min_lr;

    char latents[EX_TEXT_SIZE];
    int64_t count, neighbors, embeddings;
    int metric;

    ca_done done;
} ca_settings;

/**
 * Fills the settings: defaults of model and data set, then those of the file to resume or to use, then the command
 * line.
 * Returns 0; 1 when the help was printed; -1 after a message about the options, -2 about the file.
 */
int ca_settings_read(ca_settings *settings, int argc, char **argv);

/** Fills what depends on the number of images to train on. */
void ca_settings_settle(ca_settings *settings, int64_t images);

/** The settings as text for a checkpoint, to be freed; NULL when memory ends. */
char *ca_settings_text(ca_settings *settings);

/** Takes over the settings of a checkpoint or model file, but those of this run. */
int ca_settings_load(ca_settings *settings, const char *path);

/** The sizes of a sweep and their number, or -1 after a message; `latents` may be NULL. */
int ca_settings_latents(const ca_settings *settings, int64_t latents[CA_SWEEP_MOST]);

#endif
