/* The weights of closed loops as loop.h describes them, in the type of the context's products. */
#include "loop.h"

#include "entries.h"
#include "shared/map_kind.h"

#include <limits.h>

size_t lae_cu_loop_prepare_bytes(const lstmae_queue *queue, int64_t N, int64_t I, int64_t H, int dtype)
{
    const int type = lae_cu_factor_type(queue, dtype);
    return (size_t)lae_cu_loop_weights(N, I, H, type) * lae_cu_type_size(type);
}

lstmae_status lae_cu_loop_prepare(lstmae_queue *queue, void *dst, const void *w_x, const void *w_h, int64_t N,
                                  int64_t I, int64_t H, int dtype)
{
    const int type = lae_cu_factor_type(queue, dtype);
    const int64_t at_h = lae_cu_loop_round(I), row = at_h + lae_cu_loop_round(H);
    LAE_CU_TRY(lae_cu_usable(queue));
    const lae_cu_rows list[] = {
        lae_cu_even_rows(dst, type, row, w_x, I, N, I),
        lae_cu_even_rows(lae_cu_at(dst, I, type), type, row, NULL, 0, N, at_h - I),
        lae_cu_even_rows(lae_cu_at(dst, at_h, type), type, row, w_h, H, N, H),
    };
    return lae_cu_move_rows(queue, lae_cu_type_of(dtype), list, 3);
}

lstmae_status lae_cu_loop_flush(lae_cu_loop_moves *moves)
{
    const int count = moves->count;
    moves->count = 0;
    return lae_cu_move_rows(moves->queue, moves->type, moves->list, count);
}

lstmae_status lae_cu_loop_move(lae_cu_loop_moves *moves, const lae_cu_rows *rows)
{
    if (moves->count == LAE_CU_ROWS_MOST) LAE_CU_TRY(lae_cu_loop_flush(moves));
    moves->list[moves->count++] = *rows;
    return LSTMAE_OK;
}

int lae_cu_loop_serves(const lstmae_loop_args *args)
{
    const int64_t most = INT_MAX;
    if (args->map < 0 || args->map >= LAE_MAP_KINDS || lae_map_reads_input(args->map)) return 0;
    return args->count <= most && args->B <= most && lae_cu_loop_round(args->F) <= most / args->B &&
           lae_cu_loop_round(args->H) <= most / 4 / args->B &&
           lae_cu_loop_round(args->F) <= most - lae_cu_loop_round(args->H);
}
