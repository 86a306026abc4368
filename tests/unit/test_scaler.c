/* Scaling against scikit-learn, and windows. */
#include "faults.h"

#include "../golden/timeseries.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 120, COLUMNS = 4, FITTED = 80 };

static lstmae_context *context;
static lstmae_table *table;

static int scaler_setup(void **state)
{
    (void)state;
    context = test_context("cpu:ref", LSTMAE_F32);
    assert_ok(lstmae_table_from_memory(&table, context, ts_table, ROWS, COLUMNS, NULL, 0));
    return 0;
}

static int scaler_teardown(void **state)
{
    (void)state;
    lstmae_table_destroy(table);
    lstmae_context_destroy(context);
    return 0;
}

static void near(const char *what, double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance * (1.0 + fabs(want)))) fail_msg("%s: got %.17g, wanted %.17g", what, got, want);
}

static lstmae_scaler *new_scaler(int32_t kind, double low, double high)
{
    lstmae_scaler_options options = LSTMAE_SCALER_OPTIONS_INIT;
    lstmae_scaler *scaler = NULL;
    options.kind = kind;
    options.low = low;
    options.high = high;
    assert_ok(lstmae_scaler_create(&scaler, context, COLUMNS, &options));
    return scaler;
}

/* The fitted rows, as one part or as three that are not in order. */
static const lstmae_rows *fitted(int pieces)
{
    static lstmae_rows part[3];
    part[0] = (lstmae_rows){ table, pieces == 1 ? 0 : 30, pieces == 1 ? FITTED : 50 };
    part[1] = (lstmae_rows){ table, 10, 20 };
    part[2] = (lstmae_rows){ table, 0, 10 };
    return part;
}

static void check_numbers(const lstmae_scaler *scaler, const double *want)
{
    for (int64_t i = 0; i < COLUMNS; i++) {
        near("center", lstmae_scaler_center(scaler, i), want[i], 1e-12);
        near("spread", lstmae_scaler_spread(scaler, i), want[COLUMNS + i], 1e-12);
    }
}

/* Rounded once from double: half a last place of float. */
static void check_scaled(const lstmae_scaler *scaler, const double *want, int columns)
{
    float out[4 * COLUMNS], back[4 * COLUMNS];
    assert_ok(lstmae_scaler_transform(scaler, ts_table + 100 * COLUMNS, 4, out));
    for (int row = 0; row < 4; row++)
        for (int i = 0; i < columns; i++)
            near("scaled", (double)out[row * COLUMNS + i], want[row * columns + i], 6.1e-8);
    assert_ok(lstmae_scaler_inverse(scaler, out, 4, back));
    for (int i = 0; i < 4 * COLUMNS; i++) {
        double spread = lstmae_scaler_spread(scaler, i % COLUMNS), scaled = fabs((double)out[i]);
        assert_true(fabs((double)back[i] - (double)ts_table[100 * COLUMNS + i]) <=
                    6.1e-8 * (fabs((double)back[i]) + spread * scaled));
    }
}

static void scaler_standard_equals_sklearn(void **state)
{
    lstmae_scaler *scaler = new_scaler(LSTMAE_SCALING_STANDARD, 0, 1);
    (void)state;
    for (int pieces = 1; pieces <= 3; pieces += 2) {
        assert_ok(lstmae_scaler_fit(scaler, fitted(pieces), pieces));
        check_numbers(scaler, ts_standard);
        check_scaled(scaler, ts_standard_scaled, COLUMNS);
    }
    for (int row = FITTED; row < ROWS; row += 8)
        assert_ok(lstmae_scaler_update(scaler, ts_table + row * COLUMNS, 8));
    check_numbers(scaler, ts_standard_updated);
    lstmae_scaler_destroy(scaler);
}

