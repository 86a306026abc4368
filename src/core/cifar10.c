/*
 * CIFAR-10 (Krizhevsky, "Learning multiple layers of features from tiny images", 2009), binary version: a file is
 * records of a label from 0 to 9 and 3 x 32 x 32 bytes, planes red, green, blue, each row by row. Files are kept in
 * memory as they are.
 */
#include "array.h"
#include "dataset.h"
#include "size.h"

#include <limits.h>
#include <stdio.h>

#define CIFAR_LABELS 10
#define CIFAR_PIXELS 3072
#define CIFAR_RECORD (1 + CIFAR_PIXELS)

typedef struct dataset_cifar10 {
    lstmae_dataset base;
    unsigned char *records; /* owned */
    lae_items items;
} dataset_cifar10;

static lstmae_status dataset_cifar10_read(const lstmae_dataset *dataset, int64_t index, float *item, float *scratch)
{
    (void)scratch;
    lae_items_read(&((const dataset_cifar10 *)dataset)->items, index, item);
    return LSTMAE_OK;
}

static int64_t dataset_cifar10_label(const lstmae_dataset *dataset, int64_t index)
{
    return ((const dataset_cifar10 *)dataset)->records[index * CIFAR_RECORD];
}

static void dataset_cifar10_destroy(lstmae_dataset *dataset)
{
    dataset_cifar10 *cifar = (dataset_cifar10 *)dataset;
    lae_free(lae_context_memory(dataset->context), cifar->records, (size_t)dataset->count * CIFAR_RECORD);
}

static const lae_dataset_kind dataset_cifar10_kind = { dataset_cifar10_read, dataset_cifar10_destroy };

static lstmae_status cifar10_check_size(const char *path, uint64_t size)
{
    if (size == 0)
        return LAE_FAIL(ERR_FORMAT, "%s: byte 0: CIFAR-10: expected records of %d bytes, got an empty file", path,
                        CIFAR_RECORD);
    if (size % CIFAR_RECORD != 0)
        return LAE_FAIL(ERR_FORMAT, "%s: byte %llu: CIFAR-10: expected a record of %d bytes, got %llu", path,
                        (unsigned long long)(size - size % CIFAR_RECORD), CIFAR_RECORD,
                        (unsigned long long)(size % CIFAR_RECORD));
    return LSTMAE_OK;
}

static lstmae_status cifar10_check_labels(const char *path, const unsigned char *records, size_t size)
{
    for (size_t at = 0; at < size; at += CIFAR_RECORD)
        if (records[at] >= CIFAR_LABELS)
            return LAE_FAIL(ERR_FORMAT, "%s: byte %zu: CIFAR-10: expected a label of 0 to 9, got %d", path, at,
                            records[at]);
    return LSTMAE_OK;
}

/* First pass: the files' sizes. */
static lstmae_status cifar10_measure(size_t *total, const char *const *paths, size_t count)
{
    *total = 0;
    for (size_t i = 0; i < count; i++) {
        lae_file file = LAE_FILE_CLOSED;
        LAE_TRY(lae_file_open(&file, paths[i]));
        lae_file_close(&file);
        LAE_TRY(cifar10_check_size(paths[i], file.size));
        if (file.size > (uint64_t)PTRDIFF_MAX || !lae_add_size(total, *total, (size_t)file.size) ||
            *total > (size_t)PTRDIFF_MAX)
            return LAE_FAIL(ERR_FORMAT, "%s: byte 0: CIFAR-10: expected a size that fits in memory, got more",
                            paths[i]);
    }
    return LSTMAE_OK;
}

static lstmae_status cifar10_read_file(unsigned char *to, size_t room, const char *path, size_t *size)
{
    lae_file file = LAE_FILE_CLOSED;
    LAE_TRY(lae_file_open(&file, path));
    lstmae_status status = LSTMAE_OK;
    if (file.size > room || file.size % CIFAR_RECORD != 0)
        status = LAE_FAIL(ERR_IO, "%s: the file changed while it was read", path);
    else
        status = lae_file_read(&file, 0, to, (size_t)file.size);
    lae_file_close(&file);
    *size = (size_t)file.size;
    return status < 0 ? status : cifar10_check_labels(path, to, *size);
}

