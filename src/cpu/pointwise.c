#include "pointwise.h"

#include <stddef.h>

const lae_pointwise *lae_pointwise_of(lae_isa isa)
{
    if (!lae_isa_available(isa)) return NULL;
    switch (isa) {
#if defined(LAE_HAVE_NEON)
    case LAE_ISA_NEON: return &lae_pointwise_neon;
#endif
#if defined(LAE_HAVE_AVX2)
    case LAE_ISA_AVX2: return &lae_pointwise_avx2;
#endif
#if defined(LAE_HAVE_AVX512)
    case LAE_ISA_AVX512: return &lae_pointwise_avx512;
#endif
    default: return &lae_pointwise_plain;
    }
}

double lae_lanes_sum(const lae_lanes *lanes)
{
    double x[LAE_LANES / 2];
    for (int i = 0; i < LAE_LANES / 2; i++) x[i] = lanes->lane[i] + lanes->lane[i + LAE_LANES / 2];
    for (int half = LAE_LANES / 4; half > 0; half /= 2)
        for (int i = 0; i < half; i++) x[i] += x[i + half];
    return x[0];
}
