/*
 * Memory of the device and pinned memory of the host: from malloc, filled with bytes that make every float not a
 * number, between guards that are looked at when it is given back (with AddressSanitizer, its own).
 */
#include "device.h"
#include "sanitizers.h"
#include "shelter.h"
#include "stream.h"

#include <map>
#include <new>
#include <stdio.h>
#include <string.h>

constexpr size_t MEMORY_GUARD = 256; /* also the alignment that cudaMalloc promises */
constexpr unsigned char MEMORY_CANARY = 0xa5;

struct memory_block {
    size_t bytes;
    memory_kind kind;
};

static std::map<uintptr_t, memory_block> &blocks = *new std::map<uintptr_t, memory_block>;

memory_kind memory_find(const void *memory, size_t bytes, bool *whole)
{
    uintptr_t at = reinterpret_cast<uintptr_t>(memory);
    auto next = blocks.upper_bound(at);
    *whole = true;
    if (next == blocks.begin()) return MEMORY_PAGEABLE;
    auto block = std::prev(next);
    if (at - block->first >= block->second.bytes) return MEMORY_PAGEABLE;
    *whole = bytes <= block->second.bytes - (at - block->first);
    return block->second.kind;
}

static unsigned char *memory_guard_after(uintptr_t at, size_t bytes)
{
    return reinterpret_cast<unsigned char *>(at + bytes);
}

static unsigned char *memory_guard_before(uintptr_t at)
{
    return reinterpret_cast<unsigned char *>(at - MEMORY_GUARD);
}

/* With the guards around it; NULL where there is none. */
static void *memory_room(size_t bytes, memory_kind kind)
{
    void *memory = nullptr;
    if (bytes > SIZE_MAX - 2 * MEMORY_GUARD) return nullptr;
    if (kind == MEMORY_DEVICE && shelter_wanted()) return shelter_take(bytes + 2 * MEMORY_GUARD);
    return posix_memalign(&memory, MEMORY_GUARD, bytes + 2 * MEMORY_GUARD) == 0 ? memory : nullptr;
}

static cudaError_t memory_take(void **out, size_t bytes, memory_kind kind)
{
    lae_cuda_host_state *counts = &device.counts;
    shelter_access access;
    *out = nullptr;
    if (bytes == 0) return cudaSuccess;
    if (kind == MEMORY_DEVICE && (bytes > device.capacity || counts->device_bytes > device.capacity - bytes))
        return cudaErrorMemoryAllocation;
    void *memory = memory_room(bytes, kind);
    if (!memory) return cudaErrorMemoryAllocation;
    uintptr_t at = reinterpret_cast<uintptr_t>(memory) + MEMORY_GUARD;
    memset(memory_guard_before(at), MEMORY_CANARY, MEMORY_GUARD);
    memset(memory_guard_after(at, bytes), MEMORY_CANARY, MEMORY_GUARD);
    memset(reinterpret_cast<void *>(at), 0xff, bytes);
    ASAN_POISON_MEMORY_REGION(memory_guard_before(at), MEMORY_GUARD);
    ASAN_POISON_MEMORY_REGION(memory_guard_after(at, bytes), MEMORY_GUARD);
    blocks[at] = { bytes, kind };
    (kind == MEMORY_DEVICE ? counts->device_bytes : counts->pinned_bytes) += bytes;
    (kind == MEMORY_DEVICE ? counts->device_blocks : counts->pinned_blocks)++;
    if (counts->device_bytes > counts->peak_bytes) counts->peak_bytes = counts->device_bytes;
    *out = reinterpret_cast<void *>(at);
    return cudaSuccess;
}

static bool memory_guard_holds(const unsigned char *guard)
{
    for (size_t i = 0; i < MEMORY_GUARD; i++)
        if (guard[i] != MEMORY_CANARY) return false;
    return true;
}

