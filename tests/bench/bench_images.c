/* The autoencoders of two well-known tutorials: the networks, the numbers of which are in docs/benchmarks.md. */
#include "bench_count.h"
#include "bench_workloads.h"

static void run_train(void *payload)
{
    bench_model *model = payload;
    const lstmae_tensor *y = NULL, *dy = NULL;
    double value = 0;
    bench_check(lstmae_module_zero_grad(model->module));
    bench_check(lstmae_module_forward(model->module, model->x, &y));
    bench_check(lstmae_loss_compute(model->loss, y, model->x, NULL, &value, &dy));
    bench_check(lstmae_module_backward(model->module, dy, NULL));
    bench_check(lstmae_optimizer_step(model->optimizer));
}

static void append(bench_model *model, lstmae_module *child)
{
    bench_check(lstmae_sequential_append(model->module, child));
}

static void append_linear(bench_model *model, lstmae_context *context, int64_t in, int64_t out)
{
    lstmae_module *linear = NULL;
    bench_check(lstmae_linear_create(&linear, context, in, out, 0));
    append(model, linear);
}

/* Loss, Adam and the mode "train" for a module that is complete. */
static void add_training(bench_model *model, lstmae_context *context, int reduction, double operations)
{
    lstmae_loss_options loss = LSTMAE_LOSS_OPTIONS_INIT;
    lstmae_optimizer_options adam = LSTMAE_ADAM_OPTIONS_INIT;
    loss.reduction = reduction;
    loss.batch_axis = 0;
    bench_check(lstmae_loss_create(&model->loss, context, &loss));
    bench_check(lstmae_optimizer_create(&model->optimizer, model->module, &adam));
    bench_add_mode(model, "train", run_train, operations, 0);
}

/** Two linear layers, 784 to 20 to 784; mean squared error. */
void bench_create_mnist_linear(const bench_workload *w, bench_model *model, lstmae_context *context)
{
    const int64_t pixels = 784, latent = 20, dims[] = { w->B, pixels };
    bench_ops encoder = bench_count_linear(w->B, pixels, latent), decoder = bench_count_linear(w->B, latent, pixels);
    encoder.data = 0;
    bench_check(lstmae_sequential_create(&model->module, context));
    append_linear(model, context, pixels, latent);
    append_linear(model, context, latent, pixels);
    model->x = bench_tensor(context, 2, dims);
    add_training(model, context, LSTMAE_REDUCTION_MEAN, bench_ops_total(bench_ops_sum(encoder, decoder)));
}
