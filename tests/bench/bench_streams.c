/*
 * One step at a time, from the state of the step before: sessions over a frozen LSTM, where the context is. On a device
 * a push takes the sample there and what is said about it back.
 */
#include "bench_count.h"
#include "bench_workloads.h"

#include <stdlib.h>

static void run_step(void *payload)
{
    bench_model *model = payload;
    bench_check(lstmae_session_push(model->session, model->sample, NULL));
}

void bench_create_stream(const bench_workload *w, bench_model *model, lstmae_context *context)
{
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_frozen_options freeze = LSTMAE_FROZEN_OPTIONS_INIT;
    lstmae_session_options session = LSTMAE_SESSION_OPTIONS_INIT;
    lstmae_module *lstm = NULL;
    lstmae_frozen *frozen = NULL;
    bench_ops ops = bench_count_lstm(1, 1, w->I, w->H, w->layers, 0);
    options.layers = w->layers;
    freeze.flags = LSTMAE_FROZEN_DEVICE;
    session.compare = LSTMAE_COMPARE_NONE;
    session.threads = lstmae_context_threads(context);
    bench_check(lstmae_lstm_create(&lstm, context, w->I, w->H, &options));
    const double weights = (double)lstmae_module_param_elements(lstm);
    bench_check(lstmae_frozen_create(&frozen, lstm, &freeze));
    bench_check(lstmae_session_create(&model->session, frozen, &session));
    lstmae_frozen_destroy(frozen);
    lstmae_module_destroy(lstm);
    model->sample = malloc((size_t)w->I * sizeof(float));
    if (!model->sample) exit(1);
    for (int64_t i = 0; i < w->I; i++) model->sample[i] = 0.01f * (float)(i % 100);
    bench_mode *mode = bench_add_mode(model, "step", run_step, ops.forward, weights);
    if (bench_on_device(context)) bench_floor_add(&mode->floor, 1, ops.forward, weights, 0);
}
