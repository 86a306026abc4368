/*
 * Moving digits: an LSTM watches ten frames, replays them backwards and draws the next ten
 * (Srivastava, Mansimov, Salakhutdinov: Unsupervised Learning of Video Representations using LSTMs, ICML 2015).
 *
 * settings.c says what a run does, data.c where sequences come from, model.c what is trained, training.c how,
 * evaluation.c how well, and pictures.c shows it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/device.h"
#include "../common/files.h"
#include "../common/report.h"
#include "../common/signals.h"
#include "data.h"
#include "evaluation.h"
#include "model.h"
#include "pictures.h"
#include "settings.h"
#include "training.h"

static void main_log(lstmae_log_level level, const char *message, void *payload)
{
    (void)payload;
    if (level == LSTMAE_LOG_WARNING) fprintf(stderr, "%s: %s\n", ex_program(), message);
}

static void main_describe(const mm_settings *s, const mm_data *data, const mm_model *model, lstmae_context *context)
{
    char preset[32], loss[32], optimizer[32], device[EX_DEVICE_SIZE];
    ex_word(MM_PRESETS, s->preset, preset, sizeof preset);
    ex_word(MM_LOSSES, s->loss, loss, sizeof loss);
    ex_word(MM_OPTIMIZERS, s->optimizer, optimizer, sizeof optimizer);
    ex_device(context, device, sizeof device);
    printf("preset %s on %s\n", preset, device);
    printf("data: %s\n", data->text);
    printf("model: %lld units, %lld layer%s, %lld parameters; %lld frames in, %lld out\n", (long long)s->hidden,
           (long long)s->layers, s->layers == 1 ? "" : "s",
           (long long)lstmae_module_param_elements(lstmae_seq2seq_module(model->net)), (long long)s->frames_in,
           (long long)s->frames_out);
    printf("training: %lld updates of %lld sequences, loss %s, %s\n", (long long)s->iterations, (long long)s->batch,
           loss, optimizer);
}

static void main_report(const mm_settings *s, const mm_scores *r)
{
    static const char *const names[MM_NAIVE_COUNT] = {"repeat the last frame", "mean of the input", "all black"};
    char preset[32];
    int logits = mm_settings_logits(s);
    ex_word(MM_PRESETS, s->preset, preset, sizeof preset);
    printf("\nfuture frames of %lld held-out sequences\n%-24s%12s%s\n", (long long)r->sequences, "predictor", "MSE",
           logits ? "  nats/frame" : "");
    printf("%-24s%12.5f", "network", r->pred_mse);
    printf(logits ? "%12.1f\n" : "\n", r->pred_nats);
    for (int i = 0; i < MM_NAIVE_COUNT; i++) {
        printf("%-24s%12.5f", names[i], r->naive_mse[i]);
        printf(logits ? "%12.1f\n" : "\n", r->naive_nats[i]);
    }
    printf("%-24s%12.5f\n\n", "its reconstruction", r->rec_mse);
    printf("result: preset=%s iterations=%lld seconds=%.1f pred_mse=%.6f rec_mse=%.6f naive_last=%.6f naive_mean=%.6f "
           "naive_black=%.6f gain=%.4f",
           preset, (long long)s->iterations, s->elapsed, r->pred_mse, r->rec_mse, r->naive_mse[MM_NAIVE_LAST],
           r->naive_mse[MM_NAIVE_MEAN], r->naive_mse[MM_NAIVE_BLACK], r->gain);
    if (logits) printf(" nats_per_frame=%.2f", r->pred_nats);
    putchar('\n');
}

/* The weights alone, with the settings they were trained with. */
static int main_save(mm_model *model, mm_settings *s)
{
    char path[EX_PATH_SIZE];
    double elapsed = s->elapsed;
    s->elapsed = 0; /* how long it took is no part of the model: the same run gives the same file */
    char *text = mm_settings_text(s);
    s->elapsed = elapsed;
    int result = text != NULL ? ex_path(path, sizeof path, s->out, "model.safetensors") : ex_fail("out of memory");
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    content.module = lstmae_seq2seq_module(model->net);
    content.config = text;
    if (result == 0) result = ex_status(lstmae_checkpoint_save(path, &content));
    if (result == 0) printf("wrote %s\n", path);
    free(text);
    return result;
}

static int main_finish(mm_model *model, mm_data *data, lstmae_context *context, mm_settings *s)
{
    mm_scores scores;
    mm_samples samples;
    int result = main_save(model, s);
    if (result != 0) return result;
    result = mm_evaluate(&scores, &samples, model, data, context, s);
    if (result == 0) result = mm_pictures(&samples, s);
    if (result == 0) main_report(s, &scores);
    mm_samples_free(&samples);
    return result;
}

static int main_run(lstmae_context *context, mm_settings *s)
{
    mm_data data;
    mm_model model;
    memset(&model, 0, sizeof model);
    int result = mm_data_open(&data, context, s);
    if (result == 0) result = mm_model_create(&model, context, s, data.height * data.width);
    if (result == 0) {
        main_describe(s, &data, &model, context);
        result = mm_train(&model, &data, context, s);
    }
    ex_signals_release();
    if (result == 0) result = main_finish(&model, &data, context, s);
    mm_model_destroy(&model);
    mm_data_close(&data);
    return result < 0 ? EX_FAILED : result > 0 ? 128 + result : EX_OK;
}

int main(int argc, char **argv)
{
    static mm_settings settings;
    ex_set_program(argc > 0 ? argv[0] : "moving_mnist");
    setvbuf(stdout, NULL, _IOLBF, 0);
    lstmae_set_log(main_log, LSTMAE_LOG_WARNING, NULL);
    int read = mm_settings_read(&settings, argc, argv);
    if (read != 0) return read > 0 ? EX_OK : read == -1 ? EX_USAGE : EX_FAILED;
    if (ex_folder(settings.out) != 0) return EX_FAILED;

    lstmae_context *context = NULL;
    lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
    options.seed = (uint64_t)settings.seed;
    options.threads = (int32_t)settings.threads;
    options.precision = settings.precision;
    if (ex_status(lstmae_context_create(&context, settings.device, &options)) != 0) return EX_FAILED;
    int code = ex_signals_catch(context) == 0 ? main_run(context, &settings) : EX_FAILED;
    lstmae_context_destroy(context);
    return code;
}
