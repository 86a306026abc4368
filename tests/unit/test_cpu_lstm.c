/*
 * The sequence entries of the CPU device against one LSTM cell in double, written here: every instruction set, odd
 * sizes, strides, lengths and options; one, two and three threads give the same bits.
 */
#include "cpu/cpu_entries.h"
#include "cpu_queue.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REVERSE = 1, ZERO_STATE = 2, NO_STATE_GRAD = 4, PEEPHOLE = 8, NO_BIAS = 16, LENGTHS = 32, NO_INPUT = 64,
       REPEAT = 128, STRIDED = 256, OUTPUT = 512, ADD = 1024, PREPARED = 2048, NO_DY = 4096, BATCH_MAJOR = 8192 };

typedef struct lstm_case {
    int64_t T, B, I, H;
    unsigned options;
} lstm_case;

static const lstm_case cases[] = {
    { 1, 1, 1, 1, 0 },
    { 1, 1, 8, 64, PREPARED },
    { 1, 1, 600, 40, PEEPHOLE | OUTPUT },
    { 1, 1, 2, 19, NO_INPUT | NO_BIAS },
    { 1, 1, 3, 5, ZERO_STATE | NO_STATE_GRAD | PEEPHOLE },
    { 3, 1, 4, 17, PEEPHOLE | REVERSE },
    { 25, 1, 385, 15, PEEPHOLE | PREPARED },
    { 4, 2, 7, 3, REVERSE | LENGTHS | OUTPUT },
    { 5, 3, 1, 1, NO_BIAS | STRIDED | OUTPUT | ADD },
    { 6, 5, 9, 16, LENGTHS | OUTPUT | PEEPHOLE | STRIDED },
    { 2, 7, 33, 31, REPEAT | ADD },
    { 7, 6, 20, 20, REPEAT | REVERSE | PEEPHOLE | LENGTHS },
    { 3, 4, 5, 70, NO_INPUT | NO_DY },
    { 1, 9, 5, 33, NO_INPUT | ADD | ZERO_STATE },
    { 8, 3, 2, 66, BATCH_MAJOR | OUTPUT },
    { 9, 2, 6, 12, BATCH_MAJOR | REVERSE | OUTPUT | LENGTHS | ADD },
    { 1, 150, 13, 40, PREPARED | OUTPUT },
    { 4, 147, 10, 37, STRIDED | PREPARED | ZERO_STATE | NO_STATE_GRAD },
    { 3, 16, 600, 48, PREPARED | REVERSE },
    { 2, 13, 64, 530, ADD },
    { 20, 12, 24, 96, LENGTHS | PREPARED | PEEPHOLE | OUTPUT | REVERSE },
};

/* All arrays of one run. Rows of x, y, dy, dx have some elements to spare that must stay as they were. */
typedef struct lstm_data {
    lstmae_lstm_args args;
    float *array[32];
    size_t count[32];
    int arrays;
} lstm_data;

static float *new_array(lstm_data *data, int64_t count, float scale)
{
    float *array = malloc(((size_t)count + 1) * sizeof(float));
    assert_non_null(array);
    test_fill(array, (size_t)count, (uint64_t)data->arrays + 100, scale);
    data->array[data->arrays] = array;
    data->count[data->arrays++] = (size_t)count;
    return array;
}

static void free_arrays(lstm_data *data)
{
    for (int i = 0; i < data->arrays; i++) free(data->array[i]);
}

/* An array of T x B rows: strides in *step and *batch. */
static float *new_rows(lstm_data *data, const lstm_case *c, int64_t width, int64_t *step, int64_t *batch)
{
    int64_t row = width + (c->options & STRIDED ? 3 : 0);
    *batch = c->options & BATCH_MAJOR ? c->T * row : row;
    *step = c->options & BATCH_MAJOR ? row : c->B * row + (c->options & STRIDED ? 5 : 0);
    return new_array(data, c->T * (c->B * row + 5), 1.0f);
}

