#include "replay.h"

#include "record.h"
#include "side.h"

#include <string.h>

/* Steps in a row that were new, after which none is recorded for a while, and how many are tried after that. */
#define REPLAY_MISSES 8
#define REPLAY_TRIES 3
#define REPLAY_FIRST_PAUSE 16
#define REPLAY_LONGEST_PAUSE 1024

/* Captures that a device may refuse before it is not asked again. */
#define REPLAY_REFUSALS 3

/* ---- lifetime ---- */

lstmae_status lae_replay_create(lae_replay **out, lstmae_context *context)
{
    *out = NULL;
    if (!context->api->capture_begin || context->eager) return LSTMAE_OK;
    lae_replay *replay = lae_calloc(&context->memory, 1, sizeof *replay);
    if (!replay) return LAE_FAIL(ERR_NO_MEMORY, "replay: no memory for %zu bytes", sizeof *replay);
    replay->context = context;
    replay->api = context->api;
    replay->queue = context->queue;
    replay->pause = REPLAY_FIRST_PAUSE;
    lae_record_table(&replay->table, context->api);
    *out = replay;
    return LSTMAE_OK;
}

static void replay_drop_graph(lae_replay *replay, lae_replay_step *step)
{
    if (step->graph) replay->api->graph_release(replay->queue, step->graph);
    step->graph = NULL;
}

void lae_replay_destroy(lae_replay *replay)
{
    if (!replay) return;
    lae_memory *memory = &replay->context->memory;
    for (int i = 0; i < LAE_REPLAY_STEPS; i++) {
        replay_drop_graph(replay, &replay->steps[i]);
        lae_calls_release(&replay->steps[i].calls, memory);
    }
    lae_calls_release(&replay->made, memory);
    lae_free(memory, replay->layers, replay->layers_bytes);
    lae_free(memory, replay, sizeof *replay);
}

/* ---- making calls ---- */

/* Those before `end` that the device took when they were made first. After an error the device still follows from lane
 * to lane, so that it is where the host takes it to be. */
static lstmae_status replay_make(const lae_replay *replay, const lae_calls *calls, size_t end,
                                 const lstmae_step_values *values)
{
    lstmae_status status = LSTMAE_OK;
    lae_call call;
    for (size_t offset = 0; offset < end;) {
        offset = lae_calls_at(calls, offset, &call);
        if (call.status != LSTMAE_OK || (status < 0 && call.entry != LAE_CALL_lane)) continue;
        lstmae_status made = lae_call_make(&call, replay->api, replay->queue, values);
        if (status == LSTMAE_OK) status = made;
    }
    return status;
}

void lae_replay_settle(lae_replay *replay)
{
    const lae_replay_step *step = replay->followed;
    if (!step) return;
    replay->followed = NULL;
    if (!lae_calls_assign(&replay->made, &replay->context->memory, &step->calls, replay->offset)) replay->broken = 1;
    lstmae_status status = replay_make(replay, &step->calls, replay->offset, &replay->values);
    if (status < 0) replay->failed = status;
}

lstmae_status lae_replay_break(lae_replay *replay)
{
    lae_replay_settle(replay);
    replay->broken = 1;
    return replay->failed;
}

/* Whether the step begins with the calls that were put off. */
static int replay_begins(const lae_replay *replay, const lae_replay_step *step)
{
    if (step->calls.size < replay->offset) return 0;
    return replay->offset == 0 || memcmp(step->calls.bytes, replay->followed->calls.bytes, replay->offset) == 0;
}

/* Another step that was the same so far and goes on with `call`. */
static size_t replay_switch(lae_replay *replay, lae_call *call)
{
    for (int i = 0; i < LAE_REPLAY_STEPS; i++) {
        lae_replay_step *step = &replay->steps[i];
        if (step == replay->followed || !replay_begins(replay, step)) continue;
        size_t next = lae_calls_match(&step->calls, replay->offset, call);
        if (next == 0) continue;
        replay->followed = step;
        return next;
    }
    return 0;
}

lstmae_status lae_replay_take(lae_replay *replay, lae_call *call)
{
    if (call->entry == LAE_CALL_random || call->entry == LAE_CALL_dropout) call->key.stream -= replay->values.draws;
    if (replay->followed) {
        size_t next = lae_calls_match(&replay->followed->calls, replay->offset, call);
        if (next == 0) next = replay_switch(replay, call);
        if (next != 0) {
            replay->offset = next;
            return call->status;
        }
        lae_replay_settle(replay);
    }
    LAE_TRY(replay->failed);
    call->status = lae_call_make(call, replay->api, replay->queue, &replay->values);
    if (call->status < 0 && call->status != LSTMAE_ERR_UNSUPPORTED) replay->broken = 1;
    if (!replay->broken && !lae_calls_append(&replay->made, &replay->context->memory, call)) replay->broken = 1;
    return call->status;
}

