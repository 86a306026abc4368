/*
 * The code of a sequence model, between encoder and decoders: the final hidden state s of the encoder's top layer, or
 * what a smaller layer makes of it,
 *
 *   code = f(s W^T + b), or a latent's draw z from N(mean(s), exp(log_variance(s)))
 *
 * Where there is such a layer, every state that decoders start from is a linear map of the code, so that nothing passes
 * beside it:
 *
 *   h_l = code W_hl^T + b_hl,  c_l = code W_cl^T + b_cl   for every layer l of the encoder
 */
#include "ops.h"
#include "options.h"
#include "seq2seq_internal.h"

#include <stdio.h>

/* ---- creation ---- */

static int code_is_layer(const lstmae_seq2seq *model)
{
    return model->code.size > 0;
}

static lstmae_status code_check_free(const lstmae_seq2seq *model, const char *function)
{
    if (code_is_layer(model))
        return LAE_FAIL(ERR_STATE, "%s: the model has a %s already", function, model->latent ? "latent" : "code");
    if (model->started) return LAE_FAIL(ERR_STATE, "%s: the model has already run", function);
    if (model->count > 0) return LAE_FAIL(ERR_STATE, "%s: the model has decoders already", function);
    return LSTMAE_OK;
}

lstmae_status lstmae_seq2seq_set_code(lstmae_seq2seq *model, const lstmae_code_options *options)
{
    static const lstmae_code_options defaults = LSTMAE_CODE_OPTIONS_INIT;
    lstmae_code_options o;
    LAE_CHECK_ARG(model != NULL, "seq2seq_set_code");
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "code options"));
    if (o.size < 1 || o.size > INT64_C(1) << 28)
        return LAE_FAIL(ERR_INVALID_ARG, "code options: size is %lld, expected 1 to 2^28", (long long)o.size);
    if (o.activation < LSTMAE_ACTIVATION_IDENTITY || o.activation > LSTMAE_ACTIVATION_SIGMOID)
        return LAE_FAIL(ERR_INVALID_ARG, "code options: unknown activation %d", o.activation);
    LAE_TRY(code_check_free(model, "seq2seq_set_code"));
    const size_t params = model->base.params.count, buffers = model->base.buffers.count;
    lstmae_status status = lae_linear_init(&model->code.head, &model->base, "code.",
                                           model->encoder->D * model->encoder->H, o.size, 1);
    if (status != LSTMAE_OK) {
        lae_module_forget(&model->base, params, buffers);
        return status;
    }
    model->code.size = o.size;
    model->code.activation = o.activation;
    return LSTMAE_OK;
}

lstmae_status lstmae_seq2seq_set_latent(lstmae_seq2seq *model, const lstmae_latent_options *options)
{
    lstmae_latent_options read;
    LAE_CHECK_ARG(model != NULL, "seq2seq_set_latent");
    LAE_TRY(lae_latent_read_options(&read, options, model->encoder->D * model->encoder->H));
    LAE_TRY(code_check_free(model, "seq2seq_set_latent"));
    const size_t params = model->base.params.count, buffers = model->base.buffers.count;
    lstmae_status status = lae_latent_new(&model->latent, model->base.context, &read);
    if (status == LSTMAE_OK) status = lae_module_adopt(&model->base, &model->latent->base, "");
    if (status != LSTMAE_OK) {
        lae_module_forget(&model->base, params, buffers);
        lae_latent_destroy(model->latent);
        model->latent = NULL;
        return status;
    }
    model->code.size = read.size;
    return LSTMAE_OK;
}

lstmae_status lstmae_seq2seq_set_beta(lstmae_seq2seq *model, double beta)
{
    LAE_CHECK_ARG(model != NULL, "seq2seq_set_beta");
    if (!model->latent) return LAE_FAIL(ERR_STATE, "seq2seq_set_beta: the model has no latent");
    return lae_latent_set_beta(model->latent, beta);
}

int64_t lae_seq2seq_code_width(const lstmae_seq2seq *model)
{
    return code_is_layer(model) ? model->code.size : model->encoder->D * model->encoder->H;
}

