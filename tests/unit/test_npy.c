/* The .npy parser: what it accepts and what it says about what it refuses. */
#include "badfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAD LSTMAE_ERR_FORMAT
#define GOOD LSTMAE_OK
#define OTHER LSTMAE_ERR_UNSUPPORTED

#define REST(order, shape) ", 'fortran_order': " order ", 'shape': " shape ", }"
#define DESCR(type) "{'descr': " type REST("False", "(2,)")
#define SHAPE(shape) "{'descr': '|u1'" REST("False", shape)

/* The dict of a version 1.0 file, which is padded as NumPy does; `data` bytes of zeros follow. */
static const struct {
    test_badfile expected;
    const char *dict;
    size_t data;
} dicts[] = {
    /* as NumPy writes it, and allowed variations */
    { { "plain", GOOD, -1, NULL }, SHAPE("(2,)"), 2 },
    { { "number", GOOD, -1, NULL }, SHAPE("()"), 1 },
    { { "no trailing comma", GOOD, -1, NULL }, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}", 2 },
    { { "double quotes", GOOD, -1, NULL }, "{\"descr\": \"|u1\", \"fortran_order\": False, \"shape\": (2,)}", 2 },
    { { "no spaces", GOOD, -1, NULL }, "{'descr':'|u1','fortran_order':False,'shape':(2,)}", 2 },
    { { "spaces and newlines", GOOD, -1, NULL },
      " {\t'descr' : '|u1' ,\n'fortran_order' : False , 'shape' : ( 2 , ) , }",
      2 },
    { { "other order of keys", GOOD, -1, NULL }, "{'shape': (2,), 'descr': '|u1', 'fortran_order': True}", 2 },
    { { "Python 2 numbers", GOOD, -1, NULL }, SHAPE("(2L, 3L)"), 6 },
    { { "shape with a last comma", GOOD, -1, NULL }, SHAPE("(2, 3,)"), 6 },
    { { "fortran order", GOOD, -1, NULL }, "{'descr': '|u1'" REST("True", "(2, 3)"), 6 },
    /* element types */
    { { "i1", GOOD, -1, NULL }, DESCR("'|i1'"), 2 },
    { { "<u1", GOOD, -1, NULL }, DESCR("'<u1'"), 2 },
    { { "<i2", GOOD, -1, NULL }, DESCR("'<i2'"), 4 },
    { { ">i2", GOOD, -1, NULL }, DESCR("'>i2'"), 4 },
    { { "<u2", GOOD, -1, NULL }, DESCR("'<u2'"), 4 },
    { { ">u4", GOOD, -1, NULL }, DESCR("'>u4'"), 8 },
    { { "<i4", GOOD, -1, NULL }, DESCR("'<i4'"), 8 },
    { { ">i8", GOOD, -1, NULL }, DESCR("'>i8'"), 16 },
    { { "<u8", GOOD, -1, NULL }, DESCR("'<u8'"), 16 },
    { { "<f4", GOOD, -1, NULL }, DESCR("'<f4'"), 8 },
    { { ">f8", GOOD, -1, NULL }, DESCR("'>f8'"), 16 },
    { { "object", OTHER, 20, "Python objects" }, DESCR("'|O'"), 2 },
    { { "object of 8 bytes", OTHER, 20, "Python objects" }, DESCR("'|O8'"), 2 },
    { { "structure", OTHER, 20, "a structure" }, DESCR("[('a', '<f4')]"), 8 },
    { { "half", OTHER, 20, "got '<f2'" }, DESCR("'<f2'"), 4 },
    { { "complex", OTHER, 20, "got '<c8'" }, DESCR("'<c8'"), 16 },
    { { "bool", OTHER, 20, "got '|b1'" }, DESCR("'|b1'"), 2 },
    { { "text", OTHER, 20, "got '<U5'" }, DESCR("'<U5'"), 40 },
    { { "date", OTHER, 20, "got '<M8[ns]'" }, DESCR("'<M8[ns]'"), 16 },
    { { "i3", OTHER, 20, "got '<i3'" }, DESCR("'<i3'"), 6 },
    { { "no byte order", OTHER, 20, "got 'f4'" }, DESCR("'f4'"), 8 },
    { { "order not given for 4 bytes", OTHER, 20, "got '|f4'" }, DESCR("'|f4'"), 8 },
    { { "native order", OTHER, 20, "got '=f4'" }, DESCR("'=f4'"), 8 },
    { { "empty type", OTHER, 20, "got ''" }, DESCR("''"), 8 },
    { { "type that is a number", BAD, 20, "an element type, got '4'" }, DESCR("4"), 8 },
    { { "type that is None", BAD, 20, "an element type, got 'N'" }, DESCR("None"), 8 },
    { { "type with a control byte", BAD, 22, "printable ASCII" }, DESCR("'<\x01'"), 8 },
    { { "type with an escape", BAD, 22, "printable ASCII" }, DESCR("'<\\x66'"), 8 },
    { { "type with high bytes", BAD, 22, "got '?' (c3)" }, DESCR("'<\xc3\xa4'"), 8 },
    { { "type that mixes quotes", BAD, -1, "closing quote" }, "{'descr': '|u1\"}", 2 },
    /* fortran_order */
    { { "order 0", BAD, 44, "True or False, got '0'" }, "{'descr': '|u1'" REST("0", "(2,)"), 2 },
    { { "order false", BAD, 44, "True or False, got 'f'" }, "{'descr': '|u1'" REST("false", "(2,)"), 2 },
    { { "order Falsey", BAD, 49, "a comma or }, got 'y'" }, "{'descr': '|u1'" REST("Falsey", "(2,)"), 2 },
    /* shape */
    { { "no tuple", BAD, 60, "a shape in parentheses, got '2'" }, SHAPE("2"), 2 },
    { { "list", BAD, 60, "got '['" }, SHAPE("[2]"), 2 },
    { { "one number in parentheses", BAD, 62, "a comma, as in (5,)" }, SHAPE("(2)"), 2 },
    { { "negative", BAD, 61, "0 or more, got '-'" }, SHAPE("(-1,)"), 2 },
    { { "plus", BAD, 61, "got '+'" }, SHAPE("(+2,)"), 2 },
    { { "fraction", BAD, 62, "a comma or ), got '.'" }, SHAPE("(2.0,)"), 2 },
    { { "hex", BAD, 62, "got 'x'" }, SHAPE("(0x2,)"), 2 },
    { { "leading zero", BAD, 61, "leading zeros" }, SHAPE("(02,)"), 2 },
    { { "zero", GOOD, -1, NULL }, SHAPE("(0,)"), 0 },
    { { "two commas", BAD, 63, "got ','" }, SHAPE("(2,,)"), 2 },
    { { "comma alone", BAD, 61, "got ','" }, SHAPE("(,)"), 2 },
    { { "no comma between", BAD, 63, "a comma or )" }, SHAPE("(2 3)"), 6 },
    { { "tuple not closed", BAD, -1, "0 or more, got '}'" },
      "{'descr': '|u1', 'fortran_order': False, 'shape': (2,}",
      2 },
    { { "8 axes", GOOD, -1, NULL }, SHAPE("(1, 1, 1, 1, 1, 1, 1, 2)"), 2 },
    { { "9 axes", BAD, 85, "at most 8 axes" }, SHAPE("(1, 1, 1, 1, 1, 1, 1, 1, 2)"), 2 },
    { { "axis of 2^31", GOOD, -1, NULL }, SHAPE("(2147483648, 0)"), 0 },
    { { "axis of 2^31+1", BAD, 61, "at most 2147483648" }, SHAPE("(2147483649, 0)"), 0 },
    { { "axis of 2^64", BAD, 61, "at most 2147483648" }, SHAPE("(18446744073709551616, 0)"), 0 },
    { { "axis of 100 digits", BAD, 61, "at most 2147483648" },
      SHAPE("(9999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999,)"),
      0 },
    { { "2^62 bytes", BAD, 128, "the end at byte 4611686018427388032, got it early" },
      SHAPE("(2147483648, 2147483648)"),
      0 },
    { { "2^63 bytes", BAD, 10, "fits in memory" }, SHAPE("(2147483648, 2147483648, 2)"), 0 },
    { { "2^93 bytes but for an empty axis", BAD, 10, "fits in memory" },
      SHAPE("(0, 2147483648, 2147483648, 2147483648)"),
      0 },
    { { "1.12 GiB claimed", BAD, 136, "got it early" }, SHAPE("(150000000, 8)"), 8 },
    /* keys */
    { { "no dict", BAD, 10, "expected {" }, "('descr', '|u1')", 2 },
    { { "empty", BAD, -1, "expected {, got its end" }, "", 2 },
    { { "empty dict", BAD, 11, "descr, fortran_order and shape" }, "{}", 2 },
    { { "descr missing", BAD, 48, "descr, fortran_order and shape" }, "{'fortran_order': False, 'shape': (2,)}", 2 },
    { { "order missing", BAD, -1, "descr, fortran_order and shape" }, "{'descr': '|u1', 'shape': (2,)}", 2 },
    { { "shape missing", BAD, -1, "descr, fortran_order and shape" }, "{'descr': '|u1', 'fortran_order': False}", 2 },
    { { "descr twice", BAD, 27, "once" }, "{'descr': '|u1', 'descr': '|u1'" REST("False", "(2,)"), 2 },
    { { "another key", BAD, 11, "once" }, "{'other': 1, 'descr': '|u1'" REST("False", "(2,)"), 2 },
    { { "longer key", BAD, 11, "once" }, "{'descrs': '|u1'" REST("False", "(2,)"), 2 },
    { { "shorter key", BAD, 11, "once" }, "{'desc': '|u1'" REST("False", "(2,)"), 2 },
    { { "key without quotes", BAD, 11, "a key, got 'd'" }, "{descr: '|u1'" REST("False", "(2,)"), 2 },
    { { "no colon", BAD, 19, "a colon" }, "{'descr' '|u1'" REST("False", "(2,)"), 2 },
    { { "no comma", BAD, 26, "a comma or }" }, "{'descr': '|u1' 'fortran_order': False, 'shape': (2,)}", 2 },
    { { "two commas", BAD, 26, "a key, got ','" }, "{'descr': '|u1',, 'fortran_order': False, 'shape': (2,)}", 2 },
    { { "comma first", BAD, 11, "a key, got ','" }, "{, 'descr': '|u1'" REST("False", "(2,)"), 2 },
    { { "not closed", BAD, -1, "got its end" }, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,)", 2 },
    { { "something behind", BAD, 68, "spaces to the end, got 'x'" }, SHAPE("(2,)") " x", 2 },
    { { "a second dict", BAD, 67, "spaces to the end, got '{'" }, SHAPE("(2,)") "{}", 2 },
    /* length of the data */
    { { "no data", BAD, 128, "the end at byte 130, got it early" }, SHAPE("(2,)"), 0 },
    { { "one byte short", BAD, 135, "the end at byte 136" }, DESCR("'<f4'"), 7 },
    { { "one byte more", BAD, 136, "got more bytes" }, DESCR("'<f4'"), 9 },
    { { "data behind an empty array", BAD, 128, "got more bytes" }, SHAPE("(0, 5)"), 1 },
};

