#include "lstm_layer.h"

#include "ops.h"

#include <lstmae/lstm.h>

#include <math.h>
#include <stdio.h>

static lstmae_status layer_add(lstmae_module *module, lae_param **param, const char *prefix, const char *kind,
                               const char *suffix, int ndim, int64_t rows, int64_t columns, double bound)
{
    char name[96];
    int64_t dims[2] = { rows, columns };
    snprintf(name, sizeof name, "%s%s%s", prefix, kind, suffix);
    return lae_module_add_param(module, param, name, ndim, dims, bound);
}

/* b_f += forget_bias, so that a fresh cell remembers (Gers, Schmidhuber, Cummins 2000; Jozefowicz et al. 2015). */
static lstmae_status layer_forget_bias(lae_lstm_layer *layer, double forget_bias)
{
    lstmae_tensor *bias = layer->b_ih->value;
    lstmae_context *context = bias->storage->context;
    int64_t dims[1] = { layer->H }, one = 1;
    double f64 = forget_bias;
    float f32 = (float)forget_bias;
    int dtype = bias->view.dtype;
    lstmae_tensor *constant = NULL;
    LAE_TRY(lstmae_tensor_create(&constant, context, (lstmae_dtype)dtype, 1, &one));
    lstmae_status status = dtype == LSTMAE_F32 ? lstmae_tensor_write(constant, &f32, sizeof f32)
                                               : lstmae_tensor_write(constant, &f64, sizeof f64);
    lstmae_view part = lae_view_of(lae_at(bias->view.data, layer->H, dtype), dtype, 1, dims), source = part;
    source.data = constant->view.data;
    source.stride[0] = 0;
    if (status == LSTMAE_OK) status = lae_op_axpby(context, &part, 1.0, &source, 1.0);
    if (status == LSTMAE_OK) status = lae_op_sync(context);
    lae_tensor_touch(bias);
    lstmae_tensor_destroy(constant);
    return status;
}

lstmae_status lae_lstm_layer_init(lae_lstm_layer *layer, lstmae_module *module, const char *prefix, const char *suffix,
                                  int64_t I, int64_t H, uint32_t flags, double forget_bias)
{
    double bound = 1.0 / sqrt((double)H);
    layer->I = I;
    layer->H = H;
    LAE_TRY(layer_add(module, &layer->w_ih, prefix, "weight_ih", suffix, 2, 4 * H, I, bound));
    LAE_TRY(layer_add(module, &layer->w_hh, prefix, "weight_hh", suffix, 2, 4 * H, H, bound));
    if (!(flags & LSTMAE_LSTM_NO_BIAS)) {
        LAE_TRY(layer_add(module, &layer->b_ih, prefix, "bias_ih", suffix, 1, 4 * H, 1, bound));
        LAE_TRY(layer_add(module, &layer->b_hh, prefix, "bias_hh", suffix, 1, 4 * H, 1, bound));
        if (forget_bias != 0.0) LAE_TRY(layer_forget_bias(layer, forget_bias));
    }
    if (flags & LSTMAE_LSTM_PEEPHOLE)
        LAE_TRY(layer_add(module, &layer->peephole, prefix, "peephole", suffix, 2, 3, H, bound));
    return LSTMAE_OK;
}

void lae_lstm_layer_share(lae_lstm_layer *layer, const lae_lstm_layer *owner)
{
    *layer = *owner;
    layer->gates = layer->hs = layer->cs = NULL;
}

void lae_lstm_layer_release(lae_lstm_layer *layer)
{
    lstmae_tensor_destroy(layer->gates);
    lstmae_tensor_destroy(layer->hs);
    lstmae_tensor_destroy(layer->cs);
}

lstmae_status lae_lstm_layer_reserve(lae_lstm_layer *layer, lstmae_context *context, int64_t T, int64_t B)
{
    int64_t gates[3] = { T, B, 4 * layer->H }, state[3] = { T + 1, B, layer->H };
    LAE_TRY(lae_tensor_ensure(&layer->gates, context, context->dtype, 3, gates));
    LAE_TRY(lae_tensor_ensure(&layer->hs, context, context->dtype, 3, state));
    return lae_tensor_ensure(&layer->cs, context, context->dtype, 3, state);
}