lstmae_status lae_seq2seq_make_maps(lstmae_seq2seq *model)
{
    const int64_t layers = model->encoder->L, W = model->encoder->D * model->encoder->H;
    if (!code_is_layer(model) || model->code.maps[0]) return LSTMAE_OK;
    for (int i = 0; i < 2; i++) {
        model->code.maps[i] = lae_calloc(&model->base.context->memory, (size_t)layers, sizeof(lae_linear));
        if (!model->code.maps[i]) return LAE_FAIL(ERR_NO_MEMORY, "seq2seq: out of memory");
        for (int64_t l = 0; l < layers; l++) {
            char name[48];
            snprintf(name, sizeof name, "%s_%c.%lld.", model->latent ? "latent" : "code", i == 0 ? 'h' : 'c',
                     (long long)l);
            LAE_TRY(lae_linear_init(&model->code.maps[i][l], &model->base, name, model->code.size, W, 1));
        }
    }
    return LSTMAE_OK;
}

void lae_seq2seq_release_maps(lstmae_seq2seq *model)
{
    const size_t bytes = (size_t)model->encoder->L * sizeof(lae_linear);
    for (int i = 0; i < 2; i++) {
        lae_free(&model->base.context->memory, model->code.maps[i], model->code.maps[i] ? bytes : 0);
        model->code.maps[i] = NULL;
    }
}

void lae_seq2seq_release_code(lstmae_seq2seq *model)
{
    if (model->encoder) lae_seq2seq_release_maps(model);
    lae_latent_destroy(model->latent);
    lstmae_tensor *tensors[] = { model->code.state, model->code.linear, model->code.value, model->code.dvalue,
                                 model->code.dlinear };
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) lstmae_tensor_destroy(tensors[i]);
}

/* ---- forward ---- */

/* Layer l of the states' h (0) or c (1), or of their gradients. */
static void *code_state(const lstmae_seq2seq *model, lstmae_tensor *const of[2], int i, int64_t l)
{
    const lae_encoder_states *states = &model->states;
    return lae_at(of[i]->view.data, l * states->B * states->width, of[i]->view.dtype);
}

/* h of the top layer, or its gradient. */
static lstmae_view code_top(const lstmae_seq2seq *model, lstmae_tensor *const of[2])
{
    const lae_encoder_states *states = &model->states;
    const int64_t dims[2] = { states->B, states->width };
    return lae_view_of(code_state(model, of, 0, states->layers - 1), of[0]->view.dtype, 2, dims);
}

lstmae_status lae_seq2seq_states_from(lstmae_seq2seq *model, const lstmae_tensor *code)
{
    lstmae_tensor *const states[2] = { model->states.h, model->states.c };
    const int64_t B = model->states.B, W = model->states.width, K = model->code.size;
    model->states.code = code->view.data;
    for (int i = 0; i < 2 && model->code.maps[0]; i++) {
        lae_tensor_touch(states[i]);
        for (int64_t l = 0; l < model->states.layers; l++)
            LAE_TRY(lae_linear_forward(&model->code.maps[i][l], B, code->view.data, K, code_state(model, states, i, l),
                                       W));
    }
    return LSTMAE_OK;
}

static lstmae_status code_run_latent(lstmae_seq2seq *model, const lstmae_tensor **z)
{
    const lae_site *site = &model->latent->site;
    lstmae_context *context = model->base.context;
    if (!model->base.training && !model->stepping) return lae_latent_mean(model->latent, model->code.state, z);
    lstmae_random_key key =
        model->base.training ? lae_site_train(site, context) : lae_site_evaluate(site, context, model->index);
    return lae_latent_draw(model->latent, model->code.state, &key, z);
}

/* Where there is no activation the linear layer's output is the value. */
static lstmae_status code_run_linear(lstmae_seq2seq *model, const lstmae_tensor **value)
{
    lae_code *code = &model->code;
    lstmae_context *context = model->base.context;
    const int64_t dims[2] = { model->states.B, code->size };
    LAE_TRY(lae_tensor_ensure(&code->linear, context, context->dtype, 2, dims));
    lae_tensor_touch(code->linear);
    LAE_TRY(lae_linear_forward(&code->head, dims[0], code->state->view.data, model->states.width,
                               code->linear->view.data, code->size));
    *value = code->linear;
    if (code->activation == LSTMAE_ACTIVATION_IDENTITY) return LSTMAE_OK;
    LAE_TRY(lae_tensor_ensure(&code->value, context, context->dtype, 2, dims));
    lae_tensor_touch(code->value);
    *value = code->value;
    return lae_op_map(context, code->activation, 0.0, &code->value->view, &code->linear->view);
}

