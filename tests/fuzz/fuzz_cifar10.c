/*
 * Opening a CIFAR-10 file of any bytes through a file table of its own: it is whole records with labels below 10, and
 * every item can be read; or the text names the byte.
 */
#include "fuzz.h"
#include "memory_file.h"

#include <lstmae/lstmae.h>

#include <stdlib.h>
#include <string.h>

enum { RECORD = 3073 };

static void fuzz_require(int holds)
{
    if (!holds) abort();
}

static void read_all(const lstmae_dataset *dataset, const uint8_t *bytes, size_t size)
{
    static float item[RECORD - 1];
    fuzz_require(size > 0 && size % RECORD == 0 && (size_t)lstmae_dataset_count(dataset) == size / RECORD);
    for (size_t n = 0; n < size / RECORD; n++) {
        int64_t label = -1;
        fuzz_require(lstmae_dataset_label(dataset, (int64_t)n, &label) == LSTMAE_OK);
        fuzz_require(label == bytes[n * RECORD] && label < 10);
        fuzz_require(lstmae_dataset_read(dataset, (int64_t)n, item, RECORD - 1) == LSTMAE_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static lstmae_context *context;
    static const char *const paths[1] = { "fuzz" };
    lstmae_dataset *dataset;
    lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
    options.threads = 1;
    if (!context) fuzz_require(lstmae_context_create(&context, "cpu:ref", &options) == LSTMAE_OK);
    memory_file_begin(data, size);
    lstmae_status status = lstmae_dataset_cifar10_files(&dataset, context, paths, 1);
    memory_file_end();
    if (status == LSTMAE_OK) {
        read_all(dataset, data, size);
        lstmae_dataset_destroy(dataset);
    } else {
        fuzz_require(!dataset && status == LSTMAE_ERR_FORMAT);
        fuzz_require(strncmp(lstmae_last_error(), "fuzz: byte ", 11) == 0);
    }
    return 0;
}
