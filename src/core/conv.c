/*
 * Convolution modules. A transposed convolution is the data gradient of the convolution between the same two arrays:
 * its output stands where that one's input does. Signals [B,C,L] are images of one row.
 */
#include "module_twin.h"
#include "ops.h"
#include "ops_image.h"
#include "options.h"

#include <lstmae/conv.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CONV_MOST (INT64_C(1) << 16)         /* of a kernel, stride, padding or dilation */
#define CONV_MOST_CHANNELS (INT64_C(1) << 28)
#define CONV_MOST_PIXELS (INT64_C(1) << 40) /* along an axis: no sum overflows */

/* What conv_prepare() made of the weight, and for which weight and views. */
typedef struct conv_ready {
    lae_buffer buffer;
    uint64_t version; /* 0: nothing */
    lstmae_view x, y;
} conv_ready;

typedef struct conv_module {
    lstmae_module base;
    int transposed;
    int axes; /* 1: signals, 2: images */
    int64_t in, out;
    lstmae_conv_options options; /* with a height of 1 for signals */
    lae_param *weight, *bias;
    conv_ready ready[2]; /* by lstmae_conv_prepare_kind - 1 */
    const lstmae_tensor *input; /* of the last forward, borrowed */
    lstmae_tensor *output, *grad_input;
} conv_module;

/* ---- shapes ---- */

static lstmae_status conv_check_input(const conv_module *m, const lstmae_view *x)
{
    const char *name = m->base.ops->name;
    char text[LAE_SHAPE_TEXT];
    lae_shape_text(text, sizeof text, x);
    if (x->ndim != 2 + m->axes)
        return LAE_FAIL(ERR_SHAPE, "%s: input is %s, layer wants [B,%lld,%s]", name, text, (long long)m->in,
                        m->axes == 1 ? "L" : "H,W");
    if (x->dim[1] != m->in)
        return LAE_FAIL(ERR_SHAPE, "%s: input is %s, layer wants %lld channels", name, text, (long long)m->in);
    for (int i = 2; i < x->ndim; i++)
        if (x->dim[i] < 1 || x->dim[i] > CONV_MOST_PIXELS)
            return LAE_FAIL(ERR_SHAPE, "%s: input is %s, layer wants 1 to 2^40 pixels along an axis", name, text);
    return LSTMAE_OK;
}

static lstmae_status conv_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output)
{
    const conv_module *m = (const conv_module *)module;
    const lstmae_conv_options *o = &m->options;
    char text[LAE_SHAPE_TEXT];
    LAE_TRY(conv_check_input(m, input));
    output->dim[1] = m->out;
    for (int i = 2; i < input->ndim; i++) {
        const int a = i - m->axes; /* signals: the width */
        const int64_t size = input->dim[i], reach = o->dilation[a] * (o->kernel[a] - 1) + 1;
        const int64_t padded = size + 2 * o->padding[a];
        if (!m->transposed && padded < reach)
            return LAE_FAIL(ERR_SHAPE, "%s: input is %s, padded to %lld along axis %d, the kernel reaches over %lld",
                            module->ops->name, lae_shape_text(text, sizeof text, input), (long long)padded, i,
                            (long long)reach);
        output->dim[i] = m->transposed
                             ? (size - 1) * o->stride[a] - 2 * o->padding[a] + reach + o->output_padding[a]
                             : (padded - reach) / o->stride[a] + 1;
        if (output->dim[i] < 1)
            return LAE_FAIL(ERR_SHAPE, "%s: input is %s, axis %d of the output would have %lld pixels",
                            module->ops->name, lae_shape_text(text, sizeof text, input), i,
                            (long long)output->dim[i]);
    }
    return LSTMAE_OK;
}

static void conv_describe(const lstmae_module *module, char *text, size_t size)
{
    const conv_module *m = (const conv_module *)module;
    const lstmae_conv_options *o = &m->options;
    char kernel[48];
    if (m->axes == 1) snprintf(kernel, sizeof kernel, "%lld", (long long)o->kernel[1]);
    else snprintf(kernel, sizeof kernel, "%lldx%lld", (long long)o->kernel[0], (long long)o->kernel[1]);
    int used = snprintf(text, size, "%s %lld to %lld, %s", module->ops->name, (long long)m->in, (long long)m->out,
                        kernel);
    if (o->stride[0] * o->stride[1] > 1 && used > 0 && (size_t)used < size)
        snprintf(text + used, size - (size_t)used, ", stride %lld", (long long)o->stride[1]);
}

/* ---- one entry of the table ---- */

