/*
 * Every public function called wrongly: NULL, out of range, wrong struct size, foreign objects, destroyed in any order.
 * The last test compares what was covered with the list of exported functions.
 */
#include "misuse.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- which functions were called ---- */

static const char *covered[512];
static size_t covered_count;

void misuse_cover(const char *name)
{
    for (size_t i = 0; i < covered_count; i++)
        if (strcmp(covered[i], name) == 0) return;
    assert_true(covered_count < sizeof covered / sizeof *covered);
    covered[covered_count++] = name;
}

/* ---- one of everything ---- */

static lstmae_tensor *new_tensor(lstmae_context *context, lstmae_dtype dtype, int ndim, int64_t a, int64_t b, int64_t c)
{
    lstmae_tensor *tensor = NULL;
    int64_t dims[3] = { a, b, c };
    assert_ok(lstmae_tensor_create(&tensor, context, dtype, ndim, dims));
    return tensor;
}

static int setup(void **state)
{
    static misuse_objects o;
    lstmae_decoder_options decoder = LSTMAE_DECODER_OPTIONS_INIT;
    lstmae_loader_options loader = LSTMAE_LOADER_OPTIONS_INIT;
    float data[24] = { 0 };
    int64_t dims[2] = { 3, 2 };
    memset(&o, 0, sizeof o);
    o.context = test_context("cpu", LSTMAE_F32);
    o.other = test_context("cpu", LSTMAE_F32);
    o.x = new_tensor(o.context, LSTMAE_F32, 3, 3, 2, 4);
    o.future = new_tensor(o.context, LSTMAE_F32, 3, 2, 2, 4);
    o.integers = new_tensor(o.context, LSTMAE_I64, 3, 3, 2, 4);
    o.foreign = new_tensor(o.other, LSTMAE_F32, 3, 3, 2, 4);
    o.flat = new_tensor(o.context, LSTMAE_F32, 2, 2, 4, 0);
    assert_ok(lstmae_lstm_create(&o.lstm, o.context, 4, 5, NULL));
    assert_ok(lstmae_linear_create(&o.linear, o.context, 4, 5, 0));
    assert_ok(lstmae_seq2seq_create(&o.model, o.context, 4, 5, NULL));
    assert_ok(lstmae_seq2seq_add_decoder(o.model, &decoder));
    decoder.target = LSTMAE_DECODE_FUTURE;
    decoder.steps = 2;
    assert_ok(lstmae_seq2seq_add_decoder(o.model, &decoder));
    assert_ok(lstmae_loss_create(&o.loss, o.context, NULL));
    assert_ok(lstmae_optimizer_create(&o.optimizer, lstmae_seq2seq_module(o.model), NULL));
    assert_ok(lstmae_schedule_create(&o.schedule, NULL));
    assert_ok(lstmae_dataset_from_memory(&o.dataset, o.context, data, 4, 2, dims));
    loader.batch = 2;
    loader.flags = LSTMAE_LOADER_TIME_MAJOR;
    assert_ok(lstmae_loader_create(&o.loader, o.context, o.dataset, &loader));
    assert_ok(lstmae_task_seq2seq(&o.task, o.model, o.loss));
    assert_ok(lstmae_fit_state_create(&o.state, o.context));
    *state = &o;
    return 0;
}

/* The context first: everything else holds it. */
static int teardown(void **state)
{
    misuse_objects *o = *state;
    lstmae_context_destroy(o->context);
    lstmae_context_destroy(o->other);
    lstmae_dataset_destroy(o->dataset);
    lstmae_loss_destroy(o->loss);
    lstmae_seq2seq_destroy(o->model);
    lstmae_tensor *tensors[] = { o->x, o->future, o->integers, o->foreign, o->flat };
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) lstmae_tensor_destroy(tensors[i]);
    lstmae_module_destroy(o->linear);
    lstmae_task_destroy(o->task);
    lstmae_fit_state_destroy(o->state);
    lstmae_loader_destroy(o->loader);
    lstmae_optimizer_destroy(o->optimizer);
    lstmae_schedule_destroy(o->schedule);
    lstmae_module_destroy(o->lstm);
    return 0;
}

/* ---- option structs ---- */

static void option_structs(void **state)
{
    misuse_objects *o = *state;
    lstmae_context *context = NULL;
    lstmae_module *module = NULL;
    lstmae_seq2seq *model = NULL;
    lstmae_loss *loss = NULL;
    lstmae_optimizer *optimizer = NULL;
    lstmae_schedule *schedule = NULL;
    lstmae_dataset *dataset = NULL;
    lstmae_loader *loader = NULL;
    const lstmae_objective *objective = lstmae_task_objective(o->task);
    REFUSES_SIZES(lstmae_context_options, LSTMAE_CONTEXT_OPTIONS_INIT, lstmae_context_create(&context, "cpu", options));
    REFUSES_SIZES(lstmae_lstm_options, LSTMAE_LSTM_OPTIONS_INIT,
                  lstmae_lstm_create(&module, o->context, 2, 2, options));
    REFUSES_SIZES(lstmae_lstm_options, LSTMAE_LSTM_OPTIONS_INIT,
                  lstmae_seq2seq_create(&model, o->context, 2, 2, options));
    REFUSES_SIZES(lstmae_decoder_options, LSTMAE_DECODER_OPTIONS_INIT, lstmae_seq2seq_add_decoder(o->model, options));
    REFUSES_SIZES(lstmae_loss_options, LSTMAE_LOSS_OPTIONS_INIT, lstmae_loss_create(&loss, o->context, options));
    REFUSES_SIZES(lstmae_optimizer_options, LSTMAE_ADAM_OPTIONS_INIT,
                  lstmae_optimizer_create(&optimizer, o->linear, options));
    REFUSES_SIZES(lstmae_schedule_options, LSTMAE_SCHEDULE_OPTIONS_INIT, lstmae_schedule_create(&schedule, options));
    REFUSES_SIZES(lstmae_file_options, LSTMAE_FILE_OPTIONS_INIT,
                  lstmae_dataset_open(&dataset, o->context, "absent", options));
    REFUSES_SIZES(lstmae_moving_options, LSTMAE_MOVING_OPTIONS_INIT,
                  lstmae_dataset_moving(&dataset, o->dataset, options));
    REFUSES_SIZES(lstmae_loader_options, LSTMAE_LOADER_OPTIONS_INIT,
                  lstmae_loader_create(&loader, o->context, o->dataset, options));
    REFUSES_SIZES(lstmae_fit_options, LSTMAE_FIT_OPTIONS_INIT,
                  lstmae_fit(objective, o->loader, o->optimizer, options, NULL));
    REFUSES_SIZES(lstmae_checkpoint, LSTMAE_CHECKPOINT_INIT, lstmae_checkpoint_save("/dev/null/x", options));
    REFUSES_SIZES(lstmae_checkpoint, LSTMAE_CHECKPOINT_INIT, lstmae_checkpoint_load("/dev/null/x", options));
    assert_true(!context && !module && !model && !loss && !optimizer && !schedule && !dataset && !loader);
}

