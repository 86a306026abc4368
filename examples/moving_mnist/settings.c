#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/device.h"
#include "../common/files.h"
#include "../common/report.h"

#define SETTINGS_OPTIONS 56
#define SETTINGS_MANY 1e15 /* upper bound of counts */

/* ---- presets ---- */

/* One digit of our own in a small frame: minutes on two cores. demo2 is the same with two digits. */
static void preset_demo(mm_settings *s)
{
    s->frames_in = s->frames_out = 10;
    s->size = 32;
    s->digits = 1;
    s->digit_size = 24;
    s->glyphs = 2000;
    s->speed = 0.1;
    s->hidden = 256;
    s->layers = 1;
    s->forget_bias = 1;
    s->truth = s->rec_weight = s->pred_weight = 1;
    s->decoder_input = LSTMAE_INPUT_NOTHING;
    s->iterations = 4500;
    s->batch = 32;
    s->loss = LSTMAE_LOSS_MSE;
    s->optimizer = LSTMAE_ADAM;
    s->schedule = LSTMAE_SCHEDULE_COSINE;
    s->lr = 4e-3;
    s->lr_factor = 0.9;
    s->lr_period = 10000;
    s->warmup = -1;
    s->clip = 1;
    s->validate_every = 250;
    s->validate_sequences = 256;
    s->test_sequences = 1000;
    s->pictures = 4;
    snprintf(s->out, sizeof s->out, "moving_mnist_out");
    snprintf(s->device, sizeof s->device, "auto");
}

/* Two 28-pixel digits at 64 x 64, two layers of 2048, every frame fed back. */
static void preset_seed(mm_settings *s)
{
    s->size = 64;
    s->digits = 2;
    s->digit_size = 28;
    s->hidden = 2048;
    s->layers = 2;
    s->dropout = 0.1;
    s->forget_bias = 0;
    s->decoder_input = LSTMAE_INPUT_OUTPUT;
    s->iterations = 10000;
    s->batch = 128;
    s->schedule = LSTMAE_SCHEDULE_CONSTANT;
    s->lr = 5e-4;
    s->warmup = 0;
    s->clip = 0;
    s->save_every = 500;
}

/* Srivastava, Mansimov, Salakhutdinov, ICML 2015: the composite model of their code. */
static void preset_paper(mm_settings *s)
{
    preset_seed(s);
    s->layers = 1;
    s->dropout = 0;
    s->peepholes = 1;
    s->decoder_input = LSTMAE_INPUT_TRUTH;
    s->loss = LSTMAE_LOSS_BCE_LOGITS;
    s->reduction = LSTMAE_REDUCTION_BATCH_MEAN;
    s->batch = 80;
    s->iterations = 1000000;
    s->optimizer = LSTMAE_SGD;
    s->lr = 1e-4;
    s->momentum = 0.9;
    s->decay = 1e-4;
    s->clip_velocity = 1e-4;
    s->schedule = LSTMAE_SCHEDULE_STEP;
}

static void settings_preset(mm_settings *s, int preset)
{
    memset(s, 0, sizeof *s);
    preset_demo(s);
    s->preset = preset;
    if (preset == 1) {
        s->digits = 2;
        s->digit_size = 18;
        s->iterations = 5000;
    }
    if (preset == 2) preset_seed(s);
    if (preset == 3) preset_paper(s);
}

/* ---- the table of options ---- */

