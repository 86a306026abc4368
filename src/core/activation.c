#include "module_internal.h"
#include "ops.h"

#include <lstmae/layers.h>

#include <stdio.h>

typedef struct activation_module {
    lstmae_module base;
    int kind; /* lstmae_activation, which is lstmae_map_kind */
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
    return lae_op_map(module->context, m->kind, 0.0, &m->output->view, x);
}

static lstmae_status activation_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                         const lstmae_tensor **grad_input)
{
    activation_module *m = (activation_module *)module;
    const lstmae_view *y = &m->output->view;
    if (!grad_input) return LSTMAE_OK;
    LAE_TRY(lae_tensor_ensure_like(&m->grad_input, module->context, y));
    *grad_input = m->grad_input;
    return lae_op_map_backward(module->context, m->kind, 0.0, &m->grad_input->view, &grad_output->view,
                               m->input ? &m->input->view : NULL, y);
}

static void activation_as_map(lstmae_module *module, lae_fused_map *map)
{
    activation_module *m = (activation_module *)module;
    map->kind = m->kind;
    map->keep_output = module->training && !lae_map_by_output(m->kind);
    map->mapped = &m->output;
    map->input = &m->input;
}

static lstmae_status activation_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output)
{
    (void)module;
    *output = *input;
    return LSTMAE_OK;
}

static void activation_describe(const lstmae_module *module, char *text, size_t size)
{
    static const char *const names[] = { "identity", "relu", "tanh", "sigmoid" };
    snprintf(text, size, "%s", names[((const activation_module *)module)->kind]);
}

static void activation_destroy(lstmae_module *module)
{
    activation_module *m = (activation_module *)module;
    lstmae_tensor_destroy(m->output);
    lstmae_tensor_destroy(m->grad_input);
}

static const lae_module_ops activation_ops = {
    .name = "activation",
    .forward = activation_forward,
    .backward = activation_backward,
    .destroy = activation_destroy,
    .shape = activation_shape,
    .describe = activation_describe,
    .as_map = activation_as_map,
};

lstmae_status lstmae_activation_create(lstmae_module **out, lstmae_context *context, lstmae_activation kind)
{
    LAE_CHECK_ARG(out != NULL, "activation_create");
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, "activation_create");
    if ((int)kind < LSTMAE_ACTIVATION_IDENTITY || (int)kind > LSTMAE_ACTIVATION_SIGMOID)
        return LAE_FAIL(ERR_INVALID_ARG, "activation_create: unknown kind %d", (int)kind);
    LAE_TRY(lae_module_new(out, context, &activation_ops, sizeof(activation_module)));
    ((activation_module *)*out)->kind = (int)kind;
    return LSTMAE_OK;
}
