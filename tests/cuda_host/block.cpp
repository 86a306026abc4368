#include "block.h"

#include "fiber.h"

#include <stdio.h>

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;
uint64_t lae_host_block;

constexpr unsigned LANES = 32, WARPS = BLOCK_THREADS / LANES;

/* ---- random numbers: xorshift64* ---- */

static uint64_t shuffle_state = 88172645463325252u;

void shuffle_seed(uint64_t seed)
{
    shuffle_state = seed * 0x9e3779b97f4a7c15u | 1u;
}

unsigned shuffle_below(unsigned limit)
{
    shuffle_state ^= shuffle_state >> 12;
    shuffle_state ^= shuffle_state << 25;
    shuffle_state ^= shuffle_state >> 27;
    uint64_t high = (shuffle_state * 0x2545f4914f6cdd1du) >> 32;
    return static_cast<unsigned>((high * limit) >> 32);
}

/* A permutation of 0 .. count-1: i -> (i stride + start) mod count, with a stride that shares no factor with count. */
struct permutation {
    uint64_t count, stride, start;
};

static permutation permutation_draw(uint64_t count)
{
    permutation order = { count, 1, shuffle_below(static_cast<unsigned>(count < 0xffffffffu ? count : 0xffffffffu)) };
    if (count < 3) return order;
    unsigned way = shuffle_below(4);
    if (way == 0) return order;
    order.stride = count - 1; /* backwards */
    if (way == 1) return order;
    uint64_t reach = count < 0x7fffffffu ? count : 0x7fffffffu;
    for (int attempt = 0; attempt < 8; attempt++) {
        uint64_t stride = 1 + shuffle_below(static_cast<unsigned>(reach - 1)), a = stride, b = count;
        while (b) {
            uint64_t rest = a % b;
            a = b;
            b = rest;
        }
        if (a == 1) {
            order.stride = stride;
            break;
        }
    }
    return order;
}

static uint64_t permutation_at(const permutation *order, uint64_t i)
{
    return (i * order->stride + order->start) % order->count;
}

/* ---- shared memory ---- */

/* Room between the arrays of a block, not to be touched. */
constexpr size_t SHARED_GAP = 64;
constexpr size_t SHARED_ROOM = 2 * SHARED_BYTES_MOST + 64 * SHARED_GAP;

struct room {
    alignas(128) unsigned char content[SHARED_ROOM];
    alignas(128) unsigned char dynamic[SHARED_BYTES_MOST + SHARED_GAP];
    fiber *idle; /* workers without work */
};

room *room_create()
{
    return new room();
}

/* ---- the grid that runs ---- */

enum thread_wait { WAIT_NONE, WAIT_BARRIER, WAIT_WARP };

struct thread_state {
    fiber *worker;
    thread_wait wait;
    int kind, line;
    unsigned mask;
    int source;
    uint64_t value, result;
};

static struct grid_state {
    const lae_host_kernel *kernel;
    dim3 grid, block;
    unsigned threads, warps; /* of a block */
    uint64_t blocks, next_block;
    permutation block_order;

    /* the block that runs */
    permutation warp_order, lane_order;
    unsigned next_warp, next_lane; /* of those not yet started, by their place in the order */
    unsigned finished;
    unsigned barrier_waiting, barrier_round;
    int barrier_value[2];
    unsigned warp_waiting[WARPS];
    unsigned ready[BLOCK_THREADS], ready_count;
    bool ahead; /* the thread that was woken last goes on first */
    thread_state thread[BLOCK_THREADS];

    struct room *room;
    size_t shared_used, shared_static, dynamic_bytes;

    unsigned running;       /* thread */
    fiber *worker;          /* that runs it */
    fiber main;
    bool failed, abandoned; /* abandoned: workers that are continued only leave */
    char failure[512];
} grid;

static unsigned grid_lanes(unsigned warp)
{
    return warp + 1 < grid.warps ? LANES : grid.threads - warp * LANES;
}

static void grid_fail(const char *text)
{
    if (grid.failed) return;
    grid.failed = true;
    snprintf(grid.failure, sizeof grid.failure, "kernel %s, block (%u,%u,%u): %s", grid.kernel->name, blockIdx.x,
             blockIdx.y, blockIdx.z, text);
}

