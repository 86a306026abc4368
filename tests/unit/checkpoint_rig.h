/* Checkpoints of trainees: saved to two files, loaded into others that were made with another seed. */
#ifndef LAE_TEST_CHECKPOINT_RIG_H
#define LAE_TEST_CHECKPOINT_RIG_H

#include "checkpoint_internal.h"

#include "../reliability/trainee.h"

/** Two files in the test's folder; set by setup_paths(), a setup of a group of tests. */
extern char path_a[256], path_b[256];
int setup_paths(void **state);

/** A trainee with this optimizer, or with Adam. */
trainee_options options_of(lstmae_optimizer_options optimizer);
trainee_options adam(void);

/** A trainee with another seed: what is loaded must not be there already. */
void create_other(trainee *t, trainee_options options);

/** A file's bytes, with a 0 after them; freed by the caller. */
unsigned char *read_all(const char *path, size_t *size);
void assert_same_files(const char *a, const char *b);

void save(const trainee *t, const char *path);
void load(const trainee *t, const char *path);

lstmae_module *linear(lstmae_context *context, int64_t in, int64_t out);

/** A chain of `count` linear modules, so that names can be chosen by place. */
lstmae_module *chain(lstmae_context *context, int64_t count);

#endif
