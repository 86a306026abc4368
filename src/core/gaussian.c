/*
 * A normal distribution of error vectors. With mean mu, covariance C and its mean variance t, S = C + r t I = L L' is
 * factored by Cholesky; for e - mu = L y, d^2 = y'y and log det S = 2 sum log L_jj.
 *
 * Everything is kept twice: fits and updates work on the spare, which takes the place of the other when S turned out to
 * be positive definite.
 */
#include "context_internal.h"
#include "copies.h"
#include "options.h"
#include "scaler_internal.h"
#include "size.h"

#include <lstmae/score.h>

#include <math.h>
#include <string.h>

#define GAUSSIAN_MOST 4096
#define GAUSSIAN_LOG_2PI 1.8378770664093454836

/* A pivot of less than this share of its diagonal element is what rounding left of 0. */
#define GAUSSIAN_PIVOT 1e-13

/* What stands in a state before the means and the lower triangle of C. */
enum { GAUSSIAN_CHANNELS, GAUSSIAN_REGULARISATION, GAUSSIAN_ROWS, GAUSSIAN_FRONT };

typedef struct gaussian_moments {
    double rows; /* 0: not fitted */
    double *mean;
    double *covariance; /* [D, D], its lower triangle */
    double *factor;     /* likewise */
    double log_det;
} gaussian_moments;

struct lstmae_gaussian {
    lstmae_context *context; /* retained */
    lstmae_gaussian_options options;
    int64_t channels;
    gaussian_moments now, spare;
    double *solution; /* [2, D] */
    double *numbers;  /* owned: all of the above */
};

static size_t gaussian_numbers(int64_t channels)
{
    size_t d = (size_t)channels;
    return 2 * (d + 2 * d * d) + 2 * d;
}

static double *gaussian_lay(gaussian_moments *moments, int64_t channels, double *numbers)
{
    moments->mean = numbers;
    moments->covariance = moments->mean + channels;
    moments->factor = moments->covariance + channels * channels;
    return moments->factor + channels * channels;
}

lstmae_status lstmae_gaussian_create(lstmae_gaussian **out, lstmae_context *context, int64_t channels,
                                     const lstmae_gaussian_options *options)
{
    static const lstmae_gaussian_options defaults = LSTMAE_GAUSSIAN_OPTIONS_INIT;
    lstmae_gaussian_options o;
    LAE_CHECK_ARG(out, "gaussian_create");
    *out = NULL;
    LAE_CHECK_ARG(context, "gaussian_create");
    LAE_CHECK_ARG(channels >= 1 && channels <= GAUSSIAN_MOST, "gaussian_create");
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "gaussian options"));
    LAE_CHECK_ARG(o.flags == 0, "gaussian_create");
    LAE_CHECK_ARG(o.regularisation >= 0.0 && isfinite(o.regularisation), "gaussian_create");
    LAE_CHECK_ARG(o.memory >= 0, "gaussian_create");
    lae_memory *memory = lae_context_memory(context);
    lstmae_gaussian *gaussian = lae_calloc(memory, 1, sizeof *gaussian);
    if (!gaussian) return LAE_FAIL(ERR_NO_MEMORY, "gaussian_create: no memory for %zu bytes", sizeof *gaussian);
    gaussian->context = lae_context_retain(context);
    gaussian->options = o;
    gaussian->channels = channels;
    gaussian->numbers = lae_calloc(memory, gaussian_numbers(channels), sizeof *gaussian->numbers);
    if (!gaussian->numbers) {
        lstmae_gaussian_destroy(gaussian);
        return LAE_FAIL(ERR_NO_MEMORY, "gaussian_create: no memory for %lld channels", (long long)channels);
    }
    double *rest = gaussian_lay(&gaussian->now, channels, gaussian->numbers);
    gaussian->solution = gaussian_lay(&gaussian->spare, channels, rest);
    *out = gaussian;
    return LSTMAE_OK;
}

