#include "decoder.h"

#include "ops.h"

/* ---- rows ---- */

static int loop_same_sizes(const lae_decoder *a, const lae_decoder *b)
{
    return a->lstm->L == b->lstm->L && a->lstm->H == b->lstm->H && a->lstm->I == b->lstm->I && a->F == b->F;
}

/* Index of the first decoder of the row that decoders[i] is in. */
static int loop_row_begin(const lae_decoder *decoders, int i)
{
    while (i > 0 && loop_same_sizes(&decoders[i - 1], &decoders[i])) i--;
    return i;
}

static int loop_row_end(const lae_decoder *decoders, int i, int count)
{
    while (i + 1 < count && loop_same_sizes(&decoders[i], &decoders[i + 1])) i++;
    return i + 1;
}

/* Bytes of one decoder's weights of layer `l`, where L stands for the output. */
static size_t loop_weight_bytes(const lae_decoder *decoder, int64_t l)
{
    const lae_lstm *lstm = decoder->lstm;
    const int dtype = (int)lstm->base.context->dtype;
    if (l == lstm->L) return lae_op_loop_prepare_bytes(lstm->base.context, decoder->F, 0, lstm->H, dtype);
    return lae_op_loop_prepare_bytes(lstm->base.context, 4 * lstm->H, l == 0 ? lstm->I : lstm->H, lstm->H, dtype);
}

/* What is kept for a row of `row` decoders like `leader`, its first. */
static lstmae_status loop_make_row(lae_decoder *leader, int row)
{
    lae_loop *loop = &leader->loop;
    const int64_t L = leader->lstm->L;
    lae_memory *memory = &leader->lstm->base.context->memory;
    if (loop->row == row) return LSTMAE_OK;
    lae_loop_release(loop, memory);
    loop->row = row;
    loop->L = L;
    loop->versions = lae_calloc(memory, (size_t)row, sizeof *loop->versions);
    loop->layers = lae_calloc(memory, (size_t)(row * L), sizeof *loop->layers);
    loop->decoders = lae_calloc(memory, (size_t)row, sizeof *loop->decoders);
    loop->prepared = lae_calloc(memory, (size_t)(L + 1), sizeof *loop->prepared);
    if (!loop->versions || !loop->layers || !loop->decoders || !loop->prepared) {
        lae_loop_release(loop, memory);
        return LAE_FAIL(ERR_NO_MEMORY, "seq2seq: out of memory");
    }
    for (int64_t l = 0; l <= L; l++) loop->row_bytes += (size_t)row * loop_weight_bytes(leader, l);
    return LSTMAE_OK;
}

void lae_loop_release(lae_loop *loop, lae_memory *memory)
{
    const size_t row = (size_t)loop->row, L = (size_t)loop->L;
    lae_buffer_release(&loop->weights);
    lae_free(memory, loop->versions, row * sizeof *loop->versions);
    lae_free(memory, loop->layers, row * L * sizeof *loop->layers);
    lae_free(memory, loop->decoders, row * sizeof *loop->decoders);
    lae_free(memory, loop->prepared, (L + 1) * sizeof *loop->prepared);
    *loop = (lae_loop){ 0 };
}

/* ---- weights ---- */

/* Of all weights of a decoder; it grows whenever one of them changes. */
static uint64_t loop_version(const lae_decoder *decoder)
{
    uint64_t sum = 1 + lae_tensor_version(decoder->out.weight->value);
    for (int64_t l = 0; l < decoder->lstm->L; l++) {
        const lae_lstm_layer *layer = lae_lstm_at(decoder->lstm, l, 0);
        sum += lae_tensor_version(layer->w_ih->value) + lae_tensor_version(layer->w_hh->value);
    }
    return sum;
}

static lstmae_status loop_prepare_layer(const lae_decoder *decoder, int64_t l, void *to)
{
    const lae_lstm *lstm = decoder->lstm;
    lstmae_context *context = lstm->base.context;
    const int dtype = (int)context->dtype;
    if (l == lstm->L)
        return lae_op_loop_prepare(context, to, NULL, decoder->out.weight->value->view.data, decoder->F, 0, lstm->H,
                                   dtype);
    const lae_lstm_layer *layer = lae_lstm_at(lstm, l, 0);
    return lae_op_loop_prepare(context, to, layer->w_ih->value->view.data, layer->w_hh->value->view.data, 4 * lstm->H,
                               layer->I, lstm->H, dtype);
}

/* Weights of `count` decoders from place `slot` of their row on, prepared where they changed, into loop->prepared. */
static lstmae_status loop_prepare(lae_loop *loop, const lae_decoder *decoders, int slot, int count)
{
    lstmae_context *context = decoders->lstm->base.context;
    const void *before = loop->weights.data;
    LAE_TRY(lae_buffer_reserve(&loop->weights, context, loop->row_bytes, 1));
    for (int d = 0; before != loop->weights.data && d < loop->row; d++) loop->versions[d] = 0;
    char *at = loop->weights.data;
    for (int64_t l = 0; l <= loop->L; l++) {
        const size_t each = loop_weight_bytes(decoders, l);
        loop->prepared[l] = at + (size_t)slot * each;
        for (int d = 0; d < count; d++)
            if (loop->versions[slot + d] != loop_version(&decoders[d]))
                LAE_TRY(loop_prepare_layer(&decoders[d], l, at + (size_t)(slot + d) * each));
        at += (size_t)loop->row * each;
    }
    for (int d = 0; d < count; d++) loop->versions[slot + d] = loop_version(&decoders[d]);
    return LSTMAE_OK;
}

