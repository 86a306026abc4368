/* Errors, scores of rows, smoothing. */
#include "options.h"

#include <lstmae/score.h>

#include <math.h>

lstmae_status lstmae_errors(int32_t kind, const float *x, const float *y, int64_t count, float *errors)
{
    LAE_CHECK_ARG(kind >= LSTMAE_ERROR_ABSOLUTE && kind <= LSTMAE_ERROR_SIGNED, "errors");
    LAE_CHECK_ARG(count >= 0, "errors");
    LAE_CHECK_ARG((x && y && errors) || count == 0, "errors");
    for (int64_t i = 0; i < count; i++) {
        float d = x[i] - y[i];
        errors[i] = kind == LSTMAE_ERROR_ABSOLUTE ? fabsf(d) : kind == LSTMAE_ERROR_SQUARED ? d * d : d;
    }
    return LSTMAE_OK;
}

lstmae_status lstmae_error_scores(const float *errors, int64_t rows, int64_t channels, float *scores)
{
    LAE_CHECK_ARG(rows >= 0 && channels >= 1, "error_scores");
    LAE_CHECK_ARG((errors && scores) || rows == 0, "error_scores");
    for (int64_t row = 0; row < rows; row++) {
        double sum = 0.0;
        for (int64_t i = 0; i < channels; i++) sum += (double)errors[row * channels + i];
        scores[row] = (float)(sum / (double)channels);
    }
    return LSTMAE_OK;
}

double lstmae_ewma_update(lstmae_ewma *ewma, double value)
{
    if (!ewma || ewma->struct_size < sizeof *ewma || !(ewma->alpha > 0.0 && ewma->alpha <= 1.0) || !isfinite(value))
        return NAN;
    if (ewma->weight == 0.0) {
        ewma->value = value;
        ewma->weight = 1.0;
    } else if (ewma->flags & LSTMAE_EWMA_ADJUST) {
        ewma->weight = 1.0 + (1.0 - ewma->alpha) * ewma->weight;
        ewma->value += (value - ewma->value) / ewma->weight;
    } else {
        ewma->value += ewma->alpha * (value - ewma->value);
    }
    return ewma->value;
}
