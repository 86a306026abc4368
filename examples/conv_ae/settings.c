#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lstmae/lstmae.h>

#include "../common/device.h"
#include "../common/files.h"
#include "../common/report.h"

#define SETTINGS_OPTIONS 48
#define SETTINGS_MANY 1e15 /* upper bound of counts */

/* Updates in an epoch, at least, where the size of a batch is left to the program. */
#define SETTINGS_UPDATES 50

/* ---- defaults ---- */

/* The tutorial's settings, but for the number of epochs: 500 there. */
static void defaults_common(ca_settings *s)
{
    s->images = 2000;
    s->validation = 5000;
    s->split_seed = 42;
    s->latent = 128;
    s->beta = 1;
    s->epochs = 10;
    s->lr = 1e-3;
    s->lr_factor = 0.2;
    s->lr_patience = 20;
    s->min_lr = 5e-5;
    s->noise_amount = 0.3;
    s->count = 10;
    s->neighbors = 8;
    s->embeddings = 20000;
    snprintf(s->out, sizeof s->out, "conv_ae_out");
    snprintf(s->device, sizeof s->device, "auto");
    snprintf(s->latents, sizeof s->latents, "64,128,256,384");
}

static void settings_defaults(ca_settings *s, int dataset, int model)
{
    memset(s, 0, sizeof *s);
    defaults_common(s);
    s->dataset = dataset;
    s->model = model;
    if (model == CA_MNIST_CONV) s->latent = 256 * 7 * 7;
    if (model == CA_MNIST_LINEAR) s->latent = 20;
    if (model == CA_VAE) {
        s->latent = 20;
        s->epochs = 40;
    }
    if (model == CA_DENOISING) s->noise = 1 + LSTMAE_NOISE_MASKING;
    if (model == CA_STACKED) {
        s->latent = 30;
        s->pretrain_epochs = 5;
    }
}

/* ---- the table of options ---- */

