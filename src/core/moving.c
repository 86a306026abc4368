/*
 * Moving MNIST (Srivastava, Mansimov, Salakhutdinov, "Unsupervised learning of video representations using LSTMs",
 * ICML 2015), as its authors' code makes it.
 */
#include "dataset.h"
#include "options.h"
#include "permute.h"
#include "sincos.h"

#include "shared/philox.h"

#include <string.h>

/* Streams of random numbers: for values slot and value; for orders slot and epoch, which repeat after 2^48 epochs. */
#define MOVING_STREAM (UINT64_C(0xD2) << 56)
#define MOVING_SHUFFLE (UINT64_C(0xD3) << 56)
#define MOVING_EPOCHS (UINT64_C(1) << 48)
#define MOVING_DIGITS 64

enum { MOVING_X, MOVING_Y, MOVING_DIRECTION };

typedef struct dataset_moving {
    lstmae_dataset base;
    lstmae_dataset *images; /* retained */
    int32_t digits;
    double speed;
    uint64_t seed;
} dataset_moving;

static double moving_draw(const dataset_moving *moving, int32_t slot, int what, int64_t index)
{
    uint64_t stream = MOVING_STREAM + ((uint64_t)slot << 8) + (uint64_t)what;
    return lae_philox_unit(moving->seed, stream, (uint64_t)index);
}

/* Every slot goes through all images in an order of its own, then through them in another. */
static int64_t moving_image(const dataset_moving *moving, int32_t slot, int64_t index)
{
    int64_t images = moving->images->count;
    uint64_t stream = MOVING_SHUFFLE + ((uint64_t)slot << 48) + (uint64_t)(index / images) % MOVING_EPOCHS;
    return (int64_t)lae_permute(moving->seed, stream, (uint64_t)(index % images), (uint64_t)images);
}

/* One step along an axis: at a wall the position is clamped and the velocity turned. */
static void moving_step(double *position, double *velocity, double speed)
{
    *position += speed * *velocity;
    if (*position <= 0.0) {
        *position = 0.0;
        *velocity = -*velocity;
    } else if (*position >= 1.0) {
        *position = 1.0;
        *velocity = -*velocity;
    }
}

/* Overlap by maximum. */
static void moving_paste(float *frame, int64_t size, const float *image, int64_t height, int64_t width)
{
    for (int64_t y = 0; y < height; y++, frame += size, image += width)
        for (int64_t x = 0; x < width; x++) frame[x] = image[x] > frame[x] ? image[x] : frame[x];
}

static lstmae_status dataset_moving_read(const lstmae_dataset *dataset, int64_t index, float *item, float *scratch)
{
    const dataset_moving *moving = (const dataset_moving *)dataset;
    const lstmae_dataset *images = moving->images;
    int64_t frames = dataset->dim[0], size = dataset->dim[1], height = images->dim[0], width = images->dim[1];
    float *image = scratch;
    memset(item, 0, dataset->elements * sizeof *item);
    for (int32_t slot = 0; slot < moving->digits; slot++) {
        LAE_TRY(images->kind->read(images, moving_image(moving, slot, index), image, scratch + images->elements));
        double x = moving_draw(moving, slot, MOVING_X, index), y = moving_draw(moving, slot, MOVING_Y, index);
        double vx, vy;
        lae_sincos_turns(moving_draw(moving, slot, MOVING_DIRECTION, index), &vy, &vx);
        for (int64_t t = 0; t < frames; t++) {
            moving_step(&x, &vx, moving->speed);
            moving_step(&y, &vy, moving->speed);
            int64_t left = (int64_t)((double)(size - width) * x), top = (int64_t)((double)(size - height) * y);
            moving_paste(item + (t * size + top) * size + left, size, image, height, width);
        }
    }
    return LSTMAE_OK;
}

static void dataset_moving_destroy(lstmae_dataset *dataset)
{
    lstmae_dataset_destroy(((dataset_moving *)dataset)->images);
}

static const lae_dataset_kind dataset_moving_kind = { dataset_moving_read, dataset_moving_destroy };

lstmae_status lstmae_dataset_moving(lstmae_dataset **out, lstmae_dataset *images, const lstmae_moving_options *options)
{
    static const lstmae_moving_options defaults = LSTMAE_MOVING_OPTIONS_INIT;
    lstmae_moving_options o;
    LAE_CHECK_ARG(out, "dataset_moving");
    *out = NULL;
    LAE_CHECK_ARG(images, "dataset_moving");
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "moving options"));
    LAE_CHECK_ARG(o.flags == 0 && o.reserved == 0, "dataset_moving");
    LAE_CHECK_ARG(o.frames >= 1, "dataset_moving");
    LAE_CHECK_ARG(o.digits >= 1 && o.digits <= MOVING_DIGITS, "dataset_moving");
    LAE_CHECK_ARG(o.speed >= 0 && o.speed <= 1, "dataset_moving");
    if (images->ndim != 2)
        return LAE_FAIL(ERR_SHAPE, "dataset_moving: expected images [height,width], got %d axes", images->ndim);
    if (images->count < 1) return LAE_FAIL(ERR_SHAPE, "dataset_moving: expected 1 image or more, got none");
    if (o.size < images->dim[0] || o.size < images->dim[1])
        return LAE_FAIL(ERR_SHAPE, "dataset_moving: expected a frame that holds images of %lldx%lld, got %lldx%lld",
                        (long long)images->dim[0], (long long)images->dim[1], (long long)o.size, (long long)o.size);
    int64_t dims[3] = { o.frames, o.size, o.size };
    LAE_TRY(lae_dataset_create(out, sizeof(dataset_moving), &dataset_moving_kind, images->context, INT64_MAX, 3, dims));
    dataset_moving *moving = (dataset_moving *)*out;
    moving->base.scratch = images->elements + images->scratch;
    moving->images = lae_dataset_retain(images);
    moving->digits = o.digits;
    moving->speed = o.speed;
    moving->seed = o.seed;
    return LSTMAE_OK;
}
