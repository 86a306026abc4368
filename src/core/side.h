/*
 * The side: work that a device may do beside what comes after it (lstmae_backend_api.lane). Between begin and leave,
 * operations are the side's. Between leave and end, they are in the main order, must not touch what the side's write,
 * and must not write what those read. The first operation after end waits for the side, so nobody else has to know of
 * it but who resumes it before that: then more work follows the side's. On devices with one order all of this does
 * nothing.
 */
#ifndef LAE_SIDE_H
#define LAE_SIDE_H

#include "context_internal.h"

/** The side's work follows all that was called before. */
lstmae_status lae_side_begin(lstmae_context *context);

/** The side's work follows its own, where that has not been waited for; else it is in the main order. */
lstmae_status lae_side_resume(lstmae_context *context);

/** Gives back `status`, or where that is OK that of leaving. */
lstmae_status lae_side_leave(lstmae_context *context, lstmae_status status);
void lae_side_end(lstmae_context *context);

/** 1 between begin and leave on a device with a side. */
int lae_side_is_open(const lstmae_context *context);

/** Waits for the side, if it ended and nobody has: at the start of every operation. */
lstmae_status lae_side_join(lstmae_context *context);

#endif
