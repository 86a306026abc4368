/* Weights for products: in bf16 a copy of that type, the same for every use; else they are used as they are. */
#include "entries.h"
#include "rows.h"

size_t lae_cu_prepare_bytes(const lstmae_queue *queue, int kind, int64_t N, int64_t K, int dtype)
{
    (void)kind;
    if (lae_cu_factor_type(queue, dtype) != LAE_CU_BF16) return 0;
    return (size_t)N * (size_t)K * lae_cu_type_size(LAE_CU_BF16);
}

/* One row of N K elements: where it begins is aligned whatever K is. */
lstmae_status lae_cu_prepare(lstmae_queue *queue, int kind, void *dst, const void *w, int64_t N, int64_t K, int dtype)
{
    (void)kind;
    LAE_CU_TRY(lae_cu_usable(queue));
    if (lae_cu_factor_type(queue, dtype) != LAE_CU_BF16) return LSTMAE_ERR_UNSUPPORTED;
    const lae_cu_rows rows = lae_cu_even_rows(dst, LAE_CU_BF16, 0, w, 0, 1, N * K);
    return lae_cu_move_rows(queue, LAE_CU_F32, &rows, 1);
}
