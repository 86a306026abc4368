/*
 * Autoencoders over windows of a time series, as alarms for columns of sensor readings.
 *
 * settings.c says what a run does, series.c what is read, own.c makes a series with planted anomalies, network.c is
 * what is trained, training.c how, detector.c makes errors into scores and alarms, modelfile.c keeps all of it, and
 * train.c, score.c, watch.c, embed.c, skab.c are the commands.
 */
#include <stdio.h>
#include <string.h>

#include "../common/files.h"
#include "../common/report.h"
#include "../common/signals.h"
#include "commands.h"
#include "skab.h"

static void main_log(lstmae_log_level level, const char *message, void *payload)
{
    (void)payload;
    if (level == LSTMAE_LOG_WARNING) fprintf(stderr, "%s: %s\n", ex_program(), message);
}

static int main_command(lstmae_context *context, ts_settings *s)
{
    switch (s->command) {
    case TS_TRAIN: return ts_command_train(context, s);
    case TS_SCORE: return ts_command_score(context, s);
    case TS_WATCH: return ts_command_watch(context, s);
    case TS_EMBED: return ts_command_embed(context, s);
    default: return ts_bench_skab(context, s);
    }
}

int main(int argc, char **argv)
{
    static ts_settings settings;
    ex_set_program(argc > 0 ? argv[0] : "timeseries_ae");
    setvbuf(stdout, NULL, _IOLBF, 0);
    lstmae_set_log(main_log, LSTMAE_LOG_WARNING, NULL);
    int read = ts_settings_read(&settings, argc, argv);
    if (read != 0) return read > 0 ? EX_OK : read == -1 ? EX_USAGE : EX_FAILED;
    int writes = settings.command != TS_WATCH && settings.command != TS_SKAB;
    if (writes && ex_folder(settings.out) != 0) return EX_FAILED;

    lstmae_context *context = NULL;
    lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
    options.seed = (uint64_t)settings.seed;
    options.threads = settings.command == TS_WATCH && settings.threads == 0 ? 1 : (int32_t)settings.threads;
    options.precision = settings.precision;
    if (ex_status(lstmae_context_create(&context, settings.device, &options)) != 0) return EX_FAILED;
    int result = ex_signals_catch(context) == 0 ? main_command(context, &settings) : -1;
    lstmae_context_destroy(context);
    return result < 0 ? EX_FAILED : result > 0 ? 128 + result : EX_OK;
}
