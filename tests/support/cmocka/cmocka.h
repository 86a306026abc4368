/*
 * The part of cmocka's interface that these tests use, for machines without cmocka. Assertions leave the test by
 * longjmp(), as there; setup and teardown, groups and skipping behave alike. Nothing is mocked.
 */
#ifndef LAE_TEST_CMOCKA_H
#define LAE_TEST_CMOCKA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*CMUnitTestFunction)(void **state);
typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
    const char *name;
    CMUnitTestFunction test_func;
    CMFixtureFunction setup_func, teardown_func;
    void *initial_state; /* NULL: what the group's setup left */
};

#define cmocka_unit_test(f) { #f, f, NULL, NULL, NULL }
#define cmocka_unit_test_teardown(f, teardown) { #f, f, NULL, teardown, NULL }
#define cmocka_unit_test_setup_teardown(f, setup, teardown) { #f, f, setup, teardown, NULL }

/** Runs all; the number of those that failed, or -1 where the group's own setup did. */
#define cmocka_run_group_tests(tests, setup, teardown)                                             \
    test_run_group((tests), sizeof(tests) / sizeof((tests)[0]), (setup), (teardown))
#define cmocka_run_group_tests_name(name, tests, setup, teardown) cmocka_run_group_tests(tests, setup, teardown)
int test_run_group(const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup, CMFixtureFunction teardown);

void print_message(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How a test ends before its end. */
__attribute__((noreturn)) void _fail(const char *file, int line);
__attribute__((noreturn)) void test_skip(void);

#define fail() _fail(__FILE__, __LINE__)
#define skip() test_skip()
#define fail_msg(...)                                                                              \
    do {                                                                                           \
        print_error("ERROR: " __VA_ARGS__);                                                        \
        print_error("\n");                                                                         \
        fail();                                                                                    \
    } while (0)

void test_expect(int holds, const char *what, const char *file, int line);
void test_expect_equal(uint64_t a, uint64_t b, int equal, const char *what, const char *file, int line);
void test_expect_range(uint64_t value, uint64_t least, uint64_t most, const char *what, const char *file, int line);
void test_expect_text(const char *a, const char *b, int equal, const char *what, const char *file, int line);
void test_expect_bytes(const void *a, const void *b, size_t size, int equal, const char *what, const char *file,
                       int line);

#define TEST_BITS(x) ((uint64_t)(x))
#define assert_true(c) test_expect((c) ? 1 : 0, #c, __FILE__, __LINE__)
#define assert_false(c) test_expect((c) ? 0 : 1, "!(" #c ")", __FILE__, __LINE__)
#define assert_non_null(p) test_expect((p) != NULL, #p " != NULL", __FILE__, __LINE__)
#define assert_null(p) test_expect((p) == NULL, #p " == NULL", __FILE__, __LINE__)
#define assert_ptr_equal(a, b) test_expect((a) == (b), #a " == " #b, __FILE__, __LINE__)
#define assert_int_equal(a, b)                                                                     \
    test_expect_equal(TEST_BITS(a), TEST_BITS(b), 1, #a " == " #b, __FILE__, __LINE__)
#define assert_int_not_equal(a, b)                                                                 \
    test_expect_equal(TEST_BITS(a), TEST_BITS(b), 0, #a " != " #b, __FILE__, __LINE__)
#define assert_in_range(x, least, most)                                                            \
    test_expect_range(TEST_BITS(x), TEST_BITS(least), TEST_BITS(most), #x, __FILE__, __LINE__)
#define assert_string_equal(a, b) test_expect_text((a), (b), 1, #a " == " #b, __FILE__, __LINE__)
#define assert_string_not_equal(a, b) test_expect_text((a), (b), 0, #a " != " #b, __FILE__, __LINE__)
#define assert_memory_equal(a, b, size)                                                            \
    test_expect_bytes((a), (b), (size), 1, #a " and " #b, __FILE__, __LINE__)
#define assert_memory_not_equal(a, b, size)                                                        \
    test_expect_bytes((a), (b), (size), 0, #a " and " #b, __FILE__, __LINE__)

#ifdef __cplusplus
}
#endif

#endif
