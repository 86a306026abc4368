/*
 * One step at a time, from the state of the step before: on the CPU sessions over a frozen LSTM; on a device, where
 * sessions do not run, the module itself, with sample and state in the device's memory.
 */
#include "bench_count.h"
#include "bench_workloads.h"

#include <stdlib.h>

static void run_step(void *payload)
{
    bench_model *model = payload;
    bench_check(lstmae_session_push(model->session, model->sample, NULL));
}

static void run_device_step(void *payload)
{
    bench_model *model = payload;
    const lstmae_tensor *h = NULL, *c = NULL;
    bench_check(lstmae_module_forward(model->module, model->x, NULL));
    bench_check(lstmae_lstm_state(model->module, &h, &c));
    bench_check(lstmae_lstm_set_state(model->module, h, c));
}

static void create_device_stream(const bench_workload *w, bench_model *model, lstmae_module *lstm, double operations)
{
    const int64_t dims[] = { 1, 1, w->I };
    const double weights = (double)lstmae_module_param_elements(lstm);
    model->module = lstm;
    model->x = bench_tensor(model->context, 3, dims);
    bench_check(lstmae_module_set_training(lstm, 0));
    bench_mode *mode = bench_add_mode(model, "step", run_device_step, operations, weights);
    bench_floor_add(&mode->floor, 1, operations, weights, 0);
}

void bench_create_stream(const bench_workload *w, bench_model *model, lstmae_context *context)
{
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_session_options session = LSTMAE_SESSION_OPTIONS_INIT;
    lstmae_module *lstm = NULL;
    lstmae_frozen *frozen = NULL;
    bench_ops ops = bench_count_lstm(1, 1, w->I, w->H, w->layers, 0);
    options.layers = w->layers;
    session.compare = LSTMAE_COMPARE_NONE;
    session.threads = lstmae_context_threads(context);
    bench_check(lstmae_lstm_create(&lstm, context, w->I, w->H, &options));
    if (bench_on_device(context)) {
        create_device_stream(w, model, lstm, ops.forward);
        return;
    }
    const double weights = (double)lstmae_module_param_elements(lstm);
    bench_check(lstmae_frozen_create(&frozen, lstm, NULL));
    bench_check(lstmae_session_create(&model->session, frozen, &session));
    lstmae_frozen_destroy(frozen);
    lstmae_module_destroy(lstm);
    model->sample = malloc((size_t)w->I * sizeof(float));
    if (!model->sample) exit(1);
    for (int64_t i = 0; i < w->I; i++) model->sample[i] = 0.01f * (float)(i % 100);
    bench_add_mode(model, "step", run_step, ops.forward, weights);
}
