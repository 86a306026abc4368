/*
 * LSTM layers: cells alone, and whole sequences as the library runs them, with the device's own sequence entries where
 * it has some and composed from its cells where not. The reference composes from its own.
 */
#include "conformance.h"

#include "ops.h"

#include "shared/philox.h"

#include <stdio.h>

typedef struct lstm_case {
    int64_t T, B, I, H;
    uint32_t flags;
    int x;        /* 0: none, 1: time-major, 2: batch-major, 3: room after rows, 4: the same at every step */
    int bias, peephole, lengths, prepared;
    int y, dy, dx; /* 0: none, 1: time-major, 2: batch-major */
    int weights;   /* 0: no weight gradients, 1: all, 2: without the biases' */
    double beta;
    int phase; /* 0: forward, 1: and backward, 2: and weight gradients */
} lstm_case;

enum lstm_view {
    GATES, HS, CS, Y, DH, DC, DX, DW_IH, DW_HH, DB_IH, DB_HH, DPEEPHOLE,
    X, W_IH, W_HH, B_IH, B_HH, PEEPHOLE, LENGTHS, DY, LSTM_VIEWS
};

static lstmae_lstm_args lstm_args(const lstm_case *l, const lstmae_view *v)
{
    lstmae_lstm_args a = { .struct_size = sizeof(a), .flags = l->flags, .T = l->T, .B = l->B, .I = l->I, .H = l->H,
                           .dtype = v[HS].dtype, .x = v[X].data, .x_step = v[X].stride[0], .x_batch = v[X].stride[1],
                           .w_ih = v[W_IH].data, .w_hh = v[W_HH].data, .b_ih = v[B_IH].data, .b_hh = v[B_HH].data,
                           .peephole = v[PEEPHOLE].data, .lengths = v[LENGTHS].data, .gates = v[GATES].data,
                           .hs = v[HS].data, .cs = v[CS].data, .y = v[Y].data, .y_step = v[Y].stride[0],
                           .y_batch = v[Y].stride[1], .dy = v[DY].data, .dy_step = v[DY].stride[0],
                           .dy_batch = v[DY].stride[1], .dh = v[DH].data, .dc = v[DC].data, .dx = v[DX].data,
                           .dx_step = v[DX].stride[0], .dx_batch = v[DX].stride[1], .dw_ih = v[DW_IH].data,
                           .dw_hh = v[DW_HH].data, .db_ih = v[DB_IH].data, .db_hh = v[DB_HH].data,
                           .dpeephole = v[DPEEPHOLE].data, .beta = l->beta };
    return a;
}

typedef struct lstm_prepared {
    void *data[2];
    size_t bytes[2];
} lstm_prepared;

static lstm_prepared lstm_prepare(const test_device *device, const lstm_case *l, lstmae_lstm_args *a, int kind)
{
    const lstmae_backend_api *api = device->api;
    const void *weights[] = { a->w_ih, a->w_hh };
    const int64_t columns[] = { l->I, l->H };
    lstm_prepared p = { { NULL, NULL }, { 0, 0 } };
    for (int k = 0; k < 2; k++) {
        if (!l->prepared || !api->prepare_bytes || (k == 0 && !a->x)) continue;
        p.bytes[k] = api->prepare_bytes(device->queue, kind, 4 * l->H, columns[k], a->dtype);
        if (p.bytes[k] == 0) continue;
        assert_ok(api->alloc(device->queue, p.bytes[k], &p.data[k]));
        assert_ok(api->prepare(device->queue, kind, p.data[k], weights[k], 4 * l->H, columns[k], a->dtype));
    }
    a->prepared_ih = p.data[0];
    a->prepared_hh = p.data[1];
    return p;
}

static void lstm_forget(const test_device *device, const lstm_prepared *p)
{
    assert_ok(device->api->queue_sync(device->queue));
    for (int k = 0; k < 2; k++)
        if (p->data[k]) device->api->release(device->queue, p->data[k], p->bytes[k]);
}

/* A context is made of the table and the queue as far as operations go. */
static lstmae_status run_lstm(const test_device *device, const lstmae_view *views, const void *args)
{
    const lstm_case *l = args;
    lstmae_context context = { .api = device->api, .queue = device->queue };
    lstmae_lstm_args a = lstm_args(l, views);
    lstm_prepared p = lstm_prepare(device, l, &a, LSTMAE_PREPARE_GATES);
    lstmae_status status = lae_op_lstm_forward(&context, &a);
    lstm_forget(device, &p);
    if (status != LSTMAE_OK || l->phase == 0) return status;
    p = lstm_prepare(device, l, &a, LSTMAE_PREPARE_BACKWARD);
    status = lae_op_lstm_backward(&context, &a);
    lstm_forget(device, &p);
    if (status != LSTMAE_OK || l->phase == 1) return status;
    return lae_op_lstm_weight_gradient(&context, &a);
}

