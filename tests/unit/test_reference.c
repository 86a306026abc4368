/*
 * The reference kernels against numbers worked out by other means: by hand, by PyTorch 2 in float64, or by central
 * differences. All other devices are then held against the reference.
 */
#include "device.h"

#include "shared/random.h"

#include <math.h>
#include <string.h>

static test_device ref;

static int open_reference(void **state)
{
    (void)state;
    ref = test_device_open("cpu:ref", 1);
    return 0;
}

static int close_reference(void **state)
{
    (void)state;
    test_device_close(&ref);
    return 0;
}

static lstmae_view vector(double *data, int64_t count)
{
    lstmae_view view = { .data = data, .dim = { count }, .stride = { 1 }, .ndim = 1, .dtype = LSTMAE_F64 };
    return view;
}

static lstmae_view matrix(double *data, int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride)
{
    lstmae_view view = {
        .data = data, .dim = { rows, columns }, .stride = { row_stride, column_stride }, .ndim = 2, .dtype = LSTMAE_F64
    };
    return view;
}

static void assert_near(double got, double want, double tolerance)
{
    if (fabs(got - want) <= tolerance) return;
    fail_msg("got %.17g, want %.17g within %g", got, want, tolerance);
}

static void gemm_orientations(void **state)
{
    (void)state;
    /* [1 2 3; 4 5 6] * [1 0; 2 -1; 0 3] = [5 7; 14 13] */
    double a[] = { 1, 2, 3, 4, 5, 6 }, at[] = { 1, 4, 2, 5, 3, 6 }, b[] = { 1, 0, 2, -1, 0, 3 };
    double bt[] = { 1, 2, 0, 0, -1, 3 }, bias[] = { 100, 200 }, c[4];
    for (uint32_t flags = 0; flags < 4; flags++) {
        lstmae_gemm_args args = { .struct_size = sizeof(args), .flags = flags, .M = 2, .N = 2, .K = 3,
                                  .ldc = 2, .dtype = LSTMAE_F64, .c = c, .bias = bias, .beta = 2 };
        args.a = flags & LSTMAE_GEMM_TRANS_A ? at : a;
        args.lda = flags & LSTMAE_GEMM_TRANS_A ? 2 : 3;
        args.b = flags & LSTMAE_GEMM_TRANS_B ? bt : b;
        args.ldb = flags & LSTMAE_GEMM_TRANS_B ? 3 : 2;
        for (int i = 0; i < 4; i++) c[i] = 1000;
        assert_ok(ref.api->gemm(ref.queue, &args));
        double want[] = { 2105, 2207, 2114, 2213 };
        for (int i = 0; i < 4; i++) assert_near(c[i], want[i], 0);
        args.beta = 0;
        args.bias = NULL;
        c[0] = NAN;
        assert_ok(ref.api->gemm(ref.queue, &args));
        assert_near(c[0], 5, 0);
        assert_near(c[3], 13, 0);
    }
}

static void maps_and_derivatives(void **state)
{
    (void)state;
    double x[] = { -0.7, 0.5, 1.0 }, y[3], dy[] = { 2, 2, 2 }, dx[3], high[3], low[3];
    double shifted[3], step = 1e-6;
    double want[][3] = { { -0.7, 0.5, 1.0 },
                         { 0, 0.5, 1.0 },
                         { -0.6043677771171636, 0.46211715726000975, 0.7615941559557649 },
                         { 0.3318122278318339, 0.6224593312018546, 0.7310585786300049 } };
    lstmae_view vx = vector(x, 3), vy = vector(y, 3), vdy = vector(dy, 3), vdx = vector(dx, 3);
    lstmae_view vs = vector(shifted, 3), vh = vector(high, 3), vl = vector(low, 3);
    for (int kind = 0; kind <= LSTMAE_MAP_SIGMOID; kind++) {
        assert_ok(ref.api->map(ref.queue, kind, 0, &vy, &vx));
        assert_ok(ref.api->map_backward(ref.queue, kind, 0, &vdx, &vdy, &vx, &vy));
        for (int i = 0; i < 3; i++) shifted[i] = x[i] + step;
        assert_ok(ref.api->map(ref.queue, kind, 0, &vh, &vs));
        for (int i = 0; i < 3; i++) shifted[i] = x[i] - step;
        assert_ok(ref.api->map(ref.queue, kind, 0, &vl, &vs));
        for (int i = 0; i < 3; i++) {
            assert_near(y[i], want[kind][i], 1e-15);
            assert_near(dx[i], 2 * (high[i] - low[i]) / (2 * step), 1e-9);
        }
    }
    assert_fails(ref.api->map(ref.queue, 99, 0, &vy, &vx), ERR_UNSUPPORTED);
}

