/*
 * safetensors files: a JSON header that names tensors, and their bytes. docs/formats.md describes the format, what we
 * refuse, and the checksums our own files carry.
 *
 * Reading trusts nothing: the header is checked as a whole, against the real size of the file, before anything is kept.
 * It takes at most twice the header's size in memory and n log n time for n names.
 */
#ifndef LAE_SAFETENSORS_H
#define LAE_SAFETENSORS_H

#include "io.h"
#include "memory.h"

#include <lstmae/base.h>

#define LAE_SAFETENSORS_MAX_HEADER 100000000u
#define LAE_SAFETENSORS_MAX_RANK 8
#define LAE_SAFETENSORS_MAX_DIM (UINT64_C(1) << 31)
#define LAE_SAFETENSORS_ALIGNMENT 64 /* our files: of the data section in the file */

/** Element types of files: X(name, bytes of an element). */
#define LAE_SAFETENSORS_TYPES(X)                                                                   \
    X(F32, 4) X(F64, 8) X(F16, 2) X(BF16, 2) X(I64, 8) X(I32, 4) X(I16, 2) X(I8, 1) X(U8, 1) X(BOOL, 1)

#define LAE_SAFETENSORS_ENUM(name, bytes) LAE_SAFETENSORS_##name,
enum { LAE_SAFETENSORS_TYPES(LAE_SAFETENSORS_ENUM) LAE_SAFETENSORS_TYPE_COUNT };
#undef LAE_SAFETENSORS_ENUM

/** "F32" and the like; bytes of an element. */
const char *lae_safetensors_type_name(int type);
size_t lae_safetensors_type_size(int type);

/** A tensor of a file. name and shape are places in the header's text. */
typedef struct lae_safetensors_tensor {
    uint64_t begin, end; /* bytes, counted from the data section's first */
    uint32_t name, shape;
    uint8_t type, rank;
} lae_safetensors_tensor;

/** A text of the metadata, as places in the header's text. */
typedef struct lae_safetensors_pair {
    uint32_t key, value;
} lae_safetensors_pair;

/** A header that has been read. */
typedef struct lae_safetensors {
    lae_memory *memory;
    const char *file; /* for messages; borrowed */
    char *text;       /* names and metadata in it have become C strings */
    size_t text_bytes;
    uint64_t data, data_bytes;       /* place of the data section in the file, and its size */
    size_t count;
    lae_safetensors_tensor *tensors; /* in the order of their data */
    uint32_t *by_name;               /* indices of tensors in the order of their names */
    size_t pair_count;
    lae_safetensors_pair *pairs;     /* in the order of their keys */
    uint32_t digest, digest_stored;  /* of the header: as computed and as it says */
    int has_digest;
} lae_safetensors;

#define LAE_SAFETENSORS_CLOSED { 0 }

/**
 * Reads and checks the header of an open file, or of a file whose `size` bytes are in memory (`name` is for messages).
 * @return OK; ERR_FORMAT naming the byte; ERR_IO; ERR_NO_MEMORY
 */
lstmae_status lae_safetensors_open(lae_safetensors *st, lae_memory *memory, const lae_file *file);
lstmae_status lae_safetensors_parse(lae_safetensors *st, lae_memory *memory, const char *name, const void *bytes,
                                    size_t size);

/** Gives the memory back; fine for one that is closed or failed to open. */
void lae_safetensors_close(lae_safetensors *st);

/** Text of the metadata or tensor with this name, NULL where there is none. */
const char *lae_safetensors_metadata(const lae_safetensors *st, const char *key);
const lae_safetensors_tensor *lae_safetensors_find(const lae_safetensors *st, const char *name);

const char *lae_safetensors_name(const lae_safetensors *st, const lae_safetensors_tensor *tensor);

/** Writes the tensor's `rank` sizes. */
void lae_safetensors_shape(const lae_safetensors *st, const lae_safetensors_tensor *tensor,
                           int64_t dim[LAE_SAFETENSORS_MAX_RANK]);

/**
 * Compares the checksum of the header, where the file has metadata of ours.
 * @return 1 if it agrees; 0 for a file without our metadata; ERR_FORMAT
 */
lstmae_status lae_safetensors_verify_header(const lae_safetensors *st);

/** Compares the checksum of every tensor of a file whose header was verified; reads all of it through `buffer`. */
lstmae_status lae_safetensors_verify_data(const lae_safetensors *st, const lae_file *file, void *buffer, size_t bytes);

/** The file's type for elements of ours. */
int lae_safetensors_type_of(lstmae_dtype dtype);

/** 1 if elements of this type can become ours: real numbers F32 and F64, I64 itself. */
int lae_safetensors_converts(lstmae_dtype dtype, int type);

/** Converts `count` elements of such a type: exactly, or from F64 to F32 rounded to nearest even. */
void lae_safetensors_convert(void *to, lstmae_dtype dtype, const void *from, int type, size_t count);

/** A tensor to write. */
typedef struct lae_safetensors_entry {
    const char *name;
    int type; /* LAE_SAFETENSORS_F32 and such */
    int rank;
    int64_t dim[LSTMAE_MAX_DIMS];
} lae_safetensors_entry;

/** A file to write. Beside this metadata it receives the checksums. */
typedef struct lae_safetensors_content {
    const lae_safetensors_entry *entries;
    size_t count;
    const char *const (*metadata)[2]; /* keys and values, valid UTF-8 */
    size_t metadata_count;
    /** Supplies bytes [first, first + bytes) of a tensor's data; asked twice, and must give the same. */
    lstmae_status (*read)(void *payload, size_t index, uint64_t first, void *buffer, size_t bytes);
    void *payload;
} lae_safetensors_content;

/**
 * Writes a file in place of `path`, as replace.h says. Equal content gives equal bytes.
 * @return OK; ERR_INVALID_ARG for names that are equal, or not UTF-8; ERR_IO, ERR_NOT_FOUND; ERR_NO_MEMORY; what
 *         `read` returns
 */
lstmae_status lae_safetensors_save(const char *path, lae_memory *memory, const lae_safetensors_content *content);

/* What our files begin with; eight hexadecimal digits follow, for the digest itself taken as zeros. */
#define LAE_SAFETENSORS_PREFIX "{\"__metadata__\":{\"lstmae.digest\":\""
#define LAE_SAFETENSORS_DIGEST_KEY "lstmae.digest"
#define LAE_SAFETENSORS_SUMS_KEY "lstmae.crc32c"
#define LAE_SAFETENSORS_OWN_KEYS "lstmae."

/** CRC-32C of a header's text with the digest's digits, eight at LAE_SAFETENSORS_PREFIX's end, taken as zeros. */
uint32_t lae_safetensors_header_digest(const char *text, size_t size);

#endif
