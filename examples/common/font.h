/* A bitmap font for printable ASCII: capitals of 5x7 pixels and two rows for what hangs below the line. */
#ifndef EX_FONT_H
#define EX_FONT_H

#include <stdint.h>

enum { EX_FONT_WIDTH = 5, EX_FONT_HEIGHT = 9, EX_FONT_ADVANCE = 6 };

/** Nine rows from the top, the leftmost pixel in bit 4; a box for what is not printable ASCII. */
const uint8_t *ex_font_glyph(char letter);

#endif
