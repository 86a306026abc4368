/*
 * The loader: a thread fills one host buffer while the caller uses the other. The caller's thread alone touches
 * tensors and the context; the loader's thread only reads the data set.
 *
 * Where a device uploads beside its work, the batch after the one that is handed out is already on its way: into a
 * landing place on the device, from where it is copied when its turn comes, so that the tensors of batches keep their
 * memory. A host buffer goes back to the thread when what it held has arrived.
 */
#include "batcher.h"
#include "buffer.h"
#include "ops.h"
#include "options.h"
#include "staging.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOADER_TEXT 512

typedef struct loader_slot {
    lae_staging memory;
    int full;
    lstmae_status status;   /* of filling it */
    char text[LOADER_TEXT]; /* error text of the thread that filled it */
} loader_slot;

/* x and target for one size of batch. */
typedef struct loader_tensors {
    lstmae_tensor *x, *target;
} loader_tensors;

struct lstmae_loader {
    lstmae_context *context; /* retained */
    lae_batcher batcher;
    int64_t input_steps;
    loader_tensors full, last; /* last: views of full */
    int64_t epoch, batch;      /* the caller's position */
    lae_buffer landing;        /* where uploads go beside other work: a batch as it lies in a slot */
    int underway;              /* the next batch, that of slot `take`, is being uploaded to it */

    int threaded;
    pid_t process; /* the one that has the thread */
    pthread_t thread;
    pthread_mutex_t lock; /* guards all that follows */
    pthread_cond_t wake, ready;
    int wanted, busy, quit;
    int64_t fill_epoch, fill_batch;
    unsigned fill, take; /* slots of the thread's and the caller's next batch */
    loader_slot slots[2];
};

static void loader_fill(lstmae_loader *loader, loader_slot *slot, int64_t epoch, int64_t batch)
{
    slot->status = lae_batcher_fill(&loader->batcher, epoch, batch, slot->memory.data);
    if (slot->status < 0) snprintf(slot->text, sizeof slot->text, "%s", lstmae_last_error());
}

/* Under the lock: the thread's position moves on. After an error it stays and waits until the caller has seen it. */
static void loader_advance(lstmae_loader *loader)
{
    loader->slots[loader->fill].full = 1;
    if (loader->slots[loader->fill].status < 0) {
        loader->wanted = 0;
        return;
    }
    loader->fill ^= 1;
    if (++loader->fill_batch == loader->batcher.batches) {
        loader->fill_batch = 0;
        loader->fill_epoch++;
    }
}

