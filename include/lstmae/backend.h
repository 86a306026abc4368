/**
 * @file backend.h
 * The table a device fills. For backend authors; not included by lstmae.h. See docs/backend-howto.md.
 *
 * A backend sees raw strided views and plain argument structs. Shapes, types and aliasing have been checked by the
 * operation layer before a backend is called. Every entry may be asynchronous on its queue unless it says otherwise;
 * entries of one queue run in order. Entries return a status; its text is set through lstmae_host.fail.
 *
 * Element types: views carry theirs. An entry that cannot do a type returns ERR_UNSUPPORTED.
 * Determinism: for equal arguments, equal bits, whatever the number of threads.
 */
#ifndef LSTMAE_BACKEND_H
#define LSTMAE_BACKEND_H

#include <lstmae/context.h>

LSTMAE_BEGIN_DECLS

/** Number of this table's layout; a plugin built against another one is refused with ERR_ABI. */
#define LSTMAE_BACKEND_ABI 2

/** A device, its stream and its library handles; each backend defines its own. */
typedef struct lstmae_queue lstmae_queue;

/** Work of a queue that was captured once and may be launched many times; each backend defines its own. */
typedef struct lstmae_graph lstmae_graph;

/** What the library lends to a backend. Valid for the life of the process. */
typedef struct lstmae_host {
    uint32_t struct_size;
    uint32_t abi;
    /** Sets the thread's error text (printf format) and returns `status`. */
    lstmae_status (*fail)(lstmae_status status, const char *format, ...);
    void (*log)(int level, const char *format, ...);
} lstmae_host;

/** Host memory that a queue may take, through the context's allocator and limit. */
typedef struct lstmae_memory {
    void *(*alloc)(size_t bytes, size_t alignment, void *payload);
    void (*release)(void *ptr, size_t bytes, void *payload);
    void *payload;
    /** Counts `bytes` of a device's own memory before it is allocated: 0 where that would pass the context's limit. */
    int (*charge)(size_t bytes, void *payload);
    /** Takes back what charge() counted. */
    void (*discharge)(size_t bytes, void *payload);
} lstmae_memory;

typedef struct lstmae_queue_options {
    uint32_t struct_size;
    int32_t device_index;
    int32_t threads; /**< 0: one per usable core */
    uint32_t flags;  /**< LSTMAE_QUEUE_… */
    const lstmae_host *host;
    lstmae_memory memory; /**< outlives the queue */
    int32_t precision;    /**< lstmae_precision of products and convolutions of float32 */
    int32_t reserved;
} lstmae_queue_options;

/** Threads that the queue starts count denormal numbers as zero, as the caller does by itself; a hint. */
#define LSTMAE_QUEUE_FLUSH 1u

/** A strided array. Strides in elements; 0 repeats, negative runs backwards. `data` is the first element. */
typedef struct lstmae_view {
    void *data;
    int64_t dim[LSTMAE_MAX_DIMS];
    int64_t stride[LSTMAE_MAX_DIMS];
    int32_t ndim;
    int32_t dtype;
} lstmae_view;

/** y = f(x), element by element. `param` is the negative slope, alpha or such, where a kind has one. */
typedef enum lstmae_map_kind {
    LSTMAE_MAP_IDENTITY = 0,
    LSTMAE_MAP_RELU = 1,
    LSTMAE_MAP_TANH = 2,
    LSTMAE_MAP_SIGMOID = 3,
    LSTMAE_MAP_LEAKY_RELU = 4, /**< x > 0 ? x : param x */
    LSTMAE_MAP_ELU = 5,        /**< x > 0 ? x : param (e^x - 1) */
    LSTMAE_MAP_SILU = 6,       /**< x sigmoid(x) */
    LSTMAE_MAP_GELU = 7,       /**< x (1 + erf(x / sqrt 2)) / 2 */
    LSTMAE_MAP_GELU_TANH = 8,  /**< x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 */
    LSTMAE_MAP_SOFTPLUS = 9,   /**< log(1 + e^(param x)) / param; x itself where param x > 20 */
    LSTMAE_MAP_EXP = 10        /**< e^(param x) */
} lstmae_map_kind;

