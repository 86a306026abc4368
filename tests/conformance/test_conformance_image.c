/* Batch and layer norm, pooling and upsampling: both directions, over shapes, layouts and settings. */
#include "conformance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- batch norm ---- */

typedef struct norm_case {
    int backward, running, affine, in_place, want_dx, map;
    double beta;
} norm_case;

enum { NORM_Y, NORM_MEAN, NORM_RSTD, NORM_RUNNING_MEAN, NORM_RUNNING_VAR, NORM_X, NORM_GAMMA, NORM_SHIFT };
enum { NORM_DX, NORM_DGAMMA, NORM_DSHIFT, NORM_BACK_X, NORM_DY, NORM_BACK_GAMMA, NORM_BACK_MEAN, NORM_BACK_RSTD };

static lstmae_norm_args norm_args(const lstmae_view *views, const norm_case *c)
{
    lstmae_norm_args args = { .struct_size = sizeof(args), .dtype = views[0].dtype, .eps = 0.01, .momentum = 0.3 };
    args.beta = c->beta;
    args.map = c->map;
    if (c->running) args.flags = LSTMAE_NORM_RUNNING;
    if (!c->backward) {
        args.x = views[NORM_X];
        args.y = views[NORM_Y];
        args.mean = views[NORM_MEAN].data;
        args.rstd = views[NORM_RSTD].data;
        args.running_mean = views[NORM_RUNNING_MEAN].data;
        args.running_var = views[NORM_RUNNING_VAR].data;
        args.gamma = views[NORM_GAMMA].data;
        args.shift = views[NORM_SHIFT].data;
        return args;
    }
    args.x = views[NORM_BACK_X];
    args.dy = c->in_place ? views[NORM_DX] : views[NORM_DY];
    if (c->want_dx) args.dx = views[NORM_DX];
    args.gamma = views[NORM_BACK_GAMMA].data;
    args.mean = views[NORM_BACK_MEAN].data;
    args.rstd = views[NORM_BACK_RSTD].data;
    args.dgamma = views[NORM_DGAMMA].data;
    args.dshift = views[NORM_DSHIFT].data;
    return args;
}

static lstmae_status run_batch_norm(const test_device *device, const lstmae_view *views, const void *arg)
{
    const norm_case *c = arg;
    lstmae_norm_args args = norm_args(views, c);
    return c->backward ? device->api->batch_norm_backward(device->queue, &args)
                       : device->api->batch_norm_forward(device->queue, &args);
}

static lstmae_status run_layer_norm(const test_device *device, const lstmae_view *views, const void *arg)
{
    const norm_case *c = arg;
    lstmae_norm_args args = norm_args(views, c);
    return c->backward ? device->api->layer_norm_backward(device->queue, &args)
                       : device->api->layer_norm_forward(device->queue, &args);
}

static test_array vector(int dtype, int64_t n, uint64_t seed, double least)
{
    test_array array = test_array_make(dtype, 1, &n, seed, 1);
    for (int64_t i = 0; least != 0 && i < n; i++)
        test_array_set(&array, i, least + fabs(test_array_get(&array, array.content, i)));
    return array;
}

static test_array vector_or_none(int present, int dtype, int64_t n, uint64_t seed)
{
    return present ? vector(dtype, n, seed, 0) : (test_array){ 0 };
}

