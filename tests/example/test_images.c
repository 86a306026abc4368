/* Folders of PNG files: what becomes of every kind of PNG, and what is said about those that are none. */
#include "faults.h"

#include "../../examples/common/images.h"
#include "../../examples/common/report.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static lstmae_context *context;
static char root[256];

static int setup(void **state)
{
    (void)state;
    context = test_context("cpu:ref", LSTMAE_F32);
    ex_set_program("test");
    snprintf(root, sizeof root, "%s", test_path("images"));
    return mkdir(root, 0777);
}

static int teardown(void **state)
{
    char command[300];
    (void)state;
    lstmae_context_destroy(context);
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

/* "root/name"; folders in the name are made. Borrowed until the next call but three. */
static const char *place(const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, 512, "%s/%s", root, name);
    for (char *c = path + strlen(root) + 1; *c; c++) {
        if (*c != '/') continue;
        *c = '\0';
        (void)mkdir(path, 0777);
        *c = '/';
    }
    return path;
}

static void write_bytes(const char *path, const unsigned char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* Writes a PNG of a type and depth by libpng itself: pixel i of channel c is value(i,c), in the top bits. */
static unsigned value(int i, int c)
{
    return (unsigned)(i * 37 + c * 91 + 5) & 0xff;
}

static void write_png(const char *path, int w, int h, int type, int depth, int interlace)
{
    png_color palette[256];
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    if (setjmp(png_jmpbuf(png)) != 0) fail();
    png_init_io(png, stream);
    png_set_IHDR(png, info, (png_uint_32)w, (png_uint_32)h, depth, type, interlace, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    for (int i = 0; i < 256; i++)
        palette[i] = (png_color){ (png_byte)value(i, 0), (png_byte)value(i, 1), (png_byte)value(i, 2) };
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png, info, palette, 256);
    png_write_info(png, info);
    int channels = png_get_channels(png, info), bytes = depth == 16 ? 2 : 1, passes = png_set_interlace_handling(png);
    unsigned char *row = calloc((size_t)(w * channels * bytes), 1);
    assert_non_null(row);
    for (int pass = 0; pass < passes; pass++) {
        for (int y = 0; y < h; y++) {
            for (int x = 0; x < w * channels; x++) {
                int i = y * w + x / channels;
                unsigned v = type == PNG_COLOR_TYPE_PALETTE ? (unsigned)i : value(i, x % channels);
                row[x * bytes] = (unsigned char)v;
                if (bytes == 2) row[x * bytes + 1] = (unsigned char)v; /* v * 257: exactly v in 8 bits */
            }
            png_write_row(png, row);
        }
    }
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    fclose(stream);
    free(row);
}

/* The subfolders of the last folder that was opened, and the last of them. */
static size_t class_count;
static char last_class[64];

/* Opens a folder with stderr going to a file; returns the message, or NULL where it opens. */
static const char *opening(lstmae_dataset **out, const char *folder)
{
    static char text[1024];
    fflush(stderr);
    int kept = dup(2);
    FILE *to = fopen(place("stderr.txt"), "w+");
    assert_true(kept >= 0 && to != NULL && dup2(fileno(to), 2) >= 0);
    ex_names classes = {NULL, 0};
    int result = ex_images_open(out, context, folder, &classes);
    class_count = classes.count;
    snprintf(last_class, sizeof last_class, "%s", classes.count > 0 ? ex_name(classes.paths[classes.count - 1]) : "");
    ex_names_free(&classes);
    fflush(stderr);
    dup2(kept, 2);
    close(kept);
    rewind(to);
    text[fread(text, 1, sizeof text - 1, to)] = '\0';
    fclose(to);
    assert_true((result == 0) == (text[0] == '\0') && (result == 0) == (*out != NULL));
    return result == 0 ? NULL : text;
}

static void assert_opens(lstmae_dataset **out, const char *folder, int64_t count, int64_t c, int64_t h, int64_t w)
{
    const char *text = opening(out, folder);
    if (text) fail_msg("%s", text);
    assert_int_equal(lstmae_dataset_count(*out), count);
    assert_int_equal(lstmae_dataset_dim(*out, 0), c);
    assert_int_equal(lstmae_dataset_dim(*out, 1), h);
    assert_int_equal(lstmae_dataset_dim(*out, 2), w);
}

static void assert_refused(const char *folder, const char *words)
{
    lstmae_dataset *dataset;
    const char *text = opening(&dataset, folder);
    if (!text) fail_msg("opened, wanted \"%s\"", words);
    if (!strstr(text, words) || strchr(text, '\n') != text + strlen(text) - 1)
        fail_msg("\"%s\", wanted \"%s\"", text, words);
}

/* Grey ones among coloured ones become coloured; alpha is left out. */
static void kinds_of_png(void **state)
{
    (void)state;
    static const struct {
        int type, depth, channels, interlace;
    } kinds[] = { { PNG_COLOR_TYPE_GRAY, 8, 1, 0 },  { PNG_COLOR_TYPE_GRAY, 16, 1, 1 },
                  { PNG_COLOR_TYPE_GRAY_ALPHA, 8, 1, 0 }, { PNG_COLOR_TYPE_RGB, 8, 3, 0 },
                  { PNG_COLOR_TYPE_RGB, 16, 3, 0 },  { PNG_COLOR_TYPE_RGB_ALPHA, 8, 3, 1 },
                  { PNG_COLOR_TYPE_PALETTE, 8, 3, 0 } };
    enum { W = 9, H = 7, KINDS = sizeof kinds / sizeof kinds[0] };
    char name[32];
    static float item[3 * W * H];
    lstmae_dataset *dataset;
    for (int k = 0; k < KINDS; k++) {
        snprintf(name, sizeof name, "kinds/%c.%s", 'a' + k, k % 2 ? "png" : "PNG");
        write_png(place(name), W, H, kinds[k].type, kinds[k].depth, kinds[k].interlace);
    }
    assert_opens(&dataset, place("kinds"), KINDS, 3, H, W);
    assert_int_equal(lstmae_dataset_labelled(dataset), 0);
    for (int k = 0; k < KINDS; k++) {
        assert_ok(lstmae_dataset_read(dataset, k, item, 3 * W * H));
        for (int i = 0; i < 3 * W * H; i++) {
            int c = kinds[k].channels == 3 ? i / (W * H) : 0;
            assert_true(item[i] == (float)value(i % (W * H), c) / 255.0f);
        }
    }
    lstmae_dataset_destroy(dataset);
    write_png(place("grey/a.png"), 3, 2, PNG_COLOR_TYPE_GRAY, 8, 0);
    assert_opens(&dataset, place("grey"), 1, 1, 2, 3);
    lstmae_dataset_destroy(dataset);
}

/* Subfolders are classes, by name; folders without pictures count, other files do not. */
static void folders_are_labels(void **state)
{
    (void)state;
    static const char *const names[] = { "classes/cat/2.png", "classes/cat/10.png", "classes/bird/1.png",
                                         "classes/dog/x.png" };
    static const int64_t want[4] = { 1, 2, 2, 3 }; /* ant 0, bird 1, cat 2, dog 3 */
    lstmae_dataset *dataset;
    for (int i = 0; i < 4; i++) write_png(place(names[i]), 4, 4, PNG_COLOR_TYPE_GRAY, 8, 0);
    (void)place("classes/ant/x");
    write_bytes(place("classes/cat/notes.txt"), (const unsigned char *)"cats", 4);
    assert_opens(&dataset, place("classes"), 4, 1, 4, 4);
    for (int i = 0; i < 4; i++) {
        int64_t label = -1;
        assert_ok(lstmae_dataset_label(dataset, i, &label));
        assert_int_equal(label, want[i]);
    }
    assert_int_equal(class_count, 4);
    assert_string_equal(last_class, "dog");
    lstmae_dataset_destroy(dataset);
}

static void what_is_wrong(void **state)
{
    (void)state;
    unsigned char bytes[4096];
    assert_refused(place("none"), "none: cannot open: No such file or directory");
    (void)place("empty/x");
    assert_refused(place("empty"), "empty: expected PNG files, there or in folders inside, got none");
    write_png(place("sizes/a.png"), 8, 8, PNG_COLOR_TYPE_RGB, 8, 0);
    write_png(place("sizes/b.png"), 8, 9, PNG_COLOR_TYPE_RGB, 8, 0);
    assert_refused(place("sizes"), "sizes/b.png: byte 16: expected 8 x 8 pixels as in ");
    assert_refused(place("sizes"), "sizes/a.png, got 8 x 9");
    write_bytes(place("text/a.png"), (const unsigned char *)"this is no picture", 18);
    assert_refused(place("text"), "text/a.png: byte 8: not a valid PNG file: Not a PNG file");
    write_bytes(place("zero/a.png"), bytes, 0);
    assert_refused(place("zero"), "zero/a.png: byte 0: not a valid PNG file: Read Error");
    /* A good file cut anywhere, or with any byte of its pixels' chunk changed, is refused. */
    write_png(place("good/a.png"), 20, 20, PNG_COLOR_TYPE_RGB, 8, 0);
    FILE *file = fopen(place("good/a.png"), "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_true(size > 100 && size < sizeof bytes);
    for (size_t cut = 0; cut < size - 12; cut += 7) {
        write_bytes(place("cut/a.png"), bytes, cut);
        assert_refused(place("cut"), "cut/a.png: byte ");
    }
    for (size_t at = 41; at < size - 20; at += 11) {
        bytes[at] ^= 0x55;
        write_bytes(place("changed/a.png"), bytes, size);
        assert_refused(place("changed"), "changed/a.png: byte ");
        bytes[at] ^= 0x55;
    }
    /* Claims of size are looked at before memory is taken. */
    bytes[16] = 0x7f;
    write_bytes(place("huge/a.png"), bytes, size);
    assert_refused(place("huge"), "huge/a.png: byte ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_of_png),
        cmocka_unit_test(folders_are_labels),
        cmocka_unit_test(what_is_wrong),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
