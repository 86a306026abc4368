/* The loader: what is in the batches and in which order, its thread, and what happens when something fails. */
#include "faults.h"

#include "dataset.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static lstmae_context *context;
static int thread_refused;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *payload);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *payload);

/* The linker sends the library's calls of pthread_create() here. */
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *payload)
{
    return thread_refused ? 11 : __real_pthread_create(thread, attr, start, payload);
}

static int setup(void **state)
{
    (void)state;
    context = test_context("cpu:ref", LSTMAE_F32);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lstmae_context_destroy(context);
    return 0;
}

/* Items [steps,2,3]: step t of item n holds 100 n + 10 t + element. */
static lstmae_dataset *sequences(lstmae_context *with, int64_t count, int64_t steps)
{
    const int64_t dims[3] = { steps, 2, 3 };
    size_t elements = (size_t)(steps * 6);
    float *data = malloc((size_t)count * elements * sizeof *data);
    lstmae_dataset *dataset;
    assert_non_null(data);
    for (size_t i = 0; i < (size_t)count * elements; i++)
        data[i] = (float)(i / elements * 100 + i % elements / 6 * 10 + i % 6);
    assert_ok(lstmae_dataset_from_memory(&dataset, with, data, count, 3, dims));
    free(data);
    return dataset;
}

/* Items are numbers: item n is n. */
static lstmae_dataset *numbers(int64_t count)
{
    float *data = malloc((size_t)count * sizeof *data);
    lstmae_dataset *dataset;
    assert_non_null(data);
    for (int64_t n = 0; n < count; n++) data[n] = (float)n;
    assert_ok(lstmae_dataset_from_memory(&dataset, context, data, count, 0, NULL));
    free(data);
    return dataset;
}

static lstmae_loader *loader_of(lstmae_dataset *dataset, int64_t batch, uint32_t flags, int64_t input_steps,
                                int64_t epoch_items, uint64_t seed)
{
    lstmae_loader_options options = LSTMAE_LOADER_OPTIONS_INIT;
    lstmae_loader *loader;
    options.batch = batch;
    options.flags = flags;
    options.input_steps = input_steps;
    options.epoch_items = epoch_items;
    options.seed = seed;
    assert_ok(lstmae_loader_create(&loader, context, dataset, &options));
    return loader;
}

/* The next batch of numbers; returns how many, 0 at the end of the epoch. */
static int64_t next_numbers(lstmae_loader *loader, float *out)
{
    lstmae_batch batch = LSTMAE_BATCH_INIT;
    lstmae_status status = lstmae_loader_next(loader, &batch);
    if (status < 0) print_error("%s\n", lstmae_last_error());
    assert_true(status >= 0);
    if (status == 0) {
        assert_null(batch.x);
        return 0;
    }
    assert_int_equal(lstmae_tensor_numel(batch.x), batch.count);
    assert_ok(lstmae_tensor_read(batch.x, out, (size_t)batch.count * sizeof *out));
    return batch.count;
}

/* A whole epoch of numbers. */
static int64_t epoch_numbers(lstmae_loader *loader, float *out)
{
    int64_t count = 0, got;
    while ((got = next_numbers(loader, out + count)) > 0) count += got;
    return count;
}