lstmae_status lae_gaussian_copy(lstmae_gaussian **out, const lstmae_gaussian *gaussian, lstmae_context *context)
{
    const size_t D = (size_t)gaussian->channels;
    LAE_TRY(lstmae_gaussian_create(out, context, gaussian->channels, &gaussian->options));
    gaussian_moments *to = &(*out)->now;
    const gaussian_moments *from = &gaussian->now;
    to->rows = from->rows;
    to->log_det = from->log_det;
    memcpy(to->mean, from->mean, D * sizeof(double));
    memcpy(to->covariance, from->covariance, D * D * sizeof(double));
    memcpy(to->factor, from->factor, D * D * sizeof(double));
    return LSTMAE_OK;
}

int64_t lae_gaussian_channels(const lstmae_gaussian *gaussian)
{
    return gaussian->channels;
}

int lae_gaussian_fitted(const lstmae_gaussian *gaussian)
{
    return gaussian->now.rows > 0.0;
}

void lstmae_gaussian_destroy(lstmae_gaussian *gaussian)
{
    if (!gaussian) return;
    lstmae_context *context = gaussian->context;
    lae_memory *memory = lae_context_memory(context);
    lae_free(memory, gaussian->numbers, gaussian_numbers(gaussian->channels) * sizeof *gaussian->numbers);
    lae_free(memory, gaussian, sizeof *gaussian);
    lae_context_release(context);
}

/* ---- fitting ---- */

/* Factors the spare's S and makes it the distribution. */
static lstmae_status gaussian_accept(lstmae_gaussian *gaussian, const char *function)
{
    const int64_t D = gaussian->channels;
    gaussian_moments *m = &gaussian->spare, kept = gaussian->now;
    double variance = 0.0;
    for (int64_t i = 0; i < D; i++) variance += m->covariance[i * D + i];
    variance /= (double)D;
    if (!(variance > 0.0) || !isfinite(variance))
        return LAE_FAIL(ERR_NUMERIC, "%s: expected errors that vary, got a mean variance of %g", function, variance);
    m->log_det = 0.0;
    for (int64_t i = 0; i < D; i++) {
        double *row = m->factor + i * D;
        double diagonal = m->covariance[i * D + i] + gaussian->options.regularisation * variance;
        for (int64_t j = 0; j <= i; j++) {
            const double *other = m->factor + j * D;
            double sum = j < i ? m->covariance[i * D + j] : diagonal;
            for (int64_t k = 0; k < j; k++) sum -= row[k] * other[k];
            if (j < i) {
                row[j] = sum / other[j];
            } else if (sum > GAUSSIAN_PIVOT * diagonal) {
                row[i] = sqrt(sum);
                m->log_det += log(sum);
            } else {
                return LAE_FAIL(ERR_NUMERIC, "%s: expected a positive definite covariance, got pivot %g in channel "
                                "%lld; regularisation is %g", function, sum, (long long)i,
                                gaussian->options.regularisation);
            }
        }
    }
    gaussian->now = gaussian->spare;
    gaussian->spare = kept;
    return LSTMAE_OK;
}

static lstmae_status gaussian_check(const lstmae_gaussian *gaussian, const float *errors, int64_t rows,
                                    const char *function)
{
    LAE_CHECK_ARG(gaussian, function);
    LAE_CHECK_ARG(errors && rows >= 1 && rows <= INT64_MAX / gaussian->channels, function);
    for (int64_t i = 0; i < rows * gaussian->channels; i++)
        if (!isfinite(errors[i]))
            return LAE_FAIL(ERR_NUMERIC, "%s: row %lld, channel %lld: expected a finite error, got %g", function,
                            (long long)(i / gaussian->channels), (long long)(i % gaussian->channels),
                            (double)errors[i]);
    return LSTMAE_OK;
}