/* ---- NULL ---- */

/* Given in `options`: what is valid on a CPU but for its precision. */
static void misuse_precision(lstmae_context_options *options)
{
    lstmae_context *context = NULL;
    options->precision = 3;
    REFUSED(ERR_INVALID_ARG, context_create, &context, "cpu", options);
    options->precision = LSTMAE_PRECISION_TF32;
    REFUSED(ERR_UNSUPPORTED, context_create, &context, "cpu", options);
    REFUSED(ERR_UNSUPPORTED, context_create, &context, "cpu:ref", options);
    options->dtype = LSTMAE_F64;
    REFUSED(ERR_DTYPE, context_create, &context, "cpu", options);
    options->dtype = LSTMAE_F32;
    options->precision = LSTMAE_PRECISION_FP32;
    options->reserved = 1;
    REFUSED(ERR_INVALID_ARG, context_create, &context, "cpu", options);
    options->reserved = 0;
    assert_null(context);
}

static void status_and_context(void **state)
{
    misuse_objects *o = *state;
    lstmae_context *context = NULL;
    lstmae_memory_info memory = LSTMAE_MEMORY_INFO_INIT, small = { 4, 0, 0, 0, 0 };
    lstmae_device_info device = LSTMAE_DEVICE_INFO_INIT;
    lstmae_context_options options = LSTMAE_CONTEXT_OPTIONS_INIT;
    misuse_cover("version"), assert_int_equal(lstmae_version(), LSTMAE_VERSION);
    misuse_cover("version_string"), assert_non_null(lstmae_version_string());
    misuse_cover("status_name"), assert_string_equal(lstmae_status_name(5), "LSTMAE_UNKNOWN");
    misuse_cover("status_text"), assert_non_null(lstmae_status_text(-999));
    misuse_cover("last_error"), assert_non_null(lstmae_last_error());
    misuse_cover("set_log"), lstmae_set_log(NULL, LSTMAE_LOG_DEBUG, NULL);
    REFUSED(ERR_INVALID_ARG, context_create, NULL, "cpu", NULL);
    REFUSED(ERR_NOT_FOUND, context_create, &context, "", NULL);
    options.threads = -1;
    REFUSED(ERR_INVALID_ARG, context_create, &context, "cpu", &options);
    options.threads = 100000;
    REFUSED(ERR_INVALID_ARG, context_create, &context, "cpu", &options);
    options.threads = 1;
    options.dtype = 17;
    REFUSED(ERR_DTYPE, context_create, &context, "cpu", &options);
    options.dtype = LSTMAE_I64;
    REFUSED(ERR_DTYPE, context_create, &context, "cpu", &options);
    options.dtype = LSTMAE_F32;
    options.flags = 1;
    REFUSED(ERR_UNSUPPORTED, context_create, &context, "cpu", &options);
    options.flags = 0;
    misuse_precision(&options);
    assert_null(context);
    ACCEPTS_NULL(context_destroy);
    REFUSED(ERR_INVALID_ARG, context_synchronize, NULL);
    misuse_cover("context_device"), assert_string_equal(lstmae_context_device(NULL), "");
    GIVES(0, context_threads, NULL);
    GIVES(LSTMAE_F32, context_dtype, NULL);
    GIVES(LSTMAE_PRECISION_FP32, context_precision, NULL);
    REFUSED(ERR_INVALID_ARG, context_set_seed, NULL, 1);
    GIVES(0, context_seed, NULL);
    REFUSED(ERR_INVALID_ARG, context_memory, NULL, &memory);
    REFUSED(ERR_INVALID_ARG, context_memory, o->context, NULL);
    REFUSED(ERR_INVALID_ARG, context_memory, o->context, &small);
    ACCEPTS_NULL(context_request_stop);
    GIVES(0, context_stop_requested, NULL);
    ACCEPTS_NULL(context_clear_stop);
    misuse_cover("device_count"), assert_true(lstmae_device_count() >= 1);
    REFUSED(ERR_INVALID_ARG, device_query, NULL, 0);
    REFUSED(ERR_NOT_FOUND, device_query, &device, 10000);
}

