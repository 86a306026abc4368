/* Training a network on the first rows of a recording. */
#ifndef TS_TRAINING_H
#define TS_TRAINING_H

#include <stdio.h>

#include "modelfile.h"

/** How a training went. */
typedef struct ts_trained {
    int64_t updates, windows;
    double best; /* lowest held-out loss; NaN without one */
    double loss; /* of the last update */
} ts_trained;

/**
 * Fits the scaler and trains the network on the first `rows` rows of `prepared`. With `show` there is a progress bar,
 * and Ctrl-C saves what is there to `path`, from where settings->resume goes on.
 *
 * @param show, path NULL: quietly
 * Returns 0; the number of the signal that ended it, after saving; -1 after a message.
 */
int ts_train(ts_model *model, lstmae_table *prepared, int64_t rows, ts_settings *settings, FILE *show, const char *path,
             ts_trained *trained);

#endif
