/*
 * A place in a model that draws random numbers: anew in each training forward, and for evaluations always the same
 * ones, which depend on the number of the batch alone and leave the training's numbers as they are.
 */
#ifndef LAE_SITE_H
#define LAE_SITE_H

#include "context_internal.h"

typedef struct lae_site {
    uint64_t training, evaluation;
} lae_site;

static inline lae_site lae_site_new(lstmae_context *context)
{
    lae_site site = { lae_context_new_site(context), lae_context_new_site(context) };
    return site;
}

/** Of the next training forward, which is counted. */
static inline lstmae_random_key lae_site_train(const lae_site *site, lstmae_context *context)
{
    lstmae_random_key key = { context->seed, lae_random_stream(site->training, lae_context_new_draw(context)), 0 };
    return key;
}

/** Of an evaluation of batch number `index`. */
static inline lstmae_random_key lae_site_evaluate(const lae_site *site, const lstmae_context *context, int64_t index)
{
    lstmae_random_key key = { context->seed, lae_random_stream(site->evaluation, (uint64_t)index), 0 };
    return key;
}

#endif
