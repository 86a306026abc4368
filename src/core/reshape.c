/* Modules that give an array another shape: flatten and unflatten. Row-major arrays are only seen differently. */
#include "module_twin.h"
#include "size.h"

#include <lstmae/layers.h>

#include <stdio.h>
#include <string.h>

typedef struct reshape_module {
    lstmae_module base;
    int first, last;                /* flatten: axes that become one, negative ones counted from the end */
    int count;                      /* unflatten: axes that axis `first` becomes */
    int64_t sizes[LSTMAE_MAX_DIMS];
    lstmae_view shape;              /* of the last input */
    lstmae_tensor *copy, *grad_copy; /* of arrays that are not row-major */
    lstmae_tensor *output, *grad_input; /* other views of what came */
} reshape_module;

/* `tensor`, or a row-major copy of it, seen in another shape. */
static lstmae_status reshape_see(lstmae_tensor **seen, const lstmae_tensor *tensor, lstmae_tensor **copy,
                                 const lstmae_view *shape)
{
    const lstmae_tensor *rows;
    LAE_TRY(lae_tensor_contiguous(&rows, tensor, copy));
    const lstmae_view view = lae_view_of(rows->view.data, rows->view.dtype, shape->ndim, shape->dim);
    return lae_tensor_alias(seen, rows, &view);
}

static lstmae_status reshape_forward(lstmae_module *module, const lstmae_tensor *input, const lstmae_tensor **output)
{
    reshape_module *m = (reshape_module *)module;
    lstmae_view shape;
    LAE_TRY(lae_module_shape(module, &input->view, &shape));
    LAE_TRY(reshape_see(&m->output, input, &m->copy, &shape));
    m->shape = input->view;
    *output = m->output;
    return LSTMAE_OK;
}

static lstmae_status reshape_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                      const lstmae_tensor **grad_input)
{
    reshape_module *m = (reshape_module *)module;
    if (!grad_input) return LSTMAE_OK;
    LAE_TRY(reshape_see(&m->grad_input, grad_output, &m->grad_copy, &m->shape));
    *grad_input = m->grad_input;
    return LSTMAE_OK;
}

static void reshape_destroy(lstmae_module *module)
{
    reshape_module *m = (reshape_module *)module;
    lstmae_tensor_destroy(m->output);
    lstmae_tensor_destroy(m->grad_input);
    lstmae_tensor_destroy(m->copy);
    lstmae_tensor_destroy(m->grad_copy);
}

/* Axis `axis` of an array of `ndim` axes, counted from the end where it is negative; -1 if there is none. */
static int reshape_axis(int axis, int ndim)
{
    const int from_start = axis < 0 ? axis + ndim : axis;
    return from_start >= 0 && from_start < ndim ? from_start : -1;
}

/* ---- flatten ---- */

static lstmae_status flatten_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output)
{
    const reshape_module *m = (const reshape_module *)module;
    const int first = reshape_axis(m->first, input->ndim), last = reshape_axis(m->last, input->ndim);
    char text[LAE_SHAPE_TEXT];
    if (first < 0 || last < first)
        return LAE_FAIL(ERR_SHAPE, "flatten: input is %s, layer wants axes %d to %d of it",
                        lae_shape_text(text, sizeof text, input), m->first, m->last);
    for (int i = first + 1; i <= last; i++) output->dim[first] *= input->dim[i];
    for (int i = last + 1; i < input->ndim; i++) output->dim[i - (last - first)] = input->dim[i];
    output->ndim = input->ndim - (last - first);
    return LSTMAE_OK;
}

static void flatten_describe(const lstmae_module *module, char *text, size_t size)
{
    const reshape_module *m = (const reshape_module *)module;
    snprintf(text, size, m->first == 1 && m->last == -1 ? "flatten" : "flatten %d to %d", m->first, m->last);
}

static lstmae_status reshape_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out)
{
    return lae_module_twin_span(out, module, context, offsetof(reshape_module, first), offsetof(reshape_module, shape));
}

static const lae_module_ops flatten_ops = {
    .name = "flatten",
    .forward = reshape_forward,
    .backward = reshape_backward,
    .destroy = reshape_destroy,
    .shape = flatten_shape,
    .describe = flatten_describe,
    .twin = reshape_twin,
};

