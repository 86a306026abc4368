/*
 * A model that looks at the last T samples at once: what sessions over windows run, each with a twin of the frozen
 * model, a ring of samples, and outputs of its own.
 */
#ifndef LAE_WINDOW_H
#define LAE_WINDOW_H

#include "module_internal.h"

#include <lstmae/session.h>

/** What a model makes of its windows. */
typedef struct lae_window_shape {
    int64_t T, F;
    int32_t layout;   /* lstmae_window_layout */
    int rebuilds;     /* it gives the window back */
    int64_t code;     /* values of a code; 0: none */
    int64_t forecast; /* samples; 0: none */
} lae_window_shape;

/** Saved as it is. */
typedef struct lae_window_place {
    int64_t filled, next; /* samples in the ring; where the next one goes */
    int64_t since;        /* samples since the last evaluation; negative: there was none */
} lae_window_place;

typedef struct lae_window {
    lae_window_shape shape;
    lstmae_module *module;     /* reference, of the context that works */
    lae_window_place place;
    lae_buffer ring;           /* [T,F] samples, then [T,F] bytes: 1 where a value was held */
    lstmae_tensor *x;          /* [T,1,F] in the order of time */
    lstmae_tensor *given;      /* the same as the module wants it */
    lstmae_tensor *y;          /* [T,1,F] */
    lstmae_tensor *code;       /* [1,K] */
    lstmae_tensor *forecast;   /* [steps,1,F] */
    unsigned char *holes;      /* [T,F] in the order of time */
} lae_window;

/** Shape of `module`'s windows. @param features 0: as the module says */
lstmae_status lae_window_shape_of(lae_window_shape *shape, lstmae_module *module, int64_t T, int64_t features,
                                  int32_t layout);

/** Takes a reference on `module`, and runs it once, so that it has all memory it needs. */
lstmae_status lae_window_init(lae_window *window, lstmae_module *module, const lae_window_shape *shape);
void lae_window_release(lae_window *window);

/** Puts a sample [F] and which of its values were held into the ring. */
void lae_window_put(lae_window *window, const float *sample, const unsigned char *missing);

/** 1 if the ring is full and `every` samples have come since the last evaluation. */
int lae_window_due(const lae_window *window, int64_t every);

/** Runs the model on the last T samples. Allocates nothing. */
lstmae_status lae_window_run(lae_window *window);

static inline float *lae_window_values(const lstmae_tensor *tensor)
{
    return tensor ? tensor->view.data : NULL;
}

/** What the last run said of the newest sample, [F]. */
static inline float *lae_window_last(const lae_window *window)
{
    return window->y ? lae_window_values(window->y) + (window->shape.T - 1) * window->shape.F : NULL;
}

void lae_window_reset(lae_window *window);

/** State: its bytes, and copies out and in, at any address. What is loaded was checked: ERR_FORMAT. */
size_t lae_window_state_bytes(const lae_window *window);
void lae_window_store(const lae_window *window, void *state);
lstmae_status lae_window_check(const lae_window *window, const void *state);
void lae_window_load(lae_window *window, const void *state);

#endif