static void scaler_minmax_equals_sklearn(void **state)
{
    lstmae_scaler *scaler = new_scaler(LSTMAE_SCALING_MINMAX, -1, 1), *streamed = new_scaler(1, -1, 1);
    float out[COLUMNS];
    (void)state;
    assert_ok(lstmae_scaler_fit(scaler, fitted(3), 3));
    float all[4 * COLUMNS];
    assert_ok(lstmae_scaler_transform(scaler, ts_table + 100 * COLUMNS, 4, all));
    for (int i = 0; i < 12; i++)
        near("scaled", (double)all[i / 3 * COLUMNS + i % 3], ts_minmax_scaled[i], 6.1e-8);
    assert_ok(lstmae_scaler_transform(scaler, ts_table, 1, out));
    assert_true(out[3] == -1.0f); /* constant: low */
    assert_ok(lstmae_scaler_update(streamed, ts_table, FITTED));
    for (int i = 0; i < COLUMNS; i++) {
        assert_true(lstmae_scaler_center(streamed, i) == lstmae_scaler_center(scaler, i));
        assert_true(lstmae_scaler_spread(streamed, i) == lstmae_scaler_spread(scaler, i));
    }
    lstmae_scaler_destroy(scaler);
    lstmae_scaler_destroy(streamed);
}

static void scaler_robust_equals_sklearn(void **state)
{
    lstmae_scaler *scaler = new_scaler(LSTMAE_SCALING_ROBUST, 0, 1);
    (void)state;
    assert_ok(lstmae_scaler_fit(scaler, fitted(3), 3));
    check_numbers(scaler, ts_robust);
    check_scaled(scaler, ts_robust_scaled, COLUMNS);
    assert_fails(lstmae_scaler_update(scaler, ts_table, 1), ERR_UNSUPPORTED);
    check_numbers(scaler, ts_robust);
    lstmae_scaler_destroy(scaler);
}

static void scaler_changes_nothing_before_it_is_fitted(void **state)
{
    lstmae_scaler *scaler = new_scaler(LSTMAE_SCALING_STANDARD, 0, 1);
    float out[COLUMNS];
    (void)state;
    assert_ok(lstmae_scaler_transform(scaler, ts_table, 1, out));
    assert_memory_equal(out, ts_table, sizeof out);
    lstmae_scaler_destroy(scaler);
}

/* A constant column of a value whose sum is rounded. */
static void scaler_constant_columns_become_zero(void **state)
{
    float values[3000];
    lstmae_table *constant = NULL;
    lstmae_scaler *scaler = NULL;
    (void)state;
    for (int i = 0; i < 3000; i++) values[i] = i % 3 == 0 ? 0.1f : i % 3 == 1 ? -1e30f : 0.0f;
    assert_ok(lstmae_table_from_memory(&constant, context, values, 1000, 3, NULL, 0));
    for (int32_t kind = 0; kind < 3; kind++) {
        lstmae_scaler_options options = LSTMAE_SCALER_OPTIONS_INIT;
        const lstmae_rows all = { constant, 0, 1000 };
        float out[3];
        options.kind = kind;
        assert_ok(lstmae_scaler_create(&scaler, context, 3, &options));
        assert_ok(lstmae_scaler_fit(scaler, &all, 1));
        assert_ok(lstmae_scaler_transform(scaler, values, 1, out));
        for (int i = 0; i < 3; i++) assert_true(out[i] == 0.0f);
        if (kind != LSTMAE_SCALING_ROBUST) assert_ok(lstmae_scaler_update(scaler, values, 1));
        for (int i = 0; i < 3; i++) assert_true(lstmae_scaler_spread(scaler, i) == 1.0);
        lstmae_scaler_destroy(scaler);
    }
    lstmae_table_destroy(constant);
}

/* With a memory of n rows, the weight of what was before a change fades as (1 - 1/n)^t. */
static void scaler_forgets_with_memory(void **state)
{
    lstmae_scaler_options options = LSTMAE_SCALER_OPTIONS_INIT;
    lstmae_scaler *scaler = NULL;
    (void)state;
    options.memory = 50;
    assert_ok(lstmae_scaler_create(&scaler, context, 1, &options));
    const float zero = 0.0f, one = 1.0f, nan = NAN;
    for (int i = 0; i < 200; i++) assert_ok(lstmae_scaler_update(scaler, &zero, 1));
    for (int i = 0; i < 100; i++) assert_ok(lstmae_scaler_update(scaler, &one, 1));
    near("mean", lstmae_scaler_center(scaler, 0), 1.0 - pow(0.98, 100), 1e-12);
    near("variance", pow(lstmae_scaler_spread(scaler, 0), 2), pow(0.98, 100) * (1 - pow(0.98, 100)), 1e-12);
    double before = lstmae_scaler_center(scaler, 0);
    assert_fails(lstmae_scaler_update(scaler, &nan, 1), ERR_NUMERIC);
    assert_true(lstmae_scaler_center(scaler, 0) == before);
    lstmae_scaler_destroy(scaler);
}

