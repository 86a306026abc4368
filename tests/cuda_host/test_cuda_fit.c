/*
 * Trainings whose updates are replayed as graphs end with the bits of those that run call by call, and of those whose
 * step is a user's, which wait for each loss. What an update does on the host and when it waits.
 */
#include "../support/device.h" /* not the one of this folder */
#include "../unit/fit_rig.h"
#include "stand_in.h"

#include "module_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UPDATES 20

/* ---- sequence models ---- */

/* How the updates of a training are made. */
typedef enum way { REPLAYED, EAGER, BY_STEPS } way;

#define WAYS 3

/* A user's step, which the library does not know. */
static lstmae_status own_step(const lstmae_batch *batch, int train, double scale, double *loss, void *payload)
{
    const lstmae_objective *objective = payload;
    return objective->step(batch, train, scale, loss, objective->payload);
}

static void own_update(int64_t update, void *payload)
{
    const lstmae_objective *objective = payload;
    if (objective->update) objective->update(update, objective->payload);
}

/* Begins to count the graphs that are launched; a GPU does not count. */
static void graphs_watch(void)
{
    stand_in in;
    if (stand_in_find(&in)) in.log(1);
}

static void assert_graphs(int least, int most)
{
    lae_cuda_host_operation operation;
    stand_in in;
    int graphs = 0;
    if (!stand_in_find(&in)) return;
    in.log(0);
    for (size_t at = 0; in.log_get(at, &operation); at++) graphs += operation.kind == 'G';
    assert_in_range(graphs, least, most);
}

static lstmae_status fit(way how, lstmae_task *task, lstmae_loader *loader, lstmae_optimizer *optimizer,
                         const lstmae_fit_options *options, lstmae_fit_state *state)
{
    const lstmae_objective *objective = lstmae_task_objective(task);
    lstmae_objective own = LSTMAE_OBJECTIVE_INIT;
    own.module = objective->module;
    own.step = own_step;
    own.update = own_update;
    own.payload = (void *)(uintptr_t)objective;
    objective->module->context->eager = how == EAGER;
    return lstmae_fit(how == BY_STEPS ? &own : objective, loader, optimizer, options, state);
}

/* What a callback hears, and where it ends the training. */
typedef struct listener {
    int64_t stop;
    int count;
    lstmae_fit_event events[4 * UPDATES];
} listener;

static int listen(const lstmae_fit_event *event, void *payload)
{
    listener *heard = payload;
    assert_true(heard->count < 4 * UPDATES);
    heard->events[heard->count] = *event;
    heard->events[heard->count++].seconds = 0.0;
    return event->stage == LSTMAE_FIT_ITERATION && event->iteration == heard->stop;
}

static void assert_heard_the_same(const listener *a, const listener *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->events, b->events, (size_t)a->count * sizeof *a->events);
}

typedef struct trained {
    rig r;
    listener heard;
} trained;

static lstmae_fit_options trained_options(trained *t, int64_t accumulate)
{
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    options.iterations = UPDATES;
    options.accumulate = accumulate;
    options.validate_every = 5;
    options.validation = t->r.validation;
    options.schedule = t->r.schedule;
    options.callback = listen;
    options.payload = &t->heard;
    return options;
}

static void trained_open(trained *t, const float *data, int64_t count)
{
    memset(t, 0, sizeof *t);
    rig_open(&t->r, data, count, LSTMAE_LOADER_SHUFFLE);
}

static lstmae_status trained_fit(trained *t, way how, const lstmae_fit_options *options)
{
    return fit(how, t->r.task, t->r.loader, t->r.optimizer, options, t->r.state);
}

/* Dropout, two decoders, clipping, a schedule, a validation every 5 updates, a last batch that is smaller. */
static void check_ways(const float *data, int64_t count, int64_t accumulate, uint32_t flags)
{
    trained all[WAYS];
    for (int how = 0; how < WAYS; how++) {
        trained *t = &all[how];
        trained_open(t, data, count);
        lstmae_fit_options options = trained_options(t, accumulate);
        options.flags = flags;
        graphs_watch();
        assert_ok(trained_fit(t, (way)how, &options));
        if (how == REPLAYED && accumulate == 1) assert_graphs(UPDATES / 2, 2 * UPDATES);
        else assert_graphs(0, 0);
        if (how == 0) continue;
        rig_assert_same(&all[0].r, &t->r);
        assert_heard_the_same(&all[0].heard, &t->heard);
    }
    for (int how = 0; how < WAYS; how++) rig_close(&all[how].r);
}

static void replays_train_alike(void **state)
{
    (void)state;
    check_ways(NULL, 0, 1, 0);
}

static void replays_keep_the_best_alike(void **state)
{
    (void)state;
    check_ways(NULL, 0, 1, LSTMAE_FIT_KEEP_BEST);
}

