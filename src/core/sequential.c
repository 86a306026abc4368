#include "module_twin.h"
#include "plan.h"

#include <lstmae/layers.h>

#include <stdio.h>
#include <string.h>

typedef struct sequential_module {
    lstmae_module base;
    lstmae_module **children;
    size_t count, capacity;
} sequential_module;

/* What a call for child `index` gave. */
static lstmae_status sequential_at(size_t index, lstmae_status status)
{
    char name[24];
    if (status >= 0) return status;
    snprintf(name, sizeof name, "%zu", index);
    return lae_fail_in(status, name);
}

static lstmae_status sequential_forward(lstmae_module *module, const lstmae_tensor *input, const lstmae_tensor **output)
{
    sequential_module *m = (sequential_module *)module;
    *output = input;
    for (size_t i = 0; i < m->count; i++) {
        int fused = 0;
        lstmae_status status = LSTMAE_OK;
        if (i + 1 < m->count)
            status = lae_module_forward_fused(m->children[i], m->children[i + 1], *output, output, &fused);
        if (status >= 0 && !fused) status = lstmae_module_forward(m->children[i], *output, output);
        LAE_TRY(sequential_at(i, status));
        i += (size_t)fused;
    }
    return LSTMAE_OK;
}

static lstmae_status sequential_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                         const lstmae_tensor **grad_input)
{
    sequential_module *m = (sequential_module *)module;
    const lstmae_tensor *grad = grad_output;
    for (size_t i = m->count; i-- > 0;) {
        int fused = 0;
        lstmae_status status = LSTMAE_OK;
        if (i > 1 || (i == 1 && grad_input))
            status = lae_module_backward_fused(m->children[i], m->children[i - 1], grad, &grad, &fused);
        if (status >= 0 && !fused)
            status = lstmae_module_backward(m->children[i], grad, i > 0 || grad_input ? &grad : NULL);
        LAE_TRY(sequential_at(i, status));
        i -= (size_t)fused;
    }
    if (grad_input) *grad_input = grad;
    return LSTMAE_OK;
}

static void sequential_destroy(lstmae_module *module)
{
    sequential_module *m = (sequential_module *)module;
    for (size_t i = 0; i < m->count; i++) lstmae_module_destroy(m->children[i]);
    lae_free(&module->context->memory, m->children, m->capacity * sizeof *m->children);
}

static lstmae_status sequential_set_training(lstmae_module *module, int training)
{
    sequential_module *m = (sequential_module *)module;
    for (size_t i = 0; i < m->count; i++) LAE_TRY(lstmae_module_set_training(m->children[i], training));
    return LSTMAE_OK;
}

static lstmae_status sequential_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output)
{
    const sequential_module *m = (const sequential_module *)module;
    *output = *input;
    for (size_t i = 0; i < m->count; i++) LAE_TRY(sequential_at(i, lae_module_shape(m->children[i], output, output)));
    return LSTMAE_OK;
}

static const lstmae_module *sequential_child(const lstmae_module *module, size_t index)
{
    const sequential_module *m = (const sequential_module *)module;
    return index < m->count ? m->children[index] : NULL;
}

static lstmae_status sequential_plan(const lstmae_module *module, lae_plan *plan)
{
    const sequential_module *m = (const sequential_module *)module;
    for (size_t i = 0; i < m->count; i++) LAE_TRY(lae_plan_add(plan, m->children[i]));
    return LSTMAE_OK;
}

static lstmae_status sequential_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out)
{
    const sequential_module *from = (const sequential_module *)module;
    lstmae_module *part = NULL;
    LAE_TRY(lstmae_sequential_create(out, context));
    for (size_t i = 0; i < from->count; i++) {
        lstmae_status status = lae_module_twin_part(&part, from->children[i], context);
        if (status == LSTMAE_OK) {
            status = lstmae_sequential_append(*out, part);
            if (status != LSTMAE_OK) lstmae_module_destroy(part);
        }
        if (status == LSTMAE_OK) continue;
        lstmae_module_destroy(*out);
        *out = NULL;
        return status;
    }
    return LSTMAE_OK;
}

static const lae_module_ops sequential_ops = {
    .name = "sequential",
    .forward = sequential_forward,
    .backward = sequential_backward,
    .destroy = sequential_destroy,
    .set_training = sequential_set_training,
    .shape = sequential_shape,
    .child = sequential_child,
    .plan = sequential_plan,
    .twin = sequential_twin,
};

lstmae_status lstmae_sequential_create(lstmae_module **out, lstmae_context *context)
{
    LAE_CHECK_ARG(out != NULL, "sequential_create");
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, "sequential_create");
    return lae_module_new(out, context, &sequential_ops, sizeof(sequential_module));
}

lstmae_status lstmae_sequential_append(lstmae_module *sequential, lstmae_module *child)
{
    LAE_CHECK_ARG(sequential != NULL, "sequential_append");
    LAE_CHECK_ARG(child != NULL, "sequential_append");
    if (sequential->ops != &sequential_ops)
        return LAE_FAIL(ERR_INVALID_ARG, "sequential_append: the container is a %s", sequential->ops->name);
    if (child == sequential || child->in_container)
        return LAE_FAIL(ERR_STATE, "sequential_append: the child is already part of a container");
    if (child->context != sequential->context)
        return LAE_FAIL(ERR_INVALID_ARG, "sequential_append: the child belongs to another context");
    sequential_module *m = (sequential_module *)sequential;
    lae_memory *memory = &sequential->context->memory;
    if (m->count == m->capacity) {
        size_t capacity = m->capacity ? 2 * m->capacity : 8;
        lstmae_module **grown = lae_calloc(memory, capacity, sizeof *grown);
        if (!grown) return LAE_FAIL(ERR_NO_MEMORY, "sequential: out of memory");
        if (m->count > 0) memcpy(grown, m->children, m->count * sizeof *grown);
        lae_free(memory, m->children, m->capacity * sizeof *grown);
        m->children = grown;
        m->capacity = capacity;
    }
    char prefix[32];
    snprintf(prefix, sizeof prefix, "%zu.", m->count);
    LAE_TRY(lstmae_module_set_training(child, sequential->training));
    LAE_TRY(lae_module_adopt(sequential, child, prefix));
    m->children[m->count++] = child;
    return LSTMAE_OK;
}