static void batches_in_order(void **state)
{
    (void)state;
    float got[8];
    lstmae_dataset *dataset = sequences(context, 5, 1);
    lstmae_loader *loader = loader_of(dataset, 2, 0, 0, 0, 0);
    assert_int_equal(lstmae_loader_batches(loader), 3);
    for (int epoch = 0; epoch < 2; epoch++) {
        for (int b = 0; b < 3; b++) {
            lstmae_batch batch = LSTMAE_BATCH_INIT;
            float item[12];
            assert_int_equal(lstmae_loader_next(loader, &batch), 1);
            int64_t count = b < 2 ? 2 : 1;
            assert_int_equal(batch.count, count);
            assert_int_equal(batch.index, b);
            assert_null(batch.target);
            assert_int_equal(lstmae_tensor_ndim(batch.x), 4);
            assert_int_equal(lstmae_tensor_dim(batch.x, 0), count);
            assert_int_equal(lstmae_tensor_dim(batch.x, 1), 1);
            assert_int_equal(lstmae_tensor_dim(batch.x, 2), 2);
            assert_int_equal(lstmae_tensor_dim(batch.x, 3), 3);
            assert_int_equal(lstmae_tensor_dtype(batch.x), LSTMAE_F32);
            assert_ok(lstmae_tensor_read(batch.x, item, (size_t)count * 6 * sizeof(float)));
            for (int i = 0; i < count * 6; i++) assert_true(item[i] == (float)((2 * b + i / 6) * 100 + i % 6));
        }
        lstmae_batch end = LSTMAE_BATCH_INIT;
        assert_int_equal(lstmae_loader_next(loader, &end), 0);
    }
    lstmae_loader_destroy(loader);
    lstmae_dataset_destroy(dataset);
    /* dropping the last; a batch larger than the data; just as large */
    dataset = numbers(5);
    loader = loader_of(dataset, 2, LSTMAE_LOADER_DROP_LAST, 0, 0, 0);
    assert_int_equal(lstmae_loader_batches(loader), 2);
    assert_int_equal(epoch_numbers(loader, got), 4);
    lstmae_loader_destroy(loader);
    loader = loader_of(dataset, 8, 0, 0, 0, 0);
    assert_int_equal(lstmae_loader_batches(loader), 1);
    assert_int_equal(next_numbers(loader, got), 5);
    lstmae_loader_destroy(loader);
    loader = loader_of(dataset, 5, LSTMAE_LOADER_DROP_LAST, 0, 0, 0);
    assert_int_equal(epoch_numbers(loader, got), 5);
    assert_int_equal(epoch_numbers(loader, got), 5);
    lstmae_loader_destroy(loader);
    /* the first ones alone */
    loader = loader_of(dataset, 2, 0, 0, 3, 0);
    assert_int_equal(lstmae_loader_batches(loader), 2);
    for (int epoch = 0; epoch < 3; epoch++) {
        assert_int_equal(epoch_numbers(loader, got), 3);
        assert_true(got[0] == 0 && got[1] == 1 && got[2] == 2);
    }
    lstmae_loader_destroy(loader);
    lstmae_dataset_destroy(dataset);
}

/* Batch b of a time-major loader, against its definition, for every split into input and target. */
static void check_time_major(lstmae_loader *loader, int64_t steps, int64_t input, int64_t first, int64_t count)
{
    lstmae_batch batch = LSTMAE_BATCH_INIT;
    float values[7 * 3 * 6];
    assert_int_equal(lstmae_loader_next(loader, &batch), 1);
    assert_int_equal(batch.count, count);
    for (int part = 0; part < 2; part++) {
        lstmae_tensor *tensor = part ? batch.target : batch.x;
        int64_t from = part ? input : 0, length = part ? steps - input : input;
        if (length == 0) {
            assert_null(tensor);
            continue;
        }
        assert_int_equal(lstmae_tensor_ndim(tensor), 3);
        assert_int_equal(lstmae_tensor_dim(tensor, 0), length);
        assert_int_equal(lstmae_tensor_dim(tensor, 1), count);
        assert_int_equal(lstmae_tensor_dim(tensor, 2), 6);
        assert_ok(lstmae_tensor_read(tensor, values, (size_t)(length * count * 6) * sizeof(float)));
        for (int64_t i = 0; i < length * count * 6; i++) {
            int64_t t = from + i / 6 / count, n = first + i / 6 % count;
            assert_true(values[i] == (float)(100 * n + 10 * t + i % 6));
        }
    }
}

static void time_major(void **state)
{
    (void)state;
    lstmae_dataset *dataset = sequences(context, 5, 7);
    for (int64_t input = 0; input <= 7; input++) {
        lstmae_loader *loader = loader_of(dataset, 3, LSTMAE_LOADER_TIME_MAJOR, input, 0, 0);
        for (int epoch = 0; epoch < 2; epoch++) {
            lstmae_batch end = LSTMAE_BATCH_INIT;
            check_time_major(loader, 7, input > 0 ? input : 7, 0, 3);
            check_time_major(loader, 7, input > 0 ? input : 7, 3, 2);
            assert_int_equal(lstmae_loader_next(loader, &end), 0);
        }
        lstmae_loader_destroy(loader);
    }
    lstmae_dataset_destroy(dataset);
}

