/* The caller's arrays in a checkpoint: what belongs to a model beside its weights. */
#include "faults.h"

#include "../golden/timeseries.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static lstmae_context *context;
static lstmae_module *module;
static char path[256];

static int arrays_setup(void **state)
{
    (void)state;
    context = test_context("cpu:ref", LSTMAE_F32);
    assert_ok(lstmae_linear_create(&module, context, 3, 2, 0));
    snprintf(path, sizeof path, "%s", test_path("arrays.safetensors"));
    return 0;
}

static int arrays_teardown(void **state)
{
    (void)state;
    lstmae_module_destroy(module);
    lstmae_context_destroy(context);
    return 0;
}

static lstmae_checkpoint content_of(const lstmae_checkpoint_array *arrays, int64_t count)
{
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    content.module = module;
    content.arrays = arrays;
    content.array_count = count;
    return content;
}

static void arrays_come_back_to_the_bit(void **state)
{
    double values[5] = { 1.0 / 3.0, -0.0, INFINITY, NAN, 1e-320 }, other[2] = { 7, 8 }, got[5] = { 0 }, more[2] = { 0 };
    const lstmae_checkpoint_array out[] = { { "scaler", values, 5 }, { "b", other, 2 } };
    const lstmae_checkpoint_array in[] = { { "b", more, 2 }, { "scaler", got, 5 } };
    lstmae_checkpoint content = content_of(out, 2);
    (void)state;
    assert_ok(lstmae_checkpoint_save(path, &content));
    content = content_of(in, 2);
    assert_ok(lstmae_checkpoint_load(path, &content));
    assert_memory_equal(got, values, sizeof got);
    assert_memory_equal(more, other, sizeof more);
    content = content_of(NULL, 0);
    assert_ok(lstmae_checkpoint_load(path, &content)); /* passed over */
}

static void arrays_that_do_not_fit_change_nothing(void **state)
{
    double values[3] = { 1, 2, 3 }, got[4] = { 9, 9, 9, 9 };
    const lstmae_checkpoint_array out = { "a", values, 3 };
    const lstmae_checkpoint_array longer = { "a", got, 4 }, absent = { "c", got, 3 };
    float before[6], after[6];
    lstmae_checkpoint content = content_of(&out, 1);
    (void)state;
    assert_ok(lstmae_checkpoint_save(path, &content));
    assert_ok(lstmae_tensor_fill(lstmae_module_param(module, 0), 0.25));
    assert_ok(lstmae_tensor_read(lstmae_module_param(module, 0), before, sizeof before));
    content = content_of(&longer, 1);
    assert_fails(lstmae_checkpoint_load(path, &content), ERR_SHAPE);
    content = content_of(&absent, 1);
    assert_fails(lstmae_checkpoint_load(path, &content), ERR_NOT_FOUND);
    assert_non_null(strstr(lstmae_last_error(), "it has no tensor 'array.c'"));
    assert_ok(lstmae_tensor_read(lstmae_module_param(module, 0), after, sizeof after));
    assert_memory_equal(before, after, sizeof after);
    content.flags = LSTMAE_CHECKPOINT_PARTIAL;
    assert_ok(lstmae_checkpoint_load(path, &content));
    for (int i = 0; i < 4; i++) assert_true(got[i] == 9);
}

static void arrays_must_be_named_and_filled(void **state)
{
    double value = 1;
    char name[400];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    const lstmae_checkpoint_array broken[] = { { NULL, &value, 1 }, { "a", NULL, 1 }, { "a", &value, 0 },
                                               { "a", &value, INT64_MAX }, { name, &value, 1 }, { "\xff", &value, 1 } };
    const lstmae_checkpoint_array twice[] = { { "a", &value, 1 }, { "a", &value, 1 } };
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        lstmae_checkpoint content = content_of(&broken[i], 1);
        assert_fails(lstmae_checkpoint_save(path, &content), ERR_INVALID_ARG);
    }
    lstmae_checkpoint content = content_of(twice, 2);
    assert_fails(lstmae_checkpoint_save(path, &content), ERR_INVALID_ARG);
    content = content_of(NULL, 1);
    assert_fails(lstmae_checkpoint_save(path, &content), ERR_INVALID_ARG);
    content = content_of(twice, -1);
    assert_fails(lstmae_checkpoint_save(path, &content), ERR_INVALID_ARG);
}

