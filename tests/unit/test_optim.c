/* Optimizers against an implementation of their own here, in double, over 20 steps; clipping, guard, misuse. */
#include "support.h"

#include "optim_internal.h"
#include "tensor_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define IN 5
#define OUT 7
#define WEIGHTS (IN * OUT)
#define COUNT (WEIGHTS + OUT)
#define STEPS 20

static lstmae_module *make_linear(lstmae_context *context)
{
    lstmae_module *linear = NULL;
    assert_ok(lstmae_linear_create(&linear, context, IN, OUT, 0));
    return linear;
}

/* ---- parameters and gradients as one array, weight first ---- */

static size_t element_size(lstmae_tensor *tensor)
{
    return lstmae_tensor_dtype(tensor) == LSTMAE_F64 ? sizeof(double) : sizeof(float);
}

static void write_part(lstmae_tensor *tensor, const double *values)
{
    float narrow[COUNT];
    size_t count = (size_t)lstmae_tensor_numel(tensor);
    for (size_t i = 0; i < count; i++) narrow[i] = (float)values[i];
    const void *host = lstmae_tensor_dtype(tensor) == LSTMAE_F64 ? (const void *)values : (const void *)narrow;
    assert_ok(lstmae_tensor_write(tensor, host, count * element_size(tensor)));
}

static void read_part(lstmae_tensor *tensor, double *values)
{
    float narrow[COUNT];
    size_t count = (size_t)lstmae_tensor_numel(tensor);
    int wide = lstmae_tensor_dtype(tensor) == LSTMAE_F64;
    assert_ok(lstmae_tensor_read(tensor, wide ? (void *)values : (void *)narrow, count * element_size(tensor)));
    for (size_t i = 0; !wide && i < count; i++) values[i] = (double)narrow[i];
}

static void write_params(lstmae_module *module, const double *values)
{
    write_part(lstmae_module_param(module, 0), values);
    write_part(lstmae_module_param(module, 1), values + WEIGHTS);
}

static void write_grads(lstmae_module *module, const double *values)
{
    write_part(lstmae_module_param_grad(module, 0), values);
    write_part(lstmae_module_param_grad(module, 1), values + WEIGHTS);
}

static void read_params(lstmae_module *module, double *values)
{
    read_part(lstmae_module_param(module, 0), values);
    read_part(lstmae_module_param(module, 1), values + WEIGHTS);
}

static void read_grads(lstmae_module *module, double *values)
{
    read_part(lstmae_module_param_grad(module, 0), values);
    read_part(lstmae_module_param_grad(module, 1), values + WEIGHTS);
}

/* Representable in float32, so that both element types start alike. */
static void make_values(double *values, uint64_t seed)
{
    float narrow[COUNT];
    test_fill(narrow, COUNT, seed, 1.0f);
    for (int i = 0; i < COUNT; i++) values[i] = (double)narrow[i];
}

/* ---- the other implementation: textbook forms, moments from which bias is divided out first ---- */

typedef struct model {
    double p[COUNT], velocity[COUNT], mean[COUNT], square[COUNT];
} model;

static double clamp(double x, double limit)
{
    return limit > 0 ? fmax(-limit, fmin(limit, x)) : x;
}

static double norm_of(const double *g)
{
    double sum = 0;
    for (int i = 0; i < COUNT; i++) sum += g[i] * g[i];
    return sqrt(sum);
}

static void sgd(const lstmae_optimizer_options *o, model *s, int i, double g)
{
    s->velocity[i] = clamp(o->momentum * s->velocity[i] + g, o->clip_velocity);
    double direction = s->velocity[i];
    if (o->flags & LSTMAE_OPTIMIZER_NESTEROV) direction = g + o->momentum * s->velocity[i];
    s->p[i] -= o->lr * direction;
}

static void adam(const lstmae_optimizer_options *o, model *s, int i, double g, int step)
{
    s->mean[i] += (1 - o->beta1) * (g - s->mean[i]);
    s->square[i] += (1 - o->beta2) * (g * g - s->square[i]);
    double m = s->mean[i] / (1 - pow(o->beta1, step)), v = s->square[i] / (1 - pow(o->beta2, step));
    s->p[i] -= o->lr * m / (sqrt(v) + o->eps);
}

