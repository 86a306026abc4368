/* Updates of lstmae_fit(), timed one by one. The data lie on the device: the loader gives batches of one number. */
#include "bench_machine.h"
#include "bench_workloads.h"

#define FIT_MAX_TIMES 2000
#define FIT_WARM 5 /* updates before the first that counts: the step is captured in the second */

typedef struct fit_clock {
    double times[FIT_MAX_TIMES];
    int count, least, most, warm;
    double last, begin, budget;
} fit_clock;

static lstmae_status fit_step(const lstmae_batch *batch, int train, double scale, double *loss, void *payload)
{
    bench_model *model = payload;
    (void)batch;
    (void)train;
    return model->step(model, scale, loss);
}

/* After an update, when its loss has been read back. */
static int fit_event(const lstmae_fit_event *event, void *payload)
{
    fit_clock *clock = payload;
    const double now = bench_seconds(), elapsed = now - clock->last;
    (void)event;
    clock->last = now;
    if (clock->warm > 0) {
        clock->warm--;
        clock->begin = now;
        return 0;
    }
    clock->times[clock->count++] = 1e3 * elapsed;
    return clock->count >= clock->most || (clock->count >= clock->least && now - clock->begin > clock->budget);
}

static lstmae_module *fit_module(const bench_model *model)
{
    return model->seq2seq ? lstmae_seq2seq_module(model->seq2seq) : model->module;
}

static lstmae_loader *fit_loader(lstmae_context *context)
{
    static const float numbers[4] = { 0 };
    const int64_t dims[] = { 1 };
    lstmae_loader_options options = LSTMAE_LOADER_OPTIONS_INIT;
    lstmae_dataset *data = NULL;
    lstmae_loader *loader = NULL;
    options.batch = 1;
    bench_check(lstmae_dataset_from_memory(&data, context, numbers, 4, 1, dims));
    bench_check(lstmae_loader_create(&loader, context, data, &options));
    lstmae_dataset_destroy(data);
    return loader;
}

bench_time bench_measure_fit(bench_model *model, const bench_effort *effort)
{
    static fit_clock clock;
    lstmae_objective objective = LSTMAE_OBJECTIVE_INIT;
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    lstmae_loader *loader = fit_loader(model->context);
    clock = (fit_clock){ .warm = FIT_WARM, .least = effort->quick ? 3 : 20, .most = effort->quick ? 10 : FIT_MAX_TIMES,
                         .budget = effort->seconds, .last = bench_seconds() };
    objective.module = fit_module(model);
    objective.step = fit_step;
    objective.payload = model;
    options.iterations = INT64_C(1) << 40;
    options.callback = fit_event;
    options.payload = &clock;
    lstmae_status status = lstmae_fit(&objective, loader, model->optimizer, &options, NULL);
    if (status != LSTMAE_ERR_CANCELLED) bench_check(status);
    lstmae_loader_destroy(loader);
    return bench_time_of(clock.times, clock.count);
}
