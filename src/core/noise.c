#include "noise.h"

#include "ops.h"
#include "options.h"

#include <math.h>
#include <stdio.h>

/* ---- creation ---- */

lstmae_status lae_noise_read_options(lstmae_noise_options *read, const lstmae_noise_options *options)
{
    static const lstmae_noise_options defaults = LSTMAE_NOISE_OPTIONS_INIT;
    LAE_TRY(lae_options_read(read, &defaults, sizeof *read, options, sizeof *read, "noise options"));
    if (read->kind < LSTMAE_NOISE_GAUSSIAN || read->kind > LSTMAE_NOISE_SALT_PEPPER)
        return LAE_FAIL(ERR_INVALID_ARG, "noise options: expected kind in [0,2], got %d", read->kind);
    if (read->kind == LSTMAE_NOISE_GAUSSIAN && !(read->amount >= 0.0 && isfinite(read->amount)))
        return LAE_FAIL(ERR_INVALID_ARG, "noise options: expected amount of 0 or more, got %g", read->amount);
    if (read->kind != LSTMAE_NOISE_GAUSSIAN && !(read->amount >= 0.0 && read->amount <= 1.0))
        return LAE_FAIL(ERR_INVALID_ARG, "noise options: expected amount in [0,1], got %g", read->amount);
    if (!isfinite(read->low) || !isfinite(read->high))
        return LAE_FAIL(ERR_INVALID_ARG, "noise options: expected finite low and high, got %g and %g", read->low,
                        read->high);
    return LSTMAE_OK;
}

/* Levels and zero, seen with strides of 0 in the shape of `like`. */
static lstmae_view noise_level(const lae_noise *noise, int index, const lstmae_view *like)
{
    lstmae_view view = *like;
    view.data = lae_at(noise->levels->view.data, index, view.dtype);
    for (int i = 0; i < view.ndim; i++) view.stride[i] = 0;
    return view;
}

lstmae_status lae_noise_init(lae_noise *noise, lstmae_context *context, const lstmae_noise_options *options)
{
    const int64_t count = 2, one = 1;
    noise->options = *options;
    noise->site = lae_site_new(context);
    LAE_TRY(lstmae_tensor_create(&noise->levels, context, context->dtype, 1, &count));
    for (int i = 0; i < 2; i++) {
        lstmae_view level = noise->levels->view;
        level = lae_view_of(lae_at(level.data, i, level.dtype), level.dtype, 1, &one);
        LAE_TRY(lae_op_fill(context, &level, i == 0 ? options->low : options->high));
    }
    return LSTMAE_OK;
}

void lae_noise_release(lae_noise *noise)
{
    lstmae_tensor_destroy(noise->levels);
    lstmae_tensor_destroy(noise->kept);
    lstmae_tensor_destroy(noise->output);
    lstmae_tensor_destroy(noise->grad_input);
}

/* ---- use ---- */

/* Gaussian: y = amount n + x. */
static lstmae_status noise_add(const lae_noise *noise, const lstmae_random_key *key, const lstmae_view *x,
                               const lstmae_view *y)
{
    lstmae_context *context = noise->levels->storage->context;
    LAE_TRY(lae_op_random(context, LSTMAE_RANDOM_NORMAL, y, 0.0, noise->options.amount, key));
    return lae_op_axpby(context, y, 1.0, x, 1.0);
}

/* Masking: y = kept ? x : low. Salt and pepper: y = kept ? x : (a fair draw ? high : low). */
static lstmae_status noise_replace(lae_noise *noise, const lstmae_random_key *key, const lstmae_view *x,
                                   const lstmae_view *y)
{
    lstmae_context *context = noise->levels->storage->context;
    lstmae_view low = noise_level(noise, 0, y), high = noise_level(noise, 1, y);
    LAE_TRY(lae_tensor_ensure(&noise->kept, context, (lstmae_dtype)x->dtype, x->ndim, x->dim));
    LAE_TRY(lae_op_random(context, LSTMAE_RANDOM_BERNOULLI, &noise->kept->view, 1.0 - noise->options.amount, 0.0, key));
    if (noise->options.kind == LSTMAE_NOISE_MASKING)
        return lae_op_select(context, y, &noise->kept->view, x, &low);
    lstmae_random_key fair = *key;
    fair.first += (uint64_t)lae_view_numel(x);
    LAE_TRY(lae_op_random(context, LSTMAE_RANDOM_BERNOULLI, y, 0.5, 0.0, &fair));
    LAE_TRY(lae_op_select(context, y, y, &high, &low));
    return lae_op_select(context, y, &noise->kept->view, x, y);
}

