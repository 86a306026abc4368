/*
 * Factors of products as cuBLAS takes them: rows evenly spaced, of the type that the context's precision multiplies.
 * Those that are not so already are moved to scratch, all of a call in one launch:
 *
 *   declare them (lae_cu_factor_of), and what other scratch is wanted (lae_cu_factors_room);
 *   lae_cu_factors_move() once; then lae_cu_factor_at() and lae_cu_factors_at() say where things are.
 */
#ifndef LAE_CUDA_FACTORS_H
#define LAE_CUDA_FACTORS_H

#include "gemm.h"
#include "rows.h"

struct lae_cu_factors {
    int from_type, type; /* of the call's arrays, and of factors: lae_cu_type */
    size_t bytes;
    char *scratch;
    int count;
    size_t offset[LAE_CU_ROWS_MOST]; /* in scratch, of what each move writes; SIZE_MAX: its dst is known */
    lae_cu_rows list[LAE_CU_ROWS_MOST];
};

struct lae_cu_factor {
    const void *data; /* NULL: in scratch */
    size_t offset;
    int64_t row;      /* from one row to the next */
};

/** For arrays of `dtype`. */
inline lae_cu_factors lae_cu_factors_of(const lstmae_queue *queue, int dtype)
{
    lae_cu_factors factors = {};
    factors.from_type = lae_cu_type_of(dtype);
    factors.type = lae_cu_factor_type(queue, dtype);
    return factors;
}

/** Room in scratch for an array of the call's type, or of the factors'; where it is. */
inline size_t lae_cu_factors_room(lae_cu_factors *factors, int64_t count, int type)
{
    return lae_cu_room(&factors->bytes, count, type);
}

/** Rows that begin at whole 16 bytes. */
inline int64_t lae_cu_factor_row(int64_t columns)
{
    return (columns + 7) / 8 * 8;
}

/** outer x inner rows of `columns` elements, row (o, i) being o outer_step + i inner_step elements after data. */
lae_cu_factor lae_cu_factor_of(lae_cu_factors *factors, const void *data, int64_t outer, int64_t inner,
                               int64_t columns, int64_t outer_step, int64_t inner_step);

/** A contiguous weight, or what prepare() made of it. */
lae_cu_factor lae_cu_factor_weight(lae_cu_factors *factors, const void *w, const void *prepared, int64_t rows,
                                   int64_t columns);

/** Has something else moved in the same launch. */
inline void lae_cu_factors_also(lae_cu_factors *factors, const lae_cu_rows *rows)
{
    factors->offset[factors->count] = SIZE_MAX;
    factors->list[factors->count++] = *rows;
}

/** 1 if such rows are evenly spaced and do not overlap, *row apart. */
int lae_cu_rows_are_even(int64_t outer, int64_t inner, int64_t columns, int64_t outer_step, int64_t inner_step,
                         int64_t *row);

lstmae_status lae_cu_factors_move(lstmae_queue *queue, lae_cu_factors *factors);

inline void *lae_cu_factors_at(const lae_cu_factors *factors, size_t offset)
{
    return factors->scratch + offset;
}

/** Row `r` of a factor. */
inline const void *lae_cu_factor_at(const lae_cu_factors *factors, const lae_cu_factor *factor, int64_t r)
{
    return lae_cu_at(factor->data ? factor->data : lae_cu_factors_at(factors, factor->offset), r * factor->row,
                     factors->type);
}

/** A product of such factors; its result is of the call's type. The rest is 0. */
inline lae_cu_product_args lae_cu_factors_product(const lae_cu_factors *factors, uint32_t flags, int64_t M, int64_t N,
                                                  int64_t K)
{
    lae_cu_product_args product = {};
    product.flags = flags;
    product.type = factors->type;
    product.c_type = factors->from_type;
    product.M = M;
    product.N = N;
    product.K = K;
    return product;
}

#endif
