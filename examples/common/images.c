#include "images.h"

#include "report.h"

#ifdef EX_HAVE_PNG

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES_SIDE = 16384 };

/* Pictures that are becoming a data set. */
typedef struct images {
    ex_names files, classes;
    size_t *ends; /* [classes]: the first file that is not of the class */
    int64_t dims[3];
    float *values; /* [files,C,H,W] */
    uint8_t *rows; /* [H,W,C], of one picture */
} images;

/* A file being decoded. */
typedef struct images_file {
    const char *path;
    FILE *stream;
    png_structp png;
    png_infop info;
    int64_t height, width;
    int colored;
} images_file;

/* libpng reports here and must not come back: to the setjmp of the function that reads. */
static void images_error(png_structp png, png_const_charp text)
{
    images_file *file = png_get_error_ptr(png);
    ex_fail("%s: byte %ld: not a valid PNG file: %s", file->path, ftell(file->stream), text);
    longjmp(png_jmpbuf(png), 1);
}

static void images_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void images_close(images_file *file)
{
    png_destroy_read_struct(&file->png, &file->info, NULL);
    if (file->stream != NULL) fclose(file->stream);
    file->stream = NULL;
}

/* Opens a file and reads what comes before its pixels. */
static int images_open(images_file *file, const char *path)
{
    memset(file, 0, sizeof *file);
    file->path = path;
    file->stream = fopen(path, "rb");
    if (file->stream == NULL) return ex_fail("%s: cannot open: %s", path, strerror(errno));
    file->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, file, images_error, images_warning);
    file->info = file->png != NULL ? png_create_info_struct(file->png) : NULL;
    if (file->info == NULL) return ex_fail("%s: out of memory", path);
    if (setjmp(png_jmpbuf(file->png)) != 0) return -1;
    png_init_io(file->png, file->stream);
    png_set_user_limits(file->png, IMAGES_SIDE, IMAGES_SIDE);
    png_read_info(file->png, file->info);
    file->height = png_get_image_height(file->png, file->info);
    file->width = png_get_image_width(file->png, file->info);
    file->colored = (png_get_color_type(file->png, file->info) & PNG_COLOR_MASK_COLOR) != 0;
    return 0;
}

/* Decodes the pixels of an opened file to rows [H,W,channels] of bytes. */
static int images_decode(const images_file *file, uint8_t *rows, int channels)
{
    if (setjmp(png_jmpbuf(file->png)) != 0) return -1;
    png_set_expand(file->png); /* palettes, fewer than 8 bits, transparent colours */
    png_set_scale_16(file->png);
    png_set_strip_alpha(file->png);
    if (channels == 3) png_set_gray_to_rgb(file->png);
    int passes = png_set_interlace_handling(file->png);
    png_read_update_info(file->png, file->info);
    size_t row = png_get_rowbytes(file->png, file->info);
    if (row != (size_t)file->width * (size_t)channels) png_error(file->png, "unexpected layout");
    for (int pass = 0; pass < passes; pass++) {
        for (int64_t y = 0; y < file->height; y++) png_read_row(file->png, rows + (size_t)y * row, NULL);
    }
    png_read_end(file->png, NULL);
    return 0;
}

/* All sizes, before memory for the pixels is taken. */
static int images_measure(images *set)
{
    set->dims[0] = 1;
    for (size_t i = 0; i < set->files.count; i++) {
        images_file file;
        int result = images_open(&file, set->files.paths[i]);
        images_close(&file);
        if (result != 0) return -1;
        if (i == 0) {
            set->dims[1] = file.height;
            set->dims[2] = file.width;
        }
        if (file.height != set->dims[1] || file.width != set->dims[2])
            return ex_fail("%s: byte 16: expected %lld x %lld pixels as in %s, got %lld x %lld", file.path,
                           (long long)set->dims[2], (long long)set->dims[1], set->files.paths[0],
                           (long long)file.width, (long long)file.height);
        if (file.colored) set->dims[0] = 3;
    }
    return 0;
}

