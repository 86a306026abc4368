/*
 * Digits of our own. Each digit is a few strokes through control points in a box of 100 x 100; an item moves the
 * points, bends the strokes through them, turns, shears and scales the whole and draws it by distance to the strokes.
 * Only additions, products, quotients and square roots of doubles in a fixed order: the same bits on every machine.
 */
#include "dataset.h"
#include "sincos.h"

#include "shared/philox.h"

#include <string.h>

#define STROKES_POINTS 10 /* control points of a stroke, at most */
#define STROKES_COUNT 3   /* strokes of a digit, at most */
#define STROKES_STEPS 6   /* line segments between two points of a curve */
#define STROKES_SEGMENTS (STROKES_COUNT * STROKES_POINTS * STROKES_STEPS)
#define STROKES_VARIANTS 3 /* ways of writing a digit, at most */

enum { STROKE_LINE = 1, STROKE_CURVE, STROKE_LOOP };

typedef struct stroke {
    unsigned char kind, points;          /* kind 0: no more strokes */
    unsigned char at[STROKES_POINTS][2]; /* x to the right, y down */
} stroke;

typedef struct glyph {
    stroke strokes[STROKES_COUNT];
} glyph;

#define P(x, y) \
    {           \
        x, y    \
    }
static const glyph glyphs[10][STROKES_VARIANTS] = {
    { { { { STROKE_LOOP,
            8,
            { P(50, 0), P(24, 13), P(15, 50), P(24, 87), P(50, 100), P(76, 87), P(85, 50), P(76, 13) } } } },
      { { { STROKE_LOOP, 6, { P(56, 0), P(24, 22), P(20, 72), P(44, 100), P(76, 80), P(80, 26) } } } } },
    { { { { STROKE_LINE, 2, { P(50, 0), P(50, 100) } } } },
      { { { STROKE_LINE, 3, { P(26, 26), P(54, 0), P(54, 100) } } } },
      { { { STROKE_LINE, 3, { P(28, 24), P(52, 0), P(52, 100) } }, { STROKE_LINE, 2, { P(26, 100), P(78, 100) } } } } },
    { { { { STROKE_CURVE, 7, { P(18, 26), P(30, 6), P(54, 0), P(78, 14), P(76, 38), P(50, 68), P(16, 100) } },
          { STROKE_LINE, 2, { P(16, 100), P(86, 98) } } } },
      { { { STROKE_CURVE,
            9,
            { P(20, 22), P(40, 2), P(70, 8), P(74, 36), P(50, 72), P(24, 96), P(14, 88), P(34, 80), P(86, 98) } } } } },
    { { { { STROKE_CURVE, 6, { P(20, 10), P(46, 0), P(74, 8), P(76, 28), P(62, 42), P(40, 47) } },
          { STROKE_CURVE, 6, { P(40, 47), P(68, 53), P(84, 72), P(70, 94), P(42, 100), P(14, 90) } } } },
      { { { STROKE_LINE, 3, { P(18, 2), P(78, 2), P(44, 42) } },
          { STROKE_CURVE, 6, { P(44, 42), P(70, 48), P(82, 70), P(68, 94), P(40, 100), P(16, 88) } } } } },
    { { { { STROKE_LINE, 3, { P(36, 2), P(14, 60), P(88, 58) } }, { STROKE_LINE, 2, { P(68, 26), P(62, 100) } } } },
      { { { STROKE_LINE, 4, { P(64, 100), P(64, 0), P(12, 66), P(90, 66) } } } },
      { { { STROKE_CURVE, 5, { P(22, 4), P(20, 40), P(34, 54), P(60, 50), P(74, 40) } },
          { STROKE_LINE, 2, { P(76, 2), P(68, 100) } } } } },
    { { { { STROKE_LINE, 3, { P(78, 2), P(30, 2), P(25, 42) } },
          { STROKE_CURVE, 7, { P(25, 42), P(50, 36), P(76, 48), P(82, 72), P(64, 96), P(38, 100), P(15, 88) } } } },
      { { { STROKE_CURVE,
            9,
            { P(80, 6), P(52, 2), P(34, 10), P(28, 40), P(56, 40), P(80, 60), P(72, 90), P(42, 100),
              P(16, 88) } } } } },
    { { { { STROKE_CURVE,
            10,
            { P(70, 2), P(40, 22), P(20, 54), P(22, 86), P(48, 100), P(74, 92), P(80, 70), P(62, 54), P(38, 58),
              P(23, 76) } } } },
      { { { STROKE_CURVE,
            9,
            { P(56, 0), P(32, 30), P(20, 70), P(36, 98), P(66, 98), P(80, 76), P(66, 58), P(40, 62),
              P(24, 82) } } } } },
    { { { { STROKE_LINE, 3, { P(14, 4), P(84, 2), P(42, 100) } } } },
      { { { STROKE_LINE, 3, { P(14, 4), P(84, 2), P(44, 100) } }, { STROKE_LINE, 2, { P(36, 52), P(78, 50) } } } },
      { { { STROKE_LINE, 2, { P(14, 6), P(84, 3) } },
          { STROKE_CURVE, 4, { P(84, 3), P(64, 36), P(50, 68), P(44, 100) } } } } },
    { { { { STROKE_LOOP,
            10,
            { P(52, 0), P(26, 11), P(28, 34), P(50, 48), P(76, 70), P(70, 94), P(48, 100), P(25, 92), P(24, 70),
              P(74, 30) } } } },
      { { { STROKE_LOOP, 6, { P(50, 0), P(27, 14), P(30, 38), P(50, 46), P(71, 36), P(73, 12) } },
          { STROKE_LOOP, 6, { P(50, 46), P(24, 60), P(24, 90), P(50, 100), P(77, 90), P(77, 60) } } } } },
    { { { { STROKE_LOOP, 6, { P(76, 22), P(54, 0), P(28, 8), P(22, 32), P(42, 50), P(68, 44) } },
          { STROKE_CURVE, 4, { P(77, 16), P(76, 44), P(70, 76), P(56, 100) } } } },
      { { { STROKE_LOOP, 6, { P(74, 22), P(52, 0), P(28, 10), P(24, 34), P(44, 48), P(68, 42) } },
          { STROKE_LINE, 2, { P(76, 10), P(68, 100) } } } },
      { { { STROKE_LOOP, 6, { P(76, 22), P(54, 0), P(28, 8), P(22, 32), P(42, 50), P(68, 44) } },
          { STROKE_CURVE, 6, { P(77, 16), P(79, 52), P(74, 84), P(54, 100), P(32, 98), P(22, 88) } } } } },
};
#undef P

