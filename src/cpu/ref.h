/*
 * The reference kernels: what every entry of the backend table means, in loops that can be read. One element at a time,
 * any strides, arithmetic in double. The same text is compiled for float (ref_f32.c) and double (ref_f64.c).
 */
#ifndef LAE_CPU_REF_H
#define LAE_CPU_REF_H

#include <lstmae/backend.h>

#define REF_MOST_VIEWS 4

/** Walks views of one shape together, in row-major order. offset[v] is the current element of view v. */
typedef struct ref_cursor {
    int64_t left; /* elements not yet visited */
    int64_t offset[REF_MOST_VIEWS];
    int64_t stride[REF_MOST_VIEWS][LSTMAE_MAX_DIMS];
    int64_t dim[LSTMAE_MAX_DIMS], index[LSTMAE_MAX_DIMS];
    int views, ndim;
} ref_cursor;

/** Starts at the first element. The shape is views[0]'s; a NULL view stays at offset 0. */
void ref_cursor_start(ref_cursor *at, int count, const lstmae_view *const *views);
void ref_cursor_next(ref_cursor *at);

#define REF_FOR_EACH(at, count, ...)                                                               \
    for (ref_cursor_start(&(at), (count), (const lstmae_view *const[]){ __VA_ARGS__ }); (at).left > 0;                 \
         ref_cursor_next(&(at)))

/** The kernels of one element type; arguments as in lstmae_backend_api, kinds already checked. */
typedef struct ref_kernels {
    void (*copy)(const lstmae_view *dst, const lstmae_view *src);
    void (*fill)(const lstmae_view *dst, double value);
    void (*gemm)(const lstmae_gemm_args *args);
    void (*map)(int kind, double param, const lstmae_view *y, const lstmae_view *x);
    /** `from` is x or y, as lae_map_reads_input() says of the kind. */
    void (*map_backward)(int kind, double param, const lstmae_view *dx, const lstmae_view *dy, const lstmae_view *from);
    void (*axpby)(const lstmae_view *y, double alpha, const lstmae_view *x, double beta);
    void (*multiply)(const lstmae_view *y, const lstmae_view *a, const lstmae_view *b, double beta);
    void (*select)(const lstmae_view *y, const lstmae_view *mask, const lstmae_view *a, const lstmae_view *b);
    void (*reduce)(int kind, const lstmae_view *out, const lstmae_view *in, double beta);
    double (*sum_squares)(const lstmae_view *view);
    void (*random)(int kind, const lstmae_view *out, double a, double b, const lstmae_random_key *key);
    void (*dropout)(const lstmae_view *y, const lstmae_view *x, double p, const lstmae_random_key *key);
    double (*loss)(const lstmae_loss_args *args);
    void (*update)(const lstmae_update_args *args, const lstmae_update_tensor *tensor, double clip_factor);
    void (*lstm_cell_forward)(const lstmae_lstm_args *args, int64_t s);
    void (*lstm_cell_backward)(const lstmae_lstm_args *args, int64_t s);
    /** Without the map: `out` receives sum + bias. */
    void (*conv_forward)(const lstmae_conv_args *args, const lstmae_view *out);
    void (*conv_backward_data)(const lstmae_conv_args *args, const lstmae_view *out);
    void (*conv_weight_gradient)(const lstmae_conv_args *args);
    void (*pool_forward)(const lstmae_pool_args *args);
    void (*pool_backward)(const lstmae_pool_args *args);
    void (*upsample_forward)(const lstmae_upsample_args *args);
    void (*upsample_backward)(const lstmae_upsample_args *args);
    void (*batch_norm_forward)(const lstmae_norm_args *args);
    void (*batch_norm_backward)(const lstmae_norm_args *args);
    void (*layer_norm_forward)(const lstmae_norm_args *args);
    void (*layer_norm_backward)(const lstmae_norm_args *args);
} ref_kernels;

extern const ref_kernels ref_kernels_f32, ref_kernels_f64;

#endif
