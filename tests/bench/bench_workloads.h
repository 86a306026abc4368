/* What is timed: models with their data, and how to run one step of each. */
#ifndef LAE_BENCH_WORKLOADS_H
#define LAE_BENCH_WORKLOADS_H

#include "bench_floor.h"
#include "bench_measure.h"

#include <lstmae/lstmae.h>

#define BENCH_MAX_MODES 3

typedef struct bench_mode {
    const char *name;
    void (*run)(void *model);
    double operations; /* useful floating-point operations of one run; see bench_count.h */
    double weights;    /* elements of the weights, where reading them is what limits a run; else 0 */
    int fit;           /* 1: updates of lstmae_fit() are timed, not `run` */
    bench_floor floor; /* on a device; no phases: none is known */
} bench_mode;

typedef struct bench_model bench_model;

typedef struct bench_workload {
    const char *name;
    /** Makes model and data on the context and fills in the modes. */
    void (*create)(const struct bench_workload *workload, bench_model *model, lstmae_context *context);
    int64_t T, B, I, H, layers;
} bench_workload;

/** One workload brought to life. */
struct bench_model {
    lstmae_context *context; /* borrowed */
    lstmae_module *module; /* an LSTM or an autoencoder of images; owned */
    lstmae_seq2seq *seq2seq;
    lstmae_loss *loss;
    lstmae_optimizer *optimizer;
    lstmae_tensor *x, *future, *y, *dy;
    lstmae_session *session;
    float *sample;
    /* Forward, loss and, where it trains, gradients times `scale` of the model's own data. */
    lstmae_status (*step)(bench_model *model, double scale, double *loss);
    bench_mode modes[BENCH_MAX_MODES];
    int mode_count;
};

extern const bench_workload bench_workloads[];
extern const int bench_workload_count;

/** Ends the program with the library's text when a call failed. */
void bench_check(lstmae_status status);

/** A tensor drawn uniformly from [0,1). */
lstmae_tensor *bench_tensor(lstmae_context *context, int ndim, const int64_t *dims);

void bench_model_release(bench_model *model);

/** Waits for the model's device. */
void bench_finish(void *model);

/** Appends a mode to the model, for floors to be filled in. */
bench_mode *bench_add_mode(bench_model *model, const char *name, void (*run)(void *), double operations,
                           double weights);

/** Whole updates by model->step: "train", and on a device whose steps lstmae_fit() captures "fit" before it. */
void bench_add_training(bench_model *model, double operations, const bench_floor *floor);

/* lstmae_fit() on the model's own data: bench_fit.c */
bench_time bench_measure_fit(bench_model *model, const bench_effort *effort);

/* 1 for contexts whose floors are those of a device */
int bench_on_device(const lstmae_context *context);

/* streams: bench_streams.c */
void bench_create_stream(const bench_workload *w, bench_model *model, lstmae_context *context);

/* autoencoders of images: bench_images.c */
void bench_create_cifar_uva(const bench_workload *w, bench_model *model, lstmae_context *context);
void bench_create_mnist_conv(const bench_workload *w, bench_model *model, lstmae_context *context);
void bench_create_mnist_linear(const bench_workload *w, bench_model *model, lstmae_context *context);

#endif
