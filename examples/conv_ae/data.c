#include "data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../common/files.h"
#include "../common/images.h"
#include "../common/report.h"
#include "networks.h"

enum { DATA_COLOR_SIZE = 32, DATA_GREY_SIZE = 28 }; /* sides of drawn images, those of CIFAR-10 and MNIST */
enum { DATA_CLASSES = 10, DATA_IDX_HEAD = 8 };      /* labels of CIFAR-10 and both MNIST; bytes before the first one */

/* As their authors call them. */
static const char *const data_cifar10[DATA_CLASSES] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                                       "dog",      "frog",       "horse", "ship", "truck"};
static const char *const data_fashion[DATA_CLASSES] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                                       "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

/* ---- drawn images ---- */

/* Digits or shapes, as the data set has them; `part` tells training and test images apart. */
static int data_draw(lstmae_dataset **out, lstmae_context *context, const ca_settings *s, int64_t count, int part)
{
    const uint64_t seed = 2 * (uint64_t)s->split_seed + (uint64_t)part;
    if (s->dataset == CA_CIFAR10 || s->dataset == CA_IMAGES)
        EX_TRY(lstmae_dataset_shapes(out, context, count, 3, DATA_COLOR_SIZE, seed));
    else if (s->dataset == CA_FASHION)
        EX_TRY(lstmae_dataset_shapes(out, context, count, 1, DATA_GREY_SIZE, seed));
    else
        EX_TRY(lstmae_dataset_strokes(out, context, count, DATA_GREY_SIZE, seed));
    return 0;
}

/* ---- files ---- */

/* "folder/name", or that with .gz where only it is there. */
static int data_find(char *path, size_t size, const char *folder, const char *name)
{
    struct stat info;
    char packed[64];
    snprintf(packed, sizeof packed, "%s.gz", name);
    if (ex_path(path, size, folder, name) != 0) return -1;
    if (stat(path, &info) == 0) return 0;
    if (ex_path(path, size, folder, packed) != 0) return -1;
    if (stat(path, &info) == 0) return 0;
    return ex_path(path, size, folder, name);
}

/* One label for each image and none that the data sets do not have; bytes are those of the unpacked file. */
static int data_check_labels(const lstmae_dataset *labels, int64_t images, const char *path)
{
    const int64_t count = lstmae_dataset_count(labels);
    if (lstmae_dataset_ndim(labels) != 0)
        return ex_fail("%s: byte 3: expected labels [n], got %d dimensions", path, lstmae_dataset_ndim(labels) + 1);
    if (count != images)
        return ex_fail("%s: byte 4: expected %lld labels, one for each image, got %lld", path, (long long)images,
                       (long long)count);
    for (int64_t i = 0; i < count; i++) {
        float label;
        EX_TRY(lstmae_dataset_read(labels, i, &label, 1));
        if (label < 0 || label >= DATA_CLASSES)
            return ex_fail("%s: byte %lld: expected a label of 0 to %d, got %g", path, (long long)(DATA_IDX_HEAD + i),
                           DATA_CLASSES - 1, (double)label);
    }
    return 0;
}

/* The images with the labels of the file at `path`, where it is there. */
static int data_label(lstmae_dataset **images, lstmae_context *context, const char *path)
{
    lstmae_file_options plain = LSTMAE_FILE_OPTIONS_INIT;
    lstmae_dataset *labels = NULL, *labelled = NULL;
    struct stat info;
    if (stat(path, &info) != 0) return 0;
    plain.scale = 1.0;
    int result = ex_status(lstmae_dataset_open(&labels, context, path, &plain));
    if (result == 0) result = data_check_labels(labels, lstmae_dataset_count(*images), path);
    if (result == 0) result = ex_status(lstmae_dataset_with_labels(&labelled, *images, labels));
    lstmae_dataset_destroy(labels);
    if (result != 0) return -1;
    lstmae_dataset_destroy(*images);
    *images = labelled;
    return 0;
}

