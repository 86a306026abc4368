/*
 * The latent of a variational model. With w the KL's weight over the batch size, from dL/dz:
 *
 *   dL/dm = dL/dz + w m
 *   dL/dv = dL/dz exp(v / 2) e / 2 + w (exp(v) - 1) / 2
 */
#include "latent.h"

#include "ops.h"
#include "options.h"

#include <math.h>
#include <stdio.h>

/* ---- options ---- */

static lstmae_status latent_check_beta(double beta)
{
    if (beta >= 0.0 && isfinite(beta)) return LSTMAE_OK;
    return LAE_FAIL(ERR_INVALID_ARG, "latent: expected beta of 0 or more, got %g", beta);
}

lstmae_status lae_latent_read_options(lstmae_latent_options *read, const lstmae_latent_options *options,
                                      int64_t features)
{
    static const lstmae_latent_options defaults = LSTMAE_LATENT_OPTIONS_INIT;
    const int64_t most = INT64_C(1) << 28;
    LAE_TRY(lae_options_read(read, &defaults, sizeof *read, options, sizeof *read, "latent options"));
    if (read->flags) return LAE_FAIL(ERR_UNSUPPORTED, "latent options: unknown flags 0x%x", read->flags);
    if (read->size < 1 || read->size > most)
        return LAE_FAIL(ERR_INVALID_ARG, "latent options: expected size in [1,2^28], got %lld", (long long)read->size);
    if (features > 0 && read->features != 0)
        return LAE_FAIL(ERR_INVALID_ARG, "latent options: expected features 0 in a sequence model, got %lld",
                        (long long)read->features);
    if (features > 0) read->features = features;
    if (read->features < 1 || read->features > most)
        return LAE_FAIL(ERR_INVALID_ARG, "latent options: expected features in [1,2^28], got %lld",
                        (long long)read->features);
    if (read->warmup < 0)
        return LAE_FAIL(ERR_INVALID_ARG, "latent options: expected warmup of 0 or more, got %lld",
                        (long long)read->warmup);
    return latent_check_beta(read->beta);
}

static lstmae_status latent_init_constants(lae_latent *latent)
{
    const int64_t count = 2, one = 1;
    LAE_TRY(lstmae_tensor_create(&latent->constants, latent->base.context, latent->base.context->dtype, 1, &count));
    lstmae_view last = latent->constants->view;
    LAE_TRY(lae_op_fill(latent->base.context, &last, 0.0));
    last = lae_view_of(lae_at(last.data, 1, last.dtype), last.dtype, 1, &one);
    return lae_op_fill(latent->base.context, &last, 1.0);
}

/* ---- weight of the KL ---- */

void lae_latent_warm_up(lae_latent *latent, int64_t update)
{
    const int64_t warmup = latent ? latent->options.warmup : 0;
    if (warmup == 0) return;
    latent->weight = latent->options.beta;
    if (update < warmup) latent->weight *= ((double)update + 1.0) / (double)warmup;
}

lstmae_status lae_latent_set_beta(lae_latent *latent, double beta)
{
    LAE_TRY(latent_check_beta(beta));
    latent->options.beta = latent->weight = beta;
    return LSTMAE_OK;
}

/* ---- forward ---- */

static lstmae_status latent_ensure(const lae_latent *latent, lstmae_tensor **tensor, int64_t B)
{
    const int64_t dims[2] = { B, latent->options.size };
    LAE_TRY(lae_tensor_ensure(tensor, latent->base.context, latent->base.context->dtype, 2, dims));
    lae_tensor_touch(*tensor);
    return LSTMAE_OK;
}

static lstmae_status latent_head(lae_latent *latent, const lae_linear *head, lstmae_tensor **y)
{
    int64_t rows, stride;
    lae_view_rows(&latent->input->view, &rows, &stride);
    LAE_TRY(latent_ensure(latent, y, rows));
    return lae_linear_forward(head, rows, latent->input->view.data, stride, (*y)->view.data, head->out);
}

lstmae_status lae_latent_mean(lae_latent *latent, const lstmae_tensor *input, const lstmae_tensor **mean)
{
    const lstmae_view *x = &input->view;
    lstmae_view z;
    int64_t rows, stride;
    LAE_TRY(lae_module_shape(&latent->base, x, &z));
    latent->input = input;
    if (!lae_view_rows(x, &rows, &stride)) LAE_TRY(lae_tensor_contiguous(&latent->input, input, &latent->copy));
    LAE_TRY(latent_head(latent, &latent->mean_head, &latent->mean));
    *mean = latent->mean;
    return LSTMAE_OK;
}

lstmae_status lae_latent_posterior(lae_latent *latent, const lstmae_tensor *input)
{
    const lstmae_tensor *mean;
    LAE_TRY(lae_latent_mean(latent, input, &mean));
    return latent_head(latent, &latent->log_variance_head, &latent->log_variance);
}

