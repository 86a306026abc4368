/* copy, fill, map, map_backward, axpby, multiply, select. */
#include "conformance.h"

#include "shared/map_kind.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct arrays_args {
    int kind;
    double alpha, beta;
    int in_place;
} arrays_args;

/* A case on `shape` with an output and `inputs` inputs; their layouts follow from two numbers. */
static conformance_case arrays_case(const char *what, int shape, int out, int in, int inputs, int dtype, double scale)
{
    const conformance_shape *s = &conformance_shapes[shape];
    conformance_case c = { .count = 0 };
    snprintf(c.what, sizeof(c.what), "%s, shape %d, layouts %d and %d", what, shape, out, in);
    conformance_output_bits(&c, conformance_array((layout)out, dtype, s->ndim, s->dim, 1, 1), tolerance_exact);
    for (int i = 0; i < inputs; i++) {
        layout how = (layout)((in + i) % LAYOUT_INPUTS);
        conformance_input(&c, conformance_array(how, dtype, s->ndim, s->dim, (uint64_t)i + 2, scale));
    }
    return c;
}

#define FOR_LAYOUTS(shape, out, in)                                                                \
    for (int shape = 0; shape < conformance_shape_count; shape++)                                  \
        for (int out = 0; out < LAYOUT_OUTPUTS; out++)                                             \
            for (int in = 0; in < LAYOUT_INPUTS; in++)                                             \
                if (!conformance_skip(shape, out * LAYOUT_INPUTS + in))

static lstmae_status run_copy(const test_device *device, const lstmae_view *views, const void *args)
{
    (void)args;
    return device->api->copy(device->queue, &views[0], &views[1]);
}

static void copies(void **state)
{
    (void)state;
    FOR_LAYOUTS(shape, out, in)
    {
        for (int dtype = LSTMAE_F32; dtype <= LSTMAE_I64; dtype++) {
            conformance_case c = arrays_case("copy", shape, out, in, 1, dtype, 100);
            c.run = run_copy;
            conformance_check(&c);
        }
    }
}

static void check_copy(const char *what, test_array to, test_array from)
{
    conformance_case c = { .run = run_copy };
    snprintf(c.what, sizeof(c.what), "%s", what);
    conformance_output(&c, to, tolerance_exact);
    conformance_input(&c, from);
    conformance_check(&c);
}

/* Rows to columns, in tiles of every width. */
static void copies_across(void **state)
{
    (void)state;
    static const conformance_shape shapes[] = { { 2, { 16, 16 } },     { 2, { 15, 40 } },     { 2, { 33, 65 } },
                                                { 2, { 32, 256 } },    { 3, { 5, 37, 50 } },  { 3, { 40, 3, 70 } },
                                                { 4, { 3, 2, 31, 33 } }, { 4, { 20, 2, 3, 20 } } };
    for (size_t k = 0; k < sizeof(shapes) / sizeof(shapes[0]); k++) {
        for (int turn = 0; turn < 6; turn++) {
            const conformance_shape *s = &shapes[k];
            const int dtype = LSTMAE_F32 + turn % 3;
            const layout across = LAYOUT_TRANSPOSED, along = turn % 2 ? LAYOUT_PADDED : LAYOUT_DENSE;
            char what[80];
            snprintf(what, sizeof(what), "copy across, shape %d, turn %d", (int)k, turn);
            check_copy(what, conformance_array(turn < 3 ? along : across, dtype, s->ndim, s->dim, 1, 1),
                       conformance_array(turn < 3 ? across : along, dtype, s->ndim, s->dim, 2, 1));
        }
    }
}

static void copies_of_images(void **state)
{
    (void)state;
    static const int64_t images[][4] = { { 2, 3, 9, 11 }, { 2, 40, 6, 7 }, { 1, 64, 33, 1 }, { 3, 17, 16, 16 } };
    for (int k = 0; k < 4; k++) {
        for (int turn = 0; turn < IMAGE_LAYOUTS * IMAGE_LAYOUTS; turn++) {
            const int64_t *d = images[k];
            const image_layout to = (image_layout)(turn / IMAGE_LAYOUTS), from = (image_layout)(turn % IMAGE_LAYOUTS);
            const int dtype = turn % 7 == 0 ? LSTMAE_F64 : LSTMAE_F32;
            char what[80];
            snprintf(what, sizeof(what), "copy of image %d, layouts %d and %d", k, (int)to, (int)from);
            check_copy(what, conformance_image(dtype, to, d[0], d[1], d[2], d[3], 1),
                       conformance_image(dtype, from, d[0], d[1], d[2], d[3], 2));
        }
    }
}

static lstmae_status run_fill(const test_device *device, const lstmae_view *views, const void *args)
{
    return device->api->fill(device->queue, &views[0], ((const arrays_args *)args)->alpha);
}

static void fills(void **state)
{
    (void)state;
    arrays_args args = { .alpha = -3 };
    FOR_LAYOUTS(shape, out, in)
    {
        conformance_case c = arrays_case("fill", shape, out, in, 0, LSTMAE_F32 + in % 3, 0);
        c.run = run_fill;
        c.args = &args;
        conformance_check(&c);
    }
}

