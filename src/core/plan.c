#include "plan.h"

#include "crc32c.h"
#include "ops.h"

#include <string.h>

static void plan_mix(lae_plan *plan, const void *data, size_t bytes)
{
    plan->fingerprint = lae_crc32c(plan->fingerprint, data, bytes);
}

/* ---- weights ---- */

/* A parameter's values in memory of the plan's context. */
static lstmae_status plan_copy(lae_plan *plan, lae_buffer *buffer, const lae_param *param)
{
    lae_memory *memory = lae_context_memory(plan->context);
    const size_t bytes = (size_t)lae_view_numel(&param->value->view) * sizeof(float);
    void *values = lae_alloc(memory, bytes);
    if (!values) return LAE_FAIL(ERR_NO_MEMORY, "frozen: no memory for %zu bytes", bytes);
    lstmae_status status;
    LAE_TRY_DONE(lae_buffer_reserve(buffer, plan->context, bytes, 1));
    LAE_TRY_DONE(lstmae_tensor_read(param->value, values, bytes));
    LAE_TRY_DONE(lae_op_upload(plan->context, buffer->data, values, bytes));
    plan_mix(plan, values, bytes);
    plan->bytes += buffer->bytes;
done:
    lae_free(memory, values, bytes);
    return status;
}

/* The same for a vector that may be absent. */
static lstmae_status plan_vector(lae_plan *plan, lae_buffer *buffer, const lae_param *param)
{
    return param ? plan_copy(plan, buffer, param) : LSTMAE_OK;
}

/* The same for a weight, of which only the prepared form is kept where there is one. */
static lstmae_status plan_weight(lae_plan *plan, lae_plan_weight *weight, const lae_param *param, int kind)
{
    const lstmae_view *view = &param->value->view;
    lae_buffer values = { NULL, NULL, 0 };
    size_t bytes = lae_op_prepare_bytes(plan->context, kind, view->dim[0], view->dim[1], view->dtype);
    if (bytes == 0) return plan_copy(plan, &weight->memory, param);
    lstmae_status status;
    LAE_TRY_DONE(plan_copy(plan, &values, param));
    LAE_TRY_DONE(lae_buffer_reserve(&weight->memory, plan->context, bytes, 1));
    LAE_TRY_DONE(lae_op_prepare(plan->context, kind, weight->memory.data, values.data, view->dim[0], view->dim[1],
                                view->dtype));
    weight->prepared = 1;
    plan->bytes += weight->memory.bytes - values.bytes;
done:
    lae_buffer_release(&values);
    return status;
}

/* ---- steps ---- */

static lstmae_status plan_append(lae_plan *plan, lae_plan_step **out, lae_plan_kind kind, int64_t in, int64_t output)
{
    lae_memory *memory = lae_context_memory(plan->context);
    int64_t shape[3] = { (int64_t)kind, in, output };
    if (plan->count > 0 && plan->outputs != in)
        return LAE_FAIL(ERR_SHAPE, "frozen: step %zu gives %lld values, the next one takes %lld", plan->count - 1,
                        (long long)plan->outputs, (long long)in);
    if (plan->count == plan->capacity) {
        size_t capacity = plan->capacity ? 2 * plan->capacity : 4;
        lae_plan_step *grown = lae_calloc(memory, capacity, sizeof *grown);
        if (!grown) return LAE_FAIL(ERR_NO_MEMORY, "frozen: out of memory");
        if (plan->count > 0) memcpy(grown, plan->steps, plan->count * sizeof *grown);
        lae_free(memory, plan->steps, plan->capacity * sizeof *grown);
        plan->steps = grown;
        plan->capacity = capacity;
    }
    lae_plan_step *step = &plan->steps[plan->count];
    step->kind = kind;
    step->in = in;
    step->out = output;
    if (plan->count == 0) plan->features = in;
    plan->outputs = output;
    plan->count++;
    plan_mix(plan, shape, sizeof shape);
    *out = step;
    return LSTMAE_OK;
}

lstmae_status lae_plan_add_lstm(lae_plan *plan, const lae_lstm_layer *layer)
{
    lae_plan_step *step = NULL;
    if (layer->reverse) return LAE_FAIL(ERR_UNSUPPORTED, "frozen: a bidirectional LSTM cannot run one step at a time");
    LAE_TRY(plan_append(plan, &step, LAE_PLAN_LSTM, layer->I, layer->H));
    plan->code = layer->H;
    LAE_TRY(plan_weight(plan, &step->w_ih, layer->w_ih, LSTMAE_PREPARE_GATES));
    LAE_TRY(plan_weight(plan, &step->w_hh, layer->w_hh, LSTMAE_PREPARE_GATES));
    LAE_TRY(plan_vector(plan, &step->b_ih, layer->b_ih));
    LAE_TRY(plan_vector(plan, &step->b_hh, layer->b_hh));
    return plan_vector(plan, &step->peephole, layer->peephole);
}

lstmae_status lae_plan_add_linear(lae_plan *plan, const lae_linear *linear)
{
    lae_plan_step *step = NULL;
    LAE_TRY(plan_append(plan, &step, LAE_PLAN_LINEAR, linear->in, linear->out));
    LAE_TRY(plan_weight(plan, &step->w_ih, linear->weight, LSTMAE_PREPARE_FORWARD));
    return plan_vector(plan, &step->b_ih, linear->bias);
}

lstmae_status lae_plan_add_map(lae_plan *plan, int map, double param)
{
    lae_plan_step *step = NULL;
    if (plan->count == 0) return LAE_FAIL(ERR_UNSUPPORTED, "frozen: a chain begins with an LSTM or a linear layer");
    LAE_TRY(plan_append(plan, &step, LAE_PLAN_MAP, plan->outputs, plan->outputs));
    step->map = map;
    step->param = param;
    plan_mix(plan, &map, sizeof map);
    plan_mix(plan, &param, sizeof param);
    return LSTMAE_OK;
}

lstmae_status lae_plan_add(lae_plan *plan, const lstmae_module *module)
{
    if (!module->ops->plan)
        return LAE_FAIL(ERR_UNSUPPORTED, "frozen: a %s cannot run one step at a time", module->ops->name);
    return module->ops->plan(module, plan);
}

lstmae_status lae_plan_build(lae_plan *plan, const lstmae_module *module)
{
    LAE_TRY(lae_plan_add(plan, module));
    if (plan->count == 0) return LAE_FAIL(ERR_UNSUPPORTED, "frozen: the %s is empty", module->ops->name);
    return LSTMAE_OK;
}

void lae_plan_release(lae_plan *plan)
{
    for (size_t k = 0; k < plan->count; k++) {
        lae_plan_step *step = &plan->steps[k];
        lae_buffer *buffers[] = { &step->w_ih.memory, &step->w_hh.memory, &step->b_ih, &step->b_hh, &step->peephole };
        for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) lae_buffer_release(buffers[i]);
    }
    if (plan->context)
        lae_free(lae_context_memory(plan->context), plan->steps, plan->capacity * sizeof *plan->steps);
}
