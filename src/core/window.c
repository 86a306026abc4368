#include "window.h"

#include "autoencoder_internal.h"
#include "ops.h"
#include "seq2seq_internal.h"
#include "size.h"

#include <string.h>

#define WINDOW_MOST (INT64_C(1) << 28)

/* ---- shapes ---- */

static void window_shape_seq2seq(lae_window_shape *shape, lstmae_seq2seq *model)
{
    const lae_decoder *future = lae_seq2seq_find(model, 1);
    shape->rebuilds = lae_seq2seq_find(model, 0) != NULL;
    shape->code = lae_seq2seq_code_width(model);
    shape->forecast = future ? future->options.steps : 0;
}

lstmae_status lae_window_shape_of(lae_window_shape *shape, lstmae_module *module, int64_t T, int64_t features,
                                  int32_t layout)
{
    lstmae_seq2seq *model = lae_seq2seq_of(module);
    if (model && features == 0) features = model->F;
    if (layout < LSTMAE_WINDOW_SEQUENCE || layout > LSTMAE_WINDOW_CHANNELS)
        return LAE_FAIL(ERR_INVALID_ARG, "frozen options: unknown layout %d", layout);
    if (T < 1 || T > WINDOW_MOST)
        return LAE_FAIL(ERR_INVALID_ARG, "frozen options: window is %lld, expected 0 to 2^28", (long long)T);
    if (features < 1 || features > WINDOW_MOST)
        return LAE_FAIL(ERR_INVALID_ARG, "frozen options: features is %lld, expected 1 to 2^28", (long long)features);
    if (model && (features != model->F || layout != LSTMAE_WINDOW_SEQUENCE))
        return LAE_FAIL(ERR_SHAPE, "frozen options: a seq2seq expected sequences of %lld features, got layout %d, %lld",
                        (long long)model->F, layout, (long long)features);
    *shape = (lae_window_shape){ .T = T, .F = features, .layout = layout, .rebuilds = 1 };
    if (model) window_shape_seq2seq(shape, model);
    return LSTMAE_OK;
}

/* The window as the module wants it, and its reconstruction. */
static lstmae_view window_view(const lae_window_shape *shape, void *data)
{
    int64_t flat[2] = { 1, shape->T * shape->F }, sequence[3] = { shape->T, 1, shape->F };
    int64_t channels[3] = { 1, shape->F, shape->T };
    if (shape->layout == LSTMAE_WINDOW_FLAT) return lae_view_of(data, LSTMAE_F32, 2, flat);
    if (shape->layout == LSTMAE_WINDOW_SEQUENCE) return lae_view_of(data, LSTMAE_F32, 3, sequence);
    lstmae_view view = lae_view_of(data, LSTMAE_F32, 3, channels);
    view.stride[0] = shape->T * shape->F;
    view.stride[1] = 1;
    view.stride[2] = shape->F;
    return view;
}

/* ---- running ---- */

/* The samples in the order of time. */
static void window_unroll(lae_window *window)
{
    const int64_t T = window->shape.T, F = window->shape.F, first = window->place.next, older = T - first;
    const float *ring = window->ring.data;
    const unsigned char *held = (const unsigned char *)(ring + T * F);
    float *x = lae_window_values(window->x);
    memcpy(x, ring + first * F, (size_t)(older * F) * sizeof(float));
    memcpy(x + older * F, ring, (size_t)(first * F) * sizeof(float));
    memcpy(window->holes, held + first * F, (size_t)(older * F));
    memcpy(window->holes + older * F, held, (size_t)(first * F));
}

/* An output of any layout in memory, as the window lies. */
static lstmae_status window_take(lae_window *window, const lstmae_tensor *output)
{
    const lstmae_view *got = &output->view;
    lstmae_view y = window_view(&window->shape, lae_window_values(window->y));
    char text[LAE_SHAPE_TEXT], want[LAE_SHAPE_TEXT];
    if (!lae_view_same_shape(got, &y))
        return LAE_FAIL(ERR_SHAPE, "frozen: the module gives %s for a window of %s",
                        lae_shape_text(text, sizeof text, got), lae_shape_text(want, sizeof want, &y));
    return lae_op_copy(window->module->context, &y, got);
}

