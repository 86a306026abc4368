/* The composite model of the settings, and what trains it. */
#ifndef MM_MODEL_H
#define MM_MODEL_H

#include <lstmae/lstmae.h>

#include "settings.h"

enum { MM_REC = 0, MM_PRED = 1 }; /* decoders */

typedef struct mm_model {
    lstmae_seq2seq *net;
    lstmae_loss *loss;
    lstmae_task *task;
    lstmae_optimizer *optimizer;
    lstmae_schedule *schedule;
} mm_model;

/** `features` is the number of pixels of a frame. On failure mm_model_destroy() still cleans up. */
int mm_model_create(mm_model *model, lstmae_context *context, const mm_settings *settings, int64_t features);
void mm_model_destroy(mm_model *model);

#endif
