/* PNG files read back by a decoder that shares nothing with the encoder; grids by where their pixels must be. */
#include "faults.h"
#include "png_read.h"

#include "deflate.h"
#include "png_write.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static lstmae_context *context;

static int setup(void **state)
{
    (void)state;
    context = test_context("cpu", LSTMAE_F32);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lstmae_context_destroy(context);
    return 0;
}

static int restore_io(void **state)
{
    (void)state;
    lae_io_swap(NULL);
    return 0;
}

/* Pictures that suit different filters: noise, flat, ramps along x, y and both. */
static unsigned char pixel(int kind, int x, int y, int c)
{
    unsigned noise = (unsigned)(x * 7919 + y * 104729 + c * 1299709);
    noise = (noise ^ noise >> 13) * 2654435761u;
    switch (kind) {
    case 0: return (unsigned char)(noise >> 24);
    case 1: return 77;
    case 2: return (unsigned char)(5 * x + 40 * c + (int)(noise >> 30));
    case 3: return (unsigned char)(7 * y * y);
    default: return (unsigned char)((x * y + 3 * x + 40 * c) / 4);
    }
}

/* Every kind, 1 and 3 channels, several sizes, every level: what is decoded is what was encoded. */
static void encodes_what_is_decoded(void **state)
{
    (void)state;
    static const int sizes[][2] = { { 1, 1 }, { 1, 9 }, { 9, 1 }, { 32, 32 }, { 7, 5 }, { 300, 90 } };
    int filters = 0;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (int kind = 0; kind < 5; kind++) {
            for (int channels = 1; channels <= 3; channels += 2) {
                int w = sizes[s][0], h = sizes[s][1];
                size_t bytes = (size_t)(w * h * channels);
                unsigned char *pixels = malloc(bytes);
                assert_non_null(pixels);
                for (int i = 0; i < w * h * channels; i++)
                    pixels[i] = pixel(kind, i / channels % w, i / channels / w, i % channels);
                const lae_picture picture = { w, h, channels, pixels };
                assert_ok(lae_picture_check(&picture, "test"));
                for (int level = 0; level <= lae_deflate_level(); level += 3) {
                    lae_bytes out = LAE_BYTES_OF(lae_memory_default());
                    lae_png_encode(&out, &picture, level);
                    assert_ok(lae_bytes_status(&out, "test"));
                    test_png png = test_png_decode(out.data, out.size);
                    assert_int_equal(png.width, w);
                    assert_int_equal(png.height, h);
                    assert_int_equal(png.channels, channels);
                    assert_memory_equal(png.pixels, pixels, bytes);
                    if (level > 0 && kind == 1) assert_true(out.size < 120 + bytes / 100);
                    filters |= png.filters;
                    free(png.pixels);
                    lae_bytes_free(&out);
                }
                free(pixels);
            }
        }
    }
    assert_int_equal(filters, 31);
}

static lstmae_tensor *tensor(lstmae_context *of, int ndim, const int64_t *dims, const float *values)
{
    lstmae_tensor *out;
    assert_ok(lstmae_tensor_create(&out, of, LSTMAE_F32, ndim, dims));
    assert_ok(lstmae_tensor_write(out, values, (size_t)lstmae_tensor_numel(out) * sizeof *values));
    return out;
}

/* What a grid must show at (x,y), channel c. */
static int expected(const float *values, const int64_t dims[4], int columns, int gap, int scale, int x, int y, int c)
{
    int w = (int)dims[3], h = (int)dims[2], cell_w = w * scale + gap, cell_h = h * scale + gap;
    int column = x / cell_w, line = y / cell_h, in_x = x % cell_w - gap, in_y = y % cell_h - gap;
    int image = line * columns + column;
    if (in_x < 0 || in_y < 0 || column >= columns || image >= dims[0]) return 255;
    float v = values[((image * dims[1] + c) * h + in_y / scale) * w + in_x / scale];
    return !(v > -1) ? 0 : v >= 1 ? 255 : (int)floor(((double)v + 1) / 2 * 255 + 0.5);
}