/* A context that computes in double gets batches in double. */
static void doubles(void **state)
{
    (void)state;
    lstmae_context *wide = test_context("cpu:ref", LSTMAE_F64);
    lstmae_loader_options options = LSTMAE_LOADER_OPTIONS_INIT;
    lstmae_dataset *dataset = sequences(wide, 3, 2);
    lstmae_loader *loader;
    lstmae_batch batch = LSTMAE_BATCH_INIT;
    double values[2 * 2 * 6];
    options.batch = 2;
    options.flags = LSTMAE_LOADER_TIME_MAJOR;
    assert_ok(lstmae_loader_create(&loader, wide, dataset, &options));
    lstmae_dataset_destroy(dataset);
    assert_int_equal(lstmae_loader_next(loader, &batch), 1);
    assert_int_equal(lstmae_tensor_dtype(batch.x), LSTMAE_F64);
    assert_ok(lstmae_tensor_read(batch.x, values, sizeof values));
    for (int i = 0; i < 24; i++) assert_true(values[i] == 100 * (i / 6 % 2) + 10 * (i / 12) + i % 6);
    lstmae_loader_destroy(loader);
    lstmae_context_destroy(wide);
}

/* Every epoch has every item once, in an order of its own that seed and epoch alone decide. */
static void shuffles(void **state)
{
    (void)state;
    enum { COUNT = 103, EPOCHS = 4 };
    float a[EPOCHS][COUNT], b[COUNT];
    lstmae_dataset *dataset = numbers(COUNT);
    lstmae_loader *loader = loader_of(dataset, 10, LSTMAE_LOADER_SHUFFLE, 0, 0, 7);
    for (int e = 0; e < EPOCHS; e++) {
        int seen[COUNT] = { 0 };
        assert_int_equal(epoch_numbers(loader, a[e]), COUNT);
        for (int i = 0; i < COUNT; i++) assert_int_equal(seen[(int)a[e][i]]++, 0);
        if (e > 0) assert_memory_not_equal(a[e], a[e - 1], sizeof a[e]);
    }
    lstmae_loader_destroy(loader);
    loader = loader_of(dataset, 17, LSTMAE_LOADER_SHUFFLE, 0, 0, 7); /* the batch size does not matter */
    for (int e = 0; e < EPOCHS; e++) {
        assert_int_equal(epoch_numbers(loader, b), COUNT);
        assert_memory_equal(a[e], b, sizeof b);
    }
    lstmae_loader_destroy(loader);
    loader = loader_of(dataset, 10, LSTMAE_LOADER_SHUFFLE, 0, 0, 8);
    assert_int_equal(epoch_numbers(loader, b), COUNT);
    assert_memory_not_equal(a[0], b, sizeof b);
    lstmae_loader_destroy(loader);
    /* fewer items per epoch: others each time, none twice */
    loader = loader_of(dataset, 4, LSTMAE_LOADER_SHUFFLE, 0, 20, 7);
    int ever[COUNT] = { 0 }, different = 0;
    for (int e = 0; e < 20; e++) {
        int seen[COUNT] = { 0 };
        assert_int_equal(epoch_numbers(loader, b), 20);
        for (int i = 0; i < 20; i++) assert_int_equal(seen[(int)b[i]]++, 0);
        for (int i = 0; i < COUNT; i++) ever[i] |= seen[i];
    }
    for (int i = 0; i < COUNT; i++) different += ever[i];
    assert_true(different > 95);
    lstmae_loader_destroy(loader);
    lstmae_dataset_destroy(dataset);
}

/* A data set for the tests: item n is n; endless if asked; counts, waits, notes signals and fails on demand. */
typedef struct probe {
    lstmae_dataset base;
    atomic_llong fail_at; /* this item fails with ERR_FORMAT; -1: none */
    atomic_int reads, delay, blocked;
} probe;

