#include "checkpoint_internal.h"

#include "context_internal.h"
#include "module_internal.h"
#include "ops.h"
#include "optim_internal.h"
#include "options.h"
#include "train_internal.h"

#include <stdio.h>
#include <string.h>

lstmae_status lae_checkpoint_content_read(lstmae_checkpoint *out, const lstmae_checkpoint *content, const char *path)
{
    static const lstmae_checkpoint defaults = LSTMAE_CHECKPOINT_INIT;
    const uint32_t known = LSTMAE_CHECKPOINT_PARTIAL | LSTMAE_CHECKPOINT_SAME_BUILD;
    LAE_CHECK_ARG(path != NULL, "checkpoint");
    LAE_CHECK_ARG(content != NULL, "checkpoint");
    LAE_TRY(lae_options_read(out, &defaults, sizeof *out, content, sizeof *out, "checkpoint"));
    if (out->flags & ~known) return LAE_FAIL(ERR_UNSUPPORTED, "checkpoint: unknown flags 0x%x", out->flags & ~known);
    if (!out->module) return LAE_FAIL(ERR_INVALID_ARG, "checkpoint: expected a module, got NULL");
    if ((out->flags & LSTMAE_CHECKPOINT_PARTIAL) && (out->optimizer || out->state))
        return LAE_FAIL(ERR_INVALID_ARG, "checkpoint: expected weights alone to load in part");
    LAE_TRY(lae_checkpoint_arrays_check(out));
    return LSTMAE_OK;
}

void lae_checkpoint_fingerprint(char text[LAE_CHECKPOINT_FINGERPRINT], const lstmae_context *context)
{
#if defined(__clang__)
    const char *compiler = "clang " __clang_version__;
#elif defined(__GNUC__)
    const char *compiler = "gcc " __VERSION__;
#else
    const char *compiler = "another compiler";
#endif
    snprintf(text, LAE_CHECKPOINT_FINGERPRINT, "lstmae %s; %s; %s; %s", lstmae_version_string(), compiler,
             lstmae_context_device(context), lae_dtype_name(lstmae_context_dtype(context)));
}

/* ---- which tensors ---- */

/* A new item with its name still to be written. */
static lae_checkpoint_item *items_next(lae_checkpoint_items *items, lstmae_tensor *tensor)
{
    lae_checkpoint_item *item = &items->item[items->count++];
    item->tensor = tensor;
    return item;
}

lstmae_status lae_checkpoint_item_name(lae_checkpoint_item *item, const char *prefix, const char *param)
{
    if (strlen(param) >= LAE_CHECKPOINT_NAME)
        return LAE_FAIL(ERR_INVALID_ARG, "checkpoint: expected a name below %d bytes, got '%.64s...'",
                        LAE_CHECKPOINT_NAME, param);
    snprintf(item->name, sizeof item->name, "%s%s", prefix, param);
    return LSTMAE_OK;
}

/* Files hold whole tensors in row-major order, and so does every parameter, buffer and moment. */
static lstmae_status items_check_layout(const lae_checkpoint_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        if (!lae_view_contiguous(&items->item[i].tensor->view))
            return LAE_FAIL(ERR_INTERNAL, "checkpoint: '%s' is not contiguous", items->item[i].name);
    }
    return LSTMAE_OK;
}

static lstmae_status items_add_module(lae_checkpoint_items *items, const lstmae_checkpoint *content)
{
    for (size_t i = 0; i < lae_module_state_count(content->module); i++) {
        const char *name;
        lae_checkpoint_item *item = items_next(items, lae_module_state_at(content->module, i, &name));
        LAE_TRY(lae_checkpoint_item_name(item, "", name));
    }
    return LSTMAE_OK;
}