static void grids(void **state)
{
    (void)state;
    static const struct {
        int64_t dims[4];
        int columns, gap, scale, want;
    } cases[] = { { { 1, 1, 4, 3 }, 0, 0, 1, 1 }, { { 7, 3, 5, 4 }, 0, 2, 1, 3 },  { { 7, 3, 5, 4 }, 5, 1, 3, 5 },
                  { { 4, 1, 8, 8 }, 9, 3, 2, 4 }, { { 16, 1, 1, 1 }, 0, 0, 1, 4 }, { { 2, 3, 6, 2 }, 1, 0, 1, 1 } };
    static float values[1024];
    test_fill(values, 1024, 1, 1.3f);
    values[3] = (float)NAN;
    values[5] = (float)INFINITY;
    values[7] = -(float)INFINITY;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        const int64_t *d = cases[k].dims;
        lstmae_grid_options options = LSTMAE_GRID_OPTIONS_INIT;
        options.columns = cases[k].columns;
        options.gap = cases[k].gap;
        options.scale = cases[k].scale;
        options.low = -1;
        lstmae_tensor *images = tensor(context, 4, d, values);
        assert_ok(lstmae_grid_save(test_path("grid.png"), images, &options));
        test_png png = test_png_read(test_path("grid.png"));
        int columns = cases[k].want, lines = ((int)d[0] + columns - 1) / columns;
        assert_int_equal(png.width, columns * ((int)d[3] * options.scale + options.gap) + options.gap);
        assert_int_equal(png.height, lines * ((int)d[2] * options.scale + options.gap) + options.gap);
        assert_int_equal(png.channels, d[1]);
        for (int i = 0; i < png.width * png.height * png.channels; i++) {
            int at = i / png.channels, x = at % png.width, y = at / png.width;
            int want = expected(values, d, columns, options.gap, options.scale, x, y, i % png.channels);
            if (png.pixels[i] != want) fail_msg("case %zu (%d,%d): %d, wanted %d", k, x, y, png.pixels[i], want);
        }
        free(png.pixels);
        lstmae_tensor_destroy(images);
    }
}

/* One image of three axes or two is a grid of one; channels that lie innermost in memory are seen as they should be. */
static void other_shapes(void **state)
{
    (void)state;
    static const int64_t four[4] = { 1, 3, 6, 5 }, three[3] = { 3, 6, 5 }, two[2] = { 6, 5 }, inner[4] = { 1, 5, 6, 3 };
    float values[90];
    test_png png[4];
    test_fill(values, 90, 2, 0.5f);
    lstmae_tensor *images[5] = { tensor(context, 4, four, values), tensor(context, 3, three, values),
                                 tensor(context, 2, two, values) };
    images[4] = tensor(context, 4, inner, values);
    assert_ok(lstmae_tensor_transpose(&images[3], images[4], 1, 3));
    assert_ok(lstmae_tensor_copy(images[3], images[0]));
    for (int i = 0; i < 4; i++) {
        assert_ok(lstmae_grid_save(test_path("shape.png"), images[i], NULL));
        png[i] = test_png_read(test_path("shape.png"));
        assert_int_equal(png[i].width, 9);
        assert_int_equal(png[i].height, 10);
        assert_int_equal(png[i].channels, i == 2 ? 1 : 3);
        if (i != 2) assert_memory_equal(png[i].pixels, png[0].pixels, 9 * 10 * 3);
    }
    for (int i = 0; i < 90; i++) assert_int_equal(png[2].pixels[i], png[0].pixels[3 * i]);
    for (int i = 0; i < 4; i++) free(png[i].pixels);
    for (int i = 0; i < 5; i++) lstmae_tensor_destroy(images[i]);
}

static void pixels_as_they_are(void **state)
{
    (void)state;
    unsigned char pixels[5 * 4 * 3];
    for (int i = 0; i < 60; i++) pixels[i] = (unsigned char)(i * 37);
    assert_ok(lstmae_png_save(test_path("pixels.png"), pixels, 5, 4, 3));
    test_png png = test_png_read(test_path("pixels.png"));
    assert_true(png.width == 5 && png.height == 4 && png.channels == 3);
    assert_memory_equal(png.pixels, pixels, 60);
    free(png.pixels);
    assert_fails(lstmae_png_save(test_path("x.png"), pixels, 5, 4, 4), ERR_INVALID_ARG);
    assert_fails(lstmae_png_save(test_path("x.png"), pixels, 0, 4, 3), ERR_SHAPE);
    assert_fails(lstmae_png_save(test_path("x.png"), pixels, 65536, 1, 1), ERR_SHAPE);
    assert_fails(lstmae_png_save(test_path("x.png"), pixels, 65535, 65535, 1), ERR_SHAPE);
    assert_fails(lstmae_png_save(test_path("x.png"), pixels, 4, INT64_MAX, 1), ERR_SHAPE);
    assert_fails(lstmae_png_save("/no/such/folder/x.png", pixels, 5, 4, 3), ERR_NOT_FOUND);
    assert_fails(lstmae_png_save("/dev/null", pixels, 5, 4, 3), ERR_IO);
}

