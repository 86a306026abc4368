/* Where sequences come from: strokes, digits from a file, or whole sequences from a file. */
#ifndef MM_DATA_H
#define MM_DATA_H

#include <lstmae/lstmae.h>

#include "settings.h"

typedef struct mm_data {
    lstmae_dataset *train; /* items [frames, height, width] */
    lstmae_dataset *held;  /* never trained on: other digits and other ways, or the last tenth of a file */
    int64_t height, width;
    char text[EX_TEXT_SIZE + 128]; /* for people */
} mm_data;

/** Opens what the settings ask for; the size of frames from a file replaces settings->size. */
int mm_data_open(mm_data *data, lstmae_context *context, mm_settings *settings);
void mm_data_close(mm_data *data);

/** A loader over `dataset` in batches [T,B,F] split after frames_in; count > 0 takes the first items only, in order. */
int mm_data_loader(lstmae_loader **out, lstmae_context *context, lstmae_dataset *dataset, const mm_settings *settings,
                   int64_t batch, int64_t count);

#endif