typedef struct dataset_strokes {
    lstmae_dataset base;
    uint64_t seed;
} dataset_strokes;

/* Random numbers of one item: number k is element `item` of stream STROKES_STREAM + k. */
#define STROKES_STREAM (UINT64_C(0xD1) << 56)

typedef struct strokes_draw {
    uint64_t seed, item, next;
} strokes_draw;

static double strokes_uniform(strokes_draw *draw, double low, double high)
{
    return low + (high - low) * lae_philox_unit(draw->seed, STROKES_STREAM + draw->next++, draw->item);
}

/* The path of a digit: line segments of unit-box coordinates, then of pixels. */
typedef struct strokes_path {
    int count;
    double from[STROKES_SEGMENTS][2], to[STROKES_SEGMENTS][2];
} strokes_path;

static void strokes_add(strokes_path *path, const double from[2], const double to[2])
{
    memcpy(path->from[path->count], from, sizeof path->from[0]);
    memcpy(path->to[path->count], to, sizeof path->to[0]);
    path->count++;
}

/* A point between b and c of the Catmull-Rom curve through a, b, c, d; ends repeat their point. */
static void strokes_bend(double out[2], const double *a, const double *b, const double *c, const double *d, double t)
{
    for (int i = 0; i < 2; i++) {
        double m = 0.5 * (c[i] - a[i]), n = 0.5 * (d[i] - b[i]), rise = c[i] - b[i];
        out[i] = b[i] + t * (m + t * ((3.0 * rise - 2.0 * m - n) + t * (m + n - 2.0 * rise)));
    }
}

