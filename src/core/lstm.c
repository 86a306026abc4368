/* The LSTM module: creation, states, lengths, and forward and backward in terms of runs. */
#include "lstm_internal.h"
#include "ops.h"
#include "options.h"
#include "plan.h"

#include <stdio.h>
#include <string.h>

static lstmae_status lstm_forward(lstmae_module *module, const lstmae_tensor *input, const lstmae_tensor **output);
static lstmae_status lstm_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                   const lstmae_tensor **grad_input);
static void lstm_destroy(lstmae_module *module);
static lstmae_status lstm_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output);
static void lstm_describe(const lstmae_module *module, char *text, size_t size);
static lstmae_status lstm_plan(const lstmae_module *module, lae_plan *plan);
static lstmae_status lstm_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out);

static const lae_module_ops lstm_ops = {
    .name = "lstm",
    .forward = lstm_forward,
    .backward = lstm_backward,
    .destroy = lstm_destroy,
    .shape = lstm_shape,
    .describe = lstm_describe,
    .plan = lstm_plan,
    .twin = lstm_twin,
};

/* ---- creation ---- */

lstmae_status lae_lstm_check_options(const lstmae_lstm_options *options, const char *name)
{
    const uint32_t known = LSTMAE_LSTM_BIDIRECTIONAL | LSTMAE_LSTM_NO_BIAS | LSTMAE_LSTM_PEEPHOLE | LSTMAE_LSTM_CARRY;
    if (options->flags & ~known)
        return LAE_FAIL(ERR_UNSUPPORTED, "%s: unknown flags 0x%x", name, options->flags & ~known);
    if (options->layers < 1 || options->layers > 1024)
        return LAE_FAIL(ERR_INVALID_ARG, "%s: layers is %lld, expected 1 to 1024", name, (long long)options->layers);
    if (!(options->dropout >= 0.0 && options->dropout < 1.0))
        return LAE_FAIL(ERR_INVALID_ARG, "%s: dropout is %g, expected [0,1)", name, options->dropout);
    if (options->forget_bias != options->forget_bias)
        return LAE_FAIL(ERR_INVALID_ARG, "%s: forget_bias is not a number", name);
    if (options->forget_bias != 0.0 && options->flags & LSTMAE_LSTM_NO_BIAS)
        return LAE_FAIL(ERR_INVALID_ARG, "%s: a forget bias needs biases", name);
    if (options->flags & LSTMAE_LSTM_CARRY && options->flags & LSTMAE_LSTM_BIDIRECTIONAL)
        return LAE_FAIL(ERR_UNSUPPORTED, "%s: CARRY cannot go with BIDIRECTIONAL", name);
    return LSTMAE_OK;
}

/* The parameters of the layers are their own, or those of `owner`. */
static lstmae_status lstm_init(lae_lstm *m, const lstmae_lstm_options *options, const lae_lstm *owner)
{
    lae_memory *memory = &m->base.context->memory;
    m->layers = lae_calloc(memory, (size_t)(m->L * m->D), sizeof *m->layers);
    m->sites = lae_calloc(memory, (size_t)m->L, sizeof *m->sites);
    m->outputs = lae_calloc(memory, (size_t)m->L, sizeof(lstmae_tensor *));
    if (!m->layers || !m->sites || !m->outputs) return LAE_FAIL(ERR_NO_MEMORY, "lstm: out of memory");
    for (int64_t k = 0; k < m->L; k++) {
        int64_t I = k == 0 ? m->I : m->D * m->H;
        for (int64_t d = 0; d < m->D; d++) {
            char suffix[48];
            lae_lstm_layer *layer = lae_lstm_at(m, k, d);
            if (owner) {
                lae_lstm_layer_share(layer, lae_lstm_at(owner, k, d));
                continue;
            }
            snprintf(suffix, sizeof suffix, "_l%lld%s", (long long)k, d ? "_reverse" : "");
            layer->reverse = (int)d;
            LAE_TRY(lae_lstm_layer_init(layer, &m->base, "", suffix, I, m->H, options->flags, options->forget_bias));
        }
        m->sites[k] = lae_context_new_site(m->base.context);
    }
    return LSTMAE_OK;
}

