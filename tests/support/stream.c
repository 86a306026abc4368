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

lstmae_status stream_open_on(stream_model *model, const stream_shape *shape, lstmae_context *context)
{
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_module *child = NULL;
    memset(model, 0, sizeof *model);
    model->shape = *shape;
    model->context = context;
    options.layers = shape->layers;
    options.flags = shape->flags;
    STREAM_TRY(lstmae_context_set_seed(context, 11));
    STREAM_TRY(lstmae_sequential_create(&model->module, context));
    STREAM_TRY(lstmae_lstm_create(&child, context, shape->I, shape->H, &options));
    STREAM_TRY(stream_append(model->module, child));
    if (shape->head) {
        STREAM_TRY(lstmae_linear_create(&child, context, shape->H, shape->I, 0));
        STREAM_TRY(stream_append(model->module, child));
    }
    if (shape->activation) {
        STREAM_TRY(lstmae_activation_create(&child, context, LSTMAE_ACTIVATION_TANH));
        STREAM_TRY(stream_append(model->module, child));
    }
    return lstmae_frozen_create(&model->frozen, model->module);
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
    lstmae_module_destroy(model->module);
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
