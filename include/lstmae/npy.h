/**
 * @file npy.h
 * Tensors as .npy files, for NumPy and everything that reads its format. lstmae_dataset_open() and lstmae_table_open()
 * read them.
 */
#ifndef LSTMAE_NPY_H
#define LSTMAE_NPY_H

#include <lstmae/tensor.h>

LSTMAE_BEGIN_DECLS

/**
 * Writes a tensor of any element type with its shape, row-major, as a .npy file of version 1.0. The file appears whole
 * or not at all.
 * @return OK; ERR_IO; ERR_NOT_FOUND for a missing folder; ERR_NO_MEMORY; ERR_DEVICE_MEMORY; ERR_INVALID_ARG
 */
LSTMAE_API lstmae_status lstmae_npy_save(const char *path, const lstmae_tensor *tensor);

LSTMAE_END_DECLS

#endif
