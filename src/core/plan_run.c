/* Following a plan: each runner has states, outputs and ready arguments of its own. */
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

lstmae_status lae_runner_init(lae_runner *runner, lstmae_context *context, const lae_plan *plan)
{
    int64_t floats = runner_room(plan->features);
    for (size_t k = 0; k < plan->count; k++) floats += runner_step_floats(&plan->steps[k]);
    runner->context = context;
    runner->plan = plan;
    runner->steps = lae_calloc(lae_context_memory(context), plan->count, sizeof *runner->steps);
    if (!runner->steps) return LAE_FAIL(ERR_NO_MEMORY, "session: out of memory");
    LAE_TRY(lae_buffer_reserve(&runner->memory, context, (size_t)floats, sizeof(float)));
    memset(runner->memory.data, 0, (size_t)floats * sizeof(float));
    float *free = runner->memory.data;
    runner->x = runner_take(&free, plan->features);
    float *values = runner->x;
    for (size_t k = 0; k < plan->count; k++) {
        lae_runner_step *step = &runner->steps[k];
        step->kind = plan->steps[k].kind;
        switch (step->kind) {
        case LAE_PLAN_LSTM:
            runner_bind_lstm(step, &plan->steps[k], &values, &free);
            runner->code = values;
            break;
        case LAE_PLAN_LINEAR: runner_bind_linear(step, &plan->steps[k], &values, &free); break;
        case LAE_PLAN_MAP: runner_bind_map(step, &plan->steps[k], &values, &free); break;
        }
    }
    runner->y = values;
    return LSTMAE_OK;
}

void lae_runner_release(lae_runner *runner)
{
    if (!runner->context) return;
    lae_free(lae_context_memory(runner->context), runner->steps, runner->plan->count * sizeof *runner->steps);
    lae_buffer_release(&runner->memory);
}

/* The state after a step is the one before the next. */
static lstmae_status runner_lstm(lae_runner *runner, const lstmae_lstm_args *args)
{
    size_t bytes = (size_t)args->H * sizeof(float);
    LAE_TRY(lae_op_lstm_forward(runner->context, args));
    memcpy(args->hs, (const float *)args->hs + args->H, bytes);
    memcpy(args->cs, (const float *)args->cs + args->H, bytes);
    return LSTMAE_OK;
}

lstmae_status lae_runner_run(lae_runner *runner)
{
    for (size_t k = 0; k < runner->plan->count; k++) {
        lae_runner_step *step = &runner->steps[k];
        switch (step->kind) {
        case LAE_PLAN_LSTM: LAE_TRY(runner_lstm(runner, &step->lstm)); break;
        case LAE_PLAN_LINEAR: LAE_TRY(lae_op_gemm(runner->context, &step->linear)); break;
        case LAE_PLAN_MAP:
            LAE_TRY(lae_op_map(runner->context, step->map, step->param, &step->y, &step->x));
            break;
        }
    }
    return LSTMAE_OK;
}

void lae_runner_reset(lae_runner *runner)
{
    memset(runner->memory.data, 0, runner->memory.bytes);
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

void lae_runner_store(const lae_runner *runner, void *state)
{
    char *to = runner_put(state, runner->y, runner->plan->outputs);
    for (size_t k = 0; k < runner->plan->count; k++) {
        const lstmae_lstm_args *args = &runner->steps[k].lstm;
        if (runner->steps[k].kind != LAE_PLAN_LSTM) continue;
        to = runner_put(to, args->hs, args->H);
        to = runner_put(to, args->cs, args->H);
    }
}

void lae_runner_load(lae_runner *runner, const void *state)
{
    const char *from = runner_get(state, runner->y, runner->plan->outputs);
    for (size_t k = 0; k < runner->plan->count; k++) {
        const lstmae_lstm_args *args = &runner->steps[k].lstm;
        if (runner->steps[k].kind != LAE_PLAN_LSTM) continue;
        runner_get(from, (float *)args->hs + args->H, args->H); /* what code and output may point to */
        from = runner_get(from, args->hs, args->H);
        from = runner_get(from, args->cs, args->H);
    }
}
