/* Batch and layer normalisation modules. */
#include "module_twin.h"
#include "ops.h"
#include "ops_image.h"
#include "options.h"

#include <lstmae/norm.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NORM_MOST_CHANNELS (INT64_C(1) << 28)

/* What both kinds have. */
typedef struct norm_module {
    lstmae_module base;
    double eps;
    lae_param *weight, *bias;      /* NULL: 1, 0 */
    const lstmae_tensor *input;    /* of the last forward, borrowed or `copy` */
    lstmae_tensor *mean, *rstd;    /* of its groups */
    lstmae_tensor *output, *grad_input;
    lstmae_tensor *copy, *grad_copy; /* layer norm, where arrays do not lie in rows */

    /* batch norm */
    int64_t channels;
    double momentum;
    int cumulative;
    lstmae_tensor *running_mean, *running_var, *tracked; /* buffers; NULL: none are kept */
    int64_t batches;           /* what `tracked` held at this version */
    uint64_t tracked_version;

    /* layer norm */
    int axes;
    int64_t dims[LSTMAE_MAX_DIMS];
} norm_module;

static lstmae_status norm_add_param(norm_module *m, lae_param **param, const char *name, int ndim, const int64_t *dims,
                                    double value)
{
    LAE_TRY(lae_module_add_param(&m->base, param, name, ndim, dims, 0.0));
    if (value == 0.0 || m->base.context->twin) return LSTMAE_OK; /* a twin's values are its source's */
    return lae_op_fill(m->base.context, &(*param)->value->view, value);
}

/* Arguments that forward and backward share. */
static lstmae_norm_args norm_args(const norm_module *m, const lstmae_view *x)
{
    lstmae_norm_args args = { .struct_size = sizeof args, .x = *x, .eps = m->eps, .dtype = x->dtype };
    if (m->weight) args.gamma = m->weight->value->view.data;
    if (m->bias) args.shift = m->bias->value->view.data;
    args.mean = m->mean ? m->mean->view.data : NULL;
    args.rstd = m->rstd ? m->rstd->view.data : NULL;
    return args;
}

static lstmae_status norm_statistics(norm_module *m, int64_t groups)
{
    lstmae_context *context = m->base.context;
    LAE_TRY(lae_tensor_ensure(&m->mean, context, context->dtype, 1, &groups));
    return lae_tensor_ensure(&m->rstd, context, context->dtype, 1, &groups);
}

/* Where the parameters' gradients go. */
static lstmae_status norm_gradients(const norm_module *m, lstmae_norm_args *args)
{
    lae_param *const params[2] = { m->weight, m->bias };
    void *grads[2] = { NULL, NULL };
    LAE_TRY(lae_param_grads(params, grads, 2, &args->beta));
    args->dgamma = grads[0];
    args->dshift = grads[1];
    return LSTMAE_OK;
}

static void norm_destroy(lstmae_module *module)
{
    norm_module *m = (norm_module *)module;
    lstmae_tensor *const own[] = { m->mean, m->rstd, m->output, m->grad_input, m->copy, m->grad_copy };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) lstmae_tensor_destroy(own[i]);
}

static lstmae_status norm_create(lstmae_module **out, lstmae_context *context, const lae_module_ops *ops, double eps)
{
    if (!(eps > 0.0) || isinf(eps))
        return LAE_FAIL(ERR_INVALID_ARG, "%s options: eps is %g, expected a number above 0", ops->name, eps);
    LAE_TRY(lae_module_new(out, context, ops, sizeof(norm_module)));
    ((norm_module *)*out)->eps = eps;
    return LSTMAE_OK;
}

/* ---- batch norm ---- */

static lstmae_status batch_norm_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output)
{
    const norm_module *m = (const norm_module *)module;
    char text[LAE_SHAPE_TEXT];
    (void)output;
    if (input->ndim < 2)
        return LAE_FAIL(ERR_SHAPE, "batch_norm: input is %s, layer wants [B,%lld], [B,%lld,L] or [B,%lld,H,W]",
                        lae_shape_text(text, sizeof text, input), (long long)m->channels, (long long)m->channels,
                        (long long)m->channels);
    if (input->dim[1] != m->channels)
        return LAE_FAIL(ERR_SHAPE, "batch_norm: input is %s, layer wants %lld channels",
                        lae_shape_text(text, sizeof text, input), (long long)m->channels);
    return LSTMAE_OK;
}

