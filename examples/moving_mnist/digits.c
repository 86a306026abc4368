#include "digits.h"

#include <math.h>
#include <stdlib.h>

#include "../common/report.h"

/* Mean over the part of an h x w picture that pixel (y,x) of the size x size one covers. */
static float digits_pixel(const float *picture, int64_t h, int64_t w, int64_t size, int64_t y, int64_t x)
{
    double step_y = (double)h / (double)size, step_x = (double)w / (double)size, sum = 0;
    double top = (double)y * step_y, left = (double)x * step_x, bottom = top + step_y, right = left + step_x;
    for (int64_t j = (int64_t)top; j < h && (double)j < bottom; j++) {
        double share_y = fmin((double)j + 1, bottom) - fmax((double)j, top);
        for (int64_t i = (int64_t)left; i < w && (double)i < right; i++) {
            double share_x = fmin((double)i + 1, right) - fmax((double)i, left);
            sum += share_y * share_x * (double)picture[j * w + i];
        }
    }
    return (float)(sum / (step_y * step_x));
}

int mm_digits_resized(lstmae_dataset **out, lstmae_context *context, const lstmae_dataset *pictures, int64_t start,
                      int64_t count, int64_t size)
{
    int64_t h = lstmae_dataset_dim(pictures, 0), w = lstmae_dataset_dim(pictures, 1), dims[2] = {size, size};
    float *from = malloc((size_t)(h * w) * sizeof *from);
    float *to = malloc((size_t)(count * size * size) * sizeof *to);
    int result = from != NULL && to != NULL ? 0 : ex_fail("out of memory for %lld digits", (long long)count);
    for (int64_t n = 0; result == 0 && n < count; n++) {
        result = ex_status(lstmae_dataset_read(pictures, start + n, from, (size_t)(h * w)));
        float *digit = to + n * size * size;
        for (int64_t p = 0; result == 0 && p < size * size; p++)
            digit[p] = digits_pixel(from, h, w, size, p / size, p % size);
    }
    if (result == 0) result = ex_status(lstmae_dataset_from_memory(out, context, to, count, 2, dims));
    free(from);
    free(to);
    return result;
}
