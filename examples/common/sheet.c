#include "sheet.h"

#include "report.h"

enum { SHEET_GAP = 4, SHEET_WIDE_GAP = 18, SHEET_TOP = 34, SHEET_MARGIN = 10 };

int ex_sheet_save(const ex_sheet_row *rows, int count, int w, int h, int scale, const char *title, const char *stem)
{
    static const ex_color paper = {250, 250, 250}, ink = {40, 40, 40};
    int columns = 0, label = 0, height = SHEET_TOP, cell_w = w * scale + 2, cell_h = h * scale + 2;
    for (int i = 0; i < count; i++) {
        if (rows[i].count > columns) columns = rows[i].count;
        if (ex_text_width(rows[i].label, 1) > label) label = ex_text_width(rows[i].label, 1);
        height += cell_h + (rows[i].apart ? SHEET_WIDE_GAP : SHEET_GAP);
    }
    int left = 2 * SHEET_MARGIN + label;
    ex_picture p;
    if (ex_picture_create(&p, left + columns * (cell_w + SHEET_GAP) + SHEET_MARGIN, height + SHEET_MARGIN, paper) != 0)
        return -1;
    ex_draw_text(&p, SHEET_MARGIN, SHEET_MARGIN, 2, ink, title);
    for (int i = 0, y = SHEET_TOP; i < count; i++, y += cell_h) {
        y += rows[i].apart ? SHEET_WIDE_GAP : SHEET_GAP;
        ex_draw_text(&p, SHEET_MARGIN, y + (cell_h - EX_TEXT_HEIGHT) / 2, 1, ink, rows[i].label);
        for (int j = 0; j < rows[i].count; j++) {
            int x = left + j * (cell_w + SHEET_GAP);
            ex_draw_frame(&p, x, y, cell_w, cell_h, 1, rows[i].color);
            ex_draw_grey(&p, x + 1, y + 1, rows[i].values + (long)j * w * h, w, h, scale);
        }
    }
    int result = ex_picture_save(&p, stem);
    ex_picture_free(&p);
    return result;
}