/** Reductions over the axes where `out` has size 1. */
typedef enum lstmae_reduce_kind {
    LSTMAE_REDUCE_SUM = 0,
    LSTMAE_REDUCE_MEAN = 1,
    LSTMAE_REDUCE_MAX = 2
} lstmae_reduce_kind;

typedef enum lstmae_random_kind {
    LSTMAE_RANDOM_UNIFORM = 0,  /**< [a, b) */
    LSTMAE_RANDOM_NORMAL = 1,   /**< mean a, deviation b */
    LSTMAE_RANDOM_BERNOULLI = 2 /**< 1 with probability a, else 0 */
} lstmae_random_kind;

/** Position in the counter-based random numbers; element i of a view uses counter `first + i`. See docs/numerics.md. */
typedef struct lstmae_random_key {
    uint64_t seed;
    uint64_t stream; /**< which use: parameter, dropout site, iteration */
    uint64_t first;  /**< counter of the view's first element */
} lstmae_random_key;

/** C[M,N] = op(A)[M,K] * op(B)[K,N] + beta * C + bias[N]; row-major, leading strides in elements. beta 0 ignores C. */
typedef struct lstmae_gemm_args {
    uint32_t struct_size;
    uint32_t flags; /**< LSTMAE_GEMM_… */
    int64_t M, N, K;
    const void *a, *b;
    void *c;
    int64_t lda, ldb, ldc;
    double beta;
    const void *bias;     /**< [N] or NULL */
    const void *prepared; /**< what prepare() made of b, for this orientation; NULL: none */
    int32_t dtype;
    int32_t reserved;
} lstmae_gemm_args;

#define LSTMAE_GEMM_TRANS_A 1u /**< a is [K,M] */
#define LSTMAE_GEMM_TRANS_B 2u /**< b is [N,K]: a PyTorch weight */

/** What a weight matrix w [N,K] is prepared for; see lstmae_backend_api.prepare. */
typedef enum lstmae_prepare_kind {
    LSTMAE_PREPARE_FORWARD = 1, /**< y = x * w^T, gemm with TRANS_B */
    LSTMAE_PREPARE_GATES = 2,   /**< the same inside lstm_forward; N = 4H, rows i,f,g,o */
    LSTMAE_PREPARE_BACKWARD = 3 /**< dx = dy * w, gemm without TRANS_B, and lstm_backward */
} lstmae_prepare_kind;

/**
 * One LSTM layer in one direction over T steps. Gates in the order i, f, g, o.
 *
 *   a_s = W_ih x_s + b_ih + W_hh h_{s-1} + b_hh      (peepholes add p_i c_{s-1} to i, p_f c_{s-1} to f, p_o c_s to o)
 *   i,f,o = sigmoid(a), g = tanh(a_g);  c_s = f c_{s-1} + i g;  h_s = o tanh(c_s)
 *
 * Steps are numbered in processing order: s = 0 is time 0, or time T-1 with LSTMAE_SEQ_REVERSE. `gates`, `hs` and `cs`
 * are contiguous in that order; x, y and dx, dy are in time order with strides. Where `lengths` is set, sample b at
 * times >= lengths[b] keeps its state (hs, cs repeat), its y is 0 and its gradients pass through.
 */
