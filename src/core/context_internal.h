/* Inside of a context. Only context.c, registry.c and ops.c call its backend. */
#ifndef LAE_CONTEXT_INTERNAL_H
#define LAE_CONTEXT_INTERNAL_H

#include "memory.h"

#include <lstmae/backend.h>

struct lae_twin;

struct lstmae_context {
    atomic_int references;
    atomic_int stop_requested;
    lstmae_context *parent; /* a fork's, whose memory it takes; else NULL */
    lae_memory memory;
    const lstmae_backend_api *api;
    lstmae_queue *queue;
    lstmae_dtype dtype;
    lstmae_precision precision;
    uint64_t seed;
    uint64_t sites; /* places that draw random numbers, numbered in order of creation */
    struct lae_twin *twin; /* while a module is made as the twin of another; else NULL */
    int side; /* see side.c */
    int eager; /* set by tests: no step is captured */
    uint64_t draws; /* training forwards that drew random numbers; part of a checkpoint */
    char device[32];
};

lstmae_context *lae_context_retain(lstmae_context *context);
void lae_context_release(lstmae_context *context); /* NULL is fine */

/**
 * A context of its own on the CPU, for work on another thread: the parent's device if that is a CPU, else "cpu". Takes
 * its memory through the parent's, which it keeps alive.
 *
 * @param threads including the caller; not 0
 * @param queue_flags LSTMAE_QUEUE_…
 */
lstmae_status lae_context_fork(lstmae_context **out, lstmae_context *parent, int32_t threads, uint32_t queue_flags);

/** The same on the parent's device, in its precision, with the calling thread alone. */
lstmae_status lae_context_fork_device(lstmae_context **out, lstmae_context *parent);

/** 1 where the host may read and write the memory of tensors and buffers. */
int lae_context_is_host(const lstmae_context *context);

lae_memory *lae_context_memory(lstmae_context *context);

/** A number for a new place that draws random numbers (a parameter, a dropout). Equal programs get equal numbers. */
uint64_t lae_context_new_site(lstmae_context *context);

/** Counts one training forward; the number is part of the random numbers' stream. */
uint64_t lae_context_new_draw(lstmae_context *context);
uint64_t lae_context_draws(const lstmae_context *context);
void lae_context_set_draws(lstmae_context *context, uint64_t draws);

/** Stream of random numbers of a site at a draw (0 for parameters). */
static inline uint64_t lae_random_stream(uint64_t site, uint64_t draw)
{
    return (site << 40) | (draw & ((UINT64_C(1) << 40) - 1));
}

#endif
