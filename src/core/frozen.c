/* Frozen models: a copy of the weights, in a context that no thread works with. */
#include "crc32c.h"
#include "module_twin.h"
#include "ops.h"
#include "options.h"
#include "session_internal.h"

#include <string.h>

static lstmae_status frozen_build_plan(lstmae_frozen *frozen, lstmae_module *module, uint32_t flags)
{
    lstmae_frozen_info *info = &frozen->info;
    if (flags & LSTMAE_FROZEN_DEVICE && !lae_context_is_host(module->context))
        LAE_TRY(lae_context_fork_device(&frozen->place, module->context));
    else frozen->place = lae_context_retain(frozen->context);
    frozen->plan.context = frozen->place;
    LAE_TRY(lae_plan_build(&frozen->plan, module));
    LAE_TRY(lae_op_sync(frozen->place)); /* sessions read the weights on queues of their own */
    info->fingerprint = frozen->plan.fingerprint;
    info->features = frozen->plan.features;
    info->outputs = frozen->plan.outputs;
    info->code = frozen->plan.code;
    info->bytes = frozen->plan.bytes;
    return LSTMAE_OK;
}

/* ---- windows ---- */

/* From now on several threads read the parameters. */
static void frozen_fix(lstmae_frozen *frozen)
{
    const lae_entries *params = &frozen->master->params;
    for (size_t i = 0; i < params->count; i++) {
        lae_param *param = params->entry[i].param;
        param->fixed = 1;
        frozen->info.bytes += (uint64_t)param->value->storage->bytes + param->prepared.bytes;
    }
}

/* Of the kind, every parameter's and buffer's name and values, and the windows' shape. */
static void frozen_sum(lstmae_frozen *frozen)
{
    const lae_window_shape *shape = &frozen->shape;
    const int64_t sizes[4] = { shape->T, shape->F, shape->layout, shape->forecast };
    const char *name = frozen->master->ops->name;
    uint32_t sum = lae_crc32c(lae_crc32c(0, name, strlen(name)), sizes, sizeof sizes);
    for (size_t i = 0; i < lae_module_state_count(frozen->master); i++) {
        const lstmae_tensor *tensor = lae_module_state_at(frozen->master, i, &name);
        sum = lae_crc32c(sum, name, strlen(name));
        sum = lae_crc32c(sum, tensor->view.data,
                         (size_t)lae_view_numel(&tensor->view) * lae_dtype_size(tensor->view.dtype));
    }
    frozen->info.fingerprint = sum;
}

/* Runs the master once: its parameters are prepared, and the sizes of what it gives are known. */
static lstmae_status frozen_try(lstmae_frozen *frozen)
{
    lae_window window;
    memset(&window, 0, sizeof window);
    lstmae_status status = lae_window_init(&window, frozen->master, &frozen->shape);
    frozen->shape = window.shape;
    lae_window_release(&window);
    return status;
}

static lstmae_status frozen_build_windows(lstmae_frozen *frozen, lstmae_module *module, const lstmae_frozen_options *o)
{
    lstmae_frozen_info *info = &frozen->info;
    LAE_TRY(lae_window_shape_of(&frozen->shape, module, o->window, o->features, o->layout));
    LAE_TRY(lae_module_twin(&frozen->master, module, frozen->context, 1));
    LAE_TRY(frozen_try(frozen));
    frozen_fix(frozen);
    frozen_sum(frozen);
    info->window = frozen->shape.T;
    info->features = frozen->shape.F;
    info->outputs = frozen->shape.rebuilds ? frozen->shape.F : 0;
    info->code = frozen->shape.code;
    info->forecast = frozen->shape.forecast;
    return LSTMAE_OK;
}

/* ---- creation ---- */

static void frozen_free(lstmae_frozen *frozen)
{
    lstmae_context *context = frozen->context, *parent = context->parent;
    lae_context_retain(parent);
    lae_plan_release(&frozen->plan);
    lstmae_module_destroy(frozen->master);
    lae_context_release(frozen->place);
    lae_context_release(context);
    lae_free(&parent->memory, frozen, sizeof *frozen);
    lae_context_release(parent);
}

static lstmae_status frozen_new(lstmae_frozen **out, lstmae_context *parent)
{
    const lstmae_frozen_info none = LSTMAE_FROZEN_INFO_INIT;
    lstmae_frozen *frozen = lae_calloc(&parent->memory, 1, sizeof *frozen);
    if (!frozen) return LAE_FAIL(ERR_NO_MEMORY, "frozen_create: out of memory");
    atomic_init(&frozen->references, 1);
    frozen->info = none;
    lstmae_status status = lae_context_fork(&frozen->context, parent, 1, 0);
    if (status == LSTMAE_OK) *out = frozen;
    else lae_free(&parent->memory, frozen, sizeof *frozen);
    return status;
}

static lstmae_status frozen_check(const lstmae_frozen_options *o)
{
    if (o->flags & ~LSTMAE_FROZEN_DEVICE || o->reserved)
        return LAE_FAIL(ERR_INVALID_ARG, "frozen options: expected flags in 0x%x, got 0x%x and reserved %u",
                        LSTMAE_FROZEN_DEVICE, o->flags, o->reserved);
    if (o->flags & LSTMAE_FROZEN_DEVICE && o->window != 0)
        return LAE_FAIL(ERR_UNSUPPORTED, "frozen options: DEVICE expects a model with a state, got a window of %lld",
                        (long long)o->window);
    return LSTMAE_OK;
}

lstmae_status lstmae_frozen_create(lstmae_frozen **out, lstmae_module *module, const lstmae_frozen_options *options)
{
    static const lstmae_frozen_options defaults = LSTMAE_FROZEN_OPTIONS_INIT;
    LAE_CHECK_ARG(out != NULL, "frozen_create");
    *out = NULL;
    LAE_CHECK_ARG(module != NULL, "frozen_create");
    lstmae_frozen_options o;
    lstmae_frozen *frozen = NULL;
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "frozen options"));
    if (module->context->dtype != LSTMAE_F32)
        return LAE_FAIL(ERR_DTYPE, "frozen_create: expected a module of f32, got %s",
                        lae_dtype_name((int)module->context->dtype));
    LAE_TRY(frozen_check(&o));
    LAE_TRY(lae_op_sync(module->context));
    LAE_TRY(frozen_new(&frozen, module->context));
    lstmae_status status = o.window == 0 ? frozen_build_plan(frozen, module, o.flags)
                                         : frozen_build_windows(frozen, module, &o);
    if (status == LSTMAE_OK) *out = frozen;
    else frozen_free(frozen);
    return status;
}

void lstmae_frozen_destroy(lstmae_frozen *frozen)
{
    if (frozen && atomic_fetch_sub_explicit(&frozen->references, 1, memory_order_acq_rel) == 1) frozen_free(frozen);
}

lstmae_status lstmae_frozen_describe(const lstmae_frozen *frozen, lstmae_frozen_info *info)
{
    LAE_CHECK_ARG(frozen != NULL, "frozen_describe");
    LAE_CHECK_ARG(info != NULL, "frozen_describe");
    return lae_options_write(info, &frozen->info, sizeof frozen->info, sizeof frozen->info, "frozen info");
}
