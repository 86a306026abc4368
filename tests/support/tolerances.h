/*
 * How far a device may be from the reference, and why. The reference computes in double and rounds once; e = 2^-24 is
 * the largest relative error of one float rounding, and an ulp is up to 2 e.
 *
 * An element may differ by  relative * |want| + of_largest * (largest |want| of the array).
 */
#ifndef LAE_TEST_TOLERANCES_H
#define LAE_TEST_TOLERANCES_H

typedef struct test_tolerance {
    double relative;
    double of_largest;
} test_tolerance;

#define TOLERANCE_E 5.9604644775390625e-8 /* 2^-24 */

/**
 * Sums of products whose factors were rounded to 11 bits, so by 2^-12 to 2^-11 each, or to 8 bits: where these errors
 * go either way they stay below the double of one of them, in relation to the largest sum.
 */
#define TOLERANCE_TF32 1e-3
#define TOLERANCE_BF16 1e-2

/** Moves, masks, random words: nothing is rounded, or the same once. */
static const test_tolerance tolerance_exact = { 0, 0 };

/** tanh and sigmoid: below 3 ulp by their statement, 1/2 for the reference. */
static const test_tolerance tolerance_activation = { 7 * TOLERANCE_E, 0 };

/**
 * The other maps and their derivatives: GELU below 7 ulp; an argument times `param`, rounded, changes an exponential of
 * it by e |argument|, up to 7 e here; where factors cancel, the error is that of roundings to the largest result.
 */
static const test_tolerance tolerance_map = { 16 * TOLERANCE_E, 2 * TOLERANCE_E };

/** a x + b y, three roundings; terms may cancel, and are no larger than twice the largest result of these arrays. */
static const test_tolerance tolerance_arithmetic = { 3 * TOLERANCE_E, 6 * TOLERANCE_E };

/** Derivatives from outputs: 1 - y^2 and y (1 - y) cancel near 1, where the absolute error is that of roundings to
 * 1. */
static const test_tolerance tolerance_derivative = { 3 * TOLERANCE_E, 2 * TOLERANCE_E };

/** Sums in double of floats: as good as exact, rounded once more. of_largest: sums that cancel to near nothing. */
static const test_tolerance tolerance_sum = { 2 * TOLERANCE_E, 1e-13 };

/**
 * Losses: each element in float with up to four roundings and, for cross-entropy, an exponential and a logarithm of
 * 2.5 ulp each. All elements are positive, so the sum keeps the relative error.
 */
static const test_tolerance tolerance_loss = { 10 * TOLERANCE_E, 0 };

/** Their gradients: p - t cancels, so the error is of the size of p and t. */
static const test_tolerance tolerance_loss_gradient = { 8 * TOLERANCE_E, 4 * TOLERANCE_E };

/**
 * One optimizer step in float: about ten roundings of the step and one of the parameter, and moments whose two terms
 * cancel. Steps are no larger than parameters here.
 */
static const test_tolerance tolerance_update = { 12 * TOLERANCE_E, 8 * TOLERANCE_E };

/**
 * Sums of K float products in any order: the error grows with sqrt(K) for roundings that go either way, K <= 2100
 * here: sqrt(2100) e = 2.7e-6 of the sum of sizes of the terms, which is a few times the largest result.
 */
static const test_tolerance tolerance_gemm = { 0, 4e-6 };

/**
 * Convolutions are such sums, of up to 2200 products here. Maps after them have slopes of at most 1.13, and results no
 * smaller than half of the linear part's.
 */
static const test_tolerance tolerance_conv = { 0, 1e-5 };

/**
 * Normalised values: five roundings, of terms up to a few times the largest; gradients add the same of three terms.
 * Their sums are in double, but of values whose mean was rounded to float.
 */
static const test_tolerance tolerance_norm = { 6 * TOLERANCE_E, 8 * TOLERANCE_E };

/** Means of up to 49 pixels and mixtures of up to 30, added in float, of weights rounded once. */
static const test_tolerance tolerance_mixture = { 4 * TOLERANCE_E, 16 * TOLERANCE_E };

/**
 * LSTM over up to 12 steps: products as above, activations of 2 ulp, each step passing its error on with a factor
 * near one; gradients multiply as many derivatives.
 */
static const test_tolerance tolerance_lstm = { 0, 8e-6 };

#endif