static void strides_broadcast_and_run_backwards(void **state)
{
    (void)state;
    double x[] = { 1, 2, 3 }, y[] = { 10, 20, 30, 40, 50, 60 }, mask[] = { 0, 1 };
    lstmae_view reversed = matrix(x + 2, 2, 3, 0, -1), vy = matrix(y, 2, 3, 3, 1), column = matrix(mask, 2, 3, 1, 0);
    assert_ok(ref.api->axpby(ref.queue, &vy, 2, &reversed, 1));
    double sum[] = { 16, 24, 32, 46, 54, 62 };
    for (int i = 0; i < 6; i++) assert_near(y[i], sum[i], 0);
    assert_ok(ref.api->multiply(ref.queue, &vy, &reversed, &column, 0.5));
    double product[] = { 8, 12, 16, 26, 29, 32 };
    for (int i = 0; i < 6; i++) assert_near(y[i], product[i], 0);
    assert_ok(ref.api->select(ref.queue, &vy, &column, &reversed, &vy));
    double chosen[] = { 8, 12, 16, 3, 2, 1 };
    for (int i = 0; i < 6; i++) assert_near(y[i], chosen[i], 0);
    double t[6];
    lstmae_view transposed = matrix(t, 2, 3, 1, 2);
    assert_ok(ref.api->copy(ref.queue, &transposed, &vy));
    double columns[] = { 8, 3, 12, 2, 16, 1 };
    for (int i = 0; i < 6; i++) assert_near(t[i], columns[i], 0);
}

static void reductions(void **state)
{
    (void)state;
    double x[] = { 1, -2, 3, 4, 5, -9 }, rows[2], columns[3] = { 100, 100, 100 }, all, squares;
    lstmae_view vx = matrix(x, 2, 3, 3, 1), vr = matrix(rows, 2, 1, 1, 1), vc = matrix(columns, 1, 3, 3, 1);
    lstmae_view va = matrix(&all, 1, 1, 1, 1);
    assert_ok(ref.api->reduce(ref.queue, LSTMAE_REDUCE_SUM, &vr, &vx, 0));
    assert_near(rows[0], 2, 0);
    assert_near(rows[1], 0, 0);
    assert_ok(ref.api->reduce(ref.queue, LSTMAE_REDUCE_MEAN, &vc, &vx, 1));
    assert_near(columns[0], 102.5, 0);
    assert_near(columns[2], 97, 0);
    assert_ok(ref.api->reduce(ref.queue, LSTMAE_REDUCE_MAX, &va, &vx, 0));
    assert_near(all, 5, 0);
    lstmae_view both[] = { vx, vc };
    assert_ok(ref.api->sum_squares(ref.queue, both, 2, &squares));
    assert_near(squares, 136 + 102.5 * 102.5 + 101.5 * 101.5 + 97.0 * 97.0, 1e-9);
}

/* Moments of the draws; tolerances are five standard deviations of the estimate over N draws. */
#define DRAWS 200000
static void random_numbers(void **state)
{
    (void)state;
    static double x[DRAWS];
    lstmae_random_key key = { 11, 5, 3 };
    lstmae_view view = vector(x, DRAWS), tail = vector(x, 4);
    double sum = 0, square = 0, fourth = 0, pairs = 0;
    assert_ok(ref.api->random(ref.queue, LSTMAE_RANDOM_NORMAL, &view, 2, 3, &key));
    for (int i = 0; i < DRAWS; i++) {
        x[i] = (x[i] - 2) / 3;
        sum += x[i];
        square += x[i] * x[i];
        fourth += x[i] * x[i] * x[i] * x[i];
        if (i > 0) pairs += x[i] * x[i - 1];
    }
    assert_near(sum / DRAWS, 0, 5 / sqrt(DRAWS));
    assert_near(square / DRAWS, 1, 5 * sqrt(2.0 / DRAWS));
    assert_near(fourth / DRAWS, 3, 5 * sqrt(96.0 / DRAWS));
    assert_near(pairs / DRAWS, 0, 5 / sqrt(DRAWS));
    double later = x[7];
    key.first += 7;
    assert_ok(ref.api->random(ref.queue, LSTMAE_RANDOM_NORMAL, &tail, 0, 1, &key));
    assert_near(x[0], later, 1e-14);
    assert_ok(ref.api->random(ref.queue, LSTMAE_RANDOM_UNIFORM, &view, -2, 6, &key));
    sum = 0;
    for (int i = 0; i < DRAWS; i++) {
        assert_true(x[i] >= -2 && x[i] < 6);
        sum += x[i];
    }
    assert_near(sum / DRAWS, 2, 5 * 8 / sqrt(12.0 * DRAWS));
    assert_ok(ref.api->random(ref.queue, LSTMAE_RANDOM_BERNOULLI, &view, 0.3, 0, &key));
    sum = 0;
    for (int i = 0; i < DRAWS; i++) sum += x[i];
    assert_near(sum / DRAWS, 0.3, 5 * sqrt(0.21 / DRAWS));
}