static void memory_drop(std::map<uintptr_t, memory_block>::iterator block)
{
    shelter_access access;
    lae_cuda_host_state *counts = &device.counts;
    uintptr_t at = block->first;
    memory_block what = block->second;
    ASAN_UNPOISON_MEMORY_REGION(memory_guard_before(at), MEMORY_GUARD);
    ASAN_UNPOISON_MEMORY_REGION(memory_guard_after(at, what.bytes), MEMORY_GUARD);
    if (!memory_guard_holds(memory_guard_before(at)) || !memory_guard_holds(memory_guard_after(at, what.bytes))) {
        counts->broken_guards++;
        fprintf(stderr, "cuda_host: something wrote beside a block of %zu bytes\n", what.bytes);
    }
    (what.kind == MEMORY_DEVICE ? counts->device_bytes : counts->pinned_bytes) -= what.bytes;
    (what.kind == MEMORY_DEVICE ? counts->device_blocks : counts->pinned_blocks)--;
    blocks.erase(block);
    if (what.kind == MEMORY_DEVICE && shelter_wanted()) shelter_give(memory_guard_before(at));
    else free(memory_guard_before(at));
}

static cudaError_t memory_give(void *memory, memory_kind kind)
{
    if (!memory) return cudaSuccess;
    auto block = blocks.find(reinterpret_cast<uintptr_t>(memory));
    if (block == blocks.end() || block->second.kind != kind) return cudaErrorInvalidValue;
    memory_drop(block);
    return cudaSuccess;
}

void memory_reset()
{
    while (!blocks.empty()) memory_drop(blocks.begin());
}

cudaError_t cudaMalloc(void **out, size_t bytes)
{
    api_call call("cudaMalloc", CALL_UNSAFE);
    *out = nullptr;
    return call.refused() ? call.done() : call.done(memory_take(out, bytes, MEMORY_DEVICE));
}

/* Waits for all that runs, as the runtime does. */
cudaError_t cudaFree(void *memory)
{
    api_call call("cudaFree", CALL_RELEASES | (memory ? CALL_UNSAFE : 0));
    cudaError_t error = streams_finish();
    cudaError_t given = memory_give(memory, MEMORY_DEVICE);
    return call.done(error != cudaSuccess ? error : given);
}

cudaError_t cudaHostAlloc(void **out, size_t bytes, unsigned flags)
{
    api_call call("cudaHostAlloc", CALL_UNSAFE);
    *out = nullptr;
    if (call.refused() || flags > (cudaHostAllocPortable | cudaHostAllocMapped | cudaHostAllocWriteCombined))
        return call.done(cudaErrorInvalidValue);
    return call.done(memory_take(out, bytes, MEMORY_PINNED));
}

cudaError_t cudaMallocHost(void **out, size_t bytes)
{
    return cudaHostAlloc(out, bytes, cudaHostAllocDefault);
}

cudaError_t cudaFreeHost(void *memory)
{
    api_call call("cudaFreeHost", CALL_RELEASES | (memory ? CALL_UNSAFE : 0));
    cudaError_t error = streams_finish();
    cudaError_t given = memory_give(memory, MEMORY_PINNED);
    return call.done(error != cudaSuccess ? error : given);
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes *attributes, const void *memory)
{
    api_call call("cudaPointerGetAttributes");
    bool whole;
    memory_kind kind = memory_find(memory, 1, &whole);
    void *address = const_cast<void *>(memory);
    attributes->type = kind == MEMORY_DEVICE   ? cudaMemoryTypeDevice
                       : kind == MEMORY_PINNED ? cudaMemoryTypeHost
                                               : cudaMemoryTypeUnregistered;
    attributes->device = kind == MEMORY_PAGEABLE ? -2 : 0;
    attributes->devicePointer = kind == MEMORY_PAGEABLE ? nullptr : address;
    attributes->hostPointer = kind == MEMORY_DEVICE ? nullptr : address;
    return call.done();
}

cudaError_t cudaMemGetInfo(size_t *available, size_t *total)
{
    api_call call("cudaMemGetInfo");
    *total = device.capacity;
    *available = device.capacity - device.counts.device_bytes;
    return call.done();
}
