/*
 * The safetensors reader's work for many tensors. The files that do it are compiled into this program a second time,
 * with a call in every basic block (-fsanitize-coverage=trace-pc), so that work is a count, the same on every machine.
 */
#include "safetensors.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void __sanitizer_cov_trace_pc(void);

static size_t blocks;

void __sanitizer_cov_trace_pc(void)
{
    blocks++;
}

/* A header of `count` tensors whose names share a long beginning, in an order that is neither sorted nor reversed. */
static unsigned char *many_tensors(size_t count, size_t *size)
{
    unsigned char *file = malloc(8 + count * 160 + 16);
    assert_non_null(file);
    size_t used = 9;
    file[8] = '{';
    for (size_t i = 0; i < count; i++) {
        size_t n = i * 7919 % count; /* prime, so a permutation of counts that it does not divide */
        used +=
            (size_t)sprintf((char *)file + used, "%s\"encoder.layers.block.attention.weight_%zu\":", i ? "," : "", n);
        used += (size_t)sprintf((char *)file + used, "{\"dtype\":\"U8\",\"shape\":[1,1],\"data_offsets\":[%zu,%zu]}", n,
                                n + 1);
    }
    file[used++] = '}';
    for (int i = 0; i < 8; i++) file[i] = (unsigned char)((used - 8) >> (8 * i));
    unsigned char *whole = realloc(file, used + count);
    assert_non_null(whole);
    memset(whole + used, 0, count);
    *size = used + count;
    return whole;
}

/* Basic blocks that are run to read a file of `count` tensors, a lookup among them. */
static double work_of(size_t count)
{
    size_t size;
    lae_memory memory;
    lae_safetensors st;
    unsigned char *file = many_tensors(count, &size);
    lae_memory_init(&memory, NULL, NULL, NULL, 0);
    blocks = 0;
    assert_ok(lae_safetensors_parse(&st, &memory, "file", file, size));
    assert_int_equal(st.count, count);
    assert_non_null(lae_safetensors_find(&st, "encoder.layers.block.attention.weight_17"));
    double work = (double)blocks;
    /* the header's text and an index no larger than it */
    assert_true(atomic_load(&memory.peak) <= 2 * st.text_bytes + 4096);
    lae_safetensors_close(&st);
    free(file);
    return work;
}

/* Twice the tensors are 2 log 20,000 / log 10,000 = 2.15 times the work of sorting, and 2 times that of reading,
 * which is the larger part. */
static void test_bounded_work(void **state)
{
    (void)state;
    double half = work_of(10000), whole = work_of(20000);
    print_message("10,000 tensors %.0f basic blocks each, 20,000 tensors %.0f\n", half / 10000, whole / 20000);
    assert_true(half >= 10000 * 100); /* the counter counts: each tensor's text alone has some 100 bytes */
    assert_true(whole / half <= 2.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_bounded_work) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