/* Adds [T,B,width] in one of the layouts; how 0 is absent. */
static test_array lstm_sequence(const lstm_case *l, int dtype, int how, int64_t width, uint64_t seed, double scale)
{
    const int64_t dims[] = { l->T, l->B, width };
    int64_t row = how == 3 ? width + 5 : width;
    int64_t strides[] = { l->B * row, row, 1 };
    test_array none = { .dtype = dtype };
    if (how == 2) {
        strides[0] = row;
        strides[1] = l->T * row;
    }
    if (how == 4) strides[0] = 0;
    return how == 0 ? none : test_array_strided(dtype, 3, dims, strides, seed, scale);
}

static test_array lstm_array(int dtype, int wanted, int64_t d0, int64_t d1, int64_t d2, uint64_t seed, double scale)
{
    const int64_t dims[] = { d0, d1, d2 };
    test_array none = { .dtype = dtype };
    return wanted ? test_array_make(dtype, 3, dims, seed, scale) : none;
}

static void lstm_inputs(conformance_case *c, const lstm_case *l, int dtype, uint64_t seed)
{
    int64_t I = l->I, H = l->H, G = 4 * H;
    conformance_input(c, lstm_sequence(l, dtype, l->x, I, seed + 20, 1));
    conformance_input(c, lstm_array(dtype, 1, 1, G, I, seed + 21, 0.4));
    conformance_input(c, lstm_array(dtype, 1, 1, G, H, seed + 22, 0.4));
    conformance_input(c, lstm_array(dtype, l->bias, 1, 1, G, seed + 23, 0.5));
    conformance_input(c, lstm_array(dtype, l->bias, 1, 1, G, seed + 24, 0.5));
    conformance_input(c, lstm_array(dtype, l->peephole, 1, 3, H, seed + 25, 0.5));
    conformance_input(c, lstm_array(LSTMAE_I64, l->lengths, 1, 1, l->B, seed + 26, 0));
    conformance_input(c, lstm_sequence(l, dtype, l->dy, H, seed + 27, 1));
    for (int64_t b = 0; b < l->B && l->lengths; b++)
        test_array_set(&c->array[LENGTHS], b, (double)(lae_philox_bits(seed, 9, (uint64_t)b) % (uint64_t)(l->T + 1)));
}

static void lstm_outputs(conformance_case *c, const lstm_case *l, int dtype, uint64_t seed, test_tolerance tolerance)
{
    int64_t I = l->I, H = l->H, G = 4 * H;
    int backward = l->phase >= 1, weights = l->phase >= 2, biases = weights && l->bias && l->weights == 1;
    conformance_output(c, lstm_array(dtype, 1, l->T, l->B, G, seed, 1), tolerance);
    conformance_output(c, lstm_array(dtype, 1, l->T + 1, l->B, H, seed + 1, 0.9), tolerance);
    conformance_output(c, lstm_array(dtype, 1, l->T + 1, l->B, H, seed + 2, 0.9), tolerance);
    conformance_output(c, lstm_sequence(l, dtype, l->y, H, seed + 3, 1), tolerance);
    conformance_output(c, lstm_array(dtype, backward, 1, l->B, H, seed + 4, 1), tolerance);
    conformance_output(c, lstm_array(dtype, backward, 1, l->B, H, seed + 5, 1), tolerance);
    conformance_output(c, lstm_sequence(l, dtype, backward ? l->dx : 0, I, seed + 6, 1), tolerance);
    conformance_output(c, lstm_array(dtype, weights, 1, G, I, seed + 7, 1), tolerance);
    conformance_output(c, lstm_array(dtype, weights, 1, G, H, seed + 8, 1), tolerance);
    conformance_output(c, lstm_array(dtype, biases, 1, 1, G, seed + 9, 1), tolerance);
    conformance_output(c, lstm_array(dtype, biases, 1, 1, G, seed + 10, 1), tolerance);
    conformance_output(c, lstm_array(dtype, weights && l->peephole, 1, 3, H, seed + 11, 1), tolerance);
    for (int64_t i = 0; i < l->B * H && l->flags & LSTMAE_SEQ_ZERO_STATE; i++) {
        test_array_set(&c->array[HS], i, 0);
        test_array_set(&c->array[CS], i, 0);
    }
    /* gates of a masked sample after forward, and all of them after the weight gradients, are nobody's */
    if ((l->phase == 0 && l->lengths) || l->phase == 2) c->scratch |= 1u << GATES;
    if (l->flags & LSTMAE_SEQ_NO_STATE_GRAD) c->scratch |= 1u << DH | 1u << DC;
    c->outputs &= ~c->scratch;
}