/* Rows of pixels to planes in [0,1]. */
static void images_place(const images *set, float *out)
{
    int64_t channels = set->dims[0], plane = set->dims[1] * set->dims[2];
    for (int64_t c = 0; c < channels; c++) {
        for (int64_t i = 0; i < plane; i++) out[c * plane + i] = (float)set->rows[i * channels + c] / 255.0f;
    }
}

static int images_read(images *set)
{
    size_t item = (size_t)(set->dims[0] * set->dims[1] * set->dims[2]);
    if (set->files.count > SIZE_MAX / sizeof(float) / item)
        return ex_fail("%zu pictures of %zu values do not fit in memory", set->files.count, item);
    set->values = malloc(set->files.count * item * sizeof *set->values);
    set->rows = malloc(item);
    if (set->values == NULL || set->rows == NULL)
        return ex_fail("out of memory for %zu pictures of %zu values", set->files.count, item);
    for (size_t i = 0; i < set->files.count; i++) {
        images_file file;
        int result = images_open(&file, set->files.paths[i]);
        if (result == 0 && (file.height != set->dims[1] || file.width != set->dims[2]))
            result = ex_fail("%s: the file changed while it was read", file.path);
        if (result == 0) result = images_decode(&file, set->rows, (int)set->dims[0]);
        images_close(&file);
        if (result != 0) return -1;
        images_place(set, set->values + i * item);
    }
    return 0;
}

/* The pictures of a folder, or of its subfolders. */
static int images_list(images *set, const char *folder)
{
    if (ex_names_add(&set->files, folder, EX_NAMES_FILES, ".png") != 0) return -1;
    if (set->files.count > 0) return 0;
    if (ex_names_add(&set->classes, folder, EX_NAMES_FOLDERS, "") != 0) return -1;
    set->ends = malloc((set->classes.count + 1) * sizeof *set->ends);
    if (set->ends == NULL) return ex_fail("out of memory for %zu folders", set->classes.count);
    for (size_t i = 0; i < set->classes.count; i++) {
        if (ex_names_add(&set->files, set->classes.paths[i], EX_NAMES_FILES, ".png") != 0) return -1;
        set->ends[i] = set->files.count;
    }
    return set->files.count > 0 ? 0 : ex_fail("%s: expected PNG files, there or in folders inside, got none", folder);
}

static int images_label(lstmae_dataset **dataset, lstmae_context *context, const images *set)
{
    lstmae_dataset *plain = *dataset, *labels = NULL;
    float *values = malloc(set->files.count * sizeof *values);
    if (values == NULL) return ex_fail("out of memory for %zu labels", set->files.count);
    for (size_t i = 0, class = 0; i < set->files.count; i++) {
        while (i >= set->ends[class]) class++;
        values[i] = (float)class;
    }
    int result = ex_status(lstmae_dataset_from_memory(&labels, context, values, (int64_t)set->files.count, 0, NULL));
    if (result == 0) result = ex_status(lstmae_dataset_with_labels(dataset, plain, labels));
    lstmae_dataset_destroy(labels);
    lstmae_dataset_destroy(plain);
    free(values);
    return result;
}

int ex_images_open(lstmae_dataset **out, lstmae_context *context, const char *folder, ex_names *classes)
{
    images set;
    memset(&set, 0, sizeof set);
    *out = NULL;
    int result = images_list(&set, folder);
    if (result == 0) result = images_measure(&set);
    if (result == 0) result = images_read(&set);
    if (result == 0)
        result = ex_status(lstmae_dataset_from_memory(out, context, set.values, (int64_t)set.files.count, 3, set.dims));
    if (result == 0 && set.ends != NULL) result = images_label(out, context, &set);
    ex_names_free(&set.files);
    *classes = set.classes;
    free(set.ends);
    free(set.values);
    free(set.rows);
    return result;
}

#else

int ex_images_open(lstmae_dataset **out, lstmae_context *context, const char *folder, ex_names *classes)
{
    (void)context;
    (void)classes;
    *out = NULL;
    return ex_fail("%s: this build has no libpng and cannot read PNG files", folder);
}

#endif
