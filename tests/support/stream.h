/* Models for the tests of streams: an LSTM, alone or with a linear layer and an activation after it; a seq2seq. */
#ifndef LAE_TEST_STREAM_H
#define LAE_TEST_STREAM_H

#include "support.h"

typedef struct stream_shape {
    int64_t I, H, layers;
    uint32_t flags; /* LSTMAE_LSTM_… */
    int head;       /* a linear layer from H to I */
    int activation; /* tanh after it */
    int64_t window; /* not 0: a seq2seq over so many samples instead, which reconstructs and forecasts */
} stream_shape;

typedef struct stream_model {
    stream_shape shape;
    lstmae_context *context;
    lstmae_module *module;
    lstmae_seq2seq *seq2seq; /* whose module that is; else NULL */
    lstmae_frozen *frozen;
} stream_model;

/** A model of this shape, the same each time, on `device`, frozen. */
void stream_open(stream_model *model, const stream_shape *shape, const char *device);

/** The same on a context of the caller's, which the model then owns. */
lstmae_status stream_open_on(stream_model *model, const stream_shape *shape, lstmae_context *context);

void stream_close(stream_model *model);

/** Values of an output. */
int64_t stream_outputs(const stream_shape *shape);

/** `steps` samples of I values in [-1,1); the caller frees them. */
float *stream_series(int64_t I, int64_t steps);

#endif
