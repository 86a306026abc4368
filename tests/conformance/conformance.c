#include "conformance.h"

#include "cpu/kernels.h"
#include "cpu/queue.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const conformance_shape conformance_shapes[] = {
    { 0, { 0 } },       { 1, { 1 } },         { 1, { 17 } },       { 1, { 1009 } },       { 1, { 70001 } },
    { 2, { 1, 1 } },    { 2, { 3, 5 } },      { 2, { 7, 64 } },    { 2, { 13, 67 } },     { 2, { 131, 613 } },
    { 2, { 4001, 3 } }, { 3, { 5, 7, 11 } },  { 3, { 1, 31, 2 } }, { 3, { 3, 9001, 4 } }, { 4, { 2, 3, 5, 17 } },
    { 4, { 3, 1, 4, 1 } },
};
const int conformance_shape_count = (int)(sizeof(conformance_shapes) / sizeof(conformance_shapes[0]));

int conformance_skip(int shape, int turn)
{
    int64_t numel = 1;
    for (int axis = 0; axis < conformance_shapes[shape].ndim; axis++) numel *= conformance_shapes[shape].dim[axis];
    return numel > 2000 && (turn + shape) % 11 != 0;
}

/* The device under test with one thread and with two; several times where it has several instruction sets. */
typedef struct conformance_variant {
    const char *name;
    int fused; /* multiply-adds */
    test_device one, two;
} conformance_variant;

static test_device reference, fused; /* fused: "cpu" with such an instruction set; no queue: this machine has none */
static conformance_variant variants[LAE_ISA_COUNT];
static int variant_count;

static void open_fused(void)
{
    for (int isa = LAE_ISA_COUNT - 1; isa >= 0; isa--) {
        if (isa == LAE_ISA_PLAIN || !lae_isa_available((lae_isa)isa)) continue;
        fused = test_device_open("cpu", 1);
        fused.queue->kernels = lae_kernels_of((lae_isa)isa);
        return;
    }
}

int conformance_open(void **state)
{
    const char *name = test_device_name();
    (void)state;
    reference = test_device_open("cpu:ref", 1);
    open_fused();
    for (int isa = 0; isa < LAE_ISA_COUNT; isa++) {
        int cpu = strcmp(name, "cpu") == 0;
        if (cpu ? !lae_isa_available((lae_isa)isa) : isa > 0) continue;
        conformance_variant *variant = &variants[variant_count++];
        variant->name = cpu ? lae_isa_name((lae_isa)isa) : name;
        variant->fused = cpu ? isa != LAE_ISA_PLAIN : strcmp(name, "cpu:ref") != 0;
        variant->one = test_device_open(name, 1);
        variant->two = test_device_open(name, 2);
        if (!cpu) continue;
        variant->one.queue->kernels = lae_kernels_of((lae_isa)isa);
        variant->two.queue->kernels = lae_kernels_of((lae_isa)isa);
    }
    return 0;
}

int conformance_close(void **state)
{
    (void)state;
    test_device_close(&reference);
    if (fused.queue) test_device_close(&fused);
    for (int v = 0; v < variant_count; v++) {
        test_device_close(&variants[v].one);
        test_device_close(&variants[v].two);
    }
    variant_count = 0;
    return 0;
}

test_array conformance_array(layout how, int dtype, int ndim, const int64_t *dims, uint64_t seed, double scale)
{
    int64_t strides[LSTMAE_MAX_DIMS] = { 0 }, stride = how == LAYOUT_EVERY_OTHER ? 2 : 1;
    for (int i = 0; i < ndim; i++) {
        int axis = how == LAYOUT_TRANSPOSED ? i : ndim - 1 - i;
        strides[axis] = stride;
        stride = stride * dims[axis] + (how == LAYOUT_PADDED ? 3 : 0);
    }
    if (ndim > 0 && how == LAYOUT_BACKWARDS) strides[ndim - 1] = -strides[ndim - 1];
    if (ndim > 0 && how == LAYOUT_ONE_ROW) strides[0] = 0;
    if (ndim > 0 && how == LAYOUT_ONE_COLUMN) strides[ndim - 1] = 0;
    return test_array_strided(dtype, ndim, dims, strides, seed, scale);
}

