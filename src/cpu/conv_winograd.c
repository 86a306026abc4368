/* What the two entries of conv_winograd.h share: which shapes, where tiles are, and the transforms of weights. */
#include "conv_winograd.h"

#include <stddef.h>

/* Channels on either side at least: each is transformed. */
#define WINOGRAD_CHANNELS 16

/* Of the multiplications of the direct sums, those that the tiles may need: the transforms want their share. */
#define WINOGRAD_SHARE 0.7

/* Bytes of the planes of a chunk, about. */
#define WINOGRAD_CHUNK_BYTES ((int64_t)192 << 10)

/* From this many floats on, a pitch that is no power of two keeps the tiles of a column in different cache sets. */
#define WINOGRAD_WIDE 128
#define WINOGRAD_GAP 16

/* Pairs of a position of out and a tap inside of the image. */
static int64_t winograd_taps_inside(const lae_conv_rule *rule, int64_t shift)
{
    int64_t inside = 0;
    for (int64_t position = 0; position < rule->out; position++)
        for (int64_t tap = 0; tap < 3; tap++) {
            const int64_t source = position + shift + tap;
            inside += source >= 0 && source < rule->in;
        }
    return inside;
}

static int winograd_rule(const lae_conv_rule *rule)
{
    return rule->taps == 3 && rule->stride == 1 && rule->dilation == 1;
}

/* in = out + tap - padding forward; transposed in = out + padding - tap, whose taps are packed the other way round. */
static int64_t winograd_shift(const lae_conv_rule *rule)
{
    return rule->transposed ? rule->padding - 2 : -rule->padding;
}

lae_winograd lae_winograd_of(const lae_conv_shape *shape)
{
    return (lae_winograd){ (shape->height.out + 1) / 2, (shape->width.out + 1) / 2, winograd_shift(&shape->height),
                           winograd_shift(&shape->width) };
}

int lae_winograd_fits(const lae_conv_shape *shape, int64_t pairs)
{
    const lae_winograd tiles = lae_winograd_of(shape);
    if (!winograd_rule(&shape->height) || !winograd_rule(&shape->width) || shape->diagonal) return 0;
    if (shape->depth < WINOGRAD_CHANNELS || shape->features < WINOGRAD_CHANNELS) return 0;
    if (shape->depth * shape->features < pairs) return 0;
    const double direct = (double)winograd_taps_inside(&shape->height, tiles.row_shift) *
                          (double)winograd_taps_inside(&shape->width, tiles.column_shift);
    return LAE_WINOGRAD_PLANES * (double)tiles.rows * (double)tiles.columns <= WINOGRAD_SHARE * direct;
}

lae_conv_shape lae_winograd_planes(const lae_conv_shape *shape)
{
    lae_conv_shape planes = *shape;
    planes.height.taps = planes.width.taps = LAE_WINOGRAD_PATCH;
    return planes;
}

int64_t lae_winograd_pitch(const lae_conv_kernels *kernels, int64_t channels)
{
    const int64_t whole = (channels + kernels->lanes - 1) / kernels->lanes * kernels->lanes;
    return whole >= WINOGRAD_WIDE ? whole + WINOGRAD_GAP : whole;
}

int64_t lae_winograd_plane(int64_t pitch, int64_t tiles)
{
    return lae_conv_lines(pitch * tiles) + WINOGRAD_GAP;
}

int64_t lae_winograd_chunk(int64_t channels, int64_t most)
{
    const int64_t tile = LAE_WINOGRAD_PLANES * channels * (int64_t)sizeof(float);
    const int64_t fit = WINOGRAD_CHUNK_BYTES / tile / LAE_CONV_TILE * LAE_CONV_TILE;
    return fit < 2 * LAE_CONV_TILE ? 2 * LAE_CONV_TILE : fit < most ? fit : most;
}