/* `groups` means and deviations, `features` parameters; arrays as they are made for x and another one. */
static void check_norm(const norm_case *c, conformance_fn run, int64_t groups, int64_t features, test_array x,
                       test_array other, const char *what)
{
    const int dtype = x.dtype, batches = run == run_batch_norm;
    const test_tolerance in_double = { 1e-12, 1e-12 }, tolerance = dtype == LSTMAE_F32 ? tolerance_norm : in_double;
    conformance_case each = { .run = run, .args = c };
    snprintf(each.what, sizeof(each.what), "%s: backward %d, running %d, affine %d, in place %d, map %d, beta %g", what,
             c->backward, c->running, c->affine, c->in_place, c->map, c->beta);
    if (!c->backward) {
        conformance_output(&each, other, tolerance);
        conformance_output(&each, vector(dtype, groups, 5, 0), tolerance);
        conformance_output(&each, vector(dtype, groups, 6, 0), tolerance);
        conformance_output(&each, batches ? vector(dtype, groups, 7, 0) : (test_array){ 0 }, tolerance);
        conformance_output(&each, batches ? vector(dtype, groups, 8, 0.5) : (test_array){ 0 }, tolerance);
        conformance_input(&each, x);
        conformance_input(&each, vector_or_none(c->affine, dtype, features, 9));
        conformance_input(&each, vector_or_none(c->affine, dtype, features, 10));
    } else {
        conformance_output(&each, other, tolerance);
        conformance_output(&each, vector_or_none(c->affine, dtype, features, 5), tolerance);
        conformance_output(&each, vector_or_none(c->affine, dtype, features, 6), tolerance);
        conformance_input(&each, x);
        conformance_input(&each, test_array_strided(dtype, x.ndim, x.dim, x.stride, 11, 1));
        conformance_input(&each, vector_or_none(c->affine, dtype, features, 9));
        conformance_input(&each, vector(dtype, groups, 7, 0));
        conformance_input(&each, vector(dtype, groups, 8, 0.5));
    }
    conformance_check(&each);
}

static const int64_t image_shapes[][4] = {
    { 2, 16, 6, 7 }, { 4, 20, 5, 5 }, { 3, 1, 9, 5 },  { 2, 3, 11, 4 }, { 7, 33, 1, 1 }, { 1, 64, 4, 3 },
    { 5, 7, 1, 13 }, { 2, 130, 3, 2 }, { 9, 5, 2, 2 }, { 3, 600, 1, 2 }, { 2, 1, 1, 1 },
};

static void check_batch_norm(const int64_t *s, int dtype, image_layout x, image_layout y, norm_case c)
{
    check_norm(&c, run_batch_norm, s[1], s[1], conformance_image(dtype, x, s[0], s[1], s[2], s[3], 2),
               conformance_image(dtype, y, s[0], s[1], s[2], s[3], 3), "batch norm");
}

static void batch_norms(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(image_shapes); k++) {
        for (int turn = 0; turn < 6; turn++) {
            norm_case c = { .backward = turn % 2, .affine = (turn + (int)k) % 3 > 0, .want_dx = turn != 3,
                            .in_place = turn == 5, .beta = turn == 1 ? 1 : 0 };
            image_layout x = turn < 2 ? IMAGE_CHANNELS_LAST : (image_layout)((k + (size_t)turn) % IMAGE_LAYOUTS);
            image_layout y = turn % 3 ? IMAGE_CHANNELS_LAST : (image_layout)(k / 2 % IMAGE_LAYOUTS);
            c.running = turn == 4;
            c.map = turn == 2 ? LSTMAE_MAP_RELU : LSTMAE_MAP_IDENTITY;
            check_batch_norm(image_shapes[k], LSTMAE_F32, x, y, c);
        }
    }
    check_batch_norm(image_shapes[1], LSTMAE_F64, IMAGE_PLANES, IMAGE_CHANNELS_LAST, (norm_case){ .affine = 1 });
    check_batch_norm(image_shapes[1], LSTMAE_F64, IMAGE_PLANES, IMAGE_PLANES,
                     (norm_case){ .backward = 1, .affine = 1, .want_dx = 1 });
}

/* Enough for two threads; with every map behind. */
/* Training forwards are counted, on the device. */
static void batch_norms_count(void **state)
{
    (void)state;
    test_device device = test_device_open(test_device_name(), 1);
    for (int turn = 0; turn < 4; turn++) {
        test_array x = conformance_image(turn % 2 ? LSTMAE_F64 : LSTMAE_F32, IMAGE_CHANNELS_LAST, 2, 5, 3, 3, 2);
        const int running = turn / 2;
        int64_t count = 41;
        void *tracked, *statistics;
        lstmae_view view = test_device_put(&device, &x);
        assert_ok(device.api->alloc(device.queue, sizeof count, &tracked));
        assert_ok(device.api->alloc(device.queue, 10 * sizeof(double), &statistics));
        assert_ok(device.api->upload(device.queue, tracked, &count, sizeof count));
        lstmae_norm_args args = { .struct_size = sizeof args, .x = view, .y = view, .eps = 0.01, .momentum = 0.3 };
        args.dtype = x.dtype;
        args.mean = statistics;
        args.rstd = (double *)statistics + 5;
        args.tracked = tracked;
        if (running) args.flags = LSTMAE_NORM_RUNNING;
        assert_ok(device.api->batch_norm_forward(device.queue, &args));
        assert_ok(device.api->download(device.queue, &count, tracked, sizeof count));
        assert_int_equal(count, running ? 41 : 42);
        device.api->release(device.queue, statistics, 10 * sizeof(double));
        device.api->release(device.queue, tracked, sizeof count);
        test_device_take(&device, &x, &view, x.content);
        test_array_free(&x);
    }
    test_device_close(&device);
}