lstmae_status lae_noise_apply(lae_noise *noise, const lstmae_random_key *key, const lstmae_tensor *x,
                              const lstmae_tensor **output)
{
    const lstmae_view *view = &x->view;
    LAE_TRY(lae_tensor_ensure(&noise->output, noise->levels->storage->context, (lstmae_dtype)view->dtype, view->ndim,
                              view->dim));
    lae_tensor_touch(noise->output);
    *output = noise->output;
    if (noise->options.kind == LSTMAE_NOISE_GAUSSIAN) return noise_add(noise, key, view, &noise->output->view);
    return noise_replace(noise, key, view, &noise->output->view);
}

lstmae_status lae_noise_backward(lae_noise *noise, const lstmae_tensor *grad_output, const lstmae_tensor **grad_input)
{
    lstmae_context *context = noise->levels->storage->context;
    const lstmae_view *dy = &grad_output->view;
    *grad_input = grad_output;
    if (noise->options.kind == LSTMAE_NOISE_GAUSSIAN) return LSTMAE_OK;
    LAE_TRY(lae_tensor_ensure(&noise->grad_input, context, (lstmae_dtype)dy->dtype, dy->ndim, dy->dim));
    lae_tensor_touch(noise->grad_input);
    *grad_input = noise->grad_input;
    return lae_op_multiply(context, &noise->grad_input->view, dy, &noise->kept->view, 0.0);
}

/* ---- the module ---- */

typedef struct noise_module {
    lstmae_module base;
    lae_noise noise;
} noise_module;

static lstmae_status noise_forward(lstmae_module *module, const lstmae_tensor *input, const lstmae_tensor **output)
{
    noise_module *m = (noise_module *)module;
    *output = input;
    if (!module->training) return LSTMAE_OK;
    lstmae_random_key key = lae_site_train(&m->noise.site, module->context);
    return lae_noise_apply(&m->noise, &key, input, output);
}

static lstmae_status noise_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                    const lstmae_tensor **grad_input)
{
    if (!grad_input) return LSTMAE_OK;
    return lae_noise_backward(&((noise_module *)module)->noise, grad_output, grad_input);
}

static void noise_destroy(lstmae_module *module)
{
    lae_noise_release(&((noise_module *)module)->noise);
}

static lstmae_status noise_shape(const lstmae_module *module, const lstmae_view *input, lstmae_view *output)
{
    (void)module;
    *output = *input;
    return LSTMAE_OK;
}

static void noise_describe(const lstmae_module *module, char *text, size_t size)
{
    static const char *const names[] = { "gaussian", "masking", "salt and pepper" };
    const lstmae_noise_options *options = &((const noise_module *)module)->noise.options;
    snprintf(text, size, "noise %s %g", names[options->kind], options->amount);
}

static lstmae_status noise_twin(const lstmae_module *module, lstmae_context *context, lstmae_module **out)
{
    return lstmae_noise_create(out, context, &((const noise_module *)module)->noise.options);
}

static const lae_module_ops noise_ops = {
    .name = "noise",
    .forward = noise_forward,
    .backward = noise_backward,
    .destroy = noise_destroy,
    .shape = noise_shape,
    .describe = noise_describe,
    .twin = noise_twin,
};

lstmae_status lstmae_noise_create(lstmae_module **out, lstmae_context *context, const lstmae_noise_options *options)
{
    lstmae_noise_options read;
    LAE_CHECK_ARG(out != NULL, "noise_create");
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, "noise_create");
    LAE_TRY(lae_noise_read_options(&read, options));
    lstmae_module *module = NULL;
    LAE_TRY(lae_module_new(&module, context, &noise_ops, sizeof(noise_module)));
    lstmae_status status = lae_noise_init(&((noise_module *)module)->noise, context, &read);
    if (status < 0) {
        lstmae_module_destroy(module);
        return status;
    }
    *out = module;
    return LSTMAE_OK;
}
