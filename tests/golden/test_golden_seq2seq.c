/* Sequence-to-sequence models and losses against PyTorch: outputs, losses, every gradient, and inference. */
#include "golden_model.h"

#include <stdio.h>
#include <stdlib.h>

static void compare_training(golden_file *file, lstmae_seq2seq *model, const lstmae_tensor *x,
                             const lstmae_tensor *future)
{
    lstmae_loss *loss = golden_loss(file);
    double total = 0, each[8];
    char name[32];
    int decoders = lstmae_seq2seq_decoder_count(model);
    assert_ok(lstmae_seq2seq_step(model, loss, x, future, 1.0, &total));
    golden_compare_values(file, "loss", &total, 1, file->limit);
    for (int i = 0; i < decoders; i++) assert_ok(lstmae_seq2seq_decoder_loss(model, i, &each[i]));
    golden_compare_values(file, "losses", each, (size_t)decoders, file->limit);
    golden_compare_grads(file, lstmae_seq2seq_module(model));
    /* The step may use the outputs' memory for gradients, so they are compared after a forward of their own. */
    assert_ok(lstmae_seq2seq_forward(model, x, future));
    for (int i = 0; i < decoders; i++) {
        snprintf(name, sizeof(name), "output.%d", i);
        golden_compare(file, name, lstmae_seq2seq_output(model, i));
    }
    lstmae_loss_destroy(loss);
}

/** Calls `run` into a tensor shaped as the array `name`, where the case has one, and compares. */
static void compare_inference(golden_file *file, const char *name, lstmae_seq2seq *model, const lstmae_tensor *x,
                              lstmae_status (*run)(lstmae_seq2seq *, const lstmae_tensor *, lstmae_tensor *))
{
    golden_array want = golden_get(file, name);
    if (!want.values) return;
    lstmae_tensor *out = values_tensor(file->context, want.ndim, want.dim, NULL);
    assert_ok(run(model, x, out));
    golden_compare(file, name, out);
    lstmae_tensor_destroy(out);
}

/** Nothing is said about frames beyond a length; the golden file holds zeros there. */
static void compare_reconstruction(golden_file *file, lstmae_seq2seq *model, const lstmae_tensor *x)
{
    golden_array want = golden_get(file, "reconstruction"), lengths = golden_get(file, "lengths");
    if (!want.values) return;
    lstmae_tensor *out = values_tensor(file->context, want.ndim, want.dim, NULL);
    assert_ok(lstmae_seq2seq_reconstruct(model, x, out));
    double *got = values_read(out);
    for (int64_t i = 0; lengths.values && i < (int64_t)want.count; i++) {
        int64_t row = i / want.dim[2];
        if ((double)(row / want.dim[1]) >= lengths.values[row % want.dim[1]]) got[i] = 0.0;
    }
    golden_compare_values(file, "reconstruction", got, want.count, file->limit);
    free(got);
    lstmae_tensor_destroy(out);
}

static void set_lengths(golden_file *file, lstmae_seq2seq *model)
{
    int64_t lengths[32];
    golden_array array = golden_get(file, "lengths");
    if (!array.values) return;
    assert_true(array.count <= 32);
    for (size_t i = 0; i < array.count; i++) lengths[i] = (int64_t)array.values[i];
    assert_ok(lstmae_seq2seq_set_lengths(model, lengths, (int64_t)array.count));
}

static void compare_models(const char *name, void *state)
{
    golden_file file;
    golden_open(&file, name, state);
    while (golden_next(&file)) {
        lstmae_seq2seq *model = golden_model(&file);
        lstmae_tensor *x = golden_tensor(&file, "x"), *future = golden_tensor(&file, "future");
        set_lengths(&file, model);
        compare_training(&file, model, x, future);
        compare_inference(&file, "code", model, x, lstmae_seq2seq_encode);
        compare_reconstruction(&file, model, x);
        compare_inference(&file, "generated", model, x, lstmae_seq2seq_generate);
        lstmae_tensor_destroy(x);
        lstmae_tensor_destroy(future);
        lstmae_seq2seq_destroy(model);
    }
    golden_close(&file);
}

static void test_seq2seq(void **state)
{
    compare_models("seq2seq", *state);
}

static void test_structures(void **state)
{
    compare_models("structures", *state);
}

static lstmae_loss *loss_of(golden_file *file)
{
    lstmae_loss_options options = LSTMAE_LOSS_OPTIONS_INIT;
    lstmae_loss *loss = NULL;
    options.kind = (int32_t)golden_int(file, "kind", 0);
    options.reduction = (int32_t)golden_int(file, "reduction", 0);
    options.batch_axis = (int32_t)golden_int(file, "batch_axis", 1);
    options.delta = golden_number(file, "delta", 1.0);
    assert_ok(lstmae_loss_create(&loss, file->context, &options));
    return loss;
}

static void test_losses(void **state)
{
    golden_file file;
    golden_open(&file, "losses", *state);
    while (golden_next(&file)) {
        lstmae_loss *loss = loss_of(&file);
        lstmae_tensor *pred = golden_tensor(&file, "pred"), *target = golden_tensor(&file, "target");
        lstmae_tensor *mask = golden_tensor(&file, "mask");
        const lstmae_tensor *grad = NULL;
        double value = 0;
        assert_ok(lstmae_loss_compute(loss, pred, target, mask, &value, &grad));
        golden_compare_values(&file, "value", &value, 1, file.limit);
        golden_compare(&file, "grad", grad);
        lstmae_tensor_destroy(pred);
        lstmae_tensor_destroy(target);
        lstmae_tensor_destroy(mask);
        lstmae_loss_destroy(loss);
    }
    golden_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = { GOLDEN_TESTS(test_seq2seq), GOLDEN_TESTS(test_structures),
                                        GOLDEN_TESTS(test_losses) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
