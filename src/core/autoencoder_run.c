/* Autoencoders: the training step, and what inference offers. */
#include "autoencoder_internal.h"
#include "loss_internal.h"
#include "ops.h"
#include "options.h"

/* ---- the step of any module ---- */

static lstmae_status autoencode_backward(lae_autoencoding *step, lstmae_module *module, lstmae_loss *loss,
                                         lae_loss_use *use, double scale)
{
    const lstmae_view *y = use->pred;
    LAE_TRY(lae_tensor_ensure(&step->grad, module->context, (lstmae_dtype)y->dtype, y->ndim, y->dim));
    use->grad = &step->grad->view;
    use->weight = scale;
    LAE_TRY(lae_loss_apply(loss, use));
    lae_tensor_touch(step->grad);
    return lstmae_module_backward(module, step->grad, NULL);
}

lstmae_status lae_autoencode(lae_autoencoding *step, lstmae_module *module, lstmae_loss *loss, const lstmae_tensor *x,
                             double scale)
{
    const lstmae_tensor *y;
    LAE_TRY(lae_buffer_reserve(&step->values, module->context, 2, sizeof(double)));
    LAE_TRY(lae_op_zero(module->context, step->values.data, LSTMAE_F64, 2));
    LAE_TRY(lstmae_module_forward(module, x, &y));
    lae_loss_use use = { .pred = &y->view, .target = &x->view, .mask_sum = -1.0, .value = step->values.data };
    if (module->training) return autoencode_backward(step, module, loss, &use, scale);
    return lae_loss_apply(loss, &use);
}

void lae_autoencoding_release(lae_autoencoding *step)
{
    lstmae_tensor_destroy(step->grad);
    lae_buffer_release(&step->values);
}

/* ---- the step of an autoencoder ---- */

static lstmae_status run_read_parts(const lstmae_autoencoder *ae, double parts[2])
{
    return lae_op_download(ae->base.context, parts, ae->step.values.data, 2 * sizeof *parts);
}

static double run_kl_weight(const lstmae_autoencoder *ae)
{
    return ae->latent ? lae_latent_weight(ae->latent, ae->base.training) : 0.0;
}

double lae_autoencoder_loss(const lstmae_autoencoder *ae, const double *parts)
{
    return parts[0] + run_kl_weight(ae) * parts[1];
}

static lstmae_status run_step(lstmae_autoencoder *ae, lstmae_loss *loss, const lstmae_tensor *x, double scale,
                              double *value)
{
    double parts[2];
    ae->kl_weight = scale * run_kl_weight(ae);
    LAE_TRY(lae_autoencode(&ae->step, &ae->base, loss, x, scale));
    if (ae->latent) LAE_TRY(lae_latent_kl(ae->latent, (double *)ae->step.values.data + 1));
    if (!value) return LSTMAE_OK;
    LAE_TRY(run_read_parts(ae, parts));
    *value = lae_autoencoder_loss(ae, parts);
    return LSTMAE_OK;
}

lstmae_status lae_autoencoder_step(lstmae_autoencoder *autoencoder, lstmae_loss *loss, const lstmae_tensor *x,
                                   int64_t index, double scale, double *value)
{
    autoencoder->stepping = 1;
    autoencoder->index = index;
    lstmae_status status = run_step(autoencoder, loss, x, scale, value);
    autoencoder->stepping = 0;
    return status;
}

/* Layers below the one that is trained are used as they are. */
static lstmae_status run_lower_layer(lstmae_module *encoder, const lstmae_tensor *x, const lstmae_tensor **code)
{
    const int training = encoder->training;
    LAE_TRY(lstmae_module_set_training(encoder, 0));
    lstmae_status status = lstmae_module_forward(encoder, x, code);
    lstmae_status restored = lstmae_module_set_training(encoder, training);
    return status < 0 ? status : restored;
}

lstmae_status lae_autoencoder_layer_step(lstmae_autoencoder *autoencoder, size_t layer, lstmae_loss *loss,
                                         const lstmae_tensor *x, int64_t index, double scale, double *value)
{
    for (size_t i = 0; i < layer; i++) LAE_TRY(run_lower_layer(autoencoder->layers[i]->encoder, x, &x));
    return lae_autoencoder_step(autoencoder->layers[layer], loss, x, index, scale, value);
}

lstmae_status lstmae_autoencoder_step(lstmae_autoencoder *autoencoder, lstmae_loss *loss, const lstmae_batch *batch,
                                      double scale, double *value)
{
    static const lstmae_batch defaults = LSTMAE_BATCH_INIT;
    lstmae_batch read;
    LAE_CHECK_ARG(autoencoder != NULL, "autoencoder_step");
    LAE_CHECK_ARG(loss != NULL, "autoencoder_step");
    LAE_CHECK_ARG(batch != NULL, "autoencoder_step");
    LAE_TRY(lae_options_read(&read, &defaults, sizeof read, batch, sizeof read, "batch"));
    LAE_CHECK_ARG(read.x != NULL, "autoencoder_step");
    LAE_CHECK_ARG(read.index >= 0, "autoencoder_step");
    if (lae_loss_context(loss) != autoencoder->base.context)
        return LAE_FAIL(ERR_INVALID_ARG, "autoencoder_step: the loss belongs to another context");
    return lae_autoencoder_step(autoencoder, loss, read.x, read.index, scale, value);
}

lstmae_status lstmae_autoencoder_parts(lstmae_autoencoder *autoencoder, double *reconstruction, double *kl)
{
    double parts[2];
    LAE_CHECK_ARG(autoencoder != NULL, "autoencoder_parts");
    if (!autoencoder->step.values.data) return LAE_FAIL(ERR_STATE, "autoencoder_parts: there was no step");
    LAE_TRY(run_read_parts(autoencoder, parts));
    if (reconstruction) *reconstruction = parts[0];
    if (kl) *kl = parts[1];
    return LSTMAE_OK;
}

