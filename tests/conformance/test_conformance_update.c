/* Optimizer updates over several tensors. */
#include "conformance.h"

#include <math.h>
#include <stdio.h>

#define TENSORS 3

/* In views, per tensor: param, m, v, a (compared), grad. Last of all: the sum of squares, and the guards. */
#define PER_TENSOR 5

typedef struct update_case {
    const char *name;
    lstmae_update_args args;
    double weight_decay;
    unsigned moments; /* 1: m, 2: v, 4: a */
} update_case;

#define SGD .kind = LSTMAE_UPDATE_SGD, .lr = 0.1
#define ADAM \
    .kind = LSTMAE_UPDATE_ADAM, .lr = 0.01, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .bias1 = 0.19, .bias2 = 0.002
#define RMSPROP .kind = LSTMAE_UPDATE_RMSPROP, .lr = 0.01, .rho = 0.9, .eps = 1e-8

static const update_case cases[] = {
    { "sgd", { SGD }, 0, 0 },
    { "sgd with decay", { SGD }, 0.01, 0 },
    { "sgd with momentum", { SGD, .momentum = 0.9 }, 0, 1 },
    { "sgd with momentum, clipped velocity", { SGD, .momentum = 0.9, .velocity_clip = 0.25 }, 0.1, 1 },
    { "nesterov", { SGD, .momentum = 0.9, .flags = LSTMAE_UPDATE_NESTEROV }, 0.1, 1 },
    { "sgd, clipped values", { SGD, .value_clip = 0.3 }, 0, 0 },
    { "sgd, clipped norm", { SGD, .max_norm = 5 }, 0, 0 },
    { "sgd, norm below its bound", { SGD, .max_norm = 1e6 }, 0, 0 },
    { "adam", { ADAM }, 0, 3 },
    { "adam with decay, clipped both ways", { ADAM, .max_norm = 5, .value_clip = 0.01 }, 0.1, 3 },
    { "adamw", { ADAM, .flags = LSTMAE_UPDATE_DECOUPLED_DECAY }, 0.1, 3 },
    { "adamw, guarded", { ADAM, .flags = LSTMAE_UPDATE_DECOUPLED_DECAY | LSTMAE_UPDATE_SKIP_NONFINITE }, 0.1, 3 },
    { "rmsprop", { RMSPROP }, 0.1, 2 },
    { "rmsprop with momentum", { RMSPROP, .momentum = 0.5 }, 0, 3 },
    { "rmsprop, centered", { RMSPROP, .flags = LSTMAE_UPDATE_CENTERED }, 0, 6 },
    { "tf1", { RMSPROP, .flags = LSTMAE_UPDATE_TF1 }, 0, 2 },
    { "tf1 with momentum, centered",
      { RMSPROP, .momentum = 0.5, .flags = LSTMAE_UPDATE_TF1 | LSTMAE_UPDATE_CENTERED }, 0.1, 7 },
};

static lstmae_status run_update(const test_device *device, const lstmae_view *views, const void *args)
{
    const update_case *u = args;
    lstmae_update_tensor tensors[TENSORS];
    lstmae_update_args update = u->args;
    for (int t = 0; t < TENSORS; t++) {
        const lstmae_view *v = views + t * PER_TENSOR;
        tensors[t] = (lstmae_update_tensor){ .param = v[0].data, .m = v[1].data, .v = v[2].data, .a = v[3].data,
                                             .grad = v[4].data, .count = v[0].dim[0], .weight_decay = u->weight_decay };
        if (t == 1) tensors[t].weight_decay = 0;
    }
    update.struct_size = sizeof(update);
    update.dtype = views[0].dtype;
    update.tensors = tensors;
    update.count = TENSORS;
    update.norm_sq = views[TENSORS * PER_TENSOR].data;
    update.guard = views[TENSORS * PER_TENSOR + 1].data;
    update.guard_count = views[TENSORS * PER_TENSOR + 1].dim[0];
    return device->api->update(device->queue, &update);
}

/* v stays well above a^2, as it does in use: their difference would lose digits otherwise. */
static void add_tensor(conformance_case *c, const update_case *u, int dtype, int64_t count, uint64_t seed,
                       test_tolerance tolerance)
{
    static const double scale[PER_TENSOR] = { 1, 0.5, 0.5, 0.3, 1 };
    for (uint64_t k = 0; k < PER_TENSOR; k++) {
        test_array array = { .dtype = dtype };
        if (k == 0 || k == 4 || u->moments & 1u << (k - 1))
            array = test_array_make(dtype, 1, &count, seed * 8 + k, scale[k]);
        if (k == 2 && array.content)
            for (int64_t i = 0; i < count; i++)
                test_array_set(&array, i, 0.6 + test_array_get(&array, array.content, i));
        if (k < 4) conformance_output_bits(c, array, tolerance);
        else conformance_input(c, array);
    }
}