static void tensors(void **state)
{
    misuse_objects *o = *state;
    lstmae_tensor *out = NULL;
    int64_t dims[1] = { 3 };
    float data[24];
    REFUSED(ERR_INVALID_ARG, tensor_create, NULL, o->context, LSTMAE_F32, 1, dims);
    REFUSED(ERR_INVALID_ARG, tensor_create, &out, NULL, LSTMAE_F32, 1, dims);
    REFUSED(ERR_INVALID_ARG, tensor_create, &out, o->context, LSTMAE_F32, -1, dims);
    REFUSED(ERR_DTYPE, tensor_create, &out, o->context, LSTMAE_DTYPE_NONE, 1, dims);
    REFUSED(ERR_INVALID_ARG, tensor_wrap, NULL, o->context, LSTMAE_F32, data, 24, 1, dims, NULL);
    REFUSED(ERR_INVALID_ARG, tensor_wrap, &out, NULL, LSTMAE_F32, data, 24, 1, dims, NULL);
    REFUSED(ERR_INVALID_ARG, tensor_wrap, &out, o->context, LSTMAE_F32, data, -1, 1, dims, NULL);
    REFUSED(ERR_INVALID_ARG, tensor_view, NULL, o->x, 1, dims, NULL, 0);
    REFUSED(ERR_INVALID_ARG, tensor_view, &out, NULL, 1, dims, NULL, 0);
    REFUSED(ERR_INVALID_ARG, tensor_view, &out, o->x, 9, dims, NULL, 0);
    REFUSED(ERR_INVALID_ARG, tensor_slice, NULL, o->x, 0, 0, 1);
    REFUSED(ERR_INVALID_ARG, tensor_slice, &out, NULL, 0, 0, 1);
    REFUSED(ERR_INVALID_ARG, tensor_slice, &out, o->x, -1, 0, 1);
    REFUSED(ERR_SHAPE, tensor_slice, &out, o->x, 0, INT64_MAX, 1);
    REFUSED(ERR_SHAPE, tensor_slice, &out, o->x, 0, 1, INT64_MAX);
    REFUSED(ERR_INVALID_ARG, tensor_transpose, NULL, o->x, 0, 1);
    REFUSED(ERR_INVALID_ARG, tensor_transpose, &out, NULL, 0, 1);
    REFUSED(ERR_INVALID_ARG, tensor_transpose, &out, o->x, 0, 3);
    ACCEPTS_NULL(tensor_destroy);
    REFUSED(ERR_INVALID_ARG, tensor_write, NULL, data, 96);
    REFUSED(ERR_SHAPE, tensor_write, o->x, data, 95);
    REFUSED(ERR_INVALID_ARG, tensor_write, o->x, NULL, 96);
    REFUSED(ERR_INVALID_ARG, tensor_read, NULL, data, 96);
    REFUSED(ERR_SHAPE, tensor_read, o->x, data, 0);
    REFUSED(ERR_INVALID_ARG, tensor_read, o->x, NULL, 96);
    REFUSED(ERR_INVALID_ARG, tensor_copy, NULL, o->x);
    REFUSED(ERR_INVALID_ARG, tensor_copy, o->x, NULL);
    REFUSED(ERR_DTYPE, tensor_copy, o->x, o->integers);
    REFUSED(ERR_INVALID_ARG, tensor_fill, NULL, 1.0);
    GIVES(0, tensor_ndim, NULL);
    GIVES(0, tensor_dim, NULL, 0);
    GIVES(0, tensor_dim, o->x, -1);
    GIVES(0, tensor_stride, NULL, 0);
    GIVES(0, tensor_numel, NULL);
    GIVES(NULL, tensor_context, NULL);
    GIVES(NULL, tensor_data, NULL);
    misuse_cover("tensor_dtype"), (void)lstmae_tensor_dtype(NULL);
    assert_null(out);
}

