/* Data sets made from others: random parts, other shapes, labels from elsewhere, normalised channels. */
#include "faults.h"

#include <math.h>
#include <stdio.h>
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

static void assert_text(const char *part)
{
    if (strstr(lstmae_last_error(), part)) return;
    print_error("\"%s\" lacks \"%s\"\n", lstmae_last_error(), part);
    fail();
}

/* Items n = 0, 1, ... of one element, n each. */
static lstmae_dataset *numbers(lstmae_context *of, int count)
{
    static float values[1000];
    lstmae_dataset *dataset;
    for (int i = 0; i < count; i++) values[i] = (float)i;
    assert_ok(lstmae_dataset_from_memory(&dataset, of, values, count, 0, NULL));
    return dataset;
}

static int number(const lstmae_dataset *dataset, int64_t index)
{
    float value;
    assert_ok(lstmae_dataset_read(dataset, index, &value, 1));
    return (int)value;
}

/* Parts are disjoint, together all, in no order, the same for a seed and others for another. */
static void split_deals_every_item_once(void **state)
{
    (void)state;
    static const int counts[][2] = { { 1000, 900 }, { 7, 3 }, { 1, 0 }, { 1, 1 }, { 0, 0 }, { 100, 50 } };
    for (size_t k = 0; k < sizeof counts / sizeof counts[0]; k++) {
        int all = counts[k][0], most = counts[k][1], in_place = 0, seen[1000] = { 0 };
        lstmae_dataset *base = numbers(context, all), *first, *second;
        assert_ok(lstmae_dataset_split(&first, &second, base, most, 42));
        lstmae_dataset_destroy(base);
        assert_int_equal(lstmae_dataset_count(first), most);
        assert_int_equal(lstmae_dataset_count(second), all - most);
        for (int i = 0; i < all; i++) {
            int n = i < most ? number(first, i) : number(second, i - most);
            assert_true(n >= 0 && n < all && seen[n]++ == 0);
            in_place += n == i;
        }
        if (all >= 100) assert_true(in_place < 10);
        lstmae_dataset_destroy(first);
        lstmae_dataset_destroy(second);
    }
}

static void split_follows_its_seed(void **state)
{
    (void)state;
    lstmae_dataset *base = numbers(context, 1000), *first[3], *second[3];
    int other = 0;
    for (int i = 0; i < 3; i++) assert_ok(lstmae_dataset_split(&first[i], &second[i], base, 500, i < 2 ? 1 : 2));
    for (int i = 0; i < 500; i++) {
        assert_int_equal(number(first[0], i), number(first[1], i));
        other += number(first[0], i) != number(first[2], i);
    }
    assert_true(other > 480);
    /* On every machine. */
    assert_int_equal(number(first[0], 0), 306);
    assert_int_equal(number(second[0], 499), 292);
    for (int i = 0; i < 3; i++) {
        lstmae_dataset_destroy(first[i]);
        lstmae_dataset_destroy(second[i]);
    }
    lstmae_dataset_destroy(base);
}

static void split_misused(void **state)
{
    (void)state;
    lstmae_dataset *base = numbers(context, 10), *images, *endless, *a, *b;
    assert_fails(lstmae_dataset_split(&a, &b, base, 11, 0), ERR_INVALID_ARG);
    assert_text("a part of 10 items, got 11");
    assert_true(!a && !b);
    assert_fails(lstmae_dataset_split(&a, &b, base, -1, 0), ERR_INVALID_ARG);
    assert_ok(lstmae_dataset_strokes(&images, context, 10, 8, 0));
    lstmae_moving_options options = LSTMAE_MOVING_OPTIONS_INIT;
    assert_ok(lstmae_dataset_moving(&endless, images, &options));
    assert_fails(lstmae_dataset_split(&a, &b, endless, 3, 0), ERR_INVALID_ARG);
    assert_text("got endless data");
    double one = 1, zero = 0;
    assert_fails(lstmae_dataset_moments(endless, -1, &zero, &one), ERR_INVALID_ARG);
    assert_text("got endless data");
    lstmae_dataset_destroy(base);
    lstmae_dataset_destroy(images);
    lstmae_dataset_destroy(endless);
}

