/* The number parser against the C library's, which rounds correctly in the C locale, bit for bit. */
#include "support.h"

#include "number.h"
#include "shared/philox.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t draw(uint64_t index)
{
    return lae_philox_bits(7, 11, index);
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void check(const char *text)
{
    float value = -7.0f;
    char *end = NULL;
    const char *got = lae_number_read(text, '.', &value);
    float want = strtof(text, &end);
    if (got != end || bits_of(value) != bits_of(want))
        fail_msg("\"%s\": wanted %a and %d bytes, got %a and %d", text, (double)want, (int)(end - text), (double)value,
                 got ? (int)(got - text) : -1);
}

static void number_reads_plain(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0", "-0", "+0", "0.0", "-0.0e5", "1", "+1", "-1", "00012", "1.", ".5", "-.5", "5.e3", "1e0", "1E5", "1e+5",
        "1e-5", "1e005", "3.14159265358979323846264338327950288", "0.1", "0.2", "0.3", "123456789", "16777217",
        "16777219", "16777216.5", "33554434.000000000000000000000000000000000000000000000000000001", "9007199254740993",
        "18446744073709551616", "340282346638528859811704183484516925440", "3.4028235e38", "3.40282356e38",
        "340282356779733661637539395458142568447", "340282356779733661637539395458142568448",
        "340282356779733661637539395458142568449", "1e38",
        "1e39", "1e400", "-1e400", "1e999999999999", "1e-38", "1e-45",
        "1.1754943508222875e-38", "1.17549428e-38", "7.0064923216240854e-46", "7.0064923216240862e-46",
        "0.00000000000000000000000000000000000000000000070064923216240853546186479164495806564013097093825788587853e-0",
        "7.006492321624085354618647916449580656401309709382578858785341419448955413429303e-46", "1e-46", "1e-400",
        "1e-999999999999", "0e999999", "0.000000000000000000000000000000000000000000000000000000000000001e63",
        "1000000000000000000000000000000000000000000000000000000000000000e-63", "1.5x", "2e", "2e+", "2ex", "1.2.3",
        "12-3", "8.000001430511474", "8.0000014305114746", "8.000001430511475"
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) check(texts[i]);
}

static void number_refuses_what_is_none(void **state)
{
    static const char *const texts[] = { "", "-", "+", ".", "-.", "e5", ".e5", "x", " 1", "--1", "+-1", "inf", "nan",
                                         "infinity", ",5" };
    float value;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (lae_number_read(texts[i], '.', &value)) fail_msg("\"%s\" was taken for a number", texts[i]);
    }
    const char *hex = "0x10";
    assert_ptr_equal(lae_number_read(hex, '.', &value), hex + 1);
}

static void number_takes_a_decimal_comma(void **state)
{
    const char *text = "-1,25e1;";
    float value = 0;
    (void)state;
    assert_ptr_equal(lae_number_read(text, ',', &value), text + 7);
    assert_true(value == -12.5f);
    assert_ptr_equal(lae_number_read(text, '.', &value), text + 2);
}

/* Random floats as programs print them, with 1 to 20 digits. */
static void number_equals_strtof_of_floats(void **state)
{
    char text[64];
    (void)state;
    for (uint64_t i = 0; i < 60000; i++) {
        float value = float_of(draw(2 * i));
        if (!isfinite(value)) continue;
        snprintf(text, sizeof text, "%.*e", (int)(draw(2 * i + 1) % 20), (double)value);
        check(text);
        snprintf(text, sizeof text, "%.9g", (double)value);
        float back = 0;
        (void)lae_number_read(text, '.', &back);
        assert_int_equal(bits_of(back), bits_of(value));
    }
}

/* Digits and exponents of any length. */
static void number_equals_strtof_of_digits(void **state)
{
    char text[256];
    (void)state;
    for (uint64_t i = 0; i < 40000; i++) {
        uint64_t at = UINT64_C(1) << 32 | i << 8;
        int digits = 1 + (int)(draw(at) % (i % 8 == 0 ? 150 : 22)), used = 0;
        int point = (int)(draw(at + 1) % (uint32_t)(digits + 1));
        for (int k = 0; k < digits; k++) {
            if (k == point) text[used++] = '.';
            text[used++] = (char)('0' + draw(at + 2 + (uint64_t)k) % 10);
        }
        snprintf(text + used, sizeof text - (size_t)used, "e%d", (int)(draw(at + 250) % 100) - 55 - digits / 2);
        check(text);
    }
}

/* Exactly in the middle between two floats, and beside it by one in the last of very many digits. */
static void number_rounds_middles(void **state)
{
    char text[400];
    (void)state;
    for (uint64_t i = 0; i < 4000; i++) {
        uint32_t bits = draw(UINT64_C(1) << 40 | i) & 0x7fffffff;
        if (i % 4 == 0) bits &= 0x00ffffff; /* around the least normal float */
        if (bits >= 0x7f7fffff) continue;
        double middle = 0.5 * ((double)float_of(bits) + (double)float_of(bits + 1));
        snprintf(text, sizeof text, "%.160f", middle); /* exact: below 2^-150 there are no digits that count */
        check(text);
        if (middle < 1e-40) continue;
        snprintf(text, sizeof text, "%.160e", middle);
        check(text);
        char *e = strchr(text, 'e');
        e[-1] = '1'; /* it was a 0: middles have fewer digits */
        check(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_reads_plain),
        cmocka_unit_test(number_refuses_what_is_none),
        cmocka_unit_test(number_takes_a_decimal_comma),
        cmocka_unit_test(number_equals_strtof_of_floats),
        cmocka_unit_test(number_equals_strtof_of_digits),
        cmocka_unit_test(number_rounds_middles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