/* The dict padded by spaces so that the data starts at a multiple of 64 bytes (from 128 on), and the last newline. */
static size_t npy_file(unsigned char *out, const char *dict, size_t data)
{
    size_t length = strlen(dict), total = (10 + length + 1 + 63) / 64 * 64;
    if (total < 128) total = 128;
    memset(out, 0, total + data);
    memcpy(out, "\x93NUMPY\x01\x00", 8);
    out[8] = (unsigned char)(total - 10);
    out[9] = (unsigned char)((total - 10) >> 8);
    memset(out + 10, ' ', total - 10);
    memcpy(out + 10, dict, length);
    out[total - 1] = '\n';
    return total + data;
}

static void table_of_headers(void **state)
{
    (void)state;
    int bad = 0, refused = 0;
    for (size_t i = 0; i < sizeof dicts / sizeof dicts[0]; i++) {
        unsigned char bytes[512];
        size_t length = npy_file(bytes, dicts[i].dict, dicts[i].data);
        bad += test_badfile_check(&dicts[i].expected, bytes, length);
        refused += dicts[i].expected.status < 0;
    }
    assert_int_equal(bad, 0);
    assert_true(refused >= 30);
}

/* What comes before the dict: each case changes bytes of a good file. */
static void table_of_preambles(void **state)
{
    (void)state;
    static const struct {
        test_badfile expected;
        size_t at;
        int value; /* -1: the file is cut here */
    } changes[] = {
        { { "as it is", GOOD, -1, NULL }, 0, 0x93 },
        { { "magic 1", BAD, 1, "expected 4e, got 6e" }, 1, 'n' },
        { { "magic 5", BAD, 5, "expected 59, got 5a" }, 5, 'Z' },
        { { "version 0.0", OTHER, 6, "got 0.0" }, 6, 0 },
        { { "version 4.0", OTHER, 6, "got 4.0" }, 6, 4 },
        { { "version 1.1", OTHER, 6, "got 1.1" }, 7, 1 },
        { { "version 2.0, whose length is here spaces", BAD, 8, "at most 10000 bytes" }, 6, 2 },
        { { "header longer than the file", BAD, 130, "a header of 374 bytes, got 120" }, 9, 1 },
        { { "header too long to read", BAD, 8, "at most 10000 bytes, got 10102" }, 9, 39 },
        { { "header one byte shorter", BAD, 126, "a newline at the end, got ' '" }, 8, 117 },
        { { "header one byte longer", BAD, 128, "spaces to the end, got '?' (00)" }, 8, 119 },
        { { "no newline", BAD, 127, "a newline at the end, got ' '" }, 127, ' ' },
        { { "tab for newline", BAD, 127, "a newline at the end" }, 127, '\t' },
        { { "NUL in the padding", BAD, 100, "spaces to the end" }, 100, 0 },
        { { "cut to 1", BAD, 1, "at least 10 bytes, got 1" }, 1, -1 },
        { { "cut to 9", BAD, 9, "at least 10 bytes, got 9" }, 9, -1 },
        { { "cut to 10", BAD, 10, "a header of 118 bytes, got 0" }, 10, -1 },
        { { "cut to 127", BAD, 127, "a header of 118 bytes, got 117" }, 127, -1 },
        { { "cut to 129", BAD, 129, "the end at byte 130" }, 129, -1 },
    };
    int bad = 0;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        unsigned char bytes[512];
        test_badfile expected = changes[i].expected;
        size_t length = npy_file(bytes, SHAPE("(2,)"), 2);
        if (changes[i].value < 0)
            length = changes[i].at;
        else
            bytes[changes[i].at] = (unsigned char)changes[i].value;
        bad += test_badfile_check(&expected, bytes, length);
    }
    assert_int_equal(bad, 0);
}