static void make_data(lstm_data *data, const lstm_case *c, int64_t *lengths)
{
    lstmae_lstm_args *a = &data->args;
    const int64_t T = c->T, B = c->B, I = c->I, H = c->H;
    const unsigned o = c->options;
    memset(data, 0, sizeof(*data));
    a->struct_size = sizeof(*a);
    a->flags = o & (REVERSE | ZERO_STATE | NO_STATE_GRAD);
    a->T = T;
    a->B = B;
    a->I = I;
    a->H = H;
    a->dtype = LSTMAE_F32;
    float *x = new_rows(data, c, I, &a->x_step, &a->x_batch);
    a->x = o & NO_INPUT ? NULL : x;
    if (o & REPEAT) a->x_step = 0;
    a->w_ih = new_array(data, 4 * H * I, 0.5f);
    a->w_hh = new_array(data, 4 * H * H, 0.5f);
    float *b_ih = new_array(data, 4 * H, 0.5f), *b_hh = new_array(data, 4 * H, 0.5f);
    a->b_ih = o & NO_BIAS ? NULL : b_ih;
    a->b_hh = o & NO_BIAS ? NULL : b_hh;
    float *peephole = new_array(data, 3 * H, 0.5f);
    a->peephole = o & PEEPHOLE ? peephole : NULL;
    a->gates = new_array(data, T * B * 4 * H, 1.0f);
    a->hs = new_array(data, (T + 1) * B * H, 1.0f);
    a->cs = new_array(data, (T + 1) * B * H, 1.0f);
    if (o & ZERO_STATE) {
        memset(a->hs, 0, (size_t)(B * H) * sizeof(float));
        memset(a->cs, 0, (size_t)(B * H) * sizeof(float));
    }
    float *y = new_rows(data, c, H, &a->y_step, &a->y_batch);
    a->y = o & OUTPUT ? y : NULL;
    float *dy = new_rows(data, c, H, &a->dy_step, &a->dy_batch);
    a->dy = o & NO_DY ? NULL : dy;
    a->dh = new_array(data, B * H, 1.0f);
    a->dc = new_array(data, B * H, 1.0f);
    a->dx = new_rows(data, c, I, &a->dx_step, &a->dx_batch);
    a->dw_ih = new_array(data, 4 * H * I, 1.0f);
    a->dw_hh = new_array(data, 4 * H * H, 1.0f);
    float *db_ih = new_array(data, 4 * H, 1.0f), *db_hh = new_array(data, 4 * H, 1.0f);
    a->db_ih = o & NO_BIAS ? NULL : db_ih;
    a->db_hh = o & NO_BIAS ? NULL : db_hh;
    float *dpeephole = new_array(data, 3 * H, 1.0f);
    a->dpeephole = o & PEEPHOLE ? dpeephole : NULL;
    a->beta = o & ADD ? 1.0 : 0.0;
    for (int64_t b = 0; b < B; b++) lengths[b] = b * 7 % (T + 1); /* 0 and T among them */
    a->lengths = o & LENGTHS ? lengths : NULL;
}

/* ---- the same in double ---- */

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static double at(const void *array, int64_t index)
{
    return array ? (double)((const float *)array)[index] : 0.0;
}

typedef struct plain_run {
    double *gates, *hs, *cs, *da, *dh, *dc, *dx, *dw_ih, *dw_hh, *db, *dp;
} plain_run;

static double *new_doubles(int64_t count)
{
    double *array = calloc((size_t)count + 1, sizeof(double));
    assert_non_null(array);
    return array;
}

static int64_t time_of(const lstmae_lstm_args *a, int64_t s)
{
    return a->flags & LSTMAE_SEQ_REVERSE ? a->T - 1 - s : s;
}

static int ended(const lstmae_lstm_args *a, int64_t s, int64_t b)
{
    return a->lengths && time_of(a, s) >= a->lengths[b];
}

static double x_at(const lstmae_lstm_args *a, int64_t s, int64_t b, int64_t i)
{
    return at(a->x, time_of(a, s) * a->x_step + b * a->x_batch + i);
}

static void plain_forward(const lstmae_lstm_args *a, plain_run *r)
{
    const int64_t B = a->B, I = a->I, H = a->H;
    for (int64_t j = 0; j < B * H; j++) {
        r->hs[j] = at(a->hs, j);
        r->cs[j] = at(a->cs, j);
    }
    for (int64_t s = 0; s < a->T; s++) {
        for (int64_t b = 0; b < B; b++) {
            const double *h0 = r->hs + (s * B + b) * H, *c0 = r->cs + (s * B + b) * H;
            double *h1 = r->hs + ((s + 1) * B + b) * H, *c1 = r->cs + ((s + 1) * B + b) * H;
            double *gates = r->gates + (s * B + b) * 4 * H;
            for (int64_t j = 0; j < H; j++) {
                double sum[4];
                for (int64_t k = 0; k < 4; k++) {
                    sum[k] = at(a->b_ih, k * H + j) + at(a->b_hh, k * H + j);
                    for (int64_t i = 0; i < I; i++) sum[k] += at(a->w_ih, (k * H + j) * I + i) * x_at(a, s, b, i);
                    for (int64_t i = 0; i < H; i++) sum[k] += at(a->w_hh, (k * H + j) * H + i) * h0[i];
                }
                double *g = gates + j;
                g[0] = sigmoid(sum[0] + at(a->peephole, j) * c0[j]);
                g[H] = sigmoid(sum[1] + at(a->peephole, H + j) * c0[j]);
                g[2 * H] = tanh(sum[2]);
                c1[j] = g[H] * c0[j] + g[0] * g[2 * H];
                g[3 * H] = sigmoid(sum[3] + at(a->peephole, 2 * H + j) * c1[j]);
                h1[j] = g[3 * H] * tanh(c1[j]);
                if (ended(a, s, b)) {
                    c1[j] = c0[j];
                    h1[j] = h0[j];
                }
            }
        }
    }
}