static lstmae_status items_add_optimizer(lae_checkpoint_items *items, const lstmae_checkpoint *content)
{
    if (!content->optimizer) return LSTMAE_OK;
    for (size_t i = 0; i < lae_optimizer_slot_count(content->optimizer); i++) {
        lae_checkpoint_item *item = items_next(items, NULL);
        LAE_TRY(lae_optimizer_slot(content->optimizer, i, item->name, sizeof item->name, &item->tensor));
    }
    return LSTMAE_OK;
}

/* `count` best weights, named after parameters and buffers. Room for them is not made here. */
static lstmae_status items_add_best(lae_checkpoint_items *items, const lstmae_checkpoint *content, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *name;
        lae_checkpoint_item *item = items_next(items, lae_module_state_at(content->module, i, &name));
        item->best = i + 1;
        LAE_TRY(lae_checkpoint_item_name(item, LAE_CHECKPOINT_PREFIX_BEST, name));
    }
    return LSTMAE_OK;
}

lstmae_status lae_checkpoint_items_collect(lae_checkpoint_items *items, lae_memory *memory,
                                           const lstmae_checkpoint *content, size_t best)
{
    size_t own = lae_module_state_count(content->module);
    if (best != 0 && best != own)
        return LAE_FAIL(ERR_STATE, "checkpoint: expected best weights of the module's %zu, got %zu", own, best);
    items->count = 0;
    items->capacity = own + best;
    if (content->optimizer) items->capacity += lae_optimizer_slot_count(content->optimizer);
    items->capacity += (size_t)content->array_count;
    items->item = lae_calloc(memory, items->capacity, sizeof *items->item);
    if (!items->item) return LAE_FAIL(ERR_NO_MEMORY, "checkpoint: no memory for %zu tensors", items->capacity);
    LAE_TRY(items_add_module(items, content));
    LAE_TRY(items_add_optimizer(items, content));
    LAE_TRY(items_add_best(items, content, best));
    LAE_TRY(lae_checkpoint_arrays_add(items, content));
    return items_check_layout(items);
}

void lae_checkpoint_items_free(lae_checkpoint_items *items, lae_memory *memory)
{
    for (size_t i = 0; i < items->count; i++)
        if (items->item[i].array) lstmae_tensor_destroy(items->item[i].tensor);
    lae_free(memory, items->item, items->capacity * sizeof *items->item);
}

lstmae_status lae_checkpoint_items_resolve_best(const lae_checkpoint_items *items, const lstmae_checkpoint *content)
{
    for (size_t i = 0; i < items->count; i++) {
        lae_checkpoint_item *item = &items->item[i];
        if (item->best == 0) continue;
        LAE_TRY(lae_fit_state_best_slot(content->state, content->module, item->best - 1, NULL, 0, &item->tensor));
    }
    return LSTMAE_OK;
}

/* ---- saving ---- */

static lstmae_status save_read(void *payload, size_t index, uint64_t first, void *buffer, size_t bytes)
{
    const lae_checkpoint_items *items = payload;
    const lstmae_tensor *tensor = items->item[index].tensor;
    return lae_op_download(tensor->storage->context, buffer, (const char *)tensor->view.data + first, bytes);
}

static void save_entries(lae_safetensors_entry *entries, const lae_checkpoint_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        const lstmae_view *view = &items->item[i].tensor->view;
        lae_safetensors_entry *entry = &entries[i];
        entry->name = items->item[i].name;
        entry->rank = view->ndim;
        memcpy(entry->dim, view->dim, sizeof entry->dim);
        entry->type = lae_safetensors_type_of((lstmae_dtype)view->dtype);
    }
}

#define SAVE_METADATA_MOST (4 + LAE_CHECKPOINT_GROUP_COUNT)

