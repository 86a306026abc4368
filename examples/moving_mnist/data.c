#include "data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/report.h"
#include "digits.h"

#define DATA_ENDLESS_BATCHES 100 /* per epoch of sequences made on the fly */
#define DATA_HELD_GLYPHS 1000

/* Seeds of what must not be alike: held-out data differ in digits and in ways. */
enum { DATA_TRAIN = 0, DATA_HELD = 1 };

static uint64_t data_seed(const mm_settings *s, int part)
{
    return 2 * (uint64_t)s->seed + (uint64_t)part;
}

static int data_move(lstmae_dataset **out, lstmae_dataset *digits, const mm_settings *s, int part)
{
    lstmae_moving_options options = LSTMAE_MOVING_OPTIONS_INIT;
    options.frames = s->frames_in + s->frames_out;
    options.size = s->size;
    options.digits = (int32_t)s->digits;
    options.speed = s->speed;
    options.seed = data_seed(s, part);
    return ex_status(lstmae_dataset_moving(out, digits, &options));
}

static int data_strokes(lstmae_dataset **train, lstmae_dataset **held, lstmae_context *context, const mm_settings *s)
{
    EX_TRY(lstmae_dataset_strokes(train, context, s->glyphs, s->digit_size, data_seed(s, DATA_TRAIN)));
    EX_TRY(lstmae_dataset_strokes(held, context, DATA_HELD_GLYPHS, s->digit_size, data_seed(s, DATA_HELD)));
    return 0;
}

/* The last sixth of a file's digits is held out, as many as MNIST's own test set has. */
static int data_digits(lstmae_dataset **train, lstmae_dataset **held, lstmae_context *context, lstmae_dataset *file,
                       const mm_settings *s)
{
    int64_t count = lstmae_dataset_count(file), kept = count - (count + 5) / 6;
    if (kept < 1) return ex_fail("%s: expected at least 2 digits, got %lld", s->data, (long long)count);
    if (mm_digits_resized(train, context, file, 0, kept, s->digit_size) != 0) return -1;
    return mm_digits_resized(held, context, file, kept, count - kept, s->digit_size);
}

static int data_moving(mm_data *data, lstmae_context *context, lstmae_dataset *file, mm_settings *s)
{
    lstmae_dataset *train = NULL, *held = NULL;
    int result = file != NULL ? data_digits(&train, &held, context, file, s) : data_strokes(&train, &held, context, s);
    if (result == 0) result = data_move(&data->train, train, s, DATA_TRAIN);
    if (result == 0) result = data_move(&data->held, held, s, DATA_HELD);
    data->height = data->width = s->size;
    snprintf(data->text, sizeof data->text, "%lld moving digit%s of %lld pixels in %lld x %lld, %s",
             (long long)s->digits, s->digits == 1 ? "" : "s", (long long)s->digit_size, (long long)s->size,
             (long long)s->size, file != NULL ? s->data : "drawn by strokes");
    lstmae_dataset_destroy(train);
    lstmae_dataset_destroy(held);
    return result;
}

static int data_sequences(mm_data *data, lstmae_dataset *file, mm_settings *s)
{
    int64_t count = lstmae_dataset_count(file), frames = lstmae_dataset_dim(file, 0), last = (count + 9) / 10;
    if (frames < s->frames_in + s->frames_out)
        return ex_fail("%s: its sequences have %lld frames, --frames-in and --frames-out need %lld", s->data,
                       (long long)frames, (long long)(s->frames_in + s->frames_out));
    if (count < 2) return ex_fail("%s: expected at least 2 sequences, got %lld", s->data, (long long)count);
    data->height = lstmae_dataset_dim(file, 1);
    data->width = lstmae_dataset_dim(file, 2);
    EX_TRY(lstmae_dataset_range(&data->train, file, 0, count - last));
    EX_TRY(lstmae_dataset_range(&data->held, file, count - last, last));
    snprintf(data->text, sizeof data->text, "%lld sequences of %lld frames of %lld x %lld from %s", (long long)count,
             (long long)frames, (long long)data->height, (long long)data->width, s->data);
    return 0;
}

/* Sequences are many and frames few: with "auto" the longer of the first two axes numbers the sequences. */
static int data_file(lstmae_dataset **out, lstmae_context *context, const mm_settings *s)
{
    lstmae_file_options options = LSTMAE_FILE_OPTIONS_INIT;
    options.item_axis = s->item_axis == 2 ? 1 : 0;
    EX_TRY(lstmae_dataset_open(out, context, s->data, &options));
    if (s->item_axis != 0 || lstmae_dataset_ndim(*out) != 3) return 0;
    if (lstmae_dataset_count(*out) >= lstmae_dataset_dim(*out, 0)) return 0;
    lstmae_dataset_destroy(*out);
    *out = NULL;
    options.item_axis = 1;
    return ex_status(lstmae_dataset_open(out, context, s->data, &options));
}

int mm_data_open(mm_data *data, lstmae_context *context, mm_settings *s)
{
    memset(data, 0, sizeof *data);
    if (s->data[0] == '\0') return data_moving(data, context, NULL, s);
    lstmae_dataset *file = NULL;
    int result = data_file(&file, context, s), axes = file != NULL ? lstmae_dataset_ndim(file) : 0;
    if (result == 0 && axes == 2)
        result = data_moving(data, context, file, s);
    else if (result == 0 && axes == 3)
        result = data_sequences(data, file, s);
    else if (result == 0)
        result = ex_fail("%s: expected digits [n,h,w] or sequences [n,t,h,w], got items of %d axes", s->data, axes);
    lstmae_dataset_destroy(file);
    return result;
}

void mm_data_close(mm_data *data)
{
    lstmae_dataset_destroy(data->train);
    lstmae_dataset_destroy(data->held);
}

int mm_data_loader(lstmae_loader **out, lstmae_context *context, lstmae_dataset *dataset, const mm_settings *s,
                   int64_t batch, int64_t count)
{
    lstmae_loader_options options = LSTMAE_LOADER_OPTIONS_INIT;
    lstmae_dataset *part = NULL;
    int64_t available = lstmae_dataset_count(dataset);
    if (count > available) count = available;
    options.flags = LSTMAE_LOADER_TIME_MAJOR;
    options.batch = batch;
    options.input_steps = s->frames_in;
    options.seed = (uint64_t)s->seed;
    if (count > 0) {
        EX_TRY(lstmae_dataset_range(&part, dataset, 0, count));
    } else if (available == INT64_MAX) {
        options.epoch_items = DATA_ENDLESS_BATCHES * batch;
    } else {
        options.flags |= LSTMAE_LOADER_SHUFFLE | LSTMAE_LOADER_DROP_LAST;
        if (available < batch)
            return ex_fail("--batch: expected at most %lld, the sequences to train on, got %lld", (long long)available,
                           (long long)batch);
    }
    int result = ex_status(lstmae_loader_create(out, context, part != NULL ? part : dataset, &options));
    lstmae_dataset_destroy(part);
    return result;
}
