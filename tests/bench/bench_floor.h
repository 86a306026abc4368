/*
 * The least time that a device needs for a step: phases that must follow each other, each limited by the operations of
 * its products or by the bytes that it moves.
 */
#ifndef LAE_BENCH_FLOOR_H
#define LAE_BENCH_FLOOR_H

#include <stdint.h>

#define BENCH_MAX_PHASES 12

/**
 * Weights of repeated phases that fit into this stay on the chip and are read once: 50 of the 60 MB of an H200's
 * second-level cache, which other data share.
 */
#define BENCH_ON_CHIP_BYTES 50e6

typedef struct bench_phase {
    double repeats, operations;
    double weights; /* elements read in each repetition, as wide as the precision's factors */
    double bytes;   /* other bytes, read or written in each repetition */
} bench_phase;

typedef struct bench_floor {
    bench_phase phases[BENCH_MAX_PHASES];
    int count;
    double parameters; /* that Adam updates; 0: none */
} bench_floor;

void bench_floor_add(bench_floor *floor, double repeats, double operations, double weights, double bytes);

/**
 * Milliseconds on a device of `gflops` and `gbytes` per second, whose products read factors of `width` bytes. Adam
 * reads weight, gradient and two moments and writes all but the gradient, and a copy of the weight of width 2.
 */
double bench_floor_ms(const bench_floor *floor, double gflops, double gbytes, int width);

/** The training step of a composite model (a reconstructing and a predicting decoder), and one of its decoders. */
bench_floor bench_floor_composite(int64_t T, int64_t B, int64_t F, int64_t H, int64_t layers);
bench_floor bench_floor_generate(int64_t T, int64_t B, int64_t F, int64_t H, int64_t layers);

#endif