static void rmsprop(const lstmae_optimizer_options *o, model *s, int i, double g)
{
    s->square[i] += (1 - o->rho) * (g * g - s->square[i]);
    if (o->flags & LSTMAE_OPTIMIZER_CENTERED) s->mean[i] += (1 - o->rho) * (g - s->mean[i]);
    double variance = s->square[i] - s->mean[i] * s->mean[i];
    if (o->kind == LSTMAE_RMSPROP_TF1) {
        s->velocity[i] = o->momentum * s->velocity[i] + o->lr * g / sqrt(variance + o->eps);
        s->p[i] -= s->velocity[i];
    } else {
        s->velocity[i] = o->momentum * s->velocity[i] + g / (sqrt(variance) + o->eps);
        s->p[i] -= o->lr * s->velocity[i];
    }
}

static void model_step(const lstmae_optimizer_options *o, model *s, const double *grad, int step)
{
    double norm = norm_of(grad), factor = 1;
    if (o->clip_norm > 0 && norm + 1e-6 > o->clip_norm) factor = o->clip_norm / (norm + 1e-6);
    for (int i = 0; i < COUNT; i++) {
        double decay = o->weight_decay, g = clamp(grad[i] * factor, o->clip_value);
        if (o->flags & LSTMAE_OPTIMIZER_DECAY_MATRICES_ONLY && i >= WEIGHTS) decay = 0;
        if (o->kind == LSTMAE_ADAMW)
            s->p[i] -= o->lr * decay * s->p[i];
        else
            g += decay * s->p[i];
        if (o->kind == LSTMAE_SGD) sgd(o, s, i, g);
        if (o->kind == LSTMAE_ADAM || o->kind == LSTMAE_ADAMW) adam(o, s, i, g, step);
        if (o->kind == LSTMAE_RMSPROP || o->kind == LSTMAE_RMSPROP_TF1) rmsprop(o, s, i, g);
    }
}

/* ---- comparing ---- */

/*
 * In double both differ by the order of a few operations a step. In float32 parameters and moments are rounded every
 * step, 6e-8 of values up to about 2; 20 steps of an update that divides by a root multiply that a few times.
 */
static double tolerance(lstmae_dtype dtype)
{
    return dtype == LSTMAE_F64 ? 1e-12 : 2e-5;
}

static void check_against_model(const lstmae_optimizer_options *given, lstmae_dtype dtype)
{
    lstmae_optimizer_options options = *given;
    lstmae_context *context = test_context("cpu", dtype);
    lstmae_module *module = make_linear(context);
    lstmae_optimizer *optimizer = NULL;
    model want = { 0 };
    double grad[COUNT], got[COUNT], kept[COUNT];
    make_values(want.p, 1);
    write_params(module, want.p);
    for (int i = 0; i < COUNT; i++) want.square[i] = options.kind == LSTMAE_RMSPROP_TF1 ? 1 : 0;
    assert_ok(lstmae_optimizer_create(&optimizer, module, &options));
    for (int step = 1; step <= STEPS; step++) {
        options.lr = given->lr / step;
        make_values(grad, 100 + (uint64_t)step);
        write_grads(module, grad);
        assert_ok(lstmae_optimizer_set_lr(optimizer, options.lr));
        assert_ok(step % 2 ? lstmae_optimizer_step(optimizer) : lstmae_optimizer_step_guarded(optimizer));
        model_step(&options, &want, grad, step);
        read_grads(module, kept);
        assert_memory_equal(kept, grad, sizeof grad);
    }
    assert_int_equal(lstmae_optimizer_steps(optimizer), STEPS);
    read_params(module, got);
    for (int i = 0; i < COUNT; i++)
        if (!(fabs(got[i] - want.p[i]) <= tolerance(dtype)))
            fail_msg("kind %d flags %u element %d: got %.9g, wanted %.9g", options.kind, options.flags, i, got[i],
                     want.p[i]);
    lstmae_optimizer_destroy(optimizer);
    lstmae_module_destroy(module);
    lstmae_context_destroy(context);
}

static void check(const lstmae_optimizer_options *options)
{
    check_against_model(options, LSTMAE_F64);
    check_against_model(options, LSTMAE_F32);
}

/* ---- kinds ---- */

