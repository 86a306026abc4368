/* The safetensors reader and writer: a table of bad files and of good ones beside them, limits, bounded memory. */
#include "crc32c.h"
#include "faults.h"
#include "safetensors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES 4096

typedef struct header_case {
    const char *header; /* '@' marks the byte that the error must name; it is not part of the header */
    size_t data;        /* bytes after it */
    const char *says;   /* part of the message; NULL: the file is good */
} header_case;

#define F32(shape, begin, end) "{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end "]}"
#define MANY_AXES "1,1,1,1,1,1,1"

static const header_case cases[] = {
    /* grammar */
    { "{}", 0, NULL },
    { "{ }  ", 0, NULL },
    { "{}\n\t\r ", 0, NULL },
    { "@ {}", 0, "expected '{'" },
    { "@[]", 0, "expected '{'" },
    { "@\xef\xbb\xbf{}", 0, "expected '{'" },
    { "{}@{}", 0, "text after" },
    { "{}@,", 0, "text after" },
    { "{  @", 0, "got the end" },
    { "{@a:1}", 0, "expected '\"'" },
    { "{\"a\"@}", 0, "expected ':'" },
    { "{\"a\":@1}", 0, "expected '{'" },
    { "{\"a\":@null}", 0, "expected '{'" },
    { "{\"a\":" F32("[]", 0, 4) ",@}", 4, "expected '\"'" },
    { "{@,\"a\":" F32("[]", 0, 4) "}", 4, "expected '\"'" },
    { "{\"a\":" F32("[]", 0, 4) "@]", 4, "expected ','" },
    { "{\"a\":" F32("[]", 0, 4) " @\"b\":" F32("[]", 4, 8) "}", 8, "expected ','" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]@", 4, "got the end" },
    { "{\"@\xff\":" F32("[]", 0, 4) "}", 4, "UTF-8" },
    { "{\"@\x01\":" F32("[]", 0, 4) "}", 4, "control character" },
    { "{\"a@\\u0000\":" F32("[]", 0, 4) "}", 4, "escape" },
    { "{\"\xc3\xa9 \\u00e9 \\ud83d\\ude00\":" F32("[]", 0, 4) "}", 4, NULL },
    { "{\"\":" F32("[]", 0, 4) "}", 4, NULL },
    /* members of a tensor */
    { "{\"a\":" F32("[]", 0, 4) "}", 4, NULL },
    { "{ \"a\" : { \"shape\" : [ 1 , 1 ] , \"data_offsets\" : [ 0 , 4 ] , \"dtype\" : \"F32\" } } ", 4, NULL },
    { "{\"a\":{\"d\\u0074ype\":\"F\\u0033\\u0032\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, NULL },
    { "{\"a\":{@}}", 0, "has no dtype" },
    { "{\"a\":{\"shape\":[],\"data_offsets\":[0,4]@}}", 4, "has no dtype" },
    { "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]@}}", 4, "has no shape" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[]@}}", 4, "has no data_offsets" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4],\"@extra\":1}}", 4, "unknown key 'extra'" },
    { "{\"a\":{\"dtype\":\"F32\",\"@dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, "second time" },
    { "{\"a\":{\"shape\":[],\"@shape\":[],\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "second time" },
    { "{\"a\":{\"data_offsets\":[0,4],\"@data_offsets\":[0,4],\"shape\":[],\"dtype\":\"F32\"}}", 4, "second time" },
    { "{\"a\":{\"dtype\":\"@F8_E4M3\",\"shape\":[],\"data_offsets\":[0,1]}}", 1, "unknown dtype 'F8_E4M3'" },
    { "{\"a\":{\"dtype\":\"@f32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, "unknown dtype" },
    { "{\"a\":{\"dtype\":@4,\"shape\":[],\"data_offsets\":[0,4]}}", 4, "expected '\"'" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":@{},\"data_offsets\":[0,4]}}", 4, "expected '['" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[@[1]],\"data_offsets\":[0,4]}}", 4, "expected a whole number" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[@-1],\"data_offsets\":[0,4]}}", 4, "expected a whole number" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1@.0],\"data_offsets\":[0,4]}}", 4, "expected a whole number" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[@01],\"data_offsets\":[0,4]}}", 4, "begins with 0" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,@],\"data_offsets\":[0,4]}}", 4, "expected a whole number" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[@]}}", 0, "expected a whole number" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0@]}}", 4, "expected ','" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4@,4]}}", 4, "expected ']'" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4,@0]}}", 4, "end before they begin" },
    /* sizes and limits, both sides of each */
    { "{\"a\":" F32("[1," MANY_AXES "]", 0, 4) "}", 4, NULL },
    { "{\"a\":" F32("[1," MANY_AXES ",@1]", 0, 4) "}", 4, "more than 8 axes" },
    { "{\"a\":" F32("[0,2147483648]", 0, 0) "}", 0, NULL },
    { "{\"a\":" F32("[0,@2147483649]", 0, 0) "}", 0, "over 2147483648" },
    { "{\"@a\":" F32("[2147483648,2147483648,4]", 0, 0) "}", 0, "overflows" },
    { "{\"@a\":{\"dtype\":\"F64\",\"shape\":[2147483648,2147483648],\"data_offsets\":[0,0]}}", 0, "overflows" },
    { "{\"@a\":" F32("[2147483648,1073741824]", 0, 0) "}", 0, "needs 9223372036854775808 bytes" },
    { "{\"a\":" F32("[3]", 0, 12) "}", 12, NULL },
    { "{\"@a\":" F32("[3]", 0, 8) "}", 8, "needs 12 bytes, data_offsets span 8" },
    { "{\"@a\":" F32("[3]", 0, 16) "}", 16, "needs 12 bytes, data_offsets span 16" },
    { "{\"a\":" F32("[3]", 0, @12) "}", 11, "over 11" },
    { "{\"a\":" F32("[0]", 0, 0) "}@", 13, "13 bytes later" },
    { "{\"a\":" F32("[3]", 0, @18446744073709551616) "}", 12, "over 12" },
    { "{}@", 1, "1 bytes later" },
    /* tiling */
    { "{\"a\":" F32("[1]", 0, 4) ",\"b\":" F32("[2]", 4, 12) "}", 12, NULL },
    { "{\"b\":" F32("[2]", 4, 12) ",\"a\":" F32("[1]", 0, 4) "}", 12, NULL },
    { "{\"a\":" F32("[1]", 0, 4) ",\"@b\":" F32("[1]", 8, 12) "}", 12, "leaves a hole" },
    { "{\"@a\":" F32("[1]", 4, 8) "}", 8, "leaves a hole" },
    { "{\"a\":" F32("[2]", 0, 8) ",\"@b\":" F32("[2]", 4, 12) "}", 12, "overlaps" },
    { "{\"a\":" F32("[1]", 0, 4) ",\"@b\":" F32("[1]", 0, 4) "}", 4, "overlaps" },
    { "{\"a\":" F32("[2]", 0, 8) ",\"@b\":" F32("[0]", 4, 4) "}", 8, "overlaps" },
    { "{\"a\":" F32("[0]", 0, 0) ",\"b\":" F32("[2]", 0, 8) ",\"c\":" F32("[0,5]", 8, 8) ",\"d\":" F32("[0]", 8, 8) "}",
      8, NULL },
    /* equal names */
    { "{\"a\":" F32("[1]", 0, 4) ",\"@a\":" F32("[1]", 4, 8) "}", 8, "second time" },
    { "{\"a\":" F32("[1]", 4, 8) ",\"b\":" F32("[0]", 8, 8) ",\"@\\u0061\":" F32("[1]", 0, 4) "}", 8, "second time" },
    { "{\"a\":" F32("[1]", 0, 4) ",\"A\":" F32("[1]", 4, 8) "}", 8, NULL },
    /* metadata */
    { "{\"__metadata__\":{}}", 0, NULL },
    { "{\"__metadata__\":{\"a\":\"\",\"b\":\"\\\"\"}}", 0, NULL },
    { "{\"a\":" F32("[]", 0, 4) ",\"__metadata__\":{\"a\":\"b\"}}", 4, NULL },
    { "{\"__metadata__\":@[]}", 0, "expected '{'" },
    { "{\"__metadata__\":{\"a\":@1}}", 0, "expected '\"'" },
    { "{\"__metadata__\":{\"a\":@{\"b\":\"c\"}}}", 0, "expected '\"'" },
    { "{\"__metadata__\":{\"a\":\"b\",@}}", 0, "expected '\"'" },
    { "{\"__metadata__\":{\"a\":\"b\",\"@a\":\"c\"}}", 0, "second time" },
    { "{\"__metadata__\":{},\"@__metadata__\":{}}", 0, "second time" },
    { "{\"__metadata__\":{},\"@__met\\u0061data__\":{}}", 0, "second time" },
};

