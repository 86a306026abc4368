/*
 * Steps that repeat themselves, run as one piece of work of the device.
 *
 * Between begin and end the context's table is a recording one (record.h). The first time, calls are made as they come
 * and kept. In the next step they are compared with those kept, and put off as long as they are the same, in every
 * argument. A step that was the same to its end is captured as a graph and launched; from then on it is launched at
 * once. Where a call differs, those put off are made, and the step goes on as the first one did. So the host's code
 * runs in each step, its state is what it would be, and a graph needs no proof but that the calls are those it holds.
 *
 * What may differ, by lstmae_step_values: the context's draws and an update's rate. A call that waits for the device or
 * hands it the host's memory ends the comparison of its step.
 */
#ifndef LAE_REPLAY_H
#define LAE_REPLAY_H

#include "call.h"
#include "context_internal.h"

/** Kept at a time: a full batch, a last one, and each once more with weights that an evaluation has prepared. */
#define LAE_REPLAY_STEPS 6

typedef struct lae_replay_step {
    lae_calls calls;     /* size 0: none */
    lstmae_graph *graph; /* NULL: not captured yet */
    uint64_t used;       /* when, by the clock of the replay */
} lae_replay_step;

typedef struct lae_replay {
    lstmae_context *context; /* borrowed: outlives the replay */
    const lstmae_backend_api *api;
    lstmae_queue *queue;
    lstmae_backend_api table; /* records */
    lae_replay_step steps[LAE_REPLAY_STEPS];
    uint64_t clock;
    uint64_t captures, launches; /* graphs made and run */

    /* of the step that is recorded */
    int recording;
    lae_replay_step *followed; /* whose calls were the same so far, and put off; else NULL */
    size_t offset;             /* of the next one */
    void *layers; /* of a loop whose keys are being compared */
    size_t layers_bytes;
    lae_calls made;            /* where none is followed: the calls made */
    int broken;                /* what was made is not to be kept */
    int updated;               /* `values` has an update's */
    lstmae_step_values values;
    lstmae_status failed;      /* of calls that were put off */

    /* steps that do not repeat themselves are not recorded for a while */
    int misses;  /* in a row */
    int refused; /* captures that the device did not make */
    int64_t rest, pause;
} lae_replay;

/** *out is NULL where the device captures nothing, or the context is set to run eagerly. */
lstmae_status lae_replay_create(lae_replay **out, lstmae_context *context);

/** NULL is fine. */
void lae_replay_destroy(lae_replay *replay);

/** The step begins. NULL is fine here and below: calls are made as they come. */
void lae_replay_begin(lae_replay *replay);

/** The step ends with `status`. What was put off is made, also where that is an error; returns the first error. */
lstmae_status lae_replay_end(lae_replay *replay, lstmae_status status);

/* for record.c */

/** Makes the call or puts it off; returns its status. `call` is the replay's to change. */
lstmae_status lae_replay_take(lae_replay *replay, lae_call *call);
lstmae_status lae_replay_take_update(lae_replay *replay, lae_call *call, const lstmae_step_values *values);

/** Makes what was put off. */
void lae_replay_settle(lae_replay *replay);

/** The same, and this step is not to be repeated; returns an error of what was put off. */
lstmae_status lae_replay_break(lae_replay *replay);

#endif