static void large_batch_norms(void **state)
{
    (void)state;
    static const int64_t large[][4] = { { 8, 20, 30, 17 }, { 3, 3, 150, 101 }, { 300, 257, 1, 1 } };
    for (size_t k = 0; k < COUNT(large); k++)
        for (int backward = 0; backward < 2; backward++)
            check_batch_norm(large[k], LSTMAE_F32, IMAGE_CHANNELS_LAST, IMAGE_CHANNELS_LAST,
                             (norm_case){ .backward = backward, .affine = 1, .want_dx = 1,
                                          .map = k == 0 ? LSTMAE_MAP_SIGMOID : LSTMAE_MAP_IDENTITY });
}

/* ---- layer norm ---- */

static void layer_norms(void **state)
{
    (void)state;
    /* the last one has more long rows than a small GPU's blocks take at once */
    static const int64_t shapes[][2] = { { 3, 7 },   { 1, 1 },    { 5, 16 },   { 4, 130 },
                                         { 33, 67 }, { 700, 96 }, { 3, 9001 }, { 150, 2048 } };
    for (size_t k = 0; k < COUNT(shapes); k++) {
        const int64_t *s = shapes[k];
        for (int turn = 0; turn < 6; turn++) {
            norm_case c = { .backward = turn % 2, .affine = (turn + (int)k) % 3 > 0, .want_dx = turn != 3,
                            .in_place = turn == 5, .beta = turn == 1 ? 1 : 0 };
            c.map = turn == 2 ? LSTMAE_MAP_RELU : LSTMAE_MAP_IDENTITY;
            layout x = turn == 4 ? LAYOUT_EVERY_OTHER : turn == 2 ? LAYOUT_PADDED : LAYOUT_DENSE;
            layout y = turn == 0 ? LAYOUT_PADDED : turn == 1 ? LAYOUT_TRANSPOSED : LAYOUT_DENSE;
            check_norm(&c, run_layer_norm, s[0], s[1], conformance_array(x, LSTMAE_F32, 2, s, 2, 1),
                       conformance_array(y, LSTMAE_F32, 2, s, 3, 1), "layer norm");
        }
    }
}

/* ---- pooling ---- */

typedef struct pool_case {
    int64_t B, C, H, W;
    int64_t kernel[2], stride[2], padding[2], dilation[2];
    int kind, ceil, count;
} pool_case;

static int64_t pool_extent(const pool_case *c, int axis)
{
    int64_t size = axis == 0 ? c->H : c->W, room = size + 2 * c->padding[axis];
    room -= c->dilation[axis] * (c->kernel[axis] - 1) + 1;
    int64_t last = (room + (c->ceil ? c->stride[axis] - 1 : 0)) / c->stride[axis];
    return c->ceil && last * c->stride[axis] >= size + c->padding[axis] ? last : last + 1;
}

/* Places as whole numbers of a tensor's type: the harness knows no int32. */
static void pool_show_places(const test_device *device, const lstmae_view *places, const int32_t *index)
{
    const size_t count = (size_t)(places->dim[0] * places->dim[1] * places->dim[2] * places->dim[3]);
    int32_t *narrow = malloc((count + 1) * sizeof(*narrow));
    int64_t *wide = malloc((count + 1) * sizeof(*wide));
    assert_non_null(narrow);
    assert_non_null(wide);
    assert_ok(device->api->download(device->queue, narrow, index, count * sizeof(*narrow)));
    for (size_t i = 0; i < count; i++) wide[i] = narrow[i];
    assert_ok(device->api->upload(device->queue, places->data, wide, count * sizeof(*wide)));
    assert_ok(device->api->queue_sync(device->queue));
    free(narrow);
    free(wide);
}

