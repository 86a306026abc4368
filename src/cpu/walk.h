/*
 * How elementwise entries cross their arrays: axes are merged where all strides allow it, the elements are cut into
 * units that depend on the shape alone, threads take units, and every stretch of a unit is handed to a function as
 * contiguous floats. Stretches of arrays with other strides are gathered into a buffer first, and scattered after.
 */
#ifndef LAE_CPU_WALK_H
#define LAE_CPU_WALK_H

#include "pointwise.h"
#include "queue.h"

#define LAE_WALK_VIEWS 4

/** Elements of a unit, about: the last one has fewer, and a unit holds whole rows where rows are shorter. */
#define LAE_WALK_UNIT 8192

typedef struct lae_walk {
    int views;
    unsigned read, written; /* bit v: view v */
    float *data[LAE_WALK_VIEWS];
    int axes; /* all but the innermost */
    int64_t dim[LSTMAE_MAX_DIMS], stride[LAE_WALK_VIEWS][LSTMAE_MAX_DIMS];
    int64_t inner, inner_stride[LAE_WALK_VIEWS];
    int64_t rows;                         /* product of the outer axes */
    int64_t rows_per_unit, units_per_row; /* one of them is 1 */
    int64_t units;
} lae_walk;

/**
 * `n` elements from row-major position `first` on; at[v] is where view v's lie, NULL for a NULL view. `lanes` is the
 * unit's, NULL where nothing is summed.
 */
typedef void (*lae_stretch_fn)(const void *arg, float *const *at, int64_t first, int64_t n, lae_lanes *lanes);

/** Views of floats of one shape, the first not NULL. */
void lae_walk_start(lae_walk *walk, int count, const lstmae_view *const *views, unsigned read, unsigned written);

/**
 * The same in the order of axes that costs least, for entries to which an element's position does not matter: arrays
 * that lie alike in memory are crossed as they lie, whatever the order of their axes. Shapes and strides alone decide.
 */
void lae_walk_start_any(lae_walk *walk, int count, const lstmae_view *const *views, unsigned read, unsigned written);

int64_t lae_walk_numel(const lae_walk *walk);

/** Units [begin, end). sums, if not NULL, receives the sum of each unit's lanes: sums[unit]. */
void lae_walk_units(const lae_walk *walk, int64_t begin, int64_t end, lae_stretch_fn fn, const void *arg, double *sums);

/** All units, by as many threads as elements times `cost` (1: moving them) deserve. */
void lae_walk_run(lstmae_queue *queue, const lae_walk *walk, int64_t cost, lae_stretch_fn fn, const void *arg,
                  double *sums);

#endif
