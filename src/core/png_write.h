/* PNG files (ISO/IEC 15948) of 8 bits a channel. */
#ifndef LAE_PNG_WRITE_H
#define LAE_PNG_WRITE_H

#include "bytes.h"

/** Longest side. TensorBoard, browsers and libpng's defaults take no more than some multiples of it. */
#define LAE_PNG_SIDE 65535

/** An 8-bit picture in memory, rows from top to bottom. */
typedef struct lae_picture {
    int64_t width, height;
    int channels;          /* 1 grey, 3 red, green, blue */
    unsigned char *pixels; /* [height,width,channels] */
} lae_picture;

/** ERR_SHAPE unless both sides are 1 to LAE_PNG_SIDE and all is below 2^31 bytes; ERR_INVALID_ARG for other channels.
 */
lstmae_status lae_picture_check(const lae_picture *picture, const char *name);

/**
 * Appends the PNG file of a checked picture. Rows are predicted from their neighbours in the way that leaves the
 * smallest sum, then deflated at `level`. Running out of memory is remembered in `out`.
 */
void lae_png_encode(lae_bytes *out, const lae_picture *picture, int level);

#endif
