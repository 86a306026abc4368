/* Inside of frozen models and sessions. */
#ifndef LAE_SESSION_INTERNAL_H
#define LAE_SESSION_INTERNAL_H

#include "judge.h"
#include "plan.h"
#include "window.h"

struct lstmae_frozen {
    atomic_int references;
    lstmae_context *context; /* a fork of the model's: nothing of it changes after freezing */
    lstmae_frozen_info info;
    lstmae_context *place;   /* of the plan's weights: `context`, or a fork on the model's device */
    lae_plan plan;           /* of a model with a state */
    lstmae_module *master;   /* of windows: whose parameters the sessions' twins share */
    lae_window_shape shape;
};

struct lstmae_session {
    lstmae_context *context; /* a fork: its queue is this session's alone */
    lstmae_context *place;   /* where the runner is: `context`, or a fork on the model's device */
    lstmae_frozen *frozen;
    lae_runner runner;       /* of a model with a state */
    lae_window window;       /* else */
    lae_judge judge;
    int64_t count;           /* samples taken */
    lae_buffer arrays;
    float *shown;            /* [outputs] in the sample's own units; NULL: they have none but the model's */
    float *shown_forecast;   /* [forecast,F] likewise */
};

static inline int lae_session_windows(const lstmae_session *session)
{
    return session->frozen->info.window > 0;
}

#endif