typedef struct lstmae_lstm_args {
    uint32_t struct_size;
    uint32_t flags; /**< LSTMAE_SEQ_… */
    int64_t T, B, I, H;
    int32_t dtype;
    int32_t reserved;

    /* forward, and read again by backward */
    const void *x;           /**< [T,B,I], feature stride 1; NULL: all zero */
    int64_t x_step, x_batch; /**< strides; x_step may be 0 */
    const void *w_ih, *w_hh; /**< [4H,I] and [4H,H], contiguous */
    const void *b_ih, *b_hh; /**< [4H]; NULL: none (both or neither) */
    const void *peephole;    /**< [3,H] rows i, f, o; NULL: none */
    const void *prepared_ih, *prepared_hh; /**< from prepare(), GATES in forward, BACKWARD in backward; NULL: none */
    const int64_t *lengths;  /**< [B] in device memory, each in [0,T]; NULL: all T */
    void *gates;             /**< [T,B,4H]: forward leaves activated gates; backward replaces them by dL/da */
    void *hs, *cs;           /**< [T+1,B,H]; entry 0 is the initial state, set by the caller */
    void *y;                 /**< [T,B,H] output in time order; NULL: only hs is wanted */
    int64_t y_step, y_batch;

    /* backward */
    const void *dy;          /**< dL/dy, or dL/dh of each step where y is NULL; NULL: zero */
    int64_t dy_step, dy_batch;
    void *dh, *dc;           /**< [B,H]: in dL/d(final state), out dL/d(initial state) */
    void *dx;                /**< [T,B,I], overwritten; NULL: not wanted */
    int64_t dx_step, dx_batch;

    /* weight gradients; each NULL: not wanted */
    void *dw_ih, *dw_hh, *db_ih, *db_hh, *dpeephole;
    double beta;             /**< 0 overwrites, 1 adds */
} lstmae_lstm_args;

#define LSTMAE_SEQ_REVERSE 1u      /**< process from time T-1 down to 0 */
#define LSTMAE_SEQ_ZERO_STATE 2u   /**< hs[0] and cs[0] are zero: products with them may be skipped */
#define LSTMAE_SEQ_NO_STATE_GRAD 4u /**< dL/d(initial state) is not wanted: dh, dc are undefined after backward */

/** One layer of one decoder of a closed loop; arrays as in lstmae_lstm_args. */
typedef struct lstmae_loop_layer {
    const void *b_ih, *b_hh;   /**< [4H]; NULL: none (both or neither) */
    const void *peephole;      /**< [3,H]; NULL: none */
    void *gates;               /**< [K,B,4H]: forward leaves activated gates; backward replaces them by dL/da */
    void *hs, *cs;             /**< [K+1,B,H]; entry 0 is the initial state, set by the caller */
    void *dropped;             /**< [K,B,H]: hs after dropout(), for the layer above; NULL: it reads hs */
    lstmae_random_key key;     /**< of all of `dropped` */
    void *dh, *dc;             /**< [B,H]: backward leaves dL/d(initial state) */
} lstmae_loop_layer;

/** What one decoder of a closed loop has beside its layers. */
typedef struct lstmae_loop_decoder {
    const void *b_out;         /**< [F] */
    void *y;                   /**< [K,B,F] */
    void *inputs;              /**< [K,B,F]: x_t from entry 1 on, entry 0 is left alone; NULL: the map is IDENTITY */
    void *dy;                  /**< [K,B,F]: in dL/dy of the loss alone; backward adds what reaches y as an input */
} lstmae_loop_decoder;

/**
 * Closed loops: `count` decoders of equal sizes, each fed its own output, over K steps. With x_0 = 0, for each decoder
 *
 *   layer 0 reads x_t, layer k > 0 what layer k-1 gives at t;  y_t = W_out h_t(top) + b_out;  x_{t+1} = map(y_t)
 *
 * Gates, hs, cs, dropped, y, inputs and dy are left as lstm_forward, gemm, map and so on would leave them, called step
 * by step. All pointers but those marked as host memory are to the device's.
 */
typedef struct lstmae_loop_args {
    uint32_t struct_size;
    uint32_t flags;            /**< 0 */
    int64_t count, K, B, F, H, L; /**< all of 1 or more */
    int32_t dtype;
    int32_t map;               /**< lstmae_map_kind, one whose derivative is taken from its value; its param is 0 */
    double dropout;            /**< probability, of layers with `dropped` */
    const lstmae_loop_layer *layers;     /**< [count,L], host memory */
    const lstmae_loop_decoder *decoders; /**< [count], host memory */
    const void *const *weights; /**< [L+1], host memory: of each layer and then of the output, those of all decoders
                                     one behind the other as loop_prepare() left them */
} lstmae_loop_args;

