/* Losses against formulas in double: kinds, reductions, masks, strides, element types; and what loss_internal.h adds.
 */
#include "support.h"

#include "loss_internal.h"
#include "ops.h"

#include <math.h>
#include <stdlib.h>

#define T 5
#define B 3
#define F 4
#define N (T * B * F)

/*
 * Elements may be computed in float32, 6e-8 each operation, and are summed in double. A gradient is a difference of
 * numbers up to about 1: its error is relative to the largest one.
 */
static const double value_tolerance = 1e-6, grad_tolerance = 3e-7;

static lstmae_context *context;

static int open_context(void **state)
{
    (void)state;
    context = test_context("cpu", LSTMAE_F32);
    return 0;
}

static int close_context(void **state)
{
    (void)state;
    lstmae_context_destroy(context);
    return 0;
}

/* ---- the same in double ---- */

static double element_loss(const lstmae_loss_options *options, double p, double t)
{
    double d = fabs(p - t);
    switch (options->kind) {
    case LSTMAE_LOSS_MSE: return d * d;
    case LSTMAE_LOSS_MAE: return d;
    case LSTMAE_LOSS_HUBER:
        return d <= options->delta ? d * d / 2 : options->delta * d - options->delta * options->delta / 2;
    default: return -t * log(1 / (1 + exp(-p))) - (1 - t) * log(1 - 1 / (1 + exp(-p)));
    }
}

/* By central difference, so that a wrong formula here would have to match a wrong formula there. */
static double element_gradient(const lstmae_loss_options *options, double p, double t)
{
    double h = 1e-5;
    return (element_loss(options, p + h, t) - element_loss(options, p - h, t)) / (2 * h);
}

static double divisor(const lstmae_loss_options *options, const float *mask)
{
    double sum = 0;
    for (int i = 0; i < N; i++) sum += mask ? (double)mask[i] : 1;
    if (options->reduction == LSTMAE_REDUCTION_SUM) return 1;
    if (options->reduction == LSTMAE_REDUCTION_BATCH_MEAN) return options->batch_axis == 0 ? T : B;
    return sum;
}

static double expected(const lstmae_loss_options *options, const float *p, const float *t, const float *mask,
                       double *grad)
{
    double sum = 0, over = divisor(options, mask);
    for (int i = 0; i < N; i++) {
        double weight = (mask ? (double)mask[i] : 1) / over;
        sum += weight * element_loss(options, (double)p[i], (double)t[i]);
        grad[i] = weight * element_gradient(options, (double)p[i], (double)t[i]);
    }
    return sum;
}

/* ---- helpers ---- */

static lstmae_loss *make_loss(const lstmae_loss_options *options)
{
    lstmae_loss *loss = NULL;
    assert_ok(lstmae_loss_create(&loss, context, options));
    return loss;
}

static lstmae_tensor *make_tensor(const float *values, int ndim, const int64_t *dims)
{
    lstmae_tensor *tensor = NULL;
    assert_ok(lstmae_tensor_create(&tensor, context, LSTMAE_F32, ndim, dims));
    assert_ok(lstmae_tensor_write(tensor, values, (size_t)lstmae_tensor_numel(tensor) * sizeof *values));
    return tensor;
}

static lstmae_tensor *make_sequence(const float *values)
{
    return make_tensor(values, 3, (const int64_t[]){ T, B, F });
}

/* Targets in [0,1], as the cross-entropy wants them; predictions are at least 1e-3 away from every kink. */
static void make_values(float *p, float *t, float *mask)
{
    test_fill(p, N, 1, 2.0f);
    test_fill(t, N, 2, 0.5f);
    test_fill(mask, N, 3, 1.0f);
    for (int i = 0; i < N; i++) {
        t[i] += 0.5f;
        mask[i] = mask[i] < -0.4f ? 0.0f : mask[i] + 1.0f;
        double d = fabs((double)p[i] - (double)t[i]);
        if (d < 1e-3 || fabs(d - 0.7) < 1e-3) p[i] += 0.01f;
    }
}

