/*
 * Activations and what they are made of against double libm: the scalar functions and those of every instruction set,
 * over a stride of all float32 inputs, or with the argument "all" over every one of them. The scalar functions have to
 * give the bits of every set with fused multiply-add, so that a GPU computes what the CPU does.
 */
#include "activation_functions.h"
#include "support.h"

#include "cpu/isa.h"
#include "shared/activation.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define CHUNK 4096

/* A prime, so that all exponents and ends of mantissas are met. */
static uint64_t stride = 2039;

/*
 * Largest error allowed, in ulp of the result, as docs/numerics.md states; a result below `least` counts as one of that
 * size. Inputs are bit patterns from `first` to `last`.
 */
static const struct {
    const char *name;
    double most_ulp, least;
    uint32_t first, last;
} functions[ACTIVATION_FUNCTIONS] = {
    [ACTIVATION_EXP] = { "exp", 1.5, 0x1p-126, 0, UINT32_MAX },
    [ACTIVATION_SIGMOID] = { "sigmoid", 2.5, 0x1p-126, 0, UINT32_MAX },
    [ACTIVATION_TANH] = { "tanh", 3, 0x1p-126, 0, UINT32_MAX },
    [ACTIVATION_LOG1P] = { "log1p", 2.5, 0x1p-126, 0, UINT32_C(0x3f800000) },
    [ACTIVATION_EXPM1] = { "expm1", 2.5, 0x1p-126, UINT32_C(0x80000000), UINT32_MAX },
    [ACTIVATION_SOFTPLUS] = { "softplus", 3, 0x1p-126, 0, UINT32_MAX },
    [ACTIVATION_SILU] = { "silu", 3, 0x1p-119, 0, UINT32_MAX },
    [ACTIVATION_GELU] = { "gelu", 7, 0x1p-126, 0, UINT32_MAX },
    [ACTIVATION_GELU_TANH] = { "gelu_tanh", 8, 0x1p-6, 0, UINT32_MAX },
};

static void scalar(activation_function which, float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        switch (which) {
        case ACTIVATION_EXP: y[i] = lae_exp(x[i]); break;
        case ACTIVATION_SIGMOID: y[i] = lae_sigmoid(x[i]); break;
        case ACTIVATION_TANH: y[i] = lae_tanh(x[i]); break;
        case ACTIVATION_LOG1P: y[i] = lae_log1p_unit(x[i]); break;
        case ACTIVATION_EXPM1: y[i] = lae_expm1(x[i]); break;
        case ACTIVATION_SOFTPLUS: y[i] = lae_softplus(x[i]); break;
        case ACTIVATION_SILU: y[i] = lae_silu(x[i]); break;
        case ACTIVATION_GELU: y[i] = lae_gelu(x[i]); break;
        default: y[i] = lae_gelu_tanh(x[i]); break;
        }
    }
}

static double exact(activation_function which, double x)
{
    switch (which) {
    case ACTIVATION_EXP: return exp(x);
    case ACTIVATION_SIGMOID: return 1.0 / (1.0 + exp(-x));
    case ACTIVATION_TANH: return tanh(x);
    case ACTIVATION_LOG1P: return log1p(x);
    case ACTIVATION_EXPM1: return expm1(x);
    case ACTIVATION_SOFTPLUS: return x > 700 ? x : log1p(exp(x));
    case ACTIVATION_SILU: return x < -700 ? 0 : x / (1.0 + exp(-x));
    case ACTIVATION_GELU: return x < -30 ? 0 : 0.5 * x * erfc(-x * sqrt(0.5));
    default: return x < -30 ? 0 : x / (1.0 + exp(-1.5957691216057308 * (x + 0.044715 * x * x * x)));
    }
}

/* Where exp(-x) overflows, sigmoid gives 0 instead of a number below 2^-128. */
static int may_be_zero(activation_function which, double want)
{
    return which == ACTIVATION_SIGMOID && want < ldexp(1, -128);
}

static activation_array_fn vectors_of(int isa)
{
    switch (isa) {
    case LAE_ISA_PLAIN: return activation_vectors_plain;
#if defined(__aarch64__)
    case LAE_ISA_NEON: return activation_vectors_neon;
#elif defined(__x86_64__)
    case LAE_ISA_AVX2: return activation_vectors_avx2;
    case LAE_ISA_AVX512: return activation_vectors_avx512;
#endif
    default: return NULL;
    }
}

/* What is wanted at one input: its value, with 2^128 beyond the largest float, and 1 / (its unit of the last place). */
typedef struct wanted_value {
    double value, per_ulp;
} wanted_value;

static wanted_value wanted(activation_function which, double x)
{
    const double limit = 0x1p128, smallest = functions[which].least;
    wanted_value want = { exact(which, x), 0 };
    uint64_t bits;
    if (want.value > limit) want.value = limit;
    double size = fabs(want.value) < smallest ? smallest : fabs(want.value);
    memcpy(&bits, &size, sizeof(bits));
    bits = (UINT64_C(2046) << 52) - (bits & UINT64_C(0x7ff0000000000000)); /* 1 / (size's power of two) */
    memcpy(&want.per_ulp, &bits, sizeof(bits));
    want.per_ulp *= 0x1p23;
    return want;
}