/* One sample at step s: dL/da of all gates, and what goes on to the state before. */
static void plain_cell_backward(const lstmae_lstm_args *a, plain_run *r, int64_t s, int64_t b)
{
    const int64_t B = a->B, H = a->H;
    const double *gates = r->gates + (s * B + b) * 4 * H;
    const double *c0 = r->cs + (s * B + b) * H, *c1 = c0 + B * H;
    double *da = r->da + (s * B + b) * 4 * H, *dh = r->dh + b * H, *dc = r->dc + b * H;
    if (ended(a, s, b)) return;
    for (int64_t j = 0; j < H; j++) {
        double i = gates[j], f = gates[H + j], g = gates[2 * H + j], o = gates[3 * H + j], th = tanh(c1[j]);
        double d = dh[j] + at(a->dy, time_of(a, s) * a->dy_step + b * a->dy_batch + j);
        da[3 * H + j] = d * th * o * (1 - o);
        dc[j] += d * o * (1 - th * th) + da[3 * H + j] * at(a->peephole, 2 * H + j);
        da[j] = dc[j] * g * i * (1 - i);
        da[H + j] = dc[j] * c0[j] * f * (1 - f);
        da[2 * H + j] = dc[j] * i * (1 - g * g);
        dc[j] = dc[j] * f + da[j] * at(a->peephole, j) + da[H + j] * at(a->peephole, H + j);
    }
    for (int64_t k = 0; k < H; k++) {
        dh[k] = 0.0;
        for (int64_t j = 0; j < 4 * H; j++) dh[k] += da[j] * at(a->w_hh, j * H + k);
    }
    for (int64_t k = 0; k < a->I; k++)
        for (int64_t j = 0; j < 4 * H; j++) r->dx[(s * B + b) * a->I + k] += da[j] * at(a->w_ih, j * a->I + k);
}

static void plain_backward(const lstmae_lstm_args *a, plain_run *r)
{
    const int64_t B = a->B, I = a->I, H = a->H;
    for (int64_t j = 0; j < B * H; j++) {
        r->dh[j] = at(a->dh, j);
        r->dc[j] = at(a->dc, j);
    }
    for (int64_t s = a->T - 1; s >= 0; s--)
        for (int64_t b = 0; b < B; b++) plain_cell_backward(a, r, s, b);
    for (int64_t row = 0; row < a->T * B; row++) {
        const double *da = r->da + row * 4 * H;
        for (int64_t j = 0; j < 4 * H; j++) {
            for (int64_t i = 0; i < I; i++) r->dw_ih[j * I + i] += da[j] * x_at(a, row / B, row % B, i);
            for (int64_t i = 0; i < H; i++) r->dw_hh[j * H + i] += da[j] * r->hs[row * H + i];
            r->db[j] += da[j];
        }
        for (int64_t j = 0; j < H; j++) {
            r->dp[j] += da[j] * r->cs[row * H + j];
            r->dp[H + j] += da[H + j] * r->cs[row * H + j];
            r->dp[2 * H + j] += da[3 * H + j] * r->cs[(row + B) * H + j];
        }
    }
}

static void plain_start(plain_run *r, const lstm_case *c)
{
    const int64_t states = (c->T + 1) * c->B * c->H, gates = c->T * c->B * 4 * c->H;
    *r = (plain_run){ new_doubles(gates),        new_doubles(states),      new_doubles(states),
                      new_doubles(gates),        new_doubles(c->B * c->H), new_doubles(c->B * c->H),
                      new_doubles(c->T * c->B * c->I), new_doubles(4 * c->H * c->I), new_doubles(4 * c->H * c->H),
                      new_doubles(4 * c->H),     new_doubles(3 * c->H) };
}

static void plain_free(plain_run *r)
{
    double *all[] = { r->gates, r->hs, r->cs, r->da, r->dh, r->dc, r->dx, r->dw_ih, r->dw_hh, r->db, r->dp };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) free(all[i]);
}

/* ---- comparing ---- */

