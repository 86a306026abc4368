#include "decoder.h"

#include "ops.h"

#include <stdio.h>

/* ---- creation ---- */

static lstmae_status decoder_init_bridges(lae_decoder *decoder, lstmae_module *model, const char *prefix)
{
    int64_t layers = decoder->lstm->L;
    lae_memory *memory = &model->context->memory;
    lae_linear **bridges[2] = { &decoder->bridge_h, &decoder->bridge_c };
    for (int i = 0; i < 2; i++) {
        *bridges[i] = lae_calloc(memory, (size_t)layers, sizeof(lae_linear));
        if (!*bridges[i]) return LAE_FAIL(ERR_NO_MEMORY, "seq2seq: out of memory");
        for (int64_t l = 0; l < layers; l++) {
            char name[80];
            if (decoder->skip + l < 0) continue;
            snprintf(name, sizeof name, "%sbridge_%c.%lld.", prefix, i == 0 ? 'h' : 'c', (long long)l);
            LAE_TRY(lae_linear_init(&(*bridges[i])[l], model, name, decoder->start_width, decoder->lstm->H, 0));
        }
    }
    return LSTMAE_OK;
}

/* Cells of the decoder's own, H wide over inputs I wide. */
static lstmae_status decoder_init_own(lae_decoder *decoder, lstmae_module *model, const char *prefix, int64_t I,
                                      int64_t H, int64_t layers)
{
    const lstmae_decoder_options *options = &decoder->options;
    lstmae_lstm_options lstm = LSTMAE_LSTM_OPTIONS_INIT;
    char name[64];
    lstm.flags = options->flags & ~(LSTMAE_DECODER_ZERO_STATE | LSTMAE_DECODER_SHARED);
    lstm.layers = layers;
    lstm.dropout = options->dropout;
    lstm.forget_bias = options->forget_bias;
    LAE_TRY(lae_lstm_check_options(&lstm, "decoder options"));
    LAE_TRY(lae_lstm_new(&decoder->lstm, model->context, I, H, &lstm));
    snprintf(name, sizeof name, "%slstm.", prefix);
    return lae_module_adopt(model, &decoder->lstm->base, name);
}

/* The encoder's cells, where their sizes serve. */
static lstmae_status decoder_init_shared(lae_decoder *decoder, const lae_lstm *encoder, int64_t I, int64_t H,
                                         int64_t layers)
{
    const lstmae_decoder_options *options = &decoder->options;
    const uint32_t cell = LSTMAE_LSTM_PEEPHOLE | LSTMAE_LSTM_NO_BIAS;
    if (encoder->D != 1)
        return LAE_FAIL(ERR_INVALID_ARG, "decoder options: SHARED wants an encoder of one direction");
    if (H != encoder->H || layers != encoder->L || I != encoder->I)
        return LAE_FAIL(ERR_INVALID_ARG,
                        "decoder options: SHARED expected %lld layers from %lld to %lld, got %lld from %lld to %lld",
                        (long long)encoder->L, (long long)encoder->I, (long long)encoder->H, (long long)layers,
                        (long long)I, (long long)H);
    if (options->flags & cell & ~encoder->flags)
        return LAE_FAIL(ERR_INVALID_ARG, "decoder options: SHARED, but the encoder has no flags 0x%x",
                        options->flags & cell & ~encoder->flags);
    if (options->forget_bias != 0.0)
        return LAE_FAIL(ERR_INVALID_ARG, "decoder options: SHARED cells have the encoder's forget bias, got %g",
                        options->forget_bias);
    return lae_lstm_new_shared(&decoder->lstm, encoder, options->dropout);
}

lstmae_status lae_decoder_init(lae_decoder *decoder, lstmae_module *model, int index, const lae_lstm *encoder,
                               int64_t code_width, const lstmae_decoder_options *options)
{
    char prefix[48], name[64];
    int64_t layers = options->layers > 0 ? options->layers : encoder->L, width = encoder->D * encoder->H;
    int64_t H = options->hidden > 0 ? options->hidden : width;
    int64_t I = options->input == LSTMAE_INPUT_CODE ? code_width : encoder->I;
    decoder->options = *options;
    decoder->truth = options->truth;
    decoder->F = encoder->I;
    decoder->start_width = width;
    decoder->code_width = code_width;
    decoder->skip = encoder->L - layers;
    snprintf(prefix, sizeof prefix, "decoders.%d.", index);
    if (options->flags & LSTMAE_DECODER_SHARED) LAE_TRY(decoder_init_shared(decoder, encoder, I, H, layers));
    else LAE_TRY(decoder_init_own(decoder, model, prefix, I, H, layers));
    snprintf(name, sizeof name, "%sout.", prefix);
    LAE_TRY(lae_linear_init(&decoder->out, model, name, H, decoder->F, 1));
    decoder->zero_start = (options->flags & LSTMAE_DECODER_ZERO_STATE) != 0;
    if (H != width && !decoder->zero_start) LAE_TRY(decoder_init_bridges(decoder, model, prefix));
    decoder->site = lae_context_new_site(model->context);
    return LSTMAE_OK;
}