static void batch_norm_describe(const lstmae_module *module, char *text, size_t size)
{
    snprintf(text, size, "batch_norm %lld", (long long)((const norm_module *)module)->channels);
}

/* The mean of all batches so far moves by 1 / their number, this one with them. The buffer counts; a copy of it is kept
 * so that it is read back only when changed by others. */
static lstmae_status batch_norm_share(norm_module *m, double *share)
{
    if (m->tracked_version != lae_tensor_version(m->tracked))
        LAE_TRY(lae_op_download(m->base.context, &m->batches, m->tracked->view.data, sizeof m->batches));
    m->batches++;
    m->tracked_version = lae_tensor_version(m->tracked) + 1;
    *share = 1.0 / (double)m->batches;
    return LSTMAE_OK;
}

/* The running statistics, as they are to be used and changed. */
static lstmae_status batch_norm_running(norm_module *m, lstmae_norm_args *args)
{
    if (!m->running_mean) return LSTMAE_OK;
    args->running_mean = m->running_mean->view.data;
    args->running_var = m->running_var->view.data;
    if (!m->base.training) {
        args->flags |= LSTMAE_NORM_RUNNING;
        return LSTMAE_OK;
    }
    args->momentum = m->momentum;
    if (m->cumulative) LAE_TRY(batch_norm_share(m, &args->momentum));
    args->tracked = m->tracked->view.data;
    lae_tensor_touch(m->tracked);
    lae_tensor_touch(m->running_mean);
    lae_tensor_touch(m->running_var);
    return LSTMAE_OK;
}

/* Values of one channel; too few have no statistics. */
static lstmae_status batch_norm_check_count(const norm_module *m, const lstmae_view *input)
{
    char text[LAE_SHAPE_TEXT];
    const int64_t count = lae_view_numel(input) / m->channels, least = m->base.training ? 2 : 1;
    if (count >= least || (!m->base.training && m->running_mean)) return LSTMAE_OK;
    return LAE_FAIL(ERR_SHAPE, "batch_norm: input is %s, layer wants %lld values of each channel for its statistics",
                    lae_shape_text(text, sizeof text, input), (long long)least);
}

/* Forward with a map where its derivative needs the result alone, NULL: without one. */
static lstmae_status batch_norm_run(lstmae_module *module, const lstmae_tensor *input, const lae_fused_map *map,
                                    const lstmae_tensor **output)
{
    norm_module *m = (norm_module *)module;
    lstmae_view shape;
    if (map && map->keep_output) return LSTMAE_ERR_UNSUPPORTED;
    LAE_TRY(lae_module_shape(module, &input->view, &shape));
    LAE_TRY(batch_norm_check_count(m, &input->view));
    lstmae_tensor **result = map ? map->mapped : &m->output;
    LAE_TRY(lae_tensor_ensure_like(result, module->context, &input->view));
    LAE_TRY(norm_statistics(m, m->channels));
    m->input = input;
    *output = map ? NULL : m->output;
    if (lae_view_numel(&input->view) == 0) return LSTMAE_OK;
    const lstmae_view x = lae_view_image(&input->view);
    lstmae_norm_args args = norm_args(m, &x);
    args.y = lae_view_image(&(*result)->view);
    if (map) {
        args.map = map->kind;
        args.param = map->param;
    }
    LAE_TRY(batch_norm_running(m, &args));
    lstmae_status status = lae_op_batch_norm_forward(module->context, &args);
    if (status < 0 && m->tracked) m->tracked_version = lae_tensor_version(m->tracked) - 1; /* read it back */
    return status;
}

static lstmae_status batch_norm_forward(lstmae_module *module, const lstmae_tensor *input, const lstmae_tensor **output)
{
    return batch_norm_run(module, input, NULL, output);
}

