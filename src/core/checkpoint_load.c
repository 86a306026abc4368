#include "checkpoint_internal.h"

#include "context_internal.h"
#include "module_internal.h"
#include "ops.h"
#include "optim_internal.h"
#include "train_internal.h"

#include <string.h>

/* Elements that go through memory at a time when loading. */
#define LOAD_CHUNK ((size_t)65536)
#define LOAD_CHUNK_BYTES (8 * LOAD_CHUNK)

/* Weights up to this size are read to host memory as a whole before the first is changed. */
#define LOAD_STAGE (UINT64_C(64) << 20)

typedef struct load_job {
    const lstmae_checkpoint *content;
    lstmae_context *context;
    lae_memory *memory;
    uint64_t stage_limit;
    lae_file file;
    lae_safetensors st;
    int ours; /* the file carries our metadata */
    lae_checkpoint_state state;
    lae_checkpoint_items items;
    unsigned char *used;              /* of each tensor of the file: it has a place */
    unsigned char *chunk, *converted; /* LOAD_CHUNK_BYTES each */
    unsigned char *stage;
    size_t stage_bytes;
} load_job;

/* Versions and kinds that must fit before anything else is looked at. */
static lstmae_status load_check_origin(const load_job *job)
{
    char here[LAE_CHECKPOINT_FINGERPRINT], label[LAE_LABEL_BYTES];
    const char *format = lae_safetensors_metadata(&job->st, LAE_CHECKPOINT_KEY_FORMAT);
    const char *there = lae_safetensors_metadata(&job->st, LAE_CHECKPOINT_KEY_FINGERPRINT);
    const char *kind = lae_safetensors_metadata(&job->st, LAE_CHECKPOINT_KEY_OPTIMIZER_KIND);
    const lstmae_optimizer *optimizer = job->content->optimizer;
    if (job->ours && (!format || strcmp(format, LAE_CHECKPOINT_FORMAT) != 0))
        return LAE_FAIL(ERR_UNSUPPORTED, "%s: expected format " LAE_CHECKPOINT_FORMAT ", got '%s'", job->st.file,
                        format ? lae_label(label, format, strlen(format)) : "");
    if (optimizer && kind && strcmp(kind, lae_optimizer_kind_name(optimizer)) != 0)
        return LAE_FAIL(ERR_STATE, "%s: expected optimizer %s, got %s", job->st.file,
                        lae_label(label, kind, strlen(kind)), lae_optimizer_kind_name(optimizer));
    lae_checkpoint_fingerprint(here, job->context);
    if (there && strcmp(here, there) == 0) return LSTMAE_OK;
    lae_label(label, there ? there : "", there ? strlen(there) : 0);
    if (job->content->flags & LSTMAE_CHECKPOINT_SAME_BUILD)
        return LAE_FAIL(ERR_UNSUPPORTED, "%s: written by '%s', expected '%s'", job->st.file, label, here);
    if (optimizer)
        lae_log(LSTMAE_LOG_WARNING, "%s: written by '%s', continued by '%s': last bits may differ", job->st.file, label,
                here);
    return LSTMAE_OK;
}

static int load_has_best(const lae_safetensors *st)
{
    for (size_t i = 0; i < st->count; i++) {
        if (strncmp(lae_safetensors_name(st, &st->tensors[i]), LAE_CHECKPOINT_PREFIX_BEST,
                    sizeof LAE_CHECKPOINT_PREFIX_BEST - 1) == 0)
            return 1;
    }
    return 0;
}

/* Finds an item's tensor in the file and compares type and shape. */
static lstmae_status load_match_item(const load_job *job, lae_checkpoint_item *item)
{
    const lae_safetensors *st = &job->st;
    const lstmae_view *view = &item->tensor->view;
    int64_t dim[LAE_SAFETENSORS_MAX_RANK];
    item->source = lae_safetensors_find(st, item->name);
    if (!item->source) {
        if (job->content->flags & LSTMAE_CHECKPOINT_PARTIAL) return LSTMAE_OK;
        return LAE_FAIL(ERR_NOT_FOUND, "%s: it has no tensor '%s'", st->file, item->name);
    }
    job->used[item->source - st->tensors] = 1;
    if (!lae_safetensors_converts((lstmae_dtype)view->dtype, item->source->type))
        return LAE_FAIL(ERR_DTYPE, "%s: tensor '%s': expected %s, got %s", st->file, item->name,
                        view->dtype == LSTMAE_I64 ? "I64" : "floating-point numbers",
                        lae_safetensors_type_name(item->source->type));
    lae_safetensors_shape(st, item->source, dim);
    if (item->source->rank == view->ndim && memcmp(dim, view->dim, (size_t)view->ndim * sizeof dim[0]) == 0)
        return LSTMAE_OK;
    char want[LAE_SHAPE_TEXT], got[LAE_SHAPE_TEXT] = "[more axes]";
    if (item->source->rank <= LSTMAE_MAX_DIMS) {
        lstmae_view other = lae_view_of(NULL, view->dtype, item->source->rank, dim);
        lae_shape_text(got, sizeof got, &other);
    }
    return LAE_FAIL(ERR_SHAPE, "%s: tensor '%s': expected shape %s, got %s", st->file, item->name,
                    lae_shape_text(want, sizeof want, view), got);
}