/* views: y, dx, places, x, dy. Forward, and backward with what it left. */
static lstmae_status run_pool(const test_device *device, const lstmae_view *views, const void *arg)
{
    const pool_case *c = arg;
    lstmae_pool_args args = { .struct_size = sizeof(args), .kind = c->kind, .dtype = views[0].dtype, .x = views[3],
                              .y = views[0] };
    const size_t bytes = (size_t)(c->B * c->C * views[0].dim[2] * views[0].dim[3]) * sizeof(int32_t);
    void *index = NULL;
    if (c->count) args.flags = LSTMAE_POOL_COUNT_PADDING;
    for (int axis = 0; axis < 2; axis++) {
        args.kernel[axis] = c->kernel[axis];
        args.stride[axis] = c->stride[axis];
        args.padding[axis] = c->padding[axis];
        args.dilation[axis] = c->dilation[axis];
    }
    assert_ok(device->api->alloc(device->queue, bytes, &index));
    args.index = c->kind == LSTMAE_POOL_MAX ? index : NULL;
    lstmae_status status = device->api->pool_forward(device->queue, &args);
    if (status >= 0 && args.index) pool_show_places(device, &views[2], index);
    args.x = views[1];
    args.y = views[4];
    if (status >= 0) status = device->api->pool_backward(device->queue, &args);
    assert_ok(device->api->queue_sync(device->queue));
    device->api->release(device->queue, index, bytes);
    return status;
}

static void check_pool(const pool_case *c, int dtype, image_layout x, image_layout y, int special)
{
    const int64_t P = pool_extent(c, 0), Q = pool_extent(c, 1), places[4] = { c->B, P, Q, c->C };
    const test_tolerance in_double = { 1e-14, 1e-14 };
    test_tolerance tolerance = dtype == LSTMAE_F64 ? in_double : tolerance_mixture;
    conformance_case each = { .run = run_pool, .args = c };
    snprintf(each.what, sizeof(each.what),
             "pool %d: [%lld,%lld,%lld,%lld], kernel %lldx%lld, stride %lld,%lld, layouts %d %d", c->kind,
             (long long)c->B, (long long)c->C, (long long)c->H, (long long)c->W, (long long)c->kernel[0],
             (long long)c->kernel[1], (long long)c->stride[0], (long long)c->stride[1], (int)x, (int)y);
    conformance_output(&each, conformance_image(dtype, y, c->B, c->C, P, Q, 1),
                       c->kind == LSTMAE_POOL_MAX ? tolerance_exact : tolerance);
    conformance_output(&each, conformance_image(dtype, x, c->B, c->C, c->H, c->W, 2), tolerance);
    conformance_output(&each, test_array_make(LSTMAE_I64, 4, places, 3, 1), tolerance_exact);
    conformance_input(&each, conformance_image(dtype, x, c->B, c->C, c->H, c->W, 4));
    conformance_input(&each, conformance_image(dtype, y, c->B, c->C, P, Q, 5));
    for (int64_t i = 0; i < special; i++) {
        static const double values[] = { NAN, -INFINITY, INFINITY, 0.0, -0.0, 0.25, 0.25, NAN };
        test_array_set(&each.array[3], i * 3 % test_array_numel(&each.array[3]), values[i % 8]);
    }
    conformance_check(&each);
}

