/* What this machine can do at most: arithmetic and memory, measured by loops that do nothing else. */
#ifndef LAE_BENCH_MACHINE_H
#define LAE_BENCH_MACHINE_H

/** Seconds of a clock that only moves forward. */
double bench_seconds(void);

/**
 * Billions of float operations per second of `threads` threads at once: a loop of independent fused multiply-adds (two
 * operations each) on registers, in the widest instruction set. Best of several repetitions of about 50 ms.
 */
double bench_peak_gflops(int threads);

/** Instruction set that bench_peak_gflops() uses: "avx512", "avx2", "neon", "plain". */
const char *bench_peak_isa(void);

/** GB/s (10^9 bytes) that `threads` threads read together from arrays far larger than any cache; 0 without memory. */
double bench_read_gbytes(int threads);

/** The same for copying: bytes read plus bytes written. */
double bench_copy_gbytes(int threads);

#endif
