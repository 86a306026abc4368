#include "array.h"
#include "ops.h"
#include "replace.h"

#include <lstmae/npy.h>

#include <stdio.h>
#include <string.h>

#define NPY_CHUNK 65536
#define NPY_ALIGN 64 /* of the data in the file, as NumPy does it */
#define NPY_START 10 /* magic, version and the header's length */

/* "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }", spaces, a newline; returns the length. */
static size_t npy_header(char *out, size_t size, const lstmae_view *view)
{
    const char order = lae_host_big() ? '>' : '<', type = view->dtype == LSTMAE_I64 ? 'i' : 'f';
    int used = snprintf(out, size, "{'descr': '%c%c%zu', 'fortran_order': False, 'shape': (", order, type,
                        lae_dtype_size(view->dtype));
    for (int i = 0; i < view->ndim; i++)
        used += snprintf(out + used, size - (size_t)used, i > 0 ? ", %lld" : "%lld", (long long)view->dim[i]);
    used += snprintf(out + used, size - (size_t)used, view->ndim == 1 ? ",), }" : "), }");
    size_t length = (size_t)used + 1;
    while ((NPY_START + length) % NPY_ALIGN != 0) length++;
    memset(out + used, ' ', length - (size_t)used - 1);
    out[length - 1] = '\n';
    return length;
}

static lstmae_status npy_write(lae_file *file, const lstmae_tensor *tensor, unsigned char *chunk)
{
    const lstmae_view *view = &tensor->view;
    unsigned char start[NPY_START] = "\x93NUMPY\x01";
    char header[256];
    size_t length = npy_header(header, sizeof header, view);
    size_t left = (size_t)lae_view_numel(view) * lae_dtype_size(view->dtype);
    start[NPY_START - 2] = (unsigned char)(length & 255);
    start[NPY_START - 1] = (unsigned char)(length >> 8);
    LAE_TRY(lae_file_write(file, start, sizeof start));
    LAE_TRY(lae_file_write(file, header, length));
    for (const char *from = view->data; left > 0;) {
        size_t bytes = left < NPY_CHUNK ? left : NPY_CHUNK;
        LAE_TRY(lae_op_download(tensor->storage->context, chunk, from, bytes));
        LAE_TRY(lae_file_write(file, chunk, bytes));
        from += bytes;
        left -= bytes;
    }
    return LSTMAE_OK;
}

lstmae_status lstmae_npy_save(const char *path, const lstmae_tensor *tensor)
{
    LAE_CHECK_ARG(path, "npy_save");
    LAE_CHECK_ARG(tensor, "npy_save");
    const lstmae_tensor *rows;
    lstmae_tensor *copy = NULL;
    lae_replacement replacement;
    lae_memory *memory = lae_context_memory(tensor->storage->context);
    unsigned char *chunk = lae_alloc(memory, NPY_CHUNK);
    if (!chunk) return LAE_FAIL(ERR_NO_MEMORY, "npy_save: no memory for %d bytes", NPY_CHUNK);
    lstmae_status status = lae_tensor_contiguous(&rows, tensor, &copy);
    if (status == LSTMAE_OK) status = lae_replace_begin(&replacement, path);
    if (status == LSTMAE_OK) {
        status = npy_write(&replacement.file, rows, chunk);
        if (status == LSTMAE_OK)
            status = lae_replace_commit(&replacement);
        else
            lae_replace_abort(&replacement);
    }
    lstmae_tensor_destroy(copy);
    lae_free(memory, chunk, NPY_CHUNK);
    return status;
}
