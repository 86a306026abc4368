#include "module_twin.h"

#include "ops.h"
#include "side.h"
#include "size.h"

#include <stdio.h>
#include <string.h>

lstmae_status lae_module_new(lstmae_module **out, lstmae_context *context, const lae_module_ops *ops, size_t bytes)
{
    lstmae_module *module = lae_calloc(&context->memory, 1, bytes);
    if (!module) return LAE_FAIL(ERR_NO_MEMORY, "%s: out of memory", ops->name);
    atomic_init(&module->references, 1);
    module->ops = ops;
    module->context = lae_context_retain(context);
    module->bytes = bytes;
    module->training = 1;
    *out = module;
    return LSTMAE_OK;
}

lstmae_module *lae_module_retain(lstmae_module *module)
{
    atomic_fetch_add_explicit(&module->references, 1, memory_order_relaxed);
    return module;
}

/* ---- parameters ---- */

void lae_param_destroy(lae_memory *memory, lae_param *param)
{
    lae_buffer_release(&param->prepared);
    lstmae_tensor_destroy(param->grad);
    lstmae_tensor_destroy(param->value);
    lae_free(memory, param, sizeof *param);
}

static lstmae_status entries_grow(lae_entries *entries, const lstmae_module *module)
{
    lae_memory *memory = &module->context->memory;
    size_t capacity = entries->capacity ? 2 * entries->capacity : 8;
    lae_entry *grown = lae_calloc(memory, capacity, sizeof *grown);
    if (!grown) return LAE_FAIL(ERR_NO_MEMORY, "%s: out of memory", module->ops->name);
    if (entries->count > 0) memcpy(grown, entries->entry, entries->count * sizeof *grown);
    lae_free(memory, entries->entry, entries->capacity * sizeof *grown);
    entries->entry = grown;
    entries->capacity = capacity;
    return LSTMAE_OK;
}

lstmae_status lae_module_append(lstmae_module *module, lae_entry entry, const char *prefix, const char *name)
{
    lae_entries *entries = entry.param ? &module->params : &module->buffers;
    if (entries->count == entries->capacity) LAE_TRY(entries_grow(entries, module));
    entry.name_bytes = strlen(prefix) + strlen(name) + 1;
    entry.name = lae_alloc(&module->context->memory, entry.name_bytes);
    if (!entry.name) return LAE_FAIL(ERR_NO_MEMORY, "%s: out of memory", module->ops->name);
    snprintf(entry.name, entry.name_bytes, "%s%s", prefix, name);
    entries->entry[entries->count++] = entry;
    return LSTMAE_OK;
}

static lstmae_status param_draw(lae_param *param, lstmae_context *context, double bound)
{
    lstmae_random_key key = { context->seed, lae_random_stream(lae_context_new_site(context), 0), 0 };
    if (bound == 0.0) return LSTMAE_OK;
    return lae_op_random(context, LSTMAE_RANDOM_UNIFORM, &param->value->view, -bound, bound, &key);
}

lstmae_status lae_module_add_param(lstmae_module *module, lae_param **out, const char *name, int ndim,
                                   const int64_t *dims, double bound)
{
    lstmae_context *context = module->context;
    if (context->twin) return lae_twin_param(module, out, name);
    lae_param *param = lae_calloc(&context->memory, 1, sizeof *param);
    if (!param) return LAE_FAIL(ERR_NO_MEMORY, "%s: out of memory", module->ops->name);
    param->grad_zero = 1;
    lstmae_status status;
    LAE_TRY_DONE(lstmae_tensor_create(&param->value, context, context->dtype, ndim, dims));
    LAE_TRY_DONE(param_draw(param, context, bound));
    LAE_TRY_DONE(lae_module_append(module, (lae_entry){ .param = param, .owned = 1 }, "", name));
    *out = param;
    return LSTMAE_OK;
done:
    lae_param_destroy(&context->memory, param);
    return status;
}

lstmae_status lae_module_add_buffer(lstmae_module *module, lstmae_tensor **out, const char *name, lstmae_dtype dtype,
                                    int ndim, const int64_t *dims)
{
    lstmae_tensor *tensor = NULL;
    if (module->context->twin) return lae_twin_buffer(module, out, name);
    LAE_TRY(lstmae_tensor_create(&tensor, module->context, dtype, ndim, dims));
    lstmae_status status = lae_module_append(module, (lae_entry){ .buffer = tensor, .owned = 1 }, "", name);
    if (status == LSTMAE_OK) *out = tensor;
    else lstmae_tensor_destroy(tensor);
    return status;
}

