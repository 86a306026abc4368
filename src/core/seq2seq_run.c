/* Sequence models: forward, training step, and what inference offers. */
#include "loss_internal.h"
#include "ops.h"
#include "seq2seq_internal.h"
#include "side.h"

/* ---- checks ---- */

static lstmae_status run_check_sequence(const lstmae_seq2seq *model, const char *what, const lstmae_tensor *x)
{
    const lstmae_context *context = model->base.context;
    char text[LAE_SHAPE_TEXT];
    if (x->storage->context != context)
        return LAE_FAIL(ERR_INVALID_ARG, "seq2seq: %s belongs to another context", what);
    if (x->view.dtype != (int)context->dtype)
        return LAE_FAIL(ERR_DTYPE, "seq2seq: %s is %s, the model is %s", what, lae_dtype_name(x->view.dtype),
                        lae_dtype_name(context->dtype));
    if (x->view.ndim != 3 || x->view.dim[2] != model->F)
        return LAE_FAIL(ERR_SHAPE, "seq2seq: %s is %s, the model wants [T,B,%lld]", what,
                        lae_shape_text(text, sizeof text, &x->view), (long long)model->F);
    return LSTMAE_OK;
}

static lstmae_status run_check_future(const lstmae_seq2seq *model, const lstmae_tensor *x, const lstmae_tensor *future,
                                      int64_t steps)
{
    if (!future) return LAE_FAIL(ERR_INVALID_ARG, "seq2seq: future is NULL, %lld frames are needed", (long long)steps);
    LAE_TRY(run_check_sequence(model, "future", future));
    if (future->view.dim[0] < steps || future->view.dim[1] != x->view.dim[1]) {
        char text[LAE_SHAPE_TEXT];
        return LAE_FAIL(ERR_SHAPE, "seq2seq: future is %s, at least [%lld,%lld,%lld] expected",
                        lae_shape_text(text, sizeof text, &future->view), (long long)steps, (long long)x->view.dim[1],
                        (long long)model->F);
    }
    return LSTMAE_OK;
}

/* Frames of the future that decoders need: all of them for losses, else those that are fed the truth. */
static int64_t run_future_steps(const lstmae_seq2seq *model, int for_loss)
{
    int64_t steps = 0;
    for (int i = 0; i < model->count; i++) {
        const lae_decoder *decoder = &model->decoders[i];
        if (decoder->options.target != LSTMAE_DECODE_FUTURE) continue;
        int fed = decoder->options.input == LSTMAE_INPUT_TRUTH && model->base.training && decoder->truth > 0.0;
        if ((for_loss || fed) && decoder->options.steps > steps) steps = decoder->options.steps;
    }
    return steps;
}

/* Features must lie densely for the products; other strides are free. */
static lstmae_status run_dense(const lstmae_tensor **out, const lstmae_tensor *x, lstmae_tensor **copy)
{
    *out = x;
    if (x->view.stride[2] == 1 || x->view.dim[2] == 1) return LSTMAE_OK;
    return lae_tensor_contiguous(out, x, copy);
}

/* ---- encoder ---- */

/* Room for the states of B samples. */
static lstmae_status run_make_states(lstmae_seq2seq *model, int64_t B)
{
    const lae_lstm *encoder = model->encoder;
    lstmae_context *context = model->base.context;
    lae_encoder_states *states = &model->states;
    model->started = 1;
    states->layers = encoder->L;
    states->B = B;
    states->width = encoder->D * encoder->H;
    int64_t dims[3] = { states->layers, states->B, states->width };
    LAE_TRY(lae_tensor_ensure(&states->h, context, context->dtype, 3, dims));
    return lae_tensor_ensure(&states->c, context, context->dtype, 3, dims);
}

lstmae_status lae_seq2seq_run_encoder(lstmae_seq2seq *model, const lstmae_tensor *x)
{
    lae_lstm *encoder = model->encoder;
    LAE_TRY(lstmae_module_forward(&encoder->base, x, NULL));
    LAE_TRY(run_make_states(model, encoder->B));
    return lae_lstm_gather_states(encoder, encoder->T, model->states.h, model->states.c);
}

