/* What a checkpoint stores of a training. */
#ifndef LAE_TRAIN_INTERNAL_H
#define LAE_TRAIN_INTERNAL_H

#include <lstmae/train.h>

/** Numbers that make up the state; they may be NaN or infinite, so they are to be stored by their bits or as "%a". */
#define LAE_FIT_COUNTERS 8

/** Reads the counters; fit_state.c names them. */
void lae_fit_state_get(const lstmae_fit_state *state, double counters[LAE_FIT_COUNTERS]);

/** ERR_FORMAT, changing nothing, where a training cannot have such counters; else takes them when `apply`. */
lstmae_status lae_fit_state_set(lstmae_fit_state *state, const double counters[LAE_FIT_COUNTERS], int apply);

/** Number of best weights held: that of the module's parameters and buffers, or 0 where none are kept. */
size_t lae_fit_state_best_count(const lstmae_fit_state *state);

/**
 * Best weight i in [0, lae_module_state_count(module)). Where none are held, room for all of them is made first.
 *
 * @param name   receives "best.<name>"; ERR_INTERNAL where `size` is too small. NULL: not wanted
 * @param tensor receives the tensor, borrowed. NULL: not wanted
 */
lstmae_status lae_fit_state_best_slot(lstmae_fit_state *state, lstmae_module *module, size_t i, char *name, size_t size,
                                      lstmae_tensor **tensor);

/** Forgets the best weights, as before loading a state that has none. */
void lae_fit_state_drop_best(lstmae_fit_state *state);

#endif
