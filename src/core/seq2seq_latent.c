/*
 * The latent of a sequence model stands between encoder and decoders. The heads read the code; every state that the
 * decoders start from is a linear map of the latent z, so that nothing passes beside it:
 *
 *   h_l = z W_hl^T + b_hl,  c_l = z W_cl^T + b_cl   for every layer l of the encoder
 */
#include "ops.h"
#include "options.h"
#include "seq2seq_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- creation ---- */

static lstmae_status latent_init_states(lstmae_seq2seq *model)
{
    const int64_t layers = model->encoder->L, W = model->encoder->D * model->encoder->H;
    for (int i = 0; i < 2; i++) {
        model->from_latent[i] = lae_calloc(&model->base.context->memory, (size_t)layers, sizeof(lae_linear));
        if (!model->from_latent[i]) return LAE_FAIL(ERR_NO_MEMORY, "seq2seq: out of memory");
        for (int64_t l = 0; l < layers; l++) {
            char name[48];
            snprintf(name, sizeof name, "latent_%c.%lld.", i == 0 ? 'h' : 'c', (long long)l);
            LAE_TRY(
                lae_linear_init(&model->from_latent[i][l], &model->base, name, model->latent.options.size, W, 1));
        }
    }
    return LSTMAE_OK;
}

void lae_seq2seq_release_latent(lstmae_seq2seq *model)
{
    for (int i = 0; i < 2; i++) {
        if (!model->from_latent[i]) continue;
        lae_free(&model->base.context->memory, model->from_latent[i],
                 (size_t)model->encoder->L * sizeof(lae_linear));
        model->from_latent[i] = NULL;
    }
    lae_latent_release(&model->latent);
    memset(&model->latent, 0, sizeof model->latent);
}

lstmae_status lstmae_seq2seq_set_latent(lstmae_seq2seq *model, const lstmae_latent_options *options)
{
    lstmae_latent_options read;
    LAE_CHECK_ARG(model != NULL, "seq2seq_set_latent");
    LAE_TRY(lae_latent_read_options(&read, options, model->encoder->D * model->encoder->H));
    if (model->latent.context) return LAE_FAIL(ERR_STATE, "seq2seq_set_latent: the model has a latent already");
    if (model->started) return LAE_FAIL(ERR_STATE, "seq2seq_set_latent: the model has already run");
    const size_t params = model->base.param_count;
    lstmae_status status = lae_latent_init(&model->latent, &model->base, &read);
    if (status == LSTMAE_OK) status = latent_init_states(model);
    if (status == LSTMAE_OK) return LSTMAE_OK;
    lae_module_forget_params(&model->base, params);
    lae_seq2seq_release_latent(model);
    return status;
}

lstmae_status lstmae_seq2seq_set_beta(lstmae_seq2seq *model, double beta)
{
    LAE_CHECK_ARG(model != NULL, "seq2seq_set_beta");
    if (!model->latent.context) return LAE_FAIL(ERR_STATE, "seq2seq_set_beta: the model has no latent");
    return lae_latent_set_beta(&model->latent, beta);
}

/* ---- forward ---- */

/* Layer l of the states' h (0) or c (1), or of their gradients. */
static void *latent_state(const lstmae_seq2seq *model, lstmae_tensor *const of[2], int i, int64_t l)
{
    const lae_encoder_states *states = &model->states;
    return lae_at(of[i]->view.data, l * states->B * states->width, of[i]->view.dtype);
}

static lstmae_view latent_top(const lstmae_seq2seq *model, lstmae_tensor *const of[2])
{
    const lae_encoder_states *states = &model->states;
    const int64_t dims[2] = { states->B, states->width };
    return lae_view_of(latent_state(model, of, 0, states->layers - 1), of[0]->view.dtype, 2, dims);
}

lstmae_status lae_seq2seq_states_from(lstmae_seq2seq *model, const lstmae_tensor *z)
{
    lstmae_tensor *const states[2] = { model->states.h, model->states.c };
    const int64_t B = model->states.B, W = model->states.width, Z = model->latent.options.size;
    for (int i = 0; i < 2; i++) {
        lae_tensor_touch(states[i]);
        for (int64_t l = 0; l < model->states.layers; l++)
            LAE_TRY(lae_linear_forward(&model->from_latent[i][l], B, z->view.data, Z,
                                       latent_state(model, states, i, l), W));
    }
    return LSTMAE_OK;
}

lstmae_status lae_seq2seq_run_latent(lstmae_seq2seq *model)
{
    lstmae_context *context = model->base.context;
    lstmae_tensor *const states[2] = { model->states.h, model->states.c };
    const lstmae_tensor *z;
    if (!model->latent.context) return LSTMAE_OK;
    const lstmae_view top = latent_top(model, states);
    LAE_TRY(lae_tensor_ensure(&model->code, context, context->dtype, 2, top.dim));
    lae_tensor_touch(model->code);
    LAE_TRY(lae_op_copy(context, &model->code->view, &top));
    if (model->base.training || model->stepping) {
        const lae_site *site = &model->latent.site;
        lstmae_random_key key =
            model->base.training ? lae_site_train(site, context) : lae_site_evaluate(site, context, model->index);
        LAE_TRY(lae_latent_draw(&model->latent, model->code, &key, &z));
    } else {
        LAE_TRY(lae_latent_mean(&model->latent, model->code, &z));
    }
    return lae_seq2seq_states_from(model, z);
}

/* ---- backward ---- */

/* Gradients of the states become those of the code: in the top layer's hidden state, and 0 elsewhere. */
lstmae_status lae_seq2seq_latent_backward(lstmae_seq2seq *model, double scale)
{
    lstmae_context *context = model->base.context;
    lstmae_tensor *const grads[2] = { model->states.dh, model->states.dc };
    const lstmae_tensor *z = model->latent.z, *dcode;
    const int64_t B = model->states.B, W = model->states.width, Z = model->latent.options.size;
    if (!model->latent.context) return LSTMAE_OK;
    LAE_TRY(lae_tensor_ensure(&model->dz, context, context->dtype, 2, z->view.dim));
    lae_tensor_touch(model->dz);
    for (int i = 0; i < 2; i++) {
        for (int64_t l = 0; l < model->states.layers; l++) {
            const lae_linear *map = &model->from_latent[i][l];
            const void *dy = latent_state(model, grads, i, l);
            LAE_TRY(lae_linear_weight_gradient(map, B, z->view.data, Z, dy, W));
            LAE_TRY(lae_linear_backward(map, B, dy, W, model->dz->view.data, Z, i + l > 0 ? 1.0 : 0.0));
        }
    }
    LAE_TRY(lae_latent_backward(&model->latent, model->dz, scale * model->latent.weight, &dcode));
    for (int i = 0; i < 2; i++) LAE_TRY(lae_op_fill(context, &grads[i]->view, 0.0));
    const lstmae_view top = latent_top(model, grads);
    return lae_op_copy(context, &top, &dcode->view);
}