static lstmae_status run_encoder_backward(lstmae_seq2seq *model)
{
    lae_lstm *encoder = model->encoder;
    lae_sequence none = { NULL, 0, 0 };
    LAE_TRY(lae_lstm_begin_backward(encoder));
    LAE_TRY(lae_lstm_scatter_state_gradients(encoder, model->states.dh, model->states.dc));
    LAE_TRY(lae_lstm_run_backward(encoder, 0, encoder->T, &none, NULL));
    return lae_lstm_run_weights(encoder, &encoder->input, 0);
}

/* ---- forward and step ---- */

static lstmae_status run_begin_decoder(lstmae_seq2seq *model, lae_decoder *decoder, const lstmae_tensor *x,
                                       const lstmae_tensor *future, int64_t steps)
{
    lae_sequence truth = { NULL, 0, 0 };
    if (decoder->options.input == LSTMAE_INPUT_TRUTH && model->base.training && decoder->truth > 0.0) {
        lstmae_view target;
        LAE_TRY(lae_seq2seq_target(model, decoder, x, future, &target));
        truth = (lae_sequence){ target.data, target.stride[0], target.stride[1] };
    }
    return lae_decoder_begin(decoder, &model->states, steps, &truth);
}

/* One decoder alone, that begins with the states of the encoder. */
static lstmae_status run_decoder(lstmae_seq2seq *model, lae_decoder *decoder, const lstmae_tensor *x, int64_t steps)
{
    const int index = (int)(decoder - model->decoders);
    int done;
    LAE_TRY(run_begin_decoder(model, decoder, x, NULL, steps));
    return lae_decoders_forward(model->decoders, model->count, index, index + 1, &done);
}

static lstmae_status run_encoder_and_code(lstmae_seq2seq *model, const lstmae_tensor *x)
{
    LAE_TRY(lae_seq2seq_run_encoder(model, x));
    return lae_seq2seq_run_code(model);
}

/* Beside the encoder, whose steps wait for each other, decoders' weights are brought into the device's form. */
static lstmae_status run_until_decoders(lstmae_seq2seq *model, const lstmae_tensor *x)
{
    lstmae_context *context = model->base.context;
    if (!lae_loop_is_stale(model->decoders, model->count)) return run_encoder_and_code(model, x);
    LAE_TRY(lae_side_begin(context));
    lstmae_status status = lae_side_leave(context, lae_loop_refresh(model->decoders, model->count));
    if (status == LSTMAE_OK) status = run_encoder_and_code(model, x);
    lae_side_end(context);
    return status;
}

static lstmae_status run_forward(lstmae_seq2seq *model, const lstmae_tensor *x, const lstmae_tensor *future)
{
    LAE_TRY(run_until_decoders(model, x));
    for (int i = 0; i < model->count; i++) {
        lae_decoder *decoder = &model->decoders[i];
        LAE_TRY(run_begin_decoder(model, decoder, x, future, lae_decoder_steps(decoder, x->view.dim[0])));
    }
    for (int i = 0, done; i < model->count; i += done)
        LAE_TRY(lae_decoders_forward(model->decoders, model->count, i, model->count, &done));
    return LSTMAE_OK;
}

lstmae_status lstmae_seq2seq_forward(lstmae_seq2seq *model, const lstmae_tensor *x, const lstmae_tensor *future)
{
    LAE_CHECK_ARG(model != NULL, "seq2seq_forward");
    LAE_CHECK_ARG(x != NULL, "seq2seq_forward");
    LAE_TRY(run_check_sequence(model, "x", x));
    int64_t steps = run_future_steps(model, 0);
    if (steps > 0) LAE_TRY(run_check_future(model, x, future, steps));
    LAE_TRY(run_dense(&x, x, &model->x_copy));
    if (steps > 0) LAE_TRY(run_dense(&future, future, &model->future_copy));
    return run_forward(model, x, future);
}

