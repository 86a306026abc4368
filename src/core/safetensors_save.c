#include "safetensors.h"

#include "crc32c.h"
#include "json.h"
#include "replace.h"
#include "size.h"
#include "sort.h"

#include <string.h>

/* Bytes that go through memory at a time; a multiple of every element size. */
#define SAVE_CHUNK ((size_t)1 << 20)

typedef struct save_job {
    const lae_safetensors_content *content;
    lae_memory *memory;
    uint32_t *sums;  /* checksum of each tensor */
    uint32_t *order; /* of the names, for the search for equal ones */
    char *header;
    size_t header_bytes; /* with padding */
    unsigned char *chunk;
} save_job;

/* Bytes of a tensor's data; 0 if that overflows. */
static int save_entry_bytes(const lae_safetensors_entry *entry, size_t *bytes)
{
    int64_t elements;
    for (int axis = 0; axis < entry->rank; axis++) {
        if (entry->dim[axis] > (int64_t)LAE_SAFETENSORS_MAX_DIM) return 0;
    }
    return lae_product(&elements, entry->rank, entry->dim) &&
           lae_mul_size(bytes, (size_t)elements, lae_safetensors_type_size(entry->type));
}

static int save_order(const void *a, const void *b, const void *payload)
{
    const lae_safetensors_entry *entries = payload;
    return strcmp(entries[*(const uint32_t *)a].name, entries[*(const uint32_t *)b].name);
}

static lstmae_status save_check(const save_job *job)
{
    const lae_safetensors_content *content = job->content;
    char label[LAE_LABEL_BYTES];
    size_t total = 0, bytes;
    for (size_t i = 0; i < content->count; i++) {
        const char *name = content->entries[i].name;
        job->order[i] = (uint32_t)i;
        lae_label(label, name, strlen(name));
        if (!lae_utf8_valid(name, strlen(name)) || strcmp(name, "__metadata__") == 0)
            return LAE_FAIL(ERR_INVALID_ARG, "safetensors: '%s' is no name for a tensor", label);
        if (!save_entry_bytes(&content->entries[i], &bytes) || !lae_add_size(&total, total, bytes))
            return LAE_FAIL(ERR_SHAPE, "safetensors: shape of '%s' is too large", label);
    }
    for (size_t i = 0; i < content->metadata_count; i++) {
        const char *key = content->metadata[i][0], *value = content->metadata[i][1];
        if (!lae_utf8_valid(key, strlen(key)) || !lae_utf8_valid(value, strlen(value)))
            return LAE_FAIL(ERR_INVALID_ARG, "safetensors: text of '%s' is not valid UTF-8",
                            lae_label(label, key, strlen(key)));
    }
    lae_sort(job->order, content->count, sizeof *job->order, save_order, content->entries);
    for (size_t i = 1; i < content->count; i++) {
        const char *name = content->entries[job->order[i]].name;
        if (strcmp(name, content->entries[job->order[i - 1]].name) == 0)
            return LAE_FAIL(ERR_INVALID_ARG, "safetensors: two tensors are called '%s'",
                            lae_label(label, name, strlen(name)));
    }
    return LSTMAE_OK;
}

/* One pass over a tensor's data: into the file where there is one, and its checksum. */
static lstmae_status save_tensor(const save_job *job, size_t index, lae_file *file, uint32_t *crc)
{
    size_t size = 0;
    (void)save_entry_bytes(&job->content->entries[index], &size); /* was checked */
    *crc = 0;
    for (size_t at = 0; at < size;) {
        size_t part = size - at < SAVE_CHUNK ? size - at : SAVE_CHUNK;
        LAE_TRY(job->content->read(job->content->payload, index, at, job->chunk, part));
        *crc = lae_crc32c(*crc, job->chunk, part);
        if (file) LAE_TRY(lae_file_write(file, job->chunk, part));
        at += part;
    }
    return LSTMAE_OK;
}

static void header_write_metadata(const save_job *job, lae_text *text)
{
    lae_text_put(text, LAE_SAFETENSORS_PREFIX "00000000\",\"" LAE_SAFETENSORS_SUMS_KEY "\":\"");
    for (size_t i = 0; i < job->content->count; i++) lae_text_hex(text, job->sums[i], 8);
    lae_text_put(text, "\"");
    for (size_t i = 0; i < job->content->metadata_count; i++) {
        lae_text_put(text, ",");
        lae_text_json(text, job->content->metadata[i][0]);
        lae_text_put(text, ":");
        lae_text_json(text, job->content->metadata[i][1]);
    }
    lae_text_put(text, "}");
}