static void strokes_trace(strokes_path *path, const stroke *s, double points[][2])
{
    int n = s->points, loop = s->kind == STROKE_LOOP, steps = s->kind == STROKE_LINE ? 1 : STROKES_STEPS;
    for (int i = 0; i + !loop < n; i++) {
        const double *a = points[i > 0 ? i - 1 : loop ? n - 1 : 0], *b = points[i], *c = points[(i + 1) % n];
        const double *d = points[loop ? (i + 2) % n : i + 2 < n ? i + 2 : n - 1];
        double from[2] = { b[0], b[1] }, to[2] = { c[0], c[1] };
        for (int k = 1; k <= steps; k++) {
            if (k < steps)
                strokes_bend(to, a, b, c, d, (double)k / steps);
            else
                memcpy(to, c, sizeof to);
            strokes_add(path, from, to);
            memcpy(from, to, sizeof from);
        }
    }
}

/* A digit's strokes with every point moved a little. Points that strokes share stay together. */
static void strokes_write(strokes_path *path, int digit, strokes_draw *draw)
{
    int variants = 0;
    while (variants < STROKES_VARIANTS && glyphs[digit][variants].strokes[0].kind != 0) variants++;
    const glyph *g = &glyphs[digit][(int)strokes_uniform(draw, 0.0, variants)];
    double points[STROKES_POINTS][2], last[2] = { 0, 0 };
    path->count = 0;
    for (int i = 0; i < STROKES_COUNT && g->strokes[i].kind != 0; i++) {
        const stroke *s = &g->strokes[i], *before = i > 0 ? s - 1 : NULL;
        for (int k = 0; k < s->points; k++)
            for (int axis = 0; axis < 2; axis++)
                points[k][axis] = 0.01 * s->at[k][axis] + strokes_uniform(draw, -0.035, 0.035);
        if (before && memcmp(before->at[before->points - 1], s->at[0], sizeof s->at[0]) == 0)
            memcpy(points[0], last, sizeof last);
        memcpy(last, points[s->points - 1], sizeof last);
        strokes_trace(path, s, points);
    }
}

/* Turns, shears and scales the path and centres it in a frame of `size` pixels; returns half the pen's width. */
static double strokes_place(strokes_path *path, double size, strokes_draw *draw)
{
    double sine, cosine;
    lae_sincos_turns(strokes_uniform(draw, -0.03, 0.03), &sine, &cosine);
    double shear = strokes_uniform(draw, -0.25, 0.10); /* to the right, as most hands lean */
    double width = strokes_uniform(draw, 0.75, 1.05), pen = size * strokes_uniform(draw, 0.035, 0.060);
    double extent = size * strokes_uniform(draw, 0.68, 0.76);
    if (pen < 0.6) pen = 0.6;
    double low[2] = { 1e9, 1e9 }, high[2] = { -1e9, -1e9 };
    for (int i = 0; i < 2 * path->count; i++) {
        double *p = i & 1 ? path->to[i / 2] : path->from[i / 2];
        double x = width * (p[0] - 0.5) + shear * (p[1] - 0.5), y = p[1] - 0.5;
        p[0] = cosine * x - sine * y;
        p[1] = sine * x + cosine * y;
        for (int axis = 0; axis < 2; axis++) {
            if (p[axis] < low[axis]) low[axis] = p[axis];
            if (p[axis] > high[axis]) high[axis] = p[axis];
        }
    }
    double wide = high[0] - low[0], tall = high[1] - low[1];
    double scale = (extent - 2.0 * pen) / (wide > tall ? wide : tall);
    double shift[2] = { 0.5 * size + size * strokes_uniform(draw, -0.03, 0.03),
                        0.5 * size + size * strokes_uniform(draw, -0.03, 0.03) };
    for (int i = 0; i < 2 * path->count; i++) {
        double *p = i & 1 ? path->to[i / 2] : path->from[i / 2];
        for (int axis = 0; axis < 2; axis++) p[axis] = shift[axis] + scale * (p[axis] - 0.5 * (low[axis] + high[axis]));
    }
    return pen;
}