/* The loss of one decoder into its slot, and in training its gradient, ready for backward. */
static lstmae_status run_loss(lstmae_seq2seq *model, int index, lstmae_loss *loss, const lstmae_tensor *x,
                              const lstmae_tensor *future, double scale)
{
    lstmae_context *context = model->base.context;
    lae_decoder *decoder = &model->decoders[index];
    lstmae_view target, mask;
    LAE_TRY(lae_seq2seq_target(model, decoder, x, future, &target));
    lae_loss_use use = { .pred = &decoder->y->view, .target = &target, .mask_sum = -1.0 };
    use.weight = scale * decoder->options.weight;
    use.value = lae_at(model->losses->view.data, index, LSTMAE_F64);
    if (model->lengths_count > 0 && decoder->options.target != LSTMAE_DECODE_FUTURE) {
        LAE_TRY(lae_seq2seq_mask(model, x->view.dim[0], &mask));
        use.mask = &mask;
        use.mask_sum = model->mask_sum * (double)model->F;
    }
    if (model->base.training) {
        LAE_TRY(lae_tensor_ensure(&decoder->dy, context, context->dtype, 3, decoder->y->view.dim));
        use.grad = &decoder->dy->view;
    }
    return lae_loss_apply(loss, &use);
}

static lstmae_status run_decoder_weights(lstmae_seq2seq *model)
{
    for (int i = 0; i < model->count; i++) LAE_TRY(lae_decoder_weight_gradients(&model->decoders[i]));
    return LSTMAE_OK;
}

static lstmae_status run_rest_of_backward(lstmae_seq2seq *model, double scale)
{
    LAE_TRY(lae_seq2seq_code_backward(model, scale));
    return run_encoder_backward(model);
}

/* Cells that decoders share with the encoder have one gradient, which one order of work adds to. */
static int run_shares_cells(const lstmae_seq2seq *model)
{
    for (int i = 0; i < model->count; i++)
        if (model->decoders[i].options.flags & LSTMAE_DECODER_SHARED) return 1;
    return 0;
}

/*
 * The decoders' weight gradients beside what comes after them, on devices with a second order of work. They read what
 * forward and the data gradients left with the decoders, the encoder's states or code, and the truth, which nothing
 * writes before they are waited for, and write the gradients of those parameters alone.
 */
static lstmae_status run_gradients(lstmae_seq2seq *model, double scale)
{
    lstmae_context *context = model->base.context;
    if (run_shares_cells(model)) {
        LAE_TRY(run_decoder_weights(model));
        return run_rest_of_backward(model, scale);
    }
    LAE_TRY(lae_side_begin(context));
    lstmae_status status = lae_side_leave(context, run_decoder_weights(model));
    if (status == LSTMAE_OK) status = run_rest_of_backward(model, scale);
    lae_side_end(context);
    return status;
}

static lstmae_status run_backward(lstmae_seq2seq *model, double scale)
{
    lstmae_context *context = model->base.context;
    lae_encoder_states *states = &model->states;
    LAE_TRY(lae_tensor_ensure(&states->dh, context, context->dtype, 3, states->h->view.dim));
    LAE_TRY(lae_tensor_ensure(&states->dc, context, context->dtype, 3, states->c->view.dim));
    LAE_TRY(lae_op_fill(context, &states->dh->view, 0.0));
    LAE_TRY(lae_op_fill(context, &states->dc->view, 0.0));
    LAE_TRY(lae_seq2seq_begin_code_gradient(model));
    for (int i = 0, done; i < model->count; i += done)
        LAE_TRY(lae_decoders_backward(model->decoders, model->count, i, states, &done));
    return run_gradients(model, scale);
}

/* Of the decoders, then the KL. */
static lstmae_status run_read_losses(const lstmae_seq2seq *model, double *values)
{
    return lae_op_download(model->base.context, values, model->losses->view.data,
                           (size_t)(model->count + 1) * sizeof *values);
}

static lstmae_status run_step(lstmae_seq2seq *model, lstmae_loss *loss, const lstmae_tensor *x,
                              const lstmae_tensor *future, double scale)
{
    int64_t slots = model->count + 1;
    LAE_TRY(lae_tensor_ensure(&model->losses, model->base.context, LSTMAE_F64, 1, &slots));
    LAE_TRY(lae_op_fill(model->base.context, &model->losses->view, 0.0));
    LAE_TRY(run_forward(model, x, future));
    for (int i = 0; i < model->count; i++) LAE_TRY(run_loss(model, i, loss, x, future, scale));
    if (model->latent)
        LAE_TRY(lae_latent_kl(model->latent, lae_at(model->losses->view.data, model->count, LSTMAE_F64)));
    return model->base.training ? run_backward(model, scale) : LSTMAE_OK;
}

