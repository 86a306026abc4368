/**
 * @file context.h
 * A context is one device, its worker threads and its memory. Everything else is made from one.
 *
 * A context and all that was made from it belong to one thread at a time; different contexts run in parallel.
 * Objects hold a counted reference on their context, so they may be destroyed in any order.
 */
#ifndef LSTMAE_CONTEXT_H
#define LSTMAE_CONTEXT_H

#include <lstmae/status.h>

LSTMAE_BEGIN_DECLS

/** Returns `bytes` bytes aligned to `alignment` (a power of two), or NULL. */
typedef void *(*lstmae_alloc_fn)(size_t bytes, size_t alignment, void *payload);

/** Takes back what lstmae_alloc_fn returned; `bytes` is the size that was asked for. `ptr` is never NULL. */
typedef void (*lstmae_free_fn)(void *ptr, size_t bytes, void *payload);

/**
 * How float32 products and convolutions are computed. Parameters, optimizer, cell states and sums are float32 in each.
 * The same bits run after run in each, on one model of device.
 */
typedef enum lstmae_precision {
    LSTMAE_PRECISION_FP32 = 0, /**< float32 throughout */
    LSTMAE_PRECISION_TF32 = 1, /**< factors rounded to 10 bits of mantissa where they are multiplied; GPU */
    LSTMAE_PRECISION_BF16 = 2  /**< factors rounded to bfloat16: 7 bits of mantissa; GPU */
} lstmae_precision;

typedef struct lstmae_context_options {
    uint32_t struct_size;
    uint32_t flags;          /**< 0 */
    lstmae_alloc_fn alloc;   /**< NULL: the C library's. May be called from the loader's thread too */
    lstmae_free_fn release;  /**< set exactly when alloc is */
    void *alloc_payload;
    uint64_t memory_limit;   /**< bytes this context may hold at once; 0: no limit */
    uint64_t seed;           /**< of everything random made from this context */
    int32_t threads;         /**< worker threads including the caller; 0: one per core this process may use */
    int32_t dtype;           /**< element type of parameters and activations: LSTMAE_F32 or LSTMAE_F64 */
    int32_t precision;       /**< lstmae_precision; other than FP32 wants dtype LSTMAE_F32 and a device that has it */
    int32_t reserved;        /**< 0 */
} lstmae_context_options;

#define LSTMAE_CONTEXT_OPTIONS_INIT                                                                \
    { sizeof(lstmae_context_options), 0, NULL, NULL, NULL, 0, 0, 0, LSTMAE_F32, LSTMAE_PRECISION_FP32, 0 }

/**
 * Opens a device.
 *
 * @param out     receives the context; the caller owns it. NULL on failure
 * @param device  "auto" (a GPU if its plugin works, else the CPU), "cpu", "cpu:ref" (plain reference kernels),
 *                "cuda" or "cuda:N"; NULL is "auto"
 * @param options NULL for defaults
 * @return OK; ERR_NOT_FOUND for an unknown device name or index; ERR_UNSUPPORTED when its plugin or driver is absent;
 *         ERR_NO_MEMORY; ERR_INVALID_ARG; ERR_UNSUPPORTED for a precision that the device has not
 */
LSTMAE_API lstmae_status lstmae_context_create(lstmae_context **out, const char *device,
                                               const lstmae_context_options *options);

/** Gives up the caller's reference. NULL is fine. The device closes when the last object made from it is gone. */
LSTMAE_API void lstmae_context_destroy(lstmae_context *context);

/** Waits until all work queued on the context's device is done, and reports its errors. */
LSTMAE_API lstmae_status lstmae_context_synchronize(lstmae_context *context);

/** Name of the device in use, such as "cpu". Valid as long as the context; "" for NULL. */
LSTMAE_API const char *lstmae_context_device(const lstmae_context *context);

/** Worker threads in use, the caller included; 0 for NULL. */
LSTMAE_API int32_t lstmae_context_threads(const lstmae_context *context);

/** Element type that modules made from this context use. */
LSTMAE_API lstmae_dtype lstmae_context_dtype(const lstmae_context *context);

/** How its float32 products are computed; FP32 for NULL. */
LSTMAE_API lstmae_precision lstmae_context_precision(const lstmae_context *context);

/** Seed that random numbers are drawn from. Set it before creating modules to repeat a run. */
LSTMAE_API lstmae_status lstmae_context_set_seed(lstmae_context *context, uint64_t seed);
LSTMAE_API uint64_t lstmae_context_seed(const lstmae_context *context);

typedef struct lstmae_memory_info {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t current;     /**< bytes held now, host and device */
    uint64_t peak;        /**< most bytes held at once since creation */
    uint64_t allocations; /**< calls that asked for memory since creation */
} lstmae_memory_info;

#define LSTMAE_MEMORY_INFO_INIT { sizeof(lstmae_memory_info), 0, 0, 0, 0 }

/** Fills `info` (at most info->struct_size bytes). */
LSTMAE_API lstmae_status lstmae_context_memory(const lstmae_context *context, lstmae_memory_info *info);

/**
 * Asks the training loop of this context to stop after the current step. One atomic store: safe from a signal
 * handler and from other threads. NULL is ignored.
 */
LSTMAE_API void lstmae_context_request_stop(lstmae_context *context);

/** 1 if a stop was requested and not yet cleared, else 0. */
LSTMAE_API int lstmae_context_stop_requested(const lstmae_context *context);

/** Forgets a stop request. lstmae_fit() does so when it begins. */
LSTMAE_API void lstmae_context_clear_stop(lstmae_context *context);

typedef struct lstmae_device_info {
    uint32_t struct_size;
    int32_t threads;       /**< cores a CPU device would use; 0 for others */
    uint64_t memory_bytes; /**< of the device; 0 where unknown */
    char name[32];         /**< what lstmae_context_create() takes */
    char description[96];  /**< for people: instruction set or GPU model */
} lstmae_device_info;

#define LSTMAE_DEVICE_INFO_INIT { sizeof(lstmae_device_info), 0, 0, { 0 }, { 0 } }

/** Number of devices that can be opened now; loads every plugin found. */
LSTMAE_API int lstmae_device_count(void);

/** Describes device `index` in [0, lstmae_device_count()). */
LSTMAE_API lstmae_status lstmae_device_query(lstmae_device_info *info, int index);

LSTMAE_END_DECLS

#endif
