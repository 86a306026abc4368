/* Shuffling by counter: permutations, and as even as random ones. */
#include "support.h"

#include "permute.h"

#include <stdlib.h>
#include <string.h>

/* Every index goes to a place of its own, for sizes around all powers of two. */
static void is_a_permutation(void **state)
{
    (void)state;
    static unsigned char seen[70000];
    for (uint64_t bits = 0; bits <= 16; bits++) {
        for (uint64_t count = (UINT64_C(1) << bits) - (bits > 0); count <= (UINT64_C(1) << bits) + 1; count++) {
            memset(seen, 0, sizeof seen);
            for (uint64_t i = 0; i < count; i++) {
                uint64_t to = lae_permute(bits, 3, i, count);
                assert_true(to < count && !seen[to]);
                seen[to] = 1;
            }
        }
    }
}

/* Places beyond what could be stored: in range, and different. */
static void large_counts(void **state)
{
    (void)state;
    const uint64_t counts[] = { UINT64_C(1) << 40, (UINT64_C(1) << 62) + 1, INT64_MAX };
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        uint64_t first = lae_permute(1, 2, 0, counts[c]), last = lae_permute(1, 2, counts[c] - 1, counts[c]);
        assert_true(first < counts[c] && last < counts[c] && first != last);
    }
}

/* Sum of (seen - expected)^2 / expected. */
static double chi_square(const int *seen, int cells, double expected)
{
    double sum = 0;
    for (int i = 0; i < cells; i++) sum += ((double)seen[i] - expected) * ((double)seen[i] - expected) / expected;
    return sum;
}

/*
 * Over 24,000 epochs, all 24 orders of 4 items and all 120 of 5 come equally often, and so do all places of items 0
 * and 9 of 10 together. Limits: chi-square exceeds mean + 5 standard deviations (n + 5 sqrt(2n) for n degrees of
 * freedom) once in a million times; the seeds are fixed, so this either holds or not.
 */
static void orders_come_equally_often(void **state)
{
    (void)state;
    int four[256] = { 0 }, orders4[24], five[3125] = { 0 }, orders5[120], pairs[100] = { 0 }, places[90];
    const int epochs = 24000;
    for (int epoch = 0; epoch < epochs; epoch++) {
        uint64_t code4 = 0, code5 = 0;
        for (uint64_t i = 0; i < 4; i++) code4 = code4 * 4 + lae_permute(11, (uint64_t)epoch, i, 4);
        for (uint64_t i = 0; i < 5; i++) code5 = code5 * 5 + lae_permute(11, (uint64_t)epoch, i, 5);
        four[code4]++;
        five[code5]++;
        pairs[lae_permute(11, (uint64_t)epoch, 0, 10) * 10 + lae_permute(11, (uint64_t)epoch, 9, 10)]++;
    }
    int n4 = 0, n5 = 0, pair = 0;
    for (int i = 0; i < 256; i++)
        if (four[i] > 0 && n4 < 24) orders4[n4++] = four[i];
    for (int i = 0; i < 3125; i++)
        if (five[i] > 0 && n5 < 120) orders5[n5++] = five[i];
    for (int i = 0; i < 100; i++)
        if (i / 10 != i % 10) places[pair++] = pairs[i];
    assert_int_equal(n4, 24);
    assert_int_equal(n5, 120);
    assert_true(chi_square(orders4, 24, epochs / 24.0) < 23 + 5 * 6.8);
    assert_true(chi_square(orders5, 120, epochs / 120.0) < 119 + 5 * 15.5);
    assert_true(chi_square(places, 90, epochs / 90.0) < 89 + 5 * 13.4);
}

/* Another seed, another stream: of 1000 places about one is the same by chance. */
static void orders_differ(void **state)
{
    (void)state;
    int same_stream = 0, same_seed = 0, fixed = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t to = lae_permute(1, 1, i, 1000);
        same_stream += to == lae_permute(1, 2, i, 1000);
        same_seed += to == lae_permute(2, 1, i, 1000);
        fixed += to == i;
    }
    assert_true(same_stream < 10 && same_seed < 10 && fixed < 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_a_permutation),
        cmocka_unit_test(large_counts),
        cmocka_unit_test(orders_come_equally_often),
        cmocka_unit_test(orders_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
