/*
 * Following a plan: each runner has states, outputs and ready arguments of its own. Where the host cannot use the
 * device's memory, samples and what is said about them travel between it and a mirror, and the steps between are one
 * captured piece of work.
 */
#include "ops.h"
#include "plan.h"

#include <string.h>

/* Arrays begin at cache lines. */
#define RUNNER_LINE 16

static int64_t runner_room(int64_t count)
{
    return (count + RUNNER_LINE - 1) / RUNNER_LINE * RUNNER_LINE;
}

/* Floats that a step's arrays take: an LSTM's gates and both states before and after, else its output. */
static int64_t runner_step_floats(const lae_plan_step *step)
{
    if (step->kind != LAE_PLAN_LSTM) return runner_room(step->out);
    return runner_room(4 * step->out) + 2 * runner_room(2 * step->out);
}

/* Takes `count` floats from *free. */
static float *runner_take(float **free, int64_t count)
{
    float *taken = *free;
    *free += runner_room(count);
    return taken;
}

/* Sets up step k to read *x, and makes *x its output. */
static void runner_bind_lstm(lae_runner_step *step, const lae_plan_step *plan, float **x, float **free)
{
    lstmae_lstm_args *a = &step->lstm;
    a->struct_size = sizeof *a;
    a->T = a->B = 1;
    a->I = plan->in;
    a->H = plan->out;
    a->dtype = LSTMAE_F32;
    a->x = *x;
    a->x_step = a->x_batch = plan->in;
    a->w_ih = a->prepared_ih = plan->w_ih.memory.data;
    a->w_hh = a->prepared_hh = plan->w_hh.memory.data;
    if (!plan->w_ih.prepared) a->prepared_ih = a->prepared_hh = NULL;
    a->b_ih = plan->b_ih.data;
    a->b_hh = plan->b_hh.data;
    a->peephole = plan->peephole.data;
    a->gates = runner_take(free, 4 * plan->out);
    a->hs = runner_take(free, 2 * plan->out);
    a->cs = runner_take(free, 2 * plan->out);
    *x = (float *)a->hs + plan->out;
}

static void runner_bind_linear(lae_runner_step *step, const lae_plan_step *plan, float **x, float **free)
{
    lstmae_gemm_args *g = &step->linear;
    g->struct_size = sizeof *g;
    g->flags = LSTMAE_GEMM_TRANS_B;
    g->M = 1;
    g->N = plan->out;
    g->K = plan->in;
    g->a = *x;
    g->lda = plan->in;
    g->b = plan->w_ih.memory.data;
    g->prepared = plan->w_ih.prepared ? plan->w_ih.memory.data : NULL;
    g->ldb = plan->in;
    g->c = runner_take(free, plan->out);
    g->ldc = plan->out;
    g->bias = plan->b_ih.data;
    g->dtype = LSTMAE_F32;
    *x = g->c;
}

static void runner_bind_map(lae_runner_step *step, const lae_plan_step *plan, float **x, float **free)
{
    step->map = plan->map;
    step->param = plan->param;
    step->x = lae_view_of(*x, LSTMAE_F32, 1, &plan->in);
    step->y = lae_view_of(runner_take(free, plan->out), LSTMAE_F32, 1, &plan->out);
    *x = step->y.data;
}

/* ---- the mirror ---- */

static int runner_is_on_host(const lae_runner *runner)
{
    return lae_context_is_host(runner->context);
}

/* Memory for the mirror, and what repeats steps. */
static lstmae_status runner_mirror(lae_runner *runner)
{
    if (runner_is_on_host(runner)) {
        runner->mirror = runner->memory.data;
        return LSTMAE_OK;
    }
    runner->mirror = lae_alloc(lae_context_memory(runner->context), runner->memory.bytes);
    if (!runner->mirror) return LAE_FAIL(ERR_NO_MEMORY, "session: no memory for %zu bytes", runner->memory.bytes);
    return lae_replay_create(&runner->replay, runner->context);
}

/* Where one of the runner's arrays is in the mirror. */
static float *runner_on_host(const lae_runner *runner, const void *array)
{
    return runner->mirror + ((const float *)array - (const float *)runner->memory.data);
}

/* Moves `count` floats of the mirror from or to the device. */
static lstmae_status runner_send(const lae_runner *runner, const float *first, size_t count)
{
    if (runner_is_on_host(runner)) return LSTMAE_OK;
    float *to = (float *)runner->memory.data + (first - runner->mirror);
    return lae_op_upload(runner->context, to, first, count * sizeof(float));
}

