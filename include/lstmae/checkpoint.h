/**
 * @file checkpoint.h
 * One safetensors file holds weights, optimizer and training state. docs/formats.md describes it.
 *
 * Writing: to a temporary name beside the target, fsync, rename, fsync of the directory. Whatever happens, the target
 * is the old file or the new one, whole; temporary files of processes that were killed are removed by the next save.
 * One path must not be saved to from two places at once.
 *
 * Reading: the whole file is validated, its checksums included, before anything is changed, so after an error the
 * objects are as they were. Two exceptions: a device that fails on the way leaves its context lost; and of more than
 * 64 MiB of weights, which are not held twice, a part is new after the disk failed in the second reading.
 */
#ifndef LSTMAE_CHECKPOINT_H
#define LSTMAE_CHECKPOINT_H

#include <lstmae/train.h>

LSTMAE_BEGIN_DECLS

/** Loading weights alone: parameters that the file lacks keep their values, tensors that nothing takes are passed
 *  over. */
#define LSTMAE_CHECKPOINT_PARTIAL 1u

/** Loading: ERR_UNSUPPORTED for a file from another build, device or element type, whose last bits may differ.
 *  Without it a training that is continued from such a file logs a warning. */
#define LSTMAE_CHECKPOINT_SAME_BUILD 2u

/** Numbers of the caller's own that belong to a model: the state of a scaler, a threshold, a distribution of errors. */
typedef struct lstmae_checkpoint_array {
    const char *name; /**< stored as the tensor "array." + name */
    double *values;   /**< read when saving, written when loading */
    int64_t count;    /**< 1 or more; the same when loading */
} lstmae_checkpoint_array;

/**
 * What a checkpoint holds. `module` is needed; other members that are NULL are left out, or left alone when loading.
 * Loading an optimizer, loader or state also sets the context's seed and its count of random draws: the training
 * continues bit for bit.
 */
typedef struct lstmae_checkpoint {
    uint32_t struct_size;
    uint32_t flags;           /**< LSTMAE_CHECKPOINT_…, for loading */
    lstmae_module *module;
    lstmae_optimizer *optimizer;
    lstmae_schedule *schedule;
    lstmae_loader *loader;    /**< position of the training data */
    lstmae_fit_state *state;
    const char *config;       /**< saving: text of the caller's own in UTF-8, such as its settings; NULL: none */
    const lstmae_checkpoint_array *arrays;
    int64_t array_count;      /**< loading: arrays of the file that are not among these are passed over */
} lstmae_checkpoint;

#define LSTMAE_CHECKPOINT_INIT { sizeof(lstmae_checkpoint), 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0 }

/**
 * Writes a checkpoint. Equal content gives equal bytes.
 *
 * The file gets permissions 0644 less the umask. A symbolic link at `path` is itself replaced; a device or directory is
 * refused.
 * @return OK; ERR_IO with path and reason, where only the directory's fsync failed the new file is in place;
 *         ERR_NOT_FOUND for a missing directory; ERR_INVALID_ARG for text that is not UTF-8; ERR_NO_MEMORY
 */
LSTMAE_API lstmae_status lstmae_checkpoint_save(const char *path, const lstmae_checkpoint *content);

/**
 * Reads a checkpoint into existing objects of the same shapes.
 *
 * A file that holds weights alone, such as one written from PyTorch, can be loaded where only `module` is asked for.
 * Weights may be F32, F64, F16 or BF16 there.
 * @return OK; ERR_NOT_FOUND for a missing file, or naming a tensor or part that is missing, or that nothing takes;
 *         ERR_SHAPE or ERR_DTYPE naming the tensor; ERR_IO; ERR_FORMAT naming the byte; ERR_STATE for another kind of
 *         optimizer or another number of batches in an epoch; ERR_UNSUPPORTED for a newer format; ERR_NO_MEMORY
 */
LSTMAE_API lstmae_status lstmae_checkpoint_load(const char *path, const lstmae_checkpoint *content);

/**
 * The caller's text of a checkpoint.
 * @param text receives a copy; release with lstmae_checkpoint_config_free(). "" where the file has none
 * @return as lstmae_checkpoint_load(), which checks more of the file than this
 */
LSTMAE_API lstmae_status lstmae_checkpoint_config(const char *path, char **text);

/** NULL is fine. */
LSTMAE_API void lstmae_checkpoint_config_free(char *text);

LSTMAE_END_DECLS

#endif
