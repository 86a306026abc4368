#include "isa.h"

#include "kernels.h"

#include <stddef.h>

const char *lae_isa_name(lae_isa isa)
{
    static const char *const names[LAE_ISA_COUNT] = { "plain", "neon", "avx2", "avx512" };
    return isa >= 0 && isa < LAE_ISA_COUNT ? names[isa] : "";
}

/* The compiler's tests ask the operating system's XCR0 as well: wide registers must be saved when threads switch. */
int lae_isa_available(lae_isa isa)
{
    switch (isa) {
    case LAE_ISA_PLAIN:
        return 1;
#if defined(LAE_HAVE_NEON)
    case LAE_ISA_NEON:
        return 1;
#endif
#if defined(LAE_HAVE_AVX2)
    case LAE_ISA_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
#if defined(LAE_HAVE_AVX512)
    case LAE_ISA_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("fma");
#endif
    default:
        return 0;
    }
}

lae_isa lae_isa_best(void)
{
    lae_isa best = LAE_ISA_PLAIN;
    for (int isa = 0; isa < LAE_ISA_COUNT; isa++)
        if (lae_isa_available((lae_isa)isa)) best = (lae_isa)isa;
    return best;
}

const lae_kernels *lae_kernels_of(lae_isa isa)
{
    if (!lae_isa_available(isa)) return NULL;
    switch (isa) {
#if defined(LAE_HAVE_NEON)
    case LAE_ISA_NEON:
        return &lae_kernels_neon;
#endif
#if defined(LAE_HAVE_AVX2)
    case LAE_ISA_AVX2:
        return &lae_kernels_avx2;
#endif
#if defined(LAE_HAVE_AVX512)
    case LAE_ISA_AVX512:
        return &lae_kernels_avx512;
#endif
    default:
        return &lae_kernels_plain;
    }
}
