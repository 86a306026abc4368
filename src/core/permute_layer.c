/* A layer that puts the axes of its input in another order. */
#include "module_twin.h"
#include "ops.h"

#include <lstmae/layers.h>

#include <stdio.h>

typedef struct permute_module {
    lstmae_module base;
    int ndim;
    int axes[LSTMAE_MAX_DIMS]; /* axis i of the output is axis axes[i] of the input */
    lstmae_tensor *output, *grad_input;
} permute_module;

/* `view` with its axes in the order of the output. */
static lstmae_view permute_view(const permute_module *m, const lstmae_view *view)
{
    lstmae_view ordered = *view;
    for (int i = 0; i < m->ndim; i++) {
        ordered.dim[i] = view->dim[m->axes[i]];
        ordered.stride[i] = view->stride[m->axes[i]];
    }
    return ordered;
}

static lstmae_status permute_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output)
{
    const permute_module *m = (const permute_module *)module;
    char text[LAE_SHAPE_TEXT];
    if (input->ndim != m->ndim)
        return LAE_FAIL(ERR_SHAPE, "permute: input is %s, layer wants %d axes",
                        lae_shape_text(text, sizeof text, input), m->ndim);
    *output = permute_view(m, input);
    return LSTMAE_OK;
}

static void permute_describe(const lstmae_module *module, char *text, size_t size)
{
    const permute_module *m = (const permute_module *)module;
    int used = snprintf(text, size, "permute");
    for (int i = 0; i < m->ndim && used > 0 && (size_t)used < size; i++)
        used += snprintf(text + used, size - (size_t)used, "%s%d", i ? "," : " ", m->axes[i]);
}

static lstmae_status permute_forward(lstmae_module *module, const lstmae_tensor *input, const lstmae_tensor **output)
{
    permute_module *m = (permute_module *)module;
    lstmae_context *context = module->context;
    lstmae_view shape;
    LAE_TRY(lae_module_shape(module, &input->view, &shape));
    LAE_TRY(lae_tensor_ensure(&m->output, context, context->dtype, m->ndim, shape.dim));
    const lstmae_view from = permute_view(m, &input->view);
    lae_tensor_touch(m->output);
    *output = m->output;
    return lae_op_copy(context, &m->output->view, &from);
}

static lstmae_status permute_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                      const lstmae_tensor **grad_input)
{
    permute_module *m = (permute_module *)module;
    lstmae_context *context = module->context;
    int64_t dims[LSTMAE_MAX_DIMS];
    if (!grad_input) return LSTMAE_OK;
    for (int i = 0; i < m->ndim; i++) dims[m->axes[i]] = grad_output->view.dim[i];
    LAE_TRY(lae_tensor_ensure(&m->grad_input, context, context->dtype, m->ndim, dims));
    const lstmae_view to = permute_view(m, &m->grad_input->view);
    lae_tensor_touch(m->grad_input);
    *grad_input = m->grad_input;
    return lae_op_copy(context, &to, &grad_output->view);
}

static void permute_destroy(lstmae_module *module)
{
    permute_module *m = (permute_module *)module;
    lstmae_tensor_destroy(m->output);
    lstmae_tensor_destroy(m->grad_input);
}

static lstmae_status permute_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out)
{
    return lae_module_twin_span(out, module, context, offsetof(permute_module, ndim), offsetof(permute_module, output));
}

static const lae_module_ops permute_ops = {
    .name = "permute",
    .forward = permute_forward,
    .backward = permute_backward,
    .destroy = permute_destroy,
    .shape = permute_shape,
    .describe = permute_describe,
    .twin = permute_twin,
};

lstmae_status lstmae_permute_create(lstmae_module **out, lstmae_context *context, int ndim, const int *axes)
{
    LAE_CHECK_ARG(out != NULL, "permute_create");
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, "permute_create");
    LAE_CHECK_ARG(axes != NULL, "permute_create");
    LAE_CHECK_ARG(ndim >= 1 && ndim <= LSTMAE_MAX_DIMS, "permute_create");
    int seen[LSTMAE_MAX_DIMS] = { 0 };
    for (int i = 0; i < ndim; i++) {
        if (axes[i] < 0 || axes[i] >= ndim || seen[axes[i]]++)
            return LAE_FAIL(ERR_INVALID_ARG,
                            "permute_create: expected each of the axes 0 to %d once, got %d as axis %d", ndim - 1,
                            axes[i], i);
    }
    lstmae_module *module = NULL;
    LAE_TRY(lae_module_new(&module, context, &permute_ops, sizeof(permute_module)));
    permute_module *m = (permute_module *)module;
    m->ndim = ndim;
    for (int i = 0; i < ndim; i++) m->axes[i] = axes[i];
    *out = module;
    return LSTMAE_OK;
}