static void *loader_main(void *payload)
{
    lstmae_loader *loader = payload;
    pthread_mutex_lock(&loader->lock);
    for (;;) {
        while (!loader->quit && (!loader->wanted || loader->slots[loader->fill].full))
            pthread_cond_wait(&loader->wake, &loader->lock);
        if (loader->quit) break;
        loader_slot *slot = &loader->slots[loader->fill];
        int64_t epoch = loader->fill_epoch, batch = loader->fill_batch;
        loader->busy = 1;
        pthread_mutex_unlock(&loader->lock);
        loader_fill(loader, slot, epoch, batch);
        pthread_mutex_lock(&loader->lock);
        loader->busy = 0;
        loader_advance(loader);
        pthread_cond_signal(&loader->ready);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

/* Starts the thread with all signals blocked: they belong to the program's threads. Returns an errno value. */
static int loader_start(lstmae_loader *loader)
{
    sigset_t all, before;
    int code = pthread_mutex_init(&loader->lock, NULL);
    if (code != 0) return code;
    if ((code = pthread_cond_init(&loader->wake, NULL)) != 0) goto no_wake;
    if ((code = pthread_cond_init(&loader->ready, NULL)) != 0) goto no_ready;
    sigfillset(&all);
    if ((code = pthread_sigmask(SIG_SETMASK, &all, &before)) != 0) goto no_thread;
    code = pthread_create(&loader->thread, NULL, loader_main, loader);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code == 0) return 0;
no_thread:
    pthread_cond_destroy(&loader->ready);
no_ready:
    pthread_cond_destroy(&loader->wake);
no_wake:
    pthread_mutex_destroy(&loader->lock);
    return code;
}

/* Ends and joins the thread. In a forked child there is none, and the lock's state is unknown. */
static void loader_stop(lstmae_loader *loader)
{
    if (!loader->threaded || loader->process != getpid()) return;
    pthread_mutex_lock(&loader->lock);
    loader->quit = 1;
    pthread_cond_signal(&loader->wake);
    pthread_mutex_unlock(&loader->lock);
    pthread_join(loader->thread, NULL);
    pthread_cond_destroy(&loader->ready);
    pthread_cond_destroy(&loader->wake);
    pthread_mutex_destroy(&loader->lock);
}

/* Makes the tensors of a batch of `count` items, or views of those of a larger one. */
static lstmae_status loader_make_tensors(lstmae_loader *loader, loader_tensors *tensors, int64_t count,
                                         const loader_tensors *larger)
{
    const lae_batcher *batcher = &loader->batcher;
    const lstmae_dataset *dataset = batcher->dataset;
    int64_t dims[LSTMAE_MAX_DIMS];
    int ndim = 0;
    if (loader->input_steps > 0) {
        int64_t input[3] = { loader->input_steps, count, batcher->width };
        int64_t rest[3] = { batcher->steps - loader->input_steps, count, batcher->width };
        if (rest[0] > 0 && larger)
            LAE_TRY(lstmae_tensor_view(&tensors->target, larger->target, 3, rest, NULL, 0));
        else if (rest[0] > 0)
            LAE_TRY(lstmae_tensor_create(&tensors->target, loader->context, batcher->dtype, 3, rest));
        ndim = 3;
        memcpy(dims, input, sizeof input);
    } else {
        dims[ndim++] = count;
        for (int i = 0; i < dataset->ndim; i++) dims[ndim++] = dataset->dim[i];
    }
    if (larger) return lstmae_tensor_view(&tensors->x, larger->x, ndim, dims, NULL, 0);
    return lstmae_tensor_create(&tensors->x, loader->context, batcher->dtype, ndim, dims);
}

static lstmae_status loader_prepare(lstmae_loader *loader, lstmae_dataset *dataset,
                                    const lstmae_loader_options *options)
{
    LAE_TRY(lae_batcher_init(&loader->batcher, loader->context, dataset, options));
    if (options->flags & LSTMAE_LOADER_TIME_MAJOR)
        loader->input_steps = options->input_steps > 0 ? options->input_steps : loader->batcher.steps;
    for (int i = 0; i < 2; i++)
        if (!lae_staging_init(&loader->slots[i].memory, loader->context, loader->batcher.bytes))
            return LAE_FAIL(ERR_NO_MEMORY, "loader_create: no memory for a batch of %zu bytes", loader->batcher.bytes);
    if (lae_op_uploads_beside(loader->context))
        LAE_TRY(lae_buffer_reserve(&loader->landing, loader->context, loader->batcher.bytes, 1));
    LAE_TRY(loader_make_tensors(loader, &loader->full, loader->batcher.batch, NULL));
    if (loader->batcher.last > 0)
        LAE_TRY(loader_make_tensors(loader, &loader->last, loader->batcher.last, &loader->full));
    return LSTMAE_OK;
}

lstmae_status lstmae_loader_create(lstmae_loader **out, lstmae_context *context, lstmae_dataset *dataset,
                                   const lstmae_loader_options *options)
{
    static const lstmae_loader_options defaults = LSTMAE_LOADER_OPTIONS_INIT;
    const uint32_t known = LSTMAE_LOADER_SHUFFLE | LSTMAE_LOADER_DROP_LAST | LSTMAE_LOADER_TIME_MAJOR;
    lstmae_loader_options o;
    LAE_CHECK_ARG(out, "loader_create");
    *out = NULL;
    LAE_CHECK_ARG(context, "loader_create");
    LAE_CHECK_ARG(dataset, "loader_create");
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "loader options"));
    LAE_CHECK_ARG((o.flags & ~known) == 0, "loader_create");
    LAE_CHECK_ARG(o.batch >= 1, "loader_create");
    LAE_CHECK_ARG(o.input_steps >= 0, "loader_create");
    LAE_CHECK_ARG(o.epoch_items >= 0, "loader_create");
    lstmae_loader *loader = lae_calloc(lae_context_memory(context), 1, sizeof *loader);
    if (!loader) return LAE_FAIL(ERR_NO_MEMORY, "loader_create: no memory for %zu bytes", sizeof *loader);
    loader->context = lae_context_retain(context);
    lstmae_status status = loader_prepare(loader, dataset, &o);
    if (status < 0) {
        lstmae_loader_destroy(loader);
        return status;
    }
    int code = loader_start(loader);
    loader->threaded = code == 0;
    loader->process = getpid();
    if (code != 0)
        lae_log(LSTMAE_LOG_WARNING, "loader: no thread (error %d); batches are prepared when asked for", code);
    *out = loader;
    return LSTMAE_OK;
}