void lae_decoder_release(lae_decoder *decoder, lae_memory *memory)
{
    if (decoder->lstm) {
        size_t bytes = (size_t)decoder->lstm->L * sizeof(lae_linear);
        lae_free(memory, decoder->bridge_h, bytes);
        lae_free(memory, decoder->bridge_c, bytes);
        lstmae_module_destroy(&decoder->lstm->base);
    }
    lae_fold_release(&decoder->fold);
    lae_loop_release(&decoder->loop, memory);
    lstmae_tensor *tensors[] = { decoder->y, decoder->inputs, decoder->sampled, decoder->zero,
                                 decoder->dy, decoder->dtop, decoder->dx, decoder->target };
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) lstmae_tensor_destroy(tensors[i]);
}

/* ---- starting states ---- */

/* Layer `layer` of [L,B,W] states. */
static lstmae_view decoder_encoder_state(const lae_encoder_states *states, const lstmae_tensor *of, int64_t layer)
{
    int64_t dims[2] = { states->B, states->width };
    int dtype = of->view.dtype;
    return lae_view_of(lae_at(of->view.data, layer * states->B * states->width, dtype), dtype, 2, dims);
}

static lstmae_status decoder_start_state(const lae_decoder *decoder, const lae_encoder_states *states,
                                         const lstmae_tensor *of, const lae_linear *bridges, int64_t l,
                                         const lstmae_view *to)
{
    lstmae_context *context = decoder->lstm->base.context;
    if (decoder->zero_start || decoder->skip + l < 0) return lae_op_fill(context, to, 0.0);
    lstmae_view from = decoder_encoder_state(states, of, decoder->skip + l);
    if (!bridges) return lae_op_copy(context, to, &from);
    return lae_linear_forward(&bridges[l], states->B, from.data, states->width, to->data, decoder->lstm->H);
}

static lstmae_status decoder_start(lae_decoder *decoder, const lae_encoder_states *states)
{
    for (int64_t l = 0; l < decoder->lstm->L; l++) {
        lstmae_view h = lae_lstm_layer_h(lae_lstm_at(decoder->lstm, l, 0), 0, decoder->B);
        lstmae_view c = lae_lstm_layer_c(lae_lstm_at(decoder->lstm, l, 0), 0, decoder->B);
        LAE_TRY(decoder_start_state(decoder, states, states->h, decoder->bridge_h, l, &h));
        LAE_TRY(decoder_start_state(decoder, states, states->c, decoder->bridge_c, l, &c));
    }
    return LSTMAE_OK;
}

/* The reverse: adds the gradient of layer l's starting state to that of the encoder's state it came from. */
static lstmae_status decoder_start_state_gradient(const lae_decoder *decoder, const lae_encoder_states *states,
                                                  const lstmae_tensor *of, const lstmae_tensor *dof,
                                                  const lae_linear *bridges, int64_t l, const lstmae_view *from)
{
    if (decoder->skip + l < 0) return LSTMAE_OK;
    lstmae_view to = decoder_encoder_state(states, dof, decoder->skip + l);
    if (!bridges) return lae_op_axpby(decoder->lstm->base.context, &to, 1.0, from, 1.0);
    lstmae_view value = decoder_encoder_state(states, of, decoder->skip + l);
    LAE_TRY(
        lae_linear_weight_gradient(&bridges[l], states->B, value.data, states->width, from->data, decoder->lstm->H));
    return lae_linear_backward(&bridges[l], states->B, from->data, decoder->lstm->H, to.data, states->width, 1.0);
}