static void reshape_keeps_items(void **state)
{
    (void)state;
    static const int64_t image[3] = { 1, 12, 12 }, flat[1] = { 144 }, wrong[2] = { 12, 13 };
    const int64_t huge[4] = { INT64_C(1) << 40, INT64_C(1) << 40, 1, 1 };
    float want[144], got[144];
    lstmae_dataset *base, *out;
    assert_ok(lstmae_dataset_strokes(&base, context, 20, 12, 1));
    for (int k = 0; k < 2; k++) {
        assert_ok(lstmae_dataset_reshape(&out, base, k ? 1 : 3, k ? flat : image));
        assert_int_equal(lstmae_dataset_count(out), 20);
        assert_int_equal(lstmae_dataset_ndim(out), k ? 1 : 3);
        assert_int_equal(lstmae_dataset_dim(out, 0), k ? 144 : 1);
        for (int n = 0; n < 20; n++) {
            int64_t label;
            assert_ok(lstmae_dataset_read(base, n, want, 144));
            assert_ok(lstmae_dataset_read(out, n, got, 144));
            assert_memory_equal(got, want, sizeof want);
            assert_ok(lstmae_dataset_label(out, n, &label));
            assert_int_equal(label, n % 10);
        }
        lstmae_dataset_destroy(out);
    }
    assert_fails(lstmae_dataset_reshape(&out, base, 2, wrong), ERR_SHAPE);
    assert_text("a shape of 144 elements, got one of 156");
    assert_null(out);
    assert_fails(lstmae_dataset_reshape(&out, base, 4, huge), ERR_SHAPE);
    assert_fails(lstmae_dataset_reshape(&out, base, 0, NULL), ERR_SHAPE);
    assert_fails(lstmae_dataset_reshape(&out, base, 5, huge), ERR_INVALID_ARG);
    lstmae_dataset_destroy(base);
}

/* Labels of an IDX file, and what becomes of them in data sets made from that. */
static void labels_go_along(void **state)
{
    (void)state;
    const unsigned char idx[] = { 0, 0, 8, 1, 0, 0, 0, 6, 5, 0, 4, 1, 9, 2 };
    lstmae_file_options options = LSTMAE_FILE_OPTIONS_INIT;
    lstmae_dataset *base = numbers(context, 6), *labels, *labelled, *first, *second, *part, *shape, *normal;
    const double mean = 0, deviation = 1;
    int64_t label;
    options.scale = 1;
    assert_int_equal(lstmae_dataset_labelled(base), 0);
    assert_fails(lstmae_dataset_label(base, 0, &label), ERR_STATE);
    assert_ok(lstmae_dataset_open(&labels, context, test_file("labels.idx", idx, sizeof idx), &options));
    assert_ok(lstmae_dataset_with_labels(&labelled, base, labels));
    lstmae_dataset_destroy(base);
    lstmae_dataset_destroy(labels);
    assert_ok(lstmae_dataset_split(&first, &second, labelled, 4, 3));
    assert_ok(lstmae_dataset_range(&part, first, 1, 3));
    assert_ok(lstmae_dataset_reshape(&shape, part, 0, NULL));
    assert_ok(lstmae_dataset_normalized(&normal, shape, -1, &mean, &deviation));
    const lstmae_dataset *all[] = { labelled, first, second, part, shape, normal };
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
        assert_int_equal(lstmae_dataset_labelled(all[k]), 1);
        for (int64_t i = 0; i < lstmae_dataset_count(all[k]); i++) {
            assert_ok(lstmae_dataset_label(all[k], i, &label));
            assert_int_equal(label, idx[8 + number(all[k], i)]);
        }
        assert_fails(lstmae_dataset_label(all[k], lstmae_dataset_count(all[k]), &label), ERR_INVALID_ARG);
        assert_fails(lstmae_dataset_label(all[k], -1, &label), ERR_INVALID_ARG);
        lstmae_dataset_destroy((lstmae_dataset *)(uintptr_t)all[k]);
    }
}

