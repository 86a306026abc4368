/* The instruction sets kernels are compiled for, and which of them this processor runs. */
#ifndef LAE_CPU_ISA_H
#define LAE_CPU_ISA_H

typedef enum lae_isa { LAE_ISA_PLAIN, LAE_ISA_NEON, LAE_ISA_AVX2, LAE_ISA_AVX512, LAE_ISA_COUNT } lae_isa;

/** "plain", "neon", "avx2", "avx512". */
const char *lae_isa_name(lae_isa isa);

/** 1 if kernels for it are in this build and the processor and the operating system support it. */
int lae_isa_available(lae_isa isa);

/** The widest available. */
lae_isa lae_isa_best(void);

#endif
