#include "stream.h"

#include <stdlib.h>
#include <string.h>

#define STREAM_TRY(call)                                                                           \
    do {                                                                                           \
        lstmae_status got = (call);                                                                \
        if (got != LSTMAE_OK) return got;                                                          \
    } while (0)

/* Takes `*child` into the chain, or destroys it. */
static lstmae_status stream_append(lstmae_module *chain, lstmae_module *child)
{
    lstmae_status status = lstmae_sequential_append(chain, child);
    if (status != LSTMAE_OK) lstmae_module_destroy(child);
    return status;
}

static lstmae_status stream_make_chain(stream_model *model, const lstmae_lstm_options *options)
{
    const stream_shape *shape = &model->shape;
    lstmae_module *child = NULL;
    STREAM_TRY(lstmae_sequential_create(&model->module, model->context));
    STREAM_TRY(lstmae_lstm_create(&child, model->context, shape->I, shape->H, options));
    STREAM_TRY(stream_append(model->module, child));
    if (shape->head) {
        STREAM_TRY(lstmae_linear_create(&child, model->context, shape->H, shape->I, 0));
        STREAM_TRY(stream_append(model->module, child));
    }
    if (!shape->activation) return LSTMAE_OK;
    STREAM_TRY(lstmae_activation_create(&child, model->context, LSTMAE_ACTIVATION_TANH));
    return stream_append(model->module, child);
}

static lstmae_status stream_make_seq2seq(stream_model *model, const lstmae_lstm_options *options)
{
    lstmae_decoder_options decoder = LSTMAE_DECODER_OPTIONS_INIT;
    STREAM_TRY(lstmae_seq2seq_create(&model->seq2seq, model->context, model->shape.I, model->shape.H, options));
    model->module = lstmae_seq2seq_module(model->seq2seq);
    STREAM_TRY(lstmae_seq2seq_add_decoder(model->seq2seq, &decoder));
    decoder.target = LSTMAE_DECODE_FUTURE;
    decoder.steps = 2;
    return lstmae_seq2seq_add_decoder(model->seq2seq, &decoder);
}

lstmae_status stream_open_on(stream_model *model, const stream_shape *shape, lstmae_context *context)
{
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_frozen_options frozen = LSTMAE_FROZEN_OPTIONS_INIT;
    memset(model, 0, sizeof *model);
    model->shape = *shape;
    model->context = context;
    options.layers = shape->layers;
    options.flags = shape->flags;
    frozen.window = shape->window;
    STREAM_TRY(lstmae_context_set_seed(context, 11));
    STREAM_TRY(shape->window > 0 ? stream_make_seq2seq(model, &options) : stream_make_chain(model, &options));
    return lstmae_frozen_create(&model->frozen, model->module, &frozen);
}

void stream_open(stream_model *model, const stream_shape *shape, const char *device)
{
    lstmae_context *context = NULL;
    assert_ok(lstmae_context_create(&context, device, NULL));
    assert_ok(stream_open_on(model, shape, context));
}

void stream_close(stream_model *model)
{
    lstmae_frozen_destroy(model->frozen);
    if (model->seq2seq) lstmae_seq2seq_destroy(model->seq2seq);
    else lstmae_module_destroy(model->module);
    lstmae_context_destroy(model->context);
    memset(model, 0, sizeof *model);
}

int64_t stream_outputs(const stream_shape *shape)
{
    return shape->head ? shape->I : shape->H;
}

float *stream_series(int64_t I, int64_t steps)
{
    const size_t count = (size_t)(I * steps);
    float *series = malloc(count * sizeof *series);
    assert_non_null(series);
    test_fill(series, count, 5, 1.0f);
    return series;
}