static lstmae_status batch_norm_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                         const lstmae_tensor **grad_input)
{
    norm_module *m = (norm_module *)module;
    const lstmae_view x = lae_view_image(&m->input->view);
    lstmae_norm_args args = norm_args(m, &x);
    args.dy = lae_view_image(&grad_output->view);
    LAE_TRY(norm_gradients(m, &args));
    if (grad_input) {
        LAE_TRY(lae_tensor_ensure_like(&m->grad_input, module->context, &m->input->view));
        *grad_input = m->grad_input;
        args.dx = lae_view_image(&m->grad_input->view);
    }
    return lae_op_batch_norm_backward(module->context, &args);
}

static lstmae_status batch_norm_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out);

static const lae_module_ops batch_norm_ops = {
    .name = "batch_norm",
    .forward = batch_norm_forward,
    .backward = batch_norm_backward,
    .destroy = norm_destroy,
    .shape = batch_norm_shape,
    .describe = batch_norm_describe,
    .twin = batch_norm_twin,
    .forward_mapped = batch_norm_run,
};

static lstmae_status batch_norm_add_state(norm_module *m, uint32_t flags)
{
    const lstmae_dtype dtype = m->base.context->dtype;
    const int64_t channels = m->channels;
    if (!(flags & LSTMAE_BATCH_NORM_NO_AFFINE)) {
        LAE_TRY(norm_add_param(m, &m->weight, "weight", 1, &channels, 1.0));
        LAE_TRY(norm_add_param(m, &m->bias, "bias", 1, &channels, 0.0));
    }
    if (flags & LSTMAE_BATCH_NORM_NO_RUNNING) return LSTMAE_OK;
    LAE_TRY(lae_module_add_buffer(&m->base, &m->running_mean, "running_mean", dtype, 1, &channels));
    LAE_TRY(lae_module_add_buffer(&m->base, &m->running_var, "running_var", dtype, 1, &channels));
    if (!m->base.context->twin) LAE_TRY(lae_op_fill(m->base.context, &m->running_var->view, 1.0));
    LAE_TRY(lae_module_add_buffer(&m->base, &m->tracked, "num_batches_tracked", LSTMAE_I64, 0, NULL));
    m->tracked_version = lae_tensor_version(m->tracked);
    return LSTMAE_OK;
}

static lstmae_status batch_norm_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out)
{
    const norm_module *from = (const norm_module *)module;
    const uint32_t flags = (from->weight ? 0 : LSTMAE_BATCH_NORM_NO_AFFINE) |
                           (from->running_mean ? 0 : LSTMAE_BATCH_NORM_NO_RUNNING);
    LAE_TRY(norm_create(out, context, module->ops, from->eps));
    norm_module *m = (norm_module *)*out;
    m->channels = from->channels;
    m->momentum = from->momentum;
    m->cumulative = from->cumulative;
    lstmae_status status = batch_norm_add_state(m, flags);
    if (status == LSTMAE_OK) return LSTMAE_OK;
    lstmae_module_destroy(*out);
    *out = NULL;
    return status;
}

lstmae_status lstmae_batch_norm_create(lstmae_module **out, lstmae_context *context, int64_t channels,
                                       const lstmae_batch_norm_options *options)
{
    static const lstmae_batch_norm_options defaults = LSTMAE_BATCH_NORM_OPTIONS_INIT;
    const uint32_t known =
        LSTMAE_BATCH_NORM_NO_AFFINE | LSTMAE_BATCH_NORM_NO_RUNNING | LSTMAE_BATCH_NORM_CUMULATIVE;
    LAE_CHECK_ARG(out != NULL, "batch_norm_create");
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, "batch_norm_create");
    LAE_CHECK_ARG(channels >= 1 && channels <= NORM_MOST_CHANNELS, "batch_norm_create");
    lstmae_batch_norm_options o;
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "batch_norm options"));
    if (o.flags & ~known)
        return LAE_FAIL(ERR_UNSUPPORTED, "batch_norm options: unknown flags 0x%x", o.flags & ~known);
    if (!(o.momentum >= 0.0 && o.momentum <= 1.0))
        return LAE_FAIL(ERR_INVALID_ARG, "batch_norm options: momentum is %g, expected 0 to 1", o.momentum);
    lstmae_module *module = NULL;
    LAE_TRY(norm_create(&module, context, &batch_norm_ops, o.eps));
    norm_module *m = (norm_module *)module;
    m->channels = channels;
    m->momentum = o.momentum;
    m->cumulative = (o.flags & LSTMAE_BATCH_NORM_CUMULATIVE) != 0;
    lstmae_status status = batch_norm_add_state(m, o.flags);
    if (status == LSTMAE_OK) *out = module;
    else lstmae_module_destroy(module);
    return status;
}

