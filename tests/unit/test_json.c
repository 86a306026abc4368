/* The JSON scanner: what it takes, what it refuses and at which byte; and the writer. */
#include "support.h"

#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static lae_json json_of(const char *text)
{
    return (lae_json){ text, strlen(text), 0, 1000, "file" };
}

/* The text of the last failure must begin with "file: byte `at`: ", counted from 1000. */
static void assert_byte(size_t at, const char *text)
{
    char want[64];
    snprintf(want, sizeof want, "file: byte %zu: ", 1000 + at);
    if (strncmp(lstmae_last_error(), want, strlen(want)) == 0) return;
    print_error("%s\n  wanted \"%s\", got \"%s\"\n", text, want, lstmae_last_error());
    fail();
}

static void test_strings(void **state)
{
    (void)state;
    static const struct {
        const char *text, *plain;
    } good[] = {
        { "\"\"", "" },
        { " \t\r\n\"abc\"", "abc" },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
        { "\"\\u0041\\u00e9\\u20AC\\u0001\"", "A\xc3\xa9\xe2\x82\xac\x01" },
        { "\"\\uFFEF\\uABCD\\uabcd\\uD83D\\uDE00\"", "\xef\xbf\xaf\xea\xaf\x8d\xea\xaf\x8d\xf0\x9f\x98\x80" },
        { "\"\\ud800\\udc00\\udbff\\udfff\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
        { "\"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"",
          "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf" },
        { "\"\xf0\x90\x80\x80\xf1\x80\x80\x80\xf4\x8f\xbf\xbf\"", "\xf0\x90\x80\x80\xf1\x80\x80\x80\xf4\x8f\xbf\xbf" },
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        lae_json json = json_of(good[i].text);
        lae_json_span span;
        char plain[64];
        assert_ok(lae_json_string(&json, &span));
        assert_int_equal(json.at, strlen(good[i].text));
        size_t size = lae_json_unescape(plain, json.text + span.at, span.size);
        assert_int_equal(size, strlen(good[i].plain));
        assert_memory_equal(plain, good[i].plain, size);
        assert_int_equal(lae_json_is(&json, span, good[i].plain), 1);
        assert_int_equal(lae_json_is(&json, span, "other"), 0);
        assert_int_equal(lae_utf8_valid(plain, size), 1);
    }
}

/* A copy of exactly its size, so that a sanitizer sees any byte read beyond it. */
static lae_json json_exact(const char *text, char **copy)
{
    *copy = malloc(strlen(text) + 1);
    assert_non_null(*copy);
    *copy = realloc(memcpy(*copy, text, strlen(text)), strlen(text) > 0 ? strlen(text) : 1);
    assert_non_null(*copy);
    return (lae_json){ *copy, strlen(text), 0, 1000, "file" };
}

static void test_bad_strings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t at;
    } bad[] = {
        { "", 0 },
        { "abc", 0 },
        { "  'a'", 2 },
        { "\"abc", 4 },
        { "\"a\\\"", 4 },
        /* control characters */
        { "\"a\x1f\"", 2 },
        { "\"a\nb\"", 2 },
        /* escapes */
        { "\"\\x\"", 1 },
        { "\"\\", 1 },
        { "\"\\u12\"", 1 },
        { "\"\\u12g4\"", 1 },
        { "\"\\u\"", 1 },
        { "\"a\\u0000\"", 2 },
        { "\"\\ud800\"", 1 },
        { "\"\\udc00\"", 1 },
        { "\"\\ud800\\n\"", 1 },
        { "\"\\ud800\\ud800\"", 1 },
        { "\"\\ud800\\ue000\"", 1 },
        { "\"\\ud800x\\udc00\"", 1 },
        { "\"\\ud800\\udc0\"", 1 },
        { "\"\\ud800\\udc0", 1 },
        { "\"\\ud800\\", 1 },
        { "\"\\ud800", 1 },
        { "\"\\ud80", 1 },
        { "\"\\uG000\"", 1 },
        { "\"\\u@000\"", 1 },
        { "\"\\u`000\"", 1 },
        { "\"\\u/000\"", 1 },
        { "\"\\u:000\"", 1 },
        /* not UTF-8 */
        { "\"\x80\"", 1 },
        { "\"\xbf\"", 1 },
        { "\"\xc0\x80\"", 1 },
        { "\"\xc1\xbf\"", 1 },
        { "\"\xe0\x9f\xbf\"", 1 },
        { "\"\xed\xa0\x80\"", 1 },
        { "\"\xf0\x8f\xbf\xbf\"", 1 },
        { "\"\xf4\x90\x80\x80\"", 1 },
        { "\"\xf5\x80\x80\x80\"", 1 },
        { "\"\xff\"", 1 },
        { "\"ab\xc3\"", 3 },
        { "\"\xe2\x82\"", 1 },
        { "\"\xf0\x90\x80", 1 },
        { "\"\xe2(\xa1\"", 1 },
        { "\"\xe2\x82(\"", 1 },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char *copy;
        lae_json json = json_exact(bad[i].text, &copy);
        lae_json_span span;
        assert_fails(lae_json_string(&json, &span), ERR_FORMAT);
        assert_byte(bad[i].at, bad[i].text);
        free(copy);
    }
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t most, value;
        int at; /* of the failure, -1: none */
    } cases[] = {
        { "0", 0, 0, -1 },
        { "0", UINT64_MAX, 0, -1 },
        { " 17]", 17, 17, -1 },
        { "1", 0, 0, 0 },
        { "18", 17, 0, 0 },
        { "9", 9, 9, -1 },
        { "5", 4, 0, 0 },
        { "20", 5, 0, 0 },
        { "100", 100, 100, -1 },
        { "101", 100, 0, 0 },
        { "18446744073709551615", UINT64_MAX, UINT64_MAX, -1 },
        { "18446744073709551616", UINT64_MAX, 0, 0 },
        { "99999999999999999999", UINT64_MAX, 0, 0 },
        { "100000000000000000000000", UINT64_MAX, 0, 0 },
        { "9223372036854775808", INT64_MAX, 0, 0 },
        { "", 9, 0, 0 },
        { "-1", 9, 0, 0 },
        { "+1", 9, 0, 0 },
        { "00", 9, 0, 0 },
        { "01", 9, 0, 0 },
        { "1.0", 9, 0, 1 },
        { "1e3", 9, 0, 1 },
        { " 1E3", 9, 0, 2 },
        { "\"1\"", 9, 0, 0 },
        { "x", 9, 0, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lae_json json = json_of(cases[i].text);
        uint64_t value = 99;
        lstmae_status status = lae_json_uint(&json, cases[i].most, &value);
        if (cases[i].at < 0) {
            assert_ok(status);
            assert_true(value == cases[i].value);
        } else {
            assert_fails(status, ERR_FORMAT);
            assert_byte((size_t)cases[i].at, cases[i].text);
        }
    }
}

