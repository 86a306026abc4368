#include "lstm_compose.h"

static char *compose_at(const void *base, int64_t offset, const lstmae_lstm_args *a)
{
    return (char *)base + offset * (int64_t)lae_dtype_size(a->dtype);
}

/* Time of processing step s. */
static int64_t compose_time(const lstmae_lstm_args *a, int64_t s)
{
    return a->flags & LSTMAE_SEQ_REVERSE ? a->T - 1 - s : s;
}

static lstmae_gemm_args compose_gemm(const lstmae_lstm_args *a, uint32_t flags, int64_t M, int64_t N, int64_t K)
{
    lstmae_gemm_args g = { .struct_size = sizeof g, .flags = flags, .M = M, .N = N, .K = K, .dtype = a->dtype };
    return g;
}

lstmae_status lae_compose_lstm_forward(lstmae_context *context, const lstmae_lstm_args *a)
{
    int64_t B = a->B, H = a->H, G = 4 * H;
    for (int64_t s = 0; s < a->T; s++) {
        /* gates_s = W_ih x_t + W_hh h_{s-1}; the cell adds the biases */
        char *gates = compose_at(a->gates, s * B * G, a);
        double beta = 0.0;
        if (a->x && a->I > 0) {
            lstmae_gemm_args g = compose_gemm(a, LSTMAE_GEMM_TRANS_B, B, G, a->I);
            g.a = compose_at(a->x, compose_time(a, s) * a->x_step, a);
            g.lda = a->x_batch;
            g.b = a->w_ih;
            g.ldb = a->I;
            g.c = gates;
            g.ldc = G;
            LAE_TRY(lae_op_gemm(context, &g));
            beta = 1.0;
        }
        if (s > 0 || !(a->flags & LSTMAE_SEQ_ZERO_STATE)) {
            lstmae_gemm_args g = compose_gemm(a, LSTMAE_GEMM_TRANS_B, B, G, H);
            g.a = compose_at(a->hs, s * B * H, a);
            g.lda = H;
            g.b = a->w_hh;
            g.ldb = H;
            g.c = gates;
            g.ldc = G;
            g.beta = beta;
            LAE_TRY(lae_op_gemm(context, &g));
        } else if (beta == 0.0) {
            LAE_TRY(lae_op_zero(context, gates, a->dtype, B * G));
        }
        LAE_TRY(lae_op_lstm_cell_forward(context, a, s));
    }
    return LSTMAE_OK;
}

lstmae_status lae_compose_lstm_backward(lstmae_context *context, const lstmae_lstm_args *a)
{
    int64_t B = a->B, H = a->H, G = 4 * H;
    for (int64_t s = a->T - 1; s >= 0; s--) {
        LAE_TRY(lae_op_lstm_cell_backward(context, a, s));
        const char *gates = compose_at(a->gates, s * B * G, a);
        if (s > 0 || !(a->flags & LSTMAE_SEQ_NO_STATE_GRAD)) {
            /* dh_{s-1} += da_s W_hh */
            lstmae_gemm_args g = compose_gemm(a, 0, B, H, G);
            g.a = gates;
            g.lda = G;
            g.b = a->w_hh;
            g.ldb = H;
            g.c = a->dh;
            g.ldc = H;
            g.beta = 1.0;
            LAE_TRY(lae_op_gemm(context, &g));
        }
        if (a->dx && a->I > 0) {
            /* dx_t = da_s W_ih */
            lstmae_gemm_args g = compose_gemm(a, 0, B, a->I, G);
            g.a = gates;
            g.lda = G;
            g.b = a->w_ih;
            g.ldb = a->I;
            g.c = compose_at(a->dx, compose_time(a, s) * a->dx_step, a);
            g.ldc = a->dx_batch;
            LAE_TRY(lae_op_gemm(context, &g));
        }
    }
    return LSTMAE_OK;
}

/* db = beta db + sum over steps and batch of da. */
static lstmae_status compose_bias_gradient(lstmae_context *context, const lstmae_lstm_args *a, void *db)
{
    int64_t in_dims[2] = { a->T * a->B, 4 * a->H }, out_dims[2] = { 1, 4 * a->H };
    lstmae_view in = lae_view_of(a->gates, a->dtype, 2, in_dims), out = lae_view_of(db, a->dtype, 2, out_dims);
    if (a->T == 0) return a->beta == 0.0 ? lae_op_fill(context, &out, 0.0) : LSTMAE_OK;
    return lae_op_reduce(context, LSTMAE_REDUCE_SUM, &out, &in, a->beta);
}