static void sgd_variants(void **state)
{
    (void)state;
    lstmae_optimizer_options options = LSTMAE_SGD_OPTIONS_INIT;
    options.lr = 0.1;
    check(&options);
    options.weight_decay = 0.03;
    check(&options);
    options.flags = LSTMAE_OPTIMIZER_DECAY_MATRICES_ONLY;
    check(&options);
    options.momentum = 0.9;
    check(&options);
    options.clip_velocity = 0.8;
    check(&options);
    options.flags = LSTMAE_OPTIMIZER_NESTEROV;
    check(&options);
    options.clip_velocity = 0;
    check(&options);
}

static void adam_variants(void **state)
{
    (void)state;
    lstmae_optimizer_options options = LSTMAE_ADAM_OPTIONS_INIT, decoupled = LSTMAE_ADAMW_OPTIONS_INIT;
    options.lr = decoupled.lr = 0.02;
    check(&options);
    options.beta1 = 0.5;
    options.beta2 = 0.9;
    options.eps = 1e-3;
    options.weight_decay = 0.1;
    check(&options);
    check(&decoupled);
    decoupled.weight_decay = 0.5;
    decoupled.flags = LSTMAE_OPTIMIZER_DECAY_MATRICES_ONLY;
    check(&decoupled);
}

static void rmsprop_variants(void **state)
{
    (void)state;
    lstmae_optimizer_options torch = LSTMAE_RMSPROP_OPTIONS_INIT, tf1 = LSTMAE_RMSPROP_TF1_OPTIONS_INIT;
    lstmae_optimizer_options *both[] = { &torch, &tf1 };
    for (int i = 0; i < 2; i++) {
        lstmae_optimizer_options *options = both[i];
        options->lr = 0.01;
        check(options);
        options->momentum = 0.8;
        check(options);
        options->flags = LSTMAE_OPTIMIZER_CENTERED;
        options->eps = 1e-3; /* the spread of one gradient is small: keep the quotient tame in float32 */
        check(options);
        options->momentum = 0;
        options->weight_decay = 0.05;
        check(options);
    }
}

static void clipping(void **state)
{
    (void)state;
    lstmae_optimizer_options sgd_options = LSTMAE_SGD_OPTIONS_INIT, adam_options = LSTMAE_ADAM_OPTIONS_INIT;
    lstmae_optimizer_options *both[] = { &sgd_options, &adam_options };
    for (int i = 0; i < 2; i++) {
        lstmae_optimizer_options *options = both[i];
        options->lr = 0.1;
        options->clip_norm = 1.0;
        check(options);
        options->clip_norm = 1e6;
        check(options);
        options->clip_value = 0.3;
        check(options);
        options->clip_norm = 2.0;
        check(options);
        options->clip_norm = 0;
        options->weight_decay = 2.0;
        check(options);
    }
}

/* ---- behaviour ---- */

static void defaults_are_adam(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_module *module = make_linear(context);
    lstmae_optimizer *optimizer;
    assert_ok(lstmae_optimizer_create(&optimizer, module, NULL));
    assert_string_equal(lae_optimizer_kind_name(optimizer), "adam");
    assert_true(lstmae_optimizer_lr(optimizer) == 1e-3);
    assert_int_equal(lstmae_optimizer_steps(optimizer), 0);
    lstmae_context_destroy(context);
    lstmae_module_destroy(module);
    assert_ok(lstmae_optimizer_step(optimizer));
    lstmae_optimizer_destroy(optimizer);
}

/* Gradients never written since zero_grad are zeros, also where an old one lies in memory. */
static void unwritten_gradients_are_zero(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_module *module = make_linear(context);
    lstmae_optimizer_options options = LSTMAE_SGD_OPTIONS_INIT;
    lstmae_optimizer *optimizer;
    double before[COUNT], after[COUNT], grad[COUNT], norm;
    options.lr = 1.0;
    assert_ok(lstmae_optimizer_create(&optimizer, module, &options));
    read_params(module, before);
    assert_ok(lstmae_optimizer_step(optimizer));
    make_values(grad, 7);
    write_grads(module, grad);
    assert_ok(lstmae_optimizer_grad_norm(optimizer, &norm));
    assert_true(fabs(norm - norm_of(grad)) < 1e-12);
    assert_ok(lstmae_module_zero_grad(module));
    assert_ok(lstmae_optimizer_grad_norm(optimizer, &norm));
    assert_true(norm == 0.0);
    assert_ok(lstmae_module_zero_grad(module));
    assert_ok(lstmae_optimizer_step(optimizer));
    read_params(module, after);
    assert_memory_equal(before, after, sizeof before);
    lstmae_optimizer_destroy(optimizer);
    lstmae_module_destroy(module);
    lstmae_context_destroy(context);
}

