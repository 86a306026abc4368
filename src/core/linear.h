/* y = x W^T + b over rows: the core of the linear module, of decoders' outputs and of bridges. */
#ifndef LAE_LINEAR_H
#define LAE_LINEAR_H

#include "module_internal.h"

typedef struct lae_linear {
    lstmae_context *context; /* that works; borrowed */
    int64_t in, out;
    lae_param *weight; /* [out,in] */
    lae_param *bias;   /* [out] or NULL */
} lae_linear;

/** Adds parameters prefix + "weight" and, if `with_bias`, prefix + "bias", uniform in +-1/sqrt(in), to `module`. */
lstmae_status lae_linear_init(lae_linear *linear, lstmae_module *module, const char *prefix, int64_t in, int64_t out,
                              int with_bias);

/** y [rows,out] = x [rows,in] W^T + b. Strides are of rows. */
lstmae_status lae_linear_forward(const lae_linear *linear, int64_t rows, const void *x, int64_t x_stride, void *y,
                                 int64_t y_stride);

/** dx [rows,in] = dy [rows,out] W + beta dx. */
lstmae_status lae_linear_backward(const lae_linear *linear, int64_t rows, const void *dy, int64_t dy_stride, void *dx,
                                  int64_t dx_stride, double beta);

/** dW += dy^T x, db += sum of rows of dy. */
lstmae_status lae_linear_weight_gradient(const lae_linear *linear, int64_t rows, const void *x, int64_t x_stride,
                                         const void *dy, int64_t dy_stride);

#endif
