#include "device.h"

#include "registry.h"

#include "shared/philox.h"

#include <stdlib.h>
#include <string.h>

static const lstmae_host device_host = { sizeof(lstmae_host), LSTMAE_BACKEND_ABI, lae_fail, lae_log };

static void *device_alloc(size_t bytes, size_t alignment, void *payload)
{
    void *ptr = NULL;
    (void)payload;
    return posix_memalign(&ptr, alignment, bytes) == 0 ? ptr : NULL;
}

static void device_release(void *ptr, size_t bytes, void *payload)
{
    (void)bytes;
    (void)payload;
    free(ptr);
}

const char *test_device_name(void)
{
    static char name[32];
    const char *chosen = getenv("LSTMAE_TEST_DEVICE");
    if (!chosen) return "cpu";
    if (strncmp(chosen, "cuda", 4) != 0) return chosen;
    memcpy(name, "cuda", 5);
    return name;
}

int test_device_precision(void)
{
    const char *chosen = getenv("LSTMAE_TEST_PRECISION");
    if (!chosen || strcmp(chosen, "fp32") == 0) return LSTMAE_PRECISION_FP32;
    if (strcmp(chosen, "tf32") == 0) return LSTMAE_PRECISION_TF32;
    if (strcmp(chosen, "bf16") == 0) return LSTMAE_PRECISION_BF16;
    fail_msg("LSTMAE_TEST_PRECISION is \"%s\", expected fp32, tf32 or bf16", chosen);
    return LSTMAE_PRECISION_FP32;
}

test_tolerance test_device_tolerance(test_tolerance in_float32)
{
    static const double of_largest[] = { 0, TOLERANCE_TF32, TOLERANCE_BF16 };
    in_float32.of_largest += of_largest[test_device_precision()];
    return in_float32;
}

test_device test_device_open(const char *name, int threads)
{
    test_device device = { lae_registry_find(name), NULL };
    lstmae_queue_options options = { .struct_size = sizeof(options), .threads = threads, .host = &device_host };
    if (strncmp(name, "cpu", 3) != 0) options.precision = test_device_precision();
    if (!device.api || device.api->device_count() == 0) {
        print_message("no device \"%s\" here\n", name);
        exit(77);
    }
    options.memory.alloc = device_alloc;
    options.memory.release = device_release;
    assert_ok(device.api->queue_create(&device.queue, &options));
    return device;
}

void test_device_close(test_device *device)
{
    device->api->queue_destroy(device->queue);
    device->queue = NULL;
}

static size_t array_element(const test_array *array)
{
    return array->dtype == LSTMAE_F32 ? 4 : 8;
}

test_array test_array_strided(int dtype, int ndim, const int64_t *dims, const int64_t *strides, uint64_t seed,
                              double scale)
{
    test_array array = { .dtype = dtype, .ndim = ndim };
    int64_t lowest = 0, highest = 0;
    for (int axis = 0; axis < ndim; axis++) {
        int64_t reach = (dims[axis] - 1) * strides[axis];
        array.dim[axis] = dims[axis];
        array.stride[axis] = strides[axis];
        if (dims[axis] > 0) *(reach < 0 ? &lowest : &highest) += reach;
    }
    array.offset = TEST_GUARD - lowest;
    array.storage = array.offset + highest + 1 + TEST_GUARD;
    array.content = calloc((size_t)array.storage, array_element(&array));
    assert_non_null(array.content);
    for (int64_t i = 0; i < array.storage; i++) {
        double value = scale * (2.0 * (double)lae_unit_float(lae_philox_bits(seed, 77, (uint64_t)i)) - 1.0);
        if (dtype == LSTMAE_F32) ((float *)array.content)[i] = (float)value;
        if (dtype == LSTMAE_F64) ((double *)array.content)[i] = value;
        if (dtype == LSTMAE_I64) ((int64_t *)array.content)[i] = (int64_t)value;
    }
    return array;
}

test_array test_array_make(int dtype, int ndim, const int64_t *dims, uint64_t seed, double scale)
{
    int64_t strides[LSTMAE_MAX_DIMS] = { 0 }, stride = 1;
    for (int axis = ndim - 1; axis >= 0; axis--) {
        strides[axis] = stride;
        stride *= dims[axis];
    }
    return test_array_strided(dtype, ndim, dims, strides, seed, scale);
}

void test_array_free(test_array *array)
{
    free(array->content);
    array->content = NULL;
}

int64_t test_array_numel(const test_array *array)
{
    int64_t numel = 1;
    for (int axis = 0; axis < array->ndim; axis++) numel *= array->dim[axis];
    return numel;
}

static int64_t array_position(const test_array *array, int64_t index)
{
    int64_t position = array->offset;
    for (int axis = array->ndim - 1; axis >= 0; axis--) {
        position += index % array->dim[axis] * array->stride[axis];
        index /= array->dim[axis];
    }
    return position;
}

double test_array_get(const test_array *array, const void *content, int64_t index)
{
    int64_t position = array_position(array, index);
    if (array->dtype == LSTMAE_F32) return (double)((const float *)content)[position];
    if (array->dtype == LSTMAE_F64) return ((const double *)content)[position];
    return (double)((const int64_t *)content)[position];
}

void test_array_set(test_array *array, int64_t index, double value)
{
    int64_t position = array_position(array, index);
    if (array->dtype == LSTMAE_F32) ((float *)array->content)[position] = (float)value;
    if (array->dtype == LSTMAE_F64) ((double *)array->content)[position] = value;
    if (array->dtype == LSTMAE_I64) ((int64_t *)array->content)[position] = (int64_t)value;
}

lstmae_view test_device_put(const test_device *device, const test_array *array)
{
    size_t element = array_element(array), bytes = (size_t)array->storage * element;
    void *memory = NULL;
    assert_ok(device->api->alloc(device->queue, bytes, &memory));
    assert_ok(device->api->upload(device->queue, memory, array->content, bytes));
    lstmae_view view = { .data = (char *)memory + (size_t)array->offset * element };
    memcpy(view.dim, array->dim, sizeof(view.dim));
    memcpy(view.stride, array->stride, sizeof(view.stride));
    view.ndim = array->ndim;
    view.dtype = array->dtype;
    return view;
}

void test_device_take(const test_device *device, const test_array *array, const lstmae_view *view, void *content)
{
    size_t element = array_element(array), bytes = (size_t)array->storage * element;
    void *memory = (char *)view->data - (size_t)array->offset * element;
    if (content) assert_ok(device->api->download(device->queue, content, memory, bytes));
    device->api->release(device->queue, memory, bytes);
}
