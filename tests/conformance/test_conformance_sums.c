/* reduce, sum_squares, loss. */
#include "conformance.h"

#include <math.h>
#include <stdio.h>

typedef struct sums_args {
    int kind;
    double beta;
    int views;
} sums_args;

static lstmae_status run_reduce(const test_device *device, const lstmae_view *views, const void *args)
{
    const sums_args *a = args;
    return device->api->reduce(device->queue, a->kind, &views[0], &views[1], a->beta);
}

/* Bit a of `axes` set: axis a goes. */
static void check_reduce(const conformance_shape *s, unsigned axes, int kind, layout out, layout in, int dtype)
{
    conformance_case c = { .run = run_reduce };
    sums_args args = { .kind = kind, .beta = (axes + (unsigned)kind) % 3 == 0 ? 0.5 : 0 };
    int64_t kept[LSTMAE_MAX_DIMS];
    for (int axis = 0; axis < s->ndim; axis++) kept[axis] = axes & 1u << axis ? 1 : s->dim[axis];
    snprintf(c.what, sizeof(c.what), "reduce %d of axes %u of %lld x %lld x %lld, layouts %d and %d", kind, axes,
             (long long)s->dim[0], (long long)s->dim[1], (long long)s->dim[2], (int)out, (int)in);
    conformance_output(&c, conformance_array(out, dtype, s->ndim, kept, 1, 1), tolerance_sum);
    conformance_input(&c, conformance_array(in, dtype, s->ndim, s->dim, 2, 3));
    if (args.beta == 0) test_array_set(&c.array[0], 0, NAN);
    c.args = &args;
    conformance_check(&c);
}

static void reductions(void **state)
{
    (void)state;
    static const conformance_shape more[] = {
        { 2, { 700, 100 } }, { 2, { 3, 20000 } }, { 3, { 70, 20, 60 } }, { 2, { 257, 2300 } }, { 2, { 40000, 2 } }
    };
    for (int shape = 0; shape < conformance_shape_count; shape++)
        for (unsigned axes = 0; axes < 1u << conformance_shapes[shape].ndim; axes++)
            for (int kind = 0; kind <= LSTMAE_REDUCE_MAX; kind++)
                for (int in = 0; in < LAYOUT_INPUTS; in += 1 + (int)axes % 2)
                    if (!conformance_skip(shape, (int)axes * 5 + kind * LAYOUT_INPUTS + in))
                        check_reduce(&conformance_shapes[shape], axes, kind, (layout)((int)axes % LAYOUT_OUTPUTS),
                                     (layout)in, LSTMAE_F32);
    for (size_t shape = 0; shape < sizeof(more) / sizeof(more[0]); shape++)
        for (unsigned axes = 0; axes < 1u << more[shape].ndim; axes++)
            for (int in = 0; in < 2; in++) check_reduce(&more[shape], axes, in, LAYOUT_DENSE, (layout)in, LSTMAE_F32);
    check_reduce(&conformance_shapes[11], 5, LSTMAE_REDUCE_MEAN, LAYOUT_DENSE, LAYOUT_DENSE, LSTMAE_F64);
}

/* Sizes where blocks of threads, packs and segments of them end. */
static void reductions_at_limits(void **state)
{
    (void)state;
    static const int64_t lengths[] = { 31, 32, 33, 255, 256, 260, 2047, 2048, 2056, 16384, 16388, 300000 };
    for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
        conformance_shape shape = { 2, { lengths[k], lengths[k] > 20000 ? 1 : 36 } };
        for (unsigned axes = 1; axes < 4; axes++)
            for (int in = 0; in < LAYOUT_EVERY_OTHER; in++)
                check_reduce(&shape, axes, ((int)k + in) % 3, LAYOUT_DENSE, (layout)in, LSTMAE_F32);
        check_reduce(&shape, 1 + (unsigned)k % 3, LSTMAE_REDUCE_SUM, LAYOUT_DENSE, LAYOUT_DENSE, LSTMAE_F64);
    }
}

/* A sum is 0 and a mean NaN then, the largest -Inf; NaN is larger than all. */
static void reductions_of_nothing_and_of_nan(void **state)
{
    (void)state;
    for (int kind = 0; kind <= LSTMAE_REDUCE_MAX; kind++) {
        int64_t none[2] = { 0, 3 }, kept[2] = { 1, 3 }, some[2] = { 700, 3 };
        conformance_case c = { .run = run_reduce };
        sums_args args = { .kind = kind };
        c.args = &args;
        snprintf(c.what, sizeof(c.what), "reduce %d of nothing", kind);
        conformance_output(&c, test_array_make(LSTMAE_F32, 2, kept, 1, 1), tolerance_sum);
        conformance_input(&c, test_array_make(LSTMAE_F32, 2, none, 2, 1));
        conformance_check(&c);

        conformance_case n = { .run = run_reduce, .args = &args };
        snprintf(n.what, sizeof(n.what), "reduce %d of values that are not finite", kind);
        conformance_output(&n, test_array_make(LSTMAE_F32, 2, kept, 1, 1), tolerance_sum);
        conformance_input(&n, test_array_make(LSTMAE_F32, 2, some, 2, 1));
        test_array_set(&n.array[1], 3 * 650 + 1, NAN);
        test_array_set(&n.array[1], 3 * 17 + 2, -INFINITY);
        conformance_check(&n);
    }
}

