/* Pictures to files: PNG where libpng is there, else PPM. */
#include <setjmp.h>
#include <stdlib.h>

#include "files.h"
#include "picture.h"
#include "report.h"

#ifdef EX_HAVE_PNG

#include <png.h>

const char *ex_picture_extension(void)
{
    return ".png";
}

static int picture_encode(const ex_picture *p, FILE *stream)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
    if (info == NULL || setjmp(png_jmpbuf(png)) != 0) {
        png_destroy_write_struct(&png, &info);
        return -1;
    }
    png_init_io(png, stream);
    png_set_compression_level(png, 9);
    png_set_IHDR(png, info, (png_uint_32)p->width, (png_uint_32)p->height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < p->height; y++) png_write_row(png, p->rgb + (size_t)y * (size_t)p->width * 3);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return 0;
}

#else

const char *ex_picture_extension(void)
{
    return ".ppm";
}

static int picture_encode(const ex_picture *p, FILE *stream)
{
    size_t size = (size_t)p->width * (size_t)p->height * 3;
    fprintf(stream, "P6\n%d %d\n255\n", p->width, p->height);
    return fwrite(p->rgb, 1, size, stream) == size ? 0 : -1;
}

#endif

int ex_picture_save(const ex_picture *picture, const char *stem)
{
    char path[EX_PATH_SIZE];
    ex_file file;
    snprintf(path, sizeof path, "%s%s", stem, ex_picture_extension());
    if (ex_file_open(&file, path) != 0) return -1;
    if (picture_encode(picture, file.stream) != 0) {
        ex_file_abandon(&file);
        return ex_fail("%s: cannot write the picture", path);
    }
    return ex_file_commit(&file);
}