static lstmae_status window_run_autoencoder(lae_window *window, lstmae_autoencoder *autoencoder)
{
    const lstmae_tensor *code = NULL, *y = NULL;
    LAE_TRY(lstmae_autoencoder_encode(autoencoder, window->given, &code));
    const int64_t count = lae_view_numel(&code->view), dims[2] = { 1, count };
    LAE_TRY(lae_tensor_ensure(&window->code, window->module->context, LSTMAE_F32, 2, dims));
    lstmae_view kept = lae_view_of(window->code->view.data, LSTMAE_F32, code->view.ndim, code->view.dim);
    LAE_TRY(lae_op_copy(window->module->context, &kept, &code->view));
    window->shape.code = count;
    LAE_TRY(lstmae_autoencoder_decode(autoencoder, code, &y));
    return window_take(window, y);
}

static lstmae_status window_evaluate(lae_window *window)
{
    lstmae_seq2seq *model = lae_seq2seq_of(window->module);
    lstmae_autoencoder *autoencoder = lae_autoencoder_of(window->module);
    const lstmae_tensor *y = NULL;
    if (model) return lae_seq2seq_watch(model, window->x, window->code, window->y, window->forecast);
    if (autoencoder) return window_run_autoencoder(window, autoencoder);
    LAE_TRY(lstmae_module_forward(window->module, window->given, &y));
    return window_take(window, y);
}

lstmae_status lae_window_run(lae_window *window)
{
    window_unroll(window);
    LAE_TRY(window_evaluate(window));
    window->place.since = 0;
    return LSTMAE_OK;
}

int lae_window_due(const lae_window *window, int64_t every)
{
    const lae_window_place *place = &window->place;
    return place->filled == window->shape.T && (place->since < 0 || place->since >= every);
}

void lae_window_put(lae_window *window, const float *sample, const unsigned char *missing)
{
    const int64_t T = window->shape.T, F = window->shape.F;
    lae_window_place *place = &window->place;
    float *ring = window->ring.data;
    unsigned char *held = (unsigned char *)(ring + T * F);
    memcpy(ring + place->next * F, sample, (size_t)F * sizeof(float));
    memcpy(held + place->next * F, missing, (size_t)F);
    place->next = place->next + 1 < T ? place->next + 1 : 0;
    if (place->filled < T) place->filled++;
    if (place->since >= 0) place->since++;
}

/* ---- creation ---- */

static lstmae_status window_reserve(lae_window *window)
{
    const lae_window_shape *shape = &window->shape;
    lstmae_context *context = window->module->context;
    int64_t sequence[3] = { shape->T, 1, shape->F }, code[2] = { 1, shape->code };
    int64_t forecast[3] = { shape->forecast, 1, shape->F }, cells;
    if (!lae_product(&cells, 3, sequence))
        return LAE_FAIL(ERR_SHAPE, "frozen options: a window of %lld samples of %lld features overflows",
                        (long long)shape->T, (long long)shape->F);
    LAE_TRY(lae_buffer_reserve(&window->ring, context, (size_t)cells, sizeof(float) + 2));
    window->holes = (unsigned char *)((float *)window->ring.data + cells) + cells;
    LAE_TRY(lae_tensor_ensure(&window->x, context, LSTMAE_F32, 3, sequence));
    if (shape->rebuilds) LAE_TRY(lae_tensor_ensure(&window->y, context, LSTMAE_F32, 3, sequence));
    if (shape->code > 0) LAE_TRY(lae_tensor_ensure(&window->code, context, LSTMAE_F32, 2, code));
    if (shape->forecast > 0) LAE_TRY(lae_tensor_ensure(&window->forecast, context, LSTMAE_F32, 3, forecast));
    const lstmae_view given = window_view(shape, lae_window_values(window->x));
    return lae_tensor_alias(&window->given, window->x, &given);
}

