/*
 * Updates on a device that captures steps: everything from the batch to the new weights is enqueued, and the host waits
 * once, at the end, for the loss and the gradient's norm. The device itself leaves an update out where one is not
 * finite. Updates that repeat themselves are replayed (replay.h).
 */
#ifndef LAE_FIT_ENQUEUED_H
#define LAE_FIT_ENQUEUED_H

#include "buffer.h"
#include "fit_state.h"
#include "replay.h"
#include "staging.h"

typedef struct lae_fit_enqueued {
    lstmae_task *task; /* borrowed; NULL: updates are not enqueued */
    lstmae_optimizer *optimizer;
    lae_replay *replay;
    lae_buffer results;   /* doubles: the gradient's sum of squares, then the parts of the loss */
    lae_staging received; /* the same on the host */
} lae_fit_enqueued;

/** One update to make. */
typedef struct lae_fit_update {
    const lstmae_objective *objective;
    lstmae_fit_state *state;
    const lstmae_batch *batch;
    int guarded; /* left out where loss or gradient are not finite */
    int begun;   /* receives 1 when buffers were noted in the state, which then can give them back */
} lae_fit_update;

/** `enqueued` is empty. Does nothing where the device captures no steps or the objective is a user's. */
lstmae_status lae_fit_enqueued_open(lae_fit_enqueued *enqueued, const lstmae_objective *objective,
                                    lstmae_optimizer *optimizer);
void lae_fit_enqueued_close(lae_fit_enqueued *enqueued);

/** Whether updates of one batch are to be made by the call below. */
int lae_fit_enqueues(const lae_fit_enqueued *enqueued);

/** *finite receives 0 where the update was left out. */
lstmae_status lae_fit_enqueued_update(lae_fit_enqueued *enqueued, lae_fit_update *update, double *loss, int *finite);

#endif
