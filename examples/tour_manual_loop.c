/* The training loop by hand: every step that lstmae_fit() takes is a public call. It takes --device NAME. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lstmae/lstmae.h>

#define TRY(call) \
    if ((call) < 0) { fprintf(stderr, "%s\n", lstmae_last_error()); exit(1); }

int main(int argc, char **argv)
{
    const char *device = argc == 3 && strcmp(argv[1], "--device") == 0 ? argv[2] : "auto";
    lstmae_context *context;
    lstmae_dataset *digits, *moving;
    lstmae_loader *loader;
    lstmae_moving_options movie = LSTMAE_MOVING_OPTIONS_INIT;
    movie.size = 20;
    movie.digits = 1;
    lstmae_loader_options batches = LSTMAE_LOADER_OPTIONS_INIT;
    batches.flags = LSTMAE_LOADER_TIME_MAJOR;
    batches.input_steps = 10;   /* the first 10 frames are the input, the other 10 the future */
    batches.epoch_items = 3200; /* these movies never end */
    TRY(lstmae_context_create(&context, device, NULL));
    TRY(lstmae_dataset_strokes(&digits, context, 100, 14, 1));
    TRY(lstmae_dataset_moving(&moving, digits, &movie));
    TRY(lstmae_loader_create(&loader, context, moving, &batches));

    lstmae_seq2seq *model;
    lstmae_loss *loss;
    lstmae_optimizer *optimizer;
    lstmae_decoder_options future = LSTMAE_DECODER_OPTIONS_INIT;
    future.target = LSTMAE_DECODE_FUTURE;
    future.input = LSTMAE_INPUT_NOTHING;
    future.steps = 10;
    TRY(lstmae_seq2seq_create(&model, context, movie.size * movie.size, 64, NULL));
    TRY(lstmae_seq2seq_add_decoder(model, &future));
    TRY(lstmae_loss_create(&loss, context, NULL));
    TRY(lstmae_optimizer_create(&optimizer, lstmae_seq2seq_module(model), NULL));

    lstmae_batch batch = LSTMAE_BATCH_INIT;
    for (int epoch = 0; epoch < 5; epoch++) {
        double sum = 0, value;
        int more;
        while ((more = lstmae_loader_next(loader, &batch)) == 1) {
            TRY(lstmae_module_zero_grad(lstmae_seq2seq_module(model)));
            TRY(lstmae_seq2seq_step(model, loss, batch.x, batch.target, 1.0, &value)); /* forward, loss, backward */
            TRY(lstmae_optimizer_step(optimizer));
            sum += value;
        }
        TRY(more);
        printf("epoch %d, loss %.5f\n", epoch + 1, sum / (double)lstmae_loader_batches(loader));
    }
    TRY(lstmae_checkpoint_save("tour.safetensors", &(lstmae_checkpoint){.struct_size = sizeof(lstmae_checkpoint),
                                                                        .module = lstmae_seq2seq_module(model)}));
    lstmae_optimizer_destroy(optimizer); /* in any order: what is in use lives as long as its users */
    lstmae_loss_destroy(loss);
    lstmae_seq2seq_destroy(model);
    lstmae_loader_destroy(loader);
    lstmae_dataset_destroy(moving);
    lstmae_dataset_destroy(digits);
    lstmae_context_destroy(context);
    return 0;
}
