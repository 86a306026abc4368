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

/* ---- creation ---- */

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
    LAE_TRY(lstmae_tensor_create(&latent->constants, latent->context, latent->context->dtype, 1, &count));
    lstmae_view last = latent->constants->view;
    LAE_TRY(lae_op_fill(latent->context, &last, 0.0));
    last = lae_view_of(lae_at(last.data, 1, last.dtype), last.dtype, 1, &one);
    return lae_op_fill(latent->context, &last, 1.0);
}

lstmae_status lae_latent_init(lae_latent *latent, lstmae_module *module, const lstmae_latent_options *options)
{
    const int64_t F = options->features, Z = options->size;
    latent->options = *options;
    latent->weight = options->beta;
    LAE_TRY(lae_linear_init(&latent->mean_head, module, "mean.", F, Z, 1));
    LAE_TRY(lae_linear_init(&latent->log_variance_head, module, "log_variance.", F, Z, 1));
    latent->context = module->context;
    latent->site = lae_site_new(module->context);
    latent->prior = lae_context_new_site(module->context);
    return latent_init_constants(latent);
}

void lae_latent_release(lae_latent *latent)
{
    lstmae_tensor *tensors[] = { latent->constants, latent->copy, latent->mean, latent->log_variance,
                                 latent->deviation, latent->offset, latent->z, latent->dmean,
                                 latent->dlog_variance, latent->work, latent->dinput };
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) lstmae_tensor_destroy(tensors[i]);
}

/* ---- weight of the KL ---- */

void lae_latent_warm_up(lae_latent *latent, int64_t update)
{
    const int64_t warmup = latent->options.warmup;
    if (!latent->context || warmup == 0) return;
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
    LAE_TRY(lae_tensor_ensure(tensor, latent->context, latent->context->dtype, 2, dims));
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

lstmae_status lae_latent_shape(const lae_latent *latent, const lstmae_view *code, lstmae_view *z)
{
    char text[LAE_SHAPE_TEXT];
    if (code->ndim != 2 || code->dim[1] != latent->options.features)
        return LAE_FAIL(ERR_SHAPE, "latent: input is %s, the heads want [B,%lld]",
                        lae_shape_text(text, sizeof text, code), (long long)latent->options.features);
    const int64_t dims[2] = { code->dim[0], latent->options.size };
    *z = lae_view_of(NULL, code->dtype, 2, dims);
    return LSTMAE_OK;
}

lstmae_status lae_latent_mean(lae_latent *latent, const lstmae_tensor *input, const lstmae_tensor **mean)
{
    const lstmae_view *x = &input->view;
    lstmae_view z;
    int64_t rows, stride;
    LAE_TRY(lae_latent_shape(latent, x, &z));
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
    lstmae_context *context = latent->context;
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
    lstmae_random_key key = { latent->context->seed, lae_random_stream(latent->prior, 0), 0 };
    key.first = (uint64_t)first * (uint64_t)latent->options.size;
    LAE_TRY(latent_ensure(latent, &latent->z, count));
    *z = latent->z;
    return lae_op_random(latent->context, LSTMAE_RANDOM_NORMAL, &latent->z->view, 0.0, 1.0, &key);
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
    LAE_TRY(lae_op_fill(latent->context, &slot, B > 0 ? -0.5 * (double)latent->options.size : 0.0));
    args.scale = B > 0 ? 0.5 / (double)B : 0.0;
    args.target = latent_constant(latent, 0);
    args.pred = latent->mean->view;
    LAE_TRY(lae_op_loss(latent->context, &args));
    args.pred = latent->deviation->view;
    LAE_TRY(lae_op_loss(latent->context, &args));
    args.op = LSTMAE_LOSS_OP_MAE;
    args.pred = latent_constant(latent, 1);
    args.mask = &latent->log_variance->view;
    args.scale = -args.scale;
    return lae_op_loss(latent->context, &args);
}

/* ---- backward ---- */

static lstmae_status latent_gradients(lae_latent *latent, const lstmae_view *dz, double weight)
{
    lstmae_context *context = latent->context;
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
    LAE_TRY(lae_tensor_ensure(&latent->dinput, latent->context, latent->context->dtype, 2, dims));
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
