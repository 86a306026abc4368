/* The command that trains one model for each size of the code. */
#ifndef CA_SWEEP_H
#define CA_SWEEP_H

#include "data.h"

int ca_sweep_command(ca_data *data, ca_settings *settings);

#endif