static void settings_table(mm_settings *s, ex_option *table)
{
    const unsigned local = EX_OPTION_LOCAL;
    const double many = SETTINGS_MANY;
    const ex_option all[] = {
        {NULL, EX_HEADING, 0, NULL, 0, 0, NULL, "This run"},
        {"preset", EX_CHOICE, 0, &s->preset, 0, 0, MM_PRESETS, "where the other numbers come from"},
        {"out", EX_TEXT, local, s->out, 0, 0, NULL, "folder for pictures, log and weights; made if need be"},
        {"resume", EX_TEXT, local, s->resume, 0, 0, NULL, "checkpoint to continue, with its settings"},
        {"data", EX_TEXT, 0, s->data, 0, 0, NULL,
         "digits as IDX or .npy [n,h,w], or whole sequences as .npy with four axes, also gzipped; without it "
         "digits are drawn by strokes"},
        {"item-axis", EX_CHOICE, 0, &s->item_axis, 0, 0, "auto|0|1", "which axis of a .npy numbers the sequences"},
        {"device", EX_TEXT, local, s->device, 0, 0, NULL, EX_DEVICES_HELP},
        {"precision", EX_CHOICE, local, &s->precision, 0, 0, EX_PRECISIONS, EX_PRECISIONS_HELP},
        {"threads", EX_INT, local, &s->threads, 0, 4096, NULL, "worker threads; 0: one per core"},
        {"seed", EX_INT, 0, &s->seed, 0, many, NULL, "of weights, data and dropout"},
        {NULL, EX_HEADING, 0, NULL, 0, 0, NULL, "Sequences"},
        {"frames-in", EX_INT, 0, &s->frames_in, 1, 1000, NULL, "frames the network watches"},
        {"frames-out", EX_INT, 0, &s->frames_out, 1, 1000, NULL, "frames it predicts"},
        {"size", EX_INT, 0, &s->size, 8, 512, NULL, "side of the frame in pixels"},
        {"digits", EX_INT, 0, &s->digits, 1, 16, NULL, "moving digits"},
        {"digit-size", EX_INT, 0, &s->digit_size, 5, 512, NULL,
         "side of a digit's square in pixels, margins included; digits of --data are resized to it"},
        {"glyphs", EX_INT, 0, &s->glyphs, 10, 1000000, NULL, "different digits drawn for training without --data"},
        {"speed", EX_REAL, 0, &s->speed, 0, 1, NULL, "share of the free range a digit crosses per frame"},
        {NULL, EX_HEADING, 0, NULL, 0, 0, NULL, "Model"},
        {"hidden", EX_INT, 0, &s->hidden, 1, 65536, NULL, "units of each LSTM layer"},
        {"layers", EX_INT, 0, &s->layers, 1, 16, NULL, "layers of encoder and decoders"},
        {"dropout", EX_REAL, 0, &s->dropout, 0, 0.99, NULL, "between layers"},
        {"forget-bias", EX_REAL, 0, &s->forget_bias, -10, 10, NULL, "added to the forget gates when weights are drawn"},
        {"peepholes", EX_CHOICE, 0, &s->peepholes, 0, 0, "off|on", "gates see the cell"},
        {"decoder-input", EX_CHOICE, 0, &s->decoder_input, 0, 0, MM_DECODER_INPUTS,
         "what a decoder sees at each step; truth: in training the frame before, else its own output"},
        {"truth", EX_REAL, 0, &s->truth, 0, 1, NULL, "share of true frames with --decoder-input truth"},
        {"rec-weight", EX_REAL, 0, &s->rec_weight, 0, 1e6, NULL, "of the reconstruction's loss"},
        {"pred-weight", EX_REAL, 0, &s->pred_weight, 0, 1e6, NULL, "of the prediction's loss"},
        {NULL, EX_HEADING, 0, NULL, 0, 0, NULL, "Training"},
        {"iterations", EX_INT, 0, &s->iterations, 1, many, NULL, "updates"},
        {"batch", EX_INT, 0, &s->batch, 1, 65536, NULL, "sequences per update"},
        {"loss", EX_CHOICE, 0, &s->loss, 0, 0, MM_LOSSES, "bce is cross-entropy of the sigmoid of the output"},
        {"reduction", EX_CHOICE, 0, &s->reduction, 0, 0, MM_REDUCTIONS, "of the loss over its elements"},
        {"optimizer", EX_CHOICE, 0, &s->optimizer, 0, 0, MM_OPTIMIZERS, "update rule"},
        {"lr", EX_REAL, 0, &s->lr, 0, 1e6, NULL, "learning rate, the highest one"},
        {"schedule", EX_CHOICE, 0, &s->schedule, 0, 0, MM_SCHEDULES, "of the learning rate"},
        {"warmup", EX_INT, 0, &s->warmup, -1, many, NULL, "updates over which the rate rises; -1: a twentieth of all"},
        {"min-lr", EX_REAL, 0, &s->min_lr, 0, 1e6, NULL, "lowest rate of the schedule"},
        {"lr-factor", EX_REAL, 0, &s->lr_factor, 1e-6, 1, NULL, "step, exponential: factor per period"},
        {"lr-period", EX_INT, 0, &s->lr_period, 1, many, NULL, "step, exponential: updates per period"},
        {"momentum", EX_REAL, 0, &s->momentum, 0, 0.9999, NULL, "of sgd and rmsprop"},
        {"decay", EX_REAL, 0, &s->decay, 0, 1, NULL, "weight decay of matrices"},
        {"clip", EX_REAL, 0, &s->clip, 0, 1e9, NULL, "gradient's largest global norm; 0: no limit"},
        {"clip-velocity", EX_REAL, 0, &s->clip_velocity, 0, 1e9, NULL, "sgd: bound of each momentum; 0: none"},
        {"validate-every", EX_INT, 0, &s->validate_every, 0, many, NULL, "updates between held-out losses; 0: none"},
        {"validate-sequences", EX_INT, 0, &s->validate_sequences, 1, 1e6, NULL, "held-out sequences for them"},
        {"save-every", EX_INT, 0, &s->save_every, 0, many, NULL, "updates between checkpoints; 0: only on Ctrl-C"},
        {NULL, EX_HEADING, 0, NULL, 0, 0, NULL, "After training"},
        {"test-sequences", EX_INT, 0, &s->test_sequences, 1, 1e6, NULL, "held-out sequences measured"},
        {"pictures", EX_INT, 0, &s->pictures, 1, 16, NULL, "sequences shown, the first held-out ones"},
        {"elapsed", EX_REAL, EX_OPTION_INTERNAL, &s->elapsed, 0, 1e12, NULL, "seconds trained so far"},
        EX_END};
    _Static_assert(sizeof all / sizeof all[0] <= SETTINGS_OPTIONS, "the table's size is SETTINGS_OPTIONS");
    memcpy(table, all, sizeof all);
}

