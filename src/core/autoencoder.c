/* Autoencoders: structure, and forward and backward as a module. */
#include "autoencoder_internal.h"
#include "module_twin.h"
#include "options.h"

/* ---- forward and backward ---- */

/* Numbers for the next draw of `site`. */
static lstmae_random_key autoencoder_key(lstmae_autoencoder *ae, const lae_site *site)
{
    lstmae_context *context = ae->base.context;
    return ae->base.training ? lae_site_train(site, context) : lae_site_evaluate(site, context, ae->index);
}

static lstmae_status autoencoder_forward(lstmae_module *module, const lstmae_tensor *input,
                                         const lstmae_tensor **output)
{
    lstmae_autoencoder *ae = (lstmae_autoencoder *)module;
    const int drawn = module->training || ae->stepping;
    const lstmae_tensor *x = input;
    if (ae->noisy && drawn) {
        lstmae_random_key key = autoencoder_key(ae, &ae->noise.site);
        LAE_TRY(lae_noise_apply(&ae->noise, &key, x, &x));
    }
    LAE_TRY(lae_fail_in(lstmae_module_forward(ae->encoder, x, &x), "encoder"));
    if (ae->latent && drawn) {
        lstmae_random_key key = autoencoder_key(ae, &ae->latent->site);
        LAE_TRY(lae_latent_draw(ae->latent, x, &key, &x));
    } else if (ae->latent) {
        LAE_TRY(lae_latent_mean(ae->latent, x, &x));
    }
    return lae_fail_in(lstmae_module_forward(ae->decoder, x, output), "decoder");
}

static lstmae_status autoencoder_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                          const lstmae_tensor **grad_input)
{
    lstmae_autoencoder *ae = (lstmae_autoencoder *)module;
    const lstmae_tensor *grad = grad_output;
    LAE_TRY(lae_fail_in(lstmae_module_backward(ae->decoder, grad, &grad), "decoder"));
    if (ae->latent)
        LAE_TRY(lae_latent_backward(ae->latent, grad, ae->stepping ? ae->kl_weight : 0.0, &grad));
    LAE_TRY(lae_fail_in(lstmae_module_backward(ae->encoder, grad, grad_input), "encoder"));
    if (!ae->noisy || !grad_input) return LSTMAE_OK;
    return lae_noise_backward(&ae->noise, *grad_input, grad_input);
}

static lstmae_status autoencoder_set_training(lstmae_module *module, int training)
{
    lstmae_autoencoder *ae = (lstmae_autoencoder *)module;
    LAE_TRY(lstmae_module_set_training(ae->encoder, training));
    LAE_TRY(lstmae_module_set_training(ae->decoder, training));
    if (ae->latent) LAE_TRY(lstmae_module_set_training(&ae->latent->base, training));
    for (size_t i = 0; i < ae->layer_count; i++)
        LAE_TRY(lstmae_module_set_training(&ae->layers[i]->base, training));
    return LSTMAE_OK;
}

static void autoencoder_destroy(lstmae_module *module)
{
    lstmae_autoencoder *ae = (lstmae_autoencoder *)module;
    for (size_t i = 0; i < ae->layer_count; i++) lstmae_autoencoder_destroy(ae->layers[i]);
    lae_free(&module->context->memory, ae->layers, ae->layer_count * sizeof(lstmae_autoencoder *));
    lstmae_module_destroy(ae->encoder);
    lstmae_module_destroy(ae->decoder);
    lae_noise_release(&ae->noise);
    lae_latent_destroy(ae->latent);
    lae_autoencoding_release(&ae->step);
    lstmae_tensor_destroy(ae->shown);
}

/* Encoder, latent where there is one, decoder. */
static const lstmae_module *autoencoder_child(const lstmae_module *module, size_t index)
{
    const lstmae_autoencoder *ae = (const lstmae_autoencoder *)module;
    const lstmae_module *parts[] = { ae->encoder, ae->latent ? &ae->latent->base : ae->decoder,
                                     ae->latent ? ae->decoder : NULL };
    return index < sizeof parts / sizeof *parts ? parts[index] : NULL;
}

