#include "memory.h"

#include "size.h"

#include <stdlib.h>
#include <string.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#define MEMORY_ALIGNMENT 64

/* A huge page of most systems, and how many of them make it worth asking for huge pages. */
#define MEMORY_HUGE ((size_t)2 << 20)
#define MEMORY_HUGE_LEAST (2 * MEMORY_HUGE)

/*
 * Large arrays ask for huge pages: products over weights of many megabytes otherwise spend a tenth of their time on
 * translating addresses. Whole pages inside the array only, so that none is held for its last bytes; advice, which may
 * be ignored.
 */
static void *memory_system_alloc(size_t bytes, size_t alignment, void *payload)
{
    (void)payload;
    size_t rounded;
    if (!lae_add_size(&rounded, bytes, alignment - 1)) return NULL;
#if defined(MADV_HUGEPAGE)
    if (bytes >= MEMORY_HUGE_LEAST) {
        void *ptr = NULL;
        if (posix_memalign(&ptr, MEMORY_HUGE, bytes) != 0) return NULL;
        madvise(ptr, bytes / MEMORY_HUGE * MEMORY_HUGE, MADV_HUGEPAGE);
        return ptr;
    }
#endif
    return aligned_alloc(alignment, rounded / alignment * alignment);
}

static void memory_system_release(void *ptr, size_t bytes, void *payload)
{
    (void)bytes;
    (void)payload;
    free(ptr);
}

lae_memory *lae_memory_default(void)
{
    static lae_memory memory = { .alloc = memory_system_alloc, .release = memory_system_release };
    return &memory;
}

void lae_memory_init(lae_memory *memory, lstmae_alloc_fn alloc, lstmae_free_fn release, void *payload, uint64_t limit)
{
    memset(memory, 0, sizeof *memory);
    memory->alloc = alloc ? alloc : memory_system_alloc;
    memory->release = alloc ? release : memory_system_release;
    memory->payload = payload;
    memory->limit = limit;
}

int lae_memory_take(lae_memory *memory, uint64_t bytes)
{
    atomic_fetch_add_explicit(&memory->allocations, 1, memory_order_relaxed);
    uint64_t now = atomic_fetch_add_explicit(&memory->current, bytes, memory_order_relaxed) + bytes;
    if (memory->limit && now > memory->limit) {
        atomic_fetch_sub_explicit(&memory->current, bytes, memory_order_relaxed);
        return 0;
    }
    uint64_t peak = atomic_load_explicit(&memory->peak, memory_order_relaxed);
    while (now > peak && !atomic_compare_exchange_weak_explicit(&memory->peak, &peak, now, memory_order_relaxed,
                                                                memory_order_relaxed)) {
    }
    return 1;
}

void lae_memory_give(lae_memory *memory, uint64_t bytes)
{
    atomic_fetch_sub_explicit(&memory->current, bytes, memory_order_relaxed);
}

void *lae_alloc(lae_memory *memory, size_t bytes)
{
    if (bytes == 0) bytes = 1;
    if (!lae_memory_take(memory, bytes)) return NULL;
    void *ptr = memory->alloc(bytes, MEMORY_ALIGNMENT, memory->payload);
    if (!ptr) lae_memory_give(memory, bytes);
    return ptr;
}

void *lae_calloc(lae_memory *memory, size_t count, size_t each)
{
    size_t bytes;
    if (!lae_mul_size(&bytes, count, each)) return NULL;
    void *ptr = lae_alloc(memory, bytes);
    if (ptr) memset(ptr, 0, bytes);
    return ptr;
}

void lae_free(lae_memory *memory, void *ptr, size_t bytes)
{
    if (!ptr) return;
    if (bytes == 0) bytes = 1;
    memory->release(ptr, bytes, memory->payload);
    lae_memory_give(memory, bytes);
}

int lae_grow(lae_memory *memory, void **ptr, size_t *held, size_t bytes)
{
    if (*ptr && *held >= bytes) return 1;
    lae_free(memory, *ptr, *held);
    *ptr = lae_alloc(memory, bytes);
    *held = *ptr ? bytes : 0;
    return *ptr != NULL;
}