static lstmae_status run_sum_squares(const test_device *device, const lstmae_view *views, const void *args)
{
    return device->api->sum_squares(device->queue, &views[1], ((const sums_args *)args)->views, views[0].data);
}

static void squares(void **state)
{
    (void)state;
    int64_t one = 1;
    for (int first = 0; first < LAYOUT_INPUTS; first++) {
        for (int views = 0; views <= conformance_shape_count; views += 4) {
            conformance_case c = { .run = run_sum_squares };
            sums_args args = { .views = views };
            c.args = &args;
            snprintf(c.what, sizeof(c.what), "sum_squares of %d arrays from layout %d", views, first);
            conformance_output(&c, test_array_make(LSTMAE_F64, 1, &one, 1, 1), tolerance_sum);
            for (int v = 0; v < views; v++) {
                const conformance_shape *s = &conformance_shapes[v];
                layout how = (layout)((first + v) % LAYOUT_INPUTS);
                conformance_input(&c, conformance_array(how, LSTMAE_F32, s->ndim, s->dim, (uint64_t)v, 2));
            }
            conformance_check(&c);
        }
    }
}

#define MANY 400

/* Parts of two arrays, one after the other: some empty, most of them short, the last ones of both types. */
static lstmae_status run_sum_squares_of_many(const test_device *device, const lstmae_view *views, const void *args)
{
    static const int64_t counts[] = { 1, 0, 7, 64, 3, 8192, 5, 1024, 16, 2 };
    lstmae_view parts[MANY];
    int64_t first[2] = { 0 };
    int count = ((const sums_args *)args)->views;
    for (int v = 0; v < count; v++) {
        int from = v > 350 && v % 7 == 5;
        parts[v] = views[1 + from];
        parts[v].data = (char *)parts[v].data + first[from] * (from ? 8 : 4);
        parts[v].dim[0] = counts[v % 10];
        first[from] += counts[v % 10];
    }
    return device->api->sum_squares(device->queue, parts, count, views[0].data);
}

static void squares_of_many(void **state)
{
    (void)state;
    static const int counts[] = { 166, 170, MANY };
    int64_t one = 1, n = 400000;
    for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
        conformance_case c = { .run = run_sum_squares_of_many };
        sums_args args = { .views = counts[k] };
        c.args = &args;
        snprintf(c.what, sizeof(c.what), "sum_squares of %d parts", counts[k]);
        conformance_output(&c, test_array_make(LSTMAE_F64, 1, &one, 1, 1), tolerance_sum);
        conformance_input(&c, test_array_make(LSTMAE_F32, 1, &n, 2, 1));
        conformance_input(&c, test_array_make(LSTMAE_F64, 1, &n, 3, 1));
        conformance_check(&c);
    }
}

/* One NaN or infinity anywhere has to show: the guard against broken gradients rests on it. */
static void squares_see_what_is_not_finite(void **state)
{
    (void)state;
    int64_t one = 1, n = 40000;
    for (int k = 0; k < 6; k++) {
        conformance_case c = { .run = run_sum_squares };
        sums_args args = { .views = 1 };
        c.args = &args;
        snprintf(c.what, sizeof(c.what), "sum_squares with a value that is not finite, %d", k);
        conformance_output(&c, test_array_make(LSTMAE_F64, 1, &one, 1, 1), tolerance_sum);
        conformance_input(&c, test_array_make(LSTMAE_F32, 1, &n, 2, 1));
        test_array_set(&c.array[1], k < 2 ? 0 : k < 4 ? 12345 : n - 1, k % 2 ? NAN : -INFINITY);
        conformance_check(&c);
    }
}

typedef struct loss_args {
    int op, mask, grad;
} loss_args;

/* views: value, grad, pred, target, mask; grad 2: in place of pred */
static lstmae_status run_loss(const test_device *device, const lstmae_view *views, const void *args)
{
    const loss_args *a = args;
    lstmae_loss_args loss = { .struct_size = sizeof(loss),
                              .op = a->op,
                              .pred = views[a->grad == 2 ? 1 : 2],
                              .target = views[3],
                              .mask = a->mask ? &views[4] : NULL,
                              .grad = a->grad ? &views[1] : NULL,
                              .delta = 0.7,
                              .scale = 0.125,
                              .grad_scale = 0.3,
                              .value = views[0].data };
    return device->api->loss(device->queue, &loss);
}