/* Images [n,h,w] of an IDX file with the labels beside it, where there are some. */
static int data_idx(lstmae_dataset **out, lstmae_context *context, const ca_settings *s, const char *part)
{
    char path[EX_PATH_SIZE], name[48];
    snprintf(name, sizeof name, "%s-images-idx3-ubyte", part);
    if (data_find(path, sizeof path, s->data, name) != 0) return -1;
    EX_TRY(lstmae_dataset_open(out, context, path, NULL));
    if (lstmae_dataset_ndim(*out) != 2)
        return ex_fail("%s: byte 3: expected images [n,h,w], got %d dimensions", path, lstmae_dataset_ndim(*out) + 1);
    snprintf(name, sizeof name, "%s-labels-idx1-ubyte", part);
    if (data_find(path, sizeof path, s->data, name) != 0) return -1;
    return data_label(out, context, path);
}

/* A tenth of a folder's pictures is for testing. */
static int data_folder(ca_data *data, lstmae_dataset **train, lstmae_dataset **test, const ca_settings *s)
{
    lstmae_dataset *all = NULL;
    if (ex_images_open(&all, data->context, s->data, &data->folders) != 0) return -1;
    int64_t count = lstmae_dataset_count(all), kept = count - (count + 9) / 10;
    int result = kept >= 2 ? 0 : ex_fail("%s: expected at least 3 images, got %lld", s->data, (long long)count);
    if (result == 0) result = ex_status(lstmae_dataset_split(train, test, all, kept, (uint64_t)s->split_seed + 1));
    lstmae_dataset_destroy(all);
    return result;
}

static int data_parts(ca_data *data, lstmae_dataset **train, lstmae_dataset **test, const ca_settings *s)
{
    lstmae_context *context = data->context;
    if (s->data[0] == '\0') {
        if (data_draw(train, context, s, s->images, 0) != 0) return -1;
        return data_draw(test, context, s, (s->images + 4) / 5, 1);
    }
    if (s->dataset == CA_IMAGES) return data_folder(data, train, test, s);
    if (s->dataset == CA_CIFAR10) {
        data->names = data_cifar10;
        EX_TRY(lstmae_dataset_cifar10(train, context, s->data, LSTMAE_CIFAR10_TRAIN));
        EX_TRY(lstmae_dataset_cifar10(test, context, s->data, LSTMAE_CIFAR10_TEST));
        return 0;
    }
    if (s->dataset == CA_FASHION) data->names = data_fashion;
    if (data_idx(train, context, s, "train") != 0) return -1;
    return data_idx(test, context, s, "t10k");
}

/* ---- shape and values ---- */

/* Items as [C,H,W] with values in [low,high]; takes the data set. */
static int data_shape(ca_data *data, lstmae_dataset **dataset)
{
    const double half = 0.5;
    lstmae_dataset *from = *dataset, *shaped = NULL;
    if (lstmae_dataset_ndim(from) == 2) {
        const int64_t dims[3] = {1, lstmae_dataset_dim(from, 0), lstmae_dataset_dim(from, 1)};
        EX_TRY(lstmae_dataset_reshape(&shaped, from, 3, dims));
        lstmae_dataset_destroy(from);
        *dataset = from = shaped;
    }
    for (int i = 0; i < 3; i++) {
        int64_t dim = lstmae_dataset_dim(from, i);
        if (data->dims[i] != 0 && data->dims[i] != dim)
            return ex_fail("test images are of another size than those for training");
        data->dims[i] = dim;
    }
    if (data->low == 0.0) return 0;
    EX_TRY(lstmae_dataset_normalized(&shaped, from, -1, &half, &half));
    lstmae_dataset_destroy(from);
    *dataset = shaped;
    return 0;
}

static int data_split(ca_data *data, lstmae_dataset *all, const ca_settings *s)
{
    int64_t count = lstmae_dataset_count(all), held = (count + 9) / 10;
    if (held > s->validation) held = s->validation;
    if (count < 2) return ex_fail("expected at least 2 images to train on, got %lld", (long long)count);
    EX_TRY(lstmae_dataset_split(&data->train, &data->validation, all, count - held, (uint64_t)s->split_seed));
    return 0;
}

