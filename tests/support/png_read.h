/* Reading PNG files of 8 bits a channel, to look at what the library wrote. */
#ifndef LAE_TEST_PNG_READ_H
#define LAE_TEST_PNG_READ_H

#include "support.h"

typedef struct test_png {
    int width, height, channels;
    unsigned char *pixels; /* [height,width,channels], to be freed with free() */
    int filters;           /* bit f: some row uses filter f */
} test_png;

/** Decodes and checks everything: signature, chunks, their checksums, lengths, filters. Fails the test otherwise. */
test_png test_png_decode(const unsigned char *bytes, size_t size);

/** The same from a file. */
test_png test_png_read(const char *path);

/** A whole file, to be freed with free(). */
unsigned char *test_file_read(const char *path, size_t *size);

#endif