/* ---- layer norm ---- */

static lstmae_status layer_norm_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output)
{
    const norm_module *m = (const norm_module *)module;
    const int first = input->ndim - m->axes;
    (void)output;
    if (first >= 0 && memcmp(input->dim + first, m->dims, (size_t)m->axes * sizeof *m->dims) == 0) return LSTMAE_OK;
    char got[LAE_SHAPE_TEXT], want[LAE_SHAPE_TEXT];
    const lstmae_view last = lae_view_of(NULL, input->dtype, m->axes, m->dims);
    return LAE_FAIL(ERR_SHAPE, "layer_norm: input is %s, layer wants last axes %s",
                    lae_shape_text(got, sizeof got, input), lae_shape_text(want, sizeof want, &last));
}

static void layer_norm_describe(const lstmae_module *module, char *text, size_t size)
{
    const norm_module *m = (const norm_module *)module;
    char dims[LAE_SHAPE_TEXT];
    const lstmae_view last = lae_view_of(NULL, LSTMAE_F32, m->axes, m->dims);
    snprintf(text, size, "layer_norm %s", lae_shape_text(dims, sizeof dims, &last));
}

/* An array as rows of what is normalised: by its strides where they allow it, else a row-major copy. */
static lstmae_status layer_norm_rows(const norm_module *m, const lstmae_tensor **tensor, lstmae_tensor **copy,
                                     lstmae_view *rows)
{
    int64_t features = 1, count, stride;
    for (int i = 0; i < m->axes; i++) features *= m->dims[i];
    if (m->axes > 1 || !lae_view_rows(&(*tensor)->view, &count, &stride)) {
        LAE_TRY(lae_tensor_contiguous(tensor, *tensor, copy));
        count = lae_view_numel(&(*tensor)->view) / features;
        stride = features;
    }
    const int64_t dims[2] = { count, features };
    *rows = lae_view_of((*tensor)->view.data, (*tensor)->view.dtype, 2, dims);
    rows->stride[0] = stride;
    return LSTMAE_OK;
}

static lstmae_status layer_norm_run(lstmae_module *module, const lstmae_tensor *input, const lae_fused_map *map,
                                    const lstmae_tensor **output)
{
    norm_module *m = (norm_module *)module;
    lstmae_view shape, x;
    if (map && map->keep_output) return LSTMAE_ERR_UNSUPPORTED;
    LAE_TRY(lae_module_shape(module, &input->view, &shape));
    lstmae_tensor **result = map ? map->mapped : &m->output;
    LAE_TRY(lae_tensor_ensure(result, module->context, module->context->dtype, shape.ndim, shape.dim));
    m->input = input;
    *output = map ? NULL : m->output;
    LAE_TRY(layer_norm_rows(m, &m->input, &m->copy, &x));
    if (x.dim[0] == 0) return LSTMAE_OK;
    LAE_TRY(norm_statistics(m, x.dim[0]));
    lstmae_norm_args args = norm_args(m, &x);
    args.y = lae_view_of((*result)->view.data, x.dtype, 2, x.dim);
    if (map) {
        args.map = map->kind;
        args.param = map->param;
    }
    return lae_op_layer_norm_forward(module->context, &args);
}

static lstmae_status layer_norm_forward(lstmae_module *module, const lstmae_tensor *input, const lstmae_tensor **output)
{
    return layer_norm_run(module, input, NULL, output);
}

