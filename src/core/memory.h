/* Host memory: everything the library allocates comes from here and is counted. */
#ifndef LAE_MEMORY_H
#define LAE_MEMORY_H

#include "error.h"

#include <lstmae/context.h>

#include <stdatomic.h>

/**
 * An allocator with hooks, limit and counters. Thread-safe. Shared by a context and all made from it; things that
 * exist without a context (schedules, stand-alone parsers) use lae_memory_default().
 */
typedef struct lae_memory {
    lstmae_alloc_fn alloc;
    lstmae_free_fn release;
    void *payload;
    uint64_t limit; /* 0: none */
    atomic_uint_least64_t current, peak, allocations;
} lae_memory;

/** The C library's allocator, without limit; never destroyed. */
lae_memory *lae_memory_default(void);

/** Sets the hooks of `memory` from options that were checked; NULL hooks mean the C library's. */
void lae_memory_init(lae_memory *memory, lstmae_alloc_fn alloc, lstmae_free_fn release, void *payload, uint64_t limit);

/** `bytes` (0 counts as 1) of uninitialised memory aligned to 64 bytes; NULL on failure or beyond the limit. */
void *lae_alloc(lae_memory *memory, size_t bytes);

/** The same, filled with zero bytes; size = count * each, checked. */
void *lae_calloc(lae_memory *memory, size_t count, size_t each);

/** Gives memory back; `bytes` as asked for. NULL is fine. */
void lae_free(lae_memory *memory, void *ptr, size_t bytes);

/**
 * Sees to it that *ptr, which holds *held bytes, holds `bytes` or more: where it does not, it is replaced and its
 * content lost. 0 on failure, with nothing held.
 */
int lae_grow(lae_memory *memory, void **ptr, size_t *held, size_t bytes);

/** Counts device memory that a backend allocates itself: fails when it would pass the limit. */
int lae_memory_take(lae_memory *memory, uint64_t bytes);
void lae_memory_give(lae_memory *memory, uint64_t bytes);

#endif