static lstmae_status lstm_new(lae_lstm **out, lstmae_context *context, int64_t I, int64_t H,
                              const lstmae_lstm_options *options, const lae_lstm *owner)
{
    const int64_t most = INT64_C(1) << 28;
    if (I < 1 || H < 1 || I > most || H > most)
        return LAE_FAIL(ERR_INVALID_ARG, "lstm: input size %lld, hidden size %lld, expected 1 to 2^28", (long long)I,
                        (long long)H);
    lstmae_module *module = NULL;
    LAE_TRY(lae_module_new(&module, context, &lstm_ops, sizeof(lae_lstm)));
    lae_lstm *m = (lae_lstm *)module;
    m->I = I;
    m->H = H;
    m->L = options->layers;
    m->D = options->flags & LSTMAE_LSTM_BIDIRECTIONAL ? 2 : 1;
    m->flags = options->flags;
    m->dropout = options->dropout;
    lstmae_status status = lstm_init(m, options, owner);
    if (status != LSTMAE_OK) {
        lstmae_module_destroy(module);
        return status;
    }
    *out = m;
    return LSTMAE_OK;
}

lstmae_status lae_lstm_new(lae_lstm **out, lstmae_context *context, int64_t I, int64_t H,
                           const lstmae_lstm_options *options)
{
    return lstm_new(out, context, I, H, options, NULL);
}

lstmae_status lae_lstm_new_shared(lae_lstm **out, const lae_lstm *owner, double dropout)
{
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    options.flags = owner->flags;
    options.layers = owner->L;
    options.dropout = dropout;
    LAE_TRY(lae_lstm_check_options(&options, "lstm options"));
    return lstm_new(out, owner->base.context, owner->I, owner->H, &options, owner);
}

lstmae_status lstmae_lstm_create(lstmae_module **out, lstmae_context *context, int64_t input_size, int64_t hidden_size,
                                 const lstmae_lstm_options *options)
{
    static const lstmae_lstm_options defaults = LSTMAE_LSTM_OPTIONS_INIT;
    LAE_CHECK_ARG(out != NULL, "lstm_create");
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, "lstm_create");
    lstmae_lstm_options o;
    lae_lstm *lstm = NULL;
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "lstm options"));
    LAE_TRY(lae_lstm_check_options(&o, "lstm options"));
    LAE_TRY(lae_lstm_new(&lstm, context, input_size, hidden_size, &o));
    *out = &lstm->base;
    return LSTMAE_OK;
}

static void lstm_destroy(lstmae_module *module)
{
    lae_lstm *m = (lae_lstm *)module;
    lae_memory *memory = &module->context->memory;
    for (int64_t i = 0; m->layers && i < m->L * m->D; i++) lae_lstm_layer_release(&m->layers[i]);
    for (int64_t k = 0; m->outputs && k < m->L; k++) lstmae_tensor_destroy(m->outputs[k]);
    lae_free(memory, m->layers, (size_t)(m->L * m->D) * sizeof *m->layers);
    lae_free(memory, m->sites, (size_t)m->L * sizeof *m->sites);
    lae_free(memory, m->outputs, (size_t)m->L * sizeof(lstmae_tensor *));
    lstmae_tensor *tensors[] = { m->lengths, m->h0, m->c0, m->input_copy, m->output, m->hn, m->cn, m->dh, m->dc,
                                 m->dsequence[0], m->dsequence[1], m->ddirection, m->dinput, m->grad_copy };
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) lstmae_tensor_destroy(tensors[i]);
}

/* It starts from zeros, whatever state is set. */
static lstmae_status lstm_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out)
{
    const lae_lstm *m = (const lae_lstm *)module;
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    lae_lstm *twin = NULL;
    options.flags = m->flags & ~LSTMAE_LSTM_CARRY;
    options.layers = m->L;
    options.dropout = m->dropout;
    LAE_TRY(lae_lstm_new(&twin, context, m->I, m->H, &options));
    *out = &twin->base;
    return LSTMAE_OK;
}

static lstmae_status lstm_plan(const lstmae_module *module, lae_plan *plan)
{
    const lae_lstm *m = (const lae_lstm *)module;
    for (int64_t i = 0; i < m->L * m->D; i++) LAE_TRY(lae_plan_add_lstm(plan, &m->layers[i]));
    return LSTMAE_OK;
}

/* ---- forward ---- */

