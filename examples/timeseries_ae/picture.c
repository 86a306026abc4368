/* The columns with what was given back, and under them the score: one pixel for a few rows. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common/picture.h"
#include "../common/report.h"
#include "results.h"

#define PICTURE_WIDTH 1100
#define PICTURE_LEFT 130
#define PICTURE_RIGHT 14
#define PICTURE_TOP 34
#define PICTURE_PANEL 84 /* height of a column's panel, and of the gap under it */
#define PICTURE_GAP 10
#define PICTURE_SCORE 130
#define PICTURE_COLUMNS 8 /* at most so many columns are shown: those that alarms blame most, then the first */

static const ex_color picture_white = {255, 255, 255}, picture_ink = {40, 40, 40}, picture_frame = {200, 200, 200};
static const ex_color picture_series = {31, 108, 180}, picture_given = {222, 110, 20}, picture_alarm = {252, 214, 214};
static const ex_color picture_score = {90, 60, 160}, picture_threshold = {190, 45, 50}, picture_truth = {70, 70, 70};

typedef struct picture {
    ex_picture image;
    const ts_series *series;
    const ts_model *model;
    const ts_scores *scores;
    float *given;  /* [rows,columns] in the columns' own units */
    int y, height; /* of the panel that is drawn */
    double low, high;
} picture;

static int picture_x(const picture *p, int64_t row)
{
    int width = PICTURE_WIDTH - PICTURE_LEFT - PICTURE_RIGHT;
    return PICTURE_LEFT + (int)((double)row * width / (double)p->series->rows);
}

static double picture_y(const picture *p, double value)
{
    double share = (value - p->low) / (p->high - p->low);
    return p->y + p->height - 1 - fmin(fmax(share, 0), 1) * (p->height - 1);
}

/* What the network expects in place of the series, in its units: differences begin at the row before. */
static int picture_given_back(picture *p)
{
    const float *values = lstmae_table_values(p->series->table);
    int64_t C = p->series->columns, count = p->series->rows * C;
    p->given = malloc((size_t)count * sizeof *p->given);
    if (p->given == NULL) return ex_fail("out of memory for %lld rows", (long long)p->series->rows);
    for (int64_t i = 0; i < count; i++) p->given[i] = p->scores->scaled[i] - p->scores->errors[i];
    EX_TRY(lstmae_scaler_inverse(p->model->detector.scaler, p->given, p->series->rows, p->given));
    for (int64_t i = 0; i < count; i++) {
        if (p->model->detector.drift[i % C] == 0) continue;
        p->given[i] = i < C ? values[i] : values[i - C] + p->given[i];
    }
    return 0;
}

/* ---- what is in a panel ---- */

static void picture_shade(picture *p)
{
    for (int64_t r = 0; r < p->series->rows; r++) {
        int x = picture_x(p, r), width = picture_x(p, r + 1) - x;
        if (p->scores->alarms[r]) ex_draw_rect(&p->image, x, p->y, width > 0 ? width : 1, p->height, picture_alarm);
    }
    ex_draw_frame(&p->image, PICTURE_LEFT - 1, p->y - 1, PICTURE_WIDTH - PICTURE_LEFT - PICTURE_RIGHT + 2,
                  p->height + 2, 1, picture_frame);
}

/* A line through values[row * stride]; rows that share a pixel become its range. */
static void picture_line(picture *p, const float *values, int64_t stride, ex_color color)
{
    double low = INFINITY, high = -INFINITY, last = NAN;
    for (int64_t r = 0; r < p->series->rows; r++) {
        double y = picture_y(p, values[r * stride]);
        int x = picture_x(p, r), next = picture_x(p, r + 1);
        low = fmin(low, y);
        high = fmax(high, y);
        if (next == x && r + 1 < p->series->rows) continue;
        if (isfinite(last))
            ex_draw_line(&p->image, x - 1, last, x, low > last ? low : high < last ? high : last, 1, color);
        ex_draw_line(&p->image, x, low, x, high, 1, color);
        last = y;
        low = INFINITY;
        high = -INFINITY;
    }
}

static void picture_range(picture *p, const float *values, int64_t stride, double floor)
{
    p->low = INFINITY;
    p->high = floor;
    for (int64_t r = 0; r < p->series->rows; r++) {
        p->low = fmin(p->low, values[r * stride]);
        p->high = fmax(p->high, values[r * stride]);
    }
    if (p->high <= p->low) p->high = p->low + 1;
}

static void picture_label(picture *p, const char *name, ex_color color)
{
    char text[32];
    ex_draw_text(&p->image, 8, p->y + p->height / 2 - 3, 1, color, name);
    snprintf(text, sizeof text, "%.4g", p->high);
    ex_draw_text(&p->image, PICTURE_LEFT - 6 - ex_text_width(text, 1), p->y, 1, picture_ink, text);
    snprintf(text, sizeof text, "%.4g", p->low);
    ex_draw_text(&p->image, PICTURE_LEFT - 6 - ex_text_width(text, 1), p->y + p->height - EX_TEXT_HEIGHT, 1,
                 picture_ink, text);
}

