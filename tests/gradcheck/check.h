/* Gradients against central differences of the value they belong to, in float64 through the public API. */
#ifndef LAE_TEST_CHECK_H
#define LAE_TEST_CHECK_H

#include "values.h"

/**
 * Largest difference between a gradient and its numeric value, over the larger of the two. Elements below 1/1000 of
 * their array's largest are measured against that: they are sums that cancel. The differences are of sixth order with
 * a wide step, 1/128, which keeps both their truncation and the rounding of the value far below the limit.
 */
#define CHECK_LIMIT 1e-6

#define CHECK_MAX_ARRAYS 96

/** One configuration: a value, and the arrays it depends on with their gradients. */
typedef struct check {
    const char *name;
    double (*value)(void *payload); /* from the arrays' present content; draws the same random numbers every time */
    void *payload;
    size_t count;
    struct {
        const char *name;
        lstmae_tensor *tensor;
        double *gradient;
    } arrays[CHECK_MAX_ARRAYS];
} check;

/** Configurations run so far, and the largest difference among them. */
typedef struct check_totals {
    int configurations, failures;
    double worst;
} check_totals;

extern check_totals check_all;

/** A context in float64 on "cpu:ref", with one thread. */
lstmae_context *check_context(void);

/** A tensor drawn from [-scale, scale). */
lstmae_tensor *check_draw(lstmae_context *context, int ndim, const int64_t *dims, uint64_t seed, double scale);

/** Sum over all elements of a * b, same shapes. */
double check_dot(const lstmae_tensor *a, const lstmae_tensor *b);

/** Draws the parameters of a module anew, wide enough that every gradient counts. */
void check_draw_params(lstmae_module *module, double scale);

/** Adds an array with its gradient, which is copied. */
void check_add(check *c, const char *name, lstmae_tensor *tensor, const lstmae_tensor *gradient);
void check_add_params(check *c, lstmae_module *module);

/**
 * Compares, counts and forgets the arrays. A configuration where most gradients are exactly zero is a failure: it
 * shows nothing. Failures are printed and counted; the last test of the program looks at the count.
 */
void check_run(check *c);

/** All parameters and the input of a module, which it takes. The input is kept `gap` away from 0. */
void check_layer(const char *name, lstmae_module *module, int ndim, const int64_t *dims, double gap);

/** The same at an input of the caller's, which it takes too. */
void check_layer_at(const char *name, lstmae_module *module, lstmae_tensor *x);

void test_gradcheck_lstm(void **state);
void test_gradcheck_layers(void **state);
void test_gradcheck_conv(void **state);
void test_gradcheck_norm(void **state);
void test_gradcheck_losses(void **state);
void test_gradcheck_seq2seq(void **state);
void test_gradcheck_autoencoder(void **state);

#endif