static void modules(void **state)
{
    misuse_objects *o = *state;
    lstmae_module *out = NULL, *chain = NULL, *foreign = NULL;
    const lstmae_tensor *borrowed = NULL;
    const int64_t dims[5] = { 1, 1, 1, 1, 1 };
    int64_t sizes[LSTMAE_MAX_DIMS];
    int ndim = 0;
    size_t index = 0;
    ACCEPTS_NULL(module_destroy);
    REFUSED(ERR_INVALID_ARG, module_forward, NULL, o->x, NULL);
    REFUSED(ERR_INVALID_ARG, module_forward, o->linear, NULL, &borrowed);
    REFUSED(ERR_INVALID_ARG, module_forward, o->linear, o->foreign, &borrowed);
    REFUSED(ERR_DTYPE, module_forward, o->linear, o->integers, &borrowed);
    REFUSED(ERR_SHAPE, module_forward, o->lstm, o->flat, &borrowed);
    REFUSED(ERR_STATE, module_forward, lstmae_seq2seq_module(o->model), o->x, &borrowed);
    REFUSED(ERR_INVALID_ARG, module_backward, NULL, o->x, NULL);
    REFUSED(ERR_INVALID_ARG, module_backward, o->linear, NULL, NULL);
    REFUSED(ERR_STATE, module_backward, o->linear, o->x, NULL);
    REFUSED(ERR_INVALID_ARG, module_backward, o->linear, o->foreign, NULL);
    REFUSED(ERR_INVALID_ARG, module_output_shape, NULL, 3, dims, &ndim, sizes);
    REFUSED(ERR_INVALID_ARG, module_output_shape, o->lstm, 3, NULL, &ndim, sizes);
    REFUSED(ERR_INVALID_ARG, module_output_shape, o->lstm, 3, dims, NULL, sizes);
    REFUSED(ERR_INVALID_ARG, module_output_shape, o->lstm, 3, dims, &ndim, NULL);
    REFUSED(ERR_INVALID_ARG, module_output_shape, o->lstm, 5, dims, &ndim, sizes);
    REFUSED(ERR_SHAPE, module_output_shape, o->lstm, 3, dims, &ndim, sizes);
    REFUSED(ERR_STATE, module_output_shape, lstmae_seq2seq_module(o->model), 3, dims, &ndim, sizes);
    REFUSED(ERR_INVALID_ARG, module_summary, NULL, 3, dims, NULL, 0, &index);
    REFUSED(ERR_INVALID_ARG, module_summary, o->lstm, 3, NULL, NULL, 0, &index);
    REFUSED(ERR_INVALID_ARG, module_summary, o->lstm, 3, dims, NULL, 1, &index);
    REFUSED(ERR_INVALID_ARG, module_summary, o->lstm, -1, dims, NULL, 0, &index);
    REFUSED(ERR_SHAPE, module_summary, o->lstm, 3, dims, NULL, 0, NULL);
    REFUSED(ERR_INVALID_ARG, module_set_training, NULL, 1);
    GIVES(0, module_training, NULL);
    GIVES(0, module_param_count, NULL);
    GIVES(NULL, module_param_name, NULL, 0);
    GIVES(NULL, module_param, NULL, 0);
    GIVES(NULL, module_param, o->linear, SIZE_MAX);
    GIVES(NULL, module_param_grad, NULL, 0);
    GIVES(NULL, module_param_grad, o->linear, 2);
    REFUSED(ERR_INVALID_ARG, module_param_index, NULL, "weight", &index);
    REFUSED(ERR_INVALID_ARG, module_param_index, o->linear, NULL, &index);
    REFUSED(ERR_INVALID_ARG, module_param_index, o->linear, "weight", NULL);
    REFUSED(ERR_NOT_FOUND, module_param_index, o->linear, "", &index);
    GIVES(0, module_buffer_count, NULL);
    GIVES(0, module_buffer_count, o->linear);
    GIVES(NULL, module_buffer_name, NULL, 0);
    GIVES(NULL, module_buffer_name, o->linear, 0);
    GIVES(NULL, module_buffer, NULL, 0);
    GIVES(NULL, module_buffer, o->linear, 0);
    REFUSED(ERR_INVALID_ARG, module_zero_grad, NULL);
    GIVES(0, module_param_elements, NULL);
    GIVES(NULL, module_context, NULL);
    REFUSED(ERR_INVALID_ARG, linear_create, NULL, o->context, 1, 1, 0);
    REFUSED(ERR_INVALID_ARG, linear_create, &out, NULL, 1, 1, 0);
    REFUSED(ERR_INVALID_ARG, linear_create, &out, o->context, 0, 1, 0);
    REFUSED(ERR_UNSUPPORTED, linear_create, &out, o->context, 1, 1, 8);
    REFUSED(ERR_SHAPE, linear_create, &out, o->context, INT64_MAX / 2, 4, 0);
    REFUSED(ERR_INVALID_ARG, activation_create, NULL, o->context, LSTMAE_ACTIVATION_RELU);
    REFUSED(ERR_INVALID_ARG, activation_create, &out, NULL, LSTMAE_ACTIVATION_RELU);
    REFUSED(ERR_INVALID_ARG, activation_create, &out, o->context, (lstmae_activation)99);
    REFUSED(ERR_INVALID_ARG, activation_create_param, NULL, o->context, LSTMAE_ACTIVATION_ELU, 1.0);
    REFUSED(ERR_INVALID_ARG, activation_create_param, &out, NULL, LSTMAE_ACTIVATION_ELU, 1.0);
    REFUSED(ERR_INVALID_ARG, activation_create_param, &out, o->context, (lstmae_activation)-1, 1.0);
    REFUSED(ERR_INVALID_ARG, activation_create_param, &out, o->context, LSTMAE_ACTIVATION_GELU, 1.0);
    REFUSED(ERR_INVALID_ARG, activation_create_param, &out, o->context, LSTMAE_ACTIVATION_SOFTPLUS, 0.0);
    REFUSED(ERR_INVALID_ARG, activation_create_param, &out, o->context, LSTMAE_ACTIVATION_LEAKY_RELU, (double)INFINITY);
    const int order[] = { 0, 2, 1 }, twice[] = { 0, 1, 1 }, outside[] = { 0, 1, 3 };
    REFUSED(ERR_INVALID_ARG, permute_create, NULL, o->context, 3, order);
    REFUSED(ERR_INVALID_ARG, permute_create, &out, NULL, 3, order);
    REFUSED(ERR_INVALID_ARG, permute_create, &out, o->context, 0, order);
    REFUSED(ERR_INVALID_ARG, permute_create, &out, o->context, 5, order);
    REFUSED(ERR_INVALID_ARG, permute_create, &out, o->context, 3, NULL);
    REFUSED(ERR_INVALID_ARG, permute_create, &out, o->context, 3, twice);
    REFUSED(ERR_INVALID_ARG, permute_create, &out, o->context, 3, outside);
    REFUSED(ERR_INVALID_ARG, sequential_create, NULL, o->context);
    REFUSED(ERR_INVALID_ARG, sequential_create, &out, NULL);
    assert_null(out);
    assert_ok(lstmae_sequential_create(&chain, o->context));
    assert_ok(lstmae_linear_create(&foreign, o->other, 4, 4, 0));
    REFUSED(ERR_INVALID_ARG, sequential_append, NULL, o->linear);
    REFUSED(ERR_INVALID_ARG, sequential_append, chain, NULL);
    REFUSED(ERR_INVALID_ARG, sequential_append, o->lstm, o->linear);
    REFUSED(ERR_STATE, sequential_append, chain, chain);
    REFUSED(ERR_INVALID_ARG, sequential_append, chain, foreign);
    lstmae_module_destroy(foreign);
    lstmae_module_destroy(chain);
}