static lstmae_status decoder_start_gradient(const lae_decoder *decoder, const lae_encoder_states *states)
{
    const lae_lstm *lstm = decoder->lstm;
    if (decoder->zero_start) return LSTMAE_OK;
    for (int64_t l = 0; l < lstm->L; l++) {
        lstmae_view dh = lae_lstm_state_part(lstm, lstm->dh, l, 0), dc = lae_lstm_state_part(lstm, lstm->dc, l, 0);
        LAE_TRY(decoder_start_state_gradient(decoder, states, states->h, states->dh, decoder->bridge_h, l, &dh));
        LAE_TRY(decoder_start_state_gradient(decoder, states, states->c, states->dc, decoder->bridge_c, l, &dc));
    }
    return LSTMAE_OK;
}

/* ---- forward ---- */

static int decoder_dtype(const lae_decoder *decoder)
{
    return (int)decoder->lstm->base.context->dtype;
}

/* Row t of a [K,B,F] tensor, [B,F]. */
static lstmae_view decoder_row(const lae_decoder *decoder, const lstmae_tensor *of, int64_t t)
{
    int64_t dims[2] = { decoder->B, decoder->F };
    int dtype = of->view.dtype;
    return lae_view_of(lae_at(of->view.data, t * decoder->B * decoder->F, dtype), dtype, 2, dims);
}

static lstmae_view decoder_truth_row(const lae_decoder *decoder, int64_t t)
{
    const lae_sequence *truth = &decoder->truth_rows;
    int64_t dims[2] = { decoder->B, decoder->F };
    int dtype = decoder_dtype(decoder);
    lstmae_view row = lae_view_of(lae_at(truth->data, t * truth->step, dtype), dtype, 2, dims);
    row.stride[0] = truth->batch;
    return row;
}

/* y = top W^T + b for steps [first, last). */
static lstmae_status decoder_output(lae_decoder *decoder, int64_t first, int64_t last)
{
    int64_t B = decoder->B, H = decoder->lstm->H, F = decoder->F;
    lae_sequence top = lae_lstm_top(decoder->lstm);
    return lae_linear_forward(&decoder->out, (last - first) * B,
                              lae_at(top.data, first * B * H, decoder_dtype(decoder)), H,
                              decoder_row(decoder, decoder->y, first).data, F);
}

/* Which steps' samples are fed the truth: one draw for each. */
static lstmae_status decoder_draw(lae_decoder *decoder)
{
    lstmae_context *context = decoder->lstm->base.context;
    int64_t dims[2] = { decoder->K, decoder->B }, one = 1;
    lstmae_random_key key = { context->seed, lae_random_stream(decoder->site, lae_context_new_draw(context)), 0 };
    LAE_TRY(lae_tensor_ensure(&decoder->sampled, context, context->dtype, 2, dims));
    if (!decoder->zero) LAE_TRY(lstmae_tensor_create(&decoder->zero, context, context->dtype, 1, &one));
    return lae_op_random(context, LSTMAE_RANDOM_BERNOULLI, &decoder->sampled->view, decoder->truth, 0.0, &key);
}

/* The draws of step t, repeated over the features. */
static lstmae_view decoder_draws(const lae_decoder *decoder, int64_t t)
{
    lstmae_view draws = decoder_row(decoder, decoder->sampled, 0);
    draws.data = lae_at(decoder->sampled->view.data, t * decoder->B, draws.dtype);
    draws.stride[0] = 1;
    draws.stride[1] = 0;
    return draws;
}

/* What step t > 0 is fed: the output of t-1 through the feedback activation, or where drawn the truth of t-1. */
static lstmae_status decoder_feed(lae_decoder *decoder, int64_t t)
{
    lstmae_context *context = decoder->lstm->base.context;
    lstmae_view y = decoder_row(decoder, decoder->y, t - 1);
    if (decoder->as_it_is) return LSTMAE_OK;
    lstmae_view x = decoder_row(decoder, decoder->inputs, t);
    LAE_TRY(lae_op_map(context, decoder->options.feedback, 0.0, &x, &y));
    if (!decoder->drawn) return LSTMAE_OK;
    lstmae_view draws = decoder_draws(decoder, t), target = decoder_truth_row(decoder, t - 1);
    return lae_op_select(context, &x, &draws, &target, &x);
}

