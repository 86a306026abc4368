/*
 * The convolutions of the CPU device against the sums of backend.h written out: borders, strides, dilation, phases,
 * groups, memory layouts, every instruction set and thread count.
 */
#include "cpu/cpu_entries.h"
#include "cpu_queue.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_THREADS 3

typedef struct conv_case {
    int64_t batch, C, H, W, K;
    int64_t kernel[2], stride[2], padding[2], dilation[2], groups;
} conv_case;

static const conv_case cases[] = {
    { 1, 1, 1, 1, 1, { 1, 1 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 1 },
    { 2, 3, 8, 8, 32, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1 }, 1 },     /* of images */
    { 3, 32, 9, 7, 33, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1 },    /* one more than two vectors */
    { 2, 64, 8, 8, 64, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1 },
    { 2, 17, 8, 8, 70, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1 }, 1 },    /* two panels, even size: the last row is left */
    { 1, 5, 5, 17, 3, { 1, 5 }, { 1, 3 }, { 0, 2 }, { 1, 1 }, 1 },
    { 2, 4, 11, 6, 6, { 3, 2 }, { 1, 1 }, { 2, 2 }, { 2, 3 }, 2 },     /* dilation, groups */
    { 1, 6, 10, 12, 9, { 3, 3 }, { 3, 2 }, { 1, 2 }, { 2, 4 }, 3 },    /* strides and dilations that share factors */
    { 2, 8, 6, 6, 8, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 8 },      /* depthwise */
    { 1, 70, 7, 9, 70, { 3, 3 }, { 2, 1 }, { 1, 1 }, { 1, 1 }, 70 },
    { 2, 4, 7, 7, 12, { 5, 5 }, { 2, 2 }, { 4, 3 }, { 1, 1 }, 4 },
    { 1, 2, 3, 3, 5, { 3, 3 }, { 1, 1 }, { 4, 4 }, { 1, 1 }, 1 },      /* positions without any tap */
    { 1, 3, 9, 9, 4, { 2, 2 }, { 4, 5 }, { 0, 0 }, { 1, 1 }, 1 },      /* strides beyond the kernel */
    { 1, 2, 4, 1500, 5, { 1, 3 }, { 1, 1 }, { 0, 1 }, { 1, 1 }, 1 },   /* rows in parts */
    { 40, 3, 5, 5, 20, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1 },    /* several blocks of rows */
    { 3, 130, 4, 4, 16, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1 },
    { 2, 3, 18, 16, 33, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1 }, 1 },   /* few channels of one side: vectors of pixels */
    { 1, 1, 15, 19, 20, { 4, 5 }, { 2, 3 }, { 1, 2 }, { 2, 1 }, 1 },
    { 1, 4, 20, 21, 17, { 3, 4 }, { 2, 2 }, { 2, 0 }, { 2, 2 }, 1 },   /* phases without taps */
    { 3, 16, 9, 10, 2, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1 },
    { 1, 19, 12, 33, 3, { 2, 5 }, { 1, 1 }, { 3, 0 }, { 1, 2 }, 1 },
    { 1, 64, 40, 40, 1, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1 },   /* bands */
    { 1, 7, 4, 4, 150, { 4, 4 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 1 },    /* one pixel */
    { 5, 9, 6, 7, 139, { 3, 3 }, { 1, 2 }, { 1, 1 }, { 1, 1 }, 1 },    /* many channels of dy: dealt, images at once, */
    { 1, 40, 30, 31, 129, { 2, 1 }, { 1, 1 }, { 1, 0 }, { 1, 1 }, 1 }, /* parts of one, */
    { 1, 300, 1, 260, 128, { 1, 2 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 1 }, /* of a row, */
    { 2, 6, 5, 4, 146, { 3, 2 }, { 1, 1 }, { 0, 1 }, { 1, 1 }, 2 },    /* and groups */
    { 9, 32, 14, 15, 40, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1 },  /* tiles of 2x2: several chunks and blocks, */
    { 2, 33, 10, 9, 35, { 3, 3 }, { 1, 1 }, { 0, 2 }, { 1, 1 }, 1 },   /* other paddings, */
    { 1, 40, 9, 12, 32, { 3, 3 }, { 1, 1 }, { 3, 1 }, { 1, 1 }, 1 },   /* tiles without a pixel of the image, */
    { 2, 66, 7, 7, 80, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 2 },    /* groups, */
    { 1, 32, 4, 800, 33, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1 },  /* rows longer than a chunk, */
    { 1, 144, 6, 20, 131, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1 }, /* a wide pitch */
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

static int64_t out_size(const conv_case *c, int axis)
{
    const int64_t in = axis == 0 ? c->H : c->W;
    return (in + 2 * c->padding[axis] - c->dilation[axis] * (c->kernel[axis] - 1) - 1) / c->stride[axis] + 1;
}

typedef enum image_layout { CHANNELS_LAST, CHANNELS_FIRST, PADDED_LAST, IMAGE_LAYOUTS } image_layout;

/* An image filled with numbers; `storage` floats, freed by the caller through view.data. */
typedef struct image {
    lstmae_view view;
    size_t storage;
} image;

static image make_image(int64_t B, int64_t C, int64_t H, int64_t W, image_layout layout, uint64_t seed)
{
    const int64_t pixel = layout == PADDED_LAST ? C + 5 : C, row = layout == PADDED_LAST ? W * pixel + 3 : W * pixel;
    image made = { .view = { .dim = { B, C, H, W }, .ndim = 4, .dtype = LSTMAE_F32 } };
    int64_t stride[] = { H * row, 1, row, pixel };
    if (layout == CHANNELS_FIRST) {
        stride[1] = H * W;
        stride[2] = W;
        stride[3] = 1;
    }
    memcpy(made.view.stride, stride, sizeof(stride));
    made.storage = (size_t)(B * stride[0]);
    made.view.data = malloc(made.storage * sizeof(float));
    assert_non_null(made.view.data);
    test_fill(made.view.data, made.storage, seed, 1.0f);
    return made;
}

static float *image_at(const lstmae_view *view, int64_t b, int64_t c, int64_t h, int64_t w)
{
    return (float *)view->data + b * view->stride[0] + c * view->stride[1] + h * view->stride[2] + w * view->stride[3];
}

/* Calls visit for every weight and the elements of x and y that it joins, in one order for all. */
typedef void (*visit_fn)(void *arg, int64_t weight, const int64_t x[4], const int64_t y[4]);

static void each_product(const conv_case *c, visit_fn visit, void *arg)
{
    const int64_t P = out_size(c, 0), Q = out_size(c, 1), Cg = c->C / c->groups, Kg = c->K / c->groups;
    for (int64_t k = 0; k < c->K; k++)
        for (int64_t d = 0; d < Cg; d++)
            for (int64_t r = 0; r < c->kernel[0]; r++)
                for (int64_t s = 0; s < c->kernel[1]; s++) {
                    const int64_t weight = ((k * Cg + d) * c->kernel[0] + r) * c->kernel[1] + s;
                    for (int64_t b = 0; b < c->batch; b++)
                        for (int64_t p = 0; p < P; p++)
                            for (int64_t q = 0; q < Q; q++) {
                                const int64_t h = p * c->stride[0] + r * c->dilation[0] - c->padding[0];
                                const int64_t w = q * c->stride[1] + s * c->dilation[1] - c->padding[1];
                                if (h < 0 || h >= c->H || w < 0 || w >= c->W) continue;
                                visit(arg, weight, (int64_t[]){ b, k / Kg * Cg + d, h, w }, (int64_t[]){ b, k, p, q });
                            }
                }
}

/* What the entries are given, and what is wanted of them, in double and dense. */
typedef struct rig {
    const conv_case *c;
    lstmae_conv_args args;
    image x, y;
    float *w, *bias;
    size_t weights;
    double *want_x, *want_y, *want_w; /* [B,C,H,W], [B,K,P,Q], like w */
} rig;

static int64_t dense_at(const lstmae_view *view, const int64_t at[4])
{
    return ((at[0] * view->dim[1] + at[1]) * view->dim[2] + at[2]) * view->dim[3] + at[3];
}

static void add_product(void *arg, int64_t weight, const int64_t x[4], const int64_t y[4])
{
    rig *r = arg;
    const double vx = (double)*image_at(&r->x.view, x[0], x[1], x[2], x[3]), vw = (double)r->w[weight];
    const double vy = (double)*image_at(&r->y.view, y[0], y[1], y[2], y[3]);
    r->want_y[dense_at(&r->y.view, y)] += vx * vw;
    r->want_x[dense_at(&r->x.view, x)] += vy * vw;
    r->want_w[weight] += vx * vy;
}

static double *zeros(size_t count)
{
    double *values = calloc(count, sizeof(double));
    assert_non_null(values);
    return values;
}

static size_t numel(const lstmae_view *view)
{
    return (size_t)(view->dim[0] * view->dim[1] * view->dim[2] * view->dim[3]);
}

static void rig_open(rig *r, const conv_case *c, image_layout layout)
{
    const int64_t most = c->C > c->K ? c->C : c->K;
    memset(r, 0, sizeof(*r));
    r->c = c;
    r->x = make_image(c->batch, c->C, c->H, c->W, layout, 1);
    r->y = make_image(c->batch, c->K, out_size(c, 0), out_size(c, 1), layout, 2);
    r->weights = (size_t)(c->K * (c->C / c->groups) * c->kernel[0] * c->kernel[1]);
    r->w = malloc(r->weights * sizeof(float));
    r->bias = malloc((size_t)most * sizeof(float));
    assert_true(r->w && r->bias);
    test_fill(r->w, r->weights, 3, 1.0f);
    test_fill(r->bias, (size_t)most, 4, 1.0f);
    r->want_x = zeros(numel(&r->x.view));
    r->want_y = zeros(numel(&r->y.view));
    r->want_w = zeros(r->weights);
    each_product(c, add_product, r);
    r->args = (lstmae_conv_args){ .struct_size = sizeof(r->args), .x = r->x.view, .y = r->y.view, .w = r->w,
                                  .groups = c->groups, .dtype = LSTMAE_F32, .bias = r->bias };
    memcpy(r->args.kernel, c->kernel, sizeof(c->kernel));
    memcpy(r->args.stride, c->stride, sizeof(c->stride));
    memcpy(r->args.padding, c->padding, sizeof(c->padding));
    memcpy(r->args.dilation, c->dilation, sizeof(c->dilation));
}

static void rig_close(rig *r)
{
    free(r->x.view.data);
    free(r->y.view.data);
    free(r->w);
    free(r->bias);
    free(r->want_x);
    free(r->want_y);
    free(r->want_w);
}

static double with_map(int map, double value)
{
    return map == LSTMAE_MAP_RELU ? fmax(value, 0) : map == LSTMAE_MAP_TANH ? tanh(value) : value;
}

/* Every element of an output, and that nothing between them was written: `before` is what the storage held. */
static void check_image(const image *got, const float *before, const double *want, const float *bias, int map,
                        double tolerance, const char *what)
{
    const lstmae_view *view = &got->view;
    float *rest = malloc(got->storage * sizeof(float));
    assert_non_null(rest);
    memcpy(rest, view->data, got->storage * sizeof(float));
    for (int64_t b = 0; b < view->dim[0]; b++)
        for (int64_t c = 0; c < view->dim[1]; c++)
            for (int64_t h = 0; h < view->dim[2]; h++)
                for (int64_t w = 0; w < view->dim[3]; w++) {
                    const float *at = image_at(view, b, c, h, w);
                    const ptrdiff_t place = at - (const float *)view->data;
                    const double value = want[dense_at(view, (int64_t[]){ b, c, h, w })] + (bias ? bias[c] : 0.0);
                    const float expected = (float)with_map(map, value);
                    assert_close(what, at, &expected, 1, tolerance, 0.0);
                    rest[place] = before[place];
                }
    assert_memory_equal(rest, before, got->storage * sizeof(float));
    free(rest);
}

/* How an entry is called. */
typedef struct call {
    int transposed, prepared, linear, bias, map;
} call;

static void prepare(lstmae_queue *queue, const call *how, lstmae_conv_args *args, void **prepared)
{
    const int kind = how->transposed ? LSTMAE_CONV_PREPARE_BACKWARD : LSTMAE_CONV_PREPARE_FORWARD;
    const size_t bytes = cpu_conv_prepare_bytes(queue, kind, args);
    assert_true(bytes >= sizeof(float));
    assert_int_equal(posix_memalign(prepared, 64, bytes), 0);
    assert_ok(cpu_conv_prepare(queue, kind, *prepared, args));
    args->prepared = *prepared;
    args->w = NULL;
}

/* One call on fresh outputs; *out receives what the output's storage holds then. */
static void run_data(rig *r, lae_isa isa, int threads, const call *how, image_layout layout, float *out)
{
    lstmae_queue queue;
    lstmae_conv_args args = r->args;
    void *prepared = NULL;
    lstmae_view *to = how->transposed ? &args.x : &args.y;
    image made = make_image(to->dim[0], to->dim[1], to->dim[2], to->dim[3], layout, 7);
    image linear = make_image(to->dim[0], to->dim[1], to->dim[2], to->dim[3], layout, 8);
    const double *want = how->transposed ? r->want_x : r->want_y;
    const double tolerance = 4e-7 * (8.0 + (double)(how->transposed ? r->c->K : r->c->C) * (double)r->c->kernel[0]);
    float *before = malloc(made.storage * sizeof(float));
    assert_non_null(before);
    assert_true(cpu_queue_open(&queue, isa, threads));
    *to = made.view;
    if (!how->bias) args.bias = NULL;
    if (how->linear) args.linear = &linear.view;
    args.map = how->map;
    if (how->prepared) prepare(&queue, how, &args, &prepared);
    memcpy(before, made.view.data, made.storage * sizeof(float));
    assert_ok(how->transposed ? cpu_conv_backward_data(&queue, &args) : cpu_conv_forward(&queue, &args));
    check_image(&made, before, want, args.bias, how->map, tolerance, how->transposed ? "backward data" : "forward");
    if (how->linear) {
        test_fill(before, linear.storage, 8, 1.0f);
        check_image(&linear, before, want, args.bias, LSTMAE_MAP_IDENTITY, tolerance, "linear");
    }
    memcpy(out, made.view.data, made.storage * sizeof(float));
    cpu_queue_close(&queue);
    free(before);
    free(prepared);
    free(made.view.data);
    free(linear.view.data);
}

static void check_data(rig *r, lae_isa isa, const call *how, image_layout layout)
{
    const lstmae_view *to = how->transposed ? &r->args.x : &r->args.y;
    const size_t most = 2 * numel(to) + 64 + (size_t)(to->dim[0] * to->dim[2] * (8 * to->dim[3] + 8));
    float *first = malloc(most * sizeof(float)), *again = malloc(most * sizeof(float));
    assert_true(first && again);
    memset(first, 0, most * sizeof(float));
    memset(again, 0, most * sizeof(float));
    run_data(r, isa, 1, how, layout, first);
    for (int threads = 2; threads <= MOST_THREADS; threads++) {
        run_data(r, isa, threads, how, layout, again);
        assert_memory_equal(first, again, most * sizeof(float));
    }
    free(first);
    free(again);
}

static void test_data(void **state)
{
    static const call calls[] = {
        { 0, 0, 0, 1, LSTMAE_MAP_IDENTITY }, { 1, 0, 0, 0, LSTMAE_MAP_IDENTITY }, { 0, 1, 1, 1, LSTMAE_MAP_TANH },
        { 1, 1, 1, 1, LSTMAE_MAP_RELU },     { 0, 1, 0, 0, LSTMAE_MAP_RELU },     { 1, 0, 0, 1, LSTMAE_MAP_TANH },
    };
    (void)state;
    for (int isa = 0; isa < LAE_ISA_COUNT; isa++) {
        if (!lae_isa_available((lae_isa)isa)) continue;
        for (size_t i = 0; i < CASES; i++) {
            rig r;
            rig_open(&r, &cases[i], (image_layout)(i % IMAGE_LAYOUTS));
            for (size_t how = 0; how < sizeof(calls) / sizeof(calls[0]); how++)
                check_data(&r, (lae_isa)isa, &calls[how], (image_layout)((i + how) % IMAGE_LAYOUTS));
            rig_close(&r);
        }
    }
}

static void run_weight(rig *r, lae_isa isa, int threads, double beta, float *dw)
{
    lstmae_queue queue;
    lstmae_conv_args args = r->args;
    const double terms = (double)(r->c->batch * out_size(r->c, 0) * out_size(r->c, 1));
    assert_true(cpu_queue_open(&queue, isa, threads));
    test_fill(dw, r->weights, 9, 1.0f);
    if (beta == 0.0) dw[0] = NAN;
    args.dw = dw;
    args.beta = beta;
    assert_ok(cpu_conv_weight_gradient(&queue, &args));
    float *before = malloc(r->weights * sizeof(float));
    assert_non_null(before);
    test_fill(before, r->weights, 9, 1.0f);
    for (size_t i = 0; i < r->weights; i++) {
        const float want = (float)(r->want_w[i] + (beta == 0.0 ? 0.0 : beta * (double)before[i]));
        assert_close("weight gradient", &dw[i], &want, 1, 6e-6 + 4e-8 * terms, 0.0);
    }
    free(before);
    cpu_queue_close(&queue);
}

static void test_weight(void **state)
{
    static const double betas[] = { 0.0, 1.0, -0.5 };
    (void)state;
    for (int isa = 0; isa < LAE_ISA_COUNT; isa++) {
        if (!lae_isa_available((lae_isa)isa)) continue;
        for (size_t i = 0; i < CASES; i++) {
            rig r;
            rig_open(&r, &cases[i], (image_layout)(i % IMAGE_LAYOUTS));
            float *first = malloc(r.weights * sizeof(float)), *again = malloc(r.weights * sizeof(float));
            assert_true(first && again);
            run_weight(&r, (lae_isa)isa, 1, betas[i % 3], first);
            for (int threads = 2; threads <= MOST_THREADS; threads++) {
                run_weight(&r, (lae_isa)isa, threads, betas[i % 3], again);
                assert_memory_equal(first, again, r.weights * sizeof(float));
            }
            free(first);
            free(again);
            rig_close(&r);
        }
    }
}

/* A tap outside of the image takes no part, whatever its weight: the first pixel does not meet the first tap. */
static void test_infinite_weight(void **state)
{
    static const conv_case shapes[] = {
        { 1, 16, 9, 10, 2, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1 },
        { 1, 5, 9, 10, 33, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1 },
        { 1, 32, 9, 10, 33, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1 },
    };
    (void)state;
    for (int isa = 0; isa < LAE_ISA_COUNT; isa++) {
        lstmae_queue queue;
        if (!cpu_queue_open(&queue, (lae_isa)isa, 1)) continue;
        for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
            rig r;
            rig_open(&r, &shapes[i], CHANNELS_LAST);
            for (size_t w = 0; w < r.weights; w += 9) r.w[w] = INFINITY;
            assert_ok(cpu_conv_forward(&queue, &r.args));
            const float first = *image_at(&r.y.view, 0, 0, 0, 0), inside = *image_at(&r.y.view, 0, 0, 1, 1);
            const float want = (float)(r.want_y[0] + (double)r.bias[0]);
            assert_close("first pixel", &first, &want, 1, 1e-5, 0.0);
            if (isfinite(inside)) fail_msg("an infinite weight did not show");
            rig_close(&r);
        }
        cpu_queue_close(&queue);
    }
}

/* The last image of a batch, alone, gives the same bits. */
static void test_alone(void **state)
{
    (void)state;
    for (int isa = 0; isa < LAE_ISA_COUNT; isa++) {
        lstmae_queue queue;
        if (!cpu_queue_open(&queue, (lae_isa)isa, 2)) continue;
        for (size_t i = 0; i < CASES; i++) {
            rig r;
            if (cases[i].batch == 1) continue;
            rig_open(&r, &cases[i], CHANNELS_LAST);
            lstmae_conv_args alone = r.args;
            lstmae_view *x = &alone.x, *y = &alone.y;
            const size_t each = (size_t)y->stride[0] * sizeof(float);
            float *want = malloc(each);
            assert_non_null(want);
            assert_ok(cpu_conv_forward(&queue, &r.args));
            x->data = (float *)x->data + (x->dim[0] - 1) * x->stride[0];
            y->data = (float *)y->data + (y->dim[0] - 1) * y->stride[0];
            x->dim[0] = y->dim[0] = 1;
            memcpy(want, y->data, each);
            memset(y->data, 0, each);
            assert_ok(cpu_conv_forward(&queue, &alone));
            assert_memory_equal(y->data, want, each);
            free(want);
            rig_close(&r);
        }
        cpu_queue_close(&queue);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_data), cmocka_unit_test(test_weight),
                                        cmocka_unit_test(test_infinite_weight), cmocka_unit_test(test_alone) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
