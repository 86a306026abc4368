/* The autoencoders of images of two well-known tutorials; docs/benchmarks.md describes them. */
#include "bench_count.h"
#include "bench_workloads.h"

static lstmae_status image_step(bench_model *model, double scale, double *loss)
{
    const lstmae_tensor *y = NULL, *dy = NULL;
    (void)scale; /* 1: batches are not accumulated */
    bench_check(lstmae_module_set_training(model->module, 1));
    bench_check(lstmae_module_forward(model->module, model->x, &y));
    bench_check(lstmae_loss_compute(model->loss, y, model->x, NULL, loss, &dy));
    return lstmae_module_backward(model->module, dy, NULL);
}

static void run_infer(void *payload)
{
    bench_model *model = payload;
    bench_check(lstmae_module_set_training(model->module, 0));
    bench_check(lstmae_module_forward(model->module, model->x, NULL));
}

/* A network that grows, and the operations of its layers on a batch of images. */
typedef struct network {
    lstmae_context *context;
    lstmae_module *chain;
    int64_t batch;
    int64_t channels, size; /* of the images that leave the last layer */
    bench_ops ops;
    double outputs; /* elements of what convolutions and linear layers give */
} network;

static network start(const bench_workload *w, bench_model *model, lstmae_context *context, int64_t channels,
                     int64_t size)
{
    bench_check(lstmae_sequential_create(&model->module, context));
    return (network){ .context = context, .chain = model->module, .batch = w->B, .channels = channels, .size = size };
}

static void append(network *net, lstmae_module *child)
{
    bench_check(lstmae_sequential_append(net->chain, child));
}

static void activation(network *net, lstmae_activation kind)
{
    lstmae_module *module = NULL;
    bench_check(lstmae_activation_create(&module, net->context, kind));
    append(net, module);
}

/* The input of the first layer needs no gradient. */
static uint32_t wanted(const network *net)
{
    return net->ops.forward > 0 ? BENCH_INPUT_GRAD : 0;
}

static void linear(network *net, int64_t in, int64_t out)
{
    lstmae_module *module = NULL;
    bench_ops ops = bench_count_linear(net->batch, in, out);
    if (!wanted(net)) ops.data = 0;
    net->ops = bench_ops_sum(net->ops, ops);
    net->outputs += (double)(net->batch * out);
    bench_check(lstmae_linear_create(&module, net->context, in, out, 0));
    append(net, module);
}

static void add_outputs(network *net)
{
    net->outputs += (double)(net->batch * net->channels * net->size * net->size);
}

/* 3x3 with padding 1. */
static void conv(network *net, int64_t out, int64_t stride)
{
    lstmae_conv_options options = LSTMAE_CONV_OPTIONS_INIT;
    lstmae_module *module = NULL;
    options.padding[0] = options.padding[1] = 1;
    options.stride[0] = options.stride[1] = stride;
    net->ops = bench_ops_sum(net->ops, bench_count_conv(net->batch, net->channels, net->size, net->size, out, 3, stride,
                                                        1, wanted(net)));
    bench_check(lstmae_conv2d_create(&module, net->context, net->channels, out, &options));
    append(net, module);
    net->channels = out;
    net->size /= stride;
    add_outputs(net);
}

/* The transposed one, to images `stride` times as large. */
static void conv_transposed(network *net, int64_t out, int64_t stride)
{
    lstmae_conv_options options = LSTMAE_CONV_OPTIONS_INIT;
    lstmae_module *module = NULL;
    options.padding[0] = options.padding[1] = 1;
    options.stride[0] = options.stride[1] = stride;
    options.output_padding[0] = options.output_padding[1] = stride - 1;
    bench_check(lstmae_conv_transpose2d_create(&module, net->context, net->channels, out, &options));
    append(net, module);
    net->size *= stride;
    net->ops = bench_ops_sum(net->ops, bench_count_conv(net->batch, out, net->size, net->size, net->channels, 3, stride,
                                                        1, wanted(net)));
    net->channels = out;
    add_outputs(net);
}

static void relu_batch_norm(network *net)
{
    lstmae_module *module = NULL;
    activation(net, LSTMAE_ACTIVATION_RELU);
    bench_check(lstmae_batch_norm_create(&module, net->context, net->channels, NULL));
    append(net, module);
}

static void max_pool(network *net)
{
    lstmae_module *module = NULL;
    bench_check(lstmae_max_pool2d_create(&module, net->context, NULL));
    append(net, module);
    net->size /= 2;
}

