#include "device.h"

#include <stdio.h>
#include <string.h>

#include "options.h"

void ex_device(const lstmae_context *context, char *out, size_t size)
{
    const char *device = lstmae_context_device(context);
    char precision[16];
    ex_word(EX_PRECISIONS, (int)lstmae_context_precision(context), precision, sizeof precision);
    if (strncmp(device, "cuda", 4) == 0) snprintf(out, size, "%s, %s", device, precision);
    else snprintf(out, size, "%s, %d threads", device, lstmae_context_threads(context));
}