static lstmae_status run_map(const test_device *device, const lstmae_view *views, const void *args)
{
    const arrays_args *a = args;
    return device->api->map(device->queue, a->kind, a->alpha, &views[0], &views[a->in_place ? 0 : 1]);
}

static test_tolerance map_tolerance(int kind)
{
    if (kind <= LSTMAE_MAP_RELU || kind == LSTMAE_MAP_LEAKY_RELU) return tolerance_exact;
    return kind <= LSTMAE_MAP_SIGMOID ? tolerance_activation : tolerance_map;
}

static void maps(void **state)
{
    (void)state;
    FOR_LAYOUTS(shape, out, in)
    {
        for (int kind = 0; kind < LAE_MAP_KINDS; kind++) {
            arrays_args args = { .kind = kind, .alpha = 0.75, .in_place = in == 0 };
            if (kind > LSTMAE_MAP_SIGMOID && (shape + out + in + kind) % 7 != 0) continue;
            conformance_case c = arrays_case("map", shape, out, in, 1, LSTMAE_F32, 9);
            snprintf(c.what + strlen(c.what), sizeof(c.what) - strlen(c.what), ", kind %d", kind);
            c.tolerance[0] = map_tolerance(kind);
            c.run = run_map;
            c.args = &args;
            conformance_check(&c);
        }
    }
}

/* Zeros, infinities, NaN and the largest numbers. */
static void maps_of_special_values(void **state)
{
    (void)state;
    static const double values[] = { 0.0, -0.0, INFINITY, -INFINITY, NAN, 3.4e38, -3.4e38, 1e-45, -1e-45, 88.8, -104 };
    int64_t count = sizeof(values) / sizeof(values[0]);
    for (int kind = 0; kind < LAE_MAP_KINDS; kind++) {
        arrays_args args = { .kind = kind, .alpha = kind == LSTMAE_MAP_LEAKY_RELU ? 0.75 : 1 };
        conformance_case c = { .run = run_map, .args = &args };
        snprintf(c.what, sizeof(c.what), "map %d of special values", kind);
        conformance_output_bits(&c, test_array_make(LSTMAE_F32, 1, &count, 1, 1),
                                kind <= LSTMAE_MAP_SIGMOID ? tolerance_activation : tolerance_map);
        conformance_input(&c, test_array_make(LSTMAE_F32, 1, &count, 1, 1));
        for (int64_t i = 0; i < count; i++) test_array_set(&c.array[1], i, values[i]);
        /* results below the smallest normal number are exact to its last bit only */
        c.tolerance[0].of_largest = kind >= LSTMAE_MAP_SIGMOID ? 3e-45 : 0;
        conformance_check(&c);
    }
}

static lstmae_status run_map_backward(const test_device *device, const lstmae_view *views, const void *args)
{
    const arrays_args *a = args;
    const lstmae_view *x = lae_map_reads_input(a->kind) ? &views[2] : NULL, *y = x ? NULL : &views[2];
    return device->api->map_backward(device->queue, a->kind, a->alpha, &views[0], &views[a->in_place ? 0 : 1], x, y);
}

static void map_derivatives(void **state)
{
    (void)state;
    FOR_LAYOUTS(shape, out, in)
    {
        for (int kind = 0; kind < LAE_MAP_KINDS; kind++) {
            arrays_args args = { .kind = kind, .alpha = 0.75, .in_place = in == 1 };
            if (kind > LSTMAE_MAP_SIGMOID && (shape + out + in + kind) % 7 != 0) continue;
            double scale = kind <= LSTMAE_MAP_SIGMOID ? 1 : 7;
            conformance_case c = arrays_case("map_backward", shape, out, in, 2, LSTMAE_F32, scale);
            snprintf(c.what + strlen(c.what), sizeof(c.what) - strlen(c.what), ", kind %d", kind);
            c.tolerance[0] = kind <= LSTMAE_MAP_SIGMOID ? tolerance_derivative : tolerance_map;
            if (map_tolerance(kind).relative == 0) c.tolerance[0] = tolerance_exact;
            c.run = run_map_backward;
            c.args = &args;
            conformance_check(&c);
        }
    }
}

static lstmae_status run_axpby(const test_device *device, const lstmae_view *views, const void *args)
{
    const arrays_args *a = args;
    return device->api->axpby(device->queue, &views[0], a->alpha, &views[1], a->beta);
}

static lstmae_status run_multiply(const test_device *device, const lstmae_view *views, const void *args)
{
    return device->api->multiply(device->queue, &views[0], &views[1], &views[2], ((const arrays_args *)args)->beta);
}

