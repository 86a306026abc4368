/* What every test needs: comparing arrays, filling them, contexts on the device under test. */
#ifndef LAE_TEST_SUPPORT_H
#define LAE_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <lstmae/lstmae.h>

/** Fails the test unless `call` returns LSTMAE_OK, printing the library's text. */
#define assert_ok(call) test_assert_status((call), LSTMAE_OK, #call, __FILE__, __LINE__)

/** Fails the test unless `call` returns `code` with a text. */
#define assert_fails(call, code) test_assert_status((call), LSTMAE_##code, #call, __FILE__, __LINE__)

/** Fails the test unless every |got - want| <= atol + rtol * |want|; NaN and Inf always fail. `what` names the
 * array. */
#define assert_close(what, got, want, n, atol, rtol)                                               \
    test_assert_close((what), (got), (want), (n), (atol), (rtol), __FILE__, __LINE__)

void test_assert_status(lstmae_status got, lstmae_status want, const char *call, const char *file, int line);
void test_assert_close(const char *what, const float *got, const float *want, size_t n, double atol, double rtol,
                       const char *file, int line);

/** Uniform in [-scale, scale), from Philox: the same on every machine. */
void test_fill(float *out, size_t n, uint64_t seed, float scale);

/** A context on $LSTMAE_TEST_DEVICE, or `device` where that is unset. */
lstmae_context *test_context(const char *device, lstmae_dtype dtype);

#endif