static void assert_value(double got, double want)
{
    if (fabs(got - want) <= value_tolerance * fabs(want)) return;
    fail_msg("value %.9g, wanted %.9g", got, want);
}

static void assert_grad(const lstmae_tensor *grad, const double *want)
{
    float got[N], rounded[N];
    double largest = 0;
    assert_ok(lstmae_tensor_read(grad, got, sizeof got));
    for (int i = 0; i < N; i++) {
        rounded[i] = (float)want[i];
        largest = fmax(largest, fabs(want[i]));
    }
    assert_close("grad", got, rounded, N, grad_tolerance * largest, 0);
}

static void check(const lstmae_loss_options *options, const float *p, const float *t, const float *mask)
{
    lstmae_loss *loss = make_loss(options);
    lstmae_tensor *pred = make_sequence(p), *target = make_sequence(t), *weights = mask ? make_sequence(mask) : NULL;
    const lstmae_tensor *grad;
    double value, want, want_grad[N];
    want = expected(options, p, t, mask, want_grad);
    assert_ok(lstmae_loss_compute(loss, pred, target, weights, &value, &grad));
    assert_value(value, want);
    assert_grad(grad, want_grad);

    assert_ok(lstmae_loss_compute(loss, pred, target, weights, NULL, &grad));
    assert_grad(grad, want_grad);
    assert_ok(lstmae_loss_compute(loss, pred, target, weights, &value, NULL));
    assert_value(value, want);
    assert_ok(lstmae_loss_compute(loss, pred, target, weights, NULL, NULL));
    lstmae_tensor_destroy(pred);
    lstmae_tensor_destroy(target);
    lstmae_tensor_destroy(weights);
    lstmae_loss_destroy(loss);
}

/* ---- tests ---- */

static void every_kind_reduction_and_mask(void **state)
{
    (void)state;
    float p[N], t[N], mask[N];
    make_values(p, t, mask);
    for (int kind = LSTMAE_LOSS_MSE; kind <= LSTMAE_LOSS_BCE_LOGITS; kind++) {
        for (int reduction = LSTMAE_REDUCTION_MEAN; reduction <= LSTMAE_REDUCTION_BATCH_MEAN; reduction++) {
            lstmae_loss_options options = LSTMAE_LOSS_OPTIONS_INIT;
            options.kind = kind;
            options.reduction = reduction;
            options.delta = 0.7;
            check(&options, p, t, NULL);
            check(&options, p, t, mask);
            options.batch_axis = 0;
            check(&options, p, t, mask);
        }
    }
}

static void defaults_are_the_mean_square(void **state)
{
    (void)state;
    const float p[] = { 1.0f, 5.0f }, t[] = { 2.0f, 2.0f };
    const int64_t dims[] = { 2 };
    lstmae_loss *loss = make_loss(NULL);
    lstmae_tensor *pred = make_tensor(p, 1, dims), *target = make_tensor(t, 1, dims);
    double value;
    assert_ok(lstmae_loss_compute(loss, pred, target, NULL, &value, NULL));
    assert_true(value == 5.0);
    lstmae_tensor_destroy(pred);
    lstmae_tensor_destroy(target);
    lstmae_loss_destroy(loss);
}

/* Derivative 0 where |p - t| has none, and no overflow of the cross-entropy far out. */
static void kinks_and_ends(void **state)
{
    (void)state;
    const float p[] = { 2.0f, 100.0f, -100.0f, 100.0f }, t[] = { 2.0f, 1.0f, 0.0f, 0.0f };
    const int64_t dims[] = { 4 };
    float got[4];
    double value;
    const lstmae_tensor *grad;
    lstmae_tensor *pred = make_tensor(p, 1, dims), *target = make_tensor(t, 1, dims);
    lstmae_loss_options options = LSTMAE_LOSS_OPTIONS_INIT;
    options.reduction = LSTMAE_REDUCTION_SUM;
    options.kind = LSTMAE_LOSS_MAE;
    lstmae_loss *loss = make_loss(&options);
    assert_ok(lstmae_loss_compute(loss, pred, target, NULL, NULL, &grad));
    assert_ok(lstmae_tensor_read(grad, got, sizeof got));
    assert_true(got[0] == 0.0f && got[1] == 1.0f && got[2] == -1.0f);
    lstmae_loss_destroy(loss);

    options.kind = LSTMAE_LOSS_BCE_LOGITS;
    loss = make_loss(&options);
    assert_ok(lstmae_loss_compute(loss, pred, target, NULL, &value, &grad));
    assert_value(value, log1p(exp(-2.0)) + 2.0 - 4.0 + 100.0);
    assert_ok(lstmae_tensor_read(grad, got, sizeof got));
    assert_true(fabsf(got[1]) < 1e-6f && fabsf(got[2]) < 1e-6f && fabsf(got[3] - 1.0f) < 1e-6f);
    lstmae_loss_destroy(loss);
    lstmae_tensor_destroy(pred);
    lstmae_tensor_destroy(target);
}