/* Entry 0 of every layer's hs and cs: the state set or carried, or zeros. */
static lstmae_status lstm_load_state(lae_lstm *m)
{
    lstmae_context *context = m->base.context;
    m->zero_state = !m->has_state;
    if (m->has_state && m->h0->view.dim[1] != m->B)
        return LAE_FAIL(ERR_SHAPE, "lstm: the state holds %lld samples, the input %lld", (long long)m->h0->view.dim[1],
                        (long long)m->B);
    for (int64_t k = 0; k < m->L; k++) {
        for (int64_t d = 0; d < m->D; d++) {
            lstmae_view h = lae_lstm_layer_h(lae_lstm_at(m, k, d), 0, m->B);
            lstmae_view c = lae_lstm_layer_c(lae_lstm_at(m, k, d), 0, m->B);
            if (m->zero_state) {
                LAE_TRY(lae_op_fill(context, &h, 0.0));
                LAE_TRY(lae_op_fill(context, &c, 0.0));
                continue;
            }
            lstmae_view h0 = lae_lstm_state_part(m, m->h0, k, d), c0 = lae_lstm_state_part(m, m->c0, k, d);
            LAE_TRY(lae_op_copy(context, &h, &h0));
            LAE_TRY(lae_op_copy(context, &c, &c0));
        }
    }
    return LSTMAE_OK;
}

/* Copies the states after the last step into h, c [L*D,B,H]. */
static lstmae_status lstm_store_state(lae_lstm *m, lstmae_tensor **h, lstmae_tensor **c)
{
    lstmae_context *context = m->base.context;
    int64_t dims[3] = { m->L * m->D, m->B, m->H };
    LAE_TRY(lae_tensor_ensure(h, context, context->dtype, 3, dims));
    LAE_TRY(lae_tensor_ensure(c, context, context->dtype, 3, dims));
    for (int64_t k = 0; k < m->L; k++) {
        for (int64_t d = 0; d < m->D; d++) {
            lstmae_view hn = lae_lstm_layer_h(lae_lstm_at(m, k, d), m->T, m->B);
            lstmae_view cn = lae_lstm_layer_c(lae_lstm_at(m, k, d), m->T, m->B);
            lstmae_view to_h = lae_lstm_state_part(m, *h, k, d), to_c = lae_lstm_state_part(m, *c, k, d);
            LAE_TRY(lae_op_copy(context, &to_h, &hn));
            LAE_TRY(lae_op_copy(context, &to_c, &cn));
        }
    }
    return LSTMAE_OK;
}

static lstmae_status lstm_shape(const lstmae_module *module, const lstmae_view *x, lstmae_view *y)
{
    const lae_lstm *m = (const lae_lstm *)module;
    char text[LAE_SHAPE_TEXT];
    if (x->ndim != 3 || x->dim[2] != m->I)
        return LAE_FAIL(ERR_SHAPE, "lstm: input is %s, layer wants [T,B,%lld]", lae_shape_text(text, sizeof text, x),
                        (long long)m->I);
    y->dim[2] = m->D * m->H;
    if (m->lengths_count == 0) return LSTMAE_OK;
    if ((int64_t)m->lengths_count != x->dim[1])
        return LAE_FAIL(ERR_SHAPE, "lstm: %zu lengths are set, the input has %lld samples", m->lengths_count,
                        (long long)x->dim[1]);
    if (m->longest > x->dim[0])
        return LAE_FAIL(ERR_SHAPE, "lstm: a length is %lld, the input has %lld steps", (long long)m->longest,
                        (long long)x->dim[0]);
    return LSTMAE_OK;
}

static void lstm_describe(const lstmae_module *module, char *text, size_t size)
{
    const lae_lstm *m = (const lae_lstm *)module;
    int used = snprintf(text, size, "lstm %lld to %lld", (long long)m->I, (long long)m->H);
    if (m->L > 1 && used > 0 && (size_t)used < size)
        used += snprintf(text + used, size - (size_t)used, ", %lld layers", (long long)m->L);
    if (m->D > 1 && used > 0 && (size_t)used < size) snprintf(text + used, size - (size_t)used, ", both ways");
}

