/*
 * The pointwise part of a step of an LSTM layer, for one layer or for several of one shape in one launch ("parts": the
 * decoders of a model). The equations are in <lstmae/backend.h>.
 *
 * Arrays are of the call's dtype, F32 or F64, and rows are samples. Gates are [B,4H], states and gradients of states
 * [B,H], all contiguous, where no stride is named.
 */
#ifndef LAE_CUDA_LSTM_CELL_H
#define LAE_CUDA_LSTM_CELL_H

#include "types.h"

/** Layers of one launch. */
constexpr int LAE_CU_CELL_PARTS = 2;

/** Dropout as the table's entry does it; made by lae_cu_cell_dropout_of(), all 0: none. */
struct lae_cu_cell_dropout {
    lstmae_random_key key;
    const lae_cu_step *step;
    double scale;
    uint32_t threshold; /* of the upper 24 bits */
    uint32_t reserved;
};

/** Of probability p, on an array whose element (b, j) has the number key->first + b H + j. */
lae_cu_cell_dropout lae_cu_cell_dropout_of(const lstmae_queue *queue, double p, const lstmae_random_key *key);

/** Another place that h is written to; data NULL: none. */
struct lae_cu_cell_copy {
    void *data;  /* rows of `row` elements */
    int64_t row; /* from one sample to the next */
    int type;    /* the dtype's, or BF16 */
};

struct lae_cu_cell_forward_part {
    const void *sums;  /* W_ih x + W_hh h, or a part of it; NULL: 0 */
    const void *start; /* the rest of it; NULL: 0 */
    const void *b_ih, *b_hh, *peephole;  /* NULL: none */
    const void *h_before;                /* read where there are lengths */
    const void *c_before;                /* NULL: 0 */
    void *gates;                         /* receives i, f, g, o; may be sums; NULL: not wanted */
    void *c;
    void *h;                             /* NULL: not wanted */
    lae_cu_cell_copy y;                  /* 0 for samples that have ended */
    lae_cu_cell_copy next;               /* h, for the product of the next step */
    lae_cu_cell_copy above;              /* h after dropout, for the layer above */
    void *dropped;                       /* the same as an array, where there is `above`; NULL: not wanted */
    lae_cu_cell_dropout dropout;
};

struct lae_cu_cell_forward {
    int64_t B, H;
    int dtype;
    int parts;
    const int64_t *lengths; /* NULL: none */
    int64_t time;
    lae_cu_cell_forward_part part[LAE_CU_CELL_PARTS];
};

lstmae_status lae_cu_cell_forward_run(lstmae_queue *queue, const lae_cu_cell_forward *cell);

/** dL/dh of the step is `dh_in` + `dy`; dropout is the one that h passed on its way to where dy comes from. */
struct lae_cu_cell_backward_part {
    const void *gates;        /* i, f, g, o */
    const void *c_before, *c; /* c_before NULL: 0 */
    const void *peephole;     /* NULL: none */
    const void *dh_in;        /* NULL: 0 */
    int64_t dh_in_row;
    const void *dy;           /* NULL: 0 */
    int64_t dy_row;
    lae_cu_cell_dropout dropout;
    void *dc;                 /* in dL/dc of the step, out of the one before */
    const void *dc_in;        /* where dc is read instead; NULL: dc itself */
    void *dh;                 /* receives what passes ended samples by, else 0; may be dh_in; NULL: not wanted */
    void *da;                 /* receives dL/da; may be gates; NULL: not wanted */
    lae_cu_cell_copy da_copy; /* the same for products: rows of 4H or more */
};

struct lae_cu_cell_backward {
    int64_t B, H;
    int dtype;
    int parts;
    const int64_t *lengths;
    int64_t time;
    lae_cu_cell_backward_part part[LAE_CU_CELL_PARTS];
};

lstmae_status lae_cu_cell_backward_run(lstmae_queue *queue, const lae_cu_cell_backward *cell);

#endif
