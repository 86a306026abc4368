#include "png_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef LAE_HAVE_ZLIB
#include <zlib.h>
#endif

static uint32_t png_number(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Bit by bit, unlike the library. */
static uint32_t png_checksum(const unsigned char *bytes, size_t size)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
    }
    return ~crc;
}

/* The zlib format with stored blocks alone: 1 if it is that and all is right. */
static int png_stored(const unsigned char *in, size_t size, unsigned char *out, size_t room)
{
    uint32_t a = 1, b = 0;
    size_t at = 2, got = 0;
    int last = 0;
    if (size < 2 || in[0] != 0x78 || in[1] != 0x01) return 0;
    while (!last) {
        if (at + 5 > size || in[at] > 1) return 0;
        size_t length = (size_t)in[at + 1] | (size_t)in[at + 2] << 8;
        size_t inverse = (size_t)in[at + 3] | (size_t)in[at + 4] << 8;
        last = in[at];
        at += 5;
        if ((length ^ inverse) != 0xffff || at + length > size || got + length > room) return 0;
        memcpy(out + got, in + at, length);
        got += length;
        at += length;
    }
    for (size_t i = 0; i < got; i++) {
        a = (a + out[i]) % 65521;
        b = (b + a) % 65521;
    }
    return got == room && at + 4 == size && png_number(in + at) == (b << 16 | a);
}

static int png_inflate(const unsigned char *in, size_t size, unsigned char *out, size_t room)
{
    if (png_stored(in, size, out, room)) return 1;
#ifdef LAE_HAVE_ZLIB
    uLongf got = (uLongf)room;
    return uncompress(out, &got, in, (uLong)size) == Z_OK && got == room;
#else
    return 0;
#endif
}

static int png_nearest(int left, int above, int corner)
{
    int p = left + above - corner;
    int options[3] = { left, above, corner }, best = 0;
    for (int i = 1; i < 3; i++)
        if (abs(p - options[i]) < abs(p - options[best])) best = i;
    return options[best];
}

static void png_unfilter(test_png *png, const unsigned char *rows)
{
    int size = png->width * png->channels, step = png->channels;
    for (int y = 0; y < png->height; y++, rows += size + 1) {
        unsigned char *row = png->pixels + y * size, *above = row - size;
        assert_true(rows[0] <= 4);
        png->filters |= 1 << rows[0];
        for (int i = 0; i < size; i++) {
            int left = i >= step ? row[i - step] : 0, up = y > 0 ? above[i] : 0;
            int corner = i >= step && y > 0 ? above[i - step] : 0;
            const int guess[5] = { 0, left, up, (left + up) >> 1, png_nearest(left, up, corner) };
            row[i] = (unsigned char)(rows[1 + i] + guess[rows[0]]);
        }
    }
}

test_png test_png_decode(const unsigned char *bytes, size_t size)
{
    static const char *const types[3] = { "IHDR", "IDAT", "IEND" };
    const unsigned char *chunk[3];
    uint32_t length[3];
    size_t at = 8;
    assert_true(size > 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0);
    for (int i = 0; i < 3; i++) {
        assert_true(at + 12 <= size);
        length[i] = png_number(bytes + at);
        assert_true(length[i] <= size - at - 12 && memcmp(bytes + at + 4, types[i], 4) == 0);
        chunk[i] = bytes + at + 8;
        assert_true(png_checksum(bytes + at + 4, length[i] + 4) == png_number(chunk[i] + length[i]));
        at += 12 + length[i];
    }
    assert_true(at == size && length[0] == 13 && length[2] == 0);
    const unsigned char *head = chunk[0];
    assert_true(head[8] == 8 && (head[9] == 0 || head[9] == 2) && !head[10] && !head[11] && !head[12]);
    test_png png = { (int)png_number(head), (int)png_number(head + 4), head[9] == 2 ? 3 : 1, NULL, 0 };
    size_t row = (size_t)(png.width * png.channels);
    unsigned char *rows = malloc((size_t)png.height * (row + 1));
    png.pixels = malloc((size_t)png.height * row);
    assert_true(rows && png.pixels);
    assert_true(png_inflate(chunk[1], length[1], rows, (size_t)png.height * (row + 1)));
    png_unfilter(&png, rows);
    free(rows);
    return png;
}

unsigned char *test_file_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("%s: cannot be opened", path);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    bytes[*size] = '\0';
    fclose(file);
    return bytes;
}

test_png test_png_read(const char *path)
{
    size_t size;
    unsigned char *bytes = test_file_read(path, &size);
    test_png png = test_png_decode(bytes, size);
    free(bytes);
    return png;
}
