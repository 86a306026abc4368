/* The IDX parser: what it accepts and what it says about what it refuses. */
#include "badfile.h"

#include <stdio.h>
#include <string.h>

#define BAD LSTMAE_ERR_FORMAT
#define GOOD LSTMAE_OK

/* `bytes` are the start, given as hex digits; `length` the file's, filled up by zeros. */
static const struct {
    test_badfile expected;
    const char *bytes;
    size_t length;
} cases[] = {
    /* the header's length */
    { { "empty file", BAD, 0, "empty" }, "", 0 },
    { { "one byte", BAD, 1, "header of 4 bytes" }, "00", 1 },
    { { "three bytes", BAD, 3, "header of 4 bytes" }, "000008", 3 },
    { { "no sizes", BAD, 4, "header of 8 bytes, got 4" }, "00000801", 4 },
    { { "half a size", BAD, 7, "header of 8 bytes, got 7" }, "00000801000000", 7 },
    { { "second size missing", BAD, 8, "header of 12 bytes, got 8" }, "0000080200000001", 8 },
    { { "header alone, empty data", GOOD, -1, NULL }, "0000080100000000", 8 },
    /* magic */
    { { "first byte", BAD, 0, "expected 00 (IDX), 93 (.npy) or 1f (gzip), got 01" }, "0100080100000000", 8 },
    { { "second byte", BAD, 1, "expected 00, got 01" }, "0001080100000000", 8 },
    { { "PNG", BAD, 0, "got 89" }, "89504e470d0a1a0a", 8 },
    /* element types: each known one with two elements, and the codes beside them */
    { { "type 07", BAD, 2, "got 07" }, "0000070100000002", 10 },
    { { "type 08", GOOD, -1, NULL }, "0000080100000002", 10 },
    { { "type 09", GOOD, -1, NULL }, "0000090100000002", 10 },
    { { "type 0a", BAD, 2, "got 0a" }, "00000a0100000002", 10 },
    { { "type 0b", GOOD, -1, NULL }, "00000b0100000002", 12 },
    { { "type 0c", GOOD, -1, NULL }, "00000c0100000002", 16 },
    { { "type 0d", GOOD, -1, NULL }, "00000d0100000002", 16 },
    { { "type 0e", GOOD, -1, NULL }, "00000e0100000002", 24 },
    { { "type 0f", BAD, 2, "got 0f" }, "00000f0100000002", 10 },
    { { "type 00", BAD, 2, "got 00" }, "0000000100000002", 10 },
    { { "type ff", BAD, 2, "got ff" }, "0000ff0100000002", 10 },
    /* rank */
    { { "rank 0", BAD, 3, "1 to 4 axes, got 0" }, "00000800", 5 },
    { { "rank 4", GOOD, -1, NULL }, "0000080400000001000000020000000300000004", 20 + 24 },
    { { "rank 5", BAD, 3, "1 to 4 axes, got 5" }, "000008050000000100000001000000010000000100000001", 25 },
    { { "rank 255", BAD, 3, "got 255" }, "000008ff00000001", 8 },
    /* length of the data */
    { { "one byte short", BAD, 17, "the end at byte 18, got it early" }, "00000802000000020000000300", 17 },
    { { "exact", GOOD, -1, NULL }, "00000802000000020000000300", 18 },
    { { "one byte more", BAD, 18, "got more bytes" }, "00000802000000020000000300", 19 },
    { { "16-bit data one byte short", BAD, 11, "the end at byte 12" }, "00000b0100000002", 11 },
    { { "64-bit data one byte short", BAD, 15, "the end at byte 16" }, "00000e0100000001", 15 },
    { { "little-endian size", BAD, 10, "the end at byte 33554440" }, "0000080102000000", 10 },
    { { "MNIST header, no data", BAD, 16, "the end at byte 47040016" }, "000008030000ea600000001c0000001c", 16 },
    { { "4 GiB claimed in 20 bytes", BAD, 20, "got it early" }, "000008030001000000010000000000010000", 20 },
    /* sizes at the limits; an empty axis makes large ones cost nothing */
    { { "axis of 2^31", GOOD, -1, NULL }, "000008028000000000000000", 12 },
    { { "axis of 2^31+1", BAD, 4, "at most 2147483648, got 2147483649" }, "000008028000000100000000", 12 },
    { { "axis of 2^32-1", BAD, 8, "got 4294967295" }, "0000080200000001ffffffff", 12 },
    { { "2^62 bytes", BAD, 12, "got it early" }, "000008028000000080000000", 12 },
    { { "2^63 bytes", BAD, 4, "fits in memory" }, "00000803800000008000000000000002", 16 },
    { { "2^93 bytes", BAD, 4, "fits in memory" }, "00000803800000008000000080000000", 16 },
    { { "2^93 bytes but for an empty axis", BAD, 4, "fits in memory" },
      "0000080480000000800000008000000000000000",
      20 },
    { { "2^62 elements of 8 bytes", BAD, 4, "fits in memory" }, "00000e028000000080000000", 12 },
    { { "2^59 elements of 8 bytes", BAD, 12, "got it early" }, "00000e028000000010000000", 12 },
};