/*
 * Errors are those of sums in float, relative to the largest value of the array: 3e-5 is 250 roundings, reached by the
 * longest sums (dw over 530 units' worth of gradients of large random weights), and far below any wrong term.
 */
static void compare(const char *what, const float *got, const double *want, int64_t count, const float *before)
{
    double most = 1e-3;
    for (int64_t i = 0; i < count; i++) most = fmax(most, fabs(want[i]));
    for (int64_t i = 0; i < count; i++) {
        float value = (float)(want[i] + (before ? (double)before[i] : 0.0));
        assert_close(what, got + i, &value, 1, 3e-5 * most + 1e-6, 0.0);
    }
}

/* Rows with strides: values where rows are, and what was there before in between. */
static void compare_rows(const char *what, const lstmae_lstm_args *a, const float *got, const double *want,
                         int64_t width, int64_t step, int64_t batch)
{
    for (int64_t s = 0; s < a->T; s++)
        for (int64_t b = 0; b < a->B; b++)
            compare(what, got + time_of(a, s) * step + b * batch, want + (s * a->B + b) * width, width, NULL);
}

static void compare_forward(const lstm_data *data, const plain_run *r)
{
    const lstmae_lstm_args *a = &data->args;
    const int64_t B = a->B, H = a->H;
    compare("hs", a->hs, r->hs, (a->T + 1) * B * H, NULL);
    compare("cs", a->cs, r->cs, (a->T + 1) * B * H, NULL);
    for (int64_t s = 0; s < a->T; s++)
        for (int64_t b = 0; b < B; b++)
            if (!ended(a, s, b))
                compare("gates", (const float *)a->gates + (s * B + b) * 4 * H, r->gates + (s * B + b) * 4 * H, 4 * H,
                        NULL);
    if (!a->y) return;
    double *y = new_doubles(a->T * B * H);
    for (int64_t row = 0; row < a->T * B; row++)
        for (int64_t j = 0; j < H; j++) y[row * H + j] = ended(a, row / B, row % B) ? 0.0 : r->hs[(row + B) * H + j];
    compare_rows("y", a, a->y, y, H, a->y_step, a->y_batch);
    free(y);
}

static void compare_backward(const lstm_data *data, const lstm_data *before, const plain_run *r)
{
    const lstmae_lstm_args *a = &data->args, *b = &before->args;
    const int64_t I = a->I, H = a->H;
    const int add = a->beta != 0.0;
    compare("dgates", a->gates, r->da, a->T * a->B * 4 * H, NULL);
    compare_rows("dx", a, a->dx, r->dx, I, a->dx_step, a->dx_batch);
    if (!(a->flags & LSTMAE_SEQ_NO_STATE_GRAD)) {
        compare("dh", a->dh, r->dh, a->B * H, NULL);
        compare("dc", a->dc, r->dc, a->B * H, NULL);
    }
    compare("dw_ih", a->dw_ih, r->dw_ih, 4 * H * I, add ? b->dw_ih : NULL);
    compare("dw_hh", a->dw_hh, r->dw_hh, 4 * H * H, add ? b->dw_hh : NULL);
    if (a->db_ih) compare("db_ih", a->db_ih, r->db, 4 * H, add ? b->db_ih : NULL);
    if (a->db_hh) compare("db_hh", a->db_hh, r->db, 4 * H, add ? b->db_hh : NULL);
    if (a->dpeephole) compare("dpeephole", a->dpeephole, r->dp, 3 * H, add ? b->dpeephole : NULL);
}

/* ---- running ---- */

static void prepare_for(lstmae_queue *queue, lstm_data *data, int kind, void *prepared[2])
{
    lstmae_lstm_args *a = &data->args;
    const void *w[2] = { a->w_ih, a->w_hh };
    const int64_t width[2] = { a->I, a->H };
    for (int i = 0; i < 2; i++) {
        free(prepared[i]);
        prepared[i] = malloc(cpu_prepare_bytes(queue, kind, 4 * a->H, width[i], LSTMAE_F32) + 1);
        assert_non_null(prepared[i]);
        assert_ok(cpu_prepare(queue, kind, prepared[i], w[i], 4 * a->H, width[i], LSTMAE_F32));
    }
    a->prepared_ih = prepared[0];
    a->prepared_hh = prepared[1];
}

