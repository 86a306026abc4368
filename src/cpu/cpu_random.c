/* Random numbers of the "cpu" device: the reference's, bit for bit. */
#include "cpu_arrays.h"

#include "kernels.h"
#include "walk.h"

#include "shared/random.h"

/* Words drawn at once; and what drawing a number costs, in moved elements. */
#define RANDOM_WORDS 1024
#define RANDOM_COST 2
#define RANDOM_COST_NORMAL 16

typedef struct random_call {
    const lae_pointwise *loops;
    const lstmae_random_key *key;
    int kind;
    double a, b;
    uint32_t threshold; /* of the upper 24 bits */
} random_call;

/* Words of elements [element, element + part) are at words + (element mod 4); *part is cut to what the buffer holds. */
static const uint32_t *random_draw(const random_call *call, uint32_t *words, uint64_t element, int64_t *part)
{
    int64_t skipped = (int64_t)(element & 3);
    if (*part > RANDOM_WORDS - skipped) *part = RANDOM_WORDS - skipped;
    call->loops->random_words(words, call->key->seed, call->key->stream, element >> 2, (skipped + *part + 3) / 4);
    return words + skipped;
}

/* Pairs begin at even elements: of one that is cut at either end, one half is used. */
static void random_normal(const random_call *call, float *y, const uint32_t *words, uint64_t element, int64_t n)
{
    float pair[2];
    if (element & 1 && n > 0) {
        call->loops->normal(pair, words - 1, call->a, call->b, 1);
        *y++ = pair[1];
        words++;
        n--;
    }
    call->loops->normal(y, words, call->a, call->b, n / 2);
    if (n & 1) {
        call->loops->normal(pair, words + n - 1, call->a, call->b, 1);
        y[n - 1] = pair[0];
    }
}

static void random_stretch(const void *arg, float *const *at, int64_t first, int64_t n, lae_lanes *lanes)
{
    const random_call *call = arg;
    uint32_t buffer[RANDOM_WORDS];
    uint64_t element = call->key->first + (uint64_t)first;
    (void)lanes;
    for (int64_t i = 0, part; i < n; i += part, element += (uint64_t)part) {
        part = n - i;
        const uint32_t *words = random_draw(call, buffer, element, &part);
        float *y = at[0] + i;
        if (call->kind == LSTMAE_RANDOM_UNIFORM) call->loops->uniform(y, words, call->a, call->b, part);
        if (call->kind == LSTMAE_RANDOM_NORMAL) random_normal(call, y, words, element, part);
        if (call->kind == LSTMAE_RANDOM_BERNOULLI) call->loops->bernoulli(y, words, call->threshold, part);
    }
}

lstmae_status cpu_random(lstmae_queue *queue, int kind, const lstmae_view *out, double a, double b,
                         const lstmae_random_key *key)
{
    lae_walk walk;
    if (!CPU_ALL_FLOATS(1, out) || kind < 0 || kind > LSTMAE_RANDOM_BERNOULLI)
        return cpu_reference(queue)->random(queue, kind, out, a, b, key);
    random_call call = { .loops = lae_pointwise_of(queue->kernels->isa), .key = key, .kind = kind, .a = a, .b = b,
                         .threshold = lae_unit_threshold(a) };
    int64_t cost = kind == LSTMAE_RANDOM_NORMAL ? RANDOM_COST_NORMAL : RANDOM_COST;
    lae_walk_start(&walk, 1, &out, 0, 1u);
    lae_walk_run(queue, &walk, cost, random_stretch, &call, NULL);
    return LSTMAE_OK;
}

static void random_dropout_stretch(const void *arg, float *const *at, int64_t first, int64_t n, lae_lanes *lanes)
{
    const random_call *call = arg;
    uint32_t buffer[RANDOM_WORDS];
    uint64_t element = call->key->first + (uint64_t)first;
    (void)lanes;
    for (int64_t i = 0, part; i < n; i += part, element += (uint64_t)part) {
        part = n - i;
        const uint32_t *words = random_draw(call, buffer, element, &part);
        call->loops->dropout(at[0] + i, at[1] + i, words, call->threshold, (float)call->b, part);
    }
}

lstmae_status cpu_dropout(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *x, double p,
                          const lstmae_random_key *key)
{
    lae_walk walk;
    if (!CPU_ALL_FLOATS(2, y, x)) return cpu_reference(queue)->dropout(queue, y, x, p, key);
    random_call call = { .loops = lae_pointwise_of(queue->kernels->isa), .key = key,
                         .threshold = lae_unit_threshold(p), .b = 1.0 / (1.0 - p) };
    lae_walk_start(&walk, 2, (const lstmae_view *const[]){ y, x }, 1u << 1, 1u);
    lae_walk_run(queue, &walk, RANDOM_COST, random_dropout_stretch, &call, NULL);
    return LSTMAE_OK;
}
