/**
 * @file image.h
 * Pictures of images: grids of a batch, written as PNG files. Files appear whole or not at all.
 */
#ifndef LSTMAE_IMAGE_H
#define LSTMAE_IMAGE_H

#include <lstmae/tensor.h>

LSTMAE_BEGIN_DECLS

typedef struct lstmae_grid_options {
    uint32_t struct_size;
    int32_t columns;  /**< 0: about as many as rows */
    int32_t gap;      /**< pixels between images and around them */
    int32_t scale;    /**< side of the square that becomes of each pixel */
    double low, high; /**< values that become black and full brightness; others are clamped, NaN is black */
} lstmae_grid_options;

#define LSTMAE_GRID_OPTIONS_INIT { sizeof(lstmae_grid_options), 0, 2, 1, 0.0, 1.0 }

/**
 * Writes images [B,C,H,W] (or one: [C,H,W], or [H,W]), row after row of the grid, as one PNG file. C is 1 (grey) or 3
 * (red, green, blue); values are mapped linearly and rounded to 8 bits; gaps are white.
 *
 * @param options NULL for defaults
 * @return OK; ERR_SHAPE, also for sides above 65535 pixels; ERR_DTYPE; ERR_INVALID_ARG; ERR_IO; ERR_NOT_FOUND for a
 *         missing folder; ERR_NO_MEMORY
 */
LSTMAE_API lstmae_status lstmae_grid_save(const char *path, const lstmae_tensor *images,
                                          const lstmae_grid_options *options);

/**
 * Writes 8-bit pixels [height,width,channels], 1 channel (grey) or 3 (red, green, blue), as a PNG file.
 * @return as above
 */
LSTMAE_API lstmae_status lstmae_png_save(const char *path, const uint8_t *pixels, int64_t width, int64_t height,
                                         int channels);

LSTMAE_END_DECLS

#endif
