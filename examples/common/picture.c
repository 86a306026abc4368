#include "picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "font.h"
#include "report.h"

int ex_picture_create(ex_picture *picture, int width, int height, ex_color color)
{
    picture->width = width;
    picture->height = height;
    picture->rgb = malloc((size_t)width * (size_t)height * 3);
    if (picture->rgb == NULL) return ex_fail("out of memory for a picture of %d x %d", width, height);
    ex_draw_rect(picture, 0, 0, width, height, color);
    return 0;
}

void ex_picture_free(ex_picture *picture)
{
    free(picture->rgb);
    picture->rgb = NULL;
}

static uint8_t *picture_at(const ex_picture *p, int x, int y)
{
    return p->rgb + ((size_t)y * (size_t)p->width + (size_t)x) * 3;
}

void ex_draw_rect(ex_picture *p, int x, int y, int width, int height, ex_color color)
{
    int x1 = x + width < p->width ? x + width : p->width, y1 = y + height < p->height ? y + height : p->height;
    if (x < 0) x = 0;
    for (int j = y > 0 ? y : 0; j < y1; j++) {
        for (int i = x; i < x1; i++) memcpy(picture_at(p, i, j), &color, 3);
    }
}

void ex_draw_frame(ex_picture *p, int x, int y, int width, int height, int thickness, ex_color color)
{
    ex_draw_rect(p, x, y, width, thickness, color);
    ex_draw_rect(p, x, y + height - thickness, width, thickness, color);
    ex_draw_rect(p, x, y, thickness, height, color);
    ex_draw_rect(p, x + width - thickness, y, thickness, height, color);
}

static void picture_blend(ex_picture *p, int x, int y, ex_color color, double share)
{
    if (x < 0 || y < 0 || x >= p->width || y >= p->height) return;
    uint8_t *at = picture_at(p, x, y);
    const uint8_t top[3] = {color.r, color.g, color.b};
    for (int c = 0; c < 3; c++) at[c] = (uint8_t)lround(at[c] + share * (top[c] - at[c]));
}

void ex_draw_line(ex_picture *p, double x0, double y0, double x1, double y1, double thickness, ex_color color)
{
    double dx = x1 - x0, dy = y1 - y0, square = dx * dx + dy * dy, r = 0.5 * thickness + 1;
    int left = (int)floor(fmin(x0, x1) - r), right = (int)ceil(fmax(x0, x1) + r);
    int top = (int)floor(fmin(y0, y1) - r), bottom = (int)ceil(fmax(y0, y1) + r);
    if (left < 0) left = 0;
    if (top < 0) top = 0;
    for (int y = top; y <= bottom && y < p->height; y++) {
        for (int x = left; x <= right && x < p->width; x++) {
            /* Distance from the pixel's centre to the segment: coverage falls from 1 to 0 over one pixel. */
            double t = square > 0 ? ((x - x0) * dx + (y - y0) * dy) / square : 0;
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            double share = 0.5 * thickness + 0.5 - hypot(x - x0 - t * dx, y - y0 - t * dy);
            if (share > 0) picture_blend(p, x, y, color, share < 1 ? share : 1);
        }
    }
}

int ex_text_width(const char *text, int scale)
{
    return (int)strlen(text) * EX_FONT_ADVANCE * scale;
}

void ex_draw_text(ex_picture *p, int x, int y, int scale, ex_color color, const char *text)
{
    for (; *text != '\0'; text++, x += EX_FONT_ADVANCE * scale) {
        const uint8_t *rows = ex_font_glyph(*text);
        for (int j = 0; j < EX_FONT_HEIGHT; j++) {
            for (int i = 0; i < EX_FONT_WIDTH; i++) {
                if ((rows[j] >> (EX_FONT_WIDTH - 1 - i) & 1) != 0)
                    ex_draw_rect(p, x + i * scale, y + j * scale, scale, scale, color);
            }
        }
    }
}

static uint8_t picture_byte(float v)
{
    return v >= 1 ? 255 : v > 0 ? (uint8_t)lroundf(255 * v) : 0; /* NaN becomes black */
}

void ex_draw_image(ex_picture *p, int x, int y, const float *values, int channels, int w, int h, int scale)
{
    const float *red = values, *green = channels == 3 ? red + w * h : red, *blue = channels == 3 ? green + w * h : red;
    for (int j = 0; j < h; j++) {
        for (int i = 0; i < w; i++) {
            const int at = j * w + i;
            const ex_color color = {picture_byte(red[at]), picture_byte(green[at]), picture_byte(blue[at])};
            ex_draw_rect(p, x + i * scale, y + j * scale, scale, scale, color);
        }
    }
}