static void accumulated_batches_train_alike(void **state)
{
    (void)state;
    check_ways(NULL, 0, 2, 0);
}

/* One item of the data is not a number: its update leaves no trace, whenever it comes. */
static void updates_are_left_out_alike(void **state)
{
    (void)state;
    static float data[RIG_ITEMS * RIG_ITEM];
    rig_data(data, RIG_ITEMS);
    data[7 * RIG_ITEM + 3] = NAN;
    check_ways(data, RIG_ITEMS, 1, 0);
    check_ways(data, RIG_ITEMS, 1, LSTMAE_FIT_NO_NAN_GUARD);
}

static void a_replayed_training_resumes_anywhere(void **state)
{
    (void)state;
    trained whole;
    trained_open(&whole, NULL, 0);
    lstmae_fit_options options = trained_options(&whole, 1);
    assert_ok(trained_fit(&whole, REPLAYED, &options));
    for (int64_t stop = 1; stop < UPDATES; stop += 5) {
        trained first, second;
        trained_open(&first, NULL, 0);
        trained_open(&second, NULL, 0);
        options = trained_options(&first, 1);
        first.heard.stop = stop;
        assert_fails(trained_fit(&first, REPLAYED, &options), ERR_CANCELLED);
        rig_transfer(&second.r, &first.r, 1);
        options = trained_options(&second, 1);
        assert_ok(trained_fit(&second, REPLAYED, &options));
        rig_assert_same(&whole.r, &second.r);
        rig_close(&first.r);
        rig_close(&second.r);
    }
    rig_close(&whole.r);
}

/* ---- what fails ---- */

#define FEW_UPDATES 4

static lstmae_status few_updates(trained *t)
{
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    options.iterations = FEW_UPDATES;
    return trained_fit(t, REPLAYED, &options);
}

/* Memory for what is kept of a step may be missing: the training says so and goes on, or does without. */
static void any_allocation_may_fail(void **state)
{
    (void)state;
    trained whole;
    trained_open(&whole, NULL, 0);
    assert_ok(few_updates(&whole));
    for (long k = 1, failed = 1; failed; k += 5) {
        trained t;
        trained_open(&t, NULL, 0);
        t.r.heap.fault.at = t.r.heap.fault.uses + k;
        lstmae_status status = few_updates(&t);
        failed = t.r.heap.fault.uses >= t.r.heap.fault.at;
        if (status < 0) assert_int_equal(status, LSTMAE_ERR_NO_MEMORY);
        if (status < 0) assert_ok(few_updates(&t));
        rig_assert_same(&whole.r, &t.r);
        rig_close(&t.r);
    }
    rig_close(&whole.r);
}

/* Call number k of the runtime or cuBLAS fails, in steps that go through the first, the captured and a replayed one. */
static void calls_of_the_device_may_fail(void **state)
{
    (void)state;
    trained whole;
    stand_in in;
    trained_open(&whole, NULL, 0);
    assert_ok(few_updates(&whole));
    const int can_fail = stand_in_find(&in);
    const char *failed = can_fail ? "none yet" : "";
    for (uint64_t k = 1; failed[0]; k += 67) {
        trained t;
        trained_open(&t, NULL, 0);
        in.fail_at(k, 2, 3); /* out of memory, here and in cuBLAS */
        lstmae_status status = few_updates(&t);
        failed = in.failed_call();
        in.fail_at(0, 0, 0);
        if (status < 0) assert_ok(few_updates(&t));
        else rig_assert_same(&whole.r, &t.r);
        rig_close(&t.r);
    }
    rig_close(&whole.r);
    if (!can_fail) skip();
}

/* ---- modules with buffers, noise and latents ---- */

enum { SIDE = 4, IMAGES = 11, IMAGE = SIDE * SIDE, MOST_STATE = 4096 };

typedef struct images {
    lstmae_context *context;
    lstmae_loader *loader;
    lstmae_module *module;
    lstmae_loss *loss;
    lstmae_task *task;
    lstmae_optimizer *optimizer;
    listener heard;
} images;

static void append(lstmae_module *chain, lstmae_module *part)
{
    assert_ok(lstmae_sequential_append(chain, part));
}

static void append_convolution(lstmae_context *context, lstmae_module *chain, int64_t in, int64_t out)
{
    lstmae_conv_options options = LSTMAE_CONV_OPTIONS_INIT;
    lstmae_module *part;
    options.padding[0] = options.padding[1] = 1;
    assert_ok(lstmae_conv2d_create(&part, context, in, out, &options));
    append(chain, part);
}