lstmae_status lae_window_init(lae_window *window, lstmae_module *module, const lae_window_shape *shape)
{
    window->shape = *shape;
    window->module = lae_module_retain(module);
    LAE_TRY(window_reserve(window));
    lae_window_reset(window);
    LAE_TRY(window_evaluate(window));
    lae_window_reset(window);
    return LSTMAE_OK;
}

void lae_window_release(lae_window *window)
{
    lstmae_tensor *tensors[] = { window->given, window->x, window->y, window->code, window->forecast };
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) lstmae_tensor_destroy(tensors[i]);
    lae_buffer_release(&window->ring);
    lstmae_module_destroy(window->module);
}

void lae_window_reset(lae_window *window)
{
    lstmae_tensor *tensors[] = { window->x, window->y, window->code, window->forecast };
    window->place = (lae_window_place){ 0, 0, -1 };
    memset(window->ring.data, 0, window->ring.bytes);
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++)
        if (tensors[i]) memset(tensors[i]->view.data, 0, (size_t)lae_view_numel(&tensors[i]->view) * sizeof(float));
}

/* ---- state ---- */

/* What is kept besides the ring: floats that results point to. */
static size_t window_said(const lae_window *window, float **from, size_t *counts)
{
    const lae_window_shape *shape = &window->shape;
    from[0] = lae_window_last(window);
    from[1] = lae_window_values(window->code);
    from[2] = lae_window_values(window->forecast);
    counts[0] = shape->rebuilds ? (size_t)shape->F : 0;
    counts[1] = (size_t)shape->code;
    counts[2] = (size_t)(shape->forecast * shape->F);
    return counts[0] + counts[1] + counts[2];
}

/* Bytes of samples and held values. */
static size_t window_ring_bytes(const lae_window *window)
{
    return (size_t)(window->shape.T * window->shape.F) * (sizeof(float) + 1);
}

size_t lae_window_state_bytes(const lae_window *window)
{
    float *from[3];
    size_t counts[3];
    return sizeof window->place + window_ring_bytes(window) + window_said(window, from, counts) * sizeof(float);
}

void lae_window_store(const lae_window *window, void *state)
{
    float *from[3];
    size_t counts[3];
    char *to = state;
    window_said(window, from, counts);
    memcpy(to, &window->place, sizeof window->place);
    to += sizeof window->place;
    memcpy(to, window->ring.data, window_ring_bytes(window));
    to += window_ring_bytes(window);
    for (int i = 0; i < 3; i++) {
        if (counts[i] > 0) memcpy(to, from[i], counts[i] * sizeof(float));
        to += counts[i] * sizeof(float);
    }
}

lstmae_status lae_window_check(const lae_window *window, const void *state)
{
    const int64_t T = window->shape.T;
    lae_window_place place;
    memcpy(&place, state, sizeof place);
    if (place.filled >= 0 && place.filled <= T && place.next >= 0 && place.next < T && place.since >= -1)
        return LSTMAE_OK;
    return LAE_FAIL(ERR_FORMAT, "session_restore: a window of %lld samples cannot be at number %lld", (long long)T,
                    (long long)place.next);
}

void lae_window_load(lae_window *window, const void *state)
{
    float *to[3];
    size_t counts[3];
    const char *from = state;
    memcpy(&window->place, from, sizeof window->place);
    from += sizeof window->place;
    memcpy(window->ring.data, from, window_ring_bytes(window));
    from += window_ring_bytes(window);
    window_said(window, to, counts);
    for (int i = 0; i < 3; i++) {
        if (counts[i] > 0) memcpy(to[i], from, counts[i] * sizeof(float));
        from += counts[i] * sizeof(float);
    }
}
