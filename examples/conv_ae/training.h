/* Training with progress, log, TensorBoard events, checkpoints, and Ctrl-C. */
#ifndef CA_TRAINING_H
#define CA_TRAINING_H

#include "model.h"

#define CA_LOG_FILE "loss.csv"

/**
 * Trains the model through all its stages (of a stacked one each layer, then the whole), from the checkpoint
 * settings->resume where there is one; the weights of the lowest validation loss are those that stay. Adds the seconds
 * it took to settings->done.elapsed and leaves the lowest validation loss in settings->done.val_loss.
 * Returns 0; the number of the signal that ended it, after saving; -1 after a message.
 */
int ca_train(ca_model *model, ca_data *data, ca_settings *settings);

/** The command: trains, writes model, pictures and result line. */
int ca_train_command(ca_data *data, ca_settings *settings);

#endif
