/* Convolutions: the three entries over shapes, memory layouts, maps and prepared weights. */
#include "conformance.h"

#include <math.h>
#include <stdio.h>

typedef enum conv_entry { CONV_FORWARD, CONV_BACKWARD_DATA, CONV_WEIGHT_GRADIENT, CONV_ENTRIES } conv_entry;

/* Sizes of a convolution; P and Q follow, less `shrink` (a transposed one with output padding of a stride or more). */
typedef struct conv_shape {
    int64_t B, C, H, W, K;
    int64_t kernel[2], stride[2], padding[2], dilation[2];
    int64_t groups, shrink;
} conv_shape;

typedef struct conv_case {
    conv_shape shape;
    conv_entry entry;
    image_layout x, y;
    int bias, map, linear, prepared, derivative; /* derivative: `linear` is read */
    double beta;
} conv_case;

static int64_t extent(const conv_shape *s, int axis)
{
    int64_t size = axis == 0 ? s->H : s->W, reach = s->dilation[axis] * (s->kernel[axis] - 1) + 1;
    return (size + 2 * s->padding[axis] - reach) / s->stride[axis] + 1 - s->shrink;
}

/* views: the result, its linear part, the image or images that are read, then the weight and the bias. */
static lstmae_status run_conv(const test_device *device, const lstmae_view *views, const void *arg)
{
    const conv_case *c = arg;
    const conv_shape *s = &c->shape;
    const lstmae_backend_api *api = device->api;
    lstmae_conv_args args = { .struct_size = sizeof(args), .groups = s->groups, .map = c->map, .param = 0.75,
                              .dtype = views[0].dtype, .w = views[3].data, .bias = views[4].data };
    for (int axis = 0; axis < 2; axis++) {
        args.kernel[axis] = s->kernel[axis];
        args.stride[axis] = s->stride[axis];
        args.padding[axis] = s->padding[axis];
        args.dilation[axis] = s->dilation[axis];
    }
    if (c->linear) args.linear = &views[1];
    if (c->derivative) args.flags = LSTMAE_CONV_DERIVATIVE;
    args.x = views[c->entry == CONV_BACKWARD_DATA ? 0 : 2];
    args.y = views[c->entry == CONV_FORWARD ? 0 : c->entry == CONV_BACKWARD_DATA ? 2 : 3];
    if (c->entry == CONV_WEIGHT_GRADIENT) {
        args.w = NULL;
        args.dw = views[0].data;
        args.beta = c->beta;
        return api->conv_weight_gradient(device->queue, &args);
    }
    int kind = c->entry == CONV_FORWARD ? LSTMAE_CONV_PREPARE_FORWARD : LSTMAE_CONV_PREPARE_BACKWARD;
    void *prepared = NULL;
    size_t bytes = 0;
    if (c->prepared && api->conv_prepare_bytes) bytes = api->conv_prepare_bytes(device->queue, kind, &args);
    if (bytes > 0) {
        assert_ok(api->alloc(device->queue, bytes, &prepared));
        assert_ok(api->conv_prepare(device->queue, kind, prepared, &args));
        args.prepared = prepared;
    }
    lstmae_status status = c->entry == CONV_FORWARD ? api->conv_forward(device->queue, &args)
                                                    : api->conv_backward_data(device->queue, &args);
    if (prepared) {
        assert_ok(api->queue_sync(device->queue));
        api->release(device->queue, prepared, bytes);
    }
    return status;
}