static lstmae_status probe_read(const lstmae_dataset *dataset, int64_t index, float *item, float *scratch)
{
    probe *p = (probe *)(uintptr_t)dataset;
    sigset_t signals;
    (void)scratch;
    atomic_fetch_add(&p->reads, 1);
    pthread_sigmask(SIG_BLOCK, NULL, &signals);
    atomic_store(&p->blocked, sigismember(&signals, SIGINT) && sigismember(&signals, SIGTERM));
    if (atomic_load(&p->delay) > 0) usleep((useconds_t)atomic_load(&p->delay));
    if (index == atomic_load(&p->fail_at)) return LAE_FAIL(ERR_FORMAT, "probe: item %lld is bad", (long long)index);
    item[0] = (float)index;
    return LSTMAE_OK;
}

static const lae_dataset_kind probe_kind = { probe_read, NULL };

static probe *probe_make(int64_t count)
{
    lstmae_dataset *dataset;
    assert_ok(lae_dataset_create(&dataset, sizeof(probe), &probe_kind, context, count, 0, NULL));
    probe *p = (probe *)dataset;
    atomic_init(&p->fail_at, -1);
    atomic_init(&p->reads, 0);
    atomic_init(&p->delay, 0);
    atomic_init(&p->blocked, 0);
    return p;
}

static void endless_data_goes_on(void **state)
{
    (void)state;
    float got[12];
    probe *p = probe_make(INT64_MAX);
    lstmae_loader *loader = loader_of(&p->base, 4, 0, 0, 10, 0);
    assert_int_equal(lstmae_loader_batches(loader), 3);
    for (int e = 0; e < 3; e++) {
        assert_int_equal(epoch_numbers(loader, got), 10);
        for (int i = 0; i < 10; i++) assert_true(got[i] == (float)(10 * e + i));
    }
    assert_ok(lstmae_loader_seek(loader, 1000, 2));
    assert_int_equal(next_numbers(loader, got), 2);
    assert_true(got[0] == 10008 && got[1] == 10009);
    assert_ok(lstmae_loader_seek(loader, INT64_MAX / 10 - 1, 0));
    assert_int_equal(next_numbers(loader, got), 4);
    lstmae_batch batch = LSTMAE_BATCH_INIT;
    assert_ok(lstmae_loader_seek(loader, INT64_MAX / 2, 0));
    assert_fails(lstmae_loader_next(loader, &batch), ERR_STATE);
    lstmae_loader_destroy(loader);
    loader = loader_of(&p->base, 4, LSTMAE_LOADER_SHUFFLE, 0, 10, 3);
    for (int e = 0; e < 3; e++) {
        int seen[10] = { 0 };
        assert_int_equal(epoch_numbers(loader, got), 10);
        for (int i = 0; i < 10; i++) {
            assert_true(got[i] >= (float)(10 * e) && got[i] < (float)(10 * e + 10));
            assert_int_equal(seen[(int)got[i] - 10 * e]++, 0);
        }
    }
    lstmae_loader_destroy(loader);
    lstmae_dataset_destroy(&p->base);
}