static lstmae_status runner_fetch(const lae_runner *runner, float *first, size_t count)
{
    if (runner_is_on_host(runner)) return LSTMAE_OK;
    const float *from = (const float *)runner->memory.data + (first - runner->mirror);
    return lae_op_download(runner->context, first, from, count * sizeof(float));
}

static size_t runner_floats(const lae_runner *runner)
{
    return runner->memory.bytes / sizeof(float);
}

/* Code and output in one piece: the last LSTM's state lies before what the steps after it give. */
static lstmae_status runner_fetch_results(lae_runner *runner)
{
    const int coded = runner->code && runner->code < runner->y;
    float *first = coded ? runner_on_host(runner, (const float *)runner->memory.data + (runner->code - runner->mirror))
                         : runner->y;
    return runner_fetch(runner, first, (size_t)(runner->y - first + runner->plan->outputs));
}

/* ---- creation ---- */

lstmae_status lae_runner_init(lae_runner *runner, lstmae_context *context, const lae_plan *plan)
{
    int64_t floats = runner_room(plan->features);
    for (size_t k = 0; k < plan->count; k++) floats += runner_step_floats(&plan->steps[k]);
    runner->context = context;
    runner->plan = plan;
    runner->steps = lae_calloc(lae_context_memory(context), plan->count, sizeof *runner->steps);
    if (!runner->steps) return LAE_FAIL(ERR_NO_MEMORY, "session: out of memory");
    LAE_TRY(lae_buffer_reserve(&runner->memory, context, (size_t)floats, sizeof(float)));
    LAE_TRY(runner_mirror(runner));
    float *free = runner->memory.data, *values = runner_take(&free, plan->features), *code = NULL;
    runner->x = runner_on_host(runner, values);
    for (size_t k = 0; k < plan->count; k++) {
        lae_runner_step *step = &runner->steps[k];
        step->kind = plan->steps[k].kind;
        switch (step->kind) {
        case LAE_PLAN_LSTM:
            runner_bind_lstm(step, &plan->steps[k], &values, &free);
            code = values;
            break;
        case LAE_PLAN_LINEAR: runner_bind_linear(step, &plan->steps[k], &values, &free); break;
        case LAE_PLAN_MAP: runner_bind_map(step, &plan->steps[k], &values, &free); break;
        }
    }
    runner->y = runner_on_host(runner, values);
    if (code) runner->code = runner_on_host(runner, code);
    return lae_runner_reset(runner);
}

void lae_runner_release(lae_runner *runner)
{
    if (!runner->context) return;
    lae_replay_destroy(runner->replay);
    if (!runner_is_on_host(runner))
        lae_free(lae_context_memory(runner->context), runner->mirror, runner->memory.bytes);
    lae_free(lae_context_memory(runner->context), runner->steps, runner->plan->count * sizeof *runner->steps);
    lae_buffer_release(&runner->memory);
}

/* ---- running ---- */

/* The state after a step is the one before the next: both of a layer, and of the layers behind it that are as wide. */
static lstmae_status runner_keep(lae_runner *runner, size_t first, size_t count)
{
    const lstmae_lstm_args *a = &runner->steps[first].lstm;
    const int64_t dims[3] = { (int64_t)count, 2, a->H };
    lstmae_view before = lae_view_of(a->hs, LSTMAE_F32, 3, dims);
    before.stride[0] = runner_step_floats(&runner->plan->steps[first]);
    before.stride[1] = (const float *)a->cs - (const float *)a->hs;
    lstmae_view after = before;
    after.data = (float *)a->hs + a->H;
    return lae_op_copy(runner->context, &before, &after);
}

static int runner_is_lstm(const lae_runner *runner, size_t k, int64_t H)
{
    return k < runner->plan->count && runner->steps[k].kind == LAE_PLAN_LSTM && runner->steps[k].lstm.H == H;
}

static lstmae_status runner_keep_all(lae_runner *runner)
{
    for (size_t k = 0; k < runner->plan->count; k++) {
        if (runner->steps[k].kind != LAE_PLAN_LSTM) continue;
        size_t count = 1;
        while (runner_is_lstm(runner, k + count, runner->steps[k].lstm.H)) count++;
        LAE_TRY(runner_keep(runner, k, count));
        k += count - 1;
    }
    return LSTMAE_OK;
}