static void check_conv(conv_case c, int dtype)
{
    const conv_shape *s = &c.shape;
    const int64_t P = extent(s, 0), Q = extent(s, 1);
    const int64_t weight_dims[4] = { s->K, s->C / s->groups, s->kernel[0], s->kernel[1] };
    const int64_t bias_dims[1] = { c.entry == CONV_FORWARD ? s->K : s->C };
    const int64_t taps = s->kernel[0] * s->kernel[1];
    const int64_t terms = taps * (c.entry == CONV_FORWARD ? s->C : s->K) / s->groups;
    const test_tolerance in_double = { 0, 1e-13 };
    const test_tolerance tolerance = dtype == LSTMAE_F32 ? test_device_tolerance(tolerance_conv) : in_double;
    conformance_case each = { .run = run_conv, .args = &c };
    snprintf(each.what, sizeof(each.what),
             "conv entry %d: [%lld,%lld,%lld,%lld] to %lld, kernel %lldx%lld, groups %lld, layouts %d %d, bias %d, map "
             "%d, linear %d, derivative %d, prepared %d, beta %g", (int)c.entry, (long long)s->B, (long long)s->C,
             (long long)s->H, (long long)s->W, (long long)s->K, (long long)s->kernel[0], (long long)s->kernel[1],
             (long long)s->groups, (int)c.x, (int)c.y, c.bias, c.map, c.linear, c.derivative, c.prepared, c.beta);
    if (c.entry == CONV_WEIGHT_GRADIENT) {
        conformance_output(&each, test_array_make(dtype, 4, weight_dims, 1, 1), tolerance);
        conformance_input(&each, (test_array){ 0 });
        conformance_input(&each, conformance_image(dtype, c.x, s->B, s->C, s->H, s->W, 2));
        conformance_input(&each, conformance_image(dtype, c.y, s->B, s->K, P, Q, 3));
    } else {
        test_array x = conformance_image(dtype, c.x, s->B, s->C, s->H, s->W, 1);
        test_array y = conformance_image(dtype, c.y, s->B, s->K, P, Q, 2);
        int forward = c.entry == CONV_FORWARD;
        test_array linear = conformance_image(dtype, forward ? c.y : c.x, s->B, forward ? s->K : s->C,
                                              forward ? P : s->H, forward ? Q : s->W, 5);
        conformance_output(&each, forward ? y : x, tolerance);
        if (c.derivative) conformance_input(&each, linear);
        else if (c.linear) conformance_output(&each, linear, tolerance);
        else {
            test_array_free(&linear);
            conformance_input(&each, (test_array){ 0 });
        }
        conformance_input(&each, forward ? x : y);
        conformance_input(&each, test_array_make(dtype, 4, weight_dims, 3, 1.7 / sqrt((double)terms)));
        conformance_input(&each, c.bias ? test_array_make(dtype, 1, bias_dims, 4, 1) : (test_array){ 0 });
    }
    if (c.beta == 0) test_array_set(&each.array[0], 0, NAN);
    conformance_check(&each);
}

