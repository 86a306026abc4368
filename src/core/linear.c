#include "linear.h"

#include "ops.h"
#include "plan.h"

#include <lstmae/layers.h>

#include <math.h>
#include <stdio.h>

static lstmae_gemm_args linear_gemm(const lae_linear *linear, uint32_t flags, int64_t M, int64_t N, int64_t K)
{
    lstmae_gemm_args g = { .struct_size = sizeof g, .flags = flags, .M = M, .N = N, .K = K };
    g.dtype = linear->weight->value->view.dtype;
    return g;
}

lstmae_status lae_linear_init(lae_linear *linear, lstmae_module *module, const char *prefix, int64_t in, int64_t out,
                              int with_bias)
{
    char name[96];
    int64_t dims[2] = { out, in };
    double bound = 1.0 / sqrt((double)in);
    linear->context = module->context;
    linear->in = in;
    linear->out = out;
    snprintf(name, sizeof name, "%sweight", prefix);
    LAE_TRY(lae_module_add_param(module, &linear->weight, name, 2, dims, bound));
    snprintf(name, sizeof name, "%sbias", prefix);
    if (with_bias) LAE_TRY(lae_module_add_param(module, &linear->bias, name, 1, dims, bound));
    return LSTMAE_OK;
}

lstmae_status lae_linear_forward(const lae_linear *linear, int64_t rows, const void *x, int64_t x_stride, void *y,
                                 int64_t y_stride)
{
    lstmae_gemm_args g = linear_gemm(linear, LSTMAE_GEMM_TRANS_B, rows, linear->out, linear->in);
    g.a = x;
    g.lda = x_stride;
    g.b = linear->weight->value->view.data;
    g.ldb = linear->in;
    g.c = y;
    g.ldc = y_stride;
    g.bias = linear->bias ? linear->bias->value->view.data : NULL;
    LAE_TRY(lae_param_prepared(linear->weight, LSTMAE_PREPARE_FORWARD, &g.prepared));
    return lae_op_gemm(linear->context, &g);
}

lstmae_status lae_linear_backward(const lae_linear *linear, int64_t rows, const void *dy, int64_t dy_stride, void *dx,
                                  int64_t dx_stride, double beta)
{
    lstmae_gemm_args g = linear_gemm(linear, 0, rows, linear->in, linear->out);
    g.a = dy;
    g.lda = dy_stride;
    g.b = linear->weight->value->view.data;
    g.ldb = linear->in;
    g.c = dx;
    g.ldc = dx_stride;
    g.beta = beta;
    LAE_TRY(lae_param_prepared(linear->weight, LSTMAE_PREPARE_BACKWARD, &g.prepared));
    return lae_op_gemm(linear->context, &g);
}

lstmae_status lae_linear_weight_gradient(const lae_linear *linear, int64_t rows, const void *x, int64_t x_stride,
                                         const void *dy, int64_t dy_stride)
{
    lstmae_context *context = linear->context;
    lstmae_tensor *grad = NULL;
    if (rows == 0) return LSTMAE_OK;
    lstmae_gemm_args g = linear_gemm(linear, LSTMAE_GEMM_TRANS_A, linear->out, linear->in, rows);
    LAE_TRY(lae_param_grad(linear->weight, &grad, &g.beta));
    g.a = dy;
    g.lda = dy_stride;
    g.b = x;
    g.ldb = x_stride;
    g.c = grad->view.data;
    g.ldc = linear->in;
    LAE_TRY(lae_op_gemm(context, &g));
    if (!linear->bias) return LSTMAE_OK;
    double beta;
    LAE_TRY(lae_param_grad(linear->bias, &grad, &beta));
    int64_t in_dims[2] = { rows, linear->out }, out_dims[2] = { 1, linear->out };
    lstmae_view in = lae_view_of((void *)(uintptr_t)dy, g.dtype, 2, in_dims);
    lstmae_view out = lae_view_of(grad->view.data, g.dtype, 2, out_dims);
    in.stride[0] = dy_stride;
    return lae_op_reduce(context, LSTMAE_REDUCE_SUM, &out, &in, beta);
}

/* ---- the module ---- */

typedef struct linear_module {
    lstmae_module base;
    lae_linear linear;
    const lstmae_tensor *input; /* of the last forward, borrowed or `copy` */
    lstmae_tensor *copy, *grad_copy, *output, *grad_input;
} linear_module;

