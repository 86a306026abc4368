/* Factors of products: see factors.h. */
#include "factors.h"

int lae_cu_rows_are_even(int64_t outer, int64_t inner, int64_t columns, int64_t outer_step, int64_t inner_step,
                         int64_t *row)
{
    *row = inner > 1 ? inner_step : outer_step;
    if (outer * inner <= 1) *row = columns;
    return *row >= columns && (outer <= 1 || inner <= 1 || outer_step == inner * inner_step);
}

lae_cu_factor lae_cu_factor_of(lae_cu_factors *factors, const void *data, int64_t outer, int64_t inner,
                               int64_t columns, int64_t outer_step, int64_t inner_step)
{
    lae_cu_factor factor = { data, 0, 0 };
    if (factors->type == factors->from_type &&
        lae_cu_rows_are_even(outer, inner, columns, outer_step, inner_step, &factor.row))
        return factor;
    factor.data = NULL;
    factor.row = lae_cu_factor_row(columns);
    factor.offset = lae_cu_factors_room(factors, outer * inner * factor.row, factors->type);
    lae_cu_rows *rows = &factors->list[factors->count];
    *rows = { data, NULL, outer, inner, columns, outer_step, inner_step, 0, factor.row, factors->type, 0.0 };
    rows->dst_outer = inner * factor.row;
    factors->offset[factors->count++] = factor.offset;
    return factor;
}

lae_cu_factor lae_cu_factor_weight(lae_cu_factors *factors, const void *w, const void *prepared, int64_t rows,
                                   int64_t columns)
{
    if (prepared && factors->type == LAE_CU_BF16) return { prepared, 0, columns };
    return lae_cu_factor_of(factors, w, 1, rows, columns, 0, columns);
}

lstmae_status lae_cu_factors_move(lstmae_queue *queue, lae_cu_factors *factors)
{
    void *scratch = NULL;
    if (factors->bytes > 0) LAE_CU_TRY(lae_cu_scratch(queue, factors->bytes, &scratch));
    factors->scratch = static_cast<char *>(scratch);
    for (int k = 0; k < factors->count; k++)
        if (factors->offset[k] != SIZE_MAX) factors->list[k].dst = factors->scratch + factors->offset[k];
    return lae_cu_move_rows(queue, factors->from_type, factors->list, factors->count);
}
