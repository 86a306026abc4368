/* What the maps of backend.h have in common on every device. */
#ifndef LAE_MAP_KIND_H
#define LAE_MAP_KIND_H

#include <lstmae/backend.h>

#define LAE_MAP_KINDS (LSTMAE_MAP_EXP + 1)

/** Where softplus becomes the identity: param x above this. */
#define LAE_SOFTPLUS_LINEAR 20.0

/** 1 if a kind's derivative is taken from x, 0 if it is taken from y = f(x): backward needs the one alone. */
static inline int lae_map_reads_input(int kind)
{
    switch (kind) {
    case LSTMAE_MAP_LEAKY_RELU:
    case LSTMAE_MAP_ELU:
    case LSTMAE_MAP_SILU:
    case LSTMAE_MAP_GELU:
    case LSTMAE_MAP_GELU_TANH:
    case LSTMAE_MAP_SOFTPLUS: return 1;
    default: return 0;
    }
}

#endif
