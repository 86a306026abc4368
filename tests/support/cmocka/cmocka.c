#include "cmocka.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { RUN_ENDED, RUN_FAILED, RUN_SKIPPED };

static jmp_buf run_exit;

void print_message(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    fflush(stdout);
}

void print_error(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
}

void _fail(const char *file, int line)
{
    print_error("%s:%d: error: Failure!\n", file, line);
    longjmp(run_exit, RUN_FAILED);
}

void test_skip(void)
{
    longjmp(run_exit, RUN_SKIPPED);
}

void test_expect(int holds, const char *what, const char *file, int line)
{
    if (holds) return;
    print_error("%s\n", what);
    _fail(file, line);
}

void test_expect_equal(uint64_t a, uint64_t b, int equal, const char *what, const char *file, int line)
{
    if ((a == b) == equal) return;
    print_error("%s: %lld, %lld\n", what, (long long)a, (long long)b);
    _fail(file, line);
}

void test_expect_range(uint64_t value, uint64_t least, uint64_t most, const char *what, const char *file, int line)
{
    if (value >= least && value <= most) return;
    print_error("%s: %llu is not within %llu..%llu\n", what, (unsigned long long)value, (unsigned long long)least,
                (unsigned long long)most);
    _fail(file, line);
}

void test_expect_text(const char *a, const char *b, int equal, const char *what, const char *file, int line)
{
    if (a && b && (strcmp(a, b) == 0) == equal) return;
    print_error("%s: \"%s\", \"%s\"\n", what, a ? a : "(null)", b ? b : "(null)");
    _fail(file, line);
}

void test_expect_bytes(const void *a, const void *b, size_t size, int equal, const char *what, const char *file,
                       int line)
{
    const unsigned char *left = a, *right = b;
    size_t at = 0;
    while (at < size && left[at] == right[at]) at++;
    if ((at == size) == equal) return;
    if (equal) print_error("%s differ from byte %zu of %zu on\n", what, at, size);
    else print_error("%s are the same %zu bytes\n", what, size);
    _fail(file, line);
}

static int run_fixture(CMFixtureFunction fixture, void **state)
{
    if (!fixture) return RUN_ENDED;
    int end = setjmp(run_exit);
    if (end == RUN_ENDED) return fixture(state) == 0 ? RUN_ENDED : RUN_FAILED;
    return end;
}

static int run_body(const struct CMUnitTest *test, void **state)
{
    int end = setjmp(run_exit);
    if (end == RUN_ENDED) test->test_func(state);
    return end;
}

static int run_test(const struct CMUnitTest *test, void *of_group)
{
    void *state = test->initial_state ? test->initial_state : of_group;
    int end = run_fixture(test->setup_func, &state);
    if (end == RUN_ENDED) end = run_body(test, &state);
    int after = run_fixture(test->teardown_func, &state);
    return end != RUN_FAILED && after == RUN_FAILED ? RUN_FAILED : end;
}

int test_run_group(const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup, CMFixtureFunction teardown)
{
    static const char *const ends[] = { "       OK ", "  FAILED  ", "  SKIPPED " };
    void *state = NULL;
    int failed = 0;
    print_message("[==========] Running %zu test(s).\n", count);
    if (run_fixture(setup, &state) != RUN_ENDED) {
        print_error("[  FAILED  ] GROUP SETUP\n");
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        print_message("[ RUN      ] %s\n", tests[i].name);
        int end = run_test(&tests[i], state);
        print_message("[%s] %s\n", ends[end], tests[i].name);
        failed += end == RUN_FAILED;
    }
    if (run_fixture(teardown, &state) != RUN_ENDED) {
        print_error("[  FAILED  ] GROUP TEARDOWN\n");
        return -1;
    }
    print_message("[==========] %zu test(s) run, %d failed.\n", count, failed);
    return failed;
}