static void lstms(void **state)
{
    misuse_objects *o = *state;
    lstmae_module *out = NULL;
    const int64_t length = 1;
    REFUSED(ERR_INVALID_ARG, lstm_create, NULL, o->context, 1, 1, NULL);
    REFUSED(ERR_INVALID_ARG, lstm_create, &out, NULL, 1, 1, NULL);
    REFUSED(ERR_INVALID_ARG, lstm_create, &out, o->context, -1, 1, NULL);
    REFUSED(ERR_INVALID_ARG, lstm_create, &out, o->context, 1, INT64_MAX, NULL);
    REFUSED(ERR_INVALID_ARG, lstm_set_state, NULL, NULL, NULL);
    REFUSED(ERR_SHAPE, lstm_set_state, o->lstm, o->x, o->x);
    REFUSED(ERR_INVALID_ARG, lstm_state, NULL, NULL, NULL);
    REFUSED(ERR_STATE, lstm_state, o->lstm, NULL, NULL);
    REFUSED(ERR_INVALID_ARG, lstm_set_state_grad, NULL, NULL, NULL);
    REFUSED(ERR_INVALID_ARG, lstm_state_grad, NULL, NULL, NULL);
    REFUSED(ERR_INVALID_ARG, lstm_state_grad, o->linear, NULL, NULL);
    REFUSED(ERR_INVALID_ARG, lstm_set_lengths, NULL, &length, 1);
    REFUSED(ERR_INVALID_ARG, lstm_set_lengths, o->linear, &length, 1);
    REFUSED(ERR_INVALID_ARG, lstm_set_lengths, o->lstm, &length, -1);
    assert_null(out);
}

/* Decoders whose sizes or settings do not go with the encoder, 4 to 5 in one layer, or with each other. */
static void decoders_of_structures(void **state)
{
    misuse_objects *o = *state;
    const struct {
        uint32_t flags;
        int32_t input, layers;
        int64_t hidden;
        double forget_bias;
    } refused[] = {
        { LSTMAE_DECODER_ZERO_STATE, LSTMAE_INPUT_OUTPUT, 0, 0, 0.0 },
        { LSTMAE_DECODER_ZERO_STATE, LSTMAE_INPUT_NOTHING, 0, 0, 0.0 },
        { LSTMAE_DECODER_SHARED, LSTMAE_INPUT_CODE, 0, 0, 0.0 }, /* the code is 5 wide */
        { LSTMAE_DECODER_SHARED, LSTMAE_INPUT_OUTPUT, 2, 0, 0.0 },
        { LSTMAE_DECODER_SHARED, LSTMAE_INPUT_OUTPUT, 0, 6, 0.0 },
        { LSTMAE_DECODER_SHARED, LSTMAE_INPUT_OUTPUT, 0, 0, 1.0 },
        { LSTMAE_DECODER_SHARED | LSTMAE_LSTM_PEEPHOLE, LSTMAE_INPUT_OUTPUT, 0, 0, 0.0 },
    };
    lstmae_seq2seq *model = NULL, *both_ways = NULL;
    lstmae_lstm_options encoder = LSTMAE_LSTM_OPTIONS_INIT;
    lstmae_decoder_options shared = LSTMAE_DECODER_OPTIONS_INIT;
    assert_ok(lstmae_seq2seq_create(&model, o->context, 4, 5, NULL));
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        lstmae_decoder_options decoder = LSTMAE_DECODER_OPTIONS_INIT;
        decoder.flags = refused[i].flags;
        decoder.input = refused[i].input;
        decoder.layers = refused[i].layers;
        decoder.hidden = refused[i].hidden;
        decoder.forget_bias = refused[i].forget_bias;
        REFUSED(ERR_INVALID_ARG, seq2seq_add_decoder, model, &decoder);
    }
    lstmae_seq2seq_destroy(model);
    encoder.flags = LSTMAE_LSTM_BIDIRECTIONAL;
    assert_ok(lstmae_seq2seq_create(&both_ways, o->context, 4, 2, &encoder));
    shared.flags = LSTMAE_DECODER_SHARED;
    REFUSED(ERR_INVALID_ARG, seq2seq_add_decoder, both_ways, &shared);
    lstmae_seq2seq_destroy(both_ways);
}

