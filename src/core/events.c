#include "crc32c.h"
#include "deflate.h"
#include "grid.h"
#include "histogram.h"
#include "io.h"
#include "json.h"
#include "options.h"
#include "protobuf.h"
#include "rows.h"

#include <lstmae/events.h>

#include <limits.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_WAITING 65536 /* bytes that wait before they are written */
#define EVENTS_MODE 0644
#define EVENTS_NAMES 1000    /* that are tried for a new file */
#define EVENTS_STRETCH 16384 /* elements of a histogram's tensor that are looked at together */

/* Fields of the messages, see tensorflow/core/util/event.proto and framework/summary.proto. */
enum { EVENT_TIME = 1, EVENT_STEP = 2, EVENT_VERSION = 3, EVENT_SUMMARY = 5 };
enum { SUMMARY_VALUE = 1 };
enum { VALUE_TAG = 1, VALUE_SIMPLE = 2, VALUE_IMAGE = 4, VALUE_HISTOGRAM = 5 };
enum { IMAGE_HEIGHT = 1, IMAGE_WIDTH = 2, IMAGE_COLORS = 3, IMAGE_FILE = 4 };
enum { HISTOGRAM_MIN = 1, HISTOGRAM_MAX, HISTOGRAM_COUNT, HISTOGRAM_SUM, HISTOGRAM_SQUARES, HISTOGRAM_LIMITS,
       HISTOGRAM_BUCKETS };

struct lstmae_events {
    lstmae_context *context; /* retained */
    double flush_seconds;
    struct timespec flushed; /* when something was last handed to the system */
    lae_bytes waiting;       /* whole records, the first perhaps without what was already written of it */
    lae_file file;
    lae_histogram histogram;
    char path[PATH_MAX];
};

/* A record being put together: where it and its nested messages begin. */
typedef struct events_record {
    size_t start, summary, value;
} events_record;

/* ---- records: length, its checksum, data, their checksum ---- */

static uint32_t events_mask(uint32_t crc)
{
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static size_t events_open(lstmae_events *events)
{
    static const unsigned char head[12];
    struct timespec now;
    size_t start = events->waiting.size;
    lae_bytes_put(&events->waiting, head, sizeof head);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    lae_proto_double(&events->waiting, EVENT_TIME, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
    return start;
}

/* Takes back the record that begins at `start` if there was no memory for it. */
static lstmae_status events_close(lstmae_events *events, size_t start)
{
    lae_bytes *out = &events->waiting;
    if (!out->failed) {
        unsigned char *record = out->data + start;
        size_t length = out->size - start - 12;
        for (int i = 0; i < 8; i++) record[i] = (unsigned char)((uint64_t)length >> (8 * i));
        uint32_t crc = events_mask(lae_crc32c(0, record, 8));
        for (int i = 0; i < 4; i++) record[8 + i] = (unsigned char)(crc >> (8 * i));
        lae_bytes_little(out, events_mask(lae_crc32c(0, record + 12, length)), 4);
    }
    lstmae_status status = lae_bytes_status(out, "events");
    if (status < 0) lae_bytes_cut(out, start);
    return status;
}

/* ---- writing ---- */

lstmae_status lstmae_events_flush(lstmae_events *events)
{
    LAE_CHECK_ARG(events, "events_flush");
    uint64_t before = events->file.size;
    (void)clock_gettime(CLOCK_MONOTONIC, &events->flushed);
    if (events->waiting.size == 0) return LSTMAE_OK;
    lstmae_status status = lae_file_write(&events->file, events->waiting.data, events->waiting.size);
    lae_bytes_drop(&events->waiting, (size_t)(events->file.size - before));
    return status;
}

/* Before adding: what could not be written must not grow without end. */
static lstmae_status events_make_room(lstmae_events *events)
{
    return events->waiting.size < EVENTS_WAITING ? LSTMAE_OK : lstmae_events_flush(events);
}

static lstmae_status events_added(lstmae_events *events)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    const struct timespec *last = &events->flushed;
    double waited = (double)(now.tv_sec - last->tv_sec) + 1e-9 * (double)(now.tv_nsec - last->tv_nsec);
    if (events->waiting.size < EVENTS_WAITING && waited < events->flush_seconds) return LSTMAE_OK;
    return lstmae_events_flush(events);
}

/* ---- files ---- */

static void events_host(char *host, size_t size)
{
    if (gethostname(host, size) != 0) snprintf(host, size, "localhost");
    host[size - 1] = '\0';
    for (char *c = host; *c; c++)
        if (*c == '/') *c = '-';
}

/* A name that no file has; two writers that begin in the same second differ in process or number. */
static lstmae_status events_create_file(lstmae_events *events, const char *folder)
{
    static atomic_uint count;
    char host[128];
    events_host(host, sizeof host);
    for (int i = 0; i < EVENTS_NAMES; i++) {
        int length = snprintf(events->path, sizeof events->path, "%s/events.out.tfevents.%010lld.%s.%ld.%u", folder,
                              (long long)time(NULL), host, (long)getpid(), atomic_fetch_add(&count, 1));
        if (length < 0 || (size_t)length >= sizeof events->path)
            return LAE_FAIL(ERR_IO, "%.64s...: path is longer than %d bytes", folder, PATH_MAX);
        lae_file there = LAE_FILE_CLOSED;
        lstmae_status status = lae_file_open(&there, events->path);
        lae_file_close(&there);
        if (status == LSTMAE_ERR_NOT_FOUND) return lae_file_create(&events->file, events->path, EVENTS_MODE);
        if (status < 0) return status;
    }
    return LAE_FAIL(ERR_IO, "%s: expected a name that is free, got %d that are not", events->path, EVENTS_NAMES);
}

static lstmae_status events_begin(lstmae_events *events, const char *folder)
{
    LAE_TRY(lae_directory_create(folder));
    LAE_TRY(events_create_file(events, folder));
    size_t start = events_open(events);
    lae_proto_string(&events->waiting, EVENT_VERSION, "brain.Event:2");
    LAE_TRY(events_close(events, start));
    return lstmae_events_flush(events);
}

lstmae_status lstmae_events_create(lstmae_events **out, lstmae_context *context, const char *folder,
                                   const lstmae_events_options *options)
{
    static const lstmae_events_options defaults = LSTMAE_EVENTS_OPTIONS_INIT;
    lstmae_events_options o;
    LAE_CHECK_ARG(out, "events_create");
    *out = NULL;
    LAE_CHECK_ARG(context, "events_create");
    LAE_CHECK_ARG(folder && folder[0], "events_create");
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "events options"));
    LAE_CHECK_ARG(o.flags == 0, "events_create");
    LAE_CHECK_ARG(o.flush_seconds >= 0, "events_create");
    lae_memory *memory = lae_context_memory(context);
    lstmae_events *events = lae_calloc(memory, 1, sizeof *events);
    if (!events) return LAE_FAIL(ERR_NO_MEMORY, "events_create: no memory for %zu bytes", sizeof *events);
    events->context = lae_context_retain(context);
    events->flush_seconds = o.flush_seconds;
    events->waiting = (lae_bytes)LAE_BYTES_OF(memory);
    events->file = (lae_file)LAE_FILE_CLOSED;
    lstmae_status status = events_begin(events, folder);
    if (status < 0) {
        lae_bytes_cut(&events->waiting, 0);
        lstmae_events_destroy(events);
        return status;
    }
    *out = events;
    return LSTMAE_OK;
}