lstmae_status lae_latent_draw(lae_latent *latent, const lstmae_tensor *input, const lstmae_random_key *key,
                              const lstmae_tensor **z)
{
    lstmae_context *context = latent->base.context;
    LAE_TRY(lae_latent_posterior(latent, input));
    const int64_t B = latent->mean->view.dim[0];
    LAE_TRY(latent_ensure(latent, &latent->deviation, B));
    LAE_TRY(latent_ensure(latent, &latent->offset, B));
    LAE_TRY(latent_ensure(latent, &latent->z, B));
    const lstmae_view *deviation = &latent->deviation->view, *offset = &latent->offset->view;
    LAE_TRY(lae_op_map(context, LSTMAE_MAP_EXP, 0.5, deviation, &latent->log_variance->view));
    LAE_TRY(lae_op_random(context, LSTMAE_RANDOM_NORMAL, offset, 0.0, 1.0, key));
    LAE_TRY(lae_op_multiply(context, offset, offset, deviation, 0.0));
    LAE_TRY(lae_op_copy(context, &latent->z->view, &latent->mean->view));
    LAE_TRY(lae_op_axpby(context, &latent->z->view, 1.0, offset, 1.0));
    *z = latent->z;
    return LSTMAE_OK;
}

lstmae_status lae_latent_check_range(const lae_latent *latent, int64_t first, int64_t count)
{
    const int64_t most = INT64_MAX / latent->options.size;
    if (count >= 1 && count <= most && first >= 0 && first <= most - count) return LSTMAE_OK;
    return LAE_FAIL(ERR_INVALID_ARG, "latent: expected first of 0 or more and count of 1 or more, got %lld and %lld",
                    (long long)first, (long long)count);
}

lstmae_status lae_latent_prior(lae_latent *latent, int64_t first, int64_t count, const lstmae_tensor **z)
{
    lstmae_random_key key = { latent->base.context->seed, lae_random_stream(latent->prior, 0), 0 };
    key.first = (uint64_t)first * (uint64_t)latent->options.size;
    LAE_TRY(latent_ensure(latent, &latent->z, count));
    *z = latent->z;
    return lae_op_random(latent->base.context, LSTMAE_RANDOM_NORMAL, &latent->z->view, 0.0, 1.0, &key);
}

/* ---- divergence ---- */

static lstmae_view latent_constant(const lae_latent *latent, int value)
{
    lstmae_view view = latent->mean->view;
    view.data = lae_at(latent->constants->view.data, value, view.dtype);
    view.stride[0] = view.stride[1] = 0;
    return view;
}

/*
 * Of the sums over all elements / 2B: m^2 and exp(v / 2)^2 are squared distances from 0, and v is the mask of a
 * constant distance of 1. The backend's losses add in double and in a fixed order, which its reductions need not.
 */
lstmae_status lae_latent_kl(lae_latent *latent, double *value)
{
    const int64_t B = latent->mean->view.dim[0], one = 1;
    lstmae_view slot = lae_view_of(value, LSTMAE_F64, 1, &one);
    lstmae_loss_args args = { .struct_size = sizeof args, .op = LSTMAE_LOSS_OP_MSE, .delta = 1.0, .value = value };
    LAE_TRY(lae_op_fill(latent->base.context, &slot, B > 0 ? -0.5 * (double)latent->options.size : 0.0));
    args.scale = B > 0 ? 0.5 / (double)B : 0.0;
    args.target = latent_constant(latent, 0);
    args.pred = latent->mean->view;
    LAE_TRY(lae_op_loss(latent->base.context, &args));
    args.pred = latent->deviation->view;
    LAE_TRY(lae_op_loss(latent->base.context, &args));
    args.op = LSTMAE_LOSS_OP_MAE;
    args.pred = latent_constant(latent, 1);
    args.mask = &latent->log_variance->view;
    args.scale = -args.scale;
    return lae_op_loss(latent->base.context, &args);
}

/* ---- backward ---- */

static lstmae_status latent_gradients(lae_latent *latent, const lstmae_view *dz, double weight)
{
    lstmae_context *context = latent->base.context;
    const lstmae_view *dm = &latent->dmean->view, *dv = &latent->dlog_variance->view, *work = &latent->work->view;
    LAE_TRY(lae_op_copy(context, dm, dz));
    LAE_TRY(lae_op_axpby(context, dm, weight, &latent->mean->view, 1.0));
    LAE_TRY(lae_op_fill(context, dv, -0.5 * weight));
    LAE_TRY(lae_op_multiply(context, work, &latent->deviation->view, &latent->deviation->view, 0.0));
    LAE_TRY(lae_op_axpby(context, dv, 0.5 * weight, work, 1.0));
    LAE_TRY(lae_op_multiply(context, work, dz, &latent->offset->view, 0.0));
    return lae_op_axpby(context, dv, 0.5, work, 1.0);
}