double lae_seq2seq_loss(const lstmae_seq2seq *model, const double *parts)
{
    double sum = 0.0;
    for (int i = 0; i < model->count; i++) sum += model->decoders[i].options.weight * parts[i];
    if (model->latent) sum += lae_latent_weight(model->latent, model->base.training) * parts[model->count];
    return sum;
}

static lstmae_status run_value(const lstmae_seq2seq *model, double *value)
{
    double values[LAE_SEQ2SEQ_DECODERS + 1];
    LAE_TRY(run_read_losses(model, values));
    *value = lae_seq2seq_loss(model, values);
    return LSTMAE_OK;
}

lstmae_status lae_seq2seq_step(lstmae_seq2seq *model, lstmae_loss *loss, const lstmae_tensor *x,
                               const lstmae_tensor *future, int64_t index, double scale, double *value)
{
    LAE_CHECK_ARG(model != NULL, "seq2seq_step");
    LAE_CHECK_ARG(loss != NULL, "seq2seq_step");
    LAE_CHECK_ARG(x != NULL, "seq2seq_step");
    if (model->count == 0) return LAE_FAIL(ERR_STATE, "seq2seq_step: the model has no decoder");
    if (lae_loss_context(loss) != model->base.context)
        return LAE_FAIL(ERR_INVALID_ARG, "seq2seq_step: the loss belongs to another context");
    LAE_TRY(run_check_sequence(model, "x", x));
    int64_t steps = run_future_steps(model, 1);
    if (steps > 0) LAE_TRY(run_check_future(model, x, future, steps));
    LAE_TRY(run_dense(&x, x, &model->x_copy));
    if (steps > 0) LAE_TRY(run_dense(&future, future, &model->future_copy));
    model->stepping = 1;
    model->index = index;
    lstmae_status status = run_step(model, loss, x, future, scale);
    model->stepping = 0;
    if (status < 0 || !value) return status;
    return run_value(model, value);
}

lstmae_status lstmae_seq2seq_step(lstmae_seq2seq *model, lstmae_loss *loss, const lstmae_tensor *x,
                                  const lstmae_tensor *future, double scale, double *value)
{
    return lae_seq2seq_step(model, loss, x, future, 0, scale, value);
}

lstmae_status lstmae_seq2seq_decoder_loss(lstmae_seq2seq *model, int decoder, double *value)
{
    double values[LAE_SEQ2SEQ_DECODERS + 1];
    LAE_CHECK_ARG(model != NULL, "seq2seq_decoder_loss");
    LAE_CHECK_ARG(value != NULL, "seq2seq_decoder_loss");
    LAE_CHECK_ARG(decoder >= 0 && decoder < model->count, "seq2seq_decoder_loss");
    if (!model->losses) return LAE_FAIL(ERR_STATE, "seq2seq_decoder_loss: there was no step");
    LAE_TRY(run_read_losses(model, values));
    *value = values[decoder];
    return LSTMAE_OK;
}

lstmae_status lstmae_seq2seq_kl(lstmae_seq2seq *model, double *value)
{
    double values[LAE_SEQ2SEQ_DECODERS + 1];
    LAE_CHECK_ARG(model != NULL, "seq2seq_kl");
    LAE_CHECK_ARG(value != NULL, "seq2seq_kl");
    if (!model->latent) return LAE_FAIL(ERR_STATE, "seq2seq_kl: the model has no latent");
    if (!model->losses) return LAE_FAIL(ERR_STATE, "seq2seq_kl: there was no step");
    LAE_TRY(run_read_losses(model, values));
    *value = values[model->count];
    return LSTMAE_OK;
}

/* ---- inference ---- */

lae_decoder *lae_seq2seq_find(lstmae_seq2seq *model, int future)
{
    for (int i = 0; i < model->count; i++)
        if ((model->decoders[i].options.target == LSTMAE_DECODE_FUTURE) == future) return &model->decoders[i];
    return NULL;
}