/* A file of `version` whose header has `header` bytes. */
static size_t long_header_file(unsigned char **out, int version, size_t header)
{
    size_t start = version == 1 ? 10 : 12;
    unsigned char *bytes = malloc(start + header + 2);
    assert_non_null(bytes);
    memcpy(bytes, "\x93NUMPY", 6);
    bytes[6] = (unsigned char)version;
    bytes[7] = 0;
    for (size_t i = 8; i < start; i++) bytes[i] = (unsigned char)(header >> 8 * (i - 8));
    memset(bytes + start, ' ', header);
    memcpy(bytes + start, SHAPE("(2,)"), strlen(SHAPE("(2,)")));
    bytes[start + header - 1] = '\n';
    bytes[start + header] = 1;
    bytes[start + header + 1] = 2;
    *out = bytes;
    return start + header + 2;
}

/* All versions, on both sides of the limit of 10,000 bytes. */
static void header_lengths(void **state)
{
    (void)state;
    const struct {
        test_badfile expected;
        int version;
        size_t header;
    } sizes[] = {
        { { "version 1", GOOD, -1, NULL }, 1, 118 },
        { { "version 2", GOOD, -1, NULL }, 2, 116 },
        { { "version 3", GOOD, -1, NULL }, 3, 116 },
        { { "version 1, 10000 bytes", GOOD, -1, NULL }, 1, 10000 },
        { { "version 2, 10000 bytes", GOOD, -1, NULL }, 2, 10000 },
        { { "version 3, 10000 bytes", GOOD, -1, NULL }, 3, 10000 },
        { { "version 1, 10001 bytes", BAD, 8, "at most 10000 bytes, got 10001" }, 1, 10001 },
        { { "version 2, 10001 bytes", BAD, 8, "at most 10000 bytes, got 10001" }, 2, 10001 },
        { { "version 3, 10001 bytes", BAD, 8, "at most 10000 bytes, got 10001" }, 3, 10001 },
        { { "version 1, 65535 bytes", BAD, 8, "got 65535" }, 1, 65535 },
        { { "version 2, 65536 bytes", BAD, 8, "got 65536" }, 2, 65536 },
    };
    int bad = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char *bytes;
        size_t length = long_header_file(&bytes, sizes[i].version, sizes[i].header);
        bad += test_badfile_check(&sizes[i].expected, bytes, length);
        free(bytes);
    }
    unsigned char huge[12] = "\x93NUMPY\x02\x00\xff\xff\xff\xff";
    const test_badfile expected[] = { { "version 2, 4 GiB", BAD, 8, "got 4294967295" },
                                      { "version 2, length cut", BAD, 11, "at least 12 bytes, got 11" } };
    bad += test_badfile_check(&expected[0], huge, 12);
    bad += test_badfile_check(&expected[1], huge, 11);
    assert_int_equal(bad, 0);
}