lstmae_status lstmae_flatten_create(lstmae_module **out, lstmae_context *context, int first_axis, int last_axis)
{
    LAE_CHECK_ARG(out != NULL, "flatten_create");
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, "flatten_create");
    LAE_CHECK_ARG(first_axis >= -LSTMAE_MAX_DIMS && first_axis < LSTMAE_MAX_DIMS, "flatten_create");
    LAE_CHECK_ARG(last_axis >= -LSTMAE_MAX_DIMS && last_axis < LSTMAE_MAX_DIMS, "flatten_create");
    LAE_TRY(lae_module_new(out, context, &flatten_ops, sizeof(reshape_module)));
    ((reshape_module *)*out)->first = first_axis;
    ((reshape_module *)*out)->last = last_axis;
    return LSTMAE_OK;
}

/* ---- unflatten ---- */

static lstmae_status unflatten_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output)
{
    const reshape_module *m = (const reshape_module *)module;
    const int axis = reshape_axis(m->first, input->ndim), more = m->count - 1;
    char got[LAE_SHAPE_TEXT], want[LAE_SHAPE_TEXT];
    const lstmae_view sizes = lae_view_of(NULL, input->dtype, m->count, m->sizes);
    lae_shape_text(got, sizeof got, input);
    lae_shape_text(want, sizeof want, &sizes);
    if (axis < 0 || input->dim[axis] != lae_view_numel(&sizes))
        return LAE_FAIL(ERR_SHAPE, "unflatten: input is %s, layer wants axis %d to be %s in a row", got, m->first,
                        want);
    if (input->ndim + more > LSTMAE_MAX_DIMS)
        return LAE_FAIL(ERR_SHAPE, "unflatten: input is %s, with axis %d as %s it would have more than %d axes", got,
                        m->first, want, LSTMAE_MAX_DIMS);
    for (int i = 0; i < m->count; i++) output->dim[axis + i] = m->sizes[i];
    for (int i = axis + 1; i < input->ndim; i++) output->dim[i + more] = input->dim[i];
    output->ndim = input->ndim + more;
    return LSTMAE_OK;
}

static void unflatten_describe(const lstmae_module *module, char *text, size_t size)
{
    const reshape_module *m = (const reshape_module *)module;
    char want[LAE_SHAPE_TEXT];
    const lstmae_view sizes = lae_view_of(NULL, LSTMAE_F32, m->count, m->sizes);
    snprintf(text, size, "unflatten %s", lae_shape_text(want, sizeof want, &sizes));
}

static const lae_module_ops unflatten_ops = {
    .name = "unflatten",
    .forward = reshape_forward,
    .backward = reshape_backward,
    .destroy = reshape_destroy,
    .shape = unflatten_shape,
    .describe = unflatten_describe,
    .twin = reshape_twin,
};

lstmae_status lstmae_unflatten_create(lstmae_module **out, lstmae_context *context, int axis, int ndim,
                                      const int64_t *sizes)
{
    int64_t numel;
    LAE_CHECK_ARG(out != NULL, "unflatten_create");
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, "unflatten_create");
    LAE_CHECK_ARG(axis >= -LSTMAE_MAX_DIMS && axis < LSTMAE_MAX_DIMS, "unflatten_create");
    LAE_CHECK_ARG(sizes != NULL && ndim >= 1 && ndim <= LSTMAE_MAX_DIMS, "unflatten_create");
    for (int i = 0; i < ndim; i++) LAE_CHECK_ARG(sizes[i] >= 1, "unflatten_create");
    if (!lae_product(&numel, ndim, sizes)) return LAE_FAIL(ERR_SHAPE, "unflatten_create: the sizes' product overflows");
    LAE_TRY(lae_module_new(out, context, &unflatten_ops, sizeof(reshape_module)));
    reshape_module *m = (reshape_module *)*out;
    m->first = axis;
    m->count = ndim;
    memcpy(m->sizes, sizes, (size_t)ndim * sizeof *sizes);
    return LSTMAE_OK;
}