lstmae_status lae_latent_backward(lae_latent *latent, const lstmae_tensor *dz, double kl_weight,
                                  const lstmae_tensor **dinput)
{
    const int64_t B = latent->mean->view.dim[0], F = latent->options.features, Z = latent->options.size;
    const int64_t dims[2] = { B, F };
    int64_t rows, stride;
    LAE_TRY(latent_ensure(latent, &latent->dmean, B));
    LAE_TRY(latent_ensure(latent, &latent->dlog_variance, B));
    LAE_TRY(latent_ensure(latent, &latent->work, B));
    LAE_TRY(lae_tensor_ensure(&latent->dinput, latent->base.context, latent->base.context->dtype, 2, dims));
    lae_tensor_touch(latent->dinput);
    LAE_TRY(latent_gradients(latent, &dz->view, B > 0 ? kl_weight / (double)B : 0.0));
    lae_view_rows(&latent->input->view, &rows, &stride);
    const lae_linear *heads[2] = { &latent->mean_head, &latent->log_variance_head };
    const lstmae_tensor *grads[2] = { latent->dmean, latent->dlog_variance };
    for (int i = 0; i < 2; i++) {
        const void *dy = grads[i]->view.data, *x = latent->input->view.data;
        LAE_TRY(lae_linear_weight_gradient(heads[i], rows, x, stride, dy, Z));
        LAE_TRY(lae_linear_backward(heads[i], rows, dy, Z, latent->dinput->view.data, F, i == 0 ? 0.0 : 1.0));
    }
    *dinput = latent->dinput;
    return LSTMAE_OK;
}

/* ---- the module ---- */

/* A draw in training mode, the mean in inference mode. */
static lstmae_status latent_forward(lstmae_module *module, const lstmae_tensor *input, const lstmae_tensor **output)
{
    lae_latent *latent = (lae_latent *)module;
    if (!module->training) return lae_latent_mean(latent, input, output);
    lstmae_random_key key = lae_site_train(&latent->site, module->context);
    return lae_latent_draw(latent, input, &key, output);
}

/* Of the draw alone: the divergence is the holder's. */
static lstmae_status latent_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                     const lstmae_tensor **grad_input)
{
    const lstmae_tensor *grad;
    return lae_latent_backward((lae_latent *)module, grad_output, 0.0, grad_input ? grad_input : &grad);
}

static lstmae_status latent_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output)
{
    const lae_latent *latent = (const lae_latent *)module;
    char text[LAE_SHAPE_TEXT];
    if (input->ndim != 2 || input->dim[1] != latent->options.features)
        return LAE_FAIL(ERR_SHAPE, "latent: input is %s, the heads want [B,%lld]",
                        lae_shape_text(text, sizeof text, input), (long long)latent->options.features);
    output->dim[1] = latent->options.size;
    return LSTMAE_OK;
}

static void latent_describe(const lstmae_module *module, char *text, size_t size)
{
    const lstmae_latent_options *options = &((const lae_latent *)module)->options;
    snprintf(text, size, "latent %lld to %lld", (long long)options->features, (long long)options->size);
}

static void latent_destroy(lstmae_module *module)
{
    lae_latent *latent = (lae_latent *)module;
    lstmae_tensor *tensors[] = { latent->constants, latent->copy, latent->mean, latent->log_variance,
                                 latent->deviation, latent->offset, latent->z, latent->dmean,
                                 latent->dlog_variance, latent->work, latent->dinput };
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) lstmae_tensor_destroy(tensors[i]);
}

static const lae_module_ops latent_ops = {
    .name = "latent",
    .forward = latent_forward,
    .backward = latent_backward,
    .destroy = latent_destroy,
    .shape = latent_shape,
    .describe = latent_describe,
};

static lstmae_status latent_init(lae_latent *latent, const lstmae_latent_options *options)
{
    const int64_t F = options->features, Z = options->size;
    lstmae_context *context = latent->base.context;
    latent->options = *options;
    latent->weight = options->beta;
    LAE_TRY(lae_linear_init(&latent->mean_head, &latent->base, "mean.", F, Z, 1));
    LAE_TRY(lae_linear_init(&latent->log_variance_head, &latent->base, "log_variance.", F, Z, 1));
    latent->site = lae_site_new(context);
    latent->prior = lae_context_new_site(context);
    return latent_init_constants(latent);
}

lstmae_status lae_latent_new(lae_latent **out, lstmae_context *context, const lstmae_latent_options *options)
{
    lstmae_module *module = NULL;
    LAE_TRY(lae_module_new(&module, context, &latent_ops, sizeof(lae_latent)));
    lstmae_status status = latent_init((lae_latent *)module, options);
    if (status < 0) {
        lstmae_module_destroy(module);
        return status;
    }
    *out = (lae_latent *)module;
    return LSTMAE_OK;
}

void lae_latent_destroy(lae_latent *latent)
{
    lstmae_module_destroy(latent ? &latent->base : NULL);
}
