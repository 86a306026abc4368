/* Optimizers: clipping, moments and hyper-parameters here; the update of all parameters is one call of the backend. */
#include "optim_internal.h"

#include "module_internal.h"
#include "ops.h"
#include "options.h"
#include "side.h"

#include <math.h>
#include <stdio.h>

/** A moment that a kind keeps for every parameter. */
typedef struct optim_moment {
    const char *name; /* PyTorch's */
    size_t member;    /* of lstmae_update_tensor */
    double start;
} optim_moment;

#define OPTIM_MOST_MOMENTS 3

struct lstmae_optimizer {
    lstmae_module *module;
    lstmae_context *context;
    lstmae_optimizer_options options;
    int64_t steps;
    optim_moment moments[OPTIM_MOST_MOMENTS];
    size_t moment_count;
    size_t count;                  /* parameters, those of the module at creation */
    lstmae_update_tensor *tensors; /* [count] */
    lstmae_update_tensor *ordered; /* [count] of this step: in two parts, those whose gradients are the side's last */
    lstmae_view *grads;            /* [count], in the same order */
    size_t first_part;
    lstmae_tensor **slots;         /* [count * moment_count], a parameter's moments side by side */
    lae_buffer norm_sq;            /* two doubles: the gradients' sum of squares, and that of the second part */
};

/* ---- options ---- */

static int optim_is_adam(int kind)
{
    return kind == LSTMAE_ADAM || kind == LSTMAE_ADAMW;
}

static int optim_is_rmsprop(int kind)
{
    return kind == LSTMAE_RMSPROP || kind == LSTMAE_RMSPROP_TF1;
}

static lstmae_status optim_check_not_negative(const char *name, double value)
{
    if (value >= 0.0 && isfinite(value)) return LSTMAE_OK;
    return LAE_FAIL(ERR_INVALID_ARG, "optimizer: expected %s of 0 or more, got %g", name, value);
}

static lstmae_status optim_check_below_one(const char *name, double value)
{
    if (value >= 0.0 && value < 1.0) return LSTMAE_OK;
    return LAE_FAIL(ERR_INVALID_ARG, "optimizer: expected %s in [0,1), got %g", name, value);
}

static lstmae_status optim_check_flags(const lstmae_optimizer_options *options)
{
    const uint32_t known = LSTMAE_OPTIMIZER_NESTEROV | LSTMAE_OPTIMIZER_CENTERED | LSTMAE_OPTIMIZER_DECAY_MATRICES_ONLY;
    if (options->flags & ~known || options->reserved != 0)
        return LAE_FAIL(ERR_INVALID_ARG, "optimizer: expected known flags, got 0x%x and reserved 0x%x", options->flags,
                        options->reserved);
    if (options->flags & LSTMAE_OPTIMIZER_NESTEROV && (options->kind != LSTMAE_SGD || !(options->momentum > 0.0)))
        return LAE_FAIL(ERR_INVALID_ARG, "optimizer: expected SGD with momentum for NESTEROV, got kind %d, momentum %g",
                        options->kind, options->momentum);
    if (options->flags & LSTMAE_OPTIMIZER_CENTERED && !optim_is_rmsprop(options->kind))
        return LAE_FAIL(ERR_INVALID_ARG, "optimizer: expected an RMSProp for CENTERED, got kind %d", options->kind);
    if (options->clip_velocity > 0.0 && (options->kind != LSTMAE_SGD || !(options->momentum > 0.0)))
        return LAE_FAIL(ERR_INVALID_ARG,
                        "optimizer: expected SGD with momentum for clip_velocity, got kind %d, momentum %g",
                        options->kind, options->momentum);
    return LSTMAE_OK;
}

static lstmae_status optim_check(const lstmae_optimizer_options *options)
{
    if (options->kind < LSTMAE_SGD || options->kind > LSTMAE_RMSPROP_TF1)
        return LAE_FAIL(ERR_INVALID_ARG, "optimizer: expected kind in [0,4], got %d", options->kind);
    LAE_TRY(optim_check_not_negative("lr", options->lr));
    LAE_TRY(optim_check_not_negative("weight_decay", options->weight_decay));
    LAE_TRY(optim_check_not_negative("clip_norm", options->clip_norm));
    LAE_TRY(optim_check_not_negative("clip_value", options->clip_value));
    LAE_TRY(optim_check_not_negative("clip_velocity", options->clip_velocity));
    LAE_TRY(optim_check_below_one("momentum", options->momentum));
    LAE_TRY(optim_check_below_one("beta1", options->beta1));
    LAE_TRY(optim_check_below_one("beta2", options->beta2));
    LAE_TRY(optim_check_below_one("rho", options->rho));
    if (options->kind != LSTMAE_SGD && (!(options->eps > 0.0) || !isfinite(options->eps)))
        return LAE_FAIL(ERR_INVALID_ARG, "optimizer: expected eps above 0, got %g", options->eps);
    return optim_check_flags(options);
}

