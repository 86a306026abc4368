/* The loops of conv_kernels.h for one instruction set; this file is compiled with its flags. */
#include "conv_kernels.h"
#include "simd.h"

#include "conv_kernels.inc"

#include "conv_diagonal.inc"

#include "conv_winograd.inc"

const lae_conv_kernels lae_conv_kernels_neon = {
    .isa = LAE_ISA_NEON,
    .lanes = VL,
    .sweep = kernel_conv_sweep,
    .gradient = kernel_conv_gradient,
    .gradient_vectors = GRADIENT_VECTORS,
    .deal = kernel_conv_deal,
    .sweep_diagonal = kernel_conv_sweep_diagonal,
    .gradient_diagonal = kernel_conv_gradient_diagonal,
    .planes = kernel_conv_planes,
    .patch = kernel_conv_patch,
    .tile = kernel_conv_tile,
    .tile_gradient = kernel_conv_tile_gradient,
    .stream = kernel_conv_stream,
    .split = kernel_conv_split,
};