/* ---- inference ---- */

/* One call: any of a tensor to encode, a code to decode, and numbers of the prior. */
typedef struct run_request {
    const lstmae_tensor *x, *code;
    int decode;            /* else the code is the result */
    int posterior;         /* both heads are wanted */
    int64_t first, count;  /* of the prior, where x and code are NULL */
    const lstmae_tensor **out;
} run_request;

static lstmae_status run_encode(lstmae_autoencoder *ae, const run_request *request, const lstmae_tensor **code)
{
    LAE_TRY(lae_fail_in(lstmae_module_forward(ae->encoder, request->x, code), "encoder"));
    if (request->posterior) return lae_latent_posterior(ae->latent, *code);
    return ae->latent ? lae_latent_mean(ae->latent, *code, code) : LSTMAE_OK;
}

static lstmae_status run_decode(lstmae_autoencoder *ae, const lstmae_tensor *code, const lstmae_tensor **out)
{
    const lstmae_tensor *y;
    LAE_TRY(lae_fail_in(lstmae_module_forward(ae->decoder, code, &y), "decoder"));
    *out = y;
    if (ae->output == LSTMAE_ACTIVATION_IDENTITY) return LSTMAE_OK;
    LAE_TRY(lae_tensor_ensure(&ae->shown, ae->base.context, (lstmae_dtype)y->view.dtype, y->view.ndim, y->view.dim));
    lae_tensor_touch(ae->shown);
    *out = ae->shown;
    return lae_op_map(ae->base.context, ae->output, 0.0, &ae->shown->view, &y->view);
}

static lstmae_status run_inference(lstmae_autoencoder *ae, const run_request *request)
{
    const lstmae_tensor *code = request->code;
    if (request->x) LAE_TRY(run_encode(ae, request, &code));
    else if (!code) LAE_TRY(lae_latent_prior(ae->latent, request->first, request->count, &code));
    if (request->decode) return run_decode(ae, code, request->out);
    if (request->out) *request->out = code;
    return LSTMAE_OK;
}

/* In inference mode for this call only. */
static lstmae_status run_frozen(lstmae_autoencoder *ae, const run_request *request)
{
    const int training = ae->base.training;
    if (!training) return run_inference(ae, request);
    LAE_TRY(lstmae_module_set_training(&ae->base, 0));
    lstmae_status status = run_inference(ae, request);
    lstmae_status restored = lstmae_module_set_training(&ae->base, training);
    return status < 0 ? status : restored;
}

lstmae_status lstmae_autoencoder_encode(lstmae_autoencoder *autoencoder, const lstmae_tensor *x,
                                        const lstmae_tensor **code)
{
    LAE_CHECK_ARG(autoencoder != NULL, "autoencoder_encode");
    LAE_CHECK_ARG(x != NULL, "autoencoder_encode");
    LAE_CHECK_ARG(code != NULL, "autoencoder_encode");
    return run_frozen(autoencoder, &(run_request){ .x = x, .out = code });
}

lstmae_status lstmae_autoencoder_decode(lstmae_autoencoder *autoencoder, const lstmae_tensor *code,
                                        const lstmae_tensor **y)
{
    LAE_CHECK_ARG(autoencoder != NULL, "autoencoder_decode");
    LAE_CHECK_ARG(code != NULL, "autoencoder_decode");
    LAE_CHECK_ARG(y != NULL, "autoencoder_decode");
    return run_frozen(autoencoder, &(run_request){ .code = code, .decode = 1, .out = y });
}

lstmae_status lstmae_autoencoder_reconstruct(lstmae_autoencoder *autoencoder, const lstmae_tensor *x,
                                             const lstmae_tensor **y)
{
    LAE_CHECK_ARG(autoencoder != NULL, "autoencoder_reconstruct");
    LAE_CHECK_ARG(x != NULL, "autoencoder_reconstruct");
    LAE_CHECK_ARG(y != NULL, "autoencoder_reconstruct");
    return run_frozen(autoencoder, &(run_request){ .x = x, .decode = 1, .out = y });
}

lstmae_status lstmae_autoencoder_posterior(lstmae_autoencoder *autoencoder, const lstmae_tensor *x,
                                           const lstmae_tensor **mean, const lstmae_tensor **log_variance)
{
    LAE_CHECK_ARG(autoencoder != NULL, "autoencoder_posterior");
    LAE_CHECK_ARG(x != NULL, "autoencoder_posterior");
    if (!autoencoder->latent)
        return LAE_FAIL(ERR_STATE, "autoencoder_posterior: the autoencoder has no latent");
    LAE_TRY(run_frozen(autoencoder, &(run_request){ .x = x, .posterior = 1 }));
    if (mean) *mean = autoencoder->latent->mean;
    if (log_variance) *log_variance = autoencoder->latent->log_variance;
    return LSTMAE_OK;
}

lstmae_status lstmae_autoencoder_sample(lstmae_autoencoder *autoencoder, int64_t first, int64_t count,
                                        const lstmae_tensor **y)
{
    LAE_CHECK_ARG(autoencoder != NULL, "autoencoder_sample");
    LAE_CHECK_ARG(y != NULL, "autoencoder_sample");
    if (!autoencoder->latent)
        return LAE_FAIL(ERR_STATE, "autoencoder_sample: the autoencoder has no latent");
    LAE_TRY(lae_latent_check_range(autoencoder->latent, first, count));
    return run_frozen(autoencoder, &(run_request){ .first = first, .count = count, .decode = 1, .out = y });
}
