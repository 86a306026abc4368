/* Progress of a training: counters, the weights of the lowest validation loss, and what an update may change early. */
#include "train_internal.h"

#include "fit_state.h"
#include "ops.h"
#include "size.h"

#include <math.h>
#include <stdio.h>

/* Integers that a double holds exactly. */
#define FIT_STATE_MOST 9007199254740992.0

/* ---- copies of a module's state ---- */

static void tensors_release(lae_tensors *tensors, lstmae_context *context)
{
    for (size_t i = 0; i < tensors->count; i++) lstmae_tensor_destroy(tensors->tensor[i]);
    lae_free(&context->memory, tensors->tensor, tensors->count * sizeof *tensors->tensor);
    *tensors = (lae_tensors){ NULL, 0 };
}

/* Room for the module's state entries from `first` on, where there is none yet. */
static lstmae_status tensors_make_room(lae_tensors *tensors, const lstmae_module *module, size_t first)
{
    const size_t count = lae_module_state_count(module) - first;
    lstmae_context *context = module->context;
    if (tensors->count > 0 || count == 0) return LSTMAE_OK;
    tensors->tensor = lae_calloc(&context->memory, count, sizeof *tensors->tensor);
    if (!tensors->tensor) return LAE_FAIL(ERR_NO_MEMORY, "fit_state: no memory for %zu weights", count);
    tensors->count = count;
    for (size_t i = 0; i < count; i++) {
        const lstmae_view *value = &lae_module_state_at(module, first + i, NULL)->view;
        lstmae_status status =
            lstmae_tensor_create(&tensors->tensor[i], context, (lstmae_dtype)value->dtype, value->ndim, value->dim);
        if (status == LSTMAE_OK) continue;
        tensors_release(tensors, context);
        return status;
    }
    return LSTMAE_OK;
}

static lstmae_status tensors_take(const lae_tensors *tensors, const lstmae_module *module, size_t first)
{
    for (size_t i = 0; i < tensors->count; i++)
        LAE_TRY(lstmae_tensor_copy(tensors->tensor[i], lae_module_state_at(module, first + i, NULL)));
    return LSTMAE_OK;
}

static lstmae_status tensors_give_back(const lae_tensors *tensors, const lstmae_module *module, size_t first)
{
    for (size_t i = 0; i < tensors->count; i++)
        LAE_TRY(lstmae_tensor_copy(lae_module_state_at(module, first + i, NULL), tensors->tensor[i]));
    return LSTMAE_OK;
}

lstmae_status lae_fit_state_begin_update(lstmae_fit_state *state, const lstmae_module *module)
{
    if (state->before.count != module->buffers.count) tensors_release(&state->before, state->context);
    LAE_TRY(tensors_make_room(&state->before, module, module->params.count));
    return tensors_take(&state->before, module, module->params.count);
}

lstmae_status lae_fit_state_undo_update(lstmae_fit_state *state, const lstmae_module *module)
{
    return tensors_give_back(&state->before, module, module->params.count);
}

/* ---- the state ---- */

lstmae_status lstmae_fit_state_create(lstmae_fit_state **out, lstmae_context *context)
{
    LAE_CHECK_ARG(out != NULL, "fit_state_create");
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, "fit_state_create");
    lstmae_fit_state *state = lae_calloc(&context->memory, 1, sizeof *state);
    if (!state) return LAE_FAIL(ERR_NO_MEMORY, "fit_state: no memory for %zu bytes", sizeof *state);
    state->context = lae_context_retain(context);
    state->first_epoch = -1;
    state->validated_at = -1;
    state->validation = NAN;
    state->best = INFINITY;
    state->reference = INFINITY;
    *out = state;
    return LSTMAE_OK;
}

void lstmae_fit_state_destroy(lstmae_fit_state *state)
{
    if (!state) return;
    lstmae_context *context = state->context;
    lae_fit_state_drop_best(state);
    tensors_release(&state->before, context);
    lae_free(&context->memory, state, sizeof *state);
    lae_context_release(context);
}

int64_t lstmae_fit_state_iteration(const lstmae_fit_state *state)
{
    return state ? state->iteration : 0;
}