static void block_clear_shared()
{
    ASAN_POISON_MEMORY_REGION(grid.room->content, sizeof grid.room->content);
    grid.shared_used = 0;
    grid.shared_static = 0;
    ASAN_UNPOISON_MEMORY_REGION(grid.room->dynamic, grid.dynamic_bytes);
    memset(grid.room->dynamic, 0xff, grid.dynamic_bytes);
    ASAN_POISON_MEMORY_REGION(grid.room->dynamic + grid.dynamic_bytes,
                              sizeof grid.room->dynamic - grid.dynamic_bytes);
}

/* The next block of the grid; false: there is none. */
static bool block_begin()
{
    if (grid.next_block == grid.blocks || grid.failed) return false;
    uint64_t number = permutation_at(&grid.block_order, grid.next_block++);
    blockIdx.x = static_cast<unsigned>(number % grid.grid.x);
    blockIdx.y = static_cast<unsigned>(number / grid.grid.x % grid.grid.y);
    blockIdx.z = static_cast<unsigned>(number / grid.grid.x / grid.grid.y);
    grid.warp_order = permutation_draw(grid.warps);
    grid.next_warp = grid.next_lane = 0;
    grid.lane_order = permutation_draw(grid_lanes(static_cast<unsigned>(permutation_at(&grid.warp_order, 0))));
    grid.finished = 0;
    grid.ahead = false;
    lae_host_block++;
    block_clear_shared();
    return true;
}

static bool block_unstarted()
{
    return grid.next_warp < grid.warps;
}

static void thread_start()
{
    unsigned warp = static_cast<unsigned>(permutation_at(&grid.warp_order, grid.next_warp));
    unsigned lane = static_cast<unsigned>(permutation_at(&grid.lane_order, grid.next_lane));
    if (++grid.next_lane == grid_lanes(warp)) {
        grid.next_lane = 0;
        if (++grid.next_warp < grid.warps)
            grid.lane_order =
                permutation_draw(grid_lanes(static_cast<unsigned>(permutation_at(&grid.warp_order, grid.next_warp))));
    }
    unsigned index = warp * LANES + lane;
    grid.running = index;
    if (grid.block.y * grid.block.z == 1)
        threadIdx = { index, 0, 0 };
    else
        threadIdx = { index % grid.block.x, index / grid.block.x % grid.block.y, index / grid.block.x / grid.block.y };
}

static fiber *ready_take()
{
    unsigned place = grid.ahead ? grid.ready_count - 1 : shuffle_below(grid.ready_count);
    unsigned index = grid.ready[place];
    grid.ready[place] = grid.ready[--grid.ready_count];
    return grid.thread[index].worker;
}

static void worker_main();

static fiber *worker_take()
{
    fiber *worker = grid.room->idle;
    if (worker)
        grid.room->idle = worker->next;
    else
        worker = fiber_create(worker_main);
    return worker;
}

static void worker_continue(fiber *next)
{
    fiber *self = grid.worker;
    grid.worker = next;
    fiber_switch(self, next);
}

/* A worker without work: lets another go on that waits for nothing any more, or the grid's caller. */
static void worker_rest()
{
    grid.worker->next = grid.room->idle;
    grid.room->idle = grid.worker;
    worker_continue(grid.ready_count > 0 ? ready_take() : &grid.main);
}

static void worker_main()
{
    fiber_begin();
    for (;;) {
        while (block_unstarted()) {
            thread_start();
            grid.kernel->thread();
            grid.finished++;
            if (grid.ready_count > 0 && shuffle_below(2)) break;
        }
        if (grid.finished < grid.threads || !block_begin()) worker_rest();
    }
}

/* The running thread cannot go on: something else does, until it can. */
static void thread_wait_for()
{
    unsigned index = grid.running;
    uint3 place = threadIdx;
    fiber *next = nullptr, *self = grid.worker;
    grid.thread[index].worker = self;
    if (block_unstarted() && (grid.ready_count == 0 || shuffle_below(4) == 0)) next = worker_take();
    if (!next) next = grid.ready_count > 0 ? ready_take() : &grid.main;
    if (next != self) worker_continue(next);
    if (grid.abandoned) fiber_leave(self, &grid.main);
    threadIdx = place;
    grid.running = index;
}