/* The weights were prepared for a loop of the last forward, and have changed. */
static int loop_is_stale(const lae_decoder *decoders, int i)
{
    const int begin = loop_row_begin(decoders, i);
    return decoders[i].looped && decoders[begin].loop.versions[i - begin] != loop_version(&decoders[i]);
}

int lae_loop_is_stale(const lae_decoder *decoders, int count)
{
    for (int i = 0; i < count; i++)
        if (loop_is_stale(decoders, i)) return 1;
    return 0;
}

lstmae_status lae_loop_refresh(lae_decoder *decoders, int count)
{
    for (int i = 0; i < count; i++) {
        const int begin = loop_row_begin(decoders, i);
        if (loop_is_stale(decoders, i)) LAE_TRY(loop_prepare(&decoders[begin].loop, &decoders[i], i - begin, 1));
    }
    return LSTMAE_OK;
}

/* ---- arguments ---- */

static void *loop_data(const lstmae_tensor *tensor)
{
    return tensor ? tensor->view.data : NULL;
}

static lstmae_loop_layer loop_layer(const lae_lstm *lstm, int64_t l, int backward)
{
    const lae_lstm_layer *layer = lae_lstm_at(lstm, l, 0);
    const lstmae_lstm_args args = lae_lstm_layer_args(layer, 0, lstm->T, lstm->B);
    lstmae_loop_layer of = { .b_ih = args.b_ih, .b_hh = args.b_hh, .peephole = args.peephole, .gates = args.gates,
                             .hs = args.hs, .cs = args.cs };
    if (lae_lstm_drops(lstm, l)) {
        of.dropped = lstm->outputs[l]->view.data;
        of.key = lae_lstm_drop_key(lstm, l, 0);
    }
    if (!backward) return of;
    of.dh = lae_lstm_state_part(lstm, lstm->dh, l, 0).data;
    of.dc = lae_lstm_state_part(lstm, lstm->dc, l, 0).data;
    return of;
}

/* Arguments for `count` decoders that begin at place `slot` of their row. */
static lstmae_status loop_args(lae_loop *loop, const lae_decoder *decoders, int slot, int count, int backward,
                               lstmae_loop_args *args)
{
    const lae_decoder *first = decoders;
    LAE_TRY(loop_prepare(loop, decoders, slot, count));
    *args = (lstmae_loop_args){ .struct_size = sizeof *args, .count = count, .K = first->K, .B = first->B,
                                .F = first->F, .H = first->lstm->H, .L = loop->L };
    args->dtype = (int32_t)first->lstm->base.context->dtype;
    args->map = first->options.feedback;
    args->dropout = first->lstm->dropout;
    for (int d = 0; d < count; d++) {
        const lae_decoder *decoder = &decoders[d];
        for (int64_t l = 0; l < loop->L; l++) loop->layers[d * loop->L + l] = loop_layer(decoder->lstm, l, backward);
        loop->decoders[d].b_out = decoder->out.bias->value->view.data;
        loop->decoders[d].y = decoder->y->view.data;
        loop->decoders[d].inputs = decoder->as_it_is ? NULL : loop_data(decoder->inputs);
        loop->decoders[d].dy = backward ? loop_data(decoder->dy) : NULL;
    }
    args->layers = loop->layers;
    args->decoders = loop->decoders;
    args->weights = loop->prepared;
    return LSTMAE_OK;
}

/* ---- runs ---- */

static int loop_serves(const lae_decoder *decoder)
{
    return decoder->mode == DECODER_CLOSED && !decoder->drawn && !decoder->folded && decoder->K > 0 && decoder->B > 0;
}

static int loop_goes_with(const lae_decoder *first, const lae_decoder *other)
{
    return loop_serves(other) && loop_same_sizes(first, other) && first->K == other->K &&
           first->options.feedback == other->options.feedback && first->lstm->dropout == other->lstm->dropout;
}

typedef lstmae_status (*loop_run_fn)(lstmae_context *context, const lstmae_loop_args *args);

static lstmae_status loop_run(lae_decoder *decoders, int count, int first, int n, loop_run_fn run, int backward,
                              int *done)
{
    const int begin = loop_row_begin(decoders, first);
    lae_decoder *leader = &decoders[begin];
    lstmae_loop_args args;
    LAE_TRY(loop_make_row(leader, loop_row_end(decoders, first, count) - begin));
    LAE_TRY(loop_args(&leader->loop, &decoders[first], first - begin, n, backward, &args));
    lstmae_status status = run(leader->lstm->base.context, &args);
    *done = status == LSTMAE_OK ? n : 0;
    return status == LSTMAE_ERR_UNSUPPORTED ? LSTMAE_OK : status;
}

lstmae_status lae_loop_forward(lae_decoder *decoders, int count, int first, int last, int *done)
{
    int n = 1;
    *done = 0;
    if (!loop_serves(&decoders[first]) || !lae_op_has_loop(decoders[first].lstm->base.context)) return LSTMAE_OK;
    while (first + n < last && loop_goes_with(&decoders[first], &decoders[first + n])) n++;
    return loop_run(decoders, count, first, n, lae_op_loop_forward, 0, done);
}

lstmae_status lae_loop_backward(lae_decoder *decoders, int count, int first, int *done)
{
    return loop_run(decoders, count, first, decoders[first].together, lae_op_loop_backward, 1, done);
}
