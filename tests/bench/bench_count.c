#include "bench_count.h"

bench_ops bench_ops_sum(bench_ops a, bench_ops b)
{
    return (bench_ops){ a.forward + b.forward, a.data + b.data, a.weights + b.weights };
}

double bench_ops_total(bench_ops ops)
{
    return ops.forward + ops.data + ops.weights;
}

/* Per step: gates [B,4H] from x [B,I] and from h [B,H]; the same sizes again for each operand's gradient. */
bench_ops bench_count_lstm(int64_t T, int64_t B, int64_t I, int64_t H, int64_t layers, uint32_t flags)
{
    bench_ops ops = { 0, 0, 0 };
    for (int64_t layer = 0; layer < layers; layer++) {
        double rows = 2.0 * (double)B * 4.0 * (double)H;
        double from_x = rows * (double)(layer == 0 ? I : H), from_h = rows * (double)H;
        double x_steps = (double)(layer == 0 && flags & BENCH_ZERO_START ? T - 1 : T);
        double h_steps = (double)(flags & BENCH_ZERO_STATE ? T - 1 : T);
        double products = x_steps * from_x + h_steps * from_h;
        int input_grad = layer > 0 || flags & BENCH_INPUT_GRAD;
        ops.forward += products;
        ops.weights += products;
        ops.data += (input_grad ? x_steps * from_x : 0) + h_steps * from_h;
    }
    return ops;
}

bench_ops bench_count_linear(int64_t rows, int64_t in, int64_t out)
{
    double product = 2.0 * (double)rows * (double)in * (double)out;
    return (bench_ops){ product, product, product };
}

bench_ops bench_count_decoder(int64_t T, int64_t B, int64_t F, int64_t H, int64_t layers)
{
    bench_ops lstm = bench_count_lstm(T, B, F, H, layers, BENCH_ZERO_START | BENCH_INPUT_GRAD);
    return bench_ops_sum(lstm, bench_count_linear(T * B, H, F));
}

/* Taps of all outputs along an axis that lie inside of it. */
static double taps_inside(int64_t size, int64_t kernel, int64_t stride, int64_t padding)
{
    int64_t taps = 0;
    for (int64_t from = -padding; from + kernel <= size + padding; from += stride)
        for (int64_t tap = 0; tap < kernel; tap++) taps += from + tap >= 0 && from + tap < size;
    return (double)taps;
}

bench_ops bench_count_conv(int64_t B, int64_t C, int64_t H, int64_t W, int64_t K, int64_t kernel, int64_t stride,
                           int64_t padding, uint32_t flags)
{
    const double pairs = taps_inside(H, kernel, stride, padding) * taps_inside(W, kernel, stride, padding);
    const double products = 2.0 * (double)(B * C * K) * pairs;
    return (bench_ops){ products, flags & BENCH_INPUT_GRAD ? products : 0, products };
}