/* The convolution between `image` and `features`, which are the module's output and input where it is transposed. */
static lstmae_conv_args conv_args(const conv_module *m, const lstmae_view *input, const lstmae_view *output)
{
    const lstmae_conv_options *o = &m->options;
    lstmae_conv_args args = { .struct_size = sizeof args, .groups = o->groups };
    args.x = lae_view_image(m->transposed ? output : input);
    args.y = lae_view_image(m->transposed ? input : output);
    args.dtype = args.x.dtype;
    args.w = m->weight->value->view.data;
    memcpy(args.kernel, o->kernel, sizeof args.kernel);
    memcpy(args.stride, o->stride, sizeof args.stride);
    memcpy(args.padding, o->padding, sizeof args.padding);
    memcpy(args.dilation, o->dilation, sizeof args.dilation);
    return args;
}

static int conv_same_layout(const lstmae_view *a, const lstmae_view *b)
{
    return memcmp(a->dim, b->dim, sizeof a->dim) == 0 && memcmp(a->stride, b->stride, sizeof a->stride) == 0;
}

/* What conv_prepare() makes of the weight, made anew only when the weight or the shapes changed. */
static lstmae_status conv_prepare(conv_module *m, int kind, lstmae_conv_args *args)
{
    lstmae_context *context = m->base.context;
    conv_ready *ready = &m->ready[kind - LSTMAE_CONV_PREPARE_FORWARD];
    const size_t bytes = lae_op_conv_prepare_bytes(context, kind, args);
    const uint64_t version = lae_tensor_version(m->weight->value);
    if (bytes == 0) return LSTMAE_OK;
    if (ready->version != version || !conv_same_layout(&ready->x, &args->x) || !conv_same_layout(&ready->y, &args->y)) {
        ready->version = 0;
        LAE_TRY(lae_buffer_reserve(&ready->buffer, context, bytes, 1));
        LAE_TRY(lae_op_conv_prepare(context, kind, ready->buffer.data, args));
        ready->version = version;
        ready->x = args->x;
        ready->y = args->y;
    }
    args->prepared = ready->buffer.data;
    return LSTMAE_OK;
}

/* Computes features from the image, or the image from features. */
static lstmae_status conv_compute(conv_module *m, int features, lstmae_conv_args *args)
{
    LAE_TRY(conv_prepare(m, features ? LSTMAE_CONV_PREPARE_FORWARD : LSTMAE_CONV_PREPARE_BACKWARD, args));
    return features ? lae_op_conv_forward(m->base.context, args) : lae_op_conv_backward_data(m->base.context, args);
}

/* ---- the module ---- */

/* Forward with a map, NULL: without one. *output is the part without it, or NULL where that is not kept. */
static lstmae_status conv_run(lstmae_module *module, const lstmae_tensor *input, const lae_fused_map *map,
                              const lstmae_tensor **output)
{
    conv_module *m = (conv_module *)module;
    lstmae_view shape, linear;
    const int kept = !map || map->keep_output;
    LAE_TRY(lae_module_shape(module, &input->view, &shape));
    lstmae_tensor **result = map ? map->mapped : &m->output;
    LAE_TRY(lae_tensor_ensure_image(result, module->context, module->context->dtype, shape.ndim, shape.dim));
    if (map && kept)
        LAE_TRY(lae_tensor_ensure_image(&m->output, module->context, module->context->dtype, shape.ndim, shape.dim));
    lstmae_conv_args args = conv_args(m, &input->view, &(*result)->view);
    if (m->bias) args.bias = m->bias->value->view.data;
    if (map) {
        args.map = map->kind;
        args.param = map->param;
    }
    if (map && kept) {
        linear = lae_view_image(&m->output->view);
        args.linear = &linear;
    }
    m->input = input;
    *output = kept ? m->output : NULL;
    return conv_compute(m, !m->transposed, &args);
}

static lstmae_status conv_forward(lstmae_module *module, const lstmae_tensor *input, const lstmae_tensor **output)
{
    return conv_run(module, input, NULL, output);
}

/* db += dy summed over everything but channels; channels that lie innermost are summed as rows. */
static lstmae_status conv_bias_gradient(conv_module *m, const lstmae_view *grad_output)
{
    lstmae_tensor *grad = NULL;
    double beta;
    if (!m->bias) return LSTMAE_OK;
    LAE_TRY(lae_param_grad(m->bias, &grad, &beta));
    const lstmae_view dy = lae_view_image(grad_output);
    const int64_t rows_dims[2] = { dy.dim[0] * dy.dim[2] * dy.dim[3], m->out };
    const int64_t row_dims[2] = { 1, m->out }, plane_dims[4] = { 1, m->out, 1, 1 };
    if (lae_view_channels_last(&dy)) {
        const lstmae_view rows = lae_view_of(dy.data, dy.dtype, 2, rows_dims);
        const lstmae_view sum = lae_view_of(grad->view.data, dy.dtype, 2, row_dims);
        return lae_op_reduce(m->base.context, LSTMAE_REDUCE_SUM, &sum, &rows, beta);
    }
    const lstmae_view sum = lae_view_of(grad->view.data, dy.dtype, 4, plane_dims);
    return lae_op_reduce(m->base.context, LSTMAE_REDUCE_SUM, &sum, &dy, beta);
}

