/* A small training with everything in it: two-layer encoder with dropout, two decoders, shuffled data, plateau. */
#ifndef LAE_TEST_FIT_RIG_H
#define LAE_TEST_FIT_RIG_H

#include "faults.h"

#define RIG_STEPS 6
#define RIG_INPUT 4
#define RIG_FEATURES 5
#define RIG_ITEM (RIG_STEPS * RIG_FEATURES)
#define RIG_ITEMS 22
#define RIG_BATCH 4
#define RIG_BATCHES 6 /* the last one has two items */
#define RIG_MOST_WEIGHTS 4096

typedef struct rig {
    test_heap heap; /* all the context's memory; empty again after rig_close() */
    lstmae_context *context;
    lstmae_loader *loader, *validation;
    lstmae_seq2seq *model;
    lstmae_loss *loss;
    lstmae_task *task;
    lstmae_optimizer *optimizer;
    lstmae_schedule *schedule;
    lstmae_fit_state *state;
} rig;

/** Opens a rig over `count` items of `data`; NULL: RIG_ITEMS of its own. */
void rig_open(rig *r, const float *data, int64_t count, uint32_t loader_flags);
void rig_close(rig *r);

/** A loader over `count` items of `data`. */
lstmae_loader *rig_loader(lstmae_context *context, const float *data, int64_t count, int64_t batch, uint32_t flags);

/** Items of the training data, [count][RIG_ITEM]. */
void rig_data(float *data, int64_t count);

/** Copies what a checkpoint holds from one rig to another, random numbers' position where `draws`. */
void rig_transfer(rig *to, rig *from, int draws);

/** All weights one after the other; returns their number. */
size_t rig_weights(lstmae_module *module, float *weights);

/** Fails the test unless weights, moments, counters and best weights of both rigs are the same bits. */
void rig_assert_same(rig *a, rig *b);
int rig_same_weights(rig *a, rig *b);

lstmae_status rig_fit(rig *r, const lstmae_fit_options *options);

#endif
