/**
 * @file windows.h
 * Data sets of windows over recordings, for the loader with LSTMAE_LOADER_TIME_MAJOR.
 */
#ifndef LSTMAE_WINDOWS_H
#define LSTMAE_WINDOWS_H

#include <lstmae/data.h>
#include <lstmae/scaler.h>

LSTMAE_BEGIN_DECLS

typedef struct lstmae_windows_options {
    uint32_t struct_size;
    uint32_t flags;               /**< 0 */
    int64_t length;               /**< rows of a window; for predictions those of the past and of the future */
    int64_t stride;               /**< rows from the beginning of one window to that of the next */
    const lstmae_scaler *scaler;  /**< values are scaled by it as it is now; NULL: as they are */
} lstmae_windows_options;

#define LSTMAE_WINDOWS_OPTIONS_INIT { sizeof(lstmae_windows_options), 0, 10, 1, NULL }

/**
 * Windows [length, columns] over `count` parts of recordings, numbered part by part and row by row. None reaches beyond
 * its part, so windows mix neither recordings nor, with parts from lstmae_rows_part(), training and test. Rows left
 * over at the end of a part are in no window. Tables are kept alive, and their values not copied.
 *
 * @return OK; ERR_SHAPE for tables or a scaler of different numbers of columns, or where no part is long enough;
 *         ERR_NO_MEMORY; ERR_INVALID_ARG
 */
LSTMAE_API lstmae_status lstmae_dataset_windows(lstmae_dataset **out, const lstmae_rows *parts, int64_t count,
                                                const lstmae_windows_options *options);

/** Where window `index` begins: number of its part, and row of that part's table. ERR_INVALID_ARG. */
LSTMAE_API lstmae_status lstmae_windows_place(const lstmae_dataset *dataset, int64_t index, int64_t *part,
                                              int64_t *row);

LSTMAE_END_DECLS

#endif
