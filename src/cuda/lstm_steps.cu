/* The table's entries for one step, and what they and the sequences have in common. */
#include "lstm_steps.h"

#include "entries.h"

lae_cu_cell_forward lae_cu_step_forward(const lstmae_lstm_args *args, int64_t s)
{
    const int64_t B = args->B, H = args->H, t = lae_cu_step_time(args, s);
    const int type = lae_cu_type_of(args->dtype);
    lae_cu_cell_forward cell = {};
    cell.B = B;
    cell.H = H;
    cell.dtype = args->dtype;
    cell.parts = 1;
    cell.lengths = args->lengths;
    cell.time = t;
    lae_cu_cell_forward_part &p = cell.part[0];
    p.gates = lae_cu_lstm_at(args, args->gates, s * B * 4 * H);
    p.sums = p.gates;
    p.b_ih = args->b_ih;
    p.b_hh = args->b_hh;
    p.peephole = args->peephole;
    p.h_before = lae_cu_lstm_at(args, args->hs, s * B * H);
    p.c_before = lae_cu_lstm_at(args, args->cs, s * B * H);
    p.h = lae_cu_lstm_at(args, args->hs, (s + 1) * B * H);
    p.c = lae_cu_lstm_at(args, args->cs, (s + 1) * B * H);
    if (args->y) p.y = { lae_cu_lstm_at(args, args->y, t * args->y_step), args->y_batch, type };
    return cell;
}

lae_cu_cell_backward lae_cu_step_backward(const lstmae_lstm_args *args, int64_t s)
{
    const int64_t B = args->B, H = args->H, t = lae_cu_step_time(args, s);
    lae_cu_cell_backward cell = {};
    cell.B = B;
    cell.H = H;
    cell.dtype = args->dtype;
    cell.parts = 1;
    cell.lengths = args->lengths;
    cell.time = t;
    lae_cu_cell_backward_part &p = cell.part[0];
    p.da = lae_cu_lstm_at(args, args->gates, s * B * 4 * H);
    p.gates = p.da;
    p.c_before = lae_cu_lstm_at(args, args->cs, s * B * H);
    p.c = lae_cu_lstm_at(args, args->cs, (s + 1) * B * H);
    p.peephole = args->peephole;
    p.dh_in = args->dh;
    p.dh_in_row = H;
    if (args->dy) p.dy = lae_cu_lstm_at(args, args->dy, t * args->dy_step);
    p.dy_row = args->dy_batch;
    p.dc = args->dc;
    p.dh = args->dh;
    return cell;
}

lae_cu_factor lae_cu_factor_input(lae_cu_factors *factors, const lstmae_lstm_args *args)
{
    const lae_cu_rows rows = lae_cu_step_rows(args, args->x, args->x_step, args->x_batch);
    const int64_t outer = lae_cu_input_repeats(args) ? 1 : rows.outer;
    return lae_cu_factor_of(factors, rows.src, outer, rows.inner, args->I, rows.src_outer, rows.src_inner);
}

lstmae_status lae_cu_lstm_cell_forward(lstmae_queue *queue, const lstmae_lstm_args *args, int64_t s)
{
    LAE_CU_TRY(lae_cu_usable(queue));
    const lae_cu_cell_forward cell = lae_cu_step_forward(args, s);
    return lae_cu_cell_forward_run(queue, &cell);
}

lstmae_status lae_cu_lstm_cell_backward(lstmae_queue *queue, const lstmae_lstm_args *args, int64_t s)
{
    LAE_CU_TRY(lae_cu_usable(queue));
    const lae_cu_cell_backward cell = lae_cu_step_backward(args, s);
    return lae_cu_cell_backward_run(queue, &cell);
}