/* From any position on, a loader that was sent there gives what one that ran there gives. */
static void seeks(void **state)
{
    (void)state;
    enum { COUNT = 23, BATCHES = 5, EPOCHS = 3 };
    float all[EPOCHS][BATCHES][5], got[COUNT];
    int64_t sizes[EPOCHS][BATCHES], epoch, at;
    lstmae_dataset *dataset = numbers(COUNT);
    lstmae_loader *loader = loader_of(dataset, 5, LSTMAE_LOADER_SHUFFLE, 0, 0, 1);
    for (int e = 0; e < EPOCHS; e++) {
        for (int b = 0; b < BATCHES; b++) {
            assert_ok(lstmae_loader_position(loader, &epoch, &at));
            assert_true(epoch == e && at == b);
            sizes[e][b] = next_numbers(loader, all[e][b]);
        }
        assert_ok(lstmae_loader_position(loader, &epoch, &at));
        assert_true(epoch == e && at == BATCHES);
        assert_int_equal(next_numbers(loader, got), 0);
    }
    for (int i = 0; i < 300; i++) {
        int e = i * 7 % EPOCHS, b = i * 5 % BATCHES, run = i % 4;
        assert_ok(lstmae_loader_seek(loader, e, b));
        for (; run > 0 && b < BATCHES; run--, b++) {
            assert_int_equal(next_numbers(loader, got), sizes[e][b]);
            assert_memory_equal(got, all[e][b], (size_t)sizes[e][b] * sizeof(float));
        }
    }
    assert_ok(lstmae_loader_seek(loader, 0, BATCHES)); /* the end of an epoch, then the next one */
    assert_int_equal(next_numbers(loader, got), 0);
    assert_int_equal(next_numbers(loader, got), 5);
    assert_memory_equal(got, all[1][0], 5 * sizeof(float));
    assert_fails(lstmae_loader_seek(loader, 0, BATCHES + 1), ERR_INVALID_ARG);
    assert_fails(lstmae_loader_seek(loader, 0, -1), ERR_INVALID_ARG);
    assert_fails(lstmae_loader_seek(loader, -1, 0), ERR_INVALID_ARG);
    assert_fails(lstmae_loader_seek(loader, INT64_MAX, 0), ERR_INVALID_ARG);
    assert_ok(lstmae_loader_position(loader, &epoch, &at));
    assert_true(epoch == 1 && at == 1);
    lstmae_loader_destroy(loader);
    lstmae_dataset_destroy(dataset);
}

/* An item that cannot be read is reported when its batch is asked for; then the same batch can be asked for again. */
static void errors_come_through(void **state)
{
    (void)state;
    for (int threads = 0; threads < 2; threads++) {
        float got[12];
        lstmae_batch batch = LSTMAE_BATCH_INIT;
        probe *p = probe_make(10);
        int64_t epoch, at;
        thread_refused = !threads;
        lstmae_loader *loader = loader_of(&p->base, 3, 0, 0, 0, 0);
        thread_refused = 0;
        atomic_store(&p->fail_at, 7);
        assert_int_equal(next_numbers(loader, got), 3);
        assert_int_equal(next_numbers(loader, got), 3);
        for (int repeat = 0; repeat < 3; repeat++) {
            assert_fails(lstmae_loader_next(loader, &batch), ERR_FORMAT);
            assert_string_equal(lstmae_last_error(), "probe: item 7 is bad");
            assert_null(batch.x);
        }
        assert_ok(lstmae_loader_position(loader, &epoch, &at));
        assert_true(epoch == 0 && at == 2);
        assert_ok(lstmae_loader_seek(loader, 0, 3));
        assert_int_equal(next_numbers(loader, got), 1);
        assert_ok(lstmae_loader_seek(loader, 0, 2));
        assert_fails(lstmae_loader_next(loader, &batch), ERR_FORMAT);
        atomic_store(&p->fail_at, -1);
        assert_int_equal(next_numbers(loader, got), 3);
        assert_true(got[0] == 6 && got[2] == 8);
        assert_int_equal(epoch_numbers(loader, got), 1);
        assert_int_equal(epoch_numbers(loader, got), 10);
        lstmae_loader_destroy(loader);
        lstmae_dataset_destroy(&p->base);
    }
}