static const char *autoencoder_child_name(const lstmae_module *module, size_t index)
{
    const lstmae_module *child = autoencoder_child(module, index);
    const lstmae_autoencoder *ae = (const lstmae_autoencoder *)module;
    return child == ae->encoder ? "encoder" : child == ae->decoder ? "decoder" : "latent";
}

static lstmae_status autoencoder_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output)
{
    *output = *input;
    for (size_t i = 0; autoencoder_child(module, i); i++)
        LAE_TRY(lae_fail_in(lae_module_shape(autoencoder_child(module, i), output, output),
                            autoencoder_child_name(module, i)));
    return LSTMAE_OK;
}

static lstmae_status autoencoder_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out);

static const lae_module_ops autoencoder_ops = {
    .name = "autoencoder",
    .forward = autoencoder_forward,
    .backward = autoencoder_backward,
    .destroy = autoencoder_destroy,
    .set_training = autoencoder_set_training,
    .shape = autoencoder_shape,
    .child = autoencoder_child,
    .child_name = autoencoder_child_name,
    .twin = autoencoder_twin,
};

lstmae_autoencoder *lae_autoencoder_of(lstmae_module *module)
{
    return module->ops == &autoencoder_ops ? (lstmae_autoencoder *)module : NULL;
}

/* ---- creation ---- */

/* The caller's options with those they point to. */
typedef struct autoencoder_plan {
    lstmae_autoencoder_options options;
    lstmae_noise_options noise;
    lstmae_latent_options latent;
} autoencoder_plan;

static lstmae_status plan_read(autoencoder_plan *plan, const lstmae_autoencoder_options *options)
{
    static const lstmae_autoencoder_options defaults = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    lstmae_autoencoder_options *o = &plan->options;
    LAE_TRY(lae_options_read(o, &defaults, sizeof *o, options, sizeof *o, "autoencoder options"));
    if (o->output < LSTMAE_ACTIVATION_IDENTITY || o->output > LSTMAE_ACTIVATION_SIGMOID)
        return LAE_FAIL(ERR_INVALID_ARG, "autoencoder options: expected output in [0,3], got %d", o->output);
    if (o->noise) LAE_TRY(lae_noise_read_options(&plan->noise, o->noise));
    if (o->latent) LAE_TRY(lae_latent_read_options(&plan->latent, o->latent, 0));
    return LSTMAE_OK;
}

static lstmae_status autoencoder_check_part(const lstmae_module *part, const lstmae_context *context)
{
    LAE_CHECK_ARG(part != NULL, "autoencoder_create");
    if (part->context != context)
        return LAE_FAIL(ERR_INVALID_ARG, "autoencoder_create: expected encoder and decoder of one context, got two");
    if (part->in_container)
        return LAE_FAIL(ERR_STATE, "autoencoder_create: a %s is already part of a container", part->ops->name);
    return LSTMAE_OK;
}

static lstmae_status autoencoder_init(lstmae_autoencoder *ae, const autoencoder_plan *plan)
{
    lstmae_module *module = &ae->base;
    ae->output = plan->options.output;
    LAE_TRY(lstmae_module_set_training(ae->encoder, module->training));
    LAE_TRY(lstmae_module_set_training(ae->decoder, module->training));
    LAE_TRY(lae_module_adopt(module, ae->encoder, "encoder."));
    if (plan->options.latent) {
        LAE_TRY(lae_latent_new(&ae->latent, module->context, &plan->latent));
        LAE_TRY(lae_module_adopt(module, &ae->latent->base, ""));
    }
    LAE_TRY(lae_module_adopt(module, ae->decoder, "decoder."));
    if (!plan->options.noise) return LSTMAE_OK;
    ae->noisy = 1;
    return lae_noise_init(&ae->noise, module->context, &plan->noise);
}