static lstmae_status layer_norm_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                         const lstmae_tensor **grad_input)
{
    norm_module *m = (norm_module *)module;
    const lstmae_view *shape = &m->input->view;
    const lstmae_tensor *dy = grad_output, *x_rows = m->input;
    lstmae_view x;
    if (grad_input) {
        LAE_TRY(lae_tensor_ensure(&m->grad_input, module->context, module->context->dtype, shape->ndim, shape->dim));
        *grad_input = m->grad_input;
    }
    LAE_TRY(layer_norm_rows(m, &x_rows, &m->copy, &x));
    if (x.dim[0] == 0) return LSTMAE_OK;
    lstmae_norm_args args = norm_args(m, &x);
    LAE_TRY(layer_norm_rows(m, &dy, &m->grad_copy, &args.dy));
    LAE_TRY(norm_gradients(m, &args));
    if (grad_input) args.dx = lae_view_of(m->grad_input->view.data, x.dtype, 2, x.dim);
    return lae_op_layer_norm_backward(module->context, &args);
}

static lstmae_status layer_norm_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out);

static const lae_module_ops layer_norm_ops = {
    .name = "layer_norm",
    .forward = layer_norm_forward,
    .backward = layer_norm_backward,
    .destroy = norm_destroy,
    .shape = layer_norm_shape,
    .describe = layer_norm_describe,
    .twin = layer_norm_twin,
    .forward_mapped = layer_norm_run,
};

static lstmae_status layer_norm_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out)
{
    const norm_module *from = (const norm_module *)module;
    lstmae_layer_norm_options options = LSTMAE_LAYER_NORM_OPTIONS_INIT;
    options.eps = from->eps;
    options.flags = !from->weight ? LSTMAE_LAYER_NORM_NO_AFFINE : !from->bias ? LSTMAE_LAYER_NORM_NO_BIAS : 0;
    return lstmae_layer_norm_create(out, context, from->axes, from->dims, &options);
}

lstmae_status lstmae_layer_norm_create(lstmae_module **out, lstmae_context *context, int ndim, const int64_t *dims,
                                       const lstmae_layer_norm_options *options)
{
    static const lstmae_layer_norm_options defaults = LSTMAE_LAYER_NORM_OPTIONS_INIT;
    const uint32_t known = LSTMAE_LAYER_NORM_NO_AFFINE | LSTMAE_LAYER_NORM_NO_BIAS;
    LAE_CHECK_ARG(out != NULL, "layer_norm_create");
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, "layer_norm_create");
    LAE_CHECK_ARG(dims != NULL && ndim >= 1 && ndim <= LSTMAE_MAX_DIMS, "layer_norm_create");
    for (int i = 0; i < ndim; i++) LAE_CHECK_ARG(dims[i] >= 1, "layer_norm_create");
    lstmae_layer_norm_options o;
    lstmae_view checked;
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "layer_norm options"));
    if (o.flags & ~known)
        return LAE_FAIL(ERR_UNSUPPORTED, "layer_norm options: unknown flags 0x%x", o.flags & ~known);
    LAE_TRY(lae_view_of_shape(&checked, "layer_norm_create", context->dtype, ndim, dims));
    lstmae_module *module = NULL;
    LAE_TRY(norm_create(&module, context, &layer_norm_ops, o.eps));
    norm_module *m = (norm_module *)module;
    m->axes = ndim;
    memcpy(m->dims, dims, (size_t)ndim * sizeof *dims);
    const int affine = !(o.flags & LSTMAE_LAYER_NORM_NO_AFFINE);
    lstmae_status status = affine ? norm_add_param(m, &m->weight, "weight", ndim, dims, 1.0) : LSTMAE_OK;
    if (status == LSTMAE_OK && affine && !(o.flags & LSTMAE_LAYER_NORM_NO_BIAS))
        status = norm_add_param(m, &m->bias, "bias", ndim, dims, 0.0);
    if (status == LSTMAE_OK) *out = module;
    else lstmae_module_destroy(module);
    return status;
}
