/* A table that stands before a backend's while a step is recorded: what works in device memory goes to a replay. */
#ifndef LAE_RECORD_H
#define LAE_RECORD_H

#include "call.h"

/**
 * Fills `table` with entries for those `api` has. They are called with a lae_replay for a queue. An entry that this
 * file does not know is missing in it, so that the core composes what it does.
 */
void lae_record_table(lstmae_backend_api *table, const lstmae_backend_api *api);

#endif
