/* A training small enough for hundreds of runs with every part that a checkpoint holds. */
#ifndef LAE_TEST_TRAINEE_H
#define LAE_TEST_TRAINEE_H

#include "support.h"

typedef struct trainee_options {
    lstmae_optimizer_options optimizer;
    const lstmae_context_options *context; /* NULL: one thread, seed 11 */
    const char *device;                    /* NULL: "cpu:ref" */
    int64_t hidden;                        /* 0: 5 */
} trainee_options;

/** Two layers with dropout, two decoders, a shuffling loader, plateau schedule, validation with best weights kept. */
typedef struct trainee {
    lstmae_context *context;
    lstmae_dataset *data;
    lstmae_loader *loader, *validation;
    lstmae_seq2seq *model;
    lstmae_loss *loss;
    lstmae_task *task;
    lstmae_optimizer *optimizer;
    lstmae_schedule *schedule;
    lstmae_fit_state *state;
    double *losses; /* one for each update, where wanted */
    int64_t stop;   /* updates after which the callback stops the training; 0: none */
} trainee;

#define TRAINEE_OPTIONS_INIT { LSTMAE_ADAM_OPTIONS_INIT, NULL, NULL, 0 }

/** Builds everything; after a failure trainee_destroy() is still to be called. */
lstmae_status trainee_create(trainee *t, const trainee_options *options);
void trainee_destroy(trainee *t);

/** Trains to `iterations` updates in all, or to t->stop. */
lstmae_status trainee_train(trainee *t, int64_t iterations);

/** The content of a full checkpoint. */
lstmae_checkpoint trainee_content(const trainee *t);

/** Checksum over all bits: weights, moments, best weights, counters, rates, positions, random state. */
uint32_t trainee_hash(const trainee *t);

#endif
