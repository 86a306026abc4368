/*
 * Autoencoders of images: trains them, and shows what they have learnt. The networks, settings and exhibits are those
 * of the University of Amsterdam's deep learning course (tutorial 9, CIFAR-10) and of well-known MNIST autoencoders.
 *
 * settings.c says what a run does, data.c where images come from, networks.c what the models are, model.c how they are
 * kept, training.c and sweep.c how they are trained, evaluation.c how good they are; show.c and similar.c are the other
 * commands.
 */
#include <stdio.h>

#include "../common/report.h"
#include "../common/signals.h"
#include "evaluation.h"
#include "show.h"
#include "similar.h"
#include "sweep.h"
#include "training.h"

typedef int (*main_command)(ca_data *data, ca_settings *settings);

/* In the order of CA_COMMANDS. */
static const main_command commands[] = {ca_train_command, ca_eval_command,   ca_sweep_command,   ca_reconstruct_command,
                                        ca_ood_command,   ca_sample_command, ca_similar_command, ca_export_command};

static void main_log(lstmae_log_level level, const char *message, void *payload)
{
    (void)payload;
    if (level == LSTMAE_LOG_WARNING) fprintf(stderr, "%s: %s\n", ex_program(), message);
}

/* Data are opened before anything is written. */
static int main_run(lstmae_context *context, ca_settings *settings)
{
    ca_data data;
    int result = ca_data_open(&data, context, settings);
    if (result == 0) {
        ca_settings_settle(settings, lstmae_dataset_count(data.train));
        result = commands[settings->command](&data, settings);
    }
    ca_data_close(&data);
    return result < 0 ? EX_FAILED : result > 0 ? 128 + result : EX_OK;
}

int main(int argc, char **argv)
{
    static ca_settings settings;
    ex_set_program(argc > 0 ? argv[0] : "conv_ae");
    setvbuf(stdout, NULL, _IOLBF, 0);
    lstmae_set_log(main_log, LSTMAE_LOG_WARNING, NULL);
    int read = ca_settings_read(&settings, argc, argv);
    if (read != 0) return read > 0 ? EX_OK : read == -1 ? EX_USAGE : EX_FAILED;

    lstmae_context *context = NULL;
    lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
    options.seed = (uint64_t)settings.seed;
    options.threads = (int32_t)settings.threads;
    options.precision = settings.precision;
    if (ex_status(lstmae_context_create(&context, settings.device, &options)) != 0) return EX_FAILED;
    int training = settings.command == CA_TRAIN || settings.command == CA_SWEEP;
    int code = !training || ex_signals_catch(context) == 0 ? main_run(context, &settings) : EX_FAILED;
    lstmae_context_destroy(context);
    return code;
}
