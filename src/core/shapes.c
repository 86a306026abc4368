/*
 * Pictures of our own: one coloured shape on a shaded ground. A shape is a function that is negative inside of it and
 * grows like the distance from its edge, so that edges are soft over one pixel. Only additions, products, quotients and
 * square roots of doubles in a fixed order: the same bits on every machine.
 */
#include "dataset.h"
#include "sincos.h"

#include "shared/philox.h"

/* Random numbers of one item: number k is element `item` of stream SHAPES_STREAM + k. */
#define SHAPES_STREAM (UINT64_C(0xD6) << 56)
#define SHAPES_CHANNELS 3

typedef struct dataset_shapes {
    lstmae_dataset base;
    uint64_t seed;
} dataset_shapes;

typedef struct shapes_draw {
    uint64_t seed, item, next;
} shapes_draw;

/* One picture: where the shape is, and the colours. */
typedef struct shapes_scene {
    int kind;
    double x, y, radius, sine, cosine;
    double ink[SHAPES_CHANNELS], ground[SHAPES_CHANNELS], slope[2];
} shapes_scene;

static double shapes_uniform(shapes_draw *draw, double low, double high)
{
    return low + (high - low) * lae_philox_unit(draw->seed, SHAPES_STREAM + draw->next++, draw->item);
}

static double shapes_max(double a, double b)
{
    return a > b ? a : b;
}

static double shapes_min(double a, double b)
{
    return a < b ? a : b;
}

static double shapes_abs(double a)
{
    return a < 0 ? -a : a;
}

static double shapes_disk(double u, double v, double radius)
{
    return sqrt(u * u + v * v) - radius;
}

static double shapes_box(double u, double v, double half_width, double half_height)
{
    return shapes_max(shapes_abs(u) - half_width, shapes_abs(v) - half_height);
}

/* Distance of (u,v), in units of the shape's radius, from the edge of a shape: below 0 inside. */
static double shapes_distance(int kind, double u, double v)
{
    static const double root3 = 0.86602540378443864676; /* sqrt(3) / 2 */
    switch (kind) {
    case 0: return shapes_disk(u, v, 0.9);
    case 1: return shapes_abs(shapes_disk(u, v, 0.75)) - 0.2;
    case 2: return shapes_box(u, v, 0.75, 0.75);
    case 3: return shapes_abs(shapes_box(u, v, 0.65, 0.65)) - 0.17;
    case 4: return shapes_max(v - 0.5, shapes_max(root3 * u - 0.5 * v, -root3 * u - 0.5 * v) - 0.5);
    case 5: return shapes_min(shapes_box(u, v, 0.95, 0.28), shapes_box(u, v, 0.28, 0.95));
    case 6: return shapes_max(shapes_disk(u, v, 0.95), -shapes_disk(u - 0.45, v, 0.75));
    default: return shapes_box(u, shapes_abs(v) - 0.5, 0.85, 0.25);
    }
}

/* Colours: on a dark ground that grows lighter to one side, a bright shape with one channel brighter than the rest. */
static void shapes_paint(shapes_scene *scene, int channels, shapes_draw *draw)
{
    int brightest = (int)shapes_uniform(draw, 0, channels);
    for (int c = 0; c < channels; c++) {
        scene->ground[c] = shapes_uniform(draw, 0.05, 0.30);
        double low = c == brightest ? 0.75 : 0.20, ink = shapes_uniform(draw, low, 1.0);
        scene->ink[c] = ink;
    }
    scene->slope[0] = shapes_uniform(draw, -0.05, 0.05);
    scene->slope[1] = shapes_uniform(draw, -0.05, 0.05);
}

static void shapes_place(shapes_scene *scene, double size, shapes_draw *draw)
{
    lae_sincos_turns(shapes_uniform(draw, -0.04, 0.04), &scene->sine, &scene->cosine);
    scene->radius = size * shapes_uniform(draw, 0.22, 0.38);
    double room = 0.5 * size - scene->radius;
    scene->x = 0.5 * size + shapes_uniform(draw, -room, room);
    scene->y = 0.5 * size + shapes_uniform(draw, -room, room);
}

static lstmae_status dataset_shapes_read(const lstmae_dataset *dataset, int64_t index, float *item, float *scratch)
{
    (void)scratch;
    int channels = (int)dataset->dim[0];
    int64_t size = dataset->dim[1];
    shapes_draw draw = { ((const dataset_shapes *)dataset)->seed, (uint64_t)index, 0 };
    shapes_scene scene = { .kind = (int)(index % LSTMAE_SHAPES_CLASSES) };
    shapes_place(&scene, (double)size, &draw);
    shapes_paint(&scene, channels, &draw);
    for (int64_t y = 0; y < size; y++) {
        for (int64_t x = 0; x < size; x++, item++) {
            double dx = ((double)x + 0.5 - scene.x) / scene.radius, dy = ((double)y + 0.5 - scene.y) / scene.radius;
            double u = scene.cosine * dx + scene.sine * dy, v = scene.cosine * dy - scene.sine * dx;
            double share = 0.5 - scene.radius * shapes_distance(scene.kind, u, v);
            share = share < 0 ? 0 : share > 1 ? 1 : share;
            double shade = (scene.slope[0] * (double)x + scene.slope[1] * (double)y) / (double)size;
            for (int c = 0; c < channels; c++) {
                double ground = scene.ground[c] + shade;
                double value = ground + share * (scene.ink[c] - ground);
                item[c * size * size] = value < 0 ? 0.0f : (float)value;
            }
        }
    }
    return LSTMAE_OK;
}

static int64_t dataset_shapes_label(const lstmae_dataset *dataset, int64_t index)
{
    (void)dataset;
    return index % LSTMAE_SHAPES_CLASSES;
}

static const lae_dataset_kind dataset_shapes_kind = { dataset_shapes_read, NULL };

lstmae_status lstmae_dataset_shapes(lstmae_dataset **out, lstmae_context *context, int64_t count, int channels,
                                    int64_t size, uint64_t seed)
{
    LAE_CHECK_ARG(out, "dataset_shapes");
    *out = NULL;
    LAE_CHECK_ARG(context, "dataset_shapes");
    LAE_CHECK_ARG(count >= 0, "dataset_shapes");
    LAE_CHECK_ARG(channels == 1 || channels == 3, "dataset_shapes");
    LAE_CHECK_ARG(size >= 8 && size <= 1024, "dataset_shapes");
    int64_t dims[3] = { channels, size, size };
    LAE_TRY(lae_dataset_create(out, sizeof(dataset_shapes), &dataset_shapes_kind, context, count, 3, dims));
    (*out)->label = dataset_shapes_label;
    ((dataset_shapes *)*out)->seed = seed;
    return LSTMAE_OK;
}