void lstmae_events_destroy(lstmae_events *events)
{
    if (!events) return;
    lstmae_context *context = events->context;
    if (events->waiting.size > 0) (void)lstmae_events_flush(events);
    lae_file_close(&events->file);
    lae_bytes_free(&events->waiting);
    lae_free(lae_context_memory(context), events, sizeof *events);
    lae_context_release(context);
}

const char *lstmae_events_path(const lstmae_events *events)
{
    return events ? events->path : "";
}

/* ---- values ---- */

static lstmae_status events_check(const lstmae_events *events, const char *tag, const char *name)
{
    LAE_CHECK_ARG(events, name);
    LAE_CHECK_ARG(tag && tag[0], name);
    if (!lae_utf8_valid(tag, strlen(tag))) return LAE_FAIL(ERR_INVALID_ARG, "%s: expected a tag in UTF-8", name);
    return LSTMAE_OK;
}

static events_record events_open_value(lstmae_events *events, const char *tag, int64_t step)
{
    lae_bytes *out = &events->waiting;
    events_record record = { .start = events_open(events) };
    lae_proto_int(out, EVENT_STEP, step);
    record.summary = lae_proto_begin(out, EVENT_SUMMARY);
    record.value = lae_proto_begin(out, SUMMARY_VALUE);
    lae_proto_string(out, VALUE_TAG, tag);
    return record;
}

static lstmae_status events_close_value(lstmae_events *events, const events_record *record)
{
    lae_proto_end(&events->waiting, record->value);
    lae_proto_end(&events->waiting, record->summary);
    LAE_TRY(events_close(events, record->start));
    return events_added(events);
}

lstmae_status lstmae_events_scalar(lstmae_events *events, const char *tag, int64_t step, double value)
{
    LAE_TRY(events_check(events, tag, "events_scalar"));
    LAE_TRY(events_make_room(events));
    events_record record = events_open_value(events, tag, step);
    lae_proto_float(&events->waiting, VALUE_SIMPLE, (float)value);
    return events_close_value(events, &record);
}

