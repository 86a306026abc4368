/* What test_activation measures, and under which name each instruction set offers it. */
#ifndef LAE_TEST_ACTIVATION_FUNCTIONS_H
#define LAE_TEST_ACTIVATION_FUNCTIONS_H

#include <stdint.h>

typedef enum activation_function {
    ACTIVATION_EXP,
    ACTIVATION_SIGMOID,
    ACTIVATION_TANH,
    ACTIVATION_LOG1P,
    ACTIVATION_EXPM1,
    ACTIVATION_SOFTPLUS,
    ACTIVATION_SILU,
    ACTIVATION_GELU,
    ACTIVATION_GELU_TANH,
    ACTIVATION_FUNCTIONS
} activation_function;

typedef void (*activation_array_fn)(activation_function which, float *y, const float *x, int64_t n);

void activation_vectors_plain(activation_function which, float *y, const float *x, int64_t n);
void activation_vectors_neon(activation_function which, float *y, const float *x, int64_t n);
void activation_vectors_avx2(activation_function which, float *y, const float *x, int64_t n);
void activation_vectors_avx512(activation_function which, float *y, const float *x, int64_t n);

#endif