static void entries_forget(lae_entries *entries, size_t count, lae_memory *memory)
{
    while (entries->count > count) {
        lae_entry *entry = &entries->entry[--entries->count];
        if (entry->owned && entry->param) lae_param_destroy(memory, entry->param);
        if (entry->owned) lstmae_tensor_destroy(entry->buffer);
        lae_free(memory, entry->name, entry->name_bytes);
    }
}

void lae_module_forget(lstmae_module *module, size_t params, size_t buffers)
{
    entries_forget(&module->params, params, &module->context->memory);
    entries_forget(&module->buffers, buffers, &module->context->memory);
}

static lstmae_status module_adopt_entries(lstmae_module *module, const lae_entries *entries, const char *prefix)
{
    for (size_t i = 0; i < entries->count; i++) {
        lae_entry entry = entries->entry[i];
        entry.owned = 0;
        LAE_TRY(lae_module_append(module, entry, prefix, entries->entry[i].name));
    }
    return LSTMAE_OK;
}

lstmae_status lae_module_adopt(lstmae_module *module, lstmae_module *child, const char *prefix)
{
    const size_t params = module->params.count, buffers = module->buffers.count;
    lstmae_status status = module_adopt_entries(module, &child->params, prefix);
    if (status == LSTMAE_OK) status = module_adopt_entries(module, &child->buffers, prefix);
    if (status == LSTMAE_OK) child->in_container = 1;
    else lae_module_forget(module, params, buffers);
    return status;
}

lae_param *lae_module_param_at(const lstmae_module *module, size_t index)
{
    return module && index < module->params.count ? module->params.entry[index].param : NULL;
}

size_t lae_module_state_count(const lstmae_module *module)
{
    return module->params.count + module->buffers.count;
}

lstmae_tensor *lae_module_state_at(const lstmae_module *module, size_t index, const char **name)
{
    const size_t params = module->params.count;
    const lae_entry *entry =
        index < params ? &module->params.entry[index] : &module->buffers.entry[index - params];
    if (name) *name = entry->name;
    return entry->param ? entry->param->value : entry->buffer;
}

static lstmae_status param_grad_memory(lae_param *param)
{
    if (param->grad) return LSTMAE_OK;
    const lstmae_view *view = &param->value->view;
    return lae_tensor_ensure(&param->grad, param->value->storage->context, (lstmae_dtype)view->dtype, view->ndim,
                             view->dim);
}

lstmae_status lae_param_grad(lae_param *param, lstmae_tensor **grad, double *beta)
{
    LAE_TRY(param_grad_memory(param));
    *beta = param->grad_zero ? 0.0 : 1.0;
    param->grad_zero = 0;
    param->side = lae_side_is_open(param->value->storage->context);
    lae_tensor_touch(param->grad);
    *grad = param->grad;
    return LSTMAE_OK;
}

lstmae_status lae_param_grad_values(lae_param *param, lstmae_tensor **grad)
{
    LAE_TRY(param_grad_memory(param));
    if (param->grad_zero) LAE_TRY(lae_op_fill(param->value->storage->context, &param->grad->view, 0.0));
    param->grad_zero = 0;
    *grad = param->grad;
    return LSTMAE_OK;
}

lstmae_status lae_param_grads(lae_param *const *params, void **grads, int count, double *beta)
{
    lstmae_tensor *grad = NULL;
    int all_zero = 1;
    for (int i = 0; i < count; i++)
        if (params[i] && !params[i]->grad_zero) all_zero = 0;
    for (int i = 0; i < count; i++) {
        if (!params[i]) continue;
        if (!all_zero) LAE_TRY(lae_param_grad_values(params[i], &grad));
        LAE_TRY(lae_param_grad(params[i], &grad, beta));
        grads[i] = grad->view.data;
    }
    return LSTMAE_OK;
}

lstmae_status lae_param_prepared(lae_param *param, int kind, const void **prepared)
{
    lstmae_context *context = param->value->storage->context;
    const lstmae_view *view = &param->value->view;
    kind = lae_op_prepare_kind(context, kind);
    size_t bytes = lae_op_prepare_bytes(context, kind, view->dim[0], view->dim[1], view->dtype);
    *prepared = NULL;
    if (bytes == 0 || (param->fixed && param->prepared_kind != kind)) return LSTMAE_OK;
    uint64_t version = lae_tensor_version(param->value);
    if (param->prepared_kind != kind || param->prepared_version != version) {
        LAE_TRY(lae_buffer_reserve(&param->prepared, context, bytes, 1));
        param->prepared_kind = 0;
        LAE_TRY(
            lae_op_prepare(context, kind, param->prepared.data, view->data, view->dim[0], view->dim[1], view->dtype));
        param->prepared_kind = kind;
        param->prepared_version = version;
    }
    *prepared = param->prepared.data;
    return LSTMAE_OK;
}

