/* A series of our own: six sensors of a machine that turns, warms up and works in shifts, with planted anomalies. */
#ifndef TS_OWN_H
#define TS_OWN_H

#include "series.h"

#define TS_OWN_NORMAL 3000 /* rows at the beginning without any */

/** Makes it, the same for equal seeds. */
int ts_own_series(ts_series *series, lstmae_context *context, uint64_t seed);

/** Writes it as CSV, with the truth in a column "anomaly". */
int ts_own_save(const ts_series *series, const char *path);

#endif