/* Known answer of Random123, Philox4x32-10; the logarithm and the circle behind normal numbers against libm. */
static void random_building_blocks(void **state)
{
    (void)state;
    lae_philox_block block = lae_philox(0, 0, 0);
    assert_int_equal(block.word[0], 0x6627e8d5u);
    assert_int_equal(block.word[3], 0x9b00dbd8u);
    for (uint32_t i = 0; i < 100000; i++) {
        uint32_t bits = i * 42949u + 7u;
        double u = ((double)bits + 0.5) / 4294967296.0, sine, cosine;
        assert_near(lae_random_log(u), log(u), 1e-15 * (1 + fabs(log(u))));
        lae_random_sincos(bits, &sine, &cosine);
        double angle = 6.283185307179586 * ((double)bits / 4294967296.0);
        assert_near(sine, sin(angle), 1e-15);
        assert_near(cosine, cos(angle), 1e-15);
    }
    assert_true(lae_uniform_float(0xffffffffu, 0.1, 0.1000001) < 0.1000001f);
}

static void dropout_keeps_and_scales(void **state)
{
    (void)state;
    static double x[DRAWS], y[DRAWS];
    lstmae_random_key key = { 1, 2, 0 };
    lstmae_view vx = vector(x, DRAWS), vy = vector(y, DRAWS);
    int kept = 0;
    for (int i = 0; i < DRAWS; i++) x[i] = 1 + i;
    assert_ok(ref.api->dropout(ref.queue, &vy, &vx, 0.2, &key));
    for (int i = 0; i < DRAWS; i++) {
        kept += y[i] != 0;
        assert_true(y[i] == 0 || fabs(y[i] - 1.25 * x[i]) <= 1e-9);
    }
    assert_near((double)kept / DRAWS, 0.8, 5 * sqrt(0.16 / DRAWS));
    assert_ok(ref.api->dropout(ref.queue, &vy, &vx, 0, &key));
    assert_memory_equal(x, y, sizeof(x));
    assert_ok(ref.api->dropout(ref.queue, &vy, &vx, 1, &key));
    for (int i = 0; i < DRAWS; i++) assert_true(y[i] == 0);
}

static double loss_of(int op, double *p, double *t, double *mask, double *grad)
{
    double value = 10;
    lstmae_view vm = vector(mask, 3), vg = vector(grad, 3);
    lstmae_loss_args args = { .struct_size = sizeof(args), .op = op, .pred = vector(p, 3), .target = vector(t, 3),
                              .mask = mask ? &vm : NULL, .grad = grad ? &vg : NULL, .delta = 0.5, .scale = 0.25,
                              .grad_scale = 0.25, .value = &value };
    assert_ok(ref.api->loss(ref.queue, &args));
    return value - 10;
}

static void losses_and_gradients(void **state)
{
    (void)state;
    double p[] = { 0.3, -1.2, 2.0 }, t[] = { 0.1, 0.4, 1.0 }, mask[] = { 1, 0.5, 0 }, grad[3], step = 1e-6;
    /* 0.25 times: 0.04 + 2.56 + 1; 0.2 + 1.6 + 1; 0.02 + 0.5(1.6-0.25) + 0.5(1-0.25); torch's BCE: 2.30165... */
    double want[] = { 0.9, 0.7, 0.2675, 0.0 };
    want[3] = 0.25 * (log1p(exp(-0.3)) + 0.3 - 0.03 + log1p(exp(-1.2)) + 0.48 + log1p(exp(-2.0)));
    for (int op = 0; op <= LSTMAE_LOSS_OP_BCE_LOGITS; op++) {
        assert_near(loss_of(op, p, t, NULL, NULL), want[op], 1e-14);
        loss_of(op, p, t, mask, grad);
        for (int i = 0; i < 3; i++) {
            double high, low, kept = p[i];
            p[i] = kept + step;
            high = loss_of(op, p, t, mask, NULL);
            p[i] = kept - step;
            low = loss_of(op, p, t, mask, NULL);
            p[i] = kept;
            assert_near(grad[i], (high - low) / (2 * step), 1e-8);
        }
        p[2] = NAN;
        assert_true(isfinite(loss_of(op, p, t, mask, grad)));
        assert_true(grad[2] == 0);
        p[2] = 2.0;
    }
}

