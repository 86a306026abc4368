/* Models of several kinds, each with data and an optimizer, that train step by step: what promises about runs are kept
 * by. */
#ifndef LAE_TEST_KINDS_H
#define LAE_TEST_KINDS_H

#include "device.h"

#define KINDS 10
#define KIND_WIDE 3 /* takes long on cpu:ref, and has nothing there that the others have not */

/** One model in training. */
typedef struct kind_run {
    int kind;
    lstmae_context *context;
    lstmae_seq2seq *seq2seq;
    lstmae_autoencoder *autoencoder;
    lstmae_module *module; /* all parameters; owned where it is neither of these */
    lstmae_loss *loss;
    lstmae_optimizer *optimizer;
    lstmae_tensor *x, *future, *code, *frames; /* future and what follows: seq2seq only */
    int64_t T, B, F, K;
    double last_loss;
} kind_run;

const char *kind_name(int kind);

/** Opens a context and makes the model. */
void kind_open(kind_run *run, int kind, const char *device, int threads, uint64_t seed);
void kind_close(kind_run *run);

/** One training step on batch number `step`, which is always the same data. */
void kind_step(kind_run *run, int step);

/** Encodes, reconstructs and generates, or runs forward, in inference mode. */
void kind_infer(kind_run *run);

/** All weights and then all buffers one after the other, to be freed with free(). */
float *kind_weights(const kind_run *run, size_t *count);

/** Fails the test unless both have the same bits in every weight and in the last loss. */
void kind_assert_same(const kind_run *a, const kind_run *b, const char *what);

#define KIND_STEPS 6

/** Opens and makes KIND_STEPS steps. */
void kind_train(kind_run *run, int kind, const char *device, int threads, uint64_t seed);

/**
 * Half the steps on one thread, a checkpoint at `path`, and the other half on `threads` in objects made from another
 * seed: the bits must be those of the straight run.
 */
void kind_assert_resumes(int kind, const char *device, int threads, const char *path);

#endif