/* Sees an upload that is underway to its end. */
static lstmae_status loader_settle(lstmae_loader *loader)
{
    if (!loader->underway) return LSTMAE_OK;
    loader->underway = 0;
    return lae_op_upload_end(loader->context);
}

void lstmae_loader_destroy(lstmae_loader *loader)
{
    if (!loader) return;
    loader_stop(loader);
    if (loader->process == getpid()) (void)loader_settle(loader);
    lstmae_context *context = loader->context;
    lae_memory *memory = lae_context_memory(context);
    lstmae_tensor_destroy(loader->last.x);
    lstmae_tensor_destroy(loader->last.target);
    lstmae_tensor_destroy(loader->full.x);
    lstmae_tensor_destroy(loader->full.target);
    for (int i = 0; i < 2; i++) lae_staging_release(&loader->slots[i].memory);
    lae_buffer_release(&loader->landing);
    lae_batcher_free(&loader->batcher);
    lae_free(memory, loader, sizeof *loader);
    lae_context_release(context);
}

/* Under the lock, or without a thread: forgets what was prepared and starts over from the caller's position. */
static void loader_restart(lstmae_loader *loader)
{
    loader->slots[0].full = loader->slots[1].full = 0;
    loader->fill = loader->take = 0;
    loader->fill_epoch = loader->epoch;
    loader->fill_batch = loader->batch;
    if (loader->fill_batch == loader->batcher.batches) {
        loader->fill_batch = 0;
        loader->fill_epoch++;
    }
}

/* The slot with the batch at the caller's position, filled. */
static loader_slot *loader_wait(lstmae_loader *loader)
{
    loader_slot *slot = &loader->slots[loader->take];
    if (!loader->threaded) {
        if (!slot->full) {
            loader_fill(loader, slot, loader->epoch, loader->batch);
            slot->full = 1;
        }
        return slot;
    }
    pthread_mutex_lock(&loader->lock);
    if (!loader->wanted) {
        loader->wanted = 1;
        pthread_cond_signal(&loader->wake);
    }
    while (!slot->full) pthread_cond_wait(&loader->ready, &loader->lock);
    pthread_mutex_unlock(&loader->lock);
    return slot;
}

/* Gives the slot back: to be filled with a later batch, or after an error once more. */
static void loader_return(lstmae_loader *loader, loader_slot *slot)
{
    if (loader->threaded) pthread_mutex_lock(&loader->lock);
    if (slot->status < 0) {
        loader_restart(loader);
    } else {
        slot->full = 0;
        loader->take ^= 1;
    }
    if (loader->threaded) {
        pthread_cond_signal(&loader->wake);
        pthread_mutex_unlock(&loader->lock);
    }
}

/* ---- from a slot to the tensors ---- */

static size_t loader_tensor_bytes(const lstmae_tensor *tensor)
{
    return tensor ? (size_t)lae_view_numel(&tensor->view) * lae_dtype_size(tensor->view.dtype) : 0;
}

static const loader_tensors *loader_tensors_of(const lstmae_loader *loader, int64_t batch)
{
    return lae_batcher_count(&loader->batcher, batch) == loader->batcher.batch ? &loader->full : &loader->last;
}

static lstmae_status loader_upload(const loader_tensors *tensors, const loader_slot *slot)
{
    const unsigned char *data = slot->memory.data;
    const size_t bytes = loader_tensor_bytes(tensors->x);
    LAE_TRY(lstmae_tensor_write(tensors->x, data, bytes));
    if (!tensors->target) return LSTMAE_OK;
    return lstmae_tensor_write(tensors->target, data + bytes, loader_tensor_bytes(tensors->target));
}

/* Sends the batch in `slot`, the one at the caller's position, on its way. */
static lstmae_status loader_send(lstmae_loader *loader, const loader_slot *slot)
{
    const loader_tensors *tensors = loader_tensors_of(loader, loader->batch % loader->batcher.batches);
    const size_t bytes = loader_tensor_bytes(tensors->x) + loader_tensor_bytes(tensors->target);
    LAE_TRY(lae_op_upload_begin(loader->context, loader->landing.data, slot->memory.data, bytes));
    loader->underway = 1;
    return LSTMAE_OK;
}

