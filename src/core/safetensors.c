#include "safetensors.h"

#include "crc32c.h"
#include "json.h"
#include "size.h"
#include "sort.h"

#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "numbers of files are little-endian and read as they stand"
#endif

#define DIGEST_AT (sizeof LAE_SAFETENSORS_PREFIX - 1)
#define DIGEST_DIGITS 8

static const struct {
    const char *name;
    size_t size;
} safetensors_types[] = {
#define SAFETENSORS_TYPE(name, bytes) { #name, bytes },
    LAE_SAFETENSORS_TYPES(SAFETENSORS_TYPE)
#undef SAFETENSORS_TYPE
};

const char *lae_safetensors_type_name(int type)
{
    return safetensors_types[type].name;
}

size_t lae_safetensors_type_size(int type)
{
    return safetensors_types[type].size;
}

/* The three members of a tensor's object, each at most once. */
enum { SEEN_TYPE = 1, SEEN_SHAPE = 2, SEEN_OFFSETS = 4, SEEN_ALL = 7 };

static lstmae_status header_type(lae_json *json, uint8_t *type)
{
    char label[LAE_LABEL_BYTES];
    lae_json_span span;
    LAE_TRY(lae_json_string(json, &span));
    for (int i = 0; i < LAE_SAFETENSORS_TYPE_COUNT; i++) {
        if (lae_json_is(json, span, safetensors_types[i].name)) {
            *type = (uint8_t)i;
            return LSTMAE_OK;
        }
    }
    return lae_json_fail(json, span.at, "unknown dtype '%s'", lae_label(label, json->text + span.at, span.size));
}

static lstmae_status header_shape(lae_json *json, int64_t dim[LAE_SAFETENSORS_MAX_RANK], uint8_t *rank)
{
    LAE_TRY(lae_json_expect(json, '['));
    lstmae_status more;
    *rank = 0;
    for (int first = 1; (more = lae_json_member(json, &first, ']')) == 1; ++*rank) {
        uint64_t value;
        if (*rank == LAE_SAFETENSORS_MAX_RANK)
            return lae_json_fail(json, json->at, "shape has more than %d axes", LAE_SAFETENSORS_MAX_RANK);
        LAE_TRY(lae_json_uint(json, LAE_SAFETENSORS_MAX_DIM, &value));
        dim[*rank] = (int64_t)value;
    }
    return more;
}

static lstmae_status header_offsets(lae_json *json, uint64_t most, uint64_t *begin, uint64_t *end)
{
    LAE_TRY(lae_json_expect(json, '['));
    LAE_TRY(lae_json_uint(json, most, begin));
    LAE_TRY(lae_json_expect(json, ','));
    (void)lae_json_peek(json);
    size_t at = json->at;
    LAE_TRY(lae_json_uint(json, most, end));
    if (*end < *begin) return lae_json_fail(json, at, "data_offsets end before they begin");
    return lae_json_expect(json, ']');
}

/* One member of a tensor's object. */
static lstmae_status header_tensor_member(const lae_safetensors *st, lae_json *json, lae_safetensors_tensor *tensor,
                                          int64_t dim[LAE_SAFETENSORS_MAX_RANK], int *seen)
{
    char label[LAE_LABEL_BYTES];
    lae_json_span key;
    LAE_TRY(lae_json_string(json, &key));
    int member = lae_json_is(json, key, "dtype")          ? SEEN_TYPE
                 : lae_json_is(json, key, "shape")        ? SEEN_SHAPE
                 : lae_json_is(json, key, "data_offsets") ? SEEN_OFFSETS
                                                          : 0;
    lae_label(label, json->text + key.at, key.size);
    if (member == 0) return lae_json_fail(json, key.at, "unknown key '%s' in a tensor", label);
    if (*seen & member) return lae_json_fail(json, key.at, "key '%s' a second time", label);
    *seen |= member;
    LAE_TRY(lae_json_expect(json, ':'));
    if (member == SEEN_TYPE) return header_type(json, &tensor->type);
    if (member == SEEN_OFFSETS) return header_offsets(json, st->data_bytes, &tensor->begin, &tensor->end);
    (void)lae_json_peek(json);
    tensor->shape = (uint32_t)json->at;
    return header_shape(json, dim, &tensor->rank);
}