/* Convolution, batch norm, activation, dropout, convolution. */
static lstmae_module *images_denoiser(lstmae_context *context)
{
    lstmae_module *chain, *part;
    assert_ok(lstmae_sequential_create(&chain, context));
    append_convolution(context, chain, 1, 3);
    assert_ok(lstmae_batch_norm_create(&part, context, 3, NULL));
    append(chain, part);
    assert_ok(lstmae_activation_create(&part, context, LSTMAE_ACTIVATION_RELU));
    append(chain, part);
    assert_ok(lstmae_dropout_create(&part, context, 0.25));
    append(chain, part);
    append_convolution(context, chain, 3, 1);
    return chain;
}

/* Noise on the input, a latent whose weight warms up. */
static lstmae_module *images_variational(lstmae_context *context)
{
    const int64_t shape[3] = { 1, SIDE, SIDE };
    lstmae_noise_options noise = LSTMAE_NOISE_OPTIONS_INIT;
    lstmae_latent_options latent = LSTMAE_LATENT_OPTIONS_INIT;
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    lstmae_autoencoder *autoencoder;
    lstmae_module *encoder, *decoder, *part;
    noise.kind = LSTMAE_NOISE_SALT_PEPPER;
    noise.amount = 0.2;
    latent.features = 6;
    latent.size = 2;
    latent.beta = 0.1;
    latent.warmup = 4;
    options.noise = &noise;
    options.latent = &latent;
    assert_ok(lstmae_sequential_create(&encoder, context));
    assert_ok(lstmae_sequential_create(&decoder, context));
    assert_ok(lstmae_flatten_create(&part, context, 1, 3));
    append(encoder, part);
    assert_ok(lstmae_linear_create(&part, context, IMAGE, 6, 0));
    append(encoder, part);
    assert_ok(lstmae_linear_create(&part, context, 2, IMAGE, 0));
    append(decoder, part);
    assert_ok(lstmae_unflatten_create(&part, context, 1, 3, shape));
    append(decoder, part);
    assert_ok(lstmae_autoencoder_create(&autoencoder, encoder, decoder, &options));
    return lstmae_autoencoder_module(autoencoder);
}

typedef lstmae_module *(*images_make_fn)(lstmae_context *context);

static void images_open(images *t, images_make_fn make, int with_nan)
{
    const int64_t dims[3] = { 1, SIDE, SIDE };
    static float data[IMAGES * IMAGE];
    lstmae_context_options context = LSTMAE_CONTEXT_OPTIONS_INIT;
    lstmae_loader_options options = LSTMAE_LOADER_OPTIONS_INIT;
    lstmae_dataset *dataset;
    memset(t, 0, sizeof *t);
    test_fill(data, IMAGES * IMAGE, 21, 1.0f);
    if (with_nan) data[4 * IMAGE + 5] = NAN;
    context.precision = test_device_precision();
    assert_ok(lstmae_context_create(&t->context, test_device_name(), &context));
    options.flags = LSTMAE_LOADER_SHUFFLE;
    options.batch = 3;
    assert_ok(lstmae_dataset_from_memory(&dataset, t->context, data, IMAGES, 3, dims));
    assert_ok(lstmae_loader_create(&t->loader, t->context, dataset, &options));
    lstmae_dataset_destroy(dataset);
    t->module = make(t->context);
    assert_ok(lstmae_loss_create(&t->loss, t->context, NULL));
    assert_ok(lstmae_task_autoencoder(&t->task, t->module, t->loss));
    assert_ok(lstmae_optimizer_create(&t->optimizer, t->module, NULL));
}

static void images_close(images *t)
{
    lstmae_optimizer_destroy(t->optimizer);
    lstmae_task_destroy(t->task);
    lstmae_loss_destroy(t->loss);
    lstmae_module_destroy(t->module);
    lstmae_loader_destroy(t->loader);
    lstmae_context_destroy(t->context);
}

/* Parameters, then buffers, as bytes. */
static size_t images_state(const images *t, unsigned char *bytes)
{
    const size_t params = lstmae_module_param_count(t->module), buffers = lstmae_module_buffer_count(t->module);
    size_t at = 0;
    for (size_t i = 0; i < params + buffers; i++) {
        const lstmae_tensor *tensor =
            i < params ? lstmae_module_param(t->module, i) : lstmae_module_buffer(t->module, i - params);
        const size_t each = lstmae_tensor_dtype(tensor) == LSTMAE_F32 ? 4 : 8;
        const size_t size = (size_t)lstmae_tensor_numel(tensor) * each;
        assert_true(at + size <= MOST_STATE);
        assert_ok(lstmae_tensor_read(tensor, bytes + at, size));
        at += size;
    }
    return at;
}

