/* Sequence models: structure and settings. */
#include "module_twin.h"
#include "seq2seq_internal.h"

#include "options.h"

#include <string.h>

static lstmae_status seq2seq_forward(lstmae_module *module, const lstmae_tensor *input, const lstmae_tensor **output)
{
    (void)module;
    (void)input;
    (void)output;
    return LAE_FAIL(ERR_STATE, "seq2seq: the model runs by lstmae_seq2seq_forward() and lstmae_seq2seq_step()");
}

static lstmae_status seq2seq_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                      const lstmae_tensor **grad_input)
{
    return seq2seq_forward(module, grad_output, grad_input);
}

static lstmae_status seq2seq_set_training(lstmae_module *module, int training)
{
    lstmae_seq2seq *model = (lstmae_seq2seq *)module;
    LAE_TRY(lstmae_module_set_training(&model->encoder->base, training));
    if (model->latent) LAE_TRY(lstmae_module_set_training(&model->latent->base, training));
    for (int i = 0; i < model->count; i++)
        LAE_TRY(lstmae_module_set_training(&model->decoders[i].lstm->base, training));
    return LSTMAE_OK;
}

static void seq2seq_destroy(lstmae_module *module)
{
    lstmae_seq2seq *model = (lstmae_seq2seq *)module;
    lae_memory *memory = &module->context->memory;
    for (int i = 0; i < model->count; i++) lae_decoder_release(&model->decoders[i], memory);
    lae_free(memory, model->decoders, (size_t)model->capacity * sizeof *model->decoders);
    lae_free(memory, model->lengths, model->lengths_capacity * sizeof *model->lengths);
    lae_seq2seq_release_code(model);
    if (model->encoder) lstmae_module_destroy(&model->encoder->base);
    lstmae_tensor *tensors[] = { model->states.h, model->states.c, model->states.dh, model->states.dc,
                                 model->x_copy, model->future_copy, model->losses, model->mask };
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) lstmae_tensor_destroy(tensors[i]);
}

static lstmae_status seq2seq_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output)
{
    (void)module;
    (void)input;
    (void)output;
    return LAE_FAIL(ERR_STATE, "seq2seq: the model has an output for each decoder, not one");
}

static lstmae_status seq2seq_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out);

static const lae_module_ops seq2seq_ops = {
    .name = "seq2seq",
    .forward = seq2seq_forward,
    .backward = seq2seq_backward,
    .destroy = seq2seq_destroy,
    .set_training = seq2seq_set_training,
    .shape = seq2seq_shape,
    .twin = seq2seq_twin,
};

lstmae_status lstmae_seq2seq_create(lstmae_seq2seq **out, lstmae_context *context, int64_t features, int64_t hidden,
                                    const lstmae_lstm_options *encoder)
{
    static const lstmae_lstm_options defaults = LSTMAE_LSTM_OPTIONS_INIT;
    LAE_CHECK_ARG(out != NULL, "seq2seq_create");
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, "seq2seq_create");
    lstmae_lstm_options o;
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, encoder, sizeof o, "seq2seq encoder options"));
    LAE_TRY(lae_lstm_check_options(&o, "seq2seq encoder options"));
    if (o.flags & LSTMAE_LSTM_CARRY)
        return LAE_FAIL(ERR_UNSUPPORTED, "seq2seq encoder options: CARRY is for single LSTM modules");
    lstmae_module *module = NULL;
    LAE_TRY(lae_module_new(&module, context, &seq2seq_ops, sizeof(lstmae_seq2seq)));
    lstmae_seq2seq *model = (lstmae_seq2seq *)module;
    lstmae_status status;
    LAE_TRY_DONE(lae_lstm_new(&model->encoder, context, features, hidden, &o));
    LAE_TRY_DONE(lae_module_adopt(module, &model->encoder->base, "encoder."));
    model->F = features;
    *out = model;
    return LSTMAE_OK;
done:
    lstmae_module_destroy(module);
    return status;
}

void lstmae_seq2seq_destroy(lstmae_seq2seq *model)
{
    lstmae_module_destroy(model ? &model->base : NULL);
}

/* ---- decoders ---- */