/* The object that describes the tensor whose name was taken as `name`. */
static lstmae_status header_tensor(const lae_safetensors *st, lae_json *json, lae_json_span name,
                                   lae_safetensors_tensor *tensor)
{
    char label[LAE_LABEL_BYTES];
    int64_t dim[LAE_SAFETENSORS_MAX_RANK], elements;
    int seen = 0;
    size_t bytes;
    lstmae_status more;
    LAE_TRY(lae_json_expect(json, '{'));
    for (int first = 1; (more = lae_json_member(json, &first, '}')) == 1;)
        LAE_TRY(header_tensor_member(st, json, tensor, dim, &seen));
    LAE_TRY(more);
    lae_label(label, json->text + name.at, name.size);
    if (seen != SEEN_ALL)
        return lae_json_fail(json, json->at - 1, "tensor '%s' has no %s", label,
                             !(seen & SEEN_TYPE)    ? "dtype"
                             : !(seen & SEEN_SHAPE) ? "shape"
                                                    : "data_offsets");
    if (!lae_product(&elements, tensor->rank, dim) ||
        !lae_mul_size(&bytes, (size_t)elements, lae_safetensors_type_size(tensor->type)))
        return lae_json_fail(json, name.at, "shape of tensor '%s' overflows", label);
    if (bytes != tensor->end - tensor->begin)
        return lae_json_fail(json, name.at, "shape of tensor '%s' needs %zu bytes, data_offsets span %llu", label,
                             bytes, (unsigned long long)(tensor->end - tensor->begin));
    return LSTMAE_OK;
}

/* Turns a string that was taken into a C string where it stands; its closing quote gives the room for the NUL. */
static uint32_t header_keep(lae_safetensors *st, lae_json_span span)
{
    size_t size = lae_json_unescape(st->text + span.at, st->text + span.at, span.size);
    st->text[span.at + size] = '\0';
    return (uint32_t)span.at;
}

/* The object of texts. Without `keep` they are counted. */
static lstmae_status header_metadata(lae_safetensors *st, lae_json *json, int keep)
{
    LAE_TRY(lae_json_expect(json, '{'));
    lstmae_status more;
    size_t count = 0;
    for (int first = 1; (more = lae_json_member(json, &first, '}')) == 1; count++) {
        lae_json_span key, value;
        LAE_TRY(lae_json_string(json, &key));
        LAE_TRY(lae_json_expect(json, ':'));
        LAE_TRY(lae_json_string(json, &value));
        if (keep) st->pairs[count] = (lae_safetensors_pair){ header_keep(st, key), header_keep(st, value) };
    }
    st->pair_count = count;
    return more;
}

/* The whole text. Called twice: first it only checks and counts, then it keeps what is found. */
static lstmae_status header_walk(lae_safetensors *st, int keep)
{
    lae_json json = { st->text, st->text_bytes, 0, st->data - st->text_bytes, st->file };
    LAE_TRY(lae_json_expect(&json, '{'));
    lstmae_status more;
    size_t count = 0;
    int metadata = 0;
    for (int first = 1; (more = lae_json_member(&json, &first, '}')) == 1;) {
        lae_json_span name;
        lae_safetensors_tensor tensor = { 0 };
        LAE_TRY(lae_json_string(&json, &name));
        LAE_TRY(lae_json_expect(&json, ':'));
        if (lae_json_is(&json, name, "__metadata__")) {
            if (metadata) return lae_json_fail(&json, name.at, "key '__metadata__' a second time");
            metadata = 1;
            LAE_TRY(header_metadata(st, &json, keep));
            continue;
        }
        LAE_TRY(header_tensor(st, &json, name, &tensor));
        if (keep) {
            tensor.name = header_keep(st, name);
            st->tensors[count] = tensor;
        }
        count++;
    }
    LAE_TRY(more);
    if (lae_json_peek(&json) != -1) return lae_json_fail(&json, json.at, "text after the header's end");
    st->count = count;
    return LSTMAE_OK;
}

/* By place in the data; empty tensors before what follows at the same place, and in the order of the header. */
static int order_by_data(const void *a, const void *b, const void *payload)
{
    const lae_safetensors_tensor *x = a, *y = b;
    (void)payload;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return x->name < y->name ? -1 : x->name > y->name;
}

