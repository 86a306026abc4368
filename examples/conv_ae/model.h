/* An autoencoder of the settings with its loss, and files of it. */
#ifndef CA_MODEL_H
#define CA_MODEL_H

#include "data.h"

typedef struct ca_model {
    lstmae_autoencoder *net;
    lstmae_module *module; /* the same, borrowed */
    lstmae_loss *loss;     /* of images */
} ca_model;

/** On failure ca_model_destroy() still cleans up. */
int ca_model_create(ca_model *model, const ca_data *data, const ca_settings *settings);
void ca_model_destroy(ca_model *model);

/** The model of the settings with the weights of the file they name. */
int ca_model_open(ca_model *model, const ca_data *data, const ca_settings *settings);

/** Writes weights and settings to "out/model.safetensors"; how long the training took is left out. */
int ca_model_save(ca_model *model, ca_settings *settings);

/** Codes of all images of `dataset` from the first on, `count` at most, as a tensor [N,Z]; the caller destroys it. */
int ca_model_codes(lstmae_tensor **out, ca_model *model, const ca_data *data, lstmae_dataset *dataset,
                   const ca_settings *settings, int64_t count);

#endif
