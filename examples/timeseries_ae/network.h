/* Autoencoders over windows [T,C]: LSTM, variational LSTM, dense, convolutions, principal components. */
#ifndef TS_NETWORK_H
#define TS_NETWORK_H

#include <lstmae/lstmae.h>

#include "settings.h"

typedef struct ts_network {
    lstmae_context *context;        /* borrowed */
    int kind;                       /* ts_kind */
    int64_t window, channels, code; /* T, C, and values of a code */
    lstmae_seq2seq *sequence;       /* TS_LSTM, TS_VAE */
    lstmae_autoencoder *layers;     /* TS_DENSE, TS_CONV, TS_LINEAR */
    lstmae_loss *loss;
    lstmae_task *task;
    lstmae_optimizer *optimizer;
    lstmae_tensor *x, *y, *codes; /* of `batch` windows at once */
    float *values;
    int64_t batch;
} ts_network;

int ts_network_create(ts_network *network, lstmae_context *context, const ts_settings *settings, int64_t channels);
void ts_network_destroy(ts_network *network);

/** All parameters, borrowed. */
lstmae_module *ts_network_module(const ts_network *network);

/** A loader over a data set of windows [T,C], as this network wants its batches. */
int ts_network_loader(const ts_network *network, lstmae_loader **out, lstmae_dataset *windows, int64_t batch,
                      int shuffle, uint64_t seed);

/** TS_LINEAR is not trained: sets its weights to the principal components of all windows of a data set. */
int ts_network_fit_linear(ts_network *network, const lstmae_dataset *windows);

/**
 * Gives back `count` windows, the first at `rows` [.., C] and each a row after the one before: out [count,T,C]. After
 * the first call with a count nothing is allocated.
 */
int ts_network_reconstruct(ts_network *network, const float *rows, int64_t count, float *out);

/** Their codes, out [count,code]. */
int ts_network_encode(ts_network *network, const float *rows, int64_t count, float *out);

#endif
