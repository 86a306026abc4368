/* The kernels for one instruction set; this file is compiled with its flags. */
#include "kernels.h"
#include "simd_math.h"

#include "gemm_kernels.inc"

#include "pack_kernels.inc"

#include "cell_kernels.inc"

#include "step_kernels.inc"

const lae_kernels lae_kernels_avx2 = {
    LAE_ISA_AVX2, VL, kernel_sweep, kernel_pack_columns, kernel_pack_rows, kernel_pack_tiles,
    kernel_cell_forward, kernel_cell_backward, kernel_column_sum, kernel_step,
};