/* Batch-major predictions, targets in reverse time, and a mask per step and sample repeated over the features. */
static void strided_views(void **state)
{
    (void)state;
    float p[N], t[N], mask[N], base[N], reversed[N], steps[T * B];
    double want, want_grad[N], value;
    const lstmae_tensor *grad;
    make_values(p, t, mask);
    for (int s = 0; s < T; s++) {
        for (int b = 0; b < B; b++) {
            steps[s * B + b] = (s + b) % 3 == 0 ? 0.0f : 1.5f;
            for (int f = 0; f < F; f++) {
                int i = (s * B + b) * F + f;
                base[(b * T + s) * F + f] = p[i];
                reversed[((T - 1 - s) * B + b) * F + f] = t[i];
                mask[i] = steps[s * B + b];
            }
        }
    }
    lstmae_tensor *pred_base = make_tensor(base, 3, (const int64_t[]){ B, T, F }), *pred, *target;
    lstmae_tensor *target_base = make_sequence(reversed),
                  *weights = make_tensor(steps, 3, (const int64_t[]){ T, B, 1 });
    assert_ok(lstmae_tensor_transpose(&pred, pred_base, 0, 1));
    assert_ok(lstmae_tensor_view(&target, target_base, 3, (const int64_t[]){ T, B, F },
                                 (const int64_t[]){ -B * F, F, 1 }, (T - 1) * B * F));
    for (int kind = LSTMAE_LOSS_MSE; kind <= LSTMAE_LOSS_BCE_LOGITS; kind++) {
        lstmae_loss_options options = LSTMAE_LOSS_OPTIONS_INIT;
        options.kind = kind;
        options.delta = 0.7;
        lstmae_loss *loss = make_loss(&options);
        want = expected(&options, p, t, mask, want_grad);
        assert_ok(lstmae_loss_compute(loss, pred, target, weights, &value, &grad));
        assert_value(value, want);
        assert_grad(grad, want_grad);
        lstmae_loss_destroy(loss);
    }
    lstmae_tensor_destroy(pred);
    lstmae_tensor_destroy(pred_base);
    lstmae_tensor_destroy(target);
    lstmae_tensor_destroy(target_base);
    lstmae_tensor_destroy(weights);
}

static void masked_out_elements_do_not_count(void **state)
{
    (void)state;
    const int64_t dims[] = { 3 };
    const float p[] = { 1.0f, NAN, 3.0f }, t[] = { 0.0f, 1.0f, INFINITY }, first[] = { 1, 0, 0 }, none[] = { 0, 0, 0 };
    float got[3];
    double value;
    const lstmae_tensor *grad;
    lstmae_loss *loss = make_loss(NULL);
    lstmae_tensor *pred = make_tensor(p, 1, dims), *target = make_tensor(t, 1, dims);
    lstmae_tensor *one = make_tensor(first, 1, dims), *zero = make_tensor(none, 1, dims);
    assert_ok(lstmae_loss_compute(loss, pred, target, one, &value, &grad));
    assert_ok(lstmae_tensor_read(grad, got, sizeof got));
    assert_true(value == 1.0 && got[0] == 2.0f && got[1] == 0.0f && got[2] == 0.0f);

    assert_ok(lstmae_loss_compute(loss, pred, target, zero, &value, &grad));
    assert_ok(lstmae_tensor_read(grad, got, sizeof got));
    assert_true(value == 0.0 && got[0] == 0.0f && got[1] == 0.0f && got[2] == 0.0f);

    assert_ok(lstmae_loss_compute(loss, pred, target, NULL, &value, NULL));
    assert_true(isnan(value));
    lstmae_tensor_destroy(pred);
    lstmae_tensor_destroy(target);
    lstmae_tensor_destroy(one);
    lstmae_tensor_destroy(zero);
    lstmae_loss_destroy(loss);
}

