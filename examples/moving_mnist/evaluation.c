#include "evaluation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/report.h"

#define EVALUATION_BATCH 50
#define EVALUATION_LEAST 0.001 /* probability a naive predictor gives at least, lest its cross-entropy be infinite */

/* One batch on the host. Time-major as in the library: element (t,b,p) is at (t*B + b)*P + p. */
typedef struct evaluation {
    int64_t frames_in, frames_out, pixels, batch;
    int logits;
    float *input, *future;
    float *reconstruction, *prediction; /* outputs: logits with cross-entropy; the reconstruction last frame first */
} evaluation;

static double evaluation_sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}

/* -t ln s(z) - (1-t) ln(1-s(z)) without overflow. */
static double evaluation_nats_logit(double z, double t)
{
    return fmax(z, 0) - z * t + log1p(exp(-fabs(z)));
}

static double evaluation_nats(double p, double t)
{
    p = fmin(fmax(p, EVALUATION_LEAST), 1 - EVALUATION_LEAST);
    return -t * log(p) - (1 - t) * log(1 - p);
}

static double evaluation_square(double d)
{
    return d * d;
}

/* Adds the naive predictors' errors of one sequence's pixel. */
static void evaluation_naive(const evaluation *e, mm_scores *sum, int64_t b, int64_t p)
{
    int64_t step = e->batch * e->pixels, at = b * e->pixels + p;
    double guess[MM_NAIVE_COUNT] = {(double)e->input[(e->frames_in - 1) * step + at], 0, 0};
    for (int64_t t = 0; t < e->frames_in; t++) guess[MM_NAIVE_MEAN] += (double)e->input[t * step + at];
    guess[MM_NAIVE_MEAN] /= (double)e->frames_in;
    for (int64_t t = 0; t < e->frames_out; t++) {
        double truth = (double)e->future[t * step + at];
        for (int i = 0; i < MM_NAIVE_COUNT; i++) {
            sum->naive_mse[i] += evaluation_square(guess[i] - truth);
            if (e->logits) sum->naive_nats[i] += evaluation_nats(guess[i], truth);
        }
    }
}

/* Adds the errors of one sequence of the batch, and turns logits into pixels. */
static void evaluation_sequence(const evaluation *e, mm_scores *sum, int64_t b)
{
    int64_t step = e->batch * e->pixels;
    for (int64_t p = 0; p < e->pixels; p++) {
        int64_t at = b * e->pixels + p;
        for (int64_t t = 0; t < e->frames_out; t++) {
            float *out = e->prediction + t * step + at;
            double truth = (double)e->future[t * step + at];
            if (e->logits) {
                sum->pred_nats += evaluation_nats_logit((double)*out, truth);
                *out = (float)evaluation_sigmoid((double)*out);
            }
            sum->pred_mse += evaluation_square((double)*out - truth);
        }
        for (int64_t t = 0; t < e->frames_in; t++) {
            float *out = e->reconstruction + t * step + at;
            if (e->logits) *out = (float)evaluation_sigmoid((double)*out);
            sum->rec_mse += evaluation_square((double)*out - (double)e->input[(e->frames_in - 1 - t) * step + at]);
        }
        evaluation_naive(e, sum, b, p);
    }
}

static void evaluation_keep(const evaluation *e, mm_samples *s, int64_t b, int64_t to)
{
    size_t bytes = (size_t)e->pixels * sizeof(float);
    int64_t step = e->batch * e->pixels, at = b * e->pixels;
    for (int64_t t = 0; t < e->frames_in; t++) {
        memcpy(s->input + (to * e->frames_in + t) * e->pixels, e->input + t * step + at, bytes);
        memcpy(s->reconstruction + (to * e->frames_in + t) * e->pixels,
               e->reconstruction + (e->frames_in - 1 - t) * step + at, bytes);
    }
    for (int64_t t = 0; t < e->frames_out; t++) {
        memcpy(s->future + (to * e->frames_out + t) * e->pixels, e->future + t * step + at, bytes);
        memcpy(s->prediction + (to * e->frames_out + t) * e->pixels, e->prediction + t * step + at, bytes);
    }
}

/* The first `count` frames of [T,B,P]; what follows of a longer tensor is left there. */
static int evaluation_read(lstmae_tensor *tensor, int64_t count, float *host)
{
    lstmae_tensor *part = NULL;
    int64_t numel = count * lstmae_tensor_dim(tensor, 1) * lstmae_tensor_dim(tensor, 2);
    EX_TRY(lstmae_tensor_slice(&part, tensor, 0, 0, count));
    int result = ex_status(lstmae_tensor_read(part, host, (size_t)numel * sizeof *host));
    lstmae_tensor_destroy(part);
    return result;
}

