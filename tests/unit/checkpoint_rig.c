#include "checkpoint_rig.h"

#include "faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char path_a[256], path_b[256];

int setup_paths(void **state)
{
    (void)state;
    snprintf(path_a, sizeof path_a, "%s", test_path("a.safetensors"));
    snprintf(path_b, sizeof path_b, "%s", test_path("b.safetensors"));
    return 0;
}

trainee_options options_of(lstmae_optimizer_options optimizer)
{
    trainee_options options = TRAINEE_OPTIONS_INIT;
    options.optimizer = optimizer;
    options.optimizer.lr = 0.02;
    options.optimizer.clip_norm = 0.5;
    return options;
}

trainee_options adam(void)
{
    lstmae_optimizer_options optimizer = LSTMAE_ADAM_OPTIONS_INIT;
    return options_of(optimizer);
}

void create_other(trainee *t, trainee_options options)
{
    lstmae_context_options context = LSTMAE_CONTEXT_OPTIONS_INIT;
    context.threads = 1;
    context.seed = 99;
    options.context = &context;
    assert_ok(trainee_create(t, &options));
}

unsigned char *read_all(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *size = (size_t)ftell(file);
    unsigned char *bytes = malloc(*size + 1);
    assert_non_null(bytes);
    rewind(file);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    bytes[*size] = '\0';
    return bytes;
}

void assert_same_files(const char *a, const char *b)
{
    size_t size_a, size_b;
    unsigned char *bytes_a = read_all(a, &size_a), *bytes_b = read_all(b, &size_b);
    assert_int_equal(size_a, size_b);
    assert_memory_equal(bytes_a, bytes_b, size_a);
    free(bytes_a);
    free(bytes_b);
}

void save(const trainee *t, const char *path)
{
    lstmae_checkpoint content = trainee_content(t);
    assert_ok(lstmae_checkpoint_save(path, &content));
}

void load(const trainee *t, const char *path)
{
    lstmae_checkpoint content = trainee_content(t);
    assert_ok(lstmae_checkpoint_load(path, &content));
}

lstmae_module *linear(lstmae_context *context, int64_t in, int64_t out)
{
    lstmae_module *module;
    assert_ok(lstmae_linear_create(&module, context, in, out, 0));
    return module;
}

lstmae_module *chain(lstmae_context *context, int64_t count)
{
    lstmae_module *whole;
    assert_ok(lstmae_sequential_create(&whole, context));
    for (int64_t i = 0; i < count; i++) {
        lstmae_module *part = linear(context, 3, 3);
        assert_ok(lstmae_sequential_append(whole, part));
    }
    return whole;
}