static void doubles(void **state)
{
    (void)state;
    const double p[] = { 1.0, 1.0 + 1e-12 }, t[] = { 1.0, 1.0 }, mask[] = { 0.5, 2.0 };
    const int64_t dims[] = { 2 };
    double value, got[2];
    const lstmae_tensor *grad;
    lstmae_tensor *pred, *target, *weights;
    assert_ok(lstmae_tensor_create(&pred, context, LSTMAE_F64, 1, dims));
    assert_ok(lstmae_tensor_create(&target, context, LSTMAE_F64, 1, dims));
    assert_ok(lstmae_tensor_create(&weights, context, LSTMAE_F64, 1, dims));
    assert_ok(lstmae_tensor_write(pred, p, sizeof p));
    assert_ok(lstmae_tensor_write(target, t, sizeof t));
    assert_ok(lstmae_tensor_write(weights, mask, sizeof mask));
    lstmae_loss_options options = LSTMAE_LOSS_OPTIONS_INIT;
    options.kind = LSTMAE_LOSS_MAE;
    lstmae_loss *loss = make_loss(&options);
    assert_ok(lstmae_loss_compute(loss, pred, target, weights, &value, &grad));
    assert_ok(lstmae_tensor_read(grad, got, sizeof got));
    assert_int_equal(lstmae_tensor_dtype(grad), LSTMAE_F64);
    assert_true(fabs(value - 2.0 * (p[1] - 1.0) / 2.5) < 1e-27 && got[0] == 0.0 && fabs(got[1] - 0.8) < 1e-15);
    lstmae_loss_destroy(loss);
    lstmae_tensor_destroy(pred);
    lstmae_tensor_destroy(target);
    lstmae_tensor_destroy(weights);
}

static void empty_tensors(void **state)
{
    (void)state;
    const int64_t dims[] = { 0, 3 };
    lstmae_loss_options options = LSTMAE_LOSS_OPTIONS_INIT;
    lstmae_tensor *empty = make_tensor(NULL, 2, dims);
    for (int reduction = LSTMAE_REDUCTION_MEAN; reduction <= LSTMAE_REDUCTION_BATCH_MEAN; reduction++) {
        double value = 1.0;
        const lstmae_tensor *grad = NULL;
        options.reduction = reduction;
        options.batch_axis = 0;
        lstmae_loss *loss = make_loss(&options);
        assert_ok(lstmae_loss_compute(loss, empty, empty, empty, &value, &grad));
        assert_true(value == 0.0);
        assert_int_equal(lstmae_tensor_numel(grad), 0);
        lstmae_loss_destroy(loss);
    }
    lstmae_tensor_destroy(empty);
}

