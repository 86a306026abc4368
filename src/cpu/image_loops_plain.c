/* The loops of image_loops.h for one instruction set; this file is compiled with its flags. */
#define LAE_SIMD_GENERIC 1
#include "image_loops.h"
#include "simd.h"

#include "norm_loops.inc"
#include "pool_loops.inc"

const lae_image_loops lae_image_loops_plain = {
    .moments = norm_moments,
    .normalize = norm_normalize,
    .gradient = norm_gradient,
    .row_moments = norm_row_moments,
    .row_normalize = norm_row_normalize,
    .row_gradient = norm_row_gradient,
    .row_parameters = norm_row_parameters,
    .largest = pool_largest,
    .weighted = pool_weighted,
    .spread = pool_spread,
    .chosen = pool_chosen,
};
