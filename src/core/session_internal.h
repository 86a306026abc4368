/* Inside of frozen models and sessions. */
#ifndef LAE_SESSION_INTERNAL_H
#define LAE_SESSION_INTERNAL_H

#include "plan.h"

#include <lstmae/session.h>

struct lstmae_frozen {
    atomic_int references;
    lstmae_context *context; /* a fork of the model's: nothing of it changes after freezing */
    lae_plan plan;
};

/** How far a session has come; saved as it is. */
typedef struct lae_progress {
    int64_t count;           /* samples taken */
    double score, raw_score; /* of the last sample that had one */
    int64_t scored;          /* 1: there was one */
} lae_progress;

struct lstmae_session {
    lstmae_context *context; /* a fork: its queue is this session's alone */
    lstmae_frozen *frozen;
    lstmae_session_options options; /* offset and scale point into `arrays` */
    lae_runner runner;
    lae_progress progress;
    int64_t compared;        /* channels */
    lae_buffer arrays;
    float *error;            /* [compared] */
    float *shown;            /* [outputs] in the sample's units; NULL: as they are */
    unsigned char *missing;  /* [features] of this sample */
};

#endif
