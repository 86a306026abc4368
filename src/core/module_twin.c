#include "module_twin.h"

#include <string.h>

lstmae_status lae_module_twin_part(lstmae_module **out, const lstmae_module *part, lstmae_context *context)
{
    lae_twin *whole = context->twin, twin = { .source = part, .copies = whole->copies };
    if (!part->ops->twin)
        return LAE_FAIL(ERR_UNSUPPORTED, "frozen: a %s cannot be run over windows", part->ops->name);
    context->twin = &twin;
    lstmae_status status = part->ops->twin(part, context, out);
    context->twin = whole;
    /* all were taken, or, by a container, none: its parts took theirs from the source's parts */
    const int all = twin.params == twin.source->params.count && twin.buffers == twin.source->buffers.count;
    if (status != LSTMAE_OK || all || (twin.params == 0 && twin.buffers == 0)) return status;
    lstmae_module_destroy(*out);
    *out = NULL;
    return LAE_FAIL(ERR_INTERNAL, "frozen: a %s took %zu of %zu parameters", part->ops->name, twin.params,
                    twin.source->params.count);
}

void lae_twin_from(lstmae_context *context, const lstmae_module *source)
{
    *context->twin = (lae_twin){ .source = source, .copies = context->twin->copies };
}

lstmae_status lae_module_twin(lstmae_module **out, const lstmae_module *source, lstmae_context *context, int copies)
{
    lae_twin whole = { .source = source, .copies = copies };
    context->twin = &whole;
    lstmae_status status = lae_module_twin_part(out, source, context);
    context->twin = NULL;
    if (status != LSTMAE_OK) return status;
    status = lstmae_module_set_training(*out, 0);
    if (status == LSTMAE_OK) return LSTMAE_OK;
    lstmae_module_destroy(*out);
    *out = NULL;
    return status;
}

lstmae_status lae_module_twin_span(lstmae_module **out, const lstmae_module *module, lstmae_context *context,
                                   size_t from, size_t to)
{
    LAE_TRY(lae_module_new(out, context, module->ops, module->bytes));
    memcpy((char *)*out + from, (const char *)module + from, to - from);
    return LSTMAE_OK;
}

/* A tensor of the same values in `context`, which may be on another device. */
static lstmae_status twin_copy(lstmae_tensor **out, lstmae_context *context, const lstmae_tensor *from)
{
    lae_memory *memory = lae_context_memory(context);
    const lstmae_view *view = &from->view;
    const size_t bytes = (size_t)lae_view_numel(view) * lae_dtype_size(view->dtype);
    void *values = lae_alloc(memory, bytes);
    if (!values) return LAE_FAIL(ERR_NO_MEMORY, "frozen: out of memory");
    lstmae_status status;
    LAE_TRY_DONE(lstmae_tensor_read(from, values, bytes));
    LAE_TRY_DONE(lstmae_tensor_create(out, context, (lstmae_dtype)view->dtype, view->ndim, view->dim));
    LAE_TRY_DONE(lstmae_tensor_write(*out, values, bytes));
done:
    lae_free(memory, values, bytes);
    return status;
}

/* The next entry of a list of the source's. */
static lstmae_status twin_next(const lae_entry **entry, const lae_entries *entries, size_t *taken, const char *name)
{
    if (*taken >= entries->count) return LAE_FAIL(ERR_INTERNAL, "frozen: the source has no \"%s\"", name);
    *entry = &entries->entry[(*taken)++];
    return LSTMAE_OK;
}

lstmae_status lae_twin_param(lstmae_module *module, lae_param **out, const char *name)
{
    lstmae_context *context = module->context;
    const lae_entry *entry = NULL;
    LAE_TRY(twin_next(&entry, &context->twin->source->params, &context->twin->params, name));
    lae_entry own = { .param = entry->param };
    if (context->twin->copies) {
        own.owned = 1;
        own.param = lae_calloc(lae_context_memory(context), 1, sizeof *own.param);
        if (!own.param) return LAE_FAIL(ERR_NO_MEMORY, "frozen: out of memory");
        own.param->grad_zero = 1;
        lstmae_status status = twin_copy(&own.param->value, context, entry->param->value);
        if (status == LSTMAE_OK) status = lae_module_append(module, own, "", name);
        if (status != LSTMAE_OK) lae_param_destroy(lae_context_memory(context), own.param);
        else *out = own.param;
        return status;
    }
    LAE_TRY(lae_module_append(module, own, "", name));
    *out = own.param;
    return LSTMAE_OK;
}

lstmae_status lae_twin_buffer(lstmae_module *module, lstmae_tensor **out, const char *name)
{
    lstmae_context *context = module->context;
    const lae_entry *entry = NULL;
    LAE_TRY(twin_next(&entry, &context->twin->source->buffers, &context->twin->buffers, name));
    lae_entry own = { .buffer = entry->buffer };
    if (context->twin->copies) {
        own.owned = 1;
        LAE_TRY(twin_copy(&own.buffer, context, entry->buffer));
    }
    lstmae_status status = lae_module_append(module, own, "", name);
    if (status == LSTMAE_OK) *out = own.buffer;
    else if (own.owned) lstmae_tensor_destroy(own.buffer);
    return status;
}