static void misused(void **state)
{
    (void)state;
    static const int64_t two_channels[4] = { 1, 2, 3, 3 }, empty[4] = { 0, 3, 2, 2 }, line[1] = { 9 };
    static const int64_t wide[4] = { 300, 1, 1, 300 };
    static float values[90000];
    lstmae_grid_options options = LSTMAE_GRID_OPTIONS_INIT;
    lstmae_tensor *bad[3] = { tensor(context, 4, two_channels, values), tensor(context, 4, empty, values),
                              tensor(context, 1, line, values) };
    lstmae_tensor *good = tensor(context, 4, wide, values), *whole;
    for (int i = 0; i < 3; i++) {
        assert_fails(lstmae_grid_save(test_path("x.png"), bad[i], NULL), ERR_SHAPE);
        assert_non_null(strstr(lstmae_last_error(), "expected images [B,C,H,W] with 1 or 3 channels, got "));
        lstmae_tensor_destroy(bad[i]);
    }
    options.columns = 300;
    assert_fails(lstmae_grid_save(test_path("x.png"), good, &options), ERR_SHAPE);
    assert_non_null(strstr(lstmae_last_error(), "got 90602 x 5"));
    const lstmae_grid_options wrong[] = {
        { sizeof options, -1, 0, 1, 0, 1 },
        { sizeof options, 0, -1, 1, 0, 1 },
        { sizeof options, 0, 2000, 1, 0, 1 },
        { sizeof options, 0, 0, 0, 0, 1 },
        { sizeof options, 0, 0, 2000, 0, 1 },
        { sizeof options, 0, 0, 1, 1, 1 },
        { sizeof options, 0, 0, 1, (double)NAN, 1 },
        { sizeof options, 0, 0, 1, 0, (double)INFINITY },
        { sizeof options, 0, 0, 1, -1.7e308, 1.7e308 },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_fails(lstmae_grid_save(test_path("x.png"), good, &wrong[i]), ERR_INVALID_ARG);
    assert_ok(lstmae_tensor_create(&whole, context, LSTMAE_I64, 4, wide));
    assert_fails(lstmae_grid_save(test_path("x.png"), whole, NULL), ERR_DTYPE);
    lstmae_tensor_destroy(whole);
    lstmae_tensor_destroy(good);
}

/* Every file call and every allocation fails once: the picture that was there stays whole, nothing else is left. */
static void failing_calls(void **state)
{
    (void)state;
    static const int64_t dims[4] = { 2, 1, 8, 8 };
    float values[128];
    char path[256];
    test_heap heap = { 0 };
    lstmae_context *watched;
    snprintf(path, sizeof path, "%s", test_path("kept.png"));
    test_fill(values, 128, 1, 1.0f);
    assert_ok(test_heap_context(&watched, &heap));
    lstmae_tensor *images = tensor(watched, 4, dims, values);
    assert_ok(lstmae_grid_save(path, images, NULL));
    size_t size, now;
    unsigned char *before = test_file_read(path, &size);
    long live = heap.live, uses = 0;
    lae_io_swap(&test_io_table);
    for (long at = 1;; at++) {
        test_io = (test_io_state){ { at, 0, 0 }, TEST_IO_ERROR, ENOSPC, 0 };
        lstmae_status status = lstmae_grid_save(path, images, NULL);
        assert_int_equal(test_io.open, 0);
        unsigned char *after = test_file_read(path, &now);
        assert_true(now == size && memcmp(before, after, size) == 0);
        free(after);
        if (status == LSTMAE_OK && test_io.fault.uses < at) break;
        assert_true(status == LSTMAE_ERR_IO || status == LSTMAE_OK);
    }
    lae_io_swap(NULL);
    for (long at = 0; at <= uses; at++) {
        heap.fault = (test_fault){ at, 0, 0 };
        lstmae_status status = lstmae_grid_save(path, images, NULL);
        if (at == 0) uses = heap.fault.uses;
        assert_int_equal(status, at == 0 ? LSTMAE_OK : LSTMAE_ERR_NO_MEMORY);
        assert_int_equal(heap.live, live);
    }
    assert_true(uses >= 5);
    heap.fault = (test_fault){ 0, 0, 0 };
    free(before);
    lstmae_tensor_destroy(images);
    lstmae_context_destroy(watched);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_what_is_decoded),
        cmocka_unit_test(grids),
        cmocka_unit_test(other_shapes),
        cmocka_unit_test(pixels_as_they_are),
        cmocka_unit_test(misused),
        cmocka_unit_test_teardown(failing_calls, restore_io),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