static void settings_help(const ex_option *table)
{
    printf("Trains an LSTM autoencoder on moving digits, to replay the frames it watched and to draw those to come,\n"
           "and writes pictures, a log and the weights.\n\n"
           "usage: %s [--option value]...\n\n"
           "Ctrl-C saves a checkpoint and says how to continue. In brackets: the values of this preset;\n"
           "'--preset seed --help' shows those of another.\n",
           ex_program());
    ex_options_help(table);
}

/* ---- reading ---- */

/* Settings of the checkpoint; its folder is where the run goes on writing. */
static int settings_resume(mm_settings *s, const ex_option *table, const char *path)
{
    char *text = NULL;
    if (strlen(path) >= sizeof s->resume) return ex_fail("--resume: the path is too long");
    EX_TRY(lstmae_checkpoint_config(path, &text));
    int result = text[0] != '\0' ? ex_options_load(table, text, path)
                                 : ex_fail("%s: not a checkpoint of this program", path);
    lstmae_checkpoint_config_free(text);
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        snprintf(s->out, sizeof s->out, ".");
    else
        snprintf(s->out, sizeof s->out, "%.*s", (int)(slash == path ? 1 : slash - path), path);
    return result;
}

static int settings_check(const mm_settings *s)
{
    if (s->digit_size > s->size)
        return ex_fail("--digit-size: expected at most --size %lld, got %lld", (long long)s->size,
                       (long long)s->digit_size);
    if (s->schedule == LSTMAE_SCHEDULE_COSINE && s->warmup >= s->iterations)
        return ex_fail("--warmup: expected less than --iterations %lld, got %lld", (long long)s->iterations,
                       (long long)s->warmup);
    if (s->min_lr > s->lr) return ex_fail("--min-lr: expected at most --lr %g, got %g", s->lr, s->min_lr);
    if (s->clip_velocity > 0 && s->optimizer != LSTMAE_SGD)
        return ex_fail("--clip-velocity: belongs to --optimizer sgd");
    return 0;
}

static int settings_asks_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return 1;
    }
    return 0;
}

int mm_settings_read(mm_settings *s, int argc, char **argv)
{
    const char *preset = ex_options_peek("preset", argc, argv), *resume = ex_options_peek("resume", argc, argv);
    int index = preset != NULL ? ex_word_index(MM_PRESETS, preset) : 0;
    if (index < 0) return ex_fail("--preset: expected %s, got '%s'", MM_PRESETS, preset);
    ex_option table[SETTINGS_OPTIONS];
    settings_preset(s, index);
    settings_table(s, table);
    if (settings_asks_help(argc, argv)) {
        settings_help(table);
        return 1;
    }
    if (resume != NULL && preset != NULL)
        return ex_fail("--preset: a resumed run keeps the settings of its checkpoint");
    if (resume != NULL && settings_resume(s, table, resume) != 0) return -2;
    if (ex_options_parse(table, argc, argv) != 0) return -1;
    return settings_check(s);
}

char *mm_settings_text(mm_settings *s)
{
    ex_option table[SETTINGS_OPTIONS];
    settings_table(s, table);
    return ex_options_save(table);
}

int64_t mm_settings_warmup(const mm_settings *s)
{
    return s->warmup >= 0 ? s->warmup : s->iterations / 20;
}

int mm_settings_logits(const mm_settings *s)
{
    return s->loss == LSTMAE_LOSS_BCE_LOGITS;
}
