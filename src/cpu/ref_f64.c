/* The reference kernels in double. */
#include "ref.h"

#include "shared/map_kind.h"
#include "shared/random.h"
#include "shared/upsample_taps.h"

#include <math.h>
#include <stddef.h>

#define REAL double
#define UNIFORM lae_uniform_double

#include "ref_arrays.inc"
#include "ref_map.inc"
#include "ref_conv.inc"
#include "ref_lstm.inc"
#include "ref_norm.inc"
#include "ref_pool.inc"
#include "ref_update.inc"
#include "ref_upsample.inc"

const ref_kernels ref_kernels_f64 = {
    .copy = ref_copy,
    .fill = ref_fill,
    .gemm = ref_gemm,
    .map = ref_map,
    .map_backward = ref_map_backward,
    .axpby = ref_axpby,
    .multiply = ref_multiply,
    .select = ref_select,
    .reduce = ref_reduce,
    .sum_squares = ref_sum_squares,
    .random = ref_random,
    .dropout = ref_dropout,
    .loss = ref_loss,
    .update = ref_update,
    .lstm_cell_forward = ref_lstm_cell_forward,
    .lstm_cell_backward = ref_lstm_cell_backward,
    .conv_forward = ref_conv_forward,
    .conv_backward_data = ref_conv_backward_data,
    .conv_weight_gradient = ref_conv_weight_gradient,
    .pool_forward = ref_pool_forward,
    .pool_backward = ref_pool_backward,
    .upsample_forward = ref_upsample_forward,
    .upsample_backward = ref_upsample_backward,
    .batch_norm_forward = ref_batch_norm_forward,
    .batch_norm_backward = ref_batch_norm_backward,
    .layer_norm_forward = ref_layer_norm_forward,
    .layer_norm_backward = ref_layer_norm_backward,
};
