/*
 * A forecaster inside of a program, in its memory, one sample at a time; an alarm when one is not as was forecast. It
 * takes --device NAME to be trained on; samples are always taken by the CPU.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <lstmae/lstmae.h>

#define TRY(call) if ((call) < 0) { fprintf(stderr, "%s\n", lstmae_last_error()); exit(1); }

enum { CHANNELS = 2, STEPS = 400, LEARNED = 2000, FAULT = 6000, SAMPLES = 8000 };

/* The program's own allocator cuts blocks from one arena; the last one can be taken back. */
static unsigned char arena[8 << 20];
static size_t used, calls;

static void *arena_alloc(size_t bytes, size_t alignment, void *payload)
{
    size_t start = ((size_t)arena + used + alignment - 1) / alignment * alignment - (size_t)arena;
    (void)payload, calls++;
    if (bytes > sizeof arena - start) return NULL;
    used = start + bytes;
    return arena + start;
}

static void arena_free(void *block, size_t bytes, void *payload)
{
    (void)payload;
    if ((unsigned char *)block + bytes == arena + used) used = (size_t)((unsigned char *)block - arena);
}

/* Two sensors on a machine that turns; the second one sticks for a while. */
static void read_sensors(int t, float *sample)
{
    for (int i = 0; i < CHANNELS; i++) sample[i] = (float)(sin(0.11 * t + i) + 0.3 * sin(0.31 * t));
    if (t >= FAULT && t < FAULT + 40) sample[1] = 0.9f;
}

/* An LSTM and a linear layer, trained to say the next sample. */
static lstmae_module *trained_model(lstmae_context *context)
{
    static float series[STEPS + 1][CHANNELS];
    const int64_t dims[3] = { STEPS, 1, CHANNELS };
    const lstmae_tensor *y, *grad;
    lstmae_module *chain, *layers[2];
    lstmae_tensor *x[2]; /* samples, and the ones after them */
    lstmae_loss *loss;
    lstmae_optimizer *adam;
    TRY(lstmae_sequential_create(&chain, context));
    TRY(lstmae_lstm_create(&layers[0], context, CHANNELS, 16, NULL));
    TRY(lstmae_linear_create(&layers[1], context, 16, CHANNELS, 0));
    for (int t = 0; t <= STEPS; t++) read_sensors(t, series[t]);
    for (int i = 0; i < 2; i++) {
        TRY(lstmae_sequential_append(chain, layers[i]));
        TRY(lstmae_tensor_create(&x[i], context, LSTMAE_F32, 3, dims));
        TRY(lstmae_tensor_write(x[i], series[i], STEPS * sizeof series[0]));
    }
    TRY(lstmae_loss_create(&loss, context, NULL)); /* the mean squared error */
    TRY(lstmae_optimizer_create(&adam, chain, NULL));
    TRY(lstmae_optimizer_set_lr(adam, 0.01));
    for (int n = 0; n < 150; n++) {
        TRY(lstmae_module_zero_grad(chain));
        TRY(lstmae_module_forward(chain, x[0], &y));
        TRY(lstmae_loss_compute(loss, y, x[1], NULL, NULL, &grad));
        TRY(lstmae_module_backward(chain, grad, NULL));
        TRY(lstmae_optimizer_step(adam));
    }
    lstmae_optimizer_destroy(adam), lstmae_loss_destroy(loss), lstmae_tensor_destroy(x[0]), lstmae_tensor_destroy(x[1]);
    return chain;
}

int main(int argc, char **argv)
{
    const char *device = argc == 3 && strcmp(argv[1], "--device") == 0 ? argv[2] : "cpu";
    lstmae_context_options memory = LSTMAE_CONTEXT_OPTIONS_INIT;
    lstmae_session_options options = LSTMAE_SESSION_OPTIONS_INIT;
    lstmae_push_result result = LSTMAE_PUSH_RESULT_INIT;
    lstmae_context *context;
    lstmae_frozen *frozen;
    lstmae_session *session;
    memory.alloc = arena_alloc, memory.release = arena_free;
    options.compare = LSTMAE_COMPARE_NEXT;
    TRY(lstmae_context_create(&context, device, &memory));
    lstmae_module *model = trained_model(context);
    TRY(lstmae_frozen_create(&frozen, model, NULL)); /* any number of sessions, on any threads, may share it */
    TRY(lstmae_session_create(&session, frozen, &options));
    int alarms = 0, first = 0;
    double usual = 0.0;
    const size_t before = calls;
    for (int t = 0; t < SAMPLES; t++) {
        float sample[CHANNELS];
        read_sensors(t, sample);
        TRY(lstmae_session_push(session, sample, &result));
        if (t >= 100 && t < LEARNED) usual = fmax(usual, result.score); /* the state has settled by then */
        if (t == LEARNED) TRY(lstmae_session_set_level(session, 2.0 * usual));
        if (result.flags & LSTMAE_PUSH_ALARM && alarms++ == 0) first = t;
    }
    printf("%d alarms, the first %d after the fault; %zu allocations\n", alarms, first - FAULT, calls - before);
    lstmae_session_destroy(session), lstmae_frozen_destroy(frozen), lstmae_module_destroy(model);
    lstmae_context_destroy(context);
    return calls != before || first < FAULT || first > FAULT + 10;
}