void lae_winograd_patches(const lae_winograd *tiles, const lae_conv_kernels *kernels, const lae_conv_shape *shape,
                          const lae_conv_image *in, const float *zeros, int64_t t0, int64_t t1, float *planes,
                          int64_t pitch, int64_t plane)
{
    const int64_t each = tiles->rows * tiles->columns, channels = shape->groups * shape->depth;
    const float *pixels[LAE_WINOGRAD_PLANES];
    for (int64_t tile = t0; tile < t1; tile++, planes += pitch) {
        const int64_t row = tile % each / tiles->columns * LAE_WINOGRAD_TILE + tiles->row_shift;
        const int64_t column = tile % each % tiles->columns * LAE_WINOGRAD_TILE + tiles->column_shift;
        for (int64_t r = 0; r < LAE_WINOGRAD_PATCH; r++) {
            const int inside = row + r >= 0 && row + r < shape->height.in;
            const float *line = inside ? in->data + tile / each * in->batch + (row + r) * in->row : zeros;
            for (int64_t s = 0; s < LAE_WINOGRAD_PATCH; s++) {
                const int64_t at = column + s;
                pixels[LAE_WINOGRAD_PATCH * r + s] =
                    inside && at >= 0 && at < shape->width.in ? line + at * in->column : zeros;
            }
        }
        kernels->patch(planes, plane, pixels, channels);
    }
}

void lae_winograd_ahead(lae_conv_ahead *ahead, int k, const lae_winograd *tiles, const lae_conv_image *image,
                        int64_t rows, int64_t batch, int64_t tile, int64_t count, int64_t calls)
{
    const int64_t each = tiles->rows * tiles->columns, floats = rows * image->row, all = batch * floats;
    const int64_t begin = (int64_t)((double)tile / (double)each * (double)floats);
    const int64_t next = (int64_t)((double)count / (double)each * (double)floats);
    ahead->from[k] = image->data;
    ahead->floats[k] = 0;
    if (image->batch != floats || begin >= all) return;
    ahead->from[k] += begin;
    ahead->floats[k] = lae_conv_lines((next < all - begin ? next : all - begin) / calls);
}

void lae_winograd_pixels(const lae_winograd *tiles, const lae_conv_shape *shape, const lae_conv_image *out,
                         int64_t tile, int64_t c, float *pixels[LAE_WINOGRAD_TILE * LAE_WINOGRAD_TILE])
{
    const int64_t each = tiles->rows * tiles->columns;
    const int64_t row = tile % each / tiles->columns * LAE_WINOGRAD_TILE;
    const int64_t column = tile % each % tiles->columns * LAE_WINOGRAD_TILE;
    float *first = out->data + tile / each * out->batch + row * out->row + column * out->column + c;
    const int below = row + 1 < shape->height.out, beside = column + 1 < shape->width.out;
    pixels[0] = first;
    pixels[1] = beside ? first + out->column : NULL;
    pixels[2] = below ? first + out->row : NULL;
    pixels[3] = below && beside ? first + out->row + out->column : NULL;
}

void lae_winograd_weights(float planes[LAE_WINOGRAD_PLANES], const float taps[9])
{
    float rows[4][3];
    for (int s = 0; s < 3; s++) {
        const float outer = taps[s] + taps[6 + s];
        rows[0][s] = taps[s];
        rows[1][s] = 0.5f * (outer + taps[3 + s]);
        rows[2][s] = 0.5f * (outer - taps[3 + s]);
        rows[3][s] = taps[6 + s];
    }
    for (int r = 0; r < 4; r++) {
        const float outer = rows[r][0] + rows[r][2];
        planes[4 * r] = rows[r][0];
        planes[4 * r + 1] = 0.5f * (outer + rows[r][1]);
        planes[4 * r + 2] = 0.5f * (outer - rows[r][1]);
        planes[4 * r + 3] = rows[r][2];
    }
}

void lae_winograd_taps(double taps[9], const double sums[LAE_WINOGRAD_PLANES])
{
    double rows[3][4];
    for (int s = 0; s < 4; s++) {
        rows[0][s] = sums[s] + 0.5 * (sums[4 + s] + sums[8 + s]);
        rows[1][s] = 0.5 * (sums[4 + s] - sums[8 + s]);
        rows[2][s] = 0.5 * (sums[4 + s] + sums[8 + s]) + sums[12 + s];
    }
    for (int r = 0; r < 3; r++) {
        taps[3 * r] = rows[r][0] + 0.5 * (rows[r][1] + rows[r][2]);
        taps[3 * r + 1] = 0.5 * (rows[r][1] - rows[r][2]);
        taps[3 * r + 2] = 0.5 * (rows[r][1] + rows[r][2]) + rows[r][3];
    }
}