/* Nothing is read before the first batch is asked for; then the next one is, on a thread that takes no signals. */
static void prepares_ahead(void **state)
{
    (void)state;
    float got[4];
    probe *p = probe_make(1000);
    lstmae_loader *loader = loader_of(&p->base, 4, 0, 0, 0, 0);
    usleep(20000);
    assert_int_equal(atomic_load(&p->reads), 0);
    assert_int_equal(next_numbers(loader, got), 4);
    for (int i = 0; i < 1000 && atomic_load(&p->reads) < 12; i++) usleep(1000);
    assert_int_equal(atomic_load(&p->reads), 12); /* two buffers ahead, no more */
    usleep(20000);
    assert_int_equal(atomic_load(&p->reads), 12);
    assert_true(atomic_load(&p->blocked));
    sigset_t signals;
    pthread_sigmask(SIG_BLOCK, NULL, &signals);
    assert_false(sigismember(&signals, SIGINT));
    lstmae_loader_destroy(loader);
    /* destroyed and sent elsewhere while it reads */
    atomic_store(&p->delay, 2000);
    for (int i = 0; i < 5; i++) {
        loader = loader_of(&p->base, 4, 0, 0, 0, 0);
        assert_int_equal(next_numbers(loader, got), 4);
        if (i % 2) {
            assert_ok(lstmae_loader_seek(loader, 3, 100));
            assert_int_equal(next_numbers(loader, got), 4);
            assert_true(got[0] == 400);
        }
        lstmae_loader_destroy(loader);
    }
    lstmae_dataset_destroy(&p->base);
}

static void note_warning(lstmae_log_level level, const char *message, void *payload)
{
    if (level == LSTMAE_LOG_WARNING && strstr(message, "no thread")) ++*(int *)payload;
}

/* Where no thread can be started everything works all the same, and a warning says so. */
static void works_without_thread(void **state)
{
    (void)state;
    int warnings = 0;
    float with[3][23], without[23];
    lstmae_dataset *dataset = numbers(23);
    lstmae_set_log(note_warning, LSTMAE_LOG_WARNING, &warnings);
    lstmae_loader *loader = loader_of(dataset, 4, LSTMAE_LOADER_SHUFFLE, 0, 0, 5);
    for (int e = 0; e < 3; e++) assert_int_equal(epoch_numbers(loader, with[e]), 23);
    lstmae_loader_destroy(loader);
    assert_int_equal(warnings, 0);
    thread_refused = 1;
    loader = loader_of(dataset, 4, LSTMAE_LOADER_SHUFFLE, 0, 0, 5);
    thread_refused = 0;
    lstmae_set_log(NULL, LSTMAE_LOG_NONE, NULL);
    assert_int_equal(warnings, 1);
    for (int e = 0; e < 3; e++) {
        assert_int_equal(epoch_numbers(loader, without), 23);
        assert_memory_equal(with[e], without, sizeof without);
    }
    assert_ok(lstmae_loader_seek(loader, 1, 0));
    assert_int_equal(epoch_numbers(loader, without), 23);
    assert_memory_equal(with[1], without, sizeof without);
    lstmae_loader_destroy(loader);
    lstmae_dataset_destroy(dataset);
}

/* A forked child has no loader's thread: it is told so instead of waiting for ever. */
static void forked_child_is_told(void **state)
{
    (void)state;
    float got[4];
    lstmae_dataset *dataset = numbers(40);
    lstmae_loader *loader = loader_of(dataset, 4, 0, 0, 0, 0);
    assert_int_equal(next_numbers(loader, got), 4);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        lstmae_batch batch = LSTMAE_BATCH_INIT;
        alarm(10);
        int bad = lstmae_loader_next(loader, &batch) != LSTMAE_ERR_STATE;
        bad |= lstmae_loader_seek(loader, 0, 0) != LSTMAE_ERR_STATE;
        lstmae_loader_destroy(loader);
        lstmae_dataset_destroy(dataset);
        _exit(bad);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(next_numbers(loader, got), 4);
    assert_true(got[0] == 4);
    lstmae_loader_destroy(loader);
    lstmae_dataset_destroy(dataset);
}

