/*
 * Arrays from files: what the parsers of IDX and .npy find out, and how items are read out of one. The parsers see
 * bytes, not files, and allocate nothing.
 */
#ifndef LAE_ARRAY_H
#define LAE_ARRAY_H

#include "io.h"
#include "memory.h"

/** Most axes a file's array may have. */
#define LAE_ARRAY_DIMS 8

/** Largest size of one axis. */
#define LAE_ARRAY_MAX_DIM (INT64_C(1) << 31)

/** Longest .npy header that is read, as in NumPy. */
#define LAE_NPY_HEADER 10000

/** A parser needs at most this many bytes from the start. */
#define LAE_ARRAY_PREFIX (12 + LAE_NPY_HEADER)

typedef enum lae_element {
    LAE_U8,
    LAE_I8,
    LAE_U16,
    LAE_I16,
    LAE_U32,
    LAE_I32,
    LAE_U64,
    LAE_I64,
    LAE_R32,
    LAE_R64
} lae_element;

typedef struct lae_array {
    lae_element element;
    int big;     /* stored with the most significant byte first */
    int fortran; /* the first axis runs fastest */
    int ndim;
    int64_t dim[LAE_ARRAY_DIMS];
    size_t offset; /* of the first element from the start of the content */
    size_t bytes;  /* of all elements */
} lae_array;

/** 1 where this machine stores the most significant byte first. */
int lae_host_big(void);

/** Bytes of one element. */
size_t lae_element_size(lae_element element);

/** Sets array->bytes from dims and element; 0 if it, or the array without its empty axes, does not fit. */
int lae_array_measure(lae_array *array);

/**
 * Understands the start of a file: `prefix` holds its first `length` bytes, all of them or LAE_ARRAY_PREFIX.
 * @return OK; ERR_FORMAT naming the byte; ERR_UNSUPPORTED for a valid file of a kind that is not read here
 */
lstmae_status lae_idx_parse(lae_array *array, const char *name, const unsigned char *prefix, size_t length);
lstmae_status lae_npy_parse(lae_array *array, const char *name, const unsigned char *prefix, size_t length);

/** One or the other, by the first bytes. */
lstmae_status lae_array_parse(lae_array *array, const char *name, const unsigned char *prefix, size_t length);

/** ERR_FORMAT unless the content has exactly the length that the array needs. */
lstmae_status lae_array_check_size(const lae_array *array, const char *name, uint64_t content);

/**
 * Opens an IDX or .npy file, plain or compressed, and reads its elements as they are stored.
 * @param data receives array->bytes bytes from `memory`, for the caller to free
 */
lstmae_status lae_array_load(lae_array *array, void **data, const char *path, lae_memory *memory);

/** Where the items of an array lie; strides in bytes, neighbouring axes joined where possible. */
typedef struct lae_items {
    const unsigned char *data;
    lae_element element;
    int big;
    double scale;
    int64_t item_stride;
    int ndim;
    int64_t dim[LAE_ARRAY_DIMS], stride[LAE_ARRAY_DIMS];
} lae_items;

/** Items of `array` along `item_axis`, its elements at `data`; reading multiplies by `scale`. */
void lae_items_layout(lae_items *items, const lae_array *array, const void *data, int item_axis, double scale);

/** Item `index`, row-major, as float32. */
void lae_items_read(const lae_items *items, int64_t index, float *out);

#endif