static void sequence_models(void **state)
{
    misuse_objects *o = *state;
    lstmae_seq2seq *out = NULL, *bare = NULL;
    lstmae_loss *foreign = NULL;
    lstmae_decoder_options decoder = LSTMAE_DECODER_OPTIONS_INIT;
    double value = 0.0;
    const int64_t length = 1;
    REFUSED(ERR_INVALID_ARG, seq2seq_create, NULL, o->context, 1, 1, NULL);
    REFUSED(ERR_INVALID_ARG, seq2seq_create, &out, NULL, 1, 1, NULL);
    REFUSED(ERR_INVALID_ARG, seq2seq_create, &out, o->context, 0, 1, NULL);
    ACCEPTS_NULL(seq2seq_destroy);
    REFUSED(ERR_INVALID_ARG, seq2seq_add_decoder, NULL, &decoder);
    decoder.target = 9;
    REFUSED(ERR_INVALID_ARG, seq2seq_add_decoder, o->model, &decoder);
    decoder.target = LSTMAE_DECODE_FUTURE; /* without steps */
    REFUSED(ERR_INVALID_ARG, seq2seq_add_decoder, o->model, &decoder);
    decoder.target = LSTMAE_DECODE_FORWARD;
    decoder.input = -1;
    REFUSED(ERR_INVALID_ARG, seq2seq_add_decoder, o->model, &decoder);
    decoder.input = LSTMAE_INPUT_NOTHING;
    decoder.truth = 1.5;
    REFUSED(ERR_INVALID_ARG, seq2seq_add_decoder, o->model, &decoder);
    decoder.truth = 1.0;
    decoder.flags = LSTMAE_LSTM_BIDIRECTIONAL;
    REFUSED(ERR_UNSUPPORTED, seq2seq_add_decoder, o->model, &decoder);
    assert_int_equal(lstmae_seq2seq_decoder_count(o->model), 2); /* refused ones left nothing */
    GIVES(0, seq2seq_decoder_count, NULL);
    GIVES(NULL, seq2seq_module, NULL);
    REFUSED(ERR_INVALID_ARG, seq2seq_set_truth, NULL, 0, 0.5);
    REFUSED(ERR_INVALID_ARG, seq2seq_set_truth, o->model, 2, 0.5);
    REFUSED(ERR_INVALID_ARG, seq2seq_set_truth, o->model, 0, -0.5);
    REFUSED(ERR_STATE, seq2seq_set_truth, o->model, 0, 0.5);
    REFUSED(ERR_INVALID_ARG, seq2seq_set_lengths, NULL, &length, 1);
    REFUSED(ERR_INVALID_ARG, seq2seq_set_lengths, o->model, &length, 0);
    REFUSED(ERR_INVALID_ARG, seq2seq_forward, NULL, o->x, NULL);
    REFUSED(ERR_INVALID_ARG, seq2seq_forward, o->model, NULL, NULL);
    REFUSED(ERR_SHAPE, seq2seq_forward, o->model, o->flat, NULL);
    REFUSED(ERR_DTYPE, seq2seq_forward, o->model, o->integers, NULL);
    GIVES(NULL, seq2seq_output, NULL, 0);
    GIVES(NULL, seq2seq_output, o->model, 2);
    REFUSED(ERR_STATE, seq2seq_decoder_loss, o->model, 0, &value);
    REFUSED(ERR_INVALID_ARG, seq2seq_decoder_loss, NULL, 0, &value);
    REFUSED(ERR_INVALID_ARG, seq2seq_decoder_loss, o->model, 0, NULL);
    REFUSED(ERR_INVALID_ARG, seq2seq_step, NULL, o->loss, o->x, o->future, 1.0, &value);
    REFUSED(ERR_INVALID_ARG, seq2seq_step, o->model, NULL, o->x, o->future, 1.0, &value);
    REFUSED(ERR_INVALID_ARG, seq2seq_step, o->model, o->loss, NULL, o->future, 1.0, &value);
    REFUSED(ERR_INVALID_ARG, seq2seq_step, o->model, o->loss, o->x, NULL, 1.0, &value);
    REFUSED(ERR_SHAPE, seq2seq_step, o->model, o->loss, o->x, o->flat, 1.0, &value);
    assert_ok(lstmae_loss_create(&foreign, o->other, NULL));
    REFUSED(ERR_INVALID_ARG, seq2seq_step, o->model, foreign, o->x, o->future, 1.0, &value);
    assert_ok(lstmae_seq2seq_create(&bare, o->context, 4, 5, NULL));
    REFUSED(ERR_STATE, seq2seq_step, bare, o->loss, o->x, NULL, 1.0, &value);
    REFUSED(ERR_INVALID_ARG, seq2seq_encode, NULL, o->x, o->flat);
    REFUSED(ERR_INVALID_ARG, seq2seq_encode, o->model, NULL, o->flat);
    REFUSED(ERR_INVALID_ARG, seq2seq_encode, o->model, o->x, NULL);
    REFUSED(ERR_SHAPE, seq2seq_encode, o->model, o->x, o->flat); /* [2,4], wanted [2,5] */
    REFUSED(ERR_INVALID_ARG, seq2seq_reconstruct, NULL, o->x, o->x);
    REFUSED(ERR_INVALID_ARG, seq2seq_reconstruct, o->model, NULL, o->x);
    REFUSED(ERR_INVALID_ARG, seq2seq_reconstruct, o->model, o->x, NULL);
    REFUSED(ERR_SHAPE, seq2seq_reconstruct, o->model, o->x, o->future);
    REFUSED(ERR_STATE, seq2seq_reconstruct, bare, o->x, o->x);
    REFUSED(ERR_INVALID_ARG, seq2seq_generate, NULL, o->x, o->future);
    REFUSED(ERR_INVALID_ARG, seq2seq_generate, o->model, NULL, o->future);
    REFUSED(ERR_INVALID_ARG, seq2seq_generate, o->model, o->x, NULL);
    REFUSED(ERR_STATE, seq2seq_generate, bare, o->x, o->future);
    assert_ok(lstmae_seq2seq_forward(o->model, o->x, NULL));
    REFUSED(ERR_STATE, seq2seq_add_decoder, o->model, NULL); /* it has run */
    lstmae_seq2seq_destroy(bare);
    lstmae_loss_destroy(foreign);
    assert_null(out);
}

static void losses_and_optimizers(void **state)
{
    misuse_objects *o = *state;
    lstmae_loss *loss = NULL;
    lstmae_optimizer *optimizer = NULL;
    lstmae_schedule *schedule = NULL;
    lstmae_loss_options loss_options = LSTMAE_LOSS_OPTIONS_INIT;
    lstmae_optimizer_options options = LSTMAE_ADAM_OPTIONS_INIT;
    lstmae_schedule_options rates = LSTMAE_SCHEDULE_OPTIONS_INIT;
    double value = 0.0;
    REFUSED(ERR_INVALID_ARG, loss_create, NULL, o->context, NULL);
    REFUSED(ERR_INVALID_ARG, loss_create, &loss, NULL, NULL);
    loss_options.kind = 77;
    REFUSED(ERR_INVALID_ARG, loss_create, &loss, o->context, &loss_options);
    ACCEPTS_NULL(loss_destroy);
    REFUSED(ERR_INVALID_ARG, loss_compute, NULL, o->x, o->x, NULL, &value, NULL);
    REFUSED(ERR_INVALID_ARG, loss_compute, o->loss, NULL, o->x, NULL, &value, NULL);
    REFUSED(ERR_INVALID_ARG, loss_compute, o->loss, o->x, NULL, NULL, &value, NULL);
    REFUSED(ERR_SHAPE, loss_compute, o->loss, o->x, o->future, NULL, &value, NULL);
    REFUSED(ERR_DTYPE, loss_compute, o->loss, o->x, o->integers, NULL, &value, NULL);
    REFUSED(ERR_INVALID_ARG, loss_compute, o->loss, o->x, o->foreign, NULL, &value, NULL);
    REFUSED(ERR_INVALID_ARG, optimizer_create, NULL, o->linear, NULL);
    REFUSED(ERR_INVALID_ARG, optimizer_create, &optimizer, NULL, NULL);
    options.kind = -1;
    REFUSED(ERR_INVALID_ARG, optimizer_create, &optimizer, o->linear, &options);
    options.kind = LSTMAE_ADAM;
    options.lr = -1.0;
    REFUSED(ERR_INVALID_ARG, optimizer_create, &optimizer, o->linear, &options);
    ACCEPTS_NULL(optimizer_destroy);
    REFUSED(ERR_INVALID_ARG, optimizer_step, NULL);
    REFUSED(ERR_INVALID_ARG, optimizer_step_guarded, NULL);
    REFUSED(ERR_INVALID_ARG, optimizer_grad_norm, NULL, &value);
    REFUSED(ERR_INVALID_ARG, optimizer_grad_norm, o->optimizer, NULL);
    REFUSED(ERR_INVALID_ARG, optimizer_set_lr, NULL, 0.1);
    REFUSED(ERR_INVALID_ARG, optimizer_set_lr, o->optimizer, -0.1);
    GIVES(0.0, optimizer_lr, NULL);
    GIVES(0, optimizer_steps, NULL);
    REFUSED(ERR_INVALID_ARG, schedule_create, NULL, NULL);
    rates.kind = 50;
    REFUSED(ERR_INVALID_ARG, schedule_create, &schedule, &rates);
    ACCEPTS_NULL(schedule_destroy);
    GIVES(0.0, schedule_lr, NULL, 3);
    REFUSED(ERR_INVALID_ARG, schedule_report, NULL, 1.0);
    assert_true(!loss && !optimizer && !schedule);
}

