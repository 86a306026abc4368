#include "fuzz_array.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    fuzz_array(lae_idx_parse, bytes, length);
    return 0;
}
