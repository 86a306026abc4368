/* The stand-in finds what it should: each of these tests but the first two fails, and what follows still runs. */
#include "cmocka.h"

#include <string.h>

static int teardowns;

static int count_teardown(void **state)
{
    (void)state;
    teardowns++;
    return 0;
}

static int leave_state(void **state)
{
    static int seven = 7;
    *state = &seven;
    return 0;
}

static void test_holds(void **state)
{
    assert_int_equal(*(int *)*state, 7);
    assert_int_equal(-1, -1);
    assert_int_not_equal(1, 2);
    assert_true(1);
    assert_false(0);
    assert_null(NULL);
    assert_non_null("");
    assert_ptr_equal(state, state);
    assert_in_range(3, 3, 4);
    assert_string_equal("a", "a");
    assert_string_not_equal("a", "b");
    assert_memory_equal("ab", "ac", 1);
    assert_memory_not_equal("ab", "ac", 2);
}

static void test_skips(void **state)
{
    (void)state;
    skip();
}

#define FAILING(name, assertion)                                                                   \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        assertion;                                                                                 \
    }
FAILING(fails, fail())
FAILING(fails_msg, fail_msg("%d", 1))
FAILING(fails_equal, assert_int_equal(-1, 1))
FAILING(fails_unequal, assert_int_not_equal(1, 1))
FAILING(fails_true, assert_true(0))
FAILING(fails_false, assert_false(1))
FAILING(fails_null, assert_null(""))
FAILING(fails_non_null, assert_non_null(NULL))
FAILING(fails_ptr, assert_ptr_equal("", NULL))
FAILING(fails_range, assert_in_range(5, 3, 4))
FAILING(fails_text, assert_string_equal("a", "b"))
FAILING(fails_texts, assert_string_not_equal("a", "a"))
FAILING(fails_bytes, assert_memory_equal("ab", "ac", 2))
FAILING(fails_same, assert_memory_not_equal("ab", "ac", 1))

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holds),       cmocka_unit_test(test_skips),
        cmocka_unit_test(fails_msg),        cmocka_unit_test(fails_equal),
        cmocka_unit_test(fails_unequal),    cmocka_unit_test(fails_true),
        cmocka_unit_test(fails_false),      cmocka_unit_test(fails_null),
        cmocka_unit_test(fails_non_null),   cmocka_unit_test(fails_ptr),
        cmocka_unit_test(fails_range),      cmocka_unit_test(fails_text),
        cmocka_unit_test(fails_texts),      cmocka_unit_test(fails_bytes),
        cmocka_unit_test(fails_same),       cmocka_unit_test_teardown(fails, count_teardown),
    };
    const int failing = (int)(sizeof(tests) / sizeof(tests[0])) - 2;
    return cmocka_run_group_tests(tests, leave_state, count_teardown) == failing && teardowns == 2 ? 0 : 1;
}
