#include "image_loops.h"

#include <stddef.h>

const lae_image_loops *lae_image_loops_of(lae_isa isa)
{
    if (!lae_isa_available(isa)) return NULL;
    switch (isa) {
#if defined(LAE_HAVE_NEON)
    case LAE_ISA_NEON: return &lae_image_loops_neon;
#endif
#if defined(LAE_HAVE_AVX2)
    case LAE_ISA_AVX2: return &lae_image_loops_avx2;
#endif
#if defined(LAE_HAVE_AVX512)
    case LAE_ISA_AVX512: return &lae_image_loops_avx512;
#endif
    default: return &lae_image_loops_plain;
    }
}
