#include "values.h"

#include "shared/philox.h"

#include <math.h>
#include <stdlib.h>

static void *values_alloc(size_t count, size_t each)
{
    void *memory = calloc(count + 1, each);
    assert_non_null(memory);
    return memory;
}

lstmae_tensor *values_tensor(lstmae_context *context, int ndim, const int64_t *dims, const double *values)
{
    lstmae_tensor *tensor = NULL;
    assert_ok(lstmae_tensor_create(&tensor, context, lstmae_context_dtype(context), ndim, dims));
    if (values) values_write(tensor, values);
    return tensor;
}

void values_write(lstmae_tensor *tensor, const double *values)
{
    size_t count = (size_t)lstmae_tensor_numel(tensor);
    if (lstmae_tensor_dtype(tensor) == LSTMAE_F64) {
        assert_ok(lstmae_tensor_write(tensor, values, count * sizeof(double)));
        return;
    }
    float *narrow = values_alloc(count, sizeof(float));
    for (size_t i = 0; i < count; i++) narrow[i] = (float)values[i];
    lstmae_status status = lstmae_tensor_write(tensor, narrow, count * sizeof(float));
    free(narrow);
    assert_ok(status);
}

double *values_read(const lstmae_tensor *tensor)
{
    assert_non_null(tensor);
    size_t count = (size_t)lstmae_tensor_numel(tensor);
    double *values = values_alloc(count, sizeof(double));
    if (lstmae_tensor_dtype(tensor) == LSTMAE_F64) {
        assert_ok(lstmae_tensor_read(tensor, values, count * sizeof(double)));
        return values;
    }
    float *narrow = values_alloc(count, sizeof(float));
    assert_ok(lstmae_tensor_read(tensor, narrow, count * sizeof(float)));
    for (size_t i = 0; i < count; i++) values[i] = (double)narrow[i];
    free(narrow);
    return values;
}

void values_draw(double *out, size_t count, uint64_t seed, double scale)
{
    for (size_t i = 0; i < count; i++) {
        float unit = 2.0f * lae_unit_float(lae_philox_bits(seed, 0, i)) - 1.0f;
        out[i] = (double)((float)scale * unit);
    }
}

double values_error(const double *got, const double *want, size_t count)
{
    double worst = 0, size = 0;
    for (size_t i = 0; i < count; i++) {
        double error = fabs(got[i] - want[i]);
        if (!isfinite(error)) return INFINITY;
        if (error > worst) worst = error;
        if (fabs(want[i]) > size) size = fabs(want[i]);
    }
    return size > 0 ? worst / size : worst;
}