static size_t put_length(unsigned char *file, uint64_t length)
{
    memcpy(file, &length, 8);
    return 8;
}

/* Builds the file of a case. @return its size; *at is the byte marked, or -1 */
static size_t build_case(unsigned char *file, const header_case *c, int *at)
{
    size_t used = 8;
    *at = -1;
    for (const char *s = c->header; *s; s++) {
        if (*s == '@')
            *at = (int)used;
        else
            file[used++] = (unsigned char)*s;
    }
    put_length(file, used - 8);
    memset(file + used, 0, c->data);
    return used + c->data;
}

/* An allocator that counts and can fail; what it gives is filled with a pattern. */
typedef struct counted {
    lae_memory memory;
    size_t calls, fail_at;
} counted;

static void *counted_alloc(size_t bytes, size_t alignment, void *payload)
{
    counted *c = payload;
    void *ptr = NULL;
    if (++c->calls == c->fail_at) return NULL;
    if (posix_memalign(&ptr, alignment, bytes) != 0) return NULL;
    memset(ptr, 0xa5, bytes);
    return ptr;
}

static void counted_release(void *ptr, size_t bytes, void *payload)
{
    (void)payload;
    memset(ptr, 0x5a, bytes);
    free(ptr);
}

static void counted_init(counted *c)
{
    lae_memory_init(&c->memory, counted_alloc, counted_release, c, 0);
    c->calls = c->fail_at = 0;
}