/* Takes references of its own on both parts. */
static lstmae_status autoencoder_new(lstmae_autoencoder **out, lstmae_module *encoder, lstmae_module *decoder,
                                     const autoencoder_plan *plan)
{
    lstmae_module *module = NULL;
    LAE_TRY(lae_module_new(&module, encoder->context, &autoencoder_ops, sizeof(lstmae_autoencoder)));
    lstmae_autoencoder *ae = (lstmae_autoencoder *)module;
    ae->encoder = lae_module_retain(encoder);
    ae->decoder = lae_module_retain(decoder);
    lstmae_status status = autoencoder_init(ae, plan);
    if (status < 0) {
        lstmae_module_destroy(module);
        return status;
    }
    *out = ae;
    return LSTMAE_OK;
}

/* The parts are in a container now, whose references replace the caller's; or after a failure in none again. */
static void autoencoder_settle(lstmae_module *const *parts, size_t count, lstmae_status status)
{
    for (size_t i = 0; i < count; i++) {
        if (status < 0) parts[i]->in_container = 0;
        else lstmae_module_destroy(parts[i]);
    }
}

lstmae_status lstmae_autoencoder_create(lstmae_autoencoder **out, lstmae_module *encoder, lstmae_module *decoder,
                                        const lstmae_autoencoder_options *options)
{
    autoencoder_plan plan;
    lstmae_module *parts[2] = { encoder, decoder };
    LAE_CHECK_ARG(out != NULL, "autoencoder_create");
    *out = NULL;
    LAE_CHECK_ARG(encoder != NULL, "autoencoder_create");
    LAE_CHECK_ARG(encoder != decoder, "autoencoder_create");
    for (int i = 0; i < 2; i++) LAE_TRY(autoencoder_check_part(parts[i], encoder->context));
    LAE_TRY(plan_read(&plan, options));
    lstmae_status status = autoencoder_new(out, encoder, decoder, &plan);
    autoencoder_settle(parts, 2, status);
    return status;
}

/* What inference needs: the parts, and the latent between them. */
static lstmae_status autoencoder_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out)
{
    const lstmae_autoencoder *from = (const lstmae_autoencoder *)module;
    lstmae_autoencoder_options options = LSTMAE_AUTOENCODER_OPTIONS_INIT;
    lstmae_autoencoder *ae = NULL;
    lstmae_module *encoder = NULL, *decoder = NULL;
    lstmae_status status;
    options.output = from->output;
    options.latent = from->latent ? &from->latent->options : NULL;
    LAE_TRY_DONE(lae_module_twin_part(&encoder, from->encoder, context));
    LAE_TRY_DONE(lae_module_twin_part(&decoder, from->decoder, context));
    if (from->latent) lae_twin_from(context, &from->latent->base);
    LAE_TRY_DONE(lstmae_autoencoder_create(&ae, encoder, decoder, &options));
    *out = &ae->base;
    return LSTMAE_OK;
done:
    lstmae_module_destroy(encoder);
    lstmae_module_destroy(decoder);
    return status;
}

/* ---- stacked ---- */

/* parts[0], ..., in a row, or from the last to the first; references of its own. */
static lstmae_status stack_chain(lstmae_module **out, lstmae_module *const *parts, size_t count, int backwards)
{
    lstmae_module *chain = NULL;
    LAE_TRY(lstmae_sequential_create(&chain, parts[0]->context));
    for (size_t i = 0; i < count; i++) {
        lstmae_module *part = lae_module_retain(parts[backwards ? count - 1 - i : i]);
        lstmae_status status = lstmae_sequential_append(chain, part);
        if (status == LSTMAE_OK) continue;
        lstmae_module_destroy(part);
        lstmae_module_destroy(chain);
        return status;
    }
    *out = chain;
    return LSTMAE_OK;
}

