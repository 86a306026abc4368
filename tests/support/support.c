#include "support.h"

#include "shared/philox.h"

#include <math.h>
#include <stdlib.h>

void test_assert_status(lstmae_status got, lstmae_status want, const char *call, const char *file, int line)
{
    if (got == want && (want >= 0 || lstmae_last_error()[0] != '\0')) return;
    print_error("%s\n  returned %s, wanted %s: \"%s\"\n", call, lstmae_status_name(got), lstmae_status_name(want),
                lstmae_last_error());
    _fail(file, line);
}

void test_assert_close(const char *what, const float *got, const float *want, size_t n, double atol, double rtol,
                       const char *file, int line)
{
    size_t bad = 0, worst = 0;
    double worst_excess = -1;
    for (size_t i = 0; i < n; i++) {
        double error = fabs((double)got[i] - (double)want[i]);
        double allowed = atol + rtol * fabs((double)want[i]);
        if (isfinite(got[i]) && isfinite(want[i]) && error <= allowed) continue;
        double excess = isfinite(error) ? error / (allowed > 0 ? allowed : 1e-300) : INFINITY;
        bad++;
        if (excess > worst_excess) {
            worst_excess = excess;
            worst = i;
        }
    }
    if (bad == 0) return;
    print_error("%s: %zu of %zu differ; worst at %zu: got %.9g, want %.9g (atol %g, rtol %g)\n", what, bad, n, worst,
                (double)got[worst], (double)want[worst], atol, rtol);
    _fail(file, line);
}

void test_fill(float *out, size_t n, uint64_t seed, float scale)
{
    for (size_t i = 0; i < n; i++) out[i] = scale * (2.0f * lae_unit_float(lae_philox_bits(seed, 0, i)) - 1.0f);
}

lstmae_context *test_context(const char *device, lstmae_dtype dtype)
{
    lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
    const char *chosen = getenv("LSTMAE_TEST_DEVICE");
    lstmae_context *context = NULL;
    options.dtype = dtype;
    assert_ok(lstmae_context_create(&context, chosen ? chosen : device, &options));
    return context;
}
