/* Contact sheets: rows of small pictures, each row with a label, in one picture file. */
#ifndef EX_SHEET_H
#define EX_SHEET_H

#include "picture.h"

typedef struct ex_sheet_row {
    const char *label;
    const float *values; /* [count,channels,h,w] in [0,1] */
    int count;
    int apart;      /* 1: a wider gap above this row */
    ex_color color; /* of the border around each picture */
} ex_sheet_row;

typedef struct ex_sheet {
    const char *title;
    const char *const *columns; /* names above the pictures of the first row, as many; NULL: none */
    int channels, w, h;         /* of a picture: 1 channel or 3 */
    int scale;                  /* pixels that become of one */
} ex_sheet;

/** Draws rows of pictures and saves them as "stem" plus the extension. */
int ex_sheet_save(const ex_sheet *sheet, const ex_sheet_row *rows, int count, const char *stem);

#endif