static const pool_case pools[] = {
    { 2, 16, 8, 6, { 2, 2 }, { 2, 2 }, { 0, 0 }, { 1, 1 }, 0, 0, 1 },
    { 2, 20, 7, 7, { 2, 2 }, { 2, 2 }, { 0, 0 }, { 1, 1 }, 0, 0, 1 },
    { 1, 5, 7, 5, { 2, 2 }, { 2, 2 }, { 0, 0 }, { 1, 1 }, 0, 1, 1 },
    { 2, 33, 9, 8, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1 }, 0, 0, 1 },
    { 1, 3, 8, 9, { 2, 5 }, { 1, 3 }, { 1, 2 }, { 1, 1 }, 0, 0, 0 },
    { 2, 4, 8, 6, { 3, 3 }, { 2, 4 }, { 1, 1 }, { 1, 1 }, 0, 1, 1 },
    { 1, 17, 9, 9, { 2, 2 }, { 3, 3 }, { 0, 0 }, { 1, 1 }, 0, 0, 1 },
    { 3, 64, 7, 7, { 7, 7 }, { 7, 7 }, { 0, 0 }, { 1, 1 }, 0, 0, 1 },
    { 2, 3, 1, 11, { 1, 3 }, { 1, 2 }, { 0, 1 }, { 1, 1 }, 0, 0, 0 },
    { 1, 1, 1, 1, { 1, 1 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 0, 0, 1 },
    { 1, 2, 4, 5, { 4, 2 }, { 4, 2 }, { 2, 1 }, { 1, 1 }, 0, 0, 0 },
    { 4, 32, 24, 22, { 2, 2 }, { 2, 2 }, { 0, 0 }, { 1, 1 }, 0, 0, 1 },
    { 2, 16, 30, 31, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 0, 0, 0 },
};

static void pool_all(int kind)
{
    for (size_t k = 0; k < COUNT(pools); k++) {
        pool_case c = pools[k];
        c.kind = kind;
        check_pool(&c, LSTMAE_F32, IMAGE_CHANNELS_LAST, IMAGE_CHANNELS_LAST, 0);
        check_pool(&c, LSTMAE_F32, (image_layout)(k % IMAGE_LAYOUTS), (image_layout)((k / 2 + 1) % IMAGE_LAYOUTS), 0);
    }
    pool_case c = pools[3];
    c.kind = kind;
    check_pool(&c, LSTMAE_F64, IMAGE_PLANES, IMAGE_CHANNELS_LAST, 0);
}

static void max_pools(void **state)
{
    (void)state;
    pool_all(LSTMAE_POOL_MAX);
    pool_case c = { 2, 5, 9, 8, { 3, 2 }, { 1, 2 }, { 1, 1 }, { 2, 3 }, LSTMAE_POOL_MAX, 0, 0 };
    check_pool(&c, LSTMAE_F32, IMAGE_CHANNELS_LAST, IMAGE_PLANES, 0);
    c = (pool_case){ 1, 6, 2, 1, { 2, 2 }, { 2, 1 }, { 1, 1 }, { 1, 2 }, LSTMAE_POOL_MAX, 0, 0 };
    /* windows around the image's only column */
    check_pool(&c, LSTMAE_F32, IMAGE_CHANNELS_LAST, IMAGE_CHANNELS_LAST, 0);
    check_pool(&pools[0], LSTMAE_F32, IMAGE_CHANNELS_LAST, IMAGE_CHANNELS_LAST, 300); /* NaN, infinities, equal ones */
    check_pool(&pools[3], LSTMAE_F32, IMAGE_PLANES, IMAGE_CHANNELS_LAST, 300);
}

static void avg_pools(void **state)
{
    (void)state;
    pool_all(LSTMAE_POOL_AVERAGE);
    pool_case c = { 1, 3, 40, 41, { 33, 32 }, { 1, 4 }, { 0, 0 }, { 1, 1 }, LSTMAE_POOL_AVERAGE, 0, 1 };
    check_pool(&c, LSTMAE_F32, IMAGE_CHANNELS_LAST, IMAGE_CHANNELS_LAST, 0);
}

/* ---- upsampling ---- */

typedef struct upsample_case {
    int64_t B, C, H, W, P, Q;
    int kind;
} upsample_case;

/* views: y, dx, x, dy */
static lstmae_status run_upsample(const test_device *device, const lstmae_view *views, const void *arg)
{
    const upsample_case *c = arg;
    lstmae_upsample_args args = { .struct_size = sizeof(args), .kind = c->kind, .dtype = views[0].dtype, .x = views[2],
                                  .y = views[0] };
    lstmae_status status = device->api->upsample_forward(device->queue, &args);
    args.x = views[1];
    args.y = views[3];
    return status < 0 ? status : device->api->upsample_backward(device->queue, &args);
}

