/* Tables of files that must be refused, each with its code, place and words; and of neighbours that must not be. */
#ifndef LAE_TEST_BADFILE_H
#define LAE_TEST_BADFILE_H

#include "support.h"

#include "array.h"

typedef struct test_badfile {
    const char *what;
    lstmae_status status;
    long byte;        /* the text must have "byte N:"; -1: not looked at */
    const char *text; /* and this; NULL: not looked at */
} test_badfile;

/** Parses a whole file's bytes as opening it does: its start, then its length. */
lstmae_status test_parse(lae_array *array, const unsigned char *bytes, size_t length);

/** Parses and compares; prints what differs and returns 1, or 0. */
int test_badfile_check(const test_badfile *expected, const unsigned char *bytes, size_t length);

#endif
