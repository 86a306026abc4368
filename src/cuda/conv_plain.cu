/*
 * Convolutions as they are defined (backend.h), for float64, for groups of few channels and for sizes beyond 32 bits:
 * one thread for one element of what is computed, channels innermost, so that depthwise ones read and write whole lines
 * of images with channels last. Weight gradients: one block for one weight, whose threads' sums in double are added in
 * a tree. Floor of a depthwise one: its images once, as its taps meet in the first-level cache.
 */
#include "conv_plan.h"
#include "launch.h"
#include "map_double.h"

constexpr int PLAIN_BLOCK = 256; /* two fill the registers of a multiprocessor; a tree over one has eight levels */

template <typename T>
struct plain_image {
    T *data;
    int64_t batch, channel, row, column;
    int64_t channels, height, width;

    __device__ __forceinline__ int64_t offset(int64_t b, int64_t c, int64_t y, int64_t x) const
    {
        return b * batch + c * channel + y * row + x * column;
    }
};

template <typename T>
struct plain_task {
    plain_image<T> x, y, linear;
    const T *w, *bias;
    T *dw;
    int64_t batch, channels, features; /* the latter two of one group */
    int64_t kernel[2], stride[2], padding[2], dilation[2];
    int transposed, map, derivative;
    T param;
    double beta;
};

/* Sums over the triples of an element of x, one of y and the weight between them: of one element of y ... */
template <typename T>
static __device__ T plain_forward(const plain_task<T> &task, int64_t b, int64_t k, int64_t p, int64_t q)
{
    const int64_t first = k / task.features * task.channels;
    T sum = 0;
    for (int64_t r = 0; r < task.kernel[0]; r++) {
        const int64_t h = p * task.stride[0] + r * task.dilation[0] - task.padding[0];
        if (h < 0 || h >= task.x.height) continue;
        for (int64_t s = 0; s < task.kernel[1]; s++) {
            const int64_t w = q * task.stride[1] + s * task.dilation[1] - task.padding[1];
            if (w < 0 || w >= task.x.width) continue;
            for (int64_t c = 0; c < task.channels; c++)
                sum = fma(task.w[((k * task.channels + c) * task.kernel[0] + r) * task.kernel[1] + s],
                          task.x.data[task.x.offset(b, first + c, h, w)], sum);
        }
    }
    return sum;
}

/* ... and of one of x. */
template <typename T>
static __device__ T plain_backward(const plain_task<T> &task, int64_t b, int64_t c, int64_t h, int64_t w)
{
    const int64_t first = c / task.channels * task.features, inside = c % task.channels;
    T sum = 0;
    for (int64_t r = 0; r < task.kernel[0]; r++) {
        const int64_t down = h + task.padding[0] - r * task.dilation[0], p = down / task.stride[0];
        if (down < 0 || down % task.stride[0] != 0 || p >= task.y.height) continue;
        for (int64_t s = 0; s < task.kernel[1]; s++) {
            const int64_t across = w + task.padding[1] - s * task.dilation[1], q = across / task.stride[1];
            if (across < 0 || across % task.stride[1] != 0 || q >= task.y.width) continue;
            for (int64_t k = first; k < first + task.features; k++)
                sum = fma(task.w[((k * task.channels + inside) * task.kernel[0] + r) * task.kernel[1] + s],
                          task.y.data[task.y.offset(b, k, p, q)], sum);
        }
    }
    return sum;
}

template <typename T>
static __global__ void __launch_bounds__(PLAIN_BLOCK, 2) conv_plain_kernel(const plain_task<T> task, int64_t numel)
{
    const plain_image<T> &out = task.transposed ? task.x : task.y;
    const int64_t step = static_cast<int64_t>(gridDim.x) * PLAIN_BLOCK;
    for (int64_t i = static_cast<int64_t>(blockIdx.x) * PLAIN_BLOCK + threadIdx.x; i < numel; i += step) {
        const int64_t channel = i % out.channels, pixel = i / out.channels, line = pixel / out.width;
        const int64_t x = pixel % out.width, y = line % out.height, b = line / out.height;
        T value = task.transposed ? plain_backward(task, b, channel, y, x) : plain_forward(task, b, channel, y, x);
        const int64_t at = task.linear.offset(b, channel, y, x);
        if (task.bias) value += task.bias[channel];
        if (task.derivative) value = lae_map_slope(task.map, task.param, value, task.linear.data[at]);
        else {
            if (task.linear.data) task.linear.data[at] = value;
            value = lae_map_value(task.map, task.param, value);
        }
        out.data[out.offset(b, channel, y, x)] = value;
    }
}