static void *layer_value(const lae_param *param)
{
    return param ? param->value->view.data : NULL;
}

lstmae_lstm_args lae_lstm_layer_args(const lae_lstm_layer *layer, int64_t first, int64_t T, int64_t B)
{
    lstmae_lstm_args args = { .struct_size = sizeof args, .T = T, .B = B, .I = layer->I, .H = layer->H };
    int dtype = layer->gates->view.dtype;
    args.flags = layer->reverse ? LSTMAE_SEQ_REVERSE : 0;
    args.dtype = dtype;
    args.w_ih = layer_value(layer->w_ih);
    args.w_hh = layer_value(layer->w_hh);
    args.b_ih = layer_value(layer->b_ih);
    args.b_hh = layer_value(layer->b_hh);
    args.peephole = layer_value(layer->peephole);
    args.gates = lae_at(layer->gates->view.data, first * B * 4 * layer->H, dtype);
    args.hs = lae_at(layer->hs->view.data, first * B * layer->H, dtype);
    args.cs = lae_at(layer->cs->view.data, first * B * layer->H, dtype);
    return args;
}

lstmae_status lae_lstm_layer_forward(lae_lstm_layer *layer, lstmae_lstm_args *args)
{
    if (args->x) LAE_TRY(lae_param_prepared(layer->w_ih, LSTMAE_PREPARE_GATES, &args->prepared_ih));
    LAE_TRY(lae_param_prepared(layer->w_hh, LSTMAE_PREPARE_GATES, &args->prepared_hh));
    return lae_op_lstm_forward(layer->gates->storage->context, args);
}

lstmae_status lae_lstm_layer_backward(lae_lstm_layer *layer, lstmae_lstm_args *args)
{
    if (args->dx) LAE_TRY(lae_param_prepared(layer->w_ih, LSTMAE_PREPARE_BACKWARD, &args->prepared_ih));
    LAE_TRY(lae_param_prepared(layer->w_hh, LSTMAE_PREPARE_BACKWARD, &args->prepared_hh));
    return lae_op_lstm_backward(layer->gates->storage->context, args);
}

lstmae_status lae_lstm_layer_weight_gradient(lae_lstm_layer *layer, int64_t T, int64_t B, const lae_sequence *input,
                                             int64_t input_first, int zero_state)
{
    lstmae_context *context = layer->gates->storage->context;
    if (T > input_first && input->data) {
        /* the input's products start later than the state's where the first steps had no input */
        lstmae_lstm_args args = lae_lstm_layer_args(layer, input_first, T - input_first, B);
        args.x = input->data;
        args.x_step = input->step;
        args.x_batch = input->batch;
        LAE_TRY(lae_param_grads(&layer->w_ih, &args.dw_ih, 1, &args.beta));
        LAE_TRY(lae_op_lstm_weight_gradient(context, &args));
    }
    lstmae_lstm_args args = lae_lstm_layer_args(layer, 0, T, B);
    lae_param *params[4] = { layer->w_hh, layer->b_ih, layer->b_hh, layer->peephole };
    void *grads[4] = { NULL, NULL, NULL, NULL };
    if (zero_state) args.flags |= LSTMAE_SEQ_ZERO_STATE;
    LAE_TRY(lae_param_grads(params, grads, 4, &args.beta));
    args.dw_hh = grads[0];
    args.db_ih = grads[1];
    args.db_hh = grads[2];
    args.dpeephole = grads[3];
    return lae_op_lstm_weight_gradient(context, &args);
}

static lstmae_view layer_state(const lstmae_tensor *states, int64_t s, int64_t B, int64_t H)
{
    int64_t dims[2] = { B, H };
    return lae_view_of(lae_at(states->view.data, s * B * H, states->view.dtype), states->view.dtype, 2, dims);
}

lstmae_view lae_lstm_layer_h(const lae_lstm_layer *layer, int64_t s, int64_t B)
{
    return layer_state(layer->hs, s, B, layer->H);
}

lstmae_view lae_lstm_layer_c(const lae_lstm_layer *layer, int64_t s, int64_t B)
{
    return layer_state(layer->cs, s, B, layer->H);
}
