#include "fit_script.h"

#include <string.h>

lstmae_status script_step(const lstmae_batch *batch, int train, double scale, double *loss, void *payload)
{
    script *s = payload;
    float one = (float)scale, sum;
    s->modes_wrong += lstmae_module_training(s->module) != train;
    if (!train) {
        *loss = batch->index == 0 ? s->validations[s->validated++ % s->validation_count] : 0.0;
        return LSTMAE_OK;
    }
    lstmae_tensor *grad = lstmae_module_param_grad(s->module, 0);
    assert_ok(lstmae_tensor_read(grad, &sum, sizeof sum));
    sum += one;
    assert_ok(lstmae_tensor_write(grad, &sum, sizeof sum));
    s->trained++;
    *loss = s->train_loss;
    return LSTMAE_OK;
}

void script_open(script *s, const double *validations, int count)
{
    static float data[RIG_ITEMS * RIG_ITEM];
    lstmae_optimizer_options sgd = LSTMAE_SGD_OPTIONS_INIT;
    static const lstmae_objective objective = LSTMAE_OBJECTIVE_INIT;
    memset(s, 0, sizeof *s);
    sgd.lr = 1.0;
    s->validations = validations;
    s->validation_count = count;
    s->train_loss = 2.5;
    s->context = test_context("cpu", LSTMAE_F32);
    s->loader = rig_loader(s->context, data, 18, RIG_BATCH, 0);
    s->validation = rig_loader(s->context, data, 4, RIG_BATCH, 0);
    assert_ok(lstmae_linear_create(&s->module, s->context, 1, 1, LSTMAE_LINEAR_NO_BIAS));
    assert_ok(lstmae_tensor_fill(lstmae_module_param(s->module, 0), 0.0));
    assert_ok(lstmae_optimizer_create(&s->optimizer, s->module, &sgd));
    assert_ok(lstmae_fit_state_create(&s->state, s->context));
    s->objective = objective;
    s->objective.module = s->module;
    s->objective.step = script_step;
    s->objective.payload = s;
}

void script_close(script *s)
{
    assert_int_equal(s->modes_wrong, 0);
    lstmae_fit_state_destroy(s->state);
    lstmae_loader_destroy(s->loader);
    lstmae_loader_destroy(s->validation);
    lstmae_optimizer_destroy(s->optimizer);
    lstmae_module_destroy(s->module);
    lstmae_context_destroy(s->context);
}

lstmae_status script_fit(script *s, const lstmae_fit_options *options)
{
    return lstmae_fit(&s->objective, s->loader, s->optimizer, options, s->state);
}

float script_weight(const script *s)
{
    float weight;
    assert_ok(lstmae_tensor_read(lstmae_module_param(s->module, 0), &weight, sizeof weight));
    return weight;
}
static int record(const lstmae_fit_event *event, void *payload)
{
    recorder *r = payload;
    assert_true(r->count < MOST_EVENTS);
    assert_int_equal(event->struct_size, sizeof *event);
    r->events[r->count++] = *event;
    if (r->count != r->stop_after) return 0;
    if (!r->request) return 1;
    lstmae_context_request_stop(r->request);
    return 0;
}

lstmae_fit_options recorded(recorder *r)
{
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    memset(r, 0, sizeof *r);
    options.callback = record;
    options.payload = r;
    return options;
}