/* Backward, with that of the map before it where `before` is not NULL. */
static lstmae_status conv_backward_mapped(lstmae_module *module, const lstmae_tensor *grad_output,
                                          const lae_fused_derivative *before, const lstmae_tensor **grad_input)
{
    conv_module *m = (conv_module *)module;
    const lstmae_view *x = &m->input->view;
    lstmae_tensor *grad = NULL;
    lstmae_view from;
    lstmae_conv_args args = conv_args(m, x, &grad_output->view);
    LAE_TRY(lae_param_grad(m->weight, &grad, &args.beta));
    args.dw = grad->view.data;
    LAE_TRY(lae_op_conv_weight_gradient(module->context, &args));
    LAE_TRY(conv_bias_gradient(m, &grad_output->view));
    if (!grad_input) return LSTMAE_OK;
    LAE_TRY(lae_tensor_ensure_image(&m->grad_input, module->context, module->context->dtype, x->ndim, x->dim));
    *grad_input = m->grad_input;
    args = conv_args(m, &m->grad_input->view, &grad_output->view);
    if (before) {
        from = lae_view_image(before->from);
        args.flags = LSTMAE_CONV_DERIVATIVE;
        args.map = before->kind;
        args.param = before->param;
        args.linear = &from;
    }
    return conv_compute(m, m->transposed, &args);
}

static lstmae_status conv_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                   const lstmae_tensor **grad_input)
{
    return conv_backward_mapped(module, grad_output, NULL, grad_input);
}

static void conv_destroy(lstmae_module *module)
{
    conv_module *m = (conv_module *)module;
    for (int i = 0; i < 2; i++) lae_buffer_release(&m->ready[i].buffer);
    lstmae_tensor_destroy(m->output);
    lstmae_tensor_destroy(m->grad_input);
}

static lstmae_status conv_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out);

#define CONV_OPS(text)                                                                             \
    {                                                                                              \
        .name = (text), .forward = conv_forward, .backward = conv_backward, .destroy = conv_destroy,                   \
        .shape = conv_shape, .describe = conv_describe, .forward_mapped = conv_run,                                    \
        .backward_mapped = conv_backward_mapped, .twin = conv_twin                                                     \
    }

/* [transposed][axes - 1] */
static const lae_module_ops conv_ops[2][2] = {
    { CONV_OPS("conv1d"), CONV_OPS("conv2d") },
    { CONV_OPS("conv_transpose1d"), CONV_OPS("conv_transpose2d") },
};

/* ---- creation ---- */

static lstmae_status conv_check_pair(const char *name, const char *what, const int64_t *pair, int64_t least)
{
    for (int a = 0; a < 2; a++)
        if (pair[a] < least || pair[a] > CONV_MOST)
            return LAE_FAIL(ERR_INVALID_ARG, "%s options: %s is %lld, expected %lld to %lld", name, what,
                            (long long)pair[a], (long long)least, (long long)CONV_MOST);
    return LSTMAE_OK;
}

static lstmae_status conv_check_options(const char *name, int transposed, const lstmae_conv_options *o)
{
    if (o->flags & ~LSTMAE_CONV_NO_BIAS)
        return LAE_FAIL(ERR_UNSUPPORTED, "%s options: unknown flags 0x%x", name, o->flags & ~LSTMAE_CONV_NO_BIAS);
    LAE_TRY(conv_check_pair(name, "kernel", o->kernel, 1));
    LAE_TRY(conv_check_pair(name, "stride", o->stride, 1));
    LAE_TRY(conv_check_pair(name, "padding", o->padding, 0));
    LAE_TRY(conv_check_pair(name, "output_padding", o->output_padding, 0));
    LAE_TRY(conv_check_pair(name, "dilation", o->dilation, 1));
    for (int a = 0; a < 2; a++) {
        const int64_t extra = o->output_padding[a];
        if (extra > 0 && !transposed)
            return LAE_FAIL(ERR_INVALID_ARG, "%s options: output_padding is for transposed convolutions", name);
        if (extra > 0 && extra >= o->stride[a] && extra >= o->dilation[a])
            return LAE_FAIL(ERR_INVALID_ARG, "%s options: output_padding is %lld, expected less than stride %lld or "
                            "dilation %lld", name, (long long)extra, (long long)o->stride[a],
                            (long long)o->dilation[a]);
    }
    return LSTMAE_OK;
}