static lstmae_status linear_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output)
{
    const linear_module *m = (const linear_module *)module;
    char text[LAE_SHAPE_TEXT];
    if (input->ndim < 1 || input->dim[input->ndim - 1] != m->linear.in)
        return LAE_FAIL(ERR_SHAPE, "linear: input is %s, layer wants %lld features",
                        lae_shape_text(text, sizeof text, input), (long long)m->linear.in);
    output->dim[input->ndim - 1] = m->linear.out;
    return LSTMAE_OK;
}

static void linear_describe(const lstmae_module *module, char *text, size_t size)
{
    const linear_module *m = (const linear_module *)module;
    snprintf(text, size, "linear %lld to %lld", (long long)m->linear.in, (long long)m->linear.out);
}

static lstmae_status linear_forward(lstmae_module *module, const lstmae_tensor *input, const lstmae_tensor **output)
{
    linear_module *m = (linear_module *)module;
    lstmae_view y;
    LAE_TRY(lae_module_shape(module, &input->view, &y));
    int64_t rows, stride;
    m->input = input;
    if (!lae_view_rows(&input->view, &rows, &stride)) {
        LAE_TRY(lae_tensor_contiguous(&m->input, input, &m->copy));
        lae_view_rows(&m->input->view, &rows, &stride);
    }
    LAE_TRY(lae_tensor_ensure(&m->output, module->context, module->context->dtype, y.ndim, y.dim));
    LAE_TRY(lae_linear_forward(&m->linear, rows, m->input->view.data, stride, m->output->view.data, m->linear.out));
    *output = m->output;
    return LSTMAE_OK;
}

static lstmae_status linear_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                     const lstmae_tensor **grad_input)
{
    linear_module *m = (linear_module *)module;
    const lstmae_tensor *dy = grad_output;
    int64_t rows, dy_stride, x_rows, x_stride;
    if (!lae_view_rows(&dy->view, &rows, &dy_stride)) {
        LAE_TRY(lae_tensor_contiguous(&dy, grad_output, &m->grad_copy));
        lae_view_rows(&dy->view, &rows, &dy_stride);
    }
    lae_view_rows(&m->input->view, &x_rows, &x_stride);
    LAE_TRY(lae_linear_weight_gradient(&m->linear, rows, m->input->view.data, x_stride, dy->view.data, dy_stride));
    if (!grad_input) return LSTMAE_OK;
    const lstmae_view *x = &m->input->view;
    LAE_TRY(lae_tensor_ensure(&m->grad_input, module->context, module->context->dtype, x->ndim, x->dim));
    *grad_input = m->grad_input;
    return lae_linear_backward(&m->linear, rows, dy->view.data, dy_stride, m->grad_input->view.data, m->linear.in, 0.0);
}

static void linear_destroy(lstmae_module *module)
{
    linear_module *m = (linear_module *)module;
    lstmae_tensor_destroy(m->copy);
    lstmae_tensor_destroy(m->grad_copy);
    lstmae_tensor_destroy(m->output);
    lstmae_tensor_destroy(m->grad_input);
}

static lstmae_status linear_plan(const lstmae_module *module, lae_plan *plan)
{
    return lae_plan_add_linear(plan, &((const linear_module *)module)->linear);
}

static lstmae_status linear_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out)
{
    const lae_linear *from = &((const linear_module *)module)->linear;
    return lstmae_linear_create(out, context, from->in, from->out, from->bias ? 0 : LSTMAE_LINEAR_NO_BIAS);
}

static const lae_module_ops linear_ops = {
    .name = "linear",
    .forward = linear_forward,
    .backward = linear_backward,
    .destroy = linear_destroy,
    .shape = linear_shape,
    .describe = linear_describe,
    .plan = linear_plan,
    .twin = linear_twin,
};

lstmae_status lstmae_linear_create(lstmae_module **out, lstmae_context *context, int64_t in_features,
                                   int64_t out_features, uint32_t flags)
{
    LAE_CHECK_ARG(out != NULL, "linear_create");
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, "linear_create");
    LAE_CHECK_ARG(in_features >= 1 && out_features >= 1, "linear_create");
    if (flags & ~LSTMAE_LINEAR_NO_BIAS) return LAE_FAIL(ERR_UNSUPPORTED, "linear_create: unknown flags 0x%x", flags);
    lstmae_module *module = NULL;
    LAE_TRY(lae_module_new(&module, context, &linear_ops, sizeof(linear_module)));
    lstmae_status status = lae_linear_init(&((linear_module *)module)->linear, module, "", in_features, out_features,
                                           !(flags & LSTMAE_LINEAR_NO_BIAS));
    if (status != LSTMAE_OK) {
        lstmae_module_destroy(module);
        return status;
    }
    *out = module;
    return LSTMAE_OK;
}
