/* What PyTorch does not have, against plain loops in float64: peepholes, and RMSProp as TensorFlow 1 defines it. */
#include "golden.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* In float64 both sides compute the same sums in another order. */
#define LOOPS_LIMIT_F64 1e-12

typedef struct loops {
    lstmae_context *context;
    double limit, worst;
    int failures;
} loops;

static loops loops_begin(void **state)
{
    loops test = { *state, GOLDEN_LIMIT_F32, 0, 0 };
    if (lstmae_context_dtype(test.context) == LSTMAE_F64) test.limit = LOOPS_LIMIT_F64;
    return test;
}

static void loops_compare(loops *test, const char *what, const lstmae_tensor *got, const double *want)
{
    double *values = values_read(got), error = values_error(values, want, (size_t)lstmae_tensor_numel(got));
    free(values);
    test->worst = fmax(test->worst, error);
    if (error <= test->limit) return;
    print_error("%s is off by %.3g of its largest element (limit %.3g)\n", what, error, test->limit);
    test->failures++;
}

static void loops_end(const loops *test)
{
    print_message("largest error %.2e\n", test->worst);
    assert_int_equal(test->failures, 0);
}

/* --- peepholes --------------------------------------------------------------------------------------------------- */

enum { T = 7, B = 3, I = 5, H = 6, ROWS = 4 * H };

/** One layer over whole sequences. */
typedef struct cell_run {
    double w_ih[ROWS][I], w_hh[ROWS][H], b_ih[ROWS], b_hh[ROWS], peephole[3][H];
    double x[T][B][I], h[T + 1][B][H], c[T + 1][B][H];
    double gate[T][B][ROWS];
    double dy[T][B][H], dh[B][H], dc[B][H];
    double dw_ih[ROWS][I], dw_hh[ROWS][H], db[ROWS], dpeephole[3][H], dx[T][B][I];
} cell_run;

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

/* a = W_ih x + b_ih + W_hh h' + b_hh;  i = sigmoid(a_i + p_i c'), f = sigmoid(a_f + p_f c'), g = tanh(a_g);
 * c = f c' + i g;  o = sigmoid(a_o + p_o c);  h = o tanh(c), with h' and c' those of the step before. */
static void cell_forward(cell_run *r, int t, int b)
{
    double *a = r->gate[t][b];
    for (int row = 0; row < ROWS; row++) {
        a[row] = r->b_ih[row] + r->b_hh[row];
        for (int k = 0; k < I; k++) a[row] += r->w_ih[row][k] * r->x[t][b][k];
        for (int k = 0; k < H; k++) a[row] += r->w_hh[row][k] * r->h[t][b][k];
    }
    for (int n = 0; n < H; n++) {
        double before = r->c[t][b][n];
        a[n] = sigmoid(a[n] + r->peephole[0][n] * before);
        a[H + n] = sigmoid(a[H + n] + r->peephole[1][n] * before);
        a[2 * H + n] = tanh(a[2 * H + n]);
        r->c[t + 1][b][n] = a[H + n] * before + a[n] * a[2 * H + n];
        a[3 * H + n] = sigmoid(a[3 * H + n] + r->peephole[2][n] * r->c[t + 1][b][n]);
        r->h[t + 1][b][n] = a[3 * H + n] * tanh(r->c[t + 1][b][n]);
    }
}

/* Derivatives of the lines above, from last to first; `da` receives dL/da before the activations. */
static void cell_gates_backward(cell_run *r, int t, int b, double da[ROWS])
{
    const double *gate = r->gate[t][b];
    for (int n = 0; n < H; n++) {
        double i = gate[n], f = gate[H + n], g = gate[2 * H + n], o = gate[3 * H + n];
        double before = r->c[t][b][n], now = r->c[t + 1][b][n], squashed = tanh(now);
        double dh = r->dh[b][n] + r->dy[t][b][n];
        da[3 * H + n] = dh * squashed * o * (1 - o);
        double dc = r->dc[b][n] + dh * o * (1 - squashed * squashed) + r->peephole[2][n] * da[3 * H + n];
        da[n] = dc * g * i * (1 - i);
        da[H + n] = dc * before * f * (1 - f);
        da[2 * H + n] = dc * i * (1 - g * g);
        r->dc[b][n] = dc * f + r->peephole[0][n] * da[n] + r->peephole[1][n] * da[H + n];
        r->dpeephole[0][n] += da[n] * before;
        r->dpeephole[1][n] += da[H + n] * before;
        r->dpeephole[2][n] += da[3 * H + n] * now;
    }
}

