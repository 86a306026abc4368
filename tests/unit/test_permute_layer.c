/* The layer that puts axes in another order: every element's place, both ways, and no allocation when repeated. */
#include "support.h"

#include <stdlib.h>

#define A 2
#define B 3
#define C 5

static const int64_t dims[3] = { A, B, C };

static const lstmae_tensor *moved(lstmae_module *layer, const lstmae_tensor *x)
{
    const lstmae_tensor *y = NULL;
    assert_ok(lstmae_module_forward(layer, x, &y));
    return y;
}

/* Element i of the input, counted row by row, has the value i. */
static lstmae_tensor *counted(lstmae_context *context)
{
    float values[A * B * C];
    lstmae_tensor *x = NULL;
    for (int i = 0; i < A * B * C; i++) values[i] = (float)i;
    assert_ok(lstmae_tensor_create(&x, context, LSTMAE_F32, 3, dims));
    assert_ok(lstmae_tensor_write(x, values, sizeof values));
    return x;
}

static void check_order(lstmae_context *context, const int *axes)
{
    const int64_t step[3] = { B * C, C, 1 };
    lstmae_module *layer = NULL;
    lstmae_tensor *x = counted(context);
    const lstmae_tensor *dx = NULL;
    float values[A * B * C];
    assert_ok(lstmae_permute_create(&layer, context, 3, axes));
    const lstmae_tensor *y = moved(layer, x);
    assert_ok(lstmae_tensor_read(y, values, sizeof values));
    int at = 0;
    for (int64_t i = 0; i < dims[axes[0]]; i++)
        for (int64_t j = 0; j < dims[axes[1]]; j++)
            for (int64_t k = 0; k < dims[axes[2]]; k++)
                assert_true(values[at++] == (float)(i * step[axes[0]] + j * step[axes[1]] + k * step[axes[2]]));
    assert_ok(lstmae_module_backward(layer, y, &dx)); /* the way back */
    assert_ok(lstmae_tensor_read(dx, values, sizeof values));
    for (int i = 0; i < A * B * C; i++) assert_true(values[i] == (float)i);
    lstmae_tensor_destroy(x);
    lstmae_module_destroy(layer);
}

static void test_permute_layer_orders(void **state)
{
    const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    for (int i = 0; i < 6; i++) check_order(context, orders[i]);
    lstmae_context_destroy(context);
}

static void test_permute_layer_repeats(void **state)
{
    const int axes[3] = { 0, 2, 1 };
    lstmae_memory_info before = LSTMAE_MEMORY_INFO_INIT, after = LSTMAE_MEMORY_INFO_INIT;
    lstmae_module *layer = NULL;
    (void)state;
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_tensor *x = counted(context);
    assert_ok(lstmae_permute_create(&layer, context, 3, axes));
    assert_ok(lstmae_module_backward(layer, moved(layer, x), NULL));
    assert_ok(lstmae_module_backward(layer, moved(layer, x), &(const lstmae_tensor *){ NULL }));
    assert_ok(lstmae_context_memory(context, &before));
    for (int i = 0; i < 3; i++)
        assert_ok(lstmae_module_backward(layer, moved(layer, x), &(const lstmae_tensor *){ NULL }));
    assert_ok(lstmae_context_memory(context, &after));
    assert_int_equal(before.allocations, after.allocations);
    lstmae_tensor_destroy(x);
    lstmae_module_destroy(layer);
    lstmae_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_permute_layer_orders),
                                        cmocka_unit_test(test_permute_layer_repeats) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