/* `special`: a NaN or an infinity in every plane of dy, in another place of each. */
static void check_upsample(const upsample_case *c, int dtype, image_layout x, image_layout y, int special)
{
    const int64_t pixels = c->P * c->Q;
    const test_tolerance in_double = { 1e-14, 1e-14 };
    test_tolerance tolerance = dtype == LSTMAE_F64 ? in_double : tolerance_mixture;
    conformance_case each = { .run = run_upsample, .args = c };
    snprintf(each.what, sizeof(each.what), "upsample %d: [%lld,%lld,%lld,%lld] to %lldx%lld, layouts %d %d", c->kind,
             (long long)c->B, (long long)c->C, (long long)c->H, (long long)c->W, (long long)c->P, (long long)c->Q,
             (int)x, (int)y);
    conformance_output(&each, conformance_image(dtype, y, c->B, c->C, c->P, c->Q, 1),
                       c->kind == LSTMAE_UPSAMPLE_NEAREST ? tolerance_exact : tolerance);
    conformance_output(&each, conformance_image(dtype, x, c->B, c->C, c->H, c->W, 2), tolerance);
    conformance_input(&each, conformance_image(dtype, x, c->B, c->C, c->H, c->W, 3));
    conformance_input(&each, conformance_image(dtype, y, c->B, c->C, c->P, c->Q, 4));
    for (int64_t plane = 0; special && plane < c->B * c->C; plane++)
        test_array_set(&each.array[3], plane * pixels + plane % pixels, plane % 2 ? INFINITY : NAN);
    conformance_check(&each);
}

static void upsamples(void **state)
{
    (void)state;
    static const upsample_case cases[] = {
        { 2, 16, 3, 4, 6, 8, 0 },  { 1, 5, 4, 2, 12, 6, 0 },  { 2, 3, 3, 5, 3, 20, 0 }, { 2, 33, 5, 7, 8, 11, 0 },
        { 2, 20, 1, 1, 3, 5, 0 },  { 1, 3, 9, 8, 4, 5, 0 },   { 1, 1, 1, 7, 1, 12, 0 }, { 4, 32, 13, 12, 26, 24, 0 },
        { 1, 4, 16, 3, 2, 1, 0 },
    };
    for (size_t k = 0; k < COUNT(cases); k++) {
        for (int kind = LSTMAE_UPSAMPLE_NEAREST; kind <= LSTMAE_UPSAMPLE_BILINEAR; kind++) {
            upsample_case c = cases[k];
            c.kind = kind;
            check_upsample(&c, LSTMAE_F32, IMAGE_CHANNELS_LAST, IMAGE_CHANNELS_LAST, 0);
            check_upsample(&c, LSTMAE_F32, (image_layout)(k % IMAGE_LAYOUTS),
                           (image_layout)((k / 2 + 1) % IMAGE_LAYOUTS), 0);
        }
    }
    upsample_case c = cases[3];
    c.kind = LSTMAE_UPSAMPLE_BILINEAR;
    check_upsample(&c, LSTMAE_F64, IMAGE_PLANES, IMAGE_CHANNELS_LAST, 0);
}

/* Where a gradient is not finite, source positions beside it that have no share of it do not see that. */
static void upsamples_of_special_values(void **state)
{
    (void)state;
    static const upsample_case cases[] = {
        { 2, 16, 3, 4, 6, 8, 1 }, { 2, 5, 4, 2, 12, 6, 1 }, { 2, 8, 3, 5, 3, 20, 1 },
    };
    for (size_t k = 0; k < COUNT(cases); k++) {
        check_upsample(&cases[k], LSTMAE_F32, IMAGE_CHANNELS_LAST, IMAGE_CHANNELS_LAST, 1);
        check_upsample(&cases[k], LSTMAE_F32, IMAGE_PLANES, IMAGE_WIDE_PIXELS, 1);
    }
    check_upsample(&cases[1], LSTMAE_F64, IMAGE_PLANES, IMAGE_CHANNELS_LAST, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_norms), cmocka_unit_test(batch_norms_count), cmocka_unit_test(large_batch_norms),
        cmocka_unit_test(layer_norms), cmocka_unit_test(max_pools),         cmocka_unit_test(avg_pools),
        cmocka_unit_test(upsamples),   cmocka_unit_test(upsamples_of_special_values),
    };
    return cmocka_run_group_tests(tests, conformance_open, conformance_close);
}
