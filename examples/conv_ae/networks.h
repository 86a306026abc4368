/* The networks by name: what their encoders and decoders are made of, and what goes with them. */
#ifndef CA_NETWORKS_H
#define CA_NETWORKS_H

#include <lstmae/lstmae.h>

#include "settings.h"

/** Layers of a stacked autoencoder. */
enum { CA_STACK_LAYERS = 4 };

/** Pixels are to be in [-1,1]: the network ends with a tanh. Else in [0,1]. */
int ca_network_signed(const ca_settings *settings);

/** Whether outputs are logits, of which the loss is the cross-entropy. */
int ca_network_logits(const ca_settings *settings);

/** The autoencoder of the settings for images [C,H,W]. */
int ca_network_create(lstmae_autoencoder **out, lstmae_context *context, const ca_settings *settings,
                      const int64_t dims[3]);

#endif