/* Sum of the whole numbers of an array, or -1. */
static int64_t array_sum(const char *text)
{
    lae_json json = json_of(text);
    uint64_t value, sum = 0;
    lstmae_status more = lae_json_expect(&json, '[');
    if (more < 0) return -1;
    for (int first = 1; (more = lae_json_member(&json, &first, ']')) == 1; sum += value) {
        if (lae_json_uint(&json, 100, &value) < 0) return -1;
    }
    return more < 0 || lae_json_peek(&json) != -1 ? -1 : (int64_t)sum;
}

static void test_members(void **state)
{
    (void)state;
    assert_int_equal(array_sum("[]"), 0);
    assert_int_equal(array_sum(" [ ] "), 0);
    assert_int_equal(array_sum("[1]"), 1);
    assert_int_equal(array_sum("[ 1 ,\n2, 3 ]"), 6);
    static const char *const bad[] = { "", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1,,2]", "{}", "[1}", "[1]x" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_int_equal(array_sum(bad[i]), -1);
}

static void test_hex(void **state)
{
    (void)state;
    uint64_t value;
    assert_int_equal(lae_parse_hex("0123456789abcdefx", 16, &value), 1);
    assert_true(value == 0x0123456789abcdef);
    assert_int_equal(lae_parse_hex("ff", 1, &value), 1);
    assert_int_equal(value, 15);
    assert_int_equal(lae_parse_hex("f", 2, &value), 0);
    assert_int_equal(lae_parse_hex("F", 1, &value), 0);
    assert_int_equal(lae_parse_hex("", 1, &value), 0);
    assert_int_equal(lae_parse_hex("-1", 2, &value), 0);
}

static void test_writer(void **state)
{
    (void)state;
    char buffer[200];
    lae_text measured = { NULL, 0, 0 }, text = { buffer, sizeof buffer, 0 };
    for (lae_text *t = &measured; t; t = t == &measured ? &text : NULL) {
        lae_text_uint(t, 0);
        lae_text_put(t, " ");
        lae_text_uint(t, UINT64_MAX);
        lae_text_put(t, " ");
        lae_text_hex(t, 0xbeef, 6);
        lae_text_json(t, "a\"\\/\n\x01\x7f\xc3\xa9");
    }
    const char *want = "0 18446744073709551615 00beef\"a\\\"\\\\/\\u000a\\u0001\x7f\xc3\xa9\"";
    assert_int_equal(measured.used, strlen(want));
    assert_int_equal(text.used, strlen(want));
    assert_memory_equal(buffer, want, strlen(want));
    lae_text small = { buffer, 3, 0 };
    memset(buffer, 'x', 5);
    lae_text_put(&small, "abcd");
    assert_int_equal(small.used, 4);
    assert_memory_equal(buffer, "abcxx", 5);
}

/* What the writer writes, the scanner reads as the same. */
static void test_round_trip(void **state)
{
    (void)state;
    char text[2000], plain[300], back[300];
    for (int i = 0; i < 255; i++) plain[i] = (char)(i % 127 + 1);
    plain[255] = '\0';
    lae_text out = { text, sizeof text, 0 };
    lae_text_json(&out, plain);
    lae_json json = { text, out.used, 0, 0, "file" };
    lae_json_span span;
    assert_ok(lae_json_string(&json, &span));
    size_t size = lae_json_unescape(back, text + span.at, span.size);
    assert_int_equal(size, 255);
    assert_memory_equal(back, plain, 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),    cmocka_unit_test(test_bad_strings), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_members),    cmocka_unit_test(test_hex),         cmocka_unit_test(test_writer),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