/* Parses from an allocation of exactly that size, so that a sanitizer sees any byte read beyond it. */
static lstmae_status parse(lae_safetensors *st, counted *c, const unsigned char *bytes, size_t size)
{
    unsigned char *exact = malloc(size > 0 ? size : 1);
    assert_non_null(exact);
    if (size > 0) memcpy(exact, bytes, size);
    lstmae_status status = lae_safetensors_parse(st, &c->memory, "file", exact, size);
    free(exact);
    return status;
}

static void test_table(void **state)
{
    (void)state;
    size_t bad = 0, good = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned char file[FILE_BYTES];
        char want[64];
        int at;
        size_t size = build_case(file, &cases[i], &at);
        counted c;
        lae_safetensors st;
        counted_init(&c);
        lstmae_status status = parse(&st, &c, file, size);
        if (cases[i].says) {
            bad++;
            snprintf(want, sizeof want, "file: byte %d: ", at);
            if (status != LSTMAE_ERR_FORMAT || strncmp(lstmae_last_error(), want, strlen(want)) != 0 ||
                !strstr(lstmae_last_error(), cases[i].says)) {
                print_error("%s\n  %s: \"%s\"\n  wanted \"%s...%s\"\n", cases[i].header, lstmae_status_name(status),
                            lstmae_last_error(), want, cases[i].says);
                fail();
            }
        } else {
            good++;
            if (status != LSTMAE_OK) print_error("%s\n  %s\n", cases[i].header, lstmae_last_error());
            assert_int_equal(status, LSTMAE_OK);
            lae_safetensors_close(&st);
        }
        assert_int_equal(atomic_load(&c.memory.current), 0);
    }
    print_message("%zu bad files, %zu good ones\n", bad, good);
    assert_true(bad >= 40);
}

static void test_length(void **state)
{
    (void)state;
    static const uint64_t lengths[] = { 0, 1, 3, 100000001, UINT64_C(1) << 32, INT64_MAX, UINT64_MAX - 7, UINT64_MAX };
    unsigned char file[16] = { 0 };
    counted c;
    lae_safetensors st;
    counted_init(&c);
    for (size_t size = 0; size < 8; size++) assert_fails(parse(&st, &c, file, size), ERR_FORMAT);
    memcpy(file + 8, "{}", 2);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        put_length(file, lengths[i]);
        assert_fails(parse(&st, &c, file, 10), ERR_FORMAT);
        assert_non_null(strstr(lstmae_last_error(), "file: byte 0: "));
    }
    assert_int_equal(c.calls, 0); /* a length is checked before anything is allocated for it */
    put_length(file, 2);
    assert_ok(parse(&st, &c, file, 10));
    assert_int_equal(st.count, 0);
    lae_safetensors_close(&st);
}

