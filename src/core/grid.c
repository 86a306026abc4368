#include "grid.h"

#include "deflate.h"
#include "options.h"
#include "replace.h"
#include "rows.h"

#include <math.h>
#include <string.h>

/* Largest gap and magnification; sizes are checked as a whole after that. */
#define GRID_MOST 1024

/* Where things are in a grid, in pixels of the picture. */
typedef struct grid {
    int64_t count, channels, height, width; /* of the images */
    int64_t columns, lines;
    lstmae_grid_options options;
} grid;

lstmae_status lae_grid_options(lstmae_grid_options *out, const lstmae_grid_options *options, const char *name)
{
    static const lstmae_grid_options defaults = LSTMAE_GRID_OPTIONS_INIT;
    LAE_TRY(lae_options_read(out, &defaults, sizeof *out, options, sizeof *out, "grid options"));
    LAE_CHECK_ARG(out->columns >= 0, name);
    LAE_CHECK_ARG(out->gap >= 0 && out->gap <= GRID_MOST, name);
    LAE_CHECK_ARG(out->scale >= 1 && out->scale <= GRID_MOST, name);
    LAE_CHECK_ARG(isfinite(out->low) && isfinite(out->high) && out->low < out->high, name);
    LAE_CHECK_ARG(isfinite(out->high - out->low), name);
    return LSTMAE_OK;
}

static lstmae_status grid_layout(grid *g, const lstmae_tensor *images, const lstmae_grid_options *options,
                                 const char *name)
{
    char text[LAE_SHAPE_TEXT];
    const lstmae_view *view = &images->view;
    int ndim = view->ndim;
    *g = (grid){ .count = ndim == 4 ? view->dim[0] : 1, .channels = ndim > 2 ? view->dim[ndim - 3] : 1 };
    if (ndim >= 2) {
        g->height = view->dim[ndim - 2];
        g->width = view->dim[ndim - 1];
    }
    if (ndim < 2 || lae_view_numel(view) == 0 || (g->channels != 1 && g->channels != 3))
        return LAE_FAIL(ERR_SHAPE, "%s: expected images [B,C,H,W] with 1 or 3 channels, got %s", name,
                        lae_shape_text(text, sizeof text, view));
    if (g->count > INT32_MAX || g->height > LAE_PNG_SIDE || g->width > LAE_PNG_SIDE)
        return LAE_FAIL(ERR_SHAPE, "%s: expected images that fit in a picture, got %s", name,
                        lae_shape_text(text, sizeof text, view));
    g->options = *options;
    g->columns = options->columns > 0 ? options->columns : (int64_t)ceil(sqrt((double)g->count));
    if (g->columns > g->count) g->columns = g->count;
    g->lines = (g->count + g->columns - 1) / g->columns;
    return LSTMAE_OK;
}

static lstmae_status grid_create(lae_picture *picture, const grid *g, lae_memory *memory, const char *name)
{
    int64_t gap = g->options.gap, scale = g->options.scale;
    *picture = (lae_picture){ .width = g->columns * (g->width * scale + gap) + gap,
                              .height = g->lines * (g->height * scale + gap) + gap,
                              .channels = (int)g->channels };
    LAE_TRY(lae_picture_check(picture, name));
    size_t bytes = (size_t)(picture->width * picture->height * g->channels);
    picture->pixels = lae_alloc(memory, bytes);
    if (!picture->pixels) return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for %zu bytes", name, bytes);
    memset(picture->pixels, 255, bytes);
    return LSTMAE_OK;
}

/* 0 for NaN too. */
static unsigned char grid_byte(const lstmae_grid_options *options, double value)
{
    double share = (value - options->low) / (options->high - options->low);
    return share >= 1 ? 255 : share > 0 ? (unsigned char)(255.0 * share + 0.5) : 0;
}