/** What lstmae_backend_api.lane does. A queue has a main order of work, and a second one, the side. */
typedef enum lstmae_lane_step {
    LSTMAE_LANE_FORK = 0,   /**< entries from now on are the side's; they run after all that was called before */
    LSTMAE_LANE_RESUME = 1, /**< entries from now on are the side's, and wait for the side's alone */
    LSTMAE_LANE_LEAVE = 2,  /**< entries from now on are in the main order again; the side's work goes on */
    LSTMAE_LANE_JOIN = 3    /**< entries from now on, in the main order, run after all of the side's work */
} lstmae_lane_step;

/**
 * A convolution between an image x [B,C,H,W] and its features y [B,K,P,Q], as PyTorch defines it; x is 0 outside:
 *
 *   y[b,k,p,q] = sum over c,r,s of w[k,c,r,s] x[b, g(k) C/groups + c, p stride + r dilation - padding, ...]
 *
 * with g(k) = floor(k groups / K). P and Q may be less than what fits in x: the rest of y counts as 0.
 *
 * conv_forward computes y from x. conv_backward_data computes x from y by the transposed sum: the gradient of a
 * convolution, and the forward pass of a transposed one, whose weight PyTorch stores as [in, out/groups, R, S], which
 * is w with y as the input (output padding shows in H and W alone). conv_weight_gradient computes dw from both.
 *
 * What is computed is f(sum + bias) with `map` for f. With LSTMAE_CONV_DERIVATIVE it is (sum + bias) f'(.) instead: the
 * gradient of what came before f, where `linear` is read and holds what the backward pass of f takes.
 */
typedef struct lstmae_conv_args {
    uint32_t struct_size;
    uint32_t flags;             /**< LSTMAE_CONV_… */
    lstmae_view x, y;
    const void *w;              /**< [K,C/groups,R,S], contiguous */
    int64_t kernel[2];          /**< R, S */
    int64_t stride[2], padding[2], dilation[2]; /**< height, width */
    int64_t groups;
    const void *prepared;       /**< from conv_prepare() for this entry; NULL: none */

    /* forward and backward_data */
    const void *bias;           /**< one for each channel of what is computed; NULL: none */
    double param;               /**< of map */
    int32_t map;                /**< lstmae_map_kind */
    int32_t dtype;
    const lstmae_view *linear;  /**< shaped as what is computed: receives it without map; NULL: not wanted */

    /* weight gradient */
    void *dw;                   /**< like w */
    double beta;                /**< 0 overwrites, 1 adds */
} lstmae_conv_args;

/** See above. An entry may return ERR_UNSUPPORTED without a text for it: then map_backward() does this part. */
#define LSTMAE_CONV_DERIVATIVE 1u

/** What conv_prepare() makes a weight ready for. */
typedef enum lstmae_conv_prepare_kind {
    LSTMAE_CONV_PREPARE_FORWARD = 1, /**< conv_forward */
    LSTMAE_CONV_PREPARE_BACKWARD = 2 /**< conv_backward_data */
} lstmae_conv_prepare_kind;

typedef enum lstmae_pool_kind {
    LSTMAE_POOL_MAX = 0,
    LSTMAE_POOL_AVERAGE = 1
} lstmae_pool_kind;

/**
 * Pooling of x [B,C,H,W] to y [B,C,P,Q]. Maximum: over the part of the window inside x; the first of equal ones, and
 * NaN wins. Average: the sum over the part inside x divided by its size, or with COUNT_PADDING by the size of the part
 * inside the padded image.
 */