test_array conformance_image(int dtype, image_layout how, int64_t B, int64_t C, int64_t H, int64_t W, uint64_t seed)
{
    const int64_t dims[4] = { B, C, H, W };
    int64_t wide = how == IMAGE_WIDE_PIXELS ? C + 3 : C, row = how == IMAGE_WIDE_ROWS ? W + 5 : W;
    int64_t strides[4] = { H * W * wide, 1, W * wide, wide };
    if (how == IMAGE_PLANES || how == IMAGE_WIDE_ROWS) {
        strides[0] = C * H * row;
        strides[1] = H * row;
        strides[2] = row;
        strides[3] = 1;
    }
    if (how == IMAGE_BACKWARDS) strides[3] = -strides[3];
    return test_array_strided(dtype, 4, dims, strides, seed, 1);
}

int conformance_input(conformance_case *c, test_array array)
{
    c->array[c->count] = array;
    return c->count++;
}

int conformance_output(conformance_case *c, test_array array, test_tolerance tolerance)
{
    c->outputs |= 1u << c->count;
    c->tolerance[c->count] = tolerance;
    return conformance_input(c, array);
}

int conformance_output_bits(conformance_case *c, test_array array, test_tolerance tolerance)
{
    if (array.dtype == LSTMAE_F32) c->bits |= 1u << c->count;
    return conformance_output(c, array, tolerance);
}

static size_t element_bytes(const test_array *array)
{
    return array->dtype == LSTMAE_F32 ? 4 : 8;
}

/* Runs the case on a device; result[a] receives the storage of array a afterwards. */
static lstmae_status run_case(const conformance_case *c, const test_device *device, void **result)
{
    lstmae_view views[CONFORMANCE_ARRAYS] = { { 0 } };
    for (int a = 0; a < c->count; a++)
        if (c->array[a].content) views[a] = test_device_put(device, &c->array[a]);
    lstmae_status status = c->run(device, views, c->args);
    assert_ok(device->api->queue_sync(device->queue));
    for (int a = 0; a < c->count; a++) {
        result[a] = NULL;
        if (!c->array[a].content) continue;
        result[a] = malloc((size_t)c->array[a].storage * element_bytes(&c->array[a]));
        assert_non_null(result[a]);
        test_device_take(device, &c->array[a], &views[a], result[a]);
    }
    return status;
}

static void free_result(const conformance_case *c, void **result)
{
    for (int a = 0; a < c->count; a++) free(result[a]);
}

static void compare_values(const conformance_case *c, int a, const char *who, const void *got, const void *want)
{
    const test_array *array = &c->array[a];
    int64_t numel = test_array_numel(array), worst = -1;
    double largest = 0, worst_ratio = 1;
    for (int64_t i = 0; i < numel; i++) {
        double size = fabs(test_array_get(array, want, i));
        if (isfinite(size) && size > largest) largest = size;
    }
    for (int64_t i = 0; i < numel; i++) {
        double g = test_array_get(array, got, i), w = test_array_get(array, want, i);
        double allowed = c->tolerance[a].relative * fabs(w) + c->tolerance[a].of_largest * largest;
        int exact = c->tolerance[a].relative == 0 && c->tolerance[a].of_largest == 0;
        if ((g == w && !(exact && signbit(g) != signbit(w))) || (isnan(g) && isnan(w))) continue;
        double ratio = isfinite(g) && isfinite(w) && allowed > 0 ? fabs(g - w) / allowed : INFINITY;
        if (ratio <= worst_ratio) continue;
        worst_ratio = ratio;
        worst = i;
    }
    if (worst < 0) return;
    fail_msg("%s on %s: array %d differs, worst at %lld: got %.9g, want %.9g, %.3g times what is allowed", c->what, who,
             a, (long long)worst, test_array_get(array, got, worst), test_array_get(array, want, worst), worst_ratio);
}