static void header_is_understood(void **state)
{
    (void)state;
    unsigned char bytes[512];
    lae_array array;
    size_t length = npy_file(bytes, "{'descr': '>i2'" REST("True", "(20, 3, 2)"), 240);
    assert_ok(test_parse(&array, bytes, length));
    assert_int_equal(array.element, LAE_I16);
    assert_true(array.big && array.fortran);
    assert_int_equal(array.ndim, 3);
    assert_int_equal(array.dim[0], 20);
    assert_int_equal(array.dim[1], 3);
    assert_int_equal(array.dim[2], 2);
    assert_int_equal(array.offset, 128);
    assert_int_equal(array.bytes, 240);
}

/* Both orders and every item axis of a [2,3,2,2] array whose elements hold 0, 1, 2, ... as they lie in memory. */
static void items_along_every_axis(void **state)
{
    (void)state;
    static const int dims[4] = { 2, 3, 2, 2 }, steps[2][4] = { { 12, 4, 2, 1 }, { 1, 2, 6, 12 } };
    for (int fortran = 0; fortran < 2; fortran++) {
        const char *dict = fortran ? "{'descr': '|u1'" REST("True", "(2, 3, 2, 2)") : SHAPE("(2, 3, 2, 2)");
        for (int axis = 0; axis < 4; axis++) {
            unsigned char bytes[512];
            lae_array array;
            lae_items items;
            float got[12];
            size_t length = npy_file(bytes, dict, 24);
            for (unsigned char i = 0; i < 24; i++) bytes[128 + i] = i;
            assert_ok(test_parse(&array, bytes, length));
            lae_items_layout(&items, &array, bytes + array.offset, axis, 1.0);
            for (int n = 0; n < dims[axis]; n++) {
                int at[4], k = 0;
                lae_items_read(&items, n, got);
                for (int i = 0; i < 24; i++) { /* all elements, row-major, that belong to item n */
                    for (int d = 3, rest = i; d >= 0; rest /= dims[d--]) at[d] = rest % dims[d];
                    if (at[axis] != n) continue;
                    int want = 0;
                    for (int d = 0; d < 4; d++) want += at[d] * steps[fortran][d];
                    assert_true(got[k++] == (float)want);
                }
                assert_int_equal(k, 24 / dims[axis]);
            }
        }
    }
}

