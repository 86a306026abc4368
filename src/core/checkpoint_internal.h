/* Parts of a checkpoint: the tensors it holds, and the numbers in its metadata. docs/formats.md lists both. */
#ifndef LAE_CHECKPOINT_INTERNAL_H
#define LAE_CHECKPOINT_INTERNAL_H

#include "safetensors.h"

#include <lstmae/checkpoint.h>

/* Texts of the metadata beside the groups below, and how names of tensors begin that are no weights. */
#define LAE_CHECKPOINT_KEY_FORMAT "lstmae.format"
#define LAE_CHECKPOINT_KEY_FINGERPRINT "lstmae.fingerprint"
#define LAE_CHECKPOINT_KEY_OPTIMIZER_KIND "lstmae.optimizer.kind"
#define LAE_CHECKPOINT_KEY_CONFIG "lstmae.config"

#define LAE_CHECKPOINT_PREFIX_OPTIMIZER "optimizer."
#define LAE_CHECKPOINT_PREFIX_BEST "best."
#define LAE_CHECKPOINT_PREFIX_ARRAY "array."

/** Version of what we write; a reader refuses those above its own. */
#define LAE_CHECKPOINT_FORMAT "1"

/** Longest name of a parameter, its NUL included, and room for what moments and best weights put before it. */
#define LAE_CHECKPOINT_NAME 256
#define LAE_CHECKPOINT_PREFIX 32

/** Copies what the caller gave over the defaults and checks it. */
lstmae_status lae_checkpoint_content_read(lstmae_checkpoint *out, const lstmae_checkpoint *content, const char *path);

/** Checks the caller's arrays. */
lstmae_status lae_checkpoint_arrays_check(const lstmae_checkpoint *content);

/** The build and device that decide the last bits of results. */
#define LAE_CHECKPOINT_FINGERPRINT 256
void lae_checkpoint_fingerprint(char text[LAE_CHECKPOINT_FINGERPRINT], const lstmae_context *context);

/** A tensor of ours and its name in files. */
typedef struct lae_checkpoint_item {
    lstmae_tensor *tensor;
    const lae_safetensors_tensor *source; /* when loading; NULL: the file has none and need not */
    size_t best; /* index of a best weight plus 1; until it has room, `tensor` is its parameter */
    const lstmae_checkpoint_array *array; /* whose values `tensor`, which is owned then, holds */
    char name[LAE_CHECKPOINT_PREFIX + LAE_CHECKPOINT_NAME];
} lae_checkpoint_item;

/** Writes an item's name; ERR_INVALID_ARG for one that is too long. */
lstmae_status lae_checkpoint_item_name(lae_checkpoint_item *item, const char *prefix, const char *name);

typedef struct lae_checkpoint_items {
    lae_checkpoint_item *item;
    size_t count, capacity;
} lae_checkpoint_items;

/** All tensors of the content: parameters, moments, `best` best weights, for which no room is made, and arrays. */
lstmae_status lae_checkpoint_items_collect(lae_checkpoint_items *items, lae_memory *memory,
                                           const lstmae_checkpoint *content, size_t best);

/** Turns the best weights' items from the parameters to the room for them, making it where there is none. */
lstmae_status lae_checkpoint_items_resolve_best(const lae_checkpoint_items *items, const lstmae_checkpoint *content);

/** Appends the caller's arrays, copied to tensors. There must be room for them. */
lstmae_status lae_checkpoint_arrays_add(lae_checkpoint_items *items, const lstmae_checkpoint *content);

/** Copies the tensors that were loaded to the caller's arrays. */
lstmae_status lae_checkpoint_arrays_store(const lae_checkpoint_items *items);

void lae_checkpoint_items_free(lae_checkpoint_items *items, lae_memory *memory);

/** Groups of numbers, each a text of the metadata: X(group, key, how many). Doubles are stored by their bits. */
#define LAE_CHECKPOINT_GROUPS(X)                                                                   \
    X(RANDOM, "lstmae.random", 2)       /* seed, draws */                                          \
    X(OPTIMIZER, "lstmae.optimizer", 2) /* updates, learning rate */                               \
    X(LOADER, "lstmae.loader", 3)       /* epoch, batches taken in it, batches in an epoch */      \
    X(SCHEDULE, "lstmae.schedule", 3)   /* schedule_internal.h */                                  \
    X(FIT, "lstmae.fit", 8)             /* train_internal.h */

#define LAE_CHECKPOINT_ENUM(name, key, count) LAE_CHECKPOINT_##name,
enum { LAE_CHECKPOINT_GROUPS(LAE_CHECKPOINT_ENUM) LAE_CHECKPOINT_GROUP_COUNT };
#undef LAE_CHECKPOINT_ENUM

#define LAE_CHECKPOINT_GROUP_MOST 8
#define LAE_CHECKPOINT_GROUP_TEXT (17 * LAE_CHECKPOINT_GROUP_MOST)

typedef struct lae_checkpoint_state {
    int present[LAE_CHECKPOINT_GROUP_COUNT];
    uint64_t values[LAE_CHECKPOINT_GROUP_COUNT][LAE_CHECKPOINT_GROUP_MOST];
} lae_checkpoint_state;

/** Key of a group's text. */
const char *lae_checkpoint_key(int group);

/** What the objects hold now. */
lstmae_status lae_checkpoint_gather(lae_checkpoint_state *state, const lstmae_checkpoint *content);

/** A present group as text, 16 hexadecimal digits for each number with spaces between. */
void lae_checkpoint_format(char text[LAE_CHECKPOINT_GROUP_TEXT], const lae_checkpoint_state *state, int group);

/** Reads the groups that a file has. */
lstmae_status lae_checkpoint_read(lae_checkpoint_state *state, const lae_safetensors *st);

/**
 * Checks that everything asked for is there and that the objects can take it. Changes nothing.
 * @return OK; ERR_NOT_FOUND; ERR_FORMAT; ERR_STATE
 */
lstmae_status lae_checkpoint_check(const lae_checkpoint_state *state, const lstmae_checkpoint *content,
                                   const char *file);

/** Sets the objects to what was checked. Where it fails nothing has changed. */
lstmae_status lae_checkpoint_apply(const lae_checkpoint_state *state, const lstmae_checkpoint *content);

/**
 * lstmae_checkpoint_load() with another limit: up to `stage` bytes of weights are read to host memory before the first
 * is changed; more than that is read straight into place.
 */
lstmae_status lae_checkpoint_load_staged(const char *path, const lstmae_checkpoint *content, uint64_t stage);

#endif