/* Runs all three entries; `r` not NULL: compares with it in between. */
static void run_entries(const lstm_case *c, lae_isa isa, int threads, lstm_data *data, int64_t *lengths,
                        const plain_run *r)
{
    lstmae_queue queue;
    lstm_data before;
    void *prepared[2] = { NULL, NULL };
    assert_true(cpu_queue_open(&queue, isa, threads));
    make_data(data, c, lengths);
    make_data(&before, c, lengths);
    if (c->options & PREPARED) prepare_for(&queue, data, LSTMAE_PREPARE_GATES, prepared);
    assert_ok(cpu_lstm_forward(&queue, &data->args));
    if (r) compare_forward(data, r);
    if (c->options & PREPARED) prepare_for(&queue, data, LSTMAE_PREPARE_BACKWARD, prepared);
    assert_ok(cpu_lstm_backward(&queue, &data->args));
    assert_ok(cpu_lstm_weight_gradient(&queue, &data->args));
    if (r) compare_backward(data, &before, r);
    free(prepared[0]);
    free(prepared[1]);
    free_arrays(&before);
    cpu_queue_close(&queue);
}

static void run_case(const lstm_case *c)
{
    int64_t lengths[160];
    lstm_data start, first, other;
    plain_run r;
    make_data(&start, c, lengths);
    plain_start(&r, c);
    plain_forward(&start.args, &r);
    plain_backward(&start.args, &r);
    for (int isa = 0; isa < LAE_ISA_COUNT; isa++) {
        if (!lae_isa_available((lae_isa)isa)) continue;
        run_entries(c, (lae_isa)isa, 1, &first, lengths, &r);
        for (int threads = 2; threads <= 3; threads++) {
            run_entries(c, (lae_isa)isa, threads, &other, lengths, NULL);
            for (int i = 0; i < first.arrays; i++)
                assert_memory_equal(first.array[i], other.array[i], first.count[i] * sizeof(float));
            free_arrays(&other);
        }
        free_arrays(&first);
    }
    plain_free(&r);
    free_arrays(&start);
}

static void test_sequences(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) run_case(&cases[i]);
}

/* A sequence fed step by step, as closed loops and streams do, gives the same bits as all at once. */
static void compare_steps(const lstm_case *whole, lae_isa isa)
{
    int64_t lengths[160];
    lstmae_queue queue;
    lstm_data all, steps;
    if (!cpu_queue_open(&queue, isa, 2)) return;
    make_data(&all, whole, lengths);
    make_data(&steps, whole, lengths);
    assert_ok(cpu_lstm_forward(&queue, &all.args));
    const int64_t B = whole->B, H = whole->H;
    for (int64_t t = 0; t < whole->T; t++) {
        lstmae_lstm_args a = steps.args;
        a.T = 1;
        a.x = (const float *)a.x + t * a.x_step;
        a.gates = (float *)a.gates + t * B * 4 * H;
        a.hs = (float *)a.hs + t * B * H;
        a.cs = (float *)a.cs + t * B * H;
        a.y = a.y ? (float *)a.y + t * a.y_step : NULL;
        assert_ok(cpu_lstm_forward(&queue, &a));
    }
    for (int i = 0; i < all.arrays; i++)
        assert_memory_equal(steps.array[i], all.array[i], all.count[i] * sizeof(float));
    free_arrays(&all);
    free_arrays(&steps);
    cpu_queue_close(&queue);
}

static void test_step_by_step(void **state)
{
    (void)state;
    static const lstm_case wholes[] = {
        { 6, 5, 19, 23, 0 },
        { 3, 1, 600, 37, PEEPHOLE | OUTPUT },
        { 5, 1, 1, 64, NO_BIAS },
        { 3, 1, 5, 530, OUTPUT | STRIDED },
    };
    for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++)
        for (int isa = 0; isa < LAE_ISA_COUNT; isa++) compare_steps(&wholes[i], (lae_isa)isa);
}

/* Elements between rows of y and dx belong to the caller. */
static void test_gaps(void **state)
{
    (void)state;
    static const lstm_case gaps = { 3, 4, 10, 21, STRIDED | OUTPUT };
    int64_t lengths[160];
    lstm_data data, before;
    make_data(&before, &gaps, lengths);
    run_entries(&gaps, lae_isa_best(), 1, &data, lengths, NULL);
    const lstmae_lstm_args *a = &data.args;
    for (int64_t t = 0; t < a->T; t++) {
        for (int64_t b = 0; b < a->B; b++) {
            const int64_t y = t * a->y_step + b * a->y_batch + a->H, dx = t * a->dx_step + b * a->dx_batch + a->I;
            assert_memory_equal((float *)a->y + y, (float *)before.args.y + y, 3 * sizeof(float));
            assert_memory_equal((float *)a->dx + dx, (float *)before.args.dx + dx, 3 * sizeof(float));
        }
    }
    free_arrays(&data);
    free_arrays(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_step_by_step),
        cmocka_unit_test(test_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