/* A loader of drawn, moving digits: the deepest chain of data sets, with a smaller last batch. */
static lstmae_status chain_loader(lstmae_loader **out, lstmae_context *with)
{
    lstmae_moving_options moving = LSTMAE_MOVING_OPTIONS_INIT;
    lstmae_loader_options options = LSTMAE_LOADER_OPTIONS_INIT;
    lstmae_dataset *digits = NULL, *part = NULL, *frames = NULL;
    *out = NULL;
    moving.frames = 4;
    moving.size = 20;
    options.batch = 3;
    options.epoch_items = 7;
    options.input_steps = 2;
    options.flags = LSTMAE_LOADER_TIME_MAJOR | LSTMAE_LOADER_SHUFFLE;
    lstmae_status status = lstmae_dataset_strokes(&digits, with, 100, 10, 1);
    if (status == LSTMAE_OK) status = lstmae_dataset_range(&part, digits, 10, 50);
    if (status == LSTMAE_OK) status = lstmae_dataset_moving(&frames, part, &moving);
    if (status == LSTMAE_OK) status = lstmae_loader_create(out, with, frames, &options);
    lstmae_dataset_destroy(digits);
    lstmae_dataset_destroy(part);
    lstmae_dataset_destroy(frames);
    return status;
}

/* From the first call on nothing is allocated, through last batches, ends of epochs and seeks. */
static void allocates_nothing(void **state)
{
    (void)state;
    test_heap heap = { 0 };
    lstmae_context *counted;
    lstmae_loader *loader;
    lstmae_batch batch = LSTMAE_BATCH_INIT;
    assert_ok(test_heap_context(&counted, &heap));
    assert_ok(chain_loader(&loader, counted));
    lstmae_context_destroy(counted); /* the loader keeps it */
    long before = heap.fault.uses;
    for (int i = 0; i < 20; i++) assert_true(lstmae_loader_next(loader, &batch) >= 0);
    assert_ok(lstmae_loader_seek(loader, 5, 1));
    for (int i = 0; i < 4; i++) assert_true(lstmae_loader_next(loader, &batch) >= 0);
    assert_int_equal(heap.fault.uses, before);
    lstmae_loader_destroy(loader);
    assert_int_equal(heap.live, 0);
}

static void every_allocation_fails(void **state)
{
    (void)state;
    test_heap heap = { 0 };
    lstmae_context *counted;
    lstmae_loader *loader;
    assert_ok(test_heap_context(&counted, &heap));
    long live = heap.live, points = 0;
    for (int keep = 0; keep < 2; keep++) {
        for (long at = 1;; at++) {
            heap.fault = (test_fault){ at, keep, 0 };
            lstmae_status status = chain_loader(&loader, counted);
            heap.fault.at = 0;
            lstmae_loader_destroy(loader);
            assert_int_equal(heap.live, live);
            if (heap.fault.uses < at) {
                assert_ok(status);
                break;
            }
            assert_true(status == LSTMAE_ERR_NO_MEMORY || status == LSTMAE_ERR_DEVICE_MEMORY);
            points++;
        }
    }
    assert_true(points > 20);
    lstmae_context_destroy(counted);
    assert_int_equal(heap.live, 0);
}