/* ---- moments ---- */

static void optim_add_moment(lstmae_optimizer *optimizer, const char *name, size_t member, double start)
{
    optimizer->moments[optimizer->moment_count++] = (optim_moment){ name, member, start };
}

static void optim_choose_moments(lstmae_optimizer *optimizer)
{
    const lstmae_optimizer_options *options = &optimizer->options;
    const size_t m = offsetof(lstmae_update_tensor, m), v = offsetof(lstmae_update_tensor, v);
    if (optim_is_adam(options->kind)) {
        optim_add_moment(optimizer, "exp_avg", m, 0.0);
        optim_add_moment(optimizer, "exp_avg_sq", v, 0.0);
        return;
    }
    if (optim_is_rmsprop(options->kind))
        optim_add_moment(optimizer, "square_avg", v, options->kind == LSTMAE_RMSPROP_TF1 ? 1.0 : 0.0);
    if (options->flags & LSTMAE_OPTIMIZER_CENTERED)
        optim_add_moment(optimizer, "grad_avg", offsetof(lstmae_update_tensor, a), 0.0);
    if (options->momentum > 0.0) optim_add_moment(optimizer, "momentum_buffer", m, 0.0);
}

static lstmae_status optim_create_slot(lstmae_optimizer *optimizer, size_t param, size_t moment)
{
    const optim_moment *kind = &optimizer->moments[moment];
    const lstmae_view *value = &lae_module_param_at(optimizer->module, param)->value->view;
    lstmae_tensor **slot = &optimizer->slots[param * optimizer->moment_count + moment];
    LAE_TRY(lstmae_tensor_create(slot, optimizer->context, (lstmae_dtype)value->dtype, value->ndim, value->dim));
    if (kind->start != 0.0) LAE_TRY(lae_op_fill(optimizer->context, &(*slot)->view, kind->start));
    *(void **)(void *)((char *)&optimizer->tensors[param] + kind->member) = (*slot)->view.data;
    return LSTMAE_OK;
}

static lstmae_status optim_create_tensors(lstmae_optimizer *optimizer)
{
    const lstmae_optimizer_options *options = &optimizer->options;
    lae_memory *memory = &optimizer->context->memory;
    size_t count = optimizer->count;
    optimizer->tensors = lae_calloc(memory, count, sizeof *optimizer->tensors);
    optimizer->ordered = lae_calloc(memory, count, sizeof *optimizer->ordered);
    optimizer->grads = lae_calloc(memory, count, sizeof *optimizer->grads);
    optimizer->slots = lae_calloc(memory, count * optimizer->moment_count, sizeof *optimizer->slots);
    if (!optimizer->tensors || !optimizer->ordered || !optimizer->grads || !optimizer->slots)
        return LAE_FAIL(ERR_NO_MEMORY, "optimizer: no memory for %zu parameters", count);
    for (size_t i = 0; i < count; i++) {
        const lstmae_view *value = &lae_module_param_at(optimizer->module, i)->value->view;
        int spared = options->flags & LSTMAE_OPTIMIZER_DECAY_MATRICES_ONLY && value->ndim < 2;
        optimizer->tensors[i].weight_decay = spared ? 0.0 : options->weight_decay;
        for (size_t moment = 0; moment < optimizer->moment_count; moment++)
            LAE_TRY(optim_create_slot(optimizer, i, moment));
    }
    return lae_buffer_reserve(&optimizer->norm_sq, optimizer->context, 2, sizeof(double));
}

/* ---- lifetime ---- */