static void settings_table(ca_settings *s, ex_option *table)
{
    const unsigned local = EX_OPTION_LOCAL, internal = EX_OPTION_INTERNAL;
    const double many = SETTINGS_MANY;
    const ex_option all[] = {
        {NULL, EX_HEADING, 0, NULL, 0, 0, NULL, "This run"},
        {"out", EX_TEXT, local, s->out, 0, 0, NULL, "folder for what is written; made if need be"},
        {"from", EX_TEXT, local, s->from, 0, 0, NULL, "trained model to use; none: the one in --out"},
        {"resume", EX_TEXT, local, s->resume, 0, 0, NULL, "train: checkpoint to continue, with its settings"},
        {"device", EX_TEXT, local, s->device, 0, 0, NULL, EX_DEVICES_HELP},
        {"precision", EX_CHOICE, local, &s->precision, 0, 0, EX_PRECISIONS, EX_PRECISIONS_HELP},
        {"threads", EX_INT, local, &s->threads, 0, 4096, NULL, "worker threads; 0: one per core"},
        {"seed", EX_INT, 0, &s->seed, 0, many, NULL, "of weights, order of images and noise"},
        {NULL, EX_HEADING, 0, NULL, 0, 0, NULL, "Images"},
        {"dataset", EX_CHOICE, 0, &s->dataset, 0, 0, CA_DATASETS, "what the images are"},
        {"data", EX_TEXT, 0, s->data, 0, 0, NULL,
         "folder with the files: CIFAR-10 binary batches, IDX files of MNIST or Fashion-MNIST, gzipped or not, or PNG "
         "images of one size, in subfolders by class or not; without it small images are drawn"},
        {"images", EX_INT, 0, &s->images, 40, 10000000, NULL, "images drawn where there is no --data"},
        {"validation", EX_INT, 0, &s->validation, 1, 10000000, NULL,
         "images held out of training; at most a tenth of all"},
        {"split-seed", EX_INT, 0, &s->split_seed, 0, many, NULL, "of the choice of these"},
        {NULL, EX_HEADING, 0, NULL, 0, 0, NULL, "Model"},
        {"model", EX_CHOICE, 0, &s->model, 0, 0, CA_MODELS, "which network; sets the other numbers' defaults"},
        {"latent", EX_INT, 0, &s->latent, 1, 65536, NULL, "numbers in a code; mnist-conv has a shape of its own"},
        {"noise", EX_CHOICE, 0, &s->noise, 0, 0, CA_NOISES, "on the input in training"},
        {"noise-amount", EX_REAL, 0, &s->noise_amount, 0, 10, NULL, "its deviation, or share of the pixels"},
        {"beta", EX_REAL, 0, &s->beta, 0, 1e6, NULL, "vae: weight of the divergence from the prior"},
        {"kl-warmup", EX_INT, 0, &s->kl_warmup, 0, many, NULL, "vae: updates over which that weight rises"},
        {NULL, EX_HEADING, 0, NULL, 0, 0, NULL, "train, sweep"},
        {"epochs", EX_INT, 0, &s->epochs, 1, 1000000, NULL, "times through the training images"},
        {"pretrain-epochs", EX_INT, 0, &s->pretrain_epochs, 0, 1000000, NULL,
         "stacked: of each layer by itself before; 0: none"},
        {"batch", EX_INT, 0, &s->batch, 0, 65536, NULL,
         "images per update; 0: 256, or 128 of vae, denoising and stacked, and fewer where there are few"},
        {"lr", EX_REAL, 0, &s->lr, 0, 1e6, NULL, "Adam's learning rate at first"},
        {"lr-factor", EX_REAL, 0, &s->lr_factor, 1e-6, 0.999999, NULL, "it is multiplied by this on a plateau"},
        {"lr-patience", EX_INT, 0, &s->lr_patience, 0, 1000000, NULL, "epochs without improvement until then"},
        {"min-lr", EX_REAL, 0, &s->min_lr, 0, 1e6, NULL, "lowest learning rate"},
        {"save-every", EX_INT, local, &s->save_every, 0, 1000000, NULL,
         "epochs between checkpoints; 0: only on Ctrl-C"},
        {"latents", EX_TEXT, local, s->latents, 0, 0, NULL, "sweep: sizes of the code, with commas"},
        {NULL, EX_HEADING, 0, NULL, 0, 0, NULL, "Other sub-commands"},
        {"count", EX_INT, local, &s->count, 1, 1000, NULL, "images shown, samples drawn, queries"},
        {"neighbors", EX_INT, local, &s->neighbors, 1, 100, NULL, "similar: nearest images of each query"},
        {"metric", EX_CHOICE, local, &s->metric, 0, 0, CA_METRICS, "similar: how far codes are apart"},
        {"embeddings", EX_INT, local, &s->embeddings, 2, 10000000, NULL, "export-embeddings: images at most"},
        {"stage", EX_INT, internal, &s->done.stage, 0, 64, NULL, "stage of the training"},
        {"updates", EX_INT, internal, &s->done.updates, 0, many, NULL, "updates of the stages before"},
        {"elapsed", EX_REAL, internal, &s->done.elapsed, 0, 1e12, NULL, "seconds trained so far"},
        {"val-loss", EX_REAL, internal, &s->done.val_loss, -1e300, 1e300, NULL, "lowest validation loss"},
        {"loss-sum", EX_REAL, internal, &s->done.loss_sum, -1e300, 1e300, NULL, "losses of the epoch that has begun"},
        {"loss-count", EX_INT, internal, &s->done.loss_count, 0, many, NULL, "updates of that epoch"},
        EX_END};
    _Static_assert(sizeof all / sizeof all[0] <= SETTINGS_OPTIONS, "the table's size is SETTINGS_OPTIONS");
    memcpy(table, all, sizeof all);
}

static void settings_help(const ex_option *table)
{
    printf("Trains autoencoders on images and looks at what they have learnt.\n\n"
           "usage: %s COMMAND [--option value]...\n\n"
           "  train              trains a model; Ctrl-C saves a checkpoint and says how to continue\n"
           "  eval               test loss, PSNR and SSIM of a trained model\n"
           "  sweep              trains one for each size of the code: table, CSV and plot of the test losses\n"
           "  reconstruct        test images and what the model makes of them\n"
           "  ood                the same for noise and patterns such as it has never seen\n"
           "  sample             images from random codes, or from the prior of a vae\n"
           "  similar            the training images whose codes are nearest to those of test images\n"
           "  export-embeddings  codes for TensorBoard's projector, as CSV and as .npy\n\n"
           "In brackets: the values of this model; 'train --model vae --help' shows those of another. Commands after\n"
           "train take the settings of the model they use.\n",
           ex_program());
    ex_options_help(table);
}

/* ---- reading ---- */

/* A training that is continued goes on writing where its checkpoint is. */
static int settings_resume(ca_settings *s, const char *path)
{
    if (strlen(path) >= sizeof s->resume) return ex_fail("--resume: the path is too long");
    if (ca_settings_load(s, path) != 0) return -1;
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        snprintf(s->out, sizeof s->out, ".");
    else
        snprintf(s->out, sizeof s->out, "%.*s", (int)(slash == path ? 1 : slash - path), path);
    return 0;
}

/* What a trained model was made with; the options of this run stay. */
static int settings_use(ca_settings *s, int argc, char **argv)
{
    const char *from = ex_options_peek("from", argc, argv), *out = ex_options_peek("out", argc, argv);
    char path[EX_PATH_SIZE];
    if (from == NULL && ex_path(path, sizeof path, out != NULL ? out : s->out, CA_MODEL_FILE) != 0) return -1;
    return ca_settings_load(s, from != NULL ? from : path);
}

