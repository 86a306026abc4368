/*
 * Closed loops of decoders (lstmae_loop_args): what loop_prepare.cu, loop_forward.cu and loop_backward.cu have in
 * common, which is where things lie.
 *
 * A step of a layer multiplies one row [x|h] for each sample with [W_ih|W_hh]: one product instead of two. In rows and
 * in weights x has columns up to a multiple of LAE_CU_LOOP_EACH, zeros behind its own, so that h begins at 16 bytes;
 * rows are such a multiple long, too. The rows of all decoders lie behind each other, as do their weights, so that all
 * decoders are one launch of products at even distances.
 */
#ifndef LAE_CUDA_LOOP_H
#define LAE_CUDA_LOOP_H

#include "rows.h"

constexpr int64_t LAE_CU_LOOP_EACH = 8;

inline int64_t lae_cu_loop_round(int64_t columns)
{
    return (columns + LAE_CU_LOOP_EACH - 1) / LAE_CU_LOOP_EACH * LAE_CU_LOOP_EACH;
}

/** Elements of one decoder's weights with N rows: from one decoder to the next. */
inline int64_t lae_cu_loop_weights(int64_t N, int64_t I, int64_t H, int type)
{
    const size_t bytes = (size_t)(N * (lae_cu_loop_round(I) + lae_cu_loop_round(H))) * lae_cu_type_size(type);
    return (int64_t)((bytes + 255) / 256 * 256 / lae_cu_type_size(type));
}

/** Column of h in a row of layer l, and elements of the row. */
inline int64_t lae_cu_loop_h(const lstmae_loop_args *args, int64_t l)
{
    return lae_cu_loop_round(l == 0 ? args->F : args->H);
}

inline int64_t lae_cu_loop_row(const lstmae_loop_args *args, int64_t l)
{
    return lae_cu_loop_h(args, l) + lae_cu_loop_round(args->H);
}

/** Rows [count,B] of each layer, in scratch memory. */
struct lae_cu_loop_rows {
    const lstmae_loop_args *args;
    int type;
    size_t offset;  /* of layer 0 */
    size_t step[2]; /* bytes from layer 0 to layer 1, and from there to each next */
    void *scratch;
};

/** Adds rows of `type` to what is wanted of lae_cu_scratch(), which `scratch` is to be set to. */
inline lae_cu_loop_rows lae_cu_loop_room(const lstmae_loop_args *args, int type, size_t *total)
{
    lae_cu_loop_rows rows = { args, type, *total, { 0, 0 }, NULL };
    for (int64_t l = 0; l < args->L; l++) {
        const size_t before = lae_cu_room(total, args->count * args->B * lae_cu_loop_row(args, l), type);
        rows.step[l > 0] = *total - before;
    }
    return rows;
}

/** Column `column` of the first row of decoder d in layer l. */
inline void *lae_cu_loop_at(const lae_cu_loop_rows *rows, int64_t l, int64_t d, int64_t column)
{
    const size_t layer = l == 0 ? 0 : rows->step[0] + (size_t)(l - 1) * rows->step[1];
    return lae_cu_at(static_cast<char *>(rows->scratch) + rows->offset + layer,
                     d * rows->args->B * lae_cu_loop_row(rows->args, l) + column, rows->type);
}

inline const lstmae_loop_layer *lae_cu_loop_layer(const lstmae_loop_args *args, int64_t l, int64_t d)
{
    return &args->layers[d * args->L + l];
}

/** Moves of rows, as many in a launch as there can be. */
struct lae_cu_loop_moves {
    lstmae_queue *queue;
    int type; /* of the sources */
    int count;
    lae_cu_rows list[LAE_CU_ROWS_MOST];
};

lstmae_status lae_cu_loop_flush(lae_cu_loop_moves *moves);
lstmae_status lae_cu_loop_move(lae_cu_loop_moves *moves, const lae_cu_rows *rows);

/** 1 for sizes and maps that the entries do. */
int lae_cu_loop_serves(const lstmae_loop_args *args);

#endif