static int evaluation_output(mm_model *model, int decoder, float *host)
{
    const lstmae_tensor *out = lstmae_seq2seq_output(model->net, decoder);
    return ex_status(lstmae_tensor_read(out, host, (size_t)lstmae_tensor_numel(out) * sizeof *host));
}

static int evaluation_batch(evaluation *e, mm_model *model, const lstmae_batch *batch)
{
    e->batch = batch->count;
    EX_TRY(lstmae_seq2seq_forward(model->net, batch->x, NULL));
    if (evaluation_read(batch->x, e->frames_in, e->input) != 0) return -1;
    if (evaluation_read(batch->target, e->frames_out, e->future) != 0) return -1;
    if (evaluation_output(model, MM_REC, e->reconstruction) != 0) return -1;
    return evaluation_output(model, MM_PRED, e->prediction);
}

static int evaluation_run(evaluation *e, mm_scores *sum, mm_samples *samples, mm_model *model, lstmae_loader *loader)
{
    lstmae_batch batch = LSTMAE_BATCH_INIT;
    lstmae_status status;
    int64_t kept = 0;
    while ((status = lstmae_loader_next(loader, &batch)) == 1) {
        if (evaluation_batch(e, model, &batch) != 0) return -1;
        for (int64_t b = 0; b < batch.count; b++) {
            evaluation_sequence(e, sum, b);
            if (kept < samples->count) evaluation_keep(e, samples, b, kept++);
        }
        sum->sequences += batch.count;
    }
    samples->count = kept;
    return ex_status(status);
}

/* Sums become means. */
static void evaluation_finish(const evaluation *e, mm_scores *s)
{
    double frames = (double)(s->sequences * e->frames_out), pixels = (double)e->pixels, least = INFINITY;
    s->pred_mse /= frames * pixels;
    s->pred_nats /= frames;
    s->rec_mse /= (double)(s->sequences * e->frames_in) * pixels;
    for (int i = 0; i < MM_NAIVE_COUNT; i++) {
        s->naive_mse[i] /= frames * pixels;
        s->naive_nats[i] /= frames;
        least = fmin(least, s->naive_mse[i]);
    }
    s->gain = 1 - s->pred_mse / least;
}

static int samples_create(mm_samples *s, const mm_settings *settings, const mm_data *data)
{
    size_t pixels = (size_t)(data->height * data->width);
    s->count = settings->pictures;
    s->frames_in = settings->frames_in;
    s->frames_out = settings->frames_out;
    s->height = data->height;
    s->width = data->width;
    s->input = calloc((size_t)(s->count * s->frames_in) * pixels, sizeof(float));
    s->reconstruction = calloc((size_t)(s->count * s->frames_in) * pixels, sizeof(float));
    s->future = calloc((size_t)(s->count * s->frames_out) * pixels, sizeof(float));
    s->prediction = calloc((size_t)(s->count * s->frames_out) * pixels, sizeof(float));
    if (s->input != NULL && s->reconstruction != NULL && s->future != NULL && s->prediction != NULL) return 0;
    return ex_fail("out of memory for the pictures");
}

void mm_samples_free(mm_samples *s)
{
    free(s->input);
    free(s->reconstruction);
    free(s->future);
    free(s->prediction);
}

int mm_evaluate(mm_scores *scores, mm_samples *samples, mm_model *model, mm_data *data, lstmae_context *context,
                const mm_settings *s)
{
    memset(scores, 0, sizeof *scores);
    memset(samples, 0, sizeof *samples);
    evaluation e = {s->frames_in, s->frames_out, data->height * data->width, 0, mm_settings_logits(s),
                    NULL,         NULL,          NULL,                       NULL};
    size_t in = (size_t)(e.frames_in * e.pixels * EVALUATION_BATCH);
    size_t out = (size_t)(e.frames_out * e.pixels * EVALUATION_BATCH);
    e.input = malloc(in * sizeof(float));
    e.reconstruction = malloc(in * sizeof(float));
    e.future = malloc(out * sizeof(float));
    e.prediction = malloc(out * sizeof(float));
    lstmae_loader *loader = NULL;
    int result = samples_create(samples, s, data);
    if (result == 0 && (e.input == NULL || e.reconstruction == NULL || e.future == NULL || e.prediction == NULL))
        result = ex_fail("out of memory for the evaluation");
    if (result == 0) result = mm_data_loader(&loader, context, data->held, s, EVALUATION_BATCH, s->test_sequences);
    if (result == 0) result = ex_status(lstmae_module_set_training(lstmae_seq2seq_module(model->net), 0));
    if (result == 0) result = evaluation_run(&e, scores, samples, model, loader);
    if (result == 0) evaluation_finish(&e, scores);
    lstmae_loader_destroy(loader);
    free(e.input);
    free(e.reconstruction);
    free(e.future);
    free(e.prediction);
    return result;
}
