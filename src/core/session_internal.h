/* Inside of frozen models and sessions. */
#ifndef LAE_SESSION_INTERNAL_H
#define LAE_SESSION_INTERNAL_H

#include "judge.h"
#include "plan.h"

struct lstmae_frozen {
    atomic_int references;
    lstmae_context *context; /* a fork of the model's: nothing of it changes after freezing */
    lae_plan plan;
};

struct lstmae_session {
    lstmae_context *context; /* a fork: its queue is this session's alone */
    lstmae_frozen *frozen;
    lae_runner runner;
    lae_judge judge;
    int64_t count;           /* samples taken */
    lae_buffer arrays;
    float *shown;            /* [outputs] in the sample's own units; NULL: they have none but the model's */
};

#endif