static void data(void **state)
{
    misuse_objects *o = *state;
    lstmae_dataset *out = NULL;
    lstmae_loader *loader = NULL;
    lstmae_batch batch = LSTMAE_BATCH_INIT, small = { 4, 0, NULL, NULL, 0, 0 };
    lstmae_loader_options options = LSTMAE_LOADER_OPTIONS_INIT;
    float item[6];
    int64_t dims[1] = { 6 }, epoch = 0, index = 0;
    ACCEPTS_NULL(dataset_destroy);
    GIVES(0, dataset_count, NULL);
    GIVES(0, dataset_ndim, NULL);
    GIVES(0, dataset_dim, NULL, 0);
    GIVES(0, dataset_dim, o->dataset, 7);
    REFUSED(ERR_INVALID_ARG, dataset_read, NULL, 0, item, 6);
    REFUSED(ERR_INVALID_ARG, dataset_read, o->dataset, 0, NULL, 6);
    REFUSED(ERR_SHAPE, dataset_read, o->dataset, 0, item, 5);
    misuse_cover("dataset_read"), assert_true(lstmae_dataset_read(o->dataset, 4, item, 6) < 0);
    misuse_cover("dataset_read"), assert_true(lstmae_dataset_read(o->dataset, -1, item, 6) < 0);
    REFUSED(ERR_INVALID_ARG, dataset_from_memory, NULL, o->context, item, 1, 1, dims);
    REFUSED(ERR_INVALID_ARG, dataset_from_memory, &out, NULL, item, 1, 1, dims);
    REFUSED(ERR_INVALID_ARG, dataset_from_memory, &out, o->context, NULL, 1, 1, dims);
    REFUSED(ERR_INVALID_ARG, dataset_open, NULL, o->context, "x", NULL);
    REFUSED(ERR_INVALID_ARG, dataset_open, &out, NULL, "x", NULL);
    REFUSED(ERR_INVALID_ARG, dataset_open, &out, o->context, NULL, NULL);
    REFUSED(ERR_NOT_FOUND, dataset_open, &out, o->context, "/nonexistent/file", NULL);
    REFUSED(ERR_INVALID_ARG, dataset_range, NULL, o->dataset, 0, 1);
    REFUSED(ERR_INVALID_ARG, dataset_range, &out, NULL, 0, 1);
    misuse_cover("dataset_range"), assert_true(lstmae_dataset_range(&out, o->dataset, 3, 2) < 0);
    misuse_cover("dataset_range"), assert_true(lstmae_dataset_range(&out, o->dataset, 1, INT64_MAX) < 0);
    REFUSED(ERR_INVALID_ARG, dataset_strokes, NULL, o->context, 1, 14, 0);
    REFUSED(ERR_INVALID_ARG, dataset_strokes, &out, NULL, 1, 14, 0);
    REFUSED(ERR_INVALID_ARG, dataset_strokes, &out, o->context, 1, 0, 0);
    REFUSED(ERR_INVALID_ARG, dataset_moving, NULL, o->dataset, NULL);
    REFUSED(ERR_INVALID_ARG, dataset_moving, &out, NULL, NULL);
    REFUSED(ERR_INVALID_ARG, loader_create, NULL, o->context, o->dataset, NULL);
    REFUSED(ERR_INVALID_ARG, loader_create, &loader, NULL, o->dataset, NULL);
    REFUSED(ERR_INVALID_ARG, loader_create, &loader, o->context, NULL, NULL);
    options.batch = 0;
    REFUSED(ERR_INVALID_ARG, loader_create, &loader, o->context, o->dataset, &options);
    ACCEPTS_NULL(loader_destroy);
    REFUSED(ERR_INVALID_ARG, loader_next, NULL, &batch);
    REFUSED(ERR_INVALID_ARG, loader_next, o->loader, NULL);
    REFUSED(ERR_INVALID_ARG, loader_next, o->loader, &small);
    GIVES(0, loader_batches, NULL);
    REFUSED(ERR_INVALID_ARG, loader_position, NULL, &epoch, &index);
    REFUSED(ERR_INVALID_ARG, loader_seek, NULL, 0, 0);
    REFUSED(ERR_INVALID_ARG, loader_seek, o->loader, -1, 0);
    assert_true(!out && !loader);
}

