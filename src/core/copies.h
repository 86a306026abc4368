/* What judges a stream, copied as it is now into another context, and what sessions ask of it. */
#ifndef LAE_COPIES_H
#define LAE_COPIES_H

#include <lstmae/scaler.h>
#include <lstmae/score.h>
#include <lstmae/threshold.h>

lstmae_status lae_scaler_copy(lstmae_scaler **out, const lstmae_scaler *scaler, lstmae_context *context);
lstmae_status lae_gaussian_copy(lstmae_gaussian **out, const lstmae_gaussian *gaussian, lstmae_context *context);
lstmae_status lae_threshold_copy(lstmae_threshold **out, const lstmae_threshold *threshold, lstmae_context *context);

lstmae_scaling lae_scaler_kind(const lstmae_scaler *scaler);
int64_t lae_gaussian_channels(const lstmae_gaussian *gaussian);
int lae_gaussian_fitted(const lstmae_gaussian *gaussian);

/** 1 if scores can be given to it: it was fitted, or needs no fit. */
int lae_threshold_ready(const lstmae_threshold *threshold);

#endif
