/**
 * @file tensor.h
 * Strided arrays of up to four axes on a context's device.
 *
 * Row-major when created; views may have any strides, also 0 (the same data along an axis) and negative ones.
 * A view keeps its storage alive.
 */
#ifndef LSTMAE_TENSOR_H
#define LSTMAE_TENSOR_H

#include <lstmae/context.h>

LSTMAE_BEGIN_DECLS

/**
 * Creates a contiguous tensor filled with zeros.
 *
 * @param dims  `ndim` (0 to LSTMAE_MAX_DIMS) sizes of 0 or more; may be NULL when ndim is 0
 * @return OK; ERR_INVALID_ARG; ERR_SHAPE if the size overflows; ERR_DTYPE; ERR_NO_MEMORY; ERR_DEVICE_MEMORY
 */
LSTMAE_API lstmae_status lstmae_tensor_create(lstmae_tensor **out, lstmae_context *context, lstmae_dtype dtype,
                                              int ndim, const int64_t *dims);

/**
 * Wraps memory the caller owns (device memory on a device context), aligned to its element, without copying.
 * It must outlive the tensor and every view of it.
 *
 * @param strides  in elements; NULL: row-major
 * @param elements how many elements `data` holds; a shape that reaches outside is refused with ERR_SHAPE
 */
LSTMAE_API lstmae_status lstmae_tensor_wrap(lstmae_tensor **out, lstmae_context *context, lstmae_dtype dtype,
                                            void *data, int64_t elements, int ndim, const int64_t *dims,
                                            const int64_t *strides);

/**
 * A view of the same storage.
 *
 * @param strides in elements, NULL: row-major;  @param offset elements from the start of `base`'s first element
 * @return OK; ERR_SHAPE if any element would lie outside the storage
 */
LSTMAE_API lstmae_status lstmae_tensor_view(lstmae_tensor **out, lstmae_tensor *base, int ndim, const int64_t *dims,
                                            const int64_t *strides, int64_t offset);

/** The part [start, start+length) along one axis, as a view. */
LSTMAE_API lstmae_status lstmae_tensor_slice(lstmae_tensor **out, lstmae_tensor *base, int axis, int64_t start,
                                             int64_t length);

/** Two axes swapped, as a view: how batch-major [B,T,F] data becomes [T,B,F] without a copy. */
LSTMAE_API lstmae_status lstmae_tensor_transpose(lstmae_tensor **out, lstmae_tensor *base, int axis0, int axis1);

/** Gives up one reference. NULL is fine. */
LSTMAE_API void lstmae_tensor_destroy(lstmae_tensor *tensor);

/** Copies `bytes` bytes of row-major host data in; bytes must be numel times element size, else ERR_SHAPE. */
LSTMAE_API lstmae_status lstmae_tensor_write(lstmae_tensor *tensor, const void *host, size_t bytes);

/** Copies the elements out in row-major order; waits for the device. */
LSTMAE_API lstmae_status lstmae_tensor_read(const lstmae_tensor *tensor, void *host, size_t bytes);

/** Copies src to dst: same shape and dtype, any strides; contexts may differ. Overlap within one storage is an
 * error. */
LSTMAE_API lstmae_status lstmae_tensor_copy(lstmae_tensor *dst, const lstmae_tensor *src);

/** Sets every element. */
LSTMAE_API lstmae_status lstmae_tensor_fill(lstmae_tensor *tensor, double value);

LSTMAE_API lstmae_dtype lstmae_tensor_dtype(const lstmae_tensor *tensor);
LSTMAE_API int lstmae_tensor_ndim(const lstmae_tensor *tensor);                  /**< 0 for NULL */
LSTMAE_API int64_t lstmae_tensor_dim(const lstmae_tensor *tensor, int axis);     /**< 0 where there is no such axis */
LSTMAE_API int64_t lstmae_tensor_stride(const lstmae_tensor *tensor, int axis);  /**< in elements */
LSTMAE_API int64_t lstmae_tensor_numel(const lstmae_tensor *tensor);
LSTMAE_API lstmae_context *lstmae_tensor_context(const lstmae_tensor *tensor);   /**< borrowed */

/**
 * Address of the first element in device memory, borrowed from the tensor. On a CPU context it may be read and, until
 * the next library call that uses this tensor, written; call again before writing again.
 */
LSTMAE_API void *lstmae_tensor_data(lstmae_tensor *tensor);

LSTMAE_END_DECLS

#endif