static lstmae_status loader_land(const lstmae_loader *loader, lstmae_tensor *tensor, size_t offset)
{
    lstmae_view from = tensor->view;
    from.data = (unsigned char *)loader->landing.data + offset;
    lae_tensor_touch(tensor);
    return lae_op_copy(loader->context, &tensor->view, &from);
}

/* loader_upload() by way of the landing place. The slot's content has left it afterwards. */
static lstmae_status loader_receive(lstmae_loader *loader, const loader_tensors *tensors, const loader_slot *slot)
{
    if (!loader->underway) LAE_TRY(loader_send(loader, slot));
    LAE_TRY(loader_settle(loader));
    LAE_TRY(loader_land(loader, tensors->x, 0));
    return tensors->target ? loader_land(loader, tensors->target, loader_tensor_bytes(tensors->x)) : LSTMAE_OK;
}

/* The next batch follows at once if the thread has it ready. What fails here is tried again when its turn comes. */
static void loader_send_next(lstmae_loader *loader)
{
    const loader_slot *slot = &loader->slots[loader->take];
    if (!loader->threaded) return;
    pthread_mutex_lock(&loader->lock);
    const int ready = slot->full && slot->status == LSTMAE_OK;
    pthread_mutex_unlock(&loader->lock);
    if (ready) (void)loader_send(loader, slot);
}

/* ---- use ---- */

static lstmae_status loader_check_process(const lstmae_loader *loader)
{
    if (!loader->threaded || loader->process == getpid()) return LSTMAE_OK;
    return LAE_FAIL(ERR_STATE, "loader: its thread stayed in the process that forked; create another one here");
}

lstmae_status lstmae_loader_next(lstmae_loader *loader, lstmae_batch *batch)
{
    lstmae_batch values = LSTMAE_BATCH_INIT;
    LAE_CHECK_ARG(loader, "loader_next");
    LAE_CHECK_ARG(batch, "loader_next");
    LAE_TRY(lae_options_write(batch, &values, sizeof values, sizeof values, "batch"));
    LAE_TRY(loader_check_process(loader));
    if (loader->batch == loader->batcher.batches) {
        loader->batch = 0;
        loader->epoch++;
        return 0;
    }
    loader_slot *slot = loader_wait(loader);
    if (slot->status < 0) {
        lstmae_status status = lae_fail(slot->status, "%s", slot->text);
        loader_return(loader, slot);
        return status;
    }
    values.count = lae_batcher_count(&loader->batcher, loader->batch);
    values.index = loader->batch;
    const loader_tensors *tensors = loader_tensors_of(loader, loader->batch);
    const int beside = loader->landing.data != NULL;
    LAE_TRY(beside ? loader_receive(loader, tensors, slot) : loader_upload(tensors, slot));
    loader_return(loader, slot);
    loader->batch++;
    if (beside) loader_send_next(loader);
    values.x = tensors->x;
    values.target = tensors->target;
    LAE_TRY(lae_options_write(batch, &values, sizeof values, sizeof values, "batch"));
    return 1;
}

int64_t lstmae_loader_batches(const lstmae_loader *loader)
{
    return loader ? loader->batcher.batches : 0;
}

lstmae_status lstmae_loader_position(const lstmae_loader *loader, int64_t *epoch, int64_t *batch)
{
    LAE_CHECK_ARG(loader, "loader_position");
    LAE_CHECK_ARG(epoch, "loader_position");
    LAE_CHECK_ARG(batch, "loader_position");
    *epoch = loader->epoch;
    *batch = loader->batch;
    return LSTMAE_OK;
}

lstmae_status lstmae_loader_seek(lstmae_loader *loader, int64_t epoch, int64_t batch)
{
    LAE_CHECK_ARG(loader, "loader_seek");
    LAE_CHECK_ARG(epoch >= 0 && epoch <= INT64_MAX / 2, "loader_seek");
    if (batch < 0 || batch > loader->batcher.batches)
        return LAE_FAIL(ERR_INVALID_ARG, "loader_seek: expected a batch in [0,%lld], got %lld",
                        (long long)loader->batcher.batches, (long long)batch);
    LAE_TRY(loader_check_process(loader));
    LAE_TRY(loader_settle(loader));
    if (loader->threaded) {
        pthread_mutex_lock(&loader->lock);
        loader->wanted = 0;
        while (loader->busy) pthread_cond_wait(&loader->ready, &loader->lock);
    }
    loader->epoch = epoch;
    loader->batch = batch;
    loader_restart(loader);
    if (loader->threaded) pthread_mutex_unlock(&loader->lock);
    return LSTMAE_OK;
}