static lstmae_status run_encode(lstmae_seq2seq *model, const lstmae_tensor *x, lstmae_tensor *code)
{
    LAE_TRY(run_dense(&x, x, &model->x_copy));
    LAE_TRY(lae_seq2seq_run_encoder(model, x));
    LAE_TRY(lae_seq2seq_run_code(model));
    if (!code) return LSTMAE_OK;
    lae_tensor_touch(code);
    const lstmae_view value = lae_view_of((void *)(uintptr_t)model->states.code, code->view.dtype, 2, code->view.dim);
    return lae_op_copy(model->base.context, &code->view, &value);
}

/* Latents number `first` and following of the prior, one for each sample of y. */
static lstmae_status run_prior(lstmae_seq2seq *model, int64_t first, const lstmae_tensor *y)
{
    const lstmae_tensor *z;
    LAE_TRY(run_make_states(model, y->view.dim[1]));
    LAE_TRY(lae_latent_prior(model->latent, first, y->view.dim[1], &z));
    return lae_seq2seq_states_from(model, z);
}

/* y = feedback(decoder's output), in the order of x where that is the reverse. */
static lstmae_status run_show(lstmae_seq2seq *model, lae_decoder *decoder, lstmae_tensor *y, int by_lengths)
{
    lstmae_context *context = model->base.context;
    lstmae_view to = y->view;
    int64_t K = decoder->K;
    lae_tensor_touch(y);
    if (decoder->options.target != LSTMAE_DECODE_REVERSED || K == 0)
        return lae_op_map(context, decoder->options.feedback, 0.0, &to, &decoder->y->view);
    if (by_lengths) {
        lstmae_view shown;
        LAE_TRY(lae_seq2seq_target(model, decoder, decoder->y, NULL, &shown));
        return lae_op_map(context, decoder->options.feedback, 0.0, &to, &shown);
    }
    to.data = lae_at(to.data, (K - 1) * to.stride[0], to.dtype);
    to.stride[0] = -to.stride[0];
    return lae_op_map(context, decoder->options.feedback, 0.0, &to, &decoder->y->view);
}

lstmae_status lae_seq2seq_watch(lstmae_seq2seq *model, const lstmae_tensor *x, lstmae_tensor *code, lstmae_tensor *y,
                                lstmae_tensor *forecast)
{
    lstmae_tensor *const shown[2] = { y, forecast };
    LAE_TRY(run_encode(model, x, code));
    for (int future = 0; future < 2; future++) {
        if (!shown[future]) continue;
        lae_decoder *decoder = lae_seq2seq_find(model, future);
        LAE_TRY(run_decoder(model, decoder, x, shown[future]->view.dim[0]));
        LAE_TRY(run_show(model, decoder, shown[future], 0));
    }
    return LSTMAE_OK;
}

typedef enum run_kind { RUN_ENCODE, RUN_RECONSTRUCT, RUN_GENERATE, RUN_SAMPLE } run_kind;

typedef struct run_request {
    run_kind kind;
    const lstmae_tensor *x; /* NULL for RUN_SAMPLE */
    lstmae_tensor *y;
    int64_t first;          /* of the prior, for RUN_SAMPLE */
} run_request;

static lstmae_status run_inference(lstmae_seq2seq *model, const run_request *request)
{
    if (request->kind == RUN_ENCODE) return run_encode(model, request->x, request->y);
    lae_decoder *decoder = lae_seq2seq_find(model, request->kind == RUN_GENERATE);
    if (request->kind == RUN_SAMPLE) LAE_TRY(run_prior(model, request->first, request->y));
    else LAE_TRY(run_encode(model, request->x, NULL));
    LAE_TRY(run_decoder(model, decoder, request->x, request->y->view.dim[0]));
    return run_show(model, decoder, request->y, request->x && model->lengths_count > 0);
}

/* In inference mode for this call only. */
static lstmae_status run_frozen(lstmae_seq2seq *model, const run_request *request)
{
    int training = model->base.training;
    if (!training) return run_inference(model, request);
    LAE_TRY(lstmae_module_set_training(&model->base, 0));
    lstmae_status status = run_inference(model, request);
    lstmae_status restored = lstmae_module_set_training(&model->base, training);
    return status != LSTMAE_OK ? status : restored;
}