static lstmae_status lstm_forward(lstmae_module *module, const lstmae_tensor *input, const lstmae_tensor **output)
{
    lae_lstm *m = (lae_lstm *)module;
    lstmae_view shape;
    LAE_TRY(lae_module_shape(module, &input->view, &shape));
    const lstmae_tensor *x = input;
    if (input->view.stride[2] != 1 && m->I > 1) LAE_TRY(lae_tensor_contiguous(&x, input, &m->input_copy));
    m->input = (lae_sequence){ x->view.data, x->view.stride[0], x->view.stride[1] };
    m->has_initial_grad = 0;
    LAE_TRY(lae_lstm_begin(m, x->view.dim[0], x->view.dim[1]));
    LAE_TRY(lstm_load_state(m));
    LAE_TRY(lae_lstm_run(m, 0, m->T, &m->input));
    if (m->flags & LSTMAE_LSTM_CARRY) {
        LAE_TRY(lstm_store_state(m, &m->h0, &m->c0));
        m->has_state = 1;
    }
    lae_sequence top = lae_lstm_top(m);
    lstmae_view view = lae_view_of((void *)(uintptr_t)top.data, shape.dtype, 3, shape.dim);
    lstmae_tensor *joined = m->outputs[m->L - 1];
    lstmae_tensor *holder = joined && top.data == joined->view.data ? joined : lae_lstm_at(m, m->L - 1, 0)->hs;
    LAE_TRY(lae_tensor_alias(&m->output, holder, &view));
    *output = m->output;
    return LSTMAE_OK;
}

static lstmae_status lstm_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                   const lstmae_tensor **grad_input)
{
    lae_lstm *m = (lae_lstm *)module;
    const lstmae_tensor *dy = grad_output;
    if (dy->view.stride[2] != 1 && m->D * m->H > 1) LAE_TRY(lae_tensor_contiguous(&dy, grad_output, &m->grad_copy));
    if (!m->has_state_grad) LAE_TRY(lae_lstm_begin_backward(m));
    if (m->has_state_grad && m->dh->view.dim[1] != m->B)
        return LAE_FAIL(ERR_SHAPE, "lstm: state gradients hold %lld samples, the output %lld",
                        (long long)m->dh->view.dim[1], (long long)m->B);
    m->has_state_grad = 0;
    void *dx = NULL;
    if (grad_input) {
        int64_t dims[3] = { m->T, m->B, m->I };
        LAE_TRY(lae_tensor_ensure(&m->dinput, module->context, module->context->dtype, 3, dims));
        dx = m->dinput->view.data;
        *grad_input = m->dinput;
    }
    lae_sequence top = { dy->view.data, dy->view.stride[0], dy->view.stride[1] };
    LAE_TRY(lae_lstm_run_backward(m, 0, m->T, &top, dx));
    LAE_TRY(lae_lstm_run_weights(m, &m->input, 0));
    m->has_initial_grad = !m->zero_state;
    return LSTMAE_OK;
}

/* ---- states and lengths ---- */

static lstmae_status lstm_cast(lae_lstm **out, lstmae_module *module, const char *function)
{
    LAE_CHECK_ARG(module != NULL, function);
    if (module->ops != &lstm_ops)
        return LAE_FAIL(ERR_INVALID_ARG, "%s: the module is a %s", function, module->ops->name);
    *out = (lae_lstm *)module;
    return LSTMAE_OK;
}

static lstmae_status lstm_check_state(const lae_lstm *m, const char *function, const lstmae_tensor *state)
{
    char text[LAE_SHAPE_TEXT];
    if (state->storage->context != m->base.context)
        return LAE_FAIL(ERR_INVALID_ARG, "%s: the state belongs to another context", function);
    if (state->view.dtype != (int)m->base.context->dtype)
        return LAE_FAIL(ERR_DTYPE, "%s: the state is %s, the module is %s", function, lae_dtype_name(state->view.dtype),
                        lae_dtype_name(m->base.context->dtype));
    if (state->view.ndim != 3 || state->view.dim[0] != m->L * m->D || state->view.dim[2] != m->H)
        return LAE_FAIL(ERR_SHAPE, "%s: the state is %s, layer wants [%lld,B,%lld]", function,
                        lae_shape_text(text, sizeof text, &state->view), (long long)(m->L * m->D), (long long)m->H);
    return LSTMAE_OK;
}

static lstmae_status lstm_copy_state(lae_lstm *m, lstmae_tensor **to, const lstmae_tensor *from)
{
    LAE_TRY(lae_tensor_ensure(to, m->base.context, m->base.context->dtype, 3, from->view.dim));
    return lae_op_copy(m->base.context, &(*to)->view, &from->view);
}