static lstmae_status stack_add_layers(lstmae_autoencoder *ae, lstmae_module *const *encoders,
                                      lstmae_module *const *decoders, size_t count, const autoencoder_plan *plan)
{
    autoencoder_plan layer = *plan;
    layer.options.output = LSTMAE_ACTIVATION_IDENTITY;
    layer.options.latent = NULL;
    ae->layers = lae_calloc(&ae->base.context->memory, count, sizeof(lstmae_autoencoder *));
    if (!ae->layers) return LAE_FAIL(ERR_NO_MEMORY, "autoencoder: no memory for %zu layers", count);
    ae->layer_count = count;
    for (size_t i = 0; i < count; i++) {
        lstmae_status status = autoencoder_new(&ae->layers[i], encoders[i], decoders[i], &layer);
        if (status == LSTMAE_OK) continue;
        for (size_t k = 0; k < i; k++) lstmae_autoencoder_destroy(ae->layers[k]);
        lae_free(&ae->base.context->memory, ae->layers, count * sizeof(lstmae_autoencoder *));
        ae->layers = NULL;
        ae->layer_count = 0;
        return status;
    }
    return LSTMAE_OK;
}

static lstmae_status stack_new(lstmae_autoencoder **out, lstmae_module *const *encoders,
                               lstmae_module *const *decoders, size_t count, const autoencoder_plan *plan)
{
    lstmae_module *encoder = NULL, *decoder = NULL;
    lstmae_autoencoder *ae = NULL;
    lstmae_status status;
    LAE_TRY_DONE(stack_chain(&encoder, encoders, count, 0));
    LAE_TRY_DONE(stack_chain(&decoder, decoders, count, 1));
    LAE_TRY_DONE(autoencoder_new(&ae, encoder, decoder, plan));
    LAE_TRY_DONE(stack_add_layers(ae, encoders, decoders, count, plan));
    *out = ae;
    ae = NULL;
done:
    lstmae_autoencoder_destroy(ae);
    lstmae_module_destroy(encoder);
    lstmae_module_destroy(decoder);
    return status;
}

lstmae_status lstmae_autoencoder_create_stacked(lstmae_autoencoder **out, lstmae_module *const *encoders,
                                                lstmae_module *const *decoders, size_t layers,
                                                const lstmae_autoencoder_options *options)
{
    autoencoder_plan plan;
    LAE_CHECK_ARG(out != NULL, "autoencoder_create_stacked");
    *out = NULL;
    LAE_CHECK_ARG(encoders != NULL, "autoencoder_create_stacked");
    LAE_CHECK_ARG(decoders != NULL, "autoencoder_create_stacked");
    LAE_CHECK_ARG(layers >= 1 && layers <= 1024, "autoencoder_create_stacked");
    LAE_CHECK_ARG(encoders[0] != NULL, "autoencoder_create_stacked");
    for (size_t i = 0; i < layers; i++) {
        LAE_TRY(autoencoder_check_part(encoders[i], encoders[0]->context));
        LAE_TRY(autoencoder_check_part(decoders[i], encoders[0]->context));
    }
    LAE_TRY(plan_read(&plan, options));
    lstmae_status status = stack_new(out, encoders, decoders, layers, &plan);
    autoencoder_settle(encoders, layers, status);
    autoencoder_settle(decoders, layers, status);
    return status;
}

/* ---- small things ---- */

void lstmae_autoencoder_destroy(lstmae_autoencoder *autoencoder)
{
    lstmae_module_destroy(autoencoder ? &autoencoder->base : NULL);
}

lstmae_module *lstmae_autoencoder_module(lstmae_autoencoder *autoencoder)
{
    return autoencoder ? &autoencoder->base : NULL;
}

size_t lstmae_autoencoder_layers(const lstmae_autoencoder *autoencoder)
{
    return autoencoder ? autoencoder->layer_count : 0;
}

lstmae_autoencoder *lstmae_autoencoder_layer(lstmae_autoencoder *autoencoder, size_t layer)
{
    return autoencoder && layer < autoencoder->layer_count ? autoencoder->layers[layer] : NULL;
}

lstmae_status lstmae_autoencoder_set_beta(lstmae_autoencoder *autoencoder, double beta)
{
    LAE_CHECK_ARG(autoencoder != NULL, "autoencoder_set_beta");
    if (!autoencoder->latent)
        return LAE_FAIL(ERR_STATE, "autoencoder_set_beta: the autoencoder has no latent");
    return lae_latent_set_beta(autoencoder->latent, beta);
}
