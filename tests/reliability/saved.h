/* A directory with one checkpoint in it: what is there, and whether it is the file it should be. */
#ifndef LAE_TEST_SAVED_H
#define LAE_TEST_SAVED_H

#include "trainee.h"

/** Path of the checkpoint; the directory is made for this process and removed when it exits. */
const char *saved_path(void);

/** Files in the directory whose name begins as the checkpoint's: itself and what is left of saves. */
int saved_files(void);

/** Removes all of them. */
void saved_clear(void);

lstmae_status saved_save(const trainee *t);

/** Loads into `t`, which must be able to take it. */
lstmae_status saved_load(const trainee *t);

/** Fails the test unless the checkpoint loads into `scratch` as a state whose hash is `a` or `b`; returns which. */
uint32_t saved_assert(const trainee *scratch, uint32_t a, uint32_t b);

#endif