typedef struct lstmae_pool_args {
    uint32_t struct_size;
    uint32_t flags; /**< LSTMAE_POOL_… */
    int32_t kind;   /**< lstmae_pool_kind */
    int32_t dtype;
    lstmae_view x, y; /**< backward: x receives dL/dx, overwritten, from dL/dy in y */
    int64_t kernel[2], stride[2], padding[2], dilation[2]; /**< average: dilation 1 */
    int32_t *index;   /**< maximum: [B,P,Q,C] contiguous, where in the plane (h W + w) each came from; forward writes,
                           backward reads; NULL in a forward pass that has no backward */
} lstmae_pool_args;

#define LSTMAE_POOL_COUNT_PADDING 1u

/**
 * y = (x - mean) rstd gamma + shift with rstd = 1 / sqrt(var + eps).
 * Batch norm: x [B,C,H,W], statistics over B, H, W for each channel (variance divided by the count; the running one by
 * count - 1); running = (1 - momentum) running + momentum batch. Layer norm: x [rows,features], statistics over the
 * features of each row; gamma and shift have one element for each feature.
 * Backward: dx, and dgamma and dshift with beta, from dy, x, mean and rstd.
 */
typedef struct lstmae_norm_args {
    uint32_t struct_size;
    uint32_t flags;           /**< LSTMAE_NORM_… */
    lstmae_view x, y;
    const void *gamma, *shift; /**< NULL: 1 and 0 */
    void *mean, *rstd;        /**< [C] or [rows]: forward writes, backward reads */
    void *running_mean, *running_var; /**< [C]: batch norm; NULL: none are kept */
    double eps, momentum;
    int32_t map;              /**< lstmae_map_kind applied to y in forward */
    int32_t dtype;
    double param;             /**< of map */

    /* backward */
    lstmae_view dy, dx;       /**< dx.data NULL: not wanted; dx may be dy's memory */
    void *dgamma, *dshift;    /**< NULL: not wanted */
    double beta;              /**< 0 overwrites, 1 adds */

    int64_t *tracked;         /**< device: one more after a forward of batch norm without RUNNING; NULL: none counts */
} lstmae_norm_args;

#define LSTMAE_NORM_RUNNING 1u /**< batch norm in inference: the running statistics are used and not changed */

typedef enum lstmae_upsample_kind {
    LSTMAE_UPSAMPLE_NEAREST = 0, /**< y[p] = x[floor(p H / P)] */
    LSTMAE_UPSAMPLE_BILINEAR = 1 /**< corners not aligned: at (p + 0.5) H / P - 0.5, not below 0 */
} lstmae_upsample_kind;

/** x [B,C,H,W] to y [B,C,P,Q] of any other size; backward: x receives dL/dx, overwritten, from dL/dy in y. */
typedef struct lstmae_upsample_args {
    uint32_t struct_size;
    int32_t kind; /**< lstmae_upsample_kind */
    int32_t dtype;
    uint32_t flags; /**< 0 */
    lstmae_view x, y;
} lstmae_upsample_args;

typedef enum lstmae_loss_op {
    LSTMAE_LOSS_OP_MSE = 0,  /**< (p-t)^2 */
    LSTMAE_LOSS_OP_MAE = 1,  /**< |p-t| */
    LSTMAE_LOSS_OP_HUBER = 2, /**< (p-t)^2/2 inside delta, delta(|p-t|-delta/2) outside */
    LSTMAE_LOSS_OP_BCE_LOGITS = 3 /**< max(p,0) - p t + log(1+exp(-|p|)) */
} lstmae_loss_op;

/** *value += scale * sum(mask * loss(pred, target)); grad = grad_scale * mask * dloss/dpred. */
typedef struct lstmae_loss_args {
    uint32_t struct_size;
    int32_t op; /**< lstmae_loss_op */
    lstmae_view pred, target;
    const lstmae_view *mask; /**< same shape by strides; NULL: all 1 */
    const lstmae_view *grad; /**< NULL: not wanted; may be pred's memory */
    double delta;            /**< Huber */
    double scale, grad_scale;
    double *value;           /**< device memory; accumulated in double in a fixed order */
} lstmae_loss_args;