static void check_loss_of(const conformance_shape *s, int out, int in, loss_args args, int dtype)
{
    conformance_case c = { .run = run_loss, .args = &args };
    int64_t one = 1;
    snprintf(c.what, sizeof(c.what), "loss %d, mask %d, grad %d of %lld x %lld x %lld, layouts %d and %d", args.op,
             args.mask, args.grad, (long long)s->dim[0], (long long)s->dim[1], (long long)s->dim[2], out, in);
    conformance_output(&c, test_array_make(LSTMAE_F64, 1, &one, 1, 0), tolerance_loss);
    conformance_output_bits(&c, conformance_array((layout)out, dtype, s->ndim, s->dim, 2, 3), tolerance_loss_gradient);
    conformance_input(&c, conformance_array((layout)in, dtype, s->ndim, s->dim, 3, 3));
    conformance_input(&c, conformance_array((layout)((in + 1) % LAYOUT_INPUTS), dtype, s->ndim, s->dim, 4, 2));
    conformance_input(&c, conformance_array((layout)((in + 5) % LAYOUT_INPUTS), dtype, s->ndim, s->dim, 5, 1));
    for (int64_t i = 0; i < test_array_numel(&c.array[4]); i++) {
        double weight = test_array_get(&c.array[4], c.array[4].content, i);
        test_array_set(&c.array[4], i, weight < 0 ? 0 : weight);
    }
    test_array_set(&c.array[0], 0, 3); /* losses add up */
    if (!args.grad) c.outputs = 1u;
    conformance_check(&c);
}

static void check_loss(int shape, int out, int in, loss_args args, int dtype)
{
    check_loss_of(&conformance_shapes[shape], out, in, args, dtype);
}

static void losses(void **state)
{
    (void)state;
    for (int shape = 0; shape < conformance_shape_count; shape++) {
        for (int in = 0; in < LAYOUT_INPUTS; in++) {
            for (int op = 0; op <= LSTMAE_LOSS_OP_BCE_LOGITS; op++) {
                loss_args args = { op, (in + op) % 2, (in + shape) % 3 };
                if (conformance_skip(shape, 3 * op + in)) continue;
                check_loss(shape, (in + op) % LAYOUT_OUTPUTS, in, args, LSTMAE_F32);
            }
        }
    }
    check_loss(11, LAYOUT_DENSE, LAYOUT_DENSE, (loss_args){ LSTMAE_LOSS_OP_BCE_LOGITS, 1, 1 }, LSTMAE_F64);
}

/* Sizes where blocks of threads and packs of them end. */
static void losses_at_limits(void **state)
{
    (void)state;
    static const int64_t lengths[] = { 3, 4, 1023, 1024, 4095, 4096, 4099, 300000 };
    for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
        conformance_shape row = { 1, { lengths[k] } }, square = { 2, { 4, lengths[k] } };
        loss_args args = { (int)k % 4, k % 2 == 0, (int)k % 3 };
        check_loss_of(&row, LAYOUT_DENSE, LAYOUT_DENSE, args, LSTMAE_F32);
        check_loss_of(&row, LAYOUT_DENSE, LAYOUT_DENSE, args, LSTMAE_F64);
        if (lengths[k] < 5000) check_loss_of(&square, LAYOUT_DENSE, LAYOUT_INPUTS - 2, args, LSTMAE_F32);
    }
}

/* Logits far out, where exp overflows, and what a mask of 0 covers. */
static void losses_of_special_values(void **state)
{
    (void)state;
    static const double logits[] = { 0, 100, -100, 1e4, -1e4, 20, -20, NAN, INFINITY };
    static const double targets[] = { 0.5, 1, 0, 0, 1, 0, 1, 0, 1 };
    int64_t one = 1, count = 9;
    for (int op = 0; op <= LSTMAE_LOSS_OP_BCE_LOGITS; op++) {
        loss_args args = { op, 1, 1 };
        conformance_case c = { .run = run_loss, .args = &args };
        snprintf(c.what, sizeof(c.what), "loss %d of special values", op);
        conformance_output(&c, test_array_make(LSTMAE_F64, 1, &one, 1, 0), tolerance_loss);
        conformance_output_bits(&c, test_array_make(LSTMAE_F32, 1, &count, 1, 1), tolerance_loss_gradient);
        for (uint64_t a = 2; a < 5; a++) conformance_input(&c, test_array_make(LSTMAE_F32, 1, &count, a, 1));
        for (int64_t i = 0; i < count; i++) {
            test_array_set(&c.array[2], i, logits[i]);
            test_array_set(&c.array[3], i, targets[i]);
            test_array_set(&c.array[4], i, i < 7);
        }
        conformance_check(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reductions),
        cmocka_unit_test(reductions_at_limits),
        cmocka_unit_test(reductions_of_nothing_and_of_nan),
        cmocka_unit_test(squares),
        cmocka_unit_test(squares_of_many),
        cmocka_unit_test(squares_see_what_is_not_finite),
        cmocka_unit_test(losses),
        cmocka_unit_test(losses_at_limits),
        cmocka_unit_test(losses_of_special_values),
    };
    return cmocka_run_group_tests(tests, conformance_open, conformance_close);
}