static lstmae_status events_picture(lstmae_events *events, const char *tag, int64_t step, const lae_picture *picture)
{
    lae_bytes *out = &events->waiting;
    LAE_TRY(events_make_room(events));
    events_record record = events_open_value(events, tag, step);
    size_t image = lae_proto_begin(out, VALUE_IMAGE);
    lae_proto_int(out, IMAGE_HEIGHT, picture->height);
    lae_proto_int(out, IMAGE_WIDTH, picture->width);
    lae_proto_int(out, IMAGE_COLORS, picture->channels); /* 1 is grey, 3 RGB */
    size_t file = lae_proto_begin(out, IMAGE_FILE);
    lae_png_encode(out, picture, lae_deflate_level());
    lae_proto_end(out, file);
    lae_proto_end(out, image);
    return events_close_value(events, &record);
}

lstmae_status lstmae_events_image(lstmae_events *events, const char *tag, int64_t step, const lstmae_tensor *images,
                                  const lstmae_grid_options *options)
{
    lae_picture picture;
    lstmae_grid_options o;
    LAE_TRY(events_check(events, tag, "events_image"));
    LAE_CHECK_ARG(images, "events_image");
    LAE_TRY(lae_grid_options(&o, options, "events_image"));
    LAE_TRY(lae_grid_draw(&picture, images, &o, "events_image"));
    lstmae_status status = events_picture(events, tag, step, &picture);
    lae_picture_free(&picture, lae_context_memory(images->storage->context));
    return status;
}

static lstmae_status events_count_values(lae_histogram *histogram, lae_rows *rows, int64_t together, double *values)
{
    for (int64_t first = 0; first < rows->count; first += together) {
        int64_t count = rows->count - first < together ? rows->count - first : together;
        LAE_TRY(lae_rows_read(rows, first, count, values));
        for (int64_t i = 0; i < count * rows->width; i++) {
            if (!isfinite(values[i]))
                return LAE_FAIL(ERR_NUMERIC, "events_histogram: element %lld: expected a finite number, got %g",
                                (long long)(first * rows->width + i), values[i]);
            lae_histogram_add(histogram, values[i]);
        }
    }
    return LSTMAE_OK;
}

static lstmae_status events_count(lae_histogram *histogram, const lstmae_tensor *tensor)
{
    lae_rows rows = { .count = 0 };
    lae_memory *memory = lae_context_memory(tensor->storage->context);
    const lstmae_view *view = &tensor->view;
    if (view->ndim < 1 || lae_view_numel(view) == 0)
        return LAE_FAIL(ERR_SHAPE, "events_histogram: expected one axis and one element or more");
    int64_t width = lae_view_numel(view) / view->dim[0];
    int64_t together = width < EVENTS_STRETCH ? EVENTS_STRETCH / width : 1;
    size_t bytes = (size_t)(together * width) * sizeof(double);
    double *values = lae_alloc(memory, bytes);
    if (!values) return LAE_FAIL(ERR_NO_MEMORY, "events_histogram: no memory for %zu bytes", bytes);
    lae_histogram_clear(histogram);
    lstmae_status status = lae_rows_open(&rows, tensor, together, "events_histogram");
    if (status == LSTMAE_OK) status = events_count_values(histogram, &rows, together, values);
    lae_rows_close(&rows);
    lae_free(memory, values, bytes);
    return status;
}

lstmae_status lstmae_events_histogram(lstmae_events *events, const char *tag, int64_t step, const lstmae_tensor *values)
{
    LAE_TRY(events_check(events, tag, "events_histogram"));
    LAE_CHECK_ARG(values, "events_histogram");
    lae_histogram *h = &events->histogram;
    LAE_TRY(events_count(h, values));
    LAE_TRY(events_make_room(events));
    lae_bytes *out = &events->waiting;
    size_t buckets = (size_t)lae_histogram_compact(h);
    events_record record = events_open_value(events, tag, step);
    size_t message = lae_proto_begin(out, VALUE_HISTOGRAM);
    lae_proto_double(out, HISTOGRAM_MIN, h->least);
    lae_proto_double(out, HISTOGRAM_MAX, h->most);
    lae_proto_double(out, HISTOGRAM_COUNT, h->count);
    lae_proto_double(out, HISTOGRAM_SUM, h->sum);
    lae_proto_double(out, HISTOGRAM_SQUARES, h->squares);
    lae_proto_doubles(out, HISTOGRAM_LIMITS, h->limit, buckets);
    lae_proto_doubles(out, HISTOGRAM_BUCKETS, h->bucket, buckets);
    lae_proto_end(out, message);
    return events_close_value(events, &record);
}
