/*
 * One optimizer step over many tensors in one launch; the equations are in docs/numerics.md. Elements are computed as
 * the CPU computes them, in the tensors' type, from numbers that each block derives in double: the gradient's factor
 * comes from its norm, which is on the device, and so in a captured step do the rate and the moments' corrections.
 *
 * The floor is the memory's bandwidth, with Adam 28 bytes for a float parameter.
 */
#include "entries.h"
#include "pointwise.h"
#include "tensor_list.h"

#include "shared/clip.h"
#include "shared/guard.h"

/* Eight blocks fill a multiprocessor; those that wait for their numbers are covered by the others. */
constexpr int UPDATE_BLOCK = 256;

/* Elements of a unit: least, a few packs for each thread, and most, about 5 microseconds' work. */
constexpr int64_t UPDATE_LEAST = 2048, UPDATE_MOST = 16384;

struct update_tensor {
    void *param;
    const void *grad;
    void *m, *v, *a;
    int64_t count;
    double decay;
    int first;  /* of its units */
    int packed; /* 1: all are aligned to packs */
};

/* What all tensors share, as in lstmae_update_args. */
struct update_call {
    int kind, dtype;
    uint32_t flags;
    int guard_count;
    double lr, momentum, beta1, beta2, eps, rho, velocity_clip, value_clip, bias1, bias2, max_norm;
    const double *norm_sq, *guard;
    const lae_cu_step *step; /* lr, bias1, bias2 of a captured step; NULL: the numbers above */
};

constexpr int UPDATE_TENSORS = (LAE_CU_PARAMETER_BYTES - sizeof(update_call) - 32) / sizeof(update_tensor);

struct update_list {
    update_call call;
    int64_t unit; /* elements, a multiple of a pack */
    int count;
    update_tensor tensors[UPDATE_TENSORS];
};
static_assert(sizeof(update_list) <= LAE_CU_PARAMETER_BYTES, "a kernel's parameters");

/* ---- numbers ---- */

template <typename T>
struct update_numbers {
    int left_out;
    T clip_factor;               /* of the gradient, from the global norm */
    T value_clip, velocity_clip; /* Inf: none */
    T decay;                     /* added to the gradient */
    T shrink;                    /* the parameter is multiplied by this before: decoupled decay */
    T lr;                        /* Adam: lr / bias1 */
    T momentum, beta1, rest1, beta2, rest2, rho, rest_rho, eps;
    T root_bias2; /* Adam: sqrt(bias2) */
};

template <typename T>
static __device__ void update_derive(const update_call &call, double decay, update_numbers<T> *numbers)
{
    const double lr = call.step ? call.step->lr : call.lr, bias1 = call.step ? call.step->bias1 : call.bias1;
    const double bias2 = call.step ? call.step->bias2 : call.bias2;
    const int adam = call.kind == LSTMAE_UPDATE_ADAM, decoupled = (call.flags & LSTMAE_UPDATE_DECOUPLED_DECAY) != 0;
    numbers->left_out = lae_update_left_out(call.flags, call.norm_sq, call.guard, call.guard_count);
    numbers->clip_factor = (T)(call.max_norm > 0.0 ? lae_clip_factor(*call.norm_sq, call.max_norm) : 1.0);
    numbers->value_clip = (T)(call.value_clip > 0.0 ? call.value_clip : INFINITY);
    numbers->velocity_clip = (T)(call.velocity_clip > 0.0 ? call.velocity_clip : INFINITY);
    numbers->decay = (T)(decoupled ? 0.0 : decay);
    numbers->shrink = (T)(decoupled ? 1.0 - lr * decay : 1.0);
    numbers->lr = (T)(adam ? lr / bias1 : lr);
    numbers->momentum = (T)call.momentum;
    numbers->beta1 = (T)call.beta1;
    numbers->rest1 = (T)(1.0 - call.beta1);
    numbers->beta2 = (T)call.beta2;
    numbers->rest2 = (T)(1.0 - call.beta2);
    numbers->rho = (T)call.rho;
    numbers->rest_rho = (T)(1.0 - call.rho);
    numbers->eps = (T)call.eps;
    numbers->root_bias2 = (T)(adam ? sqrt(bias2) : 1.0);
}

/* ---- one element ---- */

