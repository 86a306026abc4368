#include "animation.h"

#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "report.h"

#ifdef EX_HAVE_GIF

#include <gif_lib.h>

#define GIF_GREYS 64 /* colours 0 to 63; then 6 x 8 x 4 of red, green, blue */

const char *ex_animation_extension(void)
{
    return ".gif";
}

static ColorMapObject *gif_palette(void)
{
    GifColorType colors[256];
    for (int i = 0; i < GIF_GREYS; i++)
        colors[i].Red = colors[i].Green = colors[i].Blue = (GifByteType)(i * 255 / (GIF_GREYS - 1));
    for (int i = 0; i < 192; i++) {
        GifColorType *c = &colors[GIF_GREYS + i];
        c->Red = (GifByteType)(i / 32 * 255 / 5);
        c->Green = (GifByteType)(i / 4 % 8 * 255 / 7);
        c->Blue = (GifByteType)(i % 4 * 255 / 3);
    }
    return GifMakeMapObject(256, colors);
}

static GifByteType gif_index(const uint8_t *rgb)
{
    if (rgb[0] == rgb[1] && rgb[1] == rgb[2]) return (GifByteType)((rgb[0] * (GIF_GREYS - 1) + 127) / 255);
    int r = (rgb[0] * 5 + 127) / 255, g = (rgb[1] * 7 + 127) / 255, b = (rgb[2] * 3 + 127) / 255;
    return (GifByteType)(GIF_GREYS + r * 32 + g * 4 + b);
}

static int gif_write_file(GifFileType *gif, const GifByteType *bytes, int count)
{
    return (int)fwrite(bytes, 1, (size_t)count, gif->UserData);
}

/* The application block that browsers read: repeat without end. */
static int gif_repeat(GifFileType *gif)
{
    static const GifByteType forever[3] = {1, 0, 0};
    return EGifPutExtensionLeader(gif, APPLICATION_EXT_FUNC_CODE) == GIF_OK &&
           EGifPutExtensionBlock(gif, 11, "NETSCAPE2.0") == GIF_OK &&
           EGifPutExtensionBlock(gif, 3, forever) == GIF_OK && EGifPutExtensionTrailer(gif) == GIF_OK;
}

static int gif_frame(GifFileType *gif, const ex_picture *p, int delay, GifByteType *row)
{
    GraphicsControlBlock control = {DISPOSE_DO_NOT, 0, delay, NO_TRANSPARENT_COLOR};
    GifByteType block[4];
    size_t n = EGifGCBToExtension(&control, block);
    if (EGifPutExtension(gif, GRAPHICS_EXT_FUNC_CODE, (int)n, block) != GIF_OK) return 0;
    if (EGifPutImageDesc(gif, 0, 0, p->width, p->height, 0, NULL) != GIF_OK) return 0;
    for (int y = 0; y < p->height; y++) {
        const uint8_t *rgb = p->rgb + (size_t)y * (size_t)p->width * 3;
        for (int x = 0; x < p->width; x++) row[x] = gif_index(rgb + 3 * (size_t)x);
        if (EGifPutLine(gif, row, p->width) != GIF_OK) return 0;
    }
    return 1;
}

static int gif_encode(const ex_picture *frames, const int *delays, int count, FILE *stream)
{
    ColorMapObject *palette = gif_palette();
    GifByteType *row = malloc((size_t)frames[0].width);
    int error = 0;
    GifFileType *gif = EGifOpen(stream, gif_write_file, &error);
    int good = palette != NULL && row != NULL && gif != NULL;
    if (good) {
        EGifSetGifVersion(gif, 1);
        good = EGifPutScreenDesc(gif, frames[0].width, frames[0].height, 6, 0, palette) == GIF_OK && gif_repeat(gif);
    }
    for (int i = 0; good && i < count; i++) good = gif_frame(gif, &frames[i], delays[i], row);
    if (gif != NULL && EGifCloseFile(gif, &error) != GIF_OK) good = 0;
    if (palette != NULL) GifFreeMapObject(palette);
    free(row);
    return good ? 0 : -1;
}

int ex_animation_save(const ex_picture *frames, const int *delays, int count, const char *stem)
{
    char path[EX_PATH_SIZE];
    ex_file file;
    snprintf(path, sizeof path, "%s%s", stem, ex_animation_extension());
    if (ex_file_open(&file, path) != 0) return -1;
    if (gif_encode(frames, delays, count, file.stream) != 0) {
        ex_file_abandon(&file);
        return ex_fail("%s: cannot write the animation", path);
    }
    return ex_file_commit(&file);
}

#else

const char *ex_animation_extension(void)
{
    return "_strip" EX_PICTURE_EXTENSION;
}

int ex_animation_save(const ex_picture *frames, const int *delays, int count, const char *stem)
{
    (void)delays;
    char path[EX_PATH_SIZE];
    ex_picture strip;
    ex_color black = {0, 0, 0};
    int width = frames[0].width, height = frames[0].height;
    if (ex_picture_create(&strip, width * count, height, black) != 0) return -1;
    for (int i = 0; i < count; i++) {
        for (int y = 0; y < height; y++) {
            size_t to = ((size_t)y * (size_t)strip.width + (size_t)i * (size_t)width) * 3;
            memcpy(strip.rgb + to, frames[i].rgb + (size_t)y * (size_t)width * 3, (size_t)width * 3);
        }
    }
    snprintf(path, sizeof path, "%s_strip", stem);
    int result = ex_picture_save(&strip, path);
    ex_picture_free(&strip);
    return result;
}

#endif
