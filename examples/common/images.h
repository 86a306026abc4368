/* Folders of PNG files as data sets; needs libpng. */
#ifndef EX_IMAGES_H
#define EX_IMAGES_H

#include <lstmae/lstmae.h>

#include "names.h"

/**
 * Items [C,H,W] in [0,1] from the files *.png of `folder`, by name; where it holds none, from those of its subfolders,
 * whose numbers, by name, are then the labels. C is 3 if any picture has colours, else 1; transparency is left out and
 * 16-bit channels are rounded to 8. All pictures must be of one size. `classes`, empty before, receives the subfolders;
 * free it also after a failure. Prints what is wrong, with file and byte, and returns -1.
 */
int ex_images_open(lstmae_dataset **out, lstmae_context *context, const char *folder, ex_names *classes);

#endif
