/* Runs of a stacked LSTM over whole sequences, forward and backward. */
#include "lstm_internal.h"
#include "ops.h"

int lae_lstm_drops(const lae_lstm *lstm, int64_t k)
{
    return lstm->base.training && lstm->dropout > 0.0 && k + 1 < lstm->L;
}

/* A layer's hs is its output unless directions are joined, outputs are masked, or dropout makes another one of it. */
static int run_needs_output(const lae_lstm *lstm, int64_t k)
{
    return lstm->D == 2 || lstm->lengths_count > 0 || lae_lstm_drops(lstm, k);
}

lstmae_status lae_lstm_begin(lae_lstm *lstm, int64_t T, int64_t B)
{
    lstmae_context *context = lstm->base.context;
    int64_t dims[3] = { T, B, lstm->D * lstm->H };
    for (int64_t i = 0; i < lstm->L * lstm->D; i++) LAE_TRY(lae_lstm_layer_reserve(&lstm->layers[i], context, T, B));
    for (int64_t k = 0; k < lstm->L; k++)
        if (run_needs_output(lstm, k)) LAE_TRY(lae_tensor_ensure(&lstm->outputs[k], context, context->dtype, 3, dims));
    if (lae_lstm_drops(lstm, 0)) lstm->draw = lae_context_new_draw(context);
    lstm->T = T;
    lstm->B = B;
    return LSTMAE_OK;
}

lstmae_random_key lae_lstm_drop_key(const lae_lstm *lstm, int64_t k, int64_t t)
{
    const int64_t row = lstm->B * lstm->D * lstm->H;
    return (lstmae_random_key){ lstm->base.context->seed, lae_random_stream(lstm->sites[k], lstm->draw),
                                (uint64_t)(t * row) };
}

lstmae_status lae_lstm_drop(const lae_lstm *lstm, int64_t k, int64_t t, int64_t steps, void *y, const void *x)
{
    lstmae_context *context = lstm->base.context;
    int64_t count = steps * lstm->B * lstm->D * lstm->H;
    lstmae_view vy = lae_view_of(y, (int)context->dtype, 1, &count), vx = vy;
    vx.data = (void *)(uintptr_t)x;
    const lstmae_random_key key = lae_lstm_drop_key(lstm, k, t);
    return lae_op_dropout(context, &vy, &vx, lstm->dropout, &key);
}

/* Output of layer k at time `first` and on. */
static lae_sequence run_output(const lae_lstm *lstm, int64_t k, int64_t first)
{
    int64_t width = lstm->D * lstm->H, dtype = lstm->base.context->dtype;
    const lae_lstm_layer *layer = lae_lstm_at(lstm, k, 0);
    lae_sequence out = { NULL, lstm->B * width, width };
    out.data = run_needs_output(lstm, k) ? lae_at(lstm->outputs[k]->view.data, first * out.step, (int)dtype)
                                         : lae_at(layer->hs->view.data, (first + 1) * out.step, (int)dtype);
    return out;
}

lae_sequence lae_lstm_top(const lae_lstm *lstm)
{
    return run_output(lstm, lstm->L - 1, 0);
}

/* What runs as layer k. */
static lae_lstm_layer *run_layer(const lae_lstm *lstm, int64_t k, int64_t d)
{
    return k == 0 && lstm->stand_in ? lstm->stand_in : lae_lstm_at(lstm, k, d);
}