static void training(void **state)
{
    misuse_objects *o = *state;
    lstmae_task *task = NULL;
    lstmae_fit_state *fit = NULL;
    const lstmae_objective *objective = lstmae_task_objective(o->task);
    lstmae_objective broken = LSTMAE_OBJECTIVE_INIT;
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    char *text = NULL;
    double value = 0.0;
    REFUSED(ERR_INVALID_ARG, task_seq2seq, NULL, o->model, o->loss);
    REFUSED(ERR_INVALID_ARG, task_seq2seq, &task, NULL, o->loss);
    REFUSED(ERR_INVALID_ARG, task_seq2seq, &task, o->model, NULL);
    REFUSED(ERR_INVALID_ARG, task_autoencoder, NULL, o->linear, o->loss);
    REFUSED(ERR_INVALID_ARG, task_autoencoder, &task, NULL, o->loss);
    REFUSED(ERR_INVALID_ARG, task_autoencoder, &task, o->linear, NULL);
    GIVES(NULL, task_objective, NULL);
    ACCEPTS_NULL(task_destroy);
    REFUSED(ERR_INVALID_ARG, fit_state_create, NULL, o->context);
    REFUSED(ERR_INVALID_ARG, fit_state_create, &fit, NULL);
    ACCEPTS_NULL(fit_state_destroy);
    GIVES(0, fit_state_iteration, NULL);
    misuse_cover("fit_state_best"), (void)lstmae_fit_state_best(NULL);
    REFUSED(ERR_INVALID_ARG, fit, NULL, o->loader, o->optimizer, NULL, NULL);
    REFUSED(ERR_INVALID_ARG, fit, &broken, o->loader, o->optimizer, NULL, NULL);
    REFUSED(ERR_INVALID_ARG, fit, objective, NULL, o->optimizer, NULL, NULL);
    REFUSED(ERR_INVALID_ARG, fit, objective, o->loader, NULL, NULL, NULL);
    options.accumulate = 0;
    REFUSED(ERR_INVALID_ARG, fit, objective, o->loader, o->optimizer, &options, NULL);
    REFUSED(ERR_INVALID_ARG, evaluate, NULL, o->loader, 0, &value);
    REFUSED(ERR_INVALID_ARG, evaluate, objective, NULL, 0, &value);
    REFUSED(ERR_INVALID_ARG, evaluate, objective, o->loader, 0, NULL);
    REFUSED(ERR_INVALID_ARG, evaluate, objective, o->loader, -1, &value);
    REFUSED(ERR_INVALID_ARG, checkpoint_save, NULL, &content);
    REFUSED(ERR_INVALID_ARG, checkpoint_save, "x", NULL);
    REFUSED(ERR_INVALID_ARG, checkpoint_load, NULL, &content);
    REFUSED(ERR_INVALID_ARG, checkpoint_load, "x", NULL);
    content.module = o->linear;
    REFUSED(ERR_NOT_FOUND, checkpoint_load, "/nonexistent/file", &content);
    misuse_cover("checkpoint_save"), assert_true(lstmae_checkpoint_save("/nonexistent/dir/file", &content) < 0);
    REFUSED(ERR_INVALID_ARG, checkpoint_config, NULL, &text);
    REFUSED(ERR_INVALID_ARG, checkpoint_config, "x", NULL);
    REFUSED(ERR_NOT_FOUND, checkpoint_config, "/nonexistent/file", &text);
    ACCEPTS_NULL(checkpoint_config_free);
    assert_true(!task && !fit && !text);
}

/* ---- nothing forgotten ---- */

static void every_export_is_covered(void **state)
{
    (void)state;
    char line[128];
    size_t missing = 0;
    FILE *list = fopen(TEST_SYMBOLS, "r");
    assert_non_null(list);
    while (fgets(line, sizeof line, list)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "lstmae_", 7) != 0) continue;
        size_t i = 0;
        while (i < covered_count && strcmp(covered[i], line + 7) != 0) i++;
        if (i < covered_count) continue;
        print_error("never misused: %s\n", line);
        missing++;
    }
    fclose(list);
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(option_structs),
        cmocka_unit_test(status_and_context),
        cmocka_unit_test(tensors),
        cmocka_unit_test(modules),
        cmocka_unit_test(lstms),
        cmocka_unit_test(losses_and_optimizers),
        cmocka_unit_test(data),
        cmocka_unit_test(training),
        cmocka_unit_test(sequence_models),
        cmocka_unit_test(decoders_of_structures),
        cmocka_unit_test(misuse_convolutions),
        cmocka_unit_test(misuse_norms),
        cmocka_unit_test(misuse_pools),
        cmocka_unit_test(misuse_reshapes),
        cmocka_unit_test(misuse_tables),
        cmocka_unit_test(misuse_scalers),
        cmocka_unit_test(misuse_scores),
        cmocka_unit_test(misuse_thresholds),
        cmocka_unit_test(misuse_images),
        cmocka_unit_test(misuse_sessions),
        cmocka_unit_test(misuse_measures),
        cmocka_unit_test(misuse_pca),
        cmocka_unit_test(misuse_neighbors),
        cmocka_unit_test(misuse_autoencoder_sizes),
        cmocka_unit_test(misuse_noise),
        cmocka_unit_test(misuse_autoencoder_create),
        cmocka_unit_test(misuse_autoencoder),
        cmocka_unit_test(misuse_pretrain_options),
        cmocka_unit_test(misuse_seq2seq_code),
        cmocka_unit_test(misuse_seq2seq_latent),
        cmocka_unit_test(misuse_pictures),
        cmocka_unit_test(misuse_events),
        cmocka_unit_test(misuse_projector),
        cmocka_unit_test(misuse_npy),
        cmocka_unit_test(every_export_is_covered),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
