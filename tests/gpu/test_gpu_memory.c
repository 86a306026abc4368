/*
 * A GPU whose memory is full: a step that finds none says so and changes nothing, a smaller batch trains on, and with
 * the memory given back the large one does.
 */
#include "gpu.h"

#include <math.h>
#include <stdio.h>

enum { T = 6, F = 48, H = 32, SMALL = 4, LARGE = 4096, BALLAST = 512, STEPS = 3 };

typedef struct rig {
    lstmae_context *context;
    lstmae_seq2seq *model;
    lstmae_loss *loss;
    lstmae_optimizer *optimizer;
    lstmae_tensor *small, *large;
} rig;

static lstmae_tensor *batch(lstmae_context *context, int64_t items)
{
    const int64_t dims[] = { T, items, F };
    const size_t count = (size_t)(T * items * F);
    lstmae_tensor *tensor = NULL;
    float *values = malloc(count * sizeof(float));
    assert_non_null(values);
    test_fill(values, count, 5, 0.5f);
    assert_ok(lstmae_tensor_create(&tensor, context, LSTMAE_F32, 3, dims));
    assert_ok(lstmae_tensor_write(tensor, values, count * sizeof(float)));
    free(values);
    return tensor;
}

static void rig_open(rig *r)
{
    lstmae_decoder_options decoder = LSTMAE_DECODER_OPTIONS_INIT;
    lstmae_optimizer_options adam = LSTMAE_ADAM_OPTIONS_INIT;
    assert_ok(gpu_context(&r->context, 3));
    assert_ok(lstmae_seq2seq_create(&r->model, r->context, F, H, NULL));
    assert_ok(lstmae_seq2seq_add_decoder(r->model, &decoder));
    assert_ok(lstmae_loss_create(&r->loss, r->context, NULL));
    assert_ok(lstmae_optimizer_create(&r->optimizer, lstmae_seq2seq_module(r->model), &adam));
    r->small = batch(r->context, SMALL);
    r->large = batch(r->context, LARGE);
}

static void rig_close(rig *r)
{
    lstmae_tensor_destroy(r->small);
    lstmae_tensor_destroy(r->large);
    lstmae_optimizer_destroy(r->optimizer);
    lstmae_loss_destroy(r->loss);
    lstmae_seq2seq_destroy(r->model);
    lstmae_context_destroy(r->context);
}

static lstmae_status rig_step(rig *r, const lstmae_tensor *x, double *loss)
{
    lstmae_status status = lstmae_module_zero_grad(lstmae_seq2seq_module(r->model));
    if (status == LSTMAE_OK) status = lstmae_seq2seq_step(r->model, r->loss, x, NULL, 1.0, loss);
    if (status == LSTMAE_OK) status = lstmae_optimizer_step(r->optimizer);
    return status;
}

static void rig_train(rig *r)
{
    for (int step = 0; step < STEPS; step++) {
        double loss = NAN;
        assert_ok(rig_step(r, r->small, &loss));
        assert_true(isfinite(loss));
    }
}

/* What is left of the device's memory, in pieces as large as there are, down to less than a page of it. */
static int ballast_fill(lstmae_context *context, lstmae_tensor **pieces)
{
    int count = 0;
    for (int64_t bytes = INT64_C(1) << 36; bytes >= INT64_C(1) << 18 && count < BALLAST; bytes /= 2) {
        const int64_t dims[] = { bytes / (int64_t)sizeof(float) };
        while (count < BALLAST && lstmae_tensor_create(&pieces[count], context, LSTMAE_F32, 1, dims) == LSTMAE_OK)
            count++;
    }
    assert_true(count < BALLAST);
    return count;
}

static void assert_same_weights(const rig *a, const rig *b)
{
    lstmae_module *left = lstmae_seq2seq_module(a->model), *right = lstmae_seq2seq_module(b->model);
    for (size_t i = 0; i < lstmae_module_param_count(left); i++) {
        lstmae_tensor *one = lstmae_module_param(left, i), *other = lstmae_module_param(right, i);
        const size_t bytes = (size_t)lstmae_tensor_numel(one) * sizeof(float);
        float *values = malloc(2 * bytes);
        assert_non_null(values);
        assert_ok(lstmae_tensor_read(one, values, bytes));
        assert_ok(lstmae_tensor_read(other, (char *)values + bytes, bytes));
        assert_memory_equal(values, (char *)values + bytes, bytes);
        free(values);
    }
}

static void test_full(void **state)
{
    rig control, r;
    lstmae_context *other = NULL;
    static lstmae_tensor *ballast[BALLAST];
    double loss;
    (void)state;
    rig_open(&control);
    for (int half = 0; half < 2; half++) rig_train(&control);
    rig_open(&r);
    rig_train(&r);
    assert_ok(gpu_context(&other, 4));
    const int pieces = ballast_fill(other, ballast);
    assert_true(pieces > 0);

    assert_fails(rig_step(&r, r.large, &loss), ERR_DEVICE_MEMORY);
    print_message("%d pieces of ballast; then: %s\n", pieces, lstmae_last_error());
    assert_fails(rig_step(&r, r.large, &loss), ERR_DEVICE_MEMORY);
    rig_train(&r);
    assert_same_weights(&r, &control);

    for (int i = 0; i < pieces; i++) lstmae_tensor_destroy(ballast[i]);
    assert_ok(rig_step(&r, r.large, &loss));
    assert_true(isfinite(loss));
    lstmae_context_destroy(other);
    rig_close(&r);
    rig_close(&control);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_full) };
    gpu_need();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