/* Block: weight [k, c, r, s]. Threads take every so many pixels of y. */
template <typename T>
static __device__ double plain_weight_part(const plain_task<T> &task, int64_t k, int64_t c, int64_t r, int64_t s)
{
    const int64_t channel = k / task.features * task.channels + c, pixels = task.batch * task.y.height * task.y.width;
    double sum = 0.0;
    for (int64_t i = threadIdx.x; i < pixels; i += PLAIN_BLOCK) {
        const int64_t q = i % task.y.width, line = i / task.y.width, p = line % task.y.height, b = line / task.y.height;
        const int64_t h = p * task.stride[0] + r * task.dilation[0] - task.padding[0];
        const int64_t w = q * task.stride[1] + s * task.dilation[1] - task.padding[1];
        if (h < 0 || h >= task.x.height || w < 0 || w >= task.x.width) continue;
        sum = fma(static_cast<double>(task.y.data[task.y.offset(b, k, p, q)]),
                  static_cast<double>(task.x.data[task.x.offset(b, channel, h, w)]), sum);
    }
    return sum;
}

template <typename T>
static __global__ void __launch_bounds__(PLAIN_BLOCK) conv_plain_weight_kernel(const plain_task<T> task, int64_t numel)
{
    LAE_SHARED(double, part, [PLAIN_BLOCK]);
    for (int64_t i = blockIdx.x; i < numel; i += gridDim.x) {
        const int64_t s = i % task.kernel[1], line = i / task.kernel[1], r = line % task.kernel[0];
        const int64_t pair = line / task.kernel[0];
        part[threadIdx.x] = plain_weight_part(task, pair / task.channels, pair % task.channels, r, s);
        __syncthreads();
        for (unsigned half = PLAIN_BLOCK / 2; half > 0; half /= 2) {
            if (threadIdx.x < half) part[threadIdx.x] += part[threadIdx.x + half];
            __syncthreads();
        }
        if (threadIdx.x == 0) { /* others begin the next weight, but leave part[0] to it */
            double sum = part[0];
            if (task.beta != 0.0) sum = fma(task.beta, static_cast<double>(task.dw[i]), sum);
            task.dw[i] = static_cast<T>(sum);
        }
    }
}

/* ---- host ---- */

template <typename T>
static plain_image<T> plain_image_of(const lstmae_view *view)
{
    return { static_cast<T *>(view->data), view->stride[0], view->stride[1], view->stride[2], view->stride[3],
             view->dim[1], view->dim[2], view->dim[3] };
}

template <typename T>
static plain_task<T> plain_task_of(const lstmae_conv_args *args, int transposed)
{
    plain_task<T> task = {};
    task.x = plain_image_of<T>(&args->x);
    task.y = plain_image_of<T>(&args->y);
    if (args->linear) task.linear = plain_image_of<T>(args->linear);
    task.w = static_cast<const T *>(args->w);
    task.bias = static_cast<const T *>(args->bias);
    task.dw = static_cast<T *>(args->dw);
    task.batch = args->x.dim[0];
    task.channels = args->x.dim[1] / args->groups;
    task.features = args->y.dim[1] / args->groups;
    for (int axis = 0; axis < 2; axis++) {
        task.kernel[axis] = args->kernel[axis];
        task.stride[axis] = args->stride[axis];
        task.padding[axis] = args->padding[axis];
        task.dilation[axis] = args->dilation[axis];
    }
    task.transposed = transposed;
    task.map = args->map;
    task.derivative = (args->flags & LSTMAE_CONV_DERIVATIVE) != 0;
    task.param = static_cast<T>(args->param);
    task.beta = args->beta;
    return task;
}

/* Blocks, which step through what is more. */
static unsigned plain_grid(const lstmae_queue *queue, int64_t blocks)
{
    const int64_t most = int64_t(queue->multiprocessors) * 64;
    return static_cast<unsigned>(blocks < most ? blocks : most);
}

template <typename T>
static lstmae_status plain_launch(lstmae_queue *queue, const lstmae_conv_args *args, int transposed)
{
    const int64_t *dim = transposed ? args->x.dim : args->y.dim, numel = dim[0] * dim[1] * dim[2] * dim[3];
    LAE_LAUNCH((conv_plain_kernel<T>), plain_grid(queue, (numel + PLAIN_BLOCK - 1) / PLAIN_BLOCK), PLAIN_BLOCK, 0,
               lae_cu_stream(queue), plain_task_of<T>(args, transposed), numel);
    return lae_cu_launched(queue, "conv_plain");
}

lstmae_status lae_cu_conv_plain(lstmae_queue *queue, const lstmae_conv_args *args, int transposed)
{
    return args->dtype == LSTMAE_F64 ? plain_launch<double>(queue, args, transposed)
                                     : plain_launch<float>(queue, args, transposed);
}

template <typename T>
static lstmae_status plain_weight_launch(lstmae_queue *queue, const lstmae_conv_args *args)
{
    const int64_t numel = args->y.dim[1] * (args->x.dim[1] / args->groups) * args->kernel[0] * args->kernel[1];
    LAE_LAUNCH((conv_plain_weight_kernel<T>), plain_grid(queue, numel), PLAIN_BLOCK, 0, lae_cu_stream(queue),
               plain_task_of<T>(args, 0), numel);
    return lae_cu_launched(queue, "conv_plain_weight");
}

lstmae_status lae_cu_conv_plain_weight(lstmae_queue *queue, const lstmae_conv_args *args)
{
    return args->dtype == LSTMAE_F64 ? plain_weight_launch<double>(queue, args)
                                     : plain_weight_launch<float>(queue, args);
}
