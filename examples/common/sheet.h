/* Contact sheets: rows of small grey pictures, each row with a label, in one picture file. */
#ifndef EX_SHEET_H
#define EX_SHEET_H

#include "picture.h"

typedef struct ex_sheet_row {
    const char *label;
    const float *values; /* [count,h,w] in [0,1] */
    int count;
    int apart;      /* 1: a wider gap above this row */
    ex_color color; /* of the border around each picture */
} ex_sheet_row;

/** Draws rows of pictures of h by w values, `scale` pixels each, and saves them as "stem" plus the extension. */
int ex_sheet_save(const ex_sheet_row *rows, int count, int w, int h, int scale, const char *title, const char *stem);

#endif