lstmae_status lstmae_gaussian_fit(lstmae_gaussian *gaussian, const float *errors, int64_t rows)
{
    LAE_TRY(gaussian_check(gaussian, errors, rows, "gaussian_fit"));
    const int64_t D = gaussian->channels;
    gaussian_moments *m = &gaussian->spare;
    double *d = gaussian->solution;
    memset(m->mean, 0, (size_t)D * sizeof *m->mean);
    memset(m->covariance, 0, (size_t)(D * D) * sizeof *m->covariance);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t i = 0; i < D; i++) m->mean[i] += (double)errors[row * D + i];
    for (int64_t i = 0; i < D; i++) m->mean[i] /= (double)rows;
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t i = 0; i < D; i++) d[i] = (double)errors[row * D + i] - m->mean[i];
        for (int64_t i = 0; i < D; i++)
            for (int64_t j = 0; j <= i; j++) m->covariance[i * D + j] += d[i] * d[j];
    }
    for (int64_t i = 0; i < D * D; i++) m->covariance[i] /= (double)rows;
    m->rows = (double)rows;
    return gaussian_accept(gaussian, "gaussian_fit");
}

/* One more error, with a = 1 / n and d = e - mu: mu <- mu + a d, C <- (1 - a) (C + a d d'). */
static void gaussian_add(lstmae_gaussian *gaussian, const float *error)
{
    const int64_t D = gaussian->channels;
    gaussian_moments *m = &gaussian->spare;
    double memory = (double)gaussian->options.memory, *d = gaussian->solution;
    m->rows += 1.0;
    double share = 1.0 / (memory > 0.0 && m->rows > memory ? memory : m->rows);
    for (int64_t i = 0; i < D; i++) {
        d[i] = (double)error[i] - m->mean[i];
        m->mean[i] += share * d[i];
    }
    for (int64_t i = 0; i < D; i++)
        for (int64_t j = 0; j <= i; j++)
            m->covariance[i * D + j] = (1.0 - share) * (m->covariance[i * D + j] + share * d[i] * d[j]);
}

lstmae_status lstmae_gaussian_update(lstmae_gaussian *gaussian, const float *errors, int64_t rows)
{
    LAE_TRY(gaussian_check(gaussian, errors, rows, "gaussian_update"));
    const int64_t D = gaussian->channels;
    gaussian->spare.rows = gaussian->now.rows;
    memcpy(gaussian->spare.mean, gaussian->now.mean, (size_t)D * sizeof(double));
    memcpy(gaussian->spare.covariance, gaussian->now.covariance, (size_t)(D * D) * sizeof(double));
    for (int64_t row = 0; row < rows; row++) gaussian_add(gaussian, errors + row * D);
    return gaussian_accept(gaussian, "gaussian_update");
}

/* ---- scoring ---- */

/* Solves L y = e - mu and returns y'y. */
static double gaussian_distance(const lstmae_gaussian *gaussian, const float *error, double *y)
{
    const int64_t D = gaussian->channels;
    const gaussian_moments *m = &gaussian->now;
    double square = 0.0;
    for (int64_t i = 0; i < D; i++) {
        const double *row = m->factor + i * D;
        double sum = (double)error[i] - m->mean[i];
        for (int64_t k = 0; k < i; k++) sum -= row[k] * y[k];
        y[i] = sum / row[i];
        square += y[i] * y[i];
    }
    return square;
}

/* Solves L' z = y in place, and multiplies by e - mu. */
static void gaussian_contributions(const lstmae_gaussian *gaussian, const float *error, double *y, float *out)
{
    const int64_t D = gaussian->channels;
    const gaussian_moments *m = &gaussian->now;
    for (int64_t i = D - 1; i >= 0; i--) {
        const double *row = m->factor + i * D;
        y[i] /= row[i];
        for (int64_t k = 0; k < i; k++) y[k] -= row[k] * y[i];
    }
    for (int64_t i = 0; i < D; i++) out[i] = (float)(((double)error[i] - m->mean[i]) * y[i]);
}

