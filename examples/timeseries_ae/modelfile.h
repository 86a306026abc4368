/*
 * A model: what is read, network and detector, and the file that holds them. Its text is the settings, an empty line,
 * "trained" or "in training", and the names of the columns, one to a line.
 */
#ifndef TS_MODELFILE_H
#define TS_MODELFILE_H

#include "detector.h"

#define TS_MODEL_FILE "model.safetensors"

typedef struct ts_model {
    ts_network network;
    ts_detector detector;
    char **names; /* [count] of the columns */
    int64_t count;
    int trained; /* the detector is fitted */
} ts_model;

/** A new model for columns of these names. */
int ts_model_create(ts_model *model, lstmae_context *context, const ts_settings *settings, const char *const *names,
                    int64_t count);
void ts_model_destroy(ts_model *model);

/** What a training that is to be resumed keeps beside the model; both NULL where it is done. */
typedef struct ts_progress {
    lstmae_loader *loader;
    lstmae_fit_state *state;
} ts_progress;

int ts_model_save(const ts_model *model, ts_settings *settings, const ts_progress *progress, const char *path);

/** Makes the model that a file holds; `settings` were read from it. */
int ts_model_open(ts_model *model, lstmae_context *context, const ts_settings *settings, const char *path);

/** Goes on where the file stopped: optimizer, loader, state. */
int ts_model_resume(ts_model *model, const ts_progress *progress, const char *path);

/** The settings in a file's text. */
int ts_modelfile_settings(const ex_option *table, const char *text, const char *source);

#endif
