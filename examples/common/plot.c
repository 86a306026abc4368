#include "plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

#define PLOT_TICKS 12
#define PLOT_DOTS 32 /* a series of at most so many points shows each */

static const ex_color plot_white = {255, 255, 255}, plot_ink = {40, 40, 40}, plot_grid = {225, 225, 225};

/* One direction: values from low to high lie on pixels from `first` to `last`. */
typedef struct plot_axis {
    double low, high;
    int logarithmic, first, last;
    double ticks[PLOT_TICKS];
    int count;
} plot_axis;

ex_color ex_plot_color(size_t index)
{
    static const ex_color colors[] = {{31, 108, 180}, {222, 110, 20}, {50, 140, 60}, {190, 45, 50}, {120, 85, 180}};
    return colors[index % (sizeof colors / sizeof colors[0])];
}

static int plot_usable(const ex_series *s, size_t i, int logarithmic)
{
    return isfinite(s->x[i]) && isfinite(s->y[i]) && (!logarithmic || s->y[i] > 0);
}

/* A single value is put in the middle. */
static void plot_widen(plot_axis *a, int logarithmic)
{
    if (a->low != a->high) return;
    a->low = logarithmic ? a->low / 2 : a->low - 1;
    a->high = logarithmic ? a->high * 2 : a->high + 1;
}

static void plot_range(const ex_plot *plot, plot_axis *x, plot_axis *y)
{
    x->low = y->low = INFINITY;
    x->high = y->high = -INFINITY;
    for (size_t k = 0; k < plot->count; k++) {
        const ex_series *s = &plot->series[k];
        for (size_t i = 0; i < s->count; i++) {
            if (!plot_usable(s, i, plot->log_y)) continue;
            x->low = fmin(x->low, s->x[i]);
            x->high = fmax(x->high, s->x[i]);
            y->low = fmin(y->low, s->y[i]);
            y->high = fmax(y->high, s->y[i]);
        }
    }
    if (x->low > x->high) x->low = y->low = plot->log_y ? 0.1 : 0, x->high = y->high = 1;
    plot_widen(x, 0);
    plot_widen(y, plot->log_y);
}

/* Steps of 1, 2 or 5 times a power of ten. */
static void plot_ticks_linear(plot_axis *a)
{
    double raw = (a->high - a->low) / 6, power = pow(10, floor(log10(raw))), m = raw / power;
    double step = power * (m <= 1 ? 1 : m <= 2 ? 2 : m <= 5 ? 5 : 10);
    for (double t = ceil(a->low / step); t * step <= a->high + 1e-9 * step && a->count < PLOT_TICKS; t++)
        a->ticks[a->count++] = t * step;
}

/* The decades alone where there are many, else 1, 2 and 5 of each, or more where there is less than one. */
static void plot_ticks_log(plot_axis *a)
{
    if (a->high < 3 * a->low) {
        plot_ticks_linear(a); /* too few of these numbers would lie within */
        return;
    }
    static const double parts[] = {1, 2, 5, 1.5, 3, 4, 6, 8};
    int low = (int)floor(log10(a->low)), high = (int)ceil(log10(a->high));
    int every = (high - low) / PLOT_TICKS + 1, count = high - low > 3 ? 1 : a->high / a->low > 12 ? 3 : 8;
    for (int d = low; d <= high; d += every) {
        for (int i = 0; i < count; i++) {
            double t = parts[i] * pow(10, d);
            if (t >= a->low * 0.999 && t <= a->high * 1.001 && a->count < PLOT_TICKS) a->ticks[a->count++] = t;
        }
    }
}

static double plot_place(const plot_axis *a, double v)
{
    double share = a->logarithmic ? log(v / a->low) / log(a->high / a->low) : (v - a->low) / (a->high - a->low);
    return a->first + share * (a->last - a->first);
}