lstmae_status lstmae_gaussian_score_errors(lstmae_gaussian *gaussian, int32_t kind, const float *errors, int64_t rows,
                                           float *scores, float *contributions)
{
    LAE_CHECK_ARG(gaussian, "gaussian_score_errors");
    LAE_CHECK_ARG(kind == LSTMAE_GAUSSIAN_MAHALANOBIS || kind == LSTMAE_GAUSSIAN_DENSITY, "gaussian_score_errors");
    LAE_CHECK_ARG(rows >= 0, "gaussian_score_errors");
    LAE_CHECK_ARG((errors && scores) || rows == 0, "gaussian_score_errors");
    if (gaussian->now.rows == 0.0) return LAE_FAIL(ERR_STATE, "gaussian_score_errors: expected a fit before, got none");
    const int64_t D = gaussian->channels;
    const double constant = gaussian->now.log_det + (double)D * GAUSSIAN_LOG_2PI;
    for (int64_t row = 0; row < rows; row++) {
        double square = gaussian_distance(gaussian, errors + row * D, gaussian->solution);
        scores[row] = (float)(kind == LSTMAE_GAUSSIAN_MAHALANOBIS ? sqrt(square) : 0.5 * (square + constant));
        if (contributions)
            gaussian_contributions(gaussian, errors + row * D, gaussian->solution, contributions + row * D);
    }
    return LSTMAE_OK;
}

/* ---- state ---- */

int64_t lstmae_gaussian_state_count(const lstmae_gaussian *gaussian)
{
    return gaussian ? GAUSSIAN_FRONT + gaussian->channels + gaussian->channels * (gaussian->channels + 1) / 2 : 0;
}

lstmae_status lstmae_gaussian_get_state(const lstmae_gaussian *gaussian, double *state, int64_t count)
{
    LAE_CHECK_ARG(gaussian, "gaussian_get_state");
    LAE_CHECK_ARG(state, "gaussian_get_state");
    LAE_TRY(lae_state_check_count(count, lstmae_gaussian_state_count(gaussian), "gaussian_get_state"));
    const int64_t D = gaussian->channels;
    const gaussian_moments *m = &gaussian->now;
    state[GAUSSIAN_CHANNELS] = (double)D;
    state[GAUSSIAN_REGULARISATION] = gaussian->options.regularisation;
    state[GAUSSIAN_ROWS] = m->rows;
    double *out = state + GAUSSIAN_FRONT;
    for (int64_t i = 0; i < D; i++) *out++ = m->mean[i];
    for (int64_t i = 0; i < D; i++)
        for (int64_t j = 0; j <= i; j++) *out++ = m->covariance[i * D + j];
    return LSTMAE_OK;
}

lstmae_status lstmae_gaussian_set_state(lstmae_gaussian *gaussian, const double *state, int64_t count)
{
    LAE_CHECK_ARG(gaussian, "gaussian_set_state");
    LAE_CHECK_ARG(state, "gaussian_set_state");
    LAE_TRY(lae_state_check_count(count, lstmae_gaussian_state_count(gaussian), "gaussian_set_state"));
    const int64_t D = gaussian->channels;
    gaussian_moments *m = &gaussian->spare;
    int possible = state[GAUSSIAN_CHANNELS] == (double)D && state[GAUSSIAN_REGULARISATION] >= 0.0 &&
                   state[GAUSSIAN_ROWS] >= 0.0;
    for (int64_t i = 0; i < count; i++) possible = possible && isfinite(state[i]);
    if (!possible)
        return LAE_FAIL(ERR_FORMAT, "gaussian_set_state: expected the state of a distribution of %lld channels, got "
                        "other numbers", (long long)D);
    const double *from = state + GAUSSIAN_FRONT;
    for (int64_t i = 0; i < D; i++) m->mean[i] = *from++;
    for (int64_t i = 0; i < D; i++)
        for (int64_t j = 0; j <= i; j++) m->covariance[i * D + j] = *from++;
    m->rows = state[GAUSSIAN_ROWS];
    double kept = gaussian->options.regularisation;
    gaussian->options.regularisation = state[GAUSSIAN_REGULARISATION];
    if (m->rows == 0.0) {
        gaussian->now.rows = 0.0;
        memset(gaussian->now.mean, 0, (size_t)D * sizeof(double));
        memset(gaussian->now.covariance, 0, (size_t)(D * D) * sizeof(double));
        return LSTMAE_OK;
    }
    if (gaussian_accept(gaussian, "gaussian_set_state") == LSTMAE_OK) return LSTMAE_OK;
    gaussian->options.regularisation = kept;
    return LAE_FAIL(ERR_FORMAT, "gaussian_set_state: expected a positive definite covariance, got none");
}
