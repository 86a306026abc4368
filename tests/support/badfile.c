#include "badfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

lstmae_status test_parse(lae_array *array, const unsigned char *bytes, size_t length)
{
    LAE_TRY(lae_array_parse(array, "file", bytes, length < LAE_ARRAY_PREFIX ? length : LAE_ARRAY_PREFIX));
    return lae_array_check_size(array, "file", length);
}

int test_badfile_check(const test_badfile *expected, const unsigned char *bytes, size_t length)
{
    /* A copy of its exact size, so that a sanitizer sees any read beyond it. */
    unsigned char *copy = malloc(length > 0 ? length : 1);
    char place[32] = "";
    lae_array array;
    assert_non_null(copy);
    if (length > 0) memcpy(copy, bytes, length);
    lstmae_status status = test_parse(&array, copy, length);
    free(copy);
    if (expected->byte >= 0) snprintf(place, sizeof place, "file: byte %ld:", expected->byte);
    const char *text = status < 0 ? lstmae_last_error() : "";
    if (status == expected->status && strstr(text, place) && (!expected->text || strstr(text, expected->text)))
        return 0;
    print_error("%s: wanted %s \"%s\" \"%s\", got %s \"%s\"\n", expected->what, lstmae_status_name(expected->status),
                place, expected->text ? expected->text : "", lstmae_status_name(status), text);
    return 1;
}
