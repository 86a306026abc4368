/* Maximum and average pooling modules. Signals [B,C,L] are images of one row. */
#include "module_twin.h"
#include "ops_image.h"
#include "options.h"

#include <lstmae/pool.h>

#include <stdio.h>
#include <string.h>

#define POOL_MOST (INT64_C(1) << 16)       /* of a kernel, stride, padding or dilation */
#define POOL_MOST_PIXELS (INT64_C(1) << 40) /* along an axis: no sum overflows */

typedef struct pool_module {
    lstmae_module base;
    int kind; /* lstmae_pool_kind */
    int axes; /* 1: signals, 2: images */
    lstmae_pool_options options; /* with a height of 1 for signals, and no stride of 0 */
    const lstmae_tensor *input;  /* of the last forward, borrowed */
    lae_buffer index;            /* maximum: where each came from */
    lstmae_tensor *output, *grad_input;
} pool_module;

/* Output positions along axis `a`, 0: none. */
static int64_t pool_extent(const lstmae_pool_options *o, int a, int64_t size)
{
    const int ceil = (o->flags & LSTMAE_POOL_CEIL) != 0;
    int64_t room = size + 2 * o->padding[a] - (o->dilation[a] * (o->kernel[a] - 1) + 1);
    if (ceil) room += o->stride[a] - 1;
    if (room < 0) return 0;
    const int64_t last = room / o->stride[a];
    return ceil && last * o->stride[a] >= size + o->padding[a] ? last : last + 1;
}

static lstmae_status pool_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output)
{
    const pool_module *m = (const pool_module *)module;
    const char *name = module->ops->name;
    char text[LAE_SHAPE_TEXT];
    lae_shape_text(text, sizeof text, input);
    if (input->ndim != 2 + m->axes)
        return LAE_FAIL(ERR_SHAPE, "%s: input is %s, layer wants [B,C,%s]", name, text, m->axes == 1 ? "L" : "H,W");
    for (int i = 2; i < input->ndim; i++) {
        const int64_t size = input->dim[i];
        if (size < 1 || size > POOL_MOST_PIXELS)
            return LAE_FAIL(ERR_SHAPE, "%s: input is %s, layer wants 1 to 2^40 pixels along an axis", name, text);
        output->dim[i] = pool_extent(&m->options, i - m->axes, size);
        if (output->dim[i] < 1)
            return LAE_FAIL(ERR_SHAPE, "%s: input is %s, axis %d is too short for the window", name, text, i);
    }
    const int64_t rows = m->axes == 1 ? 1 : input->dim[2], columns = input->dim[input->ndim - 1];
    if (m->kind == LSTMAE_POOL_MAX && rows > INT32_MAX / columns)
        return LAE_FAIL(ERR_SHAPE, "%s: input is %s, layer wants at most 2^31 - 1 pixels", name, text);
    return LSTMAE_OK;
}

static void pool_describe(const lstmae_module *module, char *text, size_t size)
{
    const pool_module *m = (const pool_module *)module;
    const lstmae_pool_options *o = &m->options;
    if (m->axes == 1)
        snprintf(text, size, "%s %lld, stride %lld", module->ops->name, (long long)o->kernel[1],
                 (long long)o->stride[1]);
    else
        snprintf(text, size, "%s %lldx%lld, stride %lld", module->ops->name, (long long)o->kernel[0],
                 (long long)o->kernel[1], (long long)o->stride[1]);
}

static lstmae_pool_args pool_args(const pool_module *m, const lstmae_view *x, const lstmae_view *y)
{
    const lstmae_pool_options *o = &m->options;
    lstmae_pool_args args = { .struct_size = sizeof args, .kind = m->kind, .dtype = x->dtype };
    if (!(o->flags & LSTMAE_POOL_EXCLUDE_PADDING)) args.flags = LSTMAE_POOL_COUNT_PADDING;
    args.x = lae_view_image(x);
    args.y = lae_view_image(y);
    memcpy(args.kernel, o->kernel, sizeof args.kernel);
    memcpy(args.stride, o->stride, sizeof args.stride);
    memcpy(args.padding, o->padding, sizeof args.padding);
    memcpy(args.dilation, o->dilation, sizeof args.dilation);
    return args;
}

static lstmae_status pool_forward(lstmae_module *module, const lstmae_tensor *input, const lstmae_tensor **output)
{
    pool_module *m = (pool_module *)module;
    lstmae_view shape;
    LAE_TRY(lae_module_shape(module, &input->view, &shape));
    LAE_TRY(lae_tensor_ensure_image(&m->output, module->context, module->context->dtype, shape.ndim, shape.dim));
    lstmae_pool_args args = pool_args(m, &input->view, &m->output->view);
    if (m->kind == LSTMAE_POOL_MAX && module->training) {
        LAE_TRY(lae_buffer_reserve(&m->index, module->context, (size_t)lae_view_numel(&shape), sizeof(int32_t)));
        args.index = m->index.data;
    }
    m->input = input;
    *output = m->output;
    return lae_op_pool_forward(module->context, &args);
}