static void arithmetic(void **state)
{
    (void)state;
    static const arrays_args all[] = { { .alpha = 1, .beta = 1 },
                                       { .alpha = -0.3, .beta = 0 },
                                       { .alpha = 2, .beta = 0.7 } };
    FOR_LAYOUTS(shape, out, in)
    {
        for (int k = 0; k < 6; k++) {
            int product = k % 2;
            conformance_case c =
                arrays_case(product ? "multiply" : "axpby", shape, out, in, product ? 2 : 1, LSTMAE_F32, 1);
            c.tolerance[0] = tolerance_arithmetic;
            c.run = product ? run_multiply : run_axpby;
            c.args = &all[k / 2];
            if (all[k / 2].beta == 0) test_array_set(&c.array[0], 0, NAN);
            conformance_check(&c);
        }
    }
}

static lstmae_status run_select(const test_device *device, const lstmae_view *views, const void *args)
{
    (void)args;
    return device->api->select(device->queue, &views[0], &views[1], &views[2], &views[3]);
}

static void selections(void **state)
{
    (void)state;
    FOR_LAYOUTS(shape, out, in)
    {
        conformance_case c = arrays_case("select", shape, out, in, 3, LSTMAE_F32, 1);
        for (int64_t i = 0; i < test_array_numel(&c.array[1]); i += 2) test_array_set(&c.array[1], i, 0);
        c.run = run_select;
        conformance_check(&c);
    }
}

/* `count` elements of a view from number `skipped` on, where an array's alignment is another. */
static lstmae_view behind(const lstmae_view *view, int skipped, int64_t count)
{
    lstmae_view part = *view;
    part.data = (float *)view->data + skipped;
    part.dim[0] = count;
    return part;
}

static lstmae_status run_behind(const test_device *device, const lstmae_view *views, const void *args)
{
    const arrays_args *a = args;
    lstmae_view y = behind(&views[0], a->kind, views[0].dim[0] - 8), x = behind(&views[1], a->in_place, y.dim[0]);
    return device->api->axpby(device->queue, &y, a->alpha, &x, a->beta);
}

static void parts_of_any_alignment(void **state)
{
    (void)state;
    static const int64_t counts[] = { 9, 12, 15, 1001 };
    for (int k = 0; k < 4 * 64; k++) {
        arrays_args args = { .kind = k / 4 % 8, .in_place = k / 32, .alpha = 2, .beta = k % 3 };
        conformance_case c = { .run = run_behind, .args = &args };
        snprintf(c.what, sizeof(c.what), "axpby of %d elements from %d and %d on", (int)counts[k % 4], args.kind,
                 args.in_place);
        conformance_output_bits(&c, test_array_make(LSTMAE_F32, 1, &counts[k % 4], 1, 1), tolerance_arithmetic);
        conformance_input(&c, test_array_make(LSTMAE_F32, 1, &counts[k % 4], 2, 1));
        conformance_check(&c);
    }
}

/* Double, where a device has it. */
static void maps_of_doubles(void **state)
{
    (void)state;
    static const test_tolerance tolerance = { 1e-13, 1e-15 };
    for (int kind = 0; kind < LAE_MAP_KINDS; kind++) {
        arrays_args args = { .kind = kind, .alpha = 0.75 };
        for (int backward = 0; backward < 2; backward++) {
            conformance_case c = arrays_case(backward ? "map_backward in double" : "map in double", 7, LAYOUT_DENSE,
                                             LAYOUT_DENSE, backward + 1, LSTMAE_F64, 9);
            snprintf(c.what + strlen(c.what), sizeof(c.what) - strlen(c.what), ", kind %d", kind);
            c.tolerance[0] = tolerance;
            c.run = backward ? run_map_backward : run_map;
            c.args = &args;
            conformance_check(&c);
        }
    }
}

static void doubles(void **state)
{
    (void)state;
    static const arrays_args args = { .alpha = 2, .beta = 0.7, .kind = LSTMAE_MAP_TANH };
    static const test_tolerance tolerance = { 1e-14, 1e-14 };
    static const struct {
        conformance_fn run;
        int inputs;
    } entries[] = { { run_map, 1 }, { run_map_backward, 2 }, { run_axpby, 1 }, { run_multiply, 2 }, { run_select, 3 } };
    for (int k = 0; k < 5; k++) {
        conformance_case c =
            arrays_case("in double", 11, LAYOUT_PADDED, LAYOUT_TRANSPOSED, entries[k].inputs, LSTMAE_F64, 1);
        c.tolerance[0] = tolerance;
        c.run = entries[k].run;
        c.args = &args;
        conformance_check(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies),
        cmocka_unit_test(copies_across),
        cmocka_unit_test(copies_of_images),
        cmocka_unit_test(fills),
        cmocka_unit_test(maps),
        cmocka_unit_test(maps_of_special_values),
        cmocka_unit_test(map_derivatives),
        cmocka_unit_test(arithmetic),
        cmocka_unit_test(selections),
        cmocka_unit_test(parts_of_any_alignment),
        cmocka_unit_test(maps_of_doubles),
        cmocka_unit_test(doubles),
    };
    return cmocka_run_group_tests(tests, conformance_open, conformance_close);
}