/* Image `index`, its values [C,H,W]. */
static void grid_put(lae_picture *picture, const grid *g, int64_t index, const double *values)
{
    int64_t gap = g->options.gap, scale = g->options.scale, plane = g->height * g->width;
    int64_t left = gap + index % g->columns * (g->width * scale + gap);
    int64_t top = gap + index / g->columns * (g->height * scale + gap);
    for (int64_t y = 0; y < g->height * scale; y++) {
        unsigned char *to = picture->pixels + ((top + y) * picture->width + left) * g->channels;
        const double *from = values + y / scale * g->width;
        for (int64_t x = 0; x < g->width; x++) {
            for (int64_t c = 0; c < g->channels; c++) to[c] = grid_byte(&g->options, from[x + c * plane]);
            for (int64_t s = 1; s < scale; s++) memcpy(to + s * g->channels, to, (size_t)g->channels);
            to += scale * g->channels;
        }
    }
}

static lstmae_status grid_fill(lae_picture *picture, const grid *g, lae_rows *rows, lae_memory *memory,
                               const char *name)
{
    /* Rows of the tensor's first axis: images, or the planes or lines of a single one. */
    int64_t together = rows->count / g->count;
    size_t bytes = (size_t)(together * rows->width) * sizeof(double);
    double *values = lae_alloc(memory, bytes);
    if (!values) return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for %zu bytes", name, bytes);
    lstmae_status status = LSTMAE_OK;
    for (int64_t i = 0; i < g->count && status == LSTMAE_OK; i++) {
        status = lae_rows_read(rows, i * together, together, values);
        if (status == LSTMAE_OK) grid_put(picture, g, i, values);
    }
    lae_free(memory, values, bytes);
    return status;
}

lstmae_status lae_grid_draw(lae_picture *picture, const lstmae_tensor *images, const lstmae_grid_options *options,
                            const char *name)
{
    grid g;
    lae_rows rows = { .count = 0 };
    lae_memory *memory = lae_context_memory(images->storage->context);
    *picture = (lae_picture){ .pixels = NULL };
    LAE_TRY(grid_layout(&g, images, options, name));
    lstmae_status status = lae_rows_open(&rows, images, images->view.dim[0] / g.count, name);
    if (status == LSTMAE_OK) status = grid_create(picture, &g, memory, name);
    if (status == LSTMAE_OK) status = grid_fill(picture, &g, &rows, memory, name);
    lae_rows_close(&rows);
    if (status < 0) lae_picture_free(picture, memory);
    return status;
}

void lae_picture_free(lae_picture *picture, lae_memory *memory)
{
    lae_free(memory, picture->pixels, (size_t)(picture->width * picture->height * picture->channels));
    picture->pixels = NULL;
}

lstmae_status lae_picture_save(const lae_picture *picture, const char *path, lae_memory *memory)
{
    lae_bytes png = LAE_BYTES_OF(memory);
    lae_png_encode(&png, picture, lae_deflate_level());
    lstmae_status status = lae_bytes_status(&png, path);
    if (status == LSTMAE_OK) status = lae_replace_content(path, png.data, png.size);
    lae_bytes_free(&png);
    return status;
}

lstmae_status lstmae_grid_save(const char *path, const lstmae_tensor *images, const lstmae_grid_options *options)
{
    lae_picture picture;
    lstmae_grid_options o;
    LAE_CHECK_ARG(path, "grid_save");
    LAE_CHECK_ARG(images, "grid_save");
    LAE_TRY(lae_grid_options(&o, options, "grid_save"));
    LAE_TRY(lae_grid_draw(&picture, images, &o, "grid_save"));
    lae_memory *memory = lae_context_memory(images->storage->context);
    lstmae_status status = lae_picture_save(&picture, path, memory);
    lae_picture_free(&picture, memory);
    return status;
}

lstmae_status lstmae_png_save(const char *path, const uint8_t *pixels, int64_t width, int64_t height, int channels)
{
    LAE_CHECK_ARG(path, "png_save");
    LAE_CHECK_ARG(pixels, "png_save");
    const lae_picture picture = { width, height, channels, (unsigned char *)(uintptr_t)pixels };
    LAE_TRY(lae_picture_check(&picture, "png_save"));
    return lae_picture_save(&picture, path, lae_memory_default());
}