/* 1 if a file's tensor without a place belongs to a part that was not asked for. */
static int load_may_skip(const load_job *job, const char *name)
{
    if (job->content->flags & LSTMAE_CHECKPOINT_PARTIAL) return 1;
    if (!job->ours) return 0;
    if (!job->content->optimizer &&
        strncmp(name, LAE_CHECKPOINT_PREFIX_OPTIMIZER, sizeof LAE_CHECKPOINT_PREFIX_OPTIMIZER - 1) == 0)
        return 1;
    if (strncmp(name, LAE_CHECKPOINT_PREFIX_ARRAY, sizeof LAE_CHECKPOINT_PREFIX_ARRAY - 1) == 0) return 1;
    return !job->content->state &&
           strncmp(name, LAE_CHECKPOINT_PREFIX_BEST, sizeof LAE_CHECKPOINT_PREFIX_BEST - 1) == 0;
}

/* Every tensor we want must be in the file, and every one of the file must be wanted. */
static lstmae_status load_match(load_job *job)
{
    char label[LAE_LABEL_BYTES];
    size_t found = 0;
    job->used = lae_calloc(job->memory, job->st.count, 1);
    if (!job->used) return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for %zu tensors", job->st.file, job->st.count);
    for (size_t i = 0; i < job->items.count; i++) {
        LAE_TRY(load_match_item(job, &job->items.item[i]));
        found += job->items.item[i].source && !job->items.item[i].array;
    }
    for (size_t i = 0; i < job->st.count; i++) {
        const char *name = lae_safetensors_name(&job->st, &job->st.tensors[i]);
        if (!job->used[i] && !load_may_skip(job, name))
            return LAE_FAIL(ERR_NOT_FOUND, "%s: nothing takes its tensor '%s'", job->st.file,
                            lae_label(label, name, strlen(name)));
    }
    if (found == 0 && job->items.count > (size_t)job->content->array_count)
        return LAE_FAIL(ERR_NOT_FOUND, "%s: it has none of the module's tensors", job->st.file);
    return LSTMAE_OK;
}

/* Everything that can be found wrong is found here; nothing has changed until it returns. */
static lstmae_status load_validate(load_job *job, const char *path)
{
    const lstmae_checkpoint *content = job->content;
    LAE_TRY(lae_file_open(&job->file, path));
    LAE_TRY(lae_safetensors_open(&job->st, job->memory, &job->file));
    job->chunk = lae_alloc(job->memory, LOAD_CHUNK_BYTES);
    job->converted = lae_alloc(job->memory, LOAD_CHUNK_BYTES);
    if (!job->chunk || !job->converted) return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory to read it", path);
    job->ours = lae_safetensors_verify_header(&job->st);
    LAE_TRY(job->ours);
    LAE_TRY(load_check_origin(job));
    if (job->ours) LAE_TRY(lae_safetensors_verify_data(&job->st, &job->file, job->chunk, LOAD_CHUNK_BYTES));
    LAE_TRY(lae_checkpoint_read(&job->state, &job->st));
    LAE_TRY(lae_checkpoint_check(&job->state, content, path));
    size_t best = content->state && load_has_best(&job->st) ? lae_module_state_count(content->module) : 0;
    LAE_TRY(lae_checkpoint_items_collect(&job->items, job->memory, content, best));
    return load_match(job);
}

