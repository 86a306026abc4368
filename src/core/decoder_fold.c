#include "decoder_fold.h"

#include "ops.h"

#include <string.h>

/*
 * In multiples of the products of one step's input for one sample: (K-1) B of them, or the H + 1 columns of W_ih times
 * output. The fold has to win by a quarter, which pays for its copies.
 */
int lae_fold_pays(int64_t K, int64_t B, int64_t H)
{
    return 4 * (double)(K - 1) * (double)B > 5 * (double)(H + 1);
}

/* The part of a matrix [rows, stride] from column `first` on. */
static lstmae_view fold_columns(const lstmae_tensor *of, int64_t first, int64_t columns)
{
    int64_t dims[2] = { of->view.dim[0], columns };
    lstmae_view view = lae_view_of(lae_at(of->view.data, first, of->view.dtype), of->view.dtype, 2, dims);
    view.stride[0] = of->view.dim[1];
    return view;
}

/* A vector [n] as a column [n,1]. */
static lstmae_view fold_column(const lstmae_tensor *of)
{
    int64_t dims[2] = { lae_view_numel(&of->view), 1 };
    return lae_view_of(of->view.data, of->view.dtype, 2, dims);
}

static lstmae_status fold_reserve(lae_fold *fold, const lae_lstm *lstm, const lae_linear *out)
{
    lstmae_context *context = lstm->base.context;
    const int64_t H = lstm->H, F = out->out;
    int64_t weight[2] = { 4 * H, H }, bias[1] = { 4 * H }, output[2] = { F, H + 1 }, product[2] = { 4 * H, H + 1 };
    LAE_TRY(lae_tensor_ensure(&fold->weight.value, context, context->dtype, 2, weight));
    LAE_TRY(lae_tensor_ensure(&fold->bias.value, context, context->dtype, 1, bias));
    LAE_TRY(lae_tensor_ensure(&fold->output, context, context->dtype, 2, output));
    LAE_TRY(lae_tensor_ensure(&fold->product, context, context->dtype, 2, product));
    if (lae_lstm_at(lstm, 0, 0)->b_hh || fold->none.value) return LSTMAE_OK;
    LAE_TRY(lae_tensor_ensure(&fold->none.value, context, context->dtype, 1, bias));
    return lae_op_fill(context, &fold->none.value->view, 0.0);
}

/* product = W_ih [W_out | b_out] */
static lstmae_status fold_multiply(lae_fold *fold, const lae_lstm *lstm, const lae_linear *out)
{
    lstmae_context *context = lstm->base.context;
    const int64_t H = lstm->H, F = out->out;
    const lstmae_tensor *w_ih = lae_lstm_at(lstm, 0, 0)->w_ih->value;
    lstmae_view weights = fold_columns(fold->output, 0, H), biases = fold_columns(fold->output, H, 1);
    lstmae_view b_out = fold_column(out->bias->value);
    LAE_TRY(lae_op_copy(context, &weights, &out->weight->value->view));
    LAE_TRY(lae_op_copy(context, &biases, &b_out));
    lstmae_gemm_args g = { .struct_size = sizeof g, .M = 4 * H, .N = H + 1, .K = F, .lda = F, .ldb = H + 1 };
    g.a = w_ih->view.data;
    g.b = fold->output->view.data;
    g.c = fold->product->view.data;
    g.ldc = H + 1;
    g.dtype = w_ih->view.dtype;
    return lae_op_gemm(context, &g);
}

/* R and the bias from the product and what they are added to. */
static lstmae_status fold_add(lae_fold *fold, const lae_lstm *lstm)
{
    lstmae_context *context = lstm->base.context;
    const lae_lstm_layer *layer = lae_lstm_at(lstm, 0, 0);
    lstmae_view weights = fold_columns(fold->product, 0, lstm->H), biases = fold_columns(fold->product, lstm->H, 1);
    lstmae_view *weight = &fold->weight.value->view, bias = fold_column(fold->bias.value);
    LAE_TRY(lae_op_copy(context, weight, &layer->w_hh->value->view));
    LAE_TRY(lae_op_axpby(context, weight, 1.0, &weights, 1.0));
    lae_tensor_touch(fold->weight.value);
    if (!layer->b_ih) return lae_op_copy(context, &bias, &biases);
    lstmae_view b_ih = fold_column(layer->b_ih->value);
    LAE_TRY(lae_op_copy(context, &bias, &b_ih));
    return lae_op_axpby(context, &bias, 1.0, &biases, 1.0);
}

/* 1 if weight and bias are of these parameters as they are now; else notes them. */
static int fold_is_current(lae_fold *fold, const lae_lstm_layer *layer, const lae_linear *out)
{
    uint64_t versions[5] = { lae_tensor_version(layer->w_ih->value), lae_tensor_version(layer->w_hh->value),
                             lae_tensor_version(out->weight->value), lae_tensor_version(out->bias->value),
                             layer->b_ih ? lae_tensor_version(layer->b_ih->value) : 0 };
    if (fold->layer.w_hh && memcmp(versions, fold->versions, sizeof versions) == 0) return 1;
    memcpy(fold->versions, versions, sizeof versions);
    return 0;
}

lstmae_status lae_fold_make(lae_fold *fold, const lae_lstm *lstm, const lae_linear *out)
{
    const lae_lstm_layer *layer = lae_lstm_at(lstm, 0, 0);
    if (!fold_is_current(fold, layer, out)) {
        fold->layer.w_hh = NULL; /* nothing usable until all is done */
        LAE_TRY(fold_reserve(fold, lstm, out));
        LAE_TRY(fold_multiply(fold, lstm, out));
        LAE_TRY(fold_add(fold, lstm));
    }
    fold->layer = *layer; /* its memory may have moved */
    fold->layer.w_hh = &fold->weight;
    fold->layer.b_ih = &fold->bias;
    if (!layer->b_hh) fold->layer.b_hh = &fold->none;
    return LSTMAE_OK;
}

void lae_fold_release(lae_fold *fold)
{
    lae_buffer_release(&fold->weight.prepared);
    lstmae_tensor *tensors[] = { fold->weight.value, fold->bias.value, fold->none.value, fold->output, fold->product };
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) lstmae_tensor_destroy(tensors[i]);
}