static lstmae_status seq2seq_check_decoder(const lstmae_decoder_options *o)
{
    const uint32_t known =
        LSTMAE_LSTM_PEEPHOLE | LSTMAE_LSTM_NO_BIAS | LSTMAE_DECODER_ZERO_STATE | LSTMAE_DECODER_SHARED;
    if (o->flags & ~known)
        return LAE_FAIL(ERR_UNSUPPORTED, "decoder options: flags 0x%x are not for decoders", o->flags & ~known);
    if (o->target < LSTMAE_DECODE_REVERSED || o->target > LSTMAE_DECODE_FUTURE)
        return LAE_FAIL(ERR_INVALID_ARG, "decoder options: unknown target %d", o->target);
    if (o->input < LSTMAE_INPUT_NOTHING || o->input > LSTMAE_INPUT_TRUTH)
        return LAE_FAIL(ERR_INVALID_ARG, "decoder options: unknown input %d", o->input);
    if (o->flags & LSTMAE_DECODER_ZERO_STATE && o->input != LSTMAE_INPUT_CODE)
        return LAE_FAIL(ERR_INVALID_ARG, "decoder options: ZERO_STATE expected input %d (CODE), got %d",
                        LSTMAE_INPUT_CODE, o->input);
    if (o->feedback < LSTMAE_ACTIVATION_IDENTITY || o->feedback > LSTMAE_ACTIVATION_SIGMOID)
        return LAE_FAIL(ERR_INVALID_ARG, "decoder options: unknown feedback %d", o->feedback);
    if (o->layers < 0 || o->hidden < 0)
        return LAE_FAIL(ERR_INVALID_ARG, "decoder options: layers is %d, hidden %lld", o->layers, (long long)o->hidden);
    if (o->target == LSTMAE_DECODE_FUTURE ? o->steps < 1 : o->steps != 0)
        return LAE_FAIL(ERR_INVALID_ARG, "decoder options: steps is %lld; FUTURE wants at least 1, others 0",
                        (long long)o->steps);
    if (!(o->truth >= 0.0 && o->truth <= 1.0))
        return LAE_FAIL(ERR_INVALID_ARG, "decoder options: truth is %g, expected [0,1]", o->truth);
    if (!(o->weight >= 0.0 && o->weight <= 1e30))
        return LAE_FAIL(ERR_INVALID_ARG, "decoder options: weight is %g, expected 0 or more", o->weight);
    return LSTMAE_OK;
}

static lstmae_status seq2seq_grow(lstmae_seq2seq *model)
{
    lae_memory *memory = &model->base.context->memory;
    if (model->count < model->capacity) return LSTMAE_OK;
    int capacity = model->capacity ? 2 * model->capacity : 2;
    lae_decoder *grown = lae_calloc(memory, (size_t)capacity, sizeof *grown);
    if (!grown) return LAE_FAIL(ERR_NO_MEMORY, "seq2seq: out of memory");
    if (model->count > 0) memcpy(grown, model->decoders, (size_t)model->count * sizeof *grown);
    lae_free(memory, model->decoders, (size_t)model->capacity * sizeof *grown);
    model->decoders = grown;
    model->capacity = capacity;
    return LSTMAE_OK;
}

lstmae_status lstmae_seq2seq_add_decoder(lstmae_seq2seq *model, const lstmae_decoder_options *options)
{
    static const lstmae_decoder_options defaults = LSTMAE_DECODER_OPTIONS_INIT;
    LAE_CHECK_ARG(model != NULL, "seq2seq_add_decoder");
    lstmae_decoder_options o;
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "decoder options"));
    LAE_TRY(seq2seq_check_decoder(&o));
    if (model->started) return LAE_FAIL(ERR_STATE, "seq2seq_add_decoder: the model has already run");
    if (model->count >= LAE_SEQ2SEQ_DECODERS)
        return LAE_FAIL(ERR_UNSUPPORTED, "seq2seq_add_decoder: there are %d decoders already", LAE_SEQ2SEQ_DECODERS);
    LAE_TRY(seq2seq_grow(model));
    lae_decoder *decoder = &model->decoders[model->count];
    size_t params = model->base.params.count, buffers = model->base.buffers.count;
    int had_maps = model->code.maps[0] != NULL;
    lstmae_status status = o.flags & LSTMAE_DECODER_ZERO_STATE ? LSTMAE_OK : lae_seq2seq_make_maps(model);
    if (status == LSTMAE_OK)
        status = lae_decoder_init(decoder, &model->base, model->count, model->encoder, lae_seq2seq_code_width(model),
                                  &o);
    if (status == LSTMAE_OK) status = lstmae_module_set_training(&decoder->lstm->base, model->base.training);
    if (status != LSTMAE_OK) {
        lae_module_forget(&model->base, params, buffers);
        lae_decoder_release(decoder, &model->base.context->memory);
        memset(decoder, 0, sizeof *decoder);
        if (!had_maps) lae_seq2seq_release_maps(model);
        return status;
    }
    model->count++;
    return LSTMAE_OK;
}