/* `bad` is the last of 5 guards, or there are none where it is 0. */
static void check_guarded(const update_case *u, const int64_t *counts, int dtype, double norm_sq, double bad,
                          test_tolerance tolerance)
{
    conformance_case c = { .run = run_update, .args = u };
    int64_t one = 1, guards = bad == 0 ? 0 : 5;
    snprintf(c.what, sizeof(c.what), "%s of %lld + %lld + %lld, squares %g, guard %g", u->name, (long long)counts[0],
             (long long)counts[1], (long long)counts[2], norm_sq, bad);
    for (int t = 0; t < TENSORS; t++) add_tensor(&c, u, dtype, counts[t], (uint64_t)t + 1, tolerance);
    conformance_input(&c, test_array_make(LSTMAE_F64, 1, &one, 1, 1));
    test_array_set(&c.array[TENSORS * PER_TENSOR], 0, norm_sq);
    conformance_input(&c, test_array_make(LSTMAE_F64, 1, &guards, 2, 1));
    if (guards) test_array_set(&c.array[TENSORS * PER_TENSOR + 1], guards - 1, bad);
    conformance_check(&c);
}

static void check_update(const update_case *u, const int64_t *counts, int dtype, double norm_sq,
                         test_tolerance tolerance)
{
    check_guarded(u, counts, dtype, norm_sq, 0, tolerance);
}

static void updates(void **state)
{
    (void)state;
    static const int64_t counts[][TENSORS] = {
        { 1, 2, 3 }, { 16, 17, 31 }, { 257, 1, 1009 }, { 16384, 16385, 40000 }, { 5, 70001, 64 }
    };
    static const test_tolerance in_double = { 1e-14, 1e-14 };
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        for (size_t n = 0; n < sizeof(counts) / sizeof(counts[0]); n++)
            check_update(&cases[k], counts[n], LSTMAE_F32, 1234.5, tolerance_update);
        check_update(&cases[k], counts[2], LSTMAE_F64, 1234.5, in_double);
    }
}

#define MANY 150

/* Parts of the same arrays, one after the other: some empty, some that begin anywhere. */
static lstmae_status run_update_of_many(const test_device *device, const lstmae_view *views, const void *args)
{
    static const int64_t counts[] = { 1, 64, 0, 7, 4096, 3, 2, 512, 5, 16, 2049 };
    const update_case *u = args;
    lstmae_update_tensor tensors[MANY];
    lstmae_update_args update = u->args;
    int64_t first = 0;
    for (int t = 0; t < MANY; t++) {
        float *at[PER_TENSOR];
        for (int k = 0; k < PER_TENSOR; k++) at[k] = views[k].data ? (float *)views[k].data + first : NULL;
        tensors[t] = (lstmae_update_tensor){ .param = at[0], .m = at[1], .v = at[2], .a = at[3], .grad = at[4],
                                             .count = counts[t % 11], .weight_decay = u->weight_decay * (t % 3) };
        first += tensors[t].count;
    }
    update.struct_size = sizeof(update);
    update.dtype = views[0].dtype;
    update.tensors = tensors;
    update.count = MANY;
    update.norm_sq = views[PER_TENSOR].data;
    return device->api->update(device->queue, &update);
}

static void updates_of_many(void **state)
{
    (void)state;
    int64_t one = 1;
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        conformance_case c = { .run = run_update_of_many, .args = &cases[k] };
        snprintf(c.what, sizeof(c.what), "%s of %d tensors", cases[k].name, MANY);
        add_tensor(&c, &cases[k], LSTMAE_F32, 95000, 1, tolerance_update);
        conformance_input(&c, test_array_make(LSTMAE_F64, 1, &one, 1, 1));
        test_array_set(&c.array[PER_TENSOR], 0, 1234.5);
        conformance_check(&c);
    }
}

/* What one element is, its neighbours do not see. */
static void updates_of_nan_stay_where_they_are(void **state)
{
    (void)state;
    static const int64_t counts[TENSORS] = { 5, 1009, 64 };
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        conformance_case c = { .run = run_update, .args = &cases[k] };
        int64_t one = 1, none = 0;
        snprintf(c.what, sizeof(c.what), "%s with a gradient that is not finite", cases[k].name);
        for (int t = 0; t < TENSORS; t++) add_tensor(&c, &cases[k], LSTMAE_F32, counts[t], 5, tolerance_update);
        test_array_set(&c.array[PER_TENSOR + 4], 517, NAN);
        test_array_set(&c.array[PER_TENSOR + 4], 1008, NAN);
        conformance_input(&c, test_array_make(LSTMAE_F64, 1, &one, 1, 1));
        test_array_set(&c.array[TENSORS * PER_TENSOR], 0, 1234.5);
        conformance_input(&c, test_array_make(LSTMAE_F64, 1, &none, 2, 1));
        conformance_check(&c);
    }
}

static void guarded_updates_change_nothing(void **state)
{
    (void)state;
    static const int64_t counts[TENSORS] = { 5, 1009, 64 };
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        update_case guarded = cases[k];
        guarded.args.flags |= LSTMAE_UPDATE_SKIP_NONFINITE;
        check_update(&guarded, counts, LSTMAE_F32, NAN, tolerance_exact);
        check_update(&guarded, counts, LSTMAE_F32, INFINITY, tolerance_exact);
        check_guarded(&guarded, counts, LSTMAE_F32, 1234.5, k % 2 ? NAN : -INFINITY, tolerance_exact);
        check_guarded(&guarded, counts, LSTMAE_F32, 1234.5, 1e300, tolerance_update);
    }
    check_guarded(&cases[0], counts, LSTMAE_F32, 1234.5, NAN, tolerance_update); /* not asked to look */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates),
        cmocka_unit_test(updates_of_many),
        cmocka_unit_test(updates_of_nan_stay_where_they_are),
        cmocka_unit_test(guarded_updates_change_nothing),
    };
    return cmocka_run_group_tests(tests, conformance_open, conformance_close);
}
