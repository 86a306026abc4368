/* Backend tables used directly: queues of a device, arrays in its memory with the elements around them watched. */
#ifndef LAE_TEST_DEVICE_H
#define LAE_TEST_DEVICE_H

#include "support.h"
#include "tolerances.h"

#include <lstmae/backend.h>

typedef struct test_device {
    const lstmae_backend_api *api;
    lstmae_queue *queue;
} test_device;

/** $LSTMAE_TEST_DEVICE without its index, or "cpu". */
const char *test_device_name(void);

/** lstmae_precision that $LSTMAE_TEST_PRECISION names: "fp32" (also where it is unset), "tf32" or "bf16". */
int test_device_precision(void);

/** How far sums of float32 products may be off: `in_float32`, and what the device's precision adds to it. */
test_tolerance test_device_tolerance(test_tolerance in_float32);

/**
 * Opens a queue of a backend; ends the program as skipped (77) where there is no such device. Devices other than the
 * CPU get the precision of the test.
 */
test_device test_device_open(const char *name, int threads);
void test_device_close(test_device *device);

/**
 * One array of a case: the shape and strides an operation sees, and the memory around it. `offset` is where the view
 * starts inside `storage` elements; what the view does not reach must stay as it was.
 */
typedef struct test_array {
    int dtype;
    int ndim;
    int64_t dim[LSTMAE_MAX_DIMS], stride[LSTMAE_MAX_DIMS];
    int64_t offset, storage;
    void *content; /* host, `storage` elements */
} test_array;

/** Room left on both sides of an array, in elements. */
#define TEST_GUARD 32

/** A row-major array with guards, content uniform in [-scale, scale). Freed by test_array_free(). */
test_array test_array_make(int dtype, int ndim, const int64_t *dims, uint64_t seed, double scale);

/** The same with chosen strides, in elements; storage reaches as far as they do. */
test_array test_array_strided(int dtype, int ndim, const int64_t *dims, const int64_t *strides, uint64_t seed,
                              double scale);
void test_array_free(test_array *array);

int64_t test_array_numel(const test_array *array);
double test_array_get(const test_array *array, const void *content, int64_t index); /* row-major index */
void test_array_set(test_array *array, int64_t index, double value);

/** Copies an array's storage into device memory and returns the view of it. */
lstmae_view test_device_put(const test_device *device, const test_array *array);

/** Copies the storage back into `content` (of array->storage elements) and gives the device memory back. */
void test_device_take(const test_device *device, const test_array *array, const lstmae_view *view, void *content);

#endif
