#include "golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *golden_read(const char *path, size_t *size)
{
    FILE *stream = fopen(path, "rb");
    if (!stream) fail_msg("cannot open %s", path);
    assert_int_equal(fseek(stream, 0, SEEK_END), 0);
    *size = (size_t)ftell(stream);
    assert_int_equal(fseek(stream, 0, SEEK_SET), 0);
    uint8_t *bytes = malloc(*size);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, stream), *size);
    fclose(stream);
    return bytes;
}

void golden_open(golden_file *file, const char *name, lstmae_context *context)
{
    char path[1024];
    size_t size = 0;
    memset(file, 0, sizeof(*file));
    snprintf(path, sizeof(path), "%s/%s.safetensors", GOLDEN_DATA, name);
    file->bytes = golden_read(path, &size);
    assert_ok(lae_safetensors_parse(&file->content, lae_memory_default(), name, file->bytes, size));
    file->context = context;
    file->limit = lstmae_context_dtype(context) == LSTMAE_F64 ? GOLDEN_LIMIT_F64 : GOLDEN_LIMIT_F32;
}

static void golden_release(golden_file *file)
{
    for (size_t i = 0; i < file->array_count; i++) free(file->arrays[i]);
    file->array_count = 0;
}

void golden_close(golden_file *file)
{
    print_message("largest error %.2e\n", file->worst);
    golden_release(file);
    lae_safetensors_close(&file->content);
    free(file->bytes);
    assert_int_equal(file->failures, 0);
}

int golden_next(golden_file *file)
{
    golden_release(file);
    if (file->next == file->content.pair_count) return 0;
    file->name = file->content.text + file->content.pairs[file->next].key;
    file->config = file->content.text + file->content.pairs[file->next].value;
    file->next++;
    return 1;
}

void golden_select(golden_file *file, const char *name)
{
    file->next = 0;
    while (golden_next(file)) {
        if (strcmp(file->name, name) == 0) return;
    }
    fail_msg("golden: no case %s", name);
}

double golden_number(const golden_file *file, const char *key, double fallback)
{
    size_t length = strlen(key);
    for (const char *at = file->config; (at = strstr(at, key)) != NULL; at += length) {
        if ((at == file->config || at[-1] == ' ') && at[length] == '=') return strtod(at + length + 1, NULL);
    }
    return fallback;
}

int64_t golden_int(const golden_file *file, const char *key, int64_t fallback)
{
    return (int64_t)golden_number(file, key, (double)fallback);
}

golden_array golden_get(golden_file *file, const char *name)
{
    char key[256];
    golden_array array = { .count = 1 };
    snprintf(key, sizeof(key), "%s/%s", file->name, name);
    const lae_safetensors_tensor *tensor = lae_safetensors_find(&file->content, key);
    if (!tensor) return array;
    lae_safetensors_shape(&file->content, tensor, array.dim);
    array.ndim = tensor->rank;
    for (int axis = 0; axis < array.ndim; axis++) array.count *= (size_t)array.dim[axis];
    assert_true(file->array_count < GOLDEN_MAX_ARRAYS);
    array.values = malloc((array.count + 1) * sizeof(double));
    assert_non_null(array.values);
    file->arrays[file->array_count++] = array.values;
    const uint8_t *data = file->bytes + file->content.data + tensor->begin;
    if (tensor->type != LAE_SAFETENSORS_I64) {
        lae_safetensors_convert(array.values, LSTMAE_F64, data, tensor->type, array.count);
        return array;
    }
    for (size_t i = 0; i < array.count; i++) {
        int64_t whole;
        memcpy(&whole, data + i * sizeof(whole), sizeof(whole));
        array.values[i] = (double)whole;
    }
    return array;
}

lstmae_tensor *golden_tensor(golden_file *file, const char *name)
{
    golden_array array = golden_get(file, name);
    return array.values ? values_tensor(file->context, array.ndim, array.dim, array.values) : NULL;
}

static size_t golden_count(const golden_file *file, const char *prefix)
{
    char key[128];
    size_t count = 0;
    snprintf(key, sizeof(key), "%s/%s", file->name, prefix);
    for (size_t i = 0; i < file->content.count; i++) {
        const char *name = lae_safetensors_name(&file->content, &file->content.tensors[i]);
        if (strncmp(name, key, strlen(key)) == 0) count++;
    }
    return count;
}

static void golden_check_shape(golden_file *file, const char *name, const golden_array *array,
                               const lstmae_tensor *tensor)
{
    int same = lstmae_tensor_ndim(tensor) == array->ndim;
    for (int axis = 0; same && axis < array->ndim; axis++) same = lstmae_tensor_dim(tensor, axis) == array->dim[axis];
    if (!array->values || !same) fail_msg("%s: %s has another shape, or is not in the file", file->name, name);
}

void golden_load_params(golden_file *file, const char *prefix, lstmae_module *module)
{
    char name[192];
    assert_int_equal(lstmae_module_param_count(module), golden_count(file, prefix));
    for (size_t i = 0; i < lstmae_module_param_count(module); i++) {
        snprintf(name, sizeof(name), "%s%s", prefix, lstmae_module_param_name(module, i));
        golden_array array = golden_get(file, name);
        golden_check_shape(file, name, &array, lstmae_module_param(module, i));
        values_write(lstmae_module_param(module, i), array.values);
    }
}

void golden_compare_values(golden_file *file, const char *name, const double *got, size_t count, double limit)
{
    golden_array want = golden_get(file, name);
    double error = want.values && want.count == count ? values_error(got, want.values, count) : (double)INFINITY;
    if (error > file->worst) file->worst = error;
    if (error <= limit) return;
    print_error("%s: %s is off by %.3g of its largest element (limit %.3g)\n", file->name, name, error, limit);
    file->failures++;
}

void golden_compare(golden_file *file, const char *name, const lstmae_tensor *got)
{
    golden_array want = golden_get(file, name);
    golden_check_shape(file, name, &want, got);
    double *values = values_read(got);
    golden_compare_values(file, name, values, want.count, file->limit);
    free(values);
}

void golden_compare_grads(golden_file *file, lstmae_module *module)
{
    char name[192];
    assert_int_equal(lstmae_module_param_count(module), golden_count(file, "grad."));
    for (size_t i = 0; i < lstmae_module_param_count(module); i++) {
        snprintf(name, sizeof(name), "grad.%s", lstmae_module_param_name(module, i));
        golden_compare(file, name, lstmae_module_param_grad(module, i));
    }
}

int golden_setup_cpu(void **state)
{
    *state = test_context("cpu", LSTMAE_F32);
    return 0;
}

int golden_setup_ref(void **state)
{
    *state = test_context("cpu:ref", getenv("LSTMAE_TEST_DEVICE") ? LSTMAE_F64 : LSTMAE_F32);
    return 0;
}

int golden_setup_ref_f64(void **state)
{
    lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
    lstmae_context *context = NULL;
    options.dtype = LSTMAE_F64;
    if (lstmae_context_create(&context, "cpu:ref", &options) != LSTMAE_OK) return -1;
    *state = context;
    return 0;
}

int golden_teardown(void **state)
{
    lstmae_context_destroy(*state);
    return 0;
}