static lstmae_status conv_check_channels(const char *name, int64_t in, int64_t out, int64_t groups)
{
    if (in < 1 || out < 1 || in > CONV_MOST_CHANNELS || out > CONV_MOST_CHANNELS)
        return LAE_FAIL(ERR_INVALID_ARG, "%s: channels are %lld to %lld, expected 1 to 2^28", name, (long long)in,
                        (long long)out);
    if (groups < 1 || in % groups != 0 || out % groups != 0)
        return LAE_FAIL(ERR_INVALID_ARG, "%s options: groups is %lld, expected a divisor of %lld and %lld channels",
                        name, (long long)groups, (long long)in, (long long)out);
    return LSTMAE_OK;
}

/* The one axis of signals is the width of images that are one pixel high. */
static void conv_as_row(lstmae_conv_options *o)
{
    int64_t *pairs[] = { o->kernel, o->stride, o->padding, o->output_padding, o->dilation };
    const int64_t height[] = { 1, 1, 0, 0, 1 };
    for (int i = 0; i < 5; i++) {
        pairs[i][1] = pairs[i][0];
        pairs[i][0] = height[i];
    }
}

static lstmae_status conv_add_params(conv_module *m)
{
    const lstmae_conv_options *o = &m->options;
    const int64_t from = m->transposed ? m->in : m->out, to = (m->transposed ? m->out : m->in) / o->groups;
    const int64_t dims[4] = { from, to, m->axes == 1 ? o->kernel[1] : o->kernel[0], o->kernel[1] };
    const double bound = 1.0 / sqrt((double)to * (double)o->kernel[0] * (double)o->kernel[1]);
    LAE_TRY(lae_module_add_param(&m->base, &m->weight, "weight", 2 + m->axes, dims, bound));
    if (o->flags & LSTMAE_CONV_NO_BIAS) return LSTMAE_OK;
    return lae_module_add_param(&m->base, &m->bias, "bias", 1, &m->out, bound);
}

static lstmae_status conv_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out)
{
    LAE_TRY(
        lae_module_twin_span(out, module, context, offsetof(conv_module, transposed), offsetof(conv_module, weight)));
    lstmae_status status = conv_add_params((conv_module *)*out);
    if (status == LSTMAE_OK) return LSTMAE_OK;
    lstmae_module_destroy(*out);
    *out = NULL;
    return status;
}

static lstmae_status conv_create(lstmae_module **out, lstmae_context *context, int transposed, int axes,
                                 int64_t in_channels, int64_t out_channels, const lstmae_conv_options *options)
{
    static const lstmae_conv_options defaults = LSTMAE_CONV_OPTIONS_INIT;
    const lae_module_ops *ops = &conv_ops[transposed][axes - 1];
    LAE_CHECK_ARG(out != NULL, ops->name);
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, ops->name);
    lstmae_conv_options o;
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "conv options"));
    if (axes == 1) conv_as_row(&o);
    LAE_TRY(conv_check_options(ops->name, transposed, &o));
    LAE_TRY(conv_check_channels(ops->name, in_channels, out_channels, o.groups));
    lstmae_module *module = NULL;
    LAE_TRY(lae_module_new(&module, context, ops, sizeof(conv_module)));
    conv_module *m = (conv_module *)module;
    m->transposed = transposed;
    m->axes = axes;
    m->in = in_channels;
    m->out = out_channels;
    m->options = o;
    lstmae_status status = conv_add_params(m);
    if (status != LSTMAE_OK) {
        lstmae_module_destroy(module);
        return status;
    }
    *out = module;
    return LSTMAE_OK;
}

lstmae_status lstmae_conv2d_create(lstmae_module **out, lstmae_context *context, int64_t in_channels,
                                   int64_t out_channels, const lstmae_conv_options *options)
{
    return conv_create(out, context, 0, 2, in_channels, out_channels, options);
}

lstmae_status lstmae_conv_transpose2d_create(lstmae_module **out, lstmae_context *context, int64_t in_channels,
                                             int64_t out_channels, const lstmae_conv_options *options)
{
    return conv_create(out, context, 1, 2, in_channels, out_channels, options);
}

lstmae_status lstmae_conv1d_create(lstmae_module **out, lstmae_context *context, int64_t in_channels,
                                   int64_t out_channels, const lstmae_conv_options *options)
{
    return conv_create(out, context, 0, 1, in_channels, out_channels, options);
}

lstmae_status lstmae_conv_transpose1d_create(lstmae_module **out, lstmae_context *context, int64_t in_channels,
                                             int64_t out_channels, const lstmae_conv_options *options)
{
    return conv_create(out, context, 1, 1, in_channels, out_channels, options);
}