/* ---- public ---- */

void lstmae_module_destroy(lstmae_module *module)
{
    if (!module || atomic_fetch_sub_explicit(&module->references, 1, memory_order_acq_rel) != 1) return;
    lstmae_context *context = module->context;
    lae_memory *memory = &context->memory;
    lae_module_forget(module, 0, 0);
    lae_free(memory, module->params.entry, module->params.capacity * sizeof *module->params.entry);
    lae_free(memory, module->buffers.entry, module->buffers.capacity * sizeof *module->buffers.entry);
    if (module->ops->destroy) module->ops->destroy(module);
    lae_free(memory, module, module->bytes);
    lae_context_release(context);
}

static lstmae_status module_check_tensor(const lstmae_module *module, const char *what, const lstmae_tensor *tensor)
{
    if (tensor->storage->context != module->context)
        return LAE_FAIL(ERR_INVALID_ARG, "%s: %s belongs to another context", module->ops->name, what);
    if (tensor->view.dtype != (int)module->context->dtype)
        return LAE_FAIL(ERR_DTYPE, "%s: %s is %s, the module is %s", module->ops->name, what,
                        lae_dtype_name(tensor->view.dtype), lae_dtype_name(module->context->dtype));
    return LSTMAE_OK;
}

lstmae_status lae_module_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output)
{
    lstmae_view result = *input;
    result.data = NULL;
    int64_t numel;
    LAE_TRY(module->ops->shape(module, input, &result));
    if (!lae_product(&numel, result.ndim, result.dim))
        return LAE_FAIL(ERR_SHAPE, "%s: the sizes of the output overflow", module->ops->name);
    *output = result;
    return LSTMAE_OK;
}

lstmae_status lae_module_forward_fused(lstmae_module *module, lstmae_module *next, const lstmae_tensor *input,
                                       const lstmae_tensor **output, int *fused)
{
    *fused = 0;
    if (!module->ops->forward_mapped || !next->ops->as_map) return LSTMAE_OK;
    LAE_TRY(module_check_tensor(module, "input", input));
    lae_fused_map map = { 0 };
    const lstmae_tensor *kept = NULL;
    next->ops->as_map(next, &map);
    module->can_backward = next->can_backward = 0;
    lstmae_status status = module->ops->forward_mapped(module, input, &map, &kept);
    if (status == LSTMAE_ERR_UNSUPPORTED) return LSTMAE_OK;
    LAE_TRY(status);
    *map.input = kept;
    module->can_backward = module->training;
    next->can_backward = next->training;
    module->last_output = next->last_output = (*map.mapped)->view;
    *output = *map.mapped;
    *fused = 1;
    return LSTMAE_OK;
}

lstmae_status lstmae_module_output_shape(const lstmae_module *module, int ndim, const int64_t *dims, int *out_ndim,
                                         int64_t *out_dims)
{
    LAE_CHECK_ARG(module != NULL, "module_output_shape");
    LAE_CHECK_ARG(out_ndim != NULL, "module_output_shape");
    LAE_CHECK_ARG(out_dims != NULL, "module_output_shape");
    lstmae_view input, output;
    LAE_TRY(lae_view_of_shape(&input, "module_output_shape", module->context->dtype, ndim, dims));
    LAE_TRY(lae_module_shape(module, &input, &output));
    *out_ndim = output.ndim;
    for (int i = 0; i < output.ndim; i++) out_dims[i] = output.dim[i];
    return LSTMAE_OK;
}

lstmae_status lstmae_module_forward(lstmae_module *module, const lstmae_tensor *input, const lstmae_tensor **output)
{
    LAE_CHECK_ARG(module != NULL, "module_forward");
    LAE_CHECK_ARG(input != NULL, "module_forward");
    LAE_TRY(module_check_tensor(module, "input", input));
    const lstmae_tensor *result = NULL;
    module->can_backward = 0;
    LAE_TRY(module->ops->forward(module, input, &result));
    module->can_backward = module->training;
    module->last_output = result->view;
    if (output) *output = result;
    return LSTMAE_OK;
}