/* What models use: values of several parts add up without their weights, gradients carry them. */
static void apply_adds_and_weights(void **state)
{
    (void)state;
    float p[N], t[N], mask[N];
    double want, want_grad[N], value, sum = 0;
    make_values(p, t, mask);
    for (int i = 0; i < N; i++) sum += (double)mask[i];
    lstmae_loss *loss = make_loss(NULL);
    lstmae_tensor *pred = make_sequence(p), *target = make_sequence(t), *weights = make_sequence(mask), *slot, *grad;
    assert_ok(lstmae_tensor_create(&slot, context, LSTMAE_F64, 0, NULL));
    assert_ok(lstmae_tensor_create(&grad, context, LSTMAE_F32, 3, (const int64_t[]){ T, B, F }));
    lae_loss_use use = { .pred = &pred->view,
                         .target = &target->view,
                         .mask = &weights->view,
                         .grad = &grad->view,
                         .weight = 0.25,
                         .mask_sum = -1,
                         .value = slot->view.data };
    lstmae_loss_options options = LSTMAE_LOSS_OPTIONS_INIT;
    want = expected(&options, p, t, mask, want_grad);
    for (int i = 0; i < N; i++) want_grad[i] *= 0.25;
    assert_ok(lae_loss_apply(loss, &use));
    assert_grad(grad, want_grad);
    use.mask_sum = 2 * sum;
    assert_ok(lae_loss_apply(loss, &use));
    assert_ok(lstmae_tensor_read(slot, &value, sizeof value));
    assert_value(value, 1.5 * want);

    assert_ptr_equal(lae_loss_context(loss), context);
    assert_ptr_equal(lae_loss_retain(loss), loss);
    lstmae_loss_destroy(loss);
    assert_ok(lae_loss_apply(loss, &use));
    lstmae_loss_destroy(loss);
    lstmae_tensor_destroy(pred);
    lstmae_tensor_destroy(target);
    lstmae_tensor_destroy(weights);
    lstmae_tensor_destroy(slot);
    lstmae_tensor_destroy(grad);
}

static void allocates_once_per_shape(void **state)
{
    (void)state;
    float p[N], t[N], mask[N];
    const lstmae_tensor *grad;
    double value;
    make_values(p, t, mask);
    lstmae_loss *loss = make_loss(NULL);
    lstmae_tensor *pred = make_sequence(p), *target = make_sequence(t), *weights = make_sequence(mask), *part, *truth;
    assert_ok(lstmae_tensor_slice(&part, pred, 1, 0, 2));
    assert_ok(lstmae_tensor_slice(&truth, target, 1, 0, 2));
    assert_ok(lstmae_loss_compute(loss, pred, target, weights, &value, &grad));
    lstmae_memory_info before = LSTMAE_MEMORY_INFO_INIT, after = LSTMAE_MEMORY_INFO_INIT;
    assert_ok(lstmae_context_memory(context, &before));
    for (int i = 0; i < 3; i++) {
        assert_ok(lstmae_loss_compute(loss, part, truth, NULL, &value, &grad));
        assert_int_equal(lstmae_tensor_dim(grad, 1), 2);
        assert_ok(lstmae_loss_compute(loss, pred, target, weights, &value, &grad));
    }
    assert_ok(lstmae_context_memory(context, &after));
    assert_int_equal(after.allocations, before.allocations);
    lstmae_tensor_destroy(part);
    lstmae_tensor_destroy(truth);
    lstmae_tensor_destroy(pred);
    lstmae_tensor_destroy(target);
    lstmae_tensor_destroy(weights);
    lstmae_loss_destroy(loss);
}

static void outlives_its_context_handle(void **state)
{
    (void)state;
    const int64_t dims[] = { 2 };
    lstmae_context *own = test_context("cpu", LSTMAE_F32);
    lstmae_loss *loss;
    lstmae_tensor *pred;
    const lstmae_tensor *grad;
    assert_ok(lstmae_loss_create(&loss, own, NULL));
    assert_ok(lstmae_tensor_create(&pred, own, LSTMAE_F32, 1, dims));
    lstmae_context_destroy(own);
    assert_ok(lstmae_loss_compute(loss, pred, pred, NULL, NULL, &grad));
    lstmae_tensor_destroy(pred);
    lstmae_loss_destroy(loss);
}

static void check_refused(lstmae_loss_options options)
{
    lstmae_loss *loss = (lstmae_loss *)1;
    assert_fails(lstmae_loss_create(&loss, context, &options), ERR_INVALID_ARG);
    assert_null(loss);
}

#define REFUSE(member, wrong)                                   \
    do {                                                        \
        lstmae_loss_options options = LSTMAE_LOSS_OPTIONS_INIT; \
        options.member = (wrong);                               \
        check_refused(options);                                 \
    } while (0)