lstmae_status lstmae_optimizer_create(lstmae_optimizer **out, lstmae_module *module,
                                      const lstmae_optimizer_options *options)
{
    static const lstmae_optimizer_options defaults = LSTMAE_ADAM_OPTIONS_INIT;
    lstmae_optimizer_options read;
    LAE_CHECK_ARG(out != NULL, "optimizer_create");
    *out = NULL;
    LAE_CHECK_ARG(module != NULL, "optimizer_create");
    LAE_TRY(lae_options_read(&read, &defaults, sizeof read, options, sizeof read, "optimizer options"));
    LAE_TRY(optim_check(&read));
    if (module->params.count == 0)
        return LAE_FAIL(ERR_INVALID_ARG, "optimizer: expected a module with parameters, got a %s without",
                        module->ops->name);

    lstmae_context *context = module->context;
    lstmae_optimizer *optimizer = lae_calloc(&context->memory, 1, sizeof *optimizer);
    if (!optimizer) return LAE_FAIL(ERR_NO_MEMORY, "optimizer: no memory for %zu bytes", sizeof *optimizer);
    optimizer->module = lae_module_retain(module);
    optimizer->context = lae_context_retain(context);
    optimizer->options = read;
    optimizer->count = module->params.count;
    optim_choose_moments(optimizer);
    lstmae_status status = optim_create_tensors(optimizer);
    if (status < 0) {
        lstmae_optimizer_destroy(optimizer);
        return status;
    }
    *out = optimizer;
    return LSTMAE_OK;
}

void lstmae_optimizer_destroy(lstmae_optimizer *optimizer)
{
    if (!optimizer) return;
    lstmae_context *context = optimizer->context;
    lae_memory *memory = &context->memory;
    size_t slots = optimizer->count * optimizer->moment_count;
    for (size_t i = 0; optimizer->slots && i < slots; i++) lstmae_tensor_destroy(optimizer->slots[i]);
    lae_free(memory, optimizer->slots, slots * sizeof *optimizer->slots);
    lae_free(memory, optimizer->grads, optimizer->count * sizeof *optimizer->grads);
    lae_free(memory, optimizer->ordered, optimizer->count * sizeof *optimizer->ordered);
    lae_free(memory, optimizer->tensors, optimizer->count * sizeof *optimizer->tensors);
    lae_buffer_release(&optimizer->norm_sq);
    lstmae_module_destroy(optimizer->module);
    lae_free(memory, optimizer, sizeof *optimizer);
    lae_context_release(context);
}

/* ---- steps ---- */

/* Looks up where the gradient of parameter i is now. A parameter that no backward has reached, as the input weights of
 * a decoder that sees nothing, is left alone and costs nothing: PyTorch's gradient None. */
static lstmae_status optim_find_grad(lstmae_optimizer *optimizer, size_t i, size_t place)
{
    lae_param *param = lae_module_param_at(optimizer->module, i);
    lstmae_update_tensor *tensor = &optimizer->ordered[place];
    lstmae_tensor *grad = param->value; /* stands for none: no element of it is looked at */
    int64_t none = 0;
    if (param->grad) LAE_TRY(lae_param_grad_values(param, &grad));
    optimizer->grads[place] = param->grad ? grad->view : lae_view_of(grad->view.data, grad->view.dtype, 1, &none);
    *tensor = optimizer->tensors[i];
    tensor->count = lae_view_numel(&optimizer->grads[place]);
    tensor->grad = grad->view.data;
    tensor->param = param->value->view.data;
    return LSTMAE_OK;
}

/* The order follows from where gradients are made, not from when, so that sums are the same each time. */
static lstmae_status optim_find_grads(lstmae_optimizer *optimizer)
{
    size_t place = 0;
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < optimizer->count; i++)
            if (lae_module_param_at(optimizer->module, i)->side == side)
                LAE_TRY(optim_find_grad(optimizer, i, place++));
        if (side == 0) optimizer->first_part = place;
    }
    return LSTMAE_OK;
}

/* Work on `count` of ordered[] and grads[] from `first` on, which are part 0 or 1. */
typedef lstmae_status (*optim_part_fn)(lstmae_optimizer *optimizer, int part, size_t first, size_t count,
                                       const void *args);

/* Both parts, the second one on the side if that is still at work on its gradients. */
static lstmae_status optim_run(lstmae_optimizer *optimizer, optim_part_fn run, const void *args)
{
    const size_t first = optimizer->first_part, second = optimizer->count - first;
    lstmae_status status = LSTMAE_OK;
    if (second > 0) {
        LAE_TRY(lae_side_resume(optimizer->context));
        status = lae_side_leave(optimizer->context, run(optimizer, 1, first, second, args));
    }
    if (status == LSTMAE_OK) status = run(optimizer, 0, 0, first, args);
    lae_side_end(optimizer->context);
    return status;
}