lstmae_status lae_lstm_run(lae_lstm *lstm, int64_t first, int64_t last, const lae_sequence *input)
{
    int dtype = (int)lstm->base.context->dtype;
    lae_sequence in = *input;
    for (int64_t k = 0; k < lstm->L; k++) {
        for (int64_t d = 0; d < lstm->D; d++) {
            lae_lstm_layer *layer = run_layer(lstm, k, d);
            lstmae_lstm_args args = lae_lstm_layer_args(layer, first, last - first, lstm->B);
            args.x = in.data;
            args.x_step = in.step;
            args.x_batch = in.batch;
            args.lengths = lstm->lengths_count > 0 ? lstm->lengths->view.data : NULL;
            if (lstm->zero_state && first == 0) args.flags |= LSTMAE_SEQ_ZERO_STATE;
            if (lstm->D == 2 || lstm->lengths_count > 0) {
                args.y_batch = lstm->D * lstm->H;
                args.y_step = lstm->B * args.y_batch;
                args.y = lae_at(lstm->outputs[k]->view.data, first * args.y_step + d * lstm->H, dtype);
            }
            LAE_TRY(lae_lstm_layer_forward(layer, &args));
        }
        in = run_output(lstm, k, first);
        if (lae_lstm_drops(lstm, k)) {
            const void *kept = lstm->D == 2 || lstm->lengths_count > 0
                                   ? in.data
                                   : lae_at(lae_lstm_at(lstm, k, 0)->hs->view.data, (first + 1) * in.step, dtype);
            LAE_TRY(lae_lstm_drop(lstm, k, first, last - first, (void *)(uintptr_t)in.data, kept));
        }
    }
    return LSTMAE_OK;
}

lstmae_view lae_lstm_state_part(const lae_lstm *lstm, const lstmae_tensor *states, int64_t k, int64_t d)
{
    int64_t dims[2] = { lstm->B, lstm->H }, offset = (k * lstm->D + d) * lstm->B * lstm->H;
    int dtype = states->view.dtype;
    return lae_view_of(lae_at(states->view.data, offset, dtype), dtype, 2, dims);
}

/* Columns of direction d of layer k within [L,B,D*H]. */
static lstmae_view run_columns(const lae_lstm *lstm, const lstmae_tensor *of, int64_t k, int64_t d)
{
    int64_t width = lstm->D * lstm->H, dims[2] = { lstm->B, lstm->H };
    int dtype = of->view.dtype;
    lstmae_view columns = lae_view_of(lae_at(of->view.data, k * lstm->B * width + d * lstm->H, dtype), dtype, 2, dims);
    columns.stride[0] = width;
    return columns;
}

lstmae_status lae_lstm_gather_states(const lae_lstm *lstm, int64_t s, lstmae_tensor *h, lstmae_tensor *c)
{
    for (int64_t k = 0; k < lstm->L; k++) {
        for (int64_t d = 0; d < lstm->D; d++) {
            lstmae_view from_h = lae_lstm_layer_h(lae_lstm_at(lstm, k, d), s, lstm->B);
            lstmae_view from_c = lae_lstm_layer_c(lae_lstm_at(lstm, k, d), s, lstm->B);
            lstmae_view to_h = run_columns(lstm, h, k, d), to_c = run_columns(lstm, c, k, d);
            LAE_TRY(lae_op_copy(lstm->base.context, &to_h, &from_h));
            LAE_TRY(lae_op_copy(lstm->base.context, &to_c, &from_c));
        }
    }
    return LSTMAE_OK;
}

lstmae_status lae_lstm_scatter_state_gradients(lae_lstm *lstm, const lstmae_tensor *dh, const lstmae_tensor *dc)
{
    for (int64_t k = 0; k < lstm->L; k++) {
        for (int64_t d = 0; d < lstm->D; d++) {
            lstmae_view from_h = run_columns(lstm, dh, k, d), from_c = run_columns(lstm, dc, k, d);
            lstmae_view to_h = lae_lstm_state_part(lstm, lstm->dh, k, d);
            lstmae_view to_c = lae_lstm_state_part(lstm, lstm->dc, k, d);
            LAE_TRY(lae_op_copy(lstm->base.context, &to_h, &from_h));
            LAE_TRY(lae_op_copy(lstm->base.context, &to_c, &from_c));
        }
    }
    return LSTMAE_OK;
}

lstmae_status lae_lstm_reserve_state_gradients(lae_lstm *lstm)
{
    lstmae_context *context = lstm->base.context;
    int64_t state[3] = { lstm->L * lstm->D, lstm->B, lstm->H };
    LAE_TRY(lae_tensor_ensure(&lstm->dh, context, context->dtype, 3, state));
    return lae_tensor_ensure(&lstm->dc, context, context->dtype, 3, state);
}

