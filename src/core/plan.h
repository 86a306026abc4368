/*
 * A model as a list of single steps: what a stateful session runs for each sample. A plan is built once from a module
 * and never changes, so that any number of runners, each with states and outputs of its own, may follow it at once.
 */
#ifndef LAE_PLAN_H
#define LAE_PLAN_H

#include "linear.h"
#include "lstm_layer.h"
#include "replay.h"

typedef enum lae_plan_kind { LAE_PLAN_LSTM, LAE_PLAN_LINEAR, LAE_PLAN_MAP } lae_plan_kind;

/** A weight matrix as the device's products want it: prepared, or as it is. */
typedef struct lae_plan_weight {
    lae_buffer memory;
    int prepared;
} lae_plan_weight;

typedef struct lae_plan_step {
    lae_plan_kind kind;
    int map;      /* lstmae_map_kind */
    double param; /* of map */
    int64_t in, out;
    lae_plan_weight w_ih, w_hh; /* linear: w_ih alone */
    lae_buffer b_ih, b_hh, peephole; /* data NULL: none; linear: b_ih alone */
} lae_plan_step;

struct lae_plan {
    lstmae_context *context; /* borrowed */
    lae_plan_step *steps;
    size_t count, capacity;
    int64_t features, outputs; /* of the first and the last step */
    int64_t code;              /* hidden size of the last LSTM; 0: there is none */
    uint64_t bytes;            /* of weights */
    uint32_t fingerprint;
};

/** Copies what `module` does into `plan`, whose context is set and whose other members are 0. */
lstmae_status lae_plan_build(lae_plan *plan, const lstmae_module *module);
void lae_plan_release(lae_plan *plan);

/* For modules: append what a child does, or a step. */
lstmae_status lae_plan_add(lae_plan *plan, const lstmae_module *module);
lstmae_status lae_plan_add_lstm(lae_plan *plan, const lae_lstm_layer *layer);
lstmae_status lae_plan_add_linear(lae_plan *plan, const lae_linear *linear);
lstmae_status lae_plan_add_map(lae_plan *plan, int map, double param);

/* ---- runners ---- */

/** One step with its memory, which is the device's. */
typedef struct lae_runner_step {
    lae_plan_kind kind;
    int map;
    double param;
    lstmae_lstm_args lstm; /* hs and cs [2,H]: entry 0 is the state before */
    lstmae_gemm_args linear;
    lstmae_view x, y;      /* of a map */
} lae_runner_step;

typedef struct lae_runner {
    lstmae_context *context; /* borrowed: its queue does the work */
    const lae_plan *plan;    /* borrowed */
    lae_runner_step *steps;
    lae_buffer memory;
    float *mirror;           /* the same on the host: that memory itself where the host can use it */
    lae_replay *replay;      /* of a device that repeats steps; else NULL */
    float *x;                /* [features]: what the next run reads; here and below in the mirror */
    float *y;                /* [outputs]: what the last run said */
    const float *code;       /* NULL: none */
} lae_runner;

lstmae_status lae_runner_init(lae_runner *runner, lstmae_context *context, const lae_plan *plan);
void lae_runner_release(lae_runner *runner);

/** One step from x. On the CPU it allocates nothing. */
lstmae_status lae_runner_run(lae_runner *runner);

/** As after lae_runner_init(). */
lstmae_status lae_runner_reset(lae_runner *runner);

/** What the next run depends on but x, and the last output: its floats, and copies out and in, at any address. */
size_t lae_runner_state_floats(const lae_runner *runner);
lstmae_status lae_runner_store(const lae_runner *runner, void *state);
lstmae_status lae_runner_load(lae_runner *runner, const void *state);

#endif