/* A header of exactly the limit is read; one byte more is not. */
static void test_header_limit(void **state)
{
    (void)state;
    size_t size = 8 + (size_t)LAE_SAFETENSORS_MAX_HEADER + 1;
    unsigned char *file = malloc(size);
    assert_non_null(file);
    memset(file, ' ', size);
    memcpy(file + 8, "{}", 2);
    counted c;
    lae_safetensors st;
    counted_init(&c);
    put_length(file, LAE_SAFETENSORS_MAX_HEADER);
    assert_ok(lae_safetensors_parse(&st, &c.memory, "file", file, size - 1));
    lae_safetensors_close(&st);
    put_length(file, LAE_SAFETENSORS_MAX_HEADER + 1);
    assert_fails(lae_safetensors_parse(&st, &c.memory, "file", file, size), ERR_FORMAT);
    free(file);
}

static void test_lookup(void **state)
{
    (void)state;
    static const header_case c0 = { "{\"b\":" F32("[2,1]", 4,
                                                  12) ",\"__metadata__\":{\"k\\n\":\"v\\u00e9\",\"\":\"e\"},\"a\":"
                                                      "{\"dtype\":\"U8\",\"shape\":[1,2,2],\"data_offsets\":[0,4]}}",
                                    12, NULL };
    unsigned char file[FILE_BYTES];
    int at;
    counted c;
    lae_safetensors st;
    counted_init(&c);
    assert_ok(parse(&st, &c, file, build_case(file, &c0, &at)));
    assert_int_equal(st.count, 2);
    assert_string_equal(lae_safetensors_metadata(&st, "k\n"), "v\xc3\xa9");
    assert_string_equal(lae_safetensors_metadata(&st, ""), "e");
    assert_null(lae_safetensors_metadata(&st, "k"));
    assert_null(lae_safetensors_find(&st, "c"));
    assert_null(lae_safetensors_find(&st, ""));
    const lae_safetensors_tensor *a = lae_safetensors_find(&st, "a"), *b = lae_safetensors_find(&st, "b");
    assert_ptr_equal(a, &st.tensors[0]);
    assert_ptr_equal(b, &st.tensors[1]);
    assert_string_equal(lae_safetensors_name(&st, b), "b");
    int64_t dim[LAE_SAFETENSORS_MAX_RANK];
    lae_safetensors_shape(&st, a, dim);
    assert_int_equal(a->rank, 3);
    assert_int_equal(dim[0], 1);
    assert_int_equal(dim[1], 2);
    assert_int_equal(dim[2], 2);
    assert_int_equal(a->type, LAE_SAFETENSORS_U8);
    lae_safetensors_shape(&st, b, dim);
    assert_int_equal(dim[0], 2);
    assert_int_equal(dim[1], 1);
    lae_safetensors_close(&st);
}

static void test_allocation_failures(void **state)
{
    (void)state;
    static const header_case c0 = { "{\"a\":" F32("[]", 0, 4) ",\"__metadata__\":{\"k\":\"v\"}}", 4, NULL };
    unsigned char file[FILE_BYTES];
    int at;
    size_t size = build_case(file, &c0, &at), failed = 0;
    counted c;
    lae_safetensors st;
    for (size_t k = 1;; k++) {
        counted_init(&c);
        c.fail_at = k;
        lstmae_status status = parse(&st, &c, file, size);
        if (status == LSTMAE_OK) break;
        assert_fails(status, ERR_NO_MEMORY);
        assert_int_equal(atomic_load(&c.memory.current), 0);
        failed++;
    }
    lae_safetensors_close(&st);
    print_message("%zu allocations failed in turn\n", failed);
    assert_int_equal(failed, 4);
}

/* The most index for the least text: the shortest tensors and the shortest metadata there can be. */
static void test_bounded_memory(void **state)
{
    (void)state;
    size_t most = 4000000, used = 9, n = 0;
    unsigned char *file = malloc(8 + most + 64);
    assert_non_null(file);
    file[8] = '{';
    memcpy(file + used, "\"__metadata__\":{", 16);
    for (used += 16; used < most / 2; n++)
        used += (size_t)sprintf((char *)file + used, "%s\"%zx\":\"\"", n ? "," : "", n);
    file[used++] = '}';
    for (n = 0; used < most; n++)
        used +=
            (size_t)sprintf((char *)file + used, ",\"%zx\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}", n);
    file[used++] = '}';
    put_length(file, used - 8);
    counted c;
    lae_safetensors st;
    counted_init(&c);
    assert_ok(lae_safetensors_parse(&st, &c.memory, "file", file, used));
    print_message("%zu tensors and %zu texts in %zu bytes: %.2f times the header\n", st.count, st.pair_count,
                  st.text_bytes, (double)atomic_load(&c.memory.peak) / (double)st.text_bytes);
    assert_true(atomic_load(&c.memory.peak) <= 2 * st.text_bytes);
    lae_safetensors_close(&st);
    free(file);
}

