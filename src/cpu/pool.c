#include "pool.h"

#include "shared/float_mode.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define POOL_MOST_THREADS 256

/* Turns of a waiting loop: some tens of microseconds, before a caller offers its core to others. */
#define POOL_SPINS 2000

/*
 * The same before a worker sleeps: about a tenth of a millisecond. To wake it takes half of that in a virtual machine,
 * so what a model does on one thread between two runs had better not cost a sleep.
 */
#define POOL_IDLE_SPINS 8000

typedef struct pool_worker {
    pthread_t handle;
    lae_pool *pool;
    int index; /* 1 .. threads - 1 */
} pool_worker;

/*
 * `order` is the one word that starts a run: its upper bits count runs and its lower bits hold the threads that take
 * part, so a worker that is late reads both at once. `task` and `arg` stay as they are until all of those have
 * answered.
 */
struct lae_pool {
    lstmae_memory memory;
    int threads; /* wanted; what there are after the start */
    int started;
    int flush;     /* workers count denormals as zero */
    pid_t process; /* that started the workers */
    lae_task_fn task;
    void *arg;
    _Alignas(64) atomic_uint_least64_t order;
    _Alignas(64) atomic_int pending; /* workers that have not finished this run */
    _Alignas(64) atomic_int arrived; /* at the barrier */
    atomic_uint turn;                /* barriers passed */
    _Alignas(64) atomic_int sleepers;
    int stop; /* under lock */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pool_worker worker[POOL_MOST_THREADS];
};

static inline void pool_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

/* One turn of a loop that waits for another thread: short waits stay on the core, long ones let others have it. */
static void pool_wait_turn(int *turns)
{
    if (++*turns < POOL_SPINS)
        pool_relax();
    else
        sched_yield();
}

/* The order after `seen`: spins for a while, then sleeps. 0: the pool closes. */
static uint_least64_t pool_next_order(lae_pool *pool, uint_least64_t seen)
{
    for (int turns = 0; turns < POOL_IDLE_SPINS; turns++) {
        uint_least64_t order = atomic_load_explicit(&pool->order, memory_order_acquire);
        if (order != seen) return order;
        pool_relax();
    }
    pthread_mutex_lock(&pool->lock);
    /* Both sides first say what they did and then look (sequentially consistent): one of them sees the other. */
    atomic_fetch_add(&pool->sleepers, 1);
    uint_least64_t order;
    while ((order = atomic_load(&pool->order)) == seen && !pool->stop) pthread_cond_wait(&pool->wake, &pool->lock);
    atomic_fetch_sub(&pool->sleepers, 1);
    if (pool->stop) order = 0;
    pthread_mutex_unlock(&pool->lock);
    return order;
}

static void *pool_work(void *payload)
{
    pool_worker *self = payload;
    lae_pool *pool = self->pool;
    uint_least64_t seen = (uint_least64_t)POOL_MOST_THREADS; /* the order at the start */
    if (pool->flush) lae_flush_begin();
    while ((seen = pool_next_order(pool, seen)) != 0) {
        int threads = (int)(seen % POOL_MOST_THREADS) + 1;
        if (self->index >= threads) continue;
        pool->task(pool->arg, self->index, threads);
        atomic_fetch_sub_explicit(&pool->pending, 1, memory_order_release);
    }
    return NULL;
}

/* Workers inherit a mask that blocks every signal: those are for the threads of the program. */
static void pool_start(lae_pool *pool)
{
    sigset_t all, before;
    sigfillset(&all);
    pool->started = 1;
    pool->process = getpid();
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) {
        pool->threads = 1;
        return;
    }
    int made = 1;
    for (; made < pool->threads; made++) {
        pool->worker[made].pool = pool;
        pool->worker[made].index = made;
        if (pthread_create(&pool->worker[made].handle, NULL, pool_work, &pool->worker[made]) != 0) break;
    }
    pool->threads = made; /* fewer than wanted work as well */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

lae_pool *lae_pool_create(int threads, const lstmae_memory *memory)
{
    lae_pool *pool = memory->alloc(sizeof(*pool), 64, memory->payload);
    if (!pool) return NULL;
    memset(pool, 0, sizeof(*pool));
    pool->memory = *memory;
    pool->threads = threads < 1 ? 1 : threads > POOL_MOST_THREADS ? POOL_MOST_THREADS : threads;
    atomic_init(&pool->order, (uint_least64_t)POOL_MOST_THREADS);
    if (pthread_mutex_init(&pool->lock, NULL) != 0) goto failed;
    if (pthread_cond_init(&pool->wake, NULL) != 0) goto failed_lock;
    return pool;
failed_lock:
    pthread_mutex_destroy(&pool->lock);
failed:
    memory->release(pool, sizeof(*pool), memory->payload);
    return NULL;
}

void lae_pool_destroy(lae_pool *pool)
{
    if (!pool) return;
    /* After a fork the workers, and whoever held the lock, exist in the parent only. */
    if (!pool->started || pool->process == getpid()) {
        pthread_mutex_lock(&pool->lock);
        pool->stop = 1;
        pthread_cond_broadcast(&pool->wake);
        pthread_mutex_unlock(&pool->lock);
        for (int i = 1; pool->started && i < pool->threads; i++) pthread_join(pool->worker[i].handle, NULL);
        pthread_cond_destroy(&pool->wake);
        pthread_mutex_destroy(&pool->lock);
    }
    lstmae_memory memory = pool->memory;
    memory.release(pool, sizeof(*pool), memory.payload);
}

void lae_pool_set_flush(lae_pool *pool)
{
    pool->flush = 1;
}

int lae_pool_threads(const lae_pool *pool)
{
    return pool ? pool->threads : 1;
}

void lae_pool_run(lae_pool *pool, int wanted, lae_task_fn task, void *arg)
{
    int threads = pool && wanted < pool->threads ? wanted : lae_pool_threads(pool);
    if (threads > 1 && !pool->started) {
        pool_start(pool);
        if (threads > pool->threads) threads = pool->threads;
    }
    if (threads <= 1 || pool->process != getpid()) {
        task(arg, 0, 1);
        return;
    }
    pool->task = task;
    pool->arg = arg;
    atomic_store_explicit(&pool->pending, threads - 1, memory_order_relaxed);
    uint_least64_t run = atomic_load_explicit(&pool->order, memory_order_relaxed) / POOL_MOST_THREADS + 1;
    atomic_store(&pool->order, run * POOL_MOST_THREADS + (uint_least64_t)(threads - 1));
    if (atomic_load(&pool->sleepers) > 0) {
        pthread_mutex_lock(&pool->lock);
        pthread_cond_broadcast(&pool->wake);
        pthread_mutex_unlock(&pool->lock);
    }
    task(arg, 0, threads);
    for (int turns = 0; atomic_load_explicit(&pool->pending, memory_order_acquire) > 0;) pool_wait_turn(&turns);
}

void lae_pool_barrier(lae_pool *pool, int threads)
{
    if (threads <= 1) return;
    unsigned turn = atomic_load_explicit(&pool->turn, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&pool->arrived, 1, memory_order_acq_rel) == threads - 1) {
        atomic_store_explicit(&pool->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&pool->turn, turn + 1, memory_order_release);
        return;
    }
    for (int turns = 0; atomic_load_explicit(&pool->turn, memory_order_acquire) == turn;) pool_wait_turn(&turns);
}
