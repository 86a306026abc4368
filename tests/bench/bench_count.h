/*
 * Useful floating-point operations of a workload: two for each multiplication in a matrix product whose operands are
 * not known to be zero and whose result somebody uses. Left out are products with an initial state or a first decoder
 * input of zeros and with the zeros around an image, gradients of the data and of those zeros, and everything element
 * by element.
 */
#ifndef LAE_BENCH_COUNT_H
#define LAE_BENCH_COUNT_H

#include <stdint.h>

/** Operations of the three parts of a step. */
typedef struct bench_ops {
    double forward, data, weights;
} bench_ops;

#define BENCH_ZERO_STATE 1u /**< the initial state is zero and needs no gradient */
#define BENCH_ZERO_START 2u /**< the first step's input is zero */
#define BENCH_INPUT_GRAD 4u /**< the input's gradient is wanted */

/** A stack of `layers` layers over T steps of B samples. */
bench_ops bench_count_lstm(int64_t T, int64_t B, int64_t I, int64_t H, int64_t layers, uint32_t flags);

/** A linear layer over `rows` rows. */
bench_ops bench_count_linear(int64_t rows, int64_t in, int64_t out);

/**
 * A convolution of images [B,C,H,W] to K channels, square in all, and just as well the transposed one that gives those
 * images from K channels: products where a tap lies inside of the image.
 *
 * @param flags BENCH_INPUT_GRAD
 */
bench_ops bench_count_conv(int64_t B, int64_t C, int64_t H, int64_t W, int64_t K, int64_t kernel, int64_t stride,
                           int64_t padding, uint32_t flags);

/** A decoder from the encoder's state that sees its own output: LSTM and linear layer. */
bench_ops bench_count_decoder(int64_t T, int64_t B, int64_t F, int64_t H, int64_t layers);

bench_ops bench_ops_sum(bench_ops a, bench_ops b);
double bench_ops_total(bench_ops ops);

#endif