static lstmae_status runner_steps(lae_runner *runner)
{
    for (size_t k = 0; k < runner->plan->count; k++) {
        lae_runner_step *step = &runner->steps[k];
        switch (step->kind) {
        case LAE_PLAN_LSTM: LAE_TRY(lae_op_lstm_forward(runner->context, &step->lstm)); break;
        case LAE_PLAN_LINEAR: LAE_TRY(lae_op_gemm(runner->context, &step->linear)); break;
        case LAE_PLAN_MAP:
            LAE_TRY(lae_op_map(runner->context, step->map, step->param, &step->y, &step->x));
            break;
        }
    }
    return LSTMAE_OK;
}

/* On the host the states are copied by what takes no call. */
static void runner_keep_on_host(lae_runner *runner)
{
    for (size_t k = 0; k < runner->plan->count; k++) {
        const lstmae_lstm_args *a = &runner->steps[k].lstm;
        if (runner->steps[k].kind != LAE_PLAN_LSTM) continue;
        memcpy(a->hs, (const float *)a->hs + a->H, (size_t)a->H * sizeof(float));
        memcpy(a->cs, (const float *)a->cs + a->H, (size_t)a->H * sizeof(float));
    }
}

static lstmae_status runner_run_on_device(lae_runner *runner)
{
    LAE_TRY(runner_send(runner, runner->x, (size_t)runner->plan->features));
    lae_replay_begin(runner->replay);
    lstmae_status status = runner_steps(runner);
    if (status == LSTMAE_OK) status = runner_keep_all(runner);
    LAE_TRY(lae_replay_end(runner->replay, status));
    return runner_fetch_results(runner);
}

lstmae_status lae_runner_run(lae_runner *runner)
{
    if (!runner_is_on_host(runner)) return runner_run_on_device(runner);
    LAE_TRY(runner_steps(runner));
    runner_keep_on_host(runner);
    return LSTMAE_OK;
}

/* ---- states ---- */

lstmae_status lae_runner_reset(lae_runner *runner)
{
    memset(runner->mirror, 0, runner->memory.bytes);
    return runner_send(runner, runner->mirror, runner_floats(runner));
}

size_t lae_runner_state_floats(const lae_runner *runner)
{
    size_t floats = (size_t)runner->plan->outputs;
    for (size_t k = 0; k < runner->plan->count; k++)
        if (runner->steps[k].kind == LAE_PLAN_LSTM) floats += 2 * (size_t)runner->steps[k].lstm.H;
    return floats;
}

/* Copies `count` floats and returns where the next ones go; `to` need not be aligned. */
static char *runner_put(char *to, const float *from, int64_t count)
{
    memcpy(to, from, (size_t)count * sizeof(float));
    return to + (size_t)count * sizeof(float);
}

static const char *runner_get(const char *from, float *to, int64_t count)
{
    memcpy(to, from, (size_t)count * sizeof(float));
    return from + (size_t)count * sizeof(float);
}

lstmae_status lae_runner_store(const lae_runner *runner, void *state)
{
    LAE_TRY(runner_fetch(runner, runner->mirror, runner_floats(runner)));
    char *to = runner_put(state, runner->y, runner->plan->outputs);
    for (size_t k = 0; k < runner->plan->count; k++) {
        const lstmae_lstm_args *args = &runner->steps[k].lstm;
        if (runner->steps[k].kind != LAE_PLAN_LSTM) continue;
        to = runner_put(to, runner_on_host(runner, args->hs), args->H);
        to = runner_put(to, runner_on_host(runner, args->cs), args->H);
    }
    return LSTMAE_OK;
}

lstmae_status lae_runner_load(lae_runner *runner, const void *state)
{
    const char *from = runner_get(state, runner->y, runner->plan->outputs);
    for (size_t k = 0; k < runner->plan->count; k++) {
        const lstmae_lstm_args *args = &runner->steps[k].lstm;
        if (runner->steps[k].kind != LAE_PLAN_LSTM) continue;
        float *h = runner_on_host(runner, args->hs);
        runner_get(from, h + args->H, args->H); /* what code and output may point to */
        from = runner_get(from, h, args->H);
        from = runner_get(from, runner_on_host(runner, args->cs), args->H);
    }
    return runner_send(runner, runner->mirror, runner_floats(runner));
}