typedef struct update_case {
    const char *name;
    lstmae_update_args args;
    double weight_decay, first_v;
    double want[3];
} update_case;

#define SGD .kind = LSTMAE_UPDATE_SGD, .lr = 0.1
#define ADAM .kind = LSTMAE_UPDATE_ADAM, .lr = 0.01, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8
#define RMSPROP .kind = LSTMAE_UPDATE_RMSPROP, .lr = 0.01, .rho = 0.9

/* Three steps from (0.5, -1.25, 2) by torch.optim in float64, and by TensorFlow 1's equations. */
static const update_case update_cases[] = {
    { "sgd", { SGD }, 0, 0, { 0.5, -1.315, 2.025 } },
    { "sgd, momentum, decay", { SGD, .momentum = 0.9 }, 0.01, 0, { 0.5071053894999999, -1.29634447875, 1.941046558 } },
    { "nesterov", { SGD, .momentum = 0.9, .flags = LSTMAE_UPDATE_NESTEROV }, 0, 0, { 0.50891, -1.36297, 1.98189 } },
    { "adam", { ADAM }, 0, 0, { 0.4947540221765934, -1.247856041463786, 1.985046067659862 } },
    { "adam, decay", { ADAM }, 0.1, 0, { 0.4905427006893942, -1.239978706015118, 1.979337073454308 } },
    { "adamw", { ADAM, .flags = LSTMAE_UPDATE_DECOUPLED_DECAY }, 0.1, 0,
      { 0.4932705697764824, -1.244128152890242, 1.979079627890582 } },
    { "rmsprop", { RMSPROP, .eps = 1e-8 }, 0, 0, { 0.4809261694837066, -1.271893653968919, 1.992317091032053 } },
    { "rmsprop, centered, momentum", { RMSPROP, .eps = 1e-8, .momentum = 0.5, .flags = LSTMAE_UPDATE_CENTERED }, 0, 0,
      { 0.4703326384495399, -1.259371001367192, 1.963402306741502 } },
    { "tf1", { RMSPROP, .eps = 1e-3, .momentum = 0.5, .flags = LSTMAE_UPDATE_TF1 }, 0, 1,
      { 0.5008036831890288, -1.25727605493223, 1.999729416245442 } },
    { "tf1, centered",
      { RMSPROP, .eps = 1e-3, .momentum = 0.5, .flags = LSTMAE_UPDATE_TF1 | LSTMAE_UPDATE_CENTERED }, 0, 1,
      { 0.5008049137799117, -1.257294781234048, 1.999727633311047 } },
};

static const double update_gradients[3][3] = { { 0.1, -0.2, 0.4 }, { -0.3, 0.25, 0.05 }, { 0.2, 0.6, -0.7 } };

static void updates(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof(update_cases) / sizeof(update_cases[0]); k++) {
        const update_case *c = &update_cases[k];
        double p[] = { 0.5, -1.25, 2.0 }, m[3] = { 0 }, v[3] = { c->first_v, c->first_v, c->first_v }, a[3] = { 0 };
        lstmae_update_tensor tensor = { .param = p, .v = v, .a = a, .count = 3, .weight_decay = c->weight_decay };
        lstmae_update_args args = c->args;
        if (args.momentum != 0 || args.kind == LSTMAE_UPDATE_ADAM) tensor.m = m;
        args.struct_size = sizeof(args);
        args.dtype = LSTMAE_F64;
        args.tensors = &tensor;
        args.count = 1;
        for (int step = 0; step < 3; step++) {
            tensor.grad = update_gradients[step];
            args.bias1 = 1 - pow(args.beta1, step + 1);
            args.bias2 = 1 - pow(args.beta2, step + 1);
            assert_ok(ref.api->update(ref.queue, &args));
        }
        for (int i = 0; i < 3; i++)
            if (fabs(p[i] - c->want[i]) > 1e-14) fail_msg("%s: got %.16g, want %.16g", c->name, p[i], c->want[i]);
    }
}

