/* Digits from a file at another size. */
#ifndef MM_DIGITS_H
#define MM_DIGITS_H

#include <lstmae/data.h>

/** Items [start, start+count) of a data set of pictures [h,w], resized to size x size by the mean over the area. */
int mm_digits_resized(lstmae_dataset **out, lstmae_context *context, const lstmae_dataset *pictures, int64_t start,
                      int64_t count, int64_t size);

#endif
