/*
 * The inner loops of matrix products and LSTM cells, one table per instruction set. Arrays are float and canonical
 * (row-major, PyTorch order) except for the packed forms:
 *
 *   panel  [K][4 VL]: four vectors of columns of the right operand, contiguous over k. A plain panel p holds columns
 *          4 VL p ... ; a gate panel p holds units VL p ... of the gates i, f, g, o. Missing columns are 0.
 *   tiles  of the left operand: its rows in groups of 6, each [K][6]; a last, smaller group has room for 6 as well.
 */
#ifndef LAE_CPU_KERNELS_H
#define LAE_CPU_KERNELS_H

#include "isa.h"

#include <stdint.h>

#define LAE_TILE_ROWS 6
#define LAE_PANEL_VECTORS 4

/** Steps of k whose products are summed in registers; the sums of blocks are added in order. */
#define LAE_K_BLOCK 512

/**
 * A strip of C = c_in + A * panel for `rows` rows and one panel. Row r of A is at a + r * a_row, or, with a_tile set, A
 * is in tiles that are a_tile apart. Vector v of row r of C is at c[r * c_row + v * c_vec].
 */
typedef struct lae_sweep {
    const float *a, *b;
    const float *c_in; /* NULL: zeros; may be c */
    float *c;
    int64_t a_row, a_tile, in_row, in_vec, c_row, c_vec;
    int64_t rows, k;
    int64_t vectors;   /* of the panel that are stored, 1 to 4 */
    int64_t most, last; /* floats stored of the vectors before the last one, and of the last one; 1 to VL */
} lae_sweep;

/** The pointwise part of one step for some rows and a range of units; pointers are at the first row and unit. */
typedef struct lae_cell {
    int64_t rows, units; /* forward: at most VL units */
    int64_t H;
    float *gates;             /* rows [4][H] */
    const float *c_before;    /* rows of H, like all states */
    const float *h_before;    /* read for masked rows only */
    float *h, *c;
    const float *peephole;    /* [3][H]; NULL: none */
    const int64_t *lengths;   /* of the rows; NULL: none */
    int64_t time;

    /* forward */
    const float *sums;        /* [rows][4 VL]: products without biases */
    const float *b_ih, *b_hh; /* [4][H]; NULL: none */
    float *y;                 /* NULL: none */
    int64_t y_row;

    /* backward: gates become dL/da */
    const float *dh_in;       /* rows of dh_in_row: dL/dh of the step without dy */
    int64_t dh_in_row;
    float *dh, *dc;           /* dL/dh that passes the cell by, set where there are lengths; dL/dc in and out */
    const float *dy;          /* NULL: none */
    int64_t dy_row;
} lae_cell;

/** One LSTM step of one sample; gate panels, arrays of H and [4][H] as in lae_cell. */
typedef struct lae_step {
    int64_t I, H;
    const float *x, *ih;        /* input and its panels; ih NULL: the input is zero */
    const float *h_before, *hh; /* h_before NULL: the state is zero */
    const float *c_before;
    const float *b_ih, *b_hh;   /* NULL: none */
    const float *peephole;      /* NULL: none */
    float *gates, *c, *h;
    float *y;                   /* NULL: none */
} lae_step;

struct lae_kernels {
    lae_isa isa;
    int64_t lanes; /* VL */
    void (*sweep)(const lae_sweep *sweep);
    /**
     * panel[k][0 .. VL) = w[0 .. VL)[k]: VL rows of w, of which `rows` exist, to one vector column of a panel.
     * `stream` says that the caches had better keep other things.
     */
    void (*pack_columns)(float *panel, const float *w, int64_t ldw, int64_t rows, int64_t k, int stream);
    /** panel[k][.] = w[k][.] for panels that are panel_floats apart, of which `columns` columns exist. */
    void (*pack_rows)(float *panels, int64_t panel_floats, const float *w, int64_t ldw, int64_t columns, int64_t k,
                      int stream);
    /** Tiles, tile_floats apart, of a transposed left operand: tile[k][r] = a[k * lda + r], for `columns` rows r in
     * all. */
    void (*pack_tiles)(float *tiles, int64_t tile_floats, const float *a, int64_t lda, int64_t columns, int64_t k);
    void (*cell_forward)(const lae_cell *cell);
    void (*cell_backward)(const lae_cell *cell);
    /** out[j] = sum over rows r of x[r * x_row + j] * (w ? w[r * w_row + j] : 1) + (beta ? out[j] : 0); sum in
     * double. */
    void (*column_sum)(float *out, int add, const float *x, int64_t x_row, const float *w, int64_t w_row, int64_t rows,
                       int64_t columns);
    /** Units of panels [p0, p1). */
    void (*step)(const lae_step *step, int64_t p0, int64_t p1);
};

typedef struct lae_kernels lae_kernels;

extern const lae_kernels lae_kernels_plain, lae_kernels_neon, lae_kernels_avx2, lae_kernels_avx512;

/** The table of an instruction set, NULL if it is not available. */
const lae_kernels *lae_kernels_of(lae_isa isa);

#endif