double lstmae_fit_state_best(const lstmae_fit_state *state)
{
    return state && state->best < INFINITY ? state->best : NAN;
}

/* ---- counters ---- */

void lae_fit_state_get(const lstmae_fit_state *state, double counters[LAE_FIT_COUNTERS])
{
    counters[0] = (double)state->iteration;
    counters[1] = (double)state->first_epoch;
    counters[2] = (double)state->validated_at;
    counters[3] = (double)state->stale;
    counters[4] = (double)state->skips;
    counters[5] = state->validation;
    counters[6] = state->best;
    counters[7] = state->reference;
}

lstmae_status lae_fit_state_set(lstmae_fit_state *state, const double counters[LAE_FIT_COUNTERS], int apply)
{
    static const double least[] = { 0, -1, -1, 0, 0 };
    for (int i = 0; i < 5; i++)
        if (!(counters[i] >= least[i] && counters[i] <= FIT_STATE_MOST) || counters[i] != floor(counters[i]))
            return LAE_FAIL(ERR_FORMAT, "fit_state: expected counter %d to be whole and at least %g, got %g", i,
                            least[i], counters[i]);
    if (counters[2] > counters[0])
        return LAE_FAIL(ERR_FORMAT, "fit_state: expected the last validation within %g updates, got %g", counters[0],
                        counters[2]);
    if (isnan(counters[6]) || isnan(counters[7]))
        return LAE_FAIL(ERR_FORMAT, "fit_state: expected numbers for the best losses, got NaN");
    if (!apply) return LSTMAE_OK;
    state->iteration = (int64_t)counters[0];
    state->first_epoch = (int64_t)counters[1];
    state->validated_at = (int64_t)counters[2];
    state->stale = (int64_t)counters[3];
    state->skips = (int64_t)counters[4];
    state->validation = counters[5];
    state->best = counters[6];
    state->reference = counters[7];
    return LSTMAE_OK;
}

/* ---- best weights ---- */

size_t lae_fit_state_best_count(const lstmae_fit_state *state)
{
    return state->best_weights.count;
}

void lae_fit_state_drop_best(lstmae_fit_state *state)
{
    tensors_release(&state->best_weights, state->context);
}

/* Room for the weights of `module`, which is the one that what is held came from. */
static lstmae_status fit_state_ensure(lstmae_fit_state *state, const lstmae_module *module)
{
    const size_t held = state->best_weights.count, count = lae_module_state_count(module);
    if (held == 0 || held == count) return tensors_make_room(&state->best_weights, module, 0);
    return LAE_FAIL(ERR_STATE, "fit_state: expected the module of its %zu best weights, got one of %zu", held, count);
}

lstmae_status lae_fit_state_best_slot(lstmae_fit_state *state, lstmae_module *module, size_t i, char *name, size_t size,
                                      lstmae_tensor **tensor)
{
    const char *own;
    if (i >= lae_module_state_count(module))
        return LAE_FAIL(ERR_INTERNAL, "fit_state: expected a weight below %zu, got %zu",
                        lae_module_state_count(module), i);
    LAE_TRY(fit_state_ensure(state, module));
    (void)lae_module_state_at(module, i, &own);
    if (name) {
        int length = snprintf(name, size, "best.%s", own);
        if (length < 0 || (size_t)length >= size)
            return LAE_FAIL(ERR_INTERNAL, "fit_state: expected room for a name of %d bytes, got %zu", length, size);
    }
    if (tensor) *tensor = state->best_weights.tensor[i];
    return LSTMAE_OK;
}

lstmae_status lae_fit_state_keep_best(lstmae_fit_state *state, const lstmae_module *module)
{
    LAE_TRY(fit_state_ensure(state, module));
    return tensors_take(&state->best_weights, module, 0);
}

lstmae_status lae_fit_state_restore_best(lstmae_fit_state *state, const lstmae_module *module)
{
    if (state->best_weights.count == 0) return LSTMAE_OK;
    LAE_TRY(fit_state_ensure(state, module));
    return tensors_give_back(&state->best_weights, module, 0);
}