static void read_moments(lstmae_optimizer *optimizer, double *values)
{
    for (size_t i = 0; i < lae_optimizer_slot_count(optimizer); i++) {
        lstmae_tensor *slot;
        assert_ok(lae_optimizer_slot(optimizer, i, NULL, 0, &slot));
        read_part(slot, values + i * WEIGHTS);
    }
}

/* A guarded step with a bad gradient leaves parameters, moments and count as they are; an unguarded one does not. */
static void guard_skips_exactly(void **state)
{
    (void)state;
    const double poisons[] = { NAN, INFINITY, -INFINITY };
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_module *module = make_linear(context);
    lstmae_optimizer *optimizer;
    double grad[COUNT], before[COUNT], after[COUNT], norm;
    double moments_before[4 * WEIGHTS] = { 0 }, moments_after[4 * WEIGHTS] = { 0 };
    assert_ok(lstmae_optimizer_create(&optimizer, module, NULL));
    make_values(grad, 5);
    write_grads(module, grad);
    assert_ok(lstmae_optimizer_step_guarded(optimizer));
    read_params(module, before);
    read_moments(optimizer, moments_before);
    for (int i = 0; i < 3; i++) {
        make_values(grad, 6);
        grad[COUNT - 1 - i * WEIGHTS / 2] = poisons[i];
        write_grads(module, grad);
        assert_fails(lstmae_optimizer_step_guarded(optimizer), ERR_NUMERIC);
        assert_ok(lstmae_optimizer_grad_norm(optimizer, &norm));
        assert_true(!isfinite(norm));
    }
    read_params(module, after);
    read_moments(optimizer, moments_after);
    assert_memory_equal(before, after, sizeof before);
    assert_memory_equal(moments_before, moments_after, sizeof moments_before);
    assert_int_equal(lstmae_optimizer_steps(optimizer), 1);
    assert_ok(lstmae_optimizer_step(optimizer));
    read_params(module, after);
    assert_true(isnan(after[COUNT - 1 - WEIGHTS]));
    assert_int_equal(lstmae_optimizer_steps(optimizer), 2);
    lstmae_optimizer_destroy(optimizer);
    lstmae_module_destroy(module);
    lstmae_context_destroy(context);
}

static void large_gradients_are_not_taken_for_infinite(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_module *module = make_linear(context);
    lstmae_optimizer_options options = LSTMAE_SGD_OPTIONS_INIT;
    lstmae_optimizer *optimizer;
    double grad[COUNT], before[COUNT], after[COUNT];
    options.lr = 1.0;
    options.clip_norm = 1.0;
    assert_ok(lstmae_optimizer_create(&optimizer, module, &options));
    read_params(module, before);
    for (int i = 0; i < COUNT; i++) grad[i] = 3e38;
    write_grads(module, grad);
    assert_ok(lstmae_optimizer_step_guarded(optimizer));
    read_params(module, after);
    for (int i = 0; i < COUNT; i++) assert_true(fabs(before[i] - after[i] - 1 / sqrt(COUNT)) < 1e-6);
    lstmae_optimizer_destroy(optimizer);
    lstmae_module_destroy(module);
    lstmae_context_destroy(context);
}

/* A module that keeps something derived from its weights must notice the update. */
static void forward_sees_the_update(void **state)
{
    (void)state;
    const int64_t dims[] = { 1, IN };
    const float ones[IN] = { 1, 1, 1, 1, 1 };
    float first[OUT], second[OUT];
    double grad[COUNT];
    const lstmae_tensor *y;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_module *module = make_linear(context);
    lstmae_optimizer_options options = LSTMAE_SGD_OPTIONS_INIT;
    lstmae_optimizer *optimizer;
    lstmae_tensor *x;
    options.lr = 1.0;
    assert_ok(lstmae_optimizer_create(&optimizer, module, &options));
    assert_ok(lstmae_tensor_create(&x, context, LSTMAE_F32, 2, dims));
    assert_ok(lstmae_tensor_write(x, ones, sizeof ones));
    assert_ok(lstmae_module_forward(module, x, &y));
    assert_ok(lstmae_tensor_read(y, first, sizeof first));
    for (int i = 0; i < COUNT; i++) grad[i] = 1.0;
    write_grads(module, grad);
    uint64_t version = lae_tensor_version(lstmae_module_param(module, 0));
    assert_ok(lstmae_optimizer_step(optimizer));
    assert_true(lae_tensor_version(lstmae_module_param(module, 0)) > version);
    assert_ok(lstmae_module_forward(module, x, &y));
    assert_ok(lstmae_tensor_read(y, second, sizeof second));
    for (int i = 0; i < OUT; i++) assert_true(fabsf(first[i] - second[i] - (IN + 1)) < 1e-5f);
    lstmae_tensor_destroy(x);
    lstmae_optimizer_destroy(optimizer);
    lstmae_module_destroy(module);
    lstmae_context_destroy(context);
}

