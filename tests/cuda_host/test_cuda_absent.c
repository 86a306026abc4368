/* The plugin is there and the driver or the device is not: what is said, and what "auto" takes then. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char logged[512];

static void keep_log(lstmae_log_level level, const char *text, void *payload)
{
    (void)level;
    (void)payload;
    snprintf(logged, sizeof logged, "%s", text);
}

static const char *expected_text(void)
{
    const char *driver = getenv("LSTMAE_CUDA_HOST_DRIVER");
    if (!driver) exit(77);
    return strcmp(driver, "none") == 0 ? "device cuda: no CUDA-capable device is detected"
                                       : "device cuda: CUDA driver version is insufficient for CUDA runtime version";
}

static void asking_for_it_is_refused(void **state)
{
    static const char *const names[] = { "cuda", "cuda:0", "cuda:3" };
    lstmae_context *context = NULL;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(lstmae_context_create(&context, names[i], NULL), LSTMAE_ERR_UNSUPPORTED);
        assert_null(context);
        assert_string_equal(lstmae_last_error(), expected_text());
    }
    assert_int_equal(lstmae_device_count(), 2); /* cpu, cpu:ref */
}

static void auto_takes_the_cpu_and_says_why(void **state)
{
    lstmae_context *context = NULL;
    char expected[512];
    (void)state;
    lstmae_set_log(keep_log, LSTMAE_LOG_INFO, NULL);
    assert_ok(lstmae_context_create(&context, "auto", NULL));
    lstmae_set_log(NULL, LSTMAE_LOG_INFO, NULL);
    assert_string_equal(lstmae_context_device(context), "cpu");
    snprintf(expected, sizeof expected, "auto: using cpu (%s)", expected_text());
    assert_string_equal(logged, expected);
    lstmae_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asking_for_it_is_refused),
        cmocka_unit_test(auto_takes_the_cpu_and_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
