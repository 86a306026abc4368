/* Images laid out in a grid, as pixels. */
#ifndef LAE_GRID_H
#define LAE_GRID_H

#include "png_write.h"

#include <lstmae/image.h>

/** The caller's options over the defaults, checked. `name` begins error texts. */
lstmae_status lae_grid_options(lstmae_grid_options *out, const lstmae_grid_options *options, const char *name);

/**
 * Draws images [B,C,H,W], [C,H,W] or [H,W] into a new picture, whose pixels lae_picture_free() gives back.
 * @return OK; ERR_SHAPE; ERR_DTYPE; ERR_INVALID_ARG; ERR_NO_MEMORY
 */
lstmae_status lae_grid_draw(lae_picture *picture, const lstmae_tensor *images, const lstmae_grid_options *options,
                            const char *name);

void lae_picture_free(lae_picture *picture, lae_memory *memory);

/** Writes a checked picture as a PNG file. */
lstmae_status lae_picture_save(const lae_picture *picture, const char *path, lae_memory *memory);

#endif
