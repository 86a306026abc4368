/* Dropout as a module. Its stream of random numbers is its site and the number of the training forward. */
#include "module_twin.h"
#include "ops.h"

#include <lstmae/layers.h>

#include <stdio.h>

typedef struct dropout_module {
    lstmae_module base;
    double p;
    uint64_t site, draw;
    lstmae_tensor *output, *grad_input; /* drawn, or seen as they came where nothing is dropped */
    lstmae_tensor *seen, *grad_seen;
} dropout_module;

static int dropout_drops(const dropout_module *m)
{
    return m->base.training && m->p > 0.0;
}

static lstmae_status dropout_apply(dropout_module *m, lstmae_tensor **out, lstmae_tensor **seen,
                                   const lstmae_tensor *tensor, const lstmae_tensor **result)
{
    lstmae_context *context = m->base.context;
    if (!dropout_drops(m)) {
        LAE_TRY(lae_tensor_alias(seen, tensor, &tensor->view));
        *result = *seen;
        return LSTMAE_OK;
    }
    const lstmae_random_key key = { context->seed, lae_random_stream(m->site, m->draw), 0 };
    LAE_TRY(lae_tensor_ensure_like(out, context, &tensor->view));
    *result = *out;
    return lae_op_dropout(context, &(*out)->view, &tensor->view, m->p, &key);
}

static lstmae_status dropout_forward(lstmae_module *module, const lstmae_tensor *input, const lstmae_tensor **output)
{
    dropout_module *m = (dropout_module *)module;
    if (dropout_drops(m)) m->draw = lae_context_new_draw(module->context);
    return dropout_apply(m, &m->output, &m->seen, input, output);
}

static lstmae_status dropout_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                      const lstmae_tensor **grad_input)
{
    dropout_module *m = (dropout_module *)module;
    return grad_input ? dropout_apply(m, &m->grad_input, &m->grad_seen, grad_output, grad_input) : LSTMAE_OK;
}

static void dropout_destroy(lstmae_module *module)
{
    dropout_module *m = (dropout_module *)module;
    lstmae_tensor_destroy(m->output);
    lstmae_tensor_destroy(m->grad_input);
    lstmae_tensor_destroy(m->seen);
    lstmae_tensor_destroy(m->grad_seen);
}

static lstmae_status dropout_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output)
{
    (void)module;
    *output = *input;
    return LSTMAE_OK;
}

static void dropout_describe(const lstmae_module *module, char *text, size_t size)
{
    snprintf(text, size, "dropout %g", ((const dropout_module *)module)->p);
}

static lstmae_status dropout_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out)
{
    return lae_module_twin_span(out, module, context, offsetof(dropout_module, p), offsetof(dropout_module, site));
}

static const lae_module_ops dropout_ops = {
    .name = "dropout",
    .forward = dropout_forward,
    .backward = dropout_backward,
    .destroy = dropout_destroy,
    .shape = dropout_shape,
    .describe = dropout_describe,
    .twin = dropout_twin,
};

lstmae_status lstmae_dropout_create(lstmae_module **out, lstmae_context *context, double p)
{
    LAE_CHECK_ARG(out != NULL, "dropout_create");
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, "dropout_create");
    if (!(p >= 0.0 && p < 1.0)) return LAE_FAIL(ERR_INVALID_ARG, "dropout_create: p is %g, expected [0,1)", p);
    LAE_TRY(lae_module_new(out, context, &dropout_ops, sizeof(dropout_module)));
    dropout_module *m = (dropout_module *)*out;
    m->p = p;
    m->site = lae_context_new_site(context);
    return LSTMAE_OK;
}