/* The convolutions of the tutorials' networks, small; then strides, dilations, groups, odd and narrow images. */
static const conv_shape shapes[] = {
    { 2, 3, 16, 16, 32, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1 }, 1, 0 },
    { 2, 32, 8, 8, 32, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1, 0 },
    { 1, 32, 8, 8, 64, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1 }, 1, 0 },
    { 1, 64, 4, 4, 64, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1, 0 },
    { 2, 1, 28, 28, 16, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1, 0 },
    { 2, 16, 14, 14, 20, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1, 0 },
    { 3, 20, 7, 7, 16, { 2, 2 }, { 2, 2 }, { 0, 0 }, { 1, 1 }, 1, 0 },
    { 1, 5, 9, 11, 7, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1, 0 },
    { 3, 5, 13, 7, 3, { 5, 3 }, { 2, 1 }, { 2, 0 }, { 1, 2 }, 1, 0 },
    { 2, 6, 10, 9, 9, { 3, 2 }, { 2, 3 }, { 1, 1 }, { 2, 2 }, 3, 0 },
    { 2, 8, 9, 10, 8, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 8, 0 },
    { 1, 20, 7, 9, 40, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1 }, 20, 0 },
    { 1, 32, 6, 5, 16, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 2, 2 }, 2, 0 },
    { 5, 17, 6, 6, 33, { 1, 1 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 1, 0 },
    { 2, 16, 9, 9, 16, { 1, 1 }, { 2, 2 }, { 0, 0 }, { 1, 1 }, 1, 0 },
    { 1, 64, 5, 5, 20, { 5, 5 }, { 1, 1 }, { 2, 2 }, { 1, 1 }, 1, 0 },
    { 2, 3, 1, 67, 16, { 1, 5 }, { 1, 2 }, { 0, 2 }, { 1, 1 }, 1, 0 },
    { 1, 16, 1, 1, 64, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1, 0 },
    { 1, 1, 1, 1, 1, { 1, 1 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 1, 0 },
    { 2, 4, 3, 3, 5, { 3, 3 }, { 1, 1 }, { 4, 4 }, { 1, 1 }, 1, 0 },
    { 1, 3, 12, 12, 4, { 2, 2 }, { 5, 5 }, { 0, 0 }, { 1, 1 }, 1, 0 },
    { 2, 3, 12, 12, 4, { 3, 3 }, { 1, 2 }, { 1, 1 }, { 3, 3 }, 1, 1 },
    { 33, 2, 5, 5, 3, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1 }, 1, 0 },
    { 1, 3, 40, 37, 5, { 7, 7 }, { 2, 2 }, { 3, 3 }, { 1, 1 }, 1, 0 },
    { 2, 20, 7, 5, 3, { 3, 3 }, { 1, 2 }, { 1, 1 }, { 1, 1 }, 1, 0 },
    { 2, 4, 9, 10, 36, { 3, 3 }, { 4, 3 }, { 1, 1 }, { 2, 1 }, 1, 0 },
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* Images channels last, with every shape: how layers hold them. */
static void check_entry(conv_entry entry)
{
    for (size_t k = 0; k < SHAPES; k++) {
        conv_case c = { .shape = shapes[k], .entry = entry, .bias = k % 3 != 0, .prepared = k % 2 == 0,
                        .beta = k % 2 ? 1 : 0 };
        check_conv(c, LSTMAE_F32);
        c.prepared = !c.prepared;
        c.x = (image_layout)(k % IMAGE_LAYOUTS);
        c.y = (image_layout)(k / IMAGE_LAYOUTS % IMAGE_LAYOUTS);
        c.bias = !c.bias;
        c.beta = c.beta == 0 ? -0.5 : 0;
        check_conv(c, LSTMAE_F32);
    }
    conv_case c = { .shape = shapes[9], .entry = entry, .bias = 1, .prepared = 1, .x = IMAGE_PLANES };
    check_conv(c, LSTMAE_F64);
}

static void forward(void **state)
{
    (void)state;
    check_entry(CONV_FORWARD);
}

static void backward_data(void **state)
{
    (void)state;
    check_entry(CONV_BACKWARD_DATA);
}

static void weight_gradient(void **state)
{
    (void)state;
    check_entry(CONV_WEIGHT_GRADIENT);
}

/* Every map, with and without the linear part, in both entries that have them. */
static void fused_maps(void **state)
{
    (void)state;
    static const size_t which[] = { 1, 7, 9, 10 };
    for (int map = 0; map <= LSTMAE_MAP_EXP; map++)
        for (int turn = 0; turn < 8; turn++) {
            conv_case c = { .shape = shapes[which[turn % 4]], .entry = turn / 4 ? CONV_BACKWARD_DATA : CONV_FORWARD,
                            .bias = (turn + map) % 3 > 0, .map = map, .linear = (turn + map) % 2 };
            c.x = c.y = turn % 3 ? IMAGE_CHANNELS_LAST : IMAGE_PLANES;
            check_conv(c, LSTMAE_F32);
        }
}

/* Every map's derivative instead, in both entries. */
static void fused_derivatives(void **state)
{
    (void)state;
    static const size_t which[] = { 1, 7, 9, 10, 0 };
    for (int map = 0; map <= LSTMAE_MAP_EXP; map++)
        for (int turn = 0; turn < 10; turn++) {
            conv_case c = { .shape = shapes[which[turn % 5]], .entry = turn / 5 ? CONV_BACKWARD_DATA : CONV_FORWARD,
                            .bias = (turn + map) % 3 == 0, .map = map, .linear = 1, .derivative = 1 };
            c.x = (turn + map) % 4 ? IMAGE_CHANNELS_LAST : IMAGE_PLANES;
            c.y = (turn + map) % 3 ? IMAGE_CHANNELS_LAST : IMAGE_WIDE_PIXELS;
            check_conv(c, LSTMAE_F32);
        }
}

/* Larger ones, where work is divided between threads along every axis. */
static void enough_for_threads(void **state)
{
    (void)state;
    static const conv_shape large[] = {
        { 1, 16, 48, 45, 16, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1, 0 },
        { 40, 20, 8, 8, 16, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1 }, 1, 0 },
        { 1, 128, 2, 3, 200, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1, 0 },
        { 3, 72, 16, 17, 68, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1 }, 1, 0 },
        { 2, 80, 12, 13, 88, { 2, 3 }, { 1, 1 }, { 0, 1 }, { 1, 1 }, 2, 0 },
    };
    for (size_t k = 0; k < sizeof(large) / sizeof(large[0]); k++)
        for (int entry = 0; entry < CONV_ENTRIES; entry++)
            check_conv((conv_case){ .shape = large[k], .entry = (conv_entry)entry, .bias = 1, .prepared = 1 },
                       LSTMAE_F32);
}

/* No sample: nothing to compute, and a gradient of nothing is beta dw. */
static void empty_batch(void **state)
{
    (void)state;
    conv_shape none = shapes[0];
    none.B = 0;
    for (int beta = 0; beta < 2; beta++)
        check_conv((conv_case){ .shape = none, .entry = CONV_WEIGHT_GRADIENT, .beta = beta }, LSTMAE_F32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward),
        cmocka_unit_test(backward_data),
        cmocka_unit_test(weight_gradient),
        cmocka_unit_test(fused_maps),
        cmocka_unit_test(fused_derivatives),
        cmocka_unit_test(enough_for_threads),
        cmocka_unit_test(empty_batch),
    };
    return cmocka_run_group_tests(tests, conformance_open, conformance_close);
}
