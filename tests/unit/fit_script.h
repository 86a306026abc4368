/* A training whose losses are given by a list, and what its callback was told. */
#ifndef LAE_TEST_FIT_SCRIPT_H
#define LAE_TEST_FIT_SCRIPT_H

#include "fit_rig.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

/* One weight that every update lowers by lr. */
typedef struct script {
    lstmae_context *context;
    lstmae_module *module; /* linear [1,1] without bias */
    lstmae_optimizer *optimizer;
    lstmae_loader *loader, *validation;
    lstmae_fit_state *state;
    lstmae_objective objective;
    const double *validations;
    int trained, validated, validation_count;
    int modes_wrong;
    double train_loss;
} script;

/** The step of its objective. */
lstmae_status script_step(const lstmae_batch *batch, int train, double scale, double *loss, void *payload);

/** Five batches of training data, the last of two items; one of validation. */
void script_open(script *s, const double *validations, int count);
void script_close(script *s);

lstmae_status script_fit(script *s, const lstmae_fit_options *options);

float script_weight(const script *s);

#define MOST_EVENTS 64

typedef struct recorder {
    lstmae_fit_event events[MOST_EVENTS];
    int count;
    int stop_after;          /* return 1 at this event; 0: never */
    lstmae_context *request; /* request a stop of this context instead */
} recorder;

/** Default options with a callback that fills `r`, which is emptied. */
lstmae_fit_options recorded(recorder *r);

#endif
