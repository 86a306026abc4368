/* Every loss, reduction and kind of mask: the gradient of the prediction. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct loss_run {
    lstmae_loss *loss;
    lstmae_tensor *pred, *target, *mask;
} loss_run;

static double loss_value(void *payload)
{
    loss_run *run = payload;
    double value = 0;
    assert_ok(lstmae_loss_compute(run->loss, run->pred, run->target, run->mask, &value, NULL));
    return value;
}

/** Keeps predictions away from where MAE (difference 0) and Huber (difference `delta`) have no derivatives. */
static void avoid_kinks(lstmae_tensor *pred, lstmae_tensor *target, double delta)
{
    double *p = values_read(pred), *t = values_read(target);
    for (int64_t i = 0; i < lstmae_tensor_numel(pred); i++) {
        double difference = p[i] - t[i];
        if (fabs(difference) < 0.03 || fabs(fabs(difference) - delta) < 0.03) p[i] += copysign(0.07, difference);
    }
    values_write(pred, p);
    free(p);
    free(t);
}

/** @param masked 0: none; 1: a weight for each element; 2: one for each frame, repeated over features */
static void loss_check(int kind, int reduction, int masked, const int64_t dims[3])
{
    static const char *const kinds[] = { "mse", "mae", "huber", "bce" };
    static const char *const reductions[] = { "mean", "sum", "batch" };
    static const char *const masks[] = { "unmasked", "masked", "masked by frame" };
    char name[64];
    int64_t frames[3] = { dims[0], dims[1], masked == 2 ? 1 : dims[2] };
    lstmae_context *context = check_context();
    lstmae_loss_options options = LSTMAE_LOSS_OPTIONS_INIT;
    loss_run run = { 0 };
    const lstmae_tensor *grad = NULL;
    snprintf(name, sizeof(name), "loss %s %s %s", kinds[kind], reductions[reduction], masks[masked]);
    check c = { .name = name, .value = loss_value, .payload = &run };
    options.kind = kind;
    options.reduction = reduction;
    options.delta = 0.7;
    assert_ok(lstmae_loss_create(&run.loss, context, &options));
    run.pred = check_draw(context, 3, dims, 1, 2.0);
    run.target = check_draw(context, 3, dims, 2, 1.0);
    avoid_kinks(run.pred, run.target, options.delta);
    if (masked) {
        run.mask = check_draw(context, 3, frames, 3, 1.0);
        double *mask = values_read(run.mask);
        for (int64_t i = 0; i < lstmae_tensor_numel(run.mask); i++) mask[i] = i % 4 == 3 ? 0.0 : fabs(mask[i]) + 0.1;
        values_write(run.mask, mask);
        free(mask);
    }
    assert_ok(lstmae_loss_compute(run.loss, run.pred, run.target, run.mask, NULL, &grad));
    check_add(&c, "the prediction", run.pred, grad);
    check_run(&c);
    lstmae_tensor_destroy(run.pred);
    lstmae_tensor_destroy(run.target);
    lstmae_tensor_destroy(run.mask);
    lstmae_loss_destroy(run.loss);
    lstmae_context_destroy(context);
}

void test_gradcheck_losses(void **state)
{
    const int64_t dims[] = { 4, 3, 5 }, one[] = { 1, 1, 1 };
    int before = check_all.failures;
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        for (int reduction = 0; reduction < 3; reduction++) {
            for (int masked = 0; masked < 3; masked++) loss_check(kind, reduction, masked, dims);
        }
        loss_check(kind, LSTMAE_REDUCTION_MEAN, 0, one);
    }
    assert_int_equal(check_all.failures, before);
}