static void clipping(void **state)
{
    (void)state;
    double p[] = { 0, 0 }, g[] = { 3, -4 }, m[] = { 0, 0 }, norm_sq = 25;
    lstmae_update_tensor tensor = { .param = p, .grad = g, .m = NULL, .count = 2 };
    lstmae_update_args args = { .struct_size = sizeof(args), .dtype = LSTMAE_F64, .kind = LSTMAE_UPDATE_SGD, .lr = 1,
                                .tensors = &tensor, .count = 1, .max_norm = 2.5, .norm_sq = &norm_sq };
    assert_ok(ref.api->update(ref.queue, &args));
    assert_near(p[0], -1.5, 1e-6);
    assert_near(p[1], 2, 1e-6);
    args.value_clip = 1.75;
    assert_ok(ref.api->update(ref.queue, &args));
    assert_near(p[0], -3, 1e-6);
    assert_near(p[1], 3.75, 1e-6);
    args.max_norm = args.value_clip = 0;
    args.velocity_clip = 0.25;
    args.momentum = 0.5;
    tensor.m = m;
    assert_ok(ref.api->update(ref.queue, &args));
    assert_near(p[0], -3.25, 1e-6);
    assert_near(m[1], -0.25, 0);
    args.flags = LSTMAE_UPDATE_SKIP_NONFINITE;
    norm_sq = NAN;
    assert_ok(ref.api->update(ref.queue, &args));
    assert_near(m[1], -0.25, 0);
    assert_near(p[0], -3.25, 1e-6);
}

/* One cell of T=1, B=2, H=2 whose inputs all lie in one array, to be nudged one by one. */
typedef struct cell_inputs {
    double a[2][8], h[2][2], c[2][2], bias[8], peephole[6];
} cell_inputs;

typedef struct cell_outputs {
    double gates[2][8], hs[2][2][2], cs[2][2][2], y[2][2];
} cell_outputs;

static lstmae_lstm_args cell_run(const cell_inputs *in, const int64_t *lengths, cell_outputs *out)
{
    static double no_bias[8];
    memcpy(out->gates, in->a, sizeof(in->a));
    memcpy(out->hs[0], in->h, sizeof(in->h));
    memcpy(out->cs[0], in->c, sizeof(in->c));
    lstmae_lstm_args args = { .struct_size = sizeof(args), .T = 1, .B = 2, .H = 2, .dtype = LSTMAE_F64,
                              .b_ih = in->bias, .b_hh = no_bias, .peephole = in->peephole, .lengths = lengths,
                              .gates = out->gates, .hs = out->hs, .cs = out->cs, .y = out->y, .y_step = 4,
                              .y_batch = 2 };
    assert_ok(ref.api->lstm_cell_forward(ref.queue, &args, 0));
    return args;
}

/* sum_b,j  (wh + wy)_bj h_bj + wc_bj c_bj: its gradient by everything is what backward has to give. */
static const double cell_wy[2][2] = { { 0.3, -0.8 }, { 1.1, 0.2 } }, cell_wh[2][2] = { { -0.4, 0.9 }, { 0.7, 0.5 } };
static const double cell_wc[2][2] = { { 0.6, 0.1 }, { -0.3, 1.2 } };

static double cell_objective(const cell_inputs *in, const int64_t *lengths)
{
    cell_outputs out;
    double sum = 0;
    cell_run(in, lengths, &out);
    for (int b = 0; b < 2; b++)
        for (int j = 0; j < 2; j++)
            sum += cell_wh[b][j] * out.hs[1][b][j] + cell_wy[b][j] * out.y[b][j] + cell_wc[b][j] * out.cs[1][b][j];
    return sum;
}

static double cell_slope(cell_inputs *in, double *variable, const int64_t *lengths)
{
    double kept = *variable, step = 1e-6, high, low;
    *variable = kept + step;
    high = cell_objective(in, lengths);
    *variable = kept - step;
    low = cell_objective(in, lengths);
    *variable = kept;
    return (high - low) / (2 * step);
}

