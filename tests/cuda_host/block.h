/*
 * Runs the blocks of a grid, one after another in a shuffled order, and within a block the threads.
 *
 * A worker fiber runs thread after thread, by plain calls, until one waits at a barrier; then another worker takes the
 * threads that follow. So a kernel without barriers needs one worker. Which thread goes on where several could is
 * drawn from a seed, or is the one woken last.
 *
 * All is done by one host thread at a time: whoever calls holds the device's lock.
 */
#ifndef LAE_HOST_BLOCK_H
#define LAE_HOST_BLOCK_H

#include "include/cuda_runtime.h"

constexpr unsigned BLOCK_THREADS = 1024;
constexpr size_t SHARED_BYTES_DEFAULT = 48u << 10, SHARED_BYTES_MOST = 99u << 10;

/** Stacks and shared memory for the blocks of one grid. */
struct room;
room *room_create();

/** Runs a kernel to its end. NULL, or a text that says how it failed, valid until the next call. */
const char *grid_run(const lae_host_kernel *kernel, dim3 grid, dim3 block, size_t dynamic_bytes, room *room);

/** Numbers for everything that is shuffled. */
void shuffle_seed(uint64_t seed);
unsigned shuffle_below(unsigned limit);

#endif
