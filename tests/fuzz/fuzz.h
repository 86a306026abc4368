/* What fuzz targets share. A target aborts when the code under test breaks a promise. */
#ifndef LAE_FUZZ_H
#define LAE_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#endif