/* Pixels from `low` to below `high` that points between a and b with `reach` around them may touch. */
static void strokes_span(int64_t size, double a, double b, double reach, int64_t *low, int64_t *high)
{
    double least = (a < b ? a : b) - reach - 0.5, most = (a < b ? b : a) + reach + 0.5;
    *low = least > 0 ? (int64_t)least : 0;
    *high = most < (double)size ? (int64_t)most + 1 : size;
    if (*high > size) *high = size;
}

/* Ink of a pixel: 1 inside of the pen's width, falling to 0 over one pixel at its edge; strokes join by maximum. */
static void strokes_ink(float *item, int64_t size, const double a[2], const double b[2], double pen)
{
    int64_t x0, x1, y0, y1;
    strokes_span(size, a[0], b[0], pen + 0.5, &x0, &x1);
    strokes_span(size, a[1], b[1], pen + 0.5, &y0, &y1);
    double along[2] = { b[0] - a[0], b[1] - a[1] };
    double square = along[0] * along[0] + along[1] * along[1];
    for (int64_t y = y0; y < y1; y++) {
        for (int64_t x = x0; x < x1; x++) {
            double dx = (double)x + 0.5 - a[0], dy = (double)y + 0.5 - a[1];
            double t = square > 0 ? (dx * along[0] + dy * along[1]) / square : 0.0;
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            dx -= t * along[0];
            dy -= t * along[1];
            double ink = pen + 0.5 - sqrt(dx * dx + dy * dy);
            float value = ink > 1 ? 1.0f : (float)ink;
            if (value > item[y * size + x]) item[y * size + x] = value;
        }
    }
}

static lstmae_status dataset_strokes_read(const lstmae_dataset *dataset, int64_t index, float *item, float *scratch)
{
    (void)scratch;
    int64_t size = dataset->dim[0];
    strokes_draw draw = { ((const dataset_strokes *)dataset)->seed, (uint64_t)index, 0 };
    strokes_path path;
    memset(item, 0, dataset->elements * sizeof *item);
    strokes_write(&path, (int)(index % 10), &draw);
    double pen = strokes_place(&path, (double)size, &draw);
    for (int i = 0; i < path.count; i++) strokes_ink(item, size, path.from[i], path.to[i], pen);
    return LSTMAE_OK;
}

static int64_t dataset_strokes_label(const lstmae_dataset *dataset, int64_t index)
{
    (void)dataset;
    return index % 10;
}

static const lae_dataset_kind dataset_strokes_kind = { dataset_strokes_read, NULL };

lstmae_status lstmae_dataset_strokes(lstmae_dataset **out, lstmae_context *context, int64_t count, int64_t size,
                                     uint64_t seed)
{
    LAE_CHECK_ARG(out, "dataset_strokes");
    *out = NULL;
    LAE_CHECK_ARG(context, "dataset_strokes");
    LAE_CHECK_ARG(count >= 0, "dataset_strokes");
    LAE_CHECK_ARG(size >= 8 && size <= 4096, "dataset_strokes");
    int64_t dims[2] = { size, size };
    LAE_TRY(lae_dataset_create(out, sizeof(dataset_strokes), &dataset_strokes_kind, context, count, 2, dims));
    (*out)->label = dataset_strokes_label;
    ((dataset_strokes *)*out)->seed = seed;
    return LSTMAE_OK;
}
