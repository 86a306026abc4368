/* Pictures in memory, 8-bit RGB, and what is drawn into them; saved as PNG. */
#ifndef EX_PICTURE_H
#define EX_PICTURE_H

#include <stddef.h>
#include <stdint.h>

typedef struct ex_color {
    uint8_t r, g, b;
} ex_color;

typedef struct ex_picture {
    int width, height;
    uint8_t *rgb; /* [height,width,3] */
} ex_picture;

/** A picture of one colour; release with ex_picture_free(). */
int ex_picture_create(ex_picture *picture, int width, int height, ex_color color);
void ex_picture_free(ex_picture *picture);

/** Drawing outside the picture is cut off. */
void ex_draw_rect(ex_picture *picture, int x, int y, int width, int height, ex_color color);
void ex_draw_frame(ex_picture *picture, int x, int y, int width, int height, int thickness, ex_color color);

/** A line with soft edges; coordinates of pixel centres are whole. */
void ex_draw_line(ex_picture *picture, double x0, double y0, double x1, double y1, double thickness, ex_color color);

/** Text with its upper left corner at (x,y); capitals are 5x7 pixels, times `scale`, letters 6 apart. */
void ex_draw_text(ex_picture *picture, int x, int y, int scale, ex_color color, const char *text);
int ex_text_width(const char *text, int scale);
#define EX_TEXT_HEIGHT 7 /* of a capital */

/** Values [channels,h,w] in [0,1], others clamped, 1 channel (grey) or 3; each value a square of `scale` pixels. */
void ex_draw_image(ex_picture *picture, int x, int y, const float *values, int channels, int w, int h, int scale);

#define EX_PICTURE_EXTENSION ".png"

/** Writes "stem" plus the extension, whole or not at all. */
int ex_picture_save(const ex_picture *picture, const char *stem);

#endif