static void later_steps_allocate_nothing(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_module *module = make_linear(context);
    lstmae_optimizer_options options = LSTMAE_RMSPROP_OPTIONS_INIT;
    lstmae_memory_info before = LSTMAE_MEMORY_INFO_INIT, after = LSTMAE_MEMORY_INFO_INIT;
    lstmae_optimizer *optimizer;
    double grad[COUNT];
    options.clip_norm = 1.0;
    assert_ok(lstmae_optimizer_create(&optimizer, module, &options));
    make_values(grad, 5);
    write_grads(module, grad);
    assert_ok(lstmae_optimizer_step(optimizer));
    assert_ok(lstmae_context_memory(context, &before));
    for (int i = 0; i < 3; i++) assert_ok(lstmae_optimizer_step(optimizer));
    for (int i = 0; i < 3; i++) assert_ok(lstmae_optimizer_step_guarded(optimizer));
    assert_ok(lstmae_context_memory(context, &after));
    assert_int_equal(before.allocations, after.allocations);
    lstmae_optimizer_destroy(optimizer);
    lstmae_module_destroy(module);
    lstmae_context_destroy(context);
}

/* ---- checkpoints ---- */

static void check_slots(const lstmae_optimizer_options *options, const char *kind, const char *const *names,
                        size_t count)
{
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_module *module = make_linear(context);
    lstmae_optimizer *optimizer;
    lstmae_tensor *slot;
    char name[64];
    assert_ok(lstmae_optimizer_create(&optimizer, module, options));
    assert_string_equal(lae_optimizer_kind_name(optimizer), kind);
    assert_int_equal(lae_optimizer_slot_count(optimizer), count);
    for (size_t i = 0; i < count; i++) {
        assert_ok(lae_optimizer_slot(optimizer, i, name, sizeof name, &slot));
        assert_string_equal(name, names[i]);
        assert_int_equal(lstmae_tensor_numel(slot), i < count / 2 ? WEIGHTS : OUT);
        assert_fails(lae_optimizer_slot(optimizer, i, name, strlen(names[i]), NULL), ERR_INTERNAL);
    }
    assert_fails(lae_optimizer_slot(optimizer, count, NULL, 0, &slot), ERR_INTERNAL);
    lae_optimizer_set_steps(optimizer, 12);
    assert_int_equal(lstmae_optimizer_steps(optimizer), 12);
    lstmae_optimizer_destroy(optimizer);
    lstmae_module_destroy(module);
    lstmae_context_destroy(context);
}

static void slots_have_torch_names(void **state)
{
    (void)state;
    static const char *const adam_names[] = { "optimizer.exp_avg.weight", "optimizer.exp_avg_sq.weight",
                                              "optimizer.exp_avg.bias", "optimizer.exp_avg_sq.bias" };
    static const char *const rmsprop_names[] = { "optimizer.square_avg.weight",      "optimizer.grad_avg.weight",
                                                 "optimizer.momentum_buffer.weight", "optimizer.square_avg.bias",
                                                 "optimizer.grad_avg.bias",          "optimizer.momentum_buffer.bias" };
    static const char *const sgd_names[] = { "optimizer.momentum_buffer.weight", "optimizer.momentum_buffer.bias" };
    lstmae_optimizer_options options = LSTMAE_SGD_OPTIONS_INIT, rms = LSTMAE_RMSPROP_OPTIONS_INIT;
    lstmae_optimizer_options decoupled = LSTMAE_ADAMW_OPTIONS_INIT;
    check_slots(NULL, "adam", adam_names, 4);
    check_slots(&decoupled, "adamw", adam_names, 4);
    check_slots(&options, "sgd", NULL, 0);
    options.momentum = 0.9;
    check_slots(&options, "sgd", sgd_names, 2);
    rms.momentum = 0.9;
    rms.flags = LSTMAE_OPTIMIZER_CENTERED;
    check_slots(&rms, "rmsprop", rmsprop_names, 6);
    rms.kind = LSTMAE_RMSPROP_TF1;
    check_slots(&rms, "rmsprop_tf1", rmsprop_names, 6);
}