static void scaler_state_moves_to_another(void **state)
{
    (void)state;
    for (int32_t kind = 0; kind < 3; kind++) {
        lstmae_scaler *scaler = new_scaler(kind, -2, 3), *other = new_scaler(kind, 0, 1);
        lstmae_scaler *wrong = new_scaler(!kind, 0, 1);
        double numbers[64], broken[64];
        int64_t count = lstmae_scaler_state_count(scaler);
        assert_true(count > 0 && count < 64);
        assert_ok(lstmae_scaler_fit(scaler, fitted(1), 1));
        assert_ok(lstmae_scaler_get_state(scaler, numbers, count));
        assert_fails(lstmae_scaler_get_state(scaler, numbers, count - 1), ERR_SHAPE);
        assert_fails(lstmae_scaler_set_state(other, numbers, count + 1), ERR_SHAPE);
        assert_fails(lstmae_scaler_set_state(wrong, numbers, count), ERR_STATE);
        for (int64_t i = 1; i < count; i++) {
            memcpy(broken, numbers, sizeof broken);
            broken[i] = i == 1 ? COLUMNS + 1 : NAN;
            assert_fails(lstmae_scaler_set_state(other, broken, count), ERR_FORMAT);
        }
        assert_true(lstmae_scaler_center(other, 0) == 0.0);
        assert_ok(lstmae_scaler_set_state(other, numbers, count));
        if (kind != LSTMAE_SCALING_ROBUST) {
            assert_ok(lstmae_scaler_update(scaler, ts_table + 100 * COLUMNS, 5));
            assert_ok(lstmae_scaler_update(other, ts_table + 100 * COLUMNS, 5));
        }
        assert_ok(lstmae_scaler_get_state(scaler, numbers, count));
        assert_ok(lstmae_scaler_get_state(other, broken, count));
        assert_memory_equal(numbers, broken, (size_t)count * sizeof(double));
        lstmae_scaler_destroy(scaler);
        lstmae_scaler_destroy(other);
        lstmae_scaler_destroy(wrong);
    }
}

/* ---- windows ---- */

static void windows_stay_inside_their_parts(void **state)
{
    const lstmae_rows parts[] = { { table, 0, 10 }, { table, 30, 3 }, { table, 50, 0 },
                                  { table, 90, 7 }, { table, 5, 4 } };
    lstmae_windows_options options = LSTMAE_WINDOWS_OPTIONS_INIT;
    lstmae_dataset *windows = NULL;
    float item[4 * COLUMNS];
    (void)state;
    options.length = 4;
    options.stride = 3;
    assert_ok(lstmae_dataset_windows(&windows, parts, 5, &options));
    static const int64_t want[][2] = { { 0, 0 }, { 0, 3 }, { 0, 6 }, { 3, 90 }, { 3, 93 }, { 4, 5 } };
    assert_int_equal(lstmae_dataset_count(windows), 6);
    assert_int_equal(lstmae_dataset_dim(windows, 0), 4);
    assert_int_equal(lstmae_dataset_dim(windows, 1), COLUMNS);
    for (int64_t i = 0; i < 6; i++) {
        int64_t part = -1, row = -1;
        assert_ok(lstmae_windows_place(windows, i, &part, &row));
        assert_int_equal(part, want[i][0]);
        assert_int_equal(row, want[i][1]);
        assert_ok(lstmae_dataset_read(windows, i, item, 4 * COLUMNS));
        assert_memory_equal(item, ts_table + row * COLUMNS, sizeof item);
    }
    int64_t part, row;
    assert_fails(lstmae_windows_place(windows, 6, &part, &row), ERR_INVALID_ARG);
    lstmae_dataset_destroy(windows);
    options.length = 11;
    assert_fails(lstmae_dataset_windows(&windows, parts, 5, &options), ERR_SHAPE);
    assert_null(windows);
}