/* Whether backward may be called with this gradient. */
static lstmae_status module_check_backward(const lstmae_module *module, const lstmae_tensor *grad_output)
{
    LAE_TRY(module_check_tensor(module, "grad_output", grad_output));
    if (!module->can_backward)
        return LAE_FAIL(ERR_STATE, "%s: backward needs a forward in training mode before it", module->ops->name);
    if (!lae_view_same_shape(&grad_output->view, &module->last_output)) {
        char got[LAE_SHAPE_TEXT], want[LAE_SHAPE_TEXT];
        return LAE_FAIL(ERR_SHAPE, "%s: grad_output is %s, the output was %s", module->ops->name,
                        lae_shape_text(got, sizeof got, &grad_output->view),
                        lae_shape_text(want, sizeof want, &module->last_output));
    }
    return LSTMAE_OK;
}

lstmae_status lstmae_module_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                     const lstmae_tensor **grad_input)
{
    LAE_CHECK_ARG(module != NULL, "module_backward");
    LAE_CHECK_ARG(grad_output != NULL, "module_backward");
    LAE_TRY(module_check_backward(module, grad_output));
    module->can_backward = 0;
    return module->ops->backward(module, grad_output, grad_input);
}

lstmae_status lae_module_backward_fused(lstmae_module *module, lstmae_module *before, const lstmae_tensor *grad_output,
                                        const lstmae_tensor **grad_input, int *fused)
{
    lae_fused_derivative derivative;
    *fused = 0;
    if (!module->ops->backward_mapped || !before->ops->as_derivative || !before->can_backward) return LSTMAE_OK;
    LAE_TRY(module_check_backward(module, grad_output));
    before->ops->as_derivative(before, &derivative);
    module->can_backward = before->can_backward = 0;
    *fused = 1;
    return module->ops->backward_mapped(module, grad_output, &derivative, grad_input);
}

lstmae_status lstmae_module_set_training(lstmae_module *module, int training)
{
    LAE_CHECK_ARG(module != NULL, "module_set_training");
    training = training != 0;
    if (training != module->training) module->can_backward = 0;
    if (module->ops->set_training) LAE_TRY(module->ops->set_training(module, training));
    module->training = training;
    return LSTMAE_OK;
}

int lstmae_module_training(const lstmae_module *module)
{
    return module ? module->training : 0;
}

size_t lstmae_module_param_count(const lstmae_module *module)
{
    return module ? module->params.count : 0;
}

const char *lstmae_module_param_name(const lstmae_module *module, size_t index)
{
    return module && index < module->params.count ? module->params.entry[index].name : NULL;
}

lstmae_tensor *lstmae_module_param(lstmae_module *module, size_t index)
{
    lae_param *param = lae_module_param_at(module, index);
    return param ? param->value : NULL;
}

lstmae_tensor *lstmae_module_param_grad(lstmae_module *module, size_t index)
{
    lae_param *param = lae_module_param_at(module, index);
    lstmae_tensor *grad = NULL;
    if (!param || lae_param_grad_values(param, &grad) != LSTMAE_OK) return NULL;
    return grad;
}

lstmae_status lstmae_module_param_index(const lstmae_module *module, const char *name, size_t *index)
{
    LAE_CHECK_ARG(module != NULL, "module_param_index");
    LAE_CHECK_ARG(name != NULL, "module_param_index");
    LAE_CHECK_ARG(index != NULL, "module_param_index");
    for (size_t i = 0; i < module->params.count; i++) {
        if (strcmp(module->params.entry[i].name, name) != 0) continue;
        *index = i;
        return LSTMAE_OK;
    }
    return LAE_FAIL(ERR_NOT_FOUND, "%s: no parameter called \"%s\"", module->ops->name, name);
}

lstmae_status lstmae_module_zero_grad(lstmae_module *module)
{
    LAE_CHECK_ARG(module != NULL, "module_zero_grad");
    for (size_t i = 0; i < module->params.count; i++) module->params.entry[i].param->grad_zero = 1;
    return LSTMAE_OK;
}

size_t lstmae_module_buffer_count(const lstmae_module *module)
{
    return module ? module->buffers.count : 0;
}

const char *lstmae_module_buffer_name(const lstmae_module *module, size_t index)
{
    return module && index < module->buffers.count ? module->buffers.entry[index].name : NULL;
}

lstmae_tensor *lstmae_module_buffer(lstmae_module *module, size_t index)
{
    return module && index < module->buffers.count ? module->buffers.entry[index].buffer : NULL;
}

int64_t lstmae_module_param_elements(const lstmae_module *module)
{
    int64_t elements = 0;
    for (size_t i = 0; module && i < module->params.count; i++)
        elements += lae_view_numel(&module->params.entry[i].param->value->view);
    return elements;
}

lstmae_context *lstmae_module_context(const lstmae_module *module)
{
    return module ? module->context : NULL;
}