/* Two halves, the second by a new optimizer that got slots and count of the first, make the same bits as the whole. */
static void continues_from_its_slots(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_module *whole = make_linear(context), *halves = make_linear(context);
    lstmae_optimizer_options options = LSTMAE_ADAMW_OPTIONS_INIT;
    lstmae_optimizer *straight, *first, *second;
    double grad[COUNT], start[COUNT], a[COUNT], b[COUNT];
    read_params(whole, start);
    write_params(halves, start);
    assert_ok(lstmae_optimizer_create(&straight, whole, &options));
    assert_ok(lstmae_optimizer_create(&first, halves, &options));
    assert_ok(lstmae_optimizer_create(&second, halves, &options));
    for (int step = 0; step < STEPS; step++) {
        if (step == STEPS / 2) {
            for (size_t i = 0; i < lae_optimizer_slot_count(first); i++) {
                lstmae_tensor *from, *to;
                assert_ok(lae_optimizer_slot(first, i, NULL, 0, &from));
                assert_ok(lae_optimizer_slot(second, i, NULL, 0, &to));
                assert_ok(lstmae_tensor_copy(to, from));
            }
            lae_optimizer_set_steps(second, lstmae_optimizer_steps(first));
        }
        make_values(grad, (uint64_t)step);
        write_grads(whole, grad);
        write_grads(halves, grad);
        assert_ok(lstmae_optimizer_step(straight));
        assert_ok(lstmae_optimizer_step(step < STEPS / 2 ? first : second));
    }
    read_params(whole, a);
    read_params(halves, b);
    assert_memory_equal(a, b, sizeof a);
    lstmae_optimizer_destroy(straight);
    lstmae_optimizer_destroy(first);
    lstmae_optimizer_destroy(second);
    lstmae_module_destroy(whole);
    lstmae_module_destroy(halves);
    lstmae_context_destroy(context);
}

/* ---- misuse ---- */

static lstmae_module *misused;

static void check_refused(lstmae_optimizer_options options)
{
    lstmae_optimizer *optimizer = (lstmae_optimizer *)1;
    assert_fails(lstmae_optimizer_create(&optimizer, misused, &options), ERR_INVALID_ARG);
    assert_null(optimizer);
}

#define REFUSE(init, member, wrong)              \
    do {                                         \
        lstmae_optimizer_options options = init; \
        options.member = (wrong);                \
        check_refused(options);                  \
    } while (0)