int ca_settings_load(ca_settings *s, const char *path)
{
    ex_option table[SETTINGS_OPTIONS];
    char *text = NULL;
    settings_table(s, table);
    EX_TRY(lstmae_checkpoint_config(path, &text));
    int result = text[0] != '\0' ? ex_options_load(table, text, path)
                                 : ex_fail("%s: not a file of this program", path);
    lstmae_checkpoint_config_free(text);
    return result;
}

/* The network of a file is what it is. */
static int settings_check_kept(int argc, char **argv)
{
    static const char *const kept[] = {"model", "latent"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (ex_options_peek(kept[i], argc, argv) != NULL)
            return ex_fail("--%s: a model that was trained keeps its own", kept[i]);
    }
    return 0;
}

static int settings_check(const ca_settings *s)
{
    if (s->min_lr > s->lr) return ex_fail("--min-lr: expected at most --lr %g, got %g", s->lr, s->min_lr);
    if (s->noise > 1 && s->noise_amount > 1)
        return ex_fail("--noise-amount: expected a share of the pixels, at most 1, got %g", s->noise_amount);
    if (s->model == CA_MNIST_CONV && s->latent != 256 * 7 * 7)
        return ex_fail("--latent: the code of mnist-conv has a size of its own");
    if (s->command != CA_SWEEP) return 0;
    if (s->model == CA_MNIST_CONV) return ex_fail("sweep: the code of mnist-conv has one size");
    return ca_settings_latents(s, NULL) < 0 ? -1 : 0;
}

void ca_settings_settle(ca_settings *s, int64_t images)
{
    const int64_t own = s->model == CA_VAE || s->model == CA_DENOISING || s->model == CA_STACKED ? 128 : 256;
    const int64_t most = images / SETTINGS_UPDATES > 1 ? images / SETTINGS_UPDATES : 1;
    if (s->batch == 0) s->batch = own < most ? own : most;
}

int ca_settings_latents(const ca_settings *s, int64_t latents[CA_SWEEP_MOST])
{
    const char *at = s->latents;
    char *end;
    int count = 0;
    for (; *at != '\0'; at = end) {
        long long latent = strtoll(at, &end, 10);
        if (end == at || (*end != ',' && *end != '\0') || latent < 1 || latent > 65536)
            return ex_fail("--latents: expected sizes from 1 to 65536 with commas, got '%s'", s->latents);
        if (count == CA_SWEEP_MOST) return ex_fail("--latents: expected at most %d sizes", CA_SWEEP_MOST);
        if (latents != NULL) latents[count] = latent;
        count++;
        if (*end == ',') end++;
    }
    return count > 0 ? count : ex_fail("--latents: expected at least one size");
}

static int settings_asks_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return 1;
    }
    return argc < 2;
}

/* Position of an option's word that decides the defaults of others; -1 after a message. */
static int settings_peek(const char *name, const char *words, int fallback, int argc, char **argv)
{
    const char *word = ex_options_peek(name, argc, argv);
    int index = word != NULL ? ex_word_index(words, word) : fallback;
    if (index < 0) ex_fail("--%s: expected %s, got '%s'", name, words, word);
    return index;
}

int ca_settings_read(ca_settings *s, int argc, char **argv)
{
    const char *resume = ex_options_peek("resume", argc, argv);
    int model = settings_peek("model", CA_MODELS, CA_UVA, argc, argv);
    int dataset = settings_peek("dataset", CA_DATASETS, model == CA_UVA ? CA_CIFAR10 : CA_MNIST, argc, argv);
    if (model < 0 || dataset < 0) return -1;
    ex_option table[SETTINGS_OPTIONS];
    settings_defaults(s, dataset, model);
    settings_table(s, table);
    if (settings_asks_help(argc, argv)) {
        settings_help(table);
        return 1;
    }
    int command = ex_word_index(CA_COMMANDS, argv[1]);
    if (command < 0) return ex_fail("expected a command, %s, got '%s'; --help explains them", CA_COMMANDS, argv[1]);
    s->command = command;
    if (resume != NULL && command != CA_TRAIN) return ex_fail("--resume: belongs to train");
    int uses = command != CA_TRAIN && command != CA_SWEEP;
    if ((uses || resume != NULL) && settings_check_kept(argc, argv) != 0) return -1;
    if (resume != NULL && settings_resume(s, resume) != 0) return -2;
    if (uses && settings_use(s, argc, argv) != 0) return -2;
    if (ex_options_parse(table, argc - 1, argv + 1) != 0) return -1;
    return settings_check(s);
}

char *ca_settings_text(ca_settings *s)
{
    ex_option table[SETTINGS_OPTIONS];
    settings_table(s, table);
    return ex_options_save(table);
}
