/* Moving the rows of matrices between layouts and types, several matrices in one launch: what products need first. */
#ifndef LAE_CUDA_ROWS_H
#define LAE_CUDA_ROWS_H

#include "types.h"

/** Matrices of one launch. */
constexpr int LAE_CU_ROWS_MOST = 4;

/**
 * dst = src + beta dst for outer x inner rows of `columns` elements; row (o, i) is o outer + i inner elements after the
 * first one. F32 goes to F32 or, with beta 0, to BF16; F64 to F64. beta 0 ignores dst.
 */
struct lae_cu_rows {
    const void *src; /* NULL: zeros */
    void *dst;
    int64_t outer, inner, columns;
    int64_t src_outer, src_inner; /* 0 repeats; negative runs backwards */
    int64_t dst_outer, dst_inner;
    int dst_type;
    double beta;
};

/** Rows evenly spaced on both sides. */
inline lae_cu_rows lae_cu_even_rows(void *dst, int dst_type, int64_t dst_row, const void *src, int64_t src_row,
                                    int64_t rows, int64_t columns)
{
    return { src, dst, 1, rows, columns, 0, src_row, 0, dst_row, dst_type, 0.0 };
}

/** Moves all of a list; their sources are of type `type`. No launch where there is nothing to move. */
lstmae_status lae_cu_move_rows(lstmae_queue *queue, int type, const lae_cu_rows *list, int count);

#endif