/* Second pass: the files are what the first pass saw, unless someone is writing to them. */
static lstmae_status cifar10_read_files(unsigned char *records, size_t total, const char *const *paths, size_t count)
{
    size_t done = 0, size = 0;
    for (size_t i = 0; i < count; i++, done += size)
        LAE_TRY(cifar10_read_file(records + done, total - done, paths[i], &size));
    return done == total ? LSTMAE_OK : LAE_FAIL(ERR_IO, "%s: the file changed while it was read", paths[count - 1]);
}

static lstmae_status cifar10_load(lstmae_dataset **out, lstmae_context *context, unsigned char *records, size_t total,
                                  const char *const *paths, size_t count)
{
    static const int64_t dims[3] = { 3, 32, 32 };
    LAE_TRY(cifar10_read_files(records, total, paths, count));
    LAE_TRY(lae_dataset_create(out, sizeof(dataset_cifar10), &dataset_cifar10_kind, context,
                               (int64_t)(total / CIFAR_RECORD), 3, dims));
    dataset_cifar10 *cifar = (dataset_cifar10 *)*out;
    cifar->base.label = dataset_cifar10_label;
    cifar->records = records;
    cifar->items = (lae_items){ .data = records + 1,
                                .element = LAE_U8,
                                .scale = 1.0 / 255.0,
                                .item_stride = CIFAR_RECORD,
                                .ndim = 1,
                                .dim = { CIFAR_PIXELS },
                                .stride = { 1 } };
    return LSTMAE_OK;
}

lstmae_status lstmae_dataset_cifar10_files(lstmae_dataset **out, lstmae_context *context, const char *const *paths,
                                           size_t count)
{
    size_t total;
    LAE_CHECK_ARG(out, "dataset_cifar10_files");
    *out = NULL;
    LAE_CHECK_ARG(context, "dataset_cifar10_files");
    LAE_CHECK_ARG(paths && count > 0, "dataset_cifar10_files");
    for (size_t i = 0; i < count; i++) LAE_CHECK_ARG(paths[i], "dataset_cifar10_files");
    LAE_TRY(cifar10_measure(&total, paths, count));
    lae_memory *memory = lae_context_memory(context);
    unsigned char *records = lae_alloc(memory, total);
    if (!records) return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for %zu bytes", paths[0], total);
    lstmae_status status = cifar10_load(out, context, records, total, paths, count);
    if (status < 0) lae_free(memory, records, total);
    return status;
}

lstmae_status lstmae_dataset_cifar10(lstmae_dataset **out, lstmae_context *context, const char *folder, int part)
{
    enum { TRAIN_FILES = 5 };
    char names[TRAIN_FILES][PATH_MAX];
    const char *paths[TRAIN_FILES];
    LAE_CHECK_ARG(out, "dataset_cifar10");
    *out = NULL;
    LAE_CHECK_ARG(context, "dataset_cifar10");
    LAE_CHECK_ARG(folder, "dataset_cifar10");
    LAE_CHECK_ARG(part == LSTMAE_CIFAR10_TRAIN || part == LSTMAE_CIFAR10_TEST, "dataset_cifar10");
    int count = part == LSTMAE_CIFAR10_TRAIN ? TRAIN_FILES : 1;
    for (int i = 0; i < count; i++) {
        int length = part == LSTMAE_CIFAR10_TRAIN
                         ? snprintf(names[i], PATH_MAX, "%s/data_batch_%d.bin", folder, i + 1)
                         : snprintf(names[i], PATH_MAX, "%s/test_batch.bin", folder);
        if (length < 0 || length >= PATH_MAX)
            return LAE_FAIL(ERR_IO, "%.64s...: path is longer than %d bytes", folder, PATH_MAX);
        paths[i] = names[i];
    }
    return lstmae_dataset_cifar10_files(out, context, paths, (size_t)count);
}