/* Scaled as the scaler was; the table and the scaler may go. */
static void windows_are_scaled(void **state)
{
    lstmae_table *own = NULL;
    lstmae_scaler *scaler = new_scaler(LSTMAE_SCALING_STANDARD, 0, 1);
    lstmae_windows_options options = LSTMAE_WINDOWS_OPTIONS_INIT;
    lstmae_dataset *windows = NULL;
    float item[4 * COLUMNS], want[4 * COLUMNS];
    (void)state;
    assert_ok(lstmae_scaler_fit(scaler, fitted(1), 1));
    assert_ok(lstmae_scaler_transform(scaler, ts_table + 100 * COLUMNS, 4, want));
    assert_ok(lstmae_table_from_memory(&own, context, ts_table, ROWS, COLUMNS, NULL, 0));
    const lstmae_rows all = { own, 0, ROWS };
    options.length = 4;
    options.scaler = scaler;
    assert_ok(lstmae_dataset_windows(&windows, &all, 1, &options));
    lstmae_table_destroy(own);
    assert_ok(lstmae_scaler_update(scaler, ts_table, 1));
    lstmae_scaler_destroy(scaler);
    assert_ok(lstmae_dataset_read(windows, 100, item, 4 * COLUMNS));
    assert_memory_equal(item, want, sizeof item);
    lstmae_dataset_destroy(windows);
}

