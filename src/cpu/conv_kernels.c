#include "conv_kernels.h"

#include <stddef.h>

const lae_conv_kernels *lae_conv_kernels_of(lae_isa isa)
{
    if (!lae_isa_available(isa)) return NULL;
    switch (isa) {
#if defined(LAE_HAVE_NEON)
    case LAE_ISA_NEON: return &lae_conv_kernels_neon;
#endif
#if defined(LAE_HAVE_AVX2)
    case LAE_ISA_AVX2: return &lae_conv_kernels_avx2;
#endif
#if defined(LAE_HAVE_AVX512)
    case LAE_ISA_AVX512: return &lae_conv_kernels_avx512;
#endif
    default: return &lae_conv_kernels_plain;
    }
}