typedef struct worst_error {
    double ulp;
    float x;
} worst_error;

static void compare(activation_function which, const float *x, const float *got, const wanted_value *want, int64_t n,
                    worst_error *worst)
{
    for (int64_t i = 0; i < n; i++) {
        double value = isinf(got[i]) ? copysign(0x1p128, (double)got[i]) : (double)got[i];
        double ulp = fabs(value - want[i].value) * want[i].per_ulp;
        if (ulp <= worst->ulp || (got[i] == 0 && may_be_zero(which, want[i].value))) continue;
        if (isnan(want[i].value) && isnan(got[i])) continue;
        worst->ulp = isnan(ulp) ? INFINITY : ulp;
        worst->x = x[i];
    }
}

static int same_bits(float a, float b)
{
    return memcmp(&a, &b, sizeof(a)) == 0 || (isnan(a) && isnan(b));
}

static void compare_vectors(activation_function which, int isa, const float *x, const float *scalars,
                            const wanted_value *want, int64_t n, worst_error *worst)
{
    float vectors[CHUNK];
    vectors_of(isa)(which, vectors, x, n);
    if (memcmp(vectors, scalars, (size_t)n * sizeof(float)) == 0) return; /* their errors are known */
    compare(which, x, vectors, want, n, worst);
    for (int64_t i = 0; i < n && isa != LAE_ISA_PLAIN; i++)
        if (!same_bits(vectors[i], scalars[i]))
            fail_msg("%s(%a): scalar %a, %s %a", functions[which].name, (double)x[i], (double)scalars[i],
                     lae_isa_name((lae_isa)isa), (double)vectors[i]);
}

/* The next inputs of a function, from bit pattern *bits on. */
static int64_t next_inputs(activation_function which, float *x, uint64_t *bits)
{
    int64_t n = 0;
    for (; n < CHUNK && *bits <= functions[which].last; n++, *bits += stride) {
        uint32_t pattern = (uint32_t)*bits;
        memcpy(&x[n], &pattern, sizeof(pattern));
    }
    return n;
}

static void check_function(activation_function which)
{
    const char *name = functions[which].name;
    worst_error worst[LAE_ISA_COUNT + 1] = { { 0, 0 } };
    float x[CHUNK], scalars[CHUNK];
    wanted_value want[CHUNK];
    uint64_t bits = functions[which].first;
    for (int64_t n; (n = next_inputs(which, x, &bits)) > 0;) {
        for (int64_t i = 0; i < n; i++) want[i] = wanted(which, (double)x[i]);
        scalar(which, scalars, x, n);
        compare(which, x, scalars, want, n, &worst[LAE_ISA_COUNT]);
        for (int isa = 0; isa < LAE_ISA_COUNT; isa++)
            if (lae_isa_available((lae_isa)isa) && vectors_of(isa))
                compare_vectors(which, isa, x, scalars, want, n, &worst[isa]);
    }
    for (int isa = 0; isa <= LAE_ISA_COUNT; isa++) {
        const char *set = isa == LAE_ISA_COUNT ? "scalar" : lae_isa_name((lae_isa)isa);
        if (isa < LAE_ISA_COUNT && (!lae_isa_available((lae_isa)isa) || !vectors_of(isa))) continue;
        if (worst[isa].ulp == 0) print_message("%-9s %-7s the scalar function's bits\n", name, set);
        else print_message("%-9s %-7s %.3f ulp at %a\n", name, set, worst[isa].ulp, (double)worst[isa].x);
        if (worst[isa].ulp > functions[which].most_ulp) fail_msg("%s, %s: %.3f ulp", name, set, worst[isa].ulp);
    }
}

static void errors(void **state)
{
    (void)state;
    for (int which = 0; which < ACTIVATION_FUNCTIONS; which++) check_function((activation_function)which);
}

/* Values that must be exact, and functions that must not leave their range. */
static void limits(void **state)
{
    (void)state;
    static const float x[] = { 0.0f, -0.0f, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, 1e-40f, -1e-40f };
    static const float exps[] = { 1, 1, INFINITY, 0, INFINITY, 0, 1, 1 };
    static const float sigmoids[] = { 0.5f, 0.5f, 1, 0, 1, 0, 0.5f, 0.5f };
    static const float tanhs[] = { 0.0f, -0.0f, 1, -1, 1, -1, 1e-40f, -1e-40f };
    const float *const want[] = { exps, sigmoids, tanhs };
    float y[8];
    for (int isa = -1; isa < LAE_ISA_COUNT; isa++) {
        activation_array_fn function = isa < 0 ? scalar : vectors_of(isa);
        if (!function || (isa >= 0 && !lae_isa_available((lae_isa)isa))) continue;
        for (int which = 0; which <= ACTIVATION_TANH; which++) {
            function((activation_function)which, y, x, 8);
            for (int i = 0; i < 8; i++) {
                if (memcmp(&y[i], &want[which][i], sizeof(float)) == 0) continue;
                fail_msg("%s(%g) is %g", functions[which].name, (double)x[i], (double)y[i]);
            }
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits),
        cmocka_unit_test(errors),
    };
    if (argc > 1 && strcmp(argv[1], "all") == 0) stride = 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