/* Step 0, whose input is zero, then the others as one sequence without input. */
static lstmae_status decoder_forward_folded(lae_decoder *decoder)
{
    lae_lstm *lstm = decoder->lstm;
    lae_sequence none = { NULL, 0, 0 };
    LAE_TRY(lae_fold_make(&decoder->fold, lstm, &decoder->out));
    LAE_TRY(lae_lstm_run(lstm, 0, 1, &none));
    lstm->stand_in = &decoder->fold.layer;
    lstmae_status status = lae_lstm_run(lstm, 1, decoder->K, &none);
    lstm->stand_in = NULL;
    LAE_TRY(status);
    return decoder_output(decoder, 0, decoder->K);
}

static lstmae_status decoder_forward_closed(lae_decoder *decoder)
{
    const int64_t B = decoder->B, F = decoder->F;
    lae_sequence none = { NULL, 0, 0 };
    if (decoder->folded) return decoder_forward_folded(decoder);
    for (int64_t t = 0; t < decoder->K; t++) {
        lae_sequence in = none;
        if (t > 0) {
            LAE_TRY(decoder_feed(decoder, t));
            in = decoder->fed;
            in.data = lae_at(in.data, (t - 1) * B * F, decoder_dtype(decoder));
        }
        LAE_TRY(lae_lstm_run(decoder->lstm, t, t + 1, &in));
        LAE_TRY(decoder_output(decoder, t, t + 1));
    }
    return LSTMAE_OK;
}

/* Where the truth is fed, step 0 sees zeros. */
static lstmae_status decoder_forward_open(lae_decoder *decoder)
{
    lae_sequence none = { NULL, 0, 0 };
    if (decoder->fed_first > 0) LAE_TRY(lae_lstm_run(decoder->lstm, 0, 1, &none));
    if (decoder->K > decoder->fed_first)
        LAE_TRY(lae_lstm_run(decoder->lstm, decoder->fed_first, decoder->K, &decoder->fed));
    return decoder_output(decoder, 0, decoder->K);
}

/* What a closed loop is fed from step 1 on. */
static lstmae_status decoder_begin_closed(lae_decoder *decoder)
{
    lstmae_context *context = decoder->lstm->base.context;
    const int64_t B = decoder->B, F = decoder->F, dims[3] = { decoder->K, B, F };
    decoder->drawn = decoder->truth_rows.data != NULL;
    decoder->as_it_is = !decoder->drawn && decoder->options.feedback == LSTMAE_ACTIVATION_IDENTITY;
    if (decoder->drawn) LAE_TRY(decoder_draw(decoder));
    if (!decoder->as_it_is) LAE_TRY(lae_tensor_ensure(&decoder->inputs, context, context->dtype, 3, dims));
    decoder->fed.data =
        decoder->as_it_is ? decoder->y->view.data : lae_at(decoder->inputs->view.data, B * F, decoder_dtype(decoder));
    decoder->fed.step = B * F;
    decoder->fed.batch = F;
    decoder->fed_first = 1;
    decoder->folded = decoder->as_it_is && decoder->lstm->L == 1 && lae_fold_pays(decoder->K, B, decoder->lstm->H);
    return LSTMAE_OK;
}

/* Nothing, the code at every step, or at step t the truth of t-1. */
static void decoder_begin_open(lae_decoder *decoder, const lae_encoder_states *states)
{
    decoder->fed = (lae_sequence){ NULL, 0, 0 };
    decoder->fed_first = 0;
    if (decoder->options.input == LSTMAE_INPUT_CODE) {
        decoder->fed.data = states->code;
        decoder->fed.batch = decoder->code_width;
    } else if (decoder->truth_rows.data) {
        decoder->fed = decoder->truth_rows;
        decoder->fed_first = 1;
    }
}

lstmae_status lae_decoder_begin(lae_decoder *decoder, const lae_encoder_states *states, int64_t K,
                                const lae_sequence *truth)
{
    lstmae_context *context = decoder->lstm->base.context;
    int64_t dims[3] = { K, states->B, decoder->F };
    int input = decoder->options.input;
    decoder->truth_rows = *truth;
    if (input != LSTMAE_INPUT_TRUTH || !decoder->lstm->base.training || decoder->truth == 0.0)
        decoder->truth_rows.data = NULL;
    decoder->K = K;
    decoder->B = states->B;
    decoder->mode = DECODER_OPEN;
    if (input == LSTMAE_INPUT_OUTPUT ||
        (input == LSTMAE_INPUT_TRUTH && !(decoder->truth_rows.data && decoder->truth == 1.0)))
        decoder->mode = DECODER_CLOSED;
    LAE_TRY(lae_tensor_ensure(&decoder->y, context, context->dtype, 3, dims));
    LAE_TRY(lae_lstm_begin(decoder->lstm, K, states->B));
    decoder->lstm->zero_state = decoder->zero_start;
    LAE_TRY(decoder_start(decoder, states));
    if (decoder->mode == DECODER_CLOSED) return decoder_begin_closed(decoder);
    decoder_begin_open(decoder, states);
    return LSTMAE_OK;
}