static void picture_column(picture *p, int64_t c)
{
    const float *values = lstmae_table_values(p->series->table);
    char name[20];
    snprintf(name, sizeof name, "%.15s", p->model->names[c]);
    picture_range(p, values + c, p->series->columns, -INFINITY);
    picture_shade(p);
    picture_line(p, values + c, p->series->columns, picture_series);
    picture_line(p, p->given + c, p->series->columns, picture_given);
    picture_label(p, name, picture_ink);
}

/* On a scale that ends at four thresholds: what is beyond is far beyond. */
static void picture_scores(picture *p)
{
    double threshold = lstmae_threshold_value(p->model->detector.threshold);
    p->low = 0;
    p->high = threshold > 0 ? 4 * threshold : 1;
    picture_shade(p);
    picture_line(p, p->scores->scores, 1, picture_score);
    double y = picture_y(p, threshold);
    ex_draw_line(&p->image, PICTURE_LEFT, y, PICTURE_WIDTH - PICTURE_RIGHT, y, 1, picture_threshold);
    picture_label(p, "score", picture_score);
    for (int64_t r = 0; r < p->series->rows && p->series->truth != NULL; r++)
        if (p->series->truth[r]) ex_draw_rect(&p->image, picture_x(p, r), p->y + p->height + 4, 1, 4, picture_truth);
}

/* ---- the whole ---- */

static void picture_legend(picture *p, int64_t rows)
{
    static const struct {
        const char *text;
        const ex_color *color;
    } entries[] = {{"series", &picture_series},       {"given back", &picture_given}, {"score", &picture_score},
                   {"threshold", &picture_threshold}, {"alarm", &picture_alarm},      {"truth", &picture_truth}};
    int x = PICTURE_LEFT;
    char text[48];
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        if (entries[i].color == &picture_truth && p->series->truth == NULL) continue;
        ex_draw_rect(&p->image, x, 14, 16, 5, *entries[i].color);
        ex_draw_text(&p->image, x + 22, 13, 1, picture_ink, entries[i].text);
        x += 40 + ex_text_width(entries[i].text, 1);
    }
    snprintf(text, sizeof text, "%lld rows", (long long)rows);
    ex_draw_text(&p->image, PICTURE_WIDTH - PICTURE_RIGHT - ex_text_width(text, 1), 13, 1, picture_ink, text);
}

/* The columns to show, in the order of the file: shown[C] become 0 or 1. */
static int picture_choose(const ts_scores *s, int *shown, int64_t *count)
{
    int64_t C = s->channels;
    *count = C < PICTURE_COLUMNS ? C : PICTURE_COLUMNS;
    int64_t *blamed = calloc((size_t)C, sizeof *blamed);
    if (blamed == NULL) return ex_fail("out of memory for %lld columns", (long long)C);
    for (int64_t r = 0; r < s->rows; r++)
        if (s->alarms[r]) blamed[ts_detector_blame(s->parts + r * C, C)]++;
    for (int64_t k = 0; k < *count; k++) {
        int64_t most = -1;
        for (int64_t c = 0; c < C; c++)
            if (!shown[c] && (most < 0 || blamed[c] > blamed[most])) most = c;
        shown[most] = 1;
    }
    free(blamed);
    return 0;
}

static int picture_draw(picture *p, const int *shown, int64_t count, const char *stem)
{
    int height = PICTURE_TOP + (int)count * (PICTURE_PANEL + PICTURE_GAP) + PICTURE_SCORE + 24;
    if (ex_picture_create(&p->image, PICTURE_WIDTH, height, picture_white) != 0) return -1;
    picture_legend(p, p->series->rows);
    p->y = PICTURE_TOP;
    p->height = PICTURE_PANEL;
    for (int64_t c = 0; c < p->series->columns; c++) {
        if (!shown[c]) continue;
        picture_column(p, c);
        p->y += PICTURE_PANEL + PICTURE_GAP;
    }
    p->height = PICTURE_SCORE;
    picture_scores(p);
    int result = ex_picture_save(&p->image, stem);
    ex_picture_free(&p->image);
    if (result == 0) printf("wrote %s" EX_PICTURE_EXTENSION "\n", stem);
    return result;
}

int ts_picture(const ts_series *series, const ts_model *model, const ts_scores *scores, const char *stem)
{
    picture p = {.series = series, .model = model, .scores = scores};
    int64_t count;
    int *shown = calloc((size_t)series->columns, sizeof *shown);
    int result = shown != NULL ? 0 : ex_fail("out of memory for %lld columns", (long long)series->columns);
    if (result == 0) result = picture_choose(scores, shown, &count);
    if (result == 0) result = picture_given_back(&p);
    if (result == 0) result = picture_draw(&p, shown, count, stem);
    free(shown);
    free(p.given);
    return result;
}
