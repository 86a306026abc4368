/* How well the network does on held-out sequences, beside predictors that have learnt nothing. */
#ifndef MM_EVALUATION_H
#define MM_EVALUATION_H

#include "data.h"
#include "model.h"

enum { MM_NAIVE_LAST, MM_NAIVE_MEAN, MM_NAIVE_BLACK, MM_NAIVE_COUNT };

typedef struct mm_scores {
    int64_t sequences;
    double pred_mse, rec_mse;         /* mean over pixels, frames and sequences */
    double naive_mse[MM_NAIVE_COUNT]; /* of the future frames: repeat the last frame, mean of the input, black */
    double pred_nats, naive_nats[MM_NAIVE_COUNT]; /* cross-entropy, summed over pixels, mean per future frame */
    double gain;                      /* 1 - pred_mse / smallest naive_mse */
} mm_scores;

/** Some sequences with what the network made of them; pixels in their time order, clamped by nobody. */
typedef struct mm_samples {
    int64_t count, frames_in, frames_out, height, width;
    float *input, *reconstruction; /* [count, frames_in, h, w] */
    float *future, *prediction;    /* [count, frames_out, h, w] */
} mm_samples;

/** Measures settings->test_sequences sequences, and keeps the first settings->pictures of them. */
int mm_evaluate(mm_scores *scores, mm_samples *samples, mm_model *model, mm_data *data, lstmae_context *context,
                const mm_settings *settings);
void mm_samples_free(mm_samples *samples);

#endif
