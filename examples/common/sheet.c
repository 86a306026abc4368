#include "sheet.h"

#include "report.h"

enum { SHEET_GAP = 4, SHEET_WIDE_GAP = 18, SHEET_TOP = 34, SHEET_NAMES = 10, SHEET_MARGIN = 10 };

static const ex_color sheet_paper = {250, 250, 250}, sheet_ink = {40, 40, 40};

/* Where things are: the first row's top, the first column's left edge, the step from one picture to the next. */
typedef struct sheet_place {
    int left, top, step_x, step_y, width, height;
} sheet_place;

static sheet_place sheet_measure(const ex_sheet *sheet, const ex_sheet_row *rows, int count)
{
    const int title = ex_text_width(sheet->title, 2) + 2 * SHEET_MARGIN;
    sheet_place at = {0, SHEET_TOP, sheet->w * sheet->scale + 2 + SHEET_GAP, sheet->h * sheet->scale + 2, 0, 0};
    int columns = 0, label = 0;
    if (sheet->columns != NULL) at.top += SHEET_NAMES;
    at.height = at.top + SHEET_MARGIN;
    for (int i = 0; i < count; i++) {
        if (rows[i].count > columns) columns = rows[i].count;
        if (ex_text_width(rows[i].label, 1) > label) label = ex_text_width(rows[i].label, 1);
        at.height += at.step_y + (rows[i].apart ? SHEET_WIDE_GAP : SHEET_GAP);
    }
    at.left = 2 * SHEET_MARGIN + label;
    at.width = at.left + columns * at.step_x + SHEET_MARGIN;
    if (at.width < title) at.width = title;
    return at;
}

static void sheet_draw_row(ex_picture *p, const ex_sheet *sheet, const sheet_place *at, const ex_sheet_row *row, int y)
{
    const long size = (long)sheet->channels * sheet->w * sheet->h;
    ex_draw_text(p, SHEET_MARGIN, y + (at->step_y - EX_TEXT_HEIGHT) / 2, 1, sheet_ink, row->label);
    for (int j = 0; j < row->count; j++) {
        const int x = at->left + j * at->step_x;
        ex_draw_frame(p, x, y, at->step_x - SHEET_GAP, at->step_y, 1, row->color);
        ex_draw_image(p, x + 1, y + 1, row->values + j * size, sheet->channels, sheet->w, sheet->h, sheet->scale);
    }
}

int ex_sheet_save(const ex_sheet *sheet, const ex_sheet_row *rows, int count, const char *stem)
{
    const sheet_place at = sheet_measure(sheet, rows, count);
    ex_picture p;
    if (ex_picture_create(&p, at.width, at.height, sheet_paper) != 0) return -1;
    ex_draw_text(&p, SHEET_MARGIN, SHEET_MARGIN, 2, sheet_ink, sheet->title);
    for (int j = 0; sheet->columns != NULL && j < rows[0].count; j++)
        ex_draw_text(&p, at.left + j * at.step_x, at.top - EX_TEXT_HEIGHT, 1, sheet_ink, sheet->columns[j]);
    for (int i = 0, y = at.top; i < count; i++, y += at.step_y) {
        y += rows[i].apart ? SHEET_WIDE_GAP : SHEET_GAP;
        sheet_draw_row(&p, sheet, &at, &rows[i], y);
    }
    int result = ex_picture_save(&p, stem);
    ex_picture_free(&p);
    return result;
}