static void cell_backward(cell_run *r, int t, int b)
{
    double da[ROWS];
    cell_gates_backward(r, t, b, da);
    memset(r->dh[b], 0, sizeof(r->dh[b]));
    for (int row = 0; row < ROWS; row++) {
        r->db[row] += da[row];
        for (int k = 0; k < I; k++) {
            r->dw_ih[row][k] += da[row] * r->x[t][b][k];
            r->dx[t][b][k] += da[row] * r->w_ih[row][k];
        }
        for (int k = 0; k < H; k++) {
            r->dw_hh[row][k] += da[row] * r->h[t][b][k];
            r->dh[b][k] += da[row] * r->w_hh[row][k];
        }
    }
}

static void set_param(lstmae_module *module, const char *name, const void *values)
{
    size_t index = 0;
    assert_ok(lstmae_module_param_index(module, name, &index));
    values_write(lstmae_module_param(module, index), values);
}

static void compare_grad(loops *test, lstmae_module *module, const char *name, const void *want)
{
    size_t index = 0;
    assert_ok(lstmae_module_param_index(module, name, &index));
    loops_compare(test, name, lstmae_module_param_grad(module, index), want);
}

static void draw_run(cell_run *r)
{
    void *arrays[] = { r->w_ih, r->w_hh, r->b_ih, r->b_hh, r->peephole, r->x, r->h, r->c, r->dy, r->dh, r->dc };
    const size_t counts[] = { ROWS * I, ROWS * H, ROWS, ROWS, 3 * H, T * B * I, B * H, B * H, T * B * H, B * H, B * H };
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) values_draw(arrays[i], counts[i], 7 + i, 0.8);
}

static lstmae_module *peephole_lstm(loops *test, const cell_run *r)
{
    lstmae_lstm_options options = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_module *lstm = NULL;
    options.flags = LSTMAE_LSTM_PEEPHOLE;
    assert_ok(lstmae_lstm_create(&lstm, test->context, I, H, &options));
    set_param(lstm, "weight_ih_l0", r->w_ih);
    set_param(lstm, "weight_hh_l0", r->w_hh);
    set_param(lstm, "bias_ih_l0", r->b_ih);
    set_param(lstm, "bias_hh_l0", r->b_hh);
    set_param(lstm, "peephole_l0", r->peephole);
    return lstm;
}

/** Runs the library over what `r` holds, then the loop, and compares. */
static void compare_peephole(loops *test, lstmae_module *lstm, cell_run *r)
{
    const int64_t in[] = { T, B, I }, out[] = { T, B, H }, state[] = { 1, B, H };
    lstmae_tensor *x = values_tensor(test->context, 3, in, &r->x[0][0][0]);
    lstmae_tensor *dy = values_tensor(test->context, 3, out, &r->dy[0][0][0]);
    lstmae_tensor *h0 = values_tensor(test->context, 3, state, &r->h[0][0][0]);
    lstmae_tensor *c0 = values_tensor(test->context, 3, state, &r->c[0][0][0]);
    lstmae_tensor *dh = values_tensor(test->context, 3, state, &r->dh[0][0]);
    lstmae_tensor *dc = values_tensor(test->context, 3, state, &r->dc[0][0]);
    const lstmae_tensor *y = NULL, *dx = NULL, *hn = NULL, *cn = NULL, *dh0 = NULL, *dc0 = NULL;
    for (int t = 0; t < T; t++)
        for (int b = 0; b < B; b++) cell_forward(r, t, b);
    assert_ok(lstmae_lstm_set_state(lstm, h0, c0));
    assert_ok(lstmae_module_forward(lstm, x, &y));
    assert_ok(lstmae_lstm_state(lstm, &hn, &cn));
    loops_compare(test, "y", y, &r->h[1][0][0]);
    loops_compare(test, "h", hn, &r->h[T][0][0]);
    loops_compare(test, "c", cn, &r->c[T][0][0]);

    for (int t = T - 1; t >= 0; t--)
        for (int b = 0; b < B; b++) cell_backward(r, t, b);
    assert_ok(lstmae_lstm_set_state_grad(lstm, dh, dc));
    assert_ok(lstmae_module_backward(lstm, dy, &dx));
    assert_ok(lstmae_lstm_state_grad(lstm, &dh0, &dc0));
    loops_compare(test, "dx", dx, &r->dx[0][0][0]);
    loops_compare(test, "dh0", dh0, &r->dh[0][0]);
    loops_compare(test, "dc0", dc0, &r->dc[0][0]);
    compare_grad(test, lstm, "weight_ih_l0", r->dw_ih);
    compare_grad(test, lstm, "weight_hh_l0", r->dw_hh);
    compare_grad(test, lstm, "bias_ih_l0", r->db);
    compare_grad(test, lstm, "bias_hh_l0", r->db);
    compare_grad(test, lstm, "peephole_l0", r->dpeephole);
    lstmae_tensor *all[] = { x, dy, h0, c0, dh, dc };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) lstmae_tensor_destroy(all[i]);
}

