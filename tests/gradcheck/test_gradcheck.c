/* Every gradient of the library against central differences in float64, over many small configurations. */
#include "check.h"

static void test_gradcheck_totals(void **state)
{
    (void)state;
    print_message("%d configurations, largest error %.2e\n", check_all.configurations, check_all.worst);
    assert_true(check_all.configurations >= 60);
    assert_int_equal(check_all.failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradcheck_lstm),    cmocka_unit_test(test_gradcheck_layers),
        cmocka_unit_test(test_gradcheck_conv),    cmocka_unit_test(test_gradcheck_norm),
        cmocka_unit_test(test_gradcheck_losses),  cmocka_unit_test(test_gradcheck_seq2seq),
        cmocka_unit_test(test_gradcheck_autoencoder), cmocka_unit_test(test_gradcheck_totals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