lstmae_status lstmae_lstm_set_state(lstmae_module *lstm, const lstmae_tensor *h0, const lstmae_tensor *c0)
{
    lae_lstm *m = NULL;
    LAE_TRY(lstm_cast(&m, lstm, "lstm_set_state"));
    if (!h0 != !c0) return LAE_FAIL(ERR_INVALID_ARG, "lstm_set_state: h0 and c0 must be given together");
    m->has_state = 0;
    lstm->can_backward = 0;
    if (!h0) return LSTMAE_OK;
    LAE_TRY(lstm_check_state(m, "lstm_set_state", h0));
    LAE_TRY(lstm_check_state(m, "lstm_set_state", c0));
    if (h0->view.dim[1] != c0->view.dim[1])
        return LAE_FAIL(ERR_SHAPE, "lstm_set_state: h0 holds %lld samples, c0 %lld", (long long)h0->view.dim[1],
                        (long long)c0->view.dim[1]);
    LAE_TRY(lstm_copy_state(m, &m->h0, h0));
    LAE_TRY(lstm_copy_state(m, &m->c0, c0));
    m->has_state = 1;
    return LSTMAE_OK;
}

lstmae_status lstmae_lstm_state(lstmae_module *lstm, const lstmae_tensor **h, const lstmae_tensor **c)
{
    lae_lstm *m = NULL;
    LAE_TRY(lstm_cast(&m, lstm, "lstm_state"));
    if (!m->output) return LAE_FAIL(ERR_STATE, "lstm_state: there was no forward");
    LAE_TRY(lstm_store_state(m, &m->hn, &m->cn));
    if (h) *h = m->hn;
    if (c) *c = m->cn;
    return LSTMAE_OK;
}

lstmae_status lstmae_lstm_set_state_grad(lstmae_module *lstm, const lstmae_tensor *dh, const lstmae_tensor *dc)
{
    lae_lstm *m = NULL;
    LAE_TRY(lstm_cast(&m, lstm, "lstm_set_state_grad"));
    if (!m->output) return LAE_FAIL(ERR_STATE, "lstm_set_state_grad: there was no forward");
    if (dh) LAE_TRY(lstm_check_state(m, "lstm_set_state_grad", dh));
    if (dc) LAE_TRY(lstm_check_state(m, "lstm_set_state_grad", dc));
    if ((dh && dh->view.dim[1] != m->B) || (dc && dc->view.dim[1] != m->B))
        return LAE_FAIL(ERR_SHAPE, "lstm_set_state_grad: the last forward had %lld samples", (long long)m->B);
    m->has_state_grad = 0;
    LAE_TRY(lae_lstm_begin_backward(m));
    if (dh) LAE_TRY(lstm_copy_state(m, &m->dh, dh));
    if (dc) LAE_TRY(lstm_copy_state(m, &m->dc, dc));
    m->has_state_grad = 1;
    return LSTMAE_OK;
}

lstmae_status lstmae_lstm_state_grad(lstmae_module *lstm, const lstmae_tensor **dh0, const lstmae_tensor **dc0)
{
    lae_lstm *m = NULL;
    LAE_TRY(lstm_cast(&m, lstm, "lstm_state_grad"));
    if (!m->has_initial_grad)
        return LAE_FAIL(ERR_STATE, "lstm_state_grad: there was no backward after a forward from a set state");
    if (dh0) *dh0 = m->dh;
    if (dc0) *dc0 = m->dc;
    return LSTMAE_OK;
}

lstmae_status lstmae_lstm_set_lengths(lstmae_module *lstm, const int64_t *lengths, int64_t count)
{
    lae_lstm *m = NULL;
    LAE_TRY(lstm_cast(&m, lstm, "lstm_set_lengths"));
    lstm->can_backward = 0;
    if (!lengths) {
        m->lengths_count = 0;
        return LSTMAE_OK;
    }
    if (count < 1 || (uint64_t)count > SIZE_MAX / sizeof *lengths)
        return LAE_FAIL(ERR_INVALID_ARG, "lstm_set_lengths: count is %lld", (long long)count);
    int64_t longest = 0;
    for (int64_t b = 0; b < count; b++) {
        if (lengths[b] < 0)
            return LAE_FAIL(ERR_INVALID_ARG, "lstm_set_lengths: length %lld of sample %lld is negative",
                            (long long)lengths[b], (long long)b);
        if (lengths[b] > longest) longest = lengths[b];
    }
    LAE_TRY(lae_tensor_ensure(&m->lengths, m->base.context, LSTMAE_I64, 1, &count));
    LAE_TRY(lstmae_tensor_write(m->lengths, lengths, (size_t)count * sizeof *lengths));
    m->lengths_count = (size_t)count;
    m->longest = longest;
    return LSTMAE_OK;
}
