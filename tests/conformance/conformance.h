/*
 * The conformance suite: every entry of a device's table against the reference. A case is some arrays and a function
 * that calls the entry; the harness runs it on the reference and on the device, twice with one thread and once with
 * two, compares outputs within a tolerance, demands equal bits of the three runs, and that nothing else was written.
 * On "cpu" it does so for every instruction set there is. Elements that are computed each by itself are also compared
 * with those of "cpu", as bits.
 */
#ifndef LAE_TEST_CONFORMANCE_H
#define LAE_TEST_CONFORMANCE_H

#include "device.h"
#include "tolerances.h"

#define CONFORMANCE_ARRAYS 20

typedef lstmae_status (*conformance_fn)(const test_device *device, const lstmae_view *views, const void *args);

typedef struct conformance_case {
    char what[160];
    int count;
    test_array array[CONFORMANCE_ARRAYS]; /* an array without content is absent: its view is all zero */
    unsigned outputs; /* bit a: array a is compared */
    unsigned scratch; /* bit a: array a is left undefined */
    unsigned bits;    /* bit a: array a, where it is of floats, has the same bits wherever multiply-adds are fused */
    test_tolerance tolerance[CONFORMANCE_ARRAYS];
    conformance_fn run;
    const void *args;
} conformance_case;

/** cmocka group fixtures: the reference and the device under test. */
int conformance_open(void **state);
int conformance_close(void **state);

/** Checks one case and frees its arrays. A device may decline an F64 case with ERR_UNSUPPORTED. */
void conformance_check(conformance_case *c);

/** How an array lies in memory. The last two repeat elements: for inputs only. */
typedef enum layout {
    LAYOUT_DENSE,
    LAYOUT_PADDED,     /* room after every row */
    LAYOUT_TRANSPOSED, /* first axis fastest */
    LAYOUT_BACKWARDS,  /* last axis from its end */
    LAYOUT_EVERY_OTHER, /* last axis with a stride of 2 */
    LAYOUT_OUTPUTS,
    LAYOUT_ONE_ROW = LAYOUT_OUTPUTS, /* stride 0 along the first axis */
    LAYOUT_ONE_COLUMN,               /* stride 0 along the last axis */
    LAYOUT_INPUTS
} layout;

test_array conformance_array(layout how, int dtype, int ndim, const int64_t *dims, uint64_t seed, double scale);

/** How an image [B,C,H,W] lies in memory. */
typedef enum image_layout {
    IMAGE_CHANNELS_LAST,
    IMAGE_PLANES,      /* row-major */
    IMAGE_WIDE_PIXELS, /* channels last, some of more channels */
    IMAGE_WIDE_ROWS,   /* planes with room after every row */
    IMAGE_BACKWARDS,   /* channels last, mirrored */
    IMAGE_LAYOUTS
} image_layout;

test_array conformance_image(int dtype, image_layout how, int64_t B, int64_t C, int64_t H, int64_t W, uint64_t seed);

/** Adds an array to a case; output says that it is compared, within tolerance. Returns its number. */
int conformance_input(conformance_case *c, test_array array);
int conformance_output(conformance_case *c, test_array array, test_tolerance tolerance);

/** An output that is also compared as bits. */
int conformance_output_bits(conformance_case *c, test_array array, test_tolerance tolerance);

typedef struct conformance_shape {
    int ndim;
    int64_t dim[LSTMAE_MAX_DIMS];
} conformance_shape;

/** One, primes, not multiples of any vector, and some large enough for two threads. */
extern const conformance_shape conformance_shapes[];
extern const int conformance_shape_count;

/** 1 for most `turn`s of a large shape: they cost time, and get one case in eleven. */
int conformance_skip(int shape, int turn);

#endif