/* What the arrays are for: scaler and threshold travel with the model. */
static void arrays_carry_scaler_and_threshold(void **state)
{
    lstmae_table *table = NULL;
    lstmae_scaler *scaler = NULL, *other = NULL;
    lstmae_threshold_options spot = LSTMAE_THRESHOLD_SPOT_INIT;
    lstmae_threshold *threshold = NULL, *alarm = NULL;
    double a[64], b[64];
    (void)state;
    spot.quantile = 0.9;
    spot.window = 40;
    assert_ok(lstmae_table_from_memory(&table, context, ts_table, 120, 4, NULL, 0));
    const lstmae_rows rows = { table, 0, 80 };
    assert_ok(lstmae_scaler_create(&scaler, context, 4, NULL));
    assert_ok(lstmae_scaler_fit(scaler, &rows, 1));
    assert_ok(lstmae_threshold_create(&threshold, context, &spot));
    assert_ok(lstmae_threshold_fit(threshold, ts_scores, 400));
    const lstmae_checkpoint_array arrays[] = { { "scaler", a, lstmae_scaler_state_count(scaler) },
                                               { "threshold", b, lstmae_threshold_state_count(threshold) } };
    assert_ok(lstmae_scaler_get_state(scaler, a, arrays[0].count));
    assert_ok(lstmae_threshold_get_state(threshold, b, arrays[1].count));
    lstmae_checkpoint content = content_of(arrays, 2);
    assert_ok(lstmae_checkpoint_save(path, &content));
    memset(a, 0, sizeof a);
    memset(b, 0, sizeof b);
    assert_ok(lstmae_checkpoint_load(path, &content));
    assert_ok(lstmae_scaler_create(&other, context, 4, NULL));
    assert_ok(lstmae_threshold_create(&alarm, context, &spot));
    assert_ok(lstmae_scaler_set_state(other, a, arrays[0].count));
    assert_ok(lstmae_threshold_set_state(alarm, b, arrays[1].count));
    for (int64_t i = 0; i < 4; i++) assert_true(lstmae_scaler_center(other, i) == lstmae_scaler_center(scaler, i));
    assert_true(lstmae_threshold_value(alarm) == lstmae_threshold_value(threshold));
    lstmae_threshold_destroy(threshold);
    lstmae_threshold_destroy(alarm);
    lstmae_scaler_destroy(scaler);
    lstmae_scaler_destroy(other);
    lstmae_table_destroy(table);
}

static lstmae_status life(test_heap *heap)
{
    double values[3] = { 1, 2, 3 };
    const lstmae_checkpoint_array arrays[] = { { "a", values, 3 }, { "b", values, 2 } };
    lstmae_context *with = NULL;
    lstmae_module *linear = NULL;
    lstmae_status status = test_heap_context(&with, heap);
    if (status == LSTMAE_OK) status = lstmae_linear_create(&linear, with, 3, 2, 0);
    lstmae_checkpoint content = content_of(arrays, 2);
    content.module = linear;
    if (status == LSTMAE_OK) status = lstmae_checkpoint_save(path, &content);
    if (status == LSTMAE_OK) status = lstmae_checkpoint_load(path, &content);
    lstmae_context_destroy(with);
    lstmae_module_destroy(linear);
    return status;
}

static void arrays_survive_memory_that_runs_out(void **state)
{
    test_heap heap;
    (void)state;
    memset(&heap, 0, sizeof heap);
    assert_int_equal(life(&heap), LSTMAE_OK);
    long uses = heap.fault.uses;
    for (long at = 1; at <= uses; at++) {
        memset(&heap, 0, sizeof heap);
        heap.fault.at = at;
        lstmae_status status = life(&heap);
        if (status != LSTMAE_ERR_NO_MEMORY && status != LSTMAE_ERR_DEVICE_MEMORY)
            fail_msg("allocation %ld of %ld: %s", at, uses, lstmae_status_name(status));
        assert_int_equal(heap.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_come_back_to_the_bit),
        cmocka_unit_test(arrays_that_do_not_fit_change_nothing),
        cmocka_unit_test(arrays_must_be_named_and_filled),
        cmocka_unit_test(arrays_carry_scaler_and_threshold),
        cmocka_unit_test(arrays_survive_memory_that_runs_out),
    };
    return cmocka_run_group_tests(tests, arrays_setup, arrays_teardown);
}