static void test_peephole(void **state)
{
    loops test = loops_begin(state);
    cell_run *run = calloc(1, sizeof(*run));
    assert_non_null(run);
    draw_run(run);
    lstmae_module *lstm = peephole_lstm(&test, run);
    compare_peephole(&test, lstm, run);
    lstmae_module_destroy(lstm);
    free(run);
    loops_end(&test);
}

/* --- RMSProp as tf.train.RMSPropOptimizer ------------------------------------------------------------------------ */

enum { STEPS = 20, IN = 5, OUT = 3, COUNT = IN * OUT };

typedef struct rmsprop_state {
    double w[COUNT], square[COUNT], mean[COUNT], velocity[COUNT];
} rmsprop_state;

/* s = rho s + (1-rho) g^2, starting at 1;  centered: m = rho m + (1-rho) g, else m = 0;
 * v = momentum v + lr g / sqrt(s - m^2 + eps);  w = w - v */
static void rmsprop_step(rmsprop_state *s, const lstmae_optimizer_options *o, const double *g)
{
    for (int k = 0; k < COUNT; k++) {
        s->square[k] = o->rho * s->square[k] + (1 - o->rho) * g[k] * g[k];
        if (o->flags & LSTMAE_OPTIMIZER_CENTERED) s->mean[k] = o->rho * s->mean[k] + (1 - o->rho) * g[k];
        double root = sqrt(s->square[k] - s->mean[k] * s->mean[k] + o->eps);
        s->velocity[k] = o->momentum * s->velocity[k] + o->lr * g[k] / root;
        s->w[k] -= s->velocity[k];
    }
}

static void compare_rmsprop(loops *test, const lstmae_optimizer_options *options)
{
    const int64_t x_dims[] = { 4, IN }, dy_dims[] = { 4, OUT };
    double x[4 * IN], dy[4 * OUT];
    rmsprop_state s = { 0 };
    lstmae_module *linear = NULL;
    lstmae_optimizer *optimizer = NULL;
    assert_ok(lstmae_linear_create(&linear, test->context, IN, OUT, LSTMAE_LINEAR_NO_BIAS));
    assert_ok(lstmae_optimizer_create(&optimizer, linear, options));
    double *start = values_read(lstmae_module_param(linear, 0));
    for (int k = 0; k < COUNT; k++) {
        s.w[k] = start[k];
        s.square[k] = 1.0;
    }
    free(start);
    for (int step = 0; step < STEPS; step++) {
        const lstmae_tensor *y = NULL;
        values_draw(x, 4 * IN, 100 + (uint64_t)step, 1.0);
        values_draw(dy, 4 * OUT, 200 + (uint64_t)step, 1.0);
        lstmae_tensor *tx = values_tensor(test->context, 2, x_dims, x);
        lstmae_tensor *td = values_tensor(test->context, 2, dy_dims, dy);
        assert_ok(lstmae_module_zero_grad(linear));
        assert_ok(lstmae_module_forward(linear, tx, &y));
        assert_ok(lstmae_module_backward(linear, td, NULL));
        assert_ok(lstmae_optimizer_step(optimizer));
        double *g = values_read(lstmae_module_param_grad(linear, 0));
        rmsprop_step(&s, options, g);
        free(g);
        lstmae_tensor_destroy(tx);
        lstmae_tensor_destroy(td);
    }
    loops_compare(test, "weight", lstmae_module_param(linear, 0), s.w);
    lstmae_optimizer_destroy(optimizer);
    lstmae_module_destroy(linear);
}

static void test_rmsprop(void **state)
{
    loops test = loops_begin(state);
    lstmae_optimizer_options options = LSTMAE_RMSPROP_TF1_OPTIONS_INIT;
    options.lr = 0.01;
    compare_rmsprop(&test, &options);
    options.momentum = 0.8;
    options.eps = 1e-3; /* large enough to tell inside from outside the root */
    compare_rmsprop(&test, &options);
    options.flags = LSTMAE_OPTIMIZER_CENTERED;
    compare_rmsprop(&test, &options);
    loops_end(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = { GOLDEN_TESTS(test_peephole), GOLDEN_TESTS(test_rmsprop) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
