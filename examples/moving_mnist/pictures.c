#include "pictures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/animation.h"
#include "../common/csvlog.h"
#include "../common/files.h"
#include "../common/plot.h"
#include "../common/report.h"
#include "../common/sheet.h"
#include "training.h"

/* Layout of an animation: a caption, then a row of true frames over a row of the network's. */
enum { SCENE_WIDTH = 680, SCENE_LEFT = 104, SCENE_TOP = 40, SCENE_GAP = 8, SCENE_BORDER = 2 };
enum { DELAY_FRAME = 16, DELAY_TURN = 60, DELAY_END = 120 }; /* hundredths of a second */

static const ex_color scene_ground = {24, 24, 24}, scene_ink = {235, 235, 235};
static const ex_color scene_quiet = {96, 96, 96}, scene_active = {230, 130, 30};

typedef struct scene {
    const mm_samples *samples;
    int scale;
} scene;

static int scene_cell(const scene *s, int64_t side)
{
    return (int)side * s->scale + 2 * SCENE_BORDER;
}

/* One picture: frame `t` of `truth` and of `output`, [count,frames,h,w] each. */
static int scene_draw(const scene *s, ex_picture *p, const char *caption, const float *truth, const float *output,
                      int64_t frames, int64_t t, ex_color border)
{
    const mm_samples *m = s->samples;
    int cell_w = scene_cell(s, m->width), cell_h = scene_cell(s, m->height);
    int width = SCENE_LEFT + (int)m->count * (cell_w + SCENE_GAP), height = SCENE_TOP + 2 * (cell_h + SCENE_GAP);
    if (ex_picture_create(p, width, height, scene_ground) != 0) return -1;
    ex_draw_text(p, SCENE_GAP, 12, 2, scene_ink, caption);
    for (int row = 0; row < 2; row++) {
        int y = SCENE_TOP + row * (cell_h + SCENE_GAP);
        ex_draw_text(p, SCENE_GAP, y + (cell_h - 2 * EX_TEXT_HEIGHT) / 2, 2, scene_ink, row == 0 ? "truth" : "network");
        for (int64_t i = 0; i < m->count; i++) {
            int x = SCENE_LEFT + (int)i * (cell_w + SCENE_GAP);
            const float *from = (row == 0 ? truth : output) + (i * frames + t) * m->height * m->width;
            ex_draw_frame(p, x, y, cell_w, cell_h, SCENE_BORDER, row == 0 ? scene_quiet : border);
            ex_draw_image(p, x + SCENE_BORDER, y + SCENE_BORDER, from, 1, (int)m->width, (int)m->height, s->scale);
        }
    }
    return 0;
}

static int scene_save(const mm_settings *settings, ex_picture *pictures, const int *delays, int count, const char *name)
{
    char stem[EX_PATH_SIZE];
    int result = ex_path(stem, sizeof stem, settings->out, name);
    if (result == 0) result = ex_animation_save(pictures, delays, count, stem);
    if (result == 0) printf("wrote %s%s\n", stem, ex_animation_extension());
    return result;
}

/* The frames that were watched, then true future over prediction. */
static int scene_prediction(const scene *s, const mm_settings *settings, ex_picture *pictures, int *delays)
{
    const mm_samples *m = s->samples;
    char caption[96];
    int count = 0, result = 0;
    for (int64_t t = 0; result == 0 && t < m->frames_in; t++, count++) {
        snprintf(caption, sizeof caption, "watching frame %lld of %lld", (long long)t + 1, (long long)m->frames_in);
        delays[count] = t + 1 < m->frames_in ? DELAY_FRAME : DELAY_TURN;
        result = scene_draw(s, &pictures[count], caption, m->input, m->input, m->frames_in, t, scene_quiet);
    }
    for (int64_t t = 0; result == 0 && t < m->frames_out; t++, count++) {
        snprintf(caption, sizeof caption, "predicting frame %lld of %lld", (long long)t + 1, (long long)m->frames_out);
        delays[count] = t + 1 < m->frames_out ? DELAY_FRAME : DELAY_END;
        result = scene_draw(s, &pictures[count], caption, m->future, m->prediction, m->frames_out, t, scene_active);
    }
    return result == 0 ? scene_save(settings, pictures, delays, count, "prediction") : -1;
}

/* The watched frames from the last to the first, as the decoder replays them. */
static int scene_reconstruction(const scene *s, const mm_settings *settings, ex_picture *pictures, int *delays)
{
    const mm_samples *m = s->samples;
    char caption[96];
    int count = 0, result = 0;
    for (int64_t t = m->frames_in - 1; result == 0 && t >= 0; t--, count++) {
        snprintf(caption, sizeof caption, "replaying backwards: frame %lld of %lld", (long long)t + 1,
                 (long long)m->frames_in);
        delays[count] = t > 0 ? DELAY_FRAME : DELAY_END;
        result = scene_draw(s, &pictures[count], caption, m->input, m->reconstruction, m->frames_in, t, scene_active);
    }
    return result == 0 ? scene_save(settings, pictures, delays, count, "reconstruction") : -1;
}