/* Keeps a NaN. */
template <typename T>
static __device__ __forceinline__ T update_clamp(T x, T most)
{
    x = x > most ? most : x;
    return x < -most ? -most : x;
}

/* m = mu m + g;  step = m, with Nesterov g + mu m */
template <typename T>
static __device__ __forceinline__ T update_sgd(const update_numbers<T> &n, uint32_t flags, T g, T &m)
{
    m = update_clamp(fma(n.momentum, m, g), n.velocity_clip);
    return flags & LSTMAE_UPDATE_NESTEROV ? fma(n.momentum, m, g) : m;
}

/* m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2;  step = m / (sqrt(v) / sqrt(bias2) + eps) */
template <typename T>
static __device__ __forceinline__ T update_adam(const update_numbers<T> &n, T g, T &m, T &v)
{
    m = fma(n.beta1, m, n.rest1 * g);
    v = fma(n.beta2, v, n.rest2 * g * g);
    return m / (sqrt(v) / n.root_bias2 + n.eps);
}

/*
 * v = rho v + (1-rho) g^2;  centered: a = rho a + (1-rho) g, else a = 0
 * PyTorch: step = g / (sqrt(v - a^2) + eps);  TF1: step = lr g / sqrt(v - a^2 + eps)
 */
template <typename T>
static __device__ __forceinline__ T update_rmsprop(const update_numbers<T> &n, uint32_t flags, T g, T &v, T &a)
{
    T spread = v = fma(n.rho, v, n.rest_rho * g * g);
    if (flags & LSTMAE_UPDATE_CENTERED) {
        a = fma(n.rho, a, n.rest_rho * g);
        spread = fma(-a, a, v);
        spread = spread < 0 ? T(0) : spread; /* v >= a^2 but for rounding */
    }
    return flags & LSTMAE_UPDATE_TF1 ? n.lr * g / sqrt(spread + n.eps) : g / (sqrt(spread) + n.eps);
}

/* The parameter after the step; `velocity` says whether m is there for SGD and RMSProp. */
template <typename T>
static __device__ __forceinline__ T update_element(const update_call &call, const update_numbers<T> &n, int velocity,
                                                   T p, T g, T &m, T &v, T &a)
{
    T step, lr = n.lr;
    g = fma(n.decay, p, update_clamp(g * n.clip_factor, n.value_clip));
    if (call.kind == LSTMAE_UPDATE_SGD) step = velocity ? update_sgd(n, call.flags, g, m) : g;
    else if (call.kind == LSTMAE_UPDATE_ADAM) step = update_adam(n, g, m, v);
    else {
        step = update_rmsprop(n, call.flags, g, v, a);
        if (velocity) step = m = fma(n.momentum, m, step);
        if (call.flags & LSTMAE_UPDATE_TF1) lr = 1;
    }
    return fma(-lr, step, n.shrink * p);
}

/* ---- all elements ---- */

template <int N, typename T>
static __device__ __forceinline__ void update_load(T (&to)[N], const void *from, int64_t at)
{
    for (int i = 0; i < N; i++) to[i] = 0;
    if (from) lae_cu_load(to, static_cast<const T *>(from) + at, 0);
}

template <int N, typename T>
static __device__ __forceinline__ void update_store(void *to, int64_t at, const T (&from)[N])
{
    if (to) lae_cu_store(static_cast<T *>(to) + at, from);
}

template <int N, typename T>
static __device__ __forceinline__ void update_pack(const update_call &call, const update_tensor &tensor,
                                                   const update_numbers<T> &numbers, int64_t at)
{
    T p[N], g[N], m[N], v[N], a[N];
    update_load<N>(p, tensor.param, at);
    update_load<N>(g, tensor.grad, at);
    update_load<N>(m, tensor.m, at);
    update_load<N>(v, tensor.v, at);
    update_load<N>(a, tensor.a, at);
#pragma unroll
    for (int i = 0; i < N; i++)
        p[i] = update_element(call, numbers, tensor.m != nullptr, p[i], g[i], m[i], v[i], a[i]);
    update_store<N>(tensor.param, at, p);
    update_store<N>(tensor.m, at, m);
    update_store<N>(tensor.v, at, v);
    update_store<N>(tensor.a, at, a);
}