static void windows_of_different_tables_must_agree(void **state)
{
    lstmae_table *narrow = NULL;
    lstmae_dataset *windows = NULL;
    lstmae_scaler *scaler = NULL;
    lstmae_windows_options options = LSTMAE_WINDOWS_OPTIONS_INIT;
    (void)state;
    assert_ok(lstmae_table_from_memory(&narrow, context, ts_table, ROWS, 2, NULL, 0));
    const lstmae_rows mixed[] = { { table, 0, ROWS }, { narrow, 0, ROWS } };
    const lstmae_rows beyond = { table, 100, 21 }, negative = { table, -1, 20 }, huge = { table, 1, INT64_MAX };
    assert_fails(lstmae_dataset_windows(&windows, mixed, 2, NULL), ERR_SHAPE);
    assert_fails(lstmae_dataset_windows(&windows, &beyond, 1, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_windows(&windows, &negative, 1, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_windows(&windows, &huge, 1, NULL), ERR_INVALID_ARG);
    assert_ok(lstmae_scaler_create(&scaler, context, 2, NULL));
    assert_fails(lstmae_scaler_fit(scaler, mixed, 2), ERR_SHAPE);
    options.scaler = scaler;
    assert_fails(lstmae_dataset_windows(&windows, mixed, 1, &options), ERR_SHAPE);
    assert_null(windows);
    lstmae_scaler_destroy(scaler);
    lstmae_table_destroy(narrow);
}

/* Through the loader, time first: what a model is trained on, with the last rows as the future. */
static void windows_go_through_the_loader(void **state)
{
    const lstmae_rows parts[] = { { table, 0, 50 }, { table, 60, 60 } };
    lstmae_windows_options options = LSTMAE_WINDOWS_OPTIONS_INIT;
    lstmae_loader_options batches = LSTMAE_LOADER_OPTIONS_INIT;
    lstmae_batch batch = LSTMAE_BATCH_INIT;
    lstmae_dataset *windows = NULL;
    lstmae_loader *loader = NULL;
    float x[6 * 8 * COLUMNS], target[2 * 8 * COLUMNS];
    (void)state;
    options.length = 8;
    batches.batch = 8;
    batches.flags = LSTMAE_LOADER_TIME_MAJOR;
    batches.input_steps = 6;
    assert_ok(lstmae_dataset_windows(&windows, parts, 2, &options));
    assert_int_equal(lstmae_dataset_count(windows), 43 + 53);
    assert_ok(lstmae_loader_create(&loader, context, windows, &batches));
    for (int64_t n = 0; lstmae_loader_next(loader, &batch) == 1; n++) {
        assert_ok(lstmae_tensor_read(batch.x, x, sizeof x));
        assert_ok(lstmae_tensor_read(batch.target, target, sizeof target));
        for (int64_t b = 0; b < 8; b++) {
            int64_t part, row;
            assert_ok(lstmae_windows_place(windows, 8 * n + b, &part, &row));
            for (int64_t t = 0; t < 8; t++) {
                const float *got = t < 6 ? x + (t * 8 + b) * COLUMNS : target + ((t - 6) * 8 + b) * COLUMNS;
                assert_memory_equal(got, ts_table + (row + t) * COLUMNS, COLUMNS * sizeof(float));
            }
        }
    }
    lstmae_loader_destroy(loader);
    lstmae_dataset_destroy(windows);
}

/* ---- memory ---- */

static lstmae_status life(test_heap *heap, int32_t kind)
{
    lstmae_scaler_options options = LSTMAE_SCALER_OPTIONS_INIT;
    lstmae_windows_options window = LSTMAE_WINDOWS_OPTIONS_INIT;
    lstmae_context *with = NULL;
    lstmae_table *own = NULL;
    lstmae_scaler *scaler = NULL;
    lstmae_dataset *windows = NULL;
    float item[10 * COLUMNS];
    options.kind = kind;
    lstmae_status status = test_heap_context(&with, heap);
    if (status == LSTMAE_OK) status = lstmae_table_from_memory(&own, with, ts_table, ROWS, COLUMNS, NULL, 0);
    const lstmae_rows rows = { own, 0, ROWS };
    if (status == LSTMAE_OK) status = lstmae_scaler_create(&scaler, with, COLUMNS, &options);
    if (status == LSTMAE_OK) status = lstmae_scaler_fit(scaler, &rows, 1);
    window.scaler = scaler;
    if (status == LSTMAE_OK) status = lstmae_dataset_windows(&windows, &rows, 1, &window);
    if (status == LSTMAE_OK) {
        long uses = heap->fault.uses;
        assert_ok(lstmae_dataset_read(windows, 7, item, 10 * COLUMNS));
        assert_ok(lstmae_scaler_transform(scaler, item, 10, item));
        if (kind != LSTMAE_SCALING_ROBUST) assert_ok(lstmae_scaler_update(scaler, item, 10));
        assert_int_equal(heap->fault.uses, uses);
    }
    lstmae_context_destroy(with);
    lstmae_table_destroy(own);
    lstmae_scaler_destroy(scaler);
    lstmae_dataset_destroy(windows);
    return status;
}

static void scaler_survives_memory_that_runs_out(void **state)
{
    test_heap heap;
    (void)state;
    for (int32_t kind = 0; kind < 3; kind++) {
        memset(&heap, 0, sizeof heap);
        assert_int_equal(life(&heap, kind), LSTMAE_OK);
        long uses = heap.fault.uses;
        for (long at = 1; at <= uses; at++) {
            memset(&heap, 0, sizeof heap);
            heap.fault.at = at;
            assert_int_equal(life(&heap, kind), LSTMAE_ERR_NO_MEMORY);
            assert_int_equal(heap.live, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scaler_standard_equals_sklearn),
        cmocka_unit_test(scaler_minmax_equals_sklearn),
        cmocka_unit_test(scaler_robust_equals_sklearn),
        cmocka_unit_test(scaler_changes_nothing_before_it_is_fitted),
        cmocka_unit_test(scaler_constant_columns_become_zero),
        cmocka_unit_test(scaler_forgets_with_memory),
        cmocka_unit_test(scaler_state_moves_to_another),
        cmocka_unit_test(windows_stay_inside_their_parts),
        cmocka_unit_test(windows_are_scaled),
        cmocka_unit_test(windows_of_different_tables_must_agree),
        cmocka_unit_test(windows_go_through_the_loader),
        cmocka_unit_test(scaler_survives_memory_that_runs_out),
    };
    return cmocka_run_group_tests(tests, scaler_setup, scaler_teardown);
}