static void test_conversion(void **state)
{
    (void)state;
    static const uint16_t half[] = { 0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0400,
                                     0x03ff, 0x0001, 0x8001, 0x7c00, 0xfc00, 0x3555 };
    static const float half_value[] = { 0.0f,       -0.0f,    1.0f,      -2.0f,    65504.0f,  0x1p-14f,
                                        0x3ffp-24f, 0x1p-24f, -0x1p-24f, INFINITY, -INFINITY, 0x1.554p-2f };
    static const uint16_t brain[] = { 0x3f80, 0xc000, 0x0001, 0x7f80, 0x8000 };
    static const float brain_value[] = { 1.0f, -2.0f, 0x1p-133f, INFINITY, -0.0f };
    static const double wide[] = { 1.0, 0.1, 1.0 + 0x1p-24, 1.0 + 0x3p-24, 1e300, -1e-300 };
    static const float wide_value[] = { 1.0f, 0.1f, 1.0f, 1.0f + 0x1p-22f, INFINITY, -0.0f };
    float single[12];
    double dble[12];
    lae_safetensors_convert(single, LSTMAE_F32, half, LAE_SAFETENSORS_F16, 12);
    assert_memory_equal(single, half_value, sizeof half_value);
    lae_safetensors_convert(dble, LSTMAE_F64, half, LAE_SAFETENSORS_F16, 12);
    for (int i = 0; i < 12; i++)
        assert_true(dble[i] == (double)half_value[i] && !signbit(dble[i]) == !signbit(half_value[i]));
    lae_safetensors_convert(single, LSTMAE_F32, brain, LAE_SAFETENSORS_BF16, 5);
    assert_memory_equal(single, brain_value, sizeof brain_value);
    lae_safetensors_convert(single, LSTMAE_F32, wide, LAE_SAFETENSORS_F64, 6);
    assert_memory_equal(single, wide_value, sizeof wide_value);
    lae_safetensors_convert(dble, LSTMAE_F64, wide, LAE_SAFETENSORS_F64, 6);
    assert_memory_equal(dble, wide, sizeof wide);
    lae_safetensors_convert(dble, LSTMAE_F64, half_value, LAE_SAFETENSORS_F32, 12);
    for (int i = 0; i < 12; i++) assert_true(dble[i] == (double)half_value[i]);
    uint16_t nan = 0x7e00;
    lae_safetensors_convert(single, LSTMAE_F32, &nan, LAE_SAFETENSORS_F16, 1);
    assert_true(isnan(single[0]));
    for (int type = 0; type < LAE_SAFETENSORS_TYPE_COUNT; type++) {
        assert_int_equal(lae_safetensors_converts(LSTMAE_F32, type), type <= LAE_SAFETENSORS_BF16);
        assert_int_equal(lae_safetensors_converts(LSTMAE_I64, type), type == LAE_SAFETENSORS_I64);
    }
}

/* All 65,536 values of binary16 against their definition. */
static void test_half_values(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 65536; bits++) {
        uint16_t half = (uint16_t)bits;
        int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
        float got;
        lae_safetensors_convert(&got, LSTMAE_F32, &half, LAE_SAFETENSORS_F16, 1);
        double want = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
        if (exponent == 31) {
            assert_true(fraction ? isnan(got) : isinf(got));
        } else {
            assert_true((double)got == (bits >> 15 ? -want : want));
        }
        if (!isnan(got)) assert_int_equal(!!signbit(got), bits >> 15);
    }
}

/* Content for the writer: numbers by test_fill. */
static lstmae_status supply(void *payload, size_t index, uint64_t first, void *buffer, size_t bytes)
{
    float *values = payload;
    memcpy(buffer, (char *)values + index * 64 + first, bytes);
    return LSTMAE_OK;
}

static const char *const metadata[][2] = { { "note", "a \"text\"\nof two lines, \xc3\xa9" }, { "empty", "" } };