static void data_describe(ca_data *data, const ca_settings *s)
{
    char name[32];
    ex_word(CA_DATASETS, s->dataset, name, sizeof name);
    snprintf(data->text, sizeof data->text,
             "%s, %s: %lld images to train on, %lld held out, %lld to test; [%lld,%lld,%lld]", name,
             s->data[0] != '\0' ? s->data : "drawn here", (long long)lstmae_dataset_count(data->train),
             (long long)lstmae_dataset_count(data->validation), (long long)lstmae_dataset_count(data->test),
             (long long)data->dims[0], (long long)data->dims[1], (long long)data->dims[2]);
}

int ca_data_open(ca_data *data, lstmae_context *context, const ca_settings *s)
{
    memset(data, 0, sizeof *data);
    data->context = context;
    data->low = ca_network_signed(s) ? -1.0 : 0.0;
    data->high = 1.0;
    lstmae_dataset *train = NULL;
    int result = data_parts(data, &train, &data->test, s);
    if (result == 0) result = data_shape(data, &train);
    if (result == 0) result = data_shape(data, &data->test);
    if (result == 0) result = data_split(data, train, s);
    if (result == 0) data_describe(data, s);
    lstmae_dataset_destroy(train);
    return result;
}

void ca_data_close(ca_data *data)
{
    lstmae_dataset_destroy(data->train);
    lstmae_dataset_destroy(data->validation);
    lstmae_dataset_destroy(data->test);
    ex_names_free(&data->folders);
}

void ca_data_class(const ca_data *data, int64_t label, char *text, size_t size)
{
    if (data->names != NULL && label >= 0 && label < DATA_CLASSES)
        snprintf(text, size, "%s", data->names[label]);
    else if (label >= 0 && (uint64_t)label < data->folders.count)
        snprintf(text, size, "%s", ex_name(data->folders.paths[label]));
    else
        snprintf(text, size, "%lld", (long long)label);
}

/* ---- reading ---- */

int ca_data_loader(lstmae_loader **out, const ca_data *data, lstmae_dataset *dataset, const ca_settings *s,
                   int training)
{
    lstmae_loader_options options = LSTMAE_LOADER_OPTIONS_INIT;
    options.batch = s->batch;
    options.seed = (uint64_t)s->seed;
    if (training) options.flags = LSTMAE_LOADER_SHUFFLE | LSTMAE_LOADER_DROP_LAST;
    if (training && lstmae_dataset_count(dataset) < s->batch)
        return ex_fail("--batch: expected at most %lld, the images to train on, got %lld",
                       (long long)lstmae_dataset_count(dataset), (long long)s->batch);
    return ex_status(lstmae_loader_create(out, data->context, dataset, &options));
}

/* `count` images of the `span` from number `first` on, far apart where there are more, in step with no order. */
static int data_read(lstmae_tensor **out, const ca_data *data, const lstmae_dataset *dataset, int64_t first,
                     int64_t count, int64_t span)
{
    const int64_t dims[4] = {count, data->dims[0], data->dims[1], data->dims[2]};
    const size_t pixels = (size_t)(dims[1] * dims[2] * dims[3]);
    float *values = malloc((size_t)count * pixels * sizeof *values);
    int result = values != NULL ? 0 : ex_fail("out of memory for %lld images", (long long)count);
    for (int64_t k = 0; result == 0 && k < count; k++) {
        int64_t index = first + (span == count ? k : (k * span / count + k) % span);
        result = ex_status(lstmae_dataset_read(dataset, index, values + (size_t)k * pixels, pixels));
    }
    if (result == 0) result = ex_status(lstmae_tensor_create(out, data->context, LSTMAE_F32, 4, dims));
    if (result == 0) result = ex_status(lstmae_tensor_write(*out, values, (size_t)count * pixels * sizeof *values));
    free(values);
    return result;
}

int ca_data_images(lstmae_tensor **out, const ca_data *data, const lstmae_dataset *dataset, int64_t first,
                   int64_t count)
{
    return data_read(out, data, dataset, first, count, count);
}

int ca_data_spread(lstmae_tensor **out, const ca_data *data, const lstmae_dataset *dataset, int64_t count)
{
    return data_read(out, data, dataset, 0, count, lstmae_dataset_count(dataset));
}
