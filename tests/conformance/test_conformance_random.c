/* random, dropout: the same numbers on every device. */
#include "conformance.h"

#include <stdio.h>

typedef struct random_args {
    int kind;
    double a, b;
    lstmae_random_key key;
} random_args;

/* Normal numbers go through double square roots and series: equal unless a device's rounding to float falls apart. */
static const test_tolerance tolerance_normal = { 2 * TOLERANCE_E, 0 };

#define KEYS 6
static const lstmae_random_key keys[KEYS] = {
    { 0, 0, 0 }, { 1, 2, 3 }, { UINT64_C(0xdeadbeefcafef00d), UINT64_C(0x123456789abcdef0), 17 },
    { 5, 6, UINT64_C(0x3ffffffe5) }, /* block numbers pass 2^32 inside the array */
    { 1, 2, 7778946 - 1 },  /* the second element is 0: the smallest number there is */
    { 1, 2, 14589967 - 1 }, /* and here the largest, 1 - 2^-24 */
};

static lstmae_status run_random(const test_device *device, const lstmae_view *views, const void *args)
{
    const random_args *r = args;
    return device->api->random(device->queue, r->kind, &views[0], r->a, r->b, &r->key);
}

static void numbers(void **state)
{
    (void)state;
    static const random_args all[] = {
        { .kind = LSTMAE_RANDOM_UNIFORM, .a = 0, .b = 1 },
        { .kind = LSTMAE_RANDOM_UNIFORM, .a = -0.07, .b = 0.07 },
        { .kind = LSTMAE_RANDOM_UNIFORM, .a = 1, .b = 1.0000001 },
        { .kind = LSTMAE_RANDOM_NORMAL, .a = 1, .b = 2 },
        { .kind = LSTMAE_RANDOM_BERNOULLI, .a = 0.3 },
        { .kind = LSTMAE_RANDOM_BERNOULLI, .a = 0 },
        { .kind = LSTMAE_RANDOM_BERNOULLI, .a = 1 },
    };
    for (int shape = 0; shape < conformance_shape_count; shape++) {
        const conformance_shape *s = &conformance_shapes[shape];
        for (size_t k = 0; k < KEYS * sizeof(all) / sizeof(all[0]); k++) {
            if (conformance_skip(shape, (int)k)) continue;
            random_args args = all[k / KEYS];
            conformance_case c = { .run = run_random, .args = &args };
            layout how = (layout)((k + k / KEYS) % LAYOUT_OUTPUTS);
            args.key = keys[k % KEYS];
            snprintf(c.what, sizeof(c.what), "random %d (%g, %g), key %d, shape %d, layout %d", args.kind, args.a,
                     args.b, (int)(k % KEYS), shape, (int)how);
            conformance_output_bits(&c, conformance_array(how, LSTMAE_F32, s->ndim, s->dim, 1, 1),
                                    args.kind == LSTMAE_RANDOM_NORMAL ? tolerance_normal : tolerance_exact);
            conformance_check(&c);
        }
    }
}

static void numbers_in_double(void **state)
{
    (void)state;
    static const test_tolerance tolerance = { 1e-15, 0 };
    for (int shape = 0; shape < conformance_shape_count; shape++) {
        const conformance_shape *s = &conformance_shapes[shape];
        for (int k = 0; k < 3 * KEYS; k++) {
            if (conformance_skip(shape, k)) continue;
            random_args args = { .kind = k / KEYS, .a = 0.3, .b = 2, .key = keys[k % KEYS] };
            conformance_case c = { .run = run_random, .args = &args };
            snprintf(c.what, sizeof(c.what), "random %d in double, key %d, shape %d", args.kind, k % KEYS, shape);
            conformance_output(&c, conformance_array((layout)(k % LAYOUT_OUTPUTS), LSTMAE_F64, s->ndim, s->dim, 1, 1),
                               args.kind == LSTMAE_RANDOM_NORMAL ? tolerance : tolerance_exact);
            conformance_check(&c);
        }
    }
}

static lstmae_status run_dropout(const test_device *device, const lstmae_view *views, const void *args)
{
    const random_args *r = args;
    return device->api->dropout(device->queue, &views[0], &views[r->kind], r->a, &r->key);
}

static void dropouts(void **state)
{
    (void)state;
    static const double rates[] = { 0, 0.1, 0.5, 0.99999, 1 };
    for (int shape = 0; shape < conformance_shape_count; shape++) {
        const conformance_shape *s = &conformance_shapes[shape];
        for (int k = 0; k < 5 * KEYS; k++) {
            if (conformance_skip(shape, k)) continue;
            const int dtype = k % 7 == 0 ? LSTMAE_F64 : LSTMAE_F32;
            random_args args = { .kind = k % 2, .a = rates[k / KEYS], .key = keys[k % KEYS] };
            conformance_case c = { .run = run_dropout, .args = &args };
            snprintf(c.what, sizeof(c.what), "dropout %g, key %d, shape %d%s", args.a, k % KEYS, shape,
                     k % 2 ? "" : ", in place");
            conformance_output(&c, test_array_make(dtype, s->ndim, s->dim, 1, 1), tolerance_exact);
            conformance_input(&c, test_array_make(dtype, s->ndim, s->dim, 2, 1));
            conformance_check(&c);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(numbers_in_double),
        cmocka_unit_test(dropouts),
    };
    return cmocka_run_group_tests(tests, conformance_open, conformance_close);
}