lstmae_status lae_lstm_begin_backward(lae_lstm *lstm)
{
    lstmae_context *context = lstm->base.context;
    int64_t sequence[3] = { lstm->T, lstm->B, lstm->D * lstm->H };
    LAE_TRY(lae_lstm_reserve_state_gradients(lstm));
    LAE_TRY(lae_op_fill(context, &lstm->dh->view, 0.0));
    LAE_TRY(lae_op_fill(context, &lstm->dc->view, 0.0));
    for (int i = 0; i < 2 && i + 1 < lstm->L; i++)
        LAE_TRY(lae_tensor_ensure(&lstm->dsequence[i], context, context->dtype, 3, sequence));
    return LSTMAE_OK;
}

/* Data gradient of one direction of layer k; its dx goes to `dx` [last-first,B,I of the layer], contiguous. */
static lstmae_status run_layer_backward(lae_lstm *lstm, int64_t k, int64_t d, int64_t first, int64_t last,
                                        const lae_sequence *dy, void *dx)
{
    lae_lstm_layer *layer = run_layer(lstm, k, d);
    lstmae_lstm_args args = lae_lstm_layer_args(layer, first, last - first, lstm->B);
    args.lengths = lstm->lengths_count > 0 ? lstm->lengths->view.data : NULL;
    if (lstm->zero_state && first == 0) args.flags |= LSTMAE_SEQ_ZERO_STATE | LSTMAE_SEQ_NO_STATE_GRAD;
    if (dy->data) {
        args.dy = lae_at(dy->data, d * lstm->H, args.dtype);
        args.dy_step = dy->step;
        args.dy_batch = dy->batch;
    }
    args.dh = lae_lstm_state_part(lstm, lstm->dh, k, d).data;
    args.dc = lae_lstm_state_part(lstm, lstm->dc, k, d).data;
    args.dx = dx;
    args.dx_batch = layer->I;
    args.dx_step = lstm->B * layer->I;
    return lae_lstm_layer_backward(layer, &args);
}

/* The second direction: its dx is added to that of the first. */
static lstmae_status run_second_direction(lae_lstm *lstm, int64_t k, int64_t first, int64_t last,
                                          const lae_sequence *dy, void *dx, int64_t width)
{
    lstmae_context *context = lstm->base.context;
    int64_t dims[3] = { last - first, lstm->B, width };
    if (!dx) return run_layer_backward(lstm, k, 1, first, last, dy, NULL);
    LAE_TRY(lae_tensor_ensure(&lstm->ddirection, context, context->dtype, 3, dims));
    LAE_TRY(run_layer_backward(lstm, k, 1, first, last, dy, lstm->ddirection->view.data));
    lstmae_view sum = lae_view_of(dx, (int)context->dtype, 3, dims);
    return lae_op_axpby(context, &sum, 1.0, &lstm->ddirection->view, 1.0);
}

lstmae_status lae_lstm_run_backward(lae_lstm *lstm, int64_t first, int64_t last, const lae_sequence *dtop, void *dx)
{
    lae_sequence dy = *dtop;
    for (int64_t k = lstm->L - 1; k >= 0; k--) {
        int64_t width = k > 0 ? lstm->D * lstm->H : lstm->I;
        void *below = k > 0 ? lstm->dsequence[(k - 1) & 1]->view.data : dx;
        LAE_TRY(run_layer_backward(lstm, k, 0, first, last, &dy, below));
        if (lstm->D == 2) LAE_TRY(run_second_direction(lstm, k, first, last, &dy, below, width));
        if (k > 0 && lae_lstm_drops(lstm, k - 1))
            LAE_TRY(lae_lstm_drop(lstm, k - 1, first, last - first, below, below));
        dy = (lae_sequence){ below, lstm->B * width, width };
    }
    return LSTMAE_OK;
}

lstmae_status lae_lstm_run_weights(lae_lstm *lstm, const lae_sequence *input, int64_t input_first)
{
    for (int64_t k = 0; k < lstm->L; k++) {
        lae_sequence in = k > 0 ? run_output(lstm, k - 1, 0) : *input;
        for (int64_t d = 0; d < lstm->D; d++)
            LAE_TRY(lae_lstm_layer_weight_gradient(lae_lstm_at(lstm, k, d), lstm->T, lstm->B, &in,
                                                   k > 0 ? 0 : input_first, lstm->zero_state));
    }
    return LSTMAE_OK;
}
