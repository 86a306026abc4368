/*
 * A kernel that touches memory which is not its own, in a child process: the context is lost, every later call says so
 * at once, what was read before can be saved, everything can be destroyed. No public call can do this; the test reaches
 * for the device's table.
 */
#include "gpu.h"

#include "context_internal.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N = 1024, SKIPPED = 77, BROKEN = 3 };

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s; last error: %s\n", __FILE__, __LINE__, #condition,         \
                    lstmae_last_error());                                                          \
            _exit(BROKEN);                                                                         \
        }                                                                                          \
    } while (0)

/* The host build of the plugin would end by a signal. */
static int has_memory_protection(void)
{
    for (int i = 0; i < lstmae_device_count(); i++) {
        lstmae_device_info info = LSTMAE_DEVICE_INFO_INIT;
        if (lstmae_device_query(&info, i) == LSTMAE_OK && strncmp(info.name, "cuda", 4) == 0)
            return strstr(info.description, "Host build") == NULL;
    }
    return 0;
}

/* y = x + x, both where no memory is. */
static lstmae_status cause_fault(lstmae_context *context)
{
    lstmae_view nowhere = { .dim = { N }, .stride = { 1 }, .ndim = 1, .dtype = LSTMAE_F32 };
    nowhere.data = (void *)(uintptr_t)4096;
    return context->api->axpby(context->queue, &nowhere, 1.0, &nowhere, 1.0);
}

static void save_host_copy(const float *values)
{
    char path[] = "/tmp/lstmae-gpu-XXXXXX";
    int file = mkstemp(path);
    EXPECT(file >= 0);
    EXPECT(write(file, values, N * sizeof(float)) == (ssize_t)(N * sizeof(float)));
    EXPECT(close(file) == 0 && remove(path) == 0);
}

static void child(void)
{
    lstmae_context *context = NULL, *second = NULL;
    lstmae_tensor *x = NULL;
    lstmae_module *layer = NULL;
    const lstmae_tensor *y = NULL;
    const int64_t dims[] = { 1, N };
    static float values[N];
    if (gpu_context(&context, 1) != LSTMAE_OK || !has_memory_protection()) _exit(SKIPPED);
    EXPECT(lstmae_tensor_create(&x, context, LSTMAE_F32, 2, dims) == LSTMAE_OK);
    EXPECT(lstmae_tensor_fill(x, 2.5) == LSTMAE_OK);
    EXPECT(lstmae_linear_create(&layer, context, N, N, 0) == LSTMAE_OK);
    EXPECT(lstmae_module_forward(layer, x, &y) == LSTMAE_OK);
    EXPECT(lstmae_tensor_read(x, values, sizeof(values)) == LSTMAE_OK);

    lstmae_status launched = cause_fault(context);
    EXPECT(launched == LSTMAE_OK || launched == LSTMAE_ERR_DEVICE);
    EXPECT(lstmae_context_synchronize(context) == LSTMAE_ERR_DEVICE);
    printf("%s\n", lstmae_last_error());
    EXPECT(lstmae_context_synchronize(context) == LSTMAE_ERR_DEVICE);
    EXPECT(strstr(lstmae_last_error(), "failed before"));
    EXPECT(lstmae_module_forward(layer, x, &y) == LSTMAE_ERR_DEVICE);
    EXPECT(strstr(lstmae_last_error(), "failed before"));
    EXPECT(lstmae_tensor_read(x, values, sizeof(values)) == LSTMAE_ERR_DEVICE);
    EXPECT(values[0] == 2.5f && values[N - 1] == 2.5f);
    save_host_copy(values);
    EXPECT(gpu_context(&second, 1) < 0); /* the process's use of this GPU is over; it says so and does not end it */
    printf("%s\n", lstmae_last_error());
    lstmae_module_destroy(layer);
    lstmae_tensor_destroy(x);
    lstmae_context_destroy(context);
    fflush(stdout);
    _exit(0);
}

static void test_fault(void **state)
{
    int status = 0;
    (void)state;
    fflush(stdout);
    pid_t process = fork(); /* before this process has touched a GPU */
    assert_true(process >= 0);
    if (process == 0) {
        alarm(120);
        child();
    }
    assert_int_equal(waitpid(process, &status, 0), process);
    if (WIFSIGNALED(status)) fail_msg("the child was ended by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) == SKIPPED) exit(SKIPPED);
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_fault) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
