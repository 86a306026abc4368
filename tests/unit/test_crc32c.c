/* CRC-32C against published values, and the instruction against the table. */
#include "support.h"

#include "crc32c.h"

#include <string.h>

static void test_known_vectors(void **state)
{
    (void)state;
    /* RFC 3720 (iSCSI), appendix B.4; the digits are the usual check value. */
    unsigned char bytes[32];
    assert_int_equal(lae_crc32c(0, "", 0), 0);
    assert_int_equal(lae_crc32c(0, "123456789", 9), 0xe3069283);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(lae_crc32c(0, bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(lae_crc32c(0, bytes, 32), 0x62a8ab43);
    for (int i = 0; i < 32; i++) bytes[i] = (unsigned char)i;
    assert_int_equal(lae_crc32c(0, bytes, 32), 0x46dd794e);
    for (int i = 0; i < 32; i++) bytes[i] = (unsigned char)(31 - i);
    assert_int_equal(lae_crc32c(0, bytes, 32), 0x113fdb5c);
}

/* Every length to 200 at every alignment to 8, in one piece and in two. */
static void test_pieces_and_table(void **state)
{
    (void)state;
    float values[64];
    test_fill(values, 64, 7, 1.0f);
    const unsigned char *bytes = (const unsigned char *)values;
    for (size_t at = 0; at < 8; at++) {
        for (size_t size = 0; size <= 200; size++) {
            uint32_t whole = lae_crc32c(0, bytes + at, size);
            size_t cut = size / 3;
            assert_int_equal(lae_crc32c_table(0, bytes + at, size), whole);
            assert_int_equal(lae_crc32c(lae_crc32c(0, bytes + at, cut), bytes + at + cut, size - cut), whole);
            assert_int_equal(lae_crc32c_table(lae_crc32c_table(0, bytes + at, cut), bytes + at + cut, size - cut),
                             whole);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_vectors),
        cmocka_unit_test(test_pieces_and_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
