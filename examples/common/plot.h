/* Line plots with axes, ticks and a legend, as pictures. */
#ifndef EX_PLOT_H
#define EX_PLOT_H

#include <stddef.h>

#include "picture.h"

typedef struct ex_series {
    const char *name;
    const double *x, *y; /* NaN in y: no point there */
    size_t count;
    ex_color color;
    double thickness; /* of the line, in pixels */
} ex_series;

typedef struct ex_plot {
    const char *title, *x_label, *y_label;
    int log_y; /* logarithmic y axis; values of 0 and below are left out then */
    const ex_series *series;
    size_t count;
} ex_plot;

/** Colours that stay apart on white. */
ex_color ex_plot_color(size_t index);

/** Draws the plot on white and saves it as "stem" plus the picture extension. */
int ex_plot_save(const ex_plot *plot, int width, int height, const char *stem);

#endif