lstmae_seq2seq *lae_seq2seq_of(lstmae_module *module)
{
    return module->ops == &seq2seq_ops ? (lstmae_seq2seq *)module : NULL;
}

/* Code and decoders as `from` has them. Parameters are the twin's own matter: nothing is added to them. */
static lstmae_status seq2seq_twin_parts(lstmae_seq2seq *model, const lstmae_seq2seq *from)
{
    if (from->latent) {
        lstmae_latent_options options = from->latent->options;
        options.features = 0;
        LAE_TRY(lstmae_seq2seq_set_latent(model, &options));
    } else if (from->code.size > 0) {
        lstmae_code_options options = LSTMAE_CODE_OPTIONS_INIT;
        options.size = from->code.size;
        options.activation = from->code.activation;
        LAE_TRY(lstmae_seq2seq_set_code(model, &options));
    }
    for (int i = 0; i < from->count; i++) {
        lstmae_decoder_options options = from->decoders[i].options;
        options.forget_bias = 0.0;
        LAE_TRY(lstmae_seq2seq_add_decoder(model, &options));
    }
    return LSTMAE_OK;
}

static lstmae_status seq2seq_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out)
{
    const lstmae_seq2seq *from = (const lstmae_seq2seq *)module;
    lstmae_lstm_options encoder = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_seq2seq *model = NULL;
    encoder.flags = from->encoder->flags;
    encoder.layers = from->encoder->L;
    encoder.dropout = from->encoder->dropout;
    LAE_TRY(lstmae_seq2seq_create(&model, context, from->F, from->encoder->H, &encoder));
    lstmae_status status = seq2seq_twin_parts(model, from);
    if (status == LSTMAE_OK) *out = &model->base;
    else lstmae_seq2seq_destroy(model);
    return status;
}

int lstmae_seq2seq_decoder_count(const lstmae_seq2seq *model)
{
    return model ? model->count : 0;
}

lstmae_module *lstmae_seq2seq_module(lstmae_seq2seq *model)
{
    return model ? &model->base : NULL;
}

lstmae_status lstmae_seq2seq_set_truth(lstmae_seq2seq *model, int decoder, double probability)
{
    LAE_CHECK_ARG(model != NULL, "seq2seq_set_truth");
    LAE_CHECK_ARG(decoder >= 0 && decoder < model->count, "seq2seq_set_truth");
    LAE_CHECK_ARG(probability >= 0.0 && probability <= 1.0, "seq2seq_set_truth");
    if (model->decoders[decoder].options.input != LSTMAE_INPUT_TRUTH)
        return LAE_FAIL(ERR_STATE, "seq2seq_set_truth: decoder %d is not fed the truth", decoder);
    model->decoders[decoder].truth = probability;
    return LSTMAE_OK;
}

lstmae_status lstmae_seq2seq_set_lengths(lstmae_seq2seq *model, const int64_t *lengths, int64_t count)
{
    LAE_CHECK_ARG(model != NULL, "seq2seq_set_lengths");
    LAE_TRY(lstmae_lstm_set_lengths(&model->encoder->base, lengths, count));
    model->mask_steps = 0;
    model->lengths_count = 0;
    if (!lengths) return LSTMAE_OK;
    lae_memory *memory = &model->base.context->memory;
    if ((size_t)count > model->lengths_capacity) {
        int64_t *grown = lae_calloc(memory, (size_t)count, sizeof *grown);
        if (!grown) {
            model->encoder->lengths_count = 0;
            return LAE_FAIL(ERR_NO_MEMORY, "seq2seq: out of memory");
        }
        lae_free(memory, model->lengths, model->lengths_capacity * sizeof *grown);
        model->lengths = grown;
        model->lengths_capacity = (size_t)count;
    }
    memcpy(model->lengths, lengths, (size_t)count * sizeof *lengths);
    model->lengths_count = (size_t)count;
    return LSTMAE_OK;
}

const lstmae_tensor *lstmae_seq2seq_output(const lstmae_seq2seq *model, int decoder)
{
    return model && decoder >= 0 && decoder < model->count ? model->decoders[decoder].y : NULL;
}
