/*
 * stream_tail [SAMPLES]: how long single pushes take, the slow ones above all, on a session of 8 channels and 64 units
 * with a linear head; and whether denormal numbers change that. Default: 10 million samples.
 */
#include <lstmae/lstmae.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHANNELS = 8, UNITS = 64, BINS = 200000 }; /* of 10 ns: up to 2 ms, the last one holds the rest */

static void check(lstmae_status status)
{
    if (status >= 0) return;
    fprintf(stderr, "stream_tail: %s: %s\n", lstmae_status_name(status), lstmae_last_error());
    exit(1);
}

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static lstmae_session *open_session(void)
{
    lstmae_context *context = NULL;
    lstmae_module *chain = NULL, *lstm = NULL, *linear = NULL;
    lstmae_frozen *frozen = NULL;
    lstmae_session *session = NULL;
    lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
    options.compare = LSTMAE_COMPARE_NEXT;
    check(lstmae_context_create(&context, "cpu", NULL));
    check(lstmae_sequential_create(&chain, context));
    check(lstmae_lstm_create(&lstm, context, CHANNELS, UNITS, NULL));
    check(lstmae_sequential_append(chain, lstm));
    check(lstmae_linear_create(&linear, context, UNITS, CHANNELS, 0));
    check(lstmae_sequential_append(chain, linear));
    check(lstmae_frozen_create(&frozen, chain, NULL));
    check(lstmae_session_create(&session, frozen, &options));
    lstmae_frozen_destroy(frozen);
    lstmae_module_destroy(chain);
    lstmae_context_destroy(context);
    return session;
}

/* Nanoseconds below which `share` of `count` pushes stay. */
static double quantile(const uint32_t *bins, int64_t count, double share)
{
    int64_t below = 0;
    for (int i = 0; i < BINS; i++) {
        below += bins[i];
        if ((double)below >= share * (double)count) return 10.0 * (i + 1);
    }
    return 10.0 * BINS;
}

/* Times `count` pushes of samples of this size, one by one. */
static void run(const char *name, int64_t count, float size)
{
    static uint32_t bins[BINS];
    lstmae_session *session = open_session();
    float sample[CHANNELS];
    uint32_t random = 1;
    int64_t most = 0, before = nanoseconds();
    memset(bins, 0, sizeof bins);
    for (int64_t n = 0; n < count; n++) {
        for (int f = 0; f < CHANNELS; f++) {
            random = random * 1664525u + 1013904223u;
            sample[f] = size * ((float)(random >> 8) / 8388608.0f - 1.0f);
        }
        lstmae_push_result result = LSTMAE_PUSH_RESULT_INIT;
        before = nanoseconds();
        check(lstmae_session_push(session, sample, &result));
        const int64_t took = nanoseconds() - before;
        if (took > most) most = took;
        bins[took / 10 < BINS ? took / 10 : BINS - 1]++;
    }
    printf("%-22s %11lld pushes: median %.2f us, 99 %% %.2f, 99.9 %% %.2f, 99.99 %% %.2f, most %.0f\n", name,
           (long long)count, 1e-3 * quantile(bins, count, 0.5), 1e-3 * quantile(bins, count, 0.99),
           1e-3 * quantile(bins, count, 0.999), 1e-3 * quantile(bins, count, 0.9999), 1e-3 * (double)most);
    lstmae_session_destroy(session);
}

int main(int argc, char **argv)
{
    const int64_t count = argc > 1 ? atoll(argv[1]) : 10000000;
    if (count < 10 || argc > 2) {
        fprintf(stderr, "usage: stream_tail [SAMPLES]\n");
        return 2;
    }
    run("stream_i8_h64", count, 1.0f);
    run("denormal samples", count / 10, 1e-41f);
    return 0;
}
