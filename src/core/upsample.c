/* Upsampling modules. Signals [B,C,L] are images of one row. */
#include "module_twin.h"
#include "ops_image.h"
#include "options.h"

#include <lstmae/pool.h>

#include <stdio.h>

#define UPSAMPLE_MOST (INT64_C(1) << 16)        /* of a factor */
#define UPSAMPLE_MOST_PIXELS (INT64_C(1) << 30) /* along an axis: products of two fit */

_Static_assert((int)LSTMAE_INTERPOLATE_LINEAR == (int)LSTMAE_UPSAMPLE_BILINEAR, "modes are numbered as kinds");

typedef struct upsample_module {
    lstmae_module base;
    int axes; /* 1: signals, 2: images */
    lstmae_upsample_options options;
    const lstmae_tensor *input; /* of the last forward, borrowed */
    lstmae_tensor *output, *grad_input;
} upsample_module;

static lstmae_status upsample_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output)
{
    const upsample_module *m = (const upsample_module *)module;
    const char *name = module->ops->name;
    char text[LAE_SHAPE_TEXT];
    lae_shape_text(text, sizeof text, input);
    if (input->ndim != 2 + m->axes)
        return LAE_FAIL(ERR_SHAPE, "%s: input is %s, layer wants [B,C,%s]", name, text, m->axes == 1 ? "L" : "H,W");
    for (int i = 2; i < input->ndim; i++) {
        const int64_t size = m->options.size[i - 2], factor = m->options.factor[i - 2];
        if (input->dim[i] < 1 || input->dim[i] > UPSAMPLE_MOST_PIXELS / (size > 0 ? 1 : factor))
            return LAE_FAIL(ERR_SHAPE, "%s: input is %s, layer wants 1 to 2^30 pixels along an axis, before and after",
                            name, text);
        output->dim[i] = size > 0 ? size : factor * input->dim[i];
    }
    return LSTMAE_OK;
}

static void upsample_describe(const lstmae_module *module, char *text, size_t size)
{
    const upsample_module *m = (const upsample_module *)module;
    const lstmae_upsample_options *o = &m->options;
    const char *mode = o->mode == LSTMAE_INTERPOLATE_NEAREST ? "nearest" : "linear";
    int used = snprintf(text, size, "%s %s", module->ops->name, mode);
    for (int a = 0; a < m->axes && used > 0 && (size_t)used < size; a++)
        used += snprintf(text + used, size - (size_t)used, o->size[a] > 0 ? "%s to %lld" : "%s by %lld", a ? "," : "",
                         (long long)(o->size[a] > 0 ? o->size[a] : o->factor[a]));
}

static lstmae_upsample_args upsample_args(const upsample_module *m, const lstmae_view *x, const lstmae_view *y)
{
    lstmae_upsample_args args = { .struct_size = sizeof args, .kind = m->options.mode, .dtype = x->dtype };
    args.x = lae_view_image(x);
    args.y = lae_view_image(y);
    return args;
}

static lstmae_status upsample_forward(lstmae_module *module, const lstmae_tensor *input, const lstmae_tensor **output)
{
    upsample_module *m = (upsample_module *)module;
    lstmae_view shape;
    LAE_TRY(lae_module_shape(module, &input->view, &shape));
    LAE_TRY(lae_tensor_ensure_image(&m->output, module->context, module->context->dtype, shape.ndim, shape.dim));
    const lstmae_upsample_args args = upsample_args(m, &input->view, &m->output->view);
    m->input = input;
    *output = m->output;
    return lae_op_upsample_forward(module->context, &args);
}

static lstmae_status upsample_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                       const lstmae_tensor **grad_input)
{
    upsample_module *m = (upsample_module *)module;
    const lstmae_view *x = &m->input->view;
    if (!grad_input) return LSTMAE_OK;
    LAE_TRY(lae_tensor_ensure_image(&m->grad_input, module->context, module->context->dtype, x->ndim, x->dim));
    *grad_input = m->grad_input;
    const lstmae_upsample_args args = upsample_args(m, &m->grad_input->view, &grad_output->view);
    return lae_op_upsample_backward(module->context, &args);
}

static void upsample_destroy(lstmae_module *module)
{
    upsample_module *m = (upsample_module *)module;
    lstmae_tensor_destroy(m->output);
    lstmae_tensor_destroy(m->grad_input);
}

static lstmae_status upsample_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out)
{
    return lae_module_twin_span(out, module, context, offsetof(upsample_module, axes),
                                offsetof(upsample_module, input));
}

#define UPSAMPLE_OPS(text)                                                                         \
    {                                                                                              \
        .name = (text), .forward = upsample_forward, .backward = upsample_backward, .destroy = upsample_destroy,       \
        .shape = upsample_shape, .describe = upsample_describe, .twin = upsample_twin              \
    }

/* by axes - 1 */
static const lae_module_ops upsample_ops[2] = { UPSAMPLE_OPS("upsample1d"), UPSAMPLE_OPS("upsample2d") };

static lstmae_status upsample_check(const char *name, int axes, const lstmae_upsample_options *o)
{
    if (o->mode < LSTMAE_INTERPOLATE_NEAREST || o->mode > LSTMAE_INTERPOLATE_LINEAR)
        return LAE_FAIL(ERR_INVALID_ARG, "%s options: unknown mode %d", name, (int)o->mode);
    for (int a = 0; a < axes; a++) {
        if (o->size[a] < 0 || o->size[a] > UPSAMPLE_MOST_PIXELS)
            return LAE_FAIL(ERR_INVALID_ARG, "%s options: size is %lld, expected 0 to 2^30", name,
                            (long long)o->size[a]);
        if (o->size[a] == 0 && (o->factor[a] < 1 || o->factor[a] > UPSAMPLE_MOST))
            return LAE_FAIL(ERR_INVALID_ARG, "%s options: factor is %lld, expected 1 to %lld", name,
                            (long long)o->factor[a], (long long)UPSAMPLE_MOST);
    }
    return LSTMAE_OK;
}

static lstmae_status upsample_create(lstmae_module **out, lstmae_context *context, int axes,
                                     const lstmae_upsample_options *options)
{
    static const lstmae_upsample_options defaults = LSTMAE_UPSAMPLE_OPTIONS_INIT;
    const lae_module_ops *ops = &upsample_ops[axes - 1];
    LAE_CHECK_ARG(out != NULL, ops->name);
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, ops->name);
    lstmae_upsample_options o;
    LAE_TRY(lae_options_read(&o, &defaults, sizeof o, options, sizeof o, "upsample options"));
    LAE_TRY(upsample_check(ops->name, axes, &o));
    LAE_TRY(lae_module_new(out, context, ops, sizeof(upsample_module)));
    upsample_module *m = (upsample_module *)*out;
    m->axes = axes;
    m->options = o;
    return LSTMAE_OK;
}

lstmae_status lstmae_upsample2d_create(lstmae_module **out, lstmae_context *context,
                                       const lstmae_upsample_options *options)
{
    return upsample_create(out, context, 2, options);
}

lstmae_status lstmae_upsample1d_create(lstmae_module **out, lstmae_context *context,
                                       const lstmae_upsample_options *options)
{
    return upsample_create(out, context, 1, options);
}
