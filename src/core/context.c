#include "context_internal.h"

#include "options.h"
#include "registry.h"

#include <stdio.h>
#include <string.h>

static void *context_queue_alloc(size_t bytes, size_t alignment, void *payload)
{
    (void)alignment; /* lae_alloc gives 64 */
    return lae_alloc(payload, bytes);
}

static void context_queue_release(void *ptr, size_t bytes, void *payload)
{
    lae_free(payload, ptr, bytes);
}

static int context_queue_charge(size_t bytes, void *payload)
{
    return lae_memory_take(payload, bytes);
}

static void context_queue_discharge(size_t bytes, void *payload)
{
    lae_memory_give(payload, bytes);
}

static lstmae_status context_check(const lstmae_context_options *options)
{
    if (options->flags != 0) return LAE_FAIL(ERR_UNSUPPORTED, "context options: unknown flags 0x%x", options->flags);
    if (!options->alloc != !options->release)
        return LAE_FAIL(ERR_INVALID_ARG, "context options: alloc and release must be set together");
    if (options->threads < 0 || options->threads > 1024)
        return LAE_FAIL(ERR_INVALID_ARG, "context options: threads is %d, expected 0 to 1024", options->threads);
    if (options->dtype != LSTMAE_F32 && options->dtype != LSTMAE_F64)
        return LAE_FAIL(ERR_DTYPE, "context options: dtype is %d, expected LSTMAE_F32 or LSTMAE_F64", options->dtype);
    if (options->precision < LSTMAE_PRECISION_FP32 || options->precision > LSTMAE_PRECISION_BF16 || options->reserved)
        return LAE_FAIL(ERR_INVALID_ARG, "context options: expected precision in [0,2], got %d and reserved %d",
                        options->precision, options->reserved);
    if (options->precision != LSTMAE_PRECISION_FP32 && options->dtype != LSTMAE_F32)
        return LAE_FAIL(ERR_DTYPE, "context options: precision %d is of float32, got a dtype of %d",
                        options->precision, options->dtype);
    return LSTMAE_OK;
}

/* What a context wants of its queue. */
typedef struct context_queue {
    int32_t threads;
    uint32_t flags;
    int32_t precision;
} context_queue;

/* A context whose bookkeeping is in its own memory. */
static lstmae_status context_open(lstmae_context **out, lae_memory *memory, const lstmae_backend_api *api,
                                  const char *name, int index, const context_queue *wanted)
{
    lstmae_context *context = lae_calloc(memory, 1, sizeof *context);
    if (!context) return LAE_FAIL(ERR_NO_MEMORY, "context_create: out of memory");
    memcpy(&context->memory, memory, sizeof *memory);
    atomic_init(&context->references, 1);
    context->api = api;
    snprintf(context->device, sizeof context->device, "%s", name);
    lstmae_queue_options queue = { sizeof queue, index, wanted->threads, wanted->flags, lae_registry_host(),
                                   { context_queue_alloc, context_queue_release, &context->memory,
                                     context_queue_charge, context_queue_discharge },
                                   wanted->precision, 0 };
    lstmae_status status = api->queue_create(&context->queue, &queue);
    if (status != LSTMAE_OK) {
        memcpy(memory, &context->memory, sizeof *memory);
        lae_free(memory, context, sizeof *context);
        return status;
    }
    *out = context;
    return LSTMAE_OK;
}

lstmae_status lstmae_context_create(lstmae_context **out, const char *device, const lstmae_context_options *options)
{
    static const lstmae_context_options defaults = LSTMAE_CONTEXT_OPTIONS_INIT;
    LAE_CHECK_ARG(out != NULL, "context_create");
    *out = NULL;
    lstmae_context_options o;
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "context options"));
    LAE_TRY(context_check(&o));
    const lstmae_backend_api *api;
    int index;
    char name[sizeof(((lstmae_context *)NULL)->device)];
    LAE_TRY(lae_registry_resolve(device, &api, &index, name, sizeof name));

    lae_memory memory;
    lae_memory_init(&memory, o.alloc, o.release, o.alloc_payload, o.memory_limit);
    context_queue wanted = { o.threads, 0, o.precision };
    LAE_TRY(context_open(out, &memory, api, name, index, &wanted));
    (*out)->precision = (lstmae_precision)o.precision;
    (*out)->dtype = (lstmae_dtype)o.dtype;
    (*out)->seed = o.seed;
    return LSTMAE_OK;
}

/* A fork's memory is the parent's. */
static void *context_parent_alloc(size_t bytes, size_t alignment, void *payload)
{
    (void)alignment;
    return lae_alloc(&((lstmae_context *)payload)->memory, bytes);
}

static void context_parent_release(void *ptr, size_t bytes, void *payload)
{
    lae_free(&((lstmae_context *)payload)->memory, ptr, bytes);
}