static void cell_gradients(void **state)
{
    (void)state;
    static const int64_t some[] = { 1, 0 };
    cell_inputs in;
    cell_outputs out;
    double *flat = (double *)&in;
    for (size_t i = 0; i < sizeof(in) / sizeof(double); i++) flat[i] = sin(1.7 * (double)i + 0.3);
    for (int masked = 0; masked < 2; masked++) {
        const int64_t *lengths = masked ? some : NULL;
        double dh[2][2], dc[2][2];
        lstmae_lstm_args args = cell_run(&in, lengths, &out);
        memcpy(dh, cell_wh, sizeof(dh));
        memcpy(dc, cell_wc, sizeof(dc));
        args.dh = dh;
        args.dc = dc;
        args.dy = cell_wy;
        args.dy_step = 4;
        args.dy_batch = 2;
        assert_ok(ref.api->lstm_cell_backward(ref.queue, &args, 0));
        for (int b = 0; b < 2; b++) {
            for (int k = 0; k < 8; k++) assert_near(out.gates[b][k], cell_slope(&in, &in.a[b][k], lengths), 1e-8);
            for (int j = 0; j < 2; j++) {
                assert_near(dc[b][j], cell_slope(&in, &in.c[b][j], lengths), 1e-8);
                assert_near(dh[b][j], cell_slope(&in, &in.h[b][j], lengths), 1e-8);
            }
        }
        if (masked) assert_true(out.y[1][0] == 0 && out.hs[1][1][0] == in.h[1][0] && dh[1][0] == cell_wh[1][0]);
    }
}

/* By hand: a_i = 0.5, a_f = -0.5, a_g = 1, a_o = 2, c = 0.4, peepholes 0.1, 0.2, 0.3. */
static void cell_values(void **state)
{
    (void)state;
    double gates[4] = { 0.2, -0.5, 1, 2 }, b_ih[4] = { 0.1, 0, 0, 0 }, b_hh[4] = { 0.2, 0, 0, 0 };
    double hs[2] = { 9, 0 }, cs[2] = { 0.4, 0 }, y[3] = { 7, 7, 7 }, p[3] = { 0.1, 0.2, 0.3 };
    int64_t length = 3;
    lstmae_lstm_args args = { .struct_size = sizeof(args), .flags = LSTMAE_SEQ_REVERSE, .T = 3, .B = 1, .H = 1,
                              .dtype = LSTMAE_F64, .b_ih = b_ih, .b_hh = b_hh, .peephole = p, .gates = gates, .hs = hs,
                              .cs = cs, .y = y, .y_step = 1, .lengths = &length };
    assert_ok(ref.api->lstm_cell_forward(ref.queue, &args, 0));
    double i = 1 / (1 + exp(-0.54)), f = 1 / (1 + exp(0.42)), c = f * 0.4 + i * tanh(1.0);
    double h = tanh(c) / (1 + exp(-2 - 0.3 * c));
    assert_near(gates[0], i, 1e-15);
    assert_near(gates[1], f, 1e-15);
    assert_near(cs[1], c, 1e-15);
    assert_near(hs[1], h, 1e-15);
    assert_near(y[2], h, 1e-15);
    assert_near(y[0], 7, 0);
    length = 2;
    assert_ok(ref.api->lstm_cell_forward(ref.queue, &args, 0));
    assert_near(hs[1], 9, 0);
    assert_near(cs[1], 0.4, 0);
    assert_near(y[2], 0, 0);
}

static void integers_are_only_moved(void **state)
{
    (void)state;
    int64_t x[] = { 1, INT64_C(9007199254740993), -3 }, y[3] = { 0 };
    lstmae_view vx = { .data = x, .dim = { 3 }, .stride = { 1 }, .ndim = 1, .dtype = LSTMAE_I64 }, vy = vx;
    vy.data = y;
    assert_ok(ref.api->copy(ref.queue, &vy, &vx));
    assert_memory_equal(x, y, sizeof(x));
    assert_ok(ref.api->fill(ref.queue, &vy, -5));
    assert_true(y[2] == -5);
    assert_fails(ref.api->axpby(ref.queue, &vy, 1, &vx, 0), ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gemm_orientations),
        cmocka_unit_test(maps_and_derivatives),
        cmocka_unit_test(strides_broadcast_and_run_backwards),
        cmocka_unit_test(reductions),
        cmocka_unit_test(random_numbers),
        cmocka_unit_test(random_building_blocks),
        cmocka_unit_test(dropout_keeps_and_scales),
        cmocka_unit_test(losses_and_gradients),
        cmocka_unit_test(updates),
        cmocka_unit_test(clipping),
        cmocka_unit_test(cell_values),
        cmocka_unit_test(cell_gradients),
        cmocka_unit_test(integers_are_only_moved),
    };
    return cmocka_run_group_tests(tests, open_reference, close_reference);
}