typedef enum lstmae_update_kind {
    LSTMAE_UPDATE_SGD = 0,
    LSTMAE_UPDATE_ADAM = 1,
    LSTMAE_UPDATE_RMSPROP = 2
} lstmae_update_kind;

/** One parameter of an update, contiguous, `count` elements. `m`, `v` and `a` are moments the kind uses, else NULL. */
typedef struct lstmae_update_tensor {
    void *param;
    const void *grad;
    void *m, *v, *a;
    int64_t count;
    double weight_decay;
} lstmae_update_tensor;

/** docs/numerics.md gives the equations; hyper-parameters unused by a kind are ignored. */
typedef struct lstmae_update_args {
    uint32_t struct_size;
    uint32_t flags; /**< LSTMAE_UPDATE_… */
    int32_t kind, dtype;
    const lstmae_update_tensor *tensors; /**< host memory */
    int64_t count;
    double lr, momentum, beta1, beta2, eps, rho, velocity_clip, value_clip;
    double bias1, bias2;    /**< 1 - beta1^step, 1 - beta2^step */
    double max_norm;        /**< clip the gradient to this global norm; 0: do not */
    const double *norm_sq;  /**< device: sum of squares of all gradients; needed when max_norm > 0 or SKIP_NONFINITE */
    const double *guard;    /**< device: `guard_count` numbers that SKIP_NONFINITE wants finite too, losses say */
    int64_t guard_count;    /**< 0: none */
} lstmae_update_args;

#define LSTMAE_UPDATE_NESTEROV 1u
#define LSTMAE_UPDATE_DECOUPLED_DECAY 2u /**< AdamW */
#define LSTMAE_UPDATE_TF1 4u             /**< RMSProp as TensorFlow 1: epsilon inside the root, moments start at 1 */
#define LSTMAE_UPDATE_CENTERED 8u        /**< RMSProp minus the squared mean gradient */
#define LSTMAE_UPDATE_SKIP_NONFINITE 16u /**< leave everything as it is when *norm_sq or a guard is not finite */

/** What differs from one launch of a captured step to the next. */
typedef struct lstmae_step_values {
    uint64_t draws;          /**< added to the stream of every random key */
    double lr, bias1, bias2; /**< take the place of those of every update */
} lstmae_step_values;

#define LSTMAE_BACKEND_CHANNELS_LAST 1u /**< float32 images between layers had better be [B,H,W,C] in memory */
#define LSTMAE_BACKEND_PREPARE_ONCE 2u  /**< prepare() makes the same of a weight whatever it is prepared for */

