/* The counting of operations against figures worked out by hand. */
#include "bench_count.h"
#include "bench_floor.h"
#include "support.h"

/** Composite of B=128, T=10+10, I=4096, H=2048, two layers: docs/benchmarks.md has the table. */
static void test_composite(void **state)
{
    (void)state;
    bench_ops encoder = bench_count_lstm(10, 128, 4096, 2048, 2, BENCH_ZERO_STATE);
    bench_ops decoder = bench_count_decoder(10, 128, 4096, 2048, 2);
    bench_ops all = bench_ops_sum(encoder, bench_ops_sum(decoder, decoder));
    assert_in_range((uint64_t)(all.forward / 1e8 + 0.5), 6614, 6614);
    assert_in_range((uint64_t)(all.data / 1e8 + 0.5), 5755, 5755);
    assert_in_range((uint64_t)(all.weights / 1e8 + 0.5), 6614, 6614);
    assert_in_range((uint64_t)(bench_ops_total(all) / 1e9 + 0.5), 1898, 1898);
}

/** One step of one unit: each of four gates takes one product with x and one with h. */
static void test_smallest(void **state)
{
    (void)state;
    bench_ops ops = bench_count_lstm(1, 1, 1, 1, 1, 0);
    assert_int_equal((int)ops.forward, 16);
    assert_int_equal((int)ops.weights, 16);
    assert_int_equal((int)ops.data, 8);
    ops = bench_count_lstm(1, 1, 1, 1, 1, BENCH_ZERO_STATE | BENCH_INPUT_GRAD);
    assert_int_equal((int)ops.forward, 8);
    assert_int_equal((int)ops.data, 8);
}

/** Kernel 3, padding 1: rows of 4 meet 2 + 3 + 3 + 2 taps; with stride 2, 2 + 3; and 32 with stride 2 meets 47. */
static void test_conv(void **state)
{
    (void)state;
    bench_ops ops = bench_count_conv(1, 1, 4, 4, 1, 3, 1, 1, 0);
    assert_int_equal((int)ops.forward, 2 * 10 * 10);
    assert_int_equal((int)ops.weights, 2 * 10 * 10);
    assert_int_equal((int)ops.data, 0);
    ops = bench_count_conv(2, 3, 4, 32, 5, 3, 2, 1, BENCH_INPUT_GRAD);
    assert_int_equal((int)ops.forward, 2 * 2 * 3 * 5 * 5 * 47);
    assert_int_equal((int)ops.data, (int)ops.forward);
    ops = bench_count_conv(1, 1, 5, 7, 1, 2, 2, 0, 0);
    assert_int_equal((int)ops.forward, 2 * 4 * 6);
}

/** Convolutions of the CIFAR-10 autoencoder: the axes meet 47, 46, 23, 22 and 11 taps; the way back mirrors them. */
static void test_cifar(void **state)
{
    (void)state;
    static const int64_t layers[][4] = { /* channels, size, channels, stride */
        { 3, 32, 32, 2 }, { 32, 16, 32, 1 }, { 32, 16, 64, 2 }, { 64, 8, 64, 1 }, { 64, 8, 64, 2 },
    };
    bench_ops all = { 0, 0, 0 };
    for (int i = 0; i < 5; i++) {
        const int64_t *l = layers[i];
        bench_ops one = bench_count_conv(256, l[0], l[1], l[1], l[2], 3, l[3], 1, i > 0 ? BENCH_INPUT_GRAD : 0);
        bench_ops back = bench_count_conv(256, l[0], l[1], l[1], l[2], 3, l[3], 1, BENCH_INPUT_GRAD);
        all = bench_ops_sum(all, bench_ops_sum(one, back));
    }
    const uint64_t products = 2 * (96 * 47 * 47 + 1024 * 46 * 46 + 2048 * 23 * 23 + 4096 * 22 * 22 + 4096 * 11 * 11);
    assert_in_range((uint64_t)all.forward, 512 * products, 512 * products);
    assert_in_range((uint64_t)all.weights, 512 * products, 512 * products);
    assert_in_range((uint64_t)all.data, 512 * (products - 96 * 47 * 47), 512 * (products - 96 * 47 * 47));
}

static double composite_ms(double gflops, int width)
{
    const bench_floor floor = bench_floor_composite(10, 128, 4096, 2048, 2);
    return bench_floor_ms(&floor, gflops, 4300, width);
}

/** The seed preset on an H200, phase by phase by hand: 790, 395 and 55 TFLOP/s, 4.3 TB/s. */
static void test_floors(void **state)
{
    (void)state;
    assert_in_range((uint64_t)(1e3 * composite_ms(790e3, 2)), 4600, 4950);
    assert_in_range((uint64_t)(1e3 * composite_ms(395e3, 4)), 7400, 7950);
    assert_in_range((uint64_t)(1e3 * composite_ms(55e3, 4)), 35800, 36800);
    /* small enough to stay on the chip: operations, and Adam */
    const bench_floor small = bench_floor_composite(10, 16, 4096, 64, 1);
    const double operations = bench_ops_total(bench_ops_sum(
        bench_count_lstm(10, 16, 4096, 64, 1, BENCH_ZERO_STATE),
        bench_ops_sum(bench_count_decoder(10, 16, 4096, 64, 1), bench_count_decoder(10, 16, 4096, 64, 1))));
    const double compute = bench_floor_ms(&small, 1.0, 1e12, 4) * 1e6;
    assert_in_range((uint64_t)compute, (uint64_t)(0.9999 * operations), (uint64_t)(1.0001 * operations));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_composite), cmocka_unit_test(test_smallest),
                                        cmocka_unit_test(test_conv), cmocka_unit_test(test_cifar),
                                        cmocka_unit_test(test_floors) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
