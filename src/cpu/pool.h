/*
 * Worker threads of one queue: fork, join, and a barrier in between. Workers start with the first parallel run, spin
 * for about a tenth of a millisecond after each one and then sleep. Every signal is blocked in them. One run at a time,
 * from one thread at a time. In a process made by fork() there are no workers, and everything runs on the caller.
 */
#ifndef LAE_CPU_POOL_H
#define LAE_CPU_POOL_H

#include <lstmae/backend.h>

typedef struct lae_pool lae_pool;

/** One thread's share: `thread` in [0, threads). All threads of one run see the same `threads`. */
typedef void (*lae_task_fn)(void *arg, int thread, int threads);

/** A pool of `threads` >= 1 including the caller; NULL without memory. `memory` outlives the pool. */
lae_pool *lae_pool_create(int threads, const lstmae_memory *memory);

/** Joins the workers. NULL is fine. */
void lae_pool_destroy(lae_pool *pool);

/** Before the first run: workers count denormal numbers as zero. */
void lae_pool_set_flush(lae_pool *pool);

/** Threads a run may have; 1 for NULL. */
int lae_pool_threads(const lae_pool *pool);

/** Calls task(arg, i, n) for i in [0, n) at once, n = min(wanted, threads there are), and waits for all. NULL: n =
 * 1. */
void lae_pool_run(lae_pool *pool, int wanted, lae_task_fn task, void *arg);

/** Inside a task, called by all its threads: waits until all are here. All writes before are seen after. */
void lae_pool_barrier(lae_pool *pool, int threads);

/** Work worth a thread of its own, in multiply-adds: about 10 microseconds of them. */
#define LAE_POOL_GRAIN_FMA ((int64_t)1 << 19)

/** The same for loops that only move data, in elements. */
#define LAE_POOL_GRAIN_ELEMENTS ((int64_t)1 << 15)

/** Threads that `work` units deserve when each should get `grain` at least. */
static inline int lae_pool_wanted(const lae_pool *pool, int64_t work, int64_t grain)
{
    int64_t most = lae_pool_threads(pool), fit = work / grain;
    return (int)(fit < 1 ? 1 : fit < most ? fit : most);
}

/** Part `thread` of `count` items: *begin to *end. Parts differ by one item at most. */
static inline void lae_pool_part(int64_t count, int thread, int threads, int64_t *begin, int64_t *end)
{
    int64_t each = count / threads, more = count % threads;
    *begin = thread * each + (thread < more ? thread : more);
    *end = *begin + each + (thread < more);
}

#endif