static int order_by_name(const void *a, const void *b, const void *payload)
{
    const lae_safetensors *st = payload;
    const lae_safetensors_tensor *x = &st->tensors[*(const uint32_t *)a], *y = &st->tensors[*(const uint32_t *)b];
    int order = strcmp(st->text + x->name, st->text + y->name);
    return order != 0 ? order : x->name < y->name ? -1 : x->name > y->name;
}

static int order_by_key(const void *a, const void *b, const void *payload)
{
    const lae_safetensors *st = payload;
    const lae_safetensors_pair *x = a, *y = b;
    int order = strcmp(st->text + x->key, st->text + y->key);
    return order != 0 ? order : x->key < y->key ? -1 : x->key > y->key;
}

static lstmae_status header_fail(const lae_safetensors *st, uint32_t at, const char *what)
{
    char label[LAE_LABEL_BYTES];
    const char *name = st->text + at;
    return LAE_FAIL(ERR_FORMAT, "%s: byte %llu: '%s' %s", st->file,
                    (unsigned long long)(st->data - st->text_bytes + at), lae_label(label, name, strlen(name)), what);
}

/* The tensors' data must tile the section: no byte unused, none used twice. */
static lstmae_status header_check_tiling(lae_safetensors *st)
{
    uint64_t reached = 0;
    lae_sort(st->tensors, st->count, sizeof *st->tensors, order_by_data, NULL);
    for (size_t i = 0; i < st->count; i++) {
        const lae_safetensors_tensor *tensor = &st->tensors[i];
        if (tensor->begin < reached) return header_fail(st, tensor->name, "overlaps the tensor before it");
        if (tensor->begin > reached) return header_fail(st, tensor->name, "leaves a hole before it");
        reached = tensor->end;
    }
    if (reached != st->data_bytes)
        return LAE_FAIL(ERR_FORMAT, "%s: byte %llu: tensors end here, the file %llu bytes later", st->file,
                        (unsigned long long)(st->data + reached), (unsigned long long)(st->data_bytes - reached));
    return LSTMAE_OK;
}

static lstmae_status header_check_names(lae_safetensors *st)
{
    for (size_t i = 0; i < st->count; i++) st->by_name[i] = (uint32_t)i;
    lae_sort(st->by_name, st->count, sizeof *st->by_name, order_by_name, st);
    for (size_t i = 1; i < st->count; i++) {
        uint32_t name = st->tensors[st->by_name[i]].name;
        if (strcmp(st->text + st->tensors[st->by_name[i - 1]].name, st->text + name) == 0)
            return header_fail(st, name, "is there a second time");
    }
    lae_sort(st->pairs, st->pair_count, sizeof *st->pairs, order_by_key, st);
    for (size_t i = 1; i < st->pair_count; i++) {
        if (strcmp(st->text + st->pairs[i - 1].key, st->text + st->pairs[i].key) == 0)
            return header_fail(st, st->pairs[i].key, "is there a second time");
    }
    return LSTMAE_OK;
}

uint32_t lae_safetensors_header_digest(const char *text, size_t size)
{
    size_t rest = DIGEST_AT + DIGEST_DIGITS;
    uint32_t crc = lae_crc32c(0, text, DIGEST_AT);
    crc = lae_crc32c(crc, "00000000", DIGEST_DIGITS);
    return lae_crc32c(crc, text + rest, size - rest);
}

/* Everything after the text is in memory. */
static lstmae_status header_read(lae_safetensors *st)
{
    uint64_t stored = 0;
    LAE_TRY(header_walk(st, 0));
    st->has_digest = st->text_bytes >= DIGEST_AT + DIGEST_DIGITS &&
                     memcmp(st->text, LAE_SAFETENSORS_PREFIX, DIGEST_AT) == 0 &&
                     lae_parse_hex(st->text + DIGEST_AT, DIGEST_DIGITS, &stored);
    st->digest_stored = (uint32_t)stored;
    if (st->has_digest) st->digest = lae_safetensors_header_digest(st->text, st->text_bytes);
    st->tensors = lae_calloc(st->memory, st->count, sizeof *st->tensors);
    st->by_name = lae_calloc(st->memory, st->count, sizeof *st->by_name);
    st->pairs = lae_calloc(st->memory, st->pair_count, sizeof *st->pairs);
    if (!st->tensors || !st->by_name || !st->pairs)
        return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for %zu tensors", st->file, st->count);
    LAE_TRY(header_walk(st, 1));
    LAE_TRY(header_check_tiling(st));
    return header_check_names(st);
}