/* Every element type, in both byte orders. */
static void elements_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *type, *little; /* the value's bytes, least significant first */
        size_t size;
        double value;
    } types[] = {
        { "u1", "\xfe", 1, 254 },
        { "i1", "\xfe", 1, -2 },
        { "u2", "\xfe\xff", 2, 65534 },
        { "i2", "\xfe\xff", 2, -2 },
        { "u4", "\x00\x00\x00\xff", 4, 4278190080.0 },
        { "i4", "\xfe\xff\xff\xff", 4, -2 },
        { "u8", "\x00\x00\x00\x00\x00\x00\x00\x80", 8, 9223372036854775808.0 },
        { "i8", "\x00\x00\x00\x00\x00\x00\x00\x80", 8, -9223372036854775808.0 },
        { "f4", "\x00\x00\xc0\x3f", 4, 1.5 },
        { "f8", "\x00\x00\x00\x00\x00\x00\x04\xc0", 8, -2.5 },
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        for (int big = 0; big < 2; big++) {
            char dict[128];
            unsigned char bytes[512];
            lae_array array;
            lae_items items;
            float got;
            snprintf(dict, sizeof dict, "{'descr': '%c%s'" REST("False", "(1,)"), big ? '>' : '<', types[i].type);
            size_t size = types[i].size, length = npy_file(bytes, dict, size);
            for (size_t k = 0; k < size; k++) bytes[128 + k] = (unsigned char)types[i].little[big ? size - 1 - k : k];
            assert_ok(test_parse(&array, bytes, length));
            lae_items_layout(&items, &array, bytes + 128, 0, 0.5);
            lae_items_read(&items, 0, &got);
            assert_true(got == (float)(0.5 * types[i].value));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_of_headers),       cmocka_unit_test(table_of_preambles),
        cmocka_unit_test(header_lengths),         cmocka_unit_test(header_is_understood),
        cmocka_unit_test(items_along_every_axis), cmocka_unit_test(elements_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