/*
 * Loss, Adam and training for a network that is complete. Its floor on a device counts `passes` over the float32
 * outputs of all layers: written and read forward; backward, the gradient written and read twice, and the output read
 * for the weights' gradient; batch norm and pooling add two.
 */
static void add_training(const network *net, bench_model *model, int reduction, double passes)
{
    bench_floor floor = { .parameters = 0 };
    lstmae_loss_options loss = LSTMAE_LOSS_OPTIONS_INIT;
    lstmae_optimizer_options adam = LSTMAE_ADAM_OPTIONS_INIT;
    loss.reduction = reduction;
    loss.batch_axis = 0;
    bench_check(lstmae_loss_create(&model->loss, net->context, &loss));
    bench_check(lstmae_optimizer_create(&model->optimizer, model->module, &adam));
    bench_floor_add(&floor, 1, bench_ops_total(net->ops), 0, passes * 4.0 * net->outputs);
    model->step = image_step;
    bench_add_training(model, bench_ops_total(net->ops), &floor);
}

/** 32x32 in three colours to 128 numbers: five convolutions, two linear layers, five convolutions back; GELU. */
void bench_create_cifar_uva(const bench_workload *w, bench_model *model, lstmae_context *context)
{
    const int64_t c = 32, latent = 128, inside[] = { 2 * c, 4, 4 }, dims[] = { w->B, 3, 32, 32 };
    const int64_t out[] = { c, c, 2 * c, 2 * c, 2 * c }, back[] = { 2 * c, 2 * c, c, c, 3 };
    network net = start(w, model, context, 3, 32);
    lstmae_module *module = NULL;
    for (int i = 0; i < 5; i++) {
        conv(&net, out[i], i % 2 ? 1 : 2);
        activation(&net, LSTMAE_ACTIVATION_GELU);
    }
    bench_check(lstmae_flatten_create(&module, context, 1, -1));
    append(&net, module);
    linear(&net, 32 * c, latent);
    linear(&net, latent, 32 * c);
    activation(&net, LSTMAE_ACTIVATION_GELU);
    bench_check(lstmae_unflatten_create(&module, context, 1, 3, inside));
    append(&net, module);
    for (int i = 0; i < 5; i++) {
        if (i % 2) conv(&net, back[i], 1);
        else conv_transposed(&net, back[i], 2);
        activation(&net, i < 4 ? LSTMAE_ACTIVATION_GELU : LSTMAE_ACTIVATION_TANH);
    }
    model->x = bench_tensor(context, 4, dims);
    if (w->B > 1) add_training(&net, model, LSTMAE_REDUCTION_BATCH_MEAN, 6);
    bench_mode *infer = bench_add_mode(model, "infer", run_infer, net.ops.forward, 0);
    bench_floor_add(&infer->floor, 1, net.ops.forward, 0, 2 * 4.0 * net.outputs);
}

/** 28x28 to 256 channels of 7x7 and back: batch norm after ReLU, two poolings, transposed convolutions. */
void bench_create_mnist_conv(const bench_workload *w, bench_model *model, lstmae_context *context)
{
    const int64_t dims[] = { w->B, 1, 28, 28 };
    network net = start(w, model, context, 1, 28);
    for (int64_t out = 16; out <= 64; out *= 2) {
        conv(&net, out, 1);
        relu_batch_norm(&net);
    }
    max_pool(&net);
    conv(&net, 128, 1);
    relu_batch_norm(&net);
    max_pool(&net);
    conv(&net, 256, 1);
    activation(&net, LSTMAE_ACTIVATION_RELU);
    conv_transposed(&net, 128, 2);
    relu_batch_norm(&net);
    conv_transposed(&net, 64, 1);
    relu_batch_norm(&net);
    conv_transposed(&net, 16, 1);
    relu_batch_norm(&net);
    conv_transposed(&net, 1, 2);
    activation(&net, LSTMAE_ACTIVATION_RELU);
    model->x = bench_tensor(context, 4, dims);
    add_training(&net, model, LSTMAE_REDUCTION_MEAN, 8);
}

/** Two linear layers, 784 to 20 to 784. */
void bench_create_mnist_linear(const bench_workload *w, bench_model *model, lstmae_context *context)
{
    const int64_t pixels = 784, latent = 20, dims[] = { w->B, pixels };
    network net = start(w, model, context, 1, 28);
    linear(&net, pixels, latent);
    linear(&net, latent, pixels);
    model->x = bench_tensor(context, 2, dims);
    add_training(&net, model, LSTMAE_REDUCTION_MEAN, 6);
}
