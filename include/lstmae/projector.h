/**
 * @file projector.h
 * Vectors for TensorBoard's embedding projector: points to turn and zoom, with labels and small pictures.
 */
#ifndef LSTMAE_PROJECTOR_H
#define LSTMAE_PROJECTOR_H

#include <lstmae/tensor.h>

LSTMAE_BEGIN_DECLS

typedef struct lstmae_projector {
    uint32_t struct_size;
    uint32_t flags;
    const lstmae_tensor *vectors; /**< [N,D], finite */
    const lstmae_tensor *images;  /**< one for each vector, [N,C,H,W] with 1 or 3 channels; NULL: points */
    const char *const *labels;    /**< N texts in UTF-8; NULL: none */
    const char *name;             /**< what the projector calls the vectors; NULL: "codes" */
    double low, high;             /**< values of an image that become black and full brightness */
} lstmae_projector;

#define LSTMAE_PROJECTOR_INIT { sizeof(lstmae_projector), 0, NULL, NULL, NULL, NULL, 0.0, 1.0 }

/**
 * Writes tensors.tsv, metadata.tsv (the labels), sprite.png (the images, as a grid) and, when these are whole,
 * projector_config.pbtxt into `folder`, which is created where it is missing: the folder that TensorBoard is pointed
 * at, or one inside of it that has event files. Files of those names are replaced.
 *
 * A label is one line: tabs, line ends, other control characters and backslashes become \t, \n, \r, \xHH and \\; one
 * that is empty or blank becomes "(none)", for the projector leaves such lines out.
 *
 * @return OK; ERR_SHAPE, also where the grid of images would be more than the projector's 8192 pixels wide or high;
 *         ERR_DTYPE; ERR_NUMERIC naming the row that is not finite; ERR_INVALID_ARG, for a label that is not UTF-8 too;
 *         ERR_IO; ERR_NOT_FOUND; ERR_NO_MEMORY. After a failure the files written before it stay
 */
LSTMAE_API lstmae_status lstmae_projector_save(const char *folder, const lstmae_projector *content);

LSTMAE_END_DECLS

#endif