static void plot_axes(ex_picture *p, const ex_plot *plot, const plot_axis *x, const plot_axis *y)
{
    char text[32];
    for (int i = 0; i < x->count; i++) {
        int at = (int)lround(plot_place(x, x->ticks[i]));
        snprintf(text, sizeof text, "%g", x->ticks[i]);
        ex_draw_rect(p, at, y->last, 1, y->first - y->last, plot_grid);
        ex_draw_text(p, at - ex_text_width(text, 1) / 2, y->first + 7, 1, plot_ink, text);
    }
    for (int i = 0; i < y->count; i++) {
        int at = (int)lround(plot_place(y, y->ticks[i]));
        snprintf(text, sizeof text, "%g", y->ticks[i]);
        ex_draw_rect(p, x->first, at, x->last - x->first, 1, plot_grid);
        ex_draw_text(p, x->first - 6 - ex_text_width(text, 1), at - 3, 1, plot_ink, text);
    }
    ex_draw_rect(p, x->first, y->last, 1, y->first - y->last, plot_ink);
    ex_draw_rect(p, x->first, y->first, x->last - x->first, 1, plot_ink);
    ex_draw_text(p, 10, 10, 2, plot_ink, plot->title);
    ex_draw_text(p, 10, y->last - 14, 1, plot_ink, plot->y_label);
    ex_draw_text(p, x->last - ex_text_width(plot->x_label, 1), y->first + 20, 1, plot_ink, plot->x_label);
}

static void plot_series(ex_picture *p, const ex_series *s, const plot_axis *x, const plot_axis *y)
{
    size_t before = s->count, points = 0;
    for (size_t i = 0; i < s->count; i++) points += plot_usable(s, i, y->logarithmic) != 0;
    for (size_t i = 0; i < s->count; i++) {
        if (!plot_usable(s, i, y->logarithmic)) continue;
        double x1 = plot_place(x, s->x[i]), y1 = plot_place(y, s->y[i]);
        double x0 = before < i ? plot_place(x, s->x[before]) : x1, y0 = before < i ? plot_place(y, s->y[before]) : y1;
        ex_draw_line(p, x0, y0, x1, y1, s->thickness, s->color);
        if (points <= PLOT_DOTS) ex_draw_line(p, x1, y1, x1, y1, s->thickness + 4, s->color);
        before = i;
    }
}

static void plot_legend(ex_picture *p, const ex_plot *plot, const plot_axis *x, const plot_axis *y)
{
    int widest = 0;
    for (size_t k = 0; k < plot->count; k++) {
        int width = ex_text_width(plot->series[k].name, 1);
        if (width > widest) widest = width;
    }
    int left = x->last - widest - 36, top = y->last + 8;
    for (size_t k = 0; k < plot->count; k++, top += 14) {
        ex_draw_rect(p, left - 6, top - 3, widest + 36, 14, plot_white);
        ex_draw_rect(p, left, top + 2, 18, 3, plot->series[k].color);
        ex_draw_text(p, left + 26, top, 1, plot_ink, plot->series[k].name);
    }
}

int ex_plot_save(const ex_plot *plot, int width, int height, const char *stem)
{
    plot_axis x, y;
    memset(&x, 0, sizeof x);
    memset(&y, 0, sizeof y);
    plot_range(plot, &x, &y);
    y.logarithmic = plot->log_y;
    x.first = 64;
    x.last = width - 20;
    y.first = height - 40;
    y.last = 52;
    plot_ticks_linear(&x);
    if (y.logarithmic)
        plot_ticks_log(&y);
    else
        plot_ticks_linear(&y);

    ex_picture p;
    if (ex_picture_create(&p, width, height, plot_white) != 0) return -1;
    plot_axes(&p, plot, &x, &y);
    for (size_t k = 0; k < plot->count; k++) plot_series(&p, &plot->series[k], &x, &y);
    plot_legend(&p, plot, &x, &y);
    int result = ex_picture_save(&p, stem);
    ex_picture_free(&p);
    return result;
}