lstmae_status lae_replay_take_update(lae_replay *replay, lae_call *call, const lstmae_step_values *values)
{
    const lstmae_step_values wanted = { replay->values.draws, values->lr, values->bias1, values->bias2 };
    if (replay->updated && memcmp(&wanted, &replay->values, sizeof wanted) != 0) LAE_TRY(lae_replay_break(replay));
    replay->values = wanted;
    replay->updated = 1;
    return lae_replay_take(replay, call);
}

/* ---- graphs ---- */

/* Leaves the step without a graph where the device does not make one. */
static void replay_capture(lae_replay *replay, lae_replay_step *step)
{
    static const lstmae_step_values none;
    lstmae_graph *graph = NULL;
    if (replay->api->capture_begin(replay->queue) == LSTMAE_OK) {
        lstmae_status noted = replay_make(replay, &step->calls, step->calls.size, &none);
        lstmae_status ended = replay->api->capture_end(replay->queue, noted == LSTMAE_OK ? &graph : NULL);
        if (ended == LSTMAE_OK) step->graph = graph;
    }
    if (step->graph) replay->captures++;
    else replay->refused++;
}

/* The step was the same as this one to its end: runs it. */
static lstmae_status replay_run(lae_replay *replay, lae_replay_step *step)
{
    replay->misses = 0;
    replay->pause = REPLAY_FIRST_PAUSE;
    step->used = ++replay->clock;
    if (!step->graph) replay_capture(replay, step);
    if (step->graph) {
        lstmae_status status = replay->api->graph_launch(replay->queue, step->graph, &replay->values);
        if (status == LSTMAE_OK) replay->launches++;
        if (status != LSTMAE_ERR_UNSUPPORTED) return status;
        replay_drop_graph(replay, step);
    }
    return replay_make(replay, &step->calls, step->calls.size, &replay->values);
}

/* The step's calls take the place of those that were used longest ago. */
static void replay_keep(lae_replay *replay)
{
    lae_replay_step *oldest = &replay->steps[0];
    for (int i = 1; i < LAE_REPLAY_STEPS; i++)
        if (replay->steps[i].used < oldest->used) oldest = &replay->steps[i];
    replay_drop_graph(replay, oldest);
    lae_calls before = oldest->calls;
    oldest->calls = replay->made;
    oldest->used = ++replay->clock;
    replay->made = before;
    replay->made.size = 0;
}

static void replay_miss(lae_replay *replay)
{
    if (!replay->broken) replay_keep(replay);
    if (++replay->misses < REPLAY_MISSES) return;
    replay->misses = REPLAY_MISSES - REPLAY_TRIES;
    replay->rest = replay->pause;
    replay->pause = replay->pause < REPLAY_LONGEST_PAUSE / 2 ? 2 * replay->pause : REPLAY_LONGEST_PAUSE;
}

/* ---- steps ---- */

/* The one used last, with which the comparison begins. */
static lae_replay_step *replay_latest(lae_replay *replay)
{
    lae_replay_step *latest = &replay->steps[0];
    for (int i = 1; i < LAE_REPLAY_STEPS; i++)
        if (replay->steps[i].used > latest->used) latest = &replay->steps[i];
    return latest->calls.size > 0 ? latest : NULL;
}

/* The step that ends with what was put off. */
static lae_replay_step *replay_ended(lae_replay *replay)
{
    for (int i = 0; replay->followed && i < LAE_REPLAY_STEPS; i++) {
        lae_replay_step *step = &replay->steps[i];
        if (step->calls.size == replay->offset && replay->offset > 0 && replay_begins(replay, step)) return step;
    }
    return NULL;
}

void lae_replay_begin(lae_replay *replay)
{
    if (!replay || replay->refused >= REPLAY_REFUSALS) return;
    if (replay->rest > 0) {
        replay->rest--;
        return;
    }
    if (lae_side_join(replay->context) < 0) return;
    replay->recording = 1;
    replay->followed = replay_latest(replay);
    replay->offset = replay->made.size = 0;
    replay->broken = replay->updated = 0;
    replay->failed = LSTMAE_OK;
    replay->values = (lstmae_step_values){ .draws = lae_context_draws(replay->context) };
    replay->context->api = &replay->table;
    replay->context->queue = (lstmae_queue *)replay;
}

lstmae_status lae_replay_end(lae_replay *replay, lstmae_status status)
{
    if (!replay || !replay->recording) return status;
    replay->recording = 0;
    replay->context->api = replay->api;
    replay->context->queue = replay->queue;
    lae_replay_step *step = status == LSTMAE_OK ? replay_ended(replay) : NULL;
    if (step) return replay_run(replay, step);
    lae_replay_settle(replay);
    if (status == LSTMAE_OK) status = replay->failed;
    if (status == LSTMAE_OK) replay_miss(replay);
    return status;
}
