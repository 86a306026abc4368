/* Drawn shapes: in range, all different, told apart by the simplest classifier, and the same bits everywhere. */
#include "checksum.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

static lstmae_context *context;

static int setup(void **state)
{
    (void)state;
    context = test_context("cpu:ref", LSTMAE_F32);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lstmae_context_destroy(context);
    return 0;
}

static lstmae_dataset *shapes(int64_t count, int channels, int64_t size, uint64_t seed)
{
    lstmae_dataset *dataset;
    assert_ok(lstmae_dataset_shapes(&dataset, context, count, channels, size, seed));
    assert_int_equal(lstmae_dataset_count(dataset), count);
    assert_int_equal(lstmae_dataset_ndim(dataset), 3);
    assert_int_equal(lstmae_dataset_dim(dataset, 0), channels);
    assert_int_equal(lstmae_dataset_dim(dataset, 1), size);
    assert_int_equal(lstmae_dataset_dim(dataset, 2), size);
    return dataset;
}

/* Values in [0,1]; the brightest channel spans from dark ground to bright ink. */
static void pictures_are_in_range(void **state)
{
    (void)state;
    static float item[3 * 48 * 48];
    static const int64_t sizes[] = { 8, 28, 32, 48 };
    for (size_t k = 0; k < 2 * sizeof sizes / sizeof sizes[0]; k++) {
        int channels = k & 1 ? 3 : 1;
        int64_t size = sizes[k / 2], pixels = size * size;
        lstmae_dataset *dataset = shapes(400, channels, size, 3);
        for (int n = 0; n < 400; n++) {
            int64_t label;
            float most = 0;
            assert_ok(lstmae_dataset_read(dataset, n, item, (size_t)(channels * pixels)));
            assert_ok(lstmae_dataset_label(dataset, n, &label));
            assert_int_equal(label, n % LSTMAE_SHAPES_CLASSES);
            for (int c = 0; c < channels; c++) {
                float low = 1, high = 0;
                for (int64_t i = 0; i < pixels; i++) {
                    float value = item[c * pixels + i];
                    assert_true(value >= 0 && value <= 1);
                    if (value < low) low = value;
                    if (value > high) high = value;
                }
                assert_true(low < 0.36f);
                if (high > most) most = high;
            }
            assert_true(most > (size < 28 ? 0.40f : 0.74f)); /* thin edges of small shapes are soft */
        }
        lstmae_dataset_destroy(dataset);
    }
}

static double distance(const float *a, const float *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return sum;
}

/* The nearest of 4000 others has the same class most of the time (by chance: 1 in 8); no two are equal. */
static void classes_can_be_told_apart(void **state)
{
    (void)state;
    enum { MANY = 4000, ASKED = 200, PIXELS = 16 * 16 };
    float *items = malloc(MANY * PIXELS * sizeof *items);
    int right = 0;
    assert_non_null(items);
    lstmae_dataset *dataset = shapes(MANY, 1, 16, 0);
    for (int n = 0; n < MANY; n++) assert_ok(lstmae_dataset_read(dataset, n, items + n * PIXELS, PIXELS));
    for (int n = 0; n < ASKED; n++) {
        int best = -1;
        double least = 1e30;
        for (int m = 0; m < MANY; m++) {
            if (m == n) continue;
            double d = distance(items + n * PIXELS, items + m * PIXELS, PIXELS);
            assert_true(d > 0);
            if (d < least) {
                least = d;
                best = m;
            }
        }
        right += best % LSTMAE_SHAPES_CLASSES == n % LSTMAE_SHAPES_CLASSES;
    }
    print_message("%d of %d\n", right, ASKED);
    assert_true(right > ASKED * 6 / 10);
    lstmae_dataset_destroy(dataset);
    free(items);
}

/* Checksums of the first items: another machine, compiler or thread must reach them. */
static void the_same_bits_everywhere(void **state)
{
    (void)state;
    static float items[16 * 3 * 32 * 32];
    static const struct {
        int channels;
        int64_t size;
        uint64_t seed, sum;
    } cases[] = { { 1, 28, 0, UINT64_C(0xb1159fe84446042f) },
                  { 3, 32, 0, UINT64_C(0x64d22692ca4af866) },
                  { 3, 32, 1, UINT64_C(0x49ece2e7db335550) } };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        size_t elements = (size_t)(cases[k].channels * cases[k].size * cases[k].size);
        lstmae_dataset *dataset = shapes(100, cases[k].channels, cases[k].size, cases[k].seed);
        for (int n = 15; n >= 0; n--)
            assert_ok(lstmae_dataset_read(dataset, n, items + (size_t)n * elements, elements));
        uint64_t sum = test_checksum(items, 16 * elements);
        if (sum != cases[k].sum) print_error("case %zu: %016llx\n", k, (unsigned long long)sum);
        assert_true(sum == cases[k].sum);
        lstmae_dataset_destroy(dataset);
    }
}

static void misused(void **state)
{
    (void)state;
    lstmae_dataset *dataset;
    assert_fails(lstmae_dataset_shapes(&dataset, context, -1, 3, 32, 0), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_shapes(&dataset, context, 1, 2, 32, 0), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_shapes(&dataset, context, 1, 3, 7, 0), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_shapes(&dataset, context, 1, 3, 1025, 0), ERR_INVALID_ARG);
    assert_null(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_in_range),
        cmocka_unit_test(classes_can_be_told_apart),
        cmocka_unit_test(the_same_bits_everywhere),
        cmocka_unit_test(misused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
