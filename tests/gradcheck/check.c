#include "check.h"

#include "context_internal.h"

#include <math.h>
#include <stdlib.h>

#define CHECK_STEP (1.0 / 128.0)

check_totals check_all;

lstmae_context *check_context(void)
{
    return test_context("cpu:ref", LSTMAE_F64);
}

static void check_redraw(lstmae_tensor *tensor, uint64_t seed, double scale)
{
    double *values = values_read(tensor);
    values_draw(values, (size_t)lstmae_tensor_numel(tensor), seed, scale);
    values_write(tensor, values);
    free(values);
}

lstmae_tensor *check_draw(lstmae_context *context, int ndim, const int64_t *dims, uint64_t seed, double scale)
{
    lstmae_tensor *tensor = values_tensor(context, ndim, dims, NULL);
    check_redraw(tensor, seed, scale);
    return tensor;
}

double check_dot(const lstmae_tensor *a, const lstmae_tensor *b)
{
    double sum = 0, *left = values_read(a), *right = values_read(b);
    assert_int_equal(lstmae_tensor_numel(a), lstmae_tensor_numel(b));
    for (int64_t i = 0; i < lstmae_tensor_numel(a); i++) sum += left[i] * right[i];
    free(left);
    free(right);
    return sum;
}

void check_draw_params(lstmae_module *module, double scale)
{
    for (size_t i = 0; i < lstmae_module_param_count(module); i++)
        check_redraw(lstmae_module_param(module, i), 1000 + i, scale);
}

void check_add(check *c, const char *name, lstmae_tensor *tensor, const lstmae_tensor *gradient)
{
    assert_true(c->count < CHECK_MAX_ARRAYS);
    assert_non_null(gradient);
    assert_int_equal(lstmae_tensor_numel(tensor), lstmae_tensor_numel(gradient));
    c->arrays[c->count].name = name;
    c->arrays[c->count].tensor = tensor;
    c->arrays[c->count].gradient = values_read(gradient);
    c->count++;
}

void check_add_params(check *c, lstmae_module *module)
{
    for (size_t i = 0; i < lstmae_module_param_count(module); i++)
        check_add(c, lstmae_module_param_name(module, i), lstmae_module_param(module, i),
                  lstmae_module_param_grad(module, i));
}

/* An array whose elements are moved one at a time: the tensor, and its values on the host. */
typedef struct check_moving {
    lstmae_tensor *tensor;
    double *values;
} check_moving;

static double check_value_at(check *c, const check_moving *x, int64_t i, double value)
{
    x->values[i] = value;
    values_write(x->tensor, x->values);
    return c->value(c->payload);
}

/* f(x+n s) - f(x-n s) */
static double check_difference(check *c, const check_moving *x, int64_t i, double at, double n)
{
    const double step = n * CHECK_STEP;
    return check_value_at(c, x, i, at + step) - check_value_at(c, x, i, at - step);
}

/* With d_n the differences above: f'(x) = (45 d_1 - 9 d_2 + d_3) / (60 s) + O(s^6) */
static double check_numeric(check *c, const check_moving *x, int64_t i)
{
    const double at = x->values[i];
    double d1 = check_difference(c, x, i, at, 1), d2 = check_difference(c, x, i, at, 2);
    double d3 = check_difference(c, x, i, at, 3);
    x->values[i] = at;
    values_write(x->tensor, x->values);
    return (45 * d1 - 9 * d2 + d3) / (60 * CHECK_STEP);
}

static void check_fail(check *c, const char *array, int64_t i, double got, double want)
{
    print_error("%s: gradient of %s[%lld] is %.12g, central differences give %.12g\n", c->name, array, (long long)i,
                got, want);
    check_all.failures++;
}

static void check_array(check *c, size_t index)
{
    check_moving x = { c->arrays[index].tensor, values_read(c->arrays[index].tensor) };
    const double *gradient = c->arrays[index].gradient;
    int64_t count = lstmae_tensor_numel(x.tensor);
    double largest = 0;
    for (int64_t i = 0; i < count; i++) largest = fmax(largest, fabs(gradient[i]));
    for (int64_t i = 0; i < count; i++) {
        double numeric = check_numeric(c, &x, i), difference = fabs(gradient[i] - numeric);
        double size = fmax(fmax(fabs(gradient[i]), fabs(numeric)), fmax(1e-3 * largest, 1e-6));
        if (!(difference / size <= CHECK_LIMIT)) {
            check_fail(c, c->arrays[index].name, i, gradient[i], numeric);
            break;
        }
        check_all.worst = fmax(check_all.worst, difference / size);
    }
    free(x.values);
}

void check_run(check *c)
{
    int64_t zeros = 0, elements = 0;
    for (size_t k = 0; k < c->count; k++) {
        int64_t count = lstmae_tensor_numel(c->arrays[k].tensor);
        for (int64_t i = 0; i < count; i++) zeros += c->arrays[k].gradient[i] == 0.0;
        elements += count;
    }
    if (2 * zeros > elements) {
        print_error("%s: %lld of %lld gradients are zero\n", c->name, (long long)zeros, (long long)elements);
        check_all.failures++;
    }
    for (size_t k = 0; k < c->count; k++) {
        check_array(c, k);
        free(c->arrays[k].gradient);
    }
    c->count = 0;
    check_all.configurations++;
}

/* ---- layers ---- */

typedef struct check_layer_run {
    lstmae_module *module;
    lstmae_tensor *x, *dy;
} check_layer_run;

static double check_layer_value(void *payload)
{
    check_layer_run *run = payload;
    const lstmae_tensor *y = NULL;
    assert_ok(lstmae_module_forward(run->module, run->x, &y));
    return check_dot(y, run->dy);
}

void check_layer(const char *name, lstmae_module *module, int ndim, const int64_t *dims, double gap)
{
    lstmae_tensor *input = check_draw(lstmae_module_context(module), ndim, dims, 1, 1.5);
    double *x = values_read(input);
    for (int64_t i = 0; i < lstmae_tensor_numel(input); i++) x[i] += copysign(gap, x[i]);
    values_write(input, x);
    free(x);
    check_layer_at(name, module, input);
}

void check_layer_at(const char *name, lstmae_module *module, lstmae_tensor *x)
{
    check_layer_run run = { .module = module, .x = x };
    check c = { .name = name, .value = check_layer_value, .payload = &run };
    const lstmae_tensor *y = NULL, *dx = NULL;
    int64_t dims[LSTMAE_MAX_DIMS], out[LSTMAE_MAX_DIMS];
    int out_ndim = 0;
    for (int axis = 0; axis < lstmae_tensor_ndim(x); axis++) dims[axis] = lstmae_tensor_dim(x, axis);
    check_draw_params(module, 0.9);
    assert_ok(lstmae_module_output_shape(module, lstmae_tensor_ndim(x), dims, &out_ndim, out));
    run.dy = check_draw(lstmae_module_context(module), out_ndim, out, 2, 1.0);
    assert_ok(lstmae_module_forward(module, run.x, &y));
    assert_ok(lstmae_module_backward(module, run.dy, &dx));
    check_add_params(&c, module);
    check_add(&c, "the input", run.x, dx);
    check_run(&c);
    lstmae_tensor_destroy(run.x);
    lstmae_tensor_destroy(run.dy);
    lstmae_module_destroy(module);
}