lstmae_status lstmae_seq2seq_encode(lstmae_seq2seq *model, const lstmae_tensor *x, lstmae_tensor *code)
{
    LAE_CHECK_ARG(model != NULL, "seq2seq_encode");
    LAE_CHECK_ARG(x != NULL, "seq2seq_encode");
    LAE_CHECK_ARG(code != NULL, "seq2seq_encode");
    LAE_TRY(run_check_sequence(model, "x", x));
    int64_t width = lae_seq2seq_code_width(model);
    if (code->storage->context != model->base.context || code->view.dtype != (int)model->base.context->dtype)
        return LAE_FAIL(ERR_INVALID_ARG, "seq2seq_encode: code is of another context or dtype");
    if (code->view.ndim != 2 || code->view.dim[0] != x->view.dim[1] || code->view.dim[1] != width) {
        char text[LAE_SHAPE_TEXT];
        return LAE_FAIL(ERR_SHAPE, "seq2seq_encode: code is %s, [%lld,%lld] expected",
                        lae_shape_text(text, sizeof text, &code->view), (long long)x->view.dim[1], (long long)width);
    }
    return run_frozen(model, &(run_request){ RUN_ENCODE, x, code, 0 });
}

static lstmae_status run_check_output(const lstmae_seq2seq *model, const lstmae_tensor *x, const lstmae_tensor *y,
                                      int64_t steps)
{
    LAE_TRY(run_check_sequence(model, "x", x));
    LAE_TRY(run_check_sequence(model, "y", y));
    if ((steps >= 0 && y->view.dim[0] != steps) || y->view.dim[1] != x->view.dim[1]) {
        char got[LAE_SHAPE_TEXT], from[LAE_SHAPE_TEXT];
        return LAE_FAIL(ERR_SHAPE, "seq2seq: y is %s for x of %s", lae_shape_text(got, sizeof got, &y->view),
                        lae_shape_text(from, sizeof from, &x->view));
    }
    return LSTMAE_OK;
}

lstmae_status lstmae_seq2seq_reconstruct(lstmae_seq2seq *model, const lstmae_tensor *x, lstmae_tensor *y)
{
    LAE_CHECK_ARG(model != NULL, "seq2seq_reconstruct");
    LAE_CHECK_ARG(x != NULL, "seq2seq_reconstruct");
    LAE_CHECK_ARG(y != NULL, "seq2seq_reconstruct");
    LAE_TRY(run_check_output(model, x, y, x->view.ndim == 3 ? x->view.dim[0] : -1));
    if (!lae_seq2seq_find(model, 0))
        return LAE_FAIL(ERR_STATE, "seq2seq_reconstruct: no decoder reconstructs the input");
    return run_frozen(model, &(run_request){ RUN_RECONSTRUCT, x, y, 0 });
}

lstmae_status lstmae_seq2seq_generate(lstmae_seq2seq *model, const lstmae_tensor *x, lstmae_tensor *y)
{
    LAE_CHECK_ARG(model != NULL, "seq2seq_generate");
    LAE_CHECK_ARG(x != NULL, "seq2seq_generate");
    LAE_CHECK_ARG(y != NULL, "seq2seq_generate");
    LAE_TRY(run_check_output(model, x, y, -1));
    if (!lae_seq2seq_find(model, 1)) return LAE_FAIL(ERR_STATE, "seq2seq_generate: no decoder predicts the future");
    return run_frozen(model, &(run_request){ RUN_GENERATE, x, y, 0 });
}

lstmae_status lstmae_seq2seq_sample(lstmae_seq2seq *model, int64_t first, lstmae_tensor *y)
{
    LAE_CHECK_ARG(model != NULL, "seq2seq_sample");
    LAE_CHECK_ARG(y != NULL, "seq2seq_sample");
    LAE_TRY(run_check_sequence(model, "y", y));
    if (!model->latent) return LAE_FAIL(ERR_STATE, "seq2seq_sample: the model has no latent");
    if (!lae_seq2seq_find(model, 0)) return LAE_FAIL(ERR_STATE, "seq2seq_sample: no decoder reconstructs the input");
    LAE_TRY(lae_latent_check_range(model->latent, first, y->view.dim[1]));
    return run_frozen(model, &(run_request){ RUN_SAMPLE, NULL, y, first });
}
