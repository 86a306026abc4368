/* The loops of conv_kernels.h for one instruction set; this file is compiled with its flags. */
#define LAE_SIMD_GENERIC 1
#include "conv_kernels.h"
#include "simd.h"

#include "conv_kernels.inc"

const lae_conv_kernels lae_conv_kernels_plain = {
    LAE_ISA_PLAIN, VL, kernel_conv_sweep, kernel_conv_gradient, kernel_conv_planes, kernel_conv_split,
};