static void create_refuses_misuse(void **state)
{
    (void)state;
    lstmae_loss *loss;
    assert_fails(lstmae_loss_create(NULL, context, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_loss_create(&loss, NULL, NULL), ERR_INVALID_ARG);
    assert_null(loss);
    lstmae_loss_destroy(NULL);
    REFUSE(struct_size, 0);
    REFUSE(struct_size, sizeof(lstmae_loss_options) - 1);
    REFUSE(kind, -1);
    REFUSE(kind, 4);
    REFUSE(reduction, -1);
    REFUSE(reduction, 3);
    REFUSE(batch_axis, -1);
    REFUSE(batch_axis, LSTMAE_MAX_DIMS);
    REFUSE(delta, 0.0);
    REFUSE(delta, (double)NAN);
    REFUSE(delta, (double)INFINITY);
}

static void compute_refuses_misuse(void **state)
{
    (void)state;
    const int64_t dims[] = { 2, 3 }, turned[] = { 3, 2 }, flat[] = { 6 };
    double value;
    lstmae_context *other = test_context("cpu", LSTMAE_F32);
    lstmae_tensor *a, *b, *wide, *vector, *integers, *foreign;
    assert_ok(lstmae_tensor_create(&a, context, LSTMAE_F32, 2, dims));
    assert_ok(lstmae_tensor_create(&b, context, LSTMAE_F32, 2, turned));
    assert_ok(lstmae_tensor_create(&wide, context, LSTMAE_F64, 2, dims));
    assert_ok(lstmae_tensor_create(&vector, context, LSTMAE_F32, 1, flat));
    assert_ok(lstmae_tensor_create(&integers, context, LSTMAE_I64, 2, dims));
    assert_ok(lstmae_tensor_create(&foreign, other, LSTMAE_F32, 2, dims));
    lstmae_loss_options options = LSTMAE_LOSS_OPTIONS_INIT;
    options.reduction = LSTMAE_REDUCTION_BATCH_MEAN;
    lstmae_loss *loss = make_loss(&options);
    assert_fails(lstmae_loss_compute(NULL, a, a, NULL, &value, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_loss_compute(loss, NULL, a, NULL, &value, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_loss_compute(loss, a, NULL, NULL, &value, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_loss_compute(loss, foreign, a, NULL, &value, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_loss_compute(loss, a, foreign, NULL, &value, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_loss_compute(loss, a, a, foreign, &value, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_loss_compute(loss, a, b, NULL, &value, NULL), ERR_SHAPE);
    assert_fails(lstmae_loss_compute(loss, a, a, b, &value, NULL), ERR_SHAPE);
    assert_fails(lstmae_loss_compute(loss, a, a, vector, &value, NULL), ERR_SHAPE);
    assert_fails(lstmae_loss_compute(loss, vector, vector, NULL, &value, NULL), ERR_SHAPE);
    assert_fails(lstmae_loss_compute(loss, a, wide, NULL, &value, NULL), ERR_DTYPE);
    assert_fails(lstmae_loss_compute(loss, a, a, wide, &value, NULL), ERR_DTYPE);
    assert_fails(lstmae_loss_compute(loss, integers, integers, NULL, &value, NULL), ERR_DTYPE);
    assert_ok(lstmae_loss_compute(loss, a, a, NULL, &value, NULL));
    lstmae_loss_destroy(loss);
    lstmae_tensor_destroy(a);
    lstmae_tensor_destroy(b);
    lstmae_tensor_destroy(wide);
    lstmae_tensor_destroy(vector);
    lstmae_tensor_destroy(integers);
    lstmae_tensor_destroy(foreign);
    lstmae_context_destroy(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_reduction_and_mask),
        cmocka_unit_test(defaults_are_the_mean_square),
        cmocka_unit_test(kinks_and_ends),
        cmocka_unit_test(strided_views),
        cmocka_unit_test(masked_out_elements_do_not_count),
        cmocka_unit_test(doubles),
        cmocka_unit_test(empty_tensors),
        cmocka_unit_test(apply_adds_and_weights),
        cmocka_unit_test(allocates_once_per_shape),
        cmocka_unit_test(outlives_its_context_handle),
        cmocka_unit_test(create_refuses_misuse),
        cmocka_unit_test(compute_refuses_misuse),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