static void check_images(images_make_fn make, int with_nan)
{
    images all[WAYS];
    unsigned char want[MOST_STATE], got[MOST_STATE];
    for (int how = 0; how < WAYS; how++) {
        images *t = &all[how];
        lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
        images_open(t, make, with_nan);
        options.iterations = UPDATES;
        options.callback = listen;
        options.payload = &t->heard;
        graphs_watch();
        assert_ok(fit((way)how, t->task, t->loader, t->optimizer, &options, NULL));
        if (how == REPLAYED) assert_graphs(UPDATES / 3, 2 * UPDATES);
        else assert_graphs(0, 0);
        const size_t size = images_state(t, how == 0 ? want : got);
        if (how > 0) assert_memory_equal(got, want, size);
        if (how > 0) assert_heard_the_same(&all[0].heard, &t->heard);
    }
    for (int how = 0; how < WAYS; how++) images_close(&all[how]);
}

static void layers_of_images_train_alike(void **state)
{
    (void)state;
    check_images(images_denoiser, 0);
}

static void buffers_are_given_back_alike(void **state)
{
    (void)state;
    check_images(images_denoiser, 1);
}

static void noise_and_latents_train_alike(void **state)
{
    (void)state;
    check_images(images_variational, 0);
    check_images(images_variational, 1);
}

/* ---- what an update queues ---- */

typedef struct update_log {
    stand_in in;
    int64_t from, to;   /* updates whose operations are kept: after `from`, until `to` */
    size_t begins[UPDATES + 1]; /* where each one's begin */
} update_log;

static int note_update(const lstmae_fit_event *event, void *payload)
{
    update_log *log = payload;
    if (event->iteration == log->from) log->in.log(1);
    if (event->iteration >= log->from && event->iteration <= log->to)
        log->begins[event->iteration - log->from] = log->in.log_count();
    if (event->iteration == log->to) log->in.log(0);
    return 0;
}

typedef struct update_counts {
    int graphs, kernels, copies, waits, transfer_copies, transfer_waits;
    int launched_before_wait; /* nothing of the update waited for before the graph was launched */
} update_counts;

static update_counts update_count(const update_log *log, int64_t i, uint64_t main_stream)
{
    update_counts counts = { 0 };
    for (size_t at = log->begins[i]; at < log->begins[i + 1]; at++) {
        lae_cuda_host_operation operation;
        assert_true(log->in.log_get(at, &operation));
        const int on_main = operation.stream == main_stream;
        assert_false(operation.captured);
        if (operation.kind == 'G') counts.graphs++;
        if (operation.kind == 'k') counts.kernels++;
        if (operation.kind == 'c') *(on_main ? &counts.copies : &counts.transfer_copies) += 1;
        if (operation.kind == 'h') *(on_main ? &counts.waits : &counts.transfer_waits) += 1;
        if (operation.kind == 'h' && on_main) counts.launched_before_wait = counts.graphs == 1;
    }
    return counts;
}

/* Where the graphs run. */
static uint64_t update_main_stream(const update_log *log)
{
    lae_cuda_host_operation operation;
    for (size_t at = 0; log->in.log_get(at, &operation); at++)
        if (operation.kind == 'G') return operation.stream;
    fail_msg("no graph was launched");
    return 0;
}

/*
 * In each update: the batch lands (two copies, as kernels), a kernel writes the step's numbers, one graph, and the
 * results are read, with the only wait of the update's work. The next batch moves on another stream.
 */
static void an_update_is_one_graph_and_one_wait(void **state)
{
    (void)state;
    trained t;
    update_log log = { .from = 2 * RIG_BATCHES, .to = UPDATES }; /* the last batch's graph was made by then */
    trained_open(&t, NULL, 0);
    if (!stand_in_find(&log.in)) {
        rig_close(&t.r);
        skip();
    }
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    options.iterations = UPDATES;
    options.callback = note_update;
    options.payload = &log;
    assert_ok(trained_fit(&t, REPLAYED, &options));
    const uint64_t main_stream = update_main_stream(&log);
    for (int64_t i = 0; i < log.to - log.from; i++) {
        const update_counts counts = update_count(&log, i, main_stream);
        assert_int_equal(counts.graphs, 1);
        assert_int_equal(counts.kernels + counts.copies, 4);
        assert_true(counts.waits <= 1); /* none where operations run as they are queued */
        assert_true(counts.waits == 0 || counts.launched_before_wait);
        assert_true(counts.transfer_copies <= 2 && counts.transfer_waits <= 1);
    }
    rig_close(&t.r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replays_train_alike),
        cmocka_unit_test(replays_keep_the_best_alike),
        cmocka_unit_test(accumulated_batches_train_alike),
        cmocka_unit_test(updates_are_left_out_alike),
        cmocka_unit_test(a_replayed_training_resumes_anywhere),
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(calls_of_the_device_may_fail),
        cmocka_unit_test(layers_of_images_train_alike),
        cmocka_unit_test(buffers_are_given_back_alike),
        cmocka_unit_test(noise_and_latents_train_alike),
        cmocka_unit_test(an_update_is_one_graph_and_one_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
