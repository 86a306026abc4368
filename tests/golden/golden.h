/* Reads the files that make_golden.py writes, case by case, and compares tensors and parameters with them. */
#ifndef LAE_TEST_GOLDEN_H
#define LAE_TEST_GOLDEN_H

#include "safetensors.h"
#include "values.h"

/**
 * Limits on values_error(). In float32 the sums of a recurrence carry a few dozen roundings of 6e-8 each; a wrong
 * formula shows at 1e-2 and above. In float64 the limit is the rounding of the golden values themselves to float32.
 * A loss curve passes through 20 updates, where Adam's division by small moments amplifies roundings.
 */
#define GOLDEN_LIMIT_F32 2e-5
#define GOLDEN_LIMIT_F64 1e-7
#define GOLDEN_LIMIT_CURVE 1e-4

#define GOLDEN_MAX_ARRAYS 256

typedef struct golden_array {
    double *values; /* NULL where the case has no such array; of the golden file, valid until the next case */
    int64_t dim[LAE_SAFETENSORS_MAX_RANK];
    int ndim;
    size_t count;
} golden_array;

typedef struct golden_file {
    uint8_t *bytes;
    lae_safetensors content;
    size_t next;               /* number of the next case */
    const char *name, *config; /* of the current case */
    double *arrays[GOLDEN_MAX_ARRAYS];
    size_t array_count;
    lstmae_context *context;
    double limit; /* of results in the context's element type */
    double worst; /* largest error seen */
    int failures;
} golden_file;

/** Opens data/<name>.safetensors for comparison with results on `context`, which stays the caller's. */
void golden_open(golden_file *file, const char *name, lstmae_context *context);

/** Closes the file and fails the test if any comparison failed. */
void golden_close(golden_file *file);

/** Goes to the next case, to the first one after opening; 0 at the end. */
int golden_next(golden_file *file);

/** Goes to a case by name. */
void golden_select(golden_file *file, const char *name);

/** A number of the case's configuration, or `fallback` where it is not stated. */
double golden_number(const golden_file *file, const char *key, double fallback);
int64_t golden_int(const golden_file *file, const char *key, int64_t fallback);

/** An array of the case. */
golden_array golden_get(golden_file *file, const char *name);

/** An array of the case as a tensor on the context, or NULL; the caller destroys it. */
lstmae_tensor *golden_tensor(golden_file *file, const char *name);

/** Sets every parameter to the array `prefix` + its name; both sides must have the same parameters. */
void golden_load_params(golden_file *file, const char *prefix, lstmae_module *module);

/** Compares and counts failures; the shape counts too. A NULL tensor is a failure. */
void golden_compare(golden_file *file, const char *name, const lstmae_tensor *got);
void golden_compare_values(golden_file *file, const char *name, const double *got, size_t count, double limit);

/** Compares the gradient of every parameter with "grad." + its name. */
void golden_compare_grads(golden_file *file, lstmae_module *module);

/** Contexts for tests with one as their state: the devices named; where $LSTMAE_TEST_DEVICE is set, that one in float32
 *  and in float64. */
int golden_setup_cpu(void **state);
int golden_setup_ref(void **state);
/** Always "cpu:ref": float64 is what the reference kernels are for. */
int golden_setup_ref_f64(void **state);
int golden_teardown(void **state);

/** One test on both CPU devices in float32, and on the reference in float64. */
/* clang-format off */
#define GOLDEN_TESTS(test)                                                                         \
    { #test " on cpu", test, golden_setup_cpu, golden_teardown, NULL },                            \
    { #test " on cpu:ref", test, golden_setup_ref, golden_teardown, NULL },                        \
    { #test " on cpu:ref in float64", test, golden_setup_ref_f64, golden_teardown, NULL }
/* clang-format on */

#endif