static size_t from_hex(unsigned char *out, const char *hex)
{
    size_t count = strlen(hex) / 2;
    for (size_t i = 0; i < count; i++) {
        unsigned value;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &value), 1);
        out[i] = (unsigned char)value;
    }
    return count;
}

static void table_of_files(void **state)
{
    (void)state;
    int bad = 0, refused = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned char bytes[128] = { 0 };
        assert_true(from_hex(bytes, cases[i].bytes) <= sizeof bytes && cases[i].length <= sizeof bytes);
        bad += test_badfile_check(&cases[i].expected, bytes, cases[i].length);
        refused += cases[i].expected.status < 0;
    }
    assert_int_equal(bad, 0);
    assert_true(refused >= 20);
}

static void header_is_understood(void **state)
{
    (void)state;
    lae_array array;
    unsigned char bytes[64] = { 0 };
    size_t header = from_hex(bytes, "00000b03000000050000000200000001");
    assert_ok(test_parse(&array, bytes, header + 20));
    assert_int_equal(array.element, LAE_I16);
    assert_int_equal(array.ndim, 3);
    assert_int_equal(array.dim[0], 5);
    assert_int_equal(array.dim[1], 2);
    assert_int_equal(array.dim[2], 1);
    assert_int_equal(array.offset, 16);
    assert_int_equal(array.bytes, 20);
    assert_true(array.big && !array.fortran);
}

/* Every element type's extreme values, at either end of what it holds. */
static void elements_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        double first, second;
    } types[] = {
        { "000008020000000200000001"
          "00ff",
          0, 255 },
        { "000009020000000200000001"
          "807f",
          -128, 127 },
        { "00000b020000000200000001"
          "80000102",
          -32768, 258 },
        { "00000c020000000200000001"
          "8000000000010000",
          -2147483648.0, 65536 },
        { "00000d020000000200000001"
          "3f800000c0490fdb",
          1, -3.1415927410125732 },
        { "00000e020000000200000001"
          "3ff8000000000000c000000000000000",
          1.5, -2 },
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        unsigned char bytes[64];
        lae_array array;
        lae_items items;
        float got[2];
        size_t length = from_hex(bytes, types[i].bytes);
        assert_ok(test_parse(&array, bytes, length));
        lae_items_layout(&items, &array, bytes + array.offset, 0, 2.0);
        lae_items_read(&items, 0, &got[0]);
        lae_items_read(&items, 1, &got[1]);
        assert_true(got[0] == (float)(2 * types[i].first) && got[1] == (float)(2 * types[i].second));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_of_files),
        cmocka_unit_test(header_is_understood),
        cmocka_unit_test(elements_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
