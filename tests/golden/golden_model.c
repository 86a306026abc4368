#include "golden_model.h"

#include <stdio.h>

static double decoder_number(golden_file *file, int64_t decoder, const char *key, double fallback)
{
    char name[32];
    snprintf(name, sizeof(name), "d%d.%s", (int)decoder, key);
    return golden_number(file, name, fallback);
}

static void add_decoder(golden_file *file, lstmae_seq2seq *model, int64_t decoder)
{
    lstmae_decoder_options options = LSTMAE_DECODER_OPTIONS_INIT;
    options.target = (int32_t)decoder_number(file, decoder, "target", LSTMAE_DECODE_REVERSED);
    options.input = (int32_t)decoder_number(file, decoder, "input", LSTMAE_INPUT_OUTPUT);
    options.feedback = (int32_t)decoder_number(file, decoder, "feedback", LSTMAE_ACTIVATION_IDENTITY);
    options.layers = (int32_t)decoder_number(file, decoder, "layers", 0);
    options.hidden = (int64_t)decoder_number(file, decoder, "hidden", 0);
    options.steps = (int64_t)decoder_number(file, decoder, "steps", 0);
    options.weight = decoder_number(file, decoder, "weight", 1.0);
    if (decoder_number(file, decoder, "bias", 1) == 0) options.flags |= LSTMAE_LSTM_NO_BIAS;
    if (decoder_number(file, decoder, "zero", 0) > 0) options.flags |= LSTMAE_DECODER_ZERO_STATE;
    if (decoder_number(file, decoder, "shared", 0) > 0) options.flags |= LSTMAE_DECODER_SHARED;
    assert_ok(lstmae_seq2seq_add_decoder(model, &options));
}

lstmae_seq2seq *golden_model(golden_file *file)
{
    lstmae_lstm_options encoder = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_seq2seq *model = NULL;
    encoder.layers = golden_int(file, "layers", 1);
    if (golden_int(file, "bidirectional", 0)) encoder.flags |= LSTMAE_LSTM_BIDIRECTIONAL;
    if (!golden_int(file, "bias", 1)) encoder.flags |= LSTMAE_LSTM_NO_BIAS;
    int64_t F = golden_int(file, "F", 0), H = golden_int(file, "H", 0);
    assert_ok(lstmae_seq2seq_create(&model, file->context, F, H, &encoder));
    if (golden_int(file, "latent", 0) > 0) {
        lstmae_latent_options latent = LSTMAE_LATENT_OPTIONS_INIT;
        latent.size = golden_int(file, "latent", 0);
        latent.beta = golden_number(file, "beta", 1);
        assert_ok(lstmae_seq2seq_set_latent(model, &latent));
    }
    if (golden_int(file, "code", 0) > 0) {
        lstmae_code_options code = LSTMAE_CODE_OPTIONS_INIT;
        code.size = golden_int(file, "code", 0);
        code.activation = (int32_t)golden_int(file, "activation", 0);
        assert_ok(lstmae_seq2seq_set_code(model, &code));
    }
    for (int64_t i = 0; i < golden_int(file, "decoders", 0); i++) add_decoder(file, model, i);
    golden_load_params(file, "param.", lstmae_seq2seq_module(model));
    return model;
}

lstmae_loss *golden_loss(golden_file *file)
{
    lstmae_loss_options options = LSTMAE_LOSS_OPTIONS_INIT;
    lstmae_loss *loss = NULL;
    options.kind = (int32_t)golden_int(file, "loss", LSTMAE_LOSS_MSE);
    options.reduction = (int32_t)golden_int(file, "reduction", LSTMAE_REDUCTION_MEAN);
    assert_ok(lstmae_loss_create(&loss, file->context, &options));
    return loss;
}
