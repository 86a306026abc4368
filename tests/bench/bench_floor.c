#include "bench_floor.h"

void bench_floor_add(bench_floor *floor, double repeats, double operations, double weights, double bytes)
{
    if (repeats <= 0 || floor->count >= BENCH_MAX_PHASES) return;
    floor->phases[floor->count++] = (bench_phase){ repeats, operations, weights, bytes };
}

static double phase_ms(const bench_phase *phase, double gflops, double gbytes, int width)
{
    const double read = phase->weights * width, repeats = phase->repeats;
    const int on_chip = repeats > 1 && read < BENCH_ON_CHIP_BYTES;
    const double compute = phase->operations / (1e6 * gflops);
    const double move = (phase->bytes + (on_chip ? read / repeats : read)) / (1e6 * gbytes);
    return repeats * (compute > move ? compute : move);
}

double bench_floor_ms(const bench_floor *floor, double gflops, double gbytes, int width)
{
    const double adam = floor->parameters * (width == 2 ? 30 : 28);
    double total = adam / (1e6 * gbytes);
    for (int i = 0; i < floor->count; i++) total += phase_ms(&floor->phases[i], gflops, gbytes, width);
    return total;
}

/* What a layer's step multiplies: gates from its input and from its state. */
typedef struct floor_layer {
    double from_x, from_h; /* elements of the weights; operations are 2 B times these */
} floor_layer;

static floor_layer floor_layer_of(int64_t layer, int64_t I, int64_t H)
{
    const double rows = 4.0 * (double)H;
    return (floor_layer){ rows * (double)(layer == 0 ? I : H), rows * (double)H };
}

/* Products with inputs that are all known are one product over T; those with states take a step each. */
static void floor_encoder(bench_floor *floor, int64_t T, int64_t B, int64_t F, int64_t H, int64_t layers, int backward)
{
    const double twice = 2.0 * (double)B;
    for (int64_t l = 0; l < layers; l++) {
        const floor_layer w = floor_layer_of(l, F, H);
        if (!backward || l > 0) bench_floor_add(floor, 1, twice * (double)T * w.from_x, w.from_x, 0);
        bench_floor_add(floor, (double)(T - 1), twice * w.from_h, w.from_h, 0);
    }
}

/* A step reads every weight: all of `decoders` in one phase. The first step's input is zero. */
static void floor_decoders(bench_floor *floor, int64_t decoders, int64_t T, int64_t B, int64_t F, int64_t H,
                           int64_t layers)
{
    const double twice = 2.0 * (double)B;
    const floor_layer first = floor_layer_of(0, F, H), other = floor_layer_of(1, F, H);
    const double with_x = first.from_x + first.from_h + (double)(layers - 1) * (other.from_x + other.from_h) +
                          (double)F * (double)H;
    const double all = (double)decoders * with_x, start = all - (double)decoders * first.from_x;
    bench_floor_add(floor, (double)(T - 1), twice * all, all, 0);
    bench_floor_add(floor, 1, twice * start, start, 0);
}

static double floor_parameters(int64_t F, int64_t H, int64_t layers, int output)
{
    double count = 0;
    for (int64_t l = 0; l < layers; l++) {
        const floor_layer w = floor_layer_of(l, F, H);
        count += w.from_x + w.from_h + 8.0 * (double)H;
    }
    return count + (output ? (double)F * (double)H + (double)F : 0);
}

bench_floor bench_floor_composite(int64_t T, int64_t B, int64_t F, int64_t H, int64_t layers)
{
    bench_floor floor = { .parameters = floor_parameters(F, H, layers, 0) + 2 * floor_parameters(F, H, layers, 1) };
    double weight_operations = 0;
    floor_encoder(&floor, T, B, F, H, layers, 0);
    floor_decoders(&floor, 2, T, B, F, H, layers);
    for (int i = 0; i < floor.count; i++) weight_operations += floor.phases[i].repeats * floor.phases[i].operations;
    floor_decoders(&floor, 2, T, B, F, H, layers);
    floor_encoder(&floor, T, B, F, H, layers, 1);
    bench_floor_add(&floor, 1, weight_operations, 0, 4.0 * floor.parameters);
    return floor;
}

bench_floor bench_floor_generate(int64_t T, int64_t B, int64_t F, int64_t H, int64_t layers)
{
    bench_floor floor = { .parameters = 0 };
    floor_encoder(&floor, T, B, F, H, layers, 0);
    floor_decoders(&floor, 1, T, B, F, H, layers);
    return floor;
}