/* Reads an item's tensor through the two chunks: into `stage`, or where that is NULL to its device. */
static lstmae_status load_transfer(const load_job *job, const lae_checkpoint_item *item, unsigned char *stage)
{
    const lae_safetensors_tensor *source = item->source;
    const lstmae_view *view = &item->tensor->view;
    size_t from = lae_safetensors_type_size(source->type), to = lae_dtype_size(view->dtype);
    size_t count = (size_t)lae_view_numel(view);
    for (size_t at = 0; at < count;) {
        size_t part = count - at < LOAD_CHUNK ? count - at : LOAD_CHUNK;
        unsigned char *out = stage ? stage + at * to : job->converted;
        LAE_TRY(lae_file_read(&job->file, job->st.data + source->begin + at * from, job->chunk, part * from));
        lae_safetensors_convert(out, (lstmae_dtype)view->dtype, job->chunk, source->type, part);
        if (!stage) {
            LAE_TRY(lae_op_upload(job->context, (char *)view->data + at * to, out, part * to));
            LAE_TRY(lae_op_sync(job->context)); /* before the chunk is used again */
        }
        at += part;
    }
    return LSTMAE_OK;
}

static size_t load_item_bytes(const lae_checkpoint_item *item)
{
    const lstmae_view *view = &item->tensor->view;
    return item->source ? (size_t)lae_view_numel(view) * lae_dtype_size(view->dtype) : 0;
}

/* Reads all tensors to host memory, where they are not too many for that. */
static lstmae_status load_stage(load_job *job)
{
    size_t at = 0;
    for (size_t i = 0; i < job->items.count; i++) job->stage_bytes += load_item_bytes(&job->items.item[i]);
    if (job->stage_bytes > job->stage_limit) return LSTMAE_OK;
    job->stage = lae_alloc(job->memory, job->stage_bytes);
    if (!job->stage) return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for %zu bytes", job->st.file, job->stage_bytes);
    for (size_t i = 0; i < job->items.count; i++) {
        if (job->items.item[i].source) LAE_TRY(load_transfer(job, &job->items.item[i], job->stage + at));
        at += load_item_bytes(&job->items.item[i]);
    }
    return LSTMAE_OK;
}

static lstmae_status load_tensors(const load_job *job)
{
    size_t at = 0;
    for (size_t i = 0; i < job->items.count; i++) {
        const lae_checkpoint_item *item = &job->items.item[i];
        if (!item->source) continue;
        lae_tensor_touch(item->tensor);
        if (!job->stage) {
            LAE_TRY(load_transfer(job, item, NULL));
            continue;
        }
        LAE_TRY(lae_op_upload(job->context, item->tensor->view.data, job->stage + at, load_item_bytes(item)));
        at += load_item_bytes(item);
    }
    return lae_op_sync(job->context);
}

/* Changes the objects. What can fail without the device failing comes first. */
static lstmae_status load_apply(load_job *job)
{
    lstmae_fit_state *state = job->content->state;
    size_t held = state ? lae_fit_state_best_count(state) : 0;
    lstmae_status status = lae_checkpoint_items_resolve_best(&job->items, job->content);
    if (status == LSTMAE_OK) status = lae_checkpoint_apply(&job->state, job->content);
    if (status < 0) {
        if (state && held == 0) lae_fit_state_drop_best(state);
        return status;
    }
    if (state && !load_has_best(&job->st)) lae_fit_state_drop_best(state);
    LAE_TRY(load_tensors(job));
    return lae_checkpoint_arrays_store(&job->items);
}

lstmae_status lae_checkpoint_load_staged(const char *path, const lstmae_checkpoint *content, uint64_t stage)
{
    lstmae_checkpoint c;
    LAE_TRY(lae_checkpoint_content_read(&c, content, path));
    load_job job = { .content = &c, .stage_limit = stage, .file = LAE_FILE_CLOSED };
    job.context = lstmae_module_context(c.module);
    job.memory = lae_context_memory(job.context);
    lstmae_status status = load_validate(&job, path);
    if (status == LSTMAE_OK) status = load_stage(&job);
    if (status == LSTMAE_OK) status = load_apply(&job);
    if (job.stage) lae_free(job.memory, job.stage, job.stage_bytes);
    lae_free(job.memory, job.chunk, LOAD_CHUNK_BYTES);
    lae_free(job.memory, job.converted, LOAD_CHUNK_BYTES);
    lae_free(job.memory, job.used, job.st.count);
    lae_checkpoint_items_free(&job.items, job.memory);
    lae_safetensors_close(&job.st);
    lae_file_close(&job.file);
    return status;
}

lstmae_status lstmae_checkpoint_load(const char *path, const lstmae_checkpoint *content)
{
    return lae_checkpoint_load_staged(path, content, LOAD_STAGE);
}
