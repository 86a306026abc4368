/* A program of someone else's: C99 and C++98, and nothing but the installed headers. */
#include <lstmae/backend.h>
#include <lstmae/lstmae.h>

#include <stdio.h>

int main(void)
{
    const int64_t dims[3] = { 4, 2, 3 };
    float frames[4 * 2 * 3] = { 1.0f };
    lstmae_context_options context_options = LSTMAE_CONTEXT_OPTIONS_INIT;
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_context *context = NULL;
    lstmae_module *lstm = NULL;
    lstmae_tensor *input = NULL;
    const lstmae_tensor *output = NULL;

    if (lstmae_version() != LSTMAE_VERSION) return 2;
    context_options.threads = 1;
    options.layers = 2;
    if (lstmae_context_create(&context, "cpu", &context_options) < 0) goto failed;
    if (lstmae_lstm_create(&lstm, context, 3, 5, &options) < 0) goto failed;
    if (lstmae_tensor_wrap(&input, context, LSTMAE_F32, frames, 4 * 2 * 3, 3, dims, NULL) < 0) goto failed;
    if (lstmae_module_forward(lstm, input, &output) < 0) goto failed;
    if (lstmae_tensor_dim(output, 0) != 4 || lstmae_tensor_dim(output, 2) != 5) return 3;
    if (lstmae_context_create(NULL, "cpu", NULL) != LSTMAE_ERR_INVALID_ARG) return 4;

    lstmae_context_destroy(context);
    lstmae_tensor_destroy(input);
    lstmae_module_destroy(lstm);
    printf("lstmae %s\n", lstmae_version_string());
    return 0;

failed:
    fprintf(stderr, "%s\n", lstmae_last_error());
    return 1;
}