static void temp_path(char path[256], const char *name)
{
    snprintf(path, 256, "%s", test_path(name));
}

static void test_write_and_read(void **state)
{
    (void)state;
    static const lae_safetensors_entry entries[] = {
        { "weight", LAE_SAFETENSORS_F32, 2, { 3, 4 } },
        { "scalar \"\xe2\x82\xac\"", LAE_SAFETENSORS_F32, 0, { 0 } },
        { "none", LAE_SAFETENSORS_F64, 4, { 2, 0, 5, 1 } },
        { "bytes", LAE_SAFETENSORS_U8, 1, { 5 } },
    };
    float values[64];
    char path[256], buffer[16];
    lae_safetensors st;
    lae_file file;
    test_fill(values, 64, 1, 1.0f);
    const lae_safetensors_content content = { entries, 4, metadata, 2, supply, values };
    temp_path(path, "write.safetensors");
    counted c;
    counted_init(&c);
    assert_ok(lae_safetensors_save(path, &c.memory, &content));
    assert_int_equal(atomic_load(&c.memory.current), 0);
    assert_ok(lae_file_open(&file, path));
    assert_ok(lae_safetensors_open(&st, &c.memory, &file));
    assert_int_equal(st.data % LAE_SAFETENSORS_ALIGNMENT, 0);
    assert_int_equal(st.count, 4);
    assert_int_equal(lae_safetensors_verify_header(&st), 1);
    assert_ok(lae_safetensors_verify_data(&st, &file, buffer, sizeof buffer));
    for (size_t i = 0; i < 4; i++) {
        int64_t dim[LAE_SAFETENSORS_MAX_RANK];
        unsigned char data[64];
        const lae_safetensors_tensor *tensor = lae_safetensors_find(&st, entries[i].name);
        assert_ptr_equal(tensor, &st.tensors[i]);
        assert_int_equal(tensor->type, entries[i].type);
        assert_int_equal(tensor->rank, entries[i].rank);
        lae_safetensors_shape(&st, tensor, dim);
        for (int axis = 0; axis < entries[i].rank; axis++) assert_int_equal(dim[axis], entries[i].dim[axis]);
        assert_ok(lae_file_read(&file, st.data + tensor->begin, data, (size_t)(tensor->end - tensor->begin)));
        assert_memory_equal(data, (char *)values + 64 * i, tensor->end - tensor->begin);
    }
    for (size_t i = 0; i < 2; i++) assert_string_equal(lae_safetensors_metadata(&st, metadata[i][0]), metadata[i][1]);
    lae_safetensors_close(&st);
    lae_file_close(&file);
    unlink(path);
}

static void test_write_refuses(void **state)
{
    (void)state;
    static const lae_safetensors_entry equal[] = { { "a", LAE_SAFETENSORS_F32, 0, { 0 } },
                                                   { "b", LAE_SAFETENSORS_F32, 0, { 0 } },
                                                   { "a", LAE_SAFETENSORS_F32, 0, { 0 } } };
    static const lae_safetensors_entry reserved = { "__metadata__", LAE_SAFETENSORS_F32, 0, { 0 } };
    static const lae_safetensors_entry garbled = { "\xff", LAE_SAFETENSORS_F32, 0, { 0 } };
    static const lae_safetensors_entry huge = { "a", LAE_SAFETENSORS_F32, 1, { (INT64_C(1) << 31) + 1 } };
    static const char *const bad_text[][2] = { { "k", "\xc3" } };
    float values[64] = { 0 };
    char path[256];
    temp_path(path, "refused.safetensors");
    lae_memory *memory = lae_memory_default();
    assert_fails(lae_safetensors_save(path, memory, &(lae_safetensors_content){ equal, 3, NULL, 0, supply, values }),
                 ERR_INVALID_ARG);
    assert_fails(
        lae_safetensors_save(path, memory, &(lae_safetensors_content){ &reserved, 1, NULL, 0, supply, values }),
        ERR_INVALID_ARG);
    assert_fails(lae_safetensors_save(path, memory, &(lae_safetensors_content){ &garbled, 1, NULL, 0, supply, values }),
                 ERR_INVALID_ARG);
    assert_fails(lae_safetensors_save(path, memory, &(lae_safetensors_content){ &huge, 1, NULL, 0, supply, values }),
                 ERR_SHAPE);
    assert_fails(
        lae_safetensors_save(path, memory, &(lae_safetensors_content){ equal, 1, bad_text, 1, supply, values }),
        ERR_INVALID_ARG);
    assert_int_equal(access(path, F_OK), -1);
}