/* Memory through the parent, which is kept alive. */
static lstmae_status context_fork(lstmae_context **out, lstmae_context *parent, const char *device,
                                  const context_queue *wanted)
{
    const lstmae_backend_api *api;
    int index;
    char name[sizeof parent->device];
    lae_memory memory;
    LAE_TRY(lae_registry_resolve(device, &api, &index, name, sizeof name));
    lae_memory_init(&memory, context_parent_alloc, context_parent_release, parent, 0);
    LAE_TRY(context_open(out, &memory, api, name, index, wanted));
    (*out)->parent = lae_context_retain(parent);
    (*out)->dtype = parent->dtype;
    (*out)->precision = (lstmae_precision)wanted->precision;
    return LSTMAE_OK;
}

lstmae_status lae_context_fork(lstmae_context **out, lstmae_context *parent, int32_t threads, uint32_t queue_flags)
{
    const context_queue wanted = { threads, queue_flags, LSTMAE_PRECISION_FP32 };
    return context_fork(out, parent, strcmp(parent->device, "cpu:ref") == 0 ? "cpu:ref" : "cpu", &wanted);
}

lstmae_status lae_context_fork_device(lstmae_context **out, lstmae_context *parent)
{
    const context_queue wanted = { 1, 0, (int32_t)parent->precision };
    return context_fork(out, parent, parent->device, &wanted);
}

int lae_context_is_host(const lstmae_context *context)
{
    return strncmp(context->device, "cpu", 3) == 0;
}

lstmae_context *lae_context_retain(lstmae_context *context)
{
    atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
    return context;
}

void lae_context_release(lstmae_context *context)
{
    if (!context || atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) != 1) return;
    context->api->queue_destroy(context->queue);
    lstmae_context *parent = context->parent;
    lae_memory memory;
    memcpy(&memory, &context->memory, sizeof memory);
    lae_free(&memory, context, sizeof *context);
    lae_context_release(parent);
}

void lstmae_context_destroy(lstmae_context *context)
{
    lae_context_release(context);
}

lstmae_status lstmae_context_synchronize(lstmae_context *context)
{
    LAE_CHECK_ARG(context != NULL, "context_synchronize");
    return context->api->queue_sync(context->queue);
}

const char *lstmae_context_device(const lstmae_context *context)
{
    return context ? context->device : "";
}

int32_t lstmae_context_threads(const lstmae_context *context)
{
    return context ? context->api->queue_threads(context->queue) : 0;
}

lstmae_dtype lstmae_context_dtype(const lstmae_context *context)
{
    return context ? context->dtype : LSTMAE_F32;
}

lstmae_precision lstmae_context_precision(const lstmae_context *context)
{
    return context ? context->precision : LSTMAE_PRECISION_FP32;
}

lstmae_status lstmae_context_set_seed(lstmae_context *context, uint64_t seed)
{
    LAE_CHECK_ARG(context != NULL, "context_set_seed");
    context->seed = seed;
    return LSTMAE_OK;
}

uint64_t lstmae_context_seed(const lstmae_context *context)
{
    return context ? context->seed : 0;
}

lstmae_status lstmae_context_memory(const lstmae_context *context, lstmae_memory_info *info)
{
    LAE_CHECK_ARG(context != NULL, "context_memory");
    LAE_CHECK_ARG(info != NULL, "context_memory");
    lstmae_memory_info values = LSTMAE_MEMORY_INFO_INIT;
    values.current = atomic_load_explicit(&context->memory.current, memory_order_relaxed);
    values.peak = atomic_load_explicit(&context->memory.peak, memory_order_relaxed);
    values.allocations = atomic_load_explicit(&context->memory.allocations, memory_order_relaxed);
    return lae_options_write(info, &values, sizeof values, sizeof values, "memory info");
}

void lstmae_context_request_stop(lstmae_context *context)
{
    if (context) atomic_store_explicit(&context->stop_requested, 1, memory_order_relaxed);
}

int lstmae_context_stop_requested(const lstmae_context *context)
{
    return context ? atomic_load_explicit(&context->stop_requested, memory_order_relaxed) : 0;
}

void lstmae_context_clear_stop(lstmae_context *context)
{
    if (context) atomic_store_explicit(&context->stop_requested, 0, memory_order_relaxed);
}

lae_memory *lae_context_memory(lstmae_context *context)
{
    return &context->memory;
}

uint64_t lae_context_new_site(lstmae_context *context)
{
    return context->sites++;
}

uint64_t lae_context_new_draw(lstmae_context *context)
{
    return context->draws++;
}

uint64_t lae_context_draws(const lstmae_context *context)
{
    return context->draws;
}

void lae_context_set_draws(lstmae_context *context, uint64_t draws)
{
    context->draws = draws;
}