/*
 * dp_i = sum di c_{s-1}, dp_f = sum df c_{s-1}, dp_o = sum do c_s (Gers and Schmidhuber 2000). The products take the
 * place of da's cell part, which is no longer needed once weight gradients are computed: they are last.
 */
static lstmae_status compose_peephole_gradient(lstmae_context *context, const lstmae_lstm_args *a)
{
    static const int gate_of[3] = { 0, 1, 3 }, shift[3] = { 0, 0, 1 };
    int64_t rows = a->T * a->B, H = a->H;
    for (int p = 0; p < 3; p++) {
        int64_t dims[2] = { rows, H }, out_dims[2] = { 1, H };
        lstmae_view gate = lae_view_of(compose_at(a->gates, gate_of[p] * H, a), a->dtype, 2, dims);
        gate.stride[0] = 4 * H;
        lstmae_view cell = lae_view_of(compose_at(a->cs, shift[p] * a->B * H, a), a->dtype, 2, dims);
        lstmae_view product = lae_view_of(compose_at(a->gates, 2 * H, a), a->dtype, 2, dims);
        product.stride[0] = 4 * H;
        lstmae_view out = lae_view_of(compose_at(a->dpeephole, p * H, a), a->dtype, 2, out_dims);
        if (rows == 0) {
            if (a->beta == 0.0) LAE_TRY(lae_op_fill(context, &out, 0.0));
            continue;
        }
        LAE_TRY(lae_op_multiply(context, &product, &gate, &cell, 0.0));
        LAE_TRY(lae_op_reduce(context, LSTMAE_REDUCE_SUM, &out, &product, a->beta));
    }
    return LSTMAE_OK;
}

/* dW_ih = beta dW_ih + sum over steps of da_s^T x_t; one product per step where rows do not lie evenly. */
static lstmae_status compose_input_gradient(lstmae_context *context, const lstmae_lstm_args *a)
{
    int64_t B = a->B, G = 4 * a->H;
    double beta = a->beta;
    if (!a->x || a->T == 0)
        return beta == 0.0 ? lae_op_zero(context, a->dw_ih, a->dtype, G * a->I) : LSTMAE_OK;
    int even = !(a->flags & LSTMAE_SEQ_REVERSE) && a->x_step == B * a->x_batch;
    for (int64_t s = 0; s < (even ? 1 : a->T); s++) {
        lstmae_gemm_args g = compose_gemm(a, LSTMAE_GEMM_TRANS_A, G, a->I, even ? a->T * B : B);
        g.a = compose_at(a->gates, s * B * G, a);
        g.lda = G;
        g.b = compose_at(a->x, compose_time(a, s) * a->x_step, a);
        if (even) g.b = a->x;
        g.ldb = a->x_batch;
        g.c = a->dw_ih;
        g.ldc = a->I;
        g.beta = beta;
        LAE_TRY(lae_op_gemm(context, &g));
        beta = 1.0;
    }
    return LSTMAE_OK;
}

lstmae_status lae_compose_lstm_weight_gradient(lstmae_context *context, const lstmae_lstm_args *a)
{
    int64_t B = a->B, H = a->H, G = 4 * H;
    if (a->dw_ih) LAE_TRY(compose_input_gradient(context, a));
    if (a->dw_hh) {
        /* dW_hh = sum over steps of da_s^T h_{s-1}; the first rows of hs are zero without an initial state */
        int64_t skip = a->flags & LSTMAE_SEQ_ZERO_STATE ? B : 0;
        lstmae_gemm_args g = compose_gemm(a, LSTMAE_GEMM_TRANS_A, G, H, a->T * B - skip);
        g.a = compose_at(a->gates, skip * G, a);
        g.lda = G;
        g.b = compose_at(a->hs, skip * H, a);
        g.ldb = H;
        g.c = a->dw_hh;
        g.ldc = H;
        g.beta = a->beta;
        if (g.K > 0) LAE_TRY(lae_op_gemm(context, &g));
        else if (a->beta == 0.0) LAE_TRY(lae_op_zero(context, a->dw_hh, a->dtype, G * H));
    }
    if (a->db_ih) LAE_TRY(compose_bias_gradient(context, a, a->db_ih));
    if (a->db_hh) LAE_TRY(compose_bias_gradient(context, a, a->db_hh));
    if (a->dpeephole) LAE_TRY(compose_peephole_gradient(context, a));
    return LSTMAE_OK;
}
