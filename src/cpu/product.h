/*
 * Matrix products on packed panels, and packing: the parts that one thread does of them. Inside a task of the pool;
 * what is shared between threads is separated by barriers in the callers.
 */
#ifndef LAE_CPU_PRODUCT_H
#define LAE_CPU_PRODUCT_H

#include "kernels.h"
#include "queue.h"

/** Where the rows of a matrix are: row r is r / inner * outer + r % inner * row floats after the first. */
typedef struct lae_rows {
    int64_t inner, outer, row;
} lae_rows;

/** Rows that are all `row` floats apart. */
static inline lae_rows lae_even_rows(int64_t row)
{
    return (lae_rows){ INT64_MAX, 0, row };
}

static inline int64_t lae_row_at(const lae_rows *rows, int64_t r)
{
    if (r < rows->inner) return r * rows->row;
    return r / rows->inner * rows->outer + r % rows->inner * rows->row;
}

/** How many of the `most` rows from r on are evenly spaced. */
static inline int64_t lae_row_run(const lae_rows *rows, int64_t r, int64_t most)
{
    const int64_t left = rows->inner - (r < rows->inner ? r : r % rows->inner);
    return left < most ? left : most;
}

/** Columns of C and of the packed operand: plain, or the four gates of `units` units, interleaved by vectors. */
typedef struct lae_columns {
    int64_t count; /* N: 4 * units with gates */
    int64_t units; /* 0: plain */
} lae_columns;

/** C[M,N] = A[M,K] * panels + what `from_c` and `bias` say. */
typedef struct lae_product {
    const float *a;
    lae_rows a_rows;
    int64_t a_tile; /* not 0: A is in tiles this many floats apart */
    const float *panels;
    float *c;
    lae_rows c_rows;
    int from_c;        /* add C as it was */
    const float *bias; /* without from_c: add this row, [N]; NULL: none */
    int64_t K;
    lae_columns columns;
} lae_product;

/** Columns of a panel. */
static inline int64_t lae_panel_columns(const lae_kernels *kernels)
{
    return LAE_PANEL_VECTORS * kernels->lanes;
}

/** Panels of a packed operand. */
int64_t lae_panel_count(const lae_kernels *kernels, lae_columns columns);

/** Floats from one tile to the next: a cache line more than it holds, so that tiles do not share cache sets. */
static inline int64_t lae_tile_floats(int64_t K)
{
    return LAE_TILE_ROWS * K + 16;
}

/** Floats of a packed operand [K,N]; of a left operand [M,K] in tiles. */
size_t lae_panels_floats(const lae_kernels *kernels, lae_columns columns, int64_t K);
size_t lae_tiles_floats(int64_t M, int64_t K);

/** How the rows and panels of a product are cut between threads: thread t has part (t % across, t / across). */
typedef struct lae_grid {
    int across, down; /* parts of the panels and of the rows; across * down <= threads */
} lae_grid;

lae_grid lae_grid_of(int64_t M, int64_t panels, int threads);

/** This thread's panels [*p0, *p1) and rows [*m0, *m1); rows begin at multiples of 6. Empty for idle threads. */
void lae_grid_part(lae_grid grid, int64_t M, int64_t panels, int thread, int64_t *p0, int64_t *p1, int64_t *m0,
                   int64_t *m1);

/** Computes those rows and panels of the product. */
void lae_product_part(const lae_kernels *kernels, const lae_product *product, int64_t p0, int64_t p1, int64_t m0,
                      int64_t m1);

/** Fills in which columns a sweep of panel p stores, and where: c and c_in are at the row's first column. */
void lae_sweep_columns(const lae_kernels *kernels, lae_sweep *sweep, lae_columns columns, int64_t p, float *c,
                       const float *c_in);

/** Packs panels [p0, p1) of w^T, w [N,ldw]: pack_columns. */
void lae_pack_columns_part(const lae_kernels *kernels, float *panels, const float *w, int64_t ldw, lae_columns columns,
                           int64_t K, int64_t p0, int64_t p1);

/** Packs panels [p0, p1) of w [K,N]: K rows from `first` on. */
void lae_pack_rows_part(const lae_kernels *kernels, float *panels, const float *w, const lae_rows *rows, int64_t first,
                        int64_t N, int64_t K, int64_t p0, int64_t p1);

/** Packs tiles [t0, t1) of a transposed left operand a [K,lda], M columns. */
void lae_pack_tiles_part(const lae_kernels *kernels, float *tiles, const float *a, int64_t lda, int64_t M, int64_t K,
                         int64_t t0, int64_t t1);

#endif