template <typename T>
static __global__ void __launch_bounds__(UPDATE_BLOCK)
update_kernel(const update_list list)
{
    constexpr int width = sizeof(T) == sizeof(float) ? LAE_CU_PACK : 1;
    const update_tensor &tensor = list.tensors[lae_cu_tensor_of(list.tensors, list.count, (int)blockIdx.x)];
    const int64_t begin = ((int)blockIdx.x - tensor.first) * list.unit, left = tensor.count - begin;
    const int n = (int)(left < list.unit ? left : list.unit), packs = tensor.packed ? n / width : 0;
    LAE_SHARED(update_numbers<T>, shared, [1]);
    if (threadIdx.x == 0) update_derive(list.call, tensor.decay, &shared[0]);
    __syncthreads();
    const update_numbers<T> numbers = shared[0];
    if (numbers.left_out) return;
    for (int i = (int)threadIdx.x; i < packs; i += UPDATE_BLOCK)
        update_pack<width>(list.call, tensor, numbers, begin + i * width);
    for (int i = packs * width + (int)threadIdx.x; i < n; i += UPDATE_BLOCK)
        update_pack<1>(list.call, tensor, numbers, begin + i);
}

/* ---- launches ---- */

static update_call update_call_of(const lstmae_queue *queue, const lstmae_update_args *args)
{
    return { args->kind, args->dtype, args->flags, (int)args->guard_count, args->lr, args->momentum, args->beta1,
             args->beta2, args->eps, args->rho, args->velocity_clip, args->value_clip, args->bias1, args->bias2,
             args->max_norm, args->norm_sq, args->guard, lae_cu_step_of(queue) };
}

/* So many that all multiprocessors have a few; elements do not see where units begin. */
static int64_t update_unit(const lstmae_queue *queue, const lstmae_update_args *args)
{
    int64_t count = 0;
    for (int64_t k = 0; k < args->count; k++) count += args->tensors[k].count;
    const int64_t unit = count / (16 * queue->multiprocessors) / UPDATE_LEAST * UPDATE_LEAST;
    return unit < UPDATE_LEAST ? UPDATE_LEAST : unit < UPDATE_MOST ? unit : UPDATE_MOST;
}

static int update_packed(const lstmae_update_tensor *tensor)
{
    const uintptr_t bits = reinterpret_cast<uintptr_t>(tensor->param) | reinterpret_cast<uintptr_t>(tensor->grad) |
                           reinterpret_cast<uintptr_t>(tensor->m) | reinterpret_cast<uintptr_t>(tensor->v) |
                           reinterpret_cast<uintptr_t>(tensor->a);
    return bits % 16 == 0;
}

/* Launches what the list holds, `units` units, and empties it. */
static lstmae_status update_flush(lstmae_queue *queue, update_list *list, int *units)
{
    if (list->count == 0) return LSTMAE_OK;
    const unsigned blocks = (unsigned)*units;
    if (list->call.dtype == LSTMAE_F64)
        LAE_LAUNCH((update_kernel<double>), blocks, UPDATE_BLOCK, 0, lae_cu_stream(queue), *list);
    else LAE_LAUNCH((update_kernel<float>), blocks, UPDATE_BLOCK, 0, lae_cu_stream(queue), *list);
    list->count = *units = 0;
    return lae_cu_launched(queue, "update");
}

lstmae_status lae_cu_update(lstmae_queue *queue, const lstmae_update_args *args)
{
    update_list list;
    int units = 0;
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_TRY(lae_cu_check_kind(queue, "update", args->kind, LSTMAE_UPDATE_RMSPROP));
    LAE_CU_TRY(lae_cu_check_dtype(queue, "update", args->dtype));
    list.call = update_call_of(queue, args);
    list.unit = update_unit(queue, args);
    list.count = 0;
    for (int64_t k = 0; k < args->count; k++) {
        const lstmae_update_tensor *tensor = &args->tensors[k];
        if (tensor->count == 0) continue;
        if (list.count == UPDATE_TENSORS) LAE_CU_TRY(update_flush(queue, &list, &units));
        list.tensors[list.count++] = { tensor->param, tensor->grad, tensor->m, tensor->v, tensor->a, tensor->count,
                                       tensor->weight_decay, units, update_packed(tensor) };
        units += (int)((tensor->count + list.unit - 1) / list.unit);
    }
    return update_flush(queue, &list, &units);
}