static void bad_labels(void **state)
{
    (void)state;
    static const struct {
        float value;
        int good;
    } cases[] = { { 7, 1 },           { -3, 1 },           { 16777215, 1 },       { 16777216, 0 },
                  { 0.5f, 0 },        { -16777216, 0 },    { (float)NAN, 0 },     { (float)INFINITY, 0 } };
    lstmae_dataset *base = numbers(context, 2), *labels, *out;
    const int64_t pair[1] = { 2 };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        const float values[2] = { 0, cases[k].value };
        assert_ok(lstmae_dataset_from_memory(&labels, context, values, 2, 0, NULL));
        if (cases[k].good) {
            int64_t label;
            assert_ok(lstmae_dataset_with_labels(&out, base, labels));
            assert_ok(lstmae_dataset_label(out, 1, &label));
            assert_true((float)label == cases[k].value);
            lstmae_dataset_destroy(out);
        } else {
            assert_fails(lstmae_dataset_with_labels(&out, base, labels), ERR_FORMAT);
            assert_text("item 1: expected a whole number below 2^24, got ");
            assert_null(out);
        }
        lstmae_dataset_destroy(labels);
    }
    const float values[4] = { 0 };
    assert_ok(lstmae_dataset_from_memory(&labels, context, values, 2, 1, pair));
    assert_fails(lstmae_dataset_with_labels(&out, base, labels), ERR_SHAPE);
    assert_text("labels of 1 element, got 2");
    lstmae_dataset_destroy(labels);
    labels = numbers(context, 3);
    assert_fails(lstmae_dataset_with_labels(&out, base, labels), ERR_SHAPE);
    assert_text("expected 2 labels, got 3");
    lstmae_dataset_destroy(labels);
    lstmae_dataset_destroy(base);
}

enum { MANY = 50, OUTER = 2, CHANNELS = 3, INNER = 5, ITEM = OUTER * CHANNELS * INNER };

/* Channels in the first, a middle, the last and no axis, against sums written down here. */
static void moments_and_back(void **state)
{
    (void)state;
    static float values[MANY * ITEM];
    static const int64_t dims[3] = { OUTER, CHANNELS, INNER };
    lstmae_dataset *base, *normal;
    test_fill(values, MANY * ITEM, 5, 3.0f);
    for (int i = 0; i < MANY * ITEM; i++) values[i] += 10.0f + (float)(i % 7);
    assert_ok(lstmae_dataset_from_memory(&base, context, values, MANY, 3, dims));
    for (int axis = -1; axis < 3; axis++) {
        double mean[5], deviation[5], sum[5] = { 0 }, square[5] = { 0 };
        int channels = axis < 0 ? 1 : (int)dims[axis], per = MANY * ITEM / channels, of[ITEM];
        for (int i = 0; i < ITEM; i++)
            of[i] = axis < 0 ? 0 : axis == 0 ? i / (CHANNELS * INNER) : axis == 1 ? i / INNER % CHANNELS : i % INNER;
        for (int i = 0; i < MANY * ITEM; i++) sum[of[i % ITEM]] += (double)values[i];
        for (int i = 0; i < MANY * ITEM; i++)
            square[of[i % ITEM]] += pow((double)values[i] - sum[of[i % ITEM]] / per, 2);
        assert_ok(lstmae_dataset_moments(base, axis, mean, deviation));
        for (int c = 0; c < channels; c++) {
            assert_true(fabs(mean[c] - sum[c] / per) < 1e-12 * mean[c]);
            assert_true(fabs(deviation[c] - sqrt(square[c] / per)) < 1e-12 * deviation[c]);
        }
        assert_ok(lstmae_dataset_normalized(&normal, base, axis, mean, deviation));
        assert_int_equal(lstmae_dataset_ndim(normal), 3);
        for (int n = 0; n < MANY; n++) {
            float item[ITEM];
            assert_ok(lstmae_dataset_read(normal, n, item, ITEM));
            for (int i = 0; i < ITEM; i++) {
                double want = ((double)values[n * ITEM + i] - mean[of[i]]) / deviation[of[i]];
                assert_true(fabs((double)item[i] - want) <= 6e-8 * fabs(want) + 1e-15);
            }
        }
        assert_ok(lstmae_dataset_moments(normal, axis, mean, deviation));
        for (int c = 0; c < channels; c++) assert_true(fabs(mean[c]) < 1e-7 && fabs(deviation[c] - 1) < 1e-7);
        lstmae_dataset_destroy(normal);
    }
    lstmae_dataset_destroy(base);
}