/* `sums`: where those of both parts go. */
static lstmae_status optim_sum_part(lstmae_optimizer *optimizer, int part, size_t first, size_t count, const void *sums)
{
    return lae_op_sum_squares(optimizer->context, &optimizer->grads[first], (int64_t)count,
                              ((double *const *)sums)[part]);
}

/* *norm_sq, in device memory, receives the sum of both parts. */
static lstmae_status optim_sum_squares(lstmae_optimizer *optimizer, double *norm_sq)
{
    const int64_t one = 1;
    double *const sums[2] = { norm_sq, (double *)optimizer->norm_sq.data + 1 };
    LAE_TRY(optim_run(optimizer, optim_sum_part, sums));
    if (optimizer->first_part == optimizer->count) return LSTMAE_OK;
    lstmae_view sum = lae_view_of(norm_sq, LSTMAE_F64, 1, &one), second = lae_view_of(sums[1], LSTMAE_F64, 1, &one);
    return lae_op_axpby(optimizer->context, &sum, 1.0, &second, 1.0);
}

static lstmae_status optim_update_part(lstmae_optimizer *optimizer, int part, size_t first, size_t count,
                                       const void *args)
{
    lstmae_update_args update = *(const lstmae_update_args *)args;
    (void)part;
    update.tensors = &optimizer->ordered[first];
    update.count = (int64_t)count;
    return lae_op_update(optimizer->context, &update);
}

static lstmae_update_args optim_update_args(const lstmae_optimizer *optimizer)
{
    const lstmae_optimizer_options *options = &optimizer->options;
    double step = (double)(optimizer->steps + 1);
    lstmae_update_args args = { .struct_size = sizeof args, .kind = LSTMAE_UPDATE_SGD };
    if (optim_is_adam(options->kind)) args.kind = LSTMAE_UPDATE_ADAM;
    if (optim_is_rmsprop(options->kind)) args.kind = LSTMAE_UPDATE_RMSPROP;
    if (options->flags & LSTMAE_OPTIMIZER_NESTEROV) args.flags |= LSTMAE_UPDATE_NESTEROV;
    if (options->flags & LSTMAE_OPTIMIZER_CENTERED) args.flags |= LSTMAE_UPDATE_CENTERED;
    if (options->kind == LSTMAE_ADAMW) args.flags |= LSTMAE_UPDATE_DECOUPLED_DECAY;
    if (options->kind == LSTMAE_RMSPROP_TF1) args.flags |= LSTMAE_UPDATE_TF1;
    args.dtype = (int32_t)optimizer->context->dtype;
    args.tensors = optimizer->ordered;
    args.count = (int64_t)optimizer->count;
    args.lr = options->lr;
    args.momentum = options->momentum;
    args.beta1 = options->beta1;
    args.beta2 = options->beta2;
    args.eps = options->eps;
    args.rho = options->rho;
    args.velocity_clip = options->clip_velocity;
    args.value_clip = options->clip_value;
    args.bias1 = 1.0 - pow(options->beta1, step);
    args.bias2 = 1.0 - pow(options->beta2, step);
    args.max_norm = options->clip_norm;
    return args;
}

/* How a step is guarded, in device memory. */
typedef struct optim_guard {
    uint32_t flags;        /* LSTMAE_UPDATE_SKIP_NONFINITE, or 0: not at all */
    double *norm_sq;       /* receives the gradients' sum of squares */
    const double *numbers; /* that must be finite too */
    int64_t count;
} optim_guard;

static lstmae_status optim_update(lstmae_optimizer *optimizer, const optim_guard *guard)
{
    lstmae_update_args args = optim_update_args(optimizer);
    args.flags |= guard->flags;
    args.norm_sq = guard->norm_sq;
    args.guard = guard->numbers;
    args.guard_count = guard->count;
    LAE_TRY(optim_find_grads(optimizer));
    lstmae_status status;
    if (args.max_norm > 0.0 || guard->flags) {
        LAE_TRY(optim_sum_squares(optimizer, guard->norm_sq));
        status = lae_op_update(optimizer->context, &args);
    } else {
        status = optim_run(optimizer, optim_update_part, &args);
    }
    for (size_t i = 0; i < optimizer->count; i++) lae_tensor_touch(lae_module_param_at(optimizer->module, i)->value);
    return status;
}

