/* Where images come from: files of the data sets, a folder of pictures, or drawn here. */
#ifndef CA_DATA_H
#define CA_DATA_H

#include <lstmae/lstmae.h>

#include "../common/names.h"
#include "settings.h"

typedef struct ca_data {
    lstmae_context *context;                  /* borrowed */
    lstmae_dataset *train, *validation, *test; /* items [C,H,W] */
    int64_t dims[3];                          /* of an item */
    double low, high;                         /* of a pixel: what black and full brightness are */
    const char *const *names;                 /* of the labels, ten; NULL: none are known */
    ex_names folders;                         /* those of pictures, in the order of their labels */
    char text[EX_TEXT_SIZE + 128];            /* for people */
} ca_data;

/**
 * Opens what the settings ask for, with pixels in [-1,1] for networks that end with a tanh and in [0,1] for others.
 * On failure ca_data_close() still cleans up.
 */
int ca_data_open(ca_data *data, lstmae_context *context, const ca_settings *settings);
void ca_data_close(ca_data *data);

/** A label as people say it: its class, or the number where that has no name. */
void ca_data_class(const ca_data *data, int64_t label, char *text, size_t size);

/** Batches of `dataset`: shuffled and without a smaller last one for training, in order and all for measuring. */
int ca_data_loader(lstmae_loader **out, const ca_data *data, lstmae_dataset *dataset, const ca_settings *settings,
                   int training);

/** `count` images of `dataset` from number `first` as a tensor [count,C,H,W]; the caller destroys it. */
int ca_data_images(lstmae_tensor **out, const ca_data *data, const lstmae_dataset *dataset, int64_t first,
                   int64_t count);

/** The same, chosen from all over the data set. */
int ca_data_spread(lstmae_tensor **out, const ca_data *data, const lstmae_dataset *dataset, int64_t count);

#endif