/* Pixels of [0,1] to [-1,1] as (2 x - 1) gives them, exactly. */
static void half_and_half_is_exact(void **state)
{
    (void)state;
    const double half[1] = { 0.5 };
    float item[64], want[64];
    lstmae_dataset *base, *normal;
    assert_ok(lstmae_dataset_strokes(&base, context, 5, 8, 1));
    assert_ok(lstmae_dataset_normalized(&normal, base, -1, half, half));
    for (int n = 0; n < 5; n++) {
        assert_ok(lstmae_dataset_read(base, n, want, 64));
        assert_ok(lstmae_dataset_read(normal, n, item, 64));
        for (int i = 0; i < 64; i++) assert_true(item[i] == (float)(2.0 * (double)want[i] - 1.0));
    }
    lstmae_dataset_destroy(base);
    lstmae_dataset_destroy(normal);
}

static void normalized_misused(void **state)
{
    (void)state;
    static const double bad[] = { 0, -1, (double)NAN, (double)INFINITY, 1e-310 };
    double mean[8] = { 0 }, deviation[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
    lstmae_dataset *base, *empty, *out;
    assert_ok(lstmae_dataset_strokes(&base, context, 5, 8, 1));
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        deviation[7] = bad[k];
        assert_fails(lstmae_dataset_normalized(&out, base, 0, mean, deviation), ERR_INVALID_ARG);
        assert_text("channel 7: expected a deviation above 0, got ");
        assert_null(out);
    }
    deviation[7] = 1;
    mean[2] = (double)NAN;
    assert_fails(lstmae_dataset_normalized(&out, base, 0, mean, deviation), ERR_INVALID_ARG);
    assert_text("channel 2: expected a finite mean, got ");
    assert_fails(lstmae_dataset_normalized(&out, base, 2, mean, deviation), ERR_INVALID_ARG);
    assert_text("axis -1 or an axis of 2, got 2");
    assert_fails(lstmae_dataset_normalized(&out, base, -2, mean, deviation), ERR_INVALID_ARG);
    assert_ok(lstmae_dataset_range(&empty, base, 0, 0));
    assert_fails(lstmae_dataset_moments(empty, 0, mean, deviation), ERR_INVALID_ARG);
    assert_text("got no items");
    lstmae_dataset_destroy(empty);
    lstmae_dataset_destroy(base);
}

/* One call of each kind with memory that ends at allocation `at`. */
static lstmae_status derive_all(lstmae_dataset *base, lstmae_dataset *labels)
{
    lstmae_dataset *made[5] = { NULL };
    double mean[1], deviation[1];
    lstmae_status status = lstmae_dataset_split(&made[0], &made[1], base, 3, 1);
    if (status < 0 && (made[0] || made[1])) return LSTMAE_ERR_INTERNAL;
    if (status == LSTMAE_OK) status = lstmae_dataset_reshape(&made[2], base, 0, NULL);
    if (status == LSTMAE_OK) status = lstmae_dataset_with_labels(&made[3], base, labels);
    if (status == LSTMAE_OK) status = lstmae_dataset_moments(base, -1, mean, deviation);
    if (status == LSTMAE_OK) status = lstmae_dataset_normalized(&made[4], base, -1, mean, deviation);
    for (int i = 0; i < 5; i++) lstmae_dataset_destroy(made[i]);
    return status;
}

static void allocations_fail(void **state)
{
    (void)state;
    test_heap heap = { 0 };
    lstmae_context *watched;
    assert_ok(test_heap_context(&watched, &heap));
    lstmae_dataset *base = numbers(watched, 10);
    long before = heap.live, uses = 0;
    for (long at = 0; at <= uses; at++) {
        heap.fault = (test_fault){ at, 0, 0 };
        lstmae_status status = derive_all(base, base);
        if (at == 0) uses = heap.fault.uses;
        assert_int_equal(status, at == 0 ? LSTMAE_OK : LSTMAE_ERR_NO_MEMORY);
        assert_int_equal(heap.live, before);
    }
    assert_int_equal(uses, 8);
    heap.fault = (test_fault){ 0, 0, 0 };
    lstmae_dataset_destroy(base);
    lstmae_context_destroy(watched);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_deals_every_item_once),
        cmocka_unit_test(split_follows_its_seed),
        cmocka_unit_test(split_misused),
        cmocka_unit_test(reshape_keeps_items),
        cmocka_unit_test(labels_go_along),
        cmocka_unit_test(bad_labels),
        cmocka_unit_test(moments_and_back),
        cmocka_unit_test(half_and_half_is_exact),
        cmocka_unit_test(normalized_misused),
        cmocka_unit_test(allocations_fail),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
