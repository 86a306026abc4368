#include "files.h"
#include "picture.h"
#include "report.h"

int ex_picture_save(const ex_picture *picture, const char *stem)
{
    char path[EX_PATH_SIZE];
    int n = snprintf(path, sizeof path, "%s" EX_PICTURE_EXTENSION, stem);
    if (n < 0 || (size_t)n >= sizeof path) return ex_fail("%s: the path is too long", stem);
    return ex_status(lstmae_png_save(path, picture->rgb, picture->width, picture->height, 3));
}