static lstmae_status save_items(const char *path, lae_memory *memory, const lstmae_checkpoint *content,
                                lae_checkpoint_items *items, lae_safetensors_entry *entries)
{
    lae_checkpoint_state state;
    char fingerprint[LAE_CHECKPOINT_FINGERPRINT], text[LAE_CHECKPOINT_GROUP_COUNT][LAE_CHECKPOINT_GROUP_TEXT];
    const char *metadata[SAVE_METADATA_MOST][2];
    size_t count = 0;
    save_entries(entries, items);
    LAE_TRY(lae_checkpoint_gather(&state, content));
    lae_checkpoint_fingerprint(fingerprint, lstmae_module_context(content->module));
    metadata[count][0] = LAE_CHECKPOINT_KEY_FORMAT, metadata[count++][1] = LAE_CHECKPOINT_FORMAT;
    metadata[count][0] = LAE_CHECKPOINT_KEY_FINGERPRINT, metadata[count++][1] = fingerprint;
    if (content->config) metadata[count][0] = LAE_CHECKPOINT_KEY_CONFIG, metadata[count++][1] = content->config;
    if (content->optimizer)
        metadata[count][0] = LAE_CHECKPOINT_KEY_OPTIMIZER_KIND,
        metadata[count++][1] = lae_optimizer_kind_name(content->optimizer);
    for (int group = 0; group < LAE_CHECKPOINT_GROUP_COUNT; group++) {
        if (!state.present[group]) continue;
        lae_checkpoint_format(text[group], &state, group);
        metadata[count][0] = lae_checkpoint_key(group), metadata[count++][1] = text[group];
    }
    const lae_safetensors_content file = { entries, items->count, (const char *const(*)[2])metadata,
                                           count,   save_read,    items };
    return lae_safetensors_save(path, memory, &file);
}

lstmae_status lstmae_checkpoint_save(const char *path, const lstmae_checkpoint *content)
{
    lstmae_checkpoint c;
    lae_checkpoint_items items = { NULL, 0, 0 };
    LAE_TRY(lae_checkpoint_content_read(&c, content, path));
    lae_memory *memory = lae_context_memory(lstmae_module_context(c.module));
    lae_safetensors_entry *entries = NULL;
    lstmae_status status =
        lae_checkpoint_items_collect(&items, memory, &c, c.state ? lae_fit_state_best_count(c.state) : 0);
    if (status == LSTMAE_OK) status = lae_checkpoint_items_resolve_best(&items, &c);
    if (status == LSTMAE_OK) {
        entries = lae_calloc(memory, items.count, sizeof *entries);
        status = entries ? save_items(path, memory, &c, &items, entries)
                         : LAE_FAIL(ERR_NO_MEMORY, "checkpoint: no memory for %zu tensors", items.count);
    }
    lae_free(memory, entries, items.count * sizeof *entries);
    lae_checkpoint_items_free(&items, memory);
    return status;
}

/* ---- the caller's text ---- */

static lstmae_status config_copy(char **text, const lae_safetensors *st)
{
    LAE_TRY(lae_safetensors_verify_header(st));
    const char *config = lae_safetensors_metadata(st, LAE_CHECKPOINT_KEY_CONFIG);
    size_t bytes = config ? strlen(config) + 1 : 1;
    *text = lae_alloc(lae_memory_default(), bytes);
    if (!*text) return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for a text of %zu bytes", st->file, bytes);
    memcpy(*text, config ? config : "", bytes);
    return LSTMAE_OK;
}

lstmae_status lstmae_checkpoint_config(const char *path, char **text)
{
    lae_file file;
    lae_safetensors st;
    LAE_CHECK_ARG(text != NULL, "checkpoint_config");
    *text = NULL;
    LAE_CHECK_ARG(path != NULL, "checkpoint_config");
    LAE_TRY(lae_file_open(&file, path));
    lstmae_status status = lae_safetensors_open(&st, lae_memory_default(), &file);
    if (status == LSTMAE_OK) {
        status = config_copy(text, &st);
        lae_safetensors_close(&st);
    }
    lae_file_close(&file);
    return status;
}

void lstmae_checkpoint_config_free(char *text)
{
    if (text) lae_free(lae_memory_default(), text, strlen(text) + 1);
}