static void misused(void **state)
{
    (void)state;
    lstmae_dataset *dataset = sequences(context, 5, 7), *none;
    lstmae_loader *loader = (lstmae_loader *)&dataset;
    lstmae_batch batch = LSTMAE_BATCH_INIT;
    int64_t epoch, at;
    probe *endless = probe_make(INT64_MAX);
    assert_fails(lstmae_loader_create(NULL, context, dataset, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_loader_create(&loader, NULL, dataset, NULL), ERR_INVALID_ARG);
    assert_null(loader);
    assert_fails(lstmae_loader_create(&loader, context, NULL, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_loader_create(&loader, context, &endless->base, NULL), ERR_INVALID_ARG);
    assert_ok(lstmae_dataset_range(&none, dataset, 0, 0));
    assert_fails(lstmae_loader_create(&loader, context, none, NULL), ERR_INVALID_ARG);
    lstmae_dataset_destroy(none);
    const uint32_t size = sizeof(lstmae_loader_options);
    const struct {
        lstmae_loader_options options;
        lstmae_status status;
    } cases[] = {
        { { 0, 0, 1, 0, 0, 0 }, LSTMAE_ERR_INVALID_ARG },
        { { size, 8, 1, 0, 0, 0 }, LSTMAE_ERR_INVALID_ARG },
        { { size, 0, 0, 0, 0, 0 }, LSTMAE_ERR_INVALID_ARG },
        { { size, 0, -1, 0, 0, 0 }, LSTMAE_ERR_INVALID_ARG },
        { { size, 0, 1, 1, 0, 0 }, LSTMAE_ERR_INVALID_ARG },
        { { size, 0, 1, 0, -1, 0 }, LSTMAE_ERR_INVALID_ARG },
        { { size, 0, 1, 0, 6, 0 }, LSTMAE_ERR_INVALID_ARG },
        { { size, 0, 1, 0, 5, 0 }, LSTMAE_OK },
        { { size, LSTMAE_LOADER_TIME_MAJOR, 1, -1, 0, 0 }, LSTMAE_ERR_INVALID_ARG },
        { { size, LSTMAE_LOADER_TIME_MAJOR, 1, 8, 0, 0 }, LSTMAE_ERR_SHAPE },
        { { size, LSTMAE_LOADER_TIME_MAJOR, 1, 7, 0, 0 }, LSTMAE_OK },
        { { size, LSTMAE_LOADER_DROP_LAST, 6, 0, 0, 0 }, LSTMAE_ERR_INVALID_ARG },
        { { size, LSTMAE_LOADER_DROP_LAST, 5, 0, 0, 0 }, LSTMAE_OK },
        { { size, 0, INT64_MAX, 0, 0, 0 }, LSTMAE_OK },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lstmae_status status = lstmae_loader_create(&loader, context, dataset, &cases[i].options);
        if (status != cases[i].status) print_error("case %zu: %s\n", i, lstmae_last_error());
        assert_int_equal(status, cases[i].status);
        lstmae_loader_destroy(loader);
    }
    lstmae_loader_options time = { size, LSTMAE_LOADER_TIME_MAJOR, 1, 0, 10, 0 };
    assert_fails(lstmae_loader_create(&loader, context, &endless->base, &time), ERR_SHAPE);
    lstmae_loader_options huge = { size, 0, INT64_MAX / 2, 0, INT64_MAX / 2, 0 };
    assert_fails(lstmae_loader_create(&loader, context, &endless->base, &huge), ERR_SHAPE);
    const int64_t dims[4] = { 1, 1, 1, 1 };
    const float value = 0;
    lstmae_dataset *deep;
    assert_ok(lstmae_dataset_from_memory(&deep, context, &value, 1, 4, dims));
    assert_fails(lstmae_loader_create(&loader, context, deep, NULL), ERR_SHAPE);
    lstmae_dataset_destroy(deep);
    assert_ok(lstmae_loader_create(&loader, context, dataset, NULL));
    assert_fails(lstmae_loader_next(NULL, &batch), ERR_INVALID_ARG);
    assert_fails(lstmae_loader_next(loader, NULL), ERR_INVALID_ARG);
    batch.struct_size = 4;
    assert_fails(lstmae_loader_next(loader, &batch), ERR_INVALID_ARG);
    assert_fails(lstmae_loader_position(NULL, &epoch, &at), ERR_INVALID_ARG);
    assert_fails(lstmae_loader_position(loader, NULL, &at), ERR_INVALID_ARG);
    assert_fails(lstmae_loader_position(loader, &epoch, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_loader_seek(NULL, 0, 0), ERR_INVALID_ARG);
    assert_int_equal(lstmae_loader_batches(NULL), 0);
    assert_int_equal(lstmae_loader_batches(loader), 1);
    lstmae_loader_destroy(loader);
    lstmae_loader_destroy(NULL);
    lstmae_dataset_destroy(dataset);
    lstmae_dataset_destroy(&endless->base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_in_order),
        cmocka_unit_test(time_major),
        cmocka_unit_test(doubles),
        cmocka_unit_test(shuffles),
        cmocka_unit_test(endless_data_goes_on),
        cmocka_unit_test(seeks),
        cmocka_unit_test(errors_come_through),
        cmocka_unit_test(prepares_ahead),
        cmocka_unit_test(works_without_thread),
        cmocka_unit_test(forked_child_is_told),
        cmocka_unit_test(allocates_nothing),
        cmocka_unit_test(every_allocation_fails),
        cmocka_unit_test(misused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