lstmae_status lae_decoders_forward(lae_decoder *decoders, int count, int first, int last, int *done)
{
    lae_decoder *decoder = &decoders[first];
    LAE_TRY(lae_loop_forward(decoders, count, first, last, &decoder->together));
    *done = decoder->together > 0 ? decoder->together : 1;
    for (int i = 0; i < *done; i++) decoder[i].looped = decoder->together > 0;
    if (decoder->together > 0) return LSTMAE_OK;
    return decoder->mode == DECODER_CLOSED ? decoder_forward_closed(decoder) : decoder_forward_open(decoder);
}

/* ---- backward ---- */

/* dy_t += what step t+1 passes back to the output it was fed: dx through the draw and the feedback's derivative. */
static lstmae_status decoder_pass_back(lae_decoder *decoder, int64_t t)
{
    lstmae_context *context = decoder->lstm->base.context;
    lstmae_view dy = decoder_row(decoder, decoder->dy, t), dx = decoder_row(decoder, decoder->dx, 0);
    if (decoder->drawn) {
        lstmae_view draws = decoder_draws(decoder, t + 1), zero = dx;
        zero.data = decoder->zero->view.data;
        zero.stride[0] = zero.stride[1] = 0;
        LAE_TRY(lae_op_select(context, &dx, &draws, &zero, &dx));
    }
    if (decoder->options.feedback != LSTMAE_ACTIVATION_IDENTITY) {
        /* the activation's value is what was fed where nothing was drawn; elsewhere dx is zero */
        lstmae_view y = decoder_row(decoder, decoder->y, t), fed = decoder_row(decoder, decoder->inputs, t + 1);
        LAE_TRY(lae_op_map_backward(context, decoder->options.feedback, 0.0, &dx, &dx, &y, &fed));
    }
    return lae_op_axpby(context, &dy, 1.0, &dx, 1.0);
}

/*
 * The gradients of the loss reach the states through the outputs of all steps at once, and what is fed back through R.
 * Then dy of an output that was fed back is complete with dL/da of the next step times W_ih.
 */
static lstmae_status decoder_backward_folded(lae_decoder *decoder)
{
    lae_lstm *lstm = decoder->lstm;
    lstmae_context *context = lstm->base.context;
    const int64_t K = decoder->K, B = decoder->B, H = lstm->H, F = decoder->F, top_dims[3] = { K, B, H };
    LAE_TRY(lae_tensor_ensure(&decoder->dtop, context, context->dtype, 3, top_dims));
    lae_sequence dtop = { decoder->dtop->view.data, B * H, H }, later = dtop;
    later.data = lae_at(dtop.data, B * H, decoder_dtype(decoder));
    LAE_TRY(lae_linear_backward(&decoder->out, K * B, decoder->dy->view.data, F, decoder->dtop->view.data, H, 0.0));
    lstm->stand_in = &decoder->fold.layer;
    lstmae_status status = lae_lstm_run_backward(lstm, 1, K, &later, NULL);
    lstm->stand_in = NULL;
    LAE_TRY(status);
    LAE_TRY(lae_lstm_run_backward(lstm, 0, 1, &dtop, NULL));
    lae_param *w_ih = lae_lstm_at(lstm, 0, 0)->w_ih;
    lstmae_gemm_args g = { .struct_size = sizeof g, .M = (K - 1) * B, .N = F, .K = 4 * H, .lda = 4 * H, .ldb = F };
    g.dtype = decoder_dtype(decoder);
    g.a = lae_at(lae_lstm_at(lstm, 0, 0)->gates->view.data, B * 4 * H, g.dtype);
    g.b = w_ih->value->view.data;
    g.c = decoder->dy->view.data;
    g.ldc = F;
    g.beta = 1.0;
    LAE_TRY(lae_param_prepared(w_ih, LSTMAE_PREPARE_BACKWARD, &g.prepared));
    return lae_op_gemm(context, &g);
}

