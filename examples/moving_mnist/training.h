/* Training with progress, log, checkpoints, and Ctrl-C. */
#ifndef MM_TRAINING_H
#define MM_TRAINING_H

#include "data.h"
#include "model.h"

/** Columns of loss.csv. */
enum { MM_LOG_ITERATION, MM_LOG_LOSS, MM_LOG_HELD, MM_LOG_LR, MM_LOG_SECONDS, MM_LOG_COLUMNS };
#define MM_LOG_NAME "loss.csv"

/**
 * Trains to settings->iterations, from the checkpoint settings->resume where there is one, and adds the seconds it
 * took to settings->elapsed.
 * Returns 0; the number of the signal that ended it, after saving; -1 after a message.
 */
int mm_train(mm_model *model, mm_data *data, lstmae_context *context, mm_settings *settings);

#endif
