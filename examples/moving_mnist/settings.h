/* What one run of the program does: presets, options, and the text that a checkpoint carries. */
#ifndef MM_SETTINGS_H
#define MM_SETTINGS_H

#include "../common/options.h"

typedef struct mm_settings {
    int preset;
    char out[EX_TEXT_SIZE], resume[EX_TEXT_SIZE], data[EX_TEXT_SIZE], device[EX_TEXT_SIZE];
    int precision; /* lstmae_precision */
    int item_axis; /* 0: auto, else axis + 1 */
    int64_t seed, threads;

    int64_t frames_in, frames_out, size, digits, digit_size, glyphs;
    double speed;

    int64_t hidden, layers;
    double dropout, forget_bias, truth, rec_weight, pred_weight;
    int peepholes, decoder_input;

    int64_t iterations, batch;
    int loss, reduction, optimizer, schedule;
    double lr, min_lr, lr_factor, momentum, decay, clip, clip_velocity;
    int64_t lr_period, warmup;
    int64_t validate_every, validate_sequences, save_every;

    int64_t test_sequences, pictures;
    double elapsed; /* seconds of training before this run */
} mm_settings;

#define MM_PRESETS "demo|demo2|seed|paper"

/** Words of the options, in the order of the library's enumerations. */
#define MM_LOSSES "mse|mae|huber|bce"
#define MM_REDUCTIONS "mean|sum|batch-mean"
#define MM_OPTIMIZERS "sgd|adam|adamw|rmsprop|rmsprop-tf1"
#define MM_SCHEDULES "constant|step|exponential|cosine"
#define MM_DECODER_INPUTS "none|output|code|truth"

/**
 * Fills the settings: preset, then those of the checkpoint to resume, then the command line.
 * Returns 0; 1 when the help was printed; -1 after a message about the options, -2 about the checkpoint.
 */
int mm_settings_read(mm_settings *settings, int argc, char **argv);

/** The settings as text for a checkpoint, to be freed; NULL when memory ends. */
char *mm_settings_text(mm_settings *settings);

/** Updates of the warm-up. */
int64_t mm_settings_warmup(const mm_settings *settings);

/** Cross-entropy is used: outputs are logits. */
int mm_settings_logits(const mm_settings *settings);

#endif