static void thread_wake(unsigned index)
{
    grid.thread[index].wait = WAIT_NONE;
    if (index != grid.running) grid.ready[grid.ready_count++] = index;
}

/* ---- what device code calls ---- */

void *lae_host_shared_take(lae_host_site *site, size_t bytes)
{
    size_t start = (grid.shared_used + SHARED_GAP + 127) / 128 * 128;
    grid.shared_static += bytes;
    if (grid.shared_static > SHARED_BYTES_DEFAULT || grid.shared_static + grid.dynamic_bytes > SHARED_BYTES_MOST) {
        grid_fail("more shared memory than a block has");
        grid.shared_static = 0; /* the kernel goes on in memory that is there */
        start = 0;
    }
    unsigned char *memory = grid.room->content + start;
    grid.shared_used = start + bytes;
    ASAN_UNPOISON_MEMORY_REGION(memory, bytes);
    memset(memory, 0xff, bytes);
    site->block = lae_host_block;
    site->memory = memory;
    return memory;
}

void *lae_host_shared_dynamic()
{
    return grid.room->dynamic;
}

int lae_host_lane()
{
    return static_cast<int>(grid.running % LANES);
}

unsigned lae_host_active()
{
    return 1u << (grid.running % LANES);
}

static void barrier_open()
{
    unsigned round = grid.barrier_round++ & 1u;
    const thread_state *self = &grid.thread[grid.running];
    int sum = 0;
    for (unsigned i = 0; i < grid.threads; i++) {
        const thread_state *other = &grid.thread[i];
        sum += other->value != 0;
        if (other->line != self->line || other->kind != self->kind) {
            char text[160];
            snprintf(text, sizeof text, "divergent barrier: thread %u waits in line %d, thread %u in line %d", i,
                     other->line, grid.running, self->line);
            grid_fail(text);
        }
    }
    grid.barrier_value[round] = self->kind == LAE_HOST_BARRIER_COUNT ? sum
                                : self->kind == LAE_HOST_BARRIER_AND ? sum == static_cast<int>(grid.threads)
                                                                     : sum > 0;
    grid.barrier_waiting = 0;
    /* Threads that are drawn one by one stay close together: every other time a warp goes to the next barrier alone. */
    unsigned first = shuffle_below(grid.warps) * LANES;
    grid.ahead = shuffle_below(2) == 0;
    for (unsigned i = 0; i < grid.threads; i++) thread_wake((first + i) % grid.threads);
}

int lae_host_barrier(int kind, int line, int predicate)
{
    thread_state *self = &grid.thread[grid.running];
    unsigned round = grid.barrier_round & 1u;
    self->wait = WAIT_BARRIER;
    self->kind = kind;
    self->line = line;
    self->value = predicate != 0;
    if (++grid.barrier_waiting == grid.threads)
        barrier_open();
    else
        thread_wait_for();
    return grid.barrier_value[round];
}

/* All lanes of the mask are there: each gets what it asked for. */
static void warp_open(unsigned warp, unsigned mask)
{
    thread_state *lanes = &grid.thread[warp * LANES];
    uint64_t ballot = 0;
    for (unsigned lane = 0; lane < LANES; lane++)
        if (mask >> lane & 1u && lanes[lane].value != 0) ballot |= 1u << lane;
    for (unsigned lane = 0; lane < LANES; lane++) {
        if (!(mask >> lane & 1u)) continue;
        unsigned source = static_cast<unsigned>(lanes[lane].source) % LANES;
        lanes[lane].result = lanes[lane].kind == LAE_HOST_WARP_BALLOT ? ballot
                             : mask >> source & 1u                    ? lanes[source].value
                                                                      : ~uint64_t(0); /* undefined */
    }
    grid.warp_waiting[warp] &= ~mask;
    for (unsigned lane = 0; lane < LANES; lane++)
        if (mask >> lane & 1u) thread_wake(warp * LANES + lane);
}

