#include "png_write.h"

#include "deflate.h"
#include "size.h"

#include <stdlib.h>
#include <string.h>

lstmae_status lae_picture_check(const lae_picture *picture, const char *name)
{
    if (picture->channels != 1 && picture->channels != 3)
        return LAE_FAIL(ERR_INVALID_ARG, "%s: expected 1 or 3 channels, got %d", name, picture->channels);
    if (picture->width < 1 || picture->height < 1 || picture->width > LAE_PNG_SIDE || picture->height > LAE_PNG_SIDE ||
        picture->height * (picture->width * picture->channels + 1) > INT32_MAX)
        return LAE_FAIL(ERR_SHAPE, "%s: expected a picture of 1 to %d pixels a side and below 2 GB, got %lld x %lld",
                        name, LAE_PNG_SIDE, (long long)picture->width, (long long)picture->height);
    return LSTMAE_OK;
}

/* CRC-32 of the polynomial 0xedb88320, four bits at a time. */
static uint32_t png_crc(const unsigned char *data, size_t size)
{
    static const uint32_t table[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

/* Puts length and checksum around the chunk whose type begins at `start`, where four bytes were left for the length. */
static void png_close_chunk(lae_bytes *out, size_t start)
{
    if (out->failed) return;
    size_t length = out->size - start - 8;
    for (int i = 0; i < 4; i++) out->data[start + (size_t)i] = (unsigned char)(length >> (24 - 8 * i));
    lae_bytes_big(out, png_crc(out->data + start + 4, length + 4), 4);
}

static size_t png_open_chunk(lae_bytes *out, const char *type)
{
    size_t start = out->size;
    lae_bytes_big(out, 0, 4);
    lae_bytes_text(out, type);
    return start;
}

/* Paeth's predictor: of left, above and corner the one nearest to left + above - corner. */
static int png_paeth(int left, int above, int corner)
{
    int estimate = left + above - corner;
    int l = abs(estimate - left), a = abs(estimate - above), c = abs(estimate - corner);
    return l <= a && l <= c ? left : a <= c ? above : corner;
}

static int png_predict(int filter, int left, int above, int corner)
{
    switch (filter) {
    case 1: return left;
    case 2: return above;
    case 3: return (left + above) / 2;
    case 4: return png_paeth(left, above, corner);
    default: return 0;
    }
}

/* Row minus prediction, `above` NULL for the first row; returns the sum of the differences' sizes. */
static long png_filter(int filter, const unsigned char *row, const unsigned char *above, size_t size, size_t step,
                       unsigned char *out)
{
    long sum = 0;
    for (size_t i = 0; i < size; i++) {
        int left = i >= step ? row[i - step] : 0, up = above ? above[i] : 0;
        int corner = above && i >= step ? above[i - step] : 0;
        out[i] = (unsigned char)(row[i] - png_predict(filter, left, up, corner));
        sum += out[i] < 128 ? out[i] : 256 - out[i];
    }
    return sum;
}

/* Each row as its filter's number and what that leaves. `row` has space for one of them. */
static void png_rows(lae_bytes *out, const lae_picture *picture, unsigned char *row)
{
    size_t step = (size_t)picture->channels, size = (size_t)picture->width * step;
    for (int64_t y = 0; y < picture->height; y++) {
        const unsigned char *pixels = picture->pixels + (size_t)y * size, *above = y > 0 ? pixels - size : NULL;
        unsigned char *to = lae_bytes_extend(out, size + 1);
        long least = -1;
        for (int filter = 0; to && filter < 5; filter++) {
            long sum = png_filter(filter, pixels, above, size, step, row);
            if (least >= 0 && sum >= least) continue;
            least = sum;
            to[0] = (unsigned char)filter;
            memcpy(to + 1, row, size);
        }
    }
}

static void png_pixels(lae_bytes *out, const lae_picture *picture, int level)
{
    lae_bytes rows = LAE_BYTES_OF(out->memory);
    size_t size = (size_t)picture->width * (size_t)picture->channels;
    unsigned char *row = lae_alloc(out->memory, size);
    if (row) png_rows(&rows, picture, row);
    if (!row || rows.failed)
        out->failed = 1;
    else
        lae_deflate(out, rows.data, rows.size, level);
    lae_free(out->memory, row, size);
    lae_bytes_free(&rows);
}

void lae_png_encode(lae_bytes *out, const lae_picture *picture, int level)
{
    lae_bytes_put(out, "\x89PNG\r\n\x1a\n", 8);
    size_t chunk = png_open_chunk(out, "IHDR");
    lae_bytes_big(out, (uint64_t)picture->width, 4);
    lae_bytes_big(out, (uint64_t)picture->height, 4);
    lae_bytes_little(out, 8, 1);                             /* bits */
    lae_bytes_little(out, picture->channels == 3 ? 2 : 0, 1); /* colour or grey */
    lae_bytes_little(out, 0, 3);                             /* deflate, the five filters, not interlaced */
    png_close_chunk(out, chunk);
    chunk = png_open_chunk(out, "IDAT");
    png_pixels(out, picture, level);
    png_close_chunk(out, chunk);
    chunk = png_open_chunk(out, "IEND");
    png_close_chunk(out, chunk);
}