typedef struct lstmae_backend_api {
    uint32_t struct_size;
    uint32_t abi;
    const char *name; /**< "cpu", "cuda" */
    uint32_t flags;   /**< LSTMAE_BACKEND_… */
    uint32_t reserved;

    /* devices and queues */
    int (*device_count)(void);
    lstmae_status (*device_info)(int index, lstmae_device_info *info);
    lstmae_status (*queue_create)(lstmae_queue **out, const lstmae_queue_options *options);
    void (*queue_destroy)(lstmae_queue *queue);
    lstmae_status (*queue_sync)(lstmae_queue *queue); /**< waits; reports errors of earlier entries */
    int32_t (*queue_threads)(const lstmae_queue *queue);

    /* memory of the device, aligned to 64 bytes or more */
    lstmae_status (*alloc)(lstmae_queue *queue, size_t bytes, void **out);
    void (*release)(lstmae_queue *queue, void *ptr, size_t bytes);
    /** src may change afterwards. */
    lstmae_status (*upload)(lstmae_queue *queue, void *dst, const void *src, size_t bytes);
    lstmae_status (*download)(lstmae_queue *queue, void *dst, const void *src, size_t bytes); /**< waits */
    lstmae_status (*copy)(lstmae_queue *queue, const lstmae_view *dst, const lstmae_view *src);
    lstmae_status (*fill)(lstmae_queue *queue, const lstmae_view *dst, double value);

    /* arithmetic */
    lstmae_status (*gemm)(lstmae_queue *queue, const lstmae_gemm_args *args);
    lstmae_status (*map)(lstmae_queue *queue, int kind, double param, const lstmae_view *y, const lstmae_view *x);
    /** dx = dy * f'(x) given y = f(x); dx may be dy's memory. RELU, TANH, SIGMOID and EXP look at y alone, IDENTITY at
     *  neither, the others at x alone; the other one may be NULL. */
    lstmae_status (*map_backward)(lstmae_queue *queue, int kind, double param, const lstmae_view *dx,
                                  const lstmae_view *dy, const lstmae_view *x, const lstmae_view *y);
    /** y = alpha * x + beta * y; beta 0 ignores y. Strides of 0 in x broadcast. */
    lstmae_status (*axpby)(lstmae_queue *queue, const lstmae_view *y, double alpha, const lstmae_view *x, double beta);
    /** y = a * b + beta * y. */
    lstmae_status (*multiply)(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *a, const lstmae_view *b,
                              double beta);
    /** y = mask != 0 ? a : b. */
    lstmae_status (*select)(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *mask, const lstmae_view *a,
                            const lstmae_view *b);
    lstmae_status (*reduce)(lstmae_queue *queue, int kind, const lstmae_view *out, const lstmae_view *in, double beta);
    /** *out = sum over all tensors of the sum of squares, in double, fixed order; `out` in device memory. */
    lstmae_status (*sum_squares)(lstmae_queue *queue, const lstmae_view *views, int64_t count, double *out);
    lstmae_status (*random)(lstmae_queue *queue, int kind, const lstmae_view *out, double a, double b,
                            const lstmae_random_key *key);
    /** y = x * bernoulli(1-p) / (1-p), contiguous; run on dy with the same key it is its own backward. y may be x. */
    lstmae_status (*dropout)(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *x, double p,
                             const lstmae_random_key *key);
    lstmae_status (*loss)(lstmae_queue *queue, const lstmae_loss_args *args);
    lstmae_status (*update)(lstmae_queue *queue, const lstmae_update_args *args);

    /* recurrent: the pointwise part of step s; gates[s] holds W_ih x + W_hh h without biases (backward: see args) */
    lstmae_status (*lstm_cell_forward)(lstmae_queue *queue, const lstmae_lstm_args *args, int64_t s);
    /** dh, dc hold dL/dh_s, dL/dc_s without dy of step s; leaves gates[s] = dL/da_s, dc = dL/dc_{s-1} without the
     *  recurrent product, and dh = the part that bypasses the cell (masked samples; else 0). */
    lstmae_status (*lstm_cell_backward)(lstmae_queue *queue, const lstmae_lstm_args *args, int64_t s);

    /* images: views may have any strides; [B,H,W,C] in memory is what CHANNELS_LAST asks for */
    lstmae_status (*conv_forward)(lstmae_queue *queue, const lstmae_conv_args *args);
    lstmae_status (*conv_backward_data)(lstmae_queue *queue, const lstmae_conv_args *args);
    lstmae_status (*conv_weight_gradient)(lstmae_queue *queue, const lstmae_conv_args *args);
    lstmae_status (*pool_forward)(lstmae_queue *queue, const lstmae_pool_args *args);
    lstmae_status (*pool_backward)(lstmae_queue *queue, const lstmae_pool_args *args);
    lstmae_status (*upsample_forward)(lstmae_queue *queue, const lstmae_upsample_args *args);
    lstmae_status (*upsample_backward)(lstmae_queue *queue, const lstmae_upsample_args *args);
    lstmae_status (*batch_norm_forward)(lstmae_queue *queue, const lstmae_norm_args *args);
    lstmae_status (*batch_norm_backward)(lstmae_queue *queue, const lstmae_norm_args *args);
    lstmae_status (*layer_norm_forward)(lstmae_queue *queue, const lstmae_norm_args *args);
    lstmae_status (*layer_norm_backward)(lstmae_queue *queue, const lstmae_norm_args *args);

    /* optional from here: NULL, or ERR_UNSUPPORTED without a text, lets the core compose them */
    lstmae_status (*lstm_forward)(lstmae_queue *queue, const lstmae_lstm_args *args);
    lstmae_status (*lstm_backward)(lstmae_queue *queue, const lstmae_lstm_args *args);
    lstmae_status (*lstm_weight_gradient)(lstmae_queue *queue, const lstmae_lstm_args *args);
    /** Bytes that prepare() writes for a weight [N,K]; 0: this backend uses weights as they are. */
    size_t (*prepare_bytes)(const lstmae_queue *queue, int kind, int64_t N, int64_t K, int dtype);
    lstmae_status (*prepare)(lstmae_queue *queue, int kind, void *dst, const void *w, int64_t N, int64_t K, int dtype);
    /** The same for a convolution's weight; `args` gives shapes, strides of the views, and w. */
    size_t (*conv_prepare_bytes)(const lstmae_queue *queue, int kind, const lstmae_conv_args *args);
    lstmae_status (*conv_prepare)(lstmae_queue *queue, int kind, void *dst, const lstmae_conv_args *args);
    void *(*host_alloc)(lstmae_queue *queue, size_t bytes); /**< staging memory that uploads fast */
    void (*host_release)(lstmae_queue *queue, void *ptr, size_t bytes);
    /**
     * Entries between these two are noted, not run: none that waits, moves memory to or from the host, or allocates is
     * called. One that cannot be captured returns ERR_UNSUPPORTED without a text. `out` NULL: what was noted is
     * forgotten. Each entry of this group is there where the others are.
     */
    lstmae_status (*capture_begin)(lstmae_queue *queue);
    lstmae_status (*capture_end)(lstmae_queue *queue, lstmae_graph **out);
    /** Runs what was noted. ERR_UNSUPPORTED without a text, with nothing done: the graph can no longer be used. */
    lstmae_status (*graph_launch)(lstmae_queue *queue, lstmae_graph *graph, const lstmae_step_values *values);
    void (*graph_release)(lstmae_queue *queue, lstmae_graph *graph);
    /** Starts moving `bytes` to the device beside the work of the queue, after the entries that were called before;
     *  both memories are left alone until upload_end. Both or neither. */
    lstmae_status (*upload_begin)(lstmae_queue *queue, void *dst, const void *src, size_t bytes);
    /** Waits for what was started: entries called afterwards see it, and src may change. Nothing started: nothing. */
    lstmae_status (*upload_end)(lstmae_queue *queue);

    /* closed loops of decoders; all four or none */
    /** Bytes that loop_prepare() writes for a weight [N,I] beside one [N,H]; I is 0 for a decoder's output. */
    size_t (*loop_prepare_bytes)(const lstmae_queue *queue, int64_t N, int64_t I, int64_t H, int dtype);
    /** `w_x` [N,I], NULL where I is 0, and `w_h` [N,H], both contiguous; serves forward and backward. */
    lstmae_status (*loop_prepare)(lstmae_queue *queue, void *dst, const void *w_x, const void *w_h, int64_t N,
                                  int64_t I, int64_t H, int dtype);
    lstmae_status (*loop_forward)(lstmae_queue *queue, const lstmae_loop_args *args);
    lstmae_status (*loop_backward)(lstmae_queue *queue, const lstmae_loop_args *args);

    /** `step` is a lstmae_lane_step. What runs at the same time writes nothing that the other order touches, but the
     *  queue's own memory. Without this entry all work is in one order. */
    lstmae_status (*lane)(lstmae_queue *queue, int step);
} lstmae_backend_api;

/** The one symbol a plugin exports; NULL when it does not fit `host_abi` or finds no driver. */
typedef const lstmae_backend_api *(*lstmae_backend_entry_fn)(uint32_t host_abi, const lstmae_host *host);

#define LSTMAE_BACKEND_ENTRY "lstmae_backend_entry"

LSTMAE_END_DECLS

#endif
