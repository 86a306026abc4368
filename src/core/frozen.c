/* Frozen models: a copy of the weights, packed, in a context that no thread works with. */
#include "ops.h"
#include "options.h"
#include "session_internal.h"

static lstmae_status frozen_build(lstmae_frozen *frozen, lstmae_module *module)
{
    LAE_TRY(lae_context_fork(&frozen->context, module->context, 1, 0));
    frozen->plan.context = frozen->context;
    return lae_plan_build(&frozen->plan, module);
}

lstmae_status lstmae_frozen_create(lstmae_frozen **out, lstmae_module *module)
{
    LAE_CHECK_ARG(out != NULL, "frozen_create");
    *out = NULL;
    LAE_CHECK_ARG(module != NULL, "frozen_create");
    lstmae_context *context = module->context;
    if (context->dtype != LSTMAE_F32)
        return LAE_FAIL(ERR_DTYPE, "frozen_create: expected a module of f32, got %s",
                        lae_dtype_name((int)context->dtype));
    LAE_TRY(lae_op_sync(context));
    lstmae_frozen *frozen = lae_calloc(&context->memory, 1, sizeof *frozen);
    if (!frozen) return LAE_FAIL(ERR_NO_MEMORY, "frozen_create: out of memory");
    atomic_init(&frozen->references, 1);
    lstmae_status status = frozen_build(frozen, module);
    if (status != LSTMAE_OK) {
        lae_plan_release(&frozen->plan);
        lae_context_release(frozen->context);
        lae_free(&context->memory, frozen, sizeof *frozen);
        return status;
    }
    *out = frozen;
    return LSTMAE_OK;
}

void lstmae_frozen_destroy(lstmae_frozen *frozen)
{
    if (!frozen || atomic_fetch_sub_explicit(&frozen->references, 1, memory_order_acq_rel) != 1) return;
    lstmae_context *parent = lae_context_retain(frozen->context->parent);
    lae_plan_release(&frozen->plan);
    lae_context_release(frozen->context);
    lae_free(&parent->memory, frozen, sizeof *frozen);
    lae_context_release(parent);
}

lstmae_status lstmae_frozen_describe(const lstmae_frozen *frozen, lstmae_frozen_info *info)
{
    LAE_CHECK_ARG(frozen != NULL, "frozen_describe");
    LAE_CHECK_ARG(info != NULL, "frozen_describe");
    lstmae_frozen_info values = LSTMAE_FROZEN_INFO_INIT;
    values.fingerprint = frozen->plan.fingerprint;
    values.features = frozen->plan.features;
    values.outputs = frozen->plan.outputs;
    values.code = frozen->plan.code;
    values.bytes = frozen->plan.bytes;
    return lae_options_write(info, &values, sizeof values, sizeof values, "frozen info");
}
