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

/* Rows being filtered: this one and the one above, with zeros before them where predictors look to the left. */
typedef struct png_work {
    size_t size, step;
    unsigned char *row, *above, *out;
} png_work;

/* Paeth's predictor: of left, above and corner the one nearest to left + above - corner. */
static unsigned char png_paeth(int left, int above, int corner)
{
    int l = abs(above - corner), a = abs(left - corner), c = abs(left + above - 2 * corner);
    return (unsigned char)(l <= a && l <= c ? left : a <= c ? above : corner);
}

/* One loop for each filter, so that compilers make vectors of them. */
static void png_filter(const png_work *w, int filter)
{
    const unsigned char *row = w->row, *left = w->row - w->step, *above = w->above, *corner = w->above - w->step;
    unsigned char *restrict out = w->out;
    size_t n = w->size;
    switch (filter) {
    case 0: memcpy(out, row, n); break;
    case 1:
        for (size_t i = 0; i < n; i++) out[i] = (unsigned char)(row[i] - left[i]);
        break;
    case 2:
        for (size_t i = 0; i < n; i++) out[i] = (unsigned char)(row[i] - above[i]);
        break;
    case 3:
        for (size_t i = 0; i < n; i++) out[i] = (unsigned char)(row[i] - (left[i] + above[i]) / 2);
        break;
    default:
        for (size_t i = 0; i < n; i++) out[i] = (unsigned char)(row[i] - png_paeth(left[i], above[i], corner[i]));
        break;
    }
}

/* How large the differences are, seen as signed: what compresses well is small. */
static unsigned long png_weight(const unsigned char *out, size_t size)
{
    unsigned long sum = 0;
    for (size_t i = 0; i < size; i++) sum += out[i] < 128 ? out[i] : 256u - out[i];
    return sum;
}

/* Each row as its filter's number and what that leaves. */
static void png_rows(lae_bytes *out, const lae_picture *picture, png_work *work)
{
    for (int64_t y = 0; y < picture->height; y++) {
        unsigned char *to = lae_bytes_extend(out, work->size + 1), *kept = work->above;
        unsigned long least = 0;
        if (!to) return;
        work->above = work->row;
        work->row = kept;
        memcpy(work->row, picture->pixels + (size_t)y * work->size, work->size);
        for (int filter = 0; filter < 5; filter++) {
            png_filter(work, filter);
            unsigned long weight = png_weight(work->out, work->size);
            if (filter > 0 && weight >= least) continue;
            least = weight;
            to[0] = (unsigned char)filter;
            memcpy(to + 1, work->out, work->size);
        }
    }
}

static void png_pixels(lae_bytes *out, const lae_picture *picture, int level)
{
    lae_bytes rows = LAE_BYTES_OF(out->memory);
    png_work work = { .size = (size_t)picture->width * (size_t)picture->channels, .step = (size_t)picture->channels };
    size_t padded = work.step + work.size;
    unsigned char *block = lae_calloc(out->memory, 3, padded);
    if (block) {
        work.row = block + work.step;
        work.above = work.row + padded;
        work.out = work.above + padded;
        png_rows(&rows, picture, &work);
    }
    if (!block || rows.failed)
        out->failed = 1;
    else
        lae_deflate(out, rows.data, rows.size, level);
    lae_free(out->memory, block, 3 * padded);
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
