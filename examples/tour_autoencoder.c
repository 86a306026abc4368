/*
 * Trains a small LSTM autoencoder on sine waves from memory; shows a wave beside its reconstruction. It takes
 * --device NAME.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lstmae/lstmae.h>

enum { WAVES = 512, STEPS = 24 };
#define TRY(call) \
    if ((call) < 0) { fprintf(stderr, "%s\n", lstmae_last_error()); exit(1); }

static int report(const lstmae_fit_event *event, void *every)
{
    if (event->stage == LSTMAE_FIT_ITERATION && event->iteration % *(int *)every == 0)
        printf("update %4lld, loss %.5f\n", (long long)event->iteration, event->loss);
    return 0;
}

int main(int argc, char **argv)
{
    const char *device = argc == 3 && strcmp(argv[1], "--device") == 0 ? argv[2] : "auto";
    static float waves[WAVES * STEPS], wave[STEPS], copy[STEPS];
    for (int i = 0; i < WAVES * STEPS; i++) /* eight frequencies, any phase */
        waves[i] = (float)sin(0.2 * (i % STEPS) * (1 + i / STEPS % 8 * 0.2) + 0.5 * (i / STEPS));

    lstmae_context *context;
    lstmae_dataset *dataset;
    lstmae_loader *loader;
    TRY(lstmae_context_create(&context, device, NULL));
    TRY(lstmae_dataset_from_memory(&dataset, context, waves, WAVES, 2, (int64_t[]){STEPS, 1}));
    lstmae_loader_options batches = LSTMAE_LOADER_OPTIONS_INIT;
    batches.flags = LSTMAE_LOADER_TIME_MAJOR | LSTMAE_LOADER_SHUFFLE;
    TRY(lstmae_loader_create(&loader, context, dataset, &batches));

    lstmae_seq2seq *model;
    TRY(lstmae_seq2seq_create(&model, context, 1, 32, NULL));
    TRY(lstmae_seq2seq_add_decoder(model, NULL)); /* replays the input, last step first */
    lstmae_loss *loss;
    lstmae_task *task;
    lstmae_optimizer *optimizer;
    lstmae_optimizer_options adam = LSTMAE_ADAM_OPTIONS_INIT;
    adam.lr = 5e-3;
    TRY(lstmae_loss_create(&loss, context, NULL));
    TRY(lstmae_task_seq2seq(&task, model, loss));
    TRY(lstmae_optimizer_create(&optimizer, lstmae_seq2seq_module(model), &adam));
    lstmae_fit_options fit = LSTMAE_FIT_OPTIONS_INIT;
    fit.iterations = 1600;
    fit.callback = report;
    fit.payload = &(int){200};
    TRY(lstmae_fit(lstmae_task_objective(task), loader, optimizer, &fit, NULL));

    lstmae_tensor *x, *y;
    for (int t = 0; t < STEPS; t++) wave[t] = (float)sin(0.3 * t + 1);
    TRY(lstmae_tensor_create(&x, context, LSTMAE_F32, 3, (int64_t[]){STEPS, 1, 1}));
    TRY(lstmae_tensor_write(x, wave, sizeof wave));
    TRY(lstmae_tensor_create(&y, context, LSTMAE_F32, 3, (int64_t[]){STEPS, 1, 1}));
    TRY(lstmae_seq2seq_reconstruct(model, x, y));
    TRY(lstmae_tensor_read(y, copy, sizeof copy));
    for (int t = 0; t < STEPS; t += 4) printf("step %2d  wave %+.3f  reconstruction %+.3f\n", t, wave[t], copy[t]);
    lstmae_tensor_destroy(x); /* in any order: what is in use lives as long as its users */
    lstmae_tensor_destroy(y);
    lstmae_optimizer_destroy(optimizer);
    lstmae_task_destroy(task);
    lstmae_loss_destroy(loss);
    lstmae_seq2seq_destroy(model);
    lstmae_loader_destroy(loader);
    lstmae_dataset_destroy(dataset);
    lstmae_context_destroy(context);
    return 0;
}