static bool warp_complete(unsigned warp, const thread_state *self)
{
    const thread_state *lanes = &grid.thread[warp * LANES];
    if ((grid.warp_waiting[warp] & self->mask) != self->mask) return false;
    for (unsigned lane = 0; lane < LANES; lane++)
        if (self->mask >> lane & 1u && (lanes[lane].mask != self->mask || lanes[lane].kind != self->kind)) return false;
    return true;
}

uint64_t lae_host_warp(int kind, unsigned mask, uint64_t value, int source)
{
    unsigned warp = grid.running / LANES, lane = grid.running % LANES, present = grid_lanes(warp);
    thread_state *self = &grid.thread[grid.running];
    if (present < LANES && mask == 0xffffffffu) mask = (1u << present) - 1u; /* lanes that never were */
    if (!(mask >> lane & 1u)) grid_fail("a warp primitive's mask lacks the lane that calls it");
    self->wait = WAIT_WARP;
    self->kind = kind;
    self->mask = mask | 1u << lane;
    self->value = value;
    self->source = source;
    grid.warp_waiting[warp] |= 1u << lane;
    if (warp_complete(warp, self))
        warp_open(warp, self->mask);
    else
        thread_wait_for();
    return self->result;
}

void lae_host_trap(const char *text)
{
    grid_fail(text);
    grid.thread[grid.running].wait = WAIT_BARRIER;
    grid.thread[grid.running].line = 0;
    thread_wait_for(); /* for ever */
}

/* ---- grids ---- */

/* Threads wait, and nothing can wake them. */
static void grid_stuck()
{
    unsigned first = BLOCK_THREADS, waiting = 0;
    char text[256];
    for (unsigned i = 0; i < grid.threads; i++) {
        if (grid.thread[i].wait == WAIT_NONE) continue;
        if (first == BLOCK_THREADS) first = i;
        waiting++;
    }
    const thread_state *stuck = &grid.thread[first];
    if (stuck->wait == WAIT_BARRIER)
        snprintf(text, sizeof text, "divergent barrier: thread %u waits in line %d for ever; %u of %u threads wait, %u "
                 "have ended", first, stuck->line, waiting, grid.threads, grid.finished);
    else
        snprintf(text, sizeof text, "divergent warp: thread %u waits with mask %08x for ever; %u of %u threads wait, "
                 "%u have ended", first, stuck->mask, waiting, grid.threads, grid.finished);
    grid_fail(text);
    grid.abandoned = true;
    for (unsigned i = 0; i < grid.threads; i++) {
        fiber *worker = grid.thread[i].worker;
        if (grid.thread[i].wait == WAIT_NONE) continue;
        grid.thread[i].wait = WAIT_NONE;
        grid.worker = worker;
        fiber_switch(&grid.main, worker);
        fiber_reset(worker, worker_main);
        worker->next = grid.room->idle;
        grid.room->idle = worker;
    }
    grid.abandoned = false;
    memset(grid.warp_waiting, 0, sizeof grid.warp_waiting);
    grid.barrier_waiting = 0;
}

const char *grid_run(const lae_host_kernel *kernel, dim3 grid_size, dim3 block_size, size_t dynamic_bytes,
                     room *room)
{
    grid.kernel = kernel;
    grid.grid = gridDim = grid_size;
    grid.block = blockDim = block_size;
    grid.threads = block_size.x * block_size.y * block_size.z;
    grid.warps = (grid.threads + LANES - 1) / LANES;
    grid.blocks = uint64_t(grid_size.x) * grid_size.y * grid_size.z;
    grid.next_block = 0;
    grid.block_order = permutation_draw(grid.blocks);
    grid.room = room;
    grid.dynamic_bytes = dynamic_bytes;
    grid.failed = false;
    block_begin();
    fiber *worker = worker_take();
    if (!worker) return "no memory for a stack";
    grid.worker = worker;
    fiber_switch(&grid.main, worker);
    if (grid.finished < grid.threads) grid_stuck();
    return grid.failed ? grid.failure : nullptr;
}
