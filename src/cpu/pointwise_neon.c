/* The loops of pointwise.h for one instruction set; this file is compiled with its flags. */
#include "pointwise.h"
#include "simd_maps.h"
#include "simd_words.h"

#include "shared/random.h"

#include "pointwise_kernels.inc"
#include "pointwise_loss.inc"
#include "pointwise_random.inc"
#include "pointwise_update.inc"

const lae_pointwise lae_pointwise_neon = {
    .isa = LAE_ISA_NEON,
    .map = pointwise_map,
    .map_backward = pointwise_map_backward,
    .axpby = pointwise_axpby,
    .multiply = pointwise_multiply,
    .select = pointwise_select,
    .sum = pointwise_sum,
    .sum_squares = pointwise_sum_squares,
    .add_rows = pointwise_add_rows,
    .loss = pointwise_loss,
    .update = pointwise_update,
    .random_words = pointwise_random_words,
    .uniform = pointwise_uniform,
    .normal = pointwise_normal,
    .bernoulli = pointwise_bernoulli,
    .dropout = pointwise_dropout,
};