static lstmae_status pool_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                   const lstmae_tensor **grad_input)
{
    pool_module *m = (pool_module *)module;
    const lstmae_view *x = &m->input->view;
    if (!grad_input) return LSTMAE_OK;
    LAE_TRY(lae_tensor_ensure_image(&m->grad_input, module->context, module->context->dtype, x->ndim, x->dim));
    *grad_input = m->grad_input;
    lstmae_pool_args args = pool_args(m, &m->grad_input->view, &grad_output->view);
    args.index = m->index.data;
    return lae_op_pool_backward(module->context, &args);
}

static void pool_destroy(lstmae_module *module)
{
    pool_module *m = (pool_module *)module;
    lae_buffer_release(&m->index);
    lstmae_tensor_destroy(m->output);
    lstmae_tensor_destroy(m->grad_input);
}

static lstmae_status pool_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out)
{
    return lae_module_twin_span(out, module, context, offsetof(pool_module, kind), offsetof(pool_module, input));
}

#define POOL_OPS(text)                                                                             \
    {                                                                                              \
        .name = (text), .forward = pool_forward, .backward = pool_backward, .destroy = pool_destroy,                   \
        .shape = pool_shape, .describe = pool_describe, .twin = pool_twin                          \
    }

/* [kind][axes - 1] */
static const lae_module_ops pool_ops[2][2] = {
    { POOL_OPS("max_pool1d"), POOL_OPS("max_pool2d") },
    { POOL_OPS("avg_pool1d"), POOL_OPS("avg_pool2d") },
};

/* ---- creation ---- */

static lstmae_status pool_check_size(const char *name, const char *what, int64_t size, int64_t least, int64_t most)
{
    if (size >= least && size <= most) return LSTMAE_OK;
    return LAE_FAIL(ERR_INVALID_ARG, "%s options: %s is %lld, expected %lld to %lld", name, what, (long long)size,
                    (long long)least, (long long)most);
}

static lstmae_status pool_check_options(const char *name, int kind, lstmae_pool_options *o)
{
    const uint32_t known = LSTMAE_POOL_CEIL | (kind == LSTMAE_POOL_AVERAGE ? LSTMAE_POOL_EXCLUDE_PADDING : 0u);
    if (o->flags & ~known) return LAE_FAIL(ERR_UNSUPPORTED, "%s options: unknown flags 0x%x", name, o->flags & ~known);
    for (int a = 0; a < 2; a++) {
        LAE_TRY(pool_check_size(name, "kernel", o->kernel[a], 1, POOL_MOST));
        LAE_TRY(pool_check_size(name, "stride", o->stride[a], 0, POOL_MOST));
        LAE_TRY(pool_check_size(name, "dilation", o->dilation[a], 1, kind == LSTMAE_POOL_AVERAGE ? 1 : POOL_MOST));
        LAE_TRY(pool_check_size(name, "padding", o->padding[a], 0, o->kernel[a] / 2));
        if (o->stride[a] == 0) o->stride[a] = o->kernel[a];
    }
    return LSTMAE_OK;
}

/* The one axis of signals is the width of images that are one pixel high. */
static void pool_as_row(lstmae_pool_options *o)
{
    int64_t *const pairs[] = { o->kernel, o->stride, o->padding, o->dilation };
    const int64_t height[] = { 1, 1, 0, 1 };
    for (int i = 0; i < 4; i++) {
        pairs[i][1] = pairs[i][0];
        pairs[i][0] = height[i];
    }
}

static lstmae_status pool_create(lstmae_module **out, lstmae_context *context, int kind, int axes,
                                 const lstmae_pool_options *options)
{
    static const lstmae_pool_options defaults = LSTMAE_POOL_OPTIONS_INIT;
    const lae_module_ops *ops = &pool_ops[kind][axes - 1];
    LAE_CHECK_ARG(out != NULL, ops->name);
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, ops->name);
    lstmae_pool_options o;
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "pool options"));
    if (axes == 1) pool_as_row(&o);
    LAE_TRY(pool_check_options(ops->name, kind, &o));
    LAE_TRY(lae_module_new(out, context, ops, sizeof(pool_module)));
    pool_module *m = (pool_module *)*out;
    m->kind = kind;
    m->axes = axes;
    m->options = o;
    return LSTMAE_OK;
}

lstmae_status lstmae_max_pool2d_create(lstmae_module **out, lstmae_context *context, const lstmae_pool_options *options)
{
    return pool_create(out, context, LSTMAE_POOL_MAX, 2, options);
}

lstmae_status lstmae_avg_pool2d_create(lstmae_module **out, lstmae_context *context, const lstmae_pool_options *options)
{
    return pool_create(out, context, LSTMAE_POOL_AVERAGE, 2, options);
}

lstmae_status lstmae_max_pool1d_create(lstmae_module **out, lstmae_context *context, const lstmae_pool_options *options)
{
    return pool_create(out, context, LSTMAE_POOL_MAX, 1, options);
}

lstmae_status lstmae_avg_pool1d_create(lstmae_module **out, lstmae_context *context, const lstmae_pool_options *options)
{
    return pool_create(out, context, LSTMAE_POOL_AVERAGE, 1, options);
}
