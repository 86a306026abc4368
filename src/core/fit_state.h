/* Inside of a training's state; shared by fit_state.c and train.c. */
#ifndef LAE_FIT_STATE_H
#define LAE_FIT_STATE_H

#include "module_internal.h"
#include "train_internal.h"

/** Copies of some of a module's parameters and buffers. */
typedef struct lae_tensors {
    lstmae_tensor **tensor;
    size_t count;
} lae_tensors;

struct lstmae_fit_state {
    lstmae_context *context;
    int64_t iteration;    /* updates made */
    int64_t first_epoch;  /* of the loader, when the training began; -1: it has not */
    int64_t validated_at; /* iteration of the last validation; -1: none */
    int64_t stale;        /* validations in a row that did not improve on `reference` by min_delta */
    int64_t skips;        /* updates in a row that were left out */
    double validation;    /* last one; NaN: none */
    double best;          /* lowest one; infinite: none */
    double reference;     /* what a validation is compared with for early stopping; infinite: nothing yet */
    lae_tensors best_weights; /* parameters and buffers of `best`, in the module's order; none: not kept */
    lae_tensors before;       /* buffers before the update that is being made */
};

/** Notes the module's buffers, which its forwards change. */
lstmae_status lae_fit_state_begin_update(lstmae_fit_state *state, const lstmae_module *module);

/** Gives the module's buffers back what was noted: the update is not to be. */
lstmae_status lae_fit_state_undo_update(lstmae_fit_state *state, const lstmae_module *module);

/** Copies the module's weights and buffers; makes room first, so that out of memory leaves what was kept. */
lstmae_status lae_fit_state_keep_best(lstmae_fit_state *state, const lstmae_module *module);

/** Copies the best weights back, where there are any. */
lstmae_status lae_fit_state_restore_best(lstmae_fit_state *state, const lstmae_module *module);

#endif