static void check_lstm(const lstm_case *l, int dtype, uint64_t seed, test_tolerance tolerance)
{
    conformance_case c = { .run = run_lstm, .args = l };
    snprintf(c.what, sizeof(c.what),
             "lstm T%d B%d I%d H%d flags %u x%d bias %d peephole %d lengths %d prepared %d y%d dy%d dx%d weights %d "
             "beta %g phase %d",
             (int)l->T, (int)l->B, (int)l->I, (int)l->H, l->flags, l->x, l->bias, l->peephole, l->lengths, l->prepared,
             l->y, l->dy, l->dx, l->weights, l->beta, l->phase);
    lstm_outputs(&c, l, dtype, seed, tolerance);
    lstm_inputs(&c, l, dtype, seed);
    conformance_check(&c);
}

static const int64_t lstm_sizes[][4] = { /* T, B, I, H */
    { 1, 1, 1, 1 },   { 3, 2, 5, 7 },    { 12, 1, 385, 15 }, { 4, 3, 17, 16 }, { 2, 5, 33, 67 },  { 6, 4, 8, 64 },
    { 3, 17, 31, 130 }, { 5, 33, 64, 96 }, { 1, 7, 3, 31 },    { 9, 1, 8, 64 },  { 2, 70, 40, 33 }, { 4, 16, 100, 128 },
};
#define LSTM_SIZES (sizeof(lstm_sizes) / sizeof(lstm_sizes[0]))

/* Every choice from the bits of one random word: the same cases on every machine. */
static lstm_case lstm_draw(size_t size, uint64_t seed)
{
    uint32_t bits = lae_philox_bits(2024, size, seed);
    lstm_case l = { .T = lstm_sizes[size][0], .B = lstm_sizes[size][1], .I = lstm_sizes[size][2],
                    .H = lstm_sizes[size][3], .flags = bits & 7u };
    l.x = (int)(bits >> 3 & 7) % 5;
    l.bias = bits >> 6 & 1;
    l.peephole = (bits >> 7 & 3) == 0;
    l.lengths = (bits >> 9 & 3) == 0;
    l.prepared = bits >> 11 & 1;
    l.y = (int)(bits >> 12 & 3) % 3;
    l.dy = (int)(bits >> 14 & 3) % 3;
    l.dx = l.x ? (int)(bits >> 16 & 3) % 3 : 0;
    l.weights = 1 + (bits >> 18 & 1);
    l.beta = bits >> 19 & 1;
    return l;
}

/* Factors that a precision rounds make errors that steps pass on. */
static test_tolerance lstm_tolerance(void)
{
    test_tolerance tolerance = tolerance_lstm;
    tolerance.of_largest += 4 * (test_device_tolerance(tolerance_lstm).of_largest - tolerance_lstm.of_largest);
    return tolerance;
}

static void sequences(void **state)
{
    (void)state;
    for (size_t size = 0; size < LSTM_SIZES; size++)
        for (uint64_t draw = 0; draw < 12; draw++) {
            lstm_case l = lstm_draw(size, draw);
            for (l.phase = 0; l.phase <= 2; l.phase++) check_lstm(&l, LSTMAE_F32, 100 * draw, lstm_tolerance());
        }
}

static void sequences_in_double(void **state)
{
    (void)state;
    static const test_tolerance tolerance = { 0, 1e-13 };
    for (uint64_t draw = 0; draw < 12; draw++) {
        lstm_case l = lstm_draw(1, draw);
        for (l.phase = 0; l.phase <= 2; l.phase++) check_lstm(&l, LSTMAE_F64, 100 * draw, tolerance);
    }
}

static lstmae_status run_cells(const test_device *device, const lstmae_view *views, const void *args)
{
    const lstm_case *l = args;
    lstmae_lstm_args a = lstm_args(l, views);
    lstmae_status status = LSTMAE_OK;
    for (int64_t s = 0; s < l->T && status == LSTMAE_OK; s++)
        status = device->api->lstm_cell_forward(device->queue, &a, s);
    for (int64_t s = l->T - 1; s >= 0 && status == LSTMAE_OK && l->phase == 1; s--)
        status = device->api->lstm_cell_backward(device->queue, &a, s);
    return status;
}

static void cells(void **state)
{
    (void)state;
    for (size_t size = 0; size < LSTM_SIZES; size++)
        for (uint64_t draw = 0; draw < 8; draw++) {
            lstm_case l = lstm_draw(size, draw);
            l.dx = 0;
            l.flags &= LSTMAE_SEQ_REVERSE;
            /* gradients of one unit of one sample may cancel, and have no larger one beside them to be compared with */
            for (l.phase = 0; l.phase <= (size > 0); l.phase++) {
                conformance_case c = { .run = run_cells, .args = &l };
                snprintf(c.what, sizeof(c.what), "cells T%d B%d H%d, draw %d, phase %d", (int)l.T, (int)l.B, (int)l.H,
                         (int)draw, l.phase);
                lstm_outputs(&c, &l, LSTMAE_F32, draw, tolerance_lstm);
                lstm_inputs(&c, &l, LSTMAE_F32, draw);
                conformance_check(&c);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells),
        cmocka_unit_test(sequences),
        cmocka_unit_test(sequences_in_double),
    };
    return cmocka_run_group_tests(tests, conformance_open, conformance_close);
}