/* A source that fails ends the writing with its status, whichever of the two passes it fails in. */
static int supply_calls, supply_fails_at;

static lstmae_status supply_or_fail(void *payload, size_t index, uint64_t first, void *buffer, size_t bytes)
{
    if (++supply_calls == supply_fails_at) return lae_fail(LSTMAE_ERR_DEVICE, "the device is gone");
    return supply(payload, index, first, buffer, bytes);
}

/* One that changes between the passes would make a file whose checksums are wrong. */
static lstmae_status supply_other(void *payload, size_t index, uint64_t first, void *buffer, size_t bytes)
{
    LAE_TRY(supply(payload, index, first, buffer, bytes));
    if (++supply_calls > 1) *(unsigned char *)buffer ^= 1;
    return LSTMAE_OK;
}

static void test_failing_source(void **state)
{
    (void)state;
    static const lae_safetensors_entry entries[] = { { "a", LAE_SAFETENSORS_F32, 1, { 4 } },
                                                     { "b", LAE_SAFETENSORS_F32, 1, { 4 } } };
    float values[64] = { 0 };
    char path[256];
    temp_path(path, "failing.safetensors");
    lae_safetensors_content content = { entries, 2, NULL, 0, supply_or_fail, values };
    for (supply_fails_at = 1; supply_fails_at <= 4; supply_fails_at++) {
        supply_calls = 0;
        assert_fails(lae_safetensors_save(path, lae_memory_default(), &content), ERR_DEVICE);
        assert_string_equal(lstmae_last_error(), "the device is gone");
        assert_int_equal(access(path, F_OK), -1);
    }
    content.count = 1;
    content.read = supply_other;
    supply_calls = 0;
    assert_fails(lae_safetensors_save(path, lae_memory_default(), &content), ERR_INTERNAL);
    assert_int_equal(access(path, F_OK), -1);
}

static void test_label(void **state)
{
    (void)state;
    char name[100], label[LAE_LABEL_BYTES];
    memset(name, 'n', sizeof name);
    for (size_t size = 0; size < sizeof name; size++) {
        memset(label, 'x', sizeof label);
        assert_ptr_equal(lae_label(label, name, size), label);
        assert_int_equal(strlen(label), size < LAE_LABEL_BYTES ? size : LAE_LABEL_BYTES - 1);
        assert_int_equal(strstr(label, "...") != NULL, size >= LAE_LABEL_BYTES);
    }
    assert_string_equal(lae_label(label, "a\n\x7f\xc3\xa9~ b", 8), "a????~ b");
}

/* Lengths of the last, padded line: every count of bytes before it occurs. */
static void test_alignment(void **state)
{
    (void)state;
    char name[80], path[256];
    float values[64] = { 0 };
    temp_path(path, "aligned.safetensors");
    for (int length = 1; length < 70; length++) {
        lae_safetensors st;
        lae_file file;
        memset(name, 'n', sizeof name);
        name[length] = '\0';
        const lae_safetensors_entry entry = { name, LAE_SAFETENSORS_F32, 1, { 2 } };
        assert_ok(lae_safetensors_save(path, lae_memory_default(),
                                       &(lae_safetensors_content){ &entry, 1, NULL, 0, supply, values }));
        assert_ok(lae_file_open(&file, path));
        assert_ok(lae_safetensors_open(&st, lae_memory_default(), &file));
        assert_int_equal(st.data % LAE_SAFETENSORS_ALIGNMENT, 0);
        assert_int_equal(st.text[st.text_bytes - 1] == ' ' || st.text[st.text_bytes - 1] == '}', 1);
        lae_safetensors_close(&st);
        lae_file_close(&file);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_header_limit),
        cmocka_unit_test(test_lookup),
        cmocka_unit_test(test_allocation_failures),
        cmocka_unit_test(test_bounded_memory),
        cmocka_unit_test(test_conversion),
        cmocka_unit_test(test_half_values),
        cmocka_unit_test(test_write_and_read),
        cmocka_unit_test(test_write_refuses),
        cmocka_unit_test(test_failing_source),
        cmocka_unit_test(test_label),
        cmocka_unit_test(test_alignment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
