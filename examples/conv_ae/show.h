/* Commands that show images: reconstructions, what the model makes of what it has never seen, samples. */
#ifndef CA_SHOW_H
#define CA_SHOW_H

#include "model.h"

int ca_reconstruct_command(ca_data *data, ca_settings *settings);
int ca_ood_command(ca_data *data, ca_settings *settings);
int ca_sample_command(ca_data *data, ca_settings *settings);

/** A row of pictures. */
typedef struct ca_row {
    const char *label;
    const lstmae_tensor *images; /* [n,C,H,W], as many in every row */
    int made;                    /* 1: by the model, which the border shows */
    int apart;                   /* 1: a wider gap above this row */
} ca_row;

/** Rows, written to "out/name.png"; `columns` are n names for the columns, or NULL. */
int ca_show_rows(const ca_data *data, const ca_settings *settings, const ca_row *rows, int count, const char *title,
                 const char *const *columns, const char *name);

#endif
