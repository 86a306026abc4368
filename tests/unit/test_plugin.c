/* Where plugins are looked for, and what is said of those that cannot be used. */
#include "faults.h"
#include "plugin.h"
#include "registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Loads from the folder of plugin_cases.c. */
static lstmae_status load(const char *name, const lstmae_backend_api **api)
{
    *api = NULL;
    setenv("LSTMAE_BACKEND_PATH", PLUGIN_CASES, 1);
    return lae_plugin_load(name, lae_registry_host(), api);
}

/* Fails unless it is refused with that status, and with exactly that text. */
static void assert_refused(const char *name, lstmae_status status, const char *format, ...)
{
    char text[512];
    const lstmae_backend_api *api;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert_int_equal(load(name, &api), status);
    assert_null(api);
    assert_string_equal(lstmae_last_error(), text);
}

static void test_a_plugin_is_found(void **state)
{
    const lstmae_backend_api *api, *again;
    (void)state;
    assert_ok(load("good", &api));
    assert_string_equal(api->name, "case");
    assert_ok(load("good", &again)); /* the same one */
    assert_ptr_equal(again, api);
}

static void test_those_that_cannot_be_used(void **state)
{
    (void)state;
    assert_refused("no_entry", LSTMAE_ERR_ABI,
                   "device no_entry: " PLUGIN_CASES "/liblstmae-no_entry.so exports no lstmae_backend_entry");
    assert_refused("declines", LSTMAE_ERR_UNSUPPORTED,
                   "device declines: " PLUGIN_CASES "/liblstmae-declines.so declines table version %d",
                   LSTMAE_BACKEND_ABI);
    assert_refused("declines_with_reason", LSTMAE_ERR_UNSUPPORTED, "device declines_with_reason: no such device");
    assert_refused("other_abi", LSTMAE_ERR_ABI,
                   "device other_abi: " PLUGIN_CASES "/liblstmae-other_abi.so has table version %d of %zu bytes, this "
                   "library wants %d of %zu", LSTMAE_BACKEND_ABI + 1, sizeof(lstmae_backend_api), LSTMAE_BACKEND_ABI,
                   sizeof(lstmae_backend_api));
    assert_refused("short_table", LSTMAE_ERR_ABI,
                   "device short_table: " PLUGIN_CASES "/liblstmae-short_table.so has table version %d of 64 bytes, "
                   "this library wants %d of %zu", LSTMAE_BACKEND_ABI, LSTMAE_BACKEND_ABI, sizeof(lstmae_backend_api));
}

/* As cuBLAS may be: the dynamic linker's text names it. */
static void test_a_library_is_missing(void **state)
{
    const lstmae_backend_api *api;
    (void)state;
    assert_fails(load("needs_library", &api), ERR_UNSUPPORTED);
    assert_non_null(strstr(lstmae_last_error(), "device needs_library: "));
    assert_non_null(strstr(lstmae_last_error(), "lae_absent"));
}

/* A file that is there counts, even where it is no plugin; folders without one are passed over. */
static void test_the_search(void **state)
{
    const lstmae_backend_api *api = NULL;
    const char *path = test_file("liblstmae-good.so", "no library", 10);
    char folder[512];
    (void)state;
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    assert_int_equal(setenv("LSTMAE_BACKEND_PATH", folder, 1), 0);
    assert_fails(lae_plugin_load("good", lae_registry_host(), &api), ERR_UNSUPPORTED);
    assert_non_null(strstr(lstmae_last_error(), folder));
    assert_int_equal(remove(path), 0);
    assert_fails(lae_plugin_load("good", lae_registry_host(), &api), ERR_UNSUPPORTED);
    assert_non_null(strstr(lstmae_last_error(), "device good: no plugin liblstmae-good.so in LSTMAE_BACKEND_PATH, "
                                                "lstmae/ beside the library, or /"));
    unsetenv("LSTMAE_BACKEND_PATH");
    assert_fails(lae_plugin_load("good", lae_registry_host(), &api), ERR_UNSUPPORTED);
    setenv("LSTMAE_BACKEND_PATH", "", 1); /* as if it were not set: never the current folder */
    assert_fails(lae_plugin_load("good", lae_registry_host(), &api), ERR_UNSUPPORTED);
    assert_non_null(strstr(lstmae_last_error(), "no plugin"));
}

static void test_paths(void **state)
{
    const lstmae_backend_api *api = NULL;
    char path[2048];
    (void)state;
    setenv("LSTMAE_BACKEND_PATH", "plugins", 1);
    assert_fails(lae_plugin_load("good", lae_registry_host(), &api), ERR_UNSUPPORTED);
    assert_string_equal(lstmae_last_error(),
                        "device good: LSTMAE_BACKEND_PATH: expected an absolute path, got \"plugins\"");
    memset(path, 'x', sizeof path - 1);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    setenv("LSTMAE_BACKEND_PATH", path, 1);
    assert_fails(lae_plugin_load("good", lae_registry_host(), &api), ERR_UNSUPPORTED);
    assert_string_equal(lstmae_last_error(), "device good: the plugin's path is longer than 1024 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_plugin_is_found),     cmocka_unit_test(test_those_that_cannot_be_used),
        cmocka_unit_test(test_a_library_is_missing),  cmocka_unit_test(test_the_search),
        cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests_name("plugin", tests, NULL, NULL);
}