/* Bytes of the storage that the view reaches are set to 0 in both, then all must be equal. */
static void compare_surroundings(const conformance_case *c, int a, const char *who, void *got)
{
    const test_array *array = &c->array[a];
    size_t bytes = (size_t)array->storage * element_bytes(array);
    test_array before = *array, after = *array;
    before.content = malloc(bytes);
    assert_non_null(before.content);
    memcpy(before.content, array->content, bytes);
    after.content = got;
    if (c->outputs & 1u << a) {
        for (int64_t i = 0, numel = test_array_numel(array); i < numel; i++) {
            test_array_set(&before, i, 0);
            test_array_set(&after, i, 0);
        }
    }
    int same = memcmp(before.content, got, bytes) == 0;
    free(before.content);
    if (!same) fail_msg("%s on %s: array %d was written where it should not be", c->what, who, a);
}

static void compare_bits(const conformance_case *c, const char *who, const char *how, void **first, void **second)
{
    for (int a = 0; a < c->count; a++) {
        if (!first[a] || !(c->outputs & 1u << a)) continue;
        size_t bytes = (size_t)c->array[a].storage * element_bytes(&c->array[a]);
        if (memcmp(first[a], second[a], bytes) != 0) fail_msg("%s on %s: other bits %s", c->what, who, how);
    }
}

/* NaN aside, whose bits depend on the processor. */
static void compare_fused(const conformance_case *c, const char *who, void **got, void **want)
{
    for (int a = 0; a < c->count; a++) {
        if (!got[a] || !(c->bits & 1u << a)) continue;
        for (int64_t i = 0, numel = test_array_numel(&c->array[a]); i < numel; i++) {
            double g = test_array_get(&c->array[a], got[a], i), w = test_array_get(&c->array[a], want[a], i);
            if ((g == w && signbit(g) == signbit(w)) || (isnan(g) && isnan(w))) continue;
            fail_msg("%s on %s: array %d, element %lld has other bits than on the CPU: %a, %a there", c->what, who, a,
                     (long long)i, g, w);
        }
    }
}

static void check_variant(const conformance_case *c, const conformance_variant *variant, void **want, void **bits)
{
    void *first[CONFORMANCE_ARRAYS], *again[CONFORMANCE_ARRAYS], *two[CONFORMANCE_ARRAYS];
    lstmae_status status = run_case(c, &variant->one, first);
    if (status == LSTMAE_ERR_UNSUPPORTED && c->array[0].dtype == LSTMAE_F64) {
        free_result(c, first);
        return;
    }
    if (status != LSTMAE_OK) fail_msg("%s on %s: %s", c->what, variant->name, lstmae_last_error());
    assert_ok(run_case(c, &variant->one, again));
    assert_ok(run_case(c, &variant->two, two));
    compare_bits(c, variant->name, "the second time", first, again);
    compare_bits(c, variant->name, "with two threads", first, two);
    if (bits && variant->fused) compare_fused(c, variant->name, first, bits);
    for (int a = 0; a < c->count; a++) {
        if (!first[a] || c->scratch & 1u << a) continue;
        if (c->outputs & 1u << a) compare_values(c, a, variant->name, first[a], want[a]);
        compare_surroundings(c, a, variant->name, first[a]);
    }
    free_result(c, first);
    free_result(c, again);
    free_result(c, two);
}

void conformance_check(conformance_case *c)
{
    void *want[CONFORMANCE_ARRAYS], *bits[CONFORMANCE_ARRAYS];
    int compared = c->bits && fused.queue;
    lstmae_status status = run_case(c, &reference, want);
    if (status != LSTMAE_OK) fail_msg("%s on the reference: %s", c->what, lstmae_last_error());
    if (compared) assert_ok(run_case(c, &fused, bits));
    for (int v = 0; v < variant_count; v++) check_variant(c, &variants[v], want, compared ? bits : NULL);
    free_result(c, want);
    if (compared) free_result(c, bits);
    for (int a = 0; a < c->count; a++) test_array_free(&c->array[a]);
}
