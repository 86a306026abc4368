/* The loops of conv_kernels.h for one instruction set; this file is compiled with its flags. */
#include "conv_kernels.h"
#include "simd.h"

#include "conv_kernels.inc"

const lae_conv_kernels lae_conv_kernels_avx512 = {
    LAE_ISA_AVX512, VL, kernel_conv_sweep, kernel_conv_gradient, kernel_conv_planes, kernel_conv_split,
};