/* Where the file comes from: open, or in memory. */
typedef struct header_source {
    const lae_file *file;
    const char *bytes;
    uint64_t size;
} header_source;

static lstmae_status header_fetch(const header_source *source, uint64_t offset, void *buffer, size_t bytes)
{
    if (source->file) return lae_file_read(source->file, offset, buffer, bytes);
    memcpy(buffer, source->bytes + offset, bytes);
    return LSTMAE_OK;
}

static lstmae_status header_load(lae_safetensors *st, const header_source *source)
{
    uint64_t length;
    if (source->size < 8)
        return LAE_FAIL(ERR_FORMAT, "%s: byte 0: expected a header's length, got a file of %llu bytes", st->file,
                        (unsigned long long)source->size);
    LAE_TRY(header_fetch(source, 0, &length, sizeof length));
    uint64_t most = source->size - 8 < LAE_SAFETENSORS_MAX_HEADER ? source->size - 8 : LAE_SAFETENSORS_MAX_HEADER;
    if (length < 2 || length > most)
        return LAE_FAIL(ERR_FORMAT, "%s: byte 0: expected a header of 2 to %llu bytes, got %llu", st->file,
                        (unsigned long long)most, (unsigned long long)length);
    st->text_bytes = (size_t)length;
    st->data = 8 + length;
    st->data_bytes = source->size - st->data;
    st->text = lae_alloc(st->memory, st->text_bytes);
    if (!st->text) return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for a header of %zu bytes", st->file, st->text_bytes);
    LAE_TRY(header_fetch(source, 8, st->text, st->text_bytes));
    if (st->text[0] != '{') return LAE_FAIL(ERR_FORMAT, "%s: byte 8: expected '{'", st->file);
    return header_read(st);
}

static lstmae_status header_open(lae_safetensors *st, lae_memory *memory, const char *name, const header_source *source)
{
    *st = (lae_safetensors)LAE_SAFETENSORS_CLOSED;
    st->memory = memory;
    st->file = name;
    lstmae_status status = header_load(st, source);
    if (status < 0) lae_safetensors_close(st);
    return status;
}

lstmae_status lae_safetensors_open(lae_safetensors *st, lae_memory *memory, const lae_file *file)
{
    header_source source = { file, NULL, file->size };
    return header_open(st, memory, file->path, &source);
}

lstmae_status lae_safetensors_parse(lae_safetensors *st, lae_memory *memory, const char *name, const void *bytes,
                                    size_t size)
{
    header_source source = { NULL, bytes, size };
    return header_open(st, memory, name, &source);
}

void lae_safetensors_close(lae_safetensors *st)
{
    lae_free(st->memory, st->tensors, st->count * sizeof *st->tensors);
    lae_free(st->memory, st->by_name, st->count * sizeof *st->by_name);
    lae_free(st->memory, st->pairs, st->pair_count * sizeof *st->pairs);
    lae_free(st->memory, st->text, st->text_bytes);
    *st = (lae_safetensors)LAE_SAFETENSORS_CLOSED;
}

const char *lae_safetensors_metadata(const lae_safetensors *st, const char *key)
{
    size_t low = 0, high = st->pair_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(key, st->text + st->pairs[middle].key);
        if (order == 0) return st->text + st->pairs[middle].value;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const lae_safetensors_tensor *lae_safetensors_find(const lae_safetensors *st, const char *name)
{
    size_t low = 0, high = st->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const lae_safetensors_tensor *tensor = &st->tensors[st->by_name[middle]];
        int order = strcmp(name, st->text + tensor->name);
        if (order == 0) return tensor;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const char *lae_safetensors_name(const lae_safetensors *st, const lae_safetensors_tensor *tensor)
{
    return st->text + tensor->name;
}

void lae_safetensors_shape(const lae_safetensors *st, const lae_safetensors_tensor *tensor,
                           int64_t dim[LAE_SAFETENSORS_MAX_RANK])
{
    lae_json json = { st->text, st->text_bytes, tensor->shape, 8, st->file };
    uint8_t rank;
    (void)header_shape(&json, dim, &rank); /* was read before */
}
