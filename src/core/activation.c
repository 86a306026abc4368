#include "module_twin.h"
#include "ops.h"
#include "plan.h"

#include "shared/map_kind.h"

#include <lstmae/layers.h>

#include <math.h>
#include <stdio.h>

/* Kinds by their number, which is that of lstmae_map_kind; what they have for `param`, NULL: nothing. */
typedef struct activation_kind {
    const char *name, *param;
    double value; /* where the caller names none */
} activation_kind;

static const activation_kind kinds[] = {
    [LSTMAE_ACTIVATION_IDENTITY] = { "identity", NULL, 0.0 },
    [LSTMAE_ACTIVATION_RELU] = { "relu", NULL, 0.0 },
    [LSTMAE_ACTIVATION_TANH] = { "tanh", NULL, 0.0 },
    [LSTMAE_ACTIVATION_SIGMOID] = { "sigmoid", NULL, 0.0 },
    [LSTMAE_ACTIVATION_LEAKY_RELU] = { "leaky_relu", "slope", 0.01 },
    [LSTMAE_ACTIVATION_ELU] = { "elu", "alpha", 1.0 },
    [LSTMAE_ACTIVATION_SILU] = { "silu", NULL, 0.0 },
    [LSTMAE_ACTIVATION_GELU] = { "gelu", NULL, 0.0 },
    [LSTMAE_ACTIVATION_GELU_TANH] = { "gelu_tanh", NULL, 0.0 },
    [LSTMAE_ACTIVATION_SOFTPLUS] = { "softplus", "beta", 1.0 },
};

_Static_assert((int)LSTMAE_ACTIVATION_SOFTPLUS == (int)LSTMAE_MAP_SOFTPLUS, "activations are numbered as maps");

typedef struct activation_module {
    lstmae_module base;
    int kind; /* lstmae_activation, which is lstmae_map_kind */
    double param;
    const lstmae_tensor *input; /* of the last forward, borrowed; NULL where the layer before did not keep it */
    lstmae_tensor *output, *grad_input;
} activation_module;

static lstmae_status activation_forward(lstmae_module *module, const lstmae_tensor *input, const lstmae_tensor **output)
{
    activation_module *m = (activation_module *)module;
    const lstmae_view *x = &input->view;
    LAE_TRY(lae_tensor_ensure_like(&m->output, module->context, x));
    m->input = input;
    *output = m->output;
    return lae_op_map(module->context, m->kind, m->param, &m->output->view, x);
}

static lstmae_status activation_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                         const lstmae_tensor **grad_input)
{
    activation_module *m = (activation_module *)module;
    const lstmae_view *y = &m->output->view;
    if (!grad_input) return LSTMAE_OK;
    LAE_TRY(lae_tensor_ensure_like(&m->grad_input, module->context, y));
    *grad_input = m->grad_input;
    return lae_op_map_backward(module->context, m->kind, m->param, &m->grad_input->view, &grad_output->view,
                               m->input ? &m->input->view : NULL, y);
}

static void activation_as_map(lstmae_module *module, lae_fused_map *map)
{
    activation_module *m = (activation_module *)module;
    map->kind = m->kind;
    map->param = m->param;
    map->keep_output = module->training && lae_map_reads_input(m->kind);
    map->mapped = &m->output;
    map->input = &m->input;
}

static void activation_as_derivative(const lstmae_module *module, lae_fused_derivative *derivative)
{
    const activation_module *m = (const activation_module *)module;
    derivative->kind = m->kind;
    derivative->param = m->param;
    derivative->from = lae_map_reads_input(m->kind) ? &m->input->view : &m->output->view;
}

static lstmae_status activation_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output)
{
    (void)module;
    *output = *input;
    return LSTMAE_OK;
}

static void activation_describe(const lstmae_module *module, char *text, size_t size)
{
    const activation_module *m = (const activation_module *)module;
    if (kinds[m->kind].param) snprintf(text, size, "%s, %s %g", kinds[m->kind].name, kinds[m->kind].param, m->param);
    else snprintf(text, size, "%s", kinds[m->kind].name);
}

static void activation_destroy(lstmae_module *module)
{
    activation_module *m = (activation_module *)module;
    lstmae_tensor_destroy(m->output);
    lstmae_tensor_destroy(m->grad_input);
}

static lstmae_status activation_plan(const lstmae_module *module, lae_plan *plan)
{
    const activation_module *m = (const activation_module *)module;
    return lae_plan_add_map(plan, m->kind, m->param);
}

static lstmae_status activation_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out)
{
    return lae_module_twin_span(out, module, context, offsetof(activation_module, kind),
                                offsetof(activation_module, input));
}

static const lae_module_ops activation_ops = {
    .name = "activation",
    .forward = activation_forward,
    .backward = activation_backward,
    .destroy = activation_destroy,
    .shape = activation_shape,
    .describe = activation_describe,
    .as_map = activation_as_map,
    .as_derivative = activation_as_derivative,
    .plan = activation_plan,
    .twin = activation_twin,
};

static lstmae_status activation_new(lstmae_module **out, lstmae_context *context, int kind, double param)
{
    LAE_TRY(lae_module_new(out, context, &activation_ops, sizeof(activation_module)));
    ((activation_module *)*out)->kind = kind;
    ((activation_module *)*out)->param = param;
    return LSTMAE_OK;
}

/* NULL with the error text set for an unknown kind. */
static const activation_kind *activation_find(lstmae_activation kind)
{
    if ((int)kind >= 0 && (size_t)kind < sizeof kinds / sizeof *kinds) return &kinds[kind];
    (void)LAE_FAIL(ERR_INVALID_ARG, "activation_create: unknown kind %d", (int)kind);
    return NULL;
}

lstmae_status lstmae_activation_create(lstmae_module **out, lstmae_context *context, lstmae_activation kind)
{
    LAE_CHECK_ARG(out != NULL, "activation_create");
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, "activation_create");
    const activation_kind *found = activation_find(kind);
    return found ? activation_new(out, context, (int)kind, found->value) : LSTMAE_ERR_INVALID_ARG;
}

lstmae_status lstmae_activation_create_param(lstmae_module **out, lstmae_context *context, lstmae_activation kind,
                                             double param)
{
    LAE_CHECK_ARG(out != NULL, "activation_create_param");
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, "activation_create_param");
    const activation_kind *found = activation_find(kind);
    if (!found) return LSTMAE_ERR_INVALID_ARG;
    if (!found->param) return LAE_FAIL(ERR_INVALID_ARG, "activation_create_param: %s has no parameter", found->name);
    if (!isfinite(param) || (kind == LSTMAE_ACTIVATION_SOFTPLUS && param <= 0.0))
        return LAE_FAIL(ERR_INVALID_ARG, "activation_create_param: expected %s %s, got %g", found->param,
                        kind == LSTMAE_ACTIVATION_SOFTPLUS ? "above 0" : "that is finite", param);
    return activation_new(out, context, (int)kind, param);
}
