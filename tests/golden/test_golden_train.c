/* Twenty updates of one model by each optimizer against PyTorch: losses, gradient norms, the last weights. */
#include "golden_model.h"

#include <stdio.h>
#include <stdlib.h>

#define STEPS 20

static lstmae_optimizer *optimizer_of(golden_file *file, lstmae_module *module)
{
    const lstmae_optimizer_options defaults[] = { LSTMAE_SGD_OPTIONS_INIT, LSTMAE_ADAM_OPTIONS_INIT,
                                                  LSTMAE_ADAMW_OPTIONS_INIT, LSTMAE_RMSPROP_OPTIONS_INIT };
    lstmae_optimizer_options options = defaults[golden_int(file, "kind", 0)];
    lstmae_optimizer *optimizer = NULL;
    options.lr = golden_number(file, "lr", 0);
    options.momentum = golden_number(file, "momentum", 0);
    options.eps = golden_number(file, "eps", options.eps);
    options.weight_decay = golden_number(file, "weight_decay", 0);
    options.clip_norm = golden_number(file, "clip_norm", 0);
    options.clip_value = golden_number(file, "clip_value", 0);
    if (golden_int(file, "nesterov", 0)) options.flags |= LSTMAE_OPTIMIZER_NESTEROV;
    if (golden_int(file, "centered", 0)) options.flags |= LSTMAE_OPTIMIZER_CENTERED;
    assert_ok(lstmae_optimizer_create(&optimizer, module, &options));
    return optimizer;
}

/** Entry `step` of an array [STEPS,...] as a tensor. */
static lstmae_tensor *entry(lstmae_context *context, const golden_array *array, int step)
{
    size_t each = array->count / STEPS;
    return values_tensor(context, array->ndim - 1, array->dim + 1, array->values + (size_t)step * each);
}

/** The model and data of case "start", trained as the current case says. */
static void train_case(golden_file *file, golden_file *start)
{
    char name[192];
    double losses[STEPS], norms[STEPS];
    golden_select(start, "start");
    golden_array xs = golden_get(start, "x"), futures = golden_get(start, "future");
    lstmae_seq2seq *model = golden_model(start);
    lstmae_module *module = lstmae_seq2seq_module(model);
    lstmae_loss *loss = golden_loss(start);
    lstmae_optimizer *optimizer = optimizer_of(file, module);
    for (int step = 0; step < STEPS; step++) {
        lstmae_tensor *x = entry(file->context, &xs, step), *future = entry(file->context, &futures, step);
        assert_ok(lstmae_module_zero_grad(module));
        assert_ok(lstmae_seq2seq_step(model, loss, x, future, 1.0, &losses[step]));
        assert_ok(lstmae_optimizer_grad_norm(optimizer, &norms[step]));
        assert_ok(lstmae_optimizer_step(optimizer));
        lstmae_tensor_destroy(x);
        lstmae_tensor_destroy(future);
    }
    golden_compare_values(file, "losses", losses, STEPS, GOLDEN_LIMIT_CURVE);
    golden_compare_values(file, "norms", norms, STEPS, GOLDEN_LIMIT_CURVE);
    for (size_t i = 0; i < lstmae_module_param_count(module); i++) {
        snprintf(name, sizeof(name), "final.%s", lstmae_module_param_name(module, i));
        double *values = values_read(lstmae_module_param(module, i));
        golden_compare_values(file, name, values, (size_t)lstmae_tensor_numel(lstmae_module_param(module, i)),
                              GOLDEN_LIMIT_CURVE);
        free(values);
    }
    assert_int_equal(lstmae_optimizer_steps(optimizer), STEPS);
    lstmae_optimizer_destroy(optimizer);
    lstmae_loss_destroy(loss);
    lstmae_seq2seq_destroy(model);
}

static void test_train(void **state)
{
    golden_file file, start;
    golden_open(&file, "train", *state);
    golden_open(&start, "train", *state);
    while (golden_next(&file)) {
        if (golden_number(&file, "lr", 0) > 0) train_case(&file, &start);
    }
    golden_close(&start);
    golden_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = { GOLDEN_TESTS(test_train) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