static int pictures_animations(const mm_samples *m, const mm_settings *settings)
{
    int room = SCENE_WIDTH / (int)m->count - SCENE_GAP - 2 * SCENE_BORDER;
    scene s = {m, room / (int)m->width > 1 ? room / (int)m->width : 1};
    size_t most = (size_t)(m->frames_in + m->frames_out);
    int *delays = calloc(most, sizeof *delays), result = -1;
    for (int kind = 0; kind < 2; kind++) {
        ex_picture *pictures = calloc(most, sizeof *pictures);
        if (delays == NULL || pictures == NULL)
            result = ex_fail("out of memory for an animation");
        else if (kind == 0)
            result = scene_prediction(&s, settings, pictures, delays);
        else
            result = scene_reconstruction(&s, settings, pictures, delays);
        for (size_t i = 0; pictures != NULL && i < most; i++) ex_picture_free(&pictures[i]);
        free(pictures);
        if (result != 0) break;
    }
    free(delays);
    return result;
}

static int pictures_sheet(const mm_samples *m, const mm_settings *settings)
{
    static const ex_color truth = {110, 110, 110}, network = {230, 130, 30};
    ex_sheet_row rows[4 * 16]; /* --pictures is at most 16 */
    int64_t in = m->frames_in * m->height * m->width, out = m->frames_out * m->height * m->width;
    for (int64_t i = 0; i < m->count; i++) {
        rows[4 * i] = (ex_sheet_row){"watched", m->input + i * in, (int)m->frames_in, i > 0, truth};
        rows[4 * i + 1] = (ex_sheet_row){"replayed", m->reconstruction + i * in, (int)m->frames_in, 0, network};
        rows[4 * i + 2] = (ex_sheet_row){"future", m->future + i * out, (int)m->frames_out, 0, truth};
        rows[4 * i + 3] = (ex_sheet_row){"predicted", m->prediction + i * out, (int)m->frames_out, 0, network};
    }
    char stem[EX_PATH_SIZE];
    const ex_sheet sheet = {"Held-out sequences, first to last frame", NULL, 1, (int)m->width, (int)m->height,
                            m->width <= 32 ? 2 : 1};
    int result = ex_path(stem, sizeof stem, settings->out, "contact_sheet");
    if (result == 0) result = ex_sheet_save(&sheet, rows, 4 * (int)m->count, stem);
    if (result == 0) printf("wrote %s" EX_PICTURE_EXTENSION "\n", stem);
    return result;
}

/* The log's columns: training loss thin, held-out loss thick. */
static int pictures_loss(const mm_settings *settings)
{
    char path[EX_PATH_SIZE], stem[EX_PATH_SIZE];
    size_t rows = 0;
    if (ex_path(path, sizeof path, settings->out, MM_LOG_NAME) != 0) return -1;
    if (ex_path(stem, sizeof stem, settings->out, "loss") != 0) return -1;
    double *log = ex_csv_read(path, MM_LOG_COLUMNS, &rows), *columns = malloc((3 * rows + 1) * sizeof *columns);
    int result = log != NULL && columns != NULL ? 0 : ex_fail("%s: cannot be plotted", path);
    if (result == 0) {
        for (size_t i = 0; i < rows; i++) {
            columns[i] = log[i * MM_LOG_COLUMNS + MM_LOG_ITERATION];
            columns[rows + i] = log[i * MM_LOG_COLUMNS + MM_LOG_LOSS];
            columns[2 * rows + i] = log[i * MM_LOG_COLUMNS + MM_LOG_HELD];
        }
        ex_series series[2] = {{"training", columns, columns + rows, rows, ex_plot_color(0), 1},
                               {"held-out", columns, columns + 2 * rows, rows, ex_plot_color(1), 2.5}};
        ex_plot plot = {"Loss while training", "updates", "reconstruction + prediction", 1, series, 2};
        result = ex_plot_save(&plot, 800, 480, stem);
    }
    if (result == 0) printf("wrote %s and %s" EX_PICTURE_EXTENSION "\n", path, stem);
    free(columns);
    free(log);
    return result;
}

int mm_pictures(const mm_samples *samples, const mm_settings *settings)
{
    if (pictures_animations(samples, settings) != 0) return -1;
    if (pictures_sheet(samples, settings) != 0) return -1;
    return pictures_loss(settings);
}
