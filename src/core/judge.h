/*
 * From samples to what a model sees of them, and from its outputs to errors, scores and alarms: the half of a session
 * that is no model. Allocates nothing after its creation.
 */
#ifndef LAE_JUDGE_H
#define LAE_JUDGE_H

#include "buffer.h"

#include <lstmae/session.h>

/** What a judge remembers of scores; saved as it is. */
typedef struct lae_verdict {
    lstmae_ewma average;
    double score, raw_score; /* of the last sample that had one */
} lae_verdict;

typedef struct lae_judge {
    lstmae_session_options options; /* its pointers are not used */
    int64_t features, channels;     /* of samples; compared, 0: nothing is scored */
    lstmae_scaler *scaler;          /* copies of the caller's; NULL: none */
    lstmae_gaussian *gaussian;
    lstmae_threshold *threshold;
    uint32_t gaussian_sum;          /* checksum of the distribution */
    lae_verdict verdict;
    lae_buffer arrays;
    float *sample;                  /* [features] scaled */
    float *error, *contribution;    /* [channels] of the last score */
    unsigned char *missing;         /* [features] of the present sample */
    double *spare, *kept;           /* states of scaler and threshold, on their way in and out */
} lae_judge;

/** Checks what can be checked without a model. */
lstmae_status lae_judge_check(const lstmae_session_options *options);

/** `options` was checked; what it points to is copied. After a failure lae_judge_release() is still to be called. */
lstmae_status lae_judge_init(lae_judge *judge, lstmae_context *context, const lstmae_session_options *options,
                             int64_t features, int64_t channels);
void lae_judge_release(lae_judge *judge);

/**
 * Scales a sample into judge->sample. *flags gains LSTMAE_PUSH_HELD where values are not finite: those stay what they
 * were. ERR_NUMERIC without HOLD, with nothing changed.
 */
lstmae_status lae_judge_take(lae_judge *judge, const float *sample, int64_t index, uint32_t *flags);

/**
 * Compares samples x with y, both in rows of `features` floats, of which the first `channels` count; `missing` lies
 * likewise. The score is that of the rows that options.window_score names. *flags gains what lstmae_push_result says.
 */
lstmae_status lae_judge_score(lae_judge *judge, const float *x, const float *y, const unsigned char *missing,
                              int64_t rows, uint32_t *flags);

/** The end of a push: the scaler learns where it is to. `sample` as it came. */
lstmae_status lae_judge_learn(lae_judge *judge, const float *sample, uint32_t flags);

/** The first `count` channels of a sample in its own units. There is a scaler. */
void lae_judge_show(const lae_judge *judge, const float *y, int64_t count, float *shown);

double lae_judge_threshold(const lae_judge *judge);

/** Forgets scores, errors and the last sample. */
void lae_judge_reset(lae_judge *judge);

/** Checksum of the options that a saved state depends on. */
uint32_t lae_judge_settings(const lae_judge *judge);

/** State: its bytes, and copies out and in, at any address. A state that does not fit changes nothing. */
size_t lae_judge_state_bytes(const lae_judge *judge);
lstmae_status lae_judge_store(const lae_judge *judge, void *state);
lstmae_status lae_judge_load(lae_judge *judge, const void *state);

#endif