static void header_write_tensor(const lae_safetensors_entry *entry, uint64_t begin, uint64_t end, lae_text *text)
{
    lae_text_put(text, ",");
    lae_text_json(text, entry->name);
    lae_text_put(text, ":{\"dtype\":\"");
    lae_text_put(text, lae_safetensors_type_name(entry->type));
    lae_text_put(text, "\",\"shape\":[");
    for (int axis = 0; axis < entry->rank; axis++) {
        if (axis > 0) lae_text_put(text, ",");
        lae_text_uint(text, (uint64_t)entry->dim[axis]);
    }
    lae_text_put(text, "],\"data_offsets\":[");
    lae_text_uint(text, begin);
    lae_text_put(text, ",");
    lae_text_uint(text, end);
    lae_text_put(text, "]}");
}

/* The header without its digest, padded by spaces so that the data begins at a multiple of the alignment. */
static void header_write(const save_job *job, lae_text *text)
{
    uint64_t begin = 0;
    header_write_metadata(job, text);
    for (size_t i = 0; i < job->content->count; i++) {
        size_t bytes = 0;
        (void)save_entry_bytes(&job->content->entries[i], &bytes);
        header_write_tensor(&job->content->entries[i], begin, begin + bytes, text);
        begin += bytes;
    }
    lae_text_put(text, "}");
    while ((text->used + 8) % LAE_SAFETENSORS_ALIGNMENT != 0) lae_text_put(text, " ");
}

static lstmae_status save_header(save_job *job)
{
    for (size_t i = 0; i < job->content->count; i++) LAE_TRY(save_tensor(job, i, NULL, &job->sums[i]));
    lae_text measured = { NULL, 0, 0 };
    header_write(job, &measured);
    if (measured.used > LAE_SAFETENSORS_MAX_HEADER)
        return LAE_FAIL(ERR_INVALID_ARG, "safetensors: header of %zu bytes is over %u", measured.used,
                        LAE_SAFETENSORS_MAX_HEADER);
    job->header = lae_alloc(job->memory, measured.used);
    if (!job->header) return LAE_FAIL(ERR_NO_MEMORY, "safetensors: no memory for a header of %zu bytes", measured.used);
    job->header_bytes = measured.used;
    lae_text text = { job->header, job->header_bytes, 0 };
    header_write(job, &text);
    lae_text digest = { job->header + sizeof LAE_SAFETENSORS_PREFIX - 1, 8, 0 };
    lae_text_hex(&digest, lae_safetensors_header_digest(job->header, job->header_bytes), 8);
    return LSTMAE_OK;
}

static lstmae_status save_write(const save_job *job, lae_file *file)
{
    uint64_t length = job->header_bytes;
    LAE_TRY(lae_file_write(file, &length, sizeof length));
    LAE_TRY(lae_file_write(file, job->header, job->header_bytes));
    for (size_t i = 0; i < job->content->count; i++) {
        uint32_t crc;
        LAE_TRY(save_tensor(job, i, file, &crc));
        if (crc != job->sums[i])
            return LAE_FAIL(ERR_INTERNAL, "safetensors: '%s' changed while it was written",
                            job->content->entries[i].name);
    }
    return LSTMAE_OK;
}

static lstmae_status save_prepare(save_job *job)
{
    job->sums = lae_calloc(job->memory, job->content->count, sizeof *job->sums);
    job->order = lae_calloc(job->memory, job->content->count, sizeof *job->order);
    job->chunk = lae_alloc(job->memory, SAVE_CHUNK);
    if (!job->sums || !job->order || !job->chunk)
        return LAE_FAIL(ERR_NO_MEMORY, "safetensors: no memory to write %zu tensors", job->content->count);
    LAE_TRY(save_check(job));
    return save_header(job);
}

lstmae_status lae_safetensors_save(const char *path, lae_memory *memory, const lae_safetensors_content *content)
{
    save_job job = { .content = content, .memory = memory };
    lae_replacement replacement;
    lstmae_status status = save_prepare(&job);
    if (status == LSTMAE_OK) status = lae_replace_begin(&replacement, path);
    if (status == LSTMAE_OK) {
        status = save_write(&job, &replacement.file);
        if (status == LSTMAE_OK)
            status = lae_replace_commit(&replacement);
        else
            lae_replace_abort(&replacement);
    }
    lae_free(memory, job.sums, content->count * sizeof *job.sums);
    lae_free(memory, job.order, content->count * sizeof *job.order);
    lae_free(memory, job.chunk, SAVE_CHUNK);
    lae_free(memory, job.header, job.header_bytes);
    return status;
}
