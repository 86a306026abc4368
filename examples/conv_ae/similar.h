/* Commands over codes: nearest images, and codes for other programs. */
#ifndef CA_SIMILAR_H
#define CA_SIMILAR_H

#include "model.h"

int ca_similar_command(ca_data *data, ca_settings *settings);
int ca_export_command(ca_data *data, ca_settings *settings);

#endif
