/* CRC-32C (Castagnoli), the checksum of iSCSI and ext4: reflected polynomial 0x82F63B78, inverted at both ends. */
#ifndef LAE_CRC32C_H
#define LAE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/** Checksum of what `crc` covers followed by `size` bytes of `data`; start with 0. */
uint32_t lae_crc32c(uint32_t crc, const void *data, size_t size);

/** The same by table alone, for processors without an instruction, and for the test that compares the two. */
uint32_t lae_crc32c_table(uint32_t crc, const void *data, size_t size);

#endif
