/* The vector functions of one instruction set as functions over arrays; compiled once per set, under its own name. */
#include "activation_functions.h"

#include "cpu/simd_maps.h"

#define FUNCTION_OF(isa) FUNCTION_OF_(isa)
#define FUNCTION_OF_(isa) activation_vectors_##isa

void FUNCTION_OF(ACTIVATION_ISA)(activation_function which, float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i += VL) {
        int64_t count = n - i < VL ? n - i : VL;
        vf a = vf_load_n(x + i, count);
        if (which == ACTIVATION_EXP) a = vf_exp(a);
        if (which == ACTIVATION_SIGMOID) a = vf_sigmoid(a);
        if (which == ACTIVATION_TANH) a = vf_tanh(a);
        if (which == ACTIVATION_LOG1P) a = vf_log1p_unit(a);
        if (which == ACTIVATION_EXPM1) a = vf_expm1(a);
        if (which == ACTIVATION_SOFTPLUS) a = vf_softplus(a);
        if (which == ACTIVATION_SILU) a = vf_silu(a);
        if (which == ACTIVATION_GELU) a = vf_gelu(a);
        if (which == ACTIVATION_GELU_TANH) a = vf_gelu_tanh(a);
        vf_store_n(y + i, a, count);
    }
}
