/*
 * What src/shared has for all devices: maps and their derivatives give the bits of every instruction set with fused
 * multiply-add, and division by multiplication is division.
 */
#include "support.h"

#include "cpu/pointwise.h"
#include "shared/divide.h"
#include "shared/map_value.h"

#include <math.h>
#include <string.h>

#define COUNT 4096

static float value_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void compare(const char *what, int kind, lae_isa isa, const float *from, const float *got, const float *want)
{
    for (int i = 0; i < COUNT; i++) {
        if (memcmp(&got[i], &want[i], sizeof(float)) == 0 || (isnan(got[i]) && isnan(want[i]))) continue;
        fail_msg("%s %d of %a: %a, %s %a", what, kind, (double)from[i], (double)want[i], lae_isa_name(isa),
                 (double)got[i]);
    }
}

static void check_maps(lae_isa isa, float param, const float *x, const float *dy)
{
    const lae_pointwise *loops = lae_pointwise_of(isa);
    float got[COUNT], want[COUNT];
    for (int kind = 0; kind < LAE_MAP_KINDS; kind++) {
        loops->map(kind, param, got, x, COUNT);
        for (int i = 0; i < COUNT; i++) want[i] = lae_map_value(kind, param, x[i]);
        compare("map", kind, isa, x, got, want);
        loops->map_backward(kind, param, got, dy, x, COUNT);
        for (int i = 0; i < COUNT; i++) want[i] = lae_map_slope(kind, param, dy[i], x[i]);
        compare("derivative", kind, isa, x, got, want);
    }
}

static void maps_have_the_bits_of_vectors(void **state)
{
    static const float params[] = { 1.0f, 0.75f, -0.3f, 3.0f };
    float x[COUNT], dy[COUNT];
    (void)state;
    for (uint32_t round = 0; round < 64; round++) {
        for (uint32_t i = 0; i < COUNT; i++) {
            /* all exponents in half of the rounds, numbers of ordinary size in the others */
            uint32_t bits = (round * COUNT + i) * UINT32_C(2654435761);
            x[i] = round % 2 ? value_of(bits) : (float)(int32_t)bits * 0x1p-27f;
            dy[i] = (float)(int32_t)(bits * 69069u + 1u) * 0x1p-31f;
        }
        for (int isa = 0; isa < LAE_ISA_COUNT; isa++)
            if (isa != LAE_ISA_PLAIN && lae_isa_available((lae_isa)isa))
                check_maps((lae_isa)isa, params[round / 2 % 4], x, dy);
    }
}

static void check_divisor(uint32_t number)
{
    const uint32_t last = UINT32_MAX / 2;
    const lae_divisor divisor = lae_divisor_of(number);
    for (uint32_t k = 0; k < 2000; k++) {
        /* about multiples of the number, where a quotient changes, and about both ends */
        uint32_t n = (uint32_t)((uint64_t)k * last / 1999), about = n - n % number;
        const uint32_t tried[] = { n, about, about - 1, about + 1, k, last - k };
        for (int i = 0; i < 6; i++) {
            uint32_t rest, value = tried[i] & last, quotient = lae_divide(value, divisor, &rest);
            if (quotient == value / number && rest == value % number) continue;
            fail_msg("%u / %u is %u, rest %u", value, number, quotient, rest);
        }
    }
}

static void divisions_are_exact(void **state)
{
    (void)state;
    for (uint32_t number = 1; number < 300; number++) check_divisor(number);
    for (int bit = 8; bit < 32; bit++) {
        const uint32_t power = UINT32_C(1) << bit;
        check_divisor(power - 1);
        check_divisor(power);
        if (bit < 31) check_divisor(power + 1);
        if (bit < 31) check_divisor(power + power / 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_have_the_bits_of_vectors),
        cmocka_unit_test(divisions_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