static void refuses_wrong_options(void **state)
{
    (void)state;
    const double nan = NAN, inf = INFINITY;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    misused = make_linear(context);
    REFUSE(LSTMAE_SGD_OPTIONS_INIT, struct_size, 0);
    REFUSE(LSTMAE_SGD_OPTIONS_INIT, struct_size, sizeof(lstmae_optimizer_options) - 1);
    REFUSE(LSTMAE_SGD_OPTIONS_INIT, kind, -1);
    REFUSE(LSTMAE_SGD_OPTIONS_INIT, kind, 5);
    REFUSE(LSTMAE_SGD_OPTIONS_INIT, flags, 8u);
    REFUSE(LSTMAE_SGD_OPTIONS_INIT, reserved, 1u);
    REFUSE(LSTMAE_SGD_OPTIONS_INIT, lr, -1e-3);
    REFUSE(LSTMAE_SGD_OPTIONS_INIT, lr, nan);
    REFUSE(LSTMAE_SGD_OPTIONS_INIT, lr, inf);
    REFUSE(LSTMAE_SGD_OPTIONS_INIT, momentum, 1.0);
    REFUSE(LSTMAE_SGD_OPTIONS_INIT, momentum, -0.1);
    REFUSE(LSTMAE_SGD_OPTIONS_INIT, momentum, nan);
    REFUSE(LSTMAE_SGD_OPTIONS_INIT, weight_decay, -1.0);
    REFUSE(LSTMAE_SGD_OPTIONS_INIT, clip_norm, -1.0);
    REFUSE(LSTMAE_SGD_OPTIONS_INIT, clip_value, nan);
    REFUSE(LSTMAE_SGD_OPTIONS_INIT, clip_velocity, inf);
    REFUSE(LSTMAE_SGD_OPTIONS_INIT, clip_velocity, 1.0);
    REFUSE(LSTMAE_SGD_OPTIONS_INIT, flags, LSTMAE_OPTIMIZER_NESTEROV);
    REFUSE(LSTMAE_SGD_OPTIONS_INIT, flags, LSTMAE_OPTIMIZER_CENTERED);
    REFUSE(LSTMAE_ADAM_OPTIONS_INIT, flags, LSTMAE_OPTIMIZER_NESTEROV);
    REFUSE(LSTMAE_ADAM_OPTIONS_INIT, flags, LSTMAE_OPTIMIZER_CENTERED);
    REFUSE(LSTMAE_ADAM_OPTIONS_INIT, clip_velocity, 1.0);
    REFUSE(LSTMAE_ADAM_OPTIONS_INIT, beta1, 1.0);
    REFUSE(LSTMAE_ADAM_OPTIONS_INIT, beta2, -0.5);
    REFUSE(LSTMAE_ADAM_OPTIONS_INIT, eps, 0.0);
    REFUSE(LSTMAE_ADAM_OPTIONS_INIT, eps, inf);
    REFUSE(LSTMAE_RMSPROP_OPTIONS_INIT, rho, 1.0);
    REFUSE(LSTMAE_RMSPROP_OPTIONS_INIT, eps, -1e-8);
    REFUSE(LSTMAE_RMSPROP_TF1_OPTIONS_INIT, eps, nan);
    REFUSE(LSTMAE_RMSPROP_OPTIONS_INIT, flags, LSTMAE_OPTIMIZER_NESTEROV);
    lstmae_module_destroy(misused);
    lstmae_context_destroy(context);
}

static void refuses_misuse(void **state)
{
    (void)state;
    double norm;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_module *linear = make_linear(context), *empty;
    lstmae_optimizer *optimizer = NULL;
    assert_ok(lstmae_activation_create(&empty, context, LSTMAE_ACTIVATION_TANH));
    assert_fails(lstmae_optimizer_create(NULL, linear, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_optimizer_create(&optimizer, NULL, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_optimizer_create(&optimizer, empty, NULL), ERR_INVALID_ARG);
    assert_null(optimizer);
    assert_fails(lstmae_optimizer_step(NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_optimizer_step_guarded(NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_optimizer_grad_norm(NULL, &norm), ERR_INVALID_ARG);
    assert_fails(lstmae_optimizer_set_lr(NULL, 0.1), ERR_INVALID_ARG);
    assert_true(lstmae_optimizer_lr(NULL) == 0.0);
    assert_int_equal(lstmae_optimizer_steps(NULL), 0);
    lstmae_optimizer_destroy(NULL);

    assert_ok(lstmae_optimizer_create(&optimizer, linear, NULL));
    assert_fails(lstmae_optimizer_grad_norm(optimizer, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_optimizer_set_lr(optimizer, -1.0), ERR_INVALID_ARG);
    assert_fails(lstmae_optimizer_set_lr(optimizer, (double)NAN), ERR_INVALID_ARG);
    assert_true(lstmae_optimizer_lr(optimizer) == 1e-3);
    assert_ok(lstmae_optimizer_set_lr(optimizer, 0.0));
    lstmae_optimizer_destroy(optimizer);
    lstmae_module_destroy(linear);
    lstmae_module_destroy(empty);
    lstmae_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_variants),
        cmocka_unit_test(adam_variants),
        cmocka_unit_test(rmsprop_variants),
        cmocka_unit_test(clipping),
        cmocka_unit_test(defaults_are_adam),
        cmocka_unit_test(unwritten_gradients_are_zero),
        cmocka_unit_test(guard_skips_exactly),
        cmocka_unit_test(large_gradients_are_not_taken_for_infinite),
        cmocka_unit_test(forward_sees_the_update),
        cmocka_unit_test(later_steps_allocate_nothing),
        cmocka_unit_test(slots_have_torch_names),
        cmocka_unit_test(continues_from_its_slots),
        cmocka_unit_test(refuses_wrong_options),
        cmocka_unit_test(refuses_misuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