lstmae_status lae_optimizer_enqueue(lstmae_optimizer *optimizer, const double *guard, int64_t count, double *norm_sq)
{
    const optim_guard wanted = { LSTMAE_UPDATE_SKIP_NONFINITE, norm_sq, guard, count };
    const optim_guard none = { .norm_sq = norm_sq };
    return optim_update(optimizer, guard ? &wanted : &none);
}

void lae_optimizer_count_step(lstmae_optimizer *optimizer)
{
    optimizer->steps++;
}

lstmae_status lstmae_optimizer_step(lstmae_optimizer *optimizer)
{
    LAE_CHECK_ARG(optimizer != NULL, "optimizer_step");
    const optim_guard none = { .norm_sq = optimizer->norm_sq.data };
    LAE_TRY(optim_update(optimizer, &none));
    optimizer->steps++;
    return LSTMAE_OK;
}

lstmae_status lstmae_optimizer_step_guarded(lstmae_optimizer *optimizer)
{
    double norm_sq;
    LAE_CHECK_ARG(optimizer != NULL, "optimizer_step_guarded");
    const optim_guard guard = { .flags = LSTMAE_UPDATE_SKIP_NONFINITE, .norm_sq = optimizer->norm_sq.data };
    LAE_TRY(optim_update(optimizer, &guard));
    LAE_TRY(lae_op_download(optimizer->context, &norm_sq, optimizer->norm_sq.data, sizeof norm_sq));
    if (!isfinite(norm_sq))
        return LAE_FAIL(ERR_NUMERIC, "optimizer: expected a finite gradient, got a norm of %g; nothing was updated",
                        sqrt(norm_sq));
    optimizer->steps++;
    return LSTMAE_OK;
}

lstmae_status lstmae_optimizer_grad_norm(lstmae_optimizer *optimizer, double *norm)
{
    double norm_sq;
    LAE_CHECK_ARG(optimizer != NULL, "optimizer_grad_norm");
    LAE_CHECK_ARG(norm != NULL, "optimizer_grad_norm");
    LAE_TRY(optim_find_grads(optimizer));
    LAE_TRY(optim_sum_squares(optimizer, optimizer->norm_sq.data));
    LAE_TRY(lae_op_download(optimizer->context, &norm_sq, optimizer->norm_sq.data, sizeof norm_sq));
    *norm = sqrt(norm_sq);
    return LSTMAE_OK;
}

lstmae_status lstmae_optimizer_set_lr(lstmae_optimizer *optimizer, double lr)
{
    LAE_CHECK_ARG(optimizer != NULL, "optimizer_set_lr");
    LAE_TRY(optim_check_not_negative("lr", lr));
    optimizer->options.lr = lr;
    return LSTMAE_OK;
}

double lstmae_optimizer_lr(const lstmae_optimizer *optimizer)
{
    return optimizer ? optimizer->options.lr : 0.0;
}

int64_t lstmae_optimizer_steps(const lstmae_optimizer *optimizer)
{
    return optimizer ? optimizer->steps : 0;
}

/* ---- checkpoints ---- */

size_t lae_optimizer_slot_count(const lstmae_optimizer *optimizer)
{
    return optimizer->count * optimizer->moment_count;
}

lstmae_status lae_optimizer_slot(lstmae_optimizer *optimizer, size_t i, char *name, size_t name_size,
                                 lstmae_tensor **tensor)
{
    if (i >= lae_optimizer_slot_count(optimizer))
        return LAE_FAIL(ERR_INTERNAL, "optimizer: expected a slot below %zu, got %zu",
                        lae_optimizer_slot_count(optimizer), i);
    if (name) {
        const char *param = lstmae_module_param_name(optimizer->module, i / optimizer->moment_count);
        const char *moment = optimizer->moments[i % optimizer->moment_count].name;
        int length = snprintf(name, name_size, "optimizer.%s.%s", moment, param);
        if (length < 0 || (size_t)length >= name_size)
            return LAE_FAIL(ERR_INTERNAL, "optimizer: expected room for a name of %d bytes, got %zu", length,
                            name_size);
    }
    if (tensor) *tensor = optimizer->slots[i];
    return LSTMAE_OK;
}

void lae_optimizer_set_steps(lstmae_optimizer *optimizer, int64_t steps)
{
    optimizer->steps = steps;
}

const char *lae_optimizer_kind_name(const lstmae_optimizer *optimizer)
{
    static const char *const names[] = { "sgd", "adam", "adamw", "rmsprop", "rmsprop_tf1" };
    return names[optimizer->options.kind];
}