lstmae_status lae_seq2seq_run_code(lstmae_seq2seq *model)
{
    lstmae_context *context = model->base.context;
    lstmae_tensor *const states[2] = { model->states.h, model->states.c };
    const lstmae_view top = code_top(model, states);
    const lstmae_tensor *code;
    model->states.code = top.data;
    if (!code_is_layer(model)) return LSTMAE_OK;
    LAE_TRY(lae_tensor_ensure(&model->code.state, context, context->dtype, 2, top.dim));
    lae_tensor_touch(model->code.state);
    LAE_TRY(lae_op_copy(context, &model->code.state->view, &top));
    if (model->latent) LAE_TRY(code_run_latent(model, &code));
    else LAE_TRY(code_run_linear(model, &code));
    return lae_seq2seq_states_from(model, code);
}

/* ---- backward ---- */

lstmae_status lae_seq2seq_begin_code_gradient(lstmae_seq2seq *model)
{
    lstmae_context *context = model->base.context;
    lstmae_tensor *const grads[2] = { model->states.dh, model->states.dc };
    const int64_t dims[2] = { model->states.B, model->code.size };
    model->states.dcode = code_top(model, grads).data;
    if (!code_is_layer(model)) return LSTMAE_OK;
    LAE_TRY(lae_tensor_ensure(&model->code.dvalue, context, context->dtype, 2, dims));
    lae_tensor_touch(model->code.dvalue);
    model->states.dcode = model->code.dvalue->view.data;
    return lae_op_fill(context, &model->code.dvalue->view, 0.0);
}

/* Adds what the states pass back to the code. */
static lstmae_status code_maps_backward(lstmae_seq2seq *model)
{
    lstmae_tensor *const grads[2] = { model->states.dh, model->states.dc };
    const int64_t B = model->states.B, W = model->states.width, K = model->code.size;
    for (int i = 0; i < 2 && model->code.maps[0]; i++) {
        for (int64_t l = 0; l < model->states.layers; l++) {
            const lae_linear *map = &model->code.maps[i][l];
            const void *dy = code_state(model, grads, i, l);
            LAE_TRY(lae_linear_weight_gradient(map, B, model->states.code, K, dy, W));
            LAE_TRY(lae_linear_backward(map, B, dy, W, model->code.dvalue->view.data, K, 1.0));
        }
    }
    return LSTMAE_OK;
}

/* From the code's gradient to that of the top layer's state. */
static lstmae_status code_linear_backward(lstmae_seq2seq *model, const lstmae_view *dstate)
{
    lae_code *code = &model->code;
    lstmae_context *context = model->base.context;
    const int64_t B = model->states.B, W = model->states.width, K = code->size;
    const lstmae_tensor *dlinear = code->dvalue;
    if (code->activation != LSTMAE_ACTIVATION_IDENTITY) {
        LAE_TRY(lae_tensor_ensure(&code->dlinear, context, context->dtype, 2, code->dvalue->view.dim));
        lae_tensor_touch(code->dlinear);
        LAE_TRY(lae_op_map_backward(context, code->activation, 0.0, &code->dlinear->view, &code->dvalue->view,
                                    &code->linear->view, &code->value->view));
        dlinear = code->dlinear;
    }
    LAE_TRY(lae_linear_weight_gradient(&code->head, B, code->state->view.data, W, dlinear->view.data, K));
    return lae_linear_backward(&code->head, B, dlinear->view.data, K, dstate->data, W, 0.0);
}

lstmae_status lae_seq2seq_code_backward(lstmae_seq2seq *model, double scale)
{
    lstmae_context *context = model->base.context;
    lstmae_tensor *const grads[2] = { model->states.dh, model->states.dc };
    const lstmae_tensor *dstate;
    if (!code_is_layer(model)) return LSTMAE_OK;
    LAE_TRY(code_maps_backward(model));
    for (int i = 0; i < 2; i++) LAE_TRY(lae_op_fill(context, &grads[i]->view, 0.0));
    const lstmae_view top = code_top(model, grads);
    if (!model->latent) return code_linear_backward(model, &top);
    LAE_TRY(lae_latent_backward(model->latent, model->code.dvalue, scale * model->latent->weight, &dstate));
    return lae_op_copy(context, &top, &dstate->view);
}
