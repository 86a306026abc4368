/* Commands that show images: reconstructions, what the model makes of what it has never seen, samples. */
#ifndef CA_SHOW_H
#define CA_SHOW_H

#include "model.h"

int ca_reconstruct_command(ca_data *data, ca_settings *settings);
int ca_ood_command(ca_data *data, ca_settings *settings);
int ca_sample_command(ca_data *data, ca_settings *settings);

/** Images of equal size side by side in rows, written to "out/name.png"; `rows` are tensors [n,C,H,W]. */
int ca_show_rows(const ca_data *data, const ca_settings *settings, const lstmae_tensor *const *rows, int count,
                 const char *name);

#endif