static lstmae_status decoder_backward_closed(lae_decoder *decoder)
{
    if (decoder->folded) return decoder_backward_folded(decoder);
    lstmae_context *context = decoder->lstm->base.context;
    int64_t B = decoder->B, F = decoder->F, H = decoder->lstm->H;
    int64_t top_dims[2] = { B, H }, dx_dims[2] = { B, F };
    LAE_TRY(lae_tensor_ensure(&decoder->dtop, context, context->dtype, 2, top_dims));
    LAE_TRY(lae_tensor_ensure(&decoder->dx, context, context->dtype, 2, dx_dims));
    lae_sequence dtop = { decoder->dtop->view.data, B * H, H };
    for (int64_t t = decoder->K - 1; t >= 0; t--) {
        if (t + 1 < decoder->K) LAE_TRY(decoder_pass_back(decoder, t));
        LAE_TRY(lae_linear_backward(&decoder->out, B, decoder_row(decoder, decoder->dy, t).data, F,
                                    decoder->dtop->view.data, H, 0.0));
        LAE_TRY(lae_lstm_run_backward(decoder->lstm, t, t + 1, &dtop, t > 0 ? decoder->dx->view.data : NULL));
    }
    return LSTMAE_OK;
}

/* The code was the input of every step: its gradient is the sum over steps. */
static lstmae_status decoder_code_gradient(lae_decoder *decoder, const lae_encoder_states *states)
{
    int64_t out_dims[3] = { 1, decoder->B, decoder->code_width };
    lstmae_view out = lae_view_of(states->dcode, decoder_dtype(decoder), 3, out_dims);
    return lae_op_reduce(decoder->lstm->base.context, LSTMAE_REDUCE_SUM, &out, &decoder->dx->view, 1.0);
}

static lstmae_status decoder_backward_open(lae_decoder *decoder, const lae_encoder_states *states)
{
    lstmae_context *context = decoder->lstm->base.context;
    int64_t K = decoder->K, B = decoder->B, H = decoder->lstm->H;
    int64_t top_dims[3] = { K, B, H }, dx_dims[3] = { K, B, decoder->code_width };
    int by_code = decoder->options.input == LSTMAE_INPUT_CODE;
    LAE_TRY(lae_tensor_ensure(&decoder->dtop, context, context->dtype, 3, top_dims));
    if (by_code) LAE_TRY(lae_tensor_ensure(&decoder->dx, context, context->dtype, 3, dx_dims));
    LAE_TRY(lae_linear_backward(&decoder->out, K * B, decoder->dy->view.data, decoder->F, decoder->dtop->view.data, H,
                                0.0));
    lae_sequence dtop = { decoder->dtop->view.data, B * H, H };
    LAE_TRY(lae_lstm_run_backward(decoder->lstm, 0, K, &dtop, by_code ? decoder->dx->view.data : NULL));
    return by_code ? decoder_code_gradient(decoder, states) : LSTMAE_OK;
}

static lstmae_status decoder_backward_steps(lae_decoder *decoder, const lae_encoder_states *states)
{
    LAE_TRY(lae_lstm_begin_backward(decoder->lstm));
    return decoder->mode == DECODER_CLOSED ? decoder_backward_closed(decoder) : decoder_backward_open(decoder, states);
}

lstmae_status lae_decoders_backward(lae_decoder *decoders, int count, int first, const lae_encoder_states *states,
                                    int *done)
{
    const int n = decoders[first].together > 0 ? decoders[first].together : 1;
    int looped = 0;
    for (int i = 0; i < n && decoders[first].together > 0; i++)
        LAE_TRY(lae_lstm_reserve_state_gradients(decoders[first + i].lstm));
    if (decoders[first].together > 0) LAE_TRY(lae_loop_backward(decoders, count, first, &looped));
    for (int i = 0; i < n; i++) {
        if (!looped) LAE_TRY(decoder_backward_steps(&decoders[first + i], states));
        LAE_TRY(decoder_start_gradient(&decoders[first + i], states));
    }
    *done = n;
    return LSTMAE_OK;
}

lstmae_status lae_decoder_weight_gradients(lae_decoder *decoder)
{
    lae_sequence top = lae_lstm_top(decoder->lstm);
    LAE_TRY(lae_linear_weight_gradient(&decoder->out, decoder->K * decoder->B, top.data, decoder->lstm->H,
                                       decoder->dy->view.data, decoder->F));
    return lae_lstm_run_weights(decoder->lstm, &decoder->fed, decoder->fed_first);
}
